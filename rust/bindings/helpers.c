// SPDX-License-Identifier: GPL-2.0
/*
 * Helpers that both modules need; included by natf_en/helpers.c and natf_router/helpers.c,
 * because an object file can belong to one module only.
 */
#include <linux/bpf-cgroup.h>
#include <linux/icmp.h>
#include <linux/inetdevice.h>
#include <linux/jiffies.h>
#include <linux/netfilter_bridge.h>
#include <linux/nsproxy.h>
#include <linux/random.h>
#include <linux/user_namespace.h>
#include <net/checksum.h>
#include <net/dst_metadata.h>
#include <net/icmp.h>
#include <net/inet_hashtables.h>
#include <net/ip.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netns/generic.h>
#include <net/route.h>
#include <net/tcp.h>
#include <net/udp.h>

#include "natf.h"

/* ---- table ---- */

/* Two words, which is less than a call of memcmp. */
static int natf_table_differs(struct rhashtable_compare_arg *arg, const void *entry)
{
	const u64 *a = arg->key, *b = ((const struct natf_link *)entry)->key;

	BUILD_BUG_ON(NATF_KEY_LEN != 2 * sizeof(u64));
	return a[0] != b[0] || a[1] != b[1];
}

/* Nobody outside can guess it, so nobody can choose keys that meet. */
static u64 natf_table_secret[2] __read_mostly;

/* Both halves of the product of two masked words: a tenth of the instructions of jhash2 for this one length. */
static u32 natf_table_hash(const void *data, u32 len, u32 seed)
{
	const u64 *key = data;
	u128 product = (u128)((key[0] ^ natf_table_secret[0]) + seed) * (key[1] ^ natf_table_secret[1]);
	u64 mixed = (u64)product ^ (u64)(product >> 64);

	return mixed ^ mixed >> 32;
}

static const struct rhashtable_params natf_table_params = {
	.key_len = NATF_KEY_LEN,
	.key_offset = offsetof(struct natf_link, key),
	.head_offset = offsetof(struct natf_link, node),
	.hashfn = natf_table_hash,
	.obj_cmpfn = natf_table_differs,
	.automatic_shrinking = true,
};

int natf_table_init(struct rhashtable *ht, u32 max)
{
	struct rhashtable_params params = natf_table_params;

	/* The first table is made when the module is loaded, before there can be others. */
	if (!natf_table_secret[0])
		get_random_bytes(natf_table_secret, sizeof(natf_table_secret));
	/*
	 * Room to grow until there are two buckets for an entry, or nearly: also a full table has short chains. How many
	 * entries there may be, the Rust side says.
	 */
	params.max_size = 2 * roundup_pow_of_two(max);
	return rhashtable_init(ht, &params);
}

/* A caller has the key in registers. */
void *natf_table_lookup(struct rhashtable *ht, u64 low, u64 high)
{
	const u64 key[] = { low, high };

	return rhashtable_lookup(ht, key, natf_table_params);
}

int natf_table_insert(struct rhashtable *ht, struct natf_link *link)
{
	return rhashtable_lookup_insert_fast(ht, &link->node, natf_table_params);
}

int natf_table_remove(struct rhashtable *ht, struct natf_link *link)
{
	return rhashtable_remove_fast(ht, &link->node, natf_table_params);
}

/* Both have the same key. */
int natf_table_replace(struct rhashtable *ht, struct natf_link *old, struct natf_link *new)
{
	return rhashtable_replace_fast(ht, &old->node, &new->node, natf_table_params);
}

void natf_table_walk_enter(struct rhashtable *ht, struct rhashtable_iter *iter)
{
	rhashtable_walk_enter(ht, iter);
	rhashtable_walk_start(iter);
}

/* The next entry, or NULL at the end; a resize in between may show an entry twice. */
void *natf_table_walk_next(struct rhashtable_iter *iter)
{
	void *entry;

	do
		entry = rhashtable_walk_next(iter);
	while (IS_ERR(entry) && PTR_ERR(entry) == -EAGAIN);
	return IS_ERR(entry) ? NULL : entry;
}

/* Between the two the caller may sleep; an entry seen before must not be used after. Process context. */
void natf_table_walk_stop(struct rhashtable_iter *iter)
{
	rhashtable_walk_stop(iter);
	cond_resched();
}

