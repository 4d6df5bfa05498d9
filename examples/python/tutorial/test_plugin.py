import unittest

import coprocess
import plugin
from grapnel_plugin import Exchange


def exchange(config="{}", **headers):
    request = coprocess.MiniRequestObject(headers=headers)
    return Exchange(coprocess.Object(request=request, spec={"config_data": config}))


class Hooks(unittest.TestCase):
    def test_a_member_is_let_in(self):
        x = exchange(Authorization="let-me-in")
        plugin.check_token(x)
        self.assertEqual(x.metadata["token"], "let-me-in")
        self.assertEqual(x.session.alias, "Ada")

    def test_a_stranger_is_not(self):
        x = exchange(Authorization="guess")
        plugin.check_token(x)
        self.assertEqual(x.request.return_overrides.response_code, 401)

    def test_the_tenant_is_that_of_the_configuration(self):
        x = exchange(config='{"tenant": "acme"}')
        plugin.add_tenant(x)
        self.assertEqual(x.request.set_headers["X-Tenant"], "acme")


if __name__ == "__main__":
    unittest.main()
