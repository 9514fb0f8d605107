"""The command line, `bowstring`: build an index from files and ask it."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc

import bowstring as bow
from bowstring import plot, report
from bowstring.columns import as_array, is_text
from bowstring.errors import BowstringError, InvalidInput

FOUND, NOTHING_FOUND, FAILED, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 130, 141

SHOWN = 20
"""Rows that a table in the terminal has unless `--limit` says otherwise."""

FORMATS = ("table", "json", "csv", "parquet")

_ABOUT = """\
Exact full-text search over a column of files: index it once, then count, locate and read
every occurrence of any text in microseconds."""

_EXAMPLES = """\
examples:
  bowstring demo
  bowstring index docs.jsonl --column text -o docs.bow
  bowstring count docs.bow "to be" "not to be"
  bowstring context docs.bow "to be" --width 60
  bowstring search docs.bow "'to be' AND (sleep OR dream)" --within 200
  bowstring deduplicate docs.parquet -o clean.parquet --column text --min-length 100
  bowstring rows docs.bow "to be" --format parquet --output rows.parquet
  bowstring select align pool.parquet --column text --target task.jsonl -k 1000

exit status: 0 if all went well, 1 if one query was asked and nothing was found, 2 after an
error, 130 after Ctrl-C, 141 if the reader of a pipe went away.
Write -- before a query that starts with a dash. In json and csv, bytes that are not UTF-8
are written as \\xff; parquet keeps them as they are."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit status.

    Examples
    --------
    >>> main(["count", "no/such.bow", "a text"])
    2
    """
    try:
        args = _parser().parse_args(argv)
    except SystemExit as stop:  # argparse: after --help, or a usage error
        return stop.code if isinstance(stop.code, int) else FAILED
    try:
        status: int = args.run(args)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The interpreter flushes once more when it ends: let that go nowhere.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        return _fail(f"{error.strerror or error}{where}")
    except (BowstringError, MemoryError) as error:
        return _fail(str(error) or "out of memory")
    return status


def _fail(message: str) -> int:
    print("bowstring:", " ".join(message.split("\n")), file=sys.stderr)
    return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bowstring",
        description=_ABOUT,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"bowstring {bow.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(
        name: str, run: Callable[[argparse.Namespace], int], about: str, example: str
    ) -> argparse.ArgumentParser:
        added = _add_question(
            commands,
            name,
            about,
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.set_defaults(run=run)
        return added

    build = command(
        "index", _index, "build an index from files", "bowstring index a.txt b.txt -o ab.bow"
    )
    _add_files(build)
    build.add_argument(
        "--kind", default="suffix", help='"suffix", the fastest, or "fm", the smallest'
    )
    _add_target(build)

    count = command(
        "count", _count, "count the occurrences of texts", 'bowstring count docs.bow "to be"'
    )
    _add_index(count)
    _add_queries(count)
    _add_output(count)

    locate = command(
        "locate",
        _locate,
        "say where texts occur: row, start and stop",
        'bowstring locate docs.bow "to be" --limit 5',
    )
    _add_index(locate)
    _add_queries(locate)
    _add_limit(locate, seed="draw a random sample of --limit occurrences with this seed")
    _add_output(locate)

    rows = command(
        "rows",
        _rows,
        "list the rows that hold texts, and how often",
        'bowstring rows docs.bow "to be" --format csv',
    )
    _add_index(rows)
    _add_queries(rows)
    _add_limit(rows)
    _add_output(rows)

    context = command(
        "context",
        _context,
        "show occurrences with what stands around them",
        'bowstring context docs.bow "to be" --limit 10 --seed 1',
    )
    _add_index(context)
    _add_queries(context)
    context.add_argument(
        "--width",
        type=_whole,
        default=40,
        metavar="N",
        help="characters (bytes, tokens) to show on each side; 40 by default",
    )
    _add_limit(context, seed="draw a random sample of --limit occurrences with this seed")
    _add_output(context)

    search = command(
        "search",
        _search,
        "find the rows that hold a combination of texts, with AND, OR and parentheses",
        "bowstring search docs.bow \"'to be' AND (sleep OR dream)\" --within 200",
    )
    _add_index(search)
    _add_queries(search)
    search.add_argument(
        "--within",
        type=_whole,
        metavar="N",
        help="find only combinations in a stretch of at most N bytes (tokens)",
    )
    search.add_argument(
        "--max-matches",
        type=_whole,
        metavar="N",
        help="look at about N occurrences, and estimate",
    )
    _add_limit(search, seed="seed of the sample that --max-matches draws; 0 by default")
    _add_output(search)

    near = command(
        "search-within",
        _search_within,
        "say where texts occur with some of their symbols changed",
        'bowstring search-within docs.bow "to be or not" --mismatches 2',
    )
    _add_index(near)
    _add_queries(near)
    near.add_argument(
        "-k",
        "--mismatches",
        type=_whole,
        default=1,
        metavar="K",
        help="the most bytes (tokens) that may differ; 1 by default",
    )
    _add_output(near)

    matches = command(
        "matches",
        _matches,
        "find the parts of texts that occur in an index",
        "bowstring matches docs.bow --queries essay.txt --min-length 30",
    )
    _add_index(matches)
    _add_queries(matches)
    matches.add_argument(
        "--min-length", type=_whole, default=1, metavar="N", help="the shortest, in bytes (tokens)"
    )
    matches.add_argument(
        "--max-count", type=_whole, metavar="N", help="leave out what occurs more often"
    )
    matches.add_argument("--words", action="store_true", help="whole words of the text only")
    _add_output(matches)

    _add_deduplicate(
        command(
            "deduplicate",
            _deduplicate,
            "take repeated passages out of a Parquet file",
            "bowstring deduplicate docs.parquet -o clean.parquet --column text --min-length 100",
        )
    )

    from bowstring.select import command as selection

    select = command(
        "select",
        _ask,
        "choose rows: those most like a target, those that inform most; and weigh retrieved ones",
        "bowstring select align pool.parquet --column text --target task.jsonl -k 1000",
    )
    selection.add(select.add_subparsers(metavar="METHOD", required=True))

    from bowstring import counting_command

    counting = counting_command.add(command)

    _add_tokens(
        command(
            "tokens",
            _tokens,
            "split tokens at random into smaller ones, or merge them into text",
            "bowstring tokens split ids.parquet --vocabulary tokenizer.json --output split.parquet",
        )
    )

    _add_language(
        command(
            "lm",
            _lm,
            "ask the language model that an index is: prob, ntd, score or generate",
            'bowstring lm ntd docs.bow "to be " --limit 5',
        )
    )

    text = command("text", _text, "print rows by their numbers", "bowstring text docs.bow 0 17")
    _add_index(text)
    text.add_argument("row", type=_whole, nargs="+", metavar="ROW", help="number of a row, from 0")
    _add_output(text)

    info = command("info", _info, "tell what an index holds", "bowstring info docs.bow")
    _add_index(info)
    info.add_argument("--format", choices=("table", "json"), default="table", help="how to print")

    verify = command("verify", _verify, "check every byte of an index", "bowstring verify docs.bow")
    _add_index(verify)

    append = command(
        "append", _append, "add the rows of more files", "bowstring append docs.bow more.jsonl"
    )
    _add_index(append)
    _add_files(append)

    compact = command(
        "compact", _compact, "merge the segments of an index", "bowstring compact docs.bow"
    )
    _add_index(compact)
    _add_memory(compact)

    convert = command(
        "convert",
        _convert,
        "make an index of another kind out of one",
        "bowstring convert docs.bow fm -o small.bow --profile compact",
    )
    _add_index(convert)
    convert.add_argument("kind", help='"suffix" or "fm"')
    _add_target(convert)
    _add_memory(convert)

    demo = command(
        "demo", _demo, "index the source of Python's library and ask it", "bowstring demo"
    )
    demo.add_argument("--path", metavar="INDEX", help="where to put the index; a cache by default")

    for name, added in commands.choices.items():
        if name not in ("lm", "select", "tokens", *counting):
            _add_threads(added)
    return parser


def _add_target(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", required=True, metavar="INDEX", help="directory to build the index in"
    )
    parser.add_argument("--profile", help='of kind "fm": "fast", the default, or "compact"')
    parser.add_argument("--overwrite", action="store_true", help="replace the index that is there")


def _add_threads(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--threads", type=_whole, metavar="N", help="threads to use; all by default"
    )


def _add_deduplicate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="the Parquet file to read")
    parser.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="the Parquet file to write"
    )
    parser.add_argument("--column", metavar="NAME", help="the column, where the file has several")
    parser.add_argument(
        "--min-length",
        type=_whole,
        default=100,
        metavar="N",
        help="the shortest, in bytes (tokens)",
    )
    parser.add_argument(
        "--min-count",
        type=_whole,
        metavar="N",
        help="what occurs so often; 2 by default, 1 with --against",
    )
    parser.add_argument(
        "--keep",
        choices=("none", "first", "longest"),
        default="first",
        help="which copy stays: none, the first (the default), or that in the longest row",
    )
    parser.add_argument(
        "--against", metavar="FILE", help="take out what occurs in that file instead"
    )
    parser.add_argument("--against-column", metavar="NAME", help="the column of that file")
    parser.add_argument("--whole-rows", action="store_true", help="take out rows that are the same")
    parser.add_argument(
        "--empty",
        choices=("empty", "null", "drop"),
        default="empty",
        help="what a row becomes of which nothing is left",
    )
    parser.add_argument("--report", metavar="FILE", help="write what was taken out as a table")
    _add_memory(parser)


def _add_question(asked: Any, name: str, about: str, **options: Any) -> argparse.ArgumentParser:
    """Add what is asked by a name, and what its help says of it."""
    description = about[0].upper() + about[1:] + "."
    added: argparse.ArgumentParser = asked.add_parser(
        name, help=about, description=description, **options
    )
    return added


def _add_language(parser: argparse.ArgumentParser) -> None:
    asked = parser.add_subparsers(metavar="QUESTION", required=True)

    def question(name: str, about: str) -> argparse.ArgumentParser:
        added = _add_question(asked, name, about)
        added.set_defaults(question=name)
        _add_index(added)
        return added

    prob = question("prob", "how probable it is that a token comes next")
    prob.add_argument("prompt", metavar="PROMPT", help="a text, or a JSON list of tokens")
    prob.add_argument("token", nargs="?", metavar="TOKEN", help="a text, or a number of a token")
    prob.add_argument("--end", action="store_true", help="ask for the end of the row instead")
    ntd = question("ntd", "what comes next, and how often")
    ntd.add_argument("prompt", metavar="PROMPT", help="a text, or a JSON list of tokens")
    _add_limit(ntd)
    for added in (prob, ntd):
        added.add_argument(
            "--exact",
            action="store_true",
            help="take the prompt as it is: no back-off to its longest suffix that occurs",
        )
    score = question("score", "how predictable every symbol of a column is")
    _add_files(score)
    score.add_argument("--order", type=_whole, metavar="N", help="a model of fixed n")
    score.add_argument("--end", action="store_true", help="score the ends of rows too")
    score.add_argument(
        "--plot",
        metavar="FILE",
        help="draw the beginning of the text too, shaded by suffix length, as .html, .png, .svg "
        "or .pdf",
    )
    generate = question("generate", "draw what follows a prompt")
    generate.add_argument("prompt", metavar="PROMPT", help="a text, or a JSON list of tokens")
    generate.add_argument(
        "--length", type=_whole, default=200, metavar="N", help="bytes (tokens) to draw; 200"
    )
    generate.add_argument(
        "--temperature", type=float, default=1.0, metavar="T", help="1 by default"
    )
    generate.add_argument("--seed", type=_whole, default=0, metavar="N", help="the draw")
    for added in (prob, ntd, score):
        _add_output(added)
    for added in asked.choices.values():
        _add_threads(added)


def _add_tokens(parser: argparse.ArgumentParser) -> None:
    asked = parser.add_subparsers(metavar="METHOD", required=True)
    for name, about in (
        ("split", "split tokens at random into smaller ones of the same bytes"),
        ("merge", "put the bytes of each row's tokens end to end"),
    ):
        added = _add_question(asked, name, about)
        added.set_defaults(method=name)
        added.add_argument("file", metavar="FILE", help="a file with a column of lists of tokens")
        added.add_argument("--column", metavar="NAME", help="the column, where it has several")
        added.add_argument(
            "--vocabulary",
            required=True,
            metavar="FILE",
            help="a tokenizer.json, or a .tiktoken file",
        )
        if name == "split":
            added.add_argument(
                "--proportion", type=float, default=0.1, metavar="P", help="draws a token; 0.1"
            )
            added.add_argument("--seed", type=_whole, default=0, metavar="N", help="the draw")
        _add_output(added)
        _add_threads(added)


def _add_index(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("index", metavar="INDEX", help="directory of the index")


def _add_files(parser: argparse.ArgumentParser, indexed: bool = True) -> None:
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="Parquet, JSON Lines (.jsonl, .ndjson), CSV, TSV, or else text, a row a line; all "
        "but Parquet also .gz or .zst; - is standard input",
    )
    parser.add_argument("--column", metavar="NAME", help="the column, where files have several")
    parser.add_argument("--whole-files", action="store_true", help="make each file one row of text")
    if not indexed:
        return
    parser.add_argument(
        "--metadata",
        action="append",
        metavar="NAME",
        help="a column to keep with the rows, and show with answers; may be repeated",
    )
    _add_memory(parser)


def _add_memory(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--memory", metavar="SIZE", help="memory to use, such as 4GB or 512MiB")


def _add_queries(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "query",
        nargs="*",
        metavar="QUERY",
        help="a text; for an index of tokens a JSON list such as '[1, 2, 3]'",
    )
    parser.add_argument(
        "--queries", metavar="FILE", help="read the queries from a file, as `index` reads rows"
    )
    parser.add_argument("--query-column", metavar="NAME", help="the column of that file")


def _add_limit(parser: argparse.ArgumentParser, seed: str | None = None) -> None:
    parser.add_argument(
        "--limit",
        type=_whole,
        metavar="N",
        help=f"at most N rows a query, 0 for all; {SHOWN} by default in a table, else all",
    )
    if seed:
        parser.add_argument("--seed", type=_whole, metavar="N", help=seed)


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format",
        choices=FORMATS,
        help="how to print; json is an object a line; by default what --output ends with, or table",
    )
    parser.add_argument("--output", metavar="FILE", help="write to a file")


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return int(text)


def _progress() -> bool:
    return sys.stderr.isatty()


def _data(args: argparse.Namespace) -> Any:
    paths = [Path("/dev/stdin" if file == "-" else file) for file in args.files]
    if args.whole_files:
        if args.column is not None:
            raise InvalidInput("--whole-files makes one column: leave --column out")
        return map(_whole_file, paths)
    return paths if len(paths) > 1 else paths[0]


def _whole_file(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8 text: {error}") from None


def _index(args: argparse.Namespace) -> int:
    index = bow.index(_data(args), args.column, metadata=args.metadata, **_target(args))
    print(_summary(index))
    return FOUND


def _convert(args: argparse.Namespace) -> int:
    index = _opened(args.index).convert(**_target(args))
    print(_summary(index))
    return FOUND


def _target(args: argparse.Namespace) -> dict[str, Any]:
    """Say what index to make, where and how: the same words whatever it is made from."""
    return {
        "path": args.output,
        "kind": args.kind,
        "profile": args.profile,
        "memory": args.memory,
        "threads": args.threads,
        "progress": _progress(),
        "overwrite": args.overwrite,
    }


def _append(args: argparse.Namespace) -> int:
    index = bow.open(args.index)
    index.append(
        _data(args),
        args.column,
        metadata=args.metadata,
        memory=args.memory,
        threads=args.threads,
        progress=_progress(),
    )
    print(_summary(index))
    return FOUND


def _compact(args: argparse.Namespace) -> int:
    index = bow.open(args.index)
    index.compact(memory=args.memory, threads=args.threads, progress=_progress())
    print(_summary(index))
    return FOUND


def _opened(path: str) -> bow.Index:
    """Open an index, of ours or of infini-gram's."""
    folder = Path(path)
    if not (folder / "manifest.json").exists() and any(folder.glob("tokenized*")):
        return bow.interop.infini_gram.open(folder)
    return bow.open(path)


