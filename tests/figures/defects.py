"""What can be wrong with a picture, found in the drawn figure itself."""

import re

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

SHARE = re.compile("share of|^P[(]|agreement|AUC|similar pairs|compressibility|units kept|unchanged|similarity", re.I)


def defects(figure) -> list[str]:
    """One line per defect: text that is cut or overlaps text, legends over data, series distinguished by colour alone,
    intervals of shares beyond 0 … 1."""
    FigureCanvasAgg(figure).draw()
    renderer = figure.canvas.get_renderer()
    return [*_texts(figure, renderer), *_legends(figure, renderer), *_series(figure), *_shares(figure)]


def _texts(figure, renderer):
    texts = [text for axis in figure.axes for text in (axis.title, axis._left_title, axis.xaxis.label, axis.yaxis.label)]
    texts += [text for legend in figure.legends for text in legend.get_texts()]
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in texts
             if text.get_text().strip() and text.get_visible()]
    for name, box in boxes:
        if box.x0 < -1 or box.y0 < -1 or box.x1 > figure.bbox.x1 + 1 or box.y1 > figure.bbox.y1 + 1:
            yield f"cut: {name!r}"
    for i, (name, box) in enumerate(boxes):
        for other, beside in boxes[i + 1:]:
            if box.padded(-1).overlaps(beside.padded(-1)):
                yield f"{name!r} lies on {other!r}"


def _legends(figure, renderer):
    for axis in figure.axes:
        if axis.get_legend() is not None and axis.lines:
            yield f"a legend over data: {axis.get_title(loc='left') or axis.get_title()!r}"
        for legend in figure.legends:
            if legend.get_window_extent(renderer).padded(-1).overlaps(axis.get_window_extent(renderer)):
                yield "a legend over the axes"


def _series(figure):
    """Labelled series of one axes: no two may have marker and dash in common."""
    for axis in figure.axes:
        looks = {}
        for handle, label in zip(*axis.get_legend_handles_labels()):
            line = handle[0] if isinstance(handle, tuple) else handle
            if line is not None and hasattr(line, "get_marker"):
                look = (str(line.get_marker()), str(getattr(line, "_unscaled_dash_pattern", line.get_linestyle())))
                if look in looks and looks[look][1] != to_hex(line.get_color()):
                    yield f"told by colour alone: {label!r} and {looks[look][0]!r}"
                looks[look] = (label, to_hex(line.get_color()))


def _shares(figure):
    for axis in figure.axes:
        names = (axis.get_title(loc="left"), axis.get_title(), axis.get_ylabel())
        if any(SHARE.search(name) for name in names if name):
            for bars in (c for container in axis.containers for c in (container[2] if len(container) > 2 else ())):
                ends = np.concatenate([segment[:, 1] for segment in bars.get_segments()] or [np.zeros(1)])
                if ends.min() < -1e-9 or ends.max() > 1 + 1e-9:
                    yield f"an interval of a share reaches {ends.min():.2f} to {ends.max():.2f}: {names}"
