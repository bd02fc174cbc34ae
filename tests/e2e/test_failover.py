"""What a rule's targets and its endpoints' addresses may do without a question being lost: an
address that vanishes, five of six dead, all six, one that comes and goes, errors for one domain."""

import contextlib
import itertools
import json
import re
import select
import signal
import socket
import struct
import threading
import time

import dns
import harness
from test_forwarding import CONFIG, config, rule

SLUICE = ("10.10.0.4", 53)
SIX = ["192.168.0.%d" % i for i in range(1, 7)]
OUT2 = '{ name = "dns-out2"; prefix = "10.10.0.32/28"; delegation = "Microsoft.Network/dnsResolvers"; }'


def two_endpoints(*rules):
    """test_forwarding's configuration with a second outbound endpoint, 10.10.0.36."""
    text = CONFIG.replace("} ); } );\nresolvers", "},\n    %s ); } );\nresolvers" % OUT2, 1)
    text = text.replace('{ name = "outbound"; subnet = "dns-out"; }',
                        '{ name = "outbound"; subnet = "dns-out"; },'
                        ' { name = "second"; subnet = "dns-out2"; }')
    text = text.replace('"hub-resolver/outbound" ]', '"hub-resolver/outbound", "hub-resolver/second" ]')
    return text % ",\n".join(rules)


class Asking:
    def ask(self, name):
        return self.client.ask(SLUICE, name)

    def ask_all(self, names):
        """Asks them at once; the answers by name."""
        with contextlib.ExitStack() as stack:
            waiting = {stack.enter_context(self.client.begin(SLUICE, name)): name for name in names}
            answers = {}
            end = time.monotonic() + dns.PATIENCE
            while waiting and time.monotonic() < end:
                for sock in select.select(list(waiting), [], [], 0.5)[0]:
                    answers[waiting.pop(sock)] = dns.Message(sock.recv(65535))
        return answers


class Elsewhere(threading.Thread):
    """A server that answers 192.0.2.1 from where `by` says: itself, or another address of its machine."""

    def __init__(self, host, address, other):
        super().__init__(daemon=True)
        self.by, self.sockets = "other", {}
        with host.inside():
            for name, at in (("itself", (address, 53)), ("other", (other, 5353))):
                self.sockets[name] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                self.sockets[name].bind(at)

    def run(self):
        while True:
            packet, client = self.sockets["itself"].recvfrom(4096)
            if not packet:
                return
            answer = struct.pack("!HHHIH", 0xc00c, 1, 1, 1, 4) + socket.inet_aton("192.0.2.1")
            self.sockets[self.by].sendto(packet[:2] + struct.pack("!5H", 0x8180, 1, 1, 0, 0) +
                                         packet[12:packet.index(b"\0", 12) + 5] + answer, client)


class Mismatches(Asking, harness.FreshCase):
    def build(self, world):
        self.client = world.host("client", "10.20.0.5")
        onprem = world.host("onprem", "192.168.0.1", "192.168.0.9")
        self.cloud = world.host("cloud", "10.10.0.4", "10.10.0.20")
        self.server = Elsewhere(onprem, "192.168.0.1", "192.168.0.9")
        self.server.start()
        self.sluice = harness.Sluice(self.cloud, config(rule("corp", "corp.test.", "192.168.0.1")) + (
            'metrics = { listen = [ "http://127.0.0.1:9153" ]; };\n'), SLUICE)

    def target(self):
        return next(one for one in self.sluice.status()["targets"] if one["host"] == "192.168.0.1:53")

    def test_a_server_that_answers_from_elsewhere_is_named(self):
        for number in range(3):
            self.assert_rcode(self.ask("n%d.corp.test" % number), "SERVFAIL", ede=(22, 23))
        other = "something else answers: 192.168.0.9:5353"
        target = self.target()
        self.assertEqual(("suspect", 0, other), (target["state"], target["answered"], target["other"]))
        self.assertGreaterEqual(target["mismatched"], 3)
        self.assertIn("\n      %s; since " % other, self.sluice.command("status")[1])
        harness.wait_for(lambda: re.search(r"warning target: 192\.168\.0\.1:53 .* is suspect, .*: it does not answer(, %s)?; "
                                           % re.escape(other), self.sluice.log()), "the event")
        told = self.cloud.run("curl", "-s", "http://127.0.0.1:9153/metrics")[1]
        self.assertRegex(told, r'(?m)^sluice_target_mismatched_replies_total\{target="192\.168\.0\.1:53",[^}]*\} [1-9]')
        self.server.by = "itself"
        fresh = ("b%d.corp.test" % i for i in itertools.count())
        harness.wait_for(lambda: self.ask(next(fresh)).rcode == "NOERROR", "the server to answer itself")
        target = self.target()
        self.assertEqual(("up", None), (target["state"], target["other"]))
        self.assertNotIn("something else", self.sluice.command("status")[1])


