"""`mash backup`, `mash restore` and `mash backup-key`: that nothing is lost, and that it can be shown."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from mash.api.commands.installed import broken, installed, out
from mash.config.errors import SettingsError
from mash.config.settings import Settings, read_secret_file

IdentityFile = Annotated[
    Path | None,
    typer.Option(
        "--identity", help="The file of the identity that opens backups (mode 600), instead of MASH_BACKUP_IDENTITY_FILE."
    ),
]


def backup(
    where: Annotated[Path, typer.Argument(help="The file to write; or a folder, where it is named by its time (UTC).")],
    verified: Annotated[
        bool,
        typer.Option("--verify/--no-verify", help="Before it gets its name, restore it into a fresh PostgreSQL and verify."),
    ] = True,
    identity: IdentityFile = None,
) -> None:
    """Back up the database, encrypted to MASH_BACKUP_RECIPIENT, while everything runs. Exit code 1, and no file, if it fails."""
    from mash.flows.installation.backup import make_backup
    from mash.flows.installation.envelope import recipients

    settings = installed()
    to = recipients(settings.backup_recipient)
    if verified and identity is None and settings.backup_identity is None:
        raise SettingsError(
            "a backup cannot be verified here: this machine has no identity to open it with. Say --identity FILE"
            " (or MASH_BACKUP_IDENTITY_FILE); or --no-verify, and run `mash restore --check FILE --identity ...` where one is"
        )
    by = _identities(settings, identity) if verified else []
    with _failures_in_words():
        made = make_backup(settings, where, to, by)
    out.print(f"{made.path}: {made.size / 1e6:,.2f} MB, made in {made.seconds:.1f} s", markup=False)
    out.print(f"{_counts(made.counts)}, as they were at {made.at:%Y-%m-%d %H:%M:%S} UTC")
    if made.verified_in is None:
        out.print("NOT verified: run `mash restore --check` on it where the identity and the master key are.")
    else:
        out.print(
            f"verified in {made.verified_in:.1f} s: restored into a fresh PostgreSQL, as many rows in each of {len(made.counts)}"
            " tables, every chain verifies"
        )
    out.print("It is signed: whoever restores it is told if it is another.")
    out.print("The master key is not in it, on purpose: keep that apart. Without it the people in the referrals cannot be read.")


def restore(
    file: Annotated[Path, typer.Argument(help="A backup, as `mash backup` made it.")],
    identity: IdentityFile = None,
    check: Annotated[bool, typer.Option("--check", help="Into a fresh PostgreSQL, which is then removed.")] = False,
    key: Annotated[
        str | None, typer.Option(help="What checks its signature, as `mash checkpoint key` printed it where it was made.")
    ] = None,
    forged: Annotated[
        bool,
        typer.Option(
            "--though-it-may-be-forged",
            help="Also one that nobody signed, as was so before 0.2, or whose signature does not hold: whoever knows the"
            " recipient can have made it, with a history of their own.",
        ),
    ] = False,
) -> None:
    """Restore a backup into an empty database, upgrade its tables, and verify every chain. Exit code 1 if one is broken. With
    the next checkpoint a new epoch begins, which says that it was restored."""
    from mash.api.proof import public
    from mash.flows.installation.backup import check_backup, restore_backup
    from mash.flows.installation.signature import Signer

    settings = installed()
    signer = Signer(public(settings, key) if key or settings.signing_key else None, forged)
    by = _identities(settings, identity)
    with _failures_in_words():
        restored = check_backup(settings, file, by, signer) if check else restore_backup(settings, file, by, signer)
    if forged:
        out.print("WARNING: who made this backup was not asked for. Hold it against checkpoints that were kept elsewhere.")
    for sentence in restored.wrong:
        out.print(sentence, markup=False)
    out.print(f"{'the backup holds' if check else 'restored'} {_counts(restored.counts)}")
    if restored.epoch is not None:
        out.print(restored.epoch, markup=False)
    if restored.next_number is not None:
        out.print(
            f"the next reference has the number {restored.next_number:06d}: none that was given out since the backup comes again"
        )
    out.print(broken(restored.wrong))
    if restored.wrong:
        raise typer.Exit(1)


def backup_key(
    file: Annotated[Path, typer.Argument(help="The file to write the identity to.")],
) -> None:
    """Make an identity that opens backups (a file of mode 600), and print its recipient, to whom backups are encrypted."""
    from mash.flows.installation.envelope import make_identity

    with _failures_in_words():
        recipient = make_identity(file)
    out.print(f"MASH_BACKUP_RECIPIENT={recipient}", markup=False)
    out.print(
        f"{file} opens every backup made to this recipient, and nothing else does: keep it, and a copy, away from this machine.",
        markup=False,
    )


def _identities(settings: Settings, file: Path | None) -> list[Any]:
    """What opens a backup. Without the master key no chain of words can be verified: it is asked for before anything is done."""
    from mash.flows.installation.envelope import identities

    if settings.master_key is None and not settings.master_key_command:
        raise SettingsError(
            "MASH_MASTER_KEY is needed to verify: that of the installation that the backup is of, for no other reads its people."
            f" `mash up` keeps it in {settings.data_dir / 'keys' / 'master_key'}"
        )
    if file is not None:
        return identities(read_secret_file(file, "--identity"))
    if settings.backup_identity is None:
        raise SettingsError("an identity is needed to open a backup: --identity FILE, or MASH_BACKUP_IDENTITY_FILE")
    return identities(settings.backup_identity.get_secret_value())


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{counts.get(table, 0):,} {table}s" for table in ("referral", "event", "receipt"))


@contextmanager
def _failures_in_words() -> Iterator[None]:
    """A failure is sentences and exit code 1. To be told to stop is one too: what is unfinished is removed."""
    from mash.flows.installation.copies import BackupFailed
    from mash.flows.installation.processes import ClusterNotStarted

    def stop(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # told once: what is unfinished is being removed
        sys.exit(143)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except (BackupFailed, ClusterNotStarted) as failed:
        print(f"mash: {failed}", file=sys.stderr)
        raise typer.Exit(1) from None
    finally:
        signal.signal(signal.SIGTERM, before)
