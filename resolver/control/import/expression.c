/* An expression is read into terms, which are evaluated as far as they are needed: `if` never looks
 * at the branch that it does not take. */
#include "resolver/control/import/expression.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/base/exit.h"
#include "resolver/control/import/json_file.h"
#include "rules/base.h"
#include "rules/err.h"
#include "rules/prefix.h"
#include "rules/text.h"

enum { DEPTH_MAX = 100, ARGUMENTS_MAX = 256, RANGE_MAX = 10000, VALUES_MAX = 1000000 };

enum term_kind { TERM_LITERAL, TERM_CALL, TERM_MEMBER, TERM_INDEX };

struct term {
	enum term_kind kind;
	json_t *literal;
	const char *name;   /* of a call */
	struct term *base;  /* what has the member or element */
	struct term *first; /* arguments; of a member or an index, its key */
	struct term *next;  /* the next argument */
	size_t count;       /* of arguments */
};

struct expression_variable {
	const char *name;
	json_t *value;
	const struct expression_variable *outer;
};

struct parser {
	struct expression_scope *scope;
	const char *text, *at;
	unsigned depth;
};

typedef json_t *function(struct expression_scope *scope, json_t **arguments, size_t count);

json_t *expression_made(struct expression_scope *scope, json_t *value)
{
	if (json_array_size(scope->pool) >= VALUES_MAX)
		exit(exit_fail("its copies and expressions make more than %d values; import parts "
			       "of it",
			       VALUES_MAX));
	if (!value || json_array_append_new(scope->pool, value) != 0)
		exit(exit_fail("%s", err_text(ERR_NOMEM)));
	return value;
}

json_t *expression_fail(struct expression_scope *scope, const char *format, ...)
{
	va_list arguments;
	char text[512];

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if (!scope->error)
		scope->error = import_printf(scope->import, "%s", text);
	return NULL;
}

static json_t *made_text(struct expression_scope *scope, const char *text)
{
	return expression_made(scope, json_string(text));
}

const char *expression_text(struct expression_scope *scope, const json_t *value)
{
	char *text;
	const char *copy;

	switch (json_typeof(value)) {
	case JSON_STRING: return json_string_value(value);
	case JSON_INTEGER:
		return import_printf(scope->import, "%lld", (long long)json_integer_value(value));
	case JSON_TRUE: return "True";
	case JSON_FALSE: return "False";
	case JSON_NULL: return "";
	default: break;
	}
	text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	copy = import_printf(scope->import, "%s", text ? text : "");
	free(text);
	return copy;
}

const char *expression_string(struct expression_scope *scope, const json_t *value)
{
	if (!json_is_string(value))
		expression_fail(scope, "%s is no text", expression_text(scope, value));
	return json_string_value(value);
}

/* ---- reading ---- */

static struct term *parse(struct parser *parser);

static struct term *unreadable(struct parser *parser, const char *what)
{
	expression_fail(parser->scope, "the expression %s cannot be read: %s at character %td",
			parser->text, what, parser->at - parser->text + 1);
	return NULL;
}

static void skip_blanks(struct parser *parser)
{
	parser->at += strspn(parser->at, " \t\r\n");
}

static struct term *new_term(struct parser *parser, enum term_kind kind)
{
	struct term *term = import_alloc(parser->scope->import, sizeof *term);

	*term = (struct term){.kind = kind};
	return term;
}

/* 'it''s' */
static struct term *parse_text(struct parser *parser)
{
	struct term *term = new_term(parser, TERM_LITERAL);
	char *text = import_printf(parser->scope->import, "%s", parser->at), *to = text;

	for (parser->at++; *parser->at != '\0'; parser->at++) {
		if (*parser->at == '\'' && parser->at[1] != '\'')
			break;
		parser->at += *parser->at == '\'';
		*to++ = *parser->at;
	}
	if (*parser->at == '\0')
		return unreadable(parser, "a text without its end");
	parser->at++;
	*to = '\0';
	term->literal = made_text(parser->scope, text);
	return term;
}

static struct term *parse_number(struct parser *parser)
{
	struct term *term = new_term(parser, TERM_LITERAL);
	char *end;

	term->literal = expression_made(parser->scope, json_integer(strtoll(parser->at, &end, 10)));
	parser->at = end;
	return term;
}

static struct term *parse_call(struct parser *parser)
{
	struct term *term = new_term(parser, TERM_CALL), **last = &term->first;
	const char *name = parser->at;

	while (isalnum((unsigned char)*parser->at) || *parser->at == '_' || *parser->at == '.')
		parser->at++;
	term->name = import_printf(parser->scope->import, "%.*s", (int)(parser->at - name), name);
	skip_blanks(parser);
	if (*term->name == '\0' || *parser->at != '(')
		return unreadable(parser, "a function is missing");
	parser->at++;
	for (skip_blanks(parser); *parser->at != ')';) {
		*last = parse(parser);
		if (!*last)
			return NULL;
		last = &(*last)->next;
		if (++term->count > ARGUMENTS_MAX)
			return unreadable(parser, "too many arguments");
		skip_blanks(parser);
		if (*parser->at == ',')
			parser->at++;
		else if (*parser->at != ')')
			return unreadable(parser, "a ) is missing");
	}
	parser->at++;
	return term;
}

