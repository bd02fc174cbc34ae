#include "resolver/control/api/earlier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/control/base/json.h"
#include "resolver/control/resource/kind.h"
#include "rules/array.h"
#include "rules/text.h"

enum { KEY_MAX = PATH_MAX_BYTES + 16 };

/* Makes "KIND/GROUP/NAME[/NAME]". False: the path is too long for any resource. */
static bool key_of(const struct path *path, char key[KEY_MAX])
{
	char own[PATH_MAX_BYTES];

	if (path_key(path, own) != 0)
		return false;
	snprintf(key, KEY_MAX, "%u/%s", path->kind->id, own);
	return true;
}

static bool note_last(struct api_earlier *earlier, const struct path *path)
{
	char key[KEY_MAX];

	return !key_of(path, key) ||
	       json_object_set_new(earlier->last, key, json_integer((json_int_t)earlier->count)) ==
		       0;
}

/* Makes "GROUP/NETWORK/ADDRESS", because several networks may have the same address. Returns key.
 */
static char *address_key(const char *subnet, const char *address, char key[KEY_MAX])
{
	const char *slash = strrchr(subnet, '/');

	snprintf(key, KEY_MAX, "%.*s/%s", slash ? (int)(slash - subnet) : 0, subnet, address);
	return text_lower(key);
}

static bool note_addresses(struct api_earlier *earlier, const struct resource_edit *edit)
{
	const json_t *array = edit->path.kind->id == KIND_INTERFACE
				      ? json_object_get(edit->values, "ip_configurations")
				      : NULL;
	bool fine = true;

	for (size_t i = 0; fine && i < json_array_size(array); i++) {
		const json_t *item = json_array_get(array, i);
		char key[KEY_MAX];

		address_key(json_text_of(item, "subnet"), json_text_of(item, "address"), key);
		fine = json_object_set_new(earlier->addresses, key, json_true()) == 0;
	}
	return fine;
}

bool api_earlier_add(struct api_earlier *earlier, const struct resource_edit *edit)
{
	struct resource_edit *edits =
		array_grow(earlier->edits, earlier->count, &earlier->room, sizeof *edits);
	struct path around = edit->path;

	around.names[1] = NULL;
	if (edits)
		earlier->edits = edits;
	if (!earlier->last)
		earlier->last = json_object();
	if (!earlier->addresses)
		earlier->addresses = json_object();
	if (edits && note_last(earlier, &edit->path) &&
	    (!edit->path.kind->parent || note_last(earlier, &around)) &&
	    note_addresses(earlier, edit)) {
		edits[earlier->count++] = *edit;
		return true;
	}
	json_decref((json_t *)(uintptr_t)edit->values);
	return false;
}

void api_earlier_release(struct api_earlier *earlier)
{
	for (size_t i = 0; i < earlier->count; i++)
		json_decref((json_t *)(uintptr_t)earlier->edits[i].values);
	free(earlier->edits);
	json_decref(earlier->last);
	json_decref(earlier->addresses);
	*earlier = (struct api_earlier){.edits = NULL};
}

/* The number of the path's last edit; NULL: it has none. */
static const json_t *last_of(const struct api_earlier *earlier, const struct path *path)
{
	char key[KEY_MAX];

	return earlier && key_of(path, key) ? json_object_get(earlier->last, key) : NULL;
}

const struct resource_edit *api_earlier_find(const struct api_earlier *earlier,
					     const struct path *path)
{
	const json_t *number = last_of(earlier, path);

	return number ? &earlier->edits[json_integer_value(number)] : NULL;
}

bool api_earlier_is_since(const struct api_earlier *earlier, const struct path *path, size_t from)
{
	const json_t *number = last_of(earlier, path);

	return number && (size_t)json_integer_value(number) >= from;
}

bool api_earlier_has_address(const struct api_earlier *earlier, const char *subnet,
			     const char *address)
{
	char key[KEY_MAX];

	return earlier && json_object_get(earlier->addresses, address_key(subnet, address, key));
}