def _verify(args: argparse.Namespace) -> int:
    index = _opened(args.index)
    index.verify(threads=args.threads, progress=_progress())
    if isinstance(index, bow.interop.infini_gram.InfiniGramIndex):
        print(f"{args.index}: each table is the suffix array of its tokens")
    else:
        print(f"{args.index}: all {index.info.bytes:,} bytes are as they were written")
    return FOUND


def _info(args: argparse.Namespace) -> int:
    info = _opened(args.index).info
    if args.format == "json":
        print(json.dumps(dataclasses.asdict(info)))
        return FOUND
    for field in dataclasses.fields(info):
        value = getattr(info, field.name)
        if field.name == "segments":
            value = len(value)
        print(f"{field.name:10}", f"{value:,}" if isinstance(value, int) else value)
    with _output(None) as out:
        report.show_table(pa.Table.from_pylist([dataclasses.asdict(s) for s in info.segments]), out)
    return FOUND


def _summary(index: bow.Index) -> str:
    info = index.info
    counts = (
        f"{number:,} {noun}{'s' * (number != 1)}"
        for number, noun in (
            (info.rows, "row"),
            (info.symbols, "symbol"),
            (len(info.segments), "segment"),
            (info.bytes, "byte"),
        )
    )
    return f"{info.path} ({info.column}): {', '.join(counts)}"


