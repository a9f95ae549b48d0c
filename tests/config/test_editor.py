"""Editors and type checkers look for modules where they are."""

from __future__ import annotations

import tomllib
from pathlib import Path

from setuptools import find_packages

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]


def test_an_editor_looks_where_the_tests_do_and_through_the_links_of_set_up() -> None:
    assert PROJECT["pyright"]["extraPaths"] == [".dev", *PROJECT["pytest"]["ini_options"]["pythonpath"]]
    assert PROJECT["mypy"]["mypy_path"] == ".dev"


def test_every_folder_of_modules_is_a_package_that_is_installed() -> None:
    outside = ("tests", "build", "findings")
    found = {f"mash.{name}" for name in find_packages(str(ROOT)) if name.split(".")[0] not in outside}
    listed = set(PROJECT["setuptools"]["packages"])
    assert found <= listed
    # The others are folders of data, which setuptools asks to be named too.
    data = [ROOT.joinpath(*name.split(".")[1:]) for name in listed - found]
    assert all(folder.is_dir() and not list(folder.glob("*.py")) for folder in data)


def test_the_links_are_of_every_folder_that_is_imported() -> None:
    folders = {package.split(".")[1] for package in PROJECT["setuptools"]["packages"]}
    assert {link.name for link in (ROOT / ".dev/mash").iterdir()} == folders
