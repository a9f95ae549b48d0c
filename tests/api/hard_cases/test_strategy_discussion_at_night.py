"""A consultation at night becomes a strategy discussion by telephone, and health cannot be reached: it is held, and recorded as
it was, with who was missing, why, and by when that is put right."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hub import ORDINARY, Hub, hub_here
from icalendar import Calendar

from mash.config.profile_files import SHIPPED

AT_NIGHT = "2026-11-20T01:40:00+00:00"
"""A Friday, twenty to two in the morning."""
BEGINS_WITH_A_CONSULTATION = """
[consultation]
kinds = ["referral"]
source = "product default: for this story"
"""


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    """Sandwell at night, where a professional's contact begins with a consultation: its strategy discussions are face to face."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "sandwell.toml").write_text((SHIPPED / "hubs" / "sandwell.toml").read_text() + BEGINS_WITH_A_CONSULTATION)
        with hub_here(time_start=AT_NIGHT, profiles_dir=Path(folder)) as running:
            yield running


@pytest.fixture(scope="module")
def reference(hub: Hub) -> str:
    """A hospital's contact, at its consultation."""
    source = {**ORDINARY["source"], "agency": "health", "code": "3A"}
    reference = hub.referral(source=source)
    assert hub.case(reference)["stage"] == "consultation"
    return reference


def night(hub: Hub, reference: str, kind: str, **fields: Any) -> Any:
    return hub.ask(reference, kind, role="out_of_hours", **fields)


def calendars(hub: Hub, address: str) -> list[Any]:
    """The calendar files in the mails to an address, in their order."""
    mails = [mail for to, mail in hub.received.mails if to.startswith(address)]
    files = [part for mail in mails for part in mail.walk() if part.get_filename() == "meeting.ics"]
    return [Calendar.from_ical(part.get_payload(decode=True)) for part in files]


def test_the_night_team_calls_it_from_the_consultation_and_invites_whoever_is_to_come(hub: Hub, reference: str) -> None:
    assert night(hub, reference, "call_strategy_discussion", words="A fracture.").status_code == 200
    early, moved = "2026-11-20T02:00:00Z", "2026-11-20T02:20:00Z"
    for at in (early, moved):
        said = {"at": at, "mode": "telephone", "invited": ["school"], "words": "Nobody drives now."}
        assert night(hub, reference, "schedule_strategy_discussion", **said).status_code == 200
    hub.work()
    events = [each.walk("VEVENT")[0] for each in calendars(hub, "health_navigator")]
    first, second = sorted(events, key=lambda event: int(event["SEQUENCE"]))
    assert first["UID"] == second["UID"] and first["SEQUENCE"] < second["SEQUENCE"]
    assert second["DTSTART"].dt.isoformat().startswith("2026-11-20T02:20")
    assert any("please ring" in subject for subject in hub.received.to("out_of_hours")), "a school has nobody to write to"
    assert "the child's school" in "".join(hub.received.texts("out_of_hours"))
    health = hub.http.get(f"/cases/{reference}", headers=hub.staff("agency", "health"))
    assert health.status_code == 200, "whoever is invited reads the case"


def test_it_is_not_taken_without_saying_why_health_was_missing_and_why_it_was_by_telephone(hub: Hub, reference: str) -> None:
    held = {"attended": ["social_care", "police"], "mode": "telephone", "outcome": "section_47", "held_on": "2026-11-20"}
    refused = night(hub, reference, "record_strategy_discussion", words="Held at two.", **held)
    assert refused.status_code == 409 and refused.json()["missing"] == ["health"]
    wordless = night(hub, reference, "record_strategy_discussion", without_quorum="not_reached", **held)
    assert wordless.status_code == 422 and "words" in wordless.json()["needs"]


def test_it_is_recorded_as_it_was_with_who_was_missing_why_and_by_when_it_is_put_right(hub: Hub, reference: str) -> None:
    held = {"attended": ["social_care", "police"], "mode": "telephone", "outcome": "section_47", "without_quorum": "not_reached"}
    held["held_on"] = "2026-11-20"
    words = "The on-call paediatrician was rung three times; nobody can drive to the hub now."
    answer = night(hub, reference, "record_strategy_discussion", words=words, **held)
    assert answer.status_code == 200 and answer.json()["stage"] == "enquiries"
    case = hub.case(reference)
    clock = next(clock for clock in case["clocks"] if clock["id"] == "quorum_put_right")
    assert case["short_of"] == ["health"] and clock["running"]
    assert "health" in clock["why"] and clock["due_at"].startswith("2026-11-23T"), "the Monday: one working day after the Friday"
    assert clock["source"].startswith("product default, ours")
    log = hub.http.get(f"/cases/{reference}/log", headers=hub.staff("duty_manager")).json()
    (line,) = [each["what"] for each in log if each["what"].startswith("Strategy discussion held")]
    assert "attended Social work, Police" in line and "without Health safeguarding nurse" in line
    assert "because could not be reached" in line and "telephone" in line and "face to face" not in line
    page = hub.http.get(f"/case/{reference}", headers=hub.staff("duty_manager")).text
    assert "The strategy discussion was held without Health" in page


def test_health_is_told_that_it_was_held_without_them_and_reads_the_case(hub: Hub, reference: str) -> None:
    hub.work()
    assert any("held without you" in subject for subject in hub.received.to("health_navigator"))
    assert not any("held without you" in subject for subject in hub.received.to("police_navigator"))
    assert hub.http.get(f"/cases/{reference}", headers=hub.staff("agency", "health")).status_code == 200


def test_in_the_morning_it_is_put_right_and_the_clock_is_kept(hub: Hub, reference: str) -> None:
    said = {"agencies": ["health"], "how": "gave_their_view", "words": "Dr A agrees: the fracture is not explained."}
    hub.give(reference, "put_quorum_right", **said)
    case = hub.case(reference)
    clock = next(clock for clock in case["clocks"] if clock["id"] == "quorum_put_right")
    assert case["short_of"] == [] and clock["state"] == "kept"
    page = hub.http.get(f"/case/{reference}", headers=hub.staff("duty_manager")).text
    assert "Quorum put right" in page and "held without Health" not in page


def test_police_protection_taken_that_night_is_a_clock_of_72_hours(hub: Hub, reference: str) -> None:
    taken = {"order": "police_protection", "since": "2026-11-20T01:00:00Z", "words": "PC took him to the ward."}
    assert night(hub, reference, "record_protection_order", **taken).status_code == 200
    clock = next(clock for clock in hub.case(reference)["clocks"] if clock["id"] == "police_protection")
    assert clock["due_at"].startswith("2026-11-23T01:00") and "s.46" in clock["source"]
    hub.work()
    assert any("police protection until" in subject for subject in hub.received.to("out_of_hours"))
