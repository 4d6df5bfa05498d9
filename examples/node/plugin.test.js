'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { dispatch } = require('./plugin');

test('a tenant is added from the configuration', async () => {
  const { request } = await dispatch({ hook_name: 'Tenant', spec: { config_data: '{"tenant":"acme"}' } });
  assert.equal(request.set_headers['X-Tenant'], 'acme');
});

test('only the right token is let in', async () => {
  const check = (Authorization) => dispatch({ hook_name: 'CheckToken', request: { headers: { Authorization } } });
  const { session, metadata } = await check('Bearer let-me-in');
  assert.equal(session.quota_max, '5000');
  assert.deepEqual(metadata, { tier: 'gold', token: 'let-me-in' });
  const refused = await check('Bearer wrong');
  assert.equal(refused.session, undefined);
  assert.equal(refused.request.return_overrides.response_code, 401);
});

test('a rewrite keeps the query and what is not ASCII', async () => {
  const { request } = await dispatch({
    hook_name: 'Rewrite',
    request: { url: '/a/old?x=/old', raw_body: Buffer.from('grüße') },
  });
  assert.equal(request.url, '/a/new?x=/old');
  assert.equal(request.raw_body.toString(), 'GRüßE');
});

test('only the last segment of a path is rewritten', async () => {
  const rewritten = async (url) => (await dispatch({ hook_name: 'Rewrite', request: { url } })).request.url;
  assert.equal(await rewritten('/old/old'), '/old/new');
  assert.equal(await rewritten('/older?x=/old'), '/older?x=/old');
});
