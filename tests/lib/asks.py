"""asks.py [to=ADDRESS] NAME…: asks the router for mappings as fast as it can, of all protocols and for these names in turn,
each for another flow of this host's, and waits for no answer. Until it is killed.
"""

import itertools
import socket
import sys

from request import Request


def main(names):
    to = "203.0.113.2"
    if names[0].startswith("to="):
        to = names.pop(0)[3:]
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
        for turn in itertools.count():
            port = str(1024 + turn // 3 % 20000)
            asked = Request(to=to, name=names[turn % len(names)], protocol=(6, 17, 1)[turn % 3], s=port, d=port)
            try:
                asked.send(sock)
            except OSError:
                continue


if __name__ == "__main__":
    main(sys.argv[1:])
