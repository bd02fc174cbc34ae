/* Class CH (RFC 4892): version and name of this server, if the configuration reveals them. */
#ifndef SLUICE_CHAOS_H
#define SLUICE_CHAOS_H

#include <stdbool.h>
#include <stdint.h>

#include "endpoints/message.h"
#include "rules/policy/policy.h"

/* Adds the answer for version.bind, version.server, id.server or hostname.bind; false: there is
 * none. */
bool chaos_answer(struct message *message, const struct policy *policy, const struct name *name,
		  uint16_t type);

#endif
