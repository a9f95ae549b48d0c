"""The firewall in the database: as the role that people act by, whatever the query, nothing of another hub or agency is seen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from acting import BASIS, DUTY, MANAGER, POLICE, SCHOOL, START, set_time, submit
from psycopg import sql

from mash.api.self_test.walls import be as act_as
from mash.flows.installation.postmaster import Cluster
from mash.flows.store.acting import Signer
from mash.flows.store.apply import act
from mash.flows.store.reads.accesses import MOST, Span, accesses_of, accesses_to
from mash.flows.store.reads.board import open_cases
from mash.flows.store.reads.items import information_product, read_items
from mash.flows.store.reads.look import look_at, look_at_family
from mash.flows.store.store import Store
from mash.states.acts.checks import AnswerCheck
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.information import BreakGlass, ReleaseInformation
from mash.states.acts.rating import RateReferral
from mash.states.errors import NotFound
from mash.states.values import Actor

HEALTH = Actor(id="h.navigator", role="agency", agency="health", hub="merton")
HOUSING = Actor(id="h.officer", role="agency", agency="housing", hub="merton")
SANDWELL = Actor(id="d.manager", role="duty_manager", agency="social_care", hub="sandwell")
GOVERNANCE = Actor(id="i.governor", role="information_governance", agency="social_care", hub="merton")
SECRET = "Known to officers under another name."


@pytest.fixture
async def reference(store: Store) -> str:
    """A case of Merton's: the police have answered in words, and health has been asked."""
    set_time(store, START)
    reference = await submit(store)
    await act(store, reference, BASIS, DUTY)
    await act(store, reference, RateReferral(rating="amber"), DUTY)
    await act(store, reference, AnswerCheck(agency="police", known=True), POLICE, words=SECRET)
    return reference


@pytest.fixture
def as_application(cluster: Cluster, store: Store) -> Iterator[psycopg.Connection]:
    """Somebody who has got hold of the application's own connection, and types what they like."""
    with psycopg.connect(host=str(cluster.socket), user="mash_app", dbname="mash") as connection:
        yield connection


def be(connection: psycopg.Connection, by: Actor) -> Signer:
    """Have the application say who acts, as it does at the beginning of every transaction."""
    with psycopg.connect(host=connection.info.host, user="mash_owner", dbname="mash") as owner:
        ((key,),) = owner.execute("SELECT key FROM caller_key").fetchall()
    return act_as(connection, by, START, bytes(key))


def count(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    return int(row[0]) if row else -1


@pytest.mark.parametrize("table", ["session", "sign_in", "sign_in_failure", "one_time_code", "api_key"])
@pytest.mark.parametrize("what", ["SELECT * FROM {}", "DELETE FROM {}", "INSERT INTO {} DEFAULT VALUES"])
def test_no_query_of_a_persons_reaches_what_people_sign_in_by(as_application: psycopg.Connection, table: str, what: str) -> None:
    be(as_application, GOVERNANCE)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_application.execute(sql.SQL(what).format(sql.Identifier(table)))


TABLES = ("referral", "event", "referral_key", "personal_item", "receipt", "notice", "participant", "rota")


@pytest.mark.parametrize("table", TABLES)
async def test_a_connection_that_does_not_say_who_acts_sees_nothing(
    reference: str, as_application: psycopg.Connection, table: str
) -> None:
    assert count(as_application, table) == 0


@pytest.mark.parametrize("table", TABLES)
async def test_another_hub_sees_nothing_whatever_it_asks(reference: str, as_application: psycopg.Connection, table: str) -> None:
    be(as_application, SANDWELL)
    assert count(as_application, table) == 0
    be(as_application, DUTY)
    assert count(as_application, table) > 0 or table in ("receipt", "rota"), "which its own hub does"


@pytest.mark.parametrize("table", ["referral", "event", "referral_key", "personal_item", "notice"])
async def test_an_agency_that_takes_no_part_sees_nothing_of_the_case(
    reference: str, as_application: psycopg.Connection, table: str
) -> None:
    be(as_application, HOUSING)
    assert count(as_application, table) == 0
    be(as_application, HEALTH)
    assert count(as_application, table) > 0, "which one that was asked does"


async def test_what_an_agency_holds_is_shown_to_nobody_else_before_it_is_released(
    store: Store, reference: str, as_application: psycopg.Connection
) -> None:
    held = "SELECT count(*) FROM personal_item WHERE kind = 'answer_check'"
    for by, seen in ((DUTY, 0), (HEALTH, 0), (MANAGER, 0), (POLICE, 1)):
        be(as_application, by)
        assert as_application.execute(held).fetchone() == (seen,)
    items = await read_items(store, await look_at(store, reference, POLICE, "read_case"), POLICE)
    item = next(item["item"] for item in items if item["content"] == SECRET)
    release = ReleaseInformation(item=item, necessity="to_protect_a_child", proportionality="whole")
    await act(store, reference, release, POLICE, words="The meeting must know.")
    as_application.rollback()
    be(as_application, HEALTH)
    assert as_application.execute(held).fetchone() == (1,)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET canonical = '{}'",
        "DELETE FROM event",
        "DELETE FROM referral",
        "DELETE FROM access",
        "UPDATE access SET person = 'nobody'",
        "TRUNCATE event",
        "UPDATE referral_key SET wrapped = NULL",
        "UPDATE personal_item SET sealed = ''",
        "UPDATE receipt SET status = 500",
        "SELECT * FROM api_key",
        "SELECT * FROM delivery",
        "ALTER TABLE referral DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE referral NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY reached ON referral",
        "CREATE POLICY open ON referral USING (true)",
        "ALTER ROLE mash_app BYPASSRLS",
        "SET ROLE mash_owner",
        "SET ROLE mash_system",
        "SET SESSION AUTHORIZATION mash_system",
        "CREATE TABLE mine (a int)",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_import('/etc/passwd')",
    ],
)
async def test_the_applications_role_cannot_switch_it_off_or_change_what_was_recorded(
    reference: str, as_application: psycopg.Connection, statement: str
) -> None:
    be(as_application, DUTY)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_application.execute(statement.encode())


