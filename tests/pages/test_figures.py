"""How a hub is doing: what is counted, what is kept and missed, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hubs_at_work import answered, at_decision, outcome, partner, rated, received
from hypothesis import given
from hypothesis import strategies as st

from mash.api.pages.figures.groups import ages, ethnicities
from mash.api.pages.figures.headlines import Headline, by_agency, headlines_of
from mash.api.pages.figures.pictures import Series
from mash.api.pages.figures.reckoning import Tally, percentile, share
from mash.api.pages.figures.tables import MOST_ROWS, NOTHING, WITHHELD, Beside, Figure, figures_of
from mash.api.pages.figures.work import work
from mash.flows.store.reads.described import Described
from mash.flows.store.reads.figures import Called, Came, SecondLook
from mash.flows.store.reads.sums import Sums
from mash.flows.store.reads.workload import Load, Workload
from mash.flows.telling.cells import as_csv_cell
from mash.states.accumulation import contact_of
from mash.states.acts.checks import AnswerCheck, AskAgencies
from mash.states.acts.closing import ReopenReferral
from mash.states.clocks import LONDON, Length, Unit
from mash.states.referral import Clock, Referral, SubjectState
from mash.states.values import Likeness, Match

NOW = datetime(2026, 11, 19, 10, tzinfo=UTC)
DAY = timedelta(days=1)
NEVER = Called([], [])
numbers = st.lists(st.floats(0, 1_000), min_size=4, max_size=60)


@cache
def a_contact() -> Referral:
    """A contact as it comes in."""
    return received("sandwell").referral


def came(days: float, clocks: Sequence[Clock] = (), **more: Any) -> Referral:
    """A contact that came in so many days ago, with these clocks."""
    fields = {"received_at": NOW - days * DAY, "clocks": {clock.id: clock for clock in clocks}, **more}
    return a_contact().model_copy(update=fields)


def clock(name: str, due: float, hours: float | None = None, **fate: Any) -> Clock:
    """A clock of a day that was due so many days ago (before 0: in so many), and ended so many hours after it began."""
    due_at = NOW - due * DAY
    made = {"id": name, "kind": name.split(":")[0].split(".")[0], "owner": "duty_manager", "warn_at": (), "why": "", "source": ""}
    times = {"started_at": due_at - DAY, "due_at": due_at}
    ended = {"ended_at": times["started_at"] + timedelta(hours=hours)} if hours is not None else {}
    return Clock(**{**made, **times, **ended, **fate})


def tallied(
    *referrals: Referral,
    weeks: int = 4,
    now: datetime = NOW,
    taken_back: bool = False,
    called: Called = NEVER,
    earlier: Mapping[str, Came] | None = None,
) -> Tally:
    """These referrals added up, each a contact of its own unless it has a parent, and what their logs say of alerts and second
    looks. What their states say is confirmed is so, unless it was taken back. `earlier` is what is known of others."""
    tally, sums = Tally(weeks, now), Sums()
    for number, referral in enumerate(referrals):
        root = referral.parent or f"MASH-26-{number:06d}"
        sure = [match for match in referral.matches if match.other and match.likeness == "confirmed" and not taken_back]
        links = {match.reference: "same_child" for match in sure if contact_of(match.reference) != root}
        sums.add_all([(root, referral.model_copy(update={"links": {**links, **referral.links}}).model_dump_json())], now)
    sums.add_called(called)
    sums.place({**CAME, **(earlier or {})})
    tally.take(sums)
    return tally


def shown(tally: Tally, decided: int = 0) -> dict[str, Figure]:
    """The figures by their names."""
    groups = figures_of(tally, Beside(decided), {"police": "The police"})
    return {figure.name: figure for group in groups.values() for figure in group}


def column(figure: Figure) -> list[Any]:
    """The first numbers of its rows."""
    return [row[1] for row in figure.rows]


def numbers_of(figure: Figure) -> Mapping[str, Any]:
    """A figure's numbers by what they are of."""
    return {str(row[0]): row[1] for row in figure.rows}


