"""Names stay as people write them; what is no text is refused, by its field and without its value."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from hub import Hub
from hypothesis import given
from hypothesis import strategies as st

from mash.api.text import plain

NAMES = {
    "Welsh": "Siân Ŵyn ap Llŷr",
    "Polish": "Łucja Żółć-Wiśniewska",
    "Urdu": "محمد علی خان",
    "Arabic": "فاطمة الزهراء",
    "Persian, with a joiner left out": "می\u200cخواهم",
    "Hebrew": "שָׂרָה בַּת־אַבְרָהָם",
    "Sinhala, with a joiner": "ශ්\u200dරී",
    "Irish": "Seán O’Dálaigh",
    "Vietnamese": "Nguyễn Thị Ánh",
    "a ligature that is not taken apart": "ﬁona ① ²",
    "directions that letters need": "Ali \u200fعلي\u200e (brother)",
}


@pytest.mark.parametrize("language", NAMES)
def test_a_name_stays_as_it_is_written(hub: Hub, language: str) -> None:
    name = unicodedata.normalize("NFC", NAMES[language])
    reference = hub.referral(subjects=[{"name": {"given": unicodedata.normalize("NFD", name)}, "cohort": "child"}])
    stored = next(item["content"] for item in hub.case(reference)["items"] if item["kind"] == "subject")
    assert json.loads(stored)["name"]["given"] == name


def test_what_programs_put_around_text_is_left_out() -> None:
    assert plain("\u202d01632 960115\u202c") == "01632 960115", "a number copied from a telephone's contacts"
    assert plain("first\x0bsecond\x0cthird") == "first\nsecond\nthird", "line and page breaks of a word processor"
    assert plain("tab\tand\r\nline") == "tab\tand\r\nline"


@given(st.text())
def test_text_is_plain_once_and_for_all(text: str) -> None:
    try:
        once = plain(text)
    except ValueError:
        return
    assert plain(once) == once == unicodedata.normalize("NFC", once)


FIELDS: dict[str, Any] = {
    "concern.summary": {"concern": {"summary": "Quill\x00feather"}},
    "subjects.0.name.family": {"subjects": [{"name": {"family": "Quillfeather\x1b[2J"}}]},
    "concern.factors.0": {"concern": {"summary": "Worried.", "factors": ["\x85"]}},
    "subjects.0.(a further field)": {"subjects": [{"name": {"given": "A"}, "Quillfeather": "\x07"}]},
    "(a further field)": {
        "concern": {"summary": "Worried."},
        "deep": {"deep": json.loads("[" * 21 + '"Quillfeather"' + "]" * 21)},
    },
}


@pytest.mark.parametrize("field", FIELDS)
def test_what_is_no_text_is_refused_by_its_field_and_counted(hub: Hub, field: str) -> None:
    before = hub.refused()
    answer = hub.submit(FIELDS[field], key=f"no text in {field}")
    assert (answer.status_code, [wrong["field"] for wrong in answer.json()["fields"]]) == (400, [field])
    assert "Quillfeather" not in answer.text and ("remove" in answer.text or "flatter" in answer.text)
    assert hub.refused() == before + 1


@pytest.mark.parametrize(
    "body", [b'{"concern": "\xff\xfe"}', b"[" * 100_000, b'{"concern": {"summary": "x"}, "n": ' + b"9" * 5000 + b"}"]
)
def test_a_body_that_cannot_be_read_is_counted_too(hub: Hub, body: bytes) -> None:
    before = hub.refused()
    headers = {"Idempotency-Key": f"unreadable {len(body)}", "Content-Type": "application/json"}
    answer = hub.http.post("/referrals", content=body, headers={"Authorization": f"Bearer {hub.key}", **headers})
    assert (answer.status_code, "JSON" in answer.json()["detail"]) == (400, True)
    assert hub.refused() == before + 1


@pytest.mark.parametrize("number", ["3", True, 1.5])
def test_a_number_is_written_as_one(hub: Hub, number: Any) -> None:
    answer = hub.http.post(
        f"/cases/{hub.referral()}/commands",
        headers={**hub.staff("duty_manager"), "Idempotency-Key": f"number {number}"},
        json={"seen": number, "command": {"kind": "add_note"}, "words": "A note."},
    )
    assert (answer.status_code, answer.json()["fields"][0]["field"]) == (400, "seen")
