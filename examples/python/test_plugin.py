"""A hook is a function: tests call it."""

import unittest

import coprocess
import plugin
from grapnel_plugin import Exchange


def exchange(**request):
    return Exchange(coprocess.Object(request=coprocess.MiniRequestObject(**request)))


class RewriteTest(unittest.TestCase):
    def test_path(self):
        for url, want in {
            "/a/old": "/a/new",
            "/old?q=1&r=/old": "/new?q=1&r=/old",
            "/a/old/": "/a/old/",
            "/bold": "/bold",
            "/x?u=/old": "/x?u=/old",
        }.items():
            x = exchange(url=url)
            plugin.rewrite(x)
            self.assertEqual(x.request.url, want)

    def test_body(self):
        for body, want in {b"": b"", "zoë".encode(): "ZOë".encode(), b"\xffa": b"\xffa"}.items():
            x = exchange(raw_body=body)
            plugin.rewrite(x)
            self.assertEqual(x.body, want)


class CheckTokenTest(unittest.TestCase):
    def test_strangers(self):
        for value in "", "let-me-in", "Bearer", "Bearer let-me-out", "bearer let-me-in":
            x = exchange(headers={"Authorization": value})
            plugin.check_token(x)
            self.assertEqual(x.request.return_overrides.response_code, 401, value)
            self.assertFalse(x.object.HasField("session"))

    def test_caller(self):
        x = exchange(headers={"Authorization": "Bearer let-me-in"})
        plugin.check_token(x)
        self.assertEqual(x.session.quota_max, 5000)
        self.assertEqual(dict(x.metadata), {"token": "let-me-in", "tier": "gold"})


if __name__ == "__main__":
    unittest.main()
