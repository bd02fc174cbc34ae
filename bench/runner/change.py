"""What clients notice of a server that is killed, reloaded, or replaced by another: each function that
measures is one repetition, and gives its figures."""

import os
import shutil
import signal
import subprocess
import time

from runner.api import Api
from runner.asking import Asking, noted_load, notes
from runner.configs import PORT, Shape, address, owned_address, sluice, write, zone_file
from runner.machine import PROGRAM
from runner.process import BOTH_CORES, UPSTREAM_PORT, BenchError, Load, on_cores
from runner.targets import Targets

SHAPE = Shape()  # 1000 rules and a zone of 1000 hosts
RATE, SLOW_RATE, WARM_S = 20_000, 1000, 0.5
KILL_S, PATIENCE_S = 1.5, 1  # from one kill -9 to the next; an answer that takes longer than PATIENCE_S is lost
RELOAD_S, EDIT_S, UPGRADE_S = 0.5, 5.0, 1.0  # from one change of its kind to the next
STATE = Shape(ptrs=100)  # like SHAPE, with a state that has a few addresses
MANY = 100_000  # edits in one request


def again():
    """Milliseconds from kill -9 of the server until the next server, which the master starts, has answered
    for a host of the zone and for a forwarded name."""
    with Targets(1, UPSTREAM_PORT), sluice(SHAPE) as server, Asking() as asking:
        asking.wait("h0.priv.test", address(0))
        start = time.monotonic()
        os.kill(server.pid, signal.SIGKILL)
        asking.wait("h513.priv.test", address(513))
        asking.wait("u7.r9.corp.test", address(7))
        return (time.monotonic() - start) * 1e3


def killed(seconds, rate):
    """The mixed load, while the server is killed now and then. Of the questions without a right answer,
    `held` counts those that came within PATIENCE_S before a kill, so that the killed server may have
    had them, and `lost` counts the others. `max_ms` is the longest time until a right answer."""
    kills = []
    with sluice(SHAPE, BOTH_CORES) as server:
        with noted_load(server, "mixed", "--fill", "--rate", rate, "--naps", "--warm", WARM_S,
                        "--seconds", seconds, "--timeout-ms", PATIENCE_S * 1000,
                        server_may_end=True) as run:
            while run.runs():
                time.sleep(KILL_S)
                if run.runs():
                    kills.append(time.monotonic())
                    os.kill(server.pid, signal.SIGKILL)
            run.result()
    found = notes()
    lost = [note.sent for note in found if note.found != "right"]
    held = [sent for sent in lost if any(0 <= kill - sent < PATIENCE_S for kill in kills)]
    return {"asked": len(found), "held": len(held), "lost": len(lost) - len(held),
            "max_ms": max(note.took_ms for note in found if note.found == "right")}


def restart(seconds):
    slow, fast = killed(seconds, SLOW_RATE), killed(seconds, RATE)
    return {"serving_ms": again(), "asked": slow["asked"], "failed": slow["lost"],
            "held": slow["held"], "max_ms": slow["max_ms"], "fast_asked": fast["asked"],
            "fast_failed": fast["lost"], "fast_held": fast["held"], "fast_max_ms": fast["max_ms"]}


class Nothing:
    """No change, for comparison."""
    every_s = RELOAD_S

    def __init__(self):
        self.took_ms = []

    def make(self):
        pass

    def end(self):
        """Puts the state back as it was."""


class Reloads(Nothing):
    """Each reload finds another rule than the one before, and a zone file that looks changed. The files
    are written ahead, and a reload starts no process: the runner shares the load's core, and time that
    the runner takes there would count as the server's."""

    def __init__(self, every_s=RELOAD_S):
        super().__init__()
        self.every_s = every_s
        self.config, self.ahead = write(SHAPE, PORT), []
        text = self.config.read_text()
        for name in ("this", "that"):
            rule = '    { name = "%s"; domain = "%s.test."; targets = ( { address = "127.0.0.1";' \
                   ' port = %d; } ); },\n' % (name, name, UPSTREAM_PORT)
            self.ahead.append(self.config.with_suffix("." + name))
            self.ahead[-1].write_text(text.replace("  rules = (\n", "  rules = (\n" + rule))
        self.api = Api(SHAPE.socket())

    def make(self):
        new = self.config.with_suffix(".new")
        shutil.copyfile(self.ahead[len(self.took_ms) % 2], new)
        new.rename(self.config)
        os.utime(zone_file(SHAPE.hosts))
        start = time.monotonic()
        self.api.call("POST", "/v1/reload")
        self.took_ms.append((time.monotonic() - start) * 1e3)
        self.api.close()  # the server may close an idle connection before the next reload of edit()


