// The request that an operator executes: its prefilled values, and the curl command.
import assert from "node:assert/strict";
import { PASSWORD } from "./page.mjs";

/** A body states nothing on behalf of the operator. */
export async function prefilled_bodies_are_rejected(operator) {
  await operator.open();
  await operator.signedIn("support@postern.example");
  const block = await operator.form("start_impersonation");
  const body = JSON.parse(await block.locator("textarea").inputValue());
  assert.deepEqual(body, {
    mode: "read_only",
    org: "",
    reason: "",
    target_user_id: "",
    ticket_ref: "",
  });
  const { status } = await operator.run("start_impersonation");
  assert.equal(status, 422);
  assert.ok(await operator.page.isHidden("#acting"), "no impersonation is started");
  operator.assertErrors(1);
  for (const [id, expected] of [
    ["login", { email: "", password: "" }],
    ["change_member_role", { role: "" }],
    ["update_settings", {}],
    ["remove_staff", { reason: "", ticket_ref: "" }],
  ]) {
    const block = await operator.form(id);
    const value = JSON.parse(await block.locator("textarea").inputValue());
    assert.deepEqual(value, expected, id);
  }
  // The choice of all fields states nothing either.
  const settings = await operator.form("update_settings");
  await settings.locator(".opblock-section .examples-select-element").selectOption("all");
  const all = JSON.parse(await settings.locator("textarea").inputValue());
  assert.deepEqual(all, { branding: { color: "", logo_url: "" }, support_email: "" });
}

/** Parameters are empty, except for the chosen org. */
export async function parameters_have_only_the_chosen_org(operator) {
  await operator.open();
  await operator.signedIn("owner@acme.example");
  const parameter = async (id, name) => {
    const block = await operator.form(id);
    const row = block.locator(`tr[data-param-name="${name}"]`);
    return row.locator("input").inputValue();
  };
  await operator.waitForText("#role", "owner");
  assert.equal(await parameter("read_member", "org"), "acme");
  assert.equal(await parameter("read_member", "member"), "");
  assert.equal(await parameter("remove_staff", "user"), "");
  // A parameter that is typed in stays until another org is chosen.
  const { status } = await operator.run("list_members");
  assert.equal(status, 200);
}

/** Neither the page nor the clipboard gets a token or password. */
export async function secrets_are_not_shown(operator) {
  const { page } = operator;
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await operator.open();
  const login = await operator.run("login", { email: "owner@acme.example", password: PASSWORD });
  assert.match(login.curl, /"password": "'"\$PASSWORD"'"/);
  await operator.waitForText("#person", "owner@acme");
  const me = await operator.run("read_me");
  assert.match(me.curl, /-H "Authorization: Bearer \$TOKEN"/);
  const block = operator.block("read_me");
  await block.locator(".curl-command button").click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, me.curl);
  const changed = await operator.run("change_password", {
    current_password: "not the password",
    new_password: "four quiet rivers meet",
  });
  assert.equal(changed.status, 403);
  operator.assertErrors(1);
  const values = await page.locator("textarea, input").evaluateAll((all) =>
    all.map((field) => field.value),
  );
  const text = [await page.locator("body").innerText(), ...values].join("\n");
  const secrets = [
    PASSWORD,
    "not the password",
    "four quiet rivers meet",
    login.body.access_token,
    login.body.refresh_token,
  ];
  for (const secret of secrets) assert.ok(!text.includes(secret), `${secret} is shown`);
}
