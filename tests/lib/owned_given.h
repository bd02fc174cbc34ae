/* Addresses and services in a short form for tests: tags are a JSON object, other members are as in
 * struct owned_resource. */
#ifndef SLUICE_TESTS_OWNED_GIVEN_H
#define SLUICE_TESTS_OWNED_GIVEN_H

#include "resolver/control/resource/owned_resource.h"

struct owned_given {
	unsigned kind; /* 0: KIND_ADDRESS */
	const char *id, *name, *resource_group, *region, *subscription;
	struct address address;
	enum allocation allocation;
	const char *label, *fqdn, *description, *tags;
	uint64_t revision;
	struct given_ptr {
		const char *fqdn, *description;
		bool ttl_given;
		uint32_t ttl;
		enum ptr_action action;
		uint64_t revision;
	} ptr;
};

struct owned_resource owned_given(const struct owned_given *given, struct arena *arena);

#endif
