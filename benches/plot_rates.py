"""What an FM-index costs and takes, by the rates of its samples.

    python benches/plot_rates.py [CORPUS] [-o FILE]

builds the FM-index of a corpus of `corpora.py` (`linux100m` by default) with the bits of each
profile, and with each rate changed while the other stays that of the profile; asks it, prints the
table and writes the figure (`rates.png` by default; or `.svg` or `.pdf`).
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path
from typing import Any

import corpora

from bowstring import plot

# The rates of each profile: its sample, and its inverse sample.
OWN = {"fast": (32, 96), "compact": (64, 160)}

COLUMNS = ("sample", "inverse", "size", "count_ns_a_symbol", "locate_us", "read_us", "build_s")


def rates(corpus: str) -> list[dict[str, Any]]:
    """Build and ask each of them."""
    root = Path(__file__).resolve().parent.parent
    command = ["cargo", "run", "--release", "--quiet", "--package", "bowstring-benches"]
    command += ["--example", "fm_rates", "--", str(corpora.raw(corpus))]
    done = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def draw(found: list[dict[str, Any]], path: str) -> None:
    """Draw what each rate buys: size against the time of what it is there for."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.2), layout="constrained")
    asked = (("locate_us", "sample", "one place, µs"), ("read_us", "inverse", "1,000 symbols, µs"))
    for axes, (time, rate, label) in zip(figure.subplots(1, 2), asked, strict=True):
        for profile, own in OWN.items():
            other, kept = ("inverse", own[1]) if rate == "sample" else ("sample", own[0])
            line = [one for one in found if one["profile"] == profile and one[other] == kept]
            line.sort(key=lambda one: one[rate])
            sizes, times = [one["size"] for one in line], [one[time] for one in line]
            axes.plot(sizes, times, marker="o", label=profile)
            for one in line:
                mine = one[rate] == own[rate == "inverse"]
                axes.annotate(
                    f"{one[rate]}",
                    (one["size"], one[time]),
                    textcoords="offset points",
                    xytext=(5, 5),
                    weight="bold" if mine else "normal",
                )
        axes.set_xlabel("size of the index, of the text's")
        axes.set_ylabel(label)
        axes.set_ylim(bottom=0)
        axes.set_title(f"every n-th {'suffix' if rate == 'sample' else 'rank'} kept", loc="left")
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("corpus", nargs="?", default="linux100m", metavar="CORPUS")
    parser.add_argument("-o", "--output", default="rates.png", metavar="FILE")
    arguments = parser.parse_args()
    plot.check_path(arguments.output, "--output", plot.PICTURES)
    found = rates(arguments.corpus)
    draw(found, arguments.output)
    print(f"{'profile':8}", *(f"{name:>18}" for name in COLUMNS))
    for one in found:
        mine = "  <- its own" if (one["sample"], one["inverse"]) == OWN[one["profile"]] else ""
        print(f"{one['profile']:8}", *(f"{one[name]:18}" for name in COLUMNS), mine)


if __name__ == "__main__":
    main()
