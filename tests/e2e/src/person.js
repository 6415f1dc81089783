// The actions of a person on the page, by its own fields and buttons, as fast as the page allows. Put into every
// document by DevTools, so the content security policy does not apply to it; it knows nothing that is not on the
// screen.
globalThis.person ??= (() => {
  const REPORT = "causewaySoakShows";
  const TIMEOUT = 40_000;

  const until = async (what, look) => {
    const end = performance.now() + TIMEOUT;
    for (;;) {
      const seen = look();
      if (seen) return seen;
      if (performance.now() > end) throw new Error(`never saw ${what}`);
      await new Promise((go) => setTimeout(go, 10));
    }
  };
  const see = (selector) => until(selector, () => document.querySelector(selector));
  const click = async (selector) => /** @type {HTMLElement} */ (await see(selector)).click();
  const fill = async (selector, text) => {
    const field = await see(selector);
    const owner = Object.getPrototypeOf(field);
    Object.getOwnPropertyDescriptor(owner, "value").set.call(field, text);
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  };
  const says = (selector, words) =>
    until(`${words} in ${selector}`, () => document.querySelector(selector)?.textContent.includes(words));
  const online = () => see("#connection[data-state=online]");
  const here = (number) => document.querySelector(`#content[data-chat^='${number}'] #composer`);
  const shown = () => document.querySelector("#messages[aria-busy=false]");

  const signUp = async (identifier, password) => {
    await fill("#identifier", identifier);
    await fill("#password", password);
    await click("#sign-in");
    await click("label[for=consent]");
    await click("#agree");
    await click("#enlist-finish");
    await see("#phone");
    await click("#dialog-close");
    await until("no dialog", () => !document.querySelector("#dialog[open]"));
    await online();
  };

  const ready = () => see("#identifier").then(() => true);

  // A chat that exists is opened from the list; another is started by number.
  const open = async (number) => {
    await see("#new-chat");
    if (!here(number)) {
      const row = /** @type {HTMLElement} */ (document.querySelector(`#chats a.chat-row[data-chat^='${number}']`));
      if (row) row.click();
      else {
        await click("#new-chat");
        await fill("#phone", `+${number}`);
        await click("#start-chat");
      }
    }
    await until(`the chat with ${number}`, () => here(number) && shown());
  };

  const bubbles = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll("#messages li.message")]);
  const said = (bubble) => bubble.querySelector(".text").textContent;

  // Types and presses Enter, text after text without waiting, and is done when the last is on the screen.
  const write = async (number, texts) => {
    await open(number);
    for (const text of texts) {
      await fill("#composer", text);
      const enter = { key: "Enter", code: "Enter", bubbles: true, cancelable: true };
      document.querySelector("#composer").dispatchEvent(new KeyboardEvent("keydown", enter));
    }
    const missing = () => {
      const shown = new Set(bubbles().map(said));
      return texts.filter((text) => !shown.has(text));
    };
    await until(`the bubbles of ${texts}`, () => missing().length === 0);
  };

  // Reads a chat from its first message to its last: [text, state], where state is "in" or how far one's own came.
  const read = async (number) => {
    await open(number);
    await until("the beginning of the chat", () => {
      const scroller = document.querySelector("#messages");
      scroller.scrollTop = -scroller.scrollHeight;
      scroller.dispatchEvent(new Event("scroll"));
      return document.querySelector(".top-note").textContent.includes("end-to-end encrypted");
    });
    const kind = ({ classList }) => ["notice", "faint", "failed"].find((name) => classList.contains(name));
    return bubbles().map((bubble) => [said(bubble), kind(bubble) ?? bubble.dataset.state]);
  };

  // The text of an error that this tab shows, or null.
  const worry = () => {
    const bar = document.querySelector("#connection[data-state=stopped]");
    const seen = [...document.querySelectorAll("[role=alert], #boot-failed")].filter((item) => item.checkVisibility());
    return bar?.textContent ?? seen.find((item) => item.textContent.trim())?.textContent ?? null;
  };

  // Reports each own message as soon as the page shows it: from then on it must not be lost.
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) {
      for (const node of addedNodes) {
        if (!(node instanceof Element)) continue;
        const found = node.matches("li.message.out") ? [node] : node.querySelectorAll("li.message.out");
        for (const bubble of found) globalThis[REPORT]?.(said(bubble));
      }
    }
  }).observe(document, { childList: true, subtree: true });

  return { see, click, says, ready, signUp, open, write, read, online, worry };
})();

// The page's workers, for a test that terminates them.
if (!globalThis.personsWorkers) {
  globalThis.personsWorkers = [];
  globalThis.Worker = class extends Worker {
    /** @param {[string | URL, WorkerOptions?]} args */
    constructor(...args) {
      super(...args);
      globalThis.personsWorkers.push(this);
    }
  };
}
