"""Reverse DNS management: a real server with its state, asked by HTTP on the unix socket and on
loopback with tokens, by the command line, and by DNS. (OpenStack's own client: tests/clients.)"""

import concurrent.futures
import contextlib
import http.client
import json
import os
import re
import sqlite3
import stat
import subprocess
import time
import urllib.parse

import dns
import harness
import hub

OPS, EYE = "ops-secret-0123456789", "eye-secret-0123456789"
FILED = "6f8b4ce6-1111-4d2e-9c55-0242ac120002"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
HERE, PORT = "127.0.0.1", 8053
FIP = "/v2/reverse/floatingips"
CONFIG = """
subscription = "%s";
region = "westeurope";
workers = 2;
management = { socket = "control.sock"; %s
  listen = [ "http://127.0.0.1:8053" ];
  clients = ( { id = "ops"; secret_file = "ops.secret"; role = "admin"; },
              { id = "eye"; secret_file = "eye.secret"; role = "reader"; } ); };
default_resolver = { targets = ( { address = "127.0.0.3"; } ); };
""" + hub.hub("127.0.0.1:53") + """
address_pools = ( { name = "public"; prefix = "198.51.100.0/24"; },
                  { name = "six"; prefix = "2001:db8:5::/48"; } );
addresses = (
  { name = "filed"; resource_group = "office"; id = "%s"; address = "198.51.100.10"; allocation = "static";
    domain_name_label = "contosoapp1"; reverse_fqdn = "app1.contoso.com."; description = "mail"; ttl = 300;
    tags = [ "team=mail", "env=prod" ]; },
  { name = "open"; resource_group = "office"; address = "198.51.100.11"; allocation = "static";
    domain_name_label = "contosoopen"; } );
cloud_services = ( { name = "filedsvc"; address = "198.51.100.20"; reverse_fqdn = "filedsvc.cloudapp.net."; } );
"""
STATE = 'state = "state.db";'


class Answer:
    def __init__(self, response):
        self.status, self.headers = response.status, response.headers
        self.text = response.read().decode()
        self.body = json.loads(self.text) if self.text else None
        self.etag = self.headers.get("ETag")

    def __repr__(self):
        return "%d %s" % (self.status, self.text)


class Reverse(harness.FreshCase):
    state = STATE

    def build(self, world):
        self.host = world.host("cloud")
        # Every A record outside leads to 198.51.100.11.
        self.upstream = harness.Upstream(self.host, "127.0.0.3", "198.51.100.11")
        world.secret("ops.secret", OPS)
        world.secret("eye.secret", EYE)
        self.start()

    def config(self, more=""):
        """`more` of management's settings."""
        return CONFIG % (SUBSCRIPTION, self.state + more, FILED)

    def start(self):
        self.sluice = harness.Sluice(self.host, self.config(), (HERE, 53))

    def restart(self):
        self.assertEqual(0, self.sluice.stop())
        self.start()

    def forget(self, client):
        """A reload without this client."""
        config, count = re.subn(r'\{ id = "%s";[^}]*\},?' % client, "", self.config())
        self.assertEqual(1, count)
        self.sluice.reconfigure(config)
        self.assertEqual(0, self.command("reload")[0])

    # ---- asking ----

    def call(self, method, path, body=None, token=None, tcp=False, headers=None):
        """By the unix socket, where root needs no token, or by TCP with one."""
        headers = dict(headers or {})
        if token:
            headers["X-Auth-Token"] = token
        text = body if isinstance(body, (str, bytes, type(None))) else json.dumps(body)
        if text is not None:
            headers.setdefault("Content-Type", "application/json")
        with self.host.inside():
            connection = (http.client.HTTPConnection(HERE, PORT, timeout=dns.PATIENCE) if tcp or token
                          else harness.UnixConnection(self.sluice.socket))
            try:
                connection.request(method, path, text, headers)
                return Answer(connection.getresponse())
            finally:
                connection.close()

    def good(self, method, path, body=None, status=200, **how):
        answer = self.call(method, path, body, **how)
        self.assertEqual(status, answer.status, answer)
        return answer

    def bad_v1(self, answer, status, code=None, field=None, text=None):
        self.assertEqual(status, answer.status, answer)
        self.assertEqual(["error"], list(answer.body), answer)
        self.assertEqual({"code", "message", "path"}, set(answer.body["error"]), answer)
        if code:
            self.assertEqual(code, answer.body["error"]["code"], answer)
        if field:
            self.assertEqual(field, answer.body["error"]["path"], answer)
        if text:
            self.assertRegex(answer.body["error"]["message"], text)

    def bad_v2(self, answer, status, kind, text=None):
        self.assertEqual(status, answer.status, answer)
        self.assertLessEqual({"code", "type", "message", "request_id"}, set(answer.body), answer)
        self.assertEqual((status, kind), (answer.body["code"], answer.body["type"]), answer)
        if text:
            self.assertRegex(answer.body["message"], text)

    def key_of(self, name, group="office"):
        address = self.good("GET", "/v1/addresses/%s/%s" % (group, name)).body
        return "%s:%s" % (address["region"], address["id"])

    def settled(self, path):
        """What the path shows when every worker has the last change."""
        def asked():
            answer = self.good("GET", path)
            return answer if answer.body["status"] != "PENDING" else None
        return harness.wait_for(asked, "the change to settle")

    def command(self, *argv):
        return self.sluice.command(*argv)


def fip(key=""):
    return FIP + ("/" + key if key else "")


