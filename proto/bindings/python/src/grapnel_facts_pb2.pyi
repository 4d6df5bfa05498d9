import grapnel_values_pb2 as _grapnel_values_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Facts(_message.Message):
    __slots__ = ("client", "tls", "certificate", "route", "claims", "graphql", "form")
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    TLS_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    CLAIMS_FIELD_NUMBER: _ClassVar[int]
    GRAPHQL_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    client: ClientFacts
    tls: TLSFacts
    certificate: ClientCertificate
    route: RouteFacts
    claims: str
    graphql: GraphQLFacts
    form: _containers.RepeatedCompositeFieldContainer[_grapnel_values_pb2.Param]
    def __init__(self, client: _Optional[_Union[ClientFacts, _Mapping]] = ..., tls: _Optional[_Union[TLSFacts, _Mapping]] = ..., certificate: _Optional[_Union[ClientCertificate, _Mapping]] = ..., route: _Optional[_Union[RouteFacts, _Mapping]] = ..., claims: _Optional[str] = ..., graphql: _Optional[_Union[GraphQLFacts, _Mapping]] = ..., form: _Optional[_Iterable[_Union[_grapnel_values_pb2.Param, _Mapping]]] = ...) -> None: ...

class ClientFacts(_message.Message):
    __slots__ = ("address", "peer", "protocol")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    address: str
    peer: str
    protocol: str
    def __init__(self, address: _Optional[str] = ..., peer: _Optional[str] = ..., protocol: _Optional[str] = ...) -> None: ...

class TLSFacts(_message.Message):
    __slots__ = ("version", "cipher_suite", "server_name", "protocol")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CIPHER_SUITE_FIELD_NUMBER: _ClassVar[int]
    SERVER_NAME_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    version: str
    cipher_suite: str
    server_name: str
    protocol: str
    def __init__(self, version: _Optional[str] = ..., cipher_suite: _Optional[str] = ..., server_name: _Optional[str] = ..., protocol: _Optional[str] = ...) -> None: ...

class ClientCertificate(_message.Message):
    __slots__ = ("pem", "fingerprint", "subject", "issuer", "serial", "dns_names", "ip_addresses", "email_addresses", "uris", "chain", "not_before", "not_after", "verified")
    PEM_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ISSUER_FIELD_NUMBER: _ClassVar[int]
    SERIAL_FIELD_NUMBER: _ClassVar[int]
    DNS_NAMES_FIELD_NUMBER: _ClassVar[int]
    IP_ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    EMAIL_ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    URIS_FIELD_NUMBER: _ClassVar[int]
    CHAIN_FIELD_NUMBER: _ClassVar[int]
    NOT_BEFORE_FIELD_NUMBER: _ClassVar[int]
    NOT_AFTER_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_FIELD_NUMBER: _ClassVar[int]
    pem: str
    fingerprint: str
    subject: str
    issuer: str
    serial: str
    dns_names: _containers.RepeatedScalarFieldContainer[str]
    ip_addresses: _containers.RepeatedScalarFieldContainer[str]
    email_addresses: _containers.RepeatedScalarFieldContainer[str]
    uris: _containers.RepeatedScalarFieldContainer[str]
    chain: _containers.RepeatedScalarFieldContainer[str]
    not_before: int
    not_after: int
    verified: bool
    def __init__(self, pem: _Optional[str] = ..., fingerprint: _Optional[str] = ..., subject: _Optional[str] = ..., issuer: _Optional[str] = ..., serial: _Optional[str] = ..., dns_names: _Optional[_Iterable[str]] = ..., ip_addresses: _Optional[_Iterable[str]] = ..., email_addresses: _Optional[_Iterable[str]] = ..., uris: _Optional[_Iterable[str]] = ..., chain: _Optional[_Iterable[str]] = ..., not_before: _Optional[int] = ..., not_after: _Optional[int] = ..., verified: bool = ...) -> None: ...

class RouteFacts(_message.Message):
    __slots__ = ("request_id", "api_name", "listen_path", "matched_path", "version", "targets", "received")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    API_NAME_FIELD_NUMBER: _ClassVar[int]
    LISTEN_PATH_FIELD_NUMBER: _ClassVar[int]
    MATCHED_PATH_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    api_name: str
    listen_path: str
    matched_path: str
    version: str
    targets: _containers.RepeatedScalarFieldContainer[str]
    received: int
    def __init__(self, request_id: _Optional[str] = ..., api_name: _Optional[str] = ..., listen_path: _Optional[str] = ..., matched_path: _Optional[str] = ..., version: _Optional[str] = ..., targets: _Optional[_Iterable[str]] = ..., received: _Optional[int] = ...) -> None: ...

class GraphQLFacts(_message.Message):
    __slots__ = ("operations", "depth", "complexity", "aliases")
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    COMPLEXITY_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    operations: _containers.RepeatedCompositeFieldContainer[GraphQLOperation]
    depth: int
    complexity: int
    aliases: int
    def __init__(self, operations: _Optional[_Iterable[_Union[GraphQLOperation, _Mapping]]] = ..., depth: _Optional[int] = ..., complexity: _Optional[int] = ..., aliases: _Optional[int] = ...) -> None: ...

class GraphQLOperation(_message.Message):
    __slots__ = ("kind", "name", "type", "root_fields", "depth", "complexity", "aliases")
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELDS_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    COMPLEXITY_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    kind: str
    name: str
    type: str
    root_fields: _containers.RepeatedScalarFieldContainer[str]
    depth: int
    complexity: int
    aliases: int
    def __init__(self, kind: _Optional[str] = ..., name: _Optional[str] = ..., type: _Optional[str] = ..., root_fields: _Optional[_Iterable[str]] = ..., depth: _Optional[int] = ..., complexity: _Optional[int] = ..., aliases: _Optional[int] = ...) -> None: ...
