"""What is stored of a person, field by field, and in which ways each of it is written in a text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from mash.flows.telling.spelling import folded

LOCATING = ("address", "postcode", "line", "school", "email", "phone", "telephone", "mobile", "organisation")
"""Parts of the names of fields by which somebody is found: withheld even where they are the subject's own, if they are another
person's too."""
PLACES = ("address", "line", "postcode", "school", "organisation", "place")
LONG = 120
"""Letters up to which a value is looked for by its parts too: what is longer is an account of something."""
SPELLING = {
    "rd": "road", "st": "street", "ave": "avenue", "av": "avenue", "cl": "close", "dr": "drive", "ln": "lane", "ct": "court",
    "cres": "crescent", "gdns": "gardens", "sq": "square", "tce": "terrace", "ter": "terrace", "hse": "house", "pk": "park",
    "gr": "grove", "pl": "place", "ce": "church of england", "rc": "catholic", "jnr": "junior", "inf": "infant", "pri": "primary",
}  # fmt: skip
"""Short forms in addresses and names of schools."""
GENERIC = frozenset(
    "road street avenue close drive lane court crescent gardens square terrace house park grove place flat floor school primary"  # noqa: SIM905  read as words
    " secondary infant junior infants juniors academy college nursery high church england catholic community the and centre"
    " surgery practice hospital trust council service services team with near opposite north south east west upper lower street"
    " refuge safe shelter hostel".split()
)
"""Words of addresses and names of places that tell nothing by themselves."""
DETAIL = re.compile(
    r"(?<![^\s@<>,;()])[^\s@<>,;()]{1,64}@[^\s@<>,;()]{1,255}"
    r"|\b[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}\b"
    r"|(?<![\w+])\+?\(?\d[\d ().-]{7,20}\d(?!\w)"
    r"|\b\d{1,5}[a-z]?,?\s+(?:[a-z'’]{1,40}\s{1,3}){1,3}"
    r"(?:road|rd|street|st|avenue|ave|close|drive|lane|court|crescent|gardens|square|terrace|grove|place|way|walk|hill|mews|row)\b",
    re.IGNORECASE,
)
"""How people are reached and where they live, whosever it is: mail, postcode, telephone, a house in a street."""
_POSTCODE = re.compile(r"\b([A-Z]{1,2}[0-9][A-Z0-9]?) ?[0-9][A-Z]{2}\b", re.IGNORECASE)
_NAMED = re.compile(r"(?<!organisation )(?<!school )name|alias|known as|given|family$|surname")
_FIELDS = re.compile(
    r"address|line|postcode|school|email|phone|organisation|role|relationship|sex|ethnicity|date|age|cohort|number|upn|concern"
    r"|consent|override|contact|words|reported|disability|agency|code"
)
_A_NAME = re.compile(r"[^\W\d_a-z][^\W\d_]*(?:[ '’-][^\W\d_a-z][^\W\d_]*){0,3}")
MONTHS = [f"{date(2000, month, 1):%B}".lower() for month in range(1, 13)]
ROMAN = "i ii iii iv v vi vii viii ix x xi xii".split()  # noqa: SIM905  read as words
_UNDER_TWENTY = (  # noqa: SIM905  read as words
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen"
    " nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905  read as words
IN_WORDS = (*_UNDER_TWENTY, *(ten + one for ten in _TENS for one in ("", *_UNDER_TWENTY[1:10])))
"""The numbers to 99 in words, without what parts them."""
_NTH = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_UNITS_OF_AGE = ("y", "yo", "yr", "yrs", "year", "years", "yearold", "yearsold", "month", "months", "monthold", "monthsold")
_ENDING = ("ends", "endin", "endsin", "endswith", "ending", "endingin", "endingwith", "last3", "lastthree")
"""What stands before figures that are too few to be looked for by themselves."""


@dataclass(frozen=True)
class Value:
    """Something stored of a person: whose it is (as an officer reads it), in which field, and what."""

    whose: str
    field: str
    text: str


def is_name(value: Value) -> bool:
    """Whether this is a person's name: by its field, or as a few words with capitals in a field that we do not know."""
    if re.search(r"[\d@]", value.text):
        return False
    return bool(_NAMED.search(value.field)) or (not _FIELDS.search(value.field) and bool(_A_NAME.fullmatch(value.text.strip())))


def locates(field: str) -> bool:
    """Whether somebody is found by what a field holds."""
    return any(part in field for part in LOCATING)


def needles(value: Value) -> set[str]:
    """What a value is found by in a text that is squeezed as it is."""
    whole = folded(value.text)
    if is_name(value):
        return {whole} - {""}
    short = [] if len(value.text) > LONG else [each for each in re.split(r"[,;\n|]", value.text) if len(folded(each)) > 2]
    found = {value.text, *short, *(each[0] for each in DETAIL.finditer(value.text))}
    needles = {needle for each in found for needle in (folded(each), *_numbers(each), *_days(each), *_mail(each))}
    if re.search(r"\bage\b", value.field):
        needles |= _ages(value.text)
    if any(part in value.field for part in PLACES):
        needles |= {needle for each in found for needle in _places(each)}
    outward = {folded(each[1]) for each in _POSTCODE.finditer(value.text)}
    return {needle for needle in needles | outward if len(needle) > 1 or needle == whole} - {""}


def day_and_month(value: Value) -> tuple[int, int] | None:
    """The day and the month of a date, by which a birthday is told without its year."""
    found = _day(value.text.strip())
    return (found.day, found.month) if found else None


def place_initials(value: Value) -> str:
    """What a school or an organisation is called by its initials; '' for what is none, or has fewer than three words."""
    if not re.search("school|organisation", value.field):
        return ""
    letters = "".join(folded(word)[:1] for word in value.text.split())
    return letters if len(letters) > 2 else ""


def _places(text: str) -> set[str]:
    """A place with and without its number, in short and in long; and the words that tell which one it is."""
    words = [folded(word) for word in re.findall(r"\w+(?:['’]\w+)*", text)]
    unnumbered = [word for word in words if not word[:1].isdigit() and word not in ("flat", "no")]
    short = {long: short for short, long in SPELLING.items()}
    written = set()
    for some in (words, unnumbered):
        if len(some) > 1:
            written |= {
                "".join(some),
                "".join(SPELLING.get(word, word) for word in some),
                "".join(short.get(word, word) for word in some),
            }
    telling = [word for word in unnumbered if SPELLING.get(word, word) not in GENERIC]
    return written | {word for word in telling if len(word) > 3} | ({"".join(telling)} if len("".join(telling)) > 3 else set())


def _numbers(text: str) -> set[str]:
    """A telephone number with and without its country, and without its area; of every number the last figures."""
    figures = re.sub(r"\D", "", text)
    if not re.fullmatch(r"[\d\s()+./-]+", text.strip()) or len(figures) < 7:
        return set()
    inland = "0" + re.sub(r"^(?:0{0,2}44)?0?", "", figures) if re.match(r"\+|0", text.strip()) else figures
    # Of a date the last figures are its year, in which much else happened.
    lasts = (
        (inland[-6:],)
        if _day(text.strip())
        else (*(inland[-count:] for count in (4, 5, 6)), *(f"{ending}{inland[-3:]}" for ending in _ENDING))
    )
    return {figures, inland, inland[1:], f"44{inland[1:]}", f"0044{inland[1:]}", f"440{inland[1:]}", *lasts}


def _mail(text: str) -> set[str]:
    """An address of mail as it is spoken: its sign and its dots in words."""
    name, sign, host = text.strip().partition("@")
    if not (name and sign and host):
        return set()
    names, hosts = ([part, part.replace(".", "dot")] for part in (name, host))
    return {folded(f"{a}{at}{b}") for a in names for at in ("", "at") for b in hosts}


def _ages(text: str) -> set[str]:
    """An age in figures and in words, and by its birthday."""
    ages = {int(figures) for figures in re.findall(r"\d+", text)}
    ages |= {IN_WORDS.index(word) for part in re.split(r"[\s,;./]+", text) if (word := folded(part)) in IN_WORDS}
    needles = set[str]()
    for age in ages & {*range(len(IN_WORDS))}:
        figures, word = str(age), IN_WORDS[age]
        needles |= {f"{each}{unit}" for each in (figures, word) for unit in _UNITS_OF_AGE}
        needles |= {figures, f"{_nth(age)}birthday", f"{_nth_in_words(word)}birthday"}
        # "One" is no number in most sentences: it is an age beside a unit alone.
        needles |= {word} - {"one"}
    return needles


def _nth(number: int) -> str:
    return f"{number}{'th' if 10 < number % 100 < 14 else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _nth_in_words(word: str) -> str:
    """What is "twentyfirst" of "twentyone"."""
    if word in _TENS:
        return f"{word[:-1]}ieth"
    ending = next((one for one in _NTH if word.endswith(one)), "")
    return f"{word.removesuffix(ending)}{_NTH[ending]}" if ending else f"{word}th"


def _days(text: str) -> set[str]:
    """A day in the ways in which it is written."""
    day = _day(text.strip())
    if day is None:
        return set()
    d, m, y, yy, month = f"{day.day}", f"{day.month}", f"{day.year}", f"{day:%y}", MONTHS[day.month - 1]
    dd, mm = f"{day:%d}", f"{day:%m}"
    said = (d, dd, _nth(day.day), _nth_in_words(IN_WORDS[day.day]))
    names = {month, month[:3], month[:4]}  # September has four letters in short, too.
    figures = {f"{a}{b}{c}" for a in (d, dd) for b in (m, mm) for c in (y, yy)} | {f"{y}{mm}{dd}", f"{y}{m}{d}", f"{mm}{dd}{y}"}
    figures |= {f"{m}{d}{y}", f"{yy}{mm}{dd}", *(f"{a}{ROMAN[day.month - 1]}{b}" for a in (d, dd) for b in (y, yy))}
    words = {f"{a}{between}{b}" for a in said for between in ("", "of", "dayof") for b in names}
    words |= {f"{b}{the}{a}" for a in said for the in ("", "the") for b in names}
    return figures | words | {f"{each}{year}" for each in words for year in (y, yy)} | {f"{each}{y}" for each in names}


def _day(text: str) -> date | None:
    if found := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:T.*)?", text):
        year, month, day = (int(each) for each in found.groups())
    elif found := re.fullmatch(r"(\d{1,2})[./ -](\d{1,2})[./ -](\d{4})", text):
        day, month, year = (int(each) for each in found.groups())
    else:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None
