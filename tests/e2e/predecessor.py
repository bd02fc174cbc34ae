"""What a running server says to the one that takes over from it, for as long as it is told to, and
then something else: python3 predecessor.py SOCKET LAST. It hands over its control socket and its
log, and serves no DNS.

LAST is what it does in place of its answer to "ready" or "serving":

    ready-refuse, serving-refuse    gives up with a reason, and stays alive
    ready-slow                      answers "ready" when SOCKET.go is there, and all that follows
    serving-late                    answers "ready", then gives up; "serving" comes too late
    serving-unread                  the same, with "serving" come and not read, when SOCKET.go is there
    serving-silent                  hangs up without a word, and stays alive
    ready-end                       removes its socket's file, hangs up, and ends a little later
    serving-end                     the same, when the file is the successor's already
    reload                          answers everything, and passes on that it was told to reload

Its output has a line for each message that it was sent."""

import json
import os
import select
import socket
import sys
import time

REASON = b'{"error": "given up for a test"}'


def say(text):
    print(text, flush=True)


def read_request(connection):
    """The JSON of one POST."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(4096)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n")
                  if line.lower().startswith(b"content-length"))
    while len(body) < length:
        body += connection.recv(4096)
    return json.loads(body)


def meet(listening):
    """The conversation, on the successor's socket."""
    connection = listening.accept()[0]
    name = read_request(connection)["socket"]
    conversation = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    conversation.connect(b"\0" + name.encode())
    answer = json.dumps({"protocol": 1, "pid": os.getpid()}).encode()
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                       b"Content-Length: %d\r\n\r\n" % len(answer) + answer)
    connection.close()
    return conversation


def give_up(conversation):
    conversation.send(REASON)
    conversation.close()
    time.sleep(1000)


def wait_for_go(path):
    while not os.path.exists(path + ".go"):
        time.sleep(0.02)


def end(conversation):
    """As a program does that frees much before it exits."""
    conversation.close()
    time.sleep(1)
    sys.exit(0)


def instead(conversation, want, path, last):
    """What is done in place of an answer; returns where there is to be one."""
    if want + "-refuse" == last:
        give_up(conversation)
    if want + "-end" == last:
        if want == "ready":
            os.unlink(path)
        end(conversation)
    if want + "-slow" == last:
        wait_for_go(path)
    if want + "-silent" == last:
        conversation.close()
        time.sleep(1000)


def answer(conversation, listening, message, path, last):
    want = message["want"]
    instead(conversation, want, path, last)
    if want == "items":
        conversation.send(b'{"items": 2, "workers": 2, "generation": 7}')
    elif want == "item" and message["item"] == 0:
        about = json.dumps({"kind": "control", "name": path}).encode()
        socket.send_fds(conversation, [about], [listening.fileno()])
    elif want == "item":
        socket.send_fds(conversation, [b'{"kind": "log", "name": "stderr"}'], [2])
    else:
        conversation.send(b"{}")
    if want == "ready" and last == "serving-late":
        give_up(conversation)
    if want == "ready" and last == "serving-unread":
        select.select([conversation], [], [])
        say("unread")
        wait_for_go(path)
        give_up(conversation)
    if want == "serving" and last == "reload":
        conversation.send(b'{"reload": true}')


def main(path, last):
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(path)
    listening.listen()
    say("listens")
    conversation = meet(listening)
    while True:
        data = conversation.recv(8192)
        if not data:
            say("hung up")
            return
        message = json.loads(data)
        say(message["want"])
        answer(conversation, listening, message, path, last)


main(*sys.argv[1:])
