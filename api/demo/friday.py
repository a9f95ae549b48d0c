"""One Friday evening: the rota changes at five, the duty manager is silent, the mail server fails, forty checks run late. What
each person received, when, in their own words."""

from __future__ import annotations

import asyncio
import json
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import httpx
from aiosmtpd.controller import Controller
from rich.console import Console

from mash.api.client import People, person, sign_in
from mash.api.demo.endpoint import endpoint
from mash.api.demo.play import vignettes
from mash.config.permissions import roles
from mash.config.profile import load_profile
from mash.config.settings import Settings
from mash.flows.carrying.duty import gap_in_words, gaps_ahead
from mash.flows.installation.stack import Stack, free_port
from mash.flows.store.api_keys import NewKey, make_api_key
from mash.flows.store.rotas import store_rota
from mash.flows.store.store import Store, open_store
from mash.notifications.rota import Pattern, Rota
from mash.states.clocks import WEEKDAYS, local
from mash.states.values import Actor

HUB = "sandwell"
RATE = 180.0
FRIDAY = date(2026, 11, 27)
CASES = 4
DUTY_MANAGER = person("duty_manager", hub=HUB)
PRACTICE_MANAGER = person("practice_manager", hub=HUB).model_copy(update={"id": "pm1"})
ON_TIME = ("police", "social_care")
"""Those of the twelve agencies who answer in time: the other ten times four are the forty late checks."""


def at(clock: str) -> datetime:
    """A time of that Friday; in November, London's is UTC."""
    return datetime.combine(FRIDAY, time.fromisoformat(clock), UTC)


@dataclass(frozen=True)
class Got:
    """A message as it reached somebody."""

    at: datetime
    to: str
    by: str
    title: str
    text: str


@dataclass
class Phones:
    """A real mail server and a real gateway for text messages, which keep what reaches whom. The mail server can be down."""

    store: Store | None = None
    got: list[Got] = field(default_factory=list)

    def keep(self, to: str, by: str, title: str, text: str) -> None:
        """Somebody gets a message."""
        if self.store:
            self.got.append(Got(self.store.time.now(), to, by, title, text))

    async def reached(self, person: str, reference: str) -> None:
        """Wait until somebody has heard of a referral. Raises TimeoutError after a minute, three hours of the evening."""
        async with asyncio.timeout(60):
            while not any(got.to == person and reference in got.title for got in list(self.got)):  # noqa: ASYNC110  got in another thread
                await asyncio.sleep(0.05)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """A mail arrives."""
        mail = message_from_bytes(envelope.content, policy=policy.default)
        plain = mail.get_body(("plain",))
        for to in envelope.rcpt_tos:
            self.keep(to.split("@")[0], "mail", str(mail["Subject"]).strip(), plain.get_content() if plain else "")
        return "250 kept"

    def text(self, person: str, body: bytes) -> tuple[int, dict[str, str]]:
        """The gateway for texts takes one: a POST to /PERSON."""
        message = json.loads(body)
        self.keep(person, "text", message["title"], message["message"])
        return 200, {}


def the_rota() -> Rota:
    """Who is on duty: the duty manager until five, then the emergency team; nobody as service manager on Fridays."""
    week = WEEKDAYS[:5]

    def weekly(role: str, person: str, starts: str, ends: str, days: tuple[Any, ...] = WEEKDAYS) -> Pattern:
        return Pattern(
            role=role,
            person=person,
            days=days,
            starts=time.fromisoformat(starts),
            ends=time.fromisoformat(ends),
            since=date(2026, 11, 2),
        )

    return Rota(
        patterns=(
            weekly("duty_manager", "dm1", "09:00", "17:00", week),
            weekly("out_of_hours", "edt1", "17:00", "09:00"),
            weekly("out_of_hours", "edt2", "09:00", "17:00", ("sat", "sun")),
            weekly("practice_manager", "pm1", "08:00", "22:00"),
            weekly("service_manager", "sm1", "09:00", "17:00", week[:4]),
        )
    )


