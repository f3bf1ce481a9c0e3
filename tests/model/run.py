#!/usr/bin/env python3
"""Searches lease.pml and pool.pml with spin: all that may happen, and that each mistake shows.

    tests/model/run.py [--full] [--list] [--of lease|pool] [CASE…]

Without a name, runs every case but the large ones, which --full adds (3 GB of
memory, some minutes); with --of, those of one model. A case that must hold has no error in any order of steps; a
case named after a mistake builds that mistake into the protocol, and must fail by
the property it names. Prints the steps that lead to an unexpected error. Ends with
77 (skipped) where there is no spin.
"""

import argparse
import dataclasses
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

MODELS = ("lease", "pool")
SKIPPED = 77
NEWEST = "key.version==source"
LATER_INVALIDATION = "untold&me"
ACKNOWLEDGED = "key.version>=acknowledged"
ONE_LEASE = "assertionviolated0"
NOT_UNDONE = "item.version>=since"
TAKEN_OVER = "overtaken&me"
NOT_OLDER = "item.version>=least"
KEPT_IS_NEWEST = "item.version==source"


@dataclasses.dataclass(frozen=True)
class Case:
    """A size of the model, its faults, and what spin must find."""

    name: str
    defines: tuple[str, ...]
    violates: str = ""  # a part of the assertion that must fail; "": none may
    large: bool = False
    model: str = "lease"


def mistake(name: str, violates: str, *defines: str, large: bool = False, model: str = "lease") -> Case:
    define = "LARDER_BROKEN_" + name.removeprefix(model + "-").replace("-", "_").upper()
    return Case(name, (define, *defines), violates, large, model)


def pool(name: str, *defines: str, large: bool = False) -> Case:
    return Case("pool-" + name, defines, large=large, model="pool")


def pool_mistake(name: str, violates: str, *defines: str, large: bool = False) -> Case:
    return mistake("pool-" + name, violates, *defines, large=large, model="pool")


# Two readers and an invalidation unless a case says otherwise; two writers, in a pool one.
CASES = (
    Case("calm-one-load-for-all", ("CALM", "READERS=3", "WRITERS=0", "INVALIDATIONS=0")),
    Case("readers-writers-invalidation", ()),
    Case("readers-come-again", ("ROUNDS=2", "WRITERS=1", "INVALIDATIONS=0")),
    Case("failed-loads", ("FAILURES", "WRITERS=1")),
    Case("crash", ("CRASHES=1", "WRITERS=1")),
    Case("two-crashes", ("CRASHES=2", "WRITERS=1", "INVALIDATIONS=0")),
    Case("crash-of-one-of-two-writers", ("CRASHES=1", "READERS=1")),
    Case("marks-end-one-by-one", ("MARKS_END_ALONE", "CRASHES=1", "READERS=1")),
    Case("eviction", ("EVICTIONS=1", "WRITERS=1")),
    Case("restart-with-older-copies", ("RESTARTS=1", "WRITERS=1")),
    Case("restart-under-two-writers", ("RESTARTS=1", "READERS=1")),
    Case("crash-and-restart", ("RESTARTS=1", "CRASHES=1", "READERS=1", "WRITERS=1")),
    Case("all-with-a-crash", ("CRASHES=1",), large=True),
    Case("eviction-under-two-writers", ("EVICTIONS=1",), large=True),
    Case("all-with-a-restart", ("RESTARTS=1",), large=True),
    mistake("version-after-load", NEWEST),
    mistake("delete-before-commit", NEWEST),
    mistake("invalidation-deletes-marker", NEWEST, "CRASHES=1", "WRITERS=1"),
    mistake("fill-unchecked", LATER_INVALIDATION),
    mistake("acquire-overwrites", ONE_LEASE),
    mistake("last-writer-fills", NEWEST),
    mistake("marker-expires-early", NEWEST),
    mistake("run-unchecked", LATER_INVALIDATION, "RESTARTS=1", "WRITERS=1"),
    mistake("writer-run-unchecked", ACKNOWLEDGED, "RESTARTS=1", "READERS=1"),
    pool("calm-one-load-for-all", "CALM", "READERS=3", "WRITERS=0", "INVALIDATIONS=0"),
    pool("readers-writer-invalidation"),
    pool("refreshes", "REFRESHES", "FAILURES", "CLEARS", "WRITERS=0"),
    pool("crash", "CRASHES=1", "READERS=1"),
    pool("two-writers-and-a-crash", "CRASHES=1", "READERS=1", "WRITERS=2", "INVALIDATIONS=0"),
    pool("eviction", "EVICTIONS=1", "READERS=1"),
    pool("refusal", "REFUSALS=1", "READERS=1"),
    pool("refusal-after-an-eviction", "REFUSALS=1", "EVICTIONS=1", "READERS=1", "INVALIDATIONS=0"),
    pool("unknown-outcome", "UNKNOWNS=1", "READERS=1"),
    pool("full", "FULL=2", "READERS=1"),
    pool("full-beside-refreshes", "FULL=1", "REFRESHES", "WRITERS=0"),
    pool("full-after-an-unknown-outcome", "FULL=2", "UNKNOWNS=1", "INVALIDATIONS=0"),
    pool("cut", "CUTS=1", "READERS=1"),
    pool("cut-beside-a-clear", "CUTS=1", "REFRESHES", "CLEARS", "WRITERS=0"),
    pool("server-goes-and-comes-back", "STOPS=1", "READERS=1"),
    pool("server-goes-beside-two-readers", "STOPS=1", "REFRESHES", "WRITERS=0"),
    pool("clear-beside-a-write", "CLEARS", large=True),
    pool("two-writers-and-an-invalidation", "WRITERS=2", "READERS=1", large=True),
    pool("server-goes-beside-a-write", "STOPS=1", "REFRESHES", "INVALIDATIONS=0", large=True),
    pool_mistake("trust-not-asked-again", NOT_OLDER, "REFUSALS=1", "WRITERS=0"),
    pool_mistake("trusted-before-told", NOT_OLDER, "STOPS=1", "WRITERS=0"),
    pool_mistake("end-unseen", NOT_OLDER, "EVICTIONS=1", "INVALIDATIONS=0"),
    pool_mistake("generation-comes-again", NOT_OLDER, "CLEARS", "WRITERS=0"),
    pool_mistake("generation-after-load", KEPT_IS_NEWEST, "CLEARS", "WRITERS=0"),
    pool_mistake("invalidation-deletes", KEPT_IS_NEWEST, "CRASHES=1", "READERS=1"),
    pool_mistake("stale-mark-fills", KEPT_IS_NEWEST, "READERS=1"),
    pool_mistake("fill-uncompared", LATER_INVALIDATION, "WRITERS=0"),
    pool_mistake("refused-mark-is-one", NOT_UNDONE, "FULL=2", "UNKNOWNS=1", "INVALIDATIONS=0"),
    pool_mistake("fill-of-anothers-lease", TAKEN_OVER, "REFRESHES", "WRITERS=0"),
    pool_mistake("cas-of-another-run", KEPT_IS_NEWEST, "REFRESHES", "STOPS=1", "READERS=3", "WRITERS=0", large=True),
)