# Percentiles and shares


@given(numbers, st.sampled_from((50, 85, 95)))
def test_a_percentile_is_one_of_the_values_and_so_many_do_not_exceed_it(values: list[float], rank: int) -> None:
    found = percentile(values, rank)
    assert found in values and sum(value <= found for value in values) >= rank / 100 * len(values)


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile(list[float](), 50)


@given(st.integers(1, 100_000), st.data())
def test_a_hundred_per_cent_are_all(whole: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, whole))
    assert (share(part, whole) == 100) is (part == whole)
    assert share(part, whole) <= 100 * part / whole


def test_all_but_one_are_not_all() -> None:
    assert share(299, 300) == 99.6 and share(2999, 3000) == 99.9


# Contacts


@given(st.lists(st.floats(0, 90), max_size=40))
def test_every_contact_is_counted_once_in_each_figure(ages: list[float]) -> None:
    tally = tallied(*(came(days) for days in ages), weeks=13)
    figures = shown(tally)
    for name in ("sources", "kinds", "needs"):
        assert sum(column(figures[name])) == len(ages)
    assert sum(tally.contacts) == len(ages) >= sum(map(int, column(figures["contacts"])))


def test_no_source_is_left_out_however_many_there_are() -> None:
    figure = shown(tallied(*(came(1, source=f"X{number}") for number in range(30))))["sources"]
    assert sum(column(figure)) == 30 and figure.rows[-1] == ("All others", 10, 33.3) and len(figure.rows) == MOST_ROWS + 1


def test_a_linked_referral_of_a_split_is_no_contact_of_its_own_and_its_peoples_outcomes_count() -> None:
    done = {"S1": SubjectState(cohort="child", outcome="advice")}
    split = came(3, parent="MASH-26-000000", rating="red", first_rating="red", subjects=done)
    figures = shown(tallied(came(3, rating="red", first_rating="red", subjects=done), split))
    for name in ("sources", "kinds", "needs", "ratings"):
        assert sum(column(figures[name])) == 1
    assert numbers_of(figures["outcomes"]) == {"Advice": 2}


def test_a_limit_that_was_missed_before_a_re_rating_gave_more_time_counts_as_missed_beside_the_one_that_was_kept() -> None:
    kept = clock("response", 1, hours=2, met=True, missed=(NOW - 2 * DAY, NOW - 3 * DAY))
    tally = tallied(came(4, [kept]))
    assert (sum(tally.due), sum(tally.in_time)) == (3, 1)


def test_sources_are_not_shouted_and_what_is_not_recorded_is_said() -> None:
    figures = shown(tallied(came(1, source="6", primary_need=None)))
    assert numbers_of(figures["sources"]) == {"Police": 1} and numbers_of(figures["needs"]) == {"Not recorded": 1}


def test_a_rating_is_shown_as_it_was_and_as_it_is() -> None:
    figures = shown(tallied(came(1, first_rating="amber", rating="red"), came(1, first_rating=None, rating=None)))
    assert numbers_of(figures["ratings"]) == {"Amber to red": 1}


def test_a_week_that_has_begun_and_one_that_is_cut_off_are_not_compared() -> None:
    """NOW is a Thursday: four weeks before it are counted whole, from Monday to Monday."""
    tally = tallied(*(came(days) for days in range(32)))
    assert tally.first.isoformat() == "2026-10-19T00:00:00+01:00"
    assert [row[:2] for row in shown(tally)["contacts"].rows] == [
        (f"{day} 2026", "7") for day in ("19 Oct", "26 Oct", "2 Nov", "9 Nov")
    ]


# Re-referrals


