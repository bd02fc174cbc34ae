/* Updates from the wire to the state and back: real workers, sockets on loopback and a real state,
 * with a control thread that is the test's, whose reads of the state and whose memory fail as the
 * test says. The linker puts our malloc in the place of the C library's (Makefile). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "resolver/control/service/registrar.h"
#include "resolver/control/store/pairs.h"
#include "resolver/control/store/source.h"
#include "resolver/log.h"
#include "rules/base.h"
#include "tests/lib/config_text.h"
#include "tests/lib/free_port.h"
#include "tests/lib/model_builder.h"
#include "tests/lib/update_text.h"

#define SECRET "c2VjcmV0LW9mLXR3by1zZXJ2ZXJzLTAxMjM0NTY3ODk="

static const char format[] =
	"region = \"r\"; workers = 2; management = { state = \"state.db\"; };\n"
	"default_resolver = { targets = ( { address = \"127.0.0.9\"; } ); };\n"
	"keys = ( { name = \"k.test\"; secret = \"" SECRET "\"; } );\n"
	"virtual_networks = ( { name = \"hub\"; address_space = [ \"10.10.0.0/16\" ]; subnets = (\n"
	"  { name = \"a\"; prefix = \"10.10.0.0/28\"; delegation = "
	"\"Microsoft.Network/dnsResolvers\"; } ); } );\n"
	"resolvers = ( { name = \"r\"; virtual_network = \"hub\"; inbound_endpoints = (\n"
	"  { name = \"one\"; subnet = \"a\"; listen = \"%s:%u\"; } ); } );\n"
	"private_zones = ( { name = \"%s\"; file = \"zone\";\n"
	"  links = ( { name = \"l\"; virtual_network = \"hub\"; } ); }, { name = \"lab.test\"; } "
	");\n"
	"registration = ( { zone = \"corp.test\"; prefixes = [ \"10.10.0.0/16\" ];\n"
	"  keys = ( { key = \"k.test\"; } ); }%s );\n";
static const char of_lab[] = ", { zone = \"lab.test\"; prefixes = [ \"10.10.0.0/16\" ];\n"
			     "  keys = ( { key = \"k.test\"; } ); }";

/* ---- memory ---- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

enum { ENOUGH = -1 };
static _Thread_local int failing = ENOUGH; /* of this thread's, the one that fails, from 1 on */

static bool is_out(void)
{
	if (failing < 1 || --failing > 0)
		return false;
	failing = ENOUGH;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return is_out() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return is_out() ? NULL : __real_calloc(count, size);
}

/* ---- the world ---- */

struct world {
	uv_loop_t loop;
	struct config_text files;
	struct faults faults;
	struct model *model; /* names the state */
	struct store store;
	struct source_calls calls; /* the state's, but for what fails */
	struct server server;
	struct registrar registrar;
	struct work work;
	const char *zone; /* as the configuration spells it */
	bool has_lab;     /* `registration` has lab.test, too */
	char home[16];    /* a loopback address of this process */
	unsigned port;
	struct tsig_key key;
	pthread_mutex_t held; /* locked by the test: the next worker that wakes it stops there */
	atomic_bool holds;
};

static int (*real_pairs)(struct source *source, const char *from, size_t limit,
			 int (*on_pair)(void *context, const struct source_pair *pair),
			 void *context, char error[SOURCE_ERROR_MAX]);
static int (*real_put_pairs)(struct source *source, const struct source_pair *rows, size_t count,
			     bool durable, char error[SOURCE_ERROR_MAX]);
static bool pairs_fail, put_pairs_fail;

static int pairs(struct source *source, const char *from, size_t limit,
		 int (*on_pair)(void *context, const struct source_pair *pair), void *context,
		 char error[SOURCE_ERROR_MAX])
{
	if (!pairs_fail)
		return real_pairs(source, from, limit, on_pair, context, error);
	snprintf(error, SOURCE_ERROR_MAX, "the test says so");
	return ERR_SYSTEM;
}

