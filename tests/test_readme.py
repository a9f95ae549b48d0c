"""The README says what the code does."""

from pathlib import Path

from mash.states.chart import diagram

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_diagram_in_the_readme_is_the_one_that_the_code_prints() -> None:
    assert diagram().strip() in README


def test_every_file_that_the_readme_names_exists() -> None:
    named = {part for part in README.split("`") if part.endswith((".py", ".toml")) and " " not in part}
    assert named
    assert [name for name in sorted(named) if not (Path(__file__).parent.parent / name).is_file()] == []
