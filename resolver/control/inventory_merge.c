/* A book from nothing: the file's addresses and services first, then the state's, then the state's
 * PTRs onto both, and at the end the owned table of all that can be served.
 *
 *     in both                                      a fault that names both: the reload is refused
 *     in the state, and in no pool any more        a warning; kept, and not served
 *     a PTR in the state, its owner nowhere        kept, waits
 *
 * The file's own conflicts have been found by limits_check. */
#include "resolver/control/inventory_internal.h"

struct merge {
	struct inventory *inventory;
	struct book *book;
	struct faults *faults;
	const char *state; /* its path */
	size_t refused, waiting;
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
	return err;
}

/* ---- from the file ---- */

static int add_file(struct merge *merge)
{
	const struct model *model = merge->book->model;
	struct owner owner;
	int err = 0;

	for (size_t i = 0; !err && i < model->addresses.count; i++) {
		owner_of_address(&owner, &model->addresses.items[i], model, &merge->scratch);
		err = add(merge, &owner, NULL);
	}
	for (size_t i = 0; !err && i < model->cloud_services.count; i++) {
		owner_of_service(&owner, &model->cloud_services.items[i], model, &merge->scratch);
		err = add(merge, &owner, NULL);
	}
	return err;
}

/* ---- from the state ---- */

static int on_owner(void *context, const struct source_owner *record)
{
	struct merge *merge = context;
	char refusal[TERRITORY_TEXT_MAX];
	struct owner owner;

	owner_of_source(&owner, record, merge->book->model, &merge->scratch);
	const char *why = book_refusal(merge->book, &owner, refusal);
	merge->refused += why != NULL;
	return add(merge, &owner, why);
}

static int complain_of_ptr(struct merge *merge, const struct source_ptr *ptr,
			   const struct owner *owner)
{
	char text[OWNER_TITLE_MAX];

	fault_add(merge->faults, FAULT_ERROR, &owner->origin, "reverse_fqdn",
		  "%s has the PTR \"%s\" here and \"%s\" in the state; take one of them away",
		  owner_title(owner, text), owner->ptr.fqdn, ptr->fqdn);
	return 0;
}

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
	if (!node) {
		merge->waiting++;
		return book_wait(merge->book, record);
	}
	if (node->owner.ptr.fqdn)
		return complain_of_ptr(merge, record, &node->owner);
	merge->book->ptrs++;
	return node_set_ptr(
		node,
		&(struct owner_ptr){
			.fqdn = record->fqdn,
			.description = record->description,
			.ttl_given = record->ttl_given,
			.ttl = record->ttl_given ? record->ttl : merge->book->model->reverse.ttl,
			.status = PTR_ACTIVE,
			.revision = record->revision,
		});
}

static void warn(struct merge *merge)
{
	struct origin origin = {.file = merge->state};

	if (merge->refused)
		fault_add(merge->faults, FAULT_WARNING, &origin, NULL,
			  "%zu of the addresses and services in the state are in no address pool "
			  "or network any more, and are not served; add the pools they are from, "
			  "or remove them (sluice ptr list says which)",
			  merge->refused);
	if (merge->waiting)
		fault_add(merge->faults, FAULT_WARNING, &origin, NULL,
			  "%zu of the PTRs in the state belong to addresses that are gone from the "
			  "file; they are kept, and not served",
			  merge->waiting);
}

static int add_state(struct merge *merge, struct source *source)
{
	const struct source_reader reader = {merge, on_owner, on_ptr};
	struct inventory *inventory = merge->inventory;
	char error[SOURCE_ERROR_MAX];
	int err = source_load(source, &reader, error);

	if (!err) {
		warn(merge);
		return 0;
	}
	if (err == ERR_NOMEM)
		return err;
	snprintf(inventory->error, sizeof inventory->error, "%s",
		 *merge->complaint ? merge->complaint : error);
	fault_add(merge->faults, FAULT_ERROR, &(struct origin){.file = merge->state}, NULL, "%s",
		  inventory->error);
	return ERR_FAULTS;
}

/* ---- the table ---- */

static int make_owned(struct merge *merge)
{
	struct book *book = merge->book;
	struct owned_draft *draft = owned_edit(NULL);
	int err = draft ? 0 : ERR_NOMEM;

	for (const struct node *node = book->by_id; !err && node; node = node->by_id.next)
		err = node_serve(node, draft, &merge->inventory->key, book->model);
	if (err) {
		owned_discard(draft);
		return err;
	}
	book->owned = owned_commit(draft);
	return 0;
}

int inventory_merge(struct inventory *inventory, struct book *book, struct faults *faults)
{
	struct merge merge = {.inventory = inventory, .book = book, .faults = faults};
	struct source_about about = {0};
	size_t errors = faults->errors;
	int err;

	if (inventory->source)
		source_about(inventory->source, &about);
	merge.state = about.place;
	err = add_file(&merge);
	if (!err && inventory->source)
		err = add_state(&merge, inventory->source);
	if (!err && faults->errors > errors)
		err = ERR_FAULTS;
	if (!err)
		err = make_owned(&merge);
	if (err && faults->errors == errors)
		fault_add(faults, FAULT_ERROR, &book->model->origin, NULL, "%s", err_text(err));
	return err;
}
