// The partner server under load, by its own examples, which start it as released: the chat relay beside nginx, the
// media host, tokens and pushes. And how long a push takes to the notification when no tab is open, by the soak of
// pushes.
//
// What is measured how is said at the head of each example (partner/examples) and of tests/soak/src/push.rs.
import { join } from "node:path";
import { buildDebug, run } from "./commands.mjs";

/** Both ends of a connection are in the load's process, and each is a file there. */
export const FILES = 20_000;
const RELAY = { idle: 5000, active: 1000, seconds: 20 };
/** The size of the file that goes up and down, in MiB. */
const MEDIA = 512;
/** How long each rate is measured, in seconds. */
const RATE = 5;
const PUSHES = 50;

/** What a program prints with `--json`. */
function figures(program, args, environment = {}) {
  return JSON.parse(run(program, [...args.map(String), "--json"], { env: { ...process.env, RUST_LOG: "off", ...environment } }));
}

/** Builds the partner server and one of its examples as released; returns their paths. */
function built(target, example) {
  run("cargo", ["build", "--locked", "--release", "-p", "causeway-partner", "--bin", "partner", "--example", example]);
  return { server: join(target, "release/partner"), load: join(target, "release/examples", example) };
}

export function relay({ target, glance }) {
  const { server, load } = built(target, "relay_load");
  const { idle, active, seconds } = glance ? { idle: 2, active: 2, seconds: 1 } : RELAY;
  const args = [server, idle, active, seconds];
  return glance ? figures(load, args) : figures("bash", ["-c", `ulimit -S -n ${FILES} && exec "$@"`, "bash", load, ...args]);
}

export function media({ target, glance }) {
  const { server, load } = built(target, "media_load");
  return figures(load, [server, glance ? 1 : MEDIA]);
}

export function rates({ target, glance }) {
  const { load } = built(target, "throughput");
  return figures(load, [glance ? 1 : RATE]);
}

/** The soak of pushes in which no service worker is ended. */
export function push({ target, glance }) {
  buildDebug("soak-push");
  return figures(join(target, "debug/soak-push"), [], { KILLS: "0", PUSHES: String(glance ? 2 : PUSHES), RUST_LOG: "warn" });
}
