/* Functions of arrays and objects, and those that also take strings. For arrays, distinct(),
 * union() and intersection() use a table of the items' JSON texts, so their time grows in
 * proportion to the size. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/template/functions.h"
#include "resolver/control/template/texts.h"
#include "resolver/control/template/value.h"

static json_t *of_arguments(const struct scope *scope, json_t **arguments, size_t count)
{
	json_t *items = value_array(scope->budget);

	for (size_t i = 0; i < count; i++)
		if (!value_add(scope->budget, items, arguments[i]))
			return NULL;
	return items;
}

static json_t *on_array(const struct scope *scope, json_t **arguments, size_t count)
{
	return json_is_array(arguments[0]) ? arguments[0] : of_arguments(scope, arguments, count);
}

static json_t *on_create_array(const struct scope *scope, json_t **arguments, size_t count)
{
	return of_arguments(scope, arguments, count);
}

static json_t *on_create_object(const struct scope *scope, json_t **arguments, size_t count)
{
	json_t *object = value_object(scope->budget);
	const char *key;

	if (count % 2 != 0)
		return budget_fail(scope->budget,
				   "createObject() takes names and values in turn, not %zu "
				   "arguments",
				   count);
	for (size_t i = 0; i < count; i += 2) {
		key = value_want_text(scope->budget, arguments, i);
		if (!key || !value_put(scope->budget, object, key, arguments[i + 1]))
			return NULL;
	}
	return object;
}

static json_t *on_json(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *text = value_want_text(scope->budget, arguments, 0);

	(void)count;
	return text ? value_parse(scope->budget, text, "json()") : NULL;
}

/* ---- size and parts ---- */

/* Gives the number of items, members or characters. False: the budget has failed, because of a
 * limit or because the value is of another kind. */
static bool size_of(const struct scope *scope, json_t **arguments, size_t at, size_t *size)
{
	const json_t *value = arguments[at];

	*size = json_is_object(value) ? json_object_size(value) : json_array_size(value);
	if (json_is_string(value)) {
		*size = texts_length(json_string_value(value));
		return budget_text(scope->budget, json_string_length(value));
	}
	if (json_is_array(value) || json_is_object(value))
		return true;
	value_unwanted(scope->budget, arguments, at, "an array, an object or a string");
	return false;
}

static json_t *on_length(const struct scope *scope, json_t **arguments, size_t count)
{
	size_t size;

	(void)count;
	return size_of(scope, arguments, 0, &size) ? value_integer(scope->budget, (int64_t)size)
						   : NULL;
}

static json_t *on_empty(const struct scope *scope, json_t **arguments, size_t count)
{
	size_t size;

	(void)count;
	if (json_is_null(arguments[0]))
		return json_true();
	return size_of(scope, arguments, 0, &size) ? value_boolean(size == 0) : NULL;
}

/* The items or characters from index `from` up to, but not including, `to`. */
static json_t *part(const struct scope *scope, const json_t *value, size_t from, size_t to)
{
	const char *text = json_string_value(value), *start;
	json_t *items;

	if (text) {
		start = texts_skip(text, from);
		return value_text_of(scope->budget, start,
				     (size_t)(texts_skip(start, to - from) - start));
	}
	items = value_array(scope->budget);
	for (size_t i = from; i < to; i++)
		if (!budget_steps(scope->budget, 1) ||
		    !value_add(scope->budget, items, json_array_get(value, i)))
			return NULL;
	return items;
}

/* Reads the arguments of skip() and take(): an array or a string, and a count. *size is the size of
 * the array or string. *at is the count, limited to the range from 0 to *size. */
static bool cut(const struct scope *scope, json_t **arguments, size_t *size, size_t *at)
{
	int64_t number;

	if (json_is_object(arguments[0])) {
		value_unwanted(scope->budget, arguments, 0, "an array or a string");
		return false;
	}
	if (!size_of(scope, arguments, 0, size) ||
	    !value_want_integer(scope->budget, arguments, 1, &number))
		return false;
	*at = number < 0 ? 0 : (uint64_t)number < *size ? (size_t)number : *size;
	return true;
}

static json_t *on_take(const struct scope *scope, json_t **arguments, size_t count)
{
	size_t size, at;

	(void)count;
	return cut(scope, arguments, &size, &at) ? part(scope, arguments[0], 0, at) : NULL;
}

static json_t *on_skip(const struct scope *scope, json_t **arguments, size_t count)
{
	size_t size, at;

	(void)count;
	return cut(scope, arguments, &size, &at) ? part(scope, arguments[0], at, size) : NULL;
}

