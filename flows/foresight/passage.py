"""One contact's way through a simulated hub, to its decision: each act is given to the real rules when somebody gets to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from mash.flows.foresight.hub import Hub
from mash.flows.foresight.inputs import Past
from mash.states.acts.checks import AnswerCheck, AskAgencies, ProceedWithoutReplies
from mash.states.acts.contact import ConcludeConsultation
from mash.states.acts.decisions import RecordDecision, SignOffDecision
from mash.states.acts.episodes import AttachContact
from mash.states.acts.known import RecordKnown
from mash.states.acts.meetings import RecordMeeting
from mash.states.acts.not_ours import ConfirmNotOurs, TakeContact
from mash.states.acts.rating import RateReferral, RerateReferral
from mash.states.acts.sharing import RecordAdultView, why_shared
from mash.states.errors import Incomplete, Refusal
from mash.states.messages import Command
from mash.states.profile import Outcome
from mash.states.referral import Referral
from mash.states.roles import hub_raters_and_deciders, raters
from mash.states.usual import Give
from mash.states.values import SYSTEM, Match, Words
from mash.states.world import World, system

BEFORE = ("to_confirm_not_ours", "consultation", "triage", "agency_checks", "mash_meeting", "decision", "sign_off")
"""The stages up to the decision. What follows is others' work: it is not simulated."""
WORDS = Words(item="simulated", hmac="0" * 64)
ATTACHING = "attaching"
"""The work of adding a contact to the open case of the same child."""
OTHER_CASE, AN_AUTHORITY = "R-0-0", "E06000001"
"""Stand for the open case that a contact is added to, and for the authority that one is transferred to."""