static int put_pairs(struct source *source, const struct source_pair *rows, size_t count,
		     bool durable, char error[SOURCE_ERROR_MAX])
{
	if (!put_pairs_fail)
		return real_put_pairs(source, rows, count, durable, error);
	snprintf(error, SOURCE_ERROR_MAX, "the test says so");
	return ERR_SYSTEM;
}

static void on_release(void *context) /* on a worker's thread */
{
	struct world *world = context;

	/* With an update: the call may still be that for what this worker adopted before. */
	if (atomic_load(&world->server.updates.open) > 0 && atomic_exchange(&world->holds, false)) {
		pthread_mutex_lock(&world->held);
		pthread_mutex_unlock(&world->held);
	}
}

static struct model *load(struct world *world)
{
	char text[sizeof format + sizeof of_lab + 128];
	struct model *model;

	snprintf(text, sizeof text, format, world->home, world->port, world->zone,
		 world->has_lab ? of_lab : "");
	model = config_text_load(&world->files, text);
	if (!model)
		faults_print(&world->files.faults, stderr);
	assert_non_null(model);
	return model;
}

static void open_store(struct world *world)
{
	struct source *source;

	world->model = load(world);
	store_init(&world->store, SOURCE_WRITE);
	assert_int_equal(store_follow(&world->store, world->model->management.state,
				      &world->model->management.origin, &world->faults),
			 0);
	source = world->store.source;
	assert_non_null(source);
	real_pairs = source->calls->pairs;
	world->calls = *source->calls;
	world->calls.pairs = pairs;
	real_put_pairs = source->calls->put_pairs;
	world->calls.put_pairs = put_pairs;
	source->calls = &world->calls;
}

static void apply(struct world *world)
{
	registrar_recall(&world->registrar);
	if (server_apply(&world->server, load(world), &world->faults) != 0) {
		faults_print(&world->faults, stderr);
		fail();
	}
	registrar_published(&world->registrar);
}

static void start(struct world *world)
{
	assert_int_equal(server_init(&world->server, 2, &test_key, on_release, world), 0);
	memset(&world->registrar, 0, sizeof world->registrar);
	assert_int_equal(uv_loop_init(&world->loop), 0);
	work_init(&world->work, &world->loop, &world->store, NULL, NULL);
	assert_int_equal(registrar_open(&world->registrar, &world->loop, &world->server,
					&world->store, &world->work),
			 0);
}

static void stop(struct world *world)
{
	server_stop(&world->server);
	registrar_close(&world->registrar);
	server_release(&world->server);
	uv_close((uv_handle_t *)&world->registrar.timer, NULL);
	uv_close((uv_handle_t *)&world->registrar.turn, NULL);
	uv_close((uv_handle_t *)&world->work.turns.idle, NULL);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&world->loop), 0);
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	const struct tsig_settings settings = {.name = "k.test", .secret = SECRET};
	unsigned pid = (unsigned)getpid();

	umask(S_IRWXG | S_IRWXO); /* there is a secret in the file */
	snprintf(world->home, sizeof world->home, "127.%u.%u.%u", 64 + (pid >> 16 & 63),
		 pid >> 8 & 255, pid & 255);
	world->zone = "corp.test";
	pthread_mutex_init(&world->held, NULL);
	config_text_init(&world->files);
	config_text_put(&world->files, "zone", "web 300 IN A 10.10.1.10\n");
	faults_init(&world->faults);
	world->port = free_port(world->home, SOCK_STREAM);
	assert_true(tsig_key_init(&world->key, &settings));
	log_configure(LOG_ERROR, LOG_TEXT);
	pairs_fail = put_pairs_fail = false;
	open_store(world);
	start(world);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	pthread_mutex_trylock(&world->held); /* a test that failed may have it locked */
	pthread_mutex_unlock(&world->held);
	stop(world);
	store_close(&world->store);
	model_free(world->model);
	pthread_mutex_destroy(&world->held);
	faults_release(&world->faults);
	config_text_release(&world->files);
	free(world);
	return 0;
}

