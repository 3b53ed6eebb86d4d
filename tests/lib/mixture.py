"""mixture.py ROUTER: mapping requests as fast as they can be sent, until somebody ends it.

For names that are allowed, denied and unknown, for TCP and UDP, from a thousand different ports; one in ten
has been cut short. The same thousand go round and round, and nobody reads the answers.
"""

import random
import socket
import sys

from request import Request


def requests(router):
    for number in range(1000):
        yield Request(
            to=router, name=random.choice(["alice", "alice", "alice", "bob", "carol", "nobody"]),
            s=20000 + number, d=random.choice([80, 5000]), protocol=random.choice([6, 17]),
            cut=7 if number % 10 == 0 else 0).icmp()


def main(router):
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as sock:
        sock.connect((router, 0))
        packets = list(requests(router))
        while True:
            for packet in packets:
                try:
                    sock.send(packet)
                except OSError:
                    pass


main(sys.argv[1])
