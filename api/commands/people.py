"""`mash erase`, `mash retention`, `mash sar`: what people may ask of what is kept about them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mash.api.commands.installed import administrator, counted, out, whoever, with_store
from mash.config.settings import SettingsError
from mash.states.acts.closing import ErasePeople, WhyErased

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
    from mash.flows.carrying.nightly import keep_to_retention
    from mash.flows.store.nights import record_step

    async def work(store: Any) -> None:
        await keep_to_retention(store)
        await record_step(store, "retention")

    with_store(work)


def sar(
    reference: str,
    subject: Annotated[str, typer.Argument(help="Whose, such as S1.")],
    file: Annotated[Path, typer.Option("--out", help="Where to write it: a file of mode 600 that is not there yet.")],
) -> None:
    """Write what is kept about a person of a case, for a subject access request, as a page to be read before it leaves: others
    are blacked out, and what others told in confidence is left out; a person decides whether that is enough."""
    from mash.flows.telling.access_request import answer

    try:
        # Made first, and closed: nobody else can read it, and nothing is asked for that could not be written.
        file.touch(mode=0o600, exist_ok=False)
    except OSError as failed:
        raise SettingsError(f"--out {file}: {failed.strerror}: expected a file that is not there yet") from None

    async def work(store: Any) -> None:
        try:
            page, left_out = await answer(store, reference, subject, whoever())
        except BaseException:
            file.unlink()
            raise
        file.write_text(page, encoding="utf-8")
        without = counted(left_out, "item is", "items are")
        out.print(f"{file} was written. Read it before it leaves; {without} not in it, and it says why.", markup=False)

    with_store(work)
