/* Strings are UTF-8. Positions and lengths count code points, while Azure counts UTF-16 units:
 * beyond the basic plane, as for emoji, the numbers differ. Case means ASCII case. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/template/functions.h"
#include "resolver/control/template/texts.h"
#include "resolver/control/template/value.h"
#include "rules/text.h"

enum { WIDTH_MAX = 1000000 };

size_t texts_length(const char *text)
{
	size_t length = 0;

	for (; *text != '\0'; text++)
		length += ((unsigned char)*text & 0xc0) != 0x80;
	return length;
}

const char *texts_skip(const char *text, size_t count)
{
	while (*text != '\0' && count > 0) {
		text++;
		while (((unsigned char)*text & 0xc0) == 0x80)
			text++;
		count--;
	}
	return text;
}

static json_t *concat_arrays(const struct scope *scope, json_t **arguments, size_t count)
{
	json_t *all = value_array(scope->budget), *item;
	size_t at;

	for (size_t i = 0; i < count; i++) {
		if (!value_want_array(scope->budget, arguments, i))
			return NULL;
		json_array_foreach(arguments[i], at, item)
		{
			if (!value_add(scope->budget, all, item))
				return NULL;
		}
	}
	return all;
}

static json_t *on_concat(const struct scope *scope, json_t **arguments, size_t count)
{
	struct builder builder;

	if (json_is_array(arguments[0]))
		return concat_arrays(scope, arguments, count);
	builder_init(&builder, scope->budget);
	for (size_t i = 0; i < count && !builder.failed; i++) {
		if (json_is_array(arguments[i]) || json_is_object(arguments[i])) {
			builder.failed = true;
			value_unwanted(scope->budget, arguments, i, "a string, as the first one,");
		} else {
			builder_add_text(&builder, value_print(scope->budget, arguments[i]));
		}
	}
	return builder_finish(&builder);
}

/* ---- format ---- */

enum { NUMBER_MAX = 400, DIGITS_MAX = 99 };

struct hole { /* "{index,width:kind digits}" */
	size_t index;
	long width;
	char kind;  /* '\0': no kind */
	int digits; /* -1: none are given */
};

/* Reads a hole; `at` is after its '{'. Returns the position after its '}', NULL: malformed. */
static const char *read_hole(const char *at, struct hole *hole)
{
	char *end;

	*hole = (struct hole){.digits = -1};
	if (!isdigit((unsigned char)*at))
		return NULL;
	hole->index = strtoul(at, &end, 10);
	if (*end == ',') {
		hole->width = strtol(end + 1, &end, 10);
		if (hole->width < -WIDTH_MAX || hole->width > WIDTH_MAX)
			return NULL;
	}
	if (*end == ':') {
		hole->kind = *++end;
		end += *end != '\0';
		if (isdigit((unsigned char)*end)) {
			unsigned long digits = strtoul(end, &end, 10);

			hole->digits = digits > DIGITS_MAX ? DIGITS_MAX + 1 : (int)digits;
		}
	}
	return *end == '}' ? end + 1 : NULL;
}

/* Prints the digits in groups, "1,234,567", into a buffer of `size` bytes. */
static void group_digits(const char *digits, char *text, size_t size)
{
	size_t length = strlen(digits), whole = strcspn(digits, "."), at = 0;

	for (size_t i = 0; i < length && at + 2 < size; i++) {
		text[at++] = digits[i];
		if (i + 1 < whole && (whole - i - 1) % 3 == 0 && isdigit((unsigned char)digits[i]))
			text[at++] = ',';
	}
	text[at] = '\0';
}

/* Prints a number in one of .NET's formats; false: no such format. */
static bool print_number(const struct hole *hole, const json_t *value, char text[NUMBER_MAX])
{
	char plain[NUMBER_MAX - 100];
	long long number = json_integer_value(value);
	double real = json_number_value(value);
	int digits = hole->digits;

	if (digits > DIGITS_MAX || !json_is_number(value))
		return false;
	switch (hole->kind) {
	case 'D':
	case 'd':
		snprintf(text, NUMBER_MAX, "%s%0*llu", number < 0 ? "-" : "",
			 digits < 1 ? 1 : digits,
			 number < 0 ? 0ULL - (unsigned long long)number
				    : (unsigned long long)number);
		return json_is_integer(value);
	case 'X':
		snprintf(text, NUMBER_MAX, "%0*llX", digits < 1 ? 1 : digits, number);
		return json_is_integer(value);
	case 'x':
		snprintf(text, NUMBER_MAX, "%0*llx", digits < 1 ? 1 : digits, number);
		return json_is_integer(value);
	case 'F':
	case 'f':
		return snprintf(text, NUMBER_MAX, "%.*f", digits < 0 ? 2 : digits, real) <
		       NUMBER_MAX;
	case 'N':
	case 'n':
		snprintf(plain, sizeof plain, "%.*f", digits < 0 ? 2 : digits, real);
		group_digits(plain, text, NUMBER_MAX);
		return real > -1e100 && real < 1e100;
	default: return false;
	}
}