class Rules(Nothing):
    """Changes one rule of the state, in a ruleset that also has 1000 rules of the file. The rule gets
    another description each time."""

    def __init__(self, every_s):
        super().__init__()
        self.every_s, self.api = every_s, Api(STATE.socket())

    def make(self):
        start = time.monotonic()
        self.api.call("PUT", "/v1/rulesets/-/load/rules/changed", {
            "domain": "changed.test.", "description": str(len(self.took_ms)),
            "targets": [{"address": "127.0.0.1", "port": UPSTREAM_PORT}]})
        self.took_ms.append((time.monotonic() - start) * 1e3)
        if self.every_s > RELOAD_S:
            self.api.close()  # the server may close it in a long pause

    def end(self):
        self.api.call("DELETE", "/v1/rulesets/-/load/rules/changed")


class Many(Nothing):
    """100,000 PTRs in one request, one such request after the other. What is sent is made ahead."""

    def __init__(self):
        super().__init__()
        self.api = Api(Shape(ptrs=MANY).socket())
        self.ahead = ["address,reverse_fqdn\n" + "".join(
            "%s,%s%d.priv.test.\n" % (owned_address(n), letter, n) for n in range(MANY)) for letter in "xh"]

    def make(self):
        start = time.monotonic()
        self.api.call("POST", "/v1/ptrs", self.ahead[len(self.took_ms) % 2])
        self.took_ms.append((time.monotonic() - start) * 1e3)
        self.api.close()

    def end(self):
        if len(self.took_ms) % 2:
            self.make()


class Upgrades(Nothing):
    """To the same program, which begins with an empty cache."""
    every_s = UPGRADE_S

    def make(self):
        start = time.monotonic()
        done = subprocess.run([str(PROGRAM["sluice"]), "upgrade", "-c", str(write(SHAPE, PORT))],
                              capture_output=True, text=True, timeout=60, preexec_fn=on_cores(BOTH_CORES))
        if done.returncode != 0:
            raise BenchError("an upgrade failed: " + done.stdout + done.stderr)
        self.took_ms.append((time.monotonic() - start) * 1e3)


def paced(seconds, changes, shape):
    """The mixed load, while changes are made. The server has both cores, so it can work on a change
    beside answering."""
    with sluice(shape, BOTH_CORES) as server:
        with Load(server, "mixed", "--fill", "--rate", RATE, "--naps", "--warm", WARM_S,
                  "--seconds", seconds, server_may_end=True) as run:
            with Asking() as asking:
                asking.wait("h0.priv.test", address(0))
            due = time.monotonic()
            while run.runs():
                due = max(due + changes.every_s, time.monotonic())
                time.sleep(max(0, due - time.monotonic()))
                if run.runs():
                    changes.make()
            result = run.result()
        changes.end()
        return result


def failed(result):
    return result["lost"] + result["wrong"] + result["withheld"]


def beside(seconds, changes, shape=SHAPE):
    """The figures of two paced loads, one without and one with changes. `asked` and `failed` are those of
    the load with changes."""
    before, found = paced(seconds, Nothing(), shape), paced(seconds, changes, shape)
    if failed(before):
        raise BenchError("%d failed with nothing changed: this machine is too busy to tell"
                         % failed(before))
    return {"asked": found["sent"], "failed": failed(found),
            "slipped": before["slipped"] + found["slipped"],
            "without_p50_us": before["latency_us"]["p50"], "p50_us": found["latency_us"]["p50"],
            "without_p99_us": before["latency_us"]["p99"], "p99_us": found["latency_us"]["p99"],
            "max_ms": found["latency_us"]["max"] / 1e3,
            "without_p999_us": before["latency_us"]["p999"], "p999_us": found["latency_us"]["p999"],
            **{p + "_ratio": found["latency_us"][p] / before["latency_us"][p]
               for p in ("p50", "p99", "p999")},
            "without_forwarded": before["upstream"] / before["sent"],
            "forwarded": found["upstream"] / found["sent"],
            "without_lateness_p99_us": before["lateness_us"]["p99"],
            "lateness_p99_us": found["lateness_us"]["p99"],
            "changes": len(changes.took_ms), "change_ms": max(changes.took_ms)}


def reload(seconds):
    return beside(seconds, Reloads())


def edit(seconds):
    return beside(seconds, Reloads(EDIT_S))


def upgrade(seconds):
    return beside(seconds, Upgrades())


def rule(seconds, every_s):
    return beside(seconds, Rules(every_s), STATE)


def many(seconds):
    return beside(seconds, Many(), Shape(ptrs=MANY))
