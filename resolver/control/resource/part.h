/* Builds parts of a model (rules/schema/model.h) from resources in the store: each top-level item
 * with everything inside it, on top of the file's item of that name, if there is one. */
#ifndef SLUICE_PART_H
#define SLUICE_PART_H

#include <jansson.h>

#include "resolver/control/resource/kind.h"
#include "resolver/control/store/source.h"
#include "rules/fault.h"
#include "rules/schema/model.h"

struct parts { /* the parts of one model, always in the same order; holds references */
	struct model_part **items;
	size_t count, room;
	bool passed_over; /* the state has rows that are not served; warnings tell of them */
	bool misfit;      /* some of these do not fit, alone or with the rest */
};

void parts_release(struct parts *parts);
/* Copies the parts of a model, with references of its own. ERR_NOMEM. */
MUST_CHECK int parts_copy(struct parts *parts, const struct model *model);

/* Loads every resource of the store but those of kinds with a home (home.h). A row that does not
 * fit, or whose parent is missing, is not served and gets a warning. `refused`: rows with these
 * faults are skipped as well. ERR_SYSTEM: the store cannot be read, `error` says why; ERR_FAULTS,
 * ERR_NOMEM: out of memory. */
MUST_CHECK int parts_load(struct parts *parts, struct source *source, const struct model *declared,
			  const struct faults *refused, struct faults *faults,
			  char error[SOURCE_ERROR_MAX]);
/* Rebuilds the part that all these paths are in, from their rows in the store: the part is
 * replaced, added or removed. `whole`: other rows of the part may have changed as well. A row that
 * was written at this revision and does not fit is an error, ERR_FAULTS. */
MUST_CHECK int parts_refresh(struct parts *parts, struct source *source,
			     const struct path *const *paths, size_t count, bool whole,
			     uint64_t revision, const struct model *declared, struct faults *faults,
			     char error[SOURCE_ERROR_MAX]);

/* Reads a resource's values from the store; NULL: it has none. ERR_SYSTEM, ERR_INVALID: the values
 * cannot be read, `error` says why. ERR_LIMIT: the path is longer than any resource's; `error` is
 * empty. */
MUST_CHECK int part_row(struct source *source, const struct path *path, json_t **values,
			char error[SOURCE_ERROR_MAX]);

/* Says why a row is not served: "there is no ruleset \"office\"". `why` is cut to fit. */
enum { PART_WHY_MAX = 512 };
void part_why(const struct model *model, const struct path *path, const char *json,
	      char why[PART_WHY_MAX]);
/* Says that a top-level item is missing: "there is no ruleset "office"", and which other groups
 * have an item of that name. Returns text. */
char *part_missing(const struct model *model, const struct path *path, char text[PART_WHY_MAX]);
/* Whether the path's top-level item is missing, but another group has one of that name. */
bool part_is_elsewhere(const struct model *model, const struct path *path);
/* Adds the fault that the parent of the path's resource is missing. */
void part_refuse_orphan(const struct model *model, const struct path *path, struct faults *faults);
/* Decode a row's key: its last name, and its first part, the group. NULL: not a key, or out of
 * memory. */
const char *part_key_name(const char *key, struct arena *arena);
const char *part_key_group(const char *key, struct arena *arena);
/* Warns that a row is not served because of `why`, and how to remove it. */
void part_pass_over(struct parts *parts, struct faults *faults, const struct kind *kind,
		    const char *path, const char *why);

/* Normalizes a path that a client wrote: domain names get their stored form, with or without the
 * final dot, and so do names of items in a home (home.h). New texts are in the arena. ERR_NOMEM. */
MUST_CHECK int part_normalize(const struct model *model, struct path *path, struct arena *arena);

/* Finds the path's item as it was given, without the members that placing set (struct kind). NULL:
 * not found. */
const void *part_given(const struct model *model, const struct path *path);
/* Finds the path's item in the model; NULL: not found. */
const void *part_find(const struct model *model, const struct path *path);
/* The group of a top-level item; GROUP_NONE: none. */
const char *part_group(const struct kind *root, const void *item);
/* The path of an item. `parent`: the path of the item around it; NULL for a top-level item. */
struct path part_path(const struct kind *kind, const void *item, const struct path *parent);
/* The path of the path's top-level item. */
struct path part_root(const struct path *path);
/* Resolves a bare name as rules/schema/reference.h does: the top-level item of that name in no
 * group, else the only one of that name. NULL: none, or several. */
const void *part_named(const struct model *model, const struct kind *root, const char *name);
/* Prints all top-level items of that name, "dev/hub, prod/hub"; returns their number. */
size_t part_namesakes(const struct model *model, const struct kind *root, const char *name,
		      char text[PART_WHY_MAX]);
/* The item's name. */
const char *part_name(const struct kind *kind, const void *item);
/* Where the item comes from; file NULL: the store. A made item (model_is_made) has the place of the
 * item that it was made for. */
struct origin part_origin(const void *item);

#endif
