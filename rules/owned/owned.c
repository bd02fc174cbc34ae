/* Three trees of pages (owned/tree.h) with numbers as keys:
 *
 *     PTRs, IPv4     the address               ─► rrset
 *     PTRs, IPv6     the address               ─► rrset
 *     hosts          the name's keyed hash     ─► | owner | rrset |  more where hashes meet
 *
 * Sets are stored in the form of answers, so a found set is only copied. Neighbouring addresses are
 * neighbours in memory; names are spread by their hash.
 *
 * Not here: pools, networks and zones. The policy decides which client gets which PTR, and the
 * management plane whether a name is allowed. */
#include "rules/owned/owned.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "rules/owned/tree.h"
#include "rules/wire.h"

struct owned {
	atomic_uint references;
	struct owned_tree ptr4, ptr6, hosts;
	size_t host_count; /* names; hosts.values is less if some have equal hashes */
};

struct owned_draft {
	struct owned *owned;
};

struct host_entry {     /* entries follow each other in a value of the hosts' tree */
	uint16_t bytes; /* up to the next entry */
	uint8_t set_at; /* in units, from the entry's start */
	uint8_t owner_length;
	uint8_t owner[]; /* lower case */
};

enum {
	PTR_RDATA_MAX = NAME_WIRE_MAX,
	SET_MAX = offsetof(struct rrset, wire) + RECORD_HEADER + PTR_RDATA_MAX + OWNED_TREE_UNIT,
	ENTRY_MAX = offsetof(struct host_entry, owner) + NAME_WIRE_MAX + OWNED_TREE_UNIT + SET_MAX,
};
_Static_assert(_Alignof(struct rrset) <= OWNED_TREE_UNIT, "a set begins at any unit");
_Static_assert(ENTRY_MAX / OWNED_TREE_UNIT <= UINT8_MAX, "set_at reaches the end of any owner");

static size_t units(size_t bytes)
{
	return (bytes + OWNED_TREE_UNIT - 1) / OWNED_TREE_UNIT * OWNED_TREE_UNIT;
}

/* ---- tables and drafts ---- */

struct owned *owned_new(void)
{
	struct owned *owned = calloc(1, sizeof *owned);

	if (owned)
		atomic_init(&owned->references, 1);
	return owned;
}

struct owned *owned_ref(struct owned *owned)
{
	if (owned)
		atomic_fetch_add_explicit(&owned->references, 1, memory_order_relaxed);
	return owned;
}

void owned_unref(struct owned *owned)
{
	if (!owned || atomic_fetch_sub_explicit(&owned->references, 1, memory_order_acq_rel) != 1)
		return;
	owned_tree_release(&owned->ptr4);
	owned_tree_release(&owned->ptr6);
	owned_tree_release(&owned->hosts);
	free(owned);
}

struct owned_draft *owned_edit(struct owned *before)
{
	struct owned_draft *draft = malloc(sizeof *draft);
	struct owned *owned = owned_new();

	if (!draft || !owned) {
		free(draft);
		free(owned);
		return NULL;
	}
	if (before) {
		owned->ptr4 = owned_tree_share(&before->ptr4);
		owned->ptr6 = owned_tree_share(&before->ptr6);
		owned->hosts = owned_tree_share(&before->hosts);
		owned->host_count = before->host_count;
	}
	draft->owned = owned;
	return draft;
}

struct owned *owned_commit(struct owned_draft *draft)
{
	struct owned *owned = draft->owned;

	free(draft);
	return owned;
}

void owned_discard(struct owned_draft *draft)
{
	if (draft)
		owned_unref(owned_commit(draft));
}

/* ---- PTRs ---- */

/* The highest address of the prefix. */
static __uint128_t last_key(const struct prefix *prefix)
{
	unsigned rest = address_bits(&prefix->address) - prefix->length;
	__uint128_t hosts = rest == 128 ? ~(__uint128_t)0 : ((__uint128_t)1 << rest) - 1;

	return owned_tree_key(&prefix->address) | hosts;
}

static struct owned_tree *ptrs_of(struct owned *owned, uint8_t family)
{
	return family == 4 ? &owned->ptr4 : &owned->ptr6;
}

