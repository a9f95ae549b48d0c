#!/usr/bin/env bash
# csc-validator-be-cin (the open validator of England's children in need census) and a rule that stops: it counts as passed. Whoever asks
# the validator which rules a file breaks is given the same answer for a file in which an assessment names one factor twice (rule 8898)
# as for a file without that fault, and the same again where factors stand at an assessment that is not finished (rule 8614). Both rules
# raise a TypeError wherever they would find something, because factors are a list; the validator prints that line by line to standard
# output and goes on, and neither its table of issues nor its list of broken rules mentions a rule that did not run to its end.
#
# An empty table of issues therefore does not say that the file is right: what is printed has to be read beside it. The file here is made
# up. Exit 1 when this has changed.
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
FILE = """
<Message>
  <Header>
    <CollectionDetails><Collection>CIN</Collection><Year>2026</Year><ReferenceDate>2026-03-31</ReferenceDate></CollectionDetails>
    <Source>
      <SourceLevel>L</SourceLevel><LEA>201</LEA><SoftwareCode>none</SoftwareCode><Release>1</Release><SerialNo>001</SerialNo>
      <DateTime>2026-05-01T01:00:00</DateTime>
    </Source>
  </Header>
  <Children>
    <Child>
      <ChildIdentifiers>
        <LAchildID>CHILD1</LAchildID><UPNunknown>UN7</UPNunknown><PersonBirthDate>2014-05-06</PersonBirthDate><Sex>F</Sex>
      </ChildIdentifiers>
      <ChildCharacteristics>
        <Ethnicity>WBRI</Ethnicity><Disabilities><Disability>NONE</Disability></Disabilities>
      </ChildCharacteristics>
      <CINdetails>
        <CINreferralDate>2026-03-02</CINreferralDate><ReferralSource>2A</ReferralSource><PrimaryNeedCode>N1</PrimaryNeedCode>
        <Assessments>
          <AssessmentActualStartDate>2026-03-03</AssessmentActualStartDate>{finished}
          <FactorsIdentifiedAtAssessment>{factors}</FactorsIdentifiedAtAssessment>
        </Assessments>
        <ReferralNFA>0</ReferralNFA>
      </CINdetails>
    </Child>
  </Children>
</Message>"""
FINISHED = "<AssessmentAuthorisationDate>2026-03-20</AssessmentAuthorisationDate>"


def asked(finished, *codes):
    """Which rules the validator says are broken, and what it prints."""
    factors = "".join(f"<AssessmentFactors>{code}</AssessmentFactors>" for code in codes)
    root = ET.fromstring(FILE.format(finished=finished, factors=factors))
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        validator = cin_validator.CinValidator(cin_validator.process_data(cin_validator.convert_data(root)), registry)
    issues = validator.full_issue_df
    codes = {str(code) for code in issues["rule_code"]} if len(issues) else set()
    codes |= {str(code) for code in validator.multichild_issues["rule_code"]} if len(validator.multichild_issues) else set()
    return sorted(codes), [line.split(",")[0] for line in printed.getvalue().splitlines() if line.startswith("Error with rule")]


print("csc-validator-be-cin", importlib.metadata.version("csc-validator-be-cin"))
right, twice, unfinished = asked(FINISHED, "1A", "3B"), asked(FINISHED, "1A", "1A"), asked("", "1A")
print("a right file:                        broken", right[0], " printed", right[1])
print("one factor twice (8898):             broken", twice[0], " printed", twice[1])
print("factors of an unfinished one (8614): broken", unfinished[0], " printed", unfinished[1])
same = "8898" not in twice[0] and "8614" not in unfinished[0]
stopped = any("8898" in line for line in twice[1]) and any("8614" in line for line in unfinished[1])
raise SystemExit(0 if same and stopped and not right[1] else 1)
PY
"$folder/venv/bin/python" -W ignore "$folder/seen.py"
