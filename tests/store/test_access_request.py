"""A subject access request is answered from all there is; everything that is stored as another person's is withheld until a
person releases it."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from acting import BASIS, DUTY, MANAGER, POLICE, SCHOOL
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mash.flows.store.apply import act, receive
from mash.flows.store.reads.case import read_case
from mash.flows.store.reads.items import read_items
from mash.flows.store.reads.look import look_at
from mash.flows.store.store import Store
from mash.flows.store.writes import Item
from mash.flows.telling.access_request import answer, values_of
from mash.flows.telling.ordinary import ORDINARY
from mash.flows.telling.others import Others
from mash.states.acts.assessment import CompleteAssessment
from mash.states.acts.checks import AnswerCheck, ProceedWithoutReplies
from mash.states.acts.child_voice import RecordChildVoice
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.information import ReleaseInformation
from mash.states.acts.rating import RateReferral
from mash.states.acts.sharing import RecordSharingBasis
from mash.states.errors import NotFound
from mash.states.values import ReportedConsent, Subject

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
    page = (await answer(store, reference, "S1", "cli:governor")).page
    assert "Isla Example" in page and "943 476 5919" in page
    for other in ("Tobias", "Nosworthy", "Agatha", "Ruth", "01632 960115"):
        assert other not in page, other
    assert "\N{FULL BLOCK}" in page and "To be read by a person before it leaves" in page


async def test_what_an_agency_has_not_released_is_left_out_and_it_says_why(store: Store, reference: str) -> None:
    found = await answer(store, reference, "S1", "cli:governor")
    page, left_out = found.page, found.left_out
    assert "Known under another name" not in page and "to be asked of that agency" in page
    items = await read_items(store, await look_at(store, reference, POLICE, "read_case"), POLICE)
    item = next(item["item"] for item in items if item["kind"] == "answer_check")
    release = ReleaseInformation(item=item, necessity="to_protect_a_child", proportionality="whole")
    await act(store, reference, release, POLICE, words="Needed.")
    found = await answer(store, reference, "S1", "cli:governor")
    page, fewer = found.page, found.left_out
    assert "Known under another name" in page and fewer == left_out - 1


async def test_of_what_an_agency_released_redacted_only_that_version_is_there(store: Store, reference: str) -> None:
    items = await read_items(store, await look_at(store, reference, POLICE, "read_case"), POLICE)
    item = next(item["item"] for item in items if item["kind"] == "answer_check")
    release = ReleaseInformation(item=item, necessity="to_protect_a_child", proportionality="gist")
    await act(store, reference, release, POLICE, words="Needed.", redacted="Known to the police.")
    page = (await answer(store, reference, "S1", "cli:governor")).page
    assert "Known to the police." in page and "Known under another name" not in page
    assert "released a redacted version" in page


async def test_the_log_says_neither_who_referred_nor_what_became_of_others(store: Store, reference: str) -> None:
    await act(store, reference, ProceedWithoutReplies(), DUTY, words="Enough is known.")
    outcomes: dict[str, Any] = {"S1": "early_help", "S2": "no_further_action"}
    await act(store, reference, RecordDecision(outcomes=outcomes, primary_need="N1"), MANAGER, words="Seen.")
    page = (await answer(store, reference, "S1", "cli:governor")).page
    assert "S1: early help" in page and "no further action" not in page.lower()
    assert "Contact received" in page and "INDIVIDUAL" not in page and "individual" not in page


async def test_what_a_sibling_says_and_what_was_found_of_a_sibling_is_left_out(store: Store, reference: str) -> None:
    today = store.time.now().date()
    for child, says in (("S1", "I want to stay here."), ("S2", "They hit me too.")):
        await act(store, reference, RecordChildVoice(subject=child, seen_on=today, alone=True), POLICE, words=says)
    for item in [item for item, held in (await read_case(store, reference)).referral.held.items() if held.subject]:
        release = ReleaseInformation(item=item, necessity="to_protect_a_child", proportionality="whole")
        await act(store, reference, release, POLICE, words="Needed.")
    await act(store, reference, ProceedWithoutReplies(), DUTY, words="Enough is known.")
    outcomes: dict[str, Any] = {"S1": "section_17", "S2": "section_17"}
    await act(store, reference, RecordDecision(outcomes=outcomes, primary_need="N1"), MANAGER, words="Both are assessed.")
    found: dict[str, Any] = {"S1": "child_in_need_plan", "S2": "no_further_action"}
    factors = {"S1": ("4B",), "S2": ("21",)}
    await act(store, reference, CompleteAssessment(factors_of=factors, outcomes=found), MANAGER, words="As it was found.")
    page = (await answer(store, reference, "S1", "cli:governor")).page
    assert "a child&#39;s own words" in page
    assert "I want to stay here." in page and "child in need plan" in page and "4B" in page
    assert "They hit me too." not in page and "no further action" not in page.lower() and "No factors identified" not in page


async def test_somebody_the_case_does_not_name_is_refused(store: Store, reference: str) -> None:
    with pytest.raises(NotFound, match="S1, S2"):
        await answer(store, reference, "S9", "cli:governor")


# --- what is stored as another person's ---------------------------------------------------------------------------------------

FATHER = {"name": {"given": "Stefan", "family": "Hollis"}, "date_of_birth": "1981-07-04", "cohort": "adult"}
LILY = {
    "name": {"given": "Lily-Mae", "family": "Nosworthy"},
    "date_of_birth": "2015-03-27",
    "nhs_number": "943 476 5919",
    "upn": "A123456789012",
    "school": "Thornwick Vale Primary School",
    "address": {"line1": "12 Elm Road, Smethwick", "postcode": "B70 8AA"},
    "cohort": "child",
    "cousin": "Tobias Quarrell",
    "contact": {"mobile": "07700 900123"},
}
RUTH = {"name": "Ruth Nosworthy", "relationship": "mother", "new_address": "Brook House, 4 Harbour Lane, B71 1ZZ"}
NARRATIVE = """Stefan Hollis came to the school. Lilly cried; LilyMae, lilymae, Lily's sister and L.M.N. too. R. Nosworthy rang.
She was born on 27/3/15 (27th March 2015), NHS 9434765919, upn a1234 5678 9012, and goes to Thornwick Vale.
They lived at 12 Elm Rd and are at Brook House, B711ZZ; ring +44 (0)7700 900123 or 01632 960999. Tobi knows, and Mrs Quarell.
They went to the refuge in Marsh Street on Monday. Stefan's own number is 01632 960777."""
GIVEN_AWAY = (
    *("Lilly", "LilyMae", "lilymae", "Lily", "L.M.N.", "Nosworthy", "R. ", "Ruth", "27/3/15", "27th March", "2015-03-27"),
    *("9434765919", "943 476 5919", "a1234", "A123456789012", "Thornwick Vale", "Elm R", "Smethwick", "B70", "Brook House"),
    *("B711ZZ", "B71 1ZZ", "Harbour", "900123", "960999", "Tobi", "Quarell", "refuge", "Marsh Street", "mother"),
)


