"""What pages load, with npm and without; and being told that something changed."""

from __future__ import annotations

import gzip
import re
from contextlib import ExitStack
from html import unescape
from pathlib import Path

import httpx
import pytest
from hub import Hub, eventually

from mash.api.pages.assets import FETCHED, Assets
from mash.api.pages.live import MOST_OF_ONE, Live
from mash.api.pages.page import TEMPLATES, environment
from mash.flows.store.store import Store

FROM_NPM = pytest.mark.skipif(not FETCHED.is_dir(), reason="npm was not there at set-up: pages have the plain style")


def test_without_npm_pages_have_a_plain_style_and_no_htmx(tmp_path: Path) -> None:
    plain = Assets(tmp_path / "nothing")
    assert [re.split(r"[/?]", address)[2] for address in plain.styles] == ["plain.css", "mash.css"]
    assert [re.split(r"[/?]", address)[2] for address in plain.scripts] == ["mash.js"]


@pytest.mark.parametrize("name", sorted(str(file.relative_to(TEMPLATES)) for file in TEMPLATES.rglob("*.html")))
def test_every_template_is_one(name: str) -> None:
    assert environment().get_template(name)


@FROM_NPM
def test_nothing_that_belongs_to_govuk_alone_is_served(hub: Hub) -> None:
    style = hub.http.get("/static/govuk-frontend.min.css").text
    assert "govuk-button" in style and "GDS Transport" not in style and "/assets/" not in style


def test_what_pages_load_is_small_and_asked_for_once(hub: Hub) -> None:
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', hub.http.get("/sign-in").text)
    assert len(addresses) >= 4, "an icon, two style sheets and a script at least"
    for address in addresses:
        answer = hub.http.get(address)
        assert answer.status_code == 200 and "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-encoding"] == "gzip" and len(gzip.compress(answer.content)) < 40_000


def test_a_file_that_no_page_loads_is_not_found(hub: Hub) -> None:
    assert {hub.http.get(f"/static/{name}").status_code for name in ("mash.txt", "..%2fassets.py", "base.html")} == {404}


def test_who_watches_hears_that_something_changed_and_not_what(hub: Hub) -> None:
    reference = hub.referral()
    with hub.http.stream("GET", f"/live?reference={reference}", headers=hub.staff("duty_manager"), timeout=30) as heard:
        lines = heard.iter_lines()
        assert next(lines) == ": ping"
        hub.rate(reference)
        first_event = next(line for line in lines if line.startswith("event"))
        assert first_event == "event: changed" and next(lines) == "data: 1"


@pytest.mark.parametrize("page", ["/board", "/case/{}", "/checks"])
def test_what_happens_before_a_page_is_connected_is_told_when_it_is(hub: Hub, page: str) -> None:
    reference = hub.referral()
    hub.rate(reference)
    police = hub.staff("agency", "police")

    def first(address: str) -> str:
        with hub.http.stream("GET", address, headers=police, timeout=30) as stream:
            return next(stream.iter_lines())

    def at_rest() -> str:
        shown = hub.http.get(page.format(reference), headers=police).text
        address = unescape(re.findall(r'hx-sse:connect="([^"]+)"', shown)[0])
        return address if first(address) == ": ping" else ""

    address = eventually(at_rest)
    hub.answer(reference, "police")
    assert first(address) == "event: changed"


def test_whoever_cannot_be_connected_is_not_counted_as_watching(hub: Hub) -> None:
    async def watch(store: Store) -> int:
        heard = Live(store)
        store.__dict__["listen_url"] = "postgresql://nobody@127.0.0.1:1/nothing"
        with pytest.raises(OSError):
            async with heard.watched():
                pytest.fail("there is no connection")
        return heard.screens

    assert hub.stored(watch) == 0


def test_nobody_keeps_pages_live_without_end_and_whoever_closes_some_has_room_again(hub: Hub) -> None:
    headers, colleague = hub.staff("operational_manager"), hub.staff("service_manager")
    with ExitStack() as pages:
        open_ = [pages.enter_context(hub.http.stream("GET", "/live", headers=headers)) for _ in range(MOST_OF_ONE)]
        assert {page.status_code for page in open_} == {200}
        one_more = hub.http.get("/live", headers=headers)
        assert one_more.status_code == 429 and "close some" in one_more.json()["detail"] and one_more.headers["retry-after"]
        with hub.http.stream("GET", "/live", headers=colleague) as theirs:
            assert theirs.status_code == 200, "others are not held up"

    def again() -> bool:
        with hub.http.stream("GET", "/live", headers=headers) as page:
            return page.status_code == 200

    eventually(again)


@pytest.mark.parametrize(("role", "status"), [("administrator", 403), ("", 401)])
def test_who_may_not_see_the_board_hears_nothing(hub: Hub, role: str, status: int) -> None:
    answer = hub.http.get("/live", headers=hub.staff(role) if role else {})
    assert answer.status_code == status


def test_a_page_that_keeps_itself_up_to_date_does_not_keep_its_session_alive(hub: Hub) -> None:
    headers = hub.staff("practice_manager")
    hub.sql("UPDATE session SET seen_at = now() - interval '50 minutes' WHERE role = 'practice_manager'")
    seen = "SELECT seen_at FROM session WHERE role = 'practice_manager'"
    before = hub.sql(seen)
    assert hub.http.get("/board", headers={**headers, "MASH-By-Itself": "yes"}).status_code == 200
    assert hub.sql(seen) == before
    assert hub.http.get("/board", headers=headers).status_code == 200
    assert hub.sql(seen) != before


def test_a_page_for_nobody_says_where_to_sign_in(hub: Hub) -> None:
    answer: httpx.Response = hub.http.get("/board?stage=triage")
    assert answer.status_code == 401 and "/sign-in?onward=%2Fboard%3Fstage%3Dtriage" in answer.text
