// The identity of the page: sign-in, refresh, sign-out, and the bar that shows it.
import assert from "node:assert/strict";
import { PASSWORD } from "./page.mjs";

export async function form_signs_in_and_out(operator) {
  const { page } = operator;
  await operator.open();
  await operator.signIn("support@postern.example", "not the password");
  await operator.waitForText("#message", "password");
  operator.assertErrors(1);
  await operator.signedIn("support@postern.example");
  assert.match(await operator.text("#tier"), /support/);
  const me = await operator.run("read_me");
  assert.match(me.shown, /support@postern\.example/);
  await operator.screenshot("swagger-ui");
  await page.click("#sign-out");
  await operator.waitForText("#message", "Signed out");
  const { status } = await operator.request("GET", "/v1/me", { token: me.authorization });
  assert.equal(status, 401, "the session has ended on the server");
  operator.assertErrors(1);
}

export async function operations_sign_in_refresh_and_sign_out(operator) {
  await operator.open();
  const login = await operator.run("login", { email: "owner@acme.example", password: PASSWORD });
  assert.equal(login.status, 200);
  await operator.waitForText("#person", "Ana Costa \\(owner@acme\\.example\\)");
  await operator.waitForText("#role", "owner");
  assert.equal((await operator.run("read_me")).status, 200);
  // A refresh without a token refreshes the session of the page.
  const refreshed = await operator.run("refresh", { refresh_token: "" });
  assert.equal(refreshed.status, 200);
  const me = await operator.run("read_me");
  assert.equal(me.authorization, `Bearer ${refreshed.body.access_token}`);
  // Signing in as another user ends the former session.
  await operator.run("login", { email: "admin@acme.example", password: PASSWORD });
  await operator.waitForText("#person", "admin@acme");
  await operator.page.waitForFunction(
    async ([url, authorization]) =>
      (await fetch(url, { headers: { authorization } })).status === 401,
    [`${operator.address}/v1/me`, me.authorization],
  );
  operator.errors.length = 0;
  assert.equal((await operator.run("logout")).status, 204);
  await operator.waitForText("#message", "Signed out");
  assert.ok(await operator.page.isVisible("#sign-in"));
}

/** A token of Swagger UI's own dialog is an identity like others. */
export async function dialog_token_is_shown_in_the_bar(operator) {
  const { page } = operator;
  await operator.open();
  const token = await operator.tokenOf("owner@acme.example");
  await page.click(".auth-wrapper button.authorize");
  await page.fill(".auth-container input", token.replace("Bearer ", ""));
  await page.click(".auth-btn-wrapper button.authorize");
  await operator.waitForText("#person", "owner@acme");
  await page.keyboard.press("Escape");
  await page.reload();
  await page.waitForSelector("[id=operations-me-read_me]");
  assert.ok(await page.isVisible("#sign-in"), "no token is kept");
}

/** A token that is about to expire is refreshed once, also for concurrent requests. */
export async function expiring_token_is_refreshed_once(operator) {
  const { page } = operator;
  await operator.open();
  await operator.signedIn("support@postern.example");
  const refreshed = [];
  page.on(
    "request",
    (request) => request.url().endsWith("/v1/auth/refresh") && refreshed.push(request.url()),
  );
  assert.match(await operator.text("#token-time"), /^Token (10:00|9:5\d)$/);
  await page.clock.fastForward("05:00");
  await operator.waitForText("#token-time", "Token [45]:\\d\\d");
  await page.clock.fastForward("04:45");
  assert.equal((await operator.run("read_me")).status, 200);
  assert.equal(refreshed.length, 1, `${refreshed.length} refreshes`);
  await operator.waitForText("#token-time", "Token (10:00|9:\\d\\d)");
}

/** Tokens are in memory only: a reload signs out, also on the server. */
export async function reload_ends_the_session(operator) {
  const { page } = operator;
  await operator.open();
  await operator.signedIn("support@postern.example");
  const { authorization } = await operator.run("read_me");
  const stored = await page.evaluate(() => [localStorage.length, sessionStorage.length]);
  assert.deepEqual(stored, [0, 0]);
  await page.reload();
  await page.waitForSelector("[id=operations-me-read_me]");
  assert.ok(await page.isVisible("#sign-in"));
  await page.waitForFunction(
    async ([url, authorization]) =>
      (await fetch(url, { headers: { authorization } })).status === 401,
    [`${operator.address}/v1/me`, authorization],
  );
  operator.errors.length = 0;
}

/** Bar: name, and role in the chosen org; it stays visible. */
export async function bar_stays_visible(operator) {
  const { page } = operator;
  await operator.open();
  await operator.signedIn("owner@acme.example");
  await operator.waitForText("#role", "owner");
  assert.equal(await page.locator("#org option:checked").textContent(), "acme");
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  const { y } = await page.locator("#bar").boundingBox();
  assert.equal(y, 0, "the bar is at the top of the window");
}
