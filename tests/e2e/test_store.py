"""The state's store fails in every way that a disk or an operator can cause: full, locked, read-only,
damaged, deleted. A change then fails with 503 and the reason, which the status shows as well, and DNS goes
on. When the cause is gone changes work again, without a restart."""

import ipaddress
import json
import os
import shutil
import sqlite3

import harness
import test_reverse

OPEN, MANY = "198.51.100.11", 30000
BODY = {"reverse_fqdn": "two.example."}
PAGE = 4096


class Store(test_reverse.Reverse):
    state = 'state = "disk/state.db";'

    def build(self, world):
        """The state has a disk of its own."""
        self.disk = os.path.join(world.dir, "disk")
        os.mkdir(self.disk)
        harness.sh("mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", self.disk)
        self.addCleanup(lambda: harness.sh("umount", "-l", self.disk))
        self.path = os.path.join(self.disk, "state.db")
        super().build(world)
        self.good("PUT", "/v1/ptrs/" + OPEN, {"reverse_fqdn": "one.example."}, 201)
        self.ptr_is(OPEN, "one.example.")

    def stop(self):
        self.assertEqual(0, self.sluice.stop())

    def error(self):
        """What the status says of the state."""
        return self.sluice.status()["owned"][0]["error"]

    def refused(self, why, served="one.example."):
        """A change fails, the status says why, and DNS goes on; served None: without the state's part."""
        self.bad_v1(self.call("PUT", "/v1/ptrs/" + OPEN, BODY), 503, "store_failed", text=why)
        self.assertRegex(self.error(), why)
        self.ptr_is("198.51.100.10", "app1.contoso.com.")
        self.ptr_is(OPEN, *filter(None, [served]))

    def network_is_refused(self, why):
        """The same of a resource that is no address."""
        before = self.good("GET", "/v1/virtual_networks").body
        answer = self.call("PUT", "/v1/virtual_networks/-/more", {"address_space": ["10.99.0.0/16"]})
        self.bad_v1(answer, 503, "store_failed", text=why)
        self.assertRegex(self.error(), why)
        self.assertEqual(before, self.good("GET", "/v1/virtual_networks").body)

    def gets_well(self):
        """What the status says is true without a change."""
        harness.wait_for(lambda: not self.error(), "the state to be well")
        self.assertIn("the state takes changes again", self.sluice.log())

    def well(self, name="three.example."):
        """A change is made, is durable, and the status has nothing to say."""
        self.good("PUT", "/v1/ptrs/" + OPEN, {"reverse_fqdn": name})
        self.ptr_is(OPEN, name)
        self.assertIsNone(self.error())
        self.sluice.kill()
        self.start()
        self.ptr_is(OPEN, name)

    def reload(self, *warnings):
        status, text = self.command("reload")
        self.assertEqual(0, status, text)
        for warning in warnings:
            self.assertRegex(text, warning)

    # ---- at the start ----

    def start_without(self, why):
        """The server starts and serves what the file says."""
        self.start()
        self.refused(why, served=None)
        self.assertRegex(self.sluice.log(), why)

    def test_a_state_that_is_locked_at_the_start(self):
        self.stop()
        other = sqlite3.connect(self.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        self.start()
        self.refused("another program holds it")
        self.network_is_refused("another program holds it")
        other.close()
        self.gets_well()
        self.well()

    def test_a_state_that_another_program_has_for_itself_at_the_start(self):
        self.stop()
        other = sqlite3.connect(self.path, isolation_level=None)
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN IMMEDIATE")
        self.start_without("another program holds it")
        other.close()
        self.reload()
        self.ptr_is(OPEN, "one.example.")
        self.well()

    def test_a_state_on_a_read_only_disk(self):
        self.stop()
        harness.sh("mount", "-o", "remount,ro", self.disk)
        self.start_without("must be able to write")
        harness.sh("mount", "-o", "remount,rw", self.disk)
        self.reload()
        self.ptr_is(OPEN, "one.example.")
        self.well()

    def damaged_at_the_start(self, at, why):
        self.stop()
        good = self.path + ".good"
        shutil.copy(self.path, good)
        size = os.path.getsize(self.path)
        with open(self.path, "r+b") as file:
            file.seek(at)
            file.write(b"\xa5" * (size - at))
        self.start_without(why)
        self.reload(why)
        self.refused(why, served=None)
        os.rename(good, self.path)
        self.reload()
        self.ptr_is(OPEN, "one.example.")
        self.well()

    def test_a_state_whose_header_is_garbage(self):
        self.damaged_at_the_start(0, "not a database")

    def test_a_state_with_garbage_in_its_middle(self):
        self.damaged_at_the_start(PAGE, "damaged")

    # ---- in use ----

    def test_a_full_disk(self):
        filler = os.path.join(self.disk, "filler")
        with open(filler, "wb", buffering=0) as file:
            try:
                while file.write(b"x" * PAGE):
                    pass
            except OSError:
                pass
        for _ in range(2):
            self.refused("disk")
            self.network_is_refused("disk")
        self.reload()
        self.ptr_is(OPEN, "one.example.")
        os.unlink(filler)
        self.gets_well()
        self.well()

    def test_a_deleted_state_that_is_put_back(self):
        aside = self.path + ".aside"
        os.rename(self.path, aside)
        self.refused("is gone; put it back")
        self.network_is_refused("is gone; put it back")
        self.assertFalse(os.path.exists(self.path))
        os.rename(aside, self.path)
        self.gets_well()
        self.well()

    def test_a_deleted_state_can_be_exported_and_is_not_made_anew(self):
        before = self.good("GET", "/v1/state").body
        self.assertIn("one.example.", json.dumps(before))
        os.unlink(self.path)
        many = [{"address": OPEN, "reverse_fqdn": "two.example."}]
        for _ in range(2):
            self.bad_v1(self.call("POST", "/v1/ptrs", many), 503, "store_failed",
                        text="is gone; put it back")
            self.assertRegex(self.error(), "is gone")
            self.ptr_is(OPEN, "one.example.")
            self.assertEqual(before, self.good("GET", "/v1/state").body)
            self.assertFalse(os.path.exists(self.path))

    def test_a_reload_without_the_states_file_keeps_what_is_known(self):
        aside = self.path + ".aside"
        os.rename(self.path, aside)
        self.reload("is gone")
        self.refused("is gone; put it back.*then reload")
        os.rename(aside, self.path)
        self.reload()
        self.ptr_is(OPEN, "one.example.")
        self.well()

    def test_a_deleted_log_loses_nothing(self):
        self.good("PUT", "/v1/addresses/g/a", {"address": "198.51.100.30",
                                               "reverse_fqdn": "a.example."}, 201)
        os.unlink(self.path + "-wal")
        self.well()
        self.ptr_is("198.51.100.30", "a.example.")

    def add_many(self):
        """More than SQLite keeps in memory, by its own hand and while the server is away."""
        self.stop()
        database = sqlite3.connect(self.path)
        database.executemany(
            "INSERT INTO resources (kind, path, revision, json, id, addr, grp, ptr, ptr_revision)"
            " VALUES (101, ?, 1, ?, ?, ?, '', ?, 1)", map(self.row, range(MANY)))
        database.commit()
        database.close()
        self.start()

    def row(self, number):
        name = "m%d" % number
        key = "00000000-0000-4000-8000-%012x" % number
        values = {"name": name, "id": key, "address": self.address(number), "allocation": "static",
                  "reverse_fqdn": name + ".example."}
        return ("-/" + name, json.dumps(values), key,
                b"\x06" + ipaddress.ip_address(self.address(number)).packed, name + ".example.")

    @staticmethod
    def address(number):
        return "2001:db8:5::%x:%x" % (1 + (number >> 16), 1 + (number & 0xffff))

    def test_what_an_old_state_has_is_served_and_shown_so_that_it_is_seen(self):
        """No version takes such a text any more, and one that did may have left it there."""
        text = "a\u202eb\x1b[2J\u200bc"
        self.stop()
        database = sqlite3.connect(self.path)
        database.execute("UPDATE resources SET json = json_set(json, '$.description', ?)"
                         " WHERE ptr NOT NULL", (text,))
        database.commit()
        database.close()
        self.start()
        self.ptr_is(OPEN, "one.example.")
        for argv in (("ptr", "list"), ("ptr", "show", OPEN)):
            status, printed = self.command(*argv)
            self.assertEqual(0, status, printed)
            self.assertIn(r"a\u{202e}b\x1b[2J\u{200b}c", printed)
            self.assertNotIn("\x1b", printed)
        status, printed = self.command("ptr", "show", "--json", OPEN)
        self.assertTrue(printed.isascii(), printed)
        self.assertEqual(text, json.loads(printed)["description"])
        status, printed = self.command("state", "export")
        self.assertTrue(printed.isascii(), printed)
        self.assertIn(text, [row.get("description") for row in json.loads(printed)["ptrs"]])
        answer = self.call("PUT", "/v1/ptrs/" + OPEN, {"reverse_fqdn": "two.example.", "description": text})
        self.bad_v1(answer, 400, "invalid", text=r"character 2 is U\+202E, which is invisible")
        self.well()

    def test_a_record_that_cannot_be_read_is_not_taken_for_none(self):
        edit = {"path": "ptrs/" + self.good("GET", "/v1/addresses/office/open").body["id"], "values": None}
        groups = "/subscriptions/%s/resourceGroups%%s?api-version=2025-04-01" % test_reverse.SUBSCRIPTION
        self.good("PUT", groups % "/lab", {"location": "westeurope"}, 201)
        database = sqlite3.connect(self.path)
        database.execute("UPDATE resources SET json = 'x' || json WHERE ptr NOT NULL OR path LIKE '%lab'")
        database.commit()
        why = "not written by sluice"
        self.assertEqual(503, self.call("GET", groups % "").status)
        self.assertEqual(503, self.call("PUT", groups % "/lab", {"location": "westeurope"}).status)
        for path in ("/v1/ptrs/" + OPEN, "/v1/addresses/office/open", "/v1/ptrs", "/v1/state"):
            self.bad_v1(self.call("GET", path), 503, "store_failed", text=why)
        rows = [{"address": OPEN, "reverse_fqdn": "two.example."}]
        for query in ("", "?dry_run"):
            self.bad_v1(self.call("POST", "/v1/ptrs" + query, rows), 503, "store_failed", text=why)
            answer = self.call("POST", "/v1/changes" + query, {"edits": [edit]})
            self.bad_v1(answer, 503, "store_failed", text=why)
        self.refused(why)
        self.assertRegex(self.sluice.log(), "error state: .*" + why)
        self.good("PUT", "/v1/virtual_networks/-/more", {"address_space": ["10.99.0.0/16"]}, 201)
        self.assertRegex(self.error(), why)  # other changes are made, and do not hide it
        database.execute("UPDATE resources SET json = substr(json, 2) WHERE ptr NOT NULL")
        database.execute("DELETE FROM resources WHERE path LIKE '%lab'")
        database.commit()
        database.close()
        self.assertIsNone(self.error())
        self.reload()
        self.well()

    def test_a_state_that_is_damaged_in_use(self):
        self.add_many()
        good = self.path + ".good"
        shutil.copy(self.path, good)
        with open(self.path, "r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(PAGE)
            file.write(b"\xa5" * (size - PAGE))
        answers = [self.call("PUT", "/v1/ptrs/" + self.address(n), {"reverse_fqdn": "new.example."})
                   for n in range(0, MANY, MANY // 50)]
        bad = [answer for answer in answers if answer.status != 200]
        self.assertTrue(bad)
        for answer in bad:
            self.bad_v1(answer, 503, "store_failed", text="damaged")
        self.assertRegex(self.error(), "damaged")
        self.reload("damaged")
        self.ptr_is(self.address(MANY - 1), "m%d.example." % (MANY - 1))
        for suffix in ("-wal", "-shm"):  # they are the damaged one's
            os.unlink(self.path + suffix)
        os.rename(good, self.path)
        self.reload()
        self.ptr_is(self.address(MANY - 1), "m%d.example." % (MANY - 1))
        self.well()
        self.ptr_is(self.address(MANY - 1), "m%d.example." % (MANY - 1))


if __name__ == "__main__":
    harness.main()
