"""What is written down at a meeting: who is here, each agency's view as it speaks, what is agreed. Saved as it goes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter, ValidationError
from starlette.datastructures import FormData

from mash.api.pages import questions
from mash.api.pages.filled import Filled
from mash.api.pages.words import when
from mash.api.schemas.fields import Words
from mash.config.words import agency_title, sentence
from mash.notifications.times import NotATime, spoken_time
from mash.states.clocks import local
from mash.states.profile import Profile
from mash.states.values import Colleague

LONGEST_VIEW, MOST_ACTIONS = 4_000, 20
_WORDS: TypeAdapter[str] = TypeAdapter(Words, config=ConfigDict(hide_input_in_errors=True))
A_TIME = "Say by when: 15:00, tomorrow 09:00, Fri 17:00 or 4 Dec 12:00"
ACTION = ("action", "owner", "by")
"""The fields of the row in which an action is added."""
COLLEAGUE = "login:"
"""How the choice of one person begins, of those who can do something."""


class View(BaseModel):
    """What an agency said."""

    text: str
    agrees: bool = True


class ToDo(BaseModel):
    """What was agreed: what, who does it, by when."""

    what: str
    owner: str
    login: str | None = None
    due: AwareDatetime


class Minutes(BaseModel):
    """All of it so far."""

    model_config = ConfigDict(extra="ignore")

    came: dict[str, str] = {}
    """By agency: the way in which they are here, or that they are not."""
    more: tuple[str, ...] = ()
    """Who came besides those who were expected."""
    views: dict[str, View] = {}
    actions: tuple[ToDo, ...] = ()
    rating: str = ""
    why: str = ""
    held_on: str = ""
    outcome: str = ""
    enquiry: str = ""
    without_quorum: str = ""
    same_child: str = ""
    by: str = ""
    """The login of whoever wrote last."""
    at: datetime | None = None


SAID = ("rating", "why", "held_on", "outcome", "enquiry", "without_quorum", "same_child")
"""The fields that stand as they were filled in."""


def filled(form: FormData) -> Filled:
    """What a form brings, as it was typed."""
    values = {name: [str(value).replace("\r\n", "\n").strip() for value in form.getlist(name)] for name in form}
    return Filled(values)


def written(minutes: Minutes, sent: Filled, known: Mapping[str, Any], now: datetime) -> Minutes:
    """The minutes with what was `sent`, where it is understood; what is not, is said in the errors of `sent`, and everything else
    is kept. `known`: the `ways` in which somebody can have come, who could have come (`could_come`), and who can do something
    (`doers`, a choice by its value: owner and login)."""
    came = {name.removeprefix("came."): sent.value(name) for name in sent.values if name.startswith("came.")}
    came = {name: way for name, way in came.items() if name in known["could_come"] and way in known["ways"]}
    more = tuple(dict.fromkeys((*minutes.more, *(name for name in sent.values.get("more", []) if name in known["could_come"]))))
    said = {name: sent.value(name) for name in SAID if name in sent.values}
    _checked(sent, "why")
    changed = minutes.model_copy(update={**said, "came": {**minutes.came, **came}, "more": more})
    return _with_action(_with_view(changed, sent, known), sent, known, now)


def _with_view(minutes: Minutes, sent: Filled, known: Mapping[str, Any]) -> Minutes:
    """The view of whoever speaks; emptied, it is taken out."""
    name, text = sent.value("speaks"), _checked(sent, "text", LONGEST_VIEW)
    if name not in known["could_come"] or "text" in sent.errors:
        return minutes
    if not text:
        if sent.value("disagrees"):
            sent.errors["text"] = "Write why they do not agree, in a sentence"
        return minutes.model_copy(update={"views": {key: view for key, view in minutes.views.items() if key != name}})
    view = View(text=text, agrees=not sent.value("disagrees"))
    return minutes.model_copy(update={"views": {**minutes.views, name: view}})


def _with_action(minutes: Minutes, sent: Filled, known: Mapping[str, Any], now: datetime) -> Minutes:
    """The actions without those that were taken out, and with the one that was added, once however often it is sent."""
    out = sent.value("do").partition(":")
    actions = list(minutes.actions)
    if out[0] == "remove":
        actions = [each for number, each in enumerate(actions) if f"{number}:{each.due.isoformat()}" != out[2]]
    if any(sent.value(name) for name in ACTION) and (added := _action(sent, known, now)) and added not in actions:
        if len(actions) < MOST_ACTIONS:
            actions.append(added)
        else:
            sent.errors["action"] = f"A meeting records {MOST_ACTIONS} actions at most: add the others to the case afterwards"
    return minutes.model_copy(update={"actions": tuple(actions)})


def _action(sent: Filled, known: Mapping[str, Any], now: datetime) -> ToDo | None:
    """The action of the row, if all of it is understood."""
    what = _checked(sent, "action", LONGEST_VIEW)
    if not what:
        sent.errors.setdefault("action", "Say what is to be done")
    if sent.value("owner") not in known["doers"]:
        sent.errors["owner"] = "Choose who does it"
    due = None
    with suppress(NotATime):
        due = spoken_time(sent.value("by"), now) if sent.value("by") else None
    if due is None:
        sent.errors["by"] = A_TIME
    elif due <= now:
        sent.errors["by"] = f"{when(due, now)} is over: say a time to come"
    if due is None or any(name in sent.errors for name in ACTION):
        return None
    owner, login = known["doers"][sent.value("owner")]
    return ToDo(what=what, owner=owner, login=login, due=due)


def _checked(sent: Filled, name: str, longest: int = LONGEST_VIEW) -> str:
    """A text that can be kept; one that cannot is said to be, beside its field."""
    text = sent.value(name)
    if not text:
        return ""
    if len(text) > longest:
        sent.errors[name] = f"Shorten this to {longest:,} characters"
        return text
    try:
        return _WORDS.validate_python(text)
    except ValidationError as wrong:
        sent.errors[name] = questions.wrong(wrong.errors(include_input=False)[0], name)
        return text


def doers_of(owners: Mapping[str, str], profile: Profile, colleagues: tuple[Colleague, ...]) -> dict[str, tuple[str, str | None]]:
    """Who can do something, by the value of the choice: the agencies, others invited and roles that the hub has (`owners`), and
    each colleague, for their agency or in their role."""
    found: dict[str, tuple[str, str | None]] = {name: (name, None) for name in owners}
    for each in colleagues:
        for owner in (each.agency if each.role not in owners else each.role, each.role):
            if owner in owners and not each.away_until:
                found.setdefault(COLLEAGUE + each.login, (owner, each.login))
    return found


def in_words(minutes: Minutes, profile: Profile, why: str) -> str:
    """What the record of the meeting says, under its headings: each view as it was spoken, what was agreed, and the reason given,
    which is headed by what it is (`why`)."""
    views = [view_in_words(name, view, profile) for name, view in minutes.views.items()]
    actions = [action_in_words(each, profile) for each in minutes.actions]
    parts = (("Views", "\n".join(views)), ("Actions agreed", "\n".join(actions)), (why, minutes.why))
    return "\n\n".join(f"{heading}\n{text}" for heading, text in parts if text)


def view_in_words(name: str, view: View, profile: Profile) -> str:
    """What an agency said, as it stands in the record."""
    title = sentence(agency_title(profile, name))
    return f"{title}{'' if view.agrees else ' (does not agree)'}: {view.text}"


def action_in_words(each: ToDo, profile: Profile) -> str:
    """What was agreed, as it stands in the record."""
    return f"{each.what} ({doer(each, profile)}, by {local(each.due)})"


def doer(each: ToDo, profile: Profile) -> str:
    """Who does something, in words."""
    known = each.owner in profile.agencies or each.owner in profile.invited
    owner = sentence(agency_title(profile, each.owner)) if known else sentence(each.owner, profile)
    return f"{each.login}, {owner}" if each.login else owner
