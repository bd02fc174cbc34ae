/* A default counts as not given: a model does not know which values its file has. */
#include "resolver/control/command/settings.h"

#include "resolver/control/base/json.h"
#include "resolver/control/resource/values.h"
#include "rules/check/limits.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

/* ---- printing ---- */

static void print_items(FILE *out, const json_t *array)
{
	bool is_list = json_is_object(json_array_get(array, 0));
	const json_t *item;
	size_t i;

	fputs(is_list ? "( " : "[ ", out);
	json_array_foreach(array, i, item)
	{
		fputs(i == 0 ? "" : ", ", out);
		settings_print(out, item);
	}
	fputs(is_list ? " )" : " ]", out);
}

static void print_members(FILE *out, const json_t *group)
{
	const char *key;
	json_t *value;

	fputs("{ ", out);
	json_object_foreach((json_t *)group, key, value)
	{
		fprintf(out, "%s = ", key);
		settings_print(out, value);
		fputs("; ", out);
	}
	fputc('}', out);
}

void settings_print(FILE *out, const json_t *value)
{
	if (json_is_array(value))
		print_items(out, value);
	else if (json_is_object(value))
		print_members(out, value);
	else
		json_dumpf(value, out, JSON_ENCODE_ANY);
	/* libconfig reads an integer above 2147483647 only with an L. */
	if (json_integer_value(value) > INT32_MAX)
		fputc('L', out);
}

/* Marks a group that the server's file has already, because it cannot stand there twice. */
static void print_lines(const json_t *settings, const json_t *served, const json_t *defaults)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)settings, key, value)
	{
		const json_t *there = json_object_get(served, key);
		bool is_there = json_is_object(value) && there &&
				!json_equal(there, json_object_get(defaults, key));

		fprintf(stderr, "    %s = ", key);
		settings_print(stderr, value);
		fputs(is_there ? ";  # add it to the group that is there\n" : ";\n", stderr);
	}
}

static const char *server_file(const struct command_line *line)
{
	return line->socket ? "the server's own file" : line->config;
}

/* ---- differences ---- */

static json_t *default_settings(void)
{
	struct model *model = model_new();
	json_t *settings = NULL;

	if (model && schema_defaults(&schema_model, model, &model->arena) == 0)
		settings = values_print_settings(model);
	model_free(model);
	return settings;
}

static bool is_otherwise(const json_t *value, const json_t *usual, const json_t *there)
{
	return !json_equal(value, usual) && !json_equal(value, there);
}

static json_t *other_members(const json_t *group, const json_t *usual, const json_t *there)
{
	json_t *others = json_object(), *value;
	const char *key;

	json_object_foreach((json_t *)group, key, value)
	{
		if (is_otherwise(value, json_object_get(usual, key), json_object_get(there, key)))
			json_put(others, key, json_incref(value));
	}
	return others;
}

/* The settings that differ; of groups only the members that differ. */
static json_t *other_settings(const struct model *model, const json_t *served,
			      const json_t *defaults)
{
	json_t *all = values_print_settings(model), *others = json_object(), *value, *members;
	const char *key;

	json_object_foreach(all, key, value)
	{
		const json_t *usual = json_object_get(defaults, key);
		const json_t *there = json_object_get(served, key);

		if (!json_is_object(value)) {
			if (is_otherwise(value, usual, there))
				json_put(others, key, json_incref(value));
			continue;
		}
		members = other_members(value, usual, there);
		if (json_object_size(members) > 0)
			json_put(others, key, json_incref(members));
		json_decref(members);
	}
	json_decref(all);
	return others;
}

void settings_tell(const struct command_line *line, const json_t *served, const struct model *model)
{
	json_t *defaults = default_settings(), *others = other_settings(model, served, defaults);

	if (served && json_object_size(others) > 0) {
		fflush(stdout);
		command_fail_at(line,
				"settings belong to %s, and stay as they are there. To have these, "
				"too, write them there, and reload:",
				server_file(line));
		print_lines(others, served, defaults);
	}
	json_decref(others);
	json_decref(defaults);
}

/* ---- limits ---- */

static bool lets_more(const char *key, const json_t *value, const json_t *than)
{
	return limits_lets_more(key, (uint64_t)json_integer_value(value),
				(uint64_t)json_integer_value(than));
}

/* The limits that would allow what was refused, from the faults; the file's if those are higher. */
static json_t *limits_needed(const json_t *wanted, const json_t *refusal)
{
	const json_t *faults = json_object_get(json_object_get(refusal, "error"), "faults"), *fault;
	json_t *limits = json_object();
	size_t i;

	json_array_foreach(faults, i, fault)
	{
		const char *key = json_string_value(json_object_get(fault, "limit"));
		json_t *needed = json_object_get(fault, "needed");
		json_t *more = key ? json_object_get(wanted, key) : NULL, *before;
		char why[TEXT_FLAW_MAX];

		if (!key || !text_is_plain(key, why) || !json_is_integer(needed))
			continue;
		if (more && lets_more(key, more, needed))
			needed = more;
		before = json_object_get(limits, key);
		if (!before || lets_more(key, needed, before))
			json_put(limits, key, json_incref(needed));
	}
	return limits;
}

void settings_tell_limits(const struct command_line *line, const json_t *served,
			  const struct model *model, const json_t *refusal)
{
	json_t *defaults = default_settings(), *others = other_settings(model, served, defaults);
	json_t *limits = limits_needed(json_object_get(others, "limits"), refusal);

	if (served && json_object_size(limits) > 0) {
		json_t *settings = json_make("{s:O}", "limits", limits);

		fflush(stdout);
		command_fail_at(line,
				"nothing is changed. %s has to say this first, and be reloaded:",
				server_file(line));
		print_lines(settings, served, defaults);
		json_decref(settings);
	}
	json_decref(limits);
	json_decref(others);
	json_decref(defaults);
}
