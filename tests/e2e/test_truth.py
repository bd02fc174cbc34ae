"""Every way in which targets fail, and what everybody who is asked says of it in the same minute: status, the
dashboard's sentences, metrics, events and `explain --ask` beside what clients get. Nothing is green while clients fail,
and nothing red a minute and a half after the targets are well again, though nobody asks most of them."""

import contextlib
import itertools
import json
import re
import socket
import struct
import threading

import dns
import harness
import upstream
from test_metrics import Text

ASK_AT = ("10.10.0.4", 53)
HALF_A_MINUTE, A_MINUTE_AND_A_HALF = 30, 90
SLOW_S = 0.78
NAMES = 6  # asked of each rule
# How the targets of each rule fail, by the last byte of their addresses, and what is said of the rule; None: it is
# answered. "closed": nobody is at the port.
RULES = {
    "silent": ({1: "silent"}, "192.168.1.1:53 does not answer"),
    "slow": ({2: "silent"}, "192.168.1.2:53 does not answer"),
    "refused": ({3: "refused"}, "192.168.1.3:53 answers REFUSED"),
    "servfail": ({4: "servfail"}, "192.168.1.4:53 answers SERVFAIL"),
    "lame": ({5: "lame"}, "192.168.1.5:53 gives lame answers"),
    "stranger": ({6: "stranger"}, "192.168.1.6:53 does not answer"),
    "unreachable": ({7: "closed"}, "192.168.1.7:53 cannot be reached"),
    "tcp": ({8: "closed"}, "192.168.1.8:53 cannot be reached"),
    "one": ({9: "silent", 10: "well"}, None),
    "all": ({11: "silent", 12: "silent"}, "192.168.1.11:53 and 1 more do not answer"),
    "never": ({13: "silent"}, "192.168.1.13:53 does not answer"),
}
ANSWERED_WITH_ERRORS = ("refused", "servfail", "lame")
# They fail one group after the other: of very many changes in one second events name the first.
GROUPS = ("silent", "slow", "one"), ("refused", "servfail", "lame"), ("stranger", "unreachable", "tcp"), ("all", "never")


def rule(name):
    targets = ", ".join('{ address = "192.168.1.%d"; protocol = "%s"; }' % (number, "tcp" if name == "tcp" else "udp")
                        for number in RULES[name][0])
    return '{ name = "%s"; domain = "%s.corp."; targets = ( %s ); }' % (name, name, targets)


CONFIG = """
region = "westeurope";
workers = 2;
limits = { queries_per_second_per_endpoint = 0; };
management = { socket = "sluice.sock"; };
metrics = { listen = [ "http://127.0.0.1:9153" ]; };
default_resolver = { targets = ( { address = "192.168.1.99"; } ); };
virtual_networks = ( { name = "hub"; address_space = [ "10.10.0.0/16" ]; } );
resolvers = ( { name = "r"; virtual_network = "hub"; inbound_endpoints = ( { name = "in"; listen = "10.10.0.4:53"; } ); } );
rulesets = ( { name = "onprem"; links = ( { name = "hub"; virtual_network = "hub"; } ); rules = ( %s ); } );
""" % ",\n    ".join(rule(name) for name in RULES)


