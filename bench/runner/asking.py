"""Questions with their times: those of the load, from its notes, and some that the bench asks itself, at a pace
or one by one until the answer is right. The DNS codec is that of the tests."""

import math
import select
import socket
import struct
import sys
import threading
import time
from contextlib import ExitStack
from typing import NamedTuple

from runner.configs import PORT
from runner.machine import BUILD, TOP
from runner.process import READY_S, BenchError, Load

sys.path.insert(0, str(TOP / "tests" / "e2e"))
import dns  # noqa: E402

SERVER = ("127.0.0.1", PORT)
NOTES = BUILD / "notes"
AGAIN_S, PAUSE_S = 0.005, 0.0005  # a question that was lost is asked again so soon


class Note(NamedTuple):
    sent: float  # by the monotonic clock
    took_ms: float
    found: str  # "right", "lost", or why it was wrong


def noted_load(*arguments, **how):
    return Load(*arguments, "--notes", NOTES, **how)


def notes():
    """Of the last load."""
    found = []
    for line in open(NOTES):
        sent, took, what = line.rstrip("\n").split(" ", 2)
        found.append(Note(int(sent) / 1e9, int(took) / 1e6, what))
    return found


class Reply(NamedTuple):
    sent: float
    took_ms: float
    message: object  # a dns.Message; None: there was none


def percentile(share, values):
    """The least value that this share (0 to 1) of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def judged(every, some):
    """The results of most parts of the bench (runner/faults.py): how many questions there were (`every`), how many
    of them were not answered right, and how long those of `some` took."""
    if not some:
        raise BenchError("nothing was asked when it mattered")
    took = [note.took_ms for note in some]
    return {"asked": len(every), "failed": sum(note.found != "right" for note in every),
            "p50_ms": percentile(0.5, took), "p99_ms": percentile(0.99, took), "max_ms": max(took)}


def asking_from(address):
    """A socket for questions of that address."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, 0))
    sock.connect(SERVER)
    return sock


def ask_paced(names, rate, patience_s, clients=("127.0.0.1",)):
    """Each name's address is asked for once, by the clients in turn; the replies in the names' order."""
    sent, replies = [], {}
    with ExitStack() as stack:
        socks = [stack.enter_context(asking_from(client)) for client in clients]
        start = time.monotonic()
        end = start + len(names) / rate + patience_s
        while len(replies) < len(names) and (len(sent) < len(names) or time.monotonic() < end):
            now = time.monotonic()
            due = start + len(sent) / rate if len(sent) < len(names) else end
            if now >= due:
                packet = dns.query(names[len(sent)], ident=len(sent), opts=(dns.opt(),))
                socks[len(sent) % len(socks)].send(packet)
                sent.append(now)
                continue
            for sock in select.select(socks, [], [], max(0, due - now))[0]:
                packet = sock.recv(4096)
                number, now = struct.unpack(">H", packet[:2])[0], time.monotonic()
                replies[number] = Reply(sent[number], (now - sent[number]) * 1e3, dns.Message(packet))
    return [replies.get(i, Reply(sent[i], patience_s * 1e3, None)) for i in range(len(names))]


class AskingOn(threading.Thread):
    """Asks for new names at a pace, and never waits for an answer."""

    def __init__(self, format_, rate, client):
        super().__init__(daemon=True)
        self.format, self.rate, self.client = format_, rate, client
        self.over, self.sent = threading.Event(), 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()

    def run(self):
        start = time.monotonic()
        with asking_from(self.client) as sock:
            while not self.over.wait(0.001):
                for _ in range(int((time.monotonic() - start) * self.rate) - self.sent):
                    sock.send(dns.query(self.format % self.sent))
                    self.sent += 1


class Asking:
    """One question at a time."""

    def __enter__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.connect(SERVER)
        self.sock.settimeout(AGAIN_S)
        return self

    def __exit__(self, *_):
        self.sock.close()

    def wait(self, name, address):
        """Until the name has this address."""
        packet, end = dns.query(name), time.monotonic() + READY_S
        while time.monotonic() < end:
            try:
                self.sock.send(packet)
                reply = self.sock.recv(4096)
                if reply[:2] == packet[:2] and dns.Message(reply).texts() == [address]:
                    return
            except OSError:
                pass
            time.sleep(PAUSE_S)
        raise BenchError("%s was not %s after %d s" % (name, address, READY_S))
