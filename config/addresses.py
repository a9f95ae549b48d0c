"""E-mail addresses as people type them: tidied of what stands around them, judged whether they can be one, and whether one is
probably mistyped. What can be an address is used letter for letter: whose it is, only their server knows."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import cache
from urllib.parse import unquote

import idna
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from jellyfish import damerau_levenshtein_distance
from publicsuffixlist import PublicSuffixList

# A trust's own mail server delivers within `.local`, and trials are held at `.test`: whether one is mistyped is another question.
SPECIAL_USE_DOMAIN_NAMES.clear()
PROVIDERS = (
    *("gmail.com", "googlemail.com", "hotmail.com", "hotmail.co.uk", "outlook.com", "live.com", "live.co.uk", "msn.com"),
    *("yahoo.com", "yahoo.co.uk", "ymail.com", "icloud.com", "me.com", "mac.com", "aol.com", "aol.co.uk", "mail.com"),
    *("btinternet.com", "btopenworld.com", "sky.com", "talktalk.net", "virginmedia.com", "virgin.net", "ntlworld.com"),
    *("blueyonder.co.uk", "tiscali.co.uk", "protonmail.com", "proton.me", "email.com", "gmx.com", "gmx.co.uk"),
    *("nhs.net", "cjsm.net", "doctors.org.uk"),
)
"""Where mailboxes of England's people and services are; what is nearly one of them is probably mistyped."""
SHORT = 8
"""Letters of a provider's domain up to which a single one may differ: `sly.com` is not two letters away from everything."""
ALONE = {"gmail": "gmail.com", "icloud": "icloud.com", "btinternet": "btinternet.com", "ntlworld": "ntlworld.com"}
ALONE |= {"googlemail": "googlemail.com", "virginmedia": "virginmedia.com", "hotmail": "hotmail.com", "outlook": "outlook.com"}
"""Providers by the first word of their domain."""
ONE_ENDING = ("gmail", "icloud", "btinternet", "ntlworld", "googlemail", "virginmedia")
"""Those that have no other ending."""
ENDINGS = ("com", "co.uk", "org.uk", "gov.uk", "nhs.uk", "sch.uk", "ac.uk", "police.uk", "net", "org", "uk", "london")
IN_UK = ("gov", "police", "nhs", "sch", "ac", "org", "co", "mod", "ltd", "plc", "net", "me")
SELDOM = {"cm": "com", "om": "com", "ne": "net"}
"""Endings of other countries that nobody here writes but for these."""
RESERVED = ("example", "test", "invalid")
"""Endings kept for documents and trials (RFC 2606)."""
TYPOGRAPHIC = str.maketrans("‘’‛′ʼ´`‐‑‒–—", "'''''''-----")
_UNSEEN = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad\u061c\u202a-\u202e\u2066-\u2069]")
_AROUND = " \t\r\n\u00a0.,;:<>()[]\"'‘’“”`"
_QUOTES = "\"'‘’“”`"
_SCHEME = re.compile(r"^\s*(?:e-?mail|mailto)\s*:\s*", re.IGNORECASE)
_ANGLED = re.compile(r"[^<>@]*<([^<>]*)>[\s.,;]*")


@dataclass(frozen=True)
class Judged:
    """An address as it is used, and what is thought of it."""

    address: str
    """Tidied; what cannot be an address is as it was typed, but for blanks around it."""
    can_be: bool
    """Whether this can be an address."""
    slip: bool
    """Whether it is probably mistyped, or cannot be one."""
    meant: str = ""
    """Which address was probably meant, where that can be guessed."""


def judged(typed: str | None) -> Judged:
    """What was typed, as an address. One that is probably mistyped is used all the same, as it is."""
    text = tidied(typed or "")
    if not text:
        return Judged("", False, False)
    if not can_be(text):
        guesses = ((each, _meant(each)) for each in _repaired(text) if can_be(each))
        return Judged(text, False, True, next((each if meant is None else meant for each, meant in guesses if meant != ""), ""))
    meant = _meant(text)
    return Judged(text, True, meant is not None, meant or "")


def can_be(text: str) -> bool:
    """Whether this can be an address that somebody is written to at: as RFC 5321 and 6531 have it, at a domain with a dot."""
    try:
        validate_email(text, check_deliverability=False, globally_deliverable=False, allow_quoted_local=True, allow_smtputf8=True)
    except EmailNotValidError:
        return False
    return "." in text.rpartition("@")[2]


def in_ascii(address: str) -> str | None:
    """The same address for mail servers that know ASCII alone: its domain as IDNA writes it. None where other letters stand
    before the @: they are asked for as they are (RFC 6531), or not at all."""
    local, _, domain = address.rpartition("@")
    if address.isascii():
        return address
    return f"{local}@{idna.encode(domain, uts46=True).decode()}" if local.isascii() else None


def tidied(typed: str) -> str:
    """What was typed without what people and their programs put around an address: blanks, `mailto:`, a name and angle brackets,
    a full stop or comma behind it. What is an address is not touched; what would not become one neither."""
    text = typed.strip()
    if can_be(text):
        return text
    return next((each for each in _without_surroundings(text) if can_be(each)), text)


