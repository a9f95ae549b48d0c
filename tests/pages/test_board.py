"""The board: who, what to mind and whom it waits for, in the order in which to act; what changed; and who looked."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from hub import Hub, hub_here, later

from mash.api.client import person
from mash.api.pages.board_rows import who_of
from mash.config.about import about
from mash.flows.store.names import initials_of
from mash.flows.store.reads.board import next_of_board
from mash.flows.store.reads.initials import Initialled
from mash.flows.store.reads.look import look_at
from mash.flows.store.store import open_store
from mash.states.clocks import LONDON
from mash.states.referral import Referral
from mash.states.values import Actor

TODAY = date(2026, 11, 19)
EWA = {"name": {"given": "Ewa", "family": "Nowicka"}, "date_of_birth": "2018-09-28", "cohort": "child"}
FILIP = {"name": {"given": "Filip", "family": "Nowicki"}, "date_of_birth": "2026-02-15", "cohort": "child"}
ELEVEN = datetime(2026, 11, 19, 11, tzinfo=UTC)
DANGER = {"summary": "He is at the door.", "immediate_danger": True}


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    """A hub whose cases stand on one page of its board: the others share one that comes to hold more."""
    with hub_here() as running:
        yield running


@pytest.fixture
def own() -> Any:
    """A hub of its own: what stands on its board is counted."""
    with hub_here() as running:
        yield running


def board(hub: Hub, role: str = "duty_manager", agency: str = "social_care", /, **asked: str) -> str:
    answer = hub.http.get("/board", headers=hub.staff(role, agency), params=asked)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def row(page: str, reference: str) -> str:
    """The words of a row; empty where there is none."""
    rows = re.findall(r'<tr role="row" class="mash-board__row">.*?</tr>', page, re.DOTALL)
    found = next((each for each in rows if f'href="/case/{reference}"' in each), "")
    return " ".join(re.sub(r"<[^>]+>", " ", found).split())


def groups(page: str) -> list[tuple[str, str]]:
    """The groups of a board with what they say of themselves, in their order."""
    heads = re.findall(r'<th colspan="7"[^>]*>(.*?)</th>', page, re.DOTALL)
    return [
        (head.partition("<")[0].strip(), " ".join(re.sub(r"<[^>]+>", " ", head.partition("<span>")[2]).split())) for head in heads
    ]


def whose(page: str) -> list[str]:
    return re.findall(r">((?:Mine|My team|All) \d+)</a>", page)


@pytest.mark.parametrize(
    ("born", "age"),
    [
        ("2018-11-19", "8"),
        ("2018-11-20", "7"),
        ("2024-11-20", "23 months"),
        ("2026-10-01", "7 weeks"),
        ("2027-01-01", ""),
    ],
)
def test_an_age_is_said_as_people_say_it(born: str, age: str) -> None:
    assert who_of([Initialled("E.N.", date.fromisoformat(born))], TODAY) == ", ".join(filter(None, ("E.N.", age)))


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ({"given": "Ewa Maria", "family": "de la Nowicka"}, "E.N."),
        ({"given": "Ewa"}, "E."),
        ("Łukasz Ødegård", "Ł.Ø."),
        ("‘Bay’ Closed", "B.C."),
        ("Mononym", "M."),
        (None, ""),
        ("?", ""),
    ],
)
def test_initials_are_of_the_first_given_and_the_last_family_name(name: Any, initials: str) -> None:
    assert initials_of(name) == initials


def test_several_are_listed_and_of_many_it_is_said_how_many_there_are() -> None:
    child = Initialled("A.B.", date(2018, 1, 1))
    nobody = Initialled("", None)
    assert who_of([child, Initialled("C.D.", None, unborn=True)], TODAY) == "A.B., 8 and C.D., unborn"
    assert who_of([child] * 5, TODAY) == "A.B., 8, A.B., 8 and 3 more"
    assert who_of([nobody], TODAY) == "Not named"


def test_what_it_is_about_comes_from_lists() -> None:
    assert about(("domestic_abuse",), ("3B", "16A", "1B"), "N1", None) == "Domestic abuse, neglect, parent’s drinking"
    assert about((), (), "N1", None) == "Abuse, neglect and exploitation"
    assert about((), ("21",), None, None) == "Not said"


def test_who_is_said_by_initials_and_age_to_staff_and_to_partners_of_the_case_and_never_by_name(hub: Hub) -> None:
    reference = hub.referral(subjects=[EWA, FILIP], household=[])
    assert row(board(hub), reference).startswith("59 min left due 11:00 E.N., 8 and F.N., 9 months MASH-26-")
    assert row(board(hub, "agency", "police"), reference) == ""
    hub.rate(reference)
    theirs = board(hub, "agency", "police")
    assert "E.N., 8 and F.N., 9 months" in row(theirs, reference)
    for page in (board(hub), theirs):
        assert "Nowick" not in page and not re.search(r"\b2018\b", page)
    by = hub.staff("duty_manager")
    for path in ("/wall", "/cases", "/metrics", "/health"):
        assert "E.N." not in hub.http.get(path, headers=by).text, path


def test_a_partner_who_only_broke_the_glass_sees_the_case_and_not_who_it_is_about(hub: Hub) -> None:
    reference = hub.referral(subjects=[EWA], household=[])
    glass = {"kind": "break_glass"}
    assert hub.command(reference, glass, hub.staff("agency", "probation"), "He is at our door.", seen=1).status_code == 200
    shown = row(board(hub, "agency", "probation"), reference)
    assert reference in shown and "E.N." not in shown


def test_a_look_is_one_record_that_names_the_cases_and_a_page_by_itself_shows_nobody(own: Hub) -> None:
    references = {own.referral(subjects=[EWA], household=[]), own.referral(subjects=[FILIP], household=[])}
    looks = "SELECT person, reference, shown FROM access WHERE action = 'read_board'"
    itself = own.http.get("/board", headers={**own.staff("duty_manager"), "MASH-By-Itself": "yes"}).text
    assert "E.N." not in itself and all(each in itself for each in references)
    own.http.get("/board/changed?since=1", headers=own.staff("duty_manager"))
    assert own.sql(looks) == []
    board(own)
    ((person, reference, shown),) = own.sql(looks)
    assert (person, reference, set(shown)) == ("duty_manager.social_care", None, references)
    governor = own.staff("information_governance")
    for asked in ({"reference": min(references)}, {"person": person}):
        lines = own.http.post("/accesses", headers=governor, json=asked).json()["accesses"]
        found = [(line["person"], set(line["shown"])) for line in lines if line["action"] == "read_board"]
        assert found == [(person, references)], asked
    other = own.referral()
    lines = own.http.post("/accesses", headers=governor, json={"reference": other}).json()["accesses"]
    assert [line for line in lines if line["action"] == "read_board"] == []
    page = own.http.post("/looked", headers=governor, data={"reference": min(references)}).text
    assert ", ".join(shown) in page


def test_nobody_but_who_governs_information_finds_out_who_looked(own: Hub) -> None:
    reference = own.referral()
    board(own)
    with pytest.raises(Exception, match="who looked is for whoever governs information"):
        own.sql("SELECT looks_naming(ARRAY[%s])", reference)


def test_whose_key_is_destroyed_is_said_by_the_reference_alone(own: Hub) -> None:
    reference = own.referral(subjects=[EWA], household=[])
    own.sql("UPDATE referral_key SET wrapped = NULL, master = NULL, destroyed_at = now() WHERE reference = %s", reference)
    shown = row(board(own), reference)
    assert reference in shown and "E.N." not in shown


def test_who_was_put_right_is_said_as_they_are_known_now(hub: Hub) -> None:
    reference = hub.referral(subjects=[EWA], household=[])
    body = {
        "command": {"kind": "correct_details", "item": "S1"},
        "details": {"name": {"given": "Zofia", "family": "Nowicka"}},
        "words": "The school had it wrong.",
        "seen": hub.case(reference)["version"],
    }
    answer = hub.http.post(
        f"/cases/{reference}/commands", headers={**hub.staff("duty_manager"), "Idempotency-Key": reference}, json=body
    )
    assert answer.status_code == 200, answer.text
    assert "Z.N., 8" in row(board(hub), reference)


def test_the_groups_stand_in_the_order_in_which_they_are_acted_on(own: Hub) -> None:
    danger, red, unrated, green = own.referral(concern=DANGER), own.referral(), own.referral(), own.referral()
    own.rate(red)
    own.rate(green, "green")
    page = board(own)
    assert [name for name, _ in groups(page)] == ["Immediate danger", "Within the hour", "Today", "Later"]
    assert page.index(danger) < page.index(unrated) < page.index(red) and green not in page
    assert re.fullmatch(r"1, the first due \w{3}( \d+ \w{3})? \d\d:\d\d Show them", groups(page)[-1][1])
    assert green in board(own, later="shown")
    with later(own, datetime(2026, 11, 19, 13, 30, tzinfo=UTC)) as afternoon:
        page = board(afternoon)
        assert [name for name, _ in groups(page)] == ["Immediate danger", "Late", "Within the hour", "Later"]
        assert page.index(danger) < page.index(unrated) < page.index(red)
    with later(own, datetime(2026, 11, 19, 15, tzinfo=UTC)) as evening:
        page = board(evening)
        assert ("Late", "2") in groups(page)
        assert "late due 14:00" in row(page, red) and "late due 11:00" in row(page, unrated)
        assert "Late: Police, Social work, 10 more 0 of 12 answered" in row(page, red)


def test_each_page_goes_on_where_the_one_before_ended(own: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mash.api.pages.board.A_PAGE", 2)
    made = [own.referral(concern=DANGER) for _ in range(3)] + [own.referral() for _ in range(3)]
    seen: list[str] = []
    path: str | None = "/board"
    while path:
        page = unescape(own.http.get(path, headers=own.staff("duty_manager")).text)
        seen += re.findall(r'href="/case/([^"]+)"', page)
        path = next(iter(re.findall(r'rel="next" href="([^"]+)"', page)), None)
    assert seen == made


def test_what_to_mind_is_said_in_words_from_a_list(hub: Hub) -> None:
    consent = {"asked": False, "family_informed": False, "safe_contact": "Ring the office only."}
    reference = hub.referral(subjects=[FILIP], household=[], consent=consent)
    hub.give(reference, "record_marker", marker="staff_safety", words="A dog.")
    hub.give(reference, "record_marker", marker="looked_after", words="In Dudley's care.")
    shown = row(board(hub), reference)
    assert "Safe contact. Risk to staff. Baby under one. In care" in shown
    assert "office" not in shown


def test_a_third_contact_is_said_to_who_may_find_people_and_to_nobody_else(own: Hub) -> None:
    for _ in range(2):
        own.referral(subjects=[EWA], household=[])
    third = own.referral(subjects=[EWA], household=[])
    own.rate(third)
    own.work()
    assert "Third contact in 12 months" in row(board(own), third)
    assert "contact in" not in row(board(own, "agency", "police"), third)


def test_who_has_it_is_you_a_role_or_nobody(hub: Hub) -> None:
    reference = hub.referral()
    board(hub, "social_worker")
    assert "Triage Nobody has it" in row(board(hub), reference)
    hub.give(reference, "allocate_case", worker="social_worker.social_care")
    assert "Triage Social worker" in row(board(hub), reference)
    assert "Triage You" in row(board(hub, "social_worker"), reference)
    hub.rate(reference)
    assert "Agency checks Social worker" in row(board(hub), reference)


def test_mine_my_team_and_all_say_how_many_there_are(own: Hub) -> None:
    mine, ours, checks = own.referral(), own.referral(), own.referral()
    board(own, "social_worker")
    own.give(mine, "allocate_case", worker="social_worker.social_care")
    own.rate(checks)
    page = board(own, "social_worker")
    assert whose(page) == ["Mine 1", "My team 2", "All 3"], "social care is to answer a check"
    assert row(board(own, "social_worker", whose="mine"), mine) and not row(board(own, "social_worker", whose="mine"), ours)
    team = board(own, "social_worker", whose="team")
    assert row(team, mine) and row(team, checks) and not row(team, ours)
    assert whose(board(own)) == ["Mine 0", "My team 3", "All 3"], "whose turn it is"
    assert whose(board(own, "agency", "police")) == ["Mine 0", "My team 1", "All 1"]


def test_a_board_is_narrowed_by_stage_rating_and_agency(hub: Hub) -> None:
    asked, answered = hub.referral(), hub.referral()
    for reference in (asked, answered):
        hub.rate(reference)
    hub.answer(answered, "police")
    page = board(hub, agency="police", stage="agency_checks", rating="red")
    assert row(page, asked) and not row(page, answered)
    assert 'value="police" selected' in page and "Show all again" in page
    assert "1 of 12 answered" in row(board(hub), answered)


def test_what_somebody_else_did_since_one_last_looked_is_said_in_a_few_words(own: Hub) -> None:
    first, second = own.referral(), own.referral()
    assert "changed since" not in board(own), "nobody has looked before"
    an_hour_ago = "UPDATE board_look SET begun_at = begun_at - interval '1 h', seen_at = seen_at - interval '1 h'"
    own.sql(an_hour_ago)
    own.rate(first)
    own.answer(first, "police")
    page = board(own)
    assert re.search(r"2 changed since <span[^>]*>you last looked, </span>09:00", page), (
        "they came in since, and the police answered"
    )
    assert "Police answered 10:0" in row(page, first) and "Came in 10:0" in row(page, second)
    assert whose(board(own, changed="since"))
    assert "Police answered" in row(board(own), first), "the same look goes on"
    own.sql("UPDATE board_look SET begun_at = begun_at - interval '1 h'")
    page = board(own)
    assert "Nothing changed since" in page and "answered 1" not in row(page, first)


def test_a_page_that_is_open_hears_how_many_changed_and_stays_as_it_is(own: Hub) -> None:
    reference = own.referral()
    page = board(own)
    path = re.findall(r'hx-get="(/board/changed[^"]+)"', page)
    assert len(path) == 1 and "Shown as at 10:0" in page
    by = {**own.staff("duty_manager"), "MASH-By-Itself": "yes"}
    since = int(datetime(2026, 11, 19, 10, tzinfo=LONDON).timestamp())
    own.give(reference, "add_note", words="Rang the school.")
    told = own.http.get(f"/board/changed?since={since - 1}", headers=by).text
    assert "1 changed: show it" in told and 'href=""' in told and reference not in told
    nothing = own.http.get(f"/board/changed?since={since + 3600}", headers=by).text
    assert "Shown as at 11:00" in nothing
    assert own.http.get("/board/changed?since=1", headers=own.staff("administrator")).status_code == 403


def test_a_partner_hears_nothing_of_what_is_known_of_a_child(own: Hub) -> None:
    reference = own.referral(subjects=[EWA], household=[])
    own.rate(reference)
    board(own, "agency", "police")
    own.sql("UPDATE board_look SET begun_at = begun_at - interval '1 h'")
    other = own.referral(subjects=[EWA], household=[])
    own.work()
    own.give(reference, "identify_subject", subject="S1", other=other, other_subject="S1", words="The same child.")
    page = board(own, "agency", "police")
    assert "Nothing changed since" in page
    own.sql("UPDATE board_look SET begun_at = begun_at - interval '1 h' WHERE person LIKE 'duty%%'")


def test_times_of_a_look_are_the_hubs_own(own: Hub) -> None:
    own.referral()
    board(own)
    ((seen,),) = own.sql("SELECT seen_at FROM board_look")
    assert abs(seen - datetime(2026, 11, 19, 10, tzinfo=UTC)) < timedelta(minutes=5)


def next_after(hub: Hub, reference: str, by: Actor) -> str | None:
    async def asked() -> str | None:
        store = await open_store(hub.settings)
        try:
            return await next_of_board(store, by, await look_at(store, reference, by, "read_case"))
        finally:
            await store.close()

    return asyncio.run(asked())


def test_after_a_case_comes_the_one_that_stands_below_it_on_the_board(own: Hub) -> None:
    in_danger, red, unrated, green, last = own.referral(concern=DANGER), *(own.referral() for _ in range(4))
    own.rate(red)
    for each in (green, last):
        own.rate(each, "green")
    order = re.findall(r'href="/case/([^"]+)"', board(own, later="shown"))
    assert order == [in_danger, unrated, red, green, last]
    manager = person("duty_manager")
    assert [next_after(own, each, manager) for each in order] == [unrated, red, green, last, None]
    own.answer_all(green)
    own.give(green, "record_decision", outcomes={"S1": "no_further_action"}, words="The school acts.")
    police = person("agency", "police")
    assert (next_after(own, green, manager), next_after(own, green, police)) == (in_danger, red), "it is closed"


@pytest.mark.parametrize("acts", [(), ("rate",), ("rate", "answer"), ("rate", "proceed"), ("danger",), ("danger", "rate")])
def test_what_the_database_reckons_of_a_case_is_what_its_state_says(hub: Hub, acts: tuple[str, ...]) -> None:
    reference = hub.referral(**({"concern": DANGER} if "danger" in acts else {}))
    if "rate" in acts:
        hub.rate(reference)
    if "answer" in acts:
        hub.answer(reference, "police")
    if "proceed" in acts:
        hub.give(reference, "proceed_without_replies", words="It cannot wait for them.")
    reckoned = "SELECT state, danger, hands, for_all FROM referral WHERE reference = %s"
    before = hub.sql(reckoned, reference)
    ((state, danger, hands, for_all),) = before
    referral = Referral.model_validate_json(state)
    assert danger == referral.in_danger and for_all == referral.version_for_all > 0
    assert {each for each in hands if each.startswith("agency:")} == {f"agency:{agency}" for agency in referral.to_answer}
    hub.sql("UPDATE referral SET danger = NOT danger, hands = '{}', for_all = 0 WHERE reference = %s", reference)
    assert hub.sql(reckoned, reference) == before, "nobody writes it otherwise"
