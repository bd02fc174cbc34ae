#!/usr/bin/env python3
"""An upstream that does whatever a broken or malicious server can do, as the first label of the
question says ("wrong-id-7.": the deed is "wrong-id"). TRUTH is the right address, LIE the one that no client
may ever get; DEEDS has the expected result of each deed.

usage: hostile.py LISTEN OTHER PORT TRUTH LIE LOG; OTHER is another address of the same machine,
every question is a line of JSON in LOG."""

import os
import re
import socket
import struct
import sys
import time

import dns
import upstream

# What has to follow each deed where the rule has a well-behaved second target. TRUTH: the hostile target's true answer.
# IGNORED: nothing counts as its answer, so the second one answers, after a while. CHAIN: the chain, or SERVFAIL if it
# is too long. All others: the second one answers (where it is SILENT, only after a while), and `status` says this of
# the hostile one.
TRUTH, IGNORED, CHAIN = "truth", "ignored", "chain"
MANGLED, RCODE, LAME = "mangled reply", "unexpected rcode", "lame answer"
SILENT, CLOSED = "no answer", ("connection closed", "network error")
DEEDS = {
    # forged: not an answer to what was asked
    "wrong-id": IGNORED, "wrong-name": IGNORED, "wrong-type": IGNORED, "wrong-class": IGNORED,
    "no-question": IGNORED, "two-questions": IGNORED, "wrong-address": IGNORED,
    "wrong-port": IGNORED, "echo": IGNORED, "echo-lie": IGNORED, "short": IGNORED, "void": IGNORED,
    "silence": IGNORED, "forged-first": TRUTH, "guesses": TRUTH,
    # cannot be read
    "opcode": MANGLED, "class": MANGLED, "loop": MANGLED, "forward": MANGLED,
    "into-header": MANGLED, "loop-in-data": MANGLED, "counts": MANGLED, "length": MANGLED,
    "cut": MANGLED, "short-data": MANGLED, "long-data": MANGLED, "label-type": MANGLED,
    "overlong": MANGLED, "noise": MANGLED, "opt-in-answer": MANGLED,
    # errors
    "servfail": "SERVFAIL", "refused": "REFUSED", "notimp": "NOTIMP", "yxrrset": RCODE,
    "rcode11": RCODE, "formerr": "FORMERR", "badvers": RCODE, "badcookie": RCODE, "lame": LAME,
    "bare-servfail": "SERVFAIL", "bare-refused": "REFUSED", "bare-notimp": "NOTIMP",
    "bare-formerr": "FORMERR",
    # true, with something amiss
    "trailing": TRUTH, "ttl-huge": TRUTH, "ttl-negative": TRUTH, "ttl-zero": TRUTH,
    "extra": TRUTH, "glue": TRUTH, "duplicates": TRUTH, "swapped": TRUTH,
    "opt-version": TRUTH, "opt-options": TRUTH, "opt-twice": TRUTH, "opt-owner": TRUTH,
    "opt-payload": TRUTH,
    # chains
    "cname-self": CHAIN, "cname-loop": CHAIN, "cname-endless": CHAIN, "cname-forty": CHAIN,
    # by TCP, where TC sends the question
    "tc-data": TRUTH, "tc-reset": CLOSED, "tc-close": CLOSED, "tc-bytes": TRUTH,
    "tc-half": SILENT, "tc-wrong-id": SILENT, "tc-empty": SILENT, "tc-noise": SILENT,
    "tc-always": MANGLED, "tc-silence": SILENT,
}
# Seconds that a connection stands still: longer than an answer to a client next door may take.
HOLD_S = 3
VICTIM = "www.good.test"


def deed_of(qname):
    """The deed of a name: the longest deed that its first label begins with."""
    label = qname.split(".")[0].lower()
    found = [deed for deed in DEEDS
             if label == deed or label.startswith(deed + "-")]
    return max(found, key=len, default="truth")


