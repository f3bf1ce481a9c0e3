"""The same batches to servers of either protocol: redis-benchmark does not speak memcached's.

One thread sends a batch on each of its connections, then reads all the replies,
whose sizes are known, and begins again. It is no fast client; what it makes the
server do is the same for all, so the server's CPU time per operation compares.
"""

import random
import socket

from servers import Failed, key, request

BATCHES = 200  # different ones, made before anything is measured


def redis_batch(operation, names, value):
    """Requests and the replies to them."""
    if operation == "GET":
        return (b"".join(request(b"GET", name) for name in names),
                b"$%d\r\n%s\r\n" % (len(value), value) * len(names))
    return b"".join(request(b"SET", name, value) for name in names), b"+OK\r\n" * len(names)


def memcached_batch(operation, names, value):
    """Likewise; many keys are one `get`, as memcached's clients ask for them."""
    if operation == "GET":
        return (b"get " + b" ".join(names) + b"\r\n",
                b"".join(b"VALUE %s 0 %d\r\n%s\r\n" % (name, len(value), value)
                         for name in names) + b"END\r\n")
    return (b"".join(b"set %s 0 3600 %d\r\n%s\r\n" % (name, len(value), value)
                     for name in names),
            b"STORED\r\n" * len(names))


def receive(connection, size):
    received = b""
    while len(received) < size:
        part = connection.recv(size - len(received))
        if not part:
            raise Failed("a server closed a connection")
        received += part
    return received


def send_and_check(server, connections, batches, rounds):
    for turn in range(rounds):
        sent = [batches[(turn * len(connections) + i) % len(batches)]
                for i in range(len(connections))]
        for connection, (requests, _) in zip(connections, sent):
            connection.sendall(requests)
        for connection, (_, replies) in zip(connections, sent):
            if receive(connection, len(replies)) != replies:
                raise Failed(f"{server.name} answered something else than was set")


def measure_batches(server, operation, pipeline, requests, keys, value, connection_count):
    """The server's CPU microseconds for each operation; every reply is compared."""
    make_batch = memcached_batch if server.name == "memcached" else redis_batch
    every = [key(number) for number in range(keys)]
    batches = [make_batch(operation, random.choices(every, k=pipeline), value)
               for _ in range(BATCHES)]
    rounds = max(requests // (pipeline * connection_count), 1)
    connections = [socket.create_connection(("127.0.0.1", server.port), timeout=30)
                   for _ in range(connection_count)]
    try:
        fill = [make_batch("SET", every[first:first + 100], value)
                for first in range(0, keys, 100)]
        send_and_check(server, connections[:1], fill, len(fill))
        send_and_check(server, connections, batches, 1)
        before = server.cpu_seconds()
        send_and_check(server, connections, batches, rounds)
        spent = server.cpu_seconds() - before
    finally:
        for connection in connections:
            connection.close()
    return spent / (rounds * pipeline * connection_count) * 1e6
