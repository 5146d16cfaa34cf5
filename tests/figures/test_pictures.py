"""Pictures have no defects of the kinds that were once seen; and what finds such defects does find them."""

import pytest

from figures import style
from figures.section import picture, sections
from figures.style import SHARE, described, fit_titles, interval, legend, look, panels, shade, stroke
from lab.pictures import canvas, points
from tests.figures.defects import defects

LONG = "a title of a panel that has more words in it than there is room for"


def test_a_sound_picture_has_none():
    with panels(5, most=3) as (figure, axes):
        for axis in axes:
            for place in range(9):
                points(axis, [1, 2], *[[0.1 * place] * 2] * 3, f"a rather long name of series {place}", **look(place))
            axis.set(title=LONG, xlabel="x", ylabel="share of it")
        legend(figure, axes)
        fit_titles(figure)
        assert defects(figure) == []


@pytest.mark.parametrize("spoil, found", [
    (lambda figure, axes: [axis.set_title(LONG) for axis in axes], "lies on"),
    (lambda figure, axes: axes[1].set_title(LONG), "cut"),
    (lambda figure, axes: axes[1].legend(), "over data"),
    (lambda figure, axes: points(axes[0], [1], [0.5], [0.4], [0.6], "third", color="#b8312f", fmt="o"), "colour alone"),
    (lambda figure, axes: points(axes[0], [1], [0.5], [-0.4], [0.6], "third", **look(2)), "an interval of a share"),
    (lambda figure, axes: figure.text(0.5, 0.5, "x") and figure.legend(loc="center"), "over the axes")])
def test_each_defect_is_found(spoil, found):
    import re

    with canvas(2) as (figure, axes):
        for axis in axes:
            for place in range(2):
                points(axis, [1, 2], [0.5, 0.6], [0.4, 0.5], [0.6, 0.7], f"series {place}", **look(place))
            axis.set_ylabel("share of it")
        spoil(figure, axes)
        assert re.search(found, "\n".join(defects(figure)))


def test_series_widths_and_lines_have_looks_of_their_own():
    markers = [(look(i)["color"], look(i)["fmt"]) for i in range(14)]
    assert len(set(markers)) == 14
    for dashed in (lambda i: look(i, line=True), stroke):
        assert len({str(dashed(i)["linestyle"]) for i in range(7)}) == 7
    shades = [shade(i, 5) for i in range(5)]
    assert len({s["color"] for s in shades}) == 5 == len({str(s["linestyle"]) for s in shades})


def test_intervals_stay_where_the_quantity_can_be_and_take_three_replicas():
    assert interval([0.9, 1.0, 0.95, 1.0], SHARE)[2] == 1.0 and interval([0.9, 1.0, 0.95, 1.0])[2] > 1
    assert interval([0.2, 0.9]) == (0.55, 0.55, 0.55)


def test_a_picture_says_in_words_what_it_shows():
    with panels(2) as (figure, axes):
        for axis, name in zip(axes, ("left one", "right one")):
            points(axis, [1, 2], [1, 2], [1, 2], [1, 2], "measured", **look(0))
            axis.set(title=name, xlabel="width", ylabel="error")
        legend(figure, axes)
        text = described(figure, "Errors")
        assert text == "Errors; panels: left one, right one; x axis: width; y axis: error; series: measured"
        assert f'role="img" aria-label="{text}"' in picture(figure, "Errors", "").svg


@pytest.mark.slow
@pytest.mark.parametrize("section", sections(), ids=lambda section: section.id)
def test_no_picture_of_the_report_has_one(section, monkeypatch, tmp_path):
    from figures import catalogue

    found = {}
    monkeypatch.setattr(style, "to_svg", lambda figure, alt="": str(found.setdefault(alt, defects(figure))))
    tables = catalogue.tables(tmp_path, section.studies)
    if not tables:
        pytest.skip("no table of its studies is kept yet")
    drawn = list(section.draw(tables))
    assert drawn and {alt: lines for alt, lines in found.items() if lines} == {}
    for frame in section.frames(tables).values():
        assert not [c for c in frame.columns if "_" in str(c)], "headers are words"
