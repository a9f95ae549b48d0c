"""A line about an earlier contact is shared with the partners on a case, one contact at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mash.config.profile import load_profile
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.known import RecordKnown
from mash.states.acts.shared import EarlierContactShared, RecordLineReleased, ShareEarlierContact
from mash.states.acts.sharing import RecordSharingBasis, RecordThreshold
from mash.states.errors import ImpossibleMove, Incomplete, NotInProfile, ReasonNeeded
from mash.states.messages import EVENTS
from mash.states.profile import Profile
from mash.states.values import Actor, Match, Subject, Words
from mash.states.world import World, system

HUB = load_profile("sandwell")
NOW = datetime(2026, 6, 2, 9, 0, tzinfo=UTC)
LINE, BECAUSE = Words(item="line", hmac="0" * 64), Words(item="because", hmac="0" * 64)
DUTY = Actor(id="d.manager", role="duty_manager", agency="social_care", hub="sandwell")
NOT_SHARED = RecordSharingBasis(
    share=False, purpose="safeguarding_child", lawful_basis="public_task", consent="not_sought", family_informed=True
)
SHARE = ShareEarlierContact(other="MASH-26-000001", necessity="to_protect_a_child")


def case(likeness: Any = "confirmed", profile: Profile = HUB) -> World:
    world = World(profile, NOW, "MASH-26-000009")
    received = ReceiveContact(
        contact="referral", source="2A", source_agency="education", subjects=(Subject(id="S1", cohort="child"),)
    )
    world.give(received, Actor(id="school", role="referrer", agency="education", hub="sandwell"), words=BECAUSE)
    match = Match(
        subject="S1", reference="MASH-26-000001", other="S1", likeness=likeness, why=(), received_at=NOW - timedelta(days=30)
    )
    world.give(RecordKnown(matches=(match,)), system(profile))
    return world


def test_the_line_is_held_and_released_whole_and_its_event_names_no_more_than_the_item() -> None:
    world = case()
    (shared,) = world.give(SHARE, DUTY, words=LINE)
    assert isinstance(shared, EarlierContactShared) and "MASH" not in shared.model_dump_json()
    assert not world.referral.held["line"].released
    world.give(RecordLineReleased(item="line", necessity="to_protect_a_child"), DUTY, words=BECAUSE)
    held = world.referral.held["line"]
    assert (held.agency, held.released, held.redacted) == ("social_care", True, None)


def test_partners_hear_of_it_from_the_log_too() -> None:
    assert EarlierContactShared in EVENTS and not EarlierContactShared.of_child


def test_a_contact_that_is_likely_the_same_childs_is_not_shared_before_somebody_has_confirmed_it() -> None:
    with pytest.raises(ImpossibleMove):
        case("likely").give(SHARE, DUTY, words=LINE)
    world = case()
    with pytest.raises(Incomplete, match="confirmed: MASH-26-000001"):
        world.give(SHARE.model_copy(update={"other": "MASH-26-000007"}), DUTY, words=LINE)


def test_a_likely_one_beside_a_confirmed_one_is_refused_with_what_to_do() -> None:
    world = case()
    (known,) = world.referral.matches
    likely = known.model_copy(update={"reference": "MASH-26-000002", "likeness": "likely"})
    world.give(RecordKnown(matches=(known, likely)), system(world.profile))
    with pytest.raises(Incomplete, match="identify_subject"):
        world.give(SHARE.model_copy(update={"other": "MASH-26-000002"}), DUTY, words=LINE)


def test_nothing_is_shared_without_a_reason_nor_where_nothing_is_to_be_shared() -> None:
    world = case()
    with pytest.raises(ReasonNeeded):
        world.give(SHARE, DUTY)
    world.give(NOT_SHARED, DUTY, words=BECAUSE)
    with pytest.raises(Incomplete, match="not to be shared"):
        world.give(SHARE, DUTY, words=LINE)


def test_below_the_threshold_nothing_is_shared_where_the_hub_asks_for_it() -> None:
    strict = HUB.model_copy(update={"firewall": HUB.firewall.model_copy(update={"threshold": "significant_harm"})})
    world = case(profile=strict)
    with pytest.raises(Incomplete, match="record_threshold"):
        world.give(SHARE, DUTY, words=LINE)
    world.give(RecordThreshold(significant_harm=True), DUTY, words=BECAUSE)
    assert world.give(SHARE, DUTY, words=LINE)


def test_a_line_is_released_once_and_by_the_agency_that_shared_it() -> None:
    world = case()
    world.give(SHARE, DUTY, words=LINE)
    release = RecordLineReleased(item="line", necessity="to_protect_a_child")
    with pytest.raises(Incomplete):
        world.give(release, DUTY.model_copy(update={"agency": "police"}), words=BECAUSE)
    world.give(release, DUTY, words=BECAUSE)
    with pytest.raises(Incomplete):
        world.give(release, DUTY, words=BECAUSE)


def test_whoever_is_of_no_agency_of_the_hub_shares_nothing() -> None:
    with pytest.raises(NotInProfile):
        case().give(SHARE, DUTY.model_copy(update={"agency": "elsewhere"}), words=LINE)
