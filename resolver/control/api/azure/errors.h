/* All that is wrong with a request, in one answer: {"error": {"code", "message", "target",
 * "details"}}. The error is the first one, and the details are all of them, up to a hundred. */
#ifndef SLUICE_ARM_ERRORS_H
#define SLUICE_ARM_ERRORS_H

#include "resolver/control/api/api.h"

enum { ARM_ERRORS_MAX = 100 }; /* nobody reads more, and each is compared with all others */

struct arm_errors {
	struct api_request *request;
	unsigned status; /* of the first; 0: there is none */
	json_t *list;    /* {"code", "message", "target"} each, ARM_ERRORS_MAX at most */
	size_t more;     /* that are not on it */
};
/* How many there are. */
size_t arm_errors_count(const struct arm_errors *errors);
/* Whether further ones are only counted; what one would say need not be found out. */
bool arm_errors_is_full(const struct arm_errors *errors);
void arm_error(struct arm_errors *errors, unsigned status, const char *code, const char *target,
	       const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The same where a member of the body has a wrong value. */
void arm_misfit(struct arm_errors *errors, const char *target, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Adds those of the others whose member has no error yet, nor anything it is in or that is in it.
 */
void arm_errors_add(struct arm_errors *errors, const struct arm_errors *others);
void arm_errors_release(struct arm_errors *errors);

#endif
