"""Pictures of the studies of small networks; each is skipped if its tables are missing."""

import numpy as np

from figures.section import picture
from figures.style import BASELINE, POSITIVE, SHARE, legend, look, measured, panels, shade, stroke, theory_line
from figures.style import interval as ends_of
from figures.sweeps import estimates
from theory.descent import label_noise_variance
from theory.regression import random_features_risk

SECTION = None
_WAYS = (("best_test_error", "best of several"), ("ensemble_test_error", "ensemble of several"),
         ("concatenated_test_error", "several, concatenated"), ("test_error", "one network"))


def _by_width(axis, rows, column, label, place, within=SHARE):
    """Plot a column against the number of hidden units, over replicas."""
    estimates(axis, rows.groupby("hidden"), column, label, within=within, real=True, **look(place, line=True))


def _finish(axis, frame, xlabel="hidden units", **labels):
    widths = sorted(frame.hidden.unique())
    axis.set(xscale="log", xlabel=xlabel, **{"ylim": (0, None), **labels})
    axis.set_xticks(widths, widths, fontsize=6)
    axis.minorticks_off()


def _named(axis, names, **labels):
    """Names below the places 0, 1, ... of an axis."""
    axis.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize=6)
    axis.set(xlim=(-0.5, len(names) - 0.5), **labels)


def _present(tables, *names):
    return [tables[name] for name in names if name in tables]


def _names(shown):
    return " ".join(table.name for table in shown)


def descent(tables):
    """Test error by width."""
    shown = _present(tables, "descent-digits", "descent-mnist", "descent-resnet18-digits")
    if not shown:
        return
    with panels(len(shown), most=3, height=2.3) as (figure, axes):
        for axis, table in zip(axes, shown):
            for place, (noise, rows) in enumerate(table.frame.groupby("label_noise")):
                _by_width(axis, rows, "test_error", f"{noise:.0%} wrong labels" if noise else "true labels", place)
            sizes = table.frame[["hidden", "size"]].drop_duplicates().sort_values("size")
            beyond = sizes[sizes["size"] >= 1].hidden
            if len(beyond):
                axis.axvline(beyond.iloc[0], color=BASELINE, linestyle=":", linewidth=0.9)
            convolutional = "resnet18" in table.name
            _finish(axis, table.frame, "channels of the stem" if convolutional else "hidden units",
                    title=table.frame.data.iloc[0] + ", ResNet-18" * convolutional)
        axes[0].set_ylabel("test error")
        legend(figure, axes)
        yield picture(figure, "Test error by width, with true and wrong labels",
                      "Networks of one hidden layer, and ResNet-18, trained to the end. Dotted: the first width with as many "
                      "parameters as training samples times classes. Intervals over replicas.", _names(shown))


def beside_random_features(tables):
    """Test error by size beside the excess risk of random features, each relative to that of the largest."""
    from empirical.studies.solutions.descent import CLASSES, curves

    shown = _present(tables, "descent-digits", "descent-mnist")
    if not shown:
        return
    with panels(len(shown), most=2, width=2.9 * len(shown), height=2.5) as (figure, axes):
        for axis, table in zip(axes, shown):
            first = table.frame.iloc[0]
            density = first.samples / ((first.parameters - CLASSES) / first.hidden - 1 - CLASSES)  # samples per input
            for place, (noise, rows) in enumerate(table.frame.groupby("label_noise")):
                sizes, errors = curves(rows)
                label = f"{noise:.0%} wrong labels"
                ends = [ends_of(ratio, POSITIVE) for ratio in errors / errors[-1]]
                measured(axis, sizes, ends, f"measured, {label}", real=True, **look(place))
                fine = np.geomspace(sizes[0], sizes[-1], 200)
                risks = np.asarray(random_features_risk(fine * density, density, noise_variance=label_noise_variance(noise)))
                theory_line(axis, fine, risks / risks[-1], label=f"random features, {label}", **stroke(place))
            axis.axvline(1, color=BASELINE, linestyle=":", linewidth=0.9)
            axis.set(title=first.data, xscale="log", yscale="log", xlabel="parameters / (samples × classes)", ylim=(0.5, 200))
        axes[0].set_ylabel("relative to the largest")
        legend(figure, axes, columns=2)
        yield picture(figure, "Double descent beside random features",
                      "Markers: test error of trained networks of one hidden layer. Lines: excess risk of ridgeless regression "
                      "on as many random ReLU features per sample as the networks have parameters per sample and class, for a "
                      "linear target, as many samples per input, and noise as strong as the wrong labels (Mei and Montanari "
                      "2019). Each divided by its value at the largest size. Intervals over replicas.", _names(shown))


