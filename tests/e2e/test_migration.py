"""The state of an older version: what it has is served, with its history and what waits to be confirmed;
the older file stays as it was, whatever happens on the way, and there is a way back."""

import contextlib
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import threading
import time
import unittest

import dns
import harness
import hub

CONFIG = """
workers = %(workers)d;
management = { socket = "sluice.sock"; state = "%(state)s"; };
default_resolver = { targets = ( { address = "127.0.0.3"; } ); };
""" + hub.hub("127.0.0.1:53", "127.0.0.1") + hub.zone_and_rule('address = "127.0.0.1"; port = 5401;') + """
address_pools = ( { name = "public"; prefix = "198.51.100.0/24"; } );
"""
HERE = ("127.0.0.1", 53)
SQL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "state_v7.sql")
EXPORT = os.path.join(os.path.dirname(SQL), "state_export_0_1.json")
NAME, ADDRESS = "a.db.corp.internal", "10.30.0.4"
WEB, SPOKE = "private_zones/dns-rg/db.corp.internal/links/one", "net-rg/spoke"


def old_state(path):
    """A state of version 7 that nobody has open, most of it in its log."""
    now = int(time.time())
    with open(SQL, encoding="utf-8") as file:
        text = file.read()
    db = sqlite3.connect(path + ".made", isolation_level=None)
    db.executescript("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;" + text)
    db.execute("UPDATE changes SET time = ?", (now,))  # those of a week ago are forgotten
    for end in "", "-wal", "-shm":
        shutil.copyfile(path + ".made" + end, path + end)
    db.close()
    os.remove(path + ".made")


def contents(path):
    """Of a state's file and its log, where these are."""
    found = []
    for end in "", "-wal":
        with contextlib.suppress(FileNotFoundError), open(path + end, "rb") as file:
            found.append(file.read())
    return found


def rows(path, sql):
    """From a copy, so that nothing is written."""
    with contextlib.closing(sqlite3.connect(":memory:")) as memory:
        for end in "", "-wal":
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(path + end, path + ".read" + end)
        with contextlib.closing(sqlite3.connect(path + ".read")) as db:
            db.backup(memory)
        for end in "", "-wal", "-shm":
            with contextlib.suppress(FileNotFoundError):
                os.remove(path + ".read" + end)
        return memory.execute(sql).fetchall()


