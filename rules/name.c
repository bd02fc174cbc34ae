/* Names as bytes. Every query reads a name from a packet, so this is one walk over the labels,
 * which only looks at length bytes, one copy of each run of labels, which lower-cases eight bytes
 * at a time, and one keyed hash for each label:
 *
 *     packet  .. 4 C o r p 4 t e s t 0 .. 3 w w w c0 0c      a run lies between a start
 *                └────── run 2 ──────┘    └─ run 1 ─┘        and a root or a pointer
 *     wire    3 w w w 4 c o r p 4 t e s t 0
 *     hash    from the root to the front, each with the next suffix's hash as its seed
 *
 * Length bytes are at most 63, below 'A', so a run is lower-cased as a whole (RFC 4343 section 3:
 * only ASCII letters have case, in labels of any bytes).
 *
 * No internationalised names: names are bytes, and bytes are compared. */
#include "rules/name.h"

#include <assert.h>
#include <string.h>

#include "rules/wire.h"

static inline uint64_t lower_eight(uint64_t word)
{
	const uint64_t ones = 0x0101010101010101;
	uint64_t low = word & (0x7f * ones);
	uint64_t from_a = low + (0x80 - 'A') * ones; /* top bit of a byte: at least 'A' */
	uint64_t above_z = low + (0x7f - 'Z') * ones;
	uint64_t upper = (from_a ^ above_z) & ~word & (0x80 * ones);

	return word | upper >> 2;
}

static inline void lower_eight_at(uint8_t *to, const uint8_t *from)
{
	uint64_t word;

	memcpy(&word, from, sizeof word);
	word = lower_eight(word);
	memcpy(to, &word, sizeof word);
}

static void copy_lower(uint8_t *to, const uint8_t *from, size_t length)
{
	size_t i;

	if (length < 8) {
		for (i = 0; i < length; i++)
			to[i] = name_lower(from[i]);
		return;
	}
	for (i = 0; i + 8 <= length; i += 8)
		lower_eight_at(to + i, from + i);
	if (i < length) /* the last eight bytes, some of them a second time */
		lower_eight_at(to + length - 8, from + length - 8);
}

uint64_t name_hash_label(const struct hash_key *key, uint64_t suffix_hash, const uint8_t *label,
			 size_t length)
{
	return hash_bytes(key, suffix_hash, label, length);
}

/* The root's hash, a constant start value, which costs nothing. The key in every later link makes
 * the chain unpredictable. */
static const uint64_t root_hash = 0x736c756963652e00;

/* Completes a name that has its labels and offsets. key NULL: without hashes. */
static void finish(struct name *name, const struct hash_key *key, size_t used, unsigned labels)
{
	uint64_t hash = root_hash;
	unsigned i;

	assert(used < NAME_WIRE_MAX && labels <= NAME_LABELS_MAX);
	name->wire[used] = 0;
	name->offset[labels] = (uint8_t)used;
	name->length = (uint8_t)(used + 1);
	name->labels = (uint8_t)labels;
	if (!key)
		return;
	name->hash[labels] = hash;
	for (i = labels; i-- > 0;) {
		const uint8_t *label = name->wire + name->offset[i];

		hash = name_hash_label(key, hash, label + 1, label[0]);
		name->hash[i] = hash;
	}
}

