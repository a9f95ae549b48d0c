"""Alerts that arrive, are acknowledged by link, and name nobody."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from hub import Installation, eventually


def link_in(hub: Installation, reference: str) -> str:
    """The path of the acknowledging link in the alert about a referral."""

    def found() -> str:
        links = [
            m
            for _, mail in list(hub.received.mails)
            if reference in str(mail["Subject"]) and "DANGER" in str(mail["Subject"])
            for part in mail.walk()
            if not part.is_multipart()
            for m in re.findall(r"http://[^\s<\"]+/alerts/[\w.\-]+", (part.get_payload(decode=True) or b"").decode())
        ]
        return links[0] if links else ""

    return urlsplit(eventually(found)).path


def test_immediate_danger_alerts_the_role_on_duty_at_once_and_climbs_until_somebody_who_signs_in_takes_it(
    quick: Installation,
) -> None:
    reference = quick.referral(concern={"summary": "He is in there with her now.", "immediate_danger": True})
    path = link_in(quick, reference)
    # Unacknowledged for half an hour, it climbs: the next role is told, by its own channel (JSON to an HTTP endpoint).
    eventually(lambda: any(reference in post["title"] for post in quick.received.posts))

    # Looking changes nothing, however often a mail scanner looks; nor does a button that anybody could press.
    for _ in range(3):
        page = quick.http.get(path).text
        assert "I have it until" in page and 'href="tel:999"' in page
    refused = quick.http.post(path)
    assert refused.status_code == 403 and "Sign in: then it is yours" in refused.text
    assert "triage" in quick.case(reference)["alerts"]
    quick.give(reference, "acknowledge_alert", clock="triage")
    assert quick.case(reference)["alerts"] == []
    assert "Somebody has it" in quick.http.get(path).text
    assert quick.http.post(path).status_code == 422, "there is nothing to answer any more"


def test_a_forged_or_altered_link_is_not_followed(quick: Installation) -> None:
    path = link_in(quick, quick.referral(concern={"summary": "Danger.", "immediate_danger": True}))
    altered = path[:-4] + ("AAAA" if path[-4:] != "AAAA" else "BBBB")
    for wrong in (altered, "/alerts/forged"):
        assert quick.http.get(wrong).status_code == 404
        assert quick.http.post(wrong).status_code == 404


def test_a_refusing_endpoint_is_tried_again_until_it_takes_the_alert(quick: Installation) -> None:
    quick.received.refuse = True
    try:
        reference = quick.referral(concern={"summary": "Danger.", "immediate_danger": True})
        eventually(lambda: any(reference in post["title"] for post in quick.received.refused))
    finally:
        quick.received.refuse = False
    eventually(lambda: any(reference in post["title"] for post in quick.received.posts))

    def tries() -> list[str]:
        return [
            row[0]
            for row in quick.sql(
                "SELECT d.result FROM delivery d JOIN notice n ON n.id = d.notice"
                " WHERE n.reference = %s AND n.role = 'practice_manager'"
                " ORDER BY d.id",
                reference,
            )
        ]

    eventually(lambda: "ok" in tries())
    assert tries()[0].startswith("failed"), "every try is in the ledger, the failed one too"


def test_nothing_that_left_the_hub_or_reached_prefect_names_anybody(quick: Installation) -> None:
    reference = quick.referral()
    quick.rate(reference)
    quick.answer_all(reference)
    quick.awaits(reference, "Awaiting MASH meeting")
    everything = [quick.received.text()]
    everything += [
        quick.prefect.post(f"/{kind}/filter", json={}).text for kind in ("flow_runs", "task_runs", "artifacts", "logs")
    ]
    everything += [log.read_text() for log in quick.stack.logs.glob("*.log")]
    assert reference in "".join(everything)
    for text in everything:
        assert "Quillfeather" not in text
        assert "head@school" not in text
