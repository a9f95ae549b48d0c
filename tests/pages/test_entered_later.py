"""After an outage: each act is entered with when it happened, by the API and by its page, and its story says both times."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from hub import Hub, hub_here, later

from mash.flows.store.log import verify
from mash.flows.store.store import Store
from mash.states.clocks import LONDON


@pytest.fixture
def own() -> Iterator[Hub]:
    with hub_here() as running:
        yield running


def now(hub: Hub) -> datetime:
    """What time it is at the hub."""

    async def asked(store: Store) -> datetime:
        return store.time.now().astimezone(LONDON)

    return hub.stored(asked)


def reported(hub: Hub, hours: float) -> str:
    """A contact that was taken on paper so many hours ago."""
    return hub.referral(reported_at=(now(hub) - timedelta(hours=hours)).isoformat())


def hidden(page: str) -> dict[str, str]:
    """What a form sends without being asked."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))


def test_an_act_of_the_morning_is_entered_by_its_page_and_its_story_says_both_times(hub: Hub) -> None:
    reference, by = reported(hub, 3), hub.staff("duty_manager")
    address = f"/case/{reference}/rate_referral"
    form = hub.http.get(address, headers=by).text
    assert "It happened earlier" in form and "When did it happen?" in form
    happened = now(hub) - timedelta(hours=2)
    sent = {**hidden(form), "rating": "amber", "happened_at": f"{happened:%Y-%m-%dT%H:%M}", "words": "Rated on paper."}
    assert hub.http.post(address, headers=by, data=sent).status_code == 303
    assert f"happened {happened:%H:%M}" in hub.http.get(f"/case/{reference}?tab=story", headers=by).text
    story = hub.http.get(f"/cases/{reference}/log", headers=by).json()
    (rated,) = (line for line in story if line["what"].startswith("Referral rated"))
    entered = datetime.fromisoformat(rated["at"]).astimezone(LONDON)
    assert f"entered {entered:%H:%M}, happened {happened:%H:%M}" in rated["what"]
    assert datetime.fromisoformat(rated["happened_at"]) == happened.replace(second=0, microsecond=0)
    assert "happened_at" not in story[0], "what came in as it happened says nothing of it"


def test_a_time_to_come_is_refused_and_says_so_and_what_was_typed_is_still_there(hub: Hub) -> None:
    reference, by = hub.referral(), hub.staff("duty_manager")
    address = f"/case/{reference}/rate_referral"
    ahead = f"{now(hub) + timedelta(hours=2):%Y-%m-%dT%H:%M}"
    sent = {**hidden(hub.http.get(address, headers=by).text), "rating": "amber", "happened_at": ahead, "words": "Rated."}
    refused = hub.http.post(address, headers=by, data=sent)
    assert refused.status_code == 422 and "check the time" in refused.text.lower() and ahead in refused.text
    assert '<details class="govuk-details" open>' in refused.text
    nonsense = hub.http.post(address, headers=by, data={**sent, "happened_at": "this morning"})
    assert nonsense.status_code == 422 and "Enter a date and a time" in nonsense.text
    assert hub.case(reference)["rating"] is None


def test_the_api_takes_when_it_happened_beside_any_command_that_can_be_done_on_paper(hub: Hub) -> None:
    reference = reported(hub, 3)
    body = {
        "seen": hub.case(reference)["version"],
        "command": {"kind": "add_note"},
        "words": "Rang the school from the car.",
        "happened_at": (now(hub) - timedelta(hours=1)).isoformat(),
    }
    by = {**hub.staff("duty_manager"), "Idempotency-Key": f"later {reference}"}
    given = [hub.http.post(f"/cases/{reference}/commands", headers=by, json=body) for _ in range(2)]
    assert [each.status_code for each in given] == [200, 200] and given[0].json() == given[1].json()
    joined = {**body, "command": {"kind": "link_referral", "other": hub.referral(), "relation": "sibling"}}
    refused = hub.http.post(f"/cases/{reference}/commands", headers={**by, "Idempotency-Key": "joined"}, json=joined)
    assert refused.status_code == 422 and "happens as it is entered" in refused.text


def test_the_log_verifies_with_what_was_entered_later_in_it(hub: Hub) -> None:
    reference = reported(hub, 3)
    by = {**hub.staff("duty_manager"), "Idempotency-Key": f"rated {reference}"}
    body = {
        "seen": hub.case(reference)["version"],
        "command": {"kind": "rate_referral", "rating": "amber"},
        "happened_at": (now(hub) - timedelta(hours=2)).isoformat(),
    }
    assert hub.http.post(f"/cases/{reference}/commands", headers=by, json=body).status_code == 200

    async def wrong(store: Store) -> list[str]:
        return [sentence async for sentence in verify(store)]

    assert hub.stored(wrong) == []


def test_an_agency_is_not_asked_when_it_answered_and_its_own_word_does_not_make_a_missed_clock_kept(own: Hub) -> None:
    asked = now(own)
    reference, housing = own.referral(), own.staff("agency", "housing")
    own.rate(reference)
    form = own.http.get(f"/case/{reference}/answer_check", headers=housing)
    assert form.status_code == 200 and "It happened earlier" not in form.text
    with later(own, asked + timedelta(days=1)) as running:
        late = {
            "seen": running.case(reference)["version"],
            "command": {"kind": "answer_check", "agency": "housing", "known": False},
            "happened_at": (asked + timedelta(minutes=1)).isoformat(),
        }
        by = {**running.staff("agency", "housing"), "Idempotency-Key": f"answered {reference}"}
        refused = running.http.post(f"/cases/{reference}/commands", headers=by, json=late)
        assert refused.status_code == 422 and "counts from when it is entered" in refused.text
        del late["happened_at"]
        by["Idempotency-Key"] = f"answered now {reference}"
        assert running.http.post(f"/cases/{reference}/commands", headers=by, json=late).status_code == 200
        story = running.http.get(f"/cases/{reference}/log", headers=running.staff("duty_manager")).json()
        assert any(line["what"].startswith("Check answered") and "late" in line["what"] for line in story)
        ended = next(c for c in running.case(reference)["clocks"] if c["id"] == "check:housing")
        assert ended["state"] == "missed"


def test_a_basis_for_sharing_is_not_asked_when_it_was_and_an_act_before_its_stage_is_refused_at_its_field(hub: Hub) -> None:
    reference, by = reported(hub, 3), hub.staff("duty_manager")
    assert "It happened earlier" not in hub.http.get(f"/case/{reference}/record_sharing_basis", headers=by).text
    hub.rate(reference)
    address = f"/case/{reference}/add_note"
    sent = {
        **hidden(hub.http.get(address, headers=by).text),
        "happened_at": f"{now(hub) - timedelta(hours=2):%Y-%m-%dT%H:%M}",
        "words": "Rang the school.",
    }
    refused = hub.http.post(address, headers=by, data=sent)
    assert refused.status_code == 422 and "the case was not there yet" in refused.text.lower()
