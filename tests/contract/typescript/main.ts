// Typical tasks of an integrator with a client from `openapi-typescript` and `openapi-fetch`:
// node main.js ADDRESS. `tsc --strict` checks this file before it runs.
import assert from "node:assert/strict";
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./contract.js";

type Schemas = components["schemas"];
type Problem = Schemas["Problem"];

const baseUrl = process.argv[2] ?? assert.fail("usage: node main.js ADDRESS");
const PASSWORD = "postern-demo-2026";

/** Returns a client with this access token. */
function as(token: string | null) {
  // JSON, also where the operation offers an export.
  const client = createClient<paths, "application/json" | "application/problem+json">({ baseUrl });
  const authorization: Middleware = {
    onRequest({ request }) {
      if (token !== null) request.headers.set("authorization", `Bearer ${token}`);
      return request;
    },
  };
  client.use(authorization);
  return client;
}

/** Returns the data of a successful response. Throws on a problem. */
function ok<T>(response: { data?: T; error?: Problem }): T {
  const { data, error } = response;
  if (data === undefined) throw new Error(`${error?.code}: ${error?.detail}`);
  return data;
}

async function signIn(email: string): Promise<string> {
  const body = { email, password: PASSWORD };
  const tokens: Schemas["TokensView"] = ok(await as(null).POST("/v1/auth/login", { body }));
  return tokens.access_token;
}

/** Message for a problem code. The compiler knows the codes; new ones may be added. */
function message(problemCode: Problem["code"]): string {
  const code = problemCode as Schemas["KnownProblemCode"];
  switch (code) {
    case "impersonation_blocked":
      return "not allowed under impersonation";
    case "impersonation_read_only":
      return "this impersonation is read-only";
    case "stale":
      return "changed by another request";
    default:
      return code;
  }
}

/** Text for an actor. New types may be added: they have an e-mail address or ID, or neither. */
function label(actor: Schemas["ActorRef"]): string {
  if (actor.type === "staff") return `${actor.email} (${actor.tier})`;
  return actor.email ?? actor.id ?? actor.type;
}

const ownerToken = await signIn("owner@acme.example");
const owner = as(ownerToken);
const inAcme = { path: { org: "acme" } } as const;

// Page through the members, one per page.
const members: Schemas["Member"][] = [];
let cursor: string | null = null;
do {
  const query: { limit: number; cursor?: string } =
    cursor === null ? { limit: 1 } : { limit: 1, cursor };
  const page: Schemas["MemberPage"] = ok(
    await owner.GET("/v1/orgs/{org}/members", { params: { ...inAcme, query } }),
  );
  members.push(...page.data);
  cursor = page.next_cursor;
} while (cursor !== null);
const roles: Schemas["Role"][] = members.map((member) => member.role);
assert.ok(members.length > 3 && roles.includes("owner"), `${members.length} members`);

// Edit the settings with a precondition: a concurrent edit fails.
const read = await owner.GET("/v1/orgs/{org}/settings", { params: inAcme });
const etag = read.response.headers.get("etag") ?? assert.fail("settings have an ETag");
const supportEmail: string | null = ok(read).support_email;
const edit = (value: string | null, version: string) =>
  owner.PATCH("/v1/orgs/{org}/settings", {
    params: { ...inAcme, header: { "If-Match": version } },
    body: { support_email: value },
  });
const newEmail = `typescript-${process.pid}@acme.example`;
assert.equal(ok(await edit(newEmail, etag)).support_email, newEmail);
const late = await edit(supportEmail, etag);
assert.equal(late.response.status, 412);
// Null removes a value; an absent field stays unchanged.
const patch = async (body: Schemas["UpdateSettingsBody"]) =>
  ok(await owner.PATCH("/v1/orgs/{org}/settings", { params: inAcme, body })).support_email;
assert.equal(await patch({ support_email: newEmail }), newEmail);
assert.equal(await patch({}), newEmail);
assert.equal(await patch({ support_email: null }), null);
assert.equal(message(late.error?.code ?? assert.fail("no problem")), "changed by another request");

