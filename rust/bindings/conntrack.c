// SPDX-License-Identifier: GPL-2.0
/* Conntrack helpers, for natf_router only: natf_en must not pull nf_conntrack in. */
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_expect.h>
#include <net/netfilter/nf_conntrack_helper.h>
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
 * The packet's entry is made fit for a connection that the other side opens. False if there is none.
 *
 * TCP: conntrack has seen a SYN whose sequence number was made up and which nobody will answer. As long as
 * the connection is not open it must take the number, and the options, from the SYN/ACK that will come the
 * same way: it does so for a sender of whom it knows no window. Of the SYN that comes the other way it would
 * forget the window scale, had the first one none.
 */
bool natf_ct_adopt(struct sk_buff *skb)
{
	enum ip_conntrack_info info;
	struct nf_conn *ct = nf_ct_get(skb, &info);
	struct ip_ct_tcp *tcp;

	if (!ct)
		return false;
	if (nf_ct_protonum(ct) != IPPROTO_TCP)
		return true;
	tcp = &ct->proto.tcp;
	spin_lock_bh(&ct->lock);
	switch (tcp->state) {
	case TCP_CONNTRACK_SYN_SENT:
	case TCP_CONNTRACK_SYN_SENT2:
		tcp->seen[IP_CT_DIR_ORIGINAL].td_maxwin = 0;
		tcp->seen[IP_CT_DIR_ORIGINAL].flags |= IP_CT_TCP_FLAG_WINDOW_SCALE;
		break;
	case TCP_CONNTRACK_SYN_RECV:
		/* It was, and the SYN has made conntrack forget. */
		tcp->last_flags |= IP_CT_TCP_SIMULTANEOUS_OPEN;
		break;
	}
	/* Nor does it wait for what the SYN might bring about. (None of its values.) */
	tcp->last_index = U8_MAX;
	spin_unlock_bh(&ct->lock);
	return true;
}

/*
 * A pseudo-packet may meet an entry that is of no use to it: that of an earlier TCP connection of the same
 * ports that has closed, or is about to, and would not open again for it; or that of a ping of the inside
 * host itself, which cannot expect anything. That entry is ended: 1 if there was one, 0 if not.
 *
 * A connection that only one side has closed may carry the other one's data for hours. -EPERM: it is such a
 * one, and the request is not proven to be its endpoint's, which would know; nothing is ended.
 */
int natf_ct_end_stale(struct sk_buff *skb, bool proven)
{
	enum ip_conntrack_info info;
	struct nf_conn *ct = nf_ct_get(skb, &info);
	u8 state;

	if (!ct || !nf_ct_is_confirmed(ct))
		return 0;
	switch (nf_ct_protonum(ct)) {
	case IPPROTO_TCP:
		state = READ_ONCE(ct->proto.tcp.state);
		if (state < TCP_CONNTRACK_FIN_WAIT || state > TCP_CONNTRACK_CLOSE)
			return 0;
		if (state <= TCP_CONNTRACK_CLOSE_WAIT && !proven)
			return -EPERM;
		break;
	case IPPROTO_ICMP:
		if (nfct_help(ct))
			return 0;
		break;
	default:
		return 0;
	}
	return nf_ct_kill(ct);
}

/* The packet's new entry can be the master of others from now on. */
void natf_ct_may_expect(struct sk_buff *skb)
{
	enum ip_conntrack_info info;
	struct nf_conn *ct = nf_ct_get(skb, &info);

	if (ct && !nf_ct_is_confirmed(ct) && !nfct_help(ct))
		nf_ct_helper_ext_add(ct, GFP_ATOMIC);
}

/* Ends the connection that has `tuple` one way or the other, unless it is one that `master` expected. */
static void natf_ct_end_other(struct nf_conn *master, const struct nf_conntrack_tuple *tuple)
{
	struct nf_conntrack_tuple_hash *h;
	struct nf_conn *ct;

	h = nf_conntrack_find_get(nf_ct_net(master), nf_ct_zone(master), tuple);
	if (!h)
		return;
	ct = nf_ct_tuplehash_to_ctrack(h);
	if (ct->master != master)
		nf_ct_kill(ct);
	nf_ct_put(ct);
}

