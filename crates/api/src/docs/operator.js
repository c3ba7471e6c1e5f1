// Swagger UI for operators: requests are sent as the identity that the bar at the top shows.
import "./bar.js";
import { loadContract, operations } from "./contract.js";
import { identity } from "./identity.js";
import { operatorPlugin } from "./plugin.js";
import { PLACEHOLDER, requestInterceptor } from "./requests.js";
import { base } from "./server.js";
import { say, session, subscribe } from "./session.js";

const contract = await loadContract().catch((error) => {
  say(`The API document cannot be loaded. ${error.message}`);
  throw error;
});

const ui = SwaggerUIBundle({
  spec: contract,
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [operatorPlugin],
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayOperationId: true,
  displayRequestDuration: true,
  filter: true,
  showExtensions: true,
  // Requests on the page are those before the token is added.
  showMutatedRequest: false,
  tryItOutEnabled: true,
  requestInterceptor,
});
ui.specActions.updateUrl(new URL("openapi.json", base).href);

/** Closes or opens the locks, without the token. */
function showLocks(signedIn) {
  if (signedIn) ui.preauthorizeApiKey("bearer", PLACEHOLDER);
  else ui.authActions.logout(["bearer"]);
}

/** Fills in the chosen org in each operation. */
function fillInOrg(org) {
  for (const { path, method, operation } of operations.values()) {
    const index = operation.parameters?.findIndex(({ name }) => name === "org") ?? -1;
    if (index === -1 || operation.parameters[index].in !== "path") continue;
    const where = ["paths", path, method, "parameters", index];
    const parameter = ui.specSelectors.specJson().getIn(where);
    ui.specActions.changeParamByIdentity([path, method], parameter, org, false);
  }
}

let shown = { signedIn: false, org: null };
subscribe(() => {
  const next = { signedIn: session.own !== null, org: identity.org?.slug ?? null };
  if (next.signedIn !== shown.signedIn) showLocks(next.signedIn);
  if (next.org !== shown.org) fillInOrg(next.org);
  shown = next;
});
