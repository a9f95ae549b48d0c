"""Attacks by requests that are no requests: paths, sizes, slowness, and what sits between two servers."""

from __future__ import annotations

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pyotp

from mash.api.accounts import new_account
from mash.api.guard import WRONG_PER_MINUTE
from mash.api.limits import WIDER, ByPlace, place_of
from mash.api.pages.live import MOST_OF_ONE
from mash.api.self_test.attack import GotIn, allowed, attack, hold, refused
from mash.api.self_test.callers import PASSWORD
from mash.api.self_test.scene import Scene
from mash.config.sign_on import Position, accounts_in, accounts_text
from mash.flows.installation.secret_files import write_secret

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


@attack("send no Host, or two")
def hosts(scene: Scene) -> str:
    for lines in (b"", b"Host: mash\r\nHost: elsewhere\r\n", b"Host: \r\n", b"Host: mash, elsewhere\r\n", b"Host: a@b\r\n"):
        for version in (b"1.1", b"1.0"):
            request = b"GET /health HTTP/%b\r\n%bConnection: close\r\n\r\n" % (version, lines)
            refusal = _status(_spoken(scene, request), 400)
    return refusal


@attack("have many callers counted as one, or be counted as many, by how an address is written")
def addresses(scene: Scene) -> str:
    mapped = {place_of(f"::ffff:192.0.2.{n}") for n in range(256)} | {place_of(f"64:ff9b::192.0.2.{n}") for n in range(256)}
    hold(mapped == {place_of(f"192.0.2.{n}") for n in range(256)}, "IPv4 addresses that are written as IPv6 ones are others")
    limit = ByPlace(10)
    for caller in range(256 * 20):
        address = place_of(f"2001:db8:0:{caller % 256:x}::{caller:x}")
        if not limit.wait(address, 0.0):
            limit.take(address, 0.0)
    given = round(limit.wide.full[place_of("2001:db8::").wide] / limit.wide.interval)
    hold(given <= 10 * WIDER, f"a /56 got {given} requests where a caller gets 10")
    return f"each IPv4 address is one caller, and a whole /56 gets {WIDER} times as much as one"


@attack("keep hundreds of pages live by one session")
def live(scene: Scene) -> str:
    headers = scene.on.staff("team_manager")
    with ExitStack() as opened:
        pages = [opened.enter_context(scene.on.http.stream("GET", "/live", headers=headers)) for _ in range(MOST_OF_ONE + 5)]
        answers = [page.status_code for page in pages]
        hold(answers == [200] * MOST_OF_ONE + [429] * 5, f"answered {answers[-6:]}")
        allowed(scene.on.http.get("/cases", headers=headers))
    return f"429 after {MOST_OF_ONE}"


@attack("lock somebody out of their account by wrong passwords")
def lock_out(scene: Scene) -> str:
    account = new_account("locked.out", PASSWORD, Position(role="social_worker", hub="sandwell"))
    file = scene.on.settings.accounts_file
    assert file
    write_secret(file, accounts_text({**accounts_in(file), "locked.out": account}))
    form = {"login": "Locked.Out", "password": "not this one", "code": "000000"}  # nosec B105  a wrong one
    elsewhere = httpx.HTTPTransport(local_address="127.0.0.2")
    with httpx.Client(base_url=scene.on.settings.base_url, transport=elsewhere, timeout=30) as attacker:
        tried = [attacker.post("/sign-in/local", data=form).status_code for _ in range(8)]
    hold(tried[0] == 401 and tried[-1] == 429, f"whoever guesses was answered {tried}")
    code = pyotp.TOTP(account.one_time_codes.get_secret_value()).now()
    mine = scene.on.http.post("/sign-in/local", data={**form, "password": PASSWORD, "code": code})
    hold(mine.status_code == 303, f"whose account it is was answered {mine.status_code}")
    return "whoever guesses waits; whose account it is signs in"


@attack("read the logs as anybody on the machine")
def logs(scene: Scene) -> str:
    folder = scene.on.settings.data_dir / "logs"
    files = [file for file in folder.iterdir() if file.is_file()]
    hold(bool(files), "there are none")
    shared = [file.name for file in files if file.stat().st_mode & 0o007]
    hold(not shared, f"{shared} are open to all")
    return f"{len(files)} files, none of them open to others"


@attack("guess codes from one place, with a valid key")
def with_a_key(scene: Scene) -> str:
    key, elsewhere = {"Authorization": f"Bearer {scene.on.key}"}, httpx.HTTPTransport(local_address="127.0.0.3")
    with httpx.Client(base_url=scene.on.settings.base_url, transport=elsewhere, headers=key, timeout=30) as guesser:
        allowed(guesser.get(f"/referrals/{scene.case}"))

        def guess(number: int) -> int:
            return guesser.post("/status", data={"reference": scene.case, "code": f"CODE-{number}"}).status_code

        with ThreadPoolExecutor(12) as at_once:
            answers = list(at_once.map(guess, range(WRONG_PER_MINUTE * 2)))
    hold(set(answers) == {404, 429}, f"answered {set(answers)}")
    hold(answers.count(404) <= WRONG_PER_MINUTE + 5, f"{answers.count(404)} codes were looked at")
    return f"{answers.count(404)} are looked at, at once or one after another, then 429"


@attack("guess codes and keys from one place")
def guesses(scene: Scene) -> str:
    tries = [
        scene.on.http.post("/status", data={"reference": scene.case, "code": f"CODE-{n}"}) for n in range(WRONG_PER_MINUTE + 5)
    ]
    answers = [answer.status_code for answer in tries]
    # One is looked at each two seconds, which may be the last.
    hold(set(answers) <= {404, 429} and 429 in answers[-2:], f"answered {set(answers)}")
    signed_in = scene.on.http.get("/cases", headers=scene.on.staff("duty_manager"))
    hold(signed_in.status_code == 200, "whoever is signed in was shut out with them")
    return f"429 after {answers.index(429)} guesses"
