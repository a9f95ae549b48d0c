"""What happens next on a case: the one act it waits for, the way it goes, and what is in the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mash.api.pages.summary import Person
from mash.api.pages.words import counted, when
from mash.config.words import agency_title, listed, sentence
from mash.states.acts.seconding import proposed
from mash.states.messages import STAFF_ACTS
from mash.states.profile import Profile
from mash.states.referral import Referral
from mash.states.stages import SECTION_47, STEP_DOWN

MOST_ACTS = 6
OFFERED_FIRST = (
    "take_contact", "call_strategy_discussion", "allocate_case", "rerate_referral", "record_sharing_basis", "ask_agencies",
    "record_answer_by_telephone", "convene_meeting", "record_meeting", "record_decision", "proceed_without_replies",
    "contribute_information", "release_information", "inform_referrer", "record_child_voice", "record_marker", "record_action",
)  # fmt: skip
"""Acts beside the next one, in the order of a hub's work; what is not among them comes after."""
ALWAYS = "add_note"
ON_A_PAGE_OF_THEIR_OWN = ("acknowledge_alert", "identify_subject", "reject_match", "share_earlier_contact", "open_adult")
"""Acts that stand beside what they are about: an alert, an earlier contact."""
FEW_STAGES = 4
"""An act that is possible in no more stages than this is what a case waits for there."""
BEFORE_A_DECISION = (
    "contact", "to_confirm_not_ours", "consultation", "triage", "agency_checks", "mash_meeting", "decision", "sign_off",
)  # fmt: skip
FIRST_STAGES = ("contact", "to_confirm_not_ours", "consultation", "triage", "agency_checks")
"""Stages at which it is in nobody's way that a child has not been seen yet."""
HELD_BY = ("convene_meeting", "schedule_strategy_discussion")
"""Acts that set a time: what their clock says is by when it is to be held."""
State = Literal["done", "now", "later"]


@dataclass(frozen=True)
class Step:
    """A part of the way that a case goes."""

    text: str
    state: State


@dataclass(frozen=True)
class Next:
    """What happens next."""

    act: str
    """The act that the case waits for, if it is for whoever looks; else empty."""
    waits: str
    """What is said instead where nothing is theirs to do."""
    steps: tuple[Step, ...]
    obstacles: tuple[str, ...]


def next_of(referral: Referral, rules: Profile | None, possible: Sequence[str], people: Sequence[Person], now: datetime) -> Next:
    """What happens next, for somebody to whom these acts are possible."""
    act = next((kind for kind in _waited_for(referral) if kind in possible), "")
    act = act or ("" if _waits_for_second(referral) else _of_its_stage(possible))
    waits = "" if act else _waits(referral)
    return Next(act, waits, tuple(_steps(referral, rules, now)), tuple(_obstacles(referral, rules, people, now, act)))


def acts_beside(possible: Sequence[str], act: str) -> tuple[list[str], list[str]]:
    """The acts besides the next one: those that stand at once, and the others."""
    others = [kind for kind in possible if kind != act and kind not in ON_A_PAGE_OF_THEIR_OWN]
    first = [kind for kind in OFFERED_FIRST if kind in others] + [kind for kind in others if kind not in (*OFFERED_FIRST, ALWAYS)]
    kept = [ALWAYS] if ALWAYS in others else []
    shown = first[: MOST_ACTS - len(kept)] + kept
    return shown, [kind for kind in others if kind not in shown]


def _waited_for(r: Referral) -> Iterator[str]:
    """The acts by which a case goes on, the first of them first: a second person's before all."""
    yield from ("countersign", "sign_off_withdrawal", "write_second_view", "sign_off_decision", "weigh_contacts")
    yield from ("confirm_not_ours", "conclude_consultation")
    if r.place is None:
        yield "assign_place"
    yield "rate_referral"
    if _waits_for_second(r):
        return
    if r.sharing is None:
        yield "record_sharing_basis"
    if r.stage == "strategy_discussion":  # it waits for no agency's answer
        yield "record_strategy_discussion" if r.discussion_at else "schedule_strategy_discussion"
    yield "answer_check"
    if r.stage in ("agency_checks", "mash_meeting"):
        yield from _to_the_meeting(r)
    if r.stage == "enquiries" and r.unseen:  # they do not end before each child is seen
        yield "record_child_voice"
    yield from ("record_decision", "put_quorum_right", "conclude_enquiries", "record_conference", "complete_assessment")
    yield from ("accept_step_down", "offer_step_down", "accept_hand_over", "complete_adult_enquiry", "settle_disagreement")


def _waits_for_second(r: Referral) -> bool:
    """Whether agencies are asked once a second person agrees: why to share is said already, and is not said again."""
    return r.stage == "agency_checks" and bool(proposed(r))


