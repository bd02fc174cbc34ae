/* A path is COLLECTION/GROUP/NAME, with /COLLECTION/NAME for a resource inside another one; a PTR's
 * is COLLECTION/ID. The table of kinds gives the noun for each collection. */
#include "resolver/control/resource/change_words.h"

#include <stdlib.h>
#include <string.h>

#include "resolver/control/base/json.h"
#include "resolver/control/base/percent.h"
#include "resolver/control/resource/kind.h"
#include "rules/base.h"
#include "rules/text.h"

enum { CHANGE_WORDS_MAX = 400, SEGMENTS_MAX = 5 };

static const char *verb_of(const json_t *change)
{
	bool made = json_is_null(json_object_get(change, "before"));
	bool gone = json_is_null(json_object_get(change, "after"));

	return made ? "created" : gone ? "deleted" : "changed";
}

/* "zone-link" as "zone link". */
static void append_noun(char *text, const char *noun)
{
	size_t length = strlen(text);

	text_append(text, CHANGE_WORDS_MAX, "%s", noun);
	for (; text[length] != '\0'; length++)
		if (text[length] == '-' || text[length] == '_')
			text[length] = ' ';
}

/* The values after the change, or, for a deletion, those before it. */
static const json_t *values_of(const json_t *change)
{
	const json_t *after = json_object_get(change, "after");

	return json_is_null(after) ? json_object_get(change, "before") : after;
}

/* Splits the path into decoded segments, in one block to be freed. NULL: no path, or no memory. */
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

/* Appends "[GROUP/]NAME", as on a command line. */
static void append_name(char *text, const char *group, const char *name)
{
	bool has_group = strcmp(group, GROUP_NONE) != 0;

	text_append(text, CHANGE_WORDS_MAX, " %s%s%s", has_group ? group : "", has_group ? "/" : "",
		    name);
}

/* A PTR's path has an id, which says little to people: prefer the name, else the address. */
static void append_ptr(char *text, const json_t *values, const char *id)
{
	const char *address = json_string_value(json_object_get(values, "address"));
	const char *name = json_string_value(json_object_get(values, "reverse_fqdn"));

	text_append(text, CHANGE_WORDS_MAX, "PTR %s", name ? name : address ? address : id);
}

/* The kind of the path's resource; *root: the kind of the path's first
 * segment. NULL: unknown. */
static const struct kind *kind_of(char *const *segments, size_t count, const struct kind **root)
{
	*root = count > 0 ? kind_of_collection(NULL, segments[0]) : NULL;
	if (count > 0 && !*root)
		*root = kind_beside(segments[0]);
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

static char *subject_of(const json_t *change, char text[CHANGE_WORDS_MAX])
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

/* The name of the edit's kind; NULL: unknown. */
static const char *kind_of_edit(const json_t *change)
{
	char *segments[SEGMENTS_MAX], *memory;
	const struct kind *kind, *root;
	size_t count;

	memory = split(json_text_of(change, "path"), segments, &count);
	kind = kind_of(segments, count, &root);
	free(memory);
	return kind ? kind->name : NULL;
}

void change_words_put(json_t *edit)
{
	char subject[CHANGE_WORDS_MAX];

	json_put(edit, "verb", json_text(verb_of(edit)));
	json_put(edit, "kind", json_text(kind_of_edit(edit)));
	json_put(edit, "subject", json_text(subject_of(edit, subject)));
}
