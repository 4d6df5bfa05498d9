'use strict';

const { plugin } = require('@grapnel-gateway/plugin');

const orders = plugin();

orders.hook('AddTenant', (x) => x.setHeader('X-Tenant', x.config.tenant));

orders.hook('RefuseOld', (x) => {
  if (x.header('X-Version') === '1') x.deny(410, 'version 1 is gone');
});

module.exports = orders;

if (require.main === module) orders.serve();
