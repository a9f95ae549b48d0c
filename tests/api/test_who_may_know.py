"""Whether a child is known already is for staff who may find people. Whoever else asks, by whatever way, reads the same of a
child of whom much is known as of one of whom nothing is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from hub import Hub, hub_here
from papers import words_on
from pydantic import SecretStr

from mash.api.app import create_app
from mash.config.permissions import may
from mash.config.settings import Settings
from mash.flows.store.log import read_log
from mash.flows.store.looking import look_next
from mash.flows.store.reads.notices import notices_of
from mash.flows.store.store import Store
from mash.flows.telling.access_request import answer
from mash.flows.telling.for_administrators import timeline
from mash.states.messages import STAFF_ACTS

PARTNERS = [("agency", "police"), ("agency", "health"), ("early_help", "early_help"), ("adult_social_worker", "adults")]
KNOWN = {"name": {"given": "Theodore", "family": "Quillfeather"}, "date_of_birth": "2017-03-04", "cohort": "child"}
UNKNOWN = {"name": {"given": "Marguerit", "family": "Oyelaranowen"}, "date_of_birth": "2018-11-20", "cohort": "child"}
AGAIN = {"name": {"given": "Leopoldine", "family": "Ravenscroftova"}, "date_of_birth": "2014-07-28", "cohort": "child"}
TABS = ("story", "answers", "clocks", "told", "sent", "people", "facts")
"""What stands on a case, a tab at a time."""
OTHERWISE = (
    (r"MASH-26-\d{6}", "REFERENCE"),
    (r"Theodore|Marguerit", "GIVEN"),
    (r"Quillfeather|Oyelaranowen", "FAMILY"),
    (r"GIVEN FAMILY, \d+", "GIVEN FAMILY, AGE"),
    (r"2017-03-04|2018-11-20|0?4 March 2017|20 November 2018", "BORN"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "ITEM"),
    (r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}[^\"'<]*", "MOMENT"),
    (r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]* \d{1,2} \w+( \d{4},?)?( at)? ?(\d{2}:\d{2})?", "MOMENT"),
    (r"(\d+ days? )?(\d+ h )?\d+ (min|h|days?) left", "LEFT"),
    (r'name="key" value="[^"]*"', "KEY"),
    (r"[0-9]{8}T[0-9]{6}Z", "MOMENT"),
    (r"SEQUENCE:\d+", "SEQUENCE"),
    (r"\b[A-Z0-9]{4}-[A-Z0-9]{4}(-[A-Z0-9]{4})*\b", "CODE"),
    (r'"status_code": ?"[^"]*"', "CODE"),
)
"""In what two contacts differ that are the same otherwise."""


def plain(text: str) -> list[str]:
    """The lines of a text without what differs anyway; what came at one instant stands in no order."""
    for pattern, name in OTHERWISE:
        text = re.sub(pattern, name, text)
    return sorted(text.splitlines())


def looked_at(hub: Hub) -> None:
    """Everything that waits is looked at."""

    async def all_of_it(store: Store) -> None:
        while await look_next(store):
            pass

    hub.stored(all_of_it)


def a_case(hub: Hub, child: dict[str, Any]) -> str:
    """A contact about a child, red, with a check that was answered."""
    reference = hub.referral(subjects=[child], household=[])
    looked_at(hub)
    hub.work()
    hub.rate(reference)
    hub.work()
    return reference


def goes_on(hub: Hub, reference: str) -> None:
    """The police answer, and the case goes to its meeting."""
    assert hub.answer(reference, "police", "Two calls to the house.").status_code == 200
    hub.work()


@pytest.fixture(scope="module")
def own() -> Iterator[Hub]:
    with hub_here() as running:
        yield running


@pytest.fixture(scope="module")
def cases(own: Hub) -> tuple[str, str]:
    """A child of whom three others told, of which one was confirmed and one rejected, and contacts add up; and one of whom nobody
    ever told."""
    earlier = [own.referral(subjects=[KNOWN], household=[]) for _ in range(3)]
    looked_at(own)
    known = a_case(own, KNOWN)
    own.give(known, "identify_subject", subject="S1", other=earlier[0], other_subject="S1")
    own.give(known, "reject_match", subject="S1", other=earlier[1], other_subject="S1", words="His cousin.")
    own.give(known, "weigh_contacts", words="He is hungry again and again.")
    looked_at(own)
    unknown = a_case(own, UNKNOWN)
    for reference in (known, unknown):
        goes_on(own, reference)
    strip = own.http.get(f"/cases/{known}/earlier", headers=own.staff("duty_manager")).json()
    assert [each["reference"] for each in strip["confirmed"]] == [earlier[0]] and strip["adds_up"] == 3
    return known, unknown


def ways() -> list[str]:
    """Every address by which somebody of staff reads about a case."""
    routes = [route for route in create_app(Settings(token_key=SecretStr("never used"))).state.routes if "GET" in route.methods]
    found = set()
    for route in routes:
        if isinstance(route, APIRoute) and "{reference}" in route.path:
            kinds = (
                [kind for kind in STAFF_ACTS if any(may(role, kind) for role, _ in PARTNERS)] if "{kind}" in route.path else [""]
            )
            found |= {route.path.replace("{kind}", kind).replace("{name}", "convened") for kind in kinds}
    return sorted(found | {f"/case/{{reference}}?tab={tab}" for tab in TABS})


def text_of(answer: httpx.Response) -> str:
    kind = answer.headers.get("content-type", "")
    if kind == "application/pdf":
        return words_on(answer.content)
    if kind == "application/json" and "items" in answer.text:
        found = answer.json()
        items = sorted(found.get("items", []), key=lambda item: str(item["kind"])) if isinstance(found, dict) else []
        return json.dumps({**found, "items": items} if isinstance(found, dict) else found)
    return answer.text


@pytest.mark.parametrize(("role", "agency"), PARTNERS)
def test_no_partner_can_tell_a_known_child_from_another(own: Hub, cases: tuple[str, str], role: str, agency: str) -> None:
    headers, got_in = own.staff(role, agency), 0
    for path in ways():
        answers = []
        for reference, other in (cases, cases[::-1]):
            address = path.replace("{reference}", reference).replace("{other}", other)
            answer = own.http.get(address, headers=headers)
            answers.append((answer.status_code, plain(text_of(answer))))
            got_in += answer.status_code == 200
        assert answers[0][0] == answers[1][0], path
        assert [*set(answers[0][1]) ^ set(answers[1][1])] == [] and answers[0] == answers[1], path
    assert got_in > 6 or role != "agency", "they read nothing at all"


def test_a_partner_who_is_refused_hears_the_same_of_both(own: Hub, cases: tuple[str, str]) -> None:
    commands = [
        {"kind": "accept_step_down"},
        {"kind": "record_decision", "outcomes": {"S1": "no_further_action"}},
        {"kind": "identify_subject", "subject": "S1", "other": "MASH-26-000001", "other_subject": "S1"},
        {"kind": "withdraw_identity", "subject": "S1"},
    ]
    for command in commands:
        answers = [own.command(reference, command, own.staff("early_help", "early_help"), "Why.", seen=1) for reference in cases]
        assert [plain(each.text) for each in answers] == [plain(answers[0].text)] * 2, command
        assert len({answer.status_code for answer in answers}) == 1


def test_whoever_referred_hears_the_same_of_both(own: Hub, cases: tuple[str, str]) -> None:
    headers = {"Authorization": f"Bearer {own.key}"}
    answers = [own.http.get(f"/referrals/{reference}", headers=headers) for reference in cases]
    assert answers[0].status_code == 200 and plain(answers[0].text) == plain(answers[1].text)
    mails = [plain(text) for text in own.received.texts("head@school")]
    of_each = [sorted(m for r, m in _with_reference(own) if r == reference) for reference in cases]
    assert mails and of_each[0] == of_each[1] != []


def _with_reference(hub: Hub) -> list[tuple[str, list[str]]]:
    texts = hub.received.texts("head@school")
    return [(found[0], plain(text)) for text in texts if (found := re.findall(r"MASH-26-\d{6}", text))]


def test_the_answer_to_a_submission_does_not_wait_for_the_look(own: Hub) -> None:
    reference = own.referral(subjects=[KNOWN], household=[])
    assert own.sql("SELECT count(*) FROM to_look WHERE reference = %s", reference) == [(1,)]
    assert not own.http.get(f"/cases/{reference}/earlier", headers=own.staff("duty_manager")).json()["looked"]
    page = own.http.get(f"/case/{reference}", headers=own.staff("duty_manager")).text
    assert "Not yet looked whether anyone here is known" in page
    looked_at(own)


def test_prefect_shows_the_same_of_both(own: Hub, cases: tuple[str, str]) -> None:
    async def shown(store: Store) -> list[list[str]]:
        return [
            plain(timeline(await read_log(store, reference), await notices_of(store, reference), store.hub("sandwell")))
            for reference in cases
        ]

    known, unknown = own.stored(shown)
    assert any("Referral rated" in line for line in known) and known == unknown


def test_what_monitors_read_names_nothing_of_it(own: Hub, cases: tuple[str, str]) -> None:
    text = own.http.get("/metrics").text + own.http.get("/health").text
    assert not re.search(r"likely|identit|pattern|match|adding", text, re.IGNORECASE)


def test_a_mail_that_sends_somebody_to_look_says_no_more_than_that(own: Hub, cases: tuple[str, str]) -> None:
    own.work()
    texts = [text for text in own.received.texts("duty_manager") if "please look at this case" in text]
    assert texts
    for text in texts:
        assert not re.search(r"known|same child|match|earlier|another contact|adds? up|Quillfeather", text, re.IGNORECASE)


def test_an_answer_to_a_subject_says_the_same_of_both_until_a_person_releases_it(own: Hub, cases: tuple[str, str]) -> None:
    async def answers(store: Store) -> list[list[str]]:
        return [plain((await answer(store, reference, "S1", "governor")).page) for reference in cases]

    known, unknown = own.stored(answers)
    assert known == unknown and any("what the hub has noted of other contacts" in line for line in known)


def test_while_a_second_person_looks_and_afterwards_partners_and_prefect_see_no_more_than_a_decision(own: Hub) -> None:
    for _ in range(2):
        own.referral(subjects=[AGAIN], household=[])
    looked_at(own)
    reference = own.referral(subjects=[AGAIN], household=[])
    looked_at(own)
    own.rate(reference)
    own.answer_all(reference)
    own.give(reference, "record_meeting", words="All there.", attended=["police"], rating="red")
    for each in own.http.get(f"/cases/{reference}/earlier", headers=own.staff("duty_manager")).json()["likely"]:
        match = {"subject": each["subject"], "other": each["reference"], "other_subject": each["other"]}
        own.give(reference, "identify_subject", **match)
    looked_at(own)
    own.give(reference, "weigh_contacts", words="Hungry again and again.")
    own.give(reference, "record_decision", words="Nothing more.", outcomes={"S1": "no_further_action"})
    assert own.case(reference)["stage"] == "sign_off"
    police = own.staff("agency", "police")

    def seen() -> list[str]:
        async def prefect(store: Store) -> str:
            return timeline(await read_log(store, reference), await notices_of(store, reference), store.hub("sandwell"))

        paths = (f"/cases/{reference}", f"/cases/{reference}/log", f"/case/{reference}")
        return [*(own.http.get(path, headers=police).text for path in paths), own.stored(prefect)]

    for text in seen():
        assert not re.search(r"sign.?off|second.look|adding", text, re.IGNORECASE), text
    assert own.http.get(f"/cases/{reference}", headers=police).json()["stage"] == "decision"
    manager = {"role": "practice_manager", "words": "I read them too."}
    own.give(reference, "write_second_view", **manager)
    own.give(reference, "sign_off_decision", agreed=True, **manager)
    for text in seen():
        assert not re.search(r"sign.?off|signed.?off|second.look|adding", text, re.IGNORECASE), text
