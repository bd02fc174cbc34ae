/* The edits: what is wished for is made whole, checked against everything else that is ours, and
 * put into the book. */
#include <strings.h>

#include "resolver/control/resource/change_internal.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

/* ---- what stands in the way ---- */

static struct node *find(struct change *change, const struct owner *owner, int *err)
{
	struct node *node = owner ? book_by_id(change->inventory->book, owner->id) : NULL;

	*err = change_is_open(change);
	if (!*err && !node)
		*err = change_fail(change, CHANGE_NOT_FOUND, NULL,
				   "there is no such address or service");
	return *err ? NULL : node;
}

static int check_writable(struct change *change, const struct owner *owner)
{
	char title[OWNER_TITLE_MAX];

	if (!owner_is_read_only(owner))
		return 0;
	return change_fail(change, CHANGE_READ_ONLY, NULL,
			   "%s comes from the configuration file; change it there",
			   owner_title(owner, title));
}

static int check_names(struct change *change, const struct owner *owner)
{
	const char *advice = NULL, *field = "name", *text = owner->name;

	if (owner->kind == OWNER_SERVICE) {
		advice = service_name_refusal(owner->name);
	} else if (owner->label) {
		field = "domain_name_label";
		text = owner->label;
		advice = label_refusal(owner->label);
		if (!advice && !owner->region)
			advice = "a label takes a region: give one, or a top-level one in the "
				 "configuration";
	}
	return advice ? change_fail(change, CHANGE_INVALID, field, "\"%s\" does not fit; %s", text,
				    advice)
		      : 0;
}

static int check_clash(struct change *change, const struct owner *owner, const struct node *before)
{
	struct book *book = change->inventory->book;
	const char *field, *text;
	char title[OWNER_TITLE_MAX], address[ADDRESS_TEXT_MAX];
	const struct node *other = book_clash(book, owner, before, &field);
	struct orphan *waiting = NULL;

	if (!before)
		HASH_FIND_STR(book->waiting, owner->id, waiting);
	if (waiting)
		return change_fail(change, CHANGE_TAKEN, "id",
				   "%s is the id of an address that the file had, and whose PTR "
				   "\"%s\" waits for its return; give another",
				   owner->id, waiting->ptr.fqdn);
	if (!other)
		return 0;
	text = strcmp(field, "id") == 0        ? owner->id
	       : strcmp(field, "address") == 0 ? address_print(&owner->address, address)
	       : strcmp(field, "name") == 0    ? owner->name
					       : owner->fqdn;
	return change_fail(change, CHANGE_TAKEN, field, "%s is taken, by %s; give another", text,
			   owner_title(&other->owner, title));
}

/* Everything about an owner that has its values. */
static int check_owner(struct change *change, struct owner *owner, const struct node *before,
		       char fqdn[NAME_TEXT_MAX])
{
	const struct book *book = change->inventory->book;
	char refusal[POOLS_TEXT_MAX];
	int err = check_names(change, owner);

	if (err)
		return err;
	if (owner_derive_fqdn(owner, book->model, fqdn) != 0)
		return change_fail(change, CHANGE_INVALID,
				   owner->kind == OWNER_SERVICE ? "name" : "domain_name_label",
				   "the name it would have is no domain name: \"%s\"; use a "
				   "shorter one",
				   fqdn);
	if (book_refusal(book, owner, refusal))
		return change_fail(change, CHANGE_INVALID, "address", "%s", refusal);
	return check_clash(change, owner, before);
}

/* ---- addresses and services ---- */

static void fill(struct owner *owner, const struct wish *wish)
{
	owner->kind = wish->kind;
	owner->tags = wish->tags;
	if (wish->kind == OWNER_SERVICE) {
		owner->name = wish->service.name;
		owner->address = wish->service.address;
		owner->description = wish->service.description;
		owner->allocation = ALLOCATION_STATIC;
		return;
	}
	owner->name = wish->address.name;
	owner->resource_group = wish->address.resource_group;
	owner->region = wish->address.region;
	owner->address = wish->address.address;
	owner->allocation = wish->address.allocation;
	owner->label = wish->address.domain_name_label;
}

