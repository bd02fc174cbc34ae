/* One table of options: the reader and the usage text follow from it. */
#include "bench/load_setup.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/sockets.h"

enum load_option_kind { FLAG, WHOLE, REAL, ADDRESS, MIX, PATH };

static const struct load_option {
	const char *name;
	enum load_option_kind kind;
	size_t offset; /* in struct load_setup */
	double min, max;
	const char *doc;
} rows[] = {
#define AT(member) offsetof(struct load_setup, member)
	{"server", ADDRESS, AT(server), 0, 0, "whom to ask: 127.0.0.1:PORT"},
	{"upstream", ADDRESS, AT(upstream_address), 0, 0, "be the upstream there too"},
	{"questions", MIX, AT(questions.mix), 0, 0, "one of: "},
	{"hosts", WHOLE, AT(questions.hosts), 1, 1 << 24, "hosts of the private zone"},
	{"rules", WHOLE, AT(questions.rules), 1, 1 << 24, "forwarding rules"},
	{"popular", WHOLE, AT(questions.popular), 1, 1 << 24, "popular names"},
	{"ptrs", WHOLE, AT(questions.ptrs), 1, 1 << 22, "addresses with a PTR"},
	{"first", WHOLE, AT(questions.first), 0, 1 << 30, "number of the first unique name"},
	{"each-popular-once", FLAG, AT(each_popular_once), 0, 0, "measure that instead"},
	{"tcp", FLAG, AT(tcp), 0, 0, "TCP, pipelined"},
	{"lanes", WHOLE, AT(lanes), 1, LANES_MAX, "sockets or connections"},
	{"window", WHOLE, AT(window), 1, 32768, "questions in flight, over all lanes"},
	{"rate", REAL, AT(rate), 1, 1e7, "questions a second, instead of a window kept full"},
	{"naps", FLAG, AT(naps), 0, 0, "with a rate: sleep between sends instead of spinning"},
	{"wait", REAL, AT(wait), 0, 600, "seconds to wait for its first answer"},
	{"fill", FLAG, AT(fill), 0, 0, "ask every popular name once before"},
	{"warm", REAL, AT(warm), 0, 600, "seconds of load that are not measured"},
	{"seconds", REAL, AT(seconds), 0.01, 86400, "seconds that are"},
	{"server-pid", WHOLE, AT(server_pid), 1, 1 << 30, "tell its run time too"},
	{"count", WHOLE, AT(count), 0, 1 << 30, "how many at most; 0: no limit but time"},
	{"notes", PATH, AT(notes), 0, 0, "a file that gets a line about each question"},
	{"timeout-ms", WHOLE, AT(timeout_ms), 1, 60000, "an answer later than this is lost"},
#undef AT
};
enum { ROWS = sizeof rows / sizeof *rows };

static int usage(const char *why, const char *what)
{
	fprintf(stderr, "load: %s%s\nusage: load --server 127.0.0.1:PORT --questions MIX [...]\n",
		why, what);
	for (unsigned i = 0; i < ROWS; i++)
		fprintf(stderr, "  --%-18s %s%s\n", rows[i].name, rows[i].doc,
			rows[i].kind == MIX ? questions_mixes() : "");
	return 2;
}

static const struct load_option *row_find(const char *text)
{
	for (unsigned i = 0; i < ROWS; i++)
		if (!strncmp(text, "--", 2) && !strcmp(text + 2, rows[i].name))
			return &rows[i];
	return NULL;
}

static bool number_set(const struct load_option *row, void *member, const char *text)
{
	char *end;
	double number = strtod(text, &end);
	if (end == text || *end || !(number >= row->min && number <= row->max))
		return false;
	uint32_t whole = (uint32_t)number;
	if (row->kind == REAL)
		memcpy(member, &number, sizeof number);
	else
		memcpy(member, &whole, sizeof whole);
	return true;
}

static bool value_set(struct load_setup *setup, const struct load_option *row, const char *text)
{
	void *member = (char *)setup + row->offset;
	switch (row->kind) {
	case FLAG: *(bool *)member = true; return true;
	case MIX:
	case PATH: *(const char **)member = text; return true;
	case ADDRESS:
		setup->has_upstream |= member == &setup->upstream_address;
		return loopback_parse(text, member);
	case WHOLE:
	case REAL: return number_set(row, member, text);
	}
	return false;
}

/* Chooses how many slots each lane has: a power of two, for the ids (flight.h). With a rate these
 * are 8192, because no window bounds the questions then. */
static void flight_rooms(struct load_setup *setup)
{
	uint32_t room = 1, want = setup->rate > 0 ? 8192 : setup->window / setup->lanes;
	while (room * 2 <= want)
		room *= 2;
	setup->window = room * setup->lanes;
}

int load_setup_read(struct load_setup *setup, int argc, char **argv)
{
	/* 192 in flight: a socket's default receive buffer (212,992 bytes) holds as many small
	 * packets, so that a server that does not enlarge it loses none. */
	*setup = (struct load_setup){.questions = {.hosts = 1000,
						   .rules = 1000,
						   .popular = 1000,
						   .first = 1,
						   .ptrs = 1000},
				     .lanes = 6,
				     .window = 192,
				     .wait = 2,
				     .seconds = 1.5,
				     .timeout_ms = 1000};
	for (int i = 1; i < argc; i++) {
		const struct load_option *row = row_find(argv[i]);
		if (!row)
			return usage("no such option: ", argv[i]);
		if (row->kind != FLAG && ++i == argc)
			return usage("a value is missing for --", row->name);
		if (!value_set(setup, row, argv[i]))
			return usage("no good value for --", row->name);
	}
	if (!setup->server.sin_port || !setup->questions.mix)
		return usage("both --server and --questions are needed", "");
	if (setup->naps && setup->rate <= 0)
		return usage("--naps needs a --rate", "");
	struct questions *probe = questions_new(&setup->questions);
	if (!probe)
		return usage("no such mix: ", setup->questions.mix);
	questions_free(probe);
	flight_rooms(setup);
	return 0;
}
