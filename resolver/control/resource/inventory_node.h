/* An owner as the inventory keeps it, and where its values come from and go to: the file's model,
 * the state's records, the owned table. */
#ifndef SLUICE_INVENTORY_NODE_H
#define SLUICE_INVENTORY_NODE_H

#include <uthash.h>

#include "resolver/control/base/uuid.h"
#include "resolver/control/resource/owner.h"
#include "rules/name.h"
#include "rules/owned/owned.h"

/* An owner in the book. Nothing about it changes but the PTR's status: another one takes its place.
 */
struct node {
	struct owner owner; /* texts are in `texts`, but for the origin's: the model's */
	char *refusal;      /* why it is not served; NULL: it is */
	const char *name_key, *fqdn_key;
	struct node *pending_before, *pending_behind; /* while its PTR is PENDING */
	struct node *group_before, *group_behind;     /* of the addresses of its resource group */
	UT_hash_handle by_id, by_name, by_address, by_fqdn;
	char *ptr_texts;
	bool staged; /* a batch has a row for it (ptr_batch.c) */
	char texts[];
};

/* Where texts are put together that an owner is to have; the owner is good as long as this is. */
struct owner_scratch {
	char id[UUID_TEXT_MAX], fqdn[NAME_TEXT_MAX], ptr_fqdn[NAME_TEXT_MAX];
};

/* A copy of values, with a PTR where they have one; NULL without memory. */
struct node *node_new(const struct owner *values, const char *refusal);
void node_free(struct node *node); /* NULL is fine; it is in no book */
/* Another PTR, whose texts are copied, of a node that is in no book, or in one that is being made.
 */
MUST_CHECK int node_set_ptr(struct node *node, const struct owner_ptr *ptr);
/* The same in two steps, of which only the first can fail: *kept is what the node will have, with
 * its texts in *texts. */
MUST_CHECK int node_make_ptr(const struct node *node, const struct owner_ptr *ptr,
			     struct owner_ptr *kept, char **texts);
void node_take_ptr(struct node *node, const struct owner_ptr *kept, char *texts);

/* The forward name of an owner with all else filled in; NULL: it has none. ERR_INVALID when it
 * would be too long. */
MUST_CHECK int owner_derive_fqdn(struct owner *owner, const struct model *model,
				 char text[NAME_TEXT_MAX]);
/* With its final dot. */
const char *owner_dotted(const char *name, char text[NAME_TEXT_MAX]);
/* What the file or the state says, as an owner. */
void owner_of_address(struct owner *owner, const struct owned_address *address,
		      const struct model *model, struct owner_scratch *scratch);
void owner_of_service(struct owner *owner, const struct cloud_service *service,
		      const struct model *model, struct owner_scratch *scratch);
/* The file's "NAME=VALUE" as a JSON object, to be freed; *text is NULL where there are none. */
MUST_CHECK int owner_tags(const char *const *tags, size_t count, char **text);
void owner_of_source(struct owner *owner, const struct source_owner *record,
		     const struct model *model, struct owner_scratch *scratch);
/* What the state keeps of it. */
struct source_owner owner_record(const struct owner *owner);
struct source_ptr owner_ptr_record(const struct owner *owner);

/* What the draft is to hold of an owner; of a node, unless it is refused; and is not to hold any
 * more. */
MUST_CHECK int owner_serve(const struct owner *owner, struct owned_draft *draft,
			   const struct hash_key *key, const struct model *model);
MUST_CHECK int node_serve(const struct node *node, struct owned_draft *draft,
			  const struct hash_key *key, const struct model *model);
MUST_CHECK int node_unserve(const struct node *node, struct owned_draft *draft,
			    const struct hash_key *key);

#endif
