"""Sentence pairs labelled entailment, neutral or contradiction, as token ids.

Reads what the GLUE, MultiNLI, SNLI and SICK distributions use: tab-separated files with a header (columns named
``premise``/``hypothesis``/``label``, ``sentence1``/``sentence2``/``gold_label``, or GLUE's), JSON lines and Parquet
with the same names, plain or packed by gzip or xz. No quoting: a quote is a character. Rows without a gold label
("-") are dropped and counted.

The tokenizer is byte-level BPE trained on the training split's sentences alone (``tokenizers`` library). A pair is
[CLS] premise [SEP] hypothesis [SEP]; pairs that are too long lose tokens from their longer sentence and are counted.
"""

import gzip
import json
import lzma
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from empirical.data import Dataset, assemble, held_out
from lab.errors import InputError, UsageError

LABELS = ("entailment", "neutral", "contradiction")
PADDING, CLS, SEP, UNKNOWN = range(4)
VOCABULARY, MAX_LENGTH = 8192, 64
NAMES = (("premise", "hypothesis", "label"), ("sentence1", "sentence2", "gold_label"),
         ("sentence1", "sentence2", "label"), ("sentence_A", "sentence_B", "entailment_judgment"))
# file stems of the training and test files of each source, the first that exists counts
FILES = {
    "mnli": (("train", "multinli_1.0_train", "mnli_train", "mnli_train_subset"),
             ("dev_matched", "multinli_1.0_dev_matched", "mnli_dev_matched")),
    "snli": (("snli_1.0_train", "snli_train", "snli_train_subset"), ("snli_1.0_test", "snli_test")),
    "sick": (("SICK_train", "sick_train"), ("SICK_test_annotated", "sick_test")),
    "pairs": (("train",), ("test", "dev")),
}
ENDINGS = (".tsv", ".txt", ".jsonl", ".parquet", ".tsv.xz", ".tsv.gz", ".jsonl.xz", ".jsonl.gz")

Pair = tuple[str, str, int]


