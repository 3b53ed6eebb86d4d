"""flood.py COUNT KIND [NAME]: sends COUNT packets to the router as fast as it can, each from a made-up
address of another network, and prints how many and in how many milliseconds. COUNT 0: until it is killed.

  KIND   request: well-formed mapping requests for NAME (alice), all of other flows
         ping: plain pings of the same length
         own: requests again, but from this host's own address

The addresses are of 11.0.0.0/8 and 12.0.0.0/8, which are nobody's in the scenarios.
"""

import socket
import struct
import sys
import time

from request import FIXED, checksum, own_address

ROUTER = "203.0.113.2"


def packet(kind, name):
    """A packet from 0.0.0.0, of the nonce whose second half is the complement of that."""
    options = struct.pack("!BB", 1, len(name)) + name.encode()
    options += struct.pack("!BB", 0, 96 - FIXED.size - len(options) - 2)
    message = FIXED.pack(b"NATf" if kind != "ping" else b"ping", 1, 1, 96, 0x12345678_FFFFFFFF, 17, 0, 0, bytes(4),
                         socket.inet_aton(ROUTER), 40000, 80, bytes(4), 0, 0, 0) + options
    message += bytes(96 - len(message))
    icmp = struct.pack("!BBHHH", 8, 0, 0, 7, 7)
    icmp = icmp[:2] + struct.pack("!H", checksum(icmp + message)) + icmp[4:]
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(icmp + message), 0, 0x4000, 64, 1, 0, bytes(4),
                       socket.inet_aton(ROUTER))
    return bytearray(head + icmp + message)


def main(count, kind, name="alice"):
    count = int(count)
    raw = packet(kind, name)
    own = int.from_bytes(socket.inet_aton(own_address(ROUTER)), "big")
    put, sent = struct.Struct("!I").pack_into, 0
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
        sock.connect((ROUTER, 0))
        send = sock.send
        begin = time.monotonic()
        while sent < count or not count:
            # Another /24 each time, and after 131,072 packets other hosts of theirs.
            host = sent >> 17
            source = 0x0B000000 + ((sent & 0x1FFFF) << 8) + (host & 0xFF) if kind != "own" else own
            put(raw, 12, source)
            # The sum of both, and so the checksum, stays what it is.
            put(raw, 28 + 20, source)
            put(raw, 28 + 12, 0xFFFFFFFF - source)
            if kind == "own":
                # Another nonce each time: what one half gains the other loses.
                put(raw, 28 + 8, (sent * 0x10000) & 0xFFFF0000 | 0xFFFF - (sent & 0xFFFF))
            try:
                send(raw)
            except OSError:
                continue
            sent += 1
    print(f"{sent} packets in {int((time.monotonic() - begin) * 1000)} ms")


if __name__ == "__main__":
    main(*sys.argv[1:])
