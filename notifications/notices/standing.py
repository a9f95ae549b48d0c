"""What each role should know of a case now, from its state alone. What a role is sent is the difference to what it was told.

A role knows what it was told when it came in (it was asked, invited, offered something) and every difference since: so what it
was told is what it should have known before an act, and nothing of what was sent has to be looked up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from mash.notifications.notices.meetings import to_discussion, to_meeting
from mash.notifications.notices.occasion import WARNINGS
from mash.states.acts.actions import open_actions, owner_role
from mash.states.acts.disclosing import CLOCK as DISCLOSURE
from mash.states.firewall import handed_over_to
from mash.states.profile import Profile
from mash.states.referral import Clock, Referral
from mash.states.roles import ladder_of
from mash.states.stages import ROUTED


class Topic(NamedTuple):
    """What something is known of: the rating, a warning, the time of a clock, who it is about; or what a role is asked, invited
    to or offered. `of` says which one, where there may be several."""

    kind: str
    of: str = ""


WORKER = Topic("worker")
"""Who has the case: the one person of a role who is told, and not the role."""
Known = Mapping[Topic, str]
"""What a role knows, as codes and instants: a topic that is missing is one that nothing is to be known of."""


def standing(referral: Referral | None, profile: Profile) -> Mapping[str, Known]:
    """By role, what it should know of the case now; nothing once its people are erased."""
    if referral is None or referral.erased:
        return {}
    known: dict[str, dict[Topic, str]] = defaultdict(dict)
    marked, everybody = _marked(referral), _of_everybody(referral)
    for role in _alerted(referral, profile):
        known[role] |= marked
    parts = (_asked(referral, profile), _invited(referral, profile), _offered(referral, profile), _to_do(referral, profile))
    for role, topic, value in chain(*parts):
        known[role] |= {**everybody, topic: value}
    if worker := referral.worker:
        known[worker.role] |= {**everybody, WORKER: worker.login}
    for clock in referral.running:
        if clock.kind == DISCLOSURE:
            known[clock.owner] |= {**everybody, Topic(DISCLOSURE, clock.whose): clock.started_at.isoformat()}
        known[clock.owner][Topic("due", clock.id)] = clock.due_at.isoformat()
    if referral.open:
        rated = referral.rating is not None
        known[profile.ladder[0].role] |= {topic: value for topic, value in marked.items() if rated or topic.kind != "rating"}
    for order in referral.orders.values():
        if order.ended is None:
            known[profile.ladder[0].role][Topic("order", ":".join((order.order, *order.subjects)))] = order.until.isoformat()
    return known


def reminded(clock: Clock) -> bool:
    """Whether a clock's owner was told when it is due: asked for an answer, or reminded."""
    return clock.kind == "check" or clock.warned > 0


def _of_everybody(referral: Referral) -> dict[Topic, str]:
    """What whoever takes part should know: how it is rated, what it warns of, and that those whom it is about are as they were
    when the role was told of them. Who they are is on the case; here is but whether that is still the same."""
    return {
        **_marked(referral),
        Topic("details"): str(referral.put_right),
        **{Topic("person", sid): subject.cohort for sid, subject in referral.subjects.items()},
        **{Topic("person", sid): "removed" for sid in referral.removed},
        **{Topic("person", sid): "left" for sid in referral.left},
    }


def _marked(referral: Referral) -> dict[Topic, str]:
    """How it is rated, and what it warns of."""
    warned = {Topic("warning", marker): "up" for marker in referral.warnings if marker in WARNINGS}
    return {Topic("rating"): referral.rating or "unrated", **warned}


def _alerted(referral: Referral, profile: Profile) -> set[str]:
    """Whoever was alerted to a clock that still runs, and whoever is to see to what they were reminded of."""
    late = (role for k in referral.running for role, _ in ladder_of(k, profile)[: k.rung + 1])
    return {*late, *(clock.owner for clock in referral.running if clock.warned)}


def _asked(referral: Referral, profile: Profile) -> Iterator[tuple[str, Topic, str]]:
    """The agencies that were asked: until it has answered, or nobody waits for it, one owes an answer."""
    for name, check in referral.checks.items():
        if agency := profile.agencies.get(name):  # an adopted profile may no longer have it
            wanted = check.requested_at.isoformat() if check.outstanding else "answered" if check.answered_at else "closed"
            yield agency.role, Topic("check", name), wanted


def _invited(referral: Referral, profile: Profile) -> Iterator[tuple[str, Topic, str]]:
    """Whoever is to come to a meeting or a strategy discussion, while it is to be held."""
    if meets(referral) and referral.meeting_at:
        when = f"{referral.meeting_at.isoformat()} {referral.meeting_mode}"
        for role in to_meeting(referral, profile):
            yield role, Topic("meeting"), when
    if referral.stage == "strategy_discussion":
        to_come = to_discussion(referral, profile)
        for role in to_come:
            yield role, Topic("discussion"), referral.stage_since.isoformat()
        if at := referral.discussion_at:
            # The manager who was on duty when it was called may have set its time, and need not come.
            called_to = profile.on_duty(profile.ladder[0].role, referral.stage_since)
            for role in dict.fromkeys((*to_come, called_to)):
                yield role, Topic("scheduled"), f"{at.isoformat()} {referral.discussion_mode}"


def meets(referral: Referral) -> bool:
    """Whether the meeting that was convened is still to be held."""
    ahead = tuple(stage for stage in ROUTED if stage != "decision")
    stage = referral.came_from if referral.stage == "strategy_discussion" else referral.stage
    return referral.meeting_at is not None and not referral.meeting_held and stage in ahead


def discusses(referral: Referral) -> bool:
    """Whether a strategy discussion is still to be held, at a time that was set."""
    return referral.discussion_at is not None and referral.stage == "strategy_discussion"


def _to_do(referral: Referral, profile: Profile) -> Iterator[tuple[str, Topic, str]]:
    """Whoever is to do something that was agreed, while it is waited for."""
    awaited = {clock.whose for clock in referral.running if clock.kind == "action"}  # it outlives the case
    for aid in open_actions(referral) if referral.open else [aid for aid in open_actions(referral) if aid in awaited]:
        action = referral.actions[aid]
        yield owner_role(action.owner, profile), Topic("action", aid), action.due_at.isoformat()


def _offered(referral: Referral, profile: Profile) -> Iterator[tuple[str, Topic, str]]:
    """The service that the case is offered to, or has accepted it; and whoever else of outside is offered, or has, something."""
    answers = {"step_down_offered": "offered", "step_down_accepted": "accepted"}
    if (service := profile.services.get(referral.service or "")) and referral.stage in answers:
        yield service.role, Topic("offer", referral.service or ""), answers[referral.stage]
    for role in handed_over_to(referral):
        yield role, Topic("hand_over"), "theirs to answer or to have"
