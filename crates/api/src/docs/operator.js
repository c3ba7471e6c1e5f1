// Sign-in and impersonation for Swagger UI: adds the right access token to each request, and shows
// a banner during an impersonation. Tokens are kept in the memory of this page only.
"use strict";

const element = (id) => document.getElementById(id);
/** Path before `/docs/`, with which the paths of the server begin: empty, or that of a proxy. */
const basePath = new URL("..", location.href).pathname.slice(0, -1);
/** Path of a URL of the server, without the path of a proxy. */
const serverPath = ({ pathname }) =>
  pathname.startsWith(`${basePath}/`) ? pathname.slice(basePath.length) : pathname;
/** Tokens of the signed-in user, and the time at which the access token expires. */
let own = null;
/**
 * The current impersonation, as returned when it was started. An ended one is kept until the
 * operator continues: requests meant for the target are rejected, never sent as the operator.
 */
let acting = null;

/** Sets the current impersonation, and ends the previous one. */
function began(started, replayed) {
  if (acting !== null && !acting.over && acting.impersonation.id !== started.impersonation.id) {
    end(acting.impersonation.id).catch(console.warn);
  }
  acting = { ...started, over: false };
  // A relative time, because the clock of the browser can differ from the server's.
  setTimeout(() => isOver(started), started.expires_in * 1000);
  // A replayed response describes the start; the impersonation may have ended since.
  if (replayed) {
    json("GET", "/v1/me", started.access_token)
      .then((response) => response.ok || isOver(started), console.warn);
  }
}

/** Ends an impersonation. Resolves to whether it has ended. */
async function end(id) {
  const response = await json("DELETE", `/v1/admin/impersonations/${id}`, await ownToken());
  return response.ok || response.status === 404 || response.status === 409;
}

function isOver({ impersonation }) {
  if (acting?.impersonation.id !== impersonation.id) return;
  acting.over = true;
  show().catch(console.warn);
}

const json = (method, path, token, body) => {
  const authorization = token ? { authorization: `Bearer ${token}` } : {};
  return fetch(basePath + path, {
    method,
    headers: { "content-type": "application/json", ...authorization },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
};

function keep(tokens) {
  own = { ...tokens, ends: Date.now() + tokens.expires_in * 1000 };
}

/** The pending refresh. Only one at a time: using a refresh token twice ends the session. */
let refreshing = null;

async function refresh() {
  let response;
  try {
    response = await json("POST", "/v1/auth/refresh", null, { refresh_token: own.refresh_token });
  } catch {
    // The token may have been used: no retry, because a second use would end the session.
    return signedOut("Connection lost. Sign in again.");
  }
  if (response.ok) keep(await response.json());
  else if (response.status === 401) signedOut("Your session has ended.");
}

/** Access token of the signed-in user, refreshed if it expires within 30 seconds. */
async function ownToken() {
  if (own !== null && own.ends - Date.now() < 30_000) {
    refreshing ??= refresh().finally(() => (refreshing = null));
    await refreshing;
  }
  return own?.access_token ?? null;
}

/** Updates the page: first the impersonation, then the name of the user, which must be loaded. */
async function show() {
  element("sign-in").hidden = own !== null;
  element("sign-out").hidden = own === null;
  element("acting").hidden = acting === null;
  element("banner").textContent = acting?.over
    ? "The impersonation has ended. Requests are rejected until you continue as yourself."
    : (acting?.impersonation.banner ?? "");
  element("stop").textContent = acting?.over ? "Continue as yourself" : "End impersonation";
  const token = await ownToken();
  if (token === null) return;
  const sessionId = own.session_id;
  const response = await json("GET", "/v1/me", token);
  if (!response.ok) return;
  const me = await response.json();
  // The session may have changed while the request was pending.
  if (own?.session_id !== sessionId) return;
  const tier = me.staff_tier ? `, staff: ${me.staff_tier}` : "";
  element("state").textContent = `Signed in as ${me.user.name} (${me.user.email})${tier}.`;
}

function signedOut(message) {
  own = acting = null;
  ui.authActions.logout(["bearer"]);
  element("state").textContent = message;
  show();
}

element("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const credentials = { email: element("email").value, password: element("password").value };
  const response = await json("POST", "/v1/auth/login", null, credentials);
  element("password").value = "";
  const body = await response.json();
  if (!response.ok) {
    element("state").textContent = `${body.title}. ${body.detail}`;
    return;
  }
  keep(body);
  await show();
});

element("sign-out").addEventListener("click", async () => {
  const response = await json("POST", "/v1/auth/logout", await ownToken(), {});
  if (response.ok || response.status === 401) signedOut("Signed out.");
  else element("state").textContent = "You are still signed in. Try again.";
});

element("stop").addEventListener("click", async () => {
  const id = acting.impersonation.id;
  const ended = acting.over || (await end(id));
  // Another impersonation may have been started while the request was pending.
  if (ended && acting?.impersonation.id === id) acting = null;
  await show();
  if (!ended) element("state").textContent = "The impersonation has not ended. Try again.";
});

/** Example key of the API document. Requests get a random key instead. */
const SHOWN_KEY = "f0c7d6c2-3a52-4b0e-9a76-0d8a7c9b1e11";
const fresh = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
};

