"""How the pipeline is, for people and for monitors."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from mash.api.problems import NotSignedIn
from mash.config.version import VERSION
from mash.flows.store.reads.counts import conservation, open_by_stage
from mash.flows.store.reads.health import SILENT, Health, read_health

router = APIRouter(tags=["health"])


@router.get(
    "/health",
    responses={503: {"description": "No referral is accepted", "content": {"application/json": {"schema": {"type": "object"}}}}},
)
async def health(request: Request) -> JSONResponse:
    """Whether referrals are accepted (`ready`), and what is wrong otherwise: the worker, Prefect, clocks and notices. Asks for no
    key. It answers 503 only when no referral can be accepted."""
    try:
        found = await read_health(request.app.state.store)
        wrong = list(found.wrong(request.app.state.settings.drafts_room))
    except (SQLAlchemyError, OSError):
        wrong = ["the database cannot be reached: no referral is accepted"]
        return JSONResponse({"status": "down", "live": True, "ready": False, "wrong": wrong}, 503)
    return JSONResponse({"status": "trouble" if wrong else "ok", "live": True, "ready": True, "wrong": wrong})


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}})
async def metrics(request: Request) -> Response:
    """What Prometheus collects: counts and ages, no reference and no person."""
    store = request.app.state.store
    registry = CollectorRegistry()
    registry.register(_Now(await read_health(store), await open_by_stage(store), await conservation(store)))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Now(Collector):
    """The metrics of one moment, read from the database: the same whichever process is asked."""

    def __init__(self, found: Health, open_: Iterable[tuple[str, str, str, int]], count: dict[str, int]) -> None:
        self.found, self.open, self.count = found, open_, count

    def collect(self) -> Iterable[Metric]:
        """All of them."""
        for name, what, value in (
            ("mash_clocks_overdue", "Clocks that are due and have not fired", self.found.overdue),
            ("mash_clock_overdue_seconds", "For how long the first of them has been due", self.found.lateness.total_seconds()),
            ("mash_notices_waiting", "Notices that wait to be sent", self.found.waiting),
            ("mash_notice_waiting_seconds", "For how long the first of them has waited", self.found.waited.total_seconds()),
            ("mash_notices_dead", "Notices that could not be delivered", self.found.dead),
            ("mash_runs_behind", "Referrals whose flow run is behind", self.found.behind),
            ("mash_drafts_bytes", "Of what is written at /refer and not sent", self.found.drafts),
            ("mash_contacts", "Contacts received", self.count["contacts"]),
            ("mash_outcomes", "Contacts that have an outcome", self.count["outcomes"]),
            ("mash_contacts_open", "Contacts that are open", self.count["open"]),
        ):
            yield GaugeMetricFamily(name, what, value)
        build = GaugeMetricFamily("mash_build_info", "Always 1; its label says which release answers", labels=["version"])
        build.add_metric([VERSION], 1)
        yield build
        referrals = GaugeMetricFamily("mash_referrals_open", "Open referrals", labels=["hub", "stage", "rating"])
        for *labels, number in self.open:
            referrals.add_metric(labels, number)
        yield referrals
        yield from self._workers()

    def _workers(self) -> Iterable[Metric]:
        silent = GaugeMetricFamily("mash_worker_silent_seconds", "Since the worker's last sign of life", labels=["worker"])
        prefect = GaugeMetricFamily("mash_worker_prefect", "Whether the worker reaches Prefect", labels=["worker"])
        late = HistogramMetricFamily("mash_clock_late_seconds", "How late batches of clocks fired", labels=["worker"])
        sent = CounterMetricFamily("mash_sent", "Tries to send, since the worker started", labels=["worker", "result"])
        for part, (age, pulse) in self.found.workers.items():
            silent.add_metric([part], age.total_seconds())
            if age > SILENT:
                continue
            prefect.add_metric([part], float(pulse["prefect"]))
            buckets = [("+Inf" if bucket == "inf" else bucket, number) for bucket, number in pulse["late"]["buckets"]]
            late.add_metric([part], buckets, pulse["late"]["sum"])
            for result, number in pulse["sent"].items():
                sent.add_metric([part, result], number)
        return silent, prefect, late, sent


@router.post("/prefect-events", include_in_schema=False)
async def reported() -> None:
    """Refuse what automations report that earlier versions made in Prefect, whatever key they bring: the worker removes them."""
    raise NotSignedIn("Prefect reports nothing here any more: delete its automations whose names begin with 'mash:'")
