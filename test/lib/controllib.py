# SPDX-License-Identifier: MIT
"""A connection to the daemon's control socket, and who answers in its place."""

import json
import os
import socket
import struct
import threading

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


class Pretended:
    """Answers for the daemon, with devices of one name and these kinds: those
    in the list, and the one that is captured, in the place of whose packets
    there is their end. With `hold` that comes after end(), and until then what
    is sent through .packets, which is there when the capture has begun."""

    def __init__(self, name, listed, captured, hold=False):
        self.packets, self.held = None, threading.Event()
        if not hold:
            self.held.set()
        self.devices = [dict(name=name, netns=1, plane='file', kind=kind)
                        for kind in (*listed, captured)]
        self.path, self.commands = tt.WORK + '/pretended', []
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(self.path)
        self.server.listen()
        self.thread = threading.Thread(target=self.serve)

    def serve(self):
        while True:
            try:
                client = self.server.accept()[0]
            except OSError:
                return
            with client:
                self.answer(client)

    def answer(self, client):
        size = struct.unpack('!I', client.recv(4, socket.MSG_WAITALL))[0]
        request = json.loads(client.recv(size, socket.MSG_WAITALL))
        self.commands.append(request['command'])
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, its:
            result, fds = self.devices[-1], [its.fileno()]
            if request['command'] == 'list':
                result, fds = dict(devices=self.devices[:-1]), []
            text = json.dumps(dict(version=1, result=result)).encode()
            self.packets = ours
            socket.send_fds(client, [struct.pack('!I', len(text)) + text], fds)
            if request['command'] == 'capture':
                self.held.wait()

    def end(self):
        self.held.set()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.end()
        self.server.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.server.close()
        os.unlink(self.path)