SAME = "The same child within twelve months, "
EARLIER, LONG_BEFORE = "MASH-26-000900", "MASH-25-000001"
"""Contacts that are not added up."""
CAME = {EARLIER: Came(NOW - 30 * DAY, True), LONG_BEFORE: Came(NOW - 367 * DAY, True)}


def again(days: float, *others: str, likeness: Likeness = "confirmed", other: str | None = "S1", **more: Any) -> Referral:
    """A contact that came in so many days ago, about a child whom these others name."""
    found = ({"subject": "S1", "reference": each, "other": other, "likeness": likeness, "why": ()} for each in others)
    return came(days, matches=tuple(Match.model_validate({**each, "received_at": NOW}) for each in found), **more)


def repeats(*referrals: Referral) -> list[float]:
    """Of these: how many are confirmed re-referrals, suggested ones, others, and closures that were corrected."""
    return column(shown(tallied(*referrals))["re-referrals"])


def test_the_later_of_two_about_one_child_is_a_re_referral_within_twelve_months() -> None:
    first, second = "MASH-26-000000", "MASH-26-000001"
    tally = tallied(again(3, second), again(2, first), again(1, LONG_BEFORE), again(1))
    assert column(shown(tally)["re-referrals"]) == [1, 0, 3, 0]


def test_what_somebody_has_confirmed_is_told_from_what_is_only_suggested() -> None:
    both = again(1, EARLIER, likeness="likely").model_copy(update={"links": {EARLIER: "same_child"}})
    assert repeats(again(1, EARLIER), again(1, EARLIER, likeness="likely"), both, again(1)) == [2, 1, 1, 0]
    says = shown(tallied(again(1, EARLIER), again(1, EARLIER, likeness="likely")))["re-referrals"].says
    assert says.startswith("1 of 2 referrals (50 per cent) is about the same child as another within the twelve months before")
    assert says.endswith("The software suggests it of 1 more (50 per cent).")


def test_what_was_taken_back_since_a_case_was_closed_counts_no_more_though_its_state_says_so() -> None:
    figures = shown(tallied(again(1, EARLIER), taken_back=True))
    assert column(figures["re-referrals"]) == [0, 0, 1, 0] and column(figures["adding-up"]) == [1, 0, 0, 0]


def test_a_contact_whose_people_are_erased_has_no_earlier_one_and_is_none() -> None:
    gone = {EARLIER: Came(NOW - 30 * DAY, True, erased=True)}
    contacts = (again(1, EARLIER), again(1, EARLIER, likeness="likely"), came(1, links={EARLIER: "same_child"}))
    assert column(shown(tallied(*contacts, earlier=gone))["re-referrals"]) == [0, 0, 3, 0]
    erased = came(1, links={EARLIER: "same_child"}, erased=True)
    assert repeats(erased) == [0, 0, 1, 0]


def test_a_link_by_hand_is_somebodys_word_and_one_to_a_sibling_is_about_another_child() -> None:
    assert repeats(came(1, links={EARLIER: "same_child"}), came(1, links={EARLIER: "sibling"})) == [1, 0, 1, 0]


def test_somebody_of_a_household_whom_another_contact_names_is_not_the_same_child() -> None:
    assert repeats(again(1, EARLIER, other=None)) == [0, 0, 1, 0]


def test_a_contact_that_was_split_is_one_re_referral_and_none_of_itself() -> None:
    part = again(2, f"{EARLIER}-B", "MASH-26-000000", parent="MASH-26-000000")
    assert repeats(again(2, EARLIER), part) == [1, 0, 0, 0]


