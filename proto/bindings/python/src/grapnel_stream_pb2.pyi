import coprocess_object_pb2 as _coprocess_object_pb2
import coprocess_response_object_pb2 as _coprocess_response_object_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BodyChunk(_message.Message):
    __slots__ = ("object", "data", "end", "trailers")
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    TRAILERS_FIELD_NUMBER: _ClassVar[int]
    object: _coprocess_object_pb2.Object
    data: bytes
    end: bool
    trailers: _containers.RepeatedCompositeFieldContainer[_coprocess_response_object_pb2.Header]
    def __init__(self, object: _Optional[_Union[_coprocess_object_pb2.Object, _Mapping]] = ..., data: _Optional[bytes] = ..., end: bool = ..., trailers: _Optional[_Iterable[_Union[_coprocess_response_object_pb2.Header, _Mapping]]] = ...) -> None: ...
