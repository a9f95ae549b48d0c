"""atheris on one parser for some seconds: python tests/chaos/fuzz/run_parsers.py PARSER SECONDS SEED (0: any). Prints libFuzzer's
figures."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["mash", "tomllib", "icalendar", "itsdangerous", "csv", "json"]):
    from parsers import check
from seeds import folder_of


def main(name: str, seconds: str, seed: str) -> None:
    """Feed the parser until the time is over, or until it breaks its promise: then the input is kept beside, as crash-*."""
    corpus = folder_of(name, Path(tempfile.mkdtemp(prefix="mash-corpus-")))
    options = [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=1500", "-max_len=20000", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], f"-seed={seed}", *options, str(corpus)], lambda data: check(name, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
