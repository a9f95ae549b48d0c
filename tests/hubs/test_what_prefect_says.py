"""What Prefect says of a case to whoever looks after the installation: only what is on the lists, at every stage of every hub."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar
from uuid import UUID

import pytest

from mash.config.profile import load_profile
from mash.config.profile_files import available
from mash.flows.telling.addresses import Addresses
from mash.flows.telling.awaited import Told, in_a_line, story
from mash.flows.telling.for_administrators import NOTICES_SAID, SAID, SOMEBODY, line_of, role_in_words, timeline
from mash.flows.telling.walk import Walk, begin
from mash.notifications import wording
from mash.notifications.notices import OF_CHILD
from mash.states.acts.alerts import AcknowledgeAlert
from mash.states.acts.allocating import AllocateCase
from mash.states.acts.handing_over import HandOverOffered
from mash.states.acts.orders import ProtectionOrderRecorded
from mash.states.acts.parting import ReferralSplit
from mash.states.acts.sharing import MarkerRecorded
from mash.states.acts.upkeep import NoteAdded
from mash.states.clocks import Frozen, dated
from mash.states.course import ClocksStarted
from mash.states.log import GENESIS, Recorded
from mash.states.messages import EVENTS
from mash.states.profile import Profile
from mash.states.referral import StartedClock
from mash.states.values import Actor, EventBase, Words

HUBS = [load_profile(name) for name in available()]
SANDWELL = load_profile("sandwell")
ADDRESSES = Addresses("https://mash.example.org", "http://127.0.0.1:4200/v2")
REFERENCE, RUN = "MASH-26-000123", UUID(int=7)
LOGIN = "zebediah.quillfeather"
AT = datetime(2026, 6, 2, 9, tzinfo=UTC)
WORDS = Words(item="item-1", hmac="0" * 64)
TEMPLATES = Path(wording.__file__).parent / "templates"
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT")


def recorded(event: object, by: str = LOGIN, role: str = "duty_manager") -> Recorded:
    """An event in a log, by somebody."""
    actor = Actor(id=by, role=role, agency="social_care", hub="sandwell")
    return Recorded.model_construct(reference=REFERENCE, sequence=1, at=AT, by=actor, event=event, previous=GENESIS)


def shown(going: Walk) -> tuple[str, str]:
    """What Prefect says of a case: in the state of its run, and in its story. Everybody who acted has a login of their own."""
    referral = going.referral
    clocks = {
        name: clock.model_copy(update={"acknowledged_by": LOGIN}) if clock.acknowledged_by else clock
        for name, clock in referral.clocks.items()
    }
    worker = referral.worker and referral.worker.model_copy(update={"login": LOGIN})
    referral = referral.model_copy(update={"clocks": clocks, "worker": worker, "decided_by": LOGIN})
    log = [recorded(entry.event, role=entry.by.role) for entry in going.world.log]
    told = Told(REFERENCE, RUN, referral, log, (), going.profile)
    return in_a_line(REFERENCE, referral, going.profile, ADDRESSES), story(told, ADDRESSES)


def in_words(text: str) -> str:
    """A text without its addresses."""
    return re.sub(r"https?://[^\s)]+", "", text)


@pytest.mark.parametrize("profile", HUBS, ids=lambda profile: profile.name)
def test_at_each_stage_it_says_where_the_case_stands_what_is_due_and_whose_turn_it_is_and_names_nobody(profile: Profile) -> None:
    for rating in profile.ratings:
        going = begin(profile, rating)
        while going.referral.open:
            line, whole = shown(going)
            due = {dated(clock.due_at) for clock in going.referral.running}
            assert any(f"due {each}" in line or f"late since {each}" in line for each in due), line
            assert re.search(r"With the [a-z]|Nobody has it: the alert|Somebody has the alert", line), line
            assert ADDRESSES.case(REFERENCE) in line and ADDRESSES.story(REFERENCE) in line
            assert ADDRESSES.case(REFERENCE) in whole and ADDRESSES.run(RUN) in whole
            for text in map(in_words, (line, whole)):
                assert LOGIN not in text and "S1" not in text and SOMEBODY not in text
                assert "_" not in text and not INSTANT.search(text), text
            going.step()


def test_the_first_70_characters_say_the_stage_and_what_is_due_first() -> None:
    going = begin(SANDWELL, "red")
    line, _ = shown(going)
    first = min(going.referral.running, key=lambda clock: clock.due_at)
    assert line.startswith(f"Triage, due {dated(first.due_at)}")
    assert dated(first.due_at) in line[:70]


def test_what_is_late_is_called_so_and_that_nobody_has_it_comes_first() -> None:
    going = begin(SANDWELL, "red")
    going.world.run_to(going.now + timedelta(minutes=61))
    line, whole = shown(going)
    assert line.startswith("Triage, late since ") and "Nobody has it: the alert went to the duty manager." in line
    assert "| late since " in whole
    going.give(AcknowledgeAlert(clock=going.referral.alerts[0]), "duty_manager", "has it", person=LOGIN)
    line, whole = shown(going)
    assert "Somebody has the alert to the duty manager." in line and "Nobody has it" not in line
    assert LOGIN not in line + whole


def test_whoever_has_the_case_by_name_is_said_by_role() -> None:
    going = begin(SANDWELL, "red")
    worker = next(each.login for each in going.world.colleagues if each.has_cases)
    going.give(AllocateCase(worker=worker), "duty_manager", "allocates it")
    line, whole = shown(going)
    assert "Allocated to: social worker." in line
    assert worker not in line + whole


def test_a_kind_of_event_that_is_on_no_list_is_not_said() -> None:
    class Invented(Frozen):
        of_child: ClassVar[bool] = False
        kind: str = "quillfeather_moved"
        where: str = "17 Marrowbone Rise"

    note = recorded(NoteAdded(words=WORDS))
    with_it, without = timeline([recorded(Invented()), note], (), SANDWELL), timeline([note], (), SANDWELL)
    assert with_it == without and "| 1 |" in without and "Note added" in without


@pytest.mark.parametrize(
    "event",
    [
        MarkerRecorded(marker="staff_safety", holds=True, words=WORDS),
        ProtectionOrderRecorded(
            order="police_protection", subjects=("S1",), since=AT, until=AT + timedelta(hours=72), words=WORDS
        ),
    ],
    ids=lambda event: event.kind,
)
def test_an_event_whose_name_alone_says_what_a_case_is_about_is_not_said(event: EventBase) -> None:
    assert event.kind not in SAID and line_of(event, SANDWELL) == ""  # type: ignore[arg-type]  # of the closed union


def test_of_a_new_fact_of_an_event_nothing_is_said() -> None:
    split = ReferralSplit(
        reference=f"{REFERENCE}-B", subjects=("S2",), outcome="no_further_action", proposed_by=LOGIN, adding_up=0
    )
    assert line_of(split, SANDWELL) == f"Referral split: {REFERENCE}-B"
    offered = HandOverOffered(
        hand_over="channel", destination="channel", destination_kind="further", subjects=("S1",), words=WORDS
    )
    assert line_of(offered, SANDWELL) == "Hand over offered"


def test_of_a_new_kind_of_clock_and_of_one_that_says_what_a_case_is_about_nothing_is_said() -> None:
    def clock(kind: str, name: str = "") -> StartedClock:
        started = {"started_at": AT, "due_at": AT, "warn_at": (), "why": "acceptance by Channel", "source": "x"}
        return StartedClock(id=name or kind, kind=kind, owner="duty_manager", **started)

    hidden = ClocksStarted(clocks=(clock("quillfeather"), clock("police_protection"), clock("pre_birth_conference")))
    assert line_of(hidden, SANDWELL) == "Awaited"
    handed = ClocksStarted(clocks=(clock("hand_over", "hand_over:channel"),))
    assert line_of(handed, SANDWELL) == f"Awaited: acceptance of a hand-over, due {dated(AT)}"


def test_a_role_that_nobody_knows_is_somebody() -> None:
    assert role_in_words("practice_manager", SANDWELL) == "practice manager"
    assert role_in_words(LOGIN, SANDWELL) == SOMEBODY


def test_the_lists_name_only_what_there_is_and_nothing_of_a_child_who_is_known() -> None:
    kinds = {event.model_fields["kind"].default: event for event in EVENTS}
    assert set(SAID) <= set(kinds) and not any(kinds[kind].of_child for kind in SAID)
    templates = {path.stem for path in TEMPLATES.glob("*.j2")}
    assert templates >= NOTICES_SAID and not NOTICES_SAID & set(OF_CHILD)
