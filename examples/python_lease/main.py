#!/usr/bin/env python3
"""Cache-aside in Python, made safe by leases: of many who miss a key one asks the database,
and what was read before a change is never kept after it.

    python3 main.py [PORT]

Wants a cache whose pattern is "user:{id:int}", without a source.
"""

import json
import sys
import threading
import time

import redis

USERS = {42: {"id": 42, "name": "Ada"}}  # the database
queries = 0


def load_user(user_id):
    global queries
    queries += 1
    user = dict(USERS[user_id])
    time.sleep(0.2)  # a slow query
    return user


def get_user(cache, user_id):
    key = f"user:{user_id}"
    value, token = cache.execute_command("LARDER", "LEASE", key)
    if value is not None:
        return json.loads(value)  # from memory, or what another has just loaded
    try:
        user = load_user(user_id)
    except Exception:
        if token is not None:
            cache.execute_command("LARDER", "RELEASE", key, token)  # the next may try
        raise
    if token is not None:  # None: waited in vain; the value is good, but not to be kept
        cache.execute_command("LARDER", "FILL", key, token, json.dumps(user), "EX", 300)
    return user


def rename_user(cache, user_id, name):
    USERS[user_id]["name"] = name
    cache.delete(f"user:{user_id}")


def ask_together(cache, readers):
    names = []
    threads = [
        threading.Thread(target=lambda: names.append(get_user(cache, 42)["name"]))
        for _ in range(readers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return names


def main():
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 6380
    cache = redis.Redis(host="localhost", port=port, decode_responses=True)
    names = ask_together(cache, 100)
    print(len(names), "readers,", set(names), "after", queries, "query")

    # The user is renamed while somebody loads: what that one read is refused, and not kept.
    rename_user(cache, 42, "Grace")
    key = "user:42"
    token = cache.execute_command("LARDER", "LEASE", key)[1]
    older = load_user(42)
    rename_user(cache, 42, "Grace Hopper")
    print("FILL:", cache.execute_command("LARDER", "FILL", key, token, json.dumps(older)))
    print(get_user(cache, 42)["name"])


if __name__ == "__main__":
    main()
