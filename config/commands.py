"""Commands as people call them and who may give them: the tables of commands.toml, one for each command of the core."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mash.config.toml_lines import Document, Problem, WrongFile, read_document
from mash.states.messages import STAFF_ACTS
from mash.states.register import Act

SHIPPED = Path(__file__).parent / "commands.toml"
REASON = "Reasons, in your own words"
NEVER_ASKED = ("kind", "agency", "rung")
"""Fields that follow from the form itself, from who fills it in, and from what the page showed."""


class FormOfSome(BaseModel):
    """What people read about a form of a command that asks some of its details only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    button: str = Field(min_length=1)
    help: str = Field(min_length=1)


class Wording(BaseModel):
    """All that people read about one command, and the roles that may give it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    button: str = Field(min_length=1)
    done: str = Field(min_length=1)
    help: str = Field(min_length=1)
    roles: tuple[str, ...] = Field(min_length=1)
    asks: Mapping[str, str] = {}
    hints: Mapping[str, str] = {}
    saves: str = ""
    """What the button of its form says, where that is not what the button says that leads to it."""
    why: bool = False
    """Whether the form asks for the words that come with it, although programs may leave them out."""
    words: str = REASON
    """What the words that come with it are."""
    parts: Mapping[str, str] = {}
    """Where the words are written in parts, each in a field of its own: kept together, under these headings."""

    details: Mapping[str, str] = {}
    """What the fields of a person are called that come beside this command and others."""
    detail_hints: Mapping[str, str] = {}
    census: FormOfSome | None = None
    """Its form that asks only what the Children in Need census does."""

    @property
    def texts(self) -> Mapping[str, str]:
        """The fields in which the command's own words are written, and what each is for."""
        return self.parts or {"words": self.words}


class CommandsError(WrongFile):
    """The commands' tables are refused: file, line and what is expected."""


@cache
def read_commands(path: Path = SHIPPED) -> Mapping[str, Wording]:
    """The tables, in the order in which commands are offered. Raises CommandsError for what is missing or unknown."""
    try:
        document = read_document(path)
    except WrongFile as wrong:
        raise CommandsError(wrong.problems) from None
    if problems := [*_unknown(document), *(problem for act in STAFF_ACTS.values() for problem in _problems(document, act))]:
        raise CommandsError(tuple(problems))
    return {kind: Wording.model_validate(document.data[kind]) for kind in STAFF_ACTS}


def _unknown(document: Document) -> Iterator[Problem]:
    for kind in document.data:
        if kind not in STAFF_ACTS:
            yield document.problem((kind,), f"unknown command: expected one of {', '.join(STAFF_ACTS)}")


def _problems(document: Document, act: Act) -> Iterator[Problem]:
    """What is wrong or missing in one command's table."""
    kind = act.kind
    if not isinstance(document.data.get(kind), dict):
        yield document.problem(
            (), f"[{kind}] is missing: expected button, done, help, roles and what each field asks ({act.place})"
        )
        return
    try:
        table = Wording.model_validate(document.data[kind])
    except ValidationError as wrong:
        for error in wrong.errors(include_url=False, include_input=False):
            yield document.problem((kind, *error["loc"]), error["msg"])
        return
    fields = [name for name in act.command.model_fields if name not in NEVER_ASKED]
    for name in fields:
        if name not in table.asks:
            yield document.problem((kind,), f"asks.{name} is missing: expected what the form asks for it")
    for setting, named in (("asks", table.asks), ("hints", table.hints)):
        for name in named:
            if name not in fields:
                yield document.problem((kind, setting, name), f"no such field: expected one of {', '.join(fields) or 'none'}")


COMMANDS = read_commands()
"""By the command's kind. Read when anything starts: what was forgotten is said before it is missed."""
