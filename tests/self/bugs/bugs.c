// SPDX-License-Identifier: GPL-2.0
/*
 * natf_bugs: makes the one mistake that its parameter names, so that the harness can see each detector of
 * the debug kernel at work. Never for a machine that is to go on. The mistakes with memory are in
 * memory.rs: Rust code has to be watched, too.
 */
#include <linux/list.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timer.h>
#include <net/net_namespace.h>

int natf_bug_leak(void);
int natf_bug_use_after_free(void);
int natf_bug_out_of_bounds(void);

static char *bug = "none";
module_param(bug, charp, 0);

static int none(void)
{
	return 0;
}

static DEFINE_SPINLOCK(first);
static DEFINE_SPINLOCK(second);

static int lock_order(void)
{
	spin_lock(&first);
	spin_lock(&second);
	spin_unlock(&second);
	spin_unlock(&first);
	spin_lock(&second);
	spin_lock(&first);
	spin_unlock(&first);
	spin_unlock(&second);
	return 0;
}


static int atomic_sleep(void)
{
	spin_lock(&first);
	kfree(kmalloc(1, GFP_KERNEL));
	spin_unlock(&first);
	return 0;
}

static int __rcu *protected;

static int rcu(void)
{
	return rcu_dereference(protected) ? 1 : 0;
}

static int array[4];
static int volatile four = 4;

static int index(void)
{
	array[four] = 0;
	return 0;
}

static void never(struct timer_list *timer)
{
}

static int timer(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return -ENOMEM;
	timer_setup(timer, never, 0);
	mod_timer(timer, jiffies + HZ);
	kfree(timer);
	return 0;
}

static int list(void)
{
	static LIST_HEAD(head);
	static LIST_HEAD(entry);

	list_add(&entry, &head);
	list_add(&entry, &head);
	return 0;
}

/* A packet whose transport header nobody has set. */
static int packet(void)
{
	struct sk_buff *skb = alloc_skb(100, GFP_KERNEL);
	int offset;

	if (!skb)
		return -ENOMEM;
	offset = skb_transport_header(skb) - skb->head;
	kfree_skb(skb);
	return offset < 0 ? -EINVAL : 0;
}

/* References to the namespace that loads this, and to its loopback device, that nobody will give back. */
static netns_tracker kept_namespace;
static netdevice_tracker kept_device;

static int namespace(void)
{
	get_net_track(current->nsproxy->net_ns, &kept_namespace, GFP_KERNEL);
	return 0;
}

static int device(void)
{
	netdev_hold(current->nsproxy->net_ns->loopback_dev, &kept_device, GFP_KERNEL);
	return 0;
}

static const struct {
	const char *name;
	int (*make)(void);
} bugs[] = {
	{ "none", none },
	{ "leak", natf_bug_leak },
	{ "use-after-free", natf_bug_use_after_free },
	{ "out-of-bounds", natf_bug_out_of_bounds },
	{ "lock-order", lock_order },
	{ "atomic-sleep", atomic_sleep },
	{ "rcu", rcu },
	{ "index", index },
	{ "timer", timer },
	{ "list", list },
	{ "packet", packet },
	{ "namespace", namespace },
	{ "device", device },
};

static int __init natf_bugs_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(bugs); i++)
		if (!strcmp(bug, bugs[i].name))
			return bugs[i].make();
	return -EINVAL;
}
module_init(natf_bugs_init);

static void __exit natf_bugs_exit(void)
{
}
module_exit(natf_bugs_exit);

MODULE_DESCRIPTION("makes mistakes for the detectors of a debug kernel");
MODULE_LICENSE("GPL");
