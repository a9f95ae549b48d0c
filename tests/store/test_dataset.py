"""The dataset: what its rows say of contacts, and that figures on pages are sums of it."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from acting import BASIS, DUTY, MANAGER, SCHOOL, START, set_time, submit, turned_away
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from mash.api.pages.figures import manager
from mash.api.pages.figures.reckoning import percentile
from mash.api.pages.figures.tables import week_of
from mash.config.words import sentence, worded
from mash.flows.store.apply import act, receive
from mash.flows.store.erasure import erase
from mash.flows.store.looking import look
from mash.flows.store.reads.dataset import NotOver, Period, days_of, weeks, whole_weeks
from mash.flows.store.store import Store
from mash.flows.store.tables import ACCESSES
from mash.flows.store.writes import Item
from mash.flows.telling.dataset import WRITTEN, Form, Rows, dictionary, take
from mash.flows.telling.dataset_columns import ENDS, OTHER, columns
from mash.states.acts.checks import ProceedWithoutReplies
from mash.states.acts.closing import ErasePeople, ReopenReferral
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.known import IdentifySubject, WithdrawIdentity
from mash.states.acts.rating import RateReferral, RerateReferral
from mash.states.acts.upkeep import LinkReferral
from mash.states.clocks import LONDON, day_of
from mash.states.values import Actor, Subject

ANALYST = Actor(id="a.nalyst", role="analyst", agency="social_care", hub="merton")
ADMINISTRATOR = Actor(id="cli:root", role="administrator", agency="system", hub="merton")
ELSEWHERE = Actor(id="e.lsewhere", role="analyst", agency="social_care", hub="sandwell")
MINUTE, HOUR, DAY, WEEK = (timedelta(**{unit: 1}) for unit in ("minutes", "hours", "days", "weeks"))
LATER = datetime(2028, 1, 1, tzinfo=UTC)


def weeks_of(first: date, last: date) -> Period:
    """The weeks of these days, as whoever takes them once all are over is given them."""
    return whole_weeks(first, last, LATER)


YEAR = weeks_of(date(2026, 1, 1), date(2026, 12, 31))


async def taken(store: Store, period: Period = YEAR, by: Actor = ANALYST) -> list[dict[str, str]]:
    """The rows of the dataset, as whoever opens the file reads them."""
    file = io.BytesIO()
    number = await take(store, by, period, "csv", file)
    rows = list(csv.DictReader(io.StringIO(file.getvalue().decode())))
    assert len(rows) == number
    return rows


async def only(store: Store) -> dict[str, str]:
    [row] = await taken(store)
    return row


async def contact(store: Store, at: datetime, kind: Any = "referral", source: str = "2A", need: str | None = None) -> str:
    """A contact about one child, of this kind, source and need."""
    set_time(store, at)
    command = ReceiveContact(
        contact=kind, source=source, source_agency="school", subjects=(Subject(id="s1", cohort="child"),), primary_need=need
    )
    async with store.transaction(SCHOOL) as connection:
        return (await receive(connection, store, command, [Item("concern", b"a worry")], SCHOOL)).reference


async def a_named_child(store: Store, at: datetime) -> str:
    """A contact about a child whom the software knows again."""
    set_time(store, at)
    command = ReceiveContact(contact="referral", source="6", source_agency="police", subjects=(Subject(id="s1", cohort="child"),))
    child = {"name": {"given": "Isla", "family": "Example"}, "date_of_birth": "2015-12-20", "postcode": "AB1 2CD"}
    items = [Item("concern", b"a worry"), Item("subject", json.dumps(child).encode(), "s1")]
    async with store.transaction(SCHOOL) as connection:
        return (await receive(connection, store, command, items, SCHOOL)).reference


async def decide(store: Store, reference: str, at: datetime, **outcomes: str) -> None:
    set_time(store, at)
    await act(store, reference, RateReferral(rating="blue"), DUTY, words="A request.")
    decision = RecordDecision.model_validate({"outcomes": outcomes or {"s1": "no_further_action"}, "primary_need": "N1"})
    await act(store, reference, decision, MANAGER, words="As said.")


async def test_a_row_says_who_made_it_what_about_and_how_long_each_part_took(store: Store) -> None:
    reference = await contact(store, START, need="N1")
    set_time(store, START + HOUR)
    await act(store, reference, BASIS, DUTY, words="To find out.")
    await act(store, reference, RateReferral(rating="green"), DUTY, words="Not urgent.")
    set_time(store, START + 2 * HOUR)
    await act(store, reference, RerateReferral(rating="amber"), DUTY, words="More urgent.")
    set_time(store, START + 3 * HOUR)
    await act(store, reference, ProceedWithoutReplies(), DUTY, words="It cannot wait.")
    set_time(store, START + 5 * HOUR + 59.9 * timedelta(seconds=1))
    await act(store, reference, RecordDecision(outcomes={"s1": "advice"}, primary_need="N2"), MANAGER, words="Advice.")
    row = await only(store)
    expected = {
        "hub": "merton", "received_week": "2026-06-01", "received_month": "2026-06-01", "kind": "referral", "source": "2A",
        "primary_need": "N2", "about_domestic_abuse": "0", "subjects": "1", "subjects_child": "1", "subjects_adult": "0",
        "first_rating": "green", "rating": "amber", "decision": "advice", "outcome": "advice", "outcome_advice": "1",
        "outcome_early_help": "0", "open": "0", "referrals": "1", "reopened": "0", "decided_week": "2026-06-01",
        "minutes_to_rated": "60", "minutes_to_stage_triage": "0", "minutes_to_stage_agency_checks": "60",
        "minutes_to_stage_conference": "", "minutes_to_decided": "300", "minutes_to_ended": "300",
        "in_time_decision_on_response": "kept", "earlier_confirmed": "0",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected


async def test_what_waits_has_no_end_and_what_was_not_rated_no_rating(store: Store) -> None:
    await contact(store, START)
    set_time(store, START + 5 * DAY)
    row = await only(store)
    empty = ("first_rating", "rating", "decision", "outcome", "decided_week", "minutes_to_decided", "minutes_to_ended")
    assert {row[name] for name in (*empty, "primary_need", "minutes_to_rated")} == {""}
    assert (row["open"], row["in_time_triage"]) == ("1", "running"), "nobody was there to record that it ran out"


async def test_of_a_contact_that_was_split_there_is_one_row_with_all_its_people(store: Store) -> None:
    set_time(store, START)
    await decide(store, await submit(store, "s1", "s2", "s3"), START + HOUR, s1="early_help", s2="advice", s3="no_further_action")
    row = await only(store)
    assert (row["subjects"], row["referrals"], row["decision"]) == ("3", "3", "early_help")
    assert (row["outcome_advice"], row["outcome_no_further_action"], row["open"]) == ("1", "1", "1")
    assert (row["outcome"], row["minutes_to_ended"]) == ("advice", ""), "early help has not accepted yet"


async def test_what_was_given_as_a_code_and_is_none_is_no_text_in_a_row(store: Store) -> None:
    await contact(store, START, source="3Z", need="N77")
    row = await only(store)
    assert (row["source"], row["sector"], row["primary_need"]) == ("other", "other", "other")


async def test_no_row_has_a_name_a_reference_a_login_or_a_moment(store: Store) -> None:
    set_time(store, START + 17 * MINUTE)
    reference = await submit(store, words="Orla Quince")
    await decide(store, reference, START + HOUR)
    await confirmed_to_be(store, await contact(store, START + 2 * HOUR), reference)
    for form in ("csv", "parquet"):
        file = io.BytesIO()
        await take(store, ANALYST, YEAR, form, file)
        for secret in (b"MASH-26", b"Orla", b"Quince", b"d.manager", b"m.manager", b"school-1", b"09:", b"2026-06-02"):
            assert secret not in file.getvalue(), (form, secret)


async def confirmed_to_be(store: Store, reference: str, other: str) -> None:
    """Somebody confirms that two contacts are about one child."""
    await act(store, reference, IdentifySubject(subject="s1", other=other, other_subject="s1"), DUTY)
    await look(store, "merton", reference)


async def test_earlier_contacts_are_those_of_the_child_whenever_somebody_has_confirmed_who_it_is(store: Store) -> None:
    long_ago = await contact(store, START - 400 * DAY)
    first, second = await contact(store, START), await contact(store, START + WEEK, "advice")
    third = await contact(store, START + 2 * WEEK)
    await confirmed_to_be(store, third, first)
    await confirmed_to_be(store, third, long_ago)
    await decide(store, third, START + 2 * WEEK + HOUR)
    # What is found out once a case is closed, nobody tells it; it is the same child all the same.
    await confirmed_to_be(store, await contact(store, START + 3 * WEEK), first)
    await confirmed_to_be(store, second, first)
    rows = {row["received_week"]: row for row in await taken(store)}
    assert [rows[week]["earlier_confirmed"] for week in ("2026-06-01", "2026-06-08", "2026-06-15", "2026-06-22")] == list("0123")
    assert rows["2026-06-15"]["earlier_referrals_confirmed"] == "1", "advice is no referral"
    assert rows["2026-06-22"]["earlier_of_one_child"] == "3"


async def test_a_confirmation_that_was_taken_back_counts_no_more(store: Store) -> None:
    first, second = await contact(store, START), await contact(store, START + DAY)
    await confirmed_to_be(store, second, first)
    await act(store, second, WithdrawIdentity(subject="s1"), DUTY, words="A mistake.")
    await look(store, "merton", second)
    assert [row["earlier_confirmed"] for row in await taken(store)] == ["0", "0"]


async def test_what_was_taken_back_after_a_case_was_closed_counts_no_more_for_it_either(store: Store) -> None:
    first, second, third = [await contact(store, START + days * DAY) for days in range(3)]
    await confirmed_to_be(store, second, first)
    await decide(store, second, START + 3 * DAY)
    await confirmed_to_be(store, third, first)
    await act(store, first, WithdrawIdentity(subject="s1"), DUTY, words="A mistake.")
    await look(store, "merton", first)
    # The second and the third are one child still; no case that is closed is told that the first is another.
    assert [row["earlier_confirmed"] for row in sorted(await taken(store), key=by_receipt)] == ["0", "0", "1"]


def by_receipt(row: dict[str, str]) -> tuple[str, str]:
    """The order in which a few contacts came in, which rows of one week do not have: by how many were before."""
    return row["received_week"], row["earlier_confirmed"]


async def test_contacts_about_brother_and_sister_add_up_by_contact_and_are_counted_for_each_child(store: Store) -> None:
    set_time(store, START)
    his, hers = await submit(store, words="one"), await submit(store, words="other")
    set_time(store, START + DAY)
    both = await submit(store, "s1", "s2")
    for subject, other in (("s1", his), ("s2", hers)):
        await act(store, both, IdentifySubject(subject=subject, other=other, other_subject="s1"), DUTY)
    await look(store, "merton", both)
    [row] = [row for row in await taken(store) if row["subjects"] == "2"]
    assert (row["earlier_confirmed"], row["earlier_of_one_child"]) == ("2", "1")


async def test_a_link_by_hand_says_it_is_the_same_child(store: Store) -> None:
    first, second = await contact(store, START), await contact(store, START + DAY)
    await act(store, second, LinkReferral(other=first, relation="same_child"), DUTY, words="The mother said so.")
    assert sorted(row["earlier_confirmed"] for row in await taken(store)) == ["0", "1"]


async def test_an_erased_contact_keeps_its_row_which_says_so_and_is_nobodys_earlier_contact_any_more(store: Store) -> None:
    first, second, third = [await contact(store, START + days * DAY) for days in range(3)]
    await confirmed_to_be(store, second, first)
    await act(store, third, LinkReferral(other=second, relation="same_child"), DUTY, words="The mother said so.")
    await decide(store, second, START + 4 * DAY)
    assert sorted(row["earlier_confirmed"] for row in await taken(store)) == ["0", "1", "1"]
    await erase(store, second, ErasePeople(why="court_order"), ADMINISTRATOR)
    rows = sorted(await taken(store), key=lambda row: row["erased"])
    assert [row["erased"] for row in rows] == ["0", "0", "1"] and rows[2]["outcome"] == "no_further_action"
    assert [row["earlier_confirmed"] for row in rows] == ["0", "0", ""] and rows[2]["earlier_of_one_child"] == ""


# --- figures are sums of it ----------------------------------------------------------------------------------------------


async def a_quarter(store: Store) -> datetime:
    """A hub's spring: contacts of many kinds, rated, decided, split, reopened, waiting, about the same children; the time it is
    then, a Wednesday."""
    made = list[str]()
    for number in range(40):
        at = START + number * 45 * HOUR
        kind = ("referral", "referral", "advice", "police_notification")[number % 4]
        made.append(await contact(store, at, kind, ("2A", "6", "1A", "3B", "3Z")[number % 5], (None, "N1", "N5")[number % 3]))
        if number % 3:
            await decide(store, made[-1], at + (1 + number % 7) * 9 * HOUR, s1=("advice", "no_further_action")[number % 2])
        if number % 3 and number % 8 == 5:
            set_time(store, at + 5 * DAY)
            await act(store, made[-1], ReopenReferral(), MANAGER, words="A mistake.")
        if number % 5 == 4:
            await confirmed_to_be(store, made[-1], made[-5])
        if number % 9 == 8:
            await act(store, made[-1], LinkReferral(other=made[-8], relation="same_child"), DUTY, words="It is he.")
    split = await submit(store, "s1", "s2", words="two of them")
    await decide(store, split, START + 80 * DAY, s1="early_help", s2="advice")
    set_time(store, START + 85 * DAY)
    await turned_away(store)
    for at in (START + 20 * DAY, START + 70 * DAY):
        await look(store, "merton", await a_named_child(store, at))
    await confirmed_to_be(store, made[1], made[0])  # of a child whose later contact is closed by now, and does not hear of it
    now = datetime(2026, 9, 2, 12, tzinfo=UTC)
    set_time(store, now)
    return now


def summed(rows: list[dict[str, str]], what: Callable[[dict[str, str]], Any]) -> Counter[Any]:
    return Counter(what(row) for row in rows)


async def test_figures_on_pages_are_sums_of_the_rows_of_the_same_period(store: Store) -> None:
    now = await a_quarter(store)
    found = await manager._reckoned(store, MANAGER, 13)
    monday = day_of(now) - timedelta(days=day_of(now).weekday(), weeks=13)
    rows = await taken(store, weeks_of(monday, day_of(now)))
    assert len(rows) > 35

    def table(name: str) -> dict[str, Any]:
        return {str(row[0]): row[1] for row in rows_of(found, name)}

    this_week = day_of(now) - timedelta(days=day_of(now).weekday())
    whole = [row for row in rows if row["received_week"] != str(this_week)]
    assert {week: int(number) for week, number in table("contacts").items() if number != "0"} == summed(whole, _week)
    of = {column.name: column for column in columns("merton", store.hub("merton"))}
    for figure, name in (("kinds", "kind"), ("sources", "source"), ("needs", "primary_need")):
        meant = of[name].codes
        assert _called(table(figure), meant) == summed(rows, lambda row, name=name, meant=meant: meant.get(row[name], UNSAID)), (
            figure
        )
    rated = summed([row for row in rows if row["first_rating"]], lambda row: _from_to(row["first_rating"], row["rating"]))
    assert table("ratings") == rated
    ended = {end: sum(int(row[f"outcome_{end}"]) for row in rows) for end in (*ENDS, OTHER)}
    assert table("outcomes") == {sentence(end): number for end, number in ended.items() if number}
    assert table("re-referrals") == _again(rows)
    assert [row[1:] for row in rows_of(found, "adding-up")] == _adding_up(rows)
    assert [row[1:] for row in rows_of(found, "same-child") if any(row[1:])] == _by_month(rows)
    assert [row[1:3] for row in rows_of(found, "back")] == _back(whole)


UNSAID = "Not recorded"
"""What the page calls what is empty in a row."""


def _called(table: dict[str, int], meant: Mapping[str, str]) -> Counter[str]:
    """A table of the page by the dictionary's words: what is no code stands there as it was given; in the dataset it is one."""
    found = Counter[str]()
    for label, number in table.items():
        found[label if label in (*meant.values(), UNSAID) else meant[OTHER]] += number
    return found


