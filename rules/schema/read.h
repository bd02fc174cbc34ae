/* Reads a tree of values into a group's struct, walking the field table and the tree together.
 *
 *     { name = "hub"; ... }   a group    the members of its struct; unknown and missing ones are
 *                                        faults
 *     ( { }, { } )            a list     a struct of the field's group for each item
 *     [ "10.0.0.0/8" ]        an array   bare values
 *     53, true, "text"        a scalar   schema_set_number, schema_set_text
 *
 * A struct value_syntax describes the tree's origin: libconfig's settings (config/file.c) or JSON
 * (resource/values.c). The walk goes on after a fault, so that all faults are reported at once. */
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
	VALUE_NULL,  /* leaves the field unset; an unknown key is still a fault */
	VALUE_OTHER, /* a value that no field takes */
};

/* A syntax's calls; `value` is one of its values. */
struct value_syntax {
	enum value_kind (*kind)(const void *value);
	const char *(*kind_text)(const void *value); /* "an integer": for faults */
	size_t (*count)(const void *value);          /* items of a list or array */
	/* Calls back with each member of a group, or each item of a list or array (key NULL). */
	void (*each)(const void *value,
		     void (*on_item)(void *context, const char *key, const void *value),
		     void *context);
	long long (*integer)(const void *value); /* 0 or 1 for a bool */
	const char *(*string)(const void *value);
	enum value_kind tags;        /* the kind of FIELD_TAGS: VALUE_ARRAY or VALUE_GROUP */
	const char *const *expected; /* by field type: instead of schema_expected; may be NULL */
};

struct schema_reader {
	const struct value_syntax *syntax;
	struct arena *arena; /* for the values read */
	struct faults *faults;
	/* The file and line of a value. NULL: values come from a row of the state with this
	 * revision. */
	struct origin (*origin)(void *context, const void *value);
	uint64_t revision;
	bool is_stored; /* from the state: texts were checked when stored, and unknown members
			   belong to another version */
	/* Called with each FIELD_PATH, returns the path to keep; NULL without memory. May be NULL:
	 * paths stay as written. */
	const char *(*path)(void *context, const char *path, const struct origin *origin);
	void *context;
	/* A required member that may be missing, because the program chooses one then; NULL:
	 * none. */
	const char *chosen;
};

/* Fills in the struct at `item`, whose defaults (schema_defaults) and origin are set. Its origin's
 * path begins the paths of faults. */
void schema_read_group(struct schema_reader *reader, const struct group *group, const void *value,
		       void *item);
/* Reads one member; `path` is the path before its key. */
void schema_read_field(struct schema_reader *reader, const struct field *field, const void *value,
		       void *item, const char *path);

#endif
