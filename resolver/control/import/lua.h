/* Reads configurations in Lua without running them: calls, and names that get a value once.
 * Everything else, such as functions, conditions and loops, is a fault at its line, because only
 * Lua could evaluate it.
 *
 * The result is a list of calls in the order of the file, as JSON that keeps the line of each value
 * for faults (json_file.h):
 *
 *     newServer{address="10.1.0.4"}   {"call": "newServer", "args": [{"address": "10.1.0.4"}]}
 *     smn:add("corp.example")         {"call": "add", "on": VALUE, "args": ["corp.example"]}
 *
 * Numbers and booleans become texts, and nil becomes null; a table is an array or an object, and
 * cannot have the key "call", in any case of letters, which marks calls. A constant is {"name":
 * "DNSAction.Drop"}. A name gives the very value that it was assigned; if that is a call, the call
 * is in the list as well. */
#ifndef SLUICE_IMPORT_LUA_H
#define SLUICE_IMPORT_LUA_H

#include <jansson.h>

#include "resolver/control/import/import.h"

/* Parses a file's text, from import_read. NULL: unreadable, which is a fault. To be decref'ed.
 * `is_value` says whether a call of that name makes a value: only such calls may be inside another
 * call or a table. `constants` are names without a value in the file, ended by NULL. */
json_t *lua_parse(struct import *import, const char *path, const char *text,
		  bool (*is_value)(const char *name), const char *const *constants);

#endif
