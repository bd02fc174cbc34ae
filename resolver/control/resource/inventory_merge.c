/* A book made of the file and the state, at the cost of what is another:
 *
 *     the state   as the present book has it; read only if the store has others, or could not be
 *                 read before. Under another suffix or TTL it is made anew of what is at hand;
 *                 after another pool or network its owners are looked at again, and those that
 *                 come to be served, or to be served no more, are noted (book->turns)
 *     the file    its addresses and services, always anew, and onto them the state's PTRs for them
 *     the table   the present one without the file's part of it, and with the new one
 *
 *     in both                                      a fault that names both: the reload is refused
 *     in the state, and in no pool any more        a warning; kept, and not served
 *     a PTR in the state, its owner nowhere        kept, waits
 *     a state that cannot be read                  a warning; what is known of it stays
 *
 * The present book is not touched: the new one may yet be abandoned. The file's own conflicts have
 * been found by limits_check. */
#include <assert.h>
#include <strings.h>

#include "resolver/control/resource/inventory_group_internal.h"
#include "rules/text.h"

struct merge {
	struct inventory *inventory;
	struct book *book;
	struct faults *faults;
	const struct book *before;
	const char *state; /* its path */
	struct owner_scratch scratch;
	char complaint[SOURCE_ERROR_MAX]; /* of a record that ended the load; "": of none */
};

/* ---- what clashes ---- */

/* Names both; the place is the file's, which is where somebody has just changed something. */
static int complain(struct merge *merge, const struct owner *values, const struct node *other,
		    const char *field)
{
	const struct owner *file = values->origin.file ? values : &other->owner;
	char text[OWNER_TITLE_MAX], other_text[OWNER_TITLE_MAX];
	struct origin origin = file->origin;

	if (!origin.file)
		origin.file = merge->state;
	fault_add(merge->faults, FAULT_ERROR, &origin, field,
		  "%s and %s cannot both have this %s; remove one of them, or give it another",
		  owner_title(values, text), owner_title(&other->owner, other_text), field);
	return 0; /* all of them are told */
}

static int complain_of_ptr(struct merge *merge, const struct source_ptr *ptr,
			   const struct owner *owner)
{
	char text[OWNER_TITLE_MAX];
	struct origin origin = owner->origin;

	if (!origin.file)
		origin.file = merge->state;
	fault_add(merge->faults, FAULT_ERROR, &origin, "reverse_fqdn",
		  "%s has the PTR \"%s\" here and \"%s\" in the state; take one of them away",
		  owner_title(owner, text), owner->ptr.fqdn, ptr->fqdn);
	return 0;
}

static int give_ptr(struct merge *merge, struct node *node, const struct source_ptr *ptr)
{
	struct owner_ptr given = {
		.fqdn = ptr->fqdn,
		.description = ptr->description,
		.ttl_given = ptr->ttl_given,
		.ttl = ptr->ttl_given ? ptr->ttl : merge->book->model->reverse.ttl,
		.status = PTR_ACTIVE,
		.revision = ptr->revision,
	};

	return shelf_set_ptr(node->owner.origin.file ? merge->book->file : merge->book->state, node,
			     &given);
}

/* The PTR that the state has for an owner of the file. */
static int take_waiting(struct merge *merge, struct node *node)
{
	struct orphan *waiting;
	int err;

	HASH_FIND_STR(merge->book->waiting, node->owner.id, waiting);
	if (!waiting)
		return 0;
	err = node->owner.ptr.fqdn ? complain_of_ptr(merge, &waiting->ptr, &node->owner)
				   : give_ptr(merge, node, &waiting->ptr);
	HASH_DEL(merge->book->waiting, waiting);
	free(waiting);
	return err;
}

static int add(struct merge *merge, const struct owner *values, const char *refusal)
{
	const char *field;
	const struct node *other = book_clash(merge->book, values, NULL, &field);
	struct node *node;
	int err;

	if (other)
		return complain(merge, values, other, field);
	node = node_new(values, refusal);
	err = node ? book_put(merge->book, node) : ERR_NOMEM;
	if (err)
		node_free(node);
	else if (values->origin.file)
		err = take_waiting(merge, node);
	return err;
}

