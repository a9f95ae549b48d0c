"""A decision in the making: records events, moves the stage along the chart, and starts and stops the clocks."""

from __future__ import annotations

from datetime import datetime

from mash.states import events as e
from mash.states.clocks import Due, due
from mash.states.commands import Actor, Said
from mash.states.errors import ImpossibleMove, Incomplete
from mash.states.events import Event, StartedClock
from mash.states.machine import BEFORE_DECISION, SECTION_47, move, stage_of
from mash.states.profile import ClockRule, Profile, Rating
from mash.states.referral import Clock, Referral, evolve

TOLD_CLOCKS = ("acknowledgement", "outcome_told")
"""Clocks that wait for the referrer to be told: they run on after the outcome."""


class Deciding:
    """One decision in the making: the events so far and the state they lead to."""

    def __init__(self, referral: Referral | None, profile: Profile, by: Actor, now: datetime, reference: str) -> None:
        self.state = referral
        self.profile, self.by, self.now, self.reference = profile, by, now, reference
        self.events: list[Event] = []

    @property
    def referral(self) -> Referral:
        """The state so far."""
        if self.state is None:
            raise Incomplete("there is no referral yet")
        return self.state

    def record(self, event: Event) -> None:
        """Add an event and fold it."""
        self.events.append(event)
        self.state = evolve(self.state, event, self.now, self.by)

    # --- clocks -----------------------------------------------------------------------------------------------------

    def start_clock(self, kind: str, rule: ClockRule, what: str, *, clock_id: str = "", owner: str = "") -> StartedClock:
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
        if rule.start == "receipt":
            return self.referral.received_at, "receipt"
        return self.now, {"stage": "now", "decision": "the decision", "strategy_discussion": "the strategy discussion"}[
            rule.start
        ]

    def _clock(self, name: str, kind: str, owner: str, start: datetime, when: Due, source: str) -> StartedClock:
        life = when.at - start
        warn_at = tuple(moment for part in self.profile.warn_at if (moment := start + life * part) > self.now)
        return StartedClock(
            id=name, kind=kind, owner=owner, started_at=start, due_at=when.at, warn_at=warn_at, why=when.why, source=source
        )

    def start(self, *clocks: StartedClock) -> None:
        """Record clocks as started."""
        if clocks:
            self.record(e.ClocksStarted(clocks=clocks))

    def stop(self, *kinds: str, met: bool = True) -> None:
        """Stop the running clocks of these kinds."""
        if ids := tuple(clock.id for clock in self.referral.running if clock.kind in kinds):
            self.record(e.ClocksStopped(ids=ids, met=met))

    def escalate(self, clock: Clock) -> None:
        """Tell the next rung of the clock's ladder; the last one is told again and again."""
        ladder = [(rung.role, rung.wait) for rung in self.profile.ladder]
        if clock.kind == "check":
            agency = self.profile.agencies.get(clock.id.split(":")[1].split(".")[0])
            if agency:  # an adopted profile may no longer have it
                ladder.insert(0, (agency.lead, self.profile.agency_wait))
        rung = min(clock.rung + 1, len(ladder) - 1)
        role, wait = ladder[rung]
        if role == self.profile.ladder[0].role:
            role = self.profile.on_duty(role, self.profile.calendar.is_open(self.now))
        self.record(
            e.ClockEscalated(
                id=clock.id, rung=rung, role=role, due_at=clock.due_at, next_at=self.profile.calendar.add(self.now, wait)
            )
        )

    # --- stages -----------------------------------------------------------------------------------------------------

    def go(self, event: str, came_from: str | None = None) -> None:
        """Move along the chart, stop the clock of the stage left, and start the one of the stage entered.

        A strategy discussion is a detour: it neither meets the clock of the stage left nor ends the response clock.
        """
        r = self.referral
        try:
            configuration = move(r.configuration, event, r.came_from)
        except LookupError as refused:
            raise ImpossibleMove(r.stage, event, r.possible()) from refused
        left, stage = r.stage, stage_of(configuration)
        self.record(e.StageEntered(stage=stage, configuration=configuration, came_from=came_from))
        if stage == left:
            return
        detour = stage == "strategy_discussion"
        self.stop(left, met=not detour)
        if stage not in self.covered() and not detour:
            self.stop("response")
        self.ensure_stage_clock()

    def covered(self) -> tuple[str, ...]:
        """The stages that a running response clock covers."""
        return self.rating.covers if self.referral.rating and any(k.kind == "response" for k in self.referral.running) else ()

    @property
    def rating(self) -> Rating:
        """The rules of the present rating; an unrated contact counts as the profile says (red)."""
        return self.profile.ratings[self.referral.rating or self.profile.unrated_counts_as]

    def take_route(self) -> None:
        """Go to the first stage of the rating's route that is not done yet."""
        r = self.referral
        done = {
            "agency_checks": r.sharing is False
            or (r.checks_requested and not r.outstanding)
            or not self.profile.checks_for(r.cohorts),
            "mash_meeting": r.meeting_held,
            "strategy_discussion": r.strategy_held_at is not None,
            "decision": False,
        }
        target = next((stage for stage in self.rating.route if not done[stage]), "decision")
        if target == "strategy_discussion":
            self.call_strategy_discussion()
        elif target != r.stage:
            self.go({"agency_checks": "open_checks", "mash_meeting": "open_meeting", "decision": "open_decision"}[target])
        if target == "agency_checks":
            self.request_checks()

    def request_checks(self) -> None:
        """Ask the profile's agencies; nothing leaves before the sharing basis is recorded."""
        r = self.referral
        if r.sharing is not True or r.checks_requested:
            return
        agencies = self.profile.checks_for(r.cohorts)
        self.record(e.ChecksRequested(agencies=agencies))
        self.start(
            *(
                self.start_clock(
                    "check",
                    self.rating.reply,
                    f"{self.profile.agencies[a].title}'s reply",
                    clock_id=f"check:{a}",
                    owner=self.profile.agencies[a].role,
                )
                for a in agencies
            )
        )

    def call_strategy_discussion(self) -> None:
        """Enter the strategy discussion, remembering where from; an open assessment goes on beside it."""
        r = self.referral
        came_from = r.stage
        if came_from in SECTION_47:
            self.go("call_again", came_from)
            return
        self.go("call_strategy_discussion", came_from)
        if came_from == "section_17_assessment":
            self.go("start_assessment", came_from)

    def decided(self) -> None:
        """The local authority has decided: the statutory clock is met, and the referrer is to be told."""
        self.stop("decision_on_response", "response")
        self.stop("check", met=False)
        if self.referral.referrer_reachable:
            self.start(self.start_clock("outcome_told", self.profile.statutory["outcome_told"], "outcome to the referrer"))

    def conclude(self, outcome: str) -> None:
        """All subjects' outcome is final. Clocks stop, except those that wait for the referrer to be told."""
        self.record(e.SubjectsConcluded(subjects=tuple(self.referral.subjects), outcome=outcome))
        self.stop(*{k.kind for k in self.referral.running} - set(TOLD_CLOCKS), met=False)

    def take_path(self, outcome: str) -> None:
        """Set out on the path of a decision."""
        if outcome == "section_47":
            self.go("call_strategy_discussion", "decision")
        elif outcome == "section_17":
            self.go("decide_section_17")
            self.start_assessment(beside=False)
        elif outcome in ("early_help", "adult_section_42"):
            self.go(f"decide_{outcome}")
        else:
            self.go(f"decide_{outcome}")
            self.conclude(outcome)

    def start_assessment(self, beside: bool) -> None:
        """The assessment's clock is statutory: 45 working days from the referral."""
        self.record(e.AssessmentStarted(beside_section_47=beside))
        self.start(self.start_clock("assessment", self.profile.statutory["assessment"], "child and family assessment"))

    def end_protection(self, outcome: str) -> None:
        """Section 47 is over: an assessment beside it goes on alone. One that is complete says what help there is to be, unless
        the child is protected by a plan; otherwise the referral concludes."""
        help_to_be = None if outcome == "child_protection_plan" else self.referral.assessment_outcome
        self.stop("initial_conference")
        if help_to_be == "early_help":
            self.go("end_protection_in_early_help")
            return
        self.go("end_protection")
        if help_to_be == "child_in_need_plan":
            outcome = help_to_be
        if self.referral.stage == "section_47_concluded":
            self.conclude(outcome)

    # --- ratings ----------------------------------------------------------------------------------------------------

    def rerate(self, rating: str, said: Said | None) -> None:
        """Change the rating and move the clocks that hang on it. Up: the earlier of the old due time and now plus the new
        length. Down: the new length from the original start."""
        before = self.referral.rating or self.profile.unrated_counts_as
        up = self.profile.ratings[rating].severity > self.profile.ratings[before].severity
        self.record(e.ReferralRerated(rating=rating, before=before, said=said))
        rules = {"response": self.rating.response, "check": self.rating.reply}
        for clock in self.referral.running:
            rule = rules.get(clock.kind)
            if rule is None:
                continue
            start, from_what = (self.now, "re-rating") if up else (clock.started_at, "the original start")
            when = due(rule.length, start, from_what, f"{clock.id} re-rated {before} to {rating}", self.profile.calendar)
            if up and clock.due_at <= when.at:
                continue
            moved = self._clock(clock.id, clock.kind, clock.owner, clock.started_at, when, rule.source)
            self.record(e.ClockMoved(clock=moved))
        if self.rating.response is None:
            self.stop("response", met=False)
        elif (
            not any(clock.kind == "response" for clock in self.referral.clocks.values())
            and self.referral.stage in BEFORE_DECISION
        ):
            self.start(self.start_clock("response", self.rating.response, rating))
        self.ensure_stage_clock()

    def ensure_stage_clock(self) -> None:
        """No stage waits without a clock: when no response clock covers it, its own runs."""
        stage, running = self.referral.stage, {clock.kind for clock in self.referral.running}
        rule = self.profile.stages.get(stage)
        if rule and stage not in running and stage not in self.covered():
            self.start(self.start_clock(stage, rule, stage.replace("_", " ")))
