"""A target on a machine of its own, and how it and the way to it are made to fail and mended. What is
done to it is in the timeline from before it is done to after it is undone."""

import os
import signal
import socket
import sys
import time

import harness
import place
import plan

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "target.py")


class Target:
    def __init__(self, world, cloud, number, timeline):
        self.number, self.cloud, self.timeline = number, cloud, timeline
        self.address, self.other = place.target_address(number), "192.168.1.%d" % (100 + number)
        self.host = world.host("t%d" % number, self.address, self.other)
        self.control = os.path.join(world.dir, "target-%d.ctl" % number)
        self.start()

    def start(self):
        first = place.BY_RULE if self.number < place.TARGETS else place.BY_DEFAULT
        self.process = harness.Process(self.host, "target", [
            sys.executable, PROGRAM, self.address, self.other, str(first), self.control])
        self.process.wait_ready((self.address, 53))

    def kill(self):
        self.process.signal(signal.SIGKILL)
        self.process.child.wait()

    def mode(self, text):
        """Comes back when it holds."""
        path = self.control + ".back"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.bind(path)
            try:
                sock.settimeout(20)
                sock.sendto(text.encode(), self.control)
                sock.recv(100)
            finally:
                os.unlink(path)

    def link(self, state):
        harness.sh("ip", "link", "set", self.host.link, state)

    def route(self, verb, kind):
        harness.sh("ip", "-n", self.cloud.name, "route", verb, kind, self.address + "/32")

    def misbehave(self, scene, begin, end, deed, argument):
        ways = {
            "kill": (self.kill, self.start),
            "stop": (lambda: self.process.signal(signal.SIGSTOP),
                     lambda: self.process.signal(signal.SIGCONT)),
            "link": (lambda: self.link("down"), lambda: self.link("up")),
            "unreachable": (lambda: self.route("add", deed), lambda: self.route("del", deed)),
            "blackhole": (lambda: self.route("add", deed), lambda: self.route("del", deed)),
        }
        spoil, mend = ways.get(deed, (lambda: self.mode("%s %d" % (deed, argument)),
                                      lambda: self.mode("good")))
        span = [time.monotonic(), None]
        if deed not in plan.HARMLESS:
            self.timeline.bad[self.number].append(span)
        spoil()
        scene.sleep_until(end)
        mend()
        span[1] = time.monotonic()
