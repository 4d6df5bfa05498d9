"""Bodies that pass through a plugin in pieces."""

from __future__ import annotations

from typing import Callable, Iterable, Iterator

import coprocess

_LARGEST = 256 << 10  # bytes that are sent in one piece


class Body:
    """A body as it comes: iterating gives its pieces, none of them empty.

    Neither side runs ahead: the next piece is fetched when it is asked for, and
    what is yielded waits for whoever gets the body. ``trailers`` are the values
    of the trailers behind it, by name. They are there when all has come, and
    go on as they are when the function has ended.
    """

    def __init__(self, chunks: Iterator[coprocess.BodyChunk], ended: bool) -> None:
        self.trailers: dict[str, list[str]] = {}
        self._chunks = chunks
        self._ended = ended

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        while not self._ended:
            chunk = next(self._chunks, None)
            if chunk is None:
                raise EOFError("the stream has ended before the body")
            if chunk.end:
                self._ended = True
                self.trailers = {line.key: list(line.values) for line in chunk.trailers}
            if chunk.data:
                return chunk.data
        raise StopIteration


Through = Callable[[Body], Iterable[bytes]]


def chunks_of(body: Body, through: Through | None) -> Iterator[coprocess.BodyChunk]:
    """What goes on in the body's place, and then its end."""
    for piece in through(body) if through else body:
        for start in range(0, len(piece), _LARGEST):
            yield coprocess.BodyChunk(data=piece[start : start + _LARGEST])
    trailers = [coprocess.Header(key=name, values=values) for name, values in body.trailers.items()]
    yield coprocess.BodyChunk(end=True, trailers=trailers)
