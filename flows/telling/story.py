"""A case's story in lines, from its log: for its page and the command line. A log has no personal data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from mash.config.words import (
    CODED,
    agency_title,
    authority_title,
    day,
    decoded,
    destination_title,
    is_day,
    sentence,
    worded,
)
from mash.states.acts.handing_over import KIND as HAND_OVER
from mash.states.clocks import LONDON, dated
from mash.states.log import Recorded
from mash.states.messages import Event
from mash.states.profile import Profile
from mash.states.roles import REFERRER
from mash.states.values import SYSTEM, Actor

UNTOLD = ("clocks_started", "clocks_stopped")
"""Events that a table of clocks tells better."""
REMINDERS = ("clock_warned", "clock_breached", "clock_escalated")

_LEFT_OUT = {
    "kind",
    "held",
    "holdings",
    "item",
    "words",
    "redacted",
    "details",
    "instead_of",
    "expected_week",
    "not_asked",
    # What an agency found is the agency's, like its words: it is read from the case, not from a timeline.
    "known",
    "relevant",
    "recommendation",
    "suggested_rating",
    "configuration",
    "profile",
    "consent",
    "clocks",
    "clock",
    "subjects",
    "came_from",
    "adult_views",
    "courses",
    "rung",
    "next_at",
    "parent_sequence",
    "schema_number",
    "hand_over",
    "destination_kind",
    "matches",
    "possible",
    "link",
    "undecided",
    "orders",
}
_SHOWN_OF = {
    "referral_linked": frozenset(("subjects",)),
    "sharing_basis_recorded": frozenset(("consent",)),
    "protection_order_recorded": frozenset(("subjects",)),
}
"""Facts that are left out of other events, and told of these."""
_HIDDEN_OF = {
    "case_allocated": frozenset(("role",)),
    "continued_from": frozenset(("worker",)),
    "stage_entered": frozenset(("happened_at",)),  # the line says so already, beside when it was entered
    # By what a second person's agreement is known to programs; what it is about is told.
    "override_proposed": frozenset(("id",)),
    "second_named": frozenset(("id",)),
    "countersigned": frozenset(("id",)),
}
"""Facts that are told of other events, and left out of these."""
_NAMED = {
    "clock_warned": "Reminder",
    "clock_breached": "Not done in time",
    "clock_escalated": "Alert",
    "acknowledgement_ended": "Nobody has the alert any more",
    "clocks_stopped": "No longer awaited",
    "stage_entered": "Stage",
    "coming_of_age_said": "Turns 18",
    "likely_known": "Looked whether known",
    "presence_said": "Whoever has the case",
}
"""Events whose names are not their own words."""
_LABELS = {
    "due_at": "due",
    "accepted_at": "since",
    "held_on": "on",
    "role": "to",
    "how": "by",
    "asked_by": "asked by",
    "absent": "absent:",
    "missing": "without",
    "without_quorum": "because",
    "happened_at": "happened",
    "told_at": "told",
    "not_seen_because": "not seen:",
    "subjects": "about",
    "factors_of": "factors",
    "abuse_categories": "category of abuse",
    "previous_plans": "plans before",
    "informed_by": "told by",
    "whom": "told to",
    "reported_at": "reported",
    "adding_up": "contacts about one child:",
    "signposted_to": "signposted to",
    "agreement": "the second person:",
    "second": "who is",
    "agreed_at": "agreed on",
    "renew_at": "again at",
    "received_at": "received",
    "referrer_told_at": "the referrer had been told",
    "told": "had been told:",
}
_SAY_THEMSELVES = {
    "about", "agencies", "agency", "at", "authority", "chair", "contact", "destination", "fields", "hub", "id", "ids", "marker",
    "mode", "order", "other", "other_subject", "outcome", "outcomes", "parent", "place", "presence", "rating", "reference",
    "relation", "service", "stage", "subject", "what", "when", "worker",
}  # fmt: skip
_YES_NO = {
    "agreed": ("agrees", "does not agree: it no longer stands"),
    "age_not_known": ("age not known", ""),
    "beside_section_47": ("beside section 47", ""),
    "family_informed": ("the family knows", "the family does not know"),
    "family_known": ("the family is known", "the family is not known"),
    "final": ("final", ""),
    "accused": ("the concern is about what they have done", "the concern is not about what they have done"),
    "alone": ("alone", "with a parent or carer"),
    "by_decision": ("", "as it was found since the decision"),
    "holds": ("", "no longer"),
    "immediate_danger": ("immediate danger", ""),
    "late": ("late", ""),
    "may_be_second": ("may be a second section 47 of the same child", ""),
    "passed_on": ("whoever was told before cannot take it", ""),
    "stands_in": ("standing in for the role whose turn it is", ""),
    "met": ("it happened", "it is not needed any more"),
    "not_heard": ("what was written before went to a wrong address", ""),
    "not_to_share": ("not to be shared", ""),
    "referrer_reachable": ("", "the referrer cannot be reached"),
    "read_back": ("read back", "not read back"),
    "sensitive": ("sensitive", ""),
    "takes_over": ("whoever accepts has the case", ""),
    "share": ("may be shared", "may not be shared"),
    "writing_unsafe": ("not to be written to", ""),
    "not_to_tell": ("the family must not be told", ""),
    "significant_harm": ("significant harm", "no significant harm"),
}
"""What a fact that is true says, and one that is not."""
_AGENCIES = {
    "absent", "agency", "agencies", "agreed", "apologies", "asked_by", "attended", "invited", "missing", "owner", "told",
}  # fmt: skip
"""Facts that name agencies."""


@dataclass(frozen=True)
class Line:
    """A line of a case's story: one thing that happened, or the reminders and alerts that came one after another."""

    at: datetime
    what: str
    facts: str
    by: Actor
    within: tuple[Line, ...] = ()
    sequence: int = 0
    """The number of its event; 0 for several."""


