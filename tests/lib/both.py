"""both.py PORT HOST…: talks to several hosts of home.example.net at once, from one port.

Opens a TCP connection from PORT to port 80 of each, and asks for the pages when all stand; then sends a
datagram from PORT to port 5000 of each, and waits for the answers. Prints "HOST tcp LINE" for each page,
and "HOST udp LINE" for each answer that came from the address it was sent to.
"""

import socket
import sys


def bound(kind, port):
    sock = socket.socket(socket.AF_INET, kind)
    sock.settimeout(8)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("", port))
    return sock


def main(port, hosts):
    addresses = {host: socket.gethostbyname(host + ".home.example.net") for host in hosts}
    open_now = []
    for host in hosts:
        sock = bound(socket.SOCK_STREAM, port)
        sock.connect((addresses[host], 80))
        open_now.append((host, sock))
    for host, sock in open_now:
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        page = b""
        while part := sock.recv(65536):
            page += part
        print(host, "tcp", page.decode().splitlines()[-1])
        sock.close()
    with bound(socket.SOCK_DGRAM, port) as sock:
        for host in hosts:
            sock.sendto(b"hello\n", (addresses[host], 5000))
        answers = {}
        while len(answers) < len(hosts):
            data, sender = sock.recvfrom(65536)
            answers[sender] = data.decode().strip()
        for host in hosts:
            print(host, "udp", answers[addresses[host], 5000])


main(int(sys.argv[1]), sys.argv[2:])