static void restart(struct world *world)
{
	stop(world);
	start(world);
	apply(world);
}

/* ---- clients ---- */

enum { UNSIGNED = -1 };

static int client_send_at(struct world *world, const char *records, int64_t signed_s)
{
	static uint8_t packet[2 + MESSAGE_MAX];
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_addr.s_addr = inet_addr(world->home),
				 .sin_port = htons((uint16_t)world->port)};
	size_t length = update_write(packet + 2, "corp.test.", records);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct tsig_context tsig;

	assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof in), 0);
	if (signed_s != UNSIGNED) {
		tsig_begin(&tsig, &world->key, wire_u16(packet + 2));
		length =
			tsig_sign(&tsig, packet + 2, length, sizeof packet - 2, (uint64_t)signed_s);
	}
	wire_put16(packet, (uint16_t)length);
	assert_int_equal(send(fd, packet, length + 2, MSG_NOSIGNAL), length + 2);
	return fd;
}

static int client_send(struct world *world, const char *records)
{
	return client_send_at(world, records, time(NULL));
}

/* Takes what has arrived, and does all of it, in as many turns as that takes. */
static void collect(struct world *world)
{
	server_collect(&world->server);
	while (uv_is_active((uv_handle_t *)&world->registrar.turn))
		uv_run(&world->loop, UV_RUN_NOWAIT);
}

/* Until the condition holds, the control thread's loop goes round. */
#define turn_until(world, condition)                                                               \
	do {                                                                                       \
		bool met_ = false;                                                                 \
		for (int i_ = 0; i_ < 60000 && !met_; i_++) {                                      \
			collect(world);                                                            \
			registrar_send_answers(&(world)->registrar);                               \
			met_ = (condition);                                                        \
			if (!met_)                                                                 \
				usleep(1000);                                                      \
		}                                                                                  \
		assert_true(met_);                                                                 \
	} while (0)

static bool has_come(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	return poll(&ready, 1, 0) == 1;
}

enum { SILENCE = -1 };

/* The rcode of the answer, or SILENCE; the connection is closed. */
static int client_end(struct world *world, int fd)
{
	uint8_t answer[2 + MESSAGE_HEADER];
	ssize_t length;

	turn_until(world, has_come(fd));
	length = recv(fd, answer, sizeof answer, MSG_WAITALL);
	close(fd);
	return length == sizeof answer ? answer[5] & 15 : SILENCE;
}

static int update(struct world *world, const char *records)
{
	return client_end(world, client_send(world, records));
}

/* Whether the name is registered, and so served. */
static bool has(struct world *world, const char *name)
{
	const struct registered *registered = world->server.current->policy->registered;
	const struct name owner = test_name(name);

	return zone_find_exact(registered_find(registered, "corp.test")->layers.served, &owner,
			       TYPE_A);
}

struct looking {
	const char *owner;
	bool found;
};

static int on_row(void *context, const struct registrar_row *row)
{
	struct looking *looking = context;

	looking->found |= strcmp(row->owner, looking->owner) == 0;
	return 0;
}

static bool is_stored(struct world *world, const char *name)
{
	struct looking looking = {.owner = name};
	char error[SOURCE_ERROR_MAX];

	assert_int_equal(registrar_each(world->store.source, "", on_row, &looking, error), 0);
	return looking.found;
}

/* ---- the state ---- */

static void what_is_registered_is_there_after_a_restart(void **state)
{
	struct world *world = *state;

	apply(world);
	assert_int_equal(update(world, "! pc IN A 10.10.0.5"), RCODE_NOERROR);
	assert_true(has(world, "pc.corp.test."));
	assert_true(is_stored(world, "pc.corp.test."));
	restart(world);
	assert_true(has(world, "pc.corp.test."));
}

