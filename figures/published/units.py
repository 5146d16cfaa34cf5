"""S1's factors: the growth of the number of removable units when width doubles."""

from functools import partial
from itertools import pairwise

import numpy as np

from figures.published import Published
from lab.estimate import Estimate, mean_interval

_SOURCE, _NOTEBOOK = "S1 (Casper et al., arXiv 1912.04783); xboix/frivolous_dnns", "plot_ablation_thresholds.ipynb, cell {}"
_PROTOCOL = "mean ratio of numbers of removable units over doublings of width, {}, 3 seeds, the maximum over 3 orders"
_WIDTHS = "widths 1/4 to 4"


def _factor(init: str, site: str, frame) -> Estimate | None:
    """Mean over replicas of the mean ratio per doubling; for widths four times apart, the root of their ratio counts twice."""
    rows = frame[(frame.value == init) & (frame.site == site)]
    factors = []
    for _, own in rows.groupby("replica"):
        count = (own.prunability * own.units).groupby(own.width).mean()
        steps = [(np.log2(wide / narrow), count[wide] / count[narrow]) for narrow, wide in pairwise(count.index)
                 if count[narrow] > 0]
        if len(steps) == len(count) - 1 and steps:
            doublings, ratios = np.array(steps).T
            factors.append(float(np.average(ratios ** (1 / doublings), weights=doublings)))
    return mean_interval(factors) if len(factors) > 1 else None


def _alexnet(name: str, quantity: str, site: str, cell: int, values: dict[str, float], starts: str = "normal",
             ) -> tuple[Published, ...]:
    study, suffix = ("units-alexnet", "") if starts == "normal" else (f"units-alexnet-{starts}", f" {starts}")
    return tuple(
        Published(name=f"removable/{name}-{init}", value=value, digits=0.005, tolerance=0.25,
                  quantity=f"growth of removable units per doubling of width, {quantity}, {init} start",
                  protocol=_PROTOCOL.format(f"CIFAR-10 AlexNet, {starts} starts, {_WIDTHS}"), source=_SOURCE,
                  read=_NOTEBOOK.format(cell), study=study, ours=partial(_factor, init + suffix, site),
                  reduced="base width 8 instead of 32, 2,000 images of 16 pixels, three widths up to 2 (LeCun: two, up to 1), "
                          "one curve averaged over the orders")
        for init, value in values.items())


def _beyond(name: str, quantity: str, cell: int, values: dict[str, float], setting: str, why: str) -> tuple[Published, ...]:
    return tuple(
        Published(name=f"removable/{name}-{case}", value=value, digits=0.005, tolerance=0.25,
                  quantity=f"growth of removable units per doubling of width, {quantity}, {case}",
                  protocol=_PROTOCOL.format(setting), source=_SOURCE, read=_NOTEBOOK.format(cell), why=why)
        for case, value in values.items())


_GPU = "ImageNet is not available here, and takes days on GPUs"

PUBLISHED = (
    *_alexnet("alexnet", "all layers at once", "all", 10, {"glorot": 2.81, "he": 2.29, "lecun": 2.53}),
    *_alexnet("conv2", "second convolution", "conv2", 11, {"glorot": 2.68, "he": 2.11, "lecun": 2.37}),
    *_alexnet("uniform", "all layers at once, uniform weights", "all", 13, {"glorot": 2.81, "he": 2.36, "lecun": 2.57},
              starts="uniform"),
    *_beyond("resnet18-batch", "ResNet-18 by batch size", 30, {"largest": 3.15, "4096": 2.31, "2048": 2.80, "1024": 2.93},
             "ImageNet", _GPU),
    *_beyond("imagenet", "by network", 32, {"resnet18": 3.15, "inception": 3.86, "inception-layer": 3.61}, "ImageNet", _GPU),
)
