"""Reads a guide of etc/guide, and does what it says: every block, in order, on the machines that it names.

A guide is Markdown, and a block in it is one of

    ```console            what is typed, behind HOST# (root) or HOST$ (anybody), and what is printed then,
                          where the guide shows that. `\` at its end continues a line, <<END goes on to END
    ```conf, ```zone ...  a file. The paragraph ahead of it ends with `HOST:/PATH`: or `/PATH`: (of the
                          guide's first machine); with the word "add" in it the block is added to its end
    <!-- not run: REASON -->   ahead of a console block: it is shown only, and its commands are counted

and there is no other, so that nothing in a guide goes unread. A command must exit with 0, and print what is
shown behind it: `...` in a line stands for anything, on a line of its own for any number of lines; blanks count
as one. Where nothing is shown it may print what it likes. `^C` as the last line ends a command that would go on.

SHOW=1, for those who write a guide, prints what every command has printed, and goes on behind what is wrong."""

import os
import re
import subprocess
import threading
import time

import booted
import dns
import harness

# Commands that only look may be repeated until the output is as in the guide, because a server needs a moment
# for a change or a silent target.
LOOKS = re.compile(r"(dig|curl|journalctl|sluice (-c \S+ )?(status|events|explain|history|diff|check|ptr check|names|plan|log|registration list)|"
                   r"systemctl is-active|tail|promtool query|diff|ip -br address show|ss)\b")
PROMPT = re.compile(r"([a-z][a-z0-9-]*)([#$]) (.+)$")
FENCE = re.compile(r"```(\w*)\s*$")
NOT_RUN = re.compile(r"<!-- not run: (\S.*?) -->$")
LONG_S = 900  # a build
SHOW = os.environ.get("SHOW")


class Wrong(AssertionError):
    """What is wrong with a guide, with its place."""

    def __init__(self, place, text):
        super().__init__("%s: %s" % (place, text))


class Command:
    def __init__(self, place, host, sigil, text):
        self.place, self.host, self.sigil, self.text = place, host, sigil, text
        self.shown = None  # the lines of its output, where the guide has them
        self.interrupted = False

    def show(self, line):
        self.shown = (self.shown or []) + [line]

    def finish(self):
        """Removes parts of the shown text that are no output."""
        if self.shown and self.shown[-1].strip() == "^C":
            self.interrupted = True
            self.shown.pop()

    def fits(self, printed):
        if self.shown is None:
            return True
        lines = [re.sub(r"\s+", " ", line).strip() for line in self.shown]
        pattern = ""
        for line in lines:
            pattern += r"(?:.*\n)*?" if line == "..." else \
                ".*".join(re.escape(part) for part in line.split("...")) + r"\n"
        text = "".join(re.sub(r"\s+", " ", line).strip() + "\n" for line in printed.splitlines())
        return (re.match if self.interrupted else re.fullmatch)(pattern, text) is not None


class File:
    def __init__(self, place, path, text, added):
        host, _, path = path.rpartition(":")
        self.place, self.host, self.path, self.text, self.added = place, host or None, path, text, added


class NotRun:
    def __init__(self, command, reason):
        self.command, self.reason = command, reason


