/* `sluice apply FILE` and `sluice diff FILE`: makes the resources of the running server what the
 * file says, by one change that is all made or not at all.
 *
 *     FILE ─► model ─► values of every kind ─┐
 *                                            ├─► plan ─► POST /v1/changes
 *     GET /v1/export ──► what is served ─────┘
 *
 * What the server's own file declares is compared, too, and cannot be changed from here. Settings
 * that are no resources are passed over. */
#include <strings.h>

#include "resolver/control/base/json.h"
#include "resolver/control/command/client.h"
#include "resolver/control/config/file.h"
#include "resolver/control/resource/part.h"
#include "resolver/control/resource/values.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

struct apply_plan {
	const struct command_line *line;
	char confirm[COMMAND_CONFIRM_MAX];
	json_t *served; /* key -> {"path", "values", "origin"}; what the file has is taken out */
	json_t *edits;
	size_t creates, changes, deletes;
	bool refused; /* something cannot be done from here, which has been printed */
};

/* ---- what is wanted ---- */

static char *key_of(const char *path)
{
	return text_lower(strdup(path));
}

static char *print_value(const json_t *value)
{
	return value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : strdup("-");
}

/* A line for each member that is another. */
static void print_members(const json_t *before, const json_t *after)
{
	const char *key;
	json_t *value;
	char *old, *new;

	json_object_foreach((json_t *)after, key, value)
	{
		if (json_equal(value, json_object_get(before, key)))
			continue;
		old = print_value(json_object_get(before, key));
		new = print_value(value);
		printf("    %s: %s -> %s\n", key, old ? old : "", new ? new : "");
		free(old);
		free(new);
	}
}

/* Takes `values` over; NULL: it goes. */
static void add_edit(struct apply_plan *plan, const char *path, json_t *values)
{
	json_add(plan->edits, json_make("{s:o, s:o}", "path", json_text(path), "values",
					values ? values : json_null()));
}

/* A zone with a file. */
static bool is_filed(const struct path *path, const json_t *values)
{
	return strcmp(path->kind->name, "zone") == 0 && json_object_get(values, "file");
}

static void plan_item(struct apply_plan *plan, const struct path *path, json_t *values)
{
	char text[PATH_URL_MAX], *key = key_of(path_url(path, text));
	json_t *served = key ? json_incref(json_object_get(plan->served, key)) : NULL;
	const json_t *before = json_object_get(served, "values");
	const char *origin = json_string_value(json_object_get(served, "origin"));

	if (served)
		json_object_del(plan->served, key);
	if (served && json_equal(before, values)) {
		json_decref(values);
	} else if (origin || is_filed(path, values)) {
		plan->refused = true;
		if (origin)
			command_fail_at(plan->line,
					"%s is declared at %s; change it there, and reload", text,
					origin);
		else
			command_fail_at(
				plan->line,
				"%s has a file, which only the server's own file can give it; "
				"leave it out, and import the records (sluice zone import)",
				text);
		json_decref(values);
	} else {
		printf("%s %s\n", served ? "change" : "create", text);
		if (served)
			print_members(before, values);
		plan->changes += served != NULL;
		plan->creates += !served;
		add_edit(plan, text, values);
	}
	json_decref(served);
	free(key);
}

/* `parent`: what the list is in; NULL: the model. */
static void plan_list(struct apply_plan *plan, const struct kind *kind, const void *in,
		      const struct path *parent)
{
	size_t size = kind_field(kind)->group->size;
	struct schema_list items = kind_list(kind, in);

	for (size_t i = 0; i < items.count; i++) {
		const char *item = (const char *)items.items + i * size;
		const char *name = part_name(kind, item);
		const struct path path = {kind,
					  parent ? parent->group : part_group(kind, item),
					  {parent ? parent->names[0] : name, parent ? name : NULL}};

		plan_item(plan, &path, values_print(kind, item));
		for (size_t k = 0; k < KIND_COUNT; k++)
			if (kinds[k].parent == kind)
				plan_list(plan, &kinds[k], item, &path);
	}
}

/* ---- what is there and not wanted ---- */

/* "rulesets/-/office" of what is inside it, to be freed; NULL: it is at the top. */
static char *parent_of(const char *key)
{
	int slashes = 0;

	for (const char *at = key; *at != '\0'; at++)
		if (*at == '/' && ++slashes == 3)
			return strndup(key, (size_t)(at - key));
	return NULL;
}

