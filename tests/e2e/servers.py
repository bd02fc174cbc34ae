"""Real name servers from Debian's packages, each with a configuration made for one test. They run in
the foreground as children of the test and are asked until they answer."""

import textwrap

from harness import Process


def nsd(host, zones, address, port=53):
    """Authoritative for `zones`: {name: master file text}."""
    world = host.world
    name = "nsd-" + host.name
    lines = ["server:", "  ip-address: %s@%d" % (address, port), "  username: \"\"",
             "  chroot: \"\"", "  pidfile: \"\"", "  database: \"\"", "  zonesdir: \"%s\"" % world.dir,
             "  xfrdfile: \"\"", "  zonelistfile: \"%s/%s.list\"" % (world.dir, name),
             "  xfrdir: \"%s\"" % world.dir, "  server-count: 1", "  round-robin: no",
             "  verbosity: 1", "  rrl-ratelimit: 0", "  rrl-whitelist-ratelimit: 0",
             "remote-control:", "  control-enable: no"]
    for zone, text in zones.items():
        file = world.write("%s-%s.zone" % (name, zone), textwrap.dedent(text))
        lines += ["zone:", "  name: %s" % zone, "  zonefile: \"%s\"" % file]
    config = world.write(name + ".conf", "\n".join(lines) + "\n")
    apex = next(iter(zones))
    return Process(host, name, [world.program("/usr/sbin/nsd"), "-d", "-c", config]).wait_ready(
        (address, port), apex, "SOA")


def unbound(host, address, local=(), forwards=None, ready="ready.test", stubs=None):
    """local: local-data lines; forwards: {zone: server}, as in a conditional forwarder; stubs: {zone:
    server}, to resolve these zones itself."""
    world = host.world
    name = "unbound-" + host.name
    lines = ["server:", "  interface: " + address, "  access-control: 0.0.0.0/0 allow",
             "  do-daemonize: no", "  username: \"\"", "  chroot: \"\"", "  pidfile: \"\"",
             "  directory: \"%s\"" % world.dir, "  use-syslog: no", "  num-threads: 1",
             "  log-queries: yes", "  module-config: \"iterator\"", "  do-ip6: no",
             "  so-rcvbuf: 0", "  local-zone: \"test.\" nodefault",
             "  local-zone: \"%s\" static" % ready, "  local-data: '%s A 192.0.2.1'" % ready]
    lines += ["  local-data: '%s'" % line for line in local]
    for zone, server in (forwards or {}).items():
        lines += ["forward-zone:", "  name: \"%s\"" % zone, "  forward-addr: %s" % server]
    for zone, server in (stubs or {}).items():
        lines += ["stub-zone:", "  name: \"%s\"" % zone, "  stub-addr: %s" % server]
    lines += ["remote-control:", "  control-enable: no"]
    config = world.write(name + ".conf", "\n".join(lines) + "\n")
    return Process(host, name, [world.program("/usr/sbin/unbound"), "-d", "-p", "-c", config]
                   ).wait_ready((address, 53), ready)


def dnsmasq(host, address, *options):
    """options: further lines of its command line, such as server=/zone/address."""
    argv = [host.world.program("/usr/sbin/dnsmasq"), "--keep-in-foreground", "--no-resolv",
            "--no-hosts", "--conf-file=/dev/null", "--listen-address=" + address,
            "--bind-interfaces", "--user=root", "--group=", "--pid-file=", "--log-queries=extra",
            "--log-facility=-", "--host-record=ready.test,192.0.2.1"]
    return Process(host, "dnsmasq-" + host.name, argv + ["--" + option for option in options]
                   ).wait_ready((address, 53))


def bind(host, address, forwards=None, zones=None, options=""):
    """forwards: {zone: server}, `forward only` each; zones: {name: master file text}."""
    world = host.world
    name = "named-" + host.name
    lines = ["options { directory \"%s\"; listen-on { %s; }; listen-on-v6 { none; };" % (
        world.dir, address), "  recursion yes; allow-query { any; }; dnssec-validation no;",
        "  pid-file none; session-keyfile none; lock-file none; managed-keys-directory \"%s\";"
        % world.dir, "  empty-zones-enable no; qname-minimization off; %s };" % options,
        "controls { };"]
    for zone, text in (zones or {}).items():
        file = world.write("%s-%s.zone" % (name, zone), textwrap.dedent(text))
        lines.append("zone \"%s\" { type primary; file \"%s\"; };" % (zone, file))
    for zone, server in (forwards or {}).items():
        lines.append("zone \"%s\" { type forward; forward only; forwarders { %s; }; };"
                     % (zone, server))
    config = world.write(name + ".conf", "\n".join(lines) + "\n")
    return Process(host, name, [world.program("/usr/sbin/named"), "-f", "-c", config, "-n", "1"]
                   ).wait_ready((address, 53), "version.bind", "TXT", 3)
