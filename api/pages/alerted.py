"""What an alert says on a phone: who is late and by how much, what to do, until when somebody can have it, and what happens else.
Of people it says nothing: the link may be opened by anybody who holds the phone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from mash.api.pages.words import left, span, when
from mash.config.words import agency_title, destination_title, sentence, worded
from mash.notifications.notices.occasion import subject_of
from mash.notifications.rota import Rota
from mash.states.clocks import day_of
from mash.states.profile import Agency, Profile
from mash.states.referral import Clock, Referral
from mash.states.roles import ladder_of, next_rung, on_duty

WAITS = {
    "triage": ("Nobody has rated this", "First rating"),
    "consultation": ("Nobody has answered the consultation", "Consultation"),
    "to_confirm_not_ours": ("Nobody has confirmed that this is not ours", "Contact that is not ours"),
    "response": ("The time of this rating has run out", "Response"),
    "decision": ("Nobody has decided", "Decision"),
    "decision_on_response": ("Nobody has decided on the response", "Decision on the response"),
    "sign_off": ("Nobody has signed the decision off", "Signing off"),
    "withdrawal_sign_off": ("Nobody has signed the withdrawal off", "Signing off"),
    "countersignature": ("Nobody has countersigned", "Second person"),
    "allocation": ("Nobody has this by name", "Allocation"),
    "agency_checks": ("Not all agencies have answered", "Agency checks"),
    "mash_meeting": ("The meeting has not been held", "MASH meeting"),
    "strategy_discussion": ("The strategy discussion has not been held", "Strategy discussion"),
    "put_right": ("Who was missing has not been heard", "Strategy discussion"),
    "acknowledgement": ("The referrer has not heard that it arrived", "Word to the referrer"),
    "outcome_told": ("The referrer has not heard the outcome", "Word to the referrer"),
    "answer_told": ("The referrer has not heard the answer", "Word to the referrer"),
    "withdrawal_told": ("The referrer has not heard that it no longer holds", "Word to the referrer"),
    "disagreement": ("Nobody has settled the disagreement", "Disagreement"),
}
"""What is late that no agency owes, as a headline and as a thing, by the kind of its clock."""
REACHED = {"telephone": "by telephone", "secure_email": "by secure email", "portal": "through its portal"}
SOON, LATER = timedelta(minutes=30), timedelta(hours=1)
SHIFT = "end of shift"


@dataclass(frozen=True)
class Task:
    """Something to do: a sentence, and where it is done, with what that is called."""

    text: str
    link: str = ""
    label: str = ""


@dataclass(frozen=True)
class Until:
    """A time until which somebody can say that they have it, and how long that is."""

    at: datetime
    length: str


def headline(referral: Referral, clock: Clock, profile: Profile | None, now: datetime) -> str:
    """'Housing is 22 min late'; 'Nobody has rated this: 12 min late'."""
    # A length stays on one line.
    late = left(clock.due_at, now).replace(" ", "\u00a0")
    if clock.kind in ("check", "confirmation", "disclosure"):
        return f"{sentence(agency_title(profile, clock.whose))} {'is ' if clock.due_at < now else 'has '}{late}"
    if referral.in_danger and clock.due_at >= now:
        return "Somebody may be in immediate danger"
    if clock.kind == "hand_over":
        return f"{sentence(destination_title(profile, clock.whose))} has not accepted: {late}"
    return f"{WAITS.get(clock.kind, (_thing(clock, profile), ''))[0]}: {late}"


def thing(clock: Clock, profile: Profile | None) -> str:
    """What it is that is late: 'Agency check', 'First rating'."""
    named = {"check": "Agency check", "confirmation": "Answer to confirm", "disclosure": "Disclosure", "hand_over": "Hand-over"}
    return named.get(clock.kind) or WAITS.get(clock.kind, ("", _thing(clock, profile)))[1]


def _thing(clock: Clock, profile: Profile | None) -> str:
    return sentence(subject_of(clock, profile)) if profile else sentence(clock.kind)


def answered(referral: Referral) -> str:
    """'11 of 12 have answered'; empty where nobody was asked."""
    asked = len(referral.checks)
    there = sum(check.answered_at is not None for check in referral.checks.values())
    return f"{there} of {asked} have answered." if asked else ""


def tasks(
    reference: str, referral: Referral, clock: Clock, profile: Profile, role: str, now: datetime, *, passes: bool
) -> Iterator[Task]:
    """What whoever was alerted in this role does now: two things. `passes` says whether they can pass it on."""
    case, agency = f"/case/{reference}", profile.agencies.get(clock.whose)
    if referral.in_danger:
        yield Task("Nobody called 999 yet? Call", "tel:999", "999")
    if agency and clock.kind in ("check", "confirmation") and role in (agency.role, agency.lead):
        yield Task("", f"{case}/answer_check", "Answer the check")
        yield Task("Cannot say yet? Ring the hub.")
    elif agency and clock.kind in ("check", "confirmation", "disclosure"):
        yield _reach(agency, clock, profile)
        if not referral.in_danger and clock.kind == "check":
            yield Task(f"{_no_reply(referral, now)} Go on without it; a late answer still counts.")
    elif clock.kind == "triage":
        yield Task("", f"{case}/rate_referral", "Rate it")
    else:
        yield Task("Do what it waits for, or ring whoever can:", case, "the case says what")
    if passes and not referral.in_danger and not agency:
        yield Task("Cannot now? Pass it on: the next person is told at once.")


def _reach(agency: Agency, clock: Clock, profile: Profile) -> Task:
    """How to reach an agency: its duty desk's telephone, if the hub's profile has it."""
    if agency.telephone:
        number = agency.telephone.replace(" ", "")
        return Task(f"Ring {agency.title}’s duty desk", f"tel:{number}", agency.telephone)
    if agency.presence == "co_located":
        return Task(f"Ask {agency.title} at its desk in the hub.")
    way = REACHED.get(agency.reached_by or "", "")
    return Task(f"Reach {agency.title}{f' {way}' if way else ''}: its lead, the {worded(agency.lead)}, was told too.")


def _no_reply(referral: Referral, now: datetime) -> str:
    """Until when one waits for a reply: as long as the case's own time to respond runs."""
    response = next((clock.due_at for clock in referral.running if clock.kind == "response"), None)
    return f"No reply by {when(response, now)}?" if response and response > now else "Still no reply?"


