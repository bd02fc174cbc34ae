"""Rules and their targets: NSD, Unbound and dnsmasq on the on-premises side, asked through an
inbound endpoint. Also what targets do wrong: silence, errors, truncation, forgeries."""

import itertools
import signal
import socket
import time

import dns
import harness
import servers

CONFIG = """
subscription = "11111111-2222-3333-4444-555555555555";
region = "westeurope";
workers = 1;
limits = { queries_per_second_per_endpoint = 0; };
management = { socket = "sluice.sock"; };
default_resolver = { targets = ( { address = "198.51.100.53"; } ); };
virtual_networks = (
  { name = "hub"; address_space = [ "10.10.0.0/16" ]; client_prefixes = [ "10.20.0.0/16" ];
    subnets = ( { name = "dns-in";  prefix = "10.10.0.0/28";  delegation = "Microsoft.Network/dnsResolvers"; },
                { name = "dns-out"; prefix = "10.10.0.16/28"; delegation = "Microsoft.Network/dnsResolvers"; } ); } );
resolvers = (
  { name = "hub-resolver"; virtual_network = "hub";
    inbound_endpoints  = ( { name = "inbound"; subnet = "dns-in"; allocation = "static"; address = "10.10.0.4"; } );
    outbound_endpoints = ( { name = "outbound"; subnet = "dns-out"; } ); } );
rulesets = (
  { name = "onprem"; outbound_endpoints = [ "hub-resolver/outbound" ];
    links = ( { name = "hub"; virtual_network = "hub"; } );
    rules = (
%s
    ); } );
"""


def rule(name, domain, *targets, more=""):
    """A rule's text; a target is an address, or (address, protocol)."""
    texts = []
    for target in targets:
        address, protocol = target if isinstance(target, tuple) else (target, "udp")
        texts.append('{ address = "%s"; protocol = "%s"; }' % (address, protocol))
    return '{ name = "%s"; domain = "%s"; %s targets = ( %s ); }' % (
        name, domain, more, ", ".join(texts))


def config(*rules):
    return CONFIG % ",\n".join(rules)


BIG = "\n".join('big IN TXT "%s"' % (chr(65 + i) * 200) for i in range(20))
ZONE = """\
$TTL 300
@ IN SOA ns.contoso.corp. hostmaster.contoso.corp. 1 3600 600 86400 60
@ IN NS ns
ns IN A 192.168.0.53
www IN A 192.0.2.7
www IN AAAA 2001:db8::7
txt IN TXT "from nsd"
%s
""" % BIG


