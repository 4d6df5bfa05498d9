import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import { type CallOptions, type ChannelCredentials, Client, type ClientOptions, type ClientUnaryCall, type handleUnaryCall, type Metadata, type ServiceError, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { HookType } from "./coprocess_common";
import { MiniRequestObject } from "./coprocess_mini_request_object";
import { ResponseObject } from "./coprocess_response_object";
import { SessionState } from "./coprocess_session_state";
import { Facts } from "./grapnel_facts";
/**
 * An Object is what a hook is about. The plugin gets one, changes what it wants
 * to change, and returns it; returning it as it came changes nothing.
 */
export interface Object {
    /** The kind of hook that is asked. Sent in every hook; ignored when returned. */
    hook_type: HookType;
    /**
     * The hook's name in the gateway's configuration: which of your functions is
     * meant. Sent in every hook, empty for an auth hook without a name; ignored
     * when returned.
     */
    hook_name: string;
    /**
     * The HTTP request. Sent in every hook. Returned by Pre, CustomKeyCheck,
     * PostKeyAuth and Post it changes the request, and missing it changes nothing;
     * Response hooks cannot change it.
     */
    request: MiniRequestObject | undefined;
    /**
     * Who is calling. Sent to PostKeyAuth and Post when the caller is known, and to
     * Response always, empty for an unknown caller. Returned, only CustomKeyCheck's
     * counts: it becomes the caller's session, and without one the call is refused.
     */
    session: SessionState | undefined;
    /**
     * The same entries as session.metadata; sent when the caller is known. Returned,
     * only CustomKeyCheck's counts: its entries win over those of session.metadata,
     * and the entry "token", in either map, names the session and must not be empty.
     * Of later hooks those count that are configured write_back.
     */
    metadata: {
        [key: string]: string;
    };
    /**
     * Facts about the API: OrgID, APIID, bundle_hash (hex MD5 of the bundle's name)
     * and, where the API has any, config_data (JSON). Sent in every hook; ignored
     * when returned.
     */
    spec: {
        [key: string]: string;
    };
    /**
     * The upstream's reply. Sent to Response hooks only. Returned by them it replaces
     * the reply, and missing it fails the hook; ignored from every other hook.
     */
    response: ResponseObject | undefined;
    /**
     * What the hook's configuration asks for under facts: the connection, the client's
     * certificate, the route and so on. Ignored when returned.
     */
    facts: Facts | undefined;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
export interface Object_MetadataEntry {
    key: string;
    value: string;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
export interface Object_SpecEntry {
    key: string;
    value: string;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
/**
 * An Event tells a plugin that something happened to a request of an API whose
 * configuration asks for such events.
 */
export interface Event {
    /**
     * JSON: {"message": {"Type": …, "Meta": {…}, "TimeStamp": …}, "handler_name": …,
     * "spec": {"APIID": …, "OrgID": …}}. Meta.OriginatingRequest is the request in
     * base64, credentials included.
     */
    payload: string;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
/** An EventReply says that an event has arrived. It has no content. */
export interface EventReply {
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
export declare const Object: MessageFns<Object>;
export declare const Object_MetadataEntry: MessageFns<Object_MetadataEntry>;
export declare const Object_SpecEntry: MessageFns<Object_SpecEntry>;
export declare const Event: MessageFns<Event>;
export declare const EventReply: MessageFns<EventReply>;
/**
 * A Dispatcher is a plugin server. The gateway is its client. It may be asked
 * many things at once, and each call stands alone.
 */
export type DispatcherService = typeof DispatcherService;
export declare const DispatcherService: {
    /**
     * Dispatch asks one hook about one request; the request waits for the answer.
     * A gRPC error, or no answer within the call's deadline, fails the hook: the
     * client gets 403 from CustomKeyCheck, 500 from the others.
     */
    readonly dispatch: {
        readonly path: "/coprocess.Dispatcher/Dispatch";
        readonly requestStream: false;
        readonly responseStream: false;
        readonly requestSerialize: (value: Object) => Buffer;
        readonly requestDeserialize: (value: Buffer) => Object;
        readonly responseSerialize: (value: Object) => Buffer;
        readonly responseDeserialize: (value: Buffer) => Object;
    };
    /**
     * DispatchEvent tells of an event. No request waits for it; an error is logged
     * and not tried again, and events may arrive in any order or, under load, not.
     */
    readonly dispatchEvent: {
        readonly path: "/coprocess.Dispatcher/DispatchEvent";
        readonly requestStream: false;
        readonly responseStream: false;
        readonly requestSerialize: (value: Event) => Buffer;
        readonly requestDeserialize: (value: Buffer) => Event;
        readonly responseSerialize: (value: EventReply) => Buffer;
        readonly responseDeserialize: (value: Buffer) => EventReply;
    };
};
export interface DispatcherServer extends UntypedServiceImplementation {
    /**
     * Dispatch asks one hook about one request; the request waits for the answer.
     * A gRPC error, or no answer within the call's deadline, fails the hook: the
     * client gets 403 from CustomKeyCheck, 500 from the others.
     */
    dispatch: handleUnaryCall<Object, Object>;
    /**
     * DispatchEvent tells of an event. No request waits for it; an error is logged
     * and not tried again, and events may arrive in any order or, under load, not.
     */
    dispatchEvent: handleUnaryCall<Event, EventReply>;
}
export interface DispatcherClient extends Client {
    /**
     * Dispatch asks one hook about one request; the request waits for the answer.
     * A gRPC error, or no answer within the call's deadline, fails the hook: the
     * client gets 403 from CustomKeyCheck, 500 from the others.
     */
    dispatch(request: Object, callback: (error: ServiceError | null, response: Object) => void): ClientUnaryCall;
    dispatch(request: Object, metadata: Metadata, callback: (error: ServiceError | null, response: Object) => void): ClientUnaryCall;
    dispatch(request: Object, metadata: Metadata, options: Partial<CallOptions>, callback: (error: ServiceError | null, response: Object) => void): ClientUnaryCall;
    /**
     * DispatchEvent tells of an event. No request waits for it; an error is logged
     * and not tried again, and events may arrive in any order or, under load, not.
     */
    dispatchEvent(request: Event, callback: (error: ServiceError | null, response: EventReply) => void): ClientUnaryCall;
    dispatchEvent(request: Event, metadata: Metadata, callback: (error: ServiceError | null, response: EventReply) => void): ClientUnaryCall;
    dispatchEvent(request: Event, metadata: Metadata, options: Partial<CallOptions>, callback: (error: ServiceError | null, response: EventReply) => void): ClientUnaryCall;
}
export declare const DispatcherClient: {
    new (address: string, credentials: ChannelCredentials, options?: Partial<ClientOptions>): DispatcherClient;
    service: typeof DispatcherService;
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
