"""The commands of every kind, over those that are no part of a model: addresses, services, PTRs and
groups. (Rules and their like: test_resources.py; `sluice ptr` and its like: test_reverse.py.)"""

import json
import os
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
        self.assertEqual(404, self.call("GET", "/v1/addresses/-/front").status)
        self.assertIn('there is one already: address "web/front", in the state; set it instead of creating it (HTTP: PATCH), or choose '
                      "another name\n", self.run_("create", "address", "web/front", SERVED, status=1))
        self.assertRegex(self.run_("create", "address", "office/filed", SERVED, status=1),
                         r'there is one already: address "office/filed", at /\S+/sluice\.conf:23; change it there, and reload\n$')
        self.run_("set", "address", "web/front", "description=first", "tags=")
        now = self.shown("address", "web/front")
        self.assertEqual(("first", {}, "static"), (now["description"], now["tags"], now["allocation"]))
        self.run_("address", "create", "bare")
        self.assertEqual(self.shown("address", "bare"), self.shown("address", "-/bare"))
        self.assertEqual(self.shown("address", "bare"), self.shown("address", "/bare"))
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
        self.assertIn('there is one already: ptr "198.51.100.11", in the state; set it instead of creating it (HTTP: PATCH)\n',
                      self.run_("create", "ptr", "198.51.100.11", "b.example.", status=1))
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
        self.assertIn("it is declared at", self.run_("set", "group", "office", "region=eastus", status=1))

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
                           (("set", "address", "web/a", "tags=team"), "\"tags=team\" does not fit; give tags=NAME=VALUE"),
                           (("create", "ruleset", "web/"), "\"web/\" has no name of a ruleset in it"),
                           (("create", "rule", "office", ""), "has no name of a rule in it"),
                           (("list", "adress"), "the kinds are network.*address, service, ptr, group"),
                           (("set", "address", "web/a"), "an argument is missing"),
                           (("rule", "delete", "contoso"), "the name of the rule is missing\nusage: .*\n"
                            r"for this kind: sluice rule delete \[GROUP/\]RULESET NAME\n$"),
                           (("rule", "set", "contoso", "domain=a.corp"), "the name of the rule is missing"),
                           (("rule", "create", "office", "domain=a.corp"), "the name of the rule is missing")):
            self.assertRegex(self.run_(*argv, status=2), text)

    def test_an_option_that_is_none_is_told_with_the_command_s_own(self):
        for argv, text in ((("set", "address", "office/open", "--domain", "x"),
                            "^sluice set: there is no option --domain; a member is KEY=VALUE.*\nusage: sluice set"),
                           (("list", "network", "--json=x"), "--json takes no value"),
                           (("list", "network", "--limit"), "--limit needs a value"),
                           (("undo", "-1"), "there is no option -1\nusage: sluice undo"),
                           (("undo", "18446744073709551616"), "is no revision"),
                           (("rule", "frob"), "no command \"rule frob\"; `sluice help rule`"),
                           (("set", "address", "office/open", "region=a", "region=b"), "region is given twice")):
            self.assertRegex(self.run_(*argv, status=2), text)

    def test_an_empty_name_is_no_list(self):
        before = self.good("GET", "/v1/changes").body
        for argv, noun in ((("show", "address", ""), "an address"), (("delete", "address", "office/"), "an address"),
                           (("show", "rule", "office", ""), "a rule"), (("list", "rule", "office/"), "a ruleset"),
                           (("create", "group", ""), "a group"), (("delete", "network", "/"), "a network"),
                           (("ptr", "unset", ""), "a ptr"), (("record", "list", "x/"), "a zone"),
                           (("record", "set", "", "www", "A", "10.0.0.1"), "a zone"),
                           (("record", "unset", "/", "www", "A"), "a zone"), (("zone", "export", ""), "a zone")):
            self.assertIn("has no name of %s in it" % noun, self.run_(*argv, status=2))
        self.assertIn("the group is empty", self.run_("list", "network", "", status=2))
        self.assertIn("--group is empty", self.run_("show", "address", "open", "--group", "", status=2))
        self.assertEqual(before, self.good("GET", "/v1/changes").body)

    def test_what_is_in_no_group_is_not_made_in_one(self):
        self.assertIn("a service is in no resource group", self.run_(
            "create", "service", "web/shop", SERVED, status=1))
        self.bad_v1(self.call("PUT", "/v1/services/web/shop", {"address": SERVED}), 404, "not_found",
                    text="in no resource group")
        self.assertEqual(404, self.call("GET", "/v1/services/-/shop").status)
        self.run_("create", "ptr", "198.51.100.11", "mail.example.com.")
        self.run_("ptr", "unset", "any/198.51.100.11", status=1)  # a PTR has no group either
        self.ptr_is("198.51.100.11", "mail.example.com.")

    def test_help_says_how_each_kind_is_named(self):
        for kind, text in (("address", "address list [GROUP]\n"), ("ruleset", "ruleset list [GROUP]\n"),
                           ("ruleset", "ruleset show [GROUP/]NAME\n"), ("rule", "rule list [[GROUP/]RULESET]\n"),
                           ("rule", "rule show [GROUP/]RULESET NAME\n"), ("service", "service show NAME\n"),
                           ("group", "group list\n"), ("ptr", "ptr show ADDRESS|ID\n")):
            self.assertIn("sluice " + text, harness.command("help", kind)[1])
        self.assertNotRegex(harness.command("help", "address")[1], "address .*; required")

    def test_names_are_completed(self):
        self.run_("create", "address", "web/front", SERVED)
        self.run_("create", "service", "shop", "198.51.100.40")

        completed = self.sluice.completed
        self.assertEqual(["address", "address-pool"], sorted(completed("show", "addr")))
        self.assertEqual(["web/front"], completed("show", "address", "web/"))
        self.assertEqual(["office/filed"], completed("address", "remove", "office/f"))
        self.assertEqual(["web"], completed("list", "address", "w"))
        self.assertEqual(["filedsvc", "shop"], sorted(completed("service", "delete", "")))
        self.assertEqual(["198.51.100.30"], completed("ptr", "set", "198.51.100.3"))
        self.assertEqual(["office", "web"], sorted(completed("show", "group", "")))
        self.assertIn("--filter", completed("list", "address", "--f"))

    def test_a_completed_name_is_never_run(self):
        self.run_("create", "zone", "corp.internal")
        ran = os.path.join(self.world.dir, "ran")
        for name in ("`>%s`" % ran, "*", "a|b"):
            self.run_("record", "set", "corp.internal", name, "A", "10.0.0.1")
        self.assertEqual({r"\`\>%s\`" % ran, r"\*", r"a\|b"}, set(self.sluice.completed("record", "show", "corp.internal", "")))
        self.assertEqual([r"a\|b:A"], self.sluice.completed("show", "record-set", "corp.internal", "a"))
        self.assertFalse(os.path.exists(ran))

    def test_an_empty_list_of_tags_removes_them(self):
        for kind, name in (("ruleset", "office"), ("network", "lab"), ("address", "front")):
            self.run_("create", kind, name, "tags=team=mail,env=prod", *(["address_space=10.9.0.0/16"] if kind == "network" else []))
            self.assertEqual({"team": "mail", "env": "prod"}, self.shown(kind, name)["tags"])
            self.run_("set", kind, name, "tags=")
            self.assertFalse(self.shown(kind, name).get("tags"), kind)

    def test_what_cannot_be_printed_is_a_failure(self):
        for words in (["--version"], ["--help"], ["help", "address"], ["list", "--help"]):
            with open("/dev/full", "w") as full:
                status = subprocess.run([harness.SLUICE, *words], stdout=full, stderr=subprocess.DEVNULL).returncode
            self.assertEqual(1, status, words)


