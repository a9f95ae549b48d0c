"""A line about an earlier contact, over the API: partners read it once it was shared, and never of which contact it is."""

from __future__ import annotations

from typing import Any

import pytest
from hub import Hub

from mash.flows.store.looking import look_next
from mash.flows.store.store import Store

GIRL = {"name": {"given": "Wilhelmina", "family": "Throckmorton"}, "date_of_birth": "2016-09-14", "cohort": "child"}
READS = ("", "/log", "/product")


def looked_at(hub: Hub) -> None:
    """Everything that waits is looked at."""

    async def all_of_it(store: Store) -> None:
        while await look_next(store):
            pass

    hub.stored(all_of_it)


@pytest.fixture(scope="module")
def cases(hub: Hub) -> tuple[str, str, str]:
    """A contact that is confirmed to be about the child of a case, the case, and one that is likely to be."""
    first, likely, case = (hub.referral(subjects=[GIRL], household=[]) for _ in range(3))
    looked_at(hub)
    hub.rate(case)
    hub.give(case, "identify_subject", subject="S1", other=first, other_subject="S1")
    looked_at(hub)
    return first, case, likely


def read_by(hub: Hub, case: str, by: dict[str, str]) -> str:
    """All that somebody reads of a case."""
    answers = [hub.http.get(f"/cases/{case}{read}", headers=by) for read in READS]
    assert {answer.status_code for answer in answers} == {200}
    return "\n".join(answer.text for answer in answers)


def sharing(other: str, **more: Any) -> dict[str, Any]:
    return {"kind": "share_earlier_contact", "other": other, "necessity": "to_protect_a_child", **more}


def test_a_partner_reads_the_line_only_after_it_was_shared(hub: Hub, cases: tuple[str, str, str]) -> None:
    first, case, likely = cases
    police, by = hub.staff("agency", "police"), hub.staff("duty_manager")
    assert "same child" not in read_by(hub, case, police)
    refused = hub.command(case, sharing(likely), by, "Why.")
    assert refused.status_code == 422 and "identify_subject" in refused.text
    assert "share_earlier_contact" in hub.case(case)["possible"]
    done = hub.command(case, sharing(first), by, "She was hungry then too.")
    assert done.status_code == 200 and done.json()["events"] == ["earlier_contact_shared", "information_released"]
    text = read_by(hub, case, police)
    assert "Another contact about the same child" in text and "She was hungry then too." in text
    assert first not in text and likely not in text and "earlier_contact_shared" not in text
    assert "Another contact about the same child" in hub.http.get(f"/cases/{case}/product", headers=by).text


def test_whoever_referred_hears_nothing_of_it(hub: Hub, cases: tuple[str, str, str]) -> None:
    first, case, _ = cases
    assert hub.command(case, sharing(first), hub.staff("duty_manager"), "She was cold then.").status_code == 200
    text = hub.http.get(f"/referrals/{case}", headers={"Authorization": f"Bearer {hub.key}"}).text
    assert "same child" not in text and "She was cold" not in text


def test_no_partner_shares_what_they_may_not_know(hub: Hub, cases: tuple[str, str, str]) -> None:
    first, case, _ = cases
    police = hub.staff("agency", "police")
    assert hub.command(case, sharing(first), police, "Why.").status_code == 403
    assert "share_earlier_contact" not in hub.http.get(f"/cases/{case}", headers=police).json()["possible"]
