/* `sluice rule list --csv` and `sluice rule import [RULESET] FILE.csv`: rules as lines of a
 * spreadsheet. The columns are the ruleset and members of a rule; a list can be imported again.
 *
 *     FILE ─► rows ─────────────────┐
 *                                   ├─► edits ─► POST /v1/changes, all of it or nothing
 *     GET /v1/rulesets/.../rules ───┘
 *
 * A row with a name changes the rule of that name, a row without one the rule for its domain. If
 * there is no such rule, the row makes one. Members without a column stay as they are, and so do
 * rules that the file lacks. */
#include <ctype.h>

#include "resolver/control/base/csv.h"
#include "resolver/control/base/json.h"
#include "resolver/control/command/call.h"
#include "resolver/control/resource/kind.h"
#include "resolver/control/resource/values.h"
#include "rules/base.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

enum { RULE_NAME_MAX = 80, RULE_NAMES_MAX = 1000 };

/* ---- list ---- */

static const char *const columns[] = {"ruleset",      "name",  "domain",      "targets",
				      "target_group", "state", "description", NULL};

/* A description of a target has no place in a cell of targets. */
static json_t *without_description(const json_t *value)
{
	json_t *copy = json_deep_copy(value), *item;
	size_t i;

	json_array_foreach(copy, i, item)
	{
		json_object_del(item, "description");
	}
	return copy;
}

static void write_cell(const json_t *value)
{
	json_t *plain = without_description(value), *shown = command_shown(plain), *item;
	char *text = NULL;
	size_t length, i;
	FILE *out = json_is_array(shown) ? open_memstream(&text, &length) : NULL;

	if (out) {
		json_array_foreach(shown, i, item)
			fprintf(out, "%s%s", i > 0 ? "," : "", json_string_value(item));
		fclose(out);
	}
	csv_write(stdout, text ? text : json_string_value(shown));
	free(text);
	json_decref(shown);
	json_decref(plain);
}

static int list_csv(const struct command_line *line)
{
	const struct kind *kind = kind_named("rule");
	int status;
	const char *ruleset = line->argument_count > 0 ? line->arguments[0] : NULL;
	json_t *all, *rule;
	size_t i;

	if (ruleset && *client_top(ruleset).name == '\0')
		return command_no_name(line, "ruleset", ruleset);
	all = command_ask_inside(line, kind, ruleset, &status);
	if (!all)
		return status;
	for (size_t c = 0; columns[c]; c++)
		printf("%s%s", c > 0 ? "," : "", columns[c]);
	putchar('\n');
	json_array_foreach(json_object_get(all, kind->collection), i, rule)
	{
		for (size_t c = 0; columns[c]; c++) {
			if (c > 0)
				putchar(',');
			write_cell(json_object_get(rule, columns[c]));
		}
		putchar('\n');
	}
	json_decref(all);
	return EXIT_SUCCESS;
}

int command_rule_list(const struct command_line *line)
{
	if (line->csv && line->json)
		return command_misuse(line, "--csv and --json are two forms; choose one");
	return line->csv ? list_csv(line) : command_resource_list(line);
}

/* ---- import ---- */

struct rule_import {
	const struct command_line *line;
	const char *path, *ruleset; /* ruleset NULL: rows name it, or there is only one */
	struct csv_row row;
	size_t count;                               /* of columns */
	const struct field *fields[CSV_FIELDS_MAX]; /* NULL: the ruleset's column */
	json_t *rulesets;                           /* [GROUP/]NAME in lower case -> path */
	json_t *rules;                              /* ruleset's path -> {name: rule} */
	json_t *seen;          /* a rule's path, as fault_path writes it -> its row's line */
	json_t *edits, *lines; /* lines: of each edit's row */
	size_t created, changed, unchanged, wrong;
};

static void complain(struct rule_import *import, const char *column, const char *text)
{
	import->wrong++;
	fprintf(stderr, "%s:%u: %s%s", import->path, import->row.line, column, *column ? ": " : "");
	text_print(stderr, text);
	fputc('\n', stderr);
}

