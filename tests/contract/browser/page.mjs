// A page of Swagger UI, with the steps of an operator.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

export const PASSWORD = "postern-demo-2026";

const FLAGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export async function launch(executablePath) {
  const sandbox = process.getuid() === 0 ? ["--no-sandbox"] : [];
  const browser = await chromium.launch({ executablePath, args: [...sandbox, ...FLAGS] });
  return {
    open: async (address, screenshots) => {
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
      page.setDefaultTimeout(60_000);
      // The tests set the page's clock instead of waiting.
      await page.clock.install();
      return new Operator(page, address, screenshots);
    },
    close: () => browser.close(),
  };
}

class Operator {
  /** Errors in the console, violations of the content security policy, requests elsewhere. */
  errors = [];

  constructor(page, address, screenshots) {
    Object.assign(this, { page, address, screenshots });
    page.on("console", (message) => message.type() === "error" && this.errors.push(message.text()));
    page.on("pageerror", (error) => this.errors.push(String(error)));
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(this.address) && !url.startsWith("data:"))
        this.errors.push(`request to ${url}`);
    });
  }

  close() {
    return this.page.close();
  }

  async open(path = "/docs/") {
    await this.page.goto(`${this.address}${path}`);
    await this.page.waitForSelector("[id=operations-me-read_me]");
  }

  /** Asserts that the only errors so far are `count` responses with an error status. */
  assertErrors(count) {
    const responses = this.errors.filter((error) => /status of 4\d\d/.test(error));
    assert.deepEqual(
      [responses.length, this.errors.length],
      [count, count],
      this.errors.join("; "),
    );
    this.errors.length = 0;
  }

  text(selector) {
    return this.page.locator(selector).textContent();
  }

  /** Waits until a text of the page matches. */
  async waitForText(selector, pattern) {
    const { source } = new RegExp(pattern);
    await this.page.waitForFunction(
      ([selector, source]) =>
        new RegExp(source).test(document.querySelector(selector)?.textContent ?? ""),
      [selector, source],
    );
  }

  async signIn(local, password = PASSWORD) {
    await this.page.fill("#email", local);
    await this.page.fill("#password", password);
    await this.page.click("#sign-in button");
  }

  /** Signs in, and waits until permissions are loaded. */
  async signedIn(email) {
    await this.signIn(email);
    await this.waitForText("#person", email.replaceAll(".", "\\."));
  }

  block(id) {
    return this.page.locator(`.opblock[id$="-${id}"]`);
  }

  /** Opens the form of an operation. */
  async form(id) {
    const block = this.block(id);
    if (!(await block.evaluate((element) => element.classList.contains("is-open"))))
      await block.locator(".opblock-summary-control").click();
    await block.locator("button.execute").waitFor();
    return block;
  }

  /** Executes an operation, with a body if given, and returns the response. */
  async run(id, body) {
    const block = await this.form(id);
    if (body !== undefined)
      await block.locator("textarea.body-param__text").fill(JSON.stringify(body, null, 2));
    const [response] = await Promise.all([
      // Requests of the page itself do not set the header.
      this.page.waitForResponse(
        (response) =>
          response.url().includes("/v1/") && response.request().headers().accept !== undefined,
      ),
      block.locator("button.execute").click(),
    ]);
    const requestId = response.headers()["x-request-id"];
    const shown = block.locator(".live-responses-table").first().filter({ hasText: requestId });
    await shown.waitFor();
    const { authorization } = await response.request().allHeaders();
    return {
      status: response.status(),
      url: response.url(),
      body: response.status() === 204 ? null : await response.json(),
      authorization,
      replayed: response.headers()["idempotency-replayed"],
      shown: await shown.textContent(),
      curl: await block.locator(".curl").first().textContent(),
    };
  }

  /** Sends a request from the page, without its interceptors. */
  request(method, path, { token, body } = {}) {
    return this.page.evaluate(
      async ([url, method, token, body]) => {
        const headers = { "content-type": "application/json" };
        if (token) headers.authorization = token;
        const response = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
        const text = await response.text();
        return { status: response.status, body: text === "" ? null : JSON.parse(text) };
      },
      [`${this.address}${path}`, method, token, body],
    );
  }

  /** Access token of an account, as the value of `Authorization`. */
  async tokenOf(email) {
    const body = { email, password: PASSWORD };
    const { body: tokens } = await this.request("POST", "/v1/auth/login", { body });
    return `Bearer ${tokens.access_token}`;
  }

  /** Starts an impersonation of a member of Acme in the form. */
  async impersonate(email = "member@acme.example", mode = "read_only") {
    const token = await this.tokenOf(email);
    const { body: me } = await this.request("GET", "/v1/me", { token });
    const started = await this.run("start_impersonation", {
      target_user_id: me.user.id,
      org: "acme",
      reason: "cannot open the reports page",
      ticket_ref: "SUP-4312",
      mode,
    });
    assert.equal(started.status, 201, started.shown);
    await this.page.waitForSelector("#acting:not([hidden])");
    return started;
  }

  screenshot(name) {
    return this.page.screenshot({ path: `${this.screenshots}/${name}.png` });
  }
}
