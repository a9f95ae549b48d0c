"""What audits found and what nearly went wrong, as figures: shares with the interval that so few cases leave. Pure."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import get_args

from mash.api.pages.figures.pictures import Bars
from mash.api.pages.figures.tables import Figure, Rows
from mash.config.words import sentence
from mash.flows.store.reads.audits import Count
from mash.states.auditing import QUESTIONS, Answer

Z = 1.959964
"""Standard deviations on either side that hold 95 per cent."""
IN_WORDS = {
    "any_decision": "Any decision",
    "closed_after_contacts": "Closed though contacts add up",
    "rerated_twice": "Re-rated twice or more",
    "without_replies": "Decided without all replies",
    "consent_overridden": "Consent overridden",
    "outside_hours": "Decided outside hours",
    "rating_right": "Was the rating right?",
    "decision_right": "Was the decision right?",
    "decision_timely": "Was it in time?",
    "child_heard": "Was the child heard?",
    "basis_right": "Was the basis right?",
}
NONE_AUDITED = "No case has been audited yet."


def interval(part: int, of: int) -> tuple[float, float]:
    """Between which shares the true one lies, of 19 samples in 20 (Wilson's score interval, which holds for few cases and for
    shares near none or all). A sample that is a large part of all says more than this."""
    share, z = part / of, Z * Z / of
    middle, spread = share + z / 2, math.sqrt(share * (1 - share) * z + z * z / 4)
    # All and none are ends of it, which is lost in rounding.
    return max(0.0, min(share, (middle - spread) / (1 + z))), min(1.0, max(share, (middle + spread) / (1 + z)))


@dataclass(frozen=True)
class Share:
    """How many of the cases drawn by a rule in a quarter were right, of those of which it can be told."""

    rule: str
    quarter: str
    right: int
    told: int
    cannot_tell: int
    low: float | None
    high: float | None

    @property
    def in_words(self) -> str:
        """As a sentence of a list."""
        apart = f"; {self.cannot_tell} cannot be told" if self.cannot_tell else ""
        return f"{self.right} of {self.told} right{self.between}{apart}"

    @property
    def between(self) -> str:
        """The interval, in words; empty where nothing can be told."""
        if self.low is None or self.high is None:
            return ""
        return f" ({100 * self.right / self.told:.0f}%, between {100 * self.low:.0f} and {100 * self.high:.0f}%)"


def shares_right(counts: Iterable[Count]) -> list[Share]:
    """The share of audited cases that were right, by rule and by the quarter in which they were drawn, the latest first."""
    found: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for each in counts:
        if each.question == "grade":
            quarter = f"{each.quarter.year} Q{(each.quarter.month + 2) // 3}"
            found[quarter, each.rule][each.answer] += each.many
    return [
        _share(rule, quarter, grades) for (quarter, rule), grades in sorted(found.items(), key=lambda each: each[0], reverse=True)
    ]


def _share(rule: str, quarter: str, grades: Counter[str]) -> Share:
    right, told = grades["right"], grades["right"] + grades["not_right"]
    low, high = interval(right, told) if told else (None, None)
    return Share(rule, quarter, right, told, grades["cannot_tell"], low, high)


def learnt(counts: Sequence[Count], near_misses: Counter[tuple[str, str]]) -> list[Figure]:
    """What audits found, by rule and quarter and by question; and near misses by kind and quarter."""
    return [_right(counts), _answers(counts), _near_misses(near_misses)]


def _right(counts: Sequence[Count]) -> Figure:
    found = shares_right(counts)
    rows = tuple(
        (
            f"{each.quarter}: {IN_WORDS[each.rule]}",
            each.told,
            each.right,
            f"{100 * each.right / each.told:.0f}%" if each.told else "cannot be told",
            f"{100 * (each.low or 0):.0f} to {100 * (each.high or 0):.0f}%" if each.told else "",
            each.cannot_tell,
        )
        for each in found
    )
    heads = ("Quarter and rule", "Audited", "Right", "Share", "True share between", "Cannot be told")
    right, told = sum(each.right for each in found), sum(each.told for each in found)
    says = (
        f"{right} of {told} audited cases were right. Cases are drawn by rule, not from all: rules are not to be "
        "added up; and few cases say little, which is what the interval says."
        if found
        else NONE_AUDITED
    )
    drawn = [
        (str(row[0]), 100 * each.right / each.told, 0, f"{row[3]} of {each.told}")
        for row, each in zip(rows, found, strict=True)
        if each.told
    ]
    return Figure("audits", "Audited decisions that were right", says, heads, rows, Bars(drawn) if drawn else None)


def _answers(counts: Sequence[Count]) -> Figure:
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for each in counts:
        found[each.question][each.answer] += each.many
    asked = [name for name in QUESTIONS if found[name].total()]
    rows: Rows = tuple((IN_WORDS[name], *(found[name][answer] for answer in get_args(Answer))) for name in asked)
    worst = max(asked, key=lambda name: found[name]["no"], default="")
    says = NONE_AUDITED
    if worst:
        times = found[worst]["no"]
        most = f"“{IN_WORDS[worst]}” was answered no most often: {times} {'time' if times == 1 else 'times'}."
        says = most if times else "No question was answered no."
    heads = ("Question", "Yes", "No", "Cannot be told", "Does not apply")
    return Figure("audit-answers", "What audits found, by question", says, heads, rows)


def _near_misses(found: Counter[tuple[str, str]]) -> Figure:
    rows = tuple((f"{quarter}: {sentence(kind)}", number) for (quarter, kind), number in sorted(found.items(), reverse=True))
    says = (
        f"{found.total()} near {'miss was' if found.total() == 1 else 'misses were'} recorded. More of them is not worse: it is "
        "what people saw, and said."
        if rows
        else "No near miss has been recorded yet."
    )
    drawn = Bars([(str(name), float(number), 0, str(number)) for name, number in rows]) if rows else None
    return Figure("near-misses", "Near misses, by kind", says, ("Quarter and kind", "Number"), rows, drawn)
