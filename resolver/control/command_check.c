/* `sluice check`: every fault, then one line that sums up. With --json one object:
 *
 *     {"file", "ok", "errors", "warnings", "faults": [...], "numbers": {...} or null} */
#include "resolver/control/command.h"
#include "resolver/control/load.h"
#include "resolver/control/report.h"

static void print_json(const char *file, const struct model *model, const struct faults *faults)
{
	json_t *all = json_pack("{s:s, s:b, s:I, s:I, s:o, s:o}", "file", file, "ok", model != NULL,
				"errors", (json_int_t)faults->errors, "warnings",
				(json_int_t)faults->warnings, "faults", report_faults(faults),
				"numbers", model ? report_numbers(model) : json_null());
	json_dumpf(all, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(all);
}

static void print_text(const char *file, const struct model *model, const struct faults *faults)
{
	char text[REPORT_TEXT_MAX], numbers[REPORT_TEXT_MAX];
	faults_print(faults, stdout);
	if (!model)
		printf("%s: %s\n", file, report_faults_text(faults, text));
	else if (faults->warnings > 0)
		printf("%s: fine, %s; %s\n", file, report_numbers_text(model, numbers),
		       report_faults_text(faults, text));
	else
		printf("%s: fine, %s\n", file, report_numbers_text(model, numbers));
}

int command_check(const struct command_line *line)
{
	struct load load;
	struct faults faults;
	if (load_init(&load, line->config, line->resolv_conf) != 0)
		return command_fail("cannot start: %s", err_text(ERR_SYSTEM));
	faults_init(&faults);
	struct model *model = load_model(&load, &faults);
	if (line->json)
		print_json(line->config, model, &faults);
	else
		print_text(line->config, model, &faults);
	int status = model ? COMMAND_FINE : COMMAND_NO;
	model_free(model);
	faults_release(&faults);
	load_release(&load);
	return status;
}
