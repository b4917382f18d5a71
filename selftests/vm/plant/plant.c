// SPDX-License-Identifier: GPL-2.0
/*
 * A bug of the kind that is asked for, at load: does the debug lane see it?
 * Built and loaded by vm/debug/plants.sh.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

static char *bug = "none";
module_param(bug, charp, 0444);

static DEFINE_MUTEX(lock_a);
static DEFINE_MUTEX(lock_b);
static DEFINE_SPINLOCK(spin);

struct thing {
	int numbers[4];
	int more;
};

static struct thing __rcu *shared;
static volatile int index = 4;
static volatile int sink;

static noinline void use_after_free(void)
{
	struct thing *t = kzalloc(sizeof(*t), GFP_KERNEL);

	kfree(t);
	sink = READ_ONCE(t->numbers[0]);
}

static noinline void out_of_bounds(void)
{
	struct thing *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (t)
		sink = t->numbers[index];
	kfree(t);
}

static noinline void leak(void)
{
	int i;

	for (i = 0; i < 10; i++)
		sink = !!kzalloc(123, GFP_KERNEL);
}

static noinline void lock_inversion(void)
{
	mutex_lock(&lock_a);
	mutex_lock(&lock_b);
	mutex_unlock(&lock_b);
	mutex_unlock(&lock_a);
	mutex_lock(&lock_b);
	mutex_lock(&lock_a);
	mutex_unlock(&lock_a);
	mutex_unlock(&lock_b);
}

static noinline void rcu_unprotected(void)
{
	sink = !rcu_dereference(shared);
}

static void timer_function(struct timer_list *t)
{
}

static noinline void timer_freed(void)
{
	struct timer_list *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return;
	timer_setup(t, timer_function, 0);
	mod_timer(t, jiffies + 1000 * HZ);
	kfree(t);
}

static noinline void sleep_in_atomic(void)
{
	spin_lock(&spin);
	kfree(kmalloc(1, GFP_KERNEL));
	spin_unlock(&spin);
}

static unsigned long counted;

/* Two CPUs count without a lock. */
static int count(void *unused)
{
	unsigned long end = jiffies + 5 * HZ;

	while (time_before(jiffies, end)) {
		counted++;
		barrier();	/* without it the loop counts in a register */
		cond_resched();
	}
	while (unused && !kthread_should_stop())
		msleep(20);
	return 0;
}

static noinline void plant_data_race(void)
{
	struct task_struct *other = kthread_run(count, &counted, "plant");

	count(NULL);
	if (!IS_ERR(other))
		kthread_stop(other);
}

static const struct {
	const char *name;
	void (*plant)(void);
} plants[] = {
	{ "use-after-free", use_after_free },
	{ "out-of-bounds", out_of_bounds },
	{ "leak", leak },
	{ "lock-inversion", lock_inversion },
	{ "rcu-unprotected", rcu_unprotected },
	{ "timer-freed", timer_freed },
	{ "sleep-in-atomic", sleep_in_atomic },
	{ "data-race", plant_data_race },
};

static int __init plant_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(plants); i++)
		if (!strcmp(plants[i].name, bug))
			plants[i].plant();
	return 0;
}

static void __exit plant_exit(void)
{
}

module_init(plant_init);
module_exit(plant_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("bugs on purpose");
