#include "resolver/control/base/report.h"

#include "resolver/control/base/json.h"
#include "rules/text.h"
#include "rules/wire.h"
#include "rules/zone/rdata.h"

json_t *report_faults(const struct faults *faults)
{
	json_t *array = json_array();

	for (size_t i = 0; i < faults->count; i++) {
		const struct fault *fault = &faults->items[i];
		json_t *item = json_make(
			"{s:s, s:o, s:o, s:o, s:o}", "severity",
			fault->severity == FAULT_ERROR ? "error" : "warning", "file",
			json_text(fault->origin.file), "line",
			fault->origin.line ? json_integer(fault->origin.line) : json_null(), "path",
			json_text(fault->origin.path), "text", json_text(fault->text));

		if (fault->limit) {
			json_put(item, "limit", json_text(fault->limit));
			json_put(item, "needed", json_integer((json_int_t)fault->needed));
		}
		json_add(array, item);
	}
	return array;
}

void report_read_faults(const json_t *array, struct faults *faults)
{
	size_t i;
	const json_t *item;

	json_array_foreach(array, i, item)
	{
		const char *severity = json_string_value(json_object_get(item, "severity"));
		const char *text = json_string_value(json_object_get(item, "text"));
		struct origin origin = {
			.file = json_string_value(json_object_get(item, "file")),
			.line = (unsigned)json_integer_value(json_object_get(item, "line")),
			.path = json_string_value(json_object_get(item, "path")),
		};
		fault_add(faults,
			  severity && strcmp(severity, "warning") == 0 ? FAULT_WARNING
								       : FAULT_ERROR,
			  &origin, NULL, "%s", text ? text : "");
	}
}

static size_t count_records(const struct model *model)
{
	size_t records = 0;

	for (size_t i = 0; i < model->private_zones.count; i++)
		if (model->private_zones.items[i].zone)
			records += zone_records(model->private_zones.items[i].zone);
	return records;
}

static size_t count_rules(const struct model *model)
{
	size_t rules = 0;

	for (size_t i = 0; i < model->rulesets.count; i++)
		rules += model->rulesets.items[i].rules.count;
	return rules;
}

json_t *report_numbers(const struct model *model)
{
	return json_make(
		"{s:I, s:I, s:I, s:I, s:I}", "networks", (json_int_t)model->virtual_networks.count,
		"zones", (json_int_t)model->private_zones.count, "records",
		(json_int_t)count_records(model), "rulesets", (json_int_t)model->rulesets.count,
		"rules", (json_int_t)count_rules(model));
}

char *report_numbers_text(const struct model *model, char text[REPORT_TEXT_MAX])
{
	size_t networks = model->virtual_networks.count, zones = model->private_zones.count;
	size_t rulesets = model->rulesets.count;
	size_t records = count_records(model), rules = count_rules(model);

	snprintf(text, REPORT_TEXT_MAX,
		 "%zu network%s, %zu zone%s (%zu record%s), %zu ruleset%s (%zu rule%s)", networks,
		 text_plural(networks, "", "s"), zones, text_plural(zones, "", "s"), records,
		 text_plural(records, "", "s"), rulesets, text_plural(rulesets, "", "s"), rules,
		 text_plural(rules, "", "s"));
	return text;
}

char *report_faults_text(const struct faults *faults, char text[REPORT_TEXT_MAX])
{
	char errors[64] = "", warnings[64] = "";

	if (faults->errors > 0)
		snprintf(errors, sizeof errors, "%zu error%s", faults->errors,
			 text_plural(faults->errors, "", "s"));
	if (faults->warnings > 0 || faults->errors == 0)
		snprintf(warnings, sizeof warnings, "%s%zu warning%s", *errors ? ", " : "",
			 faults->warnings, text_plural(faults->warnings, "", "s"));
	snprintf(text, REPORT_TEXT_MAX, "%s%s", errors, warnings);
	return text;
}

json_t *report_made(const struct model *model)
{
	json_t *array = json_array();

	for (size_t i = 0; model && i < model->made.count; i++) {
		const struct made *made = &model->made.items[i];

		json_add(array,
			 json_make("{s:o, s:o, s:o}", "path", json_text(made->path), "value",
				   json_text(made->value), "because", json_text(made->because)));
	}
	return array;
}

void report_print_made(const struct model *model, const char *before, FILE *out)
{
	for (size_t i = 0; i < model->made.count; i++) {
		const struct made *made = &model->made.items[i];

		fprintf(out, "%smade: ", before);
		text_print(out, made->path);
		if (made->value) {
			fputs(": ", out);
			text_print(out, made->value);
		}
		fputs(", because ", out);
		text_print(out, made->because);
		fputc('\n', out);
	}
}

json_t *report_records(const struct rrset *set)
{
	const uint8_t *record = set->wire;
	json_t *array = json_array();

	for (unsigned i = 0; i < set->count; i++) {
		size_t length = wire_u16(record + RECORD_HEADER - 2), size = 0;
		char *text = NULL;
		FILE *out = open_memstream(&text, &size);
		int err = out ? rdata_print(set->type, record + RECORD_HEADER, length, out)
			      : ERR_NOMEM;

		if (out && fclose(out) != 0)
			err = ERR_NOMEM;
		json_add(array, err ? NULL : json_text(text));
		free(text);
		record += RECORD_HEADER + length;
	}
	return array;
}
