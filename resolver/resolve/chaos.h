/* Who this server is, for those who ask in class CH (RFC 4892): what the configuration says, and by
 * default nothing of interest. */
#ifndef SLUICE_CHAOS_H
#define SLUICE_CHAOS_H

#include <stdbool.h>
#include <stdint.h>

#include "endpoints/message.h"
#include "rules/policy/policy.h"

/* Adds the answer to version.bind, version.server, id.server or hostname.bind; false when there is
 * none to give. */
bool chaos_answer(struct message *message, const struct policy *policy, const struct name *name,
		  uint16_t type);

#endif
