"""Targets, one on each port from TARGETS_PORT on, by UDP and by TCP, that can fall silent, become slow or
answer only some names, and remember which of them was asked for which name when. They answer a name with
the address that it carries, as the load expects it (bench/answer.h); all of them in one thread."""

import heapq
import resource
import selectors
import socket
import struct
import threading
import time
import zlib
from typing import NamedTuple

from runner.process import TARGETS_PORT, BenchError

TURN_S = 0.05  # how soon it is noticed that all is over
WAIT_S = 90
BUFFER_BYTES = 4 << 20  # ten thousand small packets, where net.core.rmem_max allows that
BATCH = 64  # datagrams of one target before another's
WRITE_S = 1  # a peer that does not read for so long is left
FILES_BESIDE = 256  # what else is open, beside two sockets of each target


class Asked(NamedTuple):
    when: float  # by the monotonic clock
    target: int  # the first is 0
    name: bytes  # the first label


def answer(query, ttl):
    """One A record; what a query has beside its question is not repeated."""
    end = 12
    while query[end]:
        end += query[end] + 1
    end += 5
    number = int(query[14:13 + query[12]])
    record = struct.pack(">HHHIHI", 0xC00C, 1, 1, ttl, 4, 10 << 24 | number)
    return query[:2] + struct.pack(">5H", 0x8580, 1, 1, 0, 0) + query[12:end] + record


def bound(kind, port):
    sock = socket.socket(socket.AF_INET, kind)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
    if kind == socket.SOCK_STREAM:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    sock.setblocking(False)
    return sock


class Targets:
    def __init__(self, count, first_port=TARGETS_PORT, ttl=300):
        self.ttl = ttl
        self.asked, self.silent, self.slow = [], set(), {}
        self.ignored, self.answered, self.known = set(), [set() for _ in range(count)], {}
        self.pause_s, self.free_at = {}, {}
        self.fuses = {}
        self.later, self.over = [], False
        self.selector, self.streams = selectors.DefaultSelector(), {}
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(2 * count + FILES_BESIDE, hard)), hard))
        for target in range(count):
            self.watch(bound(socket.SOCK_DGRAM, first_port + target), self.on_datagrams, target)
            listener = bound(socket.SOCK_STREAM, first_port + target)
            listener.listen()
            self.watch(listener, self.on_connection, target)
        self.thread = threading.Thread(target=self.serve)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()

    def watch(self, sock, read, target):
        self.selector.register(sock, selectors.EVENT_READ, (read, target))

    # ---- what they are told ----

    def silence(self, *targets):
        """Silences them from now on; returns the time. By TCP they take connections and questions, and say nothing."""
        self.silent.update(targets)
        return time.monotonic()

    def heal(self, *targets):
        now = time.monotonic()
        self.silent.difference_update(targets)
        for target in targets:
            self.pause_s.pop(target, None)
        return now

    def silence_at(self, target, letter):
        """From the first question on whose name begins with it."""
        self.fuses[target] = letter.encode()

    def slow_down(self, target, percent, seconds):
        """So many of its names take so long, always the same ones."""
        self.slow[target] = lambda name: zlib.crc32(name) % 100 < percent, seconds

    def slow_for(self, target, letter, seconds):
        """Names that begin with the letter take so long."""
        self.slow[target] = lambda name: name[:1] == letter.encode(), seconds

    def ignore(self, letter):
        """Nobody answers names that begin with it any more."""
        self.ignored.add(letter.encode())

    def cut_off(self, target):
        """It goes on answering what it has answered so far, and nothing else; since when."""
        self.known[target] = frozenset(self.answered[target])
        return time.monotonic()

    def limit(self, target, rate):
        """It answers at most so many a second, until it is healed; since when."""
        self.pause_s[target] = 1 / rate
        return time.monotonic()

    # ---- what they were asked ----

    def wait_asked(self):
        """Until somebody has asked the first question."""
        end = time.monotonic() + WAIT_S
        while not self.asked:
            if time.monotonic() > end:
                raise BenchError("no target was asked anything for %d s" % WAIT_S)
            time.sleep(0.001)

    def by_name(self):
        """For each name the questions about it, the oldest first."""
        found = {}
        for one in sorted(self.asked):
            found.setdefault(one.name, []).append(one)
        return found

    # ---- in the thread ----

    def late_s(self, target, name):
        is_slow, seconds = self.slow.get(target, (bool, 0))
        return seconds if is_slow(name) else 0

    def is_over_limit(self, target, now):
        pause_s = self.pause_s.get(target)
        if pause_s is None:
            return False
        if now < self.free_at.get(target, 0):
            return True
        self.free_at[target] = now + pause_s
        return False

    def says_nothing(self, target, name, now):
        return target in self.silent or name[:1] in self.ignored or (
            target in self.known and name not in self.known[target]) or self.is_over_limit(target, now)

    def take(self, target, query, sock, client):
        now, name = time.monotonic(), query[13:13 + query[12]].lower()
        self.asked.append(Asked(now, target, name))
        if name[:1] == self.fuses.get(target):
            self.silent.add(target)
        if self.says_nothing(target, name, now):
            return
        self.answered[target].add(name)
        late = self.late_s(target, name)
        if late:
            heapq.heappush(self.later, (now + late, len(self.asked), query, sock, client))
        else:
            self.reply(query, sock, client)

    def reply(self, query, sock, client):
        message = answer(query, self.ttl)
        if client:
            sock.sendto(message, client)
        elif sock in self.streams:
            self.send_all(sock, struct.pack(">H", len(message)) + message)

    def send_all(self, stream, message):
        try:
            stream.sendall(message)
        except OSError:
            self.end(stream)

    def end(self, stream):
        del self.streams[stream]
        self.selector.unregister(stream)
        stream.close()

    def on_datagrams(self, sock, target):
        for _ in range(BATCH):
            try:
                query, client = sock.recvfrom(2048)
            except BlockingIOError:
                return
            self.take(target, query, sock, client)

    def on_connection(self, listener, target):
        stream = listener.accept()[0]
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream.settimeout(WRITE_S)
        self.streams[stream] = b""
        self.watch(stream, self.on_stream, target)

    def on_stream(self, stream, target):
        try:
            more = stream.recv(1 << 16)
        except OSError:
            more = b""
        if not more:
            self.end(stream)
            return
        came, at = self.streams[stream] + more, 0
        while len(came) >= at + 2 and len(came) >= (end := at + 2 + (came[at] << 8 | came[at + 1])):
            self.take(target, came[at + 2:end], stream, None)
            at = end
        if stream in self.streams:
            self.streams[stream] = came[at:]

    def serve(self):
        while not self.over:
            wait = min(TURN_S, max(0, self.later[0][0] - time.monotonic()) if self.later else TURN_S)
            for key, _ in self.selector.select(wait):
                read, target = key.data
                if key.fileobj.fileno() >= 0:
                    read(key.fileobj, target)
            while self.later and self.later[0][0] <= time.monotonic():
                _, _, query, sock, client = heapq.heappop(self.later)
                self.reply(query, sock, client)
