"""Moments and lengths as people say them, and what else templates need."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sized
from datetime import date, datetime, timedelta
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

from mash.config.commands import COMMANDS
from mash.config.words import LIKENESS, census, in_words_of, sentence, warning, worded
from mash.states.acts.seconding import IN_WORDS
from mash.states.clocks import LONDON, dated, day_of, local
from mash.states.profile import Profile

HOURS_ALONE, DAYS_ALONE = 12 * 60, 48 * 60
"""Minutes from which a length is said in hours alone, and in days alone."""
NUMBERS = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five"}
ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", 6: "sixth", 7: "seventh", 8: "eighth", 9: "ninth"}
OF_SUBJECT = re.compile(r"\bS(\d+)\b")
OF_CHECK = re.compile(r"^check:")
A_WEEK = 7


def moment(at: datetime | None) -> str:
    """A moment in London, as letters have it."""
    return dated(at) if at else ""


def day(on: date, *, weekday: bool = True) -> str:
    """A day as letters have it; a birthday without its weekday."""
    return f"{on:%A} {on.day} {on:%B %Y}" if weekday else f"{on.day} {on:%B %Y}"


def date_of(at: datetime | None) -> str:
    """The day of a moment in London, as letters have it."""
    return day(day_of(at)) if at else ""


def because(code: str) -> str:
    """What speaks for two being one person, or against it."""
    return LIKENESS.get(code) or worded(code)


def machine_time(at: datetime | None) -> str:
    """A moment as `<time datetime>` has it."""
    return at.astimezone(LONDON).isoformat(timespec="seconds") if at else ""


def duration(span: timedelta) -> str:
    """A length in the two largest units: '2 days 3 h', '4 h 10 min', '12 min'."""
    minutes = int(abs(span).total_seconds() // 60)
    days, hours, minutes = minutes // 1440, minutes % 1440 // 60, minutes % 60
    if days:
        return f"{days} day{'s' if days > 1 else ''}" + (f" {hours} h" if hours else "")
    if hours:
        return f"{hours} h" + (f" {minutes} min" if minutes else "")
    return f"{minutes} min"


def span(length: timedelta) -> str:
    """How long it is until something or since: '12 min', '1 h 23 min'; from twelve hours on '19 h', from two days on '2 days'."""
    minutes = int(abs(length).total_seconds() // 60)
    if minutes < HOURS_ALONE:
        return duration(length)
    return f"{minutes // 60} h" if minutes < DAYS_ALONE else f"{minutes // 1440} days"


def left(due: datetime | None, now: datetime) -> str:
    """What is left until a moment, in words: it never says it by colour alone."""
    if due is None:
        return "no clock running"
    return f"{span(due - now)} left" if due >= now else f"{span(now - due)} late"


def when(at: datetime, now: datetime) -> str:
    """A moment as people at work say it: '11:15' today, 'Tue 08:30' within a week, else with the date; London's time."""
    there, here = at.astimezone(LONDON), now.astimezone(LONDON)
    days = abs((there.date() - here.date()).days)
    if not days:
        return f"{there:%H:%M}"
    if days < A_WEEK and there > here:
        return f"{there:%a %H:%M}"
    year = "" if there.year == here.year else f" {there.year}"
    return f"{there:%a} {there.day} {there:%b}{year} {there:%H:%M}"


def is_today(at: datetime, now: datetime) -> bool:
    """Whether a moment is of today, in London."""
    return day_of(at) == day_of(now)


def haste(due: datetime | None, now: datetime) -> str:
    """How pressing a due time is: 'late', 'soon' within the hour, 'later', or 'none'."""
    if due is None:
        return "none"
    if due < now:
        return "late"
    return "soon" if due - now <= timedelta(hours=1) else "later"


def need(code: str | None) -> str:
    """A primary need of the census, by its code and in words."""
    return census("primary_need", code) if code else "not recorded"


def button(kind: str, rules: Profile | None) -> str:
    """What the button of a command says, by the rules that the page is shown by: a case's own, else those of the hub."""
    return in_words_of(COMMANDS[kind].button, rules)


