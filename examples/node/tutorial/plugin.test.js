'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const orders = require('./plugin');

test('the tenant is that of the configuration', async () => {
  const { request } = await orders.dispatch({
    hook_name: 'AddTenant',
    spec: { config_data: '{"tenant": "acme"}' },
  });
  assert.equal(request.set_headers['X-Tenant'], 'acme');
});

test('version 1 is refused', async () => {
  const { request } = await orders.dispatch({
    hook_name: 'RefuseOld',
    request: { headers: { 'X-Version': '1' } },
  });
  assert.equal(request.return_overrides.response_code, 410);
});
