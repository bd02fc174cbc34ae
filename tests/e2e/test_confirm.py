"""`--confirm` of reload and apply: what nobody confirms in time goes back, by itself, over a crash, and
whatever has become of the files meanwhile; nothing else changes until it is decided."""

import contextlib
import http.client
import json
import os
import random
import signal
import sqlite3
import threading
import time

import harness

SEED = int(os.environ.get("SEED", "19"))
KILLS = int(os.environ.get("KILLS", "12"))
INBOUND = ("10.10.0.4", 53)
CONFIG = """
@include "rules.conf"
region = "westeurope";
workers = 2;
limits = { rulesets_per_virtual_network = 3; };
management = { socket = "control.sock"; state = "state.db"; };
default_resolver = { targets = ( { address = "127.0.0.3"; } ); };
virtual_networks = ( { name = "hub"; address_space = [ "10.10.0.0/16" ];
  subnets = ( { name = "in"; prefix = "10.10.0.0/28"; delegation = "Microsoft.Network/dnsResolvers"; },
    { name = "out"; prefix = "10.10.0.16/28"; delegation = "Microsoft.Network/dnsResolvers"; } ); } );
resolvers = ( { name = "r"; virtual_network = "hub";
  inbound_endpoints = ( { name = "in"; subnet = "in"; } );
  outbound_endpoints = ( { name = "out"; subnet = "out"; source = "0.0.0.0"; } ); } );
private_zones = ( { name = "corp.internal"; file = "corp.internal.zone";
  links = ( { name = "hub"; virtual_network = "hub"; } ); } );
"""
RULES = """
rulesets = ( { name = "office"; outbound_endpoints = [ "r/out" ];
  links = ( { name = "hub"; virtual_network = "hub"; } );
  rules = ( { name = "contoso"; domain = "contoso.corp."; targets = ( { address = "%s"; } ); } ); } );
"""
ZONE = r"""
$TTL 300
web      IN A     10.10.1.10
WWW      IN CNAME web
*.wild   IN TXT   "semi;colon" "quote \" and \\ slash" ""
@        IN MX    10 Mail
_x._tcp  IN SRV   1 2 3 target.elsewhere.
odd\.dot IN A     10.10.1.11
@        IN CAA   0 issue "ca.example"
raw      IN TYPE65280 \# 3 010203
svc      IN HTTPS 1 . alpn=h2
"""
QUESTIONS = [("web.corp.internal", "A"), ("www.corp.internal", "A"), ("a.wild.corp.internal", "TXT"),
             ("corp.internal", "MX"), ("_x._tcp.corp.internal", "SRV"), ("corp.internal", "SOA"),
             ("corp.internal", 257), ("raw.corp.internal", 65280), ("svc.corp.internal", 65),
             ("nothing.corp.internal", "A")]
APPLIED = """
rulesets = ( { name = "applied"; outbound_endpoints = [ "r/out" ];
  links = ( { name = "Hub"; virtual_network = "hub"; } );
  rules = ( { name = "one"; domain = "one.corp."; targets = ( { address = "127.0.0.5"; } ); },
    { name = "two"; domain = "two.corp."; targets = ( { address = "%s"; } ); } ); } );
"""
OLD, NEW, ELSEWHERE = "198.51.100.5", "198.51.100.6", "198.51.100.3"


