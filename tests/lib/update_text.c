#include "tests/lib/update_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/zone/rdata.h"
#include "tests/lib/message_text.h"

enum { WORD = 64, LINE = 4096 };

static _Noreturn void bad(const char *line)
{
	fprintf(stderr, "no record of an update: %s\n", line);
	abort();
}

static uint16_t class_of(const char *text, const char *line)
{
	if (strcmp(text, "IN") == 0)
		return CLASS_IN;
	if (strcmp(text, "ANY") == 0)
		return CLASS_ANY;
	if (strcmp(text, "NONE") == 0)
		return CLASS_NONE;
	if (strcmp(text, "CH") == 0)
		return CLASS_CH;
	bad(line);
}

/* Writes labels and, if the owner is in the zone, a pointer to the zone section. */
static size_t put_owner(uint8_t *to, const uint8_t *zone, const char *text, const char *line)
{
	uint8_t wire[NAME_WIRE_MAX];
	size_t length, zone_length = name_wire_length(zone);
	const char *why;

	if (rdata_parse_name(text, zone, wire, &length, &why) != 0)
		bad(line);
	memcpy(to, wire, length);
	if (length < zone_length || !name_wire_equal(wire + length - zone_length, zone))
		return length;
	length -= zone_length;
	to[length] = WIRE_POINTER;
	to[length + 1] = MESSAGE_HEADER;
	return length + 2;
}

static size_t put_record(uint8_t *to, const uint8_t *zone, const char *line)
{
	static uint8_t rdata[RDATA_MAX];
	char section, owner[256], class_text[WORD], type_text[WORD];
	size_t used, length = 0;
	const char *why;
	uint16_t type, class;
	int data = 0;

	if (sscanf(line, " %c %255s %63s %63s %n", &section, owner, class_text, type_text, &data) <
		    4 ||
	    record_type_parse(&type, type_text) != 0)
		bad(line);
	class = class_of(class_text, line);
	if (line[data] != '\0' && rdata_parse(type, line + data, zone, rdata, &length, &why) != 0)
		bad(line);
	used = put_owner(to, zone, owner, line);
	wire_put16(to + used, type);
	wire_put16(to + used + 2, class);
	wire_put32(to + used + 4, section == '!' && class == CLASS_IN ? 600 : 0);
	wire_put16(to + used + 8, (uint16_t)length);
	memcpy(to + used + RECORD_FIXED, rdata, length);
	return used + RECORD_FIXED + length;
}

size_t update_write(uint8_t wire[MESSAGE_MAX], const char *zone, const char *records)
{
	size_t length =
		request_write(wire, 77, OPCODE_UPDATE << 11, zone, TYPE_SOA, CLASS_IN, 0, false);
	uint8_t *apex = wire + MESSAGE_HEADER;

	while (*records != '\0') {
		size_t end = strcspn(records, "\n");
		char line[LINE];
		uint8_t *count;

		if (end >= sizeof line)
			bad(records);
		memcpy(line, records, end);
		line[end] = '\0';
		records += end + (records[end] == '\n');
		if (line[strspn(line, " \t")] == '\0')
			continue;
		count = wire + (line[strspn(line, " \t")] == '?' ? 6 : 8);
		wire_put16(count, (uint16_t)(wire_u16(count) + 1));
		length += put_record(wire + length, apex, line);
	}
	return length;
}
