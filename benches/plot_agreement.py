"""How the share of predicted tokens rises with the length of the suffix before them.

    python benches/plot_agreement.py [CORPUS] [--longest N] [-o FILE]

indexes a corpus of `corpora.py` (`linux100m` by default) as the tokens of `compare_language.py`,
scores that one's held-out files against it, prints the table and writes the figure (`agreement.png`
by default; or `.svg` or `.pdf`). Contexts longer than N tokens (32 by default) are drawn as one.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import compare_language
import measure

import bowstring as bow
from bowstring import plot


def score(folder: str, figure: str, longest: int) -> dict[str, Any]:
    """Score the held-out rows and draw how often they were predicted."""
    index = bow.open(Path(folder, "index.bow"))
    held = compare_language.tokens(folder, "held.parquet")
    scores = bow.LanguageModel(index).score(held)
    scores.plot_agreement(figure, longest=longest)
    return {
        "known": index.info.symbols,
        "files": index.info.rows,
        "scored": len(scores),
        "held": len(held),
        "predicted": scores.predicted,
        "agreement": scores.agreement().to_pylist(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("corpus", nargs="?", default="linux100m", metavar="CORPUS")
    parser.add_argument("--longest", type=int, default=32, metavar="N")
    parser.add_argument("-o", "--output", default="agreement.png", metavar="FILE")
    arguments = parser.parse_args()
    plot.check_path(arguments.output, "--output", plot.PICTURES)
    with measure.scratch() as folder:
        place = str(folder)
        measure.in_child(compare_language.make_tokens, corpus=arguments.corpus, folder=place)
        measure.in_child(compare_language.build, folder=place)
        found = measure.in_child(
            score, folder=place, figure=arguments.output, longest=arguments.longest
        )
    print(
        f"{arguments.corpus}: {found['files']:,} files, {found['known']:,} tokens; held out "
        f"{found['held']:,} files, {found['scored']:,} tokens: {found['predicted']:.1%} predicted"
    )
    print("length   tokens  predicted")
    for row in found["agreement"]:
        if row["suffix_length"] <= arguments.longest:
            print(f"{row['suffix_length']:6} {row['symbols']:8,} {row['predicted']:10.1%}")
    beyond = [row for row in found["agreement"] if row["suffix_length"] > arguments.longest]
    if symbols := sum(row["symbols"] for row in beyond):
        share = sum(row["symbols"] * row["predicted"] for row in beyond) / symbols
        print(f"longer {symbols:8,} {share:10.1%}")


if __name__ == "__main__":
    main()
