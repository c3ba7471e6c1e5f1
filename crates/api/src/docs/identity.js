// The signed-in user: name, tier, orgs and permissions; and the operations that they can call.
import { changed, isOver, ownToken, session, signedOut, subscribe } from "./session.js";
import { send } from "./server.js";

const unknown = () => ({
  epoch: session.epoch,
  name: null,
  email: null,
  tier: null,
  /** Memberships of the signed-in user. */
  memberships: [],
  staffPermissions: new Set(),
  /** The chosen org; under impersonation that of the impersonation. Null without a membership. */
  org: null,
  role: null,
  orgPermissions: new Set(),
});

export let identity = unknown();
/** ID of the org that the operator has chosen. */
let chosen = null;

async function read(path, token, onUnauthorized) {
  const response = await send("GET", path, token);
  if (response.status === 401) onUnauthorized();
  return response.ok ? response.json() : null;
}

/** Role and permissions in an org, as the identity that its requests are sent as. */
function readPermissionsIn(org, token) {
  const { acting } = session;
  const path = `/v1/me/permissions?org=${encodeURIComponent(org)}`;
  return acting === null
    ? read(path, token, sessionEnded)
    : read(path, acting.access_token, () => isOver(acting.id));
}

const sessionEnded = () => signedOut("Your session has ended.");

/** Reads the identity again. Under impersonation the customer's log has a line for each reading. */
export async function load() {
  const { epoch } = session;
  const token = await ownToken();
  if (token === null) return;
  const me = await read("/v1/me", token, sessionEnded);
  const own = await read("/v1/me/permissions", token, sessionEnded);
  // The session may have changed while the requests were pending.
  if (me === null || own === null || session.epoch !== epoch) return;
  if (me.impersonation !== null) {
    return signedOut("This token belongs to an impersonation. Sign in and start one instead.");
  }
  const next = { ...unknown(), name: me.user.name, email: me.user.email, tier: me.staff_tier };
  next.memberships = me.memberships;
  next.staffPermissions = new Set(own.staff_permissions);
  const { acting } = session;
  const membership = me.memberships.find(({ org }) => org.id === chosen) ?? me.memberships[0];
  next.org = acting?.org ?? membership?.org ?? null;
  if (acting !== null && identity.epoch === epoch && identity.role !== null) {
    Object.assign(next, { role: identity.role, orgPermissions: identity.orgPermissions });
  } else if (next.org !== null && !acting?.over) {
    const inOrg = await readPermissionsIn(next.org.id, token);
    if (session.epoch !== epoch) return;
    next.role = inOrg?.role ?? null;
    next.orgPermissions = new Set(inOrg?.org_permissions);
  }
  identity = next;
  changed();
}

export async function choose(org) {
  chosen = org;
  await load();
}

/** Name of the identity that requests to a path are sent as. */
export function sender(path) {
  if (session.own === null) return "an anonymous caller";
  return sendsAsTarget(path) ? session.acting.target : (identity.name ?? "you");
}

/** Whether requests to a path are sent with the token of the impersonation. */
export const sendsAsTarget = (path) =>
  session.acting !== null && !path.startsWith("/v1/admin/") && !isPublicAuth(path);

export const isPublicAuth = (path) => ["/v1/auth/login", "/v1/auth/refresh"].includes(path);

/** Reason that the signed-in user cannot call an operation, or null. */
export function obstacle({ path, operation }) {
  const permission = operation["x-required-permission"];
  if (permission === undefined || session.own === null || identity.epoch !== session.epoch) {
    return null;
  }
  if (sendsAsTarget(path)) {
    const rule = operation["x-impersonation"];
    if (rule === "blocked") return "Blocked under impersonation";
    if (rule === "write" && session.acting.mode !== "full") return "Read-only impersonation";
  }
  if (permission === "signed_in") return null;
  const inOrg = path.includes("{org}");
  if (inOrg && identity.org === null) return "Requires membership in an org";
  const held = inOrg ? identity.orgPermissions : identity.staffPermissions;
  return held.has(permission) ? null : `Requires ${permission}`;
}

let epoch = session.epoch;
subscribe(() => {
  if (session.epoch === epoch) return;
  epoch = session.epoch;
  if (session.own === null) identity = unknown();
  load().catch(console.warn);
});
