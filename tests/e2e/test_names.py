"""Names are unique in their group: the same networks, resolvers, zones and rulesets in dev and in prod, by the file
and by the API, each with answers, transfers, serials, counters and reports of its own."""

import contextlib
import json
import socket
import sqlite3

import dns
import harness
import test_resources
from test_metrics import Text

VNET = ("127.0.0.53", 53)
CLIENTS = {"dev": "127.0.1.1", "prod": "127.0.2.1", "none": "127.0.3.1"}
TARGETS = {"dev": "127.0.0.5", "prod": "127.0.0.6"}
LINK = "privatelink.example.net"
CONFIG = """
region = "westeurope";
workers = 2;
limits = { queries_per_second_per_endpoint = 0; rulesets_per_virtual_network = 2; };
management = { socket = "control.sock"; state = "state.db"; };
metrics = { listen = [ "http://127.0.0.1:9153" ]; };
default_resolver = { targets = ( { address = "127.0.0.3"; } ); };
vnet_resolver = { listen = [ "127.0.0.53" ]; };
%s"""
# What a group has; each of its references is a name alone.
GROUP = {
    "virtual_networks": """{ name = "hub"; resource_group = "%(group)s"; address_space = [ "10.%(number)d0.0.0/16" ];
      client_prefixes = [ "127.0.%(number)d.0/24" ];
      subnets = ( { name = "in"; prefix = "10.%(number)d0.0.0/28"; delegation = "Microsoft.Network/dnsResolvers"; },
                  { name = "out"; prefix = "10.%(number)d0.0.16/28"; delegation = "Microsoft.Network/dnsResolvers"; } ); }""",
    "resolvers": """{ name = "r"; resource_group = "%(group)s"; virtual_network = "hub";
      inbound_endpoints = ( { name = "in"; subnet = "in"; listen = "127.0.0.%(number)d1:53"; } );
      outbound_endpoints = ( { name = "out"; subnet = "out"; source = "127.0.0.1"; } ); }""",
    "private_zones": """{ name = "privatelink.example.net"; resource_group = "%(group)s";
      record_sets = ( { name = "db:A"; records = [ "10.%(number)d0.1.1" ]; } );
      links = ( { name = "hub"; virtual_network = "hub"; } ); }""",
    "rulesets": """{ name = "office"; resource_group = "%(group)s"; outbound_endpoints = [ "r/out" ];
      links = ( { name = "hub"; virtual_network = "hub"; } );
      rules = ( { name = "corp"; domain = "corp.example."; targets = ( { address = "%(target)s"; } ); } ); }""",
    "transfers": """{ name = "out"; resource_group = "%(group)s"; zones = [ "privatelink.example.net" ];
      allow = [ "127.0.%(number)d.0/24" ]; notify = [ "127.0.%(number)d.9:53" ]; behind_after_s = 0; }""",
}
EDITS = [
    ("virtual_networks/%(group)s/hub", {"address_space": ["10.%(number)d0.0.0/16"],
                                        "client_prefixes": ["127.0.%(number)d.0/24"]}),
    ("virtual_networks/%(group)s/hub/subnets/in", {
        "prefix": "10.%(number)d0.0.0/28", "delegation": "Microsoft.Network/dnsResolvers"}),
    ("virtual_networks/%(group)s/hub/subnets/out", {
        "prefix": "10.%(number)d0.0.16/28", "delegation": "Microsoft.Network/dnsResolvers"}),
    ("resolvers/%(group)s/r", {"virtual_network": "hub"}),
    ("resolvers/%(group)s/r/inbound_endpoints/in", {"subnet": "in", "listen": "127.0.0.%(number)d1:53"}),
    ("resolvers/%(group)s/r/outbound_endpoints/out", {"subnet": "out", "source": "127.0.0.1"}),
    ("private_zones/%(group)s/privatelink.example.net", {}),
    ("private_zones/%(group)s/privatelink.example.net/record_sets/db:A", {"records": ["10.%(number)d0.1.1"]}),
    ("private_zones/%(group)s/privatelink.example.net/links/hub", {"virtual_network": "hub"}),
    ("rulesets/%(group)s/office", {"outbound_endpoints": ["r/out"]}),
    ("rulesets/%(group)s/office/links/hub", {"virtual_network": "hub"}),
    ("rulesets/%(group)s/office/rules/corp", {"domain": "corp.example.", "targets": [{"address": "%(target)s"}]}),
    ("transfers/%(group)s/out", {"zones": ["privatelink.example.net"], "allow": ["127.0.%(number)d.0/24"],
                                 "notify": ["127.0.%(number)d.9:53"], "behind_after_s": 0}),
]


