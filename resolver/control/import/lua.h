/* What a configuration in Lua says, where it can be read without running it: calls, and names that
 * are given a value once. Everything else, such as functions, conditions and loops, is a fault at
 * its line: what it comes to is known to Lua alone.
 *
 * The result is a list of calls in the order of the file, as JSON that keeps the line of each value
 * for faults (json_file.h):
 *
 *     newServer{address="10.1.0.4"}   {"call": "newServer", "args": [{"address": "10.1.0.4"}]}
 *     smn:add("corp.example")         {"call": "add", "on": VALUE, "args": ["corp.example"]}
 *
 * Numbers and truth values are texts, and nil is null; a table is an array or an object. A constant
 * is {"name": "DNSAction.Drop"}. A name stands for the very value that it was given; where that is
 * a call, the call is one of the list, too. */
#ifndef SLUICE_IMPORT_LUA_H
#define SLUICE_IMPORT_LUA_H

#include <jansson.h>

#include "resolver/control/import/import.h"

/* Of a file's text, which import_read gave. NULL: it cannot be read, which is a fault. To be
 * decref'ed. A call within another has to be a value: `is_value` says which ones are. `constants`
 * are names that have no value here, ended by NULL. */
json_t *lua_parse(struct import *import, const char *path, const char *text,
		  bool (*is_value)(const char *name), const char *const *constants);

#endif
