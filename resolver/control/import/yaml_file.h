/* Reads YAML as configurations use it: mappings, sequences and texts, as JSON with the line of each
 * value (json_file.h). Every scalar but null becomes a text. Comments on lines of their own go to
 * the import, for the line that follows. */
#ifndef SLUICE_IMPORT_YAML_FILE_H
#define SLUICE_IMPORT_YAML_FILE_H

#include <jansson.h>

#include "resolver/control/import/import.h"

/* Parses a file's text, from import_read. NULL: no YAML, empty, or with unsupported parts such as
 * aliases, which is a fault. To be decref'ed; lines are known until then. */
json_t *yaml_file_parse(struct import *import, const char *path, const char *text, size_t length);

#endif
