"""The documentation: examples and snippets are carried out, pages follow from what the rooms declare."""

import importlib.util
import re
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote, urlsplit

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
    assert "Change(" not in text and "**primary**: real: " in text


def test_every_module_has_its_page(pages):
    written = pages.reference_pages()
    for module in ("toy.bumps.model", "theory.moments", "theory.measures.span", "empirical.train", "lab.results"):
        assert f".. automodule:: {module}\n" in written[f"reference/{module}.md"]
        assert f"\n{module}\n" in written[f"reference/{module.partition('.')[0]}.md"]
    assert all(import_module(name[10:-3]) for name in written if name.count(".") == 2 and "toy.units" in name)


def test_a_page_of_theory_shows_its_derivations(pages):
    (name, text), (index, _) = pages.theory_pages({"bumps-success": find_derivation("bumps-success")}).items()
    assert name == "theory/bumps.md" and "## bumps-success" in text and text.count("$$") >= 2 and index == "theory/index.md"


class Page(HTMLParser):
    """A page of the site: where it leads, the places in it, and references that lead nowhere."""

    def __init__(self, path: Path):
        super().__init__()
        self.links: set[str] = set()
        self.anchors: set[str] = set()
        self.unresolved: list[str] = []
        self._in_link = 0
        self.feed(path.read_text())

    def handle_starttag(self, tag, attrs):
        known = {name: value or "" for name, value in attrs}
        self.anchors |= {known[name] for name in ("id", "name") if name in known}
        if tag == "a":
            self._in_link += 1
            self.links.add(known.get("href", ""))
        elif tag == "img":
            self.links.add(known["src"])
        elif tag == "code" and "xref" in known.get("class", "").split() and not self._in_link:
            self.unresolved.append(known["class"])

    def handle_endtag(self, tag):
        self._in_link -= tag == "a"


def broken_links(site: Path) -> list[str]:
    """What a page of the site links to, within the site, and is not there; references of its own pages that were not found."""
    pages = {path.resolve(): Page(path) for path in site.rglob("*.html")}
    found = []
    for path, page in pages.items():
        name = path.relative_to(site.resolve())
        if name.parts[:2] != ("generated", "reference") and name.parts[0] != "_modules":
            found += [f"{name}: {words}" for words in page.unresolved]
        for link in page.links:
            where = urlsplit(link)
            if where.scheme or where.netloc:
                continue
            to = (path.parent / unquote(where.path)).resolve() if where.path else path
            if not to.exists() or (where.fragment and to in pages and unquote(where.fragment) not in pages[to].anchors):
                found.append(f"{name} -> {link}")
    return found


@pytest.mark.slow
def test_the_site_is_built(tmp_path):
    """Without an error; without a warning but of docstrings; and no link leads nowhere."""
    pytest.importorskip("sphinx_gallery")
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-q", "--no-color", str(DOCS), str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    said = [line for line in done.stderr.splitlines() if re.search(r"\b(WARNING|ERROR|CRITICAL): ", line)]
    assert not [line for line in said if "docstring of " not in line]
    assert "found.span_error" in re.sub("<[^>]+>", "", (tmp_path / "tutorial.html").read_text())
    assert not broken_links(tmp_path)


def test_broken_links_are_found(tmp_path):
    (tmp_path / "a.html").write_text('<h1 id="top"></h1><a href="#top"></a><a href="b.html#there"></a><a href="http://x.y/z"></a>'
                                     '<a href="c.html"></a><a href="b.html#nowhere"></a><code class="xref py"></code>')
    (tmp_path / "b.html").write_text('<p id="there"><a href="a.html"><code class="xref py"></code></a></p>')
    assert sorted(broken_links(tmp_path)) == ["a.html -> b.html#nowhere", "a.html -> c.html", "a.html: xref py"]


def test_docstrings_are_read_as_mathematics(monkeypatch):
    monkeypatch.syspath_prepend(DOCS)
    docstrings = import_module("docstrings")
    text = ["A sum over all", "units is", "    f = |W*| x_", "where *no* unit", "", "* ends ``a*b``", "  at all", "", ">>> 2 * 3",
            "6 | 1"]
    assert docstrings.plain_signs(docstrings.apart(text)) == [
        "A sum over all", "units is", "", "::", "", "    f = |W*| x_", "", "where *no* unit", "", "* ends ``a*b``", "  at all",
        "", ">>> 2 * 3", "6 | 1"]
    assert docstrings.plain_signs(["|r| of W* and v_"]) == [r"\|r\| of W\* and v\_"]
    definition = ["a", "    what it is", "", "b"]
    assert docstrings.apart(definition) == definition
