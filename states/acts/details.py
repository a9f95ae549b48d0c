"""What a case knows of somebody from when details of them come anew: the item that holds, what is odd about it, and their age."""

from __future__ import annotations

from typing import Any

from mash.states.fold import Changes
from mash.states.referral import Referral
from mash.states.values import Words

OF_COHORTS = ("cohort_not_stated", "cohort_unknown")
"""Flags of a subject that say nothing of their details."""
OF_HOUSEHOLDS = ("household_name_too_long",)


def superseded(referral: Referral, before: str | None, details: Words) -> dict[str, str]:
    """Which items were put right, once these details stand in the place of the item `before`."""
    return {**referral.superseded, before: details.item} if before else referral.superseded


def of_household(referral: Referral, flags: tuple[str, ...]) -> Changes:
    """The case's flags, with those of its household's details made anew."""
    return {"flags": (*(flag for flag in referral.flags if flag not in OF_HOUSEHOLDS), *flags)}


def of_subject(referral: Referral, sid: str, flags: tuple[str, ...], **known: Any) -> Changes:
    """The subject as what is known of them now makes them, and the case's flags, with those of their details made anew."""
    kept = _of(sid, OF_COHORTS)
    others = (f for f in referral.flags if f in kept or not (f.startswith(f"{sid}_") or f == "no_subject_named"))
    return referral.model_copy(update={"flags": (*others, *_of(sid, flags))}).with_known(sid, **known)


def _of(sid: str, flags: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{sid}_{flag}" for flag in flags)