def _demo(args: argparse.Namespace) -> int:
    from bowstring.demo import run

    run(args.path, threads=args.threads)
    return FOUND


def _count(args: argparse.Namespace) -> int:
    index = _opened(args.index)
    queries, one = _queries(args, index)
    counts = index.count(queries, threads=args.threads)
    if one:
        if _format(args) == "table":
            with _output(args.output) as out:
                out.write(f"{counts}\n")
        else:
            _write(args, pa.table({"count": pa.array([counts], pa.uint64())}))
        return FOUND if counts else NOTHING_FOUND
    numbers = pa.array(range(len(counts)), pa.uint64())
    _write(args, pa.table({"query": numbers, "text": queries, "count": counts}))
    return FOUND


def _locate(args: argparse.Namespace) -> int:
    return _answer(args, "locate", seed=args.seed)


def _context(args: argparse.Namespace) -> int:
    return _answer(args, "context", width=args.width, seed=args.seed)


def _rows(args: argparse.Namespace) -> int:
    return _answer(args, "rows")


def _search(args: argparse.Namespace) -> int:
    return _answer(
        args, "search", within=args.within, max_matches=args.max_matches, seed=args.seed or 0
    )


def _search_within(args: argparse.Namespace) -> int:
    index = _opened(args.index)
    queries, one = _queries(args, index)
    found = index.search_within(queries, args.mismatches, threads=args.threads)
    _write(args, found)
    return FOUND if found.num_rows or not one else NOTHING_FOUND


