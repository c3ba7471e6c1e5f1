// What has changed from one contract to the next, as those see it who call: diff.mjs SINCE OLD NEW. Exits with 1 unless all of it is known to break
// nobody. What has changed is found by api-smart-diff; what that means is judged here, since that depends on which way something goes.
import { readFileSync } from "node:fs";
import { apiDiff } from "api-smart-diff";

const [since, ...files] = process.argv.slice(2);
// Words beside a reference are about the place alone; the comparison would take them for another schema.
const bare = (_key, value) => {
  if (value?.$ref === undefined) return value;
  const { description, summary, ...rest } = value;
  return rest;
};
const [before, after] = files.map((file) => JSON.parse(readFileSync(file, "utf8"), bare));

const WORDS = ["description", "summary", "example", "examples", "externalDocs", "info", "x-audit-action", "x-internal"];
const POLICY = ["x-required-permission", "x-impersonation", "x-demands"];

/** Whether a keyword of the contract is on the way, and not a field of that name. */
const passes = (path, keywords) => path.some((one, at) => keywords.includes(one) && path[at - 1] !== "properties");

/** Whether all that the one list of types allows is allowed by the other. */
const within = (one, other) => [one].flat().every((type) => [other].flat().includes(type));

/** Whether a bound lets more through than before: true, false, or undefined for what is no bound. */
function widens({ action, path, before, after }) {
  if (path.at(-2) === "properties") return undefined;
  const upper = /^max/.test(path.at(-1));
  if (!upper && !/^min/.test(path.at(-1))) return undefined;
  if (action !== "replace") return action === "remove";
  return upper ? after > before : after < before;
}

const harmlessIf = (holds) => (holds ? "harmless" : "breaking");

/** In what a caller sends: more may be accepted, and nothing less. */
function sent(change) {
  const { action, path, before, after } = change;
  const [keyword, parent] = [path.at(-1), path.at(-2)];
  if (widens(change) !== undefined) return harmlessIf(widens(change));
  if (keyword === "required" && parent !== "properties") return harmlessIf(after !== true);
  if (parent === "properties" || parent === "content") return harmlessIf(action === "add");
  // A first word makes a closed list of what was none.
  if (parent === "enum") return harmlessIf(action === "add" && keyword > 0);
  if (parent === "required") return harmlessIf(action === "remove");
  if (keyword === "type") return harmlessIf(action === "replace" && within(before, after));
  if (keyword === "pattern" || keyword === "format" || keyword === "enum") return harmlessIf(action === "remove");
  return "breaking";
}

/** In what a caller gets: more may be said, and nothing else. */
function given(change) {
  const { action, path, before, after } = change;
  const [keyword, parent] = [path.at(-1), path.at(-2)];
  if (path[5] === "links" || (path.length === 6 && path[5] === "headers")) return harmlessIf(action === "add");
  if (path[5] === "headers" && path.length === 7) return harmlessIf(action === "add");
  if (widens(change) !== undefined) return widens(change) ? "unclassified" : "harmless";
  // Lists that are open grow, as the contract says of itself.
  if (parent === "enum" && action === "add" && path.includes("anyOf")) return "grown";
  if (parent === "enum") return harmlessIf(action === "remove");
  if (parent === "properties" || parent === "required" || parent === "content") return harmlessIf(action === "add");
  if (keyword === "type") return harmlessIf(action === "replace" && within(after, before));
  return "breaking";
}

/** How bad it is. */
function kind(change) {
  const { action, path, after } = change;
  if (passes(path, POLICY)) return "breaking";
  if (passes(path, WORDS)) return "words";
  if (path.at(-1) === "deprecated" && path.at(-2) !== "properties") return "harmless";
  // The headings in the order they are read.
  if (path[0] === "tags") return "words";
  if (path[0] !== "paths") return "breaking";
  // A path, or an operation.
  if (path.length <= 3) return harmlessIf(action === "add");
  if (path[3] === "parameters" && path.length === 4) return harmlessIf(action === "add" && after.every(({ required }) => required === false));
  if (path[3] === "parameters" && path.length === 5) return harmlessIf(action === "add" && "in" in after && after.required !== true);
  if (path[3] === "requestBody" && path.length === 4) return harmlessIf(action === "add" && after.required !== true);
  // Another way to say no is met by who looks at the status; another good answer is one that nobody has a place for.
  if (path[3] === "responses" && path.length === 5) return harmlessIf(action === "add" && path[4] >= "400");
  if (path[3] === "responses") return given(change);
  return path[3] === "parameters" || path[3] === "requestBody" ? sent(change) : "breaking";
}

function place(path) {
  const [, route, method, ...rest] = path;
  return path[0] === "paths" ? [`${String(method ?? "").toUpperCase()} ${route}`.trim(), rest] : ["the document", path];
}

function told(change) {
  const { action, path, before, after } = change;
  const [, rest] = place(path);
  const value = (what) => (what !== null && typeof what === "object" ? "" : JSON.stringify(what));
  const values = action === "replace" ? `${value(before)} → ${value(after)}` : value(action === "add" ? after : before);
  if (kind(change) === "grown") return `${path[path.lastIndexOf("properties") + 1]} may say ${value(after)}`;
  const name = action !== "replace" && rest.includes("parameters") ? ` (${(after ?? before)?.name ?? ""})` : "";
  return `${{ add: "added", remove: "removed", replace: "replaced", rename: "renamed" }[action]} ${rest.join("/") || "it"}${name} ${values ?? ""}`.trim();
}

const found = { breaking: new Map(), grown: new Map(), unclassified: new Map(), harmless: new Map(), words: new Map() };
const note = (changes, what, where) => changes.set(what, (changes.get(what) ?? new Set()).add(where));
// What is shared is compared where it is used: there it is known which way it goes.
for (const change of apiDiff(before, after).filter(({ path }) => path[0] !== "components" || path[1] === "securitySchemes")) {
  note(found[kind(change)], told(change), place(change.path)[0]);
}
// But generated clients have classes after the names of schemas.
for (const name of Object.keys(before.components.schemas).filter((name) => !(name in after.components.schemas))) {
  note(found.breaking, `there is no schema of this name any more: ${name}`, "the document");
}

function print(title, changes) {
  if (changes.size > 0) console.log(`\n${title}`);
  for (const [what, operations] of changes) {
    const [first, second, third, ...more] = operations;
    const named = [first, second, third].filter((one) => one !== undefined).join(", ");
    console.log(`  ${named}${more.length > 0 ? ` and ${more.length} more` : ""}: ${what}`);
  }
}

console.log(`The contract since ${since}: ${before.info.version} → ${after.info.version}`);
print("Breaking:", found.breaking);
print("To be looked at:", found.unclassified);
print("Longer open lists of words:", found.grown);
print("New, and breaking nothing:", found.harmless);
if (found.words.size > 0) console.log(`\nand ${found.words.size} changes of words and examples.`);
if (Object.values(found).every((changes) => changes.size === 0)) console.log("nothing has changed.");
process.exitCode = found.breaking.size + found.unclassified.size > 0 ? 1 : 0;
