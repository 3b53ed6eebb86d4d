"""traffic.py NAMESERVER NAME: an application that never gives up, towards UDP port 5000 and TCP port 80 of
NAME. traffic.py echo: its counterpart, which answers every datagram on UDP port 5000.

Two hundred times a second it opens a UDP flow and a TCP connection, and lets some of the last thirty UDP
flows speak again; it asks the name server for the address over and over. Without natf_en the address is not
virtual, and it says nothing to it. Errors are what it is here to live with.
"""

import random
import select
import socket
import struct
import sys
import time

PERIOD = 0.005
QUERY_PERIOD = 0.05
FLOWS = 30
CONNECTIONS = 30


def query(name):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!HHHHHH", random.getrandbits(16), 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"


class Traffic:
    def __init__(self, server, name):
        self.name, self.address = name, None
        self.dns = self.socket(socket.SOCK_DGRAM)
        self.dns.connect((server, 53))
        self.flows, self.connections = [], {}

    @staticmethod
    def socket(kind):
        sock = socket.socket(socket.AF_INET, kind)
        sock.setblocking(False)
        return sock

    def ask(self):
        try:
            self.dns.send(query(self.name))
        except OSError:
            pass

    def heard(self):
        # The answer is one record; its address is the last thing in it, but for EDNS, which nobody asked for.
        try:
            address = socket.inet_ntoa(self.dns.recv(512)[-4:])
        except OSError:
            return
        self.address = address if address.startswith("240.") else None

    def speak(self, sock):
        try:
            sock.send(b"hello")
        except OSError:
            sock.close()
            self.flows.remove(sock)

    def open(self):
        flow = self.socket(socket.SOCK_DGRAM)
        flow.connect((self.address, 5000))
        self.flows.append(flow)
        for _ in range(3):
            if flow in self.flows:
                self.speak(flow)
        for old in random.sample(self.flows, min(5, len(self.flows))):
            self.speak(old)
        if len(self.flows) > FLOWS:
            self.flows.pop(0).close()
        if len(self.connections) > CONNECTIONS:
            oldest = next(iter(self.connections))
            del self.connections[oldest]
            oldest.close()
        connection = self.socket(socket.SOCK_STREAM)
        try:
            connection.connect((self.address, 80))
        except BlockingIOError:
            self.connections[connection] = False
        except OSError:
            connection.close()

    def serve(self, ready, writable):
        for sock in writable:
            try:
                sock.send(b"GET / HTTP/1.0\r\n\r\n")
                self.connections[sock] = True
            except OSError:
                del self.connections[sock]
                sock.close()
        for sock in ready:
            if sock is self.dns:
                self.heard()
                continue
            try:
                data = sock.recv(2048)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if sock in self.connections and not data:
                del self.connections[sock]
                sock.close()

    def run(self):
        asked = opened = 0
        while True:
            now = time.monotonic()
            if now - asked > QUERY_PERIOD:
                asked = now
                self.ask()
            if self.address and now - opened > PERIOD:
                opened = now
                self.open()
            connecting = [sock for sock, sent in self.connections.items() if not sent]
            ready, writable, _ = select.select([self.dns, *self.flows, *self.connections], connecting, [], PERIOD)
            self.serve(ready, [sock for sock in writable if sock in self.connections])


def echo():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("", 5000))
        while True:
            data, peer = sock.recvfrom(2048)
            sock.sendto(data, peer)


if sys.argv[1] == "echo":
    echo()
else:
    Traffic(*sys.argv[1:]).run()
