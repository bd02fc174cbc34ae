"""Whether a rule can be answered is judged by what its clients get, too: `status`, the metrics, the events and what
the dashboard reads say the same, and agree with the answers of the same minute."""

import contextlib
import itertools
import json

import dns
import harness
import servers
from test_metrics import Text

# What a target does to a question by the label that names begin with, and what is said of it.
DEEDS = {"servfail": ("SERVFAIL", "answers SERVFAIL"), "refused": ("REFUSED", "answers REFUSED"),
         "notimp": ("NOTIMP", "answers NOTIMP"), "lame": ("lame answer", "gives lame answers"),
         "mangled": ("mangled reply", "gives mangled replies"),
         "ends": ("truncated answer", "truncates answers, and does not give them by TCP")}
CONFIG = """
region = "westeurope";
workers = 2;
limits = { queries_per_second_per_endpoint = 0; };
management = { socket = "sluice.sock"; listen = [ "http://127.0.0.1:8053" ]; };
metrics = { listen = [ "http://127.0.0.1:9153" ]; };
default_resolver = { targets = ( { address = "192.168.0.4"; } ); };
vnet_resolver = { listen = [ "168.63.129.16:53" ]; };
virtual_networks = (
  { name = "hub"; address_space = [ "10.10.0.0/16" ]; },
  { name = "legacy"; address_space = [ "10.30.0.0/16" ]; dns_servers = [ "192.168.0.3" ]; },
  { name = "shut"; address_space = [ "10.40.0.0/16" ]; uses_default_resolver = false; } );
resolvers = (
  { name = "r"; virtual_network = "hub";
    inbound_endpoints = ( { name = "in"; listen = "10.10.0.4:53"; } ); },
  { name = "s"; virtual_network = "shut";
    inbound_endpoints = ( { name = "in"; listen = "10.40.0.4:53"; } ); } );
rulesets = (
  { name = "onprem"; links = ( { name = "hub"; virtual_network = "hub"; } );
    rules = ( %s,
              { name = "round"; domain = "round.corp."; targets = ( { address = "10.10.0.4"; } ); },
              { name = "shut"; domain = "shut.corp."; targets = ( { address = "10.40.0.4"; } ); },
              { name = "lone"; domain = "lone.corp."; targets = ( { address = "192.168.0.1"; } ); },
              { name = "pair"; domain = "pair.corp."; targets = ( { address = "192.168.0.1"; }, { address = "192.168.0.2"; } ); },
              { name = "first"; domain = "first.corp."; targets = ( { address = "192.168.0.5"; }, { address = "192.168.0.2"; } ); },
              { name = "closed"; domain = "closed.corp."; targets = ( { address = "192.168.0.1"; port = 54; protocol = "tcp"; } ); } ); } );
""" % ",\n              ".join('{ name = "%s"; domain = "%s.corp."; targets = ( { address = "192.168.0.1%d"; } ); }' % (deed, deed, number)
                          for number, deed in enumerate(DEEDS))
ZONE = "@ IN SOA ns hostmaster 1 3600 600 86400 60\n@ IN NS ns\nns IN A 192.0.2.9\n"
HALF_A_MINUTE = 30