@pass_context
def _button(known: Context, kind: str) -> str:
    return button(kind, known.get("rules"))


@pass_context
def _saves(known: Context, kind: str) -> str:
    """What the button says that gives a command."""
    return in_words_of(COMMANDS[kind].saves or COMMANDS[kind].button, known.get("rules"))


def not_saved(errors: Sized, what: str = "saved") -> str:
    """What stands above what is wrong with a form, of which something was not saved, or not `what`."""
    number = f"{NUMBERS.get(len(errors), len(errors))} {'thing is' if len(errors) == 1 else 'things are'}"
    return f"Not {what}: {number} missing or wrong"


def ordinal(number: int) -> str:
    """'third', '12th'."""
    return ORDINALS.get(number) or f"{number}th"


def named(text: str, called: Mapping[str, str]) -> str:
    """A text of the log, in which people have numbers, with what they are called instead."""
    return OF_SUBJECT.sub(lambda found: called.get(found[0]) or f"person {found[1]}", text)


def why_short(why: str) -> str:
    """What a clock runs for, without how that was reckoned: 'triage', 'reply of police re-rated blue to amber'."""
    # What was moved stands in the log by its code: 'check:police re-rated blue to amber: 1 working day from re-rating'.
    what = OF_CHECK.sub("reply of ", why.partition(": ")[0])
    return named(worded(what.replace(" ", "_")), {})


def plain_rule(source: str) -> str:
    """Where a rule comes from, in words for whoever works by it."""
    return source.replace("product default", "our own choice")


@pass_context
def _done(known: Context, kind: str) -> str:
    """What is said once a command was carried out."""
    return in_words_of(COMMANDS[kind].done, known.get("rules"))


@pass_context
def _item_title(known: Context, kind: str) -> str:
    """What an item is: what came with the referral by its own name, what came with a command as what was done."""
    return _done(known, kind) if kind in COMMANDS else _sentence(known, kind)


def person(login: str) -> str:
    """Somebody who works here, by what their login says of their name: 's.okafor' is 'S. Okafor'; else as it is."""
    initial, _, family = login.partition(".")
    return f"{initial.upper()}. {family.title()}" if len(initial) == 1 and family.replace("-", "").isalpha() else login


def counted(number: int | Sized, one: str, several: str = "") -> str:
    """So many of something: '1 case', '2 cases'."""
    number = number if isinstance(number, int) else len(number)
    return f"{number} {one if number == 1 else several or f'{one}s'}"


def choices(options: Mapping[str, str] | Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """What there is to choose from, as the Design System's components take it."""
    pairs = options.items() if isinstance(options, Mapping) else options
    return [{"value": value, "text": text} for value, text in pairs]


def ratings_of(profile: Profile) -> dict[str, str]:
    """The ratings of a hub in words, the most urgent first."""
    ordered = sorted(profile.ratings.items(), key=lambda each: -each[1].severity)
    return {**{name: rating.title for name, rating in ordered}, "unrated": "Not rated"}


@pass_context
def _worded(known: Context, code: object) -> str:
    """A code in words, by the rules that the page is shown by: a case's own, else those of the hub."""
    return worded(code, known.get("rules"))


@pass_context
def _sentence(known: Context, code: object) -> str:
    """The same, as a sentence begins."""
    return sentence(code, known.get("rules"))


FILTERS: dict[str, Callable[..., Any]] = {
    "worded": _worded,
    "sentence": _sentence,
    "warning": warning,
    "moment": moment,
    "date_of": date_of,
    "because": because,
    "day": day,
    "short": local,
    "machine_time": machine_time,
    "duration": duration,
    "left": left,
    "when": when,
    "haste": haste,
    "need": need,
    "button": _button,
    "done": _done,
    "saves": _saves,
    "not_saved": not_saved,
    "ordinal": ordinal,
    "named": named,
    "why_short": why_short,
    "plain_rule": plain_rule,
    "is_today": is_today,
    "item_title": _item_title,
    "person": person,
    "counted": counted,
    "seconded": IN_WORDS.__getitem__,
    "choices": choices,
}
