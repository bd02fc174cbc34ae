"""`sluice explain` says what the server does, or that it could not be asked; and where it reads the file and the state
itself, it says so, and leaves no trace."""

import json
import os
import signal
import subprocess

import dns
import harness

CONFIG = """
region = "westeurope";
management = { socket = "kept/control.sock"; state = "kept/state.db"; };
vnet_resolver = { listen = [ "127.0.0.1:53" ]; };
virtual_networks = ( { name = "hub"; address_space = [ "10.10.0.0/16" ]; client_prefixes = [ "127.0.0.1/32" ]; } );
default_resolver = { targets = ( { address = "127.0.0.1"; port = 5399; } ); };
address_pools = ( { name = "public"; prefix = "198.51.100.0/24"; } );
private_zones = ( { name = "corp.internal"; file = "corp.internal.zone"; links = ( { name = "hub"; virtual_network = "hub"; } ); } );
rulesets = ( { name = "office"; links = ( { name = "hub"; virtual_network = "hub"; } );
  rules = ( { name = "contoso"; domain = "contoso.corp."; targets = ( { address = "127.0.0.1"; port = 5301; } ); } ); } );
"""
PTR = "11.100.51.198.in-addr.arpa"
LABEL = "mylabel.westeurope.cloudapp.azure.com"


