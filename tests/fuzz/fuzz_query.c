/* A packet from a client: read, decided, answered. The first byte says where the client is, by
 * which transport, and what upstreams say: nothing (until the deadline), an answer, or mostly
 * REFUSED; the rest is the packet. */
#include "tests/fuzz/world.h"

const double fuzz_byte_us = 0.25;

int fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_world *world = fuzz_world();

	if (size < 1 || size - 1 > MESSAGE_MAX)
		return 0;
	/* A copy that ends where its memory ends: a byte too far is seen. */
	uint8_t *packet = malloc(size - 1 ? size - 1 : 1);
	FUZZ_CHECK(packet);
	memcpy(packet, data + 1, size - 1);
	fuzz_ask(world, fuzz_place(data[0] & 7), packet, size - 1, data[0] & 0x80);
	free(packet);
	unsigned say = data[0] >> 3 & 7;
	if (say == 6 && world->packet_count > 0)
		(void)fuzz_reply(world, &world->packets[0], RCODE_NXDOMAIN,
				 "authority . 60 IN SOA . . 1 2 3 4 60\n");
	if (say != 7)
		fuzz_refuse_all(world);
	fuzz_end(world);
	return 0;
}
