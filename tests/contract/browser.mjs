// An operator at work in Swagger UI: node browser.mjs ADDRESS CHROMIUM FOLDER. Whatever the page's own policy refuses, or the page complains of, is a failure.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const [address, executablePath, pictures] = process.argv.slice(2);
const quiet = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const browser = await chromium.launch({ executablePath, args: [...(process.getuid() === 0 ? ["--no-sandbox"] : []), ...quiet] });
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  // Its time is turned, not waited for.
  await page.clock.install();
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => request.url().startsWith(address) || request.url().startsWith("data:") || complaints.push(`asks ${request.url()}`));
  /** The browser complains of each request that is refused, and may have complained of nothing else. */
  const refused = (times) => {
    const expected = complaints.filter((one) => one.includes("status of 401"));
    assert.deepEqual([expected.length, complaints.length], [times, times], complaints.join("; "));
    complaints.length = 0;
  };
  await page.goto(`${address}/docs`);
  await page.waitForSelector("#operations-me-read_me");

  // A wrong password is told in words.
  const signIn = async (email, password) => {
    await page.fill("#email", email);
    await page.fill("#password", password);
    await page.click("#sign-in button");
  };
  await signIn("support@postern.example", "not the password");
  await page.waitForFunction(() => document.getElementById("state").textContent.includes("password"));
  refused(1);
  await signIn("support@postern.example", "postern-demo-2026");
  await page.waitForFunction(() => document.getElementById("state").textContent.startsWith("Signed in as"));
  assert.match(await page.textContent("#state"), /support@postern\.example.*support/);

  /** Opens an operation, fills in what is given, runs it, and gives what it answered. */
  const run = async (operation, fill = async () => {}) => {
    const block = page.locator(`#operations-${operation}`);
    if (!(await block.evaluate((element) => element.classList.contains("is-open")))) await block.locator(".opblock-summary-control").click();
    await block.locator("button.execute").waitFor();
    await fill(block);
    const [answer] = await Promise.all([
      // What the page asks for by itself takes anything.
      page.waitForResponse((response) => response.url().includes("/v1/") && response.request().headers().accept !== "*/*"),
      block.locator("button.execute").click(),
    ]);
    await block.locator(".live-responses-table .highlight-code").first().waitFor();
    const { authorization } = await answer.request().allHeaders();
    const repeated = answer.headers()["idempotency-replayed"];
    return { status: answer.status(), body: await answer.json(), authorization, repeated, shown: await block.locator(".live-responses-table").first().textContent() };
  };
  const me = await run("me-read_me");
  assert.equal(me.status, 200);
  assert.match(me.shown, /support@postern\.example/);
  await page.screenshot({ path: `${pictures}/swagger-ui.png` });

  // Stepping into an account is seen as long as it lasts.
  const token = await page.evaluate(async () => {
    const answer = await fetch("/v1/auth/login", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ email: "member@acme.example", password: "postern-demo-2026" }),
    });
    return (await answer.json()).access_token;
  });
  const target = await page.evaluate(
    async (bearer) => (await (await fetch("/v1/me", { headers: { authorization: `Bearer ${bearer}` } })).json()).user.id,
    token,
  );
  const body = { target_user_id: target, org: "acme", reason: "cannot open the reports page", ticket_ref: "SUP-4312", mode: "read_only" };
  const started = await run("support-start_impersonation", async (block) => {
    await block.locator("textarea.body-param__text").fill(JSON.stringify(body));
  });
  assert.equal(started.status, 201, started.shown);
  await page.waitForSelector("#acting:not([hidden])");
  assert.match(await page.textContent("#banner"), /acting as/);
  // What the operation needs, records and demands is there to be read, and the token is not.
  const described = await page.locator("#operations-support-start_impersonation").textContent();
  for (const said of ["impersonation:use", "impersonation.started", "reason, ticket, idempotency key", "x-required-permission", "x-audit-action", "x-demands"]) {
    assert.ok(described.includes(said), `${said} is not to be seen`);
  }
  assert.ok(started.shown.includes("access_token") && !started.shown.includes(started.body.access_token), "no token is shown");
  const worn = await run("me-read_me");
  assert.match(worn.shown, /member@acme\.example/);
  await page.screenshot({ path: `${pictures}/swagger-ui-acting.png` });
  await page.click("#stop");
  await page.waitForSelector("#acting", { state: "hidden" });
  const again = await run("me-read_me");
  assert.doesNotMatch(again.shown, /member@acme\.example/);

  // What somebody puts into Swagger UI's own dialog is not sent by who is signed in above.
  await page.click(".auth-wrapper button.authorize");
  await page.fill(".auth-container input", again.authorization.replace("Bearer ", ""));
  await page.click(".auth-btn-wrapper button.authorize");
  await page.click(".auth-btn-wrapper button.btn-done");
  await run("support-start_impersonation");
  await page.waitForSelector("#acting:not([hidden])");
  assert.match((await run("me-read_me")).shown, /member@acme\.example/);
  await page.click("#stop");
  await page.waitForSelector("#acting", { state: "hidden" });

  // One that ends elsewhere, or by its time, does not turn into oneself: what is asked for is refused until the operator goes on.
  for (const end of [
    async (id) => {
      // The staff portal is one's own.
      const { status, authorization } = await run("support-list_impersonations");
      assert.equal(status, 200);
      await page.evaluate(
        ([path, authorization]) => fetch(path, { method: "DELETE", headers: { authorization } }),
        [`/v1/admin/impersonations/${id}`, authorization],
      );
      assert.equal((await run("me-read_me")).status, 401);
      assert.equal((await run("me-read_me")).status, 401);
      refused(2);
    },
    () => page.clock.fastForward("31:00"),
  ]) {
    // With the key that the page shows, which is another one each time.
    const started = await run("support-start_impersonation");
    assert.equal(started.status, 201, started.shown);
    assert.equal(started.repeated, undefined);
    await page.waitForSelector("#acting:not([hidden])");
    await end(started.body.impersonation.id);
    await page.waitForFunction(() => document.getElementById("banner").textContent.includes("has ended"));
    await page.click("#stop");
    await page.waitForSelector("#acting", { state: "hidden" });
    assert.doesNotMatch((await run("me-read_me")).shown, /member@acme\.example/);
  }

  // A token that is about to end is changed for a fresh one, once, however many ask for it.
  const refreshed = [];
  page.on("request", (request) => request.url().endsWith("/v1/auth/refresh") && refreshed.push(request.url()));
  await page.clock.fastForward("09:45");
  const after = await run("me-read_me");
  assert.equal(after.status, 200);
  assert.equal(refreshed.length, 1, `${refreshed.length} refreshes`);
  await page.click("#sign-out");
  await page.waitForFunction(() => document.getElementById("state").textContent === "Signed out.");
  assert.deepEqual(complaints, []);
  console.log("an operator gets the work done in Swagger UI");
} finally {
  await browser.close();
}
