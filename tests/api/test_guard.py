"""What comes before the application: limits on how much, how large and how slow, and what every answer carries."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hub import ORDINARY, Hub, hub_here, served

from mash.api import wire
from mash.api.guard import WRONG_PER_MINUTE
from mash.api.limits import WIDER

ALWAYS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.fixture(scope="module")
def own() -> Iterator[Hub]:
    """A hub whose database may be killed."""
    with hub_here() as running:
        yield running


@pytest.fixture
def limited(own: Hub) -> Iterator[Hub]:
    """A hub whose callers have limits, at an address by HTTPS; nobody has called yet."""
    limits = {"requests_per_minute": 200, "anonymous_requests_per_minute": 60, "body_seconds": 3.0}
    with served(own, **limits, trusted_proxies="", public_url="https://mash.example.org") as running:
        yield running


def sent(hub: Hub, words: bytes) -> socket.socket:
    """A connection on which this was said, and nothing more."""
    connection = socket.create_connection((hub.settings.api_host, hub.settings.api_port), timeout=40)
    connection.sendall(words)
    return connection


def spoken(hub: Hub, *pieces: bytes) -> bytes:
    """What the API answers to bytes, sent one after the other, until it closes."""
    with sent(hub, b"") as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for piece in pieces:
                connection.sendall(piece)
        return answered(connection)


def answered(connection: socket.socket) -> bytes:
    """What is said on a connection until it is closed: an answer may come in several pieces."""
    return b"".join(iter(lambda: _received(connection), b""))


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65_536)
    except ConnectionResetError:
        return b""


def problem(answer: bytes) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head and b"nosniff" in head, answer
    return dict(json.loads(body))


HEAD = b"POST /referrals HTTP/1.1\r\nHost: mash\r\nContent-Type: application/json\r\n"


# --- what arrives ---------------------------------------------------------------------------------------------------------------


def test_a_body_that_drips_in_is_given_up_and_holds_no_connection_to_the_database(limited: Hub) -> None:
    began = time.monotonic()
    opened = [sent(limited, HEAD + b"Content-Length: 900000\r\n\r\n{") for _ in range(30)]
    busy = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'mash_app' AND state <> 'idle'"
    assert limited.sql(busy) == [(0,)]
    assert limited.submit(ORDINARY).status_code == 201, "others are served meanwhile"
    assert problem(answered(opened[0]))["status"] == 408
    assert time.monotonic() - began >= limited.settings.body_seconds
    for connection in opened:
        connection.close()


def test_a_head_that_drips_in_is_given_up_and_saying_nothing_keeps_no_connection(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "HEAD_SECONDS", 0.5)
    drip, nothing = sent(hub, b"GET /health HTTP/1.1\r\n"), sent(hub, b"")
    assert problem(answered(drip))["status"] == 408
    assert problem(answered(nothing))["status"] == 408


def test_an_enormous_body_is_refused_before_it_comes(hub: Hub) -> None:
    answer = spoken(hub, HEAD + b"Content-Length: 90000000000\r\nExpect: 100-continue\r\n\r\n")
    assert problem(answer)["status"] == 413, "and not late, which is 408"


def test_an_endless_body_in_pieces_and_endless_trailers_are_cut_off(hub: Hub) -> None:
    piece = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    assert problem(spoken(hub, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[piece] * 40))["status"] == 413
    trailers = [b"x: " + b"y" * 60_000 + b"\r\n"] * 200
    answer = spoken(hub, HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", *trailers)
    assert b" 201 " not in answer


def test_headers_and_addresses_without_end_are_refused(hub: Hub) -> None:
    assert problem(spoken(hub, b"GET / HTTP/1.1\r\n", *[b"X-More: " + b"y" * 9000 + b"\r\n"] * 9))["status"] == 431
    assert hub.http.get("/cases", headers={"X-More": "y" * 20_000}).status_code == 431
    assert hub.http.get("/cases", params={"after": "y" * 20_000}).status_code == 431


@pytest.mark.parametrize(
    "sent", [b"nonsense\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET /\xff HTTP/1.1\r\n\r\n"]
)
def test_what_is_not_http_is_answered_as_a_problem(hub: Hub, sent: bytes) -> None:
    assert problem(spoken(hub, sent))["status"] == 400


def test_a_body_of_unsaid_length_is_taken_while_it_is_small(hub: Hub) -> None:
    headers = {"Authorization": f"Bearer {hub.key}", "Idempotency-Key": "pieces", "Content-Type": "application/json"}
    answer = hub.http.post("/referrals", content=iter([b'{"concern": ', b'{"summary": "Worried."}}']), headers=headers)
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "lines", [b"", b"Host: mash\r\nHost: elsewhere\r\n", b"Host:\r\n", b"Host: mash, elsewhere\r\n", b"Host: somebody@mash\r\n"]
)
def test_a_request_names_this_server_once(hub: Hub, lines: bytes) -> None:
    for version in (b"1.1", b"1.0"):
        answer = problem(spoken(hub, b"GET /health HTTP/%b\r\n%bConnection: close\r\n\r\n" % (version, lines)))
        assert answer["status"] == 400 and "one Host header" in answer["detail"]


@pytest.mark.parametrize("host", [b"mash.example.org", b"mash.example.org:8443", b"127.0.0.1:1", b"[::1]:8000", b"hub_1"])
def test_any_name_that_a_server_may_have_is_taken(hub: Hub, host: bytes) -> None:
    answer = spoken(hub, b"GET /health HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % host)
    assert answer.startswith(b"HTTP/1.1 200")


# --- who calls how often ------------------------------------------------------------------------------------------------------


def statuses(hub: Hub, number: int, **headers: str) -> list[int]:
    return [hub.http.get("/rota", headers=headers).status_code for _ in range(number)]


def test_callers_have_limits_of_their_own_and_are_told_when_to_come_again(limited: Hub) -> None:
    one, other = limited.staff("duty_manager"), limited.staff("team_manager")
    seen = statuses(limited, 400, **one)
    assert seen[0] == 200 and seen.count(200) >= 200 and 429 in seen
    assert statuses(limited, 3, **other) == [200] * 3, "another caller from the same address is not held up"
    assert limited.submit(ORDINARY).status_code == 201
    asked = (limited.http.get("/rota", headers=one) for _ in range(100))
    answer = next(answer for answer in asked if answer.status_code == 429)
    assert answer.json()["retry_after"] == int(answer.headers["retry-after"]) > 0
    time.sleep(answer.json()["retry_after"])
    assert statuses(limited, 1, **one) == [200]


def test_a_caller_is_the_same_one_in_whatever_words_the_secret_is_shown(limited: Hub) -> None:
    secret = limited.staff("practice_manager")["Authorization"].split()[1]
    shown = [
        {"Authorization": f"Bearer {secret}"},
        {"Authorization": f"bearer    {secret}"},
        {"Cookie": f"__Host-mash={secret}"},
        {"Cookie": f"__Host-mash={secret}; theme=dark"},
        {"Cookie": f"a=1; __Host-mash={secret}; __Host-mash-wall=made-up"},
    ]
    asked = (limited.http.get("/rota", headers=shown[0]).status_code for _ in range(2_000))
    assert 429 in asked, "all that is theirs within a minute is used up"
    for headers in shown[1:]:
        assert 429 in statuses(limited, 20, **headers), "and shown otherwise, it is not another's"
    assert statuses(limited, 3, **limited.staff("service_manager")) == [200] * 3


def test_whoever_guesses_keys_is_slowed_down_and_those_who_have_one_are_not(limited: Hub) -> None:
    known = limited.staff("duty_manager", hub="merton")
    assert statuses(limited, 1, **known) == [200]
    guessed = [statuses(limited, 1, Authorization=f"Bearer mash_{n}")[0] for n in range(WRONG_PER_MINUTE + 20)]
    assert set(guessed) == {401, 429} and guessed.count(401) <= WRONG_PER_MINUTE + 5
    assert statuses(limited, 1, **known) == [200]
    codes = [limited.http.post("/status", data={"reference": "MASH-26-000001", "code": str(n)}).status_code for n in range(3)]
    assert 429 in codes, "the same holds for codes, from the same place"
    assert [limited.http.get("/health").status_code for _ in range(80)] == [200] * 80, "monitors are not limited like that"


@pytest.fixture
def behind_a_proxy(own: Hub) -> Iterator[Hub]:
    """The same behind a proxy on this machine, which says who calls."""
    limits = {"anonymous_requests_per_minute": 60, "drafts_per_hour": 3, "requests_per_minute": 10_000}
    with served(own, **limits, trusted_proxies="127.0.0.1") as running:
        yield running


def test_a_valid_key_guesses_codes_no_faster_than_nobody(limited: Hub) -> None:
    key = {"Authorization": f"Bearer {limited.key}"}
    assert limited.http.get("/referrals/MASH-26-999999", headers=key).status_code == 404, "it is known from now on"
    tried = [
        limited.http.post("/status", headers=key, data={"reference": "MASH-26-000001", "code": str(n)}).status_code
        for n in range(WRONG_PER_MINUTE + 10)
    ]
    assert set(tried) == {404, 429} and tried.count(404) <= WRONG_PER_MINUTE + 3
    assert limited.submit(ORDINARY).status_code == 201, "it goes on submitting"


def test_guesses_that_come_at_once_are_no_more_than_one_after_another(limited: Hub) -> None:
    def guess(number: int) -> int:
        return limited.http.post("/status", data={"reference": "MASH-26-000001", "code": str(number)}).status_code

    with ThreadPoolExecutor(20) as at_once:
        tried = list(at_once.map(guess, range(55)))
    assert set(tried) == {404, 429} and tried.count(404) <= WRONG_PER_MINUTE + 3


def test_callers_with_ipv4_addresses_written_as_ipv6_are_not_held_up_by_one_of_them(behind_a_proxy: Hub) -> None:
    def ask(address: str) -> int:
        return behind_a_proxy.http.get("/status", headers={"X-Forwarded-For": address}).status_code

    assert 429 in [ask("::ffff:192.0.2.1") for _ in range(80)]
    # One is let through each second.
    assert 429 in (ask("192.0.2.1"), ask("192.0.2.1")), "the same caller, written otherwise"
    assert [ask(f"::ffff:192.0.2.{n}") for n in range(2, 12)] == [200] * 10


def test_a_subscriber_with_256_networks_begins_no_drafts_without_end(behind_a_proxy: Hub) -> None:
    def begin(network: int) -> int:
        address = {"X-Forwarded-For": f"2001:db8:0:{network:x}::1"}
        return behind_a_proxy.http.post("/refer", headers=address).status_code

    begun = [begin(network) for network in range(60)]
    assert set(begun) == {303, 429} and begun.count(303) == 3 * WIDER


# --- what every answer carries ------------------------------------------------------------------------------------------------


def test_every_answer_carries_the_same_protection(limited: Hub) -> None:
    key = {"Authorization": f"Bearer {limited.key}", "Idempotency-Key": "headers"}
    for answer in (
        limited.http.get("/health"),
        limited.http.get("/docs"),
        limited.http.get("/nowhere"),
        limited.http.delete("/cases"),
        limited.http.post("/referrals", content="{", headers=key),
        limited.http.get("/status", headers={"Origin": "https://elsewhere.example.org"}),
        limited.http.options(
            "/cases", headers={"Origin": "https://elsewhere.example.org", "Access-Control-Request-Method": "GET"}
        ),
    ):
        assert {name: answer.headers.get(name) for name in ALWAYS} == ALWAYS, answer.url
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        assert "permissions-policy" in answer.headers
        assert "server" not in answer.headers
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_an_address_without_https_does_not_ask_for_it(hub: Hub) -> None:
    assert "strict-transport-security" not in hub.http.get("/health").headers


def test_the_documentation_is_a_page_with_scripts_of_ours_alone_that_names_every_operation(hub: Hub) -> None:
    page = hub.http.get("/docs")
    assert page.status_code == 200
    assert "<script>" not in page.text and "https://" not in page.text and "style=" not in page.text
    for path, methods in hub.http.get("/openapi.json").json()["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}" in page.text
    for word in ("concern", "Idempotency-Key", "rate_referral", "Retry-After", "The API key of a referrer"):
        assert word in page.text
    assert hub.http.get("/redoc").status_code == 404


def test_a_wrong_method_says_which_are_right(hub: Hub) -> None:
    answer = hub.http.delete("/status")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


def test_an_invented_address_of_a_proxy_is_not_believed(limited: Hub) -> None:
    invented = ({"X-Forwarded-For": f"192.0.2.{n}"} for n in range(80))
    began = time.monotonic()
    answers = [limited.http.get("/rota", headers=headers).status_code for headers in invented]
    # One is let through each second.
    assert set(answers) == {401, 429} and answers.count(401) <= 61 + time.monotonic() - began


def test_an_error_of_ours_says_nothing_of_its_cause(limited: Hub) -> None:
    signed_in = limited.staff("duty_manager")
    assert limited.http.get("/rota", headers=signed_in).status_code == 200
    limited.sql("ALTER TABLE rota RENAME TO mislaid")
    try:
        answer = limited.http.get("/rota", headers=signed_in)
    finally:
        limited.sql("ALTER TABLE mislaid RENAME TO rota")
    assert answer.status_code == 500
    assert answer.headers["content-security-policy"]
    assert set(answer.json()) == {"type", "title", "status"}
