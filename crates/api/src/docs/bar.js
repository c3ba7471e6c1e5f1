// The bar at the top of the page: sign-in, identity, time left, and the banner of an impersonation.
import { choose, identity } from "./identity.js";
import { send } from "./server.js";
import { keep, say, session, signOut, stop, subscribe } from "./session.js";

const element = (id) => document.getElementById(id);

const ENDED = "The impersonation has ended. Requests are rejected until you continue as yourself.";

/** Sets a text only if it is new: screen readers read each change. */
function setText(id, text) {
  if (element(id).textContent !== text) element(id).textContent = text;
}

function minutes(ends) {
  const seconds = Math.max(0, Math.floor((ends - Date.now()) / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function showTimes() {
  const { own, acting } = session;
  const left = own && own.ends > Date.now() ? minutes(own.ends) : null;
  const renewed = own?.refresh_token ? "renewed on the next request" : "expired";
  setText("token-time", own === null ? "" : left ? `Token ${left}` : `Token ${renewed}`);
  setText("acting-time", acting === null || acting.over ? "" : `${minutes(acting.ends)} left`);
}

function showOrgs() {
  const orgs = session.acting === null ? identity.memberships.map(({ org }) => org) : [];
  const all = identity.org === null || orgs.some(({ id }) => id === identity.org.id)
    ? orgs
    : [identity.org];
  const options = all.map(({ id, slug }) => {
    const option = new Option(slug, id);
    option.selected = id === identity.org?.id;
    return option;
  });
  element("org").replaceChildren(...options);
  element("org").disabled = session.acting !== null;
  element("org-choice").hidden = identity.org === null;
  setText("role", identity.role ?? "");
}

function show() {
  const { own, acting } = session;
  const loaded = own !== null && identity.name !== null;
  element("sign-in").hidden = own !== null;
  element("sign-out").hidden = own === null;
  element("identity").hidden = !loaded;
  setText("person", loaded ? `${identity.name} (${identity.email})` : "");
  setText("tier", identity.tier ? `Staff: ${identity.tier}` : "");
  element("tier").hidden = !identity.tier;
  showOrgs();
  setText("message", session.message);
  element("message").hidden = session.message === "";
  element("acting").hidden = acting === null;
  setText("banner", acting?.over ? ENDED : (acting?.banner ?? ""));
  setText("stop", acting?.over ? "Continue as yourself" : "End impersonation");
  showTimes();
}

element("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const credentials = { email: element("email").value, password: element("password").value };
  element("password").value = "";
  try {
    const response = await send("POST", "/v1/auth/login", null, credentials);
    const body = await response.json();
    if (!response.ok) {
      say(`${body.title}. ${body.detail}`);
      return element("password").focus();
    }
    keep(body);
    element("sign-out").focus();
  } catch {
    say("The server does not respond. Try again.");
  }
});
element("sign-out").addEventListener("click", () => signOut().catch(console.warn));
element("stop").addEventListener("click", () => stop().catch(console.warn));
element("org").addEventListener("change", ({ target }) =>
  choose(target.value).catch(console.warn),
);

subscribe(show);
setInterval(showTimes, 1000);
show();

/** Keeps anchors and focused elements visible below the bar. */
new ResizeObserver(([{ target }]) => {
  document.documentElement.style.setProperty("--bar-height", `${target.offsetHeight}px`);
}).observe(element("bar"));