class RealServers(harness.Case):
    @classmethod
    def build(cls, world):
        cls.client = world.host("client", "10.20.0.5")
        onprem = world.host("onprem", "192.168.0.53", "192.168.0.54", "192.168.0.55")
        internet = world.host("internet", "198.51.100.53")
        cloud = world.host("cloud", "10.10.0.4", "10.10.0.20")
        cls.nsd = servers.nsd(onprem, {"contoso.corp": ZONE}, "192.168.0.53")
        cls.unbound = servers.unbound(onprem, "192.168.0.54", [
            "app.eu.contoso.corp A 192.0.2.54", "off.contoso.corp A 192.0.2.55", "www.tcp.test A 192.0.2.57"])
        cls.dnsmasq = servers.dnsmasq(onprem, "192.168.0.55", "host-record=db.fabrikam.corp,192.0.2.56")
        cls.internet = harness.Upstream(internet, "198.51.100.53", "203.0.113.1")
        cls.sluice = harness.Sluice(cloud, config(
            rule("contoso", "contoso.corp.", "192.168.0.53"),
            rule("eu", "eu.contoso.corp.", "192.168.0.54"),
            rule("off", "off.contoso.corp.", "192.168.0.54", more='state = "Disabled";'),
            rule("fabrikam", "Fabrikam.Corp.", "192.168.0.55"),
            rule("tcp", "tcp.test.", ("192.168.0.54", "tcp"))), ("10.10.0.4", 53))

    def test_a_rule_is_answered_by_nsd(self):
        answer = self.client.ask("10.10.0.4", "www.contoso.corp")
        self.assert_answer(answer, "192.0.2.7")
        self.assertEqual(0, answer.flags & (dns.AA | dns.AD), "not our own data, not validated")
        self.assertTrue(answer.flags & dns.RA)

    def test_every_client_understands_the_answer(self):
        for client in ("dig", "kdig", "drill"):
            with self.subTest(client=client):
                dig = self.client.dig("10.10.0.4", "www.contoso.corp", "AAAA", client=client)
                self.assertEqual(("NOERROR", ["2001:db8::7"]), (dig.rcode, dig.texts), dig.text)

    def test_longest_suffix_wins(self):
        self.assert_answer(self.client.ask("10.10.0.4", "app.eu.contoso.corp"), "192.0.2.54")

    def test_a_suffix_ends_at_a_label(self):
        self.assert_answer(self.client.ask("10.10.0.4", "notcontoso.corp"), "203.0.113.1")

    def test_a_disabled_rule_leaves_the_next_longest(self):
        answer = self.client.ask("10.10.0.4", "off.contoso.corp")
        self.assert_answer(answer, rcode="NXDOMAIN")
        self.assertEqual(["SOA"], [r.type for r in answer.authority])

    def test_dnsmasq_answers_a_rule_in_capitals(self):
        self.assert_answer(self.client.ask("10.10.0.4", "DB.fabrikam.corp"), "192.0.2.56")

    def test_no_rule_means_the_default_resolver(self):
        self.assert_answer(self.client.ask("10.10.0.4", "www.example.com"), "203.0.113.1")

    def test_the_target_sees_the_outbound_endpoint(self):
        self.client.ask("10.10.0.4", "source.eu.contoso.corp")
        self.assertRegex(self.unbound.log(), r"(?i)10\.10\.0\.20 source\.eu\.contoso\.corp\. A IN")

    def test_a_tcp_rule_asks_by_tcp(self):
        self.assert_answer(self.client.ask("10.10.0.4", "www.tcp.test"), "192.0.2.57")

    def test_a_truncated_answer_is_fetched_by_tcp(self):
        answer = self.client.ask("10.10.0.4", "big.contoso.corp", "TXT", transport=dns.tcp)
        self.assertEqual(20, len(answer.answer), answer)
        self.assertFalse(answer.flags & dns.TC)

    def test_what_does_not_fit_by_udp_is_truncated(self):
        answer = self.client.ask("10.10.0.4", "big.contoso.corp", "TXT")
        self.assertTrue(answer.flags & dns.TC)
        self.assertLessEqual(len(answer.packet), 1232)
        dig = self.client.dig("10.10.0.4", "big.contoso.corp", "TXT")
        self.assertEqual(20, len(dig.answer), "dig comes back by TCP by itself")

    def test_nodata_comes_with_its_soa(self):
        answer = self.client.ask("10.10.0.4", "txt.contoso.corp", "A")
        self.assert_answer(answer)
        self.assertEqual(["SOA"], [r.type for r in answer.authority])
        self.assertLessEqual(answer.authority[0].ttl, 60)