def had_until(referral: Referral, profile: Profile, rota: Rota, role: str, person: str, now: datetime) -> list[Until]:
    """Until when somebody can say that they have it: half an hour, an hour, and the end of their shift, as far as the hub lets an
    alert of this rating rest; the earliest first."""
    longest, now = profile.had_until(referral.rating, now), now.replace(second=0, microsecond=0)
    offered = [Until(now + SOON, "30 min"), Until(now + LATER, "1 hour"), Until(_shift(profile, rota, role, person, now), SHIFT)]
    fitting = {each.at: each for each in reversed(offered) if each.at <= longest}
    return sorted(fitting.values(), key=lambda each: each.at) or [Until(longest, span(longest - now))]


def _shift(profile: Profile, rota: Rota, role: str, person: str, now: datetime) -> datetime:
    """When a shift ends: by the rota, of this person or of whoever holds the role; else when the hub closes, or opens next."""
    turns = rota.on_duty(profile.on_duty(role, now), now, profile.calendar)
    for duty in sorted(turns, key=lambda duty: duty.person != person):
        return duty.until
    closing = (closes for opens, closes in profile.calendar.open_on(day_of(now)) if opens <= now < closes)
    return next(closing, None) or profile.calendar.next_open(now)


def otherwise(referral: Referral, clock: Clock, profile: Profile, role: str) -> tuple[str, datetime] | None:
    """What happens, and when, if nobody has an alert that came to this role; None where nothing more is said of it."""
    if clock.next_rung_at is None:
        return None
    higher = next_rung(clock, profile)
    if higher is not None:
        return f"it goes to the {worded(on_duty(higher, referral, profile, clock.next_rung_at))}", clock.next_rung_at
    last = told_last(referral, clock, profile, clock.next_rung_at)
    return "you are told again" if last == role else f"the {worded(last)} is told again", clock.next_rung_at


def told_last(referral: Referral, clock: Clock, profile: Profile, at: datetime) -> str:
    """The role that was alerted last to a clock, or whoever stood in for it then."""
    return on_duty(ladder_of(clock, profile)[clock.rung][0], referral, profile, at)


def may_be_told(clock: Clock, profile: Profile) -> set[str]:
    """The roles that may be alerted to a clock."""
    return {profile.out_of_hours.role, *(role for role, _ in ladder_of(clock, profile))}
