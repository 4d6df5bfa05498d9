import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import { Param } from "./grapnel_values";
/**
 * Facts are what a hook is told on request: each part is sent where the hook's
 * configuration lists it under facts, and where there is something to tell.
 */
export interface Facts {
    /** Where the request comes from. Sent for the fact client. */
    client: ClientFacts | undefined;
    /** How the client's connection is protected. Sent for the fact tls, over TLS. */
    tls: TLSFacts | undefined;
    /**
     * The certificate that the client has shown, and proved to hold the key of. Sent
     * for the fact certificate.
     */
    certificate: ClientCertificate | undefined;
    /** Which API took the request, and where it goes. Sent for the fact route. */
    route: RouteFacts | undefined;
    /**
     * The claims of the token that the caller was let in with, as it was verified: a
     * JSON object. Sent for the fact claims, after authentication by such a token.
     */
    claims: string;
    /**
     * What a GraphQL request asks for. Sent for the fact graphql, where the API speaks
     * GraphQL.
     */
    graphql: GraphQLFacts | undefined;
    /**
     * The fields of a form in the body, urlencoded or multipart, files left out. Sent
     * for the fact form; pairs that are not well-formed are missing.
     */
    form: Param[];
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
/** ClientFacts say where a request comes from. */
export interface ClientFacts {
    /** The client's IP address, as far as trusted proxies tell it. */
    address: string;
    /** The other end of the connection, host and port: the client, or a proxy. */
    peer: string;
    /** The protocol of the request: HTTP/1.1 or HTTP/2.0. */
    protocol: string;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
/** TLSFacts say how the client's connection is protected. */
export interface TLSFacts {
    /** The version: TLS 1.2 or TLS 1.3. */
    version: string;
    /** The cipher suite, by its standard name: TLS_AES_128_GCM_SHA256. */
    cipher_suite: string;
    /** The server's name that the client asked for (SNI). */
    server_name: string;
    /** The protocol that both agreed on (ALPN): h2 or http/1.1. */
    protocol: string;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
/**
 * A ClientCertificate is what a client has shown to prove who it is. That it holds
 * the key is proved; whose word the certificate is, only where verified says so.
 */
export interface ClientCertificate {
    /** The certificate in PEM. */
    pem: string;
    /** The SHA-256 of the certificate, 64 hexadecimal digits in lower case. */
    fingerprint: string;
    /** Who it is about, as RFC 2253 writes names: CN=shop,O=Acme. */
    subject: string;
    /** Who issued it, in the same form. */
    issuer: string;
    /** The serial number, decimal. */
    serial: string;
    /** Its subject alternative names: host names. */
    dns_names: string[];
    /** Its subject alternative names: IP addresses. */
    ip_addresses: string[];
    /** Its subject alternative names: mail addresses. */
    email_addresses: string[];
    /** Its subject alternative names: URIs. */
    uris: string[];
    /** The other certificates that the client sent, in PEM and in its order. */
    chain: string[];
    /** When it begins to be valid, Unix seconds. */
    not_before: string;
    /** When it ends to be valid, Unix seconds. */
    not_after: string;
    /** Whether the listener found it issued by an authority of its client_ca. */
    verified: boolean;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
/** RouteFacts say which API took a request, and where it goes. */
export interface RouteFacts {
    /** The request's id, as in logs and error replies. */
    request_id: string;
    /** The API's name; its id is in Object.spec. */
    api_name: string;
    /** The API's listen path, as configured. */
    listen_path: string;
    /** The part of the request's path that led to the API. */
    matched_path: string;
    /** The name of the API's version; empty where there are none. */
    version: string;
    /**
     * The API's targets, one of which is called; to Response hooks, request.url tells
     * which.
     */
    targets: string[];
    /** When the gateway had read the request's header, Unix nanoseconds. */
    received: string;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
/** GraphQLFacts are what a GraphQL request asks for, over all its operations. */
export interface GraphQLFacts {
    /** The operations, in order; more than one is a batch. */
    operations: GraphQLOperation[];
    /** How deep the deepest operation nests: {a {b}} is 2. */
    depth: string;
    /** How many fields are selected, fragments written out. */
    complexity: string;
    /** How many of these fields are renamed. */
    aliases: string;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
/** A GraphQLOperation is one operation of a request. */
export interface GraphQLOperation {
    /**
     * query, mutation or subscription; empty for a query that the upstream keeps, of
     * which nothing more is known.
     */
    kind: string;
    /** The operation's name; empty without one. */
    name: string;
    /** The type that the operation starts from, as in Query. */
    type: string;
    /** The names of the fields that the operation starts with, each once. */
    root_fields: string[];
    /** How deep selections nest: {a {b}} is 2. */
    depth: string;
    /** How many fields are selected, fragments written out. */
    complexity: string;
    /** How many of these fields are renamed. */
    aliases: string;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
export declare const Facts: MessageFns<Facts>;
export declare const ClientFacts: MessageFns<ClientFacts>;
export declare const TLSFacts: MessageFns<TLSFacts>;
export declare const ClientCertificate: MessageFns<ClientCertificate>;
export declare const RouteFacts: MessageFns<RouteFacts>;
export declare const GraphQLFacts: MessageFns<GraphQLFacts>;
export declare const GraphQLOperation: MessageFns<GraphQLOperation>;
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
