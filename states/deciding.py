"""A decision in the making: records events, moves the stage along the chart, and starts and stops the clocks."""

from __future__ import annotations

from datetime import datetime

from mash.states import events as e
from mash.states.clocks import Due, due
from mash.states.commands import Actor, Said
from mash.states.errors import ImpossibleMove, Incomplete
from mash.states.events import Event, StartedClock
from mash.states.machine import SECTION_47, move, stage_of
from mash.states.profile import ClockRule, Profile, Rating
from mash.states.referral import Clock, Referral, evolve
from mash.states.whose import own_triage

OUTLIVE = ("acknowledgement", "outcome_told", "disagreement")
"""Clocks that run on after the outcome: the referrer is still to be told, a disagreement still to be determined."""


class Deciding:
    """One decision in the making: the events so far and the state they lead to."""

    def __init__(
        self,
        referral: Referral | None,
        profile: Profile,
        by: Actor,
        now: datetime,
        reference: str,
        redacted: Said | None = None,
    ) -> None:
        self.state = referral
        self.profile, self.by, self.now, self.reference, self.redacted = profile, by, now, reference, redacted
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
            agency = self.profile.agencies.get(clock.whose)
            if agency:  # an adopted profile may no longer have it
                ladder.insert(0, (agency.lead, self.profile.agency_wait))
        elif clock.owner not in (role for role, _ in ladder):
            ladder.insert(0, (clock.owner, self.profile.ladder[0].wait))
        rung = min(clock.rung + 1, len(ladder) - 1)
        role, wait = ladder[rung]
        told, next_at = self.on_duty(role), self.profile.calendar.add(self.now, wait)
        self.record(e.ClockEscalated(id=clock.id, rung=rung, role=told, due_at=clock.due_at, next_at=next_at))

    def on_duty(self, role: str) -> str:
        """Who is told in this role now: while the hub is closed, the out-of-hours role stands in for some."""
        return self.profile.on_duty(role, self.now) if role in self.hub_roles else role

    @property
    def hub_roles(self) -> tuple[str, ...]:
        """The roles that the out-of-hours role stands in for: whoever is told first, and whoever triages."""
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
                self.record(e.ClockMoved(clock=StartedClock(**fields)))

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
        self.stop(left, *(("triage",) if detour else ()), met=not detour)
        if stage not in self.covered() and not detour:
            self.stop("response")
        self.ensure_clocks()

    def covered(self) -> tuple[str, ...]:
        """The stages that a running response clock covers; one that covers the decision covers its signing off."""
        running = any(clock.kind == "response" for clock in self.referral.running)
        return self._covers() if self.referral.rating and running else ()

    def _covers(self) -> tuple[str, ...]:
        covers = self.rating.covers
        return (*covers, "sign_off") if "decision" in covers else covers

    @property
    def rating(self) -> Rating:
        """The rules of the present rating; an unrated contact counts as the most urgent."""
        return self.profile.rating(self.referral.rating)

    def begin(self) -> None:
        """Open the contact to the hub: at triage, or with the decision makers where there is none."""
        if self.profile.triage.stage or self.own_triage:
            self.go("open_triage")
            return
        self.go("open_decision")

    def take_route(self) -> None:
        """Go to the first stage of the rating's route that is not done yet."""
        r = self.referral
        done = {
            "agency_checks": not self.waits_for_checks(),
            "mash_meeting": r.meeting_held,
            "strategy_discussion": r.strategy_held_at is not None,
            "decision": False,
        }
        target = next((stage for stage in self.rating.route if not done[stage]), "decision")
        if target == "strategy_discussion":
            self.call_strategy_discussion()
        elif target != r.stage:
            self.go({"agency_checks": "open_checks", "mash_meeting": "open_meeting", "decision": "open_decision"}[target])
            if target == "mash_meeting":
                self.convene_at_gathering()
        if target == "agency_checks":
            self.request_checks(self.unasked)

    @property
    def concerned(self) -> tuple[str, ...]:
        """The agencies that the profile names for such a case."""
        return self.profile.checks_for(self.referral.cohorts, self.referral.rating, frozenset(self.referral.categories))

    @property
    def unasked(self) -> tuple[str, ...]:
        """The agencies that are always asked about such a case, and have not been. After the meeting nobody new is."""
        asked = self.referral.checks
        return tuple(a for a in self.profile.asked_always(self.concerned) if a not in asked and not self.referral.meeting_held)

    def waits_for_checks(self) -> bool:
        """Whether the route waits for agencies: to be asked, or to answer. Where all answer on request only, somebody must
        ask, or say that nobody needs to be asked."""
        r = self.referral
        if r.sharing is False or not self.concerned:
            return False
        return bool(r.outstanding or self.unasked) or not (r.checks or r.checks_closed or r.meeting_held)

    def request_checks(self, agencies: tuple[str, ...]) -> None:
        """Ask agencies; nothing leaves before the sharing basis is recorded (Haringey [2013] EWHC 416)."""
        if self.referral.sharing is not True or not agencies:
            return
        self.record(e.ChecksRequested(agencies=agencies))
        self.start(*(self._check_clock(name) for name in agencies))

    def _check_clock(self, name: str) -> StartedClock:
        agency, rule = self.profile.agencies[name], self.rating.reply
        if agency.reply:
            own = agency.reply
            rule = ClockRule(length=own.length, start=own.start, owner=agency.role, source=own.source)
        # Asked only after its time from receipt is over, it is not late before it was asked.
        if rule.start == "receipt" and self.profile.calendar.add(self.referral.received_at, rule.length) <= self.now:
            rule = rule.model_copy(update={"start": "stage"})
        return self.start_clock("check", rule, f"reply of {agency.title}", clock_id=f"check:{name}", owner=agency.role)

    def convene_at_gathering(self) -> None:
        """Where cases are discussed at a regular gathering, convene this one at its next time."""
        meeting = self.profile.meeting
        if meeting.gathering is None:
            return
        gathering = self.profile.gatherings[meeting.gathering]
        at = self.profile.calendar.next_time(gathering.at, gathering.days, self.now)
        self.record(e.MeetingConvened(at=at, chair=meeting.chair, mode=gathering.modes[0], said=None))

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
        self.stop("decision_on_response", "response", "triage")
        self.stop("check", met=False)
        if self.referral.referrer_reachable:
            self.start(self.start_clock("outcome_told", self.profile.statutory["outcome_told"], "outcome to the referrer"))

    def conclude(self, outcome: str) -> None:
        """All subjects' outcome is final. Clocks stop, except those that outlive it."""
        self.record(e.SubjectsConcluded(subjects=tuple(self.referral.subjects), outcome=outcome))
        self.stop(*{k.kind for k in self.referral.running} - set(OUTLIVE), met=False)

    def withdraw(self, said: Said) -> None:
        """A proposed decision is not signed off: it is decided anew."""
        self.record(e.SignOffRefused(said=said))
        self.go("refuse_sign_off")

    def reopen(self, said: Said) -> None:
        """The closure was mistaken: it is decided anew, within the statutory time from now."""
        self.record(e.ReferralReopened(said=said))
        self.stop("outcome_told", met=False)
        self.go("reopen")
        decision = self.profile.statutory["decision"].model_copy(update={"start": "stage"})
        self.start(self.start_clock("decision_on_response", decision, "decision on the response, reopened"))
        self.ensure_clocks()

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

    def rerate(self, rating: str, said: Said | None, agreed: tuple[str, ...] = ()) -> None:
        """Change the rating and move the clocks that hang on it. Up: the earlier of the old due time and now plus the new
        length. Down: the new length from the original start."""
        if self.referral.stage == "sign_off" and said:  # what was proposed under the old rating is decided anew
            self.withdraw(said)
        before = self.referral.rating or self.profile.unrated
        old = self.profile.ratings.get(before)  # an adopted profile may not have it any more
        up = old is None or self.profile.ratings[rating].severity > old.severity
        self.record(e.ReferralRerated(rating=rating, before=before, agreed=agreed, said=said))
        for clock in self.referral.running:
            rule = self._rule_of_rating(clock)
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
        self.ensure_clocks()

    def _rule_of_rating(self, clock: Clock) -> ClockRule | None:
        """The rule of the present rating that a clock hangs on; an agency's own time to reply hangs on none."""
        if clock.kind == "response":
            return self.rating.response
        if clock.kind != "check":
            return None
        agency = self.profile.agencies.get(clock.whose)
        return None if agency and agency.reply else self.rating.reply

    def ensure_clocks(self) -> None:
        """No stage waits without a clock: the rating's own limit where it covers the stage (for what was re-rated or came back
        there from now), else the stage's."""
        r = self.referral
        stage, running = r.stage, {clock.kind for clock in r.running}
        limit = self.rating.response if r.rating and stage in self._covers() else None
        if limit and r.rating and "response" not in running:
            self.start(self.start_clock("response", limit, r.rating))
        rule = self._stage_rule(stage) if stage in self.profile.stages else None
        if rule and stage not in running and stage not in self.covered():
            self.start(self.start_clock(stage, rule, stage.replace("_", " "), owner=self._owner(stage)))
        # Without a triage stage the wait for the first rating needs its clock all the same.
        if stage == "decision" and r.rating is None and r.decided_at is None and "triage" not in running:
            self.start(self.start_clock("triage", self._stage_rule("triage"), "first rating", owner=self._owner("triage")))

    def _stage_rule(self, stage: str) -> ClockRule:
        """The rule of a stage's clock. A contact that was refused by mistake waits for its rating only since then."""
        rule = self.profile.stages[stage]
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
