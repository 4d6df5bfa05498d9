'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { test } = require('node:test');
const { promisify } = require('node:util');
const grpc = require('@grpc/grpc-js');
const { service: Health } = require('grpc-health-check');
const coprocess = require('@grapnel-gateway/coprocess');
const { plugin } = require('..');

const BodyStream = grpc.makeGenericClientConstructor(coprocess.BodyStreamService, 'BodyStream');
const Dispatcher = grpc.makeGenericClientConstructor(coprocess.DispatcherService, 'Dispatcher');

// A client of one address; it is closed at the end of the test.
function connect(t, address, Client = Dispatcher) {
  const client = new Client(address, grpc.credentials.createInsecure(), { 'grpc.max_receive_message_length': -1 });
  t.after(() => client.close());
  return (method, message) => promisify(client[method].bind(client))(message);
}

async function serve(t, p) {
  const server = await p.start('127.0.0.1:0');
  t.after(() => server.stop());
  return connect(t, server.address);
}

const object = (fields) => coprocess.Object.fromPartial(fields);

test('a hook is found by its name, sync or async; other names echo', async (t) => {
  const call = await serve(t, plugin()
    .hook('Sync', (x) => x.setHeader('X-Tenant', x.config.tenant))
    .hook('Async', async (x) => {
      await new Promise(setImmediate);
      x.setHeader('X-Late', 'yes');
    }));
  const spec = { config_data: '{"tenant":"acme"}' };
  assert.deepEqual((await call('dispatch', object({ hook_name: 'Sync', spec }))).request.set_headers, { 'X-Tenant': 'acme' });
  assert.deepEqual((await call('dispatch', object({ hook_name: 'Async' }))).request.set_headers, { 'X-Late': 'yes' });
  const unknown = object({ hook_name: 'Unknown', request: { url: '/x', raw_body: Buffer.from([0xff]) } });
  assert.deepEqual(await call('dispatch', unknown), unknown);
});

test('what throws, now or later, is INTERNAL, and the server lives on', async (t) => {
  t.mock.method(console, 'error', () => {});
  const call = await serve(t, plugin()
    .hook('Now', () => { throw new Error('broken'); })
    .hook('Later', () => Promise.reject(new Error('broken')))
    .hook('Text', () => { throw 'broken'; })
    .hook('Misshapen', (x) => x.accept('t', { quota_max: 'broken' }))
    .onEvent(() => { throw new Error('broken'); }));
  for (const hook_name of ['Now', 'Later', 'Text', 'Misshapen']) {
    await assert.rejects(call('dispatch', object({ hook_name })), { code: grpc.status.INTERNAL, details: /broken/ });
  }
  await assert.rejects(call('dispatchEvent', { payload: '{}' }), { code: grpc.status.INTERNAL });
  assert.equal((await call('dispatch', object({ hook_name: 'Other' }))).hook_name, 'Other');
});

test('events reach their function', async (t) => {
  const heard = [];
  const call = await serve(t, plugin().onEvent((payload) => heard.push(payload)));
  await call('dispatchEvent', { payload: '{"a":1}' });
  assert.deepEqual(heard, ['{"a":1}']);
});

test('unknown fields, unknown enum values and 20 MiB survive', async (t) => {
  const call = await serve(t, plugin());
  const sent = object({ hook_type: 99, request: { raw_body: Buffer.alloc(20 << 20, 7) } });
  sent._unknownFields = { 16002: [Uint8Array.of(1, 0x2a)] }; // field 2000, a length and its bytes
  const got = await call('dispatch', sent);
  assert.equal(got.hook_type, 99);
  assert.ok(got.request.raw_body.equals(sent.request.raw_body));
  assert.deepEqual([...got._unknownFields[16002][0]], [1, 0x2a]);
});

test('200 calls at once each get their own answer', async (t) => {
  const call = await serve(t, plugin().hook('Copy', async (x) => {
    await new Promise(setImmediate);
    x.setHeader('X-Copy', x.header('X-Number'));
  }));
  const numbers = Array.from({ length: 200 }, (_, i) => String(i));
  const answers = await Promise.all(numbers.map((n) =>
    call('dispatch', object({ hook_name: 'Copy', request: { headers: { 'X-Number': n } } }))));
  assert.deepEqual(answers.map((o) => o.request.set_headers['X-Copy']), numbers);
});

test('health is served', async (t) => {
  const server = await plugin().start('127.0.0.1:0');
  t.after(() => server.stop());
  const call = connect(t, server.address, grpc.makeGenericClientConstructor(Health, 'Health'));
  for (const name of ['', 'coprocess.Dispatcher']) {
    assert.deepEqual(await call('check', { service: name }), { status: 'SERVING' });
  }
  await assert.rejects(call('check', { service: 'other' }), { code: grpc.status.NOT_FOUND });
});

test('stop waits for the calls under way', async (t) => {
  const entered = deferred();
  const leave = deferred();
  const server = await plugin().hook('Slow', async (x) => {
    entered.resolve();
    await leave.promise;
    x.setHeader('X-Done', '1');
  }).start('127.0.0.1:0');
  const answer = connect(t, server.address)('dispatch', object({ hook_name: 'Slow' }));
  await entered.promise;
  const stopped = server.stop();
  leave.resolve();
  assert.deepEqual((await answer).request.set_headers, { 'X-Done': '1' });
  await stopped;
  await assert.rejects(connect(t, server.address)('dispatch', object({})), { code: grpc.status.UNAVAILABLE });
});

