from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class APILimit(_message.Message):
    __slots__ = ("rate", "per", "throttle_interval", "throttle_retry_limit", "max_query_depth", "quota_max", "quota_renews", "quota_remaining", "quota_renewal_rate")
    RATE_FIELD_NUMBER: _ClassVar[int]
    PER_FIELD_NUMBER: _ClassVar[int]
    THROTTLE_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    THROTTLE_RETRY_LIMIT_FIELD_NUMBER: _ClassVar[int]
    MAX_QUERY_DEPTH_FIELD_NUMBER: _ClassVar[int]
    QUOTA_MAX_FIELD_NUMBER: _ClassVar[int]
    QUOTA_RENEWS_FIELD_NUMBER: _ClassVar[int]
    QUOTA_REMAINING_FIELD_NUMBER: _ClassVar[int]
    QUOTA_RENEWAL_RATE_FIELD_NUMBER: _ClassVar[int]
    rate: float
    per: float
    throttle_interval: float
    throttle_retry_limit: int
    max_query_depth: int
    quota_max: int
    quota_renews: int
    quota_remaining: int
    quota_renewal_rate: int
    def __init__(self, rate: _Optional[float] = ..., per: _Optional[float] = ..., throttle_interval: _Optional[float] = ..., throttle_retry_limit: _Optional[int] = ..., max_query_depth: _Optional[int] = ..., quota_max: _Optional[int] = ..., quota_renews: _Optional[int] = ..., quota_remaining: _Optional[int] = ..., quota_renewal_rate: _Optional[int] = ...) -> None: ...

class EndpointLimit(_message.Message):
    __slots__ = ("path", "methods")
    PATH_FIELD_NUMBER: _ClassVar[int]
    METHODS_FIELD_NUMBER: _ClassVar[int]
    path: str
    methods: _containers.RepeatedCompositeFieldContainer[MethodLimit]
    def __init__(self, path: _Optional[str] = ..., methods: _Optional[_Iterable[_Union[MethodLimit, _Mapping]]] = ...) -> None: ...

class MethodLimit(_message.Message):
    __slots__ = ("name", "rate", "per")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    PER_FIELD_NUMBER: _ClassVar[int]
    name: str
    rate: float
    per: float
    def __init__(self, name: _Optional[str] = ..., rate: _Optional[float] = ..., per: _Optional[float] = ...) -> None: ...
