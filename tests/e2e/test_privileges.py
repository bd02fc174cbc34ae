"""Least privilege: root starts the server, which runs as another user that may bind port 53 and make the
system calls that it needs, and nothing else. What the service manager is told. No secret in any output."""

import contextlib
import ctypes
import glob
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import unittest

import dns
import harness
import test_master

USER = 61234  # without a name, on any machine
OPS, EYE = "ops-secret-5GmQ2xZr8Tn4", "eye-secret-W7kLp1vB9cYd"
HERE, THERE, API = ("127.0.0.1", 53), ("127.0.0.2", 53), 8053
BIND_53 = 1 << 10
ALL_THREADS = 0x40000000  # for waitpid
ENDED = "STATUS=the server has ended, and is started again"
CONFIG = """
region = "westeurope";
subscription = "11111111-2222-3333-4444-555555555555";
workers = 2;
%(top)s
log = { level = "debug"; };
management = { socket = "run/control.sock"; state = "state/state.db"; listen = [ "http://127.0.0.1:8053" ];
  clients = ( { id = "ops"; secret_file = "ops.secret"; role = "admin"; },
              { id = "eye"; secret_file = "eye.secret"; } ); };
address_pools = ( { name = "public"; prefix = "198.51.100.0/24"; } );
virtual_networks = (
  { name = "hub"; address_space = [ "10.10.0.0/16" ];
    subnets = ( { name = "dns-in";  prefix = "10.10.0.0/28";  delegation = "Microsoft.Network/dnsResolvers"; },
                { name = "dns-in2"; prefix = "10.10.0.32/28"; delegation = "Microsoft.Network/dnsResolvers"; },
                { name = "dns-out"; prefix = "10.10.0.16/28"; delegation = "Microsoft.Network/dnsResolvers"; } ); } );
resolvers = (
  { name = "hub-resolver"; virtual_network = "hub";
    inbound_endpoints  = ( { name = "inbound"; subnet = "dns-in"; listen = "127.0.0.1:53"; }%(second)s );
    outbound_endpoints = ( { name = "outbound"; subnet = "dns-out"; source = "%(source)s"; } ); } );
private_zones = (
  { name = "corp.internal"; file = "corp.internal.zone"; links = ( { name = "hub"; virtual_network = "hub"; } ); } );
rulesets = (
  { name = "onprem"; outbound_endpoints = [ "hub-resolver/outbound" ];
    links = ( { name = "hub"; virtual_network = "hub"; } );
    rules = ( { name = "contoso"; domain = "contoso.corp."; targets = ( { address = "127.0.0.1"; port = 5401; } ); } ); } );
"""
SECOND = ', { name = "second"; subnet = "dns-in2"; listen = "127.0.0.2:53"; }'


def config(user=USER, second="", source="127.0.0.1", more=""):
    top = 'user = "%s";' % user if user else ""
    return CONFIG % {"top": top + more, "second": second, "source": source}


def can_become_others():
    """Whether this is root among all users, and not alone in a user namespace."""
    with open("/proc/self/uid_map") as file:
        return sum(int(line.split()[2]) for line in file) > USER


def niceness(process):
    """Of the main thread, of listeners' and of workers': {"sluice": 0, ...}, by a name's beginning.
    A sanitizer's own thread has the main one's name."""
    found = {}
    for tid, task in harness.threads_of(process.pid).items():
        if task["Name"] != "sluice" or tid == process.pid:
            with contextlib.suppress(ProcessLookupError):
                found[task["Name"].split("-")[0]] = os.getpriority(os.PRIO_PROCESS, tid)
    return found


class Server(harness.FreshCase):
    program = harness.SLUICE

    def build(self, world):
        if not can_become_others():
            self.skipTest("nobody else can be become here")
        if harness.VALGRIND and self.program != harness.PLAIN:
            self.skipTest("valgrind does not go along to another user")
        if not os.path.exists(self.program):
            self.skipTest("%s is not built" % self.program)
        saved, harness.SLUICE = harness.SLUICE, self.program
        self.addCleanup(setattr, harness, "SLUICE", saved)
        self.host = world.host("cloud")
        self.upstream = harness.Upstream(self.host, "127.0.0.1", "192.0.2.1", 5401)
        world.write("corp.internal.zone", "web 300 IN A 10.10.1.10\n")
        world.write("system.conf", "nameserver 127.0.0.9\n")
        for name, secret in (("ops", OPS), ("eye", EYE)):
            os.chown(world.secret(name + ".secret", secret), USER, USER)
        for name in ("state", "run"):
            os.mkdir(os.path.join(world.dir, name))
            os.chown(os.path.join(world.dir, name), USER, USER)

    def start(self, text=None, **how):
        self.sluice = harness.Sluice(
            self.host, text or config(), HERE,
            options=("--resolv-conf", os.path.join(self.world.dir, "system.conf")), **how)

    def refused(self, text, *words):
        """It does not start; one line for each fault, and `check` prints them too."""
        path = self.world.write("refused.conf", text)
        resolv = os.path.join(self.world.dir, "system.conf")
        for command in ("check", "run"):
            status, said = self.host.run("timeout", "60", harness.SLUICE, command, "-c", path,
                                         "--resolv-conf", resolv)
            self.assertEqual(1, status, said)
            self.assertNotRegex(said, harness.SANITIZER)
            for word in words:
                self.assertIn(word, said)

    def call(self, method, path, secret=None, body=None, headers=()):
        headers = dict({"Content-Type": "application/json"}, **dict(headers))
        if secret:
            headers["Authorization"] = "Bearer " + secret
        with self.host.inside():
            connection = http.client.HTTPConnection("127.0.0.1", API, timeout=dns.PATIENCE)
            connection.connect()
        connection.request(method, path, json.dumps(body) if body else None, headers)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response.status, text, response.headers

    def reload(self, text):
        self.sluice.reconfigure(text)
        status, said = self.sluice.command("reload")
        self.assertEqual(0, status, said)
        return said

    def serves(self, *servers):
        for server in servers or (HERE,):
            for transport in (dns.udp, dns.tcp):
                answer = self.host.ask(server, "web.corp.internal", transport=transport)
                self.assert_answer(answer, "10.10.1.10")


