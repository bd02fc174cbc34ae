"""`make run`'s demonstration keeps its promises, says in one line what is in its way, and leaves
nothing behind."""

import os
import shutil
import signal
import socket
import subprocess

import harness


class Demo(harness.FreshCase):
    def build(self, world):
        self.host = world.host("machine")
        # A copy: a demonstration that somebody runs in this checkout is left in peace.
        self.run_path = os.path.join(world.dir, "etc", "demo", "run")
        shutil.copytree(os.path.join(harness.TOP, "etc", "demo"), os.path.dirname(self.run_path))

    def demo(self, *argv):
        return self.host.run(self.run_path, harness.SLUICE, *argv, timeout=300)

    def servers(self):
        """How many servers of the demonstration there are."""
        command = "\0run\0-c\0" + os.path.dirname(self.run_path)
        count = 0
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % pid) as file:
                    count += command in file.read()
            except OSError:
                pass
        return count

    def test_every_promise_is_kept(self):
        status, text = self.demo("--check")
        self.assertEqual(0, status, text)
        self.assertNotIn("WRONG", text)
        self.assertGreaterEqual(text.count("ok    dig"), 16, text)
        self.assertEqual(0, self.servers())

    def test_its_files_are_checked_without_a_warning(self):
        for name in ("cloud", "onpremises", "internet"):
            status, text = harness.command("check", "-c",
                                           os.path.join(harness.TOP, "etc/demo/%s.conf" % name))
            self.assertEqual(0, status, text)
            self.assertNotIn("warning", text)

    def start(self):
        with self.host.inside():
            # In the background SIGINT is ignored, and a shell cannot trap it then.
            child = subprocess.Popen([self.run_path, harness.SLUICE], stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, text=True, start_new_session=True,
                                     preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.kill)
        lines = []
        for line in child.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                return child, "".join(lines)
        self.fail("it ended: " + "".join(lines))

    def test_ctrl_c_and_sigterm_stop_everything(self):
        for number, group in ((signal.SIGTERM, False), (signal.SIGINT, True)):
            with self.subTest(signal=number):
                child, text = self.start()
                self.assertIn("dig @127.0.0.1 -p 5300 web.corp.internal", text)
                self.assertEqual(3, self.servers())
                (os.killpg if group else os.kill)(child.pid, number)
                self.assertEqual(0, child.wait(60))
                self.assertEqual(0, self.servers())

    def test_a_taken_port_is_one_line(self):
        for port in (5300, 5302):
            with self.host.inside():
                sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            with sock:
                sock.bind(("127.0.0.1", port))
                status, text = self.demo()
            self.assertEqual((1, 1), (status, len(text.splitlines())), text)
            self.assertIn(str(port), text)
            self.assertEqual(0, self.servers())

    def test_a_second_demonstration_says_that_the_port_is_taken(self):
        self.start()
        status, text = self.demo()
        self.assertEqual((1, 1), (status, len(text.splitlines())), text)
        self.assertIn("taken", text)
        self.assertEqual(3, self.servers())


if __name__ == "__main__":
    harness.main()
