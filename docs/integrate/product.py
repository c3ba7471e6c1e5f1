"""Example backend of a product that accepts Postern's access tokens: product.py POSTERN PORT.

It verifies tokens offline with the keys that Postern publishes, shows a banner under impersonation,
and restricts the changes that staff can make. Requires PyJWT with `cryptography`.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import jwt

POSTERN, PORT = sys.argv[1], int(sys.argv[2])
# Issuer and audience are configured, never taken from the token.
CONFIG = json.load(open("postern.json"))
ISSUER, AUDIENCE = CONFIG["issuer"], CONFIG["audience"]
# Fetched when a token names an unknown key, and cached for five minutes.
KEYS = jwt.PyJWKClient(f"{POSTERN}/.well-known/jwks.json", lifespan=300)

# Areas that can be changed under impersonation. All others are reserved for the user: payments,
# credentials, deletion of the account.
IMPERSONATION_AREAS = ("notes",)


class Rejected(Exception):
    """A rejected request, with the status of the response."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def verify(authorization: str | None) -> dict[str, Any]:
    """Verifies an Authorization header and returns the claims of its token."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer":
        raise Rejected(401, "no access token")
    try:
        if jwt.get_unverified_header(token).get("typ") != "at+jwt":
            raise Rejected(401, "not an access token")
        required = ["iss", "aud", "sub", "sid", "exp", "iat"]
        key = KEYS.get_signing_key_from_jwt(token).key
        return jwt.decode(
            token, key, ["EdDSA"], {"require": required}, audience=AUDIENCE, issuer=ISSUER
        )
    except jwt.PyJWKClientConnectionError as error:
        # Not 401: the token may be valid.
        raise Rejected(503, "Postern's signing keys are unavailable") from error
    except jwt.PyJWTError as error:
        raise Rejected(401, f"invalid access token: {error}") from error


def banner(claims: dict[str, Any]) -> str | None:
    """Text to show on every page under impersonation."""
    if "act" not in claims:
        return None
    activity = "is looking at" if claims["mode"] == "read_only" else "is acting in"
    staff = claims["act"]["email"]
    return f"{staff} {activity} this account. Everything is recorded under both names."


def area(url: str) -> str:
    """First segment of the path."""
    # Paths that a router could interpret differently are rejected.
    path = unquote(url.split("?")[0]).lower()
    is_ambiguous = any(character in "%#\\;" or character.isspace() for character in path)
    segments = [segment for segment in path.split("/") if segment]
    if not url.startswith("/") or "//" in url or is_ambiguous or {".", ".."} & set(segments):
        raise Rejected(400, "ambiguous path")
    return segments[0] if segments else ""


class Product(BaseHTTPRequestHandler):
    def handle_request(self) -> None:
        try:
            claims = verify(self.headers["authorization"])
            impersonated = "act" in claims
            if impersonated and self.command not in ("GET", "HEAD"):
                if claims["mode"] != "full":
                    raise Rejected(403, "this impersonation is read-only")
                if area(self.path) not in IMPERSONATION_AREAS:
                    raise Rejected(403, "blocked under impersonation")
            # Effective and accountable user. Postern's audit log has the reason and the ticket of
            # the impersonation `imp`.
            entry = {
                "request": f"{self.command} {self.path}",
                "effective_user": claims["sub"],
                "accountable_user": claims["act"]["sub"] if impersonated else claims["sub"],
                "imp": claims.get("imp"),
            }
            print(json.dumps(entry))
            # Under impersonation, only the org in `org` is accessible.
            body = {"user": claims["sub"], "org": claims.get("org"), "banner": banner(claims)}
            self.respond(200, body)
        except Rejected as rejected:
            self.respond(rejected.status, {"error": str(rejected)})

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_request

    def respond(self, status: int, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        """Replaces the access log of the base class: requests are logged above."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", PORT), Product)
    print(f"listening on {server.server_port}", flush=True)
    server.serve_forever()