def lines_of(story: Sequence[Recorded], profile: Profile | None) -> list[Line]:
    """The story, latest first. Reminders of the system that follow one another are one line, with all of them within."""
    lines: list[Line] = []
    events = [each for each in reversed(story) if each.event.kind not in UNTOLD]
    for reminders, some in groupby(events, lambda each: each.event.kind in REMINDERS and each.by.role == SYSTEM):
        several = tuple(_line(each, profile) for each in some)
        if reminders and len(several) > 1:
            what = f"{len(several)} reminders and alerts since {dated(several[-1].at)}"
            lines.append(Line(several[0].at, what, "", several[0].by, several))
        else:
            lines += several
    return lines


def _line(each: Recorded, profile: Profile | None) -> Line:
    return Line(each.at, named(each.event), _facts(each, profile), each.by, sequence=each.sequence)


def _titles(recorded: Recorded, profile: Profile | None) -> Profile | None:
    """Whose titles agencies are called by: a referrer's sector is not the hub's agency, and has no title of the hub's."""
    return None if recorded.by.role == REFERRER and recorded.event.kind != "contact_received" else profile


def event_in_words(recorded: Recorded, profile: Profile | None) -> str:
    """One event in words: what happened and its facts, with the agencies' titles at the hub (None: it is not served here)."""
    facts = _facts(recorded, profile)
    return f"{named(recorded.event)}{': ' if facts else ''}{facts}"


def _facts(recorded: Recorded, profile: Profile | None) -> str:
    """The facts of an event; before them, where it was entered later, when it happened."""
    return "; ".join(filter(None, (entered_later(recorded), facts_of(recorded.event, _titles(recorded, profile)))))


def entered_later(recorded: Recorded) -> str:
    """When something was entered and when it happened, where that was before: 'entered 10:40, happened 08:15'. Else empty."""
    if recorded.happened_at is None:
        return ""
    entered, happened = recorded.at.astimezone(LONDON), recorded.happened_at.astimezone(LONDON)
    same_day = entered.date() == happened.date()
    return f"entered {entered:%H:%M}, happened {f'{happened:%H:%M}' if same_day else dated(happened)}"


def named(event: Event) -> str:
    """What happened."""
    return _NAMED.get(event.kind) or sentence(event.kind)


def facts_of(event: Event, profile: Profile | None, *, without: frozenset[str] = frozenset()) -> str:
    """The facts of an event, some of them left out."""
    without |= frozenset(() if getattr(event, "adding_up", 0) else ("adding_up",))
    if event.kind == "clocks_started":
        facts: Iterable[str] = (f"{clock.why}, due {dated(clock.due_at)}" for clock in event.clocks)
    elif event.kind == "clock_moved":
        facts = (f"{event.clock.why}, due {dated(event.clock.due_at)}",)
    elif event.kind == "asked_across_hubs":
        hubs = (f"{sentence(hub)} may know this person: ring its duty manager" for hub in event.may_know)
        facts = (event.subject, ", ".join(hubs) or "no other hub")
    else:
        left_out = (_LEFT_OUT - _SHOWN_OF.get(event.kind, frozenset())) | _HIDDEN_OF.get(event.kind, frozenset()) | without
        fields = ((name, value) for name, value in event if name not in left_out and value not in (None, (), {}, ""))
        facts = (_fact(name, value, profile) for name, value in fields)
    return "; ".join(filter(None, facts))


def _fact(name: str, value: Any, profile: Profile | None) -> str:
    if isinstance(value, bool):
        return _YES_NO[name][not value] if name in _YES_NO else f"{worded(name)}: {'yes' if value else 'no'}"
    if isinstance(value, dict):
        shown = ", ".join(f"{key}: {_said_of(name, each, profile)}" for key, each in value.items())
    elif isinstance(value, tuple):
        shown = ", ".join(_shown(name, each, profile) for each in value)
    else:
        shown = _shown(name, value, profile)
    return shown if name in _SAY_THEMSELVES else f"{_LABELS.get(name) or worded(name)} {shown}"


def _said_of(name: str, value: Any, profile: Profile | None) -> str:
    """What is said of one subject: a code, or the factors of their assessment."""
    if name == "factors_of":
        return " and ".join(decoded("factors", each) for each in value)
    return decoded(name, value) if name in CODED else worded(value, profile)


def _shown(name: str, value: Any, profile: Profile | None) -> str:
    if isinstance(value, datetime):
        return dated(value)
    if is_day(value):
        return day(value)
    if name in ("id", "ids"):
        # A clock's id: what is awaited, of whom, and after a dot the how many-eth time.
        what, _, whose = str(value).partition(".")[0].partition(":")
        if what == HAND_OVER:
            return f"acceptance by {destination_title(profile, whose)}"
        return f"{worded(what)} of {agency_title(profile, whose)}" if whose else worded(what)
    if name == "destination":
        return destination_title(profile, str(value))
    if name == "authority":
        return authority_title(str(value))
    if name == "worker":
        return str(value)  # a login is no code: it stays as it is
    if name in _AGENCIES:
        return agency_title(profile, str(value))
    if name == "hub" and profile:
        return profile.title
    return decoded(name, worded(value, profile) if name not in CODED else value)
