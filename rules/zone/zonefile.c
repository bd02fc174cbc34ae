/* Reading and writing master files.
 *
 *     entry   www  1h IN   MX   10 mail
 *             │    └─┬─┘   │    └──┬──┘
 *             │      │     │       └ rdata_parse (ldns)
 *             │      │     └ record_type_parse
 *             │      └ TTL and class, in either order, both optional
 *             └ owner: @, relative to $ORIGIN, or with a final dot; a blank: the last one
 *
 * A faulty entry is a fault with its line, and reading goes on, so that one run tells everything.
 * $INCLUDE and $GENERATE are not done: a zone is one file, and says what it has. */
#include "rules/zone/zonefile.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rules/base.h"
#include "rules/zone/rdata.h"
#include "rules/zone/record.h"
#include "rules/zone/zonefile_entry.h"

enum {
	DEFAULT_TTL = 3600,       /* seconds, until there is a $TTL */
	FILE_BYTES_MAX = 1 << 30, /* of a zone file */
	READ_STEP_MIN = 64 * 1024,
};

struct reader {
	struct zone_builder *builder;
	struct faults *faults;
	struct origin here; /* file and line at hand */
	struct zonefile_text text;
	uint8_t origin[NAME_WIRE_MAX]; /* $ORIGIN */
	uint8_t owner[NAME_WIRE_MAX];  /* of the entry before */
	enum { OWNER_NONE, OWNER_BROKEN, OWNER_KNOWN } owner_state;
	uint32_t ttl; /* $TTL */
	bool broken;
	uint8_t rdata[RDATA_MAX];
};

struct header { /* what stands between owner and rdata */
	uint16_t type;
	uint32_t ttl;
};

#define REFUSE(reader, ...)                                                                        \
	do {                                                                                       \
		fault_add((reader)->faults, FAULT_ERROR, &(reader)->here, NULL, __VA_ARGS__);      \
		(reader)->broken = true;                                                           \
	} while (0)

/* A token for a fault's text: whatever is not printable ASCII becomes a question mark. */
static const char *printable(char *token)
{
	for (char *at = token; *at != '\0'; at++) {
		if (*at < ' ' || *at > '~')
			*at = '?';
	}
	return token;
}

/* ---- names and times ---- */

static bool read_name(struct reader *reader, char *text, uint8_t wire[NAME_WIRE_MAX])
{
	const char *why;
	size_t length;

	if (rdata_parse_name(text, reader->origin, wire, &length, &why) == 0)
		return true;
	REFUSE(reader, "\"%.300s\" is not a domain name: %s", printable(text), why);
	return false;
}

static unsigned unit_seconds(char unit)
{
	switch (tolower((unsigned char)unit)) {
	case 's': return 1;
	case 'm': return 60;
	case 'h': return 3600;
	case 'd': return 86400;
	case 'w': return 7 * 86400;
	default: return 0;
	}
}

/* "3600", "1h30m"; at most 2^31-1 (RFC 2181 section 8). */
static bool read_ttl(const char *text, uint32_t *ttl)
{
	uint64_t total = 0, number;

	while (*text != '\0') {
		if (!isdigit((unsigned char)*text))
			return false;
		for (number = 0; isdigit((unsigned char)*text); text++) {
			number = number * 10 + (uint64_t)(*text - '0');
			if (number > INT32_MAX)
				return false;
		}
		if (*text != '\0') {
			if (unit_seconds(*text) == 0)
				return false;
			number *= unit_seconds(*text++);
		}
		total += number;
		if (total > INT32_MAX)
			return false;
	}
	*ttl = (uint32_t)total;
	return true;
}

#define TTL_EXPECTED "a number of seconds up to 2147483647, or like 1h30m"

/* ---- directives ---- */

static void read_directive(struct reader *reader, char *keyword, char *rest)
{
	char *value = zonefile_token(&rest);

	if (strcasecmp(keyword, "$ORIGIN") != 0 && strcasecmp(keyword, "$TTL") != 0) {
		REFUSE(reader,
		       "%.40s is not supported: only $ORIGIN and $TTL are; put the records "
		       "themselves into this file",
		       printable(keyword));
	} else if (*value == '\0' || *zonefile_token(&rest) != '\0') {
		REFUSE(reader, "%.40s takes one value", printable(keyword));
	} else if (strcasecmp(keyword, "$TTL") == 0) {
		if (!read_ttl(value, &reader->ttl))
			REFUSE(reader, "$TTL \"%.40s\" is not " TTL_EXPECTED, printable(value));
	} else {
		read_name(reader, value, reader->origin);
	}
}

/* ---- records ---- */

static bool is_class(const char *token)
{
	static const char *const names[] = {"CH", "HS", "CS", "NONE"};

	for (size_t i = 0; i < COUNT(names); i++) {
		if (strcasecmp(token, names[i]) == 0)
			return true;
	}
	return strncasecmp(token, "CLASS", 5) == 0 && isdigit((unsigned char)token[5]);
}

/* Reads [TTL] [class] type, or [class] [TTL] type; *rest is then the rdata. */
static bool read_header(struct reader *reader, char **rest, struct header *header)
{
	bool ttl_seen = false, class_seen = false;
	char *token;

	header->ttl = reader->ttl;
	for (;;) {
		token = zonefile_token(rest);
		if (!ttl_seen && isdigit((unsigned char)*token)) {
			ttl_seen = true;
			if (!read_ttl(token, &header->ttl)) {
				REFUSE(reader, "TTL \"%.40s\" is not " TTL_EXPECTED,
				       printable(token));
				return false;
			}
		} else if (!class_seen &&
			   (strcasecmp(token, "IN") == 0 || strcasecmp(token, "CLASS1") == 0)) {
			class_seen = true;
		} else {
			break;
		}
	}
	if (*token == '\0')
		REFUSE(reader, "a record without a type; it is written OWNER [TTL] [IN] TYPE DATA");
	else if (is_class(token))
		REFUSE(reader, "class %.40s; a private zone has records of class IN only", token);
	else if (record_type_parse(&header->type, token) != 0)
		REFUSE(reader,
		       "\"%.40s\" is not a record type; one that has no name here is written "
		       "TYPEn, with data as \\# LENGTH HEX",
		       printable(token));
	else
		return true;
	return false;
}

