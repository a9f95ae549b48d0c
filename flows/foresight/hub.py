"""A hub at work, simulated: contacts come in, its people and the agencies act on them, and the real rules decide what follows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property

from mash.flows.foresight.arrivals import WEEK, Week, by_part, drawn, monday_of, on_the_wall
from mash.flows.foresight.desk import Agenda, Desk, Work
from mash.flows.foresight.draws import draw, one_of
from mash.flows.foresight.inputs import Inputs, Past, Turn, Waiting
from mash.states.acts.seconding import seconds
from mash.states.clocks import Length, Unit, day_of
from mash.states.profile import Outcome, Profile
from mash.states.referral import Referral
from mash.states.values import Actor, Colleague
from mash.states.whatif import without_reminders
from mash.states.world import staff

IN_HOURS, BY_THE_WALL = Length(amount=1, unit=Unit.HUB_HOURS), Length(amount=1, unit=Unit.ELAPSED_HOURS)
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
    came: tuple[datetime, ...] = ()
    """When contacts came in, as far as that is known."""
    known_until: datetime | None = None
    """From when on that is not known: then `weeks` are drawn from. None: it is never known."""
    weeks: tuple[Week, ...] = ()
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
        """By command: how often the rules refused what the past would have done, of the contacts that are counted."""
        self._actors: dict[tuple[str, str, str], Actor] = {}
        for turn in plan.turns:
            if turn.ends > self.starts:
                self.desk.shift(turn.role, turn.person, self.seconds(turn.begins), self.seconds(turn.ends))
        self._week(monday_of(self.starts))

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

    def _week(self, monday: date) -> None:
        """The contacts of a week: those that came in, and what a scenario adds or takes away; the others stay the same."""
        ends = on_the_wall(monday, WEEK.total_seconds())
        known_until = self.plan.known_until or self.starts
        came = [(name, at) for name, at in self._came[monday] if at < known_until]
        if ends > known_until:
            came += [(name, at) for name, at in drawn(self.plan.weeks, self.run, monday) if at >= known_until]
        for known_as, at in came:
            for name, when in by_part(self.plan.contacts, self.run, known_as, at):
                if self.starts <= when < self.plan.ends:
                    self.agenda.at(self.seconds(when), lambda name=name: self._arrives(name))  # type: ignore[misc]
        if ends < self.plan.ends:
            self.agenda.at(self.seconds(ends), lambda: self._week(day_of(ends)))

    @cached_property
    def _came(self) -> defaultdict[date, list[tuple[str, datetime]]]:
        """The contacts of which it is known when they came in, by their week; each by a name of its own."""
        found = defaultdict[date, list[tuple[str, datetime]]](list)
        for place, at in enumerate(self.plan.came):
            found[monday_of(at)].append((f"{at.timestamp():.6f}.{place}", at))
        return found

    def _arrives(self, name: str) -> None:
        """It goes as one of the past did; of those that a run has for its past, which are drawn from all that there were: so runs
        differ by what was learnt too, as another year would have taught another past."""
        past = self.inputs.past
        place = int(draw(self.run, name, "past") * len(past))
        self._comes_in(name, past[int(draw(self.run, place, "drawn") * len(past))])

    # --- who acts -----------------------------------------------------------------------------------------------------

    def actor(self, role: str, agency: str, person: str = "a") -> Actor:
        """Somebody of a role, as the rules know them; where they are to be another than usual, by another name."""
        if (role, agency, person) not in self._actors:
            self._actors[role, agency, person] = Actor(id=f"{person}.{role}", role=role, agency=agency, hub=self.profile.name)
        return self._actors[role, agency, person]

    def second(self, referral: Referral, role: str) -> str | None:
        """The login of somebody else than whoever acts in this role, who may agree to what one alone does not decide."""
        wanted = seconds(referral, self.profile)
        return next((each.login for each in self.colleagues if each.role in wanted and each.role != role), None)

    def any_rating(self, name: str) -> str:
        """A rating for a contact whose pattern has none yet: as such contacts were rated."""
        return self._ratings[int(draw(self.run, name, "rating") * len(self._ratings))]

    def any_outcome(self, name: str, rating: str | None, cohort: str) -> Outcome:
        """An outcome for a subject whose pattern has none yet: as one of their cohort in a case of this rating ended."""
        known = self._outcomes.get((rating or "", cohort)) or ["no_further_action"]
        return known[int(draw(self.run, name, "outcome") * len(known))]

    @cached_property
    def _ratings(self) -> tuple[str, ...]:
        return tuple(past.rating for past in self.inputs.past if past.rating) or (self.profile.unrated,)

    @cached_property
    def _outcomes(self) -> dict[tuple[str, str], list[Outcome]]:
        found = defaultdict[tuple[str, str], list[Outcome]](list)
        for past in self.inputs.past:
            rating = past.rerated[-1][1] if past.rerated else past.rating
            for subject in past.contact.subjects:
                if outcome := past.outcomes.get(subject.id):
                    found[rating or "", subject.cohort].append(outcome)
        return found

    @property
    def rater(self) -> str:
        """The role of whoever usually rates."""
        return self.profile.raters[0]

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Something happens so much later."""
        self.agenda.at(self.agenda.now + seconds, do)

    def ask(self, name: str, r: Referral, stage: str, roles: tuple[str, ...], done: Callable[[str], None]) -> None:
        """A case waits for somebody of these roles: for their turn where they are in the rota, else for as long as such cases
        waited. `stage` is what is to be done: the work of the stage, or another's."""
        if not self.desk.staffed(roles):
            role, stage = self._role_of(r, stage), stage if stage in self.inputs.stages else r.stage
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
        """How many seconds from now something comes that is waited for since then; None where it never does. Of what nothing at
        all is known, it comes at once; what was waited for and never came does not."""
        if waiting is None:
            return 0.0
        now = self.time
        hours = waiting.after(draw(self.run, name, what, "wait"))
        if hours is None:
            return None
        begins, left = since or now, timedelta(hours=hours)
        return ((self.profile.calendar.add_open(begins, left) if waiting.while_open else begins + left) - now).total_seconds()
