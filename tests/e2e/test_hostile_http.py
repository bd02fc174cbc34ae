"""Hostile clients of the management API against a real server: whatever they send, DNS is answered, the
control socket is served, nothing changes without permission, and no connection is left when they are
gone."""

import concurrent.futures
import contextlib
import http.client
import json
import os
import re
import resource
import select
import shutil
import socket
import sqlite3
import ssl
import struct
import time
import unittest
import warnings

import dns
import harness
import test_reverse
from test_reverse import EYE, HERE, OPS

PORT, TLS_PORT = 8053, 8443
DNS = (HERE, 53)
MAX = 1024 * 1024
SOON_S = 2.5  # half of what one that says nothing is given (HTTP_IDLE_MS)
AUTH = "X-Auth-Token: %s\r\n" % OPS


class Hostile(test_reverse.Reverse):
    def connections(self):
        """Those at the URLs that the server has, or has not yet let go of."""
        with open("/proc/%d/net/tcp" % self.sluice.pid) as file:
            rows = [line.split() for line in file.readlines()[1:]]
        return sum(int(row[1].split(":")[1], 16) in (PORT, TLS_PORT) and row[3] != "0A" and row[9] != "0"
                   for row in rows)

    def unread(self):
        """Bytes at the URLs that the server has not taken yet."""
        with open("/proc/%d/net/tcp" % self.sluice.pid) as file:
            rows = [line.split() for line in file.readlines()[1:]]
        return sum(int(row[4].split(":")[1], 16) for row in rows
                   if int(row[1].split(":")[1], 16) in (PORT, TLS_PORT) and row[3] != "0A")

    def local_connections(self):
        """Those at the control socket that the server has not let go of."""
        with open("/proc/%d/net/unix" % self.sluice.pid) as file:
            return sum(line.rstrip().endswith("control.sock") and line.split()[5] == "03" for line in file)

    def left_alone(self):
        """No client's connection is left, and all is well."""
        harness.wait_for(lambda: self.connections() == 0, "connections to be closed", 120)
        self.healthy()

    def healthy(self):
        self.ptr_is("198.51.100.10", "app1.contoso.com.")
        status, text = self.command("status")
        self.assertEqual(0, status, text)

    def connect(self, port=PORT, source=HERE, **options):
        with self.host.inside():
            sock = socket.socket()
            self.addCleanup(sock.close)
            sock.settimeout(options.get("timeout", dns.PATIENCE))
            sock.bind((source, 0))
            sock.connect((HERE, port))
        return sock

    def addresses(self, count):
        """So many of the server's own that are not loopback, as clients' sources."""
        found = ["192.0.2.%d" % (i + 1) for i in range(count)]
        for address in found:
            self.host.run("ip", "address", "add", address + "/32", "dev", "lo")
        return found

    def raw(self, text, port=PORT, half_close=False):
        """What is answered until the server hangs up."""
        sock = self.connect(port)
        answer = b""
        with contextlib.suppress(OSError):
            sock.sendall(text if isinstance(text, bytes) else text.encode())
            if half_close:
                sock.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while piece := sock.recv(65536):
                answer += piece
        sock.close()
        return answer

    def status_of(self, answer):
        match = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
        return int(match.group(1)) if match else None

    def head(self, line, headers="", version="1.1"):
        if "Content-Type" not in headers:
            headers += "Content-Type: application/json\r\n"
        return "%s HTTP/%s\r\nHost: localhost\r\nConnection: close\r\n%s\r\n" % (line, version, headers)

    def asked(self, line, headers=AUTH, body="", version="1.1"):
        length = "Content-Length: %d\r\n" % len(body.encode()) if body else ""
        return self.raw(self.head(line, headers + length, version) + body)

    def code(self, line, **how):
        return self.status_of(self.asked(line, **how))


