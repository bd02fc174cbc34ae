"""The peers: how each is told to do the same work as sluice. 1000 forwarding rules rN.corp.test, all
to the load's upstream, a private zone of 1000 hosts where the peer has such a thing, no DNSSEC
validation, one thread, caches large enough never to evict in a run. Only dnsmasq's is smaller:
10,000 entries.

A peer takes part when its program is installed; `make bench-deps` installs all of them."""

import shutil
from dataclasses import dataclass
from typing import Callable

from runner.configs import CFG, address, zone_file
from runner.machine import package_version
from runner.process import UPSTREAM_PORT, Server

RULES = ["r%d.corp.test" % i for i in range(1, 1001)]
HOSTS = ["h%d.priv.test" % i for i in range(1000)]


def unbound(port, tcp):
    forwards = "".join('forward-zone:\n  name: "%s"\n  forward-addr: 127.0.0.1@%d\n%s' % (
        rule, UPSTREAM_PORT, "  forward-tcp-upstream: yes\n" if tcp else "") for rule in RULES)
    (CFG / "unbound.conf").write_text("""server:
  interface: 127.0.0.1@%d
  do-daemonize: no
  username: ""
  chroot: ""
  pidfile: ""
  use-syslog: no
  logfile: ""
  num-threads: 1
  outgoing-range: 8192
  num-queries-per-thread: 4096
  outgoing-num-tcp: 256
  incoming-num-tcp: 64
  so-rcvbuf: 4m
  so-sndbuf: 4m
  msg-cache-size: 256m
  rrset-cache-size: 512m
  do-not-query-localhost: no
  module-config: "iterator"
  domain-insecure: "test"
  local-zone: "test." nodefault
  access-control: 127.0.0.0/8 allow
remote-control:
  control-enable: no
auth-zone:
  name: "priv.test"
  zonefile: "%s"
  for-downstream: yes
%s""" % (port, zone_file(1000), forwards))
    return ["unbound", "-d", "-c", str(CFG / "unbound.conf")]


def bind(port, tcp):
    del tcp
    forwards = "".join('zone "%s" { type forward; forward only; forwarders '
                       "{ 127.0.0.1 port %d; }; };\n" % (rule, UPSTREAM_PORT) for rule in RULES)
    (CFG / "named.conf").write_text("""options { directory "%s"; listen-on port %d { 127.0.0.1; };
  listen-on-v6 { none; }; recursion yes; allow-query { any; }; dnssec-validation no;
  pid-file none; session-keyfile none; recursive-clients 20000; max-cache-size 2g;
  minimal-responses yes;
  empty-zones-enable no; forwarders { 127.0.0.1 port %d; }; forward only; };
controls { };
logging { channel n { null; }; category default { n; }; };
zone "priv.test" { type primary; file "%s"; };
%s""" % (CFG, port, UPSTREAM_PORT, zone_file(1000), forwards))
    return ["named", "-f", "-n", "1", "-c", str(CFG / "named.conf")]


def dnsmasq(port, tcp):
    del tcp
    lines = ["no-resolv", "no-hosts", "no-daemon", "listen-address=127.0.0.1", "port=%d" % port,
             "bind-interfaces", "dns-forward-max=10000", "cache-size=10000", "user=root",
             "local=/priv.test/"]
    lines += ["server=/%s/127.0.0.1#%d" % (rule, UPSTREAM_PORT) for rule in RULES]
    lines += ["host-record=%s,%s" % (host, address(i)) for i, host in enumerate(HOSTS)]
    (CFG / "dnsmasq.conf").write_text("\n".join(lines) + "\n")
    return ["dnsmasq", "-k", "-C", str(CFG / "dnsmasq.conf")]


def dnsdist(port, tcp):
    server = '{address="127.0.0.1:%d", pool="%s", healthCheckMode="up"%s}'
    extra = ", tcpOnly=true" if tcp else ""
    lines = ['setLocal("127.0.0.1:%d", {reusePort=true})' % port, 'setACL({"127.0.0.0/8"})',
             "setMaxUDPOutstanding(65535)", "setMaxTCPClientThreads(1)",
             "newServer(" + server % (UPSTREAM_PORT, "fwd", extra) + ")",
             "newServer(" + server % (UPSTREAM_PORT, "", extra) + ")",
             "getPool('fwd'):setCache(newPacketCache(1000000, {maxTTL=86400}))",
             "s = newSuffixMatchNode()"]
    lines += ['s:add(newDNSName("%s."))' % rule for rule in RULES]
    lines += ['addAction(SuffixMatchNodeRule(s), PoolAction("fwd"))']
    (CFG / "dnsdist.conf").write_text("\n".join(lines) + "\n")
    return ["dnsdist", "--supervised", "-C", str(CFG / "dnsdist.conf"), "--disable-syslog"]


