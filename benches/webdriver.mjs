// Just enough WebDriver to open a page in headless Chromium and run scripts in it. Knows no page.
import { spawn } from "node:child_process";
import { once } from "node:events";

export class Chromium {
  static async start() {
    const driver = spawn("chromedriver", ["--port=0"], { stdio: ["ignore", "pipe", "inherit"] });
    const port = await new Promise((resolve, reject) => {
      let said = "";
      driver.once("error", reject);
      driver.once("exit", () => reject(new Error(`chromedriver did not start: ${said}`)));
      driver.stdout.on("data", (chunk) => {
        said += chunk;
        const found = /started successfully on port (\d+)/.exec(said);
        if (found) resolve(found[1]);
      });
    });
    return new Chromium(driver, `http://127.0.0.1:${port}`);
  }

  constructor(driver, address) {
    this.driver = driver;
    this.address = address;
  }

  /** A browser with nothing in its cache or storage. */
  async session() {
    const args = [
      "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--window-size=1280,800",
      "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
      "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1, EXCLUDE localhost",
    ];
    const capabilities = { alwaysMatch: { browserName: "chrome", "goog:chromeOptions": { args } } };
    const { sessionId, capabilities: got } = await this.call("POST", "/session", { capabilities });
    await this.call("POST", `/session/${sessionId}/timeouts`, { script: 900_000, pageLoad: 60_000 });
    return new Session(this, sessionId, got.browserVersion);
  }

  /** The browser's version, read from a session once. */
  async version() {
    if (!this.known) {
      const session = await this.session();
      this.known = session.version;
      await session.end();
    }
    return this.known;
  }

  async call(method, path, body) {
    const answer = await fetch(this.address + path, { method, body: body && JSON.stringify(body) });
    const { value } = /** @type {any} */ (await answer.json());
    if (value?.error) throw new Error(`${path}: ${value.error}: ${value.message.split("\n")[0]}`);
    return value;
  }

  async stop() {
    const ended = once(this.driver, "exit");
    this.driver.kill();
    await ended;
  }
}

class Session {
  constructor(chromium, id, version) {
    this.version = version;
    this.call = (method, path, body) => chromium.call(method, `/session/${id}${path}`, body);
  }

  open(url) {
    return this.call("POST", "/url", { url });
  }

  /** Runs the body of an async function in the page; returns its result. */
  run(body, ...args) {
    const script = `const done = arguments[arguments.length - 1];
      (async () => { ${body} })().then((value) => done({ value }), (error) => done({ failed: String(error?.stack ?? error) }));`;
    return this.call("POST", "/execute/async", { script, args }).then(({ value, failed }) => {
      if (failed) throw new Error(failed);
      return value;
    });
  }

  /** Makes every page of this session run a script before its own. */
  before(source) {
    return this.call("POST", "/goog/cdp/execute", { cmd: "Page.addScriptToEvaluateOnNewDocument", params: { source } });
  }

  end() {
    return this.call("DELETE", "");
  }
}
