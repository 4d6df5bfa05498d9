from grapnel_plugin import hook, serve

MEMBERS = {"let-me-in": "Ada"}


@hook("CheckToken")
def check_token(x):
    token = x.header("Authorization")
    if token not in MEMBERS:
        return x.deny(401, "unknown token")
    x.accept(token, alias=MEMBERS[token], rate=100, per=1)


@hook("AddTenant")
def add_tenant(x):
    x.set_header("X-Tenant", x.config["tenant"])


@hook("Greet")
def greet(x):
    x.reply.body = x.reply.body + f"for {x.session.alias}\n".encode()


if __name__ == "__main__":
    serve()
