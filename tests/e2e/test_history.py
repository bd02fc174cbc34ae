"""Addresses, services, PTRs and groups as resources: every change of them is in the history, whoever
made it, and can be made again and undone by POST /v1/changes."""

import concurrent.futures
import json

import harness
import test_reverse

OPEN = "198.51.100.11"  # of the file, without a PTR there


class History(test_reverse.Reverse):
    def changes(self, after=0):
        return self.good("GET", "/v1/changes?after=%d" % after).body["changes"]

    def last(self):
        return ([0] + [c["revision"] for c in self.changes()])[-1]

    def edits(self, *edits, query="", status=200):
        body = {"edits": [{"path": path, "values": values} for path, values in edits]}
        return self.good("POST", "/v1/changes" + query, body, status)

    def undo(self, revision):
        status, printed = self.command("undo", str(revision))
        self.assertEqual(0, status, printed)

    def front(self):
        answer = self.call("GET", "/v1/addresses/office/front")
        return answer.body if answer.status == 200 else None

    def test_each_change_of_an_address_is_told_with_who_and_what_was_before(self):
        before = self.last()
        self.good("PUT", "/v1/addresses/office/front", {"address": "198.51.100.30"}, 201)
        self.good("PUT", "/v1/ptrs/198.51.100.30", {"reverse_fqdn": "one.example."}, 201)
        self.good("PUT", "/v1/ptrs/" + OPEN, {"reverse_fqdn": "open.example."}, 201)
        self.good("DELETE", "/v1/addresses/office/front", status=204)
        told = self.changes(before)
        self.assertEqual(
            [("groups/-/office", None), ("addresses/office/front", None), ("addresses/office/front", None),
             ("addresses/office/front", "one.example.")],
            [(c["path"], (c["before"] or {}).get("reverse_fqdn")) for c in told
             if not c["path"].startswith("ptrs/")])
        ptr = [c for c in told if c["path"].startswith("ptrs/")]
        self.assertEqual([{"reverse_fqdn": "open.example."}], [c["after"] for c in ptr])
        self.assertEqual({"uid 0"}, {c["who"] for c in told})
        self.assertIsNone(told[-1]["after"])

    def as_login(self, uid, *argv):
        """The command, as in a session of that login; the kernel lets nobody set that twice."""
        said = self.world.write("loginuid", str(uid))
        script = 'mount --bind "$0" /proc/$$/loginuid && exec "$@"'
        status, text = self.host.run("unshare", "-m", "sh", "-c", script, said, harness.SLUICE, argv[0], "-c",
                                     self.sluice.config, *argv[1:])
        self.assertEqual(0, status, text)
        return text

    def test_whose_login_it_was_stands_beside_the_uid_as_what_was_said(self):
        self.as_login(1, "create", "address", "office/front", "198.51.100.30")
        self.as_login(4123456, "set", "address", "office/front", "tags=a=b")
        self.as_login(2 ** 32 - 1, "set", "address", "office/front", "tags=a=c")
        self.assertEqual([("uid 0", "daemon"), ("uid 0", "4123456"), ("uid 0", None)],
                         [(c["who"], c["login"]) for c in self.changes() if c["path"] == "addresses/office/front"])
        text = self.command("history")[1]
        self.assertRegex(text, r"uid 0 \(says daemon\) +created ")
        self.assertRegex(text, r"uid 0 \(says 4123456\) +changed address office/front: tags")
        self.assertIn("by uid 0 (says 4123456)\n", self.command("history", str(self.last() - 1))[1])
        self.assertIn("in revision %d by uid 0" % self.last(), self.command("undo", str(self.last() - 2))[1])
        self.assertTrue(all(c["login"] is None for c in self.good("GET", "/v1/changes", token=test_reverse.EYE).body["changes"]))

    def test_what_a_client_says_of_a_login_is_nothing(self):
        put = lambda name, **how: self.good("PUT", "/v1/addresses/-/" + name, {}, 201, **how)
        put("one", token=test_reverse.OPS, headers={"Sluice-Login": "anna"})
        for n, name in enumerate(("a)b", "a b", "x" * 65, "")):
            put("bad%d" % n, headers={"Sluice-Login": name})
        put("good", headers={"Sluice-Login": "EXAMPLE\\anna"})
        self.assertEqual([("ops", None)] + 4 * [("uid 0", None)] + [("uid 0", "EXAMPLE\\anna")],
                         [(c["who"], c["login"]) for c in self.changes() if c["path"].startswith("addresses/")])
        # It gives no right: neither to whoever has no token, nor to a reader.
        self.assertEqual(401, self.call("PUT", "/v1/addresses/-/two", {}, tcp=True, headers={"Sluice-Login": "root"}).status)
        self.assertEqual(403, self.call("PUT", "/v1/addresses/-/two", {}, token=test_reverse.EYE,
                                        headers={"Sluice-Login": "root"}).status)

    def test_each_change_is_one_line_in_words(self):
        before = self.last()
        self.edits(("addresses/office/front", {"address": "198.51.100.30"}), ("addresses/web/back", {"address": "198.51.100.31"}))
        self.edits(("rulesets/-/corp", {}), ("rulesets/-/corp/rules/one", {"domain": "one.test", "targets": [{"address": "10.0.0.5"}]}))
        self.edits(("rulesets/-/corp/rules/one", {"domain": "two.test", "targets": [{"address": "10.0.0.5", "port": 5353}]}))
        self.edits(*[("addresses/many/a%d" % n, {"address": "198.51.100.%d" % (40 + n)}) for n in range(5)])
        self.edits(("rulesets/-/corp", None))
        lines = [line.split("uid 0  ")[1].strip() for line in self.command("history")[1].splitlines()[1:]][-5:]
        self.assertEqual(["created 2 groups, 2 addresses",
                          "created ruleset corp, rule one of ruleset corp",
                          "changed rule one of ruleset corp: domain, targets",
                          "created 1 group, 5 addresses",
                          "deleted ruleset corp, rule one of ruleset corp"],
                         lines)
        told = [(c["verb"], c["kind"], c["subject"]) for c in self.changes() if c["revision"] > before]
        self.assertEqual([("created", "ruleset", "ruleset corp"), ("created", "rule", "rule one of ruleset corp"),
                          ("changed", "rule", "rule one of ruleset corp")], told[4:7])
        self.assertEqual(1 + 2, len(self.command("history", "--limit", "2")[1].splitlines()))
        self.assertIn("created 1 group", self.command("history", "--limit", "2")[1])
        status, text = self.command("history", str(before + 3))
        self.assertEqual(0, status)
        self.assertRegex(text, r"revision %d, .*, by uid 0\nchanged rule one of ruleset corp\n" % (before + 3))
        self.assertIn("  domain: was one.test., is two.test.\n", text)
        self.assertIn("  targets: was 10.0.0.5, is 10.0.0.5:5353\n", text)
        self.assertEqual({before + 3}, {c["revision"] for c in json.loads(self.command("history", str(before + 3), "--json")[1])})
        self.assertEqual({before + 4, before + 5},
                         {c["revision"] for c in json.loads(self.command("history", "--limit", "2", "--json")[1])})
        for wrong in (["x"], ["1", "--limit", "2"], ["--limit", "0"], ["--follow", "--limit", "2"]):
            self.assertEqual(2, self.command("history", *wrong)[0], wrong)
        self.assertEqual(1, self.command("history", "9999")[0])

    def test_an_address_and_its_ptr_are_one_change(self):
        before, path = self.last(), "addresses/office/front"
        self.edits((path, {"address": "198.51.100.30", "reverse_fqdn": "one.example."}))
        self.edits((path, {"address": "198.51.100.31", "reverse_fqdn": "two.example."}))
        self.edits((path, None), (path, {"address": "198.51.100.32", "reverse_fqdn": "three.example."}))
        fqdn = lambda values: values and values["reverse_fqdn"]
        self.assertEqual(
            [(None, "one.example."), ("one.example.", "two.example."), ("two.example.", None),
             (None, "three.example.")],
            [(fqdn(c["before"]), fqdn(c["after"])) for c in self.changes(before) if c["path"] == path])
        self.undo(self.last())
        self.ptr_is("198.51.100.31", "two.example.")

    def test_a_ptr_is_edited_by_its_address_too(self):
        self.edits(("addresses/office/front", {"address": "198.51.100.30"}),
                   ("ptrs/198.51.100.30", {"reverse_fqdn": "one.example."}))
        self.ptr_is("198.51.100.30", "one.example.")
        self.bad_v1(self.edits(("ptrs/198.51.100.99", {"reverse_fqdn": "one.example."}), status=404), 404,
                    "not_found", "edits[0]", "not an address or id that we own; add the address first")
        for forgotten in ({}, {"ttl": 5}):
            self.bad_v1(self.edits(("ptrs/198.51.100.30", forgotten), status=400), 400, "invalid", "edits[0].reverse_fqdn",
                        "null for none")
        self.ptr_is("198.51.100.30", "one.example.")
        self.edits(("ptrs/198.51.100.30", None))
        self.ptr_is("198.51.100.30")

    def test_what_is_not_known_is_told_with_what_is(self):
        path = "/v1/addresses/office/front"
        self.bad_v1(self.call("PUT", path + "?dryrun", {}), 400, "invalid", "dryrun", "not known here; give dry_run")
        self.bad_v1(self.call("PUT", path, {"address": "198.51.100.30", "colour": "red"}), 400, "invalid", "colour",
                    "there is no such key; the keys here are name, .*, tags")
        answer = self.call("PUT", "/v1/addresses/front", {})
        self.bad_v1(answer, 405, "method_not_allowed", text="this path takes only GET, HEAD|this path takes only GET")

    def test_an_undo_brings_back_what_was_there(self):
        self.good("PUT", "/v1/addresses/office/front",
                  {"address": "198.51.100.30", "reverse_fqdn": "one.example.", "ttl": 60,
                   "domain_name_label": "front", "tags": {"a": "1", "b=c": "2"}}, 201)
        shown = self.front()
        self.good("PATCH", "/v1/addresses/office/front", {"ttl": None, "tags": None})
        self.good("PUT", "/v1/ptrs/" + OPEN, {"reverse_fqdn": "open.example."}, 201)
        ptr = self.last()
        self.undo(ptr)
        self.ptr_is(OPEN)
        self.undo(ptr - 1)
        self.good("DELETE", "/v1/addresses/office/front", status=204)
        self.ptr_is("198.51.100.30")
        self.undo(self.last())
        self.ptr_is("198.51.100.30", "one.example.", ttl=60)
        told = ("status", "action", "etag")
        self.assertEqual({k: v for k, v in shown.items() if k not in told},
                         {k: v for k, v in self.front().items() if k not in told})
        self.restart()
        self.ptr_is("198.51.100.30", "one.example.", ttl=60)

    def test_an_undo_of_what_was_removed_and_made_anew_at_once(self):
        path = "addresses/office/front"
        self.edits((path, {"address": "198.51.100.30", "reverse_fqdn": "one.example."}))
        before = self.good("GET", "/v1/state").body
        self.edits((path, None), (path, {"address": "198.51.100.31", "reverse_fqdn": "two.example."}))
        self.ptr_is("198.51.100.31", "two.example.")
        self.undo(self.last())
        self.assertEqual(before, self.good("GET", "/v1/state").body)
        self.ptr_is("198.51.100.30", "one.example.")

    def test_what_was_removed_and_made_anew_and_not_confirmed_goes_back(self):
        path = "addresses/office/front"
        self.edits((path, {"address": "198.51.100.30", "reverse_fqdn": "one.example."}))
        before = self.good("GET", "/v1/state").body
        for kills in (False, True):
            self.edits((path, None), (path, {"address": "198.51.100.31"}), query="?confirm=600")
            self.ptr_is("198.51.100.30")
            if kills:
                self.sluice.kill()
                self.start()
            else:
                self.good("POST", "/v1/confirm?back")
            self.assertEqual(before, self.good("GET", "/v1/state").body)
            self.ptr_is("198.51.100.30", "one.example.")

    def test_a_group_that_was_changed_and_not_confirmed_goes_back(self):
        self.edits(("groups/-/lab", {"region": "westeurope", "tags": {"a": "1"}}))
        before = self.good("GET", "/v1/state").body
        for values in ({"region": "westeurope", "tags": {"a": "2"}}, None):
            self.edits(("groups/-/lab", values), query="?confirm=600")
            self.assertNotEqual(before, self.good("GET", "/v1/state").body)
            self.good("POST", "/v1/confirm?back")
            self.assertEqual(before, self.good("GET", "/v1/state").body)

    def test_what_was_not_served_goes_back_as_it_was(self):
        path = "/v1/addresses/office/front"
        self.good("PUT", "/v1/address_pools/-/more", {"prefix": "203.0.113.0/24"}, 201)
        self.good("PUT", path, {"address": "203.0.113.9", "reverse_fqdn": "one.example."}, 201)
        self.good("DELETE", "/v1/address_pools/-/more")
        before = self.good("GET", "/v1/state").body
        for kills in (False, True):
            self.edits((path[4:], None), query="?confirm=600")
            if kills:
                self.sluice.kill()
                self.start()
            else:
                self.good("POST", "/v1/confirm?back")
            self.assertEqual(before, self.good("GET", "/v1/state").body)
            self.assertEqual("ERROR", self.good("GET", path).body["status"])
        self.good("PUT", "/v1/address_pools/-/more", {"prefix": "203.0.113.0/24"}, 201)
        self.ptr_is("203.0.113.9", "one.example.")

    def test_an_undo_takes_a_new_group_with_its_first_address_back(self):
        before = self.good("GET", "/v1/state").body
        self.good("PUT", "/v1/addresses/New/front", {"address": "198.51.100.30",
                                                     "reverse_fqdn": "one.example."}, 201)
        self.undo(self.last())
        self.assertEqual(before, self.good("GET", "/v1/state").body)
        self.ptr_is("198.51.100.30")

    def test_what_is_taken_back_leaves_a_group_to_what_else_is_in_it(self):
        self.good("PUT", "/v1/rulesets/Berlin/hub", {}, 201)
        before = self.good("GET", "/v1/state").body
        berlin = self.good("GET", "/v1/groups/-/berlin").body
        mail = {"path": "addresses/Berlin/mail", "values": {"address": "198.51.100.30"}}
        tags = {"path": "groups/-/Berlin", "values": {"region": "westeurope", "tags": {"a": "1"}}}
        for edits in ([mail], [tags], [tags, mail]):
            self.good("POST", "/v1/changes", {"edits": edits})
            self.undo(self.last())
            self.assertEqual(before, self.good("GET", "/v1/state").body)
            self.good("POST", "/v1/changes?confirm=600", {"edits": edits})
            self.good("POST", "/v1/confirm?back")
            self.assertEqual(before, self.good("GET", "/v1/state").body)
        self.assertEqual(berlin, self.good("GET", "/v1/groups/-/berlin").body)
        first = self.good("POST", "/v1/changes", {"edits": [mail]}).body["revision"]
        second = {"address": "198.51.100.31"}
        self.good("PUT", "/v1/addresses/Berlin/second", second, 201)
        self.undo(first)
        self.assertEqual(404, self.call("GET", "/v1/addresses/Berlin/mail").status)
        self.good("GET", "/v1/addresses/Berlin/second", status=200)
        for undo, status in ((1, 400), (False, 400)):
            edit = {"path": "groups/-/Berlin", "values": None}
            self.assertEqual(status, self.call("POST", "/v1/changes", {"edits": [edit], "undo": undo}).status)

    def test_a_group_is_called_as_it_was_first_written(self):
        self.good("PUT", "/v1/rulesets/Munich/hub", {}, 201)
        self.good("PUT", "/v1/addresses/munich/mail", {"address": "198.51.100.30"}, 201)
        self.assertEqual(["Munich"], [group["name"] for group in self.good("GET", "/v1/groups?q=munich").body["groups"]])

    def test_an_undo_writes_names_as_they_were_written(self):
        edits = [("groups/-/Mixed", {"region": "westeurope", "tags": {"a": "1"}}),
                 ("addresses/Mixed/Front", {"address": "198.51.100.30"}),
                 ("services/-/Shop", {"address": "198.51.100.31"})]
        self.edits(*edits)
        before = self.good("GET", "/v1/state").body
        self.edits(*[(path, None) for path, _ in reversed(edits)])
        self.undo(self.last())
        self.assertEqual(before, self.good("GET", "/v1/state").body)

    def test_an_undo_of_thousands_with_their_ptrs(self):
        """Each is two changes of one address; more than one request takes is said so."""
        edits = [("addresses/-/a%d" % n, {"address": "2001:db8:5::%x" % n, "reverse_fqdn": "a.example."})
                 for n in range(1, 6001)]
        before = self.good("GET", "/v1/state").body
        answer = self.edits(*edits, ("addresses/-/bad", {"address": "192.0.2.1"}), status=400)
        self.bad_v1(answer, 400, "invalid", "edits[6000].address")
        self.edits(*edits, query="?dry_run")
        self.assertEqual(before, self.good("GET", "/v1/state").body)
        answer = self.edits(*edits)
        self.assertEqual(answer.headers["ETag"], self.good("GET", "/v1/changes?limit=1").headers["ETag"])
        many = answer.body["revision"]
        self.edits(*[("addresses/-/b%d" % n, {"address": "2001:db8:5:1::%x" % n}) for n in range(1, 6001)])
        self.good("PUT", "/v1/state", before, 204)
        status, printed = self.command("undo", str(many))
        self.assertEqual(1, status)
        self.assertIn("is again what it was before revision %d" % many, printed)
        self.undo(many + 2)
        self.assertEqual(12000 + len(before["addresses"]), len(self.good("GET", "/v1/state").body["addresses"]))
        more = [{"name": "c%d" % n, "id": "00000000-0000-4000-8000-%012x" % n, "allocation": "static",
                 "address": "2001:db8:5:2::%x" % n} for n in range(1, 50002)]
        self.good("PUT", "/v1/state", dict(before, addresses=before["addresses"] + more), 204)
        status, printed = self.command("undo", str(many + 4))
        self.assertEqual(1, status)
        self.assertIn("62001 resources, and at most 50000 can be undone at once", printed)
        self.good("PUT", "/v1/state", before, 204)
        self.undo(self.edits(*edits).body["revision"])
        self.assertEqual(before, self.good("GET", "/v1/state").body)

    def test_a_mixed_change_goes_on_after_the_last_chosen_address(self):
        """An address that was just given up is chosen late, because DNS may still lead to it."""
        chosen = [self.good("PUT", "/v1/addresses/-/a", {}, 201).body["address"]]
        self.edits(("address_pools/-/more", {"prefix": "203.0.113.0/24"}), ("addresses/-/b", {}))
        chosen.append(self.good("GET", "/v1/addresses/-/b").body["address"])
        self.good("DELETE", "/v1/addresses/-/b", status=204)
        chosen.append(self.good("PUT", "/v1/addresses/-/c", {}, 201).body["address"])
        self.assertEqual(sorted(set(chosen), key=lambda text: [int(part) for part in text.split(".")]), chosen)

    def test_a_group_is_what_a_group_has(self):
        for values, field in (({"region": 5}, "region"), ({"frob": 1}, "frob"), ({"tags": 5}, "tags"),
                              ({"name": "other"}, "name")):
            self.bad_v1(self.edits(("groups/-/office2", values), status=400), 400, "invalid",
                        "edits[0]." + field)
        self.edits(("groups/-/office2", {"name": "Office2", "region": None, "tags": None}))

    def test_an_undo_of_what_was_changed_since_is_refused(self):
        self.good("PUT", "/v1/ptrs/" + OPEN, {"reverse_fqdn": "one.example."}, 201)
        first = self.last()
        self.good("PUT", "/v1/ptrs/" + OPEN, {"reverse_fqdn": "two.example."}, 200)
        status, printed = self.command("undo", str(first))
        self.assertEqual(1, status, printed)
        self.assertRegex(printed, "was changed since, in revision %d by uid 0" % (first + 1))
        self.ptr_is(OPEN, "two.example.")

    def test_an_undo_that_cannot_be_names_the_resource(self):
        self.good("PUT", "/v1/address_pools/-/more", {"prefix": "203.0.113.0/24"}, 201)
        self.good("PUT", "/v1/addresses/-/far", {"address": "203.0.113.9"}, 201)
        self.good("DELETE", "/v1/addresses/-/far", status=204)
        gone = self.last()
        self.good("DELETE", "/v1/address_pools/-/more", status=204)
        status, printed = self.command("undo", str(gone))
        self.assertEqual(1, status, printed)
        self.assertIn("undo: addresses/-/far: address: 203.0.113.9 is in no address pool", printed)

    def test_many_edits_are_one_change_all_or_none(self):
        before = self.last()
        edits = [("addresses/-/a%d" % n, {"address": "198.51.100.%d" % (40 + n),
                                          "reverse_fqdn": "a%d.example." % n}) for n in range(20)]
        self.edits(*edits, query="?dry_run")
        self.ptr_is("198.51.100.41")
        answer = self.edits(*edits, ("addresses/-/bad", {"address": "192.0.2.1"}), status=400)
        self.bad_v1(answer, 400, "invalid", "edits[20].address")
        self.ptr_is("198.51.100.41")
        self.assertEqual(before, self.last())
        # All that do not fit are told, not the first alone.
        answer = self.edits(("addresses/-/bad", {"address": "192.0.2.1"}), *edits, ("addresses/-/worse", {"address": "x"}), status=400)
        error = answer.body["error"]
        self.assertEqual(("edits[0].address", ["edits[0].address", "edits[21].address"]),
                         (error["path"], [fault["path"] for fault in error["faults"]]))
        self.assertRegex(error["message"], r"^192\.0\.2\.1 is in no address pool.* \(and 1 more\)$")
        answer = self.edits(("frob/-/x", {}), *edits, ("rulesets/-/x", {"name": "y"}), ("addresses/-/a1", 7), status=400)
        self.assertEqual(["edits[0].path", "edits[21].values.name", "edits[22].values"],
                         [fault["path"] for fault in answer.body["error"]["faults"]])
        self.assertEqual(before, self.last())
        answer = self.edits(*edits, ("groups/-/Empty", {"region": "westeurope", "tags": {"a": "1"}}))
        self.assertEqual(before + 1, answer.body["revision"])
        self.assertEqual({before + 1}, {c["revision"] for c in self.changes(before)})
        self.ptr_is("198.51.100.41", "a1.example.")
        self.undo(before + 1)
        self.ptr_is("198.51.100.41")
        self.assertEqual(404, self.call("GET", "/v1/addresses/-/a1").status)

    def test_edits_of_all_kinds_are_one_change_all_or_none(self):
        before = self.last()
        shop = ("addresses/-/shop", {"address": "203.0.113.9", "reverse_fqdn": "shop.example."})
        pool = ("address_pools/-/more", {"prefix": "203.0.113.0/24"})
        office = ("rulesets/-/office", {})
        self.bad_v1(self.edits(shop, office, status=400), 400, "invalid", "edits[0].address")
        self.edits(shop, office, pool, query="?dry_run")
        answer = self.edits(shop, office, pool, ("addresses/-/bad", {"address": "192.0.2.1"}),
                            status=400)
        self.bad_v1(answer, 400, "invalid", "edits[3].address")
        answer = self.edits(shop, pool, ("rulesets/-/office/rules/r", {"domain": "."}), status=400)
        self.assertEqual(before, self.last())
        self.assertEqual(404, self.call("GET", "/v1/address_pools/-/more").status)
        self.ptr_is("203.0.113.9")
        # Whatever their order, the model comes first.
        answer = self.edits(shop, office, pool)
        self.assertEqual({before + 1}, {c["revision"] for c in self.changes(before)})
        self.ptr_is("203.0.113.9", "shop.example.")
        self.assertEqual("ACTIVE", self.settled("/v1/ptrs/203.0.113.9").body["status"])
        self.sluice.kill()
        self.start()
        self.ptr_is("203.0.113.9", "shop.example.")
        self.edits((shop[0], None), (pool[0], None))
        self.ptr_is("203.0.113.9")
        self.undo(before + 2)
        self.ptr_is("203.0.113.9", "shop.example.")
        self.undo(before + 1)
        self.assertEqual(404, self.call("GET", "/v1/rulesets/-/office").status)

    def test_edits_of_all_kinds_go_back_unless_they_are_confirmed(self):
        self.good("PUT", "/v1/addresses/home/front",
                  {"address": "198.51.100.30", "reverse_fqdn": "front.example.", "ttl": 60}, 201)
        self.good("PUT", "/v1/services/shop", {"address": "198.51.100.31"}, 201)
        self.good("PUT", "/v1/ptrs/198.51.100.31", {"reverse_fqdn": "shop.cloudapp.net."}, 201)
        before = self.good("GET", "/v1/state").body
        edits = [("addresses/home/front", None), ("groups/-/home", None), ("services/-/shop", None),
                 ("address_pools/-/more", {"prefix": "203.0.113.0/24"}),
                 ("addresses/lab/new", {"address": "203.0.113.9", "reverse_fqdn": "new.example."}),
                 ("rulesets/-/office", {})]

        def is_made():
            self.ptr_is("203.0.113.9", "new.example.")
            self.ptr_is("198.51.100.30")
            self.ptr_is("198.51.100.31")

        def is_back():
            harness.wait_for(lambda: not self.sluice.status()["unconfirmed"], "it to go back")
            self.assertEqual(before, self.good("GET", "/v1/state").body)
            self.ptr_is("203.0.113.9")
            self.ptr_is("198.51.100.30", "front.example.", ttl=60)
            self.ptr_is("198.51.100.31", "shop.cloudapp.net.")
            self.assertEqual(404, self.call("GET", "/v1/address_pools/-/more").status)

        self.edits(*edits, query="?confirm=600")
        is_made()
        self.good("POST", "/v1/confirm?back=true")
        is_back()
        self.edits(*edits, query="?confirm=600")
        self.sluice.kill()
        self.start()
        is_back()
        self.sluice.kill()
        self.start()
        is_back()
        self.edits(edits[0], edits[2], query="?confirm=600")  # of these kinds alone
        self.good("PUT", "/v1/ptrs/" + OPEN, {"reverse_fqdn": "open.example."}, 409)
        self.good("POST", "/v1/confirm?back=true")
        is_back()
        self.edits(edits[4], ("address_pools/-/more", edits[3][1]), query="?confirm=600")
        self.good("POST", "/v1/confirm?back=false")
        self.sluice.kill()
        self.start()
        self.ptr_is("203.0.113.9", "new.example.")

    def test_what_was_exchanged_goes_back(self):
        """In whichever order: what two cannot have at once is let go of ahead of all."""
        ids = ["00000000-0000-4000-8000-00000000000%d" % n for n in (1, 2)]
        one = {"address": "198.51.100.31", "reverse_fqdn": "one.example.", "domain_name_label": "one", "id": ids[0]}
        two = {"address": "198.51.100.32", "reverse_fqdn": "two.example.", "domain_name_label": "two", "id": ids[1]}
        a, b, service = "addresses/lab/a", "addresses/lab/b", "services/-/shop"
        self.edits((a, one), (b, two), (service, {"address": "198.51.100.33"}))
        before = self.good("GET", "/v1/state").body
        for edits in (
                [(a, None), (b, None), (a, dict(one, address=two["address"])), (b, dict(two, address=one["address"]))],
                [(a, None), (b, dict(two, domain_name_label="one")), (a, dict(one, domain_name_label="two"))],
                [(a, None), (b, None), (a, dict(one, id=ids[1])), (b, dict(two, id=ids[0]))],
                [(a, dict(one, address="198.51.100.39")), (b, dict(two, address=one["address"])),
                 (a, dict(one, address=two["address"]))],
                [(a, None), (service, {"address": one["address"]}), (a, dict(one, address="198.51.100.33")),
                 ("rulesets/-/office", {})],
                [(a, None), (b, None), ("addresses/lab/c", one), ("groups/-/empty", {})]):
            for kills in (False, True):
                self.edits(*edits, query="?confirm=600")
                if kills:
                    self.sluice.kill()
                    self.start()
                    harness.wait_for(lambda: not self.sluice.status()["unconfirmed"], "it to go back")
                else:
                    self.good("POST", "/v1/confirm?back")
                self.assertEqual(before, self.good("GET", "/v1/state").body)
                self.ptr_is(one["address"], "one.example.")
                self.ptr_is(two["address"], "two.example.")

    def test_what_was_asked_before_changes_nothing_while_another_waits_to_be_confirmed(self):
        """Whose a name is takes a while to be asked."""
        for number in range(10):
            name = "held.n%d.example" % number
            shop = {"address": "198.51.100.41", "reverse_fqdn": name}
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                waiting = pool.submit(self.call, "PUT", "/v1/services/shop", shop)
                harness.wait_for(lambda: self.upstream.questions(name), "the question")
                self.edits(("groups/-/lab%d" % number, {}), query="?confirm=600")
                self.upstream.release()
                status = waiting.result().status
            self.good("GET", "/v1/services/shop", status=404)
            self.good("POST", "/v1/confirm")
            if status == 409:
                break
            self.upstream.hold()  # on a busy machine the question ends by itself, after three seconds
        self.assertEqual(409, status)
        self.good("PUT", "/v1/services/shop", shop, 201)

    def test_what_does_not_go_in_such_a_request_is_refused(self):
        answer = self.edits(("services/-/shop", {"address": "198.51.100.41",
                                                 "reverse_fqdn": "not.ours.example."}), status=400)
        self.bad_v1(answer, 400, "invalid", "edits[0].reverse_fqdn", "not checked in bulk")
        self.good("PUT", "/v1/services/shop", {"address": "198.51.100.41"}, 201)
        shop = self.good("GET", "/v1/ptrs/198.51.100.41").body["id"].split(":")[-1]
        answer = self.edits(("ptrs/" + shop, {"reverse_fqdn": "not.ours.example."}), status=400)
        self.bad_v1(answer, 400, "invalid", "edits[0].reverse_fqdn", "not checked in bulk")
        self.edits(("ptrs/" + shop, {"reverse_fqdn": "contosoopen.westeurope.cloudapp.azure.com."}))
        self.edits(("ptrs/" + shop, {"reverse_fqdn": "Shop.cloudapp.net"}))
        self.ptr_is("198.51.100.41", "shop.cloudapp.net.")
        self.good("DELETE", "/v1/services/shop", status=204)
        self.undo(self.last())
        self.ptr_is("198.51.100.41", "shop.cloudapp.net.")
        answer = self.edits(("ptrs/00000000-0000-4000-8000-000000000000",
                             {"reverse_fqdn": "a.example."}), status=404)
        self.bad_v1(answer, 404, "not_found")
        self.edits(("ptrs/00000000-0000-4000-8000-000000000000", None))
        self.edits(("addresses/none/none", None))
        self.good("PUT", "/v1/addresses/office/front", {"address": "198.51.100.30"}, 201)
        self.bad_v1(self.edits(("groups/-/office", None), status=400), 400, "invalid",
                    text="has addresses; remove them first")
        answer = self.edits(("addresses/office/filed", None), status=409)
        self.bad_v1(answer, 409, "read_only")

    def test_an_edit_is_on_its_etag(self):
        self.good("PUT", "/v1/addresses/office/front", {"address": "198.51.100.30"}, 201)
        etag = self.good("GET", "/v1/addresses/office/front").headers["ETag"]
        edit = {"path": "addresses/office/front", "values": {"tags": {"n": "1"}}, "etag": etag}
        self.good("POST", "/v1/changes", {"edits": [edit]})
        self.bad_v1(self.good("POST", "/v1/changes", {"edits": [edit]}, 412), 412,
                    "precondition_failed")
        edit["etag"] = ""
        self.bad_v1(self.good("POST", "/v1/changes", {"edits": [edit]}, 412), 412,
                    "precondition_failed")
        self.assertEqual({"n": "1"}, self.front()["tags"])

    def test_a_batch_is_one_revision(self):
        before = self.last()
        self.good("POST", "/v1/ptrs", [{"address": OPEN, "reverse_fqdn": "open.example."}])
        told = self.changes(before)
        self.assertEqual([before + 1], [c["revision"] for c in told])
        self.undo(before + 1)
        self.ptr_is(OPEN)
        self.assertIsNone(self.good("GET", "/v1/status").body["owned"][0]["error"])


