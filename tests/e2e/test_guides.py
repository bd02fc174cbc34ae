"""Every command of every guide in etc/guide is typed, in its order, in a world made for that guide, and prints
what the guide shows; guide.py says how a guide is read."""

import os
import re
import shutil
import textwrap

import guide
import harness
import test_packages
import test_privileges

GUIDES = os.path.join(harness.TOP, "etc", "guide")
# One is of the sources, and its blocks are drawings; the other has no commands.
NO_GUIDES = {"code.md", "dashboard.md"}


class Guided(harness.FreshCase):
    """name: the guide's; not_run: how many of its commands cannot be typed here, with the reasons there; needs:
    programs that it types or starts."""

    name, not_run, needs = None, 0, ()

    def build(self, world):
        if not test_privileges.can_become_others():
            self.skipTest("systemd needs root")
        test_packages.need_plain()
        test_packages.need("apt", *self.needs)
        self.machines = {}

    def plain(self, name, *addresses):
        self.machines[name] = guide.Plain(self.world.host(name, *addresses))

    def managed(self, name, *addresses, files=None, cwd="/root"):
        """With the internet's resolver in its resolv.conf; files: {path: text}."""
        at = os.path.join(self.world.dir, "files-" + name)
        for path, text in dict({"/etc/resolv.conf": "nameserver 192.0.2.53\n"}, **(files or {})).items():
            self.world.write(at + path, text)
        os.makedirs(at + cwd, exist_ok=True)
        machine = guide.Managed(self.world.host(name, *addresses), at, cwd)
        machine.machine.run("rm", "-f", "/usr/sbin/policy-rc.d")
        harness.sh("cp", "-a", "/var/lib/dpkg", machine.machine.path("/var/lib/"))
        machine.machine.run("mkdir", "-p", "/var/lib/apt/lists/partial", "/var/cache/apt/archives/partial", "/var/log/apt")
        self.machines[name] = machine
        return machine

    @staticmethod
    def checkout(machine):
        """Of the sources, in root's folder, with what is built, so that make(1) finds nothing to do there."""
        names = [name for name in sorted(os.listdir(harness.TOP)) if name != "build" and not name.startswith(".")]
        harness.sh("cp", "-a", "--parents", *names, "build/sluice", "build/sluice-import", "build/obj", "build/dashboard",
                   machine.machine.path("/root/sluice"), cwd=harness.TOP)

    def internet(self, address="203.0.113.1"):
        """Every name has this address."""
        harness.Upstream(self.world.host("internet", "192.0.2.53"), "192.0.2.53", address)

    def office(self):
        """Its server, and what is at the two addresses of its domain controllers."""
        self.managed("dc", "192.168.0.53", "192.168.0.54", files={"/etc/unbound/unbound.conf": textwrap.dedent("""\
            server:
              interface: 192.168.0.53
              interface: 192.168.0.54
              interface: 127.0.0.1
              access-control: 0.0.0.0/0 allow
              module-config: "iterator"
              username: ""
              chroot: ""
              local-zone: "contoso.corp." static
              local-data: "files.contoso.corp. A 192.168.10.20"
              local-data: "erp.contoso.corp. A 192.168.10.21"
            include: "/etc/unbound/unbound.conf.d/*.conf"
            remote-control:
              control-enable: no
            """)})
        self.machines["dc"].machine.run("sh", "-c", "rm -f /etc/unbound/unbound.conf.d/*; systemctl start unbound")

    def package(self, *names, install=False):
        """The package, in root's folder."""
        file = test_packages.package(self.world)
        for name in names:
            machine = self.machines[name].machine
            shutil.copy(file, machine.path("/root/"))
            if install:
                machine.run("dpkg", "-i", "/root/" + os.path.basename(file))

    def does_it(self):
        read = guide.Guide(os.path.join(GUIDES, self.name))
        run = guide.Run(read, self.machines)
        run.all()
        self.assertEqual(self.not_run, len(run.not_run),
                         ["%s: %s" % (one.command.place, one.reason) for one in run.not_run])
        print("# %s: %d commands, %d files, %d commands not run" % (self.name, run.done, run.files, len(run.not_run)))


