/* `sluice apply FILE` gives the running server the resources of the file, by one change that is all
 * made or not at all. With --prune it also deletes those that the file lacks. `sluice diff FILE`
 * only checks and prints that change.
 *
 *     FILE ─► model ─► values of every kind ─┐
 *                                            ├─► plan ─► POST /v1/changes
 *     GET /v1/export ──► served values ──────┘
 *
 * Resources that the server's own file declares are compared, but cannot be changed from here; only
 * an address or service that it declares without a PTR can get one. Settings belong to the server's
 * file, so those that differ in FILE are only printed, as lines for that file.
 *
 * A resource with nothing but its name in FILE, such as a network that zones are linked to, is made
 * if it is missing. If the server has it, it stays as it is, unless --prune is given. */
#include "resolver/control/base/json.h"
#include "resolver/control/command/apply_plan.h"
#include "resolver/control/command/client.h"
#include "resolver/control/command/settings.h"
#include "resolver/control/config/file.h"

enum { EXPORT_MS = 300 * 1000 };

struct applied {
	const struct command_line *line;
	char confirm[COMMAND_CONFIRM_MAX];
	struct model *model;
	json_t *exported; /* the server's answer to GET /v1/export */
};

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

/* Returns the answer. NULL: no server answered, or it refused, and `refusal` has the body. The
 * error has been printed. */
static json_t *post(const struct applied *applied, const json_t *edits, json_t **refusal)
{
	const struct command_line *line = applied->line;
	const json_t *revision = json_object_get(applied->exported, "revision");
	json_t *body = json_make("{s:O}", "edits", edits);
	char *path = NULL;

	if (asprintf(&path, "/v1/changes%s", line->dry_run ? "?dry_run" : applied->confirm) < 0)
		path = NULL;
	if (json_is_integer(revision)) /* fails if anybody has changed something since */
		json_put(body, "revision", json_incref((json_t *)revision));
	return client_ask(line,
			  (struct client_call){.method = "POST",
					       .body = body,
					       .refusal = refusal,
					       .timeout_ms = EXPORT_MS},
			  path);
}

static int carry_out(const struct applied *applied, struct apply_plan *plan)
{
	const struct command_line *line = applied->line;
	const json_t *settings = json_object_get(applied->exported, "settings");
	json_t *answer, *refusal = NULL;

	if (json_array_extend(plan->edits, plan->removals) != 0 ||
	    json_array_extend(plan->edits, plan->puts) != 0)
		return command_fail_at(line, "%s", err_text(ERR_NOMEM));
	if (json_array_size(plan->edits) == 0) {
		printf("nothing to change\n");
		settings_tell(line, settings, applied->model);
		return EXIT_SUCCESS;
	}
	answer = post(applied, plan->edits, &refusal);
	if (!answer) {
		settings_tell_limits(line, settings, applied->model, refusal);
		json_decref(refusal);
		return EXIT_FAILURE;
	}
	command_print_warnings(line, answer);
	printf("%zu to create, %zu to change, %zu to delete%s\n", plan->creates, plan->changes,
	       plan->deletes, line->dry_run ? ": not done" : ": done");
	command_print_unconfirmed(answer);
	json_decref(answer);
	settings_tell(line, settings, applied->model);
	return EXIT_SUCCESS;
}

static int plan_and_carry_out(const struct applied *applied)
{
	struct apply_plan plan;
	int status = EXIT_FAILURE;

	if (apply_plan_init(&plan, applied->line, applied->exported)) {
		apply_plan_model(&plan, applied->model);
		fflush(stdout);
		if (!plan.refused)
			status = carry_out(applied, &plan);
		else
			command_fail_at(applied->line, "nothing is changed, see above");
	}
	apply_plan_release(&plan);
	return status;
}

static int apply(const struct command_line *line)
{
	struct applied applied = {.line = line};
	int status = EXIT_FAILURE;

	if (!command_confirm_query(line, applied.confirm))
		return COMMAND_USAGE;
	applied.model = read_file(line);
	if (applied.model)
		applied.exported = client_ask(
			line, (struct client_call){.method = "GET", .timeout_ms = EXPORT_MS},
			client_path("/v1/export"));
	if (applied.exported)
		status = plan_and_carry_out(&applied);
	json_decref(applied.exported);
	model_free(applied.model);
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
		line,
		(struct client_call){
			.method = "GET", .out = stdout, .spool = true, .timeout_ms = EXPORT_MS},
		strdup(strcmp(as, "json") == 0 ? "/v1/export" : "/v1/export?as=libconfig"));
	if (!answer)
		return EXIT_FAILURE;
	if (strcmp(as, "json") == 0)
		putchar('\n');
	json_decref(answer);
	return EXIT_SUCCESS;
}
