/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel as the pure C files see it (protocol parsers, the ESP pairing
 * policy), so that one source builds into the modules, the host's
 * unit tests, the fuzzers and the simulator. Pure code neither allocates nor
 * sleeps, reads no clock and calls nothing but what it is handed.
 */
#ifndef VPNPASS_PURE_H
#define VPNPASS_PURE_H

#ifdef __KERNEL__

#include <linux/types.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/errno.h>
#include <linux/list.h>
#include <linux/unaligned.h>

#else /* host */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif
#ifndef min
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#endif
#define min_t(type, a, b)	min((type)(a), (type)(b))
#define max_t(type, a, b)	max((type)(a), (type)(b))
#define clamp_t(type, v, lo, hi) min_t(type, max_t(type, v, lo), hi)
#ifndef READ_ONCE
#define READ_ONCE(x)	__atomic_load_n(&(x), __ATOMIC_RELAXED)
#endif
#ifndef fallthrough
#define fallthrough __attribute__((__fallthrough__))
#endif

static inline u16 get_unaligned_be16(const void *p)
{
	const u8 *b = p;

	return (u16)(b[0] << 8 | b[1]);
}

static inline u32 get_unaligned_be32(const void *p)
{
	const u8 *b = p;

	return (u32)b[0] << 24 | (u32)b[1] << 16 | (u32)b[2] << 8 | b[3];
}

static inline u64 get_unaligned_be64(const void *p)
{
	const u8 *b = p;

	return (u64)get_unaligned_be32(b) << 32 | get_unaligned_be32(b + 4);
}

static inline void put_unaligned_be16(u16 v, void *p)
{
	u8 *b = p;

	b[0] = (u8)(v >> 8);
	b[1] = (u8)v;
}

/* The subset of <linux/list.h> that pure code uses. */
struct list_head {
	struct list_head *next, *prev;
};

static inline void INIT_LIST_HEAD(struct list_head *h)
{
	h->next = h;
	h->prev = h;
}

static inline void list_add_tail(struct list_head *n, struct list_head *h)
{
	n->prev = h->prev;
	n->next = h;
	h->prev->next = n;
	h->prev = n;
}

static inline void list_add(struct list_head *n, struct list_head *h)
{
	list_add_tail(n, h->next);
}

static inline void list_del_init(struct list_head *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	INIT_LIST_HEAD(n);
}

static inline void list_move(struct list_head *n, struct list_head *h)
{
	list_del_init(n);
	list_add(n, h);
}

static inline void list_move_tail(struct list_head *n, struct list_head *h)
{
	list_del_init(n);
	list_add_tail(n, h);
}

static inline bool list_empty(const struct list_head *h)
{
	return h->next == h;
}

#ifndef container_of
#define container_of(p, type, member) \
	((type *)((char *)(p) - offsetof(type, member)))
#endif
#define list_entry(p, type, member) container_of(p, type, member)
#define list_first_entry(h, type, member) list_entry((h)->next, type, member)
#define list_for_each_entry(p, h, member)				\
	for (p = list_entry((h)->next, __typeof__(*p), member);	\
	     &p->member != (h);						\
	     p = list_entry(p->member.next, __typeof__(*p), member))
#define list_for_each_entry_reverse(p, h, member)			\
	for (p = list_entry((h)->prev, __typeof__(*p), member);	\
	     &p->member != (h);						\
	     p = list_entry(p->member.prev, __typeof__(*p), member))
#define list_for_each_entry_safe(p, n, h, member)			\
	for (p = list_entry((h)->next, __typeof__(*p), member),	\
	     n = list_entry(p->member.next, __typeof__(*p), member);	\
	     &p->member != (h);						\
	     p = n, n = list_entry(n->member.next, __typeof__(*n), member))
#define list_for_each_entry_safe_reverse(p, n, h, member)		\
	for (p = list_entry((h)->prev, __typeof__(*p), member),	\
	     n = list_entry(p->member.prev, __typeof__(*p), member);	\
	     &p->member != (h);						\
	     p = n, n = list_entry(n->member.prev, __typeof__(*n), member))

#endif /* __KERNEL__ */
#endif /* VPNPASS_PURE_H */
