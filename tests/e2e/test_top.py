"""`sluice top`: on a terminal (a pty) it follows the server, and gives the terminal back whatever ends it."""

import codecs
import contextlib
import json
import os
import pty
import re
import select
import signal
import socketserver
import subprocess
import termios
import threading

import dns
import harness
import test_metrics
from test_metrics import SERVER, config, rule

TAKEN, GIVEN = "\x1b[?1049h", "\x1b[?1049l"
ESCAPE = re.compile(r"\x1b\[([?0-9;]*)([a-zA-Z])")
CUT_OFF = re.compile(r"\x1b(\[[?0-9;]*)?\Z")
PAGE, LINES_END, HEIGHT_MIN = "\x1b[H", "\x1b[K", 4


class Screen:
    """As much of a terminal as `top` needs: what is written where, cut at the right edge."""

    def __init__(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.clear()
        self.colours = self.wrapped = False
        self.modes = {}

    def clear(self):
        self.lines = [[" "] * self.columns for _ in range(self.rows)]
        self.row = self.column = 0

    def control(self, numbers, letter):
        if letter == "H":
            self.row = self.column = 0
        elif letter == "J":
            self.clear()
        elif letter == "K":
            self.lines[self.row][self.column:] = [" "] * (self.columns - self.column)
        elif letter == "m":
            self.colours = True
        elif letter in "hl" and numbers.startswith("?"):
            self.modes[numbers] = letter == "h"
        else:
            raise AssertionError("what is ESC[%s%s?" % (numbers, letter))

    def write(self, text):
        at = 0
        while at < len(text):
            found = ESCAPE.match(text, at)
            if found:
                self.control(*found.groups())
                at = found.end()
                continue
            if text[at] == "\n":
                self.row += 1
                self.wrapped = self.wrapped or self.row >= self.rows  # it has scrolled
                self.row = min(self.row, self.rows - 1)
            elif text[at] == "\r":
                self.column = 0
            elif self.column >= self.columns:
                self.wrapped = True
            else:
                self.lines[self.row][self.column] = text[at]
                self.column += 1
            at += 1

    def text(self):
        return "\n".join("".join(line).rstrip() for line in self.lines)


class Top:
    """`sluice top` on a terminal of its own."""

    def __init__(self, sluice, *options, rows=40, columns=100, **environment):
        looked = os.pipe()
        with sluice.host.inside():
            self.child, self.terminal = pty.fork()
            if self.child == 0:
                os.read(looked[0], 1)  # it changes what `before` has
                os.environ.update({"TERM": "xterm", **environment})
                termios.tcsetwinsize(0, (rows, columns))
                os.execv(harness.SLUICE, [harness.SLUICE, "top", "-c", sluice.config, *options])
        self.before = termios.tcgetattr(self.terminal)
        os.write(looked[1], b"x")
        for end in looked:
            os.close(end)
        self.screen = Screen(rows, columns)
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.raw = self.rest = ""
        self.status = None

    def read(self):
        while select.select([self.terminal], [], [], 0)[0]:
            try:
                text = self.rest + self.decoder.decode(os.read(self.terminal, 65536))
            except OSError:  # it has ended
                break
            self.rest = "".join(found.group() for found in CUT_OFF.finditer(text))
            text = text[:len(text) - len(self.rest)]
            self.raw += text
            self.screen.write(text)
        return self.screen.text()

    def is_whole(self):
        """All of the last page has come, and it is of the size that the terminal has now."""
        return self.raw.count(LINES_END, max(self.raw.rfind(PAGE), 0)) == max(self.screen.rows, HEIGHT_MIN)

    def wait(self, text, absent=False):
        try:
            harness.wait_for(lambda: (text in self.read()) != absent and self.is_whole(), "top to show %r" % text)
        except AssertionError as error:
            raise AssertionError("%s; it shows:\n%s" % (error, self.screen.text())) from None
        return self.screen.text()

    def press(self, keys):
        os.write(self.terminal, keys.encode())

    def resize(self, rows, columns):
        self.read()
        self.screen = Screen(rows, columns)
        termios.tcsetwinsize(self.terminal, (rows, columns))

    def has_ended(self):
        self.read()
        if self.status is None:
            pid, status = os.waitpid(self.child, os.WNOHANG)
            self.status = status if pid else None
        return self.status is not None

    def end(self):
        harness.wait_for(self.has_ended, "top to end:\n" + self.screen.text())
        self.read()
        return self.status

    def close(self):
        if self.status is None:
            os.kill(self.child, signal.SIGKILL)
            os.waitpid(self.child, 0)
        os.close(self.terminal)


class World(test_metrics.World):
    def fake(self, status, history, events):
        answers = {"status": status, "history": history, "events": events}
        return harness.FakeServer(os.path.join(self.world.dir, "fake.sock"), lambda name, _: answers[name])

    def top(self, *options, **how):
        top = Top(self.sluice, *options, **how)
        self.addCleanup(top.close)
        return top

    def assert_given_back(self, top):
        self.assertEqual(TAKEN, top.raw[top.raw.index(TAKEN):][:len(TAKEN)])
        self.assertGreater(top.raw.rindex(GIVEN), top.raw.rindex(TAKEN))
        self.assertEqual({"?1049": False, "?25": True, "?7": True}, top.screen.modes)
        self.assertEqual(top.before[3], termios.tcgetattr(top.terminal)[3]) # echo, and lines

    def answers(self):
        found = []
        for path in ("status", "history?span=minute", "events"):
            with contextlib.closing(harness.UnixConnection(self.sluice.socket)) as connection:
                connection.request("GET", "/v1/" + path)
                found.append(json.loads(connection.getresponse().read()))
        return found

    def plain(self, *options, **environment):
        """As one page, into a pipe."""
        result = subprocess.run([harness.SLUICE, "top", "-c", self.sluice.config, *options],
                                capture_output=True, text=True, timeout=2 * dns.PATIENCE,
                                stdin=subprocess.DEVNULL, env={**os.environ, **environment}, check=False)
        self.assertEqual((0, ""), (result.returncode, result.stderr))
        return result.stdout


class Between(socketserver.ThreadingUnixStreamServer):
    """In front of a server's control socket: says as often as `busy` that the server is."""
    daemon_threads = True

    def __init__(self, path, server):
        self.to, self.busy = server, 0
        super().__init__(path, BetweenRequest)


class BetweenRequest(socketserver.StreamRequestHandler):
    def handle(self):
        head = b"".join(iter(self.rfile.readline, b"\r\n"))
        if self.server.busy > 0:
            self.server.busy -= 1
            body = b'{"error":{"code":"service_unavailable","message":"an upgrade is under way","path":null}}'
            self.answer(b"503 Service Unavailable", body)
            return
        connection = harness.UnixConnection(self.server.to)
        connection.request("GET", head.split()[1].decode())
        body = connection.getresponse().read()
        connection.close()
        self.answer(b"200 OK", body)

    def answer(self, status, body):
        self.wfile.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))


