/* A resource's values as JSON, by the keys of the field table: an object with a member for each
 * field, as in the configuration file. Values leave out lists that are kinds of their own (a
 * ruleset's rules), and secrets: these stay in a file that the values name. */
#ifndef SLUICE_VALUES_H
#define SLUICE_VALUES_H

#include <jansson.h>

#include "resolver/control/resource/etag.h"
#include "resolver/control/resource/kind.h"
#include "rules/fault.h"

struct group;

/* Reads values into the struct of kind_field(kind)->group at `item`: defaults and the origin first,
 * then the values, then kind->complete. A value that does not fit is a fault at the origin's path
 * plus the member's; texts go into the arena. A null member counts as not given, except that a
 * secret or a list that is a kind of its own is a fault even as null. */
void values_read(const struct kind *kind, const json_t *values, void *item,
		 const struct origin *origin, struct arena *arena, struct faults *faults);
/* Reads values of the state, which were checked when they were stored, perhaps by another version.
 * So texts are not checked again, and unknown keys are skipped. ERR_INVALID: sluice did not write
 * them; ERR_NOMEM. */
MUST_CHECK int values_read_stored(const struct kind *kind, const json_t *values, void *item,
				  uint64_t revision, struct arena *arena);
/* Prints all members that are given or have a default; paths are absolute. References leave out
 * `group`, the group of the top-level item (NULL or GROUP_NONE: none). Without memory, json_whole
 * of the result fails. */
json_t *values_print(const struct kind *kind, const char *group, const void *item);
/* Prints tags as an object of names and values, perhaps an empty one. */
json_t *values_print_tags(const struct tag *tags, size_t count);
/* A hash of all members for an etag, for kinds that have only single values and tags. */
uint64_t values_hash(const struct kind *kind, const void *item);
/* Prints "FILE:LINE", or null for an item that comes from no file. */
json_t *values_print_origin(const struct origin *origin);
/* Adds each member that the object lacks: tags as {}, others as null. */
void values_put_missing(const struct kind *kind, json_t *object);
/* Replaces each reference to something in the model by one that means the same from every group and
 * after every later change (rules/schema/reference.h), and each domain by its canonical form.
 * *changed: at least one was replaced. ERR_NOMEM. */
MUST_CHECK int values_refer(const struct kind *kind, const char *group, const struct model *model,
			    json_t *values, bool *changed);
/* Shortens the references in values of the state to the form that values_print gives. */
void values_shorten(const struct kind *kind, const char *group, json_t *values);
/* Whether the value is the field's default, or an empty array or object. */
bool values_is_fallback(const struct field *field, const json_t *value);
/* values_is_fallback for a member of a kind. */
bool values_is_default(const struct kind *kind, const char *key, const json_t *value);
/* Prints the model's settings that are no resources, by the keys of sluice.conf(5), with defaults;
 * without secrets, and without `management`, which concerns only one server. Without memory,
 * json_whole of the result fails. */
json_t *values_print_settings(const struct model *model);
/* The kind's JSON Schema (2020-12): types, ranges, defaults and the manual page's texts. Without
 * memory, json_whole of the result fails. */
json_t *values_schema(const struct kind *kind);

#endif
