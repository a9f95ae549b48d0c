"""What somebody has written, as the contact that is sent: the same as a referrer's system sends."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mash.api.pages.refer.answers import Answers, Typed
from mash.api.pages.refer.choices import ANONYMOUS, CATEGORIES, PUBLIC, referrer_of
from mash.api.pages.refer.doubts import DATE, date_of
from mash.api.schemas.contact import Submission

POSTCODE = re.compile(r"\b[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}\b", re.IGNORECASE)


def agency_of(answers: Answers) -> str:
    """The source agency of whoever writes."""
    return referrer_of(answers.page("you")).agency


def submission_of(answers: Answers) -> Submission:
    """The contact that is sent."""
    worries = answers.page("worries")
    return Submission.model_validate(
        {
            "kind": "advice" if answers.advice else "referral",
            "source": _source(answers.page("you")),
            "subjects": [_subject(each) for each in answers.people],
            "household": [{name: value or None for name, value in each.items()} for each in answers.household],
            "concern": {
                "summary": _text(worries, "worries"),
                "needed_from_us": _text(worries, "need"),
                "categories": [each for each in CATEGORIES if each in worries.get("categories", "").split(",")],
                "immediate_danger": _text(answers.page("first"), "danger"),
            },
            "consent": _consent(answers.page("family")),
        }
    )


def _text(typed: Mapping[str, str], name: str) -> str | None:
    return typed.get(name, "").strip() or None


def _texts(typed: Mapping[str, str], *names: str) -> dict[str, str | None]:
    return {name: _text(typed, name) for name in names}


def _source(you: Typed) -> dict[str, Any]:
    known = _texts(you, "name", "role", "organisation", "email", "phone")
    referrer = referrer_of(you)
    nobody = you.get("sector") in PUBLIC and not any(known[name] for name in ("name", "email", "phone"))
    safe = {"safe_to_write": you.get("write") or None, "how_to_reach": _text(you, "reach")}
    return {**known, **safe, "agency": referrer.agency, "code": ANONYMOUS if nobody else referrer.code}


def _subject(typed: Typed) -> dict[str, Any]:
    return {
        "name": _texts(typed, "given", "family"),
        "cohort": _text(typed, "cohort"),
        "expected_date" if typed.get("cohort") == "unborn" else "date_of_birth": day_text(typed),
        "age_estimate": _text(typed, "age"),
        "school": _text(typed, "school"),
        "address": _address(_text(typed, "address")),
    }


def _address(text: str | None) -> dict[str, str | None] | None:
    """An address in its parts: a postcode that stands within it is not said twice."""
    if text is None or (found := POSTCODE.search(text)) is None:
        return {"line1": text, "postcode": None} if text else None
    before, after = text[: found.start()].rstrip(" ,"), text[found.end() :].lstrip(" ,.")
    return {"line1": ", ".join(filter(None, (before, after))) or None, "postcode": found[0].upper()}


def day_text(typed: Typed) -> str | None:
    """A date as it is sent: one that is half known, or is none, as it was given."""
    if day := date_of(typed):
        return day.isoformat()
    parts = [typed.get(name, "").strip() for name in DATE]
    return " ".join(each or "?" for each in parts) if any(parts) else None


def _consent(typed: Typed) -> dict[str, Any]:
    agreed = typed.get("agreed", "")
    return {
        "family_informed": _text(typed, "told"),
        "asked": agreed in ("yes", "no") if agreed else None,
        "given": agreed if agreed in ("yes", "no") else None,
        "override_reason": _text(typed, "why"),
        "safe_contact": _text(typed, "safe"),
    }
