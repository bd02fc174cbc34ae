/* `sluice check`: prints every fault, then one line that sums up. With --json one object:
 *
 *     {"file", "ok", "errors", "warnings", "warnings_complete", "faults": [...],
 *      "numbers": {...} or null, "made": [{"path", "value", "because"}, ...]}
 *
 * "made" lists items that are needed, but not in the file; -v prints them.
 * "warnings_complete" is false if there is an error: it may have kept the check from looking for
 * all warnings. */
#include <unistd.h>

#include "resolver/control/base/json.h"
#include "resolver/control/base/report.h"
#include "resolver/control/command/command.h"
#include "resolver/control/process/management_api.h"
#include "resolver/control/process/privileges.h"
#include "resolver/control/service/load.h"

static int print_json(const char *file, const struct model *model, const struct faults *faults)
{
	json_t *all =
		json_make("{s:o, s:b, s:I, s:I, s:b, s:o, s:o, s:o}", "file", json_text(file), "ok",
			  model != NULL, "errors", (json_int_t)faults->errors, "warnings",
			  (json_int_t)faults->warnings, "warnings_complete", faults->errors == 0,
			  "faults", report_faults(faults), "numbers",
			  model ? report_numbers(model) : json_null(), "made", report_made(model));
	all = json_whole(all);
	int status = command_print_json(all);
	json_decref(all);
	return status;
}

static void print_text(const char *file, const struct model *model, const struct faults *faults,
		       bool verbose)
{
	char text[REPORT_TEXT_MAX], numbers[REPORT_TEXT_MAX];
	faults_print(faults, stdout);
	if (!model)
		printf("%s: %s; %swarnings are looked for when there is no error\n", file,
		       report_faults_text(faults, text), faults->warnings > 0 ? "more " : "");
	else if (faults->warnings > 0)
		printf("%s: fine, %s; %s\n", file, report_numbers_text(model, numbers),
		       report_faults_text(faults, text));
	else
		printf("%s: fine, %s\n", file, report_numbers_text(model, numbers));
	if (verbose && model)
		report_print_made(model, "", stdout);
}

/* Checks the rights of the user for `run` by becoming that user, which only root can do. The
 * process stays that user, so all that needs root's rights comes before. */
static int check_user(const struct load *load, const struct model *model, struct faults *faults)
{
	const char *resolv_conf = load->next_follows ? load->resolv_conf : NULL;
	privileges_check_program(model, faults);
	if (geteuid() != 0 || !model->user)
		return 0;
	return privileges_drop(model, resolv_conf, PRIVILEGES_CHECK, faults);
}

/* Loads what `run` needs to start, including secrets and certificates, and the state's resources,
 * which may conflict with the file. */
static struct model *load_all(struct load *load, struct faults *faults)
{
	struct management_access access;
	struct model *model = load_model(load, NULL, faults);
	if (!model)
		return NULL;
	size_t errors = faults->errors;
	int err = management_access_load(&access, &model->management, faults);
	if (err == 0) {
		management_access_release(&access);
		err = check_user(load, model, faults);
	}
	resources_check(model, faults);
	faults_sort(faults);
	if (err == 0 && faults->errors == errors)
		return model;
	model_free(model);
	return NULL;
}

int command_check(const struct command_line *line)
{
	struct load load;
	struct faults faults;
	load_init(&load, line->config, line->resolv_conf);
	faults_init(&faults);
	struct model *model = load_all(&load, &faults);
	int status = model ? EXIT_SUCCESS : EXIT_FAILURE;
	if (!line->json)
		print_text(line->config, model, &faults, line->verbose);
	else if (print_json(line->config, model, &faults) != EXIT_SUCCESS)
		status = EXIT_FAILURE;
	model_free(model);
	faults_release(&faults);
	return status;
}
