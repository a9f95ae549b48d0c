"""Run by the census validator's own environment: what csc-validator-be-cin, as published, finds in each file. JSON comes out.

python outside_cin.py RULESET FILE…
"""

import contextlib
import importlib
import io
import json
import re
import sys
import xml.etree.ElementTree as ET
from importlib.metadata import version

from cin_validator import cin_validator


def found_in(path, registry):
    """The rules that found something, those that crashed, and how many ran."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        tables = cin_validator.process_data(cin_validator.convert_data(ET.parse(path).getroot()))
        validator = cin_validator.CinValidator(tables, registry)
    crashed = re.findall(r"Error with rule (\w+):", said.getvalue())
    issues = validator.full_issue_df
    places = {}
    for _, row in issues.iterrows():
        places.setdefault(str(row["rule_code"]), set()).add(str(row["child_id"]))
    broken = {code: sorted(children) for code, children in places.items()}
    for code in validator.multichild_issues["rule_code"] if len(validator.multichild_issues) else ():
        broken.setdefault(str(code), [])
    return {
        "broken": broken,
        "crashed": crashed,
        "run": len(registry) - len(crashed),
        "children": len(tables["ChildIdentifiers"]),
    }


def main():
    ruleset, paths = sys.argv[1], sys.argv[2:]
    registry = importlib.import_module(f"cin_validator.rules.{ruleset}").registry
    kinds = {str(rule.code): rule.rule_type.value for _, rule in registry.items()}
    files = {path: found_in(path, registry) for path in paths}
    json.dump({"version": version("csc-validator-be-cin"), "rules": kinds, "files": files}, sys.stdout)


main()
