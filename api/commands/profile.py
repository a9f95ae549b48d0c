"""`mash profile` and `mash walk`: what a hub's profile says, and what becomes of a referral under it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mash.api.commands.installed import counted
from mash.config.describe import Setting, describe, differences, explain
from mash.config.documents import not_found, quoted, read_documents
from mash.config.profile import ProfileError, load_profile, own_file, stated
from mash.config.profile_files import available
from mash.config.quotations import unquoted, unread
from mash.config.settings import read_settings
from mash.flows.telling.at_night import at_night
from mash.flows.telling.walk import Line, as_text, walk_all
from mash.states.errors import NotInProfile
from mash.states.profile import Profile

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
app = typer.Typer(no_args_is_help=True, help="The hubs' profiles.")
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 180)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """The profiles there are, with what distinguishes them."""
    directory = read_settings().profiles_dir
    rows = []
    for name in available(directory):
        profile = load_profile(name, directory)
        rows.append(
            {
                "name": name,
                "title": profile.title,
                "ratings": list(profile.ratings),
                "agencies": len(profile.agencies),
                "stated": len(stated(name, directory)),
                "version": profile.digest[:12],
            }
        )
    _print(rows, as_json, counted(len(rows), "profile"), ("name", "title", "ratings", "agencies", "stated", "version"))


@app.command()
def show(name: str, as_json: AsJson = False) -> None:
    """A profile with all its settings, and where each comes from; or by another edition of the guidance: kent@2026."""
    directory = read_settings().profiles_dir
    profile = _by_edition(name, directory)
    hub, _, edition = name.partition("@")
    settings = describe(hub, directory, edition)
    if as_json:
        _json({"name": name, "title": profile.title, "version": profile.digest, "settings": [asdict(s) for s in settings]})
        return
    _settings(settings, f"{profile.title} (version {profile.digest[:12]})")


@app.command()
def check(names: Annotated[list[str] | None, typer.Argument()] = None, as_json: AsJson = False) -> None:
    """Check profiles (all of them, unless some are named): what is wrong, with file, line and what is expected.

    A source that names a document quotes its words, or says that the setting is the product's default or ours; one
    that names a law or statutory guidance says when that was read, and how.
    """
    directory = read_settings().profiles_dir
    files = {name: own_file(name, directory) for name in names or available(directory)}
    if problems := [problem for file in files.values() for problem in (*unquoted(file), *unread(file))]:
        raise ProfileError(tuple(problems))
    versions = {name: load_profile(name, directory).digest for name in files}
    if as_json:
        _json(versions)
        return
    for name, version in versions.items():
        out.print(f"{name}: good, version {version[:12]}")


@app.command("sources")
def sources_(
    folder: Annotated[Path, typer.Argument(help="The documents: as text, Markdown, HTML or Word.")],
    names: Annotated[list[str] | None, typer.Argument()] = None,
) -> None:
    """Look for every quotation of profiles (all, unless some are named) in a folder's documents, and name those not there."""
    directory = read_settings().profiles_dir
    documents = read_documents(folder)
    files = [own_file(name, directory) for name in names or available(directory)]
    if problems := [problem for file in files for problem in (*unquoted(file), *not_found(file, documents))]:
        raise ProfileError(tuple(problems))
    out.print(f"{counted(sum(map(quoted, files)), 'quotation')} of {counted(len(files), 'profile')}: none not found")


@app.command()
def diff(one: str, other: str, as_json: AsJson = False) -> None:
    """Where two hubs differ, setting by setting, with the sources; or a hub by two editions of the guidance: kent kent@2026."""
    rows = [
        {
            "setting": name,
            one: a.value if a else None,
            other: b.value if b else None,
            f"{one}: source": a.source if a else None,
            f"{other}: source": b.source if b else None,
        }
        for name, a, b in differences(one, other, read_settings().profiles_dir)
    ]
    _print(rows, as_json, f"{one} and {other}", ("setting", one, other, f"{one}: source", f"{other}: source"))


@app.command("explain")
def explain_(name: str, rating: str, as_json: AsJson = False) -> None:
    """What a rating of this hub leads to: the route, the clocks, who is asked, who decides, and where each rule comes from; or of
    the hub by another edition of the guidance: kent@2026."""
    directory = read_settings().profiles_dir
    try:
        rows = explain(name, rating, directory)
    except LookupError as unknown:
        raise NotInProfile(str(unknown)) from None
    if as_json:
        _json({"name": name, "rating": rating, "rules": [asdict(row) for row in rows]})
        return
    _settings(rows, f"{_by_edition(name, directory).title}: {rating}")


def _by_edition(name: str, directory: Path | None) -> Profile:
    """A hub's profile; by another edition of the guidance than it has chosen, where it is named with that: 'kent@2026'."""
    hub, _, edition = name.partition("@")
    return load_profile(hub, directory, edition)


def walk(name: str, as_json: AsJson = False) -> None:
    """Walk a referral of each rating through a hub's profile, on a virtual clock: every step, due time and alert; or through the
    hub's by another edition of the guidance: kent@2026."""
    profile = _by_edition(name, read_settings().profiles_dir)
    walks = walk_all(profile)
    if as_json:
        _json(
            {
                "profile": name,
                "version": profile.digest,
                "at_night": asdict(at_night(walks)),
                "walks": [
                    {
                        "rating": done.rating,
                        "outcomes": sorted({s.outcome or "" for s in done.referral.subjects.values()}),
                        "lines": [_line(line) for line in done.lines],
                    }
                    for done in walks
                ],
            }
        )
        return
    for done in walks:
        out.print(f"\n{profile.title}, {profile.ratings[done.rating].title}")
        for line in as_text(done.lines):
            out.print(line, markup=False)
    out.print(f"\n{at_night(walks)}", markup=False)


def _line(line: Line) -> dict[str, Any]:
    return {**asdict(line), "at": line.at.isoformat(), "due_at": line.due_at.isoformat() if line.due_at else None}


def _settings(settings: list[Setting], title: str) -> None:
    _print([asdict(setting) for setting in settings], False, title, ("name", "value", "source"))


def _print(rows: list[dict[str, Any]], as_json: bool, title: str, columns: tuple[str, ...]) -> None:
    if as_json:
        _json(rows)
        return
    shown = Table(*columns, title=title)
    for row in rows:
        cells = (row[column] for column in columns)
        # Escaped: [check] would be taken for a style, and be gone.
        shown.add_row(*("" if c is None else escape(", ".join(c) if isinstance(c, list) else str(c)) for c in cells))
    out.print(shown)


def _json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))
