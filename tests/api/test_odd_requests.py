"""Requests that no sensible system sends: they are answered, and nothing of them is repeated."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Iterator
from typing import Any

import pytest
from hub import CANARY, Hub

NAME = "Quillfeather"
"""Enough of the canary to find it in any writing."""


def raw(hub: Hub, content: Any, key: str, path: str = "/referrals", **headers: str) -> Any:
    """A submission whose body is sent as it is."""
    sent = {"Authorization": f"Bearer {hub.key}", "Idempotency-Key": key, "Content-Type": "application/json", **headers}
    return hub.http.post(path, content=content, headers=sent)


COMMANDS: dict[str, dict[str, Any]] = {
    "a kind of command": {"kind": NAME},
    "the name of a field": {"kind": "add_note", NAME: "here"},
    "a value of a field": {"kind": "rate_referral", "rating": f"<{CANARY}>"},
    "a rating": {"kind": "rate_referral", "rating": CANARY},
    "a subject": {"kind": "record_decision", "outcomes": {f"<{NAME}>": "early_help"}},
    "an outcome": {"kind": "record_decision", "outcomes": {"S1": NAME}},
    "a subject without an outcome": {"kind": "record_decision", "outcomes": {CANARY: "nothing"}},
    "a time": {"kind": "convene_meeting", "at": NAME},
    "an agency": {"kind": "answer_check", "agency": NAME, "known": True},
    "a clock": {"kind": "acknowledge_alert", "clock": NAME},
}


@pytest.mark.parametrize("where", COMMANDS)
def test_a_name_typed_into_the_wrong_place_is_not_repeated(hub: Hub, where: str) -> None:
    reference = hub.referral()
    answer = hub.http.post(
        f"/cases/{reference}/commands",
        headers={**hub.staff("duty_manager"), "Idempotency-Key": f"name in {where}"},
        json={"seen": hub.case(reference)["version"], "command": COMMANDS[where], "words": CANARY},
    )
    assert 400 <= answer.status_code < 500
    assert NAME not in answer.text


@pytest.mark.parametrize("body", [f'{{"concern": "{NAME}', f'"{NAME}"', f'["{NAME}"]', f'{{"{NAME}": }}', "null", ""])
def test_a_body_that_is_no_submission_is_answered_without_repeating_it(hub: Hub, body: str) -> None:
    answer = raw(hub, body, f"no submission {body[:12]!r}")
    assert answer.status_code == 400
    assert NAME not in answer.text


ODD = {
    "a zero byte in the concern": '{"concern": {"summary": "Bruise\\u0000s."}}',
    "a zero byte in a code": '{"concern": {"summary": "Bruises.", "primary_need": "N\\u00001"}, "kind": "\\u0000"}',
    "half a character in the concern": '{"concern": {"summary": "Bruises \\ud83d"}}',
    "half a character in a further field": '{"concern": {"summary": "Bruises."}, "mood": "\\ud83d"}',
    "half a character as a field's name": '{"concern": {"summary": "Bruises.", "\\ud83d": 1}}',
    "a number too large to be one": '{"concern": {"summary": "Bruises."}, "size": 1e999}',
    "a number as a name": '{"subjects": [{"name": {"given": 7}}]}',
    "deeply nested further fields": '{"concern": {"summary": "Bruises."}, "deep": ' + "[" * 400 + "]" * 400 + "}",
}


@pytest.mark.parametrize("odd", ODD)
def test_odd_characters_are_accepted_or_refused_but_never_break_anything(hub: Hub, odd: str) -> None:
    answer = raw(hub, ODD[odd], odd)
    assert answer.status_code in (201, 400), answer.text
    if answer.status_code == 201:
        assert hub.case(answer.json()["reference"])["stage"] == "triage"
    again = raw(hub, ODD[odd], odd)
    assert (again.status_code, again.json()) == (answer.status_code, answer.json()), "a repeat is answered alike"


@pytest.mark.parametrize("length", [201, 3_000, 14_000])
def test_a_key_of_any_length_is_answered_and_counted(hub: Hub, length: int) -> None:
    key = "".join(random.Random(length).choices(string.ascii_letters + string.digits, k=length))
    before = hub.refused()
    answer = raw(hub, json.dumps({"concern": {"summary": "Bruises."}}), key)
    assert answer.status_code == 400 and "idempotency-key" in answer.text.lower()
    assert hub.refused() == before + 1


def test_a_submission_without_a_key_is_refused_and_counted(hub: Hub) -> None:
    before = hub.refused()
    for headers in ({}, {"Idempotency-Key": ""}):
        sent = {"Authorization": f"Bearer {hub.key}", **headers}
        answer = hub.http.post("/referrals", json={"concern": {"summary": "Bruises."}}, headers=sent)
        assert answer.status_code == 400 and "Idempotency-Key" in answer.json()["detail"]
    assert hub.refused() == before + 2
    stranger = hub.http.post("/referrals", json={}, headers={"Authorization": "Bearer mash_none"})
    assert stranger.status_code == 401 and hub.refused() == before + 2


def test_a_page_with_a_zero_byte_for_a_key_acts(hub: Hub) -> None:
    reference = hub.referral()
    form = {"key": "\0", "words": "Rang the school.", "seen": "1"}
    answer = hub.http.post(f"/case/{reference}/add_note", headers=hub.staff("duty_manager"), data=form)
    assert answer.status_code == 303


@pytest.mark.parametrize("words", ["half a character \ud83d", "a zero byte \0"])
def test_odd_words_of_staff_never_break_anything(hub: Hub, words: str) -> None:
    reference = hub.referral()
    body = {"seen": hub.case(reference)["version"], "command": {"kind": "add_note"}, "words": words}
    answer = hub.http.post(
        f"/cases/{reference}/commands",
        headers={**hub.staff("duty_manager"), "Idempotency-Key": "odd words", "Content-Type": "application/json"},
        content=json.dumps(body),
    )
    assert answer.status_code in (200, 400), answer.text
    assert hub.case(reference)["open"]


def test_a_body_in_pieces_of_unsaid_length_has_the_same_limit(hub: Hub) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'{"concern": {"summary": "Worried."}, "padding": "'
        for _ in range(12):
            yield b"x" * 100_000
        yield b'"}'

    assert raw(hub, pieces(), "in pieces").status_code == 413


@pytest.mark.parametrize("path", ["/cases/%00", "/cases/MASH%0026", f"/cases/{NAME}", "/referrals/%00"])
def test_an_odd_reference_is_not_found(hub: Hub, path: str) -> None:
    headers = hub.staff("duty_manager") if path.startswith("/cases") else {"Authorization": f"Bearer {hub.key}"}
    answer = hub.http.get(path, headers=headers)
    assert answer.status_code in (400, 404), answer.text
    assert NAME not in answer.text


@pytest.mark.parametrize("query", [{"limit": NAME}, {"late": NAME}, {"stage": "\0"}, {"after": "\0"}, {"limit": "0"}])
def test_an_odd_question_to_the_board_is_answered(hub: Hub, query: dict[str, str]) -> None:
    answer = hub.http.get("/cases", params=query, headers=hub.staff("duty_manager"))
    assert answer.status_code in (200, 400), answer.text
    assert NAME not in answer.text


def test_a_file_is_taken_nowhere(hub: Hub) -> None:
    reference, file = hub.referral(), {"words": ("body map.pdf", b"%PDF-1.7 " + CANARY.encode(), "application/pdf")}
    kept = "SELECT count(*) FROM personal_item"
    before, by = hub.sql(kept), hub.staff("duty_manager")
    asked = {"Authorization": f"Bearer {hub.key}", "Idempotency-Key": "a file"}
    for path, headers in (
        ("/referrals", asked),
        ("/referrals/disagreements", asked),
        (hub.http.post("/refer").headers["location"], {}),
        ("/status", {}),
        ("/status/disagreements", {}),
        (f"/case/{reference}/add_note", by),
        (f"/cases/{reference}/commands", {**by, "Idempotency-Key": "a file"}),
    ):
        refused = hub.http.post(path, headers=headers, files=file)
        assert 400 <= refused.status_code < 500, (path, refused.status_code)
        assert CANARY not in refused.text and "body map" not in refused.text, path
    assert hub.sql(kept) == before
