"""The pages of the documentation say what the code does, and lead to what is there."""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain
from pathlib import Path

import pytest
from commands import mash_here

from mash.states.chart import diagram

ROOT = Path(__file__).parents[2]
DOORS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", ".github/SECURITY.md")]
PAGES = {str(page.relative_to(ROOT)): page for page in (*DOORS, *sorted((ROOT / "docs").rglob("*.md")))}
LINK = re.compile(r"\]\(([^)\s]+)\)")
PARTS = ("states", "config", "notifications", "flows", "api")
ENDINGS = (".py", ".toml", ".md", ".css", "/")
EXAMPLE = "states/acts/pre_birth.py"
"""The file that the steps to add a stage make."""


def slug(heading: str) -> str:
    """What a heading is called in an address."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def headings(page: Path) -> set[str]:
    """The addresses of a page's headings."""
    return {slug(line.lstrip("#")) for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("#")}


def test_the_diagram_of_the_stages_is_the_one_that_the_code_prints() -> None:
    assert diagram().strip() in PAGES["docs/build/stages.md"].read_text(encoding="utf-8")


def test_the_readme_is_read_to_its_end() -> None:
    assert len(PAGES["README.md"].read_text(encoding="utf-8").splitlines()) <= 150


@pytest.mark.parametrize("name", PAGES)
def test_every_link_of_a_page_leads_to_a_page_and_a_heading_that_are_there(name: str) -> None:
    page = PAGES[name]
    astray = []
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if target.startswith("https:"):
            continue
        path, _, heading = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (heading and heading not in headings(there)):
            astray.append(target)
    assert astray == []


@pytest.mark.parametrize("name", PAGES)
def test_every_file_and_folder_that_a_page_names_is_there(name: str) -> None:
    named = {
        part
        for part in re.findall(r"`([^`\n]+)`", PAGES[name].read_text(encoding="utf-8"))
        if "/" in part[:-1] and part.endswith(ENDINGS) and not re.search(r"[ :*]|[A-Z]{3}", part) and part[0] not in "/."
    }
    assert [part for part in sorted(named) if not (ROOT / part).exists() and part not in ("api/pages/fetched/", EXAMPLE)] == []


def test_every_test_that_a_page_names_is_there() -> None:
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = set(chain.from_iterable(re.findall(r"`(test_\w+)`", page.read_text(encoding="utf-8")) for page in PAGES.values()))
    assert [each for each in sorted(named) if f"def {each}(" not in tests] == []


def test_every_command_that_a_page_names_is_there() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES.values())
    code = "\n".join(re.findall(r"(?s:```.*?```)|`[^`\n]+`|^    [^ |].*$", text, re.MULTILINE))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z][a-z-]*)", code)) - targets == set()
    assert [name for name in set(re.findall(r"\bmash ([a-z][a-z-]*)", code)) if mash_here(name, "--help").returncode] == []


def test_every_target_of_make_has_its_sentence() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert set(phony.split()) == set(re.findall(r"^([a-z-]+):.*## [A-Z]", makefile, re.MULTILINE))


def test_every_class_that_the_glossary_names_is_there() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for part in PARTS for path in (ROOT / part).rglob("*.py"))
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)*)`", PAGES["docs/build/glossary.md"].read_text(encoding="utf-8")))
    assert [name for name in sorted(named) if not re.search(rf"^(class {name}\b|{name} = )", code, re.MULTILINE)] == []


LISTED = re.compile(r"^- \[(?:(\d+)\. )?[^\]]+\]\(([^)#]+)\)", re.MULTILINE)
"""A line of an index: the number, where it has one, and the page."""


def test_every_page_is_in_the_index_of_its_folder_once() -> None:
    listed = Counter[Path]()
    for index in (PAGES["docs/README.md"], PAGES["docs/build/decisions/README.md"]):
        listed.update((index.parent / path).resolve() for _, path in LISTED.findall(index.read_text(encoding="utf-8")))
    pages = (page for page in (ROOT / "docs").rglob("*.md") if page != PAGES["docs/README.md"])
    assert {str(page.relative_to(ROOT)): listed[page] for page in pages if listed[page] != 1} == {}


def test_decisions_are_listed_in_the_order_of_their_numbers_each_once() -> None:
    listed = LISTED.findall(PAGES["docs/build/decisions/README.md"].read_text(encoding="utf-8"))
    numbers = [int(number) for number, _ in listed]
    assert numbers == sorted(set(numbers)) == [int(path.partition("-")[0]) for _, path in listed]
    for number, path in listed:
        assert (ROOT / "docs/build/decisions" / path).read_text(encoding="utf-8").startswith(f"# {number}. "), path
