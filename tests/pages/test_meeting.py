"""The page of a meeting: who is here said at one press, written as people speak, recorded by one button."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import Any

import pytest
from hub import Hub, eventually

TODAY, PLANNED = "2026-11-19", "2026-11-19T16:00:00Z"
VIEW = "Two calls to the address since June."


def to_be_discussed(hub: Hub, at: str = PLANNED, **changes: Any) -> str:
    """A case whose agencies have answered, and whose meeting is set."""
    reference = hub.referral(**changes)
    hub.rate(reference)
    hub.answer_all(reference)
    hub.give(reference, "convene_meeting", at=at)
    hub.work()
    return reference


def under_way(hub: Hub, at: str = PLANNED) -> str:
    """The same, with everybody there who was invited."""
    reference = to_be_discussed(hub, at)
    press(hub, reference, "all")
    return reference


def path_of(reference: str) -> str:
    return f"/meetings/convened/{reference}?day={TODAY}"


def page(hub: Hub, path: str, role: str = "duty_manager", status: int = 200) -> str:
    answer = hub.http.get(path, headers=hub.staff(role))
    assert answer.status_code == status, answer.text
    return unescape(answer.text)


def form_of(shown: str) -> dict[str, str]:
    """What the form sends as it stands: hidden fields, what is chosen, what is written."""
    (form,) = re.findall(r'<form [^>]*class="mash-minutes">(.*?)</form>', shown, re.DOTALL)
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form))
    chosen = re.findall(r'<input type="radio" name="([^"]+)"[^>]*?value="([^"]*)"([^>]*)>', form)
    written = re.findall(r'<textarea [^>]*name="(\w+)"[^>]*>(.*?)</textarea>', form, re.DOTALL)
    return fields | {name: value for name, value, rest in chosen if " checked" in rest} | dict(written)


def press(hub: Hub, reference: str, do: str, status: int = 200, **typed: str) -> str:
    """A button of the form, with what is typed in beside what stands in it; the page that comes of it."""
    path, by = path_of(reference), hub.staff("duty_manager")
    data = {**form_of(page(hub, path)), **typed, "do": do}
    answer = hub.http.post(path, headers=by, data=data, follow_redirects=True)
    assert answer.status_code == status, answer.text
    return unescape(answer.text)


def send(hub: Hub, reference: str, shown: str, do: str, status: int = 200, **typed: str) -> str:
    """A button of the form as it was shown before, whatever others did since; the page that comes of it."""
    data = {**form_of(shown), **typed, "do": do}
    answer = hub.http.post(path_of(reference), headers=hub.staff("duty_manager"), data=data, follow_redirects=True)
    assert answer.status_code == status, answer.text
    return unescape(answer.text)


def note_of(shown: str) -> dict[str, str]:
    """What the form sends by which what is left over is added to the case."""
    (form,) = re.findall(r'<form [^>]*mash-left-over">(.*?)</form>', shown, re.DOTALL)
    (text,) = re.findall(r"<textarea [^>]*>\n?(.*?)</textarea>", form, re.DOTALL)
    return {**dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form)), "note": text, "do": "note"}


def said_at(shown: str, field: str) -> str:
    """What is wrong with a field, as it stands beside it."""
    (found,) = re.findall(rf'id="{re.escape(field)}-error"[^>]*>.*?</span>(.*?)</p>', shown, re.DOTALL)
    return str(found).strip()


def minutes_of(hub: Hub, reference: str, kind: str = "record_meeting") -> list[str]:
    return [item["content"] for item in hub.case(reference)["items"] if item["kind"] == kind]


def line_of(shown: str, agency: str) -> str:
    (line,) = re.findall(rf'<tr><th scope="row"[^>]*>{agency}.*?</tr>', shown, re.DOTALL)
    return line


def heads_of(shown: str) -> list[str]:
    (table,) = re.findall(r'<table class="mash-table mash-seats".*?</thead>', shown, re.DOTALL)
    return re.findall(r'<th scope="col"[^>]*>(.*?)</th>', table)


# Who is here


def test_a_case_whose_key_is_not_here_keeps_nobody_from_the_list_of_meetings(hub: Hub) -> None:
    subjects = [{"name": {"given": "Zelda", "family": "Winterbourne"}, "date_of_birth": "2018-09-28", "cohort": "child"}]
    closed, other = to_be_discussed(hub, subjects=subjects), to_be_discussed(hub, subjects=subjects)
    kept = hub.sql("SELECT wrapped FROM referral_key WHERE reference = %s", closed)[0][0]
    hub.sql("UPDATE referral_key SET wrapped = wrapped || '\\x00'::bytea WHERE reference = %s", closed)
    try:
        shown = page(hub, "/meetings")
        assert closed in shown and other in shown and "Z.W., 8" in shown
    finally:
        hub.sql("UPDATE referral_key SET wrapped = %s WHERE reference = %s", kept, closed)


def test_one_table_of_attendance_has_the_ways_that_the_hub_takes_and_who_was_invited_is_here_at_one_press(hub: Hub) -> None:
    reference = to_be_discussed(hub)
    shown = page(hub, path_of(reference))
    assert heads_of(shown) == ["Agency", "Invitation", "Here", "Telephone", "Video", "Apologies", "Absent"]
    police = line_of(shown, "Police")
    assert "Sent" in police and "checked" not in police, "an invitation that was sent says of nobody that they came"
    assert "0 here, 0 apologies, 0 absent, 12 not said." in shown
    shown = press(hub, reference, "all", **{"came.housing": "apologies"})
    assert re.search(r'value="face_to_face"[^>]* checked', line_of(shown, "Police"))
    assert "11 here, 1 apology, 0 absent." in shown and "All who were invited are here" not in shown


def test_nobody_is_recorded_as_having_come_of_whom_nobody_said_so(hub: Hub) -> None:
    reference = hub.referral()
    hub.rate(reference)
    hub.give(reference, "call_strategy_discussion", words="An injury.")
    hub.give(reference, "schedule_strategy_discussion", at="2026-11-19T10:10:00Z")
    hub.work()
    refused = press(hub, reference, "record", 422, outcome="section_47", held_on=TODAY)
    assert said_at(refused, "came.social_care.face_to_face") == "Say who is here: Social work, Police, Health safeguarding nurse"
    assert hub.case(reference)["stage"] == "strategy_discussion"
    press(hub, reference, "all")
    press(hub, reference, "record", outcome="section_47", held_on=TODAY)
    assert hub.case(reference)["stage"] == "enquiries"


def test_before_its_time_the_page_says_for_when_it_is_set_and_asks_for_the_day(hub: Hub) -> None:
    shown = page(hub, path_of(to_be_discussed(hub)))
    assert "Set for 16:00: if it was held before, say on which day" in shown
    assert re.search(r"<details [^>]*open><summary>It was held on another day", shown)


def test_a_strategy_discussion_that_is_held_in_one_way_has_one_column_for_it_and_those_who_must_come_are_bold(hub: Hub) -> None:
    reference = hub.referral()
    hub.rate(reference)
    hub.give(reference, "call_strategy_discussion", words="An injury.")
    shown = page(hub, path_of(reference))
    assert heads_of(shown) == ["Agency", "Invitation", "Here", "Apologies", "Absent"]
    assert "must take part" in line_of(shown, "Police") and 'class="mash-plain"' not in line_of(shown, "Police")
    assert "checked" not in line_of(shown, "Police"), "nobody was invited to a time: nobody is taken to be here"
    assert "Must take part and not here: Social work, Police, Health safeguarding nurse." in shown


def test_apologies_and_somebody_else_who_came_are_counted_and_recorded(hub: Hub) -> None:
    reference = to_be_discussed(hub)
    shown = press(hub, reference, "all", **{"came.housing": "apologies", "came.probation": "telephone", "more": "midwife"})
    assert "12 here, 1 apology, 0 absent." in shown and "checked" in line_of(shown, "Midwife")
    press(hub, reference, "record", held_on=TODAY)
    log = hub.http.get(f"/cases/{reference}/log", headers=hub.staff("duty_manager")).json()
    (line,) = [each["what"] for each in log if each["what"].startswith("Meeting held")]
    assert "midwife" in line and "apologies Housing" in line
    assert minutes_of(hub, reference) == ["Telephone: Probation"]


# Views, as they speak


def test_views_are_written_agency_by_agency_and_stand_on_the_page_of_whoever_else_opens_it(hub: Hub) -> None:
    reference = to_be_discussed(hub)
    first = page(hub, path_of(reference))
    assert "What Police says" in first and "Answered at" in first and "Save, next: Social work" in first
    second = press(hub, reference, "speak:social_care", text=VIEW)
    assert "What Social work says" in second and VIEW in second and "1 of 12 written" in second
    assert VIEW in page(hub, path_of(reference), role="practice_manager")
    back = press(hub, reference, "speak:police", text="He is in custody.", disagrees="yes")
    assert f">{VIEW}</textarea>" in back, "what was written can be changed"
    assert "<strong>Does not agree.</strong>" in back


def test_what_is_written_down_cannot_be_read_where_it_is_kept_and_is_gone_when_it_is_recorded(hub: Hub) -> None:
    reference = to_be_discussed(hub)
    before = hub.sql("SELECT count(*) FROM draft")[0][0]
    press(hub, reference, "all", text=VIEW)
    rows = hub.sql("SELECT hash, encode(sealed, 'escape') FROM draft")
    assert len(rows) == before + 1 and not any(VIEW in sealed or reference in key for key, sealed in rows)
    press(hub, reference, "record", held_on=TODAY)
    assert hub.sql("SELECT count(*) FROM draft")[0][0] == before


def test_whoever_does_not_agree_says_why_and_the_case_says_that_they_do_not(hub: Hub) -> None:
    reference = under_way(hub)
    refused = press(hub, reference, "save", 422, disagrees="yes")
    assert said_at(refused, "text") == "Write why they do not agree, in a sentence"
    press(hub, reference, "save", text="Amber is enough.", disagrees="yes")
    press(hub, reference, "record", held_on=TODAY)
    assert hub.case(reference)["dissents"] == ["police:meeting"]
    assert minutes_of(hub, reference) == ["Views\nPolice (does not agree): Amber is enough."]


# Actions


def test_actions_become_tasks_with_a_clock_of_whoever_does_them(hub: Hub) -> None:
    reference = under_way(hub)
    shown = press(hub, reference, "save", action="Tell the school who collects her.", owner="social_care", by="17:30")
    assert "Tell the school who collects her." in shown and "Today 17:30" in shown
    shown = press(hub, reference, "record", held_on=TODAY)
    assert re.search(r"school who collects her\.</th><td[^>]*>Social work</td><td[^>]*>17:30</td>", shown)
    (action,) = hub.case(reference)["actions"].values()
    assert (action["owner"], action["due_at"]) == ("social_care", "2026-11-19T17:30:00Z")
    assert minutes_of(hub, reference, "record_action") == ["Tell the school who collects her."]
    assert any(clock["id"] == "action:A1" and clock["running"] for clock in hub.case(reference)["clocks"])


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"action": "Ring her.", "owner": "police", "by": "soon"}, "by", "Say by when"),
        ({"action": "Ring her.", "owner": "police", "by": "19 Nov 08:00"}, "by", "is over: say a time to come"),
        ({"action": "Ring her.", "by": "17:30"}, "owner", "Choose who does it"),
        ({"owner": "police", "by": "17:30"}, "action", "Say what is to be done"),
    ],
)
def test_an_action_that_is_not_whole_is_refused_at_its_field_and_nothing_else_is_lost(
    hub: Hub, typed: dict[str, str], field: str, said: str
) -> None:
    reference = to_be_discussed(hub)
    refused = press(hub, reference, "save", 422, text=VIEW, **typed)
    assert "Not saved: one thing is missing or wrong" in refused and said in said_at(refused, field)
    assert f'href="#{field}"' in refused, "the summary leads to the field"
    assert all(f'value="{text}"' in refused for text in typed.values())
    assert "1 of 12 written" in page(hub, path_of(reference))


def test_an_action_is_taken_out_again(hub: Hub) -> None:
    reference = to_be_discussed(hub)
    shown = press(hub, reference, "save", action="Ring her.", owner="police", by="17:30")
    (take_out,) = re.findall(r'value="(remove:[^"]+)"', shown)
    assert "Ring her." not in press(hub, reference, take_out)


# The rating, and the record


def test_the_rating_is_kept_unless_somebody_says_why_it_changes(hub: Hub) -> None:
    reference = under_way(hub)
    assert form_of(page(hub, path_of(reference)))["rating"] == "red"
    refused = press(hub, reference, "record", 422, held_on=TODAY, rating="amber")
    assert said_at(refused, "why") == "Say why the rating changes, in a sentence"
    assert "Not recorded: one thing is missing or wrong" in refused and not minutes_of(hub, reference)
    press(hub, reference, "record", held_on=TODAY, rating="amber", why="She is safe at her aunt's.")
    assert hub.case(reference)["rating"] == "amber"
    assert minutes_of(hub, reference) == ["Rating changed from red to amber\nShe is safe at her aunt's."]


def test_the_case_leads_to_the_page_of_its_meeting(hub: Hub) -> None:
    reference = to_be_discussed(hub)
    (green,) = re.findall(r'<a class="govuk-button[^"]*" href="([^"]*)">Record the meeting', page(hub, f"/case/{reference}"))
    assert green == f"/meetings/convened/{reference}" and "Who is here" in page(hub, green)
    partner = hub.http.get(f"/case/{reference}", headers=hub.staff("agency", "police")).text
    assert "/meetings/" not in partner, "a partner has no agenda"


def test_what_was_brought_forward_says_on_which_day_it_was_held(hub: Hub) -> None:
    reference = under_way(hub)
    refused = press(hub, reference, "record", 422)
    assert said_at(refused, "held_on") == "It is to be held today 16:00: if it was held before, say on which day"
    assert "Recorded." in press(hub, reference, "record", held_on=TODAY)


def test_a_meeting_is_recorded_once_however_often_it_is_sent(hub: Hub) -> None:
    reference = under_way(hub)
    path, by = path_of(reference), hub.staff("duty_manager")
    data = {**form_of(page(hub, path)), "do": "record", "held_on": TODAY, "text": VIEW}
    for _ in range(2):
        again = hub.http.post(path, headers=by, data=data, follow_redirects=True)
        assert again.status_code == 200 and VIEW in again.text
    assert len(minutes_of(hub, reference)) == 1


def test_after_it_the_page_leads_on_to_the_next_meeting(hub: Hub) -> None:
    reference = under_way(hub, "2026-11-19T15:10:00Z")
    following = to_be_discussed(hub, "2026-11-19T15:11:00Z")
    assert f'<a class="govuk-link" href="{path_of(following)}">' in page(hub, path_of(reference))
    shown = press(hub, reference, "record", held_on=TODAY, text=VIEW)
    assert re.search(r"Recorded at 1\d:\d\d", shown) and f"Police: {VIEW}" in shown
    (onward,) = re.findall(r'<a class="govuk-button" href="([^"]*)">Next: ', shown)
    assert reference not in onward and onward.startswith("/meetings/convened/"), "whatever is first of those not yet recorded"
    assert shown.count('class="govuk-button"') == 1


def test_before_all_have_answered_the_page_says_who_has_not_and_keeps_what_is_written(hub: Hub) -> None:
    reference = hub.referral()
    hub.rate(reference)
    hub.give(reference, "convene_meeting", at=PLANNED)
    shown = press(hub, reference, "save", text=VIEW)
    assert "Not answered yet:" in shown and VIEW in shown
    assert "Save what is written" in shown and "Record the meeting" not in shown


def test_a_strategy_discussion_is_recorded_on_the_same_page(hub: Hub) -> None:
    reference = hub.referral()
    hub.rate(reference)
    hub.give(reference, "call_strategy_discussion", words="An injury.")
    came = {f"came.{agency}": "face_to_face" for agency in ("social_care", "police")}
    refused = press(hub, reference, "record", 422, **came, **{"came.health": "absent", "text": "Known since May."})
    assert said_at(refused, "without_quorum").startswith("Health safeguarding nurse must take part")
    press(hub, reference, "record", **came, **{"came.health": "face_to_face"}, outcome="section_47")
    assert hub.case(reference)["stage"] == "enquiries"
    assert minutes_of(hub, reference, "record_strategy_discussion") == ["Views\nSocial work: Known since May."]


# What a colleague does meanwhile


def test_what_was_typed_while_a_colleague_recorded_the_meeting_stays_on_the_page_and_becomes_a_note(hub: Hub) -> None:
    reference = under_way(hub)
    mine = page(hub, path_of(reference))
    press(hub, reference, "record", held_on=TODAY, text="Known since May.")
    answer = send(hub, reference, mine, "speak:social_care", 409, text=VIEW, action="Ring her.", owner="police", by="soon")
    assert "The meeting was recorded while you wrote: this is not in the record." in answer
    assert f"Police: {VIEW}" in answer and "Ring her., police, soon" in answer
    assert VIEW in page(hub, path_of(reference)), "nor is it gone when the page is opened anew"
    added = hub.http.post(path_of(reference), headers=hub.staff("duty_manager"), data=note_of(answer), follow_redirects=True)
    assert "Added to the case as a note." in added.text and "mash-left-over" not in added.text
    assert minutes_of(hub, reference, "add_note") == [f"Views\nPolice: {VIEW}\n\nRing her., police, soon"]
    assert minutes_of(hub, reference) == ["Views\nPolice: Known since May."]


def test_what_was_typed_for_the_meeting_stays_with_it_when_a_strategy_discussion_is_called_meanwhile(hub: Hub) -> None:
    reference = to_be_discussed(hub)
    mine = page(hub, path_of(reference))
    hub.give(reference, "call_strategy_discussion", words="An injury.")
    answer = send(hub, reference, mine, "save", 409, text=VIEW)
    assert "What you wrote is kept with the meeting, not here" in answer and VIEW in answer
    shown = page(hub, path_of(reference))
    assert "Strategy discussion:" in shown and VIEW not in shown
    came = {f"came.{agency}": "face_to_face" for agency in ("social_care", "police", "health")}
    press(hub, reference, "record", **came, outcome="no_section_47", why="An accident.")
    shown = page(hub, path_of(reference))
    assert VIEW in shown and "1 of 12 written" in shown
    assert VIEW not in "".join(minutes_of(hub, reference, "record_strategy_discussion"))


def test_another_strategy_discussion_begins_without_the_minutes_of_the_one_before(hub: Hub) -> None:
    reference = hub.referral()
    hub.rate(reference)
    hub.give(reference, "call_strategy_discussion", words="An injury.")
    press(hub, reference, "save", text=VIEW)
    held = {"attended": ["social_care", "police", "health"], "mode": "virtual", "outcome": "no_section_47"}
    hub.give(reference, "record_strategy_discussion", words="An accident.", **held)
    assert VIEW in page(hub, path_of(reference)), "it is in no record, and said to be"
    hub.give(reference, "call_strategy_discussion", words="Another injury.")
    assert VIEW not in page(hub, path_of(reference))


def test_what_a_colleague_saves_while_the_meeting_is_being_recorded_is_kept_and_said_to_be(hub: Hub) -> None:
    reference = to_be_discussed(hub)
    press(hub, reference, "all", text="Known since May.")
    mine = page(hub, path_of(reference))
    with ThreadPoolExecutor(1) as pool, hub.connection("mash_owner") as other:
        other.execute("BEGIN")
        other.execute("SELECT 1 FROM referral WHERE reference = %s FOR UPDATE", (reference,))
        recording = pool.submit(send, hub, reference, mine, "record", held_on=TODAY)
        eventually(lambda: hub.sql("SELECT 1 FROM pg_locks WHERE NOT granted"))
        press(hub, reference, "save", text=VIEW, speaks="social_care")
        other.execute("ROLLBACK")
        shown = recording.result()
    assert "Recorded at" in shown and "The meeting was recorded without this." in shown
    assert note_of(shown)["note"] == f"Views\nSocial work: {VIEW}"
    assert minutes_of(hub, reference) == ["Views\nPolice: Known since May."]


# Agenda and list


def test_the_agenda_names_people_by_initials_and_age_and_has_no_time_at_which_nothing_is(hub: Hub) -> None:
    child = {"name": {"given": "Ottilie", "family": "Quennell"}, "date_of_birth": "2018-03-01", "cohort": "child"}
    reference = to_be_discussed(hub, subjects=[child], household=[])
    for path in ("/meetings", "/meetings/convened"):
        shown = re.sub("<[^>]*>", " ", page(hub, path))
        assert "O.Q., 8" in shown and "Quennell" not in shown and "00:00" not in shown
    looks = hub.sql("SELECT count(*) FROM access WHERE reference = %s AND action = 'read_agenda'", reference)
    assert looks[0][0] >= 2, "whoever reads a list of people has looked at each of them"
    assert "Meeting: Ottilie Quennell, 8" in page(hub, path_of(reference))


def test_how_the_family_is_safely_reached_stands_above_the_meeting_in_words(hub: Hub) -> None:
    consent = {"asked": False, "safe_contact": "Through the school office only.", "override_reason": "He reads her messages."}
    shown = page(hub, path_of(to_be_discussed(hub, consent=consent)))
    assert "Safe contact: Through the school office only." in shown and "take care" not in shown


def test_meetings_are_for_staff_of_the_hub(hub: Hub) -> None:
    reference = to_be_discussed(hub)
    for path in ("/meetings", path_of(reference)):
        assert hub.http.get(path, headers=hub.staff("agency", "police")).status_code == 403