class Words(World):
    def test_a_word_that_is_none_is_told_with_the_one_that_was_meant(self):
        for words, meant in ((["statu"], '"status"'), (["rul", "list"], '"rule"'), (["rule", "lst", "x"], '"rule list"'),
                             (["list", "rul"], '"rule"'), (["list", "subnets"], '"subnet"'), (["list", "pool"], '"address-pool"'),
                             (["adress", "show", "x"], '"address"'), (["ptr", "improt", "x"], '"ptr import"')):
            with self.subTest(words):
                status, text = harness.command(*words)
                self.assertEqual(2, status)
                self.assertIn("did you mean %s?" % meant, text)
        for words in (["frobnicate"], ["list", "frobnicate"], ["ptr", "frobnicate", "x"]):
            status, text = harness.command(*words)
            self.assertEqual(2, status)
            self.assertNotIn("did you mean", text)

    def test_other_tools_words_are_taken(self):
        self.run_("ruleset", "add", "office")
        self.run_("add", "zone", "corp.internal")
        self.run_("address", "add", "front", SERVED, "--static", "tags=a=b")
        self.assertEqual(("static", {"a": "b"}), tuple(self.shown("address", "front")[key] for key in ("allocation", "tags")))
        self.run_("ptr", "set", SERVED, "front.example")
        self.assertIn("ptr \"%s\" is deleted" % SERVED, self.run_("ptr", "unset", SERVED))
        self.run_("record", "add", "corp.internal", "www", "A", "10.0.0.1")
        self.assertIn('there is one already: record set "www:A" of private zone "corp.internal", in the state; set it instead',
                      self.run_("record", "add", "Corp.internal", "www", "A", "10.0.0.2", status=1))
        self.assertIn("10.0.0.1", self.run_("record", "get", "corp.internal", "www", "A"))
        for verb in ("remove", "unset", "rm"):
            self.run_("record", "set", "corp.internal", "www", "A", "10.0.0.1")
            self.run_("record", verb, "corp.internal", "www", "A")
        self.run_("address", "remove", "front")
        self.run_("remove", "zone", "corp.internal")
        self.assertEqual(["office"], [row["name"] for row in self.rows("ruleset")])
        self.run_("unset", "ruleset", "office")
        self.assertEqual([], self.rows("ruleset"))

    def test_every_family_has_the_verbs_of_one_table(self):
        text = harness.command("help")[1]
        words = re.findall(r"(?m)^  (record|ptr|address|service) (\w+)", text)
        verbs = {"list", "show", "create", "set", "delete"}
        self.assertEqual({"check", "delegation", "import"}, {verb for _, verb in words} - verbs)
        self.assertEqual(verbs, {verb for family, verb in words if family == "record"})
        for words in (["address", "add"], ["ptr", "unset"], ["service", "remove"], ["record", "add"]):
            self.assertEqual(0, harness.command("help", *words)[0], words)


