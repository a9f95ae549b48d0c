"""Attacks by requests that are no requests: paths, sizes, slowness, and what sits between two servers."""

from __future__ import annotations

import json
import socket

from mash.api.guard import WRONG_PER_MINUTE
from mash.api.self_test.attack import GotIn, attack, hold, refused
from mash.api.self_test.scene import Scene

POST = b"POST /referrals HTTP/1.1\r\nHost: mash\r\nContent-Type: application/json\r\n"


def _spoken(scene: Scene, *pieces: bytes) -> bytes:
    """What is answered to bytes, until the connection is closed."""
    with socket.create_connection((scene.on.settings.api_host, scene.on.settings.api_port), timeout=40) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has heard enough
        answer = b""
        try:
            while piece := connection.recv(65_536):
                answer += piece
        except ConnectionResetError:
            return answer
    return answer


def _status(answer: bytes, *expected: int) -> str:
    """The status of an answer. Raises GotIn where it is another."""
    line = answer.partition(b"\r\n")[0].decode()
    if not any(f" {status} " in line for status in expected):
        raise GotIn(f"answered {line or 'nothing'}")
    return line.removeprefix("HTTP/1.1 ")


RAW = ("/../../../../etc/passwd", "//cases")


@attack("reach files and other routes by tricks in a path")
def paths(scene: Scene) -> str:
    headers = scene.on.staff("agency", "police")
    tricks = (
        "/../../etc/passwd", "/cases/..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/cases/%00",
        "/cases/;/rota", f"/CASES/{scene.elsewhere}", f"/cases/{scene.elsewhere}%2flog", "/cases/..;/accesses", "/.env",
    )  # fmt: skip
    for path in tricks:
        hold(scene.on.http.get(path, headers=headers).status_code in (400, 404), path)
    # Raw, as clients mend such paths before they send them.
    raw = [_spoken(scene, f"GET {path} HTTP/1.1\r\nHost: mash\r\nConnection: close\r\n\r\n".encode()) for path in RAW]
    return "; ".join(dict.fromkeys(_status(each, 400, 404) for each in raw))


@attack("change the method by a header")
def method(scene: Scene) -> str:
    before = scene.on.case(scene.case)["version"]
    for name in ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"):
        scene.on.http.get(f"/cases/{scene.case}/commands", headers={**scene.on.staff("duty_manager"), name: "POST"})
    answer = scene.on.http.request("TRACE", "/health")
    hold(scene.on.case(scene.case)["version"] == before, "it was carried out")
    return refused(answer, 405)


@attack("announce an enormous body")
def announced(scene: Scene) -> str:
    return _status(_spoken(scene, POST + b"Content-Length: 90000000000\r\n\r\n"), 413)


@attack("send a body without end")
def endless(scene: Scene) -> str:
    piece = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    return _status(_spoken(scene, POST + b"Transfer-Encoding: chunked\r\n\r\n", *[piece] * 40), 413)


@attack("send a body drop by drop")
def slow(scene: Scene) -> str:
    return _status(_spoken(scene, POST + b"Content-Length: 1000\r\n\r\n{"), 408)


@attack("send headers without end")
def heads(scene: Scene) -> str:
    return _status(_spoken(scene, b"GET / HTTP/1.1\r\n", *[b"X-More: " + b"y" * 9_000 + b"\r\n"] * 9), 431)


@attack("hide one request in another (two lengths)")
def smuggled(scene: Scene) -> str:
    hidden = b"GET /metrics HTTP/1.1\r\nHost: mash\r\n\r\n"
    body = b"0\r\n\r\n" + hidden
    lengths = b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n" % len(body)
    answer = _spoken(scene, POST + lengths + body)
    hold(b"mash_" not in answer, "the hidden one was answered")
    return _status(answer, 400)


@attack("send JSON of a thousand levels")
def deep(scene: Scene) -> str:
    headers = {"Authorization": f"Bearer {scene.on.key}", "Content-Type": "application/json"}
    for number, (opens, closes) in enumerate((("[", "]"), ('{"a":', "}"))):
        content = '{"concern": {"summary": "x", "more": ' + opens * 1_000 + "1" + closes * 1_000 + "}}"
        answer = scene.on.http.post("/referrals", content=content, headers={**headers, "Idempotency-Key": f"deep-{number}"})
        refusal = refused(answer, 400)
    return refusal


@attack("send a number that no number is")
def numbers(scene: Scene) -> str:
    headers = {**scene.on.staff("duty_manager"), "Idempotency-Key": "number", "Content-Type": "application/json"}
    for seen in ("NaN", "1e400", "9" * 5_000, "-1", "true"):
        body = json.dumps({"command": {"kind": "add_note"}, "words": "x"})[:-1] + f', "seen": {seen}}}'
        refusal = refused(scene.on.http.post(f"/cases/{scene.case}/commands", content=body, headers=headers), 400)
    return refusal


@attack("guess codes and keys from one place")
def guesses(scene: Scene) -> str:
    tries = [
        scene.on.http.post("/status", data={"reference": scene.case, "code": f"CODE-{n}"}) for n in range(WRONG_PER_MINUTE + 5)
    ]
    answers = [answer.status_code for answer in tries]
    hold(set(answers) <= {404, 429} and answers[-1] == 429, f"answered {set(answers)}")
    signed_in = scene.on.http.get("/cases", headers=scene.on.staff("duty_manager"))
    hold(signed_in.status_code == 200, "whoever is signed in was shut out with them")
    return f"429 after {answers.index(429)} guesses"
