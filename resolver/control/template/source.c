/* A member that waits for a resource does not end the walk: the other members are evaluated as
 * well. So one try finds a resource to wait for in each member; an expression stops at its first
 * one. */
#include "resolver/control/template/source.h"

#include <string.h>
#include <strings.h>

#include "resolver/control/template/frame.h"
#include "resolver/control/template/secrets.h"
#include "resolver/control/template/value.h"

/* Keeps the parsed text, because a copy evaluates it many times. */
static json_t *value_of_text(const struct scope *scope, const json_t *source, const char *text)
{
	struct budget *budget = scope->budget;
	struct name_table *read = frame_expressions(scope->frame);
	size_t length = strlen(text);
	const struct expression_term *term;

	if (!expression_is(text)) {
		if (length >= 3 && text[0] == '[' && text[1] == '[' && text[length - 1] == ']')
			return value_text(budget, text + 1);
		return source ? (json_t *)source : value_text(budget, text);
	}
	term = names_item_at(budget, read, text);
	if (!term) {
		term = expression_parse(budget, text);
		if (!term || !names_put_address(budget, read, text, (void *)term))
			return NULL;
	}
	return term_evaluate(scope, term);
}

bool source_count(const struct scope *scope, const json_t *copy, size_t *count)
{
	const json_t *value = source_member(scope, copy, "count");
	json_int_t number = json_integer_value(value);

	*count = (size_t)number;
	if (value && json_is_integer(value) && number >= 0 && number <= TEMPLATE_COPIES_MAX)
		return true;
	if (budget_has_failed(scope->budget) || scope->budget->is_waiting)
		return false;
	if (json_is_integer(value) && number > 0)
		budget_fail_as(scope->budget, TEMPLATE_LIMIT,
			       "a copy is made %lld times; %d are the most", (long long)number,
			       TEMPLATE_COPIES_MAX);
	else
		budget_fail(scope->budget, "a copy has an integer of 0 to %d as its 'count'",
			    TEMPLATE_COPIES_MAX);
	return false;
}

json_t *source_copies(const struct scope *scope, const json_t *copy)
{
	struct budget *budget = scope->budget;
	const json_t *input = value_member(budget, copy, "input");
	json_t *items = value_array(budget);
	struct copy_loop loop = {.name = value_member_text(budget, copy, "name"),
				 .outer = scope->loops};
	struct scope inner = *scope;
	struct template_place here;
	bool waits = false;
	size_t count;

	if (!items || !source_count(scope, copy, &count))
		return NULL;
	if (!input)
		return budget_fail(budget, "a copy within a value has a 'count' and an 'input'");
	loop.is_plain = !loop.name;
	inner.loops = &loop;
	budget_at(budget, &here, "input");
	for (loop.index = 0; loop.index < count; loop.index++) {
		json_t *item = source_value(&inner, input);

		waits = waits || budget->is_waiting;
		budget->is_waiting = false;
		if (budget_has_failed(budget) || (item && !value_add(budget, items, item)))
			break;
	}
	budget_back(budget, &here);
	budget->is_waiting = waits && !budget_has_failed(budget);
	return waits || budget_has_failed(budget) ? NULL : items;
}

/* Whether this is "copy": [{name, count, input}, ...], which makes a member for each copy. */
static bool is_copies(const char *key, const json_t *value)
{
	const json_t *first = json_array_get(value, 0);

	return strcasecmp(key, "copy") == 0 && json_object_get(first, "input") &&
	       json_object_get(first, "count");
}

static bool put_copies(const struct scope *scope, const json_t *copies, json_t *to)
{
	struct budget *budget = scope->budget;
	bool fine = true, waits = false;
	struct template_place here;
	json_t *copy, *items;
	size_t i;

	json_array_foreach((json_t *)copies, i, copy)
	{
		budget_at_index(budget, &here, i);
		if (!value_member_text(budget, copy, "name"))
			budget_fail(budget, "a copy of a member has its 'name'");
		items = source_copies(scope, copy);
		if (items)
			fine = value_put(budget, to, value_member_text(budget, copy, "name"),
					 items);
		budget_back(budget, &here);
		waits = waits || budget->is_waiting;
		budget->is_waiting = false;
		if (!fine || budget_has_failed(budget))
			return false;
	}
	budget->is_waiting = waits;
	return !waits;
}

