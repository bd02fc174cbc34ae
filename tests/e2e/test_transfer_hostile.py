"""Zones go out to nobody who asks for them wrongly: malformed questions, bad signatures, other classes
and transports; and neither many at once nor clients that leave in the middle take anything away."""

import hashlib
import hmac
import os
import socket
import struct
import time

import dns
import harness
import test_transfer
from test_transfer import BIND, CLOUD, PRIVATE, REVERSE, SERVER, WIDE

SECRET = b"secret-of-two-servers-0123456789"
FUDGE_S = 300
IXFR, TSIG, TYPE_SOA = 251, 250, 6
NOTAUTH, BADSIG, BADKEY, BADTIME, BADTRUNC = "9", 16, 17, 18, 22


def soa(serial, owner=b"\xc0\x0c"):
    """A record as IXFR brings it: by default of the zone that is asked for."""
    rdata = b"\0\0" + struct.pack(">5I", serial, 1, 2, 3, 4)
    return owner + struct.pack(">HHIH", TYPE_SOA, dns.IN, 0, len(rdata)) + rdata


def question(zone, rtype, rclass=dns.IN, authority=(), additional=()):
    return (dns.header(7, 0, (1, 0, len(authority), len(additional)))
            + dns.question(zone, rtype, rclass) + b"".join(authority) + b"".join(additional))


def counted(packet, records):
    """The packet with so many records more in the additional section."""
    count = struct.unpack_from(">H", packet, 10)[0] + records
    return packet[:10] + struct.pack(">H", count) + packet[12:]


def signed(packet, key="xfr", algorithm="hmac-sha256", secret=SECRET, ahead_s=0, mac_bytes=32):
    """With a TSIG (RFC 8945) behind it."""
    now = int(time.time()) + ahead_s
    times = struct.pack(">HIH", now >> 32, now & 0xffffffff, FUDGE_S)
    variables = (dns.wire_name(key) + struct.pack(">HI", dns.ANY_CLASS, 0)
                 + dns.wire_name(algorithm) + times + struct.pack(">HH", 0, 0))
    mac = hmac.new(secret, packet + variables, hashlib.sha256).digest()[:mac_bytes]
    rdata = (dns.wire_name(algorithm) + times + struct.pack(">H", len(mac)) + mac + packet[:2]
             + struct.pack(">HH", 0, 0))
    return counted(packet, 1) + dns.record(key, TSIG, rdata, 0, dns.ANY_CLASS)


def tsig_error(message):
    """What its TSIG says: the error, behind which there are two bytes and the other data."""
    record = message.additional[-1]
    assert record.type == "TYPE%d" % TSIG, record.type
    _, at = dns.read_name(record.rdata, 0)
    at += 10 + struct.unpack_from(">H", record.rdata, at + 8)[0] + 2
    return struct.unpack_from(">H", record.rdata, at)[0]