class Old(harness.FreshCase):
    """A state of version 7, and no server yet."""
    state = "state.db"

    def build(self, world):
        self.host = world.host("cloud")
        world.write("corp.internal.zone", "web 300 IN A 10.10.1.10\n")
        self.path = os.path.join(world.dir, self.state)
        old_state(self.path)
        self.before = contents(self.path)
        self.sluice = None

    def config(self, workers=1):
        return CONFIG % {"workers": workers, "state": self.state}

    def start(self):
        self.sluice = harness.Sluice(self.host, self.config(), HERE)
        self.sluice.wait_managed()

    def call(self, method, path, body=None):
        """(status, headers, body)"""
        with contextlib.closing(harness.UnixConnection(self.sluice.socket)) as connection:
            connection.request(method, "/v1/" + path, body and json.dumps(body),
                               {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
        return answer.status, answer.headers, json.loads(text) if text else None

    def good(self, method, path, body=None, status=200):
        found, _, answer = self.call(method, path, body)
        self.assertEqual(status, found, answer)
        return answer

    def is_served(self, waits=False):
        """All that the older one has."""
        self.assert_answer(self.host.ask(HERE, NAME), ADDRESS)
        self.assert_answer(self.host.ask(HERE, "9.100.51.198.in-addr.arpa", "PTR"), "mail.db.corp.internal.")
        self.assertEqual(SPOKE, self.good("GET", WEB)["virtual_network"])
        self.assertEqual(["hub-resolver/outbound"],
                         self.good("GET", "rulesets/dns-rg/more")["outbound_endpoints"])
        self.assertEqual("198.51.100.10", self.good("GET", "addresses/pay/web")["address"])
        self.assertEqual(200 if waits else 404, self.call("GET", "rulesets/dns-rg/more/rules/fabrikam")[0])
        history = self.good("GET", "changes")["changes"]
        self.assertEqual(list(range(1, 14)), sorted({change["revision"] for change in history}
                                                    & set(range(1, 14))))

    def stays(self, path=None):
        """The older file is as it was."""
        path = path or self.path + ".v7"
        self.assertEqual([(7,)], rows(path, "PRAGMA user_version"))
        self.assertEqual(self.before, contents(path))

    def is_migrated(self):
        self.assertEqual([(8,)], rows(self.path, "PRAGMA user_version"))
        self.assertEqual([("ok",)], rows(self.path, "PRAGMA integrity_check"))
        self.assertFalse(os.path.exists(self.path + ".new"))
        self.stays()


@unittest.skipIf(harness.VALGRIND, "what the program is then, is valgrind")
class Migration(Old):
    # ---- a start ----

    def test_a_state_of_version_7_is_served_and_the_older_file_stays(self):
        self.start()
        self.is_served()
        self.assertIn("that of version 7 stays as", self.sluice.log())
        self.is_migrated()
        pairs = dict(rows(self.path, "SELECT key, value FROM pairs"))
        self.assertEqual("6262B61F0A2AA7BC94140772035FE282BAAC38E5FF6BA837F4374EC8F30F43D6",
                         pairs["secret tokens"])
        self.assertEqual("1795641000 0", pairs["use rule onprem\tcontoso"])
        self.assertEqual("1795641000 1795641300", pairs["use rule dns-rg/more\tfabrikam"])
        self.good("PUT", "virtual_networks/other/spoke", {"address_space": ["10.50.0.0/16"]}, 201)
        self.is_served()  # what was NAME is not ambiguous now

    def test_history_can_be_undone_as_before(self):
        self.start()
        status, text = self.sluice.command("undo", "13")
        self.assertEqual(0, status, text)
        self.is_served(waits=True)
        self.stays()

    def test_a_change_that_waits_goes_back_at_the_start(self):
        now = int(time.time())
        os.mkdir(self.path + ".unconfirmed")
        self.world.write(self.state + ".unconfirmed/change", json.dumps(
            {"who": "uid 0", "at": now, "until": now + 3600, "revision": 13}))
        self.start()
        self.is_served(waits=True)
        self.assertIn("the change of revision 13 by uid 0 was not confirmed and has gone back",
                      self.sluice.log())
        self.stays()

    def test_the_way_back_is_a_rename(self):
        self.start()
        self.good("PUT", "virtual_networks/-/later", {"address_space": ["10.60.0.0/16"]}, 201)
        self.assertEqual(0, self.sluice.stop())
        os.rename(self.path + ".v7", self.path)
        os.rename(self.path + ".v7-wal", self.path + "-wal")
        self.stays(self.path)
        self.start()
        self.is_served()
        self.assertEqual(404, self.call("GET", "virtual_networks/-/later")[0])
        self.is_migrated()

    def test_commands_that_read_leave_no_trace(self):
        self.world.write("sluice.conf", self.config())
        before = sorted(os.listdir(self.world.dir))
        config = os.path.join(self.world.dir, "sluice.conf")
        status, text = harness.command("check", "-c", config)
        self.assertEqual(0, status, text)
        status, text = harness.command("explain", "-c", config, "--vnet", "spoke", NAME)
        self.assertIn(ADDRESS, text)
        self.assertEqual(before, sorted(os.listdir(self.world.dir)))
        self.assertEqual(self.before, contents(self.path))

    # ---- what gets in between ----

    def begin_anew(self):
        for name in os.listdir(self.world.dir):
            if name.startswith(self.state):
                os.remove(os.path.join(self.world.dir, name))
        old_state(self.path)
        self.before = contents(self.path)

    def run_and_kill(self, comes):
        """Kills a start as soon as that is true, and as many more microseconds as a random number says."""
        config = self.world.write("sluice.conf", self.config())
        with self.host.inside():
            child = subprocess.Popen([harness.SLUICE, "run", "-c", config], stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL, start_new_session=True)
        end = time.monotonic() + dns.PATIENCE
        while not comes() and time.monotonic() < end:
            pass
        for _ in range(self.dice.randrange(2000)):
            os.getpid()
        servers = harness.children_of(child.pid)
        for pid in [child.pid, *servers]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        child.wait()
        for pid in servers:
            harness.wait_for(lambda gone=pid: harness.is_gone(gone), "the server to end")

    def test_a_start_that_is_killed_at_each_step_loses_nothing(self):
        """When its copy is there, has grown, has its log's new name, and has taken the older file's place."""
        self.dice, killed = random.Random(7), 0
        has = lambda end: os.path.exists(self.path + end)

        def grown():
            with contextlib.suppress(FileNotFoundError):  # it may be renamed into place at any moment
                return os.path.getsize(self.path + ".new") > 50000
            return False
        for comes in 5 * (lambda: has(".new"), grown, lambda: has(".v7"), lambda: has(".v7") and not has(".new")):
            self.begin_anew()
            self.run_and_kill(comes)
            killed += rows(self.path, "PRAGMA user_version") == [(7,)] or has(".new")
            self.start()
            self.is_served()
            self.is_migrated()
            self.sluice.stop()
        self.assertGreater(killed, 0)

    def link(self):
        """The last step is about to begin: the older file and its log have their new names, too."""
        with contextlib.closing(sqlite3.connect(self.path + ".new")) as db:
            db.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL)")
            db.execute("INSERT INTO meta VALUES ('of changed', ?)", (os.stat(self.path).st_mtime_ns,))
            db.commit()
        for end in "", "-wal":
            os.link(self.path + end, self.path + ".v7" + end)

    def test_one_that_was_ended_when_the_log_had_gone_ahead(self):
        self.link()
        os.remove(self.path + "-wal")
        os.remove(self.path + "-shm")
        self.start()
        self.is_served()
        self.is_migrated()

    def test_a_log_is_not_given_back_to_a_file_that_has_gone_on(self):
        """The older program was started again, wrote, and ended, which puts the log into the file."""
        self.link()
        with contextlib.closing(sqlite3.connect(self.path)) as db:
            db.execute("UPDATE resources SET json = replace(json, '10.30.0.4', '10.30.0.99')")
            db.commit()
        self.assertFalse(os.path.exists(self.path + "-wal"))
        self.before = contents(self.path)
        self.start()
        self.assert_answer(self.host.ask(HERE, NAME), "10.30.0.99")
        self.is_migrated()

    def test_two_servers_at_once(self):
        """The older file and its pairs outlive both."""
        for _ in range(5):
            self.begin_anew()
            children = []
            for number in range(2):
                config = self.world.write("s%d.conf" % number, self.config().replace(
                    "sluice.sock", "s%d.sock" % number).replace("127.0.0.1:53", "127.0.0.%d:53" % (10 + number)))
                with self.host.inside():
                    children.append(subprocess.Popen([harness.SLUICE, "run", "-c", config], stderr=subprocess.PIPE,
                                                     text=True))
            for child in children:
                for line in child.stderr:
                    if " serving: " in line:
                        break
            for child in children:
                child.terminate()
                child.stderr.read()
                child.wait()
                child.stderr.close()
            self.stays()
            self.assertIn(("secret tokens", "6262B61F0A2AA7BC94140772035FE282BAAC38E5FF6BA837F4374EC8F30F43D6"),
                          rows(self.path, "SELECT key, value FROM pairs"))

    def test_without_a_place_for_it_the_older_file_stays(self):
        os.mkdir(self.path + ".new")  # it cannot be removed as a file is
        config = self.world.write("sluice.conf", self.config())
        self.sluice = harness.Sluice(self.host, self.config(), HERE)
        self.sluice.wait_managed()
        self.assertEqual(503, self.call("PUT", "virtual_networks/-/later",
                                        {"address_space": ["10.60.0.0/16"]})[0])
        self.assertIn("a newer one cannot be made beside it", self.sluice.log())
        self.assertEqual(self.before, contents(self.path))
        os.rmdir(self.path + ".new")
        status, text = harness.command("reload", "-c", config)
        self.assertEqual(0, status, text)
        self.good("PUT", "virtual_networks/-/later", {"address_space": ["10.60.0.0/16"]}, 201)
        self.is_served()
        self.is_migrated()

    # ---- an upgrade: the server has a state open in whose place the older one is put ----

    def start_beside(self):
        for end in "", "-wal", "-shm":
            os.rename(self.path + end, self.path + ".kept" + end)
        self.start()
        for end in "", "-wal", "-shm":
            with contextlib.suppress(FileNotFoundError):
                os.remove(self.path + end)
        for end in "", "-wal", "-shm":
            shutil.copyfile(self.path + ".kept" + end, self.path + end)

    def test_an_upgrade_migrates_and_takes_over(self):
        self.start_beside()
        self.assertEqual("NXDOMAIN", self.host.ask(HERE, NAME).rcode)
        before = self.sluice.pid
        status, text = self.sluice.command("upgrade")
        self.assertEqual(0, status, text)
        self.sluice.wait_managed()
        # Until it is gone it may answer, and has none of this.
        harness.wait_for(lambda: harness.is_gone(before), "the end of the server before")
        self.is_served()
        self.is_migrated()

    def test_an_upgrade_that_is_refused_half_way_leaves_the_older_file_as_it_was(self):
        self.start_beside()
        before = self.sluice.pid
        # Only the migrated copy has the other address of that name.
        self.sluice.reconfigure(self.config() + """
addresses = ( { name = "web"; resource_group = "pay"; address = "198.51.100.77"; } );""")
        status, text = self.sluice.command("upgrade")
        self.assertEqual(1, status, text)
        self.assertIn("cannot both have this name", text)
        self.assertEqual(before, self.sluice.pid)
        self.assertEqual(self.before, contents(self.path))
        self.assertFalse(os.path.exists(self.path + ".new"))
        self.assertFalse(os.path.exists(self.path + ".v7"))
        self.assertEqual("NXDOMAIN", self.host.ask(HERE, NAME).rcode)

    def kill_while_it_migrates(self, comes):
        """Begins an upgrade, and kills the new server as soon as that is true. Gives whether it was too late for that:
        the new one serves, or has served."""
        before, seen, done = self.sluice.pid, len(self.sluice.log()), []
        thread = threading.Thread(target=lambda: done.append(self.sluice.command("upgrade")))
        thread.start()
        while not comes() and thread.is_alive():
            pass
        for pid in harness.children_of(self.sluice.child.pid):
            if pid != before:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, 9)
        thread.join(4 * dns.PATIENCE)
        came = harness.wait_for(lambda: re.search("goes on as before|finishing what is under way|the server ended by signal 9",
                                                  self.sluice.log()[seen:]), "what came of it")
        return done[0][0] == 0 or came.group() != "goes on as before"

    def test_a_new_server_that_is_killed_while_it_migrates_leaves_the_older_file_as_it_was(self):
        """When its copy is there, and when that has grown."""
        def size():
            with contextlib.suppress(FileNotFoundError):  # it may be renamed into place at any moment
                return os.path.getsize(self.path + ".new")
            return -1
        has, grown = lambda: size() >= 0, lambda: size() > 50000
        for _ in range(5):
            self.start_beside()
            before, killed = self.sluice.pid, 0
            for comes in has, grown:
                if self.kill_while_it_migrates(comes):
                    break
                killed += 1
                self.assertEqual(before, self.sluice.pid)
                self.assertEqual("NXDOMAIN", self.host.ask(HERE, NAME).rcode)
                self.assertEqual(self.before, contents(self.path))
                self.assertFalse(os.path.exists(self.path + ".v7"))
            if killed:
                break
            self.sluice.stop()
            self.begin_anew()
        self.assertGreater(killed, 0)
        if killed == 2:
            status, text = self.sluice.command("upgrade")
            self.assertEqual(0, status, text)
        self.sluice.wait_managed()
        harness.wait_for(lambda: harness.is_gone(before), "the end of the server before")
        self.is_served()
        self.is_migrated()

    def test_changes_wait_for_the_end_of_an_upgrade_and_nothing_else_does(self):
        self.start()
        go = os.path.join(self.world.dir, "go")
        slow = self.world.write("slow", "#!/bin/sh\nwhile ! [ -e %s ]; do sleep 0.05; done; exec %s \"$@\"\n"
                                % (go, harness.SLUICE))
        os.chmod(slow, 0o755)
        done = []
        thread = threading.Thread(target=lambda: done.append(self.sluice.command("upgrade", "--binary", slow)))
        thread.start()
        harness.wait_for(lambda: len(harness.children_of(self.sluice.child.pid)) > 1, "the new process")
        body = {"address_space": ["10.60.0.0/16"]}
        status, headers, answer = self.call("PUT", "virtual_networks/-/later", body)
        self.assertEqual(503, status, answer)
        self.assertEqual("1", headers["Retry-After"])
        self.assertIn("an upgrade is under way", answer["error"]["message"])
        self.is_served()
        self.world.write("go", "")
        thread.join(4 * dns.PATIENCE)
        self.assertEqual(0, done[0][0], done)
        self.sluice.wait_managed()
        self.good("PUT", "virtual_networks/-/later", body, 201)
        self.assertTrue(re.search("has taken over", done[0][1]), done)


