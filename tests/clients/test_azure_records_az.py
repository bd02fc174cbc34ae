#!/usr/bin/env python3
"""Record sets of all types, and zones as files, by az network private-dns.

Where az is not installed this is skipped and named; `make test-clients` installs it, and with
CLIENTS=required its absence is a failure."""

import os
import shlex

import azure_topology
import harness
from azure_topology import HUB, LOCATION, ZONE, srv
from azure_topology_az import Az


class Records(Az):
    """A zone with everything in it, linked to one network."""

    @classmethod
    def build(cls, world):
        super().build(world)
        case = cls("make_zone")
        case.az("az group create -n hub-rg -l " + LOCATION)
        for thing in (HUB, ZONE, azure_topology.HUB_LINK):
            case.create(thing)

    def record_set(self, command):
        return self.az("az network private-dns record-set %s -g hub-rg -z contoso.internal" % command)

    def is_said(self, name, rtype, *texts, **how):
        self.answers(self.hub_vm, name + ".contoso.internal", *texts, rtype=rtype, **how)

    def test_record_sets_of_all_types_are_made_shown_changed_and_deleted(self):
        for rtype, name, options, texts in (
                ("a", "four", ["-a 10.10.1.4", "-a 10.10.1.5"], ["10.10.1.4", "10.10.1.5"]),
                ("aaaa", "six", ["-a 2001:db8::4", "-a 2001:db8::5"], ["2001:db8::4", "2001:db8::5"]),
                ("mx", "mail", ["-e mx1.contoso.com. -p 10", "-e mx2.contoso.com. -p 20"],
                 ["10 mx1.contoso.com.", "20 mx2.contoso.com."]),
                ("ptr", "4.1", ["-d four.contoso.internal.", "-d five.contoso.internal."],
                 ["four.contoso.internal.", "five.contoso.internal."]),
                ("srv", "_sip._tcp", ["-p 1 -w 2 -r 5060 -t sip1.contoso.com.", "-p 2 -w 2 -r 5061 -t sip2.contoso.com."],
                 [srv(1, 2, 5060, "sip1.contoso.com"), srv(2, 2, 5061, "sip2.contoso.com")]),
                ("txt", "text", ["-v one", "-v two"], ["one", "two"])):
            self.record_set("%s create -n %s --ttl 60" % (rtype, name))
            for option in options:
                self.record_set("%s add-record -n %s %s" % (rtype, name, option))
            self.is_said(name, rtype.upper(), *texts)
            shown = self.record_set("%s show -n %s" % (rtype, name))
            self.assertEqual((60, "%s.contoso.internal." % name, "Microsoft.Network/privateDnsZones/" + rtype.upper()),
                             (shown["ttl"], shown["fqdn"], shown["type"]))
            self.assertEqual([name], [each["name"] for each in self.record_set("%s list" % rtype) if each["name"] == name])
            self.record_set("%s update -n %s --set ttl=30 --metadata a=b" % (rtype, name))
            self.assertEqual({"a": "b"}, self.record_set("%s show -n %s" % (rtype, name))["metadata"])
            self.record_set("%s remove-record -n %s %s" % (rtype, name, options[0]))
            self.is_said(name, rtype.upper(), texts[1])
            self.record_set("%s delete --yes -n %s" % (rtype, name))
            self.is_said(name, rtype.upper(), rcode="NXDOMAIN")
        self.record_set("cname set-record -n www -c web.contoso.com.")
        self.is_said("www", "CNAME", "web.contoso.com.")
        self.record_set("cname remove-record -n www -c web.contoso.com.")
        self.is_said("www", "CNAME", rcode="NXDOMAIN")
        self.record_set("a add-record -n @ -a 10.10.1.1")
        self.answers(self.hub_vm, "contoso.internal", "10.10.1.1")
        self.record_set("a add-record -n * -a 10.10.1.2")
        self.below(self.hub_vm, "contoso.internal", "10.10.1.2")
        for name in ("@", "*"):
            self.record_set("a delete --yes -n " + name)
        self.record_set("soa update --email admin.contoso.com --minimum-ttl 17")
        soa = self.record_set("soa show")["soaRecord"]
        self.assertEqual(("admin.contoso.com", 17), (soa["email"], soa["minimumTtl"]))
        self.assertEqual(["@"], [each["name"] for each in self.record_set("list")])

    def test_what_is_there_already_or_in_the_way_is_refused(self):
        self.record_set("a add-record -n taken -a 10.10.1.4")
        record_set = "az network private-dns record-set %s -g hub-rg -z contoso.internal -n taken"
        self.assertIn("PreconditionFailed", self.refused(record_set % "a create"))
        self.assertIn("BadRequest", self.refused(record_set % "cname set-record" + " -c other.contoso.com."))
        self.assertIn("PreconditionFailed", self.refused("az network private-dns zone create -g hub-rg -n contoso.internal"))
        self.refused(record_set.replace("taken", "nothing") % "a show", 3)
        self.az(record_set % "a delete" + " --yes")

    def test_a_zone_goes_out_as_a_file_and_comes_in_again(self):
        file = self.world.write("in.zone", "$ORIGIN files.internal.\n$TTL 300\n"
                                "@ IN SOA ns.files.internal. hostmaster.files.internal. 1 3600 300 86400 60\n"
                                "web IN A 10.10.1.80\nweb IN A 10.10.1.81\nwww 60 IN CNAME web\n"
                                "@ IN MX 10 mail.contoso.com.\ntext IN TXT \"a text\"\n_sip._tcp IN SRV 1 2 5060 web\n")
        zone = "az network private-dns zone %s -g hub-rg -n files.internal"
        self.az(zone % "import" + " -f " + file)
        self.az("az network private-dns link vnet create -g hub-rg -z files.internal -n hub -v %s -e false" % HUB.id)
        for name, rtype, texts in (("web", "A", ["10.10.1.80", "10.10.1.81"]), ("text", "TXT", ["a text"]),
                                   ("_sip._tcp", "SRV", [srv(1, 2, 5060, "web.files.internal")]),
                                   ("www", "CNAME", ["web.files.internal."])):
            self.answers(self.hub_vm, name + ".files.internal", *texts, rtype=rtype)
        self.answers(self.hub_vm, "files.internal", "10 mail.contoso.com.", rtype="MX")
        out = os.path.join(self.world.dir, "out.zone")
        status, printed, err = self.run_inside(*shlex.split(zone % "export" + " -f " + out))
        self.assertEqual(0, status, printed + err)
        with open(out) as text:
            lines = {" ".join(line.split()) for line in text}
        for line in ("60 IN CNAME web.files.internal.", "300 IN A 10.10.1.80", "300 IN MX 10 mail.contoso.com."):
            self.assertTrue([each for each in lines if each.endswith(line)], "%s is not in %s" % (line, lines))
        self.az("az network private-dns link vnet delete --yes -g hub-rg -z files.internal -n hub")
        self.az(zone % "delete" + " --yes")
        self.below(self.hub_vm, "files.internal", azure_topology.OUTSIDE)
        self.az(zone % "import" + " -f " + out)
        self.az("az network private-dns link vnet create -g hub-rg -z files.internal -n hub -v %s -e false" % HUB.id)
        self.answers(self.hub_vm, "www.files.internal", "10.10.1.80", "10.10.1.81")
        self.az("az network private-dns link vnet delete --yes -g hub-rg -z files.internal -n hub")
        self.az(zone % "delete" + " --yes")


if __name__ == "__main__":
    harness.main()
