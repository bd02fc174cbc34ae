"""API clients as resources: let in at the listeners as soon as they are made, and not once they are gone;
nobody shuts itself out, and no secret is told."""

import contextlib
import http.client
import json
import os
import select
import threading
import time

import dns
import harness
from test_resources import CONFIG, Answer, World, digest

OPS, CI, EYE = "ops-secret-0123456789", "ci-secret-of-many-characters", "eye-secret-0123456789"

CONFIGURED = CONFIG.replace('state = "state.db";', """state = "state.db"; listen = [ "http://127.0.0.1:8053" ];
  clients = ( { id = "ops"; secret_file = "ops.secret"; role = "admin"; } );""")


class Asking(World):
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


class Clients(Asking):
    def test_a_reader_is_told_no_client_s_name_anywhere(self):
        """Not in events, as a list and as a stream, nor in the status, nor where something went back."""
        name = "carol-of-operations"
        self.assertEqual(201, self.ask("PUT", "/v1/clients/-/" + name, OPS, {
            "secret_sha256": digest(CI), "role": "admin"}).status)
        self.assertEqual(201, self.ask("PUT", "/v1/clients/-/eye", CI, {"secret_sha256": digest(EYE)}).status)
        self.assertEqual(201, self.ask("PUT", "/v1/virtual_networks/-/n1", CI, {
            "address_space": ["10.64.1.0/24"]}).status)
        self.assertEqual(200, self.ask("POST", "/v1/changes", CI, {"edits": [
            {"path": "virtual_networks/-/n2", "values": {"address_space": ["10.64.2.0/24"]}}]}).status)
        self.assertEqual(401, self.log_in(name, "not-her-secret-at-all"))
        secret = self.world.secret("eye.secret", EYE)
        for clients in ('"%s"; secret_file = "%s.gone"' % (name + "2", secret),):  # a fault about a client
            self.sluice.reconfigure((self.config % self.filed).replace(
                "clients = (", "clients = ( { id = %s; }," % clients))
            self.assertEqual(422, self.ask("POST", "/v1/reload", CI).status)
        self.sluice.reconfigure(self.config % self.filed)
        self.assertEqual(200, self.ask("POST", "/v1/reload?confirm=600", CI).status)
        self.look_for(name)
        self.assertEqual(200, self.ask("POST", "/v1/confirm?back=true", CI).status)
        self.look_for(name)
        self.assertEqual(200, self.ask("POST", "/v1/reload?confirm=600", CI).status)
        self.assertEqual(200, self.ask("POST", "/v1/confirm", CI).status)
        texts = self.look_for(name)
        for text in ("revision 3: virtual_networks[n1] set", "revision 4: 1 edit", "the reload is confirmed",
                     "the reload goes back: as a client wants it; generation"):
            self.assertIn(text, texts)
        self.assertRegex(texts, "a login from 127.0.0.1 has failed: not the client's secret")

    def look_for(self, name):
        """Where an administrator finds it, and a reader does not; the events' texts for a reader."""
        pages = {}
        for secret in (CI, EYE):
            pages[secret] = {path: self.ask("GET", path, secret).body for path in (
                "/v1/events?limit=5000", "/v1/status", "/v1/changes", "/v1/report", "/v1/explain?name=a.b")}
            pages[secret]["stream"] = self.stream_texts(secret)
        for path, page in pages[EYE].items():
            self.assertNotIn(name, json.dumps(page), path)
            self.assertNotRegex(json.dumps(page), "by uid 0", path)
        for path in ("/v1/events?limit=5000", "stream"):
            self.assertIn(name, json.dumps(pages[CI][path]))
        for key in ("unconfirmed", "went_back"):
            seen, hidden = (pages[secret]["/v1/status"][key] for secret in (CI, EYE))
            self.assertEqual(bool(seen), bool(hidden))
            if seen:
                self.assertEqual((name, None), (seen["who"], hidden["who"]))
                self.assertIn("the reload by " + name, seen["text"])
                self.assertRegex(hidden["text"], "^the reload (goes back|of )")
        return "\n".join(event["text"] for event in pages[EYE]["/v1/events?limit=5000"]["events"])

    def stream_texts(self, secret):
        """All that is kept, as a stream replays it."""
        count = len(self.ask("GET", "/v1/events?limit=5000", secret).body["events"])
        with self.host.inside():
            connection = http.client.HTTPConnection("127.0.0.1", 8053, timeout=dns.PATIENCE)
            connection.connect()
        try:
            connection.request("GET", "/v1/events?after=0&limit=%d" % count, headers={
                "Authorization": "Bearer " + secret, "Accept": "text/event-stream"})
            return connection.getresponse().read().decode()
        finally:
            connection.close()

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


class Restarts(Asking):
    def test_a_token_is_good_from_the_first_moment_of_another_server(self):
        self.assertEqual(201, self.log_in("ops", OPS))
        token, answers = self.token, []

        def knock():
            while not answers:
                with contextlib.suppress(ConnectionError):
                    answers.append(self.ask("GET", "/v1/status", token).status)
        for _ in range(3):
            self.sluice.stop()
            answers.clear()
            knocking = threading.Thread(target=knock)
            knocking.start()
            self.start()
            knocking.join()
            self.assertEqual([200], answers)


