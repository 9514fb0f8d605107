"""The language model and matches against infini-gram's engine, over the same tokens.

Tokens are byte-level byte pairs, 50,000 of them, trained on the corpus; held-out text is what a
larger corpus of the same source has beyond this one. The engine's files are written from a suffix
array of ours over byte-swapped tokens, which is its order.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import compare_infini_gram
import compare_libsais
import corpora
import measure
import pyarrow as pa
import pyarrow.parquet as pq

BENCH = "language"
HELD_OUT = "linux300m"
HELD_ROWS = 400
VOCABULARY = 50_000
BATCH = 1000
EOS = 65_534
SEPARATOR = 65_535
CONTEXT = 100
SPAN = 450
PROMPTS = 2000
FEW = 100
COLUMN = 100_000
TYPE = pa.list_(pa.uint16())


def make_tokens(corpus: str, folder: str) -> None:
    """Write the corpus and held-out rows as tokens."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    pieces = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.pre_tokenizer = pieces
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, initial_alphabet=pieces.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(corpora.rows(corpus), trainer)

    def write(rows: Any, name: str) -> int:
        schema = pa.schema([("tokens", TYPE)])
        written = 0
        with pq.ParquetWriter(Path(folder, name), schema) as sink:
            while batch := list(itertools.islice(rows, BATCH)):
                encoded = [one.ids for one in tokenizer.encode_batch_fast(batch)]
                sink.write_batch(pa.record_batch([pa.array(encoded, TYPE)], schema=schema))
                written += len(batch)
        return written

    known = write(iter(corpora.rows(corpus)), "corpus.parquet")
    beyond = itertools.islice(corpora.rows(HELD_OUT), known, known + HELD_ROWS)
    write(beyond, "held.parquet")


def tokens(folder: str, name: str) -> pa.ChunkedArray[Any]:
    """The column that `make_tokens` wrote."""
    return pq.read_table(Path(folder, name))["tokens"]


def build(folder: str) -> dict[str, float]:
    """Index the tokens on disk, measured."""
    import bowstring as bow

    with measure.timed() as cost:
        bow.index(Path(folder, "corpus.parquet"), path=Path(folder, "index.bow"), overwrite=True)
    return vars(cost) | {"peak": measure.peak_memory()}


def write_peer_files(folder: str) -> None:
    """Write the engine's index: a separator before each row, pointers of as few bytes as do."""
    import numpy as np

    import bowstring as bow

    rows = tokens(folder, "corpus.parquet").combine_chunks()
    swapped = pa.ListArray.from_arrays(rows.offsets, pa.array(rows.flatten().to_numpy().byteswap()))
    other = str(Path(folder, "swapped.bow"))
    bow.index(swapped, path=other, threads=1)
    blocks = compare_libsais.blocks(other)
    text, suffixes = blocks["text"], blocks["suffix_array"]
    # The whole text, with the separator in front, is the one suffix that ours lacks.
    whole = np.concatenate([[SEPARATOR], text]).astype("<u2").byteswap()
    place = compare_infini_gram.first_above(whole, suffixes)
    peer = Path(folder, "peer")
    peer.mkdir()
    whole.tofile(peer / "tokenized.0")
    starts = np.concatenate([[0], 2 * (blocks["row_ends"].astype("<u8") + 1)])
    starts.astype("<u8").tofile(peer / "offset.0")
    table = np.insert(2 * (suffixes.astype("<u8") + 1), place, 0)
    width = math.ceil(math.log2(2 * len(whole)) / 8)
    table.view(np.uint8).reshape(-1, 8)[:, :width].tofile(peer / "table.0")


def open_peer(folder: str, **options: int) -> Any:
    """The engine over tokens, at its best setting."""
    from infini_gram import engine

    made: Any = engine.InfiniGramEngine
    return made(
        str(Path(folder, "peer")),
        eos_token_id=EOS,
        vocab_size=SEPARATOR,
        token_dtype="u16",
        **compare_infini_gram.PREFETCH["prefetch 0"],
        **options,
    )


