"""Many PTRs at once: as JSON, as a spreadsheet's file, and in pages; what others get meanwhile."""

import concurrent.futures
import contextlib
import glob
import http.client
import itertools
import json
import os
import pty
import re
import select
import signal
import socket
import sqlite3
import subprocess
import threading

import dns
import harness
import test_reverse
from test_reverse import EYE, HERE, OPS, PORT

HEADER = "address,reverse_fqdn,description,ttl\n"
CSV = {"Content-Type": "text/csv"}


class Many(test_reverse.Reverse):
    def add_many(self, count):
        """Addresses 2001:db8:5::1 and so on, in one go."""
        self.good("PUT", "/v1/state", {"version": 1, "addresses": [
            {"name": "a%d" % i, "address": "2001:db8:5::%x" % i} for i in range(1, count + 1)]}, 204)

    def rows(self, count, domain="example"):
        return HEADER + "".join("2001:db8:5::%x,n%d.%s.,,\n" % (i, i, domain)
                                for i in range(1, count + 1))

    def import_(self, text, *options, status=0):
        path = self.world.write("ptrs.csv", text)
        got, printed = self.command("ptr", "import", *options, path)
        self.assertEqual(status, got, printed)
        return printed

    def six(self, number):
        return "2001:db8:5::%x" % number


class Batch(Many):
    def test_a_list_is_all_or_nothing_and_every_error_is_told(self):
        self.good("PUT", "/v1/ptrs/198.51.100.11", {"reverse_fqdn": "old.example."}, 201)
        self.good("PUT", "/v1/addresses/-/one", {"address": "198.51.100.30"}, 201)
        body = [{"address": "198.51.100.30", "reverse_fqdn": "new.example.", "ttl": 60},
                {"address": "198.51.100.11", "reverse_fqdn": None},
                {"address": "198.51.100.99", "reverse_fqdn": "x.example."},
                {"address": "198.51.100.10", "reverse_fqdn": "x.example."},
                {"address": "198.51.100.30", "reverse_fqdn": "twice.example."},
                {"address": "198.51.100.20", "reverse_fqdn": "x.example.", "ttl": -1},
                {"address": "198.51.100.20", "frob": 1}, 7, {"reverse_fqdn": "x.example."},
                {"address": "198.51.100.20"}]
        answer = self.call("POST", "/v1/ptrs", body)
        self.assertEqual((400, "invalid", "[2].address"), (
            answer.status, answer.body["error"]["code"], answer.body["error"]["path"]))
        self.assertRegex(answer.body["error"]["message"], "^8 rows do not fit, and nothing")
        self.assertEqual(
            [("[2].address", "invalid"), ("[3]", "read_only"), ("[4]", "taken"),
             ("[5].ttl", "invalid"), ("[6].frob", "invalid"), ("[7]", "invalid"),
             ("[8].address", "invalid"), ("[9].reverse_fqdn", "invalid")],
            [(error["path"], error["code"]) for error in answer.body["errors"]])
        self.assertEqual(8, answer.body["count"])
        self.ptr_is("198.51.100.11", "old.example.")
        self.ptr_is("198.51.100.30")
        answer = self.good("POST", "/v1/ptrs", body[:2])
        self.assertEqual({"set": 1, "removed": 1, "unchanged": 0, "made": 0, "dry_run": False}, answer.body)
        self.ptr_is("198.51.100.11")
        self.ptr_is("198.51.100.30", "new.example.", ttl=60)
        self.assertEqual({"set": 0, "removed": 0, "unchanged": 2, "made": 0, "dry_run": False},
                         self.good("POST", "/v1/ptrs", body[:2]).body)
        self.restart()
        self.ptr_is("198.51.100.30", "new.example.", ttl=60)

    def test_what_a_list_showed_can_be_sent_back(self):
        listed = self.good("GET", "/v1/ptrs").body
        self.assertEqual({"set": 0, "removed": 0, "unchanged": 3, "made": 0, "dry_run": False},
                         self.good("POST", "/v1/ptrs", listed).body)

    def test_bad_bodies_and_readers_are_refused(self):
        for body in ({}, 5, "null", None, '"x"'):
            self.bad_v1(self.call("POST", "/v1/ptrs", body), 400, "invalid")
        self.bad_v1(self.call("POST", "/v1/ptrs?dry_run=maybe", []), 400, "invalid", "dry_run")
        self.bad_v1(self.call("POST", "/v1/ptrs", "[" + " " * 2 ** 20 + "]"), 413)
        self.bad_v1(self.call("POST", "/v1/ptrs", [], token=EYE), 403)
        self.good("POST", "/v1/ptrs", [], token=OPS)
        for text in ("", "frob,reverse_fqdn\n", "address\n", "address,reverse_fqdn,ptrdname\n",
                     "a\"b,c\n"):
            self.bad_v1(self.call("POST", "/v1/ptrs", text, headers=CSV), 400, "invalid")

    def test_a_service_s_new_name_must_be_known_to_be_its_subscription_s(self):
        self.good("PUT", "/v1/services/shop", {"address": "198.51.100.40",
                                               "reverse_fqdn": "shop.cloudapp.net."}, 201)
        row = {"address": "198.51.100.40", "reverse_fqdn": "bank.example."}
        answer = self.call("POST", "/v1/ptrs", [row])
        self.assertEqual((400, "[0].reverse_fqdn"), (answer.status,
                                                     answer.body["errors"][0]["path"]))
        self.ptr_is("198.51.100.40", "shop.cloudapp.net.")
        self.good("POST", "/v1/ptrs", [dict(row, reverse_fqdn="shop.cloudapp.net", ttl=60)])
        self.ptr_is("198.51.100.40", "shop.cloudapp.net.", ttl=60)
        self.good("POST", "/v1/ptrs", [dict(row, reverse_fqdn=None)])
        self.ptr_is("198.51.100.40")
        name = self.good("GET", "/v1/addresses/office/open").body["fqdn"]
        self.good("POST", "/v1/ptrs", [dict(row, reverse_fqdn=name)])
        self.ptr_is("198.51.100.40", name)

    def test_only_so_many_errors_are_listed(self):
        answer = self.call("POST", "/v1/ptrs", [7] * 150)
        self.assertEqual((100, 150), (len(answer.body["errors"]),
                                      answer.body["count"]))

    def test_a_file_may_be_as_long_as_configured(self):
        self.sluice.reconfigure(self.config(" upload_max = 2000;"))
        self.assertEqual(0, self.command("reload")[0])
        text = HEADER + "198.51.100.11,a.example.,,\n"
        fill = "\n" * (2000 - len(text))
        self.good("POST", "/v1/ptrs", text + fill, headers=CSV)
        self.bad_v1(self.call("POST", "/v1/ptrs", text + fill + "\n", headers=CSV), 413)
        self.assertIn("management.upload_max", self.import_(text + fill + "\n", status=1))


