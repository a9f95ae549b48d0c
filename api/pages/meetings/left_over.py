"""What was written down at a meeting and is not in its record: it stays on the page, and can be added to the case as a note."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from fastapi import Request

from mash.api.pages.filled import Filled
from mash.api.pages.meetings.minutes import ACTION, Minutes, action_in_words, in_words, view_in_words
from mash.api.pages.meetings.sitting import HERE, NOT_HERE
from mash.api.pages.meetings.table import Table
from mash.config.words import agency_title, sentence
from mash.flows.store.minutes import DISCUSSION, read_minutes
from mash.flows.store.reads.items import read_items
from mash.states.acts.scheduling import Planned
from mash.states.profile import Profile
from mash.states.values import Actor

TITLES: dict[Planned, str] = {"meeting": "The meeting", "strategy_discussion": "The strategy discussion"}
RECORDS: dict[Planned, str] = {"meeting": "record_meeting", "strategy_discussion": "record_strategy_discussion"}
"""The commands by which the two are recorded."""


@dataclass(frozen=True)
class LeftOver:
    """Words that are in no record."""

    which: str
    """Of which sitting they are."""
    text: str
    why: str
    """Why they are not."""
    written: str
    """When they were last written in: whoever adds them to the case has seen nothing later."""
    waits: bool = False
    """Whether the sitting is still to come, and they stand there again."""
    late: bool = False
    """Whether somebody has just sent them."""


def what_of(which: str) -> Planned:
    """Of which kind a sitting is."""
    return "strategy_discussion" if which.startswith(DISCUSSION) else "meeting"


def since(minutes: Minutes, recorded: Minutes) -> Minutes:
    """Of minutes, what somebody has written since they were `recorded`."""
    return Minutes(
        came={name: way for name, way in minutes.came.items() if recorded.came.get(name) != way},
        views={name: view for name, view in minutes.views.items() if recorded.views.get(name) != view},
        actions=tuple(each for each in minutes.actions if each not in recorded.actions),
        why=minutes.why if minutes.why != recorded.why else "",
        by=minutes.by,
        at=minutes.at,
    )


def unrecorded(minutes: Minutes, said: Iterable[str], profile: Profile) -> Minutes:
    """Of minutes, what is in none of the words that were `said` in the case."""
    whole = "".join(f"\n{text}\n" for text in said)
    views = {name: view for name, view in minutes.views.items() if f"{view_in_words(name, view, profile)}\n" not in whole}
    actions = tuple(each for each in minutes.actions if action_in_words(each, profile) not in whole)
    why = "" if f"\n{minutes.why}\n" in whole else minutes.why
    return minutes.model_copy(update={"views": views, "actions": actions, "why": why})


def words_of(minutes: Minutes, sent: Filled, profile: Profile) -> str:
    """What is left over, as a note: what was understood, and as it was typed what was not."""
    ways = {**HERE, **NOT_HERE}
    came = [f"{sentence(agency_title(profile, name))}: {ways.get(way, way)}" for name, way in minutes.came.items()]
    typed = [sent.value(name) for name in ("text", "why") if name in sent.errors]
    if any(name in sent.errors for name in ACTION):
        typed.append(", ".join(filter(None, map(sent.value, ACTION))))
    parts = ("\n".join(["Who is here", *came]) if came else "", in_words(minutes, profile, "Why"), *typed)
    return "\n\n".join(filter(None, parts))


def is_over(which: str, recorded: bool, missing: bool) -> str:
    """Why what was just sent is not in the record, and whether any words of it are `missing` there."""
    how = "was recorded" if recorded else "was ended"
    then = "this is not in the record. Add it to the case as a note" if missing else "all that you wrote is in the case"
    return f"{TITLES[what_of(which)]} {how} while you wrote: {then}"


def is_kept(which: str) -> str:
    """Why what was just sent is not in the minutes of what is held now."""
    title = TITLES[what_of(which)]
    return (
        f"A strategy discussion was called while you wrote. What you wrote is kept with {title[:1].lower()}{title[1:]}, not here"
    )


def came_later(which: str) -> str:
    """What is said of words that were found after the record."""
    title = TITLES[what_of(which)]
    return f"{title} was recorded without this. Add it to the case as a note"


async def left_of(request: Request, table: Table, by: Actor, sent: Filled) -> LeftOver:
    """What is in the minutes of a table, or was just sent, and in no record."""
    items = await read_items(request.app.state.store, table.case, by)
    said = [item["content"] for item in items if item["content"] and not item["fields"]]
    minutes = unrecorded(table.minutes, said, table.profile)
    written = table.minutes.at.isoformat() if table.minutes.at else ""
    text = words_of(minutes, sent, table.profile)
    return LeftOver(table.which, text, came_later(table.which), written)


async def found_later(request: Request, table: Table, by: Actor) -> list[LeftOver]:
    """What is left over of the sittings that are over: of the meeting, and of the latest strategy discussion."""
    store, reference = request.app.state.store, table.case.reference
    found = []
    for which in dict.fromkeys((*table.over[:1], *table.over[-1:])):
        minutes = Minutes.model_validate(await read_minutes(store, reference, which, by))
        found.append(await left_of(request, replace(table, which=which, minutes=minutes), by, Filled()))
    return [each for each in found if each.text]