class World(harness.FreshCase):
    def build(self, world):
        self.host = world.host("cloud", "10.10.0.4")
        self.upstreams = [harness.Upstream(self.host, "127.0.0." + last, "198.51.100." + last)
                          for last in "356"]
        self.write_before()
        self.start()

    def start(self, config=CONFIG):
        self.sluice = harness.Sluice(self.host, config)
        self.sluice.wait_managed()

    def restart(self, config=CONFIG):
        self.sluice.kill()
        self.start(config)

    def call(self, method, path, body=None):
        connection = harness.UnixConnection(self.sluice.socket)
        try:
            connection.request(method, path if path[0] == "/" else "/v1/" + path, body and json.dumps(body),
                               {"Content-Type": "application/json"} if body else {})
            response = connection.getresponse()
            text = response.read()
            return response.status, json.loads(text) if text else None
        finally:
            connection.close()

    def good(self, *argv):
        status, text = self.sluice.command(*argv)
        self.assertEqual(0, status, text)
        return text

    def bad(self, status, pattern, *argv):
        found, text = self.sluice.command(*argv)
        self.assertEqual(status, found, text)
        self.assertRegex(text, pattern)

    def ask(self, domain):
        return self.host.ask(INBOUND, "%08x.%s" % (random.getrandbits(32), domain))

    def is_answered_by(self, domain, address):
        """On the wire, and as the server itself explains it."""
        self.assert_answer(self.ask(domain), address)
        _, explained = self.call("GET", "explain?vnet=hub&name=x." + domain)
        self.assertEqual("127.0.0.%s:53" % address[-1], explained["hops"][0]["route"][0]["host"])

    def edit(self):
        """What the operator does: another target, and another address in the zone."""
        self.world.write("rules.conf", RULES % "127.0.0.6")
        self.world.write("corp.internal.zone", ZONE.replace("10.10.1.10", "10.10.1.99"))

    def write_before(self):
        self.world.write("rules.conf", RULES % "127.0.0.5")
        self.world.write("corp.internal.zone", ZONE)

    def serves_edit(self):
        self.is_answered_by("contoso.corp", NEW)
        self.assert_answer(self.host.ask(INBOUND, "web.corp.internal"), "10.10.1.99")

    def serves_before(self):
        self.is_answered_by("contoso.corp", OLD)
        self.assert_answer(self.host.ask(INBOUND, "web.corp.internal"), "10.10.1.10")

    def path(self, *names):
        return os.path.join(self.world.dir, "state.db.unconfirmed", *names)

    def leaves_nothing(self):
        self.assertFalse(os.path.exists(self.path()))
        status = self.sluice.status()
        self.assertEqual((None, None), (status["unconfirmed"], status["went_back"]))

    def wait_until_decided(self):
        harness.wait_for(lambda: not self.sluice.status()["unconfirmed"], "it to go back")

    def reload(self, time="10m"):
        self.edit()
        text = self.good("reload", "--confirm", time)
        self.assertRegex(text, "goes back at .*Z, unless it is confirmed")
        self.serves_edit()

    def apply(self, time="10m", target="127.0.0.5"):
        file = self.world.write("applied.conf", APPLIED % target)
        return self.good("apply", file, *(["--confirm", time] if time else []))