class FirstDay(Guided):
    name, not_run, needs = "first-day.md", 3, ("unbound", "dig", "curl")

    def test_every_command_does_what_it_shows(self):
        self.internet()
        for name, address in (("dns", "10.1.0.53"), ("vm", "10.1.0.54")):
            self.checkout(self.managed(name, address, cwd="/root/sluice"))
        self.plain("laptop", "10.1.9.20")
        self.plain("stranger", "172.16.0.9")
        self.office()
        self.does_it()


class Operate(Guided):
    """On the machines as the first day leaves them."""

    name, needs = "operate.md", ("unbound", "prometheus", "promtool")
    def test_every_command_does_what_it_shows(self):
        self.internet()
        self.managed("dns", "10.1.0.53")
        self.plain("laptop", "10.1.9.20")
        self.office()
        self.package("dns", install=True)
        machine = self.machines["dns"].machine
        first_day = guide.Guide(os.path.join(GUIDES, FirstDay.name)).steps
        machine.write("/etc/sluice/sluice.conf", next(
            step.text for step in first_day if isinstance(step, guide.File) and step.path == "/etc/sluice/sluice.conf"))
        machine.run("systemctl", "restart", "sluice")
        for step in first_day:
            if isinstance(step, guide.Command) and re.match(r"sluice (rule|zone|zone-link|record|address|ptr) (create|set|add) ", step.text):
                machine.run(*step.text.split())
        # A newer one, of the same program.
        newer = harness.sh(os.path.join(harness.TOP, "etc/debian/build"), "0.2.0", os.path.join(self.world.dir, "packages")).strip()
        shutil.copy(newer, machine.path("/root/"))
        machine.run("install", "-d", "-o", "prometheus", "/var/lib/prometheus")
        self.does_it()


class Reverse(Guided):
    name, needs = "reverse.md", ("nsd",)

    def test_every_command_does_what_it_shows(self):
        self.internet("198.51.100.25")
        self.managed("dns", "10.1.0.53", "198.51.100.53")
        self.managed("ns1", "192.0.2.10", files={"/etc/nsd/nsd.conf": textwrap.dedent("""\
            server:
              ip-address: 192.0.2.10
            remote-control:
              control-enable: no
            include: "/etc/nsd/nsd.conf.d/*.conf"
            """)})
        self.machines["ns1"].machine.run("install", "-d", "-o", "nsd", "/var/lib/nsd")
        self.package("dns", install=True)
        self.does_it()


class Registration(Guided):
    name = "registration.md"
    needs = ("nsupdate", "dig", "kea-dhcp4", "kea-dhcp-ddns", "dhcpd", "dhclient")
    # What systemd makes of a script in /etc/init.d, which it does not do in a Booted.
    UNIT = textwrap.dedent("""\
        [Service]
        Type=forking
        ExecStart=/etc/init.d/isc-dhcp-server start
        ExecStop=/etc/init.d/isc-dhcp-server stop
        """)

    def test_every_command_does_what_it_shows(self):
        self.managed("dns", "10.1.0.53")
        self.managed("dhcp", "10.1.0.2")
        self.managed("pc", files={"/etc/hostname": "pc\n"})
        self.managed("vm", "10.1.0.54")
        for name in ("dhcp", "pc"):
            self.machines[name].machine.run("sh", "-c", "mkdir /var/lib/dhcp; ln -s /run /var/run")
        machine = self.machines["dhcp"].machine
        machine.write("/etc/systemd/system/isc-dhcp-server.service", self.UNIT)
        machine.run("systemctl", "daemon-reload")
        self.package("dns", install=True)
        self.does_it()


class Azure(Guided):
    name, not_run, needs = "azure.md", 6, ("az", "openssl", "unbound")

    def test_every_command_does_what_it_shows(self):
        self.internet()
        self.managed("dns", "10.10.0.53")
        self.plain("vm", "10.20.1.4")
        self.office()
        self.package("dns", install=True)
        self.does_it()