static void fill_hole(struct builder *builder, const struct hole *hole, const json_t *value)
{
	char number[NUMBER_MAX] = "";
	const char *text = number;
	size_t width = (size_t)labs(hole->width), length;

	if (hole->kind == '\0')
		text = value_print(builder->budget, value);
	else if (!json_is_number(value)) /* in .NET strings have no formats */
		text = value_print(builder->budget, value);
	else if (!print_number(hole, value, number))
		text = budget_fail(builder->budget,
				   "format() cannot write this number as '%c': it writes "
				   "integers as D or X and numbers as F or N, with at most %d "
				   "digits and %d characters",
				   hole->kind, DIGITS_MAX, NUMBER_MAX - 1);
	length = text && width > 0 ? texts_length(text) : 0;
	if (hole->width > 0 && length < width)
		builder_add_times(builder, " ", width - length);
	builder_add_text(builder, text);
	if (hole->width < 0 && length < width)
		builder_add_times(builder, " ", width - length);
}

static json_t *on_format(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *at = value_want_text(scope->budget, arguments, 0), *end = NULL;
	struct builder builder;
	struct hole hole;
	size_t length;

	builder_init(&builder, scope->budget);
	for (; at && *at != '\0' && !builder.failed; at = end) {
		length = strcspn(at, "{}");
		builder_add(&builder, at, length);
		at += length;
		if (*at == '\0')
			break;
		if (at[0] == at[1]) {
			builder_add(&builder, at, 1);
			end = at + 2;
			continue;
		}
		end = *at == '{' ? read_hole(at + 1, &hole) : NULL;
		if (end && hole.index < count - 1) {
			fill_hole(&builder, &hole, arguments[hole.index + 1]);
			continue;
		}
		builder.failed = true;
		budget_fail(scope->budget,
			    end ? "format() has no argument for '%.*s': they are counted from {0}"
				: "format() cannot read '%.*s': write {0}, {0:D3} or {0,5}, and {{ "
				  "or }} for a bracket",
			    (int)(strcspn(at, "}") < 40 ? strcspn(at, "}") + 1 : 40), at);
	}
	return builder_finish(&builder);
}

/* ---- parts ---- */

static json_t *on_substring(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *text = value_want_text(scope->budget, arguments, 0), *from;
	int64_t start, length = 0, all;

	if (!text || !value_want_integer(scope->budget, arguments, 1, &start) ||
	    (count > 2 && !value_want_integer(scope->budget, arguments, 2, &length)))
		return NULL;
	all = (int64_t)texts_length(text);
	if (start < 0 || start > all || length < 0 || length > all - start)
		return budget_fail(scope->budget,
				   "The index and length parameters of substring() must refer to a "
				   "location within the string: it has %lld characters",
				   (long long)all);
	length = count > 2 ? length : all - start;
	from = texts_skip(text, (size_t)start);
	return value_text_of(scope->budget, from,
			     (size_t)(texts_skip(from, (size_t)length) - from));
}

static json_t *on_trim(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *text = value_want_text(scope->budget, arguments, 0);
	size_t length;

	(void)count;
	if (!text)
		return NULL;
	text += strspn(text, " \t\r\n\v\f");
	length = strlen(text);
	while (length > 0 && isspace((unsigned char)text[length - 1]))
		length--;
	return value_text_of(scope->budget, text, length);
}

const char *texts_find(const char *at, const char *end, const char *mark, size_t length)
{
	enum { PIECE = 1024 };
	/* memmem prepares the mark in each call, so a piece is at least as long as the mark. */
	size_t ahead = length > PIECE ? length : PIECE;
	const char *found = NULL;

	while (!found && (size_t)(end - at) >= length) {
		size_t rest = (size_t)(end - at);
		size_t piece = rest < ahead + length ? rest : ahead + length;

		found = memmem(at, piece, mark, length);
		at += piece - length + 1;
	}
	return found;
}

