"""local.py SEED NAMESERVER NAME SOURCE: altered packets of this host itself, from SOURCE to the virtual address
of NAME, as fast as they can be sent: TCP, UDP, ICMP echo, and errors about them. Prints how many, once a second.
"""

import random
import socket
import struct
import sys
import time

from mutate import ICMP, TCP, UDP, error_about, mend, mutate


def address_of(server, name):
    """What the name server says now, if that is a virtual address."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((server, 53))
        sock.settimeout(1)
        try:
            sock.send(struct.pack("!HHHHHH", random.getrandbits(16), 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1")
            answer = sock.recv(512)
        except OSError:
            return None
        return answer[-4:] if len(answer) > 16 and answer[-4] == 240 else None


def packet(source, to):
    port = random.randrange(30000, 30200)
    protocol = random.choice((TCP, TCP, UDP, UDP, ICMP))
    if protocol == TCP:
        flags = random.choice((2, 2, 0x10, 0x18, 0x11, 4))
        body = struct.pack("!HHIIBBHHH", port, 80, random.getrandbits(32), 0, 0x50, flags, 1000, 0, 0)
    elif protocol == UDP:
        body = struct.pack("!HHHH", port, 5000, 0, 0) + b"hello"
    else:
        body = struct.pack("!BBHHH", 8, 0, 0, port, 1) + b"ping"
    return mend(struct.pack("!BBHHHBBH4s4s", 0x45, 0, 0, random.getrandbits(16), 0, 64, protocol, 0, source, to) + body)


def altered(made):
    luck = random.random()
    if luck < 0.1:
        # An error about what came from there.
        return error_about(mend(made[:12] + made[16:20] + made[12:16] + made[20:]), [])
    return mutate(made, []) if luck < 0.8 else made


def main(seed, server, name, source):
    random.seed(int(seed))
    source = socket.inet_aton(source)
    sent, told, to = 0, time.monotonic(), None
    while not to:
        to = address_of(server, name)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
        while True:
            for _ in range(20):
                sent += 1
                try:
                    sock.sendto(altered(packet(source, to)), (socket.inet_ntoa(to), 0))
                except OSError:
                    # Refused, which is an answer.
                    pass
            # The others want to run, too.
            time.sleep(0.005)
            if time.monotonic() - told >= 1:
                told = time.monotonic()
                print("sent", sent, flush=True)
                to = address_of(server, name) or to


main(*sys.argv[1:])
