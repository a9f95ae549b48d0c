"""Run by liiatools' own environment: what its copy of the census' schema of 2024 finds in each file. JSON comes out.

Two things have changed since, or are wrong in that copy: sex is M, F or U in an element `Sex`, and a child may have had no plan
before."""

import json
import sys
from pathlib import Path

import xmlschema
from liiatools.spec import cin_census

SCHEMA = Path(cin_census.__file__).parent / "CIN_schema_2024.xsd"
SEX = '<xs:enumeration value="{}">\n        <xs:annotation><xs:documentation>{}'
CHANGED = (
    ('name="GenderCurrent" type="gendertype"', 'name="Sex" type="gendertype"'),
    (SEX.format(1, "Male"), SEX.format("M", "Male")),
    (SEX.format(2, "Female"), SEX.format("F", "Female")),
    (SEX.format(0, "Not"), SEX.format("U", "Not")),
    ('type="xs:positiveInteger"', 'type="xs:nonNegativeInteger"'),
)


def main():
    text = SCHEMA.read_text(encoding="utf-8")
    for before, after in CHANGED:
        if before not in text:
            sys.exit(f"the schema is another one: {before} is not in it")
        text = text.replace(before, after, 1)
    schema = xmlschema.XMLSchema(text)
    found = {path: [f"{e.path}: {e.reason}" for e in schema.iter_errors(path)] for path in sys.argv[1:]}
    json.dump(found, sys.stdout)


main()