class Moody(upstream.Upstream):
    """A target with a mood. Names that begin with "slow" take it SLOW_S, whatever the mood."""

    def __init__(self, host, address):
        super().__init__("192.0.2.1", "/dev/null")
        self.host, self.at, self.mood, self.socks = host, address, "closed", []
        self.reader = None  # of datagrams

    def feel(self, mood):
        if mood == "closed":
            self.close()
        elif not self.socks:
            self.open()
        self.mood = mood

    def open(self):
        with self.host.inside():
            udp, self.other = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
            tcp = socket.socket()
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for sock, port in ((udp, 53), (self.other, 0), (tcp, 53)):
            sock.bind((self.at, port))
        tcp.listen()
        self.socks = [udp, self.other, tcp]
        self.reader = threading.Thread(target=self.serve_datagrams, args=(udp,), daemon=True)
        self.reader.start()
        threading.Thread(target=self.serve_streams, args=(tcp,), daemon=True).start()

    def close(self):
        """The port is free when this returns: a thread that waits for a datagram keeps it."""
        if self.socks:
            self.other.sendto(b"", (self.at, 53))
            self.reader.join()
        for sock in self.socks:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        self.socks = []

    def answer(self, packet):
        message = dns.Message(packet)
        if self.mood in upstream.RCODE_OF:
            return self.reply(message, rcode=upstream.RCODE_OF[self.mood])
        if self.mood == "lame":
            return self.reply(message, authority=[dns.record("test", "NS", dns.wire_name("a.root-servers.test"))])
        return None if self.mood == "silent" else self.data(message)

    def serve_datagrams(self, sock):
        def send(reply, peer):
            with contextlib.suppress(OSError):
                (self.other if self.mood == "stranger" else sock).sendto(reply, peer)

        with contextlib.suppress(OSError):
            while True:
                packet, peer = sock.recvfrom(4096)
                if not packet:
                    return
                reply = self.answer(packet)
                if reply and packet[13:17].lower() == b"slow":
                    threading.Timer(SLOW_S, send, (reply, peer)).start()
                elif reply:
                    send(reply, peer)

    def serve_streams(self, listener):
        with contextlib.suppress(OSError):
            while True:
                stream = listener.accept()[0]
                self.socks.append(stream)
                threading.Thread(target=self.serve_stream, args=(stream,), daemon=True).start()

    def serve_stream(self, stream):
        with contextlib.suppress(OSError, EOFError, struct.error):
            while True:
                reply = self.answer(dns.recv_framed(stream))
                if reply:
                    stream.sendall(dns.framed(reply))


