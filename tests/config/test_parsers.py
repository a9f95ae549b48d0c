"""Every parser gives what it is for, or its own error: for files and messages that are nearly right, and for anything else.

`make fuzz` does the same for longer, led by what the code reaches (tests/chaos/fuzz/).
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parsers import PARSERS, SECRET, check
from seeds import seeds

SEEDS = seeds()
ODD = [
    "",
    "0",
    "-1",
    "1e999",
    "9" * 5000,
    "true",
    "[]",
    "{}",
    '""',
    "[[[[]]]]",
    "2026-02-30",
    "\x00",
    "\u202e",
    "[" * 3000,
    SECRET,
]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["\x00", "e\u0301", SECRET]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@st.composite
def nearly_right(draw: st.DrawFn, name: str) -> bytes:
    """A right one, in which the values of some lines are others, or lines are left out, doubled or swapped."""
    lines = draw(st.sampled_from(SEEDS[name])).decode().split("\n")
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.integers(0, 3)):
            case 0:
                before, sign, _ = lines[at].partition(draw(st.sampled_from(["=", ":", ",", "["])))
                lines[at] = f"{before}{sign} {draw(st.sampled_from(ODD) | st.text(max_size=20))}"
            case 1:
                lines.insert(at, lines[at])
            case 2:
                other = draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], lines[at]
            case _:
                lines[at] = draw(st.text(max_size=30))
    return "\n".join(lines).encode(errors="replace")


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_gives_its_own_error_for_what_is_nearly_right(name: str) -> None:
    @given(nearly_right(name))
    def holds(data: bytes) -> None:
        check(name, data)

    holds()


@pytest.mark.parametrize("name", PARSERS)
@given(st.binary(max_size=300) | st.sampled_from([b"[" * 5000, b"{" * 5000, b"\xff\xfe", b"a = " + b"9" * 5000]))
def test_a_parser_gives_its_own_error_for_anything(name: str, data: bytes) -> None:
    check(name, data)


@st.composite
def bodies(draw: st.DrawFn, name: str) -> bytes:
    """A right message, somewhere in which anything stands."""
    body: Any = json.loads(draw(st.sampled_from(SEEDS[name])))
    at = body
    while isinstance(at, dict | list) and at:
        key = draw(st.sampled_from(sorted(at))) if isinstance(at, dict) else 0
        if draw(st.booleans()) or not isinstance(at[key], dict | list):
            at[key] = draw(anything)
            break
        at = at[key]
    return json.dumps(body).encode()


@pytest.mark.parametrize("name", ["submission", "command", "stored_profile"])
def test_a_message_in_which_anything_may_stand_is_taken_or_refused(name: str) -> None:
    @given(bodies(name))
    def holds(data: bytes) -> None:
        check(name, data)

    holds()
