"""What may be a slip in what somebody typed: pointed out at the field, once, and kept where they say that it is right.

A doubt refuses nothing. It is known by its field and by what was typed there, so that another slip in the same field is asked
about too, and one that was kept never again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from mash.api.pages.refer.answers import ASKED, KEPT, Typed
from mash.api.pages.refer.choices import PUBLIC, sector_of, which
from mash.config.addresses import Judged, judged
from mash.config.telephones import can_be_rung
from mash.states.ages import LONGEST_EXPECTED, OF_AGE, OLDEST, OVERDUE, age_on

Errors = dict[str, str]
"""What is wrong, or in doubt, by the field it stands beside."""
DATE = ("day", "month", "year")
GROUPS: Mapping[str, tuple[str, ...]] = {"date": DATE}
"""Fields that are one question, and where their doubts stand; of the others each is one."""
CANNOT_TELL = "We could not tell if this date of birth is"
OR_AGE = "or leave the date empty and give an age"
_NUMBER = re.compile(r"(?<![0-9])[0-9]{1,3}(?![0-9])")
_OF_A_BABY = re.compile(r"\b(day|week|month|wk|mth|m|w|d)s?\b", re.IGNORECASE)


@dataclass(frozen=True)
class Doubt:
    """Something that may be a slip: what is said of it, and by what it is known."""

    text: str
    token: str


def doubts_of(found: Errors, typed: Typed) -> dict[str, Doubt]:
    """What was found to be in doubt, each with what it is known by."""
    return {field: Doubt(text, _token(field, typed)) for field, text in found.items()}


def _token(field: str, typed: Typed) -> str:
    """By what a doubt is known: its field, and what was typed there and in the fields on which it depends. It goes into a page
    and back, and into the draft."""
    fields = (*DATE, "cohort") if field in DATE else (field, "cohort", "sector")
    text = "\0".join(typed.get(name, "").strip() for name in fields)
    return f"{field}.{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def tokens(typed: Typed, name: str) -> set[str]:
    """Which doubts of a page were asked about, or kept."""
    return set(typed.get(name, "").split())


def noted(typed: Typed, before: Typed, asked: set[str], kept: set[str]) -> Typed:
    """What was typed, with which doubts have been asked about and kept so far: on this page, and in it as it was `before`."""
    marks = {ASKED: tokens(before, ASKED) | asked, KEPT: tokens(before, KEPT) | kept}
    return {**typed, **{name: " ".join(sorted(found)) for name, found in marks.items() if found}}


# --- a person ------------------------------------------------------------------------------------------------------------------


def of_person(typed: Typed, today: date) -> Errors:
    """What is in doubt about a person."""
    return {**_of_date(typed, today), **_of_age(typed)}


def _of_date(typed: Typed, today: date) -> Errors:
    parts = {name: typed.get(name, "").strip() for name in DATE}
    missing = [name for name in DATE if not parts[name]]
    if len(missing) == len(DATE):
        return {}
    if missing:
        return {missing[0]: f"We could not tell which date this is. Enter the {' and the '.join(missing)} too, {OR_AGE}"}
    if not re.fullmatch("[0-9]{4}", parts["year"]):
        return {"year": f"We could not tell which year this is. Enter it in four figures, such as 2015, {OR_AGE}"}
    if (found := date_of(typed)) is None:
        return {"day": f"We could not tell which date this is. Enter a real date in figures, such as 27 3 2015, {OR_AGE}"}
    said = _of_expected(found, today) if typed.get("cohort") == "unborn" else _of_birthday(found, typed.get("cohort", ""), today)
    return {"year": said} if said else {}


def _of_expected(found: date, today: date) -> str:
    days = (found - today).days
    if days < -OVERDUE:
        weeks = f"{-days // 7} weeks" if days > -365 else "more than a year"
        return f"We could not tell if the baby is born: this date is {weeks} ago. If so, choose “A child”, and enter the birthday"
    if days > LONGEST_EXPECTED:
        return f"We could not tell if this date is right: it is {days // 7} weeks away. Check it, or leave it empty"
    return ""


def _of_birthday(found: date, cohort: str, today: date) -> str:
    if found > today:
        return f"{CANNOT_TELL} right: it is in the future. If the baby is not born yet, choose “An unborn baby”"
    age = age_on(today, found)
    years = today.year - found.year - ((today.month, today.day) < (found.month, found.day))
    if age == "doubtful":
        return f"{CANNOT_TELL} right: it makes them more than {OLDEST} years old. Check it, {OR_AGE}"
    return _of_years(years, cohort, "this date of birth makes them")


def _of_years(years: int, cohort: str, said: str) -> str:
    of = f"{said} {years} year{'' if years == 1 else 's'} old"
    if cohort == "child" and years >= OF_AGE:
        return f"We could not tell if this is a child: {of}. Check it, or choose “An adult”"
    if cohort == "adult" and years < OF_AGE:
        return f"We could not tell if this is an adult: {of}. Check it, or choose “A child”"
    return ""


def _of_age(typed: Typed) -> Errors:
    text, cohort = typed.get("age", ""), typed.get("cohort", "")
    years = [int(number) for number in _NUMBER.findall(text)]
    if not years:
        return {}
    if min(years) > OLDEST:
        return {"age": f"We could not tell if this age is right: it is more than {OLDEST} years. Check it, or leave it empty"}
    # "6 to 8 weeks" is no age in years; of "17 or 18" either may be meant.
    if _OF_A_BABY.search(text):
        years = [0]
    nearest = min(years) if cohort == "child" else max(years)
    said = _of_years(nearest, cohort, "the age you give is")
    return {"age": said} if said else {}


def date_of(typed: Mapping[str, str]) -> date | None:
    """The date in three boxes; None where it is none."""
    parts = [typed.get(name, "").strip() for name in ("year", "month", "day")]
    if not all(re.fullmatch("[0-9]{1,4}", each) for each in parts):
        return None
    try:
        return date(*(int(each) for each in parts))
    except ValueError:
        return None


# --- whoever writes ------------------------------------------------------------------------------------------------------------


def of_writer(typed: Typed, _: date) -> Errors:
    """What is in doubt about whoever writes."""
    name, email, phone = (typed.get(each, "").strip() for each in ("name", "email", "phone"))
    sector = typed.get("sector", "")
    found, chosen = dict[str, str](), sector_of(typed)
    if chosen and chosen.kinds and not typed.get(which(sector)):
        found[which(sector)] = "We could not tell which of these you are: choose one, so that we ask the right people"
    professional = sector not in ("", *PUBLIC)
    if professional and not name:
        found["name"] = "Enter your name, so that we know who to ask for"
    if professional and not email and not phone:
        found["email"] = "Enter an email address or a telephone number, so that we can reach you"
    if (address := judged(email)).slip:
        found["email"] = _of_email(address)
    if phone and not can_be_rung(phone):
        found["phone"] = (
            f"We could not tell if {phone} is a telephone number. Enter all of it, with the area code, such as 01632 960001"
        )
    return found


def _of_email(found: Judged) -> str:
    said = "is probably mistyped" if found.can_be else "cannot be an email address"
    meant = f". Did you mean {found.meant}?" if found.meant else ". Enter it in this form: name@example.org"
    return f"{found.address} {said}, and what we write would not reach you{meant}"
