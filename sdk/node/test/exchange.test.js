'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { HookType } = require('@grapnel-gateway/coprocess');
const { plugin } = require('..');

// What a hook makes of an object, without any network.
const ask = (handler, object = {}) => plugin().hook('Hook', handler).dispatch({ hook_name: 'Hook', ...object });

test('headers and parameters are read and changed', async () => {
  const { request } = await ask((x) => {
    assert.equal(x.header('content-TYPE'), 'text/plain');
    assert.equal(x.header('constructor'), undefined);
    assert.equal(x.param('page'), '2');
    assert.equal(x.param('Page'), undefined);
    x.setHeader('x-a', 1);
    x.setHeader('X-Gone', 'set, then deleted');
    x.deleteHeader('x-gone');
    x.setParam('page', 3);
    x.deleteParam('sort');
  }, { request: { headers: { 'Content-Type': 'text/plain' }, params: { page: '2' } } });
  assert.deepEqual(request.set_headers, { 'X-A': '1' });
  assert.deepEqual(request.delete_headers, ['X-Gone']);
  assert.deepEqual(request.add_params, { page: '3' });
  assert.deepEqual(request.delete_params, ['sort']);
});

test('all values are read, and single ones added', async () => {
  const { request } = await ask((x) => {
    assert.deepEqual(x.headerValues('x-a'), ['1', '2']);
    assert.deepEqual(x.headerValues('host'), ['h']);
    assert.deepEqual(x.headerValues('constructor'), []);
    assert.deepEqual(x.paramValues('p'), ['3', '4']);
    assert.deepEqual(x.paramValues('q'), ['5']);
    assert.deepEqual(x.paramValues('none'), []);
    x.addHeader('x-b', 'taken back');
    x.deleteHeader('X-B');
    x.addHeader('x-a', 3);
    x.addParam('q', 'taken back');
    x.setParam('q', 7);
    x.addParam('p', 6);
  }, {
    request: {
      headers: { 'X-A': '1', Host: 'h' }, params: { p: '3', q: '5' },
      multivalue_headers: [{ key: 'X-A', values: ['1', '2'] }], multivalue_params: [{ name: 'p', values: ['3', '4'] }],
    },
  });
  assert.deepEqual(request.append_headers, [{ key: 'X-A', values: ['3'] }]);
  assert.deepEqual(request.append_params, [{ name: 'p', values: ['6'] }]);
  assert.deepEqual([request.delete_headers, request.add_params], [['X-B'], { q: '7' }]);
});

test('facts are there where the hook asks for them', async () => {
  await ask((x) => {
    assert.equal(x.facts.certificate.serial, '7');
    assert.deepEqual(x.claims, { sub: 'ann' });
  }, { facts: { certificate: { serial: '7' }, claims: '{"sub":"ann"}' } });
  await ask((x) => assert.deepEqual([x.facts, x.claims], [undefined, undefined]));
});

test('method, url and body are changed; the text goes with the bytes', async () => {
  const { request } = await ask((x) => {
    assert.equal(x.text, 'grüße');
    x.method = 'PUT';
    x.url = '/new?a=1';
    x.text = x.text.toUpperCase();
  }, { request: { method: 'GET', url: '/old', raw_body: Buffer.from('grüße'), body: 'grüße' } });
  assert.equal(request.method, 'PUT');
  assert.equal(request.url, '/new?a=1');
  assert.equal(request.raw_body.toString(), 'GRÜSSE');
  assert.equal(request.body, 'GRÜSSE');
});

test('a binary body has no text', async () => {
  const binary = Buffer.from([0xff, 0x00, 0xfe]);
  const { request } = await ask((x) => {
    assert.equal(x.text, undefined);
    assert.deepEqual(x.body, binary);
    x.body = new Uint8Array([0xc3]);
  }, { request: { raw_body: binary } });
  assert.deepEqual([...request.raw_body], [0xc3]);
  assert.equal(request.body, '');
});

