#include "resolver/control/resource/group.h"

#include "resolver/control/base/json.h"

const char *group_name_refusal(const char *name)
{
	size_t length = strlen(name);

	for (const char *c = name; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
		      (*c >= '0' && *c <= '9') || (unsigned char)*c >= 0x80 || strchr("_().-", *c)))
			return "give letters, digits and any of _().-";
	if (strcmp(name, GROUP_NONE) == 0)
		return "it stands for the addresses without a group; give another";
	return length > 0 && name[length - 1] == '.' ? "give one that does not end in a dot" : NULL;
}

int group_of_row(struct resource_group *group, const struct source_resource *row,
		 struct arena *arena)
{
	json_t *values = json_loads(row->json, 0, NULL);
	int err = 0;

	*group = (struct resource_group){
		.name = row_text(values, "name", arena, &err),
		.region = row_text(values, "region", arena, &err),
		.tags = row_tags(values, arena, &err),
		.revision = row->revision,
	};
	json_decref(values);
	return !err && !group->name ? ERR_INVALID : err;
}

json_t *group_object(const struct resource_group *group)
{
	json_t *object = json_make("{s:o}", "name", json_text(group->name));

	json_put_text(object, "region", group->region);
	if (group->tags)
		json_put(object, "tags", json_loads(group->tags, 0, NULL));
	return object;
}

char *group_etag(const struct resource_group *group, char text[ETAG_MAX])
{
	static const struct hash_key key = {UINT64_C(0x736c75696365), UINT64_C(0x67726f7570)};
	uint64_t hash = etag_add_number(&key, 0, group->revision);

	hash = etag_add_text(&key, hash, group->name);
	hash = etag_add_text(&key, hash, group->region);
	return etag_print(etag_add_text(&key, hash, group->tags), 0, text);
}