async def stored(store: Store, *items: Item, **more: Any) -> str:
    """A case about a father (S1) and a child (S2)."""
    subjects = (Subject(id="S1", cohort="adult", age="adult"), Subject(id="S2", cohort="child"))
    command = ReceiveContact(contact="referral", source="1A", source_agency="individual", subjects=subjects, **more)
    async with store.transaction(SCHOOL) as connection:
        return (await receive(connection, store, command, list(items), SCHOOL)).reference


def item(kind: str, fields: Any, subject: str | None = None) -> Item:
    return Item(kind, json.dumps(fields).encode(), subject)


@pytest.fixture
async def told(store: Store) -> str:
    """A case of whose people the father asks what is kept about him."""
    return await stored(
        store,
        item("concern", {"narrative": NARRATIVE}),
        item("referrer", {"name": "Agatha Penhale", "email": "a.penhale@school.example.org", "organisation": "St Brannock's"}),
        item("submission", {"consent": {"safe_contact": "He reads her post. Ring 07700 900456."}}),
        item("subject", FATHER, "S1"),
        item("subject", LILY, "S2"),
        item("household", RUTH),
        consent=ReportedConsent(safe_contact_warning=True),
    )


async def test_everything_that_is_stored_as_another_persons_is_withheld_however_it_is_written(store: Store, told: str) -> None:
    page = (await answer(store, told, "S1", "cli:governor")).page
    assert "Stefan Hollis" in page and "1981-07-04" in page
    assert [part for part in GIVEN_AWAY if part in page] == []


async def test_a_safe_contact_warning_stands_on_top_and_what_it_says_is_for_the_officer_alone(store: Store, told: str) -> None:
    found = await answer(store, told, "S1", "cli:governor")
    assert found.page.index("Safe contact") < found.page.index("<h1>") and "must not be sent" in found.page
    assert found.reaching == ["He reads her post. Ring 07700 900456."] and "reads her post" not in found.page
    assert "@media print" in found.page


