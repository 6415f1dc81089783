// An independent client plays a phone: Baileys, a WhatsApp client library that shares no code with this project, logs in
// at the sandbox by number and exchanges text with a Partner's user or with another phone.
//
//   node exchange.mjs --ws ws://127.0.0.1:8200/ws/chat --root HEX --number 14155550199
//        [--to JID --text TEXT]   write this first, and wait until it is delivered
//        [--expect N]             wait for N texts
//        [--reply PREFIX]         answer each text with PREFIX and the text, and wait until that is delivered
//        [--timeout MS]           give up after this long (default 30000)
//        [--verbose]              the library's own log on stderr
//
// Each thing that happens is one JSON object a line on stdout: connected, sent, delivered, received, done, failed.
// Exit code 0 when everything asked for has happened, 1 otherwise, 2 on wrong usage.
//
// What is the library's: framing, Noise, the binary codec, prekey upload, key bundles, the
// ratchet, the Message protobuf, acks and receipts among phones. Two things are not:
//  - The root key. The library has WhatsApp's built in; it is replaced at run time, here and only in this process.
//    (Tried: this version logs in on a chain of any root. The checks of certificates are tested elsewhere, not by it.)
//  - Addressing. The library's chat functions know no interop addresses and want a LID for every number, so texts leave
//    as the one <enc> of a single device, and texts from interop addresses are opened here, with the library's parts.

import makeWASocket, {
  DisconnectReason, encodeWAMessage, generateMessageIDV2, initAuthCreds, parseAndInjectE2ESessions, proto,
  unpadRandomMax16, WA_CERT_DETAILS,
} from 'baileys';
import pino from 'pino';
import { parseArgs } from 'node:util';

const SERVER = '@s.whatsapp.net';
/** @type {import("node:util").ParseArgsOptionsConfig} */
const options = {
  ws: { type: 'string' }, root: { type: 'string' }, number: { type: 'string' }, to: { type: 'string' },
  text: { type: 'string' }, expect: { type: 'string', default: '0' }, reply: { type: 'string' },
  timeout: { type: 'string', default: '30000' }, verbose: { type: 'boolean', default: false },
};

const say = (event, facts = {}) => process.stdout.write(`${JSON.stringify({ event, ...facts })}\n`);

function usage(problem) {
  process.stderr.write(`exchange.mjs: ${problem}; see the first lines of the script\n`);
  process.exit(2);
}

function settings() {
  let values;
  try {
    ({ values } = parseArgs({ options }));
  } catch (error) {
    usage(error.message);
  }
  if (!values.ws || !/^[0-9a-f]{64}$/i.test(values.root ?? '') || !/^[0-9]{5,15}$/.test(values.number ?? '')) {
    usage('--ws, --root (64 hex digits) and --number (digits) are needed');
  }
  if (Boolean(values.to) !== Boolean(values.text)) usage('--to and --text belong together');
  return { ...values, expect: Number(values.expect), timeout: Number(values.timeout) };
}

// Keys and sessions, for as long as this process lives.
function memoryKeys() {
  const stored = new Map();
  return {
    get: async (kind, ids) => {
      const found = ids.map((id) => [id, stored.get(`${kind} ${id}`)]).filter(([, value]) => value);
      return Object.fromEntries(found);
    },
    set: async (changes) => {
      for (const [kind, entries] of Object.entries(changes)) {
        for (const [id, value] of Object.entries(entries)) {
          if (value) stored.set(`${kind} ${id}`, value);
          else stored.delete(`${kind} ${id}`);
        }
      }
    },
  };
}

const wanted = settings();
WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(wanted.root, 'hex');

const creds = { ...initAuthCreds(), registered: true, me: { id: `${wanted.number}${SERVER}`, name: 'Independent' } };
const socket = makeWASocket({
  waWebSocketUrl: wanted.ws,
  auth: { creds, keys: memoryKeys() },
  logger: pino({ level: wanted.verbose ? 'debug' : 'silent' }, pino.destination(2)),
  fireInitQueries: false,
  syncFullHistory: false,
  shouldSyncHistoryMessage: () => false,
  getMessage: async () => undefined,
});

