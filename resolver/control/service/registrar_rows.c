#include "resolver/control/service/registrar_rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/store/pairs.h"
#include "resolver/log.h"
#include "rules/array.h"
#include "rules/base.h"
#include "rules/reverse.h"
#include "rules/wire.h"

#define PREFIX "registered "

enum {
	KEY_MAX = REGISTRAR_KEY_MAX + sizeof PREFIX,
	RDATA_BYTES_MAX = 65535,
};

static const struct origin nowhere;

/* ---- reading ---- */

int registrar_tree(const struct name *name)
{
	struct prefix prefix;
	unsigned rest;
	char text[NAME_TEXT_MAX];

	name_to_text(name, text);
	if (strcasecmp(text, "in-addr.arpa.") == 0)
		return 0;
	if (strcasecmp(text, "ip6.arpa.") == 0)
		return 1;
	return reverse_parse(name, &prefix, &rest) ? prefix.address.family == 6 : -1;
}

/* Puts the zone of a key in lower case, because the configuration may spell it in another case. */
static void lower_zone(char *at)
{
	for (; *at != ' '; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
}

char *registrar_key(const char *zone, const uint8_t *owner, uint16_t type,
		    char key[REGISTRAR_KEY_MAX])
{
	char text[NAME_TEXT_MAX], type_text[16];

	snprintf(key, REGISTRAR_KEY_MAX, "%s %s %s", zone, name_wire_to_text(owner, text),
		 record_type_print(type, type_text, sizeof type_text));
	lower_zone(key);
	return key;
}

struct row_reader {
	int (*on_row)(void *context, const struct registrar_row *row);
	void *context;
	uint8_t *rdata; /* RDATA_BYTES_MAX */
};

static int digit_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads hexadecimal digits up to a blank or the end; NULL: any other character. */
static const char *read_digits(const char *text, uint8_t *out, size_t room, size_t *length)
{
	for (*length = 0; *text && *text != ' '; text += 2) {
		int high = digit_of(text[0]), low = digit_of(text[1]);

		if (*length == room || high < 0 || low < 0)
			return NULL;
		out[(*length)++] = (uint8_t)(high << 4 | low);
	}
	return text;
}

/* False: sluice did not write this row. */
static bool read_records(const char *text, uint8_t *out, struct registrar_row *row)
{
	size_t length;

	row->rdata = out;
	while (text && *text == ' ' && row->rdata_length + 2 < RDATA_BYTES_MAX) {
		text = read_digits(text + 1, out + row->rdata_length + 2,
				   RDATA_BYTES_MAX - row->rdata_length - 2, &length);
		if (!text)
			return false;
		wire_put16(out + row->rdata_length, (uint16_t)length);
		row->rdata_length += 2 + length;
		row->count++;
	}
	return text && !*text && row->count > 0;
}

void registrar_show_by(char *by)
{
	char *dot = strchr(by, '.');

	if (dot)
		*dot = ' ';
}

struct renewal_signature registrar_signature(const struct renewals *renewals,
					     const struct registrar_author *author)
{
	enum { KEY_WORD = sizeof "key." - 1 };
	struct renewal_signature signature = {.signed_s = author->signed_s};

	if (author->signed_s)
		signature.key = renewals_key_print(renewals, author->who + KEY_WORD);
	return signature;
}

/* Tries first the types that clients usually register, because a start reads tens of thousands of
 * rows. */
static bool read_type(const char *text, uint16_t *type)
{
	static const struct {
		const char *text;
		uint16_t type;
	} known[] = {{"A", TYPE_A},
		     {"AAAA", TYPE_AAAA},
		     {"DHCID", TYPE_DHCID},
		     {"PTR", TYPE_PTR},
		     {"TXT", TYPE_TXT}};

	for (size_t i = 0; i < COUNT(known); i++)
		if (strcmp(known[i].text, text) == 0) {
			*type = known[i].type;
			return true;
		}
	return record_type_parse(type, text) == 0;
}

/* Cuts "/SIGNED" from the end of a key's name, whose last character is a dot. False: malformed. */
static bool read_signed(char *by, uint32_t *signed_s)
{
	char *slash = strrchr(by, '/'), *end;

	*signed_s = 0;
	if (!slash || slash == by || slash[-1] != '.')
		return true;
	*signed_s = (uint32_t)strtoul(slash + 1, &end, 10);
	*slash = '\0';
	return end > slash + 1 && *end == '\0';
}

/* Reads "SINCE WHO/SIGNED TTL", or without SIGNED; returns the rest, NULL: malformed. Does not use
 * sscanf, which first searches the whole row for its end. */
static const char *read_head(const char *text, char by[REGISTRAR_BY_MAX], struct registrar_row *row)
{
	char *end;
	size_t length;

	row->since_s = strtoll(text, &end, 10);
	if (end == text || *end != ' ')
		return NULL;
	text = end + 1;
	length = strcspn(text, " ");
	if (length == 0 || length >= REGISTRAR_BY_MAX || text[length] != ' ')
		return NULL;
	memcpy(by, text, length);
	by[length] = '\0';
	if (!read_signed(by, &row->signed_s))
		return NULL;
	text += length + 1;
	row->ttl = (uint32_t)strtoul(text, &end, 10);
	return end == text ? NULL : end;
}

static bool read_row(struct row_reader *reader, const struct source_pair *pair, char key[KEY_MAX],
		     char by[REGISTRAR_BY_MAX], struct registrar_row *row)
{
	char *at = key, *zone, *owner;
	const char *records;

	snprintf(key, KEY_MAX, "%s", pair->key + sizeof PREFIX - 1);
	zone = strsep(&at, " ");
	owner = strsep(&at, " ");
	*row = (struct registrar_row){
		.key = pair->key + sizeof PREFIX - 1, .zone = zone, .owner = owner, .by = by};
	if (!owner || !at || !read_type(at, &row->type))
		return false;
	records = read_head(pair->value, by, row);
	if (!records)
		return false;
	registrar_show_by(by);
	return read_records(records, reader->rdata, row);
}

static int on_pair(void *context, const struct source_pair *pair)
{
	struct row_reader *reader = context;
	char key[KEY_MAX], by[REGISTRAR_BY_MAX];
	struct registrar_row row;

	if (read_row(reader, pair, key, by, &row))
		return reader->on_row(reader->context, &row);
	log_event(LOG_WARNING, "registration",
		  "the state's record \"%s\" was not written by sluice; it is passed over",
		  pair->key);
	return 0;
}

int registrar_each(struct source *source, const char *from,
		   int (*on_row)(void *context, const struct registrar_row *row), void *context,
		   char error[SOURCE_ERROR_MAX])
{
	struct row_reader reader = {
		.on_row = on_row, .context = context, .rdata = malloc(RDATA_BYTES_MAX)};
	int err = reader.rdata ? 0 : ERR_NOMEM;

	if (!err)
		err = pairs_each(source, PREFIX, from, on_pair, &reader, error);
	free(reader.rdata);
	return err;
}

bool registrar_rows_add(struct registrar_rows *rows, const char *word, const char *key,
			const char *value)
{
	struct source_pair *items =
		array_grow(rows->items, rows->count, &rows->room, sizeof *items);

	if (!items)
		return false;
	rows->items = items;
	items = &items[rows->count++];
	items->key = arena_printf(&rows->arena, "%s%s", word, key);
	items->value = value ? arena_strdup(&rows->arena, value) : NULL;
	return items->key && (items->value || !value);
}

bool registrar_rows_remove(struct registrar_rows *rows, const char *key)
{
	return registrar_rows_add(rows, PREFIX, key, NULL) &&
	       registrar_rows_add(rows, RENEWAL_ROW, key, NULL);
}

bool registrar_rows_add_set(struct registrar_rows *rows, const char *zone,
			    const struct update_set *set, const struct registrar_author *author,
			    uint32_t ttl, int64_t now_s)
{
	char key[REGISTRAR_KEY_MAX], *value = NULL;
	size_t length;
	FILE *out;
	bool good;

	registrar_key(zone, set->owner, set->type, key);
	if (set->count == 0)
		return registrar_rows_remove(rows, key);
	out = open_memstream(&value, &length);
	if (!out)
		return false;
	fprintf(out, "%" PRId64 " %s", now_s, author->who);
	if (author->signed_s)
		fprintf(out, "/%" PRIu32, author->signed_s);
	fprintf(out, " %" PRIu32, ttl);
	for (size_t i = 0; i < set->count; i++) {
		fputc(' ', out);
		for (size_t k = 0; k < set->records[i].length; k++)
			fprintf(out, "%02x", set->records[i].bytes[k]);
	}
	good = fclose(out) == 0 && registrar_rows_add(rows, PREFIX, key, value);
	free(value);
	return good;
}

void registrar_rows_release(struct registrar_rows *rows)
{
	arena_release(&rows->arena);
	free(rows->items);
}

struct recalling {
	const struct hash_key *key;
	struct renewals *renewals;   /* NULL: not wanted */
	struct renewal_clock *clock; /* of the last zone; NULL: none yet */
	struct registered *made;
	size_t room;
	/* The last zone's drafts: of its own names, of in-addr.arpa, of ip6.arpa. The first draft
	 * begins with the first row of its names. */
	struct zone_draft *drafts[3];
};

static struct zone_draft *begin_draft(const struct recalling *recalling, const char *apex)
{
	struct name name;
	struct zone *empty = name_from_text(&name, recalling->key, apex) == 0
				     ? zone_new(recalling->key, &name, 1)
				     : NULL;
	struct zone_draft *draft = empty ? zone_edit(empty) : NULL;

	zone_unref(empty);
	return draft;
}

/* The zone's domain in its full name: "dev/corp.internal" is corp.internal in the group dev, or, if
 * an owner is below the whole text, a zone of that name in no group. */
static const char *apex_in(const struct recalling *recalling, const char *zone,
			   const struct name *owner)
{
	const char *slash = strchr(zone, '/');
	struct name whole;

	return !slash || (name_from_text(&whole, recalling->key, zone) == 0 &&
			  name_is_under(owner, &whole))
		       ? zone
		       : slash + 1;
}

/* Finishes the zone after its last row. */
static int end_zone(struct recalling *recalling)
{
	struct registered_zone *zone = recalling->made->count > 0
					       ? &recalling->made->zones[recalling->made->count - 1]
					       : NULL;
	struct zone *made[3] = {NULL, NULL, NULL};
	struct faults faults;
	int err = 0;

	/* If all rows are of reverse names, none shows where the domain begins in the zone's full
	 * name. The server takes an empty zone of any domain. */
	if (zone && !recalling->drafts[0]) {
		recalling->drafts[0] = begin_draft(recalling, ".");
		err = recalling->drafts[0] ? 0 : ERR_NOMEM;
	}
	faults_init(&faults);
	for (unsigned i = 0; i < 3; i++) {
		if (recalling->drafts[i])
			made[i] = zone_commit(recalling->drafts[i], 0, &faults);
		if (recalling->drafts[i] && !made[i])
			err = ERR_NOMEM;
		recalling->drafts[i] = NULL;
	}
	faults_release(&faults);
	if (zone) {
		zone->updates = made[0];
		zone->reverse[0] = made[1];
		zone->reverse[1] = made[2];
	}
	return err;
}

static int begin_zone(struct recalling *recalling, const char *zone)
{
	static const char *const trees[] = {"in-addr.arpa.", "ip6.arpa."};
	struct registered *made = recalling->made;
	int err = end_zone(recalling);

	if (made->count == recalling->room) {
		recalling->room *= 2;
		made = realloc(made, sizeof *made + recalling->room * sizeof made->zones[0]);
		if (!made)
			return ERR_NOMEM;
		recalling->made = made;
	}
	if (recalling->renewals) {
		recalling->clock = renewals_clock(recalling->renewals, zone);
		if (!recalling->clock)
			return ERR_NOMEM;
	}
	made->zones[made->count++] = (struct registered_zone){.name = strdup(zone)};
	for (unsigned i = 0; i < 2; i++)
		recalling->drafts[1 + i] = begin_draft(recalling, trees[i]);
	if (!err &&
	    (!made->zones[made->count - 1].name || !recalling->drafts[1] || !recalling->drafts[2]))
		err = ERR_NOMEM;
	return err;
}

static void recall_renewal(const struct recalling *recalling, const struct registrar_row *row,
			   const uint8_t *owner)
{
	struct renewals *renewals = recalling->renewals;
	uint64_t print = renewals_print(renewals, recalling->clock, owner, row->type);
	const struct renewal_signature signature =
		registrar_signature(renewals, &(struct registrar_author){row->by, row->signed_s});

	renewals_note(renewals, print, row->since_s, recalling->clock->base_s);
	renewals_sign(renewals, print, &signature);
}

static int on_row(void *context, const struct registrar_row *row)
{
	struct recalling *recalling = context;
	const struct registered *made = recalling->made;
	struct zone_draft *draft;
	struct faults unused;
	struct name name;
	int err = 0, tree;

	if (made->count == 0 || strcmp(made->zones[made->count - 1].name, row->zone) != 0)
		err = begin_zone(recalling, row->zone);
	if (err || name_from_text(&name, recalling->key, row->owner) != 0)
		return err;
	tree = registrar_tree(&name);
	if (tree < 0 && !recalling->drafts[0])
		recalling->drafts[0] = begin_draft(recalling, apex_in(recalling, row->zone, &name));
	draft = recalling->drafts[tree + 1];
	if (!draft)
		return ERR_NOMEM;
	faults_init(&unused);
	err = zone_draft_put(draft, &nowhere, name.wire, row->type, &unused);
	for (size_t at = 0; !err && at < row->rdata_length;) {
		size_t length = wire_u16(row->rdata + at);

		err = zone_draft_add(draft, row->ttl, row->rdata + at + 2, length);
		at += 2 + length;
	}
	faults_release(&unused);
	if (!err && recalling->renewals)
		recall_renewal(recalling, row, name.wire);
	return err == ERR_FAULTS ? 0 : err;
}

static int on_clock(void *context, const struct source_pair *pair)
{
	struct recalling *recalling = context;
	struct renewal_clock *clock =
		renewals_clock(recalling->renewals, pair->key + sizeof RENEWAL_CLOCK_ROW - 1);

	if (clock)
		renewal_clock_recall(clock, pair->value);
	return clock ? 0 : ERR_NOMEM;
}

/* The row may be stale: older versions of sluice removed sets without their renewal rows. */
static int on_renewal(void *context, const struct source_pair *pair)
{
	struct recalling *recalling = context;
	char key[PAIRS_KEY_MAX], *at = key, *zone, *owner;
	struct name name;
	uint16_t type;

	snprintf(key, sizeof key, "%s", pair->key + sizeof RENEWAL_ROW - 1);
	zone = strsep(&at, " ");
	owner = strsep(&at, " ");
	if (!owner || !at || name_from_text(&name, recalling->key, owner) != 0 ||
	    !read_type(at, &type))
		return 0;
	if (strcmp(recalling->clock->zone, zone) != 0)
		recalling->clock = renewals_clock(recalling->renewals, zone);
	if (!recalling->clock)
		return ERR_NOMEM;
	renewals_recall(recalling->renewals, recalling->clock,
			renewals_print(recalling->renewals, recalling->clock, name.wire, type),
			pair->value);
	return 0;
}

int registrar_read(struct source *source, const struct hash_key *key, struct renewals *renewals,
		   struct registered **registered, char error[SOURCE_ERROR_MAX])
{
	struct recalling recalling = {.key = key, .renewals = renewals, .room = 8};
	int err;

	snprintf(error, SOURCE_ERROR_MAX, "%s", err_text(ERR_NOMEM));
	recalling.made = calloc(1, sizeof *recalling.made +
					   recalling.room * sizeof recalling.made->zones[0]);
	err = recalling.made ? 0 : ERR_NOMEM;
	if (!err)
		atomic_init(&recalling.made->references, 1);
	if (!err && renewals)
		err = pairs_each(source, RENEWAL_CLOCK_ROW, "", on_clock, &recalling, error);
	if (!err)
		err = registrar_each(source, "", on_row, &recalling, error);
	if (recalling.made && end_zone(&recalling) != 0)
		err = ERR_NOMEM;
	if (!err && recalling.clock)
		err = pairs_each(source, RENEWAL_ROW, "", on_renewal, &recalling, error);
	if (err)
		registered_unref(recalling.made);
	*registered = err ? NULL : recalling.made;
	return err;
}