/* Sets reader->owner to that of this entry, and *rest behind it. */
static void read_owner(struct reader *reader, char **rest)
{
	if (**rest == ' ') {
		if (reader->owner_state == OWNER_NONE)
			REFUSE(reader, "the line begins with a blank, so it continues the owner "
				       "before, but there is none; begin with @ for the apex");
		return;
	}
	reader->owner_state = OWNER_BROKEN;
	if (read_name(reader, zonefile_token(rest), reader->owner))
		reader->owner_state = OWNER_KNOWN;
}

/* ERR_NOMEM, or 0: what was wrong is a fault then. */
static int read_record(struct reader *reader, char *rest)
{
	struct header header;
	const char *why;
	char type[16];
	size_t length;
	int err;

	read_owner(reader, &rest);
	if (!read_header(reader, &rest, &header))
		return 0;
	record_type_print(header.type, type, sizeof type);
	if (!record_type_is_data(header.type)) {
		REFUSE(reader, "%s cannot be data of a zone; it occurs in messages only", type);
		return 0;
	}
	if (rdata_parse(header.type, rest, reader->origin, reader->rdata, &length, &why) != 0) {
		REFUSE(reader, "the data of this %s record, \"%.100s\", is not right: %s", type,
		       printable(rest), why);
		return 0;
	}
	if (reader->owner_state != OWNER_KNOWN)
		return 0;
	err = zone_builder_add(reader->builder, &reader->here, reader->owner, header.type,
			       header.ttl, reader->rdata, length, reader->faults);
	return err == ERR_NOMEM ? err : 0;
}

static int read_entries(struct reader *reader)
{
	struct zonefile_entry entry;
	int err = 0;

	while (err == 0 && zonefile_next_entry(&reader->text, &entry)) {
		char *rest = entry.text;

		reader->here.line = entry.line;
		if (entry.problem) {
			REFUSE(reader, "%s", entry.problem);
			reader->owner_state = OWNER_BROKEN;
		} else if (*rest == '$') {
			char *keyword = zonefile_token(&rest);

			read_directive(reader, keyword, rest);
		} else {
			err = read_record(reader, rest);
		}
	}
	reader->here.line = 0;
	return err;
}

/* ---- the file ---- */

/* The whole file as bytes, to be freed. */
static char *read_all(FILE *in, size_t *length, const char **why)
{
	size_t room = 0, used = 0, got;
	char *bytes = NULL, *more;

	do {
		if (room - used < READ_STEP_MIN) {
			room = room == 0 ? READ_STEP_MIN : room * 2;
			more = room <= FILE_BYTES_MAX ? realloc(bytes, room) : NULL;
			*why = room <= FILE_BYTES_MAX ? "there is not enough memory for it"
						      : "the file is larger than 1 GB";
			if (!more)
				goto failed;
			bytes = more;
		}
		got = fread(bytes + used, 1, room - used, in);
		used += got;
	} while (got > 0);
	*why = "the file cannot be read";
	if (ferror(in))
		goto failed;
	*length = used;
	return bytes;

failed:
	free(bytes);
	return NULL;
}

static struct zone *read_zone(struct reader *reader, const char *bytes, size_t length,
			      const struct hash_key *key, const struct name *apex)
{
	struct zone *zone;
	int err = ERR_NOMEM;

	memcpy(reader->origin, apex->wire, apex->length);
	reader->ttl = DEFAULT_TTL;
	reader->builder = zone_builder_new(key, apex);
	if (reader->builder && zonefile_text_init(&reader->text, bytes, length) == 0)
		err = read_entries(reader);
	zonefile_text_release(&reader->text);
	if (err != 0) {
		REFUSE(reader, "there is not enough memory for the zone");
		zone_builder_free(reader->builder);
		return NULL;
	}
	zone = zone_builder_finish(reader->builder, &reader->here, reader->faults);
	if (reader->broken) {
		zone_unref(zone);
		return NULL;
	}
	return zone;
}

struct zone *zonefile_read(FILE *in, const char *file, const struct hash_key *key,
			   const struct name *apex, struct faults *faults)
{
	struct reader *reader = calloc(1, sizeof *reader);
	struct origin here = {.file = file};
	struct zone *zone = NULL;
	const char *why = "there is not enough memory for it";
	size_t length;
	char *bytes = NULL;

	if (reader)
		bytes = read_all(in, &length, &why);
	if (!bytes) {
		fault_add(faults, FAULT_ERROR, &here, NULL, "%s", why);
	} else {
		reader->faults = faults;
		reader->here = here;
		zone = read_zone(reader, bytes, length, key, apex);
	}
	free(bytes);
	free(reader);
	return zone;
}

static int write_set(void *context, const uint8_t *owner, const struct rrset *rrset)
{
	return rrset_print(rrset, owner, context);
}

int zonefile_write(const struct zone *zone, FILE *out)
{
	int err = zone_walk(zone, write_set, out);

	if (err == 0 && fflush(out) != 0)
		err = ERR_SYSTEM;
	return err;
}
