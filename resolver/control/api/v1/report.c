/* GET /v1/report?sections=&days=&limit=: problems for an operator to look at (observe/findings.h).
 * The sections ptrs and delegations ask the network: if their last results are out of date, new
 * checks begin in the background. A client that needs these asks again for the sections whose
 * state is "running". */
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/base/json.h"
#include "resolver/control/observe/findings.h"
#include "rules/text.h"

enum { NAMES_MAX = 128 };

/* False: there is no section of that name. */
static bool want_section(struct findings_wanted *wanted, const char *name, size_t length)
{
	for (unsigned i = 0; i < FINDINGS_SECTIONS; i++)
		if (strlen(findings_names[i]) == length &&
		    strncmp(findings_names[i], name, length) == 0) {
			wanted->sections[i] = true;
			return true;
		}
	return false;
}

static void refuse_section(struct api_request *request, const char *name, size_t length)
{
	char names[NAMES_MAX] = "";

	for (unsigned i = 0; i < FINDINGS_SECTIONS; i++)
		text_append(names, sizeof names, "%s%s", i > 0 ? ", " : "", findings_names[i]);
	api_fail_at(request, 400, "invalid", "sections",
		    "there is no section \"%.*s\"; give some of %s, with commas between",
		    (int)(length < 32 ? length : 32), name, names);
}

/* Reads ?sections, by default all. False: one is unknown, and the request has been answered. */
static bool read_sections(struct api_request *request, struct findings_wanted *wanted)
{
	const char *at = api_query(request, "sections");

	for (unsigned i = 0; i < FINDINGS_SECTIONS; i++)
		wanted->sections[i] = !at;
	while (at) {
		size_t length = strcspn(at, ",");

		if (!want_section(wanted, at, length)) {
			refuse_section(request, at, length);
			return false;
		}
		at = at[length] ? at + length + 1 : NULL;
	}
	return true;
}

static bool read_days(struct api_request *request, unsigned *days)
{
	const char *text = api_query(request, "days");
	char *end = NULL;
	unsigned long number = text ? strtoul(text, &end, 10) : FINDINGS_DAYS;

	*days = (unsigned)number;
	if (!text || (*text >= '0' && *text <= '9' && *end == '\0' && number <= FINDINGS_DAYS_MAX))
		return true;
	api_fail_at(request, 400, "invalid", "days",
		    "\"%.32s\" does not fit; give a number of days up to %d, or 0 for what was "
		    "never used",
		    text, FINDINGS_DAYS_MAX);
	return false;
}

static void on_report(void *context, json_t *report)
{
	struct api_request *request = context;

	if (!api_still_may(request))
		json_decref(report);
	else if (report)
		api_reply_json(request, 200, report, NULL);
	else if (request->service->ending)
		api_fail_ending(request);
	else
		api_fail_memory(request);
}

void api_report(struct api_request *request)
{
	struct findings_wanted wanted;
	int err;

	if (!read_sections(request, &wanted) || !read_days(request, &wanted.days) ||
	    !api_v1_limit(request, &wanted.limit) || !api_v1_is_serving(request))
		return;
	err = findings_begin(request->service, &wanted, on_report, request);
	if (err == ERR_NOMEM)
		api_fail_memory(request);
	else if (err)
		api_fail_ending(request);
}