def values_of(group):
    return {"group": group, "number": 1 if group == "dev" else 2, "target": TARGETS[group]}


class Peer:
    """It is told of zones: it notes each NOTIFY, the zone and the serial, and answers."""

    def __init__(self, host, address):
        with host.inside():
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(dns.PATIENCE)
        self.socket.bind((address, 53))
        self.told = []

    def read(self):
        packet, sender = self.socket.recvfrom(65535)
        message = dns.Message(packet)
        self.told.append((message.questions[0][0], int(message.texts("SOA")[0].split()[2])))
        self.socket.sendto(packet[:2] + bytes([packet[2] | 0x80]) + packet[3:], sender)

    def wait(self, serial):
        self.read()
        while self.told[-1][1] != serial:
            self.read()


class World(test_resources.World):
    config = CONFIG

    def build(self, world):
        self.host = world.host("cloud", "10.10.0.4")
        harness.Upstream(self.host, "127.0.0.3", "198.51.100.3")
        for address in TARGETS.values():
            harness.Upstream(self.host, address, "198.51.100." + address[-1])
        self.start()

    def ask(self, group, name, rtype="A"):
        return self.host.ask(VNET, name, rtype, source=CLIENTS[group])

    def axfr(self, group):
        """What a machine of the group gets of the zone; None: it is refused."""
        status, text = self.host.run("kdig", "@%s" % VNET[0], "-b", CLIENTS[group], LINK, "AXFR", "+noall", "+answer")
        self.assertEqual(1 if "REFUSED" in text else 0, status, text)
        return sorted(line.split()[-1] for line in text.splitlines() if line.split()[3:4] == ["A"]) or None

    def each_has_its_own(self):
        for group, number in (("dev", 1), ("prod", 2)):
            self.assert_answer(self.ask(group, "db." + LINK), "10.%d0.1.1" % number)
            self.assert_answer(self.ask(group, "a.corp.example"), "198.51.100." + TARGETS[group][-1])
            self.assert_answer(self.host.ask(("127.0.0.%d1" % number, 53), "db." + LINK), "10.%d0.1.1" % number)
            self.assertEqual(["10.%d0.1.1" % number], self.axfr(group))
            shown = json.loads(self.command("explain", "--json", "--vnet", group + "/hub", "db." + LINK))
            self.assertEqual((group + "/hub", group + "/" + LINK), (shown["network"], shown["hops"][0]["object"]))
            shown = json.loads(self.command("explain", "--json", "--endpoint", group + "/r/in", "b.corp.example"))
            self.assertEqual((group + "/office", "corp", group + "/r/out"), (
                shown["hops"][0]["ruleset"], shown["hops"][0]["object"], shown["hops"][0]["route"][0]["endpoint"]))
        self.assertIsNone(self.axfr("none"))

    def command(self, *argv, status=0):
        code, text = self.sluice.command(*argv)
        self.assertEqual(status, code, text)
        return text

    def is_told_by_groups(self):
        """Status, metrics, statistics and transfers name each by its group."""
        status = self.sluice.status()
        for key, name in (("networks", "hub"), ("zones", LINK), ("rulesets", "office"), ("inbound_endpoints", "r/in"),
                          ("outbound_endpoints", "r/out")):
            self.assertEqual(["dev/" + name, "prod/" + name], sorted(one["name"] for one in status[key] if "/" in one["name"]))
        ruleset = next(one for one in status["rulesets"] if one["name"] == "dev/office")
        self.assertEqual((["dev/hub"], ["dev/r/out"]), (ruleset["networks"], ruleset["outbound_endpoints"]))
        self.assertEqual(["dev/%s." % LINK, "prod/%s." % LINK], sorted(one["zone"] for one in status["transfers"]))
        self.assertEqual({("dev/%s." % LINK, "127.0.1.9:53"), ("prod/%s." % LINK, "127.0.2.9:53")},
                         {(one["zone"], one["peer"]) for one in status["notices"]})
        metrics = Text(self.host.run("curl", "-sf", "http://127.0.0.1:9153/metrics")[1])
        for group in ("dev", "prod"):
            for name in ('sluice_queries_total{group="%s",endpoint="r/in",transport="udp"}', 'sluice_ruleset_queries_total{group="%s",ruleset="office"}',
                         'sluice_rule_queries_total{group="%s",ruleset="office",rule="corp"}',
                         'sluice_zone_queries_total{group="%%s",zone="%s"}' % LINK,
                         'sluice_zone_transfers_total{group="%%s",zone="%s",result="axfr"}' % LINK):
                self.assertGreater(metrics[name % group], 0, name)
            self.assertEqual(2, metrics['sluice_zone_records{group="%s",zone="%s"}' % (group, LINK)])
        rules = self.good("GET", "statistics/rules").body["rules"]
        self.assertEqual(["dev/office", "prod/office"], [one["ruleset"] for one in rules])
        self.assertTrue(all(one["queries"] > 0 for one in rules), rules)


