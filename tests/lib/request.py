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
  early               request (an echo with a request in it), syn, datagram, echo: the first packet of the flow, with the data "early" but for the SYN
  inner=FIELD:VALUE   what is altered in that packet; may be repeated: s, d (ports; id of an echo), flags, offset (of
                      TCP, in words), len (of UDP), type (of ICMP), sum (wrong), cut (bytes missing), more (bytes added),
                      to (address that its checksum is for)
  pieces              bytes in each option that holds it (255)
  ttl                 hop limit of the request (64)
  pad                 length up to which it is padded (96)
  cut                 bytes of the message that are not sent (0)
  checksum=wrong      a wrong ICMP checksum
  split=N             two fragments, the first with N bytes of the IP payload
  tell=all            print more of the answer: "kept" or "new", "delivered", "epoch E" (or "epoch none"), "cookie C"

With key=… the answer is also "signed" with it, "signed wrongly", or "unsigned"; "time N" tells by how many seconds
the router's clock, as signed, is ahead.

Prints "silence", or "code C mapped A:P lifetime L", and "longer" and "altered" if the answer breaks the
rules for any answer: no longer than its request, fields of the request copied, no flag but KEPT and DELIVERED.
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
        early = self.first_packet(get("early"), dict(part.split(":") for part in get("inners", [])))
        size = int(get("pieces", 255))
        for at in range(0, len(early), size):
            piece = early[at:at + size]
            options += struct.pack("!BB", 5, len(piece)) + piece
        self.ttl = int(get("ttl", 64))
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

    def first_packet(self, kind, wrong):
        """What EARLY carries: a first packet of the flow to the router, its checksum right unless it is altered."""
        if not kind:
            return b""
        s, d = int(wrong.get("s", self.ports[0])), int(wrong.get("d", self.ports[1]))
        if kind == "syn":
            words = int(wrong.get("offset", 5)) << 4
            protocol, at = 6, 16
            packet = struct.pack("!HHIIBBHHH", s, d, 7, 0, words, int(wrong.get("flags", 2)), 64240, 0, 0)
        elif kind == "datagram":
            protocol, at = 17, 6
            packet = struct.pack("!HHHH", s, d, int(wrong.get("len", 14)), 0) + b"early\n"
        else:
            protocol, at = 1, 2
            data = Request(protocol=1, early="echo", s=s).message if kind == "request" else b"early\n"
            packet = struct.pack("!BBHHH", int(wrong.get("type", ECHO_REQUEST)), 0, 0, s, 1) + data
        packet += bytes(int(wrong.get("more", 0)))
        to = socket.inet_aton(wrong["to"]) if "to" in wrong else self.router
        pseudo = b"" if protocol == 1 else self.en + to + struct.pack("!BBH", 0, protocol, len(packet))
        found = checksum(pseudo + packet) ^ (0x0101 if wrong.get("sum") == "wrong" else 0)
        packet = packet[:at] + struct.pack("!H", found) + packet[at + 2:]
        return packet[:len(packet) - int(wrong.get("cut", 0))]

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
                head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(part), ident, more | offset // 8, self.ttl,
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
            said += (" kept" if flags & 1 else " new") + (" delivered" if flags & 2 else "") + f" epoch {word(message[FIXED.size:], 4)}"
            cookie = word(message[FIXED.size:], 2)
            said += "" if cookie == "none" else f" cookie {cookie}"
        if self.key:
            said += f" {self.signature(message)}"
        if len(message) > len(self.message):
            said += " longer"
        if ((magic, version, kind, length) != (b"NATf", 1, 2, len(message))
                or (protocol, en, router, (s, d)) != (self.protocol, self.en, self.router, self.ports)
                or struct.unpack_from("!HH", icmp, 4) != (self.ident, self.seq) or flags & ~3
                or socket.inet_ntoa(packet[12:16]) != self.dst or checksum(icmp) != 0):
            said += " altered"
        return said


def main(arguments):
    keys = {"options": [], "inners": []}
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key in ("option", "inner"):
            keys[key + "s"].append(value)
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