class Scripted(harness.Case):
    """Targets that do as the question says (upstream.py), the first of two."""

    @classmethod
    def build(cls, world):
        cls.client = world.host("client", "10.20.0.5")
        onprem = world.host("onprem", "192.168.0.1", "192.168.0.2", "192.168.0.3", "192.168.0.5")
        cloud = world.host("cloud", "10.10.0.4", "10.10.0.20")
        cls.first = harness.Upstream(onprem, "192.168.0.1", "192.0.2.1")
        cls.second = servers.dnsmasq(onprem, "192.168.0.2", "address=/corp.test/192.0.2.2")
        cls.old = harness.Upstream(onprem, "192.168.0.3", "192.0.2.3")
        cls.ending = harness.Upstream(onprem, "192.168.0.5", "192.0.2.5")
        cls.sluice = harness.Sluice(cloud, config(
            rule("corp", "corp.test.", "192.168.0.1", "192.168.0.2"),
            rule("alone", "alone.test.", "192.168.0.1"),
            rule("old", "old.test.", "192.168.0.3"),
            rule("ending", "ending.test.", "192.168.0.5"),
            rule("tcp", "tcp.test.", ("192.168.0.1", "tcp"))), ("10.10.0.4", 53))

    def test_the_first_target_is_asked_first(self):
        self.unless_late(lambda number: self.assert_answer(
            self.client.ask("10.10.0.4", "www%d.corp.test" % number), "192.0.2.1"))

    def test_errors_of_the_first_go_to_the_second(self):
        for script in ("servfail", "refused", "notimp", "lame", "mangled"):
            with self.subTest(script=script):
                self.unless_late(lambda number: self.error_goes_on("%s.n%d.corp.test" % (script, number)))

    def error_goes_on(self, name):
        self.assert_answer(self.client.ask("10.10.0.4", name), "192.0.2.2")
        self.assertTrue(self.first.questions(name))

    def test_errors_of_all_become_servfail(self):
        for script in ("servfail", "refused", "notimp"):
            with self.subTest(script=script):
                self.assert_rcode(self.client.ask("10.10.0.4", script + ".alone.test"),
                                  "SERVFAIL", ede=(22, 23))

    def test_nxdomain_and_nodata_are_final(self):
        self.unless_late(lambda number: self.assert_rcode(
            self.client.ask("10.10.0.4", "nx.n%d.corp.test" % number), "NXDOMAIN"))
        self.unless_late(lambda number: self.assert_answer(
            self.client.ask("10.10.0.4", "empty.n%d.corp.test" % number)))

    def test_silence_goes_to_the_second(self):
        self.assert_answer(self.client.ask("10.10.0.4", "silent.corp.test"), "192.0.2.2")

    def test_a_slow_answer_is_waited_for(self):
        self.assert_answer(self.client.ask("10.10.0.4", "late300.alone.test"), "192.0.2.1")

    def test_silence_of_all_becomes_servfail(self):
        self.assert_rcode(self.client.ask("10.10.0.4", "silent.alone.test"), "SERVFAIL", ede=(22, 23))

    def test_forged_replies_are_ignored(self):
        self.assert_answer(self.client.ask("10.10.0.4", "forged.alone.test"), "192.0.2.1")

    def test_a_target_without_edns_is_asked_plainly_and_remembered(self):
        def asked(name):
            """The first question, and all. If the target is late it is asked twice in the same way, and may note the
            second question later than the one without EDNS."""
            self.assert_answer(self.client.ask("10.10.0.4", name), "192.0.2.3")
            found = [(q["edns"], tuple(q["options"])) for q in self.old.questions(name)]
            return found[0], set(found)
        by_edns, plainly = (1232, ()), (None, ())
        for name in ("plain.old.test", "plain.two.old.test", "plain.three.old.test"):
            self.assertEqual((by_edns, {by_edns, plainly}), asked(name))
        self.assertEqual((plainly, {plainly}), asked("plain.again.old.test"))

    def test_a_bare_formerr_is_not_remembered(self):
        for name in ("bare.alone.test", "bare.again.alone.test"):
            self.assert_answer(self.client.ask("10.10.0.4", name), "192.0.2.1")
            asked = [q["edns"] for q in self.first.questions(name)]
            self.assertEqual((1232, {1232, None}), (asked[0], set(asked)))

    def test_tc_is_followed_by_tcp_to_the_same_target(self):
        def followed(number):
            name = "tc.n%d.alone.test" % number
            self.assert_answer(self.client.ask("10.10.0.4", name), "192.0.2.1")
            self.assertEqual(["udp", "tcp"], [q["by"] for q in self.first.questions(name)])
        self.unless_late(followed)

    def test_after_tc_a_connection_that_ends_is_followed_by_one_more(self):
        def followed(number):
            name = "wavers.n%d.ending.test" % number
            self.assert_answer(self.client.ask("10.10.0.4", name), "192.0.2.5")
            self.assertEqual(["udp", "tcp", "tcp"], [q["by"] for q in self.ending.questions(name)])
        self.unless_late(followed)

    def test_after_tc_connections_that_end_are_no_failure_that_is_kept(self):
        def asked_anew(number):
            name = "ends.n%d.ending.test" % number
            for count in (1, 2):
                answer = self.client.ask("10.10.0.4", name)
                self.assert_rcode(answer, "NOERROR")
                self.assertTrue(answer.flags & dns.TC)
                by = [q["by"] for q in self.ending.questions(name)]
                self.assertEqual(count, by.count("udp"), by)
                self.assertGreaterEqual(by.count("tcp"), 2 * count, by)
        self.unless_late(asked_anew)

    def test_a_tcp_rule_never_asks_by_udp(self):
        self.assert_answer(self.client.ask("10.10.0.4", "www.tcp.test"), "192.0.2.1")
        self.assertEqual({"tcp"}, {q["by"] for q in self.first.questions("www.tcp.test")})

    def test_the_clients_transport_does_not_choose_ours(self):
        answer = self.client.ask("10.10.0.4", "bytcp.alone.test", transport=dns.tcp)
        self.assert_answer(answer, "192.0.2.1")
        self.assertEqual({"udp"}, {q["by"] for q in self.first.questions("bytcp.alone.test")})

    def test_our_own_opt_and_rd_go_upstream(self):
        cookie = dns.option(10, b"12345678")
        self.client.ask("10.10.0.4", "opt.alone.test", opts=(dns.opt(4096, options=cookie),))
        asked = self.first.questions("opt.alone.test")[0]
        self.assertEqual((1232, []), (asked["edns"], asked["options"]))
        self.assertTrue(asked["flags"] & dns.RD)
        self.assertEqual("10.10.0.20", asked["from"])

    def test_do_and_cd_go_upstream_as_they_came(self):
        self.client.ask("10.10.0.4", "plainbits.alone.test")
        answer = self.client.ask("10.10.0.4", "bits.alone.test", flags=dns.RD | dns.CD,
                                 opts=(dns.opt(do=True),))
        self.assertTrue(answer.flags & dns.CD)
        asked = self.first.questions("bits.alone.test")[0]
        self.assertTrue(asked["do"] and asked["flags"] & dns.CD)
        asked = self.first.questions("plainbits.alone.test")[0]
        self.assertFalse(asked["do"] or asked["flags"] & dns.CD)

    def test_ids_and_ports_are_spread(self):
        for i in range(60):
            self.client.ask("10.10.0.4", "spread%d.alone.test" % i)
        asked = [q for q in self.first.questions() if q["name"].startswith("spread")]
        self.assertEqual(60, len({q["name"] for q in asked}))
        self.assertGreater(len({q["id"] for q in asked}), 50)
        self.assertGreater(len({q["port"] for q in asked}), 20)

    def test_a_repeated_question_comes_from_the_cache(self):
        def from_cache(number):
            name = "cached%d.alone.test" % number
            first = self.client.ask("10.10.0.4", name)
            again = self.client.ask("10.10.0.4", name.replace("cached", "CACHED"))
            self.assert_answer(again, "192.0.2.1")
            self.assertEqual(1, len(self.first.questions(name)))
            self.assertLessEqual(again.answer[0].ttl, first.answer[0].ttl)
            self.assertEqual("CACHED%d.alone.test." % number, again.questions[0][0],
                             "in the case it was asked")
        self.unless_late(from_cache)

    def test_negative_answers_are_cached_too(self):
        for i in range(9):  # what the target does with letters is known then
            self.client.ask("10.10.0.4", "letters%d.alone.test" % i)

        def from_cache(number):
            name = "nx.cached%d.alone.test" % number
            for _ in range(2):
                self.assert_rcode(self.client.ask("10.10.0.4", name), "NXDOMAIN")
            self.assertEqual(1, len(self.first.questions(name)))
        self.unless_late(from_cache)

    def test_identical_questions_in_flight_are_asked_once(self):
        name = "late400.together.alone.test"
        for sock in [self.client.begin(("10.10.0.4", 53), name) for _ in range(8)]:
            with sock:
                self.assert_answer(dns.Message(sock.recv(4096)), "192.0.2.1")
        self.assertLess(len(self.first.questions(name)), 8)  # as often as one client's would be

    def test_rd_0_knows_only_the_cache(self):
        self.assert_rcode(self.client.ask("10.10.0.4", "rd0.alone.test", flags=0), "REFUSED", ede=20)
        self.assertEqual([], self.first.questions("rd0.alone.test"))
        self.client.ask("10.10.0.4", "rd0.alone.test")
        self.assert_answer(self.client.ask("10.10.0.4", "rd0.alone.test", flags=0), "192.0.2.1")

    def test_a_cname_without_data_goes_on_where_another_rule_decides(self):
        self.unless_late(lambda number: self.assertEqual(
            ["www%d.alone.test." % number, "192.0.2.1"],
            self.client.ask("10.10.0.4", "alias--www%d-alone-test.n%d.corp.test" % (number, number)).texts()))