/*
 * An echo request came that an entry expected: it follows it to the inside, by nf_nat's own means. They are
 * looked for by name, so that this module does not need nf_nat, which need not be there.
 *
 * It belongs to the other way of a connection that is there, so it is ESTABLISHED, not RELATED. As RELATED,
 * NAT would take it for an ICMP error, and its data for the packet that the error is about.
 */
static void natf_ct_follow(struct nf_conn *ct, struct nf_conntrack_expect *exp)
{
	const struct nf_ct_helper_expectfn *master;

	master = nf_ct_helper_expectfn_find_by_name("nat-follow-master");
	if (!master)
		return;
	master->expectfn(ct, exp);
	set_bit(IPS_SEEN_REPLY_BIT, &ct->status);
}

static struct nf_ct_helper_expectfn natf_ct_echo = {
	.name = "natf-echo",
	.expectfn = natf_ct_follow,
};

static bool natf_ct_echo_on;

void natf_ct_echo_register(void)
{
	nf_ct_helper_expectfn_register(&natf_ct_echo);
	WRITE_ONCE(natf_ct_echo_on, true);
}

/* Nobody expects echoes any more when this returns, and nobody is in natf_ct_follow. May sleep. */
void natf_ct_echo_unregister(void)
{
	WRITE_ONCE(natf_ct_echo_on, false);
	nf_ct_helper_expectfn_unregister(&natf_ct_echo);
	synchronize_rcu();
	nf_ct_helper_expectfn_destroy(&natf_ct_echo);
	synchronize_rcu();
}

/*
 * The packet's entry, that of an echo request P1 -> G1 with id s that the NAT made G2 and m of, lets echo
 * requests G1 -> G2 with id m in for so many seconds: they go to P1 with id s. What stands in the way is
 * ended: what an older entry of the same hosts and id expected, and pings of the router with that id.
 * False: no room. In an RCU section.
 */
bool natf_ct_expect_echo(struct sk_buff *skb, u32 lifetime)
{
#if IS_ENABLED(CONFIG_NF_NAT)
	enum ip_conntrack_info info;
	struct nf_conn *ct = nf_ct_get(skb, &info);
	struct nf_conntrack_tuple outside, inside;
	struct nf_conntrack_expect *exp;
	int err;

	if (!READ_ONCE(natf_ct_echo_on) || !ct || nf_ct_protonum(ct) != IPPROTO_ICMP)
		return false;
	outside = ct->tuplehash[IP_CT_DIR_REPLY].tuple;
	outside.dst.u.icmp.type = ICMP_ECHO;
	inside = ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	inside.dst.u.icmp.type = ICMP_ECHOREPLY;
	natf_ct_end_other(ct, &outside);
	natf_ct_end_other(ct, &inside);

	exp = nf_ct_expect_alloc(ct);
	if (!exp)
		return false;
	nf_ct_expect_init(exp, NF_CT_EXPECT_CLASS_DEFAULT, AF_INET, &outside.src.u3, &outside.dst.u3,
			  IPPROTO_ICMP, &outside.src.u.all, &outside.dst.u.all);
	/* Not only for one: when the first is dropped, the next must not be taken for a ping of the router. */
	exp->flags = NF_CT_EXPECT_PERMANENT;
	exp->timeout += lifetime * HZ;
	exp->expectfn = natf_ct_follow;
	exp->dir = IP_CT_DIR_REPLY;
	exp->saved_proto.icmp.id = inside.src.u.icmp.id;
	/* One of the same kind that this entry has already is replaced. */
	err = nf_ct_expect_related(exp, 0);
	nf_ct_expect_put(exp);
	return !err;
#else
	return false;
#endif
}

/* Ends the packet's entry, which is in the table but of no use. */
void natf_ct_kill(struct sk_buff *skb)
{
	enum ip_conntrack_info info;
	struct nf_conn *ct = nf_ct_get(skb, &info);

	if (ct)
		nf_ct_kill(ct);
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
		/* What it expects need not have its policy. */
		return min(policy ? *policy : UINT_MAX, nf_icmp_pernet(net)->timeout) / HZ;
	default:
		return 0;
	}
}

