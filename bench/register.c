/* A load of DNS UPDATE: one thread sends signed messages (registration.h), counts their answers by
 * rcode, and prints one JSON object on standard output. It sleeps while there is nothing to do,
 * because the server has several threads and needs all cores.
 *
 *     closed loop   keeps a number of messages without an answer; each answer sends the next
 *     --rate        sends messages at a fixed rate
 *
 * A message without an answer is sent again after a second, the same bytes from the same socket, as
 * clients do; its time runs from the first sending. `per_s` counts signed answers with NOERROR
 * within --seconds. The exit status is 1 unless every message got a signed NOERROR in the end. */
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>

#include "bench/answer.h"
#include "bench/cpu_time.h"
#include "bench/latency.h"
#include "bench/registration.h"
#include "bench/sockets.h"

enum {
	LANES = 16,
	SLOTS = 1 << 16,
	RCODES = 16,
	UPDATE_REPLY = 0x80 | 5 << 3,
	NOTICE_BYTES = 1500
};
enum { NS_PER_S = 1000000000, AGAIN_NS = NS_PER_S, NAP_NS = 100 * 1000 * 1000 };

struct slot { /* a message without an answer, by its id */
	TAILQ_ENTRY(slot) next;
	bool used, counts; /* counts: it was first sent within --seconds */
	uint16_t length;
	uint64_t first_ns, sent_ns;
	uint8_t packet[REGISTRATION_BYTES];
};

struct setup {
	struct sockaddr_in server;
	const char *zone, *key, *secret;
	double warm, seconds, rate, patience;
	double outstanding, count, first, machines, server_pid;
};

struct counts {
	uint64_t sent, answered, counted, again, lost, late, unsigned_replies, rcodes[RCODES];
	uint64_t first_ns, last_ns; /* the first sending, the last answer */
	struct latency latency;
};

static struct run {
	struct setup setup;
	struct registration_key key;
	struct counts counts;
	int lanes[LANES];
	uint32_t outstanding;
	uint64_t start_ns, now_ns, begin_ns, end_ns; /* begin to end: --seconds */
	uint64_t cpu_ns;                             /* of the server, at the start */
	TAILQ_HEAD(, slot) waiting;                  /* the one sent longest ago first */
	struct slot slots[SLOTS];
} run;

/* ---- options ---- */

enum register_option_kind { TEXT, NUMBER, SERVER };

static const struct register_option {
	const char *name;
	enum register_option_kind kind;
	void *place;
	const char *doc;
} rows[] = {
	{"server", SERVER, &run.setup.server, "whom to send to: 127.0.0.1:PORT"},
	{"zone", TEXT, &run.setup.zone, "that the machines register in"},
	{"key", TEXT, &run.setup.key, "name of the key, HMAC-SHA256"},
	{"secret", TEXT, &run.setup.secret, "its secret, as it is, not in base64"},
	{"outstanding", NUMBER, &run.setup.outstanding, "messages without an answer at a time"},
	{"rate", NUMBER, &run.setup.rate, "messages a second, instead"},
	{"warm", NUMBER, &run.setup.warm, "seconds that are not measured"},
	{"seconds", NUMBER, &run.setup.seconds, "seconds that are"},
	{"count", NUMBER, &run.setup.count, "messages at most; 0: no limit but time"},
	{"first", NUMBER, &run.setup.first, "number of the first machine"},
	{"machines", NUMBER, &run.setup.machines,
	 "how many there are: then they are removed, and added again; 0: each is new"},
	{"patience", NUMBER, &run.setup.patience, "seconds after which a message is lost"},
	{"server-pid", NUMBER, &run.setup.server_pid, "tell its run time for a message too"},
};
enum { ROWS = sizeof rows / sizeof *rows };

static int usage(void)
{
	fputs("usage: register --server 127.0.0.1:PORT --zone NAME --key NAME --secret TEXT ...\n",
	      stderr);
	for (unsigned i = 0; i < ROWS; i++)
		fprintf(stderr, "  --%-14s %s\n", rows[i].name, rows[i].doc);
	return 2;
}

