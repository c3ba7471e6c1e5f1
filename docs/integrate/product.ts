// Example backend of a product that accepts Postern's access tokens: node product.js POSTERN PORT.
//
// It verifies tokens offline with the keys that Postern publishes, shows a banner under
// impersonation, and restricts the changes that staff can make. Requires jose.
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload } from "jose";

const [postern, port] = process.argv.slice(2);
if (postern === undefined || port === undefined) {
  throw new Error("usage: node product.js POSTERN PORT");
}

/** Claims besides the registered ones. The last four are present under impersonation only. */
interface Claims extends JWTPayload {
  sub: string;
  sid: string;
  act?: { sub: string; email: string };
  imp?: string;
  org?: string;
  mode?: "read_only" | "full";
}

// Issuer and audience are configured, never taken from the token.
const config = JSON.parse(readFileSync("postern.json", "utf8")) as {
  issuer: string;
  audience: string;
};
// Fetched when a token names an unknown key, and cached for five minutes.
const keys = createRemoteJWKSet(new URL(`${postern}/.well-known/jwks.json`), {
  cacheMaxAge: 300_000,
});

// Areas that can be changed under impersonation. All others are reserved for the user: payments,
// credentials, deletion of the account.
const IMPERSONATION_AREAS = ["notes"];

/** A rejected request, with the status of the response. */
class Rejected extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

/** Verifies an Authorization header and returns the claims of its token. */
async function verify(authorization: string | undefined): Promise<Claims> {
  const [scheme, token] = (authorization ?? "").split(" ");
  if (scheme?.toLowerCase() !== "bearer" || token === undefined) {
    throw new Rejected(401, "no access token");
  }
  const options = {
    issuer: config.issuer,
    audience: config.audience,
    typ: "at+jwt",
    algorithms: ["EdDSA"],
    requiredClaims: ["sub", "sid", "exp", "iat"],
  };
  try {
    return (await jwtVerify<Claims>(token, keys, options)).payload;
  } catch (error) {
    const keysUnavailable =
      !(error instanceof errors.JOSEError) ||
      error instanceof errors.JWKSTimeout ||
      error.code === "ERR_JOSE_GENERIC";
    // Not 401: the token may be valid.
    if (keysUnavailable) throw new Rejected(503, "Postern's signing keys are unavailable");
    throw new Rejected(401, `invalid access token: ${error.message}`);
  }
}

/** Text to show on every page under impersonation. */
function banner({ act, mode }: Claims): string | null {
  if (act === undefined) return null;
  const activity = mode === "read_only" ? "is looking at" : "is acting in";
  return `${act.email} ${activity} this account. Everything is recorded under both names.`;
}

/** Returns the first segment of the path. Rejects paths that a router could read differently. */
function area(url: string): string {
  const ambiguous = new Rejected(400, "ambiguous path");
  if (!url.startsWith("/") || url.includes("//")) throw ambiguous;
  let path: string;
  try {
    path = decodeURIComponent(url.split("?")[0] ?? "");
  } catch {
    throw ambiguous;
  }
  if (/[%#\\\s;]/.test(path)) throw ambiguous;
  const segments = path.toLowerCase().split("/").filter((segment) => segment !== "");
  if (segments.some((segment) => segment === "." || segment === "..")) throw ambiguous;
  return segments[0] ?? "";
}

async function handle(request: IncomingMessage): Promise<object> {
  const claims = await verify(request.headers.authorization);
  const isRead = ["GET", "HEAD"].includes(request.method ?? "");
  if (claims.act !== undefined && !isRead) {
    if (claims.mode !== "full") throw new Rejected(403, "this impersonation is read-only");
    if (!IMPERSONATION_AREAS.includes(area(request.url ?? "/"))) {
      throw new Rejected(403, "blocked under impersonation");
    }
  }
  // Effective and accountable user. Postern's audit log has the reason and the ticket of the
  // impersonation `imp`.
  const entry = {
    request: `${request.method} ${request.url}`,
    effective_user: claims.sub,
    accountable_user: claims.act?.sub ?? claims.sub,
    imp: claims.imp,
  };
  console.log(JSON.stringify(entry));
  // Under impersonation, only the org in `org` is accessible.
  return { user: claims.sub, org: claims.org ?? null, banner: banner(claims) };
}

const server = createServer(async (request, response) => {
  const [status, body] = await handle(request).then(
    (body) => [200, body] as const,
    (error: unknown) =>
      [error instanceof Rejected ? error.status : 500, { error: String(error) }] as const,
  );
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
});
server.listen(Number(port), "127.0.0.1", () =>
  console.log(`listening on ${(server.address() as AddressInfo).port}`),
);
