"""API clients as resources: let in at the listeners as soon as they are made, and not once they are gone;
nobody shuts itself out, and no secret is told."""

import http.client
import json
import os

import dns
import harness
from test_resources import CONFIG, Answer, World, digest

OPS, CI, EYE = "ops-secret-0123456789", "ci-secret-of-many-characters", "eye-secret-0123456789"

CONFIGURED = CONFIG.replace('state = "state.db";', """state = "state.db"; listen = [ "http://127.0.0.1:8053" ];
  clients = ( { id = "ops"; secret_file = "ops.secret"; role = "admin"; } );""")


class Clients(World):
    config = CONFIGURED

    def build(self, world):
        world.secret("ops.secret", OPS)
        self.secret = world.secret("ci.secret", CI)
        super().build(world)

    def ask(self, method, path, secret, body=None):
        with self.host.inside():
            connection = http.client.HTTPConnection("127.0.0.1", 8053, timeout=dns.PATIENCE)
            connection.connect()
        try:
            headers = {"Authorization": "Bearer " + secret} if secret else {}
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, dict(headers, **{"Content-Type": "application/json"}))
            response = connection.getresponse()
            self.token = response.headers["X-Subject-Token"]
            return Answer(response)
        finally:
            connection.close()

    def log_in(self, name, secret):
        user = {"name": name, "domain": {"id": "default"}, "password": secret}
        answer = self.ask("POST", "/v3/auth/tokens", None,
                          {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}})
        return answer.status

    def test_a_client_logs_in_once_it_is_made_and_not_once_it_is_gone(self):
        self.assertEqual(401, self.log_in("ci", CI))
        made = self.ask("PUT", "/v1/clients/-/ci", OPS, {"secret_sha256": digest(CI), "role": "admin"})
        self.assertEqual((201, "ci", "admin"), (made.status, made.body["id"], made.body["role"]), made)
        self.assertEqual(201, self.log_in("ci", CI))
        token = self.token
        self.assertEqual([200, 200], [self.ask("GET", "/v1/status", by).status for by in (CI, token)])
        # It rotates its own secret, which ends its tokens, and makes another client.
        self.assertEqual(200, self.ask("PATCH", "/v1/clients/-/CI", token, {
            "secret_sha256": None, "secret_file": self.world.secret("new.secret", CI + "-new")}).status)
        self.assertEqual([401, 401, 200], [self.ask("GET", "/v1/status", by).status
                                           for by in (CI, token, CI + "-new")])
        self.assertEqual(201, self.log_in("ci", CI + "-new"))
        token = self.token
        self.assertEqual(201, self.ask("PUT", "/v1/clients/-/eye", token, {"secret_sha256": digest(EYE)}).status)
        # All of that is there again.
        self.sluice.kill()
        self.start()
        self.assertEqual(0, self.sluice.command("reload")[0])
        self.assertEqual(0, self.sluice.command("upgrade")[0])
        self.assertEqual([200, 200, 200], [self.ask("GET", "/v1/status", by).status
                                           for by in (token, CI + "-new", EYE)])
        self.assertEqual(204, self.ask("DELETE", "/v1/clients/-/ci", OPS).status)
        self.assertEqual([401, 401, 401], [self.ask("GET", "/v1/status", token).status,
                                           self.ask("GET", "/v1/status", CI + "-new").status,
                                           self.log_in("ci", CI + "-new")])

    def test_a_reader_learns_nothing_of_clients(self):
        self.good("PUT", "clients/-/eye", {"secret_sha256": digest(EYE)}, 201)
        self.good("PUT", "virtual_networks/-/hub", {"address_space": ["10.10.0.0/16"]}, 201)
        self.assertEqual([403, 403, 403], [self.ask("GET", "/v1/" + path, EYE).status
                                           for path in ("clients", "clients/-/eye", "export")])
        changes = self.ask("GET", "/v1/changes", EYE).body["changes"]
        self.assertEqual([("virtual_networks/-/hub", None)], [(one["path"], one["who"]) for one in changes])
        self.assertEqual(["uid 0", "uid 0"], [
            one["who"] for one in self.ask("GET", "/v1/changes", OPS).body["changes"]])
        self.assertEqual(["eye", "ops"], [one["id"] for one in self.ask("GET", "/v1/clients", OPS).body["clients"]])
        self.assertNotIn(EYE, json.dumps(self.good("GET", "export").body) + self.sluice.log())

    def test_nobody_shuts_itself_out(self):
        client = "/v1/clients/-/ci"
        self.good("PUT", "clients/-/ci", {"secret_sha256": digest(CI), "role": "admin"}, 201)
        for answer in (self.ask("DELETE", client, CI), self.ask("PATCH", client, CI, {"role": "reader"}),
                       self.ask("PUT", client, CI, {"secret_sha256": digest(CI)}),
                       self.ask("POST", "/v1/changes", CI, {"edits": [{"path": "clients/-/ci", "values": None}]})):
            self.bad(answer, 400, "invalid", "is the client that asks; another administrator",
                     "management.clients[ci]")
        self.bad(self.ask("DELETE", "/v1/clients/-/ops", CI), 409, "read_only", "it is declared at")
        self.assertEqual(200, self.ask("PATCH", client, OPS, {"role": "reader"}).status)
        self.assertEqual(403, self.ask("POST", "/v1/flush", CI, {}).status)
        self.assertEqual(0, self.sluice.command("client", "delete", "ci")[0])
        self.assertEqual(401, self.ask("GET", "/v1/status", CI).status)

    def test_a_client_has_one_secret_that_is_its_own(self):
        for values, text in (({}, "the client has no secret; give secret_file, or secret_sha256"),
                             ({"secret_sha256": digest(CI), "secret_file": self.secret}, "keep one of them"),
                             ({"secret_sha256": "x" * 64}, "is not 64 hexadecimal digits"),
                             ({"secret_sha256": "ab"}, "64 to 64 characters"),
                             ({"secret": CI}, "there is no such key"),
                             ({"secret_file": "ci.secret"}, "give an absolute path"),
                             ({"secret_file": self.secret + "x"}, "cannot be used: No such file"),
                             ({"secret_sha256": digest(OPS)}, 'client "ops" has the same secret')):
            for query in ("", "?dry_run"):
                self.bad(self.call("PUT", "clients/-/ci" + query, values), 400, "invalid", text)
        self.bad(self.call("PUT", "clients/-/ci", {"id": "other", "secret_file": self.secret}), 400, "invalid",
                 "the path has another", "id")
        self.assertEqual(401, self.ask("GET", "/v1/status", CI).status)
        self.assertEqual(200, self.ask("GET", "/v1/status", OPS).status)
        self.assertEqual(0, self.sluice.command("client", "create", "ci", "secret_file=" + self.secret)[0])
        self.assertEqual(200, self.ask("GET", "/v1/status", CI).status)
        # A file that is gone leaves its client out, at a reload, and nobody else.
        os.unlink(self.secret)
        self.good("PUT", "virtual_networks/-/hub", {"address_space": ["10.10.0.0/16"]}, 201)
        self.assertEqual(200, self.ask("GET", "/v1/status", CI).status)
        status, text = self.sluice.command("reload")
        self.assertEqual(0, status, text)
        self.assertRegex(text, r"-/ci\" which does not fit \(secret_file: .* cannot be used: No such file")
        self.assertEqual([401, 200], [self.ask("GET", "/v1/status", by).status for by in (CI, OPS)])
        self.assertRegex(self.good("GET", "clients/-/ci").body["not_served"], "cannot be used: No such file")

    def test_what_is_exported_has_the_clients_and_lets_the_same_in(self):
        self.good("PUT", "clients/-/ci", {"secret_sha256": digest(CI), "role": "admin"}, 201)
        status, text = self.sluice.command("export")
        self.assertEqual(0, status, text)
        self.assertIn(digest(CI), text)
        path = self.world.write("exported.conf", text)
        status, text = self.sluice.command("check", "-c", path)
        self.assertEqual(0, status, text)


if __name__ == "__main__":
    harness.main()
