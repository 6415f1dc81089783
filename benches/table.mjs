// The figures as one table: each next to its limit or peer, with the ratio and the aim. Knows no measuring.

/**
 * What the ratio to an entrant should at least be, by contest, then entrant: docs/BENCH.md.
 * @type {[RegExp, string, number][]}
 */
const AIMS = [
  [/^noise: /, "AES-256-GCM alone", 0.9],
  [/^ratchet: /, "3 HMAC, 1 HKDF, AES-CBC", 0.9],
  [/^codec: /, "Baileys's JavaScript", 10],
];

function time(nanoseconds) {
  if (nanoseconds >= 1e6) return `${(nanoseconds / 1e6).toFixed(2)} ms`;
  if (nanoseconds >= 1e3) return `${(nanoseconds / 1e3).toFixed(2)} µs`;
  return `${nanoseconds.toFixed(0)} ns`;
}

function contests(where, list) {
  return list.flatMap(({ contest, entrants: [ours, ...others] }) => {
    const first = [where, contest, time(ours.median)];
    if (others.length === 0) return [[...first, "", "", "", ""]];
    return others.map((other, at) => {
      const aim = AIMS.find(([pattern, name]) => pattern.test(contest) && name === other.name)?.[2];
      const head = at === 0 ? first : ["", "", ""];
      return [...head, other.name, time(other.median), other.ratio.toFixed(2), verdict(aim, aim !== undefined && other.ratio >= aim, "≥")];
    });
  });
}

function verdict(aim, kept, sign) {
  if (aim === undefined) return "";
  return `${sign} ${aim} ${kept ? "✓" : "✗"}`;
}

/** The aims of the mailbox, explained in docs/BENCH.md. */
const DRAIN = { ofBare: 0.6, perSecond: 2000, task: 50 };

function mailbox({ drains, bare, sending }) {
  const most = drains.at(-1);
  const rate = (value) => `${value.toFixed(0)} /s`;
  const mebibytes = (bytes) => `${(bytes / (1 << 20)).toFixed(1)} MiB`;
  const row = (what, ours, next, its, ratio, aim, kept, sign) => ["Chromium", what, ours, next, its, ratio?.toFixed(2) ?? "", verdict(aim, kept, sign)];
  const ofBare = most.perSecond / bare.perSecond;
  const name = `mailbox of ${most.messages}`;
  const task = most.longestTask === 0 ? "< 50 ms" : `${most.longestTask.toFixed(0)} ms`;
  const rows = [
    row(`${name}: drained`, rate(most.perSecond), `bare IndexedDB, groups of ${bare.group}`, rate(bare.perSecond), ofBare, DRAIN.ofBare, ofBare >= DRAIN.ofBare, "≥"),
    row("", "", "aim", rate(DRAIN.perSecond), most.perSecond / DRAIN.perSecond, 1, most.perSecond >= DRAIN.perSecond, "≥"),
    row(`${name}: longest task of the page`, task, "limit", `${DRAIN.task} ms`, undefined, "none over", most.longestTask <= DRAIN.task, ""),
  ];
  for (const { messages, engineMemory, rendererPeak } of drains) {
    rows.push(row(`mailbox of ${messages}: engine's memory`, mebibytes(engineMemory), "renderer, peak", mebibytes(rendererPeak)));
  }
  rows.push(row(`${sending.name}, commit included`, `${sending.median.toFixed(1)} ms`, "95th percentile", `${sending.p95.toFixed(1)} ms`));
  return rows;
}

function push({ p50, p95 }) {
  const milliseconds = (value) => `${value.toFixed(0)} ms`;
  return [["Chromium", "push, no tab open: to the notification", milliseconds(p50), "95th percentile", milliseconds(p95), "", ""]];
}

/** Which of nginx's proxies does the same work. */
const RELAYS = [
  ["relay, ws", "partner, ws", "nginx, ws"],
  ["relay, tcp", "partner, tcp", "nginx, stream"],
];

