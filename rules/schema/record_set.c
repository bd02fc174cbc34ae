#include "rules/schema/record_set.h"

#include <string.h>
#include <strings.h>

#include "rules/zone/rdata.h"
#include "rules/zone/record.h"
#include "rules/zone/zonefile.h"

char *record_set_name(const struct name *apex, const uint8_t *owner, uint16_t type,
		      char text[RECORD_SET_NAME_MAX])
{
	char name[NAME_TEXT_MAX], type_text[16];

	snprintf(text, RECORD_SET_NAME_MAX, "%s:%s", zonefile_name(apex, owner, name),
		 record_type_print(type, type_text, sizeof type_text));
	return text;
}

/* ---- names ---- */

static void refuse_name(const struct origin *origin, struct faults *faults, const char *name,
			const char *why)
{
	fault_add(faults, FAULT_ERROR, origin, "name", "\"%.300s\" does not fit: %s", name, why);
}

static int read_name(const char *text, const struct name *apex, uint8_t owner[NAME_WIRE_MAX],
		     uint16_t *type, const struct origin *origin, struct faults *faults)
{
	const char *colon = strrchr(text, ':'), *why;
	char relative[NAME_TEXT_MAX], right[RECORD_SET_NAME_MAX];
	size_t length;

	if (!colon || colon == text || (size_t)(colon - text) >= sizeof relative) {
		refuse_name(origin, faults, text, "give OWNER:TYPE, such as www:A or @:MX");
		return ERR_FAULTS;
	}
	snprintf(relative, sizeof relative, "%.*s", (int)(colon - text), text);
	if (record_type_parse(type, colon + 1) != 0) {
		refuse_name(origin, faults, text,
			    "what is behind the colon is not a record type; one that has no name "
			    "here is written TYPEn");
		return ERR_FAULTS;
	}
	if (rdata_parse_name(relative, apex->wire, owner, &length, &why) != 0) {
		refuse_name(origin, faults, text, why);
		return ERR_FAULTS;
	}
	if (name_wire_find_suffix(owner, apex->wire) == SIZE_MAX) {
		refuse_name(origin, faults, text,
			    "the owner is outside the zone; write it without a final dot");
		return ERR_FAULTS;
	}
	if (strcasecmp(record_set_name(apex, owner, *type, right), text) == 0)
		return 0;
	fault_add(faults, FAULT_ERROR, origin, "name", "\"%.300s\" is written %s", text, right);
	return ERR_FAULTS;
}

/* ---- data ---- */

/* Why a text is more than the data of one record; NULL: it is not. */
static const char *find_excess(const char *text)
{
	bool quoted = false;

	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return "it has a control character; write it as \\DDD";
		if (*text == '\\' && text[1] != '\0')
			text++;
		else if (*text == '"')
			quoted = !quoted;
		else if (!quoted && strchr(";()", *text))
			return "it has a comment or a parenthesis; give the data alone, quoted "
			       "where these belong to it";
	}
	return quoted ? "a \" is not closed" : NULL;
}

static int add_record(struct zone_draft *draft, const struct name *apex, uint16_t type,
		      const struct record_set *set, const char *text, struct faults *faults)
{
	const char *why = find_excess(text);
	uint8_t rdata[RDATA_MAX];
	char type_text[16];
	size_t length;

	if (!why && rdata_parse(type, text, apex->wire, rdata, &length, &why) == 0)
		return zone_draft_add(draft, set->ttl, rdata, length);
	fault_add(faults, FAULT_ERROR, &set->origin, "records",
		  "the data of this %s record, \"%.100s\", is not right: %s",
		  record_type_print(type, type_text, sizeof type_text), text, why);
	return ERR_FAULTS;
}

/* ---- sets ---- */

int record_set_put(struct zone_draft *draft, const struct name *apex, const struct record_set *set,
		   struct faults *faults)
{
	uint8_t owner[NAME_WIRE_MAX];
	uint16_t type;
	int err = set->name ? read_name(set->name, apex, owner, &type, &set->origin, faults)
			    : ERR_FAULTS; /* it has a fault already */

	if (!err)
		err = zone_draft_put(draft, &set->origin, owner, type, faults);
	for (size_t i = 0; !err && i < set->records.count; i++)
		if (set->records.items[i])
			err = add_record(draft, apex, type, set, set->records.items[i], faults);
	return err;
}

int record_set_remove(struct zone_draft *draft, const struct name *apex, const char *name,
		      const struct origin *origin, struct faults *faults)
{
	uint8_t owner[NAME_WIRE_MAX];
	uint16_t type;
	int err = read_name(name, apex, owner, &type, origin, faults);

	return err ? err : zone_draft_put(draft, origin, owner, type, faults);
}

bool record_set_is_there(const struct zone *zone, const char *name)
{
	static const struct hash_key any_key; /* an editable zone is not looked up by hashes */
	static const struct origin nowhere;
	uint8_t wire[NAME_WIRE_MAX];
	struct faults unused;
	struct name owner;
	uint16_t type;
	int err;

	faults_init(&unused);
	err = read_name(name, zone_apex(zone), wire, &type, &nowhere, &unused);
	faults_release(&unused);
	return !err &&
	       name_from_wire(&owner, &any_key, wire, name_wire_length(wire), 0, NULL) == 0 &&
	       zone_find_exact(zone, &owner, type);
}
