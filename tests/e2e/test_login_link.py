"""A link that logs in (`sluice dashboard`): once, from this machine, by a POST; and what a login page is told before."""

import http.client
import json
import re
import ssl

import dns
import harness
import hub

HERE, PORT, AWAY, AWAY_PORT, DNS = "127.0.0.1", 8053, "10.0.0.1", 8443, ("127.0.0.1", 5301)
CONFIG = """
region = "westeurope"; workers = 1;
management = { socket = "control.sock"; state = "state.db"; certificate = "tls.pem"; key = "tls.key";
  listen = [ "https://%s:%d", "http://127.0.0.1:%d" ]; };
default_resolver = { targets = ( { address = "127.0.0.3"; } ); };
identity = { server = "hub-1"; };
""" % (AWAY, AWAY_PORT, PORT) + hub.hub("127.0.0.1:5301")


class Link(harness.FreshCase):
    def build(self, world):
        self.host = world.host("cloud", AWAY)
        self.other = world.host("other", "10.0.0.2")
        world.certificate("tls")

    def start(self, config=CONFIG):
        self.sluice = harness.Sluice(self.host, config, DNS)
        self.sluice.wait_managed()

    def link(self):
        status, text = self.sluice.command("dashboard")
        self.assertEqual(0, status, text)
        found = re.match(r"open (http://127\.0\.0\.1:8053)/ui/#login=([0-9a-f]{32})\n"
                         r"It logs in once, within 60 seconds, in a browser on this machine\.\n$", text)
        self.assertTrue(found, text)
        return found[2]

    def ask(self, method, path, body=None, host=None, tls=False, **headers):
        """The status, and the body as JSON."""
        headers.setdefault("Content-Type", "application/json")
        with (host or self.host).inside():
            if tls:
                connection = http.client.HTTPSConnection(AWAY, AWAY_PORT, timeout=dns.PATIENCE, context=ssl._create_unverified_context())
            else:
                connection = http.client.HTTPConnection(HERE, PORT, timeout=dns.PATIENCE)
            connection.connect()
        connection.request(method, path, None if body is None else body if isinstance(body, str) else json.dumps(body), headers)
        response = connection.getresponse()
        text = response.read()
        connection.close()
        return response.status, json.loads(text) if text else None

    def log_in(self, code, **how):
        return self.ask("POST", "/v1/login", {"code": code}, **how)

    def test_it_logs_in_once_as_who_asked_for_it_and_is_in_no_log(self):
        self.start()
        code = self.link()
        status, session = self.log_in(code)
        self.assertEqual((201, "admin", 3600), (status, session["role"], session["expires_s"]))
        self.assertRegex(session["client"], r"^uid \d+( \(says \S+\))?$")
        bearer = "Bearer " + session["token"]
        self.assertEqual(200, self.ask("GET", "/v1/status", Authorization=bearer)[0])
        where = "/v1/rulesets/-/made"
        self.assertEqual(201, self.ask("PUT", where, {"tags": {"by": "link"}}, Authorization=bearer)[0])
        change = self.ask("GET", "/v1/changes", Authorization=bearer)[1]["changes"][-1]
        self.assertEqual(session["client"], change["who"] + (" (says %s)" % change["login"] if change["login"] else ""))
        self.assertEqual(401, self.log_in(code)[0])
        self.assertEqual(204, self.ask("DELETE", "/v3/auth/tokens", **{"X-Auth-Token": session["token"], "X-Subject-Token": session["token"]})[0])
        self.assertEqual(401, self.ask("GET", "/v1/status", Authorization=bearer)[0])
        log = self.sluice.log()
        self.assertIn("has logged in at the dashboard by a link", log)
        for secret in (code, session["token"]):
            self.assertNotIn(secret, log)

    def test_only_loopback_logs_in_by_it(self):
        self.start()
        code = self.link()
        for how in (dict(tls=True), dict(tls=True, host=self.other), {"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"}):
            self.assertEqual(403, self.log_in(code, **how)[0], how)
        self.assertEqual(201, self.log_in(code)[0])

    def test_only_a_post_that_has_the_code_logs_in(self):
        self.start()
        code = self.link()
        for path in ("/v1/login", "/v1/login?code=" + code):
            self.assertEqual(401, self.ask("GET", path)[0])
        cross = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        self.assertEqual(400, self.ask("POST", "/v1/login", {}, **cross)[0])
        self.assertEqual(400, self.ask("POST", "/v1/login?code=" + code, {}, **cross)[0])
        self.assertIn(self.ask("POST", "/v1/login", "code=" + code, **cross, **{"Content-Type": "text/plain"})[0], (400, 415))
        self.assertIn(self.ask("POST", "/v1/login", "code=" + code, **cross, **{"Content-Type": "application/x-www-form-urlencoded"})[0], (400, 415))
        self.assertEqual(201, self.log_in(code)[0])

    def test_who_guesses_keeps_nobody_out(self):
        self.start()
        code = self.link()
        for _ in range(20):
            self.assertIn(self.log_in("0" * 32)[0], (401, 429))
        self.assertEqual(201, self.log_in(code)[0])

    def test_a_link_is_made_at_the_control_socket_alone_and_needs_a_listener(self):
        self.start()
        self.assertEqual(401, self.ask("POST", "/v1/login_links", {})[0])
        bearer = "Bearer " + self.log_in(self.link())[1]["token"]
        self.assertEqual(403, self.ask("POST", "/v1/login_links", {}, Authorization=bearer)[0])
        self.sluice.stop()
        self.start(CONFIG.replace(', "http://127.0.0.1:%d"' % PORT, ""))
        status, text = self.sluice.command("dashboard")
        self.assertEqual(1, status)
        self.assertIn("set management.listen", text)

    def test_before_a_login_the_server_tells_its_name_and_version_alone(self):
        self.start()
        status, about = self.ask("GET", "/v1/server")
        self.assertEqual((200, {"server", "version"}, "hub-1"), (status, set(about), about["server"]))
        self.assertEqual(about["version"], self.sluice.status()["version"])
        self.assertEqual("hub-1", self.sluice.status()["server"])
        self.sluice.reconfigure(CONFIG.replace("hub-1", ""))
        status, text = self.sluice.command("reload")
        self.assertEqual(1, status)
        self.assertIn("identity.server", text)
        self.sluice.reconfigure(CONFIG.replace('identity = { server = "hub-1"; };', ""))
        self.assertEqual(0, self.sluice.command("reload")[0])
        self.assertEqual(harness.sh("hostname").strip(), self.ask("GET", "/v1/server")[1]["server"])


if __name__ == "__main__":
    harness.main()