class Passage:
    """A contact on its way, which goes as one of the hub's past did wherever that does not depend on time."""

    def __init__(self, hub: Hub, name: str, past: Past, ended: Callable[[Passage], None]) -> None:
        self.hub, self.name, self.past, self._ended = hub, name, past, ended
        self.world = World(hub.profile, hub.time, colleagues=hub.colleagues)
        self.done = self.refused = False
        self._giving = ""
        self._late_since: datetime | None = None
        self._fires_at: datetime | None = None
        self._asked: set[str] = set()
        self._awaited = ""

    def begin(self) -> None:
        """The contact comes in."""
        self._came_at = self.hub.time
        if self._given(self.past.contact, "referrer", self.past.contact.source_agency):
            self._go_on()

    @property
    def referral(self) -> Referral:
        """The case as it is now."""
        return self.world.referral

    # --- acts ---------------------------------------------------------------------------------------------------------

    def _give(self, command: Command, role: str, agency: str = "social_care", person: str = "a") -> None:
        self.world.now, self._giving = self.hub.time, command.kind
        by = system(self.hub.profile) if role == SYSTEM else self.hub.actor(role, agency, person)
        self.world.give(command, by, words=WORDS)

    def _given(self, command: Command, role: str, agency: str = "social_care") -> bool:
        """Whether the rules let it be given; else the case is given up."""
        try:
            self._give(command, role, agency)
        except Refusal:
            self._give_up()
            return False
        return True

    def _give_seconded(self, command: RateReferral | RerateReferral | RecordDecision, role: str) -> None:
        """An act that about an immediate danger one alone does not decide: then a second person agrees by telephone."""
        try:
            self._give(command, role)
        except Incomplete:
            second = self.hub.second(self.referral, role) if self.referral.in_danger else None
            if second is None:
                raise
            self._give(command.model_copy(update={"second": second}), role)

    def _note(self) -> None:
        """The rules refused what the pattern of the past would do now."""
        if self._came_at >= self.hub.plan.begins:
            self.hub.refusals[self._giving] += 1

    def _give_up(self) -> None:
        """A case that the rules do not let go as its pattern went: it is counted apart, and measured in nothing."""
        self.refused = True
        self._note()
        self._end()

    def _act(self, act: Callable[[str], None]) -> Callable[[str], None]:
        """An act that somebody gets to, unless the case is somewhere else by then; and what follows from it."""
        stage, awaited = self.referral.stage, self._awaited

        def done(role: str) -> None:
            if self.done or (self.referral.stage, self._awaited) != (stage, awaited):
                return
            try:
                act(role)
            except Refusal:
                self._give_up()
                return
            self._awaited = ""
            self._go_on()

        return done

    # --- what is waited for -------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Whatever the case waits for now is asked for."""
        r = self.referral
        if r.decided_at or not r.open or r.stage not in BEFORE:
            self._end()
            return
        if self.hub.plan.fires:
            self._mind_clocks()
        attached = self.past.attached and r.stage in (self.past.attached, "decision")
        if r.stage == "agency_checks" and not attached:
            self._await_replies()
            return
        what = ATTACHING if attached else "triage" if r.rating is None and r.stage == "decision" else r.stage
        if self._awaited == what:
            return
        self._awaited = what
        self.hub.ask(self.name, r, what, self._roles(what), self._act(getattr(self, f"_{what}")))

    def _end(self) -> None:
        self.done = True
        self._ended(self)

    def _roles(self, stage: str) -> tuple[str, ...]:
        """Who does what a stage waits for."""
        profile, r = self.hub.profile, self.referral
        if stage == "decision":
            return profile.deciders
        if stage == "sign_off":
            return (r.proposed.role,) if r.proposed else ()
        if stage == "mash_meeting":
            return ()  # a meeting takes place when everybody can come, not when the chair is free
        if stage == "consultation":
            return (profile.consultation.role,)
        return hub_raters_and_deciders(r, profile) if stage == ATTACHING else raters(r, profile)

    def _to_confirm_not_ours(self, role: str) -> None:
        self._give(ConfirmNotOurs(signposted_to="another_service") if self.past.not_taken else TakeContact(), role)

    def _attaching(self, role: str) -> None:
        """The child's case is open: the contact is added to it, and ends here."""
        here = {"reference": OTHER_CASE, "other": "S1", "likeness": "confirmed", "why": (), "received_at": self._came_at}
        matches = tuple(Match.model_validate({"subject": subject, **here}) for subject in self.referral.subjects)
        self._give(RecordKnown(matches=matches), SYSTEM)
        self._give(AttachContact(other=OTHER_CASE), role)

    def _consultation(self, role: str) -> None:
        self._give(ConcludeConsultation(outcome="advice" if self.past.advice else "referral"), role)

    def _triage(self, role: str) -> None:
        """The basis for sharing is recorded, and the case is rated; it is rated again when its pattern was."""
        profile, rating = self.hub.profile, self.past.rating or self.hub.any_rating(self.name)
        urgent = profile.place(rating) == 0
        if not urgent:
            self._share(role)
        self._give_seconded(RateReferral(rating=rating, agreed=profile.triage.joint), role)
        if urgent and self.referral.sharing is None and not self.referral.decided_at:
            self._share(role)
        for hours, to in self.past.rerated:
            self.hub.later(hours * 3600, lambda to=to: self._rerate(to))  # type: ignore[misc]

    def _share(self, role: str) -> None:
        for step in why_shared(self.world, role):
            if isinstance(step, Give):
                self._give(step.command, step.role)

    def _rerate(self, rating: str) -> None:
        if self.done or self.referral.rating == rating:
            return
        try:
            self._give_seconded(RerateReferral(rating=rating, agreed=self.hub.profile.triage.joint), self.hub.rater)
        except Refusal:
            self._note()  # it stays rated as it is
            return
        self._go_on()

    # --- checks -------------------------------------------------------------------------------------------------------

    def _await_replies(self) -> None:
        r = self.referral
        if not r.checks and not r.checks_closed:
            known = tuple(agency for agency in self.past.asked if agency in self.hub.profile.agencies)
            if self._given(AskAgencies(agencies=known) if known else ProceedWithoutReplies(), self.hub.rater):
                self._go_on()
            return
        for agency in r.outstanding:
            if agency not in self._asked:
                self._asked.add(agency)
                after = self.hub.reply_after(self.name, agency, r.rating)
                if after is not None:
                    self.hub.later(after, lambda agency=agency: self._answer(agency))  # type: ignore[misc]
        self._lose_patience(min((clock.due_at for clock in r.running if clock.kind == "check"), default=None))

    def _lose_patience(self, late_from: datetime | None) -> None:
        """From when an answer is late on, the hub goes on without it when it usually does."""
        if late_from is None or self._late_since == late_from:
            return
        self._late_since = late_from
        after = self.hub.wait(self.hub.inputs.patience, self.name, "patience", max(late_from, self.hub.time))
        if after is not None:
            self.hub.later(after, self._go_on_without)

    def _answer(self, agency: str) -> None:
        """An agency answers, if it is still asked."""
        if self.done or agency not in self.referral.outstanding:
            return
        if not self._given(AnswerCheck(agency=agency, known=True), self.hub.profile.agencies[agency].role, agency):
            return
        if self.referral.stage != "agency_checks" or not self.referral.outstanding:
            self._go_on()

    def _go_on_without(self) -> None:
        """The hub waits for the missing answers no longer; or it waits anew, where those that were late have come."""
        if self.done or self.referral.stage != "agency_checks" or not self.referral.outstanding:
            return
        if not self.referral.late_partners(self.hub.time):
            self._await_replies()
            return
        if self._given(ProceedWithoutReplies(), self.hub.rater):
            self._go_on()

    # --- meeting and decision -----------------------------------------------------------------------------------------

    def _mash_meeting(self, role: str) -> None:
        meeting = self.hub.profile.meeting
        second = self.referral.rating if meeting.second_rating else None
        attended = meeting.quorum or tuple(self.hub.profile.agencies)[:3]
        self._give(RecordMeeting(attended=attended, rating=second), meeting.chair)

    def _decision(self, role: str) -> None:
        """As its pattern was decided. The authority that a case is transferred to is a stand-in: nothing here hangs on it."""
        outcomes, profile = self._outcomes(), self.hub.profile
        if "adult_section_42" in outcomes.values():
            for adult in self.referral.adults_unheard:
                self._give(RecordAdultView(subject=adult, capacity="has", agrees="yes"), self.hub.rater)
        there = profile.serving("transfer") if "transfer" in outcomes.values() else ()
        whither = {"destination": there[0], "transfer_to": AN_AUTHORITY} if there else {}
        decision = {"outcomes": outcomes, "primary_need": "N1", **whither}
        self._give_seconded(RecordDecision.model_validate(decision), role)

    def _outcomes(self) -> dict[str, Outcome]:
        """What is decided, by subject; section 17 first, where the hub assesses before such an end."""
        r, found = self.referral, dict[str, Outcome]()
        for sid, subject in r.subjects.items():
            outcome = self.past.outcomes.get(sid) or self.hub.any_outcome(self.name, r.rating, subject.cohort)
            assesses = outcome in self.hub.profile.assess_first and subject.counts_as_child
            found[sid] = "section_17" if assesses else outcome
        return found

    def _sign_off(self, role: str) -> None:
        self._give(SignOffDecision(agreed=True), role, person="second")

    # --- clocks -------------------------------------------------------------------------------------------------------

    def _mind_clocks(self) -> None:
        """The case's clocks speak when they have something to say that was not said before: the top of the ladder, told once, is
        not told again."""
        top = len(self.hub.profile.ladder) - 1
        at = min((at for clock in self.referral.clocks.values() if clock.rung < top and (at := clock.next_at)), default=None)
        if at is not None and at != self._fires_at:
            self._fires_at = at
            self.hub.agenda.at(self.hub.seconds(at), lambda: self._fire(at))

    def _fire(self, at: datetime) -> None:
        if self.done or self._fires_at != at:
            return
        self._fires_at, self.world.now = None, max(at, self.hub.time)
        self.world.fire()
        self._mind_clocks()
