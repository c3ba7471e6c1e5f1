// Lists changes between two versions of the contract: diff.mjs SINCE OLD NEW. Exits with 1 if a
// change is breaking or unclassified. api-smart-diff finds the changes; this script classifies
// them, because that depends on the direction: request or response.
import { readFileSync } from "node:fs";
import { apiDiff } from "api-smart-diff";

const [since, ...files] = process.argv.slice(2);
// Removes texts beside references: the comparison would take them for a different schema. Turns
// open enumerations, which exclude the known values from other strings, into unions with `anyOf`.
const comparable = (_key, value) => {
  if (value?.oneOf?.[1]?.not !== undefined) {
    const { oneOf, ...rest } = value;
    const { not, ...other } = oneOf[1];
    return { ...rest, anyOf: [oneOf[0], other] };
  }
  if (value?.$ref === undefined) return value;
  const { description, summary, ...rest } = value;
  return rest;
};
const [before, after] = files.map((file) => JSON.parse(readFileSync(file, "utf8"), comparable));

const TEXTS = [
  "description",
  "summary",
  "example",
  "examples",
  "externalDocs",
  "info",
  "x-audit-action",
  "x-internal",
];
const POLICY = ["x-required-permission", "x-impersonation", "x-demands"];

/** Returns whether the path contains one of the keywords, other than as the name of a property. */
const hasKeyword = (path, keywords) =>
  path.some((part, at) => keywords.includes(part) && path[at - 1] !== "properties");

/** Returns whether every type of the first list is in the second one. */
const isSubset = (types, others) => [types].flat().every((type) => [others].flat().includes(type));

/** Returns whether a bound accepts more than before; undefined for other keywords. */
function widens({ action, path, before, after }) {
  if (path.at(-2) === "properties") return undefined;
  const upper = /^max/.test(path.at(-1));
  if (!upper && !/^min/.test(path.at(-1))) return undefined;
  if (action !== "replace") return action === "remove";
  return upper ? after > before : after < before;
}

const harmlessIf = (holds) => (holds ? "harmless" : "breaking");

/** Classifies a change in requests: accepting more is harmless. */
function classifyRequest(change) {
  const { action, path, before, after } = change;
  const [keyword, parent] = [path.at(-1), path.at(-2)];
  if (widens(change) !== undefined) return harmlessIf(widens(change));
  if (keyword === "required" && parent !== "properties") return harmlessIf(after !== true);
  if (parent === "properties" || parent === "content") return harmlessIf(action === "add");
  // Index 0: the keyword `enum` is new, so a closed list replaces any value.
  if (parent === "enum") return harmlessIf(action === "add" && keyword > 0);
  if (parent === "required") return harmlessIf(action === "remove");
  if (keyword === "type") return harmlessIf(action === "replace" && isSubset(before, after));
  if (keyword === "pattern" || keyword === "format" || keyword === "enum")
    return harmlessIf(action === "remove");
  return "breaking";
}

/** Classifies a change in responses: returning more fields is harmless. */
function classifyResponse(change) {
  const { action, path, before, after } = change;
  const [keyword, parent] = [path.at(-1), path.at(-2)];
  if (path[5] === "links" || (path.length === 6 && path[5] === "headers"))
    return harmlessIf(action === "add");
  if (path[5] === "headers" && path.length === 7) return harmlessIf(action === "add");
  if (widens(change) !== undefined) return widens(change) ? "unclassified" : "harmless";
  // Open enumerations may grow, as the contract states.
  if (parent === "enum" && action === "add" && path.includes("anyOf")) return "extended";
  if (parent === "enum") return harmlessIf(action === "remove");
  if (parent === "properties" || parent === "required" || parent === "content")
    return harmlessIf(action === "add");
  if (keyword === "type") return harmlessIf(action === "replace" && isSubset(after, before));
  return "breaking";
}