// Support starts an impersonation with a reason. The same idempotency key replays the response.
const support = as(await signIn("support@postern.example"));
const query = { q: "member@acme" };
const accounts = ok(await support.GET("/v1/admin/search", { params: { query } }));
const target = accounts.users[0] ?? assert.fail("no user matches");
const start = () =>
  support.POST("/v1/admin/impersonations", {
    params: { header: { "Idempotency-Key": `typescript-${process.pid}` } },
    body: {
      target_user_id: target.id,
      org: "acme",
      reason: "cannot open the reports page",
      ticket_ref: "SUP-4312",
      mode: "full",
    },
  });
const started = ok(await start());
const replayed = await start();
assert.equal(replayed.response.headers.get("idempotency-replayed"), "true");
const impersonated = as(started.access_token);
const me = ok(await impersonated.GET("/v1/me"));
assert.deepEqual(me.impersonation, started.impersonation);
const rejected = await impersonated.POST("/v1/me/password", {
  body: { current_password: PASSWORD, new_password: "another-password-2026" },
});
assert.equal(rejected.response.status, 403);
const rejectedCode = rejected.error?.code ?? assert.fail("no problem");
assert.equal(message(rejectedCode), "not allowed under impersonation");

// Stream the audit log and receive the next event.
const abort = new AbortController();
const stream = await fetch(`${baseUrl}/v1/orgs/acme/audit-events/stream`, {
  headers: { authorization: `Bearer ${ownerToken}`, accept: "text/event-stream" },
  signal: abort.signal,
});
const body = stream.body ?? assert.fail("no stream");
const reader = body.pipeThrough(new TextDecoderStream()).getReader();
let text = "";
const next = async (): Promise<Schemas["Event"]> => {
  for (;;) {
    const line = text.match(/^data: (.*)\n\n/m);
    if (line?.[1] !== undefined) {
      text = text.slice((line.index ?? 0) + line[0].length);
      return JSON.parse(line[1]) as Schemas["Event"];
    }
    const { value, done } = await reader.read();
    assert.ok(!done, "the stream ended");
    text += value;
  }
};
const before = ok(await owner.GET("/v1/orgs/{org}", { params: inAcme })).name;
const renamed = `Acme of TypeScript ${process.pid}`;
ok(await owner.PATCH("/v1/orgs/{org}", { params: inAcme, body: { name: renamed } }));
let event: Schemas["Event"];
do event = await next();
while (event.action !== "org.updated");
assert.deepEqual(event.metadata["name"], { old: before, new: renamed });
abort.abort();

// Read the audit log: events of the impersonation name the staff member and the target.
const events = ok(
  await owner.GET("/v1/orgs/{org}/audit-events", {
    params: { ...inAcme, query: { on_behalf_of: target.email } },
  }),
);
const [blocked] = events.data;
assert.ok(blocked !== undefined, "no event of the impersonation");
assert.equal(label(blocked.actor), "support@postern.example (support)");
assert.equal(blocked.on_behalf_of?.email, target.email);
// Words that a later server version adds.
const later: Schemas["Event"] = { ...blocked, action: "report.created" };
later.actor = { type: "robot", id: "robot_1", email: null };
assert.equal(label(later.actor), "robot_1");
ok(await owner.PATCH("/v1/orgs/{org}", { params: inAcme, body: { name: before } }));

// Download the audit log, and read the schema of an event's metadata.
const file = await owner.GET("/v1/orgs/{org}/audit-events/export", {
  params: { ...inAcme, query: { format: "csv" } },
  parseAs: "text",
});
assert.match(String(file.data), /\bid,occurred_at,/);
const catalogue = ok(await owner.GET("/v1/audit-actions")).data;
const described = catalogue.find((entry) => entry.action === event.action);
assert.deepEqual(described?.metadata_schema["required"], ["name"]);
const end = await support.DELETE("/v1/admin/impersonations/{impersonation}", {
  params: { path: { impersonation: started.impersonation.id } },
});
assert.equal(end.response.status, 204);
const afterEnd = await impersonated.GET("/v1/me");
assert.equal(afterEnd.error?.code, "impersonation_ended");
console.log("all tasks succeeded with the TypeScript client");
