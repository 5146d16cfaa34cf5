"""Stages of a study: what a run needs comes first, and what cannot succeed is not begun."""

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pytest

from lab.discover import DeclarationError
from lab.errors import InputError
from lab.stages import Stage, carry_out, complete, ordered
from lab.store import RunStore
from lab.study import Study, compute
from tests.lab.experiments import Square


@dataclass(frozen=True)
class Total:
    squares: tuple[Square, ...]


def total(config: Total, folder: Path) -> dict:
    return {"value": sum(SQUARE.obtain(square, folder.parent)["result"]["value"] for square in config.squares)}


SQUARE = Stage("square", "tests.lab.experiments:square", Square)
TOTAL = Stage("total", "tests.lab.test_stages:total", Total, needs={"square": lambda config: config.squares}, schema=2)
STAGES = (TOTAL, SQUARE)  # in any order
TWO, THREE, BAD = Square(2), Square(3), Square(4, behaviour="raise")
STUDY = Study("totals", "", STAGES, lambda scale: [Total((TWO, THREE))] if scale == "full" else [],
              lambda finished: pd.DataFrame([{"value": r["value"]} for _, r in TOTAL.results(finished)]))


def test_what_a_run_needs_is_carried_out_first(tmp_path):
    table = compute(STUDY, "full", store=RunStore(tmp_path))
    assert list(table.frame["value"]) == [13] and table.manifest["whole"]
    assert table.manifest["planned"] == len(table.runs) == 3  # the squares too
    assert [path.read_text() for path in tmp_path.glob("totals/*/started")] == ["x", "x"]
    named = [TWO, THREE, Total((TWO, THREE))]
    assert complete(STAGES, named) == {"square": [TWO, THREE], "total": named[2:]}
    # runs of a stage are shared: in another study's plan they are done, and have the same names
    again = carry_out((SQUARE,), "totals", [TWO], store=RunStore(tmp_path))
    assert again.run_ids[0] in table.runs and (again.folders[0] / "started").read_text() == "x"


def test_a_run_whose_input_failed_is_not_begun(tmp_path):
    found = carry_out(STAGES, "totals", [Total((TWO, BAD)), Total((TWO,))], store=RunStore(tmp_path), jobs=1)
    assert [result["value"] for _, result in TOTAL.results(found.finished)] == [4]
    assert [type(config) for config, _ in found.failed] == [Square, Total]
    assert all("made to fail" in reason for _, reason in found.failed)
    assert not TOTAL.folder(tmp_path / "totals", Total((TWO, BAD))).exists()
    with pytest.raises(InputError, match=r"square .* failed: .*made to fail"):
        SQUARE.obtain(BAD, tmp_path / "totals")


def test_the_schema_of_a_stage_is_its_own():
    assert STUDY.schema_of(TWO) == 1 and STUDY.schema_of(Total(())) == 2
    newer = replace(STUDY, run=(replace(TOTAL, schema=3), SQUARE))
    assert newer.plan("full") != STUDY.plan("full") and newer.scale_of(newer.at("full")) == "full"


@pytest.mark.parametrize("stages, message", [
    ([replace(TOTAL, needs={"sqare": list})], "needs a stage sqare"),
    ([TOTAL], "needs a stage square"),
    ([TOTAL, replace(SQUARE, needs={"total": list})], "total, square need each other"),
    ([replace(TOTAL, needs={"total": list})], "total need each other"),
    ([TOTAL, SQUARE, replace(SQUARE, name="cube")], "two stages are for Square"),
    ([TOTAL, SQUARE, replace(SQUARE, config=int)], "two stages are named square"),
    ([TOTAL, replace(SQUARE, config=None)], "square does not say"),
])
def test_wrong_stages_are_errors_where_they_are_declared(stages, message):
    with pytest.raises(DeclarationError, match=message):
        ordered(stages)
    with pytest.raises(DeclarationError, match=message):
        replace(STUDY, run=tuple(stages))


def test_a_run_that_no_stage_carries_out_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no stage carries out a int"):
        complete(STAGES, [1])
    with pytest.raises(InputError, match="carries out no str"):
        complete((replace(TOTAL, needs={"square": lambda config: ["2"]}), SQUARE), [Total((TWO,))])
