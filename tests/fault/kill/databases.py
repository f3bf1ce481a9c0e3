"""The two databases that are written to: a SQLite file, and a PostgreSQL of the test's own.

Each has the tables `latest` and `steps`, and for each a table of all that was done to it,
in its order, which triggers fill: (id, seq) of a row that was written, (id, -seq) of one that
was removed.
"""

import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

TABLES = ("latest", "steps")
MARKS = "CREATE TABLE larder_applied (journal TEXT, position BIGINT, PRIMARY KEY (journal, position))"

Rows = dict[str, dict[int, tuple[int, str]]]  # by table and id: seq and note
Done = dict[str, list[tuple[int, int]]]  # by table: id and seq, in order


class Sqlite:
    name = "sqlite"

    def __init__(self, folder: pathlib.Path, marks: bool):
        self.file = folder / "items.db"
        self.url = f"sqlite:{self.file}"
        with self._session() as session:
            session.execute("PRAGMA journal_mode = WAL")
            if marks:
                session.execute(MARKS)
            for table in TABLES:
                session.executescript(f"""
                    CREATE TABLE {table} (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, note TEXT NOT NULL);
                    CREATE TABLE {table}_done (place INTEGER PRIMARY KEY, id INTEGER, seq INTEGER);
                    CREATE TRIGGER {table}_i AFTER INSERT ON {table} BEGIN
                      INSERT INTO {table}_done (id, seq) VALUES (new.id, new.seq); END;
                    CREATE TRIGGER {table}_u AFTER UPDATE ON {table} BEGIN
                      INSERT INTO {table}_done (id, seq) VALUES (new.id, new.seq); END;
                    CREATE TRIGGER {table}_d AFTER DELETE ON {table} BEGIN
                      INSERT INTO {table}_done (id, seq) VALUES (old.id, -old.seq); END;""")

    @contextlib.contextmanager
    def _session(self):
        session = sqlite3.connect(self.file, timeout=60, isolation_level=None)
        try:
            yield session
        finally:
            session.close()

    def take(self) -> tuple[Rows, Done]:
        """What each table holds, and what was done to it since the last time."""
        rows: Rows = {}
        done: Done = {}
        with self._session() as session:
            for table in TABLES:
                rows[table] = {row[0]: (row[1], row[2]) for row in session.execute(f"SELECT id, seq, note FROM {table}")}
                done[table] = session.execute(f"SELECT id, seq FROM {table}_done ORDER BY place").fetchall()
                session.execute(f"DELETE FROM {table}_done")
        return rows, done

    def kill(self) -> None:
        """It has no process of its own."""

    def stop(self) -> None:
        """As above."""


def find_programs() -> pathlib.Path | None:
    """The newest PostgreSQL's."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return found[-1].parent if found else None


class Postgres:
    name = "postgres"

    def __init__(self, programs: pathlib.Path, marks: bool):
        self.programs = programs
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="larder-kill-"))
        self.user = {}
        if os.geteuid() == 0:  # which PostgreSQL refuses to be
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self.url = f"postgresql:///postgres?host={self.folder}&user=larder"
        self.process: subprocess.Popen | None = None
        self.log = (self.folder / "log").open("wb")
        self._run("initdb", "-D", str(self.folder / "data"), "-U", "larder", "-A", "trust", "--no-sync", "-E", "UTF8",
                  "--locale=C.UTF-8")
        self.start()
        if marks:
            self.ask(MARKS)
        for table in TABLES:
            self.ask(f"""
                CREATE TABLE {table} (id bigint PRIMARY KEY, seq bigint NOT NULL, note text NOT NULL);
                CREATE TABLE {table}_done (place bigserial PRIMARY KEY, id bigint, seq bigint);
                CREATE FUNCTION {table}_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                  IF TG_OP = 'DELETE' THEN INSERT INTO {table}_done (id, seq) VALUES (old.id, -old.seq); RETURN old; END IF;
                  INSERT INTO {table}_done (id, seq) VALUES (new.id, new.seq); RETURN new; END $$;
                CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON {table}
                  FOR EACH ROW EXECUTE FUNCTION {table}_note();""")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run([self.programs / program, *arguments], check=True, stdout=self.log, stderr=self.log,
                       cwd=self.folder, **self.user)

    def start(self) -> None:
        # No sync of its own: a kill takes nothing that the system has.
        self.process = subprocess.Popen(
            [self.programs / "postgres", "-D", self.folder / "data", "-k", self.folder, "-c", "listen_addresses=",
             "-c", "fsync=off", "-c", "shared_buffers=16MB"],
            stdout=self.log, stderr=self.log, cwd=self.folder, **self.user)
        while self._try("SELECT 1") is None:
            if self.process.poll() is not None:
                raise RuntimeError(f"PostgreSQL ended: {(self.folder / 'log').read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)

    def _try(self, sql: str) -> str | None:
        asked = subprocess.run(["psql", "-XAtq", "-F", " ", "-v", "ON_ERROR_STOP=1", "-d", self.url],
                               input=sql, capture_output=True, text=True, check=False)
        return asked.stdout if asked.returncode == 0 else None

    def ask(self, sql: str) -> list[str]:
        answer = self._try(sql)
        if answer is None:
            raise RuntimeError(f"PostgreSQL refuses: {sql}")
        return answer.splitlines()

    def take(self) -> tuple[Rows, Done]:
        rows: Rows = {table: {} for table in TABLES}
        done: Done = {table: [] for table in TABLES}
        sql = "".join(f"SELECT 'row', '{table}', id, seq, note FROM {table};"
                      f"SELECT 'done', '{table}', id, seq FROM {table}_done ORDER BY place;"
                      f"TRUNCATE {table}_done;" for table in TABLES)
        for line in self.ask(sql):
            what, table, key, seq, *note = line.split(" ", 4)
            if what == "row":
                rows[table][int(key)] = (int(seq), note[0])
            else:
                done[table].append((int(key), int(seq)))
        return rows, done

    def kill(self) -> None:
        """All of its processes at once, and waits for their end."""
        children = _children(self.process.pid)
        os.kill(self.process.pid, signal.SIGKILL)
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self.process.wait()
        while any(pathlib.Path(f"/proc/{child}").exists() for child in children):
            time.sleep(0.005)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _children(process: int) -> list[int]:
    with contextlib.suppress(FileNotFoundError):
        return [int(child) for child in pathlib.Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    return []