def epochs(tables):
    """Test error along training."""
    for table in _present(tables, "descent-epochs-digits"):
        settings = list(table.frame.groupby(["hidden", "label_noise"]))
        with panels(1, width=3.8, height=2.4) as (figure, axes):
            for place, ((hidden, noise), rows) in enumerate(settings):
                label = f"{hidden} units, {noise:.0%} wrong labels"
                estimates(axes[0], rows.groupby("epochs"), "test_error", label, within=SHARE, real=True, **look(place, line=True))
            axes[0].set(xscale="log", xlabel="epochs", ylabel="test error", ylim=(0, None))
            legend(figure, axes)
            yield picture(figure, "Test error along training", "Networks of one hidden layer on digits, at a constant "
                          "learning rate. Intervals over replicas.", table.name)


def success(tables):
    """Failed trainings, and several networks together."""
    for table in _present(tables, "success-digits"):
        frame = table.frame.assign(share=table.frame.failed / table.frame.copies)
        with panels(2, most=2) as (figure, axes):
            _by_width(axes[0], frame, "share", "failed runs", 0)
            _finish(axes[0], frame, title="runs that do not fit every digit", ylabel="share of starts")
            for place, (column, label) in enumerate(_WAYS):
                _by_width(axes[1], frame, column, label, place + 1)
            _finish(axes[1], frame, title="alone and combined", ylabel="test error")
            legend(figure, axes, columns=3)
            yield picture(figure, "How often training succeeds, by width",
                          "One-hidden-layer networks on digits. A run fails if it leaves a training digit misclassified. "
                          "Several: as many networks as fit into the hidden units of the widest one. Intervals over replicas.",
                          table.name)


def readouts(tables):
    """Training losses of one wide network and of several narrow ones."""
    names = {"wide": "one wide", "best": "best narrow", "ensemble": "ensemble", "concatenated": "concatenated",
             "retrained": "readout\ntrained further"}
    for table in _present(tables, "readouts-digits"):
        with panels(2, most=2, width=5.2, height=2.6) as (figure, axes):
            for axis, column, label in ((axes[0], "train_loss", "training loss"), (axes[1], "test_error", "test error")):
                groups = [(i, table.frame[table.frame.way == way]) for i, way in enumerate(names)]
                estimates(axis, groups, column, "mean over groups of networks", within=POSITIVE, real=True, **look(0))
                _named(axis, list(names.values()), ylabel=label, ylim=(0, None))
            legend(figure, axes)
            yield picture(figure, "One wide network and several narrow ones",
                          "Networks on digits with as many hidden units in total. The last is the concatenation, of which the "
                          "readout alone is trained further, for as many steps again. Intervals over replicas.", table.name)


_ARMS = ("dense", "alone", "alone, early", "redrawn rest", "failed rest", "shuffled mask", "random mask", "fresh narrow",
         "fresh wide")
_TICKETS = {"tickets-digits": "MLP", "tickets-resnet18-digits": "ResNet-18", "tickets-vgg16-digits": "VGG-16"}


def tickets(tables):
    """How often tickets win, and how they generalise."""
    shown = _present(tables, *_TICKETS)
    if not shown:
        return
    with panels(2, most=2, height=2.9) as (figure, axes):
        for place, table in enumerate(shown):
            frame = table.frame[(table.frame.rewind == 0) | (table.frame.arm == "alone")]
            arms = frame.arm.where(frame.rewind == 0, "alone, early")
            groups = [(i + 0.16 * (place - 1), frame[arms == arm]) for i, arm in enumerate(_ARMS)]
            for axis, column in zip(axes, ("wins", "test_error")):
                estimates(axis, groups, column, _TICKETS[table.name], within=SHARE, real=True, **look(place))
        for axis, label in zip(axes, ("fits every training sample", "test error")):
            _named(axis, list(_ARMS), ylabel=label, ylim=(0, None))
        legend(figure, axes)
        yield picture(figure, "Tickets alone, and with other weights around them",
                      "Networks on digits. Alone: pruned by magnitude and rewound to the start (early: to an epoch soon after "
                      "it). Rest: all weights, of which those outside the ticket are redrawn, or taken from a network trained "
                      "on random labels. Masks: as many weights in other places. Fresh: new starts. Intervals over replicas.",
                      _names(shown))


