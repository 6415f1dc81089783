// A WebSocket server that sends every message back, for the tests of web/src/port/socket.rs. Prints one free port, for
// the tests to be served on, and listens on the next one. Takes whole frames of up to 64 KiB, one after the other.
// Loopback only.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { freePorts } from "./ports.mjs";

const server = createServer((_, response) => response.end("echo"));
server.on("upgrade", (request, socket) => {
  // RFC 6455 §1.3: the fixed text that proves that we understood the handshake.
  const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  let waiting = Buffer.alloc(0);
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    waiting = Buffer.concat([waiting, chunk]);
    for (;;) {
      if (waiting.length < 2) return;
      const short = waiting[1] & 0x7f;
      const header = short === 126 ? 8 : 6;
      if (short === 127 || waiting.length < header) return;
      const length = short === 126 ? waiting.readUInt16BE(2) : short;
      if (waiting.length < header + length) return;
      const opcode = waiting[0] & 0x0f;
      const mask = waiting.subarray(header - 4, header);
      const payload = Buffer.from(waiting.subarray(header, header + length).map((byte, at) => byte ^ mask[at % 4]));
      waiting = waiting.subarray(header + length);
      // A ping (9) is answered with a pong (10); a close (8) with itself.
      const answer = opcode === 9 ? 10 : opcode;
      const size = length < 126 ? Buffer.from([length]) : Buffer.from([126, length >> 8, length & 0xff]);
      socket.write(Buffer.concat([Buffer.from([0x80 | answer]), size, payload]));
      if (opcode === 8) socket.end();
    }
  });
});
const port = await freePorts(2);
server.listen(port + 1, "127.0.0.1", () => console.log(port));