class Live(World):
    def test_it_follows_what_happens_and_ends_at_q(self):
        top = self.top("--interval", "0.5")
        text = top.wait("The one rule can be answered.")
        self.assertRegex(text, r"^sluice \d\S*, up 0 d 00:00:\d\d, generation 1, rates of the last 1 s\n")
        self.assertRegex(text, r"\nENDPOINT +Q/S +SERVFAIL/S +OVER LIMIT/S\nr/in +")
        self.assertRegex(text, r"\nTARGET +RTT MS +Q/S +FAILED/S +RULES +STATE\n(.*\n)?192\.168\.0\.1:53 ")
        self.assertRegex(text, "serving +sluice")
        self.assertRegex(text, "q quit  o all")
        numbers = iter(range(10000))

        def is_counted():
            self.ask("x%d.n1.test" % next(numbers), "192.0.2.1")
            return re.search(r"^r/in +[1-9]", top.read(), re.M) and \
                re.search(r"^192\.168\.0\.1:53 +\d\S* +[0-9.]*[1-9].* up$", top.read(), re.M)
        harness.wait_for(is_counted, "its queries to be shown")
        top.press("q")
        self.assertEqual(0, top.end())
        self.assertFalse(top.screen.wrapped)
        self.assert_given_back(top)

    def test_what_fails_is_told_first(self):
        top = self.top("--interval", "0.2")
        top.wait("The one rule")
        self.target.signal(signal.SIGSTOP)
        self.addCleanup(self.target.signal, signal.SIGCONT)
        numbers = iter(range(10000))

        def is_told():
            with contextlib.closing(self.cloud.begin(SERVER, "x%d.n1.test" % next(numbers))):
                return "1 rule cannot be answered, since" in top.read()
        harness.wait_for(is_told, "the judgement")
        text = top.wait("does not answer since")
        self.assertRegex(text, r"\nRULES THAT CANNOT BE ANSWERED\nonprem/rule1\n")
        self.assertRegex(text, r"\nTARGET .*\n192\.168\.0\.1:53 .* does not answer since \d\d:\d\d:\d\dZ")
        top.wait("is suspect, for") # the event
        status = self.sluice.status()
        self.assertEqual({"good": False, "texts": [" ".join(text.split("\n")[1:3])], "notes": []}, status["judgement"])

    def test_a_key_gives_one_part_all_the_room(self):
        top = self.top("--interval", "60", rows=12)
        top.wait("sluice")
        for key, title in (("t", "TARGET "), ("n", "ENDPOINT "), ("s", "ANSWERS "), ("d", "DECIDED BY "),
                           ("e", "EVENTS")):
            top.press(key)
            top.wait("\n\n" + title)
            for other in {"TARGET ", "ENDPOINT ", "ANSWERS ", "DECIDED BY ", "EVENTS"} - {title}:
                top.wait("\n\n" + other, absent=True)
        top.press("r")
        top.wait("RULES THAT CANNOT BE ANSWERED: none")
        top.press("o")
        top.wait("RULES THAT CANNOT BE ANSWERED", absent=True)
        self.assertFalse(top.screen.wrapped)

    def test_it_fits_whatever_the_size_is(self):
        self.reload(config(rules=[rule(n, "192.168.0.%d" % (10 + n)) for n in range(30)]))
        top = self.top("--interval", "60")
        text = top.wait("TARGET (10 of 3")
        self.assertRegex(text, r"\n\n") # with blank lines between, where there is room
        for rows, columns in ((24, 60), (10, 40), (5, 20), (24, 80), (3, 12), (60, 200)):
            top.resize(rows, columns)
            text = top.wait("sluice")
            if rows == 24:
                top.wait("\nTARGET ")
                for title in ("ENDPOINT ", "ANSWERS ", "DECIDED BY ", "EVENTS"):
                    self.assertIn("\n" + title, top.screen.text())
            if rows >= 10:
                top.wait("q quit")
                self.assertIn("All 30 rules", text)
            if rows >= 5:
                self.assertFalse(top.screen.wrapped, text)
        top.wait("EVENTS")
        top.press("t")
        text = top.wait("192.168.0.39:53")
        self.assertNotIn(" of 3", text) # they all fit

    def test_a_long_sentence_has_more_than_one_line(self):
        status, history, events = self.answers()
        long = "12 rules cannot be answered: " + ", ".join("office/rule%d" % n for n in range(12)) + "."
        status["judgement"] = {"good": False, "texts": [long]}
        with self.fake(status, history, events) as fake:
            top = self.top("--socket", fake.path, columns=80)
            self.assertIn(long, top.wait("q quit").replace("\n", " "))
            self.assertFalse(top.screen.wrapped)

    def test_each_signal_gives_the_terminal_back(self):
        for number, keys in ((signal.SIGINT, "\x03"), (signal.SIGTERM, None), (signal.SIGHUP, None)):
            top = self.top()
            top.wait("sluice")
            if keys:
                top.press(keys)
            else:
                os.kill(top.child, number)
            self.assertEqual(number, os.WTERMSIG(top.end()))
            self.assert_given_back(top)

    def test_it_can_be_suspended(self):
        top = self.top("--interval", "60")
        top.wait("q quit")
        for _ in range(20):  # some of them between a page and the wait for a key
            top.press("\x1a")
            harness.wait_for(lambda: harness.state_of(str(top.child)) == "T", "it to stop")
            top.read()
            self.assert_given_back(top)
            top.screen.clear()
            os.kill(top.child, signal.SIGCONT)
            top.wait("q quit")
            self.assertTrue(top.screen.modes["?1049"])

    def test_it_ends_with_the_server_and_says_why(self):
        top = self.top("--interval", "0.2")
        top.wait("sluice")
        self.sluice.stop()
        self.assertEqual(1, os.WEXITSTATUS(top.end()))
        self.assert_given_back(top)
        self.assertRegex(top.raw[top.raw.rindex(GIVEN):], r"sluice top: .*sluice\.sock")

    def test_it_goes_on_through_an_upgrade(self):
        top = self.top("--interval", "0.1")
        top.wait("serving  ")
        self.assertEqual(0, self.sluice.command("upgrade")[0])
        top.wait("has taken over")
        top.wait("The one rule can be answered.")
        top.press("q")
        self.assertEqual(0, top.end())

    def test_it_waits_for_a_server_that_asks_it_to_try_again(self):
        """What a server that is being replaced answers."""
        between = Between(os.path.join(self.world.dir, "between.sock"), self.sluice.socket)
        self.addCleanup(between.server_close)
        threading.Thread(target=between.serve_forever, daemon=True).start()
        self.addCleanup(between.shutdown)
        top = self.top("--interval", "0.1", "--socket", between.server_address)
        top.wait("serving  ")
        between.busy = 3
        harness.wait_for(lambda: between.busy == 0, "three answers of a busy server")
        self.assertEqual(0, self.sluice.command("reload")[0])
        top.wait("generation 2,")
        top.press("q")
        self.assertEqual(0, top.end())

    def test_no_color_is_respected(self):
        coloured, plain = self.top(), self.top(NO_COLOR="1")
        for top in (coloured, plain):
            top.wait("q quit")
        self.assertEqual((True, False), (coloured.screen.colours, plain.screen.colours))


