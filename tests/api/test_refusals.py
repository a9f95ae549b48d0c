"""What the API refuses, and how it says so."""

from __future__ import annotations

import html
import json
from typing import Any

import pytest
from hub import CANARY, ORDINARY, Hub

from mash.api import problems
from mash.config.permissions import read_permissions
from mash.config.words import TO_CHECK, worded
from mash.notifications.notices import REFERRER
from mash.states.errors import Refusal
from mash.states.values import SYSTEM


def kinds(of: type[Refusal]) -> set[type[Refusal]]:
    return {kind for sub in of.__subclasses__() for kind in ({sub} | kinds(sub))}


def test_every_refusal_has_a_status() -> None:
    assert kinds(Refusal) - set(problems.STATUS) == set()


def test_nobody_anonymous_gets_beyond_what_the_table_opens(hub: Hub) -> None:
    paths = hub.http.get("/openapi.json").json()["paths"]
    # Health and counts; what a signed link or a code opens.
    open_to_all = set(read_permissions().open)
    named = [(method, path) for path, methods in paths.items() for method in methods]
    closed = [(method, path) for method, path in named if f"{method.upper()} {path}" not in open_to_all]
    assert len(closed) >= 6
    for method, path in closed:
        answer = hub.http.request(method, path.replace("{reference}", "MASH-26-000001"), json=ORDINARY | {"seen": 1})
        bodies = {"commands": {"seen": 1, "command": {"kind": "add_note"}}, "disagreements": {"words": "No."}}
        if method == "post" and (body := bodies.get(path.split("/")[-1])):
            answer = hub.http.post(path.replace("{reference}", "MASH-26-000001"), json=body)
        assert answer.status_code == 401, (method, path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_staff_token_is_not_an_api_key_nor_the_other_way_round(hub: Hub) -> None:
    assert hub.http.post("/referrals", json=ORDINARY, headers=hub.staff("duty_manager")).status_code == 401
    assert hub.http.get("/cases", headers={"Authorization": f"Bearer {hub.key}"}).status_code == 401
    assert hub.http.get("/cases", headers={"Authorization": "Bearer forged.token.here"}).status_code == 401


def test_wrong_numbers_and_codes_are_kept_and_flagged_never_refused(hub: Hub) -> None:
    child = {
        "name": {"family": "Somebody"},
        "nhs_number": "1234567890",
        "upn": "NOT-A-UPN",
        "date_of_birth": "last spring",
        "age_estimate": "about five",
        "cohort": "toddler",
        "shoe_size": 9,
    }
    answer = hub.submit(
        {
            "kind": "worry",
            "source": {"code": "99Z"},
            "subjects": [child],
            "concern": {"summary": "Crying every night.", "primary_need": "N77", "factors": ["99X"]},
            "consent": None,
        }
    )
    assert answer.status_code == 201
    assert {
        "kind_unknown",
        "source_code_unknown",
        "S1_nhs_number_not_valid",
        "S1_upn_not_valid",
        "S1_date_of_birth_not_understood",
        "primary_need_unknown",
        "factor_unknown",
        "consent_not_asked",
        "unknown_field",
        "S1_cohort_unknown",
    } <= set(answer.json()["flags"])
    items = hub.case(answer.json()["reference"])["items"]
    content = next(item["content"] for item in items if item["kind"] == "subject")
    assert '"shoe_size":9' in content and '"nhs_number":"1234567890"' in content


def test_several_children_and_a_household_are_one_referral(hub: Hub) -> None:
    reference = hub.referral(subjects=[{"cohort": "child"}, {"cohort": "unborn"}], household=[{"name": "A"}, {"name": "B"}])
    assert set(hub.case(reference)["subjects"]) == {"S1", "S2"}


@pytest.mark.parametrize("body", [{}, {"subjects": [{"cohort": "child", "sex": "F"}]}, {"concern": {"summary": "  "}}])
def test_only_nothing_at_all_is_refused(hub: Hub, body: object) -> None:
    answer = hub.submit(body)
    assert answer.status_code == 422
    assert "concern.summary" in answer.json()["detail"]
    assert hub.sql("SELECT status FROM receipt WHERE caller = 'school' ORDER BY at DESC LIMIT 1") == [(422,)], (
        "counted all the same"
    )


def test_a_malformed_body_is_answered_by_field_and_nothing_of_it_is_repeated(hub: Hub) -> None:
    unreadable = f"{CANARY}\x00"
    answer = hub.submit({"subjects": [{"name": unreadable}, {"name": {"family": unreadable}}], "concern": unreadable})
    assert answer.status_code == 400
    fields = {wrong["field"] for wrong in answer.json()["fields"]}
    assert fields == {"concern.summary", "subjects.0.name", "subjects.1.name.family"}
    assert "Quillfeather" not in answer.text


ISLA = "Isla Example"
SHAPES: list[tuple[dict[str, Any], str, str]] = [
    ({"subjects": [{"name": ISLA}]}, "subject", '"name":"Isla Example"'),
    ({"subjects": [{"name": ["Isla", "Example"]}]}, "subject", '"name":"Isla Example"'),
    ({"subjects": [{"name": 7}]}, "subject", '"name":"7"'),
    ({"subjects": [ISLA, None]}, "subject", '"name":"Isla Example"'),
    ({"subjects": ISLA}, "subject", '"name":"Isla Example"'),
    ({"subjects": {"name": ISLA}}, "subject", '"name":"Isla Example"'),
    ({"subjects": [{"address": "1 Elm Rd, B70 8AA"}]}, "subject", '"address":"1 Elm Rd, B70 8AA"'),
    ({"subjects": [{"address": ["1 Elm Rd", "B70 8AA"]}]}, "subject", '"address":"1 Elm Rd, B70 8AA"'),
    ({"subjects": [{"school": {"name": "Thornwick Vale", "urn": 7}}]}, "subject", '"school":"name: Thornwick Vale; urn: 7"'),
    ({"subjects": [{"name": ISLA, "date_of_birth": True}]}, "subject", '"date_of_birth":"true"'),
    ({"household": ["Ruth Example"]}, "household", '"name":"Ruth Example"'),
    ({"household": "Ruth Example"}, "household", '"name":"Ruth Example"'),
    ({"household": [{"name": {"family": "Example", "given": "Ruth"}}]}, "household", '"name":"Ruth Example"'),
    ({"concern": "She cries."}, "concern", '"summary":"She cries."'),
    ({"concern": ["She cries.", "Every night."]}, "concern", '"summary":"She cries., Every night."'),
    ({"concern": [{"summary": "She cries."}]}, "concern", '"summary":"She cries."'),
    ({"concern": {"summary": {"what": "She cries."}}}, "concern", '"summary":"what: She cries."'),
    ({"concern": "x", "source": "Mrs Example, head"}, "referrer", '"name":"Mrs Example, head"'),
    ({"concern": "x", "source": " head@school.example.org"}, "referrer", '"email":"head@school.example.org"'),
    ({"concern": "x", "source": {"phone": ["01632 960115", "01632 960116"]}}, "referrer", '"01632 960115, 01632 960116"'),
    (
        {"concern": "x", "consent": "Her mother agrees, by telephone"},
        "submission",
        '"in_words":"Her mother agrees, by telephone"',
    ),
]


@pytest.mark.parametrize(("body", "kind", "kept"), SHAPES)
def test_what_is_sent_as_text_instead_of_an_object_or_the_other_way_round_is_taken(
    hub: Hub, body: dict[str, Any], kind: str, kept: str
) -> None:
    answer = hub.submit(body)
    assert answer.status_code == 201, answer.text
    items = hub.case(answer.json()["reference"])["items"]
    (content,) = [item["content"] for item in items if item["kind"] == kind]
    assert kept in content


def test_somebody_whose_name_is_one_piece_of_text_is_found_by_it(hub: Hub) -> None:
    hub.submit({"subjects": ["Zenobia Thistlewood"]})
    found = hub.http.post("/people/search", json={"name": "Zenobia Thistlewood"}, headers=hub.staff("duty_manager"))
    assert "Zenobia" in found.text, found.text


def test_consent_in_one_word_is_an_answer_to_having_been_asked(hub: Hub) -> None:
    flags = hub.submit({"concern": "x", "consent": "yes"}).json()["flags"]
    assert "consent_not_asked" not in flags and "consent_in_words" not in flags
    flags = hub.submit({"concern": "x", "consent": "perhaps"}).json()["flags"]
    assert {"consent_not_asked", "consent_in_words"} <= set(flags)


def test_consent_in_words_may_be_a_warning_and_is_taken_for_one_until_somebody_has_read_it(hub: Hub) -> None:
    reference = hub.submit({"concern": "x", "consent": "Do not write to me, he reads it"}).json()["reference"]
    assert "safe_contact" in hub.case(reference)["markers"]


@pytest.mark.parametrize("said", ["probably", ["yes", "I think"], "he is outside now", 1.5, {"\x84": [{}]}, [[[[]]]]])
def test_whether_somebody_is_in_danger_is_taken_for_yes_where_the_answer_is_neither_yes_nor_no(hub: Hub, said: Any) -> None:
    answer = hub.submit({"concern": {"summary": "He came back.", "immediate_danger": said}}).json()
    assert "danger_in_words" in answer["flags"] and "unknown_fields" not in answer
    case = hub.case(answer["reference"])
    assert case["immediate_danger"] is True
    (content,) = [item["content"] for item in case["items"] if item["kind"] == "concern"]
    assert "immediate_danger_in_words" in content
    page = hub.http.get(f"/case/{answer['reference']}", headers=hub.staff("duty_manager")).text
    assert "answered in words, and is taken for yes" in page


@pytest.mark.parametrize("said", ["unknown", "Not sure.", "?"])
def test_that_nobody_knows_whether_there_is_danger_is_flagged(hub: Hub, said: str) -> None:
    answer = hub.submit({"concern": {"summary": "He came back.", "immediate_danger": said}}).json()
    assert "answer_in_words" in answer["flags"] and "danger_in_words" not in answer["flags"]
    assert hub.case(answer["reference"])["immediate_danger"] is False


@pytest.mark.parametrize("said", ["no", "No.", "N", False, 0, "", "not stated", "n/a", None, [], {}])
def test_no_and_nothing_said_are_no_danger(hub: Hub, said: Any) -> None:
    answer = hub.submit({"concern": {"summary": "He came back.", "immediate_danger": said}}).json()
    assert not {"danger_in_words", "answer_in_words"} & set(answer["flags"])
    assert hub.case(answer["reference"])["immediate_danger"] is False


def test_whoever_does_not_say_yes_to_being_written_to_is_not_written_to(hub: Hub) -> None:
    source = {**ORDINARY["source"], "safe_to_write": "only on Tuesdays"}
    answer = hub.submit({**ORDINARY, "source": source}).json()
    assert "answer_in_words" in answer["flags"]
    assert "do_not_write" in hub.case(answer["reference"])["markers"]


@pytest.mark.parametrize(
    ("email", "used", "flags"),
    [
        (" jo@school.example.org ", "jo@school.example.org", set()),
        ("mailto:jo@school.example.org", "jo@school.example.org", set()),
        ("Jo <jo@school.example.org>,", "jo@school.example.org", set()),
        ("jo@gmail.con", "jo@gmail.con", {"referrer_email_probably_mistyped"}),
        (
            "jo@school,example.org",
            "jo@school,example.org",
            {"referrer_email_not_an_address", "referrer_not_reachable", "referrer_by_other_means"},
        ),
        ("", "", {"referrer_not_reachable", "referrer_by_other_means"}),
    ],
)
def test_a_typed_address_is_tidied_and_a_slip_in_it_is_flagged_to_staff(hub: Hub, email: str, used: str, flags: set[str]) -> None:
    answer = hub.submit({**ORDINARY, "source": {**ORDINARY["source"], "email": email}})
    assert {flag for flag in answer.json()["flags"] if flag.startswith("referrer")} == flags
    case = hub.case(reference := answer.json()["reference"])
    (content,) = [json.loads(item["content"]) for item in case["items"] if item["kind"] == "referrer"]
    assert content.get("email") == used and content.get("email_as_typed", used) in (email, used)
    assert any(clock["id"] == "acknowledgement" and clock["running"] for clock in case["clocks"])
    page = hub.http.get(f"/case/{reference}", headers=hub.staff("duty_manager")).text
    assert all(f"Check with the referrer: {worded(flag)}" in html.unescape(page) for flag in flags & set(TO_CHECK))


def test_a_repeated_submission_is_one_referral_and_a_key_used_twice_is_a_conflict(hub: Hub) -> None:
    first, second = hub.submit(ORDINARY, "twice"), hub.submit(ORDINARY, "twice")
    assert first.json() == second.json()
    other = hub.submit({**ORDINARY, "kind": "advice"}, "twice")
    assert (other.status_code, other.json()["type"]) == (409, "urn:mash:KeyReused")


def test_a_post_without_an_idempotency_key_says_what_to_send(hub: Hub) -> None:
    answer = hub.http.post("/referrals", json=ORDINARY, headers={"Authorization": f"Bearer {hub.key}"})
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["detail"]


def test_an_enormous_body_is_refused_before_it_is_read(hub: Hub) -> None:
    answer = hub.submit({"concern": {"summary": "x" * 1_100_000}})
    assert answer.status_code == 413


def test_an_impossible_command_says_the_stage_and_what_is_possible_and_changes_nothing(hub: Hub) -> None:
    reference = hub.referral()
    before = done_by_people(hub, reference)
    answer = hub.ask(reference, "record_meeting", attended=["police"], rating="red")
    assert answer.status_code == 409
    assert answer.json()["stage"] == "triage"
    assert "rate_referral" in answer.json()["possible"]
    assert done_by_people(hub, reference) == before


def done_by_people(hub: Hub, reference: str) -> list[tuple[str, str]]:
    """The log without what the system adds at its own pace, such as that the referrer was told."""
    story = hub.http.get(f"/cases/{reference}/log", headers=hub.staff("duty_manager")).json()
    return [(line["role"], line["what"]) for line in story if line["role"] not in (SYSTEM, REFERRER)]


def test_somebody_who_saw_an_older_case_is_told_so(hub: Hub) -> None:
    reference = hub.referral()
    seen = hub.case(reference)["version"]
    hub.give(reference, "rate_referral", rating="green")
    answer = hub.ask(reference, "rerate_referral", words="Worse.", rating="red", seen=1)
    assert seen > 1
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:mash:VersionConflict")


@pytest.mark.parametrize(
    ("status", "role", "kind", "fields"),
    [
        (403, "agency", "rate_referral", {"rating": "red"}),
        (403, "nobody_known", "add_note", {}),
        (422, "duty_manager", "rate_referral", {"rating": "purple"}),
        (422, "duty_manager", "add_note", {}),
        (
            422,
            "duty_manager",
            "record_sharing_basis",
            {"purpose": "safeguarding_child", "lawful_basis": "consent", "consent": "refused", "family_informed": True},
        ),
        (400, "duty_manager", "no_such_command", {}),
    ],
)
def test_what_staff_may_not_or_cannot_is_refused_with_the_reason(
    hub: Hub, status: int, role: str, kind: str, fields: dict[str, object]
) -> None:
    answer = hub.ask(hub.referral(), kind, role=role, **fields)
    assert (answer.status_code, bool(answer.json()["detail"])) == (status, True)


def test_an_agency_answers_for_itself_alone_and_its_words_are_its_own(hub: Hub) -> None:
    reference = hub.referral()
    hub.rate(reference)
    other = hub.ask(reference, "answer_check", role="agency", agency="housing", known=True)
    assert other.status_code == 400  # the command itself names no agency
    headers = {**hub.staff("agency", "housing"), "Idempotency-Key": "for-another"}
    version = hub.case(reference)["version"]
    for_police = {"seen": version, "command": {"kind": "answer_check", "agency": "police", "known": True}, "words": "gossip"}
    assert hub.http.post(f"/cases/{reference}/commands", headers=headers, json=for_police).status_code == 403
    own = {"seen": version, "command": {"kind": "answer_check", "agency": "housing", "known": True}, "words": "rent arrears"}
    headers["Idempotency-Key"] = "for-itself"
    assert hub.http.post(f"/cases/{reference}/commands", headers=headers, json=own).status_code == 200
    answers = [item for item in hub.case(reference)["items"] if item["kind"] == "held_by_agency"]
    assert [(item["agency"], item["content"]) for item in answers] == [("housing", None)], "others see that it exists, no more"


def test_another_hubs_staff_do_not_find_the_case(hub: Hub) -> None:
    reference = hub.referral()
    assert hub.http.get(f"/cases/{reference}", headers=hub.staff("duty_manager", hub="merton")).status_code == 404
    assert reference not in hub.http.get("/cases", params={"limit": 500}, headers=hub.staff("duty_manager", hub="merton")).text


def test_what_is_open_is_listed_by_stage_rating_and_lateness(hub: Hub) -> None:
    reference = hub.referral()
    hub.rate(reference, "amber")

    def listed(**query: object) -> bool:
        answer = hub.http.get("/cases", params={"limit": 500, **query}, headers=hub.staff("duty_manager"))
        return reference in [case["reference"] for case in answer.json()["cases"]]

    assert listed(stage="agency_checks", rating="amber", late=False)
    assert not listed(stage="triage")
    assert not listed(rating="red")
    assert not listed(late=True)


def test_children_whose_paths_differ_continue_as_linked_referrals_and_the_referrer_sees_both(hub: Hub) -> None:
    reference = hub.referral(subjects=[{"cohort": "child"}, {"cohort": "child"}])
    hub.rate(reference, "green")
    hub.answer_all(reference)
    hub.give(reference, "record_decision", words="They differ.", outcomes={"S1": "section_17", "S2": "no_further_action"})
    linked = hub.case(f"{reference}-B")
    assert (linked["parent"], linked["open"]) == (reference, False)
    parts = hub.http.get(f"/referrals/{reference}", headers={"Authorization": f"Bearer {hub.key}"}).json()["parts"]
    assert [part["status"] for part in parts] == ["decided", "decided"]


@pytest.mark.parametrize(
    ("kind", "fields"), [("inform_referrer", {"what": "acknowledgement", "how": "letter"}), ("convene_meeting", {})]
)
def test_a_time_without_its_zone_is_two_times_and_is_asked_for_again(hub: Hub, kind: str, fields: dict[str, Any]) -> None:
    answer = hub.ask(hub.referral(), kind, at="2026-11-27T17:00", words="By post.", **fields)
    assert answer.status_code == 400 and "expected a time with its zone" in answer.json()["detail"], answer.text
