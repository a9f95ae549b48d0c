"""The returns out of what is stored: who a child is, who may be named, whose look it was, and the nights' count."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from acting import DUTY, MANAGER, POLICE, SCHOOL, set_time
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from stdnum.gb import upn

from mash.flows.carrying.night import STEPS
from mash.flows.returns.annex_a import Period
from mash.flows.returns.extract import Gathered, NotCounted, annex_files, census_files, count_findings, gather, note_extract
from mash.flows.returns.findings import Finding
from mash.flows.returns.rules import findings
from mash.flows.returns.year import Year
from mash.flows.store.apply import act, receive
from mash.flows.store.erasure import erase
from mash.flows.store.looking import look
from mash.flows.store.reads.accesses import accesses_to
from mash.flows.store.reads.returns import counts
from mash.flows.store.store import Store, system_actor
from mash.flows.store.tables import ACCESSES, RETURN_COUNTS
from mash.flows.store.writes import Item
from mash.states.acts.assessment import CompleteAssessment
from mash.states.acts.closing import ErasePeople
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.corrections import CorrectDetails
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.known import IdentifySubject
from mash.states.acts.rating import RateReferral
from mash.states.values import Actor, Subject

DATA = Actor(id="d.data", role="data_manager", agency="social_care", hub="merton")
GOVERNANCE = Actor(id="i.governor", role="information_governance", agency="social_care", hub="merton")
ELSEWHERE = Actor(id="e.data", role="data_manager", agency="social_care", hub="sandwell")
START, YEAR = datetime(2026, 2, 3, 10, tzinfo=UTC), Year(2026)
THEO = {
    "name": {"given": "Theodore", "family": "Quillfeather"},
    "date_of_birth": "2017-03-04",
    "sex": "M",
    "ethnicity": "WBRI",
    "disability": ["NONE"],
}
UPN = f"{upn.calc_check_digit('315000000000')}315000000000"


async def contact(store: Store, person: dict[str, Any], outcome: str | None = "section_17") -> str:
    """A contact about a child, decided; its reference."""
    command = ReceiveContact(
        contact="referral",
        source="2A",
        source_agency="education",
        subjects=(Subject(id="S1", cohort="child"),),
        primary_need="N1",
    )
    items = [Item("concern", b"A concern."), Item("subject", json.dumps(person).encode(), "S1")]
    async with store.transaction(SCHOOL) as connection:
        reference = (await receive(connection, store, command, items, SCHOOL)).reference
    if outcome:
        await act(store, reference, RateReferral(rating="blue"), DUTY, words="As it stands.")
        decision = RecordDecision.model_validate({"outcomes": {"S1": outcome}, "primary_need": "N1"})
        await act(store, reference, decision, MANAGER, words="As said.")
    return reference


async def census(store: Store, by: Actor = DATA) -> ET.Element:
    (file,) = census_files(await gather(store, by, YEAR.start), YEAR, START)
    return ET.fromstring(file.content)


def found_in(gathered: Gathered) -> list[Finding]:
    return findings(gathered.people, gathered.checks(YEAR))


def texts(root: ET.Element, name: str) -> list[str]:
    return [element.text or "" for element in root.iter(name)]


@pytest.fixture(autouse=True)
def in_february(store: Store) -> None:
    """A Tuesday."""
    set_time(store, START)


async def test_the_file_has_what_is_recorded_of_a_child_and_neither_name_nor_reference(store: Store) -> None:
    reference = await contact(store, THEO)
    (file,) = census_files(await gather(store, DATA, YEAR.start), YEAR, START)
    assert file.name == "cin_2026_315.xml" and file.references == (reference,)
    text = file.content.decode()
    assert "Quillfeather" not in text and "MASH-" not in text and "Theodore" not in text
    root = ET.fromstring(text)
    assert (texts(root, "Sex"), texts(root, "Ethnicity"), texts(root, "PersonBirthDate")) == (["M"], ["WBRI"], ["2017-03-04"])
    assert texts(root, "CINreferralDate") == ["2026-02-03"] and texts(root, "AssessmentActualStartDate") == ["2026-02-03"]
    (name,) = texts(root, "LAchildID")
    assert len(name) == 20 and name.isalnum() and texts(await census(store), "LAchildID") == [name]


async def test_what_was_put_right_is_what_is_written(store: Store) -> None:
    reference = await contact(store, {**THEO, "sex": "F"})
    await act(store, reference, CorrectDetails(item="S1"), DUTY, words="A slip.", details={"sex": "M"})
    assert texts(await census(store), "Sex") == ["M"]


async def test_what_is_put_right_after_a_split_is_not_read_from_the_case_that_was_left(store: Store) -> None:
    command = ReceiveContact(
        contact="referral",
        source="2A",
        source_agency="education",
        subjects=(Subject(id="S1", cohort="child"), Subject(id="S2", cohort="child")),
        primary_need="N1",
    )
    sister = {**THEO, "died_on": "2026-02-01", "upn": UPN}
    items = [
        Item("concern", b"A concern."),
        *(Item("subject", json.dumps(who).encode(), sid) for sid, who in (("S1", THEO), ("S2", sister))),
    ]
    async with store.transaction(SCHOOL) as connection:
        reference = (await receive(connection, store, command, items, SCHOOL)).reference
    await act(store, reference, RateReferral(rating="blue"), DUTY, words="As it stands.")
    apart = RecordDecision.model_validate({"outcomes": {"S1": "section_47", "S2": "section_17"}, "primary_need": "N1"})
    await act(store, reference, apart, MANAGER, words="As said.")
    right = {"died_on": "", "upn": "", "upn_unknown": "UN5"}
    await act(store, f"{reference}-B", CorrectDetails(item="S2"), DUTY, words="Another girl.", details=right)
    root = await census(store)
    assert len(texts(root, "LAchildID")) == 2 and texts(root, "PersonDeathDate") == texts(root, "UPN") == []
    assert texts(root, "UPNunknown") == ["UN5"]


async def test_of_one_child_what_was_written_last_counts_in_whichever_contact_and_is_asked_about_there(store: Store) -> None:
    first = await contact(store, {**THEO, "sex": "F", "ethnicity": "WBRI"})
    set_time(store, START + timedelta(days=3))
    second = await contact(store, {**THEO, "sex": "F", "ethnicity": "White British", "upn": "X00"})
    for reference in (first, second):
        await look(store, "merton", reference)
    await act(store, second, IdentifySubject(subject="S1", other=first, other_subject="S1"), DUTY, words="The same boy.")
    set_time(store, START + timedelta(days=4))
    await act(store, first, CorrectDetails(item="S1"), DUTY, words="A slip.", details={"sex": "M"})
    set_time(store, START + timedelta(days=5))
    await act(store, second, CorrectDetails(item="S1"), DUTY, words="A slip.", details={"school": "Hill Primary"})
    root = await census(store)
    assert (texts(root, "Sex"), texts(root, "Ethnicity")) == (["M"], ["WBRI"])
    found = found_in(await gather(store, DATA, YEAR.start))
    assert [each.reference for each in found if each.rule == "1510"] == [second]


async def test_two_contacts_about_a_child_are_two_children_until_somebody_confirms_that_it_is_one(store: Store) -> None:
    first = await contact(store, THEO)
    second = await contact(store, {**THEO, "ethnicity": ""})
    assert len(texts(await census(store), "LAchildID")) == 2
    for reference in (first, second):
        await look(store, "merton", reference)
    await act(store, second, IdentifySubject(subject="S1", other=first, other_subject="S1"), DUTY, words="The same boy.")
    root = await census(store)
    assert len(texts(root, "LAchildID")) == 1 and texts(root, "CINreferralDate") == ["2026-02-03"]
    gathered = await gather(store, DATA, YEAR.start)
    assert {course.reference for one in gathered.people for course in one.courses} == {first, second}
    (file,) = annex_files(gathered, Period(YEAR.start, YEAR.end))
    assert file.children == 1 and set(file.references) == {first, second}


async def test_what_is_missing_is_found_with_the_case_and_counted_each_night_as_a_figure(store: Store) -> None:
    reference = await contact(store, {"name": {"given": "Isla", "family": "Example"}})
    found = found_in(await gather(store, DATA, YEAR.start))
    assert {each.reference for each in found} == {reference}
    assert {"4180", "4220", "8525Q"} <= {each.rule for each in found}
    await count_findings(store)
    (night,) = [count for count in await counts(store, DATA, 9) if count.year == 2026]
    assert (night.errors, night.filled, night.queries) == (0, 2, 1)
    assert await counts(store, ELSEWHERE, 9) == [
        count for count in await counts(store, system_actor("sandwell"), 9) if count.errors == 0
    ]
    assert "returns" in STEPS


async def test_a_hub_that_cannot_be_counted_stops_no_other_and_the_night_says_so(
    store: Store, owner_connection: psycopg.Connection
) -> None:
    reference = await contact(store, THEO)
    owner_connection.execute("UPDATE referral_key SET wrapped = wrapped || '\\x00'::bytea WHERE reference = %s", (reference,))
    with pytest.raises(NotCounted, match=r"^merton$"):
        await count_findings(store)
    assert await counts(store, DATA, 9) == [] and len(await counts(store, ELSEWHERE, 9)) == 1


async def test_until_the_end_of_july_both_years_are_counted_and_one_night_is_one(store: Store) -> None:
    for day, years in ((datetime(2026, 7, 31, 10, tzinfo=UTC), [2026, 2027]), (datetime(2026, 8, 1, 10, tzinfo=UTC), [2027])):
        set_time(store, day)
        await count_findings(store)
        assert [count.year for count in await counts(store, DATA, nights=1)] == years
    assert [count.year for count in await counts(store, DATA, nights=2)] == [2027, 2026, 2027]


async def test_a_file_of_nobody_is_a_look_too(store: Store) -> None:
    files = census_files(await gather(store, DATA, YEAR.start), YEAR, START)
    await note_extract(store, files, DATA, "extract_cin")
    async with store.transaction(GOVERNANCE) as connection:
        rows = (await connection.execute(select(ACCESSES).where(ACCESSES.c.action == "extract_cin"))).all()
    assert [(row.person, row.shown) for row in rows] == [("d.data", [])]


async def test_who_is_erased_is_in_no_file_and_counted_where_they_would_be_in_one(store: Store) -> None:
    reference = await contact(store, THEO, "no_further_action")
    gathered = await gather(store, DATA, YEAR.start)
    assert [one.erased for one in gathered.people] == [False]
    set_time(store, START + timedelta(days=9))
    administrator = Actor(id="cli:a", role="administrator", agency="system", hub="merton")
    await erase(store, reference, ErasePeople(why="recorded_by_mistake"), administrator)
    gathered = await gather(store, DATA, YEAR.start)
    # What ended at its triage was no referral: nobody is missing from the year's file.
    assert [one.erased for one in gathered.people] == [True] and gathered.erased(YEAR) == 0
    (file,) = census_files(gathered, YEAR, START)
    (book,) = annex_files(gathered, Period(YEAR.start, YEAR.end))
    assert file.children == book.children == 0 and found_in(gathered) == []


async def test_what_is_over_before_the_year_is_not_read_unless_a_child_of_the_year_hangs_on_it(store: Store) -> None:
    set_time(store, datetime(2024, 5, 7, 10, tzinfo=UTC))
    over, same, planned = [await contact(store, {**THEO, "sex": sex}, "section_17") for sex in ("M", "F", "M")]
    for reference, outcome in ((over, "no_further_action"), (same, "no_further_action"), (planned, "child_in_need_plan")):
        not_seen = {"S1": "family_left"}
        done = CompleteAssessment(factors=("1A",), outcome=outcome, not_seen_because=not_seen)  # type: ignore[arg-type]
        await act(store, reference, done, MANAGER, words="As found.")
    set_time(store, START)
    new = await contact(store, {**THEO, "sex": ""}, "section_17")
    for reference in (same, new):
        await look(store, "merton", reference)
    await act(store, new, IdentifySubject(subject="S1", other=same, other_subject="S1"), DUTY, words="The same child.")
    some, whole = [await gather(store, DATA, since) for since in (YEAR.start, date(2000, 1, 1))]
    named = [{course.reference for one in each.people for course in one.courses} for each in (some, whole)]
    assert named == [{same, planned, new}, {over, same, planned, new}]
    (file,), (of_all,) = census_files(some, YEAR, START), census_files(whole, YEAR, START)
    assert file.content == of_all.content and file.children == 2 and found_in(some) == found_in(whole)
    assert texts(ET.fromstring(file.content), "Sex").count("F") == 1, "it was written in the earlier contact"


async def test_another_hubs_data_manager_has_nobody_of_this_one(store: Store) -> None:
    await contact(store, THEO)
    assert (await gather(store, ELSEWHERE, YEAR.start)).people == []


async def test_every_file_is_a_look_at_each_of_its_cases(store: Store) -> None:
    reference = await contact(store, THEO)
    files = census_files(await gather(store, DATA, YEAR.start), YEAR, START)
    await note_extract(store, files, DATA, "extract_cin")
    rows = await accesses_to(store, [reference], GOVERNANCE)
    assert [(row.person, row.role, row.action) for row in rows] == [("d.data", "data_manager", "extract_cin")]


async def test_counts_are_of_the_night_and_nobody_of_the_hub_writes_them(store: Store) -> None:
    async def written() -> None:
        row = {"hub": "merton", "at": START, "year": 2026, "errors": 0, "filled": 0, "queries": 0}
        async with store.transaction(DUTY) as connection:
            await connection.execute(RETURN_COUNTS.insert().values(row))

    with pytest.raises(DBAPIError, match="permission denied"):
        await written()
    async with store.transaction(POLICE) as connection:
        assert (await connection.execute(select(RETURN_COUNTS))).all() == []
