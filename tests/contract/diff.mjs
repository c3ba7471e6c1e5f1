// What has changed from one contract to the next, as those see it who call: diff.mjs SINCE OLD NEW. Exits with 1 where something breaks.
import { readFileSync } from "node:fs";
import { apiDiff } from "api-smart-diff";

const [since, ...files] = process.argv.slice(2);
// Words beside a reference are about the place alone; the comparison would take them for another schema.
const bare = (_key, value) => (value?.$ref === undefined ? value : { $ref: value.$ref });
const [before, after] = files.map((file) => JSON.parse(readFileSync(file, "utf8"), bare));

/** What is shared is compared where it is used: there it is known which way it goes. */
const shared = ({ path }) => path[0] === "components" && path[1] !== "securitySchemes";

/** Whether all that the one list of types allows is allowed by the other. */
const within = (one, other) => [one].flat().every((type) => [other].flat().includes(type));

/** How bad it is. */
function kind({ type, action, path, before, after }) {
  // The names of operations are those of the methods of every generated client.
  if (path.at(-1) === "operationId") return "breaking";
  if (path.includes("example") || path.includes("examples")) return "annotation";
  const answer = path[3] === "responses";
  // What an answer says besides, nobody has to read.
  if (answer && path[5] === "headers" && action === "add") return "non-breaking";
  // Lists of words grow, as the contract says of itself.
  if (answer && path.at(-2) === "enum" && action === "add") return "grown";
  // The library judges another type the same on the way in and on the way out.
  if (path.at(-1) === "type" && action === "replace") return (answer ? within(after, before) : within(before, after)) ? "non-breaking" : "breaking";
  return type;
}

function place(path) {
  const [, route, method, ...rest] = path;
  return path[0] === "paths" ? [`${String(method ?? "").toUpperCase()} ${route}`, rest] : ["the document", path];
}

function told({ action, path, before, after }) {
  const [, rest] = place(path);
  const value = (what) => (what !== null && typeof what === "object" ? "" : JSON.stringify(what));
  const values = action === "replace" ? `${value(before)} → ${value(after)}` : value(action === "add" ? after : before);
  if (kind({ action, path }) === "grown") return `${rest.at(-3)} may say ${value(after)}`;
  const name = action !== "replace" && rest.includes("parameters") ? ` (${(after ?? before)?.name ?? ""})` : "";
  return `${{ add: "added", remove: "removed", replace: "replaced", rename: "renamed" }[action]} ${rest.join("/") || "it"}${name} ${values}`.trim();
}

const found = { breaking: new Map(), grown: new Map(), unclassified: new Map(), "non-breaking": new Map(), annotation: new Map() };
for (const change of apiDiff(before, after).filter((change) => !shared(change))) {
  const same = found[kind(change)] ?? found.unclassified;
  same.set(told(change), (same.get(told(change)) ?? new Set()).add(place(change.path)[0]));
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
print("Longer lists of words in answers:", found.grown);
print("To be looked at:", found.unclassified);
print("New, and breaking nothing:", found["non-breaking"]);
if (found.annotation.size > 0) console.log(`\nand ${found.annotation.size} changes of words and examples.`);
if (Object.values(found).every((changes) => changes.size === 0)) console.log("nothing has changed.");
process.exitCode = found.breaking.size > 0 ? 1 : 0;
