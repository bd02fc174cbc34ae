"""The commands of every kind, over those that are no part of a model: addresses, services, PTRs and
groups. (Rules and their like: test_resources.py; `sluice ptr` and its like: test_reverse.py.)"""

import json
import re
import subprocess

import harness
import test_reverse

SERVED = "198.51.100.30"


class World(test_reverse.Reverse):
    def run_(self, *argv, status=0):
        got, text = self.command(*argv)
        self.assertEqual(status, got, text)
        return text

    def shown(self, *argv):
        return json.loads(self.run_("show", "--json", *argv))

    def rows(self, *argv):
        lines = [re.split(r"\s{2,}", line.strip()) for line in self.run_("list", *argv).splitlines()]
        return [dict(zip(lines[0], line)) for line in lines[1:]]


class Kinds(World):
    def test_an_address_is_created_set_shown_listed_and_deleted(self):
        text = self.run_("create", "address", "web/front", SERVED, "allocation=static",
                         "tags=team=mail,env=prod", "domain_name_label=front", "ttl=60",
                         "reverse_fqdn=front.westeurope.cloudapp.azure.com.")
        self.assertRegex(text, r"(?m)^resource_group +web$")
        self.assertRegex(text, r"(?m)^tags +.*team=mail")
        self.ptr_is(SERVED, "front.westeurope.cloudapp.azure.com.", ttl=60)
        made = self.shown("address", "web/front")
        self.assertEqual((SERVED, "static", {"team": "mail", "env": "prod"}),
                         tuple(made[key] for key in ("address", "allocation", "tags")))
        self.assertEqual(made, self.shown("address", "front", "--group", "web"))
        self.assertIn("there is one already", self.run_("create", "address", "web/front", SERVED, status=1))
        self.run_("set", "address", "web/front", "description=first", "tags=")
        now = self.shown("address", "web/front")
        self.assertEqual(("first", {}, "static"), (now["description"], now["tags"], now["allocation"]))
        self.run_("address", "create", "bare")
        self.assertEqual(["bare"], [row["name"] for row in self.rows("address", "-")])
        self.assertEqual(["front"], [row["name"] for row in self.rows("address", "web")])
        self.assertEqual(["filed", "front"], sorted(
            row["name"] for row in self.rows("address", "--filter", "q=f", "--filter", "allocation=static")))
        self.assertEqual(1, len(self.rows("address", "--limit", "1")))
        self.assertIn("lists take no \"frob\"", self.run_("list", "address", "--filter", "frob=1", status=1))
        self.assertIn("is no filter", self.run_("list", "address", "--filter", "frob", status=2))
        self.assertIn("front\" can be deleted", self.run_("delete", "address", "web/front", "--dry-run"))
        self.assertIn("front\" is deleted", self.run_("delete", "address", "web/front"))
        self.ptr_is(SERVED)
        self.assertIn("there is no address", self.run_("show", "address", "web/front", status=1))

    def test_a_rehearsal_says_what_would_be_and_changes_nothing(self):
        before = self.good("GET", "/v1/changes").body
        text = self.run_("create", "address", "web/front", SERVED, "reverse_fqdn=a.example.", "--dry-run")
        self.assertRegex(text, r"(?m)^reverse_fqdn +a.example.$")
        self.run_("ptr", "set", "198.51.100.11", "a.example.", "--dry-run")
        self.run_("create", "service", "shop", SERVED, "--dry-run")
        text = self.run_("create", "service", "shop", SERVED, "reverse_fqdn=nx.example.com",
                         "--dry-run", status=1)
        self.assertIn("does not belong to subscription", text)
        self.run_("create", "group", "empty", "region=eastus", "--dry-run")
        self.assertIn("is in no address pool", self.run_(
            "create", "address", "web/front", "203.0.113.1", "--dry-run", status=1))
        self.assertEqual(before, self.good("GET", "/v1/changes").body)
        self.bad_v1(self.call("PUT", "/v1/addresses/web/front?dryrun", {}), 400, "invalid", "dryrun")
        self.assertEqual(404, self.call("GET", "/v1/addresses/web/front").status)

    def test_a_service_a_ptr_and_a_group(self):
        self.run_("service", "create", "shop", SERVED, "description=App1")
        self.assertEqual("App1", self.shown("service", "shop")["description"])
        self.assertEqual("App1", self.good("GET", "/v1/services/-/shop").body["description"])
        self.assertEqual(404, self.call("GET", "/v1/services/web/shop").status)
        self.run_("service", "set", "shop", "description=App2", "--tag", "a=b")
        self.assertEqual(("App2", {"a": "b"}), tuple(
            self.shown("service", "shop")[key] for key in ("description", "tags")))
        self.run_("create", "ptr", "198.51.100.11", "mail.example.com.", "ttl=60")
        self.ptr_is("198.51.100.11", "mail.example.com.", ttl=60)
        self.assertIn("there is one already", self.run_("create", "ptr", "198.51.100.11", "b.example.", status=1))
        self.run_("ptr", "set", "198.51.100.11", "description=out")
        shown = self.shown("ptr", "198.51.100.11")
        self.assertEqual(("mail.example.com.", 60, "out"), tuple(
            shown[key] for key in ("reverse_fqdn", "ttl", "description")))
        self.assertEqual(shown, self.shown("ptr", shown["id"]))
        self.assertIn("has no \"region\"", self.run_("set", "ptr", "198.51.100.11", "region=x", status=2))
        self.run_("delete", "ptr", "198.51.100.11")
        self.ptr_is("198.51.100.11")
        self.run_("group", "create", "empty", "region=eastus", "tags=cost=7")
        self.assertEqual({"cost": "7"}, self.shown("group", "empty")["tags"])
        self.run_("group", "set", "empty", "region=westus")
        self.assertEqual(("westus", {"cost": "7"}), tuple(
            self.shown("group", "empty")[key] for key in ("region", "tags")))
        self.assertEqual(["empty", "office"], [row["name"] for row in self.rows("group")])
        self.assertEqual(["empty"], [row["name"] for row in self.rows("group", "--filter", "region=westus")])
        self.run_("create", "address", "empty/one")
        self.assertIn("has addresses; remove them first", self.run_("delete", "group", "empty", status=1))
        self.run_("delete", "address", "empty/one")
        self.run_("delete", "group", "empty")
        self.assertIn("there is no resource group", self.run_("show", "group", "empty", status=1))
        self.assertIn("comes from the configuration file", self.run_("set", "group", "office", "region=eastus", status=1))

    def test_groups_come_in_pages(self):
        for i in range(5):
            self.good("PUT", "/v1/groups/-/g%d" % i, {}, 201)
        path, pages = "/v1/groups?limit=2&q=g", []
        while path:
            body = self.good("GET", path).body
            pages.append([group["name"] for group in body["groups"]])
            path = body["next"]
        self.assertEqual([["g0", "g1"], ["g2", "g3"], ["g4"]], pages)
        etag = self.good("GET", "/v1/groups/-/g0").etag
        self.good("PUT", "/v1/groups/-/g0", {"region": "eastus"}, headers={"If-Match": etag})
        self.bad_v1(self.call("DELETE", "/v1/groups/-/g0", headers={"If-Match": etag}), 412)
        self.bad_v1(self.call("PUT", "/v1/groups/web/g0", {}), 404, "not_found", text="in no other")

    def test_wrong_usage_says_what_would_be_right(self):
        for argv, text in ((("address", "remove"), "an argument is missing"),
                           (("show", "address", "web/a", "--group", "office"), "another group"),
                           (("show", "service", "a", "--group", "office"), "only an address has"),
                           (("set", "address", "a", "colour=red"), "an address has no \"colour\""),
                           (("set", "group", "a", "adress=1"), "a group has no \"adress\"; `sluice help"),
                           (("list", "adress"), "the kinds are network.*address, service, ptr, group"),
                           (("set", "address", "web/a"), "an argument is missing")):
            self.assertRegex(self.run_(*argv, status=2), text)

    def test_names_are_completed(self):
        self.run_("create", "address", "web/front", SERVED)
        self.run_("create", "service", "shop", "198.51.100.40")

        def completed(*words):
            script = ("source <(%s completion bash); sluice() { %s \"$@\" -c %s; };"
                      "COMP_WORDS=(sluice %s); COMP_CWORD=%d; _sluice; echo \"${COMPREPLY[@]}\"") % (
                          harness.SLUICE, harness.SLUICE, self.sluice.config,
                          " ".join(word or "''" for word in words), len(words))
            with self.host.inside():
                return subprocess.run(["bash", "-c", script], capture_output=True, text=True,
                                      timeout=60, check=True).stdout.split()
        self.assertEqual(["address", "address-pool"], sorted(completed("show", "addr")))
        self.assertEqual(["web/front"], completed("show", "address", "web/"))
        self.assertEqual(["office/filed"], completed("address", "remove", "office/f"))
        self.assertEqual(["web"], completed("list", "address", "w"))
        self.assertEqual(["filedsvc", "shop"], sorted(completed("service", "delete", "")))
        self.assertEqual(["198.51.100.30"], completed("ptr", "set", "198.51.100.3"))
        self.assertEqual(["office", "web"], sorted(completed("show", "group", "")))
        self.assertIn("--filter", completed("list", "address", "--f"))


