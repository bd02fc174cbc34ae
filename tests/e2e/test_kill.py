"""The server is killed at random instants while its state is being changed: whatever it has
acknowledged is there after the next start, and is answered."""

import http.client
import json
import os
import random
import signal
import threading
import time

import harness
import test_reverse
from test_reverse import HERE, UnixConnection

KILLS, SLOTS = 200, 6
LIFE_MS = 60
ENOUGH_S = 60  # on a slow machine, fewer kills
KILLS_MIN = 20

# It is started as often as it is killed: the ordinary build starts in a fraction of the time.
harness.SLUICE = os.environ.get("SLUICE", os.path.join(harness.TOP, "build", "sluice"))


class Storm(threading.Thread):
    """Gives one address after the other the next name, by one connection, until that breaks."""

    def __init__(self, path, keys, number):
        super().__init__(daemon=True)
        self.path, self.keys, self.number = path, keys, number
        self.tried, self.acknowledged, self.refused = {}, {}, []

    def run(self):
        connection = UnixConnection(self.path)
        try:
            while True:
                for slot, key in enumerate(self.keys):
                    self.number += 1
                    self.tried[slot] = self.number
                    connection.request("PATCH", test_reverse.fip(key),
                                       json.dumps({"ptrdname": "n%d.example." % self.number}))
                    response = connection.getresponse()
                    response.read()
                    if response.status != 202:
                        self.refused.append(response.status)
                        return
                    self.acknowledged[slot] = self.number
        except (OSError, http.client.HTTPException):
            pass  # it was killed
        finally:
            connection.close()


class Kill(test_reverse.Reverse):
    def kill(self):
        self.sluice.signal(signal.SIGKILL)
        self.sluice.child.wait()
        self.sluice.expected = -signal.SIGKILL

    def number_of(self, slot):
        """Which name DNS gives the slot's address; 0: none."""
        message = self.host.ask((HERE, 53), test_reverse.reverse_name(self.address(slot)), "PTR")
        self.assertIn(message.rcode, ("NOERROR", "NXDOMAIN"))
        texts = message.texts()
        return int(texts[0][1:].split(".")[0]) if texts else 0

    @staticmethod
    def address(slot):
        return "198.51.100.%d" % (100 + slot)

    def test_what_was_acknowledged_outlives_a_kill_at_any_instant(self):
        chance = random.Random(4)
        for slot in range(SLOTS):
            self.good("PUT", "/v1/addresses/g/a%d" % slot, {"address": self.address(slot)}, 201)
        keys = [self.key_of("a%d" % slot, "g") for slot in range(SLOTS)]
        path = os.path.join(self.world.dir, "control.sock")
        kept, number, kills, acknowledged = [0] * SLOTS, 0, 0, 0
        end = time.monotonic() + ENOUGH_S
        while kills <= KILLS_MIN or acknowledged <= kills or (
                kills < KILLS and time.monotonic() < end):
            storm = Storm(path, keys, number)
            storm.start()
            time.sleep(chance.uniform(0, LIFE_MS) / 1000)
            self.kill()
            storm.join(60)
            self.assertFalse(storm.is_alive())
            self.assertEqual([], storm.refused)
            self.start()
            for slot in range(SLOTS):
                found = self.number_of(slot)
                least = storm.acknowledged.get(slot, kept[slot])
                # The last one may have been on its way.
                self.assertIn(found, (least, storm.tried.get(slot, least)))
                kept[slot] = found
            number, kills = storm.number, kills + 1
            acknowledged += len(storm.acknowledged)


if __name__ == "__main__":
    harness.main()
