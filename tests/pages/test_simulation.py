"""The managers' page of a simulated hub: what it cannot say, and what a report with what-ifs says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hub import Hub, hub_here
from reading import Page

from mash.config.profile import load_profile
from mash.flows.foresight.compare import LIMITS, Between, Compared, Expected, Report, WhatIf
from mash.flows.foresight.inputs import Learnt
from mash.flows.foresight.scenario import said
from mash.flows.store.simulations import begin_simulation, end_simulation
from mash.flows.store.store import Store
from mash.states.values import Actor

CHIEF = Actor(id="chief", role="team_manager", agency="social_care", hub="sandwell")
IN_WORDS = {
    "staff duty_manager +1 fri": "1 more in the role duty manager on Fridays, in the hub's hours",
    "reply health +24h": "Health safeguarding nurse answers 24 hours later",
    "limit red 3 h": "Red within 3 h",
    "contacts +20%": "20% more contacts",
}
"""Each what-if as it is asked, and as it is named."""
MEASURED = 2
"""Measures of each table."""


@pytest.fixture
def own() -> Iterator[Hub]:
    """A hub of its own: each has one report."""
    with hub_here() as running:
        yield running


def what_if(asked: str) -> WhatIf:
    """What a scenario's runs came to; nothing asked is as it is, and differs from nothing."""
    waits, answered = Between(low=20, middle=24, high=31), Between(low=70, middle=80, high=90)
    less, more = (Between(low=-6, middle=-4, high=-2), Between(low=1, middle=3, high=5)) if asked else (None, None)
    return WhatIf(
        scenario=asked, says=said(asked, load_profile("sandwell")) if asked else "As it is", busy={"duty_manager": 37.0},
        measures=(
            Expected(name="half_decided", title="Half are decided within", kind="hours", runs=waits, differs=less),
            Expected(name="answers_in_time", title="Answers in time", kind="per cent", runs=answered, differs=more),
        ),
    )  # fmt: skip


def report() -> Report:
    """A report with these what-ifs, as a simulation gives it."""
    held, came = Between(low=20, middle=24, high=31), Between(low=150, middle=150, high=150)
    return Report(
        hub="sandwell", title="Sandwell", months=3, runs=20, apart=True, refused="", asked=tuple(IN_WORDS),
        since=datetime(2026, 8, 17, tzinfo=UTC), until=datetime(2026, 11, 16, tzinfo=UTC),
        learnt_since=datetime(2025, 8, 18, tzinfo=UTC), learnt_until=datetime(2026, 8, 17, tzinfo=UTC),
        learnt=(Learnt(what="contacts", basis="learnt", counted=600, says="52 whole weeks on record"),),
        compared=(
            Compared(name="half_decided", title="Half are decided within", kind="hours", held=True, happened=25, runs=held,
                     within=True),
            Compared(name="contacts", title="Contacts that came in", kind="count", held=False, happened=150, runs=came,
                     within=True),
        ),
        what_ifs=tuple(what_if(asked) for asked in ("", *IN_WORDS)),
    )  # fmt: skip


def shown(hub: Hub) -> str:
    """The page as a manager gets it."""
    answer = hub.http.get("/simulation", headers=hub.staff("duty_manager"))
    assert answer.status_code == 200, answer.text
    return answer.text


def test_what_a_simulation_cannot_say_stands_there_before_one_is_asked_and_each_what_if_in_words_after(own: Hub) -> None:
    before = Page(shown(own))
    assert all(sentence in before.said for sentence in LIMITS) and "Differs by" not in before.text

    async def kept(store: Store) -> None:
        since = await begin_simulation(store, CHIEF)
        assert since
        await end_simulation(store, CHIEF, since, report=report().model_dump_json())

    own.stored(kept)
    html = shown(own)
    page = Page(html)
    assert [f"{words}, over 3 months" for words in ("As it is", *IN_WORDS.values())] == [
        line for line in page.said if line.endswith(", over 3 months")
    ]
    assert page.said.count("Differs by, in nine of ten") == len(IN_WORDS), "of what is as it is, nothing differs"
    assert page.said.count("−6 h to −2 h") == page.said.count("+1% to +5%") == len(IN_WORDS)
    assert page.said.count("Duty manager: time at work on cases") == page.said.count("37%") == 1 + len(IN_WORDS)
    assert html.count("<svg") == MEASURED * (2 + len(IN_WORDS)) and "Charts cannot be drawn" not in page.text
    assert all(sentence in page.said for sentence in LIMITS) and not any(asked in page.text for asked in IN_WORDS)
