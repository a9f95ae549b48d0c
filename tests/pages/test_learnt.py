"""What audits found, as shares with the interval that so few cases leave."""

from __future__ import annotations

from collections import Counter
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from mash.api.pages.figures.learnt import QUESTIONS_IN_WORDS, RULES_IN_WORDS, interval, learnt, shares_right
from mash.flows.store.reads.audits import Count, Counts, Drawn
from mash.states.auditing import QUESTIONS, RULES

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
    drawn = [Drawn("any_decision", Q3, 3, 0), Drawn("any_decision", Q4, 15, 0), Drawn("outside_hours", Q4, 2, 1)]
    found = {(each.quarter, each.rule): each.in_words for each in shares_right(Counts(counts, drawn))}
    assert found == {
        ("2026 Q4", "outside_hours"): "0 of 0 right; 1 cannot be told; 1 of 2 drawn are not audited",
        ("2026 Q4", "any_decision"): "8 of 10 right (80%, between 49 and 94%); 5 cannot be told",
        ("2026 Q3", "any_decision"): "3 of 3 right (100%, between 44 and 100%)",
    }
    right, answers, misses = learnt(Counts(counts, drawn), Counter({("2026 Q4", "wrong_person"): 2}))
    assert right.says.startswith(
        "Right in 2026 Q4: Any decision, 8 of 10; Decided outside hours, 0 of 0. Each rule draws from its"
    )
    assert "13" not in right.says, "of rules and quarters nothing is added up"
    assert right.rows[1] == ("2026 Q4: Decided outside hours", 2, 1, 0, 0, "cannot be told", "", 1)
    assert answers.rows == (("2026 Q4: Any decision: Was the child heard?", 0, 2, 0, 0),)
    assert misses.rows == (("2026 Q4: Wrong person", 2),)


def test_where_some_that_were_drawn_are_not_audited_no_interval_presumes_that_chance_chose() -> None:
    counts = [Count("any_decision", Q4, "grade", "right", 3)]
    (all_audited,) = shares_right(Counts(counts, [Drawn("any_decision", Q4, 3, 0)]))
    (three_that_please,) = shares_right(Counts(counts, [Drawn("any_decision", Q4, 10, 7)]))
    assert all_audited.in_words == "3 of 3 right (100%, between 44 and 100%)"
    assert three_that_please.in_words == "3 of 3 right; 7 of 10 drawn are not audited"
    figure = learnt(Counts(counts, [Drawn("any_decision", Q4, 10, 7)]), Counter())[0]
    assert figure.rows == (("2026 Q4: Any decision", 10, 7, 3, 3, "100%", "", 0),) and "there is no interval" in figure.says


def test_what_was_answered_is_by_rule_and_quarter() -> None:
    counts = [
        Count("any_decision", Q3, "child_heard", "no", 9),
        Count("any_decision", Q4, "child_heard", "yes", 4),
        Count("any_decision", Q4, "rating_right", "no", 2),
        Count("outside_hours", Q4, "child_heard", "no", 1),
    ]
    answers = learnt(Counts(counts, []), Counter())[1]
    assert [row[0] for row in answers.rows] == [
        "2026 Q4: Any decision: Was the rating right?",
        "2026 Q4: Any decision: Was the child heard?",
        "2026 Q4: Decided outside hours: Was the child heard?",
        "2026 Q3: Any decision: Was the child heard?",
    ]
    assert answers.says.startswith("Answered no most often in 2026 Q4: “Was the rating right?”, 2 of 2 (Any decision).")


def test_each_rule_and_each_question_has_its_words() -> None:
    assert (tuple(RULES_IN_WORDS), tuple(QUESTIONS_IN_WORDS)) == (RULES, QUESTIONS), "owed in api/pages/figures/learnt.py"


def test_where_nothing_was_audited_it_says_so() -> None:
    assert [figure.says for figure in learnt(Counts([], []), Counter())] == [
        "No case has been audited yet.",
        "No case has been audited yet.",
        "No near miss has been recorded yet.",
    ]
