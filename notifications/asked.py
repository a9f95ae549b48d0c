"""Whether what Apprise made of a channel's URL holds every address that the URL asks for, and no other: it drops and shortens
what it does not expect (an apostrophe, a typographic letter, the first of two `to=`), and calls the rest delivered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote

BESIDE = 'write the address beside the URL instead: { url = "mailto://...", to = "name@example.org" }'
CHANGED = "the address that Apprise would send to, or write from, is not the one in this URL"
DROPPED = "Apprise drops a recipient of this URL"
ELSEWHERE = "the web address that would be called is not the one in this URL: what stands after `?`, `#` or `%` in it is lost"
WEB = ("hook", "hooks", "json", "jsons", "form", "forms", "xml", "xmls")
"""Kinds of channels whose address is that of a web page, and whose path names no recipients."""
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_NUMBER = re.compile(r"\+?[\d\s().-]{7,}")
_RECIPIENTS = re.compile("target|^cc$|^bcc$|^to$|from|reply|sender|email|phone")
_NOT_SENT_TO = re.compile("invalid|^names$|^fullpath$|^headers$")
_FOR_APPRISE = re.compile(r"^(?:[+:-].*|%2[bB].*|%3[aA].*| .*)$")
_SLASHES = re.compile("%(?:2f|3f|23|25|3b|2c)", re.IGNORECASE)


def fault(url: str, plugin: Any, warnings: Iterable[str]) -> str:
    """What is wrong with a channel that Apprise made, without any part of its URL; '' where it holds what was asked for."""
    scheme, _, rest = url.partition("://")
    before, _, query = rest.partition("?")
    authority, _, path = before.partition("/")
    pairs = [(name, unquote(value)) for name, _, value in (each.partition("=") for each in query.split("&") if each)]
    if scheme.lower() in WEB:
        return ELSEWHERE if _elsewhere(plugin, f"/{path}" if path else "", pairs) else ""
    if any(re.search("dropped|ignored|invalid", each, re.IGNORECASE) for each in warnings):
        return DROPPED
    parts = [*(unquote(each) for each in re.split("[/#]", path) if each), *(value for _, value in pairs)]
    held = set(_texts({name: value for name, value in vars(plugin).items() if not _NOT_SENT_TO.search(name)}))
    whole = " ".join(held)
    if _missing(parts, held) or any(word.strip("@#+") not in whole for word in unquote(before.partition("#")[2]).split("/")):
        return CHANGED
    recipients = _texts({name: value for name, value in vars(plugin).items() if _RECIPIENTS.search(name.lower())})
    asked = {*_addresses(parts), *_addresses(_writers(authority))}
    return CHANGED if _addresses(recipients) - asked else ""


def _missing(parts: Iterable[str], held: set[str]) -> bool:
    parts = list(parts)
    numbers = {_digits(part) for value in parts for part in re.split("[,;]", value) if _NUMBER.fullmatch(part.strip())}
    known = {_digits(each) for each in held if _NUMBER.fullmatch(each.strip())}
    headers = {each for each in parts if ":" in each and "<" in each}
    return bool(_addresses(each for each in parts if each not in headers) - _addresses(held)) or bool(numbers - known)


def _writers(authority: str) -> list[str]:
    """From whom a URL may write: whoever signs in, at the host; and either of what they sign in with."""
    login, _, host = authority.rpartition("@")
    host = re.sub(r":\d+$", "", host)
    user, _, password = (unquote(each) for each in login.partition(":"))
    at_host = [f"{each}@{host}" for each in (user, user.partition("@")[0], password) if each]
    return [user, password, unquote(login), host, *at_host]


def _addresses(texts: Iterable[str]) -> set[str]:
    """The addresses in texts, as far as they are told apart by blanks, commas and semicolons; behind a name and a colon too."""
    words = (word.strip('<>"').rpartition(":")[2] for text in texts for word in re.split(r"[\s,;]+", text))
    return {word.casefold() for word in words if _ADDRESS.fullmatch(word)}


def _texts(value: Any, depth: int = 4) -> Iterator[str]:
    if isinstance(value, str | int):
        yield str(value)
    elif isinstance(value, dict) and depth:
        for name, each in value.items():
            yield from _texts(name, depth - 1)
            yield from _texts(each, depth - 1)
    elif isinstance(value, list | tuple | set | frozenset) and depth:
        for each in value:
            yield from _texts(each, depth - 1)


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _elsewhere(plugin: Any, path: str, pairs: Iterable[tuple[str, str]]) -> bool:
    ours = {name for name, _ in pairs if not _FOR_APPRISE.match(name)} - set(plugin.template_args)
    return bool(ours) or "#" in path or bool(_SLASHES.search(path)) or unquote(path).rstrip("/") != plugin.fullpath.rstrip("/")
