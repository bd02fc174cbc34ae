#!/usr/bin/env python3
"""A hostile upstream (hostile.py), one deed after the other, each with a hundred clients beside it
who ask a well-behaved one: every one of them gets the right answer, whoever asks the hostile one
gets the next target's or an error that says so, and nobody ever the lie."""

import select
import socket
import sys
import threading
import time

import dns
import harness
import hostile
import servers
from test_forwarding import config, rule

TRUTH, LIE, NEXT, GOOD = "192.0.2.1", "203.0.113.66", "192.0.2.2", "192.0.2.9"
SLUICE = ("10.10.0.4", 53)
CLIENTS = 100
TTL_MAX = 86400


class Crowd:
    """A hundred clients with a question each to the rule next door, under way while the caller does
    something else. `wrong` are those who were not answered, or not with GOOD."""

    def __init__(self, host, tag):
        self.names = ["%s-%d.good.test" % (tag, i) for i in range(CLIENTS)]
        with host.inside():
            self.socks = [dns.open_socket(socket.SOCK_DGRAM, SLUICE, None) for _ in self.names]
        self.wrong = dict(enumerate(self.names))
        self.thread = threading.Thread(target=self.run)

    def run(self):
        for sock, name in zip(self.socks, self.names):
            sock.connect(SLUICE)
            sock.send(dns.query(name, opts=(dns.opt(),)))
        end = time.monotonic() + dns.PATIENCE
        waiting = {sock.fileno(): i for i, sock in enumerate(self.socks)}
        while waiting and time.monotonic() < end:
            for fd in select.select(list(waiting), [], [], 0.5)[0]:
                i = waiting.pop(fd)
                answer = dns.Message(self.socks[i].recv(65535))
                if answer.texts() == [GOOD]:
                    del self.wrong[i]
                else:
                    self.wrong[i] = answer

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.thread.join()
        for sock in self.socks:
            sock.close()


class Hostile(harness.Process):
    def __init__(self, host, listen, other):
        self.questions_path = "%s/hostile.json" % host.world.dir
        super().__init__(host, "hostile", [sys.executable, hostile.__file__, listen, other, "53",
                                           TRUTH, LIE, self.questions_path])
        self.wait_ready((listen, 53))

    questions = harness.Upstream.questions


