// What a backend does with ioredis, against larder on the port given, which is
// restarted when this asks for it.
import assert from 'node:assert/strict';
import Redis from 'ioredis';

const product = (id) => JSON.stringify({id, name: `Product ${id}`});

const client = new Redis({port: Number(process.argv[2]), host: '127.0.0.1',
                          connectionName: 'shop', maxRetriesPerRequest: 1, retryStrategy: () => 10});
client.on('error', () => {});  // of the restart; a command's own is thrown by it

assert.equal(await client.ping(), 'PONG');
assert.equal(await client.get('product:7'), product(7));
assert.deepEqual(await client.mget('product:8', 'tag:none'), [product(8), null]);
assert.equal(await client.set('tag:a', 'x', 'EX', 100), 'OK');
assert.equal(await client.ttl('tag:a'), 100);
assert.equal(await client.set('tag:a', 'y', 'NX'), null);
assert.equal(await client.set('tag:a', 'x', 'KEEPTTL', 'XX'), 'OK');

const results = await client.pipeline()
  .get('product:10').get('product:abc').get('tag:a').del('tag:a').exec();
assert.equal(results[0][1], product(10));
assert.match(results[1][0].message, /does not fit/);
assert.equal(results[2][1], 'x');
assert.equal(results[3][1], 1);

await client.mset(Object.fromEntries(Array.from({length: 100}, (_, i) => [`tag:scan${i}`, 'x'])));
const found = new Set();
for await (const keys of client.scanStream({match: 'tag:scan*', count: 10})) {
  for (const key of keys) found.add(key);
}
assert.equal(found.size, 100);

await client.set('tag:a', 'x');
const back = new Promise((resolve) => { client.once('ready', resolve); });
console.log('restart me');
await back;
assert.equal(await client.get('tag:a'), null);
assert.equal(await client.get('product:7'), product(7));
await client.quit();
console.log('all well');