def _week(row: dict[str, str]) -> str:
    return week_of(datetime.fromisoformat(row["received_week"]))


def _from_to(first: str, now: str) -> str:
    return f"{sentence(first)} to {worded(now)}"


def rows_of(found: manager.Found, name: str) -> tuple[tuple[Any, ...], ...]:
    figure = found.figure(name)
    assert figure and figure.rows, name
    return figure.rows


def _by_month(rows: list[dict[str, str]]) -> list[tuple[int, int]]:
    found = dict.fromkeys(sorted({row["received_month"] for row in rows}), (0, 0))
    for row in rows:
        sure, likely = found[row["received_month"]]
        known = row["earlier_confirmed"] != "0"
        found[row["received_month"]] = sure + known, likely + (not known and row["earlier_suggested"] != "0")
    assert any(likely for _, likely in found.values())
    return [each for each in found.values() if any(each)]


def _back(rows: list[dict[str, str]]) -> list[tuple[int, int]]:
    found = dict.fromkeys(sorted({row["received_week"] for row in rows}), (0, 0))
    for row in rows:
        if row["kind"] == "referral":
            number, back = found[row["received_week"]]
            again = {row["earlier_referrals_confirmed"], row["earlier_referrals_suggested"]} != {"0"}
            found[row["received_week"]] = number + 1, back + again
    return [each for each in found.values() if each[0]]


