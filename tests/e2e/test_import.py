"""`sluice import`: what the real programs are told, they and sluice answer alike; what could not be carried over
is told with its place; and what is written passes `sluice check`."""

import json
import os
import re
import resource
import shutil
import textwrap
import unittest

import dns
import harness

HERE = ("127.0.0.1", 53)


def forget(output):
    """What an import has written there."""
    for word in ("", ".names", ".addresses"):
        if os.path.exists(output + word):
            os.remove(output + word)


def whole(output):
    """The configuration, with what it includes in place."""
    with open(output) as file:
        return re.sub(r'(?m)^@include "(.*)"\n', lambda match: whole(os.path.join(os.path.dirname(output), match.group(1))),
                      file.read())


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
    def imported(cls, dialect, *files, fine=True, **how):
        """(configuration, what was told)"""
        output = os.path.join(cls.world.dir, "imported-%s.conf" % dialect)
        forget(output)
        status, told = harness.command("import", dialect, *files, "--output", output, **how)
        if (status == 0) != fine:
            raise AssertionError(told)
        if not fine:
            return None, told
        text = whole(output)
        status, checked = harness.command("check", "-c", output)
        if status != 0:
            raise AssertionError(checked + text)
        return text, told

    @classmethod
    def serve(cls, config):
        return harness.Sluice(cls.new, config, HERE)

    def same(self, *questions, **how):
        """NAME or (NAME, TYPE): both answer alike."""
        for question in questions:
            name, rtype = question if isinstance(question, tuple) else (question, "A")
            answers = []
            for host in (self.old, self.new):
                message = host.ask(HERE, name, rtype, **how)
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
        local-data: "*.w.lab.example. A 10.0.5.6"
        local-data: "cn.example.com CNAME www.contoso.corp."
    include: "more-*.conf"
    remote-control:
        control-enable: no
    dnstap:
        dnstap-enable: no
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
                  "a.b.cdn.example", "x.w.lab.example", "single.example.com", ("single.example.com", "AAAA"),
                  "www.contoso.corp", "www.lower.contoso.corp", "nx.contoso.corp", "www.example.org",
                  "contoso.corp", ("empty.contoso.corp", "AAAA"), "alias--www-lower-contoso-corp.contoso.corp")

    def test_comments_stay_with_what_they_are_about(self):
        self.assertRegex(self.config, r"# The laboratory\.\n +\{\n +name = \"lab\.example\"")
        self.assertRegex(self.config, r"# The domain controllers\.\n +\{\s+name = \"contoso-corp\"")
        self.assertRegex(self.config, r"# of the branch\n +\{\s+name = \"lower-contoso-corp\"")
        self.assertIn("# Our resolver.", self.config)

    def test_who_may_ask_is_carried_over(self):
        self.assertIn('client_prefixes = [ "10.0.0.0/10", "10.128.0.0/9", "127.0.0.0/8", "::1/128" ]', self.config)

    def test_what_was_not_carried_over_is_told(self):
        self.told_of(self.told, r"unbound\.conf:\d+: module-config: not carried over: sluice does not validate",
                     r"more-zones\.conf:12: forward-zone: not carried over: .* TLS",
                     r"unbound\.conf:\d+: local-data: not carried over: \*\.w\.lab\.example is that name alone there",
                     r"unbound\.conf:\d+: local-data: not carried over: cn\.example\.com would be a zone, and a CNAME cannot",
                     r"unbound\.conf:\d+: remote-control: not carried over",
                     r"unbound\.conf:\d+: dnstap: not carried over: query_log\.dnstap_socket")
        self.assertNotIn("secret", re.sub("(?m)^#.*", "", self.config))


BIND = """
    // Who is inside.
    acl inside { 10.0.0.0/8; !10.64.0.0/10; 127.0.0.0/8; };
    key "secondary" { algorithm hmac-sha256; secret "c2x1aWNlLXRlc3Qtc2VjcmV0LTEyMzQ1Njc4OTA="; };
    key "rndc-key" { algorithm hmac-sha256; secret "c2x1aWNlLXRlc3Qtc2VjcmV0LTA5ODc2NTQzMjE="; };
    options {
        directory "%(folder)s";
        version none;
        listen-on { 127.0.0.1; };
        listen-on-v6 { none; };
        recursion yes;
        dnssec-validation no;
        max-cache-ttl 2h;
        pid-file none; session-keyfile none; lock-file none;
        managed-keys-directory "%(folder)s";
        forwarders { 192.0.2.99; };
        forward only;
    };
    controls { };
    include "views.conf";
"""
BIND_VIEWS = """
    view "guests" {
        match-clients { 127.0.0.2; };
        allow-recursion { any; };
        zone "contoso.corp" { type forward; forward only; forwarders { 192.0.2.54 port 53; }; };
        zone "corp.internal" { type primary; file "guests.zone"; };
        zone "." { type hint; file "/usr/share/dns/root.hints"; };
    };
    view "inside" {
        match-clients { inside; };
        allow-recursion { any; };
        # The intranet.
        zone "corp.internal" {
            type primary;
            file "inside.zone";
            allow-transfer { key "secondary"; 10.1.0.9; };
            allow-update { none; };   # by hand only
        };
        /* The domain
           controllers. */
        zone "contoso.corp" { type forward; forward only; forwarders { 192.0.2.53; }; };
        zone "stub.example" { type static-stub; server-addresses { 192.0.2.54; }; };
        zone "minimum.internal" { type primary; file "minimum.zone"; };
        zone "deep.internal" { type primary; file "deep/deep.zone"; };
    };
"""
BIND_ZONE = """
    $TTL 2h
    $ORIGIN corp.internal.
    @   IN SOA ns1 hostmaster (
            2026010101 ; the serial
            1h 10m 4w 5m )
        IN NS ns1
        IN MX 10 mail
    ns1     IN A 10.1.0.2
    ; Everybody's.
    www 300 IN A 10.1.0.80
            IN A 10.1.0.81
    web     IN CNAME www
    mail    IN A 10.1.0.25  ; the old one
    txt     IN TXT "a; b" "c"
    _sip._tcp IN SRV 0 5 5060 www
    *.wild  IN A 10.1.0.99
    lab     IN NS ns.lab
    ns.lab  IN A 10.1.0.77
    $INCLUDE more.inc
    out     IN CNAME www.contoso.corp.
    $GENERATE 1-9/4 host$ A 10.1.1.$
    $GENERATE 10-11 h${-8,3,x} 60 IN CNAME host1
    caa     IN CAA 0 issue "ca.example"
    hinfo   IN HINFO "a" "b"
"""


class Bind(Import):
    @classmethod
    def build(cls, world):
        super().build(world)
        folder = world.dir
        cls.path("inside.zone", BIND_ZONE)
        cls.path("more.inc", "extra IN A 10.1.0.82\n")
        cls.path("deep/deep.zone", "$TTL 60\n@ IN SOA ns1 h 1 60 60 60 60\n@ IN NS ns1\nns1 IN A 10.1.0.2\n$INCLUDE deep/more.inc\n")
        cls.path("deep/more.inc", "www IN A 10.1.0.83\n")
        cls.path("guests.zone", "@ 60 IN SOA ns1 h 1 60 60 60 60\n@ 60 IN NS ns1\nns1 60 IN A 10.1.0.2\nwww 60 IN A 203.0.113.80\n")
        cls.path("minimum.zone", "@ IN SOA ns1 h 1 60 60 60 77\n@ IN NS ns1\nns1 IN A 10.1.0.2\n\tIN A 10.1.0.3\nwww 55 IN A 10.1.0.4\nftp IN A 10.1.0.5\n")
        cls.path("views.conf", BIND_VIEWS)
        path = cls.path("named.conf", BIND % {"folder": folder})
        harness.Process(cls.old, "named", [world.program("/usr/sbin/named"), "-f", "-c", path, "-n", "1"]
                        ).wait_ready(HERE, "www.corp.internal")
        cls.config, cls.told = cls.imported("bind", path)
        cls.sluice = cls.serve(cls.config)

    def test_both_answer_alike(self):
        for source in ("127.0.0.1", "127.0.0.2"):
            self.same("www.corp.internal", "web.corp.internal", "none.corp.internal",
                      ("corp.internal", "NS"), ("corp.internal", "MX"), ("txt.corp.internal", "TXT"),
                      ("_sip._tcp.corp.internal", "SRV"), "a.wild.corp.internal", "extra.corp.internal",
                      "www.contoso.corp", "nx.contoso.corp", "www.example.org", "out.corp.internal",
                      *("host%d.corp.internal" % n for n in (1, 5, 9, 2)), "h002.corp.internal", "h003.corp.internal",
                      ("caa.corp.internal", 257), ("hinfo.corp.internal", 13), "x.stub.example", source=source)
        self.same("ns1.minimum.internal", "ftp.minimum.internal")

    def test_a_master_file_s_includes_are_in_the_directory_of_named(self):
        self.same("www.deep.internal", "ns1.deep.internal")
        self.assertNotIn('file = "%s/deep/deep.zone"' % self.world.dir, self.config)
        self.told_of(self.told, r"views\.conf:\d+: zone: different: .*/inside\.zone becomes record sets \(and so does 1 other\); changes of")

    def test_keys_of_no_transfer_stay_behind(self):
        self.assertNotRegex(self.config, r'name = "rndc-key')
        self.told_of(self.told, r"named\.conf:5: key: not carried over: no zone is copied with it")

    def test_a_zone_without_a_default_ttl_stays_a_file_and_has_the_ttls_that_named_gives_it(self):
        self.assertIn('file = "%s/minimum.zone"' % self.world.dir, self.config)
        for name in ("ns1", "www", "ftp"):
            there, here = (host.ask(HERE, name + ".minimum.internal").answer[0].ttl for host in (self.old, self.new))
            self.assertEqual(there, here, name)

    def test_a_zone_goes_out_to_those_who_may_have_it(self):
        self.assertRegex(self.config, r'name = "secondary\.?"; secret = "c2x1')
        self.assertRegex(self.config, r'zones = \[ "inside/corp\.internal" \];\s+allow = [^;]*;\s+key = "secondary')
        self.assertRegex(self.config, r'allow = \[ "10\.1\.0\.9/32" \]')

    def test_comments_and_what_is_lost(self):
        for pattern in (r"# The intranet\.\n( +# .*\n)* +\{\s+name = \"corp\.internal\"", r"# Everybody's\.\n +\{ name = \"www:A\"",
                        r"# the old one\n +\{ name = \"mail:A\"", r"# by hand only",
                        r"# The domain\n +# controllers\.\n +\{\s+name = \"contoso-corp\"", "# Who is inside"):
            self.assertRegex(self.config, pattern)
        self.told_of(self.told, r"inside\.zone:18: .*not carried over: .*NS", r"views\.conf:7: zone: not carried over: .*root",
                     r"views\.conf:17: allow-update: not carried over", r"named\.conf:19: controls: not carried over")
        self.assertNotIn(": version: ", self.told)


COREDNS = """
    # Shared by all.
    (common) {
        errors
        cache 600 {
            success 9000 300
            denial 1000 60
        }
        bind 127.0.0.1
        acl {
            block net 10.64.0.0/10
            allow net 10.0.0.0/8 127.0.0.0/8
            block
        }
    }
    corp.internal lab.internal {
        import common
        # The intranet.
        file intranet.zone corp.internal
        file lab.zone lab.internal
        transfer corp.internal {
            to 10.1.0.9
        }
    }
    contoso.corp. {
        import common
        forward . 192.0.2.53 192.0.2.54:53 {   # the domain controllers
            policy sequential
            max_fails 2
        }
    }
    . {
        import common
        hosts names.hosts {
            10.1.0.7 printer.example
            ttl 60
            fallthrough
        }
        forward . 192.0.2.99
        prometheus 127.0.0.1:9153
        rewrite name foo.example bar.example
    }
    secret.example {
        import common
        forward . tls://192.0.2.53
    }
"""