def _matches(args: argparse.Namespace) -> int:
    index = _opened(args.index)
    queries, one = _queries(args, index)
    found = bow.matches(
        index,
        queries,
        min_length=args.min_length,
        max_count=args.max_count,
        boundary="word" if args.words else "symbol",
        threads=args.threads,
    )
    _write(args, found)
    return FOUND if found.num_rows or not one else NOTHING_FOUND


def _deduplicate(args: argparse.Namespace) -> int:
    from bowstring.duplicates import deduplicate_parquet

    format = None
    if args.report is not None:
        suffix = Path(args.report).suffix[1:].lower()
        format = {"jsonl": "json", "ndjson": "json"}.get(suffix, suffix)
        if format not in ("json", "csv", "parquet"):
            raise InvalidInput(f"--report is {args.report!r}: give a .parquet, .csv or .jsonl file")
    removed = deduplicate_parquet(
        args.file,
        args.output,
        args.column,
        min_length=args.min_length,
        min_count=args.min_count,
        keep=args.keep,
        against=None if args.against is None else Path(args.against),
        against_column=args.against_column,
        whole_rows=args.whole_rows,
        empty=args.empty,
        memory=args.memory,
        threads=args.threads,
        progress=_progress(),
    )
    if format is not None:
        with Path(args.report).open("wb") as file:
            report.write_table(removed, format, file)
    symbols = pc.sum(pc.subtract(removed["stop"], removed["start"])).as_py() or 0
    rows = pc.count_distinct(removed["row"]).as_py()
    print(f"{args.output}: {symbols:,} symbols taken out of {rows:,} rows")
    return FOUND


