// Tests the front end of docs/frontend in a browser, on an origin of its own:
// node test.mjs ADDRESS CHROMIUM TOKENS. TOKENS are those of a session of owner@acme.example whose
// access token has expired.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { serve } from "./server.mjs";

const [address, executablePath, expired] = process.argv.slice(2);
const PASSWORD = "postern-demo-2026";
const frontend = await serve(import.meta.dirname, address);
const browser = await chromium.launch({
  executablePath,
  args: [
    ...(process.getuid() === 0 ? ["--no-sandbox"] : []),
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
  ],
});

/** A browser profile: tabs, and what they sent and logged. */
async function profile() {
  const context = await browser.newContext();
  // Generous: other tests run at the same time.
  context.setDefaultTimeout(120_000);
  const [requests, errors] = [[], []];
  context.on("weberror", (event) => errors.push(String(event.error())));
  context.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  context.on("response", (response) => {
    const [request, url] = [response.request(), response.url()];
    if (url.startsWith(address)) {
      requests.push({ call: `${request.method()} ${new URL(url).pathname}`, response });
    }
  });
  return {
    context,
    errors,
    /** Opens a tab. */
    open: async () => {
      const tab = await context.newPage();
      await tab.goto(frontend.origin);
      return tab;
    },
    /** Statuses of the responses to a call so far. */
    statuses: (call) =>
      requests.filter((request) => request.call === call).map(({ response }) => response.status()),
    responses: () => requests.map(({ response }) => response),
  };
}

async function signIn(tab, email, password = PASSWORD) {
  await tab.fill("#sign-in [name=email]", email);
  await tab.fill("#sign-in [name=password]", password);
  await tab.click("#sign-in button");
}

const shows = (tab, selector, text) =>
  tab.locator(selector, { hasText: text }).first().waitFor({ state: "visible" });

/** Calls Postern from outside of the browser. */
async function call(token, method, path, body) {
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
  const response = await fetch(address + path, init);
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  return response.status === 204 ? null : response.json();
}

async function tokenOf(email) {
  const tokens = await call("", "POST", "/v1/auth/login", { email, password: PASSWORD });
  return tokens.access_token;
}

/** Sign-in, list, stream and a conflicting edit of an owner. */
async function owner() {
  const { open, statuses, responses, errors } = await profile();
  const tab = await open();
  await signIn(tab, "owner@acme.example", "not the password");
  await shows(tab, "#message", "Wrong e-mail address or password.");
  await signIn(tab, "owner@acme.example");
  await shows(tab, "#user", "Ana Costa");

  await shows(tab, "#more", "More members");
  const members = tab.locator("#members li");
  assert.equal(await members.count(), 3);
  while (await tab.locator("#more").isVisible()) {
    const count = await members.count();
    await tab.click("#more");
    await members.nth(count).waitFor();
  }
  const token = await tokenOf("owner@acme.example");
  const all = await call(token, "GET", "/v1/orgs/acme/members?limit=100");
  assert.deepEqual(await members.allTextContents(), all.data.map(({ email }) => email));

  // Another client changes the settings that are on the screen.
  const settings = "/v1/orgs/acme/settings";
  const input = tab.locator("#settings [name=support_email]");
  await input.waitFor();
  await call(token, "PATCH", settings, { support_email: "theirs@acme.example" });
  await input.fill("mine@acme.example");
  await tab.click("#settings button");
  await shows(tab, "#message", "Changed by someone else.");
  await tab.waitForFunction(
    () => document.querySelector("#settings input").value === "theirs@acme.example",
  );
  assert.equal((await call(token, "GET", settings)).support_email, "theirs@acme.example");
  await input.fill("mine@acme.example");
  const saved = tab.waitForResponse((response) => response.request().method() === "PATCH");
  await tab.click("#settings button");
  await saved;
  assert.deepEqual(statuses(`PATCH ${settings}`), [412, 200]);
  assert.equal((await call(token, "GET", settings)).support_email, "mine@acme.example");
  await shows(tab, "#events", "changed the settings");

  // The requests were cross-origin: the browser could read them because of their headers.
  for (const response of responses()) {
    const allowed = await response.headerValue("access-control-allow-origin");
    assert.equal(allowed, frontend.origin, response.url());
  }
  await tab.click("#sign-out");
  await tab.locator("#sign-in").waitFor();
  const expected = errors.filter((error) => /status of (401|412)/.test(error));
  assert.deepEqual(errors, expected);
  assert.equal(errors.length, 2);
}