class World(harness.Case):
    @classmethod
    def build(cls, world):
        cls.client = world.host("client", "10.10.5.5", "10.30.0.5")
        lone = ["192.168.0.1%d" % n for n in range(len(DEEDS))]
        onprem = world.host("onprem", *("192.168.0.%d" % n for n in range(1, 6)), *lone)
        cls.cloud = world.host("cloud", "10.10.0.4", "10.40.0.4", "168.63.129.16")
        cls.targets = [harness.Upstream(onprem, "192.168.0.%d" % n, "192.0.2.%d" % n) for n in range(1, 5)]
        cls.targets += [harness.Upstream(onprem, address, "192.0.2.10") for address in lone]
        servers.nsd(onprem, {"other.corp": ZONE}, "192.168.0.5")  # REFUSED for all that is asked
        cls.sluice = harness.Sluice(cls.cloud, CONFIG, ("10.10.0.4", 53))
        cls.numbers = itertools.count()

    def fresh(self, deed, rule):
        return "%s.n%d.%s.corp" % (deed, next(self.numbers), rule)

    def ask(self, name, rtype="A", server="10.10.0.4", **how):
        return self.client.ask(server, name, rtype, **how)

    def lose(self, deed, rule, times=5, **how):
        """So many queries, each for a name of its own, get SERVFAIL."""
        if deed == "ends":
            how["transport"] = dns.tcp
        for _ in range(times):
            self.assert_answer(self.ask(self.fresh(deed, rule), **how), rcode="SERVFAIL")

    def win(self, rule, **how):
        answer = self.ask(self.fresh("fine", rule), **how)
        self.assertEqual("NOERROR", dns.RCODES[answer.flags & 15], answer)

    def setUp(self):
        """What the test before has left failing is answered, and told."""
        for rule in self.sluice.status()["unanswered"]["rules"] + self.sluice.status()["unheard"]["rules"]:
            self.win(rule.partition("/")[2] or "elsewhere", **(
                {"server": "168.63.129.16", "source": "10.30.0.5"} if rule.startswith("DNS") else {}))
        harness.wait_for(lambda: not self.failing_by_events(), "the events of their ends")

    # ---- what is said ----

    def metrics(self):
        return Text(self.cloud.run("curl", "-sf", "http://127.0.0.1:9153/metrics")[1])

    def failing_by_events(self):
        """What the events leave failing: {rule: the event's text}."""
        with contextlib.closing(harness.UnixConnection(self.sluice.socket)) as connection:
            connection.request("GET", "/v1/events?event=rule&limit=1000")
            events = json.loads(connection.getresponse().read())["events"]
        found = {}
        for event in events:
            rule = event["text"].split(" is answered again")[0].split(" is no longer")[0].split(" cannot be answered")[0]
            found[rule] = event["text"] if event["level"] == "warning" else None
        return {rule: text for rule, text in found.items() if text}

    def state(self, address):
        return next(one["state"] for one in self.sluice.status()["targets"] if one["host"] == address + ":53")

    def seen(self):
        """The status, what the command prints, and the metrics, with the same state behind all three: on a busy machine
        a target may be suspect for a moment between two of them."""
        def unchanged():
            status = self.sluice.status()
            seen = status, self.sluice.command("status")[1].split("\n"), self.metrics()
            after = self.sluice.status()
            return seen if all(status[key] == after[key] for key in ("judgement", "unanswered")) else None
        return harness.wait_for(unchanged, "nothing to change for a moment", HALF_A_MINUTE)

    def said(self):
        """What all who are asked say of the rules: the same."""
        status, printed, metrics = self.seen()
        judgement, unanswered = status["judgement"], status["unanswered"]
        self.assertEqual(unanswered["count"] == 0, judgement["good"], judgement)
        self.assertEqual(("" if judgement["good"] else "! ") + judgement["texts"][0], printed[2])
        self.assertEqual(unanswered["count"], metrics["sluice_routes_unanswered"])
        self.assertEqual(unanswered["rules"], [one["rule"] for one in unanswered["causes"]])
        for one in unanswered["causes"]:
            self.assertIn("%s (%s)" % (one["rule"], one["reason"]), judgement["texts"][0])
        return {one["rule"]: one["reason"] for one in unanswered["causes"]}

    def wait_said(self, *failing):
        """Each is (rule, reason): these, and no others, once their row is old enough."""
        harness.wait_for(lambda: self.said() == dict(failing), "these to be named: %s" % (failing,), HALF_A_MINUTE)

    def wait_a_row(self):
        """For as long as a row of failures is to last before it is judged: until another rule's is."""
        self.lose("refused", "elsewhere")
        self.wait_said(("default resolver", "192.168.0.4:53 answers REFUSED"))
        self.win("elsewhere")

    def assert_failing(self, rule, reason):
        self.wait_said((rule, reason))
        text = harness.wait_for(lambda: self.failing_by_events().get(rule), "the event", HALF_A_MINUTE)
        self.assertEqual("%s cannot be answered: %s; the last 5 queries failed, for 3 names or more" % (rule, reason), text)

    def assert_well(self):
        self.wait_said()
        harness.wait_for(lambda: not self.failing_by_events(), "the event of the end", HALF_A_MINUTE)


