/* The token is the key of what was shown last: whatever comes or goes between two pages, what stays
 * is on exactly one of them. Links repeat what the request said, percent-encoded anew, because
 * clients use them as they are. */
#include "resolver/control/api/azure/page.h"

#include "resolver/control/api/azure/api_arm.h"

#include <ctype.h>
#include <strings.h>

#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"

/* ---- $filter ---- */

static bool take_word(const char **at, const char *word)
{
	size_t length = strlen(word);
	*at += strspn(*at, " ");
	if (strncasecmp(*at, word, length) != 0 || isalnum((unsigned char)(*at)[length]))
		return false;
	*at += length;
	return true;
}

/* 'it''s' is it's. */
static bool take_text(const char **at, char text[ARM_TAG_MAX])
{
	size_t used = 0;
	*at += strspn(*at, " ");
	if (*(*at)++ != '\'')
		return false;
	for (; **at && used < ARM_TAG_MAX; (*at)++) {
		if (**at == '\'' && (*at)[1] != '\'') {
			text[used] = '\0';
			(*at)++;
			return true;
		}
		*at += **at == '\'';
		text[used++] = **at;
	}
	return false;
}

static bool take_equation(const char **at, const char *name, char text[ARM_TAG_MAX])
{
	return take_word(at, name) && take_word(at, "eq") && take_text(at, text);
}

static bool read_filter(struct arm_page *page, const char *at)
{
	if (!take_equation(&at, "tagname", page->tag))
		return false;
	page->any_value = !take_word(&at, "and");
	if (!page->any_value && !take_equation(&at, "tagvalue", page->value))
		return false;
	return at[strspn(at, " ")] == '\0';
}

/* Case counts in a tag's value, not in its name. */
bool arm_page_takes(const struct arm_page *page, const struct tag *tags, size_t count)
{
	bool takes = !page->filtered;

	for (size_t i = 0; !takes && i < count; i++)
		takes = strcasecmp(tags[i].name, page->tag) == 0 &&
			(page->any_value || strcmp(tags[i].value, page->value) == 0);
	return takes;
}

/* ---- what is asked for ---- */

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

bool arm_page_read(struct arm_page *page, struct api_request *request)
{
	*page = (struct arm_page){
		.request = request,
		.behind = api_query(request, "$skiptoken"),
	};
	return read_top(page);
}

bool arm_page_begin(struct arm_page *page, struct api_request *request, bool has_tags)
{
	const char *filter = api_query(request, "$filter");

	if (!arm_page_read(page, request))
		return false;
	if (!filter || !*filter)
		return true;
	page->filtered = true;
	if (has_tags && read_filter(page, filter))
		return true;
	api_fail_at(request, 400, "InvalidFilterInQueryString", "$filter",
		    "Invalid $filter '%.200s' specified in the query string. %s", filter,
		    has_tags ? "Use tagName eq 'a', or tagName eq 'a' and tagValue eq 'b'."
			     : "This list takes none.");
	return false;
}

/* ---- the answer ---- */

/* A slash comes ahead of all that a name may have: group by group, as lists are sorted. */
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