class HighAvailability(Guided):
    name, needs = "high-availability.md", ("keepalived", "sshd", "ssh-keygen")
    NAMES = "127.0.0.1 localhost\n10.1.0.51 dns1\n10.1.0.52 dns2\n"

    def test_every_command_does_what_it_shows(self):
        self.internet()
        key = os.path.join(self.world.dir, "key")
        harness.sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
        for name, address in (("dns1", "10.1.0.51"), ("dns2", "10.1.0.52")):
            machine = self.managed(name, address, files={"/etc/hosts": self.NAMES}).machine
            machine.run("install", "-d", "-m", "700", "/root/.ssh")
            for file, at in ((key, "id_ed25519"), (key + ".pub", "authorized_keys")):
                shutil.copy(file, machine.path("/root/.ssh/" + at))
            machine.write("/root/.ssh/config", "Host *\n  StrictHostKeyChecking accept-new\n  LogLevel ERROR\n")
            machine.run("ssh-keygen", "-A")
            machine.run("systemctl", "start", "ssh")
        self.plain("laptop", "10.1.9.20")
        self.package("dns1", "dns2", install=True)
        self.does_it()


class Migrate(Guided):
    name, not_run, needs = "migrate.md", 6, ("unbound", "named-checkconf", "dnsmasq")
    FILES = {"/etc/bind/named.conf": """\
        acl office { 192.168.0.0/16; };
        options {
          directory "/etc/bind";
          recursion yes;
          allow-query { any; };
          forwarders { 192.0.2.53; };
          forward only;
        };
        view "home" {
          match-clients { 10.1.0.0/16; 127.0.0.0/8; };
          zone "corp.internal" { type primary; file "/etc/bind/corp.internal.zone"; allow-update { none; }; };
        };
        view "office" {
          match-clients { office; };
          zone "contoso.corp" { type forward; forward only; forwarders { 192.168.0.53; }; };
        };
        """, "/etc/bind/corp.internal.zone": """\
        $TTL 300
        @ IN SOA ns1 hostmaster 1 3600 600 86400 300
        @ IN NS ns1
        ns1 IN A 10.1.0.53
        web IN A 10.1.0.80
        """, "/etc/dnsmasq.conf": """\
        no-resolv
        no-hosts
        server=/contoso.corp/192.168.0.53
        server=192.0.2.53
        address=/ads.example/0.0.0.0
        host-record=nas.lan,10.1.0.5
        dhcp-range=10.1.0.50,10.1.0.99,12h
        """, "/etc/coredns/Corefile": """\
        . {
          forward . 192.0.2.53
          cache 600
          prometheus :9153
        }
        contoso.corp {
          forward . 192.168.0.53 192.168.0.54
        }
        """, "/root/zones.csv": """\
        "ZoneName","ZoneType","IsPaused","UseRecursion","MasterServers"
        "contoso.corp","Forwarder","False","True","192.168.0.53;192.168.0.54"
        """, "/root/forwarders.csv": """\
        "UseRootHint","IPAddress"
        "False","192.0.2.53"
        """, "/root/upstreams.txt": """\
        # The domain controllers.
        [/contoso.corp/]192.168.0.53 192.168.0.54
        192.0.2.53
        """, "/root/dnsdist.conf": """\
        setACL({"10.1.0.0/16", "127.0.0.0/8"})
        newServer("192.0.2.53")
        newServer{address="192.168.0.53", pool="office"}
        newServer{address="192.168.0.54", pool="office"}
        addAction(QNameSuffixRule({"contoso.corp"}), PoolAction("office"))
        """, "/root/lab.example.dns": """\
        ;  Database file lab.example.dns for Default zone scope in zone lab.example.
        @ IN SOA dc.lab.example. hostmaster.lab.example. 1 900 600 86400 3600
        @ NS dc.lab.example.
        dc A 10.1.0.4
        www A 10.1.0.5
        """}

    def test_every_command_does_what_it_shows(self):
        self.internet()
        office = self.world.host("office", "192.168.0.53", "192.168.0.54")
        for address in ("192.168.0.53", "192.168.0.54"):
            harness.Upstream(office, address, "192.168.10.20")
        self.managed("dns", "10.1.0.53", files={path: textwrap.dedent(text) for path, text in self.FILES.items()})
        self.plain("laptop", "10.1.9.20")
        self.managed("vm", "10.1.0.54", files={"/etc/hosts": "127.0.0.1 localhost\n10.1.0.7 printer.lan printer\n",
                                               "/etc/dnsmasq.conf": textwrap.dedent(self.FILES["/etc/dnsmasq.conf"])})
        machine = self.machines["dns"].machine
        inputs = os.path.join(harness.TOP, "tests", "e2e", "import")
        shutil.copy(os.path.join(inputs, "plan.json"), machine.path("/root/"))
        for name in ("main.json", "main.parameters.json"):
            shutil.copy(os.path.join(inputs, name), self.machines["vm"].machine.path("/root/"))
        for name in ("az", "az-dns.json", "az-network.json"):
            shutil.copy(os.path.join(inputs, name), machine.path("/usr/local/bin/"))
        machine.run("sh", "-c", "rm -f /etc/unbound/unbound.conf.d/*")
        self.package("dns")
        self.package("vm", install=True)
        self.does_it()


