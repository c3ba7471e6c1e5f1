// Typical tasks of an integrator with a client from `@hey-api/openapi-ts`: node main.js ADDRESS.
// `tsc --strict` checks this file before it runs.
import assert from "node:assert/strict";
import { createClient } from "./client/client/index.js";
import { listAuditEvents, login, readOrg, updateSettings } from "./client/sdk.gen.js";
import type { Event, KnownAction, KnownPlan, Org, Plan } from "./client/types.gen.js";

const baseUrl = process.argv[2] ?? assert.fail("usage: node main.js ADDRESS");
const anonymous = createClient({ baseUrl });
const body = { email: "owner@acme.example", password: "postern-demo-2026" };
const { data: tokens } = await login({ client: anonymous, body, throwOnError: true });
const auth = tokens.access_token;
const owner = createClient({ baseUrl, auth });
const path = { org: "acme" };

/** Text for an action. As a known word, editors complete it; new words may be added. */
function label(event: Event): string {
  const action = event.action as KnownAction;
  if (action === "org.updated") return "the org was changed";
  return event.summary;
}

/** Text for a plan. The compiler reports a missing known word; new words may be added. */
function planName(plan: Plan): string {
  const known = plan as KnownPlan;
  switch (known) {
    case "starter":
    case "growth":
    case "enterprise":
      return known.toUpperCase();
    default:
      known satisfies never;
      return plan;
  }
}

// In an edit, a value is set, null removes it, and an absent field stays unchanged.
const email = `hey-${process.pid}@acme.example`;
const edit = async (body: { support_email?: string | null }) =>
  (await updateSettings({ client: owner, path, body, throwOnError: true })).data.support_email;
assert.equal(await edit({ support_email: email }), email);
assert.equal(await edit({}), email);
assert.equal(await edit({ support_email: null }), null);

// Words that a later server version adds, in real responses.
const later = createClient({
  baseUrl,
  auth,
  fetch: async (input, init) => {
    const response = await fetch(input, init);
    const text = (await response.text())
      .replace(/"action":"[^"]*"/g, '"action":"report.created"')
      .replace(/"actor":\{"type":"[^"]*"/g, '"actor":{"type":"robot"')
      .replace(/"plan":"[^"]*"/g, '"plan":"galactic"');
    return new Response(text, response);
  },
});
const org: Org = (await readOrg({ client: later, path, throwOnError: true })).data;
assert.equal(planName(org.plan), "galactic");
assert.equal(planName("growth"), "GROWTH");
const page = (await listAuditEvents({ client: later, path, throwOnError: true })).data;
const event: Event = page.data[0] ?? assert.fail("no event");
assert.equal(event.action, "report.created");
assert.equal(event.actor.type, "robot");
assert.equal(label(event), event.summary);

const missing = await readOrg({ client: owner, path: { org: "no-such-org" } });
assert.equal(missing.error?.code, "not_found");
console.log("all tasks succeeded with the hey-api client");