/* Finds a column's field in any case: a spreadsheet may write Domain. */
static const struct field *rule_field(const char *key)
{
	char *lower = text_lower(strdup(key));
	const struct field *field =
		lower ? schema_field(kind_field(kind_named("rule"))->group, lower) : NULL;

	free(lower);
	return field;
}

/* False: the error has been printed. */
static bool read_header(struct rule_import *import, struct csv *csv)
{
	const char *why;
	bool has_domain = false, fine = csv_next(csv, &import->row, &why) == 0;

	if (!fine)
		complain(import, "", "the first line must name the columns, as in domain,targets");
	import->count = import->row.count;
	for (size_t i = 0; fine && i < import->count; i++) {
		const char *key = import->row.fields[i];

		import->fields[i] = strcasecmp(key, "ruleset") == 0 ? NULL : rule_field(key);
		has_domain = has_domain || strcasecmp(key, "domain") == 0;
		fine = import->fields[i] || strcasecmp(key, "ruleset") == 0;
		if (!fine)
			complain(import, key,
				 "there is no such column; the first line names the columns: "
				 "domain, targets, name, ruleset, target_group, state, description "
				 "and the other members of a rule");
	}
	if (fine && !has_domain)
		complain(import, "", "the column domain is missing");
	return fine && has_domain;
}

/* ---- present rules ---- */

static bool same_domain(const char *a, const char *b)
{
	size_t length = name_text_length(a);

	return length == name_text_length(b) && strncasecmp(a, b, length) == 0;
}

/* The members of a shown rule that a change may have, without defaults: those are shown even if
 * nobody gave them, and would look like changes. NULL: out of memory. */
static json_t *values_of(const json_t *rule)
{
	const struct kind *kind = kind_named("rule");
	const struct group *group = kind_field(kind)->group;
	json_t *values = json_object();

	for (size_t i = 0; i < group->count; i++) {
		json_t *value = json_object_get(rule, group->fields[i].key);

		if (value && !json_is_null(value) && strcmp(group->fields[i].key, "name") != 0 &&
		    !values_is_default(kind, group->fields[i].key, value))
			json_put(values, group->fields[i].key, json_deep_copy(value));
	}
	return values;
}

/* Asks for all rulesets and their rules. False: the error has been printed. */
static bool ask_rules(struct rule_import *import)
{
	struct command_line plain = *import->line;
	const struct kind *kind = kind_named("rule");
	json_t *list, *item, *all;
	size_t i;
	int status;

	plain.limit = NULL;
	plain.filters.count = 0;
	list = command_ask_list(&plain, client_path("/v1/rulesets"), "rulesets");
	json_array_foreach(json_object_get(list, "rulesets"), i, item)
	{
		const char *group = json_string_value(json_object_get(item, "resource_group"));
		const char *path = json_text_of(item, "path");
		char *name = NULL;

		if (asprintf(&name, "%s%s%s", group ? group : "", group ? "/" : "",
			     json_text_of(item, "name")) < 0)
			name = NULL;
		json_put(import->rulesets, text_lower(name), json_text(path));
		json_put(import->rules, path, json_object());
		free(name);
	}
	all = list ? command_ask_inside(&plain, kind, NULL, &status) : NULL;
	json_array_foreach(json_object_get(all, kind->collection), i, item)
	{
		char *ruleset = text_lower(strdup(json_text_of(item, "ruleset")));
		const char *path = ruleset ? json_text_of(import->rulesets, ruleset) : "";

		json_put(json_object_get(import->rules, path), json_text_of(item, "name"),
			 json_incref(item));
		free(ruleset);
	}
	json_decref(list);
	json_decref(all);
	return all;
}

