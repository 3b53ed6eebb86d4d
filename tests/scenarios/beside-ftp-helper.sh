#!/bin/bash
# The router has the kernel's FTP helper, and rules that give it to connections from and to port 21: FTP of its own
# hosts works by it, and FTP from outside by name works beside it, in every mode.
#
#   en (curl, lftp) ─── isp ─── hgw (masquerade, nf_conntrack_ftp, nf_nat_ftp) ─── alice (vsftpd, curl)
#                        └ web (vsftpd)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"

topology
modprobe -aq nf_conntrack_ftp nf_nat_ftp || true
name_server
ftp_server alice
ftp_server web
head -c 2M /dev/urandom >"$WORK/ftp.alice/file"
cp "$WORK/ftp.alice/file" "$WORK/ftp.web/file"
sum=$(sha256sum <"$WORK/ftp.web/file")
get() { fetch "$1" "ftp://$2/file" --connect-timeout 3 "${@:3}" | sha256sum; } # get NAMESPACE HOST [CURL OPTIONS]

# In this mode the private address is in what the client says, and the server opens a connection to the NAT.
differs "control: without a helper the inside host has no active FTP" "$(get alice $WEB --disable-eprt --ftp-port - 2>/dev/null)" "$sum"
hgw nft -f - <<'RULES'
table inet helpers {
    ct helper ftp { type "ftp" protocol tcp; }
    chain prerouting {
        type filter hook prerouting priority filter;
        tcp dport 21 ct helper set "ftp"
        tcp sport 21 ct helper set "ftp"
    }
}
RULES
is "control: with it, it has" "$(get alice $WEB --disable-eprt --ftp-port -)" "$sum"

natf_on
capture wan isp hgw "host $EN"
host=alice.home.example.net
is "EPSV" "$(get en $host)" "$sum"
is "PASV" "$(get en $host --disable-epsv)" "$sum"
is "EPRT" "$(get en $host --ftp-port -)" "$sum"
is "PORT" "$(get en $host --disable-eprt --ftp-port -)" "$sum"
lftp() { en timeout 20 lftp -c "set net:max-retries 1; set ftp:passive-mode $1; open ftp://$host && cat file" | sha256sum; }
is "lftp, passive" "$(lftp yes)" "$sum"
is "lftp, active" "$(lftp no)" "$sum"
capture_end wan
is "the helper had these connections" \
    "$(connections -p tcp --orig-port-src 21 | grep "dst=$EN" | grep -vc 'helper=ftp' || true)" 0
within "the helper had some" "$(connections -p tcp --orig-port-src 21 | grep -c "dst=$EN .*helper=ftp")" 6 12
is "and the inside host's own works as before" "$(get alice $WEB --disable-eprt --ftp-port -)" "$sum"
# In active mode alice opens a connection, and her SYNs have options.
is "no pseudo-packet left" "$(count_packets wan "$PSEUDO and tcp[12] < 0x60")" 0
is "nothing sent twice" "$(repeated_segments wan)" ""
is "the firewall met no invalid packet" "$(nft_counter hgw filter invalid)" 0