def run(command: list[str], directory: pathlib.Path) -> str:
    done = subprocess.run(command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {done.stdout}")
    return done.stdout


def steps_of(defines: list[str], model: pathlib.Path, directory: pathlib.Path) -> str:
    """The trail that the search left, one step a line."""
    told = run(["spin", "-t", "-p", *defines, model.name], directory)
    return "\n".join(line for line in told.splitlines() if "proc" in line)


def check(case: Case, directory: pathlib.Path) -> str:
    """What is wrong with the case, or nothing."""
    defines = ["-D" + define for define in case.defines]
    model = pathlib.Path(__file__).with_name(case.model + ".pml")
    shutil.copy(model, directory)
    run(["spin", "-a", *defines, model.name], directory)
    # COLLAPSE: the states fit into memory. SAFETY: assertions and ends, no cycles.
    compiler = shutil.which("cc") or shutil.which("clang-19") or "gcc"
    run([compiler, "-O2", "-w", "-DSAFETY", "-DCOLLAPSE", "-DMEMLIM=8000", "-o", "pan", "pan.c"], directory)
    began = time.monotonic()
    said = run(["./pan", "-n", "-m2000000"], directory)
    errors = int(re.search(r"errors: (\d+)", said)[1])
    states = int(re.search(r"(\d+) states, stored", said)[1])
    violated = re.search(r"^pan:\d+: (.*)", said, re.MULTILINE)
    violated = violated[1] if violated else ""
    print(f"{case.name:32} {states:>11,} states {time.monotonic() - began:6.1f} s  {violated[:90] or 'holds'}", flush=True)
    if "Search not completed" in said and errors == 0 or "max search depth too small" in said:
        return "the search was not complete"
    if case.violates:
        return "" if case.violates in violated.replace(" ", "") else (
            f"spin had to find that {case.violates!r} is violated, but found: {violated or 'nothing'}")
    return "" if errors == 0 else f"{violated}, after these steps:\n{steps_of(defines, model, directory)}"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--full", action="store_true", help="the large cases too")
    arguments.add_argument("--list", action="store_true", help="name the cases and end")
    arguments.add_argument("--of", choices=MODELS, help="the cases of one model")
    arguments.add_argument("case", nargs="*")
    asked = arguments.parse_args()
    cases = [case for case in CASES if asked.of in (None, case.model)]
    if asked.list:
        print("\n".join(case.name for case in cases))
        return 0
    unknown = set(asked.case) - {case.name for case in cases}
    if unknown:
        raise SystemExit(f"there is no case {', '.join(sorted(unknown))}: see --list")
    if not shutil.which("spin"):
        print("skipped: spin is not installed (Debian package spin)")
        return SKIPPED
    wrong = 0
    for case in cases:
        if case.name in asked.case if asked.case else asked.full or not case.large:
            with tempfile.TemporaryDirectory(prefix="larder-model-") as directory:
                complaint = check(case, pathlib.Path(directory))
            if complaint:
                wrong += 1
                print(f"WRONG: {case.name}: {complaint}", flush=True)
    print("every case is as it must be" if wrong == 0 else f"{wrong} cases are not as they must be")
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
