/* PTRs that wait for their owners, as an import brings them. */
#include "resolver/control/resource/change_internal.h"
#include "rules/text.h"

static int check_id(struct change *change, const char *id, char lower[UUID_TEXT_MAX])
{
	struct owned_address item;
	struct arena arena;

	arena_init(&arena);
	int err = change_check_text(change, schema_field(change_fields(OWNER_ADDRESS), "id"), &item,
				    id, &arena);
	arena_release(&arena);
	if (err) {
		snprintf(change->error.field, sizeof change->error.field, "owner");
		return err;
	}
	snprintf(lower, UUID_TEXT_MAX, "%s", id);
	text_lower(lower);
	return 0;
}

int change_wait(struct change *change, const char *owner, const struct change_ptr *ptr)
{
	char id[UUID_TEXT_MAX], fqdn[NAME_TEXT_MAX];
	const struct orphan *before = NULL;
	int err = change_is_open(change);

	if (!err)
		err = check_id(change, owner, id);
	if (!err)
		err = change_check_ptr(change, ptr);
	if (err)
		return err;
	HASH_FIND_STR(change->inventory->book->waiting, id, before);
	if (before)
		return change_fail(change, CHANGE_TAKEN, "owner", "%s has two PTRs; leave one out",
				   id);
	struct owner waiting = {.id = id};
	waiting.ptr = change_wanted_ptr(&waiting, ptr, change->inventory->book->model, fqdn);
	const struct source_ptr kept = owner_ptr_record(&waiting);
	return orphan_put(&change->inventory->book->waiting, &kept) == 0
		       ? 0
		       : change_fail_memory(change);
}