class Guide:
    """`steps` in their order: Command, File, NotRun."""

    def __init__(self, path):
        self.name = os.path.basename(path)
        with open(path) as file:
            self.lines = file.read().splitlines()
        self.steps = []
        self.read()

    def place(self, index):
        return "%s:%d" % (self.name, index + 1)

    def read(self):
        index, paragraph, reason = 0, [], None
        while index < len(self.lines):
            line, place = self.lines[index], self.place(index)
            mark = NOT_RUN.match(line)
            if line.startswith("```"):
                end = next((i for i in range(index + 1, len(self.lines)) if self.lines[i] == "```"), None)
                if end is None or not FENCE.match(line):
                    raise Wrong(place, "a block begins with ``` and one word, and ends with ```")
                self.block(index, end, FENCE.match(line).group(1), " ".join(paragraph), reason)
                index, paragraph, reason = end, [], None
            elif reason:
                raise Wrong(place, "the mark before stands ahead of nothing that could be run")
            elif mark:
                reason = mark.group(1)
            elif "not run" in line and "<!--" in line:
                raise Wrong(place, "a mark is <!-- not run: REASON -->")
            elif line.startswith("    ") and not paragraph:
                raise Wrong(place, "an indented block is not run; say ```console, or what kind of file it is")
            elif line.strip():
                paragraph.append(line.strip())
            elif index + 1 < len(self.lines) and not self.lines[index + 1].startswith(("```", "<!--")):
                paragraph = []
            index += 1

    def block(self, begin, end, kind, paragraph, reason):
        place = self.place(begin)
        lines = self.lines[begin + 1:end]
        if reason:
            if kind != "console":
                raise Wrong(place, "only a console block can be marked as not run")
            self.steps += [NotRun(command, reason) for command in self.session(begin + 1, lines)]
        elif kind == "console":
            self.steps += self.session(begin + 1, lines)
        else:
            path = re.search(r"`((?:[a-z][a-z0-9-]*:)?/[^`\s]+)`:$", paragraph)
            if not path or not kind:
                raise Wrong(place, "a block that is no console is a file; the text ahead of it ends with `/its/path`:")
            sentence = re.split(r"[.:;] ", paragraph)[-1]
            self.steps.append(File(place, path.group(1), "".join(line + "\n" for line in lines),
                                   re.search(r"\b[Aa]dd", sentence) is not None))

    def session(self, first, lines):
        """Its commands, each with its shown output."""
        commands, command, until = [], None, None
        for index, line in enumerate(lines, first):
            prompt = PROMPT.match(line)
            if command and (until or command.text.endswith("\\")):
                command.text += "\n" + line
                if line == until:
                    until = None
                elif not until:
                    until = self.here(line)
            elif prompt:
                command = Command(self.place(index), *prompt.groups())
                until = self.here(command.text)
                commands.append(command)
            elif command:
                command.show(line)
            else:
                raise Wrong(self.place(index), "a console block begins with HOST# or HOST$ and a command")
        if not command or until:
            raise Wrong(self.place(first), "nothing is typed here" if not command else "there is no " + until)
        for command in commands:
            command.finish()
        return commands

    @staticmethod
    def here(text):
        found = re.search(r"<<'?(\w+)'?", text)
        return found and found.group(1)


class Shell:
    """One that stays, so that its folder and its variables do."""

    END = "--- it ended with "

    def __init__(self, argv, inside, **how):
        with inside():
            self.child = subprocess.Popen([*argv, "bash", "--noprofile", "--norc"], stdin=subprocess.PIPE,
                                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                          start_new_session=True, **how)
        self.printed, self.news = b"", threading.Condition()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            part = os.read(self.child.stdout.fileno(), 65536)
            with self.news:
                self.printed += part
                self.news.notify_all()
            if not part:
                return

    def type(self, text):
        """The command, followed by a mark of its end."""
        self.send("{ %s\n} </dev/null" % text)

    def begin(self, text):
        """The same of a command that goes on until an empty line is sent."""
        self.send("set -m; { %s\n} </dev/null & set +m; read -r _; kill -- -$!; wait $! 2>/dev/null" % text)

    def send(self, text):
        with self.news:
            self.printed = b""
        self.line("%s; printf '\\n%s%%d\\n' $?" % (text, self.END))

    def line(self, text=""):
        self.child.stdin.write(text.encode() + b"\n")
        self.child.stdin.flush()

    def so_far(self):
        """(output, the exit status or None)"""
        text = self.printed.decode(errors="replace")
        found = re.search(r"(?:^|\n)%s(\d+)\n" % re.escape(self.END), text)
        return (text[:found.start()] if found else text, int(found.group(1)) if found else None)

    def wait(self, condition, seconds):
        """Waits until the condition is true or the command has ended; returns so_far()."""
        end = time.monotonic() + seconds
        with self.news:
            while True:
                printed, status = self.so_far()
                if status is not None or condition(printed) or time.monotonic() > end or self.child.poll() is not None:
                    return printed, status
                self.news.wait(0.1)

    def close(self):
        self.child.kill()
        self.child.wait()