class Sources(Asking, harness.FreshCase):
    def build(self, world):
        self.client = world.host("client", "10.20.0.5")
        onprem = world.host("onprem", "192.168.0.1")
        self.cloud = world.host("cloud", "10.10.0.4", "10.10.0.20", "10.10.0.36")
        self.target = harness.Upstream(onprem, "192.168.0.1", "192.0.2.1")
        self.sluice = harness.Sluice(self.cloud, two_endpoints(
            rule("corp", "corp.test.", "192.168.0.1"),
            rule("tcp", "tcp.test.", ("192.168.0.1", "tcp"))), SLUICE)

    def source_of(self, name):
        answer = self.ask(name)
        self.assert_answer(answer, "192.0.2.1")
        return self.target.questions(name)[-1]["from"]

    def remove(self, address):
        harness.sh("ip", "-n", "cloud", "addr", "del", address + "/32", "dev", "eth0")

    def test_a_vanished_source_is_replaced_by_the_second_endpoint_and_returns(self):
        for zone in ("corp.test", "tcp.test"):
            with self.subTest(zone=zone):
                fresh = ("%s%d.%s" % (zone[0], i, zone) for i in itertools.count())
                harness.wait_for(lambda: self.source_of(next(fresh)) == "10.10.0.20",
                                 "the first endpoint to be used")  # where its answer was late: the second
                self.remove("10.10.0.20")
                for _ in range(10):
                    self.assertEqual("10.10.0.36", self.source_of(next(fresh)))
                self.cloud.add_address("10.10.0.20")
                harness.wait_for(lambda: self.source_of(next(fresh)) == "10.10.0.20",
                                 "the first endpoint to be used again")

    def test_questions_under_way_when_it_vanishes_are_answered(self):
        names = ["late300.n%d.corp.test" % i for i in range(20)]
        with contextlib.ExitStack() as stack:
            socks = [stack.enter_context(self.client.begin(SLUICE, name)) for name in names]
            harness.wait_for(lambda: {name + "." for name in names} <= {
                q["name"] for q in self.target.questions()}, "the questions")
            self.remove("10.10.0.20")
            for sock in socks:
                self.assert_answer(dns.Message(sock.recv(65535)), "192.0.2.1")

    def said(self, pattern):
        return re.search(pattern, self.sluice.log())

    def test_that_a_source_goes_and_comes_is_in_the_log_with_its_rules(self):
        self.remove("10.10.0.36")
        line = harness.wait_for(lambda: self.said(r"warning source: 10\.10\.0\.36, .*"), "a line").group()
        self.assertIn("the source of hub-resolver/second, is gone", line)
        self.assertIn("; 2 rules go on", line)
        self.remove("10.10.0.20")
        line = harness.wait_for(lambda: self.said(r"warning source: 10\.10\.0\.20, .*"), "a line").group()
        self.assertTrue(line.endswith("; cannot be answered: onprem/corp, onprem/tcp"), line)
        text = self.sluice.command("status")[1]
        self.assertIn("! 2 rules cannot be answered: onprem/corp, onprem/tcp (no interface has 10.10.0.20).\n", text)
        self.assertIn("! No interface has 10.10.0.20, the source of hub-resolver/outbound; 10.10.0.36, the source of "
                      "hub-resolver/second.\n", text)
        self.cloud.add_address("10.10.0.20")
        line = harness.wait_for(lambda: self.said(r"info source: 10\.10\.0\.20, .*"), "a line",
                                2 * dns.PATIENCE).group()
        self.assertRegex(line, r"is back after \d.* s; answered again: onprem/corp, onprem/tcp$")

    def test_that_an_address_of_ours_goes_and_comes_is_an_event(self):
        present = lambda: [each["present"] for each in self.sluice.status()["inbound_endpoints"]]
        self.assertEqual([True], present())
        self.assertIsNone(self.said("listener: "))
        self.remove("10.10.0.4")
        harness.wait_for(lambda: self.said(r"warning listener: 10\.10\.0\.4:53, where hub-resolver/inbound "
                                           r"listens, is gone: no interface has it, so nobody can ask there\n"),
                         "a line", 2 * dns.PATIENCE)
        self.assertEqual([False], present())
        self.cloud.add_address("10.10.0.4")
        harness.wait_for(lambda: self.said(r"info listener: 10\.10\.0\.4:53, where hub-resolver/inbound "
                                           r"listens, is back after \d+(\.\d)? s\n"), "a line", 2 * dns.PATIENCE)
        self.assertEqual([True], present())
        told = json.loads(self.sluice.command("events", "--json")[1])
        self.assertEqual(["warning", "info"], [event["level"] for event in told if event["event"] == "listener"])

    def test_without_any_source_the_error_says_so(self):
        self.remove("10.10.0.20")
        self.remove("10.10.0.36")
        self.assert_rcode(self.ask("www.corp.test"), "SERVFAIL", ede=(22, 23))


