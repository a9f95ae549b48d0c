"""Agency checks: asking, answering, and going on without an answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from mash.states.acts import demands
from mash.states.acts.disclosing import to_disclose
from mash.states.acts.information import beside
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, NotInProfile, NotYours, Refusal
from mash.states.fold import Changes, folds
from mash.states.profile import ClockRule, Profile
from mash.states.rebuild import Caused, Rebuilt, rebuilds, same_fields, says_all, working
from mash.states.referral import ASKED, Check, Referral, StartedClock
from mash.states.register import act
from mash.states.roles import any_rater
from mash.states.route import LEGS, Leg, go_by, take_route
from mash.states.stages import ALL, SECTION_47
from mash.states.usual import Give, Step, Until, Wait, rater, usually
from mash.states.values import Actor, Code, CommandBase, EventBase, OneWord, Words

if TYPE_CHECKING:
    from mash.states.world import World

NOT_ASKED_ABOUT = "subject_not_asked_about"
"""The flag of a case to which somebody was added after agencies were asked: their answers are not about them."""
CONFIRMATION = "confirmation"
"""The clock of an answer told by telephone, which its agency is to confirm."""
Recommendation = Literal["no_concern", "early_help", "section_17", "section_47", "adult_section_42"]


class AskAgencies(CommandBase):
    """Ask these agencies too: those that answer on request only, or that the hub does not usually ask."""

    kind: Literal["ask_agencies"] = "ask_agencies"
    agencies: tuple[Code, ...] = Field(min_length=1)


class AnswerCheck(CommandBase):
    """An agency's structured answer to its check. What it holds in words stays its own."""

    kind: Literal["answer_check"] = "answer_check"
    agency: Code
    known: bool
    relevant: bool = False
    recommendation: Recommendation | None = None
    suggested_rating: Code | None = None
    sensitive: bool = Field(default=True, description="Whether the words of the answer are sensitive.")


class AllocateCheck(CommandBase):
    """An agency hands its check to one of its own people, who answers it."""

    kind: Literal["allocate_check"] = "allocate_check"
    agency: Code
    to: OneWord = Field(description="The login of the colleague.")


class ProceedWithoutReplies(CommandBase):
    """Go on though agencies have not answered: a recorded act with a reason, never a silence."""

    kind: Literal["proceed_without_replies"] = "proceed_without_replies"


class ChecksRequested(EventBase):
    kind: Literal["checks_requested"] = "checks_requested"
    agencies: tuple[str, ...]


class CheckAnswered(EventBase):
    kind: Literal["check_answered"] = "check_answered"
    agency: str
    known: bool
    relevant: bool
    recommendation: str | None
    suggested_rating: str | None
    sensitive: bool = True
    late: bool
    words: Words | None = Field(alias="said")


class CheckAllocated(EventBase):
    kind: Literal["check_allocated"] = "check_allocated"
    agency: str
    to: str


class ProceededWithoutReplies(EventBase):
    kind: Literal["proceeded_without_replies"] = "proceeded_without_replies"
    agencies: tuple[str, ...]
    words: Words | None = Field(alias="said")


# --- whom the profile asks ----------------------------------------------------------------------------------------------


def concerned(d: Deciding) -> tuple[str, ...]:
    """The agencies that the profile names for such a case."""
    return d.profile.checks_for(d.referral.counted, d.referral.rating, frozenset(d.referral.categories))


def unasked(d: Deciding) -> tuple[str, ...]:
    """The agencies that are always asked about such a case, and have not been. After the meeting nobody new is."""
    asked = d.referral.checks
    return tuple(a for a in d.profile.asked_always(concerned(d)) if a not in asked and not d.referral.meeting_held)


def waits_for_checks(d: Deciding) -> bool:
    """Whether the route waits for agencies: to be asked, or to answer. Where all answer on request only, somebody must ask, or
    say that nobody needs to be asked."""
    r = d.referral
    if r.sharing is False or not concerned(d):
        return False
    return bool(r.outstanding or unasked(d)) or not (r.checks or r.checks_closed or r.meeting_held)


def request(d: Deciding, agencies: tuple[str, ...]) -> None:
    """Ask agencies; nothing leaves before the sharing basis is recorded (Haringey [2013] EWHC 416)."""
    if d.referral.sharing is not True or not agencies:
        return
    d.record(ChecksRequested(agencies=agencies))
    d.start(*(_clock(d, name) for name in agencies))


def reply_rule(d: Deciding, name: str) -> ClockRule:
    """How long an agency has to reply: its own time, or the rating's."""
    return d.profile.agencies[name].own_reply or d.rating.reply


def _clock(d: Deciding, name: str) -> StartedClock:
    agency, rule = d.profile.agencies[name], reply_rule(d, name)
    # Asked only after its time from receipt is over, it is not late before it was asked.
    if rule.start == "receipt" and d.profile.calendar.add(d.referral.received_at, rule.length) <= d.now:
        rule = rule.model_copy(update={"start": "stage"})
    return d.clock_of("check", rule, f"reply of {agency.title}", clock_id=f"check:{name}", owner=agency.role)


