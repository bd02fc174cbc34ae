"""sluice's configurations, generated: one shape for side-by-side runs, others for growth."""

import socket
import sqlite3
import subprocess
import time
from contextlib import closing
from dataclasses import dataclass

from runner.machine import BUILD, PROGRAM
from runner.process import SERVER_CORE, TARGETS_PORT, UPSTREAM_PORT, BenchError, Server

CFG = BUILD / "cfg"
DELEGATION = "Microsoft.Network/dnsResolvers"


SINKS = {"file": "/dev/null", "dnstap_file": "/dev/zero"}  # each takes all that is written


@dataclass(frozen=True)
class Shape:
    """What a configuration of sluice has; the defaults are the side-by-side runs'."""
    rules: int = 1000
    hosts: int = 1000     # in the private zone
    links: int = 1        # of the ruleset and of the zone, to as many networks
    targets: int = 1      # of each rule
    apart: bool = False   # each rule has targets of its own, from TARGETS_PORT on
    limit: int = 0        # queries a second of each endpoint; 0: none
    workers: int = 1
    protocol: str = "udp"  # of the targets
    ptrs: int = 0          # in the state, of as many addresses
    cache_mb: int = 1024
    random_case: bool = True  # of questions to targets
    metrics: bool = False  # at METRICS_PORT
    query_log: tuple = ()  # members that have a file: "file", "dnstap_file"
    count_names: bool = True

    def name(self):
        name = "sluice-r%d-h%d-l%d-t%d%s-q%d-w%d-%s-p%d-c%d" % (
            self.rules, self.hosts, self.links, self.targets, "a" * self.apart, self.limit,
            self.workers, self.protocol, self.ptrs, self.cache_mb)
        others = ["lower"] * (not self.random_case) + list(self.query_log)
        others += ["metrics"] * self.metrics + ["nameless"] * (not self.count_names)
        return "-".join([name] + others)

    def socket(self):
        """Where its management API is; one server runs at a time."""
        return CFG / "sluice.sock"


def zone_file(hosts):
    """h0 ... with the address that the load expects: 10.0.0.0 and the host's number."""
    path = CFG / ("priv.test-%d.zone" % hosts)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        with open(new, "w") as out:
            out.write("$TTL 300\n@ IN SOA ns h 1 3600 600 86400 300\n@ IN NS ns\n"
                      "ns IN A 127.0.0.1\n")
            out.writelines("h%d IN A %s\n" % (i, address(i)) for i in range(hosts))
        new.rename(path)
    return path


def address(number):
    return "10.%d.%d.%d" % (number >> 16 & 255, number >> 8 & 255, number & 255)


METRICS_PORT = 15321
METRICS = """
metrics = { listen = [ "http://127.0.0.1:%d" ]; };""" % METRICS_PORT
PROBE, PROBES = 0x3f0000, 16  # numbers of addresses whose PTRs change; nobody asks for them under load


def owned_address(number):
    return "100.%d.%d.%d" % (64 + (number >> 16), number >> 8 & 255, number & 255)