class Explained(harness.FreshCase):
    def build(self, world):
        self.host = world.host("cloud")
        self.folder = os.path.join(world.dir, "kept")
        self.upstream = harness.Upstream(self.host, "127.0.0.1", "192.0.2.1", 5301)
        os.makedirs(self.folder)
        self.zone = world.write("corp.internal.zone", "www 300 IN A 10.10.1.10\n")
        self.start()
        self.config = self.sluice.config
        self.sluice.wait_managed()
        for argv in (("address", "create", "web", "address=198.51.100.11", "domain_name_label=mylabel"),
                     ("ptr", "set", "198.51.100.11", LABEL),
                     ("rule", "create", "office", "stored", "domain=stored.corp.",
                      'targets=[{"address":"127.0.0.1","port":5301}]')):
            self.good(*argv)

    def start(self):
        self.sluice = harness.Sluice(self.host, CONFIG, ("127.0.0.1", 53))

    def good(self, *argv):
        status, text = harness.command(*argv, "-c", self.config)
        self.assertEqual(0, status, text)
        return text

    def explain(self, *argv, config=None):
        return harness.command("explain", "-c", config or self.config, *argv)

    def explained(self, *argv, config=None):
        """The first line, and all of it as JSON."""
        text, body = (subprocess.run([harness.SLUICE, "explain", *form, "-c", config or self.config, *argv], text=True,
                                     capture_output=True, timeout=dns.PATIENCE) for form in ((), ("--json",)))
        self.assertEqual((0, 0), (text.returncode, body.returncode), text.stderr + body.stderr)
        return text.stdout.split("\n")[0], json.loads(body.stdout)

    def left(self):
        """The state and what is beside it, with every byte. No times: the kernel gives what a process wrote by a
        mapping its time later."""
        found = {}
        for name in sorted(os.listdir(self.folder)):
            path = os.path.join(self.folder, name)
            found[name] = None
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    found[name] = file.read()
        return found

    def assert_all_of_the_state(self, *argv, config=None):
        for name, rtype, what in ((PTR, "PTR", LABEL), (LABEL, "A", "198.51.100.11")):
            _, body = self.explained(*argv, name, rtype, config=config)
            self.assertEqual("NOERROR", body["rcode"], body)
            self.assertIn(what, " ".join(body["hops"][0]["records"]))
        _, body = self.explained(*argv, "www.stored.corp", config=config)
        self.assertEqual(("rule", "stored"), (body["hops"][0]["decided_by"], body["hops"][0]["object"]))

    # ---- the server ----

    def test_the_server_says_what_it_serves_state_included_and_sends_nothing(self):
        self.assert_all_of_the_state()
        line, body = self.explained("www.contoso.corp")
        self.assertEqual("said by the running server, from " + self.config, line)
        self.assertEqual({"from": "server", "config": self.config, "changed": [], "went_back": None}, body["source"])
        self.assertEqual([], [one for one in self.upstream.questions() if one["name"] != "ready.test."])

    def test_a_file_that_has_changed_is_named_with_the_way_to_see_its_effect(self):
        with open(self.config, "a") as file:
            file.write("# another line\n")
        line, body = self.explained("www.contoso.corp")
        self.assertEqual("said by the running server, from %s; changed since it was read: %s"
                         " (--offline shows what that would do)" % (self.config, body["source"]["changed"][0]), line)
        self.assertEqual([os.path.basename(self.config)], [os.path.basename(one) for one in body["source"]["changed"]])
        self.good("reload")
        line, body = self.explained("www.contoso.corp")
        self.assertEqual([], body["source"]["changed"])

    def test_a_zone_file_that_has_changed_is_named(self):
        with open(self.zone, "a") as file:
            file.write("new 300 IN A 10.10.1.11\n")
        line, body = self.explained("new.corp.internal")
        self.assertEqual("NXDOMAIN", body["rcode"])
        self.assertEqual(["corp.internal.zone"], [os.path.basename(one) for one in body["source"]["changed"]])
        self.assertIn("; changed since it was read: %s (--offline shows" % body["source"]["changed"][0], line)
        self.assertEqual("NOERROR", self.explained("--offline", "new.corp.internal")[1]["rcode"])
        self.good("reload")
        self.assertEqual(([], "NOERROR"), (lambda body: (body["source"]["changed"], body["rcode"]))(
            self.explained("new.corp.internal")[1]))

    def test_a_fault_in_the_file_does_not_hide_the_server(self):
        with open(self.config, "a") as file:
            file.write("rulesets = ( ( ;\n")
        for argv in ((), ("--ask",)):
            status, text = self.explain(*argv, "www.contoso.corp")
            self.assertEqual(0, status, text)
            self.assertIn("said by the running server, from %s; changed since it was read: " % self.config, text)
            self.assertRegex(text, "cannot be loaded as it is; the server at .*/kept/control.sock is asked")
        self.sluice.stop()
        status, text = self.explain("www.contoso.corp")
        self.assertEqual(1, status, text)

    def test_a_question_that_does_not_fit_is_no_reason_to_ask_elsewhere(self):
        status, text = self.explain("--vnet", "nowhere", "www.contoso.corp")
        self.assertEqual((1, "sluice explain: there is no virtual network \"nowhere\"\n"), (status, text.split(";")[0] + (
            "\n" if ";" in text else "")))
        self.assertEqual(2, self.explain("www..corp")[0])
        self.assertEqual(2, self.explain("--ask", "--offline", "www.corp")[0])

    def test_an_address_is_its_reverse_name(self):
        for how in ((), ("--offline",), ("--ask",)):
            _, named = self.explained(PTR, "PTR", *how)
            for asked in (("198.51.100.11",), ("198.51.100.11", "ptr")):
                _, body = self.explained(*asked, *how)
                self.assertEqual((PTR + ".", "PTR"), (body["name"], body["type"]))
                self.assertEqual(named["hops"], body["hops"])
            self.assertIn(LABEL, self.explain("198.51.100.11", *how)[1])
        self.assertEqual("A", self.explained("198.51.100.11", "A")[1]["type"])
        _, body = self.explained("2001:db8::1")
        self.assertEqual(("1." + 23 * "0." + "8.b.d.0.1.0.0.2.ip6.arpa.", "PTR"), (body["name"], body["type"]))

    def test_where_one_has_to_be_named_the_networks_are_listed(self):
        self.good("network", "create", "dev/two", "address_space=10.20.0.0/16")
        for how in ((), ("--offline",), ("--ask",)):
            status, text = self.explain("www.contoso.corp", *how)
            self.assertNotEqual(0, status)
            self.assertIn("; the networks are hub, dev/two\n", text)

    # ---- a server that cannot be asked ----

    def assert_unasked(self, result, why):
        status, text = result
        self.assertEqual(1, status, text)
        self.assertIn(why, text)
        self.assertIn("run it as root (sudo), or give --offline to read the file and the state instead", text)
        self.assertEqual(1, text.count("\n"), text)

    def test_one_that_hangs(self):
        self.sluice.signal(signal.SIGSTOP)
        self.addCleanup(self.sluice.signal, signal.SIGCONT)
        self.assert_unasked(self.explain("www.contoso.corp"), "did not answer in time")
        self.assertEqual(0, self.explain("--offline", "www.contoso.corp")[0])

    def test_one_that_may_not_be_asked(self):
        os.chmod(self.sluice.socket, 0o777)
        program = self.world.program(harness.SLUICE)
        os.chmod(self.config, 0o644)
        status, text = self.host.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program,
                                     "explain", "-c", self.config, "www.contoso.corp")
        self.assert_unasked((status, text), "")
        os.chmod(self.sluice.socket, 0o600)
        status, text = self.host.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program,
                                     "explain", "-c", self.config, "www.contoso.corp")
        self.assert_unasked((status, text), "permission denied")

    def explain_as_nobody(self, *argv):
        return self.host.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                             self.world.program(harness.SLUICE), "explain", "-c", self.config, *argv)

    def test_whoever_may_not_read_the_file_is_told_what_helps(self):
        os.chmod(self.config, 0o600)
        status, text = self.explain_as_nobody("www.contoso.corp")
        self.assertEqual(1, status, text)
        self.assertIn("and this user may not; run it as root (sudo), or give --socket PATH", text)
        self.assertNotIn("--offline", text)
        self.assertNotIn("correct it", text)
        status, text = self.explain_as_nobody("--socket", self.sluice.socket, "www.contoso.corp")
        self.assertEqual(1, status, text)
        self.assertIn("run it as root (sudo)", text)
        self.assertNotIn("--offline", text)

    def test_whoever_may_not_read_the_state_is_told_what_helps(self):
        os.chmod(self.config, 0o644)
        os.chmod(self.zone, 0o644)
        for mode in (0o700, 0o755):  # of its folder, and then of itself
            os.chmod(self.folder, mode)
            os.chmod(os.path.join(self.folder, "state.db"), 0o600)
            _, text = self.explain_as_nobody("--offline", "www.contoso.corp")
            self.assertRegex(text, "the state .*/kept/state.db cannot be read by this user; run it as root [(]sudo[)]")
            self.assertNotIn("must be able to write", text)

    def test_one_that_fails(self):
        other = os.path.join(self.folder, "fake.sock")
        answer = {"error": {"message": "out of order"}}
        for found, status in ((503, 1), (500, 1), (404, 1), (400, 2)):
            with self.subTest(found=found), harness.FakeServer(other, lambda *_: (found, answer)):
                got, text = harness.command("explain", "--socket", other, "www.contoso.corp")
                self.assertEqual(status, got, text)
                self.assertIn("out of order", text)
                self.assertEqual(found >= 500, "--offline to read" in text, text)
            os.unlink(other)

    # ---- what is read instead ----

    def test_offline_says_so_has_the_state_and_leaves_no_trace_of_a_server_that_runs(self):
        for _ in range(2):  # the server itself writes a minute after its start, and then each ten minutes
            before = self.left()
            self.assert_all_of_the_state("--offline")
            line, body = self.explained("--offline", "www.contoso.corp")
            if before == self.left():
                break
        self.assertRegex(line, "^read from %s and the state .*state.db: --offline was given$" % self.config)
        self.assertEqual(("file", self.config, "--offline was given", None),
                         tuple(body["source"][key] for key in ("from", "config", "why", "unread")))
        self.assertEqual(before, self.left())

    def test_where_nobody_listens_it_is_read(self):
        self.sluice.kill()  # the log of the state stays beside it
        self.assertIn("state.db-wal", os.listdir(self.folder))
        before = self.left()
        self.assert_all_of_the_state()
        line, _ = self.explained("www.contoso.corp")
        self.assertRegex(line, "^read from .*: no server listens at .*control.sock$")
        self.assertEqual(before, self.left())
        self.start()
        self.sluice.stop()
        self.assertNotIn("state.db-wal", os.listdir(self.folder))
        before = self.left()
        self.assert_all_of_the_state()
        self.assertEqual(before, self.left())

    def test_a_state_that_cannot_be_read_is_named(self):
        self.sluice.stop()
        with open(os.path.join(self.folder, "state.db"), "r+b") as file:
            file.write(b"no state at all")
        line, body = self.explained("www.contoso.corp")
        self.assertIn("; not read: ", line)
        self.assertIn("state.db", body["source"]["unread"])

    def test_a_file_that_is_not_the_servers_is_read(self):
        other = self.world.write("other.conf", CONFIG.replace("contoso.corp.", "else.corp."))
        line, body = self.explained("www.else.corp", config=other)
        self.assertEqual("rule", body["hops"][0]["decided_by"])
        self.assertRegex(line, "^read from .*other.conf and the state .*: the server at .* has loaded another file, %s$"
                         % self.config)
        same = os.path.join(self.world.dir, "link.conf")
        os.symlink("sluice.conf", same)
        line, _ = self.explained("www.contoso.corp", config=same)
        self.assertRegex(line, "^said by the running server")
        status, text = self.explain("--vnet", "nowhere", "www.contoso.corp", config=other)
        self.assertEqual(1, status, text)


if __name__ == "__main__":
    harness.main()
