"""What the tests of Azure's clients share: a server with TLS, by a certificate that is thrown away
afterwards, on a machine of its own that reaches nothing but itself."""

import json
import os
import shlex
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import harness
import hub

OPS, EYE = "ops-secret-0123456789", "eye-secret-0123456789"
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
HERE, URL = "127.0.0.1", "https://127.0.0.1:8443"
SETUP = os.path.join(harness.TOP, "etc", "az", "setup")
SUFFIX = "cloudapp.azure.com"
GROUPS = "/subscriptions/%s/resourceGroups/" % SUBSCRIPTION
CONFIG = ("""
subscription = "%s";
region = "westus";
workers = 1;
management = { socket = "control.sock"; state = "state.db"; listen = [ "https://127.0.0.1:8443" ];
  certificate = "tls.pem"; key = "tls.key";
  clients = ( { id = "ops"; secret_file = "ops.secret"; role = "admin"; },
              { id = "eye"; secret_file = "eye.secret"; role = "reader"; } ); };
default_resolver = { targets = ( { address = "127.0.0.3"; } ); };
""" + hub.hub("127.0.0.1:53") + """
address_pools = ( { name = "public"; prefix = "198.51.100.0/24"; },
                  { name = "six"; prefix = "2001:db8:5::/48"; } );
addresses = ( { name = "filed"; resource_group = "office"; address = "198.51.100.10"; allocation = "static"; } );
""") % SUBSCRIPTION
NOT_OURS = ("ReverseFqdn %s that PublicIPAddress %s is trying to use does not belong to subscription "
            + SUBSCRIPTION + ". One of the following conditions need to be met to establish ownership: "
            "1) ReverseFqdn matches fqdn of any public ip resource under the subscription; "
            "2) ReverseFqdn resolves to the fqdn (through CName records chain) of any public ip resource "
            "under the subscription; 3) It resolves to the ip address (through CName and A records chain) "
            "of a static public ip resource under the subscription.")


class Azure(harness.Case):
    """One server for all tests of a class."""

    missing = None  # why the client is not there; None: it is
    config, server = CONFIG, (HERE, 53)
    groups = ()  # that are there before the client comes

    @classmethod
    def setUpClass(cls):
        if cls.missing is None:
            super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        if cls.missing is None:
            super().tearDownClass()

    def setUp(self):
        if self.missing and os.environ.get("CLIENTS") == "required":
            self.fail(self.missing)
        if self.missing:
            self.skipTest(self.missing)

    @classmethod
    def machines(cls, world):
        """The server's, and those that it asks."""
        cls.host = world.host("cloud")
        # Every A record outside leads to an address that is not ours.
        cls.upstream = harness.Upstream(cls.host, "127.0.0.3", "192.0.2.99")

    @classmethod
    def build(cls, world):
        cls.machines(world)
        cls.certificate = world.certificate()
        world.secret("ops.secret", OPS)
        world.secret("eye.secret", EYE)
        cls.start()
        for group in cls.groups:
            connection = harness.UnixConnection(cls.sluice.socket)
            connection.request("PUT", GROUPS + group + "?api-version=2021-04-01", '{"location": "westus"}',
                               {"Content-Type": "application/json"})
            answer = connection.getresponse()
            if answer.status != 201:
                raise AssertionError("group %s: %d %s" % (group, answer.status, answer.read()))
            connection.close()

    @classmethod
    def start(cls):
        cls.sluice = harness.Sluice(cls.host, cls.config, cls.server)

    def restart(self):
        self.assertEqual(0, self.sluice.stop())
        self.start()

    @classmethod
    def environment(cls, **more):
        """Without what the caller's shell has of any cloud."""
        kept = {key: value for key, value in os.environ.items()
                if not key.startswith(("AZURE_", "ARM_")) and "proxy" not in key.lower()}
        return dict(kept, HOME=cls.world.dir, REQUESTS_CA_BUNDLE=cls.certificate,
                    NODE_EXTRA_CA_CERTS=cls.certificate, **more)

    @classmethod
    def run_inside(cls, *argv, **environment):
        """(status, standard output, standard error) of a program on the server's machine."""
        with cls.host.inside():
            result = subprocess.run(argv, capture_output=True, text=True, timeout=600,
                                    stdin=subprocess.DEVNULL, cwd=cls.world.dir,
                                    env=cls.environment(**environment))
        return result.returncode, result.stdout, result.stderr

    def fill(self, count):
        """A group "many" with so many addresses, and nothing else beside what the file says."""
        path = self.world.write("many.json", json.dumps({
            "version": 1, "groups": [{"name": each, "region": "westus"} for each in self.groups],
            "addresses": [{"name": "a%d" % i, "resource_group": "many", "address": "2001:db8:5::%x" % i}
                          for i in range(count)]}))
        status, out, err = self.run_inside(harness.SLUICE, "state", "import", "-c",
                                           self.sluice.config, path)
        self.assertEqual(0, status, out + err)


class Az(Azure):
    """`az`, as etc/az/setup prepares it, logged in as ops."""

    missing = None if shutil.which("az") else (
        "azure-cli is not installed: `az login`, `az group` and `az network public-ip` did not run")

    @classmethod
    def build(cls, world):
        super().build(world)
        status, out, err = cls.run_inside(SETUP, URL, "ops", os.path.join(world.dir, "ops.secret"))
        if status != 0:
            raise AssertionError("etc/az/setup: %s%s" % (out, err))

    @classmethod
    def environment(cls, **more):
        return dict(super().environment(), **dict(
            dict(AZURE_CONFIG_DIR=os.path.join(cls.world.dir, "azure"),
                 AZURE_CORE_COLLECT_TELEMETRY="0", AZURE_CORE_NO_COLOR="1",
                 AZURE_CORE_OUTPUT="json"), **more))

    def az(self, command, **environment):
        """What it prints, as JSON; it must succeed."""
        status, out, err = self.run_inside(*shlex.split(command), **environment)
        self.assertEqual(0, status, command + "\n" + out + err)
        return json.loads(out) if out.strip() else None

    def refused(self, command, status=1, **environment):
        got, out, err = self.run_inside(*shlex.split(command), **environment)
        self.assertEqual(status, got, command + "\n" + out + err)
        return err

    def address(self, group="MyResourceGroup", name="PublicIp"):
        return self.az("az network public-ip show --name %s --resource-group %s" % (name, group))