void natf_table_walk_resume(struct rhashtable_iter *iter)
{
	rhashtable_walk_start(iter);
}

void natf_table_walk_exit(struct rhashtable_iter *iter)
{
	rhashtable_walk_stop(iter);
	rhashtable_walk_exit(iter);
}

void natf_table_destroy(struct rhashtable *ht, void (*free_fn)(void *entry, void *arg), void *arg)
{
	rhashtable_free_and_destroy(ht, free_fn, arg);
}

/* ---- sk_buff ---- */

void natf_kfree_skb(struct sk_buff *skb)
{
	kfree_skb(skb);
}

void natf_consume_skb(struct sk_buff *skb)
{
	consume_skb(skb);
}

/* The first len bytes from the network header on, made linear; NULL if the packet is shorter. */
const u8 *natf_skb_head(struct sk_buff *skb, u32 len)
{
	return pskb_may_pull(skb, skb_network_offset(skb) + len) ? skb_network_header(skb) : NULL;
}

/* The network header, and how many bytes from it on are linear as the packet is. */
struct natf_span natf_skb_linear(const struct sk_buff *skb)
{
	const u8 *start = skb_network_header(skb);

	return (struct natf_span) { start, skb->data + skb_headlen(skb) - start };
}

u8 natf_skb_protocol(const struct sk_buff *skb)
{
	return ip_hdr(skb)->protocol;
}

u32 natf_skb_network_len(const struct sk_buff *skb)
{
	return skb->len - skb_network_offset(skb);
}

/* As natf_skb_head(), to write. */
u8 *natf_skb_writable(struct sk_buff *skb, u32 len)
{
	u32 end = skb_network_offset(skb) + len;

	/* As most are, TCP's among them; the same question as the function asks, without the call. */
	if (end <= skb_headlen(skb) && (!skb_cloned(skb) || skb_clone_writable(skb, end)))
		return skb_network_header(skb);
	return skb_ensure_writable(skb, end) ? NULL : skb_network_header(skb);
}

/* Whether it stands for several packets. */
bool natf_skb_is_gso(const struct sk_buff *skb)
{
	return skb_is_gso(skb);
}

bool natf_skb_was_fragmented(const struct sk_buff *skb)
{
	return IPCB(skb)->frag_max_size || (IPCB(skb)->flags & IPSKB_FRAG_COMPLETE);
}

u8 natf_skb_ip_summed(const struct sk_buff *skb)
{
	return skb->ip_summed;
}

void natf_skb_replace4(struct sk_buff *skb, u8 *sum, __be32 from, __be32 to, bool pseudo)
{
	inet_proto_csum_replace4((__sum16 *)sum, skb, from, to, pseudo);
}

u32 natf_skb_mark(const struct sk_buff *skb)
{
	return skb->mark;
}

/* The interface that the sender's socket is bound to, or the VRF it is in; 0: none. */
int natf_skb_bound_ifindex(const struct sk_buff *skb)
{
	const struct sock *sk = skb->sk;

	return sk && sk_fullsock(sk) ? READ_ONCE(sk->sk_bound_dev_if) : 0;
}

bool natf_skb_is_detached(const struct sk_buff *skb)
{
	return !skb->dev;
}

/*
 * Keeps the connection of a packet, if it is tracked, out of flow tables, whose packets pass no hook of ours. There
 * is no mark of just that meaning; this one is for entries that clashed with another, and what else it does is that
 * conntrack never calls a UDP flow "assured". It needs no symbol of nf_conntrack.
 */
void natf_skb_stay_slow(struct sk_buff *skb)
{
	enum ip_conntrack_info info;
	struct nf_conn *ct = nf_ct_get(skb, &info);

	if (ct && !test_bit(IPS_NAT_CLASH_BIT, &ct->status))
		set_bit(IPS_NAT_CLASH_BIT, &ct->status);
}

/* The packet may be kept from now on. Its device may go meanwhile; that of the route is held. */
bool natf_skb_dst_force(struct sk_buff *skb)
{
	skb->dev = NULL;
	return skb_dst_force(skb);
}

/* A packet of len bytes of IPv4, zeroed, with head room for any link header. */
struct sk_buff *natf_skb_alloc(u32 len)
{
	struct sk_buff *skb = alloc_skb(LL_MAX_HEADER + len, GFP_ATOMIC);

