"""The child's other contacts on the pages: shown beside a case, compared, confirmed in two presses, rejected, taken back."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from hub import Hub

CONSTANCE = {"name": {"given": "Constance", "family": "Merriweather"}, "date_of_birth": "2017-07-19", "cohort": "child"}
BEATRIX = {"name": {"given": "Beatrix", "family": "Oldershaw"}, "date_of_birth": "2016-11-02", "cohort": "child"}
CLEMENCY = {"name": {"given": "Clemency", "family": "Thistlewood"}, "date_of_birth": "2015-04-08", "cohort": "child"}
OTTOLINE = {"name": {"given": "Ottoline", "family": "Fazackerley"}, "date_of_birth": "2018-01-23", "cohort": "child"}


def contacts(hub: Hub, child: dict[str, Any], *words: str) -> list[str]:
    """Contacts about one child, which the software has looked at."""
    concern = {"narrative": "", "primary_need": "N1"}
    references = [hub.referral(subjects=[child], household=[], concern={**concern, "summary": each}) for each in words]
    hub.work()
    return references


def page(hub: Hub, path: str) -> str:
    answer = hub.http.get(path, headers=hub.staff("duty_manager"))
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def press(hub: Hub, shown: str, act: str, **typed: str) -> None:
    """The button of a form on a page, with what is typed in."""
    (form,) = re.findall(rf'<form [^>]*action="(/case/[^"]*/{act})">(.*?)</form>', shown, re.DOTALL)
    send(hub, *form, **typed)


def send(hub: Hub, address: str, form: str, **typed: str) -> None:
    """A form, with what is typed in; and the software looks again."""
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))
    answer = hub.http.post(address, headers=hub.staff("duty_manager"), data={**fields, **typed})
    assert answer.status_code == 303, answer.text
    hub.work()


def the_pair(shown: str) -> str:
    """Where the row of a match leads."""
    row = shown.split("May be the same child")[1]
    return re.findall(r'href="(/case/[^"]*/beside/[^"]*)">Compare', row)[0].replace("&amp;", "&")


def earlier(shown: str) -> str:
    """The strip of other contacts."""
    return shown.partition('id="earlier"')[2].partition("</section>")[0]


def test_a_likely_child_is_confirmed_in_two_presses_and_it_is_taken_back(hub: Hub) -> None:
    first, second = contacts(hub, CONSTANCE, "She is tired.", "She falls asleep.")
    case = page(hub, f"/case/{second}")
    assert "May be the same child" in case and first in case
    pair = page(hub, the_pair(case))
    assert "Constance" in pair and "She falls asleep." in pair and "She is tired." in pair
    press(hub, pair, "identify_subject")
    assert "Confirmed" in earlier(page(hub, f"/case/{second}"))
    assert "Confirmed" in earlier(page(hub, f"/case/{first}")), "on the other side too"
    back = f"/case/{second}/withdraw_identity"
    send(hub, back, page(hub, back), subject="S1", words="Her cousin.")
    assert "Confirmed" not in earlier(page(hub, f"/case/{first}"))


def closed(hub: Hub, reference: str) -> None:
    hub.rate(reference, "green")
    hub.answer_all(reference)
    hub.give(reference, "record_decision", words="No role.", outcomes={"S1": "no_further_action"})
    hub.work()


def test_a_closed_case_shows_what_was_confirmed_since_and_not_what_was_taken_back(hub: Hub) -> None:
    first, second = contacts(hub, CLEMENCY, "She is tired.", "She falls asleep.")
    hub.give(second, "identify_subject", subject="S1", other=first, other_subject="S1")
    hub.work()
    closed(hub, first)
    (third,) = contacts(hub, CLEMENCY, "She is late.")
    hub.give(third, "identify_subject", subject="S1", other=second, other_subject="S1")
    hub.work()
    shown = earlier(page(hub, f"/case/{first}"))
    assert "Confirmed" in shown and second in shown and third in shown and "May be the same child" not in shown
    hub.give(second, "withdraw_identity", subject="S1", words="Her cousin.")
    hub.work()
    shown = earlier(page(hub, f"/case/{first}"))
    assert shown.count('Same child?">Confirmed') == 1 and second in shown and third in shown and "May be the same child" in shown


def test_whoever_is_rejected_stands_on_neither_side(hub: Hub) -> None:
    first, second = contacts(hub, BEATRIX, "She is thin.", "She is cold.")
    press(hub, page(hub, the_pair(page(hub, f"/case/{second}"))), "reject_match", words="The school has both.")
    for reference in (first, second):
        assert "None found" in page(hub, f"/case/{reference}")


def test_a_second_copy_is_closed_from_the_page_that_sets_the_two_side_by_side(hub: Hub) -> None:
    first, second = contacts(hub, OTTOLINE, "She hides bread.", "She hides bread. Ring in the morning.")
    path = the_pair(page(hub, f"/case/{second}"))
    press(hub, page(hub, path), "identify_subject")
    press(hub, page(hub, path), "close_duplicate", words="The same morning.")
    assert hub.case(second)["stage"] == "considered" and hub.case(first)["open"]


@pytest.mark.parametrize("subject", ["S1", "s1"])
def test_two_are_compared_over_the_api_too(hub: Hub, subject: str) -> None:
    first, second = contacts(hub, OTTOLINE, "She is alone.", "She is left alone.")
    address = f"/cases/{second}/earlier/{first}"
    answer = hub.http.get(address, params={"subject": subject}, headers=hub.staff("duty_manager"))
    assert answer.status_code == (200 if subject == "S1" else 404)


def test_what_is_possible_is_opened_from_the_case(hub: Hub) -> None:
    number = "943 476 5919"
    stranger = {"name": {"given": "Percival", "family": "Ainsworth"}, "date_of_birth": "2012-05-06", "cohort": "child"}
    (first,) = contacts(hub, {**OTTOLINE, "nhs_number": number}, "She has a cough.")
    (second,) = contacts(hub, {**stranger, "nhs_number": number}, "He has a cough.")
    assert f'href="/case/{second}/possible"' in page(hub, f"/case/{second}")
    opened = page(hub, f"/case/{second}/possible")
    assert first in opened and "Ottoline Fazackerley" in opened
