/* ONE table of fields: what a configuration may say, by which name, of which type, in which range,
 * with which default, and what it means. The configuration file's reader and the manual page walk
 * it. A new setting is one row here and one member in model.h.
 *
 * A group is a row set that fills one struct; fields of type LIST and GROUP lead to further groups.
 * Values are kept in the model's structs at `offset`; lists put the items' pointer at `offset` and
 * their number right behind it, as LIST_OF lays them out. */
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
	FIELD_NAME_DOTS, /* const char *: the same with dots inside and '_' at the end: what Azure
			    allows networks, subnets, zone links and public addresses */
	FIELD_DOMAIN,    /* const char *: a domain name */
	FIELD_PATH,      /* const char *: a file; relative to the file that names it */
	FIELD_UUID,      /* const char * */
	FIELD_UINT,      /* uint32_t, min to max; NOT_GIVEN where it is neither given nor has a
			    default */
	FIELD_UINT64,    /* uint64_t, min to max */
	FIELD_BOOL,      /* bool */
	FIELD_ENUM,      /* an enum; names in the order of its values */
	FIELD_ADDRESS,   /* struct address */
	FIELD_PREFIX,    /* struct prefix */
	FIELD_HOST,      /* struct host: ADDRESS or ADDRESS:PORT, port 53 when not said */
	FIELD_STRINGS,   /* LIST_OF(const char *): an array */
	FIELD_DOMAINS,   /* LIST_OF(const char *): domain names */
	FIELD_HOSTS,     /* LIST_OF(struct host) */
	FIELD_PREFIXES,  /* LIST_OF(struct prefix) */
	FIELD_TAGS,      /* LIST_OF(struct tag): "NAME=VALUE" each, with a backslash before a '='
			    in a NAME; in JSON an object. rules/check/tags.h */
	FIELD_LIST,      /* LIST_OF(a group's struct) */
	FIELD_GROUP,     /* a group's struct, in place */
	FIELD_GONE,      /* nothing: no longer a setting; accepted with a warning, and ignored */
};

/* What the text, or each text, of a field names: an item elsewhere in the model (reference.h). */
enum refers {
	REFERS_NOWHERE,
	REFERS_NETWORK,  /* of virtual_networks: [GROUP/]NAME */
	REFERS_OUTBOUND, /* an outbound endpoint: [GROUP/]RESOLVER/ENDPOINT */
	REFERS_ZONE,     /* of private_zones: [GROUP/]NAME; any other text names something else */
	REFERS_SUBNET,   /* of a network: [GROUP/]NETWORK/SUBNET */
	REFERS_COUNT
};

struct group;

/* Whether a FIELD_DOMAIN is kept with its final dot, however it was written. */
enum field_dot { DOT_AS_WRITTEN, DOT_FINAL, DOT_NONE };

struct field {
	const char *key;
	enum field_type type;
	enum field_dot dot;
	size_t offset;
	size_t origin_offset; /* of the field's own struct origin, set if the file gives the field,
			       * even with its default; 0: the field has none */
	bool required;
	bool secret;              /* only a file says it, and it is shown nowhere else */
	bool url;                 /* FIELD_PATH: a URL is taken, too */
	const char *fallback;     /* the default in the form of the file; NULL: none */
	uint64_t min, max;        /* FIELD_UINT*; for strings the length, where max is not 0; for
				   * FIELD_TAGS max is the bytes of all names and values */
	size_t count_max;         /* FIELD_TAGS: how many; 0: as many as have those bytes */
	const char *unit;         /* "seconds", "bytes"; NULL: none */
	const char *const *names; /* FIELD_ENUM: NULL-terminated */
	enum refers refers;       /* FIELD_STRING, FIELD_STRINGS */
	const struct group *group;
	const char *example; /* FIELD_DOMAIN: one that it takes; NULL: any will do */
	const char *doc;     /* for the manual page: a sentence or more */
};

struct group {
	const char *name; /* for the manual page: "rule", "subnet" */
	const struct field *fields;
	size_t count;
	size_t size;         /* sizeof its struct; begins with its struct origin */
	size_t given_offset; /* of its `bool given`, or 0 */
	bool named;          /* the struct begins with NAMED() */
	const char *doc;
};

/* The whole configuration: the group that fills struct model. */
extern const struct group schema_model;
/* Lists of what has no list in a file: PTRs (struct owned_item) and resource groups. */
extern const struct group schema_apart;
/* The words for an enum allocation, by its values: the file's, the API's and the state's. */
extern const char *const schema_allocation_names[];

const struct field *schema_field(const struct group *group, const char *key);

/* LIST and the arrays of scalars: their items' pointer and number, whatever their type. */
struct schema_list {
	void *items;
	size_t count;
};
struct schema_list schema_list_get(const struct field *field, const void *item);
void schema_list_set(const struct field *field, void *item, struct schema_list list);
/* How many items the lists of the group's struct have, with the lists inside those; texts, prefixes
 * and hosts are none. */
size_t schema_count(const struct group *group, const void *item);
/* For STRINGS, DOMAINS, HOSTS and PREFIXES: the scalar field that one element is, and its size. To
 * be used with a pointer to the element as the item. `key` becomes the element's in faults. */
struct field schema_element(const struct field *field, const char *key, size_t *size);

/* "an integer from 1 to 65535", `"udp" or "tcp"`: what the field takes. Returns text. */
const char *schema_expected(const struct field *field, char *text, size_t size);
/* The field whose key is nearest to `key`, when it is near enough for a typing error; NULL when
 * none is. */
const struct field *schema_suggest(const struct group *group, const char *key);

/* Puts every default of the group (and of groups in place below it) into the struct at `item`. */
void schema_defaults(const struct group *group, void *item, struct arena *arena);

/* Parses and range-checks one scalar given as text and stores it at item + field->offset. A value
 * that does not fit is a fault that says what would be right; returns ERR_FAULTS then. */
MUST_CHECK int schema_set_text(const struct field *field, void *item, const char *text,
			       const struct origin *origin, struct arena *arena,
			       struct faults *faults);
/* The text of a FIELD_DOMAIN in the form that the field has (enum field_dot): itself, or another
 * one in the arena; NULL without memory. */
const char *schema_domain(const struct field *field, const char *text, struct arena *arena);
/* Stores a text of the state, which was checked when it was stored there: the form of names and
 * other texts is not judged again. ERR_INVALID: it is no value of the field's type. ERR_NOMEM. */
MUST_CHECK int schema_set_stored_text(const struct field *field, void *item, const char *text,
				      struct arena *arena);
/* The same for integers and booleans that arrive as such. */
MUST_CHECK int schema_set_number(const struct field *field, void *item, long long number,
				 const struct origin *origin, struct faults *faults);
/* The value of a scalar as text, in `text` or in the model; NULL when it is not given. */
const char *schema_get_text(const struct field *field, const void *item, char *text, size_t size);

#endif