class Lists(test_reverse.Reverse):
    """Lists of what is ours, with filters."""

    def names(self, path):
        found = []
        while path:
            page = self.good("GET", path).body
            found += [row["name"] for row in next(v for v in page.values() if isinstance(v, list))]
            path = page["next"]
        return found

    def setUp(self):
        super().setUp()
        for n in range(6):
            self.good("PUT", "/v1/addresses/%s/a%d" % ("even" if n % 2 == 0 else "odd", n),
                      {"address": "198.51.100.%d" % (30 + n), "reverse_fqdn": "Host%d.example." % n,
                       "domain_name_label": "label%d" % n}, 201)

    def test_a_filter_finds_by_any_member(self):
        first = self.good("GET", "/v1/addresses/even/a0").body
        for query, names in (
                ("resource_group=EVEN", ["a0", "a2", "a4"]), ("resource_group=none", []),
                ("address=198.51.100.33", ["a3"]), ("address=198.51.100.99", []), ("address=x", []),
                ("id=" + first["id"].upper(), ["a0"]), ("reverse_fqdn=host4.example", ["a4"]),
                ("reverse_fqdn=host4.example.", ["a4"]), ("domain_name_label=label5", ["a5"]),
                ("fqdn=" + first["fqdn"], ["a0"]), ("name=A1", ["a1"]), ("q=HOST", ["a%d" % n for n in range(6)]),
                ("q=.100.3&resource_group=odd", ["a1", "a3", "a5"]), ("address=198.51.100.33&name=a4", []),
                ("allocation=static", ["filed", "open"])):
            for limit in ("", "&limit=1"):
                self.assertEqual(names, self.names("/v1/addresses?" + query + limit), query)
        self.assertEqual(["filedsvc"], self.names("/v1/services?q=filed"))
        self.assertEqual(["filed", "filedsvc"], self.names("/v1/ptrs?q=filed&limit=1"))
        self.assertEqual(["filedsvc"], self.names("/v1/ptrs?address=198.51.100.20"))
        self.assertEqual(["open"], self.names("/v1/ptrs?status=INACTIVE"))
        self.good("PUT", "/v1/addresses/-/six", {"address": "2001:db8:5::a"}, 201)
        for written in ("2001:db8:5::a", "2001:DB8:5:0::000A"):
            self.assertEqual(["six"], self.names("/v1/ptrs?address=" + written))
        for none in ("", "-"):
            self.assertEqual(["six", "filedsvc"], self.names("/v1/ptrs?resource_group=" + none))
        shown = self.good("GET", "/v1/ptrs/" + first["id"]).body["id"]
        self.assertEqual(first["region"] + ":" + first["id"], shown)
        self.assertEqual(["a0"], self.names("/v1/ptrs?id=" + shown))
        self.assertEqual([], self.names("/v1/ptrs?id=elsewhere:" + first["id"]))
        self.bad_v1(self.call("GET", "/v1/addresses?label=x"), 400, "invalid", "label", "domain_name_label")


if __name__ == "__main__":
    harness.main()
