"""The people of a hub's front door in a story: what they do over HTTP, what they see, and whether what is told of it is so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from rich.console import Console

from mash.api.client import People, Refused, done, person
from mash.api.demo.mailbox import Mailbox
from mash.states.clocks import LONDON
from mash.states.values import Actor

DUTY_MANAGER = ("duty_manager", "social_care")
DECIDER = ("team_manager", "social_care")
SECOND = ("practice_manager", "second")
SERVICE = ("early_help", "early_help")
"""A role, and for which agency."""
PATIENCE = 30.0
"""Seconds: what comes by itself takes one or two, on a slow machine some more."""
OF_OTHERS = ("record_decision", "weigh_contacts", "rate_referral")
"""What is not read before one's own view is written."""
AT_ONCE = 8


class NotSo(Exception):
    """What the story tells was not so."""


@dataclass(kw_only=True)
class FrontDoor(People):
    """Who works at the front door, and what of it is told."""

    console: Console
    mailbox: Mailbox
    told: list[str] = field(default_factory=list)
    strips: dict[str, Any] = field(default_factory=dict)
    """What was shown beside a case, by its reference; the last time it was."""
    about_them: set[str] = field(default_factory=set)
    """The contacts about the two children."""
    wrong: str = ""
    """What was told and not so."""

    # --- telling --------------------------------------------------------------------------------------------------------

    def say(self, sentence: str) -> None:
        """A line of the story."""
        self.console.print(f"   {sentence}", markup=False)

    def heading(self, sentence: str, words: str) -> None:
        """What begins, and what was said."""
        self.console.print(f"\n{sentence}", style="bold", markup=False)
        self.console.print(f'   "{words}"', style="italic", markup=False)

    def so(self, holds: bool, sentence: str) -> None:
        """Tell what is so. Raises NotSo where it is not."""
        if not holds:
            raise NotSo(sentence)
        self.told.append(sentence)
        self.say(sentence)

    # --- doing ----------------------------------------------------------------------------------------------------------

    def staff(self, who: tuple[str, str]) -> Actor:
        """Somebody of this hub's staff."""
        return person(*who, self.duty_manager.hub)

    async def comes(self, body: dict[str, Any]) -> str:
        """A contact is submitted; its reference."""
        return await self.submit({**body, "reported_at": None})

    async def others_are_known(self, bodies: list[dict[str, Any]]) -> None:
        """Contacts about other people are in the records already: in a hub of one family every name would be as rare as any.
        They are adults here, whom this hub signposts: somebody has read each and confirmed that, and there is no more work on
        them."""
        named = [_about_adults(body) for body in bodies if body["subjects"]]  # what names nobody may be about a child
        for n in range(0, len(named), AT_ONCE):
            await asyncio.gather(*(self._signposted(body) for body in named[n : n + AT_ONCE]))
        self.say(f"{len(named)} contacts about other families are in the hub's records.")

    async def _signposted(self, body: dict[str, Any]) -> None:
        case = await self.comes(body)
        told = "Adults only; whoever referred was told to ring adults' services."
        await self.give(case, "confirm_not_ours", signposted_to="adults_social_care", words=told)

    async def close(self, case: str, outcome: str, words: str) -> None:
        """A contact about one subject is rated and closed, by one person each."""
        await self.give(case, "rate_referral", rating="green", words="Low level.")
        answer = await self.give(case, "record_decision", self.staff(DECIDER), outcomes={"S1": outcome}, words=words)
        self.so(not answer["open"], f"It is closed at once: {outcome.replace('_', ' ')}.")

    async def refused(self, case: str, kind: str, who: tuple[str, str] = DUTY_MANAGER, **fields: Any) -> str:
        """Why a command is refused. Raises NotSo where it is not."""
        try:
            await self.give(case, kind, self.staff(who), **fields)
        except Refused as refused:
            return str(refused.answer.json()["detail"])
        raise NotSo(f"{kind} is refused")

    async def settle(self, case: str) -> tuple[int, int]:
        """The duty manager confirms what is about the two children and rejects what is about somebody else, until nothing waits;
        how many of each it took."""
        confirmed = rejected = 0
        while waits := [each for each in (await self.looked(case))["likely"] if each["other"]]:
            each = waits[0]
            pair = {"subject": each["subject"], "other": each["reference"], "other_subject": each["other"]}
            if each["reference"] in self.about_them:
                await self.give(case, "identify_subject", **pair)
                confirmed += 1
            else:
                await self.give(case, "reject_match", words="Two cousins: the dentist knows both.", **pair)
                rejected += 1
            await self.until(case, partial(_settled, each))
        return confirmed, rejected

    # --- seeing ---------------------------------------------------------------------------------------------------------

    async def earlier(self, case: str) -> dict[str, Any]:
        """What stands beside a case of its people's other contacts."""
        headers = self.headers_of(self.duty_manager)
        return dict(done(await self.http.get(f"/cases/{case}/earlier", headers=headers)))

    async def until(self, case: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The same, once something holds of it. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE):
            while not holds(strip := await self.earlier(case)):  # noqa: ASYNC110  it changes in another process
                await asyncio.sleep(0.1)
        return strip

    async def looked(self, case: str) -> dict[str, Any]:
        """The same, once the software has looked by itself."""
        return await self.until(case, lambda strip: strip["looked"])

    async def shown(self, case: str) -> dict[str, Any]:
        """The same, told line by line: whom the contact came from, how it was rated and ended, and how sure it is."""
        began = time.monotonic()
        strip = self.strips[case] = await self.looked(case)
        self.console.print(f"   earlier contacts, beside {case} (after {time.monotonic() - began:.1f} s):", style="dim")
        for each in (*strip["confirmed"], *strip["likely"]):
            self.console.print(f"     {_line(each)}", style="dim", markup=False)
        return strip

    async def told_to_look(self, case: str, role: str | None) -> None:
        """Whoever has a case, or is on duty, gets a notice that says nothing of whom."""
        line = f"{case}: please look at this case"
        async with asyncio.timeout(PATIENCE):
            while not self._has(line, role):  # noqa: ASYNC110  it comes in another thread
                await asyncio.sleep(0.1)
        self.so(True, f"The {str(role).replace('_', ' ')} has a mail: “{line}”. Of whom, it does not say.")

    def _has(self, line: str, role: str | None) -> bool:
        """Whether a role was sent a line, in a mail of its own or among others that came at the same time."""
        mails = [mail for mail in list(self.mailbox.messages) if mail.to.startswith(f"{role}.")]
        return any(line in mail.subject or line in mail.text for mail in mails)

    async def words_hidden_from(self, case: str, who: tuple[str, str]) -> bool:
        """Whether somebody is shown that others have written, and not what."""
        whole = done(await self.http.request(**self.to_look(case, self.headers_of(self.staff(who)))))
        views = {item["view"] for item in whole["items"] if item["kind"] in OF_OTHERS}
        return views == {"signpost"}

    async def log(self, case: str) -> str:
        """What the case's log tells the duty manager."""
        lines = done(await self.http.get(f"/cases/{case}/log", headers=self.headers_of(self.duty_manager)))
        return " ".join(line["what"] for line in lines)

    async def beside_each_other(self, case: str, other: str) -> dict[str, Any]:
        """The boy of one contact and of another, side by side."""
        whom = {"subject": "S1", "other_subject": "S1"}
        headers = self.headers_of(self.duty_manager)
        return dict(done(await self.http.get(f"/cases/{case}/earlier/{other}", params=whom, headers=headers)))

    async def referrer_hears_nothing_of(self, contact: str, case: str) -> bool:
        """Whether whoever referred reads that it was considered, and nothing of another case."""
        answer = await self.http.get(f"/referrals/{contact}", headers={"Authorization": f"Bearer {self.key}"})
        (part,) = done(answer)["parts"]
        return part["status"] == "decided" and "considered" in part["outcome"][0] and case not in answer.text

    def no_mail_names(self, part: str) -> bool:
        """Whether a part of a name stands in no message; long enough not to be found in a link by chance."""
        return not any(part in mail.subject + mail.text for mail in list(self.mailbox.messages))


