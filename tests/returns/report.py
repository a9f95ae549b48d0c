"""Written to docs/run/returns.md by `make returns`: what both outside validators say of a thousand random histories."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from acceptance import PERIOD, RULESET, YEAR, Accepted, accepted, annex_faults
from breaks import BREAKS
from outside import CRASHING, LIIATOOLS, ROOT

from mash.config.version import VERSION

PAGE = ROOT / "docs" / "run" / "returns.md"
HISTORIES = 1000


def lines(found: Accepted, at: datetime) -> Iterator[str]:
    """The page."""
    yield "# What the outside validators say of the returns\n"
    yield "Written by `make returns`; `make nightly` holds it. How the extracts are used: [returns](../use/returns.md).\n"
    yield f"On {at:%-d %B %Y}, version {VERSION}: {found.histories:,} random histories over all {found.hubs} hubs,"
    yield f"a quarter of their subjects children known from an earlier contact, for the census year {YEAR.title} and Annex A from"
    yield f"{PERIOD.first} to {PERIOD.last}. The files are those that the product makes, one for each authority: of cases at"
    yield "any place of the hub, entered late or on time, with people added and adults among them. Each is made twice: with"
    yield "all that the census asks recorded, the same in each contact; and as people write it, with gaps, slips and"
    yield "contradictions, and some of them erased.\n"
    yield "| what | figure |\n|---|---|"
    yield f"| children, episodes in the census | {found.children:,}, {found.episodes:,} |"
    yield f"| contacts that were attached to an open episode of their child | {found.attached:,} |"
    rows = ", ".join(f"{name}: {number:,}" for name, number in sorted(found.rows.items()))
    yield f"| rows of Annex A | {rows} |\n"
    yield "## The census: csc-validator-be-cin\n"
    yield f"Version {found.version}, ruleset `{RULESET}`, in an environment of its own (`numpy<2`), as it is published.\n"
    yield "| what | figure |\n|---|---|"
    yield f"| rules run, of all there are | {found.run} of {found.rules} |"
    yield f"| rules that stopped in the validator itself | {', '.join(sorted(found.crashed)) or 'none'} |"
    yield f"| **errors, where all is recorded** | **{sum(found.errors.values())}** |"
    yield f"| rules that find something where not all is, and that our own list names too | {', '.join(sorted(found.foreseen))} |"
    yield f"| **rules that find something there, and that our own list does not name** | **{len(found.unforeseen)}** |"
    queries = ", ".join(f"{rule} ({number})" for rule, number in found.queries.most_common())
    yield f"| queries, each with the number of files in which it was asked | {queries or 'none'} |"
    yield f"| breaks of a right file, each found by the rule that is meant | {len(BREAKS)} |\n"
    yield f"Where they would find something, rules {', '.join(CRASHING)} stop in the validator, which counts that as passed;"
    yield "8869 compares a list with a text, and never finds anything. Tests of ours hold what these four say"
    yield "(`tests/returns/test_rules.py`). Queries are what a return explains: 2886Q to 2888Q are about a file as a whole (no"
    yield "sex recorded of more than 2 %, few disabilities), and in no list of ours; 2991Q says that there was a section 47"
    yield "without an assessment, 8530Q that an unborn child was expected at another time than the census does. A file of"
    yield "nobody, which its schema has not, is shown to neither.\n"
    yield "## Its form: the schema\n"
    yield "The newest copy of the census' schema in a package is that of 2024 (`liiatools` 0.2.0), with what has changed since:"
    yield f"the element `Sex`, and that a child may have had no plan before. **{len(found.schema)} errors.**\n"
    yield "## Annex A: liiatools\n"
    faults = {book: some for book, log in found.annex.items() if (some := annex_faults(log))}
    unread = sum(map(len, faults.values()))
    yield f"`{LIIATOOLS[0]}`, with `{LIIATOOLS[1]}` in place of cchardet: `liiatools annex-a cleanfile` on"
    yield f"{len(found.annex)} workbooks. **{unread} cells that it could not read, or that were empty and must not be.** It says"
    yield "of each that lists 2 and 6 to 11 are missing, which is so: they are not of the front door."


def main() -> None:
    """Make it, and write the page."""
    with tempfile.TemporaryDirectory() as folder:
        found = accepted(HISTORIES, Path(folder))
    PAGE.write_text("\n".join(lines(found, datetime.now(UTC))) + "\n", encoding="utf-8")
    print(f"{PAGE}: {sum(found.errors.values())} errors, {len(found.schema)} of the schema")


if __name__ == "__main__":
    main()
