"""The managers' page of what other rules would have made of what was done."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime

import pytest
from hub import Hub

from mash.api.pages.figures.whatif import Busy, Question, Reckoning
from mash.states.whatif import Limits


def asked(hub: Hub, status: int = 200, **form: str) -> str:
    answer = hub.http.post("/manager/whatif", data=form, headers=hub.staff("duty_manager"))
    assert answer.status_code == status, answer.text
    return answer.text


def test_a_manager_asks_what_another_limit_would_have_made_late_and_reads_what_that_cannot_say(hub: Hub) -> None:
    hub.rate(hub.referral())
    page = asked(hub, limit="ratings.red.response.length", value="0.0001 min")
    assert "contacts reckoned" in page and "Would be late" in page and "Clocks it would have been" in page
    assert "Nobody would have acted just so" in page and "<h1" in page and "Other limits" in page


@pytest.mark.parametrize(("value", "expected"), [("soon", "expected a length such as"), ("", "expected a length such as")])
def test_a_value_that_is_none_is_told_beside_the_field(hub: Hub, value: str, expected: str) -> None:
    page = asked(hub, 422, limit="ratings.red.response.length", value=value)
    assert expected in page and f'value="{value}"' in page


def test_the_same_question_is_reckoned_once_a_day_and_looking_reckons_nothing(hub: Hub) -> None:
    hub.rate(hub.referral())
    first = asked(hub, limit="ratings.red.response.length", value="1 h")
    hub.rate(hub.referral())
    again = asked(hub, limit="ratings.red.response.length", value="1 h")
    reckoned = [page[page.index('role="status"') :].split("</p>")[0] for page in (first, again)]
    assert reckoned[0] == reckoned[1]
    looked = hub.http.get("/manager/whatif?limit=ratings.red.response.length&value=1 h", headers=hub.staff("duty_manager"))
    assert looked.status_code == 200 and 'role="status"' not in looked.text


async def test_who_asks_while_another_question_is_reckoned_is_told_to_come_back_and_does_not_wait() -> None:
    reckoning, begun, done = Reckoning(), asyncio.Event(), asyncio.Event()
    day, now = date(2026, 6, 2), datetime(2026, 6, 2, 9, tzinfo=UTC)

    async def slow() -> Limits:
        begun.set()
        await done.wait()
        return Limits(contacts=7)

    question = Question(day, "sandwell", "digest", "one")
    first = asyncio.create_task(reckoning.answer(question, now, slow))
    await begun.wait()
    with pytest.raises(Busy):
        await reckoning.answer(question._replace(asked="another"), now, slow)
    done.set()
    assert (await first).found == Limits(contacts=7) == (await reckoning.answer(question, now, slow)).found


def test_what_neither_answer_can_say_stands_there_before_anything_is_asked(hub: Hub) -> None:
    page = hub.http.get("/manager/whatif", headers=hub.staff("duty_manager")).text
    assert "Nobody would have acted just so" in page and "nothing of how well anybody works" in page


def test_another_hubs_profile_is_never_shown_as_performance(hub: Hub) -> None:
    hub.rate(hub.referral())
    page = asked(hub, profile="merton")
    assert "has a place for all that was done" in page and "nothing of how well anybody works" in page


def test_it_is_for_whoever_reads_figures(hub: Hub) -> None:
    answer = hub.http.get("/manager/whatif", headers=hub.staff("agency", "police"))
    assert answer.status_code == 403


def test_the_page_of_figures_leads_there(hub: Hub) -> None:
    assert "/manager/whatif" in hub.http.get("/manager", headers=hub.staff("duty_manager")).text
