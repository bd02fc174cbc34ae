"""A small DNS codec for the tests: builds packets byte by byte (even wrong ones) and reads answers, so that
tests see the wire without a library in between. It does not resolve, and knows presentation formats only for
the types that the tests ask for."""

import os
import socket
import struct

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "HINFO": 13, "MX": 15, "TXT": 16,
         "AAAA": 28, "SRV": 33, "DNAME": 39, "OPT": 41, "DS": 43, "AXFR": 252, "ANY": 255}
TYPE_NAMES = {number: name for name, number in TYPES.items()}
RCODES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN"]
IN, CH, ANY_CLASS = 1, 3, 255
QR, AA, TC, RD, RA, AD, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0020, 0x0010
OPTION_NSID, OPTION_EDE = 3, 15
# How long to wait for expected packets, in seconds: many times what the slowest machine needs.
PATIENCE = 300.0 if os.environ.get("VALGRIND") else 60.0


def type_number(rtype):
    return rtype if isinstance(rtype, int) else TYPES[rtype]


def wire_name(name):
    """'a.b' or 'a.b.' as labels; no escapes."""
    labels = [label for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label.encode("latin-1") for label in labels) + b"\0"


def header(ident, flags, counts):
    return struct.pack(">HH4H", ident, flags, *counts)


def question(name, rtype="A", rclass=IN):
    return wire_name(name) + struct.pack(">HH", type_number(rtype), rclass)


def opt(payload=1232, version=0, do=False, rcode=0, options=b""):
    ttl = rcode << 24 | version << 16 | (0x8000 if do else 0)
    return b"\0" + struct.pack(">HHIH", TYPES["OPT"], payload, ttl, len(options)) + options


def option(code, data=b""):
    return struct.pack(">HH", code, len(data)) + data


def record(name, rtype, rdata, ttl=60, rclass=IN):
    return (wire_name(name) + struct.pack(">HHIH", type_number(rtype), rclass, ttl, len(rdata))
            + rdata)


def query(name, rtype="A", ident=None, flags=RD, rclass=IN, opts=()):
    """An ordinary question; `opts` are whole OPT records."""
    if ident is None:
        ident = struct.unpack(">H", os.urandom(2))[0]
    return header(ident, flags, (1, 0, 0, len(opts))) + question(name, rtype, rclass) + b"".join(opts)


class Record:
    def __init__(self, name, rtype, rclass, ttl, rdata, packet, at):
        self.name, self.rclass, self.ttl, self.rdata = name, rclass, ttl, rdata
        self.type = TYPE_NAMES.get(rtype, "TYPE%d" % rtype)
        self.text = self._text(packet, at)

    def _text(self, packet, at):
        if self.type == "A":
            return socket.inet_ntop(socket.AF_INET, self.rdata)
        if self.type == "AAAA":
            return socket.inet_ntop(socket.AF_INET6, self.rdata)
        if self.type in ("CNAME", "NS", "PTR", "DNAME"):
            return read_name(packet, at)[0]
        if self.type == "TXT":
            return self.rdata[1:1 + self.rdata[0]].decode("latin-1")
        if self.type == "MX":
            return "%d %s" % (struct.unpack_from(">H", packet, at)[0], read_name(packet, at + 2)[0])
        if self.type == "SOA":
            mname, at = read_name(packet, at)
            rname, at = read_name(packet, at)
            return " ".join([mname, rname] + [str(n) for n in struct.unpack_from(">5I", packet, at)])
        return self.rdata.hex()

    def __repr__(self):
        return "%s %d %s %s" % (self.name, self.ttl, self.type, self.text)


def read_name(packet, at):
    """The name at `at`, dot-terminated, and its end. Pointers must point backward."""
    labels, end, least = [], None, at
    while True:
        length = packet[at]
        if length & 0xc0 == 0xc0:
            target = struct.unpack_from(">H", packet, at)[0] & 0x3fff
            if target >= least:
                raise ValueError("a compression pointer that does not point backward")
            end = end if end is not None else at + 2
            at = least = target
        elif length == 0:
            return ".".join(labels) + ".", end if end is not None else at + 1
        else:
            labels.append(packet[at + 1:at + 1 + length].decode("latin-1"))
            at += 1 + length