class AnotherUser(Server):
    def test_it_serves_as_that_user_and_every_thread_has_next_to_no_rights(self):
        self.start()
        self.serves()
        self.assert_answer(self.host.ask(HERE, "www.contoso.corp"), "192.0.2.1")
        for task in harness.threads_of(self.sluice.pid).values():
            self.assertEqual([str(USER)] * 4, task["Uid"].split(), task)
            self.assertEqual([str(USER)] * 4, task["Gid"].split(), task)
            self.assertIn(task["Groups"].split(), ([], [str(USER)]), task)
            for name in ("CapPrm", "CapEff", "CapInh", "CapBnd", "CapAmb"):
                self.assertEqual(0, int(task[name], 16), task)
            self.assertEqual("1", task["NoNewPrivs"], task)
        # Nobody of that user reads its memory: the kernel makes what is about it root's.
        self.assertEqual(0, os.stat("/proc/%d/mem" % self.sluice.pid).st_uid)
        for name in ("state/state.db", "run/control.sock"):
            self.assertEqual(USER, os.stat(os.path.join(self.world.dir, name)).st_uid)
        self.assertIn("goes on as user without a name (uid 61234, gid 61234)", self.sluice.log())
        self.assertNotIn("running as root", self.sluice.log())

    def test_a_reload_adds_a_port_53_and_a_source_and_keeps_what_there_was(self):
        self.start()
        self.serves()
        self.reload(config(second=SECOND, source="127.0.0.3"))
        self.serves(HERE, THERE)
        self.assert_answer(self.host.ask(THERE, "a.contoso.corp"), "192.0.2.1")
        self.assertEqual({"127.0.0.3"}, {q["from"] for q in self.upstream.questions("a.contoso.corp")})
        self.reload(config())
        self.assert_refused(self.host, THERE)
        self.reload(config(second=SECOND))
        self.serves(HERE, THERE)

    def test_what_it_keeps_to_go_back_to_is_its_own_and_gives_it_no_right(self):
        self.start()
        self.sluice.reconfigure(config(second=SECOND))
        status, said = self.sluice.command("reload", "--confirm", "10m")
        self.assertEqual(0, status, said)
        self.serves(HERE, THERE)
        kept = os.path.join(self.world.dir, "state/state.db.unconfirmed")
        for path, folders, names in os.walk(kept):
            for name in folders + names:
                self.assertEqual(USER, os.stat(os.path.join(path, name)).st_uid)
        self.sluice.kill()
        file = os.path.join(kept, "before/sluice.conf")
        with open(file) as copy:  # as somebody might who has become that user
            text = copy.read()
        self.assertIn('user = "%d";' % USER, text)
        with open(file, "w") as copy:
            copy.write(text.replace('user = "%d";' % USER, 'user = "root"; seccomp = false;')
                       .replace("seccomp = true;", ""))
        self.start()
        self.serves(HERE)
        self.assertIn("was not confirmed; what was before it is served", self.sluice.log())
        self.assert_refused(self.host, THERE)
        self.assert_rights(self.sluice.pid, 0)
        self.assertEqual("2", harness.fields_of("/proc/%d/status" % self.sluice.pid)["Seccomp"])

    def test_a_server_that_is_started_again_is_that_user_and_the_master_has_port_53(self):
        self.start()
        self.reload(config(second=SECOND))
        before = self.sluice.pid
        os.kill(before, signal.SIGKILL)
        self.sluice.wait_another(before)
        self.serves(HERE, THERE)
        self.assert_rights(self.sluice.pid, 0)
        self.assert_rights(self.sluice.child.pid, BIND_53)
        self.reload(config())
        self.reload(config(second=SECOND))
        self.serves(HERE, THERE)

    def assert_rights(self, pid, rights):
        status = harness.fields_of("/proc/%d/status" % pid)
        self.assertEqual([str(USER)] * 4, status["Uid"].split())
        self.assertEqual("1", status["NoNewPrivs"])
        self.assertEqual(0, int(status["CapBnd"], 16))
        for name in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
            self.assertEqual(rights, int(status[name], 16), name)

    def test_below_1024_a_reload_adds_53_and_what_was_there_at_the_start(self):
        self.start(config(second=SECOND.replace("2:53", "2:54")))
        self.serves(HERE, ("127.0.0.2", 54))
        self.reload(config())
        self.reload(config(second=SECOND.replace("2:53", "2:54")))
        self.serves(HERE, ("127.0.0.2", 54))
        self.sluice.reconfigure(config(second=SECOND.replace("2:53", "2:55")))
        for _ in range(2):  # that it was asked for before is no reason
            status, said = self.sluice.command("reload")
            self.assertEqual(1, status, said)
            self.assertIn("127.0.0.2:55: below port 1024 only 53 is opened after the start", said)
        self.serves(HERE, ("127.0.0.2", 54))

    def test_so_it_is_where_a_service_manager_has_made_it_that_user(self):
        """As the unit has it: with the right to bind any port, and never root."""
        self.start(config(user=None, second=SECOND.replace("2:53", "2:54")), argv0=(
            "setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups",
            "--inh-caps", "+net_bind_service", "--ambient-caps", "+net_bind_service", "--no-new-privs"))
        self.sluice.reconfigure(config(user=None, second=SECOND.replace("2:53", "2:55")))
        status, said = self.sluice.command("reload")
        self.assertEqual(1, status, said)
        self.assertIn("127.0.0.2:55: below port 1024 only 53 is opened after the start", said)
        self.reload(config(user=None))
        self.reload(config(user=None, second=SECOND.replace("2:53", "2:54")))
        self.serves(HERE, ("127.0.0.2", 54))

    def test_a_hostile_one_adds_nothing_to_what_was_there_at_the_start(self):
        """Neither by a name with a line end, which the master remembers when it executes itself."""
        self.start()
        before = self.sluice.pid
        status, said = self.sluice.command("upgrade", "--binary", test_master.fake(self.world, """
said = [ask(UNIX, folder + "/state/x\\n0 0 127.0.0.1:%d" % port) for port in (26, 27)]
ask(DNS, "127.0.0.1:53", 2); say(SERVES); say(TAKEN)
wait_for("go")
print("for", repr(said + [ask(DNS, "127.0.0.1:%d" % port, 2) for port in (26, 27)]), file=sys.stderr)
"""))
        self.assertEqual(0, status, said)
        harness.wait_for(lambda: harness.is_gone(before), "the old one to leave")
        harness.wait_for(lambda: "goes on as sluice" in self.sluice.log(), "the master to follow")
        self.world.write("go", "")
        harness.wait_for(lambda: "for ['', '', " in self.sluice.log(), "what was asked for")
        for port in (26, 27):
            self.assertIn("127.0.0.1:%d: below port 1024 only 53 is opened" % port, self.sluice.log())
        self.serves()

    def test_a_server_goes_with_its_master_though_it_has_become_another_user(self):
        self.start()
        self.serves()
        self.sluice.kill()  # waits for that

    def test_what_the_master_starts_gets_no_more_than_it_has(self):
        self.start()
        fields = harness.fields_of("/proc/%d/status" % self.sluice.child.pid)
        self.assertEqual(("1", "2"), (fields["NoNewPrivs"], fields["Seccomp"]))
        self.assertEqual("1", fields.get("Seccomp_filters", "1"))
        self.serves()

    def filters(self):
        """How many system call filters the master has; None: the kernel does not say."""
        return harness.fields_of("/proc/%d/status" % self.sluice.child.pid).get("Seccomp_filters")

    def test_the_file_that_it_was_started_from_is_its_own_only_with_the_owner_it_had(self):
        program = self.start_from(USER + 1)
        filters = self.filters()
        status, said = self.sluice.command("upgrade", "--binary", program)
        self.assertEqual(0, status, said)
        harness.wait_for(lambda: "goes on as sluice" in self.sluice.log(), "the master to follow")
        self.assertEqual(filters, self.filters())
        os.chown(program, USER, USER)
        status, said = self.sluice.command("upgrade", "--binary", program)
        self.assertEqual(1, status, said)
        self.assertIn("have to belong to root", said)
        before = self.sluice.pid
        os.kill(before, signal.SIGKILL)  # the program itself is there without its file
        self.sluice.wait_another(before)
        self.serves()

    def test_no_file_that_is_put_in_its_place_is_executed(self):
        """Not at a restart, either; and a script is none, whoever owns it."""
        path = self.start_from(USER + 1)
        harness.SLUICE = self.program
        marker = os.path.join(self.world.dir, "run", "marker")
        for owner in (USER, USER + 1):
            script = self.world.write("other", "#!/bin/sh\necho > %s\n" % marker)
            os.chmod(script, 0o755)
            os.chown(script, owner, owner)
            os.rename(script, path)
            status, said = self.sluice.command("upgrade", "--binary", path)
            self.assertEqual(1, status, said)
            self.assertFalse(os.path.exists(marker))
            self.serves()

    def test_a_program_that_the_server_s_user_can_change_is_warned_of(self):
        warning = "can be changed by the user that serves (uid %d)" % USER
        path = self.start_from(USER)
        harness.wait_for(lambda: warning in self.sluice.log(), "the warning")  # it is told once it is served
        self.assertIn(warning, self.sluice.command("check")[1])
        os.chown(path, USER + 1, USER + 1)
        self.assertNotIn(warning, self.sluice.command("check")[1])
        os.chmod(path, 0o757)
        self.assertIn(warning, self.sluice.command("check")[1])

    def start_from(self, owner):
        """A copy that is somebody's."""
        path = harness.SLUICE = shutil.copy(harness.SLUICE, os.path.join(self.world.dir, "home"))
        os.chown(path, owner, owner)
        self.start()
        return path

    def test_no_interpreter_runs_a_file_as_the_new_server(self):
        """Whatever stands where it is, and is called as the master calls a server."""
        for name in ("serve", "--serve", "--run", "-c"):
            self.world.write(name, "open(%r, 'w')\n" % os.path.join(self.world.dir, "marker"))
        self.start()  # in that folder
        for program in (os.path.realpath("/usr/bin/python3"), "/bin/sh", "/usr/bin/perl", "/usr/bin/awk"):
            status, said = self.sluice.command("upgrade", "--binary", program)
            self.assertEqual(1, status, said)
        self.assertFalse(os.path.exists(os.path.join(self.world.dir, "marker")))
        self.serves()

    def test_a_file_s_capability_goes_on_over_upgrades(self):
        """no_new_privs takes at every exec what a file would give."""
        program = shutil.copy(harness.SLUICE, os.path.join(self.world.dir, "capable"))
        subprocess.run(["setcap", "cap_net_bind_service+ep", program], check=True)
        path = self.world.write("capable.conf", config(user=None))
        process = harness.Process(self.host, "capable", [
            "setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups", program, "run", "-c", path,
            "--resolv-conf", os.path.join(self.world.dir, "system.conf")])
        process.wait_ready(HERE, "web.corp.internal")
        for _ in range(2):
            before = harness.children_of(process.child.pid)
            status, said = harness.command("upgrade", "-c", path, "--binary", program)
            self.assertEqual(0, status, said + process.log())
            harness.wait_for(lambda: harness.children_of(process.child.pid) not in ([], before)
                             and len(harness.children_of(process.child.pid)) == 1, "the old one to leave")
        harness.wait_for(lambda: process.log().count("goes on as sluice") == 2, "the master to follow")
        fields = harness.fields_of("/proc/%d/status" % process.child.pid)
        self.assertEqual(("1", BIND_53, BIND_53), (
            fields["NoNewPrivs"], int(fields["CapEff"], 16), int(fields["CapAmb"], 16)))
        self.world.write("capable.conf", config(user=None, second=SECOND))
        self.assertEqual(0, harness.command("reload", "-c", path)[0], process.log())
        self.serves(HERE, THERE)

    def test_a_later_version_may_make_other_calls(self):
        source = self.world.write("newer.c", """
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	(void)argc;
	cpu_set_t set;
	unsigned cpu;
	sched_getaffinity(0, sizeof set, &set);
	fprintf(stderr, "calls: %%d %%d %%d\\n", syscall(SYS_memfd_create, "x", 0) >= 0,
		sched_setaffinity(0, sizeof set, &set) == 0, syscall(SYS_getcpu, &cpu, 0, 0) == 0);
	argv[0] = "%s";
	execv(argv[0], argv);
	return 1;
}
""" % harness.SLUICE)
        program = os.path.join(self.world.dir, "newer")
        subprocess.run(["gcc", "-w", "-o", program, source], check=True)
        self.start()
        status, said = self.sluice.command("upgrade", "--binary", program)
        self.assertEqual(0, status, said + self.sluice.log())
        self.assertIn("calls: 1 1 1", self.sluice.log())
        self.serves()

    def test_an_upgrade_is_to_a_program_of_root_s(self):
        self.start()
        program = shutil.copy(harness.SLUICE, os.path.join(self.world.dir, "newer"))
        os.chown(program, USER, USER)
        status, said = self.sluice.command("upgrade", "--binary", program)
        self.assertEqual(1, status, said)
        self.assertIn("have to belong to root", said)
        os.chown(program, 0, 0)
        theirs = os.path.join(self.world.dir, "run")  # who may write to it could put another one there
        os.link(program, os.path.join(theirs, "newer"))
        status, said = self.sluice.command("upgrade", "--binary", os.path.join(theirs, "newer"))
        self.assertEqual(1, status, said)
        self.assertIn("have to belong to root", said)
        status, said = self.sluice.command("upgrade", "--binary", program)
        self.assertEqual(0, status, said + self.sluice.log())
        self.serves()
        harness.wait_for(lambda: os.path.basename(os.readlink("/proc/%d/exe" % self.sluice.child.pid))
                         == "newer", "the master to follow")
        self.assert_rights(self.sluice.pid, 0)
        self.assert_rights(self.sluice.child.pid, BIND_53)
        self.reload(config(second=SECOND))
        self.serves(HERE, THERE)
        target = 'default_resolver = { targets = ( { address = "192.0.2.9"; } ); };'
        self.reload(config(more=target).replace("127.0.0.1:53", "0.0.0.0:53"))
        self.serves(HERE, THERE)
        self.reload(config())
        self.serves(HERE)
        self.assert_refused(self.host, THERE)

    def test_another_sluice_is_not_let_into_a_port_that_is_served(self):
        """Though it runs as the same user, whom the kernel would let in."""
        self.start()
        self.reload(config(second=SECOND))
        path = self.world.write("refused.conf", config(second=SECOND).replace(
            "8053", "8054").replace("run/", "run/other-").replace("state/", "state/other-"))
        status, said = self.host.run("timeout", "60", harness.SLUICE, "run", "-c", path)
        self.assertEqual(1, status, said)
        for address in ("127.0.0.1:53", "127.0.0.2:53"):
            self.assertIn(address + " (UDP): the port is in use", said)
        self.serves(HERE, THERE)

    def test_what_the_api_changes_outlives_a_restart(self):
        self.start()
        status, text, _ = self.call("PUT", "/v1/addresses/-/mail", OPS, {
            "address": "198.51.100.25", "allocation": "static", "reverse_fqdn": "mail.example.com."})
        self.assertEqual(201, status, text)
        self.assertEqual(0, self.sluice.stop())
        self.assertFalse(os.path.exists(os.path.join(self.world.dir, "run", "control.sock")))
        self.start(name="again")
        answer = self.host.ask(HERE, "25.100.51.198.in-addr.arpa", "PTR")
        self.assert_answer(answer, "mail.example.com.")
        self.assertEqual(0, self.sluice.command("status")[0])  # by root

    def test_the_socket_s_directory_is_made_for_the_user(self):
        path = os.path.join(self.world.dir, "run")
        os.rmdir(path)
        self.start()
        self.assertEqual(USER, os.stat(path).st_uid)

    def test_files_that_the_user_cannot_read_are_named_at_the_start(self):
        os.chmod(self.world.write("corp.internal.zone", "web 300 IN A 10.10.1.10\n"), 0o600)
        os.chown(os.path.join(self.world.dir, "eye.secret"), 0, 0)
        os.chown(os.path.join(self.world.dir, "state"), 0, 0)
        self.refused(config(), "corp.internal.zone cannot be read by", "eye.secret cannot be read by",
                     "(uid 61234", "/state cannot be made by")

    def test_a_reload_with_a_file_that_the_user_cannot_read_is_refused_and_named(self):
        self.start()
        os.chmod(self.world.write("corp.internal.zone", "web 300 IN A 10.10.1.11\n"), 0o600)
        status, said = self.sluice.command("reload")
        self.assertEqual(1, status, said)
        self.assertIn("corp.internal.zone cannot be read: Permission denied", said)
        self.serves()

    def test_who_is_not_there_is_named(self):
        self.refused(config(user="no-such-one"), 'there is no user "no-such-one"')

    def test_another_user_takes_a_restart_and_says_so(self):
        self.start()
        self.assertIn("another user or group takes a restart", self.reload(config(user=65534)))
        self.assertIn("seccomp on or off takes a restart",
                      self.reload(config(more=" seccomp = false;")))
        self.serves()

    def test_without_a_user_root_is_told(self):
        self.start(config(user=None))
        self.serves()
        harness.wait_for(lambda: "running as root; set `user`" in self.sluice.log(), "the warning")
        # Only one worker is known to run; the other one may not have dropped its rights yet.
        harness.wait_for(lambda: [int(task["CapEff"], 16) for task in harness.threads_of(self.sluice.pid).values()
                                  if task["Name"].startswith("worker-")] == [0, 0], "workers without rights")

    def test_workers_come_first_and_listeners_threads_last(self):
        self.start()
        own = os.getpriority(os.PRIO_PROCESS, 0)
        wanted = {"worker": own, "sluice": min(own + 5, 19), "MHD": min(own + 10, 19)}
        harness.wait_for(lambda: niceness(self.sluice) == wanted,
                         "threads as nice as %s" % wanted)


