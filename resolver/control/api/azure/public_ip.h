/* What the handlers of publicIPAddresses share: which one the path names, and how it is shown. */
#ifndef SLUICE_API_ARM_PUBLIC_IP_H
#define SLUICE_API_ARM_PUBLIC_IP_H

#include "resolver/control/api/api.h"
#include "resolver/control/resource/owner.h"

/* The address that the path names; NULL: there is none. */
const struct owner *public_ip_asked(const struct api_request *request);
void public_ip_answer(struct api_request *request, unsigned status, const struct owner *owner);

#endif