class Reload(World):
    def test_what_is_confirmed_stays_over_a_kill(self):
        self.reload()
        waiting = self.sluice.status()["unconfirmed"]
        self.assertEqual(("reload", "uid 0", None), (waiting["what"], waiting["who"], waiting["error"]))
        self.assertTrue(0 < waiting["left_s"] <= 600, waiting)
        self.assertRegex(self.good("status"), r"(?m)^! the reload by uid 0 goes back at .* UTC unless")
        self.assertRegex(self.good("confirm"), "the reload by uid 0 stays")
        self.leaves_nothing()
        self.restart()
        self.serves_edit()
        self.bad(1, "nothing waits to be confirmed", "confirm")

    def test_what_nobody_confirms_goes_back_and_stays_so_until_a_reload(self):
        self.reload("15s")  # long enough to see it served
        self.wait_until_decided()
        self.serves_before()
        text = r"the reload by uid 0 of .* was not confirmed; what was before it is served"
        self.assertRegex(self.good("status"), "(?m)^! " + text)
        self.assertRegex(self.sluice.log(), text)
        self.assertEqual("reload", self.sluice.status()["went_back"]["what"])
        self.bad(1, "nothing waits to be confirmed: the reload by uid 0", "confirm")
        self.bad(1, "nothing waits to be confirmed", "confirm", "--back")
        self.restart()
        self.serves_before()
        self.assertRegex(self.sluice.log(), text)
        self.assertEqual(0, self.sluice.command("upgrade")[0])
        self.serves_before()
        self.assertRegex(self.good("status"), "(?m)^! " + text)
        self.assertRegex(self.good("explain", "x.contoso.corp"), "said by the running server, from .*; " + text)
        self.good("reload")
        self.assertNotIn("this is of the file", self.good("explain", "x.contoso.corp"))
        self.serves_edit()
        self.leaves_nothing()
        self.restart()
        self.serves_edit()

    def test_it_goes_back_at_once_when_asked_and_may_be_tried_again(self):
        self.reload()
        self.assertRegex(self.good("confirm", "--back"), "the reload by uid 0 has gone back")
        self.serves_before()
        for _ in range(2):  # what was before is now what went back: it is kept
            self.reload()
            self.good("confirm", "--back")
            self.serves_before()
        self.reload()
        self.restart()
        self.serves_before()
        self.reload()
        self.good("confirm")
        self.leaves_nothing()
        self.serves_edit()

    def test_a_kill_goes_back_at_once(self):
        self.reload()
        self.restart()
        self.serves_before()
        self.assertIsNone(self.sluice.status()["unconfirmed"])
        self.reload()
        before = self.sluice.pid
        os.kill(before, signal.SIGKILL)  # the master starts another
        self.sluice.wait_another(before)
        self.sluice.wait_managed()
        self.serves_before()
        self.reload()
        self.sluice.stop()
        self.start()
        self.serves_before()

    def test_what_was_before_needs_none_of_the_files_that_it_came_from(self):
        secret = "keys = ( { name = \"k.\"; secret_file = \"k.secret\"; } );" \
            "udp = { cookie_secret_file = \"cookies\"; };" \
            "transfers = ( { zones = [ \"corp.internal\" ]; key = \"k.\"; } );"
        clients = "clients = ( { id = \"ops\"; secret_file = \"ops.secret\"; role = \"admin\"; } ); state ="
        files = [self.world.secret("k.secret", "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"),
                 self.world.secret("cookies", "000102030405060708090a0b0c0d0eff\n" + 32 * "7"),
                 self.world.secret("ops.secret", 20 * "s")]
        config = CONFIG.replace("state =", clients) + secret
        self.restart(config)
        before = self.answers()
        exported = self.good("export")
        self.world.write("corp.internal.zone", "web 300 IN A 10.10.1.99\n")
        self.world.write("rules.conf", RULES % "127.0.0.6")
        self.sluice.reconfigure(CONFIG)
        self.good("reload", "--confirm", "10m")
        self.assertNotEqual(before, self.answers())
        for path, folders, names in os.walk(self.path()):
            modes = {os.stat(os.path.join(path, name)).st_mode & 0o777 for name in names}
            self.assertLessEqual(modes, {0o600})
            self.assertEqual(0o700, os.stat(path).st_mode & 0o777)
        for file in files:
            os.unlink(file)
        self.restart()
        self.assertEqual(before, self.answers())
        self.serves_before()
        now = self.good("export")
        with open(self.path("before", "key-0")) as key, open(self.path("before", "cookies")) as cookies:
            self.assertEqual("c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0\n", key.read())
            self.assertEqual("000102030405060708090a0b0c0d0eff\n" + 32 * "7" + "\n", cookies.read())
        self.assertEqual(self.without_paths(exported), self.without_paths(now))

    def answers(self):
        """To the byte, but for the id."""
        return [self.host.ask(INBOUND, *question).packet[2:] for question in QUESTIONS]

    @staticmethod
    def without_paths(text):
        return [line for line in text.splitlines() if '"/' not in line]

    def test_nothing_else_changes_while_it_waits(self):
        self.apply(None)
        self.reload()
        waits = "the reload by uid 0 goes back at .* unless it is confirmed"
        self.bad(1, waits, "reload")
        self.bad(1, waits, "reload", "--confirm", "1s")
        file = self.world.write("other.conf", APPLIED % "127.0.0.6")
        self.bad(1, waits, "apply", file)
        self.bad(1, waits, "apply", file, "--confirm", "1s")
        self.bad(1, waits, "upgrade")
        self.bad(1, waits, "rule", "delete", "applied", "one")
        self.bad(1, waits, "address", "add", "a", "198.51.100.77")
        self.good("diff", file)
        self.good("flush")
        self.good("export")
        for method, path in (("POST", "reload"), ("POST", "changes"), ("DELETE", "rulesets/-/applied"),
                             ("PUT", "state")):
            status, body = self.call(method, path, {})
            self.assertEqual((409, "conflict"), (status, body["error"]["code"]), path)
        for method, path, body, code in (
                ("PUT", "/subscriptions/x/resourceGroups/g?api-version=2021-04-01", {"location": "westeurope"},
                 lambda answer: answer["error"]["code"]),
                ("PATCH", "/v2/reverse/floatingips/r:%08d-0000-0000-0000-000000000000" % 0, {"ptrdname": "a."},
                 lambda answer: answer["type"])):
            status, answer = self.call(method, path, body)
            self.assertEqual(409, status, answer)
            self.assertIn("onflict", code(answer))
        self.sluice.signal(signal.SIGHUP)
        harness.wait_for(lambda: "refused, still serving" in self.sluice.log(), "the refusal")
        self.serves_edit()
        self.good("confirm")
        self.good("rule", "delete", "applied", "one")

    def test_a_file_with_faults_or_for_a_restart_leaves_all_as_it_is(self):
        for config, pattern in (
                (CONFIG.replace('"hub"; address', '"hug"; address'), "hub"),
                (CONFIG.replace("workers = 2", "workers = 3"), "takes a restart"),
                (CONFIG.replace("state.db", "other.db"), "takes a restart"),
                (CONFIG.replace("control.sock", "other.sock"), "takes a restart"),
                (CONFIG + "seccomp = false;", "takes a restart")):
            self.sluice.reconfigure(config)
            socket = ["--socket", self.sluice.socket]
            self.bad(1, pattern, "reload", "--confirm", "10m", *socket)
            self.leaves_nothing()
        self.sluice.reconfigure(CONFIG)
        self.serves_before()

    def test_another_number_of_cpus_is_no_change_of_the_file(self):
        cpus = os.sched_getaffinity(0)
        if len(cpus) < 2:
            self.skipTest("there is one CPU")
        self.restart(CONFIG.replace("workers = 2;", ""))
        os.sched_setaffinity(self.sluice.pid, {min(cpus)})
        self.reload()
        self.good("confirm")
        self.assertNotIn("restart", self.good("reload"))

    def test_what_cannot_be_kept_is_not_tried(self):
        config = CONFIG.replace("state =", 'clients = ( { id = "ops"; secret_file = "ops.secret"; } ); state =')
        secret = self.world.secret("ops.secret", 20 * "s")
        self.restart(config)
        os.unlink(secret)
        self.edit()
        self.sluice.reconfigure(CONFIG)
        self.bad(1, "ops.secret cannot be read", "reload", "--confirm", "10m")
        self.leaves_nothing()
        self.serves_before()

    def test_relative_paths_are_the_same_places(self):
        def command(*argv):
            status, text = harness.command(*argv, "-c", "sluice.conf", cwd=self.world.dir)
            self.assertEqual(0, status, text)
            self.assertNotIn("restart", text)
        for _ in range(2):
            self.run_here()
            self.edit()
            command("reload", "--confirm", "10m")
            self.serves_edit()
            self.run_here()
            self.serves_before()
            command("reload", "--confirm", "10m")
            command("confirm", "--back")
            self.serves_before()
            command("reload")
            self.write_before()

    def run_here(self):
        """With a relative path of the configuration, and so of all that it names."""
        self.sluice.kill()
        self.sluice = harness.Sluice.__new__(harness.Sluice)
        self.sluice.config = os.path.join(self.world.dir, "sluice.conf")
        self.sluice.socket, self.sluice.expected = os.path.join(self.world.dir, "control.sock"), 0
        harness.Process.__init__(self.sluice, self.host, "here", [harness.SLUICE, "run", "-c", "sluice.conf"])
        self.sluice.wait_managed()

    def test_what_went_back_is_served_although_the_file_has_faults_by_now(self):
        self.reload()
        self.world.write("rules.conf", RULES.replace("r/out", "r/nowhere") % "127.0.0.6")
        self.restart()
        self.serves_before()
        self.assertIn("nowhere", self.sluice.log())
        self.bad(1, "nowhere", "reload")
        self.bad(1, "nowhere", "reload", "--confirm", "1m")
        self.restart()
        self.serves_before()
        self.write_before()
        self.good("reload")
        self.leaves_nothing()

    def test_the_next_server_of_the_same_master_goes_back_although_the_file_has_faults(self):
        for rules, config in ((RULES.replace("r/out", "r/nowhere"), CONFIG),
                              (RULES, CONFIG + "nowhere = true;")):
            self.run_here()
            self.reload()
            self.world.write("rules.conf", rules % "127.0.0.6")
            self.world.write("sluice.conf", config)
            before = self.sluice.pid
            os.kill(before, signal.SIGKILL)
            self.sluice.wait_another(before)
            self.sluice.wait_managed()
            self.serves_before()
            self.world.write("sluice.conf", CONFIG)
            self.reload()
            self.good("confirm", "--back")
            self.good("reload")
            self.write_before()

    def test_a_copy_that_was_lost_is_said_and_the_file_is_served(self):
        self.reload()
        os.unlink(self.path("before", "sluice.conf"))
        self.restart()
        self.serves_edit()
        self.assertRegex(self.sluice.log(), "what was served before the reload by uid 0 .* cannot be read")


