"""Hulls of digits in every space, of larger image sets in pixels, and of the networks of a width sweep."""

from dataclasses import replace

from empirical.declared import data_folder
from empirical.studies.hull.evidence import evidence
from empirical.studies.hull.measure import STAGES
from empirical.studies.hull.plan import HullRun
from empirical.studies.hull.table import tabulate
from lab.study import Study


def _digits(scale: str) -> list[HullRun]:
    """Digits in all spaces: a minute or two. Quick: an MLP alone, few points."""
    if scale == "quick":
        base = HullRun(data="digits", quick=True, queries=40, leave_one_out=40)
        runs = [replace(base, arch="mlp", gaussian=40, classes=10, directions=10), replace(base, n=400)]
        runs += [replace(base, dim=d) for d in (4, 8)]
        return runs + [replace(base, space="features", arch="mlp", alpha=alpha, gaussian=40) for alpha in ("1", "1/4")]
    base = HullRun(data="digits")
    runs = [replace(base, arch="mlp", gaussian=197, classes=100, directions=100), replace(base, space="wavelets")]
    runs += [replace(base, dim=d) for d in (2, 4, 6, 8, 10, 16, 32)]
    runs += [replace(base, n=n) for n in (100, 200, 400, 800)]
    for arch, first, alphas in (("mlp", "layer1", ("2", "1", "1/2", "1/4", "1/8")), ("resnet18", "stem", ("1", "1/2", "1/4"))):
        for alpha in alphas:
            learnt = replace(base, space="features", arch=arch, alpha=alpha)
            runs += [replace(learnt, gaussian=197), replace(learnt, dim=8), replace(learnt, site=first)]
    return runs


def _images(scale: str) -> list[HullRun]:
    """MNIST and CIFAR-10 against their whole training sets: minutes to an hour on two cores, so only at full scale."""
    if scale != "full":
        return []
    runs = []
    for data in ("mnist", "cifar10"):
        base = HullRun(data=data)
        runs += [replace(base, leave_one_out=2000, gaussian=1000), replace(base, space="wavelets", queries=1000)]
        runs += [replace(base, dim=d, queries=1000) for d in (4, 6, 8, 10, 16, 32, 64)]
        runs += [replace(base, n=n, queries=1000) for n in (1000, 4000, 16000)]
        runs.append(replace(base, queries=500, leave_one_out=0, classes=500))
    return runs


def _resnet18(scale: str) -> list[HullRun]:
    """The features, errors and directions of the ResNet-18 of a width sweep on CIFAR-10, at every width."""
    if scale != "full":
        return []
    runs = []
    for alpha in ("1", "1/2", "1/4", "1/8"):
        base = HullRun(data="cifar10", arch="resnet18", alpha=alpha, sweep="resnet18-cifar10", queries=500)
        runs += [replace(base, space="features", gaussian=500), replace(base, space="features", dim=8),
                 replace(base, queries=200, leave_one_out=0, directions=200)]
    return runs


HULL_DIGITS = Study("hull-digits", "Hull of the training set: digits in pixels, wavelets and features", STAGES, _digits,
                    tabulate, evidence)
HULL_IMAGES = Study("hull-images", "Hull of the training set: MNIST and CIFAR-10 test sets in pixels", STAGES, _images,
                    tabulate, evidence)
HULL_RESNET18 = Study("hull-resnet18-cifar10", "Hull of the training set: features, errors and directions of ResNet-18 on "
                      "CIFAR-10 by width", STAGES, lambda scale: _resnet18(scale) if data_folder() else [],
                      tabulate, evidence, declared=_resnet18,
                      after=("resnet18-cifar10",))
