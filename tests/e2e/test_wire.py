"""Packets made by hand, right and wrong, against one inbound endpoint: RFC 1035, 6891, 7766, 8482, 8914,
9619."""

import random
import socket
import struct

import dns
import harness
import hub
from test_transfer_hostile import BADKEY, NOTAUTH, signed, tsig_error

CONFIG = """
subscription = "11111111-2222-3333-4444-555555555555";
region = "westeurope";
workers = 1;
management = { socket = "sluice.sock"; };
default_resolver = { targets = ( { address = "127.0.0.1"; port = 5401; } ); };
tcp = { idle_timeout_ms = %d; };
""" + hub.hub("127.0.0.1:53") + """
private_zones = (
  { name = "corp.internal"; file = "corp.internal.zone"; links = ( { name = "hub"; virtual_network = "hub"; } ); } );
"""
HERE = ("127.0.0.1", 53)
TKEY = 249
ZONE = "web 300 IN A 10.10.1.10\n" + "".join(
    'big 300 IN TXT "%s"\n' % (chr(65 + i) * 100) for i in range(20)) + "".join(
    'mid 300 IN TXT "%s"\n' % (chr(65 + i) * 100) for i in range(7))


def chained(pointers, records):
    """A question with so many pointers in a record's data, each to the one before, and so many
    records whose owner is the last of them."""
    packet = dns.header(7, dns.RD, (1, 0, 0, 1 + records)) + dns.question("a.test")
    at = len(packet) + 11  # behind a record's fixed part, its owner the root
    places = [12] + [at + 2 * i for i in range(pointers - 1)]
    packet += dns.record("", 65280, b"".join(struct.pack(">H", 0xc000 | to) for to in places[:-1]))
    return packet + records * (struct.pack(">H", 0xc000 | places[-1]) + dns.record("", 65280, b"")[1:])


class Server(harness.Case):
    idle_timeout_ms = 60000

    @classmethod
    def build(cls, world):
        cls.host = world.host("cloud")
        world.write("corp.internal.zone", ZONE)
        cls.upstream = harness.Upstream(cls.host, "127.0.0.1", "203.0.113.1", 5401)
        cls.sluice = harness.Sluice(cls.host, CONFIG % cls.idle_timeout_ms, HERE)

    def connect(self):
        with self.host.inside():
            sock = socket.create_connection(HERE, dns.PATIENCE)
        self.addCleanup(sock.close)
        return sock


