"""`sluice import` of what Windows DNS exports, of AdGuard Home and of dnsdist: files as they are documented, and as they
mislead; neither a Windows nor an AdGuard Home was at hand (test_import.py has the real dnsdist). What is lost in a file
is refused at its line, with what exports it whole; nothing is written then."""

import codecs
import os
import random
import re
import textwrap

import harness
from test_import import forget, whole

HERE = ("127.0.0.1", 53)


class Exports(harness.FreshCase):
    def build(self, world):
        pass

    def write(self, name, content):
        path = os.path.join(self.world.dir, name)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else textwrap.dedent(content).lstrip("\n").encode())
        return path

    def imported(self, dialect, *files, status=0):
        """(configuration, what was told) of (name, content) or names of files that are there."""
        paths = [file if isinstance(file, str) else self.write(*file) for file in files]
        output = os.path.join(self.world.dir, "out.conf")
        forget(output)
        got, told = harness.command("import", dialect, *paths, "--output", output, cwd=self.world.dir)
        self.assertEqual(status, got, told)
        if not os.path.exists(output):
            return None, told
        config = whole(output)
        got, checked = harness.command("check", "-c", output)
        self.assertEqual(0, got, checked + config)
        return config, told

    def refused(self, dialect, name, content, *words):
        """Nothing is written; each of these is told."""
        config, told = self.imported(dialect, (name, content), status=1)
        self.assertIsNone(config, told)
        self.assertIn("nothing is written", told)
        for word in words:
            self.assertRegex(told, word)

    def rules(self, config):
        """{domain: [target, ...]}, "" of the default resolver."""
        config = re.sub("(?m)^ *#.*", "", config)
        addresses = lambda text: [address + (":" + port if port else "") + ("/" + protocol if protocol else "")
                                  for address, port, protocol in re.findall(
                                      r'address = "([^"]+)";(?:\s*port = (\d+);)?(?:\s*protocol = "([^"]+)";)?', text)]
        found = {domain: addresses(targets) for domain, targets in re.findall(
            r'domain = "([^"]+)";[^(]*targets = \(([^)]*)\)', config)}
        default = re.search(r"default_resolver = \{\s*targets = \(([^)]*)\)", config)
        if default:
            found[""] = addresses(default.group(1))
        return found

    def random_bytes(self, dialect, name, seeds, count=60):
        """Bytes changed, cut and doubled at random: an import ends, with a configuration that passes the check or
        with a fault, and without a sanitizer's report."""
        chance = random.Random(36)
        for number in range(count):
            content = bytearray(chance.choice(seeds))
            for _ in range(chance.randrange(1, 8)):
                at = chance.randrange(len(content) + 1)
                how = chance.randrange(4)
                if how == 0:
                    del content[at:at + chance.randrange(1, 9)]
                elif how == 1:
                    content[at:at] = content[at // 2:at // 2 + chance.randrange(1, 40)]
                elif how == 2:
                    content[at:at + 1] = bytes([chance.randrange(256)])
                else:
                    content[at:at] = bytes([chance.choice(b"\"';,{}[]()\\/#-:\n\t .=")])
            with self.subTest(number=number, content=bytes(content)):
                path = self.write(name, bytes(content))
                status, told = harness.command("import", dialect, path, cwd=self.world.dir, errors="replace")
                self.assertIn(status, (0, 1), told)
                if status == 1 and "closed: " not in told:
                    self.assertIn("nothing is written", told)


ZONES = """
    "ZoneName","ZoneType","IsPaused","UseRecursion","MasterServers"
    "contoso.corp","Forwarder","False","True","10.1.0.4;10.1.0.5"
    "paused.corp","Forwarder","True","False","10.1.0.4"
    "own.corp","Primary","False","",""
    "fabrikam.corp","Forwarder","False","False","10.1.0.6
    2001:db8::53"
    """
ZONES_TAKEN = {"contoso.corp.": ["10.1.0.4", "10.1.0.5"], "fabrikam.corp.": ["10.1.0.6", "2001:db8::53"]}
# What exports conditional forwarders whole.
WHOLE = r"MasterServers -join ';'\}\} \| Export-Csv zones\.csv -NoType -Encoding UTF8"
ZONE = """
    ;
    ;  Database file corp.contoso.test.dns for Default zone scope in zone corp.contoso.test.
    ;      Zone version:  47
    ;

    @                       IN  SOA dc1.corp.contoso.test. hostmaster.corp.contoso.test. (
                            47           ; serial number
                            900          ; refresh
                            600          ; retry
                            86400        ; expire
                            7200       ) ; default TTL
    @                       NS  dc1.corp.contoso.test.
    dc1                     A   10.1.0.4
    mail                    WINS    L1 C2 ( 10.1.0.9 )
                    [AGE:3740521] 600   A   10.1.0.25
    _ldap._tcp              [AGE:3740521] 600   SRV 0 100 389   dc1.corp.contoso.test.
    www                     CNAME   dc1
    txt                     TXT ( "v=spf1 -all" "two" )
    v6                      AAAA    2001:db8::7
    @                       MX  10  mail
    ;  Delegated sub-zone:  branch.corp.contoso.test.
    branch                  NS  ns.branch
    ns.branch               A   10.2.0.4
    ;  End delegation
    """


class Windows(Exports):
    def dedent(self, text):
        return textwrap.dedent(text).lstrip("\n")

    def test_conditional_forwarders_of_csv(self):
        config, told = self.imported("windows", ("zones.csv", ZONES))
        self.assertEqual(ZONES_TAKEN, self.rules(config))
        self.assertNotIn("client_prefixes", config.split("# What was not carried over")[0])
        self.assertRegex(told, r"Here it listens at 127\.0\.0\.1 until vnet_resolver names an address")
        for word in (r"zones\.csv:2: contoso\.corp: different: only its servers are asked",
                     r"zones\.csv:3: paused\.corp: not carried over: it is paused there",
                     r"zones\.csv:4: own\.corp: not carried over: it is a primary zone.*Export-DnsServerZone -Name own\.corp "
                     r"-FileName own\.corp\.dns\. .*domain controllers",
                     r"zones\.csv: not carried over: who may ask, query resolution policies",
                     r"zones\.csv: not carried over: the server's own forwarders are not in it.*Get-DnsServerForwarder \|"):
            self.assertRegex(told, word)

    def test_csv_in_each_encoding_and_form(self):
        text = self.dedent(ZONES)
        typed = "#TYPE Selected.Microsoft.Management.Infrastructure.CimInstance\r\n" + text.replace("\n", "\r\n")
        for content in (codecs.BOM_UTF8 + text.encode(), codecs.BOM_UTF16_LE + typed.encode("utf-16-le"),
                        codecs.BOM_UTF16_BE + text.encode("utf-16-be"), typed.encode("utf-16-le"), typed.encode(),
                        text.replace('"', "").replace("\n2001", ";2001").replace(",", "\t").encode(),
                        ("sep=;\n" + text.replace(";", ",").replace('","', '";"')).encode()):
            config, _ = self.imported("windows", ("zones.csv", content))
            self.assertEqual(ZONES_TAKEN, self.rules(config), content)
        for content, line in ((codecs.BOM_UTF16_LE + b"\x00\xd8a\x00", 1), (codecs.BOM_UTF16_BE + b"\x00\n\xdc\x00", 2)):
            self.refused("windows", "zones.csv", content, r"zones\.csv:%d: the file is UTF-16, and half of a character" % line)

    def test_csv_by_hand_and_of_infoblox(self):
        for content, wanted in (
                ("Domain,ForwarderIPs\ncontoso.corp,10.1.0.4\n", {"contoso.corp.": ["10.1.0.4"]}),
                ('name;servers\r\ncontoso.corp;"10.1.0.4, 10.1.0.5/10.1.0.6"\r\n;\r\n',
                 {"contoso.corp.": ["10.1.0.4", "10.1.0.5", "10.1.0.6"]}),
                ("zone,servers\n10.in-addr.arpa,10.1.0.4:5353 [2001:db8::53]:54\n",
                 {"10.in-addr.arpa.": ["10.1.0.4:5353", "2001:db8::53:54"]}),
                ("header-forwardzone,fqdn*,zone_format*,disabled,forward_to,forwarders_only,view\n"
                 "forwardzone,dev.example,FORWARD,FALSE,\"ns1/10.148.10.53,ns2/10.148.10.54\",TRUE,default\n"
                 "forwardzone,off.example,FORWARD,TRUE,ns1/10.148.10.53,TRUE,default\n"
                 "forwardzone,10.9.0.0/16,IPV4,FALSE,10.148.10.53/10.148.10.53,TRUE,default\n"
                 "header-authzone,fqdn*\nauthzone,own.example\n",
                 {"dev.example.": ["10.148.10.53", "10.148.10.54"], "9.10.in-addr.arpa.": ["10.148.10.53"]})):
            config, told = self.imported("windows", ("a.csv", content))
            self.assertEqual(wanted, self.rules(config), content)
        self.assertRegex(told, r"a\.csv:3: off\.example: not carried over: it is disabled there")
        self.assertRegex(told, r"a\.csv:5: not carried over: only forward zones are read, and no rows of authzone")

    def test_an_export_that_lost_data_is_refused_with_what_exports_it_whole(self):
        for content, line in (
                ('"NotifyServers","ZoneName","ZoneType"\n,"a.corp","Primary"\n', r":1: no column is called MasterServers"),
                ('"ZoneName","ZoneType","MasterServers"\n"a.corp","Forwarder","10.1.0.4"\n'
                 '"b.corp","Forwarder","System.String[]"\n', r':3: b\.corp: "System\.String\[\]" stands where its addresses'),
                ('ZoneName,MasterServers\nb.corp,System.Net.IPAddress[]\n', ":2: b.corp: "),
                ('ZoneName,MasterServers\nb.corp,"{10.1.0.4, 10.1.0.5, 10.1.0.6, 10.1.0.7...}"\n', ":2: b.corp: "),
                ('ZoneName,MasterServers\nm?nchen.corp,10.1.0.4\n', r':2: m\?nchen\.corp: .* has a \? in place of a letter'),
                ('ZoneName,ZoneType,MasterServers\na.corp,Forwarder,\n', ":2: a.corp: it has no server"),
                ("\nZoneName      : a.corp\nZoneType      : Forwarder\nMasterServers : {10.1.0.4}\n", ":1: it is neither CSV"),
                ('Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\a]\n', ":1: it is neither CSV"),
                (" Zone name   Type       Storage\n a.corp  Forwarder  File\n", ":1: it is neither CSV"),
                ('ZoneName,ZoneType,MasterServers\na.corp,Primary,10.1.0.4\n', ": no forwarder and no zone is in it")):
            self.refused("windows", "f.csv", content, r"f\.csv" + line, WHOLE)
        self.refused("windows", "f.csv", "UseRootHint,IPAddress\nTrue,System.Net.IPAddress[]\n",
                     r"f\.csv:2: .*Get-DnsServerForwarder \| select UseRootHint")
        for content in ("HostName,RecordType,RecordData\nwww,A,DnsServerResourceRecordA\n", "HostName,RecordType,Data\nwww,A,10.1.0.4\n"):
            self.refused("windows", "f.csv", content,
                         r"f\.csv:2: records lose their data in this form.*Export-DnsServerZone -Name ZONE")

    def test_a_file_is_taken_whole_or_not_at_all(self):
        for content, line in (
                ("ZoneName,MasterServers\na.corp,10.1.0.4\nb.corp,10.1.0.400\n", r':3: b\.corp: "10\.1\.0\.400" is no address'),
                ("ZoneName,MasterServers\na.corp,10.1.0.4\nb..corp,10.1.0.4\n", r':3: b\.\.corp: .* is no domain name'),
                ("ZoneName,MasterServers\na.corp,10.1.0.4,10.1.0.5\n", r":2: it has 3 cells, and there are 2 columns"),
                ('ZoneName,MasterServers\na.corp,10.1.0.4\n"b.corp,10.1.0.4\n', r":3: a quote is opened"),
                ("ZoneName,MasterServers\na.corp,10.1.0.4\nA.corp.,10.1.0.5\n", r":3: A\.corp\.: .* has other servers at .*f\.csv:2"),
                ("ZoneName,ZoneType,MasterServers\na.corp,4,10.1.0.4\n", ':2: a.corp: ZoneType is "4"'),
                ("ZoneName,IsPaused,MasterServers\na.corp,perhaps,10.1.0.4\n", ':2: a.corp: IsPaused is "perhaps"'),
                ("ZoneName,MasterServers\n,10.1.0.4\n", ":2: it names no zone"),
                ("header-forwardzone,fqdn*,forward_to,view\nforwardzone,a.corp,a/10.1.0.4,inside\n"
                 "forwardzone,b.corp,a/10.1.0.4,outside\n", r":3: b\.corp: it is of the view outside, and a row before it of inside"),
                ("header-forwardzone,fqdn*,zone_format*,forward_to\nforwardzone,10.1.0.0/20,IPV4,a/10.1.0.4\n",
                 ":2: 10.1.0.0/20: .* split it")):
            self.refused("windows", "f.csv", content, r"f\.csv" + line)

    def test_the_same_zone_of_two_servers_is_one(self):
        config, _ = self.imported("windows", ("dc1.csv", ZONES), ("dc2.csv", ZONES))
        self.assertEqual(ZONES_TAKEN, self.rules(config))

    def test_the_server_s_forwarders(self):
        config, told = self.imported("windows", ("zones.csv", ZONES), (
            "forwarders.csv", '"UseRootHint","IPAddress"\n"True","192.0.2.53;fec0:0:0:ffff::1;192.0.2.54"\n'))
        self.assertEqual(["192.0.2.53", "192.0.2.54"], self.rules(config)[""])
        self.assertRegex(told, r"forwarders\.csv:2: not carried over: fec0:0:0:ffff::1 is an address that Windows has by itself")
        self.assertRegex(told, r"forwarders\.csv:2: different: only the forwarders are asked")
        self.assertNotIn("own forwarders are not in it", told)
        for content in ("Enable,SecureResponse\nFalse,True\n", '{"Enable": false, "Timeout": 8}'):
            self.refused("windows", "recursion", content, "recursion is off there, which turns all forwarders off")

    def test_addresses_of_a_table_with_other_columns_are_not_the_server_s_forwarders(self):
        for content in ("Zone Name,IPAddress\na.corp,10.1.0.4\nb.corp,10.1.0.5\n",
                        '[{"Zone Name": "a.corp", "IPAddress": "10.1.0.4"}, {"Zone Name": "b.corp", "IPAddress": "10.1.0.5"}]'):
            self.refused("windows", "zones", content, 'zones:1: no column is called ZoneName, and .* have no "Zone Name": .*Get-DnsServerForwarder')
        for content in ('"UseRootHint","Timeout","EnableReordering","IPAddress","ReorderedIPAddress","PSComputerName","CimClass"\n'
                        '"False","3","True","192.0.2.53","192.0.2.53",,"root/Microsoft/Windows/DNS:DnsServerForwarder"\n',
                        '{"UseRootHint": false, "Timeout": 3, "EnableReordering": true, "IPAddress": "192.0.2.53", "PSComputerName": null}'):
            self.assertEqual({"": ["192.0.2.53"]}, self.rules(self.imported("windows", ("forwarders", content))[0]))

    def test_json_in_six_shapes(self):
        for servers, wanted in (('["10.1.0.4","10.1.0.5"]', ["10.1.0.4", "10.1.0.5"]),
                                ('[{"Address":889192575,"AddressFamily":2,"IPAddressToString":"127.0.0.53"}]', ["127.0.0.53"]),
                                ('{"Address":889192575,"AddressFamily":2}', ["127.0.0.53"]),
                                ('"10.1.0.4 2001:db8::5"', ["10.1.0.4", "2001:db8::5"]), ('"10.1.0.4"', ["10.1.0.4"]),
                                ('{"value":["10.1.0.4","10.1.0.5"],"Count":2}', ["10.1.0.4", "10.1.0.5"]),
                                ('{"value":[{"Address":null,"IPAddressToString":"2001:db8::5"}],"Count":1}', ["2001:db8::5"])):
            zone = '{"zonename": "a.corp", "ZoneType": "Forwarder", "IsPaused": false, "MasterServers": %s}' % servers
            for content in (zone, "[%s]" % zone, '{"value": [%s], "Count": 1}' % zone):
                config, _ = self.imported("windows", ("z.json", codecs.BOM_UTF16_LE + content.encode("utf-16-le")))
                self.assertEqual({"a.corp.": wanted}, self.rules(config), content)
        config, _ = self.imported("windows", ("f.json", '{"UseRootHint": false, "IPAddress": {"Address": 889192575}}'))
        self.assertEqual({"": ["127.0.0.53"]}, self.rules(config))

    def test_json_that_lost_an_address_is_refused(self):
        for content, line in (
                ('[\n {"ZoneName": "a.corp",\n  "MasterServers": [{"Address": null, "AddressFamily": 23}]}]', ":2: a.corp: an address was lost"),
                ('[\n {"ZoneName": "a.corp",\n  "MasterServers": "System.Object[]"}]', ":2: a.corp: .*stands where its addresses"),
                ('[\n {"ZoneName": "a.corp", "ZoneType": "Forwarder", "MasterServers": null}]', ":2: a.corp: it has no server"),
                ('[\n {"ZoneName": "a.corp", "IsPaused": [], "MasterServers": "10.1.0.4"}]', ":2: a.corp: IsPaused cannot be read")):
            self.refused("windows", "z.json", content, r"z\.json" + line, WHOLE)
        self.refused("windows", "z.json", "[\n1]", r"z\.json:2: a zone or the server's forwarders are expected here")
        self.refused("windows", "z.json", "[\n{]", r"z\.json:2: it is no JSON")
        self.refused("windows", "z.json", '{"HostName": "www", "RecordData": {"CimClass": "x"}}', "Export-DnsServerZone")

    def test_zone_files(self):
        for content in (self.dedent(ZONE).encode(), self.dedent(ZONE).replace("\n", "\r\n").encode(),
                        codecs.BOM_UTF16_LE + self.dedent(ZONE).encode("utf-16-le")):
            config, told = self.imported("windows", ("anything", content))
            for record in ('name = "dc1:A"; ttl = 7200; records = [ "10.1.0.4" ]', 'name = "mail:A"; ttl = 600; records = [ "10.1.0.25" ]',
                           'name = "www:CNAME"; ttl = 7200; records = [ "dc1.corp.contoso.test." ]', 'name = "v6:AAAA"',
                           '"0 100 389 dc1.corp.contoso.test."', '"10 mail.corp.contoso.test."', r'"\"v=spf1 -all\" \"two\""'):
                self.assertIn(record, config)
            self.assertNotIn(r"\x0d", config)
            self.assertNotRegex(config, "(?i)serial number|database file|delegat(?!ions)")
            for word in (r"anything:14: not carried over: sluice does not ask WINS",
                         r"anything:1: different: 2 records of it were registered by machines",
                         r"anything:16: different: it has what domain controllers register, of which a copy goes stale",
                         r"anything:22: .*NS at branch\.corp\.contoso\.test\., below the apex"):
                self.assertRegex(told, word)
        config, _ = self.imported("windows", ("lab.corp.dns", "@ 60 IN SOA a. b. 1 2 3 4 5\nwww A 10.0.0.1\n"))
        self.assertIn('name = "lab.corp"', config)
        for end in ("\n", "\r\n"):
            config, _ = self.imported("windows", ("a.dns", ";%s;  Database file b.dns for lab.corp zone.%s@ 60 IN SOA a. b. 1 2 3 4 5\n" % (end, end)))
            self.assertIn('name = "lab.corp"', config)

    def test_zone_files_that_cannot_be_read_are_refused(self):
        soa = "@ IN SOA a. b. 1 2 3 4 5\n"
        self.refused("windows", "lab.corp.dns", soa + "a\\040b A 10.0.0.1\n", r"lab\.corp\.dns:2: .*\(octal\)")
        self.refused("windows", "lab.corp.dns", soa + 't TXT "a\\\\b" "a\\040b"\n', r"lab\.corp\.dns:2: .*\(octal\)")
        self.refused("windows", "lab.corp.dns", soa + "x A 10.0.0.1\ny A 10.0.0.300\n", r"lab\.corp\.dns:3: y A 10\.0\.0\.300: ")
        self.refused("windows", "lab.corp.dns", soa + "$UNKNOWN 7\n", r"lab\.corp\.dns:2: only \$TTL")
        self.refused("windows", "lab.corp.dns", ";  Database file a for inside zone scope in zone lab.corp.\n" + soa,
                     r"lab\.corp\.dns:1: it is what some clients see of the zone \(the zone scope inside\)")
        self.refused("windows", "named", soa, r"named:1: it does not say what zone it is of; call it ZONE\.dns")

    def test_bytes_at_random(self):
        seeds = [self.dedent(text).encode() for text in (ZONES, ZONE)] + [
            b'[{"ZoneName": "a.corp", "ZoneType": "Forwarder", "MasterServers": [{"Address": 889192575}, "10.1.0.4"]}]',
            b"header-forwardzone,fqdn*,zone_format*,forward_to\nforwardzone,10.1.0.0/16,IPV4,a/10.1.0.4\n",
            codecs.BOM_UTF16_LE + self.dedent(ZONES).encode("utf-16-le")]
        self.random_bytes("windows", "random.dns", seeds)


class WindowsServes(harness.FreshCase):
    """What is imported answers: forwarders and a zone at once."""

    def build(self, world):
        self.new = world.host("new", "10.1.0.2")
        self.server = world.host("dns53", "192.0.2.53")
        harness.Upstream(self.server, "192.0.2.53", "198.51.100.53")

    def test_it_answers(self):
        zones = self.world.write("zones.csv", "ZoneName,MasterServers\ncontoso.corp,192.0.2.53\n")
        zone = self.world.write("corp.dns", textwrap.dedent(ZONE).lstrip("\n"))
        output = os.path.join(self.world.dir, "out.conf")
        status, told = harness.command("import", "windows", zones, zone, "--output", output)
        self.assertEqual(0, status, told)
        harness.Sluice(self.new, whole(output), HERE)
        for name, rtype, text in (("www.contoso.corp", "A", "198.51.100.53"), ("dc1.corp.contoso.test", "A", "10.1.0.4"),
                                  ("mail.corp.contoso.test", "A", "10.1.0.25"),
                                  ("www.corp.contoso.test", "A", ("dc1.corp.contoso.test.", "10.1.0.4"))):
            self.assert_answer(self.new.ask(HERE, name, rtype), *([text] if isinstance(text, str) else text))


UPSTREAMS = """
    # The domain controllers.
    [/contoso.corp/fabrikam.corp/]10.1.0.4 tcp://10.1.0.5:5353
    [/www.contoso.corp/]#
    [/*.lab.example/]udp://10.1.0.6

    192.0.2.53
    tls://dns.example
    [2001:db8::53]:54
    """
ADGUARD = """
    http:
      address: 127.0.0.1:3000
    dns:
      bind_hosts:
        - 10.1.0.53
      port: 53
      upstream_dns:
        - '# The domain controllers'
        - '[/contoso.corp/]10.1.0.4'
        - 192.0.2.53
      upstream_dns_file: ""
      allowed_clients:
        - 10.1.0.0/16
        - laptop-of-anna
      disallowed_clients: []
      fallback_dns: [192.0.2.54]
      ratelimit: 0
    filters:
      - enabled: true
        url: https://lists.example/ads.txt
    filtering:
      rewrites:
        - domain: nas.example
          answer: 10.1.0.9
          enabled: true
        - domain: "*.apps.example"
          answer: 10.1.0.10
        - domain: alias.apps.example
          answer: nas.example
        - domain: off.example
          answer: 10.1.0.11
          enabled: false
    clients:
      persistent: []
    schema_version: 29
    """


PIHOLE = """
    # Pi-hole configuration file (v6.0)
    [dns]
      upstreams = [
        "192.0.2.53",
        "192.0.2.54#5353"
      ] ### CHANGED, default = []
      hosts = [
        "10.1.0.7 printer.lan printer", # the second floor
        '2001:db8::7 printer.lan'
      ]
      cnameRecords = [ "print.lan,printer.lan" ]
      revServers = [ "true,10.10.0.0/16,10.10.5.1#54,corp.example", "false,10.11.0.0/16,10.11.5.1,off.lan" ]
      listeningMode = "LOCAL"
      interface = "eth0"
      bogusPriv = true
      dnssec = true
      [dns.cache]
        size = 10000
    [dhcp]
      active = true
    [webserver]
      port = "80o,443os" # hosts = [ "10.1.0.66 nobody.lan" ]
"""


class Pihole(Exports):
    def test_its_own_configuration(self):
        config, told = self.imported("pihole", ("pihole.toml", PIHOLE), "--zone", "lan")
        self.assertEqual({"": ["192.0.2.53", "192.0.2.54:5353"], "corp.example.": ["10.10.5.1:54"], "10.10.in-addr.arpa.": ["10.10.5.1:54"]},
                         self.rules(config))
        for text in ('{ name = "printer:A"; ttl = 0; records = [ "10.1.0.7" ]; }', '{ name = "printer:AAAA"; ttl = 0; records = [ "2001:db8::7" ]; }',
                     '{ name = "print:CNAME"; ttl = 0; records = [ "printer.lan." ]; }', 'name = "7.0.1.10.in-addr.arpa"'):
            self.assertIn(text, config)
        for word in (r"pihole\.toml:12: revServers: not carried over: it is turned off", r"pihole\.toml:16: dnssec: not carried over",
                     r"pihole\.toml:20: active: not carried over: sluice has no DHCP", r"pihole\.toml: not carried over: its block lists"):
            self.assertRegex(told, word)
        for text in ("client_prefixes", "special_names", "nobody", "10.11", "0.0.0.0/0"):
            self.assertNotIn(text, config.split("# What was")[0])

    def test_who_may_ask_is_said_by_its_mode(self):
        for mode, anybody in (("ALL", True), ("LOCAL", False), ("NONE", False)):
            config, _ = self.imported("pihole", ("pihole.toml", PIHOLE.replace("LOCAL", mode)))
            self.assertEqual(anybody, 'client_prefixes = [ "0.0.0.0/0", "::/0" ]' in config, mode)
        _, told = self.imported("pihole", ("pihole.toml", PIHOLE.replace("LOCAL", "SINGLE")), status=1)
        self.assertRegex(told, r"pihole\.toml:13: interface: closed: listen has addresses, not interfaces.* those of eth0 are not")

    def test_the_lists_of_version_5(self):
        names, aliases = "# mine\n10.1.0.8 nas.lan\n\n", "cname=files.lan,nas.lan\n"
        config, told = self.imported("pihole", ("custom.list", names), ("05-pihole-custom-cname.conf", aliases), "--zone", "lan")
        for text in ('{ name = "nas:A"; ttl = 0; records = [ "10.1.0.8" ]; }', '{ name = "files:CNAME"; ttl = 0; records = [ "nas.lan." ]; }',
                     'name = "8.0.1.10.in-addr.arpa"'):
            self.assertIn(text, config)
        self.assertNotIn("client_prefixes", config.split("# What was")[0])
        status, printed = harness.command("import", "pihole", "-", input=names)
        self.assertEqual(0, status, printed)
        self.assertIn('name = "nas.lan"', printed)
        config, _ = self.imported("pihole", ("01-pihole.conf", "# upstream\nserver=192.0.2.53\ninterface=lo\nno-resolv\n"), "--no-hosts")
        self.assertEqual({"": ["192.0.2.53"]}, self.rules(config))

    def test_what_has_no_end_is_refused(self):
        self.refused("pihole", "pihole.toml", '[dns]\nhosts = [ "10.1.0.8 nas.lan",\n  "10.1.0.9 x.lan"\n', r"pihole\.toml:2: an array has no bracket")
        self.refused("pihole", "pihole.toml", '[dns]\nupstreams = [ "192.0.2.53 ]\n', r"pihole\.toml:2: a text has no quote at its end")


class Adguard(Exports):
    def test_lines_of_upstreams(self):
        config, told = self.imported("adguard", ("upstreams", UPSTREAMS))
        self.assertEqual({"contoso.corp.": ["10.1.0.4", "10.1.0.5:5353/tcp"], "fabrikam.corp.": ["10.1.0.4", "10.1.0.5:5353/tcp"],
                          "www.contoso.corp.": ["192.0.2.53", "2001:db8::53:54"], "lab.example.": ["10.1.0.6"],
                          "": ["192.0.2.53", "2001:db8::53:54"]}, self.rules(config))
        self.assertRegex(config, r"# The domain controllers\.\n +\{\s+name = \"contoso-corp\"")
        for word in (r"upstreams:4: different: it is for lab\.example itself, too",
                     r"upstreams:7: not carried over: tls://dns\.example is asked over TLS",
                     r"upstreams: not carried over: who may ask is not in it"):
            self.assertRegex(told, word)

    def test_a_line_that_cannot_be_said_refuses_the_file(self):
        for line, why in (("[//]10.1.0.4", "it is for names without a dot"), ("[/a.corp//]10.1.0.4", "it is for names without a dot"),
                          ("[/a*.corp/]10.1.0.4", "a rule is for a domain and all below it"),
                          ("[/a..corp/]10.1.0.4", "is no domain name"), ("[/a.corp/]", "it has no upstream"),
                          ("[/a.corp/]tls://10.1.0.4", "a.corp has no upstream that is asked without TLS"),
                          ("[/a.corp/]dc1.a.corp", '"dc1.a.corp" is no address of a server'),
                          ("[/a.corp/10.1.0.4", 'the domains end with "/]"'), ("dns.example", '"dns.example" is no address'),
                          ("server=/a.corp/10.1.0.4", "it is a line of dnsmasq"),
                          ("[/*.b.corp/]10.1.0.4", "b.corp has other upstreams at line 2"), ("[/b.corp/]#", "b.corp has other upstreams at line 2")):
            self.refused("adguard", "upstreams", "192.0.2.53\n[/b.corp/]10.1.0.7\n%s\n" % line, r"upstreams:3: .*" + re.escape(why))
        self.refused("adguard", "upstreams", "tls://192.0.2.53\n[/b.corp/]#\n", "upstreams:2: b.corp has no upstream that is asked without TLS")

    def test_what_is_asked_over_tls_is_closed(self):
        config, told = self.imported("adguard", ("upstreams", "https://dns.example/dns-query\n[/a.corp/]10.1.0.4\n"), status=1)
        self.assertIn("uses_default_resolver = false", config)
        self.assertIn("# uses_default_resolver = true;", config)
        self.assertRegex(told, "upstreams:1: closed: what no rule decides is refused, because its servers are asked over TLS or HTTPS alone")
        self.assertNotIn("default_resolver =", re.sub("(?m)^ *#.*|uses_default_resolver = false", "", config))

    def test_its_own_configuration(self):
        config, told = self.imported("adguard", ("AdGuardHome.yaml", ADGUARD))
        self.assertEqual({"contoso.corp.": ["10.1.0.4"], "": ["192.0.2.53"]}, self.rules(config))
        for text in ('listen = [ "10.1.0.53:53" ]', 'client_prefixes = [ "10.1.0.0/16" ]', 'name = "nas.example"',
                     '{ name = "*:A"; records = [ "10.1.0.10" ]; }', '{ name = "alias:CNAME"; records = [ "nas.example." ]; }'):
            self.assertIn(text, config)
        for word in (r"AdGuardHome\.yaml:14: not carried over: .*\"laptop-of-anna\" has none", r"yaml:16: fallback_dns: not carried over",
                     r"yaml:19: filters: not carried over: there are no blocklists", r"yaml:30: not carried over: it is disabled there"):
            self.assertRegex(told, word)
        self.assertNotIn("ratelimit", told)
        self.assertNotIn("10.1.0.11", config)

    def test_who_may_ask(self):
        dns = "dns:\n  upstream_dns: [192.0.2.53]\n"
        config, told = self.imported("adguard", ("a.yaml", dns))
        self.assertNotIn("client_prefixes", config.split("# What was")[0])
        self.assertRegex(told, "a.yaml:2: different: whoever reaches it may ask there")
        config, _ = self.imported("adguard", ("a.yaml", dns + "  disallowed_clients: [10.0.0.0/9]\n"))
        self.assertIn('"10.128.0.0/9"', config)
        self.assertNotIn('"10.0.0.0/8"', config)
        config, told = self.imported("adguard", ("a.yaml", dns + "  disallowed_clients: [laptop]\n"), status=1)
        self.assertIn('client_prefixes = [ "255.255.255.255/32" ]', config)
        self.assertRegex(told, "a.yaml:3: closed: it may not ask, and its addresses are not known")

    def test_upstreams_of_another_file_come_in_place_of_its_own(self):
        self.write("upstreams", "[/contoso.corp/]10.1.0.7\n192.0.2.54\n")
        config, _ = self.imported("adguard", ("a.yaml", ADGUARD.replace('upstream_dns_file: ""', "upstream_dns_file: upstreams")))
        self.assertEqual({"contoso.corp.": ["10.1.0.7"], "": ["192.0.2.54"]}, self.rules(config))
        self.refused("adguard", "b.yaml", ADGUARD.replace('upstream_dns_file: ""', "upstream_dns_file: missing"),
                     r"b\.yaml:\d+: upstream_dns_file: .*missing cannot be read")

    def test_yaml_that_cannot_be_read_is_refused(self):
        for content, why in (("dns:\n  a: *b\n", r":2: aliases \(\*b\) are not read"), ("dns: {\n", r":\d: it is no YAML"),
                             ("dns:\n  port: 1\n  port: 2\n", ":3: port is there twice"), ("dns: 7\n", ":1: it has no group dns"),
                             ("dns: " + "[" * 100 + "]" * 100, ":1: it is in more than 64 others"), ("---\n", r":1: it (is empty|has no group)"),
                             ("---\ndns: {}\n---\ndns: {}\n", ":4: it has a second document"),
                             ("dns:\n  upstream_dns: [[a]]\n", ":2: a text is expected here"),
                             ("dns:\n  bind_hosts: [a]\n", ':2: "a" with this port is no place to listen at'),
                             ("dns: {}\nclients:\n  persistent:\n    - name: anna\n      upstreams: [10.1.0.4]\n",
                              ":4: anna: this client has upstreams of its own")):
            self.refused("adguard", "a.yaml", content, r"a\.yaml" + why)

    def test_bytes_at_random(self):
        self.random_bytes("adguard", "random", [textwrap.dedent(text).encode() for text in (UPSTREAMS, ADGUARD)])


DNSDIST_LUA = """
    -- Who may ask.
    setACL({"10.0.0.0/8", "!10.64.0.0/10"})
    setLocal("10.1.0.53:53")
    addLocal("[2001:db8::1]:53")
    controlSocket("127.0.0.1:5199")
    --[[ the internet's
         resolvers ]]
    newServer("192.0.2.53")
    newServer{address="192.0.2.54:5353", order=2, qps=100, name='second'}
    newServer({address="10.1.0.4", pool={"dc", "lab"}});
    newServer({["address"]="10.1.0.5", pool="dc", tcpOnly=true}) -- the branch
    pc = newPacketCache(100000, {maxTTL=86400, minTTL=0})
    getPool(""):setCache(pc)
    setServerPolicy(firstAvailable)
    local smn = newSuffixMatchNode()
    smn:add("contoso.corp.")
    smn:add({"fabrikam.corp", newDNSName("10.in-addr.arpa")})
    addAction(QNameRule("nas.lab.example"), SpoofAction({"10.1.0.9", "2001:db8::9"}))
    -- The domain controllers.
    addAction(SuffixMatchNodeRule(smn, true), PoolAction("dc"))
    suffixes = {"lab.example"}
    addAction(QNameSuffixRule(suffixes), PoolAction([[lab]]))
    """
DNSDIST_YAML = """
    acl: ["10.0.0.0/8", "127.0.0.0/8"]
    binds:
      - listen_address: "10.1.0.53:53"
      - listen_address: "10.1.0.53:853"
        protocol: DoT
    backends:
      - address: "192.0.2.53:53"
        protocol: "Do53"
      - address: "10.1.0.4"
        pools: ["dc"]
        weight: 7
    query_rules:
      # The domain controllers.
      - name: "to the office"
        selector:
          type: "QNameSuffix"
          suffixes: ["contoso.corp", "fabrikam.corp"]
        action:
          type: "Pool"
          pool_name: "dc"
      - selector:
          type: QName
          qname: nas.example
        action:
          type: Spoof
          ips: [10.1.0.9]
    webserver:
      listen_addresses: ["127.0.0.1:8083"]
    """
SERVER = 'newServer("192.0.2.53")\nnewServer{address="10.1.0.4", pool="p"}\nnewServer{address="10.1.0.5", pool="q"}\n'


class Dnsdist(Exports):
    def test_lua(self):
        config, told = self.imported("dnsdist", ("dnsdist.conf", DNSDIST_LUA))
        self.assertEqual({"contoso.corp.": ["10.1.0.4", "10.1.0.5/tcp"], "fabrikam.corp.": ["10.1.0.4", "10.1.0.5/tcp"],
                          "10.in-addr.arpa.": ["10.1.0.4", "10.1.0.5/tcp"], "lab.example.": ["10.1.0.4"],
                          "": ["192.0.2.53", "192.0.2.54:5353"]}, self.rules(config))
        for text in ('client_prefixes = [ "10.0.0.0/10", "10.128.0.0/9" ]', 'listen = [ "10.1.0.53:53", "[2001:db8::1]:53" ]',
                     'name = "nas.lab.example"', "# Who may ask.", "# the internet's\n"):
            self.assertIn(text, config)
        self.assertRegex(config, r"# The domain controllers\.\n +\{\s+name = \"contoso-corp\"")
        for word in (r"dnsdist\.conf:5: controlSocket: not carried over", r"dnsdist\.conf:9: qps: not carried over",
                     r"dnsdist\.conf:13: setCache: not carried over"):
            self.assertRegex(told, word)

    def test_yaml(self):
        config, told = self.imported("dnsdist", ("dnsdist.yml", DNSDIST_YAML))
        self.assertEqual({"contoso.corp.": ["10.1.0.4"], "fabrikam.corp.": ["10.1.0.4"], "": ["192.0.2.53"]}, self.rules(config))
        for text in ('client_prefixes = [ "10.0.0.0/8", "127.0.0.0/8" ]', 'listen = [ "10.1.0.53:53" ]', 'name = "nas.example"'):
            self.assertIn(text, config)
        for word in (r"dnsdist\.yml:4: not carried over: clients ask by UDP and TCP", r"dnsdist\.yml:11: weight: not carried over",
                     r"dnsdist\.yml:28: webserver: not carried over", r"dnsdist\.yml: different: where the server has a file of that name"):
            self.assertRegex(told, word)
        self.assertRegex(config, r"# The domain controllers\.\n +\{ name = \"contoso-corp\"")
        config, told = self.imported("dnsdist", ("stdin", 'backends:\n  - address: "192.0.2.53"\n'))
        self.assertEqual({"": ["192.0.2.53"]}, self.rules(config))
        self.assertIn('"10.0.0.0/8", "100.64.0.0/10"', config)  # dnsdist's own list, where none is said

    def test_lua_beside_yaml_is_asked_for(self):
        self.write("both.lua", 'newServer{address="10.1.0.7", pool="dc"}\n')
        self.refused("dnsdist", "both.yml", DNSDIST_YAML, r"both\.yml: dnsdist reads \S+both\.lua ahead of it: give it")
        config, _ = self.imported("dnsdist", os.path.join(self.world.dir, "both.lua"), ("both.yml", DNSDIST_YAML))
        self.assertEqual(["10.1.0.7", "10.1.0.4"], self.rules(config)["contoso.corp."])
        _, told = self.imported("dnsdist", ("other.yml", DNSDIST_YAML), os.path.join(self.world.dir, "both.lua"), status=1)
        self.assertIn("give it ahead of that", told)
        self.write("both.lua", 'setACL("10.0.0.0/8")\n')
        _, told = self.imported("dnsdist", os.path.join(self.world.dir, "both.lua"), ("both.yml", DNSDIST_YAML), status=1)
        self.assertRegex(told, r"both\.yml:1: acl: who may ask is said in another file, too")

    def test_the_first_rule_decides_there_and_the_longest_domain_here(self):
        rule = 'addAction(QNameSuffixRule({"%s"}), PoolAction("%s"))\n'
        for first, second, fits in ((("corp", "p"), ("a.corp", "q"), False), (("a.corp", "p"), ("corp", "q"), True),
                                    (("corp", "p"), ("a.corp", "p"), True), (("corp", "p"), ("CORP.", "q"), False),
                                    ((".", "p"), ("a.corp", "q"), False), (("xcorp", "p"), ("corp", "q"), True)):
            text = SERVER + rule % first + rule % second
            if fits:
                self.imported("dnsdist", ("a.lua", text))
            else:
                self.refused("dnsdist", "a.lua", text, r"a\.lua:5: .*the rule at line 4, for \S+, is ahead of it and decides")
        text = SERVER + 'addAction(AllRule(), PoolAction("p"))\n'
        self.assertEqual({"": ["10.1.0.4"]}, self.rules(self.imported("dnsdist", ("a.lua", text))[0]))
        self.refused("dnsdist", "a.lua", text + rule % ("a.corp", "q"), r"a\.lua:5: .*the rule at line 4, for \., is ahead")
        self.refused("dnsdist", "a.lua", text + 'addAction(QNameRule("a"), SpoofAction("10.1.0.9"))', r":5: .*is ahead of it")

    def test_what_leads_elsewhere_by_more_than_a_suffix_is_refused(self):
        for text, why in (
                ('addAction(AndRule({QNameSuffixRule("a.corp"), QTypeRule(DNSQType.A)}), PoolAction("p"))', "AndRule decides where"),
                ('addAction(NetmaskGroupRule({"10.0.0.0/8"}), PoolAction("p"))', "NetmaskGroupRule decides where"),
                ('addAction({"a.corp", "10.0.0.0/8"}, PoolAction("p"))', "a prefix of clients decides where"),
                ('addAction(makeRule("10.0.0.0/8"), PoolAction("p"))', "a prefix of clients decides where"),
                ('addAction(QNameRule("a.corp"), PoolAction("p"))', "it is for names, and not for what is below"),
                ('addAction(QNameSuffixRule("a.corp"), PoolAction("p", false))', "it does not stop"),
                ('addAction(QNameSuffixRule("a.corp"), PoolAction("none"))', 'the pool "none" has no backend'),
                ('addAction(QNameSuffixRule("a.corp"), AllowAction())', "AllowAction leads past the rules"),
                ('addAction(QNameSuffixRule("a.corp"), SpoofAction("10.1.0.9"))', "only names can be given addresses"),
                ('addAction(QNameSuffixRule("a..corp"), PoolAction("p"))', "is no domain name"),
                ('addAction(QNameSuffixRule(), PoolAction("p"))', "it has no name that it is for"),
                ('newServer{address="10.1.0.4", tls="openssl"}', "it is asked over TLS or HTTPS"),
                ('newServer{address="10.1.0.4", dohPath="/dns-query"}', "it is asked over TLS or HTTPS"),
                ('newServer("dc1.corp:53")', '"dc1.corp:53" is no address'), ('setACL("corp")', '"corp" is no prefix'),
                ('addPoolRule("a.corp", "p")', "addPoolRule: this is not read"), ('setLocal("eth0")', '"eth0" is no place to listen at')):
            self.refused("dnsdist", "a.lua", SERVER + text + "\n", r"a\.lua:4: .*" + re.escape(why))
        for text, why in (("backends:\n  - address: 10.1.0.4\n    protocol: DoT\n", ":2: it is asked over TLS"),
                          ("query_rules:\n  - selector: {type: And}\n    action: {type: Pool, pool_name: p}\n", ":2: And decides where"),
                          ("query_rules:\n  - action: {type: Pool}\n", ":2: it names no pool"),
                          ("cache_miss_rules:\n  - name: a\n", ":2: cache_miss_rules: only query_rules are read"),
                          ("backends: 10.1.0.4\n", ":1: backends: a list is expected here"), ("- a\n", ":1: it has no settings")):
            self.refused("dnsdist", "a.yml", text, r"a\.yml" + why)

    def test_lua_that_would_have_to_be_run_is_refused(self):
        for text, why in (("if true then\nend", '"if": what this comes to'), ("function f() end", '"function": what this'),
                          ('dofile("x.lua")', "dofile: this is not read"), ('require "x"', "require: this is not read"),
                          ('os.execute("x")', "os.execute cannot be called"), ('newServer("10.1" .. ".0.4")', '"," is expected|"\\)" is expected'),
                          ('a = "10.1.0.4" .. b', "a name is expected here"), ("a = 1\na = 2", "a has a value already"),
                          ("newServer(b)", "b has no value that can be read"), ("for i = 1, 2 do", '"for": what this'),
                          ('addAction(AllRule(), LuaAction(f))', "LuaAction cannot be read here"),
                          ('a = {newServer("10.1.0.4")}', "newServer cannot be read here"), ('a = "x', "opened here and never closed"),
                          ("--[[ x", "a comment is opened here and never closed"), ("a = [[x", "a text is opened here"),
                          ('a = "\\065"', "in a text is not read"), ("a = {x=1, 2}", "a table has names, or has none"),
                          ("a = " + "{" * 100, "it is in more than 64 others"), ("a", "a has no value"), ('newServer("10.1.0.4"):', "a name is expected here"),
                          ('newServer("10.1.0.4"):up', "a call is expected here"), ("newServer:up()", "newServer has no value"),
                          ("a = -b", "a number is expected"),
                          ('s = newSuffixMatchNode()\naddAction(SuffixMatchNodeRule(s), PoolAction("p"))\ns:add("b")', "it has no name"),
                          ('s = newSuffixMatchNode()\ns:add("a")\nr = SuffixMatchNodeRule(s)\ns:add("b")', "before a rule has it"),
                          ('s = newSuffixMatchNode()\ns:add(s)', "a text is expected here"), ("local function f() end", '"function"|a name with')):
            self.refused("dnsdist", "a.lua", SERVER + text + "\n", r"a\.lua:\d+: .*(%s)" % why)

    def test_a_rule_that_may_keep_clients_out_closes_the_list(self):
        for name, text in (("a.lua", SERVER + 'setACL("0.0.0.0/0")\naddAction(NotRule(NetmaskGroupRule({"10.0.0.0/8"})), RCodeAction(DNSRCode.REFUSED))\n'),
                           ("b.yml", "acl: [0.0.0.0/0]\nbackends:\n  - address: 192.0.2.53\nquery_rules:\n  - selector: {type: Not}\n"
                                     "    action: {type: RCode, rcode: 5}\n")):
            config, told = self.imported("dnsdist", (name, text), status=1)
            self.assertIn('client_prefixes = [ "255.255.255.255/32" ]', config)
            self.assertIn('# client_prefixes = [ "0.0.0.0/0" ];', config)
            self.assertRegex(told, name + r":5: (addAction: )?closed: this rule may keep clients out")

    def test_without_a_default_pool_nothing_is_forwarded_but_by_a_rule(self):
        config, _ = self.imported("dnsdist", ("a.lua", 'newServer{address="10.1.0.4", pool="p"}\naddAction({"a.corp"}, PoolAction("p"))\n'))
        self.assertIn("uses_default_resolver = false", config)
        self.assertEqual({"a.corp.": ["10.1.0.4"]}, self.rules(config))

    def test_bytes_at_random(self):
        self.random_bytes("dnsdist", "random.lua", [textwrap.dedent(DNSDIST_LUA).encode()])
        self.random_bytes("dnsdist", "random.yml", [textwrap.dedent(DNSDIST_YAML).encode()], 30)


if __name__ == "__main__":
    harness.main()