class Files(Many):
    def test_a_spreadsheets_file_goes_in_and_comes_out(self):
        self.add_many(3)
        printed = self.import_(
            "\ufeffaddress,ptrdname,ttl,description\r\n"
            "198.51.100.11,a.example,,=1+1\r\n"
            "\"2001:db8:5::1\",b.example.,60,\"say \"\"hi\"\", \u00e9\"\r\n"
            "\r\n"
            "2001:db8:5::2,,,\r\n")
        self.assertEqual("2 PTRs set, 0 removed, 1 were so already\n", printed)
        self.ptr_is(self.six(1), "b.example.", ttl=60)
        status, listed = self.command("ptr", "list", "--csv")
        self.assertEqual(0, status, listed)
        self.assertEqual(
            HEADER + "198.51.100.10,app1.contoso.com.,mail,300\n"
            "198.51.100.11,a.example.,\"'=1+1\",\n"
            "2001:db8:5::1,b.example.,\"say \"\"hi\"\", \u00e9\",60\n"
            "2001:db8:5::2,,,\n2001:db8:5::3,,,\n"
            "198.51.100.20,filedsvc.cloudapp.net.,,\n", listed)
        self.assertEqual("=1+1", self.good("GET", "/v1/ptrs/198.51.100.11").body["description"])
        self.assertEqual("0 PTRs set, 0 removed, 6 were so already\n", self.import_(listed))
        self.assertEqual(listed.splitlines()[:3], self.command("ptr", "list", "--csv", "--limit", "2")[1].splitlines())
        self.assertEqual(HEADER + "198.51.100.11,a.example.,\"'=1+1\",\n",
                         self.command("ptr", "list", "--csv", "--filter", "q=a.example")[1])
        changed = listed.replace("a.example.,\"'=1+1\"", ",").replace("b.example.", "c.example.")
        self.assertEqual("1 PTRs would be set, 1 would be removed, 4 are so already; nothing was done (--dry-run)\n",
                         self.import_(changed, "--dry-run"))
        self.ptr_is(self.six(1), "b.example.", ttl=60)
        self.assertEqual({"set": 1, "removed": 1, "unchanged": 4, "made": 0, "dry_run": False},
                         json.loads(self.import_(changed, "--json")))
        self.ptr_is(self.six(1), "c.example.", ttl=60)
        self.ptr_is("198.51.100.11")

    def test_a_24_of_addresses_that_are_not_there_is_one_command(self):
        text = "address,reverse_fqdn\n" + "".join(
            "198.51.100.%d,h%d.example.\n" % (n, n) for n in range(30, 255)) + "198.51.100.29,\n2001:db8:5::,six.example\n"
        printed = self.import_(text, status=1)
        self.assertIn("ptrs.csv:2: address: \"198.51.100.30\" is not an address or id that we own; add the address first, or give --make",
                      printed)
        self.assertIn("nothing has changed", printed)
        self.assertEqual("226 PTRs would be set, 0 would be removed, 1 are so already; nothing was done (--dry-run)\n"
                         "226 addresses would be made\n", self.import_(text, "--make", "--dry-run"))
        self.ptr_is("198.51.100.30")
        self.assertEqual("226 PTRs set, 0 removed, 1 were so already\n226 addresses made\n", self.import_(text, "--make"))
        # It is served as soon as the command returns.
        self.assertEqual(["h254.example."], self.asked("198.51.100.254"))
        self.assertEqual({"ACTIVE"}, {ptr["status"] for ptr in self.good("GET", "/v1/ptrs?limit=1000").body["ptrs"]
                                      if ptr["reverse_fqdn"]})
        self.ptr_is("2001:db8:5::", "six.example.")
        self.assertEqual("198.51.100.77", self.good("GET", "/v1/addresses/-/198.51.100.77").body["address"])
        self.assertEqual("2001:db8:5::", self.good("GET", "/v1/addresses/-/2001-db8-5--0").body["address"])
        self.assertEqual(404, self.call("GET", "/v1/ptrs/198.51.100.29").status)
        self.assertEqual("0 PTRs set, 0 removed, 227 were so already\n", self.import_(text, "--make"))
        self.assertIn("created 226 addresses", self.command("history")[1])

    def test_an_address_that_an_earlier_row_makes_is_found_however_far_behind(self):
        text = "address,reverse_fqdn\n" + "".join(
            "198.51.100.%d,h%d.example.\n" % (n, n) for n in range(30, 255)) + "198.51.100.30,again.example.\n"
        self.assertIn("ptrs.csv:227: another row before this one", self.import_(text, "--make", status=1))
        self.assertEqual(404, self.call("GET", "/v1/addresses/-/198.51.100.31").status)

    def test_an_address_that_a_row_makes_has_one_row_with_a_name_or_without(self):
        rows = "198.51.100.30,a.example.\n198.51.100.30,\n"
        self.assertIn("ptrs.csv:3: another row before this one",
                      self.import_("address,reverse_fqdn\n" + rows, "--make", status=1))

    def test_what_no_pool_has_is_never_made(self):
        text = "address,reverse_fqdn\n198.51.100.30,a.example.\n198.51.99.30,b.example.\n198.51.100.30,c.example.\n10.10.0.9,d.example\nx,\n"
        printed = self.import_(text, "--make", status=1)
        self.assertIn("ptrs.csv:3: address: \"198.51.99.30\" is in none of our address pools", printed)
        self.assertIn("ptrs.csv:4: another row before this one", printed)
        self.assertIn("ptrs.csv:5: address: \"10.10.0.9\" is in none of our address pools", printed)
        self.assertIn("ptrs.csv:6: address: \"x\" is no address", printed)
        self.assertEqual(404, self.call("GET", "/v1/addresses/-/198.51.100.30").status)

    def test_one_that_is_not_there_is_made_and_served(self):
        status, printed = self.command("ptr", "set", "198.51.100.77", "mail.contoso.com")
        self.assertEqual(1, status)
        self.assertIn('"198.51.100.77" is not an address or id that we own; add the address first, or give --make', printed)
        self.assertEqual(404, self.call("GET", "/v1/addresses/-/198.51.100.77").status)
        status, printed = self.command("ptr", "set", "198.51.100.77", "mail.contoso.com", "--make", "--ttl", "60")
        self.assertEqual(0, status, printed)
        self.assertRegex(printed, "(?m)^status +ACTIVE$")
        self.assertEqual(["mail.contoso.com."], self.asked("198.51.100.77"))
        self.assertIn("warning", printed)  # its name leads to 198.51.100.11
        status, printed = self.command("ptr", "set", "198.51.100.77", "other.contoso.com", "--make")
        self.assertEqual(0, status, printed)
        self.assertEqual(["other.contoso.com."], self.asked("198.51.100.77"))
        self.assertEqual((1, True), self.refused("ptr", "set", "198.51.99.77", "mail.contoso.com", "--make"))
        self.good("PUT", "/v1/addresses/-/198.51.100.78", {"address": "198.51.100.79"}, 201)
        self.assertIn("is called", self.command("ptr", "set", "198.51.100.78", "x.example", "--make")[1])
        self.assertEqual("198.51.100.79", self.good("GET", "/v1/addresses/-/198.51.100.78").body["address"])
        self.command("ptr", "set", "198.51.100.80", "dry.example", "--make", "--dry-run")
        self.assertEqual(404, self.call("GET", "/v1/ptrs/198.51.100.80").status)

    def refused(self, *argv):
        status, printed = self.command(*argv)
        return status, "is in none of our address pools" in printed

    def asked(self, address):
        """The names that it is answered with now, at once."""
        return self.host.ask((HERE, 53), harness.reverse_name(address), "PTR").texts()

    def test_what_does_not_fit_is_told_by_its_line(self):
        self.add_many(2)
        printed = self.import_(
            HEADER + "2001:db8:5::1,fine.example.,,\n"
            "2001:db8:5::1,twice.example.,,\n"
            "2001:db8:5::2,x.example.,\"two\nlines\",5x\n"
            "2001:db8:5::2,x.example.\n"
            "2001:db8:5::9,x.example.,,\n"
            "2001:db8:5::2,\"x\"y,,\n"
            "2001:db8:5::2,*.example.,,\n", status=1)
        path = os.path.join(self.world.dir, "ptrs.csv")
        for line, text in ((3, "another row"), (4, "ttl: "), (6, "it has 2 fields"),
                           (7, "address: "), (8, "something follows"), (9, "reverse_fqdn: ")):
            self.assertIn("%s:%d: %s" % (path, line, text), printed)
        self.assertIn("6 rows of %s do not fit; nothing has changed" % path, printed)
        self.ptr_is(self.six(1))
        latin = self.world.write("latin.csv", "")
        with open(latin, "wb") as file:
            file.write(HEADER.encode() + b"2001:db8:5::1,x.example.,\xe9,\n")
        status, printed = self.command("ptr", "import", latin)
        self.assertEqual(1, status)
        self.assertIn("latin.csv:2: description: character 1 is not UTF-8 (byte E9)", printed)
        status, printed = self.command("ptr", "import", "missing.csv")
        self.assertEqual(1, status)
        self.assertIn("missing.csv", printed)

    def test_standard_input_is_a_file_too(self):
        status, printed = harness.command("ptr", "import", "-c", self.sluice.config, "-",
                                          input=HEADER + "198.51.100.11,a.example.,,\n")
        self.assertEqual((0, "1 PTRs set, 0 removed, 0 were so already\n"), (status, printed))


