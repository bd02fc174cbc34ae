"""UPDATE messages that mean no good: those of the fuzz corpus, cut short and changed, with and without a
signature that is right; floods; clients that leave before their answer; and what cannot be stored.
Others are served all along."""

import base64
import contextlib
import glob
import os
import random
import socket
import struct
import threading

import dns
import harness
import test_update
from test_transfer_hostile import signed
from test_update import CLOUD, FRIEND, OTHER, SECRET

CORPUS = os.path.join(os.path.dirname(__file__), "..", "fuzz", "corpus", "fuzz_update", "*")
SEED = int(os.environ.get("SEED", "3"))
MUTANTS = int(os.environ.get("MUTANTS", "3"))  # of each packet
PACKET_MAX, UPDATE = 8192, 5 << 11
FLOOD = 6000  # over the queue's bound
# The corpus is about this zone; and a flood is not over a limit.
CONFIG = (test_update.CONFIG.replace('zone = "corp.internal"; prefixes = [ "10.10.0.0/16" ]',
                                     'zone = "corp.test"; prefixes = [ "10.1.0.0/16", "10.10.0.0/16", "2001:db8:1::/48" ]')
          .replace('name = "corp.internal"; record_sets', 'name = "corp.test"; record_sets')
          .replace('zones = [ "corp.internal" ]', 'zones = [ "corp.test" ]')
          + "limits = { queries_per_second_per_endpoint = 0; };\n")


def packets():
    """Those of each file of the corpus, which has a byte and the length ahead of each."""
    for path in sorted(glob.glob(CORPUS)):
        with open(path, "rb") as file:
            data = file.read()
        at = 0
        while at + 3 <= len(data):
            length = struct.unpack_from(">H", data, at + 1)[0]
            yield data[at + 3:at + 3 + length][:PACKET_MAX]
            at += 3 + length


def key_signed(packet, secret=base64.b64decode(SECRET)):
    if packet[10:12] == b"\xff\xff":
        packet = packet[:10] + b"\0\0" + packet[12:]  # its count has room for one more
    return signed(packet, key="dhcp", secret=secret)


def add(ident, name, address="10.10.7.9"):
    return (dns.header(ident, UPDATE, (1, 0, 1, 0)) + dns.question("corp.test", "SOA")
            + dns.record(name, "A", socket.inet_aton(address), 60))


class Hostile(harness.FreshCase):
    def build(self, world):
        self.host = world.host("cloud", CLOUD, FRIEND, OTHER)
        self.sluice = harness.Sluice(self.host, CONFIG % {"secret": SECRET}, (CLOUD, 53))
        self.random = random.Random(SEED)

    def serves(self):
        self.assertIsNone(self.sluice.child.poll(), self.sluice.log()[-3000:])
        self.assert_answer(self.host.ask(CLOUD, "www.corp.test"), "10.0.0.1")

    def registers(self, name):
        """Behind a flood the queue may still be full. What gets no answer is sent again, as it is and from the same
        port, as clients do."""
        packet, sock = key_signed(add(self.random.randrange(65536), name)), self.udp(FRIEND)
        sock.settimeout(1)

        def exchange():
            sock.send(packet)
            with contextlib.suppress(socket.timeout):
                return sock.recv(4096)
        answer = dns.Message(harness.wait_for(exchange, "an answer to an update"))
        self.assertEqual("NOERROR", answer.rcode)
        self.assert_answer(self.host.ask(CLOUD, name), "10.10.7.9")

    def udp(self, source=OTHER):
        with self.host.inside():
            sock = dns.open_socket(socket.SOCK_DGRAM, (CLOUD, 53), source)
        sock.connect((CLOUD, 53))
        self.addCleanup(sock.close)
        return sock

    def forms(self, packet):
        """The packet, and what becomes of it."""
        yield packet
        for _ in range(MUTANTS):
            changed = bytearray(packet)
            for _ in range(self.random.randrange(1, 4)):
                if changed:
                    changed[self.random.randrange(len(changed))] = self.random.randrange(256)
            yield bytes(changed)
            yield packet[:self.random.randrange(len(packet) + 1)]

    def test_the_corpus_by_udp_and_by_tcp(self):
        sock, sent = self.udp(), 0
        for packet in packets():
            for form in self.forms(packet):
                form += b"\0" * (12 - len(form))
                for whole in (form, key_signed(form)):
                    sock.send(whole)
                    sent += 1
                    if sent % 50 == 0:
                        self.serves()
            with self.host.inside():
                stream = dns.open_socket(socket.SOCK_STREAM, (CLOUD, 53), OTHER)
            with stream:
                stream.connect((CLOUD, 53))
                for form in self.forms(packet + b"\0" * (12 - len(packet))):
                    try:
                        stream.sendall(dns.framed(form) + dns.framed(key_signed(form + b"\0" * (12 - len(form)))))
                    except OSError:
                        break  # a message that is no query ends the connection
        self.assertGreater(sent, 500)
        self.serves()
        self.registers("vm1.corp.test")

    def flood(self, make):
        """From one client, while another asks."""
        sock, done = self.udp(), threading.Event()
        made = [make(i) for i in range(FLOOD)]

        def send():
            for packet in made:
                try:
                    sock.send(packet)
                except OSError:
                    pass  # it is more than the socket has room for
            done.set()
        thread = threading.Thread(target=send)
        thread.start()
        while not done.is_set():
            self.serves()
        thread.join()
        self.serves()

    def test_a_flood_without_a_signature_changes_nothing(self):
        self.flood(lambda i: add(i, "vm%d.corp.test" % i))
        self.assert_rcode(self.host.ask(CLOUD, "vm1.corp.test"), "NXDOMAIN")
        self.registers("vm1.corp.test")

    def test_a_flood_with_a_wrong_signature_changes_nothing(self):
        self.flood(lambda i: key_signed(add(i, "vm%d.corp.test" % i), secret=b"wrong"))
        self.assert_rcode(self.host.ask(CLOUD, "vm1.corp.test"), "NXDOMAIN")
        self.registers("vm1.corp.test")

    def test_a_flood_with_a_good_signature_takes_nothing_from_others(self):
        self.flood(lambda i: key_signed(add(i, "vm%d.corp.test" % i)))
        self.registers("other.corp.test")

    def test_clients_by_tcp_leave_before_their_answer(self):
        for i in range(300):
            with self.host.inside():
                stream = dns.open_socket(socket.SOCK_STREAM, (CLOUD, 53), OTHER)
            with stream:
                stream.connect((CLOUD, 53))
                stream.sendall(dns.framed(key_signed(add(i, "vm%d.corp.test" % i))))
                if i % 2:  # by a reset
                    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.serves()
        self.registers("last.corp.test")