	if (!skb)
		return NULL;
	skb_reserve(skb, LL_MAX_HEADER);
	skb_put_zero(skb, len);
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, sizeof(struct iphdr));
	skb->protocol = htons(ETH_P_IP);
	return skb;
}

/*
 * A copy of a packet that leaves, of the same sender: rules may ask whose it is. NULL: no memory, or the sender is
 * being closed.
 */
struct sk_buff *natf_skb_copy(const struct sk_buff *skb)
{
	struct sk_buff *copy = skb_copy(skb, GFP_ATOMIC);

	if (copy && skb->sk && !skb_set_owner_sk_safe(copy, skb->sk)) {
		kfree_skb(copy);
		return NULL;
	}
	return copy;
}

/*
 * To the packet's real sender, also if it was behind our NAT; without a route nothing is sent. Nor if the device of
 * its route has gone meanwhile: the one in its place is not of this namespace, and the error would go out there.
 */
void natf_icmp_error(struct sk_buff *skb, u8 type, u8 code)
{
	if (skb_dst(skb) && skb_dst(skb)->dev == blackhole_netdev)
		return;
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	icmp_ndo_send(skb, type, code, 0);
}

/* ---- routing ---- */

/*
 * Whether a packet in PRE_ROUTING is for one of our own addresses, and its source passes the kernel's
 * checks: not martian, as rp_filter says, and no broadcast address of ours, to which an answer would go
 * to all. It has no route afterwards, as before.
 */
bool natf_is_for_us(struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);
	bool ours;

	/* Our own packets bring their route along, and would be martians if it was looked up again. */
	if (skb->dev->flags & IFF_LOOPBACK)
		return skb_valid_dst(skb) && skb_rtable(skb)->rt_type == RTN_LOCAL;
	if (inet_addr_type(dev_net(skb->dev), iph->saddr) != RTN_UNICAST)
		return false;
	ours = !ip_route_input(skb, iph->daddr, iph->saddr, ip4h_dscp(iph), skb->dev) &&
	       skb_rtable(skb)->rt_type == RTN_LOCAL;
	skb_dst_drop(skb);
	return ours;
}

/*
 * Whether nothing that translates lies between the sender of a packet in PRE_ROUTING and `host`: the sender is this
 * machine, or both are in one subnet of the interface that the packet came in by. Not if `host` is this machine.
 */
bool natf_is_near(const struct sk_buff *skb, __be32 host)
{
	const struct in_device *in_dev = __in_dev_get_rcu(skb->dev);
	const struct in_ifaddr *ifa;

	if (!in_dev || inet_addr_type(dev_net(skb->dev), host) != RTN_UNICAST)
		return false;
	if (skb->dev->flags & IFF_LOOPBACK)
		return true;
	in_dev_for_each_ifa_rcu(ifa, in_dev)
		if (inet_ifa_match(ip_hdr(skb)->saddr, ifa) && inet_ifa_match(host, ifa))
			return true;
	return false;
}

bool natf_is_local(struct net *net, __be32 addr)
{
	return inet_addr_type(net, addr) == RTN_LOCAL;
}

/* A forwarded packet has its output device already: it must be that of the new route. */
static void natf_follow_route(struct sk_buff *skb)
{
	if (skb->dev && skb_dst(skb))
		skb->dev = skb_dst_dev(skb);
}

int natf_reroute(struct net *net, struct sk_buff *skb)
{
	int err;

	if (!skb_dst(skb))
		return -ENETUNREACH;
	err = ip_route_me_harder(net, skb->sk, skb, RTN_UNSPEC);

	natf_follow_route(skb);
	return err;
}

/* Remembers the packet's route. */
void natf_route_store(struct natf_route *route, struct sk_buff *skb)
{
	struct dst_entry *dst = skb_dst(skb);

	if (!dst || !dst_hold_safe(dst))
		return;
	dst_release(unrcu_pointer(xchg(&route->dst, RCU_INITIALIZER(dst))));
}

