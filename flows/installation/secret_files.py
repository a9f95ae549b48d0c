"""The secrets of an installation: each in a file of its own in the data directory, made where it is missing."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

from pydantic import SecretStr

from mash.config.settings import Settings

SECRETS = (
    "database_url",
    "system_database_url",
    "owner_database_url",
    "prefect_database_url",
    "master_key",
    "signing_key",
    "token_key",
    "prefect_auth_string",
)


def secrets_folder(settings: Settings) -> Path:
    """Where an installation keeps its secrets."""
    return settings.data_dir / "keys"


def complete(settings: Settings) -> Settings:
    """The settings with the secrets that an installation keeps in its data directory, where the environment gives none."""
    found = {
        name: SecretStr(path.read_text().strip())
        for name in SECRETS
        if getattr(settings, name) is None and (path := secrets_folder(settings) / name).is_file()
    }
    if settings.master_key_command:
        found.pop("master_key", None)
    where = {"master_key_file": secrets_folder(settings) / "master_key"} if "master_key" in found else {}
    return settings.model_copy(update={**found, **where})


def new_master() -> str:
    """A fresh master key, as it is written into a file: 32 random bytes in base64."""
    return base64.b64encode(os.urandom(32)).decode()


def provide_secrets(settings: Settings) -> Settings:
    """Keep every secret in a file of its own, making those that are missing; returns the settings with all of them."""
    settings = complete(settings)
    made = {
        **({} if settings.master_key_command else {"master_key": new_master()}),
        "signing_key": base64.b64encode(os.urandom(32)).decode(),
        "token_key": secrets.token_urlsafe(32),
        "prefect_auth_string": f"mash:{secrets.token_urlsafe(18)}",
    }
    settings = settings.model_copy(
        update={name: SecretStr(value) for name, value in made.items() if getattr(settings, name) is None}
    )
    secrets_folder(settings).mkdir(mode=0o700, exist_ok=True)
    for name in (*SECRETS, "mail_url", "pulse_url", "notify_token"):
        if (secret := getattr(settings, name)) is not None and not elsewhere(settings, name):
            write_secret(secrets_folder(settings) / name, secret.get_secret_value())
    if not elsewhere(settings, "master_key"):
        settings = settings.model_copy(update={"master_key_file": secrets_folder(settings) / "master_key"})
    return settings


def elsewhere(settings: Settings, name: str) -> bool:
    """Whether a secret has a place of its own, where it is read again when it changes."""
    return name == "master_key" and bool(settings.master_key_command or settings.master_key_file)


def write_secret(path: Path, value: str) -> None:
    """Put a secret into a file that nobody else reads; whoever reads it meanwhile gets the old one or the new one, whole."""
    new = path.with_name(f".{path.name}.new")
    new.touch(mode=0o600)
    new.chmod(0o600)
    new.write_text(value)
    new.replace(path)