def _to_the_meeting(r: Referral) -> Iterator[str]:
    """A meeting is set once; it is recorded when all have answered, and whoever is late with an answer is rung before."""
    if not r.meeting_at:
        yield "convene_meeting"
    if r.outstanding and any(clock.breached_at for clock in r.running if clock.kind == "check"):
        yield from ("record_answer_by_telephone", "proceed_without_replies")
    if not r.outstanding:
        yield "record_meeting"


def _of_its_stage(possible: Sequence[str]) -> str:
    return next((kind for kind in possible if 0 < len(STAFF_ACTS[kind].stages or ()) <= FEW_STAGES), "")


def _waits(r: Referral) -> str:
    if not r.open:
        return "It is closed"
    if _waits_for_second(r):
        return "Waiting for a second person"
    if r.outstanding:
        return f"Waiting for {counted(r.outstanding, 'answer')}"
    return "Nothing for you to do now"


def _steps(r: Referral, rules: Profile | None, now: datetime) -> Iterator[Step]:
    """The way, in at most four steps."""
    if not r.open:
        return
    if r.stage in BEFORE_A_DECISION:
        yield from _to_a_decision(r, rules, now)
    elif r.stage == "strategy_discussion":
        yield from _in_order(("Call a strategy discussion", "Hold it", "Decide about section 47"), 1)
    elif r.stage in SECTION_47:
        yield from _in_order(
            ("Hold the strategy discussion", "Make enquiries", "Hold the conference"), 1 + (r.stage == "conference")
        )
    elif r.stage in STEP_DOWN:
        yield from _in_order(("Decide", "Offer it to a service", "The service accepts"), 1 + (r.stage == "step_down_offered"))


def _in_order(texts: Sequence[str], here: int) -> Iterator[Step]:
    for place, text in enumerate(texts):
        yield Step(text, "done" if place < here else "now" if place == here else "later")


def _to_a_decision(r: Referral, rules: Profile | None, now: datetime) -> Iterator[Step]:
    rating = rules.ratings.get(r.rating) if rules and r.rating else None
    route = rating.route if rating else ("agency_checks", "mash_meeting")
    texts, done = [f"Rated {rating.title.lower()}" if rating else "Rate it"], [r.rating is not None]
    if "agency_checks" in route or r.checks:
        texts += ["Said why to share" if r.sharing is not None else "Say why information may be shared", _asked(r)]
        done += [r.sharing is not None, bool(r.checks) and not r.outstanding]
    meets = "mash_meeting" in route
    by = f" by {when(r.meeting_at, now)}" if meets and r.meeting_at and not r.meeting_held else ""
    texts.append(("Decide" if r.meeting_held else f"Meet{by} and decide") if meets else "Decide")
    done.append(False)
    yield from _in_order_of_done(texts, done)


def _in_order_of_done(texts: Sequence[str], done: Sequence[bool]) -> Iterator[Step]:
    here = done.index(False)
    for place, text in enumerate(texts):
        yield Step(text, "done" if done[place] else "now" if place == here else "later")


def _asked(r: Referral) -> str:
    if not r.checks:
        return "Ask the agencies (nobody asked yet)"
    answered = len(r.checks) - len(r.outstanding)
    return "All agencies answered" if not r.outstanding else f"{answered} of {len(r.checks)} agencies answered"


def _obstacles(r: Referral, rules: Profile | None, people: Sequence[Person], now: datetime, act: str) -> Iterator[str]:
    """What is in the way of an act, a sentence each; the most pressing first."""
    if not r.open:
        return
    if any(each.agreed is None for each in r.secondings.values()):
        yield "A second person has still to agree."
    if any(each.outcome is None for each in r.disagreements.values()):
        yield "Somebody disagrees, and that is not settled yet: the decision waits."
    if r.sharing is None and not proposed(r) and r.rating and r.stage in ("triage", "agency_checks"):
        yield "No agency can be asked until you say why information may be shared."
    if r.sharing is False:
        yield "Information may not be shared: no agency is asked."
    if late := r.late_partners(now):
        yield f"Late: {listed([sentence(agency_title(rules, agency)) for agency in late])}."
    elif r.outstanding and act not in HELD_BY:  # a time is set while they answer
        yield f"{counted(r.outstanding, 'agency has', 'agencies have')} not answered yet."
    if r.short_of:
        missing = listed([agency_title(rules, agency) for agency in r.short_of])
        yield f"The strategy discussion was held without {missing}."
    named = {person.subject: person.name for person in people}
    if r.stage not in FIRST_STAGES and (unseen := [named.get(sid, "a child") for sid in r.unseen]):
        yield f"Not yet seen: {listed(unseen)}."
