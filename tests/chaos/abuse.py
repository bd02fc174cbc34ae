#!/usr/bin/env python3
"""Strangers who misuse the server, one kind at a time; nobody looks at what they are answered.

usage: abuse.py KIND SERVER SECONDS RATE SEED

by UDP, RATE packets a second:
    hosts        names of a private zone, from one address: far over the endpoint's limit
    subdomains   new names below the rules, from one address
    crowd        both, from ten
    noise        packets of random bytes, and questions in which some bytes are random
by TCP:
    slow         a byte at a time, on connections that stay
    half         half a question each, and no more
    many         thousands of connections, as fast as they are taken
    resets       questions, and a reset before the answer
    pipelines    hundreds of questions at once on each connection, and nobody reads the answers"""

import os
import random
import resource
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import dns
import place

TICK_S = 0.005
RESET = struct.pack("ii", 1, 0)  # SO_LINGER


class Abuse:
    def __init__(self, server, seconds, rate, seed):
        self.server, self.rate, self.end = (server, 53), rate, time.monotonic() + seconds
        self.chance = random.Random(seed)
        self.connections = []

    # ---- by UDP ----

    def host(self):
        return dns.query("h%d.priv.test" % self.chance.randrange(place.HOSTS))

    def subdomain(self):
        rule = self.chance.randrange(place.RULES - place.FLIPS)
        return dns.query("u%d.%s" % (self.chance.randrange(1 << 23, 1 << 24),
                                     place.rule_domain(rule)))

    def garbage(self):
        if self.chance.random() < 0.3:
            return self.chance.randbytes(self.chance.randrange(1, 600))
        packet = bytearray(dns.query("h1.priv.test", opts=(dns.opt(),)))
        for _ in range(self.chance.randrange(1, 6)):
            packet[self.chance.randrange(2, len(packet))] = self.chance.randrange(256)
        return bytes(packet[:self.chance.randrange(1, len(packet) + 1)])

    def flood(self, sources, *packets):
        socks = []
        for source in sources:
            sock = dns.open_socket(socket.SOCK_DGRAM, self.server, source)
            sock.connect(self.server)
            sock.setblocking(False)
            socks.append(sock)
        sent, start = 0, time.monotonic()
        while (now := time.monotonic()) < self.end:
            due = min(int((now - start) * self.rate), sent + int(self.rate * 0.05))
            for i in range(due - sent):
                try:
                    socks[i % len(socks)].send(packets[i % len(packets)]())
                except OSError:
                    pass
            sent = int((now - start) * self.rate)
            time.sleep(TICK_S)

    def hosts(self):
        self.flood(place.STRANGERS[:1], self.host)

    def subdomains(self):
        self.flood(place.STRANGERS[:1], self.subdomain)

    def crowd(self):
        self.flood(place.STRANGERS, self.host, self.subdomain)

    def noise(self):
        self.flood(place.STRANGERS[:3], self.garbage)

    # ---- by TCP ----

    def connect(self, small=False):
        sock = dns.open_socket(socket.SOCK_STREAM, self.server, None)
        if small:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        try:
            sock.bind((self.chance.choice(place.STRANGERS), 0))
            sock.setblocking(False)
            sock.connect(self.server)
        except BlockingIOError:
            pass
        except OSError:
            sock.close()
            return None
        self.connections.append(sock)
        return sock

    def write(self, sock, data):
        """Whether it is still there."""
        try:
            sock.send(data)
        except BlockingIOError:
            pass
        except OSError:
            sock.close()
            return False
        return True

    def sweep(self, data_of):
        self.connections = [sock for sock in self.connections if self.write(sock, data_of(sock))]

    def hold(self, count, step, small=False):
        """Keeps so many connections and does `step` ten times a second."""
        while time.monotonic() < self.end:
            for _ in range(min(100, count - len(self.connections))):
                self.connect(small)
            time.sleep(0.1)
            step()

    def slow(self):
        question = dns.framed(dns.query("h1.priv.test"))
        place_of = {}

        def next_byte(sock):
            at = place_of[sock] = place_of.get(sock, -1) + 1
            return question[at % len(question):][:1]
        self.hold(150, lambda: self.sweep(next_byte))

    def half(self):
        question, done = dns.framed(self.subdomain()), set()

        def step():
            for sock in set(self.connections) - done:
                done.add(sock)
                self.write(sock, question[:len(question) // 2])
            self.connections = [sock for sock in self.connections if sock.fileno() >= 0]
        self.hold(300, step)

    def many(self):
        self.hold(4000, lambda: None)

    def resets(self):
        while time.monotonic() < self.end:
            for _ in range(30):
                self.connect()
            time.sleep(0.05)
            self.sweep(lambda _: dns.framed(self.subdomain()) * 3)
            time.sleep(self.chance.uniform(0, 0.02))
            for sock in self.connections:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                sock.close()
            self.connections = []

    def pipelines(self):
        many = b"".join(dns.framed(self.host()) for _ in range(300))
        self.hold(40, lambda: self.sweep(lambda _: many), small=True)


UDP, TCP = ("hosts", "subdomains", "crowd", "noise"), ("slow", "half", "many", "resets", "pipelines")


def main():
    kind, server, seconds, rate, seed = sys.argv[1:]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    abuse = Abuse(server, float(seconds), float(rate), seed)
    getattr(abuse, kind)()


if __name__ == "__main__":
    main()
