#!/usr/bin/env python3
"""Many upstreams in one process, as fast as Python goes: each answers a question for A with the very
address at which it was asked, and everything else with NODATA. So an answer tells who gave it.

usage: whoami.py PORT ADDRESS..."""

import selectors
import socket
import struct
import sys

SOA = b"\xc0\x0c" + struct.pack(">HHIH", 6, 1, 60, 22) + b"\0\0" + struct.pack(">5I", 1, 2, 3, 4, 60)


def reply(packet, address):
    at = 12
    while packet[at]:
        at += 1 + packet[at]
    end = at + 5
    has_a = packet[at + 1:at + 3] == b"\0\1"
    record = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + address if has_a else SOA
    return (packet[:2] + b"\x81\x80" + struct.pack(">4H", 1, has_a, not has_a, 0) + packet[12:end]
            + record)


def main():
    chooser = selectors.DefaultSelector()
    for address in sys.argv[2:]:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.bind((address, int(sys.argv[1])))
        sock.setblocking(False)
        chooser.register(sock, selectors.EVENT_READ, socket.inet_aton(address))
    while True:
        for key, _ in chooser.select():
            try:
                for _ in range(64):
                    packet, peer = key.fileobj.recvfrom(2048)
                    key.fileobj.sendto(reply(packet, key.data), peer)
            except BlockingIOError:
                pass


if __name__ == "__main__":
    main()
