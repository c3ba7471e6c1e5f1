// An integrator's main job with the client that `openapi-typescript` and `openapi-fetch` make of the contract: node main.js ADDRESS. What it takes for granted of
// types is checked by `tsc --strict` before it runs.
import assert from "node:assert/strict";
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./contract.js";

type Schemas = components["schemas"];
type Problem = Schemas["Problem"];

const baseUrl = process.argv[2] ?? assert.fail("usage: node main.js ADDRESS");
const PASSWORD = "postern-demo-2026";

/** A client that speaks for whoever the token is of. */
function as(token: string | null) {
  // A page of events and not a file, where both can be had.
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

/** The good answer; a problem is thrown with what it says. */
function good<T>(answer: { data?: T; error?: Problem }): T {
  if (answer.data === undefined) throw new Error(`${answer.error?.code}: ${answer.error?.detail}`);
  return answer.data;
}

async function signIn(email: string): Promise<string> {
  const tokens: Schemas["TokensView"] = good(await as(null).POST("/v1/auth/login", { body: { email, password: PASSWORD } }));
  return tokens.access_token;
}

/** The sentence that a caller shows, told apart by the code: the compiler knows the words there are, and others may come. */
function told(given: Problem["code"]): string {
  const code = given as Schemas["KnownProblemCode"];
  switch (code) {
    case "impersonation_blocked":
      return "not while acting for somebody else";
    case "impersonation_read_only":
      return "this session only looks";
    case "stale":
      return "somebody else was faster";
    default:
      return code;
  }
}

/** Who acted, told apart by the type: the compiler knows what each has, and that there are no others. */
function who(actor: Schemas["ActorRef"]): string {
  switch (actor.type) {
    case "user":
      return actor.email ?? "somebody";
    case "staff":
      return `${actor.email} (${actor.tier})`;
    case "api_key":
      return actor.id;
    case "system":
      return "Postern";
  }
}

const ownerToken = await signIn("owner@acme.example");
const owner = as(ownerToken);
const inAcme = { path: { org: "acme" } } as const;

// Page through the members, one at a time.
const members: Schemas["Member"][] = [];
let cursor: string | null = null;
do {
  const query: { limit: number; cursor?: string } = cursor === null ? { limit: 1 } : { limit: 1, cursor };
  const page: Schemas["MemberPage"] = good(await owner.GET("/v1/orgs/{org}/members", { params: { ...inAcme, query } }));
  members.push(...page.data);
  cursor = page.next_cursor;
} while (cursor !== null);
const roles: Schemas["Role"][] = members.map((member) => member.role);
assert.ok(members.length > 3 && roles.includes("owner"), `${members.length} members`);

// Edit the settings, as long as nobody else has.
const read = await owner.GET("/v1/orgs/{org}/settings", { params: inAcme });
const etag = read.response.headers.get("etag") ?? assert.fail("settings have an ETag");
const supportEmail: string | null = good(read).support_email;
const edit = (value: string | null, version: string) =>
  owner.PATCH("/v1/orgs/{org}/settings", { params: { ...inAcme, header: { "If-Match": version } }, body: { support_email: value } });
const other = `typescript-${process.pid}@acme.example`;
assert.equal(good(await edit(other, etag)).support_email, other);
const late = await edit(supportEmail, etag);
assert.equal(late.response.status, 412);
assert.equal(told(late.error?.code ?? assert.fail("it is a problem")), "somebody else was faster");

// Support steps in, for a reason; the same request a second time is the same session.
const support = as(await signIn("support@postern.example"));
const found = good(await support.GET("/v1/admin/search", { params: { query: { q: "member@acme" } } }));
const target = found.users[0] ?? assert.fail("somebody is found");
const start = () =>
  support.POST("/v1/admin/impersonations", {
    params: { header: { "Idempotency-Key": `typescript-${process.pid}` } },
    body: { target_user_id: target.id, org: "acme", reason: "cannot open the reports page", ticket_ref: "SUP-4312", mode: "full" },
  });
const started = good(await start());
const again = await start();
assert.equal(again.response.headers.get("idempotency-replayed"), "true");
const worn = as(started.access_token);
const me = good(await worn.GET("/v1/me"));
assert.equal(me.impersonation?.banner, started.banner);
const refused = await worn.POST("/v1/me/password", { body: { current_password: PASSWORD, new_password: "another-password-2026" } });
assert.equal(refused.response.status, 403);
assert.equal(told(refused.error?.code ?? assert.fail("it is a problem")), "not while acting for somebody else");

// Follow the log, and see what happens next.
const stopping = new AbortController();
const stream = await fetch(`${baseUrl}/v1/orgs/acme/audit-events/stream`, {
  headers: { authorization: `Bearer ${ownerToken}`, accept: "text/event-stream" },
  signal: stopping.signal,
});
const reader = (stream.body ?? assert.fail("there is a stream")).pipeThrough(new TextDecoderStream()).getReader();
let text = "";
const next = async (): Promise<Schemas["Event"]> => {
  for (;;) {
    const line = text.match(/^data: (.*)\n\n/m);
    if (line?.[1] !== undefined) {
      text = text.slice((line.index ?? 0) + line[0].length);
      return JSON.parse(line[1]) as Schemas["Event"];
    }
    const { value, done } = await reader.read();
    assert.ok(!done, "the stream goes on");
    text += value;
  }
};
const before = good(await owner.GET("/v1/orgs/{org}", { params: inAcme })).name;
const renamed = `Acme of TypeScript ${process.pid}`;
good(await owner.PATCH("/v1/orgs/{org}", { params: inAcme, body: { name: renamed } }));
let event: Schemas["Event"];
do event = await next();
while (event.action !== "org.updated");
assert.deepEqual(event.metadata["name"], { old: before, new: renamed });
stopping.abort();

// Read the log: what support did stands there under both names.
const events = good(await owner.GET("/v1/orgs/{org}/audit-events", { params: { ...inAcme, query: { on_behalf_of: target.email } } }));
const [blocked] = events.data;
assert.ok(blocked !== undefined, "it is in the record");
assert.equal(who(blocked.actor), "support@postern.example (support)");
assert.equal(blocked.on_behalf_of?.email, target.email);
good(await owner.PATCH("/v1/orgs/{org}", { params: inAcme, body: { name: before } }));
const end = await support.DELETE("/v1/admin/impersonations/{impersonation}", { params: { path: { impersonation: started.impersonation.id } } });
assert.equal(end.response.status, 204);
const ended = await worn.GET("/v1/me");
assert.equal(ended.error?.code, "impersonation_ended");
console.log("the TypeScript client does the job");
