#include "resolver/control/resource/group.h"

#include <strings.h>

#include "resolver/control/base/json.h"
#include "resolver/control/resource/part.h"
#include "resolver/control/resource/values.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

void group_each_item(const struct model *model,
		     void (*on_item)(void *context, const struct kind *kind, const void *item),
		     void *context)
{
	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct kind *kind = &kinds[i];
		const struct field *member;
		struct schema_list items;

		if (kind->parent)
			continue;
		items = kind_list(kind, model);
		/* Looked up once, because every address that is put into a group needs this. */
		member = schema_field(kind_field(kind)->group, "resource_group");
		for (size_t k = 0; k < items.count; k++) {
			const char *item =
				(const char *)items.items + k * kind_field(kind)->group->size;

			if (schema_get_text(member, item, NULL, 0))
				on_item(context, kind, item);
		}
	}
}

struct naming { /* of the items of one group */
	const char *group;
	char *text;
	size_t count;
};

static void name_item(void *context, const struct kind *kind, const void *item)
{
	enum { NAMED_MAX = 3 };
	struct naming *naming = context;
	const struct path path = part_path(kind, item, NULL);
	char url[PATH_URL_MAX];

	if (strcasecmp(path.group, naming->group) != 0)
		return;
	if (naming->count++ < NAMED_MAX)
		text_append(naming->text, GROUP_ITEMS_MAX, "%s%s", naming->count > 1 ? ", " : "",
			    path_url(&path, url));
	else if (naming->count == NAMED_MAX + 1)
		text_append(naming->text, GROUP_ITEMS_MAX, ", ...");
}

size_t group_items(const struct model *model, const char *name, char text[GROUP_ITEMS_MAX])
{
	struct naming naming = {name, text, 0};

	*text = '\0';
	group_each_item(model, name_item, &naming);
	return naming.count;
}

int group_of_row(struct resource_group *group, const struct source_resource *row,
		 struct arena *arena)
{
	const struct origin origin = {.revision = row->revision};
	json_t *values = json_loads(row->json, 0, NULL);
	struct faults faults;
	int err;

	faults_init(&faults);
	values_read_stored(kind_of_id(KIND_GROUP), values, group, &origin, arena, &faults);
	err = faults.errors > 0 ? ERR_INVALID : 0;
	faults_release(&faults);
	json_decref(values);
	return err;
}

json_t *group_values(const struct resource_group *group)
{
	return values_print(kind_of_id(KIND_GROUP), NULL, group);
}

char *group_etag(const struct resource_group *group, char text[ETAG_MAX])
{
	static const struct hash_key key = {UINT64_C(0x736c75696365), UINT64_C(0x67726f7570)};
	uint64_t hash = values_hash(kind_of_id(KIND_GROUP), group, &key);

	return etag_print(etag_add_number(&key, hash, group->origin.revision), 0, text);
}

json_t *group_show(const struct resource_group *group)
{
	const struct kind *kind = kind_of_id(KIND_GROUP);
	json_t *object = group_values(group);
	char etag[ETAG_MAX];

	values_put_missing(kind, object);
	json_put(object, "origin", values_print_origin(&group->origin));
	json_put(object, "etag", json_text(group_etag(group, etag)));
	return json_whole(object);
}
