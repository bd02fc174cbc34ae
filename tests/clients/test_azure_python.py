#!/usr/bin/env python3
"""Azure's SDK for Python (azure.mgmt.network, with a ClientSecretCredential) against a real server:
create, read, list, update, delete.

Where it is not installed this is skipped and named; `make test-clients` installs it, and with
CLIENTS=required its absence is a failure."""

import os
import sys

import azure_world
import harness
from azure_world import NOT_OURS, SUBSCRIPTION, SUFFIX, URL

try:
    from azure.core.exceptions import (ClientAuthenticationError, HttpResponseError,
                                       ResourceNotFoundError)
    from azure.identity import ClientSecretCredential
    from azure.mgmt.network import NetworkManagementClient
    MISSING = None
except ImportError:
    DEBIANS = "/usr/bin/python3"  # to which Debian's packages belong, whichever runs the tests
    if os.path.exists(DEBIANS) and os.path.realpath(sys.executable) != os.path.realpath(DEBIANS):
        os.execv(DEBIANS, [DEBIANS] + sys.argv)
    MISSING = "python3-azure is not installed: azure.mgmt.network did not run"


class Python(azure_world.Azure):
    groups = ("sdk",)
    missing = MISSING

    def setUp(self):
        super().setUp()
        before = os.environ.get("REQUESTS_CA_BUNDLE")
        os.environ["REQUESTS_CA_BUNDLE"] = self.certificate
        self.addCleanup(os.environ.pop if before is None else os.environ.__setitem__,
                        "REQUESTS_CA_BUNDLE", *([None] if before is None else [before]))
        self.addresses = self.client("ops", azure_world.OPS)

    def client(self, name, secret):
        credential = ClientSecretCredential("adfs", name, secret, authority=URL)
        return NetworkManagementClient(credential, SUBSCRIPTION, base_url=URL,
                                       credential_scopes=[URL + "/.default"]).public_ip_addresses

    def sdk(self, method, *arguments, addresses=None):
        """What the method gives, be it at once, page by page or in the end, on the server's machine."""
        with self.host.inside():
            given = getattr(addresses or self.addresses, method)(*arguments)
            if method.startswith("begin_"):
                return given.result()
            return list(given) if method.startswith("list") else given

    def body(self, label=None, reverse=None, **more):
        wanted = {"location": "westus", "public_ip_allocation_method": "Static", **more}
        if label:
            wanted["dns_settings"] = {"domain_name_label": label, "reverse_fqdn": reverse}
        return wanted

    def put(self, name, *words, **more):
        return self.sdk("begin_create_or_update", "sdk", name, self.body(*words, **more))

    def test_the_whole_life_of_an_address(self):
        made = self.put("life", "life", "life.westus." + SUFFIX, tags={"a": "b"})
        self.assertEqual(("Succeeded", "life.westus." + SUFFIX, "life.westus.%s." % SUFFIX),
                         (made.provisioning_state, made.dns_settings.fqdn,
                          made.dns_settings.reverse_fqdn))
        self.ptr_is(made.ip_address, "life.westus.%s." % SUFFIX)
        read = self.sdk("get", "sdk", "life")
        self.assertEqual(made.as_dict(), read.as_dict())
        self.assertIn("life", [each.name for each in self.sdk("list", "sdk")])
        self.assertLessEqual({"life", "filed"}, {each.name for each in self.sdk("list_all")})
        read.dns_settings.reverse_fqdn = ""
        updated = self.sdk("begin_create_or_update", "sdk", "life", read)
        self.assertIsNone(updated.dns_settings.reverse_fqdn)
        self.ptr_is(made.ip_address)
        tagged = self.sdk("update_tags", "sdk", "life", {"tags": {"c": "d"}})
        self.assertEqual(({"c": "d"}, "life"), (tagged.tags, tagged.dns_settings.domain_name_label))
        self.sdk("begin_delete", "sdk", "life")
        with self.assertRaises(ResourceNotFoundError):
            self.sdk("get", "sdk", "life")

    def test_a_refusal_says_why(self):
        with self.assertRaises(HttpResponseError) as raised:
            self.put("refused", "refused", "www.example.com.")
        self.assertEqual(("ReverseFqdnDoesNotBelongToSubscription",
                          NOT_OURS % ("www.example.com.", "refused")),
                         (raised.exception.error.code, raised.exception.error.message))

    def test_a_wrong_secret_is_told(self):
        with self.assertRaises(ClientAuthenticationError) as raised:
            self.sdk("list_all", addresses=self.client("ops", azure_world.EYE))
        self.assertIn("no client of management.clients", str(raised.exception))

    def test_a_token_outlives_a_restart(self):
        self.put("kept")
        self.restart()
        self.assertEqual("kept", self.sdk("get", "sdk", "kept").name)

    def test_a_list_is_followed_page_by_page(self):
        self.fill(2100)
        names = {"a%d" % i for i in range(2100)}
        listed = [each.name for each in self.sdk("list", "many")]
        self.assertEqual((2100, names), (len(listed), set(listed)))
        self.assertEqual(names | {"filed"}, {each.name for each in self.sdk("list_all")})
        with self.host.inside():
            pages = [len(list(page)) for page in self.addresses.list_all().by_page()]
        self.assertEqual([1000, 1000, 101], pages)


if __name__ == "__main__":
    harness.main()
