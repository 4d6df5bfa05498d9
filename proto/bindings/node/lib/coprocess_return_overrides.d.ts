import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import { Header } from "./coprocess_response_object";
/**
 * ReturnOverrides end the request with an answer of the plugin's: nothing further
 * is asked, the upstream is not called, and Response hooks do not run. They are
 * obeyed in Pre, CustomKeyCheck, PostKeyAuth and Post.
 */
export interface ReturnOverrides {
    /**
     * The HTTP status of the answer. Sent as -1; with -1 or 0 there is no answer and
     * the other fields are ignored. A status outside 200 to 599 fails the hook.
     */
    response_code: number;
    /**
     * The text of the answer; where it is not empty, response_body is ignored. Sent
     * empty.
     */
    response_error: string;
    /**
     * Header fields of the answer, one value each. Sent empty. Content-Type does not
     * survive where the gateway writes the body: see override_error. What HTTP forbids,
     * Content-Length and Transfer-Encoding fail the hook.
     */
    headers: {
        [key: string]: string;
    };
    /**
     * Matters for a status of 400 or more. False: the text becomes the message of the
     * gateway's own error page, JSON or XML, "Key not authorised" if it is empty, and
     * an AuthFailure event is fired. True: the text is the body, as it stands.
     */
    override_error: boolean;
    /** The text of the answer where response_error is empty. Sent empty. */
    response_body: string;
    /**
     * Header fields of the answer with several values, as Set-Cookie has them. Sent
     * empty. A name that headers has too is left to it. Ignored in Tyk mode.
     */
    multivalue_headers: Header[];
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
export interface ReturnOverrides_HeadersEntry {
    key: string;
    value: string;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
export declare const ReturnOverrides: MessageFns<ReturnOverrides>;
export declare const ReturnOverrides_HeadersEntry: MessageFns<ReturnOverrides_HeadersEntry>;
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
