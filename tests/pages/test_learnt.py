"""What audits found, as shares with the interval that so few cases leave."""

from __future__ import annotations

from collections import Counter
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from mash.api.pages.figures.learnt import interval, learnt, shares_right
from mash.flows.store.reads.audits import Count

Q3, Q4 = date(2026, 7, 1), date(2026, 10, 1)


@given(st.integers(1, 10_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_interval_holds_the_share_and_lies_between_none_and_all(found: tuple[int, int]) -> None:
    part, of = found
    low, high = interval(part, of)
    assert 0 <= low <= part / of <= high <= 1
    more = interval(part * 4, of * 4)
    assert more[1] - more[0] < high - low, "more cases say more"


def test_the_interval_is_wilsons() -> None:
    """Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    found = [tuple(round(each, 4) for each in interval(*case)) for case in ((81, 263), (15, 148), (0, 20), (1, 29))]
    assert found == [(0.2553, 0.3662), (0.0624, 0.1605), (0.0, 0.1611), (0.0061, 0.1718)]


def test_shares_are_by_rule_and_quarter_and_what_cannot_be_told_is_in_none() -> None:
    counts = [
        Count("any_decision", Q3, "grade", "right", 3),
        Count("any_decision", Q4, "grade", "right", 8),
        Count("any_decision", Q4, "grade", "not_right", 2),
        Count("any_decision", Q4, "grade", "cannot_tell", 5),
        Count("outside_hours", Q4, "grade", "cannot_tell", 1),
        Count("any_decision", Q4, "child_heard", "no", 2),
    ]
    found = {(each.quarter, each.rule): each.in_words for each in shares_right(counts)}
    assert found == {
        ("2026 Q4", "outside_hours"): "0 of 0 right; 1 cannot be told",
        ("2026 Q4", "any_decision"): "8 of 10 right (80%, between 49 and 94%); 5 cannot be told",
        ("2026 Q3", "any_decision"): "3 of 3 right (100%, between 44 and 100%)",
    }
    right, answers, misses = learnt(counts, Counter({("2026 Q4", "wrong_person"): 2}))
    assert right.says.startswith("11 of 13 audited cases were right.")
    assert right.rows[0] == ("2026 Q4: Decided outside hours", 0, 0, "cannot be told", "", 1)
    assert answers.rows == (("Was the child heard?", 0, 2, 0, 0),)
    assert misses.rows == (("2026 Q4: Wrong person", 2),)


def test_where_nothing_was_audited_it_says_so() -> None:
    assert [figure.says for figure in learnt([], Counter())] == [
        "No case has been audited yet.",
        "No case has been audited yet.",
        "No near miss has been recorded yet.",
    ]
