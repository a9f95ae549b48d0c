"""Attacks by links and codes, which ask nobody to sign in."""

from __future__ import annotations

import base64
import secrets

from mash.api.self_test.attack import attack, hold, refused, until
from mash.api.self_test.scene import Scene
from mash.notifications.links import AlertLink, sign, status_code


def _link(scene: Scene) -> AlertLink:
    """A link as the duty manager has it, on the alert of a case in immediate danger that waits for a rating."""
    reference = scene.on.referral(concern={"summary": "He is hurt.", "immediate_danger": True})
    (clock, *_) = until(lambda: scene.on.case(reference)["alerts"])
    notice, role = scene.on.sql("SELECT id, role FROM notice WHERE reference = %s AND clock = %s ORDER BY id", reference, clock)[
        0
    ]
    return AlertLink(reference=reference, hub="sandwell", clock=clock, role=role, notice=notice)


def _token_key(scene: Scene) -> str:
    key = scene.on.settings.token_key
    assert key
    return key.get_secret_value()


def _waits(scene: Scene, link: AlertLink) -> bool:
    return link.clock in scene.on.case(link.reference)["alerts"]


@attack("acknowledge by a link that somebody signed themselves")
def forged(scene: Scene) -> str:
    link = _link(scene)
    refusal = refused(scene.on.http.post(f"/alerts/{sign(secrets.token_hex(32), link)}"), 404)
    hold(_waits(scene, link), "acknowledged")
    return refusal


@attack("acknowledge another alert by changing a link")
def changed(scene: Scene) -> str:
    mine, theirs = _link(scene), _link(scene)
    _, when, signature = sign(_token_key(scene), mine).rsplit(".", 2)
    payload = base64.urlsafe_b64encode(str(list(theirs.model_dump().values())).replace("'", '"').encode()).rstrip(b"=").decode()
    refusal = refused(scene.on.http.post(f"/alerts/{payload}.{when}.{signature}"), 404)
    hold(_waits(scene, theirs), "acknowledged")
    return refusal


@attack("acknowledge by following a link, as mail scanners do")
def followed(scene: Scene) -> str:
    link = _link(scene)
    token = sign(_token_key(scene), link)
    hold(scene.on.http.get(f"/alerts/{token}").status_code == 200, "the link does not work")
    for method in ("GET", "HEAD", "OPTIONS"):
        scene.on.http.request(method, f"/alerts/{token}")
    hold(_waits(scene, link), "acknowledged")
    return "looking changes nothing"


@attack("acknowledge immediate danger by the link's button, as whoever got the mail")
def pressed(scene: Scene) -> str:
    link = _link(scene)
    refusal = refused(scene.on.http.post(f"/alerts/{sign(_token_key(scene), link)}"), 403)
    hold(_waits(scene, link), "acknowledged")
    return refusal


@attack("have a page of another site answer an alert")
def elsewhere(scene: Scene) -> str:
    path = f"/alerts/{sign(_token_key(scene), _link(scene))}"
    headers = {"Origin": "https://evil.example.org", "Sec-Fetch-Site": "cross-site"}
    answer = scene.on.http.post(path, headers=headers)
    hold("another site" in answer.text, "answered as if it came from a page of ours")
    return refused(answer, 403)


@attack("ask by the code of another referral")
def anothers_code(scene: Scene) -> str:
    other = scene.on.referral()
    right = {"reference": other, "code": status_code(_token_key(scene), other)}
    hold(scene.on.http.post("/status", data=right).status_code == 200, "the code does not work")
    return refused(scene.on.http.post("/status", data={**right, "reference": scene.case}), 404)


@attack("report failed runs as if one were Prefect")
def prefect(scene: Scene) -> str:
    report = {"what": "failed", "run": scene.case}
    return refused(scene.on.http.post("/prefect-events", json=report, headers={"Authorization": "Bearer prefect"}), 401)
