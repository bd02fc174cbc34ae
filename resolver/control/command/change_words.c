#include "resolver/control/command/change_words.h"

#include <string.h>

#include "resolver/control/base/json.h"
#include "resolver/control/base/table.h"
#include "resolver/control/command/call.h"
#include "rules/base.h"
#include "rules/text.h"

enum { NAMED_MAX = 3 };

const char *change_verb(const json_t *change)
{
	return json_text_of(change, "verb");
}

const char *change_subject(const json_t *change)
{
	return json_text_of(change, "subject");
}

char *change_who(const json_t *change, char text[CHANGE_WORDS_MAX])
{
	const char *login = json_string_value(json_object_get(change, "login"));

	snprintf(text, CHANGE_WORDS_MAX, "%s%s%s%s", json_text_of(change, "who"),
		 login ? " (says " : "", login ? login : "", login ? ")" : "");
	return text;
}

/* ---- in one line ---- */

/* Calls back for each member that has changed. */
static void each_member(const json_t *change,
			void (*on_member)(void *context, const char *key, const json_t *before,
					  const json_t *after),
			void *context)
{
	const json_t *before = json_object_get(change, "before");
	const json_t *after = json_object_get(change, "after");
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)before, key, value)
	{
		if (!json_equal(value, json_object_get(after, key)))
			on_member(context, key, value, json_object_get(after, key));
	}
	json_object_foreach((json_t *)(uintptr_t)after, key, value)
	{
		if (!json_object_get(before, key))
			on_member(context, key, NULL, value);
	}
}

struct members {
	char *text;
	size_t count;
};

static void add_member(void *context, const char *key, const json_t *before, const json_t *after)
{
	struct members *members = context;

	(void)before;
	(void)after;
	text_append(members->text, CHANGE_WORDS_MAX, "%s%s", members->count++ > 0 ? ", " : ": ",
		    key);
}

/* "2 zone links" */
static void append_count(char *text, const char *kind, json_int_t count)
{
	size_t length = strlen(kind);
	const char *ending = count == 1 ? "" : length > 0 && kind[length - 1] == 's' ? "es" : "s";

	text_append(text, CHANGE_WORDS_MAX, "%" JSON_INTEGER_FORMAT " ", count);
	for (const char *at = kind; *at != '\0'; at++)
		text_append(text, CHANGE_WORDS_MAX, "%c", *at == '-' ? ' ' : *at);
	text_append(text, CHANGE_WORDS_MAX, "%s", ending);
}

/* Sums up more than NAMED_MAX changes: "created 1 group, 254 addresses". */
static void append_counts(const json_t *changes, char *text)
{
	static const char *const verbs[] = {"created", "changed", "deleted"};
	json_t *change, *value;
	const char *name;
	size_t i;

	for (size_t v = 0; v < COUNT(verbs); v++) {
		json_t *counts = json_object();
		bool begun = false;

		json_array_foreach((json_t *)(uintptr_t)changes, i, change)
		{
			name = json_string_value(json_object_get(change, "kind"));
			name = name ? name : "resource";
			if (strcmp(change_verb(change), verbs[v]) == 0)
				json_put(counts, name,
					 json_integer(
						 json_integer_value(json_object_get(counts, name)) +
						 1));
		}
		json_object_foreach(counts, name, value)
		{
			text_append(text, CHANGE_WORDS_MAX, "%s", *text ? ", " : "");
			if (!begun)
				text_append(text, CHANGE_WORDS_MAX, "%s ", verbs[v]);
			begun = true;
			append_count(text, name, json_integer_value(value));
		}
		json_decref(counts);
	}
}

char *change_line(const json_t *changes, char text[CHANGE_WORDS_MAX])
{
	size_t count = json_array_size(changes);
	const char *verb = "";

	*text = '\0';
	if (count > NAMED_MAX) {
		append_counts(changes, text);
		return text;
	}
	for (size_t i = 0; i < count; i++) {
		const json_t *change = json_array_get(changes, i);
		bool same = strcmp(verb, change_verb(change)) == 0;

		text_append(text, CHANGE_WORDS_MAX, "%s", i > 0 ? ", " : "");
		verb = change_verb(change);
		text_append(text, CHANGE_WORDS_MAX, "%s%s%s", same ? "" : verb, same ? "" : " ",
			    change_subject(change));
	}
	if (count == 1 && strcmp(verb, "changed") == 0) {
		struct members members = {text, 0};

		each_member(json_array_get(changes, 0), add_member, &members);
	}
	return text;
}

/* ---- before and after ---- */

static char *words_of(const json_t *value, char text[TABLE_CELL_MAX])
{
	json_t *shown = command_shown(value);

	if (!value || json_is_null(value) || (json_is_array(value) && !json_array_size(value)))
		snprintf(text, TABLE_CELL_MAX, "not given");
	else
		table_cell(shown, text);
	json_decref(shown);
	return text;
}

struct change_output {
	const char *verb;
	FILE *out;
};

static void print_member(void *context, const char *key, const json_t *before, const json_t *after)
{
	const struct change_output *output = context;
	char was[TABLE_CELL_MAX], is[TABLE_CELL_MAX];

	if (strcmp(key, "name") == 0 || strcmp(key, "resource_group") == 0)
		return; /* the first line has them */
	if (strcmp(output->verb, "created") == 0)
		fprintf(output->out, "  %s: %s\n", key, words_of(after, is));
	else if (strcmp(output->verb, "deleted") == 0)
		fprintf(output->out, "  %s: was %s\n", key, words_of(before, was));
	else
		fprintf(output->out, "  %s: was %s, is %s\n", key, words_of(before, was),
			words_of(after, is));
}

void change_print(const json_t *change, FILE *out)
{
	struct change_output output = {change_verb(change), out};

	fprintf(out, "%s ", output.verb);
	text_print(out, change_subject(change));
	fputc('\n', out);
	each_member(change, print_member, &output);
}
