"""Targets, one on each port from TARGETS_PORT on, that fall silent or become slow when they
are told, and remember who was asked for which name when. They answer a name with the address that it
tells, as the load expects it (bench/questions.h); all of them in one thread."""

import heapq
import select
import socket
import struct
import threading
import time
import zlib
from typing import NamedTuple

from runner.process import TARGETS_PORT, BenchError

TURN_S = 0.05  # how soon it is noticed that all is over
WAIT_S = 90


class Asked(NamedTuple):
    when: float  # by the monotonic clock
    target: int  # the first is 0
    name: bytes  # the first label


def answer(query):
    """One A record; what a query has beside its question is not repeated."""
    end = 12
    while query[end]:
        end += query[end] + 1
    end += 5
    number = int(query[14:13 + query[12]])
    record = struct.pack(">HHHIHI", 0xC00C, 1, 1, 300, 4, 10 << 24 | number)
    return query[:2] + struct.pack(">5H", 0x8580, 1, 1, 0, 0) + query[12:end] + record


class Targets:
    def __init__(self, count, first_port=TARGETS_PORT):
        self.asked, self.silent, self.slow = [], set(), {}
        self.later, self.over = [], False
        self.sockets = {}
        for target in range(count):
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind(("127.0.0.1", first_port + target))
            sock.setblocking(False)
            self.sockets[sock] = target
        self.thread = threading.Thread(target=self.serve)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join()
        for sock in self.sockets:
            sock.close()

    # ---- what they are told ----

    def silence(self, *targets):
        """From now on; when that is."""
        self.silent.update(targets)
        return time.monotonic()

    def heal(self, *targets):
        now = time.monotonic()
        self.silent.difference_update(targets)
        return now

    def slow_down(self, target, percent, seconds):
        """So many of its names take so long, always the same ones."""
        self.slow[target] = percent, seconds

    # ---- what they were asked ----

    def wait_asked(self):
        """Until somebody has asked the first question."""
        end = time.monotonic() + WAIT_S
        while not self.asked:
            if time.monotonic() > end:
                raise BenchError("no target was asked anything for %d s" % WAIT_S)
            time.sleep(0.001)

    def by_name(self):
        """What was asked of whom about each name, the oldest first; only in order of time."""
        found = {}
        for one in sorted(self.asked):
            found.setdefault(one.name, []).append(one)
        return found

    # ---- in the thread ----

    def late_s(self, target, name):
        percent, seconds = self.slow.get(target, (0, 0))
        return seconds if zlib.crc32(name) % 100 < percent else 0

    def take(self, sock, target):
        query, client = sock.recvfrom(2048)
        now, name = time.monotonic(), query[13:13 + query[12]].lower()
        self.asked.append(Asked(now, target, name))
        if target in self.silent:
            return
        late = self.late_s(target, name)
        if late:
            heapq.heappush(self.later, (now + late, len(self.asked), sock, client, query))
        else:
            sock.sendto(answer(query), client)

    def serve(self):
        while not self.over:
            wait = min(TURN_S, max(0, self.later[0][0] - time.monotonic()) if self.later else TURN_S)
            for sock in select.select(list(self.sockets), [], [], wait)[0]:
                self.take(sock, self.sockets[sock])
            while self.later and self.later[0][0] <= time.monotonic():
                _, _, sock, client, query = heapq.heappop(self.later)
                sock.sendto(answer(query), client)