def _again(rows: list[dict[str, str]]) -> dict[str, int]:
    referrals = [row for row in rows if row["kind"] == "referral"]
    sure = sum(row["earlier_referrals_confirmed"] != "0" for row in referrals)
    likely = sum(row["earlier_referrals_confirmed"] == "0" < row["earlier_referrals_suggested"] for row in referrals)
    return {
        "The same child within twelve months, confirmed": sure,
        "The same child within twelve months, suggested": likely,
        "Other referrals": len(referrals) - sure - likely,
        "Closures corrected by reopening": sum(int(row["reopened"]) for row in rows),
    }


def _adding_up(rows: list[dict[str, str]]) -> list[tuple[int, int]]:
    sure = summed(rows, lambda row: min(4, 1 + int(row["earlier_confirmed"])))
    likely = summed(rows, lambda row: min(4, 1 + int(row["earlier_confirmed"]) + int(row["earlier_suggested"])))
    return [(sure[times], likely[times]) for times in range(1, 5)]


async def test_the_time_to_a_decision_on_the_page_is_that_of_the_rows_decided_in_each_week(store: Store) -> None:
    now = await a_quarter(store)
    found = await manager._reckoned(store, MANAGER, 13)
    figure = found.figure("time-to-outcome")
    assert figure
    took: dict[date, list[int]] = {}
    for row in await taken(store):
        if row["decided_week"]:
            took.setdefault(date.fromisoformat(row["decided_week"]), []).append(int(row["minutes_to_decided"]))
    this_week = day_of(now) - timedelta(days=day_of(now).weekday())
    medians = [percentile([float(each) for each in took[week]], 50) for week in sorted(took) if week < this_week]
    assert len(medians) > 8
    assert [float(row[1]) for row in figure.rows] == [pytest.approx(minutes / 60, abs=0.51) for minutes in medians]


