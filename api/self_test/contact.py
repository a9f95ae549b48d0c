"""Attempts to have the pipeline write to somebody to whom writing is not safe, or show there what was decided."""

from __future__ import annotations

from mash.api.client import ORDINARY
from mash.api.self_test.attack import attack, hold, until
from mash.api.self_test.scene import Scene

HERS = "mother@home.example.org"
_SOURCE = {"code": "1C", "agency": "individual", "email": HERS}


def _marker(scene: Scene) -> None:
    """Wait until a mail has gone that was asked for later."""
    later = scene.on.submit({**ORDINARY, "source": {**ORDINARY["source"], "email": "head@later.example.org"}}).json()["reference"]
    until(lambda: any("later.example.org" in mail.to for mail in scene.mailbox.about(later)))


@attack("have mail sent to a mother whose messages he reads")
def warned_of(scene: Scene) -> str:
    scene.on.submit({**ORDINARY, "source": _SOURCE, "consent": {"safe_contact": "Do not write: he reads it."}}).raise_for_status()
    scene.on.submit({**ORDINARY, "source": {**_SOURCE, "safe_to_write": False}}).raise_for_status()
    _marker(scene)
    hold(not any(HERS in mail.to for mail in list(scene.mailbox.messages)), "a mail to her")
    return "no mail goes there; a person is asked to tell her"


@attack("read at /status what was decided, where writing is not safe")
def decided(scene: Scene) -> str:
    sent = scene.on.submit({**ORDINARY, "source": {**ORDINARY["source"], "safe_to_write": False}}).raise_for_status().json()
    basis = {"purpose": "safeguarding_child", "lawful_basis": "public_task", "consent": "refused", "family_informed": True}
    scene.on.give(sent["reference"], "record_sharing_basis", words="They said no.", share=False, **basis)
    scene.on.give(sent["reference"], "rate_referral", rating="green")
    scene.on.give(sent["reference"], "record_decision", words="No role.", outcomes={"S1": "no_further_action"})
    code = {"reference": sent["reference"], "code": sent["status_code"]}
    page = scene.on.http.post("/status", data=code)
    hold(page.status_code == 200 and "no further action" not in page.text, "the outcome is shown")
    return "it says that somebody tells them"
