"""The Transformer on sentence pairs: SNLI, and generated entailment."""

from functools import partial

from empirical.settings import matched
from empirical.studies.width.study import SAME_LOSS, embedded, files_study, width_study

_SNLI_LOSS = matched("snli")
_PAIRS = {"base_width": 32, "depth": 2, "max_length": 48}
TRANSFORMER_SNLI = files_study("transformer-snli", "Transformer on SNLI", "transformer", "snli", {"base_width": 256}, **_PAIRS,
                               epochs=10, label="Transformer, SNLI subset")
TRANSFORMER_SNLI_LOSS = files_study(
    "transformer-snli-loss", "Transformer on SNLI, matched in training loss", "transformer", "snli",
    {**_SNLI_LOSS, "base_width": 256}, **{**_SNLI_LOSS, **_PAIRS, "epochs": 32, "target_loss": 0.95},
    label=SAME_LOSS, control_of="transformer-snli")

TRANSFORMER_ENTAILMENT = width_study("transformer-entailment", "Transformer on generated entailment",
                                     partial(embedded, "transformer", "entailment", scales=("full",)),
                                     "Transformer, generated entailment")
