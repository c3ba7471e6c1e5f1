// The request as a curl command without secrets: it can end up in tickets and screenshots. Values
// that the operator fills in are shell variables, such as `$TOKEN`.
import { SHOWN_KEY, secretFields } from "./contract.js";

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

const variable = (name) => `$${name.toUpperCase()}`;

function header([name, value]) {
  if (name.toLowerCase() === "authorization") return `"${name}: Bearer $TOKEN"`;
  if (value === SHOWN_KEY) return `"${name}: $(uuidgen)"`;
  return quoted(`${name}: ${value}`);
}

const SECRET = new RegExp(`("([a-z_]+)"\\s*:\\s*)"((?:[^"\\\\]|\\\\.)*)"`, "g");

/** A body whose secrets are replaced by the results of `replace`. Null if it is not JSON. */
export function withoutSecrets(body, replace) {
  try {
    JSON.parse(body);
  } catch {
    return null;
  }
  return body.replace(SECRET, (whole, key, name) =>
    secretFields.has(name) ? `${key}"${replace(name)}"` : whole,
  );
}

function data(body) {
  const mark = (name) => `\u0000${name}\u0000`;
  const shown = withoutSecrets(body, mark);
  // Not JSON: a secret in it would not be found.
  if (shown === null) return `"$BODY"`;
  return quoted(shown).replace(/\0([a-z_]+)\0/g, (_, name) => `'"${variable(name)}"'`);
}

/** The command for a request with its URL, method, headers and body. */
export function curl({ url, method, headers = {}, body }) {
  const parts = [`curl -X ${method.toUpperCase()} ${quoted(url)}`];
  parts.push(...Object.entries(headers).map((entry) => `-H ${header(entry)}`));
  if (body !== undefined && body !== null && body !== "") {
    parts.push(`-d ${data(typeof body === "string" ? body : JSON.stringify(body))}`);
  }
  return parts.join(" \\\n  ");
}
