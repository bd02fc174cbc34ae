"""GET /metrics: what it says is true, in both formats, for who may read it; promtool finds nothing
wrong with it, and a real Prometheus reads it, with the alerts and the dashboard that come with sluice."""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import time
import unittest
import urllib.parse

import dns
import harness

CONFIG = """
region = "westeurope";
workers = 2;
limits = { queries_per_second_per_endpoint = 0; };
management = { socket = "sluice.sock"; %(management)s };
%(metrics)s
default_resolver = { targets = ( { address = "192.168.0.2"; } ); };
virtual_networks = (
  { name = "hub"; address_space = [ "10.10.0.0/16" ];
    subnets = ( { name = "in";  prefix = "10.10.0.0/28";  delegation = "Microsoft.Network/dnsResolvers"; },
                { name = "out"; prefix = "10.10.0.16/28"; delegation = "Microsoft.Network/dnsResolvers"; } ); },
  { name = "spoke"; address_space = [ "10.20.0.0/16" ]; } );
resolvers = (
  { name = "r"; virtual_network = "hub";
    inbound_endpoints  = ( { name = "in"; subnet = "in"; address = "10.10.0.4"; allocation = "static"; } );
    outbound_endpoints = ( { name = "out"; subnet = "out"; source = "10.10.0.20"; } ); } );
private_zones = (
  { name = "corp.internal"; file = "zone"; links = ( { name = "hub"; virtual_network = "hub"; } ); },
  { name = "corp.internal"; resource_group = "other"; file = "zone";
    links = ( { name = "spoke"; virtual_network = "spoke"; } ); } );
transfers = ( { zones = [ "*", "corp.internal" ]; allow = [ "10.10.0.0/16" ]; } );
address_pools = ( { name = "public"; prefix = "198.51.100.0/24"; } );
addresses = ( { name = "a"; address = "198.51.100.1"; reverse_fqdn = "a.example.net."; },
              { name = "b"; address = "198.51.100.2"; } );
rulesets = (
  { name = "onprem"; outbound_endpoints = [ "r/out" ]; links = ( { name = "hub"; virtual_network = "hub"; } );
    rules = ( %(rules)s ); } );
"""
LISTEN = 'metrics = { listen = [ "http://127.0.0.1:9153" ]; %s };'
SERVER = ("10.10.0.4", 53)
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
ETC = os.path.join(harness.TOP, "etc")
SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*)\})? (\S+)$')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


def rule(number, address="192.168.0.1"):
    return ('{ name = "rule%d"; domain = "n%d.test."; targets = ( { address = "%s"; } ); }'
            % (number, number, address))


def config(metrics=LISTEN % "", rules=(rule(1),), management=""):
    return CONFIG % {"metrics": metrics, "rules": ", ".join(rules), "management": management}


def promtool(*argv, **how):
    if not shutil.which("promtool"):
        raise unittest.SkipTest("promtool is not installed; it comes with prometheus")
    return subprocess.run(["promtool", *argv], capture_output=True, text=True, **how)


class Text(dict):
    """Metrics by name and labels, as text: 'sluice_rule_queries_total{ruleset="a",rule="b"}'. Each sample
    must be of the family that was begun last, and stand there once."""

    def __init__(self, text):
        super().__init__()
        self.types = {}
        family = None
        for line in text.splitlines():
            if line.startswith("#"):
                words = line.split(" ", 3)
                if words[1] == "TYPE":
                    family = words[2]
                    if family in self.types:
                        raise AssertionError("twice: " + line)
                    self.types[family] = words[3]
                continue
            name, labels, value = SAMPLE.match(line).groups()
            rest = name[len(family):]
            if not name.startswith(family) or rest not in ("", "_total", "_bucket", "_count", "_sum"):
                raise AssertionError("not of %s: %s" % (family, line))
            key = "%s{%s}" % (name, labels) if labels else name
            if key in self:
                raise AssertionError("twice: " + line)
            self[key] = float(value)

    def of(self, name):
        """{labels: value} of one name, where there are."""
        return {key[len(name):]: value for key, value in self.items()
                if key == name or key.startswith(name + "{")}

    def counters(self):
        return {key: value for key, value in self.items()
                if re.search(r"(_total|_bucket|_count|_sum)(\{|$)", key)}