class Requests(Hostile):
    def test_targets(self):
        for line, status in (
                ("GET /v1/status", 200), ("GET //v1///status//", 200), ("GET /V1/STATUS", 200),
                ("GET http://127.0.0.1/v1/status", 200), ("GET https://localhost:1/v1/changes?limit=1", 200),
                ("GET http://other.example/v1/status", 421), ("GET https://a:1/v1/status?x", 421),
                ("GET /v1/./status", 404), ("GET /v1/../v1/status", 404),
                ("GET /v1/%2e%2e/status", 404), ("GET /v1%2fstatus", 404), ("GET /%2fv1/status", 404),
                ("GET /v1/status%00", 400), ("GET /v1/status%", 400), ("GET /v1/%ff", 400),
                ("GET /v1/%c0%af", 400), ("GET /v1/status#x", 404), ("GET v1/status", 400),
                ("GET *", 400), ("OPTIONS *", 400), ("CONNECT s:443", 400),
                ("GET /" + "a/" * 40, 404), ("GET /v1/status?" + "&".join("a" * 40), 400),
                ("GET /v1/explain?name=%", 400), ("GET /v1/explain?name=%ff", 400)):
            self.assertEqual(status, self.code(line), line)
        self.assertEqual(400, self.status_of(self.raw(b"GET /v1/\xff HTTP/1.1\r\nHost: localhost\r\n"
                                                      b"Connection: close\r\n%s\r\n" % AUTH.encode())))
        self.healthy()

    def test_methods_and_versions(self):
        for method, status in (("POST", 405), ("OPTIONS", 405), ("TRACE", 405), ("get", 405),
                               ("FROB", 405), ("PROPFIND", 405), ("HEAD", 200)):
            answer = self.asked(method + " /v1/status")
            self.assertEqual(status, self.status_of(answer), answer)
        self.assertEqual(b"", answer.split(b"\r\n\r\n", 1)[1])
        self.assertNotIn(OPS.encode(), self.asked("TRACE /v1/status"))
        self.assertEqual(200, self.code("GET /v1/status", version="1.0"))
        self.assertIn(b'"ok"', self.raw("GET /healthz HTTP/1.0\r\n\r\n"))
        for line in ("GET /v1/status HTTP/2.0", "GET /v1/status HTTP/0.9", "GET /v1/status FTP/1.1",
                     "GET /v1/status HTTP/1.1 more", "PRI * HTTP/2.0"):
            self.assertNotEqual(200, self.status_of(self.raw(line + "\r\nHost: localhost\r\n%s\r\n" % AUTH)), line)
        self.healthy()

    def test_bodies(self):
        put = "PUT /v1/ptrs/198.51.100.11"
        whole = '{"reverse_fqdn": "contosoopen.westeurope.cloudapp.azure.com."}'
        self.assertEqual(413, self.code(put, body=" " * (MAX + 1)))
        self.assertEqual(400, self.code(put, body=" " * MAX))
        self.assertEqual(413, self.code(put, headers=AUTH + "Content-Length: 99999999999\r\n"))
        for wrong in ("-1", "0x10", "10 10", "+5", "99999999999999999999999", "ten", ""):
            answer = self.raw(self.head(put, AUTH + "Content-Length: %s\r\n" % wrong) + whole,
                              half_close=True)
            self.assertIn(self.status_of(answer), (400, 413, None), (wrong, answer))
        # More than was promised is no part of it; less is no body.
        long = self.head(put, AUTH + "Content-Length: 5\r\n") + whole
        self.assertEqual(400, self.status_of(self.raw(long)))
        short = self.head(put, AUTH + "Content-Length: %d\r\n" % (len(whole) + 1)) + whole
        self.assertNotIn(self.status_of(self.raw(short, half_close=True)), (200, 201))
        chunks = self.head(put, AUTH + "Transfer-Encoding: chunked\r\n")
        for wrong in ("zz\r\n", "-1\r\nx\r\n", "ffffffffffffffffff\r\nx", "5\r\n{}", "2\r\n{}xx\r\n"):
            self.assertNotIn(self.status_of(self.raw(chunks + wrong, half_close=True)), (200, 201), wrong)
        self.assertEqual("INACTIVE", self.good("GET", "/v1/ptrs/198.51.100.11").body["status"])
        pieces = "".join("%x\r\n%s\r\n" % (len(piece), piece) for piece in (whole[:9], whole[9:]))
        self.assertEqual(201, self.status_of(self.raw(chunks + pieces + "0\r\n\r\n")))
        expects = self.head(put, AUTH + "Expect: 100-continue\r\nContent-Length: %d\r\n" % len(whole))
        answer = self.raw(expects + whole)
        self.assertEqual(100, self.status_of(answer))
        self.assertIn(b"HTTP/1.1 200 ", answer)
        unknown = self.raw(expects.replace(OPS, "wrong"))
        self.assertEqual(401, self.status_of(unknown))
        self.healthy()

    def test_heads_that_are_too_long(self):
        for text in (self.head("GET /" + "a" * 70000, AUTH),
                     self.head("GET /healthz", "X-Long: " + "a" * 70000 + "\r\n"),
                     self.head("GET /healthz", "X: y\r\n" * 20000),
                     "GET /healthz HTTP/1.1\r\n" + " folded\r\n" * 10000, "G" * 100000,
                     "GET /healthz HTTP/1.1\r\n: nameless\r\n\r\n", "\r\n" * 50000):
            status = self.status_of(self.raw(text, half_close=True))
            self.assertTrue(status is None or 400 <= status < 500, (status, text[:40]))
        self.healthy()

    def test_json(self):
        path = "/v1/ptrs/198.51.100.11"
        for body in ("[" * 100000, '{"a":' * 3000 + "1" + "}" * 3000, '{"ttl": NaN}', '{"ttl": Infinity}',
                     '{"ttl": 1e999}', '{"ttl": 99999999999999999999}', '{"ttl": 1.5}', '{"ttl": 01}',
                     '{"reverse_fqdn": "a.b.", "reverse_fqdn": "c.d."}', '{"reverse_fqdn": "a\\u0000b"}',
                     '{"reverse_fqdn": "\\ud800"}', '{"reverse_fqdn": "%s"}' % ("a." * 400000),
                     '{"reverse_fqdn": "a.b.", "description": "%s"}' % ("x" * 900000),
                     '{"reverse_fqdn": "a.b.", "description": "a\\nb"}',
                     '{"reverse_fqdn": "a.b.", "description": "a\\u009bb"}',
                     '{"%s": 1}' % ("k" * 900000), "{}{}", "\ufeff{}", "'a'", "", "null", "[]", "0",
                     json.dumps({str(i): i for i in range(50000)}),
                     '{"reverse_fqdn": {"a": 1}}', '{"reverse_fqdn": "a\\r\\nX-Evil: 1"}'):
            self.bad_v1(self.call("PUT", path, body.encode()), 400)
        for body in (b'{"reverse_fqdn": "\xff."}', b'{"reverse_fqdn": "a.b."\x00}', b"\x00", b"\xff\xfe{\0"):
            self.bad_v1(self.call("PUT", path, body), 400)
        self.assertEqual("INACTIVE", self.good("GET", path).body["status"])
        self.healthy()

    def test_nothing_that_is_sent_becomes_a_header_or_a_line_of_the_log(self):
        evil = "x%0d%0aX-Evil:%201%0d%0a%0d%0a"
        for line in ("GET /v1/addresses/%s/%s" % (evil, evil), "GET /v1/ptrs/" + evil,
                     "GET %s/%s" % (test_reverse.FIP, evil), "GET /v1/explain?name=" + evil,
                     "GET /v1/check?subject=" + evil,
                     "DELETE /subscriptions/%s/resourceGroups/%s?api-version=1"
                     % (test_reverse.SUBSCRIPTION, evil), "GET /v3?" + evil):
            head = self.asked(line).split(b"\r\n\r\n", 1)[0]
            self.assertNotIn(b"Evil", head, line)
        self.assertEqual(421, self.status_of(self.raw("GET /v3 HTTP/1.1\r\nHost: a\"b\r\n"
                                                      "Connection: close\r\n\r\n")))
        for group in ("a%0ab", "a%1bb", "a%c2%9bb", "a%7fb"):
            answer = self.call("PUT", "/v1/addresses/%s/x" % group, {"address": "198.51.100.77"})
            self.bad_v1(answer, 400, "invalid", "resource_group")
        for user in ("ops\\n2026-01-01T00:00:00Z error x: forged", "x" * 9000):
            self.call("POST", "/v3/auth/tokens", '{"auth": {"identity": {"methods": ["password"], '
                      '"password": {"user": {"name": "%s", "password": "p"}}}}}' % user, tcp=True)
        for line in self.sluice.log().splitlines():
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT[\d:.]+Z (error|warning|info|debug) \S+: ")
            self.assertNotIn("error x: forged", line.split(": ", 1)[0])

    def test_a_page_in_a_browser_may_nothing_and_is_told_nothing(self):
        origin = "Origin: http://evil.example\r\n"
        simple = origin + "Content-Type: text/plain\r\n"
        preflight = origin + "Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: x-auth-token\r\n"
        for line, headers, body, status in (
                ("OPTIONS /v1/ptrs/198.51.100.11", preflight, "", 401),
                ("OPTIONS /healthz", preflight, "", 401),
                ("POST /v1/reload", simple, "{}", 401), ("POST /v1/flush", simple, "{}", 401),
                ("POST /v1/flush", simple + "Cookie: token=%s\r\n" % OPS, "{}", 401),
                ("POST /v1/flush?token=" + OPS, simple, "{}", 401),
                ("GET /v1/status", origin, "", 401), ("GET /healthz", origin, "", 200),
                # not even with a secret, by which a browser would have had to ask first
                ("POST /v1/flush", simple + AUTH, "{}", 415),
                ("POST /v1/flush", origin + AUTH + "Content-Type: application/x-www-form-urlencoded\r\n",
                 "{}", 415)):
            answer = self.asked(line, headers=headers, body=body)
            self.assertEqual(status, self.status_of(answer), answer)
            self.assertNotIn(b"access-control", answer.lower())
        self.assertNotIn("dropped from the cache", self.sluice.log())

    def test_etags(self):
        path = "/v1/addresses/web/front"
        etag = self.good("PUT", path, {"address": "198.51.100.30"}, 201).etag
        for wrong in ("", '""', "x", etag.strip('"'), "W/" + etag, '"', ",", ",,,", "W/", 'W/"', "*x",
                      etag[:-1], '"a", "b"', "a" * 5000):
            answer = self.call("PATCH", path, {"tags": {"a": "b"}}, headers={"If-Match": wrong})
            self.bad_v1(answer, 412, "precondition_failed")
        for right in ("%s", '"a", %s', '"a",%s,"b"', "*%.0s"):
            etag = self.good("PATCH", path, {"tags": {"a": right}}, headers={"If-Match": right % etag}).etag
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda i: self.call(
                "PATCH", path, {"tags": {"writer": str(i)}}, headers={"If-Match": etag}), range(16)))
        self.assertEqual([200] + [412] * 15, sorted(answer.status for answer in answers))
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda i: self.call(
                "PUT", "/v1/addresses/web/new", {"tags": {"writer": str(i)}},
                headers={"If-None-Match": "*"}), range(16)))
        self.assertEqual([201] + [412] * 15, sorted(answer.status for answer in answers))


