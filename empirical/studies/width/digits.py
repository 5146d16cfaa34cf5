"""ResNet-18 on digits, and every control of the span gap that takes minutes."""

from fractions import Fraction
from functools import partial

from empirical.settings import matched
from empirical.studies.width.study import ALPHAS, PARAMETERS, SAME_LOSS, SLICES, WIDER, embedded, width_study

# digits are built in; the first two studies are part of every report, the other controls take minutes, so their tables are kept
_digits = partial(embedded, "resnet18", "digits")
_DIGITS_LOSS = matched("digits")
RESNET18_DIGITS = width_study("resnet18-digits", "ResNet-18 on digits", _digits, "ResNet-18, digits")
RESNET18_DIGITS_LOSS = width_study("resnet18-digits-loss", "ResNet-18 on digits, matched in training loss",
                                   partial(_digits, scales=("run", "full"), **_DIGITS_LOSS), SAME_LOSS, "resnet18-digits")
# the same at other losses: does the gap depend on their distance from the final loss of the narrow networks, as in the toy?
RESNET18_DIGITS_LOSS_HIGH = width_study(
    "resnet18-digits-loss-high", "ResNet-18 on digits, matched at a higher training loss",
    partial(_digits, scales=("full",), **{**_DIGITS_LOSS, "target_loss": 0.75}), SAME_LOSS, "resnet18-digits")
RESNET18_DIGITS_LOSS_LOW = width_study(
    "resnet18-digits-loss-low", "ResNet-18 on digits, matched at a lower training loss",
    partial(_digits, scales=("full",), **{**_DIGITS_LOSS, "target_loss": 0.1}), SAME_LOSS, "resnet18-digits")
RESNET18_DIGITS_SLICES = width_study("resnet18-digits-slices", "ResNet-18 on digits, copies that start as slices of the wide",
                                     partial(_digits, scales=("full",), start="slice"), SLICES, "resnet18-digits")
RESNET18_DIGITS_PARAMETERS = width_study(
    "resnet18-digits-parameters", "ResNet-18 on digits, copies with as many parameters as the wide network",
    partial(_digits, scales=("full",), alphas=ALPHAS[:3], parameters=True), PARAMETERS, "resnet18-digits")
RESNET18_DIGITS_WIDER = width_study(
    "resnet18-digits-wider", "ResNet-18 on digits, copies of base width 8 against a network four times as wide",
    partial(_digits, scales=("full",), alphas=(Fraction(4), Fraction(2), Fraction(1)), base_width=8), WIDER,
    "resnet18-digits")
