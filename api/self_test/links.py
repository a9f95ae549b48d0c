"""Attacks by links and codes, which ask nobody to sign in."""

from __future__ import annotations

import base64
import hmac
import secrets

from mash.api.self_test.attack import allowed, attack, hold, refused, until
from mash.api.self_test.scene import Scene
from mash.notifications.links import AlertLink, sign, status_code


def _link(scene: Scene, reference: str) -> AlertLink:
    """A link as whoever was alerted first has it, once an alert of this case waits."""
    (clock, *_) = until(lambda: scene.on.case(reference)["alerts"])
    told = "SELECT id, role FROM notice WHERE reference = %s AND clock = %s ORDER BY id LIMIT 1"
    ((notice, role),) = scene.on.sql(told, reference, clock)
    return AlertLink(reference=reference, hub="sandwell", clock=clock, role=role, notice=notice)


def _in_danger(scene: Scene) -> AlertLink:
    """A link on the alert of a case in immediate danger that waits for a rating: pressing it is refused."""
    return _link(scene, scene.on.referral(concern={"summary": "He is hurt.", "immediate_danger": True}))


def _ordinary(scene: Scene) -> AlertLink:
    """A link on an ordinary alert, which whoever presses it puts off for a little."""
    return _link(scene, scene.unrated)


def _token_key(scene: Scene) -> str:
    key = scene.on.settings.token_key
    assert key
    return key.get_secret_value()


def _waits(scene: Scene, link: AlertLink) -> bool:
    return link.clock in scene.on.case(link.reference)["alerts"]


def _seen_by(scene: Scene, link: AlertLink) -> list[str]:
    """Who is on record as having seen alerts of the case, each time."""
    seen = "SELECT canonical::json -> 'by' ->> 'id' FROM event WHERE reference = %s AND kind = 'alert_seen' ORDER BY sequence"
    return [who for (who,) in scene.on.sql(seen, link.reference)]


@attack("answer an alert by a link that somebody signed themselves")
def forged(scene: Scene) -> str:
    link = _ordinary(scene)
    refusal = refused(scene.on.http.post(f"/alerts/{sign(secrets.token_hex(32), link)}"), 404)
    hold(_seen_by(scene, link) == [], "recorded as seen")
    return refusal


@attack("answer another alert by changing a link")
def changed(scene: Scene) -> str:
    mine, theirs = _in_danger(scene), _ordinary(scene)
    _, when, signature = sign(_token_key(scene), mine).rsplit(".", 2)
    payload = base64.urlsafe_b64encode(str(list(theirs.model_dump().values())).replace("'", '"').encode()).rstrip(b"=").decode()
    refusal = refused(scene.on.http.post(f"/alerts/{payload}.{when}.{signature}"), 404)
    hold(_seen_by(scene, theirs) == [], "recorded as seen")
    return refusal


@attack("answer an alert by following its link, as mail scanners do")
def followed(scene: Scene) -> str:
    link = _ordinary(scene)
    path = f"/alerts/{sign(_token_key(scene), link)}"
    hold("I have it until" in allowed(scene.on.http.get(path)).text, "there is nothing to press: the attack shows nothing")
    for method in ("GET", "HEAD", "OPTIONS"):
        scene.on.http.request(method, path)
    hold(_seen_by(scene, link) == [], "recorded as seen")
    return "looking changes nothing"


@attack("put an ordinary alert off for good, or in a manager's name, by pressing its link again")
def again(scene: Scene) -> str:
    link = _ordinary(scene)
    path = f"/alerts/{sign(_token_key(scene), link)}"
    allowed(scene.on.http.post(path))
    rests = _rests_until(scene, link)
    refusal = refused(scene.on.http.post(path), 422)
    hold(_rests_until(scene, link) == rests, "the next person is alerted later")
    hold(_seen_by(scene, link) == [f"link:{link.role}"], "a person is on record, or nobody")
    hold(_waits(scene, link), "somebody is said to have it")
    return f"{refusal}: it was put off once, by the link, and nobody is said to have it"


def _rests_until(scene: Scene, link: AlertLink) -> str:
    """When the alert goes on to the next person."""
    clocks = "SELECT state::json -> 'clocks' -> %s ->> 'next_rung_at' FROM referral WHERE reference = %s"
    return str(scene.on.sql(clocks, link.clock, link.reference)[0][0])


@attack("acknowledge immediate danger by the link's button, as whoever got the mail")
def pressed(scene: Scene) -> str:
    link = _in_danger(scene)
    refusal = refused(scene.on.http.post(f"/alerts/{sign(_token_key(scene), link)}"), 403)
    hold(_waits(scene, link), "acknowledged")
    return refusal


@attack("have a page of another site answer an alert")
def elsewhere(scene: Scene) -> str:
    path = f"/alerts/{sign(_token_key(scene), _ordinary(scene))}"
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


@attack("report failed runs as if one were Prefect, by the key that it had in earlier versions")
def prefect(scene: Scene) -> str:
    key = hmac.digest(_token_key(scene).encode(), b"service:prefect-events", "sha256").hex()
    report = {"what": "failed", "run": scene.case}
    return refused(scene.on.http.post("/prefect-events", json=report, headers={"Authorization": f"Bearer {key}"}), 401)
