/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The C side of rust/linux: what bindgen reads, and what helpers.c and conntrack.c define.
 *
 * A helper exists only because Rust cannot call an inline function or a macro. It makes no decision.
 */
#ifndef NATF_H
#define NATF_H

#include <crypto/sha2.h>
#include <linux/inetdevice.h>
#include <linux/jump_label.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/rhashtable.h>
#include <linux/skbuff.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>
#include <net/dst.h>
#include <net/net_namespace.h>

/*
 * By which an object hangs in a hash table. The last byte of the key is not the caller's: it is NATF_LINKED
 * in every table, so that the link itself can tell whether it was ever entered.
 */
#define NATF_KEY_LEN 16
#define NATF_LINKED 1
struct natf_link {
	u64 key[NATF_KEY_LEN / sizeof(u64)];
	struct rhash_head node;
};

/* Bytes of a packet. */
struct natf_span {
	const u8 *start;
	u64 len;
};

/* The route that a flow took last. Zeroed: none. */
struct natf_route {
	struct dst_entry __rcu *dst;
};

/* table */
int natf_table_init(struct rhashtable *ht, u32 max);
void *natf_table_lookup(struct rhashtable *ht, u64 low, u64 high);
int natf_table_insert(struct rhashtable *ht, struct natf_link *link);
int natf_table_remove(struct rhashtable *ht, struct natf_link *link);
int natf_table_replace(struct rhashtable *ht, struct natf_link *old, struct natf_link *new);
void natf_table_walk_enter(struct rhashtable *ht, struct rhashtable_iter *iter);
void *natf_table_walk_next(struct rhashtable_iter *iter);
void natf_table_walk_stop(struct rhashtable_iter *iter);
void natf_table_walk_resume(struct rhashtable_iter *iter);
void natf_table_walk_exit(struct rhashtable_iter *iter);
void natf_table_destroy(struct rhashtable *ht, void (*free_fn)(void *entry, void *arg), void *arg);

/* sk_buff */
void natf_kfree_skb(struct sk_buff *skb);
void natf_consume_skb(struct sk_buff *skb);
const u8 *natf_skb_head(struct sk_buff *skb, u32 len);
struct natf_span natf_skb_linear(const struct sk_buff *skb);
u32 natf_skb_network_len(const struct sk_buff *skb);
u8 natf_skb_protocol(const struct sk_buff *skb);
u8 *natf_skb_writable(struct sk_buff *skb, u32 len);
bool natf_skb_is_gso(const struct sk_buff *skb);
bool natf_skb_was_fragmented(const struct sk_buff *skb);
u8 natf_skb_ip_summed(const struct sk_buff *skb);
void natf_skb_replace4(struct sk_buff *skb, u8 *sum, __be32 from, __be32 to, bool pseudo);
u32 natf_skb_mark(const struct sk_buff *skb);
int natf_skb_bound_ifindex(const struct sk_buff *skb);
bool natf_skb_is_detached(const struct sk_buff *skb);
void natf_skb_stay_slow(struct sk_buff *skb);
bool natf_skb_dst_force(struct sk_buff *skb);
struct sk_buff *natf_skb_alloc(u32 len);
struct sk_buff *natf_skb_copy(const struct sk_buff *skb);
void natf_icmp_error(struct sk_buff *skb, u8 type, u8 code);

/* routing; addresses in network byte order */
bool natf_is_for_us(struct sk_buff *skb);
bool natf_is_near(const struct sk_buff *skb, __be32 host);
bool natf_is_local(struct net *net, __be32 addr);
int natf_reroute(struct net *net, struct sk_buff *skb);
void natf_route_store(struct natf_route *route, struct sk_buff *skb);
bool natf_route_apply(struct natf_route *route, struct sk_buff *skb);
void natf_route_drop(struct natf_route *route);
int natf_resend(struct net *net, struct sk_buff *skb);
int natf_skb_route_ifindex(const struct sk_buff *skb);
void natf_forward(struct net *net, struct sk_buff *skb, int ifindex, bool gone);
bool natf_skb_is_transformed(const struct sk_buff *skb);
bool natf_may_leave(struct net *net, struct sk_buff *skb);
void natf_has_left(struct net *net, struct sk_buff *skb);
int natf_send(struct net *net, struct sk_buff *skb, u32 mark, int oif);
int natf_inject(struct net *net, struct sk_buff *skb, __be32 near, int not_ifindex);
void natf_inject_by(struct net *net, struct sk_buff *skb, int ifindex);
int natf_skb_set_aside(struct sk_buff *skb);
void natf_come_again(struct net *net, struct sk_buff *skb, int ifindex);
int natf_deliver(struct net *net, struct sk_buff *skb, u32 mark, int oif);
int natf_input_ifindex(const struct nf_hook_state *state);
int natf_output_ifindex(const struct nf_hook_state *state);

