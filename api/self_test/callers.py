"""Attacks by those who are not who they say they are."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pyotp

from mash.api.accounts import new_account
from mash.api.client import ORDINARY, person
from mash.api.self_test.attack import allowed, attack, hold, refused
from mash.api.self_test.scene import Scene
from mash.config.sign_on import Position, accounts_in, accounts_text
from mash.flows.installation.secret_files import write_secret
from mash.flows.store.api_keys import NewKey, make_api_key, revoke_api_key
from mash.flows.store.sessions import begin_session, end_sessions, hash_of

PASSWORD = secrets.token_urlsafe(18)


def _read(scene: Scene, credential: str) -> httpx.Response:
    return scene.on.http.get(f"/cases/{scene.case}", headers={"Authorization": f"Bearer {credential}"})


@attack("read a case without signing in")
def anonymous(scene: Scene) -> str:
    allowed(scene.on.http.get(f"/cases/{scene.case}", headers=scene.on.staff("duty_manager")))
    return refused(scene.on.http.get(f"/cases/{scene.case}"), 401)


@attack("make up a session")
def invented(scene: Scene) -> str:
    return refused(_read(scene, f"mash-session-{'A' * 43}"), 401)


@attack("sign a token with no key (alg: none)")
def unsigned(scene: Scene) -> str:
    head, claims = {"alg": "none", "typ": "JWT"}, {"sub": "duty_manager", "role": "duty_manager", "hub": "sandwell"}
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (head, claims))
    return refused(_read(scene, ".".join([*parts, ""])), 401)


@attack("go on with a session whose time is up")
def session_is_over(scene: Scene) -> str:
    late = scene.on.stored(lambda store: begin_session(store, [person("duty_manager")], "command_line", hours=-1))
    return refused(_read(scene, late), 401)


@attack("go on with a session after signing out")
def signed_out(scene: Scene) -> str:
    secret = scene.on.stored(lambda store: begin_session(store, [person("duty_manager")], "command_line"))
    allowed(_read(scene, secret))
    scene.on.stored(lambda store: end_sessions(store, hash_=hash_of(secret)))
    return refused(_read(scene, secret), 401)


@attack("submit with an API key that has expired")
def key_expired(scene: Scene) -> str:
    return refused(
        scene.on.submit(ORDINARY, by=scene.on.stored(lambda store: make_api_key(store, _school("late", days=-1)))), 401
    )


@attack("submit with an API key that was revoked")
def key_revoked(scene: Scene) -> str:
    key = scene.on.stored(lambda store: make_api_key(store, _school("lost")))
    allowed(scene.on.submit(ORDINARY, by=key))
    scene.on.stored(lambda store: revoke_api_key(store, key.split("_")[1]))
    return refused(scene.on.submit(ORDINARY, by=key), 401)


@attack("submit with an API key that may only ask")
def key_without_scope(scene: Scene) -> str:
    asks = NewKey("asks", "sandwell", "education", scopes=("read_status",))
    key = scene.on.stored(lambda store: make_api_key(store, asks))
    return refused(scene.on.submit(ORDINARY, by=key), 403)


@attack("read a case with a school's API key")
def key_for_staff(scene: Scene) -> str:
    return refused(_read(scene, scene.on.key), 401)


@attack("ask what became of another school's referral")
def another_schools(scene: Scene) -> str:
    own = {"Authorization": f"Bearer {scene.on.key}"}
    allowed(scene.on.http.get(f"/referrals/{scene.case}", headers=own))
    other = scene.on.stored(lambda store: make_api_key(store, _school("other")))
    return refused(scene.on.http.get(f"/referrals/{scene.case}", headers={"Authorization": f"Bearer {other}"}), 404)


def _school(name: str, days: float = 1) -> NewKey:
    return NewKey(name, "sandwell", "education", days=days)


# --- by way of somebody's browser -----------------------------------------------------------------------------------------------


@contextmanager
def _browser(scene: Scene) -> Iterator[httpx.Client]:
    """A browser in which a duty manager is signed in."""
    cookie = scene.on.stored(lambda store: begin_session(store, [person("duty_manager")], "local"))
    with httpx.Client(base_url=scene.on.settings.base_url, cookies={"mash": cookie}, timeout=30) as browser:
        yield browser


@attack("have somebody's browser send a command, from a page that has not its token")
def without_token(scene: Scene) -> str:
    with _browser(scene) as browser:
        allowed(browser.get(f"/cases/{scene.case}"))
        command = {"seen": 1, "command": {"kind": "add_note"}, "words": "Close it."}
        return refused(browser.post(f"/cases/{scene.case}/commands", json=command, headers={"Idempotency-Key": "csrf"}), 403)


@attack("have somebody's browser sign them out, from another site")
def from_another_site(scene: Scene) -> str:
    with _browser(scene) as browser:
        headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example.org"}
        return refused(browser.post("/sign-out-everywhere", headers=headers), 403)


@attack("read an answer from a page of another site")
def another_origin(scene: Scene) -> str:
    with _browser(scene) as browser:
        origin = {"Origin": "https://elsewhere.example.org"}
        answer = browser.get(f"/cases/{scene.case}", headers=origin)
        asked = browser.options("/cases", headers={**origin, "Access-Control-Request-Method": "GET"})
    shared = [name for each in (answer, asked) for name in each.headers if name.startswith("access-control-")]
    hold(not shared, f"the browser lets it read: {shared}")
    return "no header lets a browser hand it over"


@attack("act in a position that somebody has not")
def another_position(scene: Scene) -> str:
    with _browser(scene) as browser:
        token = browser.get("/account").text.split('name="csrf" value="')[1].split('"')[0]
        for place in ("1", "-1", "999", "0; role=administrator"):
            browser.post("/account/position", data={"position": place, "csrf": token})
        answer = browser.get("/account").text.lower()
    hold("duty manager" in answer and "administrator" not in answer, "another position")
    return "still in the only position there is"


# --- by a local account ---------------------------------------------------------------------------------------------------------


def _account(scene: Scene, login: str) -> str:
    """A local account; the secret of its one-time codes."""
    account = new_account(login, PASSWORD, Position(role="social_worker", hub="sandwell"))
    file = scene.on.settings.accounts_file
    assert file
    write_secret(file, accounts_text({**accounts_in(file), login: account}))
    return account.one_time_codes.get_secret_value()


def _sign_in(scene: Scene, login: str, code: str, *, password: str = PASSWORD, **more: str) -> httpx.Response:
    form = {"login": login, "password": password, "code": code, **more}
    with httpx.Client(base_url=scene.on.settings.base_url, timeout=30) as browser:
        return browser.post("/sign-in/local", data=form)


@attack("sign in with a password, and any one-time code")
def without_code(scene: Scene) -> str:
    _account(scene, "no.code")
    return refused(_sign_in(scene, "no.code", "000000"), 401)


@attack("sign in with a one-time code that was used before")
def code_again(scene: Scene) -> str:
    code = pyotp.TOTP(_account(scene, "code.again")).now()
    hold(_sign_in(scene, "code.again", code).status_code == 303, "those who may were refused")
    return refused(_sign_in(scene, "code.again", code), 401)


@attack("be led to another site after signing in")
def led_away(scene: Scene) -> str:
    for place, onward in enumerate(("https://elsewhere.example.org/", "//elsewhere.example.org", "/\\elsewhere.example.org")):
        # An account each: a code is good once, and the half minute may end between two.
        login = f"led.away.{place}"
        answer = _sign_in(scene, login, pyotp.TOTP(_account(scene, login)).now(), onward=onward)
        hold(answer.status_code == 303, f"those who may were refused with {answer.status_code}")
        hold(answer.headers["location"] == "/", f"led to {answer.headers['location']}")
    return "led to our own first page"


@attack("keep the session that was planted before somebody signed in")
def planted(scene: Scene) -> str:
    code = pyotp.TOTP(_account(scene, "planted")).now()
    theirs = scene.on.stored(lambda store: begin_session(store, [person("agency", "police")], "local"))
    with httpx.Client(base_url=scene.on.settings.base_url, cookies={"mash": theirs}, timeout=30) as browser:
        answer = browser.post("/sign-in/local", data={"login": "planted", "password": PASSWORD, "code": code})
    hold(answer.status_code == 303 and answer.cookies.get("mash") not in (None, theirs), "the same session goes on")
    return refused(_read(scene, theirs), 401)


@attack("guess a password")
def guess(scene: Scene) -> str:
    _account(scene, "guessed")
    answers = [_sign_in(scene, "guessed", "000000", password=f"password-{n}").status_code for n in range(8)]
    hold(set(answers) == {401, 429}, f"answered {answers}")
    return f"429 after {answers.index(429)} guesses"
