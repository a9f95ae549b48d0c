"""Details of people as fields: which there are of whom, what is odd about them, and what they become when they are put right."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Literal, get_args

from mash.config import codes
from mash.config.addresses import can_be, judged, tidied
from mash.flows.store.sounds import LONGEST_NAME
from mash.states.ages import Age, age_on, week_of
from mash.states.errors import Incomplete
from mash.states.profile import Source
from mash.states.referral import BY_OTHER_MEANS, no_professional

Kind = Literal["subject", "household", "referrer"]
OF_ANYBODY = (
    "name",
    "date_of_birth",
    "expected_date",
    "sex",
    "ethnicity",
    "disability",
    "school",
    "address",
    "nhs_number",
    "upn",
)
OF_CENSUS = ("upn_unknown", "former_upn", "died_on")
"""What the Children in Need census asks besides of whom a case is about."""
FIELDS: dict[Kind, tuple[str, ...]] = {
    "subject": (*OF_ANYBODY, *OF_CENSUS),
    "household": (*OF_ANYBODY, "relationship"),
    "referrer": ("name", "role", "organisation", "email", "phone", "how_to_reach"),
}
"""What can be put right, in the order in which a form asks. What else was sent of somebody stays as it is."""
OF_A_BIRTH = ("date_of_birth", "name", "sex")
"""What is said when a child is born."""
_WAY = re.compile(r"phone|mobile|(^|_)(tel|call_?back)(_|$)|contact|address|post_?code|how_to_reach", re.IGNORECASE)
"""Names of fields in which somebody says how they are reached, also those that only a sender's own system has."""
_HIDDEN = re.compile(
    r"refuge|safe ?house|secret|confidential|undisclosed|withheld|do(?: not|n['’]t) (?:disclose|share|give|tell)"
    r"|not (?:to )?be (?:disclosed|shared|given)",
    re.IGNORECASE,
)
"""Words by which an address is said to be kept from others."""
NOTHING: tuple[Any, ...] = (None, "", [], {})