static int give_address(struct change *change, struct owner *owner, const struct wish *wish)
{
	if (owner->address.family)
		return 0;
	if (owner->kind == OWNER_SERVICE)
		return change_fail(change, CHANGE_INVALID, "address", "is missing; give one");
	if (change_find_address(change, owner->region, wish->family, &owner->address))
		return 0;
	return change_fail(change, CHANGE_EXHAUSTED, "address",
			   "no address pool%s%s has a free IPv%u address; add a pool, or name an "
			   "address",
			   owner->region ? " of region " : "", owner->region ? owner->region : "",
			   wish->family);
}

static int put(struct change *change, const struct owner *owner, struct node *before)
{
	struct node *node = node_new(owner, NULL);

	return node ? change_swap(change, before, node, true, false) : change_fail_memory(change);
}

static int add(struct change *change, struct wish *wish, const struct owner **made)
{
	const struct model *model = change->inventory->book->model;
	char id[UUID_TEXT_MAX], fqdn[NAME_TEXT_MAX];
	struct owner owner = {.subscription = model->subscription};

	fill(&owner, wish);
	if (!owner.name)
		return change_fail(change, CHANGE_INVALID, "name", "is missing; give one");
	if (wish->kind == OWNER_ADDRESS)
		owner.region = model_region(model, owner.region);
	if (wish->address.id)
		snprintf(id, sizeof id, "%s", wish->address.id);
	else
		uuid_random(id);
	owner.id = text_lower(id);
	int err = give_address(change, &owner, wish);
	if (!err)
		err = check_owner(change, &owner, NULL, fqdn);
	if (!err)
		err = put(change, &owner, NULL);
	if (!err && owner.resource_group)
		err = change_group_ensure(change, owner.resource_group, owner.region);
	if (!err && made)
		*made = inventory_by_id(change->inventory, id);
	return err;
}

static int set_values(struct change *change, struct wish *wish, const struct change_value *values,
		      size_t count)
{
	int err = 0;

	for (size_t i = 0; !err && i < count; i++)
		err = wish_set(change, wish, &values[i]);
	return err;
}

int change_add(struct change *change, enum owner_kind kind, const struct change_value *values,
	       size_t count, const struct owner **owner)
{
	struct wish wish;
	int err = change_is_open(change);

	if (err)
		return err;
	err = wish_init(&wish, kind, NULL) == 0 ? 0 : change_fail_memory(change);
	if (!err)
		err = set_values(change, &wish, values, count);
	if (!err)
		err = add(change, &wish, owner);
	wish_release(&wish);
	return err;
}

static bool is_same(const char *a, const char *b)
{
	return strcasecmp(a ? a : "", b ? b : "") == 0;
}

static int check_identity(struct change *change, const struct owner *before,
			  const struct owner *after, const char *id)
{
	const char *field = !is_same(before->name, after->name) ? "name"
			    : !is_same(before->id, id)          ? "id"
			    : !is_same(before->resource_group, after->resource_group)
				    ? "resource_group"
				    : NULL;

	return field ? change_fail(change, CHANGE_INVALID, field,
				   "cannot change; add one that has it and remove this one")
		     : 0;
}

static int set(struct change *change, struct wish *wish, struct node *before)
{
	const struct model *model = change->inventory->book->model;
	struct owner owner = before->owner;
	char fqdn[NAME_TEXT_MAX];

	fill(&owner, wish);
	if (wish->kind == OWNER_ADDRESS)
		owner.region = model_region(model, owner.region);
	int err = check_identity(change, &before->owner, &owner,
				 wish->address.id ? wish->address.id : owner.id);
	if (!err)
		err = give_address(change, &owner, wish);
	if (!err)
		err = check_owner(change, &owner, before, fqdn);
	if (!err && owner.ptr.status == PTR_ERROR) { /* it had no pool; now it has one */
		owner.ptr.status = PTR_PENDING;
		owner.ptr.action = PTR_ACTION_UPDATE;
	}
	return err ? err : put(change, &owner, before);
}

int change_set(struct change *change, const struct owner *owner, const struct change_value *values,
	       size_t count, const struct owner **now)
{
	struct wish wish;
	int err;
	struct node *before = find(change, owner, &err);

	if (before)
		err = check_writable(change, &before->owner);
	if (err)
		return err;
	char id[UUID_TEXT_MAX];
	snprintf(id, sizeof id, "%s", before->owner.id);
	err = wish_init(&wish, before->owner.kind, &before->owner) == 0
		      ? 0
		      : change_fail_memory(change);
	if (!err)
		err = set_values(change, &wish, values, count);
	if (!err)
		err = set(change, &wish, before);
	if (!err && now)
		*now = inventory_by_id(change->inventory, id);
	wish_release(&wish);
	return err;
}