def ask(folder: str, runs: int) -> dict[str, Any]:
    """Check that both say the same, then time them."""
    import numpy as np

    import bowstring as bow

    known, held = tokens(folder, "corpus.parquet"), tokens(folder, "held.parquet")
    random = np.random.default_rng(5)
    index = bow.open(Path(folder, "index.bow"))
    model = bow.LanguageModel(index)
    engine, exact = open_peer(folder), open_peer(folder, max_support=10**9)

    def pieces(column: pa.ChunkedArray[Any], length: int, number: int) -> list[list[int]]:
        flat = column.combine_chunks().flatten().to_numpy()
        starts = random.integers(0, len(flat) - length, number)
        return [flat[start : start + length].tolist() for start in starts]

    number, few = PROMPTS * (runs + 1), FEW * (runs + 1)
    lengths = [pieces(known, length, few) for length in (1, 2, 3, 4)]
    queries: dict[str, list[list[int]]] = {
        "prob": pieces(known, 5, number),
        "infgram_prob": pieces(held, CONTEXT + 1, number),
        "infgram_ntd": pieces(held, CONTEXT, number),
        "ntd, 1 to 4 tokens": [one for four in zip(*lengths, strict=True) for one in four],
        "ntd, 1 token": pieces(known, 1, few),
        "ntd, 4 tokens": pieces(known, 4, few),
        "matches, 450 tokens": pieces(held, SPAN, 20 * (runs + 1)),
    }
    attribute = {"delim_ids": [], "min_len": 1, "max_cnt": 10, "enforce_bow": False}
    ours: dict[str, Callable[[list[int]], Any]] = {
        "prob": lambda ids: model.prob(ids[:-1], ids[-1]),
        "infgram_prob": lambda ids: model.infgram_prob(ids[:-1], ids[-1]),
        "infgram_ntd": model.infgram_ntd,
        "matches, 450 tokens": lambda ids: bow.matches(index, ids, max_count=10),
    }
    peers: dict[str, Callable[[list[int]], Any]] = {
        "prob": lambda ids: engine.prob(prompt_ids=ids[:-1], cont_id=ids[-1]),
        "infgram_prob": lambda ids: engine.infgram_prob(prompt_ids=ids[:-1], cont_id=ids[-1]),
        "infgram_ntd": lambda ids: engine.infgram_ntd(prompt_ids=ids),
        "matches, 450 tokens": lambda ids: engine.attribute(input_ids=ids, **attribute),
    }
    for figure in queries:
        if figure.startswith("ntd"):
            ours[figure] = model.ntd
            peers[figure] = lambda ids: engine.ntd(prompt_ids=ids)
    for ids in queries["prob"][:200]:
        theirs = peers["prob"](ids)["prob"]
        measure.check(math.isclose(model.prob(ids[:-1], ids[-1]), theirs), "prob")
    for ids in queries["infgram_prob"][:200]:
        theirs = peers["infgram_prob"](ids)
        one = ours["infgram_prob"](ids)
        same = (one.count, one.suffix_length) == (theirs["cont_cnt"], theirs["suffix_len"])
        measure.check(same, "infgram_prob")
    # Exact distributions of frequent prompts take the engine more threads than there are.
    for ids in queries["ntd, 4 tokens"][:50]:
        theirs = exact.ntd(prompt_ids=ids)["result_by_token_id"]
        found = {
            EOS if row["token"] is None else row["token"]: row["count"]
            for row in model.ntd(ids).to_pylist()
        }
        same = found == {token: one["cont_cnt"] for token, one in theirs.items()}
        measure.check(same, "ntd")
    for ids in queries["matches, 450 tokens"][:5]:
        theirs = [(s["l"], s["r"]) for s in peers["matches, 450 tokens"](ids)["spans"]]
        table = bow.matches(index, ids, max_count=10)
        found = list(zip(table["start"].to_pylist(), table["stop"].to_pylist(), strict=True))
        measure.check(found == theirs, "matches")
    taken: dict[str, Any] = {}
    for figure, asked in queries.items():
        size = len(asked) // (runs + 1)

        both = {
            "ours": measure.in_slices(ours[figure], asked, size),
            "peer": measure.in_slices(peers[figure], asked, size),
        }
        for who, all in measure.in_turn(both, runs).items():
            for statistic, of in (("median", 50), ("p99", 99)):
                taken[f"{figure}|{statistic}|{who}"] = [
                    float(np.percentile(one, of)) / 1e3 for one in all
                ]
            taken[f"{figure}|mean|{who}"] = [float(one.mean()) / 1e3 for one in all]

    def column(of: pa.ChunkedArray[Any], length: int) -> tuple[Any, Any]:
        """Prompts, and what comes next."""
        flat = of.combine_chunks().flatten().to_numpy()
        starts = random.integers(0, len(flat) - length, COLUMN)
        prompts = pa.array([flat[start : start + length] for start in starts], TYPE)
        return prompts, pa.array(flat[starts + length])

    grams, contexts = column(known, 4), column(held, CONTEXT)
    columns = {
        "infgram_prob": lambda: model.infgram_prob(*contexts, threads=1),
        "prob": lambda: model.prob(*grams, threads=1),
        "score": lambda: model.score(held, threads=1),
        "score, all threads": lambda: model.score(held),
    }
    sizes = {"infgram_prob": COLUMN, "prob": COLUMN}
    symbols = len(held.combine_chunks().flatten())
    for name, call in columns.items():

        def cost(call: Callable[[], Any] = call, units: int = sizes.get(name, symbols)) -> float:
            with measure.timed() as cost:
                call()
            return cost.wall * 1e6 / units

        taken[f"column|{name}"] = measure.in_turn({"ours": cost}, runs)["ours"]
    scores = model.score(held)
    agreement = scores.agreement().slice(0, 33).to_pylist()
    return {"taken": taken, "predicted": scores.predicted, "agreement": agreement}


