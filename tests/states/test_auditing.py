"""How samples are drawn and what an audit comes to: the same for whoever draws, and never at odds with itself."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mash.states.auditing import QUESTIONS, Answer, Judgement, ShouldHave, Split, drawn, in_its_history
from mash.states.messages import EVENTS
from mash.states.own_case import DECIDING, NOT_DECIDING

REFERENCES = st.sets(st.integers(1, 500).map(lambda n: f"MASH-26-{n:06}"), min_size=1, max_size=60)
SEEDS = st.integers(0, 2**62)


@given(REFERENCES, SEEDS, st.integers(1, 80), st.randoms(use_true_random=False))
def test_a_draw_is_of_what_is_meant_each_once_and_the_same_in_whatever_order_it_was_found(
    references: set[str], seed: int, size: int, random: object
) -> None:
    shuffled = sorted(references, key=lambda _: random.random())  # type: ignore[attr-defined]
    found = drawn(shuffled, seed, size)
    assert found == drawn(references, seed, size) == drawn([*shuffled, *shuffled], seed, size)
    assert len(found) == len(set(found)) == min(size, len(references)) and set(found) <= references


@given(REFERENCES, SEEDS, st.integers(1, 20))
def test_one_more_case_takes_the_place_of_one_at_most(references: set[str], seed: int, size: int) -> None:
    before, after = set(drawn(references, seed, size)), set(drawn({*references, "MASH-26-999999"}, seed, size))
    assert len(before - after) <= 1 and after - before <= {"MASH-26-999999"}


def test_a_seed_draws_what_it_drew_in_every_release() -> None:
    references = [f"MASH-26-{n:06}" for n in range(1, 11)]
    assert drawn(references, 20261123, 3) == ("MASH-26-000009", "MASH-26-000002", "MASH-26-000004")


ANSWERS = st.sampled_from(get_args(Answer))


@given(st.fixed_dictionaries(dict.fromkeys(QUESTIONS, ANSWERS)), st.sets(st.sampled_from(get_args(ShouldHave)), max_size=3))
def test_a_judgement_agrees_with_itself_or_is_refused(answers: dict[str, str], should_have: set[str]) -> None:
    def judged() -> Judgement:
        return Judgement.model_validate({**answers, "should_have": tuple(should_have)})

    no = "no" in answers.values()
    as_done = "as_was_done" in should_have
    if not should_have or (as_done and (no or len(should_have) > 1)):
        with pytest.raises(ValidationError):
            judged()
        return
    grade = judged().grade
    assert (grade == "not_right") == no
    assert (grade == "right") == (not no and answers["decision_right"] == "yes")


def test_of_each_kind_of_event_it_is_said_whether_somebody_decides_by_it() -> None:
    kinds = {event.model_fields["kind"].default for event in EVENTS}
    owed = sorted(kinds - DECIDING - NOT_DECIDING)
    assert not owed, f"states/own_case.py: put each into DECIDING or NOT_DECIDING: {', '.join(owed)}"
    assert not DECIDING & NOT_DECIDING and kinds == DECIDING | NOT_DECIDING


@given(st.lists(st.integers(1, 9), max_size=6), st.lists(st.integers(1, 9), max_size=6), st.integers(1, 9))
def test_what_came_before_a_split_is_in_the_history_of_each_part_and_what_came_after_in_its_own(
    above: list[int], own: list[int], split_at: int
) -> None:
    events = {"A": above, "A-B": own, "A-B-B": [1]}
    splits = {"A-B": Split("A", split_at), "A-B-B": Split("A-B", 1)}
    found = in_its_history({name: some for name, some in events.items() if some}, splits)
    before = sum(each <= split_at for each in above)
    expected = {"A": len(above), "A-B": before + len(own), "A-B-B": before + own.count(1) + 1}
    assert found == {name: number for name, number in expected.items() if number}
