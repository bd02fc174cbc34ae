/* From a tree of values to a group's struct: the field table and the tree are walked together.
 *
 *     { name = "hub"; ... }   a group     its struct's members; unknown and missing ones are faults
 *     ( { }, { } )            a list      a struct of the field's group for each item
 *     [ "10.0.0.0/8" ]        an array    bare values
 *     53, true, "text"        a scalar    schema_set_number, schema_set_text
 *
 * Where the tree comes from is its syntax's business: libconfig's settings (config/file.c) and
 * JSON (resource/values.c) are a struct value_syntax each. Whatever is wrong is added to the faults
 * and the walk goes on, so that all of it is reported at once. */
#ifndef SLUICE_SCHEMA_READ_H
#define SLUICE_SCHEMA_READ_H

#include "rules/schema/schema.h"

enum value_kind {
	VALUE_GROUP,
	VALUE_LIST,
	VALUE_ARRAY,
	VALUE_INTEGER,
	VALUE_BOOL,
	VALUE_STRING,
	VALUE_NULL,  /* the field is left unset; an unknown key is still a fault */
	VALUE_OTHER, /* what no field takes */
};

/* A syntax's calls; `value` is one of its own. */
struct value_syntax {
	enum value_kind (*kind)(const void *value);
	const char *(*kind_text)(const void *value); /* "an integer": what it is, for complaints */
	size_t (*count)(const void *value);          /* items of a list or array */
	/* Each member of a group with its key, each item of a list or array with key NULL. */
	void (*each)(const void *value,
		     void (*on_item)(void *context, const char *key, const void *value),
		     void *context);
	long long (*integer)(const void *value); /* or 0 and 1 of a bool */
	const char *(*string)(const void *value);
	enum value_kind tags;        /* what FIELD_TAGS is: VALUE_ARRAY or VALUE_GROUP */
	const char *const *expected; /* for each field type what it takes, where that is not
				      * schema_expected's; NULL: never */
};

struct schema_reader {
	const struct value_syntax *syntax;
	struct arena *arena; /* of what is read */
	struct faults *faults;
	/* Where a value is from: file and line. NULL: from a row of the state, of that revision. */
	struct origin (*origin)(void *context, const void *value);
	uint64_t revision;
	bool is_stored; /* from the state: texts were checked when they were stored, and members
			 * that the table does not have are another version's */
	/* Called with each FIELD_PATH that was read; NULL: it stays as it is written. Returns the
	 * path to keep, NULL without memory. */
	const char *(*path)(void *context, const char *path, const struct origin *origin);
	void *context;
	/* A required member that may be missing all the same, because one is chosen then; NULL:
	 * none. */
	const char *chosen;
};

/* Fills the struct at `item`, whose defaults (schema_defaults) and origin are in place; its
 * origin's path begins the paths of the faults. */
void schema_read_group(struct schema_reader *reader, const struct group *group, const void *value,
		       void *item);
/* One member of it, which has that path ahead of it. */
void schema_read_field(struct schema_reader *reader, const struct field *field, const void *value,
		       void *item, const char *path);

#endif
