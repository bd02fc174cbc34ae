"""The management API's listeners: who is let in, what a reload changes of it, what keeps the server
from starting, and that no client of it, however many or slow, keeps DNS or the commands waiting."""

import http.client
import json
import os
import socket

import dns
import harness
import hub

OPS, EYE = "ops-secret-0123456789", "eye-secret-0123456789"
HERE, PORT, DNS = "127.0.0.1", 8053, ("127.0.0.1", 5301)
CLIENTS = """{ id = "ops"; secret_file = "ops.secret"; role = "admin"; },
             { id = "eye"; secret_file = "eye.secret"; role = "reader"; }"""
CONFIG = """
region = "westeurope";
workers = 1;
management = { socket = "control.sock"; listen = [ "http://127.0.0.1:%(port)d" ];
  clients = ( %(clients)s ); };
default_resolver = { targets = ( { address = "127.0.0.3"; } ); };
""" + hub.hub("127.0.0.1:5301") + """
private_zones = (
  { name = "corp.internal"; file = "corp.internal.zone"; links = ( { name = "hub"; virtual_network = "hub"; } ); } );
"""


class Management(harness.FreshCase):
    def build(self, world):
        self.host = world.host("cloud")
        world.write("corp.internal.zone", "web 300 IN A 10.10.1.10\n")
        world.secret("ops.secret", OPS)
        world.secret("eye.secret", EYE)

    def config(self, clients=CLIENTS, port=PORT):
        return CONFIG % {"clients": clients, "port": port}

    def start(self):
        self.sluice = harness.Sluice(self.host, self.config(), DNS)

    def ask(self, method, path, secret=None, **headers):
        """The status, and the body as JSON."""
        if secret:
            headers["Authorization"] = "Bearer " + secret
        with self.host.inside():
            connection = http.client.HTTPConnection(HERE, PORT, timeout=dns.PATIENCE)
            connection.connect()
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        text = response.read()
        connection.close()
        return response.status, json.loads(text) if text else None

    def connect(self):
        with self.host.inside():
            sock = socket.create_connection((HERE, PORT), dns.PATIENCE)
        self.addCleanup(sock.close)
        return sock

    def test_a_role_decides_what_a_client_may(self):
        self.start()
        self.assertEqual(200, self.ask("GET", "/healthz")[0])
        self.assertEqual(401, self.ask("GET", "/v1/status")[0])
        self.assertEqual(401, self.ask("POST", "/v1/reload", "wrong")[0])
        status, body = self.ask("GET", "/v1/status", EYE)
        self.assertEqual((200, 1), (status, body["generation"]))
        self.assertEqual(403, self.ask("POST", "/v1/reload", EYE)[0])
        status, body = self.ask("POST", "/v1/reload", OPS)
        self.assertEqual((200, True, 2), (status, body["ok"], body["generation"]))
        log = self.sluice.log()
        self.assertNotIn(OPS, log)
        self.assertNotIn(EYE, log)

    def test_a_reload_by_the_api_tells_the_faults_and_moves_nothing(self):
        self.start()
        self.sluice.reconfigure(self.config().replace("corp.internal.zone", "missing.zone"))
        status, body = self.ask("POST", "/v1/reload", OPS)
        self.assertEqual((422, False, 1), (status, body["ok"], body["generation"]))
        self.assertIn("missing.zone", body["faults"][0]["text"])
        self.assertIn("1 error", body["error"]["message"])
        self.assert_answer(self.host.ask(DNS, "web.corp.internal"), "10.10.1.10")

    def test_explain_is_what_the_command_prints(self):
        self.start()
        status, body = self.ask("GET", "/v1/explain?name=web.corp.internal&vnet=hub", EYE)
        self.assertEqual(200, status)
        status, text = self.sluice.command("explain", "--json", "--vnet", "hub",
                                           "web.corp.internal")
        self.assertEqual((0, json.loads(text)), (status, body))

    def test_a_client_comes_and_goes_with_a_reload(self):
        self.start()
        self.sluice.reconfigure(self.config(CLIENTS.split("},")[0] + "}"))
        self.assertEqual(0, self.sluice.command("reload")[0])
        self.assertEqual(401, self.ask("GET", "/v1/status", EYE)[0])
        self.assertEqual(200, self.ask("GET", "/v1/status", OPS)[0])
        self.sluice.reconfigure(self.config())
        self.assertEqual(0, self.sluice.command("reload")[0])
        self.assertEqual(200, self.ask("GET", "/v1/status", EYE)[0])

    def test_a_page_that_leads_its_own_name_here_is_told_nothing(self):
        self.start()
        for host in ("evil.example", "evil.example:%d" % PORT, "10.10.0.4"):
            for path, kind in (("/healthz", "code"), ("/v2", "type"), ("/v3", "title"),
                               ("/metadata/endpoints", "code")):
                status, body = self.ask("GET", path, OPS, Host=host)
                self.assertEqual(421, status, body)
                self.assertIn(kind, body.get("error", body))
        for host in ("localhost", "localhost:1", "[::1]:%d" % PORT):
            self.assertEqual(200, self.ask("GET", "/v1/status", OPS, Host=host)[0])
        self.sluice.reconfigure(self.config().replace(
            "management = {", 'management = { hosts = [ "dns.example" ];'))
        self.assertEqual(0, self.sluice.command("reload")[0])
        self.assertEqual(200, self.ask("GET", "/v1/status", OPS, Host="dns.example:443")[0])
        self.assertEqual(421, self.ask("GET", "/v1/status", OPS, Host="evil.example")[0])

    def test_a_secret_that_cannot_be_used_refuses_the_reload_and_keeps_the_old_ones(self):
        self.start()
        self.world.secret("eye.secret", "short")
        status, text = self.sluice.command("reload")
        self.assertEqual(1, status, text)
        self.assertIn("management.clients[eye].secret_file", text)
        self.assertIn("still serving generation 1", text)
        self.assertEqual(200, self.ask("GET", "/v1/status", EYE)[0])

    def test_another_listener_takes_a_restart_and_says_so(self):
        self.start()
        self.sluice.reconfigure(self.config(port=PORT + 1))
        status, text = self.sluice.command("reload")
        self.assertEqual(0, status, text)
        self.assertIn("take a restart", text)
        self.assertEqual(200, self.ask("GET", "/healthz")[0])

    def refused(self, word, found_by_check=True):
        path = self.world.write("refused.conf", self.config())
        status, text = harness.command("check", "-c", path)
        self.assertEqual((found_by_check, found_by_check), (status == 1, word in text), text)
        status, text = self.host.run("timeout", "60", harness.SLUICE, "run", "-c", path)
        self.assertEqual(1, status, text)
        self.assertNotRegex(text, harness.SANITIZER)
        lines = [line for line in text.splitlines()
                 if not line.endswith("cannot filter system calls; continuing without the filter")]  # under valgrind
        self.assertEqual(1, len(lines), text)
        self.assertIn(word, text)
        self.assertFalse(os.path.exists(os.path.join(self.world.dir, "control.sock")))

    def test_what_keeps_it_from_starting_is_named(self):
        os.unlink(os.path.join(self.world.dir, "ops.secret"))
        self.refused("ops.secret")
        self.world.secret("ops.secret", EYE)
        self.refused('client "ops" has the same secret')
        self.world.secret("ops.secret", OPS)
        with self.host.inside():
            sock = socket.socket()
        self.addCleanup(sock.close)
        sock.bind((HERE, PORT))
        sock.listen()
        self.refused("http://127.0.0.1:%d" % PORT, found_by_check=False)

    def test_no_number_of_idle_clients_keeps_dns_or_the_commands_waiting(self):
        self.start()
        for _ in range(100):
            self.connect().sendall(b"POST /v1/flush HTTP/1.1\r\nHost: localhost\r\nX-Half: ")
        for _ in range(20):
            self.assert_answer(self.host.ask(DNS, "web.corp.internal"), "10.10.1.10")
        self.assertEqual(0, self.sluice.command("status")[0])

    def test_it_ends_while_clients_are_connected(self):
        self.start()
        self.connect()
        self.connect().sendall(b"GET / HTTP/1.1\r\n")
        self.assertEqual(0, self.sluice.stop())

    def test_requests_under_way_when_it_ends_do_no_harm(self):
        self.start()
        socks = [self.connect() for _ in range(16)]
        for sock in socks:
            sock.sendall(b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: %s\r\n\r\n"
                         % OPS.encode() * 50)
        self.assertEqual(0, self.sluice.stop())


if __name__ == "__main__":
    harness.main()
