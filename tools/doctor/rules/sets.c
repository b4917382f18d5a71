// SPDX-License-Identifier: GPL-2.0
/*
 * Elements of a set of the nft ruleset, as ranges of keys.
 * The kernel tells intervals in two ways: a start and, as an element of its
 * own, the first key behind it; or, of concatenations, both ends in one.
 */
#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/util.h"
#include "ruleset.h"

/* since Linux 5.13 */
#define ELEMENT_CATCHALL	0x2

static void take_fields(struct nft_set *set, const struct nlattr *concat)
{
	const struct nlattr *field, *attr;

	mnl_attr_for_each_nested(field, concat)
		mnl_attr_for_each_nested(attr, field)
			if (mnl_attr_get_type(attr) == NFTA_SET_FIELD_LEN &&
			    set->n_fields < ARRAY_SIZE(set->fields))
				set->fields[set->n_fields++] = ntohl(mnl_attr_get_u32(attr));
}

/**
 * set_take - Take in the description of a set.
 * @set: The set.
 * @nlh: NFT_MSG_NEWSET, stays where it is.
 */
void set_take(struct nft_set *set, const struct nlmsghdr *nlh)
{
	const struct nlattr *attr, *inner;

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg)) {
		switch (mnl_attr_get_type(attr)) {
		case NFTA_SET_TABLE:
			set->table = mnl_attr_get_str(attr);
			break;
		case NFTA_SET_NAME:
			set->name = mnl_attr_get_str(attr);
			break;
		case NFTA_SET_FLAGS:
			set->flags = ntohl(mnl_attr_get_u32(attr));
			break;
		case NFTA_SET_KEY_LEN:
			set->key_length = ntohl(mnl_attr_get_u32(attr));
			break;
		case NFTA_SET_DESC:
			mnl_attr_for_each_nested(inner, attr)
				if (mnl_attr_get_type(inner) == NFTA_SET_DESC_CONCAT)
					take_fields(set, inner);
			break;
		}
	}
	if (set->key_length > NFT_KEY_SIZE)
		set->key_length = NFT_KEY_SIZE;
}

static void take_key(uint8_t *key, const struct nlattr *nest)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest) {
		size_t length = mnl_attr_get_payload_len(attr);

		if (mnl_attr_get_type(attr) == NFTA_DATA_VALUE && length <= NFT_KEY_SIZE)
			memcpy(key, mnl_attr_get_payload(attr), length);
	}
}

/* An end that is an element of its own is marked by having no first key. */
static void take_element(struct nft_set *set, const struct nlattr *nest)
{
	const struct nlattr *attr, *key = NULL, *end = NULL;
	struct nft_element *e;
	uint32_t flags = 0;

	set->elements = xgrow(set->elements, set->n_elements, sizeof(*e));
	e = &set->elements[set->n_elements++];
	memset(e, 0, sizeof(*e));
	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case NFTA_SET_ELEM_KEY:
			key = attr;
			break;
		case NFTA_SET_ELEM_KEY_END:
			end = attr;
			break;
		case NFTA_SET_ELEM_DATA:
			e->data = attr;
			break;
		case NFTA_SET_ELEM_FLAGS:
			flags = ntohl(mnl_attr_get_u32(attr));
			break;
		}
	}
	e->catchall = flags & ELEMENT_CATCHALL;
	e->is_end = flags & NFT_SET_ELEM_INTERVAL_END;
	e->has_end = end;
	if (key)
		take_key(e->first, key);
	if (end || key)
		take_key(e->last, end ? end : key);
}

/**
 * set_elements_take - Take in some elements.
 * @set: The set.
 * @list: NFTA_SET_ELEM_LIST_ELEMENTS, stays where it is.
 */
void set_elements_take(struct nft_set *set, const struct nlattr *list)
{
	const struct nlattr *element;

	mnl_attr_for_each_nested(element, list)
		take_element(set, element);
}

static int by_key(const void *a, const void *b)
{
	const struct nft_element *x = a, *y = b;
	int order = memcmp(x->first, y->first, NFT_KEY_SIZE);

	/* where one range ends and the next begins, the end comes first */
	return order ? order : y->is_end - x->is_end;
}

/* The key before this one. */
static void step_back(uint8_t *key, size_t length)
{
	while (length && !key[--length]--)
		;
}

/**
 * set_finish - Turn starts and ends into ranges, once all elements are in.
 * @set: The set.
 */
void set_finish(struct nft_set *set)
{
	size_t i, n = 0;

	if (!(set->flags & NFT_SET_INTERVAL) || set->n_fields > 1)
		return;
	qsort(set->elements, set->n_elements, sizeof(*set->elements), by_key);
	for (i = 0; i < set->n_elements; i++) {
		struct nft_element e = set->elements[i];

		if (e.is_end)
			continue;
		if (!e.has_end && !e.catchall) {
			memset(e.last, 0xff, set->key_length);
			if (i + 1 < set->n_elements) {
				memcpy(e.last, set->elements[i + 1].first, NFT_KEY_SIZE);
				step_back(e.last, set->key_length);
			}
		}
		set->elements[n++] = e;
	}
	set->n_elements = n;
}
