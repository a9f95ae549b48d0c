"""Where a text holds what is stored as another person's: their names in any spelling near to one, and what stands in any field
of theirs, however it is written. Pure. What it finds is withheld until a person releases it: too much costs them a look, too
little may cost somebody their safety."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from mash.flows.telling.spelling import CAMEL, WORD, alike, folded, initials, name_words, near, runs, same_consonants, squeezed
from mash.flows.telling.stored import DETAIL, Value, day_and_month, is_name, locates, needles, place_initials

WHOLE = 8
"""Letters and figures from which on a value is found within a longer word too."""
_CAPITALS = re.compile(r"(?<![^\W_])[A-Z](?:(?:\.\s?|-)?[A-Z])*\.?(?:['’]s)?(?![^\W_])")
_HIDDEN_PLACE = re.compile(
    r"\b(?:refuge|safe\s?-?house|women'?s aid|shelter|hostel|undisclosed|place of safety|new address)\b", re.IGNORECASE
)
_DAY = re.compile(r"(?<![\d./-])(\d{1,2})[./-](\d{1,2})(?![\d./-]*\d)")
_SENTENCE = re.compile(r"[^.!?\n]*[.!?\n]?")


@dataclass(frozen=True)
class Span:
    """A part of a text that is withheld: from where to where, what it is, and whether what stands in it is looked at by itself
    once it is released."""

    begin: int
    end: int
    what: str
    around: bool = False


class Others:
    """What is stored as other people's, to be found in texts; `own` is what is stored as the subject's."""

    def __init__(self, others: Iterable[Value], own: Iterable[Value]) -> None:
        others, own = list(others), list(own)
        self._own_words = {word for value in own if is_name(value) for word in name_words(value.text)}
        self._own = {needle for value in own for needle in needles(value)}
        kept = {needle for value in own if not locates(value.field) for needle in needles(value)}
        self._needles: dict[str, str] = {}
        for value in others:
            for needle in needles(value):
                if needle not in kept and needle not in self._own_words:
                    self._needles.setdefault(needle, f"{value.field} of {value.whose}")
        self._known: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._initials: dict[str, str] = {}
        self._foreign = set[str]()
        """Words of names that are written in other letters than ours."""
        self._days = {day: f"{value.field} of {value.whose}" for value in others if (day := day_and_month(value))}
        for value in others:
            if letters := place_initials(value):
                self._initials.setdefault(letters, f"{value.field} of {value.whose}")
        for value in (*(each for each in others if is_name(each)), *_whole_names(others)):
            words = name_words(value.text)
            joined = ("".join(part) for count in (2, 3) for part in runs(words, count))
            for word in (*(word for word in words if len(word) > 1), *joined):
                if word not in self._own_words:
                    self._names.setdefault(word, f"name of {value.whose}")
            if not value.text.isascii():
                self._foreign.update(words)
            for letters in initials(words):
                self._initials.setdefault(letters, f"initials of {value.whose}")

    def spans(self, text: str) -> list[Span]:
        """What is withheld of a text, in order; those that overlap are one, but for what only stands around others."""
        found = (self._values, self._near_names, self._spaced_names, self._with_initials, self._without_year, self._details)
        inner = _merged(span for each in found for span in each(text))
        return sorted([*inner, *_sentences(text)], key=lambda span: (span.begin, -span.end))

    def _values(self, text: str) -> Iterator[Span]:
        letters, at = squeezed(text)
        for needle, what in self._needles.items():
            begin = letters.find(needle)
            while begin >= 0:
                end = begin + len(needle)
                first, last = at[begin], at[end - 1] + 1
                if len(needle) >= WHOLE or _stands_alone(text, first, last):
                    yield Span(first, last, what)
                begin = letters.find(needle, begin + 1)

    def _near_names(self, text: str) -> Iterator[Span]:
        found = list(WORD.finditer(text))
        for word in found:
            parts = [part for part in CAMEL.split(word[0]) if part]
            tried = {word[0], "".join(parts), *parts}
            what = next((what for each in tried if (what := self._whose(each))), "")
            if what and not all(self._is_own(part) for part in parts):
                yield Span(word.start(), word.end(), what)
        for one, other in pairwise(found):
            joined = one[0] + other[0].lower()
            if re.fullmatch(r"[\s.]{1,3}", text[one.end() : other.start()]) and (what := self._joined(joined)):
                yield Span(one.start(), other.end(), what)

    def _spaced_names(self, text: str) -> Iterator[Span]:
        """Names whose letters are parted by what is no letter: blanks, dashes, what nobody sees."""
        letters, at = squeezed(text)
        for name, what in self._names.items():
            for found in re.finditer(re.escape(name), letters) if len(name) > 2 else ():
                first, last = at[found.start()], at[found.end() - 1] + 1
                if _stands_alone(text, first, last) and re.fullmatch(r"\S+|\S(?:\s\S)+", text[first:last]):
                    yield Span(first, last, what)

    def _without_year(self, text: str) -> Iterator[Span]:
        for found in _DAY.finditer(text):
            one, other = int(found[1]), int(found[2])
            if what := self._days.get((one, other)) or self._days.get((other, one)):
                yield Span(found.start(), found.end(), what)

    def _joined(self, word: str) -> str:
        """Whose name two words are when they are written as one."""
        plain = folded(word)
        return next((what for name, what in self._names.items() if len(name) > 5 and alike(plain, name, 1)), "")

    def _is_own(self, word: str) -> bool:
        plain = folded(word)
        return plain in self._own_words or plain == "s" or (plain.endswith("s") and plain[:-1] in self._own_words)

    def _whose(self, word: str) -> str:
        if word not in self._known:
            self._known[word] = self._reckoned(word)
        return self._known[word]

    def _reckoned(self, word: str) -> str:
        plain, capital = folded(word), word[:1] != word[:1].lower() or not word.isascii()
        if len(plain) < 2 or self._is_own(word):
            return ""
        known = self._names.items()
        return next((what for name, what in known if near(plain, name, capital) or self._transcribed(word, plain, name)), "")

    def _transcribed(self, word: str, plain: str, name: str) -> bool:
        return (not word.isascii() or name in self._foreign) and same_consonants(plain, name)

    def _with_initials(self, text: str) -> Iterator[Span]:
        for found in _CAPITALS.finditer(text):
            letters = re.sub(r"['’]s$", "", found[0])
            letters = re.sub(r"[^A-Z]", "", letters).lower()
            alone = letters in ("a", "i") and found[0].strip("AI") == ""
            if not alone and (what := self._initials.get(letters)):
                yield Span(found.start(), found.end(), what)

    def _details(self, text: str) -> Iterator[Span]:
        """How somebody is reached, whosever it is: if it is not the subject's own, it is another person's."""
        for found in DETAIL.finditer(text):
            letters = "".join(squeezed(found[0])[0])
            if letters not in self._own:
                yield Span(found.start(), found.end(), "a telephone number, postcode or e-mail address")


def _whole_names(values: list[Value]) -> Iterator[Value]:
    """The names that are stored in parts, in one piece: initials are of all of it."""
    parts: dict[str, list[str]] = {}
    for value in values:
        if value.field.startswith("name: ") and is_name(value):
            parts.setdefault(value.whose, []).append(value.text)
    return (Value(whose, "name", " ".join(texts)) for whose, texts in parts.items())


def _stands_alone(text: str, first: int, last: int) -> bool:
    return not (first and text[first - 1].isalnum()) and not (last < len(text) and text[last].isalnum())


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(spans, key=lambda each: (each.begin, -each.end)):
        if merged and span.begin < merged[-1].end:
            last = merged[-1]
            merged[-1] = Span(last.begin, max(last.end, span.end), last.what)
        else:
            merged.append(span)
    return merged


def _sentences(text: str) -> Iterator[Span]:
    """Sentences of where somebody may be hidden: their other words tell where, too."""
    for found in _SENTENCE.finditer(text):
        if _HIDDEN_PLACE.search(found[0]):
            begin = found.start() + len(found[0]) - len(found[0].lstrip())
            yield Span(
                begin, found.start() + len(found[0].rstrip()), "a sentence about where somebody may be hidden", around=True
            )
