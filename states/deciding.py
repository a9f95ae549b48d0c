"""A decision in the making: records events, moves the stage along the chart, and starts and stops the clocks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from mash.states.chart import move, stage_of
from mash.states.clocks import Due, Unit, dated, due
from mash.states.course import (
    AcknowledgementEnded,
    AlertAcknowledged,
    ClockBreached,
    ClockEscalated,
    ClockMoved,
    ClocksStarted,
    ClocksStopped,
    StageEntered,
)
from mash.states.errors import Incomplete
from mash.states.fold import evolve
from mash.states.profile import ClockRule, Profile, Rating
from mash.states.referral import Clock, Referral, StartedClock
from mash.states.roles import ladder_of, on_duty, own_triage
from mash.states.stages import SEEN
from mash.states.values import Actor, Colleague, Details, Enquiry, EventBase, Heard, Words

DAY_AND_NIGHT = ("consultation", "triage", "strategy_discussion")
"""Clocks of a child's safety now, however a hub counts them: whoever is on duty is told, day and night."""
REPEATED = timedelta(hours=4)
"""How often at most the top of the ladder is told again of what is late: with two reminders before, eight messages a day. A
product default, ours."""


class Deciding:
    """One decision in the making: the events so far and the states they lead to."""

    def __init__(
        self,
        referral: Referral | None,
        profile: Profile,
        by: Actor,
        now: datetime,
        reference: str,
        redacted: Words | None = None,
        details: Details | None = None,
        fresh: str = "",
        enquiries: tuple[Enquiry, ...] = (),
        heard: Heard | None = None,
        colleagues: tuple[Colleague, ...] = (),
        old_rules: Profile | None = None,
    ) -> None:
        self.state = referral
        self.profile, self.by, self.now, self.reference = profile, by, now, reference
        self.redacted, self.details = redacted, details
        self.enquiries = enquiries
        """The section 47s that are open elsewhere about the same children."""
        self.fresh = fresh
        """A number that nothing else has, for what needs one: like the time it is given, so that the same question gets the same
        answer."""
        self.happened_at: datetime | None = None
        """When what is recorded happened, where that was before it is entered: the clocks that it meets are judged by that."""
        self.proposed_by: str | None = None
        """Who decided what takes effect now, where somebody else signs it off."""
        self.heard = heard or Heard()
        """What other hubs answered, for an act that asks them."""
        self.colleagues = colleagues
        """Who works at the hub and at its partners, for an act that names somebody."""
        self.old_rules = old_rules
        """The rules that the case went by, for the act that adopts others."""
        self.events: list[EventBase] = []
        self.states: list[Referral] = []

    @property
    def referral(self) -> Referral:
        """The state so far."""
        if self.state is None:
            raise Incomplete("there is no referral yet")
        return self.state

    def record(self, event: EventBase) -> None:
        """Add an event and fold it."""
        self.events.append(event)
        self.state = evolve(self.state, event, self.now, self.by)
        self.states.append(self.state)

    # --- clocks -----------------------------------------------------------------------------------------------------

    def start_clock(
        self, kind: str, rule: ClockRule, what: str, *, clock_id: str = "", owner: str = "", since: datetime | None = None
    ) -> None:
        """Start a clock of this rule, or since when what it counts from happened."""
        self.start(self.clock_of(kind, rule, what, clock_id=clock_id, owner=owner, since=since))

    def clock_of(
        self, kind: str, rule: ClockRule, what: str, *, clock_id: str = "", owner: str = "", since: datetime | None = None
    ) -> StartedClock:
        """A clock of this rule, as it starts now (or started, when it counts from an earlier moment)."""
        r = self.referral
        name = clock_id or kind
        # A stage entered again, after a reopening or a detour, counts from now: its first time is past.
        start, from_what = (self.now, "now") if name in r.clocks else self._start_of(rule)
        if since is not None and since < start:
            start = since
        if name in r.clocks:
            name = f"{name}.{1 + sum(cid.split('.')[0] == name for cid in r.clocks)}"
        when = due(rule.length, start, from_what, what, self.profile.calendar)
        return self._clock(name, kind, owner or rule.owner, start, when, rule)

    def _is_over(self, rule: ClockRule) -> bool:
        """Whether the time of this rule, counted from receipt, has passed."""
        return self.profile.calendar.add(self.referral.received_at, rule.length) <= self.now

    def _start_of(self, rule: ClockRule) -> tuple[datetime, str]:
        if rule.start == "receipt" and self.referral.reopened:
            # What was closed by mistake, and came in perhaps a year ago, is not late before anybody has begun.
            anew = [clock.started_at for clock in self.referral.clocks.values() if clock.kind == "decision_on_response"]
            return max(anew, default=self.now), "the reopening"
        if rule.start == "receipt" and self.referral.consulted_at and rule not in self.profile.statutory.values():
            return self.referral.consulted_at, "the end of the consultation"
        if rule.start == "receipt" and rule == self.profile.stages["strategy_discussion"] and self._is_over(rule):
            # Called only after its time from receipt is over, it is not late before it was called.
            return self.now, "now"
        if rule.start == "receipt":
            return self.referral.received_at, "receipt"
        return self.now, {"stage": "now", "decision": "the decision", "strategy_discussion": "the strategy discussion"}[
            rule.start
        ]

    def _clock(self, name: str, kind: str, owner: str, start: datetime, when: Due, rule: ClockRule) -> StartedClock:
        by_day = rule.length.unit is not Unit.ELAPSED_HOURS and kind not in DAY_AND_NIGHT
        warn_at = self._warnings(kind, start, when.at, by_day)
        return StartedClock(
            id=name, kind=kind, owner=owner, started_at=start, due_at=when.at, warn_at=warn_at, why=when.why,
            source=rule.source, by_day=by_day,
        )  # fmt: skip

    def _warnings(self, kind: str, start: datetime, due_at: datetime, by_day: bool) -> tuple[datetime, ...]:
        """When a clock reminds; what is the day team's, before the hub closes."""
        parts = self.profile.chase_at if kind == "check" else self.profile.warn_at
        moments = [moment for part in parts if (moment := start + (due_at - start) * part) > self.now]
        return self._by_day(moments, due_at) if by_day else tuple(moments)

    def _by_day(self, moments: list[datetime], due_at: datetime) -> tuple[datetime, ...]:
        """These moments, while the hub is open: before its night or weekend; a second one, after it."""
        calendar, kept = self.profile.calendar, set[datetime]()
        for moment in moments:
            before, after = calendar.last_word(moment, self.now), calendar.next_open(moment)
            if before and before not in kept:
                kept.add(before)
            elif after < due_at:
                kept.add(after)
        return tuple(sorted(kept))

    def start_until(self, kind: str, rule: ClockRule, when: Due, *, clock_id: str = "") -> None:
        """Start a clock of this rule that is due at a time which the rule alone does not tell."""
        again = sum(cid.split(".")[0] == (clock_id or kind) for cid in self.referral.clocks)
        name = f"{clock_id or kind}.{1 + again}" if again else clock_id or kind
        self.start(self._clock(name, kind, rule.owner, self.now, when, rule))

    def start(self, *clocks: StartedClock) -> None:
        """Record clocks as started."""
        if clocks:
            self.record(ClocksStarted(clocks=clocks))

    def stop(self, *kinds: str, met: bool = True) -> None:
        """Stop the running clocks of these kinds."""
        self.stop_clocks(*(clock.id for clock in self.referral.running if clock.kind in kinds), met=met)

    def stop_clocks(self, *ids: str, met: bool = True) -> None:
        """Stop these clocks."""
        if ids:
            self.record(ClocksStopped(ids=ids, met=met, happened_at=self.happened_at if met else None))

    def move_clock(self, clock: Clock, rule: ClockRule, when: Due) -> None:
        """A running clock is due at another time, by another rule."""
        moved = self._clock(clock.id, clock.kind, clock.owner, clock.started_at, when, rule)
        self.record(ClockMoved(clock=moved, anew=clock.breached_at is not None and when.at > self.now))

    def breach(self, clock: Clock) -> bool:
        """A clock has run out. Whether it is told now: what is the day team's, when the hub opens."""
        told_at = self._told_from(clock, self.now)
        self.record(ClockBreached(id=clock.id, due_at=clock.due_at, told_at=told_at if told_at > self.now else None))
        return told_at <= self.now

    def _told_from(self, clock: Clock, at: datetime) -> datetime:
        """From when on, at the earliest at this instant, an alert of a clock is raised: somebody in danger waits for no day."""
        return self.profile.calendar.next_open(at) if clock.by_day and not self.referral.in_danger else at

    def escalate(self, clock: Clock, *, passed_to: int | None = None) -> None:
        """Alert the next rung of the clock's ladder, or the one that it is passed on to; the last one is alerted again and
        again."""
        ladder = ladder_of(clock, self.profile)
        begins = clock.rung + 1 if clock.rung >= 0 else self._rounds_before(clock)
        rung = min(begins, len(ladder) - 1) if passed_to is None else passed_to
        role, wait = ladder[rung]
        next_at = self.profile.calendar.add(self.now, wait)
        if rung == len(ladder) - 1 and not self.referral.in_danger:
            next_at = self._with_the_others(clock, max(next_at, self.now + REPEATED))
        there = self.on_duty(role)
        told = {"role": there, "due_at": clock.due_at, "next_at": self._told_from(clock, next_at), "stands_in": there != role}
        self.record(ClockEscalated(id=clock.id, rung=rung, passed_on=passed_to is not None, **told))

    def _with_the_others(self, clock: Clock, at: datetime) -> datetime:
        """The first time from `at` on at which the top of the ladder is told of another of the case's clocks too: what comes
        together is one message."""
        top = len(self.profile.ladder) - 1
        others = (c for c in self.referral.running if c.id != clock.id and c.rung >= top and not c.acknowledged_by)
        period = at - self.now
        known = min((c.next_rung_at for c in others if c.next_rung_at and c.next_rung_at > self.now), default=at)
        return known - period * ((known - at) // period)

    def acknowledge(self, clock: Clock, until: datetime | None = None) -> None:
        """Whoever acts has this alert, until they say or as long as they may: it is raised again, the more urgent the rating the
        sooner, while its cause lasts."""
        longest = self.profile.had_until(self.referral.rating, self.now)
        if until is not None and not self.now < until <= longest:
            raise Incomplete(
                f"an alert of this rating is had by {dated(longest)} at the latest: choose a time from now until then (until);"
                " you can say again then that you have it"
            )
        renew_at = self._told_from(clock, until or longest)
        self.record(AlertAcknowledged(id=clock.id, renew_at=renew_at, rating=self.referral.rating))

    def raise_again(self, clock_id: str) -> None:
        """An alert is of something more urgent now: whoever took it on did so for less, and whoever is told next is told now."""
        clock = self.referral.clocks[clock_id]
        if clock.acknowledged_by:
            self.end_acknowledgement(clock, "rated_up")
        elif clock.rung >= 0 and self._told_from(clock, self.now) <= self.now:
            self.escalate(clock)

    def end_acknowledgement(self, clock: Clock, why: Literal["rated_up", "off_duty", "handed_over"]) -> None:
        """Nobody has this alert any more: it is raised again, with whoever holds the role now."""
        told_at = self._told_from(clock, self.now)
        self.record(AcknowledgementEnded(id=clock.id, why=why, told_at=told_at))
        if told_at <= self.now:
            self.escalate(self.referral.clocks[clock.id])

    def _rounds_before(self, clock: Clock) -> int:
        """How often the same was offered before and accepted by nobody in time: each time somebody higher is told first."""
        if clock.kind != "hand_over":
            return 0
        place = clock.whose.partition("-")[0]
        late = (k for k in self.referral.clocks.values() if k.kind == clock.kind and k.id != clock.id and k.breached_at)
        return sum(each.whose.partition("-")[0] == place for each in late)

    def on_duty(self, role: str) -> str:
        """Who is alerted in this role now: while the hub is closed, the out-of-hours role stands in for some."""
        return on_duty(role, self.referral, self.profile, self.now)

    @property
    def own_triage(self) -> str:
        """The role that triages for the case's place, when the place triages on its own; empty otherwise."""
        return own_triage(self.referral, self.profile)

    def hand_triage_over(self) -> None:
        """A running clock for the first look or rating goes to whoever triages for the case's place now; its due time stays."""
        for clock in self.referral.running:
            if clock.kind not in ("triage", "to_confirm_not_ours"):
                continue
            if clock.owner != (owner := self.own_triage or self.profile.stages[clock.kind].owner):
                fields = {name: getattr(clock, name) for name in StartedClock.model_fields} | {"owner": owner}
                self.record(ClockMoved(clock=StartedClock(**fields)))
                if clock.acknowledged_by:
                    self.end_acknowledgement(self.referral.clocks[clock.id], "handed_over")

    # --- stages -----------------------------------------------------------------------------------------------------

    def go(self, event: str, came_from: str | None = None) -> None:
        """Move along the chart, stop the clock of the stage left, and start the one of the stage entered.

        A strategy discussion is a detour: it neither meets the clock of the stage left nor ends the response clock.
        Raises NoSuchMove when the chart has no such move from here.
        """
        r = self.referral
        configuration = move(r.configuration, event, r.came_from)
        left, stage = r.stage, stage_of(configuration)
        entered = StageEntered(stage=stage, configuration=configuration, came_from=came_from, happened_at=self.happened_at)
        self.record(entered)
        if stage == left:
            return
        detour = stage == "strategy_discussion"
        self.stop(left, *(("triage",) if detour else ()), met=not detour)
        if stage not in self.covered() and not detour:
            self.stop("response")
        self.ensure_clocks()

    def covered(self) -> tuple[str, ...]:
        """The stages that a running response clock covers; one that covers the decision covers its signing off."""
        running = any(clock.kind == "response" for clock in self.referral.running)
        covers = self._covers() if self.referral.rating and running else ()
        # A second look at contacts that add up has its own time, by day.
        return tuple(stage for stage in covers if stage != "sign_off") if self._adding_up else covers

    @property
    def _adding_up(self) -> bool:
        proposed = self.referral.proposed
        return proposed is not None and proposed.adding_up > 0

    def _covers(self) -> tuple[str, ...]:
        covers = self.rating.covers
        return (*covers, "sign_off") if "decision" in covers else covers

    @property
    def rating(self) -> Rating:
        """The rules of the present rating; an unrated contact counts as the most urgent."""
        return self.profile.rating(self.referral.rating)

    def ensure_clocks(self) -> None:
        """No stage waits without a clock: the rating's own limit where it covers the stage (for what was re-rated or came back
        there from now), else the stage's."""
        r = self.referral
        stage, running = r.stage, {clock.kind for clock in r.running}
        limit = self.rating.response if r.rating and stage in self._covers() else None
        if limit and r.rating and "response" not in running:
            self.start_clock("response", limit, r.rating)
        rule = self.rule_of_stage(stage) if stage in self.profile.stages else None
        if rule and stage not in running and stage not in self.covered():
            why = self.profile.edition.words.get(stage) or stage.replace("_", " ")
            self.start_clock(stage, rule, why, owner=self._owner(stage))
        # Without a triage stage the wait for the first rating needs its clock all the same.
        if stage == "decision" and r.rating is None and r.decided_at is None and "triage" not in running:
            self.start_clock("triage", self.rule_of_stage("triage"), "first rating", owner=self._owner("triage"))
        self.ensure_allocation()

    def ensure_allocation(self) -> None:
        """A case whose rating says by when somebody has it by name waits for that as long as nobody has."""
        r = self.referral
        limit = self.rating.allocation if r.rating and r.stage in SEEN and r.worker is None else None
        running = any(clock.kind == "allocation" for clock in r.running)
        if limit and not running:
            self.start_clock("allocation", limit, "allocation to a worker")
        elif running and not limit:
            self.stop("allocation", met=r.worker is not None)

    def rule_of_stage(self, stage: str) -> ClockRule:
        """The rule of a stage's clock. A contact that was refused by mistake waits for its rating only since then; a second look
        at contacts that add up has the time that the profile gives it; and where it may be about a child, so has whoever confirms
        that a contact is not the hub's."""
        rule = self.profile.stages[stage]
        if stage == "sign_off" and self._adding_up:
            own = self.profile.accumulation
            return ClockRule(length=own.within, owner=own.role, source=own.source)
        if stage == "to_confirm_not_ours" and not self.referral.only_adults:
            return rule.model_copy(update={"length": self.profile.not_ours.child_within, "source": self.profile.not_ours.source})
        return rule.model_copy(update={"start": "stage"}) if stage == "triage" and self.referral.reopened else rule

    def _owner(self, stage: str) -> str:
        """Who owns a stage's clock where that depends on the case; empty for the rule's own owner."""
        r = self.referral
        if stage == "sign_off" and r.proposed:
            return r.proposed.role
        if stage in ("triage", "to_confirm_not_ours"):
            return self.own_triage
        service = self.profile.services.get(r.service or "")
        return service.role if stage == "step_down_offered" and service else ""
