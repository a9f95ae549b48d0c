"""To whom a notice goes now, and by which channels: the rota says who, the channels file how. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import groupby
from typing import Literal

from mash.config.channels import Channel, Channels
from mash.notifications.rota import Rota
from mash.states.clocks import Calendar, Frozen
from mash.states.profile import Profile


class Step(Frozen):
    """The channels that are used together, so long after the notice came about; the next step is for when nobody answers."""

    after: timedelta
    channels: tuple[tuple[str, Channel], ...]
    """Each with its label: what the ledger calls it ('p14 2: mailto'). It never shows the address."""

    def awake(self, at: datetime) -> Step:
        """The step without the channels that are in their quiet hours."""
        return self.model_copy(update={"channels": tuple((label, c) for label, c in self.channels if not c.is_quiet(at))})


class Recipient(Frozen):
    """Whoever a notice goes to: a person on duty, or the role itself where it is not kept by rota."""

    person: str | None
    steps: tuple[Step, ...]

    def step(self, number: int, at: datetime, red: bool) -> tuple[int, Step] | None:
        """The first step from `number` on that has a channel awake; red wakes them all. None when all of them are quiet."""
        for place, step in enumerate(self.steps[number:], number):
            if (usable := step if red else step.awake(at)).channels:
                return place, usable
        return None

    def avoiding(self, servers: frozenset[str]) -> Recipient:
        """Without the channels that end at these servers; with all of them when no other is left."""
        steps = tuple(
            step.model_copy(update={"channels": others})
            for step in self.steps
            if (others := tuple((label, c) for label, c in step.channels if c.fingerprint not in servers))
        )
        return self.model_copy(update={"steps": steps}) if steps else self


def recipients(
    channels: Channels, rotas: Mapping[str, Rota], calendar: Calendar, hub: str, role: str, at: datetime
) -> tuple[Recipient, ...]:
    """Whoever holds a role of a hub at an instant. In a gap of the rota, and for people without channels, the role's own
    channels stand in: somebody may read them, and a notice to nobody would be lost."""
    rota = rotas.get(hub)
    if rota is None or role not in rota.roles:
        return (of_role(channels, hub, role),)
    people = [duty.person for duty in rota.on_duty(role, at, calendar)]
    return tuple(of_person(channels, hub, role, person) for person in people) or (of_role(channels, hub, role),)


def needed(profile: Profile, role: str) -> Literal["open", "closed", "always"]:
    """When somebody must hold a role: those for whom the out-of-hours role stands in while the hub is open, that role while it is
    closed. Everybody else in its hours."""
    if profile.out_of_hours.service == "same_service":
        return "always" if role == profile.ladder[0].role else "open"
    return "closed" if role == profile.out_of_hours.role else "open"


def held_now(profile: Profile, role: str, at: datetime) -> str:
    """Which role has now what was told to another: at five, what the duty manager left is the out-of-hours role's, and in the
    morning the other way round."""
    first = profile.ladder[0].role
    return profile.on_duty(first, at) if role in (first, profile.out_of_hours.role) else role


def gone(rota: Rota, calendar: Calendar, person: str, since: datetime, at: datetime) -> bool:
    """Whether somebody who took something on at `since` has left it: they are away at this instant, or the shift that they were
    on then is over. Whoever took it on outside their shifts goes by no shift."""

    def on_duty(at: datetime) -> bool:
        return any(duty.person == person for role in rota.roles for duty in rota.on_duty(role, at, calendar))

    away = any(absence.person == person and absence.covers(at) for absence in rota.absences)
    return not on_duty(at) and (away or on_duty(since))


def of_role(channels: Channels, hub: str, role: str) -> Recipient:
    """A role by its own channels."""
    return Recipient(person=None, steps=steps_of(role, channels.of_role(hub, role)))


def of_person(channels: Channels, hub: str, role: str, person: str) -> Recipient:
    """Somebody by their own channels, or by the role's where they have none."""
    own = channels.of_person(hub, person)
    return Recipient(person=person, steps=steps_of(person, own) if own else steps_of(role, channels.of_role(hub, role)))


def steps_of(whose: str, order: tuple[Channel, ...]) -> tuple[Step, ...]:
    """Channels in the order of their waits, labelled by whose they are."""
    labelled = [(f"{whose} {place}: {channel.scheme}", channel) for place, channel in enumerate(order, 1)]
    by_wait = groupby(sorted(labelled, key=lambda each: each[1].after), key=lambda each: each[1].after)
    return tuple(Step(after=after, channels=tuple(group)) for after, group in by_wait)