class Coredns(Import):
    """Compared with the program where there is one; Debian 12 has none."""

    @classmethod
    def build(cls, world):
        super().build(world)
        cls.path("intranet.zone", "@ 60 IN SOA ns1 h 1 60 60 60 60\n@ 60 IN NS ns1\nns1 60 IN A 10.1.0.2\nwww 60 IN A 10.1.0.80\n")
        cls.path("lab.zone", "@ 60 IN SOA ns1 h 1 60 60 60 60\n@ 60 IN NS ns1\nns1 60 IN A 10.1.0.2\nnas 60 IN A 10.1.0.81\n")
        cls.path("names.hosts", "10.1.0.8 scanner.example # on the desk\n")
        path = cls.path("Corefile", COREDNS)
        cls.config, cls.told = cls.imported("coredns", path, cwd=world.dir)
        cls.sluice = cls.serve(cls.config)
        cls.program = shutil.which("coredns")
        if cls.program:
            without = cls.path("Corefile.run", re.sub("prometheus .*", "", COREDNS))
            harness.Process(cls.old, "coredns", [cls.program, "-conf", without]).wait_ready(HERE, "www.corp.internal")

    QUESTIONS = (("www.corp.internal", "10.1.0.80"), ("nas.lab.internal", "10.1.0.81"), ("printer.example", "10.1.0.7"),
                 ("scanner.example", "10.1.0.8"), ("www.example.org", "198.51.100.99"),
                 ("www.bar.example", "198.51.100.99"))

    def test_it_answers(self):
        for name, text in self.QUESTIONS:
            self.assert_answer(self.new.ask(HERE, name), text)
        self.assert_answered_by_one(self.new.ask(HERE, "www.contoso.corp"), "198.51.100.53", "198.51.100.54")
        self.assert_answer(self.new.ask(HERE, "none.corp.internal"), rcode="NXDOMAIN")
        self.assert_answer(self.new.ask(HERE, "7.0.1.10.in-addr.arpa", "PTR"), "printer.example.")

    def test_both_answer_alike(self):
        if not self.program:
            self.skipTest("coredns is not installed, so nothing is compared with it")
        self.same(*(name for name, _ in self.QUESTIONS), "none.corp.internal", ("7.0.1.10.in-addr.arpa", "PTR"))

    def test_who_may_ask_comments_and_what_is_lost(self):
        self.assertIn('client_prefixes = [ "10.0.0.0/10", "10.128.0.0/9", "127.0.0.0/8" ]', self.config)
        self.assertRegex(self.config, r"# The intranet\.\n +\{\s+name = \"corp\.internal\"")
        self.assertRegex(self.config, r"# the domain controllers\n +\{\s+name = \"contoso-corp\"")
        self.assertRegex(self.config, r"# on the desk\n +\{\s+name = \"scanner\.example\"")
        self.assertRegex(self.config, r'(?s)cache = \{.*negative_ttl_max = 60;')
        self.told_of(self.told, r"Corefile:\d+: rewrite: not carried over: questions and answers",
                     r"Corefile:\d+: forward: not carried over: tls://192\.0\.2\.53: .*TLS",
                     r"Corefile:\d+: prometheus: not carried over: metrics in",
                     r"Corefile:\d+: max_fails: different: targets are asked in their order")
        self.assertNotIn(": policy: ", self.told)