/* The zone of the packet's entry, for natf_ct_flow. */
u32 natf_ct_zone(struct sk_buff *skb)
{
	enum ip_conntrack_info info;
	struct nf_conn *ct = nf_ct_get(skb, &info);
	const struct nf_conntrack_zone *zone;

	if (!ct)
		return 0;
	zone = nf_ct_zone(ct);
	return zone->id | zone->flags << 16 | zone->dir << 24;
}

/*
 * The entry of a flow between an inside host and an endpoint, whoever of them opened it, with a reference. A
 * mapped echo has two: the one of the pseudo-packet, and the one of the pings.
 */
static struct nf_conn *natf_ct_get(struct net *net, const struct natf_ct_flow *flow, u8 *dir)
{
	struct nf_conntrack_zone zone = {
		.id = flow->zone,
		.flags = flow->zone >> 16,
		.dir = flow->zone >> 24,
	};
	struct nf_conntrack_tuple tuple;
	struct nf_conntrack_tuple_hash *h;

	memset(&tuple, 0, sizeof(tuple));
	tuple.src.l3num = AF_INET;
	tuple.src.u3.ip = flow->host;
	tuple.src.u.all = flow->port;
	tuple.dst.u3.ip = flow->en;
	tuple.dst.protonum = flow->protocol;
	if (flow->protocol == IPPROTO_ICMP)
		tuple.dst.u.icmp.type = ICMP_ECHOREPLY;
	else
		tuple.dst.u.all = flow->en_port;
	h = nf_conntrack_find_get(net, &zone, &tuple);
	if (!h && flow->protocol == IPPROTO_ICMP) {
		tuple.dst.u.icmp.type = ICMP_ECHO;
		h = nf_conntrack_find_get(net, &zone, &tuple);
	}
	if (!h)
		return NULL;
	*dir = NF_CT_DIRECTION(h);
	return nf_ct_tuplehash_to_ctrack(h);
}

/* False: the flow has no entry (any more). */
bool natf_ct_find(struct net *net, const struct natf_ct_flow *flow, struct natf_ct_entry *entry)
{
	const struct nf_conntrack_tuple *other;
	struct nf_conn *ct;
	u8 dir;

	ct = natf_ct_get(net, flow, &dir);
	if (!ct)
		return false;
	memset(entry, 0, sizeof(*entry));
	other = &ct->tuplehash[!dir].tuple;
	entry->mapped = other->dst.u3.ip;
	entry->mapped_port = flow->protocol == IPPROTO_ICMP ? other->src.u.icmp.id : other->dst.u.all;
	entry->left = nf_ct_expires(ct) / HZ;
	if (flow->protocol == IPPROTO_TCP) {
		spin_lock_bh(&ct->lock);
		entry->open = ct->proto.tcp.state >= TCP_CONNTRACK_ESTABLISHED &&
			      ct->proto.tcp.state <= TCP_CONNTRACK_LAST_ACK;
		entry->host_next = ct->proto.tcp.seen[dir].td_end;
		entry->en_next = ct->proto.tcp.seen[!dir].td_end;
		spin_unlock_bh(&ct->lock);
	}
	nf_ct_put(ct);
	return true;
}

/* Ends what the flow has in the table. */
void natf_ct_end(struct net *net, const struct natf_ct_flow *flow)
{
	struct nf_conn *ct;
	int left = 2;
	u8 dir;

	while (left-- && (ct = natf_ct_get(net, flow, &dir))) {
		nf_ct_kill(ct);
		nf_ct_put(ct);
	}
}

/* Packets that conntrack has dropped on this CPU, in this namespace: its table was full. */
u32 natf_ct_drops(const struct net *net)
{
	return raw_cpu_ptr(net->ct.stat)->drop;
}

/* Our own reply answers a request that conntrack never saw: without this it would be INVALID. */
void natf_ct_untrack(struct sk_buff *skb)
{
	nf_reset_ct(skb);
	nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
}
