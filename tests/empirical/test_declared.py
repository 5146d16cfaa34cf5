"""Architectures and data sets are found in their files, without torch."""

import subprocess
import sys
from importlib import import_module

import pytest

from empirical import data, models
from empirical.data import text
from empirical.declared import TAKES, architecture, architectures, source, sources
from empirical.settings import ARCHITECTURES, DATA, Setting, matched, recipe
from lab.errors import ArgumentError


def test_what_is_declared_is_there():
    assert tuple(models.BUILDERS) == ARCHITECTURES and tuple(data.SOURCES) == DATA
    for module, network in architectures().values():
        assert issubclass(getattr(import_module(module), network.build), models.nn.Module) and network.takes in TAKES
        assert set(network.options) <= {"depth", "dropout", "mup"}
    for module, origin in sources().values():
        assert callable(import_module(module).load) and origin.kind in TAKES
    assert {name for name, (module, _) in sources().items() if module == text.__name__} == set(text.SOURCES)


@pytest.mark.parametrize("name", DATA)
def test_every_data_set_has_a_recipe(name):
    for arch in (arch for arch in ARCHITECTURES if architecture(arch).takes == source(name).kind):
        Setting(**{**recipe(arch, name, quick=True), **matched(name)}).check()
    assert source(name).name == name


def test_an_unknown_name_says_what_there_is():
    for unknown in (lambda: recipe("mlp", "digit"), lambda: recipe("mpl", "digits"), lambda: matched("digit")):
        with pytest.raises(ArgumentError, match="choose one of"):
            unknown()


def test_names_load_no_torch():
    code = ("import sys, empirical.commands.sweep, empirical.commands.units, empirical.commands.hull, empirical.commands.bench, "
            "empirical.studies.width; print('torch' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_what_a_script_uses_is_shown_and_loads_nothing_before_it_is_used():
    code = ("import sys, empirical; shown = {n for n in dir(empirical) if n[0] != '_'}; assert 'torch' not in sys.modules;"
            "assert shown == set(empirical.__all__) >= {'from_module', 'models', 'sweep', 'train'}, shown;"
            "assert empirical.settings.recipe('mlp', 'digits') and 'torch' not in sys.modules;"
            "from empirical.sweep import sweep; assert empirical.sweep is sweep")
    subprocess.run([sys.executable, "-c", code], check=True)