/* The ruleset's path; NULL: missing or unknown; prints why. */
static const char *find_ruleset(struct rule_import *import, const char *name)
{
	const char *path = NULL, *key;
	char *lower, text[200];
	json_t *value;

	if (!name && json_object_size(import->rulesets) == 1)
		json_object_foreach(import->rulesets, key, value) return json_string_value(value);
	if (!name) {
		complain(import, "ruleset",
			 json_object_size(import->rulesets) > 0
				 ? "there are several; name one ahead of the file, or in a column"
				 : "there is none; make one first: sluice ruleset create NAME");
		return NULL;
	}
	lower = text_lower(strdup(strncmp(name, "-/", 2) == 0 ? name + 2
				  : *name == '/'              ? name + 1
							      : name));
	if (lower)
		path = json_string_value(json_object_get(import->rulesets, lower));
	free(lower);
	snprintf(text, sizeof text,
		 "there is no ruleset \"%.100s\"; `sluice list ruleset` lists them", name);
	if (!path)
		complain(import, "ruleset", text);
	return path;
}

/* The row's rule; NULL: a new one. */
static const json_t *find_rule(const json_t *rules, const char *name, const char *domain)
{
	const char *key;
	json_t *rule;

	json_object_foreach(
		(json_t *)(uintptr_t)rules, key,
		rule) if (name ? strcasecmp(key, name) == 0
			       : same_domain(json_text_of(rule, "domain"), domain)) return rule;
	return NULL;
}

/* Makes a name from the domain, "contoso-corp" for contoso.corp., that no rule of the ruleset
 * has. */
static void make_name(const json_t *rules, const char *domain, char name[RULE_NAME_MAX + 1])
{
	char stem[RULE_NAME_MAX - 8] = "";
	size_t length = 0;

	if (!isalpha((unsigned char)*domain))
		length = (size_t)snprintf(stem, sizeof stem, "%s", domain[0] == '.' ? "all" : "r-");
	for (const char *at = domain; *at != '\0' && length < sizeof stem - 1; at++)
		stem[length++] =
			isalnum((unsigned char)*at) || *at == '-' || *at == '_' ? *at : '-';
	while (length > 0 && !isalnum((unsigned char)stem[length - 1]))
		length--;
	stem[length] = '\0';
	snprintf(name, RULE_NAME_MAX + 1, "%s", stem);
	for (int n = 2; find_rule(rules, name, NULL) && n < RULE_NAMES_MAX; n++)
		snprintf(name, RULE_NAME_MAX + 1, "%s-%d", stem, n);
}

/* ---- a row ---- */

/* The cell in the field's column; NULL: empty, or no such column. */
static const char *cell(const struct rule_import *import, const struct field *field)
{
	for (size_t i = 0; i < import->count; i++)
		if (import->fields[i] == field && *import->row.fields[i] != '\0')
			return import->row.fields[i];
	return NULL;
}

/* Spreadsheets separate targets by commas, semicolons or blanks. */
static char *with_commas(const char *text)
{
	char *copy = strdup(text), *to = copy;

	for (const char *at = text; copy && *at != '\0'; at++) {
		bool separates = strchr(",; \t\r\n", *at);

		if (!separates)
			*to++ = *at;
		else if (to > copy && to[-1] != ',')
			*to++ = ',';
	}
	if (copy && to > copy && to[-1] == ',')
		to--;
	if (copy)
		*to = '\0';
	return copy;
}

static json_t *read_cell(const struct field *field, const char *text)
{
	char *list = field->type == FIELD_LIST ? with_commas(text) : NULL, *whole = NULL;
	json_t *value;

	if (field->type == FIELD_DOMAIN && text[name_text_length(text)] == '\0' &&
	    strcmp(text, ".") != 0 && asprintf(&whole, "%s.", text) < 0)
		whole = NULL;
	value = command_value(field, list ? list : whole ? whole : text);
	free(list);
	free(whole);
	return value;
}

/* Whether both look the same in a cell: 10.0.0.5 is 10.0.0.5:53. */
static bool is_same(const json_t *a, const json_t *b)
{
	json_t *plain = without_description(a);
	json_t *left = command_shown(plain), *right = command_shown(b);
	bool same = a && b && json_equal(left, right);

	json_decref(plain);
	json_decref(left);
	json_decref(right);
	return same;
}

static bool is_same_target(json_t *a, json_t *b)
{
	json_t *left = json_make("[O]", a), *right = json_make("[O]", b);
	bool same = is_same(left, right);

	json_decref(left);
	json_decref(right);
	return same;
}

