"""Signing on: at an identity provider that is a process of its own, and by local accounts; sessions, and pages that act."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import provider
import psycopg
import pyotp
import pytest
from commands import mash_here
from fastapi import FastAPI
from serving import serving

from mash.api.accounts import change_accounts, change_password, new_account
from mash.api.app import create_app
from mash.api.identity import Provider
from mash.api.pages import live as live_pages
from mash.config.errors import SettingsError
from mash.config.permissions import read_permissions
from mash.config.settings import Settings
from mash.config.sign_on import Account, Position, accounts_text, read_accounts, read_sign_on
from mash.flows.installation.secret_files import write_secret
from mash.flows.installation.stack import Stack, free_port
from mash.flows.store.sessions import hash_of

PASSWORD = "correct horse battery"
DUTY = Position(role="duty_manager", hub="sandwell")


@dataclass
class Place:
    """A running API, and a provider at which staff sign in."""

    stack: Stack
    app: FastAPI
    issuer: str
    codes: pyotp.TOTP

    def sql(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        assert self.stack.cluster
        with psycopg.connect(host=str(self.stack.cluster.socket), user="mash_owner", dbname="mash", autocommit=True) as owner:
            cursor = owner.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def behaves(self, **how: Any) -> None:
        """Have the provider misbehave in this way, or no longer."""
        assert httpx.post(f"{self.issuer}/behave", verify=False, json=how, timeout=60).status_code == 200

    def browser(self) -> httpx.Client:
        """A browser: it keeps cookies, and follows to other sites."""
        return httpx.Client(verify=False, base_url=self.stack.settings.base_url, follow_redirects=True, timeout=30)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="mash-sign-on-"))
    folder.chmod(0o755)
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    write_secret(
        folder / "sign_on.toml",
        f'issuer = "{issuer}"\nclient_id = "{provider.CLIENT}"\nclient_secret = "{provider.SECRET}"\n[groups]\n'
        'mash-duty = [{ role = "duty_manager", hub = "sandwell" }, { role = "social_worker", hub = "merton" }]\n',
    )
    account = new_account("local.manager", PASSWORD, DUTY)
    write_secret(folder / "accounts.toml", accounts_text({"local.manager": account}))
    settings = Settings(
        data_dir=folder,
        api_port=free_port(),
        sign_on_file=folder / "sign_on.toml",
        local_accounts=True,
        requests_per_minute=0,
        anonymous_requests_per_minute=0,
        accounts_file=folder / "accounts.toml",
        hubs="sandwell,merton",
    )
    try:
        with provider.running(port), Stack(settings, ()) as stack, serving(stack.settings) as app:
            yield Place(stack, app, issuer, pyotp.TOTP(account.one_time_codes.get_secret_value()))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def as_it_was(place: Place) -> None:
    """The provider behaves, and nothing of it is known to us yet; nobody is signed in, or has failed lately."""
    place.behaves()
    ours = place.app.state.provider
    place.app.state.provider = Provider(ours.file, ours.callback)
    place.sql("TRUNCATE session, sign_in_failure, one_time_code")


SIGN_IN = "/sign-in/start?onward=/account"


def csrf(page: httpx.Response) -> str:
    return page.text.split('name="csrf" value="')[1].split('"')[0]


# --- single sign-on -----------------------------------------------------------------------------------------------------------


def test_staff_sign_in_at_their_provider_and_act_as_their_groups_say(place: Place) -> None:
    with place.browser() as browser:
        page = browser.get(SIGN_IN)
        assert page.status_code == 200
        assert "You are signed in as d.manager: Duty manager, Social work, Sandwell MASH." in page.text
        assert browser.get("/cases").status_code == 200
        cookie = next(each for each in browser.cookies.jar if each.name == "mash")
        assert cookie.path == "/" and "HttpOnly" in cookie._rest


def test_a_login_may_be_an_address_as_entra_ids_are(place: Place) -> None:
    place.behaves(claims={"preferred_username": "d.o'manager@sandwell.example.org"})
    with place.browser() as browser:
        assert "You are signed in as d.o&#39;manager@sandwell.example.org: Duty manager" in browser.get(SIGN_IN).text
        assert browser.get("/cases").status_code == 200


def test_the_way_there_uses_pkce_a_state_and_a_nonce_and_what_is_secret_stays_here(place: Place) -> None:
    answer = httpx.get(f"{place.stack.settings.base_url}/sign-in/start", verify=False, timeout=60)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    assert asked["code_challenge_method"] == "S256" and asked["response_type"] == "code"
    stored = place.sql("SELECT verifier, browser FROM sign_in WHERE state = %s", asked["state"])
    assert len(stored) == 1 and stored[0][0] not in answer.headers["location"] and asked["nonce"]
    assert answer.cookies["mash-sign-in"] not in stored[0], "the browser's part is kept hashed"


def test_a_key_that_the_provider_has_changed_is_found(place: Place) -> None:
    with place.browser() as browser:
        assert "You are signed in as d.manager" in browser.get(SIGN_IN).text
    place.behaves(rotate=True)
    with place.browser() as browser:
        assert "You are signed in as d.manager" in browser.get(SIGN_IN).text


LONG_AGO, FAR_OFF = 1_700_000_000, 4_000_000_000
"""Not reckoned from now: the tests must have the same names in both processes that share them."""


@pytest.mark.parametrize(
    "how",
    [
        {"sign_by": "nothing"},
        {"sign_by": "its public key as a secret"},
        {"sign_by": "an unknown key"},
        {"claims": {"aud": "another application"}},
        {"claims": {"aud": None}},
        {"claims": {"iss": "https://elsewhere.example.org"}},
        {"claims": {"nonce": "of another sign-in"}},
        {"claims": {"nonce": None}},
        {"claims": {"exp": LONG_AGO}},
        {"claims": {"exp": None}},
        {"claims": {"iat": FAR_OFF}},
        {"claims": {"aud": ["mash", "other"], "azp": "other"}},
        {"claims": {"aud": ["mash", "other"]}},
        {"claims": {"sub": None}},
        {"claims": {"preferred_username": "system"}},
        {"claims": {"preferred_username": "link:duty_manager"}},
        {"claims": {"preferred_username": "cli:root"}},
        {"claims": {"preferred_username": "referrer"}},
        {"claims": {"preferred_username": "<b>"}},
    ],
    ids=str,
)
def test_what_is_not_the_providers_word_for_us_and_for_now_is_refused(place: Place, how: dict[str, Any]) -> None:
    place.behaves(**how)
    with place.browser() as browser:
        page = browser.get(SIGN_IN)
        assert page.status_code == 502 and "alert" in page.text
        assert browser.get("/cases").status_code == 401


def test_clocks_may_differ_by_two_minutes(place: Place) -> None:
    now = int(time.time())
    place.behaves(claims={"exp": now - 60, "iat": now - 400})
    with place.browser() as browser:
        assert "You are signed in as d.manager" in browser.get(SIGN_IN).text
    place.behaves(claims={"iat": now + 60})
    with place.browser() as browser:
        assert "You are signed in as d.manager" in browser.get(SIGN_IN).text


def test_somebody_in_no_group_is_told_so_and_stays_outside(place: Place) -> None:
    place.behaves(claims={"groups": ["kitchen"]})
    with place.browser() as browser:
        page = browser.get(SIGN_IN)
        assert page.status_code == 401 and "in no group that may work here" in page.text
        assert browser.get("/account").status_code == 401
    logs = "".join(path.read_text() for path in place.stack.settings.data_dir.rglob("api*.log"))
    assert "in no group that may work here" in logs and "d.manager" not in logs


def test_coming_back_twice_or_in_another_browser_is_refused(place: Place) -> None:
    with place.browser() as browser, place.browser() as other:
        away = browser.get("/sign-in/start", follow_redirects=False).headers["location"]
        back = httpx.get(away, verify=False, timeout=60).headers["location"]
        assert other.get(back).status_code == 401, "the state belongs to the browser that began"
        assert browser.get(back).status_code == 200
        assert browser.get(back).status_code == 401, "and is good for once"
        invented = f"{place.stack.settings.base_url}/sign-in/callback?code=x&state=y"
        assert browser.get(invented).status_code == 401


ELSEWHERE = ("https://evil.example.org", "//evil.example.org", "/\\evil.example.org", "javascript:alert(1)", "/x\r\nX: y")


@pytest.mark.parametrize("onward", ELSEWHERE)
def test_nobody_is_sent_on_to_another_site(place: Place, onward: str) -> None:
    with place.browser() as browser:
        page = browser.get("/sign-in/start", params={"onward": onward})
        assert str(page.url) == f"{place.stack.settings.base_url}/board"


def test_one_is_sent_on_to_where_one_was_going(place: Place) -> None:
    with place.browser() as browser:
        assert str(browser.get("/sign-in/start?onward=/cases%3Flate%3Dtrue").url).endswith("/cases?late=true")


def test_several_positions_can_be_changed_among_and_no_other_is_taken(place: Place) -> None:
    with place.browser() as browser:
        page = browser.get(SIGN_IN)
        changed = browser.post("/account/position", data={"csrf": csrf(page), "position": "1"})
        assert "Social worker, social care, Merton MASH" in changed.text
        for odd in ("2", "-1", "x", "", "²", "9" * 5000):
            assert browser.post("/account/position", data={"csrf": csrf(page), "position": odd}).status_code == 200
        assert "You are signed in as d.manager: Social worker" in browser.get("/account").text


def test_signing_out_leads_out_of_the_provider_too(place: Place) -> None:
    ends = place.issuer.replace("127.0.0.1", "localhost")
    with place.browser() as browser:
        page = browser.get(SIGN_IN)
        policy = page.headers["content-security-policy"]
        assert f"form-action 'self' {place.issuer} {ends};" in policy, "a browser follows only where the policy lets a form lead"
        out = browser.post("/sign-out", data={"csrf": csrf(page)}, follow_redirects=False)
        assert out.headers["location"].startswith(f"{ends}/end_session?")
        assert browser.get("/account").status_code == 401


def test_whoever_turns_back_at_the_provider_is_told_so_and_may_begin_again(place: Place) -> None:
    place.behaves(refuse=True)
    with place.browser() as browser:
        page = browser.get(SIGN_IN)
        assert page.status_code == 401 and "You turned back" in page.text and "access_denied" not in page.text
        place.behaves()
        assert "You are signed in as d.manager" in browser.get(SIGN_IN).text


# --- sessions -----------------------------------------------------------------------------------------------------------------


def bearer(place: Place, login: str = "d.manager") -> dict[str, str]:
    done = mash_here("token", "duty_manager", "sandwell", "--login", login, MASH_DATA_DIR=str(place.stack.settings.data_dir))
    return {"Authorization": f"Bearer {done.stdout.strip()}"}


def test_signing_out_everywhere_ends_browsers_and_scripts_at_once(place: Place) -> None:
    script = bearer(place)
    with place.browser() as one, place.browser() as two:
        page = one.get(SIGN_IN)
        two.get(SIGN_IN)
        assert two.get("/cases", headers=script).status_code == 200 == two.get("/cases").status_code
        one.post("/sign-out-everywhere", data={"csrf": csrf(page)}, follow_redirects=False)
        assert {one.get("/cases").status_code, two.get("/cases").status_code} == {401}
        assert httpx.get(f"{place.stack.settings.base_url}/cases", verify=False, headers=script, timeout=60).status_code == 401


def test_an_administrator_sees_who_is_signed_in_and_signs_them_out(place: Place) -> None:
    here = {"MASH_DATA_DIR": str(place.stack.settings.data_dir)}
    script, other = bearer(place, "a.leaver"), bearer(place, "a.stayer")
    listed = mash_here("session", "list", "a.leaver", **here).stdout
    assert "  a.leaver  duty_manager, social_care, sandwell  command_line  since " in listed and listed.count("\n") == 1
    assert listed.startswith(hash_of(script["Authorization"].removeprefix("Bearer "))[:12])
    assert mash_here("session", "end", "a.leaver", **here).stdout == "1 session was ended\n"
    assert mash_here("session", "list", "a.leaver", **here).stdout == ""
    with place.browser() as browser:
        assert browser.get("/cases", headers=script).status_code == 401
        assert browser.get("/cases", headers=other).status_code == 200


def test_a_session_of_a_script_is_no_longer_than_a_day(place: Place) -> None:
    here = {"MASH_DATA_DIR": str(place.stack.settings.data_dir)}
    refused = mash_here("token", "duty_manager", "sandwell", "--hours", "25", **here)
    assert refused.returncode == 2 and "24" in refused.stderr


@pytest.mark.parametrize("over", ["ends_at = now() - interval '1 second'", "seen_at = now() - interval '61 minutes'"])
def test_a_session_is_over_after_its_time_or_when_it_is_not_used(place: Place, over: str) -> None:
    with place.browser() as browser:
        browser.get(SIGN_IN)
        assert browser.get("/cases").status_code == 200
        place.sql(f"UPDATE session SET {over} WHERE how = 'single_sign_on'")
        assert browser.get("/cases").status_code == 401
        assert browser.get(SIGN_IN).text.count("By single sign-on") == 1, "no longer listed as signed in"


def seen_at(place: Place) -> Any:
    """When the session of single sign-on was last used."""
    return place.sql("SELECT max(seen_at) FROM session WHERE how = 'single_sign_on' AND ended_at IS NULL")[0][0]


def test_a_wall_that_renews_itself_keeps_nobody_signed_in(place: Place) -> None:
    with place.browser() as browser:
        browser.get(SIGN_IN)
        place.sql("UPDATE session SET seen_at = now() - interval '10 minutes' WHERE how = 'single_sign_on'")
        before = seen_at(place)
        wall = browser.get("/wall")
        assert wall.status_code == 200 and wall.headers["refresh"] and seen_at(place) == before
        assert browser.get("/cases").status_code == 200 and seen_at(place) > before, "which a page that somebody opens does"


def test_another_site_gives_a_screen_no_key(place: Place) -> None:
    with place.browser() as browser:
        planted = browser.post("/wall/key", data={"key": "theirs"}, headers={"Sec-Fetch-Site": "cross-site"})
        assert planted.status_code == 403 and "another site" in planted.text
        assert browser.post("/wall/key", data={"key": "made up"}).status_code == 401


def test_a_page_that_is_live_hears_no_more_once_its_session_is_over(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_pages, "QUIET", 0.5)  # seconds, after which it is seen that nobody is signed in any more
    with place.browser() as browser, place.browser() as elsewhere:
        page = elsewhere.get(SIGN_IN)
        browser.get(SIGN_IN)
        with browser.stream("GET", "/live") as live:
            lines = live.iter_lines()
            assert next(lines).startswith(":"), "nothing has happened yet"
            elsewhere.post("/sign-out-everywhere", data={"csrf": csrf(page)}, follow_redirects=False)
            said = [line for line in lines if line]
        # It ends by itself: told once more, the page asks again and is led to where one signs in.
        assert [line for line in said if not line.startswith(":")] == ["event: changed", "data: 1"]
        assert browser.get("/live").status_code == 401


def test_who_was_signed_in_is_forgotten_after_a_month(place: Place) -> None:
    with place.browser() as browser:
        browser.get(SIGN_IN)
        place.sql("UPDATE session SET ends_at = now() - interval '31 days'")
        browser.get(SIGN_IN)
    assert place.sql("SELECT count(*) FROM session") == [(1,)]


def test_the_secret_of_a_session_is_new_at_each_sign_in_and_kept_hashed(place: Place) -> None:
    with place.browser() as browser:
        chosen = bearer(place, "somebody.else")["Authorization"].split()[1]
        browser.cookies.set("mash", chosen, domain="127.0.0.1", path="/")
        assert "You are signed in as somebody.else" in browser.get("/account").text
        assert "You are signed in as d.manager" in browser.get(SIGN_IN).text
        secret = browser.cookies["mash"]
        assert secret != chosen and secret not in str(place.sql("SELECT * FROM session"))
    with place.browser() as whoever_chose_it:
        whoever_chose_it.cookies.set("mash", chosen)
        assert whoever_chose_it.get("/account").status_code == 401, "what the browser had before is over"


def test_a_page_acts_only_on_what_a_page_of_ours_sends(place: Place) -> None:
    with place.browser() as browser:
        page = browser.get(SIGN_IN)
        refused = [
            browser.post("/sign-out"),
            browser.post("/sign-out", data={"csrf": "0" * 64}),
            browser.post("/sign-out", data={"csrf": csrf(page)}, headers={"Sec-Fetch-Site": "cross-site"}),
            browser.post("/sign-out", data={"csrf": csrf(page)}, headers={"Sec-Fetch-Site": "same-site"}),
            browser.post("/sign-out", data={"csrf": csrf(page)}, headers={"Origin": "https://evil.example.org"}),
            browser.post("/sign-out", data={"csrf": csrf(page)}, headers={"Origin": "null"}),
        ]
        assert [answer.status_code for answer in refused] == [403] * len(refused)
        command = {"seen": 1, "command": {"kind": "add_note"}, "words": "From elsewhere."}
        path = "/cases/MASH-26-999999/commands"
        assert browser.post(path, json=command, headers={"Idempotency-Key": "x"}).status_code == 403
        ours = {"Idempotency-Key": "y", "X-CSRF-Token": csrf(page)}
        assert browser.post(path, json=command, headers=ours).status_code == 404, "which a page of ours may"


def test_the_forms_of_our_pages_work_in_a_browser(place: Place) -> None:
    """Chromium and Firefox send this with a form of a page that has `Referrer-Policy: no-referrer`, as ours have."""
    sent = {"Origin": "null", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    place.sql("DELETE FROM one_time_code")
    with place.browser() as browser:
        form = {"login": "local.manager", "password": PASSWORD, "code": place.codes.now()}
        page = browser.post("/sign-in/local", data=form, headers=sent)
        assert str(page.url) == f"{place.stack.settings.base_url}/board", "what a duty manager does first"
        changed = browser.post("/account/position", data={"csrf": csrf(page), "position": "0"}, headers=sent)
        assert changed.status_code == 200
        out = browser.post("/sign-out", data={"csrf": csrf(page)}, headers=sent)
        assert out.status_code == 200 and str(out.url).endswith("/sign-in")


# --- local accounts -----------------------------------------------------------------------------------------------------------


def signed_in(browser: httpx.Client, login: str, password: str, code: str) -> httpx.Response:
    return browser.post("/sign-in/local", data={"login": login, "password": password, "code": code, "onward": "/account"})


def test_a_local_account_asks_for_password_and_code_and_takes_a_code_once(place: Place) -> None:
    place.sql("DELETE FROM one_time_code")
    code = place.codes.now()
    with place.browser() as browser, place.browser() as again:
        assert "You are signed in as local.manager" in signed_in(browser, "local.manager", PASSWORD, code).text
        second = signed_in(again, "local.manager", PASSWORD, code)
        assert second.status_code == 401 and "has been used already" in second.text


def test_what_is_wrong_is_told_apart_for_nobody(place: Place) -> None:
    place.sql("DELETE FROM one_time_code")
    with place.browser() as browser:
        tries = (
            ("nobody", PASSWORD, place.codes.now()),
            ("local.manager", "wrong", place.codes.now()),
            ("local.manager", PASSWORD, "000000"),
            ("local.manager", PASSWORD, ""),
        )
        pages = [signed_in(browser, *each) for each in tries]
        assert {page.status_code for page in pages} == {401} and len({page.text for page in pages}) == 1
        assert "local.manager" not in pages[0].text


def test_after_five_failures_one_waits_however_right_one_is_then(place: Place) -> None:
    place.sql("DELETE FROM one_time_code")
    with place.browser() as browser:
        for _ in range(5):
            assert signed_in(browser, "local.manager", "wrong", "000000").status_code == 401
        assert signed_in(browser, "local.manager", PASSWORD, place.codes.now()).status_code == 429
        place.sql("UPDATE sign_in_failure SET at = at - interval '16 minutes'")
        assert "You are signed in as local.manager" in signed_in(browser, "local.manager", PASSWORD, place.codes.now()).text
    assert "local.manager" not in str(place.sql("SELECT who FROM sign_in_failure"))


def test_nobody_locks_out_somebody_who_calls_from_elsewhere(place: Place) -> None:
    place.sql("DELETE FROM one_time_code")
    place.sql("DELETE FROM sign_in_failure")
    address = place.stack.settings.base_url
    with httpx.Client(
        verify=False, base_url=address, transport=httpx.HTTPTransport(local_address="127.0.0.2"), timeout=30
    ) as attacker:
        tried = [signed_in(attacker, "local.manager", f"guess {n}", "000000").status_code for n in range(10)]
    assert tried == [401] * 5 + [429] * 5
    with place.browser() as browser:
        assert "You are signed in as local.manager" in signed_in(browser, "local.manager", PASSWORD, place.codes.now()).text


def test_a_login_is_the_same_person_and_has_the_same_limit_however_it_is_written(place: Place) -> None:
    place.sql("DELETE FROM one_time_code")
    place.sql("DELETE FROM sign_in_failure")
    with place.browser() as browser:
        code = place.codes.now()
        assert "You are signed in as local.manager:" in signed_in(browser, " Local.MANAGER ", PASSWORD, code).text
        assert signed_in(browser, "LOCAL.manager", PASSWORD, code).status_code == 401, "the code was used"
    with place.browser() as browser:
        written = ("Local.manager", "LOCAL.MANAGER", "local.manager ", "local.Manager", "lOcal.manager", "LOCAL.manager")
        assert [signed_in(browser, login, "wrong", "000000").status_code for login in written][-2:] == [429, 429]


def test_whoever_the_provider_writes_otherwise_is_the_same_person_here(place: Place) -> None:
    for written in ("D.Manager@Sandwell.example.gov.uk", "d.manager@sandwell.EXAMPLE.gov.uk"):
        place.behaves(claims={"preferred_username": written})
        with place.browser() as browser:
            assert "You are signed in as d.manager@sandwell.example.gov.uk: " in browser.get(SIGN_IN).text


def test_two_accounts_of_one_person_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "accounts.toml"
    account = new_account("anna", PASSWORD, DUTY)
    write_secret(path, accounts_text({"anna": account}) + accounts_text({"Anna": account}))
    with pytest.raises(SettingsError, match="two differ by nothing but capital letters"):
        read_accounts(Settings(local_accounts=True, accounts_file=path))


def test_many_guesses_at_once_get_no_further_than_as_many_one_after_another(place: Place) -> None:
    def guess(number: int) -> int:
        with place.browser() as browser:
            return signed_in(browser, "local.manager", f"guess number {number}", "000000").status_code

    with ThreadPoolExecutor(20) as at_once:
        answers = list(at_once.map(guess, range(20)))
    assert (answers.count(401), answers.count(429)) == (5, 15)
    with place.browser() as browser:
        assert signed_in(browser, "a.colleague", "wrong", "000000").status_code == 401, "from the same office"


def test_whoever_is_taken_out_of_the_file_is_out_at_once(place: Place) -> None:
    place.sql("DELETE FROM one_time_code")
    file = place.stack.settings.accounts_file
    assert file
    before = file.read_text()
    write_secret(file, "")
    try:
        with place.browser() as browser:
            assert signed_in(browser, "local.manager", PASSWORD, place.codes.now()).status_code == 401
    finally:
        write_secret(file, before)
    with place.browser() as browser:
        assert "You are signed in as local.manager" in signed_in(browser, "local.manager", PASSWORD, place.codes.now()).text


def test_another_site_signs_nobody_in(place: Place) -> None:
    with place.browser() as browser:
        form = {"login": "local.manager", "password": PASSWORD, "code": place.codes.now()}
        assert browser.post("/sign-in/local", data=form, headers={"Origin": "https://evil.example.org"}).status_code == 403


def test_an_administrator_makes_lists_and_removes_local_accounts(place: Place, tmp_path: Path) -> None:
    here = {"MASH_ACCOUNTS_FILE": str(tmp_path / "accounts.toml"), "MASH_DATA_DIR": str(place.stack.settings.data_dir)}
    options = ("--role", "duty_manager", "--hub", "sandwell")
    made = mash_here("account", "add", "a.manager", *options, "--password", PASSWORD, **here)
    assert made.returncode == 0 and "otpauth://totp/MASH:a.manager?secret=" in made.stdout, made.stderr
    assert (tmp_path / "accounts.toml").stat().st_mode & 0o777 == 0o600
    assert PASSWORD not in (tmp_path / "accounts.toml").read_text()
    assert mash_here("account", "list", **here).stdout == "a.manager  duty_manager, social_care, sandwell\n"
    again = mash_here("account", "add", "a.manager", *options, "--password", PASSWORD, **here)
    assert "sessions were ended" in again.stdout, "a new password ends what the old one began"
    short = mash_here("account", "add", "b", *options, "--password", "too short", **here)
    assert short.returncode == 2 and "12 to 128 characters" in short.stderr
    nobody = mash_here("account", "add", "c", "--role", "king", "--hub", "sandwell", "--password", PASSWORD, **here)
    assert nobody.returncode == 2 and "duty_manager" in nobody.stderr
    assert mash_here("account", "remove", "a.manager", **here).returncode == 0
    assert mash_here("account", "list", **here).stdout == ""


def test_an_account_that_is_removed_while_its_password_is_changed_stays_removed(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "accounts.toml"
    write_secret(file, accounts_text({"a.leaver": new_account("a.leaver", PASSWORD, DUTY)}))
    here = {"MASH_ACCOUNTS_FILE": str(file), "MASH_DATA_DIR": str(place.stack.settings.data_dir)}
    changing, gone = threading.Event(), threading.Event()

    def change(accounts: dict[str, Account]) -> dict[str, Account]:
        changing.set()
        gone.wait(2)  # without a lock it is removed meanwhile, and written back here
        return accounts

    def remove() -> Any:
        changing.wait()
        done = mash_here("account", "remove", "a.leaver", **here)
        gone.set()
        return done

    with ThreadPoolExecutor(2) as both:
        changed, removed = both.submit(change_accounts, file, change), both.submit(remove)
        assert changed.result() is None and removed.result().returncode == 0
    assert "a.leaver" not in file.read_text()
    with pytest.raises(SettingsError, match="was removed"):
        change_password(file, "a.leaver", NEW)


PARTNERS = sorted(read_permissions().reach["involved"])


@pytest.mark.parametrize("role", PARTNERS)
def test_a_partner_without_an_agency_is_refused_for_they_would_reach_what_social_care_does(
    place: Place, tmp_path: Path, role: str
) -> None:
    path = tmp_path / "sign_on.toml"
    groups = (
        f'[groups]\nd = [{{ role = "duty_manager", hub = "sandwell" }}]\np = [\n  {{ role = "{role}", hub = "sandwell" }},\n]'
    )
    write_secret(path, f"issuer = 'https://i'\nclient_id = 'x'\n{groups}")
    with pytest.raises(SettingsError, match=rf"sign_on.toml:5: groups.p.0: .*expected an agency for {role}"):
        read_sign_on(Settings(sign_on_file=path))
    write_secret(path, path.read_text().replace(f'"{role}",', f'"{role}", agency = "police",'))
    file = read_sign_on(Settings(sign_on_file=path))
    assert file and [each.agency for each in file.positions("p.officer", ["d", "p"])] == ["social_care", "police"]
    here = {"MASH_ACCOUNTS_FILE": str(tmp_path / "accounts.toml"), "MASH_DATA_DIR": str(place.stack.settings.data_dir)}
    options = ("--role", role, "--hub", "sandwell", "--password", PASSWORD)
    for command in (("account", "add", "p", *options), ("token", role, "sandwell")):
        refused = mash_here(*command, **here)
        assert refused.returncode == 2 and f"expected an agency for {role}" in refused.stderr
    assert mash_here("account", "add", "p", *options, "--agency", "police", **here).returncode == 0


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("\nissuer = 'http://idp.example.org'", "sign_on.toml:2: issuer"),
        ("issuer = 'https://idp.example.org'\nclient_id = 'x'", "sign_on.toml:1: groups: Field required"),
        (
            "issuer = 'https://i'\nclient_id = 'x'\n[groups]\ng = [{ role = 'king', hub = 'h' }]",
            "sign_on.toml:4: groups.g.0.role",
        ),
        ("client_id = 'x'\nissuer = ", "sign_on.toml:2: not TOML"),
        (
            "issuer = 'https://i'\nclient_id = 'x'\n[groups]\ng = [{ role = 'agency', hub = 'atlantis' }]",
            "sign_on.toml:4: groups.g.0.hub: Value error, this installation does not serve atlantis",
        ),
        (
            "issuer = 'https://i'\nclient_id = 'x'\nclient_secret = 5\n[groups]\ng = [{ role = 'agency', hub = 'h' }]",
            "client_secret",
        ),
    ],
)
def test_a_wrong_sign_on_file_is_refused_and_says_where(tmp_path: Path, text: str, refusal: str) -> None:
    path = tmp_path / "sign_on.toml"
    write_secret(path, text)
    with pytest.raises(SettingsError, match=re.escape(refusal)):
        read_sign_on(Settings(sign_on_file=path))
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        read_sign_on(Settings(sign_on_file=path))


def test_a_wrong_accounts_file_says_the_line_and_nobodys_login(tmp_path: Path) -> None:
    path = tmp_path / "accounts.toml"
    account = new_account("local.manager", PASSWORD, DUTY)
    right = accounts_text({"local.manager": account})
    write_secret(path, right.replace("duty_manager", "king"))
    with pytest.raises(SettingsError, match=r"accounts.toml:4: accounts.positions.0.role") as wrong:
        read_accounts(Settings(local_accounts=True, accounts_file=path))
    assert "local.manager" not in str(wrong.value) and "king" not in str(wrong.value)


def test_an_accounts_file_is_used_only_where_local_accounts_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "accounts.toml"
    write_secret(path, accounts_text({"local.manager": new_account("local.manager", PASSWORD, DUTY)}))
    assert read_accounts(Settings(local_accounts=True, accounts_file=path))
    with pytest.raises(SettingsError, match="local accounts are off: say MASH_LOCAL_ACCOUNTS=true"):
        read_accounts(Settings(accounts_file=path))


@pytest.mark.parametrize(("address", "taken"), [("http://mash.example.org", False), ("https://mash.example.org", True)])
def test_staff_sign_in_by_https_or_not_at_all(tmp_path: Path, address: str, taken: bool) -> None:
    path = tmp_path / "sign_on.toml"
    write_secret(path, "issuer = 'https://i'\nclient_id = 'x'\n[groups]\ng = [{ role = 'duty_manager', hub = 'sandwell' }]")
    settings = Settings(sign_on_file=path, public_url=address)
    if taken:
        assert read_sign_on(settings)
    else:
        with pytest.raises(SettingsError, match="expected an https:// address"):
            read_sign_on(settings)


async def test_a_cookie_of_an_installation_with_https_is_taken_from_us_alone(place: Place) -> None:
    """Browsers refuse a cookie of this name without Secure, with a domain, or for a part of the site only."""
    settings = place.stack.settings.model_copy(update={"public_url": "https://mash.example.org"})
    app = create_app(settings)
    there = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://mash.example.org")
    async with app.router.lifespan_context(app), there as browser:
        place.sql("DELETE FROM one_time_code")
        form = {"login": "local.manager", "password": PASSWORD, "code": place.codes.now()}
        answer = await browser.post("/sign-in/local", data=form)
        said = answer.headers["set-cookie"].lower()
        assert said.startswith("__host-mash=")
        assert {"httponly", "secure", "samesite=lax", "path=/"} == set(said.split("; ")[1:])
        account = (await browser.get("/account")).text
        assert "You are signed in as local.manager" in account
        csrf = account.partition('name="csrf" value="')[2].partition('"')[0]
        sought = await browser.post("/find", data={"csrf": csrf, "text": "Nobody Atallwho"})
        kept = sought.headers["set-cookie"].lower()
        assert kept.startswith("__secure-mash-find=")
        assert {"httponly", "secure", "samesite=strict", "path=/find"} <= set(kept.split("; ")[1:])
        assert "Nobody was found" in (await browser.get("/find")).text
        assert (await browser.post("/sign-out", data={})).status_code == 403


async def test_how_long_a_session_lasts_is_set(place: Place) -> None:
    lasts = {"public_url": "https://mash.example.org", "session_hours": 2.0, "session_idle_minutes": 5.0}
    app = create_app(place.stack.settings.model_copy(update=lasts))
    there = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://mash.example.org")
    async with app.router.lifespan_context(app), there as browser:
        place.sql("DELETE FROM one_time_code")
        form = {"login": "local.manager", "password": PASSWORD, "code": place.codes.now()}
        await browser.post("/sign-in/local", data=form)
        (row,) = place.sql("SELECT hash, ends_at - started_at = interval '2 hours' FROM session WHERE idle_seconds = 300")
        assert row[1]
        for minutes, status in ((4, 200), (6, 401)):
            place.sql("UPDATE session SET seen_at = now() - %s * interval '1 minute' WHERE hash = %s", minutes, row[0])
            assert (await browser.get("/account")).status_code == status


def test_a_file_of_accounts_that_cannot_be_read_is_said_and_no_error_of_ours(place: Place) -> None:
    file = place.stack.settings.accounts_file
    assert file
    before = file.read_text()
    write_secret(file, "[accounts.local.manager")
    try:
        with place.browser() as browser:
            answer = signed_in(browser, "somebody.else", PASSWORD, "000000")
            assert answer.status_code == 503 and "cannot be read" in answer.text
    finally:
        write_secret(file, before)


# --- passwords, and what the log says -----------------------------------------------------------------------------------------

NEW = "a lantern under the quiet bridge"


@pytest.mark.parametrize("weak", ["password12345", "sandwell mash 2026", "Passw0rd!Passw0rd!", "local.manager1", "111111111111"])
def test_a_password_that_is_easily_guessed_is_refused(weak: str) -> None:
    with pytest.raises(SettingsError, match="easily guessed"):
        new_account("local.manager", weak, Position(role="duty_manager", hub="sandwell"))


def test_whoever_has_a_local_account_changes_its_password_and_is_out_everywhere(place: Place) -> None:
    file = place.stack.settings.accounts_file
    assert file
    before = file.read_text()

    def change(browser: httpx.Client, old: str, new: str) -> httpx.Response:
        place.sql("DELETE FROM one_time_code")
        form = {"password": old, "code": place.codes.now(), "new": new, "csrf": csrf(browser.get("/account"))}
        return browser.post("/account/password", data=form)

    try:
        with place.browser() as browser, place.browser() as elsewhere:
            place.sql("DELETE FROM one_time_code")
            signed_in(elsewhere, "local.manager", PASSWORD, place.codes.now())
            place.sql("DELETE FROM one_time_code")
            signed_in(browser, "local.manager", PASSWORD, place.codes.now())
            assert change(browser, "not the password", NEW).status_code == 401
            weak = change(browser, PASSWORD, "password12345")
            assert weak.status_code == 422 and "easily guessed" in weak.text and "12345" not in weak.text
            assert change(browser, PASSWORD, NEW).url.path == "/sign-in"
            assert elsewhere.get("/cases").status_code == 401 and browser.get("/cases").status_code == 401
            place.sql("DELETE FROM one_time_code")
            assert signed_in(browser, "local.manager", PASSWORD, place.codes.now()).status_code == 401
            place.sql("DELETE FROM one_time_code")
            assert "You are signed in as local.manager" in signed_in(browser, "local.manager", NEW, place.codes.now()).text
        assert NEW not in file.read_text()
    finally:
        write_secret(file, before)


def test_whoever_signs_on_elsewhere_changes_no_password_here(place: Place) -> None:
    with place.browser() as browser:
        page = browser.get(SIGN_IN)
        assert "Change your password" not in page.text
        form = {"password": PASSWORD, "code": "000000", "new": NEW, "csrf": csrf(page)}
        assert browser.post("/account/password", data=form).status_code == 403


def test_signing_out_has_the_browser_forget(place: Place) -> None:
    with place.browser() as browser:
        page = browser.get(SIGN_IN)
        answer = browser.post("/sign-out", data={"csrf": csrf(page)}, follow_redirects=False)
        assert answer.headers["clear-site-data"] == '"cache", "storage"'


def test_the_log_says_who_came_in_who_was_refused_and_names_nobody(place: Place) -> None:
    place.sql("DELETE FROM one_time_code")
    with place.browser() as browser:
        signed_in(browser, "a.colleague", "wrong", "000000")
        page = signed_in(browser, "local.manager", PASSWORD, place.codes.now())
        session = hash_of(browser.cookies["mash"])[:12]
        browser.post("/accesses", json={"person": "somebody"}, headers={"X-CSRF-Token": csrf(page)})
        browser.post("/sign-out", data={"csrf": csrf(page)})
        browser.get("/cases", headers={"Authorization": "Bearer mash-session-made-up"})
    lines = [json.loads(line) for line in (place.stack.logs / "api.log").read_text().splitlines() if line.startswith("{")]
    said = [{name: line.get(name) for name in ("event", "status", "reason", "role", "session")} for line in lines]

    def one(event: str, **more: Any) -> dict[str, Any]:
        return {"event": event, "status": None, "reason": None, "role": None, "session": None} | more

    assert one("did not sign in", reason="local") in said
    assert one("signed in", reason="local", session=session) in said
    assert one("refused", status=403, role="duty_manager", session=session) in said
    assert one("signed out", session=session) in said
    assert one("refused", status=401) in said
    assert all(line["network"] == "127.0.0.0/24" for line in lines if line["event"] == "refused")
    assert all("timestamp" in line and line["timestamp"].endswith("Z") for line in lines)
    text = (place.stack.logs / "api.log").read_text()
    assert not any(name in text for name in ("a.colleague", "local.manager", "made-up", PASSWORD))
