/* Counts the bytes that jansson allocates for a value, rounded up, so that the budget's sum is
 * roughly what a template holds. */
#include "resolver/control/template/value.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/template/secrets.h"
#include "rules/text.h"

enum {
	SCALAR_BYTES = 48,
	ARRAY_BYTES = 160,
	ITEM_BYTES = 16,
	OBJECT_BYTES = 320,
	MEMBER_BYTES = 128,
	WORDS_FIRST = 256,
};

/* ---- making values ---- */

/* Whether the text is valid UTF-8 without a NUL. */
static bool is_text(const char *text, size_t length)
{
	uint32_t code;
	size_t i = 0, bytes = 1;

	for (; i < length && bytes > 0; i += bytes)
		bytes = text[i] == '\0' ? 0 : text_character(text + i, &code);
	return i == length && bytes > 0;
}

json_t *value_text_of(struct budget *budget, const char *text, size_t length)
{
	json_t *value;

	if (!budget_bytes(budget, SCALAR_BYTES + length) || !budget_text(budget, length))
		return NULL;
	value = memchr(text, '\0', length) ? NULL : json_stringn(text, length);
	if (!value && !is_text(text, length))
		return budget_fail(budget, "%s() makes a string that is not UTF-8",
				   budget->function ? budget->function : "it");
	return budget_keep(budget, value);
}

json_t *value_text(struct budget *budget, const char *text)
{
	return text ? value_text_of(budget, text, strlen(text)) : NULL;
}

json_t *value_integer(struct budget *budget, int64_t number)
{
	return budget_bytes(budget, SCALAR_BYTES) ? budget_keep(budget, json_integer(number))
						  : NULL;
}

json_t *value_real(struct budget *budget, double number)
{
	return budget_bytes(budget, SCALAR_BYTES) ? budget_keep(budget, json_real(number)) : NULL;
}

json_t *value_boolean(bool value)
{
	return value ? json_true() : json_false();
}

json_t *value_array(struct budget *budget)
{
	return budget_bytes(budget, ARRAY_BYTES) ? budget_keep(budget, json_array()) : NULL;
}

json_t *value_object(struct budget *budget)
{
	return budget_bytes(budget, OBJECT_BYTES) ? budget_keep(budget, json_object()) : NULL;
}

bool value_add(struct budget *budget, json_t *array, json_t *item)
{
	if (!array || !item || !budget_bytes(budget, ITEM_BYTES))
		return false;
	if (json_array_append(array, item) == 0)
		return secrets_spread(budget, item, array);
	budget_no_memory(budget);
	return false;
}

bool value_put(struct budget *budget, json_t *object, const char *key, json_t *value)
{
	size_t length = key ? strlen(key) : 0;

	if (!object || !key || !value || !budget_bytes(budget, MEMBER_BYTES + length) ||
	    !budget_text(budget, length))
		return false;
	if (json_object_set(object, key, value) == 0)
		return secrets_spread(budget, value, object);
	budget_no_memory(budget);
	return false;
}

bool value_put_text(struct budget *budget, json_t *object, const char *key, const char *text)
{
	return text ? value_put(budget, object, key, value_text(budget, text))
		    : !budget_has_failed(budget);
}

/* Counts the values in a text before parsing, by the characters that begin or separate them. */
static bool count_json(struct budget *budget, const char *text)
{
	size_t bytes = SCALAR_BYTES, steps = 1, length = 0;

	for (; text[length] != '\0'; length++)
		switch (text[length]) {
		case '{': bytes += OBJECT_BYTES; break;
		case '[': bytes += ARRAY_BYTES; break;
		case ':': bytes += MEMBER_BYTES; break;
		case ',':
			bytes += SCALAR_BYTES + ITEM_BYTES;
			steps++;
			break;
		default: break;
		}
	return budget_bytes(budget, bytes + length) && budget_steps(budget, steps) &&
	       budget_text(budget, length);
}

/* Turns single quotes around strings, which Azure accepts, into double ones. NULL: the budget has
 * failed. */
static char *double_quotes(struct budget *budget, const char *text)
{
	char *copy = budget_alloc(budget, 2 * strlen(text) + 1), *to = copy, inside = '\0';

	for (; copy && *text != '\0'; text++) {
		if (inside == '\0' && (*text == '\'' || *text == '"')) {
			inside = *text;
			*to++ = '"';
		} else if (*text == inside) {
			inside = '\0';
			*to++ = '"';
		} else if (inside != '\0' && *text == '\\' && text[1] == '\'') {
			*to++ = *++text;
		} else if (inside != '\0' && *text == '\\' && text[1] != '\0') {
			*to++ = *text++;
			*to++ = *text;
		} else if (*text == '"') {
			*to++ = '\\';
			*to++ = *text;
		} else {
			*to++ = *text;
		}
	}
	return copy;
}

