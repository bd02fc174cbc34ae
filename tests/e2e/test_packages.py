"""How it gets onto machines: `make install` and `uninstall`, the Debian package with lintian, dpkg and
systemd, and the image of a container."""

import contextlib
import os
import shutil
import subprocess
import unittest

import booted
import harness
import test_privileges

HERE = ("127.0.0.1", 53)
OURS = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
# What is installed into: an overlay over this machine's root. All of it is mounted in a namespace of its
# own and nowhere else, so that nothing which removes the world's folder can reach this machine's files.
ROOT = r"""
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o lowerdir=/,upperdir="$1/upper",workdir="$1/work" none "$1/root"
cd "$1/root"
mount -t proc proc proc
mount -t tmpfs none run
mount -t tmpfs none dev
for node in null zero full random urandom; do
    touch dev/$node
    mount --bind /dev/$node dev/$node
done
ln -s /proc/self/fd dev/fd
printf '#!/bin/sh\nexit 101\n' >usr/sbin/policy-rc.d
chmod 755 usr/sbin/policy-rc.d
touch ../ready
exec sleep infinity
"""


def make(*arguments):
    """Never builds the programs: they are used as they are."""
    harness.sh("make", "-s", "-C", harness.TOP, "-o", "build/sluice", "-o", "build/sluice-import", *arguments,
               env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")})


def files_below(folder):
    return sorted(os.path.relpath(os.path.join(at, name), folder)
                  for at, _, names in os.walk(folder) for name in names)


def need_plain():
    for program in (harness.PLAIN, harness.PLAIN + "-import"):
        if not os.path.exists(program):
            raise unittest.SkipTest("%s is not built" % program)


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise unittest.SkipTest(program + " is not installed")


def package(world):
    """Builds it; its path."""
    need_plain()
    need("dpkg-deb", "dpkg-shlibdeps", "strip")
    return harness.sh(os.path.join(harness.TOP, "etc/debian/build"), "0.1.0",
                      os.path.join(world.dir, "packages")).strip()


class Install(harness.FreshCase):
    def test_uninstall_removes_all_that_install_made(self):
        need_plain()
        at = os.path.join(self.world.dir, "at")
        make("install", "DESTDIR=" + at, "PREFIX=/opt/x")
        made = files_below(at)
        self.assertIn("opt/x/share/bash-completion/completions/sluice", made)
        self.assertIn("opt/x/lib/systemd/system/sluice.service", made)
        self.assertTrue(all(path.startswith("opt/x/") for path in made), made)
        make("uninstall", "DESTDIR=" + at, "PREFIX=/opt/x")
        self.assertEqual([], files_below(at))


class Package(harness.Case):
    """In a root of its own, without a service manager."""

    @classmethod
    def build(cls, world):
        if not test_privileges.can_become_others():
            raise unittest.SkipTest("dpkg needs root")
        cls.host = world.host("cloud")
        cls.file = package(world)
        at = os.path.join(world.dir, "machine")
        os.mkdir(at)
        cls.holder = harness.Process(cls.host, "root", [
            "unshare", "--mount", "--propagation", "private", "sh", "-euc", ROOT, "sh", at])
        cls.at = "/proc/%d/root%s" % (cls.holder.child.pid, at)
        cls.chroot = ["nsenter", "-t", str(cls.holder.child.pid), "--mount", "chroot", at + "/root"]
        try:
            harness.wait_for(lambda: os.path.exists(cls.at + "/ready") or cls.holder.child.poll() is not None,
                             "an overlay")
        finally:
            if cls.holder.child.poll() is not None:
                raise unittest.SkipTest("no overlay can be mounted: " + cls.holder.log())
        cls.root = cls.at + "/root"
        shutil.copy(cls.file, os.path.join(cls.root, "sluice.deb"))

    def inside(self, *argv, fine=True):
        with self.host.inside():
            result = subprocess.run([*self.chroot, *argv], env=OURS, text=True, cwd="/",
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, timeout=120)
        self.assertEqual(fine, result.returncode == 0, result.stdout)
        return result.stdout

    @contextlib.contextmanager
    def running(self):
        """As the unit runs it: by its user, with that one right."""
        ambient = ["setpriv", "--reuid=sluice", "--regid=sluice", "--clear-groups",
                   "--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service"]
        for folder in ("run", "var/lib"):
            self.inside("install", "-d", "-o", "sluice", "-g", "sluice", "-m", "700", "/%s/sluice" % folder)
        process = harness.Process(self.host, "sluice", [*self.chroot, *ambient, "/usr/sbin/sluice", "run"],
                                  env=OURS)
        try:
            yield process.wait_ready(HERE, "localhost")
        finally:
            process.stop()

    def test_lintian_has_nothing_to_say(self):
        need("lintian")
        result = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", self.file],
                                 capture_output=True, text=True, timeout=300)
        self.assertEqual((0, ""), (result.returncode, result.stdout), result.stderr)

    def test_it_depends_on_what_either_program_needs(self):
        depends = harness.sh("dpkg-deb", "--field", self.file, "Depends")
        for library in ("libmicrohttpd12", "libyaml-0-2"):
            self.assertRegex(depends, r"\b%s\b" % library)

    def test_it_serves_and_is_removed_and_purged(self):
        self.inside("dpkg", "-i", "/sluice.deb")
        text = self.inside("sluice", "check")
        self.assertIn("/etc/sluice/sluice.conf: fine", text)
        self.assertNotIn("warning", text)
        self.inside("man", "-w", "sluice", "sluice-import", "sluice-ptr", "sluice-run")
        self.assertNotIn("/usr/local", self.inside("sh", "-c", "zcat /usr/share/man/man?/sluice*"))
        self.assertIn("localhost", self.inside("sluice", "import", "hosts", "/etc/hosts"))
        self.inside("bash", "-c", ". /usr/share/bash-completion/completions/sluice; complete -p sluice")
        self.assertIn("sluice", self.inside("getent", "passwd", "sluice"))
        with self.running() as sluice:
            self.assert_answer(self.host.ask(HERE, "localhost"), "127.0.0.1")
            self.inside("sluice", "rule", "create", "office", "contoso", "domain=contoso.corp.",
                        "targets=192.0.2.53")
        self.assertEqual(0, sluice.child.returncode, sluice.log())

        # What was changed is there again after a removal, and a change of the file's.
        with open(self.root + "/etc/sluice/sluice.conf", "a") as file:
            file.write("# mine\n")
        self.inside("dpkg", "-r", "sluice")
        for program in ("sluice", "sluice-import"):
            self.assertFalse(os.path.exists(self.root + "/usr/sbin/" + program))
        self.inside("dpkg", "-i", "/sluice.deb")
        with open(self.root + "/etc/sluice/sluice.conf") as file:
            self.assertIn("# mine\n", file.read())
        with self.running():
            self.assertIn("contoso", self.inside("sluice", "rule", "list", "office"))

        self.inside("sh", "-c", "echo secret-of-ops-0123456789 >/etc/sluice/secrets/ops; "
                    "echo 'www A 192.0.2.1' >/etc/sluice/mine.zone")
        self.inside("dpkg", "-P", "sluice")
        left = [path for path in files_below(os.path.join(self.at, "upper")) if "sluice" in path
                and not path.startswith("var/lib/dpkg/")]
        self.assertEqual(["etc/sluice/mine.zone", "sluice.deb"], left)
        for folder in ("etc/sluice/secrets", "var/lib/sluice", "run/sluice", "usr/share/sluice"):
            self.assertFalse(os.path.lexists(os.path.join(self.root, folder)), folder)
        self.inside("getent", "passwd", "sluice", fine=False)
        self.inside("getent", "group", "sluice", fine=False)
        self.inside("dpkg", "-s", "sluice", fine=False)


