"""The server: finds the function that is meant, and ends in good order."""

from __future__ import annotations

import concurrent.futures
import contextlib
import inspect
import logging
import os
import queue
import signal
from typing import Any, Callable, Iterator, TypeVar

import coprocess
import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from .body import Body, Through, chunks_of
from .exchange import Exchange

_log = logging.getLogger("grapnel_plugin")
_GRACE = 30  # seconds that calls under way may take to finish at shutdown

Hook = TypeVar("Hook", bound=Callable[[Exchange], Any])
StreamHook = TypeVar("StreamHook", bound=Callable[[Exchange], "Through | None"])
OnEvent = TypeVar("OnEvent", bound=Callable[[str], Any])


class Plugin(coprocess.DispatcherServicer, coprocess.BodyStreamServicer):
    """A plugin server. ``hook``, ``stream_hook``, ``on_event`` and ``serve`` of
    the package are those of one Plugin, which is all that most programs need."""

    def __init__(self) -> None:
        self._hooks: dict[str, Callable[[Exchange], Any]] = {}
        self._streams: dict[str, Callable[[Exchange], Through | None]] = {}
        self._on_event: Callable[[str], Any] | None = None

    def hook(self, name: str) -> Callable[[Hook], Hook]:
        """Registers the function below it under a hook's name.

        There can be one of each name. A hook that nobody has registered
        changes nothing.
        """

        return _register(self._hooks, name)

    def stream_hook(self, name: str) -> Callable[[StreamHook], StreamHook]:
        """Registers the function below it for a hook with ``stream: true``.

        It is asked before the body, as any hook. What it returns is what the
        body passes through: a generator function, which gets a ``Body`` and
        yields the pieces that go on in its place. None lets the body pass, and
        so does a hook that nobody has registered. Its exception fails the
        exchange, or cuts the reply off.
        """
        return _register(self._streams, name)

    def on_event(self, function: OnEvent) -> OnEvent:
        """Registers the function below it to be told of events, as JSON."""
        self._on_event = function
        return function

    def Dispatch(self, object: coprocess.Object, context: Any) -> coprocess.Object:
        """Asks the hook that the object names, as the gateway does over gRPC."""
        hook = self._hooks.get(object.hook_name)
        if hook is not None:
            with _protected(f"hook {object.hook_name!r}", context):
                hook(Exchange(object, context))
        return object

    def Exchange(self, chunks: Iterator[coprocess.BodyChunk], context: Any) -> Iterator[coprocess.BodyChunk]:
        """Lets a body pass through the hook that its object names."""
        first = next(chunks)
        object = first.object
        with _protected(f"hook {object.hook_name!r}", context):
            hook = self._streams.get(object.hook_name)
            through = hook(Exchange(object, context)) if hook else None
            yield coprocess.BodyChunk(object=object)
            if object.request.return_overrides.response_code <= 0:
                yield from chunks_of(Body(chunks, first.end), through)

    def DispatchEvent(self, event: coprocess.Event, context: Any) -> coprocess.EventReply:
        """Tells the plugin of an event, as the gateway does over gRPC."""
        if self._on_event is not None:
            with _protected("on_event", context):
                self._on_event(event.payload)
        return coprocess.EventReply()

    def start(self, address: str, *, max_message: int = 64 << 20, threads: int = 16) -> tuple[grpc.Server, str]:
        """Begins to serve at host:port or unix:///path, and returns the server
        and its address, in which port 0 has become a real one."""
        server = grpc.server(
            concurrent.futures.ThreadPoolExecutor(threads),
            options=[
                ("grpc.max_receive_message_length", max_message),
                ("grpc.max_send_message_length", -1),
                ("grpc.so_reuseport", 0),  # a port that is taken is an error
            ],
        )
        coprocess.add_DispatcherServicer_to_server(self, server)
        coprocess.add_BodyStreamServicer_to_server(self, server)
        healthy = health.HealthServicer()
        for service in ("", "coprocess.Dispatcher"):
            healthy.set(service, health_pb2.HealthCheckResponse.SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
        port = server.add_insecure_port(address)
        server.start()
        if not address.startswith("unix:"):
            address = f"{address.rpartition(':')[0]}:{port}"
        return server, address

    def serve(self, address: str | None = None, *, max_message: int = 64 << 20, threads: int = 16) -> None:
        """Serves until SIGTERM or SIGINT, and then finishes the calls under way.

        The address is host:port or unix:///path. Without one it is the Unix
        socket in GRAPNEL_PLUGIN_SOCKET, else what is in PLUGIN_LISTEN, else
        127.0.0.1:5555. ``max_message`` bounds what the gateway may send in one
        call, in bytes; a body that is text counts twice. ``threads`` is how
        many calls are answered at a time. A second signal ends it at once.
        """
        signals = (signal.SIGTERM, signal.SIGINT)
        ended: queue.SimpleQueue[int] = queue.SimpleQueue()  # the one that signal handlers may use
        for s in signals:
            signal.signal(s, lambda number, _: ended.put(number))
        server, where = self.start(address or _address(), max_message=max_message, threads=threads)
        print("listening on", where, flush=True)
        ended.get()
        for s in signals:
            signal.signal(s, signal.SIG_DFL)
        server.stop(_GRACE).wait()


def _address() -> str:
    socket = os.environ.get("GRAPNEL_PLUGIN_SOCKET")
    if socket:
        return "unix://" + os.path.abspath(socket)
    return os.environ.get("PLUGIN_LISTEN") or "127.0.0.1:5555"


def _register(hooks: dict[str, Any], name: str) -> Callable[[Any], Any]:
    def register(function: Any) -> Any:
        if name in hooks:
            raise ValueError(f"two hooks are named {name!r}")
        if inspect.iscoroutinefunction(function):
            raise TypeError(f"hook {name!r} is async, which nobody would wait for")
        hooks[name] = function
        return function

    return register


@contextlib.contextmanager
def _protected(what: str, context: Any) -> Iterator[None]:
    """What a function of the plugin's raises becomes the call's error, INTERNAL
    unless it has used ``context.abort``, and a line of the log. A call that was
    given up has no error to come."""
    try:
        yield
    except Exception as error:
        if context.is_active() and context.code() is None:
            _log.exception("%s failed", what)
            context.abort(grpc.StatusCode.INTERNAL, f"{what}: {type(error).__name__}: {error}")
        raise
