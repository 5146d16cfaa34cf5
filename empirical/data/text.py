"""Sentence pairs labelled entailment, neutral or contradiction, as token ids.

MultiNLI and SNLI are read from the published archives (``multinli_1.0.zip``, ``snli_1.0.zip``), whose digests are checked, or,
like SICK and any other pairs, from files in the formats of :mod:`empirical.data.pairs`. Loose files have no published digest;
instead their number of labelled pairs is compared, and the name says "(unverified copy)" if it agrees and "(altered)" if not.

The tokenizer is byte-level BPE, trained only on the sentences of the training split (``tokenizers`` library). A pair is
[CLS] premise [SEP] hypothesis [SEP]; pairs that are too long lose tokens from their longer sentence, and their number is
recorded.
"""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from empirical.data import Dataset, assemble, checks, held_out
from empirical.data.pairs import ENDINGS, LABELS, Pair, read_pairs
from empirical.declared import Source
from lab.errors import ArgumentError, InputError
from lab.files import reading

DATA = (Source("mnli", "sentence pairs"), Source("snli", "sentence pairs"), Source("sick", "sentence pairs"),
        Source("pairs", "sentence pairs"))
PADDING, CLS, SEP, UNKNOWN = range(4)
VOCABULARY, MAX_LENGTH = 8192, 64


@dataclass(frozen=True)
class Published:
    """A data set as published.

    Attributes
    ----------
    title : name of the corpus.
    train, test : stems of its training and test files; the first that exists is used.
    pairs : number of labelled pairs in the two files; None if it is not published.
    archive, sha256 : the archive that contains them as JSON lines in a folder of the same name, and its digest; empty for none.
    """

    title: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    pairs: tuple[int, int] | None = None
    archive: str = ""
    sha256: str = ""


