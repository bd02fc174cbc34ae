"""etc/az/setup, with an az that only writes down how it was called: what is done, and what is left
alone. (The real az: tests/clients/test_az.py.)"""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

import harness

URL = "https://dns.example:8443"
AZ = """#!/bin/sh
for word; do printf '%s ' "$word"; done >>"$AZ_LOG"
echo >>"$AZ_LOG"
case "$1 $2" in
"cloud show") [ -z "$AZ_CLOUD" ] && { echo "no such cloud" >&2; exit 1; }; echo "$AZ_CLOUD" ;;
"$AZ_FAILS") exit 3 ;;
esac
"""
SETUP = os.path.join(harness.TOP, "etc", "az", "setup")
EXTENSION = os.path.join(harness.TOP, "etc", "az", "sluice")


def files_of(folder):
    found = {}
    for path, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(path, name)) as file:
                found[os.path.relpath(os.path.join(path, name), folder)] = file.read()
    return found


class Setup(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="sluice-e2e-")
        self.addCleanup(shutil.rmtree, self.dir)
        os.chmod(self.write("bin/az", AZ), 0o755)
        self.azure = os.path.join(self.dir, "azure")
        self.target = os.path.join(self.azure, "cliextensions", "sluice")

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        return path

    def setup(self, *words, status=0, **environment):
        result = subprocess.run(
            [SETUP, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60,
            env=dict(os.environ, **dict(dict(
                PATH=os.path.join(self.dir, "bin") + ":" + os.environ["PATH"], HOME=self.dir,
                AZURE_CONFIG_DIR=self.azure, AZ_LOG=os.path.join(self.dir, "log"), AZ_CLOUD="",
                AZ_FAILS="", LC_ALL="C"), **environment)))
        text = result.stdout + result.stderr
        self.assertEqual(status, result.returncode, text)
        return text

    def called(self):
        try:
            with open(os.path.join(self.dir, "log")) as file:
                return [line.strip() for line in file]
        except FileNotFoundError:
            return []

    def test_it_is_done(self):
        os.makedirs(self.azure)
        self.write("azure/commandIndex.json", "{}")
        self.setup("--cloud", "home", URL)
        self.assertEqual(files_of(EXTENSION), files_of(self.target))
        self.assertFalse(os.path.exists(os.path.join(self.azure, "commandIndex.json")))
        with open(os.path.join(self.azure, "versionCheck.json")) as file:
            self.assertEqual({"core": {"local": "2.45.0"}}, json.load(file)["versions"])
        self.assertEqual(["cloud register --name home --endpoint-resource-manager " + URL,
                          "cloud set --name home"], self.called()[1:])

    def test_it_can_be_done_again_and_completed(self):
        self.setup(URL)
        os.remove(os.path.join(self.target, "azext_sluice", "__init__.py"))
        self.write("azure/cliextensions/sluice/sluice-0.0.9.dist-info/METADATA", "an earlier version")
        self.setup(URL + "/", AZ_CLOUD=URL.upper().replace("HTTPS", "https") + "/")
        self.assertEqual(files_of(EXTENSION), files_of(self.target))
        self.assertEqual(["cloud set --name sluice"], self.called()[-1:])
        self.assertEqual(1, sum("register" in line for line in self.called()))

    def test_it_logs_in_by_the_secret_of_a_file(self):
        secret = self.write("secret of ops", "word\n")
        self.setup(URL, "ops", secret)
        self.assertEqual("login --service-principal --tenant adfs -u ops -p @%s --output none" % secret,
                         self.called()[-1])
        self.assertIn("cannot read", self.setup(URL, "ops", secret + "s", status=1))

    def test_what_is_somebody_elses_stays(self):
        mine = self.write("azure/cliextensions/sluice/azext_sluice/__init__.py", "mine")
        self.assertIn(mine + " is there and is another file", self.setup(URL, status=1))
        self.assertEqual(({"azext_sluice/__init__.py": "mine"}, []),
                         (files_of(self.target), self.called()))
        shutil.rmtree(self.target)
        text = self.setup(URL, status=1, AZ_CLOUD="https://other.example")
        self.assertIn("already, at https://other.example", text)
        self.assertEqual(({}, 1), (files_of(self.target), len(self.called())))
        self.write("azure/versionCheck.json", "theirs")
        self.setup(URL)
        with open(os.path.join(self.azure, "versionCheck.json")) as file:
            self.assertEqual("theirs", file.read())

    def test_what_fails_is_told(self):
        self.setup(URL, status=3, AZ_FAILS="cloud register")
        self.write("file", "")
        self.assertIn("Not a directory", self.setup(
            URL, status=1, AZURE_CONFIG_DIR=os.path.join(self.dir, "file")))

    def test_without_an_az_it_says_so(self):
        os.remove(os.path.join(self.dir, "bin", "az"))
        for tool in ("sh", "dirname", "readlink"):
            os.symlink(shutil.which(tool), os.path.join(self.dir, "bin", tool))
        self.assertIn("azure-cli", self.setup(URL, status=1, PATH=os.path.join(self.dir, "bin")))

    def test_a_url_must_be_one_to_go_to(self):
        self.assertIn("give the URL", self.setup("https://0.0.0.0:8443", status=2))
        for words in ((), ("http://elsewhere:8443",), ("https://",), (URL, "ops"),
                      ("--cloud", "home")):
            self.setup(*words, status=2)


if __name__ == "__main__":
    harness.main()
