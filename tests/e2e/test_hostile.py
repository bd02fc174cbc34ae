"""A hostile upstream (hostile.py) does one deed after the other, each again and again, while a hundred
clients ask a well-behaved upstream: each of these gets the right answer in time. A question to the hostile
one gets what hostile.py says is due, every time, and nobody ever gets the lie.

One thing excuses another outcome: on a busy machine a target is late now and then, and then its answer is
rightly not waited for. An attempt in which the server's own status says so does not count."""

import collections
import contextlib
import select
import socket
import statistics
import sys
import threading
import time

import dns
import harness
import hostile
import servers
from hostile import CHAIN, IGNORED, TRUTH as IS_TRUE
from test_forwarding import config, rule

TRUTH, LIE, NEXT, GOOD = "192.0.2.1", "203.0.113.66", "192.0.2.2", "192.0.2.9"
SLUICE = ("10.10.0.4", 53)
TTL_MAX = 86400
# How often each deed is done, and until each client next door has asked; those that are waited for, for
# a target's patience, less often.
ATTEMPTS, ATTEMPTS_WAITED = (1, 1) if harness.VALGRIND else (8, 3)
LATE_MAX = 20
# After so many answers the server knows that a target repeats letters (TARGET_CASE_SURE), and a
# question that it does not answer is not asked by TCP as well.
LETTERS_SURE = 8
LEFT = "left"  # due: it is not waited for, and the next target answers; how it is counted is open
# So many packets, at least, are found to be nobody's answer; else one where the deed is IGNORED.
FORGED = {"silence": 0, "forged-first": 4, "guesses": 8}


class Crowd:
    """A hundred clients that ask the rule next door for new names, one client after the other, again and
    again, while the caller does something else."""

    CLIENTS, PAUSE_S = 100, 0.0025
    ROUNDS_MAX = 400
    SLOW_S = dns.PATIENCE / 30  # without what this thread itself was late by; less than HOLD_S
    # At most of a deed's attempts: a busy machine is so slow only at some, and where these are most of a
    # few, there are more of them for so long. Valgrind has one each.
    STOP_S = SLOW_S if harness.VALGRIND else 0.15
    MORE_S = dns.PATIENCE / 2

    def __init__(self, host, tag):
        with host.inside():
            self.socks = [dns.open_socket(socket.SOCK_DGRAM, SLUICE, None)
                          for _ in range(self.CLIENTS)]
        for sock in self.socks:
            sock.connect(SLUICE)
        self.tag, self.over = tag, threading.Event()
        self.waiting = {}  # socket: (name, id, when)
        self.times = []  # (when asked, when answered)
        self.asked, self.late_s, self.wrong = 0, 0, []
        self.thread = threading.Thread(target=self.run)

    def is_done(self):
        return self.asked >= self.ROUNDS_MAX * self.CLIENTS or (self.over.is_set() and self.has_asked())

    def has_asked(self):
        """Each of them, at least once."""
        return self.asked >= self.CLIENTS

    def ask(self):
        """The next client's turn, unless it still waits."""
        sock = self.socks[self.asked % self.CLIENTS]
        self.asked += 1
        if sock not in self.waiting:
            name, ident = "%s-%d.good.test" % (self.tag, self.asked), self.asked % 65536
            self.waiting[sock] = (name, ident, time.monotonic())
            sock.send(dns.query(name, ident=ident, opts=(dns.opt(),)))

    def receive(self, sock):
        packet = sock.recv(65535)
        now = time.monotonic()
        name, ident, sent = self.waiting.pop(sock, (None, None, now))
        self.times.append((sent, now))
        try:
            answer = dns.Message(packet)
            right = (name and answer.id == ident and answer.questions[0][0] == name + "."
                     and answer.texts() == [GOOD])
        except Exception as error:  # no DNS message at all
            right, answer = False, error
        if not right:
            self.wrong.append((name, answer))

    def run(self):
        due = end = time.monotonic()
        while not self.is_done() or (self.waiting and time.monotonic() < end + dns.PATIENCE):
            now = time.monotonic()
            if now >= due and not self.is_done():
                self.late_s = max(self.late_s, now - due)
                self.ask()
                due, end = now + self.PAUSE_S, now
            for sock in select.select(self.socks, [], [], self.PAUSE_S)[0]:
                self.receive(sock)
        self.wrong += [(name, "no answer") for name, _, _ in self.waiting.values()]

    def end(self):
        self.over.set()
        self.thread.join()
        for sock in self.socks:
            sock.close()

    def slowest_s(self, begin, end):
        """The longest that a client waited who was waiting at some time in between."""
        return max((answered - asked for asked, answered in self.times
                    if asked < end and answered > begin), default=0)

    def stalls(self):
        """How often somebody waited for long; all who wait at the same time count once."""
        count, until = 0, 0
        for asked, answered in sorted(self.times):
            if answered - asked >= self.SLOW_S + self.late_s and asked >= until:
                count, until = count + 1, answered
        return count

    def stops(self, spans):
        """Whether somebody waited long at most of these times, once all who asked then are answered."""
        harness.wait_for(lambda: all(sent > spans[-1][1] for _, _, sent in list(self.waiting.values())),
                         "clients next door to be answered")
        return statistics.median(self.slowest_s(*span) for span in spans) >= self.STOP_S

    @classmethod
    @contextlib.contextmanager
    def beside(cls, test, tag):
        crowd = cls(test.client, tag)
        crowd.thread.start()
        try:
            yield crowd
        finally:
            crowd.end()
        test.assertEqual([], crowd.wrong, "clients next door")
        # Once, a busy machine may have let one process of them all stand still.
        test.assertLessEqual(crowd.stalls(), 1, "clients next door waited")


