"""answer.py INTERFACE [KEY=VALUE…]: sees the mapping requests that come in by INTERFACE, and answers them in the
router's place, as told:

  from          address that the answers come from (the one that was asked)
  nonce         own: that of the request; random: made up
  count         answers to each request (1)
  mapped=A:P    where the flow is sent (the router, the port that was asked for)
  lifetime, code   60, 0
  cookie        16 hexadecimal digits: the option COOKIE
  key           64 hexadecimal digits: signs with that key
  raw           hexadecimal digits that follow the fixed part, instead of padding

Prints "listening", and a line for each request: its name and what was answered. Runs until it is told to end, and
never ends between the answers to one request.
"""

import hashlib
import hmac
import random
import signal
import socket
import struct
import sys
import time

from request import ECHO_REPLY, ECHO_REQUEST, FIXED, checksum

ETH_P_IP = 0x0800


def answer(message, asked, get):
    """The answer to the request `message`, which went to the address `asked`."""
    fields = list(FIXED.unpack_from(message))
    address, _, port = get("mapped", f"{asked}:{fields[11]}").partition(":")
    if get("nonce", "own") == "random":
        fields[4] = random.getrandbits(64)
    fields[2], fields[6], fields[7] = 2, int(get("code", 0)), 0
    if fields[6] == 0:
        fields[12], fields[13], fields[15] = socket.inet_aton(address), int(port), int(get("lifetime", 60))
    options = bytes.fromhex(get("raw", ""))
    if "cookie" in get.__self__:
        options += struct.pack("!BB", 2, 8) + bytes.fromhex(get("cookie"))
    key = bytes.fromhex(get("key", ""))
    fields[3] = FIXED.size + len(options) + (30 if key else 0)
    said = FIXED.pack(*fields) + options
    if key:
        code = lambda data: hmac.new(key, data, hashlib.sha256).digest()
        said += struct.pack("!BB4sQ", 3, 28, code(b"NATf key id")[:4], int(time.time() * 1000))
        said += code(said)[:16]
    return said


def main(interface, *arguments):
    get = dict(argument.split("=", 1) for argument in arguments).get
    end = {signal.SIGTERM}
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP)) as sight, \
            socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as sender:
        sight.bind((interface, ETH_P_IP))
        print("listening", flush=True)
        while True:
            packet, sender_address = sight.recvfrom(65535)
            icmp = packet[20:]
            if (sender_address[2] == socket.PACKET_OUTGOING or packet[0] != 0x45 or packet[9] != 1
                    or icmp[:1] != bytes([ECHO_REQUEST]) or icmp[8:12] != b"NATf"):
                continue
            who, asked = (socket.inet_ntoa(packet[at:at + 4]) for at in (12, 16))
            message = icmp[8:]
            signal.pthread_sigmask(signal.SIG_BLOCK, end)
            for _ in range(int(get("count", 1))):
                said = answer(message, asked, get)
                echo = struct.pack("!BBH", ECHO_REPLY, 0, 0) + icmp[4:8] + said
                echo = echo[:2] + struct.pack("!H", checksum(echo)) + echo[4:]
                head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(echo), 0, 0x4000, 64, 1, 0,
                                   socket.inet_aton(get("from", asked)), packet[12:16])
                sender.sendto(head + echo, (who, 0))
            name = message[FIXED.size + 2:][:message[FIXED.size + 1]].decode()
            print(name, "answered", flush=True)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, end)


if __name__ == "__main__":
    main(*sys.argv[1:])
