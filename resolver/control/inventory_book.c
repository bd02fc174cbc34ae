/* Every owner in four hash tables, by what it must be alone in having:
 *
 *     id ────────────┐
 *     kind, group, name ─┼─► node      no two owners share any of them
 *     address ───────┤
 *     forward name ──┘              (those that have one)
 *
 * A node that is another now is taken out and a new one put in. */
#include <assert.h>
#include <strings.h>
#include <utlist.h>

#include "resolver/control/inventory_internal.h"

struct book *book_new(const struct model *model)
{
	struct book *book = calloc(1, sizeof *book);

	if (!book)
		return NULL;
	book->model = model;
	book->territory = territory_new(model);
	if (book->territory)
		return book;
	book_free(book);
	return NULL;
}

void book_free(struct book *book)
{
	struct node *node, *next;
	struct waiting *waiting, *behind;

	if (!book)
		return;
	HASH_CLEAR(by_name, book->by_name);
	HASH_CLEAR(by_address, book->by_address);
	HASH_CLEAR(by_fqdn, book->by_fqdn);
	HASH_ITER (by_id, book->by_id, node, next) {
		HASH_DELETE(by_id, book->by_id, node);
		node_free(node);
	}
	HASH_ITER (hh, book->waiting, waiting, behind) {
		HASH_DEL(book->waiting, waiting);
		free(waiting);
	}
	owned_unref(book->owned);
	territory_free(book->territory);
	free(book);
}

/* ---- finding ---- */

static char *lower_copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from);
	for (char *c = to; *c; c++)
		*c = (char)name_lower((uint8_t)*c);
	return to;
}

struct node *book_by_id(const struct book *book, const char *id)
{
	char key[UUID_TEXT_MAX];
	struct node *node = NULL;

	if (id && strlen(id) < sizeof key) {
		lower_copy(key, sizeof key, id);
		HASH_FIND(by_id, book->by_id, key, strlen(key), node);
	}
	return node;
}

static struct node *by_name(const struct book *book, enum owner_kind kind, const char *group,
			    const char *name)
{
	enum { NAME_MAX_BYTES = 100, GROUP_MAX_BYTES = 100 };
	char key[NAME_MAX_BYTES + GROUP_MAX_BYTES + 3], text[sizeof key];
	struct node *node = NULL;

	if (!name || strlen(name) > NAME_MAX_BYTES || (group && strlen(group) > GROUP_MAX_BYTES))
		return NULL;
	snprintf(text, sizeof text, "%c%s\n%s", kind == OWNER_SERVICE ? 's' : 'a',
		 group ? group : "", name);
	lower_copy(key, sizeof key, text);
	HASH_FIND(by_name, book->by_name, key, strlen(key), node);
	return node;
}

static struct node *by_address(const struct book *book, const struct address *address)
{
	struct node *node = NULL;

	if (address->family)
		HASH_FIND(by_address, book->by_address, address, sizeof *address, node);
	return node;
}

static struct node *by_fqdn(const struct book *book, const char *fqdn)
{
	char dotted[NAME_TEXT_MAX], key[NAME_TEXT_MAX];
	struct node *node = NULL;

	if (!fqdn || !*fqdn || strlen(fqdn) >= NAME_TEXT_MAX - 1)
		return NULL;
	lower_copy(key, sizeof key, owner_dotted(fqdn, dotted));
	HASH_FIND(by_fqdn, book->by_fqdn, key, strlen(key), node);
	return node;
}

const struct node *book_clash(const struct book *book, const struct owner *values,
			      const struct node *but, const char **field)
{
	const struct {
		const char *field;
		const struct node *node;
	} found[] = {
		{"id", book_by_id(book, values->id)},
		{"name", by_name(book, values->kind, values->resource_group, values->name)},
		{"address", by_address(book, &values->address)},
		{values->kind == OWNER_SERVICE ? "name" : "domain_name_label",
		 by_fqdn(book, values->fqdn)},
	};

	for (size_t i = 0; i < sizeof found / sizeof *found; i++)
		if (found[i].node && found[i].node != but) {
			*field = found[i].field;
			return found[i].node;
		}
	return NULL;
}

/* ---- putting in and taking out ---- */

static void count(struct book *book, const struct node *node, size_t one)
{
	*(node->owner.kind == OWNER_SERVICE ? &book->services : &book->addresses) += one;
	if (node->owner.ptr.fqdn)
		book->ptrs += one;
}

static void take_from_tables(struct book *book, struct node *node)
{
	if (node->by_id.tbl)
		HASH_DELETE(by_id, book->by_id, node);
	if (node->by_name.tbl)
		HASH_DELETE(by_name, book->by_name, node);
	if (node->by_address.tbl)
		HASH_DELETE(by_address, book->by_address, node);
	if (node->by_fqdn.tbl)
		HASH_DELETE(by_fqdn, book->by_fqdn, node);
	node->by_id.tbl = node->by_name.tbl = node->by_address.tbl = node->by_fqdn.tbl = NULL;
}

