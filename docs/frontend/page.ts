// A page that uses the other files: sign-in, banner, members, settings, events, impersonation.
import { InfiniteQueryObserver, MutationObserver, QueryObserver } from "@tanstack/query-core";
import { ok, text } from "./problem.js";
import * as queries from "./queries.js";
import { Session } from "./session.js";
import { auditEvents } from "./stream.js";

document.body.innerHTML = `
  <p id="banner" role="status" hidden><b></b> <button type="button">End impersonation</button></p>
  <p id="message" role="alert"></p>
  <form id="sign-in" hidden>
    <input name="email" type="email" autocomplete="username" placeholder="E-mail" required>
    <input name="password" type="password" autocomplete="current-password" required>
    <button>Sign in</button>
  </form>
  <main hidden>
    <p><b id="user"></b> <button type="button" id="sign-out">Sign out</button></p>
    <form id="impersonate" hidden>
      <input name="user" placeholder="E-mail" required>
      <input name="org" placeholder="Org" required>
      <input name="reason" placeholder="Reason" required>
      <input name="ticket" placeholder="Ticket" required>
      <button>Act as this user, read-only</button>
    </form>
    <ul id="members"></ul>
    <button type="button" id="more" hidden>More members</button>
    <form id="settings" hidden>
      <input name="support_email" type="email" placeholder="Support e-mail">
      <button>Save</button>
    </form>
    <ul id="events"></ul>
  </main>`;

const element = <T extends HTMLElement>(selector: string) => document.querySelector<T>(selector)!;
const show = (selector: string, shown: boolean) => (element(selector).hidden = !shown);
const input = (form: HTMLFormElement, name: string) =>
  form.elements.namedItem(name) as HTMLInputElement;

const session = new Session(document.documentElement.dataset["postern"]!);
const api = queries.createApi(session);
const apiAsSelf = queries.createApi({ baseUrl: session.baseUrl, fetch: session.fetchAsSelf });
const client = queries.createQueryClient();

/** Runs an action of the user, and shows the text of its problem. */
async function run(action: () => Promise<unknown>): Promise<void> {
  element("#message").textContent = "";
  await action().catch((error: unknown) => {
    if (error instanceof DOMException && error.name === "AbortError") return;
    element("#message").textContent = text(error);
  });
}

const onSubmit = (selector: string, action: (form: HTMLFormElement) => Promise<unknown>) =>
  element<HTMLFormElement>(selector).addEventListener("submit", (event) => {
    event.preventDefault();
    void run(() => action(event.target as HTMLFormElement));
  });
const onClick = (selector: string, action: () => Promise<unknown>) =>
  element(selector).addEventListener("click", () => void run(action));

onSubmit("#sign-in", async (form) => {
  await session.signIn(input(form, "email").value, input(form, "password").value);
  form.reset();
});
onClick("#sign-out", () => session.signOut());

// One key per form: a second click, or a repeated attempt, starts no second impersonation.
let key = crypto.randomUUID();
onSubmit("#impersonate", async (form) => {
  const query = { q: input(form, "user").value };
  const { users } = ok(await api.GET("/v1/admin/search", { params: { query } }));
  const [user] = users;
  if (user === undefined) return;
  const body = {
    target_user_id: user.id,
    org: input(form, "org").value,
    reason: input(form, "reason").value,
    ticket_ref: input(form, "ticket").value,
    mode: "read_only" as const,
  };
  const start = new MutationObserver(client, queries.impersonationMutation(api, session));
  await start.mutate({ key, body });
  key = crypto.randomUUID();
});
onClick("#banner button", async () => {
  const impersonation = session.impersonation?.impersonation.id ?? "";
  // Ended with the staff member's own token.
  const path = { impersonation };
  const params = { path };
  ok(await apiAsSelf.DELETE("/v1/admin/impersonations/{impersonation}", { params }));
  session.stopImpersonation();
});

/** Shows an org until `signal` is aborted. */
function watch(org: string, signal: AbortSignal): void {
  const members = new InfiniteQueryObserver(client, queries.membersQuery(api, org));
  const settings = new QueryObserver(client, queries.settingsQuery(api, org));
  const edit = new MutationObserver(client, queries.settingsMutation(api, client, org));
  const form = element<HTMLFormElement>("#settings");
  const options = { signal };
  const stops = [
    members.subscribe(({ data, hasNextPage }) => {
      const rows = (data?.pages ?? []).flatMap((page) => page.data);
      element("#members").replaceChildren(...rows.map(({ email }) => item(email)));
      show("#more", hasNextPage);
    }),
    settings.subscribe(({ data }) => {
      if (data === undefined) return;
      input(form, "support_email").value = data.settings.support_email ?? "";
      show("#settings", true);
    }),
  ];
  element("#more").addEventListener("click", () => void members.fetchNextPage(), options);
  const save = (event: Event) => {
    event.preventDefault();
    // The version that is on the screen, not the latest one.
    const etag = settings.getCurrentResult().data?.etag ?? "";
    const change = { support_email: input(form, "support_email").value || null };
    void run(() => edit.mutate({ etag, change }));
  };
  form.addEventListener("submit", save, options);
  signal.addEventListener("abort", () => stops.forEach((stop) => stop()));
}

/** Shows new audit events until `signal` is aborted. */
async function follow(org: string, signal: AbortSignal): Promise<void> {
  for await (const { summary } of auditEvents(session, org, signal)) {
    element("#events").prepend(item(summary));
  }
}

function item(content: string): HTMLLIElement {
  const row = document.createElement("li");
  row.textContent = content;
  return row;
}

let leave = new AbortController();

/** Shows the user of this tab. Forgets everything of the previous one. */
async function render(): Promise<void> {
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  client.clear();
  element("#members").replaceChildren();
  element("#events").replaceChildren();
  ["#impersonate", "#more", "#settings"].forEach((selector) => show(selector, false));
  const { impersonation } = session;
  show("#banner", impersonation !== null);
  element("#banner b").textContent = impersonation?.impersonation.banner ?? "";
  const isSignedIn = await session.isSignedIn();
  if (signal.aborted) return;
  show("#sign-in", !isSignedIn);
  show("main", isSignedIn);
  if (!isSignedIn) return;
  const me = ok(await api.GET("/v1/me", { signal }));
  element("#user").textContent = me.user.name;
  show("#impersonate", me.staff_tier !== null);
  const org = me.memberships[0]?.org.slug;
  if (org === undefined) return;
  watch(org, signal);
  // The stream is blocked under impersonation.
  if (impersonation === null) await follow(org, signal);
}

session.onChange = () => void run(render);
session.onChange();
