"""Clients that generators make of the API's description, as docs/use/integrators.md tells integrators to make and use them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from hub import Hub

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "use" / "integrators.md").read_text(encoding="utf-8")
TOOLS = ROOT / "build" / "clients"
FILES = {"python": "refer.py", "ts": "refer.ts"}
INSTALLS = ("pip install", "npm install")


@dataclass(frozen=True)
class Integrator:
    """Somebody who follows a section of the page in a folder of their own."""

    folder: Path
    hub: Hub
    commands: list[str]

    def run(self, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command as it stands on the page."""
        return subprocess.run(
            ["bash", "-euc", command],
            cwd=self.folder,
            env={
                **os.environ,
                "PATH": f"{TOOLS / 'bin'}:{TOOLS / 'node_modules' / '.bin'}:{os.environ['PATH']}",
                "MASH_URL": self.hub.settings.base_url,
                "MASH_KEY": self.hub.key,
                "PYTHONDONTWRITEBYTECODE": "1",
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def does(self, what: str, *changes: tuple[str, str], **environment: str) -> str:
        """What is printed by the page's command to submit, see the status or disagree."""
        command = next(line for line in self.commands if f" {what} " in line)
        for old, new in changes:
            command = command.replace(old, new)
        done = self.run(command, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def follow(section: str, folder: Path, hub: Hub) -> Integrator:
    """Do what a section says, up to its last block: the commands that use the client."""
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    *blocks, (_, uses) = re.findall(r"^```(\w+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    *builds, submits, status, disagrees = uses.splitlines()
    one = Integrator(folder, hub, [submits, status, disagrees])
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").symlink_to(TOOLS / "node_modules")
    for language, block in (*blocks, *(("sh", line) for line in builds)):
        if language in FILES:
            (folder / FILES[language]).write_text(block)
        elif not block.startswith(INSTALLS):
            done = one.run(block)
            assert done.returncode == 0 and not re.search("warn|error", done.stdout + done.stderr, re.IGNORECASE), (
                f"{block}: {done.stdout}{done.stderr}"
            )
    return one


@pytest.fixture(scope="module", autouse=True)
def tools() -> None:
    """The generators, as the locks have them."""
    subprocess.run([sys.executable, ROOT / ".ci" / "clients.py"], check=True)


@pytest.fixture(scope="module")
def python(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Integrator:
    """Who follows the page in Python."""
    return follow("Python", tmp_path_factory.mktemp("python"), hub)


@pytest.fixture(scope="module")
def typescript(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Integrator:
    """Who follows the page in TypeScript."""
    return follow("TypeScript", tmp_path_factory.mktemp("typescript"), hub)


@pytest.mark.parametrize("language", ["python", "typescript"])
def test_what_is_made_as_the_page_says_submits_a_referral_reads_its_status_and_disagrees(
    language: str, hub: Hub, request: pytest.FixtureRequest
) -> None:
    one: Integrator = request.getfixturevalue(language)
    received = one.does("submit")
    own = re.findall(r"TV-2026-\d+", one.commands[0])[0]
    reference, came_back, status, *flags = received.splitlines()[0].split()
    assert (came_back, status, flags) == (own, "being_considered", [])
    assert "call 999" in received and one.does("submit") == received, "the same key again is the same referral"
    assert one.does("status", REFERENCE=reference) == f"{reference} {own}\n{reference} being_considered\n"
    hub.rate(reference, "green")
    hub.answer_all(reference)
    hub.give(reference, "record_decision", words="No role.", outcomes={"S1": "no_further_action"})
    assert re.match(r"D1 20\d\d-", one.does("disagree", REFERENCE=reference))
    decided = one.does("status", REFERENCE=reference).splitlines()[1]
    assert decided == f"{reference} decided no further action will be taken by children's social care D1"


def test_python_has_every_operation_and_every_field_of_a_referral(python: Integrator) -> None:
    modules = {path.stem for path in (python.folder / "mash_client" / "api").rglob("*.py")} - {"__init__"}
    described = json.loads(python.hub.http.get("/openapi.json").text)
    named = [operation["operationId"] for methods in described["paths"].values() for operation in methods.values()]
    assert modules == {re.sub("_+", "_", name).strip("_") for name in named}
    made = (python.folder / "mash_client" / "models" / "submission.py").read_text()
    assert all(f"    {name}:" in made for name in described["components"]["schemas"]["Submission"]["properties"])


@pytest.mark.parametrize("language", ["python", "typescript"])
@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"MASH_KEY": "mash_0_none"}, 401, "this API key is not valid"),
        ({"REFERENCE": "MASH-26-999999"}, 404, "there is no such referral"),
        ({"REFERENCE": "nothing"}, 400, "correct these fields"),
    ],
)
def test_what_is_refused_is_a_problem_that_says_what_to_do(
    language: str, change: dict[str, str], status: int, says: str, request: pytest.FixtureRequest
) -> None:
    one: Integrator = request.getfixturevalue(language)
    done = one.run(one.commands[1], **{"REFERENCE": "MASH-26-000001", **change})
    assert done.returncode == 1 and f"{status} " in done.stderr and says in done.stderr, done.stdout + done.stderr


def test_a_word_that_is_new_to_a_client_loses_nothing_of_an_answer(python: Integrator) -> None:
    new = {
        "reference": "MASH-26-000001",
        "received_at": "2026-11-23T17:00:00+00:00",
        "status_url": "/referrals/MASH-26-000001",
        "flags": ["a_flag_of_tomorrow"],
        "what_next": "Wait.",
        "status": "a_word_of_tomorrow",
        "field_of_tomorrow": 1,
    }
    program = f"from mash_client.models import ReferralReceived as R; a = R.from_dict({new}); print(a.status, *a.flags)"
    done = python.run(f'python -c "{program}"')
    assert done.stdout == "a_word_of_tomorrow a_flag_of_tomorrow\n", done.stderr


def test_typescript_asks_for_no_field_that_may_be_left_out(typescript: Integrator) -> None:
    (typescript.folder / "least.ts").write_text("""
import type { components } from "./mash.js";
type Of = components["schemas"];
export const referral: Of["Submission"] = { concern: { summary: "Worried.", immediate_danger: true }, our_own_field: [1] };
export const rating: Of["CommandGiven"] = { seen: 3, command: { kind: "rate_referral", rating: "red" } };
export const answer: Of["CommandGiven"] = { seen: 3, command: { kind: "answer_check", agency: "police", known: true } };
export const question: Of["AccessQuestion"] = { person: "a.person" };
// @ts-expect-error  There is no such command.
export const nothing: Of["CommandGiven"] = { seen: 3, command: { kind: "do_nothing" } };
""")
    done = typescript.run("tsc --strict --noEmit --module nodenext --target es2022 least.ts mash.d.ts")
    assert done.returncode == 0, done.stdout
