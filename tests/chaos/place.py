"""What the chaos is about: machines, a configuration in generations, and the truth about every name.

    office   192.168.9.5 ──► inbound endpoint 10.10.0.4  (network hub)   ─┐
    machine  10.20.0.5   ──► VNet resolver 168.63.129.16 (network spoke)  ├─► sluice ─► targets 0 to 5
    shop     10.30.0.9   ──► inbound endpoint 10.30.0.4  (network branch)─┘             default 6, 7

Names carry their answer, so that nobody has to look one up: the number in the first label is the
address's last three bytes, and its first byte says who answered. A generation is one state of the
configuration: the next one turns every rule's targets round, changes now.test, and switches the
rules below flip.example on or off, whose names are then the rule's or the default resolver's."""

RULES, FLIPS, HOSTS, POPULAR, SLOTS = 1000, 20, 400, 3000, 16
TARGETS, DEFAULTS = 6, 2  # numbered in one row, the default resolver's last
LIE = "203.0.113.66"
BY_RULE, BY_DEFAULT, BY_ZONE, BY_HUB, BY_SPOKE, BY_BRANCH, BY_NOW = 10, 172, 11, 12, 13, 14, 15

CLOUD = ("10.10.0.4", "10.30.0.4", "168.63.129.16", "10.10.0.20", "10.10.0.36")
SOURCES = ("10.10.0.20", "10.10.0.36")
# Which client asks which server: (source, server, first byte of what split.test has for it)
CLIENTS = {"office": ("192.168.9.5", "10.10.0.4", BY_HUB),
           "machine": ("10.20.0.5", "168.63.129.16", BY_SPOKE),
           "shop": ("10.30.0.9", "10.30.0.4", BY_BRANCH)}
STRANGERS = ["10.20.1.%d" % i for i in range(1, 11)]
OPS = "ops-secret-0123456789"
DELEGATION = 'delegation = "Microsoft.Network/dnsResolvers"'
LINKS = ", ".join('{ name = "%s"; virtual_network = "%s"; }' % (n, n)
                  for n in ("hub", "spoke", "branch"))

CONFIG = """
region = "westeurope";
workers = 2;
limits = { queries_per_second_per_endpoint = %(limit)d; excess = "%(excess)s"; };
cache = { size_bytes = 8388608; stale_max = %(stale)d; };
tcp = { connections_max = 400; connections_per_client_max = 200; idle_timeout_ms = 3000; };
management = { socket = "sluice.sock"; state = "state.db"; listen = [ "http://127.0.0.1:8053" ];
  clients = ( { id = "ops"; secret_file = "ops.secret"; role = "admin"; } ); };
default_resolver = { targets = ( %(default)s ); };
vnet_resolver = { listen = [ "168.63.129.16:53" ]; };
virtual_networks = (
  { name = "hub"; address_space = [ "10.10.0.0/16" ]; subnets = (
    { name = "in";   prefix = "10.10.0.0/28";  %(delegation)s; },
    { name = "out";  prefix = "10.10.0.16/28"; %(delegation)s; },
    { name = "out2"; prefix = "10.10.0.32/28"; %(delegation)s; } ); },
  { name = "spoke"; address_space = [ "10.20.0.0/16" ]; },
  { name = "branch"; address_space = [ "10.30.0.0/16" ]; subnets = (
    { name = "in"; prefix = "10.30.0.0/28"; %(delegation)s; } ); } );
resolvers = (
  { name = "hub"; virtual_network = "hub";
    inbound_endpoints = ( { name = "in"; subnet = "in"; address = "10.10.0.4"; allocation = "static"; } );
    outbound_endpoints = ( { name = "out";  subnet = "out";  source = "10.10.0.20"; },
                           { name = "out2"; subnet = "out2"; source = "10.10.0.36"; } ); },
  { name = "branch"; virtual_network = "branch";
    inbound_endpoints = ( { name = "in"; subnet = "in"; address = "10.30.0.4"; allocation = "static"; } ); } );
private_zones = (
  { name = "priv.test"; file = "priv.zone"; links = ( %(links)s ); },
  { name = "now.test"; file = "now.zone"; links = ( %(links)s ); },
%(split)s );
rulesets = ( { name = "corp"; outbound_endpoints = [ "hub/out", "hub/out2" ]; links = ( %(links)s );
  rules = (
%(rules)s ); } );
address_pools = ( { name = "public"; prefix = "198.51.100.0/24"; } );
%(more)s
"""


def target_address(number):
    return "192.168.1.%d" % (10 + number)


def targets_of(rule):
    """Two to four of the rules' targets, in the order of generation 0."""
    step = 1 if rule // TARGETS % 2 else TARGETS - 1
    return [(rule + i * step) % TARGETS for i in range(2 + rule // 12 % 3)]


def default_targets():
    return list(range(TARGETS, TARGETS + DEFAULTS))


def address(first, number):
    return "%d.%d.%d.%d" % (first, number >> 16 & 255, number >> 8 & 255, number & 255)


def is_flipped_on(flip, generation):
    return (flip + generation) % 2 == 0


def rule_domain(rule):
    """The last FLIPS of them come and go."""
    return "r%d.corp.test" % rule if rule < RULES - FLIPS else "f%d.flip.example" % (rule - RULES + FLIPS)


def chained_rule(number):
    """Where the alias c<number>.priv.test leads."""
    return number * 7 % (RULES - FLIPS)


def slot_address(slot):
    return "198.51.100.%d" % (20 + slot)


def _rule(rule, generation):
    order = targets_of(rule)
    turn = generation % len(order)
    protocol = "tcp" if rule % 10 == 0 else "udp"
    targets = ", ".join('{ address = "%s"; protocol = "%s"; }' % (target_address(k), protocol)
                        for k in order[turn:] + order[:turn])
    flip = rule - (RULES - FLIPS)
    state = "Enabled" if flip < 0 or is_flipped_on(flip, generation) else "Disabled"
    return '    { name = "n%d"; domain = "%s."; state = "%s"; targets = ( %s ); }' % (
        rule, rule_domain(rule), state, targets)


def config(generation, limit, more=""):
    split = ",\n".join('  { name = "split.test"; resource_group = "%s"; file = "split-%s.zone";'
                       ' links = ( { name = "l"; virtual_network = "%s"; } ); }' % (n, n, n)
                       for n in ("hub", "spoke", "branch"))
    return CONFIG % {
        "limit": limit, "excess": ("drop", "drop", "refuse")[generation % 3],
        "stale": (0, 86400)[generation % 2], "delegation": DELEGATION, "links": LINKS, "split": split,
        "default": ", ".join('{ address = "%s"; }' % target_address(k) for k in default_targets()),
        "rules": ",\n".join(_rule(rule, generation) for rule in range(RULES)), "more": more}


def zones(generation):
    """{file: text}"""
    hosts = ["h%d 300 IN A %s\n" % (i, address(BY_ZONE, i)) for i in range(HOSTS)]
    hosts += ["c%d 300 IN CNAME p%d.%s.\n" % (i, i, rule_domain(chained_rule(i))) for i in range(HOSTS)]
    hosts += ["more%d 300 IN A 192.0.2.1\n" % i for i in range(generation % 7)]
    found = {"priv.zone": "".join(hosts),
             "now.zone": "@ 300 IN A %s\n" % address(BY_NOW, generation)}
    for name, first in (("hub", BY_HUB), ("spoke", BY_SPOKE), ("branch", BY_BRANCH)):
        found["split-%s.zone" % name] = "".join(
            "s%d 300 IN A %s\n" % (i, address(first, i)) for i in range(HOSTS))
    return found