json_t *value_parse(struct budget *budget, const char *text, const char *what)
{
	json_error_t why;
	json_t *value;
	size_t size;

	if (!count_json(budget, text))
		return NULL;
	value = json_loads(text, JSON_DECODE_ANY, &why);
	if (!value && strchr(text, '\'')) {
		text = double_quotes(budget, text);
		if (!text)
			return NULL;
		value = json_loads(text, JSON_DECODE_ANY, &why);
	}
	if (!value && why.text[0] == '\0') /* without memory jansson gives no reason */
		return budget_no_memory(budget);
	if (!value)
		return budget_fail(budget, "%s is given a text that is not JSON: %s", what,
				   why.text);
	value = budget_keep(budget, value);
	if (!value || !value_measure(budget, value, &size) ||
	    (budget->makes_secrets && !secrets_add(budget, value)))
		return NULL;
	return value;
}

/* ---- reading values ---- */

json_t *value_member(struct budget *budget, const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);
	const char *name;

	if (value || !json_is_object(object) || !budget_steps(budget, json_object_size(object) / 4))
		return value;
	json_object_foreach((json_t *)object, name, value)
	{
		if (strcasecmp(name, key) == 0)
			return value;
	}
	return NULL;
}

const char *value_member_text(struct budget *budget, const json_t *object, const char *key)
{
	return json_string_value(value_member(budget, object, key));
}

static bool walk(struct budget *budget, const json_t *value, unsigned depth)
{
	const char *key;
	json_t *item;
	size_t i;

	if (depth > TEMPLATE_DEPTH_MAX) {
		budget_fail_as(budget, TEMPLATE_LIMIT,
			       "a value is nested more than %d deep; make it flatter",
			       TEMPLATE_DEPTH_MAX);
		return false;
	}
	if (!budget_steps(budget, 1))
		return false;
	if (json_is_string(value))
		return budget_text(budget, json_string_length(value));
	json_array_foreach((json_t *)value, i, item)
	{
		if (!walk(budget, item, depth + 1))
			return false;
	}
	json_object_foreach((json_t *)value, key, item)
	{
		if (!budget_text(budget, strlen(key)) || !walk(budget, item, depth + 1))
			return false;
	}
	return true;
}

bool value_measure(struct budget *budget, const json_t *value, size_t *size)
{
	size_t before = budget->steps;
	bool fine = walk(budget, value, 1);

	*size = budget->steps - before;
	return fine;
}

static bool is_equal(struct budget *budget, const json_t *a, const json_t *b, unsigned depth);

static bool is_equal_within(struct budget *budget, const json_t *a, const json_t *b, unsigned depth)
{
	const char *key;
	json_t *item;
	size_t i;

	if (json_is_array(a)) {
		if (json_array_size(a) != json_array_size(b))
			return false;
		json_array_foreach((json_t *)a, i, item)
		{
			if (!is_equal(budget, item, json_array_get(b, i), depth + 1))
				return false;
		}
		return true;
	}
	if (json_object_size(a) != json_object_size(b))
		return false;
	json_object_foreach((json_t *)a, key, item)
	{
		const json_t *other =
			budget_text(budget, strlen(key)) ? json_object_get(b, key) : NULL;

		if (!other || !is_equal(budget, item, other, depth + 1))
			return false;
	}
	return true;
}

static bool is_equal(struct budget *budget, const json_t *a, const json_t *b, unsigned depth)
{
	if (depth > TEMPLATE_DEPTH_MAX)
		budget_fail_as(budget, TEMPLATE_LIMIT,
			       "a value is nested more than %d deep; make it flatter",
			       TEMPLATE_DEPTH_MAX);
	if (!budget_steps(budget, 1))
		return false;
	if (a == b)
		return true;
	if (json_is_integer(a) && json_is_integer(b))
		return json_integer_value(a) == json_integer_value(b);
	if (json_is_number(a) && json_is_number(b))
		return json_number_value(a) == json_number_value(b);
	if (json_typeof(a) != json_typeof(b))
		return false;
	if (json_is_string(a))
		return json_string_length(a) == json_string_length(b) &&
		       budget_text(budget, json_string_length(a)) &&
		       strcmp(json_string_value(a), json_string_value(b)) == 0;
	return (json_is_array(a) || json_is_object(a)) && is_equal_within(budget, a, b, depth);
}

bool value_equal(struct budget *budget, const json_t *a, const json_t *b)
{
	return is_equal(budget, a, b, 1);
}

/* ---- printing values ---- */

static int on_dump(const char *text, size_t length, void *context)
{
	struct builder *builder = context;

	builder_add(builder, text, length);
	return builder->failed ? -1 : 0;
}

