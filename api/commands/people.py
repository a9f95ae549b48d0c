"""`mash erase`, `mash retention`, `mash sar`: what people may ask of what is kept about them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mash.api.commands.installed import administrator, counted, out, whoever, with_store
from mash.config.errors import SettingsError
from mash.states.acts.closing import ErasePeople, WhyErased, WhyReleased
from mash.states.clocks import dated

if TYPE_CHECKING:
    from mash.flows.telling.access_request import Answer

app = typer.Typer(no_args_is_help=True, help="How long people are kept, and what is about to be erased.")


def erase(
    reference: str,
    why: Annotated[WhyErased, typer.Option()],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
) -> None:
    """Erase the people of a concluded contact, for good: its keys are destroyed, those of its linked referrals too. Its log
    stays, and still verifies. It says where the keys still are: in backups and archives made before, until those are removed."""
    from mash.flows.store.erasure import erase as erase_people
    from mash.flows.store.erasure import rewrite_keys
    from mash.flows.store.reads.case import read_case

    async def work(store: Any) -> None:
        case = await read_case(store, reference)
        if not yes:
            typer.confirm(f"Nobody will ever read the people of {reference} again. Erase them?", abort=True)
        erased = await erase_people(store, reference, ErasePeople(why=why), administrator(case.hub))
        out.print(f"erased: {', '.join(erased)}")
        for sentence in (await rewrite_keys(store)).sentences:
            out.print(sentence)

    with_store(work)


@app.command("list")
def list_() -> None:
    """Print the contacts whose people are about to be erased, since when that is announced, and which are held."""
    from mash.flows.store.retention import listed

    async def work(store: Any) -> None:
        rows = await listed(store)
        for row in rows:
            held = f"  held by {row.held_by}: {row.held_why}" if row.held_by else ""
            out.print(f"{row.root}  {row.hub}  due {row.due_at:%Y-%m-%d}  announced {row.listed_at:%Y-%m-%d}{held}", markup=False)
        out.print(counted(len(rows), "contact"))

    with_store(work)


@app.command()
def hold(reference: str, why: Literal["inquiry", "litigation", "complaint", "subject_access", "other"]) -> None:
    """Have a contact on the list kept beyond its time."""
    from mash.flows.store.retention import hold as keep

    with_store(lambda store: keep(store, reference, whoever(), why))


@app.command()
def release(reference: str) -> None:
    """Hold a contact no longer: it is erased in its turn."""
    from mash.flows.store.retention import hold as keep

    with_store(lambda store: keep(store, reference, None, None))


@app.command()
def run() -> None:
    """Erase what has been announced for long enough, and announce what is due; every night does it by itself."""
    from mash.flows.carrying.night import keep_to_retention
    from mash.flows.store.nights import record_step

    async def work(store: Any) -> None:
        await keep_to_retention(store)
        await record_step(store, "retention")

    with_store(work)


def sar(
    reference: str,
    subject: Annotated[str, typer.Argument(help="Whose, such as S1.")],
    file: Annotated[Path, typer.Option("--out", help="Where to write it: a file of mode 600 that is not there yet.")],
    release: Annotated[
        list[int] | None, typer.Option("--release", help="Release what is withheld under this number; may be repeated.")
    ] = None,
    because: Annotated[WhyReleased | None, typer.Option(help="Why it may be released: needed with --release.")] = None,
) -> None:
    """Write what is kept about a person of a case, for a subject access request, as a page to be read before it leaves, and a
    list of what is withheld in it. What is stored as another person's is withheld until you release it by its number; who
    released what, when and why is recorded."""
    from mash.flows.telling.access_request import answer

    if bool(release) != bool(because):
        raise typer.BadParameter("--release and --because go together: say what is released, and why it may be")
    aside = file.with_name(f"{file.name}.withheld.txt")
    made: list[Path] = []
    try:
        for each in (file, aside):
            # Made first, and closed: nobody else can read it, and nothing is asked for that could not be written.
            each.touch(mode=0o600, exist_ok=False)
            made.append(each)
    except OSError as failed:
        _remove(made)
        raise SettingsError(f"--out {each}: {failed.strerror}: expected a file that is not there yet") from None

    async def work(store: Any) -> None:
        try:
            found = await answer(store, reference, subject, whoever(), release or (), because)
        except BaseException:
            _remove(made)
            raise
        file.write_text(found.page, encoding="utf-8")
        aside.write_text(_list_of(found), encoding="utf-8")
        for line in _said(found, file, aside, release or []):
            out.print(line, markup=False)

    with_store(work)


def _remove(files: list[Path]) -> None:
    for each in files:
        each.unlink()


def _said(found: Answer, file: Path, aside: Path, released: list[int]) -> list[str]:
    """The answer of the command: it names nobody."""
    warned = (
        "Nothing is sent, and nobody is written to or rung, before you know how that is safe, and for whom: read the list first."
    )
    withheld = counted(sum(not number.released for number, _, _ in found.withheld), "thing is", "things are")
    without = counted(found.left_out, "item is", "items are")
    return [
        *([f"WARNING. {found.warning}. {warned}"] if found.warning else []),
        f"{file} was written. Read it before it leaves; {without} not in it, and it says why.",
        f"{withheld} withheld in it. {aside} says by number what they are: it is for you, and does not leave.",
        *(f"Released: {number.number}, {number.what}" for number, _, _ in found.withheld if number.number in released),
    ]


def _list_of(found: Answer) -> str:
    """What is withheld, for whoever decides: with what it is, and who has released it."""
    lines = ["NOT PART OF THE ANSWER: for whoever prepares it. It holds what other people must be protected in.", ""]
    if found.warning:
        lines += [f"WARNING. {found.warning}.", *(f"What was said about it: {each}" for each in found.reaching), ""]
    for number, text, places in found.withheld:
        of = (
            f"released {dated(number.released_at)} by {number.released_by}: {number.because}"
            if number.released_at
            else "withheld"
        )
        lines.append(f"{number.number:>4}  {of}  {number.what}, in {places} {'place' if places == 1 else 'places'}: {text}")
    return "\n".join((*lines, ""))