class Designate(Reverse):
    def test_the_list_has_every_address_with_a_ptr_or_without(self):
        answer = self.good("GET", FIP + "?", token=EYE)
        self.assertEqual({"floatingips", "links"}, set(answer.body))
        self.assertEqual("http://%s:%d%s" % (HERE, PORT, FIP), answer.body["links"]["self"])
        shown = {each["address"]: each for each in answer.body["floatingips"]}
        self.assertEqual({"198.51.100.10", "198.51.100.11"}, set(shown))
        filed, unset = shown["198.51.100.10"], shown["198.51.100.11"]
        self.assertEqual("http://%s:%d%s" % (HERE, PORT, fip("westeurope:" + FILED)),
                         filed["links"].pop("self"))
        self.assertEqual({"id": "westeurope:" + FILED, "address": "198.51.100.10",
                          "ptrdname": "app1.contoso.com.", "description": "mail", "ttl": 300,
                          "status": "ACTIVE", "action": "NONE", "links": {}}, filed)
        self.assertEqual((None, None, None, "INACTIVE", "NONE"), tuple(
            unset[key] for key in ("ptrdname", "description", "ttl", "status", "action")))

    def test_set_show_update_and_unset(self):
        key = self.key_of("open")
        self.ptr_is("198.51.100.11")
        answer = self.good("PATCH", fip(key), {"ptrdname": "mail.example.com.", "ttl": 600,
                                               "description": "out"}, 202, token=OPS)
        self.assertIn((answer.body["status"], answer.body["action"]),
                      (("PENDING", "CREATE"), ("ACTIVE", "NONE")))
        self.assertEqual(("mail.example.com.", 600, "out", key), tuple(
            answer.body[k] for k in ("ptrdname", "ttl", "description", "id")))
        self.ptr_is("198.51.100.11", "mail.example.com.", ttl=600)
        shown = self.settled(fip(key)).body
        self.assertEqual(("ACTIVE", "NONE"), (shown["status"], shown["action"]))

        answer = self.good("PATCH", fip(key), {"ptrdname": "Other.example.com."}, 202, token=OPS)
        self.assertIn(answer.body["action"], ("UPDATE", "NONE"))
        self.ptr_is("198.51.100.11", "other.example.com.", ttl=3600)
        shown = self.settled(fip(key)).body
        self.assertEqual(("Other.example.com.", None, None), tuple(
            shown[k] for k in ("ptrdname", "ttl", "description")))

        answer = self.good("PATCH", fip(key), {"ptrdname": None}, 202, token=OPS)
        self.assertEqual("null", answer.text.strip())
        self.ptr_is("198.51.100.11")
        self.bad_v2(self.call("PATCH", fip(key), {"ptrdname": None}, OPS), 404, "not_found",
                    "^No such FloatingIP " + key)
        shown = self.settled(fip(key)).body
        self.assertEqual((None, "INACTIVE", "NONE"),
                         (shown["ptrdname"], shown["status"], shown["action"]))

    def test_delete_does_what_unset_does(self):
        key = self.key_of("open")
        self.good("PATCH", fip(key), {"ptrdname": "mail.example.com."}, 202)
        self.ptr_is("198.51.100.11", "mail.example.com.")
        self.good("DELETE", fip(key), status=204)
        self.ptr_is("198.51.100.11")
        self.bad_v2(self.call("DELETE", fip(key)), 404, "not_found")

    def test_keys_that_are_none_and_addresses_that_are_not_there(self):
        for key in ("x", "westeurope", "westeurope:x", "west%20europe:" + FILED, ":" + FILED,
                    "westeurope:" + FILED + "0", "a" * 101 + ":" + FILED,
                    "westeurope:" + FILED.replace("-", "0")):
            self.bad_v2(self.call("GET", fip(key)), 400, "bad_request",
                        "is not in the format of <region>:<uuid>$")
        for key in ("westeurope:" + UNKNOWN, "eastus:" + FILED, "a" * 100 + ":" + FILED):
            region, uuid = key.split(":")
            self.bad_v2(self.call("GET", fip(key)), 404, "not_found",
                        'FloatingIP %s in %s is not associated for project "%s"'
                        % (uuid, region, SUBSCRIPTION))
            self.bad_v2(self.call("PATCH", fip(key), {"ptrdname": "a.b."}), 404, "not_found")

    def test_bad_bodies_change_nothing(self):
        key = self.key_of("open")
        label = "a" * 64 + ".example."
        for body in ({"ptrdname": "mail.example.com"}, {"ptrdname": ""}, {"ptrdname": "."},
                     {"ptrdname": "*.example."}, {"ptrdname": label}, {"ptrdname": 5},
                     {"ptrdname": ".".join(["a" * 60] * 5) + "."}, {"ttl": 5}, {}, [], "x",
                     {"ptrdname": "a.example.", "ttl": -1}, {"ptrdname": "a.example.", "ttl": "5"},
                     {"ptrdname": "a.example.", "ttl": 2147483648},
                     {"ptrdname": "a.example.", "description": "x" * 161},
                     {"ptrdname": "a.example.", "description": 1},
                     {"ptrdname": "a.example.", "frob": 1}):
            answer = self.call("PATCH", fip(key), body if body != "x" else '"x"')
            self.bad_v2(answer, 400, "invalid_object")
        self.bad_v2(self.call("PATCH", fip(key), "{"), 400, "bad_request")
        self.assertEqual("INACTIVE", self.good("GET", fip(key)).body["status"])
        for body in ({"ptrdname": "a.example.", "ttl": 0},
                     {"ptrdname": "a.example.", "ttl": 2147483647, "description": "x" * 160},
                     {"ptrdname": "a" * 63 + ".example.", "ttl": None, "description": None}):
            self.good("PATCH", fip(key), body, 202)

    def test_what_the_file_says_is_not_changed(self):
        key = "westeurope:" + FILED
        for method, body in (("PATCH", {"ptrdname": "x.example."}), ("PATCH", {"ptrdname": None}),
                             ("DELETE", None)):
            self.bad_v2(self.call(method, fip(key), body), 409, "conflict", r"sluice\.conf:\d+")
        self.ptr_is("198.51.100.10", "app1.contoso.com.", ttl=300)

    def test_who_may(self):
        key = self.key_of("open")
        body = {"ptrdname": "mail.example.com."}
        for token in (None, "wrong-secret-0123456789"):
            answer = self.call("GET", fip(), token=token, tcp=True)
            self.bad_v2(answer, 401, "unauthorized")
        self.bad_v2(self.call("PATCH", fip(key), body, token=EYE), 403, "forbidden")
        self.good("GET", fip(key), token=EYE)
        self.good("PATCH", fip(key), body, 202, tcp=True,
                  headers={"Authorization": "Bearer " + OPS, "X-Auth-All-Projects": "true",
                           "X-Auth-Sudo-Project-ID": "p"})

    def test_paths_and_methods(self):
        key = self.key_of("open")
        self.good("GET", "/V2//reverse/FloatingIPs/")
        self.good("GET", fip(urllib.parse.quote(key, safe="")))
        self.bad_v2(self.call("GET", "/v2/reverse/other"), 404, "not_found")
        answer = self.call("POST", FIP)
        self.bad_v2(answer, 405, "method_not_allowed")
        self.assertIn("GET", answer.headers["Allow"])
        self.bad_v2(self.call("PATCH", fip(key), b" " * (1024 * 1024 + 1)), 413,
                    "request_entity_too_large")

    def test_a_name_that_does_not_lead_back_is_in_the_log(self):
        key = self.key_of("open")
        self.good("PATCH", fip(key), {"ptrdname": "good.example.com."}, 202)
        self.good("PATCH", fip(key), {"ptrdname": "nx.example.com."}, 202)
        harness.wait_for(lambda: "198.51.100.11 leads to nx.example.com., which has no address"
                         in self.sluice.log(), "the warning")
        self.assertNotIn("leads to good.example.com.", self.sluice.log())