class World(harness.FreshCase):
    config = config()
    extra = ()  # addresses
    zone = ""  # more of it

    def build(self, world):
        world.write("zone", "@ 300 IN SOA ns hostmaster 1 2 3 4 5\n@ 300 IN NS ns\nns 300 IN A 10.10.1.1\n"
                            "web 300 IN A 10.10.1.10\n" + self.zone)
        self.cloud = world.host("cloud", "10.10.0.4", "10.10.0.20", *self.extra)
        onprem = world.host("onprem", "192.168.0.1", "192.168.0.2")
        self.target = harness.Upstream(onprem, "192.168.0.1", "192.0.2.1")
        self.default = harness.Upstream(onprem, "192.168.0.2", "192.0.2.2")
        self.sluice = harness.Sluice(self.cloud, self.config, SERVER)

    def get(self, path="/metrics", method="GET", accept=None, server=("127.0.0.1", 9153), host=None):
        """(status, type, text)"""
        with (host or self.cloud).inside():
            connection = http.client.HTTPConnection(*server, timeout=dns.PATIENCE)
            connection.connect()
        with contextlib.closing(connection):
            connection.request(method, path, headers={"Accept": accept} if accept else {})
            response = connection.getresponse()
            return response.status, response.headers["Content-Type"], response.read().decode()

    def text(self, **how):
        status, _, text = self.get(**how)
        self.assertEqual(200, status, text)
        return Text(text)

    def assert_closed(self, *server):
        """Waits until the master has closed its end, too."""
        def is_closed():
            try:
                self.get(server=server or ("127.0.0.1", 9153))
            except ConnectionRefusedError:
                return True
            except (ConnectionError, http.client.HTTPException):
                return False
        harness.wait_for(is_closed, "the listener to go")

    def ask(self, name, *texts, rtype="A"):
        answer = self.cloud.ask(SERVER, name, rtype)
        self.assert_answer(answer, *texts)

    def reload(self, text, status=0):
        self.sluice.reconfigure(text)
        self.assertEqual(status, self.sluice.command("reload")[0])
        return self.sluice.log()


class Chains(World):
    config = config(rules=(rule(1), rule(2)))
    zone = "one 300 IN CNAME two\ntwo 300 IN CNAME web\nout 300 IN CNAME www.n1.test.\n"

    def counted(self, name, *texts, rcode="NOERROR"):
        """What a question for the name moves."""
        before = self.text()
        self.assert_answer(self.cloud.ask(SERVER, name), *texts, rcode=rcode)
        moved = {}
        for key, value in self.text().items():
            found = re.match(r'sluice_(rule_queries|rule_failures|zone_queries|cache_hits)_total(?:.*(?:rule|zone)="([^"]+)")?', key)
            if found and value > before.get(key, 0):
                moved[" ".join(filter(None, found.groups()))] = value - before.get(key, 0)
        return moved

    def test_who_decides_several_names_of_a_query_is_counted_once(self):
        self.assertEqual({"zone_queries corp.internal": 1},
                         self.counted("one.corp.internal", "two.corp.internal.", "web.corp.internal.", "10.10.1.10"))
        self.assertEqual({"zone_queries corp.internal": 1, "rule_queries rule1": 1},
                         self.counted("out.corp.internal", "www.n1.test.", "192.0.2.1"))
        self.assertEqual({"rule_queries rule1": 1},
                         self.counted("alias--a-n1-test.n1.test", "a.n1.test.", "192.0.2.1"))

    def test_a_query_that_two_rules_of_a_ruleset_decide_is_one_of_the_ruleset(self):
        key = 'sluice_ruleset_queries_total{ruleset="onprem"}'
        before = self.text().get(key, 0)
        self.assertEqual({"rule_queries rule1": 1, "rule_queries rule2": 1},
                         self.counted("alias--b-n2-test.n1.test", "b.n2.test.", "192.0.2.1"))
        self.assertEqual(1, self.text()[key] - before)

    def test_a_failure_is_that_of_who_decided_the_name_that_failed(self):
        failed = {"rule_queries rule1": 1, "rule_queries rule2": 1, "rule_failures rule2": 1}
        for number in range(20):
            name = "alias--servfail-x%d-n2-test.n1.test" % number
            begin = time.monotonic()
            self.assertEqual(failed, self.counted(name, rcode="SERVFAIL"))
            again = self.counted(name, rcode="SERVFAIL")
            if again == {**failed, "cache_hits": 1} or time.monotonic() - begin < 1:
                break  # else the failure was not in the cache any more
        # The first name is in the cache now; the failure is, too, and no hit.
        self.assertEqual({**failed, "cache_hits": 1}, again)
        # One rule for both names: it has failed.
        self.assertEqual({"rule_queries rule1": 1, "rule_failures rule1": 1},
                         self.counted("alias--servfail-n1-test.n1.test", rcode="SERVFAIL"))

    def test_a_client_that_is_told_to_come_by_tcp_has_not_failed(self):
        answer = self.cloud.ask(SERVER, "ends.n1.test")
        self.assert_answer(answer, rcode="NOERROR")
        self.assertTrue(answer.flags & 0x200)
        self.assertEqual(0, self.text().get('sluice_rule_failures_total{ruleset="onprem",rule="rule1"}', 0))


