/* The loop of the load: serve the upstream, receive, send, give up questions that are too old.
 * Prints the results as one JSON object on standard output. It spins and does not sleep (unless
 * --naps), so an answer is taken when it comes, and the server never waits for the load.
 *
 * In the closed loop a lane sends when half of its share of the window is free. This makes fuller
 * batches than one question for each answer, as with many clients. */
#include "bench/load.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "bench/cpu_time.h"
#include "bench/load_setup.h"

enum { SWEEP_NS = 50000000, NS_PER_S = 1000000000, POLLS_MAX = 2 * LANES_MAX, NAP_MAX_MS = 20 };
enum { FILL_SECONDS = 60, BACKLOG_MAX = 128 };

static uint64_t clock_ns(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

struct flight_slot *load_ask(struct load_run *load, struct load_lane *lane, uint8_t *packet,
			     size_t *length)
{
	static const uint8_t head[] = {0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
	struct flight_slot *slot = load->exhausted ? NULL : flight_take(&lane->flight);
	if (!slot)
		return NULL;
	if (!load->phase.popular_once) {
		questions_next(load->questions, &slot->question);
	} else if (!questions_next_popular(load->questions, &slot->question)) {
		load->exhausted = true;
		flight_put_back(&lane->flight, slot);
		return NULL;
	}
	slot->sent_ns = load->now_ns;
	memcpy(packet, head, sizeof head);
	packet[0] = (uint8_t)(slot->id >> 8);
	packet[1] = (uint8_t)slot->id;
	memcpy(packet + sizeof head, slot->question.wire, slot->question.length);
	*length = sizeof head + slot->question.length;
	return slot;
}

static void note(const struct load_run *load, const struct flight_slot *slot, const char *found)
{
	if (load->notes && load->phase.noted)
		fprintf(load->notes, "%lu %lu %s\n", slot->sent_ns, load->now_ns - slot->sent_ns,
			found);
}

static void on_lost(const struct flight_slot *slot, void *context)
{
	struct load_run *load = context;
	load->counts.lost++;
	note(load, slot, "lost");
}

void load_lose(struct load_run *load, struct load_lane *lane, uint64_t before_ns)
{
	flight_expire(&lane->flight, before_ns, on_lost, load);
}

void load_judge(struct load_run *load, struct load_lane *lane, const uint8_t *packet, size_t length)
{
	struct flight_slot *slot =
		length < DNS_HEADER_BYTES
			? NULL
			: flight_find(&lane->flight, (uint16_t)(packet[0] << 8 | packet[1]));
	if (!slot) {
		load->counts.late++;
		return;
	}
	enum answer_check check = answer_check(packet, length, &slot->question);
	load->counts.checks[check]++;
	load->counts.answered++;
	load->counts.wire_bytes += length;
	latency_add(&load->counts.latency, load->now_ns - slot->sent_ns);
	note(load, slot, answer_check_text(check));
	flight_put_back(&lane->flight, slot);
}

static bool is_done(const struct load_run *load)
{
	uint64_t passed_ns = load->now_ns - load->start_ns;
	return load->exhausted || (double)passed_ns >= load->phase.seconds * NS_PER_S ||
	       (load->phase.count && load->counts.sent >= load->phase.count);
}

static uint32_t at_most(uint64_t a, uint32_t b)
{
	return a < b ? (uint32_t)a : b;
}

/* How many questions of the schedule have had their turn: sent, withheld or skipped. */
static uint64_t gone(const struct load_run *load)
{
	return load->counts.sent + load->counts.withheld + load->counts.slipped;
}

/* How many questions are due at the rate. If the system did not let the load run for a while, the
 * load skips most overdue questions: a burst of them would measure the machine, not the server. */
static uint64_t due(struct load_run *load)
{
	uint64_t by_now =
		(uint64_t)((double)(load->now_ns - load->start_ns) / NS_PER_S * load->setup.rate);
	uint64_t owed = by_now > gone(load) ? by_now - gone(load) : 0;
	if (owed > BACKLOG_MAX) {
		load->counts.slipped += owed - BACKLOG_MAX;
		owed = BACKLOG_MAX;
	}
	return owed;
}

/* Paced: sends the due questions, one by each lane in turn. */
static void send_paced(struct load_run *load)
{
	static uint32_t turn;
	uint32_t count = at_most(due(load), PACKETS_MAX);
	if (load->phase.count)
		count = at_most(load->phase.count - load->counts.sent, count);
	for (uint32_t i = 0; i < count; i++) {
		double at_ns = (double)(gone(load) + 1) * NS_PER_S / load->setup.rate;
		double late_ns = (double)(load->now_ns - load->start_ns) - at_ns;
		latency_add(&load->counts.lateness, late_ns > 0 ? (uint64_t)late_ns : 0);
		struct load_lane *lane = &load->lanes[turn++ % load->setup.lanes];
		if (load->transport->send(load, lane, 1))
			load->counts.sent++;
		else
			load->counts.withheld++;
	}
}

static void send_window(struct load_run *load, struct load_lane *lane)
{
	uint32_t share = lane->flight.room, room = share - lane->flight.used;
	if (room < (share + 1) / 2)
		return;
	if (load->phase.count)
		room = at_most(load->phase.count - load->counts.sent, room);
	load->counts.sent += load->transport->send(load, lane, at_most(room, PACKETS_MAX));
}

/* Sleeps until the next question is due or something comes. */
static void nap(struct load_run *load)
{
	struct pollfd polls[POLLS_MAX];
	unsigned count = 0;
	double next_ns = (double)(gone(load) + 1) * NS_PER_S / load->setup.rate;
	double wait_ns = next_ns - (double)(load->now_ns - load->start_ns);
	struct timespec wait = {.tv_nsec = 0};
	if (wait_ns > 0)
		wait.tv_nsec = wait_ns < NAP_MAX_MS * 1e6 ? (long)wait_ns : NAP_MAX_MS * 1000000;
	for (uint32_t i = 0; i < load->setup.lanes; i++)
		polls[count++] = (struct pollfd){.fd = load->lanes[i].fd, .events = POLLIN};
	if (load->setup.has_upstream)
		count += upstream_polls(&load->upstream, polls + count, POLLS_MAX - count);
	ppoll(polls, count, &wait, NULL);
}

static uint32_t outstanding(const struct load_run *load)
{
	uint32_t sum = 0;
	for (uint32_t i = 0; i < load->setup.lanes; i++)
		sum += load->lanes[i].flight.used;
	return sum;
}

static void sweep(struct load_run *load)
{
	uint64_t timeout_ns = load->phase.timeout_ms * 1000000ull;
	uint64_t before = load->now_ns > timeout_ns ? load->now_ns - timeout_ns : 0;
	for (uint32_t i = 0; i < load->setup.lanes; i++)
		load_lose(load, &load->lanes[i], before);
}

static void turn(struct load_run *load, bool sends)
{
	load->now_ns = clock_ns();
	if (load->setup.has_upstream)
		upstream_serve(&load->upstream);
	for (uint32_t i = 0; i < load->setup.lanes; i++) {
		struct load_lane *lane = &load->lanes[i];
		if (lane->flight.used) {
			if (load->setup.rate > 0) /* latencies need the exact time */
				load->now_ns = clock_ns();
			load->transport->receive(load, lane);
		}
		if (sends && load->setup.rate <= 0)
			send_window(load, lane);
	}
	if (sends && load->setup.rate > 0) {
		load->now_ns = clock_ns();
		send_paced(load);
	}
	if (load->setup.naps)
		nap(load);
}

/* Runs a phase until its time is over and the last answer is in or lost. Returns the time when
 * sending ended. */
static uint64_t run(struct load_run *load, struct load_phase phase)
{
	uint64_t end_ns = 0, swept_ns;
	load->phase = phase;
	load->counts = (struct load_counts){.upstream = load->upstream.answered};
	load->exhausted = false;
	load->start_ns = load->now_ns = swept_ns = clock_ns();
	while (!end_ns || outstanding(load)) {
		turn(load, !end_ns);
		if (!end_ns && is_done(load))
			end_ns = load->now_ns;
		if (load->now_ns - swept_ns > SWEEP_NS) {
			swept_ns = load->now_ns;
			sweep(load);
		}
	}
	return end_ns;
}

static bool open_lanes(struct load_run *load)
{
	for (uint32_t i = 0; i < load->setup.lanes; i++)
		if (!load->transport->open(load, &load->lanes[i]))
			return false;
	return true;
}

/* Asks one question at a time until one is answered. */
static bool wait_ready(struct load_run *load)
{
	const struct load_phase probe = {.seconds = 0.2, .count = 1, .timeout_ms = 100};
	const struct timespec pause = {.tv_nsec = 20000000};
	uint64_t start_ns = clock_ns();
	bool open = false;
	do {
		open = open || open_lanes(load);
		if (open) {
			run(load, probe);
			if (load->counts.answered)
				return true;
		}
		nanosleep(&pause, NULL);
	} while ((double)(clock_ns() - start_ns) < load->setup.wait * NS_PER_S);
	fputs("load: the server does not answer\n", stderr);
	return false;
}

static void report(const struct load_run *load, uint64_t end_ns, uint64_t cpu_ns)
{
	const struct load_counts *counts = &load->counts;
	double seconds = (double)(end_ns - load->start_ns) / NS_PER_S;
	uint64_t wrong = counts->answered - counts->checks[ANSWER_RIGHT];
	printf("{\"seconds\":%.6f,\"sent\":%lu,\"answered\":%lu,\"wrong\":%lu,\"lost\":%lu,"
	       "\"late\":%lu,\"withheld\":%lu,\"slipped\":%lu,\"reconnected\":%lu,\"upstream\":%lu,"
	       "\"wire_bytes\":%lu,\"server_cpu_ns\":%lu,",
	       seconds, counts->sent, counts->answered, wrong, counts->lost, counts->late,
	       counts->withheld, counts->slipped, counts->reconnected,
	       load->upstream.answered - counts->upstream, counts->wire_bytes, cpu_ns);
	printf("\"reasons\":{");
	for (unsigned i = 0, any = 0; i < ANSWER_CHECKS; i++)
		if (i != ANSWER_RIGHT && counts->checks[i])
			printf("%s\"%s\":%lu", any++ ? "," : "", answer_check_text(i),
			       counts->checks[i]);
	printf("},\"latency_us\":{");
	latency_print(&counts->latency, stdout);
	printf("},\"lateness_us\":{");
	latency_print(&counts->lateness, stdout);
	printf("}}\n");
}

static int measure(struct load_run *load)
{
	const struct load_setup *setup = &load->setup;
	struct load_phase phase = {.seconds = setup->warm, .timeout_ms = setup->timeout_ms};
	const struct load_phase fill = {
		.seconds = FILL_SECONDS, .timeout_ms = setup->timeout_ms, .popular_once = true};
	if (setup->naps) /* wakes on time, not when it suits the system */
		prctl(PR_SET_TIMERSLACK, 1UL);
	if (!wait_ready(load))
		return 1;
	if (setup->fill)
		run(load, fill);
	if (setup->warm > 0)
		run(load, phase);
	phase.seconds = setup->seconds;
	phase.count = setup->count;
	phase.popular_once = setup->each_popular_once;
	phase.noted = true;
	uint64_t cpu_ns = cpu_time_ns(setup->server_pid);
	uint64_t end_ns = run(load, phase);
	report(load, end_ns, cpu_time_ns(setup->server_pid) - cpu_ns);
	return 0;
}

int main(int argc, char **argv)
{
	static struct load_run load;
	int status = load_setup_read(&load.setup, argc, argv);
	if (status)
		return status;
	load.questions = questions_new(&load.setup.questions);
	if (!load.questions)
		return 1;
	load.transport = load.setup.tcp ? &transport_tcp : &transport_udp;
	if (load.setup.notes && !(load.notes = fopen(load.setup.notes, "w"))) {
		perror(load.setup.notes);
		return 1;
	}
	packets_init(&load.packets);
	if (load.setup.has_upstream)
		upstream_open(&load.upstream, &load.setup.upstream_address);
	for (uint32_t i = 0; i < load.setup.lanes; i++)
		if (!flight_init(&load.lanes[i].flight, load.setup.window / load.setup.lanes,
				 i * 2 + 1))
			return 1;
	status = measure(&load);
	for (uint32_t i = 0; i < load.setup.lanes; i++) {
		flight_release(&load.lanes[i].flight);
		stream_free(load.lanes[i].stream);
	}
	if (load.setup.has_upstream)
		upstream_close(&load.upstream);
	questions_free(load.questions);
	if (load.notes && fclose(load.notes) != 0) {
		perror(load.setup.notes);
		return 1;
	}
	return status;
}
