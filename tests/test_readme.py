"""The README and the diagram say what the code does."""

from pathlib import Path

from mash.states.machine import diagram

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_diagram_of_the_stages_is_the_one_that_the_code_prints() -> None:
    assert diagram().strip() in (ROOT / "docs/build/stages.md").read_text(encoding="utf-8")


def test_the_readme_is_read_to_its_end() -> None:
    assert len(README.splitlines()) <= 150


def test_every_file_that_the_readme_names_exists() -> None:
    named = {part for part in README.split("`") if part.endswith((".py", ".toml")) and " " not in part}
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []
