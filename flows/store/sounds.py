"""How words of a name are compared: by plain spellings, the names that they are short for, and what is heard of them. Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache

from nicknames import NickNamer

LONGEST_NAME = 200
"""Characters of a name by which somebody is found. What is longer is kept as it was given, and flagged: it is no name, or more
than one."""
LETTERS = {
    "ł": ("l", "l"), "đ": ("d", "dj"), "ð": ("d", "th"), "ø": ("o", "oe"), "œ": ("oe", "o"), "æ": ("ae", "a"), "þ": ("th", "t"),
    "ı": ("i", "i"), "ħ": ("h", "h"), "ŧ": ("t", "t"), "ŋ": ("n", "ng"), "ə": ("a", "e"), "ĸ": ("k", "k"), "ŀ": ("l", "l"),
}  # fmt: skip
"""Letters that are no others with an accent, and the two ways in which they are spelt without; ß is one that case folds."""
_FOLDED = [str.maketrans({letter: plain[way] for letter, plain in LETTERS.items()}) for way in (0, 1)]
_HEARD = [
    (re.compile(letters), sound)
    for letters, sound in (
        ("^(kn|gn)", "n"), ("^wr", "r"), ("tch|sch|sh|ch|sz|cz", "x"), ("ph|v", "f"), ("ck|kh|q", "k"), ("dj", "j"), ("gh", "g"),
        ("th", "t"), ("dh", "d"), ("rz", "r"), ("z|c(?=[eiy])", "s"), ("c", "k"), ("dg|g(?=[ei])", "j"),
    )
]  # fmt: skip
"""Letters that are heard as others, in English and in how other languages' names are written in it."""
MOST_SHORT_FOR = 3


def comparable(name: str) -> list[str]:
    """The words of a name as they are compared: without case, accents and what stands between letters."""
    name = name[:LONGEST_NAME].casefold()
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return re.findall(r"\w+", plain.replace("'", "").replace("’", ""))


def words(name: str) -> list[str]:
    """The words of a name. What hyphens join is a word of its own as well: Al-Haddad is Alhaddad to others."""
    found = dict.fromkeys((*comparable(name), *("".join(comparable(part)) for part in name[:LONGEST_NAME].split())))
    return [word for word in found if word]


def spellings(word: str) -> list[str]:
    """A word as it is compared, and as it is spelt where its letters are not to be had: đokic, and dokic and djokic."""
    return [*dict.fromkeys((word, *(word.translate(folded) for folded in _FOLDED)))]


def plain(word: str) -> str:
    """The plain spelling of a word."""
    return word.translate(_FOLDED[0])


@lru_cache(maxsize=1024)
def heard(word: str) -> str:
    """What is heard of a word whoever writes it down: its consonants, and whether it begins with a vowel. Aisha, Ayesha and Aicha
    are one, Khan and Kahn, Hussain and Hossein. The word itself where it is in another script."""
    word = plain(word)
    for letters, sound in _HEARD:
        word = letters.sub(sound, word)
    first = re.sub("^[aeiou]", "a", word[:1])
    rest = re.sub("[aeiouyhw]", "", word[1:])
    return re.sub(r"(.)\1+", r"\1", first + rest)


def mixed(word: str) -> str:
    """The letters of a word, in whatever order they were typed: Ilsa is Isla."""
    return "".join(sorted(word))


@cache
def _nicknames() -> NickNamer:
    return NickNamer()


def short_for(word: str) -> list[str]:
    """The names that a given name stands for, itself among them: Billy is William too."""
    return [word, *sorted(_nicknames().canonicals_of(word))[:MOST_SHORT_FOR]]
