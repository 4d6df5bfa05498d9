import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import { type CallOptions, type ChannelCredentials, Client, type ClientDuplexStream, type ClientOptions, type handleBidiStreamingCall, type Metadata, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { Object } from "./coprocess_object";
import { Header } from "./coprocess_response_object";
/**
 * A BodyChunk is one message of a body that passes through a plugin, in either
 * direction.
 */
export interface BodyChunk {
    /**
     * What Dispatch would be sent, without the body, and what it would answer. In the
     * first message of each direction, and in no other.
     */
    object: Object | undefined;
    /**
     * The next bytes of the body. The gateway sends 64 KiB at most; an answer may have
     * as many as any answer of the server may.
     */
    data: Buffer;
    /**
     * Whether the body ends here. The gateway then sends nothing more, and reads
     * nothing more.
     */
    end: boolean;
    /**
     * The trailers behind the body, all of them; they come with end. What is sent back
     * replaces them.
     */
    trailers: Header[];
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
export declare const BodyChunk: MessageFns<BodyChunk>;
/**
 * A BodyStream lets bodies pass through a plugin: those of requests in Post hooks,
 * those of replies in Response hooks.
 */
export type BodyStreamService = typeof BodyStreamService;
export declare const BodyStreamService: {
    /**
     * Exchange is one body of one exchange. The gateway sends an Object and waits,
     * within the hook's deadline, for the one that answers it, which may change all
     * but the body, or answer the client. Then the body follows in both directions at
     * once: the plugin may answer each piece, or some of them, or all at the end, and
     * does not get more than it reads. The body that goes on is the one that it sent,
     * up to the message with end; a stream without fails the exchange, or cuts the
     * reply off. No piece may keep the gateway waiting for longer than the deadline.
     */
    readonly exchange: {
        readonly path: "/coprocess.BodyStream/Exchange";
        readonly requestStream: true;
        readonly responseStream: true;
        readonly requestSerialize: (value: BodyChunk) => Buffer;
        readonly requestDeserialize: (value: Buffer) => BodyChunk;
        readonly responseSerialize: (value: BodyChunk) => Buffer;
        readonly responseDeserialize: (value: Buffer) => BodyChunk;
    };
};
export interface BodyStreamServer extends UntypedServiceImplementation {
    /**
     * Exchange is one body of one exchange. The gateway sends an Object and waits,
     * within the hook's deadline, for the one that answers it, which may change all
     * but the body, or answer the client. Then the body follows in both directions at
     * once: the plugin may answer each piece, or some of them, or all at the end, and
     * does not get more than it reads. The body that goes on is the one that it sent,
     * up to the message with end; a stream without fails the exchange, or cuts the
     * reply off. No piece may keep the gateway waiting for longer than the deadline.
     */
    exchange: handleBidiStreamingCall<BodyChunk, BodyChunk>;
}
export interface BodyStreamClient extends Client {
    /**
     * Exchange is one body of one exchange. The gateway sends an Object and waits,
     * within the hook's deadline, for the one that answers it, which may change all
     * but the body, or answer the client. Then the body follows in both directions at
     * once: the plugin may answer each piece, or some of them, or all at the end, and
     * does not get more than it reads. The body that goes on is the one that it sent,
     * up to the message with end; a stream without fails the exchange, or cuts the
     * reply off. No piece may keep the gateway waiting for longer than the deadline.
     */
    exchange(): ClientDuplexStream<BodyChunk, BodyChunk>;
    exchange(options: Partial<CallOptions>): ClientDuplexStream<BodyChunk, BodyChunk>;
    exchange(metadata: Metadata, options?: Partial<CallOptions>): ClientDuplexStream<BodyChunk, BodyChunk>;
}
export declare const BodyStreamClient: {
    new (address: string, credentials: ChannelCredentials, options?: Partial<ClientOptions>): BodyStreamClient;
    service: typeof BodyStreamService;
    serviceName: string;
};
type Builtin = Date | Function | Uint8Array | string | number | boolean | undefined;
type DeepPartial<T> = T extends Builtin ? T : T extends globalThis.Array<infer U> ? globalThis.Array<DeepPartial<U>> : T extends ReadonlyArray<infer U> ? ReadonlyArray<DeepPartial<U>> : T extends {} ? {
    [K in keyof T]?: DeepPartial<T[K]>;
} : Partial<T>;
type KeysOfUnion<T> = T extends T ? keyof T : never;
type Exact<P, I extends P> = P extends Builtin ? P : P & {
    [K in keyof P]: Exact<P[K], I[K]>;
} & {
    [K in Exclude<keyof I, KeysOfUnion<P>>]: never;
};
interface MessageFns<T> {
    encode(message: T, writer?: BinaryWriter): BinaryWriter;
    decode(input: BinaryReader | Uint8Array, length?: number): T;
    fromJSON(object: any): T;
    toJSON(message: T): unknown;
    create<I extends Exact<DeepPartial<T>, I>>(base?: I): T;
    fromPartial<I extends Exact<DeepPartial<T>, I>>(object: I): T;
}
export {};
