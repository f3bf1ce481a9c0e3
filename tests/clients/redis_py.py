"""What a backend does with redis-py, against larder on the port given, which is
restarted when this asks for it. RESP3 where the library has it (from 5.0)."""

import asyncio
import sys
import threading

import redis
import redis.asyncio

PORT = int(sys.argv[1])
NEW = int(redis.__version__.split(".")[0]) >= 5


def product(number):
    return '{"id":%d,"name":"Product %d"}' % (number, number)


def refused(call, *words):
    try:
        call()
    except redis.ResponseError as error:
        assert all(word in str(error) for word in words), error
    else:
        raise AssertionError("it was not refused")


def talk(client):
    assert client.ping()
    assert client.client_getname() == "shop"
    assert client.get("product:7") == product(7)
    assert client.get("product:5000") is None
    assert client.mget("product:8", "tag:none") == [product(8), None]

    assert client.set("tag:a", "x", ex=100, nx=True)
    assert client.set("tag:a", "y", nx=True) is None
    assert client.set("tag:a", "z", xx=True, get=True, keepttl=True) == "x"
    assert client.ttl("tag:a") == 100
    assert client.expire("tag:a", 50)
    assert client.exists("tag:a", "product:7") == 2
    assert client.getex("tag:a", ex=70) == "z"
    assert client.type("tag:a") == "string"
    assert client.delete("tag:a", "product:7") == 2

    with client.pipeline(transaction=False) as pipe:
        for number in range(1, 101):
            pipe.get(f"product:{number}")
        assert pipe.execute() == [product(number) for number in range(1, 101)]
    with client.pipeline(transaction=True) as pipe:
        pipe.set("tag:n", 1).incr("tag:n").append("tag:n", "0")
        assert pipe.execute() == [True, 2, 2]

    client.mset({f"tag:scan{number}": "x" for number in range(100)})
    assert len(set(client.scan_iter("tag:scan*", count=10))) == 100

    for told in (client.info("all"), client.client_info(), client.client_list(), client.command()):
        assert told  # which the library takes apart

    refused(lambda: client.get("product:abc"), "does not fit")
    refused(lambda: client.set("product:7", "x"), "read-through")
    refused(lambda: client.hgetall("product:7"), "unknown command")
    lock = client.lock("tag:lock", timeout=5)
    assert lock.acquire(blocking=False)
    refused(lock.release, "unknown command 'EVALSHA'")
    assert client.info("server")["redis_version"].startswith("7")


def count_together():
    """Threads of one pool, each adding by WATCH, MULTI and EXEC, lose nothing."""
    pool = redis.ConnectionPool(port=PORT, decode_responses=True, max_connections=4)
    client = redis.Redis(connection_pool=pool)
    client.set("tag:together", 0)

    def add(pipe):
        value = int(pipe.get("tag:together"))
        pipe.multi()
        pipe.set("tag:together", value + 1)

    def work():
        for _ in range(25):
            client.transaction(add, "tag:together")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.get("tag:together") == "100"


async def talk_async():
    client = redis.asyncio.Redis(port=PORT, decode_responses=True)
    answers = await asyncio.gather(*(client.get(f"product:{n}") for n in range(1, 101)))
    assert answers == [product(number) for number in range(1, 101)]
    await client.mset({f"tag:scan{number}": "x" for number in range(100)})
    assert len({key async for key in client.scan_iter("tag:scan*", count=7)}) == 100
    async with client.pipeline(transaction=True) as pipe:
        await pipe.watch("tag:n")
        pipe.multi()
        assert await pipe.set("tag:n", 1).incr("tag:n").execute() == [True, 2]
        await pipe.watch("tag:n")
        await client.set("tag:n", 7)
        pipe.multi()
        try:
            await pipe.incr("tag:n").execute()
        except redis.WatchError:
            pass
        else:
            raise AssertionError("what was watched had changed")
    await client.close()


def is_the_old_one(client):
    try:
        return client.get("tag:kept") is not None
    except redis.ConnectionError:
        return True  # it is gone, and the new one does not listen yet


def main():
    protocols = [{}, {"protocol": 3}] if NEW else [{}]
    for protocol in protocols:
        client = redis.Redis(port=PORT, decode_responses=True, client_name="shop", **protocol)
        talk(client)
        client.flushall()
    count_together()
    asyncio.run(talk_async())

    assert client.set("tag:kept", "x")
    print("restart me", flush=True)
    while is_the_old_one(client):
        pass
    assert client.get("product:7") == product(7)
    print("all well")


main()
