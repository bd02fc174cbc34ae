/* Functions that evaluate their arguments themselves: logic, which may not need all of them, and
 * functions with a lambda, which is evaluated for each item. */
#include <string.h>
#include <strings.h>

#include "resolver/control/template/functions.h"
#include "resolver/control/template/secrets.h"
#include "resolver/control/template/value.h"

/* ---- logic ---- */

/* Evaluates a boolean. False: the budget has failed, or is waiting. */
static bool truth(const struct scope *scope, const struct expression_term *term,
		  const char *function, bool *truth)
{
	const json_t *value = term_evaluate(scope, term);

	*truth = json_is_true(value);
	if (value && !json_is_boolean(value))
		budget_fail(scope->budget, "%s() takes a boolean, not %s", function,
			    value_kind(value));
	return value && json_is_boolean(value);
}

static json_t *on_if(const struct scope *scope, const struct expression_term *term)
{
	bool is_true;

	if (!truth(scope, term->first, "if", &is_true))
		return NULL;
	return term_evaluate(scope, is_true ? term->first->next : term->first->next->next);
}

static json_t *until(const struct scope *scope, const struct expression_term *term, bool stop)
{
	const char *name = term->function->name;
	bool is_true;

	for (term = term->first; term; term = term->next) {
		if (!truth(scope, term, name, &is_true))
			return NULL;
		if (is_true == stop)
			return value_boolean(stop);
	}
	return value_boolean(!stop);
}

static json_t *on_and(const struct scope *scope, const struct expression_term *term)
{
	return until(scope, term, false);
}

static json_t *on_or(const struct scope *scope, const struct expression_term *term)
{
	return until(scope, term, true);
}

static json_t *on_coalesce(const struct scope *scope, const struct expression_term *term)
{
	json_t *value = NULL;

	for (term = term->first; term; term = term->next) {
		value = term_evaluate(scope, term);
		if (!value || !json_is_null(value))
			break;
	}
	return value;
}

/* ---- lambdas ---- */

enum { LAMBDA_NAMES = 3 };

struct lambda {
	const struct scope *scope;
	const char *names[LAMBDA_NAMES];
	size_t count;                       /* of the names */
	const struct expression_term *body; /* NULL: the budget has failed, or waits */
};

static json_t *on_lambda(const struct scope *scope, const struct expression_term *term)
{
	(void)term;
	return budget_fail(scope->budget,
			   "lambda() stands only where a function takes one, as in map()");
}

static json_t *on_lambda_variables(const struct scope *scope, const struct expression_term *term)
{
	const json_t *name = term_evaluate(scope, term->first);
	const char *text = json_string_value(name);

	if (!name)
		return NULL;
	for (const struct binding *at = scope->bindings; at && text; at = at->outer) {
		if (!budget_steps(scope->budget, 1))
			return NULL;
		if (strcasecmp(at->name, text) == 0)
			return at->value;
	}
	return budget_fail(scope->budget, "there is no variable '%s' of a lambda here",
			   text ? text : "");
}

/* lambda('item', ..., body), with `least` to `most` names. */
static bool read_lambda(const struct scope *scope, const struct expression_term *term,
			const char *function, size_t least, size_t most, struct lambda *lambda)
{
	const struct expression_term *at = term->first;

	*lambda = (struct lambda){.scope = scope};
	if (!term->function || term->function->lazy != on_lambda || term->count < least + 1 ||
	    term->count > most + 1) {
		budget_fail(scope->budget, "%s() takes a lambda with %zu to %zu names", function,
			    least, most);
		return false;
	}
	for (; lambda->count + 1 < term->count; at = at->next) {
		const json_t *name = term_evaluate(scope, at);

		if (name && !json_is_string(name))
			budget_fail(scope->budget, "the names of a lambda are strings, not %s",
				    value_kind(name));
		if (!json_is_string(name))
			return false;
		lambda->names[lambda->count++] = json_string_value(name);
	}
	lambda->body = at;
	return true;
}

/* Calls the lambda with a value for each of its names; further values are ignored. */
static json_t *call_lambda(const struct lambda *lambda, json_t *const *values)
{
	struct scope inner = *lambda->scope;
	struct binding bindings[LAMBDA_NAMES];

	for (size_t i = 0; i < lambda->count; i++) {
		if (!values[i])
			return NULL;
		bindings[i] = (struct binding){lambda->names[i], values[i], inner.bindings};
		inner.bindings = &bindings[i];
	}
	return term_evaluate(&inner, lambda->body);
}