class Resources(Reverse):
    def test_an_address_is_made_shown_changed_and_removed(self):
        path = "/v1/addresses/web/front"
        self.bad_v1(self.call("GET", path), 404, "not_found")
        made = self.good("PUT", path, {
            "address": "198.51.100.30", "allocation": "static", "domain_name_label": "front",
            "tags": {"team": "a"}, "reverse_fqdn": "Front.westeurope.cloudapp.azure.com",
            "description": "first", "ttl": 60}, 201)
        self.assertEqual([], made.body.pop("warnings"))
        self.assertRegex(made.body["id"], "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
        wanted = {"name": "front", "resource_group": "web", "region": "westeurope",
                  "subscription": SUBSCRIPTION, "address": "198.51.100.30",
                  "allocation": "static", "domain_name_label": "front",
                  "fqdn": "front.westeurope.cloudapp.azure.com.", "tags": {"team": "a"},
                  "reverse_fqdn": "Front.westeurope.cloudapp.azure.com.",
                  "description": "first", "ttl": 60, "reason": None, "origin": None}
        self.assertEqual(wanted, {key: made.body[key] for key in wanted})
        self.assertEqual(made.etag, made.body["etag"])
        self.ptr_is("198.51.100.30", "front.westeurope.cloudapp.azure.com.", ttl=60)
        self.assert_answer(self.host.ask((HERE, 53), "front.westeurope.cloudapp.azure.com"),
                           "198.51.100.30")

        shown = self.settled("/V1/Addresses/WEB/FRONT")
        # How its PTR fares is the tag's second half: it was PENDING when it was made, or no more.
        self.assertEqual(made.etag.split("-")[0], shown.etag.split("-")[0])
        self.assertEqual(shown.etag, shown.body["etag"])
        # What was read may be sent back as it is.
        again = self.good("PUT", path, {**shown.body, "warnings": []})
        del again.body["warnings"]
        self.assertEqual({**wanted, "id": made.body["id"]},
                         {key: again.body[key] for key in (*wanted, "id")})
        changed = self.good("PATCH", path, {"domain_name_label": "front2", "description": None})
        self.assertEqual(("front2", None, 60, {"team": "a"}), tuple(
            changed.body[key] for key in ("domain_name_label", "description", "ttl", "tags")))
        self.assert_answer(self.host.ask((HERE, 53), "front2.westeurope.cloudapp.azure.com"),
                           "198.51.100.30")
        # PUT takes away what it does not say.
        bare = self.good("PUT", path, {}).body
        self.assertEqual((None, {}, None, "198.51.100.30", "static"), tuple(
            bare[key] for key in ("domain_name_label", "tags", "reverse_fqdn", "address",
                                  "allocation")))
        self.ptr_is("198.51.100.30")
        self.good("DELETE", path, status=204)
        self.bad_v1(self.call("DELETE", path), 404)

    def test_a_dynamic_address_is_a_free_one_of_a_pool(self):
        one = self.good("PUT", "/v1/addresses/-/one", {}, 201).body
        two = self.good("PUT", "/v1/addresses/-/two", {"reverse_fqdn": "two.example."}, 201).body
        self.assertEqual((None, "dynamic"), (one["resource_group"], one["allocation"]))
        self.assertTrue(one["address"].startswith("198.51.100."))
        self.assertNotEqual(one["address"], two["address"])
        self.ptr_is(two["address"], "two.example.")

    def test_ipv6_is_as_ipv4(self):
        self.good("PUT", "/v1/addresses/web/six", {"address": "2001:db8:5::25"}, 201)
        path = "/v1/ptrs/" + urllib.parse.quote("2001:db8:5::25", safe="")
        set_ = self.good("PUT", path, {"reverse_fqdn": "ipv6-host.example.com."}, 201)
        self.ptr_is("2001:db8:5::25", "ipv6-host.example.com.", ttl=3600)
        self.assertEqual(1, len(set_.body["warnings"]))  # upstream has no AAAA
        self.good("DELETE", path, status=204)
        self.ptr_is("2001:db8:5::25")

    def test_lists_have_the_files_and_the_states(self):
        self.good("PUT", "/v1/addresses/web/front", {"address": "198.51.100.30"}, 201)
        self.good("PUT", "/v1/services/shop", {"address": "198.51.100.40"}, 201)
        addresses = self.good("GET", "/v1/addresses", token=EYE).body["addresses"]
        self.assertEqual(["filed", "open", "front"], [each["name"] for each in addresses])
        self.assertRegex(addresses[0]["origin"], r"sluice\.conf:\d+$")
        self.assertIsNone(addresses[2]["origin"])
        self.assertEqual([{"team": "mail", "env": "prod"}, {}, {}],
                         [each["tags"] for each in addresses])
        services = self.good("GET", "/v1/services").body["services"]
        self.assertEqual(["filedsvc", "shop"], [each["name"] for each in services])
        self.assertEqual("filedsvc.cloudapp.net.", services[0]["fqdn"])
        ptrs = self.good("GET", "/v1/ptrs").body["ptrs"]
        self.assertEqual({("address", "filed", "app1.contoso.com."), ("address", "open", None),
                          ("address", "front", None), ("service", "shop", None),
                          ("service", "filedsvc", "filedsvc.cloudapp.net.")},
                         {(each["kind"], each["name"], each["reverse_fqdn"]) for each in ptrs})

    def test_services(self):
        path = "/v1/services/shop"
        made = self.good("PUT", path, {"address": "198.51.100.40", "description": "App1",
                                       "reverse_fqdn": "shop.cloudapp.net."}, 201)
        self.assertEqual([], made.body["warnings"])
        self.assertEqual(("shop.cloudapp.net.", "App1"),
                         (made.body["fqdn"], made.body["description"]))
        self.ptr_is("198.51.100.40", "shop.cloudapp.net.")
        self.assert_answer(self.host.ask((HERE, 53), "shop.cloudapp.net"), "198.51.100.40")
        changed = self.good("PATCH", path, {"description": "App2"}).body
        self.assertEqual(("App2", "shop.cloudapp.net."),
                         (changed["description"], changed["reverse_fqdn"]))
        self.good("PATCH", path, {"reverse_fqdn": ""})
        self.ptr_is("198.51.100.40")
        self.good("DELETE", path, status=204)
        self.bad_v1(self.call("GET", path), 404)

    def test_a_ptr_by_address_by_id_and_by_region_and_id(self):
        key = self.key_of("open")
        self.good("PUT", "/v1/ptrs/198.51.100.11", {"reverse_fqdn": "a.example.com"}, 201)
        self.good("PUT", "/v1/ptrs/" + key, {"reverse_fqdn": "b.example.com", "ttl": 5})
        shown = self.settled("/v1/ptrs/" + key.split(":")[1])
        self.assertEqual((key, "address", "open", "b.example.com.", 5, "ACTIVE", "NONE"), tuple(
            shown.body[k] for k in ("id", "kind", "name", "reverse_fqdn", "ttl", "status",
                                    "action")))
        self.good("PATCH", "/v1/ptrs/" + key, {"description": "x"})
        shown = self.good("GET", "/v1/ptrs/198.51.100.11").body
        self.assertEqual(("b.example.com.", 5, "x"),
                         (shown["reverse_fqdn"], shown["ttl"], shown["description"]))
        shown = self.good("PATCH", "/v1/ptrs/" + key, {"ttl": None}).body
        self.assertEqual((None, 3600), (shown["ttl"], shown["ttl_served"]))
        self.good("DELETE", "/v1/ptrs/" + key, status=204)
        self.bad_v1(self.call("DELETE", "/v1/ptrs/" + key), 404, "not_found")
        for other in ("198.51.100.99", UNKNOWN, "eastus:" + key.split(":")[1], "x"):
            self.bad_v1(self.call("PUT", "/v1/ptrs/" + other, {"reverse_fqdn": "a.b."}), 404)

    def test_a_name_that_does_not_lead_back_is_warned_of(self):
        for name, warnings in (("mail.example.com.", []),
                               ("nx.example.com.", ["198.51.100.11 leads to nx.example.com., which"
                                                    " has no address"]),
                               ("contosoapp1.westeurope.cloudapp.azure.com.", [
                                   "198.51.100.11 leads to contosoapp1.westeurope.cloudapp.azure"
                                   ".com., which leads to 198.51.100.10 and not back"]),
                               ("contosoopen.westeurope.cloudapp.azure.com.", [])):
            answer = self.call("PUT", "/v1/ptrs/198.51.100.11", {"reverse_fqdn": name})
            self.assertEqual(warnings, answer.body["warnings"])
            self.ptr_is("198.51.100.11", name)
        # Silence holds the answer up, but neither for long nor the change.
        answer = self.good("PUT", "/v1/ptrs/198.51.100.11", {"reverse_fqdn": "silent.example."})
        self.assertIn("could not be checked", answer.body["warnings"][0])

    def test_fields_are_checked_and_named(self):
        path = "/v1/addresses/web/front"
        for body, field in (
                ({"address": "198.51.100"}, "address"), ({"address": "192.0.2.1"}, "address"),
                ({"address": 5}, "address"), ({"allocation": "often"}, "allocation"),
                ({"domain_name_label": "Ab"}, "domain_name_label"), ({"tags": 1}, "tags"),
                ({"ttl": "x"}, "ttl"), ({"ttl": -1, "reverse_fqdn": "a.b."}, "ttl"),
                ({"reverse_fqdn": "a..b"}, "reverse_fqdn"), ({"reverse_fqdn": "."}, "reverse_fqdn"),
                ({"description": "x"}, "description"), ({"adress": "198.51.100.30"}, "adress"),
                ({"name": "back"}, "name"), ({"resource_group": "x"}, "resource_group"),
                ({"subscription": UNKNOWN}, "subscription")):
            body = {"address": "198.51.100.30", **body}
            self.bad_v1(self.call("PUT", path, body), 400, "invalid", field)
        self.bad_v1(self.call("PUT", path, "[]"), 400)
        self.bad_v1(self.call("PUT", path, "{"), 400)
        self.bad_v1(self.call("PUT", path), 400)
        self.bad_v1(self.call("PUT", "/v1/ptrs/198.51.100.11", {}), 400, "invalid", "reverse_fqdn")
        self.bad_v1(self.call("PUT", "/v1/ptrs/198.51.100.11", {"frob": 1}), 400, "invalid", "frob")
        self.bad_v1(self.call("GET", path), 404)

    def test_a_ttl_beyond_the_most_is_refused_whichever_ttl_there_is(self):
        path = "/v1/addresses/web/front"
        self.good("PUT", path, {"address": "198.51.100.30", "reverse_fqdn": "a.example.", "ttl": 300}, status=201)
        for ttl in (300 + 2**32, 300 - 2**32):
            for where, what in ((path, {"address": "198.51.100.30", "reverse_fqdn": "a.example.", "ttl": ttl}),
                                ("/v1/ptrs/198.51.100.30", {"reverse_fqdn": "a.example.", "ttl": ttl})):
                self.bad_v1(self.call("PUT", where, what), 400, "invalid", "ttl")
            self.bad_v1(self.call("PATCH", path, {"ttl": ttl}), 400, "invalid", "ttl")

    def test_what_is_only_shown_changes_nothing(self):
        path = "/v1/addresses/web/front"
        made = self.good("PUT", path, {"address": "198.51.100.30", "reverse_fqdn": "a.example."}, status=201)
        for where, what in ((path, {}), (path, {"etag": "x", "status": "y", "ttl_served": 5}),
                            ("/v1/ptrs/198.51.100.30", {"address": "198.51.100.30", "name": "front"})):
            self.good("PATCH", where, what)
        self.assertEqual(made.body["etag"].split("-")[0], self.good("GET", path).body["etag"].split("-")[0])
        # What the file declares without a PTR may have one, whatever is sent back beside it.
        self.good("PATCH", "/v1/addresses/office/open", {"reverse_fqdn": "b.example.", "etag": "x"})
        self.ptr_is("198.51.100.11", "b.example.")
        self.bad_v1(self.call("PUT", "/v1/groups/-/new", {"status": "y"}), 400, "invalid", "status")
        self.bad_v1(self.call("PUT", "/v1/services/shop", {"address": "198.51.100.40", "subscription": "x"}), 400, "invalid",
                    "subscription")
        self.bad_v1(self.call("GET", "/v1/ptrs/-/198.51.100.30"), 404, text="nothing at this path")

    def test_what_is_taken_says_by_whom(self):
        path = "/v1/addresses/web/front"
        for body, field, whom in (({"address": "198.51.100.10"}, "address", r"sluice\.conf:\d+"),
                                  ({"domain_name_label": "contosoapp1"}, "domain_name_label",
                                   r"sluice\.conf:\d+"),
                                  ({"id": FILED}, "id", r"sluice\.conf:\d+")):
            body = {"address": "198.51.100.30", **body}
            self.bad_v1(self.call("PUT", path, body), 409, "taken", field, whom)
        self.good("PUT", path, {"address": "198.51.100.30"}, 201)
        self.bad_v1(self.call("PUT", "/v1/services/shop", {"address": "198.51.100.30"}), 409,
                    "taken", "address", "front")

    def test_what_the_file_says_is_read_only(self):
        for method, path, body in (
                ("PUT", "/v1/addresses/office/filed", {}),
                ("PATCH", "/v1/addresses/office/filed", {"tags": {"a": "b"}}),
                ("PATCH", "/v1/addresses/office/open", {"domain_name_label": "other"}),
                ("DELETE", "/v1/addresses/office/filed", None),
                ("PUT", "/v1/ptrs/198.51.100.10", {"reverse_fqdn": "x.example."}),
                ("DELETE", "/v1/ptrs/198.51.100.10", None),
                ("PATCH", "/v1/services/filedsvc", {"description": "x"}),
                ("DELETE", "/v1/services/filedsvc", None)):
            self.bad_v1(self.call(method, path, body), 409, "read_only", text=r"sluice\.conf:\d+")
        # Its PTR is the API's where the file says nothing of it.
        self.good("PATCH", "/v1/addresses/office/open", {"reverse_fqdn": "open.example."})
        self.ptr_is("198.51.100.11", "open.example.")

    def test_an_edit_of_only_the_ptr_goes_to_where_the_ptr_is(self):
        path, filed = "/v1/addresses/office/open", {"domain_name_label": "contosoopen"}
        nothing = self.good("PUT", path, filed)  # as the file has it
        self.assertIsNone(nothing.body["reverse_fqdn"])
        made = self.good("PUT", path, {**filed, "reverse_fqdn": "a.example.", "description": "first", "ttl": 300})
        self.ptr_is("198.51.100.11", "a.example.")
        exported = [edit["values"] for edit in self.good("GET", "/v1/export").body["edits"]
                    if edit["path"] == "addresses/office/open"]
        self.assertNotIn("reverse_fqdn", exported[0])
        # The file's values lack the PTR, so they leave it as it is.
        kept = self.good("PUT", path, exported[0])
        self.assertEqual((kept.body["reverse_fqdn"], kept.body["description"], kept.body["ttl"], kept.etag),
                         ("a.example.", "first", 300, made.etag))
        self.assertEqual(self.good("PATCH", path, {"ttl": 60}).body["description"], "first")
        replaced = self.good("PUT", path, {**filed, "reverse_fqdn": "b.example."}).body
        self.assertEqual((replaced["description"], replaced["ttl"]), (None, None))
        self.bad_v1(self.call("PUT", path, {**filed, "reverse_fqdn": "c.example.", "tags": {"a": "b"}}), 409, "read_only")
        self.ptr_is("198.51.100.11", "b.example.")
        self.assertIsNone(self.good("PUT", path, {**filed, "reverse_fqdn": None}).body["reverse_fqdn"])
        self.ptr_is("198.51.100.11")
        self.good("PUT", "/v1/services/filedsvc", {})
        self.bad_v1(self.call("PATCH", "/v1/services/filedsvc", {"ptr_description": "x"}), 409, "read_only")

    def test_a_ptr_can_be_set_whatever_is_wrong_with_its_address(self):
        address, service = "/v1/addresses/web/front", "/v1/services/shop"
        self.good("PUT", address, {"address": "2001:db8:5::1"}, 201)
        self.good("PUT", service, {"address": "2001:db8:5::2"}, 201)
        gone = '{ name = "six"; prefix = "2001:db8:5::/48"; } '
        config = self.config()
        self.assertIn(gone, config)
        self.sluice.reconfigure(config.replace(",\n                  " + gone, ""))
        self.assertEqual(0, self.command("reload")[0])
        for path, body in ((address, {"reverse_fqdn": None}), (address, {"reverse_fqdn": "a.example."}),
                           (address, {"reverse_fqdn": "a.example."}), (address, {"ttl": 7}), (address, {"ttl": 7}),
                           (service, {"ttl": None}), (service, {"tags": {}})):
            for query in ("?dry_run", ""):
                shown = self.good("PATCH", path + query, body).body
                for key, value in body.items():
                    self.assertEqual(value, shown[key], (path, body))
        kept = self.good("GET", address)
        self.assertEqual(("a.example.", 7, "ERROR"), tuple(kept.body[key] for key in ("reverse_fqdn", "ttl", "status")))
        for body in ({"reverse_fqdn": "a.example.", "ttl": 7}, {"reverse_fqdn": "b.example."}):
            self.good("PUT", address, body)
        self.bad_v1(self.call("PATCH", address, {"tags": {"a": "b"}}), 400, "invalid", "address", "no address pool")

    def test_a_region_that_the_configuration_gets_later_moves_no_address(self):
        config = self.config().replace('region = "westeurope";', "", 1).replace('domain_name_label = "contosoapp1";', "")
        config = config.replace('domain_name_label = "contosoopen";', "")
        self.sluice.reconfigure(config)
        self.assertEqual(0, self.command("reload")[0])
        path = "/v1/addresses/web/front"
        self.assertIsNone(self.good("PUT", path, {"address": "198.51.100.30"}, 201).body["region"])
        self.sluice.reconfigure('region = "westeurope";' + config)
        self.assertEqual(0, self.command("reload")[0])
        for method, body in (("PATCH", {"reverse_fqdn": "a.example."}), ("PATCH", {"tags": {"a": "b"}}),
                             ("PUT", {"reverse_fqdn": "b.example."})):
            self.assertIsNone(self.good(method, path, body).body["region"], (method, body))

    def test_etags_and_preconditions(self):
        path = "/v1/addresses/web/front"
        body = {"address": "198.51.100.30"}
        self.bad_v1(self.call("PUT", path, body, headers={"If-Match": "*"}), 412)
        first = self.good("PUT", path, body, 201, headers={"If-None-Match": "*"}).etag
        self.bad_v1(self.call("PUT", path, body, headers={"If-None-Match": "*"}), 412)
        self.assertEqual(304, self.call("GET", path, headers={"If-None-Match": first}).status)
        second = self.good("PATCH", path, {"tags": {"a": "b"}}, headers={"If-Match": first}).etag
        self.assertNotEqual(first, second)
        self.assertEqual(self.good("GET", "/v1/changes").etag.split("-")[0], second.split("-")[0])
        self.bad_v1(self.call("PATCH", path, {"tags": {}}, headers={"If-Match": first}), 412,
                    "precondition_failed")
        self.bad_v1(self.call("DELETE", path, headers={"If-Match": first}), 412)
        self.bad_v2(self.call("PATCH", fip(self.key_of("front", "web")), {"ptrdname": "a.b."},
                              headers={"If-Match": first}), 412, "precondition_failed")
        self.restart()
        self.assertEqual(second, self.good("GET", path).etag)
        self.good("DELETE", path, status=204, headers={"If-Match": second})

    def test_what_was_read_may_be_sent_back(self):
        path = "/v1/addresses/web/front"
        self.good("PUT", path, {"address": "198.51.100.30", "tags": {"a": "b"}, "ttl": 0,
                                "reverse_fqdn": "front.example."}, 201)
        shown = self.settled(path).body
        self.good("PUT", path, shown)
        again = self.settled(path).body
        self.assertEqual(dict(shown, etag=None), dict(again, etag=None))
        shown = self.good("GET", "/v1/services/filedsvc").body
        del shown["id"]
        self.good("PUT", "/v1/services/other", dict(shown, name="other", address="198.51.100.40",
                                                    reverse_fqdn=None), 201)

    def test_lists_and_the_state_have_etags_and_preconditions(self):
        lists = ("/v1/addresses", "/v1/services", "/v1/ptrs", "/v1/state", FIP)
        before = {path: self.good("GET", path).etag for path in lists}
        for path, etag in before.items():
            answer = self.call("GET", path, headers={"If-None-Match": etag})
            self.assertEqual((304, "", etag), (answer.status, answer.text, answer.etag))
        self.good("PUT", "/v1/ptrs/198.51.100.11", {"reverse_fqdn": "one.example."}, 201)
        for path, etag in before.items():
            self.assertNotEqual(etag, self.good("GET", path, headers={"If-None-Match": etag}).etag)
        rows = [{"address": "198.51.100.11", "reverse_fqdn": "two.example."}]
        saved = self.good("GET", "/v1/state")
        for wrong in ({"If-Match": before["/v1/ptrs"]}, {"If-None-Match": "*"}):
            self.bad_v1(self.call("POST", "/v1/ptrs", rows, headers=wrong), 412,
                        "precondition_failed")
            self.bad_v1(self.call("PUT", "/v1/state", saved.body, headers=wrong), 412,
                        "precondition_failed")
        self.ptr_is("198.51.100.11", "one.example.")
        self.good("POST", "/v1/ptrs", rows, headers={"If-Match": saved.etag})
        self.ptr_is("198.51.100.11", "two.example.")
        self.bad_v1(self.call("PUT", "/v1/state", saved.body, headers={"If-Match": saved.etag}), 412)
        changed = self.good("GET", "/v1/ptrs").etag
        self.good("PUT", "/v1/state", saved.body, 204, headers={"If-Match": changed})
        self.ptr_is("198.51.100.11", "one.example.")
        self.assertNotEqual(changed, self.good("GET", "/v1/ptrs").etag)
        # The version is the latest change of addresses: neither another change nor a restart.
        self.good("PUT", "/v1/addresses/office/more", {"address": "198.51.100.31"}, 201)
        self.good("DELETE", "/v1/addresses/office/more", status=204)
        revision = self.good("GET", "/v1/changes").etag.split("-")[0]
        before = {path: self.good("GET", path).etag for path in lists}
        self.assertEqual({revision}, {etag.split("-")[0] for etag in before.values()})
        self.good("PUT", "/v1/private_zones/-/other.example", {}, 201)
        self.assertEqual(before, {path: self.good("GET", path).etag for path in lists})
        self.restart()
        self.assertEqual(before, {path: self.good("GET", path).etag for path in lists})

    def test_a_reader_reads(self):
        for path in ("/v1/addresses", "/v1/services", "/v1/ptrs", "/v1/check?subject=198.51.100.10"):
            self.good("GET", path, token=EYE)
            self.bad_v1(self.call("GET", path, tcp=True), 401)
        for method, path in (("PUT", "/v1/addresses/a/b"), ("DELETE", "/v1/services/filedsvc"),
                             ("PUT", "/v1/ptrs/198.51.100.11"), ("PUT", "/v1/state")):
            self.bad_v1(self.call(method, path, {}, token=EYE), 403)

    def test_a_restart_keeps_everything(self):
        self.good("PUT", "/v1/addresses/web/front", {
            "address": "198.51.100.30", "domain_name_label": "front", "tags": {"team": "a"},
            "reverse_fqdn": "front.example.", "ttl": 60}, 201)
        self.good("PUT", "/v1/services/shop", {"address": "198.51.100.40"}, 201)
        self.good("PUT", "/v1/ptrs/198.51.100.11", {"reverse_fqdn": "open.example."}, 201)
        before = [self.settled("/v1/addresses/web/front").body,
                  self.settled("/v1/services/shop").body, self.settled("/v1/ptrs/198.51.100.11").body]
        self.sluice.kill()
        self.start()
        after = [self.good("GET", path).body for path in (
            "/v1/addresses/web/front", "/v1/services/shop", "/v1/ptrs/198.51.100.11")]
        self.assertEqual(before, after)
        self.ptr_is("198.51.100.30", "front.example.", ttl=60)
        self.ptr_is("198.51.100.11", "open.example.")

    def test_a_locked_store_is_an_error_while_dns_goes_on(self):
        key = self.key_of("open")
        self.good("PATCH", fip(key), {"ptrdname": "one.example.com."}, 202)
        other = sqlite3.connect(os.path.join(self.world.dir, "state.db"), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        body = {"reverse_fqdn": "two.example.com."}
        self.bad_v1(self.call("PUT", "/v1/ptrs/" + key, body), 503, "store_failed")
        self.bad_v2(self.call("PATCH", fip(key), {"ptrdname": "two.example.com."}), 503,
                    "service_unavailable")
        self.ptr_is("198.51.100.11", "one.example.com.")
        self.assertEqual("one.example.com.", self.good("GET", fip(key)).body["ptrdname"])
        other.execute("ROLLBACK")
        other.close()
        self.good("PUT", "/v1/ptrs/" + key, body)
        self.ptr_is("198.51.100.11", "two.example.com.")

    def test_a_reload_keeps_the_states_and_refuses_a_name_in_both(self):
        self.good("PUT", "/v1/addresses/office/front", {"address": "198.51.100.30",
                                                        "reverse_fqdn": "front.example."}, 201)
        self.assertEqual(0, self.command("reload")[0])
        self.ptr_is("198.51.100.30", "front.example.")
        self.sluice.reconfigure(self.config().replace('name = "open"', 'name = "front"'))
        status, text = self.command("reload")
        self.assertEqual(1, status, text)
        self.assertIn("front", text)
        self.ptr_is("198.51.100.30", "front.example.")


class Services(Reverse):
    """A cloud service's reverse name has to be owned, whichever way it is set."""
    path, address = "/v1/services/shop", "198.51.100.40"
    not_ours = ("ReverseFqdn %s that cloud service shop is trying to use does not belong to subscription "
                + SUBSCRIPTION + ". One of the following conditions need to be met to establish "
                "ownership: 1) ReverseFqdn matches fqdn of any cloud service or public ip resource under "
                "the subscription; 2) ReverseFqdn resolves to the fqdn (through CName records chain) of "
                "any cloud service or public ip resource under the subscription; 3) It resolves to the "
                "ip address (through CName and A records chain) of a cloud service or static public ip "
                "resource under the subscription.")

    def outside_leads_to(self, address):
        self.upstream.stop()
        self.upstream = harness.Upstream(self.host, "127.0.0.3", address)

    def put(self, fqdn, **more):
        return self.call("PUT", self.path, {"address": self.address, "reverse_fqdn": fqdn, **more})

    def shown(self):
        answer = self.call("GET", self.path)
        return answer.status, answer.text

    def foreign(self, answer, fqdn):
        self.bad_v1(answer, 400, "ReverseFqdnDoesNotBelongToSubscription", "reverse_fqdn")
        self.assertEqual(self.not_ours % fqdn, answer.body["error"]["message"])

    def test_suffixes_that_give_two_of_the_state_one_name_are_refused(self):
        self.good("PUT", "/v1/services/alpha", {"address": "198.51.100.40"}, 201)
        self.good("PUT", "/v1/addresses/-/a", {"address": "198.51.100.41", "domain_name_label": "alpha"}, 201)
        suffixes = 'reverse = { suffix = "cloud.test"; service_suffix = "%scloud.test"; };'
        self.sluice.reconfigure(self.config() + suffixes % "westeurope.")
        status, printed = self.command("reload")
        self.assertEqual(1, status)
        self.assertRegex(printed, "reverse.service_suffix: cloud service \"alpha\".* and address \"a\".* would both "
                         "have the name alpha.westeurope.cloud.test.; give another suffix")
        self.sluice.reconfigure(self.config() + suffixes % "services.")
        self.assertEqual(0, self.command("reload")[0])
        for name, address in (("westeurope", "198.51.100.41"), ("services", "198.51.100.40")):
            self.assert_answer(self.host.ask((HERE, 53), "alpha.%s.cloud.test." % name), address)

    def test_a_name_that_is_ours_or_leads_to_us_is_taken(self):
        status = 201
        for fqdn in ("shop.cloudapp.net", "ContosoApp1.westeurope.cloudapp.azure.com.",
                     "filedsvc.cloudapp.net.", "www.example.com",  # static, and not the service's
                     "alias--filedsvc-cloudapp-net.example.", "alias--www-example-com.example"):
            answer = self.put(fqdn, description="App1")
            self.assertEqual(status, answer.status, answer)
            status = 200
            self.assertEqual(fqdn.rstrip(".") + ".", answer.body["reverse_fqdn"])
            self.ptr_is(self.address, fqdn.rstrip(".").lower() + ".")
        # It leads to us, and not back to itself.
        self.assertIn("which leads to 198.51.100.11 and not back", answer.body["warnings"][0])

    def test_the_address_that_it_gets_proves_a_name_too(self):
        self.outside_leads_to(self.address)
        self.assertEqual(201, self.put("www.example.com").status)
        self.good("DELETE", self.path, status=204)
        self.foreign(self.call("PUT", self.path, {"address": "198.51.100.41",
                                                  "reverse_fqdn": "ftp.example.com"}), "ftp.example.com")

    def test_any_other_is_refused_and_nothing_changes(self):
        self.outside_leads_to("192.0.2.99")
        for fqdn in ("www.example.com", "www.example.com.", "nx.example.", "empty.example.",
                     "alias--www-example-com.example.", "other.cloudapp.net"):
            self.foreign(self.put(fqdn), fqdn)
            self.bad_v1(self.call("GET", self.path), 404)
        self.put("shop.cloudapp.net", description="before", ttl=60)
        before = self.settled(self.path).text
        self.foreign(self.put("www.example.com", description="after"), "www.example.com")
        self.foreign(self.call("PATCH", self.path, {"reverse_fqdn": "www.example.com",
                                                    "address": "198.51.100.41"}), "www.example.com")
        for method in ("PUT", "PATCH"):
            self.foreign(self.call(method, "/v1/ptrs/" + self.address,
                                   {"reverse_fqdn": "www.example.com", "ttl": 5}), "www.example.com")
        self.assertEqual((200, before), self.shown())
        self.ptr_is(self.address, "shop.cloudapp.net.", ttl=60)
        # An address takes any name.
        self.good("PUT", "/v1/ptrs/198.51.100.11", {"reverse_fqdn": "www.example.com"}, 201)

    def test_what_cannot_be_resolved_is_refused_and_says_so(self):
        for fqdn in ("servfail.example.", "refused.example.", "silent.example."):
            answer = self.put(fqdn)
            self.bad_v1(answer, 400, "ReverseFqdnCouldNotBeResolved", "reverse_fqdn",
                        "^ReverseFqdn %s that cloud service shop is trying to use could not be "
                        "resolved" % re.escape(fqdn))
        self.bad_v1(self.call("GET", self.path), 404)

    def test_the_rest_of_the_request_is_looked_at_first(self):
        for body, status, field in (({"address": "192.0.2.1"}, 400, "address"),
                                    ({"address": "198.51.100.11"}, 409, "address"),
                                    ({"ttl": -1}, 400, "ttl"), ({"reverse_fqdn": "a..b"}, 400,
                                                                "reverse_fqdn"),
                                    ({"frob": "x"}, 400, "frob")):
            self.bad_v1(self.call("PUT", self.path, {"address": self.address, "reverse_fqdn":
                                                     "silent.example.", **body}), status, field=field)
        self.bad_v1(self.call("PATCH", self.path, {"reverse_fqdn": "silent.example."}), 404)
        answer = self.call("PUT", self.path, {"address": self.address, "reverse_fqdn": "x.example."},
                           headers={"If-Match": '"x"'})
        self.bad_v1(answer, 412)
        self.assertEqual([], self.upstream.questions("silent.example."))

    def test_it_is_asked_when_it_is_set_and_not_again(self):
        self.assertEqual(201, self.put("www.example.com").status)
        self.outside_leads_to("192.0.2.99")
        self.assertEqual(0, self.command("flush")[0])
        self.good("PATCH", self.path, {"description": "App2"})
        self.assertEqual(200, self.put("WWW.Example.com.", ttl=60).status)
        self.good("PATCH", self.path, {"address": "198.51.100.41"})
        self.ptr_is("198.51.100.41", "www.example.com.", ttl=60)
        self.foreign(self.call("PATCH", self.path, {"reverse_fqdn": "ftp.example.com"}),
                     "ftp.example.com")
        for nothing in ("", None):
            self.good("PATCH", self.path, {"reverse_fqdn": nothing})
            self.ptr_is("198.51.100.41")
            self.good("PATCH", self.path, {"reverse_fqdn": "shop.cloudapp.net"})
        self.good("DELETE", "/v1/ptrs/198.51.100.41", status=204)
        self.foreign(self.put("www.example.com"), "www.example.com")

    def test_ipv6_has_none(self):
        six = {"address": "2001:db8:5::40", "reverse_fqdn": "shop.cloudapp.net"}
        self.bad_v1(self.call("PUT", self.path, six), 400, "ReverseFqdnNotSupportedForIPv6",
                    "reverse_fqdn")
        self.bad_v1(self.call("GET", self.path), 404)
        self.assertEqual(201, self.put("shop.cloudapp.net").status)
        self.bad_v1(self.call("PATCH", self.path, {"address": six["address"]}), 400,
                    "ReverseFqdnNotSupportedForIPv6")
        self.ptr_is(self.address, "shop.cloudapp.net.")
        self.good("PATCH", self.path, {"address": six["address"], "reverse_fqdn": ""})
        self.bad_v1(self.call("PUT", "/v1/ptrs/" + urllib.parse.quote(six["address"], safe=""),
                              {"reverse_fqdn": "shop.cloudapp.net"}), 400,
                    "ReverseFqdnNotSupportedForIPv6")
        self.sluice.reconfigure(self.config() + "reverse = { ipv6 = true; };")
        self.assertEqual(0, self.command("reload")[0])
        self.good("PATCH", self.path, {"reverse_fqdn": "shop.cloudapp.net"})
        self.ptr_is(six["address"], "shop.cloudapp.net.")

    def test_of_writers_that_wait_for_the_same_version_one_comes_through(self):
        self.good("PUT", self.path, {"address": self.address}, 201)
        etag = self.settled(self.path).etag
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda i: self.call(
                "PATCH", self.path, {"reverse_fqdn": "late300.n%d.example" % i},
                headers={"If-Match": etag}), range(8)))
        self.assertEqual([200] + [412] * 7, sorted(answer.status for answer in answers))
        winner = next(answer for answer in answers if answer.status == 200)
        self.ptr_is(self.address, winner.body["reverse_fqdn"])

    def test_a_reload_meanwhile_does_no_harm_and_an_end_refuses(self):
        answer = self.meanwhile(lambda: self.assertEqual(0, self.command("reload")[0]), self.put)
        self.assertEqual(201, answer.status, answer.text)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(self.put, "silent.example")
            harness.wait_for(lambda: self.upstream.questions("silent.example"), "the question")
            self.assertEqual(0, self.sluice.stop())
            try:
                self.assertEqual(400, waiting.result().status)
            except (OSError, http.client.HTTPException):
                pass  # the server was gone first
        self.start()
        self.ptr_is(self.address, answer.body["reverse_fqdn"])

    def meanwhile(self, do, ask):
        """What ask(NAME) gets, for a name whose answer comes after do(). Once more, with another name, where that took so
        long on a busy machine that the question had been given up before (after 3 s: ownership.h, reverse_check.h)."""
        for number in range(10):
            name, begin = "held.n%d.example" % number, time.monotonic()
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                waiting = pool.submit(ask, name)
                harness.wait_for(lambda: waiting.done() or self.upstream.questions(name), "the question")
                do()
                late = waiting.done()
                self.upstream.release()
                answer = waiting.result()
            late = late or answer.status == 400 and time.monotonic() - begin >= 3
            if not late:
                return answer
            self.upstream.hold()
            self.sluice.reconfigure(self.config())  # with the client that do() may have removed
            self.assertEqual(0, self.command("reload")[0])
        self.fail("each question was answered too early")

    def test_who_loses_its_rights_while_a_name_is_looked_up_changes_nothing(self):
        answer = self.meanwhile(lambda: self.forget("ops"), lambda name: self.call(
            "PUT", self.path, {"address": self.address, "reverse_fqdn": name}, OPS))
        self.bad_v1(answer, 401, text="rights have ended")
        self.assertEqual(404, self.call("GET", self.path).status)

    def test_what_another_request_could_not_read_meanwhile_is_nothing_to_it(self):
        def write(statement):
            with contextlib.closing(sqlite3.connect(self.world.dir + "/state.db")) as state:
                state.execute(statement)
                state.commit()

        def spoil():
            write("UPDATE resources SET json = '{' || json WHERE path = '-/spare'")
            self.bad_v1(self.call("GET", "/v1/addresses/-/spare"), 503)
            write("UPDATE resources SET json = substr(json, 2) WHERE path = '-/spare'")
        self.good("PUT", "/v1/addresses/-/spare", {"address": "198.51.100.77"}, 201)
        answer = self.meanwhile(spoil, self.put)
        self.assertEqual(201, answer.status, answer.text)

    def told_nothing(self, path):
        answer = self.meanwhile(lambda: self.forget("ops"), lambda name: self.call("GET", path % name, None, OPS))
        self.bad_v1(answer, 401, text="rights have ended")

    def test_who_loses_its_rights_while_it_has_a_name_explained_is_told_nothing(self):
        self.told_nothing("/v1/explain?name=%s&vnet=hub&type=A&ask=1")

    def test_who_loses_its_rights_while_it_has_a_name_checked_is_told_nothing(self):
        self.told_nothing("/v1/check?subject=%s")

    def test_commands(self):
        self.outside_leads_to("192.0.2.99")
        status, text = self.command("service", "add", "shop", self.address, "--reverse-fqdn",
                                    "www.example.com")
        self.assertEqual(1, status)
        self.assertIn("reverse_fqdn: " + self.not_ours % "www.example.com", text)
        self.assertEqual(0, self.command("service", "add", "shop", self.address, "--reverse-fqdn",
                                         "shop.cloudapp.net", "--description", "App1")[0])
        for command in (("service", "set", "shop", "--reverse-fqdn", "www.example.com"),
                        ("ptr", "set", self.address, "www.example.com")):
            status, text = self.command(*command)
            self.assertEqual(1, status)
            self.assertIn("does not belong to subscription", text)
        self.ptr_is(self.address, "shop.cloudapp.net.")
        self.assertEqual(0, self.command("service", "set", "shop", "--reverse-fqdn", "")[0])
        self.ptr_is(self.address)