def run_story(as_json: bool) -> int:
    """Play the evening; returns 0 when everybody was reached and the child in danger was somebody's by name."""
    console, phones = Console(highlight=False, soft_wrap=True, stderr=as_json), Phones()
    with tempfile.TemporaryDirectory(prefix="mash-friday-") as folder, endpoint(phones.text) as texts:
        mail_port = free_port()
        with Stack(_settings(Path(folder), mail_port, texts)) as stack:
            console.print("Starting PostgreSQL, Prefect, the worker and the API ...")
            stack.wait_ready()
            story = asyncio.run(_evening(stack.settings, console, phones, mail_port))
    if as_json:
        print(json.dumps(story, default=str), flush=True)
    return 0 if story["held_by"] and not story["dead"] else 1


def _settings(folder: Path, mail_port: int, texts: int) -> Settings:
    def mail(to: str) -> str:
        return f"mailto://127.0.0.1:{mail_port}/?from=mash@example.org&to={to}@example.org"

    def text(to: str) -> str:
        return f"hook://127.0.0.1:{texts}/{to}"

    agencies = load_profile(HUB).agencies.values()
    of_role = sorted({*roles(), *(a.role for a in agencies), *(a.lead for a in agencies)})
    lines = [f"[{HUB}]", f'administrator = ["{mail("administrator")}"]']
    lines += [f'{role} = ["{mail(role)}"]' for role in of_role if role != "administrator"]
    lines += [f"[{HUB}.people]"]
    lines += [f'{who} = ["{mail(who)}", {{ url = "{text(who)}", after = "5 min" }}]' for who in ("dm1", "pm1", "sm1")]
    lines += [f'{who} = ["{text(who)}", {{ url = "{mail(who)}", after = "10 min" }}]' for who in ("edt1", "edt2")]
    channels = folder / "channels.toml"
    channels.touch(mode=0o600)
    channels.write_text("\n".join(lines))
    return Settings.model_validate(
        {
            "data_dir": folder, "api_port": free_port(), "prefect_api_url": f"http://127.0.0.1:{free_port()}/api", "hubs": HUB,
            "channels_file": channels, "mail_url": f"mailto://127.0.0.1:{mail_port}/?from=mash@example.org",
            # Long before the first referral: on a slow machine the day begins while all starts.
            "time_rate": RATE, "time_start": at("11:25").isoformat(), "settle_seconds": 0.3, "story_seconds": 1,
            # The evening's people call from one machine, in minutes for hours.
            "requests_per_minute": 0, "anonymous_requests_per_minute": 0,
        }
    )  # fmt: skip


async def _evening(settings: Settings, console: Console, phones: Phones, mail_port: int) -> dict[str, Any]:
    store = await open_store(settings, pool_size=2)
    phones.store = store
    mail = Controller(phones, hostname="127.0.0.1", port=mail_port)
    mail.start()
    try:
        rota = the_rota()
        await store_rota(store, HUB, rota, "demo")
        for gap in gaps_ahead(store, store.hub(HUB), rota, timedelta(days=7)):
            console.print(f"The rota has a gap: {gap_in_words(gap)}")
        async with httpx.AsyncClient(base_url=settings.base_url, timeout=30) as http:
            people = await _people(store, http, phones, console)
            await people.until("13:10", "four referrals arrive and are rated red; twelve agencies are asked about each")
            cases = [await people.refer() for _ in range(CASES)]
            for case in cases:
                await people.triage(case)
            for agency in ON_TIME:
                await asyncio.gather(*(people.answer(case, agency) for case in cases))
            await people.until("16:50", "a teacher sees immediate danger; the duty manager is told, and silent")
            danger = await people.refer(immediate_danger=True)
            await people.until("17:00", "the rota changes: the emergency duty team is on")
            await people.until("17:05", "the mail server goes down")
            await asyncio.to_thread(mail.stop)
            await people.until("17:40", "the mail server is back; the practice manager signs in and has the child in danger")
            mail = Controller(phones, hostname="127.0.0.1", port=mail_port)
            mail.start()
            await people.give(danger, "acknowledge_alert", PRACTICE_MANAGER, clock="triage")
            held_by = (await people.look(danger))["held_by"].get("triage")
            await people.until("17:45", "the practice manager rates it")
            await people.triage(danger, PRACTICE_MANAGER)
            await people.until("18:40", "whom the mail server kept from hearing has heard")
            await phones.reached("housing_lead", cases[0])
            await people.until("19:00", "the agencies answer about the first child: that alert is over")
            await asyncio.gather(*(people.answer(cases[0], a) for a in store.hub(HUB).agencies if a not in ON_TIME))
            await people.until("19:45", "the evening is over")
            end = await people.look(danger)
        dead = sum(notice["status"] == "dead" for notice in end["alerts_sent"])
    finally:
        mail.stop()
        await store.close()
    _print(console, phones.got)
    received = [
        {"to": g.to, "at": local(g.at), "by": g.by, "title": g.title, "text": g.text}
        for g in sorted(phones.got, key=lambda g: g.at)
    ]
    return {"held_by": held_by, "dead": dead, "received": received}


