// node-redis 5 with its own client-side cache, against larder on the port given.
import assert from 'node:assert/strict';
import {BasicClientSideCache, createClient} from 'redis5';

const url = `redis://127.0.0.1:${process.argv[2]}`;
const cache = new BasicClientSideCache({ttl: 0, maxEntries: 0});
const client = createClient({url, RESP: 3, clientSideCache: cache});
const other = createClient({url});
await client.connect();
await other.connect();

// Until `what` holds; a message of a change takes its way.
const until = async (what) => { while (!await what()) await new Promise(setImmediate); };
const hits = () => cache.stats().hitCount;

await other.set('tag:a', 'old');
assert.equal(await client.get('tag:a'), 'old');
const before = hits();
assert.equal(await client.get('tag:a'), 'old');
assert.equal(hits(), before + 1);

await other.set('tag:a', 'new');
await until(async () => await client.get('tag:a') === 'new');

// A row of a source: kept, and dropped when it is invalidated.
await client.get('product:7');
const loaded = hits();
await client.get('product:7');
assert.equal(hits(), loaded + 1);
await other.del('product:7');
await until(async () => {
  const misses = cache.stats().missCount;
  await client.get('product:7');
  return cache.stats().missCount > misses;
});

await other.flushAll();
await until(async () => await client.get('tag:a') === null);
await client.close();
await other.close();
console.log('all well');