async def test_that_whoever_referred_must_not_be_written_to_stands_on_top_too(store: Store) -> None:
    referrer = item("referrer", {"name": "Ruth Nosworthy", "how_to_reach": "Ring my sister."})
    about = (item("concern", {"summary": "He shouts."}), referrer, item("subject", FATHER, "S1"))
    found = await answer(store, await stored(store, *about, writing_unsafe=True), "S1", "cli:governor")
    assert "Do not write to whoever referred" in found.page.partition("<h1>")[0]
    assert found.reaching == ["Ring my sister."] and "my sister" not in found.page


async def test_without_a_warning_none_is_shown(store: Store, reference: str) -> None:
    found = await answer(store, reference, "S1", "cli:governor")
    assert (found.warning, found.reaching) == ("", []) and "Safe contact" not in found.page


async def test_a_person_releases_item_by_item_and_who_and_when_is_recorded(store: Store, told: str) -> None:
    found = await answer(store, told, "S1", "cli:governor")
    numbers = {text: number.number for number, text, _ in found.withheld}
    assert len(set(numbers.values())) == len(numbers) and set(numbers.values()) == set(range(1, len(numbers) + 1))
    assert f"({numbers['Lilly']})" in found.page
    after = await answer(store, told, "S1", "cli:governor", [numbers["Lilly"], numbers["Tobias Quarrell"]], "they_agree")
    assert "Lilly cried" in after.page and "cousin: Tobias Quarrell" in after.page
    assert [part for part in GIVEN_AWAY if part in after.page and part not in ("Lilly", "Tobi")] == []
    assert {text: number.number for number, text, _ in after.withheld} == numbers, "numbers stay"
    (lilly,) = [number for number, text, _ in after.withheld if text == "Lilly"]
    assert (lilly.released_by, lilly.because) == ("cli:governor", "they_agree") and lilly.released_at
    query = "SELECT person, why FROM access WHERE action = 'release_withheld' ORDER BY id"
    async with store.engine.connect() as connection:
        rows = [tuple(row) for row in (await connection.exec_driver_sql(query)).all()]
        kept = str((await connection.exec_driver_sql("SELECT * FROM withheld")).all())
    assert rows == [("cli:governor", f"S1, {n}: they_agree") for n in sorted((numbers["Lilly"], numbers["Tobias Quarrell"]))]
    assert not [part for part in ("Lilly", "Tobias", "900123") if part in kept], "kept as digests"
    again = await answer(store, told, "S1", "cli:governor")
    assert "Lilly cried" in again.page


async def test_a_number_that_nothing_has_releases_nothing(store: Store, told: str) -> None:
    with pytest.raises(NotFound, match="none yet"):
        await answer(store, told, "S1", "cli:governor", [1], "they_agree")
    await answer(store, told, "S1", "cli:governor")
    with pytest.raises(NotFound, match="under 999"):
        await answer(store, told, "S1", "cli:governor", [1, 999], "they_agree")
    assert not any(number.released for number, _, _ in (await answer(store, told, "S1", "cli:governor")).withheld)


async def test_what_is_released_to_one_subject_is_not_released_to_another(store: Store, told: str) -> None:
    found = await answer(store, told, "S1", "cli:governor")
    every = [number.number for number, _, _ in found.withheld]
    await answer(store, told, "S1", "cli:governor", every, "reasonable_without_consent")
    page = (await answer(store, told, "S2", "cli:governor")).page
    assert "Hollis" not in page and "Ruth" not in page


async def test_where_a_child_lives_and_learns_is_withheld_from_whoever_asks_for_it_on_a_case_with_a_warning(
    store: Store, told: str
) -> None:
    page = (await answer(store, told, "S2", "cli:governor")).page
    assert "Lily-Mae" in page and "943 476 5919" in page
    assert [part for part in ("Thornwick Vale", "Elm R", "Smethwick", "B70", "900123") if part in page] == []


