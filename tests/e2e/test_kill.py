"""The server is killed at random instants while its state is being changed in every way: whatever it
has acknowledged is there after the next start, and is answered; what it has not is there whole, or
not at all."""

import http.client
import json
import os
import random
import threading
import time

import harness
import test_reverse
from test_reverse import HERE

# It is started as often as it is killed, which takes long under valgrind and ThreadSanitizer.
TOOL = os.environ.get("VALGRIND") or "tsan" in os.environ.get("SLUICE", "")
KILLS = 20 if TOOL else 200
LIFE_MS = 60
SLOTS, PAIR, COMING = range(6), (6, 7), 8
LABEL = "coming"
OUTSIDE = "198.51.100.11"  # where every name leads that is not ours


def address(slot):
    return "198.51.100.%d" % (100 + slot)


def ptr_name(number):
    return "n%d.example." % number


class Storm(threading.Thread):
    """One change after the other by one connection, until that breaks. Each of them leaves a number
    in the name that some slots have; 0: no PTR."""

    def __init__(self, path, number):
        super().__init__(daemon=True)
        self.path, self.number = path, number
        self.tried, self.acknowledged, self.refused = {}, {}, []

    def run(self):
        connection = harness.UnixConnection(self.path)
        try:
            while not self.refused:
                self.number += 1
                slots, is_there, method, path, body, status = self.change()
                left = dict.fromkeys(slots, self.number if is_there else 0)
                self.tried.update(left)
                connection.request(method, path, body and json.dumps(body),
                                   {"Content-Type": "application/json"})
                response = connection.getresponse()
                text = response.read()
                if response.status == status:
                    self.acknowledged.update(left)
                else:
                    self.refused.append((response.status, text))
        except (OSError, http.client.HTTPException):
            pass  # it was killed
        finally:
            connection.close()


class Names(Storm):
    """Addresses get other names."""

    def __init__(self, path, number, keys):
        super().__init__(path, number)
        self.keys = keys

    def change(self):
        slot = self.number % len(SLOTS)
        return [slot], True, "PATCH", test_reverse.fip(self.keys[slot]), {
            "ptrdname": ptr_name(self.number)}, 202


class Pairs(Storm):
    """Two addresses get the same name, or none, at once."""

    def change(self):
        is_there = self.number % 3 > 0
        return PAIR, is_there, "POST", "/v1/ptrs", [
            {"address": address(slot), "reverse_fqdn": ptr_name(self.number) if is_there else None}
            for slot in PAIR], 200


class Comings(Storm):
    """An address comes with both of its names, and goes."""

    def __init__(self, path, number, is_there):
        super().__init__(path, number)
        self.is_there = is_there

    def change(self):
        self.is_there = not self.is_there
        way = "/v1/addresses/g/" + LABEL
        return [COMING], self.is_there, *(
            ("PUT", way, {"address": address(COMING), "domain_name_label": LABEL,
                          "reverse_fqdn": ptr_name(self.number)}, 201)
            if self.is_there else ("DELETE", way, None, 204))


class Kill(test_reverse.Reverse):
    def asked(self, name, type_):
        message = self.host.ask((HERE, 53), name, type_)
        self.assertIn(message.rcode, ("NOERROR", "NXDOMAIN"))
        return message

    def number_of(self, slot):
        """Which name DNS gives the slot's address; 0: none."""
        texts = self.asked(harness.reverse_name(address(slot)), "PTR").texts()
        return int(texts[0][1:].split(".")[0]) if texts else 0

    def storms(self, kept, keys, number):
        path = os.path.join(self.world.dir, "control.sock")
        return [Names(path, number, keys), Pairs(path, number),
                Comings(path, number, kept[COMING] > 0)]

    def look(self, storm, kept):
        for slot in storm.tried:
            found = self.number_of(slot)
            least = storm.acknowledged.get(slot, kept[slot])
            # The last one may have been on its way.
            self.assertIn(found, (least, storm.tried[slot]))
            kept[slot] = found

    def test_what_was_acknowledged_outlives_200_kills_at_any_instant(self):
        chance = random.Random(4)
        for slot in (*SLOTS, *PAIR):
            self.good("PUT", "/v1/addresses/g/a%d" % slot, {"address": address(slot)}, 201)
        keys = [self.key_of("a%d" % slot, "g") for slot in SLOTS]
        kept, number = dict.fromkeys((*SLOTS, *PAIR, COMING), 0), 0
        kills, acknowledged = 0, [0, 0, 0]
        # On a busy machine on and on, and longer, until each kind has had its turn.
        while kills < KILLS or min(acknowledged) <= KILLS // 10:
            storms = self.storms(kept, keys, number)
            for storm in storms:
                storm.start()
            time.sleep(chance.uniform(0, LIFE_MS << kills // KILLS) / 1000)
            self.sluice.kill()
            for storm in storms:
                storm.join(60)
                self.assertFalse(storm.is_alive())
                self.assertEqual([], storm.refused)
            self.start()
            for storm in storms:
                self.look(storm, kept)
            self.assertEqual(kept[PAIR[0]], kept[PAIR[1]])
            forward = self.asked("%s.westeurope.cloudapp.azure.com." % LABEL, "A").texts()
            self.assertEqual([address(COMING) if kept[COMING] else OUTSIDE], forward)
            number, kills = max(storm.number for storm in storms), kills + 1
            acknowledged = [a + len(s.acknowledged) for a, s in zip(acknowledged, storms)]


if __name__ == "__main__":
    harness.main()
