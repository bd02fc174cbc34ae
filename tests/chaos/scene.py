"""The machines, the server, its clients and strangers, and a thread for every actor of the plan."""

import os
import shutil
import sys
import threading
import time

import abuse
import harness
import judge
import management
import place
import targets

HERE = os.path.dirname(os.path.abspath(__file__))
KEPT = os.path.join(harness.TOP, "build", "chaos")
LIMIT = 3000       # queries a second at an endpoint
FLOOD_RATE = 8000  # packets a second of a flood
LEAVING_S = 30     # in which a predecessor has gone, and strangers' connections are closed
RSS_MAX_KB = 200 << 10  # of an optimized build
# Each worker's pools of ports, for the endpoints' two sources and the default resolver's, and two lanes of
# two sockets a port; and the rest.
DESCRIPTORS_MAX = 2 * (3 + 2 * 2) * 1024 + 256
SAMPLE_S = 0.5


def resident_kb(pid):
    with open("/proc/%d/status" % pid) as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def descriptors(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


def kernel_drops(pid):
    """Packets that the kernel dropped for want of room, in the process's network."""
    with open("/proc/%d/net/snmp" % pid) as file:
        names, values = [line.split() for line in file if line.startswith("Udp:")]
    return int(values[names.index("RcvbufErrors")])


def backlog_drops():
    """And on the way there, on the whole machine."""
    with open("/proc/net/softnet_stat") as file:
        return sum(int(line.split()[1], 16) for line in file)


def connections(pid):
    """Of clients, established, in the server's network."""
    with open("/proc/%d/net/tcp" % pid) as file:
        rows = [line.split() for line in file][1:]
    return sum(row[1].endswith(":0035") and row[3] == "01" for row in rows)


def is_sluice(pid):
    try:
        return os.readlink("/proc/%d/exe" % pid) == os.path.realpath(harness.SLUICE)
    except OSError:
        return False


class Scene:
    def __init__(self, seed, seconds, rate):
        self.seed, self.seconds, self.rate = seed, seconds, rate
        self.troubles, self.lock = [], threading.Lock()
        self.timeline = judge.Timeline()
        self.world = harness.World()
        try:
            self.build()
        except BaseException:
            self.close()
            raise

    def build(self):
        world = self.world
        cloud = world.host("cloud", *place.CLOUD)
        self.people = world.host("people", *[row[0] for row in place.CLIENTS.values()])
        self.strangers = world.host("strangers", *place.STRANGERS)
        self.targets = [targets.Target(world, cloud, k, self.timeline)
                        for k in range(place.TARGETS + place.DEFAULTS)]
        self.server = management.Server(self, cloud, LIMIT)
        self.at_first = descriptors(self.server.pid)
        self.registrar = management.Registrar(self, cloud)
        self.logs, self.clients, self.stopped = [], [], threading.Event()
        self.rss_peak = self.descriptors_peak = 0

    def trouble(self, text):
        with self.lock:
            self.troubles.append(text)

    # ---- the play ----

    def sleep_until(self, seconds):
        time.sleep(max(0, self.start + seconds - time.monotonic()))

    def thread(self, work, *arguments):
        def guarded():
            try:
                work(*arguments)
            except Exception as error:  # it is told, and the rest goes on
                self.trouble("%s%r: %r" % (work.__qualname__, arguments[1:], error))
        thread = threading.Thread(target=guarded)
        thread.start()
        return thread

    def play(self, events):
        self.start = time.monotonic()
        for who in place.CLIENTS:
            self.logs.append(os.path.join(self.world.dir, "asked-%s.json" % who))
            self.clients.append(harness.Process(self.people, "client-" + who, [
                sys.executable, os.path.join(HERE, "client.py"), who, str(self.rate),
                str(self.start + self.seconds), str(self.seed), self.logs[-1]]))
        actors = {}
        for event in events:
            actors.setdefault(event[2], []).append(event)
        sampler = self.thread(self.sample)
        threads = [self.thread(self.registrar.run, self.seconds - 1)]
        threads += [self.thread(self.act, actor, own) for actor, own in actors.items()]
        for thread in threads:
            thread.join()
        for client in self.clients:
            if client.child.wait(self.seconds + 120) != 0:
                self.trouble("%s: %s" % (client.name, client.log()))
        self.stopped.set()
        sampler.join()
        for target in self.targets:
            if target.process.child.poll() is not None:
                self.trouble("%s has ended: %s" % (target.host.name, target.process.log()))

    def act(self, actor, events):
        kind, _, number = actor.partition(" ")
        work = {"target": lambda *e: self.targets[int(number)].misbehave(self, *e),
                "source": self.without_source, "flood": self.misuse, "tcp": self.misuse,
                "operator": lambda begin, end, deed, argument: self.server.do(deed)}[kind]
        for begin, end, _, deed, argument in events:
            self.sleep_until(begin)
            if kind in ("target", "operator"):
                self.timeline.deeds.append((time.monotonic(), deed))
            work(begin, end, deed, argument)

    def without_source(self, _, end, address, __):
        """An outbound endpoint's address is gone for a while."""
        span = [time.monotonic(), None]
        self.timeline.sources.append(span)
        harness.sh("ip", "-n", "cloud", "addr", "del", address + "/32", "dev", "eth0")
        self.sleep_until(end)
        self.server.host.add_address(address)
        span[1] = time.monotonic()

    def misuse(self, begin, end, kind, argument):
        servers = [row[1] for row in place.CLIENTS.values()]
        span = [time.monotonic(), None]
        if kind in abuse.TCP:
            self.timeline.tcp.append(span)
        if kind in abuse.UDP or kind == "pipelines":  # these are questions over the limit, too
            self.timeline.floods.append(span)
        process = harness.Process(self.strangers, "abuse-" + kind, [
            sys.executable, os.path.join(HERE, "abuse.py"), kind, servers[argument % len(servers)],
            str(end - begin), str(FLOOD_RATE), str(argument)])
        if process.child.wait(end - begin + 60) != 0:
            self.trouble("abuse %s: %s" % (kind, process.log()))
        span[1] = time.monotonic()

    def sample(self):
        """What the kernel drops and when, and what the server holds, until the end."""
        def drops():
            return (kernel_drops(self.server.pid) + kernel_drops(self.clients[0].child.pid)
                    + backlog_drops())
        before, since = drops(), time.monotonic()
        while not self.stopped.wait(SAMPLE_S):
            try:
                after, now = drops(), time.monotonic()
                self.rss_peak = max(self.rss_peak, resident_kb(self.server.pid))
                self.descriptors_peak = max(self.descriptors_peak, descriptors(self.server.pid))
            except (OSError, StopIteration):
                continue  # one has just left
            if after > before:
                self.timeline.drops.append([since, now])
            before, since = after, now

    # ---- the end ----

    def look_at_the_end(self):
        """Looks whether the server is as it should be, and tells how it is."""
        server = self.server

        def alone():
            running = [int(name) for name in os.listdir("/proc") if name.isdigit()
                       and is_sluice(int(name))]
            return (sorted(running) == sorted([server.first.child.pid, server.pid])
                    and connections(server.pid) == 0)
        try:
            harness.wait_for(alone, "predecessors and strangers to leave", LEAVING_S)
        except AssertionError as error:
            self.trouble("%s: %d connections" % (error, connections(server.pid)))
        rss, fds = resident_kb(server.pid), descriptors(server.pid)
        counters = server.first.status()["counters"]
        if "asan" not in harness.SLUICE and "tsan" not in harness.SLUICE and rss > RSS_MAX_KB:
            self.trouble("%d kB resident" % rss)
        if fds > DESCRIPTORS_MAX:
            self.trouble("%d descriptors" % fds)
        return ("server: process %d after %d upgrades, %d reloads, %d refused changes, %d PTRs changed "
                "(%d not taken); %.1f MB resident (most %.1f), %d descriptors (first %d, most %d)\n"
                "its last process: %s" % (
                    server.pid, server.upgrades, server.reloads, server.refused,
                    self.registrar.changed, self.registrar.not_taken, rss / 1024,
                    self.rss_peak / 1024, fds, self.at_first, self.descriptors_peak,
                    ", ".join("%s %d" % item for item in counters.items() if item[1])))

    def close(self):
        """Ends everything; the logs stay in build/chaos."""
        try:
            if getattr(self, "server", None):
                self.server.stop()
            shutil.copytree(self.world.dir, os.path.join(KEPT, "seed-%s" % self.seed),
                            dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.ctl*", "*.sock"))
            self.world.close()
        except (AssertionError, OSError) as error:
            self.trouble(str(error))
