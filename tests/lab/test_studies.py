"""Studies are found where they are declared, and carried out after those whose runs they use."""

import sys
from importlib import import_module

import pytest

from empirical.studies import STUDIES as REAL
from lab import study as studies
from lab.discover import DeclarationError, sources
from lab.study import Study, declared_studies, in_order, load
from toy.studies import STUDIES as TOY


def test_every_study_is_found_under_its_own_name():
    every = {**TOY, **REAL}
    assert len(every) == len(TOY) + len(REAL)
    for name, where in every.items():
        assert load(where).name == name
    modules = [m for room in ("toy", "empirical") for m, text in sources(room, below=True).items()
               if "_study(" in text or "Study(" in text]
    made = {value.name for module in modules for value in vars(import_module(module)).values() if isinstance(value, Study)}
    assert made == set(every)
    real = [vars(sys.modules[name]) for name in modules if name.startswith("empirical.studies")]
    assert len(real) > 5 and not any("torch" in names for names in real)  # a list of studies does not load it


@pytest.mark.parametrize("text, found", [
    ('A = Study("a", "title")\nB_2 = width_study(\n    name="b", title="")\n', {"a": "m:A", "b": "m:B_2"}),
    ("def width_study(name):\n    return Study(name=name)\n", {}),
    ('Study("a", "title")\n', None), ("A = Study(NAME)\n", None), ('A = Study(f"{x}")\n', None),
    ('A = Study("a")\nB = Study("a")\n', None)])
def test_a_study_without_a_variable_or_a_literal_name_is_an_error(monkeypatch, text, found):
    monkeypatch.setattr(studies, "sources", lambda package, below: {"m": text})
    if found is None:
        with pytest.raises(DeclarationError):
            declared_studies("room")
    else:
        assert declared_studies("room") == found


def study(name, *after):
    return Study(name, "", "", list, list, after=after)


def test_studies_come_after_those_whose_runs_they_use():
    given = [study("hull", "width"), study("units", "hull", "elsewhere"), study("width"), study("toy")]
    assert [s.name for s in in_order(given)] == ["width", "hull", "units", "toy"]
    with pytest.raises(ValueError, match="wait for each other"):
        in_order([study("a", "b"), study("b", "a")])
