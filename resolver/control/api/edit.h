/* A request of any API that changes one resource and the resources that belong to it. The API reads
 * its edit; service_commit makes the change, as it makes every change (service/commit.h):
 *
 *     api_edit ─► read ─┬─ it claims no name ──────────────────────────────► service_commit, answer
 *                       └─ it claims one: rehearsed (a refusal ends it), then ownership_check
 *                            ├─ owned ────────────────────────────► read ─► service_commit, answer
 *                            ├─ not owned, or not known ──────────► 400, nothing has changed
 *                            └─ owned, but a large change has begun: all again when that
 *                               work ends, at most EDIT_WAITS times, then 503
 *
 * A claim is Azure's rule for reverse names: a name must belong to the subscription when it is set
 * (ownership.h), and is not checked again. ARM claims the names of addresses, /v1 those of cloud
 * services. Other names are set without a claim, as in Designate.
 *
 * Another client may change the resource while the name is looked up. So the edit is read again,
 * with its preconditions, before it is made. */
#ifndef SLUICE_API_EDIT_H
#define SLUICE_API_EDIT_H

#include "resolver/control/api/api.h"
#include "resolver/control/resource/resources.h"
#include "resolver/control/service/service.h"

enum { EDIT_NAME_MAX = 128, EDIT_WAITS = 3 };

struct api_earlier;
struct api_edit;

/* What a request does with its resource. */
enum edit_method { EDIT_PUT, EDIT_PATCH, EDIT_DELETE };

struct api_made { /* a change that has been made */
	const struct service_change *change;
	const struct faults *faults; /* warnings about items of the model */
};

/* The parts of an edit that differ between APIs. */
struct api_editor {
	/* Reads the edit out of the request and the present state. Sets the path, or path->kind to
	 * NULL if the resource itself does not change; the values, as a new reference, or as a JSON
	 * null to remove the resource (NULL: no memory); and edit->claimed, which may be one of the
	 * values' texts. False: the edit is not possible, and the request has been answered. */
	bool (*read)(struct api_edit *edit, struct path *path, json_t **values);
	/* Answers a change that was made, and one that failed (NULL: api_fail_change answers). */
	void (*answer)(struct api_edit *edit, const struct api_made *made);
	void (*fail)(struct api_edit *edit, const struct change_error *error);
	/* Answers a change whose result is not allowed; NULL: api_fail_faults answers. */
	void (*fail_faults)(struct api_edit *edit, const struct faults *faults);
	/* Always called last. NULL for api_edit_plain. */
	void (*free)(struct api_edit *edit);
	/* Called in a dry run, before `answer`, unless the resource is removed: the request's
	 * resources (api_resources) are as the change would make them. May be NULL. */
	void (*look)(struct api_edit *edit);

	/* For claims. Finds the address or service that gets the name, as it is now; NULL: it does
	 * not exist yet. */
	const struct owned_resource *(*find)(const struct api_request *request);
	const char *title; /* its name in errors: "PublicIPAddress" */
	const char *field; /* the body's member with the reverse name */
	const char *also;  /* other resources whose names count: "cloud service or " */
};

/* A member of the API's own struct. */
struct api_edit {
	const struct api_editor *editor;
	struct api_request *request;
	bool rehearsal;      /* a dry run */
	const char *claimed; /* the name whose ownership must be checked; NULL: none */
	const char *was;     /* for the editor: the title before the change, to be logged */
	/* In a deployment: the edits of earlier resources of the change; else NULL. */
	const struct api_earlier *earlier;
	/* private */
	json_t *values;              /* of the first edit, from the last `read` */
	struct resource_edit *edits; /* the first is the one that `read` sets */
	size_t count, room;
	bool is_ours;             /* the ownership of `claimed` is confirmed */
	char name[EDIT_NAME_MAX]; /* of the address or service that gets the name */
	unsigned waits;
};

/* For `read`: appends an edit to the change. Copies the path; takes ownership of the values (NULL:
 * removes the resource). ERR_NOMEM. */
MUST_CHECK int api_edit_also(struct api_edit *edit, const struct path *path, json_t *values);

/* Frees edits that a caller has collected by api_edit_also without a call of api_edit. */
void api_edit_release(struct api_edit *edit);

/* For `read`: may an address of this family have the name? Azure gives IPv6 addresses none, and
 * neither does sluice unless reverse.ipv6 is set; an address keeps a name that it already has.
 * `resource`: the address as it is now; NULL: it does not exist yet. */
bool api_edit_allows(const struct api_edit *edit, const struct owned_resource *resource,
		     uint8_t family, const char *fqdn);
#define API_NOT_FOR_IPV6 "ReverseFqdnNotSupportedForIPv6"
#define API_NOT_FOR_IPV6_TEXT                                                                      \
	"ReverseFqdn is for IPv4 addresses, and %s is IPv6; reverse.ipv6 in the configuration "    \
	"allows it"

/* Makes the edit and answers its request, at once or later; takes ownership of the edit. */
void api_edit(struct api_edit *edit);
/* api_edit for an API without a struct of its own; its editor has no free. */
void api_edit_plain(struct api_request *request, const struct api_editor *editor);

#endif