class Metrics(World):
    def test_what_was_asked_is_counted_where_it_was_decided(self):
        self.unless_late(self.counts)

    def counts(self, attempt):
        before = self.text()
        asked = ["%s%d.n1.test" % (label, attempt) for label in ("www", "nx.x")]
        for _ in range(3):
            self.ask("web.corp.internal", "10.10.1.10")
        for _ in range(2):
            self.ask(asked[0], "192.0.2.1")
        self.ask("www%d.elsewhere.example" % attempt, "192.0.2.2")
        self.assert_rcode(self.cloud.ask(SERVER, asked[1]), "NXDOMAIN")
        durations, sources = 'sluice_response_duration_seconds_count{source="%s"}', (("zone", 3), ("cache", 1), ("forwarded", 3))

        def timed():  # an answer is timed once it is sent, which is after the client may have it
            told = self.text()
            return all(told[durations % source] - before.get(durations % source, 0) >= count for source, count in sources) and told
        after = harness.wait_for(timed, "the time of each answer")

        def more(key):
            return after[key] - before.get(key, 0)
        self.assertEqual(7, more('sluice_queries_total{endpoint="r/in",transport="udp"}'))
        for rcode, source, count in (("NOERROR", "zone", 3), ("NOERROR", "cache", 1),
                                     ("NOERROR", "forwarded", 2), ("NXDOMAIN", "forwarded", 1)):
            self.assertEqual(count, more('sluice_responses_total{endpoint="r/in",rcode="%s",source="%s"}'
                                         % (rcode, source)))
        self.assertEqual(3, more('sluice_zone_queries_total{zone="corp.internal"}'))
        self.assertEqual(3, more('sluice_rule_queries_total{ruleset="onprem",rule="rule1"}'))
        self.assertEqual(3, more('sluice_ruleset_queries_total{ruleset="onprem"}'))
        self.assertEqual(0, more('sluice_rule_failures_total{ruleset="onprem",rule="rule1"}'))
        self.assertEqual(1, more('sluice_decisions_total{endpoint="r/in",by="default"}'))
        # By the words of explain and of the query log.
        self.assertEqual({"nobody", "custom", "address", "pool", "name", "special", "default"},
                         {dict(LABEL.findall(key))["by"] for key in after.of("sluice_decisions_total")})
        self.assertEqual(1, more("sluice_cache_hits_total"))
        target = '{target="192.168.0.1:53",protocol="udp",source="10.10.0.20"}'
        seen = sum(len(self.target.questions(name)) for name in asked)
        self.assertEqual(seen, more("sluice_target_queries_total" + target))
        self.assertEqual(seen, more("sluice_target_answers_total" + target))
        self.assertEqual(seen, more("sluice_target_duration_seconds_count" + target))
        self.assertEqual(1, after["sluice_target_up" + target])
        for source, count in sources:
            labels = '{source="%s"}' % source
            self.assertEqual(count, more("sluice_response_duration_seconds_count" + labels))
            self.assertGreater(more("sluice_response_duration_seconds_sum" + labels), 0)
        self.assertEqual({'{version="%s"}' % harness.command("--version")[1].split()[-1]: 1},
                         after.of("sluice_build_info"))

    def test_what_there_is_is_told(self):
        with self.cloud.inside():
            dns.tcp(dns.query("corp.internal", "AXFR"), SERVER)
        told = self.text()
        # Two zones of one name for two networks are one series.
        self.assertEqual({'{zone="corp.internal"}': 4, '{group="other",zone="corp.internal"}': 4},
                         told.of("sluice_zone_records"))
        self.assertEqual(2, told["sluice_zones"])
        self.assertEqual({'{status="active"}': 1, '{status="pending"}': 0, '{status="inactive"}': 1,
                          '{status="error"}': 0, '{status="waiting"}': 0}, told.of("sluice_ptrs"))
        self.assertEqual(1, told['sluice_zone_transfers_total{zone="corp.internal",result="axfr"}'])
        self.assertEqual(1, told['sluice_zone_serial{zone="corp.internal"}'])
        self.assertIn('{zone="100.51.198.in-addr.arpa"}', told.of("sluice_zone_serial"))
        self.assertEqual({'{source="10.10.0.20"}': 1}, told.of("sluice_source_address_up"))
        self.assertEqual((2, 0, 1), (told["sluice_routes"], told["sluice_routes_unanswered"],
                                     told["sluice_state_up"]))
        for name in ("process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds",
                     "process_start_time_seconds", "sluice_cache_limit_bytes", "sluice_workers"):
            self.assertGreater(told[name], 0, name)
        self.assertEqual(told["process_start_time_seconds"], self.text()["process_start_time_seconds"])

    def test_questions_that_a_target_does_not_answer_well_are_failures(self):
        for name in ("a.n1.test", "b.n1.test"):
            self.ask(name, "192.0.2.1")
        self.assert_rcode(self.cloud.ask(SERVER, "servfail.n1.test"), "SERVFAIL")
        self.cloud.begin(SERVER, "silent.n1.test").close()
        labels = '{target="192.168.0.1:53",protocol="udp",source="10.10.0.20",reason="%s"}'
        for reason in ("error", "timeout"):
            key = "sluice_target_failures_total" + labels % reason
            harness.wait_for(lambda: self.text()[key], key)
        key = 'sluice_rule_failures_total{ruleset="onprem",rule="rule1"}'
        harness.wait_for(lambda: self.text()[key] == 2, key)

    def test_a_dead_target_and_a_lost_address_are_told(self):
        self.target.signal(signal.SIGSTOP)
        self.addCleanup(self.target.signal, signal.SIGCONT)
        labels = '{target="192.168.0.1:53",protocol="udp",source="10.10.0.20"'

        def is_suspect():
            with contextlib.closing(self.cloud.begin(SERVER, "x%d.n1.test" % next(numbers))):
                told = self.text()
                return (0, 1, 1) == (told["sluice_target_up" + labels + "}"], told["sluice_routes_unanswered"],
                                     told['sluice_targets{state="suspect"}']) and told
        numbers = iter(range(10000))
        told = harness.wait_for(is_suspect, "the target to be suspect")
        self.assertGreaterEqual(told["sluice_target_suspicions_total" + labels + "}"], 1)
        key = 'sluice_rule_failures_total{ruleset="onprem",rule="rule1"}'
        harness.wait_for(lambda: self.text()[key], key, 2 * dns.PATIENCE)
        harness.sh("ip", "-n", "cloud", "addr", "del", "10.10.0.20/32", "dev", "eth0")
        self.assertEqual(0, self.text()['sluice_source_address_up{source="10.10.0.20"}'])

    def test_an_endpoint_over_its_limit_is_told_for_both_ways(self):
        self.reload(self.config.replace("_endpoint = 0", "_endpoint = 1"))
        for number in range(20):
            self.cloud.begin(SERVER, "l%d.n1.test" % number).close()
        limited = 'sluice_limited_queries_total{endpoint="r/in"}'
        harness.wait_for(lambda: self.text()[limited] > 0, "the limit of the inbound endpoint")
        self.assertIn('{endpoint="r/out"}', self.text().of("sluice_outbound_limited_packets_total"))

    def test_what_becomes_of_the_query_logs_entries_is_told(self):
        def told(name):
            return self.text().of("sluice_query_log_output_" + name)
        self.assertEqual({}, told("up"))
        self.reload(self.config + 'query_log = { file = "q.json"; dnstap_socket = "nobody"; };')
        harness.wait_for(lambda: told("up") == {'{output="file"}': 1, '{output="dnstap_socket"}': 0}, "both")
        self.ask("web.corp.internal", "10.10.1.10")
        harness.wait_for(lambda: told("entries_total").get('{output="file"}') == 1, "the entry")
        self.reload(self.config)
        self.assertEqual({}, told("up"))
        self.assertEqual({'{output="file"}': 1}, told("entries_total"))
        self.reload(self.config + 'query_log = { file = "other.json"; };')
        self.ask("web.corp.internal", "10.10.1.10")
        harness.wait_for(lambda: told("entries_total") == {'{output="file"}': 2}, "both entries")
        self.assertEqual({'{output="file"}': 0}, told("lost_entries_total"))

    def test_both_formats_are_well_formed(self):
        self.reload(self.config + 'query_log = { file = "q.json"; };')  # which has families of its own
        self.ask("www.n1.test", "192.0.2.1")
        status, kind, text = self.get()
        self.assertEqual((200, "text/plain; version=0.0.4; charset=utf-8"), (status, kind))
        found = promtool("check", "metrics", input=text)
        self.assertEqual((0, "", ""), (found.returncode, found.stdout, found.stderr))
        status, kind, opened = self.get(accept=OPENMETRICS)
        self.assertEqual((200, OPENMETRICS + "; charset=utf-8"), (status, kind))
        self.assertTrue(opened.endswith("\n# EOF\n"))
        plain, opened = Text(text), Text(opened)
        self.assertEqual(set(plain), set(opened))
        for name, kind in opened.types.items():
            self.assertEqual(kind, plain.types[name + "_total" if kind == "counter" else name])
            self.assertFalse(name.endswith("_total"), name)

    def test_the_manual_lists_them_all(self):
        with open(os.path.join(ETC, "sluice-api.7")) as file:
            section = re.search(r"^\.Sh METRICS$(.*?)^\.Sh ", file.read(), re.S | re.M).group(1)
        listed = dict(re.findall(r"^\.It Li (\w+)(.*)$", section, re.M))
        text = self.text()
        self.assertEqual(set(text.types), set(listed))
        for name, rest in listed.items():
            kind = text.types[name]
            self.assertEqual(kind != "counter", rest.endswith(" , " + kind), name)
        labels = {name: set(re.findall(r"\w+", rest)) - {"Pq", "Li", "gauge", "histogram"}
                  for name, rest in listed.items()}
        for key in text:
            name, _, rest = key.partition("{")
            if name not in labels:
                name = re.sub("_(bucket|count|sum)$", "", name)
            self.assertLessEqual(set(label for label, _ in LABEL.findall(rest)) - {"le"}, labels[name], key)

    def test_what_is_no_request_for_metrics_is_told_so(self):
        status, _, text = self.get("/")
        self.assertEqual((404, "there is nothing here but GET /metrics\n"), (status, text))
        self.assertEqual(405, self.get(method="POST")[0])
        self.assertEqual(404, self.get("/v1/status")[0])
        status, _, text = self.get(method="HEAD")
        self.assertEqual((200, ""), (status, text))


