"""`bowstring select`: rows like a target, or that inform most; what retrieved ones are worth."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pyarrow as pa

from bowstring import cli, select
from bowstring.columns import as_array, choose, is_text
from bowstring.errors import InvalidInput

_FUNCTIONS = {
    "facility-location": "rows that represent all rows",
    "graph-cut": "rows similar to all rows, and not to each other",
    "feature-based": "rows that together have much of every word",
    "max-coverage": "rows that together have as many words as possible",
}
_PAIRS = ("facility-location", "graph-cut")


def add(asked: Any) -> None:
    """Add the questions to the parsers of `bowstring select`."""
    _add_like_a_target(asked)
    for name, about in _FUNCTIONS.items():
        parser = asked.add_parser(
            name,
            help=about,
            description=f"Select {about}: a column of text (by TF-IDF) or of embeddings.",
        )
        parser.set_defaults(question=name, answer=_subset)
        cli._add_files(parser, indexed=False)
        parser.add_argument("-k", type=cli._whole, metavar="N", help="how many rows")
        parser.add_argument("--costs", metavar="NAME", help="the column of what rows cost")
        parser.add_argument("--budget", type=float, metavar="X", help="what all may cost")
        parser.add_argument(
            "--method",
            choices=("lazy", "stochastic"),
            default="lazy",
            help="exactly greedy (the default), or by samples",
        )
        parser.add_argument("--seed", type=cli._whole, default=0, metavar="N", help="of samples")
        parser.add_argument(
            "--partitions", type=cli._whole, default=1, metavar="N", help="parts to select in first"
        )
        if name in _PAIRS:
            parser.add_argument(
                "--neighbours", type=cli._whole, metavar="N", help="similar rows that count; all"
            )
        cli._add_output(parser)
    parser = asked.add_parser(
        "importance",
        help="what sources of retrieved rows are worth, and which to drop",
        description="Learn what each source is worth from a table of query, source and utility.",
    )
    parser.set_defaults(question="importance", answer=_importance)
    parser.add_argument("file", metavar="FILE", help="Parquet, JSON Lines, CSV or TSV")
    parser.add_argument("-k", type=cli._whole, default=10, metavar="N", help="rows that count; 10")
    parser.add_argument("--steps", type=cli._whole, default=50, metavar="N", help="50 by default")
    parser.add_argument(
        "--learning-rate", type=float, default=100.0, metavar="X", help="100 by default"
    )
    parser.add_argument("--groups", metavar="NAME", help="the column of what sources belong to")
    parser.add_argument("--drop", action="store_true", help="list the sources to drop alone")
    cli._add_output(parser)
    for name in (*_FUNCTIONS, "importance"):
        cli._add_threads(asked.choices[name])


def _add_like_a_target(asked: Any) -> None:
    """Add the methods that choose what is most like a target."""

    def method(name: str, about: str) -> argparse.ArgumentParser:
        added = cli._add_question(asked, name, about)
        added.set_defaults(method=name, answer=_choose)
        cli._add_files(added, indexed=False)
        added.add_argument(
            "--target", required=True, metavar="FILE", help="the file of what rows shall be like"
        )
        added.add_argument("--target-column", metavar="NAME", help="the column of that file")
        added.add_argument(
            "-k",
            type=cli._whole,
            metavar="N",
            help="how many rows to choose; all, in order, by default",
        )
        added.add_argument(
            "--text", action="store_true", help="give the text of each row that is chosen too"
        )
        return added

    align = method("align", "rank rows by how well they compress together with a target")
    align.add_argument(
        "--compressor",
        default="gzip",
        help="gzip (the default), zlib, deflate, libdeflate or lz4",
    )
    align.add_argument("--level", type=cli._whole, metavar="N", help="1 to 9; 9 by default")
    align.add_argument(
        "--concatenate", action="store_true", help="make the target one text, not one a row"
    )
    resample = method("resample", "draw rows by how much likelier their n-grams are in a target")
    resample.add_argument("--seed", type=cli._whole, default=0, metavar="N", help="the draw")
    resample.add_argument(
        "--top", action="store_true", help="take the highest scores instead of drawing"
    )
    resample.add_argument("--hash", default="murmur3", help="murmur3 (the default) or sha256")
    resample.add_argument(
        "--min-length",
        type=cli._whole,
        default=0,
        metavar="N",
        help="leave out rows of fewer tokens",
    )
    cover = method("cover", "pick rows that together have most of the n-grams of a target")
    cover.add_argument(
        "--binary", action="store_true", help="weigh each n-gram 1, however often it occurs"
    )
    cover.add_argument(
        "--by",
        choices=("ngrams", "rows"),
        default="ngrams",
        help="cover n-grams by all picks together (the default), or each row of the target by one",
    )
    for added in (align, resample, cover):
        cli._add_output(added)
        cli._add_threads(added)


def _choose(args: argparse.Namespace) -> int:
    rows = cli._data(args)
    column = args.column
    if args.text or args.whole_files or "-" in args.files:
        rows, column = as_array(rows, "FILE", column), None
    options: dict[str, Any] = {"threads": args.threads, "progress": cli._progress()}
    if args.method == "align":
        options |= {
            "compressor": args.compressor,
            "level": args.level,
            "concatenate": args.concatenate,
        }
    elif args.method == "resample":
        options |= {
            "seed": args.seed,
            "draw": not args.top,
            "hash": args.hash,
            "min_length": args.min_length,
        }
    else:
        options |= {"binary": args.binary, "by": args.by}
    choose: Any = {
        "align": select.align,
        "resample": select.resample,
        "cover": select.cover,
    }[args.method]
    found = choose(
        rows,
        Path(args.target),
        args.k,
        column=column,
        target_column=args.target_column,
        **options,
    )
    if args.text:
        found = found.append_column("text", rows.take(found["row"]))
    cli._write(args, found)
    return cli.FOUND


def _subset(args: argparse.Namespace) -> int:
    rows, costs, texts = _rows(args)
    options: dict[str, Any] = {
        "costs": costs,
        "budget": args.budget,
        "method": args.method,
        "seed": args.seed,
        "partitions": args.partitions,
        "threads": args.threads,
        "progress": cli._progress(),
    }
    if args.question in _PAIRS:
        options["neighbours"] = args.neighbours
    function = getattr(select, args.question.replace("-", "_"))
    found = function(rows, args.k, **options)
    if texts is not None:
        found = found.append_column("text", texts.take(found["row"]))
    cli._write(args, found)
    return cli.FOUND if found.num_rows else cli.NOTHING_FOUND


def _rows(args: argparse.Namespace) -> tuple[Any, Any, Any]:
    """Read the rows, what they cost, and their texts where they are text."""
    table: Any = None
    if len(args.files) == 1 and Path(args.files[0]).suffix == ".parquet":
        import pyarrow.parquet as pq

        table = pq.read_table(args.files[0])
        rows = table.column(choose(table.column_names, args.column, "data"))
    else:
        data = cli._data(args)
        rows = as_array(list(data) if args.whole_files else data, "data", args.column)
    costs = args.costs
    if costs is not None:
        if table is None or costs not in table.column_names:
            raise InvalidInput(f"--costs is {costs!r}: name a column of one Parquet file")
        costs = table[costs]
    texts = rows.cast(pa.large_string()) if is_text(rows.type) else None
    return rows, costs, texts


def _importance(args: argparse.Namespace) -> int:
    found = select.importance(
        _table(args.file),
        k=args.k,
        steps=args.steps,
        learning_rate=args.learning_rate,
        groups=args.groups,
        threads=args.threads,
        progress=cli._progress(),
    )
    table = found.drop() if args.drop else found.table
    cli._write(args, table)
    if args.drop and cli._format(args) == "table" and args.output is None:
        told = {name.decode(): value.decode() for name, value in table.schema.metadata.items()}
        print(
            f"utility {float(told['utility_before']):.6g} with all, "
            f"{float(told['utility_after']):.6g} without these"
        )
    return cli.FOUND


def _table(file: str) -> pa.Table:
    import pyarrow.csv
    import pyarrow.json
    import pyarrow.parquet as pq

    name = file.lower()
    try:
        if name.endswith(".parquet"):
            return pq.read_table(file)
        if name.endswith((".csv", ".tsv")):
            delimiter = "\t" if name.endswith(".tsv") else ","
            options = pyarrow.csv.ParseOptions(delimiter=delimiter)
            return pyarrow.csv.read_csv(file, parse_options=options)
        if name.endswith((".jsonl", ".ndjson", ".json")):
            return pyarrow.json.read_json(file)
    except pa.ArrowException as error:
        raise InvalidInput(f"{file} cannot be read: {error}") from None
    raise InvalidInput(f"{file} is none of Parquet, JSON Lines, CSV or TSV by its name")