test('config is the parsed config_data', async () => {
  const spec = (config_data) => ({ spec: { config_data } });
  await ask((x) => assert.deepEqual(x.config, { tenant: 'acme' }), spec('{"tenant":"acme"}'));
  await ask((x) => assert.equal(x.config, undefined));
  await assert.rejects(ask((x) => x.config, spec('{')), SyntaxError);
});

test('deny is a message on an error page, reply a body of its own', async () => {
  const denied = (await ask((x) => x.deny(403, 'no', { 'X-Why': 'because' }))).request.return_overrides;
  assert.equal(denied.response_code, 403);
  assert.equal(denied.response_error, 'no');
  assert.equal(denied.override_error, false);
  assert.deepEqual(denied.headers, { 'X-Why': 'because' });
  const replied = (await ask((x) => x.reply(418, 'short'))).request.return_overrides;
  assert.equal(replied.response_code, 418);
  assert.equal(replied.response_body, 'short');
  assert.equal(replied.override_error, true);
});

test('a Response hook answers, too', async () => {
  const object = { hook_type: HookType.Response, response: {} };
  assert.equal((await ask((x) => x.deny(403, 'late'), object)).request.return_overrides.response_error, 'late');
  assert.equal((await ask((x) => x.reply(202, 'instead'), object)).request.return_overrides.response_body, 'instead');
});

test('accept makes a session, with exact 64-bit numbers', async () => {
  const { session, metadata } = await ask((x) => {
    x.accept('t', { rate: 5, quota_max: 10, expires: 2n ** 53n + 1n, quota_renews: '7', metadata: { tier: 'gold' } });
    assert.equal(x.session.alias, '');
  });
  assert.equal(session.rate, 5);
  assert.equal(session.quota_max, '10');
  assert.equal(session.expires, '9007199254740993');
  assert.equal(session.quota_renews, '7');
  assert.deepEqual(session.metadata, { tier: 'gold' });
  assert.deepEqual(metadata, { tier: 'gold', token: 't' });
});

test('accept refuses an empty token and what no session has', async () => {
  await assert.rejects(ask((x) => x.accept('')), /token/);
  await assert.rejects(ask((x) => x.accept('t', { isInactive: true })), /no field isInactive/);
  await assert.rejects(ask((x) => x.accept('t', { rate: '5' })), /rate is not a number/);
  await assert.rejects(ask((x) => x.accept('t', { expires: 1.5 })), RangeError);
  await assert.rejects(ask((x) => x.accept('t', { is_inactive: 'false' })), /is_inactive is not a boolean/);
});

test('a Response hook changes the reply, in both forms of its headers', async () => {
  const { response } = await ask(({ response: r }) => {
    assert.equal(r.status, 200);
    assert.equal(r.header('server'), 'x');
    r.status = 202;
    r.text += '!';
    r.deleteHeader('Server');
    r.setHeader('x-b', 'new');
    r.addHeader('Set-Cookie', 'c');
  }, {
    hook_type: HookType.Response,
    response: {
      status_code: 200, raw_body: Buffer.from('ok'), body: 'ok',
      headers: { Server: 'x', 'X-B': 'old', 'Set-Cookie': 'a' },
      multivalue_headers: [
        { key: 'Server', values: ['x'] }, { key: 'X-B', values: ['old', 'older'] },
        { key: 'Set-Cookie', values: ['a', 'b'] },
      ],
    },
  });
  assert.equal(response.status_code, 202);
  assert.equal(response.raw_body.toString(), 'ok!');
  assert.deepEqual(response.headers, { 'X-B': 'new', 'Set-Cookie': 'a' });
  assert.deepEqual(response.multivalue_headers.map(({ key, values }) => [key, ...values]), [
    ['Set-Cookie', 'a', 'b', 'c'], ['X-B', 'new'],
  ]);
});

test('a Response hook that means the request is told so', async () => {
  const object = { hook_type: HookType.Response, response: {} };
  for (const slip of [(x) => x.setHeader('A', 'b'), (x) => x.deleteParam('a'), (x) => { x.method = 'PUT'; }]) {
    await assert.rejects(ask(slip, object), /x\.response/);
  }
});
