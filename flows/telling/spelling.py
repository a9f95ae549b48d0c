"""How names are spelt: in other scripts, with other accents, possessive, joined, shortened, as they sound, by their initials."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import combinations

from anyascii import anyascii
from jellyfish import damerau_levenshtein_distance, metaphone
from nicknames import NickNamer

from mash.flows.telling.ordinary import ORDINARY

PARTICLES = frozenset(
    "de da di du van von der den la le el al bin binti ibn abu mac mr mrs ms miss mx dr sir lady rev prof the".split()  # noqa: SIM905
)
WORD = re.compile(r"[^\W\d_]+(?:['’‘`\-‑–][^\W\d_]+)*")
AS_SPOKEN = tuple(
    frozenset(forms.split())
    for forms in (
        "mohammed mohamed mohammad mohamad muhammad muhammed mohd muhd mhd md",
        "abdul abdel abd",
        "wojciech voytek wojtek",
        "ng ing eng",
        "aine onya anya",
        "aoife eefa efa ifa",
        "caoimhe keeva kiva keva queeva",
        "cathal cahal kahal",
        "ciaran kieran keeran",
        "dafydd dafid david dai",
        "dearbhla dervla derval",
        "diarmuid diarmaid dermot dermott",
        "eilidh ailey aylee eiley",
        "eoin eoghan owen ewan euan owain",
        "fionnuala fionnghuala finola finoula nuala",
        "grainne gronya grawnya",
        "ieuan ifan evan yeyan",
        "iestyn yestin",
        "maeve meadhbh meabh medb mave",
        "niamh neve neave neeve nieve niav",
        "oisin osheen ushin",
        "padraig padraic porrick patrick podge",
        "roisin rosheen",
        "ruairi ruaidhri rory",
        "sadhbh sive",
        "saoirse seersha sersha searsha",
        "sinead shinade",
        "siobhan shivaun shivaughn chevonne",
        "tadhg tadgh tiege teague tige",
        "thi ti",
    )
)
"""Names that are written as they are spoken or in short, where neither letters nor consonants lead from one form to another."""
_LETTERS = (
    (r"^isl", "il"), (r"^kn", "n"), (r"^wr", "r"), (r"^ps", "s"), (r"^gh", "g"), ("ph|bh|mh|v", "f"), ("gh", ""),
    ("sh|sz|zh|z", "s"), ("th", "t"), (r"(?<=[aeiouy])r$", ""),
)  # fmt: skip
"""Which letters sound alike, or are not heard."""
_HARD = (("sch", "s"), ("ch|kh|ck|[cqx]", "k"))
_SOFT = (("^x", "s"), ("s?ch|c(?=[eiy])", "s"), ("kh|ck|[cqx]", "k"), ("g(?=[eiy])|^y(?=[aeiou])", "j"))
_POLISH = (("cz|rz", "s"), ("w", "f"), *_HARD)
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
    if capital and any(word in forms and name in forms for forms in AS_SPOKEN):
        return True
    if len(name) < 3 or len(word) < 3:
        return False
    if word.startswith(name) and (len(name) > 3 or (capital and len(word) <= len(name) + 2)):
        return True
    if capital and ((name.startswith(word) or (len(word) > 3 and name.endswith(word))) or word in _nicknames(name)):
        return True
    if capital and len(name) > 4 and word.endswith(name) and len(word) <= len(name) + 2:
        return True
    if word.endswith("s") and len(word) > 4 and alike(word[:-1], name, 1):
        return True
    if capital and (_sounds_alike(word, name) or _heard_alike(word, name)):
        return True
    return alike(word, name, 2 if capital and min(len(word), len(name)) > 5 else 1)


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


def _heard_alike(word: str, name: str) -> bool:
    """Whether two words have the same consonants as these are heard: the fewer they are, the nearer their lengths must be. What
    is an ordinary word is none, as every sentence begins with a capital."""
    if word in ORDINARY or not (common := _consonants(word) & _consonants(name)):
        return False
    heard = len(min(common, key=len))
    if heard == 1 and (max(len(word), len(name)) > 5 or common == {"a"}):
        return False
    return abs(len(word) - len(name)) <= (2 if heard < 3 else 3)


@cache
def _consonants(word: str) -> frozenset[str]:
    """The consonants of a word as they are heard, with c and g said hard, said soft, and as in Polish; of its vowels, only
    that it begins with one."""
    return frozenset(_heard(word, said) for said in (_HARD, _SOFT, _POLISH))


def _heard(word: str, said: tuple[tuple[str, str], ...]) -> str:
    for letters, sound in (*said, *_LETTERS):
        word = re.sub(letters, sound, word)
    word = re.sub(r"(.)\1+", r"\1", word)
    first = re.sub("[aeiou]|y(?![aeiou])", "a", word[:2])[:1]
    return first + re.sub("[aeiouhwy]", "", word[1:])


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