class Wrong(test_transfer.Base):
    def build(self, world):
        super().build(world)
        self.friend = world.host("friend", BIND, "192.0.4.1")

    def ask(self, packet, transport=dns.tcp, source="192.0.4.1"):
        return dns.Message(self.friend.send(CLOUD, packet, transport, source=source))

    def refused(self, rcode, packet, **how):
        message = self.ask(packet, **how)
        self.assertEqual(rcode, message.rcode)
        self.assertEqual([], message.answer)
        return message

    def still_served(self):
        message = self.ask(question(REVERSE, "AXFR"))
        self.assertEqual(2, len(message.texts("SOA")))

    def test_ixfr_that_is_malformed_is_formerr_by_either_transport(self):
        for transport in (dns.tcp, dns.udp):
            self.refused("FORMERR", question(REVERSE, IXFR), transport=transport)
            for authority in ([soa(1), soa(1)], [soa(1, dns.wire_name("other.test"))],
                              [soa(1, dns.wire_name("in-addr.arpa"))],
                              [dns.record(REVERSE, "A", bytes(4))], [soa(1)[:-1]]):
                self.refused("FORMERR", question(REVERSE, IXFR, authority=authority),
                             transport=transport)
        self.still_served()

    def test_serials_are_compared_as_rfc_1982_says(self):
        serial, half = self.serial(), 1 << 31
        for ahead, soas in ((0, 1), (1, 1), (half - 1, 1), (half, 2), (half + 1, 2), (-1, 2)):
            for transport in (dns.tcp, dns.udp):
                asked = soa((serial + ahead) % (1 << 32))
                message = self.ask(question(REVERSE, IXFR, authority=[asked]), transport)
                self.assertEqual("NOERROR", message.rcode)
                self.assertEqual(soas, len(message.texts("SOA")), (ahead, message))
        zero = self.ask(question(REVERSE, IXFR, authority=[soa(0)]))
        self.assertEqual("NOERROR", zero.rcode)

    def test_axfr_by_udp_and_other_classes_are_refused(self):
        self.refused("REFUSED", question(REVERSE, "AXFR"), transport=dns.udp)
        for rclass in (dns.CH, dns.ANY_CLASS, 4, 254):
            for transport in (dns.tcp, dns.udp):
                self.refused("REFUSED", question(REVERSE, "AXFR", rclass), transport=transport)
        for zone in (PRIVATE, "no.such.zone", "1." + REVERSE, "in-addr.arpa", "."):
            self.refused("REFUSED", question(zone, "AXFR"))
            self.refused("REFUSED", question(zone, IXFR, authority=[soa(1)]))
        self.still_served()

    def test_a_signature_that_is_not_good_gets_an_error_and_nothing_else(self):
        plain = question(PRIVATE, "AXFR")

        def error(**how):
            return tsig_error(self.refused(NOTAUTH, signed(plain, **how), source=BIND))
        good = self.ask(signed(plain), source=BIND)
        self.assertEqual(2, len(good.texts("SOA")))
        self.assertEqual(0, tsig_error(good))
        self.assertEqual(BADSIG, error(secret=b"another"))
        self.assertEqual(BADSIG, error(mac_bytes=0))
        self.assertEqual(BADKEY, error(key="unknown"))
        self.assertEqual(BADKEY, error(algorithm="hmac-md5.sig-alg.reg.int"))
        self.assertEqual(BADKEY, error(algorithm="no.such.algorithm"))
        self.assertEqual(BADTRUNC, error(mac_bytes=16))
        self.assertEqual(BADTIME, error(ahead_s=10 * FUDGE_S))
        self.assertEqual(BADTIME, error(ahead_s=-10 * FUDGE_S))
        self.refused("FORMERR", signed(plain, mac_bytes=15), source=BIND)
        # Another question with the same signature.
        altered = signed(plain)
        at = altered.index(b"corp")
        altered = altered[:at] + b"CORQ" + altered[at + 4:]
        self.assertEqual(BADSIG, tsig_error(self.refused(NOTAUTH, altered, source=BIND)))

    def test_a_tsig_is_the_last_record_and_the_only_one(self):
        plain = question(PRIVATE, "AXFR")
        self.refused("FORMERR", signed(signed(plain)), source=BIND)
        self.refused("FORMERR", counted(signed(plain), 1) + dns.opt(), source=BIND)
        elsewhere = signed(plain)
        self.refused("FORMERR", elsewhere[:8] + b"\0\1\0\0" + elsewhere[12:], source=BIND)
        self.refused("FORMERR", signed(plain)[:-1], source=BIND)
        self.refused("FORMERR", question(PRIVATE, TSIG), source=BIND)
        self.assertEqual(2, len(self.ask(signed(plain), source=BIND).texts("SOA")))

    def test_a_window_of_transfers_is_answered_as_a_whole(self):
        """More than a client may have under way; the others wait, and none is told no."""
        count = 300
        with self.friend.inside():
            sock = socket.create_connection(SERVER, 10, ("192.0.4.1", 0))
        sock.settimeout(60)
        asked = question(REVERSE, "AXFR")[2:]
        sock.sendall(b"".join(dns.framed(struct.pack(">H", i) + asked) for i in range(count)))
        answered = set()
        for _ in range(count):
            message = dns.Message(dns.recv_framed(sock))
            self.assertEqual("NOERROR", message.rcode)
            self.assertEqual(2, len(message.texts("SOA")))
            answered.add(message.id)
        self.assertEqual(set(range(count)), answered)
        sock.close()


class Crowd(test_transfer.Wide):
    def frames(self, sock, count):
        """How many messages of each id there are until `count` of them have come."""
        found = {}
        while count > 0:
            packet = dns.recv_framed(sock)
            ident, flags = struct.unpack_from(">HH", packet)
            self.assertEqual(0, flags & 15)
            found[ident] = found.get(ident, 0) + 1
            count -= 1
        return found

    def test_many_whole_transfers_of_one_connection_all_arrive(self):
        serial, ptrs, messages = self.read_zone(self.connect())
        sock, count = self.connect(), 12
        asked = self.question()[4:]
        length = self.question()[:2]
        sock.sendall(b"".join(length + struct.pack(">H", i) + asked for i in range(count)))
        found = self.frames(sock, count * messages)
        self.assertEqual({i: messages for i in range(count)}, found)
        self.assert_rcode(self.friend.ask(CLOUD, "localhost"), "NOERROR")
        sock.close()


class Leaving(test_transfer.Wide):
    @classmethod
    def setUpClass(cls):
        """The ordinary build, where there is one: a sanitizer keeps what is freed."""
        super().setUpClass()
        if os.path.exists(harness.PLAIN):
            harness.SLUICE = harness.PLAIN

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.sluice.pid))

    def resident_kib(self):
        with open("/proc/%d/status" % self.sluice.pid) as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))

    def leave(self, times):
        """Begins a transfer and goes away in its middle; every one of them is noticed."""
        before = self.status("transfers", WIDE)[0]["broken"]
        for _ in range(times):
            with self.friend.inside():
                sock = socket.socket()
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                sock.bind(("192.0.4.1", 0))
                sock.settimeout(60)
                sock.connect(SERVER)
            sock.sendall(self.question())
            dns.recv_exactly(sock, 2)
            sock.close()
        harness.wait_for(
            lambda: self.status("transfers", WIDE)[0]["broken"] == before + times,
            "%d transfers to be broken off" % times, 120)

    def test_a_thousand_that_leave_in_the_middle_leave_nothing_behind(self):
        self.read_zone(self.connect())
        self.leave(100)
        descriptors, resident = self.descriptors(), self.resident_kib()
        self.leave(900)
        harness.wait_for(lambda: self.descriptors() <= descriptors,
                         "no more descriptors than before", 60)
        if harness.SLUICE == harness.PLAIN:
            self.assertLess(self.resident_kib(), resident + 16 * 1024)
        _, ptrs, _ = self.read_zone(self.connect())
        self.assertLess(0, len(ptrs))


if __name__ == "__main__":
    harness.main()
