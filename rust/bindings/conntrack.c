// SPDX-License-Identifier: GPL-2.0
/* Conntrack helpers, for natf_router only: natf_en must not pull nf_conntrack in. */
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_l4proto.h>
#include <net/netfilter/nf_conntrack_timeout.h>

#include "natf.h"

/* Enters the packet's new entry into the table now; NF_ACCEPT, or NF_DROP if there is no room. */
int natf_ct_confirm(struct sk_buff *skb)
{
	return nf_conntrack_confirm(skb);
}

bool natf_ct_is_confirmed(struct sk_buff *skb)
{
	enum ip_conntrack_info info;
	struct nf_conn *ct = nf_ct_get(skb, &info);

	return ct && nf_ct_is_confirmed(ct);
}

/*
 * Window tracking off for this one TCP entry, both directions: its first sequence number was made up,
 * so the real SYN/ACK would count as INVALID. False if there is no entry.
 */
bool natf_ct_be_liberal(struct sk_buff *skb)
{
	enum ip_conntrack_info info;
	struct nf_conn *ct = nf_ct_get(skb, &info);

	if (!ct)
		return false;
	if (nf_ct_protonum(ct) == IPPROTO_TCP) {
		spin_lock_bh(&ct->lock);
		ct->proto.tcp.seen[IP_CT_DIR_ORIGINAL].flags |= IP_CT_TCP_FLAG_BE_LIBERAL;
		ct->proto.tcp.seen[IP_CT_DIR_REPLY].flags |= IP_CT_TCP_FLAG_BE_LIBERAL;
		spin_unlock_bh(&ct->lock);
	}
	return true;
}

/*
 * A pseudo-packet may meet the entry of an earlier connection of the same ports that has closed, or is
 * about to, and would not open again for it. That entry is ended; true if there was one.
 */
bool natf_ct_end_stale(struct sk_buff *skb)
{
	enum ip_conntrack_info info;
	struct nf_conn *ct = nf_ct_get(skb, &info);
	u8 state;

	if (!ct || !nf_ct_is_confirmed(ct) || nf_ct_protonum(ct) != IPPROTO_TCP)
		return false;
	state = READ_ONCE(ct->proto.tcp.state);
	if (state < TCP_CONNTRACK_FIN_WAIT || state > TCP_CONNTRACK_CLOSE)
		return false;
	return nf_ct_kill(ct);
}

/*
 * Seconds that the packet's entry lives without traffic for sure; 0: no entry. TCP: once established.
 * UDP: as if unreplied, because conntrack takes a flow for a stream only after some seconds of traffic
 * both ways, and an endpoint that counted on more would send to a mapping that is gone.
 */
u32 natf_ct_lifetime(struct net *net, struct sk_buff *skb)
{
	enum ip_conntrack_info info;
	struct nf_conn *ct = nf_ct_get(skb, &info);
	const unsigned int *policy;

	if (!ct)
		return 0;
	policy = nf_ct_timeout_lookup(ct);
	switch (nf_ct_protonum(ct)) {
	case IPPROTO_TCP:
		return (policy ?: nf_tcp_pernet(net)->timeouts)[TCP_CONNTRACK_ESTABLISHED] / HZ;
	case IPPROTO_UDP:
		return (policy ?: nf_udp_pernet(net)->timeouts)[UDP_CT_UNREPLIED] / HZ;
	case IPPROTO_ICMP:
		return (policy ? *policy : nf_icmp_pernet(net)->timeout) / HZ;
	default:
		return 0;
	}
}

/* Our own reply answers a request that conntrack never saw: without this it would be INVALID. */
void natf_ct_untrack(struct sk_buff *skb)
{
	nf_reset_ct(skb);
	nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
}