class Unkept(harness.FreshCase):
    """What cannot be stored is not served, and its client hears nothing, so that it comes again."""
    state = "disk/state.db"

    def build(self, world):
        self.disk = os.path.join(world.dir, "disk")
        os.mkdir(self.disk)
        harness.sh("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", self.disk)
        self.addCleanup(lambda: harness.sh("umount", "-l", self.disk))
        self.host = world.host("cloud", CLOUD, FRIEND)

    def start(self, state):
        config = CONFIG.replace('state = "state.db"; ', state)
        self.sluice = harness.Sluice(self.host, config % {"secret": SECRET}, (CLOUD, 53))
        self.sluice.wait_managed()

    def rcode(self, packet):
        """"": its connection was closed instead."""
        try:
            return dns.Message(self.host.send(CLOUD, packet, dns.tcp, source=FRIEND)).rcode
        except (EOFError, ConnectionError):
            return ""

    def assert_unkept(self, ident, why):
        packet = key_signed(add(ident, "vm1.corp.test"))
        self.assertEqual("", self.rcode(packet))
        self.assert_rcode(self.host.ask(CLOUD, "vm1.corp.test"), "NXDOMAIN")
        self.assertRegex(self.sluice.log(), "what was registered cannot be stored: .*" + why)
        return packet

    def test_without_a_state(self):
        self.start("")
        self.assertRegex(self.sluice.log(), "registration.*: nothing can register without a file to keep it in")
        self.assert_unkept(1, "set management.state")
        self.assertEqual("REFUSED", self.rcode(key_signed(add(2, "vm1.corp.test", "192.0.2.1"))))

    def test_on_a_full_disk(self):
        self.start('state = "%s"; ' % self.state)
        kept = key_signed(add(1, "vm0.corp.test"))
        self.assertEqual("NOERROR", self.rcode(kept))
        filler = os.path.join(self.disk, "filler")
        with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"\0" * 4096)
        ident = 2
        # Until the pages that its log has are used up.
        while self.rcode(key_signed(add(ident, "vm%d.corp.test" % ident))) and ident < 5000:
            ident += 1
        packet = self.assert_unkept(ident + 1, "")
        os.remove(filler)
        self.assertEqual("NOERROR", self.rcode(packet))
        self.sluice.kill()
        self.start('state = "%s"; ' % self.state)
        for name in ("vm0", "vm1", "vm%d" % (ident - 1) if ident > 2 else "vm0"):
            self.assert_answer(self.host.ask(CLOUD, name + ".corp.test"), "10.10.7.9")
        self.assert_rcode(self.host.ask(CLOUD, "vm%d.corp.test" % ident), "NXDOMAIN")


if __name__ == "__main__":
    harness.main()