# --- what is recorded, and for whom ---------------------------------------------------------------------------------------


async def looks(store: Store) -> list[Any]:
    async with store.engine.begin() as connection:
        return list((await connection.execute(ACCESSES.select().where(ACCESSES.c.action == "take_dataset"))).all())


@pytest.mark.parametrize("form", ["csv", "parquet"])
async def test_each_taking_is_a_look_of_whoever_takes_it_and_says_of_what(store: Store, form: Form) -> None:
    await contact(store, START)
    file = io.BytesIO()
    await take(store, ANALYST, weeks_of(date(2026, 6, 1), date(2026, 6, 30)), form, file)
    [look_] = await looks(store)
    assert (look_.person, look_.role, look_.hub, look_.reference) == ("a.nalyst", "analyst", "merton", None)
    assert look_.why == f"dataset of 1 contacts, 2026-06-01 to 2026-07-05, as {form}"


async def test_a_hub_has_its_own_contacts_alone_and_weeks_begin_in_london(store: Store) -> None:
    await contact(store, datetime(2026, 6, 28, 22, 30, tzinfo=UTC))
    await contact(store, datetime(2026, 6, 28, 23, 30, tzinfo=UTC))
    assert len(await taken(store, weeks_of(date(2026, 6, 22), date(2026, 6, 22)))) == 1
    [next_week] = await taken(store, weeks_of(date(2026, 7, 5), date(2026, 7, 5)))
    assert (next_week["received_month"], next_week["received_week"]) == ("2026-06-01", "2026-06-29")
    assert await taken(store, by=ELSEWHERE) == [] and await taken(store, weeks_of(date(2026, 8, 1), date(2026, 8, 2))) == []