const undelivered = new Set();
let received = 0;
let begun = false;
let over = false;

function end(code, event, facts) {
  if (over) return;
  over = true;
  say(event, facts);
  socket.end(undefined);
  // Output must be out before the process is.
  process.stdout.write('', () => process.exit(code));
}

const fail = (error) => end(1, 'failed', { reason: error?.message ?? String(error) });
const finishIfDone = () => {
  if (begun && received >= wanted.expect && undelivered.size === 0) end(0, 'done', { received });
};

// The library shows device 0 of an interop address; the wire has none (`1-123:0@interop`).
const plain = (jid) => jid.replace(':0@', '@');

async function send(to, text) {
  const known = await socket.signalRepository.validateSession(to);
  if (!known.exists) {
    const bundle = await socket.query({
      tag: 'iq',
      attrs: { xmlns: 'encrypt', type: 'get', to: SERVER },
      content: [{ tag: 'key', attrs: {}, content: [{ tag: 'user', attrs: { jid: to } }] }],
    });
    await parseAndInjectE2ESessions(bundle, socket.signalRepository);
  }
  const data = encodeWAMessage({ conversation: text });
  const { type, ciphertext } = await socket.signalRepository.encryptMessage({ jid: to, data });
  const id = generateMessageIDV2(creds.me.id);
  undelivered.add(id);
  await socket.sendNode({
    tag: 'message',
    attrs: { to, id, type: 'text' },
    content: [{ tag: 'enc', attrs: { v: '2', type }, content: ciphertext }],
  });
  say('sent', { id, to, text, sealed_as: type });
}

async function arrived(from, id, text) {
  received += 1;
  say('received', { id, from, text });
  if (wanted.reply !== undefined) await send(from, wanted.reply + text);
  finishIfDone();
}

// Texts from other phones come through the library's own pipeline.
socket.ev.on('messages.upsert', ({ messages }) => {
  for (const { key, message } of messages) {
    const text = message?.conversation ?? message?.extendedTextMessage?.text;
    if (!key.fromMe && text) arrived(plain(key.remoteJid), key.id, text).catch(fail);
  }
});

// Texts from interop addresses, which that pipeline rejects.
async function open(stanza) {
  const from = plain(stanza.attrs.from);
  const sealed = stanza.content.find(({ tag }) => tag === 'enc');
  const opened = await socket.signalRepository.decryptMessage({
    jid: from, type: sealed.attrs.type, ciphertext: sealed.content,
  });
  const message = proto.Message.decode(unpadRandomMax16(opened));
  await socket.sendNode({ tag: 'receipt', attrs: { id: stanza.attrs.id, to: from } });
  await arrived(from, stanza.attrs.id, message.conversation ?? message.extendedTextMessage?.text ?? '');
}

socket.ws.on('CB:message', (stanza) => {
  if (stanza.attrs.from.endsWith('@interop')) open(stanza).catch(fail);
});

socket.ws.on('CB:receipt', ({ attrs }) => {
  if (attrs.type === 'retry') return fail(new Error(`${plain(attrs.from)} could not decrypt ${attrs.id}`));
  if (undelivered.delete(attrs.id)) {
    say('delivered', { id: attrs.id, by: plain(attrs.from) });
    finishIfDone();
  }
});

socket.ws.on('CB:ack,class:message', ({ attrs }) => {
  if (attrs.error && attrs.error !== '0') fail(new Error(`the server refused ${attrs.id} with ${attrs.error}`));
});

socket.ev.on('creds.update', (update) => Object.assign(creds, update));

socket.ev.on('connection.update', ({ connection, lastDisconnect }) => {
  if (connection === 'open') begin().catch(fail);
  if (connection === 'close') {
    const code = lastDisconnect?.error?.output?.statusCode;
    fail(new Error(`connection closed: ${DisconnectReason[code] ?? code ?? 'unknown'}: ${lastDisconnect?.error?.message}`));
  }
});

async function begin() {
  say('connected', { jid: creds.me.id });
  if (wanted.to) await send(wanted.to, wanted.text);
  begun = true;
  finishIfDone();
}

setTimeout(() => fail(new Error(`not done after ${wanted.timeout} ms; ${received} received`)), wanted.timeout);
