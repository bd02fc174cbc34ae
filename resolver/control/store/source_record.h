/* What a source (source.h) keeps: records, and the edits that a change is made of.
 *
 *     owner   an address or a cloud service     by its id
 *     ptr     the PTR of one                    by its owner's id
 *     group   a resource group                  by its name, without regard to ASCII case
 *
 * Every record has the revision at which it was last written, which counts up and is never used
 * twice. Texts that were not given are NULL; they belong to whoever made the record. */
#ifndef SLUICE_SOURCE_RECORD_H
#define SLUICE_SOURCE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/prefix.h"

enum owner_kind { OWNER_ADDRESS, OWNER_SERVICE };

struct source_owner {
	enum owner_kind kind;
	const char *id; /* lower-case UUID: the key */
	const char *name;
	const char *resource_group, *region, *subscription; /* NULL for a service */
	struct address address;
	unsigned allocation;     /* enum allocation (model.h) */
	const char *label;       /* NULL for a service */
	const char *description; /* of a service; NULL for an address */
	const char *tags;        /* a JSON object; NULL: none */
	uint64_t revision;
};

struct source_ptr {
	const char *owner; /* its id: the key */
	const char *fqdn, *description;
	bool ttl_given;
	uint32_t ttl; /* seconds */
	uint64_t revision;
};

struct source_group {
	const char *name; /* as it was first written */
	const char *region;
	const char *tags; /* a JSON object; NULL: none */
	uint64_t revision;
};

enum source_act {
	SOURCE_PUT_OWNER,
	SOURCE_DELETE_OWNER,
	SOURCE_PUT_PTR,
	SOURCE_DELETE_PTR,
	SOURCE_PUT_GROUP,
	SOURCE_DELETE_GROUP,
};

struct source_edit {
	enum source_act act;
	uint64_t expected;         /* revision of the record that is there now; 0: there is none */
	struct source_owner owner; /* *_OWNER; a deletion needs the id only */
	struct source_ptr ptr;     /* *_PTR; a deletion needs the owner's id only */
	struct source_group group; /* *_GROUP; a deletion needs the name only */
};

struct source_serial {    /* of a zone that goes out; serial_book.h says what it means */
	const char *zone; /* its name: the key */
	bool found;       /* when read */
	uint32_t serial, reserved;
	uint64_t digest;
};

#endif
