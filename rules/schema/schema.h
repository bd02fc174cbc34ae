/* ONE table of all fields of a configuration: name, type, range, default and meaning. The
 * configuration file's reader and the manual page walk it. A new setting is one row of the table
 * and one member in model.h.
 *
 * A group is a set of rows for one struct; fields of type LIST and GROUP lead to further groups. A
 * value is in the model's struct at `offset`; a list has its items' pointer there and their number
 * right after it, as in LIST_OF. */
#ifndef SLUICE_SCHEMA_H
#define SLUICE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/err.h"
#include "rules/fault.h"
#include "rules/schema/model.h"

enum field_type {
	FIELD_STRING, /* const char * */
	FIELD_NAME,   /* const char *: a resource name, 1-80 of [A-Za-z0-9_-], alphanumeric at both
			 ends */
	FIELD_NAME_DOTS, /* const char *: also with dots inside and '_' at the end, as in Azure for
			    networks, subnets, zone links and public addresses */
	FIELD_DOMAIN,    /* const char *: a domain name */
	FIELD_PATH,      /* const char *: a file; relative to the file that names it */
	FIELD_UUID,      /* const char * */
	FIELD_UINT,      /* uint32_t, min to max; NOT_GIVEN: not given, and no default */
	FIELD_UINT64,    /* uint64_t, min to max */
	FIELD_BOOL,      /* bool */
	FIELD_ENUM,      /* an enum; names in the order of its values */
	FIELD_ADDRESS,   /* struct address */
	FIELD_PREFIX,    /* struct prefix */
	FIELD_HOST,      /* struct host: ADDRESS or ADDRESS:PORT, by default port 53 */
	FIELD_STRINGS,   /* LIST_OF(const char *): an array */
	FIELD_DOMAINS,   /* LIST_OF(const char *): domain names */
	FIELD_HOSTS,     /* LIST_OF(struct host) */
	FIELD_PREFIXES,  /* LIST_OF(struct prefix) */
	FIELD_TAGS,      /* LIST_OF(struct tag): "NAME=VALUE" each, with a backslash before a '='
			    in a NAME; in JSON an object. rules/check/tags.h */
	FIELD_LIST,      /* LIST_OF(a group's struct) */
	FIELD_GROUP,     /* a group's struct, in place */
	FIELD_GONE,      /* nothing: a former setting; ignored with a warning */
};

/* The kind of item in the model that a field's text, or each text, refers to (reference.h). */
enum refers {
	REFERS_NOWHERE,
	REFERS_NETWORK,  /* of virtual_networks: [GROUP/]NAME */
	REFERS_OUTBOUND, /* an outbound endpoint: [GROUP/]RESOLVER/ENDPOINT */
	REFERS_ZONE,     /* of private_zones: [GROUP/]NAME; the field may have other texts, too */
	REFERS_SUBNET,   /* of a network: [GROUP/]NETWORK/SUBNET */
	REFERS_COUNT
};

struct group;

/* Whether a FIELD_DOMAIN is stored with a final dot. */
enum field_dot { DOT_AS_WRITTEN, DOT_FINAL, DOT_NONE };

struct field {
	const char *key;
	enum field_type type;
	enum field_dot dot;
	size_t offset;
	size_t origin_offset; /* of the field's own struct origin, set if the file has the field; 0:
				 none */
	bool required;
	bool secret;          /* comes only from a file and is shown nowhere */
	bool url;             /* FIELD_PATH: may be a URL */
	const char *fallback; /* the default, as in the file; NULL: none */
	uint64_t min, max; /* FIELD_UINT*; for strings the length, unless max is 0; for FIELD_TAGS
			      max is the bytes of all names and values */
	size_t count_max;  /* FIELD_TAGS: how many; 0: as many as fit into max */
	const char *unit;  /* "seconds", "bytes"; NULL: none */
	const char *const *names; /* FIELD_ENUM: NULL-terminated */
	enum refers refers;       /* FIELD_STRING, FIELD_STRINGS */
	const struct group *group;
	const char *example; /* FIELD_DOMAIN: a valid example; NULL: any name */
	const char *doc;     /* for the manual page: a sentence or more */
};

struct group {
	const char *name; /* for the manual page: "rule", "subnet" */
	const struct field *fields;
	size_t count;
	size_t size;         /* sizeof its struct, which begins with a struct origin */
	size_t given_offset; /* of its `bool given`; 0: none */
	bool named;          /* the struct begins with NAMED() */
	const char *doc;
};

/* The whole configuration: the group that fills struct model. */
extern const struct group schema_model;
/* Lists that no file has: PTRs (struct owned_item) and resource groups. */
extern const struct group schema_apart;
/* The words for an enum allocation, by its values, in the file, the API and the state. */
extern const char *const schema_allocation_names[];

const struct field *schema_field(const struct group *group, const char *key);

/* The items' pointer and number of a LIST or an array of scalars, for any type. */
struct schema_list {
	void *items;
	size_t count;
};
struct schema_list schema_list_get(const struct field *field, const void *item);
void schema_list_set(const struct field *field, void *item, struct schema_list list);
/* How many items the lists of a group's struct have, including nested lists; texts, prefixes and
 * hosts do not count. */
size_t schema_count(const struct group *group, const void *item);
/* For STRINGS, DOMAINS, HOSTS and PREFIXES: the scalar field for one element, and its size. Use it
 * with a pointer to the element as the item. `key` is the element's key in faults. */
struct field schema_element(const struct field *field, const char *key, size_t *size);

/* "an integer from 1 to 65535", `"udp" or "tcp"`: what the field takes. Returns text. */
const char *schema_expected(const struct field *field, char *text, size_t size);
/* The field with the key nearest to `key`, if that may be a typing error; NULL: none is near
 * enough. */
const struct field *schema_suggest(const struct group *group, const char *key);

/* Sets every default of the group, and of its groups in place, in the struct at `item`. ERR_NOMEM:
 * some are missing. */
MUST_CHECK int schema_defaults(const struct group *group, void *item, struct arena *arena);

/* Parses and range-checks one scalar from text, and stores it at item + field->offset. ERR_FAULTS:
 * it does not fit, and a fault says what would be right. */
MUST_CHECK int schema_set_text(const struct field *field, void *item, const char *text,
			       const struct origin *origin, struct arena *arena,
			       struct faults *faults);
/* The text of a FIELD_DOMAIN in the form of the field (enum field_dot): the text itself, or one in
 * the arena; NULL without memory. */
const char *schema_domain(const struct field *field, const char *text, struct arena *arena);
/* Stores a text from the state. The state has only checked texts, so the form of names and other
 * texts is not checked again. ERR_INVALID: it is no value of the field's type. ERR_NOMEM. */
MUST_CHECK int schema_set_stored_text(const struct field *field, void *item, const char *text,
				      struct arena *arena);
/* The same as schema_set_text for integers and booleans. */
MUST_CHECK int schema_set_number(const struct field *field, void *item, long long number,
				 const struct origin *origin, struct faults *faults);
/* The value of a scalar as text: in `text`, in the model, or a constant; NULL: not given. */
const char *schema_get_text(const struct field *field, const void *item, char *text, size_t size);

#endif