static struct term *parse_member(struct parser *parser, struct term *base)
{
	struct term *term = new_term(parser, TERM_MEMBER), *key;
	const char *name = ++parser->at;

	while (isalnum((unsigned char)*parser->at) || *parser->at == '_' || *parser->at == '-' ||
	       *parser->at == '$')
		parser->at++;
	if (parser->at == name)
		return unreadable(parser, "a member's name is missing");
	key = new_term(parser, TERM_LITERAL);
	key->literal = made_text(parser->scope, import_printf(parser->scope->import, "%.*s",
							      (int)(parser->at - name), name));
	term->base = base;
	term->first = key;
	return term;
}

static struct term *parse_index(struct parser *parser, struct term *base)
{
	struct term *term = new_term(parser, TERM_INDEX);

	parser->at++;
	term->base = base;
	term->first = parse(parser);
	if (!term->first)
		return NULL;
	skip_blanks(parser);
	if (*parser->at != ']')
		return unreadable(parser, "a ] is missing");
	parser->at++;
	return term;
}

static struct term *parse(struct parser *parser)
{
	struct term *term;

	if (++parser->depth > DEPTH_MAX)
		return unreadable(parser, "too many brackets");
	skip_blanks(parser);
	if (*parser->at == '\'')
		term = parse_text(parser);
	else if (isdigit((unsigned char)*parser->at) || *parser->at == '-')
		term = parse_number(parser);
	else
		term = parse_call(parser);
	while (term) {
		skip_blanks(parser);
		if (*parser->at == '.')
			term = parse_member(parser, term);
		else if (*parser->at == '[')
			term = parse_index(parser, term);
		else
			break;
	}
	parser->depth--;
	return term;
}

/* ---- functions of values ---- */

json_t *expression_member(const json_t *value, const json_t *key)
{
	if (json_is_string(key))
		return json_member(value, json_string_value(key));
	if (json_is_integer(key) && json_is_array(value) && json_integer_value(key) >= 0)
		return json_array_get(value, (size_t)json_integer_value(key));
	return NULL;
}

static bool is_true(const json_t *value)
{
	const char *text = json_string_value(value);

	return json_is_true(value) || (json_is_integer(value) && json_integer_value(value) != 0) ||
	       (text && strcasecmp(text, "true") == 0);
}

static long long number_of(struct expression_scope *scope, const json_t *value)
{
	const char *text = json_string_value(value);
	char *end;
	long long number;

	if (json_is_integer(value))
		return json_integer_value(value);
	number = text ? strtoll(text, &end, 10) : 0;
	if (!text || end == text || *end != '\0')
		expression_fail(scope, "%s is no number", expression_text(scope, value));
	return number;
}

static size_t length_of(const json_t *value)
{
	if (json_is_array(value))
		return json_array_size(value);
	if (json_is_object(value))
		return json_object_size(value);
	return json_is_string(value) ? json_string_length(value) : 0;
}

static json_t *on_concat(struct expression_scope *scope, json_t **arguments, size_t count)
{
	const char *text = "";
	json_t *all;

	if (count == 0 || !json_is_array(arguments[0])) {
		for (size_t i = 0; i < count; i++)
			text = import_printf(scope->import, "%s%s", text,
					     expression_text(scope, arguments[i]));
		return made_text(scope, text);
	}
	all = expression_made(scope, json_array());
	for (size_t i = 0; i < count; i++)
		json_array_extend(all, arguments[i]);
	return all;
}

/* "{0}", "{1:D3}", "{{". */
static json_t *on_format(struct expression_scope *scope, json_t **arguments, size_t count)
{
	const char *at = expression_string(scope, arguments[0]), *text = "";
	size_t length;

	while (at && *at != '\0') {
		length = strcspn(at, "{}");
		text = import_printf(scope->import, "%s%.*s", text, (int)length, at);
		at += length;
		if (*at == '\0')
			break;
		if (at[0] == at[1]) {
			text = import_printf(scope->import, "%s%c", text, *at);
			at += 2;
			continue;
		}
		char *end;
		unsigned long index = strtoul(at + 1, &end, 10), digits = 0;

		if (*end == ':' && (end[1] == 'D' || end[1] == 'd'))
			digits = strtoul(end + 2, &end, 10);
		if (*at == '}' || end == at + 1 || *end != '}' || index + 1 >= count)
			return expression_fail(scope, "format: \"%s\" has no such argument",
					       json_string_value(arguments[0]));
		if (digits > 0 && digits < 20 && json_is_integer(arguments[index + 1]))
			text = import_printf(scope->import, "%s%0*lld", text, (int)digits,
					     (long long)json_integer_value(arguments[index + 1]));
		else
			text = import_printf(scope->import, "%s%s", text,
					     expression_text(scope, arguments[index + 1]));
		at = end + 1;
	}
	return at ? made_text(scope, text) : NULL;
}

