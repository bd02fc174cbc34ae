#!/usr/bin/env python3
"""A client that checks every answer, as the name tells what it must be (place.py).

usage: client.py WHO RATE UNTIL SEED LOG; WHO is one of place.CLIENTS, UNTIL the end by the monotonic
clock. Asks RATE questions a second, one in twenty by TCP, and asks again, twice at most: after 6 s of
silence, because a question that was not lost may take 4, or a second after a refusal; by TCP also a
second after it was not let in, or its connection was closed under it.

LOG has a line of JSON for every question that was not just answered right at once, or whose answer
depends on the time (kinds "now", "flip" and "ptr"), and at the end the counts, and how many were
asked when (by judge.TICK_S, from the clock's zero):

    kind, about     what was asked for; the rule, flip or slot
    tries           [when it left, in seconds, "udp" or "tcp", what it met with]: silence, refused,
                    closed, cut; the last is the one that `done` belongs to
    done            when the answer came, or it was given up
    outcome         right, servfail, silence, wrong, told (the texts have to be judged)
    name, texts, rcode, why"""

import collections
import json
import os
import queue
import random
import select
import selectors
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import dns
import judge
import place

SILENCE_S, ATTEMPTS, PAUSE_S = 6.0, 3, 1.0
REFUSALS = 10  # a second apart: a flood takes an endpoint's limit for itself, up to six seconds long
TCP_ATTEMPTS = 10  # a second apart: nobody gets in while strangers open connections by the thousand
SOCKETS, TCP_THREADS = 16, 6
UNREAD_S = 1.0  # so soon a reset on an open connection says that nobody had read the question
IDENT = 1  # by TCP, one question at a time
# How often each kind is asked for, of a hundred.
SHARES = {"zone": 12, "absent": 5, "split": 8, "chain": 10, "new": 22, "popular": 20, "missing": 5,
          "default": 8, "flip": 4, "now": 3, "ptr": 3}
UNIQUE = 4000000  # of each client, so that no two ask for the same new name


class Question:
    """name, type and what must come back: (rcode, texts), or None where the time decides."""

    def __init__(self, kind, about, name, due, rtype="A"):
        self.kind, self.about, self.name, self.due, self.rtype = kind, about, name, due, rtype
        self.tries, self.transport = [], "udp"

    def leaves(self):
        self.tries.append([time.monotonic(), self.transport, ""])
        return self.tries[-1][0]

    def meets(self, what):
        self.tries[-1][2] = what


class Asker:
    """Draws questions."""

    def __init__(self, who, seed):
        self.chance = random.Random("%s %s" % (seed, who))
        self.first = place.CLIENTS[who][2]
        self.unique = list(place.CLIENTS).index(who) * UNIQUE
        self.kinds, self.weights = list(SHARES), list(SHARES.values())

    def next(self):
        kind = self.chance.choices(self.kinds, self.weights)[0]
        question = getattr(self, kind)(self.chance.randrange)
        if self.chance.random() < 0.3:  # as people and resolvers write them
            question.name = "".join(self.chance.choice((c, c.upper())) for c in question.name)
        return question

    def fresh(self):
        self.unique += 1
        return self.unique

    def under(self, kind, letter, number, rule, rcode="NOERROR"):
        due = (rcode, [place.address(place.BY_RULE, number)] if rcode == "NOERROR" else [])
        return Question(kind, rule, "%s%d.%s" % (letter, number, place.rule_domain(rule)), due)

    def zone(self, draw):
        n = draw(place.HOSTS)
        return Question("zone", 0, "h%d.priv.test" % n,
                        ("NOERROR", [place.address(place.BY_ZONE, n)]))

    def absent(self, draw):
        return Question("absent", 0, "x%d.priv.test" % self.fresh(), ("NXDOMAIN", []))

    def split(self, draw):
        n = draw(place.HOSTS)
        return Question("split", 0, "s%d.split.test" % n,
                        ("NOERROR", [place.address(self.first, n)]))

    def chain(self, draw):
        n = draw(place.HOSTS)
        rule = place.chained_rule(n)
        return Question("chain", rule, "c%d.priv.test" % n, ("NOERROR", [
            "p%d.%s." % (n, place.rule_domain(rule)), place.address(place.BY_RULE, n)]))

    def new(self, draw):
        return self.under("new", "u", self.fresh(), draw(place.RULES - place.FLIPS))

    def popular(self, draw):
        n = int(place.POPULAR ** self.chance.random()) - 1  # Zipf's law
        return self.under("popular", "p", n, n * 7 % (place.RULES - place.FLIPS))

    def missing(self, draw):
        return self.under("missing", "x", self.fresh(), draw(place.RULES - place.FLIPS), "NXDOMAIN")

    def default(self, draw):
        n = self.fresh()
        return Question("default", 0, "u%d.web.example" % n,
                        ("NOERROR", [place.address(place.BY_DEFAULT, n)]))

    def flip(self, draw):
        rule = place.RULES - place.FLIPS + draw(place.FLIPS)
        return Question("flip", rule, "u%d.%s" % (self.fresh(), place.rule_domain(rule)), None)

    def now(self, draw):
        return Question("now", 0, "now.test", None)

    def ptr(self, draw):
        slot = draw(place.SLOTS)
        name = ".".join(reversed(place.slot_address(slot).split("."))) + ".in-addr.arpa"
        return Question("ptr", slot, name, None, "PTR")


