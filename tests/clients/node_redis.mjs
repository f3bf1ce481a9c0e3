// What a backend does with node-redis, against larder on the port given, which is
// restarted when this asks for it; not if `stay` follows the port.
import assert from 'node:assert/strict';
import {createClient} from 'redis';

const url = `redis://127.0.0.1:${process.argv[2]}`;
const product = (id) => JSON.stringify({id, name: `Product ${id}`});

const client = createClient({url, name: 'shop', socket: {reconnectStrategy: () => 10}});
let mayFail = false;
client.on('error', (error) => { if (!mayFail) throw error; });
await client.connect();

assert.equal(await client.ping(), 'PONG');
assert.equal(await client.clientGetName(), 'shop');
assert.equal(await client.get('product:7'), product(7));
assert.equal(await client.get('product:5000'), null);

// Calls of one tick share a pipeline, and the misses in it one load.
const ids = Array.from({length: 100}, (_, i) => i + 1);
assert.deepEqual(await Promise.all(ids.map((id) => client.get(`product:${id}`))),
                 ids.map(product));
assert.deepEqual(await client.mGet(['product:8', 'tag:none', 'product:9']),
                 [product(8), null, product(9)]);

assert.equal(await client.set('tag:a', 'x', {EX: 100, NX: true}), 'OK');
assert.equal(await client.set('tag:a', 'y', {NX: true}), null);
assert.equal(await client.set('tag:a', 'z', {XX: true, GET: true, KEEPTTL: true}), 'x');
assert.equal(await client.ttl('tag:a'), 100);
assert.equal(await client.expire('tag:a', 50), true);
assert.equal(await client.exists(['tag:a', 'product:7']), 2);
assert.equal(await client.del(['tag:a', 'product:7']), 2);

await assert.rejects(client.get('product:abc'), /does not fit/);
await assert.rejects(client.set('product:7', 'x'), /REFUSED/);
await assert.rejects(client.hGetAll('product:7'), /unknown command/);
assert.match(await client.info('server'), /redis_version:7/);

const binary = Buffer.from([0, 13, 10, 255]);
await client.set('tag:binary', binary);
assert.deepEqual(await client.get(client.commandOptions({returnBuffers: true}), 'tag:binary'),
                 binary);

await Promise.all(ids.map((id) => client.set(`tag:scan${id}`, 'x')));
const found = new Set();
for await (const key of client.scanIterator({MATCH: 'tag:scan*', COUNT: 10})) found.add(key);
assert.equal(found.size, ids.length);

const [incremented, appended] = await client.multi().incr('tag:n').append('tag:n', '0').exec();
assert.deepEqual([incremented, appended], [1, 2]);

if (process.argv[3] !== 'stay') {
  mayFail = true;
  const back = new Promise((resolve) => { client.once('ready', resolve); });
  console.log('restart me');
  await back;
  assert.equal(await client.get('tag:a'), null);
  assert.equal(await client.get('product:7'), product(7));
}
await client.quit();
console.log('all well');
