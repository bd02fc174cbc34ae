#!/usr/bin/env python3
"""OpenStack's own client against a real server on loopback TCP: every command that the guide to
reverse DNS prints and that client has, once with a token that is given and once after
`source openrc.sh`. (`ptr record delete` is printed there, too, and no client has it.)

Where the client is not installed this is skipped and named; `make test-clients` installs it, and
with CLIENTS=required its absence is a failure."""

import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import harness
import hub

OPS, EYE = "ops-secret-0123456789", "eye-secret-0123456789"
SIX = "6f8b4ce6-1111-4d2e-9c55-0242ac120006"
FOUR = "6f8b4ce6-1111-4d2e-9c55-0242ac120004"
FILED = "6f8b4ce6-1111-4d2e-9c55-0242ac120002"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
REGION = "RegionOne"
HERE, URL = "127.0.0.1", "http://127.0.0.1:8053"
OPENRC = os.path.join(harness.TOP, "etc", "openrc.sh")
CONFIG = """
region = "RegionOne";
workers = 1;
management = { socket = "control.sock"; state = "state.db"; listen = [ "http://127.0.0.1:8053" ];
  clients = ( { id = "ops"; secret_file = "ops.secret"; role = "admin"; },
              { id = "eye"; secret_file = "eye.secret"; role = "reader"; } ); };
default_resolver = { targets = ( { address = "127.0.0.3"; } ); };
""" + hub.hub("127.0.0.1:53") + """
address_pools = ( { name = "public"; prefix = "198.51.100.0/24"; }, { name = "six"; prefix = "2001:db8:5::/48"; } );
addresses = (
  { name = "filed"; id = "%s"; address = "198.51.100.10"; allocation = "static"; reverse_fqdn = "app1.contoso.com."; },
  { name = "four"; id = "%s"; address = "198.51.100.11"; allocation = "static"; },
  { name = "six"; id = "%s"; address = "2001:db8:5::25"; allocation = "static"; } );
""" % (FILED, FOUR, SIX)
FOUR_ADDRESS, SIX_ADDRESS = "198.51.100.11", "2001:db8:5::25"


