/* If-Match and If-None-Match (RFC 9110 section 13.1), which are lists of etags. */
#ifndef SLUICE_PRECONDITION_H
#define SLUICE_PRECONDITION_H

#include <stdbool.h>

#include "rules/err.h"

enum { PRECONDITION_TEXT_MAX = 256 };

/* Do the headers (NULL: not sent) allow a change of a resource with this etag (etag.h; NULL: it
 * does not exist yet)? With If-Match it must have one of the listed etags, or, for "*", exist. With
 * If-None-Match it must have none of them, or, for "*", not exist. Only the version in an etag
 * counts. ERR_INVALID: no, `text` has the reason. */
MUST_CHECK int precondition_check(const char *etag, const char *if_match, const char *if_none_match,
				  char text[PRECONDITION_TEXT_MAX]);
/* Does a reader's If-None-Match list this etag, or is it "*"? Weak etags count (section 8.8.3.2).
 */
bool precondition_lists(const char *list, const char *etag);

#endif