class Failover(harness.FreshCase):
    def build(self, world):
        self.client = world.host("client", "10.20.0.5")
        self.one = world.host("one", "192.168.0.1")
        self.two = world.host("two", "192.168.0.2")
        self.cloud = world.host("cloud", "10.10.0.4", "10.10.0.20")
        self.first = harness.Upstream(self.one, "192.168.0.1", "192.0.2.1")
        self.second = harness.Upstream(self.two, "192.168.0.2", "192.0.2.2")
        self.start("sluice")

    def start(self, name):
        self.sluice = harness.Sluice(self.cloud, config(
            rule("corp", "corp.test.", "192.168.0.1", "192.168.0.2")), ("10.10.0.4", 53), name=name)

    def ask(self, name):
        return self.client.ask("10.10.0.4", name + ".corp.test")

    def first_answers(self, name):
        """Since it is the first and lives; the second where it was late."""
        self.unless_late(lambda number: self.assert_answer(
            self.ask("%s-%d" % (name, number)), "192.0.2.1"))

    def test_a_stopped_server_is_replaced_at_once(self):
        self.first_answers("before")
        self.first.stop()
        for i in range(20):
            self.assert_answer(self.ask("refused%d" % i), "192.0.2.2")

    def unless_slow(self, attempt, slow_s=1.5):
        """Repeats an attempt that took so long, with another server: a question ends by itself after four seconds, and
        a server that is told to end waits two for it. `attempt` takes its number, for a new name."""
        for number in range(10):
            begin = time.monotonic()
            try:
                return attempt(number)
            except AssertionError:
                if time.monotonic() - begin < slow_s or number == 9:
                    raise
            self.sluice.stop()
            for upstream in self.first, self.second:
                upstream.hold()
            self.start("again%d" % number)

    def test_what_is_under_way_when_sluice_ends_is_answered(self):
        def attempt(number):
            name = "silent.n%d.corp.test" % number
            with self.client.inside(), dns.open_socket(socket.SOCK_DGRAM, ("10.10.0.4", 53), None) as sock:
                sock.connect(("10.10.0.4", 53))
                sock.settimeout(dns.PATIENCE)
                sock.send(dns.query(name, opts=(dns.opt(),)))
                harness.wait_for(lambda: self.first.questions(name), "the question")
                self.assertEqual(0, self.sluice.stop())
                self.assert_rcode(dns.Message(sock.recv(65535)), "SERVFAIL", 0, "no longer served")
                self.assertIn("some questions are still unanswered", self.sluice.log())
        self.unless_slow(attempt, 3.5)  # of which the server waits for two

    def begin(self, name, by_tcp=False):
        """A question that the first target has been asked."""
        return self.under_way(self.client, ("10.10.0.4", 53), name, self.first, by_tcp)

    def test_what_can_be_answered_when_sluice_is_told_to_end_is(self):
        def attempt(number):
            by_udp = self.begin("held.a%d.corp.test" % number)
            by_tcp = self.begin("held.b%d.corp.test" % number, by_tcp=True)
            self.sluice.signal(signal.SIGTERM)
            harness.wait_for(lambda: "stopping on SIGTERM" in self.sluice.log(), "the signal")
            self.first.release()
            self.second.release()
            for packet in (by_udp.recv(65535), dns.recv_framed(by_tcp)):
                self.assertIn(dns.Message(packet).texts(), (["192.0.2.1"], ["192.0.2.2"]))
            self.assertEqual(0, self.sluice.child.wait(dns.PATIENCE))
        self.unless_slow(attempt)

    def test_a_second_signal_ends_it_at_once(self):
        def attempt(number):
            sock = self.begin("held.n%d.corp.test" % number)
            for signal_, said in ((signal.SIGTERM, "stopping on SIGTERM"), (signal.SIGINT, "told to stop again")):
                self.sluice.signal(signal_)
                harness.wait_for(lambda: said in self.sluice.log(), "the signal", 10)
            self.assert_rcode(dns.Message(sock.recv(65535)), "SERVFAIL", 0, "no longer served")
            self.assertEqual(0, self.sluice.child.wait(dns.PATIENCE))
            self.assertNotIn("some questions are still unanswered", self.sluice.log())
        self.unless_slow(attempt)

    def test_letters_are_in_random_case(self):
        for i in range(30):
            answer = self.ask("vary%d" % i)
            self.assertIn(answer.texts(), (["192.0.2.1"], ["192.0.2.2"]))
            self.assertEqual("vary%d.corp.test." % i, answer.questions[0][0], "as it was asked")
        asked = [q["letters"] for q in self.first.questions() + self.second.questions() if q["name"].startswith("vary")]
        self.assertGreater(len({name.split(".", 1)[1] for name in asked}), 10)

    def test_a_silent_server_is_replaced_and_comes_back(self):
        self.first_answers("before")
        harness.freeze(self.first.child.pid)
        for i in range(20):
            self.assert_answer(self.ask("dead%d" % i), "192.0.2.2")
        status, text = self.sluice.command("explain", "www.corp.test", "--endpoint",
                                           "hub-resolver/inbound")
        self.assertEqual(0, status, text)
        self.assertRegex(text, r"\[suspect since [-0-9TZ:]{20} \(no answer\), SRTT [0-9.]+ ms\]")
        self.first.signal(signal.SIGCONT)
        fresh = itertools.count()
        harness.wait_for(lambda: "192.0.2.1" in self.ask("alive%d" % next(fresh)).texts(),
                         "the first target to be first again")

    def test_a_single_server_that_returns_is_used_again(self):
        self.second.stop()
        harness.freeze(self.first.child.pid)
        with self.client.begin(("10.10.0.4", 53), "waiting.corp.test") as sock:
            time.sleep(1.5)  # its patience is over, and the question's time is not
            self.first.signal(signal.SIGCONT)
            self.assert_answer(dns.Message(sock.recv(4096)), "192.0.2.1")

    def test_status_tells_each_targets_state(self):
        self.ask("before")
        status, text = self.sluice.command("status")
        self.assertEqual(0, status, text)
        for word in ("hub", "hub-resolver/inbound", "hub-resolver/outbound", "onprem",
                     "192.168.0.1", "192.168.0.2"):
            self.assertIn(word, text)