/* Copies the descriptions of targets that stay. */
static void keep_descriptions(const json_t *before, json_t *value)
{
	json_t *old, *new, *description;
	size_t i, k;

	json_array_foreach((json_t *)(uintptr_t)before, i, old)
	{
		description = json_object_get(old, "description");
		json_array_foreach(value, k, new)
		{
			if (description && is_same_target(old, new))
				json_put(new, "description", json_incref(description));
		}
	}
}

/* Puts the row's cells into the values, except those that the rule (NULL: a new one) has already.
 * False: a cell is wrong; prints why. */
static bool put_cells(struct rule_import *import, const json_t *rule, json_t *values)
{
	for (size_t i = 0; i < import->count; i++) {
		const struct field *field = import->fields[i];
		const char *text = import->row.fields[i];
		json_t *value;

		if (!field || strcmp(field->key, "name") == 0)
			continue;
		if (*text == '\0') {
			json_object_del(values, field->key);
			continue;
		}
		value = read_cell(field, text);
		if (!value) {
			complain(import, field->key, "does not fit");
			return false;
		}
		if (is_same(json_object_get(rule, field->key), value)) {
			json_decref(value);
			continue;
		}
		if (field->type == FIELD_LIST)
			keep_descriptions(json_object_get(rule, field->key), value);
		json_put(values, field->key, value);
	}
	return true;
}

/* The change is refused if anybody has changed or made the rule in between. */
static void add_edit(struct rule_import *import, const char *ruleset, const char *name,
		     const json_t *rule, json_t *values)
{
	char *encoded = client_path("%", name), *path = NULL;

	if (encoded && asprintf(&path, "%s/rules/%s", ruleset, encoded) < 0)
		path = NULL;
	json_add(import->edits, json_make("{s:o, s:o, s:o}", "path", json_text(path), "values",
					  values, "etag", json_text(json_text_of(rule, "etag"))));
	json_add(import->lines, json_integer(import->row.line));
	free(path);
	free(encoded);
}

/* The path in the form of faults, in lower case: "rulesets[dev/lab].rules[one]" for
 * "rulesets/dev/lab". */
static char *fault_path(const char *ruleset, const char *name)
{
	const char *at = strchr(ruleset, '/');
	char *text = NULL;

	at = at ? at + 1 : ruleset;
	at += strncmp(at, "-/", 2) == 0 ? 2 : 0;
	if (asprintf(&text, "rulesets[%s].rules[%s]", at, name) < 0)
		text = NULL;
	return text_lower(text);
}

static bool is_seen(struct rule_import *import, const char *ruleset, const char *name)
{
	char *key = fault_path(ruleset, name);
	bool seen = key && json_object_get(import->seen, key);

	json_put(import->seen, key, json_integer(import->row.line));
	free(key);
	return seen;
}

static void take_row(struct rule_import *import)
{
	const char *domain = cell(import, rule_field("domain"));
	const char *name = cell(import, rule_field("name")), *column = cell(import, NULL);
	const char *ruleset = find_ruleset(import, column ? column : import->ruleset);
	json_t *rules = ruleset ? json_object_get(import->rules, ruleset) : NULL, *values, *before;
	char made[RULE_NAME_MAX + 1];
	const json_t *rule;

	if (!ruleset)
		return;
	if (!domain) {
		complain(import, "domain", "it is empty; give a domain, or . for everything");
		return;
	}
	rule = find_rule(rules, name, domain);
	if (rule)
		name = json_text_of(rule, "name");
	else if (!name)
		make_name(rules, domain, made);
	if (!rule && !name)
		name = made;
	before = values_of(rule);
	values = json_deep_copy(before);
	if (is_seen(import, ruleset, name)) {
		complain(import, "",
			 "another row before this one is for the same rule; leave one out");
	} else if (put_cells(import, rule, values)) {
		bool same = rule && json_equal(before, values);

		import->unchanged += same;
		import->changed += rule && !same;
		import->created += !rule;
		if (!same)
			add_edit(import, ruleset, name, rule, json_incref(values));
		if (!rule) { /* so that the next new rule gets another name */
			json_t *shown = json_deep_copy(values);

			json_put(shown, "name", json_text(name));
			json_put(rules, name, shown);
		}
	}
	json_decref(before);
	json_decref(values);
}