def _ask(args: argparse.Namespace) -> int:
    """Run what the question of a command set as its answer."""
    status: int = args.answer(args)
    return status


def _tokens(args: argparse.Namespace) -> int:
    rows = as_array(Path(args.file), "FILE", args.column)
    if is_text(rows.type):  # a file of text, a JSON list a line
        rows = [None if text is None else _json(text, "a row") for text in rows.to_pylist()]
    vocabulary = bow.tokens.Vocabulary.of(Path(args.vocabulary))
    options = {"threads": args.threads, "progress": _progress()}
    if args.method == "split":
        found = bow.tokens.stochastic_split(rows, vocabulary, args.proportion, args.seed, **options)
        _write(args, pa.table({"tokens": found}))
    else:
        _write(args, pa.table({"text": bow.tokens.merge(rows, vocabulary, **options)}))
    return FOUND


def _lm(args: argparse.Namespace) -> int:
    if args.question == "score" and args.plot is not None:
        plot.check_path(args.plot, "--plot")
    index = _opened(args.index)
    model = bow.LanguageModel(index)
    tokens = index.info.column == "tokens"
    if args.question == "score":
        return _score(args, model)
    prompt = _prompt(args.prompt, tokens)
    if args.question == "generate":
        print(
            model.generate(
                prompt,
                args.length,
                temperature=args.temperature,
                seed=args.seed,
                threads=args.threads,
            )
        )
        return FOUND
    if args.question == "ntd":
        found = model.ntd(prompt) if args.exact else model.infgram_ntd(prompt)
        found = found.sort_by([("count", "descending")])
        limit = args.limit
        if limit is None and _format(args) == "table":
            limit = SHOWN
        _write(args, found.slice(0, limit or None))
        return FOUND if found.num_rows else NOTHING_FOUND
    token = args.token
    if (token is None) != args.end:
        raise InvalidInput("give TOKEN, or --end")
    if token is not None:
        token = _whole_token(token) if tokens else _encoded(token)
    if args.exact:
        prob = model.prob(prompt, token, end=args.end)
        _write(args, pa.table({"prob": pa.array([prob], pa.float64())}))
    else:
        one = model.infgram_prob(prompt, token, end=args.end)
        prob = one.prob
        _write(args, pa.Table.from_pylist([dataclasses.asdict(one)]))
    return FOUND if prob else NOTHING_FOUND