/* The first or last item, or a string of that character; null or "" if the value is empty. */
static json_t *end_of(const struct scope *scope, json_t **arguments, bool is_last)
{
	const json_t *value = arguments[0];
	size_t size, at;

	if (json_is_object(value))
		return value_unwanted(scope->budget, arguments, 0, "an array or a string");
	if (!size_of(scope, arguments, 0, &size))
		return NULL;
	at = is_last && size > 0 ? size - 1 : 0;
	if (json_is_string(value))
		return part(scope, value, at, size > 0 ? at + 1 : 0);
	return size > 0 ? json_array_get(value, at) : json_null();
}

static json_t *on_first(const struct scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return end_of(scope, arguments, false);
}

static json_t *on_last(const struct scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return end_of(scope, arguments, true);
}

/* The item at an index from the end, where 1 is the last. NULL, without an error: none. */
static json_t *from_end(const struct scope *scope, json_t **arguments, int64_t *index)
{
	size_t size = json_array_size(arguments[0]);

	if (!value_want_array(scope->budget, arguments, 0) ||
	    !value_want_integer(scope->budget, arguments, 1, index))
		return NULL;
	return *index >= 1 && (uint64_t)*index <= size
		       ? json_array_get(arguments[0], size - (size_t)*index)
		       : NULL;
}

static json_t *on_index_from_end(const struct scope *scope, json_t **arguments, size_t count)
{
	int64_t index = 0;
	json_t *value = from_end(scope, arguments, &index);

	(void)count;
	if (!value)
		budget_fail(scope->budget,
			    "indexFromEnd() takes 1, the last, to %zu in this array, not %lld",
			    json_array_size(arguments[0]), (long long)index);
	return value;
}

static json_t *on_try_index_from_end(const struct scope *scope, json_t **arguments, size_t count)
{
	int64_t index = 0;
	json_t *value = from_end(scope, arguments, &index);

	(void)count;
	return value ? value : json_null();
}

static json_t *on_try_get(const struct scope *scope, json_t **arguments, size_t count)
{
	json_t *value = arguments[0];

	for (size_t i = 1; i < count && value; i++)
		value = expression_part(scope->budget, value, arguments[i]);
	return value ? value : json_null();
}

/* ---- search ---- */

enum { NOT_THERE = -1 };

static int64_t index_in_array(const struct scope *scope, json_t *array, const json_t *what,
			      bool from_behind)
{
	size_t size = json_array_size(array), at;

	for (size_t i = 0; i < size; i++) {
		at = from_behind ? size - 1 - i : i;
		if (value_equal(scope->budget, json_array_get(array, at), what))
			return (int64_t)at;
		if (budget_has_failed(scope->budget))
			break;
	}
	return NOT_THERE;
}

/* The index of `what` in the text, in characters, ignoring case. */
static int64_t index_in_text(struct budget *budget, const char *text, const char *what,
			     bool from_behind)
{
	size_t length = strlen(what);
	const char *found, *next, *end;
	int64_t index = 0;

	text = budget_lower(budget, text);
	what = budget_lower(budget, what);
	if (!text || !what)
		return NOT_THERE;
	if (length == 0)
		return from_behind ? (int64_t)texts_length(text) : 0;
	end = text + strlen(text);
	found = texts_find(text, end, what, length);
	for (next = found; next && from_behind;) {
		found = next;
		if (!budget_steps(budget, 1 + length / BUDGET_STEP_BYTES))
			return NOT_THERE;
		next = texts_find(next + 1, end, what, length);
	}
	if (!found)
		return NOT_THERE;
	for (; text < found; text++)
		index += ((unsigned char)*text & 0xc0) != 0x80;
	return index;
}

static json_t *index_of(const struct scope *scope, json_t **arguments, bool from_behind)
{
	const char *what;
	int64_t index;

	if (json_is_array(arguments[0])) {
		index = index_in_array(scope, arguments[0], arguments[1], from_behind);
	} else if (json_is_string(arguments[0])) {
		what = value_want_text(scope->budget, arguments, 1);
		if (!what || !value_want_text(scope->budget, arguments, 0))
			return NULL;
		index = index_in_text(scope->budget, json_string_value(arguments[0]), what,
				      from_behind);
	} else {
		return value_unwanted(scope->budget, arguments, 0, "an array or a string");
	}
	return value_integer(scope->budget, index);
}

static json_t *on_index_of(const struct scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return index_of(scope, arguments, false);
}

static json_t *on_last_index_of(const struct scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return index_of(scope, arguments, true);
}

