"""Studies of hulls: digits in every space, larger image sets in pixels, and the networks of a width sweep.

A replica is a network with the test points that its seed draws, and on digits also a split of the data. The pixels of MNIST and
CIFAR-10 have neither, so there the unit is the test point.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from empirical.declared import data_folder
from empirical.studies.hull.evidence import evidence
from empirical.studies.hull.measure import STAGES
from empirical.studies.hull.plan import HullRun
from empirical.studies.hull.table import tabulate
from lab.study import CONFIRMATORY, Study

NETWORKS = 5  # replicas of every feature space
MLP_ALPHAS, RESNET_ALPHAS = ("2", "1", "1/2", "1/4", "1/8"), ("1", "1/2", "1/4", "1/8")


def hull_study(name: str, title: str, configs: Callable[..., Sequence[HullRun]],
               declared: Callable[..., Sequence[HullRun]] | None = None, after: tuple[str, ...] = (),
               extensible: bool = True) -> Study:
    """A :class:`~lab.study.Study` of this kind; its fields are described there."""
    return Study(name=name, title=title, run=STAGES, configs=configs, tabulate=tabulate, evidence=evidence, declared=declared,
                 after=after, family="hull", extensible=extensible)


def _digits(scale: str, n: int | None = None) -> list[HullRun]:
    """Digits in all spaces. Scale "quick": only an MLP, few points. Scale "run": fewer replicas, no convolutional network."""
    count = n or {"quick": 1, "run": 2, "full": NETWORKS}[scale]
    return [run for seed in range(CONFIRMATORY, CONFIRMATORY + count) for run in _replica_on_digits(scale, seed)]


def _replica_on_digits(scale: str, seed: int) -> Iterator[HullRun]:
    base = HullRun(data="digits", seed=seed, split=seed)
    if scale == "quick":
        few = replace(base, quick=True, queries=40, leave_one_out=40)
        yield replace(few, arch="mlp", gaussian=40, classes=10, directions=10)
        yield replace(few, n=400)
        yield from (replace(few, dim=d) for d in (4, 8))
        yield from (replace(few, space="features", arch="mlp", alpha=alpha, gaussian=40) for alpha in ("1", "1/4"))
        return
    yield replace(base, arch="mlp", gaussian=197, classes=100, directions=100)
    yield replace(base, space="wavelets")
    yield from (replace(base, dim=d) for d in (2, 4, 6, 8, 10, 16, 32))
    yield from (replace(base, n=points) for points in (100, 200, 400, 800))
    learnt = replace(base, space="features", arch="mlp")
    for arch, first, alphas in (("mlp", "layer1", MLP_ALPHAS), ("resnet18", "stem", RESNET_ALPHAS[:3])):
        if arch == "resnet18":
            if scale == "run":
                return
            learnt = replace(learnt, arch=arch, sweep="resnet18-digits", split=0)
        for alpha in alphas:
            of_width = replace(learnt, alpha=alpha)
            yield from (replace(of_width, gaussian=197), replace(of_width, dim=8), replace(of_width, site=first))


def _images(scale: str) -> list[HullRun]:
    """MNIST and CIFAR-10 against their full training sets, which takes up to an hour on two cores, so only at full scale."""
    if scale != "full":
        return []
    runs = []
    for data in ("mnist", "cifar10"):
        base = HullRun(data=data, queries=1000, seed=CONFIRMATORY)
        runs += [replace(base, gaussian=500, classes=300), replace(base, space="wavelets")]
        simple = replace(base, leave_one_out=0)  # runs with fewer dimensions or points need no left-out points
        runs += [replace(simple, dim=d) for d in (4, 6, 8, 10, 16, 32, 64)]
        runs += [replace(simple, n=n, queries=500) for n in (1000, 4000, 16000)]
    return runs


def _resnet18(scale: str, n: int | None = None) -> list[HullRun]:
    """The features, errors and directions of the ResNet-18 of a width sweep on CIFAR-10, at every width.

    In few dimensions, where some points lie inside, estimating the share takes more points.
    """
    if scale != "full":
        return []
    runs = []
    for seed in range(CONFIRMATORY, CONFIRMATORY + (n or NETWORKS)):
        for alpha in RESNET_ALPHAS:
            base = HullRun(data="cifar10", arch="resnet18", alpha=alpha, sweep="resnet18-cifar10", seed=seed)
            small = alpha in RESNET_ALPHAS[2:]
            runs.append(replace(base, space="features", queries=2000 if small else 1000, gaussian=500))
            if alpha != RESNET_ALPHAS[-1]:  # which has only eight features
                runs.append(replace(base, space="features", dim=8, queries=1000, leave_one_out=0))
            if alpha in RESNET_ALPHAS[::2]:
                runs.append(replace(base, queries=500, leave_one_out=0, directions=100))
    return runs


HULL_DIGITS = hull_study("hull-digits", "Hull of the training set: digits in pixels, wavelets and features", _digits,
                         after=("resnet18-digits",))
HULL_IMAGES = hull_study("hull-images", "Hull of the training set: MNIST and CIFAR-10 test sets in pixels", _images,
                         extensible=False)
HULL_RESNET18 = hull_study("hull-resnet18-cifar10", "Hull of the training set: features, errors and directions of ResNet-18 on "
                           "CIFAR-10 by width", lambda *scale: _resnet18(*scale) if data_folder() else [], _resnet18,
                           after=("resnet18-cifar10",))