/* Gives the packet the remembered route, if there is one and routing has not changed since. */
bool natf_route_apply(struct natf_route *route, struct sk_buff *skb)
{
	struct dst_entry *dst;

	dst = rcu_dereference(route->dst);
	if (dst && dst == skb_dst(skb)) {
		/* The sender has just checked it: the same next hop for both addresses. */
		return true;
	}
	if (dst && dst_check(dst, 0) && dst_hold_safe(dst)) {
		skb_dst_drop(skb);
		skb_dst_set(skb, dst);
		natf_follow_route(skb);
		return true;
	}
	return false;
}

void natf_route_drop(struct natf_route *route)
{
	dst_release(rcu_dereference_protected(route->dst, true));
}

/* Interface by which the packet's route leaves; 0: it has none. */
int natf_skb_route_ifindex(const struct sk_buff *skb)
{
	return skb_dst(skb) ? skb_dst_dev(skb)->ifindex : 0;
}

/* The end of the way of a packet that has travelled otherwise. */
static int natf_gone(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	consume_skb(skb);
	return 1;
}

static int natf_forward_finish(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	/* The route is another one by now; POST_ROUTING is done with. */
	IPCB(skb)->flags |= IPSKB_REROUTED;
	return dst_output(net, sk, skb);
}

/*
 * Sends a packet that POST_ROUTING held on its way to interface `ifindex`, by whatever route it has now. It passes
 * POST_ROUTING once more, as on its way there: masquerade takes a connection for lost whose packets leave by
 * another interface, and would end the entry, which is not confirmed before the end of this second way. NAT does
 * nothing twice, because it is done with the entry. Consumes the packet. With `gone` that is all: it has travelled
 * otherwise, but its entry has to be confirmed.
 */
void natf_forward(struct net *net, struct sk_buff *skb, int ifindex, bool gone)
{
	struct net_device *out;

	rcu_read_lock();
	out = dev_get_by_index_rcu(net, ifindex);
	if (skb_dst(skb) && out)
		NF_HOOK(NFPROTO_IPV4, NF_INET_POST_ROUTING, net, NULL, skb, NULL, out,
			gone ? natf_gone : natf_forward_finish);
	else
		kfree_skb(skb);
	rcu_read_unlock();
}

/*
 * Routes a complete IPv4 packet by its own addresses, a mark and an interface (0: any), and sends it;
 * consumes it in any case. -EMSGSIZE: it is longer than the path takes.
 */
int natf_send(struct net *net, struct sk_buff *skb, u32 mark, int oif)
{
	const struct iphdr *iph = ip_hdr(skb);
	struct flowi4 fl4 = {
		.daddr = iph->daddr,
		.saddr = iph->saddr,
		.flowi4_proto = iph->protocol,
		.flowi4_mark = mark,
		.flowi4_oif = oif,
	};
	struct rtable *rt = ip_route_output_key(net, &fl4);

	if (IS_ERR(rt)) {
		kfree_skb(skb);
		return PTR_ERR(rt);
	}
	if (skb->len > dst_mtu(&rt->dst)) {
		ip_rt_put(rt);
		kfree_skb(skb);
		return -EMSGSIZE;
	}
	skb->mark = mark;
	skb_dst_drop(skb);
	skb_dst_set(skb, &rt->dst);
	return ip_local_out(net, NULL, skb);
}

/* Sends a packet that LOCAL_OUT held and that has its new route; consumes it in any case. */
int natf_resend(struct net *net, struct sk_buff *skb)
{
	if (!skb_dst(skb)) {
		kfree_skb(skb);
		return -ENETUNREACH;
	}
	return ip_local_out(net, skb->sk, skb);
}

/* The same of a trial, which the programs of the sender's cgroup may stop, as they may stop what goes out. */
static int natf_would_go(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	int ret = BPF_CGROUP_RUN_PROG_INET_EGRESS(sk, skb);

	consume_skb(skb);
	return ret == NET_XMIT_SUCCESS || ret == NET_XMIT_CN ? 1 : -EPERM;
}

/* As ip_output(), up to where the packet would go to its neighbour. */
static int natf_leave_to(struct net *net, struct sock *sk, struct sk_buff *skb,
			 int (*finish)(struct net *, struct sock *, struct sk_buff *))
{
	int ret;

	rcu_read_lock();
	skb->dev = skb_dst_dev_rcu(skb);
	ret = NF_HOOK(NFPROTO_IPV4, NF_INET_POST_ROUTING, net, sk, skb, NULL, skb->dev, finish);
	rcu_read_unlock();
	return ret;
}

