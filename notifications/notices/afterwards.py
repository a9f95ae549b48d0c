"""What follows a meeting, a strategy discussion or a telephone call: who is to do or confirm something, or was missing; and until
when a child is protected."""

from __future__ import annotations

from collections.abc import Iterator

from mash.notifications.notices.draft import NoticeDraft
from mash.notifications.notices.meetings import held_before
from mash.notifications.notices.occasion import Occasion, latest, on
from mash.states.acts.actions import ActionRecorded
from mash.states.acts.by_telephone import AnswerTakenDown
from mash.states.acts.checks import CONFIRMATION
from mash.states.acts.orders import ProtectionOrderRecorded
from mash.states.acts.protection import StrategyDiscussionHeld
from mash.states.acts.quorum import PUT_RIGHT
from mash.states.invited import roles_of, to_discuss
from mash.states.referral import Clock


@on(ActionRecorded)
def agreed(event: ActionRecorded, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Whoever is to do it."""
    clock_id = latest(occasion.after, f"action:{event.action}")
    owner = occasion.after.clocks[clock_id].owner
    yield occasion.about("action_agreed", owner, clock_id, action=event.action, login=event.login)


@on(AnswerTakenDown)
def taken_down(event: AnswerTakenDown, occasion: Occasion) -> Iterator[NoticeDraft]:
    """The agency, which is to confirm it: by a time, or, of a case that has ended, when it can; none where an adopted profile no
    longer has it."""
    agency = occasion.profile.agencies.get(event.agency)
    if agency is None:
        return
    clock = next((k for k in occasion.after.running if k.kind == CONFIRMATION and k.whose == event.agency), None)
    if clock:
        yield occasion.about("confirm_answer", clock.owner, clock.id, read_back=event.read_back)
    else:
        yield occasion.notice("confirm_answer", agency.role, read_back=event.read_back)


@on(StrategyDiscussionHeld)
def held_without(event: StrategyDiscussionHeld, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Whoever must have taken part and did not, until when that is put right; whom nobody can write to, whoever owns the clock
    rings. Where it was held before its time, whoever was not there would still come."""
    clock = _running(occasion, PUT_RIGHT)
    if clock and event.missing:
        for role in roles_of(event.missing, occasion.profile):
            yield occasion.about("quorum_missing", role, clock.id)
    if (before := occasion.before) and before.discussion_at:
        invited = to_discuss(before, occasion.profile)
        yield from held_before(occasion, "strategy_discussion", invited, event.attended, before.discussion_at)


@on(ProtectionOrderRecorded)
def protected(event: ProtectionOrderRecorded, occasion: Occasion) -> Iterator[NoticeDraft]:
    """The manager, also whoever stands in for them, and whoever answers for what comes next."""
    clock = _running(occasion, event.order)
    until = {"order": event.order.replace("_", " "), "until": event.until.isoformat(), "urgent": True}
    for role in dict.fromkeys((occasion.duty, occasion.profile.ladder[0].role, *((clock.owner,) if clock else ()))):
        yield occasion.notice("protection_order", role, None, **until)


def _running(occasion: Occasion, kind: str) -> Clock | None:
    return next((clock for clock in occasion.after.running if clock.kind == kind), None)
