/* Everything that is ours, on two shelves: lookups look at both, and no two owners share an id, a
 * name, an address or a forward name, wherever they are from. A node that is another now is taken
 * out and a new one put in. */
#include <assert.h>

#include "resolver/control/resource/inventory_internal.h"
#include "rules/text.h"

struct book *book_new(const struct model *model)
{
	struct book *book = calloc(1, sizeof *book);

	if (!book)
		return NULL;
	book->model = model;
	book->pools = pools_new(model);
	book->file = shelf_new();
	if (book->pools && book->file)
		return book;
	book_free(book);
	return NULL;
}

static void forget_turns(struct book *book)
{
	while (book->turns) {
		struct turn *turn = book->turns;

		book->turns = turn->next;
		free(turn->refusal);
		free(turn);
	}
}

void book_forget_state(struct book *book)
{
	forget_turns(book);
	orphan_free(&book->waiting);
	book_forget_services(book);
	if (!book->borrows)
		shelf_free(book->state);
	book->state = NULL;
}

void book_free(struct book *book)
{
	if (!book)
		return;
	book_forget_state(book);
	owned_unref(book->owned);
	pools_free(book->pools);
	shelf_free(book->file);
	free(book);
}

void book_inherit(struct book *book, struct book *before)
{
	if (!book->borrows)
		return;
	assert(!before->borrows && book->state == before->state);
	before->state = NULL;
	book->borrows = false;
	for (struct turn *turn = book->turns; turn; turn = turn->next) {
		shelf_turn(book->state, turn->node, turn->refusal);
		turn->refusal = NULL;
	}
	forget_turns(book);
}

/* ---- finding ---- */

static struct node *find(const struct book *book, enum shelf_table table, const void *key,
			 size_t length)
{
	struct node *node = shelf_find(book->state, table, key, length);

	return node ? node : shelf_find(book->file, table, key, length);
}

struct node *book_by_id(const struct book *book, const char *id)
{
	char key[UUID_TEXT_MAX];
	struct node *node = NULL;

	if (id && strlen(id) < sizeof key) {
		snprintf(key, sizeof key, "%s", id);
		node = find(book, SHELF_BY_ID, text_lower(key), strlen(key));
	}
	return node;
}

static struct node *by_name(const struct book *book, enum owner_kind kind, const char *group,
			    const char *name)
{
	enum { NAME_MAX_BYTES = 100, GROUP_MAX_BYTES = 100 };
	char key[NAME_MAX_BYTES + GROUP_MAX_BYTES + 3];

	if (!name || strlen(name) > NAME_MAX_BYTES || (group && strlen(group) > GROUP_MAX_BYTES))
		return NULL;
	snprintf(key, sizeof key, "%c%s\n%s", kind == OWNER_SERVICE ? 's' : 'a', group ? group : "",
		 name);
	return find(book, SHELF_BY_NAME, text_lower(key), strlen(key));
}

static struct node *by_address(const struct book *book, const struct address *address)
{
	return address->family ? find(book, SHELF_BY_ADDRESS, address, sizeof *address) : NULL;
}

static struct node *by_fqdn(const struct book *book, const char *fqdn)
{
	char key[NAME_TEXT_MAX];

	if (!fqdn || !*fqdn || strlen(fqdn) >= NAME_TEXT_MAX - 1)
		return NULL;
	owner_dotted(fqdn, key);
	return find(book, SHELF_BY_FQDN, text_lower(key), strlen(key));
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

struct shelf *book_shelf(const struct book *book, const struct node *node)
{
	return node->owner.origin.file ? book->file : book->state;
}

int book_put(struct book *book, struct node *node)
{
	if (node->owner.kind == OWNER_SERVICE)
		book_forget_services(book);
	return shelf_put(book_shelf(book, node), node);
}

void book_take(struct book *book, struct node *node)
{
	if (node->owner.kind == OWNER_SERVICE)
		book_forget_services(book);
	shelf_take(book_shelf(book, node), node);
}

int orphan_put(struct orphan **table, const struct source_ptr *ptr)
{
	const char *description = ptr->description ? ptr->description : "";
	size_t owner = strlen(ptr->owner) + 1, fqdn = strlen(ptr->fqdn) + 1;
	size_t rest = strlen(description) + 1;
	struct orphan *waiting = calloc(1, sizeof *waiting + owner + fqdn + rest);

	if (!waiting)
		return ERR_NOMEM;
	memcpy(waiting->texts, ptr->owner, owner);
	memcpy(waiting->texts + owner, ptr->fqdn, fqdn);
	memcpy(waiting->texts + owner + fqdn, description, rest);
	waiting->ptr = *ptr;
	waiting->ptr.owner = waiting->texts;
	waiting->ptr.fqdn = waiting->texts + owner;
	waiting->ptr.description = ptr->description ? waiting->texts + owner + fqdn : NULL;
	HASH_ADD_KEYPTR(hh, *table, waiting->texts, owner - 1, waiting);
	if (waiting->hh.tbl)
		return 0;
	free(waiting);
	return ERR_NOMEM;
}

void orphan_free(struct orphan **table)
{
	struct orphan *waiting, *next;

	HASH_ITER (hh, *table, waiting, next) {
		HASH_DEL(*table, waiting);
		free(waiting);
	}
}

/* ---- what is served of a node ---- */

const char *book_refusal(const struct book *book, const struct owner *owner,
			 char text[POOLS_TEXT_MAX])
{
	return pools_refusal(book->pools, &owner->address, owner->region, text);
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
