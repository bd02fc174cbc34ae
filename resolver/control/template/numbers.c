/* Integers have 64 bits; an overflow is an error. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/template/functions.h"
#include "resolver/control/template/value.h"

enum { RANGE_MAX = 10000 };

static json_t *calculate(const struct scope *scope, json_t **arguments, char how)
{
	struct budget *budget = scope->budget;
	int64_t a, b, to = 0;
	bool fits = true;

	if (!value_want_integer(budget, arguments, 0, &a) ||
	    !value_want_integer(budget, arguments, 1, &b))
		return NULL;
	if (b == 0 && (how == '/' || how == '%'))
		return budget_fail(budget, "%s() divides %lld by zero", budget->function,
				   (long long)a);
	if (how == '+')
		fits = !__builtin_add_overflow(a, b, &to);
	else if (how == '-')
		fits = !__builtin_sub_overflow(a, b, &to);
	else if (how == '*')
		fits = !__builtin_mul_overflow(a, b, &to);
	else if (b == -1)
		fits = !__builtin_sub_overflow(0, how == '/' ? a : 0, &to);
	else
		to = how == '/' ? a / b : a % b;
	if (!fits)
		return budget_fail(budget, "%s() of %lld and %lld does not fit into 64 bits",
				   budget->function, (long long)a, (long long)b);
	return value_integer(budget, to);
}

static json_t *on_add(const struct scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return calculate(scope, arguments, '+');
}

static json_t *on_sub(const struct scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return calculate(scope, arguments, '-');
}

static json_t *on_mul(const struct scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return calculate(scope, arguments, '*');
}

static json_t *on_div(const struct scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return calculate(scope, arguments, '/');
}

static json_t *on_mod(const struct scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return calculate(scope, arguments, '%');
}

static json_t *on_int(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *text = json_string_value(arguments[0]);
	double real = json_real_value(arguments[0]);
	char *end;
	long long number;

	(void)count;
	if (json_is_integer(arguments[0]))
		return arguments[0];
	if (json_is_real(arguments[0]) && fabs(real) < 0x1p63)
		return value_integer(scope->budget, (int64_t)real);
	if (!text)
		return value_unwanted(scope->budget, arguments, 0,
				      "an integer, or a string of one,");
	errno = 0;
	number = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0)
		return budget_fail(scope->budget, "int() takes a string of an integer, not '%s'",
				   text);
	return value_integer(scope->budget, number);
}

static json_t *on_float(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *text = json_string_value(arguments[0]);
	char *end;
	double number;

	(void)count;
	if (json_is_number(arguments[0]))
		return value_real(scope->budget, json_number_value(arguments[0]));
	if (!text)
		return value_unwanted(scope->budget, arguments, 0, "a number, or a string of one,");
	number = strtod(text, &end);
	if (end == text || *end != '\0' || !isfinite(number))
		return budget_fail(scope->budget, "float() takes a string of a number, not '%s'",
				   text);
	return value_real(scope->budget, number);
}

static json_t *on_bool(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *text = json_string_value(arguments[0]);

	(void)count;
	if (json_is_boolean(arguments[0]))
		return arguments[0];
	if (json_is_integer(arguments[0]))
		return value_boolean(json_integer_value(arguments[0]) != 0);
	if (text && (strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0))
		return json_true();
	if (text && (strcasecmp(text, "false") == 0 || strcmp(text, "0") == 0))
		return json_false();
	return budget_fail(scope->budget, "bool() takes 'true', 'false' or an integer, not %s",
			   text ? text : value_kind(arguments[0]));
}

/* The least or greatest of the arguments, or of a single argument that is an array. */
static json_t *extreme(const struct scope *scope, json_t **arguments, size_t count, int sign)
{
	bool in_array = count == 1 && json_is_array(arguments[0]);
	size_t many = in_array ? json_array_size(arguments[0]) : count;
	json_t *best = NULL, *item;
	int64_t number, best_number = 0;

	for (size_t i = 0; i < many; i++) {
		item = in_array ? json_array_get(arguments[0], i) : arguments[i];
		if (!budget_steps(scope->budget, 1))
			return NULL;
		if (!json_is_integer(item))
			return budget_fail(scope->budget, "%s() takes integers, not %s",
					   scope->budget->function, value_kind(item));
		number = json_integer_value(item);
		if (best && (sign < 0 ? number >= best_number : number <= best_number))
			continue;
		best = item;
		best_number = number;
	}
	return best ? best
		    : budget_fail(scope->budget, "%s() takes an array that is not empty",
				  scope->budget->function);
}

static json_t *on_min(const struct scope *scope, json_t **arguments, size_t count)
{
	return extreme(scope, arguments, count, -1);
}

static json_t *on_max(const struct scope *scope, json_t **arguments, size_t count)
{
	return extreme(scope, arguments, count, 1);
}