class Readers(World):
    extra = ("10.10.0.9",)
    config = config('metrics = { listen = [ "http://10.10.0.9:9153" ]; allow = [ "10.30.0.0/24" ]; };')

    def build(self, world):
        super().build(world)
        self.allowed, self.other = world.host("allowed", "10.30.0.1"), world.host("other", "10.30.1.1")

    def test_who_is_not_allowed_reads_nothing(self):
        server = ("10.10.0.9", 9153)
        self.assertIn("sluice_build_info", self.get(server=server, host=self.allowed)[2])
        self.assertIn("sluice_build_info", self.get(server=server)[2])  # from 10.10.0.9
        status, _, text = self.get(server=server, host=self.other)
        self.assertEqual(403, status)
        self.assertEqual("your address is not in metrics.allow, which says who may read this\n", text)
        self.reload(self.config.replace("10.30.0.0/24", "10.30.1.0/24"))
        self.assertEqual(403, self.get(server=server, host=self.allowed)[0])
        self.assertEqual(200, self.get(server=server, host=self.other)[0])

    def test_this_machine_reads_at_each_address_of_a_listener_for_all(self):
        self.reload(config('metrics = { listen = [ "http://0.0.0.0:9154" ]; allow = [ "10.30.1.0/24" ]; };'))
        for address in ("127.0.0.1", "10.10.0.4", "10.10.0.9"):
            self.assertEqual(200, self.get(server=(address, 9154))[0], address)
        self.assertEqual(403, self.get(server=("10.10.0.9", 9154), host=self.allowed)[0])

    def test_a_listener_goes_to_every_address_and_back(self):
        """The port is its own already: the new socket is opened before the old one is closed."""
        for address, served in (("127.0.0.1", ["127.0.0.1"]), ("0.0.0.0", ["127.0.0.1", "10.10.0.4"])) * 2:
            self.reload(config('metrics = { listen = [ "http://%s:9153" ]; allow = [ "10.30.1.0/24" ]; };' % address))
            for at in served:
                def answers():
                    with contextlib.suppress(ConnectionResetError):  # by the old socket, which the master may still have
                        return self.get(server=(at, 9153))[0]
                self.assertEqual(200, harness.wait_for(answers, address + " to answer"))

    def test_a_name_that_is_not_ours_gets_nothing_and_tls_is_the_managements(self):
        certificate = self.world.certificate()
        self.reload(config('metrics = { listen = [ "https://127.0.0.1:9153" ]; };',
                           management='certificate = "%s"; key = "%s";'
                           % (certificate, certificate.replace(".pem", ".key"))))
        curl = ("curl", "-s", "--cacert", certificate, "-w", "%{http_code}", "https://127.0.0.1:9153/metrics")
        text = self.cloud.run(*curl)[1]
        self.assertTrue(text.endswith("200") and "\nsluice_workers 2\n" in text, text[-300:])
        self.assertTrue(self.cloud.run(*curl, "-H", "Host: evil.example")[1].endswith("421"))

    def test_a_listener_for_everybody_or_nobody_is_a_fault(self):
        for metrics, said in (
                ('listen = [ "http://10.10.0.9:9153" ];', r"metrics\.allow, or give a loopback address"),
                ('listen = [ "http://127.0.0.1:8053" ];', "is listened at already"),
                ('listen = [ "https://127.0.0.1:9153" ];', "needs management.certificate"),
                ('listen = [ "127.0.0.1:9153" ];', "listen"), ('rules_max = -1;', "rules_max")):
            text = config("metrics = { %s };" % metrics, management='listen = [ "http://127.0.0.1:8053" ];')
            found = harness.command("check", "-c", self.world.write("other.conf", text))
            self.assertEqual(1, found[0], metrics)
            self.assertRegex(found[1], said)


