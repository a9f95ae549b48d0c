"""Walking cases through the MASH: a referral of each rating under a profile, on a virtual clock, with every due time and alert.

Nothing is stored and nothing is sent: the steps come from the same decisions and the same wording as the real ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Literal, assert_never

from mash.config.words import in_words_of, stage_title
from mash.notifications.notices import REFERRER, notices_for
from mash.notifications.wording import UNADDRESSED, message_for
from mash.states.acts.alerts import AcknowledgeAlert
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.countersigning import Countersign
from mash.states.acts.informing import RecordTold
from mash.states.acts.seconding import KIND as COUNTERSIGNATURE
from mash.states.clocks import LONDON, Length, Unit, local
from mash.states.course import ClockMoved, ClocksStarted, StageEntered
from mash.states.decide import Decision
from mash.states.messages import Command, Event
from mash.states.profile import Profile
from mash.states.referral import Referral
from mash.states.usual import USUAL, Give, Step, Until, Wait
from mash.states.values import Actor, Subject
from mash.states.world import World, system

PACE = 0.6
"""People act after this part of the time they have: late enough for the first warning, early enough not to be late."""
STARTS = datetime(2026, 1, 19, 10, 0, tzinfo=LONDON).astimezone(UTC)
"""A Monday morning."""
SOON = timedelta(minutes=30)
A_MOMENT = Length(amount=0.05, unit=Unit.HUB_HOURS)
MOST_STEPS = 200
NOT_WORK = ("check", "acknowledgement", "outcome_told", COUNTERSIGNATURE)
"""Clocks that nobody's own work on the case waits for."""


@dataclass(frozen=True)
class Line:
    """One line of a walk: somebody acts, a stage is entered, a clock starts, or an alert goes out."""

    at: datetime
    sort: Literal["act", "stage", "due", "alert"]
    who: str
    what: str
    due_at: datetime | None = None
    source: str = ""
    notice: str = ""
    """Of an alert: the kind of its notice."""
    by_day: bool = False
    """Of an alert: whether it is of a clock that is the day team's."""

    def __str__(self) -> str:
        match self.sort:
            case "act":
                return f"{local(self.at)}  {self.who}: {self.what}"
            case "stage":
                return f"{'':18}now at {self.what}"
            case "due":
                return f"{'':18}due {local(self.due_at or self.at)}: {self.what} [{self.source}]"
            case "alert":
                return f"{local(self.at)}  -> {self.who}: {self.what}"
            case _:
                assert_never(self.sort)


