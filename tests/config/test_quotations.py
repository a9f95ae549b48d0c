"""What the sources of profiles quote: each quotation can be told, is looked for in the document it names, and is owed by it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from commands import mash_here
from hubs_at_work import DOCUMENTS
from hypothesis import given
from hypothesis import strategies as st

from mash.config.documents import TITLES, not_found, read_documents
from mash.config.profile import own_file
from mash.config.profile_files import available
from mash.config.quotations import Quotation, UnendedQuotation, claims_unquoted, quotations, unquoted
from mash.config.toml_lines import Document, WrongFile, read_document

FILTERS = ("cohorts", "categories", "ratings", "asked")
PAGE = "<html><head><title>Procedures</title></head><body><p>Red is due</p><p>in &lsquo;four&rsquo; hours.</p></body></html>"


def profile(folder: Path, source: str, table: str = "[meeting]\nsecond_rating = true\n") -> Document:
    """A hub's own file with one table, which has this source."""
    path = folder / "own.toml"
    path.write_text(f'title = "Ours"\narea = "Ours"\n{table}source = "{source}"\n', encoding="utf-8")
    return read_document(path)


def folder_of(folder: Path, **files: str) -> Path:
    """A folder of documents: text files of these names, unless a name says otherwise."""
    folder.mkdir()
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return folder


# --- the shipped profiles -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", available())
def test_no_shipped_profile_names_a_document_without_quoting_it(name: str) -> None:
    assert [str(problem) for problem in unquoted(own_file(name))] == []


@pytest.mark.parametrize("name", available())
def test_whom_and_about_what_an_agency_is_asked_has_a_source_beside_it(name: str) -> None:
    # A list of who takes part says of nobody that they are asked about adults alone, or on request.
    for agency, table in own_file(name).data.get("agencies", {}).items():
        if isinstance(table, dict):
            own = table.get("source", {})
            owed = [setting for setting in FILTERS if setting in table and not (isinstance(own, str) or setting in own)]
            assert not owed, f"agencies.{agency}: {owed}"


def test_the_documents_that_profiles_name_are_known_by_their_titles() -> None:
    assert set(TITLES) == set(DOCUMENTS)


# --- what is quoted -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Home Office 2014: 'Red 4 hours'; from receipt by product default", [("Home Office 2014", "Red 4 hours")]),
        (
            "Home Office 2013: 'a', and London MASH initiative 2011: 'b'",
            [("Home Office 2013", "a"), ("London MASH initiative 2011", "b")],
        ),
        ("Home Office 2013: 'one', 'two'", [("Home Office 2013", "one"), ("Home Office 2013", "two")]),
        ("Home Office 2014: 'the child's needs'", [("Home Office 2014", "the child's needs")]),
        ("Home Office 2014: ''Hub and Spoke' model'", [("Home Office 2014", "'Hub and Spoke' model")]),
        ("Home Office 2014: 'for 'actual or likely harm''", [("Home Office 2014", "for 'actual or likely harm'")]),
        ("Home Office 2014: 'partners’ time'", [("Home Office 2014", "partners’ time")]),
        ("Home Office 2013: 'due to 'go live' in January 2014'", [("Home Office 2013", "due to 'go live' in January 2014")]),
        ("product default: wording, for a hub that takes 'all of it'", [(None, "all of it")]),
        ("product default: ours", []),
    ],
)
def test_the_quotations_of_a_source_are_told_with_the_document_they_are_from(
    source: str, expected: list[tuple[str | None, str]]
) -> None:
    assert quotations(source) == [Quotation(*quoted) for quoted in expected]


@pytest.mark.parametrize(
    "source", ["Home Office 2014: 'no end", "Home Office 2014: no beginning'", "Ours 2026: 'partners' time'"]
)
def test_a_quotation_that_does_not_begin_or_end_is_refused(source: str) -> None:
    with pytest.raises(UnendedQuotation):
        quotations(source)


@given(st.lists(st.sampled_from(["word", "'", " ", ";", "’", "Home Office 2014:", "(", "ours"]), max_size=12).map("".join))
def test_of_any_source_it_is_told_what_it_quotes_or_that_it_cannot_be_told(source: str) -> None:
    try:
        quoted = quotations(source)
    except UnendedQuotation:
        return
    assert all(f"'{each.words}'" in source for each in quoted)
    assert claims_unquoted(source) in (True, False)


@pytest.mark.parametrize(
    ("source", "owed"),
    [
        ("Home Office 2014: red is due in four hours", True),
        ("Home Office 2014: red is due in four hours; by product default", True),
        ("Home Office 2014: 'Red 4 hours', and Home Office 2013: amber too", True),
        ("Procedures 2026, 3.1", True),
        ("as everybody knows", True),
        ("Home Office 2014: 'Red 4 hours'", False),
        ("Procedures: 'red is due in four hours'", False),
        ("product default: as Home Office 2014 has it", True),
        ("product default: Home Office 2014 says that every agency is asked", True),
        ("ours, as Home Office 2014 describes it", True),
        ("ours, as the Home Office describes it", True),
        ("statutory: Bury 2015 has the meeting within 24 h of referral", True),
        ("the Bury document says within 24 h; ours", True),
        ("Home Office 2014: 'MASH', and Bury MASH procedures say within 24 h", True),
        ("Home Office 2014: 'MASH'; ours, as Home Office 2014 has the rest in 'Red 4 hours'", False),
        ("product default: the Bury document says 'within 24 h'", False),
        ("ours: no document says how long; agreed on 3 March 2026", False),
        ("product default: the document says nothing of it", False),
        ("statutory: Children Act 1989 s.46 (6): nobody is kept for more than 72 hours", False),
        ("statutory: Working Together to Safeguard Children 2023", False),
        ("agreed at the partnership's meeting; ours", False),
    ],
)
def test_a_source_that_names_a_document_owes_its_words(source: str, owed: bool) -> None:
    assert claims_unquoted(source) is owed


