// Operations that the signed-in person cannot call are marked, and can still be called.
import assert from "node:assert/strict";

const obstacle = async (operator, id) => {
  const marks = operator.block(id).locator(".obstacle");
  return (await marks.count()) === 0 ? null : marks.textContent();
};

async function assertObstacles(operator, expected) {
  for (const [id, text] of Object.entries(expected)) {
    assert.equal(await obstacle(operator, id), text, id);
  }
}

export async function denied_operations_are_marked(operator) {
  await operator.open();
  await assertObstacles(operator, { list_staff: null, login: null });
  await operator.signedIn("support@postern.example");
  await assertObstacles(operator, {
    read_me: null,
    search_accounts: null,
    list_staff: "Requires staff:manage",
    list_members: "Requires membership in an org",
    login: null,
  });
  assert.equal((await operator.run("list_staff")).status, 403);
  operator.assertErrors(1);
}

export async function role_in_the_chosen_org_counts(operator) {
  await operator.open();
  await operator.signedIn("viewer@acme.example");
  await operator.waitForText("#role", "viewer");
  await assertObstacles(operator, {
    list_members: null,
    change_member_role: "Requires members:manage",
    delete_org: "Requires org:delete",
    search_accounts: "Requires accounts:search",
  });
}

export async function impersonation_rules_are_marked(operator) {
  await operator.open();
  await operator.signedIn("support@postern.example");
  await operator.impersonate("owner@acme.example");
  await operator.waitForText("#role", "owner");
  await assertObstacles(operator, {
    list_members: null,
    change_member_role: "Read-only impersonation",
    change_password: "Blocked under impersonation",
    list_impersonations: null,
  });
}
