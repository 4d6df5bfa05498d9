'use strict';

const fs = require('node:fs');
const { once } = require('node:events');
const { setTimeout: sleep } = require('node:timers/promises');
const { promisify } = require('node:util');
const grpc = require('@grpc/grpc-js');
const { HealthImplementation } = require('grpc-health-check');
const coprocess = require('@grapnel-gateway/coprocess');
const { pass } = require('./body');
const { Exchange } = require('./exchange');

const MAX_MESSAGE = 64 << 20; // bytes; a text body counts twice
const GRACE = 30_000; // milliseconds that calls under way have at shutdown
const LINGER = 100; // milliseconds that the last answers have to reach the gateway

function plugin() {
  const hooks = new Map();
  const streams = new Map();
  let listener = () => {};

  const self = {
    hook(name, handler) {
      register(hooks, name, handler);
      return self;
    },

    streamHook(name, handler) {
      register(streams, name, handler);
      return self;
    },

    onEvent(handler) {
      listener = handler;
      return self;
    },

    async dispatch(partial) {
      const object = coprocess.Object.fromPartial(partial);
      await ask(hooks, object);
      return object;
    },

    async start(address) {
      const server = new grpc.Server({ 'grpc.max_receive_message_length': MAX_MESSAGE });
      const calls = new Set();
      server.addService(coprocess.DispatcherService, {
        dispatch: unary(calls, async (object) => {
          await ask(hooks, object);
          return object;
        }),
        dispatchEvent: unary(calls, async (event) => {
          await listener(event.payload);
          return {};
        }),
      });
      server.addService(coprocess.BodyStreamService, {
        exchange: streamed(calls, (object) => ask(streams, object)),
      });
      const health = new HealthImplementation({ '': 'SERVING', 'coprocess.Dispatcher': 'SERVING' });
      health.addToServer(server);
      const bound = await listen(server, address);
      return { address: bound, stop: () => stop(server, health, calls) };
    },

    async serve() {
      const server = await self.start(ownAddress());
      console.log('listening on', server.address);
      const heard = new AbortController(); // a second signal ends the process at once
      await Promise.race(['SIGTERM', 'SIGINT'].map((name) => once(process, name, heard)));
      heard.abort();
      await server.stop();
    },
  };
  return self;
}

function register(hooks, name, handler) {
  if (typeof handler !== 'function') throw new TypeError(`hook ${name} is not a function`);
  if (hooks.has(name)) throw new Error(`two hooks are named ${name}`);
  hooks.set(name, handler);
}

async function ask(hooks, object) {
  return hooks.get(object.hook_name)?.(new Exchange(object));
}

// unary makes a function of a message a method of a gRPC server, and keeps the calls
// under way in a set. What the function throws becomes the error INTERNAL.
function unary(calls, answer) {
  return async (call, reply) => {
    const answered = answer(call.request).then(
      (message) => reply(null, message),
      (error) => {
        reply(failure(call, call.request.hook_name, error));
      },
    );
    calls.add(answered);
    await answered;
    calls.delete(answered);
  };
}

// streamed makes the same of a function of an object, whose body passes through what
// that returns.
function streamed(calls, ask) {
  return async (call) => {
    let name;
    const passed = pass(call, (object) => ask(object, name = object.hook_name)).then(
      () => call.end(),
      (error) => call.cancelled || call.emit('error', failure(call, name, error)),
    );
    calls.add(passed);
    await passed;
    calls.delete(passed);
  };
}

function failure(call, name, error) {
  console.error(`${call.getPath()} ${name ?? ''}:`, error);
  return { code: grpc.status.INTERNAL, details: String(error?.message ?? error) };
}

function ownAddress() {
  const socket = process.env.GRAPNEL_PLUGIN_SOCKET;
  return socket ? `unix:${socket}` : process.env.PLUGIN_LISTEN || '127.0.0.1:5555';
}

// listen returns the address with the port that was chosen.
async function listen(server, address) {
  const path = /^unix:(?:\/\/)?(.*)$/.exec(address)?.[1];
  // The socket of a server that was killed is still there.
  if (path && fs.lstatSync(path, { throwIfNoEntry: false })?.isSocket()) fs.unlinkSync(path);
  const port = await promisify(server.bindAsync.bind(server))(address, grpc.ServerCredentials.createInsecure());
  return path ? `unix://${path}` : address.replace(/\d+$/, port);
}

async function stop(server, health, calls) {
  health.setStatus('', 'NOT_SERVING');
  health.setStatus('coprocess.Dispatcher', 'NOT_SERVING');
  await Promise.race([finish(server, calls), sleep(GRACE, undefined, { ref: false })]);
  server.forceShutdown();
}

async function finish(server, calls) {
  // Node.js 18 loses answers that are still on their way when a connection begins to close.
  await Promise.all(calls);
  await sleep(LINGER);
  await promisify(server.tryShutdown.bind(server))();
}

module.exports = { plugin };
