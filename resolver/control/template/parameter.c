/* Errors use Azure's words where these say what would be right. A type that the template defines is
 * checked only at its outermost level. */
#include "resolver/control/template/parameter.h"

#include <string.h>
#include <strings.h>

#include "resolver/control/template/secrets.h"
#include "resolver/control/template/texts.h"
#include "resolver/control/template/value.h"
#include "rules/base.h"

static const struct parameter_type types[] = {
	{"array", "Array", JSON_ARRAY, false},
	{"bool", "Bool", JSON_TRUE, false},
	{"int", "Int", JSON_INTEGER, false},
	{"object", "Object", JSON_OBJECT, false},
	{"string", "String", JSON_STRING, false},
	{"secureObject", "SecureObject", JSON_OBJECT, true},
	{"securestring", "SecureString", JSON_STRING, true},
};

/* Finds the definition that a reference "#/definitions/NAME" means. */
static const json_t *definition(struct template_frame *frame, const char *reference)
{
	static const char ahead[] = "#/definitions/";
	const json_t *definitions = value_member(frame->budget, frame->source, "definitions"),
		     *found = NULL;

	if (strncmp(reference, ahead, sizeof ahead - 1) == 0)
		found = value_member(frame->budget, definitions, reference + sizeof ahead - 1);
	return found ? found
		     : budget_fail(frame->budget,
				   "the reference '%s' is to nothing in 'definitions': write "
				   "#/definitions/NAME",
				   reference);
}

const json_t *parameter_trait(struct template_frame *frame, const json_t *declared,
			      const char *trait)
{
	const json_t *found;
	const char *reference;

	for (unsigned depth = 0; declared && depth < TEMPLATE_DEPTH_MAX; depth++) {
		found = value_member(frame->budget, declared, trait);
		reference = value_member_text(frame->budget, declared, "$ref");
		if (found || !reference || budget_has_failed(frame->budget))
			return found;
		declared = definition(frame, reference);
	}
	return declared ? budget_fail(frame->budget, "its definition leads in a circle") : NULL;
}

const struct parameter_type *parameter_type_of(struct template_frame *frame, const json_t *declared)
{
	const char *text = json_string_value(parameter_trait(frame, declared, "type"));

	for (size_t i = 0; i < COUNT(types) && text; i++)
		if (strcasecmp(types[i].name, text) == 0)
			return &types[i];
	return budget_fail(frame->budget,
			   "'type' is string, securestring, int, bool, object, secureObject or "
			   "array, not '%s'",
			   text ? text : "");
}

bool parameter_is_of_type(const struct parameter_type *type, const json_t *value)
{
	return type->type == JSON_TRUE ? json_is_boolean(value) : json_typeof(value) == type->type;
}

const char *parameter_type_shown(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_STRING: return "String";
	case JSON_INTEGER: return "Integer";
	case JSON_REAL: return "Float";
	case JSON_OBJECT: return "Object";
	case JSON_ARRAY: return "Array";
	case JSON_NULL: return "Null";
	default: return "Boolean";
	}
}

/* Texts are compared ignoring case. */
static bool is_allowed(struct template_frame *frame, const json_t *allowed, const json_t *value)
{
	const char *text = json_string_value(value), *other;
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)allowed, i, item)
	{
		other = json_string_value(item);
		if (!budget_steps(frame->budget, 1))
			return false;
		if (text && other ? strcasecmp(text, other) == 0
				  : value_equal(frame->budget, item, value))
			return true;
	}
	return false;
}

static bool check_allowed(struct template_frame *frame, const struct parameter *parameter,
			  const json_t *value)
{
	const json_t *allowed = parameter_trait(frame, parameter->declared, "allowedValues");
	const char *shown, *list;
	bool fine = !allowed || is_allowed(frame, allowed, value);
	json_t *item;
	size_t i;

	if (!fine && json_is_array(value)) { /* an array may be a selection of allowed values */
		fine = true;
		json_array_foreach((json_t *)value, i, item) fine =
			fine && is_allowed(frame, allowed, item);
	}
	if (fine || budget_has_failed(frame->budget))
		return !budget_has_failed(frame->budget);
	shown = secrets_has(frame->budget, value) ? "" : value_print(frame->budget, value);
	list = value_key(frame->budget, allowed);
	if (shown && list)
		budget_fail(frame->budget,
			    "The provided value '%.200s' for the template parameter '%s' is not "
			    "valid. The value is not part of the allowed value(s): '%.1000s'",
			    shown, parameter->name, list);
	return false;
}

/* Lengths count an array's items or a text's characters. */
static bool check_bound(struct template_frame *frame, const struct parameter *parameter,
			const json_t *value, const char *trait)
{
	const json_t *bound = parameter_trait(frame, parameter->declared, trait);
	json_int_t limit = json_integer_value(bound), is = json_integer_value(value);
	bool is_min = strncmp(trait, "min", 3) == 0, is_length = strstr(trait, "Length");

	if (!json_is_integer(bound) || (!is_length && !json_is_integer(value)))
		return !budget_has_failed(frame->budget);
	if (is_length && !json_is_string(value) && !json_is_array(value))
		return true;
	if (is_length)
		is = json_is_array(value) ? (json_int_t)json_array_size(value)
					  : (json_int_t)texts_length(json_string_value(value));
	if (is_min ? is >= limit : is <= limit)
		return true;
	budget_fail(frame->budget,
		    "The provided value for the template parameter '%s' is not valid. %s should be "
		    "%s than or equal to '%lld'",
		    parameter->name, is_length ? "Length of the value" : "The value",
		    is_min ? "greater" : "less", (long long)limit);
	return false;
}

bool parameter_check(struct template_frame *frame, const struct parameter *parameter,
		     const json_t *value)
{
	if (json_is_null(value) &&
	    json_is_true(parameter_trait(frame, parameter->declared, "nullable")))
		return !budget_has_failed(frame->budget);
	if (!parameter_is_of_type(parameter->type, value)) {
		budget_fail(frame->budget,
			    "The provided value for the template parameter '%s' is not valid. "
			    "Expected a value of type '%s', but received a value of type '%s'",
			    parameter->name, parameter->type->shown, parameter_type_shown(value));
		return false;
	}
	return check_allowed(frame, parameter, value) &&
	       check_bound(frame, parameter, value, "minValue") &&
	       check_bound(frame, parameter, value, "maxValue") &&
	       check_bound(frame, parameter, value, "minLength") &&
	       check_bound(frame, parameter, value, "maxLength");
}
