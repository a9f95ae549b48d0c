"""Asking the other hubs of the installation whether one of them may know somebody: when, by whom, and what is written down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mash.config.profile import load_profile
from mash.notifications.notices import notices_for
from mash.states.acts.across import AskedAcrossHubs, AskOtherHubs
from mash.states.acts.closing import PeopleErased
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.sharing import RecordSharingBasis
from mash.states.decide import Decision, decide
from mash.states.entitled import open_to
from mash.states.errors import ImpossibleMove, Incomplete
from mash.states.fold import evolve
from mash.states.log import Recorded
from mash.states.reading import Reader, as_read, story_as_read
from mash.states.values import Actor, AskedAcross, Heard, Subject, Words
from mash.states.world import World, system

HUB = load_profile("sandwell")
NOW = datetime(2026, 6, 2, 9, 0, tzinfo=UTC)
WORDS = Words(item="w", hmac="0" * 64)
DUTY = Actor(id="d.manager", role="duty_manager", agency="social_care", hub="sandwell")
BASIS = RecordSharingBasis(purpose="safeguarding_child", lawful_basis="public_task", consent="not_sought", family_informed=True)
NOT_SHARED = BASIS.model_copy(update={"share": False})
HEARD = Heard(asked=("kent", "merton"), may_know=("merton",))
STAFF = Reader(agency="social_care", findings=True, inside=True, finds=True)
POLICE = Reader(agency="police", findings=False, inside=False, finds=False)


def received(basis: RecordSharingBasis | None = BASIS) -> World:
    world = World(HUB, NOW, "MASH-26-000009")
    command = ReceiveContact(
        contact="referral", source="2A", source_agency="education", subjects=(Subject(id="S1", cohort="child"),)
    )
    world.give(command, Actor(id="school", role="referrer", agency="education", hub="sandwell"), words=WORDS)
    if basis:
        world.give(basis, DUTY, words=WORDS)
    return world


def asked(world: World, heard: Heard = HEARD, subject: str = "S1") -> Decision:
    """What the question causes, with what the other hubs answer."""
    return decide(world.referral, AskOtherHubs(subject=subject), HUB, DUTY, world.now, reference=world.reference, heard=heard)


def test_the_log_has_which_hubs_were_asked_and_which_may_know_somebody_and_the_case_the_last_answer() -> None:
    world = received()
    first = asked(world)
    assert first.events == [AskedAcrossHubs(subject="S1", asked=("kent", "merton"), may_know=("merton",), words=None)]
    assert first.after.across == {"S1": AskedAcross(at=NOW, may_know=("merton",))}
    world.state, world.now = first.after, NOW + timedelta(hours=1)
    assert asked(world, Heard(asked=("kent", "merton"))).after.across["S1"].may_know == ()


def test_nobody_is_asked_before_it_is_recorded_that_information_may_be_shared() -> None:
    for basis, why in ((None, "record first why information may be shared"), (NOT_SHARED, "is not to be shared")):
        world = received(basis)
        with pytest.raises(Incomplete, match=why):
            asked(world)
        assert "ask_other_hubs" not in open_to(world.referral, HUB, DUTY)
    assert "ask_other_hubs" in open_to(received().referral, HUB, DUTY)


def test_one_asks_about_a_subject_of_the_case_and_where_there_is_another_hub() -> None:
    with pytest.raises(Incomplete, match="expected one of S1"):
        asked(received(), subject="S2")
    with pytest.raises(Incomplete, match="serves no other hub"):
        asked(received(), Heard())


def test_once_its_people_are_erased_nobody_is_asked_and_no_answer_is_shown() -> None:
    world = received()
    world.state = evolve(asked(world).after, PeopleErased(why="right_to_erasure"), NOW, system(HUB))
    assert world.referral.across == {}
    with pytest.raises(ImpossibleMove):
        asked(world)


def test_whoever_may_not_find_people_reads_neither_question_nor_answer_nor_a_gap() -> None:
    world = received()
    before, after = world.referral, asked(world).after
    assert as_read(after, STAFF).across == after.across
    read = as_read(after, POLICE)
    assert read == as_read(before, POLICE)
    (event,) = asked(world).events
    recorded = Recorded(
        reference=world.reference, sequence=after.version, at=NOW, by=DUTY, profile="p", schema_number=1, event=event,
        previous="0" * 64,
    )  # fmt: skip
    assert story_as_read([recorded], after, POLICE) == [] and len(story_as_read([recorded], after, STAFF)) == 1


def test_nobody_is_told_and_nobodys_view_of_the_case_is_outdated() -> None:
    world = received()
    before, decision = world.referral, asked(world)
    assert list(notices_for(world.reference, before, decision.after, decision.events, HUB, system(HUB), NOW)) == []
    assert decision.after.acted == before.acted
