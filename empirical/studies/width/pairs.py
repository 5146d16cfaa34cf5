"""The Transformer on sentence pairs: SNLI, MultiNLI, and generated entailment with every control of the span gap."""

from fractions import Fraction
from functools import partial

from empirical.settings import matched
from empirical.studies.width.study import (
    ALPHAS,
    PARAMETERS,
    SAME_LOSS,
    SLICES,
    WIDER,
    embedded,
    files_study,
    width_study,
)

_LOSS = {**matched("snli"), "target_loss": 0.95}  # for pairs that are read from files
_PAIRS = {"base_width": 32, "depth": 2, "max_length": 48}
_LONGER = {**_PAIRS, "max_length": 64}  # a third of MultiNLI's pairs is longer than 48 tokens
_ENDS = (ALPHAS[0], ALPHAS[-1])
TRANSFORMER_SNLI = files_study("transformer-snli", "Transformer on SNLI", "transformer", "snli", published={"base_width": 256},
                               reduced={**_PAIRS, "epochs": 10}, label="Transformer, SNLI subset")
TRANSFORMER_SNLI_LOSS = files_study(
    "transformer-snli-loss", "Transformer on SNLI, matched in training loss", "transformer", "snli",
    published={**_LOSS, "base_width": 256}, reduced={**_LOSS, **_PAIRS, "epochs": 32}, label=SAME_LOSS,
    control_of="transformer-snli", alphas=_ENDS)
TRANSFORMER_MNLI = files_study("transformer-mnli", "Transformer on MultiNLI", "transformer", "mnli",
                               published={"base_width": 256}, reduced={**_LONGER, "epochs": 10},
                               label="Transformer, MultiNLI subset")
TRANSFORMER_MNLI_LOSS = files_study(
    "transformer-mnli-loss", "Transformer on MultiNLI, matched in training loss", "transformer", "mnli",
    published={**_LOSS, "base_width": 256}, reduced={**_LOSS, **_LONGER, "epochs": 32}, label=SAME_LOSS,
    control_of="transformer-mnli", alphas=ALPHAS[:3:2])

_entailment = partial(embedded, "transformer", "entailment", scales=("full",))
TRANSFORMER_ENTAILMENT = width_study("transformer-entailment", "Transformer on generated entailment", _entailment,
                                     "Transformer, generated entailment")
TRANSFORMER_ENTAILMENT_LOSS = width_study(
    "transformer-entailment-loss", "Transformer on generated entailment, matched in training loss",
    partial(_entailment, alphas=ALPHAS[:3], **{**matched("entailment"), "target_loss": 0.7}), SAME_LOSS,
    "transformer-entailment")  # copies of alpha = 1/4 reach this loss after about 25 epochs, narrower ones never do
TRANSFORMER_ENTAILMENT_SLICES = width_study(
    "transformer-entailment-slices", "Transformer on generated entailment, copies that start as slices of the wide",
    partial(_entailment, start="slice"), SLICES, "transformer-entailment")
# numbers of copies with as many parameters as the wide network, written down because counting needs the vocabulary, which takes
# seconds to build
EQUAL_PARAMETERS = {Fraction(1, 2): 3, Fraction(1, 4): 8}
TRANSFORMER_ENTAILMENT_PARAMETERS = width_study(
    "transformer-entailment-parameters", "Transformer on generated entailment, copies with as many parameters as the wide",
    partial(_entailment, alphas=ALPHAS[:3], parameters=EQUAL_PARAMETERS), PARAMETERS, "transformer-entailment")
TRANSFORMER_ENTAILMENT_WIDER = width_study(
    "transformer-entailment-wider", "Transformer on generated entailment, copies of base width 16 against one four times as wide",
    partial(_entailment, alphas=(Fraction(4), Fraction(1)), base_width=16), WIDER, "transformer-entailment")
