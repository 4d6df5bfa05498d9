import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
/**
 * A HookType says at which point of a request's life the plugin is asked. The
 * hooks run in the order Pre, CustomKeyCheck, PostKeyAuth, Post, Response; the
 * numbers do not follow it.
 */
export declare enum HookType {
    /** Unknown - Never sent. It is what a plugin reads when the field is missing. */
    Unknown = 0,
    /** Pre - Before authentication, on every API. The caller is not known yet. */
    Pre = 1,
    /**
     * Post - Last before the upstream, on every API: header rules, rewrites and method
     * changes have been applied.
     */
    Post = 2,
    /** PostKeyAuth - Right after authentication, on APIs that have one. */
    PostKeyAuth = 3,
    /** CustomKeyCheck - Authentication: the plugin decides who is calling, and returns a session. */
    CustomKeyCheck = 4,
    /**
     * Response - After the upstream has answered, whatever its status. Not asked about
     * replies that the gateway or another hook made.
     */
    Response = 5,
    UNRECOGNIZED = -1
}
export declare function hookTypeFromJSON(object: any): HookType;
export declare function hookTypeToJSON(object: HookType): string;
/**
 * A StringSlice is a list of strings. No other message uses it; it is kept so
 * that code which names it still compiles.
 */
export interface StringSlice {
    /** The strings, in order. */
    items: string[];
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
export declare const StringSlice: MessageFns<StringSlice>;
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