/* Finds a member's name in any case, an item, or a part of a string in the same case. */
static json_t *on_contains(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *what;

	(void)count;
	if (json_is_array(arguments[0]))
		return value_boolean(index_in_array(scope, arguments[0], arguments[1], false) !=
				     NOT_THERE);
	what = json_is_integer(arguments[1]) ? value_print(scope->budget, arguments[1])
					     : value_want_text(scope->budget, arguments, 1);
	if (!what)
		return NULL;
	if (json_is_object(arguments[0]))
		return value_boolean(value_member(scope->budget, arguments[0], what));
	if (!json_is_string(arguments[0]))
		return value_unwanted(scope->budget, arguments, 0,
				      "an array, an object or a string");
	return value_want_text(scope->budget, arguments, 0)
		       ? value_boolean(strstr(json_string_value(arguments[0]), what))
		       : NULL;
}

/* ---- sets ---- */

/* Adds the array's items that are not in the set yet, to items and set. */
static bool add_new(const struct scope *scope, json_t *items, json_t *set, const json_t *array)
{
	const char *key;
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)array, i, item)
	{
		key = value_key(scope->budget, item);
		if (!key)
			return false;
		if (!json_object_get(set, key) &&
		    (!value_put(scope->budget, set, key, json_true()) ||
		     !value_add(scope->budget, items, item)))
			return false;
	}
	return true;
}

static json_t *unite_arrays(const struct scope *scope, json_t **arguments, size_t count)
{
	json_t *items = value_array(scope->budget), *set = value_object(scope->budget);

	for (size_t i = 0; i < count; i++)
		if (!items || !set || !value_want_array(scope->budget, arguments, i) ||
		    !add_new(scope, items, set, arguments[i]))
			return NULL;
	return items;
}

/* Merges `from`, which stays unchanged, into `to`, which is under construction. */
static bool unite(const struct scope *scope, json_t *to, const json_t *from, unsigned depth)
{
	struct budget *budget = scope->budget;
	json_t *value, *there, *both;
	const char *key;

	if (depth > TEMPLATE_DEPTH_MAX)
		budget_fail_as(budget, TEMPLATE_LIMIT,
			       "a value is nested more than %d deep; make it flatter",
			       TEMPLATE_DEPTH_MAX);
	json_object_foreach((json_t *)from, key, value)
	{
		if (!budget_steps(budget, 1))
			return false;
		there = json_object_get(to, key);
		both = value;
		if (json_is_object(there) && json_is_object(value)) {
			both = value_object(budget);
			if (!both || !unite(scope, both, there, depth + 1) ||
			    !unite(scope, both, value, depth + 1))
				return false;
		}
		if (!value_put(budget, to, key, both))
			return false;
	}
	return !budget_has_failed(budget);
}

static json_t *on_union(const struct scope *scope, json_t **arguments, size_t count)
{
	json_t *all;

	if (json_is_array(arguments[0]))
		return unite_arrays(scope, arguments, count);
	all = value_object(scope->budget);
	for (size_t i = 0; i < count; i++)
		if (!all || !value_want_object(scope->budget, arguments, i) ||
		    !unite(scope, all, arguments[i], 1))
			return NULL;
	return all;
}

/* Takes an array of objects; later members replace earlier ones. */
static json_t *on_shallow_merge(const struct scope *scope, json_t **arguments, size_t count)
{
	json_t *all = value_object(scope->budget), *item, *value;
	const char *key;
	size_t i;

	(void)count;
	if (!value_want_array(scope->budget, arguments, 0))
		return NULL;
	json_array_foreach(arguments[0], i, item)
	{
		if (!json_is_object(item))
			return budget_fail(scope->budget,
					   "shallowMerge() takes an array of objects, not of %s",
					   value_kind(item));
		json_object_foreach(item, key, value)
		{
			if (!budget_steps(scope->budget, 1) ||
			    !value_put(scope->budget, all, key, value))
				return NULL;
		}
	}
	return all;
}

/* The items that are also in the array. */
static json_t *common_items(const struct scope *scope, const json_t *items, const json_t *array)
{
	json_t *set = value_object(scope->budget), *other = value_array(scope->budget),
	       *common = value_array(scope->budget), *item;
	const char *key;
	size_t i;

	if (!set || !other || !common || !add_new(scope, other, set, array))
		return NULL;
	json_array_foreach((json_t *)items, i, item)
	{
		key = value_key(scope->budget, item);
		if (!key || (json_object_get(set, key) && !value_add(scope->budget, common, item)))
			return NULL;
	}
	return common;
}

static json_t *common_members(const struct scope *scope, const json_t *object, const json_t *with)
{
	json_t *common = value_object(scope->budget), *value, *other;
	const char *key;

	json_object_foreach((json_t *)object, key, value)
	{
		other = json_object_get(with, key);
		if (other && value_equal(scope->budget, value, other) &&
		    !value_put(scope->budget, common, key, value))
			return NULL;
		if (!budget_steps(scope->budget, 1) || !budget_text(scope->budget, strlen(key)))
			return NULL;
	}
	return common;
}

