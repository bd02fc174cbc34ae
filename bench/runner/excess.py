"""What an endpoint answers of twice as many queries as it may: from one client, and from forged
addresses while an honest client asks as well."""

import os
import random
import socket
import struct
import threading
import time

from runner.asking import SERVER, Asking, dns, noted_load, notes
from runner.configs import Shape, sluice
from runner.process import BenchError

LIMIT, TIMES = 10_000, 2
BURST_S = 1  # what is let through at once at the beginning is past by then
TAIL_S = 0.2
PACE, PATIENCE_S = 50, 0.5  # the honest client's questions a second, and how long it waits
IP_PKTINFO, COOKIE = 8, 10
NAME, ADDRESS = "h7.priv.test", "10.0.0.7"


def limit(seconds):
    """Queries that come while `seconds` pass, counted by when they were sent."""
    with sluice(Shape(limit=LIMIT)) as server, noted_load(
            server, "zone", "--rate", TIMES * LIMIT, "--seconds", BURST_S + seconds + TAIL_S) as run:
        run.result()
    taken = notes()
    begin = min(note.sent for note in taken) + BURST_S
    counted = [note for note in taken if begin <= note.sent < begin + seconds]
    answered = sum(note.found == "right" for note in counted)
    if len(counted) < 0.95 * TIMES * LIMIT * seconds:
        raise BenchError("the load sent only %d questions" % len(counted))
    return {"asked": len(counted), "answered": answered,
            "failed": sum(note.found not in ("right", "truncated", "lost") for note in counted),
            "off_percent": 100 * abs(answered / (LIMIT * seconds) - 1)}


class Forgery(threading.Thread):
    """One host of the zone is asked for, each time from a random address of loopback."""

    def __init__(self):
        super().__init__(daemon=True)
        self.over, self.sent, self.start_s = threading.Event(), 0, time.monotonic()

    def __enter__(self):
        self.start()
        time.sleep(BURST_S)
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()

    def run(self):
        packet, drawn = dns.query(NAME, opts=(dns.opt(),)), random.Random(1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            while not self.over.wait(0.001):
                for _ in range(int((time.monotonic() - self.start_s) * TIMES * LIMIT) - self.sent):
                    source = struct.pack(">I", 127 << 24 | drawn.randrange(1 << 16, 1 << 23))
                    sock.sendmsg([packet], [(socket.IPPROTO_IP, IP_PKTINFO, struct.pack(
                        "=I4s4s", 0, source, b""))], 0, SERVER)
                    self.sent += 1

    def rate(self):
        return self.sent / (time.monotonic() - self.start_s)


def asked(packet, transport=dns.udp):
    """The answer; None: there was none."""
    try:
        answer = transport(packet, SERVER, timeout=PATIENCE_S)
    except (OSError, EOFError):
        return None
    return dns.Message(answer) if answer else None


def right(message):
    return message is not None and message.texts() == [ADDRESS]


def with_cookie(cookie):
    return dns.query(NAME, opts=(dns.opt(options=dns.option(COOKIE, cookie)),))


def paced(seconds, ask):
    """What became of each."""
    start, found = time.monotonic(), []
    for i in range(int(seconds * PACE)):
        time.sleep(max(0, start + i / PACE - time.monotonic()))
        found.append(ask())
    return found


def cpu_s(server):
    fields = open("/proc/%d/stat" % server.pid).read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def forged(seconds):
    """Each kind of asking has a third of the time."""
    plain = dns.query(NAME, opts=(dns.opt(),))
    with sluice(Shape(limit=LIMIT)) as server:
        with Asking() as asking:
            asking.wait(NAME, ADDRESS)
        cookie = dict(asked(with_cookie(b"a client")).options)[COOKIE]
        with Forgery() as forgery:
            start_s, before_s = time.monotonic(), cpu_s(server)
            cookies = paced(seconds / 3, lambda: asked(with_cookie(cookie)))
            by_tcp = paced(seconds / 3, lambda: asked(plain, dns.tcp))
            without = paced(seconds / 3, lambda: asked(plain))
            cpu_percent = 100 * (cpu_s(server) - before_s) / (time.monotonic() - start_s)
            sent_there = sum(m is not None and bool(m.flags & dns.TC) for m in without)
            rate = forgery.rate()
    if rate < 0.95 * TIMES * LIMIT:
        raise BenchError("only %d forged questions a second were sent" % rate)
    first = sum(map(right, without))
    return {"asked": len(cookies) + len(by_tcp),
            "failed": len(cookies) + len(by_tcp) - sum(map(right, cookies + by_tcp)),
            "cookie_percent": 100 * sum(map(right, cookies)) / len(cookies),
            "tcp_percent": 100 * sum(map(right, by_tcp)) / len(by_tcp),
            "first_percent": 100 * first / len(without),
            "nothing": len(without) - first - sent_there,
            "cpu_percent": cpu_percent}