class Rehearsals(World):
    """--dry-run says that nothing was done, of every command that takes it."""

    def test_each_says_so(self):
        self.run_("create", "zone", "corp.internal")
        self.run_("record", "set", "corp.internal", "www", "A", "10.0.0.1")
        self.run_("create", "ruleset", "office")
        self.run_("address", "create", "front", SERVED)
        before = self.good("GET", "/v1/changes").body
        master = self.world.write("more.zone", "$TTL 60\nextra A 10.0.0.4\n")
        rules = self.world.write("rules.csv", "domain,targets\none.corp,10.0.0.5\n")
        ptrs = self.world.write("ptrs.csv", "address,reverse_fqdn\n%s,front.example\n" % SERVED)
        applied = self.world.write("apply.conf", 'rulesets = ( { name = "more"; } );\n')
        for words in (["create", "zone", "two.internal"], ["set", "ruleset", "office", "tags=a=b"], ["delete", "zone", "corp.internal"],
                      ["record", "create", "corp.internal", "ftp", "A", "10.0.0.2"],
                      ["record", "set", "corp.internal", "www", "A", "10.0.0.2"], ["record", "delete", "corp.internal", "www", "A"],
                      ["zone", "import", "corp.internal", master], ["rule", "import", rules], ["ptr", "import", ptrs],
                      ["ptr", "set", SERVED, "front.example"], ["address", "create", "more"], ["address", "delete", "front"],
                      ["undo", "2"], ["apply", applied]):
            with self.subTest(words):
                text = self.run_(*words, "--dry-run")
                self.assertRegex(text, r"; nothing was done \(--dry-run\)\n$|: not done\n$")
                self.assertEqual(before, self.good("GET", "/v1/changes").body)
        json.loads(self.run_("create", "zone", "two.internal", "--dry-run", "--json"))

    def test_a_record_that_is_given_twice_is_one(self):
        self.run_("create", "zone", "corp.internal")
        self.run_("record", "set", "corp.internal", "www", "A", "10.0.0.1", "10.0.0.2", "10.0.0.1")
        self.run_("record", "set", "corp.internal", "@", "MX", "10 mail", "10 mail.corp.internal.", "20 mail")
        self.run_("record", "set", "corp.internal", "@", "TXT", "a b", '"a b"', "A b")
        sets = {row["name"]: row["records"] for row in json.loads(self.run_("record", "list", "corp.internal", "--json"))["record_sets"]}
        self.assertEqual({"www:A": ["10.0.0.1", "10.0.0.2"], "@:MX": ["10 mail", "20 mail"], "@:TXT": ['"a b"', '"A b"']},
                         {name: sets[name] for name in ("www:A", "@:MX", "@:TXT")})
        self.good("POST", "/v1/changes", {"edits": [{"path": "private_zones/-/corp.internal/record_sets/x:A",
                                                     "values": {"records": ["10.0.0.1", "10.0.0.1"]}}]})
        self.good("PATCH", "/v1/private_zones/-/corp.internal/record_sets/www:A", {"records": ["10.0.0.3", "10.0.0.3"]})
        self.assertEqual(["10.0.0.1"], self.shown("record-set", "corp.internal", "x:A")["records"])
        self.assertEqual(["10.0.0.3"], self.shown("record-set", "corp.internal", "www:A")["records"])