SOURCES = {
    "mnli": Published("MultiNLI", ("train", "multinli_1.0_train", "mnli_train", "mnli_train_subset"),
                      ("dev_matched", "multinli_1.0_dev_matched", "mnli_dev_matched"), (392_702, 9_815),
                      "multinli_1.0.zip", "049f507b9e36b1fcb756cfd5aeb3b7a0cfcb84bf023793652987f7e7e0957822"),
    "snli": Published("SNLI", ("snli_1.0_train", "snli_train", "snli_train_subset"), ("snli_1.0_test", "snli_test"),
                      (549_367, 9_824),
                      "snli_1.0.zip", "afb3d70a5af5d8de0d9d81e2637e0fb8c22d1235c2749d83125ca43dab0dbd3e"),
    "sick": Published("SICK", ("SICK_train", "sick_train"), ("SICK_test_annotated", "sick_test"), (4_500, 4_927)),
    "pairs": Published("sentence pairs", ("train",), ("test", "dev")),
}


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
    """Token ids of pairs, padded to the longest, and the number of truncated pairs.

    Returns
    -------
    ids : int32 (pairs, longest), at most ``max_length`` columns.
    cut : int.

    Raises
    ------
    InputError
        If there are no pairs, or ``max_length`` leaves no room for a token of each sentence.
    """
    if not pairs or max_length < checks.SHORTEST_PAIR:
        raise InputError(f"{len(pairs)} pairs in {max_length} tokens: there must be at least one pair, and room for "
                         f"{checks.SHORTEST_PAIR} tokens (three marks and one token of each sentence)")
    first = [e.ids for e in tokenizer.encode_batch([premise for premise, _, _ in pairs])]
    second = [e.ids for e in tokenizer.encode_batch([hypothesis for _, hypothesis, _ in pairs])]
    rows, cut = [], 0
    for a, b in zip(first, second):
        over = len(a) + len(b) + 3 - max_length
        if over > 0:
            cut += 1
            keep = max_length - 3
            shorter = min(len(a), len(b), keep // 2)  # the longer sentence loses tokens first
            a, b = (a[:keep - shorter], b[:shorter]) if len(a) >= len(b) else (a[:shorter], b[:keep - shorter])
        rows.append([CLS, *a, SEP, *b, SEP])
    ids = np.zeros((len(rows), max(map(len, rows))), np.int32)
    for i, row in enumerate(rows):
        ids[i, :len(row)] = row
    return torch.from_numpy(ids), cut


def make_dataset(name: str, train: Sequence[Pair], test: Sequence[Pair], *, train_size: int, max_length: int,
                 probe_fit: int, probe_score: int, vocabulary: int = VOCABULARY, split: int = 0,
                 facts: dict | None = None) -> Dataset:
    """Tokenise and split pairs; the tokenizer is trained only on sentences of the training split."""
    pairs = [*train, *test]
    rows = held_out(name, len(train), train_size, probe_fit, probe_score, split)["train"].tolist()
    tokenizer = train_tokenizer([sentence for i in rows for sentence in pairs[i][:2]], vocabulary)
    ids, cut = encode_pairs(tokenizer, pairs, max_length)
    facts = {**(facts or {}), "pairs_cut_to_length": cut, "max_length": max_length}
    labels = torch.tensor([label for _, _, label in pairs])
    return assemble(name, ids, labels, classes=len(LABELS), test_rows=len(test), train_size=train_size, probe_fit=probe_fit,
                    probe_score=probe_score, vocabulary=tokenizer.get_vocab_size(), split=split, facts=facts)


def _find(folder, stems: Sequence[str], endings: Sequence[str] = ENDINGS):
    """The first file in a folder (or archive) with one of these names; None if there is none."""
    return next((path for stem in stems for end in endings if (path := folder / f"{stem}{end}").exists()), None)


def locate(source: str, base: Path) -> tuple[list, Path | None]:
    """Training and test file of a source, and their archive (None for loose files).

    Raises
    ------
    ArgumentError
        If they are missing; the message lists the expected names.
    """
    known = SOURCES[source]
    archive = base if base.is_file() else base / known.archive
    if known.archive and archive.is_file():
        with reading(archive, "a zip archive"):
            inside = zipfile.Path(archive) / known.archive.removesuffix(".zip")
            files = [_find(inside, stems, (".jsonl",)) for stems in (known.train, known.test)]
        if None in files:
            raise InputError(f"{archive} lacks the training or the test file: it is not the published {known.archive}; download "
                             "it again")
        return files, archive
    places = (base, base / "nli", base / known.archive.removesuffix(".zip"))
    candidates = [[_find(folder, stems) for stems in (known.train, known.test)] for folder in places]
    complete = next((pair for pair in candidates if None not in pair), None)
    if complete:
        return complete, None
    missing = known.test if any(train for train, _ in candidates) else known.train
    raise ArgumentError(f"no {source} in {base}: it has no {missing[0]}.tsv (nor {', '.join(missing[1:]) or 'else'}; .tsv, "
                        f".jsonl, .parquet, plain, .gz or .xz){f', nor {known.archive}' if known.archive else ''}")


def _name(known: Published, files: Sequence, counts: tuple[int, int], digest: str) -> str:
    """The name of the data: the bare title if the digest is the published one, or if nothing is published."""
    if known.pairs is None or digest == known.sha256 != "":
        return known.title
    if not digest and "subset" in files[0].name:
        return f"{known.title} (subset)"
    return f"{known.title} ({'altered' if digest or counts != known.pairs else 'unverified copy'})"


def read(source: str, data_dir: str | None) -> tuple[str, list[Pair], list[Pair], dict]:
    """The name of a source, its training and test pairs, and facts for the manifest.

    Parameters
    ----------
    source : one of :data:`SOURCES`.
    data_dir : folder (or published archive).

    Raises
    ------
    ArgumentError, InputError
        As for :func:`locate` and :func:`empirical.data.pairs.read_pairs`.
    """
    if data_dir is None:
        raise ArgumentError(f"{source} needs data_dir, the folder with its training and test files", "data_dir")
    known = SOURCES[source]
    files, archive = locate(source, Path(data_dir))
    (train, lost), (test, lost_too) = map(read_pairs, files)
    digest = checks.file_sha256(archive) if archive else ""
    name = _name(known, files, (len(train), len(test)), digest)
    compared = "sha256 of the archive" if archive else "number of pairs" if known.pairs and "subset" not in name else "nothing"
    return name, train, test, {"train_file": files[0].name, "test_file": files[1].name,
                               "rows_without_gold_label": lost + lost_too, "compared_with_published": compared}


def probe_rows(count: int) -> tuple[int, int]:
    """Numbers of rows of the two probe splits, for this many training pairs."""
    return (6000, 2000) if count > 16_000 else (count // 4, count // 10)


def load(*, source: str, data_dir: str | None = None, train_size: int = 0, max_length: int = 0, split: int = 0,
         **_) -> Dataset:
    """MNLI, SNLI, SICK, or any ``train``/``test`` pair of files, from the folder (or published archive) ``data_dir``."""
    length = checks.max_length(max_length) or MAX_LENGTH
    name, train, test, facts = read(source, data_dir)
    fit, score = probe_rows(len(train))
    return make_dataset(name, train, test, train_size=train_size, max_length=length, probe_fit=fit, probe_score=score,
                        split=split, facts=facts)