class Private(Reverse):
    """Addresses of a network, whose names are told there."""

    def start(self):
        self.world.write("corp.zone", "db 60 IN A 10.10.1.1\nother 60 IN A 10.10.1.9\n")
        self.sluice = harness.Sluice(self.host, self.config() + """
            private_zones = ( { name = "corp.test"; file = "corp.zone";
                                links = ( { name = "l"; virtual_network = "hub"; } ); } );""", (HERE, 53))

    def test_whether_a_name_leads_back_is_seen_there(self):
        path = "/v1/addresses/-/db"
        made = self.good("PUT", path, {"address": "10.10.1.1", "reverse_fqdn": "db.corp.test."}, 201)
        self.assertEqual([], made.body["warnings"])
        self.ptr_is("10.10.1.1", "db.corp.test.")
        status, text = self.command("ptr", "check", "10.10.1.1")
        self.assertEqual(0, status, text)
        self.assertIn("confirmed: 10.10.1.1 leads to db.corp.test. and back", text)
        made = self.good("PATCH", path, {"reverse_fqdn": "other.corp.test."})
        self.assertRegex(made.body["warnings"][0], "which leads to 10.10.1.9 and not back")
        # A public address's name is seen as everybody sees it.
        self.good("PUT", "/v1/addresses/-/public", {"address": "198.51.100.50"}, 201)
        made = self.good("PUT", "/v1/ptrs/198.51.100.50", {"reverse_fqdn": "db.corp.test."}, 201)
        self.assertRegex(made.body["warnings"][0], "leads to db.corp.test., which has no address")


