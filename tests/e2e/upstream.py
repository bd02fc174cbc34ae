#!/usr/bin/env python3
"""An upstream that says what the question tells it to: the first label of the name is a script.

    servfail. refused. notimp.   that rcode
    silent.                      nothing
    late200.                     an answer after that many milliseconds
    held.                        an answer once there is a file LOG.release, or after 30 s
    tc.                          by UDP an empty answer with TC, by TCP the data
    wavers.                      the same, but the first connection that asks ends without an answer
    ends.                        the same, but every connection does
    plain.                       FORMERR to a question with OPT, data without
    bare.                        the same, in a header and nothing else
    lame.                        NOERROR with nothing but NS in the authority section
    mangled.                     a header that promises a record which is not there
    forged.                      an answer with a wrong id, one with a wrong question, then the true one
    alias--TARGET.               CNAME to TARGET, "-" for dots ("alias--www-corp-test.")
    dangling--TARGET.            the same, with NXDOMAIN
    full--TARGET.                the same with TARGET's A record, ADDRESS
    big.                         20 TXT records of 200 bytes (TC by UDP when that is too much)
    empty.                       NODATA with SOA
    nx.                          NXDOMAIN with SOA
    anything else                one A record, ADDRESS; to another type than A NODATA with SOA

usage: upstream.py LISTEN PORT ADDRESS LOG; every question is a line of JSON in LOG."""

import json
import os
import socket
import sys
import threading
import time

import dns

RCODE_OF = {"servfail": 2, "refused": 5, "notimp": 4}
SOA = (dns.wire_name("ns.upstream.test") + dns.wire_name("hostmaster.upstream.test")
       + bytes.fromhex("00000001 00000e10 0000012c 00127500 0000003c".replace(" ", "")))


class Upstream:
    def __init__(self, address, log):
        self.address, self.log, self.lock = address, open(log, "a", buffering=1), threading.Lock()
        self.wavered = set()

    def note(self, packet, message, peer, transport):
        name, rtype, _ = message.questions[0]
        line = {"name": name.lower(), "letters": name, "type": rtype, "from": peer[0],
                "port": peer[1], "by": transport, "id": message.id, "flags": message.flags,
                "bytes": len(packet),
                "edns": message.opt.rclass if message.opt else None,
                "options": [code for code, _ in message.options],
                "do": bool(message.opt and message.opt.ttl & 0x8000)}
        with self.lock:
            self.log.write(json.dumps(line) + "\n")

    def reply(self, message, rcode=0, answer=(), authority=(), flags=0, counts=None, ident=None,
              name=None):
        qname, rtype, rclass = message.questions[0]
        extra = [dns.opt()] if message.opt else []
        counts = counts or (1, len(answer), len(authority), len(extra))
        ident = message.id if ident is None else ident
        return (dns.header(ident, dns.QR | dns.RA | message.flags & dns.RD | flags | rcode, counts)
                + dns.question(name or qname, rtype, rclass)
                + b"".join(answer) + b"".join(authority) + b"".join(extra))

    def data(self, message, **how):
        qname, rtype, _ = message.questions[0]
        if rtype == dns.TYPES["A"]:
            return self.reply(message, answer=[
                dns.record(qname, "A", socket.inet_aton(self.address))], **how)
        return self.reply(message, authority=[self.soa(qname)], **how)

    def hold(self, patience_s=30):
        since = time.monotonic()
        while not os.path.exists(self.log.name + ".release"):
            if time.monotonic() - since > patience_s:
                return
            time.sleep(0.005)

    @staticmethod
    def soa(qname):
        return dns.record(qname.split(".", 1)[1] or ".", "SOA", SOA, ttl=600)

    def hangs_up(self, qname):
        first = qname not in self.wavered
        self.wavered.add(qname)
        return qname.startswith("ends.") or qname.startswith("wavers.") and first

    def answers(self, message, by_udp):
        """The packets to send, in their order."""
        qname = message.questions[0][0]
        script, _, argument = qname.split(".")[0].lower().partition("--")
        if script in RCODE_OF:
            return [self.reply(message, rcode=RCODE_OF[script])]
        if script == "silent":
            return []
        if script.startswith("late") and script[4:].isdigit():
            time.sleep(int(script[4:]) / 1000)
        if script == "held":
            self.hold()
        if script in ("tc", "wavers", "ends") and by_udp:
            return [self.reply(message, flags=dns.TC)]
        if script == "plain" and message.opt:
            return [dns.header(message.id, dns.QR | 1, (1, 0, 0, 0))
                    + dns.question(*message.questions[0])]
        if script == "bare" and message.opt:
            return [dns.header(message.id, dns.QR | 1, (0, 0, 0, 0))]
        if script == "lame":
            return [self.reply(message, authority=[
                dns.record("test", "NS", dns.wire_name("a.root-servers.test"))])]
        if script == "mangled":
            return [self.reply(message, counts=(1, 1, 0, 0))[:-11 if message.opt else None]]
        if script == "forged":
            return [self.data(message, ident=message.id ^ 1), self.data(message, name="evil.test"),
                    self.data(message)]
        if script in ("alias", "dangling", "full"):
            target = argument.replace("-", ".")
            chain = [dns.record(qname, "CNAME", dns.wire_name(target))]
            if script == "full":
                chain.append(dns.record(target, "A", socket.inet_aton(self.address)))
            return [self.reply(message, rcode=3 if script == "dangling" else 0, answer=chain)]
        if script == "big":
            texts = [dns.record(qname, "TXT", bytes([200]) + bytes([65 + i]) * 200)
                     for i in range(20)]
            full = self.reply(message, answer=texts)
            limit = message.opt.rclass if message.opt else 512
            return [self.reply(message, flags=dns.TC) if by_udp and len(full) > limit else full]
        if script == "empty":
            return [self.reply(message, authority=[self.soa(qname)])]
        if script == "nx":
            return [self.reply(message, rcode=3, authority=[self.soa(qname)])]
        return [self.data(message)]

    def serve_udp(self, sock):
        def answer(packet, peer):
            message = dns.Message(packet)
            self.note(packet, message, peer, "udp")
            for reply in self.answers(message, True):
                sock.sendto(reply, peer)
        while True:
            threading.Thread(target=answer, args=sock.recvfrom(65535), daemon=True).start()

    def serve_connection(self, sock, peer):
        with sock:
            try:
                while True:
                    packet = dns.recv_framed(sock)
                    message = dns.Message(packet)
                    self.note(packet, message, peer, "tcp")
                    if self.hangs_up(message.questions[0][0].lower()):
                        return
                    for reply in self.answers(message, False):
                        sock.sendall(dns.framed(reply))
            except (EOFError, OSError):
                pass

    def run(self, address, port):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        by_udp = socket.socket(family, socket.SOCK_DGRAM)
        by_udp.bind((address, port))
        by_tcp = socket.create_server((address, port), family=family, backlog=64)
        threading.Thread(target=self.serve_udp, args=(by_udp,), daemon=True).start()
        while True:
            threading.Thread(target=self.serve_connection, args=by_tcp.accept(), daemon=True).start()


def main():
    listen, port, address, log = sys.argv[1:]
    Upstream(address, log).run(listen, int(port))


if __name__ == "__main__":
    main()
