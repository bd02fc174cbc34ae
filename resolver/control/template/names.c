/* A hash table with chains that doubles when it is full. The hash is keyed, so nobody can choose
 * names that fall into one slot. */
#include "resolver/control/template/names.h"

#include <string.h>

#include "rules/text.h"

enum { ROOM_FIRST = 16, SHORT_MAX = 256 };

static bool grow(struct budget *budget, struct name_table *names)
{
	size_t room = names->room > 0 ? names->room * 2 : ROOM_FIRST;
	struct name_row **slots, *row, *next, **slot;

	if (names->count < names->room)
		return true;
	slots = budget_alloc(budget, room * sizeof(struct name_row *));
	if (!slots)
		return false;
	for (size_t i = 0; i < names->room; i++)
		for (row = names->slots[i]; row; row = next) {
			next = row->next;
			slot = &slots[row->hash & (room - 1)];
			row->next = *slot;
			*slot = row;
		}
	names->slots = slots;
	names->room = room;
	return true;
}

static bool is_same(const struct name_row *row, uint64_t hash, const void *key, size_t length)
{
	return row->hash == hash && row->length == length && memcmp(row->key, key, length) == 0;
}

static bool put(struct budget *budget, struct name_table *names, const void *key, size_t length,
		void *item)
{
	struct name_row *row = budget_alloc(budget, sizeof *row), **slot;

	if (!row || !grow(budget, names))
		return false;
	*row = (struct name_row){.key = key,
				 .length = length,
				 .hash = hash_bytes(&budget->key, 0, key, length),
				 .item = item};
	slot = &names->slots[row->hash & (names->room - 1)];
	row->next = *slot;
	*slot = row;
	names->count++;
	return true;
}

static const struct name_row *find(struct budget *budget, const struct name_table *names,
				   const void *key, size_t length)
{
	uint64_t hash;

	if (names->room == 0 || !budget_steps(budget, 1) || !budget_text(budget, length))
		return NULL;
	hash = hash_bytes(&budget->key, 0, key, length);
	for (const struct name_row *row = names->slots[hash & (names->room - 1)]; row;
	     row = row->next)
		if (is_same(row, hash, key, length))
			return row;
	return NULL;
}

const struct name_row *names_next(const struct name_row *row)
{
	for (const struct name_row *next = row->next; next; next = next->next)
		if (is_same(next, row->hash, row->key, row->length))
			return next;
	return NULL;
}

bool names_put(struct budget *budget, struct name_table *names, const char *name, void *item)
{
	const char *lower = budget_lower(budget, name);

	return lower && put(budget, names, lower, strlen(lower), item);
}

const struct name_row *names_find(struct budget *budget, const struct name_table *names,
				  const char *name)
{
	size_t length = strlen(name);
	char buffer[SHORT_MAX];
	const char *lower = buffer;

	if (length < sizeof buffer) {
		memcpy(buffer, name, length + 1);
		text_lower(buffer);
	} else {
		lower = budget_lower(budget, name);
	}
	return lower ? find(budget, names, lower, length) : NULL;
}

void *names_item(struct budget *budget, const struct name_table *names, const char *name)
{
	const struct name_row *row = names_find(budget, names, name);

	return row ? row->item : NULL;
}

bool names_put_address(struct budget *budget, struct name_table *names, const void *address,
		       void *item)
{
	const void **key = budget_alloc(budget, sizeof *key);

	if (!key)
		return false;
	*key = address;
	return put(budget, names, key, sizeof *key, item);
}

void *names_item_at(struct budget *budget, const struct name_table *names, const void *address)
{
	const struct name_row *row = find(budget, names, &address, sizeof address);

	return row ? row->item : NULL;
}
