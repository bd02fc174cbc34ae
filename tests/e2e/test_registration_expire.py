"""What clients have registered goes when nobody renews it for `expire` seconds: durable as what is deleted, and never
what was renewed, also where the server was stopped, killed or replaced in between."""

import datetime
import json
import re
import time

import harness
import test_update
from test_update import CLOUD, CONFIG, FRIEND, OTHER, SECRET

SHORT, LONG = 15, 3600  # a renewal, or a start and a command, take seconds on a busy machine
ZONE = "zone corp.internal"
PTR = harness.reverse_name("10.10.7.20")
AT = "%Y-%m-%dT%H:%M:%SZ"


def seconds(text):
    return datetime.datetime.strptime(text, AT).replace(tzinfo=datetime.timezone.utc).timestamp()


class Expire(test_update.Client):
    def start(self, expire=SHORT):
        self.sluice = harness.Sluice(self.host, self.config(expire), (CLOUD, 53))
        self.sluice.wait_managed()

    def config(self, expire):
        return (CONFIG % {"secret": SECRET}).replace("own_address = true;", "own_address = true; expire = %d;" % expire)

    def good(self, *argv):
        status, text = self.sluice.command(*argv)
        self.assertEqual(0, status, text)
        return text

    def use(self, expire):
        self.sluice.reconfigure(self.config(expire))
        self.good("reload")

    def add(self, name, address="10.10.7.20", **how):
        return self.nsupdate(ZONE, "add %s.corp.internal 60 A %s" % (name, address), **how)

    def there(self, name, rtype="A"):
        return self.lookup(name, rtype).rcode == "NOERROR"

    def row(self, name, rtype="A"):
        return next((row for row in json.loads(self.good("registration", "list", "--json"))
                     if (row["name"], row["type"]) == (name + ".", rtype)), None)

    def left(self, row):
        return seconds(row["expires"]) - time.time()

    def expired(self):
        return json.loads(self.good("status", "--json"))["registrations"]["expired"]

    def aged(self, name, age, expire):
        """The row, once the set has counted as so old."""
        row = self.row(name)
        end = time.monotonic() + 10 * expire
        while self.left(row) > expire - age:  # not wait_for, whose pauses may be longer than the set is left
            self.assertLess(time.monotonic(), end, "it does not age")
            time.sleep(0.1)
            row = self.row(name)
        return row


