"""Zones of the store and their record sets: each set changed by itself and answered at once, refused
in the words of a zone file, going out by AXFR and IXFR, and there again after whatever happens to
the process."""

import contextlib
import json
import os
import random
import re
import socket
import sqlite3
import struct
import threading
import time

import harness
import test_resources

SEED = int(os.environ.get("SEED", "19"))
KILLS = int(os.environ.get("KILLS", "8"))
PEER = "10.10.0.9"
ZONE = "private_zones/-/corp.test"
SETS = ZONE + "/record_sets"


class World(test_resources.World):
    filed = """
private_zones = ( { name = "filed.internal"; file = "corp.internal.zone"; }, { name = "corp.test"; },
  { name = "declared.test"; record_sets = ( { name = "www:A"; ttl = 60; records = [ "10.1.1.1" ]; } );
    links = ( { name = "filed"; virtual_network = "filed"; } ); } );
transfers = ( { zones = [ "corp.test" ]; allow = [ "10.10.0.0/16" ]; notify = [ "10.10.0.9" ]; } );
"""

    def build(self, world):
        super().build(world)
        self.peer = world.host("peer", PEER)
        self.build_hub()
        self.good("PUT", ZONE + "/links/hub", {"virtual_network": "hub"}, 201)

    def set(self, name, *records, **values):
        return self.good("PUT", "%s/%s" % (SETS, name), dict(values, records=records))

    def many(self, *edits):
        return self.good("POST", "changes", {"edits": [
            {"path": "%s/%s" % (SETS, name), "values": records and {"records": records}}
            for name, records in edits]})

    def soa(self):
        return int(self.host.ask(test_resources.INBOUND, "corp.test", "SOA").texts("SOA")[0].split()[2])

    def transferred(self, *what):
        """The records of a transfer, as (owner, type, data)."""
        status, text = self.peer.run("dig", "@10.10.0.4", "corp.test", *what, "+noall", "+answer",
                                     "+noidnout")
        self.assertEqual(0, status, text)
        lines = [line.split(None, 4) for line in text.splitlines() if line and line[0] != ";"]
        return [(line[0], line[3], line[4]) for line in lines]

    def shown(self):
        return {item["name"]: item["records"]
                for item in self.good("GET", SETS + "?limit=1000").body["record_sets"]}