test('a name is taken once, and by a function', () => {
  assert.throws(() => plugin().hook('A', () => {}).hook('A', () => {}), /two hooks/);
  assert.throws(() => plugin().hook('A', 'B'), TypeError);
});

// The process that serve() makes, at a socket that a killed server has left.
test('serve listens where the gateway says and ends on SIGTERM', async (t) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'plugin-'));
  t.after(() => fs.rmSync(dir, { recursive: true }));
  const socket = path.join(dir, 's');
  await leaveSocket(socket);
  const program = `
    const { hook, serve } = require('${path.dirname(__dirname)}').plugin();
    hook('Slow', async (x) => {
      console.log('entered');
      await new Promise((done) => setTimeout(done, 200));
      x.setHeader('X-Done', '1');
    });
    serve();`;
  const child = spawn(process.execPath, ['-e', program], {
    env: { ...process.env, GRAPNEL_PLUGIN_SOCKET: socket }, stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  child.stdout.setEncoding('utf8');
  assert.equal((await once(child.stdout, 'data'))[0], `listening on unix://${socket}\n`);
  const answer = connect(t, `unix:${socket}`)('dispatch', object({ hook_name: 'Slow' }));
  assert.equal((await once(child.stdout, 'data'))[0], 'entered\n');
  child.kill('SIGTERM');
  assert.deepEqual((await answer).request.set_headers, { 'X-Done': '1' });
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

// leaveSocket makes a socket file that nobody listens at.
async function leaveSocket(socket) {
  const program = `require('net').createServer().listen('${socket}', () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', program]), 'exit');
  await assert.rejects(once(net.connect(socket), 'connect'), { code: 'ECONNREFUSED' });
}

function deferred() {
  const d = {};
  d.promise = new Promise((resolve) => { d.resolve = resolve; });
  return d;
}

// Lets a body pass, each piece of which is sent when the one before is answered.
async function stream(t, p, hook_name, pieces, trailers = []) {
  const server = await p.start('127.0.0.1:0');
  t.after(() => server.stop());
  const client = new BodyStream(server.address, grpc.credentials.createInsecure());
  t.after(() => client.close());
  const call = client.exchange({ deadline: Date.now() + 20_000 });
  const say = (chunk) => call.write(coprocess.BodyChunk.fromPartial(chunk));
  const left = [...pieces.map((data) => ({ data: Buffer.from(data) })), { end: true, trailers }];
  say({ object: { hook_name, hook_type: coprocess.HookType.Post } });
  const got = { data: [] };
  for await (const chunk of call) {
    if (chunk.object) got.object = chunk.object;
    else if (chunk.end) got.trailers = chunk.trailers.map(({ key, values }) => ({ key, values }));
    else got.data.push(chunk.data.toString());
    if (left.length > 0) say(left.shift());
  }
  return got;
}

test('a body passes through a stream hook in pieces', async (t) => {
  const p = plugin()
    .streamHook('Shout', (x) => {
      x.setHeader('X-Shouted', 'yes');
      return async function* shout(body) {
        for await (const piece of body) yield Buffer.from(piece.toString().toUpperCase());
        body.trailers['X-Sum'].push('8');
      };
    })
    .streamHook('Pass', async (x) => { x.setHeader('X-Passed', 'yes'); })
    .streamHook('Short', () => () => [Buffer.from('short')]);
  assert.throws(() => p.streamHook('Pass', () => {}), /two hooks/);
  const sum = (...values) => [{ key: 'X-Sum', values }];
  for (const [name, data, trailers, headers] of [
    ['Shout', ['ONE', 'TWO'], sum('7', '8'), { 'X-Shouted': 'yes' }],
    ['Pass', ['one', 'two'], sum('7'), { 'X-Passed': 'yes' }],
    ['Nobody', ['one', 'two'], sum('7'), undefined],
    ['Short', ['short'], [], undefined],
  ]) {
    const got = await stream(t, p, name, ['one', 'two'], sum('7'));
    assert.deepEqual([got.data, got.trailers, got.object.request?.set_headers], [data, trailers, headers], name);
  }
});

test('large pieces of a stream hook are cut', async (t) => {
  const p = plugin().streamHook('Grow', () => () => [Buffer.alloc(300_000, 'x')]);
  const { data } = await stream(t, p, 'Grow', []);
  assert.deepEqual([data.map((piece) => piece.length), data.join('')], [[256 << 10, 300_000 - (256 << 10)], 'x'.repeat(300_000)]);
});

test('a stream hook denies before the body, and what it throws is INTERNAL', async (t) => {
  t.mock.method(console, 'error', () => {});
  const p = plugin()
    .streamHook('Deny', (x) => x.deny(403, 'no'))
    .streamHook('Early', () => { throw new Error('broken'); })
    .streamHook('Late', () => async function* late(body) {
      yield* body;
      throw new Error('broken');
    });
  const denied = await stream(t, p, 'Deny', ['one']);
  assert.deepEqual([denied.object.request.return_overrides.response_code, denied.data, denied.trailers], [403, [], undefined]);
  for (const name of ['Early', 'Late']) {
    await assert.rejects(stream(t, p, name, ['one']), { code: grpc.status.INTERNAL, details: /broken/ });
  }
});
