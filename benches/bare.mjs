// What no client can do without: the rows that a drained mailbox left in the database, written by bare IndexedDB in
// groups as large as the client's own, with strict durability. In the same browser, at the same address, with no client
// running.

/** Script: reads what the client wrote, writes it again into a database of its own, and returns how long that takes. */
const rewrite = (messages, groups) => `
  const finished = (request) => new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
  const ended = (transaction) => new Promise((done, failed) => {
    transaction.oncomplete = () => done();
    transaction.onabort = () => failed(transaction.error);
  });
  const TABLES = ["message", "message_id", "session", "chat"];
  const open = (name) => {
    const request = indexedDB.open(name);
    request.onupgradeneeded = () => TABLES.forEach((table) => request.result.createObjectStore(table));
    return finished(request);
  };
  const held = await open("causeway");
  const [message, id, session, chat] = await Promise.all(TABLES.map(async (table) => {
    const store = held.transaction(table).objectStore(table);
    const [keys, values] = await Promise.all([finished(store.getAllKeys()), finished(store.getAll())]);
    return keys.map((key, at) => ({ table, key: new Uint8Array(key), value: values[at] }));
  }));
  held.close();
  const each = Math.ceil(${messages} / ${groups});
  const times = [];
  for (let round = 0; round < 3; round++) {
    const name = "bench-bare-" + round;
    const database = await open(name);
    const began = performance.now();
    for (let at = 0; at < ${messages}; at += each) {
      const transaction = database.transaction(TABLES, "readwrite", { durability: "strict" });
      const put = ({ table, key, value }) => transaction.objectStore(table).put(value, key);
      message.slice(at, at + each).forEach(put);
      id.slice(at, at + each).forEach(put);
      // Every peer has written something in a group: its session and its chat are as new as its message.
      session.forEach(put);
      chat.forEach(put);
      await ended(transaction);
    }
    times.push(performance.now() - began);
    database.close();
    await finished(indexedDB.deleteDatabase(name));
  }
  return { each, times };`;

/** Stops the client, measures, and brings it back to where it was. */
export async function bare({ session, page, figure }) {
  const back = await session.run("return location.href;");
  await session.open(`${page}/health`);
  const { each, times } = await session.run(rewrite(figure.messages, figure.groups));
  await session.open("about:blank");
  await session.open(back);
  const ms = times.sort((a, b) => a - b)[1];
  return { group: each, ms, perSecond: (figure.messages / ms) * 1000 };
}
