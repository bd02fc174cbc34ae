/* Evaluates the template's JSON: texts that are expressions, and copies inside values. */
#ifndef SLUICE_TEMPLATE_SOURCE_H
#define SLUICE_TEMPLATE_SOURCE_H

#include <jansson.h>

#include "resolver/control/template/expression.h"

/* Evaluates the source. NULL: the budget has failed, or is waiting: the scope's entry waits for
 * unfinished resources that the source refers to. */
json_t *source_value(const struct scope *scope, const json_t *source);
/* source_value for a member, at its place; NULL also if there is no such member. */
json_t *source_member(const struct scope *scope, const json_t *object, const char *key);
/* Evaluates a member that is a text. True with *text NULL: it is missing or null. */
MUST_CHECK bool source_text(const struct scope *scope, const json_t *object, const char *key,
			    const char **text);
/* Evaluates "condition": a boolean, or 'true' or 'false' in any case; another value is an error.
 * Without a condition *holds is true. False: the budget has failed, or is waiting. */
MUST_CHECK bool source_condition(const struct scope *scope, const json_t *object, bool *holds);
/* Evaluates the number of copies. */
MUST_CHECK bool source_count(const struct scope *scope, const json_t *copy, size_t *count);
/* The values of a copy {name, count, input}; a copy of an output has no name. */
json_t *source_copies(const struct scope *scope, const json_t *copy);
/* Evaluates an object's members into `to`, except those named in `without`. */
MUST_CHECK bool source_members(const struct scope *scope, const json_t *object,
			       const char *const *without, json_t *to);

#endif
