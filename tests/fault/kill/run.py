#!/usr/bin/env python3
"""Kills larder, PostgreSQL or both while clients write behind, and looks for what was lost.

    tests/fault/kill/run.py [--larder PROGRAM] [--rounds N] [--seed N] [--once]

In each round eight connections write as fast as they can, to a SQLite file and a
PostgreSQL through one larder. After some random number of acknowledgements something is
killed, and started again. When all is flushed, every key's row is what was acknowledged
last (or sent later, and never answered), all that was done to it was done in its order,
going back at most once a kill, and where no write may go for another, every one that was
acknowledged was done. With --once the databases keep the marks of writes, and nothing
goes back: each is done once. Ends with 1 where that is not so, with 77 (skipped) without PostgreSQL.
"""

import argparse
import collections
import json
import pathlib
import random
import sys
import tempfile
import time

from databases import TABLES, Postgres, Sqlite, find_programs
from larder import Acknowledgements, Item, Larder, Writer

SKIPPED = 77
WRITERS = 8
KEYS = 4  # of each writer, in each table
KINDS = {"larder": ("larder",), "postgres": ("postgres",), "both": ("larder", "postgres")}


class Torture:
    def __init__(self, program: str, folder: pathlib.Path, postgres: Postgres, seed: int, once: bool):
        self.random = random.Random(seed)
        self.once = once
        self.postgres = postgres
        self.databases = (Sqlite(folder, once), postgres)
        self.larder = Larder(program, folder, self.databases)
        self.items = [
            [Item(database.name, table, writer * KEYS + key)
             for database in self.databases for table in TABLES for key in range(KEYS)]
            for writer in range(WRITERS)
        ]
        self.written = 0
        self.kills = collections.Counter()
        self.lost: list[str] = []

    def run(self, rounds: int) -> None:
        self.larder.start()
        kinds: list[str] = []
        for number in range(1, rounds + 1):
            if not kinds:
                kinds = self.random.sample(list(KINDS), len(KINDS))
            kind = kinds.pop()
            self.kills[kind] += 1
            try:
                self.round(KINDS[kind])
            except RuntimeError as error:
                self.lost.append(f"round {number} ({kind}): {error}")
            if self.lost:
                return
            if number % 20 == 0:
                print(f"  {number} rounds, {self.written} writes acknowledged, lost: 0", flush=True)
        if (code := self.larder.stop()) != 0:
            self.lost.append(f"larder ended with {code} when it was told to stop")

    def round(self, victims: tuple[str, ...]) -> None:
        counter = Acknowledgements()
        writers = [Writer(self.larder, items, self.random.getrandbits(64), counter) for items in self.items]
        for writer in writers:
            writer.start()
        counter.wait_for(self.random.randint(1, 1500))
        if "larder" in victims:
            self.larder.kill()
        if "postgres" in victims:
            self.postgres.kill()
        if "larder" not in victims:  # which goes on meanwhile
            counter.wait_for(counter.count + self.random.randint(1, 500))
        if "postgres" in victims:  # before larder, which does not start without it
            self.postgres.start()
        if "larder" in victims:
            for writer in writers:
                writer.join()
            self.larder.start()
        for writer in writers:
            writer.halt.set()
        for writer in writers:
            writer.join()
            self.lost += writer.errors
        self.written += counter.count
        self.larder.wait_until_flushed()
        self.check(0 if self.once else len(victims))

    def check(self, most_back: int) -> None:
        for name in ("larder_journal_dead_letters", "larder_journal_damaged", "larder_journal_broken"):
            if self.larder.metric(name) != 0:
                self.lost.append(f"{name} is not 0: {self.larder.log.read_text()[-2000:]}")
        for database in self.databases:
            rows, done = database.take()
            places = collections.defaultdict(list)
            for table in TABLES:
                for key, seq in done[table]:
                    # A removal stands after the row that it removed.
                    places[table, key].append(2 * seq if seq > 0 else -2 * seq + 1)
            for item in (item for items in self.items for item in items):
                if item.source == database.name:
                    self.check_item(item, rows[item.table].get(item.id), places[item.table, item.id], most_back)
        self.check_reads()

    def check_item(self, item: Item, row: tuple[int, str] | None, done: list[int], most_back: int) -> None:
        seq = row[0] if row else None
        if seq not in item.states:
            self.lost.append(f"{item.key}: is {seq}, and may be {item.states}")
        if row and row[1] != item.note(seq):
            self.lost.append(f"{item.key}: {seq} has the note of another")
        back = sum(1 for before, after in zip(done, done[1:]) if after <= before)
        if back > most_back:
            self.lost.append(f"{item.key}: went back {back} times, and may {most_back}: {done}")
        if item.table == "steps" and (missing := set(item.acknowledged) - {place // 2 for place in done}):
            self.lost.append(f"{item.key}: {sorted(missing)} were never done")
        item.states = [seq]
        item.acknowledged = []

    def check_reads(self) -> None:
        """Through larder all is as in the databases."""
        connection = self.larder.connect()
        all_items = [item for items in self.items for item in items]
        connection.send([["GET", item.key] for item in all_items])
        for item in all_items:
            value = connection.reply()
            seq = json.loads(value)["seq"] if value else None
            if seq != item.states[0]:
                self.lost.append(f"{item.key}: is read as {seq}, and is {item.states[0]}")
        connection.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--larder", default="build/release/larder")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=None, help="of the choices; the kernel makes its own")
    parser.add_argument("--once", action="store_true", help="with the table larder_applied in the databases")
    options = parser.parse_args()
    programs = find_programs()
    if programs is None:
        print("PostgreSQL is not installed: `./dev setup` does it")
        return SKIPPED
    seed = random.getrandbits(32) if options.seed is None else options.seed
    print(f"seed {seed}, {options.rounds} rounds", flush=True)
    begin = time.monotonic()
    postgres = Postgres(programs, options.once)
    try:
        with tempfile.TemporaryDirectory(prefix="larder-kill-") as folder:
            torture = Torture(options.larder, pathlib.Path(folder), postgres, seed, options.once)
            try:
                torture.run(options.rounds)
            finally:
                if torture.larder.process is not None and torture.larder.process.poll() is None:
                    torture.larder.process.kill()
                    torture.larder.process.wait()
    finally:
        postgres.stop()
    kills = ", ".join(f"{kind} {count}" for kind, count in sorted(torture.kills.items()))
    print(f"seed {seed}: {sum(torture.kills.values())} rounds in {time.monotonic() - begin:.0f} s, "
          f"{torture.written} writes acknowledged, killed: {kills}; lost: {len(torture.lost)}")
    for each in torture.lost[:20]:
        print(f"  {each}")
    return 1 if torture.lost else 0


if __name__ == "__main__":
    sys.exit(main())