static bool put_member(const struct scope *scope, const char *key, const json_t *value, json_t *to)
{
	const json_t *name = NULL;
	json_t *made;

	if (is_copies(key, value))
		return put_copies(scope, value, to);
	if (expression_is(key) || key[0] == '[') {
		name = value_of_text(scope, NULL, key);
		if (name && !json_is_string(name))
			budget_fail(scope->budget, "the name of a member is a string, not %s",
				    value_kind(name));
		if (!json_is_string(name))
			return false;
		key = json_string_value(name);
	}
	made = source_value(scope, value);
	return made && value_put(scope->budget, to, key, made) &&
	       (!name || secrets_spread(scope->budget, name, to));
}

static bool is_among(const char *key, const char *const *names)
{
	for (; names && *names; names++)
		if (strcasecmp(*names, key) == 0)
			return true;
	return false;
}

bool source_members(const struct scope *scope, const json_t *object, const char *const *without,
		    json_t *to)
{
	struct budget *budget = scope->budget;
	bool waits = false;
	struct template_place here;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
	{
		if (is_among(key, without))
			continue;
		budget_at(budget, &here, key);
		bool fine = put_member(scope, key, value, to);

		budget_back(budget, &here);
		waits = waits || budget->is_waiting;
		if (!fine && !budget->is_waiting)
			return false;
		budget->is_waiting = false;
	}
	budget->is_waiting = waits;
	return !waits && !budget_has_failed(budget);
}

static json_t *value_of_array(const struct scope *scope, const json_t *source)
{
	struct budget *budget = scope->budget;
	json_t *items = value_array(budget), *item, *made;
	struct template_place here;
	bool waits = false;
	size_t i;

	json_array_foreach((json_t *)source, i, item)
	{
		budget_at_index(budget, &here, i);
		made = source_value(scope, item);
		budget_back(budget, &here);
		waits = waits || budget->is_waiting;
		budget->is_waiting = false;
		if (budget_has_failed(budget) || (made && !value_add(budget, items, made)))
			return NULL;
	}
	budget->is_waiting = waits;
	return waits ? NULL : items;
}

json_t *source_value(const struct scope *scope, const json_t *source)
{
	struct budget *budget = scope->budget;
	json_t *made = (json_t *)source;

	if (!budget_steps(budget, 1) || !budget_enter(budget))
		return NULL;
	if (json_is_string(source)) {
		made = value_of_text(scope, source, json_string_value(source));
	} else if (json_is_object(source)) {
		made = value_object(budget);
		if (!made || !source_members(scope, source, NULL, made))
			made = NULL;
	} else if (json_is_array(source)) {
		made = value_of_array(scope, source);
	}
	budget_leave(budget);
	return made;
}

json_t *source_member(const struct scope *scope, const json_t *object, const char *key)
{
	const json_t *member = value_member(scope->budget, object, key);
	struct template_place here;
	json_t *value;

	if (!member)
		return NULL;
	budget_at(scope->budget, &here, key);
	value = source_value(scope, member);
	budget_back(scope->budget, &here);
	return value;
}

bool source_condition(const struct scope *scope, const json_t *object, bool *holds)
{
	const json_t *value = source_member(scope, object, "condition");
	const char *text = json_string_value(value);

	*holds = !value || json_is_true(value) || (text && strcasecmp(text, "true") == 0);
	if (!value)
		return !budget_has_failed(scope->budget) && !scope->budget->is_waiting;
	if (*holds || json_is_false(value) || (text && strcasecmp(text, "false") == 0))
		return true;
	if (text)
		return budget_fail_at(scope->budget, "condition",
				      "a condition is true or false, not '%s'", text);
	return budget_fail_at(scope->budget, "condition", "a condition is a boolean, not %s",
			      value_kind(value));
}

bool source_text(const struct scope *scope, const json_t *object, const char *key,
		 const char **text)
{
	const json_t *value = source_member(scope, object, key);

	*text = json_string_value(value);
	if (!value)
		return !budget_has_failed(scope->budget) && !scope->budget->is_waiting;
	if (*text || json_is_null(value))
		return true;
	return budget_fail_at(scope->budget, key, "it is a string, not %s", value_kind(value));
}
