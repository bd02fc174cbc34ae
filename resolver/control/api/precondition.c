#include "resolver/control/api/precondition.h"

#include <stdio.h>
#include <string.h>

/* Does the list have "*", or an etag of this length with the same first `same` bytes? A strong
 * comparison ignores weak etags. */
static bool is_listed(const char *list, const char *etag, size_t same, bool strong)
{
	size_t length = strlen(etag);

	while (*list) {
		bool weak = strncmp(list, "W/", 2) == 0;
		const char *tag = weak ? list + 2 : list;
		size_t end = *tag == '"' ? 1 + strcspn(tag + 1, "\"") + 1 : strcspn(tag, ", \t");

		if (end == 1 && *tag == '*')
			return true;
		end = strnlen(tag, end);
		if (!(weak && strong) && end == length && strncmp(tag, etag, same) == 0 &&
		    tag[end - 1] == etag[length - 1])
			return true;
		list = tag + end;
		list += strspn(list, ", \t");
	}
	return false;
}

bool precondition_lists(const char *list, const char *etag)
{
	if (strncmp(etag, "W/", 2) == 0)
		etag += 2;
	return is_listed(list, etag, strlen(etag), false);
}

static bool lists_version(const char *list, const char *etag, bool strong)
{
	return is_listed(list, etag, strcspn(etag, "-"), strong);
}

int precondition_check(const char *etag, const char *if_match, const char *if_none_match,
		       char text[PRECONDITION_TEXT_MAX])
{
	if (if_match && !etag)
		snprintf(text, PRECONDITION_TEXT_MAX,
			 "If-Match wants it to be there, and there is nothing yet");
	else if (if_match && !lists_version(if_match, etag, true))
		snprintf(text, PRECONDITION_TEXT_MAX,
			 "it has changed since you read it: its etag is now %s; read it again and "
			 "retry",
			 etag);
	else if (if_none_match && etag && lists_version(if_none_match, etag, false))
		snprintf(text, PRECONDITION_TEXT_MAX,
			 "there is one already; change that, or choose another name");
	else
		return 0;
	return ERR_INVALID;
}
