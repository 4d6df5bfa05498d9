'use strict';

const { once } = require('node:events');
const { BodyChunk } = require('@grapnel-gateway/coprocess');

const LARGEST = 256 << 10; // bytes that are sent in one piece

// The meaning of every member is told in plugin.d.ts.

class Body {
  #chunks;
  #ended;

  constructor(chunks, ended) {
    this.trailers = {};
    this.#chunks = chunks;
    this.#ended = ended;
  }

  async* [Symbol.asyncIterator]() {
    while (!this.#ended) {
      const { value: chunk, done } = await this.#chunks.next();
      if (done) throw new Error('the stream has ended before the body');
      if (chunk.end) {
        this.#ended = true;
        this.trailers = Object.fromEntries(chunk.trailers.map(({ key, values }) => [key, values]));
      }
      if (chunk.data.length > 0) yield chunk.data;
    }
  }
}

// pass lets the body of a call pass through what the hook of its object returns.
async function pass(call, ask) {
  const gone = new AbortController();
  call.once('cancelled', () => gone.abort());
  const send = async (chunk) => {
    if (!call.write(BodyChunk.fromPartial(chunk))) await once(call, 'drain', gone);
  };
  const chunks = call[Symbol.asyncIterator]();
  const { object, end } = (await chunks.next()).value;
  const through = await ask(object);
  await send({ object });
  if (object.request?.return_overrides?.response_code > 0) return;
  const body = new Body(chunks, end);
  for await (const piece of through ? through(body) : body) {
    for (let at = 0; at < piece.length; at += LARGEST) await send({ data: piece.subarray(at, at + LARGEST) });
  }
  await send({ end: true, trailers: Object.entries(body.trailers).map(([key, values]) => ({ key, values })) });
}

module.exports = { pass };
