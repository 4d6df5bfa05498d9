'use strict';

const { plugin } = require('@grapnel-gateway/plugin');

const { hook, onEvent, serve, dispatch } = plugin();

hook('Headers', (x) => {
  x.setHeader('X-Sample', 'hello');
  x.deleteHeader('X-Remove');
  x.setParam('added', 1);
  x.deleteParam('remove');
});

hook('Deny', (x) => {
  if (x.header('X-Deny') !== undefined) x.deny(403, 'denied by the sample', { 'X-Denied': '1' });
});

hook('Teapot', (x) => x.reply(418, 'short and stout', { 'Content-Type': 'text/plain' }));

hook('CheckToken', (x) => {
  if (x.header('Authorization') !== 'Bearer let-me-in') return x.deny(401, 'not authorised by the sample');
  x.accept('let-me-in', {
    rate: 1000,
    per: 1,
    quota_max: 5000,
    quota_remaining: 5000,
    quota_renewal_rate: 3600,
    metadata: { tier: 'gold' },
  });
});

hook('ReadSession', (x) => {
  if (!x.session) return;
  x.setHeader('X-Tier', x.session.metadata.tier ?? '');
  x.setHeader('X-Rate', Math.trunc(x.session.rate));
});

hook('Rewrite', (x) => {
  x.url = x.url.replace(/^([^?]*)\/old(?=\?|$)/, '$1/new');
  if (x.header('X-Method') === 'post') x.method = 'POST';
  if (x.text) x.text = x.text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
});

hook('Tenant', (x) => x.setHeader('X-Tenant', x.config.tenant));

hook('Reply', (x) => {
  const { response } = x;
  response.setHeader('X-Reply', 'sample');
  response.deleteHeader('X-Internal');
  response.body = Buffer.concat([response.body, Buffer.from(' (seen)')]);
  if (response.status === 200 && x.header('X-Accept') !== undefined) response.status = 202;
});

hook('Echo', () => {});

hook('Crash', () => {
  throw new Error('the sample crashed as it was asked to');
});

hook('Slow', () => new Promise((done) => setTimeout(done, 2000)));

onEvent((payload) => console.log(`event: ${payload}`));

if (require.main === module) serve();

module.exports = { dispatch };