@pytest.mark.parametrize("role", ["mash_app", "mash_system"])
async def test_the_roles_own_nothing_and_are_bound_by_every_policy(owner_connection: psycopg.Connection, role: str) -> None:
    query = "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = %s"
    assert owner_connection.execute(query, (role,)).fetchone() == (False,)
    query = "SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname = %s"
    assert owner_connection.execute(query, (role,)).fetchone() == (0,)


async def test_every_table_that_says_whose_a_row_is_is_guarded(owner_connection: psycopg.Connection) -> None:
    unguarded = owner_connection.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname IN ('hub', 'owner_agency')"
        " WHERE c.relkind = 'r' AND NOT c.relrowsecurity AND c.relnamespace = 'public'::regnamespace"
        " AND has_table_privilege('mash_app', c.oid, 'SELECT')"
    ).fetchall()
    assert unguarded == [("profile_version",)], "a profile is no secret: it is what a hub published of itself"


async def test_a_split_hands_out_what_agencies_hold_only_while_it_happens(
    store: Store, reference: str, as_application: psycopg.Connection
) -> None:
    be(as_application, MANAGER)
    taken = "SELECT count(*) FROM items_of_split(%s, %s)"
    assert as_application.execute(taken, (reference, f"{reference}-B")).fetchone() == (0,)
    two = await submit(store, "s1", "s2")
    await act(store, two, BASIS, DUTY)
    await act(store, two, RateReferral(rating="blue"), DUTY)
    outcomes = {"s1": "section_17", "s2": "early_help"}
    await act(store, two, RecordDecision(outcomes=outcomes, primary_need="N1"), MANAGER, words="Different needs.")
    assert as_application.execute(taken, (two, f"{two}-B")).fetchone() == (0,), "it has happened"


async def test_a_referrer_reaches_what_they_made_and_no_more(store: Store, reference: str) -> None:
    other = SCHOOL.model_copy(update={"id": "school-2"})
    assert (await look_at(store, reference, SCHOOL, "read_own_referral")).reference == reference
    with pytest.raises(NotFound):
        await look_at(store, reference, other, "read_own_referral")


async def test_a_partners_board_holds_the_cases_that_they_take_part_in(store: Store, reference: str) -> None:
    await submit(store)
    assert [case.reference for case in await open_cases(store, HEALTH)] == [reference]
    assert await open_cases(store, HOUSING) == []
    assert len(await open_cases(store, DUTY)) == 2


