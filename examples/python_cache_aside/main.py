#!/usr/bin/env python3
"""Cache-aside in Python, as it is customary over Redis. Nothing here knows of larder.

    python3 main.py [PORT]

Wants a cache whose pattern is "user:{id:int}", without a source.
"""

import json
import sys

import redis

USERS = {42: {"id": 42, "name": "Ada"}, 43: {"id": 43, "name": "Grace"}}  # the database
queries = 0


def load_user(user_id):
    global queries
    queries += 1
    return USERS.get(user_id)


def get_user(cache, user_id):
    key = f"user:{user_id}"
    cached = cache.get(key)
    if cached is not None:
        return json.loads(cached)
    user = load_user(user_id)
    if user is not None:
        cache.set(key, json.dumps(user), ex=300)
    return user


def rename_user(cache, user_id, name):
    USERS[user_id]["name"] = name
    cache.delete(f"user:{user_id}")


def main():
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 6380
    cache = redis.Redis(host="localhost", port=port, decode_responses=True)
    for _ in range(1000):
        get_user(cache, 42)
    print(get_user(cache, 42), "after", queries, "query")
    rename_user(cache, 42, "Ada Lovelace")
    print(get_user(cache, 42), "after", queries, "queries")


if __name__ == "__main__":
    main()