def critical(tables):
    """Index against loss at critical points."""
    for table in _present(tables, "critical-digits"):
        points = table.frame[table.frame.loss.notna()]
        widths = sorted(points.hidden.unique())
        if not widths:
            continue
        with panels(len(widths), width=2.6 * max(2, len(widths)), height=2.3) as (figure, axes):
            for axis, hidden in zip(axes, widths):
                rows = points[points.hidden == hidden]
                axis.plot(rows.loss, rows["index"] / rows.directions, "o", markersize=2.5, alpha=0.5, color=look(0)["color"],
                          label="critical points")
                axis.axhline(rows.null.mean(), color=BASELINE, linestyle=":", linewidth=0.9, label="random matrix")
                axis.set(title=f"{hidden} tanh units", xlabel="training loss", ylim=(-0.02, None))
            axes[0].set_ylabel("share of negative directions")
            legend(figure, axes)
            yield picture(figure, "High critical points of networks have more ways down",
                          "Distinct points at which the gradient's norm is below a stated bound; dotted: a random matrix with "
                          "the mean and variance of their curvatures.", table.name)


def curvature(tables):
    """Negative and largest curvature along training."""
    for table in _present(tables, "curvature-digits"):
        widths = sorted(table.frame.hidden.unique())
        with panels(2, most=2, height=2.9) as (figure, axes):
            for place, hidden in enumerate(widths):
                rows = table.frame[table.frame.hidden == hidden]
                for axis, column, within in zip(axes, ("negative", "highest"), (SHARE, POSITIVE)):
                    estimates(axis, rows.groupby("epochs"), column, f"{hidden} units", within=within, real=True,
                              **look(place, line=True))
                nulls = rows.groupby("epochs").null.mean()
                axes[0].plot(nulls.index, nulls.values, label=f"random matrix, {hidden}", linewidth=0.8,
                             **shade(place, len(widths)))
            axes[0].set(ylabel="share of negative curvatures", ylim=(0, None))
            axes[1].set(ylabel="largest curvature", yscale="log")
            for axis in axes:
                axis.set(xscale="log", xlabel="epochs")
            legend(figure, axes, columns=3)
            yield picture(figure, "Curvature along training, by width",
                          "Hessian of the training loss of networks of tanh units on digits. Negative: below minus a "
                          "thousandth of the largest. Lines without markers: a random matrix of the same mean and variance. "
                          "Intervals over replicas.", table.name)


def escape(tables):
    """Training losses of widened networks."""
    names = {"narrow": "narrow", "not at all": "trained further", "split units": "units split", "new units": "units added",
             "wide from the start": "wide from\nthe start"}
    for table in _present(tables, "escape-digits"):
        with panels(2, most=2, width=5.2, height=2.6) as (figure, axes):
            for axis, column, chosen in ((axes[0], "train_loss", list(names)), (axes[1], "lowest", list(names)[1:4])):
                groups = [(i, table.frame[table.frame.way == way]) for i, way in enumerate(chosen)]
                estimates(axis, groups, column, "networks", real=True, **look(0))
                _named(axis, [names[way] for way in chosen])
            axes[0].set(ylabel="training loss", ylim=(0, None))
            axes[1].set(ylabel="lowest curvature")
            legend(figure, axes)
            yield picture(figure, "Ways out of a narrow network",
                          "Trained narrow networks of tanh units on digits, widened without changing their function, and "
                          "trained further. Right: the lowest eigenvalue of the Hessian where further training starts. "
                          "Intervals over replicas.", table.name)


