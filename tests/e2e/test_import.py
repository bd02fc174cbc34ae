"""`sluice import`: what the real programs are told, they and sluice answer alike; what could not be carried over
is told with its place; and what is written passes `sluice check`."""

import os
import re
import textwrap

import dns
import harness

HERE = ("127.0.0.1", 53)


class Import(harness.Case):
    """Machines "old" and "new" have what they listen at for themselves: their loopback. Both ask the same
    servers, at 192.0.2.53 and .54 (an office's) and .99 (all else)."""

    @classmethod
    def build(cls, world):
        cls.old = world.host("old", "10.1.0.1")
        cls.new = world.host("new", "10.1.0.2")
        cls.servers = []
        for last, answer in ((53, "198.51.100.53"), (54, "198.51.100.54"), (99, "198.51.100.99")):
            host = world.host("dns%d" % last, "192.0.2.%d" % last)
            cls.servers.append(harness.Upstream(host, "192.0.2.%d" % last, answer))

    @classmethod
    def path(cls, name, text):
        return cls.world.write(name, textwrap.dedent(text))

    @classmethod
    def imported(cls, dialect, *files, fine=True):
        """(configuration, what was told)"""
        output = os.path.join(cls.world.dir, "imported-%s.conf" % dialect)
        if os.path.exists(output):
            os.remove(output)
        status, told = harness.command("import", dialect, *files, "--output", output)
        if (status == 0) != fine:
            raise AssertionError(told)
        if not fine:
            return None, told
        with open(output) as file:
            text = file.read()
        status, checked = harness.command("check", "-c", output)
        if status != 0:
            raise AssertionError(checked + text)
        return text, told

    @classmethod
    def serve(cls, config):
        return harness.Sluice(cls.new, config, HERE)

    def same(self, *questions):
        """NAME or (NAME, TYPE): both answer alike."""
        for question in questions:
            name, rtype = question if isinstance(question, tuple) else (question, "A")
            answers = []
            for host in (self.old, self.new):
                message = host.ask(HERE, name, rtype)
                self.assertIsNotNone(message, "%s %s: nothing was answered" % (name, rtype))
                answers.append((message.rcode, sorted(text.lower() for text in message.texts())))
            self.assertEqual(answers[0], answers[1], "%s %s" % (name, rtype))

    def told_of(self, told, *words):
        """Each of these lines is there: FILE:LINE and more."""
        for word in words:
            self.assertRegex(told, word)


UNBOUND = """
    # Our resolver.
    server:
        interface: 127.0.0.1
        access-control: 10.0.0.0/8 allow
        access-control: 10.64.0.0/10 refuse
        do-daemonize: no
        username: ""
        chroot: ""
        pidfile: ""
        use-syslog: no
        module-config: "iterator"
        cache-max-ttl: 7200
        so-rcvbuf: 0
        # The laboratory.
        local-zone: "lab.example." static
        local-data: "nas.lab.example. 300 IN A 10.0.5.5"
        local-data: 'txt.lab.example. TXT "hello; world"'
        local-data: "mail.lab.example. MX 10 nas.lab.example."
        local-data-ptr: "10.0.5.5 300 nas.lab.example"
        local-zone: "ads.example" always_nxdomain
        local-zone: "cdn.example" redirect
        local-data: "cdn.example A 10.0.5.9"
        local-data: "single.example.com A 10.0.5.7"
        local-data: "single.example.com AAAA 2001:db8::7"
    include: "more-*.conf"
    remote-control:
        control-enable: no
"""
UNBOUND_MORE = """
    # The domain controllers.
    forward-zone:
        name: "contoso.corp"
        forward-addr: 192.0.2.53
    forward-zone:
        name: "lower.contoso.corp"   # of the branch
        forward-addr: 192.0.2.54@53
    forward-zone:
        name: "."
        forward-addr: 192.0.2.99
    forward-zone:
        name: "secret.example"
        forward-tls-upstream: yes
        forward-addr: 192.0.2.53@853#dns.example
"""


class Unbound(Import):
    @classmethod
    def build(cls, world):
        super().build(world)
        cls.path("more-zones.conf", UNBOUND_MORE)
        path = cls.path("unbound.conf", UNBOUND)
        harness.Process(cls.old, "unbound", [world.program("/usr/sbin/unbound"), "-d", "-p", "-c", path]
                        ).wait_ready(HERE, "nas.lab.example")
        cls.config, cls.told = cls.imported("unbound", path)
        cls.sluice = cls.serve(cls.config)

    def test_both_answer_alike(self):
        self.same("nas.lab.example", ("nas.lab.example", "AAAA"), "none.lab.example", ("txt.lab.example", "TXT"),
                  ("mail.lab.example", "MX"), ("5.5.0.10.in-addr.arpa", "PTR"), "x.ads.example", "cdn.example",
                  "a.b.cdn.example", "single.example.com", ("single.example.com", "AAAA"),
                  "www.contoso.corp", "www.lower.contoso.corp", "nx.contoso.corp", "www.example.org",
                  "contoso.corp", ("empty.contoso.corp", "AAAA"), "alias--www-lower-contoso-corp.contoso.corp")

    def test_comments_stay_with_what_they_are_about(self):
        self.assertRegex(self.config, r"# The laboratory\.\n +\{\n +name = \"lab\.example\"")
        self.assertRegex(self.config, r"# The domain controllers\.\n +\{\s+name = \"contoso-corp\"")
        self.assertRegex(self.config, r"# of the branch\n +\{\s+name = \"lower-contoso-corp\"")
        self.assertIn("# Our resolver.", self.config)

    def test_who_may_ask_is_carried_over(self):
        self.assertIn('client_prefixes = [ "127.0.0.0/8", "10.0.0.0/10", "10.128.0.0/9", "::1/128" ]', self.config)

    def test_what_was_not_carried_over_is_told(self):
        self.told_of(self.told, r"unbound\.conf:\d+: module-config: not carried over: sluice does not validate",
                     r"more-zones\.conf:12: forward-zone: not carried over: .* TLS",
                     r"unbound\.conf:\d+: remote-control: not carried over")
        self.assertNotIn("secret", re.sub("(?m)^#.*", "", self.config))


