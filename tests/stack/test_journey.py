"""One referral from start to finish, as its users and the administrators see it. Read this first."""

from __future__ import annotations

import os
from datetime import datetime

from hub import CANARY, ON_DUTY, Installation, eventually

from mash.states.clocks import LONDON


def test_a_referrals_whole_life_from_submission_to_outcome(hub: Installation) -> None:
    # A school worries about a child, and is answered at once with a reference.
    answer = hub.submit(
        {
            "kind": "referral",
            "source": {"code": "2A", "agency": "education", "email": "pastoral@school.example.org"},
            "subjects": [{"name": {"given": "Zebediah", "family": "Quillfeather"}, "cohort": "child"}],
            "concern": {"summary": f"{CANARY} has a bruise.", "primary_need": "N1"},
        }
    )
    assert answer.status_code == 201
    reference = answer.json()["reference"]

    # The referral is a flow run, named and tagged; it waits for a rating, and the referrer is acknowledged by e-mail.
    run = hub.awaits(reference, "Awaiting triage")
    assert run["name"] == reference
    assert set(run["tags"]) == {"hub:sandwell", "rating:unrated", "cohort:child"}
    assert (
        run["state"]["message"].startswith("Triage, due Thu 19 Nov 2026") and "With the duty manager." in run["state"]["message"]
    )
    assert run["parameters"] == {"reference": reference}
    eventually(lambda: f"Your referral {reference} was received" in hub.received.to("pastoral@school"))
    eventually(lambda: hub.received.telling(ON_DUTY, f"{reference} waits for a rating"))

    # Rated red before there is a basis for sharing: the stage opens, but no agency is asked anything.
    hub.give(reference, "rate_referral", rating="red")
    assert hub.case(reference)["checks"] == {}
    response = next(clock for clock in hub.case(reference)["clocks"] if clock["id"] == "response")
    assert response["why"].startswith("red: 4 h from receipt")

    # The basis is recorded: the twelve agencies are asked, each with its own clock.
    hub.give(
        reference,
        "record_sharing_basis",
        words="Risk of harm; consent would put the child at risk.",
        purpose="safeguarding_child",
        lawful_basis="public_task",
        consent="overridden",
        family_informed=False,
    )
    assert len(hub.case(reference)["outstanding"]) == 12
    assert sum(clock["id"].startswith("check:") and clock["running"] for clock in hub.case(reference)["clocks"]) == 12
    # It could not wait for a second person, who countersigns.
    hub.give(reference, "countersign", role="practice_manager", words="Read, and agreed.", seconding="A1", agreed=True)
    again = hub.awaits(reference, "Awaiting agency checks")
    assert again["id"] == run["id"], "the same run goes on through all attempts"
    eventually(lambda: "rating:red" in hub.run(reference)["tags"])
    eventually(lambda: f"{reference}: please answer a check" in hub.received.to(hub_role("police")))

    # They answer; the meeting opens; it gives the second rating; the manager decides on section 47.
    hub.answer_all(reference)
    hub.awaits(reference, "Awaiting MASH meeting")
    assert (
        hub.ask(reference, "record_meeting", words="All views heard.", attended=["police"]).status_code == 422
    )  # no second rating
    hub.give(reference, "record_meeting", words="All views heard.", attended=["police", "health", "education"], rating="red")
    hub.awaits(reference, "Awaiting decision")
    hub.give(reference, "record_decision", words="Likely significant harm.", outcomes={"S1": "section_47"})
    hub.awaits(reference, "Awaiting strategy discussion")
    assert (
        hub.ask(reference, "record_strategy_discussion", attended=["social_care", "police"], outcome="section_47").status_code
        == 409
    )
    hub.give(reference, "record_strategy_discussion", attended=["social_care", "police", "health"], outcome="section_47")
    hub.awaits(reference, "Awaiting enquiries")
    hub.give(reference, "start_assessment")
    unseen = {"outcome": "no_further_child_protection_action"}
    assert "nobody has seen S1 yet" in hub.ask(reference, "conclude_enquiries", words="Harm not substantiated.", **unseen).text
    today = datetime.fromisoformat(hub.case(reference)["received_at"]).astimezone(LONDON).date().isoformat()
    hub.give(reference, "record_child_voice", words="Likes school.", subject="S1", seen_on=today, alone=True)
    hub.give(reference, "conclude_enquiries", words="Harm not substantiated.", outcome="no_further_child_protection_action")
    hub.awaits(reference, "Awaiting section 17 assessment")
    hub.give(reference, "complete_assessment", words="Needs help.", factors=["18C"], outcome="early_help")

    # Stepped down, returned (which steps it up again), decided anew, and accepted: only that is an outcome.
    hub.give(reference, "offer_step_down", service="early_help")
    assert (
        hub.give(reference, "return_step_down", role="early_help", agency="early_help", words="No capacity.")["stage"]
        == "decision"
    )
    hub.give(reference, "record_decision", words="Help is needed.", outcomes={"S1": "early_help"})
    hub.give(reference, "offer_step_down", service="early_help")
    assert hub.case(reference)["open"], "a step-down that nobody accepted is open"
    hub.give(reference, "accept_step_down", role="early_help", agency="early_help")
    assert not hub.case(reference)["open"]

    # The referrer is told; the run completes, the same one throughout; its artifact tells the story and names nobody.
    eventually(lambda: f"The outcome of your referral {reference}" in hub.received.to("pastoral@school"))
    done = hub.awaits(reference, "Completed")
    assert done["id"] == run["id"]
    status = hub.http.get(f"/referrals/{reference}", headers={"Authorization": f"Bearer {hub.key}"}).json()
    assert status["parts"][0] == {
        "reference": reference,
        "status": "decided",
        "acknowledged": True,
        "concluded": True,
        "disagreements": [],
        "outcome": ["support from early help is being arranged"],
    }
    (artifact,) = hub.prefect.post("/artifacts/filter", json={"artifacts": {"key": {"any_": [reference.lower()]}}}).json()
    story = artifact["data"]
    assert "Step-down returned" in story and "An outcome was reached" in story and "Nothing more is waited for." in story
    assert "no further child protection action" not in story, "what was found and decided is not for administrators"
    assert "Quillfeather" not in story
    beats_every = int(os.environ["PREFECT_WORKER_HEARTBEAT_SECONDS"])

    def there() -> bool:
        workers = hub.prefect.post("/work_pools/mash/workers/filter", json={}).json()
        return [(worker["status"], worker["heartbeat_interval_seconds"]) for worker in workers] == [("ONLINE", beats_every)]

    eventually(there)


def hub_role(agency: str) -> str:
    """The role that Sandwell's profile tells about an agency's checks."""
    from mash.config.profile import load_profile

    return load_profile("sandwell").agencies[agency].role