class Pages(Many):
    def pages(self, path, key):
        while path:
            body = self.good("GET", path).body
            yield [row["name"] for row in body[key]]
            path = body["next"]

    def test_a_list_comes_in_pages(self):
        self.add_many(2100)
        self.good("PUT", "/v1/services/shop", {"address": "198.51.100.40"}, 201)
        names = ["a%d" % i for i in range(1, 2101)]
        pages = list(self.pages("/v1/addresses", "addresses"))
        self.assertEqual([1000, 1000, 102], [len(page) for page in pages])
        self.assertEqual(["filed", "open"] + names, sum(pages, []))
        pages = list(self.pages("/v1/ptrs?limit=2102", "ptrs"))
        self.assertEqual([2102, 2], [len(page) for page in pages])
        self.assertEqual(["filed", "open"] + names + ["filedsvc", "shop"], sum(pages, []))
        self.assertEqual([["filedsvc"], ["shop"]], list(self.pages("/v1/services?limit=1",
                                                                   "services")))
        status, text = self.command("ptr", "list", "--json")
        self.assertEqual((0, 2104), (status, len(json.loads(text)["ptrs"])))
        status, text = self.command("address", "list")
        self.assertEqual((0, 2103), (status, len(text.splitlines())))
        status, text = self.command("ptr", "list", "--csv")
        self.assertEqual((0, 2105), (status, len(text.splitlines())))

    def test_a_page_begins_behind_what_went_meanwhile(self):
        self.add_many(4)
        first = self.good("GET", "/v1/addresses?limit=4").body
        self.assertEqual(["filed", "open", "a1", "a2"], [row["name"] for row in first["addresses"]])
        self.good("DELETE", "/v1/addresses/-/a2", status=204)
        second = self.good("GET", first["next"]).body
        self.assertEqual(["a3", "a4"], [row["name"] for row in second["addresses"]])
        self.assertIsNone(second["next"])

    def test_limits_have_limits(self):
        for limit in ("0", "5001", "-1", "x", "", "1x"):
            self.bad_v1(self.call("GET", "/v1/ptrs?limit=" + limit), 400, "invalid", "limit")
        self.good("GET", "/v1/ptrs?limit=5000")
        self.bad_v1(self.call("GET", "/v1/addresses?marker=x"), 400, "invalid", "marker")
        for query in ("owner", "limit=1&label=x", "$filter=x"):
            self.bad_v1(self.call("GET", "/v1/ptrs?" + query), 400, "invalid",
                        query.split("&")[-1].split("=")[0], "take limit, marker, q, and the members: ")


