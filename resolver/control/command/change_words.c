#include "resolver/control/command/change_words.h"

#include <stdlib.h>
#include <string.h>

#include "resolver/control/base/json.h"
#include "resolver/control/base/percent.h"
#include "resolver/control/base/table.h"
#include "resolver/control/command/call.h"
#include "resolver/control/resource/kind.h"
#include "rules/base.h"
#include "rules/text.h"

enum { NAMED_MAX = 3, SEGMENTS_MAX = 5 };

const char *change_verb(const json_t *change)
{
	bool made = json_is_null(json_object_get(change, "before"));
	bool gone = json_is_null(json_object_get(change, "after"));

	return made ? "created" : gone ? "deleted" : "changed";
}

char *change_who(const json_t *change, char text[CHANGE_WORDS_MAX])
{
	const char *login = json_string_value(json_object_get(change, "login"));

	snprintf(text, CHANGE_WORDS_MAX, "%s%s%s%s", json_text_of(change, "who"),
		 login ? " (says " : "", login ? login : "", login ? ")" : "");
	return text;
}

/* ---- what ---- */

/* "zone-link" as "zone link". */
static void append_noun(char *text, const char *noun)
{
	size_t length = strlen(text);

	text_append(text, CHANGE_WORDS_MAX, "%s", noun);
	for (; text[length] != '\0'; length++)
		if (text[length] == '-' || text[length] == '_')
			text[length] = ' ';
}

/* What the change left, or, of a deletion, what there was. */
static const json_t *values_of(const json_t *change)
{
	const json_t *after = json_object_get(change, "after");

	return json_is_null(after) ? json_object_get(change, "before") : after;
}

/* The path's segments, decoded, in one block to be freed. NULL: it is no path, or no memory. */
static char *split(const char *path, char *segments[SEGMENTS_MAX], size_t *count)
{
	char *memory = malloc(strlen(path) + SEGMENTS_MAX + 1), *to = memory;

	*count = 0;
	while (memory && *path != '\0' && *count < SEGMENTS_MAX) {
		size_t length = strcspn(path, "/");

		segments[(*count)++] = to;
		if (percent_decode(path, length, false, &to) != 0)
			*count = 0;
		path += length + (path[length] == '/');
		if (*count == 0)
			break;
	}
	if (*count > 0)
		return memory;
	free(memory);
	return NULL;
}

/* "[GROUP/]NAME", as it is written on a command line. */
static void append_name(char *text, const char *group, const char *name)
{
	bool has_group = strcmp(group, GROUP_NONE) != 0;

	text_append(text, CHANGE_WORDS_MAX, " %s%s%s", has_group ? group : "", has_group ? "/" : "",
		    name);
}

/* A PTR's path has its id; people know it by what it says. */
static void append_ptr(char *text, const json_t *values, const char *id)
{
	const char *address = json_string_value(json_object_get(values, "address"));
	const char *name = json_string_value(json_object_get(values, "reverse_fqdn"));

	text_append(text, CHANGE_WORDS_MAX, "PTR %s", name ? name : address ? address : id);
}

/* What the path is of; *root: what that is in, or itself. NULL: nothing that is known. */
static const struct kind *kind_of(char *const *segments, size_t count, const struct kind **root)
{
	*root = count > 0 ? kind_of_collection(NULL, segments[0]) : NULL;
	if (count > 0 && !*root)
		*root = kind_of_inventory(segments[0]);
	return *root && count == SEGMENTS_MAX ? kind_of_collection(*root, segments[3]) : *root;
}

static void append_subject(char *text, const json_t *values, char *const *segments, size_t count)
{
	const char *written = json_string_value(json_object_get(values, "name"));
	const struct kind *root, *kind = kind_of(segments, count, &root);

	if (kind && kind->id == KIND_PTR && count == 2) {
		append_ptr(text, values, segments[1]);
	} else if (kind && count == 3) {
		append_noun(text, kind->name);
		append_name(text, segments[1], segments[2]);
	} else if (kind && count == SEGMENTS_MAX) {
		append_noun(text, kind->name);
		append_name(text, GROUP_NONE, written ? written : segments[4]);
		text_append(text, CHANGE_WORDS_MAX, " of ");
		append_noun(text, root->name);
		append_name(text, segments[1], segments[2]);
	}
}

char *change_subject(const json_t *change, char text[CHANGE_WORDS_MAX])
{
	const char *path = json_text_of(change, "path");
	char *segments[SEGMENTS_MAX], *memory;
	size_t count;

	*text = '\0';
	memory = split(path, segments, &count);
	append_subject(text, values_of(change), segments, count);
	if (*text == '\0')
		snprintf(text, CHANGE_WORDS_MAX, "%s", path);
	free(memory);
	return text;
}

/* ---- one line ---- */

/* Calls back for each member that is another one than before. */
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

/* Its kind's name. */
static const char *kind_name(const json_t *change)
{
	char *segments[SEGMENTS_MAX], *memory;
	const struct kind *kind, *root;
	size_t count;

	memory = split(json_text_of(change, "path"), segments, &count);
	kind = kind_of(segments, count, &root);
	free(memory);
	return kind ? kind->name : "resource";
}

/* "2 groups" */
static void append_count(char *text, const char *name, json_int_t count)
{
	const struct kind *kind = kind_named(name);

	text_append(text, CHANGE_WORDS_MAX, "%" JSON_INTEGER_FORMAT " ", count);
	append_noun(text, count == 1 ? name : kind ? kind->collection : "resources");
}

/* "created 1 group, 254 addresses" of very many. */
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
			name = kind_name(change);
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
	char subject[CHANGE_WORDS_MAX];

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
			    change_subject(change, subject));
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

struct printing {
	const char *verb;
	FILE *out;
};

static void print_member(void *context, const char *key, const json_t *before, const json_t *after)
{
	const struct printing *printing = context;
	char was[TABLE_CELL_MAX], is[TABLE_CELL_MAX];

	if (strcmp(key, "name") == 0 || strcmp(key, "resource_group") == 0)
		return; /* the first line has them */
	if (strcmp(printing->verb, "created") == 0)
		fprintf(printing->out, "  %s: %s\n", key, words_of(after, is));
	else if (strcmp(printing->verb, "deleted") == 0)
		fprintf(printing->out, "  %s: was %s\n", key, words_of(before, was));
	else
		fprintf(printing->out, "  %s: was %s, is %s\n", key, words_of(before, was),
			words_of(after, is));
}

void change_print(const json_t *change, FILE *out)
{
	char subject[CHANGE_WORDS_MAX];
	struct printing printing = {change_verb(change), out};

	fprintf(out, "%s ", printing.verb);
	text_print(out, change_subject(change, subject));
	fputc('\n', out);
	each_member(change, print_member, &printing);
}