class Guesses(Asking):
    """Wrong secrets over the limit are answered late, one a second of an address; a right one at once."""

    WAIT_MAX = 16  # HTTP_LATE_MAX

    def connect(self):
        with self.host.inside():
            connection = http.client.HTTPConnection("127.0.0.1", 8053, timeout=60)
            connection.connect()
        self.addCleanup(connection.close)
        return connection

    def guess(self, connection, secret="wrong-secret-0123456789"):
        connection.request("GET", "/v1/status", headers={"Authorization": "Bearer " + secret})
        response = connection.getresponse()
        response.read()
        return response.status

    def refused(self):
        return self.good("GET", "status").body["logins"]["refused"]

    def use_up(self):
        """What is free."""
        connection = self.connect()
        while self.refused() == 0:
            self.assertEqual(401, self.guess(connection))

    def fill(self, send):
        """Sends wrong secrets, each over a connection of its own, until as many as may wait do. Gives the connections
        on which they wait, and the answer to the one that was too many."""
        waiting = []
        for _ in range(100):  # more answers than are free while it sends these
            while len(waiting) <= self.WAIT_MAX:
                connection = self.connect()
                send(connection)
                waiting.append(connection)
            for ready in select.select([connection.sock for connection in waiting], [], [], dns.PATIENCE)[0]:
                connection = next(one for one in waiting if one.sock is ready)
                waiting.remove(connection)
                answer = connection.getresponse()
                if answer.status == 429:
                    return waiting, answer
                self.assertEqual(401, answer.status)  # one was free, or has waited
                connection.close()
        raise AssertionError("as many may wait as like")

    @contextlib.contextmanager
    def flood(self, count):
        """Gives the answers that so many connections, which are kept, get meanwhile."""
        ended, answers = threading.Event(), []

        def one(connection):
            while not ended.is_set():
                answers.append(self.guess(connection))

        threads = [threading.Thread(target=one, args=(self.connect(),)) for _ in range(count)]
        for thread in threads:
            thread.start()
        try:
            yield answers
        finally:
            ended.set()
            for thread in threads:
                thread.join()

    def test_one_connection_and_eight_have_about_a_guess_a_second(self):
        self.use_up()
        for count in (1, 8):
            began = time.monotonic()
            with self.flood(count) as answers:
                harness.wait_for(lambda: len(answers) >= 4, "some answers")
                seen, took = len(answers), time.monotonic() - began  # in this order
                # One is late each second, and one is free each six.
                self.assertLessEqual(seen, took + 1 + took / 6 + 1)
            self.assertEqual({401}, set(answers))

    def test_a_right_secret_is_answered_at_once_beside_a_flood(self):
        self.use_up()
        before = self.refused()
        with self.flood(12) as answers:
            harness.wait_for(lambda: self.refused() >= before + 12, "the flood")
            right = lambda: self.guess(self.connect(), OPS)
            for ask, status in [(right, 200)] * 20 + [(lambda: self.log_in("ops", OPS), 201)]:
                answered = len(answers)
                self.assertEqual(status, ask())
                # If it were late, it would wait behind eleven others.
                self.assertLess(len(answers) - answered, 11)

    def test_a_login_is_late_too_and_beyond_a_number_that_wait_it_is_429_and_the_end(self):
        body = json.dumps({"auth": {"identity": {"methods": ["password"], "password": {"user": {
            "name": "ops", "domain": {"id": "default"}, "password": "wrong-secret-0123456789"}}}}})

        def log_in(connection):
            connection.began = time.monotonic()
            connection.request("POST", "/v3/auth/tokens", body, {"Content-Type": "application/json"})

        self.use_up()
        late, answer = self.fill(log_in)
        self.assertEqual("close", answer.headers["Connection"].lower())
        self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
        self.assertEqual(401, late[0].getresponse().status)
        self.assertGreaterEqual(time.monotonic() - late[0].began, 0.99)  # of whole milliseconds

    def test_what_is_late_makes_room_and_hinders_no_end(self):
        self.use_up()
        late, _ = self.fill(lambda connection: connection.request(
            "GET", "/v1/status", headers={"Authorization": "Bearer wrong-secret-0123456789"}))
        kept = [self.connect() for _ in range(32 - 1 - len(late))]  # as many as an address may have, with that of use_up
        more = [self.connect() for _ in range(8)]  # use_up's may have left a place free
        ended = 0
        while ended < len(more) - 1:  # if others were closed, the test fails after its patience
            try:
                self.assertEqual(401, late.pop(0).getresponse().status)
            except (ConnectionError, http.client.HTTPException):
                ended += 1
        for connection in kept[:2] + more[:2]:
            self.assertEqual(200, self.guess(connection, OPS))
        self.sluice.stop()


if __name__ == "__main__":
    harness.main()