@given(
    st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 800), st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1))
)
def test_whichever_days_are_asked_for_whole_weeks_that_are_over_are_taken_or_none(first: date, days: int, now: datetime) -> None:
    last, now = first + days * DAY, now.replace(tzinfo=UTC)
    try:
        period = whole_weeks(first, last, now)
    except NotOver:
        monday = day_of(now) - day_of(now).weekday() * DAY
        assert last >= monday
    else:
        begins, ends = days_of(period)
        assert (begins.weekday(), ends.weekday()) == (0, 6) and begins <= first <= last <= ends < begins + (days + 13) * DAY
        assert {at.astimezone(LONDON).strftime("%H:%M") for at in period} == {"00:00"} and period.until <= now


async def test_parquet_has_the_same_rows_as_csv_each_column_with_its_type(store: Store) -> None:
    from arro3.io import read_parquet

    await a_quarter(store)
    file = io.BytesIO()
    number = await take(store, ANALYST, YEAR, "parquet", file)
    file.seek(0)
    table = read_parquet(file).read_all()
    rows = await taken(store)
    assert table.num_rows == number == len(rows)
    for column in columns("merton", store.hub("merton")):
        values = ["" if value is None else str(value) for value in table.column(column.name).to_pylist()]
        assert sorted(values) == sorted(row[column.name] for row in rows), column.name