static void plan_prune(struct apply_plan *plan)
{
	const char *key;
	json_t *served;

	json_object_foreach(plan->served, key, served)
	{
		char *parent = parent_of(key);
		const json_t *above = parent ? json_object_get(plan->served, parent) : NULL;

		/* What is inside something that goes, goes with it. */
		if (!json_string_value(json_object_get(served, "origin")) &&
		    !(above && !json_string_value(json_object_get(above, "origin")))) {
			printf("delete %s\n", json_string_value(json_object_get(served, "path")));
			plan->deletes++;
			add_edit(plan, json_string_value(json_object_get(served, "path")), NULL);
		}
		free(parent);
	}
}

/* ---- the commands ---- */

static json_t *ask_served(const struct command_line *line)
{
	json_t *all =
		client_ask(line, (struct client_call){.method = "GET"}, client_path("/v1/export"));
	json_t *served = json_object(), *item;
	size_t i;

	if (!all) {
		json_decref(served);
		return NULL;
	}
	json_array_foreach(json_object_get(all, "edits"), i, item)
	{
		char *key = key_of(json_string_value(json_object_get(item, "path")));

		if (key)
			json_put(served, key, json_incref(item));
		free(key);
	}
	json_decref(all);
	return served;
}

static struct model *read_file(const struct command_line *line)
{
	static const struct hash_key any_key;
	struct faults faults;
	struct model *model;

	faults_init(&faults);
	model = config_file_read(line->arguments[0], &any_key, NULL, &faults);
	if (faults.errors > 0) {
		faults_print(&faults, stderr);
		model_free(model);
		model = NULL;
	}
	faults_release(&faults);
	return model;
}

static int carry_out(struct apply_plan *plan)
{
	const struct command_line *line = plan->line;
	json_t *answer;
	size_t i;
	char path[COMMAND_CONFIRM_MAX + 32];

	snprintf(path, sizeof path, "/v1/changes%s", line->dry_run ? "?dry_run" : plan->confirm);
	if (json_array_size(plan->edits) == 0) {
		printf("nothing to change\n");
		return EXIT_SUCCESS;
	}
	answer = client_ask(line,
			    (struct client_call){.method = "POST",
						 .body = json_make("{s:O}", "edits", plan->edits)},
			    strdup(path));
	if (!answer)
		return EXIT_FAILURE;
	json_t *warning;
	json_array_foreach(json_object_get(answer, "warnings"), i, warning)
		command_fail_at(line, "warning: %s", json_string_value(warning));
	printf("%zu to create, %zu to change, %zu to delete%s\n", plan->creates, plan->changes,
	       plan->deletes, line->dry_run ? ": not done" : ": done");
	command_print_unconfirmed(answer);
	json_decref(answer);
	return EXIT_SUCCESS;
}

static int apply(const struct command_line *line)
{
	struct apply_plan plan = {.line = line, .edits = json_array()};
	struct model *model;
	int status = EXIT_FAILURE;

	if (!command_confirm_query(line, plan.confirm)) {
		json_decref(plan.edits);
		return COMMAND_USAGE;
	}
	model = read_file(line);
	plan.served = model ? ask_served(line) : NULL;
	if (plan.served) {
		for (size_t i = 0; i < KIND_COUNT; i++)
			if (!kinds[i].parent)
				plan_list(&plan, &kinds[i], model, NULL);
		if (line->prune)
			plan_prune(&plan);
		if (!plan.refused)
			status = carry_out(&plan);
	}
	json_decref(plan.served);
	json_decref(plan.edits);
	model_free(model);
	return status;
}

int command_apply(const struct command_line *line)
{
	return apply(line);
}

int command_diff(const struct command_line *line)
{
	struct command_line rehearsal = *line;

	rehearsal.dry_run = true;
	return apply(&rehearsal);
}

int command_export(const struct command_line *line)
{
	const char *as = line->as ? line->as : "libconfig";
	json_t *answer;

	if (strcmp(as, "libconfig") != 0 && strcmp(as, "json") != 0)
		return command_misuse(line, "\"%s\" is no form; give libconfig or json", as);
	answer = client_ask(
		line, (struct client_call){.method = "GET", .out = stdout},
		strdup(strcmp(as, "json") == 0 ? "/v1/export" : "/v1/export?as=libconfig"));
	json_decref(answer);
	return answer ? EXIT_SUCCESS : EXIT_FAILURE;
}
