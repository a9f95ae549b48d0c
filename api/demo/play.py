"""Playing the demonstration: start everything, send the referrals in their order, let people act, report."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.live import Live
from rich.table import Table

from mash.api.client import People, Refused, person, sign_in
from mash.api.demo.anchor import move_time
from mash.api.demo.history import write_history
from mash.api.demo.mail_page import serve_mail_page
from mash.api.demo.mailbox import Mailbox
from mash.api.demo.people import Hub, work
from mash.api.demo.visit import Visitors, show
from mash.config.permissions import roles
from mash.config.profile import load_profile
from mash.config.settings import Settings, read_settings
from mash.flows.installation.stack import Stack, free_port
from mash.flows.store.api_keys import NewKey, make_api_key
from mash.flows.store.reads.children import children
from mash.flows.store.reads.counts import conservation, tally
from mash.flows.store.replay import replay
from mash.flows.store.store import Store, open_store
from mash.states.clocks import dated, local
from mash.states.stages import STAGE_TITLES

RATE = 3600.0
STARTS = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)
"""A Thursday, 09:00 in London."""
ARRIVE_WITHIN = timedelta(hours=48)
LASTS = timedelta(hours=80)
LINE_EVERY = 10
"""Hours of demo time between two lines about how it goes, where output is a file."""


def vignettes() -> list[dict[str, Any]]:
    """The 48 fictional referrals, in the order in which they were received."""
    text = files("mash.api.demo").joinpath("referrals.jsonl").read_text(encoding="utf-8")
    return sorted((json.loads(line) for line in text.splitlines()), key=lambda v: datetime.fromisoformat(v["received_at"]))


class WithPast(Stack):
    """The demonstration's stack: behind the first of its days there are closed cases of two years."""

    past = 0
    """How many."""

    def _prepare(self) -> None:
        self.past = asyncio.run(_written(self.settings))
        # Meanwhile hours have gone by.
        move_time(self.settings, rate=RATE, at=STARTS)


async def _written(settings: Settings) -> int:
    store = await open_store(settings, pool_size=1)
    try:
        return write_history(store, settings, STARTS, vignettes())
    finally:
        await store.close()


def run_demo(stay: bool, as_json: bool, hubs: tuple[str, ...]) -> int:
    """Play these hubs; returns the exit code: 0 when all came out as it is to."""
    console, mailbox = Console(highlight=False), Mailbox()
    with tempfile.TemporaryDirectory(prefix="mash-demo-") as folder:
        controller, mail_port = mailbox.serve()
        try:
            own_profiles = read_settings().profiles_dir
            visitors = Visitors(Path(folder), tuple(load_profile(hub, own_profiles) for hub in hubs))
            settings = demo_settings(Path(folder), mail_port, hubs).model_copy(
                update={"local_accounts": True, "accounts_file": visitors.file}
            )
            with serve_mail_page(mailbox, visitors, settings) as mail_page:
                result = _played(settings, console, mailbox, mail_page, as_json)
                if stay:
                    _stay(settings, console, mailbox, visitors, mail_page)
        finally:
            controller.stop()
    return 0 if comes_out(result) else 1


def comes_out(result: Mapping[str, Any]) -> bool:
    """Whether the days that were played have shown what they are to show: contacts add up, no child is nobody's, and each act is
    decided again as it was."""
    adds_up = result["contacts"] == result["outcomes"] + result["open"] == result["accepted_by_sender"] + result["before"]
    return adds_up and not result["children_wrong"] and not result["decided_otherwise"]


def _played(settings: Settings, console: Console, mailbox: Mailbox, mail_page: str, as_json: bool) -> dict[str, Any]:
    """What came of the days, which are played and reported."""
    began = time.monotonic()
    console.print("Starting PostgreSQL, Prefect, the worker and the API ...")
    with WithPast(settings) as stack:
        stack.wait_ready()
        console.print(
            f"Playing {LASTS / timedelta(hours=1):.0f} hours of demo time, from {dated(STARTS)}: it takes about"
            f" {LASTS.total_seconds() / RATE:.0f} seconds. The mail can be read at {mail_page}",
            soft_wrap=True,
        )
        result = asyncio.run(_play(stack.settings, console, mailbox, stack.past))
        result["seconds"] = round(time.monotonic() - began, 1)
        if as_json:
            print(json.dumps(result), flush=True)
        # Whoever looks around sees the day that was played, not weeks in which nobody worked.
        mailbox.time = move_time(stack.settings, rate=1)
    return result