class RecordSets(World):
    def test_a_set_is_made_changed_and_removed_and_answered_at_once(self):
        made = self.good("PUT", SETS + "/www:A", {"ttl": 60, "records": ["10.0.0.1"]}, 201)
        self.assertEqual({"name": "www:A", "ttl": 60, "records": ["10.0.0.1"], "metadata": [],
                          "path": SETS + "/www:A", "origin": None, "warnings": [], "etag": made.etag}, made.body)
        answer = self.ask("www.corp.test")
        self.assert_answer(answer, "10.0.0.1")
        self.assert_rcode(self.ask("nowhere.corp.test"), "NXDOMAIN")
        self.good("PATCH", SETS + "/WWW:a", {"records": ["10.0.0.2", "10.0.0.3"]}, 200)
        self.assert_answer(self.ask("www.corp.test"), "10.0.0.2", "10.0.0.3")
        self.assertEqual(60, self.good("GET", SETS + "/www:A").body["ttl"])
        self.good("DELETE", SETS + "/www:A", status=204)
        self.assert_rcode(self.ask("www.corp.test"), "NXDOMAIN")
        self.bad(self.call("GET", SETS + "/www:A"), 404, "not_found",
                 'no record set "www:A" in the private zone "corp.test"')
        self.assertEqual(404, self.call("DELETE", SETS + "/www:A").status)

    def test_wildcards_aliases_and_empty_names_are_as_in_a_zone_file(self):
        self.set("*.apps:A", "10.0.0.5")
        self.set("alias:CNAME", "x.apps")
        self.set("a.b:TXT", '"one" "two; three"')
        self.assert_answer(self.ask("any.apps.corp.test"), "10.0.0.5")
        self.assert_answer(self.ask("alias.corp.test"), "x.apps.corp.test.", "10.0.0.5")
        self.assert_rcode(self.ask("b.corp.test"), "NOERROR")
        self.assert_rcode(self.ask("c.corp.test"), "NXDOMAIN")
        text = self.peer.run("dig", "@10.10.0.4", "corp.test", "axfr", "+noall", "+answer")[1]
        self.assertRegex(text, r'(?m)^a\.b\.corp\.test\..*TXT\s+"one" "two\\?; three"$')

    def test_etags_rehearsals_and_filters(self):
        tag = self.set("www:A", "10.0.0.1").etag
        self.bad(self.call("PUT", SETS + "/www:A", {"records": ["10.0.0.2"]}, **{"If-None-Match": "*"}),
                 412, "precondition_failed", ".")
        self.good("PUT", SETS + "/www:A", {"records": ["10.0.0.2"]}, 200, **{"If-Match": tag})
        self.bad(self.call("PUT", SETS + "/www:A", {"records": ["10.0.0.3"]}, **{"If-Match": tag}),
                 412, "precondition_failed", ".")
        serial = self.soa()
        would = self.good("PUT", SETS + "/new:A?dry_run", {"records": ["10.0.0.4"]}, 200)
        self.assertEqual(3600, would.body["ttl"])
        self.bad(self.call("PUT", SETS + "/www:CNAME?dry_run", {"records": ["x"]}), 400, "invalid",
                 "a CNAME stands alone")
        self.assertEqual({"www:A": ["10.0.0.2"]}, self.shown())
        self.assertEqual(serial, self.soa())
        self.many(*(("h%02d:A" % i, ["10.0.1.%d" % i]) for i in range(25)))
        self.set("mail:MX", "10 mail.other.test.", ttl=77)
        names, path = [], SETS + "?limit=10&q=h"
        while path:
            page = self.good("GET", path).body
            names += [item["name"] for item in page["record_sets"]]
            path = page["next"] and page["next"][len("/v1/"):]
        self.assertEqual(["h%02d:A" % i for i in range(25)], names)
        found = self.good("GET", SETS + "?ttl=77").body["record_sets"]
        self.assertEqual(["mail:MX"], [item["name"] for item in found])

    def test_what_a_zone_file_may_not_say_is_refused_in_its_words(self):
        self.set("www:A", "10.0.0.1")
        self.set("tree:DNAME", "other.test.")
        before, serial = self.shown(), self.soa()
        at = "private_zones[corp.test].record_sets[%s]"
        for name, records, text, path in (
                ("www:CNAME", ["web"], "www.corp.test. has a CNAME beside A data; a CNAME stands alone", ""),
                ("x.tree:A", ["10.0.0.1"], "is below a DNAME, which covers everything below it", ""),
                ("sub:NS", ["ns.other.test."], "a private zone has no delegations", ""),
                ("@:CNAME", ["web"], "a CNAME at the apex corp.test., beside the SOA", ""),
                ("two:CNAME", ["a", "b"], "has a second CNAME; keep one of them", ""),
                ("a:A", ["10.0.0.256"], "give an IPv4 address, like 192.0.2.1", ".records"),
                ("a:A", ["10.0.0.1\n@ A 10.0.0.2"], "is U+000A, which is invisible", None),
                ("a:A", ["10.0.0.1 ; one"], "it has a comment or a parenthesis", ".records"),
                ("a.other.test.:A", ["10.0.0.1"], "the owner is outside the zone", ".name"),
                ("a:TYPE1", ["10.0.0.1"], '"a:TYPE1" is written a:A', ".name"),
                ("a:TSIG", ["\\# 0"], "cannot be data of a zone", ""),
                ("a.b", ["10.0.0.1"], "give OWNER:TYPE", ".name"),
                ("a:A", ["10.0.0.%d" % i for i in range(21)], "at most 20 are allowed", None)):
            answer = self.call("PUT", "%s/%s" % (SETS, name), {"records": records})
            self.bad(answer, 400, "invalid", re.escape(text), path is not None and at % name + path)
        self.bad(self.call("PUT", SETS + "/a:A", {"records": ["10.0.0.1"], "metadata": ["x"]}), 400,
                 "invalid", 'give "NAME=VALUE"', at % "a:A" + ".metadata")
        self.bad(self.call("PUT", SETS + "/a:A", {"records": ["10.0.0.1"], "tll": 7}), 400, "invalid",
                 'did you mean "ttl"')
        self.bad(self.call("PUT", "private_zones/-/nowhere.test/record_sets/a:A",
                           {"records": ["10.0.0.1"]}), 400, "invalid",
                 'there is no private zone "nowhere.test"; make it first')
        self.bad(self.call("PUT", "private_zones/-/new.test", {"record_sets": []}), 400, "invalid",
                 "are resources of their own")
        self.assertEqual(before, self.shown())
        self.assertEqual(serial, self.soa())

    def test_many_edits_are_one_version_all_or_none(self):
        self.set("www:CNAME", "web")
        self.many(*[("h%d:A" % i, ["10.0.0.1"]) for i in range(900)])
        serial, before = self.soa(), self.shown()
        answer = self.call("POST", "changes", {"edits": [
            {"path": SETS + "/n%d:A" % i, "values": {"records": ["10.0.0.1"]}} for i in range(90)
        ] + [{"path": SETS + "/www:A", "values": {"records": ["10.0.0.1"]}}]})
        self.bad(answer, 400, "invalid", "has A data beside a CNAME; a CNAME stands alone")
        self.assertEqual((serial, before), (self.soa(), self.shown()))
        # Only what comes of all of them counts: here the alias goes.
        self.many(*[("n%d:A" % i, ["10.0.0.1"]) for i in range(90)],
                  ("www:A", ["10.0.0.9"]), ("www:CNAME", None))
        self.assertEqual(991, len(self.shown()))
        self.assert_answer(self.ask("www.corp.test"), "10.0.0.9")
        serials = [data.split()[2] for _, rtype, data in self.transferred("ixfr=%d" % serial)
                   if rtype == "SOA"]
        now = str(self.soa())
        self.assertEqual([now, str(serial), now, now], serials)
        # A filtered list of more rows than are read at once is whole.
        self.many(*[("z%02d:A" % i, ["10.0.0.1"]) for i in range(15)])
        for limit in (8, 9, 10, 100):
            found, path = [], SETS + "?q=z&limit=%d" % limit
            while path:
                page = self.good("GET", path).body
                found += [item["name"] for item in page["record_sets"]]
                path = page["next"] and page["next"][len("/v1/"):]
            self.assertEqual(["z%02d:A" % i for i in range(15)], found)

    def test_a_zone_and_all_in_it_come_and_go_in_one_change(self):
        other = "private_zones/-/other.example"
        self.good("POST", "changes", {"edits": [
            {"path": other, "values": {}},
            {"path": other + "/links/hub", "values": {"virtual_network": "hub"}},
            {"path": other + "/record_sets/a:A", "values": {"records": ["10.0.0.1"]}}]})
        self.assert_answer(self.ask("a.other.example"), "10.0.0.1")
        self.good("POST", "changes", {"edits": [
            {"path": other + "/record_sets/b:A", "values": {"records": ["10.0.0.2"]}},
            {"path": other, "values": None},
            {"path": other, "values": {}},
            {"path": other + "/links/hub", "values": {"virtual_network": "hub"}},
            {"path": other + "/record_sets/c:A", "values": {"records": ["10.0.0.3"]}}]})
        for again in (False, True):
            self.assert_answer(self.ask("c.other.example"), "10.0.0.3")
            self.assert_rcode(self.ask("a.other.example"), "NXDOMAIN")
            self.assert_rcode(self.ask("b.other.example"), "NXDOMAIN")
            if not again:
                self.sluice.kill()
                self.start()
        self.good("DELETE", other + "/links/hub")
        self.good("PUT", other + "/links/hub", {"virtual_network": "hub"})
        self.assert_answer(self.ask("c.other.example"), "10.0.0.3")
        self.good("DELETE", other)
        self.assertEqual(404, self.call("GET", other + "/record_sets").status)
        self.assert_answer(self.ask("c.other.example"), "198.51.100.3")

    def test_a_set_is_undone(self):
        self.set("www:A", "10.0.0.1")
        self.set("www:A", "10.0.0.2")
        last = self.good("GET", "changes").body["changes"][-1]
        self.assertEqual(SETS + "/www:a", last["path"])
        status, text = self.sluice.command("undo", str(last["revision"]))
        self.assertEqual(0, status, text)
        self.assert_answer(self.ask("www.corp.test"), "10.0.0.1")

    # ---- of the file ----

    def test_records_of_a_file_are_no_resources(self):
        path = "private_zones/-/filed.internal/record_sets"
        self.assertEqual([], self.good("GET", path).body["record_sets"])
        for method, body in (("PUT", {"records": ["10.0.0.1"]}), ("PATCH", {}), ("DELETE", None)):
            answer = self.call(method, path + "/web:A", body)
            self.assertIn(answer.status, (404, 409))
        self.bad(self.call("PUT", path + "/web:A", {"records": ["10.0.0.1"]}), 409, "read_only",
                 "the records of this zone are those of its file")

    def test_a_declared_zone_without_a_file_has_sets_of_both(self):
        path = "private_zones/-/declared.test/record_sets"
        self.bad(self.call("PUT", path + "/www:A", {"records": ["10.0.0.1"]}), 409, "read_only",
                 r"it is declared at .*sluice\.conf:\d+")
        self.good("PUT", path + "/api:A", {"records": ["10.0.0.7"]}, 201)
        self.assertEqual(["api:A", "www:A"], [item["name"] for item in self.good(
            "GET", path).body["record_sets"]])
        self.bad(self.call("PUT", path + "/www:CNAME", {"records": ["api"]}), 400, "invalid",
                 "a CNAME stands alone")
        # What file and state both have is a warning where it is the same, else a fault.
        both = (test_resources.CONFIG % self.filed).replace(
            'records = [ "10.1.1.1" ]; }', 'records = [ "10.1.1.1" ]; }, { name = "API:a"; '
            'records = [ "10.0.0.7" ]; }')
        self.sluice.reconfigure(both)
        status, text = self.sluice.command("reload")
        self.assertEqual(0, status, text)
        self.assertIn("is in the state, too, and says the same there", text)
        self.sluice.reconfigure(both.replace("10.0.0.7", "10.0.0.8"))
        status, text = self.sluice.command("reload")
        self.assertEqual(1, status, text)
        self.assertIn("is in the state, too, and says something else there; remove one of them", text)
        self.sluice.reconfigure(test_resources.CONFIG % self.filed.replace("declared.test", "gone.test"))
        status, text = self.sluice.command("reload")
        self.assertEqual(0, status, text)
        self.assertIn("private_zones[declared.test]: warning: is not in the configuration any more, "
                      "but 1 record set of it is in the state", text)
        for query in ("", "?q=api"):
            self.assertIn("not_served", self.good("GET", path + query).body["record_sets"][0])

    def test_what_waits_for_a_zone_is_there_when_the_state_makes_it(self):
        path = "private_zones/-/declared.test"
        self.good("PUT", path + "/record_sets/api:A", {"records": ["10.0.0.7"]}, 201)
        self.good("PUT", path + "/links/hub", {"virtual_network": "hub"}, 201)
        self.sluice.reconfigure(test_resources.CONFIG % self.filed.replace("declared.test", "gone.test"))
        self.command("reload")
        self.good("PUT", path, {}, 201)
        for again in (False, True):
            self.assertEqual(["api:A"], [item["name"] for item in self.good(
                "GET", path + "/record_sets").body["record_sets"]])
            self.assert_answer(self.ask("api.declared.test"), "10.0.0.7")
            if not again:
                self.command("reload")
        # What goes with a zone does not come back with another of its name.
        self.good("POST", "changes", {"edits": [{"path": path, "values": None}, {"path": path, "values": {}}]})
        self.assertEqual([], self.good("GET", path + "/record_sets").body["record_sets"])

    def test_rows_that_others_wrote_are_passed_over_and_told_of(self):
        self.set("www:A", "10.0.0.1")
        rows = [(16, "-/corp.test/bad:a", "{"), (16, "-/corp.test/x:a", '{"name": "y:A", "records": []}'),
                (16, "-/corp.test/z:type1", '{"name": "z:TYPE1", "records": ["10.0.0.1"]}'),
                (16, "-/corp.test/z:a", '{"name": "z:A", "records": ["10.0.0"]}'),
                (6, "-/evil.test", '{"name": "evil.test", "file": "/etc/shadow"}')]
        with sqlite3.connect(self.world.dir + "/state.db") as other:
            other.executemany("INSERT INTO resources (kind, path, revision, json) VALUES (?, ?, 1, ?)", rows)
        other.close()
        status, text = self.sluice.command("reload")
        self.assertEqual(0, status, text)
        self.assertEqual(2, text.count("which was not written by sluice"), text)
        self.assertIn('"-/evil.test" which does not fit (file: is for zones of the configuration file', text)
        self.assertEqual(3, text.count("which does not fit"), text)
        self.assertIn('"z:TYPE1" is written z:A', text)
        self.assert_answer(self.ask("www.corp.test"), "10.0.0.1")
        self.good("PUT", SETS + "/new:A", {"records": ["10.0.0.2"]}, 201)
        for path in [SETS + "/bad:A", SETS + "/x:A", SETS + "/z:TYPE1", SETS + "/z:A",
                     "private_zones/-/evil.test"]:
            self.assertIn("not_served", self.good("GET", path, status=200).body)
            self.good("DELETE", path, status=204)
        self.assertNotIn("the state has a row", self.command("reload"))

    def test_a_zone_that_has_no_file_any_more_goes_on_from_its_serial(self):
        self.world.write("corp.internal.zone", "@ 300 SOA ns host 2000000000 3600 300 86400 60\n"
                                               "web 300 A 10.0.0.1\n")
        self.good("PUT", "private_zones/-/filed.internal/links/hub", {"virtual_network": "hub"}, 201)
        self.command("reload")

        def serial():
            soa = self.host.ask(test_resources.INBOUND, "filed.internal", "SOA").texts("SOA")[0]
            return int(soa.split()[2])
        self.assertEqual(2000000000, serial())
        self.sluice.reconfigure(test_resources.CONFIG % self.filed.replace(
            'file = "corp.internal.zone";', ""))
        self.command("reload")
        self.assertGreater(serial(), 2000000000)
        self.command("zone", "import", "filed.internal", self.world.dir + "/corp.internal.zone")
        self.assertGreater(serial(), 2000000001)
        self.assert_answer(self.ask("web.filed.internal"), "10.0.0.1")

    # ---- export ----

    def test_what_is_exported_checks_and_gives_the_same(self):
        self.set("www:A", "10.0.0.1", ttl=60, metadata=["a=b"])
        wanted = self.world.write("wanted.conf", """private_zones = ( { name = "own.test";
          record_sets = ( { name = "www:A"; ttl = 60; records = [ "10.0.0.1" ]; metadata = [ "a=b" ]; },
                          { name = "kept:A"; records = [ ]; },
                          { name = "@:TXT"; records = [ "\\"a; \\\\\\"b\\\\\\"\\"" ]; } );
          links = ( { name = "hub"; virtual_network = "hub"; } ); } );""")
        status, text = self.sluice.command("apply", wanted)
        self.assertEqual(0, status, text)
        self.assertIn("5 to create, 0 to change, 0 to delete: done", text)
        self.assert_answer(self.ask("www.own.test"), "10.0.0.1")
        texts = self.host.ask(test_resources.INBOUND, "own.test", "TXT").texts("TXT")
        self.assertEqual(['a; "b"'], texts)
        status, text = self.sluice.command("export")
        self.assertEqual(0, status, text)
        path = self.world.write("exported.conf", text)
        self.assertEqual(0, harness.command("check", "-c", path)[0])
        status, plan = self.sluice.command("diff", "--prune", path)
        self.assertEqual((0, "nothing to change\n"), (status, plan))

    # ---- the command line ----

    def command(self, *argv, status=0):
        actual, text = self.sluice.command(*argv)
        self.assertEqual(status, actual, text)
        return text

    def test_records_by_the_command_line(self):
        self.command("record", "set", "corp.test", "www", "A", "10.0.0.1", "10.0.0.2", "--ttl", "60")
        self.assert_answer(self.ask("www.corp.test"), "10.0.0.1", "10.0.0.2")
        self.command("set", "record-set", "corp.test", "www:A", "metadata=owner=me")
        text = self.command("record", "set", "corp.test", "www", "A", "10.0.0.3")
        self.assertRegex(text, r"(?m)^NAME +www$(.|\n)*^TYPE +A$(.|\n)*^TTL +60$")
        self.assertEqual(["owner=me"], self.good("GET", SETS + "/www:A").body["metadata"])
        self.command("record", "set", "corp.test", "@", "MX", "10 mail", "20 mail.other.test.")
        self.command("record", "set", "corp.test", "no", "A", "10.0.0.4", "--dry-run")
        self.command("record", "set", "corp.test", "txt", "TXT", "v=spf1 -all", '"a b" c', "d", "p=none; x")
        self.assertEqual(['"v=spf1 -all"', '"a b" c', '"d"', '"p=none; x"'], json.loads(self.command(
            "record", "show", "corp.test", "txt", "TXT", "--json"))["records"])
        self.command("record", "unset", "corp.test", "txt", "TXT")
        text = self.command("record", "list", "corp.test")
        self.assertRegex(text, r"(?m)^ +@ +MX +3600 +10 mail, 20 mail.other.test. ")
        self.assertRegex(text, r"(?m)^ +www +A +60 +10.0.0.3 +owner=me ")
        self.assertNotIn(" no ", text)
        self.assertEqual("10.0.0.3", json.loads(self.command(
            "record", "show", "corp.test", "www", "A", "--json"))["records"][0])
        self.assertIn("a CNAME stands alone", self.command(
            "record", "set", "corp.test", "www", "CNAME", "web", status=1))
        self.assertIn('there is no private zone "no.test"; make it first', self.command(
            "record", "set", "no.test", "www", "A", "10.0.0.1", status=1))
        self.assertIn("is not a number of seconds", self.command(
            "record", "set", "corp.test", "www", "A", "10.0.0.1", "--ttl", "x", status=2))
        self.command("record", "unset", "--dry-run", "corp.test", "www", "A")
        self.command("record", "unset", "corp.test", "www", "A")
        self.command("record", "delete", "corp.test", "@", "MX")
        self.assertIn("no record set", self.command("record", "delete", "corp.test", "@", "MX", status=1))
        self.assertEqual({}, self.shown())

    def test_a_text_of_the_command_line_is_one_string(self):
        for text, strings in (('he said "hi" to me', ['he said "hi" to me']),
                              (r'he said \"hi\"', ['he said "hi"']),
                              ("a\\", ["a\\"]), (r"a\;b", ["a;b"]), (r"a\\", ["a\\"]), ('a"', ['a"']),
                              ("", [""]), ('"a" b', ["a", "b"]), (r"\# 3 026162", ["ab"])):
            for type in ("TXT", "txt", "TYPE16"):
                with self.subTest(text=text, type=type):
                    self.command("record", "set", "corp.test", "said", type, text)
                    record, = self.host.ask(test_resources.INBOUND, "said.corp.test", "TXT").answer
                    self.assertEqual(b"".join(bytes([len(one)]) + one.encode() for one in strings), record.rdata)
                    self.command("record", "unset", "corp.test", "said", type)
        self.command("record", "set", "corp.test", "spf", "SPF", "v=spf1 -all")
        for type in ("SPF", "TYPE99"):
            self.assertEqual(['"v=spf1 -all"'], json.loads(self.command(
                "record", "show", "corp.test", "spf", type, "--json"))["records"])
        self.assertIn("NOTYPE", self.command("record", "set", "corp.test", "x", "NOTYPE", "a", status=1))

    def test_a_master_file_is_read_for_who_asks_and_nothing_is_changed(self):
        where = "private_zones/-/read.internal/master_file"
        text = "$TTL 300\nwww 60 A 10.0.0.1\nwww 60 A 10.0.0.2\n@ MX 10 mail\n$ORIGIN apps\nx TXT <b>\n"
        read = self.good("POST", where, {"text": text}).body
        self.assertEqual({"record_sets": [
            {"name": "@:MX", "ttl": 300, "records": ["10 mail.read.internal."]},
            {"name": "x.apps:TXT", "ttl": 300, "records": ['"<b>"']},
            {"name": "www:A", "ttl": 60, "records": ["10.0.0.1", "10.0.0.2"]}], "warnings": []}, read)
        read = self.good("POST", where, {"text": "www A 10.0.0.1\n_dmarc TXT v=DMARC1; p=none"}).body
        self.assertEqual(['"v=DMARC1"'], [one["records"][0] for one in read["record_sets"] if one["name"] == "_dmarc:TXT"])
        self.assertEqual(["line 2: what stands behind the ; is a comment; put a text that has one in quotes",
                          "line 2: the last line has no newline; see that the file is complete, and add one"], read["warnings"])
        self.assertEqual(404, self.call("GET", "private_zones/-/read.internal").status)
        self.bad(self.call("POST", where, {"text": "www A nonsense\n$INCLUDE /etc/passwd\n"}), 400, "invalid", "nonsense")
        self.assertEqual([1, 2], [fault["line"] for fault in self.call("POST", where, {
            "text": "www A nonsense\n$INCLUDE /etc/passwd\n"}).body["error"]["faults"]])
        for body in ({}, {"text": ""}, {"text": 5}, {"text": None}):
            self.bad(self.call("POST", where, body), 400, "invalid", "give a master file", "text")
        self.bad(self.call("POST", "private_zones/-/a..b/master_file", {"text": "@ A 10.0.0.1\n"}), 400, "invalid", "is no zone's name")

    def test_a_master_file_comes_in_and_goes_out_the_same(self):
        file = self.world.write("new.zone", """$TTL 300
@ SOA ns host 7 3600 300 86400 60
@ NS ns
@ MX 10 mail
ns A 10.0.0.53
www 60 A 10.0.0.1
www 60 A 10.0.0.2
*.apps CNAME www
txt TXT "one; two" ( "three"
   "four" )
odd TYPE65280 \\# 3 010203
""")
        plan = self.command("zone", "import", "--dry-run", "new.internal", file)
        self.assertIn("create private_zones/-/new.internal\ncreate @:SOA\ncreate @:NS\n", plan)
        self.assertIn("9 to create, 0 to change, 0 to delete: not done", plan)
        self.assertEqual(404, self.call("GET", "private_zones/-/new.internal").status)
        self.command("zone", "import", "new.internal", file)
        self.command("create", "zone-link", "new.internal", "hub", "virtual_network=hub")
        self.assert_answer(self.ask("x.apps.new.internal"), "www.new.internal.", "10.0.0.1", "10.0.0.2")
        self.assertEqual("nothing to change\n", self.command("zone", "import", "new.internal", file))
        out = self.command("zone", "export", "new.internal")
        self.assertRegex(out, r"\A\$ORIGIN new.internal.\n@ 300 IN SOA ")
        again = self.world.write("again.zone", out)
        self.assertEqual("nothing to change\n",
                         self.command("zone", "import", "--prune", "new.internal", again))
        # Metadata stay; what the file does not have goes with --prune alone.
        self.good("PATCH", "private_zones/-/new.internal/record_sets/www:A", {"metadata": ["a=b"]})
        self.world.write("new.zone", "www 60 A 10.0.0.9\n")
        plan = self.command("zone", "import", "new.internal", file)
        self.assertIn('change www:A\n    records: ["10.0.0.1","10.0.0.2"] -> ["10.0.0.9"]\n', plan)
        self.assertIn("0 to create, 1 to change, 0 to delete: done", plan)
        plan = self.command("zone", "import", "--prune", "new.internal", file)
        self.assertIn("0 to create, 0 to change, 7 to delete: done", plan)
        kept = self.good("GET", "private_zones/-/new.internal/record_sets").body["record_sets"]
        self.assertEqual([("www:A", ["a=b"])], [(item["name"], item["metadata"]) for item in kept])
        # Faults are the reader's, with lines; then nothing changes.
        self.world.write("new.zone", "www 60 A 10.0.0.1\nwww CNAME web\nx A y\n")
        text = self.command("zone", "import", "new.internal", file, status=1)
        self.assertRegex(text, r"new.zone:2: www.new.internal. has a CNAME beside A data|new.zone:3: ")
        self.assertIn("are those of its file", self.command(
            "zone", "import", "filed.internal", self.world.write("d.zone", "www A 10.0.0.1\n"),
            status=1))
        self.assertIn("www:A is declared at", self.command(
            "zone", "import", "declared.test", self.world.write("d.zone", "www A 10.0.0.1\n"), status=1))

    def test_a_zone_of_a_file_goes_out_too(self):
        self.assertRegex(self.command("zone", "export", "filed.internal"),
                         r"\A\$ORIGIN filed.internal.\n@ 3600 IN SOA .*\nweb 300 IN A 10.10.1.10\n\Z")
        self.assertIn('there is no private zone "no.test"', self.command(
            "zone", "export", "no.test", status=1))

    # ---- transfers ----

    def test_a_copy_follows_by_the_differences(self):
        self.many(*(("h%d:A" % i, ["10.0.0.1"]) for i in range(200)))
        serials, versions = [], []
        for change in ([("new:A", ["10.0.0.2"])], [("h7:A", None)], [("h8:A", ["10.0.0.8", "10.0.0.1"])],
                       [("*.w:TXT", ["x"]), ("h9:A", None), ("h9:CNAME", ["h8"])]):
            serials.append(self.soa())
            versions.append(sorted(self.transferred("axfr")))
            self.many(*change)
        versions.append(sorted(self.transferred("axfr")))
        for n, serial in enumerate(serials):
            records = set(versions[n])
            steps = self.transferred("ixfr=%d" % serial)
            self.assertLess(len(steps), 30)
            removing = False
            for record in steps[1:-1]:
                if record[1] == "SOA":
                    removing = not removing
                elif removing:
                    records.remove(record)
                else:
                    records.add(record)
            self.assertEqual(sorted(r for r in versions[-1] if r[1] != "SOA"),
                             sorted(r for r in records if r[1] != "SOA"))
            self.assertEqual({self.soa()}, {int(steps[i][2].split()[2]) for i in (0, -1)})

    def is_at_rest(self, serial):
        """Whether the state has this serial, and none reserved behind it."""
        with contextlib.closing(sqlite3.connect(self.world.dir + "/state.db")) as other:
            return other.execute("SELECT 1 FROM pairs WHERE key LIKE 'serial corp.test%' AND value LIKE ?",
                                 ("%d %d %%" % (serial, serial),)).fetchone()

    def test_serials_only_rise_and_stay_when_nothing_changes(self):
        self.many(*(("h%d:A" % i, ["10.0.0.1"]) for i in range(20)))
        for i in range(30):
            before = self.soa()
            self.set("www:A", "10.0.0.%d" % (i % 7 + 1))
            self.assertGreater(self.soa(), before)
        serial = self.soa()
        self.set("www:A", "10.0.0.2", ttl=3600, metadata=["only=this"])
        self.assertEqual(serial, self.soa())
        self.assertEqual(0, self.sluice.command("reload")[0])
        self.assertEqual(serial, self.soa())
        harness.wait_for(lambda: self.is_at_rest(serial), "the book of serials to come to rest")
        self.sluice.kill()
        self.start()
        self.assertEqual(serial, self.soa())
        self.set("@:SOA", "ns host 2000000000 3600 300 86400 30")
        self.assertEqual(2000000000, self.soa())
        self.set("www:A", "10.0.0.9")
        self.sluice.kill()
        self.start()
        self.assertGreater(self.soa(), 2000000000)

    def written_elsewhere(self, statement):
        with contextlib.closing(sqlite3.connect(self.world.dir + "/state.db")) as other:
            other.execute(statement)
            other.commit()

    def test_serials_beside_a_large_change_are_not_taken_for_another_programs(self):
        self.many(*(("h%d:A" % i, ["10.0.0.1"]) for i in range(120)))
        self.good("PUT", SETS + "/www:A?dry_run", {"records": ["10.0.0.9"]})
        self.good("PUT", "rulesets/-/other?dry_run", {})
        self.set("www:A", "10.0.0.3")
        self.assert_answer(self.ask("www.corp.test"), "10.0.0.3")

    def test_a_rehearsal_does_not_keep_what_another_program_wrote(self):
        """It reads the whole state, and serves nothing of it: the next change does both again."""
        self.set("www:A", "10.0.0.1")
        self.written_elsewhere("UPDATE resources SET json = json || ' '")
        self.good("PUT", "rulesets/-/other?dry_run", {})
        self.good("PUT", SETS + "/www:A", {"records": ["10.0.0.2"]})
        self.assert_answer(self.ask("www.corp.test"), "10.0.0.2")

    def test_a_set_is_refused_where_another_program_has_changed_the_state(self):
        self.set("www:A", "10.0.0.1")
        self.written_elsewhere("UPDATE meta SET value = value + 1 WHERE key = 'revision'")
        self.bad(self.call("PUT", SETS + "/www:A", {"records": ["10.0.0.2"]}), 503, "store_failed",
                 "was changed by another program; reload")
        self.assert_answer(self.ask("www.corp.test"), "10.0.0.1")
        self.good("POST", "reload")
        self.set("www:A", "10.0.0.2")
        self.assert_answer(self.ask("www.corp.test"), "10.0.0.2")

    def test_secondaries_are_notified_of_each_version(self):
        with self.peer.inside():
            told = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with told:
            told.bind((PEER, 53))
            told.settimeout(harness.dns.PATIENCE)
            for address in ("10.0.0.1", "10.0.0.2"):
                self.set("www:A", address)
                while True:  # earlier ones are repeated until they are answered
                    packet, sender = told.recvfrom(4096)
                    self.assertEqual(4, packet[2] >> 3 & 15)
                    told.sendto(packet[:2] + bytes([packet[2] | 0x80]) + packet[3:], sender)
                    if struct.pack("!I", self.soa()) in packet:
                        break

    # ---- another process, kill -9 ----

    def test_an_upgrade_loses_nothing_and_serials_rise(self):
        self.many(*(("h%d:A" % i, ["10.0.0.1"]) for i in range(300)))
        for round in range(2):
            before = self.soa()
            storm = Storm(self, "u%d" % round)
            storm.start()
            harness.wait_for(lambda: storm.acknowledged, "a first change")
            time.sleep(0.3)
            status, text = self.sluice.command("upgrade")
            self.assertEqual(0, status, text)
            time.sleep(0.3)
            storm.ending = True
            storm.join()
            self.assertTrue(storm.acknowledged)
            shown = self.shown()
            for name, records in storm.acknowledged.items():
                self.assertIn(shown[name], (records, storm.tried.get(name)))
            self.assertGreater(self.soa(), before)
            serial = self.soa()
            self.set("after:A", "10.0.1.%d" % (round + 1))
            self.assertGreater(self.soa(), serial)
            axfr = {owner for owner, rtype, _ in self.transferred("axfr") if rtype == "A"}
            self.assertEqual({name[:-2] + ".corp.test." for name in self.shown()}, axfr)

    def test_what_was_acknowledged_outlives_every_kill(self):
        draw, serial = random.Random(SEED), 0
        known = {}
        for life in range(KILLS):
            storm = Storm(self, "s%d" % life)
            storm.start()
            harness.wait_for(lambda: storm.acknowledged, "a first change")
            time.sleep(0.05 + draw.random() * 0.25)
            self.sluice.kill()
            storm.join()
            self.start()
            known.update(storm.acknowledged)
            shown = self.shown()
            for name, records in known.items():
                if name in storm.tried:  # the last may have been made, or not
                    self.assertIn(shown.get(name), (records, storm.tried[name]))
                else:
                    self.assertEqual(records, shown.get(name))
            self.assertGreater(self.soa(), serial)
            serial = self.soa()
            known = {name: records for name, records in shown.items()}
            axfr = {owner for owner, rtype, _ in self.transferred("axfr") if rtype == "A"}
            self.assertEqual({name[:-2] + ".corp.test." for name in shown}, axfr)
        self.assertGreater(len(known), KILLS)


class Storm(threading.Thread):
    """Sets come and change until the server is killed."""

    def __init__(self, world, prefix):
        super().__init__()
        self.world, self.prefix = world, prefix
        self.acknowledged, self.tried, self.ending = {}, {}, False

    def run(self):
        count = 0
        while not self.ending:
            count += 1
            edits = {"%s-%d:A" % (self.prefix, (count + i) % 40): ["10.0.%d.%d" % (count % 250, i)]
                     for i in range(1 + count % 3)}
            self.tried = edits
            try:
                answer = self.world.call("POST", "changes", {"edits": [
                    {"path": "%s/%s" % (SETS, name), "values": {"records": records}}
                    for name, records in edits.items()]})
            except Exception:  # it was killed
                return
            if answer.status != 200:  # it is handing over, or ends
                continue
            self.acknowledged.update(edits)


if __name__ == "__main__":
    harness.main()
