/* The names of what we own: for every address its PTR, for every label and service its address. A
 * million of them change one by one while they are served, so the table is persistent: it never
 * changes, an edit makes another table that shares all pages but the few it touches.
 *
 *     before ──► root ──► page ──► page [ 198.51.100.0 .. .63 ]      shared
 *                    └──► page ──► page [ 198.51.100.64 .. .127 ]    let go of with `before`
 *     after  ──► root' ─► page' ─► page'[ 198.51.100.64 .. .127 ]    one PTR is another
 *
 * Readers on any thread need no lock and hold no reference of their own: whoever publishes a table
 * holds one until they are done. A draft belongs to one thread, which may be another one than that
 * of the table that it is made of. What an answer needs is kept as it goes out (record.h).
 *
 * A PTR is found by its address and not by its reverse name, so that "does anything exist in this
 * prefix", the question between NODATA and NXDOMAIN in the reverse tree, is one lookup as well. */
#ifndef SLUICE_OWNED_H
#define SLUICE_OWNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/err.h"
#include "rules/name.h"
#include "rules/prefix.h"
#include "rules/zone/record.h"

struct owned;       /* immutable */
struct owned_draft; /* a table in the making */
struct model;

/* An empty table with one reference, the caller's; NULL without memory. */
struct owned *owned_new(void);
/* NULL is fine for both. */
struct owned *owned_ref(struct owned *owned);
void owned_unref(struct owned *owned);

/* ---- changing: edit, set, then commit or discard ---- */

/* A draft that holds what `before` does (NULL: nothing); it keeps a reference of its own. Any
 * number of drafts may be made of one table. NULL without memory. */
struct owned_draft *owned_edit(struct owned *before);
/* Sets the address's PTR and its TTL in seconds (the caller fills in a default); target NULL
 * removes it. ERR_NOMEM: the draft is as it was. */
MUST_CHECK int owned_set_ptr(struct owned_draft *draft, const struct address *address,
			     const struct name *target, uint32_t ttl);
/* Sets the name's one address (A or AAAA, by its family); NULL removes it. Names must be hashed
 * with the same key as those looked up. ERR_NOMEM, ERR_NO_SPACE (more names with one hash than a
 * page holds): the draft is as it was. */
MUST_CHECK int owned_set_host(struct owned_draft *draft, const struct name *name,
			      const struct address *address, uint32_t ttl);
/* Everything that follows from the model's addresses and services: PTRs with their TTL or
 * reverse.ttl, labels and service names. What is no name at all is passed over. (owned_model.c) */
MUST_CHECK int owned_set_model(struct owned_draft *draft, const struct model *model,
			       const struct hash_key *key);
/* The forward name of an address with this label in this region, and of a service, by the suffixes
 * of `reverse`; it may not be a valid name. Returns text; NULL: it has none. */
const char *owned_label_name(const struct model *model, const char *label, const char *region,
			     char text[NAME_TEXT_MAX]);
const char *owned_service_name(const struct model *model, const char *service,
			       char text[NAME_TEXT_MAX]);
/* The table, with one reference, the caller's. Cannot fail. The draft is gone. */
struct owned *owned_commit(struct owned_draft *draft);
void owned_discard(struct owned_draft *draft); /* NULL is fine */

/* ---- looking up: NULL when there is none; what is found lives as long as the table ---- */

/* The PTR set of exactly this address. */
const struct rrset *owned_ptr(const struct owned *owned, const struct address *address);
/* Whether any address in the prefix has a PTR. */
bool owned_any_ptr(const struct owned *owned, const struct prefix *prefix);
/* The A or AAAA set of exactly this name; rrset->type says which. */
const struct rrset *owned_host(const struct owned *owned, const struct name *name);

/* A walk in steps, with pauses of any length while the tables live. */
struct owned_cursor {
	struct prefix within;
	__uint128_t next; /* the lowest address not yet looked at */
	bool over;
};
void owned_cursor_begin(struct owned_cursor *cursor, const struct prefix *within);
/* The next PTR in the prefix, by address; NULL at the end. */
const struct rrset *owned_cursor_ptr(struct owned_cursor *cursor, const struct owned *owned,
				     struct address *address);
/* The next address in the prefix whose PTR in the one table is not that in the other: *was and *is,
 * NULL where there is none. False at the end. What both tables share costs nothing. */
bool owned_cursor_change(struct owned_cursor *cursor, const struct owned *before,
			 const struct owned *after, struct address *address,
			 const struct rrset **was, const struct rrset **is);

size_t owned_ptr_count(const struct owned *owned);
size_t owned_host_count(const struct owned *owned);
/* All pages, also those that other tables share. */
size_t owned_bytes(const struct owned *owned);

#endif