/** Classifies a change. */
function classify(change) {
  const { action, path, after } = change;
  if (hasKeyword(path, POLICY)) return "breaking";
  if (hasKeyword(path, TEXTS)) return "texts";
  if (path.at(-1) === "deprecated" && path.at(-2) !== "properties") return "harmless";
  // Order and descriptions of tags.
  if (path[0] === "tags") return "texts";
  if (path[0] !== "paths") return "breaking";
  // A path or an operation.
  if (path.length <= 3) return harmlessIf(action === "add");
  if (path[3] === "parameters" && path.length === 4)
    return harmlessIf(action === "add" && after.every(({ required }) => required === false));
  if (path[3] === "parameters" && path.length === 5)
    return harmlessIf(action === "add" && "in" in after && after.required !== true);
  if (path[3] === "requestBody" && path.length === 4)
    return harmlessIf(action === "add" && after.required !== true);
  // Clients handle new error statuses by their class; they do not expect a new success status.
  if (path[3] === "responses" && path.length === 5)
    return harmlessIf(action === "add" && path[4] >= "400");
  if (path[3] === "responses") return classifyResponse(change);
  const isRequest = path[3] === "parameters" || path[3] === "requestBody";
  return isRequest ? classifyRequest(change) : "breaking";
}

/** Returns the operation of a change, or "the document", and the rest of the path. */
function location(path) {
  const [, route, method, ...rest] = path;
  return path[0] === "paths"
    ? [`${String(method ?? "").toUpperCase()} ${route}`.trim(), rest]
    : ["the document", path];
}

function describe(change) {
  const { action, path, before, after } = change;
  const [, rest] = location(path);
  const text = (value) =>
    value !== null && typeof value === "object" ? "" : JSON.stringify(value);
  const values =
    action === "replace"
      ? `${text(before)} → ${text(after)}`
      : text(action === "add" ? after : before);
  if (classify(change) === "extended")
    return `new value of ${path[path.lastIndexOf("properties") + 1]}: ${text(after)}`;
  const name =
    action !== "replace" && rest.includes("parameters")
      ? ` (${(after ?? before)?.name ?? ""})`
      : "";
  const verbs = { add: "added", remove: "removed", replace: "replaced", rename: "renamed" };
  const subject = rest.join("/") || "operation";
  return `${verbs[action]} ${subject}${name} ${values ?? ""}`.trim();
}

const classes = {
  breaking: new Map(),
  extended: new Map(),
  unclassified: new Map(),
  harmless: new Map(),
  texts: new Map(),
};
const note = (changes, description, operation) =>
  changes.set(description, (changes.get(description) ?? new Set()).add(operation));
// Components are compared where they are used: only there the direction is known.
for (const change of apiDiff(before, after).filter(
  ({ path }) => path[0] !== "components" || path[1] === "securitySchemes",
)) {
  note(classes[classify(change)], describe(change), location(change.path)[0]);
}
// Schema names are class names in generated clients.
for (const name of Object.keys(before.components.schemas).filter(
  (name) => !(name in after.components.schemas),
)) {
  note(classes.breaking, `removed or renamed schema ${name}`, "the document");
}

function print(title, changes) {
  if (changes.size > 0) console.log(`\n${title}`);
  for (const [description, operations] of changes) {
    const [first, second, third, ...more] = operations;
    const named = [first, second, third].filter((operation) => operation !== undefined).join(", ");
    console.log(`  ${named}${more.length > 0 ? ` and ${more.length} more` : ""}: ${description}`);
  }
}

console.log(`Contract changes since ${since}: ${before.info.version} → ${after.info.version}`);
print("Breaking:", classes.breaking);
print("Unclassified, to be reviewed:", classes.unclassified);
print("New values of open enumerations:", classes.extended);
print("Compatible:", classes.harmless);
if (classes.texts.size > 0) console.log(`\n${classes.texts.size} changes of texts and examples.`);
if (Object.values(classes).every((changes) => changes.size === 0)) console.log("No changes.");
process.exitCode = classes.breaking.size + classes.unclassified.size > 0 ? 1 : 0;