static const struct owned_tree *look_ptrs(const struct owned *owned, uint8_t family)
{
	return family == 4 ? &owned->ptr4 : &owned->ptr6;
}

/* Makes a set of one record; returns its length, a multiple of the unit. */
static size_t make_set(uint8_t out[SET_MAX], uint16_t type, uint32_t ttl, const uint8_t *rdata,
		       size_t length)
{
	const struct rrset head = {
		.type = type, .count = 1, .ttl = ttl, .length = (uint32_t)(RECORD_HEADER + length)};
	uint8_t *wire = out + offsetof(struct rrset, wire);
	size_t bytes = units(offsetof(struct rrset, wire) + head.length);

	assert(bytes <= SET_MAX && length <= PTR_RDATA_MAX);
	memset(out + bytes - OWNED_TREE_UNIT, 0, OWNED_TREE_UNIT);
	memcpy(out, &head, offsetof(struct rrset, wire));
	wire_put16(wire, WIRE_POINTER << 8 | WIRE_HEADER);
	wire_put16(wire + 2, type);
	wire_put16(wire + 4, CLASS_IN);
	wire_put32(wire + 6, ttl);
	wire_put16(wire + 10, (uint16_t)length);
	memcpy(wire + RECORD_HEADER, rdata, length);
	return bytes;
}

int owned_set_ptr(struct owned_draft *draft, const struct address *address,
		  const struct name *target, uint32_t ttl)
{
	struct owned_tree *ptrs = ptrs_of(draft->owned, address->family);
	__uint128_t key = owned_tree_key(address);
	uint8_t set[SET_MAX];
	size_t had;
	const void *before = owned_tree_find(ptrs, key, &had);

	if (!target)
		return before ? owned_tree_put(ptrs, key, NULL, 0) : 0;
	size_t bytes = make_set(set, TYPE_PTR, ttl, target->wire, target->length);
	if (before && had == bytes && memcmp(before, set, bytes) == 0)
		return 0;
	return owned_tree_put(ptrs, key, set, bytes);
}

const struct rrset *owned_ptr(const struct owned *owned, const struct address *address)
{
	size_t bytes;

	return owned_tree_find(look_ptrs(owned, address->family), owned_tree_key(address), &bytes);
}

bool owned_any_ptr(const struct owned *owned, const struct prefix *prefix)
{
	__uint128_t key = owned_tree_key(&prefix->address);
	size_t bytes;

	return owned_tree_next(look_ptrs(owned, prefix->address.family), &key, &bytes) &&
	       key <= last_key(prefix);
}

/* ---- walks in steps ---- */

void owned_cursor_begin(struct owned_cursor *cursor, const struct prefix *within)
{
	*cursor =
		(struct owned_cursor){.within = *within, .next = owned_tree_key(&within->address)};
}

/* Moves the walk to this key; false: it is after the end. */
static bool step_to(struct owned_cursor *cursor, __uint128_t key, struct address *address)
{
	__uint128_t last = last_key(&cursor->within);

	cursor->over = key >= last;
	cursor->next = key + !cursor->over;
	*address = owned_tree_address(key, cursor->within.address.family);
	return key <= last;
}

const struct rrset *owned_cursor_ptr(struct owned_cursor *cursor, const struct owned *owned,
				     struct address *address)
{
	__uint128_t key = cursor->next;
	size_t bytes;
	const struct rrset *ptr =
		cursor->over ? NULL
			     : owned_tree_next(look_ptrs(owned, cursor->within.address.family),
					       &key, &bytes);

	if (ptr && step_to(cursor, key, address))
		return ptr;
	cursor->over = true;
	return NULL;
}

bool owned_cursor_change(struct owned_cursor *cursor, const struct owned *before,
			 const struct owned *after, struct address *address,
			 const struct rrset **was, const struct rrset **is)
{
	uint8_t family = cursor->within.address.family;
	__uint128_t key = cursor->next;
	struct owned_difference difference;

	if (cursor->over ||
	    !owned_tree_next_difference(look_ptrs(before, family), look_ptrs(after, family), &key,
					&difference) ||
	    !step_to(cursor, key, address)) {
		cursor->over = true;
		return false;
	}
	*was = difference.before;
	*is = difference.after;
	return true;
}

