"""Sentence pairs as tokens of a published network."""

from dataclasses import replace
from pathlib import Path

import torch

from empirical.data import Dataset, assemble, load
from empirical.data import text as known
from empirical.data.entailment import PROBE_FIT, PROBE_SCORE, TEST, TRAIN, generate
from empirical.data.pairs import LABELS
from empirical.declared import is_own
from lab.errors import InputError
from lab.files import reading


def tokenised(source: str, data_dir: str | None, network: Path, max_length: int) -> Dataset:
    """Pairs encoded by the network's own tokenizer, with every id raised by 1 so that 0 is always padding.

    Parameters
    ----------
    source : name of the data; a user's own data contain token ids of the network already, with 0 as padding.
    data_dir : folder with the data set.
    network : folder of the checkpoint, with its ``tokenizer.json``.
    max_length : tokens per pair, 0 for 64.

    Raises
    ------
    InputError
        If the tokenizer is missing or damaged.
    """
    if is_own(source):
        data = load(source, data_dir=data_dir)
        if not data.is_text:
            raise InputError(f"{source} does not return token ids: give it a vocabulary")
        return replace(data, inputs=torch.where(data.inputs != 0, data.inputs + 1, 0), vocabulary=data.vocabulary + 1)
    from tokenizers import Tokenizer

    path = network / "tokenizer.json"
    with reading(path, "a tokenizer", "download it again"):
        tokenizer = Tokenizer.from_str(path.read_text())
    if source == "entailment":
        pairs, name, facts = generate(TRAIN + PROBE_FIT + PROBE_SCORE + TEST), "entailment (generated)", {"source": "generated"}
        train, test, probe = pairs[:-TEST], pairs[-TEST:], (PROBE_FIT, PROBE_SCORE)
    else:
        name, train, test, facts = known.read(source, data_dir)
        probe = known.probe_rows(len(train))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length or known.MAX_LENGTH)
    encoded = [e.ids for e in tokenizer.encode_batch([(premise, hypothesis) for premise, hypothesis, _ in [*train, *test]])]
    ids = torch.zeros(len(encoded), max(map(len, encoded)), dtype=torch.int32)
    for row, tokens in zip(ids, encoded):
        row[:len(tokens)] = torch.tensor(tokens, dtype=torch.int32) + 1
    labels = torch.tensor([label for _, _, label in [*train, *test]])
    return assemble(name, ids, labels, classes=len(LABELS), test_rows=len(test), train_size=0, probe_fit=probe[0],
                    probe_score=probe[1], vocabulary=tokenizer.get_vocab_size() + 1,
                    facts={**facts, "tokenizer": network.name, "max_length": max_length or known.MAX_LENGTH})
