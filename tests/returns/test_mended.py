"""Whatever is found, the act that is named for it is one that the case takes now."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import pytest
from returning import histories
from written_of_children import gathered

from mash.config.profile import load_profile
from mash.flows.returns.course import Case
from mash.flows.returns.findings import RULES, UNDECIDED, Finding
from mash.flows.returns.rules import Checks, findings
from mash.flows.returns.year import Year
from mash.states.entitled import possible

HISTORIES, YEAR = 120, Year(2026)


@cache
def played() -> tuple[dict[str, Case], list[Finding]]:
    """Cases of a year in the midst of it, of whose children only some things are recorded; and what is found, as if the hub were
    of several authorities."""
    profile = load_profile("merton")
    made = histories(profile, HISTORIES, 8, YEAR.number, until=datetime(2026, 1, 20, tzinfo=UTC))
    people = gathered(made, 8, whole=False).people
    checks = Checks(YEAR, profile.returns, profile.calendar, several=True, places=frozenset({"another"}))
    return made.cases, findings(people, checks)


def test_every_act_that_is_named_can_be_given_on_the_case_that_is_named() -> None:
    """But to decide a contact that is not decided yet: that comes at the end of its way, wherever it is now."""
    cases, found = played()
    for each in found:
        case = cases[each.reference]
        assert each.subject in case.state.subjects
        if each.rule == UNDECIDED:
            assert case.state.open
        else:
            assert not each.mends or {*each.mends} & {*possible(case.state)}, (each, case.state.stage)


@pytest.mark.parametrize("rule", [rule for rule, each in RULES.items() if each.during])
def test_an_act_that_needs_something_under_way_is_named_wherever_it_can_be_given(rule: str) -> None:
    cases, found = played()
    for each in found:
        if each.rule == rule and not each.mends:
            assert not {*RULES[rule].mends} & {*possible(cases[each.reference].state)}, cases[each.reference].state.stage


def test_of_those_that_need_something_under_way_there_were_some_of_each_kind() -> None:
    _, found = played()
    named = {each.rule for each in found if each.mends}
    assert {"8670Q", "8675Q", "no place", "undecided"} <= named