static bool option_set(const char *name, const char *text)
{
	for (unsigned i = 0; i < ROWS; i++) {
		char *end = NULL;
		if (strncmp(name, "--", 2) != 0 || strcmp(name + 2, rows[i].name) != 0)
			continue;
		switch (rows[i].kind) {
		case SERVER: return loopback_parse(text, rows[i].place);
		case TEXT: *(const char **)rows[i].place = text; return true;
		case NUMBER:
			*(double *)rows[i].place = strtod(text, &end);
			return end != text && !*end && *(double *)rows[i].place >= 0;
		}
	}
	return false;
}

static bool setup_read(int argc, char **argv)
{
	run.setup = (struct setup){.seconds = 1.5, .outstanding = 1, .patience = 30};
	for (int i = 1; i < argc; i += 2)
		if (i + 1 == argc || !option_set(argv[i], argv[i + 1]))
			return false;
	return run.setup.server.sin_port && run.setup.zone && run.setup.key && run.setup.secret &&
	       run.setup.outstanding >= 1 && run.setup.outstanding < SLOTS;
}

/* ---- messages ---- */

static uint64_t clock_ns(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

static uint16_t id_of(const struct slot *slot)
{
	return (uint16_t)(slot - run.slots);
}

/* A packet that the kernel refuses is treated like a lost one: send_again repeats it. */
static void put_on_the_way(struct slot *slot)
{
	slot->sent_ns = clock_ns();
	send(run.lanes[id_of(slot) % LANES], slot->packet, slot->length, 0);
	TAILQ_INSERT_TAIL(&run.waiting, slot, next);
}

/* False: ids have wrapped around, and the last message with this id still waits. */
static bool send_next(void)
{
	uint64_t number = run.counts.sent, machines = (uint64_t)run.setup.machines;
	struct slot *slot = &run.slots[number % SLOTS];
	bool remove = machines && number / machines % 2;
	if (slot->used)
		return false;
	slot->length = (uint16_t)registration_make(
		slot->packet, &run.key, id_of(slot),
		(uint32_t)((uint64_t)run.setup.first + (machines ? number % machines : number)),
		remove, (uint64_t)time(NULL));
	slot->used = slot->length > 0;
	put_on_the_way(slot);
	slot->first_ns = slot->sent_ns;
	slot->counts = slot->first_ns >= run.begin_ns && slot->first_ns < run.end_ns;
	if (run.counts.sent++ == 0)
		run.counts.first_ns = run.counts.last_ns = slot->first_ns;
	run.outstanding++;
	return true;
}

static void forget(struct slot *slot)
{
	TAILQ_REMOVE(&run.waiting, slot, next);
	slot->used = false;
	run.outstanding--;
}

static void judge(unsigned lane, const uint8_t *reply, size_t length)
{
	struct counts *counts = &run.counts;
	struct slot *slot = length < DNS_HEADER_BYTES ? NULL : &run.slots[reply[0] << 8 | reply[1]];
	if (!slot || !slot->used || id_of(slot) % LANES != lane ||
	    (reply[2] & 0xf8) != UPDATE_REPLY) {
		counts->late++;
		return;
	}
	unsigned rcode = reply[3] & 15;
	bool is_signed = reply[11] == 1;
	run.now_ns = counts->last_ns = clock_ns();
	counts->answered++;
	counts->rcodes[rcode]++;
	counts->unsigned_replies += !is_signed;
	if (rcode == 0 && is_signed) {
		counts->counted += run.now_ns >= run.begin_ns && run.now_ns < run.end_ns;
		if (slot->counts)
			latency_add(&counts->latency, run.now_ns - slot->first_ns);
	}
	forget(slot);
}

static void receive(unsigned lane)
{
	uint8_t reply[NOTICE_BYTES];
	ssize_t length;
	while ((length = recv(run.lanes[lane], reply, sizeof reply, 0)) >= 0)
		judge(lane, reply, (size_t)length);
}

static void send_again(void)
{
	struct slot *slot;
	while ((slot = TAILQ_FIRST(&run.waiting)) && run.now_ns > slot->sent_ns + AGAIN_NS) {
		if ((double)(run.now_ns - slot->first_ns) > run.setup.patience * NS_PER_S) {
			run.counts.lost++;
			forget(slot);
			continue;
		}
		run.counts.again++;
		TAILQ_REMOVE(&run.waiting, slot, next);
		put_on_the_way(slot);
	}
}

/* ---- the loop ---- */

static bool is_over(void)
{
	return run.now_ns >= run.end_ns ||
	       (run.setup.count > 0 && (double)run.counts.sent >= run.setup.count);
}

static double next_ns(void)
{
	return (double)(run.counts.sent + 1) * NS_PER_S / run.setup.rate;
}

static bool is_due(void)
{
	if (is_over())
		return false;
	return run.setup.rate > 0 ? next_ns() <= (double)(clock_ns() - run.start_ns)
				  : run.outstanding < run.setup.outstanding;
}

/* Sleeps until a message comes or must be sent. */
static void nap(void)
{
	struct pollfd polls[LANES];
	struct timespec wait = {.tv_nsec = NAP_NS};
	double until_ns = run.setup.rate > 0 && !is_over() ? next_ns() : 1e18;
	double left_ns = until_ns - (double)(clock_ns() - run.start_ns);
	if (left_ns < NAP_NS)
		wait.tv_nsec = left_ns > 0 ? (long)left_ns : 0;
	for (unsigned i = 0; i < LANES; i++)
		polls[i] = (struct pollfd){.fd = run.lanes[i], .events = POLLIN};
	if (ppoll(polls, LANES, &wait, NULL) <= 0)
		return;
	for (unsigned i = 0; i < LANES; i++)
		if (polls[i].revents)
			receive(i);
}

static bool go(void)
{
	run.cpu_ns = cpu_time_ns((uint32_t)run.setup.server_pid);
	run.start_ns = run.now_ns = clock_ns();
	run.begin_ns = run.start_ns + (uint64_t)(run.setup.warm * NS_PER_S);
	run.end_ns = run.begin_ns + (uint64_t)(run.setup.seconds * NS_PER_S);
	while (run.outstanding || !is_over()) {
		while (is_due())
			if (!send_next())
				return false;
		nap();
		run.now_ns = clock_ns();
		send_again();
	}
	return true;
}

static bool report(void)
{
	static const char *const names[RCODES] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
						  "NOTIMP",  "REFUSED", "YXDOMAIN", "YXRRSET",
						  "NXRRSET", "NOTAUTH", "NOTZONE"};
	const struct counts *counts = &run.counts;
	uint64_t cpu_ns = cpu_time_ns((uint32_t)run.setup.server_pid) - run.cpu_ns;
	printf("{\"sent\":%lu,\"answered\":%lu,\"again\":%lu,\"lost\":%lu,\"late\":%lu,"
	       "\"unsigned\":%lu,\"per_s\":%.1f,\"took_s\":%.6f,\"server_cpu_us\":%.1f,\"rcodes\":"
	       "{",
	       counts->sent, counts->answered, counts->again, counts->lost, counts->late,
	       counts->unsigned_replies, (double)counts->counted / run.setup.seconds,
	       (double)(counts->last_ns - counts->first_ns) / NS_PER_S,
	       (double)cpu_ns / 1e3 / (double)counts->sent);
	for (unsigned i = 0, any = 0; i < RCODES; i++)
		if (counts->rcodes[i])
			printf("%s\"%s\":%lu", any++ ? "," : "", names[i] ? names[i] : "another",
			       counts->rcodes[i]);
	printf("},\"latency_us\":{");
	latency_print(&counts->latency, stdout);
	printf("}}\n");
	return counts->rcodes[0] == counts->sent && counts->unsigned_replies == 0;
}

int main(int argc, char **argv)
{
	if (!setup_read(argc, argv))
		return usage();
	if (!registration_key_init(&run.key, run.setup.zone, run.setup.key, run.setup.secret))
		return usage();
	prctl(PR_SET_TIMERSLACK, 1UL); /* wakes on time, not when it suits the system */
	TAILQ_INIT(&run.waiting);
	for (unsigned i = 0; i < LANES; i++)
		run.lanes[i] = udp_connect(&run.setup.server);
	if (!go()) {
		fputs("register: an answer is missing since 65536 messages\n", stderr);
		return 2;
	}
	if (report())
		return 0;
	fputs("register: not every message got a signed answer with NOERROR\n", stderr);
	return 1;
}