class Filtered(Server):
    """With every filter, and whatever the program does: a call that one has forgotten ends it."""

    program = harness.PLAIN

    def test_every_thread_is_behind_its_filters(self):
        self.start()
        self.serves()
        self.assertEqual(200, self.call("GET", "/v1/status", OPS)[0])  # each listener's thread
        self.assertEqual(0, self.sluice.command("status")[0])          # with its first client
        listeners = 0
        # Only one worker is known to run; the other one may not have dropped its rights yet.
        harness.wait_for(lambda: sum(task["Name"].startswith("worker-") and not int(task["CapPrm"], 16)
                                     and task.get("Seccomp_filters", "4") == "4"
                                     for task in harness.threads_of(self.sluice.pid).values()) == 2, "both workers' filters")
        for task in harness.threads_of(self.sluice.pid).values():
            listener = task["Name"].startswith("MHD")
            bare = listener or task["Name"].startswith("worker-")
            self.assertEqual("2", task["Seccomp"], task)
            if "Seccomp_filters" in task:
                self.assertEqual("4" if bare else "3", task["Seccomp_filters"], task)
            if bare:
                self.assertEqual(0, int(task["CapPrm"], 16), task)
            listeners += listener
        self.assertEqual(2, listeners)

    def test_what_the_master_starts_cannot_look_into_others_nor_make_namespaces(self):
        source = self.world.write("hostile.c", """
#define _GNU_SOURCE
#include <errno.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#define TELL(call) (errno = 0, (call) == -1 ? strerrorname_np(errno) : "done")
static long make_namespace(void)
{
	long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
	if (child == 0)
		_exit(0);
	return child;
}
int main(int argc, char **argv)
{
	char from[8] = "", to[8];
	struct iovec local = {to, 8}, remote = {from, 8};
	(void)argc;
	fprintf(stderr, "calls: ptrace %%s, process_vm_readv %%s, ", TELL(ptrace(PTRACE_TRACEME)),
		TELL(process_vm_readv(getpid(), &local, 1, &remote, 1, 0)));
	fprintf(stderr, "keyctl %%s, unshare %%s, ",
		TELL(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1)),
		TELL(unshare(0)));
	fprintf(stderr, "setns %%s, clone %%s, ", TELL(setns(-1, 0)), TELL(make_namespace()));
	fprintf(stderr, "mount %%s, clone3 %%s.\\n", TELL(syscall(SYS_mount, "x", "/tmp", "tmpfs", 0, 0)),
		TELL(syscall(SYS_clone3, 0, 0)));
	argv[0] = "%s";
	execv(argv[0], argv);
	return 1;
}
""" % harness.SLUICE)
        program = os.path.join(self.world.dir, "hostile")
        subprocess.run(["gcc", "-w", "-o", program, source], check=True)
        self.start()
        status, said = self.sluice.command("upgrade", "--binary", program)
        self.assertEqual(0, status, said + self.sluice.log())
        self.assertIn("calls: ptrace EPERM, process_vm_readv EPERM, keyctl EPERM, unshare EPERM, setns EPERM, "
                      "clone EPERM, mount EPERM, clone3 ENOSYS.", self.sluice.log())
        self.serves()

    def test_it_can_be_turned_off(self):
        self.start(config(more=" seccomp = false;"))
        # The master's own stays.
        self.assertEqual({"1"}, {task.get("Seccomp_filters", "1") for task in harness.threads_of(self.sluice.pid).values()})

    def test_nothing_that_it_does_is_stopped(self):
        for name, argv in (("text", ""), ("json", ' format = "json";')):
            self.start(config().replace('level = "debug";', 'level = "debug";' + argv), name=name)
            self.everything()
            self.assertEqual(0, self.sluice.stop())

    def everything(self):
        self.serves()
        packets = [dns.query("%s%d.%s" % (label, i, zone)) for i in range(500)
                   for label, zone in (("x", "corp.internal"), ("y", "contoso.corp"))]
        with self.host.inside():
            self.assertEqual(1000, len(dns.udp_many(packets, HERE)))
        self.assert_answer(self.host.ask(HERE, "tc.contoso.corp"), "192.0.2.1")
        self.world.write("system.conf", "nameserver 127.0.0.8\n")
        harness.wait_for(lambda: "system.conf has changed" in self.sluice.log(), "resolv.conf")
        self.world.write("system.conf", "nameserver 127.0.0.9\n")
        self.reload(config(second=SECOND, source="127.0.0.3"))
        self.serves(HERE, THERE)
        self.sluice.signal(signal.SIGHUP)
        for argv in (("status",), ("flush",), ("explain", "www.contoso.corp"), ("ptr", "list"),
                     ("address", "add", "mail", "198.51.100.25", "--static"),
                     ("ptr", "set", "198.51.100.25", "mail.example.com."), ("state", "export"),
                     ("address", "remove", "mail"), ("reload", "--confirm", "10m"),
                     ("confirm", "--back"), ("reload", "--confirm", "10m"), ("confirm",)):
            status, said = harness.command(*argv, "-c", self.sluice.config)
            self.assertEqual(0, status, said)
        status, said = harness.command("ptr", "check", "198.51.100.77", "-c", self.sluice.config)
        self.assertEqual(1, status, said)
        self.assertEqual(200, self.call("GET", "/v1/status", EYE)[0])
        self.serves(HERE)

    def test_https_goes_by_the_filters_too(self):
        if shutil.which("openssl") is None:
            self.skipTest("openssl is not installed")
        self.world.certificate()
        key = os.path.join(self.world.dir, "tls.key")
        os.chown(key, USER, USER)
        os.chmod(key, 0o644)
        self.start(config().replace('listen = [ "http:', 'certificate = "tls.pem"; key = "tls.key"; '
                                    'listen = [ "https:'))
        status, said = self.host.run(
            "openssl", "s_client", "-connect", "127.0.0.1:%d" % API, "-ign_eof", "-quiet",
            input="GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        self.assertIn("200 OK", said)
        warning = key + " holds a secret and is open to other users; chmod o= it"
        for said in (self.sluice.log(), self.sluice.command("check")[1], self.reload(self.read_config())):
            self.assertIn(warning, said)
        os.chmod(key, 0o640)
        self.assertNotIn("chmod", self.reload(self.read_config()))

    def read_config(self):
        with open(self.sluice.config) as file:
            return file.read()


class Manager(Server):
    """systemd's side of Type=notify and WatchdogSec."""

    def build(self, world):
        super().build(world)
        with self.host.inside():
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.socket.close)
        path = os.path.join(world.dir, "notify")
        self.socket.bind(path)
        os.chmod(path, 0o666)
        self.socket.settimeout(dns.PATIENCE)
        # No shorter: on a busy machine a thread may have no processor for some seconds.
        environment = dict(os.environ, NOTIFY_SOCKET=path, WATCHDOG_USEC="8000000")
        self.start(env=environment)

    def heard(self):
        """The next message that is not the watchdog's."""
        while True:
            text = self.socket.recv(4096).decode()
            if text != "WATCHDOG=1":
                return text

    def test_it_hears_of_readiness_reload_and_end(self):
        self.assertRegex(self.heard(), r"^READY=1\nSTATUS=generation 1, .*1 zone")
        self.sluice.signal(signal.SIGHUP)
        self.assertRegex(self.heard(), r"^RELOADING=1\nMONOTONIC_USEC=\d+$")
        self.assertRegex(self.heard(), r"^READY=1\nSTATUS=generation 2, ")
        with open(self.sluice.config) as file:
            good = file.read()
        self.sluice.reconfigure("region = ;")
        self.sluice.signal(signal.SIGHUP)
        self.assertRegex(self.heard(), r"^RELOADING=1\n")
        self.assertRegex(self.heard(), r"^READY=1\nSTATUS=refused, still serving generation 2: 1 error")
        self.sluice.reconfigure(good)
        os.kill(self.sluice.pid, signal.SIGKILL)
        self.assertEqual(ENDED, self.heard())
        self.assertRegex(self.heard(), r"^READY=1\nSTATUS=generation 1, ")
        self.sluice.signal(signal.SIGTERM)
        self.assertRegex(self.heard(), r"^STOPPING=1\n")

    def stop_thread(self, tid):
        """Stops one thread and no other, as a worker that hangs."""
        seize, interrupt = 0x4206, 0x4207
        libc = ctypes.CDLL(None, use_errno=True)
        libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
        libc.ptrace.restype = ctypes.c_long
        if libc.ptrace(seize, tid, None, None) != 0:
            self.skipTest("threads cannot be stopped here: %s" % os.strerror(ctypes.get_errno()))
        self.assertEqual(0, libc.ptrace(interrupt, tid, None, None))
        os.waitpid(tid, ALL_THREADS)

    def end_thread(self, tid):
        """Has one thread make exit(2), without its process."""
        getregs, setregs, detach, rax, orig_rax, rip = 12, 13, 17, 10, 15, 16  # <sys/user.h>
        if os.uname().machine != "x86_64":
            self.skipTest("its registers are not known here")
        libc = ctypes.CDLL(None, use_errno=True)
        libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
        libc.ptrace.restype = ctypes.c_long
        registers = (ctypes.c_ulonglong * 27)()
        registers[orig_rax] = 2 ** 64 - 1
        while registers[orig_rax] == 2 ** 64 - 1:  # until it is stopped in a system call
            self.stop_thread(tid)
            self.assertEqual(0, libc.ptrace(getregs, tid, None, registers))
            if registers[orig_rax] == 2 ** 64 - 1:
                self.assertEqual(0, libc.ptrace(detach, tid, None, None))
        registers[rip] -= 2  # to the syscall instruction, in which it waits
        registers[rax], registers[orig_rax] = 60, 2 ** 64 - 1
        self.assertEqual(0, libc.ptrace(setregs, tid, None, registers))
        self.assertEqual(0, libc.ptrace(detach, tid, None, None))

    def test_a_server_that_has_lost_a_thread_is_started_again(self):
        self.assertIn("READY=1", self.heard())
        self.assertEqual(401, self.call("GET", "/v1/status")[0])
        found = [tid for tid, task in harness.threads_of(self.sluice.pid).items() if task["Name"].startswith("MHD")]
        before, pid = len(self.sluice.log()), self.sluice.pid
        self.end_thread(found[0])
        harness.wait_for(lambda: re.search("the thread MHD.* has ended ahead of its time",
                                           self.sluice.log()[before:]), "the watchdog to see it")
        self.sluice.wait_another(pid)
        self.assertEqual(ENDED, self.heard())
        self.assertIn("READY=1", self.heard())
        self.serves()

    def test_a_server_with_a_worker_that_hangs_is_started_again_and_the_manager_hears_of_no_hang(self):
        self.assertIn("READY=1", self.heard())
        self.assertEqual("WATCHDOG=1", self.socket.recv(100).decode())
        workers = harness.wait_for(lambda: [tid for tid, task in harness.threads_of(self.sluice.pid).items() if task["Name"] == "worker-1"],
                                   "the thread, which names itself")
        self.assertEqual(1, len(workers))
        before, pid = len(self.sluice.log()), self.sluice.pid
        self.stop_thread(workers[0])
        harness.wait_for(lambda: "loop has stopped turning" in self.sluice.log()[before:],
                         "the watchdog to see it")
        harness.wait_for(lambda: "killed" in self.sluice.log()[before:], "the master to kill it")
        os.waitpid(workers[0], ALL_THREADS)  # as long as nobody looks at its end, it has none
        self.assertEqual(ENDED, self.heard())
        self.assertIn("READY=1\nSTATUS=generation 1", self.heard())
        self.assertNotEqual(pid, self.sluice.pid)
        self.serves()
        self.assertEqual("WATCHDOG=1", self.socket.recv(100).decode())


