/* Values: JSON that never changes once it was made, and of which a budget counts every part. A
 * function that gives NULL or false has failed, and the budget says why. */
#ifndef SLUICE_TEMPLATE_VALUE_H
#define SLUICE_TEMPLATE_VALUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "resolver/control/template/budget.h"

/* New values, the budget's. A text that is not UTF-8 or has a NUL fails. */
json_t *value_text(struct budget *budget, const char *text);
json_t *value_text_of(struct budget *budget, const char *text, size_t length);
json_t *value_integer(struct budget *budget, int64_t number);
json_t *value_real(struct budget *budget, double number);
json_t *value_boolean(bool value);
json_t *value_array(struct budget *budget);
json_t *value_object(struct budget *budget);
/* Parts of a value that is being made. */
MUST_CHECK bool value_add(struct budget *budget, json_t *array, json_t *item);
MUST_CHECK bool value_put(struct budget *budget, json_t *object, const char *key, json_t *value);
/* value_put of a text; leaves it out where it is NULL. */
MUST_CHECK bool value_put_text(struct budget *budget, json_t *object, const char *key,
			       const char *text);
/* Reads JSON. `what` says whose it is, for errors. */
json_t *value_parse(struct budget *budget, const char *text, const char *what);

/* A member, whatever its case; NULL, without failing: there is none. */
json_t *value_member(struct budget *budget, const json_t *object, const char *key);
/* A member that is a text; NULL as well: it is another value. */
const char *value_member_text(struct budget *budget, const json_t *object, const char *key);

/* *size: steps to walk over all of it, written out. */
MUST_CHECK bool value_measure(struct budget *budget, const json_t *value, size_t *size);
/* False, also where the budget has failed. */
bool value_equal(struct budget *budget, const json_t *a, const json_t *b);
/* The same text for equal values only, for tables. */
const char *value_key(struct budget *budget, const json_t *value);
/* As it stands in a text: without quotes, "True", numbers in decimal; others as JSON. */
const char *value_print(struct budget *budget, const json_t *value);
/* "an integer". NULL: "nothing". */
const char *value_kind(const json_t *value);

/* What functions are given, "add() takes an integer as its 2nd argument, not a string". */
const char *value_want_text(struct budget *budget, json_t **arguments, size_t at);
MUST_CHECK bool value_want_integer(struct budget *budget, json_t **arguments, size_t at,
				   int64_t *number);
MUST_CHECK bool value_want_array(struct budget *budget, json_t **arguments, size_t at);
MUST_CHECK bool value_want_object(struct budget *budget, json_t **arguments, size_t at);
/* Fails, because the function takes another kind of value (`what`: "an integer") as that argument;
 * returns NULL. */
void *value_unwanted(struct budget *budget, json_t **arguments, size_t at, const char *what);

/* A text that is put together. */
struct builder {
	struct budget *budget;
	char *text;
	size_t length, room;
	bool failed;
};
void builder_init(struct builder *builder, struct budget *budget);
void builder_add(struct builder *builder, const char *text, size_t length);
void builder_add_text(struct builder *builder, const char *text);
/* One character, so many times. */
void builder_add_times(struct builder *builder, const char *character, size_t count);
/* The text as a value; releases the builder, whatever has failed. */
json_t *builder_finish(struct builder *builder);

#endif