def test_advice_and_requests_for_information_are_no_referrals_and_are_contacts() -> None:
    advice = (again(1, EARLIER, contact="advice"), again(1, EARLIER, contact="information_request", likeness="likely"))
    assert repeats(came(2), *advice) == [0, 0, 1, 0]
    figures = shown(tallied(came(2), *advice))
    assert figures["re-referrals"].says.startswith("0 of 1 referral (0 per cent)")
    assert figures["same-child"].rows[-1][1:] == (1, 1)
    assert "1 of 3 contacts (33.3 per cent)" in figures["same-child"].says
    earlier_advice = {EARLIER: Came(NOW - 30 * DAY, False)}
    assert column(shown(tallied(again(1, EARLIER), earlier=earlier_advice))["re-referrals"]) == [0, 0, 1, 0]
    assert shown(tallied(again(1, EARLIER), earlier=earlier_advice))["same-child"].rows[-1][1:] == (1, 0)


def test_months_are_counted_as_far_as_they_go_and_say_so() -> None:
    """NOW is 19 November, a Thursday: thirteen whole weeks begin on 17 August."""
    contacts = again(1, EARLIER), again(60, LONG_BEFORE), again(61, LONG_BEFORE, likeness="likely"), came(90)
    figure = shown(tallied(*contacts, weeks=13, earlier={LONG_BEFORE: Came(NOW - 300 * DAY, True)}))["same-child"]
    assert figure.rows == (
        ("Aug 2026, from 17 Aug", 0, 0),
        ("Sep 2026", 1, 1),
        ("Oct 2026", 0, 0),
        ("Nov 2026, to 19 Nov", 1, 0),
    )


def test_months_are_londons_and_a_year_goes_on_after_december() -> None:
    tally = Tally(52, datetime(2026, 3, 31, 23, 30, tzinfo=UTC))
    assert (tally.months[0], tally.months[-1], len(tally.months)) == ((2025, 3), (2026, 4), 14)
    assert (2025, 12) in tally.months and (2026, 1) in tally.months


def test_a_file_withholds_small_numbers_of_each_column_and_names_no_contact() -> None:
    contacts = [again(1, EARLIER)] * 7 + [again(1, EARLIER, likeness="likely")] * 2 + [again(29, EARLIER)] * 6
    figure = shown(tallied(*contacts))["same-child"]
    assert [row[1:] for row in figure.rows] == [(6, 0), (7, 2)]
    assert [row[1:] for row in figure.taken_away] == [(6, 0), (7, WITHHELD)]
    assert "MASH-" not in str((figure.rows, figure.taken_away, figure.says))


# Second looks


def test_second_looks_say_how_many_changed_something_and_how_long_they_took() -> None:
    hour = timedelta(hours=1)
    looks = [
        *(SecondLook("as_proposed", n * hour) for n in (1, 2, 6)),
        SecondLook("otherwise", 30 * hour),
        SecondLook(None, None),
    ]
    figure = shown(tallied(called=Called([], [(NOW - DAY, look) for look in looks])))["second-looks"]
    assert figure.rows == (
        ("Signed off as first decided", 3, 2.0),
        ("Sent back, or decided otherwise", 1, 30.0),
        ("Not signed off yet", 1, "none ended"),
    )
    assert figure.says == (
        "5 decisions went to a second person because contacts about one child add up. Of these, 1 was sent back or decided "
        "otherwise, and 1 is not signed off yet. Half of those that ended took 2 h at most."
    )
    assert {cell for row in figure.taken_away for cell in row[1:]} == {WITHHELD}


def test_of_no_second_look_it_is_said_once() -> None:
    figure = shown(Tally(4, NOW))["second-looks"]
    assert figure.says.startswith("No decision went to a second person") and figure.rows == ()


def test_a_closure_that_is_corrected_is_no_re_referral() -> None:
    case = at_decision("sandwell")
    case.give(outcome(case, "no_further_action"))
    case.give(ReopenReferral())
    assert case.referral.reopened
    now = case.now + DAY
    figure = shown(tallied(case.referral, now=now))["re-referrals"]
    assert numbers_of(figure) == {
        f"{SAME}confirmed": 0,
        f"{SAME}suggested": 0,
        "Other referrals": 1,
        "Closures corrected by reopening": 1,
    }
    assert "1 closure was corrected by reopening" in figure.says


