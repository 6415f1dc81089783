// Modules that only npm or the build brings: their types are not checked here.
declare module "baileys";
declare module "baileys/*";
declare module "pino";
declare module "oidc-provider";
declare module "esbuild";
declare module "buffer";
declare module "*/client.js";
declare module "*/causeway_bench.js";


// What the engine's JavaScript puts into the service worker's scope (web/src/bin/client/worker.rs): jobs by their names.
declare var causeway: Record<string, (texts: string[]) => Promise<any>>;
// The workers that tests/e2e/src/person.js has seen.
declare var personsWorkers: Worker[];
