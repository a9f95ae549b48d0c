"""Open clocks under rules that were adopted: whatever stood as the old ones had it stands as the new ones do."""

from __future__ import annotations

from mash.states.clocks import due
from mash.states.deciding import Deciding
from mash.states.profile import ClockRule, Profile
from mash.states.referral import Clock

_STATUTORY = {
    "decision_on_response": "decision",
    "acknowledgement": "acknowledgement",
    "outcome_told": "outcome_told",
    "withdrawal_told": "outcome_told",
    "answer_told": "outcome_told",
    "assessment": "assessment",
    "initial_conference": "conference",
}
"""By kind of clock: the limit of the profile that it runs by."""


def go_by(d: Deciding, old: Profile) -> None:
    """Move each running clock whose time the adopted rules have otherwise: another length, or a calendar with another day off.
    One that ran otherwise under the old rules too (a re-rating had moved it, a court had said it) keeps its time."""
    for clock in d.referral.running:
        before, now = _rule_of(clock, old, d.referral.rating), _rule_of(clock, d.profile, d.referral.rating)
        if before is None or now is None:
            continue
        stood = due(before.length, clock.started_at, "its start", clock.kind, old.calendar)
        stands = due(now.length, clock.started_at, "its start", f"{clock.id}, by the rules adopted", d.profile.calendar)
        if stood.at == clock.due_at != stands.at:
            d.move_clock(clock, now, stands)


def _rule_of(clock: Clock, profile: Profile, rated: str | None) -> ClockRule | None:
    rating = profile.ratings.get(rated or "")
    if clock.kind == "response":
        return rating.response if rating else None
    if clock.kind == "check":
        agency = profile.agencies.get(clock.whose)
        own = agency.own_reply if agency else None
        return own or (rating.reply if rating and agency else None)
    if clock.kind in _STATUTORY:
        return profile.statutory[_STATUTORY[clock.kind]]
    return profile.stages.get(clock.kind)