class Plain:
    """A machine on which a guide uses only programs that ask."""

    def __init__(self, host):
        self.host = host
        self.folder = os.path.join(host.world.dir, "at-" + host.name)
        os.makedirs(self.folder)

    def shell(self, _):
        return Shell([], self.host.inside, cwd=self.folder)

    def write(self, path, text, added):
        raise Wrong(path, "there are no files on " + self.host.name)


class Managed:
    """A machine with systemd; root is in the folder cwd, everybody else in /tmp."""

    PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    def __init__(self, host, files, cwd="/root"):
        self.host, self.cwd = host, cwd
        self.machine = booted.Booted(host, files)

    def shell(self, sigil):
        as_whom = [] if sigil == "#" else ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        argv = self.machine.argv("PATH=" + self.PATH, "LC_ALL=C.UTF-8", "TERM=dumb",
                                 "HOME=" + ("/tmp" if as_whom else "/root"),
                                 *as_whom, "env", "-C", "/tmp" if as_whom else self.cwd)
        return Shell(argv, self.host.inside)

    def write(self, path, text, added):
        os.makedirs(os.path.dirname(self.machine.path(path)), exist_ok=True)
        with open(self.machine.path(path), "a" if added else "w") as file:
            file.write(text)


class Run:
    """Follows a guide. machines: {name: Plain or Managed}, the first of which has the files that
    name none."""

    def __init__(self, guide, machines):
        self.guide, self.machines, self.shells = guide, machines, {}
        self.done = self.files = 0
        self.not_run = []

    def machine(self, name, place):
        name = name or next(iter(self.machines))
        if name not in self.machines:
            raise Wrong(place, "there is no machine %s in this guide's world" % name)
        return self.machines[name]

    def all(self):
        wrong = []
        try:
            for step in self.guide.steps:
                if isinstance(step, NotRun):
                    self.not_run.append(step)
                elif isinstance(step, File):
                    self.machine(step.host, step.place).write(step.path, step.text, step.added)
                    self.files += 1
                else:
                    try:
                        self.command(step)
                    except Wrong as error:
                        if not SHOW:
                            raise
                        wrong.append(error)
                    self.done += 1
            if wrong:
                raise Wrong(self.guide.name, "\n".join(map(str, wrong)))
        finally:
            for shell in self.shells.values():
                shell.close()

    def shell(self, step):
        machine = self.machine(step.host, step.place)
        key = (step.host, step.sigil)
        if key not in self.shells:
            self.shells[key] = machine.shell(step.sigil)
        return self.shells[key]

    def command(self, step):
        again = time.monotonic() + (2 if SHOW else dns.PATIENCE)
        while True:
            printed, status = self.once(step)
            if status == 0 and step.fits(printed):
                if SHOW:
                    print("%s %s%s %s\n%s" % (step.place, step.host, step.sigil, step.text, printed), flush=True)
                return
            if time.monotonic() > again or not LOOKS.match(step.text):
                raise Wrong(step.place, "%s\nended with status %s, and printed\n%s%s" % (
                    step.text, status, printed, "" if step.fits(printed) else
                    "where the guide shows\n%s\n" % "\n".join(step.shown)))
            time.sleep(0.2)

    def once(self, step):
        shell = self.shell(step)
        if not step.interrupted:
            shell.type(step.text)
            return shell.wait(lambda _: False, LONG_S if re.match(r"(make|apt)\b", step.text) else 2 * dns.PATIENCE)
        shell.begin(step.text)
        printed, _ = shell.wait(step.fits, dns.PATIENCE / 2)
        shell.line()
        shell.wait(lambda _: False, dns.PATIENCE)
        return printed, 0
