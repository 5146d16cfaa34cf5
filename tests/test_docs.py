"""The documentation: examples and snippets are carried out, pages follow from what the rooms declare."""

import importlib.util
import re
import shlex
import subprocess
import sys
from importlib import import_module

import matplotlib
import pytest

import widthlab
from lab.cli import parser_of
from lab.front import commands
from tests.overlay import ROOT
from theory.claims import claims
from theory.derivation import find_derivation

DOCS = ROOT / "docs"
EXAMPLES = sorted(DOCS.glob("examples/[0-9]_*.py"))
TUTORIAL = (DOCS / "tutorial.md").read_text()
SHOWN = TUTORIAL + (DOCS / "index.md").read_text() + (ROOT / "README.md").read_text()
SLOW = {"3_compare_networks", "4_sweep", "5_hull"}  # some seconds each


@pytest.fixture
def pyplot(monkeypatch, tmp_path):
    """Pictures without a screen, in a folder that is not the checkout."""
    matplotlib.use("agg")
    from matplotlib import pyplot

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(DOCS / "examples")
    pyplot.close("all")
    yield pyplot
    pyplot.close("all")


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem, marks=[pytest.mark.slow] * (path.stem in SLOW))
                                  for path in EXAMPLES])
def test_examples(path, pyplot):
    """They check what they say; each leaves a picture with something in it."""
    exec(compile(path.read_text(), path, "exec"), {"__name__": "example"})
    assert any(axes.has_data() for number in pyplot.get_fignums() for axes in pyplot.figure(number).axes)


def test_there_are_five_examples():
    assert len(EXAMPLES) == 5


def test_the_tutorials_snippets(pyplot):
    names: dict = {}
    blocks = re.findall(r"^```python\n(.*?)^```", TUTORIAL, re.M | re.S)
    for number, block in enumerate(blocks, 1):
        exec(compile(block, f"tutorial.md, Python block {number}", "exec"), names)
    assert len(blocks) >= 4 and len(pyplot.get_fignums()) == 2


@pytest.mark.parametrize("line", sorted({line.partition("#")[0].strip() for block in re.findall(
    r"^(?:```sh\n(.*?)^```|((?:    (?:widthlab|pip)[^\n]*\n)+))", SHOWN, re.M | re.S)
    for line in "".join(block).splitlines() if line.strip().startswith("widthlab")}))
def test_the_commands_have_the_flags_that_they_are_shown_with(line):
    _, name, *argv = shlex.split(line)
    room = widthlab.SHORT.get(name)
    if room is None:
        room, name, *argv = [name, *argv]
    parser_of(room, name, commands(room)[name])[0].parse_args(argv)


@pytest.fixture
def pages():
    spec = importlib.util.spec_from_file_location("pages", DOCS / "pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_claim_has_its_place(pages):
    written = pages.claim_pages(claims())
    text = "\n".join(written.values())
    assert all(f"`{name}`" in text for name in claims()) and "**refuted by**" in text and "claims/s0.md" in written


def test_every_module_has_its_page(pages):
    written = pages.reference_pages()
    for module in ("toy.bumps.model", "theory.moments", "theory.measures.span", "empirical.train", "lab.results"):
        assert f".. automodule:: {module}\n" in written[f"reference/{module}.md"]
        assert f"\n{module}\n" in written[f"reference/{module.partition('.')[0]}.md"]
    assert all(import_module(name[10:-3]) for name in written if name.count(".") == 2 and "toy.units" in name)


def test_a_page_of_theory_shows_its_derivations(pages):
    (name, text), (index, _) = pages.theory_pages({"bumps-success": find_derivation("bumps-success")}).items()
    assert name == "theory/bumps.md" and "## bumps-success" in text and text.count("$$") >= 2 and index == "theory/index.md"


@pytest.mark.slow
def test_the_site_is_built(tmp_path):
    pytest.importorskip("sphinx_gallery")
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-q", str(DOCS), str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "span error" in (tmp_path / "tutorial.html").read_text()
