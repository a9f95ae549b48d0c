"""A subject access request is answered from all there is, with everybody else blacked out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from acting import BASIS, DUTY, MANAGER, POLICE, SCHOOL

from mash.flows.store.apply import act, receive
from mash.flows.store.reads.items import read_items
from mash.flows.store.reads.look import look_at
from mash.flows.store.store import Store
from mash.flows.store.writes import Item
from mash.flows.telling.access_request import answer
from mash.states.acts.checks import AnswerCheck, ProceedWithoutReplies
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.information import ReleaseInformation
from mash.states.acts.rating import RateReferral
from mash.states.errors import NotFound
from mash.states.values import Subject

ISLA = {"given": "Isla", "family": "Example"}


@pytest.fixture
async def reference(store: Store) -> str:
    """A case about two children, whom a neighbour referred; the police have answered."""
    subjects = (Subject(id="S1", cohort="child"), Subject(id="S2", cohort="child"))
    command = ReceiveContact(contact="referral", source="1A", source_agency="individual", subjects=subjects)
    narrative = {"narrative": "Isla Example and Tobias cried; Mrs Nosworthy heard it. Call 01632 960115."}
    items = [
        Item("concern", json.dumps(narrative).encode()),
        Item("referrer", json.dumps({"name": "Agatha Nosworthy", "phone": "01632 960115"}).encode()),
        Item(
            "subject", json.dumps({"name": {"given": "Isla", "family": "Example"}, "nhs_number": "943 476 5919"}).encode(), "S1"
        ),
        Item("subject", json.dumps({"name": {"given": "Tobias", "family": "Example"}}).encode(), "S2"),
        Item("household", json.dumps({"name": "Ruth Example", "relationship": "mother"}).encode()),
    ]
    async with store.transaction(SCHOOL) as connection:
        reference = (await receive(connection, store, command, items, SCHOOL)).reference
    await act(store, reference, BASIS, DUTY)
    await act(store, reference, RateReferral(rating="amber"), DUTY)
    await act(store, reference, AnswerCheck(agency="police", known=True), POLICE, words="Known under another name.")
    return reference


async def test_their_own_words_are_there_and_nobody_elses_names(store: Store, reference: str) -> None:
    page, _ = await answer(store, reference, "S1", "cli:governor")
    assert "Isla Example" in page and "943 476 5919" in page
    for other in ("Tobias", "Nosworthy", "Agatha", "Ruth", "01632 960115"):
        assert other not in page, other
    assert "\N{FULL BLOCK}" in page and "To be read by a person before it leaves" in page


async def test_what_an_agency_has_not_released_is_left_out_and_it_says_why(store: Store, reference: str) -> None:
    page, left_out = await answer(store, reference, "S1", "cli:governor")
    assert "Known under another name" not in page and "to be asked of that agency" in page
    items = await read_items(store, await look_at(store, reference, POLICE, "read_case"), POLICE)
    item = next(item["item"] for item in items if item["kind"] == "answer_check")
    release = ReleaseInformation(item=item, necessity="to_protect_a_child", proportionality="whole")
    await act(store, reference, release, POLICE, words="Needed.")
    page, fewer = await answer(store, reference, "S1", "cli:governor")
    assert "Known under another name" in page and fewer == left_out - 1


async def test_of_what_an_agency_released_redacted_only_that_version_is_there(store: Store, reference: str) -> None:
    items = await read_items(store, await look_at(store, reference, POLICE, "read_case"), POLICE)
    item = next(item["item"] for item in items if item["kind"] == "answer_check")
    release = ReleaseInformation(item=item, necessity="to_protect_a_child", proportionality="gist")
    await act(store, reference, release, POLICE, words="Needed.", redacted="Known to the police.")
    page, _ = await answer(store, reference, "S1", "cli:governor")
    assert "Known to the police." in page and "Known under another name" not in page
    assert "released a redacted version" in page


async def test_the_log_says_neither_who_referred_nor_what_became_of_others(store: Store, reference: str) -> None:
    await act(store, reference, ProceedWithoutReplies(), DUTY, words="Enough is known.")
    outcomes: dict[str, Any] = {"S1": "early_help", "S2": "no_further_action"}
    await act(store, reference, RecordDecision(outcomes=outcomes, primary_need="N1"), MANAGER, words="Seen.")
    page, _ = await answer(store, reference, "S1", "cli:governor")
    assert "S1: early help" in page and "no further action" not in page
    assert "Contact received" in page and "INDIVIDUAL" not in page and "individual" not in page


async def test_somebody_the_case_does_not_name_is_refused(store: Store, reference: str) -> None:
    with pytest.raises(NotFound, match="S1, S2"):
        await answer(store, reference, "S9", "cli:governor")