def _settled(each: dict[str, Any], strip: dict[str, Any]) -> bool:
    return each not in strip["likely"]


def _line(each: dict[str, Any]) -> str:
    at = datetime.fromisoformat(each["received_at"]).astimezone(LONDON)
    ended = "open" if each["open"] else (each["outcome"] or each["stage"]).replace("_", " ")
    sure = "the same child" if each["likeness"] == "confirmed" else f"may be the same: {', '.join(each['why'])}".replace("_", " ")
    who = each["subject"] if each["other"] else f"{each['subject']}, in its household"
    return f"{at:%d %b %Y}  {each['source_agency']:10}  {each['rating'] or '-':5}  {ended:18}  {who}: {sure}"


def _about_adults(vignette: dict[str, Any]) -> dict[str, Any]:
    """A contact of the other demonstration, about adults only, and of nothing that this hub takes."""
    subjects = [_grown_up(subject) for subject in vignette["subjects"]]
    return {
        "kind": "referral",
        "source": vignette["source"],
        "subjects": subjects,
        "household": vignette["household"],
        "concern": {"summary": "Of another family.", "immediate_danger": False},
    }


def _grown_up(subject: dict[str, Any]) -> dict[str, Any]:
    """Somebody as an adult: a child is born forty years earlier, and where nobody said when, in some year. An adult is one
    already: earlier still, their age would be doubtful, and they would be seen as a child."""
    year, day = (subject["date_of_birth"] or "2015-05-05").split("-", 1)
    born = int(year) if subject["cohort"] == "adult" else int(year) - 40
    return {**subject, "cohort": "adult", "date_of_birth": f"{born}-{day}", "age_estimate": None, "expected_date": None}
