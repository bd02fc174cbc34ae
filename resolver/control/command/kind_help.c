/* Kinds of resources as words of the command line: their verbs, where they may stand, and the help
 * of each, with members from the field table. */
#include <ctype.h>

#include "resolver/control/command/command.h"
#include "resolver/control/resource/kind.h"
#include "rules/base.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

bool command_is_kind(const char *word)
{
	return kind_named(word);
}

/* ---- verbs ---- */

/* The verbs of every kind, with other tools' words for them, and the arguments after the name. */
static const struct {
	const char *name, *aliases[4], *arguments;
} verbs[] = {
	{"list", {"ls"}, NULL},
	{"show", {"get"}, ""},
	{"create", {"add", "new"}, " [KEY=VALUE...]"},
	{"set", {"update"}, " KEY=VALUE..."},
	{"delete", {"remove", "unset", "rm"}, ""},
};

const char *command_verb(const char *word)
{
	for (size_t i = 0; i < COUNT(verbs); i++)
		if (strcmp(verbs[i].name, word) == 0 || text_is_among(word, verbs[i].aliases))
			return verbs[i].name;
	return NULL;
}

const char *command_verb_at(size_t place)
{
	return place < COUNT(verbs) ? verbs[place].name : NULL;
}

void command_kind_swap(char **words, int count)
{
	char *kind = words[0];

	if (count < 2 || !command_verb(words[1]) || !kind_named(kind))
		return;
	words[0] = words[1];
	words[1] = kind;
}

const char *command_kind_near(const char *word)
{
	unsigned best = text_typos_max(word) + 1;
	const char *near = NULL, *whole = NULL;

	for (size_t i = 0; i < KINDS_ALL; i++) {
		unsigned distance = text_distance(kinds[i].name, word);

		if (distance < best) {
			best = distance;
			near = kinds[i].name;
		}
		if (!whole && strlen(word) > 3 && strstr(kinds[i].name, word))
			whole = kinds[i].name; /* "pool" of address-pool */
	}
	return near ? near : whole;
}

/* ---- help ---- */

enum { MEMBER_TEXT_MAX = 512 };

/* The form of a member's value on the command line. */
static const char *member_takes(const struct field *field, char text[MEMBER_TEXT_MAX])
{
	switch (field->type) {
	case FIELD_LIST:
		return schema_field(field->group, "protocol")
			       ? "servers: 10.0.0.5,10.0.0.6:5353/tcp"
			       : "a list, as JSON";
	case FIELD_HOSTS: return "addresses: 10.0.0.5,10.0.0.6:5353";
	case FIELD_PREFIXES: return "prefixes: 10.0.0.0/16,10.1.0.0/16";
	case FIELD_DOMAINS: return "names, with commas between them";
	case FIELD_STRINGS: return "texts, with commas between them";
	case FIELD_TAGS: return "names with values: team=mail,env=prod";
	default: return schema_expected(field, text, MEMBER_TEXT_MAX);
	}
}

/* An address need not be given: the server takes a free one of a pool. */
static void print_member(const struct kind *kind, const struct field *field, FILE *out)
{
	bool required = field->required && kind->id != KIND_ADDRESS;
	char text[MEMBER_TEXT_MAX];

	fprintf(out, "  %-20s %s%s\n", field->key, member_takes(field, text),
		required ? "; required" : "");
}

/* The form of a resource's name. */
static const char *name_form(const struct kind *kind)
{
	return kind->id == KIND_PTR                     ? " ADDRESS|ID"
	       : kind->parent || !kind_has_groups(kind) ? " NAME"
							: " [GROUP/]NAME";
}

/* Prints the argument that names the parent: " [GROUP/]RULESET". In a list it is optional, and a
 * kind without a parent has its group there: " [[GROUP/]RULESET]", " [GROUP]". */
static void print_parent(const struct kind *kind, bool list, FILE *out)
{
	if (kind->parent)
		fputs(list ? " [[GROUP/]" : " [GROUP/]", out);
	for (const char *at = kind->parent ? kind->parent->name : ""; *at; at++)
		putc(toupper((unsigned char)*at), out);
	if (kind->parent && list)
		putc(']', out);
	if (list && !kind->parent && kind_has_groups(kind))
		fputs(" [GROUP]", out);
}

void command_kind_usage(const char *verb, const char *word, FILE *out)
{
	const struct kind *kind = kind_named(word);

	for (size_t i = 0; kind && i < COUNT(verbs); i++) {
		if (strcmp(verbs[i].name, verb) != 0)
			continue;
		fprintf(out, "for this kind: sluice %s %s", kind->name, verb);
		print_parent(kind, i == 0, out);
		fprintf(out, "%s%s\n", i == 0 ? "" : name_form(kind),
			i == 0 ? "" : verbs[i].arguments);
	}
}

bool command_kind_help(const char *word, FILE *out)
{
	const struct kind *kind = kind_named(word);
	const struct group *group = kind ? kind_field(kind)->group : NULL;

	if (!kind)
		return false;
	for (size_t i = 0; i < COUNT(verbs); i++) {
		fprintf(out, "%s sluice %s %s", i == 0 ? "usage:" : "      ", kind->name,
			verbs[i].name);
		print_parent(kind, i == 0, out);
		fprintf(out, "%s%s\n", i == 0 ? "" : name_form(kind),
			i == 0 ? "" : verbs[i].arguments);
	}
	fputs("\nKEY is one of these; KEY= takes one away. sluice.conf(5) says what they mean,\n"
	      "`sluice help set` which options there are.\n\n",
	      out);
	for (size_t i = 0; i < group->count; i++)
		if (kind_has(kind, &group->fields[i]) &&
		    strcmp(group->fields[i].key, kind_name_key(kind)) != 0)
			print_member(kind, &group->fields[i], out);
	return true;
}
