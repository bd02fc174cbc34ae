/* Each row is made, written and freed: a million objects at once would take a gigabyte. Addresses
 * are read twice, page by page, because the PTRs have a list of their own. */
#include <stdlib.h>

#include "resolver/control/base/json.h"
#include "resolver/control/resource/state_json.h"

enum { PAGE_ROWS = 256 };

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

static void write_owner(struct export *export, const struct owner *owner)
{
	if (!owner_is_read_only(owner))
		write_object(export, owner_object(owner));
}

static void write_ptr(struct export *export, const struct owner *owner)
{
	if (owner->ptr.fqdn && !owner->ptr.read_only)
		write_object(export, owner_ptr_object(owner));
}

/* ---- a list ---- */

typedef void write_row(struct export *export, const struct owner *owner);

static void begin_list(struct export *export, const char *key)
{
	fprintf(export->out, ",\n\"%s\": [", key);
	export->any = false;
}

static void write_addresses(struct export *export, write_row *write)
{
	const struct owner *page[PAGE_ROWS];
	struct address after = {0};
	size_t count = PAGE_ROWS;

	while (count == PAGE_ROWS && !inventory_trouble(export->inventory)) {
		count = inventory_addresses_after(export->inventory, &after, page, PAGE_ROWS);
		for (size_t i = 0; i < count; i++)
			write(export, page[i]);
		if (count > 0)
			after = page[count - 1]->address;
		inventory_forget(export->inventory);
	}
}

static void write_services(struct export *export, write_row *write)
{
	const struct owner *page[PAGE_ROWS];
	char after[NAME_TEXT_MAX] = "";
	size_t count = PAGE_ROWS;

	while (count == PAGE_ROWS && !inventory_trouble(export->inventory)) {
		count = inventory_services_after(export->inventory, *after ? after : NULL, page,
						 PAGE_ROWS);
		for (size_t i = 0; i < count; i++)
			write(export, page[i]);
		if (count > 0)
			snprintf(after, sizeof after, "%s", page[count - 1]->name);
		inventory_forget(export->inventory);
	}
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
	begin_list(export, "groups");
	int err = write_groups(export);
	fputs("]", export->out);
	begin_list(export, "addresses");
	write_addresses(export, write_owner);
	fputs("]", export->out);
	begin_list(export, "services");
	write_services(export, write_owner);
	fputs("]", export->out);
	begin_list(export, "ptrs");
	write_addresses(export, write_ptr);
	write_services(export, write_ptr);
	fputs("]", export->out);
	begin_list(export, "waiting");
	write_waiting(export);
	fputs("]}\n", export->out);
	return inventory_trouble(export->inventory) ? ERR_SYSTEM : err;
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
