import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import { APILimit, EndpointLimit } from "./grapnel_session";
/** An AccessSpec is the right to call one path with some methods. */
export interface AccessSpec {
    /** A regular expression that is tried against the path. */
    url: string;
    /** The methods that are allowed there, in capitals. */
    methods: string[];
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
/** An AccessDefinition is the right to call one API. */
export interface AccessDefinition {
    /** The API's name, for people. */
    api_name: string;
    /** The API's id, the same as its key in access_rights. */
    api_id: string;
    /** The names of the versions that may be called. */
    versions: string[];
    /** The paths that may be called; empty means all. */
    allowed_urls: AccessSpec[];
    /**
     * The limits on this API, in place of the session's own. Not sent in Tyk mode.
     * Returned, a missing or empty one keeps what is stored of the session.
     */
    limit: APILimit | undefined;
    /**
     * What limit is counted under; empty is the API. Not sent in Tyk mode. Returned, it
     * counts together with limit.
     */
    allowance_scope: string;
    /**
     * The rates of single endpoints. Not sent in Tyk mode. Returned, none keeps what is
     * stored.
     */
    endpoints: EndpointLimit[];
    /**
     * All else that is stored with the right, as JSON by its key: allowed_types,
     * restricted_types, field_access_rights, disable_introspection and so on. Not sent
     * in Tyk mode. Returned, a key that is missing keeps what is stored.
     */
    extra: {
        [key: string]: string;
    };
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
export interface AccessDefinition_ExtraEntry {
    key: string;
    value: string;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
/** BasicAuthData is the password of a session that logs in with one. */
export interface BasicAuthData {
    /** The password, hashed as hash says. */
    password: string;
    /** How the password is hashed; empty means not at all. */
    hash: string;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
/** JWTData is what a session's JSON Web Tokens are checked with. */
export interface JWTData {
    /** The shared secret or public key, in clear. */
    secret: string;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
/**
 * A Monitor says at which use of its quota the owner of a session is to hear of it.
 * The gateway keeps it and sends it on; it does not watch it.
 */
export interface Monitor {
    /** Shares of the quota, in percent, at which an event is fired. */
    trigger_limits: number[];
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
/**
 * A SessionState is who is calling. Unless a field says otherwise, it is sent
 * wherever the session is, and counts when CustomKeyCheck returns it.
 */
export interface SessionState {
    /** When the rate was last looked at, Unix seconds. Kept for the original's sake. */
    last_check: string;
    /** Requests left in the current span of rate. Kept for the original's sake. */
    allowance: number;
    /** Requests allowed in each span of per seconds; 0 or less is no limit. */
    rate: number;
    /** The span of rate, in seconds; 0 is no limit. */
    per: number;
    /** When the session ends, Unix seconds; 0 or less is never. */
    expires: string;
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
    /** The APIs that may be called, by API id; empty means all. */
    access_rights: {
        [key: string]: AccessDefinition;
    };
    /**
     * The organisation that owns the session. Whatever CustomKeyCheck returns here, it
     * becomes that of the API.
     */
    org_id: string;
    /** The OAuth client that the session was made for. */
    oauth_client_id: string;
    /** Secrets of OAuth clients, by client id. */
    oauth_keys: {
        [key: string]: string;
    };
    /** The password that the session logs in with. */
    basic_auth_data: BasicAuthData | undefined;
    /** What the session's JSON Web Tokens are checked with. */
    jwt_data: JWTData | undefined;
    /** Whether requests may be signed with hmac_secret. */
    hmac_enabled: boolean;
    /** The secret of HMAC signatures, in clear. */
    hmac_secret: string;
    /** Whether the session is switched off; its calls are refused. */
    is_inactive: boolean;
    /** The policy that governs the session, where apply_policies is empty. */
    apply_policy_id: string;
    /** When the session's recorded data may be deleted, Unix seconds. */
    data_expires: string;
    /** At which use of the quota the owner is to hear of it; kept, not watched. */
    monitor: Monitor | undefined;
    /** Whether requests are recorded in full, bodies included. */
    enable_detailed_recording: boolean;
    /**
     * What plugins and others noted about the session; the same as Object.metadata.
     * Values that are not text elsewhere are sent as JSON.
     */
    metadata: {
        [key: string]: string;
    };
    /** Words to find the session by in analytics. */
    tags: string[];
    /** A name for people, shown in place of the credential. */
    alias: string;
    /**
     * When the session was last changed, Unix seconds as text. A new value does not
     * start the rate limit anew.
     */
    last_updated: string;
    /**
     * Until when the session, once stored, spares the CustomKeyCheck call for requests
     * with the same extracted id, Unix seconds (not milliseconds); 0 is never.
     */
    id_extractor_deadline: string;
    /** How long the session is kept once stored, in seconds; 0 is the API's own span. */
    session_lifetime: string;
    /** The policies that govern the session, by id; they come before apply_policy_id. */
    apply_policies: string[];
    /**
     * The id of the client certificate that goes with the session. Not sent in
     * Tyk mode; kept when returned.
     */
    certificate: string;
    /** How deep GraphQL queries may nest. Not sent in Tyk mode; kept when returned. */
    max_query_depth: string;
    /**
     * The credential that stands for the session, in clear: from CustomKeyCheck, the
     * entry "token" of the metadata. Sent only to hooks whose send asks for the whole
     * session, and not in Tyk mode; ignored when returned.
     */
    key_id: string;
    /** What becomes of the stored session when it has expired: retain or delete. */
    post_expiry_action: string;
    /**
     * How long a retained session stays after it has expired, in seconds; 0 is for
     * ever.
     */
    post_expiry_grace_period: string;
    /**
     * How long a throttled request waits before it is tried again, in seconds. Not sent
     * in Tyk mode. Returned, 0 keeps what is stored.
     */
    throttle_interval: number;
    /**
     * How often a throttled request is tried again. Not sent in Tyk mode. Returned, 0
     * keeps what is stored.
     */
    throttle_retry_limit: string;
    /**
     * When the session was made, as text. Not sent in Tyk mode. Returned, an empty one
     * keeps what is stored.
     */
    date_created: string;
    /**
     * Whether signatures of requests are checked with rsa_certificate_id. Not sent in
     * Tyk mode. Returned, false keeps what is stored.
     */
    enable_http_signature_validation: boolean;
    /**
     * The id of the certificate that checks signatures. Not sent in Tyk mode. Returned,
     * an empty one keeps what is stored.
     */
    rsa_certificate_id: string;
    /**
     * The entries of metadata that are not text, as JSON, so that 7 and "7" are told
     * apart. Not sent in Tyk mode. Returned, an entry gives its type to the one of
     * metadata if that is missing or has the same text; if not, that of metadata wins.
     */
    metadata_json: {
        [key: string]: string;
    };
    /**
     * All else that is stored with the session, as JSON by its key: smoothing,
     * mtls_static_certificate_bindings and so on. Not sent in Tyk mode. Returned, a key
     * that is missing keeps what is stored.
     */
    extra: {
        [key: string]: string;
    };
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
export interface SessionState_AccessRightsEntry {
    key: string;
    value: AccessDefinition | undefined;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
export interface SessionState_OauthKeysEntry {
    key: string;
    value: string;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
export interface SessionState_MetadataEntry {
    key: string;
    value: string;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
export interface SessionState_MetadataJsonEntry {
    key: string;
    value: string;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
export interface SessionState_ExtraEntry {
    key: string;
    value: string;
    _unknownFields?: {
        [key: number]: Uint8Array[];
    } | undefined;
}
export declare const AccessSpec: MessageFns<AccessSpec>;
export declare const AccessDefinition: MessageFns<AccessDefinition>;
export declare const AccessDefinition_ExtraEntry: MessageFns<AccessDefinition_ExtraEntry>;
export declare const BasicAuthData: MessageFns<BasicAuthData>;
export declare const JWTData: MessageFns<JWTData>;
export declare const Monitor: MessageFns<Monitor>;
export declare const SessionState: MessageFns<SessionState>;
export declare const SessionState_AccessRightsEntry: MessageFns<SessionState_AccessRightsEntry>;
export declare const SessionState_OauthKeysEntry: MessageFns<SessionState_OauthKeysEntry>;
export declare const SessionState_MetadataEntry: MessageFns<SessionState_MetadataEntry>;
export declare const SessionState_MetadataJsonEntry: MessageFns<SessionState_MetadataJsonEntry>;
export declare const SessionState_ExtraEntry: MessageFns<SessionState_ExtraEntry>;
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
