"""The page that an alert's link opens on a phone: what is late by how much, what to do, and who has it until when."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hub import Hub, hub_here, later

from mash.config.profile_files import SHIPPED
from mash.flows.store.log import read_log
from mash.flows.store.reads.case import read_case
from mash.flows.store.store import Store
from mash.notifications.links import AlertLink, sign
from mash.states.course import AlertAcknowledged, AlertSeen, ClockEscalated

CHILD = {"name": {"given": "Hephzibah", "family": "Wetherspoone"}, "date_of_birth": "2018-02-03", "cohort": "child"}

PASS_ON = "I cannot: pass it on"


@pytest.fixture
def own() -> Iterator[Hub]:
    with hub_here() as running:
        yield running


def words_of(text: str) -> str:
    main = text.partition("<body")[2].partition(">")[2]
    main = re.sub(r'<(a)[^>]*class="govuk-skip-link".*?</\1>|<script.*?</script>', "", main, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)).strip()


def path_of(hub: Hub, reference: str, clock: str, role: str = "duty_manager") -> str:
    assert hub.settings.token_key
    link = AlertLink(reference=reference, hub="sandwell", clock=clock, role=role, notice=0)
    return f"/alerts/{sign(hub.settings.token_key.get_secret_value(), link)}"


def opened(hub: Hub, path: str, role: str = "", agency: str = "social_care") -> str:
    answer = hub.http.get(path, headers=hub.staff(role, agency) if role else {})
    assert answer.status_code == 200, answer.text
    return answer.text


def offered(text: str) -> list[str]:
    return re.findall(r'<input type="radio" name="until" value="([^"]*)"', text)


def on(text: str) -> dict[str, str]:
    """What the form of an alert sends with which somebody passes it on."""
    hidden = re.findall(r'<input type="hidden" name="(rung|due)" value="([^"]*)"', text)
    assert PASS_ON in text and len(hidden) == 2
    return {"act": "pass_on", **dict(hidden)}


def events(hub: Hub, reference: str, kind: type) -> list[Any]:
    log = hub.stored(lambda store: read_log(store, reference))
    return [each for each in log if isinstance(each.event, kind)]


@contextmanager
def housing_late(own: Hub) -> Iterator[tuple[Hub, str]]:
    """A red case of which everybody has answered but housing, an hour late: the hub is alerted now."""
    reference = own.referral(subjects=[CHILD])
    own.rate(reference)
    for agency in own.case(reference)["outstanding"]:
        if agency != "housing":
            own.answer(reference, agency)
    due = own.stored(lambda store: read_case(store, reference)).referral.to_answer["housing"].due_at
    with later(own, due) as at_once, later(at_once, due + timedelta(minutes=61)) as late:
        yield late, reference


def test_it_says_who_is_late_by_how_much_how_it_is_rated_what_to_do_and_what_happens_otherwise(own: Hub) -> None:
    with housing_late(own) as (late, reference):
        text = opened(late, path_of(late, reference, "check:housing"))
        said = words_of(text)
    assert re.search(r"<h1[^>]*>Housing is 1\sh\s1\smin\slate</h1>", text)
    assert "Red Agency check, due 14:0" in said and f"{reference}. 11 of 12 have answered." in said
    assert "What to do" in said and "Reach Housing" in said and "a late answer still counts" in said
    assert re.search(r"Otherwise it goes to the practice manager at 15:\d\d", said)
    assert "Open the case" in said and "I cannot: pass it on" in said
    assert "Wetherspoone" not in text and "Hephzibah" not in text
    assert len(said.split()) <= 80, said


def test_the_duty_desks_telephone_of_the_profile_is_a_link(tmp_path: Path) -> None:
    shipped = (SHIPPED / "hubs" / "sandwell.toml").read_text()
    with_number = shipped.replace("[agencies.housing]", '[agencies.housing]\ntelephone = "01632 960144"')
    (tmp_path / "sandwell.toml").write_text(with_number)
    with hub_here(profiles_dir=tmp_path) as own, housing_late(own) as (late, reference):
        text = opened(late, path_of(late, reference, "check:housing"))
    assert '<a class="govuk-link" href="tel:01632960144">01632 960144</a>' in text and "Ring Housing’s duty desk" in text


def test_whoever_signed_in_has_it_until_the_time_they_chose_the_earliest_unless_they_say(own: Hub) -> None:
    with housing_late(own) as (late, reference):
        path = path_of(late, reference, "check:housing")
        text = opened(late, path, "duty_manager")
        half, hour = offered(text)
        assert re.search(rf'value="{re.escape(half)}" checked', text) and text.count(" checked") == 1
        for length in ("30 min", "1 hour"):
            assert length in text
        taken = late.http.post(path, data={"until": hour}, headers=late.staff("duty_manager"))
        assert taken.status_code == 303 and taken.headers["location"] == path
        (had,) = events(late, reference, AlertAcknowledged)
        assert had.event.renew_at == datetime.fromisoformat(hour) and had.by.role == "duty_manager"
        after = words_of(opened(late, path, "duty_manager"))
        assert "You have it Until 16:" in after and "I cannot: pass it on" in after
        assert "Housing is 1 h 1 min late" in after and "Reach Housing" in after, "what to do is still there"
        others = words_of(opened(late, path))
        assert "Somebody has it They have it until 16:" in others
        assert "duty_manager" not in others and "pass it on" not in others


def test_longer_than_the_rule_of_its_rating_allows_is_refused_and_said(own: Hub) -> None:
    with housing_late(own) as (late, reference):
        path = path_of(late, reference, "check:housing")
        too_long = late.stored(lambda store: _now(store)) + timedelta(hours=5)
        refused = late.http.post(path, data={"until": too_long.isoformat()}, headers=late.staff("duty_manager"))
        assert refused.status_code == 422 and "at the latest" in refused.text and "I have it until" in refused.text
        assert events(late, reference, AlertAcknowledged) == []


def test_who_has_not_signed_in_says_that_it_was_seen_and_is_led_to_sign_in_with_what_they_chose(own: Hub) -> None:
    with housing_late(own) as (late, reference):
        path = path_of(late, reference, "check:housing")
        half, hour = offered(opened(late, path))
        seen = late.http.post(path, data={"until": hour})
        assert seen.status_code == 200 and "nobody else is told" in seen.text
        assert len(events(late, reference, AlertSeen)) == 1 and events(late, reference, AlertAcknowledged) == []
        (onward,) = re.findall(r'href="/sign-in\?onward=([^"]*)"', seen.text)
        back = opened(late, unquote(onward), "duty_manager")
        assert re.search(rf'value="{hour[:13]}[^"]*" checked', back) and half[:16] != hour[:16]
        again = late.http.post(path, data={"until": hour})
        assert again.status_code == 422 and "sign in to say that you have it" in again.text.lower()
        passed = late.http.post(path, data={"act": "pass_on"})
        assert passed.status_code == 403 and "Sign in to pass it on" in passed.text


def test_whoever_cannot_passes_it_on_and_the_next_role_is_told_now(own: Hub) -> None:
    with housing_late(own) as (late, reference):
        path = path_of(late, reference, "check:housing")
        before = len(events(late, reference, ClockEscalated))
        passes = on(opened(late, path, "duty_manager"))
        passed = late.http.post(path, data=passes, headers=late.staff("duty_manager"))
        assert passed.status_code == 303
        after = words_of(opened(late, passed.headers["location"], "duty_manager"))
        assert "Passed on: the practice manager is told now." in after
        assert "Passed on" not in opened(late, f"{path}?passed=somebody_else")
        told = events(late, reference, ClockEscalated)
        assert len(told) == before + 1 and told[-1].event.role == "practice_manager" and told[-1].event.passed_on
        assert told[-1].by.role == "duty_manager"
        late.work()
        assert any("cannot take it" in post["message"] for post in late.received.posts if reference in post["title"])


def test_pressed_twice_it_is_passed_on_once_and_not_from_a_page_that_is_out_of_date(own: Hub) -> None:
    with housing_late(own) as (late, reference):
        path, duty = path_of(late, reference, "check:housing"), late.staff("duty_manager")
        passes = on(opened(late, path, "duty_manager"))
        before = len(events(late, reference, ClockEscalated))
        first, second = (late.http.post(path, data=passes, headers=duty) for _ in range(2))
        assert [each.status_code for each in (first, second)] == [303, 303]
        assert first.headers["location"] == second.headers["location"]
        assert len(events(late, reference, ClockEscalated)) == before + 1
        for page in (first.headers["location"], path):
            assert PASS_ON not in opened(late, page, "duty_manager"), "it is somebody else's by now"
        for stale in (passes, {"act": "pass_on"}):
            again = late.http.post(path, data=stale, headers=late.staff("practice_manager"))
            assert again.status_code == 422 and "This was passed on already" in again.text
        assert len(events(late, reference, ClockEscalated)) == before + 1
        assert PASS_ON in opened(late, path, "practice_manager")


def test_whom_it_never_came_to_is_not_offered_to_pass_it_on_and_is_refused(own: Hub) -> None:
    with housing_late(own) as (late, reference):
        path = path_of(late, reference, "check:housing")
        passes = on(opened(late, path))
        police, administrator = late.staff("agency", "police"), late.staff("administrator")
        for who in (police, administrator):
            assert PASS_ON not in late.http.get(path, headers=who).text
            assert late.http.post(path, data=passes, headers=who).status_code == 403
        assert "pass_alert_on" not in late.http.get(f"/cases/{reference}", headers=police).json()["possible"]
        assert "pass_alert_on" in late.case(reference)["possible"]
        assert not any(each.event.passed_on for each in events(late, reference, ClockEscalated))


def test_where_nobody_stands_above_nothing_says_that_it_can_be_passed_on(own: Hub) -> None:
    reference = own.referral(subjects=[CHILD])
    due = own.stored(lambda store: read_case(store, reference)).referral.clocks["triage"].due_at
    next_at, top_at = due + timedelta(minutes=45), due + timedelta(hours=3)
    with later(own, due) as first, later(first, next_at) as second, later(second, top_at) as late:
        assert events(late, reference, ClockEscalated)[-1].event.role == "service_manager"
        top = opened(late, path_of(late, reference, "triage", "service_manager"), "service_manager")
        assert "Nobody has rated this" in top and "pass it on" not in top.lower()


def test_in_immediate_danger_the_first_thing_is_999_and_only_a_sign_in_takes_it(own: Hub) -> None:
    reference = own.referral(subjects=[CHILD], concern={"summary": "He is in there now.", "immediate_danger": True})
    path = path_of(own, reference, "triage")
    text = opened(own, path)
    said = words_of(text)
    assert (
        "Somebody may be in immediate danger Immediate danger Not rated" in said
        and 'href="tel:999"' in text
        and "Rate it" in said
    )
    assert own.http.post(path).status_code == 403 and events(own, reference, AlertSeen) == []
    assert own.http.post(path, headers=own.staff("duty_manager")).status_code == 303
    assert events(own, reference, AlertAcknowledged)


def test_an_unrated_case_that_is_late_says_so_and_once_rated_that_it_is_done(own: Hub) -> None:
    reference = own.referral(subjects=[CHILD])
    due = own.stored(lambda store: read_case(store, reference)).referral.clocks["triage"].due_at
    with later(own, due + timedelta(minutes=12)) as late:
        path = path_of(late, reference, "triage")
        said = words_of(opened(late, path))
        assert "Nobody has rated this: 12 min late" in said and "Not rated First rating, due" in said
        late.rate(reference)
        assert "It is done" in opened(late, path)


def test_an_agencys_own_lead_is_led_to_the_answer(own: Hub) -> None:
    with housing_late(own) as (late, reference):
        text = opened(late, path_of(late, reference, "check:housing", "housing_lead"))
    assert f'href="/case/{reference}/answer_check"' in text and "Reach Housing" not in text


async def _now(store: Store) -> datetime:
    return store.time.now()
