"""What is to be read on a paper: the words that a PDF draws, not those that it was drawn from."""

from __future__ import annotations

import re
import zlib


def drawn(paper: bytes) -> list[tuple[str, str]]:
    """What is drawn on a paper, from left to right: which glyph of which typeface, and what it stands for, if for a whole letter.
    Each of its typefaces numbers its letters anew."""
    faces = [dict(re.findall(rb"<(\w{4})> <(\w+)>", each)) for each in re.findall(rb"beginbfchar(.*?)endcmap", paper, re.DOTALL)]
    streams = [zlib.decompress(each) for each in re.findall(rb"stream\n(\x78.*?)\nendstream", paper, re.DOTALL)]
    glyphs, number = list[tuple[str, str]](), b""
    for face, letters in re.findall(
        rb"/F(\d+) [\d.]+ Tf|\(((?:[^\\)]|\\.)*)\) Tj", b"".join(each for each in streams if b"BT /F" in each), re.DOTALL
    ):
        number = face or number
        plain = re.sub(rb"\\(.)", lambda escaped: {b"r": b"\r"}.get(escaped[1], escaped[1]), letters, flags=re.DOTALL)
        codes = [b"%04X" % int.from_bytes(plain[at : at + 2], "big") for at in range(0, len(plain), 2)]
        shown = [bytes.fromhex(faces[int(number) - 1].get(code, b"").decode()).decode("utf-16-be") for code in codes]
        glyphs += [("", " "), *zip((f"{number.decode()} {code.decode()}" for code in codes), shown, strict=True)]
    return glyphs


def words_on(paper: bytes) -> str:
    """The words of a PDF, page after page, single blanks between them. A paper of which none can be read fails the test that
    reads it: nothing would be found there, whatever is printed."""
    words = " ".join("".join(shown for _, shown in drawn(paper)).split())
    assert words, "no word can be read on this paper"
    return words