def _stay(settings: Settings, console: Console, mailbox: Mailbox, visitors: Visitors, mail_page: str) -> None:
    """Be up for whoever looks around, until Ctrl-C."""
    console.print("\nStarting again: from here on an hour of demo time takes an hour ...")
    with Stack(settings) as stack:
        stack.wait_ready()
        assert mailbox.time
        show(console, stack, visitors, mail_page, mailbox.time)
        stack.supervise()


def demo_settings(folder: Path, mail_port: int, hubs: tuple[str, ...]) -> Settings:
    """Settings of a stack of its own, on free ports, with a channel for every role in the mail catcher."""
    own_profiles = read_settings().profiles_dir
    lines = []
    for hub in hubs:
        agencies = load_profile(hub, own_profiles).agencies.values()
        lines.append(f"[{hub}]")
        lines += [
            f'{role} = ["mailto://127.0.0.1:{mail_port}/?from=mash@example.org&to={role}.{hub}@example.org"]'
            for role in sorted({*roles(), *(a.role for a in agencies), *(a.lead for a in agencies)})
        ]
    channels = folder / "channels.toml"
    channels.write_text("\n".join(lines))
    channels.chmod(0o600)
    return Settings.model_validate(
        {
            "data_dir": folder,
            "api_port": free_port(),
            # Two days' callers from one machine within two minutes.
            "requests_per_minute": 0,
            "anonymous_requests_per_minute": 0,
            "prefect_api_url": f"http://127.0.0.1:{free_port()}/api",
            "hubs": ",".join(hubs),
            "profiles_dir": own_profiles,
            "channels_file": channels,
            "mail_url": f"mailto://127.0.0.1:{mail_port}/?from=mash@example.org",
            "time_rate": RATE,
            "time_start": STARTS.isoformat(),
            "settle_seconds": 0.3,
            "story_seconds": 1,
        }
    )


async def _play(settings: Settings, console: Console, mailbox: Mailbox, past: int) -> dict[str, Any]:
    store = await open_store(settings, pool_size=2)
    mailbox.time = store.time
    try:
        sent: dict[str, dict[str, Any]] = {}
        async with httpx.AsyncClient(base_url=settings.base_url, timeout=30) as http:
            hubs = [await _hub(store, settings, name, http, sent) for name in settings.hub_names]
            async with asyncio.TaskGroup() as group:
                group.create_task(_send_all(store, hubs, sent))
                for hub in hubs:
                    group.create_task(work(hub, STARTS + LASTS))
                group.create_task((_show if console.is_terminal else _tell)(console, hubs, mailbox, store))
        return await _report(store, console, hubs, mailbox, sent, past)
    finally:
        await store.close()


async def _hub(store: Store, settings: Settings, name: str, http: httpx.AsyncClient, sent: dict[str, dict[str, Any]]) -> Hub:
    """A hub's people, signed in, and a system that sends it referrals."""
    profile = load_profile(name, settings.profiles_dir)
    positions = {
        "duty_manager": person("duty_manager", hub=name),
        "rater": person(profile.raters[0], hub=name),
        "chair": person(profile.meeting.chair, hub=name),
        "decider": person(profile.deciders[0], hub=name),
        "early_help": person("early_help", "early_help", name),
        "adult_social_worker": person("adult_social_worker", "adults", name),
        "second": person(next((rule.role for rule in profile.sign_off.values()), "practice_manager"), "second", name),
        **{f"agency:{agency}": person("agency", agency, name) for agency in profile.agencies},
    }
    key = await make_api_key(store, NewKey(f"demo-{name}", name, "unknown"))
    sessions = await sign_in(store, positions.values())
    people = People(key=key, sessions=sessions, http=http, duty_manager=positions["duty_manager"])
    return Hub(profile, people, positions, sent)


async def _send_all(store: Store, hubs: list[Hub], sent: dict[str, dict[str, Any]]) -> None:
    """Send the referrals over HTTP, in their order, squeezed into the first two simulated days."""
    referrals = vignettes()
    first, last = (datetime.fromisoformat(referrals[n]["received_at"]) for n in (0, -1))
    for vignette, hub in zip(referrals, cycle(hubs), strict=False):
        received = datetime.fromisoformat(vignette["received_at"])
        await asyncio.sleep(store.time.wait(STARTS + ARRIVE_WITHIN * ((received - first) / (last - first))))
        body = {name: value for name, value in vignette.items() if name not in ("id", "expected", "received_at")}
        with suppress(Refused):
            sent[await hub.people.submit({**body, "reported_at": vignette["received_at"]}, vignette["id"])] = vignette


async def _show(console: Console, hubs: list[Hub], mailbox: Mailbox, store: Store) -> None:
    """The stages filling, the clocks, and the latest alerts, until the end."""
    with Live(console=console, refresh_per_second=4) as live:
        while store.time.now() < STARTS + LASTS:
            live.update(_view(hubs, mailbox, store))
            await asyncio.sleep(0.25)


