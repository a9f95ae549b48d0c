"""What was filled in on a form: read as the command that it is, or what is wrong with it, beside what was typed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData

from mash.api.pages import questions
from mash.api.pages.forms import BESIDE, DETAIL, LATER, NEEDED_WHERE, NOT_YET_KNOWN, OF_EACH, Asked
from mash.api.schemas.command import CommandGiven
from mash.config.commands import COMMANDS
from mash.notifications.times import NotATime, sheet_moment
from mash.states.clocks import LONDON
from mash.states.messages import STAFF_ACTS
from mash.states.values import Actor

Question = TypeVar("Question", bound=BaseModel)


@dataclass
class Filled:
    """What somebody filled in, as they did, and what is wrong with it: field -> what is expected."""

    values: dict[str, list[str]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def value(self, name: str) -> str:
        """What one field holds."""
        return (self.values.get(name) or [""])[0]


def first_text(kind: str) -> str:
    """The field beside which stands what is wrong with all of it."""
    return next(iter(COMMANDS[kind].texts))


def read(kind: str, asked: list[Asked], form: FormData, by: Actor) -> tuple[CommandGiven | None, Filled]:
    """The command that was filled in; or None, and what is wrong with it, beside what was typed."""
    filled = _filled(form)
    command: dict[str, Any] = {"kind": kind}
    if "agency" in STAFF_ACTS[kind].command.model_fields:
        command["agency"] = by.agency
    for each in asked:
        if each.name == LATER or each.name.startswith(DETAIL):
            continue
        head, _, key = each.name.partition(".")
        if (value := _value(each, filled)) is not None:
            if key and _bears(each, filled):
                command.setdefault(head, {})[key] = value
            elif not key:
                command[head] = value
        elif each.needed and _bears(each, filled):
            filled.errors[each.name] = questions.needed(each.label)
    body = {"seen": _number(filled.value("seen")), "command": command}
    if any(each.name == LATER for each in asked) and (happened_at := filled.value(LATER).strip()):
        body[LATER] = _moment(happened_at)
    if COMMANDS[kind].why and not filled.value(first_text(kind)).strip():
        filled.errors[first_text(kind)] = questions.WHY
    texts = {name: text for name in (*COMMANDS[kind].texts, "redacted") if (text := _text(filled.value(name)))}
    if details := _details(kind, asked, filled):
        body["details"] = details
    if redacted := texts.pop("redacted", ""):
        body["redacted"] = redacted
    if texts:
        body["words"] = "\n\n".join(f"{_heading(kind, name)}{text}" for name, text in texts.items())
    if filled.errors:
        return None, filled
    try:
        return CommandGiven.model_validate(body), filled
    except ValidationError as wrong:
        for error in wrong.errors(include_input=False):
            place = str(error.get("ctx", {}).get("field") or _place(error["loc"], kind))
            filled.errors[first_text(kind) if place == "words" else place] = questions.wrong(error, place)
        return None, filled


def _bears(each: Asked, filled: Filled) -> bool:
    """Whether a question bears on what else was answered."""
    head, dot, key = each.name.partition(".")
    other, answer = NEEDED_WHERE.get(head, ("", ""))
    return filled.value(f"{other}{dot}{key}") in (answer, "")


def _details(kind: str, asked: list[Asked], filled: Filled) -> dict[str, Any]:
    """What was filled in about somebody. What was left empty is nothing; of a birth it stays what it was."""
    details: dict[str, Any] = {}
    for each in asked:
        if not each.name.startswith(DETAIL):
            continue
        name, _, part = each.name.removeprefix(DETAIL).partition(".")
        value = _value(each, filled)
        if value is None and each.needed:
            filled.errors[each.name] = questions.needed(each.label)
        elif part:
            details.setdefault(name, {})[part] = value
        elif value is not None or kind not in BESIDE:
            details[name] = value
    return details


def checked(model: type[Question], form: FormData) -> tuple[Question | None, Filled]:
    """What was asked by a form of plain fields; or None, and what is wrong with it, beside what was typed."""
    filled = _filled(form)
    values = {name: text for name in model.model_fields if (text := filled.value(name).strip())}
    try:
        return model.model_validate(values), filled
    except ValidationError as wrong:
        for error in wrong.errors(include_input=False):
            place = str(error["loc"][0]) if error["loc"] else next(iter(model.model_fields))
            filled.errors[place] = questions.wrong(error, place)
        return None, filled


def _filled(form: FormData) -> Filled:
    return Filled({name: [str(value) for value in form.getlist(name)] for name in form})


def _heading(kind: str, name: str) -> str:
    part = COMMANDS[kind].parts.get(name)
    return f"{part.partition(':')[0]}\n" if part else ""


def _text(typed: str) -> str:
    return typed.replace("\r\n", "\n").strip()


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 1


def _value(each: Asked, filled: Filled) -> Any:
    if each.shape == "many":
        return [value for value in filled.values.get(each.name, []) if value != NOT_YET_KNOWN]
    text = filled.value(each.name).strip()
    if text in ("", NOT_YET_KNOWN):
        return None
    if each.shape == "yes_no":
        return text == "true"
    if each.shape == "moment":
        return _moment(text)
    if each.shape == "number":
        return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else text
    return text


def _moment(text: str) -> str:
    """A moment that was typed or chosen, with its offset; what is none stays as it is."""
    try:
        return sheet_moment(text.replace("T", " ")).astimezone(LONDON).isoformat()
    except NotATime:
        return text


def _place(loc: tuple[int | str, ...], kind: str) -> str:
    """The field that an error is about: the first part of its place that is none of the wrapping."""
    parts = [str(part) for part in loc if part not in ("command", kind)]
    return ".".join(parts[:2]) if parts and parts[0] in (*OF_EACH, "details") else parts[0] if parts else "words"
