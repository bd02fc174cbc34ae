"""The manual pages of the commands. etc/manual/page makes each page from a file in etc/manual and from the
program's help on its commands."""

import collections
import glob
import os
import re
import subprocess
import unittest

import harness

FOLDER = os.path.join(harness.TOP, "etc", "manual")
SOURCES = sorted(glob.glob(os.path.join(FOLDER, "*.mdoc")))


def read(path):
    with open(path) as file:
        return file.read()


def make(source):
    return subprocess.run([os.path.join(FOLDER, "page"), harness.SLUICE, source], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=120)


def page_of(source):
    name = os.path.basename(source)[:-len(".mdoc")]
    return "sluice" if name == "sluice" else "sluice-" + name


class Manual(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pages = {page_of(source): make(source) for source in SOURCES}

    def test_every_command_is_in_exactly_one_page(self):
        told = collections.Counter(name for source in SOURCES
                                   for name in re.findall(r"^@command (.*)$", read(source), re.M))
        commands = re.findall(r"^  ([a-z]+(?: [a-z]+)?)  ", harness.sh(harness.SLUICE, "help"), re.M)
        self.assertIn("registration list", commands)
        self.assertEqual({name: 1 for name in commands}, dict(told))

    def test_a_page_has_the_usage_and_the_options_of_its_commands(self):
        page = self.pages["sluice-ptr"].stdout
        self.assertIn(".Nm sluice\n.Cm ptr delegation\n.Op Fl -config Ar file\n.Op Fl -json\n.Op Fl -resolv-conf Ar path\n"
                      ".Op Fl -ns Ar name ...\n.Ar prefix\n", page)
        self.assertIn("\n.It Fl -ns Ar name\nA name server, one for each \\-\\-ns; else reverse.name_servers.\n"
                      ".Pq Cm ptr delegation\n", page)
        for name, made in self.pages.items():
            given = set(re.findall(r"^\.Op Fl -([a-z-]+)", made.stdout, re.M))
            listed = re.search(r"^\.Sh OPTIONS$(.*?)^\.Sh ", made.stdout, re.M | re.S)
            told = set(re.findall(r"^\.It (?:Fl \w , )?Fl -([a-z-]+)", listed.group(1), re.M)) if listed else set()
            self.assertEqual(given, told, name)

    def test_the_overview_has_every_page_and_no_other(self):
        listed = re.findall(r"^\.It Xr (sluice-\S+) 8$", self.pages["sluice"].stdout, re.M)
        self.assertEqual(sorted(set(self.pages) - {"sluice"} | {"sluice-import"}), sorted(listed))

    def test_pages_are_well_formed_and_refer_to_pages_that_are_there(self):
        for name, made in self.pages.items():
            self.assertEqual((0, ""), (made.returncode, made.stderr), name)
            told = subprocess.run(["man", "-l", "--warnings", "-"], input=made.stdout, capture_output=True, text=True,
                                  timeout=60, env=dict(os.environ, MANPAGER="cat"))
            self.assertEqual((0, ""), (told.returncode, told.stderr), name)
            self.assertLessEqual(set(re.findall(r"Xr (sluice\S*) 8", made.stdout)), set(self.pages) | {"sluice-import"}, name)
            self.assertEqual([], re.findall(r"^@.*", made.stdout, re.M), name)

    def test_a_command_that_is_none_makes_no_page(self):
        for line in ("@command ptr remember", "@nothing"):
            made = subprocess.run(["sh", "-c", 'printf "%s\\n" "$2" | "$0" "$1" /dev/stdin', os.path.join(FOLDER, "page"),
                                   harness.SLUICE, line], capture_output=True, text=True, timeout=60)
            self.assertEqual(1, made.returncode, made)
            self.assertIn(line.split(" ", 1)[1] if " " in line else line, made.stderr)


if __name__ == "__main__":
    harness.main()
