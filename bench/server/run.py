#!/usr/bin/env python3
"""What does one GET and one SET cost the server, beside redis-server and memcached?

Starts both servers in turn on the same core, drives them from another core with
redis-benchmark (50 connections, 100-byte values, pipeline 1 and 32), several
rounds alternately, and reads the server's CPU time from /proc around each
measurement. CPU per operation is the figure that counts: it does not depend on
how fast the load generator is.

Where memcached is installed, a second table has all three, driven by batches.py
in place of redis-benchmark, which does not speak its protocol.

    bench/server/run.py [--larder BINARY] [--rounds N] [--json FILE] [--quick]

Exits 0, or 77 where redis-server or redis-benchmark is not installed.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from batches import measure_batches
from servers import (Failed, exchange, find_larder, key, request, run_script, start_larder, start_memcached,
                     start_redis)

CONNECTIONS = 50
VALUE = b"x" * 100


def fill(server, keys):
    """Puts all the keys there, so that every GET is a hit."""
    for first in range(0, keys, 500):
        numbers = range(first, min(first + 500, keys))
        expected = b"+OK\r\n" * len(numbers)
        requests = [request(b"SET", key(number), VALUE) for number in numbers]
        if exchange(server, requests, len(expected)) != expected:
            raise Failed(f"{server.name} does not answer SET with OK")


def check(server, keys):
    """A sample of the keys has its value: the figures are of work really done."""
    numbers = range(0, keys, max(keys // 100, 1))
    expected = b"$%d\r\n%s\r\n" % (len(VALUE), VALUE) * len(numbers)
    requests = [request(b"GET", key(number)) for number in numbers]
    answered = exchange(server, requests, len(expected))
    # redis-benchmark's own values are of the same size, of other bytes.
    if answered.count(b"$%d\r\n" % len(VALUE)) != len(numbers) or len(answered) != len(expected):
        raise Failed(f"{server.name} lost values that were set")


def measure(server, operation, pipeline, requests, keys, core):
    command = ["redis-benchmark", "-p", str(server.port), "-c", str(CONNECTIONS),
               "-P", str(pipeline), "-n", str(requests), "-r", str(keys), "-d", str(len(VALUE)),
               "-t", operation.lower(), "-q"]
    server_before = server.cpu_seconds()
    client_before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, preexec_fn=lambda: os.sched_setaffinity(0, {core}))
    seconds = time.monotonic() - started
    client_after = resource.getrusage(resource.RUSAGE_CHILDREN)
    server_cpu = server.cpu_seconds() - server_before
    if done.returncode != 0 or "requests per second" not in done.stdout:
        raise Failed(f"redis-benchmark failed against {server.name}:\n{done.stdout}")
    client_cpu = (client_after.ru_utime + client_after.ru_stime
                  - client_before.ru_utime - client_before.ru_stime)
    return {"operations_per_second": requests / seconds,
            "cpu_us": server_cpu / requests * 1e6,
            "server_busy": server_cpu / seconds,
            "client_busy": client_cpu / seconds}


def run_rounds(servers, options, client_core):
    """figures[(operation, pipeline)][server name] is a list, one element a round."""
    figures = {}
    for turn in range(options.rounds):
        for operation in ("GET", "SET"):
            for pipeline, requests in options.requests.items():
                # Who goes first changes, so that neither always has the warmer machine.
                for server in servers if turn % 2 == 0 else servers[::-1]:
                    sample = measure(server, operation, pipeline, requests, options.keys,
                                     client_core)
                    case = figures.setdefault((operation, pipeline), {})
                    case.setdefault(server.name, []).append(sample)
        print(f"round {turn + 1} of {options.rounds} done", file=sys.stderr)
    return figures


def medians(samples):
    return {name: statistics.median(sample[name] for sample in samples) for name in samples[0]}


def print_table(figures):
    print(f"{'':24}{'ops/s':>12}{'CPU µs/op':>12}{'of redis':>10}"
          f"{'server busy':>13}{'client busy':>13}")
    for (operation, pipeline), by_server in figures.items():
        print(f"{operation}, pipeline {pipeline}")
        redis_cpu = medians(by_server["redis-server"])["cpu_us"]
        for name, samples in by_server.items():
            median = medians(samples)
            ratio = f"{median['cpu_us'] / redis_cpu:.2f}" if redis_cpu > 0 else "-"
            print(f"  {name:22}{median['operations_per_second']:>12,.0f}"
                  f"{median['cpu_us']:>12.2f}{ratio:>10}"
                  f"{median['server_busy']:>13.0%}{median['client_busy']:>13.0%}")


def run_batches(servers, options):
    """figures[(operation, pipeline)][server name] is a list of CPU microseconds."""
    figures = {}
    for turn in range(options.rounds):
        for operation in ("GET", "SET"):
            for pipeline, requests in options.requests.items():
                for server in servers if turn % 2 == 0 else servers[::-1]:
                    case = figures.setdefault((operation, pipeline), {})
                    case.setdefault(server.name, []).append(
                        measure_batches(server, operation, pipeline, requests, options.keys, VALUE,
                                        CONNECTIONS))
        print(f"batches, round {turn + 1} of {options.rounds} done", file=sys.stderr)
    return figures


def print_batches(figures):
    names = list(next(iter(figures.values())))
    print(f"\n{'CPU µs/op, by batches':24}" + "".join(f"{name:>14}" for name in names))
    for (operation, pipeline), by_server in figures.items():
        print(f"{f'{operation}, pipeline {pipeline}':24}"
              + "".join(f"{statistics.median(by_server[name]):>14.2f}" for name in names))


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--larder", metavar="BINARY",
                        help="the larder program; default: that of the release build")
    parser.add_argument("--redis-only", action="store_true", help="measure redis-server alone")
    parser.add_argument("--rounds", type=int, default=5, help="medians are taken over these")
    parser.add_argument("--keys", type=int, default=10_000, help="keys in use")
    parser.add_argument("--json", metavar="FILE", help="also write every sample there")
    parser.add_argument("--quick", action="store_true",
                        help="a run of a second or two, for the tests; its figures mean nothing")
    options = parser.parse_args()
    options.requests = {1: 200_000, 32: 2_000_000}
    if options.quick:
        options.rounds, options.keys, options.requests = 1, 200, {1: 1_000, 32: 10_000}
    return options


def run(options):
    cores = sorted(os.sched_getaffinity(0))
    server_core, client_core = cores[0], cores[-1]
    if server_core == client_core:
        print("only one core here: server and client share it, so mind the CPU column alone",
              file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="larder-bench-") as folder:
        servers, memcached = [], []
        try:
            servers.append(start_redis(server_core, folder))
            if not options.redis_only:
                servers.append(start_larder(find_larder(options.larder), server_core, folder))
            if shutil.which("memcached"):
                memcached.append(start_memcached(server_core, folder))
                memcached[0].wait_until_listening()
            else:
                print("memcached is not installed (apt install memcached): not measured",
                      file=sys.stderr)
            for server in servers:
                server.wait_until_listening()
                fill(server, options.keys)
                check(server, options.keys)
            figures = run_rounds(servers, options, client_core)
            for server in servers:
                check(server, options.keys)
            os.sched_setaffinity(0, {client_core})
            batches = run_batches(servers + memcached, options) if memcached else {}
        finally:
            for server in servers + memcached:
                server.stop()
    print_table(figures)
    if batches:
        print_batches(batches)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump([{"operation": operation, "pipeline": pipeline, "samples": by_server}
                       for (operation, pipeline), by_server in figures.items()]
                      + [{"operation": operation, "pipeline": pipeline, "batches_cpu_us": by_server}
                         for (operation, pipeline), by_server in batches.items()], file, indent=2)


if __name__ == "__main__":
    sys.exit(run_script("bench/server", run, parse_options()))