static int natf_leave(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	return natf_leave_to(net, sk, skb, natf_gone);
}

/* Whether IPsec would encrypt a packet that has its route. */
bool natf_skb_is_transformed(const struct sk_buff *skb)
{
	return skb_dst(skb) && dst_xfrm(skb_dst(skb));
}

/* The same for a trial, of which nothing may be left: it has no entry of conntrack from here on. */
static int natf_leave_untracked(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	if (natf_skb_is_transformed(skb)) {
		kfree_skb(skb);
		return -EPERM;
	}
	nf_reset_ct(skb);
	nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
	return natf_leave_to(net, sk, skb, natf_would_go);
}

static int natf_run_output(struct net *net, struct sk_buff *skb,
			   int (*finish)(struct net *, struct sock *, struct sk_buff *))
{
	if (!skb_dst(skb)) {
		kfree_skb(skb);
		return -ENETUNREACH;
	}
	iph_set_totlen(ip_hdr(skb), skb->len);
	ip_send_check(ip_hdr(skb));
	skb->protocol = htons(ETH_P_IP);
	return NF_HOOK(NFPROTO_IPV4, NF_INET_LOCAL_OUT, net, skb->sk, skb, NULL, skb_dst_dev(skb), finish);
}

/*
 * Whether this host's rules would let a packet out, and IPsec would not encrypt it: it runs through LOCAL_OUT and
 * POST_ROUTING, and ends there without a trace in conntrack. Consumes it. False also if it was queued to a program,
 * which may take its time.
 */
bool natf_may_leave(struct net *net, struct sk_buff *skb)
{
	return natf_run_output(net, skb, natf_leave_untracked) == 1;
}

/* Has rules and conntrack see a packet that LOCAL_OUT held and that has travelled otherwise; consumes it. */
void natf_has_left(struct net *net, struct sk_buff *skb)
{
	natf_run_output(net, skb, natf_leave);
}

static int natf_inject_finish(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);

	/* To be forwarded, nothing else: it must never be delivered to a server of the router. */
	if (ip_route_input(skb, iph->daddr, iph->saddr, ip4h_dscp(iph), skb->dev) ||
	    skb_rtable(skb)->rt_type != RTN_UNICAST) {
		kfree_skb(skb);
		return NET_RX_DROP;
	}
	return dst_input(skb);
}

static int natf_deliver_finish(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);

	if (ip_route_input(skb, iph->daddr, iph->saddr, ip4h_dscp(iph), skb->dev)) {
		kfree_skb(skb);
		return NET_RX_DROP;
	}
	return dst_input(skb);
}

static void natf_comes_by(struct sk_buff *skb, struct net_device *dev)
{
	skb->dev = dev;
	skb->skb_iif = dev->ifindex;
	skb->pkt_type = PACKET_HOST;
	skb_reset_mac_header(skb);
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	IPCB(skb)->iif = dev->ifindex;
}

/* The caller is inside an RCU read section, which keeps the device after the route is put. */
static int natf_run_input(struct net *net, struct sk_buff *skb, struct flowi4 *fl4, int not_ifindex,
			  int (*finish)(struct net *, struct sock *, struct sk_buff *))
{
	struct rtable *rt = ip_route_output_key(net, fl4);
	struct net_device *dev;

	if (IS_ERR(rt)) {
		kfree_skb(skb);
		return -ENETUNREACH;
	}
	dev = rt->dst.dev;
	if (rt->rt_type != RTN_UNICAST || dev->ifindex == not_ifindex || (dev->flags & IFF_LOOPBACK)) {
		ip_rt_put(rt);
		kfree_skb(skb);
		return -ENETUNREACH;
	}
	natf_comes_by(skb, dev);
	ip_rt_put(rt);
	return NF_HOOK(NFPROTO_IPV4, NF_INET_PRE_ROUTING, net, NULL, skb, dev, NULL, finish) ? 1 : 0;
}

/*
 * Runs a made-up packet through the IPv4 input path, from PRE_ROUTING on, as if it had come in by the
 * interface that leads to `near`. Synchronous, not seen by packet sockets, RPS or XDP; consumes it.
 * -ENETUNREACH without such an interface: no route, one of our own addresses, or only by `not_ifindex`. 1: it
 * was dropped on its way. 0: a hook took it, or it waits in an NFQUEUE, or it went out.
 */