static json_t *change_case(struct expression_scope *scope, const json_t *value, int (*to)(int))
{
	const char *from = expression_string(scope, value);
	char *text = from ? import_printf(scope->import, "%s", from) : NULL;

	for (char *at = text; at && *at != '\0'; at++)
		*at = (char)to((unsigned char)*at);
	return text ? made_text(scope, text) : NULL;
}

static json_t *on_lower(struct expression_scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return change_case(scope, arguments[0], tolower);
}

static json_t *on_upper(struct expression_scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return change_case(scope, arguments[0], toupper);
}

static json_t *on_trim(struct expression_scope *scope, json_t **arguments, size_t count)
{
	const char *text = expression_string(scope, arguments[0]);
	size_t length;

	(void)count;
	if (!text)
		return NULL;
	text += strspn(text, " \t\r\n");
	length = strlen(text);
	while (length > 0 && isspace((unsigned char)text[length - 1]))
		length--;
	return expression_made(scope, json_stringn_nocheck(text, length));
}

static json_t *on_replace(struct expression_scope *scope, json_t **arguments, size_t count)
{
	const char *at = expression_string(scope, arguments[0]),
		   *from = expression_string(scope, arguments[1]),
		   *to = expression_string(scope, arguments[2]), *found, *text = "";

	(void)count;
	if (!at || !from || !to)
		return NULL;
	while (*from != '\0' && (found = strstr(at, from))) {
		text = import_printf(scope->import, "%s%.*s%s", text, (int)(found - at), at, to);
		at = found + strlen(from);
	}
	return made_text(scope, import_printf(scope->import, "%s%s", text, at));
}

/* By one text, or any of an array. */
static json_t *on_split(struct expression_scope *scope, json_t **arguments, size_t count)
{
	const char *at = expression_string(scope, arguments[0]), *first, *mark;
	json_t *parts = expression_made(scope, json_array()),
	       *marks = json_is_array(arguments[1]) ? arguments[1] : NULL;
	size_t many = marks ? json_array_size(marks) : 1, skip = 0;

	(void)count;
	while (at) {
		first = NULL;
		for (size_t i = 0; i < many; i++) {
			mark = json_string_value(marks ? json_array_get(marks, i) : arguments[1]);
			const char *found = mark && *mark != '\0' ? strstr(at, mark) : NULL;

			if (found && (!first || found < first)) {
				first = found;
				skip = strlen(mark);
			}
		}
		json_array_append_new(parts, first ? json_stringn(at, (size_t)(first - at))
						   : json_string(at));
		at = first ? first + skip : NULL;
	}
	return scope->error ? NULL : parts;
}

static json_t *on_join(struct expression_scope *scope, json_t **arguments, size_t count)
{
	const char *text = "", *mark = expression_string(scope, arguments[1]);
	json_t *item;
	size_t i;

	(void)count;
	if (!mark)
		return NULL;
	json_array_foreach(arguments[0], i, item) text = import_printf(
		scope->import, "%s%s%s", text, i == 0 ? "" : mark, expression_text(scope, item));
	return made_text(scope, text);
}

static json_t *part(struct expression_scope *scope, const json_t *value, long long from,
		    long long length)
{
	long long all = (long long)length_of(value);
	json_t *items;

	from = from < 0 ? 0 : from > all ? all : from;
	length = length < 0 ? 0 : length > all - from ? all - from : length;
	if (json_is_string(value))
		return expression_made(scope, json_stringn_nocheck(json_string_value(value) + from,
								   (size_t)length));
	items = expression_made(scope, json_array());
	for (long long i = from; i < from + length; i++)
		json_array_append(items, json_array_get(value, (size_t)i));
	return items;
}

static json_t *on_substring(struct expression_scope *scope, json_t **arguments, size_t count)
{
	return part(scope, arguments[0], number_of(scope, arguments[1]),
		    count > 2 ? number_of(scope, arguments[2])
			      : (long long)length_of(arguments[0]));
}

static json_t *on_take(struct expression_scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return part(scope, arguments[0], 0, number_of(scope, arguments[1]));
}

static json_t *on_skip(struct expression_scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return part(scope, arguments[0], number_of(scope, arguments[1]),
		    (long long)length_of(arguments[0]));
}

static json_t *at_index(struct expression_scope *scope, const json_t *value, size_t index)
{
	if (json_is_string(value))
		return part(scope, value, (long long)index, 1);
	if (index < json_array_size(value))
		return json_array_get(value, index);
	return expression_fail(scope, "an array is empty");
}

