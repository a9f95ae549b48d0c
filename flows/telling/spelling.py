"""How names are spelt: in other scripts, with other accents, possessive, joined, shortened, as they sound, by their initials."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import combinations

from anyascii import anyascii
from jellyfish import damerau_levenshtein_distance, metaphone
from nicknames import NickNamer

PARTICLES = frozenset(
    "de da di du van von der den la le el al bin binti ibn abu mac mr mrs ms miss mx dr sir lady rev prof the".split()  # noqa: SIM905
)
WORD = re.compile(r"[^\W\d_]+(?:['’‘`\-‑–][^\W\d_]+)*")
CAMEL = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])|['’‘`\-‑–]")


@cache
def folded(text: str) -> str:
    """A text by its letters and figures alone, in ASCII and without case: in whatever script and with whatever accents it was
    written, the same words are the same."""
    return "".join(each for each in anyascii(text).casefold() if each.isalnum())


def squeezed(text: str) -> tuple[str, list[int]]:
    """A text as `folded`, and where in it each letter stood."""
    letters, at = [], []
    for place, each in enumerate(text):
        for letter in folded(each) or (each if each.isalnum() else ""):
            letters.append(letter)
            at.append(place)
    return "".join(letters), at


def name_words(name: str) -> list[str]:
    """The words of a name, folded: what hyphens and capitals join are several."""
    parts = (part for word in WORD.findall(name) for part in CAMEL.split(word))
    return [word for part in parts if (word := folded(part)) and word not in PARTICLES]


def near(word: str, name: str, capital: bool) -> bool:
    """Whether a word may be a spelling of a name, its possessive, or a short or long form of it; both folded. More is taken for a
    name when it has a capital."""
    if word == name or word == f"{name}s":
        return True
    if len(name) < 3 or len(word) < 3:
        return False
    if word.startswith(name) and (len(name) > 3 or (capital and len(word) <= len(name) + 2)):
        return True
    if capital and ((name.startswith(word) or (len(word) > 3 and name.endswith(word))) or word in _nicknames(name)):
        return True
    if word.endswith("s") and len(word) > 4 and alike(word[:-1], name, 1):
        return True
    return alike(word, name, 2 if capital and min(len(word), len(name)) > 5 else 1) or (capital and _sounds_alike(word, name))


def same_consonants(word: str, name: str) -> bool:
    """Whether two words have the same consonants: of scripts that write no vowels, that is what is left in another one."""
    bones = [re.sub(r"(.)\1+", r"\1", re.sub("[aeiouwy]", "", each)) for each in (word, name)]
    return bones[0] == bones[1] and len(bones[0]) > 2


def alike(word: str, name: str, most: int) -> bool:
    if min(len(word), len(name)) < 4 and not (len(name) == 3 and word[:2] == name[:2] and len(word) == 4):
        return False
    if damerau_levenshtein_distance(word, name) > most:
        return False
    return word[0] == name[0] or metaphone(word) == metaphone(name)


def _sounds_alike(word: str, name: str) -> bool:
    if min(len(word), len(name)) < 4 or metaphone(word) != metaphone(name) or not metaphone(name):
        return False
    return damerau_levenshtein_distance(word, name) <= max(2, len(name) // 2)


@cache
def _nicknames(name: str) -> frozenset[str]:
    known = _namer()
    return frozenset(folded(each) for each in (*known.nicknames_of(name), *known.canonicals_of(name)))


@cache
def _namer() -> NickNamer:
    return NickNamer()


def runs(words: list[str], count: int) -> Iterator[list[str]]:
    return (words[at : at + count] for at in range(len(words) - count + 1))


def initials(words: list[str]) -> set[str]:
    """The initials of a name: each by itself, and in their order, some left out."""
    first = [word[0] for word in words[:5]]
    return {"".join(some) for count in range(1, len(first) + 1) for some in combinations(first, count)}
