#include "tests/lib/owned_given.h"

#include <jansson.h>

static void take_tags(struct owned_item *item, const char *text, struct arena *arena)
{
	json_t *object = text ? json_loads(text, 0, NULL) : NULL, *value;
	struct tag *tags = arena_alloc_array(arena, json_object_size(object), sizeof *tags);
	const char *name;
	size_t count = 0;

	json_object_foreach(object, name, value)
	{
		tags[count].name = arena_strdup(arena, name);
		tags[count++].value = arena_strdup(arena, json_string_value(value));
	}
	json_decref(object);
	item->tags.items = tags;
	item->tags.count = count;
}

struct owned_resource owned_given(const struct owned_given *given, struct arena *arena)
{
	struct owned_resource resource = {
		.kind = kind_of_id(given->kind ? given->kind : KIND_ADDRESS),
		.item = {.origin.revision = given->revision,
			 .id = given->id,
			 .name = given->name,
			 .resource_group = given->resource_group,
			 .region = given->region,
			 .address = given->address,
			 .allocation = given->allocation,
			 .domain_name_label = given->label,
			 .description = given->description,
			 .reverse_fqdn = given->ptr.fqdn,
			 .ptr_description = given->ptr.description,
			 .ttl = given->ptr.ttl_given ? given->ptr.ttl : NOT_GIVEN},
		.subscription = given->subscription,
		.fqdn = given->fqdn,
		.ttl_served = given->ptr.ttl,
		.status = given->ptr.fqdn ? PTR_ACTIVE : PTR_INACTIVE,
		.action = given->ptr.action,
		.ptr_revision = given->ptr.revision,
	};

	take_tags(&resource.item, given->tags, arena);
	return resource;
}
