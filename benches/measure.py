"""What every benchmark shares: fair timing, memory of a process of its own, one line a figure.

Figures are taken side by side: one warm-up of each contestant that does not count (fresh memory
of a virtual machine is slow the first time), then all of them in turn, several times, and the
medians. Anything whose memory is stated runs in a process of its own, which tells its own peak: a
child's `ru_maxrss` begins at what its parent held.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import corpora

# Children whose memory is stated import no more than their work needs.
if TYPE_CHECKING:
    import numpy as np

T = TypeVar("T")

RUNS = 5


@dataclass
class Cost:
    """What a piece of work took; filled when it ends."""

    cpu: float = 0.0
    wall: float = 0.0


@contextlib.contextmanager
def timed() -> Iterator[Cost]:
    """Time a block in this process, all its threads included."""
    cost = Cost()
    cpu, wall = _cpu(), time.perf_counter()
    try:
        yield cost
    finally:
        cost.wall = time.perf_counter() - wall
        cost.cpu = _cpu() - cpu


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def command(arguments: Sequence[str | Path], folder: Path | None = None) -> tuple[Cost, int]:
    """Run a program to its end; its CPU seconds and wall time, and its peak memory in bytes."""
    wall = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(arguments, cwd=folder, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            raise SystemExit(f"{arguments[0]} failed:\n{output.read().decode(errors='replace')}")
    cost = Cost(usage.ru_utime + usage.ru_stime, time.perf_counter() - wall)
    return cost, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def memory() -> int:
    """Bytes of memory that this process holds now."""
    return _status("VmRSS")


def peak_memory() -> int:
    """The most memory that this process has held, in bytes, since its start or `forget_peak`."""
    return _status("VmHWM")


def forget_peak() -> None:
    """Start `peak_memory` anew, without what Arrow keeps for later; on Linux only."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _status(field: str) -> int:
    with contextlib.suppress(FileNotFoundError):
        status = Path("/proc/self/status").read_text()
        return int(re.findall(rf"{field}:\s+(\d+) kB", status)[0]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024)


def in_child(function: Callable[..., Any], **arguments: Any) -> Any:
    """Call a module's function in a fresh process; arguments and result go as JSON."""
    module = sys.modules[function.__module__].__spec__
    name = module.name if module else Path(sys.argv[0]).stem
    call = [sys.executable, __file__, name, function.__name__, json.dumps(arguments)]
    done = subprocess.run(call, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name}.{function.__name__}({arguments}) failed in its process")
    return json.loads(done.stdout.splitlines()[-1])


def in_turn(contestants: Mapping[str, Callable[[], T]], runs: int = RUNS) -> dict[str, list[T]]:
    """Call each once without counting, then each in turn, `runs` times, first and last swapping."""
    results: dict[str, list[T]] = {name: [] for name in contestants}
    for contest in contestants.values():
        contest()
    for run in range(runs):
        order = list(contestants)[:: -1 if run % 2 else 1]
        for name in order:
            results[name].append(contestants[name]())
    return results


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return float(statistics.median(values))


def latencies(call: Callable[[Any], Any], queries: Sequence[Any]) -> np.ndarray:
    """Nanoseconds of each call, one query a call."""
    import numpy as np

    clock = time.perf_counter_ns
    taken = []
    for query in queries:
        begun = clock()
        call(query)
        taken.append(clock() - begun)
    return np.array(taken)


def in_slices(call: Callable[[Any], Any], queries: list[Any], size: int) -> Callable[[], Any]:
    """Make a function that gives the latencies of the next queries, so many of them, each time.

    Others each time, so that none is in the caches because it was asked before.
    """
    begins = iter(range(0, len(queries), size))

    def once() -> Any:
        begin = next(begins)
        return latencies(call, queries[begin : begin + size])

    return once


