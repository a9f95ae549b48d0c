"""Everything that says which release it is says the same."""

from __future__ import annotations

import tomllib
from importlib.metadata import version
from pathlib import Path

from commands import mash
from hub import Hub

WRITTEN = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def test_the_package_the_command_the_api_and_the_metrics_name_the_release_that_pyproject_does(hub: Hub) -> None:
    assert version("mash-pipeline") == WRITTEN, "installed from another state of the tree: run `make setup`"
    assert mash("--version").stdout == f"mash {WRITTEN}\n"
    assert hub.http.get("/openapi.json").json()["info"]["version"] == WRITTEN
    assert f'mash_build_info{{version="{WRITTEN}"}} 1.0\n' in hub.http.get("/metrics").text


def test_the_changelog_has_a_dated_section_for_the_release() -> None:
    changelog = (Path(__file__).parents[2] / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = [line.removeprefix("## ") for line in changelog.splitlines() if line.startswith("## ")]
    assert headings[0] == "Unreleased" and headings[1].startswith(f"{WRITTEN}, ")
