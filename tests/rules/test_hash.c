#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/hash.h"
#include "tests/lib/random.h"

/* SipHash-c-d as its paper has it: pad the message, then eat it block by block. It shares nothing
 * with the code under test, and takes its time. */
struct reference {
	uint64_t v[4];
};

static uint64_t turn(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static void reference_rounds(struct reference *r, unsigned count)
{
	uint64_t *v = r->v;

	while (count-- > 0) {
		v[0] += v[1], v[1] = turn(v[1], 13), v[1] ^= v[0], v[0] = turn(v[0], 32);
		v[2] += v[3], v[3] = turn(v[3], 16), v[3] ^= v[2];
		v[0] += v[3], v[3] = turn(v[3], 21), v[3] ^= v[0];
		v[2] += v[1], v[1] = turn(v[1], 17), v[1] ^= v[2], v[2] = turn(v[2], 32);
	}
}

static uint64_t reference_hash(const struct hash_key *key, const uint8_t *message, size_t length,
			       unsigned block_rounds, unsigned final_rounds)
{
	static const char words[] = "uespemosmodnarodarenegylsetybdet";
	const uint64_t keys[2] = {key->k0, key->k1};
	uint8_t padded[256] = {0};
	struct reference r;
	size_t i, j, total = (length / 8 + 1) * 8;

	for (i = 0; i < 4; i++) {
		r.v[i] = keys[i % 2];
		for (j = 0; j < 8; j++) /* each word stands backwards: little-endian */
			r.v[i] ^= (uint64_t)(uint8_t)words[i * 8 + j] << (8 * j);
	}
	assert_true(total <= sizeof padded);
	memcpy(padded, message, length);
	padded[total - 1] = (uint8_t)length;
	for (i = 0; i < total; i += 8) {
		uint64_t block = 0;

		for (j = 0; j < 8; j++)
			block |= (uint64_t)padded[i + j] << (8 * j);
		r.v[3] ^= block;
		reference_rounds(&r, block_rounds);
		r.v[0] ^= block;
	}
	r.v[2] ^= 0xff;
	reference_rounds(&r, final_rounds);
	return r.v[0] ^ r.v[1] ^ r.v[2] ^ r.v[3];
}

/* The first value of the SipHash paper's appendix: 2-4, key 00..0f, message 00..0e. */
static void reference_agrees_with_the_paper(void **state)
{
	const struct hash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
	uint8_t message[15];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof message; i++)
		message[i] = (uint8_t)i;
	assert_true(reference_hash(&key, message, sizeof message, 2, 4) == 0xa129ca6149be45e5);
}

/* Python 3.11 hashes bytes with SipHash-1-3; its key is derived from PYTHONHASHSEED (here 0, which
 * is the zero key, and 42). The message is 00 01 02 ...; its first eight bytes are our seed. */
static void values_are_those_of_another_implementation(void **state)
{
	static const struct {
		size_t length;
		uint64_t zero, forty_two;
	} known[] = {
		{8, 0xead411e67ebe2eea, 0x60866c3c108c6afb},
		{9, 0x75927f9d95124362, 0x68814005f7469e03},
		{11, 0xfe64ce8b6617fcff, 0x72f315ef14fb4b09},
		{12, 0xa6baf4fb0f9fe1c2, 0x550fe6ca26ef7fdd},
		{15, 0xf30eb725bb91c9ea, 0x94ace24d68c18cf8},
		{16, 0x8972188433a5c5b7, 0x339176f3ac59ce05},
		{23, 0x37332b1389daa4ff, 0xad71bad831e3a42d},
		{63, 0x385d3e39e5f37359, 0x06e24d6f0d014c37},
	};
	const struct hash_key zero = {0, 0};
	const struct hash_key forty_two = {0xdc504fd368cd90af, 0xb920bb9ffe99e9c1};
	uint8_t message[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof message; i++)
		message[i] = (uint8_t)i;
	for (i = 0; i < sizeof known / sizeof *known; i++) {
		size_t length = known[i].length - 8;

		assert_true(hash_bytes(&zero, 0x0706050403020100, message + 8, length) ==
			    known[i].zero);
		assert_true(hash_bytes(&forty_two, 0x0706050403020100, message + 8, length) ==
			    known[i].forty_two);
	}
}

static void every_length_and_alignment_is_siphash_of_seed_and_data(void **state)
{
	uint64_t seed = 7;
	uint8_t buffer[128], message[128];
	size_t length, shift, i;

	(void)state;
	for (length = 0; length <= 80; length++) {
		for (shift = 0; shift < 8; shift++) {
			const struct hash_key key = {random_u64(&seed), random_u64(&seed)};
			uint64_t chain = random_u64(&seed);

			for (i = 0; i < length; i++)
				buffer[shift + i] = (uint8_t)random_u64(&seed);
			for (i = 0; i < 8; i++)
				message[i] = (uint8_t)(chain >> (8 * i));
			memcpy(message + 8, buffer + shift, length);
			assert_true(hash_bytes(&key, chain, buffer + shift, length) ==
				    reference_hash(&key, message, 8 + length, 1, 3));
		}
	}
}

/* Exactly as much memory as is hashed, so that the sanitizer sees a byte too many. */
static void nothing_behind_the_data_is_read(void **state)
{
	const struct hash_key key = {1, 2};
	size_t length;

	(void)state;
	for (length = 1; length <= 24; length++) {
		uint8_t *exact = malloc(length);

		assert_non_null(exact);
		memset(exact, 'x', length);
		assert_true(hash_bytes(&key, 0, exact, length) != 0);
		free(exact);
	}
	assert_true(hash_bytes(&key, 0, NULL, 0) != 0);
}

static void key_seed_and_length_all_matter(void **state)
{
	const struct hash_key key = {1, 2}, other0 = {3, 2}, other1 = {1, 3};
	const uint8_t zeros[16] = {0};
	uint64_t hash = hash_bytes(&key, 5, zeros, 4);

	(void)state;
	assert_true(hash != hash_bytes(&other0, 5, zeros, 4));
	assert_true(hash != hash_bytes(&other1, 5, zeros, 4));
	assert_true(hash != hash_bytes(&key, 6, zeros, 4));
	assert_true(hash != hash_bytes(&key, 5, zeros, 5));
	assert_true(hash == hash_bytes(&key, 5, zeros, 4));
}

static void a_signature_is_siphash_2_4(void **state)
{
	struct hash_key key;
	uint8_t message[64];

	(void)state;
	for (unsigned i = 0; i < 16; i++) /* the paper's own example: bytes 0, 1, 2, ... */
		((uint8_t *)&key)[i] = (uint8_t)i;
	for (unsigned i = 0; i < sizeof message; i++)
		message[i] = (uint8_t)i;
	key = (struct hash_key){le64toh(key.k0), le64toh(key.k1)};
	assert_true(hash_sign(&key, message, 15) == 0xa129ca6149be45e5);
	for (size_t length = 0; length < sizeof message; length++)
		assert_true(hash_sign(&key, message, length) ==
			    reference_hash(&key, message, length, 2, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reference_agrees_with_the_paper),
		cmocka_unit_test(values_are_those_of_another_implementation),
		cmocka_unit_test(every_length_and_alignment_is_siphash_of_seed_and_data),
		cmocka_unit_test(nothing_behind_the_data_is_read),
		cmocka_unit_test(key_seed_and_length_all_matter),
		cmocka_unit_test(a_signature_is_siphash_2_4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