static void rows_are_read_with_and_without_the_time_signed(void **state)
{
	struct world *world = *state;
	struct source_pair rows[] = {
		{"registered corp.test a.corp.test. A", "1790000000 key.k.test. 10 0a0a0005"},
		{"registered corp.test b.corp.test. A",
		 "1790000000 key.k.test./1790000001 10 0a0a0005"},
		{"registered corp.test c.corp.test. A", "1790000000 address.10.10.0.5 10 0a0a0005"},
		{"registered corp.test d.corp.test. A", "1790000000 key.k.test./ 10 0a0a0005"},
		{"registered corp.test e.corp.test. A", "x key.k.test. 10 0a0a0005"},
	};
	struct source *source = world->store.source;
	char error[SOURCE_ERROR_MAX];

	assert_int_equal(
		source->calls->put_pairs(source, rows, sizeof rows / sizeof rows[0], true, error),
		0);
	apply(world);
	assert_true(has(world, "a.corp.test."));
	assert_true(has(world, "b.corp.test."));
	assert_true(has(world, "c.corp.test."));
	assert_false(has(world, "d.corp.test."));
	assert_false(has(world, "e.corp.test."));
}

static void while_the_state_cannot_be_read_nothing_is_taken_and_then_all_is_there(void **state)
{
	struct world *world = *state;

	apply(world);
	assert_int_equal(update(world, "! pc IN A 10.10.0.5"), RCODE_NOERROR);
	pairs_fail = true;
	restart(world);
	assert_false(has(world, "pc.corp.test."));
	assert_int_equal(update(world, "! other IN A 10.10.0.6"), SILENCE);
	apply(world); /* which tries again, and fails again */
	assert_int_equal(update(world, "! other IN A 10.10.0.6"), SILENCE);
	pairs_fail = false;
	assert_false(is_stored(world, "other.corp.test."));
	apply(world);
	assert_true(has(world, "pc.corp.test."));
	assert_int_equal(update(world, "! other IN A 10.10.0.6"), RCODE_NOERROR);
	assert_true(has(world, "other.corp.test."));
}

static void a_zone_that_is_spelled_in_another_case_has_the_same_rows(void **state)
{
	struct world *world = *state;

	world->zone = "Corp.Test";
	apply(world);
	assert_int_equal(update(world, "! pc IN A 10.10.0.5"), RCODE_NOERROR);
	world->zone = "corp.test";
	restart(world);
	assert_true(has(world, "pc.corp.test."));
	assert_int_equal(update(world, "! pc ANY ANY"), RCODE_NOERROR);
	assert_false(is_stored(world, "pc.corp.test."));
	restart(world);
	assert_false(has(world, "pc.corp.test."));
}

static void what_was_read_and_never_served_is_freed(void **state)
{
	struct world *world = *state;

	apply(world);
	assert_int_equal(update(world, "! pc IN A 10.10.0.5"), RCODE_NOERROR);
	stop(world);
	start(world);
	registrar_recall(&world->registrar);
	assert_non_null(world->server.registered);
}

static void rows_that_sluice_did_not_write_are_passed_over(void **state)
{
	static const struct source_pair rows[] = {
		{"registered corp.test a.corp.test. A", "x key.k.test. 10 0a0a0005"},
		{"registered corp.test b.corp.test. A", "1700000000"},
		{"registered corp.test c.corp.test. A", "1700000000 key.k.test."},
		{"registered corp.test d.corp.test. A", "1700000000 key.k.test. x 0a0a0005"},
		{"registered corp.test e.corp.test. A", "1700000000 key.k.test. 10"},
		{"registered corp.test f.corp.test. A", "1700000000 key.k.test. 10 0a0a0"},
		{"registered corp.test g.corp.test. A", "1700000000  10 0a0a0005"},
		{"registered corp.test h.corp.test. NONE", "1700000000 key.k.test. 10 0a0a0005"},
		{"registered corp.test", "1700000000 key.k.test. 10 0a0a0005"},
		{"registered corp.test pc.corp.test. A", "1700000000 key.k.test. 10 0a0a0005"}};
	struct world *world = *state;
	char error[SOURCE_ERROR_MAX];

	assert_int_equal(real_put_pairs(world->store.source, rows, COUNT(rows), true, error), 0);
	apply(world);
	for (char name[] = "a.corp.test."; *name <= 'h'; ++*name) {
		assert_false(has(world, name));
		assert_false(is_stored(world, name));
	}
	assert_true(has(world, "pc.corp.test."));
}

