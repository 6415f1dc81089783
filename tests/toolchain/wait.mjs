// Waits until an address answers, as long as the process that should answer lives: wait.mjs URL PID
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";

const [url, pid] = process.argv.slice(2);
const deadline = Date.now() + 600_000;
for (;;) {
  try {
    process.kill(Number(pid), 0);
  } catch {
    console.error(`what should answer at ${url} has ended`);
    process.exit(1);
  }
  const answer = await fetch(url).catch(() => undefined);
  if (answer?.ok) break;
  if (Date.now() > deadline) {
    console.error(`no answer from ${url} within ten minutes`);
    process.exit(1);
  }
  await pause(100);
}