static json_t *call_on_item(const struct lambda *lambda, json_t *item, size_t index)
{
	json_t *values[] = {item, NULL, NULL};

	if (lambda->count > 1)
		values[1] = value_integer(lambda->scope->budget, (int64_t)index);
	return call_lambda(lambda, values);
}

/* The value of the first argument; NULL: the budget has failed (as for a wrong type), or waits. */
static json_t *first_of(const struct scope *scope, const struct expression_term *term,
			json_type type)
{
	json_t *value = term_evaluate(scope, term->first);

	if (value && json_typeof(value) != type)
		return budget_fail(
			scope->budget, "%s() takes %s as argument 1, not %s", term->function->name,
			type == JSON_ARRAY ? "an array" : "an object", value_kind(value));
	return value;
}

static json_t *each(const struct scope *scope, const struct expression_term *term, bool filters)
{
	json_t *items = first_of(scope, term, JSON_ARRAY), *made = value_array(scope->budget),
	       *item, *result;
	struct lambda lambda;
	size_t i;

	if (!items || !read_lambda(scope, term->first->next, term->function->name, 1, 2, &lambda))
		return NULL;
	json_array_foreach(items, i, item)
	{
		result = call_on_item(&lambda, item, i);
		if (result && filters && !json_is_boolean(result))
			return budget_fail(scope->budget,
					   "the lambda of filter() gives a boolean, not %s",
					   value_kind(result));
		if (!result || ((!filters || json_is_true(result)) &&
				!value_add(scope->budget, made, filters ? item : result)))
			return NULL;
	}
	return made;
}

static json_t *on_map(const struct scope *scope, const struct expression_term *term)
{
	return each(scope, term, false);
}

static json_t *on_filter(const struct scope *scope, const struct expression_term *term)
{
	return each(scope, term, true);
}

/* reduce(array, first, lambda('so far', 'item'[, 'index'], ...)) */
static json_t *on_reduce(const struct scope *scope, const struct expression_term *term)
{
	json_t *items = first_of(scope, term, JSON_ARRAY), *value, *item;
	struct lambda lambda;
	size_t i;

	value = items ? term_evaluate(scope, term->first->next) : NULL;
	if (!value || !read_lambda(scope, term->first->next->next, "reduce", 2, 3, &lambda))
		return NULL;
	json_array_foreach(items, i, item)
	{
		json_t *values[] = {value, item, NULL};

		if (lambda.count > 2)
			values[2] = value_integer(scope->budget, (int64_t)i);
		value = call_lambda(&lambda, values);
		if (!value)
			return NULL;
	}
	return value;
}

/* toObject(array, key[, value]) */
static json_t *on_to_object(const struct scope *scope, const struct expression_term *term)
{
	json_t *items = first_of(scope, term, JSON_ARRAY), *made = value_object(scope->budget),
	       *item, *key, *value;
	const struct expression_term *second = term->first->next;
	struct lambda key_of, value_of;
	size_t i;

	if (!items || !read_lambda(scope, second, "toObject", 1, 2, &key_of) ||
	    (second->next && !read_lambda(scope, second->next, "toObject", 1, 2, &value_of)))
		return NULL;
	json_array_foreach(items, i, item)
	{
		key = call_on_item(&key_of, item, i);
		value = second->next ? call_on_item(&value_of, item, i) : item;
		if (key && !json_is_string(key))
			return budget_fail(scope->budget,
					   "the first lambda of toObject() gives a string, not %s",
					   value_kind(key));
		if (!key || !value_put(scope->budget, made, json_string_value(key), value) ||
		    !secrets_spread(scope->budget, key, made))
			return NULL;
	}
	return made;
}

/* groupBy(array, key[, value]): an object of arrays. */
static json_t *on_group_by(const struct scope *scope, const struct expression_term *term)
{
	json_t *items = first_of(scope, term, JSON_ARRAY), *made = value_object(scope->budget),
	       *item, *key, *group;
	const struct expression_term *second = term->first->next;
	struct lambda key_of, value_of;
	size_t i;

	if (!items || !read_lambda(scope, second, "groupBy", 1, 2, &key_of) ||
	    (second->next && !read_lambda(scope, second->next, "groupBy", 1, 2, &value_of)))
		return NULL;
	json_array_foreach(items, i, item)
	{
		key = call_on_item(&key_of, item, i);
		if (key && !json_is_string(key))
			return budget_fail(scope->budget,
					   "the first lambda of groupBy() gives a string, not %s",
					   value_kind(key));
		group = key ? json_object_get(made, json_string_value(key)) : NULL;
		if (key && !group) {
			group = value_array(scope->budget);
			if (!value_put(scope->budget, made, json_string_value(key), group))
				return NULL;
		}
		if (!key ||
		    !value_add(scope->budget, group,
			       second->next ? call_on_item(&value_of, item, i) : item) ||
		    !secrets_spread(scope->budget, key, made) ||
		    !secrets_spread(scope->budget, group, made))
			return NULL;
	}
	return made;
}

