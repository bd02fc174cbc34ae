"""`sluice check`: what is legal and surely not meant, and what is wrong, told with its line, its cause and
the fix. Each configuration has one mistake in it."""

import os

import harness

# A network that has a zone and a ruleset linked, so that nothing in it is to be complained of.
FINE = """virtual_networks = ( { name = "hub"; address_space = [ "10.1.0.0/16" ]; } );
rulesets = ( { name = "rs"; links = ( { name = "l"; virtual_network = "hub"; } );
  rules = ( { name = "a"; domain = "a.test."; targets = ( { address = "10.9.0.1"; } ); } ); } );
default_resolver = { targets = ( { address = "10.9.0.2"; } ); };
"""
LINE = FINE.count("\n") + 1


class Check(harness.FreshCase):
    def check(self, text):
        """Its lines, without the folder of its files in them."""
        path = self.world.write("sluice.conf", text)
        status, told = harness.command("check", "-c", path)
        self.assertIn(status, (0, 1))
        self.assertNotRegex(told, harness.SANITIZER)
        return told.replace(os.path.dirname(path) + "/", "").splitlines()

    def told(self, text, *lines, line=LINE, warnings=True):
        """What is added to the fine configuration has these faults, and no others."""
        told = self.check(FINE + text)
        kind = "warning: " if warnings else ""
        expected = ["sluice.conf:%d: %s" % (line, said.replace("WARNING", kind)) for said in lines]
        self.assertEqual(expected, told[:-1])

    def test_nothing_is_said_of_what_is_fine(self):
        self.assertEqual(1, len(self.check(FINE)))

    def test_what_is_linked_to_nothing(self):
        why = ("WARNINGis linked to no virtual network, so it answers nobody; add a link to the network whose "
               "machines should have it")
        self.told('private_zones = ( { name = "z.test"; } );', "private_zones[z.test]: " + why)

    def test_a_domain_with_what_no_name_has(self):
        for domain, odd in (("http://z.test", ":"), ("z.test/24", "/")):
            self.told('private_zones = ( { name = "%s"; links = ( { name = "l"; virtual_network = "hub"; } ); } );'
                      % domain,
                      'private_zones[%s].name: WARNING"%s" has a \'%s\' in it, which no host\'s name has; give the '
                      'domain alone, such as "corp.example"' % (domain, domain, odd))

    def test_an_address_where_a_host_belongs(self):
        self.told('private_zones = ( { name = "z.test"; links = ( { name = "l"; virtual_network = "hub"; } );\n'
                  'record_sets = ( { name = "@:MX"; records = [ "10 10.10.1.5" ]; } ); } );',
                  "private_zones[z.test].record_sets[@:MX]: WARNINGthe MX of z.test. points to "
                  "10.10.1.5.z.test., which is an address; give the name of a host that has it", line=LINE + 1)

    def test_a_network_inside_another(self):
        told = self.check(FINE.replace('"10.1.0.0/16" ]; }', '"10.1.0.0/16" ]; },\n'
                                       '{ name = "b"; address_space = [ "10.1.2.0/24" ]; }'))
        self.assertEqual('sluice.conf:2: virtual_networks[b].address_space: warning: 10.1.2.0/24 lies inside '
                         '10.1.0.0/16 of virtual network "hub": whoever asks from there is in this network and not in '
                         'that one; choose spaces that do not overlap', told[0])
        self.assertEqual(2, len(told))

    def test_labels_in_azures_domain(self):
        labels = ('region = "east"; address_pools = ( { name = "p"; prefix = "198.51.100.0/24"; } );\n'
                  'addresses = ( { name = "a"; address = "198.51.100.1"; },\n'
                  '  { name = "b"; address = "198.51.100.2"; domain_name_label = "web"; },\n'
                  '  { name = "c"; address = "198.51.100.3"; domain_name_label = "mail"; } );\n')
        self.told(labels, "addresses[b].domain_name_label: WARNINGgives the name web.east.cloudapp.azure.com, in "
                          "Azure's domain, as does 1 other; set reverse.suffix to a domain of yours, or to "
                          "\"cloudapp.azure.com\" where this is meant", line=LINE + 2)
        for suffix in ("corp.example", "cloudapp.azure.com"):
            self.told(labels + 'reverse = { suffix = "%s"; };' % suffix)

    def test_a_state_that_cannot_be_made(self):
        folder = os.path.join(self.world.dir, "nowhere")
        text = 'management = { state = "%s/state.db"; };' % folder
        shown = folder.replace(self.world.dir + "/", "")
        self.told(text, "management.state: WARNINGthe folder %s does not exist; create it, as the user's own that "
                        "sluice runs as" % shown)
        os.mkdir(folder)
        self.assertEqual(1, len(self.check(FINE + text)))

    def test_a_key_that_stands_twice(self):
        self.told('log = { level = "info";\n  level = "debug"; };',
                  'the key "level" stands twice in one group, first at sluice.conf:%d; keep one of them' % LINE,
                  line=LINE + 1, warnings=False)

    def test_a_port_that_is_none(self):
        told = self.check(FINE.replace("10.9.0.2", "10.9.0.2:99999"))
        self.assertEqual('sluice.conf:4: default_resolver.targets[0].address: "10.9.0.2:99999" has the port 99999; '
                         'a port is from 1 to 65535', told[0])
        self.assertEqual(2, len(told))

    def test_a_space_in_a_domain(self):
        self.told('private_zones = ( { name = "contoso .corp."; } );',
                  'private_zones[contoso .corp.].name: "contoso .corp." has a space in it; give a domain name such '
                  'as "corp.example", of at most 255 bytes, 63 in each label', warnings=False)

    def test_a_truth_value(self):
        self.told("seccomp = no;", "syntax error; a truth value is true or false, and a text has quotes; write false "
                                   "in place of no", warnings=False)
        self.told('seccomp = "no";', "seccomp: is a string; give true or false, without quotes", warnings=False)

    def test_a_list_where_a_list_of_groups_belongs(self):
        told = self.check(FINE.replace('( { address = "10.9.0.1"; } )', '[ "10.9.0.1" ]'))
        self.assertEqual("sluice.conf:3: rulesets[rs].rules[a].targets: is an array; give a list of groups: "
                         "( { address = ...; }, { ... } )", told[0])
        self.assertEqual(2, len(told))

    LOOPS = """virtual_networks = ( { name = "hub"; address_space = [ "10.1.0.0/16" ]; subnets = (
  { name = "in"; prefix = "10.1.0.0/28"; delegation = "Microsoft.Network/dnsResolvers"; } ); } );
resolvers = ( { name = "r"; virtual_network = "hub";
  inbound_endpoints = ( { name = "in"; subnet = "in"; listen = "127.0.0.1:5300"; } ); } );
rulesets = ( { name = "rs"; links = ( { name = "l"; virtual_network = "hub"; } );
  %s
  rules = ( { name = "a"; domain = "a.test.";
    %s } ); } );
default_resolver = { targets = (
  { address = "%s"; } ); };
"""

    def test_a_loop_is_told_at_its_target(self):
        rule = ('is the inbound endpoint r/in in virtual network "hub", which this ruleset is linked to: rule "a" is '
                'a loop; remove this target or the link "l"')
        own = '{ address = "127.0.0.1"; port = 5300; }'
        forms = (
            ("", "targets = ( %s );" % own, "10.9.0.2", 8, "rulesets[rs].rules[a].targets[0].address", rule),
            ("", 'targets = ( { address = "10.1.0.4"; } );', "10.9.0.2", 8,
             "rulesets[rs].rules[a].targets[0].address", rule),
            ('target_groups = ( { name = "g"; targets = ( %s ); } );' % own, 'target_group = "g";', "10.9.0.2", 6,
             "rulesets[rs].target_groups[g].targets[0].address", rule),
            ("", 'targets = ( { address = "10.9.0.1"; } );', "10.1.0.4", 10, "default_resolver.targets[0].address",
             'a forwarding loop for .: r/in ("hub") -> r/in ("hub"); change one of the rules'))
        for groups, targets, default, line, path, why in forms:
            told = self.check(self.LOOPS % (groups, targets, default))
            self.assertEqual(["sluice.conf:%d: %s: warning: %s" % (line, path, why)], told[:-1])


if __name__ == "__main__":
    harness.main()