class WhoMayAsk(harness.FreshCase):
    """No import lets in whom the original does not, nor forwards for whom it does not; what can only be said more
    openly is closed, told first, and not applied."""

    def build(self, world):
        pass

    def read(self, dialect, text, status=0, **files):
        for name, content in files.items():
            self.world.write(name.replace("_", "."), textwrap.dedent(content))
        path = self.world.write("original", textwrap.dedent(text))
        output = os.path.join(self.world.dir, "out.conf")
        forget(output)
        got, told = harness.command("import", dialect, path, "--output", output, cwd=self.world.dir)
        self.assertEqual(status, got, told)
        config = whole(output)
        got, checked = harness.command("check", "-c", output)
        self.assertEqual(0, got, checked)
        return config, told, checked

    def networks(self, config):
        return {name: (sorted(re.findall('"([^"]+)"', clients)), "uses_default_resolver = false" in rest)
                for name, clients, rest in re.findall(
                    r'\{\s*name = "([^"]+)";\s*client_prefixes = \[([^\]]*)\];([^}]*)\}', config)}

    def opened(self, config):
        """With each open line in place of the closed one; what passes the check, too."""
        lines, kept, opens = config.split("# What was not carried over")[0].splitlines(), [], False
        for line in lines:
            text = line.strip()
            if text.startswith("# as open as it was"):
                opens = True
                continue
            opens = opens and text.startswith("#")
            found = re.match(r"( *)# (\w+) = .*;$", line) if opens else None
            if found:
                kept = [other for other in kept if not re.match(r"%s%s = " % found.group(1, 2), other)]
                line = found.group(1) + text[2:]
            kept.append(line)
        text = "\n".join(kept) + "\n"
        self.assertNotEqual(lines, kept)
        status, checked = harness.command("check", "-c", self.world.write("opened.conf", text))
        self.assertEqual(0, status, checked + text)
        return text

    def test_coredns_an_action_without_net_is_for_all(self):
        config, told, _ = self.read("coredns", """
            . {
                acl {
                    allow net 10.0.0.0/8
                    block
                }
                forward . 192.0.2.1
            }
            """)
        self.assertEqual({"home": (["10.0.0.0/8"], False)}, self.networks(config))
        self.assertNotIn("closed: ", told)

    def test_coredns_who_may_ask_is_who_may_ask_each_server(self):
        for first, second, clients, status in (
                ("", "acl {\n allow net 10.0.0.0/8\n drop net *\n}", ["10.0.0.0/8"], 1),
                ("acl {\n allow net 10.0.0.0/8\n block\n}", "", ["10.0.0.0/8"], 1),
                ("acl {\n allow net 10.0.0.0/8\n filter\n}", "acl {\n allow net 10.1.0.0/16 192.0.2.0/24\n block\n}",
                 ["10.1.0.0/16"], 1),
                ("acl {\n block net 10.0.0.0/8\n}", "acl {\n block net 10.0.0.0/8\n}", None, 0)):
            config, told, checked = self.read("coredns", "a.example {\n%s\nforward . 192.0.2.1\n}\n. {\n%s\nforward . "
                                              "192.0.2.2\n}\n" % (first, second), status)
            got = self.networks(config)["home"][0]
            self.assertEqual(clients or got, got)
            self.assertNotIn("0.0.0.0/0", got)
            if status:
                self.assertTrue(told.splitlines()[0].split(": ", 2)[2].startswith("closed: its clients"), told)
                self.assertNotEqual(self.networks(config), self.networks(self.opened(config)))

    def test_coredns_actions_for_some_types_let_nobody_in(self):
        config, told, _ = self.read("coredns", """
            . {
                acl {
                    block type AXFR net *
                    allow type A net 10.0.0.0/8
                    block type TXT net 192.168.0.0/16
                    allow net 192.0.0.0/8
                    block net *
                }
                forward . 192.0.2.1
            }
            """, 1)
        self.assertEqual(["192.0.0.0/9", "192.128.0.0/11", "192.160.0.0/13"], self.networks(config)["home"][0][:3])
        self.assertEqual(2, told.count("closed: "), told)

    def test_coredns_an_acl_for_some_zones_lets_nobody_in(self):
        for text, clients in (
                ("acl a.example {\n allow net 192.168.0.0/16\n}\nacl {\n allow net 10.0.0.0/8\n block\n}\n", ["10.0.0.0/8"]),
                ("acl a.example {\n block\n}\n", ["255.255.255.255/32"])):
            config, told, _ = self.read("coredns", ". {\n%sforward . 192.0.2.2\n}\n" % text, 1)
            self.assertEqual({"home": (clients, False)}, self.networks(config))
            self.opened(config)
        config, _, _ = self.read("coredns", "a.example {\nacl example {\n allow net 10.0.0.0/8\n block\n}\nforward . 192.0.2.2\n}\n")
        self.assertEqual(["10.0.0.0/8"], self.networks(config)["home"][0])

    def test_coredns_who_is_kept_out_and_cannot_be_read_is_everybody(self):
        for unread in ("{args[0]}", "{$BAD} 10.66.0.0/16"):
            config, told, _ = self.read("coredns", ". {\nacl {\n allow net 10.1.0.0/16\n block net %s\n}\nforward . 192.0.2.2\n}\n" % unread, 1)
            self.assertEqual(["10.1.0.0/16"], self.networks(config)["home"][0])
            self.assertIn(("0.0.0.0/0"), self.networks(self.opened(config))["home"][0])

    def test_coredns_listens_where_all_servers_do(self):
        block = "%s {\n%sforward . 192.0.2.1\n}\n"
        for first, second, closed, opened in (
                (("a.example", "bind 192.0.2.7\n"), (".", "bind 127.0.0.1\n"), '"127.0.0.1:53"', '"192.0.2.7:53", "127.0.0.1:53"'),
                ((".:5353", "bind 192.0.2.7\n"), ("a.example:53", "bind 192.0.2.7\n"), '"127.0.0.1:53"',
                 '"192.0.2.7:5353", "192.0.2.7:53"'),
                (("a.example", "bind 192.0.2.7 192.0.2.8\n"), (".", "bind 192.0.2.8\n"), '"192.0.2.8:53"',
                 '"192.0.2.7:53", "192.0.2.8:53"'),
                (("a.example", ""), (".", "bind 192.0.2.8\n"), '"192.0.2.8:53"', '"0.0.0.0:53", "[::]:53"')):
            config, told, checked = self.read("coredns", block % first + block % second, 1)
            self.assertIn("listen = [ %s ];" % closed, config)
            self.assertIn("listen = [ %s ];" % opened, self.opened(config))
        self.read("coredns", block % ("a.example", "bind 192.0.2.7\n") + block % (".", "bind 192.0.2.7\n"))

    def test_coredns_a_server_that_is_left_out_is_not_counted(self):
        config, told, _ = self.read("coredns", "tls://.:853 {\nforward . 192.0.2.2\n}\n.:53 {\nacl {\n allow net 10.0.0.0/8\n block\n}\n"
                                               "forward . 192.0.2.2\n}\n")
        self.assertEqual(["10.0.0.0/8"], self.networks(config)["home"][0])
        self.assertNotIn("closed: ", told)

    DNSMASQ = "no-hosts\nno-resolv\n"

    def test_dnsmasq_interfaces_are_not_listened_at(self):
        for text in ("except-interface=eth0\n", "interface=br0\n", "except-interface=eth0\nlisten-address=192.0.2.7\n"):
            config, told, checked = self.read("dnsmasq", self.DNSMASQ + "server=192.0.2.1\n" + text, 1)
            self.assertIn('listen = [ "127.0.0.1:53", "[::1]:53" ];', config)
            self.assertNotIn("forwarded for", checked)
            self.assertRegex(self.opened(config), r'(?m)^ *listen = \[ "(0\.0\.0\.0|192\.0\.2\.7):53"')
        config, told, _ = self.read("dnsmasq", self.DNSMASQ + "server=192.0.2.1\ninterface=lo\n")
        self.assertIn('listen = [ "127.0.0.1:53", "[::1]:53" ];', config)

    def test_dnsmasq_local_service(self):
        usual = "10.0.0.0/8"
        for text, clients in (("local-service=host\n", ["127.0.0.0/8", "::1/128"]),
                              ("local-service=host\nlisten-address=192.0.2.7\n", ["0.0.0.0/0", "::/0"])):
            config, told, _ = self.read("dnsmasq", self.DNSMASQ + "server=192.0.2.1\n" + text)
            self.assertEqual(clients, self.networks(config)["home"][0])
        self.assertIn("anybody may ask", told)
        self.assertIn('listen = [ "192.0.2.7:53" ];', config)
        _, told, _ = self.read("dnsmasq", self.DNSMASQ + "server=192.0.2.1\nlocal-service\n")
        self.assertIn("local-service: different: more open: ", told)

    def test_dnsmasq_forwards_what_it_has_a_server_for(self):
        config, told, _ = self.read("dnsmasq", self.DNSMASQ + "server=/corp/10.0.0.1\nlisten-address=192.0.2.7\n")
        self.assertTrue(self.networks(config)["home"][1], config)
        config, told, checked = self.read("dnsmasq", self.DNSMASQ + "server=192.0.2.1\naddress=/#/127.0.0.1\nlisten-address=192.0.2.7\n", 1)
        self.assertTrue(self.networks(config)["home"][1], config)
        self.assertNotIn("forwarded for", checked)
        self.assertFalse(self.networks(self.opened(config))["home"][1])

    def test_dnsmasq_without_a_port_has_nothing(self):
        path = self.world.write("original", self.DNSMASQ + "port=0\n")
        status, told = harness.command("import", "dnsmasq", path)
        self.assertEqual(1, status)
        self.assertIn("port: it answers no questions (port 0)", told)
        self.assertNotIn("virtual_networks", told)

    def test_coredns_refuses_what_no_server_has(self):
        config, _, checked = self.read("coredns", "a.example {\nbind 192.0.2.7\nforward . 192.0.2.1\n}\n")
        self.assertEqual((["0.0.0.0/0", "::/0"], True), self.networks(config)["home"])
        self.assertIn("may ask at 192.0.2.7:53, and its names are forwarded", checked)

    def test_coredns_hosts_stay_within_their_zones(self):
        config, told, _ = self.read("coredns", """
            . {
                bind 127.0.0.1
                hosts names inside.example {
                    10.0.0.2 www.inside.example www.bank.example
                }
                forward . 192.0.2.1
            }
            """, names="10.0.0.1 nas.inside.example\n10.0.0.3 www.outside.example\n")
        self.assertIn("nas:A", config)
        self.assertIn("www:A", config)
        for name in ("bank.example", "outside.example", "in-addr.arpa"):
            self.assertNotIn(name, config.split("# What was not carried over")[0])
            if "arpa" not in name:
                self.assertIn("%s is in no zone that the hosts are for" % name, told)

    def test_coredns_hosts_for_all_that_do_not_fall_through(self):
        for more, told_of in (("", True), ("fallthrough", False)):
            _, told, _ = self.read("coredns", ". {\nbind 127.0.0.1\nhosts {\n10.0.0.1 nas.example\n%s\n}\nforward . 192.0.2.1\n}\n" % more)
            self.assertEqual(told_of, "a name that the hosts do not have is forwarded; there it does not exist" in told, told)

    BIND = """
        options { recursion %s; allow-recursion { 10.0.0.0/8; }; listen-on { %s; }; };
        zone "a.example" { type master; file "a.zone"; %s };
        zone "b.example" { type forward; forwarders { 192.0.2.1; }; };
        """

    def test_bind_without_recursion_it_has_zones_only(self):
        config, told, checked = self.read("bind", self.BIND % ("no", "192.0.2.7", ""), a_zone="@ 60 IN A 192.0.2.5\n")
        self.assertEqual({"home": (["0.0.0.0/0", "::/0"], True)}, self.networks(config))
        self.assertNotIn("rulesets", config)
        self.assertNotIn("forwarded for", checked)
        self.assertIn("without recursion its servers are not asked", told)
        config, told, checked = self.read("bind", self.BIND % ("yes", "192.0.2.7", ""), a_zone="@ 60 IN A 192.0.2.5\n")
        self.assertRegex(told, 'original:4: zone: different: where the servers fail, nobody else is asked, as with "forward only"; BIND')
        self.assertEqual({"home": (["10.0.0.0/8"], False)}, self.networks(config))

    def test_bind_a_view_without_recursion_beside_one_with_it(self):
        config, _, checked = self.read("bind", """
            options { allow-recursion { 10.0.0.0/8; }; forwarders { 192.0.2.9; }; listen-on { 192.0.2.7; }; };
            view "inside" { match-clients { 10.0.0.0/8; }; zone "a.example" { type master; file "a.zone"; }; };
            view "outside" { match-clients { any; }; recursion no; zone "a.example" { type master; file "a.zone"; }; };
            """, a_zone="@ 60 IN A 192.0.2.5\n")
        got = self.networks(config)
        self.assertEqual((["10.0.0.0/8"], False), got["inside"])
        self.assertEqual((["0.0.0.0/5", "11.0.0.0/8"], True), (got["outside"][0][:2], got["outside"][1]))
        self.assertNotIn("forwarded for", checked)

    def test_bind_a_zone_for_fewer_than_the_view_is_nobody_s(self):
        for more, status in (("allow-query { 10.1.0.0/16; };", 1), ("allow-query { any; };", 0), ("allow-query-on { 10.0.0.1; };", 1)):
            config, told, _ = self.read("bind", self.BIND % ("yes", "127.0.0.1", more), status, a_zone="@ 60 IN A 192.0.2.5\n")
            link = r'(?s)\A((?!rulesets).)*name = "a\.example";((?!rulesets).)*\n +links = \( \{ name = "home"'
            self.assertEqual(status == 0, bool(re.search(link, config)), config)
            self.assertEqual(status == 1, "closed: the zone a.example is nobody's" in told)
            if status:
                self.assertRegex(self.opened(config), link)

    def view(self, options, more="", status=0):
        """(clients, zones only, what was told, config) of a server with these options, which forwards."""
        config, told, _ = self.read("bind", "options { listen-on { 127.0.0.1; }; listen-on-v6 { none; }; forwarders { 192.0.2.1; }; %s };\n%s\n"
                                    % (options, more), status, a_zone="@ 60 IN A 192.0.2.5\n")
        return self.networks(config), told, config

    ZONE = 'zone "a.example" { type primary; file "a.zone"; };'

    def test_bind_recursion_s_clients_are_those_of_all_lists(self):
        for options, clients in (("allow-recursion { any; }; allow-query-cache { 10.0.0.0/8; };", ["10.0.0.0/8"]),
                                 ("allow-query-cache { 10.1.0.0/16; }; allow-recursion { 10.0.0.0/8; };", ["10.1.0.0/16"]),
                                 ("allow-query { 10.2.0.0/16; };", ["10.2.0.0/16"]),
                                 ("blackhole { 10.0.0.0/9; }; allow-recursion { 10.0.0.0/8; };", ["10.128.0.0/9"])):
            self.assertEqual({"home": (clients, False)}, self.view(options)[0], options)

    def test_bind_where_a_question_comes_in_is_closed(self):
        for options, more in (("allow-recursion { any; }; allow-recursion-on { 10.0.0.1; };", ""),
                              ("allow-recursion { any; }; allow-query-cache-on { 10.0.0.1; };", ""),
                              ("allow-recursion { any; };", 'view "home" { match-destinations { 10.0.0.1; }; };'),
                              ("allow-recursion { any; };", 'view "home" { match-recursive-only yes; };')):
            networks, told, config = self.view(options, more, 1)
            self.assertEqual({"home": (["255.255.255.255/32"], False)}, networks, options)
            self.assertTrue(told.split(": ")[2] == "closed", told)
            self.assertEqual({"home": (["0.0.0.0/0", "::/0"], False)}, self.networks(self.opened(config)))
        self.view("allow-recursion { any; }; allow-recursion-on { any; };")

    def test_bind_who_cannot_be_read_is_let_in_by_nothing(self):
        none, some = ["255.255.255.255/32"], ["10.0.0.0/8"]
        for options, clients in (("allow-recursion { !geoip country CN; any; };", none),
                                 ("allow-recursion { 10.0.0.0/8; !geoip country CN; any; };", some),
                                 ("allow-recursion { !{ geoip country CN; }; any; };", none),
                                 ("allow-recursion { !localnets; any; };", none)):
            networks, told, config = self.view(options, status=1)
            self.assertEqual({"home": (clients, False)}, networks, options)
            self.assertIn(": closed: ", told.splitlines()[0])
            self.assertIn("0.0.0.0/0", self.networks(self.opened(config))["home"][0])
        for options in ("allow-recursion { geoip country CN; 10.0.0.0/8; };", "allow-recursion { !{ !geoip country CN; 128.0.0.0/1; }; 10.0.0.0/8; };",
                        "blackhole { !geoip country CN; }; allow-recursion { 10.0.0.0/8; };"):
            self.assertEqual(some, self.view(options)[0]["home"][0], options)
        self.assertEqual(none, self.view("blackhole { geoip country CN; }; allow-recursion { 10.0.0.0/8; };", status=1)[0]["home"][0])
        networks, told, _ = self.view("allow-recursion { any; };", """
            view "cn" { match-clients { geoip country CN; }; };
            view "all" { match-clients { any; }; };""", 1)
        self.assertEqual(["255.255.255.254/32"], networks["all"][0])

    def test_bind_who_has_an_earlier_view_is_in_no_later_one(self):
        networks, _, _ = self.view("", """
            view "blocked" { match-clients { 10.9.0.0/16; }; allow-query { none; }; allow-recursion { none; }; };
            view "all" { match-clients { 10.0.0.0/8; }; allow-recursion { 10.0.0.0/8; }; };""")
        self.assertEqual((["255.255.255.255/32"], True), networks["blocked"])
        self.assertIn("10.8.0.0/16", networks["all"][0])
        for prefix in ("10.0.0.0/8", "10.8.0.0/15", "10.9.0.0/16"):
            self.assertNotIn(prefix, networks["all"][0])

    def test_bind_views_of_nobody_stay_so(self):
        views = "".join('view "%s" { match-clients { 10.%d.0.0/16; }; };\n' % (name, i) for i, name in enumerate(("one", "two", "three")))
        networks, told, _ = self.view("allow-recursion { none; }; allow-query { none; };", views)
        self.assertEqual({"one": (["255.255.255.255/32"], True), "two": (["255.255.255.254/32"], True),
                          "three": (["255.255.255.253/32"], True)}, networks)
        self.assertNotIn("not carried over", told)
        self.assertEqual({"one": (["10.0.0.0/16"], True), "two": (["10.1.0.0/16"], True), "three": (["10.2.0.0/16"], True)},
                         self.view("allow-recursion { none; };", views)[0])

    def test_a_network_that_would_lose_its_last_client_is_a_fault(self):
        path = self.world.write("original", 'options { listen-on { 127.0.0.1; }; allow-recursion { none; }; allow-query { none; }; };\n'
                                'view "a" { match-clients { 255.255.255.254; }; allow-query { any; }; };\n'
                                'view "b" { match-clients { 10.0.0.0/8; }; };\nview "c" { match-clients { 10.1.0.0/16; }; };\n')
        status, told = harness.command("import", "bind", path)
        self.assertEqual(1, status, told)
        self.assertIn("nobody is named who may ask", told)
        self.assertNotIn("virtual_networks =", told)

    def test_bind_a_zone_for_strangers_and_one_for_fewer(self):
        networks, told, _ = self.view("allow-recursion { 10.0.0.0/8; };", self.ZONE)
        self.assertIn("all others that have it there are answered REFUSED", told)
        _, told, config = self.view("allow-query { 10.0.0.0/16; }; allow-recursion { any; };", self.ZONE, 1)
        self.assertIn("closed: the zone a.example is nobody's", told)
        secondary = 'zone "s.example" { type secondary; primaries { 192.0.2.53; }; allow-query { 10.1.0.0/16; }; };'
        _, told, config = self.view("allow-recursion { 10.0.0.0/8; };", secondary, 1)
        self.assertIn('state = "Disabled"', config)
        self.assertNotIn("Disabled", self.opened(config))

    def test_bind_listens_at_each_list(self):
        config, _, _ = self.read("bind", "options { listen-on { 10.0.0.1; }; listen-on port 5353 { 192.0.2.7; }; listen-on-v6 { none; };"
                                         " forwarders { 192.0.2.1; }; allow-recursion { 10.0.0.0/8; }; };\n")
        self.assertIn('listen = [ "10.0.0.1:53", "192.0.2.7:5353" ];', config)

    def test_bind_localnets_is_told_to_be_more_open(self):
        for options, usual in (("", True), ("allow-recursion { localnets; };", False)):
            told = self.view(options)[1]
            self.assertIn("different: more open: localnets", told)
            self.assertEqual(usual, "(BIND takes localnets where allow-recursion is not given)" in told, told)

    UNBOUND = """
        server:
            interface: 192.0.2.7
            %s
            access-control-view: 10.1.0.0/16 branch
            local-zone: ads.example always_nxdomain
        view:
            name: branch
            local-data: "x.branch.example A 10.1.0.1"
            %s
        forward-zone:
            name: .
            forward-addr: 192.0.2.1
        """

    def test_unbound_a_view_lets_its_clients_in(self):
        loopback = ["127.0.0.0/8", "::1/128"]
        config, told, _ = self.read("unbound", self.UNBOUND % ("", ""))
        self.assertEqual({"home": (loopback, False), "branch": (["10.1.0.0/16"], False)}, self.networks(config))
        config, _, _ = self.read("unbound", self.UNBOUND % ("access-control: 10.0.0.0/8 allow", ""))
        got = self.networks(config)
        self.assertEqual((["10.1.0.0/16"], False), got["branch"])
        self.assertNotIn("10.0.0.0/8", got["home"][0])
        config, _, _ = self.read("unbound", self.UNBOUND % ("access-control: 10.1.0.0/16 refuse", ""))
        self.assertEqual((["255.255.255.255/32"], False), self.networks(config)["branch"])

    def test_unbound_a_narrower_prefix_has_no_view_of_a_wider_one(self):
        for setting in ("access-control: 10.1.2.0/24 allow", 'access-control-tag: 10.1.2.0/24 "x"'):
            config, _, _ = self.read("unbound", self.UNBOUND % (setting, ""))
            got = self.networks(config)
            self.assertEqual((["10.1.2.0/24", "127.0.0.0/8", "::1/128"], False), got["home"])
            self.assertIn("10.1.3.0/24", got["branch"][0])
            self.assertNotIn("10.1.2.0/24", got["branch"][0])

    def test_unbound_views_that_no_client_has_are_nobody_s(self):
        config, _, _ = self.read("unbound", "server:\n interface: 192.0.2.7\nview:\n name: a\nview:\n name: b\n")
        self.assertEqual({"home": (["127.0.0.0/8", "::1/128"], False), "a": (["255.255.255.255/32"], False),
                          "b": (["255.255.255.254/32"], False)}, self.networks(config))

    def test_unbound_the_root_s_own_zone_forwards_nothing(self):
        for kind, only in (("refuse", True), ("static", True), ("transparent", False)):
            config, told, _ = self.read("unbound", """
                server:
                    interface: 192.0.2.7
                    access-control: 0.0.0.0/0 allow
                    local-zone: "." %s
                    local-zone: "corp.example." transparent
                forward-zone:
                    name: "corp.example"
                    forward-addr: 10.0.0.1
                forward-zone:
                    name: "other.example"
                    forward-addr: 10.0.0.2
                """ % kind)
            self.assertEqual(only, self.networks(config)["home"][1])
            self.assertIn('domain = "corp.example."', config)
            self.assertEqual(only, 'domain = "other.example."' not in config)

    def test_unbound_an_interface_that_refuses_is_not_listened_at(self):
        for setting in ("interface-action: 192.0.2.7 refuse", "interface-view: 192.0.2.7 v"):
            config, _, checked = self.read("unbound", "server:\n interface: 192.0.2.7\n %s\n access-control: 0.0.0.0/0 allow\n"
                                                      "forward-zone:\n name: .\n forward-addr: 192.0.2.1\n" % setting, 1)
            self.assertIn('listen = [ "127.0.0.1:53" ];', config)
            self.assertNotIn("forwarded for", checked)
            self.assertIn('\n  listen = [ "192.0.2.7" ];', self.opened(config))

    def test_unbound_view_first_has_the_others_zones_too(self):
        for first, links in (("view-first: yes", 2), ("", 1)):
            config, _, _ = self.read("unbound", self.UNBOUND % ("access-control: 10.0.0.0/8 allow", first))
            zone = re.search(r'name = "ads\.example";.*?links = \((.*?)\);', config, re.S)
            self.assertEqual(links, zone.group(1).count("virtual_network ="), config)

    def test_what_is_closed_is_not_applied(self):
        host = self.world.host("new")
        sluice = harness.Sluice(host, 'management = { socket = "sluice.sock"; state = "state.db"; };\n'
                                'vnet_resolver = { listen = [ "127.0.0.1" ]; };\n'
                                'virtual_networks = ( { name = "home"; client_prefixes = [ "127.0.0.0/8" ]; } );\n'
                                'default_resolver = { targets = ( { address = "127.0.0.3"; } ); };\n')
        path = self.world.write("Corefile", "a.example {\nforward . 192.0.2.1\n}\n. {\nacl {\nblock\n}\nforward . 192.0.2.2\n}\n")
        sluice.wait_managed()
        before = sluice.status()["generation"]
        status, told = harness.command("import", "coredns", path, "--apply", "--vnet", "home", "-c", sluice.config)
        self.assertEqual(1, status)
        self.assertIn("nothing is applied", told)
        self.assertEqual(before, sluice.status()["generation"])


