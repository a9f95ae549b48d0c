"""What splink finds in the same contacts, on plain data: a program of its own, run in an environment of its own.

Tuned as its documentation says: blocking rules that together cover what may be wrong, comparisons of its library with term
frequencies, u by random sampling, m by expectation maximisation in rounds that block on different columns, and the chance that
two records match from rules that are nearly always right. Reads people as JSON lines, writes pairs as CSV.
"""

import sys

import duckdb  # type: ignore[import-not-found,unused-ignore]  # not of the product's environment
import splink.comparison_library as cl  # type: ignore[import-not-found,unused-ignore]
from splink import DuckDBAPI, Linker, SettingsCreator, block_on  # type: ignore[import-not-found,unused-ignore]

BLOCKING = (
    ("nhs_number",), ("upn",), ("given", "family"), ("given", "born"), ("family", "born"), ("given", "days"),
    ("family", "days"), ("given", "family_sound"), ("family", "given_sound"), ("born",), ("address",), ("postcode",),
)  # fmt: skip

# Measured too, on seed 1: an address beside the postcode, or family and postcode as a round of training, makes siblings into one
# child; given and family name as one comparison finds no more. Names are blocked on by how they sound too.


def predicted(people: str, pairs: str, recall: float) -> None:
    """Write the pairs of one asked-about person and one of another contact, with their weights."""
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    connection.execute(
        "CREATE TABLE people AS SELECT *, strftime(born, '%d-%m') AS days"  # noqa: S608  a path of ours
        f" FROM read_json('{people}', format = 'newline_delimited', columns = {{unique_id: 'BIGINT', contact: 'BIGINT',"
        " asked: 'BOOLEAN', given: 'VARCHAR', family: 'VARCHAR', given_sound: 'VARCHAR', family_sound: 'VARCHAR', born: 'DATE',"
        " postcode: 'VARCHAR', address: 'VARCHAR', nhs_number: 'VARCHAR', upn: 'VARCHAR'})"
    )
    api = DuckDBAPI(connection=connection)
    linker = Linker(api.register("people"), _settings())
    training = linker.training
    sure = [block_on("nhs_number"), block_on("upn"), block_on("given", "family", "born")]
    training.estimate_probability_two_random_records_match(sure, recall=recall)
    training.estimate_u_using_random_sampling(max_pairs=5e6, seed=1)
    for columns in (("given", "family"), ("born",), ("given", "postcode")):
        training.estimate_parameters_using_expectation_maximisation(block_on(*columns))
    found = linker.inference.predict(threshold_match_weight=-12)
    connection.execute(
        "COPY (SELECT l.asked AS left_asked, r.asked AS right_asked, unique_id_l, unique_id_r, match_weight"  # noqa: S608  a name of splink's
        f" FROM {found.physical_name} JOIN people l ON l.unique_id = unique_id_l JOIN people r ON r.unique_id = unique_id_r"
        f" WHERE l.contact <> r.contact) TO '{pairs}' (HEADER)"
    )


def _settings() -> object:
    both = " AND (l.asked OR r.asked) AND l.contact <> r.contact"
    rules = [" AND ".join(f"l.{name} = r.{name}" for name in names) + both for names in BLOCKING]
    return SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="unique_id",
        blocking_rules_to_generate_predictions=rules,
        comparisons=[
            cl.NameComparison("given").configure(term_frequency_adjustments=True),
            cl.NameComparison("family").configure(term_frequency_adjustments=True),
            cl.DateOfBirthComparison("born", input_is_string=False),
            cl.ExactMatch("postcode").configure(term_frequency_adjustments=True),
            cl.ExactMatch("nhs_number"),
            cl.ExactMatch("upn"),
        ],
        additional_columns_to_retain=["contact", "asked"],
    )


if __name__ == "__main__":
    predicted(sys.argv[1], sys.argv[2], float(sys.argv[3]))