def endings(tables):
    """Spread, disagreement and barriers between solutions."""
    shown = _present(tables, "endings-digits", "endings-mnist", "endings-cifar10")
    if not shown:
        return
    series = [(f"{table.frame.data.iloc[0].replace(' (JPEG re-encoding)', '*')}, {regime}", rows.assign(
        differ=1 - rows.agreement, matched=rows.barrier_matched / rows.barrier.clip(lower=1e-9)))
        for table in shown for regime, rows in table.frame.groupby("regime", sort=False)]
    with panels(3, most=3, height=2.4) as (figure, axes):
        for axis, column, label in zip(axes, ("spread", "differ", "matched"), (
                "spread of test errors", "samples that differ", "barrier, matched / not")):
            for place, (name, rows) in enumerate(series):
                _by_width(axis, rows, column, name, place, POSITIVE)
            _finish(axis, series[0][1], ylabel=label)
        legend(figure, axes, columns=2)
        yield picture(figure, "Solutions of the same training loss, by width",
                      "Networks of one hidden layer with independent starts, trained on the same samples: standard deviation "
                      "of their test errors, share of test samples on which two of them differ, and the barrier on the line "
                      "between two, after matching their units over before. Intervals over replicas. * Re-encoded JPEG images.",
                      _names(shown))


def memorise(tables):
    """How long tasks take to fit, and regions at the end."""
    for table in _present(tables, "memorise-digits"):
        last = table.frame[table.frame.epochs == table.frame.epochs.max()]
        last = last.assign(again=last.resplits / last.deaths.clip(lower=1))
        with panels(3, most=3, height=2.4) as (figure, axes):
            for axis, column, label in zip(axes, ("fitted", "regions", "again"), (
                    "epochs until fitted", "decision regions at the end", "re-splits per merger")):
                for place, (task, rows) in enumerate(last.groupby("task", sort=False)):
                    _by_width(axis, rows, column, task, place, POSITIVE)
                _finish(axis, last, ylabel=label)
            legend(figure, axes, columns=3)
            yield picture(figure, "Memorising digits, random labels and noise",
                          "Networks of one hidden layer; decision regions on polygons through training images of one label. "
                          "Left: only networks that fitted the task. Intervals over replicas.", table.name)
    for table in _present(tables, "memorise-cifar10"):
        frame = table.frame
        with panels(3, most=3, height=2.4) as (figure, axes):
            for axis, column, label in zip(axes, ("train_error", "test_error", "regions"), (
                    "training error", "test error", "decision regions")):
                for place, (task, rows) in enumerate(frame.groupby("task", sort=False)):
                    estimates(axis, rows.groupby("epochs"), column, task, within=POSITIVE, real=True, **look(place, line=True))
                axis.set(xscale="log", xlabel="epochs", ylabel=label, ylim=(0, None))
            legend(figure, axes, columns=3)
            yield picture(figure, "Memorising CIFAR-10, random labels and noise during training",
                          f"Networks of one hidden layer, {frame.hidden.iloc[0]} units, on {frame.samples.iloc[0]:,} images; "
                          f"{frame.data.iloc[0]}. Regions as above. Intervals over replicas.", table.name)


def adversarial(tables):
    """Smallest changes of an image that change its class, by width, beside the test error."""
    shown = _present(tables, "adversarial-digits", "adversarial-mnist")
    if not shown:
        return
    with panels(len(shown) + 1, most=3, height=2.4) as (figure, axes):
        for place, (axis, table) in enumerate(zip(axes, shown)):
            frame = table.frame
            _by_width(axis, frame, "found", "found: changes the class", 0, POSITIVE)
            _by_width(axis, frame, "certified", "certified: changes no class", 1, POSITIVE)
            mean, low, high = ends_of(frame.drop_duplicates("seed").nearest, POSITIVE)
            measured(axis, [frame.hidden.max()], [(mean, low, high)], "nearest neighbour, certified", real=True, **look(2))
            _finish(axis, frame, title=frame.data.iloc[0], ylabel="length of the step")
            _by_width(axes[-1], frame, "test_error", frame.data.iloc[0], place + 3)
        _finish(axes[-1], shown[0].frame, title="error", ylabel="test error")
        legend(figure, axes, columns=3)
        yield picture(figure, "The smallest change of an image that changes its class, by width",
                      "Test images that all networks classify correctly, pixels between 0 and 1; the smallest change lies "
                      "between a certified and a found step. Intervals over replicas.", _names(shown))


PICTURES = (success, descent, beside_random_features, epochs, readouts, tickets, critical, curvature, escape, endings, memorise,
            adversarial)