static json_t *on_replace(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *at = value_want_text(scope->budget, arguments, 0),
		   *from = value_want_text(scope->budget, arguments, 1),
		   *to = value_want_text(scope->budget, arguments, 2), *found;
	const char *end = at ? at + strlen(at) : NULL;
	struct builder builder;
	size_t length;

	(void)count;
	if (!at || !from || !to)
		return NULL;
	if (*from == '\0')
		return budget_fail(scope->budget,
				   "replace() takes a string that is not empty as argument 2");
	builder_init(&builder, scope->budget);
	for (length = strlen(from); (found = texts_find(at, end, from, length)) && !builder.failed;
	     at = found + length) {
		builder_add(&builder, at, (size_t)(found - at));
		builder_add_text(&builder, to);
		builder.failed = builder.failed || !budget_steps(scope->budget, 1);
	}
	builder_add_text(&builder, at);
	return builder_finish(&builder);
}

/* The separators of a text. */
struct marks {
	const char *end; /* end of the text */
	struct mark {
		const char *text, *found; /* found: the next occurrence; NULL: no more */
		size_t length;
	} * items;
	size_t count, bytes; /* bytes: of all separators together */
};

static const char *find_mark(const struct marks *marks, const char *at, const struct mark *mark)
{
	return texts_find(at, marks->end, mark->text, mark->length);
}

/* The next separator, or the longest of several at the same place; NULL: none. */
static const char *next_mark(struct marks *marks, const char *at, size_t *length)
{
	const char *first = NULL;

	for (size_t i = 0; i < marks->count; i++) {
		struct mark *mark = &marks->items[i];

		if (mark->found && mark->found < at)
			mark->found = find_mark(marks, at, mark);
		if (!mark->found || (first && mark->found > first) ||
		    (first == mark->found && mark->length <= *length))
			continue;
		first = mark->found;
		*length = mark->length;
	}
	return first;
}

static bool read_marks(const struct scope *scope, json_t **arguments, const char *text,
		       struct marks *marks)
{
	bool is_many = json_is_array(arguments[1]);
	size_t count = is_many ? json_array_size(arguments[1]) : 1;
	const char *mark;

	*marks = (struct marks){.end = text + strlen(text)};
	marks->items = budget_alloc(scope->budget, (count + 1) * sizeof *marks->items);
	if (!marks->items)
		return false;
	for (size_t i = 0; i < count; i++) {
		mark = json_string_value(is_many ? json_array_get(arguments[1], i) : arguments[1]);
		if (!mark) {
			value_unwanted(scope->budget, arguments, 1, "a string or an array of them");
			return false;
		}
		if (*mark == '\0')
			continue;
		if (!budget_text(scope->budget, strlen(text) + strlen(mark) + BUDGET_STEP_BYTES))
			return false;
		struct mark *one = &marks->items[marks->count++];

		*one = (struct mark){.text = mark, .length = strlen(mark)};
		one->found = find_mark(marks, text, one);
		marks->bytes += one->length;
	}
	return true;
}

/* Splits by one separator, or by any of an array of them. */
static json_t *on_split(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *at = value_want_text(scope->budget, arguments, 0), *found;
	json_t *parts = value_array(scope->budget);
	struct marks marks;
	size_t length = 0;

	(void)count;
	if (!at || !read_marks(scope, arguments, at, &marks))
		return NULL;
	for (;;) {
		found = next_mark(&marks, at, &length);
		if (!budget_steps(scope->budget, 1 + marks.count / 4) ||
		    !budget_text(scope->budget, marks.bytes) ||
		    !value_add(scope->budget, parts,
			       value_text_of(scope->budget, at,
					     found ? (size_t)(found - at) : strlen(at))))
			return NULL;
		if (!found)
			return parts;
		at = found + length;
	}
}

static json_t *on_join(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *mark = value_want_text(scope->budget, arguments, 1);
	struct builder builder;
	json_t *item;
	size_t i;

	(void)count;
	if (!mark || !value_want_array(scope->budget, arguments, 0))
		return NULL;
	builder_init(&builder, scope->budget);
	json_array_foreach(arguments[0], i, item)
	{
		if (i > 0)
			builder_add_text(&builder, mark);
		builder_add_text(&builder, value_print(scope->budget, item));
		if (builder.failed)
			break;
	}
	return builder_finish(&builder);
}

/* ---- whole strings ---- */

static json_t *change_case(const struct scope *scope, json_t **arguments, int (*to)(int))
{
	const char *text = value_want_text(scope->budget, arguments, 0);
	size_t length = text ? strlen(text) : 0;
	char *changed = text ? budget_alloc(scope->budget, length + 1) : NULL;

	if (!changed)
		return NULL;
	for (size_t i = 0; i < length; i++)
		changed[i] = (char)((unsigned char)text[i] < 0x80 ? to((unsigned char)text[i])
								  : text[i]);
	return value_text_of(scope->budget, changed, length);
}

static json_t *on_lower(const struct scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return change_case(scope, arguments, tolower);
}

