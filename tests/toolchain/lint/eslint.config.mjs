// What eslint holds our JavaScript to. The packages lie in the tools folder (../setup), not beside this file: ../scripts names it.
import { createRequire } from "node:module";

const require = createRequire(`${process.env.CAUSEWAY_LINT}/`);
const js = require("@eslint/js");
const globals = require("globals");

/** @type {(files: string[], ...known: object[]) => object} */
const knows = (files, ...known) => ({ files, languageOptions: { globals: Object.assign({}, ...known) } });

export default [
  { ignores: ["**/node_modules/", "**/target/", "dist/", ".run/"] },
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: "error",
      "no-empty": ["error", { allowEmptyCatch: true }],
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-shadow": "off",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-var": "error",
      "prefer-const": ["error", { destructuring: "all" }],
    },
  },
  knows(["**/*.mjs"], globals.nodeBuiltin),
  knows(["web/boot.js", "tests/e2e/src/person.js", "tests/gatekeeper/page/*.js", "benches/page/**/*.js"], globals.browser),
  knows(["web/tests/**/*.js"], globals.browser),
  knows(["web/worker.js", "benches/probe.js"], globals.worker),
  knows(["web/service-worker.js"], globals.serviceworker, { causeway: "readonly" }),
];