class Rules(World):
    """Rules as people have them in a spreadsheet, and in all rulesets at once."""

    def import_(self, text, *options, status=0):
        return self.run_("rule", "import", *options, self.world.write("rules.csv", text), status=status)

    def domains(self):
        return [(row["ruleset"], row["name"], row["domain"], row["targets"]) for row in self.rows("rule")]

    def test_a_list_without_a_ruleset_has_those_of_all(self):
        self.assertEqual("", self.run_("rule", "list"))
        for ruleset in ("office", "dev/lab"):
            self.run_("create", "ruleset", ruleset)
            for name in ("one", "two"):
                self.run_("create", "rule", ruleset, name, "domain=%s.corp" % name, "targets=10.0.0.5")
        self.assertIn('there is one already: rule "one" of ruleset "dev/lab", in the state',
                      self.run_("create", "rule", "Dev/Lab", "one", "domain=x.corp", "targets=10.0.0.5", status=1))
        self.assertRegex(self.run_("create", "network", "hub", "address_space=10.0.0.0/8", status=1),
                         r'there is one already: virtual network "hub", at /\S+/sluice\.conf:\d+; change it there, and reload\n$')
        self.run_("set", "rule", "office", "two", "state=Disabled")
        self.assertEqual({(ruleset, name, name + ".corp.", "10.0.0.5") for ruleset in ("office", "dev/lab")
                          for name in ("one", "two")}, set(self.domains()))
        self.assertEqual([("office", "two")], [(row["ruleset"], row["name"]) for row in
                                               self.rows("rule", "--filter", "state=Disabled")])
        self.assertEqual(3, len(self.rows("rule", "--limit", "3")))
        self.assertEqual(1, len(self.rows("rule", "--limit", "1")))
        shown = json.loads(self.run_("rule", "list", "--json"))["rules"]
        self.assertEqual({"rulesets/-/office/rules/one", "rulesets/dev/lab/rules/two"},
                         {rule["path"] for rule in shown} & {"rulesets/-/office/rules/one", "rulesets/dev/lab/rules/two"})
        self.assertEqual(["one", "two"], [row["name"] for row in self.rows("rule", "office")])
        self.assertEqual([("hub", "dns-in"), ("hub", "dns-out")], [(row["network"], row["name"]) for row in self.rows("subnet")])
        self.assertIn("is no filter", self.run_("rule", "list", "--filter", "x", status=2))
        for kind in ("peering", "inbound-endpoint", "outbound-endpoint", "zone-link", "record-set", "ruleset-link",
                     "target-group", "zone-group"):
            self.run_("list", kind)

    def test_a_spreadsheet_goes_in_and_comes_out(self):
        self.run_("create", "ruleset", "office")
        text = ("\ufeffdomain,targets\r\ncontoso.corp,10.0.0.5\r\nfabrikam.corp.,\"10.0.0.5, 10.0.0.6:5353/tcp\"\r\n"
                "9to5.test,10.0.0.7;10.0.0.8\r\n.,10.0.0.9\r\n")
        self.assertEqual("4 rules would be created, 0 would be changed, 0 are so already; nothing was done (--dry-run)\n",
                         self.import_(text, "--dry-run"))
        self.assertEqual([], self.rows("rule"))
        self.assertEqual("4 rules created, 0 changed, 0 were so already\n", self.import_(text))
        self.assertEqual({("office", "contoso-corp", "contoso.corp.", "10.0.0.5"),
                          ("office", "fabrikam-corp", "fabrikam.corp.", "10.0.0.5, 10.0.0.6:5353/tcp"),
                          ("office", "r-9to5-test", "9to5.test.", "10.0.0.7, 10.0.0.8"),
                          ("office", "all", ".", "10.0.0.9")}, set(self.domains()))
        self.assertEqual("0 rules created, 0 changed, 4 were so already\n", self.import_(text))
        listed = self.run_("rule", "list", "--csv")
        self.assertEqual("ruleset,name,domain,targets,target_group,state,description", listed.splitlines()[0])
        self.assertIn('office,fabrikam-corp,fabrikam.corp.,"10.0.0.5,10.0.0.6:5353/tcp",,Enabled,\n', listed)
        self.assertEqual("0 rules created, 0 changed, 4 were so already\n", self.import_(listed))
        changed = listed.replace("contoso.corp.,10.0.0.5,,Enabled,", 'contoso.corp.,10.0.0.50,,Disabled,"first, of all"')
        self.assertEqual("0 rules created, 1 changed, 3 were so already\n", self.import_(changed))
        rule = self.shown("rule", "office", "contoso-corp")
        self.assertEqual(("10.0.0.50", "Disabled", "first, of all"),
                         (rule["targets"][0]["address"], rule["state"], rule["description"]))
        # Members without a column stay.
        self.assertEqual("0 rules created, 1 changed, 0 were so already\n",
                         self.import_("domain,targets\nContoso.corp,10.0.0.51\n"))
        rule = self.shown("rule", "office", "contoso-corp")
        self.assertEqual(("10.0.0.51", "Disabled"), (rule["targets"][0]["address"], rule["state"]))
        self.assertEqual(1, len(self.good("GET", "/v1/changes?after=%d" % (self.last() - 1)).body["changes"]))

    def last(self):
        return self.good("GET", "/v1/changes").body["changes"][-1]["revision"]

    def test_a_file_says_which_ruleset(self):
        for ruleset in ("office", "dev/lab"):
            self.run_("create", "ruleset", ruleset)
        text = "domain,targets\none.corp,10.0.0.5\n"
        self.assertIn("rules.csv:2: ruleset: there are several", self.import_(text, status=1))
        self.import_(text, "dev/lab")
        self.import_("domain,targets,ruleset\ntwo.corp,10.0.0.6,office\ntwo.corp,10.0.0.6,dev/lab\n")
        self.assertEqual({("dev/lab", "one-corp", "one.corp.", "10.0.0.5"), ("office", "two-corp", "two.corp.", "10.0.0.6"),
                          ("dev/lab", "two-corp", "two.corp.", "10.0.0.6")}, set(self.domains()))
        for name in ("office", "/office", "-/office"):
            self.assertEqual(["office,two-corp,two.corp.,10.0.0.6,,Enabled,"],
                             self.run_("rule", "list", "--csv", name).splitlines()[1:])
        self.assertEqual({"dev/lab"}, {line.split(",")[0] for line in self.run_("rule", "list", "--csv", "lab").splitlines()[1:]})
        self.assertEqual(2, len(self.run_("rule", "list", "--csv", "office", "--limit", "1").splitlines()))
        for limit in ("0", "-1", "6000x", "many"):
            for words in (["rule", "list", "--csv"], ["rule", "list"], ["list", "address"], ["ptr", "list", "--csv"]):
                self.assertIn("--limit takes a number from 1", self.run_(*words, "--limit", limit, status=2))
        self.assertEqual(3, len(self.run_("list", "rule", "--limit", "6000").splitlines()) - 1)
        self.run_("rule", "list", "--csv", "offic", status=1)

    def test_descriptions_of_targets_stay(self):
        self.run_("create", "ruleset", "office")
        self.run_("create", "rule", "office", "one", "domain=one.corp",
                  'targets=[{"address": "10.0.0.5", "description": "main site"}, {"address": "10.0.0.6"}]')
        listed = self.run_("rule", "list", "--csv")
        self.assertIn('"10.0.0.5,10.0.0.6"', listed)
        self.assertEqual("0 rules created, 0 changed, 1 were so already\n", self.import_(listed))
        self.assertEqual("0 rules created, 1 changed, 0 were so already\n", self.import_(listed.replace("10.0.0.6", "10.0.0.7")))
        self.assertEqual([("10.0.0.5", "main site"), ("10.0.0.7", None)],
                         [(target["address"], target.get("description")) for target in self.shown("rule", "office", "one")["targets"]])

    def test_a_spreadsheet_has_its_own_separators_capitals_and_empty_rows(self):
        self.run_("create", "ruleset", "office")
        self.assertIn("1 rule created", self.import_("Domain;Targets\r\none.corp;10.0.0.5, 10.0.0.6\r\n;\r\n"))
        self.assertEqual([("office", "one-corp", "one.corp.", "10.0.0.5, 10.0.0.6")], self.domains())

    def test_what_the_file_does_not_change_is_not_told_as_changed(self):
        self.run_("create", "ruleset", "office")
        self.import_("domain,targets\none.corp,10.0.0.5\n")
        self.import_("domain,targets\none.corp,10.0.0.6\n")
        self.assertRegex(self.run_("history"), r"changed rule one-corp of ruleset office: targets\n$")
        self.assertIn("0 rules created, 0 changed, 1 were so already",
                      self.import_("domain,targets,state,follow_cname\none.corp,10.0.0.6,Enabled,false\n"))

    def test_a_rule_that_the_server_refuses_is_told_with_its_line(self):
        self.run_("create", "ruleset", "office")
        printed = self.import_("domain,targets\nfine.corp,10.0.0.5\nnot a name,10.0.0.5\n", status=1)
        self.assertRegex(printed, r"(?m)^\S*rules\.csv:3: rulesets\[office\]\.rules\[not-a-name\]\.domain: .*has a space in it")
        self.assertRegex(printed, r"rules\.csv: nothing has changed\n$")

    def test_every_rule_that_the_server_refuses_is_told_with_its_line(self):
        for ruleset in ("office", "dev/lab"):
            self.run_("create", "ruleset", ruleset)
        printed = self.import_("domain,targets,ruleset\na.corp,10.0.0.x,office\nfine.corp,10.0.0.5,office\n"
                               "a.corp,10.0.0.y,dev/lab\nb.corp,10.0.0.5:99999,office\n", status=1)
        for line, what in ((2, "rulesets[office].rules[a-corp].targets[0]"), (4, "rulesets[dev/lab].rules[a-corp].targets[0]"),
                           (5, "rulesets[office].rules[b-corp].targets[0]")):
            self.assertIn("rules.csv:%d: %s" % (line, what), printed)
        self.assertNotIn("rules.csv:3: ", printed)
        self.assertNotIn("more)", printed)
        self.assertEqual([], self.rows("rule"))
        # What no edit says by itself, but all of them together.
        printed = self.import_("domain,targets,name\na.corp,10.0.0.5,one\na.corp,10.0.0.6,two\nb.corp,,three\n", "office", status=1)
        self.assertIn("rules.csv:3: rulesets[office].rules[two].domain: ", printed)
        self.assertIn("rules.csv:4: rulesets[office].rules[three]", printed)

    def test_of_very_many_refused_rules_the_first_are_told(self):
        self.run_("create", "ruleset", "office")
        printed = self.import_("domain,targets\n" + "".join("r%d.corp,10.0.0.x\n" % n for n in range(150)), status=1)
        self.assertEqual(20, len(re.findall(r"(?m)^\S*rules\.csv:\d+: ", printed)))
        self.assertIn("rules.csv:2: ", printed)
        self.assertIn("rules.csv:21: ", printed)
        self.assertRegex(printed, r"(?m)^sluice rule import: and 130 more$")

    def test_what_does_not_fit_is_told_by_its_line_and_nothing_changes(self):
        self.run_("create", "ruleset", "office")
        printed = self.import_("domain,targets,ruleset\nfine.corp,10.0.0.5,\nfine.corp.,10.0.0.6,\n,10.0.0.5,\n"
                               "a.corp,10.0.0.5\nb.corp,10.0.0.5,other\n", status=1)
        for line, text in ((3, "another row"), (4, "domain: it is empty"), (5, "it has another number"),
                           (6, 'ruleset: there is no ruleset "other"')):
            self.assertIn("rules.csv:%d: %s" % (line, text), printed)
        self.assertIn("4 rows of", printed)
        self.assertIn("rules[bad-corp].targets[0]", self.import_("domain,targets\nfine.corp,10.0.0.5\nbad.corp,10.0.0.x\n", status=1))
        self.assertIn("frob: there is no such column", self.import_("domain,frob\n", status=1))
        self.assertIn("the column domain is missing", self.import_("name,targets\n", status=1))
        self.assertIn("must name the columns", self.import_("", status=1))
        self.assertEqual([], self.rows("rule"))


