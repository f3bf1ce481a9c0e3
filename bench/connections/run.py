#!/usr/bin/env python3
"""What do 10,000 idle connections cost, and how are 1,000 busy ones served?

Idle: each connection sets and gets a value and then says nothing. Told per
connection: what the server's resident memory grew by, and what the kernel's
slabs grew by, which hold both ends of each connection and change with whatever
else the machine does.

Busy: redis-benchmark with 1,000 connections that each send a GET or SET and wait
for its reply; throughput, and latency as the clients see it.

redis-server and larder take turns in one run, several rounds; medians are told.

    bench/connections/run.py [--larder BINARY] [--rounds N] [--json FILE] [--quick]

Exits 0, or 77 where redis-server or redis-benchmark is not installed.
"""

import argparse
import json
import os
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from servers import Failed, find_larder, key, request, run_script, start_larder, start_redis

VALUE = b"x" * 100
KEYS = 10_000
WARM = 100  # connections opened before the first measurement
DESCRIPTORS = 100  # of this process, beside the connections


def kernel_bytes():
    with open("/proc/meminfo", encoding="ascii") as meminfo:
        return next(int(line.split()[1]) for line in meminfo if line.startswith("Slab:")) << 10


def ask(connection, words, reply):
    connection.sendall(request(*words))
    received = b""
    while len(received) < len(reply):
        part = connection.recv(65536)
        if not part:
            raise Failed("a connection was closed; are there enough file descriptors?")
        received += part
    if received != reply:
        raise Failed(f"{words[0].decode()} was answered {received[:200]!r}")


def used_connection(server, number):
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    name = key(number % KEYS)
    ask(connection, [b"SET", name, VALUE], b"+OK\r\n")
    ask(connection, [b"GET", name], b"$%d\r\n%s\r\n" % (len(VALUE), VALUE))
    return connection


def measure_idle(server, connections):
    # All keys are there and the server is warm: what grows is the connections'.
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as filler:
        for number in range(KEYS):
            ask(filler, [b"SET", key(number), VALUE], b"+OK\r\n")
    for connection in [used_connection(server, number) for number in range(WARM)]:
        connection.close()
    memory, kernel, opened = server.resident_bytes(), kernel_bytes(), []
    try:
        opened.extend(used_connection(server, number) for number in range(connections))
        for connection in opened[:: max(connections // 100, 1)]:
            ask(connection, [b"PING"], b"+PONG\r\n")  # they are all still there
        return {"server_bytes": (server.resident_bytes() - memory) / connections,
                "kernel_bytes": (kernel_bytes() - kernel) / connections}
    finally:
        for connection in opened:
            connection.close()


def latency_below(text, percent):
    """Milliseconds that at least so many percent of the replies took at most."""
    for share, latency in re.findall(r"([\d.]+)% <= ([\d.]+) milliseconds \(cum", text):
        if float(share) >= percent:
            return float(latency)
    raise Failed("redis-benchmark told no latencies:\n" + text)


def measure_busy(server, operation, options, core):
    before = server.cpu_seconds()
    done = subprocess.run(
        ["redis-benchmark", "-p", str(server.port), "-c", str(options.busy), "-n",
         str(options.requests), "-r", str(KEYS), "-d", str(len(VALUE)), "-t", operation.lower()],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}))
    cpu = server.cpu_seconds() - before
    throughput = re.search(r"throughput summary: ([\d.]+)", done.stdout)
    if done.returncode != 0 or throughput is None:
        raise Failed(f"redis-benchmark failed against {server.name}:\n{done.stdout[-2000:]}")
    return {"per_second": float(throughput[1]),
            "cpu_us": cpu / options.requests * 1e6,
            **{f"p{percent}_ms": latency_below(done.stdout, percent) for percent in (50, 99, 99.9)}}


def run_round(start, options, core):
    with tempfile.TemporaryDirectory(prefix="larder-bench-") as folder:
        server = start(folder)
        try:
            server.wait_until_listening()
            return {"idle": measure_idle(server, options.idle),
                    **{operation: measure_busy(server, operation, options, core)
                       for operation in ("GET", "SET")}}
        finally:
            server.stop()


def medians(samples):
    return {name: statistics.median(sample[name] for sample in samples) for name in samples[0]}


def print_tables(figures, options):
    print(f"{options.idle:,} idle connections{'server':>14}{'kernel, both ends':>20}"
          "   bytes a connection")
    for name, rounds in figures.items():
        idle = medians([each["idle"] for each in rounds])
        print(f"  {name:22}{idle['server_bytes']:>14,.0f}{idle['kernel_bytes']:>20,.0f}")
    print(f"\n{options.busy:,} busy connections{'ops/s':>14}{'CPU µs/op':>12}"
          f"{'p50 ms':>10}{'p99 ms':>10}{'p99.9 ms':>10}")
    for operation in ("GET", "SET"):
        for name, rounds in figures.items():
            busy = medians([each[operation] for each in rounds])
            print(f"  {operation}, {name:17}{busy['per_second']:>14,.0f}{busy['cpu_us']:>12.2f}"
                  f"{busy['p50_ms']:>10.2f}{busy['p99_ms']:>10.2f}{busy['p99.9_ms']:>10.2f}")


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--larder", metavar="BINARY",
                        help="the larder program; default: that of the release build")
    parser.add_argument("--rounds", type=int, default=3, help="medians are taken over these")
    parser.add_argument("--idle", type=int, default=10_000, help="idle connections")
    parser.add_argument("--busy", type=int, default=1_000, help="busy connections")
    parser.add_argument("--requests", type=int, default=300_000, help="of the busy ones, in all")
    parser.add_argument("--json", metavar="FILE", help="also write every sample there")
    parser.add_argument("--quick", action="store_true",
                        help="a run of a second or two, for the tests; its figures mean nothing")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.idle, options.busy, options.requests = 1, 200, 20, 2_000
    return options


def allow_descriptors(wanted):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise Failed(f"{wanted:,} file descriptors are needed and the hard limit is {hard:,}: "
                     "raise it (ulimit -Hn), or ask for fewer with --idle")
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def run(options):
    allow_descriptors(options.idle + DESCRIPTORS)
    cores = sorted(os.sched_getaffinity(0))
    larder = find_larder(options.larder)
    starters = {"redis-server": lambda folder: start_redis(cores[0], folder),
                "larder": lambda folder: start_larder(larder, cores[0], folder)}
    figures = {name: [] for name in starters}
    for turn in range(options.rounds):
        # Who goes first changes, so that neither always has the warmer machine.
        for name in list(starters)[:: 1 if turn % 2 == 0 else -1]:
            figures[name].append(run_round(starters[name], options, cores[-1]))
        print(f"round {turn + 1} of {options.rounds} done", file=sys.stderr)
    print_tables(figures, options)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(figures, file, indent=2)


if __name__ == "__main__":
    sys.exit(run_script("bench/connections", run, parse_options()))