class Hostile(harness.Process):
    def __init__(self, host, listen, other):
        name = "hostile-" + listen.replace(":", "_")
        self.questions_path = "%s/%s.json" % (host.world.dir, name)
        super().__init__(host, name, [sys.executable, hostile.__file__, listen, other, "53",
                                           TRUTH, LIE, self.questions_path])
        self.wait_ready((listen, 53))

    questions = harness.Upstream.questions


class HostileTarget(harness.Case):
    source, evil, evil_other, second, next_door = (
        "10.10.0.20", "192.168.0.1", "192.168.0.9", "192.168.0.2", "192.168.0.3")
    protocol = "udp"  # by which the hostile one is asked
    deeds = hostile.DEEDS  # one after the other, and all of them together
    attempts, attempts_waited, forged = ATTEMPTS, ATTEMPTS_WAITED, FORGED

    @classmethod
    def build(cls, world):
        cls.client = world.host("client", "10.20.0.5")
        evil = world.host("evil", cls.evil, cls.evil_other)
        onprem = world.host("onprem", cls.second, cls.next_door)
        cloud = world.host("cloud", "10.10.0.4", cls.source)
        cls.hostile = Hostile(evil, cls.evil, cls.evil_other)
        cls.next = servers.dnsmasq(onprem, cls.second, "address=/two.test/" + NEXT)
        cls.good = servers.dnsmasq(onprem, cls.next_door, "address=/good.test/" + GOOD)
        hostile_target = (cls.evil, cls.protocol)
        text = config(
            rule("two", "two.test.", hostile_target, cls.second),
            rule("alone", "alone.test.", hostile_target),
            rule("good", "good.test.", cls.next_door))
        cls.sluice = harness.Sluice(cloud, text.replace(
            'subnet = "dns-out";', 'subnet = "dns-out"; source = "%s";' % cls.source), SLUICE)
        cls.fresh = 0

    def name(self, deed, zone):
        type(self).fresh += 1
        return "%s-%d.%s" % (deed, self.fresh, zone)

    def ask(self, name, **how):
        return self.client.ask(SLUICE, name, **how)

    def revive(self, zone="two.test"):
        """The hostile target is first again: nobody suspects it."""
        harness.wait_for(lambda: self.ask(self.name("truth", zone)).texts() == [TRUTH],
                         "the hostile target to be asked first")

    @staticmethod
    def host_text(address):
        return ("[%s]:53" if ":" in address else "%s:53") % address

    def seen(self, target):
        """What the server makes of it."""
        found = self.sluice.status()
        row, = [row for row in found["targets"] if row["host"] == self.host_text(target)]
        return collections.Counter(
            {key: row[key] for key in ("answered", "errors", "probes", "timeouts", "suspicions")},
            mismatched=found["counters"]["mismatched"]), row["last_error"]

    def is_settled(self, target):
        """Nothing is added any more: a connection may end after its question is answered."""
        before = self.seen(target)
        time.sleep(0.1)
        return self.seen(target) == before

    def assert_no_lie(self, answer):
        self.assertIsNotNone(answer, "nothing was answered")
        self.assertNotIn(socket.inet_aton(LIE), answer.packet, answer)
        self.assertEqual([], [r for r in answer.answer if r.ttl > TTL_MAX], answer)

    def chain(self, name):
        """What is found behind a name, in small letters: a loop is cut where it closes, and what leads
        on more than 16 times is an error, asked for one by one or told at once."""
        label, zone = name.split(".", 1)
        deed, number = label.rsplit("-", 1)
        here, ahead = ["%s-%d.%s." % (deed, int(number) + i, zone) for i in range(2)]
        return {"cname-self": ("NOERROR", [here]), "cname-loop": ("NOERROR", [ahead, here])}.get(
            deed, ("SERVFAIL", []))

    def assert_due(self, deed, due, name, answers, more, last_error):
        """`more`: of what the target's row of the status counts, since it was asked."""
        wanted = (self.chain(name) if due == CHAIN else
                  ("NOERROR", [TRUTH if due == IS_TRUE else NEXT]))
        for answer in answers:
            self.assertEqual(wanted, (answer.rcode, [text.lower() for text in answer.texts()]))
        if due == LEFT:
            return
        if due in (IS_TRUE, CHAIN):
            self.assertEqual(0, more["errors"], last_error)
        elif due == IGNORED:
            self.assertEqual((0, 0), (more["errors"], more["answered"]), last_error)
        else:
            self.assertGreater(more["errors"], 0)
            self.assertIn(last_error, due if isinstance(due, tuple) else (due,))

    def attempt(self, deed, due, zone, target):
        """Whether it counts: the target was not late."""
        self.revive(zone)
        name = self.name(deed, zone)
        before, _ = self.seen(target)
        answers = self.swapped(name) if deed == "swapped" else [self.ask(name)]
        for answer in answers:
            self.assert_no_lie(answer)
        least = 0 if due == LEFT else self.forged.get(deed, int(due == IGNORED))

        def counted():
            after, last_error = self.seen(target)
            more = after - before
            silent = last_error == hostile.SILENT and due != hostile.SILENT  # as a busy machine makes it
            late = due not in (IGNORED, LEFT) and (
                more["probes"] + more["timeouts"] + more["suspicions"] > 0 or more["errors"] > 0 and silent)
            return (late or more["mismatched"] >= least) and (late, more, last_error)
        late, more, last_error = harness.wait_for(counted, "forged packets to be counted")
        if late:
            return False
        if due == LEFT:
            harness.wait_for(lambda: self.is_settled(target), "its connections to end")
        # Where another one answered, this one may still have the question to read.
        harness.wait_for(lambda: self.hostile.questions(name), "the hostile target to be asked")
        self.assert_due(deed, due, name, answers, more, last_error)
        return True

    def assert_deed(self, deed, due, zone, target):
        waited = due in (IGNORED, LEFT, hostile.SILENT)
        wanted = self.attempts_waited if waited else self.attempts
        counted, late, spans = 0, 0, []
        with Crowd.beside(self, deed) as crowd:
            enough, end = wanted, time.monotonic() + Crowd.MORE_S
            while (counted < enough or not crowd.has_asked()) and late < LATE_MAX:
                begin = time.monotonic()
                good = self.attempt(deed, due, zone, target)
                spans.append((begin, time.monotonic()))
                counted, late = counted + good, late + (not good)
                if due == IS_TRUE and deed != "swapped" and zone == "two.test":
                    # who has nobody else waits for it, however late it is
                    self.assert_answer(self.ask(self.name(deed, "alone.test")), TRUTH)
                if counted >= enough and crowd.has_asked() and time.monotonic() < end and crowd.stops(spans):
                    enough = 2 * counted
        self.assertLessEqual(wanted, counted, "late again and again")
        self.assertFalse(crowd.stops(spans), "clients next door wait at most attempts")

    def swapped(self, name):
        """The answers of two questions, which change places on their way."""
        names, answers = [name, self.name("swapped", "two.test")], []
        for sock, each in zip([self.client.begin(SLUICE, each) for each in names], names):
            with sock:
                answers.append(dns.Message(sock.recv(65535)))
                self.assertEqual(each.lower() + ".", answers[-1].questions[0][0])
        return answers

    def test_every_deed_beside_a_hundred_clients(self):
        for _ in range(LETTERS_SURE):
            self.revive()
        for deed, due in self.deeds.items():
            with self.subTest(deed=deed):
                self.assert_deed(deed, due, "two.test", self.evil)

    def test_guesses_are_in_the_log_and_the_question_goes_by_tcp_too(self):
        name = self.name("guesses", "alone.test")
        self.assert_answer(self.ask(name), TRUTH)
        harness.wait_for(lambda: "replies that seem to be from %s" % self.host_text(self.evil)
                         in self.sluice.log(), "a line in the log")
        harness.wait_for(lambda: {q["by"] for q in self.hostile.questions(name)} == {"udp", "tcp"},
                         "the question by TCP")

    def assert_cut(self, deed, answer):
        """Nobody gets a part of an answer that is cut (RFC 2181, 9)."""
        self.assertTrue(answer.flags & dns.TC, (deed, answer))
        self.assertEqual([], answer.answer + answer.authority, deed)

    def test_with_no_other_target_the_error_says_so(self):
        """A deed that holds up clients next door does so each time, a busy machine does not."""
        for attempt in range(3):
            crowd = self.with_no_other_target("alone%d" % attempt)
            if crowd.stalls() == 0:
                return
        self.fail("clients next door waited each time")

    def with_no_other_target(self, tag):
        """All deeds at once, to a rule with nobody else to ask. By TCP, an answer that is cut comes after them:
        a deed may hold up the connection that it shares with other questions. Gives the crowd next door."""
        deeds = [deed for deed, due in self.deeds.items() if due not in (IS_TRUE, CHAIN)]
        cut = [deed for deed in deeds if deed.startswith("tc-" if self.protocol == "udp" else "tc-always")]
        later = cut if self.protocol == "tcp" else []
        with Crowd.beside(self, tag) as crowd:
            at_once = [deed for deed in deeds if deed not in later]
            socks = [self.client.begin(SLUICE, self.name(deed, "alone.test")) for deed in at_once]
            for deed, sock in zip(at_once, socks):
                with sock, self.subTest(deed=deed):
                    answer = dns.Message(sock.recv(65535))
                    self.assert_no_lie(answer)
                    if deed in cut:
                        self.assert_cut(deed, answer)
                    else:
                        self.assert_rcode(answer, "SERVFAIL", ede=(22, 23))
            for deed in later:
                self.revive("alone.test")
                self.assert_cut(deed, self.ask(self.name(deed, "alone.test")))
        return crowd

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
                self.assertLessEqual(len(self.hostile.questions()) - before, 17 + LATE_MAX)

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
