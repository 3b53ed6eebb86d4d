#!/bin/bash
# natfctl trace says so where the resolver asks in a way that natf_en cannot see, as over TLS; with libnss-natf and
# natf-named it finds nothing wrong.
#
#   en (natfctl → resolved) ── TLS, 853 ── isp (BIND) ─── hgw ─── alice (nginx)
# shellcheck source=tests/lib.sh
. "$NATF_TESTS/lib.sh"
# shellcheck source=tests/lib/trace.sh
. "$NATF_TESTS/lib/trace.sh"

# shellcheck source=tests/lib/hidden.sh
. "$NATF_TESTS/lib/hidden.sh"

hidden_dns
web_server alice
natf_on
cause "the answer came over TLS" unseen "^this host: the resolver says $G2 .*did not see .*DNS over TLS or HTTPS" "$name" 80
matches "and what helps is named" "$(jq -r .advice "$WORK/trace")" libnss-natf
nss_module
natf_named
repaired