class Wire(Server):
    def send(self, packet, transport=dns.udp, **how):
        return self.host.send(HERE, packet, transport, **how)

    def message(self, packet, transport=dns.udp):
        answer = self.send(packet, transport)
        self.assertIsNotNone(answer, "silence")
        return dns.Message(answer)

    def ask(self, name, rtype="A", **how):
        return self.host.ask(HERE, name, rtype, **how)

    def test_no_key_is_known_where_none_is_configured(self):
        """RFC 8945 section 5.2."""
        plain = dns.query("web.corp.internal", ident=7)
        for transport in (dns.udp, dns.tcp):
            self.assert_answer(self.message(plain, transport), "10.10.1.10")
            refused = self.message(signed(plain), transport)
            self.assertEqual((7, NOTAUTH, []), (refused.id, refused.rcode, refused.answer))
            self.assertEqual(BADKEY, tsig_error(refused))
            self.assertEqual("FORMERR", self.message(signed(plain)[:-1], transport).rcode)
            # Other data that is not there.
            self.assertEqual("FORMERR", self.message(signed(plain)[:-2] + b"\0\1",
                                                     transport).rcode)

    # ---- the header ----

    def test_the_header_is_as_it_must_be(self):
        answer = self.ask("web.corp.internal", ident=0xbeef)
        self.assertEqual(0xbeef, answer.id)
        self.assertEqual(dns.QR | dns.AA | dns.RD | dns.RA, answer.flags)
        answer = self.ask("web.corp.internal", flags=dns.CD | dns.AD)
        self.assertEqual(dns.QR | dns.AA | dns.RA | dns.CD, answer.flags)

    def test_the_case_of_the_question_is_kept(self):
        answer = self.ask("WeB.CoRp.InTeRnAl")
        self.assert_answer(answer, "10.10.1.10")
        self.assertEqual("WeB.CoRp.InTeRnAl.", answer.questions[0][0])
        self.assertEqual("WeB.CoRp.InTeRnAl.", answer.answer[0].name)
        answer = self.ask("WwW.ExAmPlE.cOm")
        self.assertEqual("WwW.ExAmPlE.cOm.", answer.questions[0][0])

    def test_silence_for_what_is_no_question(self):
        for packet in (b"", b"\0", b"\0" * 11, dns.query("web.corp.internal", flags=dns.QR),
                       dns.header(1, dns.QR | dns.RD, (0, 0, 0, 0))):
            with self.subTest(packet=packet):
                self.assertIsNone(self.send(packet, timeout=0.3))

    def test_formerr_for_what_is_malformed(self):
        good = dns.query("web.corp.internal", ident=7)
        head = dns.header(7, dns.RD, (1, 0, 0, 0))
        packets = {
            "no question": dns.header(7, dns.RD, (0, 0, 0, 0)),
            "no question but OPT": dns.header(7, dns.RD, (0, 0, 0, 1)) + dns.opt(),
            "two questions": dns.header(7, dns.RD, (2, 0, 0, 0)) + 2 * dns.question("a.test"),
            "a question promised": head,
            "a name cut off": good[:20],
            "a type cut off": good[:-3],
            "a label too long": head + b"\x40" + b"a" * 64 + b"\0\0\1\0\1",
            "a name too long": head + 5 * (b"\x3f" + b"a" * 63) + b"\0\0\1\0\1",
            "a pointer to itself": head + b"\xc0\x0c\0\1\0\1",
            "a pointer forward": head + b"\xc0\x20\0\1\0\1",
            "bytes behind the end": good + b"x",
            "a record promised": dns.header(7, dns.RD, (1, 0, 0, 1)) + dns.question("a.test"),
            "two OPTs": dns.query("web.corp.internal", ident=7, opts=(dns.opt(), dns.opt())),
            "OPT with an owner": dns.query("web.corp.internal", ident=7,
                                           opts=(b"\1a" + dns.opt(),)),
            "an option over the end": dns.query("web.corp.internal", ident=7, opts=(
                dns.opt(options=struct.pack(">HH", 10, 8)),)),
            "65 pointers in a name": chained(65, 1),
            "64 in two names": chained(64, 2),
            "17 in many": chained(17, 200),
        }
        for what, packet in packets.items():
            with self.subTest(what=what):
                answer = self.message(packet)
                self.assertEqual((7, "FORMERR"), (answer.id, answer.rcode), answer)
                self.assertTrue(answer.flags & dns.QR)

    def test_formerr_by_tcp_too(self):
        answer = self.message(dns.query("a.test", ident=9, opts=(dns.opt(), dns.opt())), dns.tcp)
        self.assertEqual((9, "FORMERR"), (answer.id, answer.rcode))
        answer = self.message(chained(4000, 4000), dns.tcp)
        self.assertEqual((7, "FORMERR"), (answer.id, answer.rcode))

    def test_names_may_have_64_pointers_and_16_each_when_they_are_many(self):
        for pointers, records in ((64, 1), (16, 300)):
            self.assertNotEqual("FORMERR", self.message(chained(pointers, records)).rcode)
        self.assertNotEqual("FORMERR", self.message(chained(16, 5000), dns.tcp).rcode)

    def test_notimp_for_other_opcodes(self):
        for opcode in (1, 2, 4, 5, 6, 15):
            with self.subTest(opcode=opcode):
                answer = self.message(dns.query("web.corp.internal", flags=opcode << 11))
                self.assertEqual(("NOTIMP", opcode), (answer.rcode, answer.opcode))
                bits = dns.AA | dns.TC | dns.RD | dns.RA | dns.AD | dns.CD
                answer = self.message(dns.query("web.corp.internal", flags=opcode << 11 | bits))
                self.assertEqual(("NOTIMP", dns.QR | opcode << 11), (answer.rcode, answer.flags & ~15))

    def test_updates_are_not_implemented_where_nobody_registers(self):
        """Whatever they are like, signed or not."""
        zone = dns.header(7, 5 << 11, (1, 0, 1, 0)) + dns.question("corp.internal", "SOA")
        update = zone + dns.record("new.corp.internal", "A", bytes(4))
        for transport in (dns.udp, dns.tcp):
            for packet in (update, signed(update), update[:-1], zone[:12]):
                with self.subTest(transport=transport, length=len(packet)):
                    answer = self.message(packet, transport)
                    self.assertEqual((7, 5, "NOTIMP", []),
                                     (answer.id, answer.opcode, answer.rcode, answer.additional))
        self.assertEqual("NXDOMAIN", self.ask("new.corp.internal").rcode)

    def test_tkey_is_refused_and_goes_to_nobody(self):
        """What nsupdate -g and Windows send ahead of an update (RFC 2930, 3645)."""
        key = dns.wire_name("gss-tsig") + struct.pack(">IIHHHH", 0, 0, 3, 0, 0, 0)
        for transport in (dns.udp, dns.tcp):
            for rclass in (dns.IN, dns.ANY_CLASS):
                packet = (dns.header(7, 0, (1, 0, 0, 2)) + dns.question("1.sig-cloud", TKEY, rclass)
                          + dns.record("1.sig-cloud", TKEY, key, 0, dns.ANY_CLASS) + dns.opt())
                answer = self.message(packet, transport)
                self.assertEqual(("REFUSED", []), (answer.rcode, answer.answer))
                self.assertEqual((21, "GSS-TSIG (TKEY) is not supported"), answer.ede)
        self.assertEqual([], self.upstream.questions("1.sig-cloud"))
        said = [line for line in self.sluice.log().splitlines() if " tkey: " in line]
        self.assertIn("127.0.0.1 asks for a key (TKEY 1.sig-cloud.): GSS-TSIG is not supported", said[0])
        self.assertLess(len(said), 4)  # at a pace: one a second

    # ---- EDNS ----

    def test_opt_is_answered_with_opt_only(self):
        self.assertIsNone(self.ask("web.corp.internal", opts=()).opt)
        answer = self.ask("web.corp.internal")
        self.assertEqual(1232, answer.opt.rclass)
        self.assertEqual([], answer.options)

    def test_a_later_version_gets_badvers(self):
        answer = self.ask("web.corp.internal", opts=(dns.opt(version=1),))
        self.assertEqual("BADVERS", answer.rcode)
        self.assertEqual([], answer.answer)
        self.assertEqual(0, answer.opt.ttl >> 16 & 255, "our own version is 0")

    def test_unknown_options_are_ignored_and_not_echoed(self):
        answer = self.ask("web.corp.internal", opts=(dns.opt(options=dns.option(65001, b"xy")),))
        self.assert_answer(answer, "10.10.1.10")
        self.assertEqual([], answer.options)

    def cookie(self, data, **how):
        """The cookie that comes back when one is sent."""
        answer = self.ask("web.corp.internal", opts=(dns.opt(options=dns.option(10, data)),), **how)
        self.assert_answer(answer, "10.10.1.10")
        return dict(answer.options)[10]

    def test_a_cookie_is_answered_and_stays(self):
        cookie = self.cookie(b"12345678")
        self.assertEqual((24, b"12345678\1\0\0\0"), (len(cookie), cookie[:12]))
        self.assertEqual(cookie, self.cookie(cookie))
        self.assertEqual(cookie, self.cookie(cookie, transport=dns.tcp))
        wrong = cookie[:-1] + bytes([cookie[-1] ^ 1])
        self.assertNotEqual(wrong, self.cookie(wrong), "answered, and with a good one")

    def test_a_cookie_of_no_length_is_a_formerr(self):
        for length in (0, 7, 9, 15, 41):
            answer = self.ask("web.corp.internal",
                              opts=(dns.opt(options=dns.option(10, b"x" * length)),))
            self.assertEqual("FORMERR", answer.rcode)

    def test_a_cookie_may_be_asked_for_without_a_question(self):
        packet = dns.header(7, 0, (0, 0, 0, 1)) + dns.opt(options=dns.option(10, b"12345678"))
        answer = dns.Message(self.host.send(HERE, packet))
        self.assertEqual(("NOERROR", 24), (answer.rcode, len(dict(answer.options)[10])))

    def test_dig_is_content_with_our_cookie(self):
        dig = self.host.dig("127.0.0.1", "web.corp.internal", "A", "+cookie")
        self.assertRegex(dig.text, r"COOKIE: [0-9a-f]{48} \(good\)")

    def test_do_is_echoed(self):
        answer = self.ask("web.corp.internal", opts=(dns.opt(do=True),))
        self.assertTrue(answer.opt.ttl & 0x8000)
        self.assertFalse(self.ask("web.corp.internal").opt.ttl & 0x8000)

    def test_nsid_and_version_tell_nothing_by_default(self):
        answer = self.ask("web.corp.internal",
                          opts=(dns.opt(options=dns.option(dns.OPTION_NSID)),))
        self.assertEqual([], [data for code, data in answer.options if data])
        for name in ("version.bind", "id.server"):
            answer = self.ask(name, "TXT", rclass=dns.CH)
            self.assertIn(answer.rcode, ("NOERROR", "REFUSED"))
            self.assertNotIn("0.1", "".join(answer.texts()))

    def test_other_classes_are_refused(self):
        for rclass in (2, 4, 254, dns.ANY_CLASS):
            with self.subTest(rclass=rclass):
                answer = self.ask("web.corp.internal", rclass=rclass)
                self.assertIn(answer.rcode, ("REFUSED", "NOTIMP"))
        self.assertIn(self.ask("web.corp.internal", rclass=dns.CH).rcode, ("REFUSED", "NOTIMP"))

    def test_nxname_is_not_asked_for(self):  # RFC 9824
        for name in ("web.corp.internal", "www.example.com"):
            self.assert_rcode(self.ask(name, 128), "FORMERR", ede=30)
        self.assertEqual([], self.upstream.questions("www.example.com"))

    def test_transfers_are_refused(self):
        for rtype in (251, 252):
            answer = self.message(dns.query("corp.internal", rtype), dns.tcp)
            self.assertIn(answer.rcode, ("REFUSED", "NOTIMP"))

    # ---- sizes ----

    def test_512_bytes_without_edns(self):
        answer = self.ask("mid.corp.internal", "TXT", opts=())
        self.assertTrue(answer.flags & dns.TC)
        self.assertEqual([], answer.answer)
        self.assertLessEqual(len(answer.packet), 512)

    def test_the_clients_size_is_kept_and_a_small_one_means_512(self):
        answer = self.ask("mid.corp.internal", "TXT", opts=(dns.opt(1232),))
        self.assertFalse(answer.flags & dns.TC)
        self.assertEqual(7, len(answer.answer))
        size = len(answer.packet)
        self.assertFalse(self.ask("mid.corp.internal", "TXT", opts=(dns.opt(size),)).flags & dns.TC)
        self.assertTrue(self.ask("mid.corp.internal", "TXT", opts=(dns.opt(size - 1),)).flags & dns.TC)
        self.assert_answer(self.ask("web.corp.internal", opts=(dns.opt(100),)), "10.10.1.10")

    def test_never_over_1232_by_udp(self):
        answer = self.ask("big.corp.internal", "TXT", opts=(dns.opt(4096),))
        self.assertTrue(answer.flags & dns.TC)
        self.assertTrue(answer.opt)

    def test_everything_fits_by_tcp(self):
        answer = self.ask("big.corp.internal", "TXT", transport=dns.tcp, opts=())
        self.assertFalse(answer.flags & dns.TC)
        self.assertEqual(20, len(answer.answer))

    # ---- TCP ----

    def test_pipelined_questions_are_all_answered(self):
        sock = self.connect()
        sock.sendall(b"".join(dns.framed(dns.query("web.corp.internal", ident=i))
                              for i in range(50)))
        ids = {dns.Message(dns.recv_framed(sock)).id for _ in range(50)}
        self.assertEqual(set(range(50)), ids)

    def test_a_slow_answer_does_not_hold_up_the_next(self):
        sock = self.connect()
        sock.sendall(dns.framed(dns.query("late400.example.com", ident=1))
                     + dns.framed(dns.query("web.corp.internal", ident=2)))
        self.assertEqual([2, 1], [dns.Message(dns.recv_framed(sock)).id for _ in range(2)])

    def test_byte_by_byte(self):
        sock = self.connect()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in dns.framed(dns.query("web.corp.internal", ident=3)):
            sock.sendall(bytes([byte]))
        self.assertEqual(3, dns.Message(dns.recv_framed(sock)).id)

    def test_questions_before_a_half_close_are_answered(self):
        sock = self.connect()
        sock.sendall(dns.framed(dns.query("late200.example.com", ident=4)))
        sock.shutdown(socket.SHUT_WR)
        self.assertEqual(4, dns.Message(dns.recv_framed(sock)).id)
        self.assertEqual(b"", sock.recv(1))

    def test_an_empty_message_closes_the_connection(self):
        sock = self.connect()
        sock.sendall(b"\0\0")
        self.assertEqual(b"", sock.recv(1))

    def test_a_client_that_leaves_harms_nobody(self):
        for _ in range(20):
            sock = self.connect()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.sendall(dns.framed(dns.query("late200.example.com")) * 3)
            sock.close()
        self.assert_answer(self.ask("web.corp.internal"), "10.10.1.10")

    # ---- noise ----

    def test_random_bytes_never_stop_it(self):
        chance = random.Random(8)
        good = dns.query("web.corp.internal", opts=(dns.opt(options=dns.option(3)),))
        with self.host.inside():
            sock = dns.open_socket(socket.SOCK_DGRAM, HERE, None)
        with sock:
            sock.connect(HERE)
            for i in range(4000):
                packet = bytearray(good if i % 2 else chance.randbytes(chance.randrange(80)))
                for _ in range(chance.randrange(4)):
                    if packet:
                        packet[chance.randrange(len(packet))] = chance.randrange(256)
                sock.send(bytes(packet[:chance.randrange(len(packet) + 1)] if i % 3 else packet))
        self.assert_answer(self.ask("web.corp.internal"), "10.10.1.10")


class Idle(Server):
    idle_timeout_ms = 500

    def test_an_idle_connection_is_closed(self):
        self.assertEqual(b"", self.connect().recv(1))

    def test_half_a_message_is_not_waited_for_for_ever(self):
        sock = self.connect()
        sock.sendall(b"\0\x30half")
        self.assertEqual(b"", sock.recv(1))


if __name__ == "__main__":
    harness.main()