static const char *dump(struct budget *budget, const json_t *value, size_t flags)
{
	struct builder builder;
	size_t steps;

	if (!value_measure(budget, value, &steps))
		return NULL;
	builder_init(&builder, budget);
	if (json_dump_callback(value, on_dump, &builder, flags | JSON_COMPACT | JSON_ENCODE_ANY) !=
	    0)
		builder.failed = true;
	value = builder_finish(&builder);
	return value ? json_string_value(value) : budget_no_memory(budget);
}

const char *value_key(struct budget *budget, const json_t *value)
{
	bool before = budget->makes_secrets;
	const char *key;

	budget->makes_secrets = false; /* a key is not the result of a function */
	key = dump(budget, value, JSON_SORT_KEYS);
	budget->makes_secrets = before;
	return key;
}

const char *value_print(struct budget *budget, const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_STRING: return json_string_value(value);
	case JSON_TRUE: return "True";
	case JSON_FALSE: return "False";
	case JSON_NULL: return "";
	case JSON_INTEGER:
		return budget_printf(budget, "%lld", (long long)json_integer_value(value));
	default: return dump(budget, value, JSON_REAL_PRECISION(15));
	}
}

const char *value_kind(const json_t *value)
{
	if (!value)
		return "nothing";
	switch (json_typeof(value)) {
	case JSON_STRING: return "a string";
	case JSON_INTEGER: return "an integer";
	case JSON_REAL: return "a number with a fraction";
	case JSON_OBJECT: return "an object";
	case JSON_ARRAY: return "an array";
	case JSON_NULL: return "null";
	default: return "a boolean";
	}
}

/* ---- checking arguments ---- */

void *value_unwanted(struct budget *budget, json_t **arguments, size_t at, const char *what)
{
	return budget_fail(budget, "%s() takes %s as argument %zu, not %s", budget->function, what,
			   at + 1, value_kind(arguments[at]));
}

const char *value_want_text(struct budget *budget, json_t **arguments, size_t at)
{
	const char *text = json_string_value(arguments[at]);

	if (!text)
		return value_unwanted(budget, arguments, at, "a string");
	return budget_text(budget, json_string_length(arguments[at])) ? text : NULL;
}

bool value_want_integer(struct budget *budget, json_t **arguments, size_t at, int64_t *number)
{
	*number = json_integer_value(arguments[at]);
	if (json_is_integer(arguments[at]))
		return true;
	value_unwanted(budget, arguments, at, "an integer");
	return false;
}

bool value_want_array(struct budget *budget, json_t **arguments, size_t at)
{
	if (json_is_array(arguments[at]))
		return budget_steps(budget, json_array_size(arguments[at]));
	value_unwanted(budget, arguments, at, "an array");
	return false;
}

bool value_want_object(struct budget *budget, json_t **arguments, size_t at)
{
	if (json_is_object(arguments[at]))
		return budget_steps(budget, json_object_size(arguments[at]));
	value_unwanted(budget, arguments, at, "an object");
	return false;
}

/* ---- builder ---- */

void builder_init(struct builder *builder, struct budget *budget)
{
	*builder = (struct builder){.budget = budget};
}

/* The budget counts the bytes at the end; until then the builder may grow to what the budget has
 * left. */
static bool grow(struct builder *builder, size_t length)
{
	size_t need = builder->length + length + 1, room = builder->room;
	char *text;

	if (builder->failed || !budget_text(builder->budget, length) ||
	    !budget_has_room(builder->budget, need))
		return false;
	if (need <= room)
		return true;
	for (room = room > 0 ? room : WORDS_FIRST; room < need;)
		room *= 2;
	text = realloc(builder->text, room);
	if (!text) {
		budget_no_memory(builder->budget);
		return false;
	}
	builder->text = text;
	builder->room = room;
	return true;
}

void builder_add(struct builder *builder, const char *text, size_t length)
{
	builder->failed = !grow(builder, length);
	if (builder->failed || length == 0)
		return;
	memcpy(builder->text + builder->length, text, length);
	builder->length += length;
	builder->text[builder->length] = '\0'; /* at which text_character stops */
}

void builder_add_text(struct builder *builder, const char *text)
{
	if (text)
		builder_add(builder, text, strlen(text));
	else
		builder->failed = true;
}

void builder_add_times(struct builder *builder, const char *character, size_t count)
{
	char many[512];
	size_t length = strlen(character), room = sizeof many / length, filled;

	for (filled = 0; filled < room && filled < count; filled++)
		memcpy(many + filled * length, character, length);
	for (; count > 0 && !builder->failed; count -= filled) {
		filled = filled < count ? filled : count;
		builder_add(builder, many, filled * length);
	}
}

json_t *builder_finish(struct builder *builder)
{
	json_t *value = NULL;

	if (!builder->failed)
		value = value_text_of(builder->budget, builder->text ? builder->text : "",
				      builder->length);
	free(builder->text);
	*builder = (struct builder){.budget = builder->budget, .failed = true};
	return value;
}
