#!/bin/bash
# stock: yes
# FTP in passive mode: the data connection goes to the same virtual address and another port, and simply
# negotiates again. Extended passive mode (EPSV) and the old one (PASV).
#
#   en (curl) ─── isp ─── hgw (masquerade) ─── alice (vsftpd)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
name_server
ftp_server alice
head -c 8M /dev/urandom >"$WORK/ftp.alice/file"
sum=$(sha256sum <"$WORK/ftp.alice/file")
get() { fetch en ftp://alice.home.example.net/file --max-time 60 "$@" | sha256sum; }

not_ok "control: without the modules there is no FTP" \
    fetch en ftp://alice.home.example.net/file --connect-timeout 1 -o /dev/null
natf_on
is "8 MiB come whole with EPSV" "$(get)" "$sum"
is "control and data made two flows" "$(rows en natf_en/vat)" 2
is "8 MiB come whole with PASV" "$(get --disable-epsv)" "$sum"
ok "a file goes up to a refusal of the server, not of the network" \
    grep -q 'CONNECT: Client "198.51.100.2"' "$WORK/alice.ftplog"