class Reader(harness.FreshCase):
    """What is wrong with a guide is found: with these, nothing above could fail."""

    def build(self, world):
        self.box = world.host("box", "10.9.9.9")

    def wrong(self, text):
        """Why it is wrong; None: it is fine."""
        text = textwrap.dedent(text)
        try:
            run = guide.Run(guide.Guide(self.world.write("test.md", text)), {"box": guide.Plain(self.box)})
            run.all()
        except guide.Wrong as error:
            return str(error)
        finally:
            shutil.rmtree(os.path.join(self.world.dir, "at-box"), ignore_errors=True)
        return None

    def session(self, *lines, ahead=()):
        return self.wrong("\n".join(["# Title", "", "Text.", "", *ahead, "```console", *lines, "```", ""]))

    def test_what_is_shown_must_be_what_is_printed(self):
        for lines in (["box$ echo a   b", "a b"], ["box$ echo a b c", "a ... c"], ["box$ echo a b", "a... b"],
                      ["box$ seq 5", "1", "...", "5"], ["box$ seq 2", "1", "...", "2"],
                      ["box$ X=7", "box$ cd /", "box$ echo $X $PWD", "7 /"], ["box$ echo a \\", "  b", "a b"],
                      ["box$ cat <<END; echo c", "a", "$", "END", "a", "$", "c"],
                      ["box$ echo a; sleep 60", "a", "^C"], ["box$ echo a # says a", "a"]):
            self.assertIsNone(self.session(*lines), lines)
        for lines in (["box$ echo a", "b"], ["box$ echo a; echo b", "a"], ["box$ echo a", "a", "b"], ["box$ echo b", "a..."],
                      ["box$ echo a.c", "a...d"], ["box$ seq 5", "1", "...", "4"], ["box$ false"], ["box$ (exit 3)"],
                      ["box$ echo a; false"], ["box$ echo a; false", "a"], ["box$ echo a; false", "..."], ["box$ no-such-command-here"], ["box$ true", "a"]):
            self.assertIn("test.md:6: ", self.session(*lines) or "", lines)

    def test_nothing_is_passed_over(self):
        for text, why in (("    box$ true\n", "an indented block is not run"), ("```\nbox$ true\n```\n", "`/its/path`:"),
                          ("```sh\ntrue\n```\n", "`/its/path`:"), ("```console\ntrue\n```\n", "begins with HOST#"),
                          ("```console\n```\n", "nothing is typed"), ("```console\nbox$ true\n", "ends with ```"),
                          ("```console\nnobody$ true\n```\n", "no machine nobody"),
                          ("<!-- not run -->\n```console\nbox$ true\n```\n", "a mark is"),
                          ("<!-- not run: why -->\ntext\n", "ahead of nothing"),
                          ("```console\nbox$ cat <<END\na\n```\n", "there is no END"),
                          ("text `/a/b`:\n\n<!-- not run: why -->\n```conf\na\n```\n", "only a console block")):
            self.assertIn(why, self.wrong("# Title\n\n" + text) or "", text)

    def test_what_is_not_run_is_counted_and_not_run(self):
        read = guide.Guide(self.world.write("test.md", "# T\n\n<!-- not run: it fails -->\n```console\nbox$ false\nbox$ false\n```\n"))
        run = guide.Run(read, {"box": guide.Plain(self.box)})
        run.all()
        self.assertEqual((0, ["it fails"] * 2), (run.done, [one.reason for one in run.not_run]))

    def test_files_are_named_by_the_text_ahead_of_them(self):
        read = guide.Guide(self.world.write("test.md", "Text. Add to\n`dc:/etc/x`:\n\n```conf\na\n```\n\nAll of `/etc/y`:\n\n```conf\nb\n```\n"))
        self.assertEqual([("dc", "/etc/x", "a\n", True), (None, "/etc/y", "b\n", False)],
                         [(step.host, step.path, step.text, step.added) for step in read.steps])