class Secrets(Server):
    """Whatever goes right or wrong with them, secrets and tokens are in no output."""

    def keystone(self, user, password):
        return self.call("POST", "/v3/auth/tokens", body={"auth": {"identity": {
            "methods": ["password"], "password": {"user": {"name": user, "password": password,
                                                           "domain": {"id": "default"}}}}}})

    def test_no_secret_is_in_any_output(self):
        wrong = "wrong-secret-H3yN6uJ0aQ"
        self.start()
        for secret in (OPS, EYE, wrong):
            self.call("GET", "/v1/status", secret)
            self.call("GET", "/v1/nowhere?token=" + secret, secret)
            self.call("POST", "/v1/flush", secret)
            self.call("PUT", "/v1/addresses/-/" + secret[:4], secret, {"address": "bad"})
            self.call("GET", "/v2/reverse/floatingips", headers={"X-Auth-Token": secret})
        status, _, headers = self.keystone("ops", OPS)
        self.assertEqual(201, status)
        token = headers["X-Subject-Token"]
        self.assertEqual(200, self.call("GET", "/v2/reverse/floatingips",
                                        headers={"X-Auth-Token": token})[0])
        self.assertEqual(401, self.keystone("ops", wrong)[0])
        outputs = [self.sluice.command(*argv)[1] for argv in (
            ("status",), ("status", "--json"), ("reload",), ("explain", "www.contoso.corp"),
            ("explain", "--json", "www.contoso.corp"), ("check",))]
        outputs.append(harness.command("state", "export", "-c", self.sluice.config)[1])
        # A secret that is refused at a reload, and by check.
        for bad in (OPS, OPS + " " + wrong, wrong[:10] + "\n"):
            path = self.world.write("eye.secret", bad)
            os.chmod(path, 0o644)
            outputs += [self.sluice.command("reload")[1], self.sluice.command("check")[1]]
        outputs.append(self.sluice.log())
        for secret in (OPS, EYE, wrong, wrong[:10], token, token[-20:]):
            for output in outputs:
                self.assertNotIn(secret, output)
        self.assertIn("secret_file", outputs[-2])  # it was told what is wrong, without it