# Clocks


def test_a_clock_that_is_late_is_missed_before_it_ends_and_one_that_was_not_needed_is_neither() -> None:
    tally = tallied(
        came(3, [clock("check:police", 2, 6, met=True)]),
        came(3, [clock("triage", 2, breached_at=NOW - 2 * DAY)]),
        came(3, [clock("triage", 2, 6, met=False)]),
        came(3, [clock("triage", -1)]),
    )
    figures = shown(tally)
    assert figures["stages"].rows == (("Triage", 0, 1, 0, *["none ended"] * 3), ("Check", 100, 1, 1, 6.0, 6.0, 6.0))
    assert figures["agencies"].rows == (("The police", 100, 1, 1, 6.0, 6.0, 6.0),)
    assert figures["stages"].heads[3:] == (
        "Of these ended", "Median, hours", "85 per cent within, hours", "95 per cent within, hours"
    )  # fmt: skip


def test_an_answer_that_came_late_is_missed_also_where_nothing_ran_that_would_have_recorded_it() -> None:
    case = rated("sandwell", "red")
    case.now += timedelta(hours=5)
    case.give(AnswerCheck(agency="police", known=False), partner("police"), words=False)
    assert case.clock("check:police").breached_at is None
    figures = shown(tallied(case.referral, now=case.now))
    assert figures["agencies"].rows == (("The police", 0, 1, 1, 5.0, 5.0, 5.0),)


def test_what_is_asked_again_counts_for_its_agency_too() -> None:
    case = answered(rated("sandwell", "green"))
    case.give(AskAgencies(agencies=("police",)))
    answered(case)
    now = case.now + 30 * DAY
    assert numbers_of(shown(tallied(case.referral, now=now, weeks=13))["agencies"])["The police"] == 100
    assert tallied(case.referral, now=now, weeks=13).agencies["police"].number == 2


def assessments(days: float) -> list[Clock]:
    """Of one that came in so many days ago, each due after 63 days: one is done on the twentieth, one is late."""
    began = {"started_at": NOW - days * DAY}
    done = {"ended_at": NOW - (days - 20) * DAY, "met": True} if days > 20 else {}
    late = {"breached_at": NOW - (days - 63) * DAY} if days > 63 else {}
    return [clock("assessment", days - 63, **began, **done), clock("assessment.2", days - 63, **began, **late)]


def test_clocks_are_dated_by_the_week_in_which_they_were_due_whenever_the_referral_came_in() -> None:
    """Half of them are late, every week: of what came in lately, all that are done would be kept."""
    figure = shown(tallied(*(came(days, assessments(days)) for days in range(130)), weeks=4))["in-time"]
    assert [row[3] for row in figure.rows] == ["50%"] * 4
    assert Tally(4, NOW).since <= NOW - (63 + 31) * DAY, "so long ago it came in, what was due in the first of these weeks"


def test_what_is_done_before_it_is_due_counts_when_it_is_due() -> None:
    early = came(1, [clock("assessment", -30, 2, met=True)])
    assert shown(tallied(early))["stages"].rows == ()


# Today


def test_today_is_londons_day() -> None:
    midnight = 10 / 24
    tally = tallied(came(midnight - 0.01), came(midnight + 0.01))
    assert tally.came_today == 1
    summer = datetime(2026, 7, 1, 0, 30, tzinfo=LONDON)
    assert Tally(4, summer).midnight == datetime(2026, 6, 30, 23, tzinfo=UTC)


