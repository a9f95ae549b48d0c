"""What the documentation tells people to write is what the product takes."""

from __future__ import annotations

import re
from pathlib import Path

from mash.config.profile import load_profile, own_file
from mash.config.quotations import unquoted
from mash.config.settings import Settings
from mash.config.sign_on import read_sign_on
from mash.flows.installation.secret_files import write_secret
from mash.flows.telling.walk import walk_all

TESTS = Path(__file__).parents[1]
DOCS = TESTS.parent / "docs"
PAGE = DOCS / "use" / "profiles.md"
BLANK = 'title = "Ourtown MASH"\narea = "Ourtown Council"\n'


def test_a_blank_profile_of_two_lines_is_a_working_hub(tmp_path: Path) -> None:
    assert BLANK.encode("unicode_escape").decode() in PAGE.read_text(encoding="utf-8")
    (tmp_path / "ourtown.toml").write_text(BLANK, encoding="utf-8")
    assert len(walk_all(load_profile("ourtown", tmp_path))) == 3


def test_the_examples_of_the_page_are_together_a_profile_that_walks(tmp_path: Path) -> None:
    examples = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == 3
    (tmp_path / "ourtown.toml").write_text("\n".join([BLANK, *examples]), encoding="utf-8")
    profile = load_profile("ourtown", tmp_path)
    assert [str(problem) for problem in unquoted(own_file("ourtown", tmp_path))] == []
    assert (list(profile.ratings), list(profile.agencies)) == (["urgent", "not_urgent"], ["police", "idva"])
    assert [walk.rating for walk in walk_all(profile)] == ["urgent", "not_urgent"]


def test_the_sign_on_file_of_the_page_is_one_that_is_taken(tmp_path: Path) -> None:
    page = (DOCS / "run" / "security.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    write_secret(tmp_path / "sign_on.toml", example)
    file = read_sign_on(Settings(sign_on_file=tmp_path / "sign_on.toml"))
    assert file and [actor.agency for actor in file.positions("p.officer", ["<another>"])] == ["police", "police"]


def test_every_test_that_the_table_of_requirements_names_is_there_and_no_requirement_is_named_twice() -> None:
    table = (DOCS / "run" / "security.md").read_text(encoding="utf-8").split("## OWASP ASVS")[1]
    named = set(re.findall(r"`([\w/]+\.py)::(\w+)`", table))
    assert len(named) > 50
    assert [
        each for each in sorted(named) if not re.search(rf"(def |class |^){each[1]}\b", (TESTS / each[0]).read_text(), re.M)
    ] == []
    requirements = re.findall(r"\bV\d+\.\d+\.\d+", table)
    assert len(requirements) == len(set(requirements)) == 253, "all of levels 1 and 2 of version 5.0.0"