class Hardened(unittest.TestCase):
    """What the compiler and the linker have made of the ordinary build."""

    def setUp(self):
        if shutil.which("readelf") is None:
            self.skipTest("readelf is not installed")
        if not os.path.exists(harness.PLAIN):
            self.skipTest("%s is not built" % harness.PLAIN)

    def read(self, *options, path=harness.PLAIN):
        return subprocess.run(["readelf", "--wide", *options, path], check=True, capture_output=True,
                              text=True, timeout=dns.PATIENCE).stdout

    def test_it_lies_anywhere_and_nothing_is_written_that_need_not_be(self):
        self.assertRegex(self.read("--file-header"), r"Type:\s+DYN")
        self.assertRegex(self.read("--dynamic"), r"FLAGS_1\b.*\bNOW\b.*\bPIE\b")
        segments = self.read("--program-headers")
        self.assertRegex(segments, r"GNU_RELRO\b")
        self.assertRegex(segments, r"GNU_STACK\b.* RW +0x")
        self.assertNotRegex(segments, r"LOAD\b.* RWE ")

    def test_stacks_and_sizes_are_guarded(self):
        imported = self.read("--dyn-syms")
        for name in ("__stack_chk_fail", "__memcpy_chk", "__snprintf_chk"):
            self.assertRegex(imported, r"UND %s@" % name)

    def test_jumps_land_where_they_are_meant_to(self):
        """In all that is ours: the whole has the mark only where the system's start files have it."""
        wanted = {"x86_64": "IBT, SHSTK", "aarch64": "BTI, PAC"}.get(os.uname().machine)
        if wanted is None:
            self.skipTest("nothing of the kind on %s" % os.uname().machine)
        objects = glob.glob(os.path.join(harness.TOP, "build/obj/r*/**/*.o"), recursive=True)
        self.assertTrue(objects)
        for path in objects:
            self.assertIn(wanted, self.read("--notes", path=path), path)


class Unit(unittest.TestCase):
    def test_the_unit_s_exposure_is_below_2(self):
        if shutil.which("systemd-analyze") is None:
            self.skipTest("systemd-analyze is not installed")
        with open(os.path.join(harness.TOP, "etc", "sluice.service")) as file:
            text = file.read().replace("@PREFIX@", "/usr")
        path = "/run/sluice.service"
        with open(path, "w") as file:
            file.write(text)
        result = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager", path],
                                capture_output=True, text=True, timeout=dns.PATIENCE)
        found = re.search(r"Overall exposure level for sluice\.service: ([0-9.]+)", result.stdout)
        self.assertTrue(found, result.stdout + result.stderr)
        print("# exposure level of etc/sluice.service: %s" % found.group(1))
        self.assertLess(float(found.group(1)), 2.0, result.stdout)


if __name__ == "__main__":
    harness.main()
