"""Networks, resolvers, rulesets and rules as resources: made, changed and removed one by one by the
management API, refused in the words of `sluice check`, served at once, and there again after whatever
happens to the process."""

import hashlib
import json
import os
import pty
import re
import select
import signal
import sqlite3
import threading
import time
import urllib.parse

import harness

CONFIG = """
region = "westeurope";
workers = 2;
limits = { rulesets_per_virtual_network = 2; rules_per_ruleset = 6; };
management = { socket = "control.sock"; state = "state.db"; };
default_resolver = { targets = ( { address = "127.0.0.3"; } ); };
virtual_networks = ( { name = "filed"; address_space = [ "10.20.0.0/16" ]; } );
%s"""
FILED = """
private_zones = ( { name = "corp.internal"; file = "corp.internal.zone"; } );
"""
INBOUND = ("10.10.0.4", 53)
HUB = [
    ("virtual_networks/-/hub", {"address_space": ["10.10.0.0/16"]}),
    ("virtual_networks/-/hub/subnets/in",
     {"prefix": "10.10.0.0/28", "delegation": "Microsoft.Network/dnsResolvers"}),
    ("virtual_networks/-/hub/subnets/out",
     {"prefix": "10.10.0.16/28", "delegation": "Microsoft.Network/dnsResolvers"}),
    ("resolvers/-/r", {"virtual_network": "hub"}),
    ("resolvers/-/r/inbound_endpoints/in", {"subnet": "in"}),
    ("resolvers/-/r/outbound_endpoints/out", {"subnet": "out", "source": "0.0.0.0"}),
]


class Answer:
    def __init__(self, response):
        text = response.read()
        self.status, self.etag = response.status, response.headers["ETag"]
        self.body = json.loads(text) if text else None

    def __repr__(self):
        return "%d %s" % (self.status, self.body)


class World(harness.FreshCase):
    config, filed = CONFIG, FILED

    def build(self, world):
        self.host = world.host("cloud", "10.10.0.4")
        self.default = harness.Upstream(self.host, "127.0.0.3", "198.51.100.3")
        self.target = harness.Upstream(self.host, "127.0.0.5", "198.51.100.5")
        world.write("corp.internal.zone", "web 300 IN A 10.10.1.10\n")
        self.start()

    def start(self):
        self.sluice = harness.Sluice(self.host, self.config % self.filed)
        self.sluice.wait_managed()

    def call(self, method, path, body=None, **headers):
        connection = harness.UnixConnection(self.sluice.socket)
        text = None if body is None else json.dumps(body)
        if text:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, "/v1/" + path, text, headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def good(self, method, path, body=None, status=None, **headers):
        answer = self.call(method, path, body, **headers)
        expected = [status] if status else [200, 201, 204]
        self.assertIn(answer.status, expected, "%s %s: %s" % (method, path, answer))
        return answer

    def bad(self, answer, status, code, text, path=None):
        self.assertEqual((status, code), (answer.status, answer.body["error"]["code"]), answer)
        self.assertRegex(answer.body["error"]["message"], text)
        if path:
            self.assertEqual(path, answer.body["error"]["path"])

    def write_rows(self, *rows):
        with sqlite3.connect(self.world.dir + "/state.db") as other:
            other.executemany("INSERT OR REPLACE INTO resources (kind, path, revision, json) "
                              "VALUES (?, ?, 1, ?)", rows)
        other.close()

    def awaited(self, change):
        """What GET /readyz says that waits for the revision of the change, which is made meanwhile."""
        revision = int(self.good("GET", "changes").etag.strip('"').split("-")[0], 16) + 1
        connection = harness.UnixConnection(self.sluice.socket)
        try:
            connection.request("GET", "/readyz?revision=%d" % revision)
            harness.wait_for(lambda: self.sluice.socket in harness.sh("ss", "-xH", "state", "connected"),
                             "the question")
            change()
            answer = Answer(connection.getresponse())
        finally:
            connection.close()
        self.assertEqual((200, revision), (answer.status, answer.body.get("revision")), answer)

    def build_hub(self, target="127.0.0.5"):
        for path, values in HUB:
            self.good("PUT", path, values, 201)
        self.good("PUT", "rulesets/-/office", {"outbound_endpoints": ["r/out"]}, 201)
        self.good("PUT", "rulesets/-/office/links/hub", {"virtual_network": "hub"}, 201)
        self.good("PUT", "rulesets/-/office/rules/contoso",
                  {"domain": "contoso.corp.", "targets": [{"address": target}]}, 201)

    def ask(self, name):
        return self.host.ask(INBOUND, name)

    def ask_counted(self, name):
        """Not from the cache, and again where it was answered while the names were read: then it does not count."""
        before = self.good("GET", "names").body["names"]

        def is_counted():
            self.sluice.command("flush")
            self.ask(name)
            return self.good("GET", "names").body["names"] != before
        harness.wait_for(is_counted, name + " to be counted")


