/* From the configuration file (libconfig) to the model. Which keys there are, of which types, the
 * field table says (rules/schema/schema.h): the reader walks it and knows no key by name, so a new
 * setting needs nothing here.
 *
 * Reading checks syntax, types and ranges, and reads zone and secret files. Endpoints are not
 * placed; whether the whole is allowed is limits_check's to say, when the model is complete. */
#ifndef SLUICE_CONFIG_FILE_H
#define SLUICE_CONFIG_FILE_H

#include <stdio.h>

#include "rules/err.h"
#include "rules/fault.h"
#include "rules/hash.h"
#include "rules/schema/model.h"

/* Reads the file at path. NULL when it could not be parsed; a model with errors in `faults` is good
 * for nothing but to look for more of them with limits_check. Faults come back sorted. Relative
 * paths in the file, and of @include, are relative to the main file's directory; a path in an
 * included file to that file's.
 *
 * before, when not NULL, is the model that is served, read with the same key: zones whose files
 * have not changed since are shared with it (zone_files.h). */
struct model *config_file_read(const char *path, const struct hash_key *key,
			       const struct model *before, struct faults *faults);

/* The same of any tree of values, into a new model: `walk` has the tree's syntax and where its
 * values are from, `root` is its group of all settings. Faults are not sorted. */
struct schema_reader;
void config_tree_read(struct schema_reader *walk, const void *root, struct model *model,
		      const struct hash_key *key, const struct model *before);

/* One setting as the file has it, or its default, to `text`: one that is a text or a path, in that
 * group (NULL: at the top). "": it has none. Nothing else that the file sets is looked at: faults
 * in it must not keep an operator from asking the running server. ERR_FAULTS: the text or that
 * value cannot be read; ERR_LIMIT: the value has no room. */
MUST_CHECK int config_file_setting(const char *path, const char *in, const char *key, char *text,
				   size_t size, struct faults *faults);

#endif
