/* A resource's values as JSON, by the keys of the field table: an object with a member for each
 * field, as the configuration file has them. Lists that are kinds of their own (a ruleset's rules)
 * are not among the values, nor are secrets: a file has them, and the state names it. */
#ifndef SLUICE_VALUES_H
#define SLUICE_VALUES_H

#include <jansson.h>

#include "resolver/control/resource/etag.h"
#include "resolver/control/resource/kind.h"
#include "rules/fault.h"

struct group;

/* Into the struct of kind_field(kind)->group at `item`, which gets its defaults and the origin
 * first, and then kind->complete. What does not fit is a fault, with the origin's path ahead of the
 * member's; texts go into the arena. A member that is null counts as not given. */
void values_read(const struct kind *kind, const json_t *values, void *item,
		 const struct origin *origin, struct arena *arena, struct faults *faults);
/* Reads values of the state, which were checked when they were stored, perhaps by another version.
 * So the form of texts is not judged again, and a key that is no member is passed over. */
void values_read_stored(const struct kind *kind, const json_t *values, void *item,
			const struct origin *origin, struct arena *arena, struct faults *faults);
/* All that is given or has a default, paths from the root; NULL without memory. `group`: of the
 * item at the top, NULL or GROUP_NONE: none; references leave that out. */
json_t *values_print(const struct kind *kind, const char *group, const void *item);
/* The tags as an object, by name; it may be empty. */
json_t *values_print_tags(const struct tag *tags, size_t count);
/* A hash of all members, of a kind whose members are single values and tags. */
uint64_t values_hash(const struct kind *kind, const void *item, const struct hash_key *key);
/* Where it stands in a file, "FILE:LINE"; null: in none. */
json_t *values_print_origin(const struct origin *origin);
/* Adds each member of the kind that the object lacks, as null, or as no tags. */
void values_put_missing(const struct kind *kind, json_t *object);
/* Makes each reference one that means the same from everywhere and whatever comes later, where it
 * refers to something in the model (rules/schema/reference.h), and gives each domain its one form.
 * *changed: any was another one. ERR_NOMEM. */
MUST_CHECK int values_refer(const struct kind *kind, const char *group, const struct model *model,
			    json_t *values, bool *changed);
/* The other way round, as values_print has it, of values that the state has. */
void values_shorten(const struct kind *kind, const char *group, json_t *values);
/* Whether the value is the field's default, or an empty array or object. */
bool values_is_fallback(const struct field *field, const json_t *value);
/* The same of a kind's member. */
bool values_is_default(const struct kind *kind, const char *key, const json_t *value);
/* What of a model is no resource, by the keys of sluice.conf(5), with defaults; without secrets,
 * and without `management`, which is about one server. NULL without memory. */
json_t *values_print_settings(const struct model *model);
/* What they may be, as a JSON Schema (2020-12): types, ranges, defaults and the manual page's
 * texts. NULL without memory. */
json_t *values_schema(const struct kind *kind);

#endif
