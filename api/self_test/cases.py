"""Attacks by those who are signed in, on what is not theirs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from mash.api.client import CANARY, ORDINARY
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


@attack("learn from another hub more than that it is to be rung, or ask it before one may share")
def ask_across(scene: Scene) -> str:
    child = {"name": {"given": "Perpetua", "family": "Thistlewood"}, "date_of_birth": "2014-05-06", "cohort": "child"}
    theirs = scene.submit_there({**ORDINARY, "subjects": [child], "household": []})
    reference = scene.on.referral(subjects=[child], household=[])
    (subject,) = scene.on.case(reference)["subjects"]
    how = refused(scene.on.ask(reference, "ask_other_hubs", subject=subject), 422)
    scene.on.rate(reference)
    allowed(scene.on.ask(reference, "ask_other_hubs", subject=subject))
    case = allowed(scene.on.http.get(f"/cases/{reference}", headers=scene.on.staff("duty_manager")))
    hold(case.json()["across"][subject]["may_know"] == ["merton"], "it does not say whom to ring")
    hold(theirs not in case.text, "the other hub's case")
    return how


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
        for path in ("", "/log", "/product"):
            answer = allowed(scene.on.http.get(f"/cases/{scene.case}{path}", headers=headers))
            hold(POLICE_ANSWER not in answer.text, f"it is in {path or 'the case'}")
    return "a signpost, and none of the words"


@attack("read what another agency found before it releases that, or what kind of person referred")
def findings(scene: Scene) -> str:
    neighbour = scene.on.referral(source={"code": "1B", "agency": "individual"})
    scene.on.rate(neighbour)
    found = {"known": True, "relevant": True, "recommendation": "section_47", "suggested_rating": "amber"}
    police, health = scene.on.staff("agency", "police"), scene.on.staff("agency", "health")
    allowed(scene.on.command(neighbour, {"kind": "answer_check", "agency": "police", **found}, police, "Twice."))
    hold("section_47" in scene.on.http.get(f"/cases/{neighbour}", headers=police).text, "not even the police read it")
    for path in (f"/cases/{neighbour}", f"/cases/{neighbour}/log", f"/case/{neighbour}", f"/cases/{neighbour}/product"):
        text = allowed(scene.on.http.get(path, headers=health)).text.lower()
        told = [word for word in ("section_47", "section 47", "neighbour", "individual", "1b:") if word in text]
        hold(not told, f"{told} in {path}")
    checks = scene.on.http.get(f"/cases/{neighbour}", headers=health).json()["checks"]
    hold(not {*found} & {*checks["police"]}, "the police's answer")
    return "that it was answered, and not what; that somebody referred, and not who"


@attack("change a rating by adopting the hub's own rules again")
def back_door(scene: Scene) -> str:
    digest = scene.on.sql("SELECT state::json ->> 'profile' FROM referral WHERE reference = %s", scene.case)[0][0]
    command = {"kind": "adopt_profile", "digest": digest, "rating": "green"}
    refusal = refused(scene.on.command(scene.case, command, scene.on.staff("administrator"), "No reason."), 422)
    hold(scene.on.case(scene.case)["rating"] == "red", "it is rated otherwise")
    return refusal


@attack("change a rating by recording the meeting, as one who may not re-rate")
def meeting_door(scene: Scene) -> str:
    reference = scene.on.referral()
    scene.on.rate(reference)
    for agency in scene.on.case(reference)["outstanding"]:
        allowed(scene.on.answer(reference, agency))
    held = {"kind": "record_meeting", "attended": ["social_care", "police", "health"]}
    representative = scene.on.staff("social_care_representative")
    for headers in (representative, scene.on.staff("agency", "police")):
        refusal = refused(scene.on.command(reference, {**held, "rating": "green"}, headers, "He is well."), 403)
        hold(scene.on.case(reference)["rating"] == "red", "it is rated otherwise")
    allowed(scene.on.command(reference, {**held, "rating": "red"}, representative))
    return f"{refusal}: they record a meeting that keeps the rating"


@attack("learn by breaking the glass without a reason which cases there are")
def oracle(scene: Scene) -> str:
    headers = scene.on.staff("agency", "probation")
    answers = [scene.on.command(each, {"kind": "break_glass"}, headers, None, 1) for each in (scene.case, "MASH-26-999999")]
    told = [(answer.status_code, answer.json()) for answer in answers]
    hold(told[0] == told[1], "one that there is answers otherwise than one that there is not")
    return refused(answers[0], 422)


@attack("look for a name that nobody has, and leave no trace")
def found_nobody(scene: Scene) -> str:
    traces = "SELECT count(*) FROM access WHERE action = 'find_people' AND reference IS NULL"
    before = scene.on.sql(traces)
    answer = allowed(scene.on.http.post("/people/search", json={"name": "Xantippe Nemo"}, headers=scene.on.staff("duty_manager")))
    hold(answer.json() == {"people": []}, "somebody is called that")
    hold(scene.on.sql(traces) == [(before[0][0] + 1,)], "no trace")
    return "the search is written down, without the name"


@attack("go on reading a case that closed a year ago, as an agency that took part in it")
def long_ago(scene: Scene) -> str:
    reference, health = scene.on.referral(), scene.on.staff("agency", "health")
    scene.on.rate(reference)
    allowed(scene.on.http.get(f"/cases/{reference}", headers=health))
    ((state,),) = scene.on.sql("SELECT state FROM referral WHERE reference = %s", reference)
    past = json.dumps({**json.loads(state), "stage_since": "2025-11-01T00:00:00Z"})
    change = "UPDATE referral SET is_open = %s, state = %s WHERE reference = %s"
    scene.on.sql(change, False, past, reference)
    try:
        refusal = refused(scene.on.http.get(f"/cases/{reference}", headers=health), 404)
        allowed(scene.on.http.get(f"/cases/{reference}", headers=scene.on.staff("duty_manager")))
    finally:
        scene.on.sql(change, True, state, reference)
    return refusal


@attack("act as somebody by a session that the command line began, and leave no trace")
def token(scene: Scene) -> str:
    login = "a.colleague"
    environment = {**os.environ, "MASH_DATA_DIR": str(scene.on.settings.data_dir), "MASH_HUBS": scene.on.settings.hubs}
    command = [sys.executable, "-m", "mash.api.commands.mash", "token", "duty_manager", "sandwell", "--login", login]
    secret = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()
    allowed(scene.on.http.get("/cases", headers={"Authorization": f"Bearer {secret}"}))
    asked = scene.on.http.post("/accesses", json={"person": login}, headers=scene.on.staff("information_governance"))
    begun = [each for each in allowed(asked).json()["accesses"] if each["about"] == login and each["person"].startswith("cli:")]
    hold(len(begun) == 1, "no trace")
    return "information governance sees who on the machine began it"


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