def test_what_is_open_is_all_of_it_whenever_it_came_in() -> None:
    late = clock("triage", 300, breached_at=NOW - 300 * DAY)
    had = clock("triage", 1, breached_at=NOW - DAY, acknowledged_by="d.manager")
    done = {"S1": SubjectState(cohort="child", outcome="advice")}
    informed = clock("outcome_told", 1, breached_at=NOW - DAY)
    tally = tallied(came(301, [late]), came(2, [had]), came(1, [clock("triage", -1)]), came(9, [informed], subjects=done))
    figures = shown(tally, decided=2)
    assert numbers_of(figures["today"]) == {
        "Came in today": 0,
        "Decided today": 2,
        "Open": 3,
        "Late": 2,
        "Missed deadlines that nobody has acknowledged": 2,
    }
    assert sum(column(figures["ages"])) == 3 and numbers_of(figures["ages"])["over 45 calendar days"] == 1
    assert figures["ages"].says == "3 open, 1 of them for over 45 calendar days."


# What is said


def test_of_nothing_it_is_said_once_that_there_is_nothing() -> None:
    figures = shown(Tally(13, NOW))
    assert figures["sources"].says == NOTHING and figures["sources"].rows == ()
    assert figures["ages"].says == "Nothing is open." and figures["stages"].says == "None was due yet."
    assert figures["re-referrals"].says == "No referral came in." and figures["re-referrals"].rows == ()
    assert figures["same-child"].says == "No contact came in." and figures["same-child"].rows == ()


def test_who_has_the_lowest_share_is_said_unless_all_are_kept() -> None:
    in_time = came(3, [clock("check:police", 2, 6, met=True)])
    late = came(3, [clock("check:health", 2, 30, met=False)])
    assert shown(tallied(in_time))["agencies"].says.startswith("All were on time.")
    says = shown(tallied(in_time, late))["agencies"].says
    assert says.startswith("Health has the lowest share on time: 0 per cent.") and "that have ended" in says


def weeks(*contacts: int) -> Figure:
    """So many contacts in each of the last whole weeks."""
    monday = NOW - 3 * DAY
    ages = ((NOW - monday) / DAY + 7 * back for back, number in enumerate(reversed(contacts), 1) for _ in range(number))
    return shown(tallied(*(came(days) for days in ages), weeks=len(contacts)))["contacts"]


def test_weeks_that_chance_does_not_explain_are_said_marked_and_written_into_the_chart() -> None:
    same = weeks(*[5, 6] * 6)
    assert same.says.startswith("Within what chance explains. If nothing had changed, 3 weeks in 1,000")
    assert "(from all 12 weeks to 15 November)" in same.says and not same.marked
    one = weeks(*[2, 8] * 8, 40)
    assert one.says.startswith("Higher than chance explains, last week.") and one.marked == {16}
    assert isinstance(one.drawn, Series) and one.drawn.note == "Above the limit"
    three = weeks(*[8, 2] * 11, 40, 41, 42)
    assert three.says.startswith("Higher than chance explains, 3 weeks running.")
    assert "(from the 22 weeks to 25 October)" in three.says
    assert isinstance(three.drawn, Series) and three.drawn.note == "Above the limit from 26 October"


def test_a_run_within_the_limits_is_not_said_to_be_outside_them() -> None:
    figure = weeks(13, 9, 14, 8, 13, 9, 14, 8, 13, 9, *[13, 12] * 4)
    assert figure.says.startswith("Above the average, 8 weeks running, which chance does not explain.")
    assert len(figure.marked) >= 8 and "limit" not in str(getattr(figure.drawn, "note", "limit"))


def test_of_a_few_weeks_it_is_not_said_what_chance_explains() -> None:
    assert weeks(5, 6, 40).says == "Fewer than 8 weeks: too few to tell a change from chance."


def test_a_share_is_not_expected_above_a_hundred_per_cent() -> None:
    kept = [clock(f"triage.{n}", 7 * n + 4, 6, met=True) for n in range(13)]
    late = [clock(f"check.{n}", 7 * n + 4, 30, met=False) for n in range(0, 13, 3)]
    rows = shown(tallied(came(100, [*kept, *late]), weeks=13))["in-time"].rows
    assert rows and all(str(row[-1]).endswith("to 100%") for row in rows)


