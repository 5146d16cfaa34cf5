"""Reader for files of labelled sentence pairs.

It reads the formats of the GLUE, MultiNLI, SNLI and SICK distributions: tab-separated files with a header (columns named
``premise``/``hypothesis``/``label``, ``sentence1``/``sentence2``/``gold_label``, or as in GLUE), JSON lines and Parquet with the
same names, plain or compressed by gzip or xz. There is no quoting: a quote is a character. Blank lines at the end are ignored.

A sentence is non-blank text. A label is one of :data:`LABELS` or its number; rows without a gold label ("-", an empty cell, null,
-1) are dropped and counted. Anything else is an error that names the row.
"""

import json
import math
import reprlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from lab.errors import InputError
from lab.files import read_whole, reading

DATA = None
LABELS = ("entailment", "neutral", "contradiction")
NAMES = (("premise", "hypothesis", "label"), ("sentence1", "sentence2", "gold_label"),
         ("sentence1", "sentence2", "label"), ("sentence_A", "sentence_B", "entailment_judgment"))
ENDINGS = (".tsv", ".txt", ".jsonl", ".parquet", ".tsv.xz", ".tsv.gz", ".jsonl.xz", ".jsonl.gz")

Pair = tuple[str, str, int]
Row = tuple[int, Sequence]  # row number in the file, from 1; premise, hypothesis and label as in the file


def read_pairs(path: Path) -> tuple[list[Pair], int]:
    """Sentence pairs of a file, and the number of rows that were dropped because they have no gold label.

    Returns
    -------
    pairs : (premise, hypothesis, label number in the order of :data:`LABELS`); at least one.
    dropped : int.

    Raises
    ------
    InputError
        If the file is damaged, lacks columns or pairs, or a row is malformed; the message names the row.
    """
    rows = _parquet if path.name.endswith(".parquet") else _json_lines if ".jsonl" in path.name else _tab_separated
    pairs, dropped = [], 0
    for number, (premise, hypothesis, label) in rows(path):
        try:
            known = _label(label)
            if known is None:
                dropped += 1
            else:
                pairs.append((_sentence(premise), _sentence(hypothesis), known))
        except ValueError as error:
            raise InputError(f"{path}, row {number}: {error}; fix or drop it") from None
    if not pairs:
        raise InputError(f"{path} contains no labelled pair" + (f" ({dropped} rows have no gold label)" if dropped else "")
                         + "; give a file with rows")
    return pairs, dropped


def _label(label) -> int | None:
    """The number of a label; None without a gold label."""
    if isinstance(label, str):
        text = label.strip().lower()
        if text in ("-", ""):
            return None
        if text in LABELS:
            return LABELS.index(text)
    elif label is None or (isinstance(label, float) and math.isnan(label)):  # NaN: a null in a column of numbers
        return None
    elif type(label) in (int, float) and label in (-1, 0, 1, 2):  # the order of GLUE on the Hugging Face hub
        return int(label) if label >= 0 else None
    raise ValueError(f"label {reprlib.repr(label)} is none of {', '.join(LABELS)}")


def _sentence(cell) -> str:
    """A cell, checked to be a sentence."""
    if not isinstance(cell, str):
        kind = "null" if cell is None else type(cell).__name__
        raise ValueError(f"a sentence that is {kind}, not text")
    if not cell.strip():
        raise ValueError("an empty sentence")
    if not cell.isascii():
        try:
            cell.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"half a surrogate pair (\\u{ord(cell[error.start]):04x}), which is not a character") from None
    return cell


def _columns(path: Path, names: Sequence[str]) -> tuple[str, str, str]:
    """The columns of premise, hypothesis and label among a file's columns."""
    wanted = next((wanted for wanted in NAMES if set(wanted) <= set(names)), None)
    if wanted is None:
        raise InputError(f"{path} has columns {', '.join(map(str, names))[:80] or '(none)'}; it needs premise, hypothesis, "
                         "label (or sentence1, sentence2, gold_label)")
    for name in wanted:
        if list(names).count(name) > 1:
            raise InputError(f"{path} has the column {name} twice; rename or drop one")
    return wanted


def _lines(path: Path) -> list[str]:
    """Lines of a UTF-8 text file without blank lines at the end; at least one."""
    raw = read_whole(path, "a text file")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        row = raw.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}, row {row}: not UTF-8, so damaged or in another encoding; download it again or convert it"
                         ) from None
    lines = [line.rstrip("\r") for line in text.removeprefix("\ufeff").split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise InputError(f"{path} is empty; download it again")
    return lines


def _tab_separated(path: Path) -> Iterator[Row]:
    header, *lines = _lines(path)
    names = header.split("\t")
    places = [names.index(name) for name in _columns(path, names)]
    for number, line in enumerate(lines, 2):
        cells = line.split("\t")
        if len(cells) != len(names):
            raise InputError(f"{path}, row {number}: {len(cells)} fields, but the header has {len(names)}; fix or drop it")
        yield number, [cells[i] for i in places]


def _json_lines(path: Path) -> Iterator[Row]:
    columns = None
    for number, line in enumerate(_lines(path), 1):
        try:
            fields = json.loads(line, object_pairs_hook=_object)
            if not isinstance(fields, dict):
                raise ValueError("not an object with fields")
        except RecursionError:
            raise InputError(f"{path}, row {number}: nested too deeply; fix or drop it") from None
        except ValueError as error:
            raise InputError(f"{path}, row {number}: not a JSON object ({error}); it needs premise, hypothesis, label"
                             ) from None
        columns = columns or _columns(path, list(fields))
        lacking = [name for name in columns if name not in fields]
        if lacking:
            raise InputError(f"{path}, row {number}: no {lacking[0]}, which the first row has; fix or drop it")
        yield number, [fields[name] for name in columns]


def _object(pairs: list[tuple]) -> dict:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field occurs twice")
    return fields


def _parquet(path: Path) -> Iterator[Row]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise InputError("Parquet files need the package pyarrow: pip install 'widthlab[parquet]'") from None
    raw = read_whole(path, "a Parquet file")
    with reading(path, "a Parquet file"):
        file = parquet.ParquetFile(pyarrow.BufferReader(raw))
        columns = _columns(path, file.schema_arrow.names)
        table = file.read(columns=list(columns))
        cells = [table.column(name).to_pylist() for name in columns]
    yield from enumerate(zip(*cells), 1)
