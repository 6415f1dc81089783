// Free TCP ports on loopback. Servers that must know each other's addresses before any of them starts cannot listen on
// port 0. Knows no servers.
import { createServer } from "node:net";

// Below the range from which Linux takes ports for outgoing connections (32768 and up): a port that was free a moment
// ago is taken again only by another caller of this function, which draws from the same 12,000.
const FIRST = 20_000;
const COUNT = 12_000;
const ATTEMPTS = 100;

/** @param {number} port @returns {Promise<boolean>} whether 127.0.0.1 can be listened on at this port */
function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/**
 * The first of `length` consecutive free ports.
 * @param {number} [length]
 * @returns {Promise<number>}
 */
export async function freePorts(length = 1) {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const first = FIRST + Math.floor(Math.random() * (COUNT - length));
    const ports = Array.from({ length }, (_, at) => first + at);
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return first;
  }
  throw new Error(`no ${length} free ports found between ${FIRST} and ${FIRST + COUNT}: what listens on all of them?`);
}
