"""The management API over its unix socket."""

import http.client
import json
import socket

from runner.process import BenchError


class Api(http.client.HTTPConnection):
    """One connection to the unix socket, kept."""

    def __init__(self, path):
        super().__init__("localhost", timeout=120)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)

    def call(self, method, path, body=None):
        """A body that is a text is CSV."""
        csv = isinstance(body, str)
        self.request(method, path, body if csv or body is None else json.dumps(body),
                     {"Content-Type": "text/csv" if csv else "application/json"})
        response = self.getresponse()
        text = response.read().decode()
        if response.status >= 300:
            raise BenchError("%s %s: %d %s" % (method, path, response.status, text))
        return text
