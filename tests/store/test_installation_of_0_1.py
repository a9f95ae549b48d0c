"""An installation that version 0.1.0 has written: it opens, proves itself, says what it said then, and goes on.

What it holds, and how it was made, stands in `installation_0_1/README.md`.
"""

from __future__ import annotations

import hashlib
import html
import itertools
import json
import re
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import itsdangerous
import psycopg
import pytest
from aiosmtpd.controller import Controller
from alembic import command
from alembic.config import Config
from commands import Done, mash_here
from hub import Receivers
from posting import postman, send_all
from psycopg import sql
from psycopg.rows import namedtuple_row
from pydantic import SecretStr
from sqlalchemy import create_engine

from mash.api.app import create_app
from mash.config.profile import stored_profile
from mash.config.settings import Settings, read_settings
from mash.flows.installation.postmaster import Cluster
from mash.flows.installation.stack import free_port
from mash.flows.store.apply import fire_due
from mash.flows.store.log import fold
from mash.flows.store.schema import MIGRATIONS, upgrade
from mash.flows.telling.for_administrators import timeline
from mash.states.log import RECORDED

FOLDER = Path(__file__).parent / "installation_0_1"
ASIDE: dict[str, Any] = json.loads((FOLDER / "kept.json").read_text(encoding="utf-8"))
"""What people have of it: its keys, their sessions and API keys, the links and codes that they were sent."""
EXPECTED: dict[str, Any] = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
"""What version 0.1.0 said of it at KEPT["now"]."""
A_YEAR_LATER = "2027-06-14T09:00:00+00:00"
ADDRESS = "https://mash.example.org"
ERASED = "MASH-24-000001"
HELD = "MASH-24-000002"


# --- opening it ---------------------------------------------------------------------------------------------------------------


def fill(owner: psycopg.Connection) -> None:
    """Put everything into the tables as it was. Of an event the log has its text alone: the other columns repeat what it says."""
    with (FOLDER / "tables.sql").open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            if line.startswith("COPY"):
                with owner.cursor().copy(line.rstrip(";\n").encode()) as rows:
                    for row in itertools.takewhile(lambda each: each != "\\.\n", lines):
                        rows.write(row)
            elif line.strip():
                owner.execute(line.encode())
    owner.execute("CREATE TEMPORARY TABLE line (canonical text)")
    with (
        (FOLDER / "log.jsonl").open(encoding="utf-8", newline="\n") as lines,
        owner.cursor().copy("COPY line FROM stdin") as rows,
    ):
        for line in lines:
            rows.write_row((line.rstrip("\n"),))
    owner.execute("""
        INSERT INTO event (reference, sequence, kind, at, canonical, hash, hub)
        SELECT e ->> 'reference', (e ->> 'sequence')::integer, e -> 'event' ->> 'kind', (e ->> 'at')::timestamptz, canonical,
            encode(sha256(convert_to(canonical, 'UTF8')), 'hex'), e -> 'by' ->> 'hub'
        FROM line, CAST(canonical AS json) e""")


def migrate(owner_url: str, revision: str) -> None:
    """The tables as they were at a revision."""
    engine = create_engine(owner_url)
    with engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()
    engine.dispose()