def make_tables(path):
    """Has sluice make an empty state there."""
    config = path.with_suffix(".conf")
    config.write_text("""workers = 1;
default_resolver = { targets = ( { address = "127.0.0.1"; port = %d; } ); };
management = { socket = "%s.sock"; state = "%s"; };
""" % (UPSTREAM_PORT, path.name, path.name))
    child = subprocess.Popen([str(PROGRAM["sluice"]), "run", "-c", str(config)],
                             stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(500):
            time.sleep(0.02)
            try:
                with closing(sqlite3.connect("file:%s?mode=ro" % path, uri=True)) as database:
                    database.execute("SELECT ptr FROM resources")
                return
            except sqlite3.Error:
                continue
        raise BenchError("sluice made no state at %s" % path)
    finally:
        child.terminate()
        child.wait()


def state_file(ptrs):
    """A state with as many addresses, from 100.64.0.0 on, each with the PTR that the load expects."""
    path = CFG / ("ptrs-%d.db" % ptrs)
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    new = CFG / ("ptrs-%d.new" % ptrs)
    for old in CFG.glob(new.name + "*"):
        old.unlink()
    make_tables(new)
    numbers = [*range(ptrs), *range(PROBE, PROBE + PROBES)]
    key = "00000000-0000-4000-8000-%012x"
    database = sqlite3.connect(new, isolation_level=None)
    for sql in ("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "BEGIN"):
        database.execute(sql)
    database.executemany(
        "INSERT INTO resources (kind, path, revision, json, id, addr, grp, region, ptr, ptr_revision)"
        " VALUES (101, ?, 1, ?, ?, ?, '', 'westeurope', ?, 1)",
        (("-/a%d" % n,
          '{"name":"a%d","id":"%s","region":"westeurope","address":"%s","allocation":"static",'
          '"reverse_fqdn":"h%d.priv.test."}' % (n, key % n, owned_address(n), n),
          key % n, b"\x04" + socket.inet_aton(owned_address(n)), "h%d.priv.test." % n)
         for n in numbers))
    database.execute("UPDATE meta SET value = 1 WHERE key = 'revision'")
    database.execute("COMMIT")
    database.close()
    new.rename(path)
    return path


def owned(shape):
    return """
address_pools = ( { name = "ours"; prefix = "100.64.0.0/10"; } );""" if shape.ptrs else ""


def networks(shape):
    for i in range(shape.links):
        subnets = """
      subnets = ( { name = "in"; prefix = "10.0.0.0/28"; delegation = "%s"; },
                  { name = "out"; prefix = "10.0.0.16/28"; delegation = "%s"; } );""" % (
                      DELEGATION, DELEGATION) if i == 0 else ""
        yield '    { name = "n%d"; address_space = [ "10.%d.%d.0/24" ];%s }' % (
            i, i >> 8, i & 255, subnets)


def rules(shape):
    target = '{ address = "127.0.0.1"; port = %d; protocol = "%s"; }'
    for i in range(1, shape.rules + 1):
        first = TARGETS_PORT + (i - 1) * shape.targets if shape.apart else UPSTREAM_PORT
        targets = ", ".join(target % (first + t, shape.protocol) for t in range(shape.targets))
        yield '    { name = "r%d"; domain = "r%d.corp.test."; targets = ( %s ); }' % (i, i, targets)


def links(shape):
    return ", ".join('{ name = "n%d"; virtual_network = "n%d"; }' % (i, i)
                     for i in range(shape.links))


def write(shape, port):
    """Writes the configuration; its path."""
    path = CFG / (shape.name() + ".conf")
    path.parent.mkdir(parents=True, exist_ok=True)
    text = """region = "westeurope";
workers = %d;
default_resolver = { targets = ( { address = "127.0.0.1"; port = %d; protocol = "%s"; } ); };
limits = { queries_per_second_per_endpoint = %d; rules_per_ruleset = 1000000;
           record_sets_per_zone = 10000000; links_per_ruleset = 10000; links_per_zone = 10000; };
cache = { size_bytes = %d; };
outbound = { random_case = %s; };
tcp = { pipeline_max = 1000; };
management = { socket = "%s";%s };%s%s%s%s
log = { level = "warning"; };
virtual_networks = (
%s );
resolvers = ( { name = "bench"; virtual_network = "n0";
  inbound_endpoints = ( { name = "in"; subnet = "in"; listen = "127.0.0.1:%d"; } );
  outbound_endpoints = ( { name = "out"; subnet = "out"; source = "127.0.0.1"; } ); } );
private_zones = ( { name = "priv.test"; file = "%s"; links = ( %s ); } );
rulesets = ( { name = "load"; outbound_endpoints = [ "bench/out" ]; links = ( %s );
  rules = (
%s ); } );
""" % (shape.workers, UPSTREAM_PORT, shape.protocol, shape.limit, shape.cache_mb << 20,
       str(shape.random_case).lower(), shape.socket().name,
       ' state = "%s";' % state_file(shape.ptrs).name if shape.ptrs else "", owned(shape),
       METRICS if shape.metrics else "",
       "\nquery_log = { %s };" % " ".join('%s = "%s";' % (log, SINKS[log]) for log in shape.query_log)
       if shape.query_log else "",
       "" if shape.count_names else "\ncount_names = false;",
       ",\n".join(networks(shape)), port, zone_file(shape.hosts).name, links(shape), links(shape),
       ",\n".join(rules(shape)))
    path.write_text(text)
    return path


PORT = 15320


def sluice(shape=Shape(), cores=frozenset({SERVER_CORE})):
    argv = [str(PROGRAM["sluice"]), "run", "-c", str(write(shape, PORT))]
    return Server("sluice", PORT, argv, cores, forks=True)


def floor(kind):
    """kind: answer, relay, relay-unconnected, tcp-answer or tcp-relay."""
    ports = {"answer": 15310, "relay": 15311, "relay-unconnected": 15312, "tcp-answer": 15313,
             "tcp-relay": 15314}
    program = {"answer": ["floor_answer"], "relay": ["floor_relay"], "tcp-answer": ["floor_tcp"],
               "relay-unconnected": ["floor_relay"], "tcp-relay": ["floor_tcp"]}[kind]
    argv = [str(BUILD / program[0]), "127.0.0.1:%d" % ports[kind]]
    if "relay" in kind:
        argv.append("127.0.0.1:%d" % UPSTREAM_PORT)
    if kind == "relay-unconnected":
        argv.append("unconnected")
    return Server("floor", ports[kind], argv)
