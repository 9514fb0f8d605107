"""All benchmarks, one command: python benches/run.py [--quick].

Makes the corpora, runs every comparison that can run here, and writes their figures to
benches/results.jsonl, a line a figure. `--quick` takes a small corpus, fewer runs and a minute or
two, to see that everything works; its figures are no measurement.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import corpora
import measure

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.jsonl"

SMALL = (corpora.SMALL, "--runs", "2")
# Script: its arguments in full, and for a quick look.
SCRIPTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "compare_libsais.py": ((), SMALL),
    "compare_infini_gram.py": ((), (*SMALL, "--queries", "100000")),
    "compare_language.py": ((), (*SMALL, "--no-build")),
    "compare_dedup.py": ((), SMALL),
    "compare_scan.py": ((), SMALL),
    "compare_duplicates.py": ((), SMALL),
    "compare_repetition.py": ((), (*SMALL, "--rows", "20")),
    "compare_contamination.py": ((), (*SMALL, "--items", "200")),
    "compare_kinds.py": ((), (*SMALL, "--queries", "20000")),
    "compare_hamming.py": ((), ("--symbols", "200000", "--runs", "2")),
    "compare_scikit_learn.py": ((), SMALL),
    "compare_bm25s.py": ((), SMALL),
    "compare_kenlm.py": ((), SMALL),
    "compare_gensim.py": ((), SMALL),
    "counting_memory.py": ((), (corpora.SMALL, "--memory", "4MB")),
    "compare_zip_fit.py": ((), ("--runs", "2")),
    "compare_dsir.py": ((), ("--rows", "4000", "--peer-rows", "500", "--runs", "2")),
    "compare_stochastok.py": ((), ("--runs", "2")),
    "compare_apricot.py": (("--runs", "3"), ("--runs", "1")),
    "compare_retrieval_importance.py": ((), ("--runs", "2")),
    "growth.py": ((), (*SMALL, "--queries", "100000", "--budgets")),
}


def run(script: str, arguments: list[str]) -> list[str]:
    """Run one script; its lines, which it also prints."""
    print(f"== {script} {' '.join(arguments)}", file=sys.stderr)
    done = subprocess.run(
        [sys.executable, HERE / script, *arguments], stdout=subprocess.PIPE, text=True, check=False
    )
    print(done.stdout, end="", flush=True)
    if done.returncode:
        measure.skip(script, f"failed with exit code {done.returncode}")
    return done.stdout.splitlines()


def micro(quick: bool) -> None:
    """The kernels' own benchmarks, which print a table of theirs."""
    command = ["cargo", "bench", "--package", "bowstring-benches"]
    environment = dict(os.environ)
    if quick:
        environment |= {"DIVAN_MAX_TIME": "0.2"}
    else:
        environment.setdefault("BOWSTRING_BENCH_TEXT", str(corpora.raw("linux100m")))
    subprocess.run(command, cwd=HERE.parent, env=environment, stdout=sys.stderr, check=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small corpus and few runs")
    parser.add_argument("--binary", help="the program of deduplicate-text-datasets, if it is there")
    arguments = parser.parse_args()
    measure.require_release()
    corpora.make([corpora.SMALL] if arguments.quick else corpora.NAMES)
    lines = []
    for script, choices in SCRIPTS.items():
        chosen = list(choices[arguments.quick])
        if script in ("compare_dedup.py", "compare_duplicates.py") and arguments.binary:
            chosen += ["--binary", arguments.binary]
        lines += run(script, chosen)
    RESULTS.write_text("".join(line + "\n" for line in lines))
    print(f"== {len(lines)} figures in {RESULTS}", file=sys.stderr)
    micro(arguments.quick)


if __name__ == "__main__":
    main()
