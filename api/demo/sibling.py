"""Ten contacts about one boy, some about his sister too, within a year: each small, by eight kinds of referrer who spell them
differently. What the duty manager sees at the third, the seventh and the tenth, and what the hub then does."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from mash.api.client import Refused, person, sign_in
from mash.api.demo.anchor import move_time
from mash.api.demo.front_door import DECIDER, DUTY_MANAGER, SECOND, SERVICE, FrontDoor, NotSo
from mash.api.demo.mailbox import Mailbox
from mash.api.demo.play import demo_settings, vignettes
from mash.flows.installation.stack import Stack
from mash.flows.store.api_keys import NewKey, make_api_key
from mash.flows.store.store import open_store
from mash.states.clocks import dated

HUB = "wiltshire_swindon"
RATE = 60.0
"""While people work a minute takes a second; between two contacts weeks are left out."""
PARTS = ("api", "worker")
"""What runs. Prefect is not needed: with it away everything that people see goes on."""
COUSIN = 1
"""Which of the lines is about somebody else: it is none of the ten."""


def contacts() -> list[dict[str, Any]]:
    """The ten contacts and the cousin's, in the order in which they come: when, by whom, and what is submitted."""
    text = files("mash.api.demo").joinpath("sibling.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def run_story(as_json: bool) -> int:
    """Play the year; returns 0 when all that it tells was so."""
    console, mailbox = Console(highlight=False, soft_wrap=True, stderr=as_json), Mailbox()
    began, lines = time.monotonic(), contacts()
    with tempfile.TemporaryDirectory(prefix="mash-sibling-") as folder, _mail(mailbox) as mail_port:
        settings = demo_settings(Path(folder), mail_port, (HUB,))
        settings = settings.model_copy(update={"time_rate": RATE, "time_start": lines[0]["at"]})
        console.print("Starting PostgreSQL, the worker and the API ...")
        with Stack(settings, PARTS) as stack:
            stack.wait_ready()
            hub = asyncio.run(_front_door(stack, console, mailbox))
            year = _Year(stack, hub, lines)
            try:
                asyncio.run(year.play())
            except (NotSo, Refused, TimeoutError) as wrong:
                hub.wrong = str(wrong) or "it took too long"
    seconds = round(time.monotonic() - began, 1)
    ended = f"NOT SO: {hub.wrong}" if hub.wrong else f"{len(hub.told)} things were told, and each was so"
    console.print(f"\n{ended}: {seconds} s", style="bold", markup=False)
    if as_json:
        story = {"contacts": year.ten, "open_case": year.open_case, "told": hub.told, "strips": hub.strips}
        print(json.dumps({**story, "wrong": hub.wrong, "seconds": seconds}), flush=True)
    return 1 if hub.wrong else 0


@contextmanager
def _mail(mailbox: Mailbox) -> Iterator[int]:
    controller, port = mailbox.serve()
    try:
        yield port
    finally:
        controller.stop()


async def _front_door(stack: Stack, console: Console, mailbox: Mailbox) -> FrontDoor:
    """The hub's people, signed in, and what its referrers submit by."""
    store = await open_store(stack.settings, pool_size=2)
    try:
        key = await make_api_key(store, NewKey("sibling", HUB, "unknown"))
        staff = (person(role, agency, HUB) for role, agency in (DUTY_MANAGER, DECIDER, SECOND, SERVICE))
        sessions = await sign_in(store, staff)
    finally:
        await store.close()
    return FrontDoor(
        key=key, sessions=sessions, duty_manager=person(*DUTY_MANAGER, HUB), http=_client(stack), console=console, mailbox=mailbox
    )


def _client(stack: Stack) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=stack.settings.base_url, timeout=30)


