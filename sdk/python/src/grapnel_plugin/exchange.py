"""What a hook sees, and what it changes."""

from __future__ import annotations

import functools
import json
from typing import Any, Mapping

import coprocess


class Exchange:
    """One request, or its reply, as a hook sees it.

    ``object`` is the message of the contract, ``request``, ``session``,
    ``metadata`` and ``spec`` are parts of it; the methods are for what is
    clumsy there. What is set counts when the hook returns, and is not read
    back before. ``context`` is gRPC's: ``context.time_remaining()`` is what is
    left of the deadline.
    """

    def __init__(self, object: coprocess.Object, context: Any = None) -> None:
        self.object = object
        self.context = context
        self.request = object.request
        self.session = object.session
        self.metadata = object.metadata
        self.spec = object.spec

    def header(self, name: str, default: str = "") -> str:
        """The first value of a request header."""
        return self.request.headers.get(_canonical(name), default)

    def header_values(self, name: str) -> list[str]:
        """All values of a request header, in order."""
        name = _canonical(name)
        for header in self.request.multivalue_headers:
            if header.key == name:
                return list(header.values)
        return _single(self.request.headers, name)

    def set_header(self, name: str, value: str) -> None:
        """Replaces all values of a request header by one."""
        _take_back(self.request.append_headers, "key", name)
        self.request.set_headers[name] = value

    def add_header(self, name: str, value: str) -> None:
        """Adds a value to a request header."""
        self.request.append_headers.add(key=name, values=[value])

    def delete_header(self, name: str) -> None:
        """Removes a request header with all its values."""
        self.request.set_headers.pop(name, None)
        _take_back(self.request.append_headers, "key", name)
        self.request.delete_headers.append(name)

    def param(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return self.request.params.get(name, default)

    def param_values(self, name: str) -> list[str]:
        """All values of a query parameter, in order."""
        for param in self.request.multivalue_params:
            if param.name == name:
                return list(param.values)
        return _single(self.request.params, name)

    def set_param(self, name: str, value: str) -> None:
        """Replaces all values of a query parameter by one."""
        _take_back(self.request.append_params, "name", name)
        self.request.add_params[name] = value

    def add_param(self, name: str, value: str) -> None:
        """Adds a value to a query parameter."""
        self.request.append_params.add(name=name, values=[value])

    def delete_param(self, name: str) -> None:
        """Removes a query parameter with all its values."""
        self.request.add_params.pop(name, None)
        _take_back(self.request.append_params, "name", name)
        self.request.delete_params.append(name)

    @property
    def body(self) -> bytes:
        """The request's body; text that is set is encoded as UTF-8."""
        return self.request.raw_body

    @body.setter
    def body(self, body: bytes | str) -> None:
        _set_body(self.request, body)

    @property
    def facts(self) -> coprocess.Facts:
        """What the hook's configuration asks for under facts: client, tls,
        certificate, route, graphql, form; empty where there is nothing."""
        return self.object.facts

    @property
    def claims(self) -> dict[str, Any]:
        """The verified claims of the caller's token; empty where there are
        none, or the hook's configuration does not ask for them under facts."""
        return json.loads(self.object.facts.claims or "{}")

    @property
    def config(self) -> Any:
        """The API's config_data, parsed once and shared: do not change it.

        An API without any is a ``KeyError``.
        """
        return _parse(self.spec["config_data"] if "config_data" in self.spec else None)

    def accept(self, token: str, **session: Any) -> None:
        """Lets a caller in, from an auth hook.

        The token stands for the caller and must not be empty; the rest are
        fields of the session: ``x.accept(token, rate=10, per=1,
        metadata={"tier": "gold"})``.
        """
        self.session.CopyFrom(coprocess.SessionState(**session))
        self.metadata.clear()
        self.metadata.update({**self.session.metadata, "token": token})

    def deny(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        """Answers the client with an error page that has the message.

        Nothing further runs once the hook returns: ``return x.deny(403, "…")``.
        The status is 400 or more. In a Response hook it counts where the
        gateway's configuration gives the hook may_override; elsewhere the
        reply goes on: change ``x.reply``.
        """
        self._answer(status, headers, response_error=message)

    def answer(self, status: int, body: str = "", headers: Mapping[str, str] | None = None) -> None:
        """Answers the client with a body of your own, else as ``deny``."""
        self._answer(status, headers, response_body=body, override_error=True)

    def _answer(self, status: int, headers: Mapping[str, str] | None, **fields: Any) -> None:
        self.request.return_overrides.CopyFrom(
            coprocess.ReturnOverrides(response_code=status, headers=headers, **fields)
        )

    @property
    def reply(self) -> Reply:
        """The upstream's reply, for Response hooks to change."""
        return Reply(self.object.response)


class Reply:
    """The upstream's reply. ``message`` is that of the contract."""

    def __init__(self, message: coprocess.ResponseObject) -> None:
        self.message = message

    @property
    def status(self) -> int:
        """The HTTP status, from 200 to 599."""
        return self.message.status_code

    @status.setter
    def status(self, status: int) -> None:
        self.message.status_code = status

    @property
    def body(self) -> bytes:
        """The body, still encoded as Content-Encoding says."""
        return self.message.raw_body

    @body.setter
    def body(self, body: bytes | str) -> None:
        _set_body(self.message, body)

    def header(self, name: str, default: str = "") -> str:
        """The first value of a header."""
        return self.message.headers.get(_canonical(name), default)

    def header_values(self, name: str) -> list[str]:
        """All values of a header, in order."""
        name = _canonical(name)
        for header in self.message.multivalue_headers:
            if header.key == name:
                return list(header.values)
        return []

    def set_header(self, name: str, value: str) -> None:
        """Replaces all values of a header by one."""
        self.delete_header(name)
        self.add_header(name, value)

    def add_header(self, name: str, value: str) -> None:
        """Adds a value to a header, as for Set-Cookie."""
        name = _canonical(name)
        for header in self.message.multivalue_headers:
            if header.key == name:
                header.values.append(value)
                return
        self.message.headers[name] = value
        self.message.multivalue_headers.add(key=name, values=[value])

    def delete_header(self, name: str) -> None:
        """Removes a header with all its values."""
        name = _canonical(name)
        self.message.headers.pop(name, None)
        kept = [h for h in self.message.multivalue_headers if h.key != name]
        del self.message.multivalue_headers[:]
        self.message.multivalue_headers.extend(kept)


def _canonical(name: str) -> str:
    """A header's name as the gateway writes it: Content-Type."""
    return "-".join(part.capitalize() for part in name.split("-"))


def _take_back(added: Any, field: str, name: str) -> None:
    """Removes what was added before under a name."""
    kept = [entry for entry in added if getattr(entry, field) != name]
    if len(kept) < len(added):
        del added[:]
        added.extend(kept)


def _single(values: Mapping[str, str], name: str) -> list[str]:
    return [values[name]] if name in values else []


def _set_body(message: Any, body: bytes | str) -> None:
    """The two fields that hold a body: all bytes, and the text if it is one."""
    message.raw_body = body.encode() if isinstance(body, str) else body
    try:
        message.body = message.raw_body.decode()
    except UnicodeDecodeError:
        message.body = ""


@functools.lru_cache(maxsize=1024)
def _parse(config_data: str | None) -> Any:
    if config_data is None:
        raise KeyError("the API has no config_data")
    return json.loads(config_data)
