"""The managers' page of what other rules would have made of what was done."""

from __future__ import annotations

from hub import Hub


def asked(hub: Hub, **query: str) -> str:
    answer = hub.http.get("/manager/whatif", params=query, headers=hub.staff("duty_manager"))
    assert answer.status_code == 200, answer.text
    return answer.text


def test_a_manager_asks_what_another_limit_would_have_made_late_and_reads_what_that_cannot_say(hub: Hub) -> None:
    hub.rate(hub.referral())
    page = asked(hub, limit="ratings.red.response.length", value="0.0001 min")
    assert "contacts reckoned" in page and "Would be late" in page
    assert "Nobody would have acted just so" in page


def test_a_value_that_is_none_is_told_beside_the_field(hub: Hub) -> None:
    page = asked(hub, limit="ratings.red.response.length", value="soon")
    assert "expected a length such as" in page and 'value="soon"' in page


def test_another_hubs_profile_is_never_shown_as_performance(hub: Hub) -> None:
    hub.rate(hub.referral())
    page = asked(hub, profile="merton")
    assert "has a place for all that was done" in page and "nothing of how well anybody works" in page


def test_it_is_for_whoever_reads_figures(hub: Hub) -> None:
    answer = hub.http.get("/manager/whatif", headers=hub.staff("agency", "police"))
    assert answer.status_code == 403


def test_the_page_of_figures_leads_there(hub: Hub) -> None:
    assert "/manager/whatif" in hub.http.get("/manager", headers=hub.staff("duty_manager")).text
