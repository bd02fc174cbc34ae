"""Servers that machines register with by DNS UPDATE: sluice, BIND and Knot, each with the zone of 1000 hosts that is
asked for and registered in, the reverse zone of the machines, one key, and a journal below bench/update's FOLDER; the
load of signed messages (bench/register.c); and Kea's D2, which registers what a DHCP server gives to machines."""

import base64
import contextlib
import json
import shutil
import socket
import struct
import subprocess
import time

from runner.asking import dns
from runner.configs import DELEGATION, zone_file
from runner.machine import BUILD, PROGRAM
from runner.process import BOTH_CORES, LOAD_S, READY_S, BenchError, Server, on_cores

ZONE, REVERSE, KEY, SECRET = "priv.test", "128.10.in-addr.arpa", "dhcp", "registers machines at the bench"
SECRET_64 = base64.b64encode(SECRET.encode()).decode()
PORTS = {"sluice": 15381, "bind": 15382, "knot": 15383}
D2_PORT, D2_TYPE = 15384, 49

# The rate limit of endpoints and the number of names are not what is measured.
SLUICE = """
management = { socket = "sluice.sock"; state = "%(folder)s/sluice.db"; };
limits = { queries_per_second_per_endpoint = 0; };
default_resolver = { targets = ( { address = "127.0.0.1"; port = 1; } ); };
keys = ( { name = "%(key)s"; secret = "%(secret)s"; } );
virtual_networks = ( { name = "hub"; address_space = [ "10.0.0.0/8" ];
  subnets = ( { name = "in"; prefix = "10.0.0.0/28"; delegation = "%(delegation)s"; } ); } );
resolvers = ( { name = "r"; virtual_network = "hub";
  inbound_endpoints = ( { name = "in"; subnet = "in"; listen = "127.0.0.1:%(port)d"; } ); } );
private_zones = ( { name = "%(zone)s"; file = "%(file)s"; links = ( { name = "hub"; virtual_network = "hub"; } ); } );
registration = ( { zone = "%(zone)s"; prefixes = [ "10.128.0.0/16" ]; names_max = 1000000;
  keys = ( { key = "%(key)s"; } ); } );
"""
# Its quota of updates at a time, beyond which it is silent, is not what is measured either.
BIND = """
options { directory "%(folder)s"; listen-on port %(port)d { 127.0.0.1; }; listen-on-v6 { none; };
  recursion no; allow-query { any; }; pid-file none; session-keyfile none; notify no; update-quota 10000; };
controls { };
logging { channel n { stderr; severity error; }; category default { n; }; };
key "%(key)s" { algorithm hmac-sha256; secret "%(secret)s"; };
zone "%(zone)s" { type primary; file "%(file)s"; allow-update { key "%(key)s"; }; };
zone "%(reverse)s" { type primary; file "reverse.zone"; allow-update { key "%(key)s"; }; };
"""
# Zone files are not written after each update: what counts is the journal.
KNOT = """
server:
    rundir: "%(folder)s"
    listen: 127.0.0.1@%(port)d
log:
  - target: stderr
    any: error
database:
    storage: "%(folder)s"
key:
  - id: %(key)s
    algorithm: hmac-sha256
    secret: %(secret)s
acl:
  - id: update
    key: %(key)s
    action: update
template:
  - id: default
    storage: "%(folder)s"
    acl: update
    zonefile-sync: -1
zone:
  - domain: %(zone)s
    file: "%(file)s"
  - domain: %(reverse)s
    file: "reverse.zone"
"""
REVERSE_ZONE = "$TTL 300\n@ IN SOA ns.priv.test. h.priv.test. 1 3600 600 86400 300\n@ IN NS ns.priv.test.\n"
NAMES = {"sluice": "sluice", "bind": "BIND", "knot": "Knot"}
TEXTS = {"sluice": SLUICE, "bind": BIND, "knot": KNOT}


def arguments(name, config):
    return {"sluice": [str(PROGRAM["sluice"]), "run", "-c", config],
            "bind": ["named", "-f", "-c", config],
            "knot": ["knotd", "-c", config]}[name]


def installed(name):
    return name == "sluice" or shutil.which({"bind": "named", "knot": "knotd", "d2": "kea-dhcp-ddns"}[name])


