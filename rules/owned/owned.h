/* The names of our addresses: for every address its PTR, for every label and service its address. A
 * million of them change one by one while they are served, so the table is persistent: it never
 * changes, and an edit makes another table that shares all pages except the few that it touches.
 *
 *     before ──► root ──► page ──► page [ 198.51.100.0 .. .63 ]      shared
 *                    └──► page ──► page [ 198.51.100.64 .. .127 ]    freed with `before`
 *     after  ──► root' ─► page' ─► page'[ 198.51.100.64 .. .127 ]    one PTR differs
 *
 * Readers on any thread need no lock and no reference: the publisher of a table holds one until
 * they are done. A draft belongs to one thread, which may differ from its table's thread. Records
 * are stored in the form of answers (record.h).
 *
 * A PTR is found by its address and not by its reverse name. So one lookup also shows whether a
 * prefix has any PTR, which decides between NODATA and NXDOMAIN in the reverse tree. */
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

/* An empty table with one reference for the caller; NULL without memory. */
struct owned *owned_new(void);
/* NULL is fine for both. */
struct owned *owned_ref(struct owned *owned);
void owned_unref(struct owned *owned);

/* ---- changing: edit, set, then commit or discard ---- */

/* Begins a draft with the contents of `before` (NULL: empty), and takes its own reference. A table
 * may have any number of drafts. NULL without memory. */
struct owned_draft *owned_edit(struct owned *before);
/* Sets the address's PTR and its TTL in seconds (the caller has the default); target NULL removes
 * it. ERR_NOMEM: the draft is unchanged. */
MUST_CHECK int owned_set_ptr(struct owned_draft *draft, const struct address *address,
			     const struct name *target, uint32_t ttl);
/* Sets the name's only address (A or AAAA, by its family); NULL removes it. All names must be
 * hashed with the same key. ERR_NOMEM, ERR_NO_SPACE (too many names with one hash for a page): the
 * draft is unchanged. */
MUST_CHECK int owned_set_host(struct owned_draft *draft, const struct name *name,
			      const struct address *address, uint32_t ttl);
/* Sets everything that follows from the model's addresses and services: PTRs with their TTL or
 * reverse.ttl, labels and service names. Skips invalid names. (owned_model.c) */
MUST_CHECK int owned_set_model(struct owned_draft *draft, const struct model *model,
			       const struct hash_key *key);
/* The forward name of an address with this label in this region, and of a service, by the suffixes
 * of `reverse`; it may be invalid. Return text; NULL: it has none. */
const char *owned_label_name(const struct model *model, const char *label, const char *region,
			     char text[NAME_TEXT_MAX]);
const char *owned_service_name(const struct model *model, const char *service,
			       char text[NAME_TEXT_MAX]);
/* Makes the draft a table, with one reference for the caller. Cannot fail. */
struct owned *owned_commit(struct owned_draft *draft);
void owned_discard(struct owned_draft *draft); /* NULL is fine */

/* ---- looking up: NULL if there is none; results live as long as the table ---- */

/* The PTR set of this address. */
const struct rrset *owned_ptr(const struct owned *owned, const struct address *address);
/* Whether any address in the prefix has a PTR. */
bool owned_any_ptr(const struct owned *owned, const struct prefix *prefix);
/* The A or AAAA set of this name; rrset->type says which. */
const struct rrset *owned_host(const struct owned *owned, const struct name *name);

/* A walk in steps, with pauses of any length while the tables live. */
struct owned_cursor {
	struct prefix within;
	__uint128_t next; /* the lowest address not visited yet */
	bool over;
};
void owned_cursor_begin(struct owned_cursor *cursor, const struct prefix *within);
/* The next PTR in the prefix, by address; NULL at the end. */
const struct rrset *owned_cursor_ptr(struct owned_cursor *cursor, const struct owned *owned,
				     struct address *address);
/* The next address in the prefix whose PTR differs between the tables: *was and *is, NULL: none.
 * False at the end. Shared parts of the tables cost nothing. */
bool owned_cursor_change(struct owned_cursor *cursor, const struct owned *before,
			 const struct owned *after, struct address *address,
			 const struct rrset **was, const struct rrset **is);

size_t owned_ptr_count(const struct owned *owned);
size_t owned_host_count(const struct owned *owned);
/* The bytes of all pages, including shared ones. */
size_t owned_bytes(const struct owned *owned);

#endif