def recursor(port, tcp):
    del tcp
    (CFG / "forward.txt").write_text(
        "".join("+%s=127.0.0.1:%d\n" % (rule, UPSTREAM_PORT) for rule in RULES))
    (CFG / "recursor.conf").write_text("""local-address=127.0.0.1
local-port=%d
threads=1
pdns-distributes-queries=no
forward-zones-file=%s
auth-zones=priv.test=%s
dnssec=off
socket-dir=%s
dont-query=
max-mthreads=8192
quiet=yes
daemon=no
write-pid=no
security-poll-suffix=
max-cache-entries=2000000
hint-file=no
""" % (port, CFG / "forward.txt", zone_file(1000), CFG))
    return ["pdns_recursor", "--config-dir=%s" % CFG, "--config-name="]


def kresd(port, tcp):
    # The hints module is its nearest thing to a zone, but .test is blocked before it is asked.
    names = ",\n".join("'%s'" % rule for rule in RULES)
    (CFG / "kresd.conf").write_text("""net.listen('127.0.0.1', %d, { kind = 'dns' })
modules.unload('ta_signal_query') modules.unload('ta_sentinel') modules.unload('priming')
modules.unload('detect_time_skew') modules.unload('detect_time_jump')
trust_anchors.remove('.')
cache.size = 512 * MB
modules.load('policy')
%s
policy.add(policy.suffix(policy.STUB('127.0.0.1@%d'), policy.todnames({%s})))
""" % (port, "policy.add(policy.all(policy.FLAGS('TCP')))" if tcp else "", UPSTREAM_PORT, names))
    shutil.rmtree(CFG / "kresd", ignore_errors=True)  # the cache is a file that outlives kresd
    (CFG / "kresd").mkdir()
    return ["kresd", "-n", "-c", str(CFG / "kresd.conf"), str(CFG / "kresd")]


def smartdns(port, tcp):
    word = "server-tcp" if tcp else "server"
    lines = ["bind 127.0.0.1:%d" % port, "bind-tcp 127.0.0.1:%d" % port,
             "%s 127.0.0.1:%d -group fwd -exclude-default-group" % (word, UPSTREAM_PORT),
             "%s 127.0.0.1:%d" % (word, UPSTREAM_PORT), "cache-size 1000000",
             "speed-check-mode none", "response-mode fastest-response", "log-level fatal",
             "dualstack-ip-selection no", "prefetch-domain no", "serve-expired no",
             "cache-persist no"]
    lines += ["nameserver /%s/fwd" % rule for rule in RULES]
    lines += ["address /%s/%s" % (host, address(i)) for i, host in enumerate(HOSTS)]
    (CFG / "smartdns.conf").write_text("\n".join(lines) + "\n")
    return ["smartdns", "-f", "-c", str(CFG / "smartdns.conf"), "-p", "-"]


@dataclass(frozen=True)
class Peer:
    name: str
    program: str
    package: str
    port: int
    write: Callable
    lacks: frozenset = frozenset()  # workloads that it cannot do
    note: str = ""

    def installed(self):
        return shutil.which(self.program) is not None

    def version(self):
        return package_version(self.package)

    def server(self, tcp=False):
        CFG.mkdir(parents=True, exist_ok=True)
        return Server(self.name, self.port, self.write(self.port, tcp), cwd=str(CFG))


ZONES = frozenset({"zone", "nxdomain", "mixed", "tcp-zone"})
PEERS = (
    Peer("unbound", "unbound", "unbound", 15331, unbound),
    Peer("dnsdist", "dnsdist", "dnsdist", 15332, dnsdist, ZONES, "no zones; fixed source ports"),
    Peer("kresd", "kresd", "knot-resolver", 15333, kresd, ZONES, "blocks .test before its hints"),
    Peer("recursor", "pdns_recursor", "pdns-recursor", 15334, recursor, frozenset({"tcp-miss"}),
         "targets by UDP only"),
    Peer("bind", "named", "bind9", 15335, bind, frozenset({"tcp-miss"}), "targets by UDP only"),
    Peer("smartdns", "smartdns", "smartdns", 15336, smartdns, frozenset({"nxdomain", "mixed"}),
         "single addresses, no zones"),
    Peer("dnsmasq", "dnsmasq", "dnsmasq-base", 15337, dnsmasq, frozenset({"tcp-zone", "tcp-miss"}),
         "a process for each TCP connection"),
)
