/* Two networks, upstreams that answer from a table, and compose() between them. A question that is
 * not in the table fails the test. */
#ifndef SLUICE_TESTS_COMPOSE_CASE_H
#define SLUICE_TESTS_COMPOSE_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "endpoints/upstream/target.h"
#include "resolver/outcomes.h"
#include "resolver/resolve/compose.h"
#include "tests/lib/model_builder.h"

enum { S = 1000 * 1000, BEGIN = 1000 * S, SAYINGS = 48, TARGETS = 64, TEXT = 8192 };

struct saying {
	const char *server, *name; /* "192.0.2.1", "www.example." */
	unsigned rcode;
	const char *records;
	bool truncated; /* the best reply has TC */
};

struct compose_case {
	struct model *model;
	struct policy *policy;
	struct cache *cache;
	struct cache_settings settings;
	uint64_t now_us;
	struct outcomes_registry *outcomes;
	struct target targets[TARGETS];
	unsigned target_count;
	struct saying sayings[SAYINGS];
	unsigned saying_count;
	struct cache_entry *told[COMPOSE_TOLD_MAX];
	unsigned told_count;
	bool caches;        /* puts answers of upstreams into the cache */
	bool expired;       /* the deadline has passed */
	struct query query; /* its local address is the asked one; family 0: none */
	char asked[TEXT];   /* "192.0.2.1 www.example.; 192.0.2.2 www.example." */
	char answer[TEXT];  /* the status, a newline, and the records */
	struct composition c;
	uint8_t buffer[MESSAGE_MAX];
};

/* The networks hub and spoke with a resolver each; *state is the case. */
int case_setup(void **state);
int case_teardown(void **state);

/* Adds a rule to the ruleset with the network's name, which is linked to the network. */
void case_add_rule(struct compose_case *f, const char *network, const char *domain,
		   const char *targets, bool follow);
/* Compiles the model; otherwise the first question does it. */
void case_compile(struct compose_case *f);
/* Makes every target suspect. */
void case_make_dark(struct compose_case *f);
void case_says(struct compose_case *f, const char *server, const char *name, unsigned rcode,
	       const char *records);
void case_says_truncated(struct compose_case *f, const char *server, const char *name);

struct case_question {
	uint16_t flags;
	bool dnssec_ok, vnet;
};

/* Asks at the network (0: hub, 1: spoke). Sets f->answer to the answer and f->asked to the
 * questions asked. */
void case_ask_with(struct compose_case *f, uint32_t network, const char *qname, uint16_t type,
		   struct case_question how);
/* Asks at the hub, with RD. */
void case_ask(struct compose_case *f, const char *qname, uint16_t type);

#define ANSWER(f, text) assert_string_equal((f)->answer, text)
#define ASKED(f, text)  assert_string_equal((f)->asked, text)
#define EDE(f, code, part)                                                                         \
	do {                                                                                       \
		assert_int_equal((f)->c.ede, code);                                                \
		if (!strstr((f)->c.ede_text, part))                                                \
			fail_msg("EDE text \"%s\" has no \"%s\"", (f)->c.ede_text, part);          \
	} while (0)

#endif
