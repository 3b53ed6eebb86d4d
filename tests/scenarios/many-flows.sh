#!/bin/bash
# limit: 120
# Five hundred connections at once, to two hosts behind one router: none fails, none is left in
# negotiation, and each has one entry in the router's table.
#
#                                       ┌ alice (nginx :80)
#   en ─── isp ─── hgw (masquerade) ────┤
#                                       └ bob   (nginx :80)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
web_server alice
web_server bob
cat >"$WORK/many.py" <<'PY'
"""many.py COUNT ADDRESS…: as many connections to each address at once, from the same source ports; when
all stand and standard input says so, a page over each. Prints "standing N", then a line for each page."""
import asyncio
import socket
import sys

async def connection(address, port, standing, go):
    sock = socket.socket()
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("", port))
    await asyncio.get_running_loop().sock_connect(sock, (address, 80))
    reader, writer = await asyncio.open_connection(sock=sock)
    standing.append(writer)
    await go.wait()
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    page = await reader.read()
    writer.close()
    print(page.decode().splitlines()[-1], flush=True)

async def main(count, addresses):
    standing, go = [], asyncio.Event()
    loop = asyncio.get_running_loop()
    tasks = [asyncio.create_task(connection(address, 20000 + number, standing, go))
             for number in range(count) for address in addresses]
    while len(standing) < len(tasks):
        done = [task for task in tasks if task.done()]
        if done:
            print("failed", done[0].exception(), flush=True)
            return
        await asyncio.sleep(0.05)
    print("standing", len(standing), flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)
    go.set()
    await asyncio.gather(*tasks)

asyncio.run(main(int(sys.argv[1]), sys.argv[2:]))
PY
not_ok "control: without the modules none comes about" \
    en timeout 3 python3 "$WORK/many.py" 1 "$(address_of alice.home.example.net)"
delay 60
natf_on
alice=$(address_of alice.home.example.net)
bob=$(address_of bob.home.example.net)
differs "control: the two have addresses of their own" "$alice" "$bob"

mkfifo "$WORK/go"
background many en sh -c 'exec python3 "$0" 250 "$1" "$2" <"$3"' "$WORK/many.py" "$alice" "$bob" "$WORK/go"
exec {go}>"$WORK/go"
WAIT=60 wait_for grep -q . "$WORK/many.log"
is "all stand at the same time" "$(cat "$WORK/many.log")" "standing 500"
show en natf_en/vat >"$WORK/vat"
is "five hundred flows" "$(grep -c . "$WORK/vat")" 500
is "none in negotiation or refused" "$(grep -c 'negotiating\|refused' "$WORK/vat" || true)" 0
is "half of them alice's" "$(grep -c " $alice:80 .* alice " "$WORK/vat")" 250
is "every held packet was released" "$(sent_on en)" "$(stat_of en natf_en held)"
is "no packet was dropped for want of room" "$(stat_of en natf_en hold_full)" 0
is "all were mapped" "$(stat_of en natf_en mapped)" 500
connections -p tcp >"$WORK/table"
is "the router has as many entries" "$(grep -c ' ESTABLISHED ' "$WORK/table")" 500
is "and no others" "$(grep -c . "$WORK/table")" 500
is "no two look the same on the wire" "$(awk '{ print $2, $4 }' "$WORK/vat" | sort -u | grep -c .)" 500

echo go >&"$go"
wait_for_pages() { [ "$(grep -c '^this is' "$WORK/many.log")" = 500 ]; }
WAIT=60 ok "all pages come" wait_for wait_for_pages
is "half of them alice's" "$(grep -c '^this is alice$' "$WORK/many.log")" 250
ok "and nothing failed" wait "${PID[many]}"
is "the firewall met no invalid packet" "$(nft_counter hgw filter invalid)" 0