static json_t *on_intersection(const struct scope *scope, json_t **arguments, size_t count)
{
	bool is_array = json_is_array(arguments[0]);
	json_t *common = arguments[0];

	if (!is_array && !value_want_object(scope->budget, arguments, 0))
		return NULL;
	if (is_array) /* without duplicates */
		common = unite_arrays(scope, arguments, 1);
	for (size_t i = 1; i < count && common; i++) {
		if (!(is_array ? value_want_array(scope->budget, arguments, i)
			       : value_want_object(scope->budget, arguments, i)))
			return NULL;
		common = is_array ? common_items(scope, common, arguments[i])
				  : common_members(scope, common, arguments[i]);
	}
	return common;
}

static json_t *on_flatten(const struct scope *scope, json_t **arguments, size_t count)
{
	json_t *items = value_array(scope->budget), *inner, *item;
	size_t i, at;

	(void)count;
	if (!value_want_array(scope->budget, arguments, 0))
		return NULL;
	json_array_foreach(arguments[0], i, inner)
	{
		if (!json_is_array(inner))
			return budget_fail(scope->budget,
					   "flatten() takes an array of arrays, not of %s",
					   value_kind(inner));
		json_array_foreach(inner, at, item)
		{
			if (!budget_steps(scope->budget, 1) ||
			    !value_add(scope->budget, items, item))
				return NULL;
		}
	}
	return items;
}

/* ---- keys ---- */

static int compare_keys(const void *a, const void *b)
{
	const char *one = *(const char *const *)a, *two = *(const char *const *)b;
	int order = strcasecmp(one, two);

	return order != 0 ? order : strcmp(one, two);
}

/* The keys sorted by name, as Azure gives them. */
static const char **sorted_keys(const struct scope *scope, json_t **arguments, size_t *count)
{
	const char **keys, *key;
	json_t *value;
	size_t i = 0;

	*count = json_object_size(arguments[0]);
	if (!value_want_object(scope->budget, arguments, 0))
		return NULL;
	keys = budget_alloc(scope->budget, (*count + 1) * sizeof *keys);
	if (!keys)
		return NULL;
	json_object_foreach(arguments[0], key, value) keys[i++] = key;
	qsort(keys, *count, sizeof *keys, compare_keys);
	return keys;
}

static json_t *on_items(const struct scope *scope, json_t **arguments, size_t count)
{
	struct budget *budget = scope->budget;
	json_t *items = value_array(budget), *item;
	const char **keys = sorted_keys(scope, arguments, &count);

	for (size_t i = 0; keys && i < count; i++) {
		item = value_object(budget);
		if (!value_put_text(budget, item, "key", keys[i]) ||
		    !value_put(budget, item, "value", json_object_get(arguments[0], keys[i])) ||
		    !value_add(budget, items, item))
			return NULL;
	}
	return keys ? items : NULL;
}

static json_t *on_object_keys(const struct scope *scope, json_t **arguments, size_t count)
{
	json_t *items = value_array(scope->budget);
	const char **keys = sorted_keys(scope, arguments, &count);

	for (size_t i = 0; keys && i < count; i++)
		if (!value_add(scope->budget, items, value_text(scope->budget, keys[i])))
			return NULL;
	return keys ? items : NULL;
}

const struct function array_functions[] = {
	{"array", 1, 1, .call = on_array},
	{"contains", 2, 2, .call = on_contains},
	{"createArray", 0, FUNCTION_ANY, .call = on_create_array},
	{"createObject", 0, FUNCTION_ANY, .call = on_create_object},
	{"distinct", 1, 1, .call = unite_arrays},
	{"empty", 1, 1, .call = on_empty},
	{"first", 1, 1, .call = on_first},
	{"flatten", 1, 1, .call = on_flatten},
	{"indexFromEnd", 2, 2, .call = on_index_from_end},
	{"indexOf", 2, 2, .call = on_index_of},
	{"intersection", 2, FUNCTION_ANY, .call = on_intersection},
	{"items", 1, 1, .call = on_items},
	{"json", 1, 1, .call = on_json},
	{"last", 1, 1, .call = on_last},
	{"lastIndexOf", 2, 2, .call = on_last_index_of},
	{"length", 1, 1, .call = on_length},
	{"objectKeys", 1, 1, .call = on_object_keys},
	{"shallowMerge", 1, 1, .call = on_shallow_merge},
	{"skip", 2, 2, .call = on_skip},
	{"take", 2, 2, .call = on_take},
	{"tryGet", 2, FUNCTION_ANY, .call = on_try_get},
	{"tryIndexFromEnd", 2, 2, .call = on_try_index_from_end},
	{"union", 1, FUNCTION_ANY, .call = on_union},
	{.name = NULL},
};
