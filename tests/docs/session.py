"""Types a page's console blocks, in a directory of its own, with `larder` on the PATH.

`larder serve … &` starts the server and waits until it says where it listens.
The ports of the page (6380 and 9380) are free ports here.
"""

import os
import pty
import re
import signal
import subprocess
import tempfile
import threading
from pathlib import Path

SECONDS = 60  # for one command, or for the server to come up
SERVES = re.compile(r"larder \S+ serves .* on \S+:(\d+)")
ADMIN = re.compile(r"metrics and health on http://\S+:(\d+)")


class Session:
    def __init__(self, larder: Path):
        self._larder = larder
        self._directory = tempfile.TemporaryDirectory(prefix="larder-docs-")
        self._ports: dict[str, str] = {}
        self._server: subprocess.Popen | None = None
        self._log = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._server is not None and self._server.poll() is None:
            self._server.kill()
            self._server.wait()
        self._directory.cleanup()

    def write(self, name: str, text: str) -> Path:
        path = Path(self._directory.name) / name
        path.write_text(text)
        return path

    def type(self, command: str) -> str:
        """Runs one command; what it prints on both streams."""
        if re.search(r"\blarder serve\b.*&$", command):
            self._serve(command.removesuffix("&"))
            return ""
        for shown, real in self._ports.items():
            command = re.sub(rf"\b{shown}\b", real, command)
        printed = self._on_a_terminal(command)
        for shown, real in self._ports.items():
            printed = re.sub(rf"\b{real}\b", shown, printed)
        return printed

    def end(self) -> str:
        """Stops the server as a service manager would; a complaint, or nothing."""
        if self._server is None:
            return ""
        self._server.send_signal(signal.SIGTERM)
        code = self._server.wait(SECONDS)
        return f"`larder serve` ended with {code}:\n{self._log}" if code != 0 else ""

    def _on_a_terminal(self, command: str) -> str:
        """As the reader sees it: redis-cli prints "(integer) 1" to a terminal, and "1" to a pipe."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=self._directory.name,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        too_long = threading.Timer(SECONDS, process.kill)
        too_long.start()
        printed = b""
        try:
            while piece := os.read(ours, 65536):
                printed += piece
        except OSError:
            pass  # how a terminal says that its other end is closed
        finally:
            os.close(ours)
            process.wait()
            too_long.cancel()
        return printed.decode(errors="replace").replace("\r\n", "\n")

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PATH": f"{self._larder.parent}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8", "TERM": "dumb"}

    def _serve(self, command: str):
        # The page's file, but for the ports: larder takes free ones and says which.
        name = re.search(r"--config[ =](\S+)", command)[1]
        shown = Path(self._directory.name) / name
        shown.with_suffix(".free.toml").write_text(re.sub(r":(6380|9380)\b", ":0", shown.read_text()))
        command = command.replace(name, shown.with_suffix(".free.toml").name)
        self._server = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=self._directory.name,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        ready = threading.Event()
        threading.Thread(target=self._follow, args=(ready,), daemon=True).start()
        if not ready.wait(SECONDS) or "6380" not in self._ports:
            raise RuntimeError(f"`{command}` did not come up:\n{self._log}")

    def _follow(self, ready: threading.Event):
        for line in self._server.stderr:
            self._log += line
            if found := ADMIN.search(line):
                self._ports["9380"] = found[1]
            if found := SERVES.search(line):
                self._ports["6380"] = found[1]
                ready.set()
        ready.set()  # it has ended
