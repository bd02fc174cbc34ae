/* The secret of a client of the management interface, which is known by its SHA-256 alone. Who
 * reads a configuration without serving it reads secrets, too, and needs nothing else of this room.
 */
#ifndef SLUICE_CLIENT_SECRET_H
#define SLUICE_CLIENT_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/fault.h"
#include "rules/schema/model.h"

enum {
	HTTP_SECRET_MIN = 16, /* characters: what can be guessed is no secret */
	HTTP_SECRET_MAX = 1024,
};

/* Reads the client's secret into its digest; a file that cannot be used is a fault. */
void http_secret_load(struct management_client *client, struct faults *faults);
/* False: there is no memory. */
bool http_secret_digest(const char *secret, size_t length, uint8_t digest[CLIENT_DIGEST_BYTES]);

#endif
