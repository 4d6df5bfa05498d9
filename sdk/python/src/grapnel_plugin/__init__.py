"""Write plugins of the Grapnel API gateway: one function for each hook.

    from grapnel_plugin import hook, serve

    @hook("AddTenant")
    def add_tenant(x):
        x.set_header("X-Tenant", x.config["tenant"])

    serve()

A function is called for many requests at once, in several threads. Its
exception fails that one call; the server lives on.
"""

from .body import Body
from .exchange import Exchange, Reply
from .server import Plugin

__all__ = ["Body", "Exchange", "Plugin", "Reply", "hook", "on_event", "serve", "stream_hook"]

_plugin = Plugin()
hook, stream_hook, on_event, serve = _plugin.hook, _plugin.stream_hook, _plugin.on_event, _plugin.serve
