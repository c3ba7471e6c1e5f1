"""A product's own backend that takes Postern's tokens: product.py POSTERN PORT.

It verifies them offline, by the keys that Postern publishes; says on every page when somebody is acting in the user's name; and refuses what nobody
may do for somebody else. Needs PyJWT with its cryptography.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import jwt

POSTERN, PORT = sys.argv[1], int(sys.argv[2])
# What they are for and whose they are stands in the configuration of both sides, never in the token's own header.
CONFIGURED = json.load(open("postern.json"))
ISSUER, AUDIENCE = CONFIGURED["issuer"], CONFIGURED["audience"]
# Fetched when a token names a key that is not known yet, and kept for five minutes.
KEYS = jwt.PyJWKClient(f"{POSTERN}/.well-known/jwks.json", lifespan=300)

# What somebody else may change in a user's name is listed, and nothing besides: money, credentials and the end of an account are the user's alone.
FOR_SOMEBODY_ELSE = ("notes",)


class Refused(Exception):
    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def verified(authorization: str | None) -> dict[str, Any]:
    """The claims of a token, if it is one of Postern's, for us, and still good."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer":
        raise Refused(401, "sign in")
    try:
        if jwt.get_unverified_header(token).get("typ") != "at+jwt":
            raise Refused(401, "this is no access token")
        required = ["iss", "aud", "sub", "sid", "exp", "iat"]
        key = KEYS.get_signing_key_from_jwt(token).key
        return jwt.decode(token, key, ["EdDSA"], {"require": required}, audience=AUDIENCE, issuer=ISSUER)
    except jwt.PyJWKClientConnectionError as error:
        # Nobody is told that their token is bad because we cannot get the keys.
        raise Refused(503, "Postern's keys cannot be had right now") from error
    except jwt.PyJWTError as error:
        raise Refused(401, f"the token is not good: {error}") from error


def banner(claims: dict[str, Any]) -> str | None:
    """What to show across every page while somebody else is acting as this user."""
    if "act" not in claims:
        return None
    does = "is looking at" if claims["mode"] == "read_only" else "is acting in"
    return f"{claims['act']['email']} {does} this account. Everything is recorded under both names."


def area(url: str) -> str:
    """The first part of a path, however it is written."""
    # What a router may read in another way than we do is refused before anything is looked up in it.
    path = unquote(url.split("?")[0]).lower()
    if not url.startswith("/") or "//" in url or any(character in "%#\\;" or character.isspace() for character in path):
        raise Refused(400, "no path is written like that")
    parts = [part for part in path.split("/") if part]
    if "." in parts or ".." in parts:
        raise Refused(400, "no path is written like that")
    return parts[0] if parts else ""


class Product(BaseHTTPRequestHandler):
    def answer(self) -> None:
        try:
            claims = verified(self.headers["authorization"])
            acting = "act" in claims
            if acting and self.command not in ("GET", "HEAD"):
                if claims["mode"] != "full":
                    raise Refused(403, "this session only looks")
                if area(self.path) not in FOR_SOMEBODY_ELSE:
                    raise Refused(403, "not while somebody else is acting in this name")
            # Whose rights were used, and who used them: `imp` leads to the reason and the ticket in Postern's log.
            by = claims["act"]["sub"] if acting else claims["sub"]
            print(json.dumps({"did": f"{self.command} {self.path}", "user": claims["sub"], "by": by, "imp": claims.get("imp")}))
            # The org of an impersonation is the only one that it opens.
            self.say(200, {"user": claims["sub"], "org": claims.get("org"), "banner": banner(claims)})
        except Refused as refused:
            self.say(refused.status, {"error": str(refused)})

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def say(self, status: int, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        """Says nothing of every request."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", PORT), Product)
    print(f"listening on {server.server_port}", flush=True)
    server.serve_forever()
