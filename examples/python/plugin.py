"""The sample plugin in Python: every kind of hook. ../README.md says what each does."""

import time

from grapnel_plugin import hook, on_event, serve


@hook("Headers")
def headers(x):
    x.set_header("X-Sample", "hello")
    x.delete_header("X-Remove")
    x.set_param("added", "1")
    x.delete_param("remove")


@hook("Deny")
def deny(x):
    if x.header("X-Deny"):
        x.deny(403, "denied by the sample", headers={"X-Denied": "1"})


@hook("Teapot")
def teapot(x):
    x.answer(418, "short and stout", headers={"Content-Type": "text/plain"})


@hook("CheckToken")
def check_token(x):
    """An auth hook: it says who is calling and what they may do."""
    scheme, _, token = x.header("Authorization").partition(" ")
    if (scheme, token) != ("Bearer", "let-me-in"):
        return x.deny(401, "not authorised by the sample")
    x.accept(
        token,
        rate=1000,
        per=1,
        quota_max=5000,
        quota_remaining=5000,
        quota_renewal_rate=3600,
        metadata={"tier": "gold"},
    )


@hook("ReadSession")
def read_session(x):
    x.set_header("X-Tier", x.session.metadata.get("tier", ""))
    x.set_header("X-Rate", str(int(x.session.rate)))


@hook("Rewrite")
def rewrite(x):
    """Changes path, method and body. The gateway sets Content-Length."""
    path, mark, query = x.request.url.partition("?")
    if path.endswith("/old"):
        x.request.url = path.removesuffix("old") + "new" + mark + query
    if x.header("X-Method") == "post":
        x.request.method = "POST"
    if is_text(x.body):
        x.body = x.body.upper()  # of bytes, that is ASCII letters alone


def is_text(body):
    try:
        return bool(body.decode())
    except UnicodeDecodeError:
        return False


@hook("Tenant")
def tenant(x):
    """Reads what the API's configuration has for its plugins."""
    x.set_header("X-Tenant", x.config["tenant"])


@hook("Reply")
def reply(x):
    """Changes what the upstream has answered."""
    x.reply.set_header("X-Reply", "sample")
    x.reply.delete_header("X-Internal")
    x.reply.body += b" (seen)"
    if x.reply.status == 200 and x.header("X-Accept"):
        x.reply.status = 202


@hook("Echo")
def echo(x):
    pass


@hook("Crash")
def crash(x):
    raise RuntimeError("crashed on purpose")


@hook("Slow")
def slow(x):
    time.sleep(2)


@on_event
def print_event(payload):
    print("event:", payload, flush=True)


if __name__ == "__main__":
    serve()
