/* Each row is built, written and freed, because a million objects at once would take a gigabyte.
 * Addresses are read twice, page by page, because PTRs have a list of their own. */
#include <stdlib.h>

#include "resolver/control/base/json.h"
#include "resolver/control/resource/state_json.h"

struct export
{
	struct inventory *inventory;
	struct json_writer writer;
};

/* ---- a row ---- */

static int write_resource(void *context, const struct owned_resource *resource)
{
	struct export *export = context;

	if (!owned_is_declared(resource))
		json_writer_row(&export->writer, owned_values_alone(resource));
	return 0;
}

static int write_ptr(void *context, const struct owned_resource *resource)
{
	struct export *export = context;

	if (resource->item.reverse_fqdn && !resource->ptr_is_declared)
		json_writer_row(&export->writer, state_ptr_values(resource));
	return 0;
}

/* ---- the lists ---- */

static void write_waiting(struct export *export)
{
	size_t count;
	const struct owned_resource **list = inventory_waiting(export->inventory, &count);

	for (size_t i = 0; i < count; i++)
		write_ptr(export, list[i]);
	free(list);
}

/* Writes the groups that have a row in the state. */
static int write_groups(struct export *export)
{
	size_t count;
	struct resource_group *list = inventory_groups(export->inventory, &count);

	for (size_t i = 0; list && i < count; i++)
		if (list[i].origin.revision)
			json_writer_row(&export->writer, group_values(&list[i]));
	free(list);
	return list ? 0 : ERR_NOMEM;
}

static int write_lists(struct export *export)
{
	struct inventory *inventory = export->inventory;
	struct json_writer *writer = &export->writer;

	json_writer_list(writer, ",\n\"groups\": [\n");
	int err = write_groups(export);
	json_writer_list(writer, "],\n\"addresses\": [\n");
	if (!err)
		err = inventory_each(inventory, KIND_ADDRESS, write_resource, export);
	json_writer_list(writer, "],\n\"services\": [\n");
	if (!err)
		err = inventory_each(inventory, KIND_SERVICE, write_resource, export);
	json_writer_list(writer, "],\n\"ptrs\": [\n");
	if (!err)
		err = inventory_each(inventory, KIND_ADDRESS, write_ptr, export);
	if (!err)
		err = inventory_each(inventory, KIND_SERVICE, write_ptr, export);
	json_writer_list(writer, "],\n\"waiting\": [\n");
	write_waiting(export);
	fputs("]}\n", writer->out);
	return inventory_trouble(inventory) ? ERR_SYSTEM : err;
}

char *state_export(struct inventory *inventory, size_t *length)
{
	struct export export = {.inventory = inventory};
	char *text;
	int err;

	if (!json_writer_begin(&export.writer, ",\n", JSON_ENSURE_ASCII))
		return NULL;
	fprintf(export.writer.out, "{\"version\": %d", STATE_JSON_VERSION);
	err = write_lists(&export);
	text = json_writer_end(&export.writer, length);
	if (!err)
		return text;
	free(text);
	return NULL;
}
