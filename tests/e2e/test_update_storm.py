"""Clients register all the time while everything else changes, and while the server is killed: what was
acknowledged is served from then on, also by the next process, and no message is there by half.

    KILLS=100 python3 tests/e2e/test_update_storm.py"""

import base64
import contextlib
import os
import random
import re
import socket
import threading
import time

import dns
import harness
from test_transfer_hostile import signed
from test_update import CLOUD, CONFIG, FRIEND, SECRET

# It is started as often as it is killed, which takes long under valgrind and ThreadSanitizer.
KILLS = int(os.environ.get("KILLS", "4"))
SEED = int(os.environ.get("SEED", "7"))
UPDATE, OPCODE = 5 << 11, 15 << 3
CLIENTS, SLOTS = 4, 8
LIFE_MS = 300
ZONE = "corp.internal"
SETS = 150  # a change of so many is made in a thread
ZONES = 'private_zones = ( { name = "%s"; record_sets = ( %s ); } );\n'
WITHOUT = CONFIG[:CONFIG.index("registration")]


def update(ident, zone, *records):
    packet = dns.header(ident, UPDATE, (1, 0, len(records), 0)) + dns.question(zone, "SOA")
    return signed(packet + b"".join(records), key="dhcp", secret=base64.b64decode(SECRET))


def address(number):
    return "10.10.%d.%d" % (number >> 8 & 255, number & 255)


def names_of(client, slot):
    return ["%s-%d-%d.%s" % (side, client, slot, ZONE) for side in ("a", "b")]


class Client(threading.Thread):
    """One message after the other, each of which gives two names the same address, or takes it away from
    both; before that, it looks whether they still have what they were given last."""

    def __init__(self, number, sock, state):
        super().__init__(daemon=True)
        self.number, self.sock = number, sock
        self.acknowledged, self.tried, self.sent = state  # by slot: the address, or None
        self.wrong, self.answered, self.looked, self.ending = [], 0, 0, threading.Event()

    def run(self):
        with self.sock:
            try:
                while not self.ending.is_set() and not self.wrong:
                    self.change()
            except OSError:
                pass  # it was killed

    def change(self):
        self.sent += 1
        slot = self.sent % SLOTS
        names = names_of(self.number, slot)
        if self.tried.get(slot) == self.acknowledged.get(slot):
            for name in names:
                self.look(name, self.acknowledged.get(slot))
        given = None if self.sent % 3 == 0 else address(self.sent)
        records = [dns.record(name, "A", b"", 0, dns.ANY_CLASS) for name in names]
        if given:
            records += [dns.record(name, "A", socket.inet_aton(given), 60) for name in names]
        self.tried[slot] = given
        answer = self.exchange(update(self.sent & 0xffff, ZONE, *records))
        if answer and answer.rcode != "NOERROR":
            self.wrong.append((names, answer.rcode))
        elif answer:
            self.acknowledged[slot] = given
            self.answered += 1

    def look(self, name, expected):
        self.looked = (self.looked + 1) & 0xffff  # not random: a late second answer is no other question's
        answer = self.exchange(dns.query(name, ident=self.looked))
        texts = answer.texts() if answer else None
        if answer and texts != ([expected] if expected else []):
            self.wrong.append((name, expected, texts))

    def exchange(self, packet):
        """None: it is to end. What gets no answer is sent again, as it is."""
        until = time.monotonic() + dns.PATIENCE
        while not self.ending.is_set() and time.monotonic() < until:
            with contextlib.suppress(ConnectionRefusedError):
                self.sock.send(packet)
            with contextlib.suppress(socket.timeout, ConnectionRefusedError):
                while True:
                    answer = self.sock.recv(4096)
                    if answer[:2] == packet[:2] and answer[2] & OPCODE == packet[2] & OPCODE:
                        return dns.Message(answer)
        if not self.ending.is_set():
            self.wrong.append("no answer")
        return None


