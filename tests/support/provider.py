"""An OpenID provider as a process of its own, which can be told to misbehave: python provider.py PORT."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

CLIENT, SECRET = "mash", "a secret of the provider's"
PORT = int(sys.argv[1]) if __name__ == "__main__" else 0
ISSUER = f"http://127.0.0.1:{PORT}"
KNOWN: list[RSAKey | ECKey | OKPKey] = []
LOOKS: list[float] = []
"""When its keys were asked for."""
CODES: dict[str, dict[str, str]] = {}
BEHAVIOUR: dict[str, Any] = {}
"""How it is to misbehave: claims to say instead, a key to sign by, another issuer, endpoints elsewhere, nobody let in."""


@contextmanager
def running(port: int) -> Iterator[str]:
    """A provider that runs; its address."""
    process = subprocess.Popen([sys.executable, __file__, str(port)], stdout=subprocess.PIPE)
    try:
        assert process.stdout and process.stdout.readline()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate()


def new_key(algorithm: str = "RS256") -> RSAKey | ECKey | OKPKey:
    about: Any = {"kid": secrets.token_hex(4), "use": "sig", "alg": algorithm}
    if algorithm == "EdDSA":
        return OKPKey.generate_key("Ed25519", about)
    return ECKey.generate_key("P-256", about) if algorithm == "ES256" else RSAKey.generate_key(2048, about)


def in_base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def token(nonce: str) -> str:
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": CLIENT, "sub": "u-1", "iat": now, "exp": now + 300, "nonce": nonce}
    claims |= {"preferred_username": "d.manager", "groups": ["mash-duty"], **BEHAVIOUR.get("claims", {})}
    claims = {name: value for name, value in claims.items() if value is not None}
    by = BEHAVIOUR.get("sign_by", "its key")
    if by == "nothing":
        header, body = (in_base64(json.dumps(part).encode()) for part in ({"alg": "none"}, claims))
        return f"{header}.{body}."
    if by == "its public key as a secret":
        return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(KNOWN[-1].as_pem(private=False)), algorithms=["HS256"])
    key = new_key() if by == "an unknown key" else KNOWN[-1]
    algorithm = key.as_dict()["alg"]
    return jwt.encode({"alg": algorithm, "kid": BEHAVIOUR.get("kid", key.kid)}, claims, key, algorithms=[algorithm])


class Provider(BaseHTTPRequestHandler):
    """One request."""

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def answer(self, body: Any, status: int = 200) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        if address.path == "/.well-known/openid-configuration":
            ends = {f"{end}_endpoint": f"{ISSUER}/{end}" for end in ("authorization", "token")}
            # By another name, as where providers have a host of its own for it.
            ends["end_session_endpoint"] = f"http://localhost:{PORT}/end_session"
            ends |= {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys", **BEHAVIOUR.get("says", {})}
            self.answer({name: value for name, value in ends.items() if value is not None})
        elif address.path == "/looks":
            self.answer(LOOKS)
        elif address.path == "/keys":
            LOOKS.append(time.time())
            self.answer({"keys": [key.as_dict(private=False) for key in KNOWN]})
        else:  # whoever comes is signed in already
            code = secrets.token_urlsafe(16)
            CODES[code] = asked
            query = {"error": "access_denied"} if BEHAVIOUR.get("refuse") else {"code": code}
            self.send_response(303)
            self.send_header("Location", f"{asked['redirect_uri']}?{urlencode({**query, 'state': asked['state']})}")
            self.end_headers()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/behave":
            BEHAVIOUR.clear()
            BEHAVIOUR.update(json.loads(body))
            if BEHAVIOUR.get("rotate"):
                KNOWN[:] = [new_key(BEHAVIOUR.get("algorithm", "RS256"))]
            self.answer({})
            return
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        asked = CODES.pop(form.get("code", ""), None)
        proof = in_base64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        known = self.headers.get("Authorization") == "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if asked is None or asked["code_challenge_method"] != "S256" or proof != asked["code_challenge"] or not known:
            self.answer({"error": "invalid_grant"}, 400)
        else:
            self.answer({"access_token": "x", "token_type": "Bearer", "id_token": token(asked["nonce"])})


if __name__ == "__main__":
    KNOWN.append(new_key())
    server = ThreadingHTTPServer(("127.0.0.1", PORT), Provider)
    print("ready", flush=True)
    server.serve_forever()