/* Groups are the subscription's that the configuration has; of another one there may be addresses,
 * from the time when that was it. */
static bool is_ours(const struct model *model, const struct owner *owner)
{
	return !owner->subscription ||
	       (model->subscription && strcasecmp(owner->subscription, model->subscription) == 0);
}

/* The owner's group, where nothing else says that there is one. */
static int name_group(struct group_entry **table, const struct owner *owner)
{
	const struct resource_group group = {
		.name = owner->resource_group,
		.region = owner->region,
		.origin = owner->origin,
	};

	return group.name ? group_name_once(table, &group) : 0;
}

/* ---- from the file ---- */

static int add_tagged(struct merge *merge, struct owner *owner, const char *const *tags,
		      size_t count)
{
	char *text;
	int err = owner_tags(tags, count, &text);

	owner->tags = text;
	if (!err)
		err = add(merge, owner, NULL);
	owner->tags = NULL;
	free(text);
	return err;
}

static int add_file(struct merge *merge)
{
	const struct model *model = merge->book->model;
	struct owner owner;
	int err = 0;

	for (size_t i = 0; !err && i < model->addresses.count; i++) {
		const struct owned_address *address = &model->addresses.items[i];

		owner_of_address(&owner, address, model, &merge->scratch);
		err = add_tagged(merge, &owner, address->tags.items, address->tags.count);
		if (!err)
			err = name_group(&merge->book->file->groups, &owner);
	}
	for (size_t i = 0; !err && i < model->cloud_services.count; i++) {
		const struct cloud_service *service = &model->cloud_services.items[i];

		owner_of_service(&owner, service, model, &merge->scratch);
		err = add_tagged(merge, &owner, service->tags.items, service->tags.count);
	}
	return err;
}

/* ---- from the state ---- */

static int on_group(void *context, const struct source_group *record)
{
	struct merge *merge = context;
	const struct resource_group group = {
		.name = record->name,
		.region = record->region,
		.tags = record->tags,
		.revision = record->revision,
	};

	return group_name_once(&merge->book->state->groups, &group);
}

static int on_owner(void *context, const struct source_owner *record)
{
	struct merge *merge = context;
	char refusal[POOLS_TEXT_MAX];
	struct owner owner;

	owner_of_source(&owner, record, merge->book->model, &merge->scratch);
	int err = add(merge, &owner, book_refusal(merge->book, &owner, refusal));
	return err || !is_ours(merge->book->model, &owner)
		       ? err
		       : name_group(&merge->book->state->groups, &owner);
}

/* Owners come first, so one that is not there is the file's, or gone. */
static int on_ptr(void *context, const struct source_ptr *record)
{
	struct merge *merge = context;
	struct node *node = book_by_id(merge->book, record->owner);
	static const struct hash_key any_key;
	struct name name;

	if (name_from_text(&name, &any_key, record->fqdn) != 0) {
		snprintf(merge->complaint, sizeof merge->complaint,
			 "the state %s has the PTR \"%s\" for %s, which was not written by "
			 "sluice; mend or remove that record",
			 merge->state, record->fqdn, record->owner);
		return ERR_INVALID;
	}
	if (!node)
		return orphan_put(&merge->book->waiting, record);
	return node->owner.ptr.fqdn ? complain_of_ptr(merge, record, &node->owner)
				    : give_ptr(merge, node, record);
}

static void warn(struct merge *merge)
{
	const struct book *book = merge->book;
	struct origin origin = {.file = merge->state};
	size_t refused = book->state->refused, waiting = HASH_COUNT(book->waiting);

	for (const struct turn *turn = book->turns; turn; turn = turn->next)
		refused += (size_t)(turn->refusal != NULL) - (size_t)(turn->node->refusal != NULL);
	if (refused)
		fault_add(merge->faults, FAULT_WARNING, &origin, NULL,
			  "%zu of the addresses and services in the state are in no address pool "
			  "or network any more, and are not served; add the pools they are from, "
			  "or remove them (sluice ptr list says which)",
			  refused);
	if (waiting)
		fault_add(merge->faults, FAULT_WARNING, &origin, NULL,
			  "%zu of the PTRs in the state belong to addresses that are gone from the "
			  "file; they are kept, and not served",
			  waiting);
}