def _without_surroundings(typed: str) -> Iterator[str]:
    text = _UNSEEN.sub("", typed).replace("＠", "@").strip()
    yield text
    text = yield from _behind_scheme(text)
    if angled := _ANGLED.fullmatch(text):
        text = yield from _behind_scheme(angled[1].strip())
        yield text
    text = re.sub(r"\s*@\s*", "@", text)
    yield text
    behind = text.rstrip(_AROUND)
    if len(text) > len(behind) and text[0] in _AROUND and text[len(behind)] in _QUOTES:
        yield text.strip(_AROUND)
    yield behind
    yield text.strip(_AROUND)


def _behind_scheme(text: str) -> Generator[str, None, str]:
    """What stands behind `mailto:` or `Email:`, as it was typed; of a link first as it is meant: it writes some letters as
    numbers, and more behind the address (RFC 6068)."""
    scheme = _SCHEME.match(text)
    if not scheme:
        return text
    behind = text[scheme.end() :]
    if "mailto" in scheme[0].lower():
        yield unquote(behind.partition("?")[0])
    return behind


def _repaired(text: str) -> Iterator[str]:
    """What may have been meant by what cannot be an address."""
    joined = re.sub(r"\s+", "", re.sub(r"\s+(?:at|\(at\)|\[at\])\s+", "@", text, flags=re.IGNORECASE))
    if joined.count("@") > 1 and not re.search("@+[^@]*$", joined.replace("@@", "@", 1)):
        return
    once = re.sub("@+", "@", joined)
    yield once
    local, _, domain = once.rpartition("@")
    if not local:  # the key beside it: @ and " change places between keyboards
        yield re.sub("[\"'#£]", "@", once)
        return
    domain = re.sub(r"[,;:/\\]", ".", domain)
    yield f"{local}@{domain}"
    local, domain = (re.sub(r"\.{2,}", ".", part).strip(".") for part in (local, domain))
    yield f"{local}@{domain}"
    yield f"{local.translate(TYPOGRAPHIC)}@{domain}"
    if "." not in domain:
        yield from (f"{local}@{each}" for each in PROVIDERS if each.replace(".", "") == domain or ALONE.get(domain) == each)


def _meant(address: str) -> str | None:
    """What was probably meant by an address: another one, or '' where that cannot be guessed; None where nothing looks wrong."""
    local, _, domain = address.rpartition("@")
    domain = domain.lower()
    plain = local.translate(TYPOGRAPHIC) if not local.isascii() else local
    plain = re.sub(r"^www\.", "", plain, flags=re.IGNORECASE)
    found = _meant_domain(domain)
    if plain == local and found is None:
        return None
    return "" if found == "" else f"{plain}@{domain if found is None else found}"


def _meant_domain(domain: str) -> str | None:
    if domain in PROVIDERS:
        return None
    if domain.startswith("www."):
        return domain.removeprefix("www.")
    if repeated := re.fullmatch(r"(.+\.(\w+))\.\2", domain):
        return repeated[1]
    # The United States' government, and a domain at which nobody has a mailbox: said of people's desks here all the same.
    if domain.endswith(".gov"):
        return f"{domain}.uk"
    if domain == "nhs.uk":
        return "nhs.net"
    return _nearly_a_provider(domain) or _wrong_ending(domain)


def _nearly_a_provider(domain: str) -> str | None:
    distances = sorted((damerau_levenshtein_distance(domain, each), each) for each in PROVIDERS)
    near = next((each for distance, each in distances if distance <= (1 if len(each) <= SHORT else 2)), None)
    if near:
        return near
    name, _, ending = domain.partition(".")
    if name in ONE_ENDING:
        return ALONE[name]
    alike = next((each for each in ALONE if damerau_levenshtein_distance(name, each) == 1), None)
    if alike is None or name in (each.partition(".")[0] for each in PROVIDERS):
        return None
    return f"{alike}.{ending}" if f"{alike}.{ending}" in PROVIDERS else ALONE[alike]


def _wrong_ending(domain: str) -> str | None:
    before, _, last = domain.rpartition(".")
    if last in SELDOM:
        return f"{before}.{SELDOM[last]}"
    if last in RESERVED:
        return None
    if not _suffixes().publicsuffix(domain):
        return _with_nearest_ending(domain)
    own = (_suffixes().privatesuffix(domain) or "").split(".")
    if len(own) == 2 and own[1] == "uk" and domain.count(".") > 1 and own[0] not in IN_UK:
        meant = next((each for each in IN_UK if len(each) > 1 and damerau_levenshtein_distance(own[0], each) == 1), None)
        return domain.removesuffix(".".join(own)) + f"{meant}.uk" if meant else None
    return None


def _with_nearest_ending(domain: str) -> str:
    """The domain with a known ending that is nearly the one it has; '' where there is none."""
    parts = domain.split(".")
    tried = [
        (damerau_levenshtein_distance(".".join(parts[-count:]), each), ".".join((*parts[:-count], each)))
        for count in (1, 2)
        for each in ENDINGS
        if len(parts) > count
    ]
    distance, meant = min(tried, default=(9, ""))
    return meant if distance <= 2 else ""


@cache
def _suffixes() -> PublicSuffixList:
    """The endings under which domains are registered, as the package brings them: nothing is fetched."""
    return PublicSuffixList(accept_unknown=False, only_icann=False)