# The first five


def first(tally: Tally, **known: Any) -> dict[str, Headline]:
    """The five figures by their names."""
    beside = Beside(0, known.get("began"))
    hour = Length(amount=1, unit=Unit.ELAPSED_HOURS)
    return {each.figure.name: each for each in headlines_of(tally, beside, hour)}


def test_of_a_hub_where_nothing_has_happened_the_five_say_so() -> None:
    five = first(Tally(26, NOW))
    assert [each.name for each in five.values()] == [
        "Open now", "Contact to outcome", "Rated within the hour", "Agencies’ answers in time", "Back within 12 months"
    ]  # fmt: skip
    assert [each.value for each in five.values()] == ["0", "none", "none", "none", "none"]
    assert not any(each.told.stands_out for each in five.values())


def test_what_is_open_is_counted_at_the_end_of_each_week_and_now() -> None:
    done = {"S1": SubjectState(cohort="child", outcome="advice")}
    closed = came(20, stage_since=NOW - 12 * DAY, subjects=done)
    figure = first(tallied(came(20), closed, came(9), came(1)))["open"].figure
    # 19 November is a Thursday: twenty days before it is Friday 30 October.
    assert [row[:2] for row in figure.rows] == [("26 Oct 2026", "2"), ("2 Nov 2026", "1"), ("9 Nov 2026", "2"), ("Now", "3")]


def test_time_from_contact_to_outcome_is_of_the_week_of_the_outcome() -> None:
    done = {"S1": SubjectState(cohort="child", outcome="advice")}
    decided = [came(days, decided_at=NOW - 7 * DAY, stage_since=NOW - 7 * DAY, subjects=done) for days in (8, 9, 17)]
    headline = first(tallied(*decided))["time-to-outcome"]
    assert (headline.value, headline.plain) == ("2 days", "half are quicker; 9 in 10 within 10 days")
    [row] = shown(tallied(*decided))["outcome-times"].rows
    assert row == ("Advice", 3, 48, 240)


def answered_in(week: int, late: int, of: int) -> list[Referral]:
    """So many answers that were due in a week, so many weeks ago."""
    due = 7 * week + 1
    kept = [clock(f"check:police.{n}", due, 6, met=True) for n in range(of - late)]
    return [came(due + 1, [*kept, *(clock(f"check:health.{n}", due, 30, met=False) for n in range(late))])]


def test_agencies_that_answer_later_than_chance_explains_are_said_by_name_and_their_share_is_compared_with_before() -> None:
    contacts = [each for week in range(4, 27) for each in answered_in(week, week % 3, 40)]
    contacts += [each for week in range(1, 4) for each in answered_in(week, 30, 40)]
    tally = tallied(*contacts, weeks=26)
    headline = first(tally)["answers"]
    assert headline.told.verdict == "Lower than chance explains, 3 weeks" and headline.plain == "10 of 40 last week"
    assert "(from the 23 weeks to 25 October)" in headline.told.sentence
    figure = by_agency(tally, {"police": "The police", "health": "Health"})
    assert figure.says == "Health is below what chance explains."
    assert [row[0] for row in figure.rows] == ["Health", "The police"] and figure.marked >= {0}


def test_an_agency_with_few_answers_is_not_taken_away_and_neither_is_what_it_could_be_subtracted_from() -> None:
    few = came(9, [clock(f"check:health.{n}", 8, 6, met=True) for n in range(3)])
    many = [came(9, [clock(f"check:{name}.{n}", 8, 6, met=True) for n in range(20)]) for name in ("police", "housing")]
    figure = by_agency(tallied(few, *many), {})
    assert {row[0] for row in figure.taken_away if WITHHELD in row} == {"Health", "Housing"}
    assert [row[1:] for row in figure.taken_away if row[0] == "Police"] == [(20, 20, "100%")]


