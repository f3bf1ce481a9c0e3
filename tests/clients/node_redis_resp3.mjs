// What a backend does with node-redis 5 in RESP3, against larder on the port given,
// which is restarted when this asks for it.
import assert from 'node:assert/strict';
import {createClient} from 'redis5';

const url = `redis://127.0.0.1:${process.argv[2]}`;
const product = (id) => JSON.stringify({id, name: `Product ${id}`});

const client = createClient({url, RESP: 3, name: 'shop', socket: {reconnectStrategy: () => 10}});
let mayFail = false;
client.on('error', (error) => { if (!mayFail) throw error; });
await client.connect();

assert.equal(await client.clientGetName(), 'shop');
assert.equal((await client.hello()).proto, 3);
assert.equal(await client.get('product:7'), product(7));
assert.equal(await client.get('product:5000'), null);
const ids = Array.from({length: 100}, (_, i) => i + 1);
assert.deepEqual(await Promise.all(ids.map((id) => client.get(`product:${id}`))),
                 ids.map(product));
assert.deepEqual(await client.mGet(['product:8', 'tag:none']), [product(8), null]);

assert.equal(await client.set('tag:a', 'x', {expiration: {type: 'EX', value: 100}}), 'OK');
assert.equal(await client.ttl('tag:a'), 100);
assert.equal(await client.set('tag:a', 'y', {condition: 'NX'}), null);
assert.equal(await client.del(['tag:a', 'product:7']), 2);
await assert.rejects(client.get('product:abc'), /does not fit/);

await Promise.all(ids.map((id) => client.set(`tag:scan${id}`, 'x')));
const found = new Set();
for await (const keys of client.scanIterator({MATCH: 'tag:scan*', COUNT: 10})) {
  for (const key of keys) found.add(key);
}
assert.equal(found.size, ids.length);
assert.deepEqual(await client.multi().incr('tag:n').append('tag:n', '0').exec(), [1, 2]);

const explained = await client.sendCommand(['LARDER', 'EXPLAIN', 'product:8']);
assert.equal(explained.where, 'memory');

mayFail = true;
const back = new Promise((resolve) => { client.once('ready', resolve); });
console.log('restart me');
await back;
assert.equal(await client.get('tag:n'), null);
assert.equal(await client.get('product:7'), product(7));
await client.close();
console.log('all well');
