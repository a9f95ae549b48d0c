"""What the sources of a profile claim: which documents they name, and which words they quote of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mash.config.toml_lines import Document, Key, Problem

NAMED = re.compile(r"(?P<name>[A-Z][\w .&-]*\b(?:19|20)\d\d)(?!\d)")
"""A document as a source names it: words that begin with a capital, and a year ('Home Office 2014')."""
MARKED = re.compile(r"\b(?:product default|statutory|ours)\b")
"""The words by which a source says that no document states a setting."""
OPENS_AFTER = "\"' (:["
CLOSES_BEFORE = "\"' ;,.:!?)]"
EXPECTED_MARKS = "expected quotations that begin and end: write ’ for an apostrophe at the end of a word"
EXPECTED_QUOTATION = (
    "expected its words as a quotation '...', or 'product default', 'ours', 'statutory' where no document says it"
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
    """Whether a source names a document of which it quotes nothing, or neither quotes anything nor says that no document does.

    Raises UnendedQuotation.
    """
    quoted = quotations(source)
    if MARKED.match(source):
        return False
    unquoted_names = {name for _, name in _named(source, list(_spans(source)))} - {each.document for each in quoted}
    return bool(unquoted_names) or not (quoted or MARKED.search(source))


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
