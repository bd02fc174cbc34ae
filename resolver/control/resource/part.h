/* From resources in the store to parts of a model (rules/schema/model.h): each item at the top with
 * what is inside it, built from its rows, on top of the file's item where the file has one. */
#ifndef SLUICE_PART_H
#define SLUICE_PART_H

#include <jansson.h>

#include "resolver/control/resource/kind.h"
#include "resolver/control/store/source.h"
#include "rules/fault.h"
#include "rules/schema/model.h"

struct parts { /* of one model, in the order that they always have; references */
	struct model_part **items;
	size_t count, room;
	bool passed_over; /* the state has rows that are not served, with warnings of each */
	bool misfit;      /* because they do not fit, or not with the rest */
};

void parts_release(struct parts *parts);
/* Those of a model, with references of their own. ERR_NOMEM. */
MUST_CHECK int parts_copy(struct parts *parts, const struct model *model);

/* Every resource of the store but those of kinds in bulk (zones.h). A row that does not fit,
 * and what is inside an item that is not there (any more), is not served, with a warning.
 * ERR_SYSTEM: the store cannot be read, `error` says why; ERR_FAULTS, ERR_NOMEM: there is no
 * memory. `refused`: faults of rows that are passed over for them, too. */
MUST_CHECK int parts_load(struct parts *parts, struct source *source, const struct model *declared,
			  const struct faults *refused, struct faults *faults,
			  char error[SOURCE_ERROR_MAX]);
/* The one that all these paths are in, with these as they are in the store now: another one, a new
 * one, or none. `whole`: more than these may have changed in it. What does not fit of the rows that
 * were written at this revision is an error, ERR_FAULTS. */
MUST_CHECK int parts_refresh(struct parts *parts, struct source *source,
			     const struct path *const *paths, size_t count, bool whole,
			     uint64_t revision, const struct model *declared, struct faults *faults,
			     char error[SOURCE_ERROR_MAX]);

/* The values that the store has of a resource; NULL: it has none. ERR_SYSTEM, ERR_INVALID: they
 * cannot be read, `error` says why. */
MUST_CHECK int part_row(struct source *source, const struct path *path, json_t **values,
			char error[SOURCE_ERROR_MAX]);

/* Why a row, which is not served, is not: "there is no ruleset \"office\"". `why` has what fits. */
enum { PART_WHY_MAX = 512 };
void part_why(const struct model *model, const struct path *path, const char *json,
	      char why[PART_WHY_MAX]);
/* Says of an item at the top that it is not there: "there is no ruleset "office"", and which of
 * that name there are in other groups. Returns text. */
char *part_missing(const struct model *model, const struct path *path, char text[PART_WHY_MAX]);
/* Whether what the path is in is not there, but one of that name in another group is. */
bool part_is_elsewhere(const struct model *model, const struct path *path);
/* Says of what is to be inside an item that this is not there. */
void part_refuse_orphan(const struct model *model, const struct path *path, struct faults *faults);
/* The last name of a row's key, and its first part, the group, decoded; NULL: it is none, or there
 * is no memory. */
const char *part_key_name(const char *key, struct arena *arena);
const char *part_key_group(const char *key, struct arena *arena);
/* A row is not served, because of `why`; the warning says how it goes away. */
void part_pass_over(struct parts *parts, struct faults *faults, const struct kind *kind,
		    const char *path, const char *why);

/* A path as a client wrote it: names of domains get the form that they are kept in, with or without
 * their final dot, and the owner of a record set may be written in full
 * ("www.corp.internal.:A"). New texts are in the arena. ERR_NOMEM. */
MUST_CHECK int part_normalize(const struct model *model, struct path *path, struct arena *arena);

/* The item of that path as it was given: without the addresses that placing chose. NULL: there is
 * none. */
const void *part_given(const struct model *model, const struct path *path);
/* The item of that path in the model; NULL: there is none. */
const void *part_find(const struct model *model, const struct path *path);
/* The group of an item at the top; GROUP_NONE where it is in none. */
const char *part_group(const struct kind *root, const void *item);
/* An item's path. `parent`: that of what it is in; NULL at the top. */
struct path part_path(const struct kind *kind, const void *item, const struct path *parent);
/* The path of what the path is in. */
struct path part_root(const struct path *path);
/* What the name alone means, as rules/schema/reference.h has it: the item at the top in no group,
 * else the only one of that name. NULL: there is none, or there are several. */
const void *part_named(const struct model *model, const struct kind *root, const char *name);
/* Prints all items at the top of that name, "dev/hub, prod/hub"; returns how many there are. */
size_t part_namesakes(const struct model *model, const struct kind *root, const char *name,
		      char text[PART_WHY_MAX]);
/* Its name. */
const char *part_name(const struct kind *kind, const void *item);
/* Where it is from: file NULL, the store. */
struct origin part_origin(const void *item);

#endif