/* ---- hosts ---- */

static bool is_entry_of(const struct host_entry *entry, const struct name *name)
{
	return entry->owner_length == name->length &&
	       memcmp(entry->owner, name->wire, name->length) == 0;
}

static const struct rrset *set_of(const struct host_entry *entry)
{
	return (const struct rrset *)(const void *)((const uint8_t *)entry +
						    (size_t)entry->set_at * OWNED_TREE_UNIT);
}

/* The name's entry among the entries with its hash. */
static const struct host_entry *find_entry(const uint8_t *value, size_t bytes,
					   const struct name *name)
{
	const struct host_entry *entry;

	for (size_t at = 0; value && at < bytes; at += entry->bytes) {
		entry = (const struct host_entry *)(const void *)(value + at);
		if (is_entry_of(entry, name))
			return entry;
	}
	return NULL;
}

static const struct host_entry *entry_of(const struct owned *owned, const struct name *name)
{
	size_t bytes = 0;
	const uint8_t *value = owned_tree_find(&owned->hosts, name->hash[0], &bytes);

	return find_entry(value, bytes, name);
}

static size_t make_entry(uint8_t out[ENTRY_MAX], const struct name *name,
			 const struct address *address, uint32_t ttl)
{
	struct host_entry head = {.owner_length = name->length};
	size_t set_at = units(offsetof(struct host_entry, owner) + name->length);

	memset(out, 0, set_at);
	size_t bytes = set_at + make_set(out + set_at, address->family == 4 ? TYPE_A : TYPE_AAAA,
					 ttl, address->bytes, address_bits(address) / 8);
	head.set_at = (uint8_t)(set_at / OWNED_TREE_UNIT);
	head.bytes = (uint16_t)bytes;
	memcpy(out, &head, offsetof(struct host_entry, owner));
	memcpy(out + offsetof(struct host_entry, owner), name->wire, name->length);
	return bytes;
}

/* Replaces the name's entry in the value, and keeps the other entries. */
static int replace_entry(struct owned *owned, const struct name *name, const uint8_t *entry,
			 size_t entry_bytes)
{
	size_t bytes = 0, head = 0, gone;
	const uint8_t *value = owned_tree_find(&owned->hosts, name->hash[0], &bytes);
	const struct host_entry *old = find_entry(value, bytes, name);
	uint8_t *made = malloc(bytes + entry_bytes + 1);

	if (!made)
		return ERR_NOMEM;
	head = old ? (size_t)((const uint8_t *)old - value) : bytes;
	gone = old ? old->bytes : 0;
	if (value) {
		memcpy(made, value, head);
		memcpy(made + head, value + head + gone, bytes - head - gone);
	}
	if (entry_bytes)
		memcpy(made + bytes - gone, entry, entry_bytes);
	int err = owned_tree_put(&owned->hosts, name->hash[0], made, bytes - gone + entry_bytes);
	if (!err)
		owned->host_count += (size_t)(entry_bytes > 0) - (size_t)(gone > 0);
	free(made);
	return err;
}

int owned_set_host(struct owned_draft *draft, const struct name *name,
		   const struct address *address, uint32_t ttl)
{
	struct owned *owned = draft->owned;
	uint8_t entry[ENTRY_MAX];
	size_t bytes = address ? make_entry(entry, name, address, ttl) : 0;
	const struct host_entry *before = entry_of(owned, name);

	if (before ? before->bytes == bytes && memcmp(before, entry, bytes) == 0 : bytes == 0)
		return 0;
	return replace_entry(owned, name, entry, bytes);
}

const struct rrset *owned_host(const struct owned *owned, const struct name *name)
{
	const struct host_entry *entry = entry_of(owned, name);

	return entry ? set_of(entry) : NULL;
}

/* ---- numbers ---- */

size_t owned_ptr_count(const struct owned *owned)
{
	return owned->ptr4.values + owned->ptr6.values;
}

size_t owned_host_count(const struct owned *owned)
{
	return owned->host_count;
}

size_t owned_bytes(const struct owned *owned)
{
	return sizeof *owned + owned->ptr4.bytes + owned->ptr6.bytes + owned->hosts.bytes;
}