static json_t *on_first(struct expression_scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return at_index(scope, arguments[0], 0);
}

static json_t *on_last(struct expression_scope *scope, json_t **arguments, size_t count)
{
	size_t length = length_of(arguments[0]);

	(void)count;
	return at_index(scope, arguments[0], length > 0 ? length - 1 : 0);
}

static json_t *boolean(bool value)
{
	return value ? json_true() : json_false();
}

static json_t *on_starts_with(struct expression_scope *scope, json_t **arguments, size_t count)
{
	const char *text = expression_text(scope, arguments[0]),
		   *with = expression_text(scope, arguments[1]);

	(void)count;
	return boolean(strncasecmp(text, with, strlen(with)) == 0);
}

static json_t *on_ends_with(struct expression_scope *scope, json_t **arguments, size_t count)
{
	const char *text = expression_text(scope, arguments[0]),
		   *with = expression_text(scope, arguments[1]);
	size_t length = strlen(text), end = strlen(with);

	(void)count;
	return boolean(end <= length && strcasecmp(text + length - end, with) == 0);
}

static long long index_of(struct expression_scope *scope, const json_t *in, const json_t *what)
{
	json_t *item;
	size_t i;

	if (json_is_string(in)) {
		const char *text = json_string_value(in),
			   *found = strcasestr(text, expression_text(scope, what));

		return found ? found - text : -1;
	}
	json_array_foreach((json_t *)in, i, item) if (json_equal(item, what)) return (long long)i;
	return -1;
}

static json_t *on_index_of(struct expression_scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return expression_made(scope, json_integer(index_of(scope, arguments[0], arguments[1])));
}

static json_t *on_contains(struct expression_scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	if (json_is_object(arguments[0]))
		return boolean(json_is_string(arguments[1]) &&
			       expression_member(arguments[0], arguments[1]));
	return boolean(index_of(scope, arguments[0], arguments[1]) >= 0);
}

static json_t *on_length(struct expression_scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return expression_made(scope, json_integer((json_int_t)length_of(arguments[0])));
}

static json_t *on_empty(struct expression_scope *scope, json_t **arguments, size_t count)
{
	(void)scope;
	(void)count;
	return boolean(length_of(arguments[0]) == 0);
}

static json_t *on_string(struct expression_scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return made_text(scope, expression_text(scope, arguments[0]));
}

static json_t *on_int(struct expression_scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return expression_made(scope, json_integer(number_of(scope, arguments[0])));
}

static json_t *on_bool(struct expression_scope *scope, json_t **arguments, size_t count)
{
	(void)scope;
	(void)count;
	return boolean(is_true(arguments[0]));
}

static json_t *on_json(struct expression_scope *scope, json_t **arguments, size_t count)
{
	const char *text = expression_string(scope, arguments[0]);
	json_t *value = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;

	(void)count;
	if (!value)
		return expression_fail(scope, "json() is given no JSON");
	return expression_made(scope, value);
}

static json_t *on_array(struct expression_scope *scope, json_t **arguments, size_t count)
{
	json_t *items;

	if (count == 1 && json_is_array(arguments[0]))
		return arguments[0];
	items = expression_made(scope, json_array());
	for (size_t i = 0; i < count; i++)
		json_array_append(items, arguments[i]);
	return items;
}

static json_t *on_create_array(struct expression_scope *scope, json_t **arguments, size_t count)
{
	json_t *items = expression_made(scope, json_array());

	for (size_t i = 0; i < count; i++)
		json_array_append(items, arguments[i]);
	return items;
}

static json_t *on_create_object(struct expression_scope *scope, json_t **arguments, size_t count)
{
	json_t *object = expression_made(scope, json_object());

	for (size_t i = 0; i + 1 < count; i += 2)
		json_object_set(object, expression_text(scope, arguments[i]), arguments[i + 1]);
	return object;
}

static void unite(json_t *to, const json_t *from)
{
	const char *key;
	json_t *value, *there;
	size_t i;

	if (json_is_object(from)) {
		json_object_foreach((json_t *)from, key, value)
		{
			there = json_object_get(to, key);
			if (json_is_object(there) && json_is_object(value)) {
				there = json_copy(there);
				unite(there, value);
				json_object_set_new(to, key, there);
			} else {
				json_object_set(to, key, value);
			}
		}
		return;
	}
	json_array_foreach((json_t *)from, i, value)
	{
		size_t at = 0;

		while (at < json_array_size(to) && !json_equal(json_array_get(to, at), value))
			at++;
		if (at == json_array_size(to))
			json_array_append(to, value);
	}
}

static json_t *on_union(struct expression_scope *scope, json_t **arguments, size_t count)
{
	json_t *all =
		expression_made(scope, json_is_object(arguments[0]) ? json_object() : json_array());

	for (size_t i = 0; i < count; i++)
		unite(all, arguments[i]);
	return all;
}

