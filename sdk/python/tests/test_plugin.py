"""Over real gRPC, on a port of this machine."""

import os
import pathlib
import queue
import signal
import subprocess
import sys
import tempfile
import unittest

import coprocess
import grpc
from grapnel_plugin import Exchange, Plugin
from grpc_health.v1 import health_pb2, health_pb2_grpc

PATIENCE = 20  # seconds that bound every wait


def request_object(name, hook_type=coprocess.HookType.Pre):
    return coprocess.Object(
        hook_name=name,
        hook_type=hook_type,
        spec={"config_data": '{"tenant": "acme"}'},
        request=coprocess.MiniRequestObject(
            method="GET", url="/x?a=1", raw_body=b"x", body="x", params={"a": "1"}, headers={"X-Name": "Zoë"}
        ),
    )


class PluginTest(unittest.TestCase):
    def setUp(self):
        self.plugin = Plugin()

    def connect(self, **settings):
        server, address = self.plugin.start("127.0.0.1:0", **settings)
        self.addCleanup(lambda: server.stop(None).wait())
        channel = grpc.insecure_channel(address)
        self.addCleanup(channel.close)
        self.server, self.channel = server, channel
        return coprocess.DispatcherStub(channel)

    def check(self, do, **want):
        """Over a connection, do() changes of the request what want says."""
        self.plugin.hook("Hook")(do)
        sent = request_object("Hook")
        got = self.connect().Dispatch(sent, timeout=PATIENCE)
        sent.request.MergeFrom(coprocess.MiniRequestObject(**want))
        self.assertEqual(got, sent)

    def test_headers(self):
        def do(x):
            x.set_header("X-Was", x.header("x-NAME") + x.header("X-None"))
            x.set_header("X-B", "1")
            x.delete_header("X-B")
            x.delete_header("X-C")
            x.set_header("X-C", "new")

        self.check(do, set_headers={"X-Was": "Zoë", "X-C": "new"}, delete_headers=["X-B", "X-C"])

    def test_params(self):
        def do(x):
            x.set_param("b", x.param("a") + x.param("none", "é"))
            x.set_param("c", "1")
            x.delete_param("c")

        self.check(do, add_params={"b": "1é"}, delete_params=["c"])

    def test_values(self):
        sent = request_object("Hook")
        sent.request.multivalue_headers.add(key="X-A", values=["1", "2"])
        sent.request.multivalue_params.add(name="p", values=["3", "4"])
        sent.response.multivalue_headers.add(key="Set-Cookie", values=["a", "b"])
        x = Exchange(sent)
        self.assertEqual((x.header_values("x-a"), x.header_values("x-name"), x.header_values("X")), (["1", "2"], ["Zoë"], []))
        self.assertEqual((x.param_values("p"), x.param_values("a"), x.param_values("x")), (["3", "4"], ["1"], []))
        self.assertEqual((x.reply.header_values("set-cookie"), x.reply.header_values("X")), (["a", "b"], []))

        def do(x):
            x.add_header("X-B", "taken back")
            x.delete_header("X-B")
            x.add_header("X-A", "1")
            x.add_param("b", "taken back")
            x.set_param("b", "1")
            x.add_param("a", "2")

        self.check(
            do,
            delete_headers=["X-B"],
            add_params={"b": "1"},
            append_headers=[coprocess.Header(key="X-A", values=["1"])],
            append_params=[coprocess.Param(name="a", values=["2"])],
        )

    def test_facts(self):
        x = Exchange(coprocess.Object(facts=coprocess.Facts(claims='{"sub": "ann"}', client=coprocess.ClientFacts(address="::1"))))
        self.assertEqual((x.claims, x.facts.client.address, x.facts.certificate.pem), ({"sub": "ann"}, "::1", ""))
        self.assertEqual(Exchange(coprocess.Object()).claims, {})

    def test_text_body(self):
        def do(x):
            self.assertEqual(x.body, b"x")
            x.body = "é"

        self.check(do, raw_body="é".encode(), body="é")

    def test_bodies(self):
        for body, text in (b"\xff\x00", ""), (b"", ""), (b"y", "y"):
            x = Exchange(request_object("Hook"))
            x.body = body
            self.assertEqual((x.request.raw_body, x.request.body), (body, text))

    def test_config(self):
        self.check(lambda x: x.set_header("X-Tenant", x.config["tenant"]), set_headers={"X-Tenant": "acme"})

    def test_no_config(self):
        with self.assertRaises(KeyError):
            Exchange(coprocess.Object()).config

    def test_deny(self):
        self.check(
            lambda x: x.deny(403, "no", {"X-A": "1"}),
            return_overrides=coprocess.ReturnOverrides(response_code=403, response_error="no", headers={"X-A": "1"}),
        )

    def test_answer(self):
        self.check(
            lambda x: x.answer(418, "short"),
            return_overrides=coprocess.ReturnOverrides(response_code=418, response_body="short", override_error=True),
        )

    def test_accept(self):
        x = Exchange(coprocess.Object(session=coprocess.SessionState(alias="old"), metadata={"old": "1"}))
        x.accept("t", rate=5, metadata={"tier": "gold"})
        self.assertEqual(x.object.session, coprocess.SessionState(rate=5, metadata={"tier": "gold"}))
        self.assertEqual(dict(x.object.metadata), {"token": "t", "tier": "gold"})

    def test_reply(self):
        """A header is the same in both of the reply's lists."""

        @self.plugin.hook("Reply")
        def reply(x):
            r = x.reply
            r.status += 2
            r.set_header("x-reply", r.header("server"))
            r.add_header("set-cookie", "c")
            r.delete_header("SERVER")
            r.body += b" (seen)"

        sent = coprocess.Object(
            hook_name="Reply",
            hook_type=coprocess.HookType.Response,
            response=coprocess.ResponseObject(
                status_code=200,
                raw_body=b"x",
                body="x",
                headers={"Set-Cookie": "a", "Server": "up"},
                multivalue_headers=[
                    coprocess.Header(key="Set-Cookie", values=["a", "b"]),
                    coprocess.Header(key="Server", values=["up"]),
                ],
            ),
        )
        want = coprocess.ResponseObject(
            status_code=202,
            raw_body=b"x (seen)",
            body="x (seen)",
            headers={"Set-Cookie": "a", "X-Reply": "up"},
            multivalue_headers=[
                coprocess.Header(key="Set-Cookie", values=["a", "b", "c"]),
                coprocess.Header(key="X-Reply", values=["up"]),
            ],
        )
        self.assertEqual(self.connect().Dispatch(sent, timeout=PATIENCE).response, want)

    def test_unknown_hook(self):
        """What nobody has registered comes back as it went, with what is not
        known here: field 1999 and hook type 99."""
        sent = request_object("Strange", 99).SerializeToString(deterministic=True) + b"\xfa\x7c\x05later"
        stub = self.connect()
        got = stub.Dispatch(coprocess.Object.FromString(sent), timeout=PATIENCE)
        self.assertEqual(got.SerializeToString(deterministic=True), sent)

    def test_failures(self):
        """An exception fails the one call, with INTERNAL unless it was aborted."""
        self.plugin.hook("Error")(lambda x: 1 / 0)
        self.plugin.hook("Abort")(lambda x: x.context.abort(grpc.StatusCode.UNAVAILABLE, "later"))
        self.plugin.on_event(lambda payload: 1 / 0)
        stub = self.connect()
        for hook, code, message in (
            ("Error", grpc.StatusCode.INTERNAL, "division by zero"),
            ("Abort", grpc.StatusCode.UNAVAILABLE, "later"),
        ):
            with self.subTest(hook), self.assertRaises(grpc.RpcError) as failed:
                with self.assertLogs("grapnel_plugin") if code is grpc.StatusCode.INTERNAL else self.assertNoLogs():
                    stub.Dispatch(request_object(hook, coprocess.HookType.Response), timeout=PATIENCE)
            self.assertEqual(failed.exception.code(), code)
            self.assertIn(message, failed.exception.details())
        with self.assertLogs("grapnel_plugin"), self.assertRaises(grpc.RpcError) as failed:
            stub.DispatchEvent(coprocess.Event(), timeout=PATIENCE)
        self.assertEqual(failed.exception.code(), grpc.StatusCode.INTERNAL)
        stub.Dispatch(request_object("Fine"), timeout=PATIENCE)

    def test_answers_to_replies(self):
        for name, do, want in (
            ("Deny", lambda x: x.deny(403, "no"), coprocess.ReturnOverrides(response_code=403, response_error="no")),
            ("Answer", lambda x: x.answer(202, "yes"), coprocess.ReturnOverrides(response_code=202, response_body="yes", override_error=True)),
        ):
            with self.subTest(name):
                self.plugin.hook(name)(do)
                got = self.plugin.Dispatch(request_object(name, coprocess.HookType.Response), None)
                self.assertEqual(got.request.return_overrides, want)

    def stream(self, name, pieces, trailers=(), hook_type=coprocess.HookType.Post):
        """Lets a body pass, each piece of which is sent when the one before is
        answered; returns the object and what came of the body."""
        self.connect()
        to_send = queue.SimpleQueue()
        answers = coprocess.BodyStreamStub(self.channel).Exchange(iter(to_send.get, None), timeout=PATIENCE)
        to_send.put(coprocess.BodyChunk(object=request_object(name, hook_type)))
        answered, data, end = next(answers).object, [], None
        left = list(pieces)
        while answered.request.return_overrides.response_code <= 0 and end is None:
            if left:
                to_send.put(coprocess.BodyChunk(data=left.pop(0)))
            else:
                to_send.put(coprocess.BodyChunk(end=True, trailers=trailers))
            chunk = next(answers)
            if chunk.end:
                end = chunk
            else:
                data.append(chunk.data)
        to_send.put(None)
        self.assertEqual(list(answers), [])
        return answered, data, end

    def test_streams(self):
        @self.plugin.stream_hook("Shout")
        def shout(x):
            x.set_header("X-Shouted", "yes")

            def through(body):
                for piece in body:
                    yield piece.upper()
                body.trailers["X-Sum"].append("8")

            return through

        self.plugin.stream_hook("Pass")(lambda x: x.set_header("X-Passed", "yes"))
        self.plugin.stream_hook("Short")(lambda x: lambda body: [b"short"])
        self.plugin.stream_hook("Deny")(lambda x: x.deny(403, "no"))
        sums = [coprocess.Header(key="X-Sum", values=["7"])]
        for name, want, trailers in (
            ("Shout", [b"ONE", b"TWO"], [coprocess.Header(key="X-Sum", values=["7", "8"])]),
            ("Pass", [b"one", b"two"], sums),
            ("Nobody", [b"one", b"two"], sums),
            ("Short", [b"short"], []),
        ):
            with self.subTest(name):
                answered, data, end = self.stream(name, [b"one", b"two"], sums)
                self.assertEqual((data, list(end.trailers)), (want, trailers))
                self.assertEqual(bool(answered.request.set_headers), name in ("Shout", "Pass"))
        answered, data, end = self.stream("Deny", [b"one"], hook_type=coprocess.HookType.Response)
        self.assertEqual((answered.request.return_overrides.response_code, data, end), (403, [], None))

    def test_streams_of_large_pieces(self):
        self.plugin.stream_hook("Grow")(lambda x: lambda body: (b"x" * 300_000 for _ in body))
        _, data, _ = self.stream("Grow", [b"one"])
        self.assertEqual(([len(piece) for piece in data], b"".join(data)), ([256 << 10, 300_000 - (256 << 10)], b"x" * 300_000))

    def test_streams_that_fail(self):
        def broken(x):
            def through(body):
                yield next(body)
                raise ValueError("broken")

            return through

        self.plugin.stream_hook("Broken")(broken)
        self.plugin.stream_hook("Early")(lambda x: 1 / 0)
        for name, message in (("Broken", "ValueError: broken"), ("Early", "ZeroDivisionError")):
            with self.subTest(name), self.assertLogs("grapnel_plugin"), self.assertRaises(grpc.RpcError) as failed:
                self.stream(name, [b"one", b"two"])
            self.assertEqual(failed.exception.code(), grpc.StatusCode.INTERNAL)
            self.assertIn(message, failed.exception.details())

    def test_events(self):
        got = []
        stub = self.connect()
        stub.DispatchEvent(coprocess.Event(payload="nobody listens"), timeout=PATIENCE)
        self.plugin.on_event(got.append)
        stub.DispatchEvent(coprocess.Event(payload='{"é":1}'), timeout=PATIENCE)
        self.assertEqual(got, ['{"é":1}'])

    def test_max_message(self):
        big = coprocess.Object(request=coprocess.MiniRequestObject(raw_body=bytes(5_000_000)))
        small = self.connect(max_message=1000)
        with self.assertRaises(grpc.RpcError) as failed:
            small.Dispatch(big, timeout=PATIENCE)
        self.assertEqual(failed.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
        options = [("grpc.max_receive_message_length", -1)]
        with grpc.insecure_channel(self.plugin_address(), options=options) as channel:
            got = coprocess.DispatcherStub(channel).Dispatch(big, timeout=PATIENCE)
        self.assertEqual(len(got.request.raw_body), 5_000_000)

    def plugin_address(self):
        server, address = self.plugin.start("127.0.0.1:0")
        self.addCleanup(lambda: server.stop(None).wait())
        return address

    def test_health(self):
        self.connect()
        for service in "", "coprocess.Dispatcher":
            reply = health_pb2_grpc.HealthStub(self.channel).Check(
                health_pb2.HealthCheckRequest(service=service), timeout=PATIENCE
            )
            self.assertEqual(reply.status, health_pb2.HealthCheckResponse.SERVING)

    def test_registering(self):
        self.plugin.hook("A")(print)
        with self.assertRaises(ValueError):
            self.plugin.hook("A")(print)

        async def later(x):
            pass

        with self.assertRaises(TypeError):
            self.plugin.hook("B")(later)

    def test_taken_port(self):
        with self.assertRaises(RuntimeError):
            self.plugin.start(self.plugin_address())


PROGRAM = """
import time
from grapnel_plugin import hook, on_event, serve

@hook("Slow")
def slow(x):
    print("begun", flush=True)
    time.sleep(1)
    x.set_header("X-Done", "yes")

serve()
"""


class ProgramTest(unittest.TestCase):
    """A file with a plugin, run as its user runs it."""

    def run_program(self, text=PROGRAM, **environment):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / "plugin.py").write_text(text)
        environment = {name: value.format(folder) for name, value in environment.items()}
        program = subprocess.Popen(
            [sys.executable, folder / "plugin.py"], env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True
        )
        self.addCleanup(program.stdout.close)
        self.addCleanup(program.wait)
        self.addCleanup(program.kill)
        words = program.stdout.readline().split()
        self.assertEqual(words[:2], ["listening", "on"])
        return program, words[2]

    def check_shutdown(self, number, **environment):
        """The call under way gets its answer, new ones do not, and the exit
        code is 0."""
        program, address = self.run_program(**environment)
        with grpc.insecure_channel(address) as channel:
            call = coprocess.DispatcherStub(channel).Dispatch.future(request_object("Slow"), timeout=PATIENCE)
            self.assertEqual(program.stdout.readline(), "begun\n")
            program.send_signal(number)
            self.assertEqual(call.result().request.set_headers["X-Done"], "yes")
        self.assertEqual(program.wait(PATIENCE), 0)

    def test_socket(self):
        self.check_shutdown(signal.SIGTERM, GRAPNEL_PLUGIN_SOCKET="{}/s")

    def test_listen(self):
        self.check_shutdown(signal.SIGINT, PLUGIN_LISTEN="127.0.0.1:0", GRAPNEL_PLUGIN_SOCKET="")

    def test_readme(self):
        """The plugin of the README does what it seems to."""
        readme = pathlib.Path(__file__).parent.parent / "README.md"
        text = readme.read_text().partition("```python\n")[2].partition("```")[0]
        _, address = self.run_program(text, PLUGIN_LISTEN="127.0.0.1:0", GRAPNEL_PLUGIN_SOCKET="")
        with grpc.insecure_channel(address) as channel:
            got = coprocess.DispatcherStub(channel).Dispatch(request_object("AddTenant"), timeout=PATIENCE)
        self.assertEqual(dict(got.request.set_headers), {"X-Tenant": "acme"})

    def test_killed_before(self):
        """The socket of a server that was killed is no hindrance."""
        folder = self.enterContext(tempfile.TemporaryDirectory())
        program, _ = self.run_program(GRAPNEL_PLUGIN_SOCKET=folder + "/s")
        program.kill()
        program.wait()
        self.check_shutdown(signal.SIGTERM, GRAPNEL_PLUGIN_SOCKET=folder + "/s")


if __name__ == "__main__":
    unittest.main()
