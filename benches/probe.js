// Goes with the engine's worker (drain.mjs adds one line to worker.js in a copy of the client): notes when frames come
// and go, which transactions are begun, and how large the engine's memory is. Reports on request, on a channel of its
// own. Times are epoch milliseconds by the monotonic clock, comparable with the page's.
const now = () => performance.timeOrigin + performance.now();
/** @type {{ frames: number[], received: number, sent: number[], commits: number, memory: () => number }} */
const seen = { frames: [], received: 0, sent: [], commits: 0, memory: () => 0 };

const Socket = globalThis.WebSocket;
globalThis.WebSocket = class extends Socket {
  constructor(url, protocols) {
    super(url, protocols);
    seen.frames = [];
    seen.received = 0;
    this.addEventListener("message", () => {
      seen.received += 1;
      if (seen.frames.length < 8) seen.frames.push(now());
    });
  }
  send(bytes) {
    seen.sent.push(now());
    if (seen.sent.length > 1000) seen.sent.shift();
    super.send(bytes);
  }
};

const begin = IDBDatabase.prototype.transaction;
IDBDatabase.prototype.transaction = function (stores, mode, options) {
  if (mode === "readwrite") seen.commits += 1;
  return begin.call(this, stores, mode, options);
};

for (const name of ["instantiate", "instantiateStreaming"]) {
  const original = WebAssembly[name];
  WebAssembly[name] = async (...module) => {
    const made = await original(...module);
    const { memory } = (made.instance ?? made).exports;
    seen.memory = () => memory.buffer.byteLength;
    return made;
  };
}

const line = new BroadcastChannel("bench-probe");
line.onmessage = ({ data }) => {
  if (data === "report") line.postMessage({ ...seen, memory: seen.memory() });
};