class Registry:
    """One of the three while it runs, with nothing registered at its start: `with Registry(name, folder) as registry:`."""

    def __init__(self, name, parent):
        self.name, self.port, self.machines = name, PORTS[name], 0
        folder = parent / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        zone = shutil.copy(zone_file(1000), folder / "forward.zone")
        (folder / "reverse.zone").write_text(REVERSE_ZONE)
        config = folder / "conf"
        config.write_text(TEXTS[name] % {
            "folder": folder, "port": self.port, "zone": ZONE, "file": zone, "reverse": REVERSE, "key": KEY,
            "secret": SECRET_64, "delegation": DELEGATION})
        self.server = Server("update-" + name, self.port, arguments(name, str(config)), BOTH_CORES, cwd=str(folder),
                             forks=name == "sluice")
        self.server.end_s = 20

    def __enter__(self):
        self.server.__enter__()
        try:
            self.wait()
        except BenchError:
            self.server.__exit__()
            raise
        return self

    def __exit__(self, *error):
        self.server.__exit__(*error)

    def wait(self):
        until = time.monotonic() + READY_S
        while time.monotonic() < until and self.server.alive():
            with contextlib.suppress(OSError):
                answer = dns.ask(("127.0.0.1", self.port), "h7." + ZONE, timeout=0.1)
                if answer and answer.texts() == ["10.0.0.7"]:
                    return
            time.sleep(0.02)
        raise BenchError("%s does not answer: %s" % (self.name, self.server.last_words()))

    def found(self, names, rtype="A"):
        """Of each, what it is registered with; None: nothing."""
        packets = [dns.query(name, rtype) for name in names]
        answers = [packet and dns.Message(packet) for packet in dns.udp_many(packets, ("127.0.0.1", self.port))]
        return [answer.answer[0].text if answer and answer.answer else None for answer in answers]

    def new_machines(self, count):
        """Numbers that no machine has had."""
        self.machines += count
        return self.machines - count

    def start(self, *options):
        """The load, against this server."""
        argv = [str(BUILD / "register"), "--server", "127.0.0.1:%d" % self.port, "--zone", ZONE, "--key", KEY,
                "--secret", SECRET, "--server-pid", str(self.server.pid), *map(str, options)]
        return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                preexec_fn=on_cores(BOTH_CORES))

    def result(self, child):
        """What it has found at its end."""
        out, err = child.communicate(timeout=LOAD_S)
        if not out:
            raise BenchError("%s: %s" % (self.name, err.strip() or "the load failed"))
        return json.loads(out)

    def register(self, *options):
        """Runs the load with new machines, checks that the last ones are served, and returns what the load has
        found."""
        first = self.machines
        result = self.result(self.start("--first", first, *options))
        self.new_machines(result["sent"])
        numbers = range(max(first, self.machines - 50), self.machines)
        missing = [number for number, text in zip(numbers, self.found(["m%d.%s" % (n, ZONE) for n in numbers]))
                   if text != address(number)]
        if missing and not result["lost"]:
            raise BenchError("%s: what it has said NOERROR to is not served: m%d" % (self.name, missing[0]))
        return result


def address(machine):
    return "10.128.%d.%d" % (machine >> 8 & 255, machine & 255)


def pointer(machine):
    return "%d.%d.%s" % (machine & 255, machine >> 8 & 255, REVERSE)


class D2:
    """Kea's D2, which updates this server: `with D2(registry, folder) as d2:`."""

    def __init__(self, registry, parent):
        self.registry = registry
        folder = parent / "d2"
        folder.mkdir(parents=True, exist_ok=True)
        domain = lambda name: {"ddns-domains": [{"name": name + ".", "key-name": KEY, "dns-servers": [
            {"ip-address": "127.0.0.1", "port": registry.port}]}]}
        config = folder / "conf"
        config.write_text(json.dumps({"DhcpDdns": {
            "ip-address": "127.0.0.1", "port": D2_PORT, "dns-server-timeout": 500, "ncr-protocol": "UDP",
            "ncr-format": "JSON", "tsig-keys": [{"name": KEY, "algorithm": "HMAC-SHA256", "secret": SECRET_64}],
            "forward-ddns": domain(ZONE), "reverse-ddns": domain(REVERSE),
            "loggers": [{"name": "kea-dhcp-ddns", "output_options": [{"output": "stdout"}], "severity": "WARN"}]}}))
        self.server = Server("update-d2", D2_PORT, [
            "env", "KEA_LOCKFILE_DIR=%s" % folder, "KEA_PIDFILE_DIR=%s" % folder, "kea-dhcp-ddns", "-c", str(config)],
            BOTH_CORES)

    def __enter__(self):
        self.server.__enter__()
        until = time.monotonic() + READY_S
        while time.monotonic() < until and self.server.alive():
            if queue(D2_PORT) is not None:
                return self
            time.sleep(0.02)
        words = self.server.last_words()
        self.server.__exit__()
        raise BenchError("D2 does not listen: " + words)

    def __exit__(self, *error):
        self.server.__exit__(*error)

    def register(self, count):
        """Seconds from the first request until the last machine has its A and its PTR."""
        numbers = range(self.registry.new_machines(count), self.registry.machines)
        begun = time.monotonic()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect(("127.0.0.1", D2_PORT))
            for number in numbers:
                while number % 16 == 0 and queue(D2_PORT) > 64 << 10:  # it would lose them
                    time.sleep(0.001)
                sock.send(change_request(number))
        self.wait(numbers[-32:], begun)  # it has 32 on the way at a time
        took = time.monotonic() - begun
        if self.missing(numbers):
            self.wait(numbers, begun)
            took = time.monotonic() - begun
        return took

    def wait(self, numbers, begun):
        while missing := self.missing(numbers):
            if time.monotonic() > begun + READY_S or not self.server.alive():
                raise BenchError("%s: D2 has not registered %d machines; it says: %s" % (
                    self.registry.name, len(missing), self.server.last_words()))
            numbers = missing
            time.sleep(0.004)

    def missing(self, numbers):
        names = self.registry.found([pointer(n) for n in numbers], "PTR")
        found = self.registry.found(["m%d.%s" % (n, ZONE) for n in numbers])
        return [n for n, name, text in zip(numbers, names, found)
                if name != "m%d.%s." % (n, ZONE) or text != address(n)]


def change_request(machine):
    text = json.dumps({"change-type": 0, "forward-change": True, "reverse-change": True, "fqdn": "m%d.%s." % (machine, ZONE),
                       "ip-address": address(machine), "dhcid": "000101%064X" % machine, "lease-expires-on": "20991231000000",
                       "lease-length": 3600, "use-conflict-resolution": True}).encode()
    return struct.pack(">H", len(text)) + text


def queue(port):
    """Bytes that wait in the receive buffer of the UDP socket at this port of loopback; None: there is none."""
    local = "%08X:%04X" % (struct.unpack("<I", socket.inet_aton("127.0.0.1"))[0], port)
    for line in open("/proc/net/udp"):
        fields = line.split()
        if fields[1] == local:
            return int(fields[4].split(":")[1], 16)
    return None