/**
 * Adds the access token: that of the current impersonation, if there is one; otherwise, and for the
 * staff portal, the operator's own. A token from Swagger UI's own dialog is used only without a
 * sign-in at the top of the page.
 */
async function requestInterceptor(request) {
  const url = new URL(request.url, location.href);
  const [origin, pathname] = [url.origin, serverPath(url)];
  if (request.headers["Idempotency-Key"] === SHOWN_KEY) {
    request.headers["Idempotency-Key"] = fresh();
  }
  const isPublic = ["/v1/auth/login", "/v1/auth/refresh"].includes(pathname);
  if (own === null || origin !== location.origin || isPublic) return request;
  const impersonating = acting !== null && !pathname.startsWith("/v1/admin/");
  const token = impersonating ? acting.access_token : await ownToken();
  if (token !== null) request.headers.Authorization = `Bearer ${token}`;
  return request;
}

/** Removes tokens from the displayed response, because it can end up in screenshots. */
function hideTokens(response) {
  const hidden = response.text.replace(/("(?:access|refresh)_token": ?")[^"]*"/g, '$1…"');
  if (hidden === response.text) return;
  const [body, obj] = [JSON.parse(hidden), JSON.parse(hidden)];
  Object.assign(response, { text: hidden, data: hidden, body, obj });
}

async function responseInterceptor(response) {
  const pathname = serverPath(new URL(response.url, location.href));
  const { status, ok, obj } = response;
  const replayed = response.headers["idempotency-replayed"] !== undefined;
  const current = acting && `/v1/admin/impersonations/${acting.impersonation.id}`;
  if (own !== null && status === 201 && pathname === "/v1/admin/impersonations") {
    began(JSON.parse(response.text), replayed);
  }
  if (acting !== null && status === 204 && pathname === current) acting = null;
  const overCodes = ["impersonation_ended", "impersonation_expired"];
  if (acting !== null && overCodes.includes(obj?.code)) acting.over = true;
  if (own !== null && ok && pathname === "/v1/auth/logout") signedOut("Signed out.");
  if (own !== null && obj?.code === "session_ended") signedOut("Your session has ended.");
  if (ok && typeof response.text === "string") hideTokens(response);
  // Errors of the update must not hide the response.
  if (pathname !== "/openapi.json") show().catch(console.warn);
  return response;
}

const ui = SwaggerUIBundle({
  url: `${basePath}/openapi.json`,
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  deepLinking: true,
  displayOperationId: true,
  displayRequestDuration: true,
  showExtensions: true,
  // Shows the curl command without the token, because it can end up in screenshots.
  showMutatedRequest: false,
  tryItOutEnabled: true,
  requestInterceptor,
  responseInterceptor,
});
