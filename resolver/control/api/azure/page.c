/* The $skiptoken is the key of the last resource that was shown, or of a later one that was read
 * and not shown. So a resource that stays is on exactly one page, even if others are added or
 * removed between two pages. Links repeat the request's query, percent-encoded again, because
 * clients use links unchanged. */
#include "resolver/control/api/azure/page.h"

#include <ctype.h>
#include <stdlib.h>

#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/api/azure/type.h"
#include "resolver/control/base/json.h"
#include "rules/text.h"

/* ---- parameters ---- */

static bool read_top(struct arm_page *page)
{
	const char *text = api_query(page->request, "$top");
	char *end = NULL;
	unsigned long number = text && isdigit((unsigned char)*text) ? strtoul(text, &end, 10) : 0;
	page->room = ARM_PAGE_MAX;
	if (text && (number == 0 || *end != '\0')) {
		api_fail_at(page->request, 400, "InvalidTopInQueryString", "$top",
			    "\"%.32s\" is not a number of results; give 1 or more", text);
		return false;
	}
	if (text && number < ARM_PAGE_MAX)
		page->room = number;
	return true;
}

static bool fail_filter(struct api_request *request, const char *filter, const char *const *names)
{
	char use[ARM_ID_MAX] = "";

	for (size_t i = 0; names[i]; i++)
		text_append(use, sizeof use, "%s%s", i > 0 ? ", " : "", names[i]);
	api_fail_at(request, 400, "InvalidFilterInQueryString", "$filter",
		    "Invalid $filter '%.200s' specified in the query string. %s%s%s%s%s", filter,
		    *use ? "Use " : "This list takes none.", use,
		    *use ? " with eq or ne and a 'value', joined by and: " : "",
		    *use ? names[0] : "", *use ? " eq 'a'." : "");
	return false;
}

bool arm_page_begin(struct arm_page *page, struct api_request *request, const char *const *names)
{
	static const char *const none[] = {NULL};
	const char *filter = api_query(request, "$filter");

	*page = (struct arm_page){.request = request, .behind = api_query(request, "$skiptoken")};
	if (!read_top(page))
		return false;
	names = names ? names : none;
	return !filter || !*filter || arm_filter_read(&page->filter, filter, names) ||
	       fail_filter(request, filter, names);
}

/* ---- the answer ---- */

/* A slash sorts before all other characters, so "a/z" comes before "a-b/a": groups are compared
 * first. */
int arm_compare_keys(const char *left, const char *right)
{
	int a, b;

	do {
		a = *left == '/' ? 1 : tolower((unsigned char)*left);
		b = *right == '/' ? 1 : tolower((unsigned char)*right);
		right++;
	} while (*left++ && a == b);
	return a - b;
}

json_t *arm_next_link(const struct api_request *request, const char *last)
{
	json_t *page = last ? api_next_page(request, "$skiptoken", last) : NULL, *link = NULL;
	const char *base = api_base(request);

	if (page)
		link = json_sprintf("%s%s", base ? base : "", json_string_value(page));
	json_decref(page);
	return link;
}

void arm_page_answer(const struct arm_page *page, json_t *array, const char *last)
{
	json_t *body = array ? json_make("{s:o}", "value", array) : NULL;

	if (last)
		json_put(body, "nextLink", arm_next_link(page->request, last));
	api_arm_say_revision(page->request);
	api_reply_json(page->request, 200, body, NULL);
}
