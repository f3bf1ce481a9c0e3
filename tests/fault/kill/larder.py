"""A running `larder serve`, and what its clients keep of what they were told."""

import dataclasses
import pathlib
import random
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.request

CACHE = """
[caches.{source}_{table}]
key      = "{source}:{table}:{{id:int}}"
source   = "{source}"
read     = "SELECT id, seq, note FROM {table} WHERE id = :id"
strategy = "write-behind"
coalesce = {coalesce}
write    = '''INSERT INTO {table} (id, seq, note) VALUES (:id, :seq, :note)
              ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, note = excluded.note'''
delete   = "DELETE FROM {table} WHERE id = :id"
"""


class Larder:
    def __init__(self, program: str, folder: pathlib.Path, databases):
        self.program = program
        self.config = folder / "larder.toml"
        self.log = folder / "larder.log"
        self.socket = str(folder / "larder.sock")
        text = f'[server]\nlisten = ""\nunix_socket = "{self.socket}"\nadmin = "127.0.0.1:0"\n[journal]\npath = "journal"\n'
        for database in databases:
            text += f'[sources.{database.name}]\nurl = "{database.url}"\n'
            text += CACHE.format(source=database.name, table="latest", coalesce="true")
            text += CACHE.format(source=database.name, table="steps", coalesce="false")
        self.config.write_text(text)
        self.process: subprocess.Popen | None = None
        self.admin = ""

    def start(self) -> None:
        with self.log.open("ab") as log:
            begin = log.tell()
            self.process = subprocess.Popen([self.program, "serve", "--config", self.config], stderr=log, stdout=log)
        while True:
            said = self.log.read_bytes()[begin:].decode(errors="replace")
            if " serves " in said and said.endswith("\n"):
                break
            if self.process.poll() is not None:
                raise RuntimeError(f"larder did not start: {said}")
            time.sleep(0.01)
        self.admin = re.search(r"http://127\.0\.0\.1:\d+", said)[0]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        if self.process.wait() != -signal.SIGKILL:
            raise RuntimeError(f"larder ended by itself: {self.log.read_text()[-2000:]}")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait()

    def metric(self, name: str) -> float:
        with urllib.request.urlopen(f"{self.admin}/metrics", timeout=30) as page:
            lines = page.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if re.match(rf"{name}[{{ ]", line))

    def wait_until_flushed(self, patience: float = 900) -> None:
        deadline = time.monotonic() + patience
        while self.metric("larder_write_behind_backlog") > 0:
            if time.monotonic() > deadline:
                raise RuntimeError(f"not flushed in {patience} s: {self.log.read_text()[-2000:]}")
            time.sleep(0.02)

    def connect(self) -> "Connection":
        return Connection(self.socket)


class Connection:
    def __init__(self, path: str):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(900)
        self.socket.connect(path)
        self.replies = self.socket.makefile("rb")

    def send(self, commands: list[list[str]]) -> None:
        text = "".join(f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
                       for words in commands)
        self.socket.sendall(text.encode())

    def reply(self) -> str | None:
        line = self.replies.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError
        if not line.startswith(b"$"):
            return line[:-2].decode()
        size = int(line[1:])
        return None if size < 0 else self.replies.read(size + 2)[:-2].decode()

    def close(self) -> None:
        self.replies.close()
        self.socket.close()


@dataclasses.dataclass
class Item:
    """A key, which one writer writes, and what became of each of its writes."""

    source: str
    table: str
    id: int
    seq: int = 0
    # What the row may be, given what was acknowledged: a number, or None where it is removed.
    # The first is what was acknowledged last; those after it were sent, and never answered.
    states: list[int | None] = dataclasses.field(default_factory=lambda: [None])
    acknowledged: list[int] = dataclasses.field(default_factory=list)  # numbers, in this round

    @property
    def key(self) -> str:
        return f"{self.source}:{self.table}:{self.id}"

    def note(self, seq: int) -> str:
        return f"{self.id}-{seq}-" + "x" * (seq * 37 % 200)


class Acknowledgements:
    """How many there were; one thread waits for so many."""

    def __init__(self):
        self.count = 0
        self.changed = threading.Condition()

    def add(self, count: int) -> None:
        with self.changed:
            self.count += count
            self.changed.notify()

    def wait_for(self, count: int, patience: float = 900) -> None:
        with self.changed:
            if not self.changed.wait_for(lambda: self.count >= count, patience):
                raise RuntimeError(f"{self.count} of {count} acknowledgements in {patience} s")


class Writer(threading.Thread):
    """Writes its items as fast as it can, until the connection breaks or it is told to stop."""

    def __init__(self, larder: Larder, items: list[Item], seed: int, counter: Acknowledgements):
        super().__init__(daemon=True)
        self.connection = larder.connect()
        self.items = items
        self.random = random.Random(seed)
        self.counter = counter
        self.halt = threading.Event()
        self.errors: list[str] = []

    def run(self) -> None:
        try:
            while not self.halt.is_set():
                self._write(self.random.choice((1, 4, 16, 64)))
        except OSError:
            pass  # it was killed
        finally:
            self.connection.close()

    def _write(self, count: int) -> None:
        sent: list[tuple[Item, int | None]] = []
        commands = []
        for _ in range(count):
            item = self.random.choice(self.items)
            if self.random.random() < 0.05:
                commands.append(["DEL", item.key])
                state = None
            else:
                item.seq += 1
                state = item.seq
                commands.append(["SET", item.key, f'{{"seq":{state},"note":"{item.note(state)}"}}'])
            item.states.append(state)
            sent.append((item, state))
        self.connection.send(commands)
        for item, state in sent:
            reply = self.connection.reply()
            if reply not in ("+OK", ":1"):
                self.errors.append(f"{item.key}: {reply}")
                raise ConnectionError
            del item.states[: item.states.index(state, 1)]
            if state is not None:
                item.acknowledged.append(state)
            self.counter.add(1)
