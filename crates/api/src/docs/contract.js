// The API document as this page shows it: for the server of the page, with request bodies that
// state nothing, and with examples of parameters as text. What is filled in is what an operator
// executes, so examples are not filled in.
import { base } from "./server.js";

/** Example of an idempotency key. Requests get a random key instead. */
export const SHOWN_KEY = "f0c7d6c2-3a52-4b0e-9a76-0d8a7c9b1e11";

/** Operations by ID, each with its path and method. */
export const operations = new Map();
/** Names of the fields that hold a secret. */
export const secretFields = new Set(["access_token", "refresh_token"]);

const get = async (path) => {
  const response = await fetch(new URL(path, base));
  if (!response.ok) throw new Error(`${path}: status ${response.status}`);
  return response.json();
};

export async function loadContract() {
  const [contract, bodies] = await Promise.all([get("openapi.json"), get("docs/prefill.json")]);
  contract.servers = [{ url: base.href.replace(/\/$/, "") }];
  for (const [path, methods] of Object.entries(contract.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      operations.set(operation.operationId, { path, method, operation });
      operation.parameters?.forEach(describeExample);
      fillIn(operation, bodies[operation.operationId]);
    }
  }
  findSecrets(contract.components.schemas);
  return contract;
}

function fillIn(operation, bodies) {
  const content = operation.requestBody?.content?.["application/json"];
  if (content === undefined) return;
  delete content.example;
  const { required, all } = bodies ?? { required: {}, all: {} };
  content.examples = { required: { summary: "Required fields", value: required } };
  if (JSON.stringify(required) !== JSON.stringify(all)) {
    content.examples.all = { summary: "All fields", value: all };
  }
}

/** Moves the example of a parameter to its description. */
function describeExample(parameter) {
  const { schema = {} } = parameter;
  const example = parameter.example ?? schema.example ?? schema.examples?.[0];
  if (example === undefined || example === SHOWN_KEY) return;
  delete parameter.example;
  parameter.schema = { ...schema };
  delete parameter.schema.example;
  delete parameter.schema.examples;
  parameter.description = `${parameter.description ?? ""} Example: \`${example}\`.`.trim();
}

function findSecrets(schemas) {
  const resolved = ({ $ref, ...schema }) => ($ref ? schemas[$ref.split("/").pop()] : schema);
  for (const { properties = {} } of Object.values(schemas)) {
    for (const [name, schema] of Object.entries(properties)) {
      if (resolved(schema)?.format === "password") secretFields.add(name);
    }
  }
}
