/* A name: as presentation form, and as it stands in a packet. The first byte says where the packet
 * has it; the rest is the packet, and the text. */
#include "rules/wire.h"
#include "tests/fuzz/fuzz.h"

static const struct hash_key key = {1, 2};

/* What every name is, wherever it came from. */
static void check_name(const struct name *name)
{
	struct name suffix, again;
	char text[NAME_TEXT_MAX];
	size_t end;

	FUZZ_CHECK(name->length >= 1 && name->length <= NAME_WIRE_MAX);
	FUZZ_CHECK(name->labels <= NAME_LABELS_MAX);
	FUZZ_CHECK(name_wire_length(name->wire) == name->length);
	FUZZ_CHECK(name->offset[name->labels] == name->length - 1);
	FUZZ_CHECK(name->wire[name->length - 1] == 0);
	for (unsigned i = 0; i < name->length; i++)
		FUZZ_CHECK(name_lower(name->wire[i]) == name->wire[i]);
	FUZZ_CHECK(name_from_text(&again, &key, name_to_text(name, text)) == 0);
	FUZZ_CHECK(name_equal(&again, name));
	FUZZ_CHECK(again.hash[0] == name->hash[0]);
	/* Every suffix, read by itself, is the suffix, with its hash. */
	for (unsigned i = 0; i <= name->labels; i += 1 + name->labels / 4) {
		FUZZ_CHECK(name_from_wire(&suffix, &key, name->wire, name->length, name->offset[i],
					  &end) == 0);
		FUZZ_CHECK(end == name->length);
		FUZZ_CHECK(suffix.length == name_suffix_length(name, i));
		FUZZ_CHECK(memcmp(suffix.wire, name_suffix_wire(name, i), suffix.length) == 0);
		FUZZ_CHECK(suffix.hash[0] == name->hash[i]);
		FUZZ_CHECK(name_is_under(name, &suffix));
		FUZZ_CHECK(i == 0 || !name_is_under(&suffix, name));
	}
}

/* The name at `at`, read byte by byte: false where RFC 1035 does not allow it, a pointer leads into
 * the header or not before where its run began, or there are more than 64. */
static bool read_slowly(const uint8_t *packet, size_t length, size_t at, uint8_t *wire,
			size_t *wire_length)
{
	size_t run = at, used = 0;
	unsigned jumps = 0;

	for (;;) {
		if (at >= length)
			return false;
		uint8_t c = packet[at];
		if (c >= 0xc0) {
			if (at + 1 >= length)
				return false;
			size_t to = (size_t)(c & 0x3f) << 8 | packet[at + 1];
			if (to >= run || to < WIRE_HEADER || ++jumps > 64)
				return false;
			at = run = to;
			continue;
		}
		if (c > 63 || at + 1 + c > length || used + 1 + c + (c != 0) > NAME_WIRE_MAX)
			return false;
		wire[used++] = c;
		for (size_t i = 1; i <= c; i++)
			wire[used++] = name_lower(packet[at + i]);
		at += 1 + (size_t)c;
		if (c == 0) {
			*wire_length = used;
			return true;
		}
	}
}

static void from_wire(const uint8_t *packet, size_t length, size_t at)
{
	uint8_t wire[NAME_WIRE_MAX + 64], read[NAME_WIRE_MAX];
	size_t wire_length = 0, end, skipped_end, read_end;
	struct name name;
	bool allowed = read_slowly(packet, length, at, wire, &wire_length);
	bool good = name_from_wire(&name, &key, packet, length, at, &end) == 0;

	FUZZ_CHECK(good == allowed);
	FUZZ_CHECK(wire_skip_name(packet, length, at, WIRE_HEADER, &skipped_end, NULL) ==
		   wire_length);
	FUZZ_CHECK(wire_read_name(packet, length, at, WIRE_HEADER, read, &read_end) == wire_length);
	if (!good)
		return;
	FUZZ_CHECK(name.length == wire_length && memcmp(name.wire, wire, wire_length) == 0);
	FUZZ_CHECK(name_wire_equal(read, wire));
	FUZZ_CHECK(end > at && end <= length && end == skipped_end && end == read_end);
	check_name(&name);
}

const double fuzz_byte_us = 0.25;

int fuzz_one(const uint8_t *data, size_t size)
{
	struct name name;
	char *text = malloc(size + 1);

	FUZZ_CHECK(text);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (name_from_text(&name, &key, text) == 0)
		check_name(&name);
	free(text);
	if (size > 1)
		from_wire(data + 1, size - 1, data[0] % size);
	return 0;
}
