"""Starting, and not starting: every reason is one clear line and exit status 1, and nothing is left
half started. Also the commands that need no server."""

import contextlib
import json
import os
import re
import resource
import shutil
import socket
import subprocess
import unittest

import dns
import harness

CONFIG = """
subscription = "11111111-2222-3333-4444-555555555555";
region = "westeurope";
management = { socket = "%(name)s.sock"; };
default_resolver = { targets = ( { address = "127.0.0.3"; } ); };
virtual_networks = (
  { name = "hub"; address_space = [ "10.10.0.0/16" ];
    subnets = ( { name = "dns-in";  prefix = "10.10.0.0/28";  delegation = "Microsoft.Network/dnsResolvers"; },
                { name = "dns-in2"; prefix = "10.10.0.32/28"; delegation = "Microsoft.Network/dnsResolvers"; } ); } );
resolvers = (
  { name = "hub-resolver"; virtual_network = "hub";
    inbound_endpoints = ( { name = "inbound"; subnet = "dns-in"; allocation = "static"; address = "10.10.0.4";
                            listen = "%(listen)s"; },
                          { name = "second"; subnet = "dns-in2"; allocation = "static"; address = "10.10.0.36";
                            listen = "%(second)s"; } ); } );
private_zones = (
  { name = "corp.internal"; file = "corp.internal.zone"; links = ( { name = "hub"; virtual_network = "hub"; } ); } );
"""


DESCRIPTORS = "valgrind wants descriptors of its own"