class Resources(World):
    # ---- one by one ----

    def test_a_resolver_is_built_and_answers_without_a_reload(self):
        self.build_hub()
        self.assert_answer(self.ask("a.contoso.corp"), "198.51.100.5")
        self.assert_answer(self.ask("a.elsewhere.example"), "198.51.100.3")
        self.good("PATCH", "rulesets/-/office/rules/contoso", {"state": "Disabled"})
        self.assert_answer(self.ask("b.contoso.corp"), "198.51.100.3")
        self.good("DELETE", "rulesets/-/office", status=204)
        self.assertEqual(404, self.call("GET", "rulesets/-/office/rules/contoso").status)
        self.assertEqual([], self.good("GET", "rulesets").body["rulesets"])

    def test_everything_is_there_again_after_a_kill_a_reload_and_an_upgrade(self):
        self.build_hub()
        shown = self.everything()
        self.sluice.kill()
        self.start()
        self.assertEqual(shown, self.everything())
        self.assert_answer(self.ask("a.contoso.corp"), "198.51.100.5")
        self.assertEqual(0, self.sluice.command("reload")[0])
        self.assertEqual(shown, self.everything())
        self.assertEqual(0, self.sluice.command("upgrade")[0])
        self.assertEqual(shown, self.everything())
        self.good("PUT", "rulesets/-/office/rules/other",
                  {"domain": "other.corp.", "targets": [{"address": "127.0.0.5"}]}, 201)
        self.assert_answer(self.ask("a.other.corp"), "198.51.100.5")

    def everything(self):
        return [self.good("GET", path).body for path in
                ("virtual_networks", "virtual_networks/-/hub/subnets", "resolvers",
                 "resolvers/-/r/inbound_endpoints", "resolvers/-/r/outbound_endpoints", "rulesets",
                 "rulesets/-/office/links", "rulesets/-/office/rules")]

    def test_what_check_would_refuse_is_refused_in_its_words(self):
        self.build_hub()
        rule = {"domain": "fabrikam.corp.", "targets": [{"address": "127.0.0.5"}]}
        path = "rulesets/-/office/rules/"
        before = self.everything()
        self.bad(self.call("PUT", path + "second", dict(rule, domain="contoso.corp.")), 400,
                 "invalid", r"contoso\.corp\. is the domain of rule \"contoso\" of this ruleset, too",
                 "rulesets[office].rules[second].domain")
        self.bad(self.call("PUT", path + "second", dict(rule, domian="x.")), 400, "invalid",
                 'did you mean "domain"')
        self.bad(self.call("PUT", path + "second", dict(rule, targets=[{"address": "10.1.1.1:53"}])),
                 400, "invalid", "includes a port",
                 "rulesets[office].rules[second].targets[0].address")
        self.bad(self.call("PUT", path + "second", {"domain": 7, "state": "On"}), 400, "invalid",
                 r"is an integer; give a domain name.*\(and 1 more\)")
        self.bad(self.call("PUT", "rulesets/-/nowhere/rules/second", rule), 400, "invalid",
                 'there is no ruleset "nowhere"; make it first')
        self.bad(self.call("DELETE", "virtual_networks/-/hub"), 400, "invalid",
                 "there is no virtual network \"hub\"")
        self.bad(self.call("PUT", "rulesets/-/office", {"outbound_endpoints": ["r/out"], "rules": []}),
                 400, "invalid", "are resources of their own", "rulesets[office].rules")
        self.bad(self.call("PUT", "private_zones/-/new.test", {"file": "/etc/shadow"}), 400,
                 "invalid", "is for zones of the configuration file", "private_zones[new.test].file")
        for wrong in ("[]", "7", '"x"', "null"):
            self.assertEqual(400, self.call("PUT", path + "second", json.loads(wrong)).status)
        self.assertEqual(404, self.call("GET", "ruleset/-/office").status)
        self.assertEqual([405, 405], [self.call("GET", path).status for path in ("flush", "reload")])
        self.assertEqual(404, self.call("GET", "rulesets/group/office").status)
        self.assertEqual(before, self.everything())

    def test_what_the_file_declares_is_shown_and_changed_there_only(self):
        self.good("PUT", "virtual_networks/-/hub", {"address_space": ["10.10.0.0/16"]}, 201)
        shown = self.good("GET", "virtual_networks/-/FILED").body
        self.assertRegex(shown["origin"], r"sluice\.conf:\d+$")
        for method, body in (("PUT", {"address_space": ["10.21.0.0/16"]}), ("PATCH", {}), ("DELETE", None)):
            self.bad(self.call(method, "virtual_networks/-/filed", body), 409, "read_only",
                     r"it is declared at .*sluice\.conf:\d+; change it there, and reload")
        self.good("PUT", "private_zones/-/corp.internal/links/hub", {"virtual_network": "hub"}, 201)
        self.assertEqual(["hub"], [link["name"] for link in self.good(
            "GET", "private_zones/-/corp.internal/links").body["links"]])

    def test_a_name_that_file_and_state_both_have_is_a_fault_of_both(self):
        self.good("PUT", "virtual_networks/-/hub", {"address_space": ["10.10.0.0/16"]}, 201)
        self.sluice.reconfigure((CONFIG % self.filed).replace('"filed"', '"hub"'))
        status, text = self.sluice.command("reload")
        self.assertEqual(1, status, text)
        self.assertRegex(text, r'"hub" is already the name of the virtual network at')
        self.assertEqual(1, self.sluice.command("check")[0])

    def test_a_name_of_both_is_a_fault_also_while_something_waits_for_the_file(self):
        self.good("PUT", "virtual_networks/-/hub", {"address_space": ["10.10.0.0/16"]}, 201)
        self.good("PUT", "private_zones/-/corp.internal/links/hub", {"virtual_network": "hub"}, 201)
        self.sluice.reconfigure(CONFIG % "")
        self.assertEqual(0, self.sluice.command("reload")[0])
        self.sluice.reconfigure((CONFIG % "").replace('"filed"', '"hub"'))
        for command in ("reload", "check"):
            status, text = self.sluice.command(command)
            self.assertEqual(1, status, text)
            self.assertRegex(text, r'"hub" is already the name of the virtual network at')
        self.assertEqual(["10.10.0.0/16"], self.good("GET", "virtual_networks/-/hub").body["address_space"])

    def test_what_is_inside_something_that_the_file_has_no_more_waits_for_it(self):
        self.good("PUT", "virtual_networks/-/hub", {"address_space": ["10.10.0.0/16"]}, 201)
        self.good("PUT", "private_zones/-/corp.internal/links/hub", {"virtual_network": "hub"}, 201)
        self.sluice.reconfigure(CONFIG % "")
        status, text = self.sluice.command("reload")
        self.assertEqual(0, status, text)
        self.assertRegex(text, r"private_zones\[corp.internal\]: .*not in the configuration any more")
        self.sluice.reconfigure(CONFIG % self.filed)
        self.assertEqual(0, self.sluice.command("reload")[0])
        self.good("GET", "private_zones/-/corp.internal/links/hub")

    def test_of_two_writers_with_one_etag_the_first_wins(self):
        self.build_hub()
        path = "rulesets/-/office/rules/contoso"
        etag = self.good("GET", path).etag
        self.good("PATCH", path, {"state": "Disabled"}, **{"If-Match": etag})
        self.bad(self.call("PATCH", path, {"state": "Enabled"}, **{"If-Match": etag}), 412,
                 "precondition_failed", "it has changed since you read it")
        self.bad(self.call("PUT", path, {}, **{"If-None-Match": "*"}), 412, "precondition_failed",
                 "there is one already")
        # A reader can wait for the revision, also for one that workers have nothing of.
        self.awaited(lambda: self.good("PATCH", path, {"state": "Enabled"}))
        self.awaited(lambda: self.good("PUT", "groups/-/web", {"region": "westeurope"}, 201))

    def test_what_was_changed_and_changed_back_has_another_etag(self):
        self.build_hub()
        path, inbound = "rulesets/-/office/rules/contoso", "resolvers/-/r/inbound_endpoints/in"
        first = self.good("GET", path)
        for state in ("Disabled", "Enabled"):
            self.good("PATCH", path, {"state": state})
        again = self.good("GET", path)
        self.assertEqual(dict(first.body, etag=again.etag), again.body)
        self.bad(self.call("PATCH", path, {"state": "Disabled"}, **{"If-Match": first.etag}), 412,
                 "precondition_failed", "it has changed since")
        self.good("DELETE", path)
        made = self.good("PUT", path, {"domain": "contoso.corp.", "targets": [{"address": "127.0.0.5"}]}, 201)
        self.assertEqual(412, self.call("DELETE", path, **{"If-Match": again.etag}).status)
        self.assertEqual(self.good("GET", "changes").etag, made.etag)  # both are the revision
        # Another resource's change is none of this one's; nor is a restart.
        etags = [self.good("GET", path).etag, self.good("GET", inbound).etag,
                 self.good("GET", "virtual_networks/-/filed").etag]
        self.good("PUT", "virtual_networks/-/other", {"address_space": ["10.30.0.0/16"]}, 201)
        self.sluice.kill()
        self.start()
        self.assertEqual(etags, [self.good("GET", path).etag, self.good("GET", inbound).etag,
                                 self.good("GET", "virtual_networks/-/filed").etag])
        self.assertEqual(304, self.call("GET", path, **{"If-None-Match": etags[0]}).status)
        self.good("PATCH", inbound, {"listen": "127.0.0.9"}, **{"If-Match": etags[1]})

    def test_of_many_writers_with_etags_no_two_win(self):
        self.build_hub()
        path, wins, lost = "rulesets/-/office/rules/contoso", [], []
        self.good("PATCH", path, {"description": "0"})

        def write(number):
            for _ in range(15):
                shown = self.good("GET", path)
                count = int(shown.body["description"])
                if number % 2:
                    answer = self.call("PATCH", path, {"description": str(count + 1)},
                                       **{"If-Match": shown.etag})
                else:
                    values = dict(shown.body, description=str(count + 1))
                    answer = self.call("POST", "changes", {"edits": [
                        {"path": path, "values": values, "etag": shown.etag}]})
                self.assertIn(answer.status, (200, 412), answer)
                (wins if answer.status == 200 else lost).append(count + 1)
        threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(120, len(wins) + len(lost))
        self.assertGreater(len(lost), 0)
        self.assertEqual(list(range(1, len(wins) + 1)), sorted(wins))
        self.assertEqual(str(len(wins)), self.good("GET", path).body["description"])

    def test_a_change_may_ask_that_nothing_at_all_was_changed(self):
        self.build_hub()
        edits = {"edits": [{"path": "rulesets/-/office/rules/contoso", "values": None}]}
        read = self.good("GET", "changes")
        self.assertEqual(304, self.call("GET", "changes", **{"If-None-Match": read.etag}).status)
        made = self.good("PUT", "virtual_networks/-/other", {"address_space": ["10.30.0.0/16"]}, 201)
        self.bad(self.call("POST", "changes", edits, **{"If-Match": read.etag}), 412,
                 "precondition_failed", "it has changed since you read it")
        self.bad(self.call("POST", "changes", edits, **{"If-None-Match": "*"}), 412,
                 "precondition_failed", "there is one already")
        etag = self.good("GET", "changes").etag
        self.assertEqual(etag.split("-")[0], made.etag.split("-")[0])  # both are the revision
        rehearsed = self.good("POST", "changes?dry_run", edits, **{"If-Match": etag})
        self.assertEqual(etag, rehearsed.etag)
        answer = self.good("POST", "changes", edits, **{"If-Match": etag})
        self.assertEqual(answer.etag, self.good("GET", "changes").etag)
        self.assertNotEqual(answer.etag, etag)

    # ---- many as one, and what was changed ----

    def test_the_last_edit_of_what_is_edited_twice_counts(self):
        """In a change of few edits, and in one that is large, with others ahead or behind."""
        self.build_hub()
        rules, first, last = "rulesets/-/office/rules/", {"domain": "one.corp.", "targets": [{"address": "127.0.0.5"}]}, \
            {"domain": "two.corp.", "targets": [{"address": "127.0.0.5"}]}
        others = [{"path": "groups/-/g%d" % n, "values": {}} for n in range(120)]
        edits = [("rulesets/-/office", {"outbound_endpoints": ["r/out"]}), (rules + "contoso", None),
                 (rules + "contoso", first), (rules + "CONTOSO", last), (rules + "gone", first), (rules + "gone", None),
                 ("rulesets/-/office", {"outbound_endpoints": ["r/out"]})]
        edits = [{"path": path, "values": values} for path, values in edits]
        renamed = {"path": "rulesets/-/Office", "values": {"outbound_endpoints": ["r/out"]}}
        for more in ([], others):
            for ruleset, posted in (("office", edits + more), ("office", more + edits), ("Office", edits + more + [renamed])):
                self.good("POST", "changes?dry_run", {"edits": posted})
                self.good("POST", "changes", {"edits": posted})
                shown = self.good("GET", "rulesets/-/office/rules").body["rules"]
                self.assertEqual([("CONTOSO", "two.corp.")], [(rule["name"], rule["domain"]) for rule in shown])
                self.assertEqual("rulesets/-/%s/rules/CONTOSO" % ruleset, shown[0]["path"])
                self.good("POST", "changes", {"edits": edits[:1] + [{"path": rules + "contoso", "values": first}]})

    def test_what_is_removed_with_what_is_in_it_can_be_made_anew_at_once(self):
        self.build_hub()
        others = [{"path": "groups/-/g%d" % n, "values": {}} for n in range(120)]
        rule = {"domain": "new.corp.", "targets": [{"address": "127.0.0.5"}]}
        edits = [{"path": "rulesets/-/office", "values": None},
                 {"path": "rulesets/-/office", "values": {"outbound_endpoints": ["r/out"]}},
                 {"path": "rulesets/-/office/rules/new", "values": rule},
                 {"path": "private_zones/-/z.test", "values": {}},
                 {"path": "private_zones/-/z.test/record_sets/a:A", "values": {"records": ["10.0.0.1"]}},
                 {"path": "private_zones/-/z.test", "values": None},
                 {"path": "private_zones/-/z.test", "values": {}},
                 {"path": "private_zones/-/z.test/record_sets/b:A", "values": {"records": ["10.0.0.2"]}}]
        for more in ([], others):
            self.good("POST", "changes", {"edits": more + edits})
            self.assertEqual(["new"], [one["name"] for one in self.good("GET", "rulesets/-/office/rules").body["rules"]])
            self.assertEqual([], self.good("GET", "rulesets/-/office/links").body["links"])
            self.assertEqual(["b:A"], [one["name"] for one in
                                       self.good("GET", "private_zones/-/z.test/record_sets").body["record_sets"]])

    def test_many_edits_are_all_made_or_none(self):
        edits = [{"path": path, "values": values} for path, values in HUB]
        wrong = edits + [{"path": "rulesets/-/x", "values": {"outbound_endpoints": ["r/none"]}}]
        self.bad(self.call("POST", "changes", {"edits": wrong}), 400, "invalid",
                 "there is no outbound endpoint")
        self.assertEqual(404, self.call("GET", "resolvers/-/r").status)
        answer = self.good("POST", "changes?dry_run", {"edits": edits}).body
        self.assertEqual((None, True), (answer["revision"], answer["dry_run"]))
        self.assertEqual(404, self.call("GET", "resolvers/-/r").status)
        revision = self.good("POST", "changes", {"edits": edits}).body["revision"]
        self.good("GET", "resolvers/-/r/inbound_endpoints/in")
        changes = self.good("GET", "changes").body["changes"]
        self.assertEqual([(revision, path) for path, _ in HUB],
                         [(c["revision"], c["path"]) for c in changes])
        self.bad(self.call("POST", "changes", {"edits": [
            {"path": "resolvers/-/r", "values": None, "etag": '"no"'}]}), 412,
                 "precondition_failed", "it has changed")

    def test_an_error_names_the_edit(self):
        self.build_hub()
        lab = {"path": "virtual_networks/-/lab", "values": {"address_space": ["10.30.0.0/16"]}}
        for edit, status, code, where in (
                ({"path": "rulesets/-/office", "values": None, "etag": '"no"'}, 412, "precondition_failed", ""),
                ({"path": "virtual_networks/-/hub", "values": {}, "etag": ""}, 412, "precondition_failed", ""),
                ({"path": "addresses/-/x", "values": {"address": "127.0.0.1"}, "etag": '"no"'},
                 412, "precondition_failed", ""),
                ({"path": "virtual_networks/-/filed", "values": None}, 409, "read_only", ""),
                ({"path": "private_zones/-/corp.internal/record_sets/www:A", "values": {}}, 409, "read_only", ""),
                ({"path": "rulesets/-/office/rules/" + 2000 * "y", "values": {}}, 400, "invalid", ".path"),
                ({"path": "groups/-/" + 2000 * "y", "values": None}, 400, "invalid", ".path"),
                ({"path": "services/office/app", "values": None}, 400, "invalid", ".path"),
                ({"path": "ptrs/198.51.100.1", "values": {"reverse_fqdn": "a.example."}}, 404, "not_found", "")):
            answer = self.call("POST", "changes", {"edits": [lab, edit]})
            self.bad(answer, status, code, ".", "edits[1]" + where)
        self.assertEqual(404, self.call("GET", lab["path"]).status)

    def test_what_is_misspelt_in_many_edits_changes_nothing(self):
        edit = {"path": "virtual_networks/-/lab", "values": {"address_space": ["10.30.0.0/16"]}}
        self.bad(self.call("POST", "changes", {"edits": [edit], "dry_run": True}), 400, "invalid",
                 "dry_run and confirm are of the query", "dry_run")
        self.bad(self.call("POST", "changes", {"edits": [dict(edit, eTag="")]}), 400, "invalid",
                 "an edit has path, values and etag", "edits[0].eTag")
        self.assertEqual(404, self.call("GET", edit["path"]).status)
        exported = self.good("GET", "export").body
        exported["edits"] = [dict(edit, origin=None)]
        self.good("POST", "changes", exported)  # as it is shown

    def test_many_removals_cost_what_each_costs(self):
        clock = ~self.sluice.pid << 3 | 2  # the processor's time of the server: others have one, too

        def seconds(count):
            """The better of two."""
            def once():
                started = time.clock_gettime(clock)
                self.good("POST", "changes", {"edits": [
                    {"path": "virtual_networks/-/x%d" % i, "values": None} for i in range(count)]})
                return time.clock_gettime(clock) - started
            return min(once(), once())
        self.assertLess(seconds(40000), 9 * seconds(10000))

    def test_all_that_does_not_fit_is_told_at_once(self):
        self.build_hub()
        answer = self.call("POST", "changes", {"edits": [
            {"path": "virtual_networks/-/hub", "values": {"address_space": ["x"]}},
            {"path": "rulesets/-/office/rules/contoso", "values": {"domain": 7}},
            {"path": "address_pools/-/own", "values": {"size": 7}}]})
        self.bad(answer, 400, "invalid", "and 3 more")
        paths = [fault["path"] for fault in answer.body["error"]["faults"]]
        for path in ("virtual_networks[hub].address_space[0]", "rulesets[office].rules[contoso].domain",
                     "address_pools[own].size", "address_pools[own].prefix"):
            self.assertIn(path, paths)

    def test_the_history_says_what_was_before_and_after_and_who_did_it(self):
        self.build_hub()
        last = self.good("GET", "changes").body["changes"][-1]["revision"]
        self.good("PATCH", "rulesets/-/office/rules/contoso", {"state": "Disabled"})
        self.good("DELETE", "rulesets/-/office")
        changes = self.good("GET", "changes?after=%d" % last).body["changes"]
        self.assertEqual(["rulesets/-/office/rules/contoso", "rulesets/-/office",
                          "rulesets/-/office/links/hub", "rulesets/-/office/rules/contoso"],
                         [c["path"] for c in changes])
        self.assertNotIn("state", changes[0]["before"])
        self.assertEqual("Disabled", changes[0]["after"]["state"])
        self.assertEqual([None] * 3, [c["after"] for c in changes[1:]])
        self.assertEqual("uid 0", changes[0]["who"])

    def test_a_list_has_pages_and_filters(self):
        self.build_hub()
        for i in range(4):
            self.good("PUT", "rulesets/-/office/rules/r%d" % i, {
                "domain": "d%d.corp." % i, "targets": [{"address": "127.0.0.5"}],
                "state": "Disabled" if i % 2 else "Enabled"})
        names, path = [], "rulesets/-/office/rules?limit=2"
        while path:
            page = self.good("GET", path.removeprefix("/v1/")).body
            self.assertLessEqual(len(page["rules"]), 2)
            names += [rule["name"] for rule in page["rules"]]
            path = page["next"]
        self.assertEqual(["contoso", "r0", "r1", "r2", "r3"], names)
        page = self.good("GET", "rulesets/-/office/rules?state=disabled&limit=1").body
        self.assertEqual(["r3"], [rule["name"] for rule in self.good(
            "GET", page["next"].removeprefix("/v1/")).body["rules"]])
        listed = self.good("GET", "rulesets/-/office/rules?state=disabled&q=R").body["rules"]
        self.assertEqual(["r1", "r3"], [rule["name"] for rule in listed])
        for length in (1117, 3000):
            self.bad(self.call("GET", "rulesets/-/office/rules?marker=" + length * "x"), 400, "invalid", "longer than any name")
        self.bad(self.call("GET", "rulesets/-/office/rules?colour=red"), 400, "invalid", "lists take no \"colour\"")

    def test_a_member_that_is_null_is_left_out_and_must_be_one_that_there_is(self):
        body = {"address_space": ["10.60.0.0/16"], "dns_servers": None, "tags": None}
        self.assertEqual([], self.good("PUT", "virtual_networks/-/a", {"address_space": ["10.60.0.0/16"],
                                                                       "dns_servers": None}, 201).body["dns_servers"])
        self.bad(self.call("PUT", "virtual_networks/-/b", dict(body, frob=None)), 400, "invalid", "no such key")

    def test_edits_of_one_change_are_made_in_their_order(self):
        self.build_hub()
        rule = {"domain": "t.corp.", "targets": [{"address": "127.0.0.5"}]}
        office = {"outbound_endpoints": ["r/out"]}

        def change(*edits):
            return self.good("POST", "changes", {"edits": [
                {"path": path, "values": values} for path, values in edits]})
        change(("rulesets/-/office/rules/new", rule), ("rulesets/-/office", None), ("rulesets/-/office", office))
        self.assertEqual([], self.good("GET", "rulesets/-/office/rules").body["rules"])
        change(("rulesets/-/office/rules/t", rule), ("rulesets/-/OFFICE/rules/T", None))
        self.assertEqual([], self.good("GET", "rulesets/-/office/rules").body["rules"])
        change(("rulesets/-/office", None), ("rulesets/-/office/rules/t", None), ("rulesets/-/ghost", None))
        self.assertEqual([], self.good("GET", "rulesets").body["rulesets"])
        change(("rulesets/-/office/rules/t", rule), ("rulesets/-/office", office))
        self.assertEqual(["t"], [r["name"] for r in self.good("GET", "rulesets/-/office/rules").body["rules"]])
        self.bad(self.call("POST", "changes", {"edits": [
            {"path": "rulesets/-/ghost/rules/t", "values": rule}]}), 400, "invalid",
                 'there is no ruleset "ghost"')

    def test_a_page_of_the_history_ends_with_a_revision(self):
        self.good("POST", "changes", {"edits": [{"path": p, "values": v} for p, v in HUB]})
        self.good("PUT", "virtual_networks/-/lab", {"address_space": ["10.30.0.0/16"]})
        page = self.good("GET", "changes?limit=2").body
        self.assertEqual(len(HUB), len(page["changes"]))
        page = self.good("GET", "changes?limit=2&after=%d" % page["next"]).body
        self.assertEqual((["virtual_networks/-/lab"], None),
                         ([c["path"] for c in page["changes"]], page["next"]))
        last = self.good("GET", "changes").body["changes"][-1]["revision"]
        edits = [{"path": "virtual_networks/-/lab", "values": None}]
        self.bad(self.call("POST", "changes", {"edits": edits, "revision": last - 1}), 412,
                 "precondition_failed", "a later change, revision %d by uid 0" % last)
        self.good("POST", "changes", {"edits": edits, "revision": last})
        for wrong in ("x", "-1", "18446744073709551615"):
            self.assertEqual(400, self.call("GET", "changes?after=" + wrong).status)

    def test_what_is_older_than_a_week_is_forgotten(self):
        self.build_hub()
        with sqlite3.connect(self.world.dir + "/state.db") as other:
            other.execute("UPDATE changes SET time = time - 8 * 86400")
        other.close()
        for state in ("Disabled", "Enabled", "Disabled", "Enabled", "Disabled"):
            self.good("PATCH", "rulesets/-/office/rules/contoso", {"state": state})
        paths = [c["path"] for c in self.good("GET", "changes").body["changes"]]
        self.assertEqual(["rulesets/-/office/rules/contoso"] * 5, paths[-5:])
        self.assertLess(len(paths), 9)

    def test_a_revision_that_the_history_does_not_reach_is_not_the_latest(self):
        self.build_hub()
        edits = [{"path": "rulesets/-/office", "values": None}]
        last = self.good("GET", "export").body["revision"]
        self.bad(self.call("POST", "changes", {"edits": edits, "revision": last + 1}), 412,
                 "precondition_failed", "the state is at revision %d only" % last, "revision")
        with sqlite3.connect(self.world.dir + "/state.db") as other:
            other.execute("DELETE FROM changes WHERE revision >= %d" % (last - 1))
            other.execute("DELETE FROM changes WHERE revision < 3")
        other.close()
        self.bad(self.call("POST", "changes", {"edits": edits, "revision": 2}), 412,
                 "precondition_failed", "a later change, revision 3")
        with sqlite3.connect(self.world.dir + "/state.db") as other:
            other.execute("DELETE FROM changes")
        other.close()
        self.bad(self.call("POST", "changes", {"edits": edits, "revision": last - 1}), 412,
                 "precondition_failed", "the history does not reach back", "revision")
        self.good("POST", "changes?dry_run", {"edits": edits, "revision": last})

    def test_a_misspelt_dry_run_changes_nothing(self):
        self.build_hub()
        path = "rulesets/-/office/rules/contoso"
        for query in ("?dryrun", "?dry_run=perhaps"):
            for method, body in (("PATCH", {"state": "Disabled"}), ("DELETE", None)):
                self.assertEqual(400, self.call(method, path + query, body).status)
            self.assertEqual(400, self.call("POST", "changes" + query, {"edits": [
                {"path": path, "values": None}]}).status)
        for method, other in (("POST", "ptrs"), ("PUT", "state"), ("POST", "reload"), ("POST", "flush"),
                              ("POST", "confirm"), ("POST", "plan"), ("DELETE", "registrations")):
            self.bad(self.call(method, other + "?dryrun=true", {}), 400, "invalid", "is not known here", "dryrun")
        self.good("DELETE", path + "?dry_run")
        self.good("PATCH", path + "?dry_run=1", {"state": "Disabled"})
        self.assertEqual("Enabled", self.good("GET", path).body["state"])
        self.good("PATCH", path + "?dry_run=false", {"state": "Disabled"})
        self.assertEqual("Disabled", self.good("GET", path).body["state"])

    def test_an_address_that_was_placed_is_shown_and_not_given_by_sending_it_back(self):
        self.build_hub()
        path = "resolvers/-/r/inbound_endpoints/in"
        shown = self.good("GET", path).body
        self.assertEqual({"address": "10.10.0.4", "listen": "10.10.0.4:53"}, shown["placed"])
        self.assertNotIn("address", shown)
        self.good("PUT", path, shown)
        self.good("PATCH", "virtual_networks/-/hub/subnets/in", {"prefix": "10.10.0.32/28"})
        self.assertEqual("10.10.0.36", self.good("GET", path).body["placed"]["address"])

    def test_a_state_that_others_touch_takes_changes_all_the_same(self):
        self.build_hub()
        with sqlite3.connect(self.world.dir + "/state.db") as other:
            other.execute("CREATE TABLE mine (a)")
            other.execute("DROP TABLE mine")
        other.close()
        self.good("PATCH", "rulesets/-/office/rules/contoso", {"state": "Disabled"})
        self.assert_answer(self.ask("e.contoso.corp"), "198.51.100.3")
        for more in (0, 120):  # with a group, which is no part of the model; few edits, and many
            with sqlite3.connect(self.world.dir + "/state.db") as other:
                other.execute("CREATE TABLE mine (a)")
                other.execute("DROP TABLE mine")
            other.close()
            self.good("POST", "changes", {"edits": [{"path": "groups/-/g%d" % n, "values": {}} for n in range(more + 1)] + [
                {"path": "virtual_networks/-/of%d" % more, "values": {"address_space": ["10.%d.0.0/16" % (100 + more)]}}]})
        with sqlite3.connect(self.world.dir + "/state.db") as other:
            other.execute("UPDATE resources SET json = '{' WHERE path = '-/office/contoso'")
        other.close()
        self.bad(self.call("PATCH", "rulesets/-/office/rules/contoso", {"state": "Enabled"}), 503,
                 "store_failed", "are no JSON; put it anew")

    def test_of_two_rulesets_with_one_domain_the_same_decides_whichever_was_changed_last(self):
        self.build_hub()
        self.good("PUT", "rulesets/-/other", {"outbound_endpoints": ["r/out"]}, 201)
        self.good("PUT", "rulesets/-/other/links/hub", {"virtual_network": "hub"}, 201)
        self.good("PUT", "rulesets/-/other/rules/contoso",
                  {"domain": "contoso.corp.", "targets": [{"address": "127.0.0.3"}]}, 201)
        self.assert_answer(self.ask("a.contoso.corp"), "198.51.100.5")
        self.good("PATCH", "rulesets/-/office/rules/contoso", {"description": "changed last"})
        self.assert_answer(self.ask("b.contoso.corp"), "198.51.100.5")
        self.sluice.kill()
        self.start()
        self.assert_answer(self.ask("c.contoso.corp"), "198.51.100.5")

    def test_rows_that_others_wrote_are_passed_over_and_told_of(self):
        self.build_hub()
        rows = [(6, "evil.test", '{"name": "evil.test"}'), (10, "-/zz%5/b", '{"name": "b"}'),
                (10, "-/office/bad", "{"), (10, "-/office/x", '{"name": "y", "domain": "y.", "targets": []}'),
                (8, "group/rs", '{"name": "rs", "outbound_endpoints": ["r/out"]}'), (8, "none", "{}")]
        with sqlite3.connect(self.world.dir + "/state.db") as other:
            other.executemany("INSERT INTO resources (kind, path, revision, json) VALUES (?, ?, 1, ?)", rows)
        other.close()
        status, text = self.sluice.command("reload")
        self.assertEqual(0, status, text)
        for _, path, _ in rows:
            self.assertIn('a row at "%s" which was not written by sluice' % path, text)
        self.sluice.kill()
        self.start()
        self.assert_answer(self.ask("a.contoso.corp"), "198.51.100.5")
        self.good("PUT", "rulesets/-/office/rules/bad",
                  {"domain": "bad.corp.", "targets": [{"address": "127.0.0.5"}]}, 200)
        self.assert_answer(self.ask("a.bad.corp"), "198.51.100.5")

    def test_a_row_that_does_not_fit_is_passed_over_shown_and_removed(self):
        self.build_hub()
        self.write_rows((10, "-/office/old", '{"name": "old", "domain": "old.corp.", "size": 7, "targets": []}'),
                        (10, "-/office/contoso", '{"name": "contoso", "domain": 7}'),
                        (11, "-/gone", '{"name": "gone", "prefix": "198.51.100.0/24", "size": 7}'),
                        (8, "-/bad", '{"name": "bad", "outbound_endpoints": 7}'),
                        (10, "-/bad/inside", '{"name": "inside", "domain": "inside.corp.", "targets": []}'))
        status, text = self.sluice.command("reload")
        self.assertEqual(0, status, text)
        self.assertRegex(text, r'a row at "-/office/old" which does not fit \(size: there is no such key.*; '
                               r"not served; put the resource anew, or remove it: DELETE "
                               r"/v1/rulesets/-/office/rules/old")
        self.assertRegex(text, r"rulesets\[bad\]: .*DELETE /v1/rulesets/-/bad/rules/inside")
        self.sluice.kill()
        self.start()
        self.assert_answer(self.ask("a.contoso.corp"), "198.51.100.3")
        rules = self.good("GET", "rulesets/-/office/rules").body["rules"]
        self.assertEqual([("contoso", True), ("old", True)],
                         [(rule["name"], "not_served" in rule) for rule in rules])
        self.assertEqual(["bad", "office"], [one["name"] for one in self.good("GET", "rulesets").body["rulesets"]])
        self.assertEqual(["gone"], [one["name"] for one in
                                    self.good("GET", "address_pools?q=on").body["address_pools"]])
        self.assertRegex(self.sluice.command("rule", "list", "office")[1], r"(?m)^ *old .*not served: size: there is")
        shown = self.good("GET", "rulesets/-/office/rules/old")
        self.assertRegex(shown.body["not_served"], "size: there is no such key")
        self.assertIn('there is no ruleset "bad"',
                      self.good("GET", "rulesets/-/bad/rules/inside").body["not_served"])
        # Others of the same ruleset are changed as ever, and these are put anew or removed.
        self.good("PUT", "rulesets/-/office/rules/second",
                  {"domain": "second.corp.", "targets": [{"address": "127.0.0.5"}]}, 201)
        self.good("PUT", "rulesets/-/office/rules/contoso",
                  {"domain": "contoso.corp.", "targets": [{"address": "127.0.0.5"}]}, 200)
        self.assert_answer(self.ask("b.contoso.corp"), "198.51.100.5")
        path = "rulesets/-/office/rules/old"
        self.assertEqual(412, self.call("DELETE", path, **{"If-Match": '"1-0"'}).status)
        self.good("DELETE", path, status=204, **{"If-Match": shown.etag})
        self.assertEqual(404, self.call("GET", path).status)
        for path in ("rulesets/-/bad/rules/inside", "rulesets/-/bad", "address_pools/-/gone"):
            self.good("DELETE", path, status=204)
        status, text = self.sluice.command("reload")
        self.assertEqual(0, status, text)
        self.assertNotIn("not served", text)

    def test_what_refers_to_a_row_that_is_passed_over_is_so_too(self):
        self.build_hub()
        self.good("PUT", "virtual_networks/-/other", {"address_space": ["10.30.0.0/16"]}, 201)
        self.write_rows((1, "-/hub", '{"name": "hub", "address_space": ["10.10.0.0/16"], "newer": 7}'))
        for again in ("reload", "start"):
            if again == "start":
                self.sluice.kill()
                self.start()
            else:
                self.assertEqual(0, self.sluice.command("reload")[0])
            self.assertEqual(["filed", "hub", "other"],
                             [one["name"] for one in self.good("GET", "virtual_networks").body["virtual_networks"]])
            for path, why in (("virtual_networks/-/hub", "newer: there is no such key"),
                              ("resolvers/-/r", "did not go with the rest"),
                              ("resolvers/-/r/inbound_endpoints/in", 'there is no resolver "r"'),
                              ("rulesets/-/office", "did not go with the rest"),
                              ("rulesets/-/office/rules/contoso", 'there is no ruleset "office"')):
                shown = self.good("GET", path).body
                self.assertRegex(shown.get("not_served", ""), why, path)
        self.good("GET", "virtual_networks/-/other", status=200)
        # Once the network is right again, so is all of it.
        self.good("PUT", "virtual_networks/-/hub", {"address_space": ["10.10.0.0/16"]}, 200)
        self.assertEqual(0, self.sluice.command("reload")[0])
        self.assertNotIn("not_served", json.dumps(self.everything()))
        self.assert_answer(self.ask("a.contoso.corp"), "198.51.100.5")

    def test_what_is_in_nothing_any_more_is_listed_and_removed(self):
        link = "private_zones/-/corp.internal/links/"
        self.good("PUT", "virtual_networks/-/hub", {"address_space": ["10.10.0.0/16"]}, 201)
        self.good("PUT", link + "hub", {"virtual_network": "hub"}, 201)
        self.good("PUT", link + "filed", {"virtual_network": "filed"}, 201)
        self.sluice.reconfigure(CONFIG % "")
        status, text = self.sluice.command("reload")
        self.assertEqual(0, status, text)
        self.assertIn("to remove the first: DELETE /v1/" + link + "filed", text)
        listed = self.good("GET", link[:-1]).body["links"]
        self.assertEqual([(name, 'there is no private zone "corp.internal"') for name in ("filed", "hub")],
                         [(one["name"], one["not_served"]) for one in listed])
        self.bad(self.call("PATCH", link + "hub", {"registration": True}), 400, "invalid",
                 'there is no private zone "corp.internal"')
        self.good("DELETE", link + "hub", status=204)
        self.assertEqual(0, self.sluice.command("zone-link", "delete", "corp.internal", "filed")[0])
        self.assertEqual(404, self.call("GET", link[:-1]).status)

    def test_a_rehearsal_finds_a_listener_that_cannot_be_bound(self):
        self.build_hub()
        harness.Upstream(self.host, "127.0.0.44", "198.51.100.44")
        taken = {"subnet": "in", "listen": "127.0.0.44"}
        for query in ("?dry_run", ""):
            self.bad(self.call("PUT", "resolvers/-/r/inbound_endpoints/in" + query, taken), 400, "invalid",
                     "127.0.0.44:53.*in use")
        self.good("PUT", "resolvers/-/r/inbound_endpoints/in?dry_run", {"subnet": "in", "listen": "127.0.0.9"})
        self.assert_answer(self.ask("a.contoso.corp"), "198.51.100.5")
        self.assertEqual({}, self.good("GET", "resolvers/-/r/inbound_endpoints/in").body.get("listen", {}))

    def test_a_rehearsal_shows_what_the_change_shows(self):
        self.build_hub()
        self.good("PUT", "address_pools/-/public", {"prefix": "203.0.113.0/24"}, 201)
        for path, body in (("virtual_networks/-/hub/subnets/more", dict(HUB[1][1], prefix="10.10.0.32/28")),
                           ("resolvers/-/r/inbound_endpoints/second", {"subnet": "more", "listen": "127.0.0.9"}),
                           ("rulesets/-/office/rules/new", {"domain": "New.Example", "targets": [{"address": "127.0.0.3"}]}),
                           ("private_zones/-/dry.internal", {}),
                           ("private_zones/-/dry.internal/record_sets/www:A", {"records": ["10.0.0.4"]}),
                           ("groups/-/web", {"tags": {"a": "b"}}),
                           ("addresses/web/mail", {"address": "203.0.113.5", "id": "6f8b4ce6-0000-4d2e-9c55-0242ac120002",
                                                   "reverse_fqdn": "mail.example."})):
            would, made = self.good("PUT", path + "?dry_run", body).body, self.good("PUT", path, body, 201).body
            for shown in (would, made):
                self.assertEqual(shown is made, "etag" in shown)
                for key in ("etag", "status", "action", "warnings"):  # are known once it is made
                    shown.pop(key, None)
            self.assertEqual(made, would, path)
        # A removal has nothing to show.
        self.good("DELETE", "private_zones/-/dry.internal?dry_run", status=204)
        self.good("GET", "private_zones/-/dry.internal/record_sets/www:A")

    def test_another_state_takes_a_restart(self):
        self.build_hub()
        config = CONFIG % self.filed
        for changed in (config.replace('state = "state.db"', 'state = "other.db"'),
                        config.replace('state = "state.db";', "")):
            self.sluice.reconfigure(changed)
            status, text = self.sluice.command("reload")
            self.assertEqual(0, status, text)
            self.assertIn("takes a restart", text)
            self.assert_answer(self.ask("a.contoso.corp"), "198.51.100.5")
        self.good("PATCH", "rulesets/-/office/rules/contoso", {"state": "Disabled"})
        self.sluice.reconfigure(config)
        self.assertEqual(0, self.sluice.command("reload")[0])
        self.assertEqual("Disabled", self.good("GET", "rulesets/-/office/rules/contoso").body["state"])

    # ---- when the disk fails ----

    def test_a_state_that_cannot_be_written_refuses_the_change_and_dns_goes_on(self):
        self.build_hub()
        other = sqlite3.connect(self.sluice.socket.replace("control.sock", "state.db"),
                                isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        self.bad(self.call("PATCH", "rulesets/-/office/rules/contoso", {"state": "Disabled"}), 503,
                 "store_failed", "another program holds it")
        self.assertIn("another program holds it", self.sluice.status()["owned"][0]["error"])
        self.assert_answer(self.ask("c.contoso.corp"), "198.51.100.5")
        other.execute("ROLLBACK")
        other.close()
        self.good("PATCH", "rulesets/-/office/rules/contoso", {"state": "Disabled"})
        self.assertIsNone(self.sluice.status()["owned"][0]["error"])
        self.assert_answer(self.ask("d.contoso.corp"), "198.51.100.3")


WANTED = """
virtual_networks = (
  { name = "filed"; address_space = [ "10.20.0.0/16" ]; },
  { name = "hub"; address_space = [ "10.10.0.0/16" ];
    subnets = ( { name = "in"; prefix = "10.10.0.0/28"; delegation = "Microsoft.Network/dnsResolvers"; },
                { name = "out"; prefix = "10.10.0.16/28"; delegation = "Microsoft.Network/dnsResolvers"; } ); } );
resolvers = ( { name = "r"; virtual_network = "hub";
  inbound_endpoints = ( { name = "in"; subnet = "in"; } );
  outbound_endpoints = ( { name = "out"; subnet = "out"; source = "0.0.0.0"; } ); } );
rulesets = ( { name = "office"; outbound_endpoints = [ "r/out" ];
  links = ( { name = "hub"; virtual_network = "hub"; } );
  rules = ( { name = "contoso"; domain = "contoso.corp."; targets = ( { address = "%s"; } ); }%s ); } );
"""
SECOND = """, { name = "second"; domain = "second.corp."; targets = ( { address = "127.0.0.5"; } ); }"""


class Apply(World):
    def wanted(self, target="127.0.0.5", more=""):
        self.world.write("wanted.conf", WANTED % (target, more))
        return self.world.dir + "/wanted.conf"

    def command(self, *argv, status=0):
        found, text = self.sluice.command(*argv)
        self.assertEqual(status, found, text)
        return text

    def test_a_file_is_applied_with_a_plan_and_again_has_nothing_to_change(self):
        plan = self.command("diff", self.wanted())
        self.assertIn("create rulesets/-/office/rules/contoso\n", plan)
        self.assertIn("9 to create, 0 to change, 0 to delete: not done", plan)
        self.assertEqual(404, self.call("GET", "virtual_networks/-/hub").status)
        self.assertIn("9 to create, 0 to change, 0 to delete: done", self.command("apply", self.wanted()))
        self.assert_answer(self.ask("a.contoso.corp"), "198.51.100.5")
        self.assertEqual("nothing to change\n", self.command("apply", self.wanted()))

    def test_what_has_changed_is_told_member_by_member_and_pruned_only_when_asked(self):
        self.command("apply", self.wanted(more=SECOND))
        plan = self.command("diff", self.wanted("127.0.0.3"))
        self.assertRegex(plan, r'change rulesets/-/office/rules/contoso\n +targets: \[\{"address":"127.0.0.5".*'
                               r'-> \[\{"address":"127.0.0.3"')
        self.assertIn("0 to create, 1 to change, 0 to delete", plan)
        plan = self.command("apply", "--prune", self.wanted("127.0.0.3"))
        self.assertIn("delete rulesets/-/office/rules/second\n", plan)
        self.assertIn("0 to create, 1 to change, 1 to delete: done", plan)
        self.assertEqual(404, self.call("GET", "rulesets/-/office/rules/second").status)
        self.world.write("empty.conf", 'region = "westeurope";')
        plan = self.command("apply", "--prune", self.world.dir + "/empty.conf")
        self.assertEqual([], self.good("GET", "rulesets").body["rulesets"])
        self.assertEqual(["filed"], [network["name"] for network in self.good(
            "GET", "virtual_networks").body["virtual_networks"]])

    def test_what_cannot_be_is_refused_whole_with_its_reason(self):
        text = self.command("apply", self.wanted("168.63.129.16"), status=1)
        self.assertIn("168.63.129.16 cannot be a rule's target", text)
        self.assertEqual(404, self.call("GET", "virtual_networks/-/hub").status)
        self.world.write("other.conf", 'virtual_networks = ( { name = "filed"; '
                                       'address_space = [ "10.21.0.0/16" ]; } );')
        text = self.command("apply", self.world.dir + "/other.conf", status=1)
        self.assertRegex(text, r"virtual_networks/-/filed is declared at .*:\d+; change it there")
        self.assertIn("syntax error", self.command("apply", self.sluice.socket.replace(
            "control.sock", "corp.internal.zone"), status=1))

    def test_what_a_file_says_twice_or_keeps_secret_is_not_applied(self):
        before = self.good("GET", "changes").body
        net = '{ name = "%s"; address_space = [ "10.4%d.0.0/16" ]; }'
        self.world.write("twice.conf", "virtual_networks = ( %s, %s );" % (net % ("l1", 1), net % ("L1", 2)))
        self.assertRegex(self.command("apply", self.world.dir + "/twice.conf", status=1),
                         "virtual_networks/-/L1 is there twice")
        self.world.write("secret.conf", 'keys = ( { name = "k"; secret = "%s"; } );' % (43 * "A" + "="))
        self.assertRegex(self.command("apply", self.world.dir + "/secret.conf", status=1),
                         "keys/-/k has its secret in plain text.*secret_file")
        self.assertEqual(before, self.good("GET", "changes").body)

    def test_a_change_is_undone_unless_something_of_it_has_changed_since(self):
        self.command("apply", self.wanted())
        last = lambda: self.good("GET", "changes").body["changes"][-1]["revision"]
        self.good("DELETE", "rulesets/-/office")
        deleted = last()
        self.assertRegex(self.command("history"), r"(?m)^ *%d .* uid 0 +deleted ruleset office, " % deleted)
        self.command("undo", "--dry-run", str(deleted))
        self.assertEqual(404, self.call("GET", "rulesets/-/office").status)
        self.assertIn("is undone, by revision", self.command("undo", str(deleted)))
        self.assert_answer(self.ask("a.contoso.corp"), "198.51.100.5")
        self.good("PATCH", "rulesets/-/office/rules/contoso", {"state": "Disabled"})
        disabled = last()
        self.good("PATCH", "rulesets/-/office/rules/contoso", {"description": "by another"})
        text = self.command("undo", str(disabled), status=1)
        self.assertRegex(text, r"was changed since, in revision %d by uid 0" % last())
        self.command("undo", str(last()))
        self.command("undo", str(disabled))  # which is again as that revision left it
        self.assertEqual("Enabled", self.good("GET", "rulesets/-/office/rules/contoso").body["state"])
        text = self.command("undo", str(disabled), status=1)
        self.assertIn("rulesets/-/office/rules/contoso is again what it was before revision %d, since revision %d by uid 0"
                      % (disabled, last()), text)
        self.assertIn("there is no revision", self.command("undo", "9999", status=1))

    def test_an_undo_does_not_take_away_what_was_put_inside_since(self):
        last = lambda: self.good("GET", "changes").body["changes"][-1]["revision"]
        self.good("PUT", "private_zones/-/later.internal", {})
        zone = last()
        self.good("PUT", "private_zones/-/later.internal/record_sets/www:A", {"records": ["192.0.2.1"]})
        inside = last()
        self.assertRegex(self.command("undo", str(zone), status=1),
                         r"record_sets/www:a was created since, in revision %d by uid 0" % inside)
        self.command("undo", str(inside))
        self.command("undo", str(zone))
        self.assertEqual(404, self.call("GET", "private_zones/-/later.internal").status)

    def test_what_is_exported_checks_and_gives_the_same(self):
        self.command("apply", self.wanted())
        self.good("PUT", "private_zones/-/corp.internal/links/hub", {"virtual_network": "hub"}, 201)
        before = json.loads(self.command("export", "--as", "json"))
        text = self.command("export")
        self.world.write("exported.conf", text)
        status, told = harness.command("check", "-c", self.world.dir + "/exported.conf")
        self.assertEqual(0, status, told)
        self.assertIn("is in the state, too, and says the same there", told)
        self.sluice.reconfigure(text)
        self.command("reload")
        after = json.loads(self.command("export", "--as", "json"))
        self.assertEqual([(e["path"], e["values"]) for e in before["edits"]],
                         [(e["path"], e["values"]) for e in after["edits"]])
        self.assert_answer(self.ask("a.contoso.corp"), "198.51.100.5")
        self.assert_answer(self.ask("web.corp.internal"), "10.10.1.10")


KEPT = r"""
virtual_networks = ( { name = "filed"; address_space = [ "10.20.0.0/16" ]; },
  { name = "hub"; resource_group = "Office"; address_space = [ "10.10.0.0/16" ];
    tags = [ "team=net", "a\\=b=c=d" ]; azure = [ "enableDdosProtection=false", "x[0].y={\"z\": [\"=\"]}" ];
    subnets = ( { name = "in"; prefix = "10.10.0.0/28"; delegation = "Microsoft.Network/dnsResolvers"; },
                { name = "out"; prefix = "10.10.0.16/28"; delegation = "Microsoft.Network/dnsResolvers"; },
                { name = "apps"; prefix = "10.10.1.0/24"; azure = [ "serviceEndpoints=[]" ]; } );
    peerings = ( { name = "to.filed"; azure = [ "peeringState=\"Connected\"" ]; } ); } );
resolvers = ( { name = "r"; resource_group = "Office"; virtual_network = "hub"; tags = [ "team=r" ];
  inbound_endpoints = ( { name = "in"; subnet = "in"; tags = [ "team=in" ]; } );
  outbound_endpoints = ( { name = "out"; subnet = "out"; source = "0.0.0.0"; tags = [ "team=out" ]; } ); } );
private_zones = ( { name = "privatelink.test"; resource_group = "Zones"; tags = [ "team=zone" ];
  links = ( { name = "hub"; virtual_network = "hub"; tags = [ "team=link" ]; } ); } );
rulesets = ( { name = "office"; resource_group = "Office"; outbound_endpoints = [ "r/out" ]; tags = [ "team=rules" ];
  links = ( { name = "hub"; virtual_network = "hub"; metadata = [ "by=hand" ]; } );
  rules = ( { name = "contoso"; domain = "contoso.corp."; targets = ( { address = "127.0.0.5"; } ); } ); } );
network_interfaces = ( { name = "vm.nic"; resource_group = "Office"; label = "vm"; tags = [ "team=vm" ];
  azure = [ "enableAcceleratedNetworking=true" ]; ip_configurations = (
    { name = "one"; subnet = "hub/apps"; address = "10.10.1.4"; },
    { name = "two"; subnet = "hub/apps"; address = "10.10.1.5"; allocation = "static"; primary = true; } ); },
  { name = "store.nic"; resource_group = "Zones"; private_endpoint = "store"; ip_configurations = (
    { name = "one"; subnet = "Office/hub/apps"; address = "10.10.1.6"; } ); } );
private_endpoints = ( { name = "store"; resource_group = "Zones"; subnet = "hub/apps"; tags = [ "team=store" ];
  network_interface = "store.nic"; azure = [ "privateLinkServiceConnections=[]" ]; zone_groups = (
    { name = "default"; zones = ( { name = "config"; zone = "privatelink.test"; } ); } ); } );
addresses = ( { name = "vm"; resource_group = "Office"; address = "10.10.1.4"; tags = [ "a\\=b=c" ];
  azure = [ "sku.name=\"Basic\"" ]; } );
"""


class Kept(World):
    """Tags, metadata, what Azure's clients keep, and kinds that have no effect: from a file, by the API and back."""

    config = CONFIG.replace('virtual_networks = ( { name = "filed"; address_space = [ "10.20.0.0/16" ]; } );', "")
    filed = ""

    def command(self, *argv, status=0):
        found, text = self.sluice.command(*argv)
        self.assertEqual(status, found, text)
        return text

    def edits(self):
        edits = json.loads(self.command("export", "--as", "json"))["edits"]
        return sorted((edit["path"], edit["values"]) for edit in edits)

    def apply_kept(self):
        self.world.write("kept.conf", KEPT)
        self.command("apply", self.world.dir + "/kept.conf")

    def test_all_is_there_as_the_file_has_it(self):
        self.apply_kept()
        team = lambda path: self.good("GET", path).body["tags"]["team"]
        hub = self.good("GET", "virtual_networks/office/hub").body
        self.assertEqual({"team": "net", "a=b": "c=d"}, hub["tags"])
        self.assertEqual({"enableDdosProtection": "false", "x[0].y": '{"z": ["="]}'}, hub["azure"])
        self.assertEqual({"serviceEndpoints": "[]"}, self.good(
            "GET", "virtual_networks/office/hub/subnets/apps").body["azure"])
        self.assertEqual({"peeringState": '"Connected"'}, self.good(
            "GET", "virtual_networks/office/hub/peerings/to.filed").body["azure"])
        self.assertEqual(["r", "in", "out", "zone", "link", "rules"], [team(path) for path in (
            "resolvers/office/r", "resolvers/office/r/inbound_endpoints/in", "resolvers/office/r/outbound_endpoints/out",
            "private_zones/zones/privatelink.test", "private_zones/zones/privatelink.test/links/hub",
            "rulesets/office/office")])
        self.assertEqual(["by=hand"], self.good("GET", "rulesets/office/office/links/hub").body["metadata"])
        address = self.good("GET", "addresses/office/vm").body
        self.assertEqual(({"a=b": "c"}, {"sku.name": '"Basic"'}), (address["tags"], address["azure"]))
        vm = self.good("GET", "network_interfaces/office/vm.nic").body
        self.assertEqual(("vm", "hub/apps", "10.10.1.5", True), (vm["label"], *[
            vm["ip_configurations"][1][key] for key in ("subnet", "address", "primary")]))
        store = self.good("GET", "private_endpoints/zones/store").body
        self.assertEqual(("Office/hub/apps", "store.nic"), (store["subnet"], store["network_interface"]))
        self.assertEqual([{"name": "config", "zone": "privatelink.test"}], self.good(
            "GET", "private_endpoints/zones/store/zone_groups/default").body["zones"])
        self.assertEqual(["store.nic"], [nic["name"] for nic in self.good(
            "GET", "network_interfaces?private_endpoint=store").body["network_interfaces"]])
        self.assertIn("vm.nic", self.command("list", "network-interface", "office"))
        self.assertRegex(self.command("show", "address", "office/vm"), r"azure +.*sku.name")
        self.assert_answer(self.ask("a.contoso.corp"), "198.51.100.5")

    def test_what_is_exported_gives_the_same(self):
        self.apply_kept()
        before = self.edits()
        text = self.command("export")
        self.world.write("exported.conf", text)
        for name in ("kept.conf", "exported.conf"):
            self.assertEqual("nothing to change\n", self.command("apply", "--prune", self.world.dir + "/" + name))
            self.assertEqual(0, harness.command("check", "-c", self.world.dir + "/" + name)[0])
        self.sluice.kill()
        self.start()
        self.assertEqual(before, self.edits())
        self.world.write("empty.conf", 'region = "westeurope";')
        self.command("apply", "--prune", self.world.dir + "/empty.conf")
        self.assertEqual([], self.edits())
        self.good("POST", "changes", {"edits": [{"path": path, "values": values} for path, values in before]})
        self.assertEqual(before, self.edits())
        state = self.good("GET", "state").body
        self.assertEqual({"sku.name": '"Basic"'}, state["addresses"][0]["azure"])
        self.command("apply", "--prune", self.world.dir + "/empty.conf")
        self.sluice.reconfigure(text)
        self.command("reload")
        self.assertEqual(before, self.edits())

    def test_what_was_changed_is_undone(self):
        self.apply_kept()
        before, last = self.edits(), lambda: self.good("GET", "changes").body["changes"][-1]["revision"]
        for method, path, values in (
                ("PATCH", "virtual_networks/office/hub", {"tags": {}, "azure": None}),
                ("PATCH", "addresses/office/vm", {"tags": {}, "azure": {"sku.name": '"Standard"'}}),
                ("PATCH", "network_interfaces/office/vm.nic", {"label": None, "tags": {}}),
                ("DELETE", "private_endpoints/zones/store", None),
                ("DELETE", "virtual_networks/office/hub/peerings/to.filed", None)):
            self.good(method, path, values)
            self.assertNotEqual(before, self.edits())
            self.command("undo", str(last()))
            self.assertEqual(before, self.edits())

    def test_no_tags_are_none(self):
        self.apply_kept()
        before = self.edits()
        for path in ("virtual_networks/office/new", "virtual_networks/office/hub/subnets/new"):
            values = {"azure": {}, "prefix": "10.10.2.0/24"} if "subnets" in path else {"tags": {}, "azure": {}}
            self.good("PUT", path, values, 201)
            self.assertNotIn("azure", self.good("GET", path).body)
        self.world.write("exported.conf", self.command("export"))
        self.assertEqual("nothing to change\n", self.command("apply", "--prune", self.world.dir + "/exported.conf"))
        self.command("apply", "--prune", self.world.dir + "/kept.conf")
        self.assertEqual(before, self.edits())

    def test_tags_are_checked_whichever_way_they_come(self):
        self.apply_kept()
        longest = {"a": 65535 * "x"}
        paths = {"virtual_networks/office/hub": "virtual_networks[Office/hub]", "addresses/office/vm": "",
                 "groups/-/office": "", "network_interfaces/office/vm.nic": "network_interfaces[Office/vm.nic]"}
        for path, where in paths.items():
            where = where and where + "."
            for tags, text in (({"Team": "a", "tEAM": "b"}, '"(Team|tEAM)" occurs twice; give each name once'),
                               ({"": "a"}, "a name is empty; give each value a name"),
                               ({"a": 16384 * "x"}, r"have \d+ bytes together; give at most 16384"),
                               ({str(n): "" for n in range(51)}, r"there are 5\d; give at most 50")):
                answer = self.call("PATCH", path, {"tags": tags})
                self.assertEqual(400, answer.status, (path, tags, answer))
                self.assertRegex(json.dumps(answer.body).replace('\\"', '"'), text)
        for path in ("virtual_networks/office/hub", "addresses/office/vm"):
            self.good("PATCH", path, {"azure": None})
            self.good("PATCH", path, {"azure": longest})
            self.assertEqual(longest, self.good("GET", path).body["azure"])
            answer = self.call("PATCH", path, {"azure": {"a": 65536 * "x"}})
            self.assertEqual(400, answer.status)
            self.assertIn("have 65537 bytes together; give at most 65536", answer.body["error"]["message"])
        for tag, text in (("=a", "does not fit; give"), ("Team=a\", \"tEAM=b", "occurs twice")):
            self.world.write("bad.conf", 'virtual_networks = ( { name = "n"; tags = [ "%s" ]; } );' % tag)
            status, told = harness.command("check", "-c", self.world.dir + "/bad.conf")
            self.assertEqual(1, status)
            self.assertIn(text, told)

    def test_what_is_in_use_stays(self):
        self.apply_kept()
        for path in ("virtual_networks/office/hub/subnets/apps", "private_zones/zones/privatelink.test"):
            answer = self.call("DELETE", path)
            self.assertEqual(400, answer.status, answer)
            self.assertRegex(answer.body["error"]["message"], 'there is no (subnet "Office/hub/apps"|zone "Zones/privatelink)')
        answer = self.call("PUT", "network_interfaces/office/other", {"ip_configurations": [
            {"name": "a", "subnet": "hub/apps", "address": "10.10.1.6"}]})
        self.bad(answer, 400, "invalid", "10.10.1.6 is the address of another ip configuration")
        self.good("PUT", "network_interfaces/-/other", {"ip_configurations": [
            {"name": "a", "subnet": "hub/apps", "address": "10.10.1.7"}]}, 201)
        # A network of that name in no group comes: what was written means what it meant.
        self.good("PUT", "virtual_networks/-/hub", {"address_space": ["10.30.0.0/16"]}, 201)
        self.assertEqual("Office/hub/apps", self.good(
            "GET", "network_interfaces/-/other").body["ip_configurations"][0]["subnet"])


class Groups(World):
    """Resources in groups: the group is part of the path, not of the name."""

    filed = """
rulesets = ( { name = "filed-rules"; resource_group = "Berlin"; outbound_endpoints = [ ]; } );
private_zones = ( { name = "sets.test"; resource_group = "Berlin"; } );
"""
    rule = {"domain": "contoso.corp.", "targets": [{"address": "127.0.0.5"}]}

    def command(self, *argv, status=0):
        found, text = self.sluice.command(*argv)
        self.assertEqual(status, found, text)
        return text

    def build_office(self, group="Office"):
        for path, values in HUB:
            self.good("PUT", path.replace("/-/", "/%s/" % group), values, 201)
        path = "rulesets/%s/hub" % group
        self.good("PUT", path, {"outbound_endpoints": ["r/out"]}, 201)
        self.good("PUT", path + "/links/hub", {"virtual_network": "hub"}, 201)
        self.good("PUT", path + "/rules/contoso", self.rule, 201)

    def everything(self):
        return [self.good("GET", path).body for path in (
            "virtual_networks", "virtual_networks/office", "virtual_networks/office/hub/subnets", "resolvers/office/r",
            "resolvers/office/r/inbound_endpoints", "rulesets", "rulesets/office/hub/links",
            "rulesets/office/hub/rules")]

    def test_a_resolver_in_a_group_answers_and_is_there_again(self):
        self.build_office()
        self.assert_answer(self.ask("a.contoso.corp"), "198.51.100.5")
        shown = self.everything()
        hub = self.good("GET", "rulesets/OFFICE/HUB").body
        self.assertEqual(("Office", "rulesets/Office/hub"), (hub["resource_group"], hub["path"]))
        rule = self.good("GET", "rulesets/office/HUB/rules/CONTOSO").body
        self.assertEqual("rulesets/Office/hub/rules/contoso", rule["path"])
        self.assertNotIn("resource_group", rule)
        self.good("PUT", "rulesets/office/hub/rules/contoso", rule, 200)  # as it was got
        self.good("PUT", "rulesets/office/hub", hub, 200)
        shown = self.everything()
        self.sluice.kill()
        self.start()
        self.assertEqual(shown, self.everything())
        self.command("reload")
        self.command("upgrade")
        self.assertEqual(shown, self.everything())
        self.assert_answer(self.ask("b.contoso.corp"), "198.51.100.5")
        self.good("DELETE", "rulesets/office/hub", status=204)
        self.assertEqual(404, self.call("GET", "rulesets/office/hub/rules/contoso").status)
        self.assert_answer(self.ask("c.contoso.corp"), "198.51.100.3")

    def test_lists_are_of_all_groups_or_of_one(self):
        self.build_office()
        for path in ("rulesets/-/plain", "rulesets/office/a", "rulesets/Berlin/b"):
            self.good("PUT", path, {"outbound_endpoints": []}, 201)
        names = lambda path: [one["name"] for one in self.good("GET", path).body["rulesets"]]
        self.assertEqual(["a", "b", "filed-rules", "hub", "plain"], names("rulesets"))
        self.assertEqual(["a", "b", "filed-rules", "hub", "plain"], names("rulesets/*"))
        for path in ("rulesets/OFFICE", "rulesets?resource_group=office"):
            self.assertEqual(["a", "hub"], names(path))
        self.assertEqual(["b", "filed-rules"], names("rulesets/berlin"))
        self.assertEqual(["plain"], names("rulesets/-"))
        self.assertEqual(["plain"], names("rulesets?resource_group="))
        self.assertEqual(["plain"], names("rulesets?resource_group=-"))
        self.assertEqual([], names("rulesets/-?q=hub"))
        self.assertEqual([], self.good("GET", "resolvers/Berlin").body["resolvers"])
        self.bad(self.call("GET", "rulesets/ofice"), 404, "not_found", 'there is no resource group "ofice"')
        page = self.good("GET", "rulesets/office?limit=1").body
        self.assertEqual("/v1/rulesets/office?limit=1&marker=a", page["next"])
        self.assertEqual(["hub"], names(page["next"][4:]))
        for group in ("office", "berlin"):
            self.good("PUT", "rulesets/%s/same" % group, {"outbound_endpoints": []}, 201)
        path, found = "/v1/rulesets?limit=1&q=same", []
        while path:
            page = self.good("GET", path[4:]).body
            found += [[one["resource_group"] for one in page["rulesets"]]]
            path = page["next"]
        self.assertEqual([["berlin"], ["office"]], [[group.lower() for group in groups] for groups in found])
        page = self.good("GET", "virtual_networks/office/hub/subnets?limit=1").body
        self.assertEqual("/v1/virtual_networks/office/hub/subnets?limit=1&marker=in", page["next"])
        self.assertEqual("out", self.good("GET", page["next"][4:]).body["subnets"][0]["name"])

    def test_what_is_inside_all_of_a_kind_is_one_list(self):
        self.build_office()
        for path in ("rulesets/-/hub", "rulesets/berlin/also"):
            self.good("PUT", path, {"outbound_endpoints": []}, 201)
            for name in ("zulu", "alfa"):
                self.good("PUT", "%s/rules/%s" % (path, name), dict(self.rule, domain=name + ".corp.", state="Disabled"), 201)

        def paths(path):
            found = []
            while path:
                page = self.good("GET", path.removeprefix("/v1/")).body
                found.append([rule["path"] for rule in page["rules"]])
                path = page["next"]
            return found
        also = ["rulesets/berlin/also/rules/alfa", "rulesets/berlin/also/rules/zulu"]
        hub = ["rulesets/-/hub/rules/alfa", "rulesets/-/hub/rules/zulu"]
        office = ["rulesets/Office/hub/rules/contoso"]
        every = also + hub + office
        self.assertEqual([every], paths("rulesets/*/*/rules"))
        self.assertEqual([also], paths("rulesets/Berlin/*/rules"))
        self.assertEqual([hub], paths("rulesets/-/*/rules"))
        for limit in (1, 2, 3, 5):
            pages = paths("rulesets/*/*/rules?limit=%d" % limit)
            self.assertEqual(every, sum(pages, []))
            self.assertLessEqual(max(map(len, pages)), limit)
        self.assertEqual([also + hub], paths("rulesets/*/*/rules?state=disabled"))
        self.assertEqual([also[:1] + hub[:1]], paths("rulesets/*/*/rules?q=alf"))
        first = self.good("GET", "rulesets/*/*/rules").body["rules"][0]
        self.assertEqual(self.good("GET", first["path"]).body, first)
        self.bad(self.call("GET", "rulesets/*/*/rules?marker=zulu"), 400, "invalid", "follow the `next` link")
        self.bad(self.call("GET", "rulesets/ofice/*/rules"), 404, "not_found", 'there is no resource group "ofice"')
        self.bad(self.call("GET", "private_zones/*/*/record_sets"), 404, "not_found", "there is no private zone")
        self.bad(self.call("GET", "rulesets/*/*/rules/alfa"), 404, "not_found", "there is no rule")

    def test_a_wrong_group_is_told_with_the_right_one(self):
        self.build_office()
        where = r'"hub" here; it is in the resource group "Office": rulesets/Office/hub$'
        for group in ("-", "berlin", "no%20such"):
            path = "rulesets/%s/hub" % group
            for method, at, body in (("GET", path, None), ("PATCH", path, {}), ("DELETE", path, None),
                                     ("GET", path + "/rules", None), ("GET", path + "/rules/contoso", None),
                                     ("PUT", path + "/rules/new", self.rule), ("DELETE", path + "/rules/contoso", None)):
                self.bad(self.call(method, at, body), 404, "not_found", where)
            edit = {"path": path + "/rules/new", "values": dict(self.rule, domain="new.corp.")}
            self.bad(self.call("POST", "changes", {"edits": [edit]}), 400, "invalid", where)
        self.bad(self.call("GET", "virtual_networks/office/filed"), 404, "not_found",
                 'it is in no resource group: virtual_networks/-/filed')
        self.bad(self.call("PUT", "private_zones/-/sets.test/record_sets/a:A", {"records": ["10.0.0.1"]}), 404,
                 "not_found", "private_zones/Berlin/sets.test")
        self.bad(self.call("GET", "private_zones/-/sets.test/master_file"), 404, "not_found",
                 "private_zones/Berlin/sets.test")
        self.bad(self.call("GET", "rulesets/office/other"), 404, "not_found", '^there is no ruleset "other"$')

    def test_whoever_does_not_know_the_group_asks_in_all(self):
        self.build_office()
        self.assertEqual("rulesets/Office/hub", self.good("GET", "rulesets/*/HUB").body["path"])
        self.good("PATCH", "rulesets/*/hub/rules/contoso", {"state": "Disabled"})
        self.assertEqual("rulesets/-/new", self.good("PUT", "rulesets/*/new", {}, 201).body["path"])
        self.good("POST", "changes", {"edits": [{"path": "rulesets/*/hub/rules/contoso", "values": None},
                                                {"path": "rulesets/*/new", "values": None}]})
        self.assertEqual([], self.good("GET", "rulesets/office/hub/rules").body["rules"])
        self.assertEqual(404, self.call("GET", "rulesets/*/new").status)

    def test_a_name_is_there_once_in_its_group(self):
        self.build_office()
        for path in ("rulesets/berlin/hub", "rulesets/-/HUB", "rulesets/office/filed-rules", "virtual_networks/office/filed"):
            self.good("PUT", path, {}, 201)
            self.assertEqual(1, len([one for one in self.good("GET", path.rsplit("/", 1)[0]).body[path.split("/")[0]]
                                     if one["name"].lower() == path.rsplit("/", 1)[1].lower()]))
            self.good("DELETE", path, status=204)
        # In one change it moves, if all of it is said.
        self.good("POST", "changes", {"edits": [
            {"path": "rulesets/Berlin/hub", "values": {"outbound_endpoints": ["r/out"]}},
            {"path": "rulesets/Berlin/hub/links/hub", "values": {"virtual_network": "hub"}},
            {"path": "rulesets/Berlin/hub/rules/contoso", "values": self.rule},
            {"path": "rulesets/office/hub", "values": None}]})
        self.assertEqual(404, self.call("GET", "rulesets/office/hub").status)
        self.assert_answer(self.ask("a.contoso.corp"), "198.51.100.5")
        self.command("undo", str(self.good("GET", "changes").body["changes"][-1]["revision"]))
        self.assertEqual("rulesets/Office/hub/rules/contoso", self.good("GET", "rulesets/*/hub/rules/contoso").body["path"])
        self.assert_answer(self.ask("b.contoso.corp"), "198.51.100.5")

    def test_a_change_that_is_not_confirmed_goes_back_to_its_group(self):
        self.build_office()
        self.good("POST", "changes?confirm=600", {"edits": [
            {"path": "rulesets/moved/hub", "values": {"outbound_endpoints": ["r/out"]}},
            {"path": "rulesets/office/hub", "values": None}]})
        self.assertEqual("moved", self.good("GET", "rulesets/*/hub").body["resource_group"])
        self.command("confirm", "--back")
        self.assertEqual("Office", self.good("GET", "rulesets/*/hub").body["resource_group"])
        self.assert_answer(self.ask("a.contoso.corp"), "198.51.100.5")

    def test_a_group_is_the_paths(self):
        self.build_office()
        for method, path, body in (
                ("PUT", "rulesets/-/new", {"resource_group": "office"}), ("PATCH", "rulesets/office/hub", {"resource_group": "b"}),
                ("PATCH", "rulesets/office/hub", {"resource_group": None}), ("PUT", "rulesets/office/new", {"resource_group": "b"})):
            self.bad(self.call(method, path, body), 400, "invalid", "a resource stays in its group", "resource_group")
            edit = {"path": path, "values": body}
            self.bad(self.call("POST", "changes", {"edits": [edit]}), 400, "invalid", "a resource stays in its group",
                     "edits[0].values.resource_group")
        self.bad(self.call("PUT", "rulesets/office/hub/rules/x", dict(self.rule, resource_group="office")), 400,
                 "invalid", "there is no such key", "rulesets[Office/hub].rules[x].resource_group")
        for wrong in ("a b", "a.", "a/b", "x" * 91):
            self.bad(self.call("PUT", "rulesets/%s/new" % urllib.parse.quote(wrong, ""), {}), 400, "invalid",
                     "does not fit|characters", "rulesets[%s/new].resource_group" % wrong)
        self.good("PUT", "rulesets/office/new", {"resource_group": "OFFICE"}, 201)
        self.good("PUT", "rulesets/-/newer", {"resource_group": None}, 201)
        self.good("PUT", "rulesets/B%C3%B6/h", {}, 201)
        self.assertEqual("B\u00f6", self.good("GET", "rulesets/b%C3%B6/h").body["resource_group"])

    def test_what_is_inside_a_files_item_waits_when_that_moves(self):
        link = {"virtual_network": "filed"}
        self.good("PUT", "rulesets/berlin/filed-rules/links/a", link, 201)
        self.good("PUT", "private_zones/berlin/sets.test/record_sets/a:A", {"records": ["10.0.0.1"]}, 201)
        self.good("PUT", "private_zones/berlin/sets.test/links/a", link, 201)
        self.sluice.reconfigure(CONFIG % self.filed.replace("Berlin", "Munich"))
        told = self.command("reload")
        self.assertRegex(told, r'rulesets\[berlin/filed-rules\]: .*the one of that name is in the group "Munich"\), but 1 '
                               r"resource inside it .* DELETE /v1/rulesets/berlin/filed-rules/links/a")
        self.assertRegex(told, r'private_zones\[berlin/sets.test\]: .*the one of that name is in the group "Munich"\), but 1 '
                               "record set")
        for path in ("rulesets/berlin/filed-rules/links/a", "private_zones/berlin/sets.test/record_sets/a:A"):
            self.assertRegex(self.good("GET", path).body["not_served"], "here; it is in the resource group \"Munich\"")
        self.assertEqual([], self.good("GET", "rulesets/munich/filed-rules/links").body["links"])
        self.assertEqual(["a"], [one["name"] for one in
                                 self.good("GET", "rulesets/berlin/filed-rules/links").body["links"]])
        # What is new goes to where it is now; the old goes away one by one, or comes back.
        self.good("PUT", "rulesets/munich/filed-rules/links/b", link, 201)
        self.good("DELETE", "rulesets/munich/filed-rules/links/b", status=204)
        self.sluice.reconfigure(CONFIG % self.filed)
        self.assertNotIn("not served", self.command("reload"))
        self.good("GET", "rulesets/berlin/filed-rules/links/a", status=200)
        self.assertEqual(["10.0.0.1"], self.good("GET", "private_zones/berlin/sets.test/record_sets/a:A").body["records"])

    def test_what_waits_for_a_files_item_outlives_another_that_is_taken_back(self):
        waiting = ["rulesets/berlin/filed-rules/links/a", "private_zones/berlin/sets.test/record_sets/a:A",
                   "private_zones/berlin/sets.test/links/a"]
        for path in waiting:
            self.good("PUT", path, {"records": ["10.0.0.1"]} if ":" in path else {"virtual_network": "filed"}, 201)
        self.sluice.reconfigure(CONFIG % "")
        self.command("reload")
        edits = [{"path": path, "values": {}} for path in ("private_zones/berlin/sets.test", "rulesets/berlin/filed-rules")]
        edits.append({"path": waiting[1], "values": {"records": ["10.0.0.2"]}})

        def waits():
            for path in waiting:
                self.assertRegex(self.good("GET", path).body["not_served"], "there is no (ruleset|private zone)")
        waits()
        revision = self.good("POST", "changes", {"edits": edits}).body["revision"]
        self.assertNotIn("not_served", self.good("GET", waiting[1]).body)
        self.command("undo", str(revision))
        waits()
        self.good("POST", "changes?confirm=600", {"edits": edits})
        self.command("confirm", "--back")
        waits()
        self.sluice.reconfigure(CONFIG % self.filed)
        self.command("reload")
        for path in waiting:
            self.assertNotIn("not_served", self.good("GET", path).body)
        self.assertEqual(["10.0.0.1"], self.good("GET", waiting[1]).body["records"])

    def test_file_and_state_cannot_have_one_name_in_one_group(self):
        self.good("PUT", "rulesets/berlin/mine", {"region": "elsewhere"}, 201)
        self.sluice.reconfigure((CONFIG % self.filed).replace('"filed-rules"', '"mine"'))
        told = self.command("reload", status=1)
        self.assertRegex(told, r'rulesets\[berlin/mine\]\.name: "mine" is already the name of the ruleset at .*sluice\.conf:\d+; choose')
        self.assertIn("is already the name of the ruleset", self.command("check", status=1))
        self.good("DELETE", "rulesets/berlin/mine", status=204)
        self.good("PUT", "rulesets/office/mine", {}, 201)
        self.command("reload")
        self.good("GET", "rulesets/office/mine", status=200)
        self.good("GET", "rulesets/berlin/mine", status=200)
        self.bad(self.call("GET", "rulesets/*/mine"), 400, "invalid", 'more than one ruleset "mine"; give its group: ')

    def test_of_two_of_one_name_the_one_that_is_not_served_has_its_own_path(self):
        self.write_rows((8, "office/filed-rules", '{"name": "filed-rules", "resource_group": "office", "size": 7}'))
        self.assertIn("DELETE /v1/rulesets/office/filed-rules", self.command("reload"))
        both = [("rulesets/Berlin/filed-rules", None), ("rulesets/office/filed-rules", "size: there is no such key")]
        listed = lambda page: [(one["path"], one.get("not_served", "").split(";")[0] or None) for one in page["rulesets"]]
        self.assertEqual(both, listed(self.good("GET", "rulesets").body))
        page = self.good("GET", "rulesets?limit=1").body
        self.assertEqual(both, listed(page) + listed(self.good("GET", page["next"][4:]).body))
        self.assertEqual(["rulesets/office/filed-rules"], [one["path"] for one in
                                                          self.good("GET", "rulesets/office").body["rulesets"]])
        self.assertIn("not_served", self.good("GET", "rulesets/office/filed-rules").body)
        self.good("DELETE", "rulesets/office/filed-rules", status=204)
        self.assertNotIn("not served", self.command("reload"))
        self.good("GET", "rulesets/berlin/filed-rules", status=200)

    def test_a_state_of_before_there_were_groups_goes_on(self):
        self.sluice.kill()
        with sqlite3.connect(self.world.dir + "/state.db") as other:
            other.executemany("INSERT INTO resources (kind, path, revision, json) VALUES (?, ?, 1, ?)", [
                (8, "-/old", '{"name": "old"}'),
                (9, "-/old/filed", '{"name": "filed", "virtual_network": "filed"}')])
        other.close()
        self.start()
        self.assertEqual("rulesets/-/old/links/filed", self.good("GET", "rulesets/*/old/links/filed").body["path"])

    def test_history_undo_and_etags_know_the_group(self):
        self.build_office()
        last = self.good("GET", "changes").body["changes"][-1]
        self.assertEqual("rulesets/office/hub/rules/contoso", last["path"])
        hub = self.good("GET", "rulesets/office/hub")
        self.good("DELETE", "rulesets/office/hub", status=204, **{"If-Match": hub.etag})
        gone = self.good("GET", "changes").body["changes"][-1]["revision"]
        self.assertRegex(self.command("history"), r"deleted ruleset office/hub, ")
        self.command("undo", str(gone))
        self.assertEqual("Office", self.good("GET", "rulesets/office/hub").body["resource_group"])
        self.assert_answer(self.ask("a.contoso.corp"), "198.51.100.5")

    def test_commands_take_a_name_or_a_group_and_a_name(self):
        self.build_office()
        self.assertIn("Office", self.command("show", "ruleset", "hub"))
        self.assertIn("Office", self.command("ruleset", "show", "office/hub"))
        self.assertIn("it is in the resource group", self.command("show", "ruleset", "/hub", status=1))
        self.command("rule", "create", "hub", "fabrikam", "domain=fabrikam.corp.", "targets=127.0.0.5")
        self.command("rule", "set", "office/hub", "fabrikam", "state=Disabled")
        self.assertIn("fabrikam", self.command("rule", "list", "hub"))
        self.command("create", "ruleset", "new/other")
        self.assertEqual("new", self.good("GET", "rulesets/new/other").body["resource_group"])
        self.assertIn("stays in its group", self.command("set", "ruleset", "other", "resource_group=b", status=1))
        self.command("create", "ruleset", "plain")
        self.good("GET", "rulesets/-/plain", status=200)
        self.assertIn("already", self.command("create", "ruleset", "hub", status=1))
        listed = self.command("list", "ruleset", "office")
        self.assertIn("hub", listed)
        self.assertNotIn("other", listed)
        self.command("delete", "ruleset", "other")
        self.command("delete", "ruleset", "/plain")
        self.command("record", "set", "sets.test", "www", "A", "10.0.0.1")
        self.command("record", "set", "berlin/sets.test", "api", "A", "10.0.0.2")
        self.assertEqual(2, len(self.good("GET", "private_zones/berlin/sets.test/record_sets").body["record_sets"]))
        self.world.write("new.zone", "www 300 IN A 10.0.0.9\n")
        path = self.world.dir + "/new.zone"
        self.assertIn("create private_zones/Zones/new.test\n", self.command("zone", "import", "Zones/new.test", path))
        self.assertEqual("nothing to change\n", self.command("zone", "import", "new.test", path))
        self.assertIn("10.0.0.9", self.command("zone", "export", "new.test"))

    def test_what_is_exported_is_applied_with_its_groups(self):
        self.build_office()
        self.good("PUT", "private_zones/Zones/new.test/", {}, 201)
        self.good("PUT", "private_zones/zones/new.test/record_sets/www:A", {"records": ["10.0.0.9"]}, 201)
        text, edits = self.command("export"), json.loads(self.command("export", "--as", "json"))["edits"]
        self.assertIn('resource_group = "Office"', text)
        paths = [edit["path"] for edit in edits]
        self.assertIn("private_zones/Zones/new.test/record_sets/www:A", paths)
        self.assertIn("rulesets/Office/hub/rules/contoso", paths)
        self.world.write("exported.conf", text)
        status, told = harness.command("check", "-c", self.world.dir + "/exported.conf")
        self.assertEqual(0, status, told)
        self.assertEqual("nothing to change\n", self.command("apply", "--prune", self.world.dir + "/exported.conf"))
        # In another group it is another one: it moves where the old one may go.
        self.world.write("moved.conf", text.replace('"Office"', '"Moved"').replace('"Zones"', '"Moved"'))
        moved = self.world.dir + "/moved.conf"
        plan = self.command("apply", "--prune", moved)
        self.assertIn("create rulesets/Moved/hub/rules/contoso\n", plan)
        self.assertIn("delete rulesets/Office/hub\n", plan)
        self.assertEqual("nothing to change\n", self.command("apply", "--prune", moved))
        self.assertEqual(["10.0.0.9"], self.good(
            "GET", "private_zones/moved/new.test/record_sets/www:A").body["records"])
        self.assert_answer(self.ask("a.contoso.corp"), "198.51.100.5")
        for edit in edits:  # and as edits of one change, back
            edit.pop("origin")
        gone = [{"path": path.replace("/Office/", "/Moved/").replace("/Zones/", "/Moved/"), "values": None}
                for path in paths if path.count("/") == 2 and not path.startswith("virtual_networks/-/")
                and "/Berlin/" not in path and not path.startswith("groups/")]
        self.good("POST", "changes", {"edits": gone + [edit for edit in edits if "/Office/" in edit["path"]
                                                       or "/Zones/" in edit["path"]]})
        self.assertEqual("nothing to change\n", self.command("apply", "--prune", self.world.dir + "/exported.conf"))


class Followed(World):
    """The default resolver is resolv.conf's, and reverse zones go out."""

    def start(self):
        if not hasattr(self, "sluice"):
            self.world.write("resolv.conf", "nameserver 127.0.0.3\n")
        config = (CONFIG % self.filed).replace(
            'default_resolver = { targets = ( { address = "127.0.0.3"; } ); };', """
address_pools = ( { name = "own"; prefix = "198.51.100.0/24"; } );
reverse = { name_servers = [ "ns1.example." ]; };
transfers = ( { zones = [ "*" ]; allow = [ "127.0.0.0/8" ]; } );""")
        self.sluice = harness.Sluice(self.host, config, options=(
            "--resolv-conf", self.world.dir + "/resolv.conf"))
        self.sluice.wait_managed()

    def test_a_rehearsal_does_not_swallow_what_resolv_conf_says_anew(self):
        self.build_hub()
        self.assert_answer(self.ask("a.example"), "198.51.100.3")
        other = harness.Upstream(self.host, "127.0.0.7", "198.51.100.7")
        self.world.write("resolv.conf", "nameserver 127.0.0.7\n")
        path = "rulesets/-/office/rules/contoso"
        self.good("PATCH", path + "?dry_run", {"state": "Disabled"})
        self.good("PATCH", path, {"description": "x"})
        count = iter(range(1000))
        harness.wait_for(lambda: self.ask("b%d.example" % next(count)).texts() == ["198.51.100.7"],
                         "the other server")
        self.assertTrue(other.questions())

    def test_a_pool_is_added_while_its_zones_go_out(self):
        self.good("PUT", "address_pools/-/more", {"prefix": "203.0.113.0/24"}, 201)
        self.good("PUT", "addresses/-/mail", {"address": "203.0.113.5", "reverse_fqdn": "mail.example."})
        self.good("PUT", "address_pools/-/third", {"prefix": "192.0.2.0/24"}, 201)
        small = self.good("PUT", "address_pools/-/more", {"prefix": "203.0.113.128/25"}).body
        self.assertRegex(small["warnings"][0], "not served|no pool")
        self.assertRegex(self.sluice.log(), r"warning change: \S+state.db: 1 of the addresses")
        later = self.good("PUT", "rulesets/-/later", {}, 201).body  # is not about it
        self.assertEqual([], later["warnings"])
        self.good("PUT", "addresses/-/high", {"address": "203.0.113.200"}, 201)
        for query in ("?dry_run", ""):
            gone = self.good("DELETE", "address_pools/-/more" + query).body
            self.assertRegex(gone["warnings"][0], "2 of the addresses .* are not served")
        self.good("PUT", "address_pools/-/more", {"prefix": "203.0.113.0/25"}, 201)
        status, text = self.sluice.command("address-pool", "delete", "more")
        self.assertEqual(0, status)
        self.assertRegex(text, "warning: .*2 of the addresses")
        self.good("PUT", "address_pools/-/more", {"prefix": "203.0.113.0/24"}, 201)
        self.good("DELETE", "addresses/-/high", status=204)
        self.bad(self.call("PUT", "address_pools/-/fourth", {"prefix": "192.0.2.0/25"}), 400, "invalid",
                 "overlap")
        self.good("DELETE", "address_pools/-/third", status=204)
        self.assertEqual(["more", "own"], [pool["name"] for pool in self.good(
            "GET", "address_pools").body["address_pools"]])


SECRET, OTHER = "c2VjcmV0LW9mLXR3by1zZXJ2ZXJzLTAxMjM0NTY3ODk=", "b3RoZXItb25lLW9mLXR3by1zZXJ2ZXJzLTAxMjM="
KEYED = FILED + """
keys = ( { name = "filed"; secret = "%s"; } );
transfers = ( { zones = [ "corp.internal" ]; key = "xfr"; } );
"""


class Copied(World):
    """Keys and transfers as resources: who copies a zone."""

    def build(self, world):
        super().build(world)
        self.secret = world.secret("xfr.secret", SECRET)
        self.other = world.secret("other.secret", OTHER)
        self.build_hub()

    def copies(self, key, secret, zone="corp.internal"):
        text = self.host.run("kdig", "@10.10.0.4", zone, "AXFR", "-y", "hmac-sha256:%s:%s" % (key, secret))[1]
        return "10.10.1.10" in text

    def test_a_key_of_the_state_lets_its_holder_copy_a_zone(self):
        made = self.good("PUT", "keys/-/xfr", {"secret_file": self.secret}, 201).body
        self.assertEqual({"name": "xfr", "algorithm": "hmac-sha256", "secret_file": self.secret},
                         {key: made[key] for key in ("name", "algorithm", "secret_file")})
        self.sluice.reconfigure(CONFIG % (KEYED % OTHER))
        status, text = self.sluice.command("reload")
        self.assertEqual(0, status, text)
        self.assertEqual([True, False, False], [self.copies("xfr", SECRET), self.copies("xfr", OTHER),
                                                self.copies("filed", OTHER)])
        self.good("PATCH", "keys/-/xfr", {"secret_file": self.other})
        self.assertEqual([False, True], [self.copies("xfr", SECRET), self.copies("xfr", OTHER)])
        self.bad(self.call("DELETE", "keys/-/xfr"), 400, "invalid", 'there is no key "xfr"')
        self.sluice.kill()
        self.start_with(KEYED % OTHER)
        self.assertTrue(self.copies("xfr", OTHER))

    def start_with(self, filed):
        self.filed = filed
        self.start()

    def test_a_transfer_of_the_state_opens_a_zone_and_closes_it_again(self):
        self.good("PUT", "keys/-/xfr", {"secret_file": self.secret}, 201)
        self.sluice.reconfigure(CONFIG % (KEYED % OTHER).replace('"xfr"', '"filed"'))
        self.assertEqual(0, self.sluice.command("reload")[0])
        values = {"zones": ["corp.internal"], "key": "xfr", "allow": ["10.10.0.4/32"]}
        self.bad(self.call("PUT", "transfers/-/branch", dict(values, key="none")), 400, "invalid",
                 'there is no key "none"', "transfers[branch].key")
        self.bad(self.call("PUT", "transfers/-/branch", dict(values, zones=["no.such"])), 400, "invalid",
                 'there is no zone "no.such"', "transfers[branch].zones[0]")
        self.bad(self.call("PUT", "transfers/-/branch", {"zones": ["corp.internal"]}), 400, "invalid",
                 "anybody could copy the zones; give allow, a key, or both")
        self.assertFalse(self.copies("xfr", SECRET))
        self.good("PUT", "transfers/-/branch", values, 201)
        # What the file does not name is called by its place there.
        self.assertEqual(["0", "branch"], [one["name"] for one in self.good("GET", "transfers").body["transfers"]])
        self.assertRegex(self.good("GET", "transfers/-/0").body["origin"], r"sluice\.conf:\d+$")
        self.bad(self.call("DELETE", "transfers/-/0"), 409, "read_only", "it is declared at")
        self.assertEqual([True, True], [self.copies("xfr", SECRET), self.copies("filed", OTHER)])
        self.bad(self.call("DELETE", "keys/-/xfr"), 400, "invalid", 'there is no key "xfr"')
        self.assertEqual(0, self.sluice.command("transfer", "set", "branch", "allow=192.0.2.0/24")[0])
        self.assertFalse(self.copies("xfr", SECRET))
        self.good("DELETE", "transfers/-/branch", status=204)
        self.good("DELETE", "keys/-/xfr", status=204)
        self.assertTrue(self.copies("filed", OTHER))

    def test_the_schema_has_every_kind_and_where_it_is(self):
        kinds = {kind["name"]: kind for kind in self.good("GET", "schema").body["kinds"]}
        self.assertEqual((None, "id", True, True), tuple(kinds["client"][key] for key in ("parent", "name_key", "groups", "guarded")))
        self.assertEqual(("ruleset", "name", False, False), tuple(kinds["rule"][key] for key in ("parent", "name_key", "groups", "guarded")))
        self.assertEqual({"addresses", "services", "ptrs", "groups"},
                         {kinds[name]["collection"] for name in ("address", "service", "ptr", "group")})
        self.assertEqual("seconds", kinds["address"]["schema"]["properties"]["ttl"]["x-unit"])

    def test_no_secret_gets_into_the_state_or_out_of_the_file(self):
        self.bad(self.call("PUT", "keys/-/xfr", {"secret": SECRET}), 400, "invalid",
                 "is not kept in the state; write it to a file", "keys[xfr].secret")
        self.bad(self.call("PUT", "keys/-/xfr", {"secret_file": "xfr.secret"}), 400, "invalid",
                 "is relative; give an absolute path", "keys[xfr].secret_file")
        self.bad(self.call("PUT", "keys/-/xfr", {"secret_file": self.secret + "x"}), 400, "invalid",
                 "cannot be used: No such file", "keys[xfr].secret_file")
        self.bad(self.call("PUT", "keys/-/xfr", {}), 400, "invalid", "the key has no secret; give secret_file")
        self.good("PUT", "keys/-/xfr", {"secret_file": self.secret}, 201)
        self.sluice.reconfigure(CONFIG % (KEYED % OTHER))
        self.assertEqual(0, self.sluice.command("reload")[0])
        for path in ("keys", "keys/-/filed", "export", "changes", "schema"):
            text = json.dumps(self.good("GET", path).body)
            self.assertNotIn(SECRET, text)
            self.assertNotIn(OTHER, text)
        self.assertNotIn("secret", self.good("GET", "keys/-/filed").body)
        self.bad(self.call("GET", "keys?secret=" + OTHER), 400, "invalid", "lists take no \"secret\"")
        status, text = self.sluice.command("key", "list")
        self.assertEqual((0, False), (status, OTHER in text))
        self.assertIn("xfr.secret", text)
        # The file is needed again at a reload; without it the key is not served, and nor is what names it.
        os.unlink(self.secret)
        status, text = self.sluice.command("reload")
        self.assertEqual(1, status, text)
        self.assertRegex(text, r"-/xfr\" which does not fit \(secret_file: .*cannot be used: No such file")
        self.assertIn('there is no key "xfr"', text)
        self.assertTrue(self.copies("xfr", SECRET))


def digest(secret):
    return hashlib.sha256(secret.encode()).hexdigest()


class First(World):
    """What `sluice init` writes."""

    def start(self):
        status, text = harness.command("init")
        self.assertEqual(0, status, text)
        self.world.write("resolv.conf", "nameserver 127.0.0.3\n")
        self.sluice = harness.Sluice(self.host, text, options=(
            "--resolv-conf", self.world.dir + "/resolv.conf"))
        self.sluice.wait_managed()

    def test_a_first_configuration_answers_at_once_and_takes_a_rule(self):
        server = ("127.0.0.1", 5300)
        self.assert_answer(self.host.ask(server, "a.example"), "198.51.100.3")
        status, text = self.sluice.command("rule", "create", "office", "contoso",
                                           "domain=contoso.corp.", "targets=127.0.0.5")
        self.assertEqual(0, status, text)
        self.assert_answer(self.host.ask(server, "a.contoso.corp"), "198.51.100.5")

    def test_command_lines_are_completed_in_bash(self):
        completed = self.sluice.completed
        self.assertEqual(["rule", "ruleset", "ruleset-link", "run"], sorted(completed("ru")))
        self.assertEqual(["list"], completed("ruleset", "l"))
        self.assertEqual(["target-group", "top", "transfer"], sorted(completed("help", "t")))
        self.assertEqual({"delete", "delegation"}, set(completed("ptr", "del")))
        self.assertEqual({"import"}, set(completed("rule", "im")))
        self.assertEqual(["office"], completed("rule", "list", ""))
        self.assertEqual(["home"], completed("show", "resolver", ""))
        self.assertIn("--prune", completed("apply", "--pr"))
        self.assertEqual(["terraform"], completed("import", "t"))
        self.assertIn("--apply", completed("import", "--ap"))
        self.assertEqual(["home"], completed("ruleset-link", "show", "office", ""))

    def test_command_lines_are_completed_in_zsh(self):
        self.sluice.command("ruleset", "create", "branch")
        with self.host.inside():
            child, terminal = pty.fork()
            if child == 0:
                os.execvp("zsh", ["zsh", "-f", "-i"])

        def end():
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(terminal)
        self.addCleanup(end)
        self.shown = ""

        def type_(keys, text):
            def shows():
                while select.select([terminal], [], [], 0)[0]:
                    self.shown += os.read(terminal, 4096).decode()
                return text in self.shown
            self.shown = ""
            os.write(terminal, keys.encode())
            harness.wait_for(shows, "zsh to show %r behind %r" % (text, keys))
        # An error of the script is shown in place of its end.
        type_("TERM=dumb; unsetopt prompt_cr; PS1=read; PS1=${PS1}y\\>; autoload -U compinit; compinit -D -u; "
              "source <(%s completion zsh); sluice() { %s $@ -c %s; }; typeset -f _sluice >/dev/null && echo so''urced\n" % (
                  harness.SLUICE, harness.SLUICE, self.sluice.config), "sourced\r\nready>")
        for typed, whole in (("ruleset lis", "list "), ("rel", "reload "), ("ptr set --desc", "--description "),
                             ("rule list of", "office "), ("show ruleset bra", "branch "),
                             ("ruleset-link show office h", "home ")):
            type_("sluice %s\t" % typed, "sluice %s%s" % (typed.rsplit(" ", 1)[0] + " " if " " in typed else "", whole))
            # The line is given up by a key of the editor's: an interrupt would come beside what is typed, not after it.
            type_("\x07", "ready>")

    def test_who_cannot_read_the_state_is_warned_by_explain(self):
        self.sluice.command("rule", "create", "office", "contoso", "domain=contoso.corp.",
                            "targets=127.0.0.5")
        status, text = self.sluice.command("explain", "a.contoso.corp")
        self.assertEqual(0, status, text)
        self.assertIn("forwarded by rule contoso", text)
        self.assertNotIn("warning", text)
        with open(self.sluice.config) as file:
            text = re.sub(r"state = \"[^\"]*\"", "state = \"junk.db\"", file.read())
        path = self.world.write("other.conf", text)
        self.world.write("junk.db", "no database at all, and long enough to be taken for one" * 20)
        status, text = harness.command("explain", "-c", path, "a.contoso.corp")
        self.assertEqual(0, status, text)
        self.assertRegex(text, r"warning: the state \S*junk.db .*no resources are served but the file's")
        self.assertIn("forwarded by default resolver", text)

    def first_of(self, domain):
        """What is written where the C library is told that this is the domain."""
        status, text = harness.command("init", env=dict(os.environ, LOCALDOMAIN=domain))
        self.assertEqual(0, status, text)
        path = self.world.write("first.conf", text)
        status, told = harness.command("check", "-c", path)
        self.assertEqual(0, status, told)
        self.assertNotIn("reverse.", told)
        return [line for line in text.splitlines() if "reverse =" in line]

    def test_names_are_in_the_domain_of_the_machine(self):
        for domain, suffix in (("dc.corp.example", "dc.corp.example"), ("corp.example. other.example", "corp.example")):
            self.assertEqual(['reverse = { suffix = "%s"; service_suffix = "%s"; };' % (suffix, suffix)],
                             self.first_of(domain))

    def test_a_machine_that_knows_no_domain_says_how_to_have_one(self):
        for domain in ("lan", ".", 'corp."example', "corp..example", "a_b.example"):
            self.assertEqual(['#     reverse = { suffix = "corp.example"; service_suffix = "corp.example"; };'],
                             self.first_of(domain))

    def test_a_file_that_is_there_is_left_alone(self):
        path = self.world.write("there.conf", "mine")
        status, text = harness.command("init", path)
        self.assertEqual(1, status)
        self.assertIn("is there already", text)
        with open(path) as file:
            self.assertEqual("mine", file.read())


if __name__ == "__main__":
    harness.main()