class Service(harness.FreshCase):
    """The package with systemd."""

    def build(self, world):
        if not test_privileges.can_become_others():
            self.skipTest("systemd needs root")
        self.host = world.host("cloud")
        file = package(world)
        os.mkdir(os.path.join(world.dir, "files"))
        self.machine = booted.Booted(self.host, os.path.join(world.dir, "files"))
        shutil.copy(file, self.machine.path("/tmp/sluice.deb"))
        harness.sh("cp", "-a", "/var/lib/dpkg", self.machine.path("/var/lib/"))
        # Of a container's image, which starts no services.
        self.machine.run("rm", "-f", "/usr/sbin/policy-rc.d")

    def active(self):
        return self.machine.show("sluice", "ActiveState", "NRestarts", "MainPID", "UnitFileState")

    def test_it_is_started_upgraded_without_a_stop_and_gone_after_a_purge(self):
        self.machine.run("dpkg", "-i", "/tmp/sluice.deb")
        before = self.active()
        self.assertEqual(("active", "enabled"), (before["ActiveState"], before["UnitFileState"]),
                         self.machine.run("journalctl", "--no-pager", "-u", "sluice", fine=None)[1])
        self.assert_answer(self.host.ask(HERE, "localhost"), "127.0.0.1")
        owner = os.stat(self.machine.path("/var/lib/sluice/state.db"))
        self.assertIn("sluice:x:%d:" % owner.st_uid, self.machine.run("getent", "passwd", "sluice")[1])
        self.assertIn("generation 1,", self.machine.run("sluice", "status")[1])

        # The master stays, and so do its sockets.
        self.machine.run("dpkg", "-i", "/tmp/sluice.deb")
        self.assertEqual(before, self.active())
        self.assert_answer(self.host.ask(HERE, "localhost"), "127.0.0.1")

        # The master and its sockets stay as well if the new program could not serve.
        self.machine.run("sh", "-c", "echo 'nonsense = 1;' >>/etc/sluice/sluice.conf")
        said = self.machine.run("dpkg", "-i", "/tmp/sluice.deb")[1]
        self.assertIn("nonsense", said)
        self.assertIn("The old sluice goes on. Mend that, then run: sluice upgrade", said)
        self.assertEqual(before, self.active())
        self.assert_answer(self.host.ask(HERE, "localhost"), "127.0.0.1")

        self.machine.run("dpkg", "-P", "sluice")
        self.assertNotEqual("active", self.active()["ActiveState"])
        for path in ("/var/lib/sluice", "/var/lib/private/sluice", "/var/log/sluice", "/var/log/private/sluice", "/run/sluice", "/etc/sluice",
                     "/etc/systemd/system/multi-user.target.wants/sluice.service",
                     "/etc/systemd/system/sluice.service"):
            self.assertFalse(os.path.lexists(self.machine.path(path)), path)