class _Year:
    """The contacts, one after another, and what becomes of each."""

    def __init__(self, stack: Stack, hub: FrontDoor, lines: list[dict[str, Any]]) -> None:
        self.stack, self.hub, self.lines = stack, hub, lines
        self.ten: list[str] = []
        """The references of the ten, in their order."""
        self.open_case = ""
        """The case of the sixth, from when it is assessed on."""
        self.came_at = datetime.fromisoformat(lines[0]["at"])

    async def play(self) -> None:
        """From the first to the tenth."""
        await self.hub.others_are_known(vignettes())
        await self.alone()
        await self.third()
        await self.signed_off_and_the_sister()
        await self.seventh()
        await self.tenth()

    async def next(self) -> str:
        """The next contact comes: weeks after the last one, for which everything is stopped and started anew."""
        line = self.lines[len(self.ten) + (len(self.ten) >= COUSIN)]
        at = datetime.fromisoformat(line["at"])
        if at.date() != self.came_at.date():
            await self.leap(at)
        self.came_at = at
        reference = await self.hub.comes(line["body"])
        self.ten.append(reference)
        self.hub.about_them.add(reference)
        self._head(f"{len(self.ten)}  {dated(at)}: ", line)
        return reference

    def _head(self, when: str, line: dict[str, Any]) -> None:
        names = " and ".join(_written(subject) for subject in line["body"]["subjects"])
        self.hub.heading(f"{when}{line['who']}, about {names}", line["body"]["concern"]["summary"])

    async def leap(self, at: datetime) -> None:
        """Everything that runs is stopped, and goes on at another time: what waits is in the database."""
        await self.hub.http.aclose()
        for part in PARTS:
            self.stack.children[part].terminate()
        for part in PARTS:
            self.stack.children[part].wait()
        self.hub.mailbox.time = move_time(self.stack.settings, RATE, at)
        for part in PARTS:
            self.stack.start(part)
        self.stack.wait_ready()
        self.hub.http = _client(self.stack)

    # --- the first two --------------------------------------------------------------------------------------------------

    async def alone(self) -> None:
        """The first two are closed by one person, each by itself; and somebody tells of a cousin."""
        first = await self.next()
        self.hub.so((await self.hub.looked(first))["likely"] == [], "Nobody of it is known already.")
        await self.hub.close(first, "advice", "The school offers him lunch.")
        self.cousin = await self.hub.comes(self.lines[COUSIN]["body"])
        self._head("The same morning: ", self.lines[COUSIN])
        await self.hub.looked(self.cousin)
        await self.hub.close(self.cousin, "advice", "The dentist will see him.")
        second = await self.next()
        strip = await self.hub.shown(second)
        known = [each["reference"] for each in strip["likely"]]
        self.hub.so(known == [first], "One earlier contact may be about the same child; nobody confirms it.")
        await self.hub.close(second, "no_further_action", "The surgery writes again.")
        self.hub.say("Each of the two was closed by one person. That is how children are lost.")

    # --- the third ------------------------------------------------------------------------------------------------------

    async def third(self) -> None:
        """Contacts add up: nothing more is done for him only once a second person has looked."""
        hub, case = self.hub, await self.next()
        strip = await hub.shown(case)
        known = {each["reference"] for each in strip["likely"]}
        hub.so(known == {*self.ten[:2], self.cousin}, "The duty manager sees three that may be about him, and none about her.")
        hub.so(strip["adds_up"] == 4, "Beside them stands: they may be four contacts about one child within 12 months.")
        await hub.told_to_look(case, "duty_manager")
        await hub.give(case, "rate_referral", rating="green", words="Nobody was hurt.")
        nothing: dict[str, Any] = {"outcomes": {"S1": "no_further_action", "S2": "no_further_action"}}
        refusal = await hub.refused(case, "record_decision", DECIDER, words="A single row.", **nothing)
        hub.so("confirm or reject first" in refusal, "No further action is refused: confirm or reject each likely one first.")
        confirmed, rejected = await hub.settle(case)
        hub.so((confirmed, rejected) == (2, 1), "She confirms two of them, and rejects his cousin's: how she knows is on record.")
        refusal = await hub.refused(case, "record_decision", DECIDER, words="A single row.", **nothing)
        hub.so("weigh_contacts" in refusal, "It is refused again: say first what the contacts come to together.")
        await hub.give(case, "weigh_contacts", words="No lunch, no asthma reviews, shouting at night: nobody looks after him.")
        answer = await hub.give(case, "record_decision", hub.staff(DECIDER), words="The parents will talk.", **nothing)
        hub.so(answer["stage"] == "sign_off", "Now it is decided; of effect it is only once a second person signs it off.")
        await self.sent_back(case)

    async def sent_back(self, case: str) -> None:
        """The second person writes a view of her own first, and sends it back; what protects waits for nobody."""
        hub = self.hub
        hub.so(await hub.words_hidden_from(case, SECOND), "The practice manager does not read yet what the others wrote.")
        refusal = await hub.refused(case, "sign_off_decision", SECOND, agreed=True)
        hub.so("write your own view first" in refusal, "She cannot sign off before she has written a view of her own.")
        await hub.give(case, "write_second_view", hub.staff(SECOND), words="Three who do not know each other say the same.")
        hub.so(not await hub.words_hidden_from(case, SECOND), "Then she reads what they wrote.")
        answer = await hub.give(case, "sign_off_decision", hub.staff(SECOND), agreed=False, words="They need somebody now.")
        hub.so(answer["stage"] == "decision", "She sends it back.")
        helped: dict[str, Any] = {"outcomes": {"S1": "early_help", "S2": "early_help"}, "primary_need": "N5"}
        answer = await hub.give(case, "record_decision", hub.staff(DECIDER), words="Early help for both.", **helped)
        hub.so(
            answer["stage"] == "step_down_preparing",
            "Early help is decided, and of effect at once: help waits for nobody.",
        )
        await hub.give(case, "offer_step_down", service="early_help")
        await hub.give(case, "accept_step_down", hub.staff(SERVICE))

    # --- until the seventh ----------------------------------------------------------------------------------------------

    async def signed_off_and_the_sister(self) -> None:
        """The fourth is signed off; two contacts about his sister do not add up; the sixth leads to an assessment."""
        hub, case = self.hub, await self.next()
        await hub.looked(case)
        await hub.give(case, "rate_referral", rating="green", words="He is seen every day.")
        confirmed, _ = await hub.settle(case)
        hub.so(confirmed == 1, "One confirmation joins it to all of his: nothing is merged, each contact stays as it is.")
        await hub.give(case, "weigh_contacts", words="The fourth; early help is with them since last month.")
        await hub.give(case, "record_decision", hub.staff(DECIDER), words="It is known there.", outcomes={"S1": "advice"})
        await hub.give(case, "write_second_view", hub.staff(SECOND), words="The helper sees him this week.")
        answer = await hub.give(case, "sign_off_decision", hub.staff(SECOND), agreed=True)
        hub.so(not answer["open"], "The second person has her own view, and signs it off.")
        sister = await self.next()
        hub.so((await hub.shown(sister))["adds_up"] == 0, "It is the second contact about Isla: two do not add up.")
        await hub.settle(sister)
        await hub.close(sister, "advice", "The health visitor goes again with the helper.")
        moved = await self.next()
        await hub.looked(moved)
        await hub.settle(moved)
        await hub.give(moved, "rate_referral", rating="green", words="Both are seen at school.")
        both: dict[str, Any] = {"outcomes": {"S1": "section_17", "S2": "section_17"}, "primary_need": "N1"}
        answer = await hub.give(moved, "record_decision", hub.staff(DECIDER), words="They moved; nobody told anybody.", **both)
        hub.so(answer["stage"] == "section_17_assessment", "Another address, no birthday: both are found. An assessment begins.")
        self.open_case = moved

    # --- the seventh ----------------------------------------------------------------------------------------------------

    async def seventh(self) -> None:
        """His case is open: whoever has it hears of the seventh at once, and it is added there; the eighth too."""
        hub, case = self.hub, await self.next()
        strip = await hub.shown(case)
        likely = {each["reference"] for each in strip["likely"]}
        hub.so(self.ten[1] in likely, "His names stand in each other's boxes; his NHS number, which one other has, finds him.")
        await hub.told_to_look(self.open_case, (await hub.look(self.open_case))["owner"])
        await hub.settle(case)
        strip = await hub.shown(case)
        about = [each["reference"] for each in strip["confirmed"]]
        hub.so(
            set(about) == {*self.ten[:4], self.open_case} and strip["adds_up"] == 6,
            "She confirms it once: five earlier contacts are about him, one of them open. This is the sixth within 12 months.",
        )
        await self.added(case, "A burn on his hand that nobody explains.")
        hub.so(
            await hub.referrer_hears_nothing_of(case, self.open_case),
            "A&E reads that it was received and considered, and of no open case.",
        )
        grandmother = await self.next()
        await hub.looked(grandmother)
        await hub.settle(grandmother)
        await self.added(grandmother, "He told her that he is hungry at night.")

    async def added(self, case: str, words: str) -> None:
        """A contact goes on in the open case."""
        answer = await self.hub.give(case, "attach_contact", other=self.open_case, words=words)
        self.hub.so(
            answer["stage"] == "considered" and case in await self.hub.log(self.open_case),
            "It is added to the open case; its words stay with whoever could read them.",
        )

    # --- the tenth ------------------------------------------------------------------------------------------------------

    async def tenth(self) -> None:
        """One concern came twice: the two are compared, and the second copy is closed; the ninth goes to the open case."""
        hub, ninth = self.hub, await self.next()
        await hub.looked(ninth)
        await hub.settle(ninth)
        copy = await self.next()
        await hub.looked(copy)
        await hub.settle(copy)
        strip = await hub.shown(copy)
        hub.so(strip["adds_up"] == 8, "The duty manager sees the eighth contact about him within 12 months.")
        hub.so(strip["before"] == {"S1": 1}, "The very first is older than that: it is a number, one before.")
        guess: dict[str, Any] = {"other": ninth, "words": "The same morning."}
        refusal = await hub.refused(copy, "close_duplicate", compared="no", **guess)
        hub.so("beside each other first" in refusal, "It is no second copy before somebody has seen the two side by side.")
        pair = await hub.beside_each_other(copy, ninth)
        for side, sentence in pair["differs"]:
            hub.say(f"  only {'in this one' if side == 'here' else 'in the other'}: {sentence}")
        hub.so(len(pair["differs"]) == 1, "They differ in one sentence, which she reads.")
        await hub.give(copy, "close_duplicate", compared=pair["compared"], **guess)
        hub.so(
            "safe_contact" in (await hub.look(ninth))["markers"],
            "It is closed; its warning (how to reach the mother) goes along.",
        )
        await self.added(ninth, "He hides bread for his sister.")
        hub.so("safe_contact" in (await hub.look(self.open_case))["markers"], "The warning stands on the open case now.")
        strip = await hub.shown(self.open_case)
        all_of_them = {each["reference"] for each in strip["confirmed"]} | {self.open_case}
        hub.so(all_of_them == set(self.ten), "Beside the open case stand all the others. Ten strangers are two children.")
        hub.so(hub.no_mail_names("feather"), "In no message to anybody of the hub stood a name.")


def _written(subject: dict[str, Any]) -> str:
    """A person as the referrer wrote them."""
    name = " ".join(subject["name"].values())
    born = subject.get("date_of_birth")
    return f"{name} ({born})" if born else f"{name} (no birthday)"
