/* The language of Azure's templates: a text that begins with '[' and ends with ']' is an
 * expression, of calls, literals, members and indexes. Here are its functions of values alone;
 * those that ask for the deployment are the caller's (arm.c).
 *
 * A value that comes out is good as long as the pool. NULL is a failure, and the first one of a
 * scope says why. */
#ifndef SLUICE_IMPORT_EXPRESSION_H
#define SLUICE_IMPORT_EXPRESSION_H

#include <jansson.h>
#include <stdbool.h>

#include "resolver/control/import/import.h"

struct expression_variable; /* of a lambda */

struct expression_scope {
	struct import *import;
	json_t *pool; /* an array, which has every value that was made */
	/* Every other function; NULL, without failing: there is none of that name. */
	json_t *(*call)(struct expression_scope *scope, const char *name, json_t **arguments,
			size_t count);
	const struct expression_variable *variables; /* NULL: none */
	const char *error;                           /* NULL: nothing has failed */
	unsigned depth;                              /* of expressions that lead to others */
};

/* An expression's value, or the text itself. */
json_t *expression_evaluate(struct expression_scope *scope, const char *text);
/* Hands a new value to the pool; returns it. */
json_t *expression_made(struct expression_scope *scope, json_t *value);
/* Always NULL. */
json_t *expression_fail(struct expression_scope *scope, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A member, without regard to case, or an element; NULL, without failing: there is none. */
json_t *expression_member(const json_t *value, const json_t *key);
/* As it stands in a text: without quotes, numbers in decimal; objects as JSON. */
const char *expression_text(struct expression_scope *scope, const json_t *value);
/* The same; NULL, which fails: it is no text. */
const char *expression_string(struct expression_scope *scope, const json_t *value);

#endif