def _prompt(text: str, tokens: bool) -> Any:
    if not tokens:
        return _encoded(text)
    value = _json(text, "PROMPT")
    if any(type(token) is not int for token in value):
        raise InvalidInput(f"PROMPT is {text!r}: give one list of tokens, whole numbers")
    return value


def _encoded(text: str) -> str | bytes:
    """Give a text, or the bytes that it was where they were not UTF-8."""
    lone = any("\udc80" <= character <= "\udcff" for character in text)
    return os.fsencode(text) if lone else text


def _whole_token(text: str) -> int:
    if not text.isdecimal():
        raise InvalidInput(f"TOKEN is {text!r}: for an index of tokens give a number")
    return int(text)


def _score(args: argparse.Namespace, model: bow.LanguageModel) -> int:
    scores = model.score(
        _data(args), args.column, order=args.order, end=args.end, threads=args.threads
    )
    if args.plot is not None:
        if plot.check_path(args.plot, "--plot") in plot.PAGES:
            Path(args.plot).write_text(scores.html(), encoding="utf-8")
        else:
            scores.plot(path=args.plot)
    if _format(args) != "table":
        _write(args, scores.table)
        return FOUND
    with _output(args.output) as out:
        out.write(f"symbols     {len(scores):,}\n")
        if scores.predicted is not None:
            out.write(f"predicted   {scores.predicted:.1%}\n")
            out.write(f"perplexity  {scores.perplexity:.3f}\n")
        report.show_table(scores.agreement(), out)
    return FOUND


