#!/usr/bin/env bash
# SQLAlchemy 2.1 and Prefect 3 in one process: importing Prefect's server changes what an application's own func.greatest and func.least
# mean. SQLAlchemy keeps one registry of named functions for the whole process, and takes each subclass of GenericFunction into it by its
# class's name; Prefect's server names two of its classes "greatest" and "least". From then on func.greatest(an interval, …) has a type of
# its own, Interval, where it had none before; and as Interval is built on a DateTime without a zone, a moment with a zone that an interval
# is taken from is bound as one without.
#
# The same query, text and values therefore works until some other part of the program imports Prefect's server, and is refused by asyncpg
# afterwards ("can't subtract offset-naive and offset-aware datetimes"). Shown by what the query is compiled to. Exit 1 when this has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "prefect==3.9.1" "sqlalchemy==2.1.9" "asyncpg==0.32.0"
cat >"$folder/seen.py" <<'PY'
import importlib.metadata
import warnings
from datetime import UTC, datetime, timedelta

from sqlalchemy import Column, DateTime, MetaData, Table, func, select
from sqlalchemy.dialects.postgresql import asyncpg

warnings.simplefilter("ignore")
SENT = Table("sent", MetaData(), Column("at", DateTime(timezone=True)))


def compiled():
    now = datetime.now(UTC)
    late = now - func.greatest(timedelta(minutes=5), now - SENT.c.at)
    text = str(select(SENT.c.at).where(SENT.c.at < late).compile(dialect=asyncpg.dialect()))
    return text.split("WHERE ")[1]


print(*(f"{each} {importlib.metadata.version(each)}" for each in ("sqlalchemy", "prefect", "asyncpg")), sep=", ")
before = compiled()
import prefect.server.utilities.database  # noqa: E402, F401

after = compiled()
print("before Prefect's server was imported:", before)
print("after it was imported:               ", after)
raise SystemExit(not ("$1::TIMESTAMP WITH TIME ZONE -" in before and "$1::TIMESTAMP WITHOUT TIME ZONE -" in after))
PY
HOME="$folder" "$folder/venv/bin/python" "$folder/seen.py"