async def _people(store: Store, http: httpx.AsyncClient, phones: Phones, console: Console) -> _People:
    """Everybody who acts that evening, signed in."""
    agencies = (person("agency", agency, HUB) for agency in store.hub(HUB).agencies)
    return _People(
        key=await make_api_key(store, NewKey("friday", HUB, "education")),
        sessions=await sign_in(store, (DUTY_MANAGER, PRACTICE_MANAGER, *agencies)),
        http=http,
        duty_manager=DUTY_MANAGER,
        words="Said on the telephone, and written down.",
        store=store,
        phones=phones,
        console=console,
    )


@dataclass(kw_only=True)
class _People(People):
    """Whoever acts that evening, over HTTP."""

    store: Store
    phones: Phones
    console: Console
    referred: int = 0

    async def until(self, clock: str, what: str) -> None:
        """Let time pass, and say what happens then."""
        await asyncio.sleep(self.store.time.wait(at(clock)))
        self.console.print(f"{clock}  {what}")

    async def refer(self, **concern: Any) -> str:
        """Somebody makes a referral; returns its reference."""
        self.referred += 1
        vignette = vignettes()[self.referred]
        body = {name: value for name, value in vignette.items() if name not in ("id", "expected", "received_at", "kind")}
        return await self.submit({**body, "concern": {**body["concern"], "immediate_danger": False, **concern}})

    async def triage(self, reference: str, by: Actor | None = None) -> None:
        """Record why information may be shared, and rate red."""
        basis: dict[str, Any] = {"purpose": "safeguarding_child", "lawful_basis": "public_task", "consent": "given"}
        await self.give(reference, "record_sharing_basis", by, **basis, family_informed=True)
        await self.give(reference, "rate_referral", by, rating="red")

    async def answer(self, reference: str, agency: str) -> None:
        """An agency answers that it knows the family."""
        by = person("agency", agency, HUB)
        await self.give(reference, "answer_check", by, agency=agency, known=True, relevant=False, sensitive=False)


def _print(console: Console, got: list[Got]) -> None:
    """What each person received when, in their own words; of the twelve agencies, who each got the like, those of one."""
    shown = ("police", "housing")
    agencies = {role for agency in load_profile(HUB).agencies.values() for role in (agency.role, agency.lead)}
    others = {role for role in agencies if not role.startswith(shown)}
    number = sum(g.to in others for g in got)
    console.print(f"\n{len(others)} further people of agencies got the like of police and housing: {number} messages")
    for who in sorted({g.to for g in got} - others):
        theirs = sorted((g for g in got if g.to == who), key=lambda g: g.at)
        console.print(f"\n{who}: {len(theirs)} messages", style="bold")
        for g in theirs:
            console.print(f"  {local(g.at)[4:]}  by {g.by}: {g.title}", markup=False)
            for line in g.text.splitlines()[:3]:
                console.print(f"                 {line}", markup=False, style="dim")
