"""The simulated staff: they poll the board and act over the API as people do, some late, some never."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta
from typing import Any

from mash.api.client import People, Refused
from mash.config.permissions import may
from mash.states.accumulation import LIGHT
from mash.states.clocks import day_of
from mash.states.profile import Profile
from mash.states.values import Actor

ANSWERS_IN_HOURS = (1.0, 6.0, 14.0)
"""How long agencies take, by the place of the rating in the hub's order of urgency (the last for all below)."""
PRACTITIONERS = ("red", "amber", "green", "blue")
"""The ratings that the vignettes' practitioner gave, in order of urgency."""
AUTHORITY = "E08000025"
"""A transfer's receiving authority, with a code that no English authority has."""
FOR_CENSUS: dict[str, dict[str, Any]] = {
    "sex": {"sex": "F"},
    "ethnicity": {"ethnicity": "NOBT"},
    "disability": {"disability": ["NONE"]},
    "upn": {"upn_unknown": "UN6"},
}
"""What somebody says who is asked for the census, by what is missing; a birthday that nobody knows stays so."""
SEED = 20_261_119


class Hub:
    """The people of one hub, by what they do there. `vignettes` maps references to what a practitioner expected of each
    referral."""

    def __init__(
        self, profile: Profile, people: People, positions: dict[str, Actor], vignettes: dict[str, dict[str, Any]]
    ) -> None:
        self.profile, self.name, self.vignettes = profile, profile.name, vignettes
        self.people, self.positions = people, positions
        self.ratings = sorted(profile.ratings, key=lambda name: -profile.ratings[name].severity)
        self.plans: dict[tuple[str, ...], datetime | None] = {}
        self.board: list[dict[str, Any]] = []
        self.refused: list[str] = []
        self.now = datetime.min

    async def look(self) -> None:
        """Read the board, and do what is due for each case."""
        headers = self.people.headers_of(self.people.duty_manager)
        answer = await self.people.http.get("/cases", params={"limit": 500}, headers=headers)
        answer.raise_for_status()
        self.now = datetime.fromisoformat(answer.json()["at"])
        self.board = answer.json()["cases"]
        for case in self.board:
            await self.act_on(case)

    def due(self, *plan: str, hours: float, never: float = 0.0) -> bool:
        """Whether somebody gets round to it now: planned once, some hours after it was first seen, or never."""
        if plan not in self.plans:
            chance = random.Random(f"{SEED}{plan}")
            self.plans[plan] = None if chance.random() < never else self.now + timedelta(hours=hours * chance.uniform(0.3, 1.9))
        at = self.plans[plan]
        return at is not None and at <= self.now

    async def give(self, role: str, case: dict[str, Any], kind: str, words: str | None = None, **fields: Any) -> bool:
        """Give a command over the API; True when it was carried out. A case that moved on meanwhile is looked at again."""
        reference, seen, by = case["reference"], case["version"], self.positions[role]
        # The board is the duty manager's: to whoever may not know that a child is known, a case has another version.
        knows = may(by.role, "find_people")
        try:
            answer = await self.people.give(
                reference, kind, by, seen=seen if knows else None, words=words, key=f"{reference}-{seen}-{kind}-{role}", **fields
            )
        except Refused as refused:
            if refused.answer.status_code != 409:
                self.refused.append(f"{reference} {kind}: {refused.answer.json()['detail']}")
            return False
        case["version"] = answer["version"] if knows else (await self.people.look(reference))["version"]
        case["stage"] = answer["stage"]
        return True

    async def act_on(self, case: dict[str, Any]) -> None:
        """What the people of the hub do about one case now."""
        reference, stage = case["reference"], case["stage"]
        for clock in case["alerts"]:
            if self.due(reference, "acknowledge", clock, hours=0.9, never=0.2):
                await self.give("duty_manager", case, "acknowledge_alert", clock=clock)
        for seconding in case["uncountersigned"]:
            if self.due(reference, "countersign", seconding, hours=2.0, never=0.05):
                await self.give("second", case, "countersign", "Read, and agreed.", seconding=seconding, agreed=True)
        step = getattr(self, f"at_{stage}", None)
        if step:
            await step(case)

    def expected(self, case: dict[str, Any]) -> dict[str, Any]:
        root = "-".join(case["reference"].split("-")[:3])  # a linked referral has its contact's reference and a letter
        return self.vignettes[root]

    def rating(self, case: dict[str, Any]) -> str:
        """The practitioner's rating in the hub's own order; a hub with fewer ratings puts the rest into its last."""
        expected = str(self.expected(case)["expected"]["rating"])
        if expected in self.ratings:
            return expected
        return self.ratings[min(PRACTITIONERS.index(expected), len(self.ratings) - 1)]

    def pace(self, case: dict[str, Any], hours: tuple[float, ...]) -> float:
        """Hours by urgency: the more urgent, the sooner."""
        place = self.ratings.index(case["rating"]) if case["rating"] else 0
        return hours[min(place, len(hours) - 1)]

    def second(self, case: dict[str, Any], alone: bool) -> dict[str, str]:
        """The second person, by telephone, where somebody may be in immediate danger and one `alone` does not decide it."""
        return {"second": self.positions["second"].id} if case["immediate_danger"] and not alone else {}

    async def at_to_confirm_not_ours(self, case: dict[str, Any]) -> None:
        if self.due(case["reference"], "confirm", hours=0.4, never=0.05):
            told = "It is for adults' services, by whom the referrer was told to ring: read, and no child in it."
            await self.give("duty_manager", case, "confirm_not_ours", told, signposted_to="adults_social_care")

    async def at_consultation(self, case: dict[str, Any]) -> None:
        if self.due(case["reference"], "consult", hours=1.0, never=0.05):
            ends = self.expected(case)["expected"]["outcome"] in ("advice", "information_provided")
            outcome = "advice" if ends else "referral"
            await self.give("duty_manager", case, "conclude_consultation", "Talked through with the referrer.", outcome=outcome)

    async def at_triage(self, case: dict[str, Any]) -> None:
        reference = case["reference"]
        if not self.due(reference, "rate", hours=0.4 if case["immediate_danger"] else 0.7, never=0.05):
            return
        subjects = self.expected(case)["subjects"]
        adults = [f"S{n}" for n, subject in enumerate(subjects, 1) if subject["cohort"] == "adult"]
        for adult in adults:
            await self.give(
                "rater",
                case,
                "record_adult_view",
                "Spoken to alone; wants the abuse to stop.",
                subject=adult,
                capacity="has",
                agrees="yes",
            )
        consent = self.expected(case)["consent"]
        consent_code = "given" if consent["given"] else "overridden" if consent["override_reason"] else "not_sought"
        informed = bool(consent["family_informed"])
        await self.give(
            "rater",
            case,
            "record_sharing_basis",
            "Needed to decide how to protect; recorded before any check.",
            purpose="safeguarding_adult"
            if adults
            else "child_protection"
            if consent_code == "not_sought"
            else "safeguarding_child",
            lawful_basis="public_task",
            consent=consent_code,
            family_informed=informed,
            not_informed=None if informed else "puts_somebody_at_risk",
        )
        agreed = list(self.profile.triage.joint)
        rating = self.rating(case)
        second = self.second(case, alone=rating == self.ratings[0])
        await self.give("rater", case, "rate_referral", "First rating.", rating=rating, agreed=agreed, **second)

    async def at_agency_checks(self, case: dict[str, Any]) -> None:
        reference = case["reference"]
        hours = self.pace(case, ANSWERS_IN_HOURS)
        if not case["checks_asked"] and self.due(reference, "ask", hours=0.5):
            named = list(self.profile.agencies)[:3]
            await self.give("duty_manager", case, "ask_agencies", agencies=named)
            return
        for agency in case["outstanding"]:
            if self.due(reference, "answer", agency, hours=hours, never=0.02):
                await self.give(
                    f"agency:{agency}", case, "answer_check", "What our records show.", agency=agency, known=True, relevant=True
                )
        worse = self.ratings[0]
        if case["rating"] == self.ratings[min(1, len(self.ratings) - 1)] != worse and self.due(
            reference, "worse", hours=3, never=0.75
        ):
            await self.give("rater", case, "rerate_referral", "Police report a further incident.", rating=worse)
        if case["outstanding"] and case["late"] and self.due(reference, "proceed", hours=2.5, never=0.3):
            await self.give("rater", case, "proceed_without_replies", "It cannot wait for the missing replies.")

    async def at_mash_meeting(self, case: dict[str, Any]) -> None:
        if self.due(case["reference"], "meeting", hours=self.pace(case, (0.6, 5.0)), never=0.05):
            there = list(self.profile.meeting.quorum or ("social_care", "police", "health"))
            today = day_of(self.now).isoformat()
            held = {"rating": self.rating(case), "attended": there, "held_on": today}
            await self.give("chair", case, "record_meeting", "Views of all agencies recorded.", **held)

    async def at_decision(self, case: dict[str, Any]) -> None:
        if case["rating"] is None and not self.profile.triage.stage:
            await self.at_triage(case)
            return
        if not self.due(case["reference"], "decide", case["stage"], hours=2.0, never=0.04):
            return
        outcome = self.expected(case)["expected"]["outcome"]
        subjects = list((await self.people.look(case["reference"]))["subjects"])
        if outcome in self.profile.assess_first:
            outcome = "section_17"
        outcomes = dict.fromkeys(subjects, outcome)
        # Where one of several children needs less, the paths differ and the referral splits.
        may_differ = len(subjects) > 1 and outcome == "section_17" and not self.profile.assess_first
        if may_differ and self.due(case["reference"], "split", hours=0.01, never=0.6):
            outcomes[subjects[-1]] = "early_help"
        signed_off = self.profile.signs_off(case["rating"], outcomes.values()) is not None
        await self.give(
            "decider",
            case,
            "record_decision",
            "Decided on the information pooled.",
            outcomes=outcomes,
            primary_need=self.expected(case)["concern"]["primary_need"] or "N0",
            transfer_to=AUTHORITY if "transfer" in outcomes.values() else None,
            **self.second(case, alone=signed_off or not set(outcomes.values()) <= set(LIGHT)),
        )

    async def at_sign_off(self, case: dict[str, Any]) -> None:
        if self.due(case["reference"], "sign off", hours=1.5, never=0.05):
            await self.give("second", case, "sign_off_decision", "Agreed.", agreed=True)

    async def see_the_children(self, case: dict[str, Any]) -> None:
        """Each child is seen and asked, before what is found about them is final."""
        look = await self.people.look(case["reference"])
        for sid, subject in look["subjects"].items():
            adult = subject["cohort"] == subject.get("age") == "adult"
            if not adult and subject["cohort"] != "unborn" and not subject.get("seen_on"):
                today = day_of(self.now).isoformat()
                said = "Says that it is quieter at home when grandmother is there."
                await self.give("duty_manager", case, "record_child_voice", said, subject=sid, seen_on=today, alone=True)

    async def answer_the_census(self, case: dict[str, Any]) -> None:
        """What the census has still to be told of the children, by whoever gets round to it; nothing waits for that."""
        reference = case["reference"]
        if (reference, "told the census") in self.plans or not self.due(reference, "census", hours=6.0, never=0.2):
            return
        self.plans[reference, "told the census"] = self.now
        for sid, owed in (await self.people.look(reference))["census_owed"].items():
            details = {field: value for name in owed for field, value in FOR_CENSUS.get(name, {}).items()}
            if details:
                said = "As the family says, and the school."
                await self.give("duty_manager", case, "correct_details", said, item=sid, details=details)

    async def at_section_17_assessment(self, case: dict[str, Any]) -> None:
        await self.answer_the_census(case)
        if self.due(case["reference"], "assessed alone", hours=40.0, never=0.5):
            await self.see_the_children(case)
            await self.give("decider", case, "complete_assessment", "Assessed.", factors=["21"], outcome="no_further_action")

    async def at_strategy_discussion(self, case: dict[str, Any]) -> None:
        if self.due(case["reference"], "strategy", hours=6.0, never=0.05):
            child_protection = self.expected(case)["expected"]["outcome"] == "section_47"
            discussion = self.profile.strategy_discussion
            await self.give(
                "duty_manager",
                case,
                "record_strategy_discussion",
                "Threshold discussed by all three agencies.",
                attended=list(discussion.quorum),
                enquiry="joint" if child_protection and discussion.joint_or_single else None,
                outcome="section_47" if child_protection else "no_section_47",
            )

    async def at_enquiries(self, case: dict[str, Any]) -> None:
        await self.answer_the_census(case)
        if self.due(case["reference"], "assess", hours=2.0, never=0.5) and (case["reference"], "assessed") not in self.plans:
            self.plans[case["reference"], "assessed"] = self.now
            await self.give("duty_manager", case, "start_assessment")
        if self.due(case["reference"], "enquiries", hours=30.0, never=0.5):
            await self.see_the_children(case)
            await self.give("decider", case, "conclude_enquiries", "Concluded.", outcome="no_further_child_protection_action")

    async def at_step_down_preparing(self, case: dict[str, Any]) -> None:
        if self.due(case["reference"], "offer", hours=2.0):
            anybody = next(name for name, service in self.profile.services.items() if not service.cohorts)
            await self.give("duty_manager", case, "offer_step_down", "Support by agreement.", service=anybody)

    async def at_step_down_offered(self, case: dict[str, Any]) -> None:
        if not self.due(case["reference"], "accept", str(case["version"] // 1000), hours=6.0, never=0.1):
            return
        if self.due(case["reference"], "return", hours=0.01, never=0.8) and (case["reference"], "returned") not in self.plans:
            self.plans[case["reference"], "returned"] = self.now
            await self.give("early_help", case, "return_step_down", "No capacity before spring.")
        else:
            await self.give("early_help", case, "accept_step_down", "Accepted, first visit this week.")

    async def at_transfer_offered(self, case: dict[str, Any]) -> None:
        if self.due(case["reference"], "taken over", str(case["version"] // 1000), hours=5.0, never=0.1):
            offered = (await self.people.look(case["reference"]))["hand_overs"]
            for name, each in offered.items():
                if each["result"] is None and each["takes_over"]:
                    said = "Their front door has it: said so by telephone."
                    await self.give("second", case, "accept_hand_over", said, hand_over=name)

    async def at_adult_section_42(self, case: dict[str, Any]) -> None:
        if self.due(case["reference"], "adult", hours=20.0, never=0.5):
            await self.give("adult_social_worker", case, "complete_adult_enquiry", "Enquiry finished.", outcome="risk_reduced")


async def work(hub: Hub, until: datetime) -> None:
    """Let the people of a hub work until a simulated instant."""
    while hub.now.replace(tzinfo=None) < until.replace(tzinfo=None):
        await hub.look()
        await asyncio.sleep(0.12)
