// Impersonation: the banner, the identity of requests, and the end.
import assert from "node:assert/strict";

const MEMBER = /member@acme\.example/;

export async function banner_is_shown_until_the_end(operator) {
  const { page } = operator;
  await operator.open();
  await operator.signedIn("support@postern.example");
  const started = await operator.impersonate();
  assert.match(await operator.text("#banner"), /acting as/);
  assert.equal(await page.getAttribute("#banner", "role"), "alert");
  await operator.waitForText("#acting-time", "^(30:00|29:\\d\\d) left$");
  await page.clock.fastForward("01:00");
  await operator.waitForText("#acting-time", "^2[89]:\\d\\d left$");
  // The description shows permission, audit action and demands; the response hides the token.
  const described = await operator.block("start_impersonation").textContent();
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
  assert.match((await operator.run("read_me")).shown, MEMBER);
  // Staff operations use the operator's own token.
  const list = await operator.run("list_impersonations");
  assert.equal(list.status, 200);
  await operator.screenshot("swagger-ui-acting");
  await page.click("#stop");
  await page.waitForSelector("#acting", { state: "hidden" });
  assert.doesNotMatch((await operator.run("read_me")).shown, MEMBER);
}

/** Answers received under a former identity are marked. */
export async function old_answers_are_marked(operator) {
  const { page } = operator;
  await operator.open();
  await operator.signedIn("support@postern.example");
  const note = (id) => operator.block(id).locator(".old-answer");
  await operator.run("read_me");
  assert.equal(await note("read_me").count(), 0);
  await operator.impersonate();
  assert.match(await note("read_me").textContent(), /Old response, received as Sam Okoro/);
  assert.equal(await note("start_impersonation").count(), 0, "its answer is of this identity");
  await operator.run("read_me");
  assert.equal(await note("read_me").count(), 0);
  await page.click("#stop");
  await page.waitForSelector("#acting", { state: "hidden" });
  await note("read_me").waitFor();
  await operator.screenshot("swagger-ui-old-answer");
}

/**
 * After an impersonation was ended elsewhere or expired, requests fail until the operator stops it:
 * they are not sent with the operator's own token.
 */
export async function ended_impersonation_blocks_requests(operator) {
  const { page } = operator;
  await operator.open();
  await operator.signedIn("support@postern.example");
  const endElsewhere = async (id) => {
    const { authorization } = await operator.run("list_impersonations");
    const path = `/v1/admin/impersonations/${id}`;
    await operator.request("DELETE", path, { token: authorization });
    assert.equal((await operator.run("read_me")).status, 401);
    assert.equal((await operator.run("read_me")).status, 401);
    operator.assertErrors(2);
  };
  for (const end of [endElsewhere, () => page.clock.fastForward("31:00")]) {
    // The page generates a new idempotency key each time.
    const started = await operator.impersonate();
    assert.equal(started.replayed, undefined);
    await end(started.body.impersonation.id);
    await operator.waitForText("#banner", "has ended");
    await page.click("#stop");
    await page.waitForSelector("#acting", { state: "hidden" });
    assert.doesNotMatch((await operator.run("read_me")).shown, MEMBER);
  }
}

/** The page asks before an impersonation is lost. */
export async function leaving_during_an_impersonation_asks(operator) {
  const { page } = operator;
  await operator.open();
  await operator.signedIn("support@postern.example");
  await operator.impersonate();
  const dialog = new Promise((resolve) => page.once("dialog", resolve));
  const reload = page.reload().catch(() => {});
  const asked = await dialog;
  assert.equal(asked.type(), "beforeunload");
  await asked.accept();
  await reload;
}