class Reloads(World):
    def test_a_reload_opens_moves_and_closes_listeners(self):
        there, other = ("127.0.0.1", 9153), ("127.0.0.1", 9154)
        two = config('metrics = { listen = [ "http://127.0.0.1:9153", "http://127.0.0.1:9154" ]; };')
        self.reload(two)
        self.assertEqual([200, 200], [self.get(server=place)[0] for place in (there, other)])
        self.reload(config(LISTEN.replace("9153", "9154") % ""))
        self.assert_closed()
        self.assertEqual(2, self.text(server=other)['sluice_config_reloads_total{result="success"}'])
        self.reload(config(""))
        self.assert_closed(*other)
        self.reload(two)
        self.assertEqual([200, 200], [self.get(server=place)[0] for place in (there, other)])

    def test_what_cannot_be_listened_at_leaves_all_as_it_was(self):
        with self.cloud.inside():
            holder = http.client.socket.create_server(("127.0.0.1", 9199))
        with contextlib.closing(holder):
            log = self.reload(config('metrics = { listen = [ "http://127.0.0.1:9154", "http://127.0.0.1:9199" ]; '
                                     'allow = [ "10.30.0.0/24" ]; };'), 1)
        self.assertRegex(log, r"listen\[1\]: http://127\.0\.0\.1:9199 cannot be listened at: "
                              "Address already in use")
        told = self.text()
        self.assertEqual((0, 1), (told["sluice_config_last_reload_successful"],
                                  told['sluice_config_reloads_total{result="refused"}']))
        self.assert_closed("127.0.0.1", 9154)

    def test_a_url_of_the_api_is_not_that_of_metrics_before_a_restart(self):
        here, listen = ("127.0.0.1", 8053), 'listen = [ "http://127.0.0.1:8053" ];'
        self.assertEqual(0, self.sluice.stop())
        self.sluice = harness.Sluice(self.cloud, config(management=listen), SERVER)
        moved = config("metrics = { %s };" % listen)
        for text in (moved, moved.replace("http:", "HTTP:")):
            self.assertIn("the management API has 127.0.0.1:8053 until the next restart", self.reload(text, 1))
        everywhere = config('metrics = { listen = [ "http://0.0.0.0:8053" ]; allow = [ "10.30.0.0/24" ]; };')
        self.assertIn("the management API has 0.0.0.0:8053 until the next restart", self.reload(everywhere, 1))
        self.assertNotEqual(200, self.get(server=here)[0])
        self.assertEqual(0, self.sluice.stop())
        self.sluice = harness.Sluice(self.cloud, moved, SERVER)
        self.assertEqual(200, self.get(server=here)[0])

    def test_rules_that_come_back_go_on_where_they_were(self):
        self.reload(config(rules=(rule(1), rule(2))))
        self.ask("www.n1.test", "192.0.2.1")
        self.ask("www.n2.test", "192.0.2.1")
        first = self.text()
        self.reload(config(rules=(rule(1, "192.168.0.2"),)))
        without = self.text()
        self.ask("two.n1.test", "192.0.2.2")
        self.reload(config(rules=(rule(2), rule(1))))
        self.ask("two.n2.test", "192.0.2.1")
        last = self.text()
        for number in (1, 2):
            key = 'sluice_rule_queries_total{ruleset="onprem",rule="rule%d"}' % number
            self.assertEqual([1, 1, 2], [told[key] for told in (first, without, last)])
        self.assertEqual(4, last['sluice_ruleset_queries_total{ruleset="onprem"}'])
        # A target that no rule has any more is not up or down, and what it has counted stays.
        key = '{target="192.168.0.1:53",protocol="udp",source="10.10.0.20"}'
        self.assertNotIn("sluice_target_up" + key, without)
        asked, kept, more = (told["sluice_target_queries_total" + key] for told in (first, without, last))
        if harness.lateness(self.sluice) == (0, False):
            self.assertEqual([2, 2, 3], [asked, kept, more])
        else:  # what is late is asked again
            self.assertTrue(2 <= asked <= kept < more, (asked, kept, more))

    def test_of_more_than_are_shown_the_rest_is_other_and_nothing_ever_falls(self):
        bounded = LISTEN % "rules_max = 2; targets_max = 1;"
        looks = [self.text()]
        self.reload(config(bounded, [rule(n) for n in range(1, 6)]))

        def look(name=None):
            if name:
                self.ask(name, "192.0.2.1")
            looks.append(self.text())
            missing = set(looks[-2].counters()) - set(looks[-1])
            self.assertEqual(set(), missing)
            for key, value in looks[-2].counters().items():
                self.assertGreaterEqual(looks[-1][key], value, key)
            return looks[-1].of("sluice_rule_queries_total")
        # 1 was shown before there were more than two; 3 is the first of the others that is asked. What
        # it had counted as one of them stays there.
        rule1, rule3, other = ('{ruleset="onprem",rule="rule1"}', '{ruleset="onprem",rule="rule3"}',
                               '{rule="other"}')
        self.assertEqual({rule1: 0, rule3: 1, other: 0}, look("a.n3.test"))
        look("a.n5.test")
        self.assertEqual({rule1: 1, rule3: 1, other: 1}, look("a.n1.test"))
        self.assertEqual(3, looks[-1]['sluice_metrics_unshown{kind="rule"}'])
        self.reload(config(bounded, [rule(n) for n in range(4, 8)]))
        self.assertEqual({rule1: 1, rule3: 1, other: 2}, look("b.n5.test"))
        self.reload(config(bounded, [rule(3)]))
        self.assertEqual({rule1: 1, rule3: 2, other: 2}, look("c.n3.test"))

    def test_an_upgrade_hands_the_listener_on(self):
        before = self.text()["process_start_time_seconds"]
        self.ask("web.corp.internal", "10.10.1.10")
        pid = self.sluice.pid
        self.assertEqual(0, self.sluice.command("upgrade")[0])
        self.sluice.wait_another(pid)
        told = self.text()
        self.assertGreater(told["process_start_time_seconds"], before)
        self.assertEqual(0, told['sluice_queries_total{endpoint="r/in",transport="udp"}'])