class Waiting(Hostile):
    def test_who_waits_for_a_generation_keeps_nobody_out(self):
        wait = "GET /readyz?generation=%d HTTP/1.1\r\nHost: %s\r\n\r\n" % (2 ** 63, HERE)
        waiting = [self.connect() for _ in range(24)]
        for sock in waiting:
            sock.sendall(wait.encode())
        while len(waiting) > 8:  # eight are taken, and the others refused
            for sock in select.select(waiting, [], [], dns.PATIENCE)[0]:
                self.assertTrue(sock.recv(4096).startswith(b"HTTP/1.1 503"))
                waiting.remove(sock)
        self.good("GET", "/v1/status", token=OPS)
        self.assertEqual(8, len(waiting))
        self.assertEqual([], select.select(waiting, [], [], 0)[0])  # they still wait


class Credentials(Hostile):
    def token(self):
        answer = self.call("POST", "/v3/auth/tokens", {"auth": {"identity": {
            "methods": ["password"], "password": {"user": {"name": "eye", "password": EYE}}}}}, tcp=True)
        self.assertEqual(201, answer.status, answer)
        return answer.headers["X-Subject-Token"]

    def test_a_token_that_was_tampered_with_is_none(self):
        token = self.token()
        self.good("GET", "/v1/status", token=token)
        self.bad_v1(self.call("POST", "/v1/flush", {}, token=token), 403)
        mark, end, number, client, mac = token.split(".")
        forged = [token[:i] + ("0" if token[i] != "0" else "1") + token[i + 1:]
                  for i in range(0, len(token), 3)]
        forged += [".".join((mark, end, number, "ops".encode().hex(), mac)), token[:-1], token + "0", token + ".",
                   ".".join((mark, "f" * 16, number, client, mac)), ".".join(("sluice1", end, client, mac)),
                   ".".join((mark, "7" + "f" * 15, number, client, mac)), ".".join((mark, end, client, mac)),
                   ".".join((mark, end, number, client, "")), ".".join((mark, end, number, "", mac)), mark + ".",
                   token.upper(), " " + token + "x", "sluice1." * 40, "a" * 20000]
        for each in forged:
            self.assertIn(self.call("GET", "/v1/status", token=each).status, (401, 429), each[:200])
        self.good("GET", "/v1/status", token=token)

    def test_a_client_logs_out_and_its_token_is_good_no_more(self):
        token, other = self.token(), None
        def log_out(ended, by):
            return self.call("DELETE", "/v3/auth/tokens", token=by, headers={"X-Subject-Token": ended} if ended else {})
        for ended in (None, "x", EYE, token[:-1]):
            self.assertEqual(404, log_out(ended, EYE).status, ended)
        self.assertEqual(204, log_out(token, token).status)
        self.bad_v1(self.call("GET", "/v1/status", token=token), 401)
        self.assertEqual(401, log_out(token, token).status)
        for _ in range(3):
            other, kept = self.token(), self.token()  # of one second, mostly
            self.good("GET", "/v1/status", token=other)
            self.assertEqual(204, log_out(other, OPS).status)  # an administrator ends anybody's
            self.bad_v1(self.call("GET", "/v1/status", token=other), 401)
            self.good("GET", "/v1/status", token=kept)
        # Nor is it after a crash.
        self.sluice.kill()
        self.start()
        self.good("GET", "/v1/status", token=kept)
        for ended in (token, other):
            self.bad_v1(self.call("GET", "/v1/status", token=ended), 401)
        self.assertEqual(403, log_out(self.call("POST", "/v3/auth/tokens", {"auth": {"identity": {
            "methods": ["password"], "password": {"user": {"name": "ops", "password": OPS}}}}},
            tcp=True).headers["X-Subject-Token"], EYE).status)

    def test_a_logout_that_cannot_be_kept_says_so_and_can_be_tried_again(self):
        token = self.token()
        store = sqlite3.connect(os.path.join(self.world.dir, "state.db"), isolation_level=None)
        store.execute("BEGIN IMMEDIATE")
        headers = {"X-Subject-Token": token}
        self.assertEqual(503, self.call("DELETE", "/v3/auth/tokens", token=EYE, headers=headers).status)
        self.bad_v1(self.call("GET", "/v1/status", token=token), 401)
        store.execute("ROLLBACK")
        self.assertEqual(204, self.call("DELETE", "/v3/auth/tokens", token=EYE, headers=headers).status)
        store.close()
        self.sluice.kill()
        self.start()
        self.bad_v1(self.call("GET", "/v1/status", token=token), 401)

    def test_a_deployment_that_was_made_is_answered_so_although_its_client_has_logged_out(self):
        token = self.call("POST", "/v3/auth/tokens", {"auth": {"identity": {
            "methods": ["password"], "password": {"user": {"name": "ops", "password": OPS}}}}},
            tcp=True).headers["X-Subject-Token"]
        group = "/subscriptions/%s/resourceGroups/late" % test_reverse.SUBSCRIPTION
        record_set = {"type": "Microsoft.Network/privateDnsZones/A", "apiVersion": "2020-06-01",
                      "copy": {"name": "sets", "count": 800},
                      "properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.0.0.1"}]}}
        template = {"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
                    "contentVersion": "1.0.0.0", "resources": [record_set]}
        version = "?api-version=2020-06-01"
        zone = group + "/providers/Microsoft.Network/privateDnsZones/late.test"
        self.good("PUT", group + version, {"location": "westeurope"}, 201)
        self.good("PUT", zone + version, {"location": "global"}, 201)
        with contextlib.closing(sqlite3.connect(os.path.join(self.world.dir, "state.db"), timeout=0,
                                                isolation_level=None)) as store, \
                concurrent.futures.ThreadPoolExecutor(1) as pool:
            def has_state():
                try:
                    store.execute("BEGIN IMMEDIATE")
                    store.execute("ROLLBACK")
                except sqlite3.OperationalError:
                    return True
                return False

            for number in range(10):  # until this sees a deployment that has the state
                record_set["name"] = "[concat('late.test/h%d-', copyIndex())]" % number
                waiting = pool.submit(self.call, "PUT", "%s/providers/Microsoft.Resources/deployments/d%d%s" % (
                    group, number, version), {"properties": {"mode": "Incremental", "template": template}}, token)
                if harness.wait_for(lambda: has_state() and "seen" or waiting.done() and "missed", "its turn") == "seen":
                    break
            else:
                self.fail("no deployment was seen at work")
            self.call("DELETE", "/v3/auth/tokens", token=OPS, headers={"X-Subject-Token": token})
            self.bad_v1(self.call("GET", "/v1/status", token=token), 401)
            self.assertEqual(201, waiting.result().status, waiting.result())
        self.good("GET", zone + "/A/h%d-799%s" % (number, version))

    def test_logouts_that_are_over_hide_no_other(self):
        token, end = self.token(), int(time.time()) - 1
        self.assertEqual(204, self.call("DELETE", "/v3/auth/tokens", token=EYE,
                                        headers={"X-Subject-Token": token}).status)
        self.assertEqual(0, self.sluice.stop())
        store = sqlite3.connect(os.path.join(self.world.dir, "state.db"))
        store.executemany("INSERT INTO pairs (key, value) VALUES ('use ' || ?, ? || ' 0')",
                          (("logout\t%d\t%032x\teye" % (end - i % 1000, i), end - i % 1000)
                           for i in range(100001)))
        store.commit()
        store.close()
        self.start()
        self.bad_v1(self.call("GET", "/v1/status", token=token), 401)

    def test_who_loses_its_rights_before_the_body_is_whole_changes_nothing(self):
        zone, ptr = "PUT /v1/private_zones/-/backdoor.test", {"reverse_fqdn": "backdoor.example.com"}
        cases = (("PUT /v1/ptrs/198.51.100.11", ptr, 0), (zone, {}, 10), (zone, {}, 40000),  # read in a thread
                 ("POST /v1/changes", {"edits": [{"path": "private_zones/-/backdoor.test", "values": {}}]}, 0))
        for _ in range(10):
            begun, waiting, statuses = time.monotonic(), [], []
            is_late = lambda: time.monotonic() >= begun + 5  # whoever sends nothing for so long is ended
            for line, values, blanks in cases:
                body = b" " * blanks + json.dumps(values).encode()
                sock = self.connect()
                sock.sendall(self.head(line, AUTH + "Content-Length: %d\r\n" % len(body)).encode() + body[:5])
                waiting.append((sock, body[5:]))
            harness.wait_for(lambda: self.connections() == len(cases) and self.unread() == 0 or is_late(),
                             "the heads to be read")
            self.forget("ops")
            for sock, rest in waiting:
                statuses.append(None)
                with contextlib.suppress(ConnectionError):
                    sock.sendall(rest)
                    statuses[-1] = self.status_of(sock.recv(65536))
                sock.close()
            self.assertFalse({200, 201} & set(statuses), statuses)
            if set(statuses) == {401} or not is_late():
                break
            self.sluice.reconfigure(self.config())
            self.assertEqual(0, self.command("reload")[0])
            harness.wait_for(lambda: self.connections() == 0, "connections to be closed")
        self.assertEqual([401] * len(cases), statuses)
        self.assertEqual("INACTIVE", self.good("GET", "/v1/ptrs/198.51.100.11").body["status"])
        self.assertEqual(404, self.call("GET", "/v1/private_zones/-/backdoor.test").status)

    def test_a_reader_changes_nothing(self):
        for method, path, body in (
                ("PUT", "/v1/ptrs/198.51.100.11", {"reverse_fqdn": "a.b."}), ("POST", "/v1/reload", None),
                ("DELETE", "/v1/ptrs/198.51.100.10", None), ("PUT", "/v1/state", {"version": 1}),
                ("DELETE", "/subscriptions/%s/resourceGroups/office?api-version=1"
                 % test_reverse.SUBSCRIPTION, None), ("PATCH", test_reverse.fip(self.key_of("open")),
                                                      {"ptrdname": "a.b."})):
            self.assertEqual(403, self.call(method, path, body, token=EYE).status)
            self.assertEqual(403, self.call(method, path, body, token=EYE, headers={
                "X-HTTP-Method-Override": "GET", "X-Forwarded-For": "127.0.0.1"}).status)
        self.assertEqual("INACTIVE", self.good("GET", "/v1/ptrs/198.51.100.11").body["status"])

    def test_headers_with_credentials_in_odd_forms(self):
        for headers in ("Authorization: %s\r\n" % OPS, "Authorization: Basic %s\r\n" % OPS,
                        "Authorization: Bearer\r\n", "Authorization: Bearer \r\n",
                        "Authorization: Bearer%s\r\n" % OPS, "X-Auth-Token:\r\n",
                        "X-Auth-Token: %s%s\r\n" % (OPS, OPS), "X-Auth-Token: %s\r\n" % OPS[:-1],
                        "X-Auth-Token: %s\r\n" % OPS.upper(), "Cookie: X-Auth-Token=%s\r\n" % OPS,
                        "X-Auth-Token: %s\r\n" % ("a" * 1025)):
            self.assertIn(self.code("GET /v1/status", headers=headers), (401, 429), headers)