class Truth(harness.FreshCase):
    def build(self, world):
        self.client = world.host("client", "10.10.5.5")
        onprem = world.host("onprem", *("192.168.1.%d" % number for targets, _ in RULES.values() for number in targets))
        # For each packet to a closed port there is to be an ICMP message: else Linux sends about one in a second, and a
        # question's only packet may get none.
        with onprem.inside(), open("/proc/sys/net/ipv4/icmp_ratelimit", "w") as file:
            file.write("0")
        self.cloud = world.host("cloud", "10.10.0.4")
        self.targets = {number: Moody(onprem, "192.168.1.%d" % number)
                        for targets, _ in RULES.values() for number in targets}
        for target in self.targets.values():
            self.addCleanup(target.close)
        self.sluice = harness.Sluice(self.cloud, CONFIG, ASK_AT)
        self.numbers = itertools.count()

    # ---- what clients get ----

    def ask(self, names):
        """All at once; the answers by name."""
        found = {}
        with contextlib.ExitStack() as stack:
            waiting = {name: stack.enter_context(self.client.begin(ASK_AT, name)) for name in names}
            for name, sock in waiting.items():
                sock.settimeout(dns.PATIENCE)
                found[name] = dns.Message(sock.recv(65535))
        return found

    def fresh(self, rule_, label="n"):
        return "%s%d.%s.corp" % (label, next(self.numbers), rule_)

    def answers(self, rules, count=NAMES):
        """{rule: [message]}, of names that are asked for the first time."""
        names = {rule_: [self.fresh(rule_) for _ in range(count)] for rule_ in rules}
        found = self.ask([name for some in names.values() for name in some])
        return {rule_: [found[name] for name in some] for rule_, some in names.items()}

    # ---- what is said of it ----

    def events(self):
        with contextlib.closing(harness.UnixConnection(self.sluice.socket)) as connection:
            connection.request("GET", "/v1/events?limit=1000")
            return json.loads(connection.getresponse().read())["events"]

    def red_by_events(self):
        """The rules that the events leave unanswered, by whatever they say of them."""
        red = set()
        for event in self.events():
            text = event["text"]
            for name in RULES:
                if "onprem/" + name not in re.split("[ ,:;]", text) or event["event"] == "query":
                    continue
                if "cannot be answered" in text:
                    red.add(name)
                elif "answered again" in text or "no longer" in text:
                    red.discard(name)
        return red

    def explained(self, name):
        status, text = self.sluice.command("explain", "--ask", "--json", "--vnet", "hub", name)
        self.assertEqual(0, status, text)
        return json.loads(text)

    def red_by_all(self):
        """The rules that each of those who can be asked calls unanswered."""
        status = self.sluice.status()
        unanswered, sentences = status["unanswered"], " ".join(status["judgement"]["texts"])
        printed = [line for line in self.sluice.command("status")[1].split("\n") if line.startswith("! ")]
        metrics = Text(self.cloud.run("curl", "-sf", "http://127.0.0.1:9153/metrics")[1])
        in_rules = {name.partition("/")[2] for name in unanswered["rules"]}
        return {"status": in_rules, "count": unanswered["count"], "good": status["judgement"]["good"],
                "sentences": {name for name in RULES if "onprem/" + name in sentences},
                "printed": {name for name in RULES if any("onprem/" + name in line for line in printed)},
                "metric": metrics["sluice_routes_unanswered"], "events": self.red_by_events()}

    def say(self, red):
        """What all of them are to say where these rules are unanswered. The sentences name as many as fit."""
        return {"status": red, "count": len(red), "good": not red, "metric": len(red), "events": red}

    def agree(self, red):
        said = self.red_by_all()
        named = said.pop("sentences"), said.pop("printed")
        return said == self.say(red) and all(names <= red and bool(names) == bool(red) for names in named)

    def wait_agreed(self, red, what, seconds):
        try:
            harness.wait_for(lambda: self.agree(red), what, seconds)
        except AssertionError as error:
            raise AssertionError("%s, which say: %s" % (error, self.red_by_all())) from None

    def fail(self, group):
        """From now on; five failed queries of each of these later all say so."""
        for name in group:
            for number, mood in RULES[name][0].items():
                self.targets[number].feel(mood)
        self.failing |= {name for name in group if RULES[name][1]}
        for name, some in self.answers(group).items():
            self.assertEqual({"SERVFAIL" if RULES[name][1] else "NOERROR"}, {one.rcode for one in some}, name)
        self.wait_agreed(self.failing, "all to name %s" % ", ".join(group), HALF_A_MINUTE)

    def both(self, name):
        """What a client gets of the rule, and what explain does. Neither is compared where the processors were too busy
        to see the end of a question ahead of its deadline."""
        for _ in range(5):
            client, asked = self.answers([name], 1)[name][0], self.explained(self.fresh(name))["answer"]
            told = "%s %s" % (client.ede, asked["ede"])
            if "no answer came in time" not in told:
                break
            print("# %s: %s" % (name, told), flush=True)
        return client, asked

    def test_all_say_what_clients_get_and_soon_that_it_is_over(self):
        self.failing = set()
        for name, (targets, _) in RULES.items():
            for number in targets:
                self.targets[number].feel("silent" if name == "never" else "well")
        well = self.answers([name for name in RULES if name != "never"])
        self.ask([self.fresh("slow", "slow") for _ in range(3)])
        self.assertEqual({"NOERROR"}, {one.rcode for some in well.values() for one in some})
        if not self.agree(set()):  # one that was late was suspect for a moment, and events say 10 s later that it is back
            self.assertTrue(any(one["suspicions"] for one in self.sluice.status()["targets"]), self.red_by_all())
            self.wait_agreed(set(), "all to say that all is well", HALF_A_MINUTE)

        for group in GROUPS:
            self.fail(group)
        causes = {one["rule"].partition("/")[2]: one for one in self.sluice.status()["unanswered"]["causes"]}
        for name in self.failing:
            self.assertTrue(causes[name]["reason"].startswith(RULES[name][1]), (name, causes[name]))
            self.assertEqual(NAMES if name in ANSWERED_WITH_ERRORS else 0, causes[name]["queries"], causes[name])
            client, asked = self.both(name)
            self.assertEqual(("SERVFAIL", "SERVFAIL"), (client.rcode, asked["rcode"]), name)
            self.assertIsNotNone(client.ede, name)
            self.assertEqual(client.ede[0], asked["ede"]["code"], (name, client.ede, asked["ede"]))
        self.assertEqual("NOERROR", self.explained(self.fresh("one"))["answer"]["rcode"])

        for target in self.targets.values():
            target.feel("well")
        self.answers(ANSWERED_WITH_ERRORS, 1)  # nobody asks the others
        self.wait_agreed(set(), "all to say that all is well", A_MINUTE_AND_A_HALF)
        well = self.answers(RULES, 1)
        self.assertEqual({"NOERROR"}, {some[0].rcode for some in well.values()})


if __name__ == "__main__":
    harness.main()