def _text(args: argparse.Namespace) -> int:
    texts = _opened(args.index).text(args.row, threads=args.threads)
    _write(args, pa.table({"row": pa.array(args.row, pa.uint64()), "text": texts}))
    return FOUND


def _answer(args: argparse.Namespace, verb: str, **options: Any) -> int:
    """Ask and print, and tell how much more there is where that is cheap to know."""
    index = _opened(args.index)
    queries, one = _queries(args, index, verb)
    brief = _format(args) == "table" and args.output is None
    limit: int | None = (SHOWN if brief else None) if args.limit is None else args.limit or None
    sampled = options.get("max_matches") is not None
    each_occurrence = verb in ("locate", "context")
    if sampled:
        # The rows of a sample stand for all rows: the core leaves none out.
        asked = args.limit or None
    elif limit is not None and one and not each_occurrence:
        asked = limit + 1  # the one beyond tells that there are more
    else:
        asked = limit
    table = getattr(index, verb)(queries, limit=asked, threads=args.threads, **options)
    found = table.num_rows
    more = ""
    if limit is not None and each_occurrence:
        counts = index.count(queries, threads=args.threads)
        left = (counts if one else pc.sum(counts).as_py() or 0) - found
        more = f"{left:,}" if left else ""
    elif limit is not None and one and found > limit and brief:
        more = f"{found - limit:,}" if sampled else "some"
        table = table.slice(0, limit)
    _write(args, table)
    if more and brief:
        print(f"bowstring: {more} more; --limit 0 shows all", file=sys.stderr)
    return FOUND if found or not one else NOTHING_FOUND


def _queries(args: argparse.Namespace, index: bow.Index, verb: str = "") -> tuple[Any, bool]:
    """Read one query (True) or a column of them from the arguments or a file."""
    tokens = index.info.column == "tokens"
    if args.queries is not None:
        if args.query:
            raise InvalidInput("QUERY and --queries were both given: leave one out")
        column = as_array(Path(args.queries), "--queries", args.query_column)
        if tokens and is_text(column.type):
            return [None if text is None else _json(text) for text in column.to_pylist()], False
        return column, False
    if not args.query:
        raise InvalidInput("nothing to ask: give a QUERY, or --queries FILE")
    if tokens:
        found = [_json(text) for text in args.query]
        if len(found) > 1 and verb == "search":
            raise InvalidInput("an index of tokens takes one search at a time")
    else:
        found = [_encoded(text) for text in args.query]
        if any(isinstance(text, bytes) for text in found):
            found = [os.fsencode(text) for text in args.query]
    return (found[0], True) if len(found) == 1 else (as_array(found, "QUERY"), False)


def _json(text: str, name: str = "QUERY") -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, list):
        raise InvalidInput(
            f"{name} is {text!r}: for an index of tokens give a JSON list such as '[1, 2, 3]'"
        )
    return value


def _format(args: argparse.Namespace) -> str:
    if args.format is not None:
        return str(args.format)
    suffix = Path(args.output or "").suffix.lower()
    return {".jsonl": "json", ".ndjson": "json"}.get(
        suffix, suffix[1:] if suffix[1:] in FORMATS else "table"
    )


def _write(args: argparse.Namespace, table: pa.Table) -> None:
    format = _format(args)
    if format == "table":
        with _output(args.output) as out:
            report.show_table(table, out)
    elif args.output is not None:
        with Path(args.output).open("wb") as file:
            report.write_table(table, format, file)
    elif format == "parquet" and sys.stdout.isatty():
        raise InvalidInput("parquet is not for a terminal: give --output FILE, or pipe it on")
    else:
        sys.stdout.flush()
        report.write_table(table, format, sys.stdout.buffer)


@contextlib.contextmanager
def _output(path: str | None) -> Iterator[IO[str]]:
    if path is None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            # A terminal that cannot show a character is no reason to fail.
            sys.stdout.reconfigure(errors="backslashreplace")
        yield sys.stdout
    else:
        with Path(path).open("w", encoding="utf-8") as file:
            yield file
