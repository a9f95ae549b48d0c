"""What whoever connects a referrer's system meets: what comes back of what they sent, and errors that say what to do."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest
from commands import mash_here
from hub import CANARY, ORDINARY, Hub

from mash.api.commands.installed import broken
from mash.states.profile import Profile

OWN = f"case of {CANARY}"
"""Some systems number their cases by who they are about."""


def submitted(hub: Hub, **fields: Any) -> dict[str, Any]:
    answer = hub.submit({**ORDINARY, **fields})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def status(hub: Hub, reference: str) -> dict[str, Any]:
    return dict(hub.http.get(f"/referrals/{reference}", headers={"Authorization": f"Bearer {hub.key}"}).json())


def sent(hub: Hub, content: Any, kind: str = "application/json") -> httpx.Response:
    headers = {"Authorization": f"Bearer {hub.key}", "Idempotency-Key": hub.once(), "Content-Type": kind}
    return hub.http.post("/referrals", content=content, headers=headers)


def profile(hub: Hub) -> Profile:
    async def found(store: Any) -> Profile:
        return store.hub("sandwell")  # type: ignore[no-any-return]

    return hub.stored(found)


# --- a reference of one's own -------------------------------------------------------------------------------------------------


def test_a_reference_of_the_referrers_own_comes_back_with_each_answer_and_is_no_unknown_field(hub: Hub) -> None:
    key = hub.once()
    first, again = (hub.submit({**ORDINARY, "referrer_reference": OWN}, key).json() for _ in range(2))
    assert first["referrer_reference"] == OWN and first == again
    assert "unknown_field" not in first["flags"] and "unknown_fields" not in first
    assert status(hub, first["reference"])["referrer_reference"] == OWN
    case = hub.case(first["reference"])
    (stored,) = [item["fields"]["referrer_reference"] for item in case["items"] if item["kind"] == "submission"]
    page = hub.http.get(f"/case/{first['reference']}?tab=sent", headers=hub.staff("duty_manager")).text
    assert stored == OWN and "Referrer reference</dt>" in page and OWN in page


def test_it_may_name_somebody_so_it_is_kept_as_private_as_the_rest(hub: Hub) -> None:
    reference = submitted(hub, referrer_reference=OWN)["reference"]
    receipt, state = (
        str(hub.sql(f"SELECT {of} WHERE reference = %s", reference)) for of in ("answer FROM receipt", "state FROM referral")
    )
    events = str(hub.sql("SELECT canonical FROM event WHERE reference = %s", reference))
    assert CANARY not in receipt + state + events
    partner = hub.http.get(f"/cases/{reference}", headers=hub.staff("agency", "police"))
    assert OWN not in partner.text


def test_without_one_nothing_is_said_of_it(hub: Hub) -> None:
    received = submitted(hub)
    assert "referrer_reference" not in received and "referrer_reference" not in status(hub, received["reference"])


# --- fields that there are not ------------------------------------------------------------------------------------------------


def test_an_unknown_field_is_named_by_where_it_stands_and_without_its_value(hub: Hub) -> None:
    fields = {
        "worker_id": CANARY,
        "subjects": [{"cohort": "child", "name": {"given": "Isla", "nick": CANARY}}, {"cohort": "child", "shoe_size": 9}],
        "concern": {"summary": "Worried.", "level": {"deep": [CANARY]}},
    }
    key = hub.once()
    first, again = (hub.submit({**ORDINARY, **fields}, key).json() for _ in range(2))
    assert first["unknown_fields"] == ["worker_id", "subjects.0.name.nick", "subjects.1.shoe_size", "concern.level"]
    assert "unknown_field" in first["flags"] and first == again and CANARY not in json.dumps(first)


def test_a_name_of_a_field_may_be_a_persons_so_only_whoever_sent_it_hears_it_again(hub: Hub) -> None:
    received = submitted(hub, **{CANARY: 1, "x" * 200: 1, "line\nbreak": 1, **{f"further_{n}": n for n in range(50)}})
    named = received["unknown_fields"]
    assert named[0] == CANARY and named[1] == f"{'x' * 59}…" and named[2] == "line break" and len(named) == 20
    reference = received["reference"]
    assert CANARY not in str(hub.sql("SELECT answer FROM receipt WHERE reference = %s", reference))
    assert CANARY not in str(hub.sql("SELECT canonical FROM event WHERE reference = %s", reference))


@pytest.mark.parametrize(
    ("cohort", "flag"), [("kid", "S1_cohort_unknown"), ("unknown", "S1_cohort_not_stated"), (None, "S1_cohort_not_stated")]
)
def test_a_cohort_that_is_no_word_of_ours_is_another_thing_than_none(hub: Hub, cohort: str | None, flag: str) -> None:
    flags = submitted(hub, subjects=[{"cohort": cohort, "school": "Thornwick Vale"}])["flags"]
    assert [each for each in flags if "cohort" in each] == [flag]


def test_an_area_that_the_hub_does_not_have_is_flagged(hub: Hub) -> None:
    assert "place_unknown" in submitted(hub, place="Walsall")["flags"]
    assert "place_unknown" not in submitted(hub)["flags"]


# --- what to do next ----------------------------------------------------------------------------------------------------------


def test_whoever_reports_immediate_danger_is_answered_with_what_to_do_now(hub: Hub) -> None:
    received = submitted(hub, concern={"summary": "He is hurting her.", "immediate_danger": True})
    first = profile(hub).in_danger
    assert "call 999 now" in first and received["what_next"].startswith(first)
    page = hub.http.post("/status", data={"reference": received["reference"], "code": received["status_code"]}).text
    assert first in page
    ordinary = submitted(hub)
    assert ordinary["what_next"].startswith("If someone is in immediate danger, call 999.")
    assert first not in hub.http.post("/status", data={"reference": ordinary["reference"], "code": ordinary["status_code"]}).text


def test_a_contact_that_the_hub_does_not_take_has_a_word_for_it(hub: Hub) -> None:
    adult = submitted(hub, subjects=[{"cohort": "adult", "name": {"given": "Ruth"}, "date_of_birth": "1971-03-09"}])
    assert adult["status"] == "being_considered", "somebody reads it first"
    told = "Adults' services have it, and the school has their number."
    hub.give(adult["reference"], "confirm_not_ours", words=told, signposted_to="adults_social_care")
    (part,) = status(hub, adult["reference"])["parts"]
    assert part["status"] == "not_taken" and part["what_next"] == profile(hub).signpost
    assert submitted(hub)["status"] == "being_considered"


def test_a_sentence_ends_once(hub: Hub) -> None:
    for answer in (submitted(hub), submitted(hub, subjects=[{"cohort": "adult", "date_of_birth": "1971-03-09"}])):
        assert ".." not in answer["what_next"]
    hub.work()
    assert ".." not in hub.received.text().replace("...", "")


# --- errors -------------------------------------------------------------------------------------------------------------------

GOOD = json.dumps(ORDINARY)
BODIES: dict[str, tuple[Any, str, str]] = {
    "text/plain": (GOOD, "text/plain", "Content-Type: application/json"),
    "a form": ("concern=Worried", "application/x-www-form-urlencoded", "Content-Type: application/json"),
    "no body": ("", "application/json", "the body is missing"),
    "a comma too many": ('{"concern": {},}', "application/json", "the body is not JSON: "),
    "half of it": (GOOD[:40], "application/json", "the body is not JSON: "),
    "XML": ("<referral/>", "application/json", "the body is not JSON: "),
    "a list": (f"[{GOOD}]", "application/json", "no object"),
    "text": ('"Worried."', "application/json", "no object"),
}


@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_is_no_json_object_is_refused_in_words_that_say_what_to_send(hub: Hub, body: str) -> None:
    content, kind, says = BODIES[body]
    answer = sent(hub, content, kind)
    problem = answer.json()
    assert answer.status_code == 400 and says in problem["detail"], problem
    assert [wrong["field"] for wrong in problem["fields"]] == ["body"] and "dictionary" not in answer.text


def test_json_that_breaks_off_says_where(hub: Hub) -> None:
    assert "at character 17" in sent(hub, '{"concern": {"a"}}').json()["detail"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/cases?limit=many", None),
        ("/cases?limit=9000", None),
        ("/cases?stage=" + "x" * 70, None),
        ("/people/search", {"name": "x"}),
        ("/people/search", {"name": 5}),
        ("/people/search", []),
        ("/people/search", {"name": "Isla", "nick": "y"}),
        ("/accesses", {"reference": "nothing"}),
        ("/cases/MASH-26-000001/commands", {"seen": 1, "command": {"kind": "rate_referral"}}),
        ("/cases/MASH-26-000001/commands", {"seen": 1, "command": {"kind": "answer_check", "agency": "police", "known": "yes"}}),
    ],
)
def test_what_is_expected_is_said_without_the_words_of_a_library(hub: Hub, path: str, body: Any) -> None:
    headers = {**hub.staff("information_governance" if path == "/accesses" else "duty_manager"), "Idempotency-Key": hub.once()}
    answer = hub.http.get(path, headers=headers) if body is None else hub.http.post(path, json=body, headers=headers)
    assert answer.status_code == 400, answer.text
    for wrong in answer.json()["fields"]:
        assert not re.search("should|dictionary|instance|[Ii]nput|Field required", wrong["expected"]), wrong


def test_a_referrers_key_at_cases_is_told_that_it_is_one_and_the_other_way_round(hub: Hub) -> None:
    at_cases = hub.http.get("/cases", headers={"Authorization": f"Bearer {hub.key}"})
    assert at_cases.status_code == 401 and "API key" in at_cases.json()["detail"] and "session" not in at_cases.text
    at_referrals = hub.http.post("/referrals", json=ORDINARY, headers=hub.staff("duty_manager"))
    assert at_referrals.status_code == 401 and "no API key" in at_referrals.json()["detail"]
    assert "Bearer" in hub.http.get("/cases").json()["detail"] or "sign in" in hub.http.get("/cases").json()["detail"]


def test_a_command_that_needs_a_reason_says_by_which_field(hub: Hub) -> None:
    reference = hub.referral()
    hub.give(reference, "rate_referral", rating="green")
    answer = hub.ask(reference, "rerate_referral", rating="red")
    assert answer.status_code == 422 and "'words'" in answer.json()["detail"] and answer.json()["needs"] == ["words"]
    page = hub.http.post(
        f"/case/{reference}/rerate_referral", headers=hub.staff("duty_manager"), data={"rating": "red", "seen": "9", "key": "k"}
    )
    beside = page.text.partition('id="words-error"')[2].partition("</p>")[0]
    assert page.status_code == 422 and "Say why, in a sentence" in beside and "'words'" not in page.text


def test_what_was_sent_as_fields_is_read_as_fields_beside_the_same_as_text(hub: Hub) -> None:
    reference = hub.referral()
    hub.give(reference, "add_note", words='{"this": "is a note"}')
    items = {item["kind"]: item for item in hub.case(reference)["items"]}
    assert items["concern"]["fields"] == json.loads(items["concern"]["content"])
    assert items["subject"]["fields"]["name"]["family"].startswith(CANARY.split()[1])
    assert items["add_note"]["fields"] is None and items["add_note"]["content"] == '{"this": "is a note"}'


# --- keys ---------------------------------------------------------------------------------------------------------------------


def test_a_key_for_an_agency_that_there_is_not_is_refused_with_those_that_there_are(hub: Hub) -> None:
    where = {"MASH_DATA_DIR": str(hub.settings.data_dir)}
    done = mash_here("key", "create", "a-school", "sandwell", "--agency", "nonsense", **where)
    assert done.returncode == 2 and "no such agency; there are police, education" in done.stderr
    assert hub.sql("SELECT count(*) FROM api_key WHERE agency = 'nonsense'") == [(0,)]
    assert mash_here("key", "create", "a-charity", "sandwell", "--agency", "voluntary", **where).returncode == 0
    partner = mash_here("token", "agency", "sandwell", "--agency", "nonsense", **where)
    assert partner.returncode == 2 and "no such agency; there are " in partner.stderr
    assert mash_here("token", "agency", "sandwell", "--agency", "police", **where).returncode == 0


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ([], "every chain verifies"),
        (["MASH-26-000001: event 2 was changed", "MASH-26-000001: event 3 does not follow"], "1 chain is broken"),
        (["MASH-26-000001: a", "MASH-26-000001-B: b"], "2 chains are broken"),
        (["the accesses 1 to 9 are not as they were signed"], "1 thing beside the chains is not as signed"),
        (["MASH-26-000001: a", "checkpoint 2: b", "c"], "1 chain is broken; 2 things beside the chains are not as signed"),
    ],
)
def test_a_chain_that_is_wrong_in_two_ways_is_one_broken_chain(wrong: list[str], says: str) -> None:
    assert broken(wrong) == says
