"""A writer that dies, or whose disk fails, leaves the previous index or none."""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")

RunPython = Callable[..., str]

# Forks a child for each attempt and for each look at what it left: the parent itself never
# calls the library, so that no thread of it is lost in a fork.
_PARENT = """
import ctypes, itertools, json, os, random, shutil, signal, subprocess, sys, time, traceback
import pyarrow as pa
import bowstring as bow

folder, size = sys.argv[1], int(sys.argv[2])
draw = random.Random(1)

def texts(count):
    return ["".join(draw.choices("abcd", k=200)) if draw.random() < 0.9 else None
            for _ in range(count)]

OLD, MORE, NEW = texts(size), texts(size), texts(2 * size)
STATES = {
    "build": [None, NEW],
    "overwrite": [OLD + MORE, NEW],
    "append": [OLD + MORE, OLD + MORE + NEW],
    "compact": [OLD + MORE],
}
base = os.path.join(folder, "base")
path = os.path.join(folder, "index.bow")

def column(rows):
    return pa.array(rows, pa.string())

def described(rows):
    "What rides along: of every row its text, the other way round."
    return pa.table({"back": pa.array([row and row[::-1] for row in rows], pa.string())})

# The first array makes pyarrow import pandas: once here, not in every child.
column(OLD)
KIND = os.environ.get("KIND", "suffix")

def perform(operation, overwrite=False):
    most = 100 * size
    if operation in ("build", "overwrite"):
        bow.index(column(NEW), path=path, segment_symbols=most, kind=KIND, metadata=described(NEW),
                  overwrite=overwrite or operation == "overwrite")
    elif operation == "append":
        bow.open(path).append(column(NEW), metadata=described(NEW))
    else:
        bow.open(path).compact()

def overlapping(rows, query):
    count = 0
    for row in filter(None, rows):
        at = row.find(query)
        while at >= 0:
            count += 1
            at = row.find(query, at + 1)
    return count

def state():
    try:
        index = bow.open(path)
    except FileNotFoundError:
        return None
    index.verify()
    rows = index.text(pa.array(range(len(index)))).to_pylist()
    for query in ("abca", "aa"):
        assert index.count(query) == overlapping(rows, query)
    assert index.metadata(range(len(index))).equals(described(rows))
    return rows

def stray():
    "What lies there and is not named in the manifest."
    if not os.path.isdir(path):
        return []
    files = set(os.listdir(path)) - {"lock"}
    if "manifest.json" in files:
        listed = json.load(open(os.path.join(path, "manifest.json")))["manifest"]
        listed = listed["segments"] + listed["metadata"]
        files -= {"manifest.json"} | {entry["file"] for entry in listed}
    return sorted(files)

def check(operation):
    found = state()
    assert found in STATES[operation], "neither the old index nor the new one"
    kept = found == STATES[operation][0]
    # What is left does not stand in the way of going on.
    perform(operation, overwrite=found is not None)
    index = bow.open(path)
    before = len(index)
    index.append(column(["after"]), metadata=described(["after"]))
    rows = state()
    assert len(rows) == before + 1 and rows[-1] == "after"
    assert not stray(), f"left behind for good: {stray()}"
    os._exit(10 if kept else 11)

def fork(work, *arguments):
    child = os.fork()
    if child == 0:
        try:
            work(*arguments)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return child

def ended(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def make_base():
    bow.index(column(OLD), path=base, segment_symbols=100 * size, kind=KIND,
              metadata=described(OLD))
    bow.open(base).append(column(MORE), metadata=described(MORE))

assert ended(fork(make_base)) == 0

def prepare(operation):
    shutil.rmtree(path, ignore_errors=True)
    if operation != "build":
        shutil.copytree(base, path)

def look(operation, *case):
    code = ended(fork(check, operation))
    if code not in (10, 11):
        print(json.dumps({"failed": [operation, *case], "code": code}), flush=True)
        sys.exit(1)
    return "old" if code == 10 else "new"

def tell(**what):
    print(json.dumps(what), flush=True)
"""

_KILLED = (
    _PARENT
    + """
for operation in STATES:
    took = []
    for _ in range(3):
        prepare(operation)
        begun = time.monotonic()
        assert ended(fork(perform, operation)) == 0
        took.append(time.monotonic() - begun)
        assert look(operation, "unharmed") == ("old" if operation == "compact" else "new")
    for number in range(kills := int(sys.argv[3])):
        prepare(operation)
        child = fork(perform, operation)
        time.sleep(sorted(took)[1] * (number + draw.random()) / kills)
        os.kill(child, signal.SIGKILL)
        code = ended(child)
        assert code in (0, -signal.SIGKILL), code
        tell(operation=operation, killed=code != 0, left=look(operation, number))
"""
)

