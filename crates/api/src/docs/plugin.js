// Parts of Swagger UI that this page replaces or extends.
import { withoutSecrets, curl } from "./curl.js";
import { operations } from "./contract.js";
import { obstacle } from "./identity.js";
import { PLACEHOLDER } from "./requests.js";
import { adopt, session, signOut, subscribe } from "./session.js";

/** Operations of which each word of the phrase is in method, path, summary, tag or ID. */
function opsFilter(taggedOperations, phrase) {
  const words = phrase.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = (tag) => (entry) => {
    const operation = entry.get("operation");
    const id = operation.get("operationId");
    const texts = [entry.get("method"), entry.get("path"), operation.get("summary"), tag, id];
    const text = texts.join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  };
  return taggedOperations
    .map((tagged, tag) => tagged.update("operations", (all) => all.filter(matches(tag))))
    .filter((tagged) => tagged.get("operations").size > 0);
}

const count = (specSelectors) =>
  specSelectors.taggedOperations().reduce((sum, tagged) => sum + tagged.get("operations").size, 0);

export function operatorPlugin({ React }) {
  const h = React.createElement;
  const useSession = (read) => React.useSyncExternalStore(subscribe, read);

  const FilterContainer = ({ specSelectors, layoutSelectors, layoutActions }) => {
    const filter = layoutSelectors.currentFilter();
    const phrase = typeof filter === "string" ? filter : "";
    const shown = count(specSelectors);
    const result = shown === 0 ? "No operation matches." : `${shown} of ${operations.size}`;
    return h(
      "div",
      { className: "operation-filter wrapper", role: "search" },
      h("label", { htmlFor: "filter" }, "Filter operations"),
      h("input", {
        id: "filter",
        type: "search",
        value: phrase,
        placeholder: "Path, summary, tag or ID",
        onChange: ({ target }) => layoutActions.updateFilter(target.value),
      }),
      h("span", { role: "status" }, phrase === "" ? "" : result),
    );
  };

  const Obstacle = ({ id }) => {
    const text = useSession(() => operations.has(id) ? obstacle(operations.get(id)) : null);
    return text && h("span", { className: "obstacle" }, text);
  };

  /** A response, marked if it was received under a former identity. */
  const Answer = ({ sent, children }) => {
    const epoch = useSession(() => session.epoch);
    const isOld = sent !== undefined && sent.get("epoch") !== epoch;
    const former = isOld && sent.get("as");
    const text = isOld && `Old response, received as ${former} before the identity changed.`;
    return h(
      "div",
      { className: isOld ? "is-old" : undefined },
      isOld && h("p", { className: "old-answer", role: "note" }, text),
      children,
    );
  };

  const Curl = ({ request }) => {
    const text = curl(request.toJS());
    const [copied, setCopied] = React.useState(false);
    const copy = () => navigator.clipboard.writeText(text).then(() => setCopied(true));
    return h(
      "div",
      { className: "curl-command" },
      h("h4", null, "Curl"),
      h("pre", { className: "curl microlight", tabIndex: 0 }, text),
      h(
        "button",
        { className: "btn copy", type: "button", onClick: copy },
        copied ? "Copied" : "Copy",
      ),
    );
  };

  return {
    fn: { opsFilter },
    components: { FilterContainer, curl: Curl, ServersContainer: () => null },
    wrapComponents: {
      InfoContainer: (Original) => (props) =>
        h(
          "details",
          { className: "about" },
          h("summary", null, "About this API"),
          h(Original, props),
        ),
      OperationSummaryPath: (Original) => (props) =>
        h(
          React.Fragment,
          null,
          h(Original, props),
          h(Obstacle, { id: props.operationProps.get("operationId") }),
        ),
      operations: (Original) => (props) =>
        count(props.specSelectors) === 0 ? null : h(Original, props),
      liveResponse: (Original) => (props) =>
        h(Answer, { sent: props.response.get("sent") }, h(Original, props)),
    },
    statePlugins: {
      auth: { wrapActions: { authorize: adoptToken, logout: endSession } },
      spec: { wrapActions: { executeRequest: blankSecrets } },
    },
  };
}

/** Takes the token of Swagger UI's own dialog. Swagger UI does not keep it. */
const adoptToken = (authorize) => (payload) => {
  const token = payload.bearer?.value;
  if (token === undefined || token === PLACEHOLDER) return authorize(payload);
  adopt(token.replace(/^Bearer /i, "").trim());
};

const endSession = (logout) => (names) => {
  if (session.own !== null) signOut().catch(console.warn);
  return logout(names);
};

/** Removes secrets from the request body on the page after it has been sent. */
const blankSecrets = (execute, { oas3Actions, oas3Selectors }) => async (request) => {
  const { pathName, method } = request;
  const result = await execute(request);
  const body = oas3Selectors.requestBodyValue(pathName, method);
  if (typeof body === "string") {
    const value = withoutSecrets(body, () => "");
    if (value !== null && value !== body) {
      oas3Actions.setRequestBodyValue({ value, pathMethod: [pathName, method] });
    }
  }
  return result;
};