int book_put(struct book *book, struct node *node)
{
	struct owner *owner = &node->owner;
	bool in = false;

	assert(!node->by_id.tbl && owner->address.family);
	HASH_ADD_KEYPTR(by_id, book->by_id, owner->id, strlen(owner->id), node);
	if (node->by_id.tbl)
		HASH_ADD_KEYPTR(by_name, book->by_name, node->name_key, strlen(node->name_key),
				node);
	if (node->by_name.tbl)
		HASH_ADD_KEYPTR(by_address, book->by_address, &owner->address,
				sizeof owner->address, node);
	in = node->by_address.tbl != NULL;
	if (in && node->fqdn_key) {
		HASH_ADD_KEYPTR(by_fqdn, book->by_fqdn, node->fqdn_key, strlen(node->fqdn_key),
				node);
		in = node->by_fqdn.tbl != NULL;
	}
	if (!in) {
		take_from_tables(book, node);
		return ERR_NOMEM;
	}
	if (owner->ptr.status == PTR_PENDING)
		DL_APPEND2(book->pending, node, pending_before, pending_behind);
	count(book, node, 1);
	return 0;
}

void book_take(struct book *book, struct node *node)
{
	take_from_tables(book, node);
	if (node->owner.ptr.status == PTR_PENDING)
		DL_DELETE2(book->pending, node, pending_before, pending_behind);
	count(book, node, (size_t)-1);
}

int book_wait(struct book *book, const struct source_ptr *ptr)
{
	const char *description = ptr->description ? ptr->description : "";
	size_t owner = strlen(ptr->owner) + 1, fqdn = strlen(ptr->fqdn) + 1;
	size_t rest = strlen(description) + 1;
	struct waiting *waiting = calloc(1, sizeof *waiting + owner + fqdn + rest);

	if (!waiting)
		return ERR_NOMEM;
	memcpy(waiting->texts, ptr->owner, owner);
	memcpy(waiting->texts + owner, ptr->fqdn, fqdn);
	memcpy(waiting->texts + owner + fqdn, description, rest);
	waiting->ptr = *ptr;
	waiting->ptr.owner = waiting->texts;
	waiting->ptr.fqdn = waiting->texts + owner;
	waiting->ptr.description = ptr->description ? waiting->texts + owner + fqdn : NULL;
	HASH_ADD_KEYPTR(hh, book->waiting, waiting->texts, owner - 1, waiting);
	if (waiting->hh.tbl)
		return 0;
	free(waiting);
	return ERR_NOMEM;
}

/* ---- what is served of a node ---- */

const char *book_refusal(const struct book *book, const struct owner *owner,
			 char text[TERRITORY_TEXT_MAX])
{
	return territory_refusal(book->territory, &owner->address, owner->region, text);
}

static bool is_ptr_served(const struct node *node)
{
	return node->owner.ptr.fqdn && !node->refusal;
}

static bool is_host_served(const struct node *node)
{
	return node->owner.fqdn && !node->refusal;
}

int node_serve(const struct node *node, struct owned_draft *draft, const struct hash_key *key,
	       const struct model *model)
{
	const struct owner *owner = &node->owner;
	struct name name;
	int err = 0;

	if (is_ptr_served(node) && name_from_text(&name, key, owner->ptr.fqdn) == 0)
		err = owned_set_ptr(draft, &owner->address, &name, owner->ptr.ttl);
	if (!err && is_host_served(node) && name_from_text(&name, key, owner->fqdn) == 0)
		err = owned_set_host(draft, &name, &owner->address, model->reverse.ttl);
	return err;
}

int node_unserve(const struct node *node, struct owned_draft *draft, const struct hash_key *key)
{
	const struct owner *owner = &node->owner;
	struct name name;
	int err = 0;

	if (is_ptr_served(node))
		err = owned_set_ptr(draft, &owner->address, NULL, 0);
	if (!err && is_host_served(node) && name_from_text(&name, key, owner->fqdn) == 0)
		err = owned_set_host(draft, &name, NULL, 0);
	return err;
}

/* ---- for readers (inventory.h) ---- */

static const struct owner *owner_of(const struct node *node)
{
	return node ? &node->owner : NULL;
}

const struct owner *inventory_address(const struct inventory *inventory, const char *group,
				      const char *name)
{
	return owner_of(by_name(inventory->book, OWNER_ADDRESS, group, name));
}

const struct owner *inventory_service(const struct inventory *inventory, const char *name)
{
	return owner_of(by_name(inventory->book, OWNER_SERVICE, NULL, name));
}

const struct owner *inventory_by_id(const struct inventory *inventory, const char *id)
{
	return owner_of(book_by_id(inventory->book, id));
}

const struct owner *inventory_by_address(const struct inventory *inventory,
					 const struct address *address)
{
	return owner_of(by_address(inventory->book, address));
}

const struct owner *inventory_by_fqdn(const struct inventory *inventory, const char *fqdn)
{
	return owner_of(by_fqdn(inventory->book, fqdn));
}

static int compare_owners(const void *left, const void *right)
{
	const struct owner *a = *(const struct owner *const *)left;
	const struct owner *b = *(const struct owner *const *)right;

	if (a->kind == OWNER_SERVICE)
		return strcasecmp(a->name, b->name);
	if (a->address.family != b->address.family)
		return a->address.family < b->address.family ? -1 : 1;
	return memcmp(a->address.bytes, b->address.bytes, sizeof a->address.bytes);
}

const struct owner **inventory_list(const struct inventory *inventory, enum owner_kind kind,
				    size_t *number)
{
	const struct book *book = inventory->book;
	size_t all = book->addresses + book->services, kept = 0;
	const struct owner **list = calloc(all + 1, sizeof *list);

	*number = 0;
	if (!list)
		return NULL;
	for (const struct node *node = book->by_id; node; node = node->by_id.next)
		if (node->owner.kind == kind)
			list[kept++] = &node->owner;
	qsort(list, kept, sizeof *list, compare_owners);
	*number = kept;
	return list;
}
