"""Walking cases through the MASH: a referral of each rating under a profile, on a virtual clock, with every due time and alert.

Nothing is stored and nothing is sent: the steps come from the same decisions and the same wording as the real ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Literal

from mash.notifications.notices import REFERRER, notices_for
from mash.notifications.wording import UNADDRESSED, message_for
from mash.states import commands as c
from mash.states import events as e
from mash.states.clocks import LONDON, Length, Unit, local
from mash.states.commands import SYSTEM, Actor, Said
from mash.states.decide import decide
from mash.states.machine import NAMES
from mash.states.profile import Outcome, Profile
from mash.states.referral import Referral, evolve

PACE = 0.6
"""People act after this part of the time they have: late enough for the first warning, early enough not to be late."""
STARTS = datetime(2026, 1, 19, 10, 0, tzinfo=LONDON).astimezone(UTC)
"""A Monday morning."""
SOON = timedelta(minutes=30)
A_MOMENT = Length(amount=0.05, unit=Unit.HUB_HOURS)
MOST_STEPS = 200
_WORDS = Said(item="00000000-0000-0000-0000-000000000000", hmac="0" * 64)


@dataclass(frozen=True)
class Line:
    """One line of a walk: somebody acts, a stage is entered, a clock starts, or an alert goes out."""

    at: datetime
    sort: Literal["act", "stage", "due", "alert"]
    who: str
    what: str
    due_at: datetime | None = None
    source: str = ""

    def __str__(self) -> str:
        match self.sort:
            case "act":
                return f"{local(self.at)}  {self.who}: {self.what}"
            case "stage":
                return f"{'':18}now at {self.what}"
            case "due":
                return f"{'':18}due {local(self.due_at or self.at)}: {self.what} [{self.source}]"
        return f"{local(self.at)}  -> {self.who}: {self.what}"


@dataclass
class Walk:
    """A referral of one rating on its way, and the lines it has left."""

    profile: Profile
    rating: str
    now: datetime
    lines: list[Line] = field(default_factory=list)
    state: Referral | None = None

    @property
    def referral(self) -> Referral:
        """The referral as it is now."""
        if self.state is None:
            raise LookupError("the walk has not begun")
        return self.state

    def give(self, command: Any, role: str, what: str, agency: str = "social_care") -> None:
        """Somebody acts."""
        by = Actor(id=role, role=role, agency=agency, hub=self.profile.name)
        self._carry_out(command, by, _WORDS, Line(self.now, "act", role, what))

    def _carry_out(self, command: Any, by: Actor, said: Said | None, line: Line | None) -> None:
        before = self.state
        events = decide(before, command, self.profile, by, self.now, reference="R", said=said)
        if line:
            self.lines.append(line)
        for event in events:
            self.state = evolve(self.state, event, self.now, by)
            self.lines += self._told(event)
        for draft in notices_for("R", before, self.referral, events, self.profile, self.now):
            message = message_for(draft.kind, "R", draft.facts, self.now, "", **UNADDRESSED)
            self.lines.append(Line(self.now, "alert", draft.role, message.title))
            if draft.role == REFERRER and draft.kind in ("acknowledgement", "outcome"):
                self._carry_out(c.RecordTold(what=draft.kind), _system(self.profile), None, None)

    def _told(self, event: e.Event) -> Iterator[Line]:
        match event:
            case e.StageEntered():
                yield Line(self.now, "stage", "", NAMES[event.stage])
            case e.ClocksStarted():
                for clock in event.clocks:
                    yield Line(self.now, "due", clock.owner, clock.why, clock.due_at, clock.source)
            case e.ClockMoved():
                yield Line(self.now, "due", event.clock.owner, event.clock.why, event.clock.due_at, event.clock.source)

    def pass_to(self, at: datetime) -> None:
        """Let time pass; the clocks speak when they have something to say."""
        while (moment := self.referral.next_at) and moment <= at:
            self.now = max(self.now, moment)
            self._carry_out(c.FireClocks(), _system(self.profile), None, None)
            self._top_of_the_ladder_acknowledges()
        self.now = max(self.now, at)

    def _top_of_the_ladder_acknowledges(self) -> None:
        top = self.profile.ladder[-1].role
        for clock_id in self.referral.alerts:
            if self.referral.clocks[clock_id].rung >= len(self.profile.ladder) - 1:
                self.give(c.AcknowledgeAlert(clock=clock_id), top, f"has it: {clock_id.replace('_', ' ')}")

    def pass_part(self, *kinds: str) -> None:
        """Let the usual part of the time pass that these clocks (or any that runs) leave; what is late is done soon."""
        running = [k for k in self.referral.running if k.kind in kinds] or [
            k for k in self.referral.running if k.kind not in ("check", "acknowledgement", "outcome_told")
        ]
        due = min((k.due_at for k in running), default=self.now)
        if due <= self.now:
            self.pass_to(self.now + SOON)
            return
        at = self.now + (due - self.now) * PACE
        opens = at if self.profile.open_at(at) else self.profile.calendar.add(at, A_MOMENT)
        self.pass_to(opens if opens < due else at)

    def step(self) -> None:
        """What happens next in the stage it stands at."""
        _NEXT[self.referral.stage](self)


def begin(profile: Profile, rating: str, starts: datetime = STARTS) -> Walk:
    """A contact that the hub takes, just arrived, which is going to be rated so."""
    going = Walk(profile, rating, starts)
    _arrive(going)
    return going


def walk(profile: Profile, rating: str, starts: datetime = STARTS) -> Walk:
    """Walk a referral of this rating through the profile to its end; one agency never answers. Raises RuntimeError when it
    reaches none, which no valid profile allows."""
    going = begin(profile, rating, starts)
    for _ in range(MOST_STEPS):
        if not going.referral.open:
            return going
        going.step()
    raise RuntimeError(f"{profile.title}: a {rating} referral reaches no end; it stands at {going.referral.stage}")


def walk_all(profile: Profile) -> list[Walk]:
    """A walk for each rating, most urgent first."""
    by_urgency = sorted(profile.ratings, key=lambda name: -profile.ratings[name].severity)
    return [walk(profile, rating) for rating in by_urgency]


def as_text(lines: list[Line]) -> Iterator[str]:
    """The lines as people read them: who does or is told the same thing at the same time stands in one line."""
    for _, same in groupby(lines, key=lambda line: (line.sort, line.at, line.what, line.due_at)):
        first, *others = same
        yield str(replace(first, who=", ".join(dict.fromkeys((first.who, *(line.who for line in others))))))


def _system(profile: Profile) -> Actor:
    return Actor(id=SYSTEM, role=SYSTEM, agency=SYSTEM, hub=profile.name)


def _arrive(going: Walk) -> None:
    """A contact of the first sort that the hub takes."""
    sort = next(iter(going.profile.intake.values()))
    if sort.live_from:
        opens = datetime.combine(sort.live_from, going.now.astimezone(LONDON).time(), LONDON).astimezone(UTC)
        going.now = max(going.now, opens)
    source = sort.sources[0] if sort.sources else "education"
    command = c.ReceiveContact(
        contact=sort.kinds[0] if sort.kinds else "referral",
        source="2A",
        source_agency=source,
        subjects=(c.Subject(id="S1", cohort=sort.cohorts[0] if sort.cohorts else "child"),),
        primary_need="N1",
        categories=sort.categories[:1],
        referrer_reachable=True,
    )
    going.give(command, REFERRER, f"a contact: {sort.title.lower()}")


def _consult(going: Walk) -> None:
    going.pass_part("consultation")
    going.give(c.ConcludeConsultation(outcome="referral"), going.profile.raters[0], "the consultation becomes a referral")


def _rate(going: Walk) -> None:
    going.pass_part("triage")
    rater = going.profile.raters[0]
    _share(going, rater)
    going.give(c.RateReferral(rating=going.rating, agreed=going.profile.triage.joint), rater, f"rates it {going.rating}")


def _share(going: Walk, role: str) -> None:
    for adult in going.referral.adults_unheard:
        going.give(
            c.RecordAdultView(subject=adult, capacity="has", agrees="yes"), role, "records the adult's capacity and wishes"
        )
    if going.referral.sharing is None:
        basis = c.RecordSharingBasis(
            purpose="safeguarding_child", lawful_basis="public_task", consent="given", family_informed=True
        )
        going.give(basis, role, "records the basis for sharing")


def _check(going: Walk) -> None:
    """All agencies answer but the last, for whom the hub waits until it is told; then it goes on without that reply."""
    if not going.referral.checks:
        named = going.profile.checks_for(going.referral.cohorts, going.rating, frozenset(going.referral.categories))
        going.give(c.AskAgencies(agencies=named[:3]), going.profile.raters[0], f"asks {', '.join(named[:3])}")
    *answering, silent = going.referral.outstanding
    if answering:
        going.pass_part("check")
        for agency in answering:
            title = going.profile.agencies[agency].title
            going.give(c.AnswerCheck(agency=agency, known=True), "agency", f"{title} answers", agency=agency)
    clock = next(k for k in going.referral.running if k.kind == "check" and k.whose == silent)
    going.pass_to(going.profile.calendar.add(clock.due_at, going.profile.agency_wait))
    going.give(c.ProceedWithoutReplies(), going.profile.raters[0], f"goes on without {going.profile.agencies[silent].title}")


def _meet(going: Walk) -> None:
    meeting = going.profile.meeting
    if going.referral.meeting_at:
        going.pass_to(going.referral.meeting_at)
    else:
        going.pass_part("mash_meeting", "response")
    held = c.RecordMeeting(
        attended=meeting.quorum or tuple(going.profile.agencies)[:3], rating=going.rating if meeting.second_rating else None
    )
    second = f", second rating {going.rating}" if meeting.second_rating else ""
    going.give(held, meeting.chair, f"MASH meeting held{second}")


def _decide(going: Walk) -> None:
    profile, referral = going.profile, going.referral
    if referral.rating is None and not profile.triage.stage:
        _rate(going)
        return
    going.pass_part("decision")
    outcome = _outcome(going)
    decision = c.RecordDecision(outcomes=dict.fromkeys(referral.subjects, outcome))
    going.give(decision, profile.deciders[0], f"decides: {outcome.replace('_', ' ')}")


def _outcome(going: Walk) -> Outcome:
    """The gravest path for the most urgent rating, a step-down for the next, no further action for the least of many."""
    profile, cohorts = going.profile, going.referral.cohorts
    order = sorted(profile.ratings, key=lambda name: -profile.ratings[name].severity)
    wanted: Outcome = "early_help"
    if going.rating == order[0]:
        wanted = "adult_section_42" if cohorts == {"adult"} else "section_47"
    elif len(order) > 2 and going.rating == order[-1]:
        wanted = "no_further_action"
    if going.referral.strategy_held_at and wanted == "section_47":
        wanted = "early_help"
    assessed = going.referral.assessment_outcome is not None
    return "section_17" if wanted in profile.assess_first and not assessed else wanted


def _sign_off(going: Walk) -> None:
    going.pass_part("sign_off")
    role = going.referral.proposed.role if going.referral.proposed else ""
    by = Actor(id="second", role=role, agency="social_care", hub=going.profile.name)
    going._carry_out(c.SignOffDecision(agreed=True), by, _WORDS, Line(going.now, "act", role, "signs the decision off"))


def _strategy(going: Walk) -> None:
    going.pass_part("strategy_discussion")
    hub = going.profile.strategy_discussion
    held = c.RecordStrategyDiscussion(attended=hub.quorum, outcome="section_47")
    going.give(held, going.profile.raters[0], f"strategy discussion held, {hub.modes[0].replace('_', ' ')}: section 47")


def _enquire(going: Walk) -> None:
    going.pass_part("enquiries")
    going.give(c.ConcludeEnquiries(outcome="conference"), going.profile.deciders[0], "enquiries concluded: conference")


def _confer(going: Walk) -> None:
    going.pass_part("conference")
    while going.now.astimezone(LONDON).weekday() >= 5:
        going.pass_to(going.now + timedelta(days=1))
    held = c.RecordConference(held_on=going.now.astimezone(LONDON).date(), outcome="child_protection_plan")
    going.give(held, going.profile.deciders[0], "conference held: child protection plan")


def _assess(going: Walk) -> None:
    going.pass_part("assessment")
    done = c.CompleteAssessment(factors=("1A",), outcome="early_help")
    going.give(done, going.profile.deciders[0], "assessment completed: early help")


def _offer(going: Walk) -> None:
    going.pass_part("step_down_preparing")
    cohorts, services = going.referral.cohorts, going.profile.services
    name = next(n for n, service in services.items() if not service.cohorts or cohorts & {*service.cohorts, "unknown"})
    going.give(c.OfferStepDown(service=name), going.profile.raters[0], f"offered to {services[name].title}")


def _accept(going: Walk) -> None:
    going.pass_part("step_down_offered")
    service = going.profile.services[going.referral.service or ""]
    going.give(c.AcceptStepDown(), service.role, f"{service.title} accepts")


def _adult(going: Walk) -> None:
    going.pass_part("adult_section_42")
    done = c.CompleteAdultEnquiry(outcome="risk_reduced")
    going.give(done, "adult_social_worker", "adult enquiry completed: risk reduced")


_NEXT: dict[str, Callable[[Walk], None]] = {
    "consultation": _consult,
    "triage": _rate,
    "agency_checks": _check,
    "mash_meeting": _meet,
    "decision": _decide,
    "sign_off": _sign_off,
    "strategy_discussion": _strategy,
    "enquiries": _enquire,
    "conference": _confer,
    "section_17_assessment": _assess,
    "step_down_preparing": _offer,
    "step_down_offered": _accept,
    "adult_section_42": _adult,
}
"""What happens next in each stage."""
