"""Alters IPv4 packets. A packet is bytes from the IP header on; every function returns new ones.

What comes out is often right enough to be looked at closely: lengths and checksums are mended more often
than not.
"""

import random
import struct

ICMP, TCP, UDP = 1, 6, 17
BYTES = (0, 1, 2, 3, 5, 0x0F, 0x10, 0x3F, 0x40, 0x45, 0x46, 0x4F, 0x7F, 0x80, 0xC0, 0xFE, 0xFF)
WORDS = (0, 1, 2, 7, 8, 28, 41, 53, 64, 80, 0xFF, 0x100, 0x2000, 0x3FFF, 0x4000, 0x7FFF, 0x8000, 0xC00C, 0xFFFF)
ERRORS = ((3, 0), (3, 1), (3, 3), (3, 4), (3, 13), (4, 0), (5, 1), (11, 0), (11, 1), (12, 0))


def checksum(data):
    if len(data) % 2:
        data = bytes(data) + b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def header_len(packet):
    return min(max((packet[0] & 15) * 4, 20), len(packet))


def mend(packet, lengths=True):
    """The packet with checksums, and lengths if wanted, that fit what is in it."""
    packet = bytearray(packet)
    if len(packet) < 20:
        return bytes(packet)
    start = header_len(packet)
    if lengths:
        struct.pack_into("!H", packet, 2, len(packet))
    packet[10:12] = b"\0\0"
    struct.pack_into("!H", packet, 10, checksum(packet[:start]))
    segment, protocol = packet[start:], packet[9]
    at = {ICMP: 2, TCP: 16, UDP: 6}.get(protocol)
    fragment = struct.unpack_from("!H", packet, 6)[0] & 0x3FFF
    if at is None or fragment or len(segment) < at + 2:
        return bytes(packet)
    if protocol == UDP and lengths and len(segment) >= 8:
        struct.pack_into("!H", segment, 4, len(segment))
    segment[at:at + 2] = b"\0\0"
    pseudo = b"" if protocol == ICMP else bytes(packet[12:20]) + struct.pack("!BBH", 0, protocol, len(segment))
    struct.pack_into("!H", segment, at, checksum(pseudo + segment))
    return bytes(packet[:start] + segment)


def place(packet):
    """Somewhere in it, more often behind the IP header than in it."""
    low = header_len(packet) if random.random() < 0.8 else 0
    return random.randrange(low, len(packet)) if low < len(packet) else random.randrange(len(packet))


def flip(packet, _):
    packet[place(packet)] ^= 1 << random.randrange(8)


def byte(packet, _):
    packet[place(packet)] = random.choice(BYTES)


def word(packet, _):
    at = place(packet) & ~1
    if at + 2 <= len(packet):
        struct.pack_into("!H", packet, at, random.choice(WORDS + (len(packet), len(packet) - 1)))


def noise(packet, _):
    at = place(packet)
    length = random.randrange(1, 16)
    packet[at:at + length] = random.randbytes(min(length, len(packet) - at))


def cut(packet, _):
    del packet[max(1, place(packet)):]


def grow(packet, _):
    packet += random.randbytes(random.choice((1, 2, 8, 40, 400)))


def remove(packet, _):
    at = place(packet)
    del packet[max(at, 1):at + random.randrange(1, 9)]


def double(packet, _):
    at = place(packet)
    packet[at:at] = packet[at:at + random.randrange(1, 33)]


def splice(packet, others):
    """The tail of another packet, from the same offset on."""
    other = random.choice(others) if others else packet
    at = place(packet)
    packet[at:] = other[at:]


def options(packet, _):
    """IP options, sensible or not."""
    start = header_len(packet)
    words = random.randrange(0, 11)
    if start == 20 and len(packet) > 20:
        packet[20:20] = bytes(random.choice((0, 1, 7, 68, 130, 131, 137, 148, 4, 3, 11)) for _ in range(words * 4))
        packet[0] = 0x45 + words


def fragment(packet, _):
    struct.pack_into("!H", packet, 6, random.choice((0x2000, 0x2001, 0x0001, 0x1FFF, 0x4000, 0x8000, 0x2005)))


def ttl(packet, _):
    packet[8] = random.choice((0, 1, 2, 255))


def field(packet, _):
    """A field of the protocol that is in it."""
    start = header_len(packet)
    body = len(packet) - start
    if packet[9] == TCP and body >= 20:
        packet[start + random.choice((12, 13, 13, 13, 14, 18))] = random.choice((0, 1, 2, 4, 0x10, 0x11, 0x12, 0x14, 0x50, 0xF0, 0xFF))
    elif packet[9] == UDP and body > 20 and 53 in struct.unpack_from("!HH", packet, start):
        # Flags, counts, and whatever might be a label, a type or a length.
        at = start + 8 + random.choice((2, 3, 5, 7, 9, 11, *range(12, max(13, body - 8))))
        if at < len(packet):
            packet[at] = random.choice(BYTES)
    elif packet[9] == ICMP and body > 52 and packet[start + 8:start + 12] == b"NATf":
        # Version, type, length, protocol, code, flags; then addresses, options.
        at = start + 8 + random.choice((4, 5, 6, 7, 16, 17, 18, 19, *range(20, body - 8)))
        packet[at] = random.choice(BYTES)
    elif packet[9] == ICMP and body >= 8:
        packet[start], packet[start + 1] = random.choice(ERRORS + ((0, 0), (8, 0), (13, 0)))


CHANGES = (flip, flip, byte, byte, word, word, noise, cut, grow, remove, double, splice, options, fragment, ttl,
           field, field, field, field, field)


def mutate(packet, others):
    """One to three changes; mended mostly."""
    packet = bytearray(packet)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        if len(packet) < 20:
            break
        random.choice(CHANGES)(packet, others)
    luck = random.random()
    return mend(packet[:1500], luck < 0.6) if luck < 0.85 else bytes(packet[:1500])


def error_about(packet, others):
    """An ICMP error that quotes the packet, itself altered now and then."""
    kind, code = random.choice(ERRORS)
    quoted = packet[:header_len(packet) + random.choice((8, 8, 8, 20, 64, 500))]
    if random.random() < 0.3:
        quoted = mutate(quoted, others)
    if random.random() < 0.1:
        quoted = quoted[:random.randrange(len(quoted) + 1)]
    source = packet[16:20] if random.random() < 0.7 else bytes((203, 0, 113, random.randrange(256)))
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 0, random.getrandbits(16), 0, 64, ICMP, 0, source, packet[12:16])
    rest = random.choice((0, 68, 296, 1280, 1400, 0xFFFF))
    made = mend(head + struct.pack("!BBHHH", kind, code, 0, 0, rest) + quoted)
    return made if random.random() < 0.9 else mutate(made, others)