GOALS = {
    "prob": 15,
    "infgram_prob": 40,
    "infgram_ntd": 20,
    "ntd, 1 to 4 tokens": 20,
    "matches, 450 tokens": 60,
}


def compare(corpus: str, runs: int, with_build: bool) -> None:
    """Measure one corpus."""
    with measure.scratch() as folder:
        if found := [word for word in compare_infini_gram.WORDS if word in str(folder)]:
            measure.skip(BENCH, f"the engine cannot open files under {folder}: {found[0]!r} in it")
            return
        place = str(folder)
        measure.in_child(make_tokens, corpus=corpus, folder=place)
        built = [measure.in_child(build, folder=place) for _ in range(3)][1:]
        measure.in_child(write_peer_files, folder=place)
        asked = measure.in_child(ask, folder=place, runs=runs)
        taken = asked["taken"]
        for figure in dict.fromkeys(key.partition("|")[0] for key in taken if "column" not in key):
            goal = GOALS.get(figure)
            for statistic in ("median", "p99"):
                least = 1 if statistic == "p99" and "ntd" in figure else None
                measure.report(
                    *(BENCH, corpus, f"{figure}, one call: {statistic}"),
                    unit="us",
                    ours=taken[f"{figure}|{statistic}|ours"],
                    peer=taken[f"{figure}|{statistic}|peer"],
                    ratio="peer/ours",
                    at_least=goal if statistic == "median" else least,
                    runs=runs,
                )
        for name in ("prob", "infgram_prob"):
            measure.report(
                *(BENCH, corpus, f"{name}, a column on 1 thread, of our one call"),
                unit="us",
                ours=taken[f"column|{name}"],
                peer=taken[f"{name}|mean|ours"],
                ratio="peer/ours",
                at_least=4,
                runs=runs,
            )
        for name in ("score", "score, all threads"):
            measure.report(
                *(BENCH, corpus, f"{name}, a symbol, of the peer's infgram_prob"),
                unit="us",
                ours=taken[f"column|{name}"],
                peer=taken["infgram_prob|mean|peer"],
                ratio="peer/ours",
                at_least=200,
                runs=runs,
            )
        print(f"predicted {asked['predicted']:.3f}; by length {asked['agreement']}")
        if with_build:
            cost = _peer_build(folder / "peer")
            measure.report(
                *(BENCH, corpus, "build: CPU"),
                unit="s",
                ours=[one["cpu"] for one in built],
                peer=cost.cpu,
                ratio="peer/ours",
                at_least=10,
                runs=len(built),
            )


def _peer_build(peer: Path) -> measure.Cost:
    (peer / "table.0").unlink()
    (peer / "in").mkdir()
    cost, _ = measure.command(
        [
            *(compare_infini_gram.sys.executable, "-m", "infini_gram.indexing"),
            *("--data_dir", peer / "in", "--save_dir", peer, "--token_dtype", "u16"),
            *("--shards", "1", "--ulimit", "4096", "--cpus", "2", "--mem", "8"),
        ]
    )
    return cost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", nargs="*", default=["linux100m"], metavar="CORPUS")
    parser.add_argument("--runs", type=int, default=measure.RUNS)
    parser.add_argument("--no-build", action="store_true", help="leave out the peer's indexer")
    arguments = parser.parse_args()
    for name in ("infini_gram", "tokenizers"):
        if importlib.util.find_spec(name) is None:
            measure.skip(BENCH, f"not installed: pip install {name.replace('_', '-')}")
            return
    measure.require_release()
    for corpus in arguments.corpora:
        compare(corpus, arguments.runs, not arguments.no_build)


if __name__ == "__main__":
    main()
