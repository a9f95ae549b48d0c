"""A decision in the making: records events, moves the stage along the chart, and starts and stops the clocks."""

from __future__ import annotations

from datetime import datetime

from mash.states.chart import move, stage_of
from mash.states.clocks import Due, due
from mash.states.course import ClockEscalated, ClockMoved, ClocksStarted, ClocksStopped, StageEntered
from mash.states.errors import Incomplete
from mash.states.fold import evolve
from mash.states.profile import ClockRule, Profile, Rating
from mash.states.referral import Clock, Referral, StartedClock
from mash.states.roles import ladder_of, own_triage
from mash.states.stages import SEEN
from mash.states.values import Actor, Colleague, Details, Enquiry, EventBase, Heard, Words


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
    ) -> None:
        self.state = referral
        self.profile, self.by, self.now, self.reference = profile, by, now, reference
        self.redacted, self.details = redacted, details
        self.enquiries = enquiries
        """The section 47s that are open elsewhere about the same children."""
        self.fresh = fresh
        """A number that nothing else has, for what needs one: like the time it is given, so that the same question gets the same
        answer."""
        self.heard = heard or Heard()
        """What other hubs answered, for an act that asks them."""
        self.colleagues = colleagues
        """Who works at the hub and at its partners, for an act that names somebody."""
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

    def start_clock(self, kind: str, rule: ClockRule, what: str, *, clock_id: str = "", owner: str = "") -> None:
        """Start a clock of this rule."""
        self.start(self.clock_of(kind, rule, what, clock_id=clock_id, owner=owner))

    def clock_of(self, kind: str, rule: ClockRule, what: str, *, clock_id: str = "", owner: str = "") -> StartedClock:
        """A clock of this rule, as it starts now (or started, when its rule counts from an earlier moment)."""
        r = self.referral
        name = clock_id or kind
        # A stage entered again, after a reopening or a detour, counts from now: its first time is past.
        start, from_what = (self.now, "now") if name in r.clocks else self._start_of(rule)
        if name in r.clocks:
            name = f"{name}.{1 + sum(cid.split('.')[0] == name for cid in r.clocks)}"
        when = due(rule.length, start, from_what, what, self.profile.calendar)
        return self._clock(name, kind, owner or rule.owner, start, when, rule.source)

    def _start_of(self, rule: ClockRule) -> tuple[datetime, str]:
        if rule.start == "receipt" and self.referral.reopened:
            # What was closed by mistake, and came in perhaps a year ago, is not late before anybody has begun.
            anew = [clock.started_at for clock in self.referral.clocks.values() if clock.kind == "decision_on_response"]
            return max(anew, default=self.now), "the reopening"
        if rule.start == "receipt" and self.referral.consulted_at and rule not in self.profile.statutory.values():
            return self.referral.consulted_at, "the end of the consultation"
        if rule.start == "receipt":
            return self.referral.received_at, "receipt"
        return self.now, {"stage": "now", "decision": "the decision", "strategy_discussion": "the strategy discussion"}[
            rule.start
        ]

    def _clock(self, name: str, kind: str, owner: str, start: datetime, when: Due, source: str) -> StartedClock:
        life = when.at - start
        parts = self.profile.chase_at if kind == "check" else self.profile.warn_at
        warn_at = tuple(moment for part in parts if (moment := start + life * part) > self.now)
        return StartedClock(
            id=name, kind=kind, owner=owner, started_at=start, due_at=when.at, warn_at=warn_at, why=when.why, source=source
        )

    def start_until(self, kind: str, rule: ClockRule, when: Due) -> None:
        """Start a clock of this rule that is due at a time which the rule alone does not tell."""
        again = sum(cid.split(".")[0] == kind for cid in self.referral.clocks)
        name = f"{kind}.{1 + again}" if again else kind
        self.start(self._clock(name, kind, rule.owner, self.now, when, rule.source))

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
            self.record(ClocksStopped(ids=ids, met=met))

    def move_clock(self, clock: Clock, rule: ClockRule, when: Due) -> None:
        """A running clock is due at another time, by another rule."""
        self.record(ClockMoved(clock=self._clock(clock.id, clock.kind, clock.owner, clock.started_at, when, rule.source)))

    def escalate(self, clock: Clock) -> None:
        """Alert the next rung of the clock's ladder; the last one is alerted again and again."""
        ladder = ladder_of(clock, self.profile)
        rung = min(clock.rung + 1, len(ladder) - 1)
        role, wait = ladder[rung]
        alerted, next_at = self.on_duty(role), self.profile.calendar.add(self.now, wait)
        self.record(ClockEscalated(id=clock.id, rung=rung, role=alerted, due_at=clock.due_at, next_at=next_at))

    def on_duty(self, role: str) -> str:
        """Who is alerted in this role now: while the hub is closed, the out-of-hours role stands in for some."""
        return self.profile.on_duty(role, self.now) if role in self.hub_roles else role

    @property
    def hub_roles(self) -> tuple[str, ...]:
        """The roles that the out-of-hours role stands in for: whoever is alerted first, and whoever triages."""
        return self.profile.ladder[0].role, self.own_triage

    @property
    def own_triage(self) -> str:
        """The role that triages for the case's place, when the place triages on its own; empty otherwise."""
        return own_triage(self.referral, self.profile)

    def hand_triage_over(self) -> None:
        """A running clock for the first rating goes to whoever triages for the case's place now; its due time stays."""
        owner = self.own_triage or self.profile.stages["triage"].owner
        for clock in self.referral.running:
            if clock.kind == "triage" and clock.owner != owner:
                fields = {name: getattr(clock, name) for name in StartedClock.model_fields} | {"owner": owner}
                self.record(ClockMoved(clock=StartedClock(**fields)))

    # --- stages -----------------------------------------------------------------------------------------------------

    def go(self, event: str, came_from: str | None = None) -> None:
        """Move along the chart, stop the clock of the stage left, and start the one of the stage entered.

        A strategy discussion is a detour: it neither meets the clock of the stage left nor ends the response clock.
        Raises NoSuchMove when the chart has no such move from here.
        """
        r = self.referral
        configuration = move(r.configuration, event, r.came_from)
        left, stage = r.stage, stage_of(configuration)
        self.record(StageEntered(stage=stage, configuration=configuration, came_from=came_from))
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
        rule = self._stage_rule(stage) if stage in self.profile.stages else None
        if rule and stage not in running and stage not in self.covered():
            self.start_clock(stage, rule, stage.replace("_", " "), owner=self._owner(stage))
        # Without a triage stage the wait for the first rating needs its clock all the same.
        if stage == "decision" and r.rating is None and r.decided_at is None and "triage" not in running:
            self.start_clock("triage", self._stage_rule("triage"), "first rating", owner=self._owner("triage"))
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

    def _stage_rule(self, stage: str) -> ClockRule:
        """The rule of a stage's clock. A contact that was refused by mistake waits for its rating only since then; a second look
        at contacts that add up has the time that the profile gives it."""
        rule = self.profile.stages[stage]
        if stage == "sign_off" and self._adding_up:
            own = self.profile.accumulation
            return ClockRule(length=own.within, owner=own.role, source=own.source)
        return rule.model_copy(update={"start": "stage"}) if stage == "triage" and self.referral.reopened else rule

    def _owner(self, stage: str) -> str:
        """Who owns a stage's clock where that depends on the case; empty for the rule's own owner."""
        r = self.referral
        if stage == "sign_off" and r.proposed:
            return r.proposed.role
        if stage == "triage":
            return self.own_triage
        service = self.profile.services.get(r.service or "")
        return service.role if stage == "step_down_offered" and service else ""
