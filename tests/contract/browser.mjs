// Tests the tasks of an operator in Swagger UI: node browser.mjs ADDRESS CHROMIUM SCREENSHOTS.
// Violations of the page's content security policy and errors in its console are failures.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const [address, executablePath, screenshots] = process.argv.slice(2);
const options = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const browser = await chromium.launch({
  executablePath,
  args: [...(process.getuid() === 0 ? ["--no-sandbox"] : []), ...options],
});
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  // The test sets the page's clock instead of waiting.
  await page.clock.install();
  const errors = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(address) && !url.startsWith("data:")) errors.push(`request to ${url}`);
  });
  /** Asserts that the only errors so far are `count` responses with status 401. */
  const assertUnauthorized = (count) => {
    const unauthorized = errors.filter((error) => error.includes("status of 401"));
    assert.deepEqual([unauthorized.length, errors.length], [count, count], errors.join("; "));
    errors.length = 0;
  };
  await page.goto(`${address}/docs`);
  await page.waitForSelector("#operations-me-read_me");

  // A wrong password shows a message.
  const signIn = async (email, password) => {
    await page.fill("#email", email);
    await page.fill("#password", password);
    await page.click("#sign-in button");
  };
  await signIn("support@postern.example", "not the password");
  await page.waitForFunction(() =>
    document.getElementById("state").textContent.includes("password"),
  );
  assertUnauthorized(1);
  await signIn("support@postern.example", "postern-demo-2026");
  await page.waitForFunction(() =>
    document.getElementById("state").textContent.startsWith("Signed in as"),
  );
  assert.match(await page.textContent("#state"), /support@postern\.example.*support/);

  /** Opens an operation, fills in its form, executes it and returns the response. */
  const run = async (operation, fill = async () => {}) => {
    const block = page.locator(`#operations-${operation}`);
    if (!(await block.evaluate((element) => element.classList.contains("is-open"))))
      await block.locator(".opblock-summary-control").click();
    await block.locator("button.execute").waitFor();
    await fill(block);
    const [response] = await Promise.all([
      // Requests of the page itself accept any media type.
      page.waitForResponse(
        (response) =>
          response.url().includes("/v1/") && response.request().headers().accept !== "*/*",
      ),
      block.locator("button.execute").click(),
    ]);
    await block.locator(".live-responses-table .highlight-code").first().waitFor();
    const { authorization } = await response.request().allHeaders();
    const replayed = response.headers()["idempotency-replayed"];
    const shown = await block.locator(".live-responses-table").first().textContent();
    return {
      status: response.status(),
      body: await response.json(),
      authorization,
      replayed,
      shown,
    };
  };
  const me = await run("me-read_me");
  assert.equal(me.status, 200);
  assert.match(me.shown, /support@postern\.example/);
  await page.screenshot({ path: `${screenshots}/swagger-ui.png` });

  // An active impersonation shows a banner.
  const token = await page.evaluate(async () => {
    const response = await fetch("/v1/auth/login", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ email: "member@acme.example", password: "postern-demo-2026" }),
    });
    return (await response.json()).access_token;
  });
  const target = await page.evaluate(
    async (bearer) =>
      (await (await fetch("/v1/me", { headers: { authorization: `Bearer ${bearer}` } })).json())
        .user.id,
    token,
  );
  const body = {
    target_user_id: target,
    org: "acme",
    reason: "cannot open the reports page",
    ticket_ref: "SUP-4312",
    mode: "read_only",
  };
  const started = await run("support-start_impersonation", async (block) => {
    await block.locator("textarea.body-param__text").fill(JSON.stringify(body));
  });
  assert.equal(started.status, 201, started.shown);
  await page.waitForSelector("#acting:not([hidden])");
  assert.match(await page.textContent("#banner"), /acting as/);
  // The description shows permission, audit action and demands; the response hides the token.
  const described = await page.locator("#operations-support-start_impersonation").textContent();
  for (const text of [
    "impersonation:use",
    "impersonation.started",
    "reason, ticket, idempotency key",
    "x-required-permission",
    "x-audit-action",
    "x-demands",
  ]) {
    assert.ok(described.includes(text), `${text} is not shown`);
  }
  assert.ok(
    started.shown.includes("access_token") && !started.shown.includes(started.body.access_token),
    "the token is shown",
  );
  const impersonated = await run("me-read_me");
  assert.match(impersonated.shown, /member@acme\.example/);
  await page.screenshot({ path: `${screenshots}/swagger-ui-acting.png` });
  await page.click("#stop");
  await page.waitForSelector("#acting", { state: "hidden" });
  const stopped = await run("me-read_me");
  assert.doesNotMatch(stopped.shown, /member@acme\.example/);

  // A token entered in Swagger UI's own dialog does not replace that of an impersonation.
  await page.click(".auth-wrapper button.authorize");
  await page.fill(".auth-container input", stopped.authorization.replace("Bearer ", ""));
  await page.click(".auth-btn-wrapper button.authorize");
  await page.click(".auth-btn-wrapper button.btn-done");
  await run("support-start_impersonation");
  await page.waitForSelector("#acting:not([hidden])");
  assert.match((await run("me-read_me")).shown, /member@acme\.example/);
  await page.click("#stop");
  await page.waitForSelector("#acting", { state: "hidden" });

  // After an impersonation was ended elsewhere or expired, requests fail until the operator stops
  // it: they are not sent with the operator's own token.
  for (const end of [
    async (id) => {
      // Staff operations use the operator's own token.
      const { status, authorization } = await run("support-list_impersonations");
      assert.equal(status, 200);
      await page.evaluate(
        ([path, authorization]) => fetch(path, { method: "DELETE", headers: { authorization } }),
        [`/v1/admin/impersonations/${id}`, authorization],
      );
      assert.equal((await run("me-read_me")).status, 401);
      assert.equal((await run("me-read_me")).status, 401);
      assertUnauthorized(2);
    },
    () => page.clock.fastForward("31:00"),
  ]) {
    // The page generates a new idempotency key each time.
    const started = await run("support-start_impersonation");
    assert.equal(started.status, 201, started.shown);
    assert.equal(started.replayed, undefined);
    await page.waitForSelector("#acting:not([hidden])");
    await end(started.body.impersonation.id);
    await page.waitForFunction(() =>
      document.getElementById("banner").textContent.includes("has ended"),
    );
    await page.click("#stop");
    await page.waitForSelector("#acting", { state: "hidden" });
    assert.doesNotMatch((await run("me-read_me")).shown, /member@acme\.example/);
  }

  // A token that is about to expire is refreshed once, also for concurrent requests.
  const refreshed = [];
  page.on(
    "request",
    (request) => request.url().endsWith("/v1/auth/refresh") && refreshed.push(request.url()),
  );
  await page.clock.fastForward("09:45");
  const after = await run("me-read_me");
  assert.equal(after.status, 200);
  assert.equal(refreshed.length, 1, `${refreshed.length} refreshes`);
  await page.click("#sign-out");
  await page.waitForFunction(() => document.getElementById("state").textContent === "Signed out.");
  assert.deepEqual(errors, []);
  console.log("all operator tasks work in Swagger UI");
} finally {
  await browser.close();
}
