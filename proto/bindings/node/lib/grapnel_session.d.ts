import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
/** An APILimit is the limits of a session on one API, in place of the session's own. */
export interface APILimit {
    /** Requests allowed in each span of per seconds; 0 or less is no limit. */
    rate: number;
    /** The span of rate, in seconds; 0 is no limit. */
    per: number;
    /**
     * How long a throttled request waits before it is tried again, in seconds. Kept
     * for the original's sake.
     */
    throttle_interval: number;
    /** How often a throttled request is tried again. Kept for the original's sake. */
    throttle_retry_limit: string;
    /** How deep GraphQL queries may nest; 0 leaves it to the session, -1 is no limit. */
    max_query_depth: string;
    /**
     * Requests allowed in each span of quota_renewal_rate seconds; 0 or less is no
     * limit.
     */
    quota_max: string;
    /** When the quota starts anew, Unix seconds. */
    quota_renews: string;
    /** Requests left of the quota: a copy for reading, the gateway keeps the count. */
    quota_remaining: string;
    /** The span of the quota, in seconds; 0 means that it never starts anew. */
    quota_renewal_rate: string;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
/** An EndpointLimit is the rates at which one endpoint of an API may be called. */
export interface EndpointLimit {
    /** The endpoint's path. */
    path: string;
    /** The rates, by method. */
    methods: MethodLimit[];
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
/** A MethodLimit is the rate of one method of an endpoint. */
export interface MethodLimit {
    /** The method, in capitals. */
    name: string;
    /** Requests allowed in each span of per seconds; 0 is no limit. */
    rate: number;
    /** The span of rate, in seconds. */
    per: number;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
export declare const APILimit: MessageFns<APILimit>;
export declare const EndpointLimit: MessageFns<EndpointLimit>;
export declare const MethodLimit: MessageFns<MethodLimit>;
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