class Judged(World):
    def is_up(self, address):
        up = self.metrics()['sluice_target_up{target="%s:53",protocol="udp"}' % address]
        self.assertEqual(up == 1, self.state(address) == "up")
        return up == 1

    def test_a_target_says_which_rulesets_need_it(self):
        def users(host):
            target, = [one for one in self.sluice.status()["targets"] if one["host"] == host]
            return {one["name"]: (one["rules"], one["unanswered"]) for one in target["users"]}
        self.assertEqual({"onprem": (2, 0)}, users("192.168.0.1:53"))
        self.assertEqual({"default resolver": (1, 0)}, users("192.168.0.4:53"))
        self.assertEqual({"DNS servers of legacy": (1, 0)}, users("192.168.0.3:53"))
        self.lose("refused", "lone")
        harness.wait_for(lambda: users("192.168.0.1:53") == {"onprem": (2, 1)}, "the one that cannot be answered")

    def test_errors_of_a_lone_target_are_its_rules_and_one_answer_ends_it(self):
        deeds = [(deed, "192.168.0.1%d" % number, *DEEDS[deed]) for number, deed in enumerate(DEEDS)]
        for group in (deeds[:3], deeds[3:]):  # a sentence has room for few
            for deed, *_ in group:
                self.lose(deed, deed, 4)
            self.wait_a_row()
            self.assertEqual({}, self.said())
            for deed, *_ in group:
                self.lose(deed, deed, 1)
            self.wait_said(*(("onprem/" + deed, "%s:53 %s" % (address, reason)) for deed, address, _, reason in group))
            for deed, address, state, _ in group:
                self.assertEqual((state, False), (self.state(address), self.is_up(address)))
                self.win(deed)
                self.assertTrue(self.is_up(address))
            self.assertEqual({}, self.said())

    def test_a_flood_of_broken_names_beside_answered_ones_is_no_rule_and_no_target(self):
        self.lose("servfail", "elsewhere")
        rules = []
        while "default resolver" not in rules:
            self.lose("servfail", "lone", 10)
            rules = self.sluice.status()["unanswered"]["rules"]
            self.assertNotIn("onprem/lone", rules)
            self.assertEqual("up", self.state("192.168.0.1"))
            self.win("lone")
        self.win("elsewhere")

    def test_a_way_that_leads_into_our_own_endpoint_and_fails_there(self):
        self.lose("any", "round")
        self.assert_failing("onprem/round", "our own endpoint r/in leads back to itself (loop)")
        self.sluice.reconfigure(CONFIG.replace('"round.corp."; targets = ( { address = "10.10.0.4"',
                                               '"round.corp."; targets = ( { address = "192.168.0.1"'))
        self.addCleanup(self.sluice.command, "reload")
        self.addCleanup(self.sluice.reconfigure, CONFIG)
        self.assertEqual(0, self.sluice.command("reload")[0])
        self.assert_well()
        self.win("round")
        self.lose("any", "shut")
        self.assert_failing("onprem/shut", "our own endpoint s/in refuses these names")
        self.sluice.reconfigure(CONFIG.replace("uses_default_resolver = false", "uses_default_resolver = true"))
        self.assertEqual(0, self.sluice.command("reload")[0])
        self.win("shut")
        self.assert_well()

    def test_one_broken_name_is_no_rule_and_no_target(self):
        for _ in range(12):
            self.assert_answer(self.ask("refused.same.lone.corp"), rcode="SERVFAIL")
        for rtype in ("A", "AAAA", "TXT", "SRV", "NS"):
            self.assert_answer(self.ask("servfail.same.lone.corp", rtype), rcode="SERVFAIL")
        self.wait_a_row()
        self.assertEqual({}, self.said())
        self.assertEqual("up", self.state("192.168.0.1"))
        self.win("lone")

    def test_what_the_cache_has_says_nothing_of_the_targets(self):
        self.assert_answer(self.ask("popular.lone.corp"), "192.0.2.1")
        for _ in range(5):
            self.lose("refused", "lone", 1)
            self.assert_answer(self.ask("popular.lone.corp"), "192.0.2.1")
        self.assert_failing("onprem/lone", "192.168.0.1:53 answers REFUSED")
        self.win("lone")
        self.assert_well()

    def test_explaining_by_asking_is_no_query(self):
        for _ in range(6):
            self.sluice.command("explain", "--ask", "--endpoint", "r/in", self.fresh("refused", "lone"))
        self.lose("refused", "lone", 4)
        self.wait_a_row()
        self.assertEqual({}, self.said())
        self.win("lone")
        self.lose("refused", "lone")
        self.sluice.command("explain", "--ask", "--endpoint", "r/in", "asked.lone.corp")
        self.assert_failing("onprem/lone", "192.168.0.1:53 answers REFUSED")
        self.win("lone")
        self.assert_well()

    def test_one_of_two_harms_nobody_and_is_seen_in_the_table(self):
        for _ in range(6):
            self.win("first")
        self.assert_well()

        def is_seen():  # an error that comes late, when the other target has answered, does not count
            self.win("first")
            return self.state("192.168.0.5") == "REFUSED"
        harness.wait_for(is_seen, "the target to be seen", 2 * HALF_A_MINUTE)
        self.assertEqual("up", self.state("192.168.0.2"))
        self.assert_well()
        self.assertEqual(0, self.metrics()['sluice_target_up{target="192.168.0.5:53",protocol="udp"}'])

    def test_both_of_two(self):
        self.lose("servfail", "pair")
        reason = harness.wait_for(lambda: self.said().get("onprem/pair"), "the rule to be named", HALF_A_MINUTE)
        self.assertIn(reason, ["192.168.0.%d:53 answers SERVFAIL" % n for n in (1, 2)])  # the first may be late
        self.assert_failing("onprem/pair", reason)
        self.win("pair")
        self.assert_well()

    def test_the_default_resolver(self):
        self.lose("refused", "elsewhere")
        self.assert_failing("default resolver", "192.168.0.4:53 answers REFUSED")
        self.win("elsewhere")
        self.assert_well()

    def test_the_dns_servers_of_a_network(self):
        how = {"server": "168.63.129.16", "source": "10.30.0.5"}
        self.lose("lame", "anything", **how)
        self.assert_failing("DNS servers of legacy", "192.168.0.3:53 gives lame answers")
        self.win("anything", **how)
        self.assert_well()

    def test_the_hop_that_fails_is_to_blame_and_not_the_way_to_it(self):
        for _ in range(5):
            name = "alias--%s.n.elsewhere.corp" % self.fresh("servfail", "lone").replace(".", "-")
            self.assert_answer(self.ask(name.replace("n.elsewhere", "n%d.elsewhere" % next(self.numbers))), rcode="SERVFAIL")
        self.assert_failing("onprem/lone", "192.168.0.1:53 answers SERVFAIL")
        self.win("lone")
        self.assert_well()

    def test_names_that_nobody_answers_have_a_line_of_their_own(self):
        self.win("lone")
        socks = [self.client.begin(("10.10.0.4", 53), self.fresh("silent", "lone")) for _ in range(5)]
        for number in range(40):  # so that it is known to live
            self.win("elsewhere")
            if number % 10 == 0:
                self.win("pair")
        for sock in socks:
            self.assert_answer(dns.Message(sock.recv(65535)), rcode="SERVFAIL")
            sock.close()
        harness.wait_for(lambda: self.sluice.status()["unheard"]["rules"], "the names to be told of", HALF_A_MINUTE)
        status = self.sluice.status()
        self.assertEqual((0, ["onprem/lone"]), (status["unanswered"]["count"], status["unheard"]["rules"]))
        self.assertEqual("up", self.state("192.168.0.1"))
        self.assertTrue(status["judgement"]["good"])
        self.assertEqual(["Nobody answers the names that clients last asked for, though targets live: onprem/lone."],
                         status["judgement"]["notes"])
        self.assertIn("! " + status["judgement"]["notes"][0], self.sluice.command("status")[1].split("\n"))
        self.assertEqual(0, self.metrics()["sluice_routes_unanswered"])
        self.assert_well()
        self.win("lone")
        self.assertEqual([], self.sluice.status()["judgement"]["notes"])

    def test_it_outlives_a_reload_and_ends_with_its_targets(self):
        self.lose("refused", "lone")
        self.assertEqual(0, self.sluice.command("reload")[0])
        self.assert_failing("onprem/lone", "192.168.0.1:53 answers REFUSED")
        self.sluice.reconfigure(CONFIG.replace('"lone.corp."; targets = ( { address = "192.168.0.1"',
                                               '"lone.corp."; targets = ( { address = "192.168.0.2"'))
        self.addCleanup(self.sluice.command, "reload")
        self.addCleanup(self.sluice.reconfigure, CONFIG)
        self.assertEqual(0, self.sluice.command("reload")[0])
        self.assertEqual({}, self.said())
        self.assert_well()
        self.win("lone")


class Closed(World):
    def test_a_target_that_refuses_connections(self):
        self.lose("any", "closed", 1)
        self.assertEqual({"onprem/closed": "192.168.0.1:54 cannot be reached"}, self.said())


if __name__ == "__main__":
    harness.main()