static void tell_unread(struct merge *merge, const char *error)
{
	const char *why = *merge->complaint ? merge->complaint : error;

	inventory_say_unread(merge->inventory, why);
	fault_add(merge->faults, FAULT_WARNING, &(struct origin){.file = merge->state}, NULL,
		  "%s; what the file says is served, and what was known of the state; changes are "
		  "refused until a reload finds it well",
		  why);
}

/* Reads the store. ERR_SYSTEM: it cannot be read, which has been told; the book has nothing of the
 * state yet. */
static int read_store(struct merge *merge)
{
	const struct source_reader reader = {merge, on_owner, on_ptr, on_group};
	struct inventory *inventory = merge->inventory;
	struct faults *faults = merge->faults, found;
	char error[SOURCE_ERROR_MAX];

	faults_init(&found);
	merge->faults = &found;
	inventory->stale = true; /* until what was read is adopted */
	int err = source_load(inventory->source, &reader, error);
	merge->faults = faults;
	if (!err) {
		merge->book->read = true;
		for (size_t i = 0; i < found.count; i++)
			fault_add(faults, found.items[i].severity, &found.items[i].origin, NULL,
				  "%s", found.items[i].text);
	} else if (err != ERR_NOMEM) {
		tell_unread(merge, error);
		book_forget_state(merge->book);
		err = ERR_SYSTEM;
	}
	faults_release(&found);
	return err;
}

/* ---- what was known of it ---- */

/* The state's PTRs that are not for owners of its own: whether they wait is for the file to say. */
static int keep_waiting(struct merge *merge)
{
	const struct orphan *waiting = merge->before->waiting;
	const struct node *node = merge->before->file->by_id;
	int err = 0;

	for (; !err && waiting; waiting = waiting->hh.next)
		err = orphan_put(&merge->book->waiting, &waiting->ptr);
	for (; !err && node; node = node->by_id.next) {
		const struct source_ptr ptr = owner_ptr_record(&node->owner);

		if (ptr.revision)
			err = orphan_put(&merge->book->waiting, &ptr);
	}
	return err;
}

/* Every record as if the store had told it again. */
static int make_again(struct merge *merge)
{
	const struct group_entry *entry = merge->before->state->groups;
	int err = 0;

	for (; !err && entry; entry = entry->hh.next)
		err = group_name_once(&merge->book->state->groups, &entry->group);
	for (const struct node *node = merge->before->state->by_id; !err && node;
	     node = node->by_id.next) {
		const struct source_owner owner = owner_record(&node->owner);
		const struct source_ptr ptr = owner_ptr_record(&node->owner);

		err = on_owner(merge, &owner);
		if (!err && ptr.fqdn)
			err = on_ptr(merge, &ptr);
	}
	return err;
}

/* Whether owners of the state would come out the same, but for whether they are served. */
static bool derive_alike(const struct model *a, const struct model *b)
{
	return a->reverse.ttl == b->reverse.ttl &&
	       text_equal(a->reverse.suffix, b->reverse.suffix) &&
	       text_equal(a->reverse.service_suffix, b->reverse.service_suffix);
}

static int note_turn(struct book *book, struct node *node, const char *refusal)
{
	struct turn *turn = calloc(1, sizeof *turn);

	if (!turn)
		return ERR_NOMEM;
	turn->node = node;
	turn->refusal = refusal ? strdup(refusal) : NULL;
	turn->next = book->turns;
	book->turns = turn;
	return !refusal || turn->refusal ? 0 : ERR_NOMEM;
}

static int find_turns(struct merge *merge)
{
	struct book *book = merge->book;
	char text[POOLS_TEXT_MAX];
	int err = 0;

	if (pools_equal(book->pools, merge->before->pools, book->state->refused > 0))
		return 0;
	for (struct node *node = book->state->by_id; !err && node; node = node->by_id.next) {
		const char *refusal = book_refusal(book, &node->owner, text);

		if (!text_equal(refusal, node->refusal))
			err = note_turn(book, node, refusal);
	}
	return err;
}