def test_a_profile_that_claims_a_document_without_quoting_it_is_refused_by_its_line(tmp_path: Path) -> None:
    path = profile(tmp_path, "Home Office 2014: red is due in four hours").path
    refused = mash_here("profile", "check", "own", MASH_PROFILES_DIR=str(tmp_path))
    assert refused.returncode == 2
    assert f"{path}:5: meeting.source: expected its words as a quotation" in refused.stderr and "Traceback" not in refused.stderr


# --- looked for in the documents ------------------------------------------------------------------------------------------


def test_words_are_found_whatever_their_case_line_breaks_dashes_and_marks(tmp_path: Path) -> None:
    documents = folder_of(tmp_path / "documents", procedures_2026__md="# Procedures\nRED – **high** – is due\nin “four” hours.")
    own = profile(tmp_path, "Procedures 2026: 'red - high - is due in \\\"four\\\" hours'")
    assert not_found(own, read_documents(documents)) == []


def test_a_quotation_that_is_nowhere_is_named_with_its_line_and_the_document(tmp_path: Path) -> None:
    documents = folder_of(tmp_path / "documents", procedures_2026__txt="Red is due in four hours.")
    own = profile(tmp_path, "Procedures 2026: 'red is due in three hours'")
    (problem,) = not_found(own, read_documents(documents))
    assert problem.line == 5 and "not found in procedures_2026.txt: 'red is due in three hours'" in problem.what


def test_a_quotation_of_one_document_is_not_found_in_another(tmp_path: Path) -> None:
    titles = {f"d{n}__txt": f"{title}\n" for n, title in enumerate(TITLES.values())}
    early = next(name for name, text in titles.items() if text.startswith(TITLES["Home Office 2013"]))
    documents = read_documents(folder_of(tmp_path / "documents", **titles | {early: titles[early] + "Red 4 hours"}))
    assert not_found(profile(tmp_path, "Home Office 2013: 'Red 4 hours'"), documents) == []
    assert len(not_found(profile(tmp_path, "Home Office 2014: 'Red 4 hours'"), documents)) == 1


def test_a_document_that_is_not_in_the_folder_is_named(tmp_path: Path) -> None:
    documents = read_documents(folder_of(tmp_path / "documents", other__txt="Red is due."))
    (problem,) = not_found(profile(tmp_path, "Procedures 2026: 'red is due'"), documents)
    assert problem.what == "meeting.source: there is no document of the name 'Procedures 2026'"


def test_a_page_and_a_word_processors_file_are_read_as_text(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "documents", procedures_2026__html=PAGE)
    with zipfile.ZipFile(folder / "annex_2026.docx", "w") as parts:
        parts.writestr("word/document.xml", "<w:p><w:pPr/><w:r><w:t>Amber is</w:t></w:r></w:p><w:p><w:t>due next.</w:t></w:p>")
    documents = read_documents(folder)
    for source in ("Procedures 2026: 'red is due in 'four' hours'", "Annex 2026: 'amber is due next'"):
        assert not_found(profile(tmp_path, source), documents) == []


@pytest.mark.parametrize("name", ["scan.pdf", "procedures"])
def test_a_document_that_cannot_be_read_is_refused_and_not_passed_over(tmp_path: Path, name: str) -> None:
    folder = folder_of(tmp_path / "documents", other__txt="Red is due.")
    (folder / name).write_bytes(b"%PDF")
    with pytest.raises(WrongFile, match=rf"{name}:1: expected one of \.txt, \.md"):
        read_documents(folder)


@pytest.mark.parametrize("name", ["latin.txt", "broken.docx"])
def test_a_document_that_is_not_what_its_name_says_is_refused(tmp_path: Path, name: str) -> None:
    folder = folder_of(tmp_path / "documents", other__txt="Red is due.")
    (folder / name).write_bytes("£ four".encode("latin-1"))
    with pytest.raises(WrongFile, match=rf"{name}:1: cannot be read as"):
        read_documents(folder)


@pytest.mark.parametrize("folder", ["nowhere", "empty"])
def test_a_folder_without_documents_is_refused(tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(WrongFile, match="expected"):
        read_documents(tmp_path / folder)


def test_the_quotations_of_an_own_profile_are_looked_for_in_its_documents(tmp_path: Path) -> None:
    documents = folder_of(tmp_path / "documents", procedures_2026__txt="Red is due in four hours.")
    profile(tmp_path, "Procedures 2026: 'red is due in four hours'; by day and night, ours")
    found = mash_here("profile", "sources", str(documents), "own", MASH_PROFILES_DIR=str(tmp_path))
    assert (found.returncode, found.stdout) == (0, "1 quotation of 1 profile: none not found\n")


def test_the_quotations_of_all_profiles_are_looked_for_in_a_folder(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "documents", other__txt="Nothing of it.")
    refused = mash_here("profile", "sources", str(folder))
    assert refused.returncode == 2
    assert "sandwell.toml" in refused.stderr and "there is no document of the name 'Home Office 2014'" in refused.stderr