/* ---- what an operator removes ---- */

static struct registrar_removal find(struct world *world, struct arena *arena,
				     const struct name *name)
{
	struct registrar_removal removal = {.name = name, .arena = arena};
	char error[SOURCE_ERROR_MAX];

	assert_int_equal(registrar_find_sets(&world->registrar, &removal, error), 0);
	return removal;
}

static void a_removal_that_cannot_be_stored_changes_nothing(void **state)
{
	struct world *world = *state;
	struct registrar_removal removal;
	struct arena arena;
	struct name name;

	apply(world);
	assert_int_equal(update(world, "! pc IN A 10.10.0.5"), RCODE_NOERROR);
	assert_int_equal(name_from_text(&name, &test_key, "pc.corp.test"), 0);
	arena_init(&arena);
	removal = find(world, &arena, &name);
	assert_int_equal(removal.count, 1);
	put_pairs_fail = true;
	assert_false(registrar_remove_sets(&world->registrar, &removal));
	assert_true(has(world, "pc.corp.test."));
	put_pairs_fail = false;
	registrar_rest(&world->registrar);
	assert_false(registrar_remove_sets(&world->registrar, &removal));
	world->registrar.rests = false;
	assert_true(is_stored(world, "pc.corp.test."));
	assert_true(registrar_remove_sets(&world->registrar, &removal));
	assert_false(has(world, "pc.corp.test."));
	assert_false(is_stored(world, "pc.corp.test."));
	assert_int_equal(find(world, &arena, &name).count, 0);
	arena_release(&arena);
}

/* A row of a zone that nothing serves, which another zone of that name has left. */
static void a_row_alone_is_removed(void **state)
{
	static const struct source_pair row = {"registered other.test pc.corp.test. A",
					       "1700000000 key.k.test. 10 0a0a0005"};
	struct registrar_removal removal;
	struct world *world = *state;
	char error[SOURCE_ERROR_MAX];
	struct arena arena;
	struct name name;

	apply(world);
	assert_int_equal(update(world, "! other IN A 10.10.0.6"), RCODE_NOERROR);
	assert_int_equal(real_put_pairs(world->store.source, &row, 1, true, error), 0);
	assert_int_equal(name_from_text(&name, &test_key, "pc.corp.test"), 0);
	arena_init(&arena);
	removal = find(world, &arena, &name);
	assert_int_equal(removal.count, 1);
	assert_string_equal(removal.sets[0].zone, "other.test");
	assert_true(registrar_remove_sets(&world->registrar, &removal));
	assert_false(is_stored(world, "pc.corp.test."));
	assert_true(has(world, "other.corp.test."));
	arena_release(&arena);
}

/* ---- the clocks of renewals ---- */

static int on_clock(void *context, const struct source_pair *pair)
{
	char *state = context;

	snprintf(state, RENEWAL_VALUE_MAX, "%s", strchr(pair->value, ' ') + 1);
	return 1;
}

/* "open", "closed", or "" where the state has none. */
static const char *clock_of(struct world *world, const char *zone)
{
	static char state[RENEWAL_VALUE_MAX];
	char error[SOURCE_ERROR_MAX];

	state[0] = '\0';
	assert_in_range(
		pairs_each(world->store.source, RENEWAL_CLOCK_ROW, zone, on_clock, state, error), 0,
		1);
	return state;
}

