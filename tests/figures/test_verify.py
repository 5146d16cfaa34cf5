"""The ledger on a terminal: claims in a sentence, one claim in full, all evidence as a table."""

import csv
import io
import json

import pytest

from figures import ledger
from figures.__main__ import COMMANDS
from figures.commands import verify
from lab.cli import main
from lab.estimate import exact, student
from tests.figures.conftest import CLAIM
from theory.claims import Evidence


def pieces() -> list[Evidence]:
    real = [Evidence(CLAIM, "real", f"net {i}", student(0.2, 0.02 + 0.01 * i, 8), tuple("abcd"), piece=f"net-{i}", study="nets",
                     cluster=f"net {i}") for i in range(5)]
    toy = Evidence(CLAIM, "toy", "toy", student(0.011, 0.01, 5), ("a",))
    return [Evidence(CLAIM, "theory", "formula", exact(0.2)), *real, toy]


def row() -> dict:
    return next(row for row in ledger.rows(pieces()) if row["id"] == CLAIM)


def test_a_row_has_the_parts_of_a_row():
    want = ["id", "source", "claim", "statistic", "rule", "primary", "scope", "summary", "theory", "toy", "real", "verdict"]
    assert [key for key in row() if key in want] == want
    assert {"verdict", "pooled", "evidence"} <= set(row()["real"]) and row()["real"]["pooled"]["n"] == 5
    assert json.loads(json.dumps(row()["real"]["evidence"][0]))["judgement"] == "holds"


def test_one_claim_in_full():
    text = "\n".join(verify.in_full(row()))
    for part in ("rule: holds above 0.01", "mean over 5 settings 0.2", "a new setting [", "holds                  0.2 exact",
                 "p: holds 1.", "nets/net-1: 4 runs, a, b, c and 1 more", "replicas for 80 % power", "undecided", "refuted by"):
        assert part in text, part


def test_a_table_of_all_evidence(laboratory, write, tmp_path, capsys):
    write("kept", "full", [1.0, 4.0])
    assert main("figures", COMMANDS, ["verify", "--table"]) == 0
    (found,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (found["claim"], found["column"], found["judgement"], float(found["mean"])) == (CLAIM, "toy", "holds", 4)
    assert main("figures", COMMANDS, ["verify", "--table", "all.csv", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["wrong"]["decided"] == 0  # the real column is open
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 2


def test_claims_in_a_sentence(laboratory, write, capsys):
    write("kept", "full", [1.0, 4.0])
    assert main("figures", COMMANDS, ["verify", "--only", CLAIM]) == 0
    out = capsys.readouterr().out
    assert all(text in out for text in (f"{CLAIM}: INCONCLUSIVE", "Toy models: holds in squares (4).", "expected to be wrong"))
    assert main("figures", COMMANDS, ["verify", "--claim", CLAIM.replace("-", "_")]) == 0
    assert "statistic: " in capsys.readouterr().out


@pytest.mark.parametrize("argv, said", [
    (["--claim", CLAIM + "r"], f"did you mean {CLAIM}?"), (["--claim", CLAIM, "--only", "s0"], "combined with --only"),
    (["--table", "--json"], "--table FILE"), (["--only", "s9"], "starts with 's9'")])
def test_bad_usage(laboratory, capsys, argv, said):
    assert main("figures", COMMANDS, ["verify", *argv]) == 2
    assert said in capsys.readouterr().err
