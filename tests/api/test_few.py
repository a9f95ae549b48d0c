"""Small numbers of people do not leave the hub: by what is published no child is made out."""

from __future__ import annotations

import re

from hub import Hub
from hypothesis import given
from hypothesis import strategies as st

from mash.api.few import FEWEST, withheld, withheld_of_table

COUNTS = st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 30), max_size=12)


@given(COUNTS)
def test_no_count_of_one_to_four_is_given(counts: dict[str, int]) -> None:
    few = withheld(counts)
    assert not [name for name, number in counts.items() if 0 < number < FEWEST and name not in few]


@given(COUNTS)
def test_none_can_be_reckoned_from_the_sum_of_all(counts: dict[str, int]) -> None:
    few = withheld(counts)
    given_ = [number for name, number in counts.items() if name not in few and number]
    assert not few or not given_ or (len(few) > 1 and sum(counts[name] for name in few) >= FEWEST)


@given(COUNTS)
def test_where_all_are_large_all_are_given(counts: dict[str, int]) -> None:
    large = {name: number for name, number in counts.items() if number >= FEWEST}
    assert not withheld(large)


def open_referrals(hub: Hub) -> dict[str, int]:
    text = hub.http.get("/metrics").text
    return {labels: int(float(n)) for labels, n in re.findall(r"^mash_referrals_open\{(.*)\} (\S+)$", text, re.MULTILINE)}


def test_what_monitors_ask_for_names_no_stage_and_rating_of_one_referral(hub: Hub) -> None:
    reference = hub.referral()
    hub.rate(reference, "green")
    found = open_referrals(hub)
    assert found and all(number >= FEWEST for number in found.values())
    for _ in range(FEWEST):
        hub.referral()
    more = open_referrals(hub)
    assert all(number >= FEWEST for number in more.values()) and sum(more.values()) > FEWEST


@given(st.lists(st.lists(st.integers(0, 30), min_size=4, max_size=4), min_size=1, max_size=6))
def test_of_a_table_nothing_withheld_can_be_reckoned_along_its_rows_or_down_its_columns(rows: list[list[int]]) -> None:
    hidden = withheld_of_table(rows)
    lines = [[(at, column) for column in range(4)] for at in range(len(rows))]
    for line in (*lines, *zip(*lines, strict=True)):
        few = [place for place in line if place in hidden]
        shown = [place for place in line if place not in hidden and rows[place[0]][place[1]]]
        assert not [place for place in shown if rows[place[0]][place[1]] < FEWEST]
        assert not few or not shown or (len(few) > 1 and sum(rows[at][column] for at, column in few) >= FEWEST)


def test_a_file_of_figures_withholds_what_the_page_shows_and_says_so(hub: Hub) -> None:
    hub.referral(source={"code": "3E"})
    manager = hub.staff("duty_manager")
    file = hub.http.get("/manager/sources.csv", headers=manager).text
    row = re.search(r"\n([^\n]*(?:accident|emergency|A&E)[^\n]*)", file, re.IGNORECASE)
    page = hub.http.get("/manager?figure=sources", headers=manager).text
    assert row and row[1].strip().endswith(",c,c") and "c: not given, because a count under 5 could be worked out" in file
    assert re.search(r"(?:accident|emergency|A&amp;E)[^\n]*</th><td[^>]*>1</td>", page, re.IGNORECASE)
    assert "In the file, c: not given" in page
    assert "not given" not in hub.http.get("/manager/today.csv", headers=manager).text, "how much work there is, is no person"
