"""What the operator does to the running server, and a registrar that changes PTRs meanwhile."""

import http.client
import json
import os
import random
import signal
import time

import harness
import judge
import place

SEEN_S = 30  # seconds in which the server must obey or refuse a SIGHUP


def call(scene, host, method, path, body=None, by_tcp=False):
    """(status, text)"""
    headers = {"Content-Type": "application/json"}
    if by_tcp:
        headers["X-Auth-Token"] = place.OPS
    with host.inside():
        connection = (http.client.HTTPConnection("127.0.0.1", 8053, timeout=30) if by_tcp else
                      harness.UnixConnection(os.path.join(scene.world.dir, "sluice.sock")))
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()


class Server:
    """The server, through all of its successors."""

    def __init__(self, scene, host, limit):
        self.scene, self.host, self.limit = scene, host, limit
        self.generation = self.reloads = self.refused = self.upgrades = 0
        self.chance = random.Random("%s server" % scene.seed)
        scene.world.secret("ops.secret", place.OPS)
        self.write(0)
        self.first = harness.Sluice(host, place.config(0, limit), ("10.10.0.4", 53))
        scene.timeline.generations.append((0, 0.0, 0.0))

    @property
    def pid(self):
        return self.first.pid

    def command(self, *argv):
        return self.first.command(*argv)

    # ---- files: each is written beside the old one and then renamed ----

    def put(self, name, text):
        os.rename(self.scene.world.write(name + ".new", text),
                  os.path.join(self.scene.world.dir, name))

    def write(self, generation, more=""):
        for name, text in place.zones(generation).items():
            self.put(name, text)
        self.put("sluice.conf", place.config(generation, self.limit, more))

    def write_fault(self, kind):
        config = place.config(self.generation + 1, self.limit)
        if kind == "syntax":
            config += "rulesets = ( {\n"
        elif kind == "reference":
            config = config.replace('"hub/out2" ]', '"hub/nowhere" ]')
        else:
            self.put("priv.zone", place.zones(0)["priv.zone"] + "h1 300 IN A 10.0.0.256\n")
        self.put("sluice.conf", config)

    # ---- deeds ----

    def do(self, deed):
        getattr(self, deed.replace("-", "_"))()

    def expect(self, what, found, fine):
        if not fine:
            self.scene.trouble("%s: %r" % (what, found))

    def changed(self, apply):
        """Writes the next generation and applies it; if it is not taken, writes the former one again."""
        begun = time.monotonic()
        self.write(self.generation + 1)
        if not apply():
            self.write(self.generation)
            return
        self.generation += 1
        self.scene.timeline.generations.append((self.generation, begun, time.monotonic()))

    def refuse(self, apply, fault=None):
        self.write_fault(fault or self.chance.choice(("syntax", "reference", "zone")))
        apply()
        self.refused += 1
        self.write(self.generation)

    def must(self, wanted, *argv):
        status, text = self.command(*argv)
        self.expect(" ".join(argv), (status, text), status == wanted)
        return status == wanted and text

    def reload(self):
        self.changed(lambda: self.must(0, "reload") is not False)
        self.reloads += 1

    def api_reload(self):
        def apply():
            found = call(self.scene, self.host, "POST", "/v1/reload", by_tcp=True)
            self.expect("POST /v1/reload", found, found[0] == 200)
            return found[0] == 200
        self.changed(apply)
        self.reloads += 1

    def sighup(self):
        text = place.address(place.BY_NOW, self.generation + 1)

        def served():
            answer = self.host.ask("10.10.0.4", "now.test", timeout=0.5)
            return answer is not None and answer.texts() == [text]

        def apply():
            self.first.signal(signal.SIGHUP)
            harness.wait_for(served, "SIGHUP to be obeyed", SEEN_S)
            return True
        self.changed(apply)
        self.reloads += 1

    def bad_syntax(self):
        self.refuse(lambda: self.must(1, "reload"), "syntax")

    def bad_reference(self):
        self.refuse(lambda: self.must(1, "reload"), "reference")

    def bad_zone(self):
        self.refuse(lambda: self.must(1, "reload"), "zone")

    def bad_sighup(self):
        def count():
            return self.first.log().count("still serving generation")
        before = count()

        def apply():
            self.first.signal(signal.SIGHUP)
            harness.wait_for(lambda: count() > before, "SIGHUP to be refused", SEEN_S)
        self.refuse(apply)

    def upgrade(self):
        def apply():
            text = self.must(0, "upgrade")
            if text is False:
                return False
            self.upgrades += 1
            return True
        self.changed(apply)

    def bad_upgrade(self):
        self.refuse(lambda: self.must(1, "upgrade"))

    def bad_binary(self):
        self.must(1, "upgrade", "--binary", "/bin/false")
        self.refused += 1

    def flush(self):
        self.must(0, "flush")

    def look(self):
        self.must(0, "status")
        self.must(0, "explain", "--vnet", "spoke", "u1." + place.rule_domain(5))

    # ---- the end ----

    def stop(self):
        status = self.first.stop(60)
        self.expect("the server ended", status, status == 0)


class Registrar:
    """Gives some address its next name, again and again, and notes when each change was acknowledged."""

    def __init__(self, scene, host):
        self.scene, self.host = scene, host
        self.chance = random.Random("%s ptr" % scene.seed)
        self.changed = self.not_taken = 0
        self.numbers = [0] * place.SLOTS
        for slot in range(place.SLOTS):
            found = call(scene, host, "PUT", "/v1/addresses/g/a%d" % slot,
                         {"address": place.slot_address(slot)})
            assert found[0] == 201, found
            self.change(slot)

    def change(self, slot):
        self.numbers[slot] += 1
        entry = [self.numbers[slot], time.monotonic(), None]
        self.scene.timeline.ptrs[slot].append(entry)
        try:
            status, text = call(
                self.scene, self.host, "PUT", "/v1/ptrs/" + place.slot_address(slot),
                {"reverse_fqdn": judge.ptr_name(slot, entry[0]), "ttl": self.chance.randint(1, 600)},
                by_tcp=self.chance.random() < 0.5)
        except (OSError, http.client.HTTPException):
            self.not_taken += 1  # perhaps it was: in an upgrade connections are closed
            return
        if status in (200, 201):
            entry[2] = time.monotonic()
            self.changed += 1
        elif status in (429, 503):
            self.not_taken += 1
        else:
            self.scene.trouble("a PTR: %d %s" % (status, text))

    def run(self, seconds):
        while time.monotonic() < self.scene.start + seconds:
            self.change(self.chance.randrange(place.SLOTS))
            time.sleep(self.chance.uniform(0, 0.1))