async def test_the_dictionary_has_each_column_in_its_order_with_its_meaning_and_when_it_is_empty(
    store: Store,
) -> None:
    row = await contact(store, START) and await only(store)
    lines = list(csv.DictReader(io.StringIO(dictionary(columns("merton", store.hub("merton"))).decode("utf-8-sig"))))
    assert [line["column"] for line in lines[:-1]] == list(row)
    for line in lines[:-1]:
        assert line["meaning"].endswith(".") and line["when empty"] and (line["codes"] or line["unit"]), line
    assert "may find its row" in lines[-1]["meaning"] and "no small count" in lines[-1]["meaning"]


async def test_who_stops_waiting_for_a_parquet_file_waits_until_nothing_is_read_for_it_or_written_to_it(store: Store) -> None:
    made_of, asked, ended = columns("merton", store.hub("merton")), asyncio.Event(), list[str]()
    row = tuple("" if column.kind == "text" else START.date() if column.kind == "day" else 1 for column in made_of)

    async def rows() -> AsyncIterator[Rows]:
        yield [row]
        asked.set()
        try:
            await asyncio.Event().wait()  # a database that does not answer
        finally:
            ended.append("reading")

    class File(io.BytesIO):
        def close(self) -> None:
            ended.append("file")
            super().close()

        def write(self, some: Any) -> int:
            ended.append("writing")
            return super().write(some)

    with File() as file:
        writing = asyncio.create_task(WRITTEN["parquet"](rows(), made_of, file))
        await asked.wait()
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
    assert "reading" in ended and ended[-1] == "file"


async def test_within_a_week_rows_stand_in_no_order_that_tells_a_reference(store: Store) -> None:
    for number in range(12):
        await contact(store, START + number * MINUTE, source="2A" if number < 6 else "6")
    orders = {"".join(row["source"] for row in await taken(store)) for _ in range(6)}
    assert len(orders) > 1


async def test_when_cases_came_to_their_stages_is_found_by_an_index(store: Store) -> None:
    query = "SELECT FROM event WHERE reference = 'R' AND kind IN ('stage_entered', 'referral_rated')"
    async with store.transaction(DUTY) as connection:
        await connection.execute(text("SET LOCAL enable_seqscan = off"))
        await connection.execute(text("SET LOCAL enable_bitmapscan = off"))
        plan = (await connection.execute(text(f"EXPLAIN {query}"))).scalars().all()
    assert "event_reached" in "\n".join(plan)


def test_weeks_begin_on_mondays_in_london_and_leave_nothing_out_when_the_clocks_change() -> None:
    period = Period(*(datetime(2026, month, day, tzinfo=LONDON) for month, day in ((3, 25), (4, 8))))
    found = list(weeks(period))
    assert found[0].since == period.since and found[-1].until == period.until
    assert all(one.until == other.since for one, other in pairwise(found))
    assert {each.since.astimezone(LONDON).strftime("%a %H:%M") for each in found[1:]} == {"Mon 00:00"}
