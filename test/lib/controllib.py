# SPDX-License-Identifier: MIT
"""A connection to the daemon's control socket."""

import json
import socket
import struct

import tundtest as tt


class Connection:
    """The protocol as tund-control(7) tells it."""

    def __init__(self, path, timeout=12):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.settimeout(timeout)

    def send(self, **request):
        text = json.dumps(dict({'version': 1}, **request)).encode()
        self.socket.sendall(struct.pack('!I', len(text)) + text)

    def bytes(self, n):
        data = b''
        while len(data) < n:
            more = self.socket.recv(n - len(data))
            if not more:
                return None
            data += more
        return data

    def read(self):
        """A message, or None at the end."""
        head = self.bytes(4)
        if head is None:
            return None
        message = json.loads(self.bytes(struct.unpack('!I', head)[0]))
        tt.equal(message.pop('version'), 1, 'version')
        tt.equal(len(message), 1, 'one more key: %s' % message)
        return message

    def ask(self, command, **words):
        self.send(command=command, **words)
        return self.read()

    def result(self, command, **words):
        answer = self.ask(command, **words)
        tt.check('result' in answer, answer)
        return answer['result']

    def code(self):
        message = self.read()
        return message and message.get('error', {}).get('code')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
