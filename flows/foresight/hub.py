"""A hub at work, simulated: contacts come in, its people and the agencies act on them, and the real rules decide what follows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from mash.flows.foresight.desk import Agenda, Desk, Work
from mash.flows.foresight.draws import counted, draw, one_of
from mash.flows.foresight.inputs import Inputs, Past, Turn, Waiting
from mash.states.clocks import LONDON
from mash.states.errors import Refusal
from mash.states.profile import Profile
from mash.states.referral import Referral
from mash.states.values import Actor, Colleague
from mash.states.whatif import without_reminders
from mash.states.world import staff

HOUR = timedelta(hours=1)
WARM_UP = timedelta(weeks=4)
"""So long the hub works before anything is counted: it begins empty, and a hub never is."""


@dataclass(frozen=True)
class Plan:
    """What is simulated: by which rules and inputs, from when until when it counts, and what is other than it was."""

    profile: Profile
    inputs: Inputs
    begins: datetime
    ends: datetime
    turns: tuple[Turn, ...]
    contacts: float = 1.0
    """How many contacts come in for each that did."""
    later: Mapping[str, float] = field(default_factory=dict)
    """By agency: how many hours later it answers."""
    fires: bool = False
    """Whether clocks speak too: before a decision no act and no verdict hangs on it, and it takes as long again."""


class Hub:
    """A hub in one run of a plan."""

    def __init__(self, plan: Plan, run: int, arrives: Callable[[str, Past], None]) -> None:
        self.plan, self.run, self.inputs = plan, run, plan.inputs
        self.profile = plan.profile if plan.fires else without_reminders(plan.profile)
        self.starts = plan.begins - WARM_UP
        self._comes_in = arrives
        self.agenda = Agenda()
        self.desk = Desk(self.agenda)
        self.colleagues: tuple[Colleague, ...] = staff(self.profile)
        self.refusals: Counter[str] = Counter()
        self._actors: dict[tuple[str, str], Actor] = {}
        for turn in plan.turns:
            if turn.ends > self.starts:
                self.desk.shift(turn.role, turn.person, self.seconds(turn.begins), self.seconds(turn.ends))
        self.agenda.at(0.0, lambda: self._hour(self.starts))

    def work(self) -> None:
        """Let the whole time pass."""
        self.agenda.run_to(self.seconds(self.plan.ends))

    @property
    def time(self) -> datetime:
        """The time it is."""
        return self.starts + timedelta(seconds=round(self.agenda.now))

    def seconds(self, at: datetime) -> float:
        """An instant, in seconds since the simulation's start."""
        return (at - self.starts).total_seconds()

    # --- who comes ----------------------------------------------------------------------------------------------------

    def _hour(self, begins: datetime) -> None:
        """The contacts of an hour: of those of the past, and what a scenario adds or takes away; the others stay the same."""
        at = begins.astimezone(LONDON)
        mean, more = self.inputs.arrivals[at.weekday() * 24 + at.hour], self.plan.contacts - 1.0
        hour = int(begins.timestamp()) // 3600
        for sort, number in (("", mean), ("more", mean * max(0.0, more))):
            for place in range(counted(number, draw(self.run, hour, sort, "arrivals"))):
                name = f"{hour}{sort}.{place}"
                if draw(self.run, name, "left out") >= -more:
                    self.later(3600 * draw(self.run, name, "minute"), lambda name=name: self._arrives(name))  # type: ignore[misc]
        if begins + HOUR < self.plan.ends:
            self.agenda.at(self.seconds(begins + HOUR), lambda: self._hour(begins + HOUR))

    def _arrives(self, name: str) -> None:
        past = self.inputs.past
        try:
            self._comes_in(name, past[int(draw(self.run, name, "past") * len(past))])
        except Refusal as refused:
            self.refused(refused)

    # --- who acts -----------------------------------------------------------------------------------------------------

    def actor(self, role: str, agency: str) -> Actor:
        """Somebody of a role, as the rules know them."""
        if (role, agency) not in self._actors:
            self._actors[role, agency] = Actor(id=f"a.{role}", role=role, agency=agency, hub=self.profile.name)
        return self._actors[role, agency]

    def any_rating(self, name: str) -> str:
        """A rating for a contact whose pattern has none yet: as such contacts were rated."""
        return self._ratings[int(draw(self.run, name, "rating") * len(self._ratings))]

    def any_outcome(self, name: str, rating: str | None) -> str:
        """An outcome for a contact whose pattern has none yet: as those of its rating ended."""
        known = self._outcomes.get(rating or "", ()) or ("no_further_action",)
        return known[int(draw(self.run, name, "outcome") * len(known))]

    @cached_property
    def _ratings(self) -> tuple[str, ...]:
        return tuple(past.rating for past in self.inputs.past if past.rating) or (self.profile.unrated,)

    @cached_property
    def _outcomes(self) -> dict[str, tuple[str, ...]]:
        ended = [(past.rerated[-1][1] if past.rerated else past.rating, past.outcome) for past in self.inputs.past]
        return {rating: tuple(o for r, o in ended if r == rating and o) for rating, _ in ended if rating}

    def refused(self, refusal: Refusal) -> None:
        """The rules refused what the pattern of the past would do now."""
        self.refusals[type(refusal).__name__] += 1

    @property
    def rater(self) -> str:
        """The role of whoever usually rates."""
        return self.profile.raters[0]

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Something happens so much later."""
        self.agenda.at(self.agenda.now + seconds, do)

    def ask(self, name: str, r: Referral, stage: str, roles: tuple[str, ...], done: Callable[[str], None]) -> None:
        """A case waits for somebody of these roles: for their turn where they are in the rota, else for as long as such cases
        waited."""
        if not self.desk.staffed(roles):
            role = self._role_of(r, stage)
            at = r.meeting_at if stage == "mash_meeting" else None
            wait = self.seconds(at) - self.agenda.now if at else self.wait(self.inputs.stage_of(stage, r.rating), name, stage)
            if wait is not None:
                self.later(wait, lambda: done(role))
            return
        minutes = one_of(self.inputs.minutes_of(stage), draw(self.run, name, stage, "minutes"))
        due = min((self.seconds(clock.due_at) for clock in r.running), default=self.agenda.now)
        self.desk.ask(Work(roles, (float(self.profile.place(r.rating)), due), 60 * minutes, done))

    def _role_of(self, r: Referral, stage: str) -> str:
        """Who acts where nobody's turn is waited for."""
        return {
            "decision": self.profile.deciders[0],
            "sign_off": r.proposed.role if r.proposed else "",
            "mash_meeting": self.profile.meeting.chair,
            "consultation": self.profile.consultation.role,
        }.get(stage, self.rater)

    def reply_after(self, name: str, agency: str, rating: str | None) -> float | None:
        """In how many seconds an agency that is asked now answers; None where it never does."""
        wait = self.wait(self.inputs.reply_of(agency, rating), name, agency)
        return None if wait is None else wait + 3600 * self.plan.later.get(agency, 0.0)

    def wait(self, waiting: Waiting | None, name: str, what: str, since: datetime | None = None) -> float | None:
        """How many seconds from now something comes that is waited for since then; None where it never does. Of what nothing is
        known, it comes at once."""
        if waiting is None or not waiting.hours:
            return 0.0
        now = self.time
        hours = waiting.after(draw(self.run, name, what, "wait"))
        if hours is None:
            return None
        begins, left = since or now, timedelta(hours=hours)
        return ((self.profile.calendar.add_open(begins, left) if waiting.while_open else begins + left) - now).total_seconds()