class Image(harness.Case):
    """Built and run by buildah, which needs no service."""

    @classmethod
    def build(cls, world):
        need_plain()
        need("buildah", "strip")
        cls.host = world.host("cloud")
        storage = world.write("storage.conf", '[storage]\ndriver = "vfs"\ngraphroot = "%s/graph"\nrunroot = "%s/run"\n'
                              % (world.dir, world.dir))
        cls.environment = dict(os.environ, CONTAINERS_STORAGE_CONF=storage, BUILDAH_ISOLATION="chroot")
        try:
            harness.sh(os.path.join(harness.TOP, "etc/image"), os.path.join(world.dir, "out"), "localhost/sluice",
                       env=cls.environment)
            cls.container = cls.run_tool("from", "localhost/sluice").strip()
            cls.run_tool("run", cls.container, "--", "/usr/sbin/sluice", "check")
        except RuntimeError as error:
            raise unittest.SkipTest("buildah does not work here: %s" % str(error)[-200:])

    @classmethod
    def run_tool(cls, *arguments):
        return harness.sh("buildah", *arguments, env=cls.environment)

    def test_it_answers_as_nobody_with_nothing_else_in_it(self):
        root = self.run_tool("mount", self.container).strip()
        self.addCleanup(self.run_tool, "umount", self.container)
        programs = [path for path in files_below(root) if "bin/" in path and os.access(os.path.join(root, path), os.X_OK)]
        self.assertEqual(["usr/sbin/sluice", "usr/sbin/sluice-import"], programs)
        for dialect, text, encoding in (("windows", "ZoneName,MasterServers\ncontoso.corp,192.0.2.53\n", "utf-16"),
                                        ("adguard", "dns:\n  upstream_dns: ['[/contoso.corp/]192.0.2.53', 192.0.2.54]\n", "utf-8")):
            with open(os.path.join(root, "tmp", "original"), "w", encoding=encoding) as file:
                file.write(text)
            # buildah copies what a program prints, and may lose it when the program ends, so it goes to a file.
            self.run_tool("run", self.container, "--", "/usr/sbin/sluice", "import", "--output", "/tmp/" + dialect,
                          dialect, "/tmp/original")
            with open(os.path.join(root, "tmp", dialect)) as file:
                self.assertIn('domain = "contoso.corp."', file.read())

        with self.host.inside(), open("/proc/sys/net/ipv4/ip_unprivileged_port_start", "w") as file:
            file.write("0")
        process = harness.Process(self.host, "image", ["buildah", "run", self.container, "--", "/usr/sbin/sluice", "run"],
                                  env=self.environment)
        process.wait_ready(HERE, "localhost")
        self.assert_answer(self.host.ask(HERE, "localhost"), "127.0.0.1")
        found = harness.sh("ps", "-eo", "uid,args").splitlines()
        uids = {line.split()[0] for line in found if line.split()[1:] == ["/usr/sbin/sluice", "run"]}
        self.assertEqual({"65532"}, uids, found)


if __name__ == "__main__":
    harness.main()