class Bounds(harness.FreshCase):
    """Files that would take the machine, or the reader of the result, with them."""

    def build(self, world):
        pass

    def told(self, dialect, text, status=1, **files):
        for name, content in files.items():
            self.world.write(name.replace("_", "."), content)
        path = self.world.write("original", text)
        output = os.path.join(self.world.dir, "out.conf")
        forget(output)
        got, told = harness.command("import", dialect, path, "--output", output, cwd=self.world.dir)
        self.assertEqual(status, got, told[-2000:])
        return told

    def test_depth(self):
        self.assertIn("more than 100 others", self.told("bind", "a " + "{ b " * 100000))
        self.assertIn("more than 100 others", self.told("coredns", "a " + "{\n b " * 100000))
        self.assertIn("maximum parsing depth", self.told("arm", "[" * 100000))

    def test_who_includes_itself_is_a_fault(self):
        for dialect, text in (("bind", 'include "original";\n' * 3), ("unbound", 'include: "original"\n' * 3),
                              ("coredns", "import original\n" * 3), ("dnsmasq", "conf-file=original\n" * 3)):
            self.assertIn("it is included by what it includes", self.told(dialect, text), dialect)
        self.assertIn("it is included by what it includes",
                      self.told("bind", 'include "x.one";', x_one='include "x.two";\n' * 3, x_two='include "x.one";\n' * 3))
        self.assertIn("it is included by what it includes",
                      self.told("bind", 'zone "a.example" { type master; file "z.zone"; };', z_zone="$INCLUDE z.zone\n" * 3))

    def test_lists_that_name_lists(self):
        text = "".join("acl l%d { l%d; l%d; l%d; };\n" % (i, i + 1, i + 1, i + 1) for i in range(30))
        self.assertIn('"l30" is no address', self.told("bind", text + "options { allow-query { l0; }; };\n", 0))
        self.assertIn("the list is in a list that it names",
                      self.told("bind", "acl a { b; };\nacl b { a; };\noptions { allow-query { a; }; };\n"))

    def test_many_zones_of_one_list(self):
        self.world.write("a.zone", "@ 60 IN A 192.0.2.5\n")
        self.told("bind", "acl inside { 10.0.0.0/8; };\noptions { allow-query { inside; }; };\n" + "".join(
            'zone "z%d.example" { type primary; file "a.zone"; allow-query { inside; }; };\n' % i for i in range(6000)), 0)

    def test_a_folder_of_too_many_files(self):
        folder = os.path.join(self.world.dir, "folder")
        os.mkdir(folder)
        for i in range(1025):
            with open(os.path.join(folder, "f%d" % i), "w"):
                pass
        self.assertIn("has more than 1024 files", self.told("dnsmasq", "conf-dir=%s\n" % folder))

    def timed(self, seconds, *told):
        """Seconds of its own, however many others there are."""
        begun = resource.getrusage(resource.RUSAGE_CHILDREN)
        text = self.told(*told)
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.assertLess(ended.ru_utime + ended.ru_stime - begun.ru_utime - begun.ru_stime, seconds)
        return text

    def test_many_clients_take_their_time_once(self):
        self.timed(60, "bind", "options { listen-on { 127.0.0.1; }; allow-recursion {\n%s}; };\n" % "".join(
            "10.%d.%d.%d;\n" % (i >> 14, i >> 6 & 255, i << 2 & 255) for i in range(19000)), 0)
        self.timed(60, "unbound", "server:\n interface: 127.0.0.1\n access-control: 10.0.0.0/8 allow\n%sview:\n name: v0\nview:\n name: v1\n" %
                   "".join(" access-control-view: 10.%d.%d.%d/32 v%d\n" % (i >> 14, i >> 6 & 255, i << 2 & 255, i % 2) for i in range(3000)), 0)
        self.timed(60, "coredns", ". {\nbind 127.0.0.1\nacl {\n%sallow\n}\nforward . 192.0.2.1\n}\n" % "".join(
            " block net 10.%d.%d.7\n" % (i >> 8, i & 255) for i in range(1500)), 0)

    def test_too_many_clients_are_a_fault_at_their_line(self):
        told = self.told("bind", "options { listen-on { 127.0.0.1; };\nallow-recursion {\n%s}; };\n" % "".join(
            "10.%d.%d.%d;\n" % (i >> 14, i >> 6 & 255, i << 2 & 255) for i in range(20001)))
        self.assertRegex(told, r"original:3: .*comes to more than 20000 prefixes")

    def test_a_long_text_takes_its_time_once(self):
        self.timed(30, "dnsmasq", "no-hosts\nno-resolv\nlisten-address=127.0.0.1\nlocal=/x/\ntxt-record=a.x,%s\n" % ("x" * 1000000), 0)

    def test_many_aliases_take_their_time_once(self):
        self.timed(60, "dnsmasq", "no-hosts\nno-resolv\nlisten-address=127.0.0.1\n" + "".join(
            "cname=c%d.x,h%d.x\nhost-record=h%d.x,10.1.0.1\n" % (i, i, i) for i in range(5000)), 0)

    def test_servers_of_servers_grow_to_an_end(self):
        told = self.told("dnsmasq", "no-hosts\nno-resolv\nlisten-address=127.0.0.1\n" + "".join(
            "server=10.0.%d.%d\n" % (i >> 8, i & 255) for i in range(3000)) + "".join("server=/d%d.x/#\n" % i for i in range(3000)))
        self.assertIn("it grows to more than 256 MiB", told)

    def test_many_quoted_names_take_their_time_once(self):
        count = 40000
        self.told("bind", "options { listen-on { 127.0.0.1; }; };\n" + "".join(
            'zone "z%d.example" { type forward; forwarders { 192.0.2.1; }; };\n' % i for i in range(count)), 0)
        with open(os.path.join(self.world.dir, "out.conf")) as file:
            self.assertEqual(count, file.read().count("domain ="))

    def test_a_file_s_name_says_nothing_to_who_reads_the_result(self):
        path = os.path.join(self.world.dir, 'evil\nevents = { webhook = "evil.example"; };\n#')
        with open(path, "w") as file:
            file.write("# a comment\nserver:\n interface: 127.0.0.1\n do-daemonize: no\n# the end\n")
        status, text = harness.command("import", "unbound", path)
        self.assertEqual(0, status, text)
        self.assertNotRegex(text, "(?m)^ *events")
        self.assertIn("evil.example", text)  # within a comment

    def test_who_may_read_the_result(self):
        output = os.path.join(self.world.dir, "out.conf")
        keyed = """key k { algorithm hmac-sha256; secret "c2VjcmV0"; };
            zone "keyed.test" { type master; file "%s"; allow-transfer { key k; }; };""" % self.world.write(
                "keyed.zone", "$TTL 60\n@ SOA ns root 1 2 3 4 5\n@ NS ns\nns A 127.0.0.1\n")
        for mode, secret, wanted in ((0o644, "", 0o644), (0o640, "", 0o640), (0o600, "", 0o600), (0o644, keyed, 0o600)):
            path = self.world.write("named.conf", "options { listen-on { 127.0.0.1; }; };\n" + secret)
            os.chmod(path, mode)
            status, told = harness.command("import", "bind", path, "--output", output)
            self.assertEqual((0, wanted), (status, os.stat(output).st_mode & 0o777), told)
            os.remove(output)


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
    naptr-record=naptr.lan,1,2,S,SIP+D2U,!^.*$!sip:a@b!,files.lan
    server=/pub.contoso.corp/#
    server=/*.star.example/192.0.2.54
    server=/*tail.example/192.0.2.54
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
                  ("naptr.lan", 35), "www.pub.contoso.corp", "www.star.example",
                  ("1.0.9.10.in-addr.arpa", "A"), ("7.7.168.192.in-addr.arpa", "PTR"))

    def test_a_cname_has_the_addresses_of_its_target(self):
        self.assert_answer(self.new.ask(HERE, "alias.example"), "10.1.0.5")
        self.told_of(self.told, r"more\.conf:11: cname: different: alias\.example has the addresses of nas")

    def test_comments_and_what_is_lost(self):
        self.assertRegex(self.config, r"# of the branch\n +\{\s+name = \"lower-contoso-corp\"")
        self.assertRegex(self.config, r"# the big one\n +\{ name = \"tv:A\"")
        self.told_of(self.told, r"more\.conf:16: dhcp-range: not carried over: sluice has no DHCP",
                     r"more\.conf:17: stop-dns-rebind: not carried over",
                     r"more\.conf:20: server: different: it is for star\.example itself, too",
                     r'more\.conf:21: server: not carried over: a rule is for a domain, not for all names that end in "tail', r"dnsmasq\.conf:5: user: not carried over")


DNSDIST = """
    -- Who may ask.
    setACL({"127.0.0.0/8", "10.0.0.0/8", "!10.64.0.0/10"})
    setLocal("127.0.0.1:53")
    setVerboseHealthChecks(true)
    newServer{address="192.0.2.99", healthCheckMode="up"}
    newServer{address="192.0.2.53", pool="office"}
    newServer{address="192.0.2.54", pool={"branch", "spare"}}
    smn = newSuffixMatchNode()
    smn:add({"lower.contoso.corp", "2.0.192.in-addr.arpa"})
    addAction(QNameRule("nas.lab.example"), SpoofAction({"10.1.0.9", "2001:db8::9"}))
    addAction(SuffixMatchNodeRule(smn), PoolAction("branch"))  -- of the branch
    -- The domain controllers.
    addAction({"contoso.corp", "fabrikam.corp."}, PoolAction("office"))
    addAction("pub.contoso.corp", PoolAction("office"))
    """


@unittest.skipUnless(shutil.which("dnsdist"), "dnsdist is not installed")
class Dnsdist(Import):
    @classmethod
    def build(cls, world):
        super().build(world)
        path = cls.path("dnsdist.conf", DNSDIST)
        # dnsdist sends nothing to a server whose health check is late, so there are no checks here.
        patient = cls.path("dnsdist.run", DNSDIST + "for _, server in ipairs(getServers()) do server:setUp() end setUDPTimeout(60)\n")
        harness.Process(cls.old, "dnsdist", [world.program(shutil.which("dnsdist")), "--supervised", "--disable-syslog", "-C", patient]
                        ).wait_ready(HERE, "nas.lab.example")
        cls.config, cls.told = cls.imported("dnsdist", path)
        cls.sluice = cls.serve(cls.config)

    def test_both_answer_alike(self):
        self.same("nas.lab.example", ("nas.lab.example", "AAAA"), "www.contoso.corp", "contoso.corp", "WWW.Fabrikam.Corp",
                  "www.lower.contoso.corp", "www.pub.contoso.corp", "xcontoso.corp", "www.example.org", "www.lab.example",
                  "nx.contoso.corp", ("7.2.0.192.in-addr.arpa", "PTR"))

    def test_who_may_ask_comments_and_what_is_lost(self):
        self.assertIn('client_prefixes = [ "10.0.0.0/10", "10.128.0.0/9", "127.0.0.0/8" ]', self.config)
        self.assertRegex(self.config, r"# The domain controllers\.\n +\{\s+name = \"contoso-corp\"")
        self.told_of(self.told, r"dnsdist\.conf:5: setVerboseHealthChecks: not carried over",
                     r'dnsdist\.conf:8: newServer: not carried over: no rule leads to its pool "spare"')


class Azure(Import):
    """Machine "azure" has the addresses of the resolver's endpoints, Azure's own, and a client's in each network."""
    INBOUND, OWN = ("10.1.0.4", 53), ("168.63.129.16", 53)
    FILES = os.path.join(harness.TOP, "tests/e2e/import/")

    @classmethod
    def build(cls, world):
        super().build(world)
        cls.azure = world.host("azure", "10.1.0.4", "10.1.0.20", "10.1.9.20", "10.2.0.20", "168.63.129.16")

    @classmethod
    def serve_azure(cls, dialect, *files):
        cls.config, cls.told = cls.imported(dialect, *(cls.FILES + file for file in files))
        cls.sluice = harness.Sluice(cls.azure, 'default_resolver = { targets = ( { address = "192.0.2.99"; } ); };\n'
                                    + cls.config, cls.INBOUND)

    def ask(self, name, rtype="A", server=INBOUND, **how):
        return self.azure.ask(server, name, rtype, **how)


class ArmPlaces(Azure):
    """Lists as az prints them, the parts ahead of the whole."""

    @classmethod
    def build(cls, world):
        super().build(world)
        cls.serve_azure("arm", "az-dns.json", "az-network.json")

    def test_each_network_has_its_own(self):
        hub, spoke = {"server": self.OWN, "source": "10.1.9.20"}, {"server": self.OWN, "source": "10.2.0.20"}
        for how in ({}, hub, spoke):
            self.assert_answer(self.ask("www.corp.internal", **how), "10.1.9.1", "10.1.9.2")
            self.assert_answer(self.ask("none.corp.internal", **how), rcode="NXDOMAIN")
        self.assert_answer(self.ask("a.wild.corp.internal"), "10.1.9.9")
        self.assert_answer(self.ask("txt.corp.internal", "TXT"), "a; b")
        self.assert_answer(self.ask("www.contoso.corp", **hub), "198.51.100.53")
        self.assert_answer(self.ask("www.contoso.corp", **spoke), "198.51.100.99")  # no link
        self.assert_answer(self.ask("www.lower.contoso.corp"), "198.51.100.53")  # a disabled rule
        self.assert_answer(self.ask("10.113.0.203.in-addr.arpa", "PTR"), "www.acme.example.")

    def test_what_is_lost_or_different_is_told(self):
        self.told_of(self.told, r"az-dns\.json:\d+: different: Azure registered it",
                     r"az-network\.json:\d+: not carried over: nothing uses it, and so it has no address; import it again",
                     r"az-network\.json:\d+: Microsoft\.Network/dnsResolverPolicies: not carried over")

    def test_two_of_one_name_are_told_apart_by_their_groups(self):
        for pattern in (r'tags = \[ "app=web", "of\\\\=a=b=c" \]', r'name = "hub";\s+resource_group = "net"', r'name = "hub";\s+resource_group = "apps"',
                        r'name = "hub"; virtual_network = "hub"', r'name = "apps"; virtual_network = "apps/hub"'):
            self.assertRegex(self.config, pattern)

    def test_a_label_keeps_its_full_name(self):
        self.assertRegex(self.config, r'reverse = \{\s*suffix = "cloudapp\.azure\.com"')
        self.assertRegex(self.config, 'domain_name_label = "acmeweb"')
        self.assert_answer(self.ask("acmeweb.westeurope.cloudapp.azure.com"), "203.0.113.10")

        def address(name, fqdn, host):
            return {"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/publicIPAddresses/" + name, "name": name,
                    "type": "Microsoft.Network/publicIPAddresses", "location": "USGov Virginia", "ipAddress": "203.0.113.%d" % host,
                    "publicIPAllocationMethod": "Static", "dnsSettings": {"domainNameLabel": name, "fqdn": fqdn}}
        config, told = self.imported("arm", self.path("government.json", json.dumps([
            address("one", "one.usgovvirginia.cloudapp.usgovcloudapi.net", 1),
            address("two", "two.a1b2c3.usgovvirginia.cloudapp.usgovcloudapi.net", 2),
            address("three", "three.usgovvirginia.cloudapp.azure.com", 3)])))
        self.assertRegex(config, r'reverse = \{\s*suffix = "cloudapp\.usgovcloudapi\.net"')
        self.assertEqual(["one"], re.findall('domain_name_label = "(.*?)"', config))
        self.told_of(told, r"not carried over: its name two\.a1b2c3\.usgovvirginia\.cloudapp\.usgovcloudapi\.net: names of labels are",
                     r"not carried over: its name three\.usgovvirginia\.cloudapp\.azure\.com: names .* the suffix is "
                     r"cloudapp\.usgovcloudapi\.net already")

    def test_what_is_missing_is_told(self):
        config, told = self.imported("arm", self.FILES + "az-dns.json")
        self.told_of(told, "different: the network hub is in none of the files and has no address_space",
                     "not carried over: the outbound endpoint out is in none of the files; give `az dns-resolver outbound-endpoint list")
        self.assertIn('name = "contoso"', config)

    def test_what_is_no_json_or_has_nothing_is_refused(self):
        for text, told in (("{", r"bad\.json:1: it is no JSON: "), ('{"a": tru', r"bad\.json:1: it is no JSON: "),
                           ("[]", "there is nothing in it that answers DNS"),
                           ('[{"name": "x"}]', r'bad\.json:1: not carried over: it has no "id" and "type"')):
            path = self.path("bad.json", text)
            self.assertRegex(self.imported("arm", path, fine=False)[1], told)

    def listed(self, *resources):
        """(configuration, what was told) of a list; a resource is its path behind the provider and its members."""
        above = "/subscriptions/s/resourceGroups/net/providers/Microsoft.Network/"
        rows = [{"id": above + path, "type": "Microsoft.Network/" + "/".join(path.split("/")[::2]), **members}
                for path, members in resources]
        return self.imported("arm", self.path("list.json", json.dumps(rows, indent=1).replace("ABOVE/", above)))

    def test_az_s_form_and_that_of_the_interface_are_read_alike(self):
        def with_properties(resource):
            around = {key: resource.pop(key) for key in ("id", "name", "type", "location", "tags") if key in resource}
            for delegation in resource.get("delegations", ()):
                delegation["properties"] = {"serviceName": delegation.pop("serviceName")}
            resource["subnets"] = [with_properties(subnet) for subnet in resource.get("subnets", ())]
            return {**around, "properties": resource}

        files = []
        for name in ("az-dns.json", "az-network.json"):
            with open(self.FILES + name) as file:
                files.append(self.path(name, json.dumps([with_properties(resource) for resource in json.load(file)])))
        configs = [config.split("\n", 1)[1].split("# What was")[0] for config in (self.config, self.imported("arm", *files)[0])]
        self.assertIn("delegation = ", configs[0])
        self.assertEqual(*configs)

    def test_what_does_not_fit_is_told_at_its_line_and_the_rest_is_carried_over(self):
        config, told = self.listed(
            ("virtualNetworks/n", {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}, "frob": 1, "location": 5, "tags": {"t": 5, "u": "v"}}),
            ("dnsForwardingRulesets/rs", {"location": "West Europe"}),
            ("dnsForwardingRulesets/rs/forwardingRules/a", {
                "domainName": "a.example.", "forwardingRuleState": "Off", "tags": {"a": "b"}, "metadata": {"k": "v", "x=": "y"},
                "targetDnsServers": [{"ipAddress": "192.0.2.1"}, {"port": 53}]}),
            ("dnsForwardingRulesets/rs/forwardingRules/b", {
                "domainName": "b.example.", "targetDnsServers": [{"ipAddress": "192.0.2.1", "port": "many"}, {"ipAddress": "192.0.2.2"}]}),
            ("privateDnsZones/x.internal/A/www", {"ttl": 60, "aRecords": [{"ipv4Address": "10.1.0.5"}, {"ipv4Address": 5}]}),
            ("privateDnsZones/x.internal/MX/@", {"mxRecords": [{"preference": "ten", "exchange": "m.x.internal"}]}))
        for word in (r"frob: not carried over: sluice has nothing that corresponds to it", r"location: not carried over: must be the name of a region",
                     r'forwardingRuleState: not carried over: must be "Enabled" or "Disabled"', r"tags: not carried over: resources of this type have no tags",
                     r"metadata: not carried over: must be an object of strings", r"targetDnsServers\[1\]\.ipAddress: not carried over: is missing",
                     r"aRecords\[1\]\.ipv4Address: not carried over: must be an address", r"tags: not carried over: the value of t must be a string",
                     r"targetDnsServers\[0\]: not carried over: is a string; give an integer",
                     r"mxRecords\[0\]\.preference: not carried over: must be a whole number"):
            self.assertRegex(told, r"(?m)list\.json:\d+: %s" % word)
        with open(os.path.join(self.world.dir, "list.json")) as file:
            lines = file.read().splitlines()
        for line, word in (("frob", "frob"), ("location", "location"), ("forwardingRuleState", "forwardingRuleState"),
                           ("tags", "tags"), ("preference", r"mxRecords\[0\]\.preference")):
            number = int(re.search(r"list\.json:(\d+): %s: not carried" % word, told).group(1))
            self.assertIn('"%s"' % line, lines[number - 1])
        self.assertEqual(1, told.count("targetDnsServers[1]"), told)
        self.assertNotIn("targets[1]", told)
        self.assertRegex(config, r'name = "a";\s+domain = "a\.example\.";\s+targets = \( \{ address = "192\.0\.2\.1"; \} \);\s+metadata = \[ "k=v" \]')
        self.assertRegex(config, r'name = "b";\s+domain = "b\.example\.";\s+targets = \( \{ address = "192\.0\.2\.2"; \} \);')
        self.assertIn('tags = [ "u=v" ]', config)
        self.assertRegex(config, r'name = "www:A"; ttl = 60; records = \[ "10\.1\.0\.5" \]')
        self.assertRegex(config, r'name = "rs";\s+resource_group = "net";\s+region = "westeurope"')
        self.assertNotIn('"@:MX"', config)

    def test_a_whole_number_may_be_a_text(self):
        config, told = self.listed(
            ("dnsForwardingRulesets/rs", {"location": "West Europe"}),
            ("dnsForwardingRulesets/rs/forwardingRules/a", {
                "domainName": "a.example.", "targetDnsServers": [{"ipAddress": "192.0.2.1", "port": "5353"}]}),
            ("privateDnsZones/x.internal/MX/@", {"ttl": "60", "mxRecords": [{"preference": "10", "exchange": "m.x.internal"}]}))
        self.assertRegex(config, r'targets = \( \{ address = "192\.0\.2\.1"; port = 5353; \} \);')
        self.assertRegex(config, r'name = "@:MX"; ttl = 60; records = \[ "10 m\.x\.internal\." \]')
        self.assertNotRegex(told, "port: not carried|preference: not carried|ttl: not carried")

    def test_endpoints_that_are_no_array_are_told_without_a_limit(self):
        _, told = self.listed(("dnsForwardingRulesets/rs", {"location": "West Europe", "dnsResolverOutboundEndpoints": "x"}),
                              ("privateDnsZones/x.internal/A/www", {"ttl": 60, "aRecords": [{"ipv4Address": "10.1.0.5"}]}))
        self.told_of(told, r"dnsResolverOutboundEndpoints: not carried over: must be an array of objects with an id: ")

    def test_of_what_is_single_here_the_first_is_taken(self):
        config, told = self.listed(
            ("virtualNetworks/n", {"addressSpace": {"addressPrefixes": ["10.1.0.0/16", "fd00::/48"]}, "subnets": [
                {"name": "in", "addressPrefixes": ["10.1.0.0/28", "fd00::/64"], "delegations": [{"serviceName": "Microsoft.Network/dnsResolvers"}]}]}),
            ("dnsResolvers/r", {"virtualNetwork": {"id": "ABOVE/virtualNetworks/n"}}),
            ("dnsResolvers/r/inboundEndpoints/in", {"ipConfigurations": [
                {"subnet": {"id": "ABOVE/virtualNetworks/n/subnets/in"}, "privateIpAddress": address} for address in ("10.1.0.4", "10.1.0.5")]}))
        self.told_of(told, r"subnets\[0\]\.addressPrefixes\[1\]: not carried over: fd00::/64: there is one here",
                     r"ipConfigurations\[1\]: not carried over: there is one here, which is the first")
        self.assertRegex(config, r'name = "in"; prefix = "10\.1\.0\.0/28"; delegation')
        self.assertRegex(config, r'name = "in"; subnet = "in"; address = "10\.1\.0\.4"')

    def test_a_subnet_s_own_list_counts(self):
        config, _ = self.listed(
            ("virtualNetworks/n", {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]},
                                   "subnets": [{"name": "in", "addressPrefix": "10.1.0.0/28"}, {"name": "vms", "addressPrefix": "10.1.9.0/24"}]}),
            ("virtualNetworks/n/subnets/in", {"addressPrefix": "10.1.0.0/28", "delegations": [{"serviceName": "Microsoft.Network/dnsResolvers"}]}))
        self.assertEqual(1, config.count('name = "in"'))
        self.assertRegex(config, r'name = "in"; prefix = "10\.1\.0\.0/28"; delegation')
        self.assertIn('name = "vms"', config)

    def test_what_is_in_something_that_is_lost_is_told(self):
        _, told = self.listed(
            ("virtualNetworks/n", {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}}),
            ("dnsResolvers/r", {"virtualNetwork": {"id": "ABOVE/dnsResolvers/n"}}),
            ("dnsResolvers/r/outboundEndpoints/out", {"subnet": {"id": "ABOVE/virtualNetworks/n/subnets/out"}}),
            ("dnsResolvers/none/outboundEndpoints/out", {}))
        self.told_of(told, r'list\.json:\d+: virtualNetwork\.id: not carried over: ".*/dnsResolvers/n" is not the id of one; give .*/virtualNetworks/NAME',
                     r"the DNS resolver r is not carried over, either", r"the DNS resolver none is in none of the files; give `az dns-resolver list -o json`, too")
        self.assertNotIn("virtualNetwork: ", told)

    def test_a_template_is_told_what_deploys_it(self):
        deploys = "`sluice deploy FILE --group GROUP` deploys it, and with --what-if shows what it would do\n"
        with open(self.FILES + "main.json") as file:
            inner = self.path("inner.json", '{"template": %s}' % file.read())
        for path, told in (
                (self.FILES + "main.json", "main.json: it is a template; " + deploys),
                (self.FILES + "symbolic.json", "symbolic.json: it is a template; " + deploys),
                (self.path("small.json", '{"contentVersion": "1.0.0.0", "resources": []}'), "it is a template; " + deploys),
                (inner, 'inner.json: its member "template" is a template; save that in a file of its own: ' + deploys),
                (self.FILES + "main.parameters.json", "main.parameters.json: it has the parameters of a template; "
                 "`sluice deploy TEMPLATE --group GROUP -p FILE` deploys the template with them")):
            for files in ((path,), (self.FILES + "az-network.json", path)):
                _, refused = self.imported("arm", *files, fine=False)
                self.assertIn(told, refused)
                self.assertIn("nothing is written", refused)
                self.assertNotIn("nothing in it", refused)



