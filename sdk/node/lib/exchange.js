'use strict';

const { HookType, MiniRequestObject, ReturnOverrides, SessionState } = require('@grapnel-gateway/coprocess');

// The meaning of every member is told in plugin.d.ts.

class Exchange {
  constructor(object) {
    this.object = object;
  }

  get method() { return this.object.request?.method ?? ''; }
  set method(method) { this.#request().method = method; }

  get url() { return this.object.request?.url ?? ''; }
  set url(url) { this.#request().url = url; }

  header(name) { return own(this.object.request?.headers, canonical(name)); }

  headerValues(name) {
    const { multivalue_headers = [], headers } = this.object.request ?? {};
    const key = canonical(name);
    return multivalue_headers.find((h) => h.key === key)?.values ?? single(headers, key);
  }

  addHeader(name, value) { this.#request().append_headers.push({ key: canonical(name), values: [String(value)] }); }

  setHeader(name, value) { this.#unsetHeader(name).set_headers[canonical(name)] = String(value); }

  deleteHeader(name) {
    this.#unsetHeader(name).delete_headers.push(canonical(name));
  }

  // The request without what was set and added before.
  #unsetHeader(name) {
    const request = this.#request();
    delete request.set_headers[canonical(name)];
    request.append_headers = request.append_headers.filter((h) => h.key !== canonical(name));
    return request;
  }

  param(name) { return own(this.object.request?.params, name); }

  paramValues(name) {
    const { multivalue_params = [], params } = this.object.request ?? {};
    return multivalue_params.find((p) => p.name === name)?.values ?? single(params, name);
  }

  addParam(name, value) { this.#request().append_params.push({ name, values: [String(value)] }); }

  setParam(name, value) { this.#unsetParam(name).add_params[name] = String(value); }

  deleteParam(name) {
    this.#unsetParam(name).delete_params.push(name);
  }

  // The request without what was set and added before.
  #unsetParam(name) {
    const request = this.#request();
    delete request.add_params[name];
    request.append_params = request.append_params.filter((p) => p.name !== name);
    return request;
  }

  get body() { return bytes(this.object.request?.raw_body); }
  set body(body) { setBody(this.#request(), body); }

  get text() { return utf8(this.body); }
  set text(text) { this.body = text; }

  get config() {
    const json = own(this.object.spec, 'config_data');
    return json ? JSON.parse(json) : undefined;
  }

  get facts() { return this.object.facts; }

  get claims() {
    const json = this.object.facts?.claims;
    return json ? JSON.parse(json) : undefined;
  }

  get session() { return this.object.session; }

  get response() {
    return this.object.response && new Response(this.object.response);
  }

  accept(token, session = {}) {
    if (!token) throw new TypeError('accept needs a token that is not empty');
    this.object.session = makeSession(session);
    this.object.metadata = { ...session.metadata, token };
  }

  deny(status, message, headers = {}) {
    this.#answer({ response_code: status, response_error: message, headers });
  }

  reply(status, body = '', headers = {}) {
    this.#answer({ response_code: status, response_body: body, override_error: true, headers });
  }

  #answer(overrides) {
    (this.object.request ??= MiniRequestObject.fromPartial({})).return_overrides = ReturnOverrides.fromPartial(overrides);
  }

  // The request to change; one that was not sent begins empty.
  #request() {
    if (this.object.hook_type === HookType.Response) {
      throw new Error('a Response hook cannot change the request; change x.response');
    }
    return (this.object.request ??= MiniRequestObject.fromPartial({}));
  }
}

class Response {
  constructor(message) {
    this.message = message;
  }

  get status() { return this.message.status_code; }
  set status(status) { this.message.status_code = status; }

  header(name) { return own(this.message.headers, canonical(name)); }

  headerValues(name) {
    const key = canonical(name);
    return this.message.multivalue_headers.find((h) => h.key === key)?.values ?? [];
  }

  setHeader(name, value) {
    this.deleteHeader(name);
    this.addHeader(name, value);
  }

  addHeader(name, value) {
    const key = canonical(name);
    this.message.headers[key] ??= String(value);
    const entry = this.message.multivalue_headers.find((h) => h.key === key);
    if (entry) entry.values.push(String(value));
    else this.message.multivalue_headers.push({ key, values: [String(value)] });
  }

  deleteHeader(name) {
    const key = canonical(name);
    delete this.message.headers[key];
    this.message.multivalue_headers = this.message.multivalue_headers.filter((h) => h.key !== key);
  }

  get body() { return bytes(this.message.raw_body); }
  set body(body) { setBody(this.message, body); }

  get text() { return utf8(this.body); }
  set text(text) { this.body = text; }
}

// What a session does not have is refused, or a limit could be lost by a slip.
function makeSession(fields) {
  const session = SessionState.fromPartial({});
  for (const [name, value] of Object.entries(fields)) {
    if (!Object.hasOwn(session, name)) throw new TypeError(`a session has no field ${name}`);
    session[name] = checked(name, value, session[name]);
  }
  return SessionState.fromPartial(session);
}

// Whole numbers of 64 bits are strings in the messages, so that none is rounded.
function checked(name, value, zero) {
  if (zero === '0') return String(BigInt(value));
  if (zero === '') return String(value);
  if (zero !== undefined && typeof value !== typeof zero) throw new TypeError(`${name} is not a ${typeof zero}`);
  return value;
}

// The messages hold a body twice: as bytes, and as text where it is UTF-8.
function setBody(message, body) {
  message.raw_body = typeof body === 'string' ? Buffer.from(body) : bytes(body);
  message.body = utf8(message.raw_body) ?? '';
}

function bytes(array = new Uint8Array()) {
  return Buffer.isBuffer(array) ? array : Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

function utf8(body) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return undefined;
  }
}

// Content-Type, as the gateway writes the names of headers.
function canonical(name) {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}

function own(map, name) {
  return map && Object.hasOwn(map, name) ? map[name] : undefined;
}

function single(map, name) {
  const value = own(map, name);
  return value === undefined ? [] : [value];
}

module.exports = { Exchange, Response };