static json_t *on_upper(const struct scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return change_case(scope, arguments, toupper);
}

static json_t *on_pad_left(const struct scope *scope, json_t **arguments, size_t count)
{
	struct budget *budget = scope->budget;
	const char *text = NULL, *with = count > 2 ? value_want_text(budget, arguments, 2) : " ";
	struct builder builder;
	int64_t width, length;

	if (!json_is_string(arguments[0]) && !json_is_integer(arguments[0]))
		value_unwanted(budget, arguments, 0, "a string or an integer");
	else
		text = value_print(budget, arguments[0]);
	if (!text || !with || !value_want_integer(budget, arguments, 1, &width))
		return NULL;
	if (texts_length(with) != 1 || width < 0)
		return budget_fail(budget,
				   "padLeft() takes a width of 0 or more, and one character");
	builder_init(&builder, budget);
	if (!budget_has_room(budget, (size_t)width) || !budget_text(budget, strlen(text)))
		builder.failed = true;
	length = builder.failed ? 0 : (int64_t)texts_length(text);
	if (length < width)
		builder_add_times(&builder, with, (size_t)(width - length));
	builder_add_text(&builder, text);
	return builder_finish(&builder);
}

static json_t *on_string(const struct scope *scope, json_t **arguments, size_t count)
{
	(void)count;
	return json_is_string(arguments[0])
		       ? arguments[0]
		       : value_text(scope->budget, value_print(scope->budget, arguments[0]));
}

static json_t *on_starts_with(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *text = value_want_text(scope->budget, arguments, 0),
		   *with = value_want_text(scope->budget, arguments, 1);

	(void)count;
	return text && with ? value_boolean(strncasecmp(text, with, strlen(with)) == 0) : NULL;
}

static json_t *on_ends_with(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *text = value_want_text(scope->budget, arguments, 0),
		   *with = value_want_text(scope->budget, arguments, 1);
	size_t length = text ? strlen(text) : 0, end = with ? strlen(with) : 0;

	(void)count;
	if (!text || !with)
		return NULL;
	return value_boolean(end <= length && strcasecmp(text + length - end, with) == 0);
}

/* '*' stands for any characters. It is enough to match each part between two '*' at its first
 * occurrence, so nothing is tried twice. */
static json_t *on_like(const struct scope *scope, json_t **arguments, size_t count)
{
	struct budget *budget = scope->budget;
	const char *text = value_want_text(budget, arguments, 0),
		   *pattern = value_want_text(budget, arguments, 1), *end, *star, *found;

	(void)count;
	text = text && pattern ? budget_lower(budget, text) : NULL;
	pattern = text ? budget_lower(budget, pattern) : NULL;
	if (!pattern)
		return NULL;
	star = strchr(pattern, '*');
	if (!star)
		return value_boolean(strcmp(text, pattern) == 0);
	if (strncmp(text, pattern, (size_t)(star - pattern)) != 0)
		return json_false();
	end = text + strlen(text);
	text += star - pattern;
	for (pattern = star + 1; (star = strchr(pattern, '*')); pattern = star + 1) {
		if (star == pattern)
			continue;
		found = texts_find(text, end, pattern, (size_t)(star - pattern));
		if (!found || !budget_steps(budget, 1))
			return budget_has_failed(budget) ? NULL : json_false();
		text = found + (star - pattern);
	}
	return value_boolean(strlen(pattern) <= (size_t)(end - text) &&
			     strcmp(end - strlen(pattern), pattern) == 0);
}

/* fail() is an error that the template asks for. */
static json_t *on_fail(const struct scope *scope, json_t **arguments, size_t count)
{
	const char *text = value_want_text(scope->budget, arguments, 0);

	(void)count;
	return text ? budget_fail(scope->budget, "%s", *text ? text : "fail() says nothing") : NULL;
}

const struct function text_functions[] = {
	{"concat", 1, FUNCTION_ANY, .call = on_concat},
	{"endsWith", 2, 2, .call = on_ends_with},
	{"fail", 1, 1, .call = on_fail},
	{"format", 1, FUNCTION_ANY, .call = on_format},
	{"join", 2, 2, .call = on_join},
	{"like", 2, 2, .call = on_like},
	{"padLeft", 2, 3, .call = on_pad_left},
	{"replace", 3, 3, .call = on_replace},
	{"split", 2, 2, .call = on_split},
	{"startsWith", 2, 2, .call = on_starts_with},
	{"string", 1, 1, .call = on_string},
	{"substring", 2, 3, .call = on_substring},
	{"toLower", 1, 1, .call = on_lower},
	{"toUpper", 1, 1, .call = on_upper},
	{"trim", 1, 1, .call = on_trim},
	{.name = NULL},
};