class Terraform(Azure):
    """A plan, whose ids are not known yet."""

    @classmethod
    def build(cls, world):
        super().build(world)
        cls.serve_azure("terraform", "plan.json")

    def test_it_answers_as_azure_would(self):
        for name, rtype, *texts in (
                ("www.corp.internal", "A", "10.1.9.1", "10.1.9.2"), ("www.corp.internal", "AAAA", "2001:db8::1"),
                ("alias.corp.internal", "CNAME", "www.corp.internal."), ("corp.internal", "MX", "10 www.corp.internal."),
                ("_sip._tcp.corp.internal", "SRV", "0001000213c40377777704636f727008696e7465726e616c00"),
                ("www.contoso.corp", "A", "198.51.100.53"), ("www.lower.contoso.corp", "A", "198.51.100.54"),
                ("www.off.contoso.corp", "A", "198.51.100.53"), ("www.example.org", "A", "198.51.100.99")):
            self.assert_answer(self.ask(name, rtype), *texts)
        self.assert_answer(self.ask("none.corp.internal"), rcode="NXDOMAIN")

    def test_references_lead_to_their_resources(self):
        self.assertRegex(self.config, r'name = "in"; subnet = "dns-in"; allocation = "static"; address = "10\.1\.0\.4"')
        self.assertRegex(self.config, r'name = "spoke"; virtual_network = "spoke"')
        self.assertRegex(self.config, r'tags = \[ "team=net" \]')
        self.assertRegex(self.config, r'outbound_endpoints = \[ "hub-resolver/out" \]')

    def test_what_is_known_when_it_is_applied_is_told(self):
        self.told_of(self.told, r'link\.corp\["each"\]\.virtual_network_id: not carried over: it is known when it is applied',
                     r"azurerm_private_dns_a_record\.endpoint\.records: not carried over",
                     r"azurerm_storage_account\.acme: not carried over")

    def test_why_an_address_is_not_known_is_told(self):
        resources = [{"address": "azurerm_public_ip." + method, "mode": "managed", "type": "azurerm_public_ip", "name": method,
                      "values": {"name": method, "resource_group_name": "net", "allocation_method": method}}
                     for method in ("Dynamic", "Static")]
        resources += [{"address": "azurerm_virtual_network.n", "mode": "managed", "type": "azurerm_virtual_network", "name": "n",
                       "values": {"name": "n", "resource_group_name": "net", "address_space": ["10.1.0.0/16"]}}]
        path = self.path("ips.json", json.dumps({"planned_values": {"root_module": {"resources": resources}}}, indent=1))
        self.told_of(self.imported("terraform", path)[1],
                     "it has no address until something uses it; give `az network public-ip list -o json` of then",
                     "it has no address until it is deployed; give `az network public-ip list -o json` of then")

    def test_a_state_is_taken_too(self):
        with open(self.FILES + "plan.json") as file:
            plan = json.load(file)
        zone, record = ({"module": "module.a", "mode": "managed", "type": kind, "name": "x", "instances": [{"attributes": values}]}
                        for kind, values in (("azurerm_private_dns_zone", {
                            "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/privateDnsZones/x.internal", "name": "x.internal"}),
                            ("azurerm_private_dns_a_record", {"name": "www", "zone_name": "x.internal", "resource_group_name": "g",
                                                              "ttl": 5, "records": ["10.9.9.9"]})))
        for name, value in (("show.json", {"format_version": "1.0", "values": plan["planned_values"]}),
                            ("terraform.tfstate", {"version": 4, "resources": [zone, record]})):
            config, _ = self.imported("terraform", self.path(name, json.dumps(value)))
            self.assertRegex(config, 'name = "www:A"; ttl = (5|300); records')
        self.assertIn("give what `terraform show -json` prints",
                      self.imported("terraform", self.path("other.json", "{}"), fine=False)[1])


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

    def test_standard_input_is_taken(self):
        status, text = harness.command("import", "hosts", "-", input="10.0.0.1 a.example\n")
        self.assertEqual((0, True), (status, 'name = "a.example"' in text), text)

    def test_limits_are_raised_to_what_is_there(self):
        hosts = self.path("many", "".join("10.7.%d.%d h%d x%d.lan\n" % (n // 200, n % 200 + 1, n, n) for n in range(400)))
        config, _ = self.imported("hosts", hosts)
        self.assertIn("limits = {\n  queries_per_second_per_endpoint = 0;\n  private_zones_per_subscription = 1200;\n"
                      "  zones_per_virtual_network = 1200;\n  zone_labels_min = 1;\n};", config)
        config, _ = self.imported("unbound", self.path("out.conf", "server:\n" + "".join(
            "  outgoing-interface: 10.1.0.%d\n" % n for n in range(1, 8)) + 'forward-zone:\n  name: "x.corp"\n  forward-addr: 192.0.2.53\n'))
        self.assertIn("outbound_endpoints_per_resolver = 7;", config)
        self.assertEqual(7, config.count('source = "10.1.0.'))


APPLIED = """
    server:
        local-zone: "lab.example." static
        local-data: "nas.lab.example. 300 IN A 10.0.5.5"
    forward-zone:
        name: "contoso.corp"
        forward-addr: %s
"""


class Apply(Import):
    """Into a server that runs, and has a network."""

    @classmethod
    def build(cls, world):
        super().build(world)
        cls.sluice = harness.Sluice(cls.new, """
            management = { socket = "control.sock"; state = "state.db"; };
            limits = { rulesets_per_virtual_network = 2; queries_per_second_per_endpoint = 0; };
            vnet_resolver = { listen = [ "127.0.0.1:53" ]; };
            default_resolver = { targets = ( { address = "192.0.2.99"; } ); };
            virtual_networks = ( { name = "own"; client_prefixes = [ "10.99.0.0/16" ]; } );
            """, HERE)

    def apply(self, target, *options, fine=True):
        path = self.path("unbound.conf", APPLIED % target)
        status, told = harness.command("import", "unbound", path, "--apply", *options, "-c", self.sluice.config)
        self.assertEqual(fine, status == 0, told)
        return told

    def test_it_is_planned_made_and_changed(self):
        self.assertIn("contoso-corp", self.apply("192.0.2.53", "--dry-run"))
        self.assert_answer(self.new.ask(HERE, "nas.lab.example"), rcode="REFUSED")
        self.apply("192.0.2.53")
        self.assert_answer(self.new.ask(HERE, "nas.lab.example"), "10.0.5.5")
        self.assert_answer(self.new.ask(HERE, "www.contoso.corp"), "198.51.100.53")
        self.apply("192.0.2.54", "--confirm", "10m")
        self.assert_answer(self.new.ask(HERE, "www.contoso.corp"), "198.51.100.54")
        status, told = self.sluice.command("confirm", "--back")
        self.assertEqual(0, status, told)
        self.assert_answer(self.new.ask(HERE, "www.contoso.corp"), "198.51.100.53")

    def test_azure_s_resources_are_applied_with_their_groups(self):
        files = [os.path.join(harness.TOP, "tests/e2e/import", name) for name in ("az-dns.json", "az-network.json")]
        status, told = harness.command("import", "arm", *files, "--apply", "-c", self.sluice.config)
        self.assertEqual(0, status, told)
        status, told = self.sluice.command("rule", "list", "onprem")
        self.assertIn("contoso", told)
        status, told = self.sluice.command("list", "group")
        self.assertRegex(told, "(?m)^  net ")
        again, told = harness.command("import", "arm", *files, "--apply", "--dry-run", "-c", self.sluice.config)
        self.assertEqual((0, True), (again, "nothing to change" in told), told)

    def test_a_file_that_is_there_is_left_alone(self):
        path, there = self.path("other.conf", APPLIED % "192.0.2.53"), self.path("there.conf", "mine\n")
        status, told = harness.command("import", "unbound", path, "--output", there)
        self.assertEqual((1, True), (status, "there.conf is there already" in told), told)
        with open(there) as file:
            self.assertEqual("mine\n", file.read())

    def test_options_that_do_not_go_together_are_refused(self):
        path = self.path("other.conf", APPLIED % "192.0.2.53")
        for options, why in ((("--dry-run",), "go with --apply"), (("--apply", "--output", "x"), "do not go together")):
            status, told = harness.command("import", "unbound", path, *options)
            self.assertEqual((2, True), (status, why in told), told)
        status, told = harness.command("import", "lotus", path)
        self.assertEqual((2, True), (status, '"lotus" cannot be imported; give arm, terraform, unbound' in told), told)


class ApplyPackaged(Import):
    """Into a server with the package's own configuration: its file declares the network home and a ruleset."""

    AZURE = tuple(os.path.join(harness.TOP, "tests/e2e/import", name) for name in ("az-dns.json", "az-network.json"))
    PLAN = os.path.join(harness.TOP, "tests/e2e/import/plan.json")

    @classmethod
    def build(cls, world):
        super().build(world)
        with open(os.path.join(harness.TOP, "etc/debian/sluice.conf")) as file:
            cls.packaged = file.read().replace('state = "/var/lib/sluice/', 'socket = "control.sock"; state = "')
        cls.path("inside.zone", BIND_ZONE)
        cls.path("more.inc", "extra IN A 10.1.0.82\n")
        cls.path("more-zones.conf", UNBOUND_MORE)
        cls.path("intranet.zone", "@ 60 IN SOA ns1 h 1 60 60 60 60\n@ 60 IN NS ns1\nns1 60 IN A 10.1.0.2\nwww 60 IN A 10.1.0.80\n")
        cls.path("lab.zone", "@ 60 IN SOA ns1 h 1 60 60 60 60\n@ 60 IN NS ns1\nns1 60 IN A 10.1.0.2\n")
        cls.path("names.hosts", "10.1.0.8 scanner.example\n")
        conf = os.path.dirname(cls.path("conf/more.conf", DNSMASQ_MORE))
        cls.dialects = (
            ("hosts", cls.path("hosts", HOSTS)), ("unbound", cls.path("unbound.conf", UNBOUND), "--vnet", "home"),
            ("bind", cls.path("named.conf", '''
                key "rndc-key" { algorithm hmac-sha256; secret "c2x1aWNlLXRlc3Qtc2VjcmV0LTEyMzQ1Njc4OTA="; };
                options { directory "%s"; recursion yes; forwarders { 192.0.2.99; }; };
                zone "corp.internal" { type primary; file "inside.zone"; };
                zone "contoso.corp" { type forward; forward only; forwarders { 192.0.2.53; }; };''' % world.dir)),
            ("dnsmasq", cls.path("dnsmasq.conf", DNSMASQ % {"hosts": cls.path("h", "10.1.0.9 printer\n"), "folder": conf}),
             "--vnet", "home"),
            ("coredns", cls.path("Corefile", COREDNS), "--vnet", "home"),
            ("windows", cls.path("zones.csv", "ZoneName,MasterServers\ncontoso.corp,192.0.2.53;192.0.2.54\n"),
             cls.path("lab.example.dns", "@ 60 IN SOA dc h 1 60 60 60 60\n@ 60 NS dc\ndc 60 A 10.1.0.4\n")),
            ("adguard", cls.path("upstreams", "[/contoso.corp/]192.0.2.53\n192.0.2.99\n")),
            ("dnsdist", cls.path("dnsdist.conf", DNSDIST), "--vnet", "home"),
            ("arm", *cls.AZURE), ("terraform", cls.PLAN))
        cls.sluice = harness.Sluice(cls.new, cls.packaged, HERE)

    def setUp(self):
        super().setUp()
        status, told = self.sluice.command("apply", self.path("empty.conf", 'region = "x";'), "--prune")
        self.assertEqual(0, status, told)
        self.serve_with(self.packaged)

    def serve_with(self, config):
        self.sluice.reconfigure(config)
        status, told = self.sluice.command("reload")
        self.assertEqual(0, status, told)

    def apply(self, dialect, *words, fine=True):
        status, told = harness.command("import", dialect, *words, "--apply", "-c", self.sluice.config, cwd=self.world.dir)
        self.assertEqual(0 if fine else 1, status, told)
        return told

    def revision(self):
        status, told = self.sluice.command("export", "--as", "json")
        self.assertEqual(0, status, told)
        return json.loads(told)["revision"]

    def test_each_dialect_is_applied_and_again_has_nothing_to_change(self):
        for dialect, *words in self.dialects:
            self.setUp()
            self.assertRegex(self.apply(dialect, *words), r"(?m)^\d+ to create, 0 to change, 0 to delete: done$", dialect)
            revision = self.revision()
            self.assertRegex(self.apply(dialect, *words), "(?m)^nothing to change$", dialect)
            output = os.path.join(self.world.dir, "again.conf")
            forget(output)
            status, told = harness.command("import", dialect, *words, "--output", output, cwd=self.world.dir)
            self.assertEqual(0, status, told)
            for command in (("apply", output), ("diff", output, "--prune")):
                status, told = self.sluice.command(*command)
                self.assertEqual((0, True), (status, "nothing to change\n" in told), told)
                self.assertNotIn("kept without --prune", told)
            self.assertEqual(revision, self.revision(), dialect)

    def test_a_hosts_file_is_served_in_one_step(self):
        told = self.apply("hosts", self.path("h", "10.1.0.7 printer.lan printer\n"))
        self.assert_answer(self.new.ask(HERE, "printer"), "10.1.0.7")
        self.assert_answer(self.new.ask(HERE, "printer.lan"), "10.1.0.7")
        self.assertNotIn("vnet_resolver", told)  # is the same there

    def test_a_domain_that_a_hosts_file_has_whole_is_one_zone_that_commands_edit(self):
        words = ("hosts", self.path("h", "10.1.0.7 printer.lan\n10.1.0.8 tv.lan\n198.51.100.7 mail.example.com\n10.9.0.1 db.example.com\n"),
                 "--zone", "lan", "--zone", "10.1.0.0/24", "--zone", "198.51.100.0/24")
        told = self.apply(*words)
        for what in ("private_zones/-/lan", "private_zones/-/db.example.com", "private_zones/-/0.1.10.in-addr.arpa",
                     "address_pools/-/pool-198-51-100-0-24", "addresses/-/mail-example-com"):
            self.assertRegex(told, "(?m)^create %s$" % what)
        self.assertNotRegex(told, "private_zones/-/(tv|printer).lan|7.0.1.10")
        for name, rtype, text in (("printer.lan", "A", "10.1.0.7"), ("8.0.1.10.in-addr.arpa", "PTR", "tv.lan."),
                                  ("7.100.51.198.in-addr.arpa", "PTR", "mail.example.com."), ("db.example.com", "A", "10.9.0.1")):
            self.assert_answer(self.new.ask(HERE, name, rtype), text)
        self.assertRegex(self.apply(*words), "(?m)^nothing to change$")
        status, told = self.sluice.command("record", "set", "lan", "scanner", "A", "10.1.0.9")
        self.assertEqual(0, status, told)
        self.assert_answer(self.new.ask(HERE, "scanner.lan"), "10.1.0.9")

    def test_only_what_has_changed_is_changed_and_what_is_gone_is_told(self):
        hosts = self.path("h", "10.1.0.7 printer.lan\n10.1.0.8 tv.lan\n")
        self.apply("hosts", hosts)
        self.path("h", "10.1.0.7 printer.lan\n10.1.0.8 tv.lan\n10.1.0.8 tv2.lan\n")
        told = self.apply("hosts", hosts)
        self.assertIn("3 to create, 0 to change, 0 to delete: done", told)
        self.path("h", "10.1.0.9 printer.lan\n")
        told = self.apply("hosts", hosts)
        self.assertIn('change private_zones/-/printer.lan/record_sets/@:A\n    records: ["10.1.0.7"] -> ["10.1.0.9"]\n', told)
        self.assertIn("not in the file, and kept without --prune: private_zones/-/7.0.1.10.in-addr.arpa, "
                      "private_zones/-/8.0.1.10.in-addr.arpa, private_zones/-/tv.lan and 1 more; --prune --dry-run lists all", told)
        self.assert_answer(self.new.ask(HERE, "tv.lan"), "10.1.0.8")
        told = self.apply("hosts", hosts, "--prune")
        self.assertIn("delete private_zones/-/tv.lan\n", told)
        self.assertNotIn("kept without", told)
        self.assertIn("nothing to change", self.apply("hosts", hosts, "--prune"))

    def test_a_key_that_is_used_takes_a_file(self):
        path = self.path("keyed.conf", """
            key "second" { algorithm hmac-sha256; secret "c2x1aWNlLXRlc3Qtc2VjcmV0LTEyMzQ1Njc4OTA="; };
            options { directory "%s"; allow-transfer { key second; }; forwarders { 192.0.2.99; }; };
            zone "corp.internal" { type primary; file "inside.zone"; };""" % self.world.dir)
        told = self.apply("bind", path, fine=False)
        self.assertRegex(told, r"keyed\.conf:2: key: different: --apply cannot take it: import with --output, put its secret into a file")
        output = os.path.join(self.world.dir, "keyed.out")
        forget(output)
        status, told = harness.command("import", "bind", path, "--output", output)
        self.assertEqual((0, False), (status, "--apply cannot take it" in told), told)

    def test_a_hosts_file_says_nothing_of_settings(self):
        self.serve_with(self.packaged.replace('listen = [ "127.0.0.1" ]', 'listen = [ "127.0.0.1:5300" ]'))
        told = self.apply("hosts", self.path("h", "10.1.0.7 printer.lan\n"))
        self.assertRegex(told, r"0 to delete: done\n\Z")
        self.assertNotIn("settings", told)

    def test_a_rule_that_is_gone_is_told_first(self):
        rule = 'forward-zone:\n  name: "%s"\n  forward-addr: 192.0.2.53\n'
        path = self.path("u.conf", rule % "contoso.corp" + rule % "other.corp")
        self.apply("unbound", path, "--vnet", "home")
        self.apply("hosts", self.path("h", "10.1.0.7 a.lan\n"))
        self.path("u.conf", rule % "contoso.corp")
        self.assertIn("kept without --prune: rulesets/-/home/rules/other-corp, private_zones/-/7",
                      self.apply("unbound", path, "--vnet", "home"))

    def test_a_network_of_a_group_is_told_by_it(self):
        for group in ("dev", "prod"):
            self.assertEqual(0, self.sluice.command("create", "network", group + "/shared")[0])
        path = self.path("u.conf", 'forward-zone:\n  name: "contoso.corp"\n  forward-addr: 192.0.2.53\n')
        self.assertIn("give --vnet as GROUP/NAME", self.apply("unbound", path, "--vnet", "shared", fine=False))
        self.apply("unbound", path, "--vnet", "prod/shared")
        self.assertIn("forwarded by default resolver", self.sluice.command("explain", "--vnet", "dev/shared", "a.contoso.corp")[1])
        self.assertIn("192.0.2.53", self.sluice.command("explain", "--vnet", "prod/shared", "a.contoso.corp")[1])
        self.assertIn("goes with --apply", harness.command("import", "unbound", path, "--vnet", "prod/shared")[1])

    def test_a_limit_that_is_needed_is_told_as_the_file_has_to_say_it(self):
        bare = re.sub("limits = .*", "", self.packaged)
        for config in (bare, bare + "limits = { rules_per_ruleset = 50; };"):
            self.serve_with(config)
            revision = self.revision()
            told = self.apply("hosts", self.path("h", "10.1.0.7 printer.lan printer\n"), fine=False)
            found = re.search(r"nothing is changed\. (\S+) has to say this first, and be reloaded:\n    "
                              r"(limits = \{ zone_labels_min = 1; \};)(.*)\n\Z", told)
            self.assertTrue(found, told)
            self.assertEqual(self.sluice.config, found.group(1))
            self.assertEqual(revision, self.revision())
        self.assertEqual("  # add it to the group that is there", found.group(3))
        self.serve_with(bare + found.group(2))
        self.apply("hosts", self.path("h", "10.1.0.7 printer.lan printer\n"))
        self.assert_answer(self.new.ask(HERE, "printer"), "10.1.0.7")

    def test_limits_count_what_is_there_already(self):
        self.serve_with(re.sub("limits = .*", "limits = { private_zones_per_subscription = 2; zone_labels_min = 1; };", self.packaged))
        self.apply("hosts", self.path("h", "10.1.0.7 one\n"))
        told = self.apply("unbound", self.path("u.conf", 'server:\n  local-data: "two.lan. A 10.0.0.1"\n'
                                               'forward-zone:\n  name: "x.corp"\n  forward-addr: 192.0.2.53\n'), "--vnet", "home", fine=False)
        self.assertRegex(told, r"and be reloaded:\n    limits = \{ private_zones_per_subscription = 3; "
                               r"rulesets_per_virtual_network = 2; \};  # add it to the group")

    def test_settings_that_are_otherwise_are_told_as_they_would_be_written(self):
        told = self.apply("unbound", self.dialects[1][1], "--vnet", "home")
        lines = re.search(r"settings belong to \S+, and stay as they are there\..*:\n((?:    .*\n)+)\Z", told).group(1)
        self.assertEqual(["cache = { ttl_max = 7200; };",
                          'default_resolver = { targets = ( { address = "192.0.2.99"; port = 53; protocol = "udp"; } ); };',
                          "limits = { queries_per_second_per_endpoint = 0; };  # add it to the group that is there"],
                         sorted(line.strip() for line in lines.splitlines()))
        free = "".join(line for line in lines.splitlines(True) if "to the group" not in line)
        self.serve_with(self.packaged.replace("limits = {", "limits = { queries_per_second_per_endpoint = 0;") + free)
        self.assertRegex(self.apply("unbound", self.dialects[1][1], "--vnet", "home"), r"nothing to change\n\Z")

    def test_a_large_number_is_told_as_the_file_takes_it(self):
        told = self.apply("unbound", self.path("u.conf", "server:\n  rrset-cache-size: 4g\n"), "--vnet", "home")
        line = re.search(r"(?m)^    (cache = \{ size_bytes = \d+L; \};)$", told)
        self.assertTrue(line, told)
        self.serve_with(self.packaged + line.group(1) + "\n")

    def test_a_network_of_nothing_but_its_name_is_the_one_that_is_there(self):
        hosts = self.path("h", "10.1.0.7 printer.lan\n")
        home = 'name = "home"; address_space = [ "10.77.0.0/16" ]; client_prefixes = [ "127.0.0.0/8" ];'
        self.serve_with(self.packaged.replace('name = "home"; }', home + " }", 1))
        self.assertRegex(self.apply("hosts", hosts), r"(?m)^keep virtual_networks/-/home as it is at \S+:\d+$")
        self.assert_answer(self.new.ask(HERE, "printer.lan"), "10.1.0.7")
        self.setUp()
        self.serve_with(self.packaged.replace('name = "home"', 'name = "other"').replace(
            'virtual_network = "home"', 'virtual_network = "other"'))
        self.sluice.command("create", "network", "home", "client_prefixes=10.99.0.0/16")
        self.assertRegex(self.apply("hosts", hosts), "(?m)^keep virtual_networks/-/home as it is$")
        status, told = self.sluice.command("show", "network", "home", "--json")
        self.assertEqual(["10.99.0.0/16"], json.loads(told)["client_prefixes"])
        self.assertIn('client_prefixes: ["10.99.0.0/16"] -> []', self.apply("hosts", hosts, "--prune", "--dry-run"))

    def test_who_may_ask_is_not_lost_unseen(self):
        path = self.dialects[1][1]
        revision = self.revision()
        told = self.apply("unbound", path, fine=False)
        found = re.search(r"virtual_networks/-/home is declared at \S+:\d+; change it there, and reload: "
                          r"(client_prefixes = \[ .* \];) or give --vnet with its name", told)
        self.assertTrue(found, told)
        self.assertEqual(revision, self.revision())
        config = self.packaged.replace('name = "home"; }', 'name = "home"; %s }' % found.group(1), 1)
        self.serve_with(config)
        self.apply("unbound", path)
        self.assert_answer(self.new.ask(HERE, "nas.lab.example"), "10.0.5.5")
        # In another order they are the same; and those that nobody gave are, too.
        prefixes = re.findall('"[^"]*"', found.group(1))
        self.serve_with(self.packaged.replace('name = "home"; }', 'name = "home"; client_prefixes = [ %s ]; }' %
                                              ", ".join(reversed(prefixes)), 1))
        self.assertRegex(self.apply("unbound", path), "(?m)^keep virtual_networks/-/home as it is at .*\nnothing to change$")
        self.serve_with(self.packaged)
        usual = "".join("  access-control: %s allow\n" % prefix for prefix in (
            "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "127.0.0.0/8", "::1/128"))
        self.apply("unbound", self.path("usual.conf", "server:\n" + usual + '  local-data: "a.example. A 10.0.0.1"\n'))
        self.assert_answer(self.new.ask(HERE, "a.example"), "10.0.0.1")

    def test_what_goes_into_a_network_leaves_its_clients_alone(self):
        told = self.apply("unbound", self.dialects[1][1], "--vnet", "home")
        self.told_of(told, r"unbound\.conf:\d+: access-control: different: the network home says who may ask")
        status, told = harness.command("import", "arm", *self.AZURE, "--vnet", "hub")
        self.assertEqual((2, True), (status, "--vnet is for a forwarder's configuration" in told), told)
        views = self.path("views.conf", 'view "a" { match-clients { any; }; };\nview "b" { match-clients { any; }; };\n')
        status, told = harness.command("import", "bind", views, "--vnet", "home")
        self.assertEqual((1, True), (status, "views.conf:2: view: b is a second view, and --vnet is for one" in told), told)

    def test_a_network_that_things_go_into_has_to_be_there(self):
        hosts = self.path("h", "10.1.0.7 printer.lan\n")
        self.assertIn('there is no virtual network "nowhere"; give one', self.apply("hosts", hosts, "--vnet", "nowhere", fine=False))
        status, told = harness.command("import", "hosts", hosts, "--vnet", "a b")
        self.assertEqual((2, True), (status, '--vnet "a b"' in told), told)
        status, told = self.sluice.command("create", "network", "net/other", "client_prefixes=10.99.0.0/16")
        self.assertEqual(0, status, told)
        self.assertIn("6 to create, 0 to change, 0 to delete: done", self.apply("hosts", hosts, "--vnet", "OTHER"))
        self.assertRegex(self.apply("hosts", hosts, "--vnet", "OTHER"), "(?m)^nothing to change$")

    def test_parts_of_azure_leave_the_networks_alone_that_they_name(self):
        self.apply("arm", *self.AZURE)
        with open(self.AZURE[0]) as file:
            parts = [part for part in json.load(file) if "privateDnsZones" in part["type"] or part["type"] == "Microsoft.Network/dnsResolvers"]
        told = self.apply("arm", self.path("zones.json", json.dumps(parts)))
        self.assertRegex(told, r"(?m)^keep virtual_networks/net/hub as it is$")
        self.assertRegex(told, "(?m)^nothing to change$")

    def test_zones_of_one_name_are_in_the_group_of_their_view(self):
        zone = 'zone "corp.internal" { type primary; file "inside.zone"; };'
        views = self.path("views.conf", 'options { directory "%s"; };\n' % self.world.dir + "".join(
            'view "%s" { match-clients { %s; }; %s };\n' % (name, prefix, zone)
            for name, prefix in (("a", "127.0.0.2"), ("b", "127.0.0.3"))))
        told = self.apply("bind", views)
        self.assertIn("create private_zones/-/corp.internal/links/a\n", told)
        self.assertIn("create private_zones/b/corp.internal/links/b\n", told)
        self.assertRegex(self.apply("bind", views), "(?m)^nothing to change$")

    def test_a_server_that_exports_nonsense_does_no_harm(self):
        edits = [None, {}, {"path": None}, {"path": 5}, {"path": "private_zones/-/\x1b[2J", "values": {}},
                 {"path": "private_zones/-/other.lan", "values": None}]
        socket = os.path.join(self.world.dir, "fake.sock")
        conf = self.path("one.conf", 'private_zones = ( { name = "one.lan"; } );')
        with harness.FakeServer(socket, lambda name, query: {"edits": edits, "made": [{}], "settings": 5}):
            for options in ((), ("--prune",)):
                status, told = harness.command("apply", conf, *options, "--socket", socket)
                self.assertEqual(1, status, told)
                self.assertIn("create private_zones/-/one.lan\n", told)
                self.assertIn("private_zones/-/other.lan", told)
                self.assertNotIn("\x1b", told)

    def test_a_change_that_is_too_large_is_refused_with_its_size(self):
        names = self.path("h", "".join("0.0.0.0 h%d.ads.example\n" % n for n in range(17000)))
        told = self.apply("hosts", names, fine=False)
        self.assertIn("edits: are 51000, and a change has at most 50000; ", told)


if __name__ == "__main__":
    harness.main()
