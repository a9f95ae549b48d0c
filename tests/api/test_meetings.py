"""Meetings over the API and on the pages: called off, followed by actions; and answers told by telephone."""

from __future__ import annotations

import re
from typing import Any

from hub import Hub
from icalendar import Calendar

WHEN = "2027-01-12T10:00:00Z"


def calendars(hub: Hub, address: str, reference: str) -> list[Any]:
    """The calendar files of a case in the mails to an address, in their order."""
    mails = [mail for to, mail in hub.received.mails if to.startswith(address) and reference in str(mail["Subject"])]
    files = [part.get_payload(decode=True) for mail in mails for part in mail.walk() if part.get_filename() == "meeting.ics"]
    return [Calendar.from_ical(file) for file in files]


def clock(hub: Hub, reference: str, name: str) -> dict[str, Any]:
    return next(clock for clock in hub.case(reference)["clocks"] if clock["id"] == name)


def page(hub: Hub, path: str, role: str = "duty_manager", agency: str = "social_care") -> str:
    shown = hub.http.get(path, headers=hub.staff(role, agency))
    assert shown.status_code == 200, shown.text
    return shown.text


def called(hub: Hub) -> str:
    """A case at its strategy discussion."""
    reference = hub.referral()
    hub.rate(reference)
    hub.give(reference, "call_strategy_discussion", words="An injury.")
    return reference


def test_a_meeting_that_is_called_off_is_taken_out_of_the_calendars_of_all_who_were_invited(hub: Hub) -> None:
    reference = hub.referral()
    hub.rate(reference)
    hub.give(reference, "convene_meeting", at=WHEN, mode="telephone", invited=["school"])
    wordless = hub.ask(reference, "cancel_meeting", what="meeting")
    assert wordless.status_code == 422 and wordless.json()["needs"] == ["words"]
    hub.give(reference, "cancel_meeting", what="meeting", words="The family has moved away.")
    hub.work()
    for address in ("police_navigator", "health_navigator"):
        invited, off = sorted(calendars(hub, address, reference), key=lambda each: int(each.walk("VEVENT")[0]["SEQUENCE"]))
        assert (str(invited["METHOD"]), str(off["METHOD"])) == ("PUBLISH", "CANCEL")
        first, last = (each.walk("VEVENT")[0] for each in (invited, off))
        assert first["UID"] == last["UID"] and first["SEQUENCE"] < last["SEQUENCE"] and str(last["STATUS"]) == "CANCELLED"
    rung = [text for text in hub.received.texts("duty_manager") if reference in text and "the child's school" in text]
    assert any("Invite them" in text for text in rung) and any("does not take place" in text for text in rung)
    assert hub.case(reference)["meeting_at"] is None
    agenda = hub.http.get(f"/cases/{reference}/meeting.ics", headers=hub.staff("duty_manager"))
    assert agenda.status_code == 404


def test_a_strategy_discussion_has_an_entry_of_its_own_in_the_calendar_beside_the_meetings(hub: Hub) -> None:
    reference = hub.referral()
    hub.rate(reference)
    hub.give(reference, "convene_meeting", at=WHEN)
    hub.give(reference, "call_strategy_discussion", words="An injury.")
    said = {"at": "2027-01-11T10:00:00Z", "mode": "telephone"}
    hub.give(reference, "schedule_strategy_discussion", words="It cannot wait for the room.", **said)
    hub.work()
    entries = {str(each.walk("VEVENT")[0]["UID"]) for each in calendars(hub, "police_navigator", reference)}
    assert entries == {f"{reference}.meeting@mash", f"{reference}.discussion@mash"}
    assert "Strategy discussion" in page(hub, f"/case/{reference}")


def test_the_form_asks_how_it_was_held_and_does_not_suppose_it(hub: Hub) -> None:
    reference = called(hub)
    path = f"/case/{reference}/record_strategy_discussion"
    asked = page(hub, path)
    assert "How was it held?" in asked and "If somebody who must take part was missing: why?" in asked
    assert "the child&#39;s school" in asked, "whoever is invited can have come"
    form = {name: re.search(rf'name="{name}"[^>]*value="([^"]*)"', asked) for name in ("csrf", "seen", "key")}
    filled = {name: found[1] for name, found in form.items() if found}
    filled |= {"attended": ["social_care", "police", "health"], "outcome": "section_47", "words": "Held at once."}  # type: ignore[dict-item]
    again = hub.http.post(path, headers=hub.staff("duty_manager"), data=filled)
    assert again.status_code == 422 and hub.case(reference)["stage"] == "strategy_discussion"
    hub.http.post(path, headers=hub.staff("duty_manager"), data={**filled, "mode": "face_to_face"})
    assert hub.case(reference)["stage"] == "enquiries"