class Registrations(Expire):
    def test_what_is_renewed_stays_and_the_rest_goes(self):
        self.assertEqual("NOERROR", self.add("gone"))
        self.assertEqual("NOERROR", self.nsupdate("zone 10.10.in-addr.arpa", "add %s 60 PTR gone.corp.internal" % PTR))
        self.assertEqual("NOERROR", self.add("kept", "10.10.7.21"))
        first = self.row("kept.corp.internal")
        self.assertEqual(first["since"], first["renewed"])
        self.assertLessEqual(abs(seconds(first["expires"]) - seconds(first["since"]) - SHORT), 1)

        end = time.monotonic() + 10 * SHORT
        while self.there("gone.corp.internal") or self.there(PTR, "PTR"):
            self.assertLess(time.monotonic(), end, "two sets do not expire")
            self.assertEqual("NOERROR", self.add("kept", "10.10.7.21"))
            self.registered("kept.corp.internal", "10.10.7.21")
            time.sleep(0.1)
        row = self.row("kept.corp.internal")
        self.assertEqual(first["since"], row["since"])
        self.assertGreater(row["renewed"], row["since"])
        self.assertGreater(row["expires"], row["renewed"])
        self.assertRegex(self.good("registration", "list"), r"(?m)^ *NAME .* SINCE +RENEWED +EXPIRES +SERVED$")
        self.assertEqual((None, None), (self.row("gone.corp.internal"), self.row(PTR, "PTR")))
        self.assertEqual(2, self.expired())
        self.assertIn("gone.corp.internal. A", self.sluice.log())
        self.sluice.kill()
        self.start(0)
        self.gone("gone.corp.internal")
        self.registered("kept.corp.internal", "10.10.7.21")
        self.assertEqual("NOERROR", self.add("gone", "10.10.7.22"))
        self.registered("gone.corp.internal", "10.10.7.22")

    def test_without_expire_nothing_goes_until_there_is_one(self):
        self.use(0)
        self.assertEqual("NOERROR", self.add("vm1"))
        self.assertIsNone(self.row("vm1.corp.internal")["expires"])
        self.assertRegex(self.good("registration", "list"), r"(?m)^ *NAME .* SINCE +RENEWED +SERVED$")
        self.use(1)
        harness.wait_for(lambda: not self.there("vm1.corp.internal"), "vm1 to expire")

    def test_an_address_may_take_the_name_of_another_once_that_has_expired(self):
        own = {"key": None, "tcp": True}
        self.assertEqual("NOERROR", self.add("vm4", FRIEND, **own))
        self.assertIn("REFUSED", self.add("vm4", OTHER, source=OTHER, **own))
        harness.wait_for(lambda: self.add("vm4", OTHER, source=OTHER, **own) == "NOERROR", "the name to be free", 10 * SHORT)
        self.registered("vm4.corp.internal", OTHER)
        self.assertEqual("address " + OTHER, self.row("vm4.corp.internal")["by"])

    def test_a_kill_behind_a_renewal_loses_no_name(self):
        self.assertEqual("NOERROR", self.add("vm1"))
        self.aged("vm1.corp.internal", SHORT // 3, SHORT)
        renewed = time.time()
        self.assertEqual("NOERROR", self.add("vm1"))
        self.sluice.kill()
        self.start()
        row = self.row("vm1.corp.internal")
        self.assertGreaterEqual(seconds(row["expires"]), int(renewed) + SHORT - 1)
        harness.wait_for(lambda: not self.there("vm1.corp.internal"), "vm1 to expire", 10 * SHORT)

    def renewed_and_old(self):
        self.use(LONG)
        self.assertEqual("NOERROR", self.add("vm1"))
        first = self.row("vm1.corp.internal")["since"]
        harness.wait_for(lambda: self.add("vm1") == "NOERROR" and self.row("vm1.corp.internal")["renewed"] > first, "a renewal")
        return self.aged("vm1.corp.internal", 3, LONG)

    def goes_on(self, before):
        row = self.row("vm1.corp.internal")
        self.assertEqual((before["since"], before["renewed"]), (row["since"], row["renewed"]))
        self.assertGreaterEqual(seconds(row["expires"]), seconds(before["expires"]) - 1)
        self.assertLessEqual(self.left(row), LONG - 3 + 1)

    def pass_time(self):
        until = time.time() + 3
        harness.wait_for(lambda: time.time() >= until, "the clock")

    def did_not_count(self, before):
        self.goes_on(before)
        self.assertGreater(seconds(self.row("vm1.corp.internal")["expires"]), seconds(before["expires"]))

    def test_a_stop_keeps_renewals_and_the_time_until_the_start_does_not_count(self):
        before = self.renewed_and_old()
        self.assertEqual(0, self.sluice.stop())
        self.pass_time()
        self.start(LONG)
        self.did_not_count(before)

    def test_time_without_registration_does_not_count(self):
        before = self.renewed_and_old()
        self.sluice.reconfigure(re.sub(r"(?s)registration = .*?\n(?=transfers)", "", self.config(LONG)))
        self.good("reload")
        self.pass_time()
        self.use(LONG)
        self.did_not_count(before)

    def test_an_upgrade_keeps_renewals(self):
        before = self.renewed_and_old()
        self.good("upgrade")
        self.goes_on(before)
        self.good("upgrade")
        self.goes_on(before)

    def test_a_zone_that_is_gone_leaves_what_was_registered_unserved(self):
        self.use(0)
        self.assertEqual("NOERROR", self.add("vm1"))
        config = self.config(0)
        without = re.sub(r"(?s)private_zones = .*?\n(?=transfers)", "", config).replace('"corp.internal"', '"*"')
        for kill in (False, True):
            self.sluice.reconfigure(without)
            self.good("reload")
            if kill:
                self.sluice.kill()
                self.sluice = harness.Sluice(self.host, without, (CLOUD, 53))
                self.sluice.wait_managed()
            row = self.row("vm1.corp.internal")
            self.assertEqual((False, None), (row["served"], row["expires"]))
            self.sluice.reconfigure(config)
            self.good("reload")
            self.registered("vm1.corp.internal", "10.10.7.20")


if __name__ == "__main__":
    harness.main()
