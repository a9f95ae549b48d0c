"""What a case is about, in a few words from lists: the hub's categories, the census's factors by a short name, or its need.
Nothing that a referrer wrote."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mash.config import codes
from mash.config.words import worded
from mash.states.profile import Profile

MOST = 3
"""Words beside one another that are still read at a glance."""
PARENTS, CHILDS = "parent’s", "child’s"
SHORT = {
    "1A": f"{CHILDS} drinking",
    "1B": f"{PARENTS} drinking",
    "1C": "drinking in the household",
    "2A": f"{CHILDS} drug use",
    "2B": f"{PARENTS} drug use",
    "2C": "drug use in the household",
    "4A": f"{CHILDS} mental health",
    "4B": f"{PARENTS} mental health",
    "4C": "mental health in the household",
    "5A": f"{CHILDS} learning disability",
    "5B": f"{PARENTS} learning disability",
    "5C": "learning disability in the household",
    "6A": f"{CHILDS} disability or illness",
    "6B": f"{PARENTS} disability or illness",
    "6C": "disability or illness in the household",
    "7A": "young carer",
    **dict.fromkeys(("8B", "8C", "8D", "8E", "8F"), "privately fostered"),
    "9A": "unaccompanied asylum seeker",
    "14A": f"{CHILDS} behaviour",
    "15A": "self-harm",
    "16A": "neglect",
    "17A": "emotional abuse",
    "18A": "physical abuse",
    "18B": "physical abuse by a child",
    "18C": "physical abuse",
    "19A": "sexual abuse",
    "19B": "sexual abuse by a child",
    "19C": "sexual abuse",
    "22A": "female genital mutilation",
    "23A": "abuse linked to faith or belief",
}
"""Assessment factors of the Children in Need census, as people at work call them; those that make a category have its name."""
NOT_SAID = "Not said"


def about(categories: Iterable[str], factors: Sequence[str], need: str | None, rules: Profile | None) -> str:
    """What a case is about: 'Domestic abuse, neglect'. Where no list says it, the primary need; else that it was not said."""
    found = [*(worded(each, rules) for each in categories), *(SHORT[each] for each in factors if each in SHORT)]
    if not found and need and codes.known("primary_need", need):
        found = [codes.label("primary_need", need)]
    text = ", ".join([*dict.fromkeys(found)][:MOST])
    return text[:1].upper() + text[1:] or NOT_SAID
