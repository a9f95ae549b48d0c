"""What the sources of a profile claim: which documents they name, and which words they quote of them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mash.config.toml_lines import Document, Key, Problem

NAMED = re.compile(r"(?P<name>[A-Z][\w .&-]*\b(?:19|20)\d\d)(?!\d)")
"""A document as a source names it: words that begin with a capital, and a year ('Home Office 2014')."""
KNOWN = tuple(name.rstrip(" 0123456789") for name in tomllib.loads((Path(__file__).parent / "documents.toml").read_text("utf-8")))
"""The documents of the shipped profiles, as a source may name them without their year."""
YEARLESS = re.compile(
    rf"\b(?:{'|'.join(map(re.escape, dict.fromkeys(KNOWN)))})\b(?! *\d{{4}})"
    r"|(?<!\bno )\b(?:document|procedure|protocol|report|evaluation|policy|handbook|manual)s? "
    r"(?:says?|states?|describes?|requires?|asks?|sets?|gives?|wants?|provides?|has|have)\b(?! (?:nothing|no|not|neither)\b)",
    re.IGNORECASE,
)
"""What claims a document without its year: its name, or that 'the document says' something."""
LAW = re.compile(
    r"\b(?:Act|Regulations|Order|Rules|Working Together(?: to Safeguard Children)?|Keeping Children Safe in Education) \d{4}$"
)
"""How the names of laws and statutory guidance end, of which a source need not quote the words."""
DAY = re.compile(
    r"(?:^|\b\d{1,2} )(?:January|February|March|April|May|June|July|August|September|October|November|December) \d{4}$"
)
"""A date has a capital and a year, and names no document."""
MARKED = re.compile(r"\b(?:product default|statutory|ours)\b")
"""The words by which a source says that no document states a setting."""
QUOTED = re.compile(r"(?<![^\s(\[:])'.*?'(?=[\s;,.:!?)\]]|$)")
STATUTORY = re.compile(r"\bAct \d{4}|\bWorking Together\b|\bstatutory\b|\bKeeping Children Safe\b")
"""What names a law, or guidance that has its force."""
READ_ON = re.compile(
    r"\b\d{1,2} (?:January|February|March|April|May|June|July|August|September|October|November|December) \d{4}\b"
)
READ_HOW = re.compile(r"\[check\]|\bin the original\b")
EXPECTED_READ = (
    "expected when the law or guidance was read, and how: 'read in the original, 3 March 2026', or"
    " 'read in summary, 3 March 2026 [check]' where it is still to be compared"
)
OPENS_AFTER = "\"' (:["
CLOSES_BEFORE = "\"' ;,.:!?)]"
EXPECTED_MARKS = "expected quotations that begin and end: write ’ for an apostrophe at the end of a word"
EXPECTED_QUOTATION = (
    "expected its words as a quotation '...', or 'product default', 'ours', 'statutory' where no document says it: a document"
    " that is named is quoted"
)


@dataclass(frozen=True)
class Quotation:
    """Words that a source quotes, and the document it names before them; None where it names none."""

    document: str | None
    words: str


@dataclass(frozen=True)
class Source:
    """One source of a profile: where it stands, and what it says."""

    key: Key
    text: str


class UnendedQuotation(ValueError):
    """A quotation that does not end, or ends without having begun."""


def quotations(source: str) -> list[Quotation]:
    """The quotations of a source, each with the document named last before it; quotations within one are part of it.

    Raises UnendedQuotation.
    """
    spans = list(_spans(source))
    named = _named(source, spans)
    return [
        Quotation(next((name for at, name in reversed(named) if at < start), None), source[start + 1 : end])
        for start, end in spans
    ]


def claims_unquoted(source: str) -> bool:
    """Whether a source names a document of which it quotes nothing (wherever it does: also after 'product default' or 'ours'),
    or neither quotes anything nor says that no document does. A law need not be quoted.

    Raises UnendedQuotation.
    """
    quoted, spans = quotations(source), list(_spans(source))
    owed = {name for _, name in _named(source, spans) if not (LAW.search(name) or DAY.search(name))}
    if owed - {each.document for each in quoted} or any(_claimed(source, spans)):
        return True
    return not (quoted or MARKED.search(source))


def _claimed(source: str, spans: list[tuple[int, int]]) -> Iterator[str]:
    """What a source claims of a document without its year, and does not quote at once."""
    for found in YEARLESS.finditer(source):
        within = any(start < found.start() < end for start, end in spans)
        if not within and not any(not source[found.end() : start].strip(" :,(") for start, _ in spans if start >= found.end()):
            yield found[0]


def _named(source: str, spans: list[tuple[int, int]]) -> list[tuple[int, str]]:
    """The documents that a source names, with their places; what stands within a quotation is its words."""
    return [
        (match.start(), match["name"])
        for match in NAMED.finditer(source)
        if not any(start < match.start() < end for start, end in spans)
    ]


def _spans(source: str) -> Iterator[tuple[int, int]]:
    """Where each quotation begins and ends: its marks."""
    open_at: list[int] = []
    for at, mark in enumerate(source):
        if mark != "'":
            continue
        before, after = source[at - 1] if at else " ", source[at + 1] if at + 1 < len(source) else " "
        if before in OPENS_AFTER and (before != "'" or at - 1 in open_at) and after != " ":
            open_at.append(at)
        elif after in CLOSES_BEFORE:
            if not open_at:
                raise UnendedQuotation
            start = open_at.pop()
            if not open_at:
                yield start, at
    if open_at:
        raise UnendedQuotation


def unquoted(profile: Document) -> list[Problem]:
    """The sources of a profile's file that claim a document without quoting it, or whose quotations cannot be told."""
    problems = []
    for source in sources_of(profile):
        try:
            if claims_unquoted(source.text):
                problems.append(profile.problem(source.key, EXPECTED_QUOTATION))
        except UnendedQuotation:
            problems.append(profile.problem(source.key, EXPECTED_MARKS))
    return problems


def unread(profile: Document) -> list[Problem]:
    """The sources of a file that name a law or statutory guidance, and do not say when it was read: in the original, or to be
    compared with that ([check]). What they quote of a document is the document's."""
    problems = []
    for source in sources_of(profile):
        at: Any = profile.data
        for step in source.key[:-1]:
            at = at[step]
        read = at.get("read", "") if isinstance(at, dict) else ""
        said = f"{source.text} {read}"
        if STATUTORY.search(QUOTED.sub("", source.text)) and not (READ_ON.search(said) and READ_HOW.search(said)):
            problems.append(profile.problem(source.key, EXPECTED_READ))
    return problems


def sources_of(profile: Document) -> Iterator[Source]:
    """Every source of a profile's file, in its order."""
    yield from _below(profile.data, ())


def _below(value: Any, at: Key) -> Iterator[Source]:
    for name, below in value.items() if isinstance(value, dict) else enumerate(value):
        key = (*at, name)
        if isinstance(below, str) and "source" in (name, at[-1] if at else None):
            yield Source(key, below)
        elif isinstance(below, dict | list):
            yield from _below(below, key)