static json_t *on_range(struct expression_scope *scope, json_t **arguments, size_t count)
{
	long long from = number_of(scope, arguments[0]), many = number_of(scope, arguments[1]);
	json_t *items = expression_made(scope, json_array());

	(void)count;
	if (many < 0 || many > RANGE_MAX)
		return expression_fail(scope, "range() gives at most %d numbers", RANGE_MAX);
	for (long long i = 0; i < many; i++)
		json_array_append_new(items, json_integer(from + i));
	return items;
}

static json_t *on_flatten(struct expression_scope *scope, json_t **arguments, size_t count)
{
	json_t *items = expression_made(scope, json_array()), *item;
	size_t i;

	(void)count;
	json_array_foreach(arguments[0], i, item)
	{
		if (json_is_array(item))
			json_array_extend(items, item);
		else
			json_array_append(items, item);
	}
	return items;
}

static int compare_keys(const void *a, const void *b)
{
	return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

/* By key, as Azure gives them. */
static json_t *on_items(struct expression_scope *scope, json_t **arguments, size_t count)
{
	size_t many = json_object_size(arguments[0]), i = 0;
	const char **keys = import_alloc(scope->import, (many + 1) * sizeof *keys), *key;
	json_t *items = expression_made(scope, json_array()), *value;

	(void)count;
	json_object_foreach(arguments[0], key, value) keys[i++] = key;
	qsort(keys, many, sizeof *keys, compare_keys);
	for (i = 0; i < many; i++)
		json_array_append_new(items, json_pack("{s:s, s:O}", "key", keys[i], "value",
						       json_object_get(arguments[0], keys[i])));
	return items;
}

static json_t *on_object_keys(struct expression_scope *scope, json_t **arguments, size_t count)
{
	json_t *items = on_items(scope, arguments, count),
	       *keys = expression_made(scope, json_array()), *item;
	size_t i;

	json_array_foreach(items, i, item) json_array_append(keys, json_object_get(item, "key"));
	return keys;
}

/* NULL: a key is not there, which is no failure. */
static json_t *on_try_get(struct expression_scope *scope, json_t **arguments, size_t count)
{
	json_t *value = arguments[0];

	(void)scope;
	for (size_t i = 1; i < count && value; i++)
		value = expression_member(value, arguments[i]);
	return value ? value : json_null();
}

static json_t *on_null(struct expression_scope *scope, json_t **arguments, size_t count)
{
	(void)scope;
	(void)arguments;
	(void)count;
	return json_null();
}

static json_t *on_true(struct expression_scope *scope, json_t **arguments, size_t count)
{
	(void)scope;
	(void)arguments;
	(void)count;
	return json_true();
}

static json_t *on_false(struct expression_scope *scope, json_t **arguments, size_t count)
{
	(void)scope;
	(void)arguments;
	(void)count;
	return json_false();
}

static json_t *on_not(struct expression_scope *scope, json_t **arguments, size_t count)
{
	(void)scope;
	(void)count;
	return boolean(!is_true(arguments[0]));
}

static json_t *on_equals(struct expression_scope *scope, json_t **arguments, size_t count)
{
	(void)scope;
	(void)count;
	return boolean(json_equal(arguments[0], arguments[1]));
}

static int compare(struct expression_scope *scope, json_t **arguments)
{
	long long a, b;

	if (json_is_string(arguments[0]) && json_is_string(arguments[1]))
		return strcmp(json_string_value(arguments[0]), json_string_value(arguments[1]));
	a = number_of(scope, arguments[0]);
	b = number_of(scope, arguments[1]);
	return (a > b) - (a < b);
}

static json_t *on_less(struct expression_scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return boolean(compare(scope, arguments) < 0);
}

static json_t *on_less_or_equals(struct expression_scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return boolean(compare(scope, arguments) <= 0);
}

static json_t *on_greater(struct expression_scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return boolean(compare(scope, arguments) > 0);
}

static json_t *on_greater_or_equals(struct expression_scope *scope, json_t **arguments,
				    size_t count)
{
	(void)count;
	return boolean(compare(scope, arguments) >= 0);
}

static json_t *calculate(struct expression_scope *scope, json_t **arguments, char how)
{
	long long a = number_of(scope, arguments[0]), b = number_of(scope, arguments[1]), to = 0;
	bool fits = true;

	if (how == '+')
		fits = !__builtin_add_overflow(a, b, &to);
	else if (how == '-')
		fits = !__builtin_sub_overflow(a, b, &to);
	else if (how == '*')
		fits = !__builtin_mul_overflow(a, b, &to);
	else if (b == 0 || b == -1)
		fits = false;
	else
		to = how == '/' ? a / b : a % b;
	if (!fits)
		return expression_fail(scope, "%lld %c %lld cannot be calculated", a, how, b);
	return expression_made(scope, json_integer(to));
}

static json_t *on_add(struct expression_scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return calculate(scope, arguments, '+');
}

static json_t *on_sub(struct expression_scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return calculate(scope, arguments, '-');
}

static json_t *on_mul(struct expression_scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return calculate(scope, arguments, '*');
}

static json_t *on_div(struct expression_scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return calculate(scope, arguments, '/');
}

static json_t *on_mod(struct expression_scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return calculate(scope, arguments, '%');
}

/* The least or the greatest of the arguments, or of the array that is the first. */
static json_t *extreme(struct expression_scope *scope, json_t **arguments, size_t count, int sign)
{
	bool in_array = count == 1 && json_is_array(arguments[0]);
	size_t many = in_array ? json_array_size(arguments[0]) : count;
	json_t *best = NULL;

	for (size_t i = 0; i < many; i++) {
		json_t *pair[] = {in_array ? json_array_get(arguments[0], i) : arguments[i], best};

		if (!best || sign * compare(scope, pair) > 0)
			best = pair[0];
	}
	return best ? best : expression_fail(scope, "an array is empty");
}

static json_t *on_min(struct expression_scope *scope, json_t **arguments, size_t count)
{
	return extreme(scope, arguments, count, -1);
}

static json_t *on_max(struct expression_scope *scope, json_t **arguments, size_t count)
{
	return extreme(scope, arguments, count, 1);
}

/* Azure's own hash is not published: this one is as stable. */
static uint64_t hash_of(struct expression_scope *scope, json_t **arguments, size_t count,
			uint64_t hash)
{
	for (size_t i = 0; i < count; i++)
		for (const char *at = expression_text(scope, arguments[i]); *at != '\0'; at++)
			hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
	return hash;
}

static json_t *on_unique_string(struct expression_scope *scope, json_t **arguments, size_t count)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint64_t hash = hash_of(scope, arguments, count, UINT64_C(0xcbf29ce484222325));
	char text[14] = "";

	for (size_t i = 0; i < 13; i++, hash >>= 5)
		text[i] = digits[hash & 31];
	return made_text(scope, text);
}

