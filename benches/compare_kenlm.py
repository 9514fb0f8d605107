"""Kneser-Ney models against KenLM: estimating with lmplz, scoring with its Python binding.

`--lmplz` and `--build-binary` are KenLM's programs, built from its sources; without them only
scoring is compared, with the binding reading the model that we wrote. A row in fifty is held out.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
from pathlib import Path
from typing import Any

import corpora
import measure

BENCH = "kenlm"


def rows_of(corpus: str) -> tuple[list[str], list[str]]:
    texts = (re.findall(r"\w+|[^\w\s]", row.lower()) for row in corpora.rows(corpus))
    rows = [" ".join(tokens) for tokens in texts]
    held_out = rows[::50]
    return [row for at, row in enumerate(rows) if at % 50], held_out


def compare(corpus: str, order: int, runs: int, lmplz: Path | None, binary: Path | None) -> None:
    import kenlm
    import pyarrow as pa

    import bowstring as bow

    rows, asked = rows_of(corpus)
    column, questions = pa.array(rows), pa.array(asked)
    with measure.scratch() as place:
        estimates = []
        for _ in range(runs):
            with measure.timed() as cost:
                model = bow.counts.KneserNey(column, order=order, threads=1)
            estimates.append(cost.cpu)
        path = place / "ours.arpa"
        model.write_arpa(path)
        if lmplz is not None and binary is not None:
            text = place / "text"
            text.write_text("\n".join(rows) + "\n")
            other = place / "peer.arpa"
            arguments = [lmplz, "-o", str(order), "-S", "2G", "-T", place, "--text", text]
            estimate, _ = measure.command([*arguments, "--arpa", other])
            build, _ = measure.command([binary, other, place / "peer.bin"])
            theirs = bow.counts.KneserNey.read_arpa(other)
            measure.check(theirs.ngrams == model.ngrams, "numbers of n-grams")
            scores = zip(
                theirs.score(questions)["log10"].to_pylist(),
                model.score(questions)["log10"].to_pylist(),
                strict=True,
            )
            measure.check(all(abs(a - b) <= 1e-6 * max(9, -a) for a, b in scores), "scores")
            measure.report(
                *(BENCH, corpus, f"estimating {order}-grams to be asked: CPU"),
                unit="s",
                ours=estimates,
                peer=estimate.cpu + build.cpu,
                ratio="peer/ours",
                at_least=2,
            )
        peer = kenlm.Model(str(path))
        peers = [peer.score(row) for row in asked]
        found = model.score(questions)
        both = zip(found["log10"].to_pylist(), peers, strict=True)
        measure.check(all(abs(a - b) <= 1e-5 * max(10, -a) for a, b in both), "scores")

        def timed(work: Any) -> Any:
            def once() -> float:
                with measure.timed() as cost:
                    work()
                return cost.cpu

            return once

        taken = measure.in_turn(
            {
                "ours": timed(lambda: model.score(questions)),
                "peer": timed(lambda: [peer.score(row) for row in asked]),
            },
            measure.RUNS,
        )
        measure.report(
            *(BENCH, corpus, "scoring rows held out: CPU"),
            unit="s",
            ours=taken["ours"],
            peer=taken["peer"],
            ratio="peer/ours",
            at_least=3,
            tokens=sum(found["tokens"].to_pylist()),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", nargs="?", default="gcide")
    parser.add_argument("--order", type=int, default=5)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--lmplz", type=Path)
    parser.add_argument("--build-binary", type=Path)
    arguments = parser.parse_args()
    if importlib.util.find_spec("kenlm") is None:
        measure.skip(BENCH, "kenlm is not installed: pip install '.[peers]'")
        return
    measure.require_release()
    compare(
        arguments.corpus, arguments.order, arguments.runs, arguments.lmplz, arguments.build_binary
    )


if __name__ == "__main__":
    main()
