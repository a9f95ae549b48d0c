"""What Prometheus collects: of the installation, read from the database, and of this process of the API."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from mash.api.few import FEWEST, withheld
from mash.api.problems import answers
from mash.config.version import VERSION
from mash.flows.installation.places import room
from mash.flows.store.away import DATABASE_AWAY
from mash.flows.store.nights import BACKUP, PAPER
from mash.flows.store.reads.counts import conservation, open_by_stage
from mash.flows.store.reads.health import SILENT, Health, WriteProof, read_health

router = APIRouter(tags=["health"])
PATIENCE = 10.0
"""Seconds that the database has to answer."""
WITHHELD = "withheld"
"""Stage and rating of referrals that are too few to be given by theirs; of fewer than FEWEST at a hub, that many are given."""
TEXT: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}


@router.get("/metrics", response_class=Response, responses={**TEXT, **answers(503)})
async def metrics(request: Request) -> Response:
    """What Prometheus collects: counts and ages, no reference and no person."""
    app = request.app.state
    async with asyncio.timeout(PATIENCE):
        found = await read_health(app.store)
        now = _Now(
            found=found,
            open=await open_by_stage(app.store),
            count=await conservation(app.store),
            writable=await _writable(app.proof),
            room=room(app.settings),
            troubles=len([*found.wrong(app.settings)]),
        )
    registry = CollectorRegistry()
    registry.register(now)
    return Response(generate_latest(registry) + generate_latest(app.measured.registry), media_type=CONTENT_TYPE_LATEST)


async def _writable(proof: WriteProof) -> bool:
    try:
        await proof.renew()
    except DATABASE_AWAY:
        return False
    return True


@dataclass(eq=False)
class _Now(Collector):
    """The metrics of one moment, read from the database: the same whichever process is asked."""

    found: Health
    open: Iterable[tuple[str, str, str, int]]
    count: dict[str, int]
    writable: bool
    room: tuple[int, int]
    troubles: int

    def collect(self) -> Iterable[Metric]:
        """All of them."""
        found, count, (free, total) = self.found, self.count, self.room
        for name, what, value in (
            ("mash_clocks_overdue", "Clocks that are due and have not fired", found.overdue),
            ("mash_clock_overdue_seconds", "For how long the first of them has been due", found.lateness.total_seconds()),
            ("mash_notices_waiting", "Notices that wait to be sent", found.waiting),
            ("mash_notice_waiting_seconds", "For how long the first of them has waited", found.waited.total_seconds()),
            ("mash_notices_dead", "Notices that could not be delivered", found.dead),
            ("mash_red_alerts_unacknowledged", "Red alerts that nobody has, and whose cause goes on", found.red),
            ("mash_red_alert_unacknowledged_seconds", "How long ago the first of them was made", found.red_for.total_seconds()),
            ("mash_runs_behind", "Referrals whose flow run is behind", found.behind),
            ("mash_contacts_not_looked_at", "Contacts whose look is late by more than a minute", found.not_looked_at),
            ("mash_contact_not_looked_at_seconds", "For how long the first has waited", found.not_looked_at_for.total_seconds()),
            ("mash_drafts_bytes", "Of what is written at /refer and not sent", found.drafts),
            ("mash_contacts", "Contacts received", count["contacts"]),
            ("mash_outcomes", "Contacts that have an outcome", count["outcomes"]),
            ("mash_contacts_open", "Contacts that are open", count["open"]),
            ("mash_contacts_of_hubs_left_out", "Open cases of hubs that are not served", sum(found.left_out.values())),
            ("mash_referrals_unreadable", "Referrals whose key no master key opens that is here", found.unreadable),
            ("mash_troubles", "Sentences in /health that say what is wrong", self.troubles),
            ("mash_database_writable", "Whether a page could be written just now", self.writable),
            ("mash_database_bytes", "Of the database", found.size),
            ("mash_disk_free_bytes", "Free on the disk of the data directory", free),
            ("mash_disk_bytes", "Of the disk of the data directory", total),
        ):
            yield GaugeMetricFamily(name, what, float(value))
        build = GaugeMetricFamily("mash_build_info", "Always 1; its label says which release answers", labels=["version"])
        build.add_metric([VERSION], 1)
        yield build
        what = f"Open referrals. Numbers under {FEWEST} are not given by stage and rating, but together, as withheld"
        referrals = GaugeMetricFamily("mash_referrals_open", what, labels=["hub", "stage", "rating"])
        for labels, number in self._open():
            referrals.add_metric(labels, number)
        yield referrals
        yield from self._nights()
        yield from self._workers()

    def _open(self) -> Iterable[tuple[tuple[str, str, str], int]]:
        for hub in sorted({hub for hub, *_ in self.open}):
            counts = {(hub, stage, rating): number for of, stage, rating, number in self.open if of == hub}
            few = withheld(counts)
            yield from ((labels, number) for labels, number in counts.items() if labels not in few)
            if few:
                together = sum(counts[labels] for labels in few)
                yield (hub, WITHHELD, WITHHELD), max(together, FEWEST)

    def _nights(self) -> Iterable[Metric]:
        done = "Since a step of the night was last done, or is expected if it never was"
        night = GaugeMetricFamily("mash_night_age_seconds", done, labels=["step"])
        for step, each in self.found.nights.items():
            if step not in (BACKUP, PAPER):
                night.add_metric([step], each.age.total_seconds())
        yield night
        since = "Since the last backup, or one is expected if there never was"
        yield GaugeMetricFamily("mash_backup_age_seconds", since, self.found.nights[BACKUP].age.total_seconds())
        if paper := self.found.nights.get(PAPER):
            since = "Since the last sealed list of open cases for paper, or one is expected if there never was"
            yield GaugeMetricFamily("mash_paper_age_seconds", since, paper.age.total_seconds())
            failed = "Whether the last try to make one has failed"
            yield GaugeMetricFamily("mash_paper_failed", failed, float(bool(paper.failed)))

    def _workers(self) -> Iterable[Metric]:
        silent = GaugeMetricFamily("mash_worker_silent_seconds", "Since the worker's last sign of life", labels=["worker"])
        prefect = GaugeMetricFamily("mash_worker_prefect", "Whether the worker reaches Prefect", labels=["worker"])
        late = HistogramMetricFamily("mash_clock_late_seconds", "How late batches of clocks fired", labels=["worker"])
        sent = CounterMetricFamily("mash_sent", "Tries to send, since the worker started", labels=["worker", "result"])
        for part, (age, pulse) in self.found.workers.items():
            if pulse.get("stopped"):
                continue
            silent.add_metric([part], age.total_seconds())
            if age > SILENT:
                continue
            prefect.add_metric([part], float(pulse["prefect"]))
            buckets = [("+Inf" if bucket == "inf" else bucket, number) for bucket, number in pulse["late"]["buckets"]]
            late.add_metric([part], buckets, pulse["late"]["sum"])
            for result, number in pulse["sent"].items():
                sent.add_metric([part, result], number)
        return silent, prefect, late, sent
