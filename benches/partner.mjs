// The partner server under load, by its own examples, which start it as released: the chat relay beside nginx, the media
// host, tokens and pushes. And how long a push takes to the notification when no tab is open, by the soak of pushes.
//
// What is measured how is said at the head of each example (partner/examples) and of tests/soak/src/push.rs.
import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** Both ends of a connection are in the load's process, and each is a file there. */
const FILES = 20_000;
const RELAY = { idle: 5000, active: 1000, seconds: 20 };
/** The size of the file that goes up and down, in MiB. */
const MEDIA = 512;
/** How long each rate is measured, in seconds. */
const RATE = 5;
const PUSHES = 50;

function build(root, ...args) {
  execFileSync("cargo", ["build", "--locked", ...args], { cwd: root, stdio: "inherit" });
}

/** What a program says with `--json`. */
function says(program, args, environment = {}) {
  const options = { env: { ...process.env, RUST_LOG: "off", ...environment }, stdio: ["ignore", "pipe", "inherit"] };
  return JSON.parse(execFileSync(program, [...args.map(String), "--json"], options).toString());
}

export function partner({ root, target, glance }) {
  const examples = ["relay_load", "media_load", "throughput"];
  build(root, "--release", "-p", "causeway-partner", "--bin", "partner", ...examples.flatMap((name) => ["--example", name]));
  const server = join(target, "release/partner");
  const example = (name) => join(target, "release/examples", name);
  const { idle, active, seconds } = glance ? { idle: 2, active: 2, seconds: 1 } : RELAY;
  const load = [example("relay_load"), server, idle, active, seconds];
  return {
    relay: glance ? says(load[0], load.slice(1)) : says("bash", ["-c", `ulimit -S -n ${FILES} && exec "$@"`, "bash", ...load]),
    media: says(example("media_load"), [server, glance ? 1 : MEDIA]),
    rates: says(example("throughput"), [glance ? 1 : RATE]),
  };
}

/** The soak of pushes in which nobody is ended. */
export function push({ root, target, glance }) {
  build(root, "-p", "causeway-soak", "--bin", "soak-push");
  return says(join(target, "debug/soak-push"), [], { KILLS: "0", PUSHES: String(glance ? 2 : PUSHES), RUST_LOG: "warn" });
}
