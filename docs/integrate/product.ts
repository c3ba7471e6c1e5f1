// A product's own backend that takes Postern's tokens: node product.js POSTERN PORT.
//
// It verifies them offline, by the keys that Postern publishes; says on every page when somebody is acting in the user's name; and refuses what nobody
// may do for somebody else. Needs jose.
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload } from "jose";

const [postern, port] = process.argv.slice(2);
if (postern === undefined || port === undefined) throw new Error("usage: node product.js POSTERN PORT");

type Mode = "read_only" | "full";
/** What is in a token besides the registered claims; the last four come together, under impersonation. */
interface Claims extends JWTPayload {
  sub: string;
  sid: string;
  act?: { sub: string; email: string };
  imp?: string;
  org?: string;
  mode?: Mode;
}

// What they are for and whose they are stands in the configuration of both sides, never in the token's own header.
const { issuer, audience } = JSON.parse(readFileSync("postern.json", "utf8")) as { issuer: string; audience: string };
// Fetched when a token names a key that is not known yet, and kept for five minutes.
const keys = createRemoteJWKSet(new URL(`${postern}/.well-known/jwks.json`), { cacheMaxAge: 300_000 });

// What somebody else may change in a user's name is listed, and nothing besides: money, credentials and the end of an account are the user's alone.
const FOR_SOMEBODY_ELSE = ["notes"];

class Refused extends Error {
  constructor(readonly status: number, why: string) {
    super(why);
  }
}

/** The claims of a token, if it is one of Postern's, for us, and still good. */
async function verified(authorization: string | undefined): Promise<Claims> {
  const [scheme, token] = (authorization ?? "").split(" ");
  if (scheme?.toLowerCase() !== "bearer" || token === undefined) throw new Refused(401, "sign in");
  try {
    const required = { issuer, audience, typ: "at+jwt", algorithms: ["EdDSA"], requiredClaims: ["sub", "sid", "exp", "iat"] };
    return (await jwtVerify<Claims>(token, keys, required)).payload;
  } catch (error) {
    // Nobody is told that their token is bad because we cannot get the keys.
    const unheard = !(error instanceof errors.JOSEError) || error instanceof errors.JWKSTimeout || error.code === "ERR_JOSE_GENERIC";
    throw unheard ? new Refused(503, "Postern's keys cannot be had right now") : new Refused(401, `the token is not good: ${error.message}`);
  }
}

/** What to show across every page while somebody else is acting as this user. */
function banner({ act, mode }: Claims): string | null {
  if (act === undefined) return null;
  const does = mode === "read_only" ? "is looking at" : "is acting in";
  return `${act.email} ${does} this account. Everything is recorded under both names.`;
}

/** The first part of a path, however it is written. */
function area(url: string): string {
  let path: string;
  // What a router may read in another way than we do is refused before anything is looked up in it.
  if (!url.startsWith("/") || url.includes("//")) throw new Refused(400, "no path is written like that");
  try {
    path = decodeURIComponent(url.split("?")[0] ?? "");
  } catch {
    throw new Refused(400, "no path is written like that");
  }
  if (/[%#\\\s;]/.test(path)) throw new Refused(400, "no path is written like that");
  const parts = path.toLowerCase().split("/").filter((part) => part !== "");
  if (parts.some((part) => part === "." || part === "..")) throw new Refused(400, "no path is written like that");
  return parts[0] ?? "";
}

async function answer(request: IncomingMessage): Promise<object> {
  const claims = await verified(request.headers.authorization);
  const reads = ["GET", "HEAD"].includes(request.method ?? "");
  if (claims.act !== undefined && !reads) {
    if (claims.mode !== "full") throw new Refused(403, "this session only looks");
    if (!FOR_SOMEBODY_ELSE.includes(area(request.url ?? "/"))) throw new Refused(403, "not while somebody else is acting in this name");
  }
  // Whose rights were used, and who used them: `imp` leads to the reason and the ticket in Postern's log.
  console.log(JSON.stringify({ did: `${request.method} ${request.url}`, user: claims.sub, by: claims.act?.sub ?? claims.sub, imp: claims.imp }));
  // The org of an impersonation is the only one that it opens.
  return { user: claims.sub, org: claims.org ?? null, banner: banner(claims) };
}

const server = createServer(async (request, response) => {
  const [status, body] = await answer(request).then(
    (body) => [200, body] as const,
    (error: unknown) => [error instanceof Refused ? error.status : 500, { error: String(error) }] as const,
  );
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
});
server.listen(Number(port), "127.0.0.1", () => console.log(`listening on ${(server.address() as AddressInfo).port}`));
