/* Reads JSON as people and tools write it (base/relaxed_json.h), with the line of each value. */
#ifndef SLUICE_IMPORT_JSON_FILE_H
#define SLUICE_IMPORT_JSON_FILE_H

#include <jansson.h>

#include "resolver/control/import/import.h"

/* Reads a file. NULL: no JSON, which is a fault. To be decref'ed; lines are known until then. */
json_t *json_file_read(struct import *import, const char *path);
/* json_file_read for the file's text, from import_read. */
json_t *json_file_parse(struct import *import, const char *path, const char *text, size_t length);
/* The place of a value that was read, or was given a place. */
struct origin json_file_at(struct import *import, const json_t *value, const char *what);
/* Gives a place to a value from another reader (yaml_file.h, lua.h), and returns it. true, false
 * and null have no place. */
json_t *json_file_keep(struct import *import, json_t *made, const struct origin *at);
/* Gives a made value the place of `like`, unless it has a place already. Returns it. */
json_t *json_file_place(struct import *import, json_t *made, const json_t *like);

/* A member, ignoring ASCII case, as in Azure's interfaces; NULL: none. */
json_t *json_member(const json_t *object, const char *key);
/* The member's text; NULL: none, or no text. */
const char *json_member_text(const json_t *object, const char *key);

#endif
