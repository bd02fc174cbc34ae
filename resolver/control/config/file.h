/* Reads the configuration file (libconfig) into a model. The field table (rules/schema/schema.h)
 * has the keys and their types, and the reader walks this table, so a new setting needs no change
 * here.
 *
 * Reading checks syntax, types and ranges, and reads zone and secret files. It does not place
 * endpoints. limits_check judges the complete model. */
#ifndef SLUICE_CONFIG_FILE_H
#define SLUICE_CONFIG_FILE_H

#include <stdio.h>

#include "rules/err.h"
#include "rules/fault.h"
#include "rules/hash.h"
#include "rules/schema/model.h"

/* Reads the file at path. NULL: it could not be read or parsed, or there is no memory; a fault says
 * why. If there are errors in `faults`, the model is good only for limits_check, to find more of
 * them. Faults are returned sorted. Relative paths
 * in the main file, and those of every @include, are relative to the main file's directory; other
 * paths in an included file are relative to its own directory.
 *
 * `before`, if not NULL, is the model that is served, read with the same key: zones whose files
 * have not changed since are shared with it (zone_files.h). */
struct model *config_file_read(const char *path, const struct hash_key *key,
			       const struct model *before, struct faults *faults);

/* Reads any tree of values into a new model: `walk` has the tree's syntax and the origins of its
 * values, `root` is its group of all settings. Faults are not sorted. */
struct schema_reader;
void config_tree_read(struct schema_reader *walk, const void *root, struct model *model,
		      const struct hash_key *key, const struct model *before);

/* Copies the value of one setting, or its default, to `text` ("": there is none). The setting is a
 * text or a path, in the group `in` (NULL: at the top). Other settings are not checked, because
 * their faults must not keep an operator from asking the running server. ERR_FAULTS: the file or
 * that value cannot be read; ERR_LIMIT: the value does not fit. */
MUST_CHECK int config_file_setting(const char *path, const char *in, const char *key, char *text,
				   size_t size, struct faults *faults);

#endif