async def test_those_of_a_linked_referral_are_other_people_too(store: Store, reference: str) -> None:
    await act(store, reference, ProceedWithoutReplies(), DUTY, words="Enough is known.")
    outcomes: dict[str, Any] = {"S1": "early_help", "S2": "no_further_action"}
    await act(store, reference, RecordDecision(outcomes=outcomes, primary_need="N1"), MANAGER, words="Isla's brother stays.")
    async with store.engine.connect() as connection:
        rows = (await connection.exec_driver_sql("SELECT reference, state FROM referral WHERE root = $1", (reference,))).all()
    for linked, state in rows:
        for subject, other in (("S1", "Tobias"), ("S2", "Isla")):
            if f'"{subject}"' in json.dumps(json.loads(state)["subjects"]):
                page = (await answer(store, linked, subject, "cli:governor")).page
                assert other not in page and "Nosworthy" not in page and "Ruth" not in page
    assert len(rows) == 2


SPELT = """
Lily Lillie, Aisha Ayesha Eisha Aaishah, Sean Shaun Shawn, Chloe Khloe, Caitlin Katelyn, Yusuf Youssef, Zakariya Zachariah,
Michaela Mikayla Makayla, Kian Cian, Rhys Reece Reese, Mohammed Mohd, Isla Ayla Eyla, Siobhan Shivaun, Ngozi Engozi, Niamh Neve,
Leigh Lee, Eoin Owen, Abbie Abi, Tyler Tyla, Ng Ing, Thi Ti, Wojciech Voytek, Mia Mya, Leah Lia, Georgia Jorja, Jasmine Yasmin,
Wiktoria Victoria, Ewa Eva, Phoebe Feebee, Hugh Huw, Ibrahim Ebrahim, Cerys Kerys, Saoirse Seersha, Rebecca Rebekah
"""
PAIRS = [(names[0], other) for names in map(str.split, SPELT.split(",")) for other in names[1:]]


def withheld(text: str, fields: dict[str, Any]) -> list[str]:
    """What is withheld of a text from a father, of what is stored of another person."""
    found = Others(values_of(fields, "S2"), values_of(FATHER, "S1"))
    return [text[span.begin : span.end] for span in found.spans(text)]


@pytest.mark.parametrize(("name", "other"), [*PAIRS, *((other, name) for name, other in PAIRS)])
def test_a_name_that_is_spelt_as_it_is_heard_is_withheld(name: str, other: str) -> None:
    assert withheld(f"We saw {other} there.", {"name": {"given": name, "family": "Wobblethorn"}}) == [other]


@pytest.mark.parametrize("name", sorted({name for name, _ in PAIRS}))
def test_hardly_an_ordinary_word_is_taken_for_a_name_by_the_capital_that_begins_its_sentence(name: str) -> None:
    text = " ".join(f"{word.title()}." for word in sorted(ORDINARY))
    found = withheld(text, {"name": {"given": name, "family": "Wobblethorn"}})
    assert len(found) < len(ORDINARY) / 100, found


@pytest.mark.parametrize(
    ("fields", "written"),
    [
        ({"age_estimate": 11}, "eleven"),
        ({"age_estimate": "about 11"}, "Eleven"),
        ({"age_estimate": "eleven"}, "11"),
        ({"age_estimate": 21}, "twenty-one"),
        ({"age_estimate": 1}, "one year"),
        ({"email": "ruth.new@safe.example.org"}, "ruth.new at safe.example.org"),
        ({"email": "ruth.new@safe.example.org"}, "ruth dot new at safe dot example dot org"),
        ({"phone": "01632 960123"}, "0123"),
        ({"phone": "+44 1632 960123"}, "ends in 123"),
        ({"nhs_number": "943 476 5919"}, "5919"),
        ({"date_of_birth": "2015-03-27"}, "27 iii 2015"),
        ({"date_of_birth": "2015-03-27"}, "27.III.15"),
        ({"date_of_birth": "2015-03-27"}, "twenty-seventh of March"),
        ({"date_of_birth": "2015-09-02"}, "2 Sept 2015"),
    ],
)
def test_what_is_stored_is_withheld_in_whatever_words_and_figures_it_is_written(fields: dict[str, Any], written: str) -> None:
    assert written in " ".join(withheld(f"It is {written} years old, it says: {written}.", fields))


def test_one_of_many_is_no_age_and_a_year_is_no_telephone_number() -> None:
    text = "One of them came in 2015; it ends 4712."
    assert withheld(text, {"age_estimate": 1, "date_of_birth": "27/03/2015", "phone": "01632 960123"}) == []


# --- whatever is stored --------------------------------------------------------------------------------------------------------

