"""Attacks by doing the same twice, at once or again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from mash.api.client import ORDINARY
from mash.api.self_test.attack import allowed, attack, hold, refused
from mash.api.self_test.scene import Scene
from mash.config.profile import load_profile
from mash.flows.store.api_keys import NewKey, make_api_key


@attack("rate a referral twice, at the same moment")
def two_decisions(scene: Scene) -> str:
    reference = scene.on.referral()
    seen = scene.on.case(reference)["version"]
    people = [scene.on.staff(role) for role in ("duty_manager", "practice_manager")]

    def rate(number: int) -> int:
        command = {"kind": "rate_referral", "rating": ("green", "red")[number % 2]}
        headers = {**people[number % 2], "Idempotency-Key": f"two-decisions-{number}"}
        return scene.on.command(reference, command, headers, "Mine.", seen).status_code

    with ThreadPoolExecutor(10) as at_once:
        answers = list(at_once.map(rate, range(10)))
    hold(answers.count(200) == 1, f"{answers.count(200)} were carried out")
    hold(set(answers) == {200, 409}, f"answered {set(answers)}")
    return "one is carried out, nine are told that somebody was first (409)"


@attack("break the glass into ten cases at the same moment")
def glass_at_once(scene: Scene) -> str:
    references = [scene.on.referral() for _ in range(10)]
    headers = scene.on.staff("agency", "housing")

    def broken(reference: str) -> int:
        return scene.on.command(reference, {"kind": "break_glass"}, headers, "He stands at our counter.", 1).status_code

    with ThreadPoolExecutor(10) as at_once:
        answers = list(at_once.map(broken, references))
    most = load_profile("sandwell").firewall.glass_cases
    hold(set(answers) == {200, 403}, f"answered {set(answers)}")
    hold(answers.count(200) == most, f"{answers.count(200)} were granted, and {most} may be")
    return f"{most} are granted, as many as one after another"


@attack("submit the same referral twenty times at once")
def many_at_once(scene: Scene) -> str:
    with ThreadPoolExecutor(20) as at_once:
        answers = list(at_once.map(lambda _: scene.on.submit(ORDINARY, "twenty at once"), range(20)))
    references = {answer.json()["reference"] for answer in answers if answer.status_code == 201}
    hold(len(references) == 1, f"{len(references)} referrals")
    return "one referral"


@attack("use an idempotency key again, for something else")
def other_content(scene: Scene) -> str:
    allowed(scene.on.submit(ORDINARY, "used before"))
    return refused(scene.on.submit({**ORDINARY, "kind": "advice"}, "used before"), 409)


@attack("have the answer that another school got, by its idempotency key")
def anothers_key(scene: Scene) -> str:
    theirs = allowed(scene.on.submit(ORDINARY, "theirs")).json()
    key = scene.on.stored(lambda store: make_api_key(store, NewKey("replays", "sandwell", "education")))
    mine = allowed(scene.on.submit(ORDINARY, "theirs", by=key)).json()
    hold(mine["reference"] != theirs["reference"] and mine["status_code"] != theirs["status_code"], "theirs")
    return "a referral of its own"


@attack("send a colleague's command again, by its idempotency key")
def replayed(scene: Scene) -> str:
    reference = scene.on.referral()
    seen = scene.on.case(reference)["version"]
    command = {"kind": "rate_referral", "rating": "green"}
    key = {"Idempotency-Key": "a colleague's"}
    allowed(scene.on.command(reference, command, {**scene.on.staff("duty_manager"), **key}, seen=seen))
    return refused(scene.on.command(reference, command, {**scene.on.staff("practice_manager"), **key}, seen=seen), 409)


@attack("act on what one saw before it changed")
def stale(scene: Scene) -> str:
    return refused(scene.on.ask(scene.case, "rerate_referral", rating="green", words="It is well.", seen=1), 409)