static void a_renewal_has_no_answer_while_the_state_says_that_none_is_missing(void **state)
{
	struct world *world = *state;

	apply(world);
	assert_int_equal(update(world, "! pc IN A 10.10.0.5"), RCODE_NOERROR);
	registrar_rest(&world->registrar);
	assert_string_equal(clock_of(world, "corp.test"), "closed");
	put_pairs_fail = true;
	restart(world);
	assert_true(has(world, "pc.corp.test."));
	assert_int_equal(update(world, "! pc IN A 10.10.0.5"), SILENCE);
	put_pairs_fail = false;
	assert_string_equal(clock_of(world, "corp.test"), "closed");
	assert_int_equal(update(world, "! pc IN A 10.10.0.5"), RCODE_NOERROR);
	assert_string_equal(clock_of(world, "corp.test"), "open");
}

static void the_clock_of_a_zone_opens_when_its_clients_may_register_again(void **state)
{
	struct world *world = *state;

	world->has_lab = true;
	apply(world);
	registrar_rest(&world->registrar);
	assert_string_equal(clock_of(world, "lab.test"), "closed");
	world->has_lab = false;
	restart(world);
	assert_string_equal(clock_of(world, "corp.test"), "open");
	assert_string_equal(clock_of(world, "lab.test"), "closed");
	world->has_lab = true;
	apply(world);
	assert_string_equal(clock_of(world, "lab.test"), "open");
}

/* ---- arrival ---- */

static unsigned count_arrived(struct world *world)
{
	unsigned count = 0;

	for (const struct stack_item *item = atomic_load(&world->server.updates.arrived.newest);
	     item; item = item->next)
		count++;
	return count;
}

static void wait_for_arrived(struct world *world, unsigned count)
{
	for (unsigned i = 0; i < 60000 && count_arrived(world) < count; i++)
		usleep(1000);
	assert_int_equal(count_arrived(world), count);
}

/* Of the two the one that was signed first comes last, and both are judged together. */
static void a_message_is_no_older_than_one_that_was_judged_with_it(void **state)
{
	struct world *world = *state;
	int64_t now_s = time(NULL);
	int fds[2];

	apply(world);
	fds[0] = client_send_at(world, "! pc IN A 10.10.0.5", now_s);
	wait_for_arrived(world, 1);
	fds[1] = client_send_at(world, "! pc IN A 10.10.0.6", now_s - 1);
	wait_for_arrived(world, 2);
	assert_int_equal(client_end(world, fds[0]), RCODE_NOERROR);
	assert_int_equal(client_end(world, fds[1]), RCODE_NOTAUTH);
}

static void what_could_not_be_stored_makes_nothing_older(void **state)
{
	struct world *world = *state;
	int64_t now_s = time(NULL);

	apply(world);
	assert_int_equal(client_end(world, client_send_at(world, "! pc IN A 10.10.0.5", now_s - 3)),
			 RCODE_NOERROR);
	put_pairs_fail = true;
	assert_int_equal(client_end(world, client_send_at(world, "! pc IN A 10.10.0.6", now_s)),
			 SILENCE);
	assert_int_equal(client_end(world, client_send_at(world, "! pc ANY ANY", now_s)), SILENCE);
	put_pairs_fail = false;
	assert_int_equal(client_end(world, client_send_at(world, "! pc IN A 10.10.0.7", now_s - 4)),
			 RCODE_NOTAUTH);
	assert_int_equal(client_end(world, client_send_at(world, "! pc IN A 10.10.0.7", now_s - 2)),
			 RCODE_NOERROR);
}

/* ---- memory ---- */