int change_remove(struct change *change, const struct owner *owner)
{
	int err;
	struct node *before = find(change, owner, &err);

	if (before)
		err = check_writable(change, &before->owner);
	return err ? err : change_swap(change, before, NULL, true, true);
}

/* ---- PTRs ---- */

int change_check_ptr(struct change *change, const struct change_ptr *ptr)
{
	static const struct origin nowhere;
	const struct group *group = change_fields(OWNER_ADDRESS);
	struct owned_address item;
	struct faults faults;
	struct arena arena;

	arena_init(&arena);
	faults_init(&faults);
	int err = change_check_text(change, schema_field(group, "reverse_fqdn"), &item, ptr->fqdn,
				    &arena);
	const char *advice = err ? NULL : reverse_fqdn_refusal(ptr->fqdn);
	if (advice)
		err = change_fail(change, CHANGE_INVALID, "reverse_fqdn",
				  "\"%s\" is not a host's name; %s", ptr->fqdn, advice);
	if (!err && ptr->description)
		err = change_check_text(change, schema_field(group, "description"), &item,
					ptr->description, &arena);
	if (!err && ptr->ttl_given &&
	    schema_set_number(schema_field(group, "ttl"), &item, ptr->ttl, &nowhere, &faults) != 0)
		err = change_fail(change, CHANGE_INVALID, "ttl", "%s",
				  faults.count ? faults.items[0].text : err_text(ERR_NOMEM));
	faults_release(&faults);
	arena_release(&arena);
	return err;
}

int change_check_ptr_writable(struct change *change, const struct owner *owner)
{
	if (!owner->ptr.read_only)
		return 0;
	return change_fail(change, CHANGE_READ_ONLY, NULL,
			   "the configuration file gives it the PTR \"%s\", at %s:%u; change it "
			   "there",
			   owner->ptr.fqdn, owner->origin.file, owner->origin.line);
}

static const struct owner_ptr no_ptr = {.status = PTR_PENDING, .action = PTR_ACTION_DELETE};

struct owner_ptr change_wanted_ptr(const struct owner *owner, const struct change_ptr *ptr,
				   const struct model *model, char fqdn[NAME_TEXT_MAX])
{
	if (!ptr->fqdn || !*ptr->fqdn)
		return no_ptr;
	return (struct owner_ptr){
		.fqdn = owner_dotted(ptr->fqdn, fqdn),
		.description = ptr->description && *ptr->description ? ptr->description : NULL,
		.ttl_given = ptr->ttl_given,
		.ttl = ptr->ttl_given ? (uint32_t)ptr->ttl : model->reverse.ttl,
		.status = PTR_PENDING,
		.action = owner->ptr.fqdn ? PTR_ACTION_UPDATE : PTR_ACTION_CREATE,
	};
}

static int put_ptr(struct change *change, struct node *before, const struct owner_ptr *ptr)
{
	struct owner owner = before->owner;

	owner.ptr = *ptr;
	struct node *node = node_new(&owner, before->refusal);
	return node ? change_swap(change, before, node, false, true) : change_fail_memory(change);
}

int change_ptr_set(struct change *change, const struct owner *owner, const struct change_ptr *ptr)
{
	char fqdn[NAME_TEXT_MAX];
	int err;
	struct node *before = find(change, owner, &err);

	if (before && ptr->fqdn && !*ptr->fqdn)
		return change_ptr_unset(change, owner);
	if (before)
		err = change_check_ptr_writable(change, &before->owner);
	if (!err && !ptr->fqdn)
		err = change_fail(change, CHANGE_INVALID, "reverse_fqdn", "is missing; give one");
	if (!err)
		err = change_check_ptr(change, ptr);
	if (err)
		return err;
	const struct owner_ptr wanted =
		change_wanted_ptr(&before->owner, ptr, change->inventory->book->model, fqdn);
	return put_ptr(change, before, &wanted);
}

int change_ptr_unset(struct change *change, const struct owner *owner)
{
	int err;
	struct node *before = find(change, owner, &err);

	if (before)
		err = change_check_ptr_writable(change, &before->owner);
	if (!err && !before->owner.ptr.fqdn)
		err = change_fail(change, CHANGE_NOT_FOUND, NULL, "it has no PTR");
	return err ? err : put_ptr(change, before, &no_ptr);
}