SYLLABLES = ("bra", "cho", "dwe", "fli", "gru", "hja", "kle", "mno", "pru", "qui", "sze", "thy", "vro", "wyn", "yst", "zla")
names = st.lists(st.sampled_from(SYLLABLES), min_size=2, max_size=3).map("".join).map(str.title)
figures = st.text("123456789", min_size=7, max_size=10)
FIELDS = (
    "address",
    "school",
    "phone",
    "nhs_number",
    "upn",
    "date_of_birth",
    "age_estimate",
    "relationship",
    "notes",
    "organisation",
)
values = {
    "address": st.builds(lambda n, a, b: f"{n} {a} Road, {b}", st.integers(1, 99), names, names),
    "school": names.map(lambda name: f"{name} Primary School"),
    "phone": figures.map(lambda text: f"07{text}"),
    "nhs_number": figures.map(lambda text: f"{text[:3]} {text[3:6]} {text[6:]}"),
    "upn": figures.map(lambda text: f"A{text}"),
    "date_of_birth": st.dates(date(1950, 1, 1), date(2026, 1, 1)).map(str),
    "age_estimate": names.map(lambda name: f"about {name}"),
    "relationship": names,
    "notes": st.builds(lambda a, b: f"Knows {a}; lives by {b}.", names, names),
    "organisation": names.map(lambda name: f"{name} House"),
}
persons = st.fixed_dictionaries(
    {"name": st.builds(lambda a, b: {"given": a, "family": b}, names, names)},
    optional={**values, "further": st.dictionaries(names, names, max_size=2)},
)
WAYS = (
    str,
    str.upper,
    str.lower,
    lambda text: text.replace(" ", ""),
    lambda text: "-".join(text.split()),
    lambda text: f"{text}'s",
)
ways = st.sampled_from(
    (*WAYS, lambda text: f"{text}'s", lambda text: "".join(f"{each}\u0301" if each in "aeiou" else each for each in text))
)


def leaves(fields: Any) -> Iterator[str]:
    if isinstance(fields, dict):
        for each in fields.values():
            yield from leaves(each)
    else:
        yield str(fields)


def plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in decomposed if each.isalnum())


@given(st.lists(persons, min_size=1, max_size=3), persons, st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_value_of_another_person_is_in_the_answer_before_it_is_released(
    others: list[dict[str, Any]], own: dict[str, Any], data: st.DataObject
) -> None:
    own_values = {plain(each) for each in leaves({"name": own["name"]})}
    told = [data.draw(ways)(each) for other in others for each in leaves(other)]
    text = ". ".join(f"It says {each} there" for each in told)
    theirs = [value for n, each in enumerate(others) for value in values_of(each, f"S{n + 2}")]
    found = Others(theirs, list(values_of({"name": own["name"]}, "S1")))
    shown, at = "", 0
    for span in sorted(found.spans(text), key=lambda each: (each.begin, -each.end)):
        shown, at = shown + text[at : span.begin] + " ", max(at, span.end)
    shown += text[at:]
    left = [each for other in others for each in leaves(other) if len(plain(each)) > 2 and plain(each) in plain(shown)]
    assert not [each for each in left if not any(plain(each) in own for own in own_values)], (shown, found.spans(text))


async def test_what_the_family_is_not_to_learn_waits_for_a_person_to_release_it(store: Store, reference: str) -> None:
    silent = RecordSharingBasis(
        purpose="child_protection",
        lawful_basis="public_task",
        consent="not_sought",
        family_informed=False,
        not_informed="prejudices_an_investigation",
    )
    await act(store, reference, silent, DUTY, words="The police are to see the flat first.")
    await act(store, reference, ProceedWithoutReplies(), DUTY, words="Enough is known.")
    outcomes: dict[str, Any] = {"S1": "section_47", "S2": "section_47"}
    await act(store, reference, RecordDecision(outcomes=outcomes, primary_need="N1"), MANAGER, words="Both are bruised.")
    found = await answer(store, reference, "S1", "cli:governor")
    printed = found.page.partition("</div>")[2]
    for word in ("the flat first", "investigation", "does not know", "Both are bruised", "section 47", "strategy", "not told"):
        assert word.lower() not in printed.lower(), word
    assert "a person reads it first" in printed
    numbers = [number.number for number, text, _ in found.withheld if "flat" in text or "investigation" in text]
    page = (await answer(store, reference, "S1", "cli:governor", numbers, "not_about_another")).page
    assert "The police are to see the flat first." in page and "investigation" in page
