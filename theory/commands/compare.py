"""``python -m theory compare A.npy B.npy``: compare the features of two or more models, from files."""

from pathlib import Path

from lab.arguments import add_run_arguments, not_negative_float, number, only, whole
from lab.cli import note, say

HELP = "compare features of models, in files: span errors, similarities, probes, with nulls and intervals"


def add_arguments(parser) -> None:
    """The files, and how to compare them."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="features of shape (rows, units), one row per input: .npy, .npz "
                        "or .safetensors (FILE:NAME for one array of several); the last file is the target, those before it, "
                        "side by side, are the source. Or a folder, to compare all its files with each other")
    parser.add_argument("--baseline", nargs="+", metavar="FILE", help="features to compare the source with, such as a second "
                        "network like the target; with --pairs one for each pair, or: next")
    parser.add_argument("--pairs", action="store_true", help="the files are source, target, source, target, …: intervals are "
                        "over pairs (seeds) instead of rows")
    parser.add_argument("--labels", metavar="FILE", help="classes or numbers for probes, one for each row")
    parser.add_argument("--ids", nargs="+", metavar="FILE", help="ids of the rows: one file for all, or one for the source and "
                        "one for the target (.npz and .safetensors may hold their own)")
    parser.add_argument("--groups", metavar="FILE", help="a number or word for each row: rows with the same one belong together, "
                        "stay on one side of the split and are resampled together")
    parser.add_argument("--held-out", dest="split", type=number(above=0, below=1), default=0.5, metavar="SHARE",
                        help="share of the rows that is held out to score on")
    parser.add_argument("--ridges", nargs="+", type=not_negative_float, default=None, metavar="RIDGE",
                        help="relative ridges to choose from (default: 1e-8 to 10)")
    parser.add_argument("--subset", type=whole(0, 10**5), default=None, metavar="ROWS", help="rows of nonlinear and neighbour "
                        "measures; 0 for none (default: 2000, and 0 for a folder)")
    parser.add_argument("--few-rows", action="store_true", help="continue if rows do not outnumber units; then use the held-out "
                        "measures only")
    add_run_arguments(parser, "--seed")
    only(parser, "--baseline", "--pairs", when=lambda args: not _folder(args), words="goes with files, not with a folder")


def _folder(args) -> bool:
    return len(args.files) == 1 and Path(args.files[0]).is_dir()


def run(args) -> dict:
    """Compare, print the table, return the numbers."""
    from lab.errors import UsageError
    from theory.compare import compare, compare_all
    from theory.compare.files import read_column
    from theory.measures import RIDGES

    ids = None
    if args.ids is not None:
        if len(args.ids) > (1 if _folder(args) else 2):
            raise UsageError(f"--ids takes one file for all (or two, for source and target), not {len(args.ids)}")
        columns = [read_column(path, "ids") for path in args.ids]
        ids = columns[0] if len(columns) == 1 else dict(zip(("source", "target"), columns))
    more = dict(labels=args.labels, groups=args.groups, split=args.split, ridges=args.ridges or RIDGES, seed=args.seed,
                few_rows=args.few_rows, ids=ids)
    if _folder(args):
        comparison = compare_all(args.files[0], **more, subset=args.subset or 0)
        say(comparison.matrix("span_error").to_string(float_format="{:.4f}".format))
        say("span error: rows explain columns")
        return comparison.to_json()
    source, target, baseline = _sides(args)
    comparison = compare(source, target, baseline=baseline, **more, subset=2000 if args.subset is None else args.subset)
    blocks = comparison.blocks
    say(f"{blocks['source']} → {blocks['target']}" + (f", baseline {blocks['baseline']}" if baseline else ""))
    say(comparison.table().to_string(float_format="{:.4f}".format, na_rep="", index_names=False))
    say(f"rows: {', '.join(f'{count:,} {part}' for part, count in comparison.rows.items())}; split {comparison.split}; "
        f"intervals: {comparison.interval}")
    for line in comparison.notes:
        note(f"note: {line}")
    return comparison.to_json()


def _sides(args) -> tuple:
    """Source, target and baseline of the files."""
    from lab.errors import UsageError

    files, baseline = args.files, args.baseline
    if len(files) < 2:
        raise UsageError(f"{files[0]} alone cannot be compared: give a source and a target, or a folder")
    if args.pairs:
        if len(files) % 2:
            raise UsageError(f"--pairs takes sources and targets in turn: {len(files)} files do not make pairs")
        return files[::2], files[1::2], "next" if baseline == ["next"] else baseline
    if baseline is not None and len(baseline) > 1:
        raise UsageError("--baseline takes one file without --pairs")
    return (files[0] if len(files) == 2 else files[:-1]), files[-1], baseline[0] if baseline else None


def draw(result: dict, axes) -> None:
    """The picture of ``--plot``."""
    from theory.compare.picture import draw_comparison, draw_matrix

    (draw_matrix if "models" in result else draw_comparison)(result, axes)