static json_t *on_map_values(const struct scope *scope, const struct expression_term *term)
{
	json_t *object = first_of(scope, term, JSON_OBJECT), *made = value_object(scope->budget),
	       *item;
	struct lambda lambda;
	const char *key;

	if (!object || !read_lambda(scope, term->first->next, "mapValues", 1, 1, &lambda))
		return NULL;
	json_object_foreach(object, key, item)
	{
		if (!value_put(scope->budget, made, key, call_on_item(&lambda, item, 0)))
			return NULL;
	}
	return made;
}

/* ---- sort ---- */

/* Whether b sorts before a; *fine: false after a failure. */
static bool is_less(const struct lambda *lambda, json_t *b, json_t *a, bool *fine)
{
	json_t *values[] = {b, a, NULL}, *result = call_lambda(lambda, values);

	if (result && !json_is_boolean(result))
		budget_fail(lambda->scope->budget, "the lambda of sort() gives a boolean, not %s",
			    value_kind(result));
	*fine = result && json_is_boolean(result);
	return json_is_true(result);
}

/* Merges two sorted runs, [from, middle) and [middle, to). */
static bool merge(const struct lambda *lambda, json_t **items, json_t **merged, size_t from,
		  size_t middle, size_t to)
{
	size_t left = from, right = middle;
	bool fine = true;

	for (size_t i = from; i < to && fine; i++) {
		bool is_right = left == middle;

		if (left < middle && right < to)
			is_right = is_less(lambda, items[right], items[left], &fine);
		merged[i] = is_right ? items[right++] : items[left++];
	}
	memcpy(items + from, merged + from, (to - from) * sizeof(json_t *));
	return fine;
}

/* Merges runs, from single items up to the whole; equal items keep their order. */
static json_t *on_sort(const struct scope *scope, const struct expression_term *term)
{
	json_t *array = first_of(scope, term, JSON_ARRAY), *made = value_array(scope->budget);
	size_t count = json_array_size(array), middle, to;
	json_t **items = budget_alloc(scope->budget, (count + 1) * sizeof(json_t *)),
	       **merged = budget_alloc(scope->budget, (count + 1) * sizeof(json_t *));
	struct lambda lambda;

	if (!array || !items || !merged ||
	    !read_lambda(scope, term->first->next, "sort", 2, 2, &lambda))
		return NULL;
	for (size_t i = 0; i < count; i++)
		items[i] = json_array_get(array, i);
	for (size_t run = 1; run < count; run *= 2)
		for (size_t from = 0; from + run < count; from += 2 * run) {
			middle = from + run;
			to = middle + run < count ? middle + run : count;
			if (!merge(&lambda, items, merged, from, middle, to))
				return NULL;
		}
	for (size_t i = 0; i < count; i++)
		if (!value_add(scope->budget, made, items[i]))
			return NULL;
	return made;
}

const struct function lazy_functions[] = {
	{"and", 2, FUNCTION_ANY, .lazy = on_and},
	{"coalesce", 1, FUNCTION_ANY, .lazy = on_coalesce},
	{"filter", 2, 2, .lazy = on_filter},
	{"groupBy", 2, 3, .lazy = on_group_by},
	{"if", 3, 3, .lazy = on_if},
	{"lambda", 1, 4, .lazy = on_lambda},
	{"lambdaVariables", 1, 1, .lazy = on_lambda_variables},
	{"map", 2, 2, .lazy = on_map},
	{"mapValues", 2, 2, .lazy = on_map_values},
	{"or", 2, FUNCTION_ANY, .lazy = on_or},
	{"reduce", 3, 3, .lazy = on_reduce},
	{"sort", 2, 2, .lazy = on_sort},
	{"toObject", 2, 3, .lazy = on_to_object},
	{.name = NULL},
};
