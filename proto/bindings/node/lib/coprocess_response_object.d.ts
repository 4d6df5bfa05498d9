import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
/**
 * A ResponseObject is one HTTP reply, sent to Response hooks only. What they return
 * takes the place of the whole reply, so leave in it what is to stay.
 */
export interface ResponseObject {
    /**
     * The HTTP status. Returned, it becomes the reply's; one outside 200 to 599, 0
     * included, fails the hook.
     */
    status_code: number;
    /**
     * The whole body, still encoded as Content-Encoding says. Returned, it becomes the
     * reply's body and its size the Content-Length. Empty, it empties the body.
     */
    raw_body: Buffer;
    /**
     * The body as text: raw_body again, or empty where that is not UTF-8 or the hook
     * is configured raw_body_only. Returned, an edit counts when raw_body came back
     * untouched; in Tyk mode it never does.
     */
    body: string;
    /**
     * Header fields by canonical name, the first value of each. Returned, a changed
     * entry replaces the first value, a new one adds the header, a missing one removes
     * it.
     */
    headers: {
        [key: string]: string;
    };
    /**
     * All header fields with all their values. Returned, they are the reply's headers
     * once the changes in headers are made; names that only they have count too (in Tyk
     * mode not where headers changed). Missing as a whole, they count as left alone.
     */
    multivalue_headers: Header[];
    /**
     * The trailers, which follow the body. Sent where there are any. Returned, an entry
     * sets its trailer, one without values removes it, and a name that is missing is
     * left alone; a reply without a body has none. Neither sent nor obeyed in Tyk mode.
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
export interface ResponseObject_HeadersEntry {
    key: string;
    value: string;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
/** A Header is one header field with all its values, in order. */
export interface Header {
    /** The name; sent in canonical form (Set-Cookie). */
    key: string;
    /** The values. Returned, each becomes a line of its own. */
    values: string[];
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
export declare const ResponseObject: MessageFns<ResponseObject>;
export declare const ResponseObject_HeadersEntry: MessageFns<ResponseObject_HeadersEntry>;
export declare const Header: MessageFns<Header>;
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