/* Two come together, of which one may have been judged already. */
static void without_memory_a_message_is_left_without_an_answer_and_changes_nothing(void **state)
{
	struct world *world = *state;
	unsigned answered = 0, silent = 0, apart = 0;
	bool over = false;

	apply(world);
	for (int nth = 1; !over; nth++) {
		char records[64], names[2][64];
		int fds[2], rcodes[2];

		for (int i = 0; i < 2; i++) {
			snprintf(records, sizeof records, "! pc-%d-%d IN A 10.10.0.5", nth, i);
			snprintf(names[i], sizeof names[i], "pc-%d-%d.corp.test.", nth, i);
			fds[i] = client_send(world, records);
		}
		wait_for_arrived(world, 2);
		failing = nth;
		collect(world);
		over = failing > 0;
		failing = ENOUGH;
		for (int i = 0; i < 2; i++)
			rcodes[i] = client_end(world, fds[i]);
		apart += rcodes[0] != rcodes[1];
		for (int i = 0; i < 2; i++) {
			assert_true(rcodes[i] == RCODE_NOERROR || rcodes[i] == SILENCE);
			assert_int_equal(has(world, names[i]), rcodes[i] == RCODE_NOERROR);
			answered += rcodes[i] == RCODE_NOERROR;
			silent += rcodes[i] == SILENCE;
			/* Where only the memory to serve it failed, both are stored, and silent. */
			if (rcodes[0] != rcodes[1] || rcodes[i] == RCODE_NOERROR)
				assert_int_equal(is_stored(world, names[i]),
						 rcodes[i] == RCODE_NOERROR);
		}
	}
	assert_true(answered > 2 && silent > 2 && apart > 2);
	assert_int_equal(world->server.updates.taken, 0);
}

static unsigned count_waiting(const struct world *world)
{
	unsigned count = 0;

	for (const struct update_request *at = world->registrar.waiting; at; at = at->next)
		count++;
	return count;
}

/* A server that is asked for much serves its other clients meanwhile. */
static void what_does_not_fit_into_a_turn_of_the_loop_waits_for_the_next(void **state)
{
	enum { REQUESTS = 3 };
	struct world *world = *state;
	int fds[REQUESTS];

	apply(world);
	world->registrar.turn_ns = 0; /* one at a time */
	for (int i = 0; i < REQUESTS; i++) {
		char records[64];

		snprintf(records, sizeof records, "! pc-%d IN A 10.10.0.5", i);
		fds[i] = client_send(world, records);
	}
	wait_for_arrived(world, REQUESTS);
	server_collect(&world->server);
	for (unsigned left = REQUESTS - 1; left > 0; left--) {
		assert_int_equal(count_waiting(world), left);
		while (count_waiting(world) == left)
			uv_run(&world->loop, UV_RUN_NOWAIT);
	}
	assert_null(world->registrar.waiting);
	for (int i = 0; i < REQUESTS; i++)
		assert_int_equal(client_end(world, fds[i]), RCODE_NOERROR);
}

/* Anybody may send unsigned requests, and judging each may take long. They must not keep signed
 * requests waiting. */
static void signed_requests_go_before_unsigned_ones(void **state)
{
	struct world *world = *state;
	int plain, with_key;

	apply(world);
	world->registrar.turn_ns = 0; /* one at a time */
	plain = client_send_at(world, "! pc-0 IN A 10.10.0.5", UNSIGNED);
	wait_for_arrived(world, 1);
	with_key = client_send(world, "! pc-1 IN A 10.10.0.5");
	wait_for_arrived(world, 2);
	server_collect(&world->server);
	assert_int_equal(count_waiting(world), 1);
	assert_int_equal(world->registrar.waiting->key_length, 0);
	assert_int_equal(client_end(world, with_key), RCODE_NOERROR);
	assert_int_equal(client_end(world, plain), RCODE_REFUSED);
}

/* ---- answers ---- */

static unsigned count_adopted(const struct world *world, uint64_t sequence)
{
	unsigned count = 0;

	for (unsigned i = 0; i < 2; i++)
		count += worker_adopted(world->server.workers[i]) >= sequence;
	return count;
}

