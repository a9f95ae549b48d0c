"""What a role was told and is no longer so, or was not told yet: the difference between what it should have known before an act
and what it should know after it, less what the act's own notices tell it."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from mash.config.words import agency_title
from mash.notifications.notices.allocating import to_worker
from mash.notifications.notices.draft import NoticeDraft
from mash.notifications.notices.meetings import CALLS, Invited, besides, discussion, invitation, left_out, to_ring
from mash.notifications.notices.occasion import Occasion, called, latest, subject_of
from mash.notifications.notices.standing import WORKER, Known, Topic, discusses, meets, reminded, standing
from mash.states.invited import to_discuss, to_meet
from mash.states.values import Actor

OF_EVERYBODY = {"rating", "details", "person", "warning", WORKER.kind}
"""What whoever takes part knows, and whoever has the case by name."""
WITHOUT_HEAD = ("disagreement_settled", "glass_broken")
"""Kinds that do not say how the case is rated and what it warns of."""


SCHEDULED = ("strategy_discussion_scheduled", "strategy_discussion_called_off")


class Change(NamedTuple):
    """A topic of which a role should know something else now; None where there was, or is, nothing to know."""

    topic: Topic
    was: str | None
    now: str | None


def corrections(occasion: Occasion, by: Actor, drafts: Sequence[NoticeDraft]) -> Iterator[NoticeDraft]:
    """What goes to each role besides `drafts`. Whoever acts knows what they have done."""
    before, after = standing(occasion.before, occasion.profile), standing(occasion.after, occasion.profile)
    for role in dict.fromkeys((*before, *after)):
        whom = _whom(after.get(role, {}))
        if role == by.role and whom in (None, by.id):
            continue
        told = [draft for draft in drafts if draft.role == role]
        changes = [
            change
            for change in _changes(before.get(role, {}), after.get(role, {}))
            if _to_tell(change, occasion) and not any(_tells(draft, change.topic) for draft in told)
        ]
        for draft in _drafts(occasion, role, changes):
            yield draft.model_copy(update={"facts": {**draft.facts, "whom": whom}}) if whom else draft
    yield from _to_ring(occasion, {draft.facts["what"] for draft in drafts if draft.kind == "ring_invited"})


def _to_ring(occasion: Occasion, rung: Container[str]) -> Iterator[NoticeDraft]:
    """Those whom nobody can write to are rung, where what they were invited to is not to be held any more, or others are to come
    to it, and nobody is `rung` about it already."""
    before, after, profile = occasion.before, occasion.after, occasion.profile
    if before is None or after.erased:
        return
    if "meeting" not in rung and meets(before) and before.meeting_at and not after.meeting_held:
        if meets(after):
            yield from _others(occasion, "meeting", to_meet, before.meeting_at)
        else:
            yield from to_ring(occasion, "meeting", to_meet(before, profile), before.meeting_at, off=True)
    held = after.strategy_held_at != before.strategy_held_at
    if "strategy_discussion" not in rung and discusses(before) and before.discussion_at and not held:
        if discusses(after):
            yield from _others(occasion, "strategy_discussion", to_discuss, before.discussion_at)
        else:
            yield from to_ring(occasion, "strategy_discussion", to_discuss(before, profile), before.discussion_at, off=True)


def _others(occasion: Occasion, what: str, invited: Invited, at: datetime) -> Iterator[NoticeDraft]:
    """Who is not to come any more to what is held all the same, as no child is unborn any more; and who is to come besides. Once
    its time has passed nobody waits for either."""
    if at <= occasion.now:
        return
    yield from to_ring(occasion, what, left_out(invited, occasion), at, off=True, without_them=True)
    yield from to_ring(occasion, what, besides(invited, occasion), at, off=False)


def _whom(known: Known) -> str | None:
    """The person who is told instead of the role: whoever has the case, where the role knows of it by them alone."""
    return known.get(WORKER) if {topic.kind for topic in known} <= OF_EVERYBODY else None


def _changes(was: Known, now: Known) -> Iterator[Change]:
    for topic in dict.fromkeys((*was, *now)):
        change = Change(topic, was.get(topic), now.get(topic))
        if change.was != change.now:
            yield change


def _has_ended(of: str, occasion: Occasion) -> bool:
    """Whether an order has just ended for some of whom it protected: of whoever goes on by themselves it is in their own case."""
    kind, *subjects = of.split(":")
    before = occasion.before.orders.values() if occasion.before else ()
    over = (order for order in occasion.after.orders.values() if order.ended is not None and order not in before)
    return any(order.order == kind and set(order.subjects) <= set(subjects) for order in over)


def _to_tell(change: Change, occasion: Occasion) -> bool:
    """Whether a role has to hear of a change: it was told otherwise, or it is asked for something."""
    topic, before, after = change.topic, occasion.before, occasion.after
    match topic.kind:
        case "worker":
            return before is None  # in a part that was split off; otherwise the act itself tells whoever has it, and had it
        case "action":
            return change.now is None and after.actions[topic.of].outcome != "done"
        case "order":
            return change.was is not None and _has_ended(topic.of, occasion)
        case "check":
            return change.now not in ("answered", None)
        case "due":
            clock = before.clocks.get(topic.of) if before else None
            return clock is not None and change.was is not None and change.now is not None and reminded(clock)
        case "disclosure":
            return change.now is not None
        case "meeting":
            return change.now is not None or not after.meeting_held
        case "discussion" | "scheduled":
            return change.now is not None or (before is not None and before.strategy_held_at == after.strategy_held_at)
        case "offer":
            return change.now != "accepted"
        case "warning":  # that somebody takes no further part ends no warning
            return change.now is not None or topic.of not in after.warnings
        case "person":
            added = before is not None and topic.of not in before.subjects
            return change.now not in ("left", None) and (change.was is not None or added)
        case "rating":
            return change.was is not None and change.now is not None
        case _:
            return change.was is not None and change.now is not None


def _tells(draft: NoticeDraft, topic: Topic) -> bool:
    """Whether a notice says by itself what is known of a topic."""
    match topic.kind:
        case "rating" | "warning":
            return draft.kind not in WITHOUT_HEAD
        case "due":
            return draft.clock == topic.of
        case "check":
            return draft.kind == "check_request" and draft.facts["agency"] == topic.of
        case "person" | "details":
            return draft.kind == "check_request"
        case "meeting":
            return draft.kind in ("meeting_convened", "meeting_called_off")
        case "discussion":
            return draft.kind in (*SCHEDULED, "strategy_discussion", "decision_withdrawn")
        case "scheduled":
            return draft.kind in SCHEDULED
        case "offer":
            return draft.kind in ("step_down_offered", "decision_withdrawn")
        case "order":
            return draft.kind == "protection_order"
        case _:
            return False


def _drafts(occasion: Occasion, role: str, changes: Sequence[Change]) -> Iterator[NoticeDraft]:
    """What asks for an act of its own is a notice of its own; all else that is different now is one."""
    rest = []
    scheduled = any(change.topic.kind == "scheduled" for change in changes)
    for change in changes:
        topic = change.topic
        kind, of = topic
        if kind == "check" and change.now != "closed":
            yield occasion.about("check_request", role, latest(occasion.after, f"check:{of}"), agency=of)
        elif topic == WORKER:
            yield to_worker(occasion, role, str(change.now))
        elif kind == "disclosure":
            outside = {} if of in occasion.profile.agencies else {"holder": agency_title(occasion.profile, of)}
            yield occasion.about("disclosure_owed", role, latest(occasion.after, f"disclosure:{of}"), agency=of, **outside)
        elif kind == "meeting" and change.now:
            yield invitation(occasion, role)
        elif kind == "scheduled":
            was = {} if change.now else _was_to_be(change, occasion, CALLS, without_you=occasion.after.discussion_at is not None)
            yield occasion.notice("strategy_discussion_called_off", role, None, **was) if was else discussion(occasion, role)
        elif kind == "discussion" and scheduled:
            continue  # the time of it, or that it is called off, says all
        elif kind == "discussion" and change.now:
            yield occasion.notice("strategy_discussion", role)
        elif kind == "offer" and change.now:
            yield occasion.notice("step_down_offered", role, service=occasion.profile.services[of].title, **called(occasion))
        elif kind == "meeting":
            chair = occasion.profile.meeting.chair
            was = _was_to_be(change, occasion, chair, without_you=meets(occasion.after))
            yield occasion.notice("meeting_called_off", role, None, **was)
        else:
            rest.append(change)
    if rest:
        told = [{"what": c.topic.kind, "of": c.topic.of, "was": c.was, "now": c.now, **_besides(c, occasion)} for c in rest]
        yield occasion.notice("case_changed", role, None, changes=told, urgent=_urgent(rest, occasion))


def _besides(change: Change, occasion: Occasion) -> dict[str, object]:
    """What is due at another time: one may wait for several things; what is not offered any more; and that a discussion takes
    place without somebody."""
    if change.topic.kind == "discussion":
        return {"without_you": occasion.after.stage == "strategy_discussion"}
    if change.topic.kind == "offer":
        own = called(occasion)
        return {"title": own["step_down"]} if own else {}
    if change.topic.kind != "due":
        return {}
    return {"title": subject_of(occasion.after.clocks[change.topic.of], occasion.profile)}


def _was_to_be(change: Change, occasion: Occasion, chair: str, *, without_you: bool) -> dict[str, object]:
    """What somebody was invited to, and is not any more: it is held without them, or not at all."""
    at, mode = (change.was or "").split(" ", 1)
    was = {"at": at, "mode": mode.replace("_", " "), "chair": chair, "version": occasion.after.version}
    return {**was, "without_you": without_you}


def _urgent(changes: Sequence[Change], occasion: Occasion) -> bool:
    """Whether it cannot wait: somebody might be hurt by not knowing it, or has less time than they think."""
    return any(_cannot_wait(change, occasion) for change in changes)


def _cannot_wait(change: Change, occasion: Occasion) -> bool:
    match change.topic.kind:
        case "rating":
            return occasion.profile.place(change.now) < occasion.profile.place(change.was)
        case "warning":
            return change.now is not None
        case "order":
            return True
        case "due":
            return datetime.fromisoformat(str(change.now)) < datetime.fromisoformat(str(change.was))
        case _:
            return False
