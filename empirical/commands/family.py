"""``python -m empirical family``: the protocol of width sweeps for published networks of several widths in a folder."""

from dataclasses import replace

from empirical.declared import source, sources
from lab.arguments import add_run_arguments, add_threads_argument, argument, device, positive_int, store_name
from lab.cli import note, say

HELP = "compare published checkpoints of several widths: concatenated narrow networks against a wide one"


def add_arguments(parser):
    parser.add_argument("--folder", required=True, metavar="DIR", help="folder with the checkpoints: state dicts of "
                        "torchvision's ResNets, or folders in Hugging Face format (config.json, model.safetensors, "
                        "tokenizer.json)")
    parser.add_argument("--data", type=argument(lambda name: source(name).name), required=True, metavar="NAME", help="data set "
                        f"on which features are compared: {', '.join(sources())}; or your own, MODULE:FUNCTION")
    parser.add_argument("--data-dir", metavar="DIR", help="folder or archive with the files of the data set")
    parser.add_argument("--image-size", type=positive_int, help="image size in pixels per side (default: as in the data)")
    parser.add_argument("--max-length", type=positive_int, help="tokens per sentence pair (default: 64)")
    parser.add_argument("--rows", type=positive_int, default=6000, help="maximum number of rows to fit on, and to score on")
    parser.add_argument("--device", type=device, help="cpu, cuda, cuda:1, mps (default: CUDA if available)")
    parser.add_argument("--name", type=store_name, help="name of the table and of the folder in the run store (default: from the "
                        "folder)")
    add_threads_argument(parser)
    add_run_arguments(parser, "--jobs", "--out", "--quick", "--dry-run")


def run(args) -> dict:
    from pathlib import Path

    from empirical.device import pick_device
    from empirical.own.families import members
    from empirical.studies.families.measure import COMPARE, data_of, weights_of
    from empirical.studies.families.plan import plan
    from empirical.studies.families.summary import summarise
    from empirical.studies.families.table import tabulate
    from empirical.studies.width.evidence import evidence
    from lab.store import RunStore
    from lab.study import Study, compute
    from lab.sweep import dry_run

    base, target = Path(args.folder).resolve(), pick_device(args.device)
    runs = plan(members(base), data=args.data, image_size=args.image_size or 0, max_length=args.max_length or 0,
                rows=min(args.rows, 500) if args.quick else args.rows, threads=args.threads)
    runs = [run for run in runs if not (args.quick and run.seed)]
    checksums = {run.family: data_of(run, base, args.data_dir).checksum for run in runs}
    runs = [replace(run, checksum=checksums[run.family], weights=weights_of(run, base)) for run in runs]
    name, store = args.name or f"family-{base.name}", RunStore(args.out)
    study = Study(name, f"published networks in {base.name}", (COMPARE,), lambda scale: [], tabulate, evidence, processes=True,
                  family="published")
    for run in runs:
        say(f"{run.family}, alpha {run.alpha}, replica {run.seed}: {', '.join(run.narrow)} against {run.wide}, baseline "
            f"{run.other}")
    if args.dry_run:
        return dry_run(name, runs, store=store, schema=study.schema_of)
    table = compute(study, "quick" if args.quick else "published", store=store, configs=runs,
                    jobs=args.jobs or (1 if target.type == "cuda" else None),
                    options={"checkpoints": str(base), "device": str(target), "data_dir": args.data_dir})
    rows = summarise(table.frame)
    for row in rows:
        say(f"{row['family']}, alpha {row['alpha']:>4} x{row['copies']:<2} span error {row['span_error']:.3f}  reverse "
            f"{row['reverse_span_error']:.3f}  gap {row['gap']:.3f}  CKA {row['cka'].mean:.3f}")
    failed = table.manifest["failed"]
    for failure in failed:
        note(f"failed: {failure['reason']}")
    return {"name": name, "rows": rows, "table": str(store.root / "tables" / f"{table.stem}.csv"), "failed": failed,
            "exit_code": 1 if failed else 0}


def draw(result, axes) -> None:
    """Draw span errors by width for every family in the folder."""
    from empirical.studies.families.summary import draw_families

    draw_families(result["rows"], axes)
