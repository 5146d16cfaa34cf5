"""What the studies of small networks found: one sentence of numbers for each table (:mod:`figures.findings`)."""

from figures.findings import Subject
from figures.wording import listed

SECTION = None


def _percent(value: float) -> str:
    return f"{value:.0%}" if value >= 0.1 or value == 0 else f"{value:.1%}"


def _ends(frame):
    """Width and rows of the narrowest and of the widest networks."""
    return [(hidden, frame[frame.hidden == hidden]) for hidden in (frame.hidden.min(), frame.hidden.max())]


def _descent(frame) -> str:
    parts = []
    for noise, rows in frame.groupby("label_noise"):
        means = rows.groupby("hidden").test_error.mean()
        left = rows.groupby("size").train_error.mean()
        fitted = left[left < 0.01].index.min()
        where = f"from {fitted:.2g} parameters per sample and class on" if fitted == fitted else "at no width"
        parts.append(f"with {noise:.0%} wrong labels the mean test error is {_percent(means.iloc[0])} at width "
                     f"{means.index[0]}, {_percent(means.min())} at its lowest (width {means.idxmin()}) and "
                     f"{_percent(means.iloc[-1])} at width {means.index[-1]}, and the training labels are fitted {where}")
    return f"On {frame.data.iloc[0]} {'; '.join(parts)}."


def _epochs(frame) -> str:
    parts = []
    for (hidden, noise), rows in frame.groupby(["hidden", "label_noise"]):
        means = rows.groupby("epochs").test_error.mean()
        parts.append(f"{_percent(means.min())} after {means.idxmin():,} epochs and {_percent(means.iloc[-1])} at the end, after "
                     f"{means.index[-1]:,}, at width {hidden} with {noise:.0%} wrong labels")
    return f"The mean test error is at its lowest {'; '.join(parts)}."


def _success(frame) -> str:
    shares = (frame.failed / frame.copies).groupby(frame.hidden).mean()
    return (f"The share of starts that leave a training sample wrong is "
            f"{listed(f'{_percent(x)} at {h} units' for h, x in shares.items())}.")


def _readouts(frame) -> str:
    loss = frame.groupby("way").train_loss.mean()
    names = {"wide": "one wide network", "best": "the best narrow one", "ensemble": "their ensemble",
             "concatenated": "their concatenation", "retrained": "their concatenation after further training of its readout"}
    return f"The mean training loss is {listed(f'{loss[way]:.2g} for {name}' for way, name in names.items() if way in loss)}."


def _tickets(frame) -> str:
    wins = frame[frame.rewind == 0].groupby("arm").wins.mean()
    names = {"alone": "of tickets alone", "redrawn rest": "with the rest redrawn",
             "failed rest": "with the rest taken from a failed network", "fresh wide": "of fresh networks",
             "shuffled mask": "of masks shuffled within layers", "random mask": "of random masks",
             "fresh narrow": "of fresh networks as sparse as a ticket"}
    left = frame[frame.arm == "alone"].left.mean()
    first = frame.iloc[0]
    return (f"Networks of {int(first.parameters):,} parameters on {first.data}, tickets of {left:.0%} of their weights: "
            f"{listed(f'{_percent(wins[arm])} {name}' for arm, name in names.items() if arm in wins)} fit every training sample.")


def _escape(frame) -> str:
    loss = frame.groupby("way").train_loss.mean()
    names = {"narrow": "for the narrow network", "not at all": "after further training of it",
             "split units": "after further training with split units", "new units": "after further training with new units",
             "wide from the start": "for networks that are wide from the start"}
    low = frame.groupby("way").lowest.mean()
    lowest = {name: low[way] for way, name in (("not at all", "as it is"), ("split units", "with split units")) if way in low}
    return (f"The mean training loss is {listed(f'{loss[way]:.2g} {name}' for way, name in names.items() if way in loss)}; the "
            "lowest curvature of the narrow network before further training is "
            f"{listed(f'{x:.2g} {name}' for name, x in lowest.items())}.").replace("-", "−")


def _curvature(frame) -> str:
    parts: list[str] = []
    for hidden, rows in frame.groupby("hidden"):
        means = rows.groupby("epochs")[["negative", "null"]].mean()
        parts.append(f"from {_percent(means.negative.iloc[0])} to {_percent(means.negative.iloc[-1])} at width {hidden} (a "
                     f"random matrix of the same mean and variance would have {_percent(means.null.iloc[-1])})")
    first, last = frame.epochs.min(), frame.epochs.max()
    return f"Between epochs {first} and {last} the share of negative curvatures changes {listed(parts)}."


