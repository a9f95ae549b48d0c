#!/usr/bin/env bash
# splink 5.0.0 on duckdb 2.0.1: a column whose name is a word of SQL (`both`, `end`, `order`) cannot have term frequencies. splink puts the name
# in quotation marks, and then makes the name of a table of it, quotation marks and all: a parser error about a table that nobody named,
# while the first parameters are estimated.
#
# Shown with one comparison of such a column, and of the same one under another name. Exit 1 when this has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "splink==5.0.0" "duckdb==2.0.1"
"$folder/venv/bin/pip" list --disable-pip-version-check 2>/dev/null | grep -iE '^(splink|duckdb) '
cat >"$folder/them.py" <<'PY'
import sys

import duckdb
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

name = sys.argv[1]
connection = duckdb.connect()
connection.execute(f'CREATE TABLE people AS SELECT i AS unique_id, i % 7 AS born, \'name \' || i % 5 AS "{name}" FROM range(40) r(i)')
settings = SettingsCreator(
    link_type="dedupe_only",
    comparisons=[cl.ExactMatch(name).configure(term_frequency_adjustments=True), cl.ExactMatch("born")],
    blocking_rules_to_generate_predictions=[block_on("born")],
)
api = DuckDBAPI(connection=connection)
linker = Linker(api.register("people"), settings)
linker.training.estimate_u_using_random_sampling(max_pairs=1e3)
linker.inference.predict()
print(f"a column named {name}: predicted")
PY
"$folder/venv/bin/python" "$folder/them.py" name 2>/dev/null
if "$folder/venv/bin/python" "$folder/them.py" both 2>"$folder/err"; then exit 1; fi
grep -m1 "Parser Error" "$folder/err"
