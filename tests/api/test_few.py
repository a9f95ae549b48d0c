"""Small numbers of people do not leave the hub: by what is published no child is made out."""

from __future__ import annotations

import re

from hub import Hub
from hypothesis import given
from hypothesis import strategies as st

from mash.api.few import FEWEST, withheld

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


def test_a_file_of_figures_withholds_what_the_page_shows(hub: Hub) -> None:
    hub.referral(source={"code": "3E"})
    manager = hub.staff("duty_manager")
    file = hub.http.get("/manager/sources.csv", headers=manager).text
    row = re.search(r"\n([^\n]*(?:accident|emergency|A&E)[^\n]*)", file, re.IGNORECASE)
    page = hub.http.get("/manager", headers=manager).text
    assert row and "withheld (fewer than 5" in row[1] and "withheld" not in page
    assert "withheld" not in hub.http.get("/manager/today.csv", headers=manager).text, "how much work there is, is no person"
