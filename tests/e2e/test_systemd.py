"""The unit as `make install` leaves it, under a systemd of its own. systemd must notice neither an upgrade nor
a crash of the server, which the master starts again; if the master crashes, systemd must start it again."""

import contextlib
import os
import re
import signal
import socket
import time

import booted
import dns
import guide
import harness
import hub
import test_privileges
import test_upgrade

HERE = ("127.0.0.1", 53)
CONFIG = """
subscription = "11111111-2222-3333-4444-555555555555";
region = "westeurope";
workers = 2;
limits = { queries_per_second_per_endpoint = 0; };
management = { state = "/var/lib/sluice/state.db"; };
default_resolver = { targets = ( { address = "127.0.0.3"; } ); };
""" + hub.hub("127.0.0.1:53", "127.0.0.1") + hub.zone_and_rule('address = "127.0.0.1"; port = 5401;') + """
address_pools = ( { name = "public"; prefix = "198.51.100.0/24"; } );
"""
RULES = "rules = ("
MANY = CONFIG.replace(RULES, RULES + "".join(
    '\n{ name = "r%d"; domain = "r%d.test."; targets = ( { address = "127.0.0.1"; } ); },' % (i, i)
    for i in range(999)))
FAULTY = CONFIG.replace("region", "regain")
DROP_IN = "/etc/systemd/system/sluice.service.d/test.conf"
AGAIN_MS = 200  # from a crash to an answer
NAME, ADDRESS = "web.corp.internal", "10.10.1.10"
PTR = "25.100.51.198.in-addr.arpa"