static void answers_wait_until_every_worker_serves_what_they_are_about(void **state)
{
	struct world *world = *state;
	uint64_t before;
	int fd;

	apply(world);
	turn_until(world, server_all_adopted(&world->server) && !world->server.current->older);
	before = world->server.sequence;
	pthread_mutex_lock(&world->held);
	atomic_store(&world->holds, true); /* the worker that hands the update out stops there */
	fd = client_send(world, "! pc IN A 10.10.0.5");
	turn_until(world, world->server.sequence > before &&
				  count_adopted(world, world->server.sequence) == 1);
	assert_true(has(world, "pc.corp.test."));
	assert_false(STAILQ_EMPTY(&world->registrar.answers));
	assert_false(has_come(fd));
	pthread_mutex_unlock(&world->held);
	assert_int_equal(client_end(world, fd), RCODE_NOERROR);
	assert_true(STAILQ_EMPTY(&world->registrar.answers));
	assert_int_equal(count_adopted(world, world->server.sequence), 2);
}

static void answers_that_still_wait_at_the_end_are_freed(void **state)
{
	struct world *world = *state;
	int fd;

	apply(world);
	turn_until(world, server_all_adopted(&world->server) && !world->server.current->older);
	pthread_mutex_lock(&world->held);
	atomic_store(&world->holds, true);
	fd = client_send(world, "! pc IN A 10.10.0.5");
	turn_until(world, !STAILQ_EMPTY(&world->registrar.answers));
	pthread_mutex_unlock(&world->held);
	restart(world); /* the workers have ended when the registrar does */
	assert_true(has(world, "pc.corp.test."));
	close(fd);
}

/* ---- the log ---- */

static unsigned lines;

static void on_line(enum log_level level, const char *event, const char *text, const char *shown)
{
	(void)level, (void)shown;
	lines += strcmp(event, "registration") == 0 && strstr(text, "an update of address 127.") &&
		 strstr(text, " was refused: ");
}

static void refusals_are_logged_at_a_pace(void **state)
{
	enum { COUNT_SENT = 100 };
	struct world *world = *state;
	struct timespec begun, ended;

	apply(world);
	lines = 0;
	log_listen(on_line);
	clock_gettime(CLOCK_MONOTONIC, &begun);
	/* A refusal of the test before may have taken this second's line. */
	for (unsigned i = 0; i < COUNT_SENT || lines == 0; i++)
		assert_int_equal(
			client_end(world, client_send_at(world, "! pc IN A 10.10.0.5", UNSIGNED)),
			RCODE_REFUSED);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	log_listen(NULL);
	assert_in_range(lines, 1, 2 + ended.tv_sec - begun.tv_sec); /* one a second */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_registered_is_there_after_a_restart),
		TEST(rows_are_read_with_and_without_the_time_signed),
		TEST(while_the_state_cannot_be_read_nothing_is_taken_and_then_all_is_there),
		TEST(a_zone_that_is_spelled_in_another_case_has_the_same_rows),
		TEST(what_was_read_and_never_served_is_freed),
		TEST(rows_that_sluice_did_not_write_are_passed_over),
		TEST(a_removal_that_cannot_be_stored_changes_nothing),
		TEST(a_row_alone_is_removed),
		TEST(a_renewal_has_no_answer_while_the_state_says_that_none_is_missing),
		TEST(the_clock_of_a_zone_opens_when_its_clients_may_register_again),
		TEST(a_message_is_no_older_than_one_that_was_judged_with_it),
		TEST(what_could_not_be_stored_makes_nothing_older),
		TEST(without_memory_a_message_is_left_without_an_answer_and_changes_nothing),
		TEST(what_does_not_fit_into_a_turn_of_the_loop_waits_for_the_next),
		TEST(signed_requests_go_before_unsigned_ones),
		TEST(answers_wait_until_every_worker_serves_what_they_are_about),
		TEST(answers_that_still_wait_at_the_end_are_freed),
		TEST(refusals_are_logged_at_a_pace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
