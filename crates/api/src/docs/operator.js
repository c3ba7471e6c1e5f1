// Swagger UI as an operator's tool: it signs in, sends the right token with each request, and says while one is acting in somebody's name. Tokens are
// kept in this page alone, and gone with it.
"use strict";

const element = (id) => document.getElementById(id);
/** The tokens of whoever is signed in, and when the first of them ends. */
let own = null;
/**
 * The impersonation that requests are made in, as it was answered when it began. One that is over stays here until the operator goes on: what was meant
 * as somebody else is refused, and never done as oneself.
 */
let acting = null;

/** There is one at a time: the one before it is ended. */
function began(started, repeated) {
  if (acting !== null && !acting.over && acting.impersonation.id !== started.impersonation.id) end(acting.impersonation.id).catch(console.warn);
  acting = { ...started, over: false };
  // At the latest: the clock here may be another than the server's.
  setTimeout(() => isOver(started), started.expires_in * 1000);
  // The repeat of an answer says what was so then.
  if (repeated) json("GET", "/v1/me", started.access_token).then((answer) => answer.ok || isOver(started), console.warn);
}

/** Whether it is over now. */
async function end(id) {
  const answer = await json("DELETE", `/v1/admin/impersonations/${id}`, await ownToken());
  return answer.ok || answer.status === 404 || answer.status === 409;
}

function isOver({ impersonation }) {
  if (acting?.impersonation.id !== impersonation.id) return;
  acting.over = true;
  show().catch(console.warn);
}

const json = (method, path, token, body) =>
  fetch(path, {
    method,
    headers: { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });

function keep(tokens) {
  own = { ...tokens, ends: Date.now() + tokens.expires_in * 1000 };
}

/** The refresh under way: a refresh token is good once, and a second use ends the session. */
let refreshing = null;

async function refresh() {
  let answer;
  try {
    answer = await json("POST", "/v1/auth/refresh", null, { refresh_token: own.refresh_token });
  } catch {
    // It may have been used: a second time would end the session.
    return signedOut("The connection was lost: sign in again.");
  }
  if (answer.ok) keep(await answer.json());
  else if (answer.status === 401) signedOut("Your session has ended.");
}

/** The token of whoever is signed in, a fresh one where it is about to end. */
async function ownToken() {
  if (own !== null && own.ends - Date.now() < 30_000) {
    refreshing ??= refresh().finally(() => (refreshing = null));
    await refreshing;
  }
  return own?.access_token ?? null;
}

/** Who is acting is shown at once; the name of whoever is signed in when it is known. */
async function show() {
  element("sign-in").hidden = own !== null;
  element("sign-out").hidden = own === null;
  element("acting").hidden = acting === null;
  element("banner").textContent = acting?.over ? "The impersonation has ended. What you ask for now is refused." : (acting?.banner ?? "");
  element("stop").textContent = acting?.over ? "Go on as yourself" : "Stop acting";
  const token = await ownToken();
  if (token === null) return;
  const whose = own.session_id;
  const answer = await json("GET", "/v1/me", token);
  if (!answer.ok) return;
  const me = await answer.json();
  // Somebody else may have signed in meanwhile.
  if (own?.session_id !== whose) return;
  const tier = me.staff_tier ? `, staff: ${me.staff_tier}` : "";
  element("state").textContent = `Signed in as ${me.user.name} (${me.user.email})${tier}.`;
}

function signedOut(why) {
  own = acting = null;
  ui.authActions.logout(["bearer"]);
  element("state").textContent = why;
  show();
}

element("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await json("POST", "/v1/auth/login", null, { email: element("email").value, password: element("password").value });
  element("password").value = "";
  const said = await answer.json();
  if (!answer.ok) {
    element("state").textContent = `${said.title}. ${said.detail}`;
    return;
  }
  keep(said);
  await show();
});

element("sign-out").addEventListener("click", async () => {
  const answer = await json("POST", "/v1/auth/logout", await ownToken(), {});
  if (answer.ok || answer.status === 401) signedOut("Signed out.");
  else element("state").textContent = "You are still signed in: try again.";
});

element("stop").addEventListener("click", async () => {
  const stopped = acting.impersonation.id;
  const ended = acting.over || (await end(stopped));
  // Another may have begun meanwhile.
  if (ended && acting?.impersonation.id === stopped) acting = null;
  await show();
  if (!ended) element("state").textContent = "It goes on: try again.";
});

/** The key that the contract shows is nobody's intention: each request gets a fresh one instead. */
const SHOWN_KEY = "f0c7d6c2-3a52-4b0e-9a76-0d8a7c9b1e11";
const fresh = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The staff portal is one's own; everything else is whoever's identity is worn. Swagger UI's own dialog counts only for who is not signed in above. */
async function requestInterceptor(request) {
  const { origin, pathname } = new URL(request.url, location.href);
  if (request.headers["Idempotency-Key"] === SHOWN_KEY) request.headers["Idempotency-Key"] = fresh();
  const public_ = ["/v1/auth/login", "/v1/auth/refresh"].includes(pathname);
  if (own === null || origin !== location.origin || public_) return request;
  const worn = acting !== null && !pathname.startsWith("/v1/admin/");
  const token = worn ? acting.access_token : await ownToken();
  if (token !== null) request.headers.Authorization = `Bearer ${token}`;
  return request;
}

/** Tokens are for programs: what is shown ends up in pictures. */
function hideTokens(response) {
  const hidden = response.text.replace(/("(?:access|refresh)_token": ?")[^"]*"/g, '$1…"');
  if (hidden !== response.text) Object.assign(response, { text: hidden, data: hidden, body: JSON.parse(hidden), obj: JSON.parse(hidden) });
}

async function responseInterceptor(response) {
  const { pathname } = new URL(response.url, location.href);
  const repeated = response.headers["idempotency-replayed"] !== undefined;
  if (own !== null && response.status === 201 && pathname === "/v1/admin/impersonations") began(JSON.parse(response.text), repeated);
  if (acting !== null && response.status === 204 && pathname === `/v1/admin/impersonations/${acting.impersonation.id}`) acting = null;
  if (acting !== null && ["impersonation_ended", "impersonation_expired"].includes(response.obj?.code)) acting.over = true;
  if (own !== null && response.ok && pathname === "/v1/auth/logout") signedOut("Signed out.");
  if (own !== null && response.obj?.code === "session_ended") signedOut("Your session has ended.");
  if (response.ok && typeof response.text === "string") hideTokens(response);
  // An answer is shown whatever becomes of this.
  if (pathname !== "/openapi.json") show().catch(console.warn);
  return response;
}

const ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  deepLinking: true,
  displayOperationId: true,
  displayRequestDuration: true,
  showExtensions: true,
  // The command line that is shown has no token in it: it ends up in pictures.
  showMutatedRequest: false,
  tryItOutEnabled: true,
  requestInterceptor,
  responseInterceptor,
});
