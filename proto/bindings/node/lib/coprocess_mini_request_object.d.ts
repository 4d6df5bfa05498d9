import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import { ReturnOverrides } from "./coprocess_return_overrides";
/**
 * A MiniRequestObject is one HTTP request. What is returned is applied in this
 * order: body, delete_headers, set_headers, url, delete_params, add_params, method,
 * return_overrides.
 */
export interface MiniRequestObject {
    /**
     * Header fields by canonical name (Content-Type), the first value of each; Host
     * is among them. Sent in every hook. Ignored when returned: use set_headers and
     * delete_headers.
     */
    headers: {
        [key: string]: string;
    };
    /**
     * Sent empty. Returned, each entry replaces all values of that header; a name
     * that is also in delete_headers ends up set. Host has no effect. Names and values
     * that HTTP forbids, Content-Length and Transfer-Encoding fail the hook.
     */
    set_headers: {
        [key: string]: string;
    };
    /**
     * Sent empty. Returned, all values of the named headers are removed, whatever the
     * case of the names. Host has no effect.
     */
    delete_headers: string[];
    /**
     * The body as text: raw_body again, or empty where that is not UTF-8 or the hook
     * is configured raw_body_only. Sent in every hook. Returned, an edit counts when
     * raw_body came back untouched or empty; in Tyk mode it never does.
     */
    body: string;
    /**
     * Path and query, listen path included; in Post, what a rewrite rule chose; in
     * Response, the absolute upstream URL. Returned, its path, and its query if it has
     * one of its own (in Tyk mode not), become the request's; a bad one fails the hook.
     */
    url: string;
    /**
     * Query parameters of url, the first value of each; form fields of the body are
     * not among them. Sent in every hook. Ignored when returned: use add_params and
     * delete_params.
     */
    params: {
        [key: string]: string;
    };
    /**
     * Sent empty. Returned, each parameter is set to this one value, in place of all
     * its values; applied after delete_params.
     */
    add_params: {
        [key: string]: string;
    };
    /** Not used: sent empty, ignored when returned. */
    extended_params: {
        [key: string]: string;
    };
    /** Sent empty. Returned, all values of the named query parameters are removed. */
    delete_params: string[];
    /**
     * An answer to the client in place of the upstream's. Sent in every hook with
     * response_code -1, which asks for none, as a missing one does.
     */
    return_overrides: ReturnOverrides | undefined;
    /**
     * The method; in Post, the one that a method rule chose; in Response, the one that
     * went upstream. Returned, it becomes the request's method; empty means GET.
     */
    method: string;
    /**
     * The request target as the client wrote it, never stripped nor changed; after a
     * rewrite rule, in Post, path and query of the URL that it chose. Sent in every
     * hook; ignored when returned.
     */
    request_uri: string;
    /**
     * https when the client's connection to the gateway is TLS, else http, whatever
     * X-Forwarded-Proto says. Sent in every hook; ignored when returned.
     */
    scheme: string;
    /**
     * The whole body. Sent in every hook. Returned, it becomes the request's body and
     * its size the Content-Length. Empty, it empties the body, unless body is filled,
     * which then counts; in Tyk mode it empties the body in any case.
     */
    raw_body: Buffer;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
export interface MiniRequestObject_HeadersEntry {
    key: string;
    value: string;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
export interface MiniRequestObject_SetHeadersEntry {
    key: string;
    value: string;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
export interface MiniRequestObject_ParamsEntry {
    key: string;
    value: string;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
export interface MiniRequestObject_AddParamsEntry {
    key: string;
    value: string;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
export interface MiniRequestObject_ExtendedParamsEntry {
    key: string;
    value: string;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
export declare const MiniRequestObject: MessageFns<MiniRequestObject>;
export declare const MiniRequestObject_HeadersEntry: MessageFns<MiniRequestObject_HeadersEntry>;
export declare const MiniRequestObject_SetHeadersEntry: MessageFns<MiniRequestObject_SetHeadersEntry>;
export declare const MiniRequestObject_ParamsEntry: MessageFns<MiniRequestObject_ParamsEntry>;
export declare const MiniRequestObject_AddParamsEntry: MessageFns<MiniRequestObject_AddParamsEntry>;
export declare const MiniRequestObject_ExtendedParamsEntry: MessageFns<MiniRequestObject_ExtendedParamsEntry>;
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
