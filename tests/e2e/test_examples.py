"""Every example in etc/examples is checked without a fault or warning, started with the addresses it
names, and asked what its comments promise."""

import os
import re
import textwrap

import harness
import servers

EXAMPLES = os.path.join(harness.TOP, "etc", "examples")
VNET = "168.63.129.16"


class Example(harness.FreshCase):
    """The surroundings that the examples speak of: an office and an internet."""

    def surroundings(self, name, hub=(), **machines):
        world = self.world
        self.machines = {key: world.host(key, address) for key, address in machines.items()}
        office = world.host("office", "192.168.0.53", "192.168.0.54", "192.168.5.53")
        internet = world.host("internet", "192.0.2.53")
        self.internet = harness.Upstream(internet, "192.0.2.53", "203.0.113.1")
        self.office = servers.unbound(office, "192.168.0.53", [
            "files.contoso.corp A 192.168.10.20", "erp.contoso.corp A 192.168.10.21",
            "20.10.168.192.in-addr.arpa PTR files.contoso.corp"])
        self.lab = harness.Upstream(office, "192.168.5.53", "192.168.5.99")
        cloud = world.host("cloud", *hub)
        path = os.path.join(EXAMPLES, name, "sluice.conf")
        status, text = harness.command("check", "-c", path)
        self.assertEqual(0, status, text)
        self.assertNotIn("warning", text)
        with open(path) as file:
            text = file.read()
        for zone in os.listdir(os.path.join(EXAMPLES, name)):
            if zone.endswith(".zone"):
                with open(os.path.join(EXAMPLES, name, zone)) as file:
                    world.write(zone, file.read())
        self.sluice = harness.Sluice(cloud, text, (hub[0], 53))

    def asks(self, machine, server, name, *texts, rtype="A", rcode="NOERROR"):
        self.assert_answer(self.machines[machine].ask(server, name, rtype), *texts, rcode=rcode)

    def test_hub_and_spoke_distributed(self):
        self.surroundings("hub-and-spoke-distributed", (VNET, "10.10.0.4", "10.10.0.20"),
                          hub_vm="10.10.5.5", web="10.20.1.10", data="10.30.1.10")
        for spoke in ("web", "data"):
            self.asks(spoke, VNET, "data.corp.internal", "10.30.1.10")
            self.asks(spoke, VNET, "files.contoso.corp", "192.168.10.20")
            self.asks(spoke, VNET, "missing.corp.internal", rcode="NXDOMAIN")
            self.asks(spoke, VNET, "www.example.com", "203.0.113.1")
        self.asks("hub_vm", VNET, "web.corp.internal", "10.20.1.10")
        self.asks("hub_vm", VNET, "files.contoso.corp", "203.0.113.1")
        self.assertIn("10.10.0.20 files.contoso.corp", self.office.log().lower())

    def test_hub_and_spoke_centralized(self):
        self.surroundings("hub-and-spoke-centralized", (VNET, "10.10.0.4", "10.10.0.20"),
                          hub_vm="10.10.5.5", web="10.20.1.10", data="10.30.1.10")
        for machine in ("web", "data", "hub_vm"):
            for server in (VNET, "10.10.0.4"):
                self.asks(machine, server, "data.corp.internal", "10.30.1.10")
                self.asks(machine, server, "files.contoso.corp", "192.168.10.20")
                self.asks(machine, server, "www.example.com", "203.0.113.1")

    def test_hybrid_onpremises(self):
        self.surroundings("hybrid-onpremises", (VNET, "10.10.0.4", "10.10.0.20"), vm="10.10.5.5")
        for server in (VNET, "10.10.0.4"):
            self.asks("vm", server, "www.corp.internal", "web.corp.internal.", "10.10.1.10")
            self.asks("vm", server, "erp.corp.internal", "erp.contoso.corp.", "192.168.10.21")
            self.asks("vm", server, "files.contoso.corp", "192.168.10.20")
            self.asks("vm", server, "bench.lab.contoso.corp", "192.168.5.99")
            self.asks("vm", server, "10.1.10.10.in-addr.arpa", "web.corp.internal.", rtype="PTR")
            self.asks("vm", server, "20.10.168.192.in-addr.arpa", "files.contoso.corp.",
                      rtype="PTR")
        self.assertEqual({"tcp"},
                         {q["by"] for q in self.lab.questions("bench.lab.contoso.corp")})
        told = self.sluice.host.run("curl", "-s", "http://127.0.0.1:9153/metrics")[1]
        self.assertRegex(told, '(?m)^sluice_rule_queries_total{ruleset="office",rule="lab"} 2$')

    def test_private_link(self):
        self.surroundings("private-link", (VNET, "10.10.0.4"), vm="10.10.5.5", guest="10.90.0.5")
        public = "alias--data-privatelink-blob-core-windows-net.blob.core.windows.net"
        private = "data.privatelink.blob.core.windows.net"
        self.asks("vm", VNET, public, private + ".", "10.10.2.5")
        self.asks("vm", VNET, private, "10.10.2.5")
        self.asks("vm", VNET, "partner.privatelink.blob.core.windows.net", "203.0.113.1")
        self.asks("vm", VNET, "orders.privatelink.database.windows.net", "10.10.2.6")
        self.asks("vm", VNET, "other.privatelink.database.windows.net", rcode="NXDOMAIN")
        self.asks("guest", VNET, private, "203.0.113.1")
        self.asks("guest", "10.10.0.4", private, "10.10.2.5")

    def test_the_configuration_in_readme(self):
        """It runs as it is printed: on loopback, with the zone file that is printed with it."""
        with open(os.path.join(harness.TOP, "README.md")) as file:
            section = file.read().split("\n## A configuration\n")[1].split("\n## ")[0]
        printed = {name: textwrap.dedent(text) for name, text in re.findall(
            r"`([\w.]+)`:\n\n((?:(?:    .*)?\n)+)", section)}
        self.assertEqual({"sluice.conf", "corp.internal.zone"}, set(printed))
        self.world.write("corp.internal.zone", printed["corp.internal.zone"])
        machine = self.world.host("machine", "10.9.9.9")
        office = harness.Upstream(machine, "127.0.0.1", "192.168.10.20", 5301)
        sluice = harness.Sluice(machine, printed["sluice.conf"], ("127.0.0.1", 5300))
        status, text = sluice.command("check")
        self.assertEqual(0, status, text)
        self.assertNotIn("warning", text)
        for port in (5300, 5310):
            self.assert_answer(machine.ask(("127.0.0.1", port), "www.corp.internal"),
                               "web.corp.internal.", "10.10.1.10")
        self.assert_answer(machine.ask(("127.0.0.1", 5310), "www.contoso.corp"), "192.168.10.20")
        self.assertTrue(office.questions("www.contoso.corp"))
        status, text = machine.run("dig", "@127.0.0.1", "-p", "5310", "-b", "127.0.0.3",
                                   "www.corp.internal")
        self.assertIn("status: REFUSED", text)

    def test_the_dashboard_in_readme(self):
        """With what is printed in place of `management`, and the secret that is made."""
        with open(os.path.join(harness.TOP, "README.md")) as file:
            sections = dict(part.split("\n", 1) for part in file.read().split("\n## ")[1:])
        config, zone = [textwrap.dedent(text) for text in re.findall(
            r"`[\w.]+`:\n\n((?:(?:    .*)?\n)+)", sections["A configuration"])]
        printed = re.search(r"\n((?:    .*\n)+)", sections["In a browser"]).group(1).strip()
        self.world.write("corp.internal.zone", zone)
        machine = self.world.host("machine", "10.9.9.9")
        made = re.search(r"`(\(umask .*\))`", sections["In a browser"]).group(1)
        status, text = machine.run("sh", "-c", "cd '%s' && %s" % (self.world.dir, made))
        self.assertEqual(0, status, text)
        before = 'management = { socket = "control.sock"; };'
        self.assertIn(before, config)
        harness.Sluice(machine, config.replace(before, printed), ("127.0.0.1", 5300))
        status, text = machine.run("curl", "-sS", "--compressed", "http://127.0.0.1:8053/ui/")
        self.assertIn("<title>sluice</title>", text)
        with open(os.path.join(self.world.dir, "me.secret")) as file:
            secret = file.read().strip()
        status, text = machine.run("curl", "-sS", "-H", "Authorization: Bearer " + secret,
                                   "http://127.0.0.1:8053/v1/changes")
        self.assertIn('"changes":[]', text)

    def test_make_install_brings_them_with_guides_and_manual_pages(self):
        files = os.path.join(self.world.dir, "files")
        harness.sh("make", "-C", harness.TOP, "-o", "build/sluice", "-o", "build/sluice-import", "install", "DESTDIR=" + files,
                   "PREFIX=/usr", env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")})

        def installed(*path):
            with open(os.path.join(files, "usr", "share", *path), "rb") as file:
                return file.read()
        for page in ("sluice-import.8", "sluice.conf.5", "sluice-api.7"):
            with open(os.path.join(harness.TOP, "etc", page), "rb") as file:
                self.assertEqual(file.read().replace(b"/usr/local/share", b"/usr/share"), installed("man", "man" + page[-1], page))
        made = {name.replace(".mdoc", ".8").replace("sluice.8", "") for name in os.listdir(os.path.join(harness.TOP, "etc/manual"))
                if name.endswith(".mdoc")}
        self.assertEqual({"sluice.8"} | {"sluice-" + name for name in made if name} | {"sluice-import.8"},
                         set(os.listdir(os.path.join(files, "usr/share/man/man8"))))
        self.assertIn(b".It Xr sluice-ptr 8\n", installed("man", "man8", "sluice.8"))
        self.assertIn(b".Pa /usr/share/doc/sluice/guide ", installed("man", "man8", "sluice.8"))
        self.assertIn(b".It Cm ptr set Ar address", installed("man", "man8", "sluice-ptr.8"))
        for kind in ("examples", "guide", "prometheus", "grafana"):
            for folder, _, names in os.walk(os.path.join(harness.TOP, "etc", kind)):
                for name in names:
                    with open(os.path.join(folder, name), "rb") as file:
                        path = os.path.relpath(file.name, os.path.join(harness.TOP, "etc"))
                        self.assertEqual(file.read(), installed("doc", "sluice", path))
        with open(os.path.join(files, "usr/lib/systemd/system/sluice.service")) as file:
            self.assertIn("=/usr/sbin/sluice run", file.read())

    def test_every_example_has_a_test(self):
        methods = {name[5:].replace("_", "-") for name in dir(self) if name.startswith("test_")}
        self.assertEqual(set(), set(os.listdir(EXAMPLES)) - methods)


if __name__ == "__main__":
    harness.main()