class Guides(harness.FreshCase):
    def test_every_guide_with_something_to_type_has_a_test(self):
        found = {name for name in os.listdir(GUIDES) if name.endswith(".md") and name not in NO_GUIDES}
        self.assertEqual({name for name in found if guide.Guide(os.path.join(GUIDES, name)).steps},
                         {one.name for one in Guided.__subclasses__()})

    def test_commands_in_their_sentences_exist_with_their_options(self):
        """`sluice COMMAND ... --option`, in the guides and README."""
        helps, seen = {}, 0
        for path in [os.path.join(GUIDES, name) for name in os.listdir(GUIDES) if name.endswith(".md")] + [
                os.path.join(harness.TOP, "README.md")]:
            with open(path) as file:
                spans = re.findall(r"`sluice ([a-z][^`]*)`", file.read())
            for span in spans:
                words = span.split()[:1]
                if words[0] not in helps:
                    helps[words[0]] = harness.command("help", *words)
                status, told = helps[words[0]]
                if "sluice %s COMMAND" % words[0] in told and len(span.split()) > 1:  # of a family, one of its commands
                    status, told = harness.command("help", *span.split()[:2])
                self.assertEqual(0, status, "%s: sluice %s: %s" % (path, span, told))
                for option in re.findall(r"(?<!\S)--[a-z-]+", span):
                    self.assertIn(option, told, "%s: sluice %s" % (path, span))
                seen += 1
        self.assertGreater(seen, 30)

    def test_their_links_lead_somewhere(self):
        """To files, and to headings in them; no guide is without a link from README."""
        def anchors(text):
            return {re.sub(r"[^\w -]", "", line.lstrip("# ").lower()).replace(" ", "-")
                    for line in text.splitlines() if line.startswith("#")}
        linked = set()
        for path in [os.path.join(GUIDES, name) for name in os.listdir(GUIDES) if name.endswith(".md")] + [
                os.path.join(harness.TOP, "README.md")]:
            with open(path) as file:
                links = re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", file.read())
            for target, anchor in links:
                at = os.path.normpath(os.path.join(os.path.dirname(path), target)) if target else path
                self.assertTrue(os.path.exists(at), "%s: %s" % (path, target))
                if path.endswith("README.md"):
                    linked.add(os.path.basename(at))
                if anchor:
                    with open(at) as file:
                        self.assertIn(anchor, anchors(file.read()), "%s: %s#%s" % (path, target, anchor))
        self.assertEqual(set(), {name for name in os.listdir(GUIDES) if name.endswith(".md")} - linked)


if __name__ == "__main__":
    harness.main()
