"""What audits found and what nearly went wrong, as figures: shares with the interval that so few cases leave. Pure."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import get_args

from mash.api.pages.figures.pictures import Bars
from mash.api.pages.figures.tables import Figure, Rows
from mash.config.words import sentence
from mash.flows.store.reads.audits import Count, Counts, Drawn
from mash.states.auditing import QUESTIONS, RULES, Answer, Question, Rule

Z = 1.959964
"""Standard deviations on either side that hold 95 per cent."""
RULES_IN_WORDS: dict[Rule, str] = {
    "any_decision": "Any decision",
    "closed_after_contacts": "Closed though contacts add up",
    "rerated_twice": "Re-rated twice or more",
    "without_replies": "Decided without all replies",
    "consent_overridden": "Consent overridden",
    "outside_hours": "Decided outside hours",
}
"""What each rule is called."""
QUESTIONS_IN_WORDS: dict[Question, str] = {
    "rating_right": "Was the rating right?",
    "decision_right": "Was the decision right?",
    "decision_timely": "Was it in time?",
    "child_heard": "Was the child heard?",
    "basis_right": "Was the basis right?",
}
"""How each question is asked."""
NOT_TO_ADD_UP = "Each rule draws from its own cases, and one case may be drawn by several: they are not to be added up."
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

    rule: Rule
    quarter: str
    drawn: int
    not_audited: int
    """Of those drawn, how many are not audited though they could be: whoever stopped there may have chosen which. What is neither
    audited nor among these was erased."""
    right: int
    told: int
    cannot_tell: int
    low: float | None
    """None also where some are not audited: an interval is of cases that chance has chosen."""
    high: float | None

    @property
    def in_words(self) -> str:
        """As a sentence of a list."""
        apart = f"; {self.cannot_tell} cannot be told" if self.cannot_tell else ""
        left = f"; {self.not_audited} of {self.drawn} drawn are not audited" if self.not_audited else ""
        return f"{self.right} of {self.told} right{self.between}{apart}{left}"

    @property
    def between(self) -> str:
        """The interval, in words; empty where there is none."""
        if self.low is None or self.high is None:
            return ""
        return f" ({100 * self.right / self.told:.0f}%, between {100 * self.low:.0f} and {100 * self.high:.0f}%)"


def shares_right(counts: Counts) -> list[Share]:
    """The share of audited cases that were right, by rule and by the quarter in which they were drawn, the latest first."""
    grades: defaultdict[tuple[date, str], Counter[str]] = defaultdict(Counter)
    for each in counts.answers:
        if each.question == "grade":
            grades[each.quarter, each.rule][each.answer] += each.many
    latest = sorted(counts.drawn, key=lambda each: (each.quarter, -RULES.index(each.rule)), reverse=True)
    return [_share(each, grades[each.quarter, each.rule]) for each in latest]


def _share(of: Drawn, grades: Counter[str]) -> Share:
    right, told = grades["right"], grades["right"] + grades["not_right"]
    low, high = interval(right, told) if told and not of.not_audited else (None, None)
    return Share(of.rule, _quarter(of.quarter), of.drawn, of.not_audited, right, told, grades["cannot_tell"], low, high)


def _quarter(first: date) -> str:
    return f"{first.year} Q{(first.month + 2) // 3}"


def learnt(counts: Counts, near_misses: Counter[tuple[str, str]]) -> list[Figure]:
    """What audits found, by rule and quarter and by question; and near misses by kind and quarter."""
    return [_right(counts), _answers(counts.answers), _near_misses(near_misses)]


def _right(counts: Counts) -> Figure:
    found = shares_right(counts)
    rows = tuple(
        (
            f"{each.quarter}: {RULES_IN_WORDS[each.rule]}",
            each.drawn,
            each.not_audited,
            each.told,
            each.right,
            f"{100 * each.right / each.told:.0f}%" if each.told else "cannot be told",
            "" if each.low is None or each.high is None else f"{100 * each.low:.0f} to {100 * each.high:.0f}%",
            each.cannot_tell,
        )
        for each in found
    )
    heads = ("Quarter and rule", "Drawn", "Not audited", "Judged", "Right", "Share", "True share between", "Cannot be told")
    drawn = [
        (str(row[0]), 100 * each.right / each.told, 0, f"{row[5]} of {each.told}")
        for row, each in zip(rows, found, strict=True)
        if each.told
    ]
    return Figure("audits", "Audited decisions that were right", _says(found), heads, rows, Bars(drawn) if drawn else None)


def _says(found: Sequence[Share]) -> str:
    """Of the latest quarter in which something was audited, each rule by itself."""
    audited = [each for each in found if each.told or each.cannot_tell]
    if not audited:
        return NONE_AUDITED
    latest = [each for each in audited if each.quarter == audited[0].quarter]
    by_rule = "; ".join(f"{RULES_IN_WORDS[each.rule]}, {each.right} of {each.told}" for each in latest)
    some = " Where some that were drawn are not audited there is no interval." if any(each.not_audited for each in latest) else ""
    return (
        f"Right in {audited[0].quarter}: {by_rule}. {NOT_TO_ADD_UP} Few cases say little, and the interval says how little. "
        f"The share is of those audited.{some}"
    )


def _answers(counts: Sequence[Count]) -> Figure:
    found: defaultdict[tuple[date, int, int], Counter[str]] = defaultdict(Counter)
    for each in counts:
        if each.question != "grade":
            found[each.quarter, -RULES.index(each.rule), -QUESTIONS.index(each.question)][each.answer] += each.many
    asked = sorted(found, reverse=True)
    rows: Rows = tuple((_asked(*each), *(found[each][answer] for answer in get_args(Answer))) for each in asked)
    says = NONE_AUDITED
    if asked:
        latest = [each for each in asked if each[0] == asked[0][0] and found[each]["no"]]
        worst = max(latest, key=lambda each: found[each]["no"], default=None)
        quarter = _quarter(asked[0][0])
        says = f"No question was answered no in {quarter}."
        if worst:
            no, of = found[worst]["no"], found[worst].total()
            says = f"Answered no most often in {quarter}: “{QUESTIONS_IN_WORDS[QUESTIONS[-worst[2]]]}”, {no} of {of}"
            says += f" ({RULES_IN_WORDS[RULES[-worst[1]]]}). {NOT_TO_ADD_UP}"
    heads = ("Quarter, rule and question", "Yes", "No", "Cannot be told", "Does not apply")
    return Figure("audit-answers", "What audits found, by question", says, heads, rows)


def _asked(quarter: date, rule: int, question: int) -> str:
    return f"{_quarter(quarter)}: {RULES_IN_WORDS[RULES[-rule]]}: {QUESTIONS_IN_WORDS[QUESTIONS[-question]]}"


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