class HostileTarget(harness.Case):
    @classmethod
    def build(cls, world):
        cls.client = world.host("client", "10.20.0.5")
        evil = world.host("evil", "192.168.0.1", "192.168.0.9")
        onprem = world.host("onprem", "192.168.0.2", "192.168.0.3")
        cloud = world.host("cloud", "10.10.0.4", "10.10.0.20")
        cls.hostile = Hostile(evil, "192.168.0.1", "192.168.0.9")
        cls.next = servers.dnsmasq(onprem, "192.168.0.2", "address=/two.test/" + NEXT)
        cls.good = servers.dnsmasq(onprem, "192.168.0.3", "address=/good.test/" + GOOD)
        cls.sluice = harness.Sluice(cloud, config(
            rule("two", "two.test.", "192.168.0.1", "192.168.0.2"),
            rule("alone", "alone.test.", "192.168.0.1"),
            rule("good", "good.test.", "192.168.0.3")), SLUICE)
        cls.fresh = 0

    def name(self, deed, zone):
        type(self).fresh += 1
        return "%s-%d.%s" % (deed, self.fresh, zone)

    def ask(self, name, **how):
        with self.client.inside():
            return dns.ask(SLUICE, name, **how)

    def revive(self):
        """The hostile target is first again: nobody suspects it."""
        harness.wait_for(lambda: self.ask(self.name("truth", "two.test")).texts() == [TRUTH],
                         "the hostile target to be asked first")

    def assert_no_lie(self, answer):
        self.assertIsNotNone(answer, "nothing was answered")
        self.assertNotIn(socket.inet_aton(LIE), answer.packet, answer)
        self.assertEqual([], [r for r in answer.answer if r.ttl > TTL_MAX], answer)

    def assert_what_is_due(self, deed, answer):
        due = hostile.DEEDS[deed]
        self.assert_no_lie(answer)
        if due == "end":
            self.assertIn(answer.rcode, ("NOERROR", "SERVFAIL"))
            return
        self.assertEqual("NOERROR", answer.rcode, answer)
        self.assertIn(answer.texts(), [[NEXT]] if due == "next" else [[TRUTH], [NEXT]], answer)

    def assert_one(self, deed):
        """On a busy machine it is late now and then, and its truth too late: it does it again."""
        for _ in range(20):
            if self.attempt(deed):
                return
        self.fail("its answer was never taken, or it was never asked")

    def attempt(self, deed):
        self.revive()
        with Crowd(self.client, deed) as crowd:
            name = self.name(deed, "two.test")
            answers = self.swapped(name) if deed == "swapped" else [self.ask(name)]
            for answer in answers:
                self.assert_what_is_due(deed, answer)
        self.assertEqual({}, crowd.wrong, "clients next door")
        return self.hostile.questions(name) and (
            hostile.DEEDS[deed] != "truth" or all(a.texts() == [TRUTH] for a in answers))

    def swapped(self, name):
        """The answers of two questions, which change places on their way."""
        names, answers = [name, self.name("swapped", "two.test")], []
        with self.client.inside():
            socks = [dns.open_socket(socket.SOCK_DGRAM, SLUICE, None) for _ in names]
        for sock, each in zip(socks, names):
            sock.connect(SLUICE)
            sock.send(dns.query(each, opts=(dns.opt(),)))
        for sock, each in zip(socks, names):
            with sock:
                sock.settimeout(dns.PATIENCE)
                answers.append(dns.Message(sock.recv(65535)))
                self.assertEqual(each.lower() + ".", answers[-1].questions[0][0])
        return answers

    def test_every_deed_beside_a_hundred_clients(self):
        for deed in hostile.DEEDS:
            with self.subTest(deed=deed):
                self.assert_one(deed)

    def test_with_no_other_target_the_error_says_so(self):
        """All deeds at once, to a rule with nobody else to ask."""
        deeds = [deed for deed, due in hostile.DEEDS.items()
                 if due in ("next", "either") and deed != "swapped"]
        socks = []
        with Crowd(self.client, "alone") as crowd, self.client.inside():
            for deed in deeds:
                socks.append(dns.open_socket(socket.SOCK_DGRAM, SLUICE, None))
                socks[-1].connect(SLUICE)
                socks[-1].settimeout(dns.PATIENCE)
                socks[-1].send(dns.query(self.name(deed, "alone.test"), opts=(dns.opt(),)))
            for deed, sock in zip(deeds, socks):
                with sock, self.subTest(deed=deed):
                    answer = dns.Message(sock.recv(65535))
                    self.assert_no_lie(answer)
                    if deed.startswith("tc-"):  # cut: nobody gets a part of it (RFC 2181, 9)
                        self.assertTrue(answer.flags & dns.TC, answer)
                        self.assertEqual([], answer.answer + answer.authority)
                        continue
                    if answer.rcode == "NOERROR" and hostile.DEEDS[deed] == "either":
                        self.assertEqual([TRUTH], answer.texts())
                    else:
                        self.assert_rcode(answer, "SERVFAIL", ede=(22, 23))
        self.assertEqual({}, crowd.wrong, "clients next door")

    def test_what_it_says_of_others_is_not_believed(self):
        for deed in ("extra", "glue"):
            self.assert_answer(self.ask(self.name(deed, "alone.test")), TRUTH)
        for name in (hostile.VICTIM, "ns.good.test"):
            self.assert_answer(self.ask(name), GOOD)
        answer = self.ask("evil.test")  # nobody's: the default resolver is not there
        self.assert_no_lie(answer)

    def test_ttls_are_bounded_and_zero_is_not_kept(self):
        huge = self.ask(self.name("ttl-huge", "alone.test"))
        self.assertLessEqual(huge.answer[0].ttl, TTL_MAX)
        for deed in ("ttl-negative", "ttl-zero"):
            name = self.name(deed, "alone.test")
            for _ in range(2):
                answer = self.ask(name)
                self.assert_answer(answer, TRUTH)
                self.assertEqual(0, answer.answer[0].ttl)
            self.assertGreaterEqual(len(self.hostile.questions(name)), 2)

    def test_chains_end(self):
        for deed in ("cname-self", "cname-loop", "cname-endless", "cname-forty"):
            with self.subTest(deed=deed):
                before = len(self.hostile.questions())
                self.assert_no_lie(self.ask(self.name(deed, "alone.test")))
                self.assertLess(len(self.hostile.questions()) - before, 100)

    def test_a_duplicate_is_no_answer_to_the_next_question(self):
        for _ in range(5):
            self.assert_answer(self.ask(self.name("duplicates", "alone.test")), TRUTH)

    def test_it_knows_no_port_or_id_by_the_last(self):
        asked = [q for q in self.hostile.questions() if q["by"] == "udp"]
        while len(asked) < 50:
            self.ask(self.name("truth", "alone.test"))
            asked = [q for q in self.hostile.questions() if q["by"] == "udp"]
        self.assertGreater(len({q["id"] for q in asked}), len(asked) * 3 // 4)
        self.assertGreater(len({q["port"] for q in asked}), 20)


if __name__ == "__main__":
    harness.main()