/** Two tabs find that their access token has expired, and refresh it once. */
async function refresh() {
  const { context, open, statuses } = await profile();
  const holder = await open();
  await holder.evaluate(async (tokens) => {
    const { SharedValue } = await import("/shared_value.js");
    await new SharedValue("postern.tokens").set(JSON.parse(tokens));
    // Both tabs have to wait, so that both have seen the expired token before the first refresh.
    await new Promise((held) => {
      void navigator.locks.request("postern.refresh", () => {
        held();
        return new Promise((release) => (globalThis.release = release));
      });
    });
  }, expired);
  const tabs = [await context.newPage(), await context.newPage()];
  await Promise.all(tabs.map((tab) => tab.goto(frontend.origin)));
  // `waitForFunction` does not wait for promises.
  await holder.evaluate(async () => {
    for (let waiting = 0; waiting < 2; ) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      const { pending } = await navigator.locks.query();
      waiting = new Set(pending.map(({ clientId }) => clientId)).size;
    }
  });
  assert.deepEqual(statuses("POST /v1/auth/refresh"), []);
  await holder.evaluate(() => globalThis.release());
  for (const tab of tabs) {
    await shows(tab, "#user", "Ana Costa");
    await shows(tab, "#members", "@acme.example");
  }
  assert.deepEqual(statuses("POST /v1/auth/refresh"), [200]);
  // Signing out in one tab signs out all of them.
  await tabs[0].click("#sign-out");
  for (const tab of tabs) await tab.locator("#sign-in").waitFor();
}

/** Support sees a banner while it impersonates, and continues as itself afterwards. */
async function impersonation() {
  const { open, statuses } = await profile();
  const tab = await open();
  await signIn(tab, "support@postern.example");
  const start = async () => {
    await shows(tab, "#user", "Sam Okoro");
    await tab.fill("#impersonate [name=user]", "admin@acme.example");
    await tab.fill("#impersonate [name=org]", "acme");
    await tab.fill("#impersonate [name=reason]", "cannot open the reports page");
    await tab.fill("#impersonate [name=ticket]", "SUP-4312");
    await tab.click("#impersonate button");
    await shows(tab, "#banner", "Sam Okoro of support is acting as");
    await tab.locator("#user", { hasNotText: "Sam Okoro" }).waitFor();
    await shows(tab, "#members", "member@acme.example");
  };
  await start();
  await tab.reload();
  await shows(tab, "#banner", "Sam Okoro of support is acting as");
  // Other tabs stay those of the staff member.
  const other = await open();
  await shows(other, "#user", "Sam Okoro");
  assert.equal(await other.locator("#banner").isVisible(), false);
  await tab.locator("#settings").waitFor();
  await tab.click("#settings button");
  await shows(tab, "#message", "This impersonation is read-only.");
  await tab.click("#banner button");
  await shows(tab, "#user", "Sam Okoro");
  assert.equal(await tab.locator("#banner").isVisible(), false);

  // An impersonation that is ended elsewhere.
  await start();
  await tab.locator("#settings").waitFor();
  const token = await tokenOf("support@postern.example");
  const id = await tab.evaluate(
    () => JSON.parse(sessionStorage.getItem("postern.impersonation")).impersonation.id,
  );
  await call(token, "DELETE", `/v1/admin/impersonations/${id}`);
  await tab.click("#settings button");
  await shows(tab, "#user", "Sam Okoro");
  assert.equal(await tab.locator("#banner").isVisible(), false);
  assert.deepEqual(statuses("POST /v1/admin/impersonations"), [201, 201]);
}

try {
  await owner();
  await refresh();
  await impersonation();
  console.log("all tasks succeeded in the front end");
} finally {
  await browser.close();
  frontend.close();
}