class Once(World):
    config = config(rules=(rule(1), rule(2)))

    def test_where_there_is_no_terminal_it_is_one_page(self):
        text = self.plain()
        self.assertNotIn("\x1b", text)
        self.assertRegex(text, r"^sluice \d.*\nAll 2 rules can be answered\.\n")
        for title in ("TARGET", "ENDPOINT", "ANSWERS", "DECIDED BY", "EVENTS"):
            self.assertIn("\n\n" + title, text)
        self.assertRegex(text, r"\nDECIDED BY +Q/S\n(.*\n)*ruleset onprem +")
        self.assertNotIn("q quit", text)

    def test_it_is_one_page_with_once_and_on_a_dumb_terminal(self):
        for top in (self.top("--once"), self.top(TERM="dumb")):
            self.assertEqual(0, top.end())
            self.assertNotIn("\x1b", top.raw)
            self.assertIn("All 2 rules can be answered.", top.raw)

    def test_names_from_elsewhere_are_shown_and_nothing_else(self):
        """The server lets none of these in; another one may."""
        hostile, visible = "a\x1b[2J\r\n\u202eb", r"a\x1b[2J\x0d\x0a\u{202e}b"
        status, history, _ = self.answers()
        status["judgement"] = {"good": False, "texts": [hostile]}
        status["unanswered"] = {"count": 1, "rules": [hostile]}
        status["targets"][0].update(host=hostile, state=hostile, says=hostile)
        for kind in ("endpoints", "sources", "classes"):
            history[kind][0]["name"] = hostile
        event = {"id": 1, "time": hostile, "level": "info", "event": hostile, "text": hostile}
        with self.fake(status, history, {"events": [event]}) as fake:
            text = self.plain("--socket", fake.path)
            self.assertNotRegex(text, "[\x1b\r\u202e]")
            self.assertEqual(10, text.count(visible), text)
            top = self.top("--socket", fake.path)
            top.wait(visible)
            self.assertNotIn("\u202e", top.raw)
            self.assertFalse(top.screen.wrapped)

    def test_whatever_is_missing_is_shown_as_such(self):
        with self.fake({"targets": [{}, 1]}, {"targets": [{}], "endpoints": [{}, 5, None]}, []) as fake:
            text = self.plain("--socket", fake.path)
            self.assertIn("\nENDPOINT  Q/S", text)

    def test_an_address_that_is_gone_is_a_sentence_of_its_own(self):
        harness.sh("ip", "-n", "cloud", "addr", "del", "10.10.0.20/32", "dev", "eth0")
        judgement = self.sluice.status()["judgement"]
        self.assertEqual({"good": False, "notes": [],
                          "texts": ["2 rules cannot be answered: onprem/rule1, onprem/rule2 (no interface has 10.10.0.20).",
                                    "No interface has 10.10.0.20, the source of r/out."]}, judgement)
        self.assertIn("\n".join(judgement["texts"]), self.plain())

    def test_an_interval_that_does_not_fit_is_told_so(self):
        for text in ("0", "x", "1s", "61", "nan"):
            status, printed = self.sluice.command("top", "--interval", text)
            self.assertEqual(2, status)
            self.assertIn("give seconds, 0.1 to 60", printed)
        self.assertEqual(["--config", "--socket", "--interval", "--once"],
                         [word for word in self.sluice.completed("top", "--")])

    def test_without_a_server_it_says_so(self):
        self.sluice.stop()
        status, printed = self.sluice.command("top")
        self.assertEqual(1, status)
        self.assertRegex(printed, r"^sluice top: .*sluice\.sock")


if __name__ == "__main__":
    harness.main()
