#include "resolver/control/command/apply_owners.h"

#include "resolver/control/base/json.h"
#include "resolver/control/command/apply_plan.h"
#include "resolver/control/command/client.h"
#include "resolver/control/resource/owner.h"
#include "rules/base.h"
#include "rules/text.h"

/* What stays as it is where it is not given, and names that differ in case alone. */
static void keep_given(json_t *values, const json_t *before)
{
	static const char *const kept[] = {"id", "region"}, *const named[] = {"name",
									      "resource_group"};

	for (size_t i = 0; i < COUNT(kept); i++)
		if (!json_object_get(values, kept[i]) && json_object_get(before, kept[i]))
			json_put(values, kept[i], json_incref(json_object_get(before, kept[i])));
	for (size_t i = 0; i < COUNT(named); i++)
		if (json_object_get(before, named[i]))
			json_put(values, named[i], json_incref(json_object_get(before, named[i])));
}

/* The PTR of what the server's file declares without one is a resource of its own. */
static void plan_ptr(struct apply_plan *plan, const json_t *served, const char *description,
		     json_t *values)
{
	const char *const keys[] = {"reverse_fqdn", description, "ttl"};
	const json_t *before = json_object_get(served, "values");
	char *path = client_path("ptrs/%", json_string_value(json_object_get(before, "id")));
	json_t *ptr = json_object(), *served_ptr = path ? apply_take_served(plan, path) : NULL;

	for (size_t i = 0; i < COUNT(keys); i++) {
		json_t *value = json_object_get(values, keys[i]);

		if (value)
			json_put(ptr, i == 1 ? "description" : keys[i], json_incref(value));
		json_object_del(values, keys[i]);
	}
	apply_plan_values(plan, kind_of_id(KIND_PTR), path ? path : "", served_ptr, ptr);
	json_decref(served_ptr);
	free(path);
}

/* Takes the values over. */
static void plan_owner(struct apply_plan *plan, const struct owner *owner, json_t *values)
{
	bool service = owner->kind == OWNER_SERVICE;
	const char *group = owner->resource_group ? owner->resource_group : GROUP_NONE;
	char *path = service ? client_path("services/-/%", owner->name)
			     : client_path("addresses/%/%", group, owner->name);
	json_t *served = path ? apply_take_served(plan, path) : NULL;
	const json_t *before = json_object_get(served, "values");

	keep_given(values, before);
	if (json_string_value(json_object_get(served, "origin")) && owner->ptr.fqdn &&
	    !json_object_get(before, "reverse_fqdn"))
		plan_ptr(plan, served, service ? "ptr_description" : "description", values);
	/* Another one of that name: the one that has it now is removed first. */
	if (!text_equal(json_string_value(json_object_get(before, "id")),
			json_string_value(json_object_get(values, "id"))) &&
	    served && !json_string_value(json_object_get(served, "origin")))
		apply_add_edit(plan->removals, path, NULL);
	apply_plan_values(plan, kind_of_id(owner_kind_id(owner->kind)), path ? path : "", served,
			  values);
	json_decref(served);
	free(path);
}

/* As the file has it (err: there was no memory for it). An id that it does not give was derived. */
static void plan_declared(struct apply_plan *plan, const struct owner *owner, bool has_id, int err)
{
	json_t *values = err ? NULL : owner_whole_object(owner);

	if (!has_id)
		json_object_del(values, "id");
	if (values)
		plan_owner(plan, owner, values);
}

/* What no two addresses have, as `holders` has it, to be freed; NULL: it has none. */
static char *held(const json_t *values, bool label)
{
	const char *address = json_string_value(json_object_get(values, "address"));
	const char *name = json_string_value(json_object_get(values, "domain_name_label"));
	const char *region = json_string_value(json_object_get(values, "region"));
	char *text = NULL;

	if (!label)
		return address ? strdup(address) : NULL;
	if (name && asprintf(&text, "%s.%s", name, region ? region : "") < 0)
		text = NULL;
	return text;
}

void apply_note_holder(struct apply_plan *plan, const char *key, const json_t *served)
{
	for (int label = 0; label < 2; label++) {
		char *text = held(json_object_get(served, "values"), label);

		if (text)
			json_put(plan->holders, text, json_text(key));
		free(text);
	}
}

/* Of two that exchange what no two may have, the one that has it now is removed first, and made
 * anew by its put, which has all that it is. */
static void plan_exchanges(struct apply_plan *plan)
{
	json_t *puts = json_object(), *edit;
	size_t i;

	json_array_foreach(plan->puts, i, edit)
	{
		char *key = apply_key_of(json_string_value(json_object_get(edit, "path")));

		if (key)
			json_put(puts, key, json_incref(edit));
		free(key);
	}
	json_array_foreach(plan->puts, i, edit)
	{
		for (int label = 0; label < 2; label++) {
			char *text = held(json_object_get(edit, "values"), label);
			const char *key =
				text ? json_string_value(json_object_get(plan->holders, text))
				     : NULL;
			json_t *holder = key ? json_object_get(puts, key) : NULL;
			char *keeps =
				holder ? held(json_object_get(holder, "values"), label) : NULL;

			if (holder && holder != edit && !text_equal(keeps, text)) {
				apply_add_edit(plan->removals,
					       json_string_value(json_object_get(holder, "path")),
					       NULL);
				json_object_del(puts, key); /* once */
			}
			free(keeps);
			free(text);
		}
	}
	json_decref(puts);
}

void apply_plan_owners(struct apply_plan *plan, const struct model *model)
{
	struct owner owner;
	struct arena arena;

	for (size_t i = 0; i < model->addresses.count; i++) {
		const struct owned_address *address = &model->addresses.items[i];

		arena_init(&arena);
		plan_declared(plan, &owner, address->id,
			      owner_of_address(&owner, address, model, &arena));
		arena_release(&arena);
	}
	for (size_t i = 0; i < model->cloud_services.count; i++) {
		const struct cloud_service *service = &model->cloud_services.items[i];

		arena_init(&arena);
		plan_declared(plan, &owner, service->id,
			      owner_of_service(&owner, service, model, &arena));
		arena_release(&arena);
	}
	plan_exchanges(plan);
}
