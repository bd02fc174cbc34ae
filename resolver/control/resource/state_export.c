/* Each row is made, written and freed: a million objects at once would take a gigabyte. Addresses
 * are read twice, page by page, because the PTRs have a list of their own. */
#include <stdlib.h>

#include "resolver/control/base/json.h"
#include "resolver/control/resource/state_json.h"

struct export
{
	struct inventory *inventory;
	FILE *out;
	bool any; /* a row of the present list */
	bool failed;
};

/* ---- a row ---- */

/* Takes the object over. */
static void write_object(struct export *export, json_t *object)
{
	object = json_whole(object);
	fputs(export->any ? ",\n" : "\n", export->out);
	export->any = true;
	if (!object || json_dumpf(object, export->out, JSON_ENSURE_ASCII) != 0)
		export->failed = true;
	json_decref(object);
}

static int write_owner(void *context, const struct owner *owner)
{
	if (!owner_is_read_only(owner))
		write_object(context, owner_object(owner));
	return 0;
}

static int write_ptr(void *context, const struct owner *owner)
{
	if (owner->ptr.fqdn && !owner->ptr.read_only)
		write_object(context, owner_ptr_object(owner));
	return 0;
}

/* ---- a list ---- */

static void begin_list(struct export *export, const char *key)
{
	fprintf(export->out, ",\n\"%s\": [", key);
	export->any = false;
}

static void write_waiting(struct export *export)
{
	size_t count;
	const struct owner **list = inventory_waiting(export->inventory, &count);

	for (size_t i = 0; i < count; i++)
		write_ptr(export, list[i]);
	free(list);
}

/* Those that the state has. */
static int write_groups(struct export *export)
{
	size_t count;
	struct resource_group *list = inventory_groups(export->inventory, &count);

	for (size_t i = 0; list && i < count; i++)
		if (list[i].revision)
			write_object(export, group_object(&list[i]));
	free(list);
	return list ? 0 : ERR_NOMEM;
}

static int write_lists(struct export *export)
{
	struct inventory *inventory = export->inventory;

	begin_list(export, "groups");
	int err = write_groups(export);
	fputs("]", export->out);
	begin_list(export, "addresses");
	if (!err)
		err = inventory_each(inventory, OWNER_ADDRESS, write_owner, export);
	fputs("]", export->out);
	begin_list(export, "services");
	if (!err)
		err = inventory_each(inventory, OWNER_SERVICE, write_owner, export);
	fputs("]", export->out);
	begin_list(export, "ptrs");
	if (!err)
		err = inventory_each(inventory, OWNER_ADDRESS, write_ptr, export);
	if (!err)
		err = inventory_each(inventory, OWNER_SERVICE, write_ptr, export);
	fputs("]", export->out);
	begin_list(export, "waiting");
	write_waiting(export);
	fputs("]}\n", export->out);
	return inventory_trouble(inventory) ? ERR_SYSTEM : err;
}

char *state_export(struct inventory *inventory, size_t *length)
{
	char *text = NULL;
	struct export export = {.inventory = inventory, .out = open_memstream(&text, length)};

	if (!export.out)
		return NULL;
	fprintf(export.out, "{\"version\": %d", STATE_JSON_VERSION);
	int err = write_lists(&export);
	if (ferror(export.out) || export.failed)
		err = ERR_NOMEM;
	if (fclose(export.out) != 0)
		err = ERR_NOMEM;
	if (!err)
		return text;
	free(text);
	return NULL;
}