class Stateless(Reverse):
    state = ""

    def test_changes_are_refused_with_what_would_help(self):
        self.bad_v1(self.call("PUT", "/v1/ptrs/198.51.100.11", {"reverse_fqdn": "a.example."}), 409,
                    "no_state", text="management = { state")
        self.bad_v2(self.call("PATCH", fip(self.key_of("open")), {"ptrdname": "a.example."}), 409,
                    "conflict", "management = { state")
        status, text = self.command("ptr", "set", "198.51.100.11", "a.example.")
        self.assertEqual(1, status)
        self.assertIn("management = { state", text)
        self.ptr_is("198.51.100.10", "app1.contoso.com.")


class Commands(Reverse):
    def run_(self, *argv, status=0):
        got, text = self.command(*argv)
        self.assertEqual(status, got, text)
        return text

    def table(self, text):
        lines = [re.split(r"\s{2,}", line.strip()) for line in text.splitlines() if line.strip()]
        return [dict(zip(lines[0], line)) for line in lines[1:]]

    def test_ptr(self):
        rows = {row["address"]: row for row in self.table(self.run_("ptr", "list"))}
        self.assertEqual(("app1.contoso.com.", "ACTIVE", "westeurope:" + FILED), tuple(
            rows["198.51.100.10"][key] for key in ("reverse_fqdn", "status", "id")))
        self.assertEqual(("-", "INACTIVE"), tuple(
            rows["198.51.100.11"][key] for key in ("reverse_fqdn", "status")))
        text = self.run_("ptr", "set", "--description", "Mail server", "--ttl", "60",
                         "198.51.100.11", "mail.example.com.")
        self.assertNotIn("warning", text)
        self.ptr_is("198.51.100.11", "mail.example.com.", ttl=60)
        shown = self.run_("ptr", "show", self.key_of("open"))
        for title, value in (("address", "198.51.100.11"), ("reverse_fqdn", "mail.example.com."),
                             ("description", "Mail server"), ("ttl_served", "60"),
                             ("id", self.key_of("open"))):
            self.assertRegex(shown, "(?m)^%s +%s$" % (title, re.escape(value)))
        self.assertEqual("mail.example.com.", json.loads(self.run_(
            "ptr", "show", "--json", "198.51.100.11"))["reverse_fqdn"])
        self.run_("ptr", "unset", "198.51.100.11")
        self.ptr_is("198.51.100.11")
        self.run_("ptr", "set", "198.51.100.11", "mail.example.com")
        self.run_("ptr", "delete", "198.51.100.11")
        self.ptr_is("198.51.100.11")
        self.assertNotIn("--make", self.run_("ptr", "delete", "198.51.100.11", status=1))
        self.assertIn("warning: 198.51.100.11 leads to nx.example.com.",
                      self.run_("ptr", "set", "198.51.100.11", "nx.example.com"))

    def test_what_is_wrong_is_said(self):
        self.assertRegex(self.run_("ptr", "set", "198.51.100.10", "a.example", status=1),
                         r"sluice\.conf:\d+")
        self.assertIn("reverse_fqdn: ", self.run_("ptr", "set", "198.51.100.11", "a..b", status=1))
        self.assertIn("is not a number", self.run_("ptr", "set", "198.51.100.11", "a.b", "--ttl",
                                                   "1h", status=2))
        self.run_("ptr", "show", "198.51.100.99", status=1)
        self.assertIn("ptr set", self.run_("ptr", status=2))
        self.assertIn('no command "ptr frob"', self.run_("ptr", "frob", status=2))

    def test_check(self):
        for subject, status, result in (
                ("198.51.100.10", 1, "mismatch"),  # app1.contoso.com is 198.51.100.11 out there
                ("198.51.100.20", 0, "confirmed"), ("filedsvc.cloudapp.net", 0, "confirmed"),
                ("198.51.100.11", 1, "missing"), ("203.0.113.1", 1, "missing"),
                ("nx.example.com", 1, "missing"), ("mail.example.com", 1, "missing"),
                ("contosoapp1.westeurope.cloudapp.azure.com", 1, "mismatch"),
                ("silent.example.com", 1, "failed")):
            self.assertEqual(result, self.run_("ptr", "check", subject, status=status)
                             .split(":")[0])
        text = self.run_("ptr", "check", "198.51.100.10", status=1)
        self.assertIn("leads to app1.contoso.com., which leads to 198.51.100.11 and not back", text)
        report = json.loads(self.run_("ptr", "check", "--json", "198.51.100.20"))
        self.assertEqual({"subject", "result", "text", "paths"}, set(report))
        self.assertEqual([{"leads_to": "filedsvc.cloudapp.net.", "back_to": ["198.51.100.20"],
                           "confirmed": True, "error": None}], report["paths"])
        self.run_("ptr", "check", "a..b", status=1)
        self.assertIn("there is no virtual network", self.run_(
            "ptr", "check", "--vnet", "spoke", "198.51.100.10", status=1))
        self.run_("ptr", "check", "--vnet", "hub", "198.51.100.20")

    def test_address(self):
        self.run_("address", "add", "front", "198.51.100.30", "--group", "web", "--static",
                  "--label", "front", "--reverse-fqdn", "front.westeurope.cloudapp.azure.com",
                  "--ttl", "60", "--tag", "env=prod", "--tag", "formula=a=b")
        self.ptr_is("198.51.100.30", "front.westeurope.cloudapp.azure.com.", ttl=60)
        self.assertRegex(self.run_("address", "show", "front", "--group", "web"),
                         "(?m)^tags +env=prod, formula=a=b$")
        self.assertIn('"env" is not a tag; give NAME=VALUE', self.run_(
            "address", "add", "other", "--tag", "env", status=2))
        self.run_("address", "add", "front", "198.51.100.31", "--group", "web", status=1)
        self.run_("address", "add", "loose")
        rows = {row["name"]: row for row in self.table(self.run_("address", "list"))}
        self.assertEqual(("web", "198.51.100.30", "static", "-"), tuple(
            rows["front"][key] for key in ("resource_group", "address", "allocation", "origin")))
        self.assertEqual(("-", "dynamic"), (rows["loose"]["resource_group"], rows["loose"]["allocation"]))
        self.assertRegex(rows["filed"]["origin"], r"sluice\.conf:\d+$")
        self.assertRegex(self.run_("address", "show", "front", "--group", "web"),
                         "(?m)^address +198.51.100.30$")
        self.assertIn('there is no address "front" outside the resource groups', self.run_(
            "address", "show", "front", status=1))
        self.assertIn('there is no address "back" in the resource group "web"', self.run_(
            "address", "remove", "back", "--group", "web", status=1))
        self.assertIn('"198.51.100.99" is not an address or id that we own; add the address first', self.run_(
            "ptr", "set", "198.51.100.99", "a.example.", status=1))
        self.run_("address", "remove", "front", "--group", "web")
        self.ptr_is("198.51.100.30")
        self.run_("address", "remove", "loose")

    def test_service(self):
        self.run_("service", "add", "shop", "198.51.100.40", "--description", "App1 with Reverse DNS",
                  "--reverse-fqdn", "shop.cloudapp.net.")
        self.ptr_is("198.51.100.40", "shop.cloudapp.net.")
        self.run_("service", "set", "shop", "--address", "198.51.100.41", "--tag", "of=shop")
        self.assertEqual({"of": "shop"}, self.good("GET", "/v1/services/shop").body["tags"])
        self.ptr_is("198.51.100.41", "shop.cloudapp.net.")
        self.ptr_is("198.51.100.40")
        self.run_("service", "set", "shop", "--reverse-fqdn", "")
        self.ptr_is("198.51.100.41")
        self.run_("service", "set", "shop", status=2)
        rows = {row["name"]: row for row in self.table(self.run_("service", "list"))}
        self.assertEqual(("198.51.100.41", "shop.cloudapp.net.", "App1 with Reverse DNS"), tuple(
            rows["shop"][key] for key in ("address", "fqdn", "description")))
        self.run_("service", "remove", "shop")
        for gone in (("remove", "shop"), ("set", "shop", "--description", "x")):
            self.assertIn('there is no cloud service "shop"', self.run_("service", *gone, status=1))

    def test_state(self):
        self.run_("address", "add", "front", "198.51.100.30", "--label", "front",
                  "--reverse-fqdn", "front.example.")
        self.run_("ptr", "set", "198.51.100.11", "open.example.")
        before = self.good("GET", "/v1/addresses/-/front").body
        saved = json.loads(self.run_("state", "export"))
        path = os.path.join(self.world.dir, "saved.json")
        self.run_("state", "export", path)
        with open(path) as file:
            self.assertEqual(saved, json.load(file))
        link, pipe = (os.path.join(self.world.dir, name) for name in ("link.json", "pipe"))
        os.symlink(path, link)
        self.run_("state", "export", link)
        self.assertTrue(os.path.islink(link))
        new = os.path.join(self.world.dir, "new.json")
        os.symlink(new, link + "2")
        self.run_("state", "export", link + "2")
        self.assertEqual(0o600, stat.S_IMODE(os.stat(new).st_mode))
        os.mkfifo(pipe)
        with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
            self.run_("state", "export", pipe)
            self.assertEqual(saved, json.load(reader.stdout))
        self.assertTrue(stat.S_ISFIFO(os.stat(pipe).st_mode))
        self.run_("address", "remove", "front")
        self.run_("ptr", "unset", "198.51.100.11")
        self.run_("state", "import", path)
        self.ptr_is("198.51.100.30", "front.example.")
        self.ptr_is("198.51.100.11", "open.example.")
        after = self.good("GET", "/v1/addresses/-/front").body
        self.assertEqual(before["id"], after["id"])
        # More than other bodies may have.
        many = {"version": 1, "services": [], "ptrs": [
            {"owner": "00000000-0000-4000-8000-%012x" % i, "reverse_fqdn": "n%d.example." % i}
            for i in range(6000)], "addresses": [
            {"id": "00000000-0000-4000-8000-%012x" % i, "name": "n%d" % i, "region": "westeurope",
             "address": "2001:db8:5::1:%x" % i, "allocation": "static"} for i in range(6000)]}
        text = json.dumps(many)
        self.assertGreater(len(text), 1024 * 1024)
        self.run_("state", "import", self.world.write("many.json", text))
        self.ptr_is("2001:db8:5::1:176f", "n5999.example.")
        self.ptr_is("198.51.100.30")
        many["addresses"][5999]["region"] = "x" * 300
        self.assertIn("addresses[5999].region", self.run_(
            "state", "import", self.world.write("many.json", json.dumps(many)), status=1))
        self.ptr_is("2001:db8:5::1:176f", "n5999.example.")
        broken = self.world.write("broken.json", json.dumps(saved)[:-1])
        self.assertIn("JSON", self.run_("state", "import", broken, status=1))
        self.run_("state", "import", self.world.dir + "/none.json", status=1)


if __name__ == "__main__":
    harness.main()