class File(World):
    filed = "\n".join("%s = ( %s );" % (key, ",\n".join(text % values_of(group) for group in ("dev", "prod")))
                      for key, text in GROUP.items())

    def test_each_group_has_its_own(self):
        self.each_has_its_own()
        self.is_told_by_groups()
        self.command("reload")
        self.each_has_its_own()
        self.is_told_by_groups()

    def test_a_name_alone_is_of_several(self):
        several = 'more than one ruleset "office"; give its group: dev/office, prod/office'
        self.bad(self.call("GET", "rulesets/*/office"), 400, "invalid", several)
        self.assertIn(several, self.command("show", "ruleset", "office", status=1))
        self.assertIn(several, self.command("rule", "list", "office", status=1))
        self.assertIn('more than one virtual network "hub"', self.command("explain", "--vnet", "hub", "a.test", status=1))
        self.bad(self.call("GET", "check?subject=a.test&network=hub"), 400, "invalid", "more than one virtual network", "network")
        self.bad(self.call("GET", "queries?network=hub"), 400, "invalid", "more than one virtual network", "network")
        self.assertIn("it is declared at", self.command("delete", "rule", "dev/office", "corp", status=1))
        self.bad(self.call("PUT", "transfers/-/both", {"zones": ["dev/" + LINK, "prod/" + LINK], "allow": ["127.0.9.0/24"]}), 400, "invalid",
                 "a client that may copy prod/%s by this entry may copy dev/%s by the entry at" % (LINK, LINK), "transfers[both].zones[1]")

    def test_names_of_ptrs_are_resolved_in_the_network_of_the_group(self):
        for group, told in (("dev", []), ("prod", ["10.20.1.1"])):
            self.sluice.reconfigure(CONFIG % self.filed + 'reverse = { resolve_in = "%s/hub"; };\n' % group)
            self.command("reload")
            answer = self.call("PUT", "addresses/-/db", {"address": "10.10.1.1", "reverse_fqdn": "db." + LINK})
            self.assertEqual(len(told), len(answer.body["warnings"]), answer)
            for text in told:
                self.assertIn(text, answer.body["warnings"][0])

    def test_what_is_new_does_not_take_a_name_of_the_file(self):
        """Of a file's name that is meant for another, the file and the line are told."""
        self.sluice.reconfigure(CONFIG % self.filed.replace('virtual_networks = ( ', (
            'virtual_networks = ( { name = "lone"; resource_group = "dev"; },\n')).replace("private_zones = ( ", (
                'private_zones = ( { name = "lone.internal"; links = ( { name = "l"; virtual_network = "lone"; } ); },\n')))
        self.command("reload")
        for group in ("-", "prod"):
            refused = self.call("PUT", "virtual_networks/%s/lone" % group, {})
            self.bad(refused, 409, "read_only", r'virtual_network "lone" at .*sluice\.conf:\d+ means dev/lone, and would mean (-/lone|one of several); give the group there')
        self.assertEqual([], [one for one in self.sluice.status()["networks"] if one["name"] in ("lone", "prod/lone")])
        self.good("PUT", "virtual_networks/prod/other", {}, 201)

    def test_what_goes_does_not_leave_a_name_of_the_file_to_another(self):
        for group in ("dev", "prod"):
            self.good("PUT", "virtual_networks/%s/lone" % group, {}, 201)
        self.sluice.reconfigure(CONFIG % self.filed.replace("private_zones = ( ", (
            'private_zones = ( { name = "lone.internal"; resource_group = "dev"; links = ( { name = "l"; virtual_network = "lone"; } ); },\n')))
        self.command("reload")
        self.bad(self.call("DELETE", "virtual_networks/dev/lone"), 409, "read_only",
                 r'virtual_network "lone" at .*sluice\.conf:\d+ means dev/lone, and would mean prod/lone; give the group there')
        self.good("DELETE", "virtual_networks/prod/lone", status=204)


