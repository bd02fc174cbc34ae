/* An owner as one block of memory: its values, and their texts behind them. The PTR's texts are
 * apart, because while a book is made the PTRs come behind their owners. */
#include <ctype.h>
#include <strings.h>

#include "resolver/control/base/json.h"
#include "resolver/control/resource/inventory_node.h"
#include "rules/base.h"
#include "rules/text.h"

/* ---- nodes ---- */

/* The texts of an owner that a node has for itself. */
static const size_t owner_texts[] = {
	offsetof(struct owner, id),     offsetof(struct owner, name),
	offsetof(struct owner, region), offsetof(struct owner, resource_group),
	offsetof(struct owner, label),  offsetof(struct owner, subscription),
	offsetof(struct owner, fqdn),   offsetof(struct owner, description),
	offsetof(struct owner, tags),
};

static const char *text_at(const struct owner *owner, size_t offset)
{
	const char *text;

	memcpy(&text, (const char *)owner + offset, sizeof text);
	return text;
}

static size_t size_of(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

/* Copies text to *room, moves *room behind it, and says where it is now. */
static const char *keep(char **room, const char *text)
{
	size_t size = size_of(text);
	char *kept = *room;

	if (!text || !kept)
		return NULL;
	memcpy(kept, text, size);
	*room += size;
	return kept;
}

static const char *keep_lower(char **room, const char *text)
{
	char *kept = *room;

	return keep(room, text) ? text_lower(kept) : NULL;
}

/* A name is unique among services, or among the addresses of its resource group. */
static const char *keep_name_key(char **room, const struct owner *owner)
{
	const char *group = owner->resource_group ? owner->resource_group : "";
	char *key = *room;

	*(*room)++ = owner->kind == OWNER_SERVICE ? 's' : 'a';
	keep_lower(room, group);
	(*room)[-1] = '\n';
	keep_lower(room, owner->name);
	return key;
}

static size_t texts_size(const struct owner *owner)
{
	size_t size = size_of(owner->fqdn);

	for (size_t i = 0; i < COUNT(owner_texts); i++)
		size += size_of(text_at(owner, owner_texts[i]));
	return size + 1 + size_of(owner->name) +
	       (owner->resource_group ? size_of(owner->resource_group) : 1);
}

struct node *node_new(const struct owner *values, const char *refusal)
{
	struct node *node = calloc(1, offsetof(struct node, texts) + texts_size(values));
	char *room = node ? node->texts : NULL;

	if (!node)
		return NULL;
	node->owner = *values;
	memset(&node->owner.ptr, 0, sizeof node->owner.ptr);
	for (size_t i = 0; i < COUNT(owner_texts); i++) {
		const char *kept = keep(&room, text_at(values, owner_texts[i]));
		memcpy((char *)&node->owner + owner_texts[i], &kept, sizeof kept);
	}
	node->fqdn_key = keep_lower(&room, values->fqdn);
	node->name_key = keep_name_key(&room, values);
	if (refusal)
		node->refusal = strdup(refusal);
	if ((node->refusal || !refusal) && node_set_ptr(node, &values->ptr) == 0)
		return node;
	node_free(node);
	return NULL;
}

void node_free(struct node *node)
{
	if (!node)
		return;
	free(node->refusal);
	free(node->ptr_texts);
	free(node);
}

int node_make_ptr(const struct node *node, const struct owner_ptr *ptr, struct owner_ptr *kept,
		  char **texts)
{
	const char *reason = ptr->fqdn ? node->refusal : NULL;
	size_t size = size_of(ptr->fqdn) + size_of(ptr->description);
	char *room = size ? malloc(size) : NULL;

	*texts = room;
	if (size && !room)
		return ERR_NOMEM;
	*kept = *ptr;
	kept->fqdn = keep(&room, ptr->fqdn);
	kept->description = keep(&room, ptr->description);
	kept->reason = reason;
	if (reason) {
		kept->status = PTR_ERROR;
		kept->action = PTR_ACTION_NONE;
	}
	return 0;
}

void node_take_ptr(struct node *node, const struct owner_ptr *kept, char *texts)
{
	free(node->ptr_texts);
	node->ptr_texts = texts;
	node->owner.ptr = *kept;
}

int node_set_ptr(struct node *node, const struct owner_ptr *ptr)
{
	struct owner_ptr kept;
	char *texts;
	int err = node_make_ptr(node, ptr, &kept, &texts);

	if (!err)
		node_take_ptr(node, &kept, texts);
	return err;
}

/* ---- what an owner's values come from ---- */

const char *owner_dotted(const char *name, char text[NAME_TEXT_MAX])
{
	size_t length = strlen(name);

	/* A final "\." is an escaped dot, and not the end of the name. */
	bool ends = length > 0 && name[length - 1] == '.';
	size_t slashes = 0;

	while (ends && slashes < length - 1 && name[length - 2 - slashes] == '\\')
		slashes++;
	snprintf(text, NAME_TEXT_MAX, "%s%s", name, ends && slashes % 2 == 0 ? "" : ".");
	return text;
}

int owner_derive_fqdn(struct owner *owner, const struct model *model, char text[NAME_TEXT_MAX])
{
	static const struct hash_key any_key;
	char bare[NAME_TEXT_MAX];
	struct name name;
	const char *derived = owner->kind == OWNER_SERVICE
				      ? owned_service_name(model, owner->name, bare)
				      : owned_label_name(model, owner->label, owner->region, bare);

	owner->fqdn = NULL;
	if (!derived)
		return 0;
	if (name_from_text(&name, &any_key, owner_dotted(derived, text)) != 0)
		return ERR_INVALID;
	owner->fqdn = text;
	return 0;
}

static const char *lower_id(const char *id, char text[UUID_TEXT_MAX])
{
	snprintf(text, UUID_TEXT_MAX, "%s", id);
	return text_lower(text);
}

/* What the file calls it, so that another spelling of the same is the same. */
static const char *derived_id(const struct owner *owner, char text[UUID_TEXT_MAX])
{
	char name[NAME_TEXT_MAX];

	snprintf(name, sizeof name, "%s/%s/%s",
		 owner->kind == OWNER_SERVICE ? "service" : "address",
		 owner->resource_group ? owner->resource_group : "", owner->name);
	return uuid_of_name(text_lower(name), text);
}

/* A forward name that is too long is passed over, as the owned table does. */
static void derive(struct owner *owner, const struct model *model, const char *id,
		   struct owner_scratch *scratch)
{
	owner->id = id ? lower_id(id, scratch->id) : derived_id(owner, scratch->id);
	if (owner_derive_fqdn(owner, model, scratch->fqdn) != 0)
		owner->fqdn = NULL;
}

static void give_ptr(struct owner *owner, const char *fqdn, const char *description, uint32_t ttl,
		     const struct model *model, struct owner_scratch *scratch)
{
	if (!fqdn || !*fqdn)
		return;
	owner->ptr = (struct owner_ptr){
		.fqdn = owner_dotted(fqdn, scratch->ptr_fqdn),
		.description = description,
		.ttl_given = ttl != NOT_GIVEN,
		.ttl = ttl != NOT_GIVEN ? ttl : model->reverse.ttl,
		.status = PTR_ACTIVE,
		.read_only = true,
	};
}

void owner_of_address(struct owner *owner, const struct owned_address *address,
		      const struct model *model, struct owner_scratch *scratch)
{
	*owner = (struct owner){
		.kind = OWNER_ADDRESS,
		.origin = address->origin,
		.name = address->name,
		.resource_group = address->resource_group,
		.region = model_region(model, address->region),
		.subscription = model->subscription,
		.address = address->address,
		.allocation = address->allocation,
		.label = address->domain_name_label,
		.description = address->description,
	};
	derive(owner, model, address->id, scratch);
	give_ptr(owner, address->reverse_fqdn, address->description, address->ttl, model, scratch);
}

void owner_of_service(struct owner *owner, const struct cloud_service *service,
		      const struct model *model, struct owner_scratch *scratch)
{
	*owner = (struct owner){
		.kind = OWNER_SERVICE,
		.origin = service->origin,
		.name = service->name,
		.subscription = model->subscription,
		.address = service->address,
		.allocation = ALLOCATION_STATIC,
		.description = service->description,
	};
	derive(owner, model, NULL, scratch);
	give_ptr(owner, service->reverse_fqdn, NULL, service->ttl, model, scratch);
}

int owner_tags(const char *const *tags, size_t count, char **text)
{
	json_t *object = count > 0 ? json_object() : NULL;

	*text = NULL;
	if (count == 0)
		return 0;
	for (size_t i = 0; i < count; i++) {
		char *name = strndup(tags[i], strcspn(tags[i], "="));
		json_t *key = json_text(name);

		json_put(object, json_string_value(key),
			 name ? json_text(tags[i] + strlen(name) + 1) : NULL);
		json_decref(key);
		free(name);
	}
	object = json_whole(object);
	*text = object ? json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	json_decref(object);
	return *text ? 0 : ERR_NOMEM;
}

void owner_of_source(struct owner *owner, const struct source_owner *record,
		     const struct model *model, struct owner_scratch *scratch)
{
	*owner = (struct owner){
		.kind = record->kind,
		.name = record->name,
		.resource_group = record->resource_group,
		.region = record->region,
		.subscription = record->subscription,
		.address = record->address,
		.allocation = (enum allocation)record->allocation,
		.label = record->label,
		.description = record->description,
		.tags = record->tags,
		.revision = record->revision,
	};
	derive(owner, model, record->id, scratch);
}

/* ---- and back ---- */

struct source_owner owner_record(const struct owner *owner)
{
	return (struct source_owner){
		.kind = owner->kind,
		.id = owner->id,
		.name = owner->name,
		.resource_group = owner->resource_group,
		.region = owner->region,
		.subscription = owner->subscription,
		.address = owner->address,
		.allocation = owner->allocation,
		.label = owner->label,
		.description = owner->description,
		.tags = owner->tags,
		.revision = owner->revision,
	};
}

struct source_ptr owner_ptr_record(const struct owner *owner)
{
	return (struct source_ptr){
		.owner = owner->id,
		.fqdn = owner->ptr.fqdn,
		.description = owner->ptr.description,
		.ttl_given = owner->ptr.ttl_given,
		.ttl = owner->ptr.ttl,
		.revision = owner->ptr.revision,
	};
}

/* ---- what is served ---- */

int owner_serve(const struct owner *owner, struct owned_draft *draft, const struct hash_key *key,
		const struct model *model)
{
	struct name name;
	int err = 0;

	if (owner->ptr.fqdn && name_from_text(&name, key, owner->ptr.fqdn) == 0)
		err = owned_set_ptr(draft, &owner->address, &name, owner->ptr.ttl);
	if (!err && owner->fqdn && name_from_text(&name, key, owner->fqdn) == 0)
		err = owned_set_host(draft, &name, &owner->address, model->reverse.ttl);
	return err;
}

int node_serve(const struct node *node, struct owned_draft *draft, const struct hash_key *key,
	       const struct model *model)
{
	return node->refusal ? 0 : owner_serve(&node->owner, draft, key, model);
}

int node_unserve(const struct node *node, struct owned_draft *draft, const struct hash_key *key)
{
	const struct owner *owner = &node->owner;
	struct name name;
	int err = 0;

	if (node->refusal)
		return 0;
	if (owner->ptr.fqdn)
		err = owned_set_ptr(draft, &owner->address, NULL, 0);
	if (!err && owner->fqdn && name_from_text(&name, key, owner->fqdn) == 0)
		err = owned_set_host(draft, &name, NULL, 0);
	return err;
}