class Starting(harness.FreshCase):
    def build(self, world):
        self.host = world.host("cloud")
        world.write("corp.internal.zone", "web 300 IN A 10.10.1.10\n")

    def config(self, listen="127.0.0.1:5301", second="127.0.0.1:5302", name="sluice"):
        return CONFIG % {"listen": listen, "second": second, "name": name}

    def refused(self, config, *argv0, word="", count=1):
        """Starts a server that must not start: one line for each reason, and gives the first."""
        path = self.world.write("refused.conf", config)
        status, text = self.host.run(*argv0, harness.SLUICE, "run", "-c", path)
        self.assertEqual(1, status, text)
        self.assertNotRegex(text, harness.SANITIZER)
        self.assertEqual(count, len(text.splitlines()), text)
        self.assertIn(word, text)
        return text.splitlines()[0]

    def held(self, kind, address):
        with self.host.inside():
            sock = socket.socket(socket.AF_INET, kind)
        sock.bind(address)
        if kind == socket.SOCK_STREAM:
            sock.listen()
        self.addCleanup(sock.close)

    def test_it_starts_answers_and_stops(self):
        sluice = harness.Sluice(self.host, self.config(), ("127.0.0.1", 5301))
        for port in (5301, 5302):
            self.assert_answer(self.host.ask(("127.0.0.1", port), "web.corp.internal"), "10.10.1.10")
        self.assertEqual(0, sluice.stop())

    def test_nobody_waits_for_a_reader_of_the_log_that_has_stopped(self):
        reader, log = os.pipe()
        self.addCleanup(os.close, reader)
        os.set_blocking(log, False)
        with contextlib.suppress(BlockingIOError):
            while os.write(log, 4096 * b"-"):
                pass
        os.set_blocking(log, True)
        sluice = harness.Sluice(self.host, self.config(), ("127.0.0.1", 5301), stderr=log)
        os.close(log)
        self.assert_answer(self.host.ask(("127.0.0.1", 5301), "web.corp.internal"), "10.10.1.10")
        sluice.wait_managed()
        status, text = sluice.command("reload")
        self.assertEqual(0, status, text)
        told = []

        def read():
            told.append(os.read(reader, 65536).decode().lstrip("-"))
            return re.search(r"serving: .*\n(.*\n)*.*reload: .*\n", "".join(told))

        harness.wait_for(read, "the lines that waited")
        self.assertEqual(0, sluice.stop())

    def test_a_udp_port_in_use_is_named(self):
        self.held(socket.SOCK_DGRAM, ("127.0.0.1", 5302))
        line = self.refused(self.config(), word="127.0.0.1:5302")
        self.assertRegex(line, "in use|holds|taken")

    def test_a_tcp_port_in_use_is_named(self):
        self.held(socket.SOCK_STREAM, ("127.0.0.1", 5302))
        self.refused(self.config(), word="127.0.0.1:5302")

    def test_a_port_that_another_sluice_holds_is_named(self):
        first = harness.Sluice(self.host, self.config(), ("127.0.0.1", 5301))
        self.refused(self.config(name="other"), word="127.0.0.1:5301", count=2)
        self.assert_answer(self.host.ask(("127.0.0.1", 5302), "web.corp.internal"), "10.10.1.10")
        self.assertEqual(0, first.stop())

    def test_nothing_is_half_started(self):
        self.held(socket.SOCK_DGRAM, ("127.0.0.1", 5302))
        self.refused(self.config())
        self.held(socket.SOCK_DGRAM, ("127.0.0.1", 5301))
        self.held(socket.SOCK_STREAM, ("127.0.0.1", 5301))
        self.assertFalse(os.path.exists(os.path.join(self.world.dir, "sluice.sock")))

    def test_an_address_that_comes_later_is_served_from_then_on(self):
        sluice = harness.Sluice(self.host, self.config(listen="172.31.7.7:53"), ("127.0.0.1", 5302))
        harness.wait_for(lambda: "no interface has the address of 172.31.7.7" in sluice.log(),
                         "the warning")      # it answers elsewhere before it says so
        present = [e["present"] for e in sluice.status()["inbound_endpoints"]]
        self.assertEqual([False, True], present)
        self.host.add_address("172.31.7.7")
        for transport in (dns.udp, dns.tcp):
            answer = self.host.ask(("172.31.7.7", 53), "web.corp.internal", transport=transport)
            self.assert_answer(answer, "10.10.1.10")
        self.assertIn(" yes", sluice.command("status")[1])

    def test_no_permission_is_named(self):
        if shutil.which("setpriv") is None:
            self.skipTest("setpriv is not installed")
        nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
        status, text = self.host.run(*nobody, harness.SLUICE, "help")
        if status != 0:
            self.skipTest("nobody cannot start the program here: " + text.strip()[:100])
        os.chmod(self.world.dir, 0o777)  # for the control socket
        line = self.refused(self.config(listen="127.0.0.1:53"), *nobody, word="127.0.0.1:53")
        self.assertRegex(line.lower(), "permission|not allowed")

    @unittest.skipIf(harness.VALGRIND, DESCRIPTORS)
    def test_too_few_descriptors_are_told(self):
        """Whatever it is that they do not suffice for, up to where they do."""
        path = self.world.write("sluice.conf", self.config())
        for count in range(4, 64):
            with self.host.inside():
                child = subprocess.Popen(["prlimit", "--nofile=%d" % count, harness.SLUICE, "run", "-c",
                                          path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                         text=True)
            lines = []
            for line in child.stdout:
                lines.append(line)
                if "serving:" in line:
                    child.terminate()
            child.stdout.close()
            status, text = child.wait(), "".join(lines)
            if "serving:" in text:
                break
            self.assertEqual(1, status, "%d: %s" % (count, text))
            self.assertIn(len(lines), (1, 2), "%d: %s" % (count, text))
        self.assertGreater(count, 8)

    def test_two_endpoints_on_one_address_are_a_fault(self):
        line = self.refused(self.config(second="127.0.0.1:5301"), word="127.0.0.1:5301")
        self.assertRegex(line, r"refused\.conf:\d+: ")

    @unittest.skipIf(harness.VALGRIND, DESCRIPTORS)
    def test_too_few_descriptors_are_named_with_what_to_do(self):
        line = self.refused('workers = 16; region = "r"; management = { socket = "x.sock"; };',
                            "prlimit", "--nofile=40", word="Too many open files")
        self.assertRegex(line, r"worker \d+ of 16")
        self.assertIn("ulimit -n", line)

    def test_a_fifo_is_refused_and_not_waited_for(self):
        fifo = os.path.join(self.world.dir, "fifo")
        os.mkfifo(fifo)
        for config in (self.config().replace('file = "corp.internal.zone"', 'file = "fifo"'),
                       '@include "fifo"\n' + self.config()):
            self.refused(config, "timeout", "60", word="it is not a regular file")
        status, text = self.host.run("timeout", "60", harness.SLUICE, "check", "-c", fifo)
        self.assertEqual(1, status, text)
        self.assertIn("it is not a regular file", text)

    def test_a_missing_file_is_named(self):
        status, text = self.host.run(harness.SLUICE, "run", "-c", "/nonexistent/sluice.conf")
        self.assertEqual((1, 1), (status, len(text.splitlines())), text)
        self.assertIn("/nonexistent/sluice.conf", text)
        self.assertIn("No such file", text)

    def test_a_syntax_error_is_reported_with_its_line(self):
        self.assertRegex(self.refused("region = \"x\";\nworkers = ;\n"), r"refused\.conf:2: ")

    def test_a_missing_zone_file_is_named(self):
        os.unlink(os.path.join(self.world.dir, "corp.internal.zone"))
        self.refused(self.config(), word="corp.internal.zone")


OUTBOUND = """
rulesets = ( { name = "many"; outbound_endpoints = [ "hub-resolver/out" ];
  links = ( { name = "h"; virtual_network = "hub"; } );
  rules = ( %s ); } );
"""
RULE = ('{ name = "r%d"; domain = "r%d.corp.test."; targets = ( { address = "127.0.0.1";'
        ' port = 5401; } ); }')


class Restarting(harness.FreshCase):
    """Killed with a thousand rules, a thousand hosts and a state: whatever it leaves behind, the
    next start serves all of it."""

    def build(self, world):
        self.host = world.host("cloud")
        harness.Upstream(self.host, "127.0.0.1", "192.0.2.1", 5401)
        world.write("corp.internal.zone", "".join(
            "h%d 300 IN A 10.10.%d.%d\n" % (i, i // 250, i % 250) for i in range(1000)))
        text = CONFIG % {"listen": "127.0.0.1:5301", "second": "127.0.0.1:5302", "name": "sluice"}
        text = text.replace('"sluice.sock";', '"sluice.sock"; state = "state.db";').replace(
            "inbound_endpoints", 'outbound_endpoints = ( { name = "out"; subnet = "dns-out"; source '
            '= "127.0.0.1"; } ); inbound_endpoints').replace(
            "subnets = (", 'subnets = ( { name = "dns-out"; prefix = "10.10.0.16/28"; delegation = '
            '"Microsoft.Network/dnsResolvers"; },')
        self.text = text + OUTBOUND % ", ".join(RULE % (i, i) for i in range(1000))

    def serves(self):
        here = ("127.0.0.1", 5301)
        for i in (0, 500, 999):
            self.assert_answer(self.host.ask(here, "h%d.corp.internal" % i),
                               "10.10.%d.%d" % (i // 250, i % 250))
            self.assert_answer(self.host.ask(here, "www.r%d.corp.test" % i), "192.0.2.1")

    def test_it_serves_again_after_a_kill(self):
        for name in ("first", "second", "third"):
            sluice = harness.Sluice(self.host, self.text, ("127.0.0.1", 5301), name=name)
            self.serves()
            self.assertEqual(0, sluice.command("status")[0])
            if name != "third":
                sluice.kill()


class Short(harness.FreshCase):
    """Of memory, from hardly enough to start to all that is wanted; a sanitizer's is without bounds."""

    def build(self, world):
        if not os.path.exists(harness.PLAIN):
            self.skipTest("%s is not built" % harness.PLAIN)

    def ends(self, megabytes, *argv):
        limit = (megabytes << 20,) * 2
        result = subprocess.run([harness.PLAIN, *argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True, timeout=2 * dns.PATIENCE,
                                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, limit))
        return result.returncode, result.stdout

    def test_a_configuration_that_there_is_no_memory_for_is_told_and_ends_nothing(self):
        domains = ",\n".join('"d%d.test"' % i for i in range(100000))
        path = self.world.write("large.conf", 'default_resolver = { targets = ( { address = "127.0.0.3"; } ); };\n'
                                "reserved_domains = [ %s ];\n" % domains)
        # With less GnuTLS does not come up, which says so as it is loaded, and nothing can be told.
        least = next(m for m in range(10, 1000, 2)
                     if self.ends(m, "--version")[0] == 0 and "GnuTLS" not in self.ends(m, "--version")[1])
        said = set()
        for megabytes in range(least, least + 60, 2):
            status, text = self.ends(megabytes, "check", "-c", path)
            self.assertIn(status, (0, 1), "%d MB: %s" % (megabytes, text))
            self.assertTrue(status == 0 or "out of memory" in text, text)
            said.add(status)
        self.assertEqual({0, 1}, said)


class Checking(harness.FreshCase):
    def build(self, world):
        world.write("corp.internal.zone", "web 300 IN A 10.10.1.10\n")

    def check(self, config):
        path = self.world.write("sluice.conf", config)
        return harness.command("check", "-c", path)

    good = CONFIG % {"listen": "127.0.0.1:5301", "second": "127.0.0.1:5302", "name": "x"}

    def test_a_good_file_is_fine(self):
        status, text = self.check(self.good)
        self.assertEqual(0, status, text)
        self.assertNotIn("warning", text)

    def test_every_fault_is_reported_at_once(self):
        bad = (self.good.replace('prefix = "10.10.0.0/28"', 'prefix = "10.10.0.0/29"')
               .replace('subnet = "dns-in2"', 'subnet = "dns-inn"')
               .replace('virtual_network = "hub"; } ); } );', 'virtual_network = "hubb"; } ); } );')
               .replace('region = "westeurope"', 'regoin = "westeurope"'))
        status, text = self.check(bad)
        self.assertEqual(1, status, text)
        self.assertIn(" errors; warnings are looked for when there is no error\n", text)
        for pattern in (r"sluice\.conf:3: .*regoin", r"sluice\.conf:12: .*10\.10\.0\.0/29",
                        r"sluice\.conf:\d+: .*dns-inn", r"sluice\.conf:\d+: .*hubb"):
            self.assertRegex(text, pattern)

    def test_a_zone_file_s_faults_have_their_lines(self):
        self.world.write("corp.internal.zone", "web IN A 10.10.1.10\nweb IN A 10.10.1\n\n"
                         "web IN CNAME other\nsub IN NS ns.sub\n")
        status, text = self.check(self.good)
        self.assertEqual(1, status, text)
        for line in (2, 4, 5):
            self.assertRegex(text, r"corp\.internal\.zone:%d: " % line)

    def test_a_warning_does_not_refuse(self):
        warned = self.good + """
rulesets = ( { name = "r"; outbound_endpoints = [ "hub-resolver/out" ]; links = ( { name = "h"; virtual_network = "hub"; } );
  rules = ( { name = "shadowed"; domain = "a.corp.internal."; targets = ( { address = "192.0.2.1"; } ); } ); } );
"""
        warned = warned.replace(
            'subnets = (', 'subnets = ( { name = "dns-out"; prefix = "10.10.0.16/28"; '
            'delegation = "Microsoft.Network/dnsResolvers"; },').replace(
            'inbound_endpoints', 'outbound_endpoints = ( { name = "out"; subnet = "dns-out"; } );'
            ' inbound_endpoints')
        status, text = self.check(warned)
        self.assertEqual(0, status, text)
        self.assertRegex(text, r"sluice\.conf:\d+: .*warning: .*corp\.internal")

    def test_usage_errors_are_status_2(self):
        path = self.world.write("sluice.conf", self.good)
        for argv in ((), ("frobnicate",), ("check", "--frobnicate"), ("check", "-c"),
                     ("explain", "-c", path), ("explain", "-c", path, "x.test", "NOTATYPE"),
                     ("explain", "-c", path, "x.test", "A", "--from", "not-an-address")):
            status, text = harness.command(*argv)
            self.assertEqual(2, status, "%s: %s" % (argv, text))
            self.assertTrue(text.strip(), argv)

    def test_help_lists_the_commands(self):
        status, text = harness.command("help")
        self.assertEqual(0, status, text)
        for name in ("run", "check", "explain", "reload", "status", "flush", "help"):
            self.assertRegex(text, r"(?m)^\s*(sluice )?%s\b" % name)

    def test_explain_prints_json(self):
        path = self.world.write("sluice.conf", self.good)
        status, text = harness.command("explain", "-c", path, "web.corp.internal", "A", "--endpoint",
                                       "hub-resolver/inbound", "--json")
        self.assertEqual(0, status, text)
        self.assertIsInstance(json.loads(text), dict)
        self.assertIn("10.10.1.10", text)

    def test_explain_names_what_there_is(self):
        path = self.world.write("sluice.conf", self.good)
        for option, word, said in (
                ("--vnet", "nohub", 'there is no virtual network "nohub"; there is: hub'),
                ("--endpoint", "in", 'there is no inbound endpoint "in"; give RESOLVER/ENDPOINT: '
                                     'hub-resolver/inbound')):
            status, text = harness.command("explain", "-c", path, "x.test", option, word)
            self.assertEqual(1, status, text)
            self.assertIn("sluice explain: " + said, text)

    def test_a_path_that_is_not_utf8_is_no_obstacle(self):
        path = os.path.join(self.world.dir, "\udcfc.conf")
        with open(path, "w") as out:
            out.write(self.good)
        status, text = harness.command("check", "-c", path, "--json")
        self.assertEqual(0, status, text)
        self.assertTrue(json.loads(text)["file"].endswith("/?.conf"), text)
        self.assertIs(True, json.loads(text)["warnings_complete"])

    def test_a_syntax_error_is_what_a_command_says_that_needs_the_socket(self):
        """And not that no server is running, or what another server says."""
        path = self.world.write("sluice.conf", self.good + "workers = ;\n")
        line = self.good.count("\n") + 1
        for argv in (("reload",), ("status",), ("flush",), ("upgrade",), ("ptr", "list"),
                     ("ptr", "import", "/dev/null"), ("state", "export")):
            status, text = harness.command(*argv, "-c", path)
            self.assertEqual(1, status, text)
            self.assertRegex(text, r"\A\S+/sluice\.conf:%d: syntax error; .*\n"
                                   r"sluice: \S+/sluice\.conf has to be read for .*\n\Z" % line)

    def test_a_name_that_is_not_ascii_is_a_fault(self):
        path = self.world.write("sluice.conf", self.good.replace("corp.internal\"; file", "\u00fc.corp\"; file"))
        status, text = harness.command("check", "-c", path)
        self.assertEqual(1, status, text)
        self.assertIn("xn--", text)


if __name__ == "__main__":
    harness.main()