DNSMASQ = """
    # Port of the office's router.
    no-resolv
    no-hosts
    user=root
    group=
    pid-file=
    listen-address=127.0.0.1
    bind-interfaces
    log-facility=-
    bogus-priv
    local-ttl=60
    domain=lan
    expand-hosts
    addn-hosts=%(hosts)s
    local=/lan/
    conf-dir=%(folder)s,*.conf
"""
DNSMASQ_MORE = """
    # The domain controllers.
    server=/contoso.corp/fabrikam.corp/192.0.2.53
    server=/lower.contoso.corp/192.0.2.54#53  # of the branch
    server=192.0.2.99
    rev-server=10.8.0.0/15,192.0.2.54
    address=/ads.example/0.0.0.0
    address=/gone.example/
    host-record=nas.corp.example,nas2.corp.example,10.1.0.5,2001:db8::5
    cname=files.lan,printer.lan
    cname=alias.example,nas.corp.example
    mx-host=corp.example,nas.corp.example,10
    srv-host=_ldap._tcp.corp.example,nas.corp.example,389,1,2
    txt-record=text.example,"a, b",c
    ptr-record=5.9.1.10.in-addr.arpa,five.example
    dhcp-range=10.1.0.50,10.1.0.99,12h
    stop-dns-rebind
"""


class Dnsmasq(Import):
    @classmethod
    def build(cls, world):
        super().build(world)
        folder = os.path.dirname(cls.path("conf/more.conf", re.sub("(dhcp-range|stop-dns)", r"#\1", DNSMASQ_MORE)))
        hosts = cls.path("hosts", "10.1.0.9 printer\n10.1.0.10 tv.lan # the big one\n")
        path = cls.path("dnsmasq.conf", DNSMASQ % {"hosts": hosts, "folder": folder})
        harness.Process(cls.old, "dnsmasq", [world.program("/usr/sbin/dnsmasq"), "-k", "-C", path]
                        ).wait_ready(HERE, "tv.lan")
        cls.path("conf/more.conf", DNSMASQ_MORE)
        cls.config, cls.told = cls.imported("dnsmasq", path)
        cls.sluice = cls.serve(cls.config)

    def test_both_answer_alike(self):
        self.same("printer.lan", "printer", "tv.lan", "none.lan", "files.lan", "www.contoso.corp", "www.fabrikam.corp",
                  "www.lower.contoso.corp", "www.example.org", "ads.example", "x.y.ads.example", "x.gone.example",
                  "nas.corp.example", "nas2.corp.example", ("nas.corp.example", "AAAA"),
                  ("corp.example", "MX"), ("_ldap._tcp.corp.example", "SRV"), ("text.example", "TXT"),
                  ("5.9.1.10.in-addr.arpa", "PTR"), ("5.0.1.10.in-addr.arpa", "PTR"), ("9.0.1.10.in-addr.arpa", "PTR"),
                  ("1.0.9.10.in-addr.arpa", "A"), ("7.7.168.192.in-addr.arpa", "PTR"))

    def test_a_cname_has_the_addresses_of_its_target(self):
        self.assert_answer(self.new.ask(HERE, "alias.example"), "10.1.0.5")
        self.told_of(self.told, r"more\.conf:11: cname: different: alias\.example has the addresses of nas")

    def test_comments_and_what_is_lost(self):
        self.assertRegex(self.config, r"# of the branch\n +\{\s+name = \"lower-contoso-corp\"")
        self.assertRegex(self.config, r"# the big one\n +\{ name = \"tv:A\"")
        self.told_of(self.told, r"more\.conf:16: dhcp-range: not carried over: sluice has no DHCP",
                     r"more\.conf:17: stop-dns-rebind: not carried over", r"dnsmasq\.conf:5: user: not carried over")


HOSTS = """
    # Made by hand.
    127.0.0.1   localhost
    # The file server.
    10.1.0.5    nas.corp.example nas
    2001:db8::5 nas.corp.example
    0.0.0.0     ads.example
    10.1.0.300  broken
"""


class Hosts(Import):
    @classmethod
    def build(cls, world):
        super().build(world)
        cls.config, cls.told = cls.imported("hosts", cls.path("hosts", HOSTS))
        cls.serve(cls.config + 'default_resolver = { targets = ( { address = "192.0.2.99"; } ); };\n')

    def test_names_and_addresses_answer(self):
        for name, rtype, text in (("nas.corp.example", "A", "10.1.0.5"), ("nas.corp.example", "AAAA", "2001:db8::5"),
                                  ("nas", "A", "10.1.0.5"), ("ads.example", "A", "0.0.0.0"),
                                  ("5.0.1.10.in-addr.arpa", "PTR", "nas.corp.example."),
                                  ("www.corp.example", "A", "198.51.100.99")):
            self.assert_answer(self.new.ask(HERE, name, rtype), text)

    def test_the_rest_is_told(self):
        self.told_of(self.told, r'hosts:8: not carried over: "10\.1\.0\.300" is no address', r"hosts:3: .*localhost")
        self.assertRegex(self.config, r"# The file server\.\n +\{\n? *name = \"nas\.corp\.example\"")


if __name__ == "__main__":
    harness.main()
