import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HookType } from '@grapnel-gateway/coprocess';
import { dispatch } from './plugin';

test('a reply is marked and accepted', async () => {
  const { response } = await dispatch({
    hook_type: HookType.Response,
    hook_name: 'Reply',
    request: { headers: { 'X-Accept': '1' } },
    response: { status_code: 200, raw_body: Buffer.from('body'), headers: { 'X-Internal': 'secret' } },
  });
  assert.equal(response?.status_code, 202);
  assert.equal(response.raw_body.toString(), 'body (seen)');
  assert.deepEqual(response.headers, { 'X-Reply': 'sample' });
});

test('a caller is denied who asks for it', async () => {
  const { request } = await dispatch({ hook_name: 'Deny', request: { headers: { 'X-Deny': '' } } });
  assert.equal(request?.return_overrides?.response_code, 403);
});