def await_confirmation(d: Deciding) -> None:
    """Agencies confirm or correct what was told by telephone, as long as the profile has them: an adopted one may not."""
    told = {name for name, check in d.referral.checks.items() if check.told and check.confirmed_at is None}
    awaited = {clock.whose for clock in d.referral.running if clock.kind == CONFIRMATION}
    for name in sorted((told & d.profile.agencies.keys()) - awaited):
        agency, rule = d.profile.agencies[name], reply_rule(d, name).model_copy(update={"start": "stage"})
        what = f"{agency.title} confirms or corrects what was told by telephone"
        d.start_clock(CONFIRMATION, rule, what, clock_id=f"{CONFIRMATION}:{name}", owner=agency.role)


LEGS["agency_checks"] = Leg(
    done=lambda d: not waits_for_checks(d), enter=go_by("open_checks"), there=lambda d: request(d, unasked(d))
)

# --- deciding ---------------------------------------------------------------------------------------------------------


def _not_while_consulting(referral: Referral, profile: Profile, by: Actor, cmd: AskAgencies | None) -> Refusal | None:
    if referral.stage != "consultation" or profile.consultation.asks_partners:
        return None
    return NotInProfile(f"{profile.title} asks agencies once there is a referral, not in a consultation")


@act(
    AskAgencies,
    stages=(
        "consultation",
        "agency_checks",
        "mash_meeting",
        "decision",
        *SECTION_47,
        "section_17_assessment",
        "adult_section_42",
    ),
    when=lambda referral: referral.sharing is True,
    hindrance=_not_while_consulting,
)
def ask(d: Deciding, cmd: AskAgencies, words: Words | None) -> None:
    """Ask agencies that were not asked by themselves: on request, or ad hoc; and about somebody who was added since they were."""
    if unknown := set(cmd.agencies) - set(d.profile.agencies):
        raise NotInProfile(
            f"{len(unknown)} of them are not agencies of {d.profile.title}: expected some of {', '.join(d.profile.agencies)}"
        )
    asked = d.referral.checks
    waiting = [agency for agency in cmd.agencies if agency in asked and asked[agency].outstanding]
    if again := [agency for agency in waiting if agency not in d.referral.to_ask_again]:
        raise Incomplete(f"already asked, and not answered yet: {', '.join(again)}")
    # What was told by telephone is not to be confirmed any more either: their new answer takes its place.
    d.stop_clocks(*(clock.id for clock in d.referral.running if clock.kind in ASKED and clock.whose in cmd.agencies), met=False)
    request(d, tuple(dict.fromkeys(cmd.agencies)))


says_all(ChecksRequested, AskAgencies)


def _not_their_check(referral: Referral, profile: Profile, by: Actor, cmd: AnswerCheck | None) -> Refusal | None:
    """An agency answers while it has not done so itself, also when nobody asks any more; and nobody else answers for it."""
    agency = cmd.agency if cmd else by.agency
    check = referral.checks.get(agency)
    if check is None or not check.answerable:
        return Incomplete(f"nothing is asked of that agency now; waited for: {', '.join(referral.outstanding) or 'nobody'}")
    return None if by.agency == agency else NotYours(f"only the agency itself answers, not {by.agency} for it")


def _answerable(referral: Referral) -> bool:
    return any(check.answerable for check in referral.checks.values())


def _not_to_hand_over(referral: Referral, profile: Profile, by: Actor, cmd: AllocateCheck | None) -> Refusal | None:
    """What is not asked any more is handed to nobody."""
    agency = cmd.agency if cmd else by.agency
    if agency not in referral.to_answer:
        return Incomplete(f"nothing is asked of that agency now; waited for: {', '.join(referral.to_answer) or 'nobody'}")
    return None if by.agency == agency else NotYours(f"only the agency itself hands its check over, not {by.agency} for it")


_ANSWERED = tuple(name for name in AnswerCheck.model_fields if name != "kind")


@act(AnswerCheck, stages=ALL, when=_answerable, hindrance=_not_their_check, stands_alone=True)
def answer(d: Deciding, cmd: AnswerCheck, words: Words | None) -> None:
    """An agency answers for itself; a late answer still counts, as late."""
    if cmd.suggested_rating:
        demands.rating(d, cmd.suggested_rating)
    if not cmd.relevant and any(held.agency == cmd.agency for _, held in to_disclose(d.referral)):
        demands.words(words, "finding that what your agency holds under the duty to disclose is not relevant: why it is not,")
    d.record(CheckAnswered(late=came_late(d, cmd.agency), words=words, **{name: getattr(cmd, name) for name in _ANSWERED}))
    d.stop_clocks(*(k.id for k in d.referral.running if k.kind == CONFIRMATION and k.whose == cmd.agency))
    go_on(d, cmd.agency)


says_all(CheckAnswered, AnswerCheck)


def came_late(d: Deciding, agency: str) -> bool:
    """Whether an answer came after the agency's time to reply: by when it was given, as its clock is judged."""
    clock = next((k for k in reversed(d.referral.clocks.values()) if k.kind == "check" and k.whose == agency), None)
    return clock is None or (d.happened_at or d.now) > clock.due_at