class OpenStack(harness.FreshCase):
    def setUp(self):
        self.openstack = shutil.which("openstack")
        missing = "python3-openstackclient is not installed: `openstack ptr record" \
                  " list|show|set|unset` did not run"
        if not self.openstack and os.environ.get("CLIENTS") == "required":
            self.fail(missing)
        if not self.openstack:
            self.skipTest(missing)
        super().setUp()

    def build(self, world):
        self.host = world.host("cloud")
        self.upstream = harness.Upstream(self.host, "127.0.0.3", "198.51.100.11")
        world.secret("ops.secret", OPS)
        world.secret("eye.secret", EYE)
        self.start()

    def start(self, config=CONFIG):
        self.sluice = harness.Sluice(self.host, config, (HERE, 53))

    def run_shell(self, script, status=0, given="", **variables):
        """What a shell without any variable of OpenStack's prints of it."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("OS_")}
        got, text = self.host.run("bash", "-c", script, input=given, timeout=600,
                                  env=dict(environment, HOME=self.world.dir, **variables))
        self.assertEqual(status, got, text)
        return text

    def by_token(self, command, status=0, secret=OPS):
        return self.run_shell("openstack " + command, status, OS_AUTH_TYPE="admin_token",
                              OS_ENDPOINT=URL + "/v2", OS_TOKEN=secret)

    def by_openrc(self, command, status=0, secret=OPS, **variables):
        return self.run_shell("source %s && openstack %s" % (OPENRC, command), status,
                              OS_PASSWORD=secret, **variables)

    def shown(self, run, key, value):
        """`show` says so when every worker has the change."""
        def asked():
            text = run("ptr record show -f value " + key)
            return value in text and ("ACTIVE" in text or "INACTIVE" in text)
        harness.wait_for(asked, "the change of %s to be shown" % key, 300)

    def walk(self, run):
        """The guide's commands, as they are printed there, and what must not work."""
        four, six = "%s:%s" % (REGION, FOUR), "%s:%s" % (REGION, SIX)
        self.assertIn("app1.contoso.com.", run("ptr record list"))
        self.ptr_is(FOUR_ADDRESS)
        run('ptr record set --description "Mail server reverse DNS" --ttl 3600 %s mail.example.com.'
            % four)
        self.ptr_is(FOUR_ADDRESS, "mail.example.com.", ttl=3600)
        self.shown(run, four, "mail.example.com.")
        self.assertIn("Mail server reverse DNS", run("ptr record show " + four))
        run("ptr record set %s ipv6-host.example.com." % six)
        self.ptr_is(SIX_ADDRESS, "ipv6-host.example.com.")
        listed = run("ptr record list -f value")
        for word in (four, "mail.example.com.", six, "ipv6-host.example.com."):
            self.assertIn(word, listed)
        for key, name in ((four, FOUR_ADDRESS), (six, SIX_ADDRESS)):
            run("ptr record unset " + key)
            self.ptr_is(name)
        self.assertIn("is not associated", run("ptr record show %s:%s" % (REGION, UNKNOWN), 1))
        self.assertRegex(run("ptr record unset %s:%s" % (REGION, FILED), 1), r"sluice\.conf:\d+")
        self.assertIn("ptrdname: ", run("ptr record set %s mail.example.com" % four, 1))

    def test_the_guides_commands_with_a_token_that_is_given(self):
        self.walk(self.by_token)

    def test_the_guides_commands_after_openrc(self):
        self.walk(self.by_openrc)

    def test_openrc_asks_for_the_secret_and_shows_it_to_nobody(self):
        text = self.run_shell("source %s && openstack ptr record list" % OPENRC, given=OPS + "\n")
        self.assertIn("Secret of ops at http://127.0.0.1:8053/v3: ", text)
        self.assertIn("app1.contoso.com.", text)
        self.assertNotIn(OPS, text)

    def test_openrc_wants_no_path_in_the_url_and_any_project(self):
        text = self.by_openrc("ptr record list", OS_AUTH_URL=URL, OS_PROJECT_NAME="anything",
                              OS_USER_DOMAIN_NAME="Elsewhere", OS_CLOUD="left-over")
        self.assertIn("app1.contoso.com.", text)

    def test_by_tls_the_catalog_leads_to_tls(self):
        certificate = self.world.certificate()
        self.assertEqual(0, self.sluice.stop())
        self.start(CONFIG.replace('listen = [ "http://127.0.0.1:8053" ]',
                                  'certificate = "tls.pem"; key = "tls.key"; '
                                  'listen = [ "https://127.0.0.1:8443" ]'))
        text = self.by_openrc("ptr record list", OS_AUTH_URL="https://127.0.0.1:8443/v3",
                              OS_CACERT=certificate)
        self.assertIn("app1.contoso.com.", text)

    def test_a_wrong_secret_and_a_reader_are_told(self):
        self.assertIn("HTTP 401", self.by_openrc("ptr record list", 1, secret=EYE))
        self.by_token("ptr record list", 1, secret="wrong-secret-0123456789")
        key = "%s:%s" % (REGION, FOUR)
        self.assertIn("app1.", self.by_openrc("ptr record list", 0, EYE, OS_USERNAME="eye"))
        self.assertIn("reader", self.by_openrc("ptr record set %s a.example." % key, 1, EYE,
                                               OS_USERNAME="eye"))
        self.ptr_is(FOUR_ADDRESS)

    def test_a_token_outlives_a_restart_and_not_its_client(self):
        token = self.by_openrc("token issue -f value -c id").strip()
        self.assertTrue(token.startswith("sluice2."), token)
        self.assertEqual(0, self.sluice.stop())
        self.start()
        self.assertIn("app1.contoso.com.", self.by_token("ptr record list", secret=token))
        self.by_token("ptr record list", 1, secret=token[:-1] + ("0" if token[-1] != "0" else "1"))
        self.sluice.reconfigure(CONFIG.replace('{ id = "ops"; secret_file = "ops.secret"; '
                                               'role = "admin"; },', ""))
        self.assertEqual(0, self.sluice.command("reload")[0])
        self.by_token("ptr record list", 1, secret=token)


if __name__ == "__main__":
    harness.main()
