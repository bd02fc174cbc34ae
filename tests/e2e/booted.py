"""A machine that systemd(1) runs, with sluice installed, for effects that only a real service manager shows.

    World ── Host "cloud" (its network) ── Booted: mounts, processes, cgroups, IPC, hostname of its own
                 root   an overlay over this machine's; what is written stays in memory
                 units  the journal and what a test installs; none of this machine's
                 kernel /proc/sys and /sys cannot be written

Needs root, a cgroup2 mount and an overlay; where systemd does not come up, tests are skipped."""

import os
import shutil
import signal
import subprocess
import time
import unittest

import dns
import harness

SYSTEMD = "/lib/systemd/systemd"
# Joins the cgroup $1, and is what is mounted at $2 from then on; systemd sees nothing but that.
OUTER = 'echo $$ >"$1/cgroup.procs" && shift && exec unshare --mount --uts --ipc --pid --cgroup ' \
        '--fork --kill-child --propagation private sh -euc "$INNER" sh "$@"'
INNER = r"""
at=$1
mount -t tmpfs none $at
mkdir $at/upper $at/work $at/root
mount -t overlay -o lowerdir=/,upperdir=$at/upper,workdir=$at/work none $at/root
cp -a $2/. $at/root
cd $at/root
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 none dev
for node in null zero full random urandom tty; do
    touch dev/$node
    mount --bind /dev/$node dev/$node
done
ln -s /proc/self/fd dev/fd
ln -s pts/ptmx dev/ptmx
for folder in run tmp var etc/systemd/system; do
    mount -t tmpfs -o mode=755 none $folder
done
mkdir -m 1777 var/tmp dev/shm
chmod 1777 tmp
mkdir -p var/lib var/log etc/systemd/journald.conf.d
for folder in lib/systemd/system-generators lib/systemd/system/*.wants etc/systemd/system.conf.d; do
    [ ! -d $folder ] || mount -t tmpfs none $folder
done
: >etc/fstab
ln -s /dev/null etc/systemd/system/systemd-journald-audit.socket
printf '[Journal]\nAudit=\nReadKMsg=no\nStorage=volatile\n' >etc/systemd/journald.conf.d/test.conf
ln -s ../systemd-journald.socket lib/systemd/system/sockets.target.wants/
ln -s ../systemd-journald-dev-log.socket lib/systemd/system/sockets.target.wants/
mkdir old
pivot_root . old
umount -l /old
mount --make-rshared /
exec env -i container=sluice-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --unit=basic.target --log-target=journal </dev/null
"""


def cgroup2():
    """Where the machine has mounted the one hierarchy, or a part of it."""
    with open("/proc/mounts") as file:
        found = [line.split()[1] for line in file if line.split()[2] == "cgroup2"]
    if not found:
        raise unittest.SkipTest("cgroup2 is not mounted")
    return found[0]


class Booted(harness.Process):
    """`files` is a folder that is copied over the machine's root."""

    def __init__(self, host, files):
        for program in (SYSTEMD, "/usr/bin/systemctl"):
            if not os.path.exists(program):
                raise unittest.SkipTest("systemd is not installed")
        self.cgroup = os.path.join(cgroup2(), "sluice-test-%d-%d" % (os.getpid(), time.time_ns()))
        try:
            os.mkdir(self.cgroup)
        except OSError as error:
            raise unittest.SkipTest("no cgroup can be made: %s" % error)
        self.at = os.path.join(host.world.dir, "machine-" + host.name)
        os.mkdir(self.at)
        super().__init__(host, "systemd", ["sh", "-c", OUTER, "sh", self.cgroup, self.at, files],
                         env=dict(os.environ, INNER=INNER))
        try:
            harness.wait_for(self.is_up, "systemd")
        except AssertionError:
            raise unittest.SkipTest("systemd does not start here: " + self.log()[-200:])

    def is_up(self):
        """Waits: until the kernel has run it, the child's child is a shell."""
        if self.child.poll() is not None:
            raise AssertionError("ended")
        try:
            self.pid = harness.children_of(self.child.pid)[0]
            with open("/proc/%d/comm" % self.pid) as file:
                return file.read() == "systemd\n" and self.run(
                    "systemctl", "is-system-running", fine=None)[1].strip() == "running"
        except (OSError, IndexError):
            return False

    def path(self, path):
        """The path of the machine's file outside of it."""
        return "/proc/%d/root%s" % (self.pid, path)

    def write(self, path, text):
        os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
        with open(self.path(path), "w") as file:
            file.write(text)

    def argv(self, *argv):
        """Runs in it as root."""
        return ["nsenter", "-t", str(self.pid), "-m", "-u", "-i", "-p", "-C", "-n", "-r", "-w", "env", "-i",
                "PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", *argv]

    def run(self, *argv, fine=True):
        """(status, output); `fine`: whether it must succeed; None: it may fail."""
        result = subprocess.run(self.argv(*argv), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                stdin=subprocess.DEVNULL, text=True, timeout=4 * dns.PATIENCE)
        if fine is not None and fine != (result.returncode == 0):
            raise AssertionError("%s: status %d: %s" % (" ".join(argv), result.returncode,
                                                        result.stdout))
        return result.returncode, result.stdout

    def show(self, unit, *properties):
        """A unit's properties from systemd: {property: text}."""
        text = self.run("systemctl", "show", unit, *("--property=" + p for p in properties))[1]
        return dict(line.split("=", 1) for line in text.splitlines())

    def stop(self, seconds=dns.PATIENCE):
        """Kills its first process, with which all others end."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGKILL)
            self.child.wait()
        for folder, _, _ in os.walk(self.cgroup, topdown=False):
            harness.wait_for(lambda at=folder: self.removed(at), folder + " to be empty")
        shutil.rmtree(self.at, ignore_errors=True)
        return 0

    @staticmethod
    def removed(folder):
        try:
            os.rmdir(folder)
        except OSError:
            return False
        return True
