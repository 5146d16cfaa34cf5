"""Lenet-300-100 on MNIST, pruned step by step and rewound."""

from functools import partial

from figures.published import Published
from lab.estimate import Estimate, mean_interval

LEVELS = (0.21, 0.036)  # shares of the weights left in the two published statements
IMAGES = (30000, 8000, 2000)  # training images of the study


def _beyond_dense(images: int, left: float, frame) -> Estimate | None:
    """Test accuracy of the ticket minus that of the dense network, in points, at the round whose share is nearest."""
    frame = frame[(frame.rewind == 0) & (frame.samples == images)]
    rounds = frame[frame.arm.str.startswith(("round", "alone"))]
    if rounds.empty or (rounds.left / left - 1).abs().min() > 0.15:
        return None
    nearest = rounds.loc[(rounds.left - left).abs().idxmin(), "arm"]
    errors = frame.pivot(index="seed", columns="arm", values="test_error")
    return mean_interval(100 * (errors["dense"] - errors[nearest]).dropna())


PUBLISHED = tuple(
    Published(name=f"lenet/{name}-{images}", quantity=f"test accuracy of the ticket with {left:.1%} of the weights minus that of "
              "the whole network, in points", value=value, digits=0.05, tolerance=0.3,
              protocol="Lenet-300-100 on MNIST, Adam 1.2e-3, batch 60; iterative magnitude pruning, rewound to the start",
              source="Frankle & Carbin 2019 (arXiv 1803.03635)", read="recalled", study="tickets-lenet",
              ours=partial(_beyond_dense, images, left),
              why="" if images == max(IMAGES) else "the fewer images, the more the ticket loses: see the larger sizes",
              reduced=f"{images:,} training images instead of 55,000; two layers of 200 units instead of 300 and 100; SGD at "
                      "learning rate .1, batch 128, 40 epochs, as in open_lth")
    for name, left, value in (("fifth", LEVELS[0], 0.3), ("matching", LEVELS[1], 0.0)) for images in IMAGES)