class Pressure(Hostile):
    def test_slow_clients_are_hung_up_on_and_hold_nobody_up(self):
        for i in range(120):
            sock = self.connect(source="127.0.0.%d" % (10 + i % 7))
            with contextlib.suppress(ConnectionError):
                sock.sendall((b"", b"G", b"POST /v1/flush HTTP/1.1\r\nHost: localhost\r\nX-Half: ",
                              self.head("POST /v1/flush", AUTH + "Content-Length: 1000\r\n").encode() + b"{",
                              self.head("POST /v1/flush", AUTH + "Transfer-Encoding: chunked\r\n").encode()
                              + b"3e8\r\n{")[i % 5])
        for _ in range(20):
            self.healthy()
        self.left_alone()

    def drip(self, text, most):
        """Seconds until a client is hung up on that sends the text, and then a byte now and then."""
        begin = time.monotonic()  # first, because the server's time begins with the connection
        sock = self.connect(timeout=0.3)
        sock.sendall(text.encode())
        while time.monotonic() < begin + most:
            try:
                sock.send(b"a")
                if not sock.recv(1):
                    break
            except TimeoutError:
                pass
            except OSError:
                break
        return time.monotonic() - begin

    def test_a_head_has_five_seconds_in_all(self):
        taken = self.drip("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: ", 60)
        self.assertGreater(taken, 4)
        self.assertLess(taken, 30)  # each byte gives it no five seconds more: that would have no end

    def test_a_known_client_s_long_request_is_not_thrown_out_by_strangers(self):
        body = json.dumps({"reverse_fqdn": "www.example.com"})
        head = self.head("PUT /v1/ptrs/198.51.100.11", AUTH + "Content-Length: %d\r\n" % len(body))
        known = [self.connect() for _ in range(16)]  # as many as it may have
        for sock in known:
            sock.sendall(head.encode() + body[:5].encode())
        harness.wait_for(lambda: self.connections() == len(known) and self.unread() == 0, "them to be known")
        sources, sent = self.addresses(4), 5
        for number, source in enumerate([HERE] * 100 + sources * 40):
            with contextlib.suppress(OSError):
                self.connect(source=source).sendall(b"GET /v1/st")
            if number % 20 == 19:  # whoever sends nothing for five seconds is ended, on a slow machine, too
                for sock in known:
                    sock.sendall(body[sent:sent + 1].encode())
                sent += 1
        for sock in known:  # all of them, before the first answers: they may take long
            sock.sendall(body[sent:].encode())
        for sock in known:
            self.assertIn(self.status_of(sock.recv(65536)), (200, 201))
        self.left_alone()

    def test_idle_connections_of_one_reader_shut_nobody_out(self):
        """Not from the same address, nor from as many as there may be."""
        asks = self.head("GET /v1/status", "X-Auth-Token: %s\r\n" % EYE).replace("Connection: close\r\n", "")
        for sources in ([HERE], self.addresses(4)):
            idle = [self.connect(source=source) for source in sources for _ in range(32)]
            for sock in idle:
                with contextlib.suppress(OSError):
                    sock.sendall(asks.encode())
            harness.wait_for(lambda: self.connections() <= 16 and self.unread() == 0, "them to be idle")
            for _ in range(5):
                self.assertEqual(200, self.code("GET /v1/status"))
            for sock in idle:
                sock.close()
        self.left_alone()

    def test_clients_that_vanish_or_take_nothing(self):
        for i in range(60):
            sock = self.connect()
            if i % 3 == 0:  # a reset instead of an end
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with contextlib.suppress(ConnectionError):
                sock.sendall((self.head("GET /v1/check?subject=silent%d.example" % i, AUTH)
                              if i % 2 else self.head("GET /v1/addresses", AUTH)).encode())
            if i % 5:
                sock.close()
        self.healthy()
        self.left_alone()

    def flood(self, end):
        """Asks again and again, many at a time, until `end`; how often it was answered."""
        request, count = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50, 0
        while time.monotonic() < end[0]:
            with contextlib.suppress(OSError):
                sock = self.connect(timeout=2)
                while time.monotonic() < end[0]:
                    sock.sendall(request)
                    count += sock.recv(1 << 20).count(b"HTTP/1.1 200")
        return count

    def test_a_flood_keeps_neither_dns_nor_signals_nor_the_socket_waiting(self):
        end = [time.monotonic() + 10 * dns.PATIENCE]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            floods = [pool.submit(self.flood, end) for _ in range(4)]
            try:
                for _ in range(30):
                    self.ptr_is("198.51.100.10", "app1.contoso.com.")
                for _ in range(3):
                    self.assertEqual(0, self.command("status")[0])
                self.good("PUT", "/v1/ptrs/198.51.100.11", {"reverse_fqdn": "www.example.com"}, 201)
                self.ptr_is("198.51.100.11", "www.example.com.")
                self.sluice.signal(harness.signal.SIGHUP)
                harness.wait_for(lambda: "reload: reloaded" in self.sluice.log(), "the reload")
            finally:
                end[0] = 0
            self.assertGreater(sum(each.result() for each in floods), 0)
        self.left_alone()

    def test_a_flood_does_not_keep_it_from_ending(self):
        end = [time.monotonic() + 10 * dns.PATIENCE]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            floods = [pool.submit(self.flood, end) for _ in range(4)]
            try:
                harness.wait_for(lambda: self.connections() >= len(floods), "the floods")
                self.assertEqual(0, self.sluice.stop())
            finally:
                end[0] = 0
            for each in floods:
                each.result()

    def test_connections_are_bounded_for_each_source_and_in_all(self):
        loopback = ["127.0.0.%d" % (20 + i) for i in range(9)]  # which are one client
        for count, sources, most in ((100, loopback, 32), (120, self.addresses(9), 64)):
            socks = [self.connect(source=sources[i % len(sources)]) for i in range(count)]
            for sock in socks:
                with contextlib.suppress(ConnectionError):
                    sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: ")
            harness.wait_for(lambda: self.unread() == 0 and self.connections() == most, "connections")
            for _ in range(10):  # one over it is accepted before it is closed
                harness.wait_for(lambda: self.connections() <= most, "those over it to be closed", SOON_S)
                self.healthy()
            for sock in socks:
                sock.close()
        self.left_alone()

    def test_without_descriptors_it_waits_and_does_not_spin(self):
        self.sluice.reconfigure(self.config() + 'log = { level = "debug"; };')
        self.assertEqual(0, self.command("reload")[0])
        harness.wait_for(lambda: self.connections() + self.local_connections() == 0, "connections to be closed")
        pid = self.sluice.pid
        open_ = {int(fd) for fd in os.listdir("/proc/%d/fd" % pid)}
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        free = next(fd for fd in range(len(open_) + 1) if fd not in open_)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (free, before[1]))
        sock = self.connect()
        harness.wait_for(lambda: "resource limit" in self.sluice.log(), "the lack to be noticed")
        begin = time.monotonic()
        time.sleep(1)
        self.assertLess(self.sluice.log().count("resource limit"), 100 * (time.monotonic() - begin))
        self.ptr_is("198.51.100.10", "app1.contoso.com.")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        sock.sendall(self.head("GET /healthz").encode())
        self.assertEqual(200, self.status_of(sock.recv(65536)))

    def test_other_requests_while_it_reloads_and_when_it_ends(self):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(self.call, method, path, body) for _ in range(10) for method, path, body in (
                ("GET", "/v1/addresses", None), ("POST", "/v1/reload", None), ("POST", "/v1/flush", {}),
                ("PUT", "/v1/ptrs/198.51.100.11", {"reverse_fqdn": "www.example.com"}),
                ("GET", "/v1/check?subject=www.example.com", None), ("GET", "/v1/explain?name=a.b", None))]
            self.assertLessEqual({each.result().status for each in asked}, {200, 201})
        socks = [self.connect() for _ in range(30)]
        for i, sock in enumerate(socks):
            sock.sendall(self.head("GET /v1/check?subject=silent%d.example" % i, AUTH).encode())
        self.assertEqual(0, self.sluice.stop())


@unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
class Tls(Hostile):
    def start(self):
        self.certificate = self.world.certificate()
        config = self.config().replace(
            'listen = [ "http://127.0.0.1:8053" ];', 'listen = [ "http://127.0.0.1:8053", '
            '"https://127.0.0.1:8443" ]; certificate = "tls.pem"; key = "tls.key";')
        self.sluice = harness.Sluice(self.host, config, DNS)

    def test_slow_ones_of_every_kind_keep_no_real_client_waiting(self):
        """64 that say nothing, drip a head, or are stuck in a TLS handshake, and drip on."""
        for port in (PORT, TLS_PORT):
            for sources in ([HERE], self.addresses(8)):
                took = []
                while not took or took[-1] >= SOON_S and len(took) < 6:  # a busy machine is late now and then
                    took.append(self.longest_beside_slow_ones(port, sources))
                self.assertLess(took[-1], SOON_S, (port, sources, took))
        self.left_alone()

    def longest_beside_slow_ones(self, port, sources):
        """How long a real client has waited at most, of nine times, or the slow ones have."""
        hello = bytes.fromhex("1603010200010001fc0303") + b"\0" * 200
        slow = [self.connect(port, source=sources[i % len(sources)]) for i in range(64)]
        texts = [(b"", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: " if port == PORT
                  else hello)[i % 2] for i in range(64)]
        took = []
        for at in range(3):
            for sock, text in zip(slow, texts):
                with contextlib.suppress(ConnectionError):
                    sock.sendall(text[:len(text) // 2] if at == 0 else text[at - 4:at - 3])
            begin = time.monotonic()
            harness.wait_for(lambda: self.unread() == 0, "the slow ones to be taken")
            took.append(time.monotonic() - begin)
            for _ in range(3):
                begin = time.monotonic()
                self.assertEqual(200, self.code("GET /v1/status") if port == PORT else self.by_tls("/v1/status"))
                took.append(time.monotonic() - begin)
        for sock in slow:
            sock.close()
        return max(took)

    def by_tls(self, path):
        context = ssl.create_default_context(cafile=self.certificate)
        connection = http.client.HTTPSConnection(HERE, TLS_PORT, timeout=dns.PATIENCE, context=context)
        with self.host.inside():
            connection.request("GET", path, headers={"X-Auth-Token": OPS})
            answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status

    def handshake(self, version, ciphers):
        """(version, cipher), or None where the server does not want to."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with warnings.catch_warnings():  # of old versions
            warnings.simplefilter("ignore")
            context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, version)
        context.set_ciphers(ciphers + ":@SECLEVEL=0")
        try:
            with context.wrap_socket(self.connect(TLS_PORT)) as sock:
                return sock.version(), sock.cipher()[0]
        except (ssl.SSLError, ConnectionError):
            return None

    def test_tls_has_forward_secrecy_and_aead(self):
        self.world.certificate(key=["rsa:2048"])
        self.assertEqual(0, self.command("reload")[0])
        self.assertEqual("TLSv1.3", self.handshake("TLSv1_3", "ALL")[0])
        for name in ("ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256",
                     "ECDHE-RSA-CHACHA20-POLY1305"):
            self.assertEqual(("TLSv1.2", name), self.handshake("TLSv1_2", name))
        for name in ("AES128-GCM-SHA256", "AES256-SHA", "ECDHE-RSA-AES128-SHA",
                     "ECDHE-RSA-AES128-SHA256", "ECDHE-RSA-AES256-SHA384", "DHE-RSA-AES256-SHA", "DHE-RSA-AES128-GCM-SHA256",
                     "aNULL"):
            self.assertIsNone(self.handshake("TLSv1_2", name), name)
        for version in ("TLSv1_1", "TLSv1"):
            self.assertIsNone(self.handshake(version, "ALL"), version)

    def test_what_is_no_tls_and_half_of_it(self):
        self.assertEqual(200, self.by_tls("/v1/status"))
        hello = bytes.fromhex("1603010200010001fc0303")
        for text in (self.head("GET /v1/status", AUTH).encode(), b"\x16\x03\x01\xff\xff" + b"\0" * 70000,
                     os.urandom(5000), b"\x80\x2e\x01\x00\x02", hello + b"\0" * 300, b"\x15\x03\x03\0\2\2\x28",
                     b"\x16\x03\x03\0\0" * 3000):
            answer = self.raw(text, TLS_PORT, half_close=True)
            self.assertNotIn(b"200", answer[:20])
            self.assertNotIn(b"ok", answer)
        slow = [self.connect(TLS_PORT, source="127.0.0.%d" % (30 + i % 5)) for i in range(100)]
        for sock in slow:
            with contextlib.suppress(ConnectionError):
                sock.sendall(hello)
        self.healthy()
        self.left_alone()
        self.assertEqual(200, self.by_tls("/v1/status"))


if __name__ == "__main__":
    harness.main()