class Hostile(upstream.Upstream):
    def __init__(self, truth, lie, log):
        super().__init__(truth, log)
        self.lie, self.held = lie, {}

    def deed_of(self, qname):
        return deed_of(qname)

    def address_of(self, qname):
        """The true answer."""
        return self.address

    def a(self, owner, address=None, ttl=60, rclass=dns.IN):
        return dns.record(owner, "A", socket.inet_aton(address or self.lie), ttl, rclass)

    def liar(self, message, **how):
        """A well-made answer with the lie."""
        how.setdefault("answer", [self.a(message.questions[0][0])])
        return self.reply(message, **how)

    def truth(self, message, more=(), ttl=60, **how):
        qname = message.questions[0][0]
        return self.reply(message, answer=[self.a(qname, self.address_of(qname), ttl), *more], **how)

    def raw(self, message, records, counts=(1, 1, 0, 0), flags=0, question=None):
        qname, rtype, rclass = message.questions[0]
        question = dns.question(qname, rtype, rclass) if question is None else question
        return dns.header(message.id, dns.QR | dns.RA | flags, counts) + question + records

    def with_opt(self, message, opt):
        return self.raw(message, self.true_record(message) + opt, (1, 1, 0, 1))

    def true_record(self, message):
        qname = message.questions[0][0]
        return self.a(qname, self.address_of(qname))

    # ---- forged ----

    def forged(self, deed, message, packet):
        qname, rtype, rclass = message.questions[0]
        asked = dns.question(qname, rtype, rclass)
        lie = self.liar(message)
        return {
            "wrong-id": lambda: [self.liar(message, ident=message.id ^ 1)],
            "wrong-name": lambda: [self.liar(message, name="evil." + qname)],
            "wrong-type": lambda: [self.raw(message, self.a(qname),
                                            question=dns.question(qname, "AAAA", rclass))],
            "wrong-class": lambda: [self.raw(message, self.a(qname),
                                             question=dns.question(qname, rtype, dns.CH))],
            "no-question": lambda: [self.raw(message, self.a(qname), (0, 1, 0, 0), question=b"")],
            "two-questions": lambda: [self.raw(message, self.a(qname), (2, 1, 0, 0),
                                               question=asked + asked)],
            "wrong-address": lambda: [("address", lie)],
            "wrong-port": lambda: [("port", lie)],
            "echo": lambda: [packet],
            "echo-lie": lambda: [lie[:2] + bytes([lie[2] & 0x7f]) + lie[3:]],
            "short": lambda: [lie[:11]],
            "void": lambda: [b""],
            "silence": lambda: [],
            "forged-first": lambda: [self.liar(message, ident=message.id ^ 1),
                                     self.liar(message, name="evil.test"), ("port", lie),
                                     ("address", lie), self.truth(message)],
            "guesses": lambda: [self.liar(message, ident=message.id ^ i) for i in range(1, 9)]
                       + [self.truth(message)],
        }.get(deed)

    # ---- cannot be read ----

    def mangled(self, deed, message):
        qname = message.questions[0][0]
        at = 12 + len(dns.question(qname))  # where the first record begins

        def owned(owner, rdata=socket.inet_aton(self.lie), rtype="A", length=None):
            return self.raw(message, owner + struct.pack(
                ">HHIH", dns.TYPES[rtype], dns.IN, 60,
                len(rdata) if length is None else length) + rdata)

        def pointer(to):
            return struct.pack(">H", 0xc000 | to)
        return {
            "opcode": lambda: [self.liar(message, flags=4 << 11)],
            "class": lambda: [self.liar(message, answer=[self.a(qname, rclass=dns.CH)])],
            "loop": lambda: [owned(pointer(at))],
            "forward": lambda: [owned(pointer(at + 16))],
            "into-header": lambda: [owned(pointer(2))],
            "loop-in-data": lambda: [owned(pointer(12), pointer(at + 12), "CNAME")],
            "counts": lambda: [self.raw(message, self.a(qname), (1, 7, 0, 0))],
            "length": lambda: [owned(pointer(12), length=400)],
            "cut": lambda: [owned(pointer(12))[:-2]],
            "short-data": lambda: [owned(pointer(12), b"\x01\x02\x03")],
            "long-data": lambda: [owned(pointer(12), b"\x01\x02\x03\x04\x05")],
            "label-type": lambda: [owned(b"\x41a\0")],
            "overlong": lambda: [owned(b"".join(b"\x3f" + b"a" * 63 for _ in range(5)) + b"\0")],
            "noise": lambda: [self.raw(message, os.urandom(200), (1, 3, 2, 1))],
        }.get(deed)

    # ---- errors, and truth with something amiss ----

    def errors(self, deed, message):
        codes = {"servfail": 2, "refused": 5, "notimp": 4, "yxrrset": 7, "rcode11": 11,
                 "formerr": 1}
        qname = message.questions[0][0]
        if deed in codes:
            return lambda: [self.liar(message, rcode=codes[deed])]
        if deed.startswith("bare-"):
            return lambda: [dns.header(message.id, dns.QR | codes[deed[5:]], (0, 0, 0, 0))]
        return {
            "badvers": lambda: [self.raw(message, self.a(qname) + dns.opt(rcode=1), (1, 1, 0, 1))],
            "badcookie": lambda: [self.raw(message, self.a(qname) + dns.opt(rcode=1),
                                           (1, 1, 0, 1), flags=7)],
            "lame": lambda: [self.reply(message, authority=[
                dns.record("test", "NS", dns.wire_name("ns.evil.test"))])],
        }.get(deed)

    def amiss(self, deed, message):
        qname = message.questions[0][0]
        victim = self.a(VICTIM)
        return {
            "trailing": lambda: [self.truth(message) + b"behind the end"],
            "ttl-huge": lambda: [self.truth(message, ttl=0x7fffffff)],
            "ttl-negative": lambda: [self.truth(message, ttl=0xffffffff)],
            "ttl-zero": lambda: [self.truth(message, ttl=0)],
            "extra": lambda: [self.truth(message, more=[victim, self.a("evil.test")])],
            "glue": lambda: [self.raw(
                message, self.true_record(message)
                + dns.record("good.test", "NS", dns.wire_name("ns.good.test"))
                + self.a("ns.good.test") + victim, (1, 1, 1, 2))],
            "duplicates": lambda: [self.truth(message)] * 3 + [self.liar(message)],
            "opt-version": lambda: [self.with_opt(message, dns.opt(version=9))],
            "opt-options": lambda: [self.with_opt(message, dns.opt(
                options=struct.pack(">HH", 10, 500) + b"1234"))],
            "opt-twice": lambda: [self.raw(message, self.true_record(message) + dns.opt() * 2,
                                           (1, 1, 0, 2))],
            "opt-owner": lambda: [self.with_opt(message, b"\x01a" + dns.opt())],
            "opt-payload": lambda: [self.with_opt(message, dns.opt(payload=0))],
            "opt-in-answer": lambda: [self.raw(
                message, dns.opt() + self.true_record(message), (1, 2, 0, 0))],
        }.get(deed)

    def chains(self, deed, message):
        qname = message.questions[0][0]
        number = int(re.sub(r"\D", "", qname.split(".")[0]) or 0)
        zone = qname.split(".", 1)[1]
        ahead = "%s-%d.%s" % (deed, number + 1, zone)

        def cname(owner, to):
            return dns.record(owner, "CNAME", dns.wire_name(to))
        names = ["hop%d.%s" % (i, zone) for i in range(40)]
        return {
            "cname-self": lambda: [self.reply(message, answer=[cname(qname, qname)])],
            "cname-loop": lambda: [self.reply(message, answer=[cname(qname, ahead),
                                                               cname(ahead, qname)])],
            "cname-endless": lambda: [self.reply(message, answer=[cname(qname, ahead)])],
            "cname-forty": lambda: [self.reply(message, answer=[
                *(cname(a, b) for a, b in zip([qname] + names, names)), self.a(names[-1])])],
        }.get(deed)

    def deed(self, message, packet, by_udp):
        name = self.deed_of(message.questions[0][0])
        if name.startswith("tc-"):
            if not by_udp:
                return [self.truth(message)]
            return [self.liar(message, flags=dns.TC)]
        for kind in (self.forged(name, message, packet), self.mangled(name, message),
                     self.errors(name, message), self.amiss(name, message),
                     self.chains(name, message)):
            if kind:
                return kind()
        return [self.truth(message)]

    # ---- the wire ----

    def send(self, sock, peer, reply):
        if isinstance(reply, bytes):
            sock.sendto(reply, peer)
            return
        kind, reply = reply
        with socket.socket(sock.family, socket.SOCK_DGRAM) as other:
            other.bind((self.other, sock.getsockname()[1]) if kind == "address"
                       else (sock.getsockname()[0], 0))
            other.sendto(reply, peer)

    def swap(self, sock, peer, reply, name):
        """Holds a reply until the reply to a question with a neighbouring number has left."""
        number = int(re.sub(r"\D", "", name.split(".")[0]))
        for other in (number - 1, number + 1):
            if other in self.held:
                sock.sendto(reply, peer)
                sock.sendto(self.held[other][1], self.held.pop(other)[0])
                return
        self.held[number] = (peer, reply)

    def serve_udp(self, sock):
        while True:
            packet, peer = sock.recvfrom(65535)
            message = dns.Message(packet)
            self.note(packet, message, peer, "udp")
            name = message.questions[0][0]
            if self.deed_of(name) == "swapped":
                self.swap(sock, peer, self.truth(message), name)
                continue
            for reply in self.deed(message, packet, True):
                self.send(sock, peer, reply)

    def by_one_connection(self, message, packet):
        """The replies of deeds that need no other source."""
        return b"".join(dns.framed(reply) for reply in self.deed(message, packet, False)
                        if isinstance(reply, bytes))

    def misbehave(self, sock, message, packet):
        """Does the deed by TCP; false: the connection has ended."""
        deed, good = self.deed_of(message.questions[0][0]), dns.framed(self.truth(message))
        if deed == "tc-reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if deed == "tc-close":
            return False
        if deed == "tc-bytes":
            for byte in good:
                sock.sendall(bytes([byte]))
                time.sleep(0.0003)  # all of them well before the next target is asked
        elif deed == "tc-half":
            sock.sendall(good[:len(good) // 2])
            time.sleep(HOLD_S)
            return False
        elif deed == "tc-silence":
            time.sleep(HOLD_S)
        else:
            sock.sendall({
                "tc-wrong-id": lambda: dns.framed(self.liar(message, ident=message.id ^ 1)),
                "tc-empty": lambda: b"\0\0" * 3,
                "tc-noise": lambda: b"\xff\xff" + os.urandom(65535),
                "tc-always": lambda: dns.framed(self.liar(message, flags=dns.TC)),
            }.get(deed, lambda: self.by_one_connection(message, packet))())
        return True

    def serve_connection(self, sock, peer):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with sock:
            try:
                while True:
                    packet = dns.recv_framed(sock)
                    message = dns.Message(packet)
                    self.note(packet, message, peer, "tcp")
                    if not self.misbehave(sock, message, packet):
                        return
            except (EOFError, OSError):
                pass


def main():
    listen, other, port, truth, lie, log = sys.argv[1:]
    hostile = Hostile(truth, lie, log)
    hostile.other = other
    hostile.run(listen, int(port))


if __name__ == "__main__":
    main()
