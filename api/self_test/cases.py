"""Attacks by those who are signed in, on what is not theirs."""

from __future__ import annotations

from typing import Any

from mash.api.client import CANARY
from mash.api.self_test.attack import allowed, attack, hold, refused
from mash.api.self_test.scene import POLICE_ANSWER, Scene

HELD = "what the police hold"


@attack("read another hub's case")
def another_hubs(scene: Scene) -> str:
    allowed(scene.on.http.get(f"/cases/{scene.elsewhere}", headers=scene.on.staff("duty_manager", hub="merton")))
    return refused(scene.on.http.get(f"/cases/{scene.elsewhere}", headers=scene.on.staff("duty_manager")), 404)


@attack("act on another hub's case")
def act_elsewhere(scene: Scene) -> str:
    return refused(scene.on.ask(scene.elsewhere, "rate_referral", rating="green", seen=1), 404)


@attack("find another hub's case on one's own board")
def board(scene: Scene) -> str:
    for filters in ({}, {"after": "MASH-00-000000"}, {"limit": "500"}):
        answer = allowed(scene.on.http.get("/cases", headers=scene.on.staff("duty_manager"), params=filters))
        hold(scene.elsewhere not in answer.text, "it is there")
    return "not among them"


@attack("find by name whom only another hub knows")
def find_elsewhere(scene: Scene) -> str:
    search = {"name": CANARY}
    theirs = scene.on.staff("duty_manager", hub="merton")
    hold(scene.elsewhere in allowed(scene.on.http.post("/people/search", json=search, headers=theirs)).text, "nobody finds it")
    answer = allowed(scene.on.http.post("/people/search", json=search, headers=scene.on.staff("duty_manager")))
    hold(scene.elsewhere not in answer.text, "the other hub's case")
    return "only one's own hub's"


@attack("find people by name, as an agency")
def find_as_agency(scene: Scene) -> str:
    search = {"name": CANARY}
    return refused(scene.on.http.post("/people/search", json=search, headers=scene.on.staff("agency", "police")), 403)


@attack("read a case that one's agency takes no part in")
def uninvolved(scene: Scene) -> str:
    allowed(scene.on.http.get(f"/cases/{scene.case}", headers=scene.on.staff("agency", "police")))
    unrated = scene.on.referral()
    return refused(scene.on.http.get(f"/cases/{unrated}", headers=scene.on.staff("agency", "police")), 404)


@attack(f"read {HELD}, as another agency and as the hub")
def held(scene: Scene) -> str:
    theirs = scene.on.staff("agency", "police")
    hold(POLICE_ANSWER in allowed(scene.on.http.get(f"/cases/{scene.case}", headers=theirs)).text, "not even the police read it")
    for headers in (scene.on.staff("agency", "health"), scene.on.staff("duty_manager"), scene.on.staff("service_manager")):
        for path in ("", "/log", "/information-product"):
            answer = scene.on.http.get(f"/cases/{scene.case}{path}", headers=headers)
            hold(POLICE_ANSWER not in answer.text, f"it is in {path or 'the case'}")
    return "a signpost, and none of the words"


@attack(f"release {HELD}, as another agency")
def release(scene: Scene) -> str:
    ((item,),) = scene.on.sql("SELECT id FROM personal_item WHERE kind = 'answer_check' AND reference = %s", scene.case)
    command = {"kind": "release_information", "item": str(item), "necessity": "to_protect_a_child", "proportionality": "whole"}
    for headers in (scene.on.staff("agency", "health"), scene.on.staff("duty_manager")):
        refusal = refused(scene.on.command(scene.case, command, headers, "Now."), 403, 404)
    return refusal


@attack("answer another agency's check")
def anothers_check(scene: Scene) -> str:
    command = {"kind": "answer_check", "agency": "health", "known": False}
    return refused(scene.on.command(scene.case, command, scene.on.staff("agency", "police")), 403)


@attack("name a higher role in a command's body")
def role_in_body(scene: Scene) -> str:
    command = {"kind": "rate_referral", "rating": "green", "by": {"role": "duty_manager"}, "role": "duty_manager"}
    return refused(scene.on.command(scene.case, command, scene.on.staff("agency", "police")), 400, 403)


@attack("name a higher role in a header")
def role_in_header(scene: Scene) -> str:
    named = dict.fromkeys(("X-Role", "X-User", "X-Forwarded-User", "Remote-User", "X-Mash-Role"), "duty_manager")
    headers = {**scene.on.staff("agency", "police"), **named}
    return refused(scene.on.command(scene.case, {"kind": "rerate_referral", "rating": "green"}, headers, "No."), 403)


@attack("decide, as a social worker")
def decide(scene: Scene) -> str:
    command = {"kind": "record_decision", "outcomes": {"S1": "no_further_action"}, "primary_need": "N1"}
    return refused(scene.on.command(scene.case, command, scene.on.staff("social_worker"), "Nothing."), 403)


@attack("read a case, as an administrator")
def administrator(scene: Scene) -> str:
    return refused(scene.on.http.get(f"/cases/{scene.case}", headers=scene.on.staff("administrator")), 403)


@attack("act on a case, as information governance")
def governance(scene: Scene) -> str:
    return refused(scene.on.ask(scene.case, "add_note", role="information_governance", words="I was here."), 403)


@attack("see who looked at a case, as one of those who did")
def who_looked(scene: Scene) -> str:
    asked = {"reference": scene.case}
    found = allowed(scene.on.http.post("/accesses", json=asked, headers=scene.on.staff("information_governance"))).json()
    hold(any(row["person"] == "duty_manager.social_care" for row in found["accesses"]), "it was not even written down")
    return refused(scene.on.http.post("/accesses", json=asked, headers=scene.on.staff("duty_manager")), 403)


@attack("break the glass without a reason")
def glass(scene: Scene) -> str:
    reference = scene.on.referral()
    return refused(scene.on.ask(reference, "break_glass", role="agency", agency="police"), 422)


@attack(f"break the glass, and read {HELD}")
def glass_and_more(scene: Scene) -> str:
    outside = scene.on.staff("early_help", "early_help")
    before = scene.on.http.get(f"/cases/{scene.case}", headers=outside)
    hold(before.status_code == 404, "the case was open to them")
    allowed(scene.on.command(scene.case, {"kind": "break_glass"}, outside, "She stands in front of me."))
    hold(POLICE_ANSWER not in allowed(scene.on.http.get(f"/cases/{scene.case}", headers=outside)).text, "the words")
    notices = scene.on.sql("SELECT count(*) FROM notice WHERE reference = %s AND role = 'information_governance'", scene.case)
    hold(notices == [(1,)], "and nobody was told")
    return "the case without the words; information governance is told"


@attack("break the glass, and stay in the case for good")
def glass_for_good(scene: Scene) -> str:
    reference = scene.on.referral()
    as_probation: Any = {"role": "agency", "agency": "probation"}
    allowed(scene.on.ask(reference, "break_glass", words="He is at our counter.", **as_probation))
    scene.on.ask(reference, "contribute_information", sensitive=False, words="Known to us.", **as_probation)
    parts = scene.on.sql("SELECT id FROM participant WHERE reference = %s AND until IS NULL AND party = 'probation'", reference)
    hold(parts == [], "their agency takes part in it now")
    return refused(scene.on.ask(reference, "add_note", words="Known to us.", **as_probation), 403)


@attack("decide for a hub that says others decide")
def not_in_profile(scene: Scene) -> str:
    return refused(scene.on.ask(scene.case, "rerate_referral", rating="purple", words="It is worse."), 422)
