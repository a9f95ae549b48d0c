"""What Prometheus is given, and the alert rules that go by it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hub import ORDINARY, Hub
from prometheus_client.parser import text_string_to_metric_families

RULES = Path(__file__).parents[2] / "config" / "alerts.yml"
NAME = re.compile(r"\bmash_\w+")


def samples(hub: Hub) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample, by name and labels."""
    families = text_string_to_metric_families(hub.http.get("/metrics").text)
    return {(each.name, frozenset(each.labels.items())): each.value for family in families for each in family.samples}


def total(hub: Hub, name: str, **labels: str) -> float:
    """The sum of a metric's samples that have these labels."""
    wanted = labels.items()
    return sum(value for (found, has), value in samples(hub).items() if found == name and wanted <= dict(has).items())


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def test_prometheus_takes_the_alert_rules() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: it comes with Debian's package prometheus, and .ci/run installs it")
    checked = subprocess.run(
        [promtool, "check", "rules", "--lint-fatal", str(RULES)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(rules())} rules found" in checked.stdout


def test_every_metric_that_an_alert_goes_by_is_there_from_the_start(hub: Hub) -> None:
    hub.http.get("/status")
    text = hub.http.get("/metrics").text
    there = {each.name for family in text_string_to_metric_families(text) for each in family.samples}
    # What only a worker says is shown by tests/stack/test_health.py.
    of_workers = {"mash_worker_silent_seconds", "mash_worker_prefect"}
    named = {name for rule in rules() for name in NAME.findall(rule["expr"])}
    # That of the list for paper is there once one is made: tests/api/test_paper.py.
    assert named - there == (of_workers | {"mash_paper_age_seconds"}) & named and len(named) > 15
    assert f"# TYPE {'mash_worker_silent_seconds'} gauge" in text, "known, though no worker is there"


def test_every_alert_says_in_words_what_is_wrong_and_how_urgent_it_is() -> None:
    for rule in rules():
        assert rule["annotations"]["summary"].endswith((".", "}}.")), rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_requests_are_counted_by_route_and_class_and_name_nobody(hub: Hub) -> None:
    reference = hub.referral()
    headers = hub.staff("duty_manager")
    route = {"method": "GET", "route": "/cases/{reference}"}
    before = total(hub, "mash_requests_total", **route, status="2xx")
    hub.http.get(f"/cases/{reference}", headers=headers)
    assert total(hub, "mash_requests_total", **route, status="2xx") == before + 1
    lost = total(hub, "mash_requests_total", route="none", status="4xx")
    hub.http.get("/nowhere/Zebediah")
    assert total(hub, "mash_requests_total", route="none", status="4xx") == lost + 1
    assert total(hub, "mash_request_seconds_count", route="/cases/{reference}") >= before + 1
    text = hub.http.get("/metrics").text
    assert reference not in text and "Zebediah" not in text


def test_what_becomes_of_submissions_is_counted(hub: Hub) -> None:
    def counted() -> list[float]:
        return [total(hub, "mash_submissions_total", result=result) for result in ("taken", "refused", "failed")]

    taken, refused, failed = counted()
    hub.submit(ORDINARY)
    hub.submit(["not an object"])
    hub.http.post("/referrals", json=ORDINARY)
    assert counted() == [taken + 1, refused + 2, failed]


def test_who_does_not_get_in_is_counted(hub: Hub) -> None:
    before = total(hub, "mash_sign_in_failures_total", how="single_sign_on")
    assert hub.http.get("/sign-in/callback", params={"code": "x", "state": "y"}).status_code == 401
    assert total(hub, "mash_sign_in_failures_total", how="single_sign_on") == before + 1


def test_a_red_alert_is_counted_until_somebody_has_it(hub: Hub) -> None:
    before = total(hub, "mash_red_alerts_unacknowledged")
    reference = hub.referral(concern={"summary": "He is in there now.", "immediate_danger": True})
    assert total(hub, "mash_red_alerts_unacknowledged") == before + 1
    ((clock,),) = hub.sql("SELECT clock FROM notice WHERE reference = %s AND kind = 'immediate_danger'", reference)
    hub.give(reference, "acknowledge_alert", clock=clock)
    assert total(hub, "mash_red_alerts_unacknowledged") == before


def test_room_and_ages_are_measured(hub: Hub) -> None:
    assert total(hub, "mash_disk_bytes") >= total(hub, "mash_disk_free_bytes") > 0 < total(hub, "mash_database_bytes")
    assert total(hub, "mash_database_writable") == 1
    assert {dict(labels)["step"] for (name, labels) in samples(hub) if name == "mash_night_age_seconds"} >= {
        "checkpoint",
        "conservation",
        "retention",
    }
    assert total(hub, "mash_backup_age_seconds") > 0
