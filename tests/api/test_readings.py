"""What a partner reads of a case, by every way there is: what another agency found, before that releases it, and what kind of
person referred change nothing in it."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from hub import ORDINARY, Hub
from papers import words_on
from pydantic import SecretStr

from mash.api.app import create_app
from mash.config.permissions import may
from mash.config.settings import Settings
from mash.states.messages import STAFF_ACTS

AGENCIES = ("health", "education", "housing", "probation", "mental_health")
PARTNERS = [*(("agency", agency) for agency in AGENCIES), ("early_help", "early_help"), ("adult_social_worker", "adults")]
NEIGHBOUR = {"code": "1B", "agency": "individual", "name": "A. Neighbour", "email": "neighbour@example.org"}
TEACHER = {"code": "2A", "agency": "education", "name": "B. Teacher", "email": "teacher@school.example.org"}
NOTHING_FOUND = {"known": False, "relevant": False, "sensitive": False}
ALL_FOUND = {
    "known": True,
    "relevant": True,
    "recommendation": "section_47",
    "suggested_rating": "amber",
    "sensitive": True,
}
DIFFERENT = (
    (r"MASH-26-\d{6}", "REFERENCE"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "ITEM"),
    (r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}[^\"'<]*", "MOMENT"),
    (r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d{2} \w{3}( \d{4},)? \d{2}:\d{2}\b", "MOMENT"),
    (r"(\d+ days? )?(\d+ h )?\d+ (min|h|days?) left", "LEFT"),
    (r'name="key" value="[^"]*"', "KEY"),
    (r"[0-9]{8}T[0-9]{6}Z", "MOMENT"),
    (r"SEQUENCE:\d+", "SEQUENCE"),
)
"""What differs between two cases that are the same otherwise."""


def a_case(hub: Hub, source: dict[str, str], found: dict[str, Any]) -> str:
    """A red case of which the police hold something, whatever they have found."""
    kind = "referral" if source == TEACHER else "police_notification"
    reference = hub.referral(source=source, kind=kind, subjects=[dict(ORDINARY["subjects"][0])], household=[])
    hub.rate(reference)
    police = hub.staff("agency", "police")
    answer = hub.command(reference, {"kind": "answer_check", "agency": "police", **found}, police, "Two calls to the house.")
    assert answer.status_code == 200, answer.text
    contributed = hub.command(reference, {"kind": "contribute_information", "sensitive": found["sensitive"]}, police, "And more.")
    assert contributed.status_code == 200, contributed.text
    voice = {"kind": "record_child_voice", "subject": "S1", "sensitive": found["sensitive"]}
    heard = hub.command(reference, voice, police, "I do not want him to know.")
    assert heard.status_code == 200, heard.text
    return reference


TABS = ("story", "answers", "clocks", "told", "sent", "people", "facts")
"""What stands on a case, a tab at a time."""


def ways() -> list[str]:
    """Every address by which somebody of staff reads about a case, or about several."""
    routes = [route for route in create_app(Settings(token_key=SecretStr("never used"))).state.routes if "GET" in route.methods]
    of_a_case = [route for route in routes if isinstance(route, APIRoute) and "{reference}" in route.path]
    paths = {path for route in of_a_case for path in _filled(route.path)}
    return sorted({*paths, "/cases", "/board", "/checks", "/meetings", "/gatherings", "/disagreements", "/people", "/manager"})


def _filled(path: str) -> list[str]:
    if path == "/case/{reference}":
        return [path, *(f"{path}?tab={tab}" for tab in TABS)]
    if "{kind}" in path:
        return [path.replace("{kind}", kind) for kind in STAFF_ACTS if any(may(role, kind) for role, _ in PARTNERS)]
    return [path.replace("{name}", "convened")]


def text_of(answer: httpx.Response) -> str:
    """What is to be read in an answer; of a PDF, the words that it draws."""
    return words_on(answer.content) if answer.headers["content-type"] == "application/pdf" else answer.text


def read(hub: Hub, path: str, reference: str, headers: dict[str, str]) -> tuple[int, str]:
    answer = hub.http.get(path.replace("{reference}", reference), headers=headers)
    text = text_of(answer)
    if path == "/cases/{reference}" and answer.status_code == 200:
        # What came with the referral came at one instant, and stands in no order.
        text = json.dumps({**answer.json(), "items": sorted(answer.json()["items"], key=lambda item: str(item["kind"]))})
    for pattern, name in DIFFERENT:
        text = re.sub(pattern, name, text)
    return answer.status_code, text


@pytest.fixture(scope="module")
def two_cases(hub: Hub) -> tuple[str, str]:
    """Two cases that differ in nothing but what the police found, and in what kind of person referred."""
    return a_case(hub, TEACHER, NOTHING_FOUND), a_case(hub, NEIGHBOUR, ALL_FOUND)


@pytest.mark.parametrize(("role", "agency"), PARTNERS)
def test_no_partner_can_tell_two_cases_apart_by_what_others_found_or_who_referred(
    hub: Hub, two_cases: tuple[str, str], role: str, agency: str
) -> None:
    headers, got_in = hub.staff(role, agency), 0
    for path in ways():
        if "{reference}" not in path:
            continue
        one, other = (read(hub, path, reference, headers) for reference in two_cases)
        assert one == other, path
        got_in += one[0] == 200
    assert got_in > 3 or role != "agency", "they read nothing at all"


@pytest.mark.parametrize(("role", "agency"), PARTNERS)
def test_no_reading_says_a_word_of_them(hub: Hub, two_cases: tuple[str, str], role: str, agency: str) -> None:
    headers = hub.staff(role, agency)
    for path in ways():
        text = text_of(hub.http.get(path.replace("{reference}", two_cases[1]), headers=headers)).lower()
        # The form of an answer offers every answer there is.
        of_findings: tuple[str, ...] = () if path.endswith("/answer_check") else ('"section_47"', "section 47 (amber)")
        # A paper offers none, and what it says stands without the quotes of an API and without the colours of a page.
        of_findings += ("section_47", "section 47", "amber") if path.endswith(".pdf") else ()
        assert not [word for word in ("neighbour", "individual", *of_findings) if word in text], path
    answer = hub.http.get(f"/cases/{two_cases[1]}", headers=headers)
    if answer.status_code == 200:
        assert not {"known", "relevant", "recommendation", "suggested_rating"} & {*answer.json()["checks"]["police"]}
        assert {item["agency"] for item in answer.json()["items"] if item["kind"] in ("concern", "referrer")} == {"unknown"}


def test_the_owner_and_the_hub_read_what_was_found_and_the_hub_who_referred(hub: Hub, two_cases: tuple[str, str]) -> None:
    for headers in (hub.staff("agency", "police"), hub.staff("duty_manager"), hub.staff("out_of_hours")):
        check = hub.http.get(f"/cases/{two_cases[1]}", headers=headers).json()["checks"]["police"]
        assert (check["known"], check["recommendation"], check["suggested_rating"]) == (True, "section_47", "amber")
    story = hub.http.get(f"/cases/{two_cases[1]}/log", headers=hub.staff("duty_manager")).text
    assert "source agency individual" in story and may("duty_manager", "read_story")


def test_once_it_is_released_the_others_read_what_was_found(hub: Hub) -> None:
    reference = a_case(hub, NEIGHBOUR, ALL_FOUND)
    police, health = hub.staff("agency", "police"), hub.staff("agency", "health")
    items = hub.http.get(f"/cases/{reference}", headers=police).json()["items"]
    answer, more = (
        next(item["item"] for item in items if item["kind"] == kind) for kind in ("answer_check", "contribute_information")
    )

    def release(item: str) -> None:
        command = {"kind": "release_information", "item": item, "necessity": "to_protect_a_child", "proportionality": "extract"}
        seen = hub.case(reference)["version"]
        sent = {"seen": seen, "command": command, "words": "They must know.", "redacted": "Calls."}
        headers = {**police, "Idempotency-Key": hub.once()}
        assert hub.http.post(f"/cases/{reference}/commands", json=sent, headers=headers).status_code == 200

    def seen_by_health() -> dict[str, Any]:
        return dict(hub.http.get(f"/cases/{reference}", headers=health).json()["checks"]["police"])

    release(more)
    assert "known" not in seen_by_health(), "something else was released, not what they answered"
    release(answer)
    assert (seen_by_health()["known"], seen_by_health()["recommendation"]) == (True, "section_47")
    assert "Section 47" in hub.http.get(f"/case/{reference}?tab=answers", headers=health).text
