/* JSON as people and tools write it (base/relaxed_json.h), with the line of each value. */
#ifndef SLUICE_IMPORT_JSON_FILE_H
#define SLUICE_IMPORT_JSON_FILE_H

#include <jansson.h>

#include "resolver/control/import/import.h"

/* NULL: it is none, which is a fault. To be decref'ed. Lines are known until then. */
json_t *json_file_read(struct import *import, const char *path);
/* The same of the file's text, which import_read gave. */
json_t *json_file_parse(struct import *import, const char *path, const char *text, size_t length);
/* Where a value stands that was read, or one that was given that place. */
struct origin json_file_at(struct import *import, const json_t *value, const char *what);
/* A value that another reader made (yaml_file.h, lua.h) is from there. Returns it. true, false and
 * null have no place. */
json_t *json_file_keep(struct import *import, json_t *made, const struct origin *at);
/* A value that was made stands where another does. Returns it. */
json_t *json_file_place(struct import *import, json_t *made, const json_t *like);

/* A member without regard to ASCII case, as Azure's interfaces have it; NULL: there is none. */
json_t *json_member(const json_t *object, const char *key);
/* Its text; NULL: it is none. */
const char *json_member_text(const json_t *object, const char *key);

#endif
