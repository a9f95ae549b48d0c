"""Partners and referrers over the API: what they hold, what they are invited to, and that they may disagree."""

from __future__ import annotations

from hub import CANARY, Hub
from icalendar import Calendar


def test_an_agency_releases_a_redacted_version_and_the_meeting_reads_that_one(hub: Hub) -> None:
    reference = hub.referral()
    hub.rate(reference)
    assert hub.answer(reference, "police", f"{CANARY} was arrested.").status_code == 200
    before = hub.case(reference)
    item = next(item for item in before["items"] if item["kind"] == "held_by_agency")
    assert (item["view"], item["content"]) == ("signpost", None)
    release = {"item": item["item"], "necessity": "to_protect_a_child", "proportionality": "gist"}
    refused = hub.ask(reference, "release_information", words="Why.", **release)
    assert refused.status_code == 403
    answer = hub.http.post(
        f"/cases/{reference}/commands",
        headers={**hub.staff("agency", "police"), "Idempotency-Key": f"release-{reference}"},
        json={
            "seen": before["version"],
            "command": {"kind": "release_information", **release},
            "words": "The meeting must know.",
            "redacted": "An arrest, no charge.",
        },
    )
    assert answer.status_code == 200, answer.text
    product = hub.http.get(f"/cases/{reference}/product", headers=hub.staff("duty_manager")).json()
    assert [line["content"] for line in product["contributions"]] == ["An arrest, no charge."]


def test_agencies_are_invited_by_an_icalendar_file_that_names_nobody(hub: Hub) -> None:
    reference = hub.referral()
    hub.rate(reference)
    at = "2027-01-12T10:00:00+00:00"
    hub.give(reference, "convene_meeting", at=at, mode="telephone")
    title = f"{reference}: MASH meeting"
    hub.work()
    mail = next(mail for to, mail in hub.received.mails if to.startswith("police_nav") and title in str(mail["Subject"]))
    files = [part.get_payload(decode=True) for part in mail.walk() if part.get_filename() == "meeting.ics"]
    (event,) = Calendar.from_ical(files[0]).walk("VEVENT")
    assert event.decoded("dtstart").isoformat() == at
    assert (str(event["summary"]), "telephone" in str(event["description"])) == (f"MASH meeting {reference}", True)
    assert b"Quillfeather" not in files[0]
    file = hub.http.get(f"/cases/{reference}/meeting.ics", headers=hub.staff("duty_manager"))
    assert file.headers["content-type"].startswith("text/calendar") and reference in file.text


def test_a_referrer_disagrees_and_is_told_what_was_determined(hub: Hub) -> None:
    reference = hub.referral()
    hub.rate(reference, "green")
    hub.answer_all(reference)
    hub.give(reference, "record_decision", words="No role.", outcomes={"S1": "no_further_action"})
    headers = {"Authorization": f"Bearer {hub.key}", "Idempotency-Key": f"disagree-{reference}"}
    answer = hub.http.post(f"/referrals/{reference}/disagreements", json={"words": "She is not safe."}, headers=headers)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["disagreement"], "determined_by" in answer.json()) == ("D1", True)
    assert hub.http.post(f"/referrals/{reference}/disagreements", json={"words": "She is not safe."}, headers=headers).json() == (
        answer.json()
    )
    refused = hub.ask(reference, "settle_disagreement", words="No.", disagreement="D1", outcome="stands")
    assert refused.status_code == 403 and "practice_manager" in refused.json()["detail"]
    hub.give(reference, "settle_disagreement", role="practice_manager", words="Seen anew.", disagreement="D1", outcome="changed")
    assert hub.case(reference)["stage"] == "decision"
    hub.work()
    assert f"{reference}: your disagreement has been settled" in hub.received.to("head@school")
    counts = hub.http.get("/disagreements", headers=hub.staff("duty_manager")).json()["counts"]
    assert counts["decision"]["changed"] >= 1


def test_linked_referrals_say_so_on_both_sides_and_a_warning_is_in_view(hub: Hub) -> None:
    first, second = hub.referral(), hub.referral(consent={"asked": True, "given": True, "safe_contact": "Never ring the house."})
    hub.give(first, "link_referral", other=second, relation="household")
    assert hub.case(second)["links"] == {first: "household"}
    assert hub.case(second)["markers"] == ["safe_contact"]
    hub.rate(second)
    warned = "Do not contact the family. Ask the hub first."
    hub.work()
    assert any(second in str(mail["Subject"]) for _, mail in hub.received.mails) and warned in hub.received.text()


def test_a_hub_without_gatherings_says_so(hub: Hub) -> None:
    staff = hub.staff("duty_manager")
    assert hub.http.get("/gatherings", headers=staff).json() == []
    refused = hub.http.get("/gatherings/daily", headers=staff)
    assert refused.status_code == 404 and "has no such gathering" in refused.json()["detail"]