class Message:
    """Parses a packet; raises if it is malformed."""

    def __init__(self, packet):
        self.packet = packet
        self.id, self.flags, qdcount, *counts = struct.unpack_from(">HH4H", packet)
        self.opcode = self.flags >> 11 & 15
        self.opt = None
        at = 12
        self.questions = []
        for _ in range(qdcount):
            name, at = read_name(packet, at)
            self.questions.append((name,) + struct.unpack_from(">HH", packet, at))
            at += 4
        self.answer, self.authority, self.additional = [], [], []
        for section, count in zip((self.answer, self.authority, self.additional), counts):
            for _ in range(count):
                at = self._record(section, at)
        if at != len(packet):
            raise ValueError("%d bytes behind the last record" % (len(packet) - at))

    def _record(self, section, at):
        name, at = read_name(self.packet, at)
        rtype, rclass, ttl, length = struct.unpack_from(">HHIH", self.packet, at)
        at += 10
        if at + length > len(self.packet):
            raise ValueError("rdata runs over the end")
        item = Record(name, rtype, rclass, ttl, self.packet[at:at + length], self.packet, at)
        if rtype == TYPES["OPT"]:
            if self.opt is not None:
                raise ValueError("two OPT records")
            self.opt = item
        else:
            section.append(item)
        return at + length

    @property
    def rcode(self):
        number = self.flags & 15 | (self.opt.ttl >> 24 << 4 if self.opt else 0)
        return "BADVERS" if number == 16 else RCODES[number] if number < len(RCODES) else str(number)

    @property
    def options(self):
        found, data = [], self.opt.rdata if self.opt else b""
        while data:
            code, length = struct.unpack_from(">HH", data)
            found.append((code, data[4:4 + length]))
            data = data[4 + length:]
        return found

    @property
    def ede(self):
        """The first extended error: (code, text), or None."""
        for code, data in self.options:
            if code == OPTION_EDE:
                return struct.unpack_from(">H", data)[0], data[2:].decode("utf-8")
        return None

    def texts(self, rtype=None):
        return [r.text for r in self.answer if rtype is None or r.type == rtype]

    def __repr__(self):
        return "%s flags %04x answer %r authority %r ede %r" % (
            self.rcode, self.flags, self.answer, self.authority, self.ede)


def open_socket(kind, server, source):
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    sock = socket.socket(family, kind)
    if source:
        sock.bind((source, 0))
    return sock


def enlarge(sock, size):
    """Sets the size of the socket's receive buffer, in bytes; over the system's limit only where that is allowed."""
    so_rcvbufforce = 33
    try:
        sock.setsockopt(socket.SOL_SOCKET, so_rcvbufforce, size)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)


def udp(packet, server, timeout=PATIENCE, source=None):
    """Sends a packet and returns the answer's bytes; None: there is none."""
    with open_socket(socket.SOCK_DGRAM, server, source) as sock:
        sock.settimeout(timeout)
        sock.connect(server)
        sock.send(packet)
        try:
            return sock.recv(65535)
        except socket.timeout:
            return None


def recv_exactly(sock, length):
    data = b""
    while len(data) < length:
        part = sock.recv(length - len(data))
        if not part:
            raise EOFError("closed after %d of %d bytes" % (len(data), length))
        data += part
    return data


def recv_framed(sock):
    return recv_exactly(sock, struct.unpack(">H", recv_exactly(sock, 2))[0])


def framed(packet):
    return struct.pack(">H", len(packet)) + packet


def tcp(packet, server, timeout=PATIENCE, source=None):
    with open_socket(socket.SOCK_STREAM, server, source) as sock:
        sock.settimeout(timeout)
        sock.connect(server)
        sock.sendall(framed(packet))
        return recv_framed(sock)


def udp_many(packets, server, window=64, source=None):
    """Answers to many questions, in their order; their ids are set here. Lost ones are asked again."""
    answers = [None] * len(packets)
    with open_socket(socket.SOCK_DGRAM, server, source) as sock:
        sock.connect(server)
        sock.settimeout(5)
        for start in range(0, len(packets), window):
            waiting = set(range(start, min(start + window, len(packets))))
            for _ in range(6):
                for i in waiting:
                    sock.send(struct.pack(">H", i & 0xffff) + packets[i][2:])
                try:
                    while waiting:
                        answer = sock.recv(65535)
                        i = start + (struct.unpack_from(">H", answer)[0] - start) % 65536
                        if i in waiting:
                            waiting.remove(i)
                            answers[i] = answer
                except socket.timeout:
                    continue
                break
    return answers


def ask(server, name, rtype="A", transport=udp, timeout=PATIENCE, source=None, **how):
    """Asks an ordinary question with EDNS, and returns the parsed answer; None: silence."""
    how.setdefault("opts", (opt(),))
    answer = transport(query(name, rtype, **how), server, timeout, source)
    return Message(answer) if answer is not None else None
