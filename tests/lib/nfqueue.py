"""nfqueue.py NUMBER: a program behind NFQUEUE. It takes packets and does nothing until SIGUSR1; then it
accepts all that wait. It prints "ready", and a line for each packet as it comes and as it goes.
"""

import signal
import socket
import struct
import sys

NETLINK_NETFILTER = 12
PACKET, VERDICT, CONFIG = 0x300, 0x301, 0x302
ACCEPT = 1


def attribute(kind, value):
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def send(sock, kind, queue, *attributes, flags=1):
    body = struct.pack("!BBH", socket.AF_UNSPEC, 0, queue) + b"".join(attributes)
    sock.send(struct.pack("=IHHII", 16 + len(body), kind, flags, 0, 0) + body)


def attributes(data):
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        yield kind & 0x7FFF, data[4:length]
        data = data[(length + 3) & ~3:]


def main(queue):
    waiting = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as sock:
        sock.bind((0, 0))

        def let_go(*_):
            while waiting:
                number = waiting.pop(0)
                send(sock, VERDICT, queue, attribute(2, struct.pack("!II", ACCEPT, number)))
                print("accepted", number, flush=True)

        signal.signal(signal.SIGUSR1, let_go)
        send(sock, CONFIG, queue, attribute(1, struct.pack("!BBH", 1, 0, socket.AF_INET)))
        send(sock, CONFIG, queue, attribute(2, struct.pack("!IB", 0xFFFF, 2)), flags=5)
        while True:
            message = sock.recv(65536)
            kind, = struct.unpack_from("=H", message, 4)
            if kind == 2:  # the acknowledgement, or an error
                error, = struct.unpack_from("=i", message, 16)
                print("ready" if error == 0 else f"error {error}", flush=True)
            elif kind == PACKET:
                found = dict(attributes(message[20:]))
                number, = struct.unpack_from("!I", found[1])
                ip = found[10]
                waiting.append(number)
                print("packet", number, socket.inet_ntoa(ip[12:16]), "to", socket.inet_ntoa(ip[16:20]),
                      "ttl", ip[8], flush=True)


main(int(sys.argv[1]))
