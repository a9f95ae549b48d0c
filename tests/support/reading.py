"""A page as somebody without a browser's help reads it: what it says, where it leads, and what its forms ask."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

UNSEEN = ("script", "style", "head", "template")
SAID = ("aria-label", "title", "placeholder", "alt", "data-head")
"""Attributes that are read out or shown."""
VOID = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"))


@dataclass
class Form:
    """A form: where it goes, and what it asks."""

    action: str
    hidden: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    """The values of radios and lists, of which one is chosen."""
    boxes: dict[str, list[str]] = field(default_factory=dict)
    """The values of boxes to tick."""
    lines: dict[str, str] = field(default_factory=dict)
    """What is typed: the kind of each field."""


class Page(HTMLParser):
    """What a page says, in the order of its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self.links: dict[str, str] = {}
        """What each link is called, by its address."""
        self.green: list[str] = []
        """Addresses of links that are green buttons."""
        self.forms: list[Form] = []
        self._within: list[str] = []
        self._link, self._list = "", ""
        self.feed(html)

    @property
    def text(self) -> str:
        """All that people read, a line for each piece."""
        return "\n".join(self.said)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A mark begins: it may lead somewhere, or ask."""
        has = {name: value or "" for name, value in attrs}
        self.said += [has[name] for name in SAID if has.get(name)]
        if tag == "a" and has.get("href"):
            self._link = has["href"]
            self.links.setdefault(self._link, "")
            self.green += [self._link] if "govuk-button" in has.get("class", "").split() else []
        if tag == "form" and has.get("method", "").lower() == "post":
            self.forms.append(Form(has.get("action", "")))
        elif self.forms and has.get("name") and "form" in self._within:
            self._asks(tag, has)
        if tag == "option" and self._list and self.forms and has.get("value"):
            self.forms[-1].choices[self._list].append(has["value"])
        if tag not in VOID:
            self._within.append(tag)

    def _asks(self, tag: str, has: dict[str, str]) -> None:
        form, name, kind = self.forms[-1], has["name"], has.get("type", "text")
        if tag == "select":
            self._list = name
            form.choices[name] = []
        elif tag == "textarea":
            form.lines[name] = "words"
        elif tag == "input" and kind == "hidden":
            form.hidden[name] = has.get("value", "")
        elif tag == "input" and kind == "radio":
            form.choices.setdefault(name, []).append(has.get("value", ""))
        elif tag == "input" and kind == "checkbox":
            form.boxes.setdefault(name, []).append(has.get("value", ""))
        elif tag == "input":
            form.lines[name] = kind

    def handle_endtag(self, tag: str) -> None:
        """A mark ends, with whatever was left open in it."""
        if tag in self._within:
            while self._within.pop() != tag:
                pass
        self._link = "" if tag == "a" else self._link
        self._list = "" if tag == "select" else self._list

    def handle_data(self, data: str) -> None:
        """Text."""
        if data.strip() and not any(tag in UNSEEN for tag in self._within):
            self.said.append(" ".join(data.split()))
            if self._link:
                self.links[self._link] = f"{self.links[self._link]} {data.strip()}".strip()