class Domains(World):
    """Every command takes a domain with its final dot and without it, and prints one form."""

    def test_a_zone_is_found_and_made_by_either_form(self):
        text = self.run_("create", "zone", "corp.internal.")
        self.assertRegex(text, r"(?m)^name +corp\.internal$")
        self.assertIn('there is one already: private zone "corp.internal", in the state',
                      self.run_("create", "zone", "corp.internal", status=1))
        for zone in ("corp.internal", "corp.internal."):
            with self.subTest(zone):
                self.assertEqual("corp.internal", self.shown("zone", zone)["name"])
                self.assertEqual("private_zones/-/corp.internal", self.shown("zone", zone)["path"])
                self.assertEqual(["corp.internal"], [r["name"] for r in self.rows("zone", "--filter", "name=" + zone)])
                self.run_("record", "set", zone, "www", "A", "10.0.0.1")
                self.run_("record", "set", zone, "mail.corp.internal.", "A", "10.0.0.2")
                self.run_("record", "set", zone, "corp.internal.", "MX", "10 mail")
                self.assertIn("10.0.0.2", self.run_("record", "show", zone, "mail", "A"))
                self.assertRegex(self.run_("record", "list", zone), r"@ +MX")
                self.assertIn("www", self.run_("zone", "export", zone))
                self.run_("create", "zone-link", zone, "hub", "virtual_network=hub")
                self.run_("registration", "list", zone)
                self.assertEqual(200, self.call("GET", "/v1/private_zones/-/%s/links/hub" % zone).status)
                self.run_("delete", "zone-link", zone, "hub")
        edit = {"edits": [{"path": "private_zones/-/corp.internal./record_sets/ftp:A", "values": {"records": ["10.0.0.3"]}}]}
        self.good("POST", "/v1/changes", edit)
        self.assertEqual("private_zones/-/corp.internal/record_sets/ftp:a",
                         self.good("GET", "/v1/changes").body["changes"][-1]["path"])
        master = self.world.write("more.zone", "$TTL 60\nextra A 10.0.0.4\n")
        self.assertIn("create extra:A", self.run_("zone", "import", "corp.internal.", master))
        self.assertIn("create private_zones/-/new.internal\n", self.run_("zone", "import", "new.internal.", master))
        self.assertIn('zone "corp.internal" is deleted', self.run_("delete", "zone", "corp.internal."))
        self.assertEqual(["new.internal"], [row["name"] for row in self.rows("zone")])

    def test_what_is_outside_the_zone_stays_refused(self):
        self.run_("create", "zone", "corp.internal")
        self.assertIn("outside the zone", self.run_("record", "set", "corp.internal", "www.other.test.", "A", "10.0.0.1",
                                                    status=1))

    def test_a_rule_has_its_domain_with_the_dot(self):
        self.run_("create", "ruleset", "office")
        for name, domain in (("one", "contoso.corp"), ("two", "fabrikam.corp.")):
            text = self.run_("create", "rule", "office", name, "domain=" + domain, "targets=10.0.0.5")
            self.assertRegex(text, r"(?m)^domain +%s\.$" % domain.rstrip("."))
        self.assertIn('is the domain of rule "one" of this ruleset, too', self.run_(
            "create", "rule", "office", "three", "domain=Contoso.corp.", "targets=10.0.0.5", status=1))
        self.assertEqual(["contoso.corp.", "fabrikam.corp."], [row["domain"] for row in self.rows("rule", "office")])
        for domain in ("fabrikam.corp", "fabrikam.corp."):
            self.assertEqual(["two"], [row["name"] for row in self.rows("rule", "office", "--filter", "domain=" + domain)])
        self.run_("set", "rule", "office", "two", "domain=other.corp")
        self.assertEqual("other.corp.", self.shown("rule", "office", "two")["domain"])
        self.restart()
        self.assertEqual(["contoso.corp.", "other.corp."], [row["domain"] for row in self.rows("rule", "office")])

    def test_a_key_keeps_its_name_and_is_found_by_either(self):
        secret = self.world.secret("key.secret", "c2VjcmV0LXNlY3JldC1zZWNyZXQ=")
        self.run_("create", "key", "dotted.", "secret_file=" + secret)
        self.run_("create", "key", "plain", "secret_file=" + secret)
        for asked, name in (("dotted", "dotted."), ("dotted.", "dotted."), ("plain.", "plain"), ("plain", "plain")):
            self.assertEqual(name, self.shown("key", asked)["name"])


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

    def pages(self, path):
        while path:
            body = self.good("GET", path).body
            yield from (row["name"] for row in body[path.split("?")[0].split("/")[-1]])
            path = body["next"]

    def test_an_export_beside_its_own_state_is_the_files(self):
        self.fill()
        for i in range(1, 8):
            self.run_("create", "address", "web/a%d" % i, "198.51.100.%d" % (100 + i))
        before, text = self.owners(), self.run_("export")
        status, told = harness.command("check", "-c", self.world.write("exported.conf", text))
        self.assertEqual(0, status, told)
        self.assertRegex(told, r"11 of the addresses, services and PTRs in the state are in the file, too")
        self.sluice.reconfigure(text)
        self.assertIn("the file's count", self.run_("reload"))
        for _ in range(2):
            self.assertEqual(before, self.owners())
            for path in ("addresses", "services", "ptrs"):
                names = [row["name"] for row in before[path]]
                self.assertEqual(names, list(self.pages("/v1/%s?limit=1" % path)))
                self.assertEqual(names, list(self.pages("/v1/%s?limit=3" % path)))
            self.ptr_is(SERVED, "front.westeurope.cloudapp.azure.com.", ttl=60)
            self.assertIn("change it there", self.run_("set", "address", "web/front", "ttl=5", status=1))
            self.run_("create", "address", "web/new")
            self.run_("delete", "address", "web/new")
            self.sluice.kill()
            self.sluice = harness.Sluice(self.host, text, (test_reverse.HERE, 53))
        # What differs is a fault again, and without the file it is the state's.
        self.sluice.reconfigure(text.replace("its PTR", "another"))
        self.assertIn("cannot both have this id", self.run_("reload", status=1))
        self.sluice.reconfigure(text.replace('description = "out"', 'description = "in"'))
        self.assertIn("has the PTR \"mail.example.com.\" here and", self.run_("reload", status=1))
        self.sluice.reconfigure(self.config())
        self.assertNotIn("the file's count", self.run_("reload"))
        self.assertEqual(before, self.owners())
        self.run_("set", "address", "web/front", "ttl=5")
        self.ptr_is(SERVED, "front.westeurope.cloudapp.azure.com.", ttl=5)

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