int name_from_wire(struct name *name, const struct hash_key *key, const uint8_t *packet,
		   size_t length, size_t at, size_t *end)
{
	struct wire_walk walk;

	assert(name);
	if (!wire_walk_name(&walk, packet, length, at, WIRE_HEADER, WIRE_JUMPS_MAX, name->wire,
			    name->offset, copy_lower))
		return ERR_INVALID;
	finish(name, key, walk.length - 1, walk.labels);
	if (end)
		*end = walk.end;
	return 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool name_parse_escape(const char **text, uint8_t *byte)
{
	const char *at = *text + 1;
	unsigned value;

	if (!is_digit(at[0])) {
		*byte = (uint8_t)at[0];
		*text = at + 1;
		return at[0] != '\0';
	}
	if (!is_digit(at[1]) || !is_digit(at[2]))
		return false;
	value = (unsigned)(at[0] - '0') * 100 + (unsigned)(at[1] - '0') * 10 +
		(unsigned)(at[2] - '0');
	*byte = (uint8_t)value;
	*text = at + 3;
	return value <= UINT8_MAX;
}

size_t name_text_length(const char *text)
{
	size_t length = strlen(text), slashes = 0;

	if (length < 2 || text[length - 1] != '.')
		return length;
	while (slashes < length - 1 && text[length - 2 - slashes] == '\\')
		slashes++;
	return length - (slashes % 2 == 0);
}

/* Reads one byte of a label. Unescaped blanks and control characters are refused, because they are
 * probably typing errors. */
static int read_byte(const char **text, uint8_t *byte)
{
	uint8_t value = (uint8_t) * *text;

	if (value <= ' ' || value == 0x7f)
		return ERR_INVALID;
	if (value != '\\')
		++*text;
	else if (!name_parse_escape(text, &value))
		return ERR_INVALID;
	*byte = name_lower(value);
	return 0;
}

/* Reads a label to wire[used], and skips the dot after it, if there is one. */
static int read_label(const char **text, uint8_t *wire, size_t used, size_t *length)
{
	size_t n = 0;

	while (**text != '\0' && **text != '.') {
		uint8_t byte;
		int err = read_byte(text, &byte);

		if (err != 0)
			return err;
		if (n == WIRE_LABEL_MAX || used + 1 + n + 1 >= NAME_WIRE_MAX)
			return ERR_TOO_LONG;
		wire[used + 1 + n++] = byte;
	}
	if (n == 0)
		return ERR_INVALID;
	wire[used] = (uint8_t)n;
	*length = n;
	if (**text == '.')
		++*text;
	return 0;
}

int name_from_text(struct name *name, const struct hash_key *key, const char *text)
{
	size_t used = 0;
	unsigned labels = 0;

	if (text[0] == '\0')
		return ERR_INVALID;
	if (text[0] == '.' && text[1] == '\0')
		text++;
	while (*text != '\0') {
		size_t n;
		int err = read_label(&text, name->wire, used, &n);

		if (err != 0)
			return err;
		name->offset[labels++] = (uint8_t)used;
		used += 1 + n;
	}
	finish(name, key, used, labels);
	return 0;
}

static char *put_byte(char *out, uint8_t c)
{
	if (c <= ' ' || c >= 0x7f) {
		*out++ = '\\';
		*out++ = (char)('0' + c / 100);
		*out++ = (char)('0' + c / 10 % 10);
		*out++ = (char)('0' + c % 10);
		return out;
	}
	if (strchr("\".;\\()@$", c))
		*out++ = '\\';
	*out++ = (char)c;
	return out;
}

char *name_wire_to_text(const uint8_t *wire, char text[NAME_TEXT_MAX])
{
	char *out = text;

	if (*wire == 0)
		*out++ = '.';
	while (*wire != 0) {
		const uint8_t *end = wire + 1 + *wire;

		while (++wire < end)
			out = put_byte(out, *wire);
		*out++ = '.';
	}
	*out = '\0';
	return text;
}

char *name_to_text(const struct name *name, char text[NAME_TEXT_MAX])
{
	return name_wire_to_text(name->wire, text);
}

void name_copy(struct name *to, const struct name *from)
{
	to->length = from->length;
	to->labels = from->labels;
	memcpy(to->hash, from->hash, ((size_t)from->labels + 1) * sizeof from->hash[0]);
	memcpy(to->offset, from->offset, (size_t)from->labels + 1);
	memcpy(to->wire, from->wire, from->length);
}

bool name_equal(const struct name *a, const struct name *b)
{
	return a->length == b->length && memcmp(a->wire, b->wire, a->length) == 0;
}

bool name_is_under(const struct name *name, const struct name *suffix)
{
	unsigned first;

	if (suffix->labels > name->labels)
		return false;
	first = (unsigned)name->labels - suffix->labels;
	return name_suffix_length(name, first) == suffix->length &&
	       memcmp(name_suffix_wire(name, first), suffix->wire, suffix->length) == 0;
}

size_t name_wire_length(const uint8_t *wire)
{
	size_t length = 1;

	while (wire[length - 1] != 0)
		length += 1 + (size_t)wire[length - 1];
	return length;
}

/* Most equal labels have the same case, so their bytes are compared first. */
static bool label_equal(const uint8_t *a, const uint8_t *b, size_t length)
{
	size_t i;

	if (memcmp(a, b, length) == 0)
		return true;
	for (i = 0; i < length; i++)
		if (name_lower(a[i]) != name_lower(b[i]))
			return false;
	return true;
}

bool name_wire_equal(const uint8_t *a, const uint8_t *b)
{
	while (*a == *b && *a != 0) {
		size_t length = *a;

		if (!label_equal(a + 1, b + 1, length))
			return false;
		a += 1 + length;
		b += 1 + length;
	}
	return *a == *b;
}

size_t name_wire_find_suffix(const uint8_t *name, const uint8_t *suffix)
{
	size_t at = 0;

	while (!name_wire_equal(name + at, suffix)) {
		if (name[at] == 0)
			return SIZE_MAX;
		at += 1 + (size_t)name[at];
	}
	return at;
}