/* Spreadsheets write empty rows below a table. */
static bool is_empty(const struct csv_row *row)
{
	for (size_t i = 0; i < row->count; i++)
		if (*row->fields[i] != '\0')
			return false;
	return true;
}

static void take_rows(struct rule_import *import, struct csv *csv)
{
	const char *why;
	int err;

	while ((err = csv_next(csv, &import->row, &why)) != ERR_NOT_FOUND) {
		if (err != 0)
			complain(import, "", why);
		else if (is_empty(&import->row))
			continue;
		else if (import->row.count != import->count)
			complain(import, "",
				 "it has another number of fields than the first line; quote a "
				 "field that has a comma");
		else
			take_row(import);
	}
}

/* The line of the row of edit `index`. If the error is about no edit: of the row of the rule that
 * `path` names. 0: there is no such row. */
static unsigned line_of(void *context, size_t index, const char *path)
{
	const struct rule_import *import = context;
	const json_t *line = json_array_get(import->lines, index);
	char *rule = text_lower(strdup(path)), *name = rule ? strstr(rule, "].rules[") : NULL;
	char *end = name ? strchr(name + 1, ']') : NULL;

	if (!line && end) {
		end[1] = '\0'; /* without the member */
		line = json_object_get(import->seen, rule);
	}
	free(rule);
	return (unsigned)json_integer_value(line);
}

static int carry_out(struct rule_import *import)
{
	const struct command_line *line = import->line;
	const char *query = line->dry_run ? "/v1/changes?dry_run" : "/v1/changes";
	const char *be = line->dry_run ? "would be " : "";
	json_t *answer = NULL;

	if (import->wrong > 0)
		return command_fail_at(line, "%zu row%s of %s %s not fit; nothing has changed",
				       import->wrong, text_plural(import->wrong, "", "s"),
				       import->path, text_plural(import->wrong, "does", "do"));
	if (json_array_size(import->edits) > 0) {
		answer = client_ask(
			line,
			(struct client_call){.method = "POST",
					     .body = json_make("{s:O}", "edits", import->edits),
					     .line_of = line_of,
					     .file = import->path,
					     .context = import,
					     .timeout_ms = CLIENT_RELOAD_MS},
			client_path(query));
		if (!answer)
			return command_fail_at(line, "%s: nothing has changed", import->path);
		command_print_warnings(line, answer);
	}
	if (line->json)
		command_print_json(json_object_get(answer, "revision") ? answer : import->edits);
	else
		printf("%zu rule%s %screated, %zu %schanged, %zu %s so already%s\n",
		       import->created, text_plural(import->created, "", "s"), be, import->changed,
		       be, import->unchanged, line->dry_run ? "are" : "were",
		       line->dry_run ? COMMAND_NOT_DONE : "");
	json_decref(answer);
	return EXIT_SUCCESS;
}

int command_rule_import(const struct command_line *line)
{
	int last = line->argument_count - 1, status = EXIT_FAILURE;
	struct rule_import import = {.line = line,
				     .path = line->arguments[last],
				     .ruleset = last > 0 ? line->arguments[0] : NULL,
				     .rulesets = json_object(),
				     .rules = json_object(),
				     .seen = json_object(),
				     .edits = json_array(),
				     .lines = json_array()};
	struct command_file file = {0};
	struct csv csv;

	if (command_read_file(line, import.path, &file)) {
		csv_init(&csv, file.text, file.length);
		if (read_header(&import, &csv) && ask_rules(&import)) {
			take_rows(&import, &csv);
			status = carry_out(&import);
		}
	}
	free(file.text);
	json_decref(import.rulesets);
	json_decref(import.rules);
	json_decref(import.seen);
	json_decref(import.edits);
	json_decref(import.lines);
	return status;
}