class Systemd(test_upgrade.Upgrading):
    def build(self, world):
        if not test_privileges.can_become_others():
            self.skipTest("systemd needs root")
        if not os.path.exists(harness.PLAIN):  # the sandbox stops sanitizers
            self.skipTest("%s is not built" % harness.PLAIN)
        self.host = world.host("cloud")
        self.upstream = harness.Upstream(self.host, "127.0.0.1", "192.0.2.1", 5401)
        files = os.path.join(world.dir, "files")
        harness.sh("make", "-C", harness.TOP, "-o", "build/sluice", "-o", "build/sluice-import", "install", "DESTDIR=" + files,
                   env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")})
        self.machine = booted.Booted(self.host, files)
        self.machine.write("/etc/sluice/sluice.conf", CONFIG)
        self.zone(ADDRESS)
        self.machine.run("systemctl", "daemon-reload")

    def zone(self, address):
        self.machine.write("/etc/sluice/corp.internal.zone", "web 300 IN A %s\n" % address)

    def systemctl(self, verb, fine=True):
        status, text = self.machine.run("systemctl", verb, "sluice", fine=None)
        self.assertEqual(fine, status == 0, text + self.journal())

    def state(self):
        return self.machine.show("sluice", "ActiveState", "NRestarts", "Result", "ExecMainStatus")

    def main_pid(self):
        return int(self.machine.show("sluice", "MainPID")["MainPID"])

    def status(self, pid):
        """What the kernel says of a process of the machine."""
        return harness.fields_of(self.machine.path("/proc/%d/status" % pid))

    def journal(self):
        return self.machine.run("journalctl", "--no-pager", "-u", "sluice")[1]

    def logged(self, text):
        """The journal has it a moment after it was written."""
        harness.wait_for(lambda: text in self.journal(), repr(text) + " in the journal")

    def serves(self, address=ADDRESS):
        self.assert_answer(self.host.ask(HERE, NAME), address)

    def active(self, restarts=0):
        state = self.state()
        self.assertEqual(("active", str(restarts)), (state["ActiveState"], state["NRestarts"]),
                         self.journal())

    def server_pid(self):
        """The process that serves: the newest child of the main process, once there is one."""
        children = self.machine.path("/proc/%d/task/%d/children" % ((self.main_pid(),) * 2))

        def found():
            with open(children) as file:
                return file.read().split()
        return int(harness.wait_for(found, "a server")[-1])

    def started_again(self, before):
        """Another server, of the same main process, and systemd has nothing to do with it."""
        harness.wait_for(lambda: self.server_pid() != before, "the master to start it again")
        self.serves()
        self.active()

    def started_anew(self, before):
        def found():
            return self.main_pid() not in (0, before) and self.state()["ActiveState"] == "active"
        harness.wait_for(found, "systemd to start it again")
        self.serves()
        self.active(restarts=1)

    def answers_after_ms(self):
        """From kill -9 of the server, done from out here, to the next right answer."""
        group = os.path.join(self.machine.cgroup, "system.slice", "sluice.service", "cgroup.procs")
        with open(group) as file:
            pids = [int(pid) for pid in file.read().split()]
        pid = next(pid for pid in pids if harness.children_of(pid) == [])

        def answered():
            with contextlib.suppress(OSError):
                message = self.host.ask(HERE, NAME, timeout=1)
                return message is not None and message.texts() == [ADDRESS]
        begin = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        harness.wait_for(answered, "an answer")
        return (time.monotonic() - begin) * 1e3

    def tries(self):
        return int(self.state()["NRestarts"])  # the journal may be behind

    def does_not_spin(self, why):
        """It cannot serve, and is tried again and again, with pauses."""
        begin, before = time.monotonic(), self.tries()
        harness.wait_for(lambda: self.tries() >= before + 3, "more tries")
        self.assertGreater(time.monotonic() - begin, 1.5)
        self.logged(why)

    def stops_when_all_is_answered(self):
        for _ in range(20):  # on a slow machine the question may end by itself, after four seconds, before the stop
            begin = time.monotonic()
            with test_upgrade.silent_question(self.host) as asking:
                self.systemctl("stop")
                self.assertEqual(dns.RCODES.index("SERVFAIL"), asking.recv(4096)[3] & 15)
            if time.monotonic() - begin < 4 or "still unanswered" in self.journal():
                break
            self.systemctl("start")
        state = self.state()
        self.assertEqual(("inactive", "success", "0"),
                         (state["ActiveState"], state["Result"], state["ExecMainStatus"]),
                         self.journal())
        self.logged("some questions are still unanswered")  # although systemd signals the master and the server


class Unit(Systemd):
    def test_it_is_active_when_it_serves(self):
        self.systemctl("start")
        self.serves()
        self.active()
        self.assert_answer(self.host.ask(HERE, "a.contoso.corp"), "192.0.2.1")
        self.stops_when_all_is_answered()

    def test_it_is_not_active_when_it_cannot_serve(self):
        with self.host.inside():
            other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with other:
            other.bind(HERE)
            self.systemctl("start", fine=False)
            self.logged("the port is in use")
        harness.wait_for(lambda: self.state()["ActiveState"] == "active", "it to be tried again")
        self.serves()

    def test_its_sandbox_holds_and_leaves_it_what_it_needs(self):
        self.systemctl("start")
        pid = self.main_pid()
        status = self.status(pid)
        self.assertNotIn("0", status["Uid"].split())
        for name, value in (("CapEff", 1 << 10), ("CapBnd", 1 << 10)):
            self.assertEqual(value, int(status[name], 16), name)
        server = self.status(self.server_pid())
        for name in ("CapEff", "CapPrm", "CapAmb"):
            self.assertEqual(0, int(server[name], 16), name)
        for found in (status, server):
            self.assertEqual(("1", "2", "0077"),
                             (found["NoNewPrivs"], found["Seccomp"], found["Umask"]))
        for folder in ("/etc/sluice", "/usr/local", "/var/lib"):
            text = self.machine.run("nsenter", "-m", "-t", str(pid), "touch", folder + "/x", fine=False)[1]
            self.assertIn("Read-only file system", text)
        self.machine.run("sluice", "address", "add", "mail", "198.51.100.25", "--static",
                         "--reverse-fqdn", "mail.example.com.")
        self.systemctl("restart")
        self.assert_answer(self.host.ask(HERE, PTR, "PTR"), "mail.example.com.")
        for path in ("/var/lib/private/sluice/state.db", "/run/sluice/control.sock"):
            self.assertEqual(0o600, os.stat(self.machine.path(path)).st_mode & 0o777, path)

    def test_a_reload_reads_anew_and_fails_with_a_fault(self):
        self.systemctl("start")
        self.zone("10.10.1.11")
        self.systemctl("reload")
        self.serves("10.10.1.11")
        self.machine.write("/etc/sluice/sluice.conf", FAULTY)
        self.systemctl("reload", fine=False)
        self.serves("10.10.1.11")
        self.active()

    def test_a_server_that_is_killed_is_started_again(self):
        self.systemctl("start")
        pid = self.server_pid()
        self.machine.run("kill", "-9", str(pid))
        self.started_again(pid)

    def test_a_master_that_is_killed_is_started_again(self):
        self.systemctl("start")
        pid = self.main_pid()
        self.machine.run("kill", "-9", str(pid))
        self.started_anew(pid)

    def test_one_that_is_killed_answers_again_in_under_200_ms(self):
        """Of several tries the fastest counts. Real-time priority, where it is permitted, keeps other work on the
        machine out of the measurement."""
        with contextlib.suppress(OSError):
            os.sched_setscheduler(self.machine.pid, os.SCHED_RR, os.sched_param(1))
        self.machine.write("/etc/sluice/sluice.conf", MANY)
        self.systemctl("start")
        took = [self.answers_after_ms()]
        while min(took) >= AGAIN_MS and len(took) < 30:
            time.sleep(1)
            took.append(self.answers_after_ms())
        print("# from kill -9 to an answer: %s ms" % ", ".join("%.0f" % ms for ms in took))
        self.assertLess(min(took), AGAIN_MS, self.journal())
        self.active()

    def test_one_that_cannot_start_says_why_and_is_tried_with_pauses(self):
        self.machine.write("/etc/sluice/sluice.conf", FAULTY)
        self.systemctl("start", fine=False)
        self.does_not_spin("/etc/sluice/sluice.conf:3: regain: there is no such key")
        self.machine.write("/etc/sluice/sluice.conf", CONFIG)
        harness.wait_for(lambda: self.state()["ActiveState"] == "active", "it to be tried again")
        self.serves()

    def test_one_that_crashes_on_and_on_is_tried_with_pauses(self):
        self.systemctl("start")
        self.machine.write("/usr/local/sbin/new", "#!/bin/sh\nkill -SEGV $$\n")
        os.chmod(self.machine.path("/usr/local/sbin/new"), 0o755)
        self.machine.run("mv", "/usr/local/sbin/new", "/usr/local/sbin/sluice")
        self.machine.run("kill", "-9", str(self.main_pid()))
        self.does_not_spin("status=11/SEGV")

    def test_one_that_systemd_cannot_begin_is_tried_with_pauses(self):
        self.systemctl("start")
        self.machine.write(DROP_IN, "[Service]\nEnvironmentFile=/nowhere\n")
        self.machine.run("systemctl", "daemon-reload")
        self.machine.run("kill", "-9", str(self.main_pid()))
        self.does_not_spin("Failed to load environment files")

    def test_one_that_is_stopped_is_not_tried_again(self):
        self.machine.write("/etc/sluice/sluice.conf", FAULTY)
        self.systemctl("start", fine=False)
        self.systemctl("stop")
        before = self.state()["NRestarts"]  # the journal may be behind
        time.sleep(3)
        self.assertEqual(before, self.state()["NRestarts"])

    def test_systemd_has_nothing_to_say_of_the_unit(self):
        self.assertEqual("", self.machine.run("systemd-analyze", "verify", "--man=no", "sluice.service")[1])

    def test_one_that_hangs_is_started_again(self):
        self.machine.write(DROP_IN, "[Service]\nWatchdogSec=10s\n")
        self.machine.run("systemctl", "daemon-reload")
        self.systemctl("start")
        heard = lambda: int(self.machine.show("sluice", "WatchdogTimestampMonotonic")["WatchdogTimestampMonotonic"])
        first = heard()
        harness.wait_for(lambda: heard() > first + 10e6, "a sign of life behind the watchdog's time")
        self.active()
        pid = self.server_pid()
        self.machine.run("kill", "-STOP", str(pid))
        self.started_again(pid)
        self.logged("the server says nothing for")
        self.assertNotIn("Watchdog timeout", self.journal())


class Upgrade(Systemd):
    def upgrade(self, *options, fine=True):
        """Gives what the command said; systemd notices nothing."""
        main = self.main_pid()
        text = self.machine.run("sluice", "upgrade", *options, fine=fine)[1]
        found = re.search(r"process (\d+) has taken over", text)
        self.assertEqual(fine, found is not None, text)
        if found:
            self.assertEqual(int(found.group(1)), self.server_pid(), self.journal())
        self.assertEqual(main, self.main_pid())
        self.active()
        return text

    def fails(self, *options):
        pid = self.server_pid()
        text = self.upgrade(*options, fine=False)
        self.assertEqual(pid, self.server_pid())
        self.serves()
        return text

    def test_systemd_notices_no_upgrade_and_no_query_is_lost(self):
        self.systemctl("start")
        self.assert_answer(self.host.ask(HERE, test_upgrade.CACHED[0]), test_upgrade.CACHED[1])
        before = self.status(self.main_pid())
        end = self.load("zone", "cached", "forwarded", "tcp")
        self.upgrade()
        self.machine.run("cp", "/usr/local/sbin/sluice", "/usr/local/sbin/newer")
        self.upgrade("--binary", "/usr/local/sbin/newer")
        end()
        pid = self.main_pid()
        harness.wait_for(lambda: self.status(pid)["Name"] == "newer", "the master to follow")
        for field in ("Uid", "Gid", "Umask", "CapEff", "NoNewPrivs", "Seccomp"):
            self.assertEqual(before[field], self.status(pid)[field], field)
        self.assertNotIn("not our child", self.journal())
        self.zone("10.10.1.11")
        self.systemctl("reload")
        self.serves("10.10.1.11")
        self.assertEqual(pid, self.main_pid())
        self.stops_when_all_is_answered()
        self.systemctl("start")
        self.serves("10.10.1.11")

    def test_one_that_took_over_is_watched_and_has_the_state(self):
        self.systemctl("start")
        self.upgrade()
        self.machine.run("sluice", "address", "add", "mail", "198.51.100.25", "--static",
                         "--reverse-fqdn", "mail.example.com.")
        self.machine.run("sh", "-c", "cd /etc/sluice && exec sluice upgrade -c sluice.conf")
        self.active()
        self.assert_answer(self.host.ask(HERE, PTR, "PTR"), "mail.example.com.")
        pid = self.server_pid()
        self.machine.run("kill", "-9", str(pid))
        self.started_again(pid)
        self.assert_answer(self.host.ask(HERE, PTR, "PTR"), "mail.example.com.")

    def test_one_that_took_over_has_what_only_root_may_read(self):
        secret = "ops-secret-5GmQ2xZr8Tn4"
        self.machine.write("/etc/sluice/ops.secret", secret + "\n")
        os.chmod(self.machine.path("/etc/sluice/ops.secret"), 0o600)
        self.machine.write(DROP_IN, "[Service]\nLoadCredential=ops.secret:/etc/sluice/ops.secret\n")
        self.machine.write("/etc/sluice/sluice.conf", CONFIG.replace("management = {", """
management = { listen = [ "http://127.0.0.1:8053" ];
  clients = ( { id = "ops"; secret_file = "/run/credentials/sluice.service/ops.secret"; } );"""))
        self.machine.run("systemctl", "daemon-reload")
        self.systemctl("start")
        for change in (lambda: None, self.upgrade, lambda: self.systemctl("reload")):
            change()
            text = self.host.run("curl", "-si", "-H", "Authorization: Bearer " + secret,
                                 "http://127.0.0.1:8053/v1/status")[1]
            self.assertIn("200 OK", text)

    def test_a_secret_is_made_as_the_guide_says(self):
        """Word for word; nobody else can read it."""
        read = guide.Guide(self.machine.path("/usr/local/share/doc/sluice/guide/reverse.md"))
        make = next(step.text for step in read.steps if "/secrets/ops" in getattr(step, "text", ""))
        management = next(found.group() for step in read.steps if isinstance(step, guide.File)
                          for found in [re.search(r"(?m)^management = .*\n.*secret_file.*\n", step.text)] if found)
        self.machine.write("/etc/sluice/sluice.conf", management + re.sub(
            r"(?m)^management = .*\n", "", CONFIG))
        self.systemctl("start", fine=False)
        self.logged("it is not there; systemd puts it there when it starts the unit")
        for text in (make, "systemctl restart sluice"):
            self.machine.run("sh", "-ec", text)
        self.serves()
        secret = self.machine.run("cat", "/etc/sluice/secrets/ops")[1].strip()
        for path in ("/etc/sluice/secrets/ops", "/run/credentials/sluice.service/secrets_ops"):
            status, text = self.machine.run("setpriv", "--reuid=65534", "--regid=65534",
                                            "--clear-groups", "cat", path, fine=False)
            self.assertIn("Permission denied", text)
        self.assertIn("fine", self.machine.run("sluice", "check")[1])
        for wrong, answer in (("", "200 OK"), ("x", "401 ")):
            text = self.host.run("curl", "-si", "-H", "Authorization: Bearer " + secret + wrong,
                                 "http://127.0.0.1:8053/v1/ptrs")[1]
            self.assertIn(answer, text)
        self.machine.run("sluice", "address", "add", "mail", "198.51.100.25", "--static")
        self.assertNotIn("warning", self.journal().lower())

    def test_where_the_new_one_fails_the_running_one_stays(self):
        self.systemctl("start")
        end = self.load("zone", "forwarded")
        self.machine.write("/usr/local/sbin/bad", "#!/bin/sh\nexit 1\n")
        os.chmod(self.machine.path("/usr/local/sbin/bad"), 0o755)
        self.assertIn("nothing is taken over", self.fails("--binary", "/usr/local/sbin/bad"))
        self.machine.write("/etc/sluice/sluice.conf", FAULTY)
        self.assertIn("regain", self.fails())
        self.machine.write("/etc/sluice/sluice.conf", CONFIG)
        self.upgrade()
        end()


if __name__ == "__main__":
    harness.main()
