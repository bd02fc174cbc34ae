/* For tests: the management API over real HTTP at a port of loopback, with resources that are
 * empty and two clients: "ops", an admin, and "eye", a reader. */
#ifndef SLUICE_TESTS_API_WORLD_H
#define SLUICE_TESTS_API_WORLD_H

#include "resolver/control/process/process.h"
#include "tests/lib/http_world.h"

#define API_ADMIN  "admin-secret-of-32-characters-000"
#define API_READER "reader-secret-of-32-characters-00"

struct api_world {
	struct http_world http; /* first */
	struct service service; /* its resources and work are used */
	struct api api;
	struct faults faults;
	char admin_file[64], reader_file[64];
};

/* For a test's set-up and tear-down. `dialects` as in struct api. There is no process, so do not
 * ask for routes that need one. */
struct api_world *api_world_new(const struct api_dialect *const *dialects);
void api_world_free(struct api_world *world);
/* Lets in the first `count` clients from now on, with the secrets that their files have now. */
void api_world_serve_clients(struct api_world *world, size_t count);

/* Returns the status; the answer is in world->http. */
unsigned api_world_ask(struct api_world *world, const char *what, const char *headers,
		       const char *body);
/* The same with one more header and no body. */
unsigned api_world_ask_with(struct api_world *world, const char *what, const char *header,
			    const char *value);
/* The value at "a.b.0.c" in the last answer (json_at.h), valid until the next call. */
const char *api_world_said(struct api_world *world, const char *path);

#endif