/* sockets; addresses and sport in network byte order, dport in that of the host */
bool natf_early_demux(struct net *net, struct sk_buff *skb, bool tcp, u16 dport, __be32 peer, __be16 peer_port);
u64 natf_skb_peer(const struct sk_buff *skb);
void natf_tcp_abort(struct net *net, __be32 saddr, __be16 sport, __be32 daddr, u16 dport);

/* namespaces and the current process */
void *natf_net_load(struct net *net, unsigned int id);
void natf_net_store(struct net *net, unsigned int id, void *data);
struct net *natf_current_net(void);
bool natf_current_is_admin(struct net *net);
void natf_net_drop_queued(struct net *net);

/* an IPv4 address of an interface, a struct in_ifaddr */
struct net *natf_address_net(const void *address);
__be32 natf_address_local(const void *address);

/* sysfs */
void natf_bin_attr_init(struct bin_attribute *attr);

/* periodic work */
void natf_work_init(struct delayed_work *work, work_func_t fn);
void natf_work_arm(struct delayed_work *work, u32 delay_ms);
void natf_work_stop(struct delayed_work *work);

/* timings: whether any namespace takes them */
extern struct static_key_false natf_timed;
void natf_timed_switch(bool on);

/* counters */
u64 __percpu *natf_counters_alloc(u32 count);
void natf_counters_free(u64 __percpu *counters);
void natf_counters_bump(u64 __percpu *counters, u32 which);
void natf_counters_raise(u64 __percpu *counters, u32 which, u64 value);
u64 natf_counters_sum(const u64 __percpu *counters, u32 which);
u64 natf_counters_max(const u64 __percpu *counters, u32 which);
void natf_counters_clear(u64 __percpu *counters, u32 count);

/* locks, time, randomness */
void natf_spin_lock_init(spinlock_t *lock);
void natf_spin_lock_bh(spinlock_t *lock);
void natf_spin_unlock_bh(spinlock_t *lock);
u64 natf_now_ms(void);
u64 natf_wall_ms(void);
u64 natf_cycles(void);
u64 natf_random_u64(void);

/* A flow as the inside sees it. An echo has its id as `port`. Addresses and ports in network byte order. */
struct natf_ct_flow {
	__be32 host;
	__be32 en;
	__be16 port;
	__be16 en_port;
	u32 zone;
	u8 protocol;
};

/* What conntrack knows of it. */
struct natf_ct_entry {
	__be32 mapped;
	__be16 mapped_port;
	/* TCP: open, and what the two ends will send next */
	bool open;
	u32 host_next;
	u32 en_next;
	/* seconds */
	u32 left;
};

/* conntrack: natf_router only */
int natf_ct_confirm(struct sk_buff *skb);
bool natf_ct_is_confirmed(struct sk_buff *skb);
bool natf_ct_adopt(struct sk_buff *skb);
u32 natf_ct_lifetime(struct net *net, struct sk_buff *skb);
int natf_ct_end_stale(struct sk_buff *skb, bool proven);
void natf_ct_may_expect(struct sk_buff *skb);
bool natf_ct_expect_echo(struct sk_buff *skb, u32 lifetime);
void natf_ct_kill(struct sk_buff *skb);
void natf_ct_echo_register(void);
void natf_ct_echo_unregister(void);
u32 natf_ct_drops(const struct net *net);
u32 natf_ct_zone(struct sk_buff *skb);
bool natf_ct_find(struct net *net, const struct natf_ct_flow *flow, struct natf_ct_entry *entry);
void natf_ct_end(struct net *net, const struct natf_ct_flow *flow);
void natf_ct_untrack(struct sk_buff *skb);

#endif
