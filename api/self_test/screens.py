"""Attacks on pages: by those who are signed in as somebody else, and by screens and links that know too little."""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta

import httpx

from mash.api.client import CANARY
from mash.api.few import FEWEST
from mash.api.self_test.attack import allowed, attack, hold, refused
from mash.api.self_test.scene import POLICE_ANSWER, Scene
from mash.flows.store.api_keys import WALL, NewKey, make_api_key


@attack("read another hub's case on its page")
def another_hubs_page(scene: Scene) -> str:
    address = f"/case/{scene.elsewhere}"
    allowed(scene.on.http.get(address, headers=scene.on.staff("duty_manager", hub="merton")))
    for path in (address, f"{address}/add_note", f"{address}/product.pdf"):
        refusal = refused(scene.on.http.get(path, headers=scene.on.staff("duty_manager")), 404)
    return refusal


@attack("read on a page, or on paper, what an agency has not released")
def not_released(scene: Scene) -> str:
    address = f"/case/{scene.case}"
    hold(
        POLICE_ANSWER in allowed(scene.on.http.get(f"{address}?tab=sent", headers=scene.on.staff("agency", "police"))).text,
        "its owner does not see it",
    )
    received = datetime.fromisoformat(scene.on.case(scene.case)["received_at"])
    scene.on.give(scene.case, "convene_meeting", at=(received + timedelta(days=1)).isoformat())
    for path in (f"{address}?tab=sent", f"/meetings/convened/{scene.case}?view=police"):
        page = allowed(scene.on.http.get(path, headers=scene.on.staff("duty_manager"))).text
        hold(POLICE_ANSWER not in page, "it is there")
        hold("not" in page and ("has not shared with you" in page or "has not released" in page), "no signpost")
    return "a signpost"


@attack("act by a page's form without what the page puts into it")
def without_token(scene: Scene) -> str:
    secret = scene.on.staff("duty_manager")["Authorization"].split()[1]
    with_cookie = {"Cookie": f"mash={secret}"}
    form = {"words": "Not by a page.", "seen": "1"}
    allowed(scene.on.http.get(f"/case/{scene.case}", headers=with_cookie))
    return refused(scene.on.http.post(f"/case/{scene.case}/add_note", data=form, headers=with_cookie), 403)


@attack("read more than counts by the key of a screen")
def screen(scene: Scene) -> str:
    key = scene.on.stored(lambda store: make_api_key(store, NewKey("wall", "sandwell", "hub", (WALL,))))
    wall = allowed(scene.on.http.get("/wall", headers={"Cookie": f"mash-wall={key}"}))
    hold(CANARY not in wall.text and CANARY.split()[1] not in wall.text, "a name")
    for headers in ({"Authorization": f"Bearer {key}"}, {"Cookie": f"mash={key}"}, {"Cookie": f"mash-wall={key}"}):
        for path in ("/board", f"/case/{scene.case}", f"/referrals/{scene.case}", "/live", "/manager"):
            refusal = refused(scene.on.http.get(path, headers=headers), 401, 403)
    return refusal


@attack("watch a hub's wall by the key of a referrer's system")
def no_screen(scene: Scene) -> str:
    return refused(scene.on.http.get("/wall", headers={"Cookie": f"mash-wall={scene.on.key}"}), 401)


@attack("read somebody's draft by a link that was made up")
def draft(scene: Scene) -> str:
    return refused(scene.on.http.get(f"/refer/return/{secrets.token_urlsafe(32)}"), 404)


@attack("see on a device that others use what somebody sent at /refer")
def shared_device(scene: Scene) -> str:
    with httpx.Client(base_url=scene.on.settings.base_url, timeout=30, follow_redirects=True) as device:
        device.post("/refer")
        device.post("/refer/first", data={"hub": "sandwell"})
        device.post("/refer/worries", data={"worries": "He hurts us."})
        device.post("/refer/you", data={"sector": "self"})
        secret = device.cookies["mash-referral"]
        first = allowed(device.post("/refer/send"))
        told = re.findall(r"MASH-[0-9]{2}-[0-9]{6,}", first.text)
        hold(bool(told), "whoever sent it was not told the reference")
        for cookies in ({}, {"mash-referral": secret}):
            device.cookies.update(cookies)
            for path in ("/refer/sent", "/refer", "/refer/check", "/refer/worries"):
                text = device.get(path).text
                hold(told[0] not in text and "He hurts us" not in text, f"it is at {path}")
    return "shown once, then only for the code"


@attack("learn from counts that leave the hub that there is one child of a kind")
def one_child(scene: Scene) -> str:
    scene.on.referral(source={"code": "3F"})
    metrics = allowed(scene.on.http.get("/metrics")).text
    few = [line for line in metrics.splitlines() if line.startswith("mash_referrals_open{") and float(line.split()[-1]) < FEWEST]
    hold(not few, f"a count of {few[:1]}")
    file = allowed(scene.on.http.get("/manager/sources.csv?weeks=52", headers=scene.on.staff("duty_manager"))).text
    counts = [row.rsplit(",", 2)[1] for row in file.strip().splitlines()[1:]]
    hold(not [count for count in counts if count.isdigit() and 0 < int(count) < FEWEST], "a count in the file")
    return f"under {FEWEST} none is given by itself"


@attack("have pages load a file that is none of theirs")
def path_trick(scene: Scene) -> str:
    tried = ("..%2f..%2fassets.py", "%2e%2e/assets.py", "..%5cassets.py", "base.html", ".fetched")
    return [refused(scene.on.http.get(f"/static/{name}"), 404) for name in tried][-1]


@attack("look after the installation, or see its figures, as somebody else")
def other_roles(scene: Scene) -> str:
    for path, role in (("/admin", "duty_manager"), ("/manager", "social_worker"), ("/meetings", "agency")):
        refusal = refused(scene.on.http.get(path, headers=scene.on.staff(role)), 403)
    return refusal
