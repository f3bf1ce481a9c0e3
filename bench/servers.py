"""The servers that the scripts here measure, each a process on a port of its own."""

import glob
import os
import shutil
import socket
import subprocess
import sys
import time

MAX_CLIENTS = 11_000  # of each server: bench/connections opens 10,000

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DEFAULT_LARDER = os.path.join(ROOT, "build", "release", "larder")

START_SECONDS = 20  # to begin listening

LARDER_CONFIG = """\
[server]
listen = "127.0.0.1:{port}"
admin = ""
threads = 1
max_clients = {clients}

[memory]
capacity = "256MiB"

[caches.bench]
key = "key:{{id}}"
ttl = "1h"
"""


class Failed(Exception):
    """Something that leaves no figures to print."""


class Server:
    """One server process, pinned to one core, on a port of its own."""

    def __init__(self, name, command, port, core, folder):
        self.name = name
        self.port = port
        self.log_path = os.path.join(folder, name + ".log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=lambda: os.sched_setaffinity(0, {core}))

    def wait_until_listening(self):
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self.process.poll() is not None:
                raise Failed(f"{self.name} ended at start:\n{self.log()}")
            try:
                return socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError as error:
                if time.monotonic() > deadline:
                    raise Failed(f"{self.name} does not listen: {error}\n{self.log()}") from None
                time.sleep(0.02)

    def cpu_seconds(self):
        """As the scheduler counts it, to the nanosecond; ticks are too coarse for short runs."""
        spent = 0
        for file in glob.glob(f"/proc/{self.process.pid}/task/*/schedstat"):
            with open(file, encoding="ascii") as schedstat:
                spent += int(schedstat.read().split()[0])
        return spent / 1e9

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) << 10

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_redis(core, folder):
    port = free_port()
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "",
               "--appendonly", "no", "--maxclients", str(MAX_CLIENTS), "--dir", folder]
    return Server("redis-server", command, port, core, folder)


def start_memcached(core, folder):
    port = free_port()
    command = ["memcached", "-l", "127.0.0.1", "-p", str(port), "-U", "0", "-t", "1", "-m", "256",
               "-c", str(MAX_CLIENTS)] + (["-u", "root"] if os.geteuid() == 0 else [])
    return Server("memcached", command, port, core, folder)


def start_larder(binary, core, folder):
    port = free_port()
    config = os.path.join(folder, "bench.toml")
    with open(config, "w", encoding="utf-8") as file:
        file.write(LARDER_CONFIG.format(port=port, clients=MAX_CLIENTS))
    return Server("larder", [binary, "serve", "--config", config], port, core, folder)


def key(number):
    return b"key:%012d" % number  # as redis-benchmark writes it


def request(*arguments):
    return b"*%d\r\n" % len(arguments) + b"".join(
        b"$%d\r\n%s\r\n" % (len(argument), argument) for argument in arguments)


def exchange(server, requests, replies_size):
    """Sends all the requests and returns that many bytes of replies."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"".join(requests))
        received = b""
        while len(received) < replies_size:
            part = connection.recv(1 << 20)
            if not part:
                break
            received += part
        return received




def find_larder(binary):
    binary = binary or DEFAULT_LARDER
    if not os.access(binary, os.X_OK):
        raise Failed(f"there is no larder program at {binary}: build it "
                     "(cmake --build --preset release --target larder) or name it with --larder")
    return binary


def run_script(name, run, options):
    """Calls run(options); what the script `name` exits with. 77: skipped."""
    for program in ("redis-server", "redis-benchmark"):
        if shutil.which(program) is None:
            print(f"skipped: {program} is not installed (apt install redis-server redis-tools)",
                  file=sys.stderr)
            return 77
    try:
        run(options)
    except Failed as failure:
        print(f"{name}: {failure}", file=sys.stderr)
        return 1
    return 0