static json_t *on_guid(struct expression_scope *scope, json_t **arguments, size_t count)
{
	uint64_t a = hash_of(scope, arguments, count, UINT64_C(0xcbf29ce484222325)),
		 b = hash_of(scope, arguments, count, a);

	return made_text(scope, import_printf(scope->import, "%08x-%04x-5%03x-8%03x-%012llx",
					      (unsigned)(a >> 32), (unsigned)(a >> 16 & 0xffff),
					      (unsigned)(a & 0xfff), (unsigned)(b >> 52),
					      (unsigned long long)(b & 0xffffffffffff)));
}

static json_t *on_cidr_subnet(struct expression_scope *scope, json_t **arguments, size_t count)
{
	const char *text = expression_string(scope, arguments[0]);
	long long length = number_of(scope, arguments[1]), index = number_of(scope, arguments[2]);
	struct prefix prefix;
	char shown[PREFIX_TEXT_MAX];

	(void)count;
	if (!text || scope->error)
		return NULL;
	if (prefix_parse_lenient(&prefix, text) != 0 || length < prefix.length ||
	    length > (long long)address_bits(&prefix.address) || index < 0 ||
	    (length - prefix.length < 32 && index >> (length - prefix.length) != 0))
		return expression_fail(scope, "%s has no subnet %lld of length %lld", text, index,
				       length);
	for (long long i = 0; i < length - prefix.length && i < 32; i++)
		if (index >> i & 1)
			prefix.address.bytes[(length - 1 - i) / 8] |=
				(uint8_t)(0x80 >> (length - 1 - i) % 8);
	prefix.length = (uint8_t)length;
	return made_text(scope, prefix_print(&prefix, shown));
}

static json_t *on_cidr_host(struct expression_scope *scope, json_t **arguments, size_t count)
{
	const char *text = expression_string(scope, arguments[0]);
	long long index = number_of(scope, arguments[1]);
	struct prefix prefix;
	struct address address;
	char shown[ADDRESS_TEXT_MAX];

	(void)count;
	if (!text || prefix_parse_lenient(&prefix, text) != 0 || index < 0 || index > INT32_MAX)
		return expression_fail(scope, "cidrHost() is given no prefix and number");
	address = address_add(&prefix.address, (uint32_t)index + 1);
	if (!prefix_contains(&prefix, &address))
		return expression_fail(scope, "%s has no address %lld", text, index);
	return made_text(scope, address_print(&address, shown));
}