def _critical(frame) -> str:
    once = frame.drop_duplicates(["hidden", "seed"])
    parts = [f"{int(rows.found.sum())} of {int(rows.searches.sum())} searches at {hidden} units"
             for hidden, rows in once.groupby("hidden")]
    share = (frame["index"] / frame.directions)[frame.loss.notna()]
    return (f"Critical points were found in {listed(parts)}; {_percent(share.mean()) if len(share) else 'no share'} of their "
            "directions lead down on average.")


def _endings(frame) -> str:
    base = frame[frame.regime == "base"]
    (narrow, few), (wide, many) = _ends(base)
    barrier = (f"the barrier between two of width {wide} is {many.barrier.mean():.2g} before and "
               f"{many.barrier_matched.mean():.2g} after matching their units.")
    if narrow == wide:
        return (f"On {frame.data.iloc[0]} two networks of width {wide} differ on {_percent(1 - many.agreement.mean())} of the "
                f"test samples; the standard deviation of their test errors is {_percent(many.spread.mean())}; {barrier}")
    return (f"On {frame.data.iloc[0]} two networks of width {narrow} differ on {_percent(1 - few.agreement.mean())} of the "
            f"test samples, of width {wide} on {_percent(1 - many.agreement.mean())}; the standard deviation of their test "
            f"errors goes from {_percent(few.spread.mean())} to {_percent(many.spread.mean())}; {barrier}")


def _memorise(frame) -> str:
    wide = frame[frame.hidden == frame.hidden.max()]
    last = wide[wide.epochs == wide.epochs.max()]
    parts = []
    for task, rows in last.groupby("task", sort=False):
        fitted = rows.fitted.dropna()
        parts.append(f"{task} after {fitted.median():.0f} epochs" if len(fitted) else f"{task} not at all")
    again = {task: rows.resplits.sum() / max(1.0, rows.deaths.sum()) for task, rows in last.groupby("task", sort=False)}
    return (f"On {frame.data.iloc[0]} networks of width {wide.hidden.iloc[0]} fit {listed(parts)} (median); merged regions split "
            f"again in {listed(f'{_percent(x)} of cases with {task}' for task, x in again.items())}.")


def _adversarial(frame) -> str:
    (narrow, few), (wide, many) = _ends(frame)
    return (f"On {frame.data.iloc[0]} the shortest step found to change a class has a mean length of {few.found.mean():.2g} at "
            f"width {narrow} and {many.found.mean():.2g} at {wide}; steps of up to {few.certified.mean():.2g} and "
            f"{many.certified.mean():.2g} are certified to change none. On images that the nearest-neighbour rule classifies "
            f"correctly, too, it withstands {many.nearest.mean():.2g} on average, and the widest network's class changes after "
            f"{many.found_there.mean():.2g}.")


SUBJECTS = (
    Subject("Double descent by width", {"descent-digits": "MLP", "descent-mnist": "MLP", "descent-resnet18-digits": "ResNet-18"},
            _descent),
    Subject("Double descent by epochs", {"descent-epochs-digits": ""}, _epochs),
    Subject("Success by width", {"success-digits": ""}, _success),
    Subject("One wide network or several narrow ones", {"readouts-digits": ""}, _readouts),
    Subject("Tickets", {"tickets-digits": "MLP", "tickets-resnet18-digits": "ResNet-18", "tickets-vgg16-digits": "VGG-16"},
            _tickets),
    Subject("Critical points", {"critical-digits": ""}, _critical),
    Subject("Curvature along training", {"curvature-digits": ""}, _curvature),
    Subject("Escape by width", {"escape-digits": ""}, _escape),
    Subject("Solutions of the same loss", {"endings-digits": "", "endings-mnist": "", "endings-cifar10": ""}, _endings),
    Subject("Memorise or generalise", {"memorise-digits": "", "memorise-cifar10": ""}, _memorise),
    Subject("Adversarial changes", {"adversarial-digits": "", "adversarial-mnist": ""}, _adversarial),
)
STUDIES = tuple(dict.fromkeys(name for subject in SUBJECTS for name in subject.studies))
