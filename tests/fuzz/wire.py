"""wire.py SEED IF IF [IF IF …]: the wire between the interfaces of each pair, and not one to be trusted.

Nearly every frame passes as it came. IPv4 packets are followed by altered copies of themselves, by replays,
and by ICMP errors about them, sent on or back. So what is altered belongs to flows, names and negotiations that
are under way, and gets past the first check. SIGUSR1 makes it an honest wire again.

Prints how many packets it has passed and how many of its own it has sent, once a second.
"""

import random
import select
import signal
import socket
import sys
import time

from mutate import error_about, mutate

KEPT = 400
PACKET_OUTGOING = 4


class Wire:
    def __init__(self, pairs):
        self.other, self.kept, self.honest = {}, [], False
        self.passed = self.made = 0
        for one, two in pairs:
            one, two = self.port(one), self.port(two)
            self.other[one], self.other[two] = two, one
        signal.signal(signal.SIGUSR1, self.be_honest)

    def be_honest(self, *_):
        self.honest = True

    @staticmethod
    def port(name):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        sock.bind((name, 3))
        sock.setblocking(False)
        return sock

    @staticmethod
    def send(port, frame):
        try:
            port.send(frame)
        except OSError:
            pass

    def keep(self, packet):
        if len(self.kept) < KEPT:
            self.kept.append(packet)
        else:
            self.kept[random.randrange(KEPT)] = packet

    def own(self, port, link, packet):
        self.made += 1
        self.send(port, link + packet)

    def packet(self, frame, came, goes):
        """An IPv4 packet, with what is to follow it."""
        link, packet = frame[:14], frame[14:]
        back = frame[6:12] + frame[:6] + frame[12:14]
        self.keep(packet)
        for _ in range(random.choice((0, 1, 1, 2, 4))):
            self.own(goes, link, mutate(packet, self.kept))
        luck = random.random()
        if luck < 0.15:
            self.own(came, back, error_about(packet, self.kept))
        elif luck < 0.20:
            self.own(goes, link, random.choice(self.kept))
        elif luck < 0.25:
            self.own(came, back, mutate(random.choice(self.kept), self.kept))

    def take(self, came):
        goes = self.other[came]
        for _ in range(64):
            try:
                frame, address = came.recvfrom(65535)
            except OSError:
                return
            if address[2] == PACKET_OUTGOING:
                continue
            # Some are lost, so that what is only repeated after a loss is seen, too.
            if self.honest or random.random() < 0.98:
                self.passed += 1
                self.send(goes, frame)
            if not self.honest and frame[12:14] == b"\x08\x00" and len(frame) >= 34:
                self.packet(frame, came, goes)

    def run(self):
        poll = select.poll()
        ports = {port.fileno(): port for port in self.other}
        for number in ports:
            poll.register(number, select.POLLIN)
        told = time.monotonic()
        while True:
            for number, _ in poll.poll(500):
                self.take(ports[number])
            if time.monotonic() - told >= 1:
                told = time.monotonic()
                print(f"passed {self.passed} made {self.made}", flush=True)


random.seed(int(sys.argv[1]))
names = sys.argv[2:]
Wire(list(zip(names[::2], names[1::2]))).run()