class Apply(World):
    def test_what_is_confirmed_stays_over_a_kill(self):
        self.assertRegex(self.apply(), "goes back at .*Z, unless it is confirmed")
        waiting = self.sluice.status()["unconfirmed"]
        self.assertEqual(("change", "uid 0"), (waiting["what"], waiting["who"]))
        self.is_answered_by("one.corp", OLD)
        status, answer = self.call("POST", "confirm?back=false")
        self.assertEqual((200, True, 1), (status, answer["confirmed"], answer["unconfirmed"]["revision"]))
        self.leaves_nothing()
        self.restart()
        self.is_answered_by("one.corp", OLD)

    def test_what_nobody_confirms_goes_back(self):
        before = self.call("GET", "export")[1]["edits"]
        self.apply("1s")
        self.wait_until_decided()
        self.is_answered_by("one.corp", ELSEWHERE)
        self.assertEqual(before, self.call("GET", "export")[1]["edits"])
        self.leaves_nothing()
        self.assertRegex(self.sluice.log(), r"the change of revision \d+ by uid 0 goes back: nobody confirmed it in time")
        self.assertRegex(self.good("history"), "uid 0, not confirmed +deleted 2 rules, 1 ruleset link, 1 ruleset")
        self.restart()
        self.is_answered_by("one.corp", ELSEWHERE)

    def test_changes_and_deletions_of_many_go_back_whole(self):
        self.apply(None)
        before = self.call("GET", "export")[1]["edits"]
        other = self.world.write("other.conf", (APPLIED % "127.0.0.6").replace('"one"', '"three"')
                                 .replace("one.corp", "three.corp"))
        self.good("apply", other, "--prune", "--confirm", "10m")
        self.is_answered_by("two.corp", NEW)
        self.is_answered_by("one.corp", ELSEWHERE)
        self.assertEqual(200, self.call("POST", "confirm?back=true")[0])
        self.assertEqual(before, self.call("GET", "export")[1]["edits"])
        self.is_answered_by("two.corp", OLD)
        edits = [{"path": "rulesets/-/applied", "values": None}]
        self.assertEqual(200, self.call("POST", "changes?confirm=600", {"edits": edits})[0])
        self.is_answered_by("two.corp", ELSEWHERE)
        self.restart()
        self.assertEqual(before, self.call("GET", "export")[1]["edits"])
        self.is_answered_by("two.corp", OLD)
        self.leaves_nothing()

    def test_a_kill_goes_back_and_a_second_one_changes_nothing(self):
        self.apply()
        self.is_answered_by("one.corp", OLD)
        self.restart()
        self.is_answered_by("one.corp", ELSEWHERE)
        self.assertRegex(self.sluice.log(), "revision 1 by uid 0 was not confirmed and has gone back")
        self.leaves_nothing()
        revisions = self.call("GET", "changes")[1]
        self.restart()
        self.assertEqual(revisions, self.call("GET", "changes")[1])
        self.apply(None)
        self.restart()
        self.is_answered_by("one.corp", OLD)

    def test_a_record_that_is_out_of_date_takes_nothing_back(self):
        self.apply()
        with open(self.path("change")) as file:
            record = json.load(file)
        self.good("confirm", "--back")
        self.apply(None)  # revision 3
        for other in ({}, {"revision": 7}, {"revision": 3, "who": "somebody else"}):
            record.update(other)
            os.mkdir(self.path())
            self.world.write("state.db.unconfirmed/change", json.dumps(record))
            self.restart()
            self.is_answered_by("one.corp", OLD)
            self.leaves_nothing()
        os.mkdir(self.path())
        self.world.write("state.db.unconfirmed/change", '{"who": "torn')
        self.restart()
        self.is_answered_by("one.corp", OLD)
        self.assertRegex(self.sluice.log(), "state.db.unconfirmed/change cannot be read, .*: it is not what sluice writes")

    def test_a_state_that_is_locked_is_tried_again(self):
        self.apply("15s")  # the lock is there by then
        lock = sqlite3.connect(os.path.join(self.world.dir, "state.db"), isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        harness.wait_for(lambda: self.sluice.status()["unconfirmed"]["error"], "the failure")
        self.is_answered_by("one.corp", OLD)
        self.assertRegex(self.good("status"), "could not go back and is still served.* locked")
        lock.close()
        self.wait_until_decided()
        self.is_answered_by("one.corp", ELSEWHERE)
        self.leaves_nothing()

    def test_a_state_that_could_not_be_opened_is_read_when_it_can_be(self):
        self.apply()
        self.sluice.kill()
        state, aside = (os.path.join(self.world.dir, name) for name in ("state.db", "aside.db"))
        os.rename(state, aside)
        self.world.write("state.db", "no database")
        self.start()
        harness.wait_for(lambda: self.sluice.status()["unconfirmed"]["error"], "the failure")
        os.rename(aside, state)
        self.wait_until_decided()
        self.is_answered_by("one.corp", ELSEWHERE)
        self.leaves_nothing()
        self.apply(None)
        self.is_answered_by("one.corp", OLD)

    def test_a_row_that_was_no_json_goes_back(self):
        path = "rulesets/-/broken"
        self.makes((path, {"outbound_endpoints": ["r/out"]}))
        self.sluice.stop()
        with contextlib.closing(sqlite3.connect(os.path.join(self.world.dir, "state.db"))) as other:
            other.execute("UPDATE resources SET json = '{' WHERE path LIKE '%broken'")
            other.commit()
        self.start()
        status, answer = self.call("POST", "changes?confirm=600", {"edits": [
            {"path": path, "values": {"outbound_endpoints": ["r/out"]}}]})
        self.assertEqual(200, status, answer)
        status, answer = self.call("POST", "confirm?back=true")
        self.assertEqual(200, status, answer)
        self.assertEqual([], self.rows())
        self.leaves_nothing()

    def makes(self, *edits):
        status, answer = self.call("POST", "changes", {"edits": [{"path": p, "values": v} for p, v in edits]})
        self.assertEqual(200, status, answer)

    def goes_back(self, *edits, before=lambda: None):
        """A change to these waits; then something else happens, and the change goes back."""
        rows = self.rows()
        status, answer = self.call("POST", "changes?confirm=600", {"edits": [{"path": p, "values": v} for p, v in edits]})
        self.assertEqual(200, status, answer)
        self.assertNotEqual(rows, self.rows())
        before()
        status, answer = self.call("POST", "confirm?back=true")
        self.assertEqual(200, status, answer)
        self.assertEqual(rows, self.rows())
        self.leaves_nothing()

    def rows(self):
        with contextlib.closing(sqlite3.connect(os.path.join(self.world.dir, "state.db"))) as state:
            return sorted(state.execute("SELECT kind, path, json FROM resources"))

    def written_elsewhere(self):
        with contextlib.closing(sqlite3.connect(os.path.join(self.world.dir, "state.db"))) as other:
            other.execute("UPDATE meta SET value = value + 1 WHERE key = 'revision'")
            other.commit()

    def test_rows_that_were_not_served_go_back_and_are_not_served(self):
        zone = 'private_zones = ( { name = "sets.test"; }, '
        self.restart(CONFIG.replace("private_zones = (", zone))
        self.apply(None)
        self.makes(("rulesets/-/office/rules/r1", {"domain": "r1.corp.", "targets": [{"address": "127.0.0.5"}]}),
                   ("private_zones/-/sets.test/record_sets/a:A", {"records": ["10.0.0.1"]}))
        self.world.write("rules.conf", "")
        self.sluice.reconfigure(CONFIG)
        self.good("reload")
        self.goes_back(("rulesets/-/office/rules/r1", None), ("private_zones/-/sets.test/record_sets/a:A", None),
                       ("rulesets/-/applied/rules/two", None))
        self.is_answered_by("two.corp", OLD)
        self.assertRegex(self.sluice.log(), r"confirm.*office.*1 resource inside it is in the state; not served until")
        self.assertRegex(self.sluice.log(), r"confirm.*sets.test.*1 record set of it is in the state; not served until")
        self.write_before()
        self.sluice.reconfigure(CONFIG.replace("private_zones = (", zone))
        self.good("reload")
        self.is_answered_by("r1.corp", OLD)

    def test_rows_that_were_not_served_go_back_at_a_start(self):
        pool = 'address_pools = ( { name = "p"; prefix = "198.51.100.0/24"; } );'
        self.makes(("rulesets/-/office/rules/r1", {"domain": "r1.corp.", "targets": [{"address": "127.0.0.5"}]}))
        self.world.write("rules.conf", "")
        self.restart(CONFIG + pool)
        rows = self.rows()
        edits = [{"path": "rulesets/-/office/rules/r1", "values": None},
                 {"path": "addresses/-/a", "values": {"address": "198.51.100.31"}}]
        self.assertEqual(200, self.call("POST", "changes?confirm=600", {"edits": edits})[0])
        self.restart(CONFIG + pool)
        self.assertEqual(rows, self.rows())
        self.leaves_nothing()
        self.assertRegex(self.sluice.log(), "confirm.*office.*1 resource inside it is in the state; not served until")

    def test_what_needs_a_file_that_is_gone_goes_back_and_is_not_served(self):
        self.apply(None)
        secret = self.world.secret("k.secret", "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0")
        self.makes(("keys/-/k.", {"secret_file": secret}),
                   ("transfers/-/out", {"zones": ["corp.internal"], "key": "k."}))
        self.goes_back(("transfers/-/out", None), ("keys/-/k.", None), ("rulesets/-/applied/rules/two", None),
                       before=lambda: os.unlink(secret))
        self.is_answered_by("two.corp", OLD)
        self.assertRegex(self.sluice.log(), r'confirm.*"-/k\." which does not fit .*cannot be used')
        self.assertRegex(self.sluice.log(), r'confirm.*"-/out" which does not go with the rest')
        self.good("reload")
        self.is_answered_by("two.corp", OLD)

    def test_a_row_that_does_not_fit_takes_along_none_of_its_change(self):
        """A link that does not fit does not take its zone along, although both are of one revision and the link's path
        begins with the zone's."""
        two = CONFIG.replace('virtual_networks = ( {', 'virtual_networks = ( { name = "spoke"; address_space = [ "10.99.0.0/16" ]; }, {')
        self.restart(two)
        secret = self.world.secret("k.secret", "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0")
        self.makes(*(("private_zones/-/z.corp" + below, values) for below, values in (
            ("", {}), ("/links/hub", {"virtual_network": "hub"}), ("/links/spoke", {"virtual_network": "spoke"}),
            ("/record_sets/www:A", {"records": ["10.10.1.20"]}))))
        self.makes(("keys/-/k.", {"secret_file": secret}))
        os.unlink(secret)
        self.restart()
        self.assert_answer(self.host.ask(INBOUND, "www.z.corp"), "10.10.1.20")
        self.assertRegex(self.sluice.log(), r'"-/z\.corp/spoke" which does not go with the rest')
        self.assertNotIn('"-/z.corp" which', self.sluice.log())

    def test_a_change_goes_back_beside_another_programs(self):
        address = {"address": "198.51.100.31"}
        self.restart(CONFIG + 'address_pools = ( { name = "p"; prefix = "198.51.100.0/24"; } );')
        self.apply(None)
        self.goes_back(("rulesets/-/applied/rules/two", None), before=self.written_elsewhere)
        self.is_answered_by("two.corp", OLD)
        self.goes_back(("addresses/-/a", address), before=self.written_elsewhere)
        self.assertEqual(404, self.call("GET", "addresses/-/a")[0])
        self.goes_back(("addresses/-/a", address), ("rulesets/-/applied/rules/two", None), before=self.written_elsewhere)
        self.makes(("addresses/-/a", address))

    def test_an_earlier_state_that_is_put_in_place_is_served_when_it_goes_back(self):
        state, earlier = (os.path.join(self.world.dir, name) for name in ("state.db", "earlier.db"))
        self.apply(None)
        self.is_answered_by("two.corp", OLD)
        with contextlib.closing(sqlite3.connect(state)) as kept, contextlib.closing(sqlite3.connect(earlier)) as copy:
            kept.backup(copy)
        status, answer = self.call("POST", "changes?confirm=600", {"edits": [
            {"path": "rulesets/-/applied/rules/two", "values": None}]})
        self.assertEqual(200, status, answer)
        self.is_answered_by("two.corp", ELSEWHERE)
        for log in ("-wal", "-shm"):
            os.remove(state + log)
        os.replace(earlier, state)
        self.good("confirm", "--back")
        self.is_answered_by("two.corp", OLD)
        self.leaves_nothing()

    def test_one_of_each_goes_back(self):
        self.reload()
        self.good("confirm", "--back")
        self.apply()
        self.is_answered_by("one.corp", OLD)
        self.restart()
        self.serves_before()
        self.is_answered_by("one.corp", ELSEWHERE)
        self.assertIsNotNone(self.sluice.status()["went_back"])
        self.good("reload")
        self.serves_edit()
        self.leaves_nothing()


class Input(World):
    def test_what_is_no_time_is_refused_with_what_is(self):
        file = self.world.write("applied.conf", APPLIED % "127.0.0.5")
        for time in ("", "10", "0s", "m", "-1m", "1.5h", "10x", "25h", "99999999999999999999s", "10m "):
            for command in (["reload"], ["apply", file]):
                self.bad(2, r'--confirm "%s" is no time; give one like 30s, 10m or 1h' % time,
                         *command, "--confirm", time)
        self.bad(2, "has no meaning where nothing is changed", "apply", file, "--dry-run", "--confirm", "1m")
        for seconds in ("", "0", "-1", "86401", "1m", "99999999999999999999"):
            for path in ("reload", "changes"):
                body = {"edits": [{"path": "rulesets/-/a", "values": {"outbound_endpoints": ["r/out"]}}]}
                status, answer = self.call("POST", "%s?confirm=%s" % (path, seconds), body)
                self.assertEqual((400, "confirm"), (status, answer["error"]["path"]), answer)
        status, answer = self.call("POST", "changes?dry_run&confirm=60", body)
        self.assertEqual((400, "confirm"), (status, answer["error"]["path"]))
        self.assertEqual(400, self.call("POST", "confirm?now")[0])
        self.assertEqual(400, self.call("POST", "confirm?back=maybe")[0])
        self.assertEqual(409, self.call("POST", "confirm")[0])
        self.leaves_nothing()
        self.assertEqual(1, self.sluice.status()["generation"])

    def test_without_a_state_it_says_what_to_configure(self):
        self.restart(CONFIG.replace('state = "state.db";', ""))
        self.bad(1, "no state beside which to keep what was before; name a file", "reload", "--confirm", "1m")
        self.good("reload")

    def test_where_nothing_can_be_noted_nothing_is_tried_or_confirmed(self):
        with open(self.path(), "w"):
            pass  # in the folder's place
        self.edit()
        self.bad(1, "state.db.unconfirmed.* cannot be made: Not a directory", "reload", "--confirm", "1m")
        file = self.world.write("applied.conf", APPLIED % "127.0.0.5")
        self.bad(1, "state.db.unconfirmed.* cannot be written: Not a directory", "apply", file, "--confirm", "1m")
        self.is_answered_by("contoso.corp", OLD)
        self.is_answered_by("one.corp", ELSEWHERE)
        self.assertEqual([], self.call("GET", "changes")[1]["changes"])
        self.assertIsNone(self.sluice.status()["owned"][0]["error"])  # of the state, which is well
        os.unlink(self.path())
        for record, command in (("change", self.apply), ("reload", self.reload)):
            command()
            os.rename(self.path(record), self.path("aside"))
            os.mkdir(self.path(record))
            self.bad(1, "%s cannot be removed: .*; it is not confirmed" % record, "confirm")
            self.assertIsNotNone(self.sluice.status()["unconfirmed"])
            os.rmdir(self.path(record))
            os.rename(self.path("aside"), self.path(record))
            self.good("confirm")
            self.leaves_nothing()

    def test_a_change_that_fails_waits_for_nothing(self):
        body = {"edits": [{"path": "rulesets/-/a/rules/b", "values": {"domain": "b."}}]}
        self.assertEqual(400, self.call("POST", "changes?confirm=60", body)[0])
        self.leaves_nothing()
        self.assertIn("nothing to change", self.good(
            "apply", self.world.write("same.conf", CONFIG),
            "--confirm", "1m"))
        self.leaves_nothing()


class Kills(World):
    def test_a_kill_at_any_instant_leaves_what_was_before(self):
        draw = random.Random(SEED)
        body = {"edits": [{"path": "rulesets/-/applied", "values": {"outbound_endpoints": ["r/out"]}},
                          {"path": "rulesets/-/applied/links/hub", "values": {"virtual_network": "hub"}},
                          {"path": "rulesets/-/applied/rules/one",
                           "values": {"domain": "one.corp.", "targets": [{"address": "127.0.0.5"}]}}]}
        began = 0
        for _ in range(KILLS):
            self.write_before()
            self.good("reload")
            answers = []
            reload = draw.choice((True, False))
            if reload:
                self.edit()
            connection = harness.UnixConnection(self.sluice.socket)
            connection.connect()  # to this server, however late it asks
            asks = threading.Thread(target=self.ask_until_killed, args=(
                answers, connection, "reload" if reload else "changes", None if reload else body))
            asks.start()
            time.sleep(draw.uniform(0, 0.04))
            self.restart()
            asks.join()
            status = self.sluice.status()
            began += bool(status["went_back"])
            self.assertIsNone(status["unconfirmed"])
            self.is_answered_by("one.corp", ELSEWHERE)
            if status["went_back"] or not reload:
                self.serves_before()
            else:  # it had not begun, and a restart reads the file
                self.assertEqual([], answers)
                self.serves_edit()
        print("# %d of %d kills found a reload that waited" % (began, KILLS))

    def ask_until_killed(self, answers, connection, path, body):
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("POST", "/v1/%s?confirm=600" % path, body and json.dumps(body),
                               {"Content-Type": "application/json"} if body else {})
            answers.append(connection.getresponse().read())


if __name__ == "__main__":
    harness.main()