static json_t *on_range(const struct scope *scope, json_t **arguments, size_t count)
{
	struct budget *budget = scope->budget;
	int64_t from, many;
	json_t *items;

	(void)count;
	if (!value_want_integer(budget, arguments, 0, &from) ||
	    !value_want_integer(budget, arguments, 1, &many))
		return NULL;
	if (many < 0 || many > RANGE_MAX)
		return budget_fail_as(budget, many < 0 ? TEMPLATE_INVALID : TEMPLATE_LIMIT,
				      "range() gives 0 to %d integers, not %lld", RANGE_MAX,
				      (long long)many);
	if (from > INT64_MAX - many)
		return budget_fail(budget, "range() from %lld does not fit into 64 bits",
				   (long long)from);
	items = budget_steps(budget, (size_t)many) ? value_array(budget) : NULL;
	for (int64_t i = 0; i < many; i++)
		if (!value_add(budget, items, value_integer(budget, from + i)))
			return NULL;
	return items;
}

/* ---- comparison ---- */

static json_t *on_equals(const struct scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return value_boolean(value_equal(scope->budget, arguments[0], arguments[1]));
}

/* Compares two numbers, or two texts by their bytes. */
static bool compare(const struct scope *scope, json_t **arguments, int *order)
{
	const char *one = json_string_value(arguments[0]), *two = json_string_value(arguments[1]);
	double a = json_number_value(arguments[0]), b = json_number_value(arguments[1]);

	if (json_is_integer(arguments[0]) && json_is_integer(arguments[1])) {
		json_int_t left = json_integer_value(arguments[0]),
			   right = json_integer_value(arguments[1]);

		*order = (left > right) - (left < right);
		return true;
	}
	if (json_is_number(arguments[0]) && json_is_number(arguments[1])) {
		*order = (a > b) - (a < b);
		return true;
	}
	if (one && two) {
		*order = strcmp(one, two);
		return budget_text(scope->budget, strlen(one));
	}
	budget_fail(scope->budget, "%s() takes two numbers or two strings, not %s and %s",
		    scope->budget->function, value_kind(arguments[0]), value_kind(arguments[1]));
	return false;
}

static json_t *on_less(const struct scope *scope, json_t **arguments, size_t count)
{
	int order;

	(void)count;
	return compare(scope, arguments, &order) ? value_boolean(order < 0) : NULL;
}

static json_t *on_less_or_equals(const struct scope *scope, json_t **arguments, size_t count)
{
	int order;

	(void)count;
	return compare(scope, arguments, &order) ? value_boolean(order <= 0) : NULL;
}

static json_t *on_greater(const struct scope *scope, json_t **arguments, size_t count)
{
	int order;

	(void)count;
	return compare(scope, arguments, &order) ? value_boolean(order > 0) : NULL;
}

static json_t *on_greater_or_equals(const struct scope *scope, json_t **arguments, size_t count)
{
	int order;

	(void)count;
	return compare(scope, arguments, &order) ? value_boolean(order >= 0) : NULL;
}

/* ---- constants, and logic without branches ---- */

static json_t *on_true(const struct scope *scope, json_t **arguments, size_t count)
{
	(void)scope;
	(void)arguments;
	(void)count;
	return json_true();
}

static json_t *on_false(const struct scope *scope, json_t **arguments, size_t count)
{
	(void)scope;
	(void)arguments;
	(void)count;
	return json_false();
}

static json_t *on_null(const struct scope *scope, json_t **arguments, size_t count)
{
	(void)scope;
	(void)arguments;
	(void)count;
	return json_null();
}

static json_t *on_not(const struct scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	if (!json_is_boolean(arguments[0]))
		return value_unwanted(scope->budget, arguments, 0, "a boolean");
	return value_boolean(json_is_false(arguments[0]));
}

static json_t *on_xor(const struct scope *scope, json_t **arguments, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!json_is_boolean(arguments[i]))
			return value_unwanted(scope->budget, arguments, i, "a boolean");
	return value_boolean(json_is_true(arguments[0]) != json_is_true(arguments[1]));
}

const struct function number_functions[] = {
	{"add", 2, 2, .call = on_add},
	{"bool", 1, 1, .call = on_bool},
	{"div", 2, 2, .call = on_div},
	{"equals", 2, 2, .call = on_equals},
	{"false", 0, 0, .call = on_false},
	{"float", 1, 1, .call = on_float},
	{"greater", 2, 2, .call = on_greater},
	{"greaterOrEquals", 2, 2, .call = on_greater_or_equals},
	{"int", 1, 1, .call = on_int},
	{"less", 2, 2, .call = on_less},
	{"lessOrEquals", 2, 2, .call = on_less_or_equals},
	{"max", 1, FUNCTION_ANY, .call = on_max},
	{"min", 1, FUNCTION_ANY, .call = on_min},
	{"mod", 2, 2, .call = on_mod},
	{"mul", 2, 2, .call = on_mul},
	{"not", 1, 1, .call = on_not},
	{"null", 0, 0, .call = on_null},
	{"range", 2, 2, .call = on_range},
	{"sub", 2, 2, .call = on_sub},
	{"true", 0, 0, .call = on_true},
	{"xor", 2, 2, .call = on_xor},
	{.name = NULL},
};
