"""request.py [KEY=VALUE…]: sends one mapping request, altered as asked, and prints what comes back.

The layout is that of docs/protocol.md, written down a second time so that the modules' own code is not
the judge of itself. Behind the request goes a second one, for a name that no table has: its answer tells
that the first has been dealt with, so "silence" is known without a clock.

  from, to            addresses of the IP packet (this host's towards the router; 203.0.113.2)
  en, router, s, d    the flow (from, to, 40000, 80)
  nonce               16 hexadecimal digits; random
  protocol, name      6, alice; an empty name sends no NAME
  version, type, length, magic    as the protocol says
  option=KIND:HEX     a further option, before the padding; may be repeated
  key                 64 hexadecimal digits: signs the request with this key, as its last option
  time                milliseconds since 1970 that a signed request says, or +N, -N from now
  mac=wrong           a wrong signature
  pad                 length up to which it is padded (96)
  cut                 bytes of the message that are not sent (0)
  checksum=wrong      a wrong ICMP checksum
  split=N             two fragments, the first with N bytes of the IP payload
  tell=all            print more of the answer: "kept" or "new", "epoch E" (or "epoch none"), "cookie C"

With key=… the answer is also "signed" with it, "signed wrongly", or "unsigned"; "time N" tells by how many seconds
the router's clock, as signed, is ahead.

Prints "silence", or "code C mapped A:P lifetime L", and "longer" and "altered" if the answer breaks the
rules for any answer: no longer than its request, fields of the request copied, no flag but KEPT.
"""

import hashlib
import hmac
import random
import socket
import struct
import sys
import time

ECHO_REPLY, ECHO_REQUEST = 0, 8
FIXED = struct.Struct("!4sBBHQBBH4s4sHH4sHHI")


def own_address(towards):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((towards, 9))
        return sock.getsockname()[0]


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def word(options, wanted):
    """The 64-bit value of an option, if there is just one and all options fit."""
    found = []
    while options:
        kind, length = options[:2]
        value, options = options[2:2 + length], options[2 + length:]
        if kind == wanted:
            found.append(value.hex() if len(value) == 8 else "of wrong length")
    return " and ".join(found) or "none"


class Request:
    def __init__(self, **keys):
        get = keys.get
        self.dst = get("to", "203.0.113.2")
        self.src = get("from", own_address(self.dst))
        self.en = socket.inet_aton(get("en", self.src))
        self.router = socket.inet_aton(get("router", self.dst))
        self.ports = int(get("s", 40000)), int(get("d", 80))
        self.protocol = int(get("protocol", 6))
        self.nonce = int(get("nonce", f"{random.getrandbits(64):x}"), 16)
        self.ident, self.seq = random.getrandbits(16), random.getrandbits(16)
        self.split = int(get("split", 0))
        name = get("name", "alice").encode()
        options = struct.pack("!BB", 1, len(name)) + name if name else b""
        for option in get("options", []):
            kind, _, value = option.partition(":")
            value = bytes.fromhex(value)
            options += struct.pack("!BB", int(kind), len(value)) + value
        self.key = bytes.fromhex(get("key", ""))
        auth = 30 if self.key else 0
        length = FIXED.size + len(options) + auth
        while length < int(get("pad", 96)):
            room = max(int(get("pad", 96)) - length - 2, 0)
            options += struct.pack("!BB", 0, min(room, 255)) + bytes(min(room, 255))
            length = FIXED.size + len(options) + auth
        message = FIXED.pack(
            get("magic", "NATf").encode(), int(get("version", 1)), int(get("type", 1)),
            int(get("length", length)), self.nonce, self.protocol, 0, 0,
            self.en, self.router, *self.ports, bytes(4), 0, 0, 0) + options
        if self.key:
            told = get("time", "+0")
            told = int(told) + (int(time.time() * 1000) if told[0] in "+-" else 0)
            message += struct.pack("!BB4sQ", 3, 28, self.code(b"NATf key id")[:4], told)
            message += self.code(message)[:16] if get("mac") != "wrong" else bytes(16)
        self.message = message[: len(message) - int(get("cut", 0))]
        self.wrong = get("checksum") == "wrong"
        self.tell = get("tell") == "all"

    def code(self, data):
        return hmac.new(self.key, data, hashlib.sha256).digest()

    def signature(self, message):
        """What the last option of an answer says about its sender."""
        auth = message[-30:]
        if len(message) < FIXED.size + 30 or auth[:2] != bytes([3, 28]):
            return "unsigned"
        if auth[2:6] != self.code(b"NATf key id")[:4] or auth[14:] != self.code(message[:-16])[:16]:
            return "signed wrongly"
        ahead = struct.unpack_from("!Q", auth, 6)[0] / 1000 - time.time()
        return f"signed time {round(ahead / 10) * 10}"

    def icmp(self):
        head = struct.pack("!BBHHH", ECHO_REQUEST, 0, 0, self.ident, self.seq)
        found = checksum(head + self.message) ^ (0x0101 if self.wrong else 0)
        return head[:2] + struct.pack("!H", found) + head[4:] + self.message

    def send(self, sock):
        whole, ident = self.icmp(), random.randint(1, 0xFFFF)
        cut = self.split or len(whole)
        for offset, part in ((0, whole[:cut]), (cut, whole[cut:])):
            if part:
                more = 0x2000 if offset == 0 and cut < len(whole) else 0
                head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(part), ident, more | offset // 8, 64,
                                   1, 0, socket.inet_aton(self.src), socket.inet_aton(self.dst))
                sock.sendto(head + part, (self.dst, 0))

    def answer(self, packet):
        """What `packet` says in answer to this request; None if it is none."""
        icmp = packet[(packet[0] & 15) * 4:]
        message = icmp[8:]
        if icmp[0] != ECHO_REPLY or len(message) < FIXED.size:
            return None
        (magic, version, kind, length, nonce, protocol, code, flags, en, router, s, d, mapped, port, _,
         lifetime) = FIXED.unpack_from(message)
        if nonce != self.nonce:
            return None
        said = f"code {code} mapped {socket.inet_ntoa(mapped)}:{port} lifetime {lifetime}"
        if self.tell:
            said += (" kept" if flags & 1 else " new") + f" epoch {word(message[FIXED.size:], 4)}"
            cookie = word(message[FIXED.size:], 2)
            said += "" if cookie == "none" else f" cookie {cookie}"
        if self.key:
            said += f" {self.signature(message)}"
        if len(message) > len(self.message):
            said += " longer"
        if ((magic, version, kind, length) != (b"NATf", 1, 2, len(message))
                or (protocol, en, router, (s, d)) != (self.protocol, self.en, self.router, self.ports)
                or struct.unpack_from("!HH", icmp, 4) != (self.ident, self.seq) or flags & ~1
                or socket.inet_ntoa(packet[12:16]) != self.dst or checksum(icmp) != 0):
            said += " altered"
        return said


def main(arguments):
    keys = {"options": []}
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key == "option":
            keys["options"].append(value)
        else:
            keys[key] = value
    asked = Request(**keys)
    # Its ACT cannot have this name, and nobody alters this one.
    fence = Request(to=asked.dst, name="fence", s="1", d="1")
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as heard, \
            socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as sender:
        # Destinations may be broadcast addresses.
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        heard.settimeout(5)
        asked.send(sender)
        fence.send(sender)
        said = "silence"
        while True:
            packet = heard.recv(65535)
            if fence.answer(packet):
                break
            said = asked.answer(packet) or said
    print(said)


if __name__ == "__main__":
    main(sys.argv[1:])
