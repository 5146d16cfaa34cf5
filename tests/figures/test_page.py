"""The page itself: one ledger, an address for each claim, nothing loaded from elsewhere, readable by everyone."""

import re
from collections import Counter
from html.parser import HTMLParser

import pandas as pd
import pytest

from figures.report import frame_html, page_html
from figures.style import themed
from figures.wording import cell, counted, listed, number, span
from lab.tables import Table
from tests.figures.test_answer import column
from theory.claims import claims


class Page(HTMLParser):
    """Elements with their attributes, and the text."""

    def __init__(self, text):
        super().__init__()
        self.found, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.texts.append(data)


def rows():
    """One row per claim: everything holds in the toy, real networks have been seen in a pilot only."""
    return [{"id": c.id, "source": c.source, "claim": c.claim, "statistic": c.statistic, "refuted_by": c.refuted_by,
             "rule": str(c.rule), "primary": {}, "speaks": list(c.columns), "verdict": "inconclusive", "theory": None,
             "toy": column("holds", 0.2, 0.4) if "toy" in c.columns else None,
             "real": column("inconclusive", 0.2, n=3, judgement="pilot") if "real" in c.columns else None}
            for c in claims().values()]


@pytest.fixture(scope="module")
def text():
    facts = {"command": "python -m figures run", "runs": ["a"], "failed": [], "kept": True, "wall_seconds": 3.0,
             "environment": {"gpu": None, "processor": "p"}, "data": [{"name": "digits", "checksum": "0"}, {"name": "MNIST"}]}
    return page_html(rows(), tables=[Table("squares", pd.DataFrame({"x": [1]}), facts)], remarks={"squares": ""})


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_the_ledger_stands_once_with_an_address_for_each_claim(page):
    articles = [attributes["id"] for tag, attributes in page.found if tag == "article"]
    assert articles == list(claims())
    ids = Counter(attributes["id"] for _, attributes in page.found if "id" in attributes)
    assert [name for name, count in ids.items() if count > 1] == []
    targets = {attributes["href"][1:] for tag, attributes in page.found if tag == "a" and attributes["href"].startswith("#")}
    assert targets <= set(ids) and set(claims()) <= targets


def test_the_answer_comes_first_with_links_limits_and_a_picture(text):
    header = text[text.index("<header>"):text.index("</header>")]
    assert header.count("<li><a href=\"#s") == 5 and "Limits." in header and 'class=strip' in header
    assert all(f'href="#{name}"' in header for name in ("ledger", "provenance", "features"))
    assert "seeds" in header and "pilot" in header


def test_it_loads_nothing_and_works_without_script(text, page):
    assert not [a for tag, a in page.found if "src" in a or tag in ("link", "img", "iframe")]
    assert "import url" not in text and "@import" not in text
    still = re.sub(r"<script>.*?</script>", "", text, flags=re.S)
    for name in ("text-s0", "verdict-holds", "room-real"):  # chips are radio buttons, and the style does the filtering
        assert f'id="{name}"' in still and f"#{name}:checked" in still
    assert "prefers-color-scheme: dark" in still and "details-content" in still


def test_the_commands_for_own_features_are_the_readmes(text):
    from figures.catalogue import KEPT

    commands = re.findall(r"<code>(widthlab [a-z]+ \S+)", text)
    readme = (KEPT.parents[1] / "README.md").read_text()  # where they are carried out by a test
    assert len(commands) == 2 and all(command in readme for command in commands)


def test_nothing_is_told_by_sight_alone(page):
    for tag, attributes in page.found:
        if tag == "svg":
            assert attributes.get("aria-label") or attributes.get("aria-hidden") or "symbols" in attributes.get("class", "")
        if attributes.get("class") in ("scroll", "picture"):
            assert attributes["tabindex"] == "0" and attributes["aria-label"]
    assert page.texts and "".join(page.texts).count("{'") == 0, "a raw dictionary"


def test_a_note_is_said_once_a_claim():
    found = rows()[0]
    found["toy"]["evidence"][0]["note"] = "so"
    for piece in found["real"]["evidence"]:
        piece["note"] = "thus"
    html = page_html([found])
    assert html.count("so (1 setting of toy models)") == 1
    assert html.count("thus") == 1 and "the only setting of real networks" in html


def test_headers_are_words_and_numbers_are_short():
    frame = pd.DataFrame({"share <1>": [0.12345678901234567, 1 / 3], "n": [3, 4]})
    html = frame_html(frame)
    assert "0.1235" in html and "0.3333" in html and "&lt;1&gt;" in html
    assert not re.search(r"\d\.\d{6}", html)
    assert (number(1e-7), number(-0.5), number(float("nan")), cell(2)) == ("1·10<sup>−7</sup>", "−0.5", "–", "2")
    assert (listed(["a", "b", "c"]), counted(2, "study", "studies"), span([3, 8]), span([3, 3])) == (
        "a, b and c", "2 studies", "3 to 8", "3")


def test_colours_of_pictures_are_those_of_the_page():
    from figures.catalogue import KEPT

    style = (KEPT.parent / "templates" / "style.css").read_text()
    drawn = themed('<path style="fill: #1f5a99; stroke: #FFFFFF"/><path style="fill: #123456"/>')
    assert drawn == '<path style="fill: var(--s0); stroke: var(--paper)"/><path style="fill: #123456"/>'
    for name in ("s0", "s6", "w0", "w4", "grid", "paper", "ink"):
        assert style.count(f"--{name}:") == 2, "by day and in the dark"
