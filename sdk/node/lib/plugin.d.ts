import type { Facts, Object as CoprocessObject, ResponseObject, SessionState } from '@grapnel-gateway/coprocess';

/** A new plugin without hooks. Its functions need no `this` and may be taken apart: `const { hook, serve } = plugin()`. */
export declare function plugin(): Plugin;

/**
 * A Handler is one hook. It changes the exchange; what it returns is ignored, a promise is waited for. What it throws
 * fails the hook with the gRPC error INTERNAL: the client gets an error page, the error is printed, the server lives on.
 * Handlers run for many requests at once.
 */
export type Handler = (x: Exchange) => unknown;

/**
 * A StreamHandler is a hook with `stream: true`, for bodies of any size. It is asked before the body, as any hook. What
 * it returns is what the body passes through: an async generator function that yields the pieces which go on in its
 * place. Without one the body passes as it is. What it throws fails the exchange, or cuts the reply off.
 */
export type StreamHandler = (x: Exchange) => Through | void | Promise<Through | void>;

/** A Through makes of a body as it comes the body that goes on. */
export type Through = (body: Body) => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/**
 * A Body is a body as it comes, in pieces that are not empty. Neither side runs ahead: the next piece is fetched when it
 * is asked for, and what is yielded waits until it is taken.
 */
export interface Body extends AsyncIterable<Buffer> {
  /** The trailers behind the body, by name. They are there when all has come, and go on as they are at the end. */
  trailers: Record<string, string[]>;
}

/** A Plugin is a set of hooks and the server for them. */
export interface Plugin {
  /** Registers a function under the name that the hook has in the gateway. Names that nobody has registered change nothing. */
  hook(name: string, handler: Handler): Plugin;
  /** Registers a function for a hook with `stream: true`. Names that nobody has registered let bodies pass. */
  streamHook(name: string, handler: StreamHandler): Plugin;
  /** Registers the function that is told of events; the payload is JSON. */
  onEvent(handler: (payload: string) => unknown): Plugin;
  /**
   * Serves at the Unix socket in GRAPNEL_PLUGIN_SOCKET, else at the host:port in PLUGIN_LISTEN, else at 127.0.0.1:5555,
   * and says so on standard output. SIGTERM and SIGINT end it once the calls under way have finished, within 30 s.
   */
  serve(): Promise<void>;
  /** Serves at one address, `host:port` (port 0 takes a free one) or `unix:path`, until it is stopped. */
  start(address: string): Promise<Running>;
  /** Asks a hook without any network, for tests: fills up what is missing in the object and returns it as changed. */
  dispatch(object: DeepPartial<CoprocessObject>): Promise<CoprocessObject>;
}

/** A Running is a server at work. */
export interface Running {
  /** Where it listens: `host:port`, or `unix://path`. */
  address: string;
  /** Takes no new calls and waits for those under way, up to 30 s. */
  stop(): Promise<void>;
}

/**
 * An Exchange is one request as a hook sees it. What is read is how it stood when the hook was asked; what is set
 * takes effect when the hook returns. From a Response hook the request can only be read: there, setting throws. `deny` and
 * `reply` count there where the gateway's configuration gives the hook may_override; elsewhere the reply goes on.
 */
export interface Exchange {
  /** The message itself, for all that has no member here. Its 64-bit numbers are strings, its `bytes` Buffers. */
  readonly object: CoprocessObject;
  /** The method. */
  method: string;
  /** Path and query; in a Response hook, the upstream's whole URL. Set without a query, the request keeps its own. */
  url: string;
  /** The first value of a header, whatever the case of its name. */
  header(name: string): string | undefined;
  /** All values of a header, in order. */
  headerValues(name: string): readonly string[];
  /** Adds a value to a header. */
  addHeader(name: string, value: string | number): void;
  /** Replaces all values of a header by one. */
  setHeader(name: string, value: string | number): void;
  /** Removes a header with all its values. */
  deleteHeader(name: string): void;
  /** The first value of a query parameter. */
  param(name: string): string | undefined;
  /** All values of a query parameter, in order. */
  paramValues(name: string): readonly string[];
  /** Adds a value to a query parameter. */
  addParam(name: string, value: string | number): void;
  /** Replaces all values of a query parameter by one. */
  setParam(name: string, value: string | number): void;
  /** Removes a query parameter with all its values. */
  deleteParam(name: string): void;
  /** The body. Text may be set too; an empty body leaves none. */
  get body(): Buffer;
  set body(body: Uint8Array | string);
  /** The body as text; undefined where it is not UTF-8. */
  get text(): string | undefined;
  set text(text: string);
  /** The API's config_data, parsed; undefined where it has none. */
  readonly config: any;
  /** What the hook's configuration asks for under facts: client, tls, certificate, route, graphql, form. */
  readonly facts: Facts | undefined;
  /** The verified claims of the caller's token; undefined where there are none, or the hook does not ask for them. */
  readonly claims: any;
  /** Who is calling, in the hooks after authentication. Its 64-bit numbers (expires, quota_max …) are strings. */
  readonly session: SessionState | undefined;
  /** The upstream's reply, in Response hooks. */
  readonly response: Response | undefined;
  /**
   * Lets a caller in, from an auth hook: with the token that stands for them and their session. Fields left out are
   * zero; 64-bit numbers may be given as number, bigint or string. An unknown field or an empty token throws.
   */
  accept(token: string, session?: Session): void;
  /** Refuses: the client gets the status and the message on an error page of the gateway. */
  deny(status: number, message: string, headers?: Record<string, string>): void;
  /** Answers the client in place of the upstream, with a body of your own. */
  reply(status: number, body?: string, headers?: Record<string, string>): void;
}

/** A Response is the upstream's reply. */
export interface Response {
  /** The message itself. */
  readonly message: ResponseObject;
  /** The status, from 200 to 599. */
  status: number;
  /** The first value of a header, whatever the case of its name. */
  header(name: string): string | undefined;
  /** All values of a header, in order. */
  headerValues(name: string): readonly string[];
  /** Replaces all values of a header by one. */
  setHeader(name: string, value: string | number): void;
  /** Adds a value to a header, as for Set-Cookie. */
  addHeader(name: string, value: string | number): void;
  /** Removes a header with all its values. */
  deleteHeader(name: string): void;
  /** The body, still encoded as Content-Encoding says. Text may be set too; an empty body leaves none. */
  get body(): Buffer;
  set body(body: Uint8Array | string);
  /** The body as text; undefined where it is not UTF-8. */
  get text(): string | undefined;
  set text(text: string);
}

/** A Session is what `accept` takes: any fields of a SessionState, with 64-bit numbers in any form. */
export type Session = {
  [K in keyof SessionState]?: SessionState[K] extends string
    ? string | number | bigint
    : DeepPartial<SessionState[K]>;
};

/** The same shape, with everything optional. */
export type DeepPartial<T> = T extends Uint8Array | string | number | boolean | undefined
  ? T
  : T extends (infer E)[]
    ? DeepPartial<E>[]
    : { [K in keyof T]?: DeepPartial<T[K]> };
