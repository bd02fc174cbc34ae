/* YAML as configurations have it: mappings, sequences and texts, as JSON with the line of each
 * value (json_file.h). A scalar is a text however it looks, but for null. Comments on lines of
 * their own go to the import, for the line that follows. */
#ifndef SLUICE_IMPORT_YAML_FILE_H
#define SLUICE_IMPORT_YAML_FILE_H

#include <jansson.h>

#include "resolver/control/import/import.h"

/* Of a file's text, which import_read gave. NULL: it is none, or empty, or has what is not read
 * here, such as aliases, which is a fault. To be decref'ed; lines are known until then. */
json_t *yaml_file_parse(struct import *import, const char *path, const char *text, size_t length);

#endif