def sample_patterns(text: np.ndarray, number: int, length: int = 20, seed: int = 1) -> np.ndarray:
    """Draw `number` pieces of `length` bytes that cut no character and cross no row."""
    import numpy as np

    random = np.random.default_rng(seed)
    found = np.empty((0, length), np.uint8)
    while len(found) < number:
        starts = random.integers(0, len(text) - length, max(number // 4 * 5, 1000))
        pieces = text[starts[:, None] + np.arange(length)]
        whole = (pieces != corpora.SEPARATOR[0]).all(axis=1)
        for edge in (starts, starts + length):
            whole &= text[edge] & 0xC0 != 0x80
        found = np.concatenate([found, pieces[whole]])
    return found[:number]


def as_column(patterns: np.ndarray) -> Any:
    """Patterns of one length as an Arrow column."""
    import numpy as np
    import pyarrow as pa

    number, length = patterns.shape
    offsets = np.arange(0, (number + 1) * length, length, dtype=np.int64)
    symbols = np.ascontiguousarray(patterns)
    buffers = [None, pa.py_buffer(offsets.data), pa.py_buffer(symbols.data)]
    return pa.Array.from_buffers(pa.large_string(), number, buffers)


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder for what a benchmark writes, beside the corpora: their disk has room."""
    with tempfile.TemporaryDirectory(prefix="scratch-", dir=corpora.folder()) as place:
        yield Path(place)


def directory_bytes(path: Path) -> int:
    """Bytes of all files below."""
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def check(equal: object, what: str) -> None:
    """Stop before anything is timed if the contestants do not answer the same."""
    if not equal:
        raise SystemExit(f"{what} differ: nothing is measured")


def report(
    bench: str,
    corpus: str,
    figure: str,
    *,
    unit: str,
    ours: float | Sequence[float],
    peer: float | Sequence[float] | None = None,
    ratio: Literal["ours/peer", "peer/ours"] | None = None,
    at_most: float | None = None,
    at_least: float | None = None,
    **more: Any,
) -> None:
    """Print one figure: a JSON line to standard output, a readable one to standard error.

    Of several values the median counts. A goal is one for the ratio, or for ours without one;
    none holds for the small corpus, where what every process takes outweighs the text.
    """
    if corpus == corpora.SMALL:
        at_most = at_least = None
    line: dict[str, Any] = {"bench": bench, "corpus": corpus, "figure": figure, "unit": unit}
    values = {"ours": ours, "peer": peer}
    for name, value in values.items():
        if isinstance(value, Sequence):
            line[name] = _rounded(median(value))
            line[f"{name}_runs"] = [_rounded(one) for one in value]
        elif value is not None:
            line[name] = _rounded(value)
    shown = line["ours"]
    if ratio is not None:
        above, below = ratio.split("/")
        shown = line["ratio"] = _rounded(line[above] / line[below])
        line["ratio_of"] = ratio
    goal = ""
    if at_most is not None or at_least is not None:
        line["goal"] = f"<= {at_most:g}" if at_most is not None else f">= {at_least:g}"
        line["met"] = shown <= at_most if at_most is not None else shown >= (at_least or 0)
        goal = f"  (goal {line['goal']}: {'met' if line['met'] else 'MISSED'})"
    line |= more
    line["load"] = round(os.getloadavg()[0], 2)
    print(json.dumps(line), flush=True)
    against = f" against {line['peer']:,g}" if "peer" in line else ""
    times = f", {ratio} = {line['ratio']:g}" if ratio else ""
    print(
        f"{bench} {corpus}: {figure}: {line['ours']:,g}{against} {unit}{times}{goal}",
        file=sys.stderr,
    )


def skip(bench: str, reason: str) -> None:
    """Say why a benchmark does not run."""
    print(json.dumps({"bench": bench, "skipped": reason}), flush=True)
    print(f"{bench}: skipped: {reason}", file=sys.stderr)


def require_release() -> None:
    """Refuse to measure a core that was built without optimisation."""
    from bowstring import _core

    if _core.build_profile != "release":
        raise SystemExit(
            f"bowstring's core was built with the {_core.build_profile} profile: "
            "pip install . builds the one to measure"
        )


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def _answer(module: str, function: str, arguments: str) -> None:
    result = getattr(importlib.import_module(module), function)(**json.loads(arguments))
    print(json.dumps(result))


if __name__ == "__main__":
    _answer(*sys.argv[1:])
