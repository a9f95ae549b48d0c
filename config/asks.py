"""What an agency is asked about a family, in a line: its own line of the hub's profile, else ours for an agency of its name."""

from __future__ import annotations

from mash.states.profile import Profile

ASKS = {
    "social_care": "Contacts, assessments and plans, past and present",
    "police": "Call-outs, arrests, convictions and markers",
    "health": "Who treats them, attendances and worries on record",
    "midwife": "The pregnancy, appointments kept and missed",
    "mental_health": "Treatment, risk, and who they care for",
    "education": "School, attendance, exclusions and worries on record",
    "probation": "Supervision, orders and risk",
    "housing": "Tenancy, arrears, complaints and visits",
    "youth_justice": "Orders, and work with the young person",
    "adults": "Care for adults in the household",
    "womens_aid": "Support given, and what is known of the risk",
    "fire": "Home visits and call-outs",
}
"""By the name of the agency in a profile: product defaults, ours."""
ANYTHING = "Anything you hold about them and their household"


def asked_of(profile: Profile | None, agency: str) -> str:
    """What an agency of a hub is asked, as a line without an end."""
    known = profile.agencies.get(agency) if profile else None
    return (known and known.asks) or ASKS.get(agency, ANYTHING)
