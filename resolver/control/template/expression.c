/* An expression is parsed into terms once, and each copy evaluates them. `if` never evaluates the
 * branch not taken. Members and indexes are a list after their term, so only brackets nest. */
#include "resolver/control/template/expression.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/control/template/frame.h"
#include "resolver/control/template/functions.h"
#include "resolver/control/template/secrets.h"
#include "resolver/control/template/value.h"

enum { ARGUMENTS_MAX = 1000, SHOWN_MAX = 200 };

struct expression_parser {
	struct budget *budget;
	const char *text, *at;
	unsigned depth;
};

bool expression_is(const char *text)
{
	size_t length = strlen(text);

	return length >= 2 && text[0] == '[' && text[length - 1] == ']' && text[1] != '[';
}

/* ---- parsing ---- */

static struct expression_term *parse(struct expression_parser *parser);

static void *unreadable(struct expression_parser *parser, const char *what)
{
	return budget_fail(parser->budget,
			   "the expression '%.*s' cannot be read: %s at character %td", SHOWN_MAX,
			   parser->text, what, parser->at - parser->text + 1);
}

static void skip_blanks(struct expression_parser *parser)
{
	while (*parser->at == ' ' || *parser->at == '\t' || *parser->at == '\r' ||
	       *parser->at == '\n')
		parser->at++;
}

static struct expression_term *new_term(struct expression_parser *parser, enum term_kind kind)
{
	struct expression_term *term = budget_alloc(parser->budget, sizeof *term);

	if (term)
		term->kind = kind;
	return term;
}

/* A string in quotes: 'it''s' */
static struct expression_term *parse_text(struct expression_parser *parser)
{
	struct expression_term *term = new_term(parser, TERM_LITERAL);
	struct builder builder;
	size_t length;

	builder_init(&builder, parser->budget);
	for (parser->at++;; parser->at++) {
		length = strcspn(parser->at, "'");
		builder_add(&builder, parser->at, length);
		parser->at += length;
		if (*parser->at == '\0') {
			unreadable(parser, "a string without its end");
			break;
		}
		parser->at++;
		if (*parser->at != '\'')
			break;
		builder_add(&builder, "'", 1);
	}
	if (term)
		term->literal = builder_finish(&builder);
	return term && term->literal ? term : NULL;
}

static struct expression_term *parse_number(struct expression_parser *parser)
{
	struct expression_term *term = new_term(parser, TERM_LITERAL);
	char *end;
	long long number;

	errno = 0;
	number = strtoll(parser->at, &end, 10);
	if (errno != 0)
		return unreadable(parser, "a number that is no integer of 64 bits");
	if (end == parser->at)
		return unreadable(parser, "a number without digits");
	parser->at = end;
	if (end[0] == '.' && isdigit((unsigned char)end[1]))
		return unreadable(parser, "a number with a fraction, as float('1.5') makes one,");
	if (term)
		term->literal = value_integer(parser->budget, number);
	return term && term->literal ? term : NULL;
}

static bool parse_arguments(struct expression_parser *parser, struct expression_term *term)
{
	struct expression_term **last = &term->first;

	parser->at++;
	for (skip_blanks(parser); *parser->at != ')';) {
		*last = parse(parser);
		if (!*last)
			return false;
		last = &(*last)->next;
		if (++term->count > ARGUMENTS_MAX) {
			unreadable(parser, "too many arguments");
			return false;
		}
		skip_blanks(parser);
		if (*parser->at == ',')
			parser->at++;
		else if (*parser->at != ')') {
			unreadable(parser, "')' is missing");
			return false;
		}
	}
	parser->at++;
	return true;
}

static struct expression_term *parse_call(struct expression_parser *parser)
{
	struct expression_term *term = new_term(parser, TERM_CALL);
	const char *name = parser->at;

	while (isalnum((unsigned char)*parser->at) || *parser->at == '_' || *parser->at == '.')
		parser->at++;
	if (!term)
		return NULL;
	term->name = budget_printf(parser->budget, "%.*s", (int)(parser->at - name), name);
	skip_blanks(parser);
	if (!term->name || *term->name == '\0' || *parser->at != '(')
		return unreadable(parser, "a function, a string or a number is missing");
	if (!parse_arguments(parser, term))
		return NULL;
	if (strchr(term->name, '.'))
		return term;
	term->function = function_find(parser->budget, term->name, term->count);
	return term->function ? term : NULL;
}

/* Reads the name of ".name" or ".?name". */
static struct expression_term *parse_name(struct expression_parser *parser)
{
	struct expression_term *key = new_term(parser, TERM_LITERAL);
	const char *name = parser->at;

	while (isalnum((unsigned char)*parser->at) ||
	       (*parser->at != '\0' && strchr("_-$", *parser->at)))
		parser->at++;
	if (parser->at == name)
		return unreadable(parser, "a member's name is missing");
	if (key)
		key->literal = value_text_of(parser->budget, name, (size_t)(parser->at - name));
	return key && key->literal ? key : NULL;
}

/* Reads the key of "[key]" or "[?key]". */
static struct expression_term *parse_key(struct expression_parser *parser)
{
	struct expression_term *key = parse(parser);

	if (!key)
		return NULL;
	skip_blanks(parser);
	if (*parser->at != ']')
		return unreadable(parser, "']' is missing");
	parser->at++;
	return key;
}

