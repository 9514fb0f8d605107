"""`bowstring counts`, `rank`, `lexicon`, `ngram-model`, `vectors`: sparse counting from files."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from bowstring import cli
from bowstring.columns import as_array
from bowstring.counts import KneserNey, NGramCounter, top_ngrams
from bowstring.errors import InvalidInput
from bowstring.lexicon import Lexicon
from bowstring.rank import BM25, Feedback
from bowstring.vectors import BitCipher, Cooccurrence

_WORDS = ("word", "whitespace", "token")
_ALL = ("word", "char", "char_wb", "whitespace", "token")


def add(command: Callable[..., argparse.ArgumentParser]) -> tuple[str, ...]:
    """Add the commands with what makes one, and say what they are called.

    Examples
    --------
    >>> cli.main(["lexicon", "join", "no/such.jsonl"])
    2
    """
    counts = command(
        "counts",
        cli._ask,
        "count the n-grams of a column: the most frequent, all, or those of each row",
        "bowstring counts top docs.parquet --column text -n 2 -k 20",
    )
    _add_counts(counts.add_subparsers(metavar="QUESTION", required=True))
    rank = command(
        "rank",
        cli._ask,
        "rank the rows of a column by BM25",
        'bowstring rank search docs.bm25 "green apple" -k 5',
    )
    _add_rank(rank.add_subparsers(metavar="STEP", required=True))
    lexicon = command(
        "lexicon",
        cli._ask,
        "find the phrases of a column, and join them in its text",
        "bowstring lexicon phrases docs.parquet --column text --score npmi --min-count 5",
    )
    _add_lexicon(lexicon.add_subparsers(metavar="QUESTION", required=True))
    model = command(
        "ngram-model",
        cli._ask,
        "estimate an n-gram model with Kneser-Ney smoothing, and score columns with it",
        "bowstring ngram-model estimate docs.parquet --column text --order 5 -o docs.arpa",
    )
    _add_model(model.add_subparsers(metavar="STEP", required=True))
    vectors = command(
        "vectors",
        cli._ask,
        "count which tokens stand near which, and make vectors of it",
        "bowstring vectors cipher docs.parquet --column text -o docs.arrow",
    )
    _add_vectors(vectors.add_subparsers(metavar="QUESTION", required=True))
    return ("counts", "rank", "lexicon", "ngram-model", "vectors")


def _question(
    asked: Any, name: str, answer: Callable[[argparse.Namespace], int], about: str
) -> argparse.ArgumentParser:
    added = cli._add_question(asked, name, about)
    added.set_defaults(answer=answer)
    cli._add_threads(added)
    return added


def _add_cutting(
    parser: argparse.ArgumentParser,
    *,
    analyzers: tuple[str, ...] = _WORDS,
    default: str = "word",
    lowercase: bool = True,
    stop_words: bool = True,
) -> None:
    parser.add_argument(
        "--analyzer", choices=analyzers, default=default, help=f"what tokens are; {default}"
    )
    if lowercase:
        parser.add_argument("--keep-case", action="store_true", help="do not lower text first")
    else:
        parser.add_argument("--lowercase", action="store_true", help="lower text first")
    parser.add_argument("--token-pattern", metavar="REGEX", help="what a word is")
    if stop_words:
        parser.add_argument(
            "--stop-words", metavar="WORDS", help='"english", or a file with a word a line'
        )


def _cutting(args: argparse.Namespace) -> dict[str, Any]:
    """Give the options of `_add_cutting` as the classes take them."""
    options: dict[str, Any] = {"analyzer": args.analyzer}
    options["lowercase"] = args.lowercase if "lowercase" in args else not args.keep_case
    if args.token_pattern is not None:
        options["token_pattern"] = args.token_pattern
    if "stop_words" in args:
        words = args.stop_words
        if words not in (None, "english"):
            words = Path(words).read_text(encoding="utf-8").split()
        options["stop_words"] = words
    return options


def _run(args: argparse.Namespace) -> dict[str, Any]:
    return {"threads": args.threads, "progress": cli._progress()}


def _column(args: argparse.Namespace) -> tuple[Any, str | None]:
    """Give the column of the files, and its name where it is still to be found."""
    data = cli._data(args)
    if args.whole_files:
        return as_array(list(data), "FILE"), None
    return data, args.column


def _write(args: argparse.Namespace, table: pa.Table) -> int:
    limit = getattr(args, "limit", 0)
    if limit is None and cli._format(args) == "table":
        limit = cli.SHOWN
    cli._write(args, table.slice(0, limit or None))
    return cli.FOUND if table.num_rows else cli.NOTHING_FOUND


def _add_counts(asked: Any) -> None:
    top = _question(asked, "top", _top, "the most frequent n-grams")
    cli._add_files(top, indexed=False)
    top.add_argument("-n", type=cli._whole, default=2, metavar="N", help="tokens of each; 2")
    top.add_argument("-k", type=cli._whole, default=20, metavar="N", help="how many; 20")
    _add_cutting(top, analyzers=_ALL)
    cli._add_output(top)
    for name, about in (
        ("terms", "all n-grams, how often they occur, and in how many rows"),
        ("rows", "the n-grams of each row with their counts"),
    ):
        parser = _question(asked, name, _terms if name == "terms" else _rows, about)
        cli._add_files(parser, indexed=False)
        parser.add_argument(
            "--ngrams",
            type=cli._whole,
            nargs=2,
            default=(1, 1),
            metavar=("LEAST", "MOST"),
            help="tokens of an n-gram; 1 1",
        )
        parser.add_argument("--min-df", type=_share, default=1, metavar="X", help=_DF + "fewer; 1")
        parser.add_argument("--max-df", type=_share, default=1.0, metavar="X", help=_DF + "more")
        parser.add_argument("--max-features", type=cli._whole, metavar="N", help="the most terms")
        _add_cutting(parser, analyzers=_ALL)
        cli._add_limit(parser)
        cli._add_output(parser)


_DF = "leave out what so many rows have, or (with a point) that share of them, or "


def _share(text: str) -> float:
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None


def _top(args: argparse.Namespace) -> int:
    data, column = _column(args)
    options = _cutting(args) | _run(args)
    return _write(args, top_ngrams(data, args.n, args.k, column=column, **options))


def _counter(args: argparse.Namespace) -> NGramCounter:
    return NGramCounter(
        ngram_range=tuple(args.ngrams),
        min_df=args.min_df,
        max_df=args.max_df,
        max_features=args.max_features,
        threads=args.threads,
        **_cutting(args),
    )


def _terms(args: argparse.Namespace) -> int:
    data, column = _column(args)
    found = _counter(args).frequencies(data, column=column, progress=cli._progress())
    return _write(args, found)


def _rows(args: argparse.Namespace) -> int:
    data, column = _column(args)
    counter = _counter(args).set_output(transform="arrow")
    return _write(args, counter.fit_transform(data, column=column, progress=cli._progress()))


def _add_rank(asked: Any) -> None:
    build = _question(asked, "build", _build, "read a column, and save what ranks its rows")
    cli._add_files(build, indexed=False)
    build.add_argument("-o", "--output", required=True, metavar="RANKING", help="file to write")
    build.add_argument(
        "--method",
        choices=("lucene", "robertson", "atire", "bm25l", "bm25+"),
        default="lucene",
        help="the formula; lucene",
    )
    build.add_argument("--k1", type=float, default=1.5, metavar="X", help="1.5 by default")
    build.add_argument("-b", type=float, default=0.75, metavar="X", help="0.75 by default")
    build.add_argument("--delta", type=float, default=0.5, metavar="X", help="0.5 by default")
    _add_cutting(build)
    search = _question(asked, "search", _search, "the rows that best match queries")
    search.add_argument("ranking", metavar="RANKING", help="a file that `rank build` wrote")
    cli._add_queries(search)
    search.add_argument("-k", type=cli._whole, default=10, metavar="N", help="rows a query; 10")
    search.add_argument(
        "--feedback", choices=("rm3", "rocchio"), help="widen queries by the rows found first"
    )
    cli._add_output(search)


def _build(args: argparse.Namespace) -> int:
    data, column = _column(args)
    options = {"method": args.method, "k1": args.k1, "b": args.b, "delta": args.delta}
    ranking = BM25(data, column, **options, **_cutting(args), **_run(args))
    ranking.save(args.output)
    print(f"{args.output}: {len(ranking):,} rows")
    return cli.FOUND


def _search(args: argparse.Namespace) -> int:
    ranking = BM25.open(args.ranking, threads=args.threads)
    if (args.queries is None) != bool(args.query):
        raise InvalidInput("give QUERY, or --queries FILE")
    queries: Any = args.query
    if args.queries is not None:
        queries = as_array(Path(args.queries), "--queries", args.query_column)
    feedback = None if args.feedback is None else Feedback(args.feedback)
    found = ranking.search(queries, args.k, feedback=feedback)
    cli._write(args, found)
    return cli.FOUND if found.num_rows or len(queries) != 1 else cli.NOTHING_FOUND


def _add_lexicon(asked: Any) -> None:
    for name, answer, about in (
        ("phrases", _phrases, "the phrases of a column with their scores"),
        ("join", _join, "the rows of a column, the tokens of its phrases joined"),
    ):
        parser = _question(asked, name, answer, about)
        cli._add_files(parser, indexed=False)
        parser.add_argument(
            "--max-length", type=cli._whole, default=3, metavar="N", help="tokens at most; 3"
        )
        parser.add_argument(
            "--score",
            choices=("t", "pmi", "npmi", "log_likelihood", "mikolov"),
            default="t",
            help="how phrases are scored; t",
        )
        parser.add_argument(
            "--min-count", type=cli._whole, default=1, metavar="N", help="occurrences at least; 1"
        )
        parser.add_argument("--top", type=cli._whole, metavar="N", help="phrases of each length")
        parser.add_argument("--threshold", type=float, metavar="X", help="the least score")
        _add_cutting(parser)
        if name == "join":
            parser.add_argument(
                "--delimiter", default="_", metavar="TEXT", help="what joins tokens; _"
            )
        else:
            cli._add_limit(parser)
        cli._add_output(parser)


def _lexicon(args: argparse.Namespace) -> tuple[Lexicon, Any, str | None]:
    data, column = _column(args)
    if not args.whole_files and any(file == "-" for file in args.files):
        data, column = as_array(data, "FILE", column), None  # read once, and used twice
    lexicon = Lexicon(
        data,
        column,
        max_length=args.max_length,
        score=args.score,
        min_count=args.min_count,
        top=args.top,
        threshold=args.threshold,
        **_cutting(args),
        **_run(args),
    )
    return lexicon, data, column


def _phrases(args: argparse.Namespace) -> int:
    return _write(args, _lexicon(args)[0].table())


def _join(args: argparse.Namespace) -> int:
    lexicon, data, column = _lexicon(args)
    joined = lexicon.join(data, column, delimiter=args.delimiter, progress=cli._progress())
    cli._write(args, pa.table({"text": joined}))
    return cli.FOUND


def _add_model(asked: Any) -> None:
    estimate = _question(asked, "estimate", _estimate, "estimate a model from a column")
    cli._add_files(estimate, indexed=False)
    estimate.add_argument("-o", "--output", required=True, metavar="ARPA", help="file to write")
    estimate.add_argument("--order", type=cli._whole, default=5, metavar="N", help="2 to 16; 5")
    score = _question(asked, "score", _score, "the probability of each row of a column")
    perplexity = _question(asked, "perplexity", _perplexity, "the perplexity of a column")
    for parser in (score, perplexity):
        parser.add_argument("model", metavar="ARPA", help="a model in the ARPA format")
        cli._add_files(parser, indexed=False)
        cli._add_output(parser)
    for parser in (estimate, score, perplexity):
        _add_cutting(parser, default="whitespace", lowercase=False, stop_words=False)


def _estimate(args: argparse.Namespace) -> int:
    data, column = _column(args)
    model = KneserNey(data, column, order=args.order, **_cutting(args), **_run(args))
    model.write_arpa(args.output)
    print(f"{args.output}: {' + '.join(f'{count:,}' for count in model.ngrams)} n-grams")
    return cli.FOUND


def _model(args: argparse.Namespace) -> KneserNey:
    return KneserNey.read_arpa(args.model, threads=args.threads, **_cutting(args))


def _score(args: argparse.Namespace) -> int:
    data, column = _column(args)
    cli._write(args, _model(args).score(data, column, progress=cli._progress()))
    return cli.FOUND


def _perplexity(args: argparse.Namespace) -> int:
    data, column = _column(args)
    found = _model(args).perplexity(data, column)
    cli._write(args, pa.table({"perplexity": [found]}))
    return cli.FOUND


def _add_vectors(asked: Any) -> None:
    near = _question(asked, "cooccurrence", _near, "which tokens stand near which, and how often")
    cipher = _question(asked, "cipher", _cipher, "a vector of each token, saved as Arrow")
    for parser in (near, cipher):
        cli._add_files(parser, indexed=False)
        parser.add_argument(
            "--window", type=cli._whole, default=5, metavar="N", help="tokens on each side; 5"
        )
        parser.add_argument(
            "--min-count", type=cli._whole, default=1, metavar="N", help="occurrences at least; 1"
        )
        _add_cutting(parser)
    near.add_argument(
        "--weight", choices=("flat", "harmonic", "linear"), default="flat", help="by distance; flat"
    )
    cli._add_limit(near)
    cli._add_output(near)
    cipher.add_argument("-o", "--output", required=True, metavar="VECTORS", help="file to write")
    cipher.add_argument("--bits", type=cli._whole, default=50, metavar="N", help="50 by default")
    cipher.add_argument("--aggregate", choices=("sum", "concatenate"), default="sum", help="sum")
    nearest = _question(asked, "nearest", _nearest, "the tokens whose vectors are nearest")
    nearest.add_argument("vectors", metavar="VECTORS", help="a file that `vectors cipher` wrote")
    nearest.add_argument("token", nargs="+", metavar="TOKEN")
    nearest.add_argument("-k", type=cli._whole, default=10, metavar="N", help="of each; 10")
    cli._add_output(nearest)


def _near(args: argparse.Namespace) -> int:
    data, column = _column(args)
    options = {"window": args.window, "weight": args.weight, "min_count": args.min_count}
    return _write(
        args, Cooccurrence(data, column, **options, **_cutting(args), **_run(args)).table()
    )


def _cipher(args: argparse.Namespace) -> int:
    data, column = _column(args)
    vectors = BitCipher(
        data,
        column,
        bits=args.bits,
        window=args.window,
        aggregate=args.aggregate,
        min_count=args.min_count,
        **_cutting(args),
        **_run(args),
    )
    vectors.save(args.output)
    print(f"{args.output}: {len(vectors.tokens):,} tokens")
    return cli.FOUND


def _nearest(args: argparse.Namespace) -> int:
    found = BitCipher.open(args.vectors, threads=args.threads).nearest(args.token, args.k)
    return _write(args, found)
