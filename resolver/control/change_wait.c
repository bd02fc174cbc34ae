/* PTRs that wait for their owners, as a part of a change. They are in no table but the one of those
 * that wait, so another table takes its place, and the old one is kept for undoing:
 *
 *     book->waiting ─► change->unwaited      change->waited ─► book->waiting, when it is committed
 */
#include "resolver/control/change_internal.h"

void change_unwait(struct change *change)
{
	struct book *book = change->inventory->book;

	if (change->waits)
		return;
	change->waits = true;
	change->unwaited = book->waiting;
	book->waiting = NULL;
}

static int check_id(struct change *change, const char *id, char lower[UUID_TEXT_MAX])
{
	const struct group *group = schema_field(&schema_model, "addresses")->group;
	struct owned_address item;
	struct arena arena;

	arena_init(&arena);
	int err = change_check_text(change, schema_field(group, "id"), &item, id, &arena);
	arena_release(&arena);
	if (err) {
		snprintf(change->error.field, sizeof change->error.field, "owner");
		return err;
	}
	snprintf(lower, UUID_TEXT_MAX, "%s", id);
	for (char *c = lower; *c; c++)
		*c = (char)name_lower((uint8_t)*c);
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
	change_unwait(change);
	HASH_FIND_STR(change->waited, id, before);
	if (before)
		return change_fail(change, CHANGE_TAKEN, "owner", "%s has two PTRs; leave one out",
				   id);
	const struct source_ptr kept = {
		.owner = id,
		.fqdn = owner_dotted(ptr->fqdn, fqdn),
		.description = ptr->description && *ptr->description ? ptr->description : NULL,
		.ttl_given = ptr->ttl_given,
		.ttl = ptr->ttl_given ? (uint32_t)ptr->ttl : 0,
	};
	return orphan_put(&change->waited, &kept) == 0 ? 0 : change_fail_memory(change);
}

size_t change_count_waiting(const struct change *change)
{
	return HASH_COUNT(change->waited) + HASH_COUNT(change->unwaited);
}

size_t change_describe_unwaited(const struct change *change, struct source_edit *edits)
{
	size_t count = 0;

	for (const struct orphan *at = change->unwaited; at; at = at->hh.next)
		edits[count++] = (struct source_edit){
			.act = SOURCE_DELETE_PTR, .expected = at->ptr.revision, .ptr = at->ptr};
	return count;
}

size_t change_describe_waited(const struct change *change, struct source_edit *edits)
{
	size_t count = 0;

	for (const struct orphan *at = change->waited; at; at = at->hh.next)
		edits[count++] = (struct source_edit){.act = SOURCE_PUT_PTR, .ptr = at->ptr};
	return count;
}

void change_settle_waiting(struct change *change, uint64_t revision)
{
	if (!change->waits)
		return;
	for (struct orphan *at = change->waited; at; at = at->hh.next)
		at->ptr.revision = revision;
	orphan_free(&change->unwaited);
	change->inventory->book->waiting = change->waited;
	change->waited = NULL;
	change->waits = false;
}

void change_undo_waiting(struct change *change)
{
	if (!change->waits)
		return;
	orphan_free(&change->waited);
	change->inventory->book->waiting = change->unwaited;
	change->unwaited = NULL;
	change->waits = false;
}
