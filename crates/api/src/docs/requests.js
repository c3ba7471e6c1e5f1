// Requests that the operator executes: the token of the right identity is added to the request, and
// a change of identity is taken from the response.
import { SHOWN_KEY } from "./contract.js";
import { isPublicAuth, load, sender, sendsAsTarget } from "./identity.js";
import { pathOf } from "./server.js";
import * as sessions from "./session.js";

const { session } = sessions;

/** Value that Swagger UI has instead of the access token. */
export const PLACEHOLDER = "$TOKEN";

const randomKey = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
};

/**
 * Adds the access token: that of the current impersonation, if there is one; otherwise, and for the
 * staff portal, the operator's own.
 */
export async function requestInterceptor(request) {
  const path = pathOf(request.url);
  delete request.headers.Authorization;
  if (request.headers["Idempotency-Key"] === SHOWN_KEY) {
    request.headers["Idempotency-Key"] = randomKey();
  }
  if (path === null || request.loadSpec) return request;
  if (path === "/v1/auth/refresh") useOwnRefreshToken(request);
  let token = null;
  if (session.own !== null && !isPublicAuth(path)) {
    token = sendsAsTarget(path) ? session.acting.access_token : await sessions.ownToken();
  }
  if (token !== null) request.headers.Authorization = `Bearer ${token}`;
  const sent = { epoch: session.epoch, as: sender(path) };
  request.responseInterceptor = (response) => received(response, path, request.method, sent);
  return request;
}

/** A refresh without a token refreshes the session of this page. */
function useOwnRefreshToken(request) {
  const isEmpty = /^\s*\{\s*"refresh_token"\s*:\s*""\s*\}\s*$/.test(request.body);
  if (!isEmpty || !session.own?.refresh_token) return;
  request.userFetch = (url, options) =>
    sessions.refreshBy((refresh_token) =>
      fetch(url, { ...options, body: JSON.stringify({ refresh_token }) }),
    );
}

function received(response, path, method, sent) {
  const epoch = session.epoch;
  takeIdentity(response, path, method);
  // The response that changes the identity belongs to the new one.
  const current = session.epoch === epoch ? sent.epoch : session.epoch;
  response.sent = { ...sent, epoch: current };
  if (response.ok && typeof response.text === "string") hideTokens(response);
  if (session.epoch === epoch && response.ok && method !== "GET") load().catch(console.warn);
  return response;
}

function takeIdentity({ status, ok, obj, text, headers }, path, method) {
  if (ok && isPublicAuth(path)) {
    const tokens = JSON.parse(text);
    if (tokens.access_token !== session.own?.access_token) sessions.keep(tokens);
  }
  if (session.own === null) return;
  if (status === 201 && path === "/v1/admin/impersonations") {
    sessions.began(JSON.parse(text), headers["idempotency-replayed"] !== undefined);
  }
  const { acting } = session;
  if (status === 204 && method === "DELETE" && path.endsWith(`/impersonations/${acting?.id}`)) {
    sessions.continueAsYourself();
  }
  if (["impersonation_ended", "impersonation_expired"].includes(obj?.code)) {
    sessions.isOver(acting?.id);
  }
  if (ok && path === "/v1/auth/logout") sessions.signedOut("Signed out.");
  if (obj?.code === "session_ended") sessions.signedOut("Your session has ended.");
}

/** Removes tokens from the displayed response, because it can end up in screenshots. */
function hideTokens(response) {
  const hidden = response.text.replace(/("(?:access|refresh)_token": ?")[^"]*"/g, '$1…"');
  if (hidden === response.text) return;
  const [body, obj] = [JSON.parse(hidden), JSON.parse(hidden)];
  Object.assign(response, { text: hidden, data: hidden, body, obj });
}
