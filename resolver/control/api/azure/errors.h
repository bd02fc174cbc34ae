/* Collects all errors about a request for one answer: {"error": {"code", "message", "target",
 * "details"}}. The error is the first one; if there are several, the details have all, up to a
 * hundred. */
#ifndef SLUICE_ARM_ERRORS_H
#define SLUICE_ARM_ERRORS_H

#include "resolver/control/api/api.h"

enum { ARM_ERRORS_MAX = 100 }; /* nobody reads more, and each is compared with all others */

struct arm_errors {
	struct api_request *request;
	unsigned status; /* that of the first error; 0: there is none */
	json_t *list;    /* of {"code", "message", "target"}, at most ARM_ERRORS_MAX */
	size_t more;     /* errors that are not on the list */
};
/* The number of errors. */
size_t arm_errors_count(const struct arm_errors *errors);
/* True: further errors are only counted, so callers need not make their texts. */
bool arm_errors_is_full(const struct arm_errors *errors);
void arm_error(struct arm_errors *errors, unsigned status, const char *code, const char *target,
	       const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Adds an error about a member of the body that has a wrong value. */
void arm_misfit(struct arm_errors *errors, const char *target, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Adds each error of `others` that has a target, unless there is already an error about that
 * member, about one around it, or about one inside it. */
void arm_errors_add(struct arm_errors *errors, const struct arm_errors *others);
void arm_errors_release(struct arm_errors *errors);

#endif
