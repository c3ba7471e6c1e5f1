// Layout: filter, order of tags, narrow screens, keyboard.
import assert from "node:assert/strict";

export async function filter_finds_operations(operator) {
  const { page } = operator;
  await operator.open();
  const shown = () =>
    page.locator(".opblock").evaluateAll((all) => all.map(({ id }) => id.split("-").pop()));
  const filter = async (phrase) => {
    await page.getByLabel("Filter operations").fill(phrase);
    return shown();
  };
  const all = (await shown()).length;
  for (const [phrase, id] of [
    ["/v1/admin/search", "search_accounts"],
    ["Start an impersonation", "start_impersonation"],
    ["start_imp", "start_impersonation"],
    ["patch settings", "update_settings"],
  ]) {
    assert.deepEqual(await filter(phrase), [id], phrase);
  }
  assert.deepEqual(await filter("accounts"), ["search_accounts"]);
  assert.deepEqual(await filter("no such thing"), []);
  assert.match(await operator.text(".operation-filter [role=status]"), /No operation matches/);
  assert.equal((await filter("")).length, all);
}

export async function tags_are_in_the_order_of_a_day(operator) {
  await operator.open();
  const tags = await operator.page
    .locator(".opblock-tag")
    .evaluateAll((all) => all.map(({ dataset }) => dataset.tag));
  assert.deepEqual(tags.slice(0, 4), ["identity", "me", "accounts", "support"]);
  assert.deepEqual(tags.slice(-2), ["transparency-log", "system"]);
  const plumbing = await operator.page
    .locator('[id^="operations-"][id$="_tile"], [id^="operations-"][id$="_checkpoint"]')
    .evaluateAll((all) => all.map(({ id }) => id.split("-").slice(1, -1).join("-")));
  assert.deepEqual([...new Set(plumbing)], ["transparency-log"]);
}

/** No horizontal scrolling on a phone. */
export async function page_fits_on_390_pixels(operator) {
  const { page } = operator;
  await page.setViewportSize({ width: 390, height: 844 });
  await operator.open();
  const assertFits = async (state) => {
    const widths = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.deepEqual(widths, [390, 390], state);
  };
  await assertFits("signed out");
  await operator.signedIn("support@postern.example");
  await assertFits("signed in");
  await operator.impersonate();
  await assertFits("acting");
  await operator.run("list_members");
  for (const id of ["list_audit_events", "update_settings", "set_staff_tier", "read_log_tile"]) {
    await operator.form(id);
  }
  await assertFits("operations open");
  await page.locator(".about summary").click();
  await assertFits("introduction open");
  const bar = await page.locator("#bar").boundingBox();
  assert.ok(bar.y === 0 && bar.height < 300, "the bar leaves room for the operations");
  await operator.screenshot("swagger-ui-390");
}

/** Sign-in by keyboard, and a name for each control of the bar. */
export async function bar_works_by_keyboard(operator) {
  const { page } = operator;
  await operator.open();
  const names = [];
  for (let index = 0; index < 4; index += 1) {
    await page.keyboard.press("Tab");
    names.push(
      await page.evaluate(() => {
        const { activeElement } = document;
        return activeElement.labels?.[0]?.textContent ?? activeElement.textContent;
      }),
    );
    const style = await page.evaluate(() => {
      return getComputedStyle(document.activeElement).outlineStyle;
    });
    assert.equal(style, "solid", `${names.at(-1)}: the focus is visible`);
  }
  assert.deepEqual(names, ["Skip to the operations", "E-mail address", "Password", "Sign in"]);
  await page.getByLabel("E-mail address", { exact: true }).fill("support@postern.example");
  await page.getByLabel("Password", { exact: true }).fill("postern-demo-2026");
  await page.keyboard.press("Enter");
  await operator.waitForText("#person", "support@postern");
  const focused = await page.evaluate(() => document.activeElement.textContent);
  assert.equal(focused, "Sign out", "the focus stays in the bar");
}