class Export(Old):
    """An export that sluice made before names were unique in their group (GET /v1/state)."""

    def config(self, workers=1):
        return super().config(workers).replace("address_pools = (", """
reverse = { service_suffix = "services.example"; };
address_pools = ( { name = "six"; prefix = "2001:db8::/64"; },""")

    def test_an_export_of_an_earlier_program_is_taken_as_it_is(self):
        with open(EXPORT, encoding="utf-8") as file:
            export = json.load(file)
        self.start()
        self.good("PUT", "state", export, 204)
        self.assertEqual(export, self.good("GET", "state"))
        self.assert_answer(self.host.ask(HERE, "10.100.51.198.in-addr.arpa", "PTR"), "front.example.com.")
        self.assertEqual({"team": "a"}, self.good("GET", "addresses/web-rg/front")["tags"])
        self.assertEqual("shop.services.example.", self.good("GET", "services/shop")["reverse_fqdn"])


class Disk(Old):
    """On a disk of its own, which is full."""
    state = "disk/state.db"

    def build(self, world):
        self.disk = os.path.join(world.dir, "disk")
        os.mkdir(self.disk)
        harness.sh("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", self.disk)
        self.addCleanup(lambda: harness.sh("umount", "-l", self.disk))
        super().build(world)

    def test_a_full_disk_leaves_the_older_file_as_it_was(self):
        filler = os.path.join(self.disk, "filler")
        with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"\0" * 4096)
        self.start()
        status, _, answer = self.call("PUT", "virtual_networks/-/later", {"address_space": ["10.60.0.0/16"]})
        self.assertEqual(503, status, answer)
        self.assertRegex(self.sluice.log(), "make room on its disk")
        self.assertEqual(self.before, contents(self.path))
        self.assertFalse(os.path.exists(self.path + ".new"))
        os.remove(filler)
        status, text = self.sluice.command("reload")
        self.assertEqual(0, status, text)
        self.is_served()
        self.is_migrated()


if __name__ == "__main__":
    harness.main()