class NoWay(Asking, harness.FreshCase):
    """The routes to a target are the target's trouble, and nobody else's."""

    def build(self, world):
        self.client = world.host("client", "10.20.0.5")
        self.cloud = world.host("cloud", "10.10.0.4", "10.10.0.20", "10.10.0.36")
        for i in (1, 2):
            harness.Upstream(world.host("onprem%d" % i, "192.168.0.%d" % i), "192.168.0.%d" % i,
                             "192.0.2.%d" % i)
        self.sluice = harness.Sluice(self.cloud, two_endpoints(*[
            rule(protocol + name, "%s.%s.test." % (name, protocol),
                 *[("192.168.0.%d" % i, protocol) for i in hosts])
            for protocol in ("udp", "tcp") for name, hosts in (("lone", (1,)), ("pair", (1, 2)))]),
            SLUICE)

    @contextlib.contextmanager
    def without_a_way(self, kind):
        harness.sh("ip", "-n", "cloud", "route", "add", kind, "192.168.0.1/32")
        try:
            yield
        finally:
            harness.sh("ip", "-n", "cloud", "route", "del", kind, "192.168.0.1/32")

    def troubles(self, address, protocol):
        """What a target's troubles were last, by the endpoints that had any."""
        rows = self.sluice.status()["targets"]
        return {row["source"]: (row["state"], row["last_error"]) for row in rows
                if row["host"] == address + ":53" and row["protocol"] == protocol and row["errors"]}

    def pass_over(self, kind):
        for protocol in ("udp", "tcp"):
            with self.subTest(protocol=protocol):
                fresh = ("n%d.pair.%s.test" % (i, protocol) for i in itertools.count())
                with self.without_a_way(kind):
                    for _ in range(3):
                        self.assert_answer(self.ask(next(fresh)), "192.0.2.2")
                    troubles = self.troubles("192.168.0.1", protocol)
                    self.assertEqual(("suspect", "network error"), troubles["10.10.0.20"])
                harness.wait_for(lambda: self.ask(next(fresh)).texts() == ["192.0.2.1"],
                                 "the target to be asked again")

    def test_a_target_behind_a_black_hole_is_passed_over(self):
        self.pass_over("blackhole")

    def test_a_target_that_is_unreachable_is_passed_over(self):
        self.pass_over("unreachable")

    def test_a_target_that_is_prohibited_is_passed_over(self):
        self.pass_over("prohibit")

    def test_a_lone_target_without_a_way_is_waited_for_by_every_endpoint(self):
        for protocol in ("udp", "tcp"):
            with self.subTest(protocol=protocol):
                with self.without_a_way("blackhole"):
                    begin = time.monotonic()
                    answer = self.ask("www.lone.%s.test" % protocol)
                    self.assertGreater(time.monotonic() - begin, 3.9)
                    self.assert_rcode(answer, "SERVFAIL", 23, "192.168.0.1:53: network error")
                    self.assertEqual(dict.fromkeys(("10.10.0.20", "10.10.0.36"),
                                                   ("suspect", "network error")),
                                     self.troubles("192.168.0.1", protocol))
                self.assert_answer(self.ask("then.lone.%s.test" % protocol), "192.0.2.1")