class Storm(harness.FreshCase):
    def build(self, world):
        self.host = world.host("cloud", CLOUD, FRIEND)
        self.clients = []
        self.states = [({}, {}, 1000 * i) for i in range(CLIENTS)]
        self.start()

    def start(self):
        self.sluice = harness.Sluice(self.host, CONFIG % {"secret": SECRET}, (CLOUD, 53))
        self.sluice.wait_managed()

    def good(self, *argv):
        status, text = self.sluice.command(*argv)
        self.assertEqual(0, status, text + self.sluice.log()[-3000:])
        return text

    def begin(self):
        for i, state in enumerate(self.states):
            with self.host.inside():
                sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind(("0.0.0.0", 0))
            sock.connect((CLOUD, 53))
            sock.settimeout(0.5)
            self.clients.append(Client(i, sock, state))
        for client in self.clients:
            client.start()

    def goes_on(self):
        """Each client has had another ten of its changes acknowledged."""
        least = [client.answered + 10 for client in self.clients]
        harness.wait_for(lambda: all(client.answered >= count or client.wrong
                                     for client, count in zip(self.clients, least)), "the clients", 3 * dns.PATIENCE)
        self.assertEqual([], [wrong for client in self.clients for wrong in client.wrong][:5], self.sluice.log()[-3000:])

    def end(self):
        for client in self.clients:
            client.ending.set()
        for client in self.clients:
            client.join(2 * dns.PATIENCE)
        self.assertEqual([], [wrong for client in self.clients for wrong in client.wrong][:5])
        self.states = [(client.acknowledged, client.tried, client.sent) for client in self.clients]
        self.clients = []

    def all_there(self):
        for i, (acknowledged, tried, _) in enumerate(self.states):
            for slot in range(SLOTS):
                there = [self.host.ask(CLOUD, name).texts() for name in names_of(i, slot)]
                self.assertEqual(there[0], there[1], "by half")
                self.assertIn(there[0][0] if there[0] else None, (acknowledged.get(slot), tried.get(slot)))
                acknowledged[slot] = tried[slot] = there[0][0] if there[0] else None

    def killed(self):
        self.sluice.kill()
        self.start()

    def test_it_is_killed(self):
        moments = random.Random(SEED)
        for _ in range(KILLS):
            self.begin()
            self.goes_on()
            time.sleep(moments.uniform(0, LIFE_MS) / 1000)  # at a random instant
            self.sluice.kill()
            self.end()
            self.start()
            self.all_there()

    def test_everything_else_changes(self):
        self.begin()
        for turn in range(2):
            sets = ", ".join('{ name = "s%d:A"; ttl = 60; records = [ "10.1.%d.%d" ]; }' % (i, turn, i)
                             for i in range(SETS))
            file = self.world.write("large-%d.conf" % turn, ZONES % ("large.internal", sets))
            for argv in (("record", "set", ZONE, "new", "A", "10.0.0.%d" % turn), ("apply", file), ("reload",),
                         ("upgrade",), ("record", "set", ZONE, "a-0-1", "TXT", "beside"),
                         ("record", "unset", ZONE, "a-0-1", "TXT"), ("undo", self.revision)):
                with self.subTest(turn=turn, argv=argv):
                    self.good(*[word() if callable(word) else word for word in argv])
                    self.goes_on()
        other = self.world.write("other.conf", ZONES % ("other.internal", '{ name = "w:A"; records = [ "10.9.9.9" ]; }'))
        self.good("apply", other, "--confirm", "10m")
        self.goes_on()
        self.good("confirm", "--back")
        self.goes_on()
        self.end()
        self.all_there()
        self.killed()
        self.all_there()

    def revision(self):
        """Of the latest change."""
        return re.findall(r"revision (\d+) by", self.sluice.log())[-1]

    def test_what_is_registered_rests_while_clients_may_not_register(self):
        self.begin()
        self.goes_on()
        self.end()
        self.all_there()
        name = next(name for i, (acknowledged, _, _) in enumerate(self.states)
                    for slot in acknowledged if acknowledged[slot] for name in names_of(i, slot))
        config = CONFIG % {"secret": SECRET}
        for more in ("", "registration = true; "):  # which leaves the zone among those with machines
            without = (WITHOUT % {"secret": SECRET}).replace('{ name = "hub"; virtual_network = "hub"; }',
                                                            '{ name = "hub"; %svirtual_network = "hub"; }' % more)
            for kill in (False, True):
                with self.subTest(more=more, kill=kill):
                    self.sluice.reconfigure(without)
                    self.good("reload")
                    self.assert_rcode(self.host.ask(CLOUD, name), "NXDOMAIN")
                    if kill:
                        self.sluice.kill()
                        self.sluice = harness.Sluice(self.host, without, (CLOUD, 53))
                        self.sluice.wait_managed()
                        self.assert_rcode(self.host.ask(CLOUD, name), "NXDOMAIN")
                    self.sluice.reconfigure(config)
                    self.good("reload")
                    self.all_there()


if __name__ == "__main__":
    harness.main()
