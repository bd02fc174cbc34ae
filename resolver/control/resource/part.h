/* From resources in the store to parts of a model (rules/schema/model.h): each item at the top with
 * what is inside it, built from its rows, on top of the file's item where the file has one. */
#ifndef SLUICE_PART_H
#define SLUICE_PART_H

#include "resolver/control/resource/kind.h"
#include "resolver/control/store/source.h"
#include "rules/fault.h"
#include "rules/schema/model.h"

struct parts { /* of one model; references */
	struct model_part **items;
	size_t count, room;
};

void parts_release(struct parts *parts);
/* Those of a model, with references of their own. ERR_NOMEM. */
MUST_CHECK int parts_copy(struct parts *parts, const struct model *model);

/* Every resource of the store but those of kinds in bulk (zone_part.h). What is inside an item that
 * the file does not have (any more) is not served, with a warning. ERR_SYSTEM: the store cannot be
 * read, `error` says why; ERR_FAULTS: a row does not fit; ERR_NOMEM. */
MUST_CHECK int parts_load(struct parts *parts, struct source *source, const struct model *declared,
			  struct faults *faults, char error[SOURCE_ERROR_MAX]);
/* The one that the path is in, as it is in the store now: another one, a new one, or none. */
MUST_CHECK int parts_refresh(struct parts *parts, struct source *source, const struct path *path,
			     const struct model *declared, struct faults *faults,
			     char error[SOURCE_ERROR_MAX]);

/* The one of an item at the top of that name, and where it is (at may be NULL); NULL: there is
 * none. Its references may not be more than one for the caller to change it. */
struct model_part *parts_at(const struct parts *parts, const struct kind *root, const char *name,
			    size_t *at);
/* Takes the part over, also when there is no memory; parts_sort is to follow. ERR_NOMEM. */
MUST_CHECK int parts_add(struct parts *parts, struct model_part *part);
void parts_sort(struct parts *parts);
/* Of a row that is not as sluice writes it. */
void part_warn_of_row(struct faults *faults, const struct kind *kind, const char *path);

/* Whether the model that would be made of both had the item. */
bool parts_have(const struct parts *parts, const struct model *declared, const struct path *path);

/* The item of that path as it was given: without the addresses that placing chose. NULL: there is
 * none. */
const void *part_given(const struct model *model, const struct path *path);
/* The item of that path in the model; NULL: there is none. */
const void *part_find(const struct model *model, const struct path *path);
/* Its name. */
const char *part_name(const struct kind *kind, const void *item);
/* Where it is from: file NULL, the store. */
struct origin part_origin(const void *item);

#endif
