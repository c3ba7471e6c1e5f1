// Typical tasks of an integrator with a client from `@hey-api/openapi-ts`: node main.js ADDRESS.
// `tsc --strict` checks this file before it runs.
import assert from "node:assert/strict";
import { createClient } from "./client/client/index.js";
import { listAuditEvents, login, readOrg, updateSettings } from "./client/sdk.gen.js";
import type { Action, ActorType, Event, KnownAction, Org, Plan } from "./client/types.gen.js";

const baseUrl = process.argv[2] ?? assert.fail("usage: node main.js ADDRESS");
const anonymous = createClient({ baseUrl });
const body = { email: "owner@acme.example", password: "postern-demo-2026" };
const { data: tokens } = await login({ client: anonymous, body, throwOnError: true });
const auth = tokens.access_token;
const owner = createClient({ baseUrl, auth });
const path = { org: "acme" };

// Open enums keep their known words for completion: with `string` in place of `string & { … }`,
// these types would be `never`.
const words: [Extract<Action, "org.updated">, Extract<ActorType, "staff">, Extract<Plan, "growth">] =
  ["org.updated", "staff", "growth"];
assert.equal(words.length, 3);

/** Text for an action. The compiler knows the actions; new ones may be added. */
function label(event: Event): string {
  const action = event.action as Extract<KnownAction, "org.updated" | "org.created">;
  switch (action) {
    case "org.updated":
      return "the org was changed";
    case "org.created":
      return "the org was created";
    default:
      action satisfies never;
      return event.summary;
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
assert.equal(org.plan, "galactic");
const page = (await listAuditEvents({ client: later, path, throwOnError: true })).data;
const event: Event = page.data[0] ?? assert.fail("no event");
assert.equal(event.action, "report.created");
assert.equal(event.actor.type, "robot");
assert.equal(label(event), event.summary);

const missing = await readOrg({ client: owner, path: { org: "no-such-org" } });
assert.equal(missing.error?.code, "not_found");
console.log("all tasks succeeded with the hey-api client");
