/* Values: JSON that never changes once made; the budget counts every part. If a function returns
 * NULL or false, the budget has failed and its error says why, unless the function's comment says
 * otherwise. */
#ifndef SLUICE_TEMPLATE_VALUE_H
#define SLUICE_TEMPLATE_VALUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "resolver/control/template/budget.h"

/* Make values, which the budget owns. A text that is not UTF-8, or contains a NUL, fails.
 * value_text_of may read beyond a text whose last character is cut off, up to the next NUL, so the
 * memory must contain one at text + length or behind it. */
json_t *value_text(struct budget *budget, const char *text);
json_t *value_text_of(struct budget *budget, const char *text, size_t length);
json_t *value_integer(struct budget *budget, int64_t number);
json_t *value_real(struct budget *budget, double number);
json_t *value_boolean(bool value);
json_t *value_array(struct budget *budget);
json_t *value_object(struct budget *budget);
/* Add to a value under construction. False: the budget has failed, or an argument is NULL. */
MUST_CHECK bool value_add(struct budget *budget, json_t *array, json_t *item);
MUST_CHECK bool value_put(struct budget *budget, json_t *object, const char *key, json_t *value);
/* value_put of a text; without a text (NULL) it adds nothing. */
MUST_CHECK bool value_put_text(struct budget *budget, json_t *object, const char *key,
			       const char *text);
/* Parses JSON. `what` names the function that got the text, for errors. */
json_t *value_parse(struct budget *budget, const char *text, const char *what);

/* A member, ignoring case; NULL, without an error: none. */
json_t *value_member(struct budget *budget, const json_t *object, const char *key);
/* The text of a member; NULL, without an error: none, or another kind of value. */
const char *value_member_text(struct budget *budget, const json_t *object, const char *key);

/* Counts the steps of a walk over the whole value; a shared part counts each time it occurs. *size
 * is the number of steps. */
MUST_CHECK bool value_measure(struct budget *budget, const json_t *value, size_t *size);
/* Whether the values are equal. False also if the budget has failed. */
bool value_equal(struct budget *budget, const json_t *a, const json_t *b);
/* A text that differs for different values, as a key of tables. */
const char *value_key(struct budget *budget, const json_t *value);
/* The value as a part of a text: strings without quotes, "True", decimal integers, "" for null;
 * others as JSON. */
const char *value_print(struct budget *budget, const json_t *value);
/* The kind of value for errors: "an integer"; for NULL "nothing". */
const char *value_kind(const json_t *value);

/* Check arguments; errors say "add() takes an integer as argument 2, not a string". */
const char *value_want_text(struct budget *budget, json_t **arguments, size_t at);
MUST_CHECK bool value_want_integer(struct budget *budget, json_t **arguments, size_t at,
				   int64_t *number);
MUST_CHECK bool value_want_array(struct budget *budget, json_t **arguments, size_t at);
MUST_CHECK bool value_want_object(struct budget *budget, json_t **arguments, size_t at);
/* Fails because the argument should be another kind of value (`what`: "an integer"); returns
 * NULL. */
void *value_unwanted(struct budget *budget, json_t **arguments, size_t at, const char *what);

/* Builds a text. */
struct builder {
	struct budget *budget;
	char *text;
	size_t length, room;
	bool failed;
};
void builder_init(struct builder *builder, struct budget *budget);
void builder_add(struct builder *builder, const char *text, size_t length);
void builder_add_text(struct builder *builder, const char *text);
/* Adds one character, `count` times. */
void builder_add_times(struct builder *builder, const char *character, size_t count);
/* Returns the text as a value, and releases the builder even after a failure. */
json_t *builder_finish(struct builder *builder);

#endif
