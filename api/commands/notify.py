"""`mash notify`: trying the channels, looking at the words, and what could not be delivered."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from mash.api.commands.installed import counted, installed, out, with_store
from mash.states.clocks import local

app = typer.Typer(no_args_is_help=True, help="Notices: try channels, look at the words, see what could not be delivered.")


@app.command("test")
def try_channels(
    role: str,
    hub: Annotated[str, typer.Option(help="The hub; needed when this installation serves several.")] = "",
    everybody: Annotated[bool, typer.Option("--everybody", help="Not only who is on duty now: everybody who ever is.")] = False,
) -> None:
    """Send a test by every channel of whoever holds ROLE now, and say what each did; exit code 1 when one failed."""
    from mash.config.channels import read_channels
    from mash.flows.store.rotas import read_rotas
    from mash.notifications import sender
    from mash.notifications.preview import preview
    from mash.notifications.routing import of_person, recipients

    settings = installed()
    if len(settings.hub_names) > 1 and not hub:
        raise typer.BadParameter(f"say which hub: --hub one of {', '.join(settings.hub_names)}")
    name = hub or settings.hub_names[0]

    async def work(store: Any) -> None:
        profile, rotas, channels = store.hub(name), await read_rotas(store), read_channels(settings.channels_file)
        found = recipients(channels, rotas, profile.calendar, name, role, store.time.now())
        if everybody and name in rotas:
            found = tuple(of_person(channels, name, role, person) for person in rotas[name].people(role))
        own = settings.templates_dir
        message = preview("test", hub=name, own=own, hub_title=profile.title, role=role.replace("_", " "))
        message = message.model_copy(update={"links": ()})
        tried = [
            (each.person or role, label, await sender.send(channel, message))
            for each in found
            for step in each.steps
            for label, channel in step.channels
        ]
        for who, label, result in tried:
            out.print(f"{who:<16} {label:<28} {result.result}", markup=False)
        if not tried:
            out.print(f"{role} of {name} has no channel: add one to the file that MASH_CHANNELS_FILE names")
        if not tried or not all(result.taken for _, _, result in tried):
            raise typer.Exit(1)

    with_store(work)


@app.command("preview")
def preview_(
    kind: Annotated[str, typer.Argument(help="The kind of notice; without it, all of them.")] = "",
    hub: Annotated[str, typer.Option(help="With this hub's own words, where it has them (MASH_TEMPLATES_DIR).")] = "",
    html: Annotated[bool, typer.Option("--html", help="As HTML.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show how notices read, with example facts."""
    from mash.notifications.preview import preview
    from mash.notifications.wording import KINDS

    own = installed().templates_dir
    messages = {name: preview(name, hub=hub, own=own) for name in ([kind] if kind else KINDS)}
    if as_json:
        print(json.dumps({name: {"title": m.title, "text": m.body, "html": m.html} for name, m in messages.items()}))
        return
    for name, message in messages.items():
        if html:
            print(message.html)
        else:
            out.print(f"--- {name}\n{message.title}\n\n{message.body}\n", markup=False)


@app.command()
def dead() -> None:
    """List the notices that could not be delivered after their last try."""
    from mash.flows.store.trouble import dead_notices

    async def work(store: Any) -> None:
        found = await dead_notices(store)
        for row in found:
            who = f"{row.role}{f' ({row.person})' if row.person else ''}"
            out.print(
                f"{row.id:>8}  {local(row.created_at)}  {row.kind:<20} {who} of {row.hub}  {row.reference or ''}", markup=False
            )
        out.print(f"{counted(len(found), 'notice')} could not be delivered")

    with_store(work)


@app.command()
def retry() -> None:
    """Have the notices that could not be delivered tried once more."""
    from mash.flows.store.trouble import revive

    async def work(store: Any) -> None:
        out.print(f"{counted(await revive(store), 'notice is', 'notices are')} tried again")

    with_store(work)