def go_on(d: Deciding, agency: str) -> None:
    """Nobody waits for this agency any more: the case goes on where it was the last."""
    d.stop_clocks(*(k.id for k in d.referral.running if k.kind == "check" and k.whose == agency))
    if d.referral.stage == "agency_checks":
        take_route(d)


@act(
    AllocateCheck,
    stages=ALL,
    when=lambda referral: bool(referral.to_answer),
    hindrance=_not_to_hand_over,
    stands_alone=True,
)
def allocate(d: Deciding, cmd: AllocateCheck, words: Words | None) -> None:
    """An agency hands its check to a colleague: who is to answer it stands beside it."""
    login = cmd.to.lower()
    if not any(each.agency == cmd.agency for each in demands.colleagues(d, login)):
        raise Incomplete("that login is not of your agency: expected a colleague of your own")
    d.record(CheckAllocated(agency=cmd.agency, to=login))


@rebuilds(AllocateCheck, CheckAllocated)
def _allocate_check_again(caused: Caused, event: CheckAllocated) -> Rebuilt:
    return Rebuilt(same_fields(AllocateCheck, event), colleagues=working(event.to, agency=event.agency))


@act(
    ProceedWithoutReplies,
    stages=("agency_checks",),
    when=lambda r: bool(r.outstanding) or (not r.checks and r.sharing is True),
    roles=any_rater,
    called="going on without replies",
)
def proceed(d: Deciding, cmd: ProceedWithoutReplies, words: Words | None) -> None:
    """Go on without the missing replies, or without asking anybody: a recorded act with a reason."""
    close_checks(d, demands.words(words, "going on without replies"))
    take_route(d)


says_all(ProceededWithoutReplies, ProceedWithoutReplies)


def go_on_without(d: Deciding) -> None:
    """The case has gone another way: nobody waits for agencies any more, and they are told so."""
    if d.referral.outstanding:
        close_checks(d, None)
    else:
        d.stop("check", met=False)


def close_checks(d: Deciding, words: Words | None) -> None:
    """Nobody waits for the missing replies any more."""
    d.record(ProceededWithoutReplies(agencies=d.referral.outstanding, words=words))
    d.stop("check", met=False)


# --- folding ----------------------------------------------------------------------------------------------------------


@folds(ChecksRequested)
def _checks_requested(referral: Referral, event: ChecksRequested, at: datetime, by: Actor) -> Changes:
    again = tuple(agency for agency in referral.to_ask_again if agency not in event.agencies)
    return {
        "checks": {**referral.checks, **{agency: Check(requested_at=at) for agency in event.agencies}},
        "to_ask_again": again,
        "flags": referral.flags if again else tuple(flag for flag in referral.flags if flag != NOT_ASKED_ABOUT),
    }


@folds(CheckAnswered)
def _check_answered(referral: Referral, event: CheckAnswered, at: datetime, by: Actor) -> Changes:
    before = referral.checks[event.agency]
    told = before.told is not None
    found = {
        "answered_at": before.answered_at if told else at,
        **({"confirmed_at": at} if told else {}),
        "known": event.known,
        "relevant": event.relevant,
        "recommendation": event.recommendation,
        "suggested_rating": event.suggested_rating,
    }
    held = beside(referral, event.agency, event.words, event.sensitive, at) if event.words else referral.held
    return {"checks": _changed(referral, event.agency, **found), "held": held}


@folds(CheckAllocated)
def _check_allocated(referral: Referral, event: CheckAllocated, at: datetime, by: Actor) -> Changes:
    return {"checks": _changed(referral, event.agency, allocated_to=event.to)}


@folds(ProceededWithoutReplies)
def _proceeded(referral: Referral, event: ProceededWithoutReplies, at: datetime, by: Actor) -> Changes:
    closed = {a: referral.checks[a].model_copy(update={"closed_without_reply": True}) for a in event.agencies}
    return {"checks": {**referral.checks, **closed}, "checks_closed": True}


def _changed(referral: Referral, agency: str, **fields: object) -> dict[str, Check]:
    return {**referral.checks, agency: referral.checks[agency].model_copy(update=fields)}


@usually("agency_checks")
def _agency_checks(world: World, rating: str) -> Iterator[Step]:
    """All agencies answer but the last, for whom the hub waits until its lead has been alerted; then it goes on without."""
    profile = world.profile
    if not world.referral.checks:
        named = profile.checks_for(world.referral.counted, rating, frozenset(world.referral.categories))[:3]
        yield Give(AskAgencies(agencies=named), rater(profile), f"asks {', '.join(named)}")
    *answering, silent = world.referral.outstanding
    if answering:
        yield Wait(("check",))
        for agency in answering:
            title = profile.agencies[agency].title
            yield Give(AnswerCheck(agency=agency, known=True), "agency", f"{title} answers", agency=agency)
    clock = next(k for k in world.referral.running if k.kind == "check" and k.whose == silent)
    yield Until(profile.calendar.add(clock.due_at, profile.agency_wait))
    yield Give(ProceedWithoutReplies(), rater(profile), f"goes on without {profile.agencies[silent].title}")
