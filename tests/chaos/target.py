#!/usr/bin/env python3
"""A target that answers with the address that the name tells (place.py), and misbehaves on demand.

usage: target.py LISTEN OTHER FIRST CONTROL; FIRST is the first byte of its addresses, OTHER another
address of its machine to forge from. A datagram to the unix socket CONTROL is a mode, and is sent back
when it holds:

    good            x1, x2, ... do not exist, all other names have an A record
    late MS         the same, up to so many milliseconds later
    lossy PERCENT   so much of it gets lost
    silent, servfail
    hostile SEED    one of hostile.py's deeds for each name, but those that are the truth for its own
                    names (chains) and those that need a second question (swapped)"""

import heapq
import os
import random
import select
import socket
import struct
import sys
import threading
import time
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import dns
import hostile
import place

SOA = b"\xc0\x0c" + struct.pack(">HHIH", 6, 1, 3, 22) + b"\0\0" + struct.pack(">5I", 1, 2, 3, 4, 3)
DEEDS = sorted(deed for deed in hostile.DEEDS
               if not deed.startswith("cname-") and deed != "swapped")
BATCH = 64


def number_of(label):
    digits = "".join(c for c in label if c in "0123456789")
    return int(digits) if digits else 0


class Target(hostile.Hostile):
    def __init__(self, other, first):
        super().__init__(None, place.LIE, os.devnull)
        self.other, self.first, self.later = other, first, []
        self.mode, self.argument = "good", 0

    # ---- what is true ----

    def address_of(self, qname):
        return place.address(self.first, number_of(qname.split(".")[0]))

    def deed_of(self, qname):
        return DEEDS[zlib.crc32(b"%d %s" % (self.argument, qname.lower().encode())) % len(DEEDS)]

    def opt(self, packet, end):
        """An OPT for who sent one."""
        return dns.opt() if packet[end:end + 3] == b"\0\0\x29" else b""

    def answer(self, packet, rcode=0):
        """By bytes, because a flood has to be answered, too."""
        at = 13 + packet[12]
        label = packet[13:at].lower()
        while packet[at]:
            at += 1 + packet[at]
        end = at + 5
        missing = label[:1] == b"x"
        has_a = packet[at + 1:at + 3] == b"\0\1" and not missing and not rcode
        record = SOA if not rcode else b""
        if has_a:
            number = number_of(label.decode("latin-1"))
            record = (b"\xc0\x0c\0\1\0\1" + struct.pack(">IH", 2 + number % 20, 4)
                      + socket.inet_aton(place.address(self.first, number)))
        opt = self.opt(packet, end)
        return (packet[:2] + b"\x81" + bytes([0x80 | (rcode or 3 * missing)])
                + struct.pack(">4H", 1, has_a, not has_a and not rcode, bool(opt))
                + packet[12:end] + record + opt)

    # ---- by UDP ----

    def on_packet(self, sock, packet, peer):
        if self.mode == "hostile" and packet[13:14].lower() != b"x":
            message = dns.Message(packet)
            for reply in self.deed(message, packet, True):
                self.send(sock, peer, reply)
        elif self.mode == "late":
            due = time.monotonic() + random.uniform(0, self.argument / 1000)
            heapq.heappush(self.later, (due, peer, self.answer(packet)))
        elif self.mode == "servfail":
            sock.sendto(self.answer(packet, 2), peer)
        elif not self.keeps_silent():
            sock.sendto(self.answer(packet), peer)

    def keeps_silent(self):
        return self.mode == "silent" or (self.mode == "lossy"
                                         and random.uniform(0, 100) < self.argument)

    def drain(self, sock):
        try:
            for _ in range(BATCH):
                packet, peer = sock.recvfrom(2048)
                try:
                    self.on_packet(sock, packet, peer)
                except OSError:
                    pass  # the link is down
        except BlockingIOError:
            pass

    def send_due(self, sock):
        """How long until the next one, in seconds."""
        now = time.monotonic()
        while self.later and self.later[0][0] <= now:
            _, peer, reply = heapq.heappop(self.later)
            try:
                sock.sendto(reply, peer)
            except OSError:
                pass
        return self.later[0][0] - now if self.later else None

    # ---- by TCP ----

    def serve_one(self, sock, packet):
        """False where the connection is at its end."""
        if self.mode == "hostile" and packet[13:14].lower() != b"x":
            return self.misbehave(sock, dns.Message(packet))
        if self.mode == "late":
            time.sleep(random.uniform(0, self.argument / 1000))
        if not self.keeps_silent():
            sock.sendall(dns.framed(self.answer(packet, 2 if self.mode == "servfail" else 0)))
        return True

    def serve_connection(self, sock, peer):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with sock:
            try:
                while self.serve_one(sock, dns.recv_framed(sock)):
                    pass
            except (EOFError, OSError):
                pass

    def accept(self, listening):
        while True:
            threading.Thread(target=self.serve_connection, args=listening.accept(),
                             daemon=True).start()

    def serve(self, sock, control):
        while True:
            ready = select.select([sock, control], [], [], self.send_due(sock))[0]
            if control in ready:
                text, peer = control.recvfrom(100)
                self.mode, argument = (text.decode() + " 0").split()[:2]
                self.argument = int(argument)
                control.sendto(text, peer)
            if sock in ready:
                self.drain(sock)


def main():
    listen, other, first, path = sys.argv[1:]
    target = Target(other, int(first))
    by_udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    dns.enlarge(by_udp, 1 << 23)
    by_udp.bind((listen, 53))
    by_udp.setblocking(False)
    by_tcp = socket.create_server((listen, 53), backlog=256)
    if os.path.exists(path):  # of the one that was killed
        os.unlink(path)
    control = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    control.bind(path)
    threading.Thread(target=target.accept, args=(by_tcp,), daemon=True).start()
    target.serve(by_udp, control)


if __name__ == "__main__":
    main()
