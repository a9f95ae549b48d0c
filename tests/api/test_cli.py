"""The `mash` command, run as a person runs it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from commands import mash, mash_here
from hub import Hub

from mash.api import commands
from mash.api.commands.mash import COMMANDS, HERE
from mash.api.commands.named import described

FOLDER = Path(commands.__file__).parent


def test_a_further_command_that_cannot_be_loaded_is_said_where_it_is_listed_and_stops_no_other(tmp_path: Path) -> None:
    installed = tmp_path / "broken-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Name: broken\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[mash.commands]\nmend = no_such_module:mend\n")
    for given in (("--help",), ("mend",)):
        refused = mash(*given, PYTHONPATH=str(tmp_path))
        assert refused.returncode == 2
        assert refused.stderr.startswith("mash: the command `mend` (no_such_module:mend) cannot be loaded")
    assert mash("states", PYTHONPATH=str(tmp_path)).returncode == 0


def test_what_is_listed_of_each_command_is_what_its_own_help_begins_with() -> None:
    listed = mash_here("--help", COLUMNS="400").stdout
    for name, source in COMMANDS.items():
        first = described(name, source).splitlines()[0]
        assert first and first in listed
        assert first in mash_here(name, "--help", COLUMNS="400").stdout


def test_commands_that_need_no_prefect_do_not_import_it() -> None:
    """Neither when they are loaded, nor by what they import as they go."""
    nodes = [node for path in FOLDER.glob("*.py") for node in ast.walk(ast.parse(path.read_text()))]
    modules = {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)} - {"mash.flows.carrying.worker"}
    assert {source.partition(":")[0] for source in COMMANDS.values()} <= {f"{HERE}.{path.stem}" for path in FOLDER.glob("*.py")}
    load = (
        f"import importlib, sys\n[importlib.import_module(each) for each in {sorted(modules)}]\nprint('prefect' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", load], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_api_does_not_import_what_only_a_rare_page_or_another_part_needs() -> None:
    """Each of these was there, and is some megabytes of every process for as long as it runs, and a part of its start."""
    rare = (
        "apprise",
        "requests",
        "xlsxwriter",
        "icalendar",
        "altair",
        "fpdf",
        "matplotlib",
        "prefect",
        "holidays.countries.france",
    )
    load = (
        "import sys, mash.api.app\nfrom mash.config.profile import load_profile\nload_profile('sandwell', None)\n"
        f"print([each for each in {rare} if each in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", load], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_who_sends_by_mail_alone_does_not_import_every_other_channel_that_there_is() -> None:
    load = (
        "import sys\nfrom pydantic import SecretStr\nfrom mash.config.channels import Channel\n"
        "from mash.notifications.sender import check_channel\n"
        "print(repr(check_channel(Channel(url=SecretStr('mailto://127.0.0.1/?from=a@example.org&to=b@example.org')))))\n"
        "print('apprise.plugins.discord' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", load], capture_output=True, text=True, check=True)
    assert done.stdout == "''\nFalse\n"


def test_a_command_that_is_misspelt_is_told_what_is_near() -> None:
    refused = mash_here("profil")
    assert refused.returncode == 2
    assert "profile" in refused.stderr


def test_profile_show_marks_what_is_stated_and_what_is_a_default() -> None:
    shown = mash_here("profile", "show", "sandwell", COLUMNS="200").stdout
    assert "Red 4 hours" in shown
    assert "product default" in shown


def test_a_wrong_profile_is_refused_with_file_line_and_what_is_expected(tmp_path: Path) -> None:
    shipped = Path(__file__).parent.parent.parent / "config" / "hubs" / "merton.toml"
    own = tmp_path / "ours.toml"
    own.write_text(shipped.read_text().replace('route = ["strategy_discussion", "decision"]', 'route = ["straight_ahead"]'))
    line = 1 + own.read_text().splitlines().index('route = ["straight_ahead"]')
    refused = mash_here("profile", "check", "ours", MASH_PROFILES_DIR=str(tmp_path))
    assert refused.returncode == 2
    assert f"{own}:{line}: ratings.red.route" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_case_tells_its_story_and_every_chain_verifies(hub: Hub) -> None:
    reference = hub.referral()
    where = {"MASH_DATA_DIR": str(hub.settings.data_dir)}
    story = mash_here("log", reference, **where)
    assert "Contact received" in story.stdout and "Quillfeather" not in story.stdout
    assert mash_here("log", "verify", **where).stdout.strip().endswith("every chain verifies")
    unknown = mash_here("log", "MASH-26-999999", **where)
    assert (unknown.returncode, unknown.stderr) == (2, "mash: no referral MASH-26-999999\n")


def test_a_token_and_a_key_made_on_the_command_line_work(hub: Hub) -> None:
    where = {"MASH_DATA_DIR": str(hub.settings.data_dir)}
    token = mash_here("token", "duty_manager", "sandwell", **where).stdout.strip()
    assert hub.http.get("/cases", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    key = mash_here("key", "create", "clinic", "sandwell", "--agency", "health", **where).stdout.strip()
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "first"}
    assert hub.http.post("/referrals", json={"concern": {"summary": "Worried."}}, headers=headers).status_code == 201
