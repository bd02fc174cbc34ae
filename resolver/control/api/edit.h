/* A request that changes one resource, and what belongs to it, in any API. Each API says what its
 * edit is; service_commit makes it, as it makes every change (service/commit.h):
 *
 *     api_edit ─► read ─┬─ it claims no name ──────────────────────────────► service_commit, answer
 *                       └─ it claims one: rehearsed (form: 4xx), then ownership_check
 *                            ├─ ours ─────────────────────────────► read ─► service_commit, answer
 *                            ├─ not ours, or not known ───────────► 400, nothing has changed
 *                            └─ others have begun a long work meanwhile: all of it again when that
 *                               is over, EDIT_WAITS times at most, then 503
 *
 * A claim is Azure's rule for reverse names: a name must belong to the subscription before it is
 * set (ownership.h), and is never asked about again. ARM claims the names of addresses, /v1 those
 * of cloud services; any other name of an address may be set without a claim, as with Designate.
 *
 * Somebody else may change the resource while the name is asked for. So the edit is read again,
 * with its preconditions, before it is made. */
#ifndef SLUICE_API_EDIT_H
#define SLUICE_API_EDIT_H

#include "resolver/control/api/api.h"
#include "resolver/control/resource/inventory.h"
#include "resolver/control/service/service.h"

enum { EDIT_NAME_MAX = 128, EDIT_WAITS = 3 };

struct api_edit;

struct api_made { /* what has been done */
	const struct service_change *change;
	const struct faults *faults; /* warnings, of a model's kinds */
};

/* What differs between the APIs. */
struct api_editor {
	/* Reads the edit out of the request and what is there now. Sets the path, or path->kind to
	 * NULL where nothing is to be done; the values, as a reference, or as a JSON null where the
	 * resource is to go (NULL: there is no memory); and edit->claimed, which may be one of the
	 * values' texts. False: it cannot be done, which has been answered. */
	bool (*read)(struct api_edit *edit, struct path *path, json_t **values);
	/* Each answers: what has been done; why not (NULL: as api_fail_change). */
	void (*answer)(struct api_edit *edit, const struct api_made *made);
	void (*fail)(struct api_edit *edit, const struct change_error *error);
	/* The same where what it would make is not allowed; NULL: as api_fail_faults. */
	void (*fail_faults)(struct api_edit *edit, const struct faults *faults);
	/* Called last, always. NULL: of api_edit_plain. */
	void (*free)(struct api_edit *edit);
	/* Of a dry run: called while the inventory is as it would be; the answer comes later. May
	 * be NULL. */
	void (*look)(struct api_edit *edit);

	/* Of claims. The address or service that is to have the name, as it is now; NULL: it is not
	 * there yet. */
	const struct owned_resource *(*find)(const struct api_request *request);
	const char *title; /* what errors call it: "PublicIPAddress" */
	const char *field; /* where the body has the reverse name */
	const char *also;  /* whose names count besides public IPs': "cloud service or " */
};

/* Embedded in the API's own struct. */
struct api_edit {
	const struct api_editor *editor;
	struct api_request *request;
	bool rehearsal;      /* a dry run */
	const char *claimed; /* the name whose ownership must be checked; NULL: none */
	const char *was;     /* the editor's: the title before the change, for the log */
	/* Of a deployment: edits of the same change that are made ahead of these. */
	const struct service_edit *earlier;
	size_t earlier_count;
	/* inside */
	json_t *values;             /* of the first, as they were read last */
	struct service_edit *edits; /* the first is the one that `read` gives */
	size_t count, room;
	bool is_ours;             /* the ownership of `claimed` is confirmed */
	char name[EDIT_NAME_MAX]; /* of the address or service that gets the name */
	unsigned waits;
};

/* For `read`: a further edit of the same change, behind the one that `read` gives. The path is
 * copied; the values (NULL: it goes) are taken over. ERR_NOMEM. */
MUST_CHECK int api_edit_also(struct api_edit *edit, const struct path *path, json_t *values);

/* Of edits that are collected without a request of this kind (api_edit_also): lets go of them. */
void api_edit_release(struct api_edit *edit);

/* For `read`: whether a name may be that of an address of this family. Azure has none for IPv6,
 * unless reverse.ipv6 is set; one that is there already stays. `resource`: as it is now, or NULL.
 */
bool api_edit_allows(const struct api_edit *edit, const struct owned_resource *resource,
		     uint8_t family, const char *fqdn);
#define API_NOT_FOR_IPV6 "ReverseFqdnNotSupportedForIPv6"
#define API_NOT_FOR_IPV6_TEXT                                                                      \
	"ReverseFqdn is for IPv4 addresses, and %s is IPv6; reverse.ipv6 in the configuration "    \
	"allows it"

/* Takes the edit over, and answers its request at once or later. */
void api_edit(struct api_edit *edit);
/* The same of an API that keeps nothing of its own meanwhile; its editor has no free. */
void api_edit_plain(struct api_request *request, const struct api_editor *editor);

#endif