def test_how_many_come_back_is_not_compared_before_there_is_a_year_to_look_back_on() -> None:
    tally = tallied(*(again(days, EARLIER) for days in range(1, 80)), weeks=26)
    young = first(tally, began=NOW - 90 * DAY)["back"]
    assert young.told.verdict == "Too early to compare" and "on record from" in young.told.sentence and not young.figure.marked
    assert "Too early" not in first(tally, began=NOW - 800 * DAY)["back"].told.verdict


# What adds up


def test_contacts_about_one_child_add_up_by_what_people_confirmed_and_by_what_is_suggested() -> None:
    found = tallied(came(30), again(20, "MASH-26-000000"), again(10, "MASH-26-000000", "MASH-26-000001", likeness="likely"))
    figure = shown(found)["adding-up"]
    assert [row[1:] for row in figure.rows] == [(2, 1), (1, 1), (0, 1), (0, 0)]
    assert figure.says.startswith("0 contacts were at least the third about one child within twelve months, by what people have")


# Ethnicity, age and work


def test_ethnicity_and_age_stand_beside_need_and_a_file_withholds_what_could_be_reckoned() -> None:
    found = {
        Described("N1", "WBRI", 3): 20,
        Described("N1", "APKN", 12): 12,
        Described("N2", "WBRI", -1): 11,
        Described("", "", None): 2,
    }
    by_ethnicity, by_age = ethnicities(found), ages(found)
    assert by_ethnicity.heads[1:] == ("White", "Asian", "Not known") and by_age.heads[1:] == (
        "Unborn", "1 to 4", "10 to 15", "Not known"
    )  # fmt: skip
    assert sum(cell for row in by_ethnicity.rows for cell in row[1:] if isinstance(cell, int)) == 45
    assert any(2 in row for row in by_ethnicity.rows), "the hub's own manager sees it"
    away = [row[1:] for row in by_ethnicity.taken_away]
    assert not any(isinstance(cell, int) and 0 < cell < 5 for row in away for cell in row)
    for line in (*away, *zip(*away, strict=True)):
        assert line.count(WITHHELD) != 1 or 0 in line or len(line) == 1, away


def test_the_late_part_of_what_somebody_has_stands_out_and_nobodys_cases_are_counted() -> None:
    found = Workload([Load("a.worker", ("social_worker",), open=5, late=2, most_urgent="red"), Load("b.worker")], 3)
    figure = work(found, {"red": "Red"})
    assert figure.rows[0] == ("a.worker, social worker", 5, 2, "Red", "Yes") and figure.rows[1][3] == "None"
    assert figure.says == "3 open cases are allocated to nobody."


def test_alerts_that_wait_are_said_beside_those_that_were_acknowledged() -> None:
    waits = came(3, [clock("triage", 2, breached_at=NOW - 2 * DAY, rung=1)])
    had = [(NOW - DAY, timedelta(minutes=number)) for number in range(1, 21)]
    figure = shown(tallied(waits, called=Called(had, [])))["alerts"]
    assert figure.says == (
        "Of the 20 alerts acknowledged, half were within 10 min, 95 per cent within 19 min; 1 is not acknowledged yet."
    )
    assert numbers_of(figure) == {
        "Deadlines missed": 1,
        "Escalated further": 1,
        "Alerts acknowledged": 20,
        "Not acknowledged yet": 1,
    }
    one = shown(tallied(waits, called=Called(had[:1], [])))["alerts"]
    assert one.says.startswith("One alert was acknowledged, within 1 min;")
    assert shown(Tally(4, NOW))["alerts"].says == "No alert was acknowledged; 0 are not acknowledged yet."


@pytest.mark.parametrize("formula", ["=1+1", "+44", "-1", "@SUM(A1)", "\tx"])
def test_no_cell_is_taken_for_a_formula(formula: str) -> None:
    assert str(as_csv_cell(formula)).startswith("'")
    assert as_csv_cell(-1) == -1