class Loops(harness.Case):
    """Rules that point at our own inbound endpoints are entered, not sent."""

    @classmethod
    def build(cls, world):
        cls.client = world.host("client", "10.20.0.5")
        cloud = world.host("cloud", "10.10.0.4", "10.10.0.20", "10.30.0.4", "10.30.0.20")
        cls.onprem = world.host("onprem", "192.168.0.1")
        cls.upstream = harness.Upstream(cls.onprem, "192.168.0.1", "192.0.2.1")
        text = CONFIG.replace('virtual_networks = (', '''virtual_networks = (
  { name = "other"; address_space = [ "10.30.0.0/16" ];
    subnets = ( { name = "dns-in";  prefix = "10.30.0.0/28";  delegation = "Microsoft.Network/dnsResolvers"; },
                { name = "dns-out"; prefix = "10.30.0.16/28"; delegation = "Microsoft.Network/dnsResolvers"; } ); },'''
            ).replace('resolvers = (', '''resolvers = (
  { name = "other-resolver"; virtual_network = "other";
    inbound_endpoints  = ( { name = "inbound"; subnet = "dns-in"; allocation = "static"; address = "10.30.0.4"; } );
    outbound_endpoints = ( { name = "outbound"; subnet = "dns-out"; } ); },''').replace(
            'rulesets = (', '''rulesets = (
  { name = "others"; outbound_endpoints = [ "other-resolver/outbound" ];
    links = ( { name = "other"; virtual_network = "other"; } );
    rules = ( %s,
              %s ); },''' % (rule("loop", "loop.test.", "10.10.0.4"),
                             rule("there", "there.test.", "192.168.0.1")))
        cls.sluice = harness.Sluice(cloud, text % ",\n".join([
            rule("loop", "loop.test.", "10.30.0.4"), rule("there", "there.test.", "10.30.0.4"),
            rule("fallback", "fallback.loop.test.", "10.30.0.4", "192.168.0.1")]),
            ("10.10.0.4", 53))

    def test_another_networks_endpoint_is_entered(self):
        self.assert_answer(self.client.ask("10.10.0.4", "www.there.test"), "192.0.2.1")
        self.assertEqual("10.30.0.20", self.upstream.questions("www.there.test")[0]["from"])

    def test_a_loop_is_servfail_and_named(self):
        for endpoint in ("10.10.0.4", "10.30.0.4"):
            answer = self.client.ask(endpoint, "www.loop.test")
            self.assert_rcode(answer, "SERVFAIL")
            self.assertIsNotNone(answer.ede, answer)
            self.assertRegex(answer.ede[1], "loop")

    def test_who_is_in_no_network_is_told_a_number(self):
        answer = self.onprem.ask("10.10.0.4", "www.loop.test")
        self.assert_rcode(answer, "SERVFAIL", ede=0)
        self.assertEqual("", answer.ede[1])

    def test_check_warns_of_the_loop(self):
        status, text = harness.command("check", "-c", self.sluice.config)
        self.assertEqual(0, status, text)
        self.assertRegex(text, r"warning: .*loop")


if __name__ == "__main__":
    harness.main()