static struct term_part *parse_part(struct expression_parser *parser)
{
	struct term_part *part = budget_alloc(parser->budget, sizeof *part);
	bool is_name = *parser->at++ == '.';

	if (!part)
		return NULL;
	part->is_safe = *parser->at == '?';
	parser->at += part->is_safe;
	part->key = is_name ? parse_name(parser) : parse_key(parser);
	return part->key ? part : NULL;
}

static struct expression_term *parse_primary(struct expression_parser *parser)
{
	if (*parser->at == '\'')
		return parse_text(parser);
	if (isdigit((unsigned char)*parser->at) || *parser->at == '-')
		return parse_number(parser);
	return parse_call(parser);
}

static struct expression_term *parse(struct expression_parser *parser)
{
	struct expression_term *term;
	struct term_part **last;

	if (++parser->depth > TEMPLATE_DEPTH_MAX)
		return budget_fail_as(parser->budget, TEMPLATE_LIMIT,
				      "an expression has brackets more than %d deep; use variables",
				      TEMPLATE_DEPTH_MAX);
	skip_blanks(parser);
	term = parse_primary(parser);
	last = term ? &term->parts : NULL;
	for (skip_blanks(parser); term && (*parser->at == '.' || *parser->at == '[');
	     skip_blanks(parser)) {
		*last = parse_part(parser);
		if (!*last)
			return NULL;
		last = &(*last)->next;
	}
	parser->depth--;
	return term;
}

const struct expression_term *expression_parse(struct budget *budget, const char *text)
{
	struct expression_parser parser = {.budget = budget, .text = text, .at = text + 1};
	struct expression_term *term;

	if (!budget_text(budget, strlen(text)))
		return NULL;
	term = parse(&parser);
	if (term && strcmp(parser.at, "]") != 0)
		return unreadable(&parser, "something that does not belong there");
	return term;
}

/* ---- evaluating ---- */

json_t *expression_part(struct budget *budget, const json_t *value, const json_t *key)
{
	json_int_t index = json_integer_value(key);

	if (json_is_string(key))
		return budget_text(budget, json_string_length(key))
			       ? value_member(budget, value, json_string_value(key))
			       : NULL;
	return json_is_integer(key) && index >= 0 ? json_array_get(value, (size_t)index) : NULL;
}

/* Fails, in Azure's words if a member or an index is missing. */
static json_t *no_part(const struct scope *scope, const json_t *value, const json_t *key)
{
	const char *names = "", *name;
	json_t *item;

	if (json_is_integer(key) && json_is_array(value))
		return budget_fail(scope->budget,
				   "The language expression property array index '%lld' is out of "
				   "bounds: the array has %zu",
				   (long long)json_integer_value(key), json_array_size(value));
	if (!json_is_string(key) || !json_is_object(value))
		return budget_fail(scope->budget,
				   "%s has no member or element %s: an object takes a string "
				   "there, an array an integer",
				   value_kind(value),
				   json_is_string(key) || json_is_integer(key)
					   ? value_print(scope->budget, key)
					   : value_kind(key));
	json_object_foreach((json_t *)value, name, item)
	{
		if (strlen(names) > SHOWN_MAX)
			break;
		names = budget_printf(scope->budget, "%s%s%s", names, *names ? ", " : "", name);
		if (!names)
			return NULL;
	}
	return budget_fail(scope->budget,
			   "The language expression property '%s' doesn't exist, available "
			   "properties are '%s'",
			   json_string_value(key), names);
}

static json_t *evaluate_parts(const struct scope *scope, const struct expression_term *term,
			      json_t *value)
{
	for (const struct term_part *part = term->parts; part && value; part = part->next) {
		json_t *key = term_evaluate(scope, part->key), *found;

		if (!key || !budget_steps(scope->budget, 1))
			return NULL;
		found = expression_part(scope->budget, value, key);
		if (!found && part->is_safe)
			return budget_has_failed(scope->budget) ? NULL : json_null();
		value = found ? found : no_part(scope, value, key);
	}
	return value;
}

static json_t *call(const struct scope *scope, const struct expression_term *term)
{
	struct budget *budget = scope->budget;
	bool before = budget->makes_secrets;
	json_t **arguments, *value;
	size_t count = 0;

	if (term->function && term->function->lazy)
		return term->function->lazy(scope, term);
	arguments = budget_alloc(budget, (term->count + 1) * sizeof(json_t *));
	for (const struct expression_term *at = term->first; at && arguments; at = at->next) {
		arguments[count] = term_evaluate(scope, at);
		if (!arguments[count++])
			return NULL;
	}
	if (!arguments)
		return NULL;
	if (!term->function)
		return frame_call(scope, term->name, arguments, count);
	budget->function = term->function->name;
	budget->makes_secrets = secrets_has_any(budget, arguments, count);
	value = term->function->call(scope, arguments, count);
	budget->makes_secrets = before;
	return budget_has_failed(budget) ? NULL : value;
}

json_t *term_evaluate(const struct scope *scope, const struct expression_term *term)
{
	struct budget *budget = scope->budget;
	json_t *value;

	if (!budget_steps(budget, 1) || !budget_enter(budget))
		return NULL;
	value = term->kind == TERM_LITERAL ? term->literal : call(scope, term);
	value = evaluate_parts(scope, term, value);
	budget_leave(budget);
	return value;
}
