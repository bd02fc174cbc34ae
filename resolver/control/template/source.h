/* The template's JSON, evaluated: texts that are expressions, and copies within values. */
#ifndef SLUICE_TEMPLATE_SOURCE_H
#define SLUICE_TEMPLATE_SOURCE_H

#include <jansson.h>

#include "resolver/control/template/expression.h"

/* NULL: the budget has failed, or is waiting; then all that is waited for is known. */
json_t *source_value(const struct scope *scope, const json_t *source);
/* The same of a member, with its place; NULL as well: there is none. */
json_t *source_member(const struct scope *scope, const json_t *object, const char *key);
/* A member that is a text. *text is NULL, and the result true: there is none, or it is null. */
MUST_CHECK bool source_text(const struct scope *scope, const json_t *object, const char *key,
			    const char **text);
/* "condition": a boolean, or 'true' or 'false' in any case. *holds is true where there is none.
 * False: it is something else, or the budget has failed. */
MUST_CHECK bool source_condition(const struct scope *scope, const json_t *object, bool *holds);
/* How often a copy is made. */
MUST_CHECK bool source_count(const struct scope *scope, const json_t *copy, size_t *count);
/* Each value of a copy: {name, count, input}; that of an output has no name. */
json_t *source_copies(const struct scope *scope, const json_t *copy);
/* Evaluates the members of an object into another one, but for those that are named. */
MUST_CHECK bool source_members(const struct scope *scope, const json_t *object,
			       const char *const *without, json_t *to);

#endif
