#!/usr/bin/env bash
# csc-validator-be-cin (the open validator of England's children in need census), rule 8869: factor 21, "no factors identified", stands
# alone at an assessment. The rule finds no file in which it does not. Once a file has been read, the factors of an assessment are one
# list (['21', '1A']), which the rule turns into a text and compares with the text "21": no list is ever equal to that. Its own test has
# a text in each row, as files have them no longer, and passes. Shown by a made-up file whose assessment has 21 beside 1A, of which no
# rule of the whole set says anything that it does not say of the file with 21 alone.
#
# The rule is one of the census' errors, not of its queries. Exit 1 when this has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "csc-validator-be-cin==0.1.13" "pandas<3" "numpy<2"
cat >"$folder/seen.py" <<'PY'
import contextlib
import importlib
import importlib.metadata
import io
import xml.etree.ElementTree as ET

from cin_validator import cin_validator

registry = importlib.import_module("cin_validator.rules.cin2025_26").registry


def under(name, *parts):
    """An element with what stands in it: further elements, or a text."""
    made = ET.Element(name)
    for part in parts:
        if isinstance(part, str):
            made.text = part
        else:
            made.append(part)
    return made


def message(*codes):
    """A census of one child, who was assessed, with these factors."""
    factors = under("FactorsIdentifiedAtAssessment", *(under("AssessmentFactors", code) for code in codes))
    begun, ended = under("AssessmentActualStartDate", "2026-03-03"), under("AssessmentAuthorisationDate", "2026-03-20")
    collected = (under("Collection", "CIN"), under("Year", "2026"), under("ReferenceDate", "2026-03-31"))
    source = ("SourceLevel", "L"), ("LEA", "201"), ("SoftwareCode", "none"), ("Release", "1"), ("SerialNo", "001")
    source = [*(under(*each) for each in source), under("DateTime", "2026-05-01T01:00:00")]
    who = ("LAchildID", "CHILD1"), ("UPNunknown", "UN7"), ("PersonBirthDate", "2014-05-06"), ("Sex", "F")
    known = under("ChildCharacteristics", under("Ethnicity", "WBRI"), under("Disabilities", under("Disability", "NONE")))
    came = ("CINreferralDate", "2026-03-02"), ("ReferralSource", "2A"), ("PrimaryNeedCode", "N1")
    episode = under("CINdetails", *(under(*each) for each in came), under("Assessments", begun, ended, factors))
    episode.append(under("ReferralNFA", "0"))
    child = under("Child", under("ChildIdentifiers", *(under(*each) for each in who)), known, episode)
    header = under("Header", under("CollectionDetails", *collected), under("Source", *source))
    return under("Message", header, under("Children", child))


def broken(*codes):
    """Which rules the validator says are broken, which it could not run, and how it holds the factors."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        tables = cin_validator.process_data(cin_validator.convert_data(message(*codes)))
        held = list(tables["Assessments"]["AssessmentFactors"])
        validator = cin_validator.CinValidator(tables, registry)
    issues, several = validator.full_issue_df, validator.multichild_issues
    found = {str(code) for frame in (issues, several) if len(frame) for code in frame["rule_code"]}
    return sorted(found), [line for line in printed.getvalue().splitlines() if "8869" in line], held


print("csc-validator-be-cin", importlib.metadata.version("csc-validator-be-cin"))
print("8869:", next(rule.message for _, rule in registry.items() if str(rule.code) == "8869"))
alone, beside = broken("21"), broken("21", "1A")
print("21 alone:     broken", alone[0], " held as", alone[2])
print("21 beside 1A: broken", beside[0], " held as", beside[2])
raise SystemExit(0 if "8869" not in beside[0] and not beside[1] and beside[0] == alone[0] else 1)
PY
"$folder/venv/bin/python" -W ignore "$folder/seen.py"
