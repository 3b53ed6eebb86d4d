#!/bin/bash
# stock: yes
# FTP in active mode: the server behind the NAT connects back to EN, through its router's ordinary NAT,
# while the control connection goes through NAT-f.
#
#   en (curl) ─── isp ─── hgw (masquerade) ─── alice (vsftpd)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
ftp_server alice
head -c 8M /dev/urandom >"$WORK/ftp.alice/file"
sum=$(sha256sum <"$WORK/ftp.alice/file")
get() { fetch en ftp://alice.home.example.net/file --max-time 60 --ftp-port - "$@" | sha256sum; }

not_ok "control: without the modules there is no FTP" \
    fetch en ftp://alice.home.example.net/file --connect-timeout 1 --ftp-port - -o /dev/null
natf_on
write en natf_en/early off
capture wire isp en "tcp[tcpflags] == tcp-syn"
is "8 MiB come whole with EPRT" "$(get)" "$sum"
is "8 MiB come whole with PORT" "$(get --disable-eprt)" "$sum"
capture_end wire
is "the data connections came from the router's own address" "$(count_packets wire "src $G2 and dst $EN")" 2
is "the control connections went to it" "$(count_packets wire "src $EN and dst $G2")" 2
