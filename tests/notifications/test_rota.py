"""Who is on duty, and why; and that a rota survives every file it is written to."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from mash.notifications.rota import Absence, Pattern, Rota, Shift, Spell
from mash.notifications.rota_calendar import to_ical
from mash.notifications.rota_series import from_ical
from mash.notifications.rota_sheet import from_csv, to_csv
from mash.states.clocks import LONDON, WEEKDAYS, Calendar, Window

OPEN = {day: (Window(opens=time(9), closes=time(17)),) for day in WEEKDAYS[:5]}
CALENDAR = Calendar(windows=OPEN, bank_holidays=(date(2026, 12, 25),))
WEEK = WEEKDAYS[:5]


def on(text: str) -> datetime:
    """An instant in local time: '2026-11-27 17:10', a Friday."""
    return datetime.fromisoformat(text).replace(tzinfo=LONDON).astimezone(UTC)


def weekly(person: str, starts: str = "09:00", ends: str = "17:00", **more: object) -> Pattern:
    values = {"role": "duty_manager", "person": person, "days": WEEK, "since": date(2026, 11, 2), **more}
    return Pattern.model_validate({**values, "starts": starts, "ends": ends})


def shift(person: str, begins: str, ends: str, **more: object) -> Shift:
    return Shift.model_validate({"role": "duty_manager", "person": person, "begins": on(begins), "ends": on(ends), **more})


def people(rota: Rota, at: str, role: str = "duty_manager") -> list[str]:
    return [duty.person for duty in rota.on_duty(role, on(at), CALENDAR)]


def test_a_shift_begins_and_ends_at_its_times_and_at_hand_over_exactly_one_holds_the_role() -> None:
    rota = Rota(patterns=(weekly("day"), weekly("evening", "17:00", "22:00")))
    assert [people(rota, f"2026-11-27 {at}") for at in ("08:59", "09:00", "16:59", "17:00", "21:59", "22:00")] == [
        [], ["day"], ["day"], ["evening"], ["evening"], [],
    ]  # fmt: skip


def test_a_night_ends_on_the_next_day_and_keeps_its_local_time_when_the_clocks_change() -> None:
    rota = Rota(patterns=(weekly("night", "17:00", "09:00", days=("sat",), since=date(2026, 10, 1)),))
    assert people(rota, "2026-10-25 08:59") == ["night"], "the night in which summer time ends"
    assert people(rota, "2026-10-25 09:00") == []


def test_people_take_turns_by_weeks() -> None:
    rota = Rota(patterns=(weekly("odd", every=2), weekly("even", every=2, since=date(2026, 11, 9))))
    assert [people(rota, f"2026-11-{day:02} 10:00") for day in (2, 9, 16, 23)] == [["odd"], ["even"], ["odd"], ["even"]]


def test_who_is_away_is_not_on_duty_and_who_covers_is_and_the_answer_says_why() -> None:
    away = Absence(person="day", begins=on("2026-11-26 00:00"), ends=on("2026-11-28 00:00"))
    cover = shift("other", "2026-11-27 09:00", "2026-11-27 13:00", instead_of="day", why="cover")
    rota = Rota(patterns=(weekly("day"),), absences=(away,), shifts=(cover,))
    assert [people(rota, f"2026-11-{at}") for at in ("25 10:00", "26 10:00", "27 10:00", "27 14:00")] == [
        ["day"],
        [],
        ["other"],
        [],
    ]
    (covering,) = rota.on_duty("duty_manager", on("2026-11-27 10:00"), CALENDAR)
    assert "cover for day" in covering.why
    (usual,) = rota.on_duty("duty_manager", on("2026-11-25 10:00"), CALENDAR)
    assert usual.why.startswith("weekly, Wed 25 Nov 09:00")


def test_a_turn_gives_way_to_absence_and_to_cover_as_a_pattern_does_and_an_extra_shift_does_not() -> None:
    turn = shift("day", "2026-11-26 09:00", "2026-11-26 17:00", why="turn")
    away = Absence(person="day", begins=on("2026-11-26 00:00"), ends=on("2026-11-27 00:00"))
    cover = shift("other", "2026-11-26 09:00", "2026-11-26 13:00", instead_of="day", why="cover")
    assert people(Rota(shifts=(turn,)), "2026-11-26 10:00") == ["day"]
    assert people(Rota(shifts=(turn,), absences=(away,)), "2026-11-26 10:00") == []
    assert [people(Rota(shifts=(turn, cover)), f"2026-11-26 {at}") for at in ("10:00", "14:00")] == [["other"], ["day"]]
    extra = shift("day", "2026-11-26 09:00", "2026-11-26 17:00")
    assert people(Rota(shifts=(extra,), absences=(away,)), "2026-11-26 10:00") == ["day"]


def test_a_pattern_leaves_out_the_days_on_which_it_is_not() -> None:
    rota = Rota(patterns=(weekly("day", not_on=(date(2026, 11, 26),)),))
    assert [people(rota, f"2026-11-{day} 10:00") for day in ("25", "26", "27")] == [["day"], [], ["day"]]


def test_two_people_swap() -> None:
    rota = Rota(patterns=(weekly("one", days=("mon",)), weekly("two", days=("tue",))))
    monday = Spell(begins=on("2026-11-23 09:00"), ends=on("2026-11-23 17:00"))
    tuesday = Spell(begins=on("2026-11-24 09:00"), ends=on("2026-11-24 17:00"))
    swapped = rota.swapped("duty_manager", "one", "two", monday, tuesday)
    assert [people(swapped, f"2026-11-{at} 10:00") for at in ("23", "24", "30")] == [["two"], ["one"], ["one"]]


def test_an_extra_shift_is_beside_the_pattern_and_a_bank_holiday_may_be_left_out() -> None:
    extra = shift("extra", "2026-12-25 09:00", "2026-12-25 12:00")
    rota = Rota(patterns=(weekly("day", bank_holidays=False), weekly("always")), shifts=(extra,))
    assert people(rota, "2026-12-25 10:00") == ["extra", "always"]
    assert people(rota, "2026-12-24 10:00") == ["day", "always"]


def test_gaps_are_found_where_the_role_is_needed() -> None:
    rota = Rota(patterns=(weekly("day", days=("mon", "tue", "wed"), ends="16:00"),))
    begins, ends = on("2026-11-23 00:00"), on("2026-11-28 00:00")
    found = rota.gaps("duty_manager", begins, ends, CALENDAR, "open")
    assert [(gap.begins, gap.ends) for gap in found] == [
        (on(f"2026-11-{day} {start}"), on(f"2026-11-{day} 17:00"))
        for day, start in ((23, "16:00"), (24, "16:00"), (25, "16:00"), (26, "09:00"), (27, "09:00"))
    ]
    closed = rota.gaps("out_of_hours", begins, ends, CALENDAR, "closed")
    assert (closed[0].begins, closed[0].ends) == (begins, on("2026-11-23 09:00"))


@pytest.mark.parametrize(
    "wrong",
    [{"until": date(2026, 11, 1)}, {"days": ("mon", "mon")}, {"days": ()}, {"every": 0}, {"person": "Jane Doe"}, {"person": ""}],
)
def test_a_pattern_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        weekly(**{"person": "day", **wrong})


# --- properties ---------------------------------------------------------------------------------------------------------------

names = st.sampled_from(["p1", "p2", "p3", "a.b-c_d"])
roles = st.sampled_from(["duty_manager", "out_of_hours"])
dates = st.dates(date(2026, 9, 1), date(2027, 5, 1))
times = st.times().map(lambda at: time(at.hour, at.minute))
moments = st.datetimes(datetime(2026, 9, 1), datetime(2027, 5, 1)).map(lambda at: at.replace(second=0, microsecond=0, tzinfo=UTC))
spells = st.tuples(moments, st.integers(1, 20_000)).map(lambda s: {"begins": s[0], "ends": s[0] + timedelta(minutes=s[1])})


@st.composite
def patterns(draw: st.DrawFn) -> Pattern:
    since = draw(dates)
    return Pattern(
        role=draw(roles),
        person=draw(names),
        days=tuple(draw(st.lists(st.sampled_from(WEEKDAYS), min_size=1, unique=True))),
        starts=draw(times),
        ends=draw(times),
        since=since,
        until=draw(st.none() | st.integers(0, 200).map(lambda days: since + timedelta(days=days))),
        every=draw(st.integers(1, 5)),
        bank_holidays=draw(st.booleans()),
        not_on=tuple(draw(st.lists(st.integers(0, 60).map(lambda days: since + timedelta(days=days)), max_size=3, unique=True))),
    )


shifts = st.builds(
    lambda spell, **values: Shift(**spell, **values),
    spell=spells, role=roles, person=names, instead_of=st.none() | st.just("p4"),
    why=st.sampled_from(["extra", "cover", "swap", "turn"]),
)  # fmt: skip
absences = st.builds(lambda spell, person: Absence(**spell, person=person), spell=spells, person=names)
rotas = st.builds(
    lambda p, s, a, until: Rota(patterns=tuple(p), shifts=tuple(s), absences=tuple(a), written_out_until=until),
    st.lists(patterns(), max_size=4), st.lists(shifts, max_size=4), st.lists(absences, max_size=3), st.none() | moments,
)  # fmt: skip


@given(rotas)
@example(Rota(patterns=(weekly(person="p1", days=("sun",), starts="01:30", ends="09:00", since=date(2027, 3, 28)),)))
@example(Rota(patterns=(weekly(person="p1", days=("sat",), starts="01:00", ends="01:00", since=date(2027, 3, 27)),)))
def test_a_rota_is_the_same_after_csv_and_means_the_same_after_icalendar(rota: Rota) -> None:
    assert from_csv(to_csv(rota)).rota == rota
    begins, ends = datetime(2026, 9, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC)
    again = from_ical(to_ical(rota, "sandwell", begins).decode(), begins).rota
    assert (again.shifts, again.absences, again.written_out_until) == (rota.shifts, rota.absences, rota.written_out_until)
    for role in ("duty_manager", "out_of_hours"):
        assert again.stretches(role, begins, ends, CALENDAR) == rota.stretches(role, begins, ends, CALENDAR)


@given(rotas, moments, st.sampled_from(["open", "closed", "always"]), st.integers(0, 20_000))
def test_somebody_holds_a_role_exactly_where_there_is_no_gap(
    rota: Rota, begins: datetime, needed: Literal["open", "closed", "always"], minute: int
) -> None:
    ends = begins + timedelta(days=14)
    at = begins + timedelta(minutes=minute)
    gaps = rota.gaps("duty_manager", begins, ends, CALENDAR, needed)
    wanted = needed == "always" or CALENDAR.is_open(at) == (needed == "open")
    missing = wanted and not rota.on_duty("duty_manager", at, CALENDAR)
    assert any(gap.begins <= at < gap.ends for gap in gaps) == missing


@given(rotas, moments)
def test_nobody_is_on_duty_by_a_pattern_while_away_or_replaced(rota: Rota, at: datetime) -> None:
    for duty in rota.on_duty("duty_manager", at, CALENDAR):
        named = [
            s for s in rota.shifts if s.role == "duty_manager" and s.person == duty.person and s.covers(at) and s.why != "turn"
        ]
        assert named or not any(a.person == duty.person and a.covers(at) for a in rota.absences)
        assert not any(s.role == "duty_manager" and s.instead_of == duty.person and s.covers(at) for s in rota.shifts)