def read_pairs(path: Path) -> tuple[list[Pair], int]:
    """Sentence pairs of a file, and the number of rows dropped because they have no gold label.

    Returns
    -------
    pairs : (premise, hypothesis, label number in the order of :data:`LABELS`).
    dropped : int.

    Raises
    ------
    InputError
        If the file is damaged, lacks columns, or a row is malformed; the message names the row.
    """
    try:
        rows, names = _parquet(path) if path.name.endswith(".parquet") else _text_rows(path)
    except (OSError, EOFError, lzma.LZMAError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is truncated or damaged ({error}); fetch it anew") from None
    columns = next((wanted for wanted in NAMES if set(wanted) <= set(names)), ())
    if not columns:
        raise InputError(f"{path} has columns {', '.join(map(str, names))[:80]}; it needs premise, hypothesis, label (or "
                         "sentence1, sentence2, gold_label)")
    pairs, dropped = [], 0
    for number, row in rows:
        if row is None or not set(columns) <= set(row):
            raise InputError(f"{path}, row {number}: not the fields that the first row has, or not JSON; mend or drop it")
        premise, hypothesis, label = (row[name] for name in columns)
        label = _label(label)
        if label is None:
            dropped += 1
        elif label < 0:
            raise InputError(f"{path}, row {number}: label {row[columns[2]]!r} is none of {', '.join(LABELS)}")
        elif not str(premise).strip() or not str(hypothesis).strip():
            raise InputError(f"{path}, row {number}: an empty sentence; mend or drop it")
        else:
            pairs.append((str(premise), str(hypothesis), label))
    return pairs, dropped


def _label(label) -> int | None:
    """Number of a label; None without a gold label, -1 for anything else."""
    if isinstance(label, int | np.integer):  # the order of GLUE on the Hugging Face hub; -1 is no gold label
        return int(label) if 0 <= label < 3 else None if label == -1 else -1
    text = str(label).strip().lower()
    return None if text in ("-", "") else LABELS.index(text) if text in LABELS else -1


def _text_rows(path: Path):
    raw = path.read_bytes()
    raw = lzma.decompress(raw) if path.suffix == ".xz" else gzip.decompress(raw) if path.suffix == ".gz" else raw
    lines = raw.decode("utf-8").removeprefix("\ufeff").split("\n")
    lines = [line.rstrip("\r") for line in (lines[:-1] if lines and not lines[-1] else lines)]
    if not lines:
        raise InputError(f"{path} is empty")
    if ".jsonl" in path.name:
        rows = [(i, _json(line)) for i, line in enumerate(lines, 1)]
        return rows, tuple(rows[0][1] or ())
    names = lines[0].split("\t")
    cells = ((i, line.split("\t")) for i, line in enumerate(lines[1:], 2))
    return [(i, dict(zip(names, row)) if len(row) == len(names) else None) for i, row in cells], names


def _json(line: str) -> dict | None:
    try:
        found = json.loads(line)
    except json.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _parquet(path: Path):
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise InputError("Parquet files need the package pyarrow: pip install 'widthlab[parquet]'") from None
    try:
        table = parquet.read_table(path)
    except pyarrow.ArrowInvalid as error:
        raise InputError(f"{path} is truncated or not Parquet ({str(error)[:60]}); fetch it anew") from None
    return list(enumerate(table.to_pylist(), 1)), table.column_names


def train_tokenizer(sentences: Sequence[str], vocabulary: int = VOCABULARY):
    """Byte-level BPE over lower-cased sentences; ids 0..3 are padding, [CLS], [SEP], unknown."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, show_progress=False, min_frequency=2,
                                  special_tokens=["[PAD]", "[CLS]", "[SEP]", "[UNK]"],
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(sentences, trainer)
    return tokenizer


def encode_pairs(tokenizer, pairs: Sequence[Pair], max_length: int) -> tuple[torch.Tensor, int]:
    """Token ids of pairs, padded to the longest, and how many pairs had to be cut.

    Returns
    -------
    ids : int32 (pairs, longest), at most ``max_length`` columns.
    cut : int.
    """
    first = [e.ids for e in tokenizer.encode_batch([premise for premise, _, _ in pairs])]
    second = [e.ids for e in tokenizer.encode_batch([hypothesis for _, hypothesis, _ in pairs])]
    rows, cut = [], 0
    for a, b in zip(first, second):
        over = len(a) + len(b) + 3 - max_length
        if over > 0:
            cut += 1
            keep = max_length - 3
            shorter = min(len(a), len(b), keep // 2)  # the longer sentence loses first
            a, b = (a[:keep - shorter], b[:shorter]) if len(a) >= len(b) else (a[:shorter], b[:keep - shorter])
        rows.append([CLS, *a, SEP, *b, SEP])
    ids = np.zeros((len(rows), max(map(len, rows))), np.int32)
    for i, row in enumerate(rows):
        ids[i, :len(row)] = row
    return torch.from_numpy(ids), cut


def make_dataset(name: str, train: Sequence[Pair], test: Sequence[Pair], *, train_size: int, max_length: int,
                 probe_fit: int, probe_score: int, vocabulary: int = VOCABULARY, facts: dict | None = None) -> Dataset:
    """Tokenise and split pairs; the tokenizer sees the sentences of the training split alone."""
    pairs = [*train, *test]
    rows = held_out(name, len(train), train_size, probe_fit, probe_score)["train"].tolist()
    tokenizer = train_tokenizer([sentence for i in rows for sentence in pairs[i][:2]], vocabulary)
    ids, cut = encode_pairs(tokenizer, pairs, max_length)
    facts = {**(facts or {}), "pairs_cut_to_length": cut, "max_length": max_length}
    return assemble(name, ids, torch.tensor([label for _, _, label in pairs]), test_rows=len(test), train_size=train_size,
                    probe_fit=probe_fit, probe_score=probe_score, vocabulary=tokenizer.get_vocab_size(), facts=facts)


def _find(folder: Path, stems: Sequence[str]) -> Path | None:
    return next((path for stem in stems for end in ENDINGS if (path := folder / f"{stem}{end}").exists()), None)


def load(*, source: str, data_dir: str | None = None, train_size: int = 0, max_length: int = 0, **_) -> Dataset:
    """MNLI, SNLI, SICK, or any ``train``/``test`` pair of files, from the folder ``data_dir``."""
    if data_dir is None:
        raise UsageError(f"{source} needs --data-dir DIR with its training and test files")
    folder = Path(data_dir)
    found = [_find(folder, stems) or _find(folder / "nli", stems) for stems in FILES[source]]
    if None in found:
        missing = FILES[source][found.index(None)]
        raise UsageError(f"no {source} in {folder}: it has no {missing[0]}.tsv (nor {', '.join(missing[1:]) or 'else'}; "
                         ".tsv, .jsonl, .parquet, plain, .gz or .xz)")
    (train, lost), (test, lost_too) = map(read_pairs, found)
    name = {"mnli": "MultiNLI", "snli": "SNLI", "sick": "SICK", "pairs": "sentence pairs"}[source]
    if "subset" in found[0].name:
        name += " (subset)"
    fit, score = (6000, 2000) if len(train) > 16_000 else (len(train) // 4, len(train) // 10)
    return make_dataset(name, train, test, train_size=train_size, max_length=max_length or MAX_LENGTH, probe_fit=fit,
                        probe_score=score, facts={"train_file": found[0].name, "test_file": found[1].name,
                                                  "rows_without_gold_label": lost + lost_too})
