/* What the handlers of publicIPAddresses share: which one the path names, and how it is shown and
 * read. */
#ifndef SLUICE_API_ARM_PUBLIC_IP_H
#define SLUICE_API_ARM_PUBLIC_IP_H

#include "resolver/control/api.h"
#include "resolver/control/owner.h"

/* The resource group of the path; NULL for "-": those without one. */
const char *public_ip_group(const struct api_request *request);
/* The address that the path names; NULL: there is none. */
const struct owner *public_ip_asked(const struct api_request *request);
void public_ip_answer(struct api_request *request, unsigned status, const struct owner *owner);

/* Answers 400 for one value of the body, by its path in there; always false. */
bool public_ip_fail(struct api_request *request, const char *field, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The body's tags as text, to be freed; NULL: none. False: they do not fit, and that has been
 * answered. */
bool public_ip_read_tags(struct api_request *request, char **text);

#endif