static const struct {
	const char *name;
	size_t least, most; /* arguments */
	function *call;
} functions[] = {
	{"add", 2, 2, on_add},
	{"array", 1, 1, on_array},
	{"bool", 1, 1, on_bool},
	{"cidrHost", 2, 2, on_cidr_host},
	{"cidrSubnet", 3, 3, on_cidr_subnet},
	{"concat", 0, ARGUMENTS_MAX, on_concat},
	{"contains", 2, 2, on_contains},
	{"createArray", 0, ARGUMENTS_MAX, on_create_array},
	{"createObject", 0, ARGUMENTS_MAX, on_create_object},
	{"div", 2, 2, on_div},
	{"empty", 1, 1, on_empty},
	{"endsWith", 2, 2, on_ends_with},
	{"equals", 2, 2, on_equals},
	{"false", 0, 0, on_false},
	{"first", 1, 1, on_first},
	{"flatten", 1, 1, on_flatten},
	{"format", 1, ARGUMENTS_MAX, on_format},
	{"greater", 2, 2, on_greater},
	{"greaterOrEquals", 2, 2, on_greater_or_equals},
	{"guid", 1, ARGUMENTS_MAX, on_guid},
	{"indexOf", 2, 2, on_index_of},
	{"int", 1, 1, on_int},
	{"items", 1, 1, on_items},
	{"join", 2, 2, on_join},
	{"json", 1, 1, on_json},
	{"last", 1, 1, on_last},
	{"length", 1, 1, on_length},
	{"less", 2, 2, on_less},
	{"lessOrEquals", 2, 2, on_less_or_equals},
	{"max", 1, ARGUMENTS_MAX, on_max},
	{"min", 1, ARGUMENTS_MAX, on_min},
	{"mod", 2, 2, on_mod},
	{"mul", 2, 2, on_mul},
	{"not", 1, 1, on_not},
	{"null", 0, 0, on_null},
	{"objectKeys", 1, 1, on_object_keys},
	{"range", 2, 2, on_range},
	{"replace", 3, 3, on_replace},
	{"skip", 2, 2, on_skip},
	{"split", 2, 2, on_split},
	{"startsWith", 2, 2, on_starts_with},
	{"string", 1, 1, on_string},
	{"sub", 2, 2, on_sub},
	{"substring", 2, 3, on_substring},
	{"take", 2, 2, on_take},
	{"toLower", 1, 1, on_lower},
	{"toUpper", 1, 1, on_upper},
	{"trim", 1, 1, on_trim},
	{"true", 0, 0, on_true},
	{"tryGet", 2, ARGUMENTS_MAX, on_try_get},
	{"union", 1, ARGUMENTS_MAX, on_union},
	{"uniqueString", 1, ARGUMENTS_MAX, on_unique_string},
};

/* ---- evaluating ---- */

static json_t *evaluate(struct expression_scope *scope, const struct term *term);

static json_t *on_if(struct expression_scope *scope, const struct term *term)
{
	const json_t *condition = evaluate(scope, term->first);

	if (!condition)
		return NULL;
	return evaluate(scope, is_true(condition) ? term->first->next : term->first->next->next);
}

static json_t *until(struct expression_scope *scope, const struct term *term, bool stop)
{
	for (term = term->first; term; term = term->next) {
		const json_t *value = evaluate(scope, term);

		if (!value)
			return NULL;
		if (is_true(value) == stop)
			return boolean(stop);
	}
	return boolean(!stop);
}

static json_t *on_and(struct expression_scope *scope, const struct term *term)
{
	return until(scope, term, false);
}

static json_t *on_or(struct expression_scope *scope, const struct term *term)
{
	return until(scope, term, true);
}

static json_t *on_coalesce(struct expression_scope *scope, const struct term *term)
{
	json_t *value = NULL;

	for (term = term->first; term; term = term->next) {
		value = evaluate(scope, term);
		if (!value || !json_is_null(value))
			break;
	}
	return value;
}

static json_t *on_lambda_variables(struct expression_scope *scope, const struct term *term)
{
	const json_t *name = evaluate(scope, term->first);
	const char *text = json_string_value(name);

	for (const struct expression_variable *at = scope->variables; at && text; at = at->outer)
		if (strcasecmp(at->name, text) == 0)
			return at->value;
	return expression_fail(scope, "there is no variable %s here", text ? text : "of no name");
}

/* lambda('item', ..., body): the body with what the names stand for. */
static json_t *call_lambda(struct expression_scope *scope, const struct term *lambda, json_t *value,
			   size_t index)
{
	const struct expression_variable *outer = scope->variables;
	struct expression_variable item, number;
	const struct term *at = lambda->first;
	json_t *result, *name;

	if (lambda->kind != TERM_CALL || strcasecmp(lambda->name, "lambda") != 0 ||
	    lambda->count < 2 || lambda->count > 3)
		return expression_fail(scope, "a lambda with one or two names is missing");
	name = evaluate(scope, at);
	item = (struct expression_variable){expression_text(scope, name ? name : json_null()),
					    value, outer};
	scope->variables = &item;
	at = at->next;
	if (lambda->count == 3) {
		name = evaluate(scope, at);
		number = (struct expression_variable){
			expression_text(scope, name ? name : json_null()),
			expression_made(scope, json_integer((json_int_t)index)), &item};
		scope->variables = &number;
		at = at->next;
	}
	result = evaluate(scope, at);
	scope->variables = outer;
	return result;
}