class Walk:
    """A referral of one rating on its way, and the lines it has left."""

    def __init__(self, profile: Profile, rating: str, starts: datetime = STARTS) -> None:
        self.rating = rating
        self.lines: list[Line] = []
        self.world = World(profile, starts, witness=self._tell)

    def fork(self) -> Walk:
        """A walk that goes on by itself from here, with lines of its own."""
        forked = Walk(self.profile, self.rating, self.now)
        forked.world = self.world.fork(forked._tell)
        return forked

    @property
    def profile(self) -> Profile:
        """The rules that it is walked through."""
        return self.world.profile

    @property
    def referral(self) -> Referral:
        """The referral as it is now."""
        return self.world.referral

    @property
    def now(self) -> datetime:
        """The time it is in the walk."""
        return self.world.now

    def give(self, command: Command, role: str, what: str, agency: str = "social_care", person: str = "") -> None:
        """Somebody acts."""
        self.lines.append(Line(self.now, "act", role, in_words_of(what, self.profile)))
        by = Actor(id=person or role, role=role, agency=agency, hub=self.profile.name)
        self.world.give(command, by, words=self.world.fresh_words())

    def _tell(self, world: World, before: Referral | None, decision: Decision, by: Actor) -> None:
        for event in decision.events:
            self.lines += self._lines_of(event)
        for draft in notices_for("R", before, self.referral, decision.events, self.profile, by, self.now):
            message = message_for(draft.kind, "R", draft.facts, self.now, "", **UNADDRESSED)
            clock = self.referral.clocks.get(draft.clock or "")
            by_day = clock is not None and clock.by_day
            self.lines.append(Line(self.now, "alert", draft.role, message.title, notice=draft.kind, by_day=by_day))
            if draft.role == REFERRER and draft.kind in ("acknowledgement", "outcome"):
                world.give(RecordTold.model_validate({"what": draft.kind}), system(self.profile))

    def _lines_of(self, event: Event) -> Iterator[Line]:
        match event:
            case StageEntered():
                yield Line(self.now, "stage", "", stage_title(event.stage, self.profile))
            case ClocksStarted():
                for clock in event.clocks:
                    yield Line(self.now, "due", clock.owner, clock.why, clock.due_at, clock.source)
            case ClockMoved():
                yield Line(self.now, "due", event.clock.owner, event.clock.why, event.clock.due_at, event.clock.source)

    def pass_to(self, at: datetime) -> None:
        """Let time pass; the clocks speak when they have something to say, and the top of the ladder acknowledges."""
        while (moment := self.referral.next_at) and moment <= at:
            self.world.run_to(moment)
            self._top_of_the_ladder_acknowledges()
            self._whoever_is_reminded_countersigns()
        self.world.run_to(at)

    def _top_of_the_ladder_acknowledges(self) -> None:
        top = self.profile.ladder[-1].role
        for clock_id in self.referral.alerts:
            if self.referral.clocks[clock_id].rung >= len(self.profile.ladder) - 1:
                self.give(AcknowledgeAlert(clock=clock_id), top, f"has it: {clock_id.replace('_', ' ')}")

    def _whoever_is_reminded_countersigns(self) -> None:
        reminded = [k for k in self.referral.running if k.kind == COUNTERSIGNATURE and k.warned == len(k.warn_at)]
        for clock in reminded:
            second = Countersign(seconding=clock.whose, agreed=True)
            self.give(second, self.profile.seconding.role, "countersigns", person="second")

    def pass_part(self, *kinds: str) -> None:
        """Let the usual part of the time pass that these clocks (or any that runs) leave; what is late is done soon."""
        running = [k for k in self.referral.running if k.kind in kinds] or [
            k for k in self.referral.running if k.kind not in NOT_WORK
        ]
        due = min((k.due_at for k in running), default=self.now)
        if due <= self.now:
            self.pass_to(self.now + SOON)
            return
        at = self.now + (due - self.now) * PACE
        opens = at if self.profile.open_at(at) else self.profile.calendar.add(at, A_MOMENT)
        self.pass_to(opens if opens < due else at)

    def step(self) -> None:
        """What usually happens in the stage it stands at; where nobody has rated it, the rating comes first."""
        stage = self.referral.stage
        unrated = stage == "decision" and self.referral.rating is None and not self.profile.triage.stage
        for step in USUAL["triage" if unrated else stage](self.world, self.rating):
            self._do(step)

    def _do(self, step: Step) -> None:
        match step:
            case Wait():
                self.pass_part(*step.clocks)
            case Until():
                self.pass_to(step.at)
            case Give():
                self.give(step.command, step.role, step.what, step.agency, step.person)
            case _:
                assert_never(step)


def begin(profile: Profile, rating: str, starts: datetime = STARTS) -> Walk:
    """A contact that the hub takes, just arrived, which is going to be rated so."""
    sort = next(iter(profile.intake.values()))
    if sort.live_from:
        opens = datetime.combine(sort.live_from, starts.astimezone(LONDON).time(), LONDON).astimezone(UTC)
        starts = max(starts, opens)
    going = Walk(profile, rating, starts)
    cohort = sort.cohorts[0] if sort.cohorts else "child"
    command = ReceiveContact(
        contact=sort.kinds[0] if sort.kinds else "referral",
        source="2A",
        source_agency=sort.sources[0] if sort.sources else "education",
        subjects=(Subject(id="S1", cohort=cohort, age=None if cohort == "unknown" else cohort),),
        primary_need="N1",
        categories=sort.categories[:1],
        referrer_reachable=True,
    )
    going.give(command, REFERRER, f"a contact: {sort.title.lower()}")
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
