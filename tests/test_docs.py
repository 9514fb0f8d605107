"""The examples of the README and the manual run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLES = {
    page.relative_to(ROOT).as_posix(): re.findall(
        r"^```python\n(.*?)^```", page.read_text(), re.M | re.S
    )
    for page in PAGES
}


@pytest.mark.parametrize("page", [page for page, examples in EXAMPLES.items() if examples])
def test_the_examples_of_a_page_run(page: str) -> None:
    names: dict[str, object] = {}
    for number, example in enumerate(EXAMPLES[page]):
        exec(compile(example, f"{page}, example {number + 1}", "exec"), names)


def test_what_the_readme_says_its_lines_give() -> None:
    names: dict[str, object] = {}
    lines = "".join(EXAMPLES["README.md"]).splitlines()
    told = 0
    for line in lines:
        code, _, comment = line.partition("#")
        if answer := re.search(r"(\d+|\[.*\]|'.*')$", comment.strip()):
            got = eval(code, names)
            got = got.to_pylist() if hasattr(got, "to_pylist") else got
            assert got == eval(answer[1]), line
            told += 1
        else:
            exec(code, names)
    assert told >= 3


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target