def put_right(stored: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What is stored with what is given in its place (nothing: there is none), and the fields that say something else now."""
    right = {**stored, **given}
    changed = tuple(name for name in given if _plain(stored.get(name)) != _plain(right[name]))
    return {name: value for name, value in right.items() if value not in NOTHING}, changed


def _plain(value: Any) -> Any:
    """A value as it is compared: without the parts that say nothing."""
    if isinstance(value, dict):
        value = {name: part for name, part in value.items() if part not in NOTHING}
    return None if value in NOTHING else value


def odd_details(fields: Mapping[str, Any], today: date) -> dict[str, bool]:
    """What could be odd about the details of a person, and whether it is: never why, nor with what."""
    said = {name: str(fields.get(name) or "") for name in FIELDS["subject"]}
    return {
        "nhs_number_not_valid": bool(said["nhs_number"]) and not codes.nhs_number_is_valid(said["nhs_number"]),
        "upn_not_valid": bool(said["upn"]) and not codes.upn_is_valid(said["upn"]),
        "upn_unknown_no_reason": bool(said["upn_unknown"]) and said["upn_unknown"] not in codes.reasons_without_upn(),
        "upn_and_reason_without": bool(said["upn"] and said["upn_unknown"]),
        "former_upn_not_valid": bool(said["former_upn"]) and not codes.upn_is_valid(said["former_upn"]),
        "died_on_not_understood": bool(said["died_on"]) and day(said["died_on"]) is None,
        "died_on_doubtful": _died_at_no_time(day(said["died_on"]), day(said["date_of_birth"]), today),
        "date_of_birth_not_understood": bool(said["date_of_birth"]) and day(said["date_of_birth"]) is None,
        "expected_date_not_understood": bool(said["expected_date"]) and day(said["expected_date"]) is None,
        "ethnicity_unknown": bool(said["ethnicity"]) and not codes.known("ethnicity", said["ethnicity"]),
        "sex_unknown": bool(said["sex"]) and not codes.known("sex", said["sex"]),
        "disability_unknown": any(not codes.known("disability", code) for code in codes.several(fields.get("disability"))),
        "name_too_long": len(in_one_piece(fields.get("name"))) > LONGEST_NAME,
    }


def _died_at_no_time(died: date | None, born: date | None, today: date) -> bool:
    """Whether somebody would have died in the future, or before they were born."""
    return died is not None and (died > today or (born is not None and died < born))


def upn_instead(right: dict[str, Any], changed: tuple[str, ...]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The same details and changed fields, where a UPN that has become known takes the place of the reason why there was none."""
    if "upn" not in changed or "upn_unknown" in changed or not {"upn", "upn_unknown"} <= {*right}:
        return right, changed
    return {name: value for name, value in right.items() if name != "upn_unknown"}, (*changed, "upn_unknown")


def demand_consistent(right: Mapping[str, Any], changed: tuple[str, ...], today: date) -> None:
    """Raises Incomplete for details by which a member of staff would contradict themselves. What a referrer sends is kept as it
    is, and flagged."""
    odd = odd_details(right, today)
    if odd["upn_and_reason_without"] and {"upn", "upn_unknown"} & {*changed}:
        raise Incomplete("there is a UPN, or a reason why there is none: take out one of the two (upn_unknown)")
    if odd["died_on_not_understood"] and "died_on" in changed:
        raise Incomplete("give the date of death as a day, such as 2027-02-01 (died_on)")
    if odd["died_on_doubtful"] and {"died_on", "date_of_birth"} & {*changed}:
        raise Incomplete("nobody dies before they are born, nor in the future: check both days (died_on)")


def in_one_piece(name: Any) -> str:
    """A name in its parts, or as text, as one text."""
    return " ".join(filter(None, (name.get("given"), name.get("family")))) if isinstance(name, Mapping) else str(name or "")


def place_of(address: Any) -> str:
    """Where somebody lives, in its parts or as text, in one line."""
    if isinstance(address, Mapping):
        address = ", ".join(str(part).strip() for part in (address.get("line1"), address.get("postcode")) if part)
    return " ".join(str(address or "").split())


def day(text: str | None) -> date | None:
    """A day as codes write it; None for what is none."""
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


def age_of(fields: Mapping[str, Any], today: date) -> Age | None:
    """What the details of a person say of their age."""
    return age_on(today, day(str(fields.get("date_of_birth") or "")), day(str(fields.get("expected_date") or "")))


def expected_week(fields: Mapping[str, Any], age: Age | None) -> date | None:
    """The week in which an unborn child is expected, by its Monday; None for whoever is not unborn."""
    expected = day(str(fields.get("expected_date") or ""))
    return week_of(expected) if expected and age == "unborn" else None


def reached(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Who refers, with their address tidied; what was typed stays beside it. One that stands where a name is asked for counts."""
    named = str(fields.get("name") or "")
    typed = str(fields.get("email") or "") or (named if can_be(tidied(named)) else "")
    address = tidied(typed)
    if not typed or address == fields.get("email"):
        return dict(fields)
    return {**fields, "email": address, **({"email_as_typed": fields["email"]} if fields.get("email") else {})}


def odd_address(email: str | None) -> dict[str, bool]:
    """What could be odd about the address of whoever refers."""
    found = judged(email)
    return {
        "referrer_not_reachable": not found.can_be,
        "referrer_email_not_an_address": found.slip and not found.can_be,
        "referrer_email_probably_mistyped": found.slip and found.can_be,
    }


def by_other_means(fields: Mapping[str, Any]) -> dict[str, bool]:
    """Whether whoever refers gave no address, but another way to be reached, in whatever field: a professional by their service,
    though they are not named."""
    others = any(value for name, value in fields.items() if name in ("organisation", "email") or _WAY.search(name))
    sector = fields.get("agency")
    others = others or (sector in get_args(Source) and not no_professional(fields.get("code"), sector))
    return {BY_OTHER_MEANS: not can_be(fields.get("email") or "") and others}


def secret_address(fields: Mapping[str, Any]) -> bool:
    """Whether where somebody lives is kept from others: what was given as their address says so, or a field that a sender's
    system has for that. One that is hidden needlessly costs a question; one that is shown may cost more."""
    address = fields.get("address")
    parts = address if isinstance(address, Mapping) else {"": address}
    about = {f"address {name}": value for name, value in parts.items()} | {
        name: value for name, value in fields.items() if "address" in name and name != "address"
    }
    return any(_HIDDEN.search(str(value)) or (_HIDDEN.search(name) and said(value)) for name, value in about.items() if value)


def said(value: Any) -> bool:
    """Whether a field of a sender's own says yes."""
    return str(value).strip().lower() not in ("", "no", "n", "false", "0", "none")


def for_census(fields: Mapping[str, Any]) -> frozenset[str]:
    """The fields of a person that are stored as the Children in Need census takes them of a child with further action."""
    said = {name: str(fields.get(name) or "").strip() for name in FIELDS["subject"]}
    there = {
        "sex": codes.known("sex", said["sex"].upper()),
        "ethnicity": codes.known("ethnicity", said["ethnicity"].upper()),
        "disability": bool(codes.disabilities_of_census(fields.get("disability"))),
        "upn": codes.upn_of_census(said["upn"]) is not None,
        "upn_unknown": said["upn_unknown"].upper() in codes.reasons_without_upn(further_action=True),
        **{name: day(said[name]) is not None for name in ("date_of_birth", "expected_date")},
    }
    return frozenset(name for name, is_there in there.items() if is_there)


def flags_of(kind: Kind, fields: Mapping[str, Any], today: date) -> tuple[str, ...]:
    """What is odd about details that were put right."""
    if kind == "subject":
        odd = odd_details(fields, today)
    elif kind == "household":
        odd = {"household_name_too_long": len(in_one_piece(fields.get("name"))) > LONGEST_NAME}
    else:
        odd = odd_address(fields.get("email")) | by_other_means(fields)
    return tuple(flag for flag, wrong in odd.items() if wrong)
