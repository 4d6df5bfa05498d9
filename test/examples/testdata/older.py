"""A plugin as they were written for the original gateway, on its own contract.

    older.py proto/descriptor.binpb HOST:PORT

What protoc would have generated of the contract is made of its descriptors, so
that nothing of a later contract is known here.
"""

import json
import sys
from concurrent import futures

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

TOKEN = "71f6ac3385ce284152a64208521c592b"

with open(sys.argv[1], "rb") as f:
    files = descriptor_pb2.FileDescriptorSet.FromString(f.read())
pool = descriptor_pool.DescriptorPool()
for file in files.file:
    pool.AddSerializedFile(file.SerializeToString())
Object, Event, EventReply = (
    message_factory.GetMessageClass(pool.FindMessageTypeByName("coprocess." + name)) for name in ("Object", "Event", "EventReply")
)


def my_pre_middleware(object):
    object.request.set_headers["X-Pre"] = "1"
    object.request.delete_headers.append("X-Gone")
    object.request.add_params["added"] = "a b"
    object.request.delete_params.extend(["gone"])
    return object


def my_auth_middleware(object):
    if object.request.headers["Authorization"] != TOKEN:
        object.request.return_overrides.response_code = 403
        object.request.return_overrides.response_error = "Not authorized!"
        return object
    object.session.rate = 1000.0
    object.session.per = 1.0
    object.session.quota_max = 100
    object.session.quota_renewal_rate = 60
    object.session.metadata["plan"] = "gold"
    object.metadata["token"] = TOKEN
    return object


def my_post_key_auth_middleware(object):
    object.request.set_headers["X-Plan"] = object.session.metadata["plan"] + " " + object.metadata["plan"]
    object.request.set_headers["X-Token"] = object.metadata["token"]
    return object


def my_post_middleware(object):
    object.request.raw_body = object.request.raw_body.upper()
    object.request.url = object.request.url.replace("/old", "/new")
    object.request.method = "PUT"
    return object


def my_response_middleware(object):
    object.response.headers["X-Reply"] = "was %d" % object.response.status_code
    object.response.raw_body = object.response.raw_body + b"!"
    object.response.status_code = 202
    return object


def my_teapot(object):
    object.request.return_overrides.response_code = 418
    object.request.return_overrides.override_error = True
    object.request.return_overrides.response_body = "teapot"
    object.request.return_overrides.headers["X-Tea"] = "green"
    return object


HOOKS = {
    "MyPreMiddleware": my_pre_middleware,
    "MyAuthMiddleware": my_auth_middleware,
    "MyPostKeyAuthMiddleware": my_post_key_auth_middleware,
    "MyPostMiddleware": my_post_middleware,
    "MyResponseMiddleware": my_response_middleware,
    "MyTeapot": my_teapot,
}


def dispatch(object, context):
    hook = HOOKS.get(object.hook_name)
    return hook(object) if hook else object


def dispatch_event(event, context):
    print("event: " + json.loads(event.payload)["message"]["Type"], flush=True)
    return EventReply()


server = grpc.server(futures.ThreadPoolExecutor(max_workers=10), options=[("grpc.max_receive_message_length", 64 << 20)])
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("coprocess.Dispatcher", {
    "Dispatch": grpc.unary_unary_rpc_method_handler(dispatch, Object.FromString, Object.SerializeToString),
    "DispatchEvent": grpc.unary_unary_rpc_method_handler(dispatch_event, Event.FromString, EventReply.SerializeToString),
}),))
server.add_insecure_port(sys.argv[2])
server.start()
print("listening on " + sys.argv[2], flush=True)
server.wait_for_termination()
