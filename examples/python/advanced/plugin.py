"""The hooks that docs/plugins-advanced.md shows."""

import json
import re

from grapnel_plugin import hook, serve, stream_hook


@hook("Tags")
def tags(x):
    for tag in x.param_values("tag"):  # all of them, in order
        x.add_header("X-Tag", tag)
    x.delete_param("tag")


@hook("Partner")
def partner(x):
    certificate = x.facts.certificate
    if not certificate.verified:
        return x.deny(403, "come back with a certificate")
    x.set_header("X-Partner", certificate.subject)
    x.set_header("X-From", x.facts.client.address + " by " + x.facts.tls.version)


@hook("Login")
def login(x):
    if x.header("Authorization") != "let-me-in":
        return x.deny(401, "who is there?")
    x.accept(
        "let-me-in",
        oauth_client_id="shop",
        max_query_depth=2,
        metadata={"plan": "silver"},
        metadata_json={"seats": "7"},  # which is a number
    )


@hook("Mutations")
def mutations(x):
    for operation in x.facts.graphql.operations:
        if operation.kind == "mutation" and x.metadata["plan"] != "gold":
            return x.deny(403, "no " + operation.root_fields[0] + " in your plan")


@hook("Visit")
def visit(x):
    visits = json.loads(x.session.metadata_json.get("visits", "0")) + 1
    x.session.metadata_json["visits"] = json.dumps(visits)
    x.set_header("X-Client", x.session.oauth_client_id)


@stream_hook("Mask")
def mask(x):
    if x.header("Content-Type") == "application/x-msdownload":
        return x.deny(403, "no programs")
    x.set_header("X-Masked", "digits")

    def through(body):
        for piece in body:
            yield re.sub(rb"[0-9]", b"#", piece)

    return through


serve()