int natf_inject(struct net *net, struct sk_buff *skb, __be32 near, int not_ifindex)
{
	struct flowi4 fl4 = { .daddr = near };
	int err;

	local_bh_disable();
	err = natf_run_input(net, skb, &fl4, not_ifindex, natf_inject_finish);
	local_bh_enable();
	return err;
}

/*
 * The same for a packet that may also be for this host, and that answers one which went out by this mark and
 * interface. Not with a socket locked.
 */
int natf_deliver(struct net *net, struct sk_buff *skb, u32 mark, int oif)
{
	struct flowi4 fl4 = {
		.daddr = ip_hdr(skb)->saddr,
		.saddr = ip_hdr(skb)->daddr,
		.flowi4_mark = mark,
		.flowi4_oif = oif,
		.flowi4_flags = FLOWI_FLAG_ANYSRC,
	};
	int err;

	local_bh_disable();
	err = natf_run_input(net, skb, &fl4, 0, natf_deliver_finish);
	local_bh_enable();
	return err;
}

/*
 * Runs a packet that we made through the input path, as if it had come in by the interface `ifindex`. It can only be
 * forwarded. Consumes it; the interface may have gone.
 */
void natf_inject_by(struct net *net, struct sk_buff *skb, int ifindex)
{
	struct net_device *dev;

	rcu_read_lock();
	local_bh_disable();
	dev = dev_get_by_index_rcu(net, ifindex);
	if (dev) {
		natf_comes_by(skb, dev);
		NF_HOOK(NFPROTO_IPV4, NF_INET_PRE_ROUTING, net, NULL, skb, dev, NULL, natf_inject_finish);
	} else {
		kfree_skb(skb);
	}
	local_bh_enable();
	rcu_read_unlock();
}

int natf_output_ifindex(const struct nf_hook_state *state)
{
	return state->out ? state->out->ifindex : 0;
}

int natf_input_ifindex(const struct nf_hook_state *state)
{
	return state->in ? state->in->ifindex : 0;
}

/* ---- sockets ---- */

static void natf_give_to(struct sk_buff *skb, struct sock *sk, void (*let_go)(struct sk_buff *))
{
	skb->sk = sk;
	skb->destructor = let_go;
}

/* By the route that the socket's last packet came by, if that still holds. */
static void natf_route_as_before(struct sk_buff *skb, const struct sock *sk)
{
	struct dst_entry *dst = rcu_dereference(sk->sk_rx_dst);

	if (dst && dst_check(dst, 0))
		skb_dst_set_noref(skb, dst);
}

/* br_netfilter shows us frames that may yet leave by another port, or wait in a backlog. */
static bool natf_is_bridged(const struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_BRIDGE_NETFILTER)
	return nf_bridge_info_exists(skb);
#else
	return false;
#endif
}

/* The UDP socket that is connected from this address and port to that peer. In an RCU section, uncounted. */
static struct sock *natf_udp_connected(struct net *net, __be32 us, u16 dport, __be32 peer, __be16 peer_port, int dif)
{
	const __portpair ports = INET_COMBINED_PORTS(peer_port, dport);
	struct udp_hslot *slot = udp_hashslot2(net->ipv4.udp_table, ipv4_portaddr_hash(net, us, dport));
	INET_ADDR_COOKIE(acookie, peer, us);
	struct sock *sk;

	/* As the kernel's own early look: mostly it is the first of its chain. */
	udp_portaddr_for_each_entry_rcu(sk, &slot->head) {
		if (inet_match(net, sk, acookie, ports, dif, 0))
			return sk;
		break;
	}
	sk = __udp4_lib_lookup(net, peer, peer_port, us, htons(dport), dif, 0, NULL);
	return sk && sk->sk_state == TCP_ESTABLISHED ? sk : NULL;
}

/*
 * Early demultiplexing as the kernel does it after PRE_ROUTING, but for another source than the packet has: the
 * peer of a connected socket of this host, TCP or UDP. False: no such socket, or this is turned off. VRFs are left
 * to the kernel. In PRE_ROUTING, inside an RCU section.
 */