class Meanwhile(Many):
    COUNT = 20000

    def start_import(self, count=COUNT, domain="example"):
        """In a thread, all of it sent; gives it, and the list that its answer comes to."""
        answers, sent = [], threading.Event()

        def run():
            connection = harness.UnixConnection(self.sluice.socket)
            with contextlib.suppress(OSError, http.client.HTTPException):  # where it is killed
                connection.request("POST", "/v1/ptrs", self.rows(count, domain), CSV)
                sent.set()
                answers.append(test_reverse.Answer(connection.getresponse()))
            connection.close()
        thread = threading.Thread(target=run)
        thread.start()
        self.assertTrue(sent.wait(dns.PATIENCE))
        return thread, answers

    def is_healthy(self):
        """It answers, whatever else it has to do."""
        return self.good("GET", "/healthz").status == 200

    def test_others_are_served_and_changes_wait(self):
        self.add_many(self.COUNT)
        self.good("PUT", "/v1/private_zones/-/made.test", {}, 201)
        self.good("PUT", "/v1/private_zones/-/made.test/record_sets/a:A", {"records": ["10.0.0.1"]}, 201)
        thread, answers = self.start_import()
        asked = 0
        self.sluice.signal(signal.SIGHUP)
        while asked == 0 or thread.is_alive():
            self.assertTrue(self.is_healthy())
            self.good("GET", "/v1/changes?after=1")
            self.good("GET", "/v1/private_zones/-/made.test/record_sets/a:A")
            if asked % 20 == 0:
                self.good("PUT", "/v1/ptrs/198.51.100.11", {"reverse_fqdn": "n%d.example." % asked},
                          201 if asked == 0 else 200)
            asked += 1
        thread.join()
        self.assertEqual({"set": self.COUNT, "removed": 0, "unchanged": 0, "made": 0, "dry_run": False},
                         answers[0].body)
        self.ptr_is(self.six(1), "n1.example.")
        self.ptr_is(self.six(self.COUNT), "n%d.example." % self.COUNT)
        harness.wait_for(lambda: "reloaded" in self.sluice.log(), "the reload")
        self.ptr_is(self.six(self.COUNT), "n%d.example." % self.COUNT)
        owned = self.sluice.status()["owned"][0]
        self.assertEqual(self.COUNT + 3, owned["ptrs"])

    def test_one_reader_s_exports_hold_up_neither_changes_nor_who_else_exports(self):
        """All is asked while the server stands still, so none of it is late. What an export has in it
        tells whether it was begun before the change."""
        self.add_many(self.COUNT)
        with contextlib.ExitStack() as stack:
            def ask(token, method="GET", path="/v1/state", body=None):
                connection = stack.enter_context(contextlib.closing(http.client.HTTPConnection(HERE, PORT, timeout=120)))
                with self.host.inside():
                    connection.connect()
                connection.request(method, path, body, {"X-Auth-Token": token, "Content-Type": "application/json"})
                return connection

            def ptrs(connection):
                return [ptr["reverse_fqdn"] for ptr in json.load(connection.getresponse())["ptrs"]]
            self.sluice.signal(signal.SIGSTOP)
            exports = [ask(EYE) for _ in range(12)]
            change = ask(OPS, "PUT", "/v1/ptrs/198.51.100.11", '{"reverse_fqdn": "changed.example."}')
            other = ask(OPS)
            self.sluice.signal(signal.SIGCONT)
            self.assertEqual(201, change.getresponse().status)
            self.assertTrue(select.select([other.sock], [], [], dns.PATIENCE)[0])
            ended, _, _ = select.select([one.sock for one in exports], [], [], 0)
            self.assertLess(len(ended), len(exports))
            self.assertIn("changed.example.", ptrs(other))
            after = sum("changed.example." in ptrs(one) for one in exports)
        self.ptr_is("198.51.100.11", "changed.example.")
        self.assertGreater(after, len(exports) // 2)

    def work(self):
        return self.good("GET", "/v1/status").body["work"]

    def test_who_loses_its_rights_while_it_waits_changes_nothing(self):
        """Behind a longer work: a client that was removed, and an administrator who is a reader now."""
        self.add_many(self.COUNT)
        path = "/v1/private_zones/-/backdoor.test"
        for config, status, text in ((lambda text: re.sub(r'\{ id = "ops";[^}]*\},', "", text), 401, "rights have ended"),
                                 (lambda text: text.replace('secret_file = "ops.secret"; role = "admin"',
                                                            'secret_file = "ops.secret"; role = "reader"'), 403,
                                  "is a reader")):
            changed = config(self.config())
            self.assertNotEqual(changed, self.config())
            thread, _ = self.start_import(domain="before%d.example" % status)  # each row changes, which takes its time
            harness.wait_for(lambda: self.work(), "the import to begin")
            self.sluice.signal(signal.SIGSTOP)  # until all that has to wait for the import is there
            self.sluice.reconfigure(changed)
            self.sluice.signal(signal.SIGHUP)
            harness.wait_for(lambda: harness.is_pending(self.sluice.pid, signal.SIGHUP), "the master to pass the signal on")
            with contextlib.closing(http.client.HTTPConnection(HERE, PORT, timeout=5 * dns.PATIENCE)) as waiting:
                with self.host.inside():
                    waiting.connect()
                waiting.request("PUT", path, "{}", {"X-Auth-Token": OPS, "Content-Type": "application/json"})
                self.sluice.signal(signal.SIGCONT)
                thread.join()
                self.bad_v1(test_reverse.Answer(waiting.getresponse()), status, text=text)
            self.assertEqual(404, self.call("GET", path).status)
            self.sluice.reconfigure(self.config())
            self.assertEqual(0, self.command("reload")[0])

    def test_the_status_has_the_longest_turn_of_the_control_thread(self):
        longest = lambda: self.good("GET", "/v1/status").body["longest_turn"]
        self.good("PUT", "/v1/addresses/web/front", {"address": "198.51.100.30"}, 201)
        harness.wait_for(lambda: longest()["cpu_ms"] > 0, "a turn behind which there was another")
        self.assertRegex(longest()["at"], "^20")

    def test_the_status_has_how_far_it_is(self):
        self.add_many(self.COUNT)
        harness.wait_for(lambda: self.work() is None, "the end of what was added")
        numbers = itertools.count()

        def is_seen():
            """Whether it was looked at while the rows were. Each row changes, which takes its time."""
            thread, answers = self.start_import(domain="again%d.example" % next(numbers))
            seen = []
            while thread.is_alive():
                seen.append((self.work() or {"percent": None})["percent"])
            thread.join()
            self.assertEqual(200, answers[0].status)
            known = [percent for percent in seen if percent is not None]
            self.assertEqual(sorted(known), known)
            return any(0 < percent <= 100 for percent in known)
        harness.wait_for(is_seen, "it to be seen at work", 120)
        harness.wait_for(lambda: self.work() is None, "the work's end")

    def test_it_ends_in_order_and_all_or_nothing_is_there(self):
        """So many that it is under way, and few enough for the seconds that the master gives a stop."""
        count = self.COUNT // 10
        self.add_many(count)
        thread, _ = self.start_import(count)
        self.is_healthy()
        self.assertEqual(0, self.sluice.stop())
        thread.join()
        self.start()
        ptrs = self.sluice.status()["owned"][0]["ptrs"]
        self.assertIn(ptrs, (2, count + 2))

    def test_a_kill_leaves_all_or_nothing(self):
        self.add_many(self.COUNT)
        thread, _ = self.start_import()
        for _ in range(5):
            self.is_healthy()
        self.sluice.kill()
        thread.join()
        self.start()
        ptrs = self.sluice.status()["owned"][0]["ptrs"]
        self.assertIn(ptrs, (2, self.COUNT + 2))


class LongAnswers(Many):
    ZONE, READERS = 100000, 12

    def config(self, more=""):
        return super().config(more) + '''
private_zones = ( { name = "big.test"; file = "big.zone";
                    links = ( { name = "l"; virtual_network = "hub"; } ); } );
limits = { record_sets_per_zone = 10000000; };
'''

    def build(self, world):
        world.write("big.zone", "".join("n%d 300 IN A 10.%d.%d.%d\n" % (i, i >> 16, i >> 8 & 255, i & 255)
                                        for i in range(self.ZONE)))
        super().build(world)

    def import_some(self, count, domain):
        self.good("POST", "/v1/ptrs", self.rows(count, domain), headers=CSV)

    def test_one_reader_s_master_files_hold_up_no_change(self):
        self.add_many(500)
        path, statuses, sent = "/v1/private_zones/-/big.test/master_file", [], []
        upload = json.dumps({"text": "".join("n%d A 10.0.0.1\n" % i for i in range(50000))})

        def ask(method, body):
            with self.host.inside(), contextlib.closing(http.client.HTTPConnection(HERE, PORT)) as connection:
                connection.request(method, path, body, {"X-Auth-Token": EYE, "Content-Type": "application/json"})
                sent.append(True)
                answer = connection.getresponse()
                answer.read()
                statuses.append(answer.status)

        def answered_meanwhile(method, body, again):
            """How many answers the reader got during a change."""
            threads = [threading.Thread(target=ask, args=(method, body)) for _ in range(self.READERS)]
            for thread in threads:
                thread.start()
            harness.wait_for(lambda: len(sent) == len(threads), "them to be asked for")
            harness.wait_for(lambda: statuses, "the first answer")
            before = len(statuses)
            self.import_some(500, "%s%d.example" % (method.lower(), again))
            meanwhile = len(statuses) - before
            for thread in threads:
                thread.join()
            self.assertEqual([200] * len(threads), statuses)
            sent.clear()
            statuses.clear()
            return meanwhile
        for method, body in (("GET", None), ("POST", upload)):
            # If this process stands still, more answers come; but a change that is held up waits for all of them each time.
            self.assertTrue(any(answered_meanwhile(method, body, again) < 4 for again in range(8)), method)

    def test_the_log_stays_short_beside_an_export_behind_another(self):
        self.add_many(2000)
        log, stop, exported = os.path.join(self.world.dir, "state.db-wal"), threading.Event(), []

        def export():
            while not stop.is_set():
                exported.append(self.call("GET", "/v1/state", token=EYE).status)
        threads = [threading.Thread(target=export) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            for i in range(16):  # of 2 MiB each
                self.import_some(2000, "d%d.example" % i)
                count = len(exported)
                harness.wait_for(lambda: len(exported) > count + 2, "exports behind the change", 120)
                if i == 4:
                    before = os.path.getsize(log)
            self.assertLess(os.path.getsize(log) - before, 8 << 20)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual({200}, set(exported))


class Terminal(Many):
    """What a terminal shows during an import; the server waits until each step has been shown."""

    def build(self, world):
        self.host = world.host("cloud")

    def serve(self, listener, told):
        """Answers the import when the status has been asked for often enough."""
        importing, _ = listener.accept()
        with importing:
            got = b""
            while not got.endswith(b"a.example.\n"):
                got += importing.recv(65536)
            for percent in told:
                asking, _ = listener.accept()
                with asking:
                    asking.recv(65536)
                    self.answer(asking, {"work": percent})
            self.answer(importing, {"set": 1, "removed": 0, "unchanged": 0, "made": 0, "dry_run": False})

    @staticmethod
    def answer(connection, body):
        text = json.dumps(body).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
                           % (len(text), text))

    def test_the_import_tells_how_far_it_is(self):
        path = os.path.join(self.world.dir, "control.sock")
        rows = self.world.write("one.csv", HEADER.split(",desc")[0] + "\n198.51.100.11,a.example.\n")
        config = self.world.write("sluice.conf", "")
        told = [None, {"percent": None}, {"percent": 0}, {"percent": 71}, {"percent": 100}]
        screen, terminal = pty.openpty()
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            server = threading.Thread(target=self.serve, args=(listener, told), daemon=True)
            server.start()
            with open(screen, "rb", buffering=0) as seen, open(terminal, "wb") as stderr:
                child = subprocess.Popen([harness.SLUICE, "ptr", "import", "-c", config, "--socket",
                                          path, rows], stderr=stderr, stdout=subprocess.PIPE)
                stderr.close()
                text = b""
                with contextlib.suppress(OSError):  # the terminal's end
                    while chunk := seen.read(4096):
                        text += chunk
                self.assertEqual((b"1 PTRs set, 0 removed, 0 were so already\n", 0),
                                 (child.communicate()[0], child.returncode))
            server.join()
        lines = [line for line in text.decode().replace("\x1b[K", "").split("\r") if line]
        self.assertEqual(["sent", "sent, being checked: 0 %", "sent, being checked: 71 %",
                          "sent, checked, being stored"], lines[-4:])


class StateFile(Many):
    def remove_state(self):
        for path in glob.glob(os.path.join(self.world.dir, "state.db*")):
            os.unlink(path)

    def check(self, *options):
        return harness.command("check", "-c", self.sluice.config, *options)

    def test_a_state_goes_out_and_in_with_what_waits(self):
        self.good("PUT", "/v1/ptrs/198.51.100.11", {"reverse_fqdn": "open.example."}, 201)
        config = self.config()
        without = config.replace('name = "open"', 'name = "other"')
        self.sluice.reconfigure(without)
        self.assertEqual(0, self.command("reload")[0])
        path = os.path.join(self.world.dir, "export.json")
        self.assertEqual((0, ""), self.command("state", "export", path))
        with open(path) as file:
            exported = json.load(file)
        self.assertEqual(["open.example."], [row["reverse_fqdn"] for row in exported["waiting"]])
        self.assertEqual(0o600, os.stat(path).st_mode & 0o777)
        self.assertEqual(0, self.sluice.stop())
        self.remove_state()
        self.start()
        self.sluice.reconfigure(without)
        self.assertEqual(0, self.command("reload")[0])
        self.assertEqual(0, self.command("state", "import", path)[0])
        status, printed = self.command("state", "export")
        self.assertEqual((0, exported), (status, json.loads(printed)))
        self.sluice.reconfigure(config)
        self.assertEqual(0, self.command("reload")[0])
        self.ptr_is("198.51.100.11", "open.example.")

    def test_a_group_that_an_import_does_not_name_stays_with_its_addresses(self):
        """As if they were added: without tags."""
        self.good("PUT", "/v1/addresses/rg/a", {"address": "198.51.100.30"}, 201)
        self.good("POST", "/v1/changes", {"edits": [
            {"path": "groups/-/empty", "values": {"region": "westeurope"}},
            {"path": "groups/-/tagged", "values": {"region": "westeurope", "tags": {"a": "1"}}},
            {"path": "addresses/tagged/b", "values": {"address": "198.51.100.31"}}]})
        exported = self.good("GET", "/v1/state").body
        self.assertEqual(["empty", "rg", "tagged"], [group["name"] for group in exported["groups"]])
        without = dict(exported, groups=[])
        for _ in range(2):
            self.good("PUT", "/v1/state", without, 204)
            self.assertEqual([{"name": "rg", "region": "westeurope"}, {"name": "tagged", "region": "westeurope"}],
                             self.good("GET", "/v1/state").body["groups"])
        self.good("PUT", "/v1/state", exported, 204)
        self.assertEqual(exported, self.good("GET", "/v1/state").body)

    def test_check_looks_into_the_state_beside_a_running_server(self):
        self.good("PUT", "/v1/ptrs/198.51.100.11", {"reverse_fqdn": "open.example."}, 201)
        self.good("PUT", "/v1/addresses/office/front", {"address": "198.51.100.30"}, 201)
        before = sorted(os.listdir(self.world.dir))
        self.assertEqual(0, self.check()[0])
        config = self.config()
        self.sluice.reconfigure(config.replace('name = "open"', 'name = "other"'))
        status, text = self.check()
        self.assertEqual(0, status, text)
        self.assertIn("1 of the PTRs in the state belongs to an address that is gone", text)
        self.sluice.reconfigure(config.replace('name = "open"', 'name = "front"'))
        status, text = self.check()
        self.assertEqual(1, status, text)
        self.assertIn("cannot both have this name", text)
        self.assertEqual(before, sorted(os.listdir(self.world.dir)))
        self.good("PUT", "/v1/ptrs/198.51.100.11", {"reverse_fqdn": "still.example."})

    def test_check_of_a_state_that_nobody_has_open(self):
        self.good("PUT", "/v1/addresses/office/front", {"address": "198.51.100.30"}, 201)
        self.assertEqual(0, self.sluice.stop())
        before = sorted(os.listdir(self.world.dir))
        config = self.config()
        self.sluice.reconfigure(config.replace('name = "open"', 'name = "front"'))
        self.assertEqual(1, self.check()[0])
        self.assertEqual(before, sorted(os.listdir(self.world.dir)))
        self.sluice.reconfigure(config)
        path = os.path.join(self.world.dir, "state.db")
        other = sqlite3.connect(path)
        other.execute("UPDATE resources SET addr = x'00' WHERE addr NOT NULL")
        other.commit()
        other.close()
        status, text = self.check()
        self.assertEqual(0, status, text)
        self.assertRegex(text, '"office/front" .*which was not written by sluice')
        other = sqlite3.connect(path)
        other.execute("PRAGMA user_version = 99")
        other.close()
        status, text = self.check()
        self.assertEqual(0, status, text)
        self.assertIn("written by a newer version", text)
        self.remove_state()
        self.assertNotIn("state", self.check()[1])
        self.assertFalse(os.path.exists(path))


class Logins(test_reverse.Reverse):
    def ask(self, secret, source=HERE):
        with self.host.inside():
            connection = http.client.HTTPConnection(HERE, PORT, timeout=dns.PATIENCE,
                                                    source_address=(source, 0))
            connection.connect()
        connection.request("GET", "/v1/services", headers={"X-Auth-Token": secret})
        response = connection.getresponse()
        response.read()
        connection.close()
        return response

    def login(self, secret):
        return self.call("POST", "/v3/auth/tokens", {"auth": {"identity": {
            "methods": ["password"],
            "password": {"user": {"name": "ops", "password": secret}}}}}, tcp=True)

    def many(self, act):
        """More at once than wait for their late answers; what is beyond is refused at once."""
        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            answers = list(pool.map(lambda i: act("guess-%d-of-many-more" % i), range(24)))
        self.assertEqual({401, 429}, {answer.status for answer in answers})
        return [answer for answer in answers if answer.status == 429]

    def refused(self):
        return self.good("GET", "/v1/status").body["logins"]["refused"]

    def test_who_fails_again_and_again_is_slowed_and_locks_nobody_out(self):
        self.host.run("ip", "address", "add", "192.0.2.9/32", "dev", "lo")
        self.assertEqual([401] * 20, [self.ask("guess-%d" % i).status for i in range(20)])
        for slowed in self.many(self.ask):
            self.assertGreater(int(slowed.headers["Retry-After"]), 0)
        self.assertEqual(200, self.ask(OPS).status)  # whoever else is at its address
        self.assertEqual(201, self.login(OPS).status)
        before = self.refused()

        def is_late_next_door():
            """All of loopback is one address; now and then a guess is free."""
            self.assertEqual(401, self.ask("guess-from-next-door", "127.0.0.2").status)
            return self.refused() > before
        harness.wait_for(is_late_next_door, "a guess from next door that comes too soon")
        before = self.refused()
        self.assertEqual(401, self.ask("guess-from-elsewhere", "192.0.2.9").status)
        self.assertEqual(before, self.refused())
        self.good("GET", "/v1/services")  # the socket
        logins = self.good("GET", "/v1/status").body["logins"]
        self.assertGreaterEqual(logins["failed"], 20)
        self.assertIn("FAILED", self.command("status")[1])
        log = self.sluice.log()
        self.assertIn("a login from 127.0.0.1 has failed", log)
        self.assertLess(log.count("has failed"), logins["failed"])
        self.assertNotIn("guess", log)

    def test_a_password_is_guarded_alike(self):
        self.assertEqual([401] * 20, [self.login("guess-%d" % i).status for i in range(20)])
        slowed = self.many(self.login)
        self.assertEqual("Too Many Requests", slowed[0].body["error"]["title"])
        self.assertGreater(int(slowed[0].headers["Retry-After"]), 0)
        self.assertIn("not the secret of client ops", self.sluice.log())
        self.assertNotIn("guess", self.sluice.log())


if __name__ == "__main__":
    harness.main()
