"""Settings, read once from the environment and passed in. The only reader of the environment."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from mash.config.errors import SettingsError
from mash.config.profile_files import available


class Settings(BaseModel):
    """All settings. Each is the environment variable MASH_<NAME>; secrets may also be named by MASH_<NAME>_FILE."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    data_dir: Path = Field(default=Path(".var"), description="Where the embedded database, keys and logs live.")
    database_url: SecretStr | None = Field(
        default=None, description="The role people act through. Unset: the embedded PostgreSQL."
    )
    system_database_url: SecretStr | None = Field(default=None, description="The role of what the software does by itself.")
    owner_database_url: SecretStr | None = Field(default=None, description="The owner's role, for migrations only.")
    prefect_database_url: SecretStr | None = Field(default=None, description="Prefect's own database on the same cluster.")
    prefect_api_url: str = Field(default="http://127.0.0.1:4200/api", description="Prefect's server.")
    prefect_auth_string: SecretStr | None = Field(default=None, description="Prefect's login, 'user:password'.")
    api_host: str = "127.0.0.1"
    api_port: int = 8000
    trusted_proxies: str = Field(
        default="127.0.0.1",
        description="Addresses of proxies, separated by commas, that are believed who calls (X-Forwarded-For). Empty: none is.",
    )
    requests_per_minute: int = Field(default=3000, ge=0, description="From each accepted key or token; 0: no limit.")
    anonymous_requests_per_minute: int = Field(default=120, ge=0, description="From each address without one; 0: no limit.")
    drafts_per_hour: int = Field(default=60, ge=0, description="Referrals begun at /refer from each address; 0: no limit.")
    drafts_megabytes: int = Field(default=1000, ge=1, description="Of what is written at /refer and not sent, all together.")
    body_seconds: float = Field(default=20.0, gt=0, description="For the whole of a request's body to arrive.")
    public_url: str = Field(default="", description="The address people reach the API by, for links. Default: host and port.")
    master_key: SecretStr | None = Field(
        default=None,
        description="32 bytes, base64: wraps every referral's key. Older ones behind it still open theirs.",
    )
    master_key_file: Path | None = Field(default=None, description="Where the master key is read from, again when it is rotated.")
    master_key_command: str = Field(
        default="", description="A program that prints the master key: whatever asks your key management service to open it."
    )
    signing_key: SecretStr | None = Field(default=None, description="32 bytes, base64: signs the daily checkpoint (Ed25519).")
    checkpoint_dir: Path | None = Field(
        default=None, description="Where each checkpoint is written too: a place that whoever runs the database cannot change."
    )
    token_key: SecretStr | None = Field(default=None, description="Signs the links in alerts, and the codes that referrers get.")
    hubs: str = Field(default="", description="The hubs that this installation serves, by name. Default: every profile there is.")
    profiles_dir: Path | None = Field(default=None, description="Further profiles of your own, beside the shipped ones.")
    channels_file: Path | None = Field(default=None, description="TOML: Apprise URLs by hub and role. Mode 600.")
    templates_dir: Path | None = Field(default=None, description="Your own words for notices: KIND.j2, or HUB/KIND.j2.")
    pulse_url: SecretStr | None = Field(
        default=None, description="Asked for every minute while all is well: an outside monitor that misses it raises the alarm."
    )
    mail_url: SecretStr | None = Field(
        default=None, description="Apprise URL that referrers are written to through: mailto:// or govuknotify://."
    )
    notify_token: SecretStr | None = Field(
        default=None, description="The bearer token that GOV.UK Notify's delivery receipts bring; 10 characters or more."
    )
    sign_on_file: Path | None = Field(default=None, description="TOML: the OpenID provider, and what its groups mean. Mode 600.")
    local_accounts: bool = Field(default=False, description="Whether staff may sign in by local accounts: for small hubs.")
    accounts_file: Path | None = Field(default=None, description="TOML: the local accounts. Mode 600.")
    session_hours: float = Field(default=12, gt=0, le=24, description="After so long a session is over.")
    session_idle_minutes: float = Field(default=60, gt=0, description="A session that is not used for so long is over.")
    backup_recipient: str = Field(
        default="", description="age1...: to whom backups are encrypted; several, separated by commas, can each open them."
    )
    backup_identity: SecretStr | None = Field(default=None, description="What opens backups: to verify, and to restore.")
    backup_hours: float = Field(
        default=26, ge=0, description="A backup that is older is said in /health. 0: backups are made by other means than ours."
    )
    paper_dir: Path | None = Field(
        default=None,
        description="Where a sealed list of the open cases is written every hour, for work on paper when all is down: a place"
        " that is there without this machine. Unset: none is made.",
    )
    paper_recipient: str = Field(
        default="",
        description="age1...: to whom that list is encrypted; several, separated by commas, can each open it. Unset: to whom"
        " backups are.",
    )
    paper_keep: int = Field(default=48, ge=1, description="How many of these lists are kept of each hub, the newest.")
    time_rate: float = Field(default=1.0, ge=1, description="How many times faster time runs. 1 in real use.")
    time_start: str | None = Field(default=None, description="For demonstrations: the simulated instant at which time starts.")
    settle_seconds: float = Field(
        default=0.5, ge=0, description="How long nothing more happens to a referral before its run is carried."
    )
    story_seconds: float = Field(
        default=300, ge=0, le=300, description="How often the stories are written anew of runs that wait and show more."
    )
    attempts_at_once: int = Field(default=24, ge=1, description="How many runs a worker carries at the same time, at most.")

    @property
    def hub_names(self) -> tuple[str, ...]:
        """The hubs served, by name."""
        return tuple(name.strip() for name in self.hubs.split(",") if name.strip()) or tuple(available(self.profiles_dir))

    @property
    def drafts_room(self) -> int:
        """The bytes that all drafts may have together."""
        return self.drafts_megabytes * 1_000_000

    @property
    def base_url(self) -> str:
        """The address in links, without a trailing slash."""
        return (self.public_url or f"http://{self.api_host}:{self.api_port}").rstrip("/")


def read_settings(environ: dict[str, str] | None = None, **overrides: Any) -> Settings:
    """Settings from MASH_* variables. Raises SettingsError for an unknown, malformed or unreadable one."""
    environ = dict(os.environ) if environ is None else environ
    values: dict[str, Any] = {}
    for name in Settings.model_fields:
        variable = f"MASH_{name.upper()}"
        if variable in environ:
            values[name] = environ[variable]
        elif f"{variable}_FILE" in environ:
            values[name] = read_secret_file(Path(environ[f"{variable}_FILE"]), variable)
    try:
        return Settings(**{**values, **overrides})
    except ValidationError as wrong:
        raise SettingsError("; ".join(f"MASH_{str(err['loc'][0]).upper()}: {err['msg']}" for err in wrong.errors())) from None


def read_secret_file(path: Path, what: str) -> str:
    """A secret's file content. Refuses one that others can read."""
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SettingsError(f"{what}: {path} can be read by others; run: chmod 600 {path}")
        return path.read_text(encoding="utf-8").strip()
    except OSError as missing:
        raise SettingsError(f"{what}: cannot read {path}: {missing.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{what}: {path} is not UTF-8 text") from None