bool natf_early_demux(struct net *net, struct sk_buff *skb, bool tcp, u16 dport, __be32 peer, __be16 peer_port)
{
	const struct net_device *dev = skb->dev;
	__be32 us = ip_hdr(skb)->daddr;
	struct sock *sk;

	if (!READ_ONCE(net->ipv4.sysctl_ip_early_demux) || skb->sk || skb_dst(skb) || natf_is_bridged(skb) ||
	    skb->pkt_type != PACKET_HOST || netif_is_l3_slave(dev) || netif_is_l3_master(dev))
		return false;
	if (tcp) {
		if (!READ_ONCE(net->ipv4.sysctl_tcp_early_demux))
			return false;
		sk = __inet_lookup_established(net, peer, peer_port, us, dport, skb->skb_iif, 0);
		if (!sk)
			return false;
		natf_give_to(skb, sk, sock_edemux);
		if (sk_fullsock(sk) && sk->sk_rx_dst_ifindex == skb->skb_iif)
			natf_route_as_before(skb, sk);
	} else {
		if (!READ_ONCE(net->ipv4.sysctl_udp_early_demux))
			return false;
		/* Not counted: it lives as long as the RCU section, which NFQUEUE knows, and a bridge does not. */
		sk = natf_udp_connected(net, us, dport, peer, peer_port, skb->skb_iif);
		if (!sk)
			return false;
		natf_give_to(skb, sk, sock_pfree);
		natf_route_as_before(skb, sk);
	}
	return true;
}

/*
 * The peer of the socket that a packet on its way in was given to: its address in the low half, its port above, both
 * as on the wire. 0: it was given to none that has a peer.
 */
u64 natf_skb_peer(const struct sk_buff *skb)
{
	const struct sock *sk = skb->sk;
	u64 addr;

	if (!sk)
		return 0;
	/* A datagram socket may be connected anew meanwhile. */
	addr = (__force u32)READ_ONCE(sk->sk_daddr);
	return addr ? addr | (u64)(__force u16)READ_ONCE(sk->sk_dport) << 32 : 0;
}

/*
 * A packet in PRE_ROUTING may be kept from now on, without its device: what is returned is the index of that. A socket
 * that it was given to need not live as long. 0: it cannot, because a bridge has it.
 */
int natf_skb_set_aside(struct sk_buff *skb)
{
	int ifindex = skb->dev->ifindex;

	if (natf_is_bridged(skb))
		return 0;
	skb_orphan(skb);
	skb_dst_drop(skb);
	skb->dev = NULL;
	return ifindex;
}

/* A packet that was set aside comes in again, by PRE_ROUTING. Consumes it; its device may have gone. */
void natf_come_again(struct net *net, struct sk_buff *skb, int ifindex)
{
	struct net_device *dev;

	rcu_read_lock();
	local_bh_disable();
	dev = dev_get_by_index_rcu(net, ifindex);
	if (dev) {
		skb->dev = dev;
		NF_HOOK(NFPROTO_IPV4, NF_INET_PRE_ROUTING, net, NULL, skb, dev, NULL, natf_deliver_finish);
	} else {
		kfree_skb(skb);
	}
	local_bh_enable();
	rcu_read_unlock();
}

/* Ends the TCP connection of this host with ECONNABORTED, if there is one. May sleep. */
void natf_tcp_abort(struct net *net, __be32 saddr, __be16 sport, __be32 daddr, u16 dport)
{
	/* As a packet that came in: the far side is the source. The port of the near side is in host order. */
	struct sock *sk;

	rcu_read_lock();
	sk = __inet_lookup_established(net, saddr, sport, daddr, dport, 0, 0);
	rcu_read_unlock();
	if (!sk)
		return;
	tcp_abort(sk, ECONNABORTED);
	sock_gen_put(sk);
}

/* ---- namespaces and the current process ---- */

void *natf_net_load(struct net *net, unsigned int id)
{
	return *(void **)net_generic(net, id);
}

void natf_net_store(struct net *net, unsigned int id, void *data)
{
	*(void **)net_generic(net, id) = data;
}

struct net *natf_current_net(void)
{
	return current->nsproxy->net_ns;
}

bool natf_current_is_admin(struct net *net)
{
	return ns_capable(net->user_ns, CAP_NET_ADMIN);
}