class State(World):
    filed = ""

    def make(self, group, *more):
        self.good("POST", "changes", {"edits": [
            json.loads(json.dumps({"path": path, "values": values}) % values_of(group)) for path, values in EDITS + list(more)]})

    def rows(self):
        with sqlite3.connect("file:%s/state.db?mode=ro" % self.world.dir, uri=True) as other:
            found = dict(other.execute("SELECT path, json FROM resources"))
        other.close()
        return {path: json.loads(text) for path, text in found.items()}

    def test_each_group_has_its_own(self):
        self.make("dev")
        self.make("prod")
        self.each_has_its_own()
        self.is_told_by_groups()
        shown = self.good("GET", "export").body
        self.sluice.kill()
        self.start()
        self.assertEqual(shown, self.good("GET", "export").body)
        self.each_has_its_own()
        before = self.sluice.pid
        self.command("upgrade")
        harness.wait_for(lambda: harness.is_gone(before), "the old process to end, which may have answered and counted some")
        self.each_has_its_own()
        self.is_told_by_groups()

    def test_a_reference_is_kept_as_it_was_meant(self):
        self.make("dev")
        self.good("PUT", "private_zones/-/lone.internal", {}, 201)
        self.good("PUT", "private_zones/-/lone.internal/links/l", {"virtual_network": "HUB"}, 201)
        self.good("PUT", "private_zones/-/lone.internal/record_sets/www:A", {"records": ["10.0.0.9"]}, 201)
        self.good("PUT", "virtual_networks/-/plain", {}, 201)
        self.good("PUT", "private_zones/dev/%s/links/plain" % LINK, {"virtual_network": "plain"}, 201)
        rows = self.rows()
        self.assertEqual("dev/hub", rows["-/lone.internal/l"]["virtual_network"])
        self.assertEqual("dev/hub", rows["dev/office/hub"]["virtual_network"])
        self.assertEqual("-/plain", rows["dev/%s/plain" % LINK]["virtual_network"])
        self.assertEqual(["dev/r/out"], rows["dev/office"]["outbound_endpoints"])
        self.assertEqual(["dev/" + LINK], rows["dev/out"]["zones"])
        shown = self.good("GET", "rulesets/dev/office").body
        self.assertEqual(["r/out"], shown["outbound_endpoints"])
        self.assertEqual("hub", self.good("GET", "rulesets/dev/office/links/hub").body["virtual_network"])
        self.assertEqual("dev/hub", self.good("GET", "private_zones/-/lone.internal/links/l").body["virtual_network"])
        for path, text, count in (("rulesets/dev/office", "hub", 1), ("rulesets/dev/office", "dev/hub", 1),
                                  ("private_zones/-/lone.internal", "HUB", 1), ("private_zones/-/lone.internal", "dev/hub", 1),
                                  ("rulesets/dev/office", "test/hub", 0), ("rulesets/dev/office", "ub", 0)):
            listed = self.good("GET", "%s/links?virtual_network=%s" % (path, text)).body["links"]
            self.assertEqual(count, len(listed), (path, text))  # as it is kept, and as it is shown
        self.good("PUT", "rulesets/dev/office", shown, 200)  # as it was got
        self.assertEqual(rows["dev/office"], self.rows()["dev/office"])
        # What comes later changes nothing.
        self.make("prod")
        self.good("PUT", "virtual_networks/-/hub", {}, 201)
        for again in (lambda: None, lambda: self.command("reload"), lambda: (self.sluice.kill(), self.start())):
            again()
            self.assert_answer(self.ask("dev", "www.lone.internal"), "10.0.0.9")
            self.assert_answer(self.ask("prod", "www.lone.internal"), "198.51.100.3")
        self.bad(self.call("DELETE", "virtual_networks/dev/hub"), 400, "invalid", 'there is no virtual network "dev/hub"')
        self.bad(self.call("PUT", "private_zones/test/lone.internal/links/l", {"virtual_network": "hub"}), 404, "not_found",
                 'it is in no resource group')
        self.good("PUT", "private_zones/test/lone.internal", {}, 201)
        self.good("DELETE", "virtual_networks/-/hub", status=204)
        self.bad(self.call("PUT", "private_zones/test/lone.internal/links/l", {"virtual_network": "hub"}), 400, "invalid",
                 'more than one virtual network "hub"; give its group: dev/hub, prod/hub',
                 "private_zones[test/lone.internal].links[l].virtual_network")

    def test_one_group_is_exported_applied_undone_and_goes(self):
        self.make("dev")
        self.make("prod")
        text = self.command("export")
        path = self.world.write("exported.conf", text)
        status, told = harness.command("check", "-c", path)
        self.assertEqual(0, status, told)
        self.assertEqual("nothing to change\n", self.command("apply", "--prune", path))
        tops = [one % {"group": "dev"} for one in ("transfers/%(group)s/out", "rulesets/%(group)s/office", "resolvers/%(group)s/r",
                                                   "private_zones/%(group)s/" + LINK, "virtual_networks/%(group)s/hub")]
        self.good("POST", "changes", {"edits": [{"path": one, "values": None} for one in tops]})
        self.assert_answer(self.ask("prod", "db." + LINK), "10.20.1.1")
        self.assertEqual("REFUSED", self.ask("dev", "db." + LINK).rcode)
        self.command("undo", str(self.good("GET", "changes").body["changes"][-1]["revision"]))
        self.each_has_its_own()
        self.good("POST", "changes?confirm=600", {"edits": [{"path": one, "values": None} for one in tops]})
        self.command("confirm", "--back")
        self.each_has_its_own()
        self.assertEqual("nothing to change\n", self.command("apply", "--prune", path))

    def test_each_has_a_serial_and_a_history_of_its_own(self):
        peers = {"dev": Peer(self.host, "127.0.1.9"), "prod": Peer(self.host, "127.0.2.9")}
        for peer in peers.values():
            self.addCleanup(peer.socket.close)
        # Its serials are far from those of the clock, which the other has.
        self.make("dev", ("private_zones/%%(group)s/%s/record_sets/@:SOA" % LINK, {"records": ["ns. host. 3000000000 3600 300 2419200 300"]}))
        self.make("prod")

        def serials():
            return {one["zone"].split("/")[0]: one["serial"] for one in self.sluice.status()["transfers"]}
        first = serials()
        self.assertEqual(3000000000, first["dev"])
        for group, peer in peers.items():
            peer.wait(first[group])
        self.good("PUT", "private_zones/prod/%s/record_sets/db:A" % LINK, {"records": ["10.20.1.2"]}, 200)
        before = serials()
        self.assertEqual((False, True), tuple(before[group] != first[group] for group in peers))
        peers["prod"].wait(before["prod"])
        self.good("PUT", "private_zones/dev/%s/record_sets/db:A" % LINK, {"records": ["10.10.1.2"]}, 200)
        after = serials()
        self.assertEqual((True, False), tuple(after[group] != before[group] for group in peers))
        peers["dev"].wait(after["dev"])
        self.assertEqual(["10.10.1.2"], self.axfr("dev"))
        self.assertEqual(["10.20.1.2"], self.axfr("prod"))
        self.assertEqual("private_zones/dev/%s/record_sets/db:a" % LINK, self.good("GET", "changes").body["changes"][-1]["path"])
        self.assertIn("record set db:A of zone dev/" + LINK, self.command("history"))
        self.assertIn("private_zones[dev/%s].record_sets[db:A] set" % LINK, self.command("events"))
        # One that was given out shortly before a kill may be passed over, until the state has it at rest.
        harness.wait_for(lambda: self.at_rest() == {group + "/" + LINK + ".": after[group] for group in ("dev", "prod")},
                         "both serials at rest")
        self.sluice.kill()
        self.start()
        self.assertEqual(after, serials())
        # A new process tells each again; by now either would have been told of the other's changes, too.
        for group, peer in peers.items():
            peer.wait(after[group])
            self.assertEqual({(LINK + ".", one[group]) for one in (first, before, after)}, set(peer.told))

    def at_rest(self):
        with contextlib.closing(sqlite3.connect(self.world.dir + "/state.db")) as state:
            rows = state.execute("SELECT substr(key, 8), value FROM pairs WHERE key LIKE 'serial %'").fetchall()
        found = {zone: value.split() for zone, value in rows}
        return {zone: int(serial) for zone, (serial, reserved, _) in found.items() if serial == reserved}

    def test_a_final_dot_of_a_zone_is_left_out(self):
        self.make("dev")
        self.good("PUT", "private_zones/dev/dotted.internal", {}, 201)
        self.good("PUT", "transfers/dev/dotted", {"zones": ["dotted.internal."], "allow": ["127.0.0.0/8"]}, 201)
        self.assertEqual(["dev/dotted.internal"], self.rows()["dev/dotted"]["zones"])

    def test_a_serial_goes_on_where_a_zone_moves_or_is_made_again(self):
        """Its serial is ahead of the clock, as that of a zone that changes all the time."""
        ahead = 3000000000
        self.make("dev")
        moved, out = "private_zones/%s/moved.internal", "transfers/%s/moved"
        www = {"records": ["10.0.0.1"]}
        self.good("PUT", moved % "dev", {}, 201)
        self.good("PUT", out % "dev", {"zones": ["moved.internal"], "allow": ["127.0.0.0/8"]}, 201)

        def serial(group):
            return next(one["serial"] for one in self.sluice.status()["transfers"] if one["zone"] == group + "/moved.internal.")
        self.assertGreater(serial("dev"), 1700000000)  # an empty one has one, too
        self.good("PUT", moved % "dev" + "/record_sets/@:SOA", {"records": ["ns. host. %d 3600 300 2419200 300" % ahead]}, 201)
        self.assertEqual(ahead, serial("dev"))

        def move(from_, to, sets):
            self.good("POST", "changes", {"edits": [
                {"path": out % from_, "values": None}, {"path": moved % from_, "values": None}, {"path": moved % to, "values": {}},
                {"path": out % to, "values": {"zones": ["moved.internal"], "allow": ["127.0.0.0/8"]}}] + [
                    {"path": moved % to + "/record_sets/www:A", "values": www}][:sets]})
        last = ahead
        for from_, to, sets in (("dev", "prod", 1), ("prod", "-", 0), ("-", "dev", 1), ("dev", "dev", 0)):
            move(from_, to, sets)
            now = serial(to) if to != "-" else next(one["serial"] for one in self.sluice.status()["transfers"] if one["zone"] == "moved.internal.")
            self.assertGreater(now, last, (from_, to))
            last = now
        for path in (out, moved):
            self.good("DELETE", path % "dev", status=204)
        self.good("PUT", moved % "dev", {}, 201)
        self.good("PUT", out % "dev", {"zones": ["moved.internal"], "allow": ["127.0.0.0/8"]}, 201)
        self.assertGreaterEqual(serial("dev"), last)
        last = serial("dev")
        self.command("reload")
        self.assertGreaterEqual(serial("dev"), last)

    def test_what_is_made_is_in_the_group_of_its_network(self):
        for group in ("dev", "prod"):
            self.good("PUT", "virtual_networks/%s/lone" % group, {}, 201)
            self.good("PUT", "rulesets/%s/lone" % group, {}, 201)
            self.good("PUT", "rulesets/%s/lone/links/lone" % group, {"virtual_network": "lone"}, 201)
        self.assertEqual(["dev/lone", "prod/lone"], [
            "%(resource_group)s/%(name)s" % one for one in self.good("GET", "resolvers").body["resolvers"]])
        path = self.world.write("exported.conf", self.command("export"))
        status, told = harness.command("check", "-c", path)
        self.assertEqual(0, status, told)

    def test_what_nobody_wrote_may_mean_another(self):
        """The outbound endpoints of a ruleset that names none are made anew, of the resolver that is there then."""
        self.make("dev")
        self.good("PUT", "rulesets/dev/office", {"outbound_endpoints": []})
        self.assertEqual(["r/out"], self.good("GET", "rulesets/dev/office").body["placed"]["outbound_endpoints"])
        self.good("POST", "changes", {"edits": [
            {"path": "resolvers/dev/r", "values": None},
            {"path": "resolvers/-/r", "values": {"virtual_network": "dev/hub"}},
            {"path": "resolvers/-/r/inbound_endpoints/in", "values": {"subnet": "in", "listen": "127.0.0.11:53"}},
            {"path": "resolvers/-/r/outbound_endpoints/out", "values": {"subnet": "out", "source": "127.0.0.1"}}]})
        self.assertEqual(["-/r/out"], self.good("GET", "rulesets/dev/office").body["placed"]["outbound_endpoints"])

    def test_a_row_of_before_is_not_left_to_another(self):
        """One of a state that was written before names were of their group says NAME alone."""
        self.good("PUT", "virtual_networks/dev/lone", {}, 201)
        self.good("PUT", "private_zones/-/old.internal", {}, 201)
        self.good("PUT", "private_zones/-/old.internal/links/l", {"virtual_network": "lone"}, 201)
        self.sluice.kill()
        with sqlite3.connect("%s/state.db" % self.world.dir) as state:
            state.execute("UPDATE resources SET json = replace(json, 'dev/lone', 'lone')")
        state.close()
        self.assertEqual("lone", self.rows()["-/old.internal/l"]["virtual_network"])
        self.start()
        self.assertEqual("lone", self.good("GET", "private_zones/-/old.internal/links/l").body["virtual_network"])
        self.bad(self.call("PUT", "virtual_networks/prod/lone", {}), 409, "read_only",
                 r'virtual_network "lone" at private_zones\[old\.internal\]\.links\[l\] means dev/lone, and would mean one of several')
        self.good("PUT", "private_zones/-/old.internal/links/l", {"virtual_network": "dev/lone"}, 200)
        self.good("PUT", "virtual_networks/prod/lone", {}, 201)

    def test_commands_name_the_group(self):
        self.make("dev")
        self.make("prod")
        self.command("record", "set", "dev/" + LINK, "www", "A", "10.10.1.7")
        self.assert_answer(self.ask("dev", "www." + LINK), "10.10.1.7")
        self.assertEqual("NXDOMAIN", self.ask("prod", "www." + LINK).rcode)
        self.assertIn("more than one private zone", self.command("record", "set", LINK, "www", "A", "10.10.1.7", status=1))
        self.assertIn("more than one private zone", self.command("zone", "export", LINK, status=1))
        self.assertIn("10.20.1.1", self.command("zone", "export", "prod/" + LINK))
        file = self.world.write("more.zone", "more 300 A 10.20.1.8\n")
        self.assertIn("more than one private zone", self.command("zone", "import", LINK, file, status=1))
        self.assertEqual("create more:A\ndelete db:A\n1 to create, 0 to change, 1 to delete: done\n",
                         self.command("zone", "import", "--prune", "prod/" + LINK, file))
        self.assert_answer(self.ask("prod", "more." + LINK), "10.20.1.8")
        self.assertEqual("NXDOMAIN", self.ask("dev", "more." + LINK).rcode)
        self.assert_answer(self.ask("dev", "db." + LINK), "10.10.1.1")
        self.assertEqual("create private_zones/test/%s\ncreate more:A\n2 to create, 0 to change, 0 to delete: not done\n" % LINK,
                         self.command("zone", "import", "--dry-run", "test/" + LINK, file))
        self.command("rule", "set", "prod/office", "corp", "state=Disabled")
        self.assert_answer(self.ask("prod", "b.corp.example"), "198.51.100.3")
        self.assert_answer(self.ask("dev", "b.corp.example"), "198.51.100.5")
        self.command("create", "network", "-/hub", "client_prefixes=127.0.3.0/24")
        self.assertIn("127.0.3.0/24", self.command("show", "network", "-/hub"))
        self.assertIn("default resolver", self.command("explain", "--vnet", "-/hub", "b.corp.example"))
        self.command("create", "ruleset-link", "dev/office", "prod", "virtual_network=prod/hub")
        self.assert_answer(self.ask("prod", "c.corp.example"), "198.51.100.5")


if __name__ == "__main__":
    harness.main()