_TRACED = (
    _PARENT
    + """
def wait_and_perform(operation, reads):
    # Where the kernel lets only ancestors trace: any process may.
    ctypes.CDLL(None).prctl(0x59616D61, ctypes.c_ulong(-1), 0, 0, 0)
    os.read(reads, 1)
    try:
        perform(operation)
    except (OSError, bow.BowstringError) as error:
        assert str(error)
        # Others of its threads may still be writing.
        patience = time.monotonic() + 0.5
        while stray() and time.monotonic() < patience:
            time.sleep(0.01)
        os._exit(3)

def attempt(operation, calls, when, action):
    "Run the operation, and do this to the n-th of these calls in each of its threads."
    prepare(operation)
    reads, writes = os.pipe()
    child = fork(wait_and_perform, operation, reads)
    log = os.path.join(folder, "trace")
    tracer = subprocess.Popen(
        ["strace", "-f", "-qq", "-o", log, "-p", str(child), "-e", "trace=" + calls,
         "-e", f"inject={calls}:{action}:when={when}"],
        stderr=subprocess.PIPE,
    )
    while tracer.poll() is None:
        if "TracerPid:\\t0" not in open(f"/proc/{child}/status").read():
            break
        time.sleep(0.001)
    else:
        os.kill(child, signal.SIGKILL)
        ended(child)
        print(json.dumps({"untraceable": tracer.stderr.read().decode()}))
        sys.exit(0)
    os.write(writes, b"x")
    code = ended(child)
    tracer.wait()
    tracer.stderr.close()
    os.close(reads)
    os.close(writes)
    return code, code == -signal.SIGKILL or "INJECTED" in open(log).read()

most, *operations = sys.argv[3:]
for operation, (calls, action) in itertools.product(operations or STATES, [
    ("?fsync,?fdatasync,?sync_file_range,?msync", "signal=SIGKILL"),
    ("?rename,?renameat,?renameat2,?link,?linkat", "signal=SIGKILL"),
    ("?unlink,?unlinkat,?rmdir,?mkdir,?mkdirat", "signal=SIGKILL"),
    ("?write,?pwrite64,?writev,?pwritev,?ftruncate,?fallocate", "signal=SIGKILL"),
    ("?openat", "signal=SIGKILL"),
    ("?fsync,?fdatasync,?sync_file_range,?msync", "error=EIO"),
    ("?rename,?renameat,?renameat2,?link,?linkat", "error=EIO"),
    ("?mkdir,?mkdirat", "error=EACCES"),
    ("?write,?pwrite64,?writev,?pwritev,?ftruncate,?fallocate", "error=ENOSPC"),
]):
    for when in range(1, 1 + int(most)):
        case = (calls, action, when)
        code, injected = attempt(operation, calls, when, action)
        if not injected:
            assert code == 0, (operation, case, code)
            break
        if "error" in action:
            # A disk that fails is reported, and nothing half done is left.
            left = stray()
            look(operation, *case)
            tell(operation=operation, calls=calls, reported=code == 3, when=when, left=left,
                 code=code, error=True)
        else:
            assert code == -signal.SIGKILL, (operation, case, code)
            tell(operation=operation, calls=calls, when=when, left=look(operation, *case),
                 error=False)
"""
)


def _told(printed: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed.splitlines()]


@pytest.mark.parametrize("kind", ["suffix", "fm"])
def test_killed_at_any_time(
    kind: str,
    run_python: RunPython,
    tmp_path: Path,
    thorough: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KIND", kind)
    kills = 200 if thorough else 10
    told = _told(run_python(_KILLED, tmp_path, 4_000, kills, timeout=600))
    for operation in ("build", "overwrite", "append", "compact"):
        mine = [one for one in told if one["operation"] == operation]
        assert len(mine) == kills
        # Many were killed at work, else this would show nothing.
        assert sum(one["killed"] for one in mine) >= kills / 4, operation
    left = Counter(one["left"] for one in told)
    assert left["old"], left


def test_killed_or_failing_at_each_call(
    run_python: RunPython, tmp_path: Path, thorough: bool
) -> None:
    """Every system call by which a writer changes the disk is the last one, or fails, once."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    told = _told(run_python(_TRACED, tmp_path, 60, 60 if thorough else 14, timeout=900))
    if "untraceable" in told[0]:
        pytest.skip(f"strace cannot trace here: {told[0]['untraceable']}")
    killed = [one for one in told if not one["error"]]
    assert len(killed) > 20
    assert {one["left"] for one in killed if one["operation"] == "append"} == {"old", "new"}
    failed = [one for one in told if one["error"]]
    assert len(failed) > 20
    assert [one for one in failed if not one["reported"]] == []
    assert [one for one in failed if one["left"]] == []