class SixTargets(Asking, harness.FreshCase):
    def build(self, world):
        self.client = world.host("client", "10.20.0.5")
        self.onprem = world.host("onprem", *SIX)
        cloud = world.host("cloud", "10.10.0.4", "10.10.0.20")
        self.targets = [harness.Upstream(self.onprem, address, "192.0.2.%d" % (i + 1))
                        for i, address in enumerate(SIX)]
        self.sluice = harness.Sluice(cloud, config(
            rule("six", "six.test.", *SIX), rule("first", "first.test.", SIX[0]),
            *[rule("pair%d" % i, "pair%d.test." % i, *SIX[2 * i:2 * i + 2]) for i in range(3)]),
            SLUICE)

    def freeze(self, targets):
        for target in targets:
            harness.freeze(target.child.pid)

    def thaw(self, targets):
        for target in targets:
            target.signal(signal.SIGCONT)

    def test_five_of_six_dead_from_the_start_and_all_is_answered(self):
        self.freeze(self.targets[:5])
        answers = self.ask_all(["first%d.six.test" % i for i in range(20)])
        answers.update((name, self.ask(name)) for name in
                       ["then%d.six.test" % i for i in range(40)])
        self.assertEqual(60, len(answers))
        for answer in answers.values():
            self.assert_answer(answer, "192.0.2.6")

    def test_all_six_dead_is_a_servfail_and_about_one_packet_a_question(self):
        names = ["silent.a%d.six.test" % i for i in range(30)]
        answers = self.ask_all(names)  # who find out
        names += ["silent.b%d.six.test" % i for i in range(200)]
        begin = time.monotonic()
        answers.update(self.ask_all(names[30:]))
        took_s = time.monotonic() - begin
        self.assertEqual(set(names), set(answers))
        for answer in answers.values():
            self.assert_rcode(answer, "SERVFAIL", ede=(22, 23))
        packets = sorted(sum(q["name"].startswith("silent.b") for q in target.questions())
                         for target in self.targets)
        # One each, and what goes to the others beside: one in 500 ms after a while.
        self.assertLessEqual(packets[-1], 200 + 2 + 3 * took_s, packets)
        self.assertLessEqual(packets[-2], 2 + 3 * took_s, packets)

    def said(self, pattern):
        return re.search(pattern, self.sluice.log())

    def test_that_a_target_is_dead_and_back_is_in_the_log_with_its_rules(self):
        fresh = ("n%d.first.test" % i for i in itertools.count())

        def says(pattern):
            """While questions come: no others tell how a target is."""
            self.client.begin(SLUICE, next(fresh)).close()
            time.sleep(0.2)
            return self.said(pattern)
        self.assert_answer(self.ask("before.first.test"), "192.0.2.1")
        self.freeze(self.targets[:1])
        line = harness.wait_for(lambda: says(r"warning target: 192\.168\.0\.1:53 .*"), "a line").group()
        self.assertIn("is suspect", line)
        self.assertIn("it does not answer", line)
        harm = "cannot be answered: onprem/first; 2 others go on"
        self.assertTrue(line.endswith("; " + harm), line)
        text = self.sluice.command("status")[1]
        self.assertRegex(text, r"\n! 1 rule cannot be answered, since \S+: onprem/first \(192\.168\.0\.1:53 does not answer\)\.\n")
        self.assertRegex(text, r"\n  192\.168\.0\.1:53 .*suspect.*\n"
                               r"      since .*; %s\n" % harm)
        self.assertIn(("does not answer", harm), {(one["says"], one["harm"]) for one in self.sluice.status()["targets"]})
        self.thaw(self.targets[:1])
        line = harness.wait_for(lambda: says(r"info target: 192\.168\.0\.1:53 .*"), "a line",
                                2 * dns.PATIENCE).group()
        self.assertRegex(line, r"is back after \d.* s.*; answered again: onprem/first$")

    def test_a_target_that_comes_and_goes_loses_no_question(self):
        names, answers = ["flap%d.six.test" % i for i in range(240)], {}
        for start in range(0, len(names), 20):
            (self.freeze if start % 40 == 0 else self.thaw)(self.targets[:1])
            answers.update(self.ask_all(names[start:start + 20]))
        self.thaw(self.targets[:1])
        self.assertEqual(set(names), set(answers))
        for answer in answers.values():
            self.assertIn(answer.texts(), [["192.0.2.%d" % n] for n in range(1, 7)], answer)

    def states(self):
        """(state, last error) of each target."""
        rows = {row["host"]: row for row in self.sluice.status()["targets"]}
        return [(row["state"], row["last_error"]) for row in (rows[host + ":53"] for host in SIX)]

    def test_errors_for_one_domain_are_not_held_against_others(self):
        scripts, by_the_first = ("servfail", "refused", "lame", "mangled"), 0
        for i in range(30):
            for script in scripts:
                answer = self.ask("%s.broken%d.six.test" % (script, i))
                self.assert_rcode(answer, "SERVFAIL", ede=(22, 23))
                if i == 0:  # who is suspect has been silent, as on a busy machine
                    self.assertLessEqual({error for state, error in self.states()
                                          if state == "suspect"}, {"no answer"})
            by_the_first += self.answered_by_the_first("fine%d.six.test" % i)
            # Where the first alone has had an error, the second would be asked.
            answer = self.ask("%s.broken%d.first.test" % (scripts[i % 4], i))
            self.assert_rcode(answer, "SERVFAIL", ede=(22, 23))
            self.answered_by_the_first("good%d.six.test" % i)
        self.assertGreater(by_the_first, 3)
        by_the_second = {q["name"] for q in self.targets[1].questions()
                         if q["name"].startswith("good")}
        self.assertLess(len(by_the_second), 30 - 3)

    def answered_by_the_first(self, name):
        """By one of the six in any case: on a busy machine the first is late now and then."""
        texts = self.ask(name).texts()
        self.assertIn(texts, [["192.0.2.%d" % n] for n in range(1, 7)])
        return texts == ["192.0.2.1"]

    def test_a_late_reply_is_a_sign_of_life_and_answers_nothing_else(self):
        by_the_first = 0
        for i in range(12):
            self.answered_by_the_first("late1000.l%d.six.test" % i)
            time.sleep(1)  # those that are under way arrive
            by_the_first += self.answered_by_the_first("after%d.six.test" % i)
            if by_the_first == 3:
                break
        self.assertGreater(by_the_first, 0)

    def test_a_reply_that_nobody_waits_for_any_more_is_a_sign_of_life(self):
        """Both of a pair hold their answers; the first answers, and only then the second. On a busy machine the
        patience for the second may be over by then: there are three pairs."""
        def came():
            counters = self.sluice.status()["counters"]
            return counters["late"] + counters["mismatched"]
        heard = 0
        for i in range(3):
            name, (first, second), before = "held.pair%d.test" % i, self.targets[2 * i:2 * i + 2], came()
            with contextlib.closing(self.client.begin(SLUICE, name)) as asker:
                for target in first, second:
                    harness.wait_for(lambda: target.questions(name), "the question")
                first.release()
                texts = dns.Message(asker.recv(65535)).texts()
            second.release()
            harness.wait_for(lambda: came() > before, "the second target's reply")
            heard += texts == ["192.0.2.%d" % (2 * i + 1)] and self.states()[2 * i + 1][0] == "up"
        self.assertGreater(heard, 0)


if __name__ == "__main__":
    harness.main()
