"""The two outside validators as they are published, each in an environment of its own, made once under build/validators."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "build" / "validators"
CIN = ("csc-validator-be-cin==0.1.13", "numpy<2")
LIIATOOLS = ("liiatools==0.2.0", "faust-cchardet")
OF_LIIATOOLS = (
    "PyYAML<7",
    "XlsxWriter<4",
    "click<9",
    "click-log<0.5",
    "dacite<2",
    "lxml<5",
    "more-itertools<9",
    "openpyxl<4",
    "pandas<2",
    "numpy<2",
    "python-decouple<4",
    "regex<2023",
    "sfdata-stream-parser==0.4.1",
    "tablib[cli,xlsx]<4",
    "xlrd<3",
    "xmlschema<2",
)
"""What it needs besides, as it says itself; of cchardet, which does not build any more, the maintained one stands above."""
CRASHING = ("8614", "8897Q", "8898")
"""Rules that stop in the validator itself where they would find something; 8869 compares a list with a text: it finds nothing."""


def environment(name: str, *steps: tuple[str, ...]) -> Path:
    """The Python of an environment in which these were installed, step by step."""
    home = HOME / name
    ready = home / ".ready"
    wanted = json.dumps(steps)
    if not ready.is_file() or ready.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        for step in steps:
            quiet = ["-qq", "--disable-pip-version-check"]
            subprocess.run([str(home / "bin" / "python"), "-m", "pip", "install", *quiet, *step], check=True, capture_output=True)
        ready.write_text(wanted)
    return home / "bin" / "python"


def census_validator() -> Path:
    """The Python that has csc-validator-be-cin."""
    return environment("cin", CIN)


def liiatools() -> Path:
    """The Python that has liiatools."""
    return environment("liiatools", ("--no-deps", *LIIATOOLS), OF_LIIATOOLS)


def census_issues(ruleset: str, files: list[Path]) -> dict[str, Any]:
    """What the census' validator finds in each file: `broken`, `crashed`, `run`; and the kind of each rule (`rules`)."""
    script = Path(__file__).with_name("outside_cin.py")
    asked = [str(census_validator()), "-W", "ignore", str(script), ruleset, *map(str, files)]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def schema_errors(files: list[Path]) -> dict[str, list[str]]:
    """What is wrong with each file by liiatools' newest copy of the census' schema, of 2024, with what has changed since."""
    asked = [str(liiatools()), "-W", "ignore", str(Path(__file__).with_name("outside_schema.py")), *map(str, files)]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def annex_log(workbook: Path, folder: Path) -> str:
    """What liiatools' own command says of a workbook."""
    asked = ["-m", "liiatools", "annex-a", "cleanfile", "--i", str(workbook), "--la_code", "CAM"]
    logs = folder / "logs"
    logs.mkdir()
    (folder / "out").mkdir()
    asked += ["--la_log_dir", str(logs), "--o", str(folder / "out")]
    subprocess.run([str(liiatools()), "-W", "ignore", *asked], capture_output=True, text=True, check=True)
    return "\n".join(path.read_text() for path in sorted(logs.iterdir()))
