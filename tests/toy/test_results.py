"""Every result of a toy model, simulated or predicted, is a table, a few lines, and a picture where it holds curves."""

from importlib import import_module

import pytest
from matplotlib.figure import Figure

from lab.errors import InputError
from lab.results import Results
from tests.toy.test_streams_of_models import RUNS
from toy.models import models

PREDICTED = [module for module, model in models().items() if not model.no_theory]
ARGUMENTS = {"toy.graded_teacher": {"strengths": (1.0, 0.5)}, 
             "toy.relu_landscape": {"teacher_width": 2, "width": 3, "spurious_at_teacher": 0.1},
             "toy.teacher_student": {"times": (0.0, 1.0), "replicas": 2}, "toy.bumps": {"mode": "cover", "bumps": 3}}


def look_at(result, drawn: bool) -> None:
    assert isinstance(result, Results)
    frame = result.to_frame()
    assert len(frame) and not frame.columns.duplicated().any()
    assert len(repr(result)) < 1500 and max(map(len, repr(result).splitlines())) < 200
    if drawn:
        axes = result.plot(Figure().subplots())
        assert axes.has_data() and axes.get_xlabel()
    else:
        with pytest.raises(InputError, match="has no picture"):
            result.plot()


@pytest.mark.parametrize("model", RUNS)
def test_what_simulations_return(model):
    look_at(RUNS[model][0](), drawn=True)


@pytest.mark.parametrize("module", PREDICTED)
def test_what_predictions_return(module):
    result = import_module(module).predict(**ARGUMENTS.get(module, {}))
    look_at(result, drawn=bool(result._pictures) or type(result).plot is not Results.plot)