static json_t *each(struct expression_scope *scope, const struct term *term, bool filters)
{
	json_t *items = evaluate(scope, term->first), *made = expression_made(scope, json_array()),
	       *item, *result;
	size_t i;

	if (!items)
		return NULL;
	json_array_foreach(items, i, item)
	{
		result = call_lambda(scope, term->first->next, item, i);
		if (!result)
			return NULL;
		if (!filters || is_true(result))
			json_array_append(made, filters ? item : result);
	}
	return made;
}

static json_t *on_map(struct expression_scope *scope, const struct term *term)
{
	return each(scope, term, false);
}

static json_t *on_filter(struct expression_scope *scope, const struct term *term)
{
	return each(scope, term, true);
}

/* toObject(array, key[, value]) */
static json_t *on_to_object(struct expression_scope *scope, const struct term *term)
{
	json_t *items = evaluate(scope, term->first), *made = expression_made(scope, json_object()),
	       *item, *key, *value;
	const struct term *second = term->first->next;
	size_t i;

	if (!items)
		return NULL;
	json_array_foreach(items, i, item)
	{
		key = call_lambda(scope, second, item, i);
		value = second->next ? call_lambda(scope, second->next, item, i) : item;
		if (!key || !value)
			return NULL;
		json_object_set(made, expression_text(scope, key), value);
	}
	return made;
}

static const struct {
	const char *name;
	size_t least, most;
	json_t *(*call)(struct expression_scope *scope, const struct term *term);
} lazy_functions[] = {
	{"and", 1, ARGUMENTS_MAX, on_and},
	{"coalesce", 1, ARGUMENTS_MAX, on_coalesce},
	{"filter", 2, 2, on_filter},
	{"if", 3, 3, on_if},
	{"lambdaVariables", 1, 1, on_lambda_variables},
	{"map", 2, 2, on_map},
	{"or", 1, ARGUMENTS_MAX, on_or},
	{"toObject", 2, 3, on_to_object},
};

static bool takes(struct expression_scope *scope, const struct term *term, size_t least,
		  size_t most)
{
	if (term->count >= least && term->count <= most)
		return true;
	expression_fail(scope, "%s() with %zu argument%s is not known", term->name, term->count,
			text_plural(term->count, "", "s"));
	return false;
}

static json_t *call(struct expression_scope *scope, const struct term *term)
{
	json_t **arguments, *value;
	size_t count = 0;

	for (size_t i = 0; i < COUNT(lazy_functions); i++)
		if (strcasecmp(lazy_functions[i].name, term->name) == 0)
			return takes(scope, term, lazy_functions[i].least, lazy_functions[i].most)
				       ? lazy_functions[i].call(scope, term)
				       : NULL;
	arguments = import_alloc(scope->import, (term->count + 1) * sizeof(json_t *));
	for (const struct term *at = term->first; at; at = at->next) {
		arguments[count] = evaluate(scope, at);
		if (!arguments[count++])
			return NULL;
	}
	for (size_t i = 0; i < COUNT(functions); i++) {
		if (strcasecmp(functions[i].name, term->name) != 0)
			continue;
		if (!takes(scope, term, functions[i].least, functions[i].most))
			return NULL;
		value = functions[i].call(scope, arguments, count);
		return scope->error ? NULL : value;
	}
	value = scope->call(scope, term->name, arguments, count);
	if (!value)
		expression_fail(scope, "the function %s() is not known", term->name);
	return value;
}

static json_t *evaluate(struct expression_scope *scope, const struct term *term)
{
	json_t *base, *key, *value;

	if (term->kind == TERM_LITERAL)
		return term->literal;
	if (term->kind == TERM_CALL)
		return call(scope, term);
	base = evaluate(scope, term->base);
	key = base ? evaluate(scope, term->first) : NULL;
	if (!key)
		return NULL;
	value = expression_member(base, key);
	if (!value)
		return expression_fail(scope, "there is no %s in it", expression_text(scope, key));
	return value;
}

json_t *expression_evaluate(struct expression_scope *scope, const char *text)
{
	struct parser parser = {.scope = scope, .text = text, .at = text + 1};
	size_t length = strlen(text);
	struct term *term;
	json_t *value = NULL;

	if (length < 2 || text[0] != '[' || text[length - 1] != ']')
		return made_text(scope, text);
	if (text[1] == '[')
		return made_text(scope, text + 1);
	if (scope->depth >= DEPTH_MAX)
		return expression_fail(scope, "its expressions lead in a circle");
	scope->depth++;
	term = parse(&parser);
	if (term) {
		skip_blanks(&parser);
		if (strcmp(parser.at, "]") == 0)
			value = evaluate(scope, term);
		else
			unreadable(&parser, "something behind its end");
	}
	scope->depth--;
	return value;
}