async def test_who_breaks_the_glass_reads_the_case_for_some_hours_and_colleagues_do_not(store: Store, reference: str) -> None:
    with pytest.raises(NotFound):
        await look_at(store, reference, HOUSING, "read_case")
    await act(store, reference, BreakGlass(), HOUSING, words="She stands in front of me.", of_system=True)
    assert (await look_at(store, reference, HOUSING, "read_case")).reference == reference
    with pytest.raises(NotFound):
        await look_at(store, reference, HOUSING.model_copy(update={"id": "a.colleague"}), "read_case")
    items = await read_items(store, await look_at(store, reference, HOUSING, "read_case"), HOUSING)
    assert SECRET not in str(items), "what the police hold stays theirs"
    item = next(item["item"] for item in items if item["kind"] == "held_by_agency")
    release = ReleaseInformation(item=item, necessity="to_protect_a_child", proportionality="whole")
    await act(store, reference, release, POLICE, words="For the meeting.")
    case = await look_at(store, reference, HOUSING, "read_case")
    assert SECRET not in str(await read_items(store, case, HOUSING)), "it was released to those at the table"
    assert [line["content"] for line in await information_product(store, case, HOUSING)] == [None]
    assert SECRET in str(await read_items(store, case, HEALTH)) and SECRET in str(await read_items(store, case, DUTY))
    set_time(store, START + timedelta(hours=5))
    with pytest.raises(NotFound):
        await look_at(store, reference, HOUSING, "read_case")


async def test_every_look_is_written_down_with_who_and_what_let_them(store: Store, reference: str) -> None:
    await look_at(store, reference, DUTY, "read_case")
    await look_at(store, reference, HEALTH, "read_story")
    await act(store, reference, BreakGlass(), HOUSING, words="She stands in front of me.", of_system=True)
    await look_at(store, reference, HOUSING, "read_case")
    found = [(row.person, row.action, row.why) for row in await accesses_to(store, [reference], GOVERNANCE)]
    assert found == [
        ("h.officer", "read_case", "broke the glass"),
        ("h.navigator", "read_story", "health takes part"),
        ("d.manager", "read_case", "works at the hub"),
    ]
    assert [row.reference for row in await accesses_of(store, "d.manager", GOVERNANCE)] == [reference]
    again = [row.person for row in await accesses_to(store, [reference], GOVERNANCE)]
    assert again[0] == "i.governor", "who asks who looked is written down too"
    examined = await accesses_of(store, "i.governor", GOVERNANCE)
    assert [(row.reference, row.about) for row in examined] == [(None, "d.manager"), (reference, None)], "of a person too"
    assert await accesses_to(store, [reference], DUTY) == [], "nobody else reads these"


async def test_looks_that_are_repeated_are_counted_and_push_no_other_out_of_sight(store: Store, reference: str) -> None:
    await look_at(store, reference, HEALTH, "read_story")
    for minutes in (1, 2, 61):
        set_time(store, START + timedelta(minutes=minutes))
        await look_at(store, reference, DUTY, "read_case")
    late, early, first = await accesses_to(store, [reference], GOVERNANCE)
    assert (late.times, early.times, first.person) == (1, 2, "h.navigator")
    assert early.last_at - early.at == timedelta(minutes=1)


async def test_a_long_report_goes_on_where_the_page_before_ended(
    store: Store, reference: str, owner_connection: psycopg.Connection
) -> None:
    await look_at(store, reference, HEALTH, "read_story")
    columns = "at, person, role, agency, hub, reference, action, why"
    many = f"INSERT INTO access ({columns}) SELECT %s, 'p' || n, 'r', 'a', 'merton', %s, 'x', 'y'"
    owner_connection.execute(f"{many} FROM generate_series(1, %s) n".encode(), (START, reference, MOST + 1))
    page = await accesses_to(store, [reference], GOVERNANCE)
    assert len(page) == MOST + 1 and "h.navigator" not in {row.person for row in page}
    # What is reloaded meanwhile is not pushed behind where one has read.
    owner_connection.execute(f"{many} FROM generate_series(1, 3) n".encode(), (START, reference))
    rest = await accesses_to(store, [reference], GOVERNANCE, Span(before=page[MOST - 1].first))
    assert [(row.person, row.times) for row in rest] == [("p1", 2), ("h.navigator", 1)]


async def test_a_referrer_who_sees_what_became_of_each_part_looks_at_each(store: Store, reference: str) -> None:
    two = await submit(store, "s1", "s2")
    await act(store, two, BASIS, DUTY)
    await act(store, two, RateReferral(rating="blue"), DUTY)
    outcomes = {"s1": "section_17", "s2": "early_help"}
    await act(store, two, RecordDecision(outcomes=outcomes, primary_need="N1"), MANAGER, words="Different needs.")
    parts = [part.reference for part in await look_at_family(store, f"{two}-B", SCHOOL, "read_own_referral")]
    assert parts == [two, f"{two}-B"]
    assert [row.reference for row in await accesses_of(store, SCHOOL.id, GOVERNANCE)] == parts[::-1]
    with pytest.raises(NotFound):
        await look_at_family(store, two, SCHOOL.model_copy(update={"id": "school-2"}), "read_own_referral")
