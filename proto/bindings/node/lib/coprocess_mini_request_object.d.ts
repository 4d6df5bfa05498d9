import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import { Header } from "./coprocess_response_object";
import { ReturnOverrides } from "./coprocess_return_overrides";
import { Param } from "./grapnel_values";
/**
 * A MiniRequestObject is one HTTP request. What is returned is applied in this
 * order: body, multivalue_headers, delete_headers, set_headers, append_headers, trailers,
 * url, multivalue_params, delete_params, add_params, append_params, method,
 * return_overrides. What comes later wins, so that of two fields about one name the
 * older one does. The fields from 1000 up are neither sent nor obeyed in Tyk mode.
 */
export interface MiniRequestObject {
    /**
     * Header fields by canonical name (Content-Type), the first value of each; Host
     * is among them. Sent in every hook, unless its send hides some. Ignored when
     * returned: use set_headers and delete_headers.
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
    /**
     * The header fields that have several values, with all of them, in order; headers
     * has the first. Returned, an entry that was changed or added gives the header these
     * values, one without values removes it, and a name that is missing is left alone.
     * Names in set_headers and delete_headers are left to those. Host has no effect.
     */
    multivalue_headers: Header[];
    /**
     * Sent empty. Returned, the values are added to those that the header has once all
     * other changes are made. Host has no effect.
     */
    append_headers: Header[];
    /**
     * The query parameters that have several values, with all of them, in order; params
     * has the first, and url the query as it stands. Returned, as multivalue_headers;
     * add_params, delete_params and a query written into url win.
     */
    multivalue_params: Param[];
    /**
     * Sent empty. Returned, the values are added at the end of the query, once all other
     * changes are made.
     */
    append_params: Param[];
    /**
     * The trailers, which follow the body. Sent where there are any. Returned, an entry
     * sets its trailer, one without values removes it, and a name that is missing is
     * left alone; a request without a body has none.
     */
    trailers: Header[];
    /**
     * Whether raw_body is only the beginning of the body, since the hook asks for no
     * more. Then the body cannot be changed. Ignored when returned.
     */
    body_truncated: boolean;
    /**
     * The size of the whole body in bytes where raw_body is not all of it, -1 where it
     * is not known. Ignored when returned.
     */
    body_size: string;
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