class Unconfirmed(World):
    config = config(management='state = "state.db";')

    def test_a_reload_that_nobody_confirms_takes_its_listener_away_again(self):
        self.sluice.reconfigure(self.config.replace("9153", "9154"))
        status, text = self.sluice.command("reload", "--confirm", "20s")
        self.assertEqual(0, status, text)
        self.assertEqual(200, self.get(server=("127.0.0.1", 9154))[0])
        self.assert_closed()

        def is_back():
            with contextlib.suppress(ConnectionError):
                return self.get()[0] == 200
        harness.wait_for(is_back, "the listener from before")
        self.assert_closed("127.0.0.1", 9154)


class Prometheus(World):
    """The real one, with the files of etc/prometheus, looking each second."""

    def build(self, world):
        super().build(world)
        program = "/usr/bin/prometheus"
        if not os.path.exists(program):
            self.skipTest(program + " is not installed")
        with open(os.path.join(ETC, "prometheus", "prometheus.yml")) as file:
            text = file.read().replace("15s", "1s")
        with open(os.path.join(ETC, "prometheus", "sluice.rules.yml")) as file:
            world.write("sluice.rules.yml", file.read())
        path = world.write("prometheus.yml", text)
        self.prometheus = harness.Process(self.cloud, "prometheus", [
            program, "--config.file=" + path, "--storage.tsdb.path=" + os.path.join(world.dir, "tsdb"),
            "--web.listen-address=127.0.0.1:9090"])

    def api(self, path, **query):
        """What it answers, as soon as it does: it takes a moment to start."""
        def answer():
            with contextlib.suppress(OSError):
                status, _, text = self.get("/api/v1/%s?%s" % (path, urllib.parse.urlencode(query)),
                                           server=("127.0.0.1", 9090))
                return status != 503 and json.loads(text)
        return harness.wait_for(answer, "Prometheus", 4 * dns.PATIENCE)

    def value(self, expression):
        return [float(one["value"][1]) for one in self.api("query", query=expression)["data"]["result"]]

    def test_it_reads_what_there_is_and_raises_the_alerts(self):
        for number in range(5):
            self.ask("a%d.n1.test" % number, "192.0.2.1")
        queries = 'sluice_rule_queries_total{job="sluice",rule="rule1"}'
        harness.wait_for(lambda: self.value(queries) == [5], "the rule's count", 4 * dns.PATIENCE)

        def is_up():
            scraped = self.api("targets")["data"]["activeTargets"]
            return [("up", "")] == [(one["health"], one["lastError"]) for one in scraped]
        harness.wait_for(is_up, "a look that was in time")

        def keeps_each():
            samples = self.value('scrape_samples_scraped{job="sluice"}')
            return samples == self.value('scrape_samples_post_metric_relabeling{job="sluice"}') == [
                len(self.text(accept=OPENMETRICS))]
        # It asks for OpenMetrics, and keeps each sample: none is twice or late.
        harness.wait_for(keeps_each, "each sample")
        kinds = self.api("metadata")["data"]
        self.assertEqual("histogram", kinds["sluice_response_duration_seconds"][0]["type"])
        self.assertEqual("counter", kinds["sluice_queries_total" if "sluice_queries_total" in kinds
                                          else "sluice_queries"][0]["type"])
        self.target.signal(signal.SIGSTOP)
        self.addCleanup(self.target.signal, signal.SIGCONT)
        numbers = iter(range(100000))

        def alerts():
            self.cloud.begin(SERVER, "b%d.n1.test" % next(numbers)).close()
            found = self.api("alerts")["data"]["alerts"]
            return {one["labels"]["alertname"] for one in found} >= {
                "SluiceRulesUnanswered", "SluiceTargetSuspect"} and found
        harness.wait_for(alerts, "the alerts", 4 * dns.PATIENCE)
        for group in self.api("rules")["data"]["groups"]:
            for one in group["rules"]:
                self.assertIn(one["health"], ("ok", "unknown"), one)

    def board(self):
        with open(os.path.join(ETC, "grafana", "sluice.json")) as file:
            return json.load(file)

    def panel(self, expression):
        """What Grafana's expression gives here, of the last minute, by the output that it is of."""
        for variable, value in (("$__rate_interval", "1m"), ("$__interval", "1m"), ("$job", ".*"), ("$instance", ".*"),
                                ("$endpoint", ".*")):
            expression = expression.replace(variable, value)
        self.assertNotIn("$", expression)
        found = self.api("query", query=expression)
        self.assertEqual("success", found["status"], (expression, found))
        return {one["metric"].get("output"): float(one["value"][1]) for one in found["data"]["result"]}

    def test_the_dashboard_shows_what_becomes_of_the_query_log(self):
        self.reload(self.config + 'query_log = { file = "q.json"; dnstap_socket = "nobody"; };')
        shown = {panel["title"]: [target["expr"] for target in panel["targets"]] for panel in self.board()["panels"]
                 if any("query_log" in target["expr"] for target in panel.get("targets", ()))}
        self.assertEqual(["Entries written", "Entries lost", "Outputs"], list(shown))
        harness.wait_for(lambda: self.panel(shown["Outputs"][0]) == {"file": 1, "dnstap_socket": 0}, "the outputs", 4 * dns.PATIENCE)
        numbers = iter(range(100000))

        def written():
            self.ask("l%d.n1.test" % next(numbers), "192.0.2.1")
            return self.panel(shown["Entries written"][0]).get("file", 0) > 0
        harness.wait_for(written, "entries", 4 * dns.PATIENCE)
        self.assertEqual([{None}, {"file", "dnstap_socket"}], [set(self.panel(expression)) for expression in shown["Entries lost"]])

    def test_the_dashboard_asks_for_what_there_is(self):
        self.ask("a.n1.test", "192.0.2.1")
        harness.wait_for(lambda: self.value("sluice_build_info"), "a first look", 4 * dns.PATIENCE)
        board = self.board()
        self.assertEqual(("sluice", "sluice"), (board["title"], board["uid"]))
        expressions = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
        expressions += [one["expr"] for one in board["annotations"]["list"]]
        with open(os.path.join(ETC, "prometheus", "sluice.rules.yml")) as file:
            rules = file.read()
        names = {name for name in self.text().types} | {"sluice"}
        for expression in expressions:
            self.panel(expression)
        asked = set(re.findall(r"\b(?:sluice|process)_[a-z0-9_]+", rules + " ".join(expressions)))
        self.assertGreater(len(asked), 40)
        self.assertEqual(set(), {re.sub("_(bucket|count|sum)$", "", name) for name in asked} - names)


class Alerts(harness.Case):
    def test_promtool_finds_nothing_wrong_with_the_files(self):
        folder = os.path.join(ETC, "prometheus")
        for argv in (("check", "rules", os.path.join(folder, "sluice.rules.yml")),
                     ("check", "config", os.path.join(folder, "prometheus.yml")),
                     ("test", "rules", os.path.join(harness.TOP, "tests", "e2e", "alerts.yml"))):
            found = promtool(*argv)
            self.assertEqual(0, found.returncode, found.stdout + found.stderr)


if __name__ == "__main__":
    harness.main()