WANTED = """
region = "westeurope";
address_pools = ( { name = "more"; prefix = "203.0.113.0/24"; } );
addresses = (
  { name = "open"; resource_group = "office"; address = "198.51.100.11"; allocation = "static";
    domain_name_label = "contosoopen"; %s },
  { name = "front"; resource_group = "web"; address = "%s"; allocation = "static"; domain_name_label = "front";
    reverse_fqdn = "front.example"; ttl = 60; description = "first"; tags = [ "team=mail" ]; },
  { name = "back"; address = "%s"; } );
cloud_services = ( { name = "shop"; address = "203.0.113.40"; description = "App1"; %s } );
"""


class Apply(World):
    def wanted(self, ptr="", front=SERVED, back="203.0.113.9", shop='reverse_fqdn = "shop.cloudapp.net";'):
        self.world.write("wanted.conf", WANTED % (ptr, front, back, shop))
        return self.world.dir + "/wanted.conf"

    def shape(self):
        return [(change["path"], change["before"] is None, change["after"] is None)
                for change in self.good("GET", "/v1/changes").body["changes"]]

    def test_a_file_is_applied_with_all_it_has_by_one_change(self):
        plan = self.run_("diff", self.wanted())
        for line in ("create address_pools/-/more", "create addresses/web/front", "create addresses/-/back",
                     "create services/-/shop"):
            self.assertIn(line + "\n", plan)
        self.assertIn("4 to create, 0 to change, 0 to delete: not done", plan)
        self.assertEqual([], self.shape())
        self.assertIn("4 to create, 0 to change, 0 to delete: done", self.run_("apply", self.wanted()))
        self.assertEqual(1, len({change["revision"] for change in self.good("GET", "/v1/changes").body["changes"]}))
        self.ptr_is(SERVED, "front.example.", ttl=60)
        self.ptr_is("203.0.113.40", "shop.cloudapp.net.")
        front = self.shown("address", "web/front")
        self.assertEqual(({"team": "mail"}, "first", "westeurope"),
                         tuple(front[key] for key in ("tags", "description", "region")))
        self.assertEqual("nothing to change\n", self.run_("apply", "--prune", self.wanted()))

    def test_a_zone_with_a_master_file_is_applied_with_its_records(self):
        os.mkdir(os.path.join(self.world.dir, "zones"))
        self.world.write("zones/corp.zone", "$TTL 60\n@ SOA ns hostmaster 7 900 600 86400 30\nwww A 10.0.0.1\nwww A 10.0.0.2\n"
                         "txt 5 TXT \"a b\"\nalias CNAME www\n")
        self.world.write("zones/bare.zone", "$TTL 60\nx A 10.0.0.3\n")
        path = self.world.write("zones/filed.conf", """private_zones = (
            { name = "corp.internal"; file = "corp.zone"; links = ( { name = "hub"; virtual_network = "hub"; } ); },
            { name = "bare.internal"; resource_group = "dev"; file = "bare.zone"; } );
            virtual_networks = ( { name = "hub"; } );""")
        plan = self.run_("apply", path)
        for line in ("private_zones/-/corp.internal", "private_zones/-/corp.internal/record_sets/@:SOA",
                     "private_zones/-/corp.internal/record_sets/www:A", "private_zones/dev/bare.internal/record_sets/x:A"):
            self.assertIn("create %s\n" % line.replace("@", "%40"), plan.replace("@", "%40"))
        self.assertNotIn("bare.internal/record_sets/@:SOA", plan.replace("%40", "@"))
        self.assertNotIn("file", self.shown("zone", "corp.internal"))
        www = self.shown("record-set", "corp.internal", "www:A")
        self.assertEqual((["10.0.0.1", "10.0.0.2"], 60), (www["records"], www["ttl"]))
        self.assertEqual(["www.corp.internal."], self.shown("record-set", "corp.internal", "alias:CNAME")["records"])
        self.assertRegex(self.run_("apply", path), r"\Akeep virtual_networks/-/hub .*\nnothing to change\n\Z")
        self.world.write("zones/bare.zone", "$TTL 60\nx A 10.0.0.4\n")
        self.assertIn('change private_zones/dev/bare.internal/record_sets/x:A\n    records: ["10.0.0.3"] -> ["10.0.0.4"]', self.run_("apply", path))
        self.world.write("zones/bare.zone", "x A 10.0.0.x\n")
        self.assertRegex(self.run_("apply", path, status=1), r"zones/bare\.zone:1: ")

    def test_a_zone_with_a_file_and_record_sets_is_refused(self):
        self.world.write("corp.zone", "$TTL 60\nwww A 10.0.0.1\n")
        path = self.world.write("both.conf", """private_zones = (
            { name = "corp.internal"; file = "corp.zone"; record_sets = ( { name = "vpn:A"; records = [ "10.0.0.2" ]; } ); } );""")
        self.assertIn("private_zones/-/corp.internal has record_sets beside its file", self.run_("apply", path, status=1))
        self.assertNotIn("corp.internal", self.run_("list", "zone"))

    def test_what_differs_is_told_member_by_member(self):
        self.run_("apply", self.wanted())
        front = self.shown("address", "web/front")
        self.run_("set", "address", "web/front", "description=", "ttl=5", "domain_name_label=other")
        self.run_("set", "service", "shop", "ptr_description=mine")
        plan = self.run_("apply", self.wanted())
        self.assertRegex(plan, r'(?m)^change addresses/web/front$')
        for line in ('domain_name_label: "other" -> "front"', "ttl: 5 -> 60", 'description: - -> "first"'):
            self.assertIn("    " + line + "\n", plan)
        self.assertIn('change services/-/shop\n    ptr_description: "mine" -> -\n', plan)
        self.assertIn("0 to create, 2 to change, 0 to delete: done", plan)
        now = self.shown("address", "web/front")
        self.assertEqual((front["id"], 60, "front"), (now["id"], now["ttl"], now["domain_name_label"]))

    def test_what_exchanges_its_addresses_keeps_its_id(self):
        self.run_("apply", self.wanted())
        ids = [self.shown("address", name)["id"] for name in ("web/front", "back")]
        self.assertIn("2 to change, 0 to delete: done", self.run_("apply", self.wanted(
            front="203.0.113.9", back=SERVED)))
        self.assertEqual(ids, [self.shown("address", name)["id"] for name in ("web/front", "back")])
        self.ptr_is("203.0.113.9", "front.example.", ttl=60)
        self.ptr_is(SERVED)

    def test_one_of_another_id_makes_room_for_the_files(self):
        self.run_("apply", self.wanted())
        self.world.write("before.conf", self.run_("export"))
        ids = self.shown("address", "back")["id"], self.shown("service", "shop")["id"]
        self.good("POST", "/v1/changes", {"edits": [
            {"path": "addresses/-/back", "values": None}, {"path": "services/-/shop", "values": None},
            {"path": "addresses/-/back", "values": {"address": "203.0.113.8"}},
            {"path": "services/-/shop", "values": {"address": "203.0.113.41"}}]})
        plan = self.run_("apply", self.world.dir + "/before.conf")
        self.assertRegex(plan, 'change addresses/-/back\n    id: "[-0-9a-f]+" -> "%s"\n' % ids[0])
        self.assertIn("0 to create, 2 to change, 0 to delete: done", plan)
        self.assertEqual(ids, (self.shown("address", "back")["id"], self.shown("service", "shop")["id"]))
        self.assertEqual("nothing to change\n", self.run_("apply", "--prune", self.world.dir + "/before.conf"))

    def test_pruning_takes_what_the_file_does_not_have(self):
        self.run_("apply", self.wanted('reverse_fqdn = "mail.example"; ttl = 30;'))
        self.ptr_is("198.51.100.11", "mail.example.", ttl=30)
        self.run_("create", "address", "gone/one", "203.0.113.77", "reverse_fqdn=one.example.")
        self.run_("create", "group", "empty")
        self.world.write("empty.conf", 'region = "westeurope";')
        self.assertRegex(self.run_("apply", self.world.dir + "/empty.conf"),
                         r"\Anot in the file, and kept without --prune: .* and \d+ more; .*\nnothing to change\n\Z")
        plan = self.run_("apply", "--prune", self.wanted())
        for line in ("delete ptrs/", "delete addresses/gone/one\n", "delete groups/-/gone\n"):
            self.assertIn(line, plan)
        self.assertIn("0 to create, 0 to change, 3 to delete: done", plan)
        self.ptr_is("198.51.100.11")
        self.ptr_is("203.0.113.77")
        plan = self.run_("apply", "--prune", self.world.dir + "/empty.conf")
        self.assertEqual(["filed", "open"], [row["name"] for row in self.rows("address")])
        # A file names no group that is empty.
        self.assertEqual(["empty", "office"], [row["name"] for row in self.rows("group")])
        self.assertEqual(["public", "six"], [row["name"] for row in self.rows("address-pool")])

    def test_what_cannot_be_is_refused_whole_with_its_path(self):
        text = self.run_("apply", self.wanted(back="192.0.2.1"), status=1)
        self.assertRegex(text, r"sluice apply: addresses/-/back: .*192.0.2.1 is in no address pool")
        text = self.run_("apply", self.wanted(shop='reverse_fqdn = "www.example.com";'), status=1)
        self.assertIn("services/-/shop: reverse_fqdn: the name of a cloud service must belong", text)
        self.assertEqual([], self.shape())
        path = self.wanted()
        with open(path) as file:
            text = file.read().replace('allocation = "static";\n    domain_name_label = "contosoopen"',
                                       'allocation = "dynamic"')
        self.world.write("other.conf", text)
        text = self.run_("apply", self.world.dir + "/other.conf", status=1)
        self.assertRegex(text, r"addresses/office/open is declared at .*:\d+; change it there")

    def test_it_goes_back_unless_it_is_confirmed(self):
        self.run_("apply", self.wanted(), "--confirm", "10m")
        self.ptr_is(SERVED, "front.example.", ttl=60)
        self.run_("confirm", "--back")
        self.ptr_is(SERVED)
        self.assertEqual(404, self.call("GET", "/v1/address_pools/-/more").status)
        self.assertEqual([], self.rows("service", "--filter", "name=shop"))

    def test_an_export_is_applied_to_another_server_and_has_nothing_to_change(self):
        self.run_("apply", self.wanted('reverse_fqdn = "mail.example"; ttl = 30;'))
        self.run_("create", "group", "empty")
        text = self.run_("export")
        path = self.world.write("exported.conf", text)
        self.assertEqual("nothing to change\n", self.run_("diff", "--prune", path))
        for kind, name in (("address", "web/front"), ("address", "back"), ("service", "shop"),
                           ("ptr", "198.51.100.11"), ("address-pool", "more")):
            self.run_("delete", kind, name)
        plan = self.run_("apply", path)
        self.assertIn("create ptrs/", plan)
        self.assertIn("5 to create, 0 to change, 0 to delete: done", plan)
        self.assertEqual(text, self.run_("export"))


if __name__ == "__main__":
    harness.main()