static int keep_state(struct merge *merge)
{
	struct book *book = merge->book;
	int err = keep_waiting(merge);

	if (!err && !derive_alike(book->model, merge->before->model)) {
		book->state = shelf_new();
		return book->state ? make_again(merge) : ERR_NOMEM;
	}
	if (err)
		return err;
	book->state = merge->before->state;
	book->borrows = true;
	return find_turns(merge);
}

static int add_state(struct merge *merge)
{
	struct inventory *inventory = merge->inventory;
	struct source *source = inventory->source;
	int err = ERR_SYSTEM;

	if (source && (inventory->stale || !source->calls->is_current(source))) {
		merge->book->state = shelf_new();
		err = merge->book->state ? read_store(merge) : ERR_NOMEM;
	}
	return err == ERR_SYSTEM ? keep_state(merge) : err;
}

/* ---- the table ---- */

static int serve_shelf(struct merge *merge, const struct shelf *shelf, struct owned_draft *draft)
{
	int err = 0;

	for (const struct node *node = shelf->by_id; !err && node; node = node->by_id.next)
		err = node_serve(node, draft, &merge->inventory->key, merge->book->model);
	return err;
}

/* Takes out of the present table what is not served any more, or may not be: of the file all. */
static int clear_old(struct merge *merge, struct owned_draft *draft)
{
	const struct hash_key *key = &merge->inventory->key;
	int err = 0;

	for (const struct node *node = merge->before->file->by_id; !err && node;
	     node = node->by_id.next)
		err = node_unserve(node, draft, key);
	for (const struct turn *turn = merge->book->turns; !err && turn; turn = turn->next)
		err = node_unserve(turn->node, draft, key);
	return err;
}

static int fill_owned(struct merge *merge, struct owned_draft *draft)
{
	const struct book *book = merge->book;
	int err = book->borrows ? clear_old(merge, draft) : serve_shelf(merge, book->state, draft);

	for (const struct turn *turn = book->turns; !err && turn; turn = turn->next)
		if (!turn->refusal)
			err = owner_serve(&turn->node->owner, draft, &merge->inventory->key,
					  book->model);
	return err ? err : serve_shelf(merge, book->file, draft);
}

static int make_owned(struct merge *merge)
{
	struct book *book = merge->book;
	struct owned_draft *draft = owned_edit(book->borrows ? merge->before->owned : NULL);
	int err = draft ? fill_owned(merge, draft) : ERR_NOMEM;

	if (err) {
		owned_discard(draft);
		return err;
	}
	book->owned = owned_commit(draft);
	return 0;
}

int inventory_merge_aside(struct inventory *inventory, struct book *book, bool afresh)
{
	struct faults none; /* what is served now has none */
	struct merge merge = {
		.inventory = inventory, .book = book, .faults = &none, .before = inventory->book};

	faults_init(&none);
	merge.state = inventory->state_path;
	book->state = shelf_new();
	int err = book->state ? 0 : ERR_NOMEM;
	if (!err && !afresh)
		err = keep_waiting(&merge);
	if (!err && !afresh)
		err = make_again(&merge);
	if (!err)
		err = add_file(&merge);
	assert(none.errors == 0);
	faults_release(&none);
	return err;
}

int inventory_merge_table(struct inventory *inventory, struct book *book)
{
	struct merge merge = {.inventory = inventory, .book = book, .before = inventory->book};

	return make_owned(&merge);
}

int inventory_merge(struct inventory *inventory, struct book *book, struct faults *faults)
{
	struct merge merge = {
		.inventory = inventory, .book = book, .faults = faults, .before = inventory->book};
	size_t errors = faults->errors;
	int err;

	merge.state = inventory->state_path;
	err = add_state(&merge);
	if (!err)
		err = add_file(&merge);
	if (!err && faults->errors > errors)
		err = ERR_FAULTS;
	if (!err) {
		warn(&merge);
		err = make_owned(&merge);
	}
	if (err && faults->errors == errors)
		fault_add(faults, FAULT_ERROR, &book->model->origin, NULL, "%s", err_text(err));
	return err;
}
