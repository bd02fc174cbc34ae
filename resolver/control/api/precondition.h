/* If-Match and If-None-Match (RFC 9110 section 13.1), which are lists of entity tags.
 */
#ifndef SLUICE_PRECONDITION_H
#define SLUICE_PRECONDITION_H

#include <stdbool.h>

#include "rules/err.h"

enum { PRECONDITION_TEXT_MAX = 256 };

/* Whether the headers (NULL: not sent) allow a change of what has this etag now (etag.h; NULL:
 * there is nothing yet). If-Match is a list of etags, one of which it must have, or "*": it must be
 * there. If-None-Match is a list of etags, none of which it may have, or "*": it must not be there.
 * Only the version in an etag counts. ERR_INVALID: no, and `text` says why. */
MUST_CHECK int precondition_check(const char *etag, const char *if_match, const char *if_none_match,
				  char text[PRECONDITION_TEXT_MAX]);
/* Whether a reader's If-None-Match has this etag, or is "*". Weak etags count (section 8.8.3.2). */
bool precondition_lists(const char *list, const char *etag);

#endif