@dataclass(frozen=True)
class Installation:
    """The installation on today's code, in a database of its own."""

    cluster: Cluster
    database: str
    data_dir: Path

    @property
    def environment(self) -> dict[str, str]:
        """How its commands are told of it."""
        return {
            **ASIDE["keys"],
            "MASH_DATA_DIR": str(self.data_dir),
            "MASH_DATABASE_URL": self.address("mash_app"),
            "MASH_SYSTEM_DATABASE_URL": self.address("mash_system"),
            "MASH_OWNER_DATABASE_URL": self.address("mash_owner"),
            "MASH_HUBS": ",".join(ASIDE["hubs"]),
            "MASH_PROFILES_DIR": str(FOLDER / "profiles"),
            "MASH_PUBLIC_URL": ADDRESS,
            "MASH_REQUESTS_PER_MINUTE": "0",
            "MASH_ANONYMOUS_REQUESTS_PER_MINUTE": "0",
        }

    @property
    def settings(self) -> Settings:
        return read_settings(self.environment)

    def address(self, role: str) -> str:
        return f"postgresql+psycopg://{role}@/{self.database}?host={self.cluster.socket}"

    def sql(self, query: str, *values: Any) -> list[Any]:
        """What the database holds, seen by its owner."""
        with psycopg.connect(
            host=str(self.cluster.socket), user="mash_owner", dbname=self.database, autocommit=True, row_factory=namedtuple_row
        ) as owner:
            cursor = owner.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def set_time(self, now: str, rate: float = 0) -> None:
        """Stop the hubs' time at an instant, or let it go on from there."""
        self.sql("UPDATE time_anchor SET wall = now(), simulated = %s, rate = %s", now, rate)

    def mash(self, *arguments: str) -> str:
        """What a command says that is carried out."""
        done = self.tried(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def tried(self, *arguments: str) -> Done:
        """What comes of a command."""
        # In a thread of its own: whoever asks may have a loop already.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(mash_here, *arguments, **self.environment).result()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[tuple[httpx.AsyncClient, Any]]:
        """Its API, and its store."""
        app = create_app(self.settings)
        transport = httpx.ASGITransport(app)
        async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
            yield client, app.state.store


@contextmanager
def database(cluster: Cluster, name: str, like: str = "template1") -> Iterator[str]:
    """A database of our own, which is removed at the end."""
    create = sql.SQL("CREATE DATABASE {} OWNER mash_owner TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(like))
    with psycopg.connect(host=str(cluster.socket), user="postgres", dbname="postgres", autocommit=True) as superuser:
        superuser.execute(create)
        try:
            yield name
        finally:
            superuser.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def as_it_was(cluster: Cluster) -> Iterator[str]:
    """A database that was filled at the revision of then, and has been upgraded: to be copied."""
    with database(cluster, "installation_0_1") as name:
        owner_url = f"postgresql+psycopg://mash_owner@/{name}?host={cluster.socket}"
        migrate(owner_url, ASIDE["revision"])
        with psycopg.connect(host=str(cluster.socket), user="mash_owner", dbname=name, autocommit=True) as owner:
            fill(owner)
        upgrade(owner_url)
        yield name


@pytest.fixture(scope="module")
def there(cluster: Cluster, as_it_was: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The installation at the instant at which it was left, for tests that only look."""
    with database(cluster, "looked_at", as_it_was) as name:
        yield opened(cluster, name, tmp_path_factory.mktemp("looked_at"))


@pytest.fixture
def own(cluster: Cluster, as_it_was: str, tmp_path: Path) -> Iterator[Installation]:
    """The same, for a test that goes on with it."""
    with database(cluster, "gone_on_with", as_it_was) as name:
        yield opened(cluster, name, tmp_path)


def opened(cluster: Cluster, name: str, data_dir: Path) -> Installation:
    """The installation in this database, with the hubs' time stopped where it was left."""
    installation = Installation(cluster, name, data_dir)
    installation.set_time(ASIDE["now"])
    return installation


def of(who: str) -> dict[str, str]:
    """The headers of somebody who had signed in then, by role and hub."""
    return {"Authorization": f"Bearer {ASIDE['sessions'][who]}"}


def words_of(page: str) -> str:
    """What a page says, without its markup: a line for each piece of text. That the time here stands still is said since then."""
    pieces = (html.unescape(" ".join(piece.split())).replace(", demo time ", ", ") for piece in re.split(r"<[^>]*>", page))
    return "\n".join(piece for piece in pieces if piece and not piece.startswith("Demo time:"))


# --- what is asked of it: the same was asked of version 0.1.0 -----------------------------------------------------------------


async def asked(client: httpx.AsyncClient, questions: dict[str, Any]) -> dict[str, Any]:
    """The status and the answer of each question, such as 'GET /cases' or 'POST /people/search {...}', by whoever asks it."""
    answers: dict[str, Any] = {}
    for who, of_one in questions.items():
        answers[who] = {}
        for question in of_one:
            method, path, *body = question.split(" ", 2)
            answer = await client.request(method, path, headers=of(who), json=json.loads(body[0]) if body else None)
            is_text = answer.headers["content-type"].startswith("text/")
            answers[who][question] = [answer.status_code, words_of(answer.text) if is_text else answer.json()]
    return answers


def assert_same(answers: dict[str, Any], expected: dict[str, Any]) -> None:
    """Everybody hears all that they heard then; the first who does not is named, with what is said otherwise."""
    for who, of_one in expected.items():
        for question, answer in of_one.items():
            assert not list(otherwise(answers[who][question], answer)), f"{who}: {question}"


def otherwise(today: Any, then: Any, where: str = "") -> Iterator[str]:
    """What was said then and is not said today, or not in its order. There may be more: acts, fields, lines of a page."""
    if isinstance(then, dict) and isinstance(today, dict):
        for name, value in then.items():
            yield from otherwise(today.get(name), value, f"{where}.{name}")
    elif isinstance(then, list) and isinstance(today, list) and not all(isinstance(each, str) for each in then):
        if len(today) != len(then):
            yield f"{where}: {len(today)} instead of {len(then)}"
        for place, (new, old) in enumerate(zip(today, then, strict=False)):
            yield from otherwise(new, old, f"{where}[{place}]")
    elif isinstance(then, list | str) and isinstance(today, list | str):
        lines = iter(today.splitlines() if isinstance(today, str) else today)
        yield from (f"{where}: {line}" for line in (then.splitlines() if isinstance(then, str) else then) if line not in lines)
    elif today != then:
        yield f"{where}: {today!r} instead of {then!r}"


def printed(left: Installation, lines: dict[str, Any]) -> dict[str, str]:
    """What each of these commands prints."""
    return {line: left.mash(*line.split(" ")) for line in lines}


def timelines(left: Installation, store: Any, references: dict[str, Any]) -> dict[str, str]:
    """What administrators see of each of these referrals beside its flow run."""
    found = {}
    for reference in references:
        log = [RECORDED.validate_json(row.canonical) for row in events(left, reference)]
        notices = left.sql("SELECT * FROM notice WHERE reference = %s ORDER BY id", reference)
        found[reference] = timeline(log, notices, store.hubs[log[0].by.hub])
    return found


def events(left: Installation, reference: str) -> list[Any]:
    return left.sql("SELECT * FROM event WHERE reference = %s ORDER BY sequence", reference)


def cases(left: Installation) -> list[Any]:
    return left.sql("SELECT * FROM referral ORDER BY reference")


# --- it is all there, and proves itself ---------------------------------------------------------------------------------------


def test_it_holds_every_kind_of_event_and_a_referral_at_every_stage(there: Installation) -> None:
    assert [row.kind for row in there.sql("SELECT DISTINCT kind FROM event ORDER BY 1")] == EXPECTED["kinds"]
    assert sorted({case.stage for case in cases(there)}) == EXPECTED["stages"]
    assert len(cases(there)) == len(EXPECTED["references"]) and sum("-B" in case.reference for case in cases(there)) > 1


def test_every_chain_and_every_signed_checkpoint_holds(own: Installation) -> None:
    assert own.mash("log", "verify") == "every chain verifies\n"
    own.sql("UPDATE event SET canonical = canonical || ' ' WHERE reference = %s AND sequence = 2", HELD)
    own.sql("UPDATE checkpoint SET document = document || ' ' WHERE number = 2")
    wrong = own.tried("log", "verify").stdout
    assert f"{HELD}: event 2 was changed" in wrong and "checkpoint 2: its signature does not hold" in wrong


def test_every_event_is_read_and_written_back_to_the_very_same_bytes(there: Installation) -> None:
    for row in there.sql("SELECT * FROM event"):
        recorded = RECORDED.validate_json(row.canonical)
        assert recorded.canonical() == row.canonical
        assert recorded.digest(recorded.canonical()) == row.hash == hashlib.sha256(row.canonical.encode()).hexdigest()


def test_every_log_folds_to_the_state_that_was_stored(there: Installation) -> None:
    for case in cases(there):
        folded = fold([RECORDED.validate_json(row.canonical) for row in events(there, case.reference)])
        today, then = json.loads(folded.model_dump_json()), json.loads(case.state)
        # What an assessment found is said of each subject since then, and of none once another one has begun.
        found = then.pop("assessment_outcome")
        assert {subject.get("assessment") for subject in today["subjects"].values()} <= {found}, case.reference
        assert says_all_of(today, then), case.reference
        columns = (case.version, case.stage, case.rating, case.is_open, case.finished, case.due_at, case.next_at)
        of_state = (folded.version, folded.stage, folded.rating, folded.open, folded.finished, folded.due_at, folded.next_at)
        assert columns == of_state, case.reference


def test_every_profile_that_a_referral_goes_by_is_read_and_says_what_it_said(there: Installation) -> None:
    for row in there.sql("SELECT * FROM profile_version"):
        assert hashlib.sha256(row.document.encode()).hexdigest() == row.digest
        assert says_all_of(json.loads(stored_profile(row.document).canonical), json.loads(row.document)), row.hub


def says_all_of(today: Any, then: Any) -> bool:
    """Whether nothing that was said then is said otherwise today; there may be more."""
    if isinstance(then, dict):
        return isinstance(today, dict) and all(name in today and says_all_of(today[name], then[name]) for name in then)
    return bool(today == then)


# --- it says what it said -----------------------------------------------------------------------------------------------------


async def test_whoever_asks_about_a_case_is_answered_as_they_were_then(own: Installation) -> None:
    async with own.running() as (client, _):
        answers = await asked(client, EXPECTED["answers"])
    assert_same(answers, EXPECTED["answers"])
    asked_for = {question.split(" ")[1] for of_one in answers.values() for question in of_one}
    assert {f"/cases/{reference}{more}" for reference in EXPECTED["references"] for more in ("", "/log")} <= asked_for


async def test_what_people_wrote_is_deciphered(there: Installation) -> None:
    async with there.running() as (client, _):
        answers = await asked(client, EXPECTED["answers"])
    items = [
        item
        for of_one in answers.values()
        for question, (status, answer) in of_one.items()
        if re.fullmatch(r"GET /cases/[^/]+", question) and status == 200
        for item in answer["items"]
    ]
    whole = {item["item"]: item["content"] for item in items if item["view"] == "whole"}
    rows = there.sql("SELECT id, kind FROM personal_item WHERE reference <> %s AND kind <> 'redacted'", ERASED)
    assert whole.keys() == {str(row.id) for row in rows} and all(whole.values())
    assert {item["content"] for item in items if item["view"] == "redacted"} == {"Officers were called twice."}
    for words in ("He hides under the table.", "Cy Tarn", "Known to officers.", "Her father stands before me."):
        assert any(words in content for content in whole.values())


async def test_pages_read_as_they_did(there: Installation) -> None:
    async with there.running() as (client, _):
        assert_same(await asked(client, EXPECTED["pages"]), EXPECTED["pages"])


async def test_no_page_shows_a_partner_what_they_were_not_told_then(there: Installation) -> None:
    """Their cases, all tabs of each, and their checks: of what people wrote, what was for them."""
    tabs = ("", "?tab=story", "?tab=answers", "?tab=clocks", "?tab=told", "?tab=sent", "?tab=people", "?tab=facts")
    every = [item for answers in EXPECTED["answers"].values() for item in items_of(answers)]
    written = {text for item in every for text in texts_in(item["content"])}
    async with there.running() as (client, _):
        for who in (
            "agency thornwick police",
            "agency thornwick health",
            "agency wiltshire_swindon health",
            "agency kent probation",
        ):
            told = {text for item in items_of(EXPECTED["answers"][who]) for text in texts_in(item["content"])}
            kept = {text for text in written - told if not any(text in each for each in told)}
            let_in = {question.split("/")[2]: status for question, (status, _) in EXPECTED["answers"][who].items()}
            paths = {f"/case/{reference}{tab}": status for reference, status in let_in.items() for tab in tabs}
            pages = {path: await client.get(path, headers=of(who)) for path in (*paths, "/checks", "/board")}
            assert {path: pages[path].status_code for path in paths} == paths, who
            shown = "\n".join(words_of(page.text) for page in pages.values())
            assert kept and not [text for text in kept if text in shown], who


def items_of(answers: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The items of the cases that somebody asked for."""
    for question, (status, answer) in answers.items():
        if re.fullmatch(r"GET /cases/[^/]+", question) and status == 200:
            yield from answer["items"]


def texts_in(content: str | None) -> Iterator[str]:
    """The texts in an item that nobody would write by chance: of fields those with more words than one."""
    try:
        found = json.loads(content or "")
    except ValueError:
        found = content
    parts = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    for part in parts:
        yield from texts_in(part if isinstance(part, str) else json.dumps(part))
    if isinstance(found, str) and " " in found:
        yield found


def test_commands_print_what_they_printed(there: Installation) -> None:
    # Of one thing it spoke as of several.
    expected = {line: re.sub(r"^1 (\w+)s\b", r"1 \1", text, flags=re.MULTILINE) for line, text in EXPECTED["printed"].items()}
    assert not list(otherwise(printed(there, EXPECTED["printed"]), expected))


async def test_the_flow_runs_of_referrals_tell_the_same_story(there: Installation) -> None:
    async with there.running() as (_, store):
        assert not list(otherwise(timelines(there, store, EXPECTED["timelines"]), EXPECTED["timelines"]))


def test_what_is_kept_about_a_person_is_told_as_it_was(there: Installation) -> None:
    page = there.data_dir / "kept.html"
    there.mash("sar", ASIDE["cases"]["signed"], "S1", "--out", str(page))
    assert not list(otherwise(words_of(page.read_text(encoding="utf-8")), EXPECTED["kept about S1"]))


def test_every_route_of_then_is_served(there: Installation) -> None:
    served = {f"{method} {route.path}" for route in create_app(there.settings).state.routes for method in route.methods}
    assert set(EXPECTED["routes"]) <= served


# --- whoever had something in hand still has ----------------------------------------------------------------------------------


async def test_a_request_that_is_sent_again_gets_its_first_answer(there: Installation) -> None:
    sent = ASIDE["sent"]
    headers = {"Authorization": f"Bearer {ASIDE['api_keys'][sent['hub']]}", "Idempotency-Key": sent["key"]}
    async with there.running() as (client, _):
        again = await client.post("/referrals", json=sent["body"], headers=headers)
        other = await client.post("/referrals", json={**sent["body"], "kind": "referral"}, headers=headers)
    assert (again.status_code, again.json()) == (201, sent["answer"]) and other.status_code == 409
    assert len(cases(there)) == len(EXPECTED["references"])


async def test_whoever_referred_sees_what_became_of_it_by_key_and_by_code(there: Installation) -> None:
    async with there.running() as (client, _):
        for reference, code in ASIDE["status_codes"].items():
            page = await client.post("/status", data={"reference": reference, "code": code})
            assert not list(otherwise(words_of(page.text), EXPECTED["statuses"][reference]))
        key = {"Authorization": f"Bearer {ASIDE['api_keys'][ASIDE['sent']['hub']]}"}
        answer = await client.get(ASIDE["sent"]["answer"]["status_url"], headers=key)
    assert not list(otherwise(answer.json(), EXPECTED["statuses"]["by key"]))


async def test_the_screen_in_the_hub_is_let_in(there: Installation) -> None:
    async with there.running() as (client, _):
        assert (await client.post("/wall/key", data={"key": ASIDE["wall_key"]})).status_code == 303
        assert words_of((await client.get("/wall")).text) == EXPECTED["wall"]


async def test_the_link_in_an_alert_still_opens_and_says_that_it_was_seen(
    own: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if it were still the day on which it was sent: links expire.
    alert = ASIDE["alert"]
    monkeypatch.setattr(itsdangerous.TimestampSigner, "get_timestamp", lambda _: alert["signed_at"] + 60)
    async with own.running() as (client, _):
        opened = await client.get(f"/alerts/{alert['token']}")
        taken = await client.post(f"/alerts/{alert['token']}")
    assert "I have it until" in opened.text and "Sign in: then it is yours" in taken.text
    assert events(own, alert["reference"])[-1].kind == "alert_seen"
    assert own.mash("log", "verify") == "every chain verifies\n"


async def test_a_referral_that_somebody_was_writing_is_sent(own: Installation) -> None:
    own.sql("UPDATE draft SET touched_at = now()")  # one that is left for two weeks is deleted
    async with own.running() as (client, _):
        client.follow_redirects = True
        page = await client.post(f"/refer/return/{ASIDE['draft']}")
        assert not list(otherwise(words_of(page.text), EXPECTED["draft"]))
        page = await client.post("/refer/send")
        (reference,) = set(re.findall(r"MASH-[0-9]{2}-[0-9]{6,}", page.text))
        assert reference == EXPECTED["next reference"]
        items = (await client.get(f"/cases/{reference}", headers=of("duty_manager kent"))).json()["items"]
    assert "Cleo" in str(items) and "He sleeps in the shed." in str(items)


# --- it goes on ---------------------------------------------------------------------------------------------------------------

NEXT: dict[str, tuple[str, dict[str, Any], str]] = {
    "consultation": ("conclude_consultation", {"outcome": "referral"}, "triage"),
    "triage": ("rate_referral", {"rating": "blue"}, "decision"),
    "agency_checks": ("proceed_without_replies", {}, "mash_meeting"),
    # Convened for the 15th, and held before that: which day is asked by now.
    "mash_meeting": ("record_meeting", {"attended": ["police"], "rating": "green", "held_on": "2026-06-12"}, "decision"),
    "sign_off": ("sign_off_decision", {"agreed": True}, "no_further_action"),
    "strategy_discussion": (
        "record_strategy_discussion",
        {"attended": ["social_care", "police", "health"], "outcome": "section_47"},
        "enquiries",
    ),
    "enquiries": ("conclude_enquiries", {"outcome": "no_further_child_protection_action"}, "section_47_concluded"),
    "conference": (
        "record_conference",
        {"held_on": "2026-06-12", "outcome": "no_plan"},
        "section_47_concluded",
    ),
    "section_17_assessment": ("complete_assessment", {"factors": ["21"], "outcome": "early_help"}, "step_down_preparing"),
    "step_down_preparing": ("offer_step_down", {"service": "early_help"}, "step_down_offered"),
    "step_down_offered": ("accept_step_down", {}, "step_down_accepted"),
    "adult_section_42": ("complete_adult_enquiry", {"outcome": "risk_reduced"}, "adult_enquiry_concluded"),
    "decision": ("record_decision", {"primary_need": "N1"}, "no_further_action"),
}
"""What a case at a stage waits for, and where that leads it."""
WHOSE = {
    "sign_off": "practice_manager thornwick",
    "step_down_offered": "early_help kent",
    "reopened": "team_manager merton",
}
"""Who does it, where the hub's duty manager does not."""


async def give(client: httpx.AsyncClient, case: Any, kind: str, by: dict[str, str], **fields: Any) -> httpx.Response:
    """Give a command in words, having the case in view as it is."""
    body = {"seen": case.version, "command": {"kind": kind, **fields}, "words": f"Said in a later version: {kind}."}
    return await client.post(
        f"/cases/{case.reference}/commands", json=body, headers={**by, "Idempotency-Key": f"later {case.reference} {kind}"}
    )


async def test_what_each_open_case_waits_for_is_done_and_leads_it_on(own: Installation) -> None:
    waiting = [case for case in cases(own) if case.is_open]
    assert {case.stage for case in waiting} == NEXT.keys()
    async with own.running() as (client, _):
        for one in waiting:
            # As it is by now: a part that is stepped up is written down in the others.
            case = next(each for each in cases(own) if each.reference == one.reference)
            kind, fields, leads_to = NEXT[case.stage]
            if case.stage == "decision":
                fields = {**fields, "outcomes": dict.fromkeys(json.loads(case.state)["subjects"], "no_further_action")}
            if case.stage in ("enquiries", "section_17_assessment"):  # that a child is seen first is asked since version 0.2
                subjects = json.loads(case.state)["subjects"].items()
                unseen = [sid for sid, subject in subjects if subject["cohort"] in ("child", "unknown")]
                fields = {**fields, "not_seen_because": dict.fromkeys(unseen, "refused_access")}
            by = of(WHOSE.get(case.stage, f"duty_manager {case.hub}"))
            done = await give(client, case, kind, by, **fields)
            assert done.status_code == 200 and done.json()["stage"] == leads_to, f"{case.reference}: {done.text}"
    assert own.mash("log", "verify") == "every chain verifies\n"


async def test_a_year_later_every_clock_fires_somebody_acts_on_every_case_and_the_chains_hold(own: Installation) -> None:
    before = {case.reference: case for case in cases(own)}
    own.set_time(A_YEAR_LATER, rate=1)
    async with own.running() as (client, store):
        while await fire_due(store):
            pass
        fired = {case.reference: case for case in cases(own)}
        due = [case for case in before.values() if case.next_at]
        assert due and all(fired[case.reference].version > case.version for case in due)
        assert not own.sql("SELECT FROM referral WHERE next_at <= %s", A_YEAR_LATER)
        for case in fired.values():
            done = await give(client, case, "add_note", of(f"duty_manager {case.hub}"))
            assert done.status_code == (410 if case.reference == ERASED else 200), f"{case.reference}: {done.text}"
            if case.reference != ERASED:
                answer = await client.get(f"/cases/{case.reference}", headers=of(f"duty_manager {case.hub}"))
                assert answer.json()["items"][-1]["content"] == "Said in a later version: add_note."
    assert own.mash("checkpoint", "make").startswith("checkpoint 3: ")
    assert own.mash("log", "verify") == "every chain verifies\n"


async def test_a_closed_case_is_reopened(own: Installation) -> None:
    (closed,) = [case for case in cases(own) if case.stage == "transferred"]
    async with own.running() as (client, _):
        done = await give(client, closed, "reopen_referral", of(WHOSE["reopened"]))
    assert done.status_code == 200 and done.json()["stage"] == "decision", done.text


async def test_what_waited_to_be_sent_is_sent_and_what_was_cut_off_says_so(own: Installation) -> None:
    waiting = own.sql("SELECT * FROM notice WHERE status = 'queued' OR step_at IS NOT NULL")
    own.set_time(A_YEAR_LATER, rate=1)
    got, port = Receivers(), free_port()
    mail_server = Controller(got, hostname="127.0.0.1", port=port)
    mail_server.start()
    mail = f"mailto://127.0.0.1:{port}/?from=mash@example.org"
    people = "\n".join(f'{person} = ["{mail}&to={person}@example.org"]' for person in ("dm1", "dm2", "edt1"))
    lines = ['["*"]', f'"*" = ["{mail}&to=role@example.org"]', "[merton.people]", people]
    try:
        async with own.running() as (_, store):
            await send_all(postman(store, own.settings, lines, hubs=",".join(ASIDE["hubs"]), mail_url=SecretStr(mail)))
    finally:
        mail_server.stop()
    left = own.sql("SELECT * FROM notice WHERE id = ANY(%s)", [notice.id for notice in waiting])
    assert len(waiting) > 2 and {notice.status for notice in left} == {"delivered"}
    asked_for = "\n".join(got.texts(""))
    assert "You may get this twice: the first sending was cut off." in asked_for
    assert all(notice.reference in asked_for + "".join(got.to("")) for notice in waiting)
    assert got.to("neighbour@example.org"), "whoever referred is told that it was received"
    page_referral = next(notice.reference for notice in waiting if notice.kind == "acknowledgement")
    assert [row.kind for row in events(own, page_referral)][-2:] == ["referrer_told", "clocks_stopped"]
    assert own.mash("log", "verify") == "every chain verifies\n"


def test_who_was_held_is_kept_and_erased_once_they_are_released(own: Installation) -> None:
    own.set_time(A_YEAR_LATER)
    own.mash("retention", "run")
    assert HELD in own.mash("retention", "list")
    own.mash("retention", "release", HELD)
    own.mash("retention", "run")
    assert own.mash("retention", "list") == "0 contacts\n"
    assert [row.kind for row in events(own, HELD)][-1] == "people_erased"
    assert own.mash("log", "verify") == "every chain verifies\n"
