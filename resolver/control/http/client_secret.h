/* The secret of a client of the management interface, kept as its SHA-256. Programs that only read
 * a configuration need this file and nothing else of this room. */
#ifndef SLUICE_CLIENT_SECRET_H
#define SLUICE_CLIENT_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/fault.h"
#include "rules/schema/model.h"

enum {
	HTTP_SECRET_MIN = 16, /* characters; a shorter one could be guessed */
	HTTP_SECRET_MAX = 1024,
};

/* Sets the client's digest, from its secret file or from secret_sha256. What cannot be used is a
 * fault; a secret that can be guessed is a warning. */
void http_secret_load(struct management_client *client, struct faults *faults);
/* False: there is no memory. */
bool http_secret_digest(const char *secret, size_t length, uint8_t digest[CLIENT_DIGEST_BYTES]);

#endif
