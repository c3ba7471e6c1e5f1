// Pages of the problems, as a reader follows them.
import assert from "node:assert/strict";

export async function problem_pages_lead_to_operations(operator) {
  const { page } = operator;
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`${operator.address}/problems`);
  const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
  assert.ok(await fits(), "the index fits on 390 pixels");
  await page.click("text=last_owner");
  const headings = await page.locator("h2").allTextContents();
  assert.deepEqual(headings, ["Cause", "Remedy", "Example", "Operations"]);
  assert.match(await operator.text("pre"), /409 Conflict[^]*"code": "last_owner"/);
  assert.ok(await fits(), "the page fits on 390 pixels");
  await operator.screenshot("problem");
  const font = await page.evaluate(() => getComputedStyle(document.body).fontFamily);
  assert.match(font, /sans-serif/, "the stylesheet is applied");
  await page.click("text=change_member_role");
  await operator.block("change_member_role").locator(".opblock-body").waitFor();
}
