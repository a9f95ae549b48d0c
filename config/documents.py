"""A folder of documents as plain words, so that a profile's quotations can be looked for in them."""

from __future__ import annotations

import re
import tomllib
import unicodedata
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from mash.config.quotations import Quotation, UnendedQuotation, quotations, sources_of
from mash.config.toml_lines import Document, Problem, WrongFile, shown

TITLES: dict[str, str] = tomllib.loads((Path(__file__).parent / "documents.toml").read_text(encoding="utf-8"))
"""The documents of the shipped profiles, each with words of its title."""
HEAD = 1500
"""In how many characters from its beginning a document says its title: a bibliography names others further down."""
MARKS = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "\u00ad": None, "*": None})
BREAKS = ("p", "br", "li", "div", "tr", "td", "th", "h1", "h2", "h3", "h4", "h5", "h6")


@dataclass(frozen=True)
class Read:
    """A document of the folder: its file's name, and its words as they are compared."""

    name: str
    words: str


class _Html(HTMLParser):
    """The text of a page, a space where an element ends a line."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in BREAKS:
            self.text.append(" ")


def comparable(text: str) -> str:
    """Words as they are compared: without regard to case, line breaks, kinds of dashes and quotation marks, and emphasis."""
    return " ".join(unicodedata.normalize("NFKC", text).translate(MARKS).casefold().split())


def read_documents(folder: Path) -> list[Read]:
    """The documents of a folder: .txt, .md, .html and .docx.

    Raises WrongFile for one that cannot be read, which could otherwise be believed to have been searched.
    """
    if not folder.is_dir():
        raise WrongFile((Problem(shown(folder), 1, "expected a folder with the documents"),))
    problems, documents = [], []
    for path in sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")):
        reader = READERS.get(path.suffix.lower())
        if reader is None:
            expected = f"expected one of {', '.join(READERS)}: save the document's text as one of them"
            problems.append(Problem(shown(path), 1, expected))
            continue
        try:
            documents.append(Read(path.name, comparable(reader(path))))
        except (UnicodeDecodeError, zipfile.BadZipFile, KeyError):
            problems.append(Problem(shown(path), 1, f"cannot be read as {path.suffix}: save the document's text as UTF-8"))
    if problems or not documents:
        raise WrongFile(tuple(problems) or (Problem(shown(folder), 1, "expected at least one document"),))
    return documents


def not_found(profile: Document, documents: Iterable[Read]) -> list[Problem]:
    """The quotations of a profile's sources that stand in none of the documents that they name."""
    documents, problems = list(documents), []
    for source in sources_of(profile):
        try:
            quoted = quotations(source.text)
        except UnendedQuotation:
            continue
        for quotation in quoted:
            named = _named(quotation, documents)
            if not named:
                problems.append(profile.problem(source.key, f"there is no document of the name '{quotation.document}'"))
            elif not any(comparable(quotation.words) in document.words for document in named):
                problems.append(profile.problem(source.key, f"not found in {_names(named)}: '{quotation.words}'"))
    return problems


def quoted(profile: Document) -> int:
    """How many quotations a profile's sources have."""
    return sum(len(quotations(source.text)) for source in sources_of(profile))


def _named(quotation: Quotation, documents: list[Read]) -> list[Read]:
    """The documents in which a quotation is looked for: the one it names, by its title or its file's name, or else all."""
    if quotation.document is None:
        return documents
    if title := TITLES.get(quotation.document):
        return [document for document in documents if comparable(title) in document.words[:HEAD]]
    slug = re.sub(r"\W+", "_", quotation.document.casefold())
    return [document for document in documents if document.name.casefold().startswith(slug)]


def _names(documents: list[Read]) -> str:
    return ", ".join(document.name for document in documents)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _html(path: Path) -> str:
    page = _Html()
    page.feed(_text(path))
    return "".join(page.text)


def _docx(path: Path) -> str:
    """The text of a word processor's file: its paragraphs are elements of one XML document, read as text like a page."""
    with zipfile.ZipFile(path) as parts:
        markup = parts.read("word/document.xml").decode("utf-8")
    page = _Html()
    page.feed(re.sub(r"<w:(?:p|br|tab|cr)\b", "<p", markup))
    return "".join(page.text)


READERS: dict[str, Callable[[Path], str]] = {".txt": _text, ".md": _text, ".html": _html, ".docx": _docx}