class Client:
    def __init__(self, who, rate, until, seed, log):
        self.source, server, _ = place.CLIENTS[who]
        self.server = (server, 53)
        self.asker, self.rate, self.until = Asker(who, seed), rate, until
        self.log, self.lock = open(log, "w", buffering=1), threading.Lock()
        self.counts, self.asked_at = collections.Counter(), collections.Counter()
        self.by_tcp = queue.Queue()
        self.chooser, self.socks = selectors.DefaultSelector(), []
        for _ in range(SOCKETS):
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            dns.enlarge(sock, 1 << 22)
            sock.bind((self.source, 0))
            sock.connect(self.server)
            sock.setblocking(False)
            self.socks.append(sock)
            self.chooser.register(sock, selectors.EVENT_READ)
        self.waiting = {}                        # (socket, id): (question, cookie)
        self.order = collections.deque()         # (when it is late, key), oldest first
        self.again = collections.deque()         # (when, question): refused, to be asked again
        self.number = 0

    # ---- what came back ----

    def check(self, question, cookie, message):
        """(outcome, why)"""
        if not message.flags & dns.QR or not message.flags & dns.RA:
            return "wrong", "not an answer: flags %04x" % message.flags
        if [(q[0], q[1]) for q in message.questions] != [
                (question.name + ".", dns.type_number(question.rtype))]:
            return "wrong", "another question: %r" % message.questions
        if cookie and [d[:8] for code, d in message.options if code == 10] != [cookie]:
            return "wrong", "not our cookie: %r" % message.options
        if message.flags & dns.TC:
            return "cut", ""
        if message.rcode == "SERVFAIL":
            return "servfail", repr(message.ede)
        if message.rcode == "REFUSED":
            return "refused", repr(message.ede)
        if message.answer and message.answer[0].name.lower() != question.name.lower() + ".":
            return "wrong", "another owner"
        if question.due is None:
            return "told", ""
        told = (message.rcode, [text.lower() for text in message.texts()])
        return ("right", "") if told == question.due else ("wrong", "not %r" % (question.due,))

    def finish(self, question, outcome, done, message=None, why=""):
        with self.lock:
            self.counts["asked"] += 1
            self.counts["asked %s" % question.kind] += 1
            self.counts[outcome] += 1
            self.asked_at[int(question.tries[0][0] / judge.TICK_S)] += 1
            if question.transport == "tcp":
                self.counts["tcp"] += 1
            if outcome == "right" and len(question.tries) == 1:
                return
            self.log.write(json.dumps({
                "kind": question.kind, "about": question.about, "name": question.name,
                "tries": question.tries, "done": done,
                "outcome": outcome, "rcode": message and message.rcode, "why": why,
                "texts": message and [text.lower() for text in message.texts()]}) + "\n")

    @staticmethod
    def packet(question, ident, cookie):
        return dns.query(question.name, question.rtype, ident=ident, opts=(
            dns.opt(options=dns.option(10, cookie) if cookie else b""),))

    # ---- by UDP ----

    def send(self, question):
        self.number += 1
        sock, ident = self.socks[self.number % SOCKETS], self.number // SOCKETS & 0xffff
        cookie = os.urandom(8) if self.number % 3 == 0 else b""
        self.waiting[sock, ident] = question, cookie
        self.order.append((question.leaves() + SILENCE_S, (sock, ident)))
        for _ in range(2):  # the first may fail by the network's word about a packet before
            try:
                sock.send(self.packet(question, ident, cookie))
                return
            except OSError:
                pass

    def receive(self, sock):
        try:
            while True:
                self.judge(sock, sock.recv(65535))
        except (BlockingIOError, ConnectionRefusedError):
            pass

    def judge(self, sock, packet):
        now = time.monotonic()
        found = self.waiting.pop((sock, struct.unpack_from(">H", packet)[0]), None)
        if not found:
            self.counts["late or twice"] += 1
            return
        question, cookie = found
        try:
            message = dns.Message(packet)
        except (ValueError, IndexError, struct.error) as error:
            self.finish(question, "wrong", now, why="%r: %s" % (error, packet.hex()))
            return
        outcome, why = self.check(question, cookie, message)
        if outcome == "cut":
            question.meets("cut")
            question.transport = "tcp"
            self.by_tcp.put(question)
        elif outcome == "refused":
            self.counts["refused"] += 1
            self.repeat(question, "refused", now + PAUSE_S, REFUSALS)
        else:
            self.finish(question, outcome, now, message, why)

    def repeat(self, question, met, when, most=ATTEMPTS):
        question.meets(met)
        if len(question.tries) >= most:
            self.finish(question, "silence", time.monotonic())
        else:
            self.again.append((when, question))

    def sweep(self):
        now = time.monotonic()
        while self.order and self.order[0][0] <= now:
            found = self.waiting.pop(self.order.popleft()[1], None)
            if found:
                self.repeat(found[0], "silence", now)
        while self.again and self.again[0][0] <= now:
            self.send(self.again.popleft()[1])

    def run(self):
        threads = [threading.Thread(target=self.talk, daemon=True) for _ in range(TCP_THREADS)]
        for thread in threads:
            thread.start()
        due = time.monotonic()
        while True:
            now = time.monotonic()
            if now < self.until:
                due = max(due, now - 0.5)  # what was not asked for so long is not made up for
                while due <= now:
                    question = self.asker.next()
                    due += 1 / self.rate
                    if self.asker.chance.random() < 0.05 and question.due:
                        question.transport = "tcp"
                        self.by_tcp.put(question)
                    else:
                        self.send(question)
            elif not self.waiting and not self.again:
                break
            for key, _ in self.chooser.select(max(0, min(due - now, 0.05)) if now < self.until
                                              else 0.05):
                self.receive(key.fileobj)
            self.sweep()
        for _ in threads:
            self.by_tcp.put(None)
        for thread in threads:
            thread.join()
        self.log.write(json.dumps({"counts": self.counts, "asked_at": self.asked_at}) + "\n")

    # ---- by TCP: a connection for each thread, opened anew when it was closed ----

    def talk(self):
        sock = None
        while (question := self.by_tcp.get()) is not None:
            sock = self.ask_by_tcp(sock, question)

    def ask_by_tcp(self, sock, question):
        """The connection for the next one, or None."""
        for _ in range(TCP_ATTEMPTS):
            if sock and self.has_ended(sock):
                sock.close()
                sock = None
            sock, packet, met, why = self.exchange(sock, question)
            if packet:
                outcome, message, why = self.read(question, packet)
                if outcome != "refused":
                    # Cut by TCP: a target's word that there is more, and nobody who would tell it.
                    self.finish(question, "servfail" if outcome == "cut" else outcome,
                                time.monotonic(), message, why or outcome)
                    return sock
                met = "refused"
            question.meets(met)
            if met == "unread":  # an idle connection may be closed at any time (RFC 7766, 6.2.4)
                question.tries.pop()
            elif met != "silence":
                time.sleep(PAUSE_S)
        self.finish(question, "silence", time.monotonic(), why=why)
        return sock

    def read(self, question, packet):
        """(outcome, message, why)"""
        try:
            message = dns.Message(packet)
            outcome, why = self.check(question, b"", message)
        except (ValueError, IndexError, struct.error) as error:
            return "wrong", None, "%r: %s" % (error, packet.hex())
        return (outcome, message, why) if message.id == IDENT else ("wrong", message, "another id")

    @staticmethod
    def has_ended(sock):
        """Whether it is closed, as far as can be known; nothing is to be read otherwise."""
        return bool(select.select([sock], [], [], 0)[0])

    def exchange(self, sock, question):
        """(socket or None, packet or None, what was met with, and why). A connection that ends in
        order, or that was just made, has been closed under its question."""
        was_open, left = sock is not None, question.leaves()
        try:
            if not was_open:
                sock = dns.open_socket(socket.SOCK_STREAM, self.server, self.source)
                sock.settimeout(SILENCE_S)
                sock.connect(self.server)
            sock.sendall(dns.framed(self.packet(question, IDENT, b"")))
            return sock, dns.recv_framed(sock), "", ""
        except (OSError, EOFError) as error:
            met = "closed"
            if isinstance(error, socket.timeout):
                met = "silence"
            elif was_open and time.monotonic() - left < UNREAD_S and (
                    isinstance(error, OSError) or self.was_reset(sock)):
                met = "unread"
            if sock:
                sock.close()
            return None, None, met, repr(error)

    @staticmethod
    def was_reset(sock):
        """Whether the end of the connection crossed the question: the server's kernel has reset it
        then. A server that had read the question would have ended the connection without that."""
        until = time.monotonic() + UNREAD_S
        while time.monotonic() < until:
            if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                return True
            time.sleep(0.001)
        return False


def main():
    who, rate, until, seed, log = sys.argv[1:]
    Client(who, float(rate), float(until), seed, log).run()


if __name__ == "__main__":
    main()
