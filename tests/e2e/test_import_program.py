"""`sluice import` is a program of its own, sluice-import: the server's has nothing of it."""

import glob
import os
import re
import shutil
import subprocess

import harness

SLUICE = os.environ.get("SLUICE_UNDER") or harness.SLUICE
ROOM = "resolver/control/import"
TELL = '#!/bin/sh\necho "%s" "$@"\n'


def symbols(*paths):
    """What is defined in them and known outside of its own file."""
    text = harness.sh("nm", "--defined-only", "--extern-only", "--format=posix", *paths)
    return {line.split()[0] for line in text.splitlines() if len(line.split()) > 1} - {"main"}


class Program(harness.FreshCase):
    def setUp(self):
        super().setUp()
        self.alone = os.path.join(self.world.dir, "alone")
        os.mkdir(self.alone)

    def script(self, folder, name, says):
        os.makedirs(os.path.join(self.world.dir, folder), exist_ok=True)
        path = self.world.write(os.path.join(folder, name), TELL % says)
        os.chmod(path, 0o755)
        return os.path.dirname(path)

    def run_(self, program, *words, path="/usr/bin:/bin"):
        result = subprocess.run([os.path.join(self.alone, program), *words], env={"PATH": path}, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        return result.returncode, result.stdout

    def test_the_server_s_program_has_nothing_of_it(self):
        for program, objects in ((SLUICE, os.path.dirname(SLUICE)), (harness.PLAIN, harness.TOP + "/build/obj")):
            if not os.path.exists(program):
                continue
            importer = symbols(*glob.glob(os.path.join(objects, ROOM, "*.o")))
            self.assertIn("unbound_read", importer)
            self.assertLessEqual(importer, symbols(program + "-import"))
            self.assertEqual(set(), importer & symbols(program))
            needed = [re.findall(r"NEEDED.*\[(.*)\]", harness.sh("readelf", "-d", path)) for path in (program, program + "-import")]
            self.assertEqual(["libyaml-0.so.2"], [library for library in needed[1] if library not in needed[0]])

    def test_the_one_beside_it_is_run_else_one_of_the_path(self):
        shutil.copy(SLUICE, os.path.join(self.alone, "sluice"))
        status, told = self.run_("sluice", "import", "hosts", "/etc/hosts")
        self.assertEqual((1, True), (status, "the program sluice-import is missing" in told), told)
        elsewhere = self.script("elsewhere", "sluice-import", "elsewhere")
        words = ("-c", "a b", "import", "hosts", "import", "--apply", "--vnet", "import")
        self.assertEqual((0, "elsewhere -c a b --apply --vnet import hosts import\n"),
                         self.run_("sluice", *words, path="/usr/bin:/bin:" + elsewhere))
        self.script("alone", "sluice-import", "beside")
        self.assertEqual("beside -c a b --apply --vnet import hosts import\n",
                         self.run_("sluice", *words, path=elsewhere + ":/usr/bin:/bin")[1])
        os.chmod(self.alone + "/sluice-import", 0o644)  # is none
        self.assertIn("elsewhere", self.run_("sluice", *words, path=elsewhere + ":/usr/bin:/bin")[1])

    def test_it_gives_apply_what_it_was_given(self):
        shutil.copy(SLUICE + "-import", os.path.join(self.alone, "sluice-import"))
        hosts = self.world.write("hosts", "10.0.0.1 a.example\n")
        status, told = self.run_("sluice-import", "hosts", hosts, "--apply")
        self.assertEqual((1, True), (status, "the program sluice is missing" in told), told)
        self.script("alone", "sluice", "beside")
        status, told = self.run_("sluice-import", "hosts", hosts, "--apply", "--vnet", "net/home", "--confirm=10m", "--prune",
                                 "--dry-run", "-c", "x y", "--socket", "s")
        self.assertEqual(0, status, told)
        self.assertRegex(told, r"(?m)^beside apply --config x y --socket s --vnet net/home --confirm 10m --dry-run --prune "
                               r"/proc/self/fd/\d+\n$")
        self.assertRegex(self.run_("sluice-import", "hosts", hosts, "--apply")[1], r"(?m)^beside apply /proc/self/fd/\d+\n$")

    def test_its_help_is_sluice_s(self):
        shutil.copy(SLUICE + "-import", os.path.join(self.alone, "sluice-import"))
        status, told = self.run_("sluice-import", "--help")
        self.assertEqual((0, told), harness.command("help", "import"))
        self.assertIn("arm terraform unbound bind dnsmasq coredns hosts windows adguard dnsdist pihole", told)
        self.assertEqual((2, True), (lambda status, told: (status, "an argument is missing" in told))(*self.run_("sluice-import")))


if __name__ == "__main__":
    harness.main()