class Export(World):
    def fill(self):
        for argv in (("create", "address", "web/front", SERVED, "allocation=static", "tags=team=mail,env=prod",
                      "domain_name_label=front", "ttl=60", "description=say \"hi\"",
                      "reverse_fqdn=Front.westeurope.cloudapp.azure.com."),
                     ("create", "address", "bare", "2001:db8:5::25"),
                     ("create", "service", "shop", "198.51.100.40", "description=App1",
                      "reverse_fqdn=shop.cloudapp.net.", "ptr_description=its PTR"),
                     ("create", "ptr", "198.51.100.11", "mail.example.com.", "ttl=30", "description=out"),
                     ("create", "group", "empty", "region=eastus", "tags=cost=7")):
            self.run_(*argv)

    def owners(self):
        """What /v1 shows of all of them, without what is of this state or file alone."""
        return {path: [{key: value for key, value in row.items() if key not in ("origin", "etag", "action",
                                                                               "status")}
                       for row in self.good("GET", "/v1/" + path).body[path]]
                for path in ("addresses", "services", "ptrs")}

    def test_an_export_is_a_file_that_checks_and_serves_the_same(self):
        self.fill()
        before, text = self.owners(), self.run_("export")
        self.assertEqual(0, self.sluice.stop())
        path = self.world.write("exported.conf", text.replace("state.db", "other.db"))
        status, told = harness.command("check", "-c", path)
        self.assertEqual(0, status, told)
        self.sluice = harness.Sluice(self.host, text.replace("state.db", "other.db"), (test_reverse.HERE, 53))
        self.assertEqual(before, self.owners())
        self.ptr_is(SERVED, "front.westeurope.cloudapp.azure.com.", ttl=60)
        self.ptr_is("198.51.100.11", "mail.example.com.", ttl=30)
        self.ptr_is("198.51.100.40", "shop.cloudapp.net.")
        self.ptr_is("198.51.100.10", "app1.contoso.com.", ttl=300)

    def test_an_export_has_the_edits_that_make_them(self):
        self.fill()
        edits = {edit["path"]: edit for edit in json.loads(self.run_("export", "--as", "json"))["edits"]}
        self.assertEqual({"name": "empty", "region": "eastus", "tags": {"cost": "7"}},
                         edits["groups/-/empty"]["values"])
        self.assertRegex(edits["addresses/office/filed"]["origin"], r"sluice\.conf:\d+$")
        self.assertEqual("app1.contoso.com.", edits["addresses/office/filed"]["values"]["reverse_fqdn"])
        self.assertNotIn("reverse_fqdn", edits["addresses/office/open"]["values"])
        ptr = "ptrs/" + self.key_of("open").split(":")[1]
        self.assertEqual((None, {"reverse_fqdn": "mail.example.com.", "ttl": 30, "description": "out"}),
                         (edits[ptr]["origin"], edits[ptr]["values"]))
        mine = [edit for edit in edits.values() if not edit["origin"]]
        self.assertIn("virtual_networks/-/hub", edits)
        self.assertEqual({"addresses/web/front", "addresses/-/bare", "services/-/shop", "groups/-/web",
                          "groups/-/empty", ptr}, {edit["path"] for edit in mine})
        # They are a change, and make what they made.
        before = self.owners()
        for edit in mine:
            if edit["path"] != "services/-/shop" and not edit["path"].startswith("groups/"):
                self.good("POST", "/v1/changes", {"edits": [{"path": edit["path"], "values": None}]})
        self.assertNotEqual(before, self.owners())
        self.good("POST", "/v1/changes", {"edits": [{"path": e["path"], "values": e["values"]} for e in mine]})
        self.assertEqual(before, self.owners())


if __name__ == "__main__":
    harness.main()