/* Exported, but declared in a header that netfilter keeps to itself. */
void nf_queue_nf_hook_drop(struct net *net);

/* Packets that we injected may wait in an NFQUEUE and lead back to code of this module. */
void natf_net_drop_queued(struct net *net)
{
	nf_queue_nf_hook_drop(net);
}

struct net *natf_address_net(const void *address)
{
	const struct in_ifaddr *ifa = address;

	return dev_net(ifa->ifa_dev->dev);
}

__be32 natf_address_local(const void *address)
{
	const struct in_ifaddr *ifa = address;

	return ifa->ifa_local;
}

/* ---- sysfs ---- */

void natf_bin_attr_init(struct bin_attribute *attr)
{
	sysfs_bin_attr_init(attr);
}

/* ---- periodic work ---- */

void natf_work_init(struct delayed_work *work, work_func_t fn)
{
	INIT_DELAYED_WORK(work, fn);
}

void natf_work_arm(struct delayed_work *work, u32 delay_ms)
{
	mod_delayed_work(system_dfl_long_wq, work, msecs_to_jiffies(delay_ms));
}

/* Waits for a run under way; the work cannot be armed again. */
void natf_work_stop(struct delayed_work *work)
{
	disable_delayed_work_sync(work);
}

/* ---- counters ---- */

u64 __percpu *natf_counters_alloc(u32 count)
{
	return __alloc_percpu(array_size(count, sizeof(u64)), __alignof__(u64));
}

void natf_counters_free(u64 __percpu *counters)
{
	free_percpu(counters);
}

void natf_counters_bump(u64 __percpu *counters, u32 which)
{
	this_cpu_inc(counters[which]);
}

void natf_counters_raise(u64 __percpu *counters, u32 which, u64 value)
{
	u64 old = this_cpu_read(counters[which]);

	/* A softirq, or another CPU if we are moved, only makes us try again, or raises one that we need not. */
	while (old < value && !this_cpu_try_cmpxchg(counters[which], &old, value))
		;
}

u64 natf_counters_sum(const u64 __percpu *counters, u32 which)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(&counters[which], cpu));
	return sum;
}

u64 natf_counters_max(const u64 __percpu *counters, u32 which)
{
	u64 max = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		max = max(max, READ_ONCE(*per_cpu_ptr(&counters[which], cpu)));
	return max;
}

struct natf_numbers {
	u64 __percpu *first;
	u32 count;
};

static void natf_clear_here(void *data)
{
	const struct natf_numbers *numbers = data;

	memset(this_cpu_ptr(numbers->first), 0, numbers->count * sizeof(u64));
}

/*
 * Each CPU clears its own, between two of its instructions: who writes to another's may undo what that is adding, or be
 * undone.
 */
void natf_counters_clear(u64 __percpu *counters, u32 count)
{
	struct natf_numbers numbers = { counters, count };
	int cpu;

	cpus_read_lock();
	on_each_cpu(natf_clear_here, &numbers, 1);
	for_each_possible_cpu(cpu)
		if (!cpu_online(cpu))
			memset(per_cpu_ptr(counters, cpu), 0, count * sizeof(u64));
	cpus_read_unlock();
}

/* ---- timings ---- */

DEFINE_STATIC_KEY_FALSE(natf_timed);

void natf_timed_switch(bool on)
{
	if (on)
		static_branch_inc(&natf_timed);
	else
		static_branch_dec(&natf_timed);
}

/* ---- locks, time, randomness ---- */

void natf_spin_lock_init(spinlock_t *lock)
{
	spin_lock_init(lock);
}

void natf_spin_lock_bh(spinlock_t *lock)
{
	spin_lock_bh(lock);
}

void natf_spin_unlock_bh(spinlock_t *lock)
{
	spin_unlock_bh(lock);
}

u64 natf_now_ms(void)
{
	/* Without the call, where there is nothing to divide. */
	if (MSEC_PER_SEC % HZ == 0)
		return get_jiffies_64() * (MSEC_PER_SEC / HZ);
	return jiffies64_to_msecs(get_jiffies_64());
}

u64 natf_wall_ms(void)
{
	return ktime_to_ms(ktime_get_real());
}

u64 natf_cycles(void)
{
	return get_cycles();
}

u64 natf_random_u64(void)
{
	return get_random_u64();
}
