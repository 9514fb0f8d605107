"""Hamming distances against what else counts them: SciPy, NumPy, Numba, RapidFuzz, fuzzysearch.

    python benches/compare_hamming.py [CORPUS] [--runs N] [--symbols N] [--lengths M ...]
        [--texts NAME ...] [--grid | --near | --several | --sums | --indexed CORPUS]

counts all windows of the first symbols of a corpus, of 4 and of 256 uniform symbols, at each
pattern length, checks that the contestants agree, and prints nanoseconds a window of CPU time, a
plain copy of the text beside them, and by which power of the pattern's length time grows. What the
peers would take minutes for they are given a prefix of the text for. `--grid` runs every kernel of
ours alone, for the cost model: how far the plan is from the best of them. `--near` is `within` and
`approximate`, `--several` many patterns at once, `--sums` sums of whole numbers.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import corpora
import measure
import numpy as np

import bowstring as bow

BENCH = "hamming"
LENGTHS = (8, 32, 128, 512, 2048, 8192, 65_536, 262_144)
KERNELS: dict[str, Any] = {"direct": 40_000, "sliced": 10**9, "fft": 10**9, "lists": 10**9}

# Powers of the length that time is to grow by at most, over what lengths.
POWERS = {"gcide": ((512, 0.58), (8192, 0.48)), "uniform4": ((512, 0.25),)}


def texts(corpus: str, symbols: int) -> dict[str, np.ndarray]:
    """The text of a corpus, and uniform ones."""
    draw = np.random.default_rng(1)
    whole = np.fromfile(corpora.raw(corpus), np.uint8, symbols)
    found = {corpus: whole}
    for alphabet in (4, 16, 64, 256):
        found[f"uniform{alphabet}"] = draw.integers(0, alphabet, len(whole), dtype=np.uint8)
    return found


def pattern_of(text: np.ndarray, length: int) -> np.ndarray:
    """A piece of the text, a twentieth of it changed."""
    draw = np.random.default_rng(2)
    start = len(text) // 3
    pattern = text[start : start + length].copy()
    changed = draw.random(length) < 0.05
    pattern[changed] = draw.permutation(pattern)[changed]
    return pattern


def scipy_distances(text: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    """A convolution of indicators for each symbol of the pattern."""
    from scipy.signal import oaconvolve

    matches = np.zeros(len(text) - len(pattern) + 1)
    for symbol in np.unique(pattern):
        indicator = (pattern[::-1] == symbol).astype(np.float64)
        matches += oaconvolve((text == symbol).astype(np.float64), indicator, mode="valid")
    return len(pattern) - np.rint(matches).astype(np.int64)


def numpy_distances(text: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    """A comparison of all windows for each position."""
    windows = len(text) - len(pattern) + 1
    distances = np.zeros(windows, np.uint32)
    for at, symbol in enumerate(pattern):
        distances += text[at : at + windows] != symbol
    return distances


def numba_distances(text: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    """The definition, compiled."""
    import numba

    if "numba" not in _compiled:

        @numba.njit  # type: ignore[untyped-decorator]
        def count(text: np.ndarray, pattern: np.ndarray) -> np.ndarray:
            found = np.zeros(len(text) - len(pattern) + 1, np.uint32)
            for start in range(len(found)):
                differ = 0
                for at in range(len(pattern)):
                    differ += text[start + at] != pattern[at]
                found[start] = differ
            return found

        _compiled["numba"] = count
    found: np.ndarray = _compiled["numba"](text, pattern)
    return found


_compiled: dict[str, Any] = {}


def rapidfuzz_distances(text: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    """A call a window."""
    from rapidfuzz.distance import Hamming

    data, needle = text.tobytes(), pattern.tobytes()
    length = len(needle)
    windows = range(len(data) - length + 1)
    return np.array([Hamming.distance(data[at : at + length], needle) for at in windows])


def ours(text: bytes, pattern: bytes, **options: Any) -> Any:
    return bow.hamming.distances(text, pattern, threads=1, **options)


def cpu(call: Callable[[], Any]) -> float:
    """CPU seconds of a call."""
    with measure.timed() as cost:
        call()
    return cost.cpu


def compare(name: str, text: np.ndarray, length: int, runs: int) -> float:
    """Nanoseconds a window of all contestants; gives ours."""
    pattern = pattern_of(text, length)
    data, needle = text.tobytes(), pattern.tobytes()
    distinct = len(np.unique(pattern))
    # About five seconds a run, of what each is known to take.
    prefix = {
        "scipy": (scipy_distances, 45e-9 * distinct),
        "numpy": (numpy_distances, 0.2e-9 * length),
        "numba": (numba_distances, 5e-9 + 0.07e-9 * length),
        "rapidfuzz": (rapidfuzz_distances, 2e-7 + length * 2e-11),
    }
    windows = len(text) - length + 1
    target = np.empty_like(text)
    copied = measure.median([cpu(lambda: np.copyto(target, text)) for _ in range(runs)])
    ours(data, needle)
    taken = [cpu(lambda: ours(data, needle)) / windows * 1e9 for _ in range(runs)]
    plan = bow.hamming.plan(data, needle)
    steps = "+".join(f"{step.method}({step.symbols})" for step in plan.steps)
    measure.report(
        BENCH,
        name,
        f"m = {length}, all windows, one core",
        unit="ns a window",
        ours=taken,
        plan=steps,
        predicted=round(plan.nanoseconds, 2),
        copy=round(copied / windows * 1e9, 3),
    )
    for peer, (call, cost) in prefix.items():
        size = int(min(len(text), max(3 * length, 3.0 / cost)))
        if length > {"scipy": 10**9, "numpy": 2048, "numba": 8192, "rapidfuzz": 8192}[peer]:
            continue
        try:
            part = text[:size]
            measure.check(
                (call(part, pattern) == ours(part.tobytes(), needle).to_numpy()).all(), peer
            )
        except ImportError:
            measure.skip(BENCH, f"{peer} is not installed")
            continue
        peers = [cpu(lambda p=part, c=call: c(p, pattern)) for _ in range(min(runs, 3))]
        measure.report(
            BENCH,
            name,
            f"m = {length} against {peer}",
            unit="ns a window",
            ours=taken,
            peer=[one / (size - length + 1) * 1e9 for one in peers],
            ratio="peer/ours",
            at_least=goal(peer, name, length),
        )
    return measure.median(taken)


def goal(peer: str, name: str, length: int) -> float:
    """How many times as fast as a peer ours is to be."""
    if peer == "scipy" and name in ("gcide", "uniform4") and length >= 512:
        return 60 if name == "gcide" else 15
    return 5


def powers(name: str, taken: dict[int, float]) -> None:
    """By which power of the length time grows: the slope of a line through the logarithms."""
    for least, most in POWERS.get(name, ((512, None),)):
        lengths = [length for length in taken if length >= least]
        if len(lengths) >= 2:
            slope, _ = np.polyfit(np.log(lengths), np.log([taken[m] for m in lengths]), 1)
            measure.report(
                BENCH,
                name,
                f"power of m from {lengths[0]} to {lengths[-1]}",
                unit="",
                ours=float(slope),
                at_most=most,
            )


def grid(name: str, text: np.ndarray, length: int, runs: int) -> None:
    """Every kernel alone, and what the plan takes against the best of them."""
    pattern = pattern_of(text, length)
    data, needle = text.tobytes(), pattern.tobytes()
    windows = len(text) - length + 1
    alone = {}
    for kernel, most in KERNELS.items():
        if length > most or (kernel == "fft" and len(np.unique(pattern)) * length > 6e6):
            continue
        plan = bow.hamming.plan(data, needle, method=kernel)
        if plan.nanoseconds > 1500:
            continue
        ours(data, needle, method=kernel)
        alone[kernel] = (
            min(cpu(lambda k=kernel: ours(data, needle, method=k)) for _ in range(runs))
            / windows
            * 1e9
        )
    ours(data, needle)
    chosen = min(cpu(lambda: ours(data, needle)) for _ in range(runs)) / windows * 1e9
    plan = bow.hamming.plan(data, needle)
    measure.report(
        BENCH,
        name,
        f"m = {length}, the plan against the best kernel",
        unit="ns a window",
        ours=chosen,
        peer=min(alone.values()),
        ratio="ours/peer",
        at_most=1.3,
        kernels={kernel: round(taken, 2) for kernel, taken in alone.items()},
        plan="+".join(f"{s.method}({s.symbols},{s.nanoseconds:.1f})" for s in plan.steps),
    )


def near(name: str, text: np.ndarray, runs: int) -> None:
    """Windows within a few mismatches."""
    data = text.tobytes()
    goals = {3: 0.15, 4: 0.15, 16: 0.3} if name == "gcide" else {}
    for length, k in ((32, 3), (128, 4), (512, 4), (512, 16), (8192, 16), (65_536, 200)):
        needle = pattern_of(text, length).tobytes()
        bow.hamming.within(data, needle, k, threads=1)
        taken = [
            cpu(lambda n=needle, k=k: bow.hamming.within(data, n, k, threads=1))
            for _ in range(runs)
        ]
        measure.report(
            BENCH,
            name,
            f"within k = {k}, m = {length}",
            unit="ns a window",
            ours=[one / len(text) * 1e9 for one in taken],
            at_most=goals.get(k),
        )
        if length > 512:
            continue
        try:
            from fuzzysearch import find_near_matches
        except ImportError:
            measure.skip(BENCH, "fuzzysearch is not installed")
            continue
        part = data[: len(data) // 5]

        def peer(needle: bytes = needle, part: bytes = part, k: int = k) -> Any:
            limits = {"max_substitutions": k, "max_insertions": 0, "max_deletions": 0}
            return find_near_matches(needle, part, **limits)

        # Of matches that overlap fuzzysearch keeps one: every one of ours overlaps one of its.
        theirs = [(match.start, match.dist) for match in peer()]
        mine = bow.hamming.within(part, needle, k).to_pylist()
        mine = [(one["start"], one["distance"]) for one in mine]
        close = all(any(abs(at - of) < length for of, _ in theirs) for at, _ in mine)
        measure.check(set(theirs) <= set(mine) and close, "fuzzysearch")
        measure.report(
            BENCH,
            name,
            f"within k = {k}, m = {length}, against fuzzysearch",
            unit="ns a window",
            ours=[one / len(text) * 1e9 for one in taken],
            peer=[cpu(peer) / len(part) * 1e9 for _ in range(min(runs, 3))],
            ratio="peer/ours",
            at_least=5,
        )


def several(name: str, text: np.ndarray, runs: int) -> None:
    """Patterns that share the transforms of a text, against as many calls."""
    data = text.tobytes()
    for length, number in ((2048, 8), (8192, 8), (65_536, 8)):
        step = (len(text) - length) // number
        needles = [pattern_of(text[at * step :], length).tobytes() for at in range(number)]

        def together(needles: list[bytes] = needles) -> Any:
            return bow.hamming.distances(data, needles, threads=1)

        def alone(needles: list[bytes] = needles) -> Any:
            return [bow.hamming.distances(data, needle, threads=1) for needle in needles]

        same = [one.values for one in together()]
        measure.check(all(a.equals(b) for a, b in zip(same, alone(), strict=True)), "patterns")
        each = number * (len(text) - length + 1) / 1e9
        measure.report(
            BENCH,
            name,
            f"{number} patterns of m = {length} at once, against one by one",
            unit="ns a window",
            ours=[cpu(together) / each for _ in range(runs)],
            peer=[cpu(alone) / each for _ in range(runs)],
            ratio="peer/ours",
            at_least=1,
        )


def estimates(name: str, text: np.ndarray, runs: int) -> None:
    data = text.tobytes()
    for length in (65_536, 262_144):
        needle = pattern_of(text, length).tobytes()
        ours(data, needle)
        exact = [cpu(lambda n=needle: ours(data, n)) / len(text) * 1e9 for _ in range(runs)]
        for guarantee in ("additive", None):
            options: dict[str, Any] = {"guarantee": guarantee, "always": True, "threads": 1}
            found = bow.hamming.approximate(data, needle, **options)
            taken = [
                cpu(lambda n=needle, o=options: bow.hamming.approximate(data, n, **o))
                for _ in range(runs)
            ]
            measure.report(
                BENCH,
                name,
                f"approximate, {guarantee}, m = {length}",
                unit="ns a window",
                ours=[one / len(text) * 1e9 for one in taken],
                peer=exact,
                ratio="peer/ours",
                at_least=10 if guarantee is None and length == 65_536 else None,
                method=found.method,
                error=found.error,
            )


def indexed(corpus: str, runs: int) -> None:
    """Occurrences within three changes, through an index."""
    index = bow.index(corpora.parquet(corpus), "text", threads=1)
    raw = np.fromfile(corpora.raw(corpus), np.uint8)
    patterns = measure.sample_patterns(raw, 200, 32)
    taken = []
    for pattern in patterns:
        query = pattern.tobytes()
        begun = time.perf_counter()
        index.search_within(query, 3, threads=1)
        taken.append((time.perf_counter() - begun) * 1e3)
    measure.report(
        BENCH,
        corpus,
        "search_within, k = 3, m = 32",
        unit="ms",
        ours=taken,
        at_most=1.0,
        percentile90=round(float(np.percentile(taken, 90)), 3),
    )


def numpy_sums(a: np.ndarray, b: np.ndarray, universe: int) -> Any:
    """The best of NumPy: a transform of the range, of a length that has small factors."""
    length = min(
        2**twos * 3**threes * 5**fives
        for twos in range(4, 30)
        for threes in range(4)
        for fives in range(10)
        if 2**twos * 3**threes * 5**fives >= 2 * universe - 1
    )
    spectrum = np.fft.rfft(np.bincount(a, minlength=universe).astype(np.float64), length)
    spectrum *= np.fft.rfft(np.bincount(b, minlength=universe).astype(np.float64), length)
    counts = np.fft.irfft(spectrum, length)
    del spectrum
    counts = np.rint(counts, out=counts).astype(np.int64)
    values = np.flatnonzero(counts)
    return values, counts[values]


def sums(runs: int, largest: bool) -> None:
    draw = np.random.default_rng(3)
    cases = [(1000, 1 << 20), (10_000, 1 << 20), (10_000, 1 << 24), (100_000, 1 << 22)]
    if largest:
        cases = [(1_000_000, 100_000_000)]
    for size, universe in cases:
        a, b = (draw.choice(universe, size, replace=False).astype(np.int64) for _ in range(2))
        found = bow.hamming.sumset_counts(a, b)
        values, counts = numpy_sums(a, b, universe)
        same = (found["value"].to_numpy() == values).all() and (
            found["count"].to_numpy() == counts
        ).all()
        del found, values, counts
        measure.check(same, "sums")
        measure.report(
            BENCH,
            f"{size} + {size} of {universe}",
            "sumset_counts against NumPy's transform",
            unit="s",
            ours=[cpu(lambda a=a, b=b: bow.hamming.sumset_counts(a, b)) for _ in range(runs)],
            peer=[
                cpu(lambda a=a, b=b, u=universe: numpy_sums(a, b, u)) for _ in range(min(runs, 3))
            ],
            ratio="peer/ours",
            at_least=20 if largest else None,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", nargs="?", default="gcide")
    parser.add_argument("--runs", type=int, default=measure.RUNS)
    parser.add_argument("--symbols", type=int, default=10_000_000)
    parser.add_argument("--lengths", type=int, nargs="*", default=LENGTHS)
    parser.add_argument("--texts", nargs="*", help="of the texts, these only")
    parser.add_argument("--grid", action="store_true", help="every kernel alone")
    parser.add_argument("--near", action="store_true", help="only within and approximate")
    parser.add_argument("--indexed", help="only search_within, over this corpus")
    parser.add_argument("--several", action="store_true", help="only many patterns at once")
    parser.add_argument("--sums", action="store_true", help="only sums")
    parser.add_argument("--largest", action="store_true", help="of the sums the largest, in 10 GB")
    arguments = parser.parse_args()
    measure.require_release()
    if arguments.sums or arguments.largest:
        return sums(arguments.runs, arguments.largest)
    if arguments.indexed:
        return indexed(arguments.indexed, arguments.runs)
    for name, text in texts(arguments.corpus, arguments.symbols).items():
        if arguments.texts and name not in arguments.texts:
            continue
        if arguments.near:
            near(name, text, arguments.runs)
            estimates(name, text, arguments.runs)
            continue
        if arguments.several:
            several(name, text, arguments.runs)
            continue
        lengths = [length for length in arguments.lengths if length * 3 <= len(text)]
        if arguments.grid:
            for length in lengths:
                grid(name, text, length, arguments.runs)
        else:
            taken = {length: compare(name, text, length, arguments.runs) for length in lengths}
            powers(name, taken)
    return None


if __name__ == "__main__":
    main()
