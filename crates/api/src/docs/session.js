// Session and impersonation of the operator. Tokens are kept in the memory of this page only: a
// copy in the browser's storage would be readable by all pages of this origin and would be
// duplicated with the tab, and using a refresh token twice ends the session.
import { send } from "./server.js";

export const session = {
  /** Tokens of the signed-in user, and the time at which the access token expires. */
  own: null,
  /**
   * The current impersonation. An ended one is kept until the operator continues: requests meant
   * for the target are rejected, never sent as the operator.
   */
  acting: null,
  /** Number of identity changes. Answers with a lower number belong to a former identity. */
  epoch: 0,
  /** Last event, for the operator. */
  message: "Not signed in.",
};

const listeners = new Set();

/** Calls `listener` after each change. Returns a function that removes it. */
export function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Reports a change of the session, or of data that is shown with it. */
export function changed() {
  for (const listener of [...listeners]) listener();
}

function identityChanged(message) {
  session.epoch += 1;
  session.message = message;
  changed();
}

export function say(message) {
  session.message = message;
  changed();
}

const withEnd = (tokens) => ({ ...tokens, ends: Date.now() + tokens.expires_in * 1000 });

/** Takes the tokens of a sign-in or of a refresh. The session of another user ends. */
export function keep(tokens) {
  const former = session.own;
  session.own = withEnd(tokens);
  if (former !== null && former.session_id === tokens.session_id) return changed();
  session.acting = null;
  if (former?.refresh_token) logout(former.access_token).catch(console.warn);
  identityChanged("");
}

/** Takes an access token that the operator has from elsewhere. It cannot be refreshed. */
export function adopt(accessToken) {
  let seconds = 600;
  try {
    const [, claims] = accessToken.split(".");
    const { exp, iat } = JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/")));
    // A relative time, because the clock of the browser can differ from the server's.
    seconds = exp - Math.max(iat, Date.now() / 1000);
  } catch {
    // Not a token of this server: the next request is rejected.
  }
  keep({ access_token: accessToken, refresh_token: null, session_id: null, expires_in: seconds });
}

const logout = (token, options) => send("POST", "/v1/auth/logout", token, {}, options);

export function signedOut(message) {
  if (session.own === null && session.acting === null) return say(message);
  session.own = session.acting = null;
  identityChanged(message);
}

/** Ends the session on the server. */
export async function signOut() {
  const token = await ownToken();
  if (token === null) return;
  const response = await logout(token);
  if (response.ok || response.status === 401) signedOut("Signed out.");
  else say("You are still signed in. Try again.");
}

/** The pending refresh. Only one at a time: using a refresh token twice ends the session. */
let refreshing = null;

/** Takes the tokens of a refresh. */
function finish(pending) {
  return pending
    .then(
      async (response) => {
        if (response.ok) keep(await response.clone().json());
        else if (response.status === 401) signedOut("Your session has ended.");
      },
      // The token may have been used: no retry, because a second use would end the session.
      () => signedOut("Connection lost. Sign in again."),
    )
    .finally(() => (refreshing = null));
}

/** Access token of the signed-in user, refreshed if it expires within 30 seconds. */
export async function ownToken() {
  const refresh_token = session.own?.refresh_token;
  if (refresh_token && session.own.ends - Date.now() < 30_000) {
    refreshing ??= finish(send("POST", "/v1/auth/refresh", null, { refresh_token }));
  }
  await refreshing;
  return session.own?.access_token ?? null;
}

/** Runs a refresh of the operator, with the refresh token of the session. */
export async function refreshBy(execute) {
  await refreshing;
  const pending = execute(session.own?.refresh_token ?? "");
  refreshing = finish(pending);
  return pending;
}

/** Sets the current impersonation, and ends the previous one. */
export function began(started, replayed) {
  const { impersonation } = started;
  const former = session.acting;
  if (former !== null && !former.over && former.id !== impersonation.id) {
    end(former.id).catch(console.warn);
  }
  session.acting = {
    ...withEnd(started),
    id: impersonation.id,
    mode: impersonation.mode,
    org: impersonation.org,
    target: impersonation.user.name,
    banner: impersonation.banner,
    over: false,
  };
  setTimeout(() => isOver(impersonation.id), started.expires_in * 1000);
  identityChanged("");
  // A replayed response describes the start; the impersonation may have ended since.
  if (replayed) {
    send("GET", "/v1/me", started.access_token)
      .then((response) => response.ok || isOver(impersonation.id), console.warn);
  }
}

/** Ends an impersonation. Resolves to whether it has ended. */
async function end(id) {
  const response = await send("DELETE", `/v1/admin/impersonations/${id}`, await ownToken());
  return response.ok || response.status === 404 || response.status === 409;
}

/** Marks the current impersonation as ended. */
export function isOver(id) {
  if (session.acting?.id !== id || session.acting.over) return;
  session.acting.over = true;
  changed();
}

/** Ends the current impersonation, and continues as the signed-in user. */
export async function stop() {
  const { id, over } = session.acting;
  if (!over && !(await end(id))) return say("The impersonation has not ended. Try again.");
  // Another impersonation may have been started while the request was pending.
  if (session.acting?.id === id) continueAsYourself();
}

export function continueAsYourself() {
  session.acting = null;
  identityChanged("The impersonation has ended.");
}

// The tokens are lost with the page, so their session ends, with its impersonations.
addEventListener("pagehide", (event) => {
  const { own } = session;
  if (event.persisted || !own?.refresh_token) return;
  logout(own.access_token, { keepalive: true }).catch(() => {});
});

addEventListener("beforeunload", (event) => {
  if (session.acting !== null && !session.acting.over) event.preventDefault();
});
