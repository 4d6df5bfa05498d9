import { type Exchange, plugin } from '@grapnel-gateway/plugin';

const { hook, onEvent, serve, dispatch } = plugin();

// What the API's config_data holds.
interface Config {
  tenant: string;
}

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

hook('CheckToken', checkToken);

function checkToken(x: Exchange): void {
  if (x.header('Authorization') !== 'Bearer let-me-in') return x.deny(401, 'not authorised by the sample');
  x.accept('let-me-in', {
    rate: 1000,
    per: 1,
    quota_max: 5000,
    quota_remaining: 5000,
    quota_renewal_rate: 3600,
    metadata: { tier: 'gold' },
  });
}

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

hook('Tenant', (x) => {
  const { tenant }: Config = x.config;
  x.setHeader('X-Tenant', tenant);
});

hook('Reply', (x) => {
  const reply = x.response!; // every Response hook has one
  reply.setHeader('X-Reply', 'sample');
  reply.deleteHeader('X-Internal');
  reply.body = Buffer.concat([reply.body, Buffer.from(' (seen)')]);
  if (reply.status === 200 && x.header('X-Accept') !== undefined) reply.status = 202;
});

hook('Echo', () => {});

hook('Crash', () => {
  throw new Error('the sample crashed as it was asked to');
});

hook('Slow', () => new Promise((done) => setTimeout(done, 2000)));

onEvent((payload) => console.log(`event: ${payload}`));

export { dispatch };

if (require.main === module) void serve();
