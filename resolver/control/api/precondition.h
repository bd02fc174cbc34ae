/* If-Match and If-None-Match (RFC 9110 section 13.1), and the lists of entity tags that they have.
 */
#ifndef SLUICE_PRECONDITION_H
#define SLUICE_PRECONDITION_H

#include <stdbool.h>

#include "rules/err.h"

enum { PRECONDITION_TEXT_MAX = 256 };

/* Whether a change may be made to what has this etag now (etag.h; NULL: there is nothing yet).
 * The headers are as they came, NULL: not sent. If-Match: a list of etags, or "*": there is
 * something. If-None-Match: "*": there is nothing; or etags that it must not have. Only the version
 * in an etag counts. ERR_INVALID: no, and `text` says why. */
MUST_CHECK int precondition_check(const char *etag, const char *if_match, const char *if_none_match,
				  char text[PRECONDITION_TEXT_MAX]);
/* Whether a list, If-None-Match's of a reader, has this etag, or is "*". Weak ones count (section
 * 8.8.3.2). */
bool precondition_lists(const char *list, const char *etag);

#endif