function relay({ idle, active, rows }) {
  const of = (name) => rows.find((row) => row.name === name);
  const bare = of("bare");
  // Where the difference is noise, it has no ratio.
  const ratio = (ours, its) => (ours > 0 && its > 0 ? (its / ours).toFixed(2) : "");
  const kibibytes = (value) => `${value.toFixed(1)} KiB`;
  const milliseconds = (value) => `${value.toFixed(2)} ms`;
  return RELAYS.flatMap(([name, ours, its]) => {
    const row = (what, figure, show) => {
      const [first, second] = [figure(of(ours)), figure(of(its))];
      return ["native", what, show(first), its, show(second), ratio(first, second), ""];
    };
    return [
      row(`${name}, ${idle + active} open: memory of a connection`, ({ memory }) => memory, kibibytes),
      row(`${name}: added latency, median`, ({ p50 }) => p50 - bare.p50, milliseconds),
      row(`${name}: added latency, 95th percentile`, ({ p95 }) => p95 - bare.p95, milliseconds),
    ];
  });
}

function media({ mib, up, down, before, peak }) {
  const name = `media, one file of ${mib} MiB`;
  const rate = (value) => `${value.toFixed(0)} MiB/s`;
  const memory = (value) => `${value.toFixed(1)} MiB`;
  return [
    ["native", `${name}: up`, rate(up), "", "", "", ""],
    ["native", `${name}: down`, rate(down), "", "", "", ""],
    ["native", `${name}: memory, peak`, memory(peak), "before", memory(before), "", ""],
  ];
}

function rates({ tokens, verified, durable, health }) {
  const rate = (value) => `${value.toFixed(0)} /s`;
  const row = (what, ours) => ["native", what, rate(ours), "/health, no work at all", rate(health), (ours / health).toFixed(2), ""];
  return [
    row("identity tokens", tokens),
    row("calls to /push: verified", verified),
    row("calls to /push: verified and made durable", durable),
  ];
}

function loads(list) {
  return list.map(({ name, median, most }) => [
    "Chromium", name, `${median.toFixed(0)} ms`, "limit", `${most} ms`, (most / median).toFixed(2), verdict(1, most >= median, "≥"),
  ]);
}

function size({ firstVisit, budget }) {
  return [[
    "transfer", "first visit, brotli", `${firstVisit} B`, "budget", `${budget} B`, (budget / firstVisit).toFixed(2),
    verdict(1, budget >= firstVisit, "≥"),
  ]];
}

/** The rows of each part of results.json, in the order of the table. */
const ROWS = {
  native: (list) => contests("native", list),
  wasm: (list) => contests("Chromium", list),
  loads,
  mailbox,
  push,
  relay,
  media,
  rates,
  size,
};

const HEAD = ["where", "what", "ours", "next to", "", "ratio", "aim"];
/** Widths of the columns while rows come one part at a time; a longer cell moves the rest of its line. */
const WIDTHS = [8, 52, 12, 28, 12, 6, 8];

function lines(rows, widths) {
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column])).join("  ").trimEnd());
}

/** The rows of one part, to be printed as soon as it has been measured. */
export function partLines(part, measured) {
  return lines(ROWS[part](measured), WIDTHS).join("\n");
}

/** All that has been measured, as one table. */
export function table(results) {
  const rows = [HEAD, ...Object.keys(ROWS).flatMap((part) => (results[part] ? ROWS[part](results[part]) : []))];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const bytes = (file) => [`${file.raw} raw`, `${file.gzip} gzip`, `${file.brotli} brotli`].join(", ");
  const files = results.size ? [...results.size.files, results.size.total].map((file) => `  ${file.name}: ${bytes(file)}`) : [];
  return [
    "", ...lines(rows, widths), "", "ratio: how many times our time (or memory) the other takes; 1 is as fast, 0.9 is 90 % of its speed.",
    ...(files.length > 0 ? ["", "transfer, file by file (bytes):", ...files] : []),
  ].join("\n");
}
