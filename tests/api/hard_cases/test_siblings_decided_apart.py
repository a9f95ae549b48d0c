"""Three siblings of one contact are decided apart. When one of them is stepped up, whoever has the others hears of it at once,
with its reference and nothing else; and the school hears what stands now of that one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hub import Hub, hub_here

SIBLINGS = [
    {"name": {"given": given, "family": "Quillfeather"}, "date_of_birth": born, "cohort": "child"}
    for given, born in (("Theodore", "2012-03-04"), ("Isla", "2015-08-21"), ("Marguerite", "2018-11-30"))
]


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    """A hub of its own: what it sends is counted here."""
    with hub_here() as running:
        yield running


@pytest.fixture(scope="module")
def apart(hub: Hub) -> tuple[str, str, str]:
    """The oldest goes to an assessment, the second to early help, for the youngest nothing more is done; the school has heard."""
    reference = hub.referral(subjects=SIBLINGS)
    hub.rate(reference, "green")
    hub.answer_all(reference)
    outcomes = {"S1": "section_17", "S2": "early_help", "S3": "no_further_action"}
    hub.give(reference, "record_decision", role="team_manager", outcomes=outcomes, primary_need="N1", words="Each as they need.")
    parts = {next(iter(hub.case(part)["subjects"])): part for part in parts_of(hub, reference)}
    oldest, second, youngest = (parts[subject] for subject in outcomes)
    hub.give(second, "offer_step_down", service="early_help", words="Please help them.")
    hub.work()
    return oldest, second, youngest


def parts_of(hub: Hub, reference: str) -> list[str]:
    return [row[0] for row in hub.sql("SELECT reference FROM referral WHERE root = %s ORDER BY reference", reference)]


def told(hub: Hub, role: str, reference: str) -> list[str]:
    """What a role was sent about a case that is linked with another one."""
    return [text for text in hub.received.texts(role) if f"{reference}: a linked case was stepped up" in text or (
        "belongs with this case" in text and f"{reference}:" in text
    )]  # fmt: skip


def test_each_goes_on_by_itself(hub: Hub, apart: tuple[str, str, str]) -> None:
    stages = [hub.case(reference)["stage"] for reference in apart]
    assert stages == ["section_17_assessment", "step_down_offered", "no_further_action"]
    assert not any(told(hub, role, reference) for role in ("duty_manager", "early_help") for reference in apart)


def test_whoever_has_the_others_hears_when_one_is_stepped_up(hub: Hub, apart: tuple[str, str, str]) -> None:
    oldest, second, youngest = apart
    hub.give(oldest, "call_strategy_discussion", words="He has said more.")
    hub.work()
    (to_early_help,) = told(hub, "early_help", second)
    assert oldest in to_early_help and "goes to a strategy discussion" in to_early_help
    assert all(told(hub, "duty_manager", reference) for reference in (second, youngest))
    everything = hub.received.text()
    assert not any(name in everything for name in ("Quillfeather", "Theodore", "Isla", "Marguerite", "said more"))


def test_it_is_in_the_others_stories_and_nobody_else_is_told(hub: Hub, apart: tuple[str, str, str]) -> None:
    oldest, *others = apart
    for reference in others:
        log = hub.http.get(f"/cases/{reference}/log", headers=hub.staff("duty_manager")).json()
        assert any("stepped up" in line["what"] and oldest in line["what"] for line in log), reference
    assert not told(hub, "police_navigator", apart[1])


def test_when_it_comes_to_section_47_they_hear_that_too_and_the_school_what_stands_now(
    hub: Hub, apart: tuple[str, str, str]
) -> None:
    oldest, second, _ = apart
    quorum = ["social_care", "police", "health"]
    hub.give(oldest, "record_strategy_discussion", attended=quorum, outcome="section_47", words="Together.")
    hub.work()
    assert any("section 47" in text for text in told(hub, "early_help", second))
    about = [
        line for text in hub.received.texts("head@school") for line in text.splitlines() if f"Your referral {oldest} to" in line
    ]
    assert "section 17" in about[0] and "section 47" in about[-1], "what stands now is the last that it hears"


def test_a_closed_one_is_opened_again_by_the_manager_who_was_told(hub: Hub, apart: tuple[str, str, str]) -> None:
    youngest = apart[2]
    hub.give(youngest, "reopen_referral", role="team_manager", words="Her brother's case has changed.")
    assert hub.case(youngest)["open"] is True and hub.case(youngest)["stage"] == "decision"