async def _tell(console: Console, hubs: list[Hub], mailbox: Mailbox, store: Store) -> None:
    """The same where nothing can be drawn anew, as in a file: a line every few hours, until the end."""
    for hours in range(0, int(LASTS / timedelta(hours=1)) + 1, LINE_EVERY):
        await asyncio.sleep(store.time.wait(STARTS + timedelta(hours=hours)))
        cases = [case for hub in hubs for case in hub.board]
        late = sum(case["late"] for case in cases)
        console.print(
            f"Demo time {local(store.time.now())}: {len(cases)} open, {late} late, {len(mailbox.messages)} messages",
            soft_wrap=True,
        )


def _view(hubs: list[Hub], mailbox: Mailbox, store: Store) -> Table:
    view = Table(title=f"Demo time {local(store.time.now())}   messages: {len(mailbox.messages)}", expand=False)
    view.add_column("stage")
    for hub in hubs:
        view.add_column(f"{hub.name}: open")
        view.add_column("late", style="red")
    stages = [s for s in STAGE_TITLES if any(case["stage"] == s for hub in hubs for case in hub.board)]
    for stage in stages:
        cells = [
            (sum(c["stage"] == stage for c in hub.board), sum(c["stage"] == stage and c["late"] for c in hub.board))
            for hub in hubs
        ]
        view.add_row(STAGE_TITLES[stage], *(str(n) if n else "" for pair in cells for n in pair))
    alerts = [
        f"{mail.to.split('@')[0]}: {mail.subject}"
        for mail in list(mailbox.messages)
        if "LATE" in mail.subject or "DANGER" in mail.subject
    ][-4:]
    view.caption = "\n".join(alerts)
    return view


async def _report(
    store: Store, console: Console, hubs: list[Hub], mailbox: Mailbox, sent: dict[str, Any], past: int
) -> dict[str, Any]:
    counts, count, about = await tally(store, STARTS), await conservation(store), await children(store)
    clocks = Table("hub", "rating", "clocks kept", "missed", "running", title="Clocks")
    for hub, rating in sorted({key[:2] for key in counts["clocks"]}):
        clocks.add_row(hub, rating, *(str(counts["clocks"][hub, rating, verdict]) for verdict in ("kept", "missed", "running")))
    reached = Counter(mail.to.split("@")[0] for mail in mailbox.messages if mail.subject.startswith(("LATE", "IMMEDIATE")))
    escalations = Table("role", "alerts that arrived", title="Escalations")
    for role, number in reached.most_common(20):
        escalations.add_row(role, str(number))
    outcomes = Table("hub", "outcome", "subjects", title="Outcomes")
    for (hub, outcome), number in sorted(counts["outcomes"].items()):
        outcomes.add_row(hub, outcome.replace("_", " "), str(number))
    for shown in (clocks, escalations, outcomes):
        console.print(shown)
    refused = [sentence for hub in hubs for sentence in hub.refused]
    for sentence in refused[:5]:
        console.print(f"refused: {sentence}")
    console.print(
        f"contacts {count['contacts']} = outcomes {count['outcomes']} + open {count['open']}; "
        f"the sender's own list holds {len(sent)} accepted, and {past} came in before these days"
    )
    console.print(
        f"children and others they are about: {about.came} = with an outcome {about.ended} + open {about.open};"
        f" nobody's turn: {len(about.without_owner)}; ended by no person: {len(about.unseen)}"
    )
    if about.wrong:
        console.print(f"wrong: {about.wrong}")
    again = await replay(store)
    console.print(f"acts decided again from the logs of {again.cases} cases: {again.decided}; otherwise: {len(again.different)}")
    for each in again.different[:5]:
        console.print(f"wrong: {each}")
    notices = Counter(dict.fromkeys(("delivered", "dead"), 0))
    for row in counts["notices"]:
        notices[row.status] += row.n
    verdicts: Counter[str] = Counter()
    for (_, _, verdict), number in counts["clocks"].items():
        verdicts[verdict] += number
    return {
        **count,
        "before": past,
        "children": about.came,
        "children_wrong": about.wrong,
        "accepted_by_sender": len(sent),
        "decided_again": again.decided,
        "decided_otherwise": len(again.different),
        "clocks_kept": verdicts["kept"],
        "clocks_missed": verdicts["missed"],
        "escalations": sum(row.n for row in counts["notices"] if row.kind in ("escalation", "immediate_danger")),
        "notices_delivered": notices["delivered"],
        "notices_dead": notices["dead"],
        "messages": len(mailbox.messages),
        "refused": len(refused),
    }