def test_what_was_agreed_goes_to_whoever_does_it_who_reads_what_it_is_and_says_when_it_is_done(hub: Hub) -> None:
    reference = hub.referral()
    hub.rate(reference, "green")
    by = {"owner": "midwife", "due": "2026-11-19T17:00:00Z", "words": "Ring the mother before five."}
    assert hub.http.get(f"/cases/{reference}", headers=hub.staff("agency", "midwife")).status_code == 404
    hub.give(reference, "record_action", **by)
    told = hub.sql("SELECT kind FROM notice WHERE reference = %s AND role = 'midwife'", reference)
    assert ("action_agreed",) in told
    midwife = hub.staff("agency", "midwife")
    case = hub.http.get(f"/cases/{reference}", headers=midwife).json()
    action = case["actions"]["A1"]
    assert [item["content"] for item in case["items"] if item["item"] == action["item"]] == ["Ring the mother before five."]
    assert "Ring the mother" not in hub.sql("SELECT string_agg(canonical, '') FROM event WHERE reference = %s", reference)[0][0]
    assert clock(hub, reference, "action:A1")["owner"] == "midwife"
    assert "To do" in page(hub, f"/case/{reference}?tab=facts")
    assert "midwife, by" in page(hub, f"/case/{reference}/complete_action", "agency", "midwife")
    police = hub.ask(reference, "complete_action", role="agency", agency="police", action="A1")
    assert police.status_code == 403
    done = hub.command(reference, {"kind": "complete_action", "action": "A1"}, midwife, "She is well.")
    assert done.status_code == 200 and clock(hub, reference, "action:A1")["state"] == "kept"
    assert "To do" not in page(hub, f"/case/{reference}?tab=facts")


def test_an_answer_by_telephone_stands_as_told_until_its_agency_confirms_it_and_is_read_by_nobody_else_before(hub: Hub) -> None:
    reference = hub.referral()
    hub.rate(reference)
    told = {"answering": "police", "read_back": True, "known": True, "relevant": True}
    hub.give(reference, "record_answer_by_telephone", words="Sergeant B at the desk: two call-outs.", **told)
    check = hub.case(reference)["checks"]["police"]
    assert check["answered_at"] and check["told"]["to"] == "duty_manager.social_care" and check["told"]["known"] is True
    assert "police" not in hub.case(reference)["outstanding"]
    shown = page(hub, f"/case/{reference}?tab=answers")
    assert "Told by telephone" in shown and "not confirmed" in shown
    hub.work()
    (asked,) = [each for each in hub.received.to("police_navigator") if reference in each and "confirm" in each]
    assert "confirm what you told us" in asked
    health = hub.http.get(f"/cases/{reference}", headers=hub.staff("agency", "health")).json()["checks"]["police"]
    assert "known" not in health and "known" not in health["told"]
    log = hub.http.get(f"/cases/{reference}/log", headers=hub.staff("agency", "health")).json()
    (line,) = [each["what"] for each in log if each["what"].startswith("Answer taken down")]
    assert "read back" in line and "known" not in line and "Sergeant" not in line
    assert "please confirm or correct it" in page(hub, "/checks", "agency", "police")
    assert hub.answer(reference, "police", "Three call-outs.").status_code == 200
    assert reference not in page(hub, "/checks", "agency", "police").partition("Held by your agency")[0]
    check = hub.case(reference)["checks"]["police"]
    assert check["confirmed_at"] and clock(hub, reference, "confirmation:police")["state"] == "kept"
    assert "Told by telephone" not in page(hub, f"/case/{reference}?tab=answers")


def test_a_table_of_attendance_is_taken_and_nobody_is_two_things_in_lists(hub: Hub) -> None:
    reference = called(hub)
    twice = {"attended": ["social_care", "police", "health"], "apologies": ["police"], "outcome": "section_47"}
    refused = hub.ask(reference, "record_strategy_discussion", mode="face_to_face", words="Held.", **twice)
    assert refused.status_code == 422 and "police" in refused.json()["detail"]
    came = {"social_care": "attended", "police": "attended", "health": "attended", "school": "absent"}
    hub.give(reference, "record_strategy_discussion", attendance=came, outcome="section_47", words="Held.")
    log = hub.http.get(f"/cases/{reference}/log", headers=hub.staff("duty_manager")).json()
    (line,) = [each["what"] for each in log if each["what"].startswith("Strategy discussion held")]
    assert "absent: the child's school" in line
