/* The server as the control thread drives it, with real workers and sockets on loopback: what a
 * change keeps, opens and closes, and that a refused one moves nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <jansson.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "resolver/control/observe/status.h"
#include "resolver/control/service/service.h"
#include "resolver/log.h"
#include "rules/text.h"
#include "tests/lib/config_text.h"

/* A loopback address of this process, so that nobody else takes the ports that it has found free.
 */
static char home[16];
static in_addr_t home_address;

static void find_home(void)
{
	unsigned pid = (unsigned)getpid();

	snprintf(home, sizeof home, "127.%u.%u.%u", 64 + (pid >> 16 & 63), pid >> 8 & 255,
		 pid & 255);
	home_address = inet_addr(home);
}

/* Two endpoints; their ports, the zone's file and the number of rules are the test's. */
static const char format[] =
	"region = \"r\"; workers = 2;\n"
	"default_resolver = { targets = ( { address = \"127.0.0.9\"; } ); };\n"
	"virtual_networks = ( { name = \"hub\"; address_space = [ \"10.10.0.0/16\" ]; subnets = (\n"
	"  { name = \"a\"; prefix = \"10.10.0.0/28\"; delegation = "
	"\"Microsoft.Network/dnsResolvers\"; },\n"
	"  { name = \"b\"; prefix = \"10.10.0.16/28\"; delegation = "
	"\"Microsoft.Network/dnsResolvers\"; },\n"
	"  { name = \"c\"; prefix = \"10.10.0.32/28\"; delegation = "
	"\"Microsoft.Network/dnsResolvers\"; } ); } );\n"
	"resolvers = ( { name = \"r\"; virtual_network = \"hub\";\n"
	"  outbound_endpoints = ( { name = \"out\"; subnet = \"c\"; source = \"127.0.0.1\"; } );\n"
	"  inbound_endpoints = (\n"
	"  { name = \"one\"; subnet = \"a\"; listen = \"%s:%u\"; },\n"
	"  { name = \"two\"; subnet = \"b\"; listen = \"%s:%u\"; } ); } );\n"
	"rulesets = ( { name = \"rules\"; outbound_endpoints = [ \"r/out\" ];\n"
	"  links = ( { name = \"l\"; virtual_network = \"hub\"; } );\n"
	"  rules = ( { name = \"x\"; domain = \"x.test.\";\n"
	"              targets = ( { address = \"127.0.0.8\"; port = 5399; } ); } ); } );\n"
	"private_zones = ( { name = \"corp.internal\"; file = \"zone\";\n"
	"  links = ( { name = \"l\"; virtual_network = \"hub\"; } ); } );\n";

struct world {
	struct config_text files;
	struct service service; /* only its server and paths are used */
	struct faults faults;
	unsigned one, two, three; /* free ports */
	atomic_uint released;
	unsigned answered; /* questions of our own */
	uint32_t kept;     /* the serial that was stored last */
};

static unsigned free_port(int *fd)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = home_address};
	socklen_t length = sizeof in;

	*fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(*fd, (struct sockaddr *)&in, sizeof in), 0);
	assert_int_equal(getsockname(*fd, (struct sockaddr *)&in, &length), 0);
	return ntohs(in.sin_port);
}

static void on_release(void *context)
{
	struct world *world = context;

	atomic_fetch_add(&world->released, 1);
}

static int set_up(void **state)
{
	static const struct hash_key key = {1, 2};
	struct world *world = calloc(1, sizeof *world);
	int fds[3];

	config_text_init(&world->files);
	config_text_put(&world->files, "zone", "web 300 IN A 10.10.1.10\n");
	faults_init(&world->faults);
	world->one = free_port(&fds[0]);
	world->two = free_port(&fds[1]);
	world->three = free_port(&fds[2]);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	log_configure(LOG_ERROR, LOG_TEXT);
	world->service.load.config = world->service.config_path = world->files.main_file;
	assert_int_equal(server_init(&world->service.server, 2, &key, on_release, world), 0);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	server_release(&world->service.server);
	faults_release(&world->faults);
	config_text_release(&world->files);
	free(world);
	return 0;
}

static struct model *load(struct world *world, unsigned one, unsigned two)
{
	char text[sizeof format + 64];

	snprintf(text, sizeof text, format, home, one, home, two);
	struct model *model = config_text_load(&world->files, text);
	assert_non_null(model);
	return model;
}

static int apply_model(struct world *world, struct model *model)
{
	int err = server_apply(&world->service.server, model, &world->faults);

	if (err != 0)
		model_free(model);
	return err;
}

static int apply(struct world *world, unsigned one, unsigned two)
{
	return apply_model(world, load(world, one, two));
}

/* A socket that waits for what comes, longer than any machine takes. */
static int client(unsigned port)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_addr.s_addr = home_address,
				 .sin_port = htons((uint16_t)port)};
	struct timeval patience = {.tv_sec = 60};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof in), 0);
	return fd;
}

/* The answer's rcode, or -1 when nothing comes. */
static int ask_on(int fd, const uint8_t *question, size_t size)
{
	uint8_t answer[512];
	ssize_t length = -1;

	if (send(fd, question, size, 0) == (ssize_t)size)
		length = recv(fd, answer, sizeof answer, 0);
	return length < 12 ? -1 : answer[3] & 15;
}

static int ask_question(unsigned port, const uint8_t *question, size_t size)
{
	int fd = client(port), rcode = ask_on(fd, question, size);

	close(fd);
	return rcode;
}

/* For web.corp.internal. */
static const uint8_t web[] = {0,   7,   1,   0,   0,   1,   0,   0,   0,   0, 0,   0,
			      3,   'w', 'e', 'b', 4,   'c', 'o', 'r', 'p', 8, 'i', 'n',
			      't', 'e', 'r', 'n', 'a', 'l', 0,   0,   1,   0, 1};

static int ask(unsigned port)
{
	return ask_question(port, web, sizeof web);
}

/* Asks for the PTR of 10.10.3.N: 3, NXDOMAIN, when there is none. */
static int ask_ptr(unsigned port, char digit)
{
	uint8_t question[] = {0,   7,   1, 0,   0,   1,   0,   0,   0, 0,   0,   0,   1,   'N',
			      1,   '3', 2, '1', '0', 2,   '1', '0', 7, 'i', 'n', '-', 'a', 'd',
			      'd', 'r', 4, 'a', 'r', 'p', 'a', 0,   0, 12,  0,   1};

	question[13] = (uint8_t)digit;
	return ask_question(port, question, sizeof question);
}

/* Asks a.x.test, whose target says nothing; always by the same worker. */
static void ask_in_vain(int fd)
{
	static const uint8_t question[] = {0,   7, 1,   0, 0,   1,   0,   0,   0, 0, 0, 0, 1,
					   'a', 1, 'x', 4, 't', 'e', 's', 't', 0, 0, 1, 0, 1};

	assert_int_equal(send(fd, question, sizeof question, 0), sizeof question);
}

static uint64_t count_now(const struct world *world, size_t offset)
{
	struct stats sum;

	server_read_stats(&world->service.server, &sum);
	return atomic_load((_Atomic uint64_t *)(void *)((char *)&sum + offset));
}
#define counted(world, counter) count_now(world, offsetof(struct stats, counter))

/* Until the counter of all workers has come to that value. */
#define wait_for(world, counter, value)                                                            \
	do {                                                                                       \
		for (int i_ = 0; i_ < 30000 && counted(world, counter) < (value); i_++)            \
			usleep(2000);                                                              \
		assert_true(counted(world, counter) >= (value));                                   \
	} while (0)

/* `ours`: without what epoll_create gives, which libuv 1.44 leaves open when it cannot make a loop.
 */
static unsigned open_descriptors(bool ours)
{
	char target[64];
	unsigned count = 0;
	DIR *directory = opendir("/proc/self/fd");

	for (const struct dirent *entry; (entry = readdir(directory));) {
		ssize_t length = readlinkat(dirfd(directory), entry->d_name, target, 63);

		target[length < 0 ? 0 : length] = '\0';
		count += !ours || strcmp(target, "anon_inode:[eventpoll]") != 0;
	}
	closedir(directory);
	return count;
}

/* Waits until every worker has let go of all but the current snapshot. */
static void collect(struct world *world)
{
	struct server *server = &world->service.server;

	for (int i = 0; i < 12000 && server->current->older; i++) {
		usleep(5000);
		server_collect(server);
	}
	assert_null(server->current->older);
}

static struct listener *listener_at(const struct server *server, unsigned port)
{
	for (unsigned i = 0; i < server->listener_count; i++)
		if (server->listeners[i]->host.port == port)
			return server->listeners[i];
	return NULL;
}

static void a_first_model_is_served_at_all_its_listeners(void **state)
{
	struct world *world = *state;

	assert_int_equal(apply(world, world->one, world->two), 0);
	assert_int_equal(world->service.server.generation, 1);
	assert_int_equal(world->service.server.listener_count, 2);
	assert_int_equal(ask(world->one), 0);
	assert_int_equal(ask(world->two), 0);
}

static void equal_listeners_are_kept_and_old_snapshots_freed(void **state)
{
	struct world *world = *state;
	struct server *server = &world->service.server;

	assert_int_equal(apply(world, world->one, world->two), 0);
	struct listener *one = listener_at(server, world->one);
	assert_int_equal(apply(world, world->one, world->two), 0);
	assert_int_equal(server->generation, 2);
	collect(world);
	/* Two workers let go of one; and both, or only the newer one, were taken up by all. */
	assert_in_range(atomic_load(&world->released), 2, 4);
	assert_ptr_equal(listener_at(server, world->one), one);
	assert_int_equal(server->listener_count, 2);
	assert_int_equal(ask(world->one), 0);
}

static void a_listener_that_is_gone_is_closed_and_a_new_one_serves(void **state)
{
	struct world *world = *state;
	struct server *server = &world->service.server;

	assert_int_equal(apply(world, world->one, world->two), 0);
	assert_int_equal(apply(world, world->one, world->three), 0);
	collect(world);
	assert_int_equal(server->listener_count, 2);
	assert_null(listener_at(server, world->two));
	assert_int_equal(ask(world->three), 0);
	assert_int_equal(ask(world->two), -1);
}

/* Where workers get no processor for a tenth of a second, the host is still theirs: again then. */
static void apply_patiently(struct world *world, uint16_t second)
{
	int err = -1;

	for (int i = 0; err != 0 && i < 50; i++)
		err = apply(world, world->one, second);
	assert_int_equal(err, 0);
}

static void a_listener_may_come_back_at_once(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < 5; i++) {
		apply_patiently(world, world->two);
		apply_patiently(world, world->three);
	}
	apply_patiently(world, world->two);
	assert_int_equal(ask(world->one), 0);
	assert_int_equal(ask(world->two), 0);
	collect(world);
	assert_int_equal(world->service.server.listener_count, 2);
}

/* The snapshot before is still held by the question, its sockets are closed all the same. */
static void a_question_under_way_does_not_hold_up_a_change(void **state)
{
	struct world *world = *state;
	uint8_t answer[512];

	assert_int_equal(apply(world, world->one, world->two), 0);
	int silent = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(5399)};
	inet_pton(AF_INET, "127.0.0.8", &in.sin_addr);
	assert_int_equal(bind(silent, (struct sockaddr *)&in, sizeof in), 0);
	int fd = client(world->one), gone = client(world->two);
	bool over = true;
	for (unsigned tries = 0; tries < 10 && over; tries++) { /* a slow machine's may be over */
		sleep(tries ? 4 : 0); /* longer than a failure is remembered */
		uint64_t asked = counted(world, asked);
		ask_in_vain(fd);
		ask_in_vain(gone);
		wait_for(world, asked, asked + 1);
		for (int i = 0; i < 3; i++) {
			apply_patiently(world, world->three);
			apply_patiently(world, world->two);
		}
		over = recv(fd, answer, sizeof answer, MSG_DONTWAIT) > 0;
	}
	assert_false(over);
	assert_int_equal(ask(world->two), 0);
	assert_non_null(world->service.server.current->older);
	close(silent);
	close(gone);
	close(fd);
}

/* With one descriptor more each time, until it works: whichever is missing, nothing stays open. */
static void what_cannot_be_started_leaves_nothing_behind(void **state)
{
	struct world *world = *state;
	struct rlimit limit, low;
	int err = ERR_FAULTS;
	unsigned started = 0;

	assert_int_equal(apply(world, world->one, world->two), 0); /* what happens once */
	server_release(&world->service.server);
	assert_int_equal(
		server_init(&world->service.server, 2, &(struct hash_key){1, 2}, on_release, world),
		0);
	unsigned before = open_descriptors(true);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	for (rlim_t more = 0; err != 0 && more < 60; more++) {
		struct model *model = load(world, world->one, world->two);

		low = (struct rlimit){.rlim_cur = open_descriptors(false) + more,
				      .rlim_max = limit.rlim_max};
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
		err = apply_model(world, model);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
		started += err == ERR_SYSTEM;
		if (err != 0) {
			assert_int_equal(open_descriptors(true), before);
			assert_int_equal(world->service.server.listener_count, 0);
			assert_null(world->service.server.workers[0]);
		}
	}
	assert_int_equal(err, 0);
	assert_true(started > 4); /* of the tries, so many came as far as the workers */
	assert_int_equal(ask(world->two), 0);
}

static void listeners_that_were_opened_ahead_are_those_that_serve(void **state)
{
	struct world *world = *state;
	struct server *server = &world->service.server;
	struct model *model = load(world, world->one, world->two);

	assert_int_equal(server_open(server, model, &world->faults), 0);
	assert_int_equal(server->listener_count, 2);
	struct listener *first = server->listeners[0], *second = server->listeners[1];
	unsigned before = open_descriptors(true);
	assert_int_equal(apply_model(world, model), 0);
	assert_int_equal(server->listener_count, 2);
	assert_ptr_equal(server->listeners[0], first);
	assert_ptr_equal(server->listeners[1], second);
	assert_true(open_descriptors(true) >= before);
	assert_int_equal(server->listeners_added, 2);
	assert_int_equal(ask(world->one), 0);
	assert_int_equal(ask(world->two), 0);
}

static void what_cannot_be_opened_ahead_is_a_fault_each(void **state)
{
	struct world *world = *state;
	struct server *server = &world->service.server;
	struct model *model = load(world, world->one, world->two);

	assert_int_equal(server_open(server, model, &world->faults), 0);
	struct server other;
	assert_int_equal(server_init(&other, 2, &(struct hash_key){1, 2}, on_release, world), 0);
	assert_int_equal(server_open(&other, model, &world->faults), ERR_FAULTS);
	assert_int_equal(world->faults.errors, 2);
	assert_int_equal(other.listener_count, 0);
	server_release(&other);
	model_free(model);
}

/* Each look has every loop go round once more, so that idle workers are alive too. */
static void idle_workers_are_alive_and_those_that_do_not_go_round_are_not(void **state)
{
	struct world *world = *state;
	struct server *server = &world->service.server;

	assert_int_equal(apply(world, world->one, world->two), 0);
	for (int i = 0; i < 5; i++) {
		unsigned tries = 0;

		while (!server_is_alive(server) && tries++ < 60000)
			usleep(1000);
		assert_true(tries < 60000);
	}
	/* As a loop that has stood still since is seen, once it has come to rest. */
	bool alive = true;
	for (unsigned tries = 0; tries < 1000 && alive; tries++) {
		usleep(20000);
		server->rounds[1] = worker_rounds(server->workers[1]);
		alive = server_is_alive(server);
	}
	assert_false(alive);
}

/* A stack of 64 TiB is refused by every system, once all else of a worker is there. */
static void a_thread_that_cannot_be_made_leaves_nothing_behind(void **state)
{
	struct world *world = *state;
	struct rlimit limit, huge;
	struct model *model = load(world, world->one, world->two);

	assert_int_equal(getrlimit(RLIMIT_STACK, &limit), 0);
	if (limit.rlim_max != RLIM_INFINITY) {
		model_free(model);
		skip();
	}
	unsigned before = open_descriptors(false);
	huge = (struct rlimit){.rlim_cur = (rlim_t)1 << 46, .rlim_max = limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_STACK, &huge), 0);
	int err = apply_model(world, model);
	assert_int_equal(setrlimit(RLIMIT_STACK, &limit), 0);
	assert_int_equal(err, ERR_SYSTEM);
	assert_int_equal(open_descriptors(false), before);
	assert_int_equal(apply(world, world->one, world->two), 0);
	assert_int_equal(ask(world->one), 0);
}

/* Serves the PTR of 10.10.3.`last` beside what is served, and waits until every worker does. */
static void serve_ptr(struct world *world, uint8_t last)
{
	struct server *server = &world->service.server;
	struct owned_draft *draft = owned_edit(server->current->policy->owned);
	struct address address = {.family = 4, .bytes = {10, 10, 3, last}};
	struct name name;

	assert_non_null(draft);
	assert_int_equal(name_from_text(&name, &server->key, "vm.example.com."), 0);
	assert_int_equal(owned_set_ptr(draft, &address, &name, 300), 0);
	struct owned *owned = owned_commit(draft);
	server_publish_owned(server, owned);
	owned_unref(owned);
	for (unsigned i = 0; i < 60000 && !server_all_adopted(server); i++)
		usleep(1000);
	assert_true(server_all_adopted(server));
}

static void keep(void *context, const struct transfer_zone *const *zones, size_t count)
{
	struct world *world = context;

	assert_int_equal(count, 1);
	world->kept = zones[0]->serial;
}

/* The model of a zone with this serial, which a client may copy. */
static struct model *load_copied(struct world *world, uint32_t serial)
{
	char zone[64], text[sizeof format + 128];

	snprintf(zone, sizeof zone, "@ 300 IN SOA ns host %u 1 1 1 1\n", serial);
	config_text_put(&world->files, "zone", zone);
	snprintf(text, sizeof text, format, home, world->one, home, world->two);
	text_append(text, sizeof text,
		    "transfers = ( { zones = [ \"corp.internal\" ]; allow = [ \"192.0.2.1/32\" ]; "
		    "} );");
	struct model *model = config_text_load(&world->files, text);
	assert_non_null(model);
	return model;
}

/* A reverse zone's next serial follows the stored serial. It would jump if the stored serial had
 * never been served. The serials of all zones are stored in the same way, so this test uses a
 * private zone. */
static void the_serial_of_a_discarded_change_is_not_stored(void **state)
{
	struct world *world = *state;
	struct server *server = &world->service.server;
	struct snapshot *snapshot;

	server->keeper = (struct serial_keeper){.context = world, .keep = keep};
	assert_int_equal(apply_model(world, load_copied(world, 7)), 0);
	assert_int_equal(world->kept, 7);
	struct model *model = load_copied(world, 8);
	assert_int_equal(server_prepare(server, model, NULL, &snapshot, &world->faults), 0);
	server_discard(server, snapshot);
	assert_int_equal(world->kept, 7);
	assert_int_equal(apply_model(world, model), 0);
	assert_int_equal(world->kept, 8);
}

/* Half of the descriptors are shared out anew with every change. The default resolver's source is
 * the system's choice, for both families; the rules' source is one. */
static void ports_of_a_source_are_fewer_when_there_are_more_sources(void **state)
{
	struct world *world = *state;
	struct rlimit limit, low;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = (struct rlimit){.rlim_cur = 600, .rlim_max = limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	assert_int_equal(apply(world, world->one, world->two), 0);
	const struct snapshot *snapshot = world->service.server.current;
	assert_int_equal(snapshot->source_count, 2);
	assert_int_equal(snapshot->ports_max, 600 / 2 / 2 / 3);
	struct model *model = load(world, world->one, world->two);
	model->default_resolver.targets.count = 0;
	assert_int_equal(apply_model(world, model), 0);
	snapshot = world->service.server.current;
	assert_int_equal(snapshot->source_count, 1);
	assert_int_equal(snapshot->ports_max, 600 / 2 / 2);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* A lane takes two shares in each of two workers, and none before the one source has its own. */
static void lanes_are_for_what_sources_leave(void **state)
{
	static const struct {
		unsigned descriptors, ports, lanes;
	} cases[] = {
		{4 * 1024 - 1, 1023, 0}, {4 * 1024, 1024, 0},     {4 * 3 * 1024 - 1, 1024, 0},
		{4 * 3 * 1024, 1024, 1}, {4 * 5 * 1024, 1024, 2}, {4 * 7 * 1024, 1024, 2},
	};
	struct world *world = *state;
	struct rlimit limit, low;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max < 4 * 3 * 1024)
		skip();
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		if (cases[i].descriptors > limit.rlim_max)
			break;
		low = (struct rlimit){cases[i].descriptors, limit.rlim_max};
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
		struct model *model = load(world, world->one, world->two);
		model->default_resolver.targets.count = 0;
		assert_int_equal(apply_model(world, model), 0);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
		const struct snapshot *snapshot = world->service.server.current;
		assert_int_equal(snapshot->ports_max, cases[i].ports);
		assert_int_equal(snapshot->lanes_max, cases[i].lanes);
		serve_ptr(world, 9); /* which changes nothing of that */
		assert_ptr_not_equal(world->service.server.current, snapshot);
		snapshot = world->service.server.current;
		assert_int_equal(snapshot->ports_max, cases[i].ports);
		assert_int_equal(snapshot->lanes_max, cases[i].lanes);
	}
}

/* 512 of each of three sources in each of two workers. */
static void too_few_source_ports_are_warned_of(void **state)
{
	struct world *world = *state;
	struct rlimit limit, low;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = (struct rlimit){.rlim_cur = 512 * 3 * 4, .rlim_max = limit.rlim_max};
	if (low.rlim_cur > limit.rlim_max)
		skip();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	assert_int_equal(apply(world, world->one, world->two), 0);
	assert_int_equal(world->faults.count, 0);
	low.rlim_cur--;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	assert_int_equal(apply(world, world->one, world->two), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(world->faults.errors, 0);
	assert_int_equal(world->faults.warnings, 1);
	assert_non_null(strstr(world->faults.items[0].text, "1022 source ports"));
	assert_int_equal(ask(world->one), 0);
}

static void a_port_that_is_held_refuses_the_change_and_moves_nothing(void **state)
{
	struct world *world = *state;
	struct server *server = &world->service.server;
	int held;

	assert_int_equal(apply(world, world->one, world->two), 0);
	struct snapshot *current = server->current;
	struct model *model = server->model;
	unsigned port = free_port(&held);
	assert_int_equal(apply(world, world->three, port), ERR_FAULTS);
	assert_int_equal(world->faults.errors, 1);
	assert_non_null(strstr(world->faults.items[0].origin.path, "two"));
	assert_true(world->faults.items[0].origin.line > 0);
	assert_ptr_equal(server->current, current);
	assert_ptr_equal(server->model, model);
	assert_int_equal(server->generation, 1);
	assert_int_equal(server->listener_count, 2);
	assert_int_equal(ask(world->three), -1); /* opened first, and closed again */
	assert_int_equal(ask(world->one), 0);
	close(held);
	assert_int_equal(apply(world, world->three, port), 0);
	assert_int_equal(ask(port), 0);
}

/* One descriptor below the lowest that is free: none can be opened. */
static void without_descriptors(struct rlimit *was)
{
	int next = dup(STDIN_FILENO);

	assert_true(next >= 0);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, was), 0);
	struct rlimit none = {.rlim_cur = (rlim_t)next, .rlim_max = was->rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
}

/* Neither its files nor new sockets can be opened: it is refused and says why, and what was served
 * goes on being served, without a new descriptor for an answer. */
static void a_reload_without_descriptors_moves_nothing(void **state)
{
	struct world *world = *state;
	struct server *server = &world->service.server;
	struct rlimit was;

	assert_int_equal(apply(world, world->one, world->two), 0);
	const struct snapshot *current = server->current;
	int fd = client(world->one);
	struct model *model = load(world, world->one, world->three);
	without_descriptors(&was);
	int err = apply_model(world, model);
	model = config_text_read(&world->files, NULL);
	int rcode = ask_on(fd, web, sizeof web);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(err, ERR_FAULTS);
	assert_int_equal(world->faults.errors, 1);
	assert_non_null(strstr(world->faults.items[0].text, "too many open files"));
	assert_null(model);
	assert_non_null(strstr(world->files.faults.items[0].text, "Too many open files"));
	assert_ptr_equal(server->current, current);
	assert_int_equal(rcode, 0);
	close(fd);
	assert_int_equal(apply(world, world->one, world->three), 0);
	assert_int_equal(ask(world->three), 0);
}

static void every_port_that_is_held_is_a_fault_and_nothing_is_started(void **state)
{
	struct world *world = *state;
	int held[2];
	unsigned ports[2] = {free_port(&held[0]), free_port(&held[1])};

	assert_int_equal(apply(world, ports[0], ports[1]), ERR_FAULTS);
	assert_int_equal(world->faults.errors, 2);
	assert_null(world->service.server.current);
	assert_null(world->service.server.workers[0]);
	close(held[0]);
	close(held[1]);
	assert_int_equal(apply(world, ports[0], ports[1]), 0); /* nothing has kept the ports */
	assert_int_equal(ask(ports[1]), 0);
}

static void the_model_that_is_served_may_be_applied_again(void **state)
{
	struct world *world = *state;
	struct server *server = &world->service.server;

	assert_int_equal(apply(world, world->one, world->two), 0);
	assert_int_equal(server_apply(server, server->model, &world->faults), 0);
	assert_int_equal(server->generation, 2);
	assert_int_equal(ask(world->one), 0);
}

static uint32_t references_of(const struct policy *policy)
{
	const struct target *target =
		ruleset_rule(policy->rulesets[0], 0)->route.legs->upstreams[0].target;

	return target ? atomic_load(&target->references) : 0;
}

/* A large policy is attached in portions ahead of being prepared. */
static void rules_that_were_attached_ahead_are_attached_once(void **state)
{
	struct world *world = *state;
	struct server *server = &world->service.server;
	struct model *model = load(world, world->one, world->two);
	struct policy *compiled = server_compile(server, model);
	struct snapshot *snapshot;

	assert_int_equal(server_attach_some(server, compiled, 0), 1); /* there are more */
	assert_int_equal(references_of(compiled), 0);
	assert_int_equal(server_attach_some(server, compiled, 1), 0);
	assert_int_equal(references_of(compiled), 1);
	assert_int_equal(server_prepare(server, model, compiled, &snapshot, &world->faults), 0);
	assert_int_equal(references_of(snapshot->policy), 1);
	server_publish(server, snapshot, model);
	policy_free(compiled);
	assert_int_equal(references_of(server->current->policy), 1);
	assert_int_equal(ask(world->one), 0);
}

/* A ruleset that is larger than a portion takes several. */
static void rules_of_one_ruleset_are_attached_in_portions(void **state)
{
	static const char many[] =
		"virtual_networks = ( { name = \"hub\"; address_space = [ \"10.0.0.0/8\" ]; } );\n"
		"default_resolver = { targets = ( { address = \"127.0.0.9\"; } ); };\n"
		"rulesets = ( { name = \"many\"; links = ( { name = \"hub\"; virtual_network = "
		"\"hub\"; } );\n"
		" target_groups = ( { name = \"g\"; targets = ( { address = \"127.0.0.8\"; } ); } "
		");\n"
		" rules = ( { name = \"a\"; domain = \"a.test.\"; targets = ( { address = "
		"\"127.0.0.7\"; } ); },\n"
		" { name = \"b\"; domain = \"b.test.\"; target_group = \"g\"; },\n"
		" { name = \"c\"; domain = \"c.test.\"; targets = ( { address = \"127.0.0.7\"; } "
		"); } "
		"); } );\n";
	struct world *world = *state;
	struct server *server = &world->service.server;
	struct model *model = config_text_load(&world->files, many);
	struct policy *compiled;
	struct ruleset *ruleset;

	assert_non_null(model);
	compiled = server_compile(server, model);
	ruleset = compiled->rulesets[0];
	for (size_t done = 1; done < 3; done++) {
		assert_int_equal(server_attach_some(server, compiled, 1), 1);
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(ruleset_rule(ruleset, i)->series > 0, i < done);
		assert_null(ruleset_rule(ruleset, 1)->route.legs->upstreams[0].target);
	}
	assert_int_equal(server_attach_some(server, compiled, 1), 0);
	for (size_t i = 0; i < 3; i++)
		assert_non_null(ruleset_rule(ruleset, i)->route.legs->upstreams[0].target);
	policy_free(compiled);
	model_free(model);
}

static void rules_that_come_to_nothing_are_let_go_of(void **state)
{
	struct world *world = *state;
	struct server *server = &world->service.server;
	struct model *model = load(world, world->one, world->two);
	struct policy *compiled = server_compile(server, model);

	assert_int_equal(server_attach_some(server, compiled, 1), 0);
	struct target *target =
		ruleset_rule(compiled->rulesets[0], 0)->route.legs->upstreams[0].target;
	struct target *same =
		target_acquire(server->registry, &target->source, &target->host, target->protocol);
	assert_ptr_equal(same, target);
	assert_int_equal(atomic_load(&target->references), 2);
	policy_free(compiled);
	model_free(model);
	assert_int_equal(atomic_load(&same->references), 1);
	target_release(server->registry, same);
}

/* ---- what we own ---- */

static void another_table_of_what_we_own_is_served_and_nothing_else_moves(void **state)
{
	struct world *world = *state;
	struct server *server = &world->service.server;

	assert_int_equal(apply(world, world->one, world->two), 0);
	struct listener *one = listener_at(server, world->one);
	const struct policy_network *networks = server->current->policy->networks;
	assert_int_equal(ask_ptr(world->one, '7'), 3);
	serve_ptr(world, 7);
	for (int i = 0; i < 8; i++) /* by both workers */
		assert_int_equal(ask_ptr(world->one, '7'), 0);
	assert_int_equal(ask_ptr(world->one, '8'), 3);
	serve_ptr(world, 8);
	assert_int_equal(ask_ptr(world->two, '7'), 0);
	assert_int_equal(ask_ptr(world->two, '8'), 0);
	assert_int_equal(ask(world->one), 0);
	assert_ptr_equal(listener_at(server, world->one), one);
	assert_ptr_equal(server->current->policy->networks, networks);
	assert_int_equal(server->listener_count, 2);
	assert_int_equal(server->generation, 1);
	collect(world);
}

static void what_we_own_stays_with_the_model_that_is_served(void **state)
{
	struct world *world = *state;
	struct server *server = &world->service.server;

	assert_int_equal(apply(world, world->one, world->two), 0);
	serve_ptr(world, 7);
	assert_int_equal(server_apply(server, server->model, &world->faults), 0);
	collect(world);
	assert_int_equal(ask_ptr(world->one, '7'), 0);
	assert_int_equal(apply(world, world->one, world->two), 0); /* another model, without it */
	collect(world);
	assert_int_equal(ask_ptr(world->one, '7'), 3);
}

static void a_table_that_no_worker_came_for_is_let_go_of(void **state)
{
	struct world *world = *state;
	struct server *server = &world->service.server;

	assert_int_equal(apply(world, world->one, world->three), 0);
	assert_int_equal(apply(world, world->one, world->two), 0);
	struct owned *tables[] = {owned_new(), owned_new()};
	for (int i = 0; i < 200; i++) /* faster than they are taken up */
		server_publish_owned(server, tables[i % 2]);
	collect(world);
	assert_ptr_equal(server->current->policy->owned, tables[1]);
	assert_int_equal(ask(world->two), 0);
	assert_int_equal(ask(world->three), -1);
	owned_unref(tables[0]);
	owned_unref(tables[1]);
}

/* ---- the query log, while snapshots come and go ---- */

enum { WRITERS = 8, ASKERS = 4 };

struct logged {
	struct world *world;
	atomic_bool asked, over; /* enough was asked; and all that was is read */
	uv_thread_t reader, askers[ASKERS];
	unsigned read, other; /* records, and those of another endpoint; the reader's */
};

/* As the log's thread does: what a record points to belongs to the snapshot that it was answered
 * by. */
static void read_log(void *context)
{
	struct logged *logged = context;
	struct query_rings *rings = &logged->world->service.server.rings;
	bool over;

	do {
		over = atomic_load(&logged->over);
		for (unsigned i = 0; i < WRITERS; i++) {
			struct query_ring *ring = &rings->rings[i];
			uint64_t at = atomic_load(&ring->read), left_us;
			const struct query_record *record;

			while ((record = query_ring_read(ring, &at, &left_us))) {
				logged->other += strcmp(record->binding->endpoint, "r/one") != 0;
				logged->read++;
			}
			query_ring_give_back(ring, at);
		}
	} while (!over);
}

static void ask_until_over(void *context)
{
	struct logged *logged = context;

	while (!atomic_load(&logged->asked))
		if (ask(logged->world->one) != 0)
			break;
}

static void begin_logged(struct logged *logged, struct world *world)
{
	struct server *server = &world->service.server;
	const struct hash_key key = server->key;

	server_release(server);
	assert_int_equal(server_init(server, WRITERS, &key, on_release, world), 0);
	assert_int_equal(apply(world, world->one, world->two), 0);
	query_rings_want(&server->rings, QUERY_WANTED_ALL);
	*logged = (struct logged){.world = world};
	assert_int_equal(uv_thread_create(&logged->reader, read_log, logged), 0);
	for (int i = 0; i < ASKERS; i++)
		assert_int_equal(uv_thread_create(&logged->askers[i], ask_until_over, logged), 0);
}

static void end_logged(struct logged *logged)
{
	atomic_store(&logged->asked, true);
	for (int i = 0; i < ASKERS; i++)
		uv_thread_join(&logged->askers[i]);
	collect(logged->world); /* which the reader has to let go of */
	atomic_store(&logged->over, true);
	uv_thread_join(&logged->reader);
	assert_true(logged->read > 0);
	assert_int_equal(logged->other, 0);
}

/* While workers write to their rings of the query log, the control thread takes back tables that a
 * worker never adopted. It must not publish the worker's ring with that: the count of what is
 * written would go back. Only ThreadSanitizer (make tsan) reports that race; without it this
 * test passes even where there is one. */
static void tables_change_while_workers_write_to_the_log(void **state)
{
	struct world *world = *state;
	struct server *server = &world->service.server;
	struct owned *tables[] = {owned_new(), owned_new()};
	uint64_t before[WRITERS] = {0};
	struct logged logged;

	begin_logged(&logged, world);
	for (int i = 0; i < 4000; i++) {
		server_publish_owned(server, tables[i % 2]);
		for (unsigned n = 0; n < WRITERS; n++) {
			uint64_t written = atomic_load(&server->rings.rings[n].written);

			assert_true(written >= before[n]);
			before[n] = written;
		}
	}
	wait_for(world, queries_udp, 1000);
	end_logged(&logged);
	owned_unref(tables[0]);
	owned_unref(tables[1]);
}

/* As a change does that waited for an answer. */
static void on_last_answer(void *context, const struct ask_answer *answer)
{
	struct world *world = context;
	struct owned *owned = owned_new();

	(void)answer;
	server_publish_owned(&world->service.server, owned);
	owned_unref(owned);
	world->answered++;
}

static void what_an_answer_changes_while_the_server_stops_does_no_harm(void **state)
{
	struct world *world = *state;
	struct server *server = &world->service.server;
	const struct hash_key key = server->key;
	struct name name;

	assert_int_equal(apply(world, world->one, world->two), 0);
	assert_int_equal(name_from_text(&name, &key, "localhost."), 0);
	const struct ask_question question = {
		.name = &name, .type = TYPE_A, .patience_us = 1000000};
	assert_int_equal(server_ask(server, &question, on_last_answer, world), 0);
	server_release(server);
	assert_int_equal(world->answered, 1);
	assert_int_equal(server_init(server, 2, &key, on_release, world), 0);
}

/* Snapshots that differ in nothing but what we own hold their targets together. */
static void targets_are_let_go_of_with_the_last_table_they_served_beside(void **state)
{
	struct world *world = *state;
	struct server *server = &world->service.server;

	assert_int_equal(apply(world, world->one, world->two), 0);
	const struct target *target =
		server->current->policy->default_route->legs->upstreams[0].target;
	assert_int_equal(atomic_load(&target->references), 1);
	for (uint8_t i = 0; i < 3; i++)
		serve_ptr(world, i);
	assert_int_equal(atomic_load(&target->references), 1);
	collect(world);
	assert_int_equal(atomic_load(&target->references), 1);
	assert_int_equal(server_apply(server, server->model, &world->faults), 0);
	collect(world);
	assert_int_equal(atomic_load(&target->references), 1);
	assert_ptr_equal(server->current->policy->default_route->legs->upstreams[0].target, target);
}

static void an_unchanged_target_keeps_its_health_over_a_change(void **state)
{
	struct world *world = *state;
	struct server *server = &world->service.server;

	assert_int_equal(apply(world, world->one, world->two), 0);
	const struct leg *leg = server->current->policy->default_route->legs;
	struct target *target = leg->upstreams[0].target;
	assert_non_null(target);
	assert_int_equal(apply(world, world->one, world->three), 0);
	collect(world);
	leg = server->current->policy->default_route->legs;
	assert_ptr_equal(leg->upstreams[0].target, target);
}

static void counters_of_all_workers_are_summed(void **state)
{
	struct world *world = *state;
	struct stats sum;

	assert_int_equal(apply(world, world->one, world->two), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(ask(world->one), 0);
	wait_for(world, queries, 20);
	wait_for(world, answered_zone, 20);
	server_read_stats(&world->service.server, &sum);
	assert_int_equal(atomic_load(&sum.queries), 20);
	assert_int_equal(atomic_load(&sum.answered_zone), 20);
}

/* The question that has waited longest makes room, and what is answered at once needs none. */
static void own_data_is_answered_however_many_wait(void **state)
{
	struct world *world = *state;
	uint8_t answer[512];

	world->service.server.shared.queries_max = 1;
	assert_int_equal(apply(world, world->one, world->two), 0);
	int silent = socket(AF_INET, SOCK_DGRAM, 0), fd = client(world->one);
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(5399)};
	inet_pton(AF_INET, "127.0.0.8", &in.sin_addr);
	assert_int_equal(bind(silent, (struct sockaddr *)&in, sizeof in), 0);
	ask_in_vain(fd);
	wait_for(world, asked, 1);
	assert_int_equal(ask(world->one), 0);
	ask_in_vain(fd);
	assert_true(recv(fd, answer, sizeof answer, 0) > 12);
	assert_int_equal(answer[3] & 15, 2);
	wait_for(world, overload, 1);
	struct stats sum;
	server_read_stats(&world->service.server, &sum);
	assert_int_equal(sum.servfail, 1); /* the newer one is not over yet */
	assert_int_equal(sum.queries, 3);
	assert_int_equal(sum.queries_udp, 3);
	assert_int_equal(ask(world->one), 0);
	close(silent);
	close(fd);
}

/* Turned away before resolve.c sees them, and seen in every row that they belong to. */
static void who_is_turned_away_at_the_gate_is_counted(void **state)
{
	struct world *world = *state;
	struct stats sum;
	struct model *model = load(world, world->one, world->two);
	struct prefix nobody = {{4, {203, 0, 113, 0}}, 24};

	model->resolvers.items[0].inbound_endpoints.items[0].allow.items = &nobody;
	model->resolvers.items[0].inbound_endpoints.items[0].allow.count = 1;
	model->limits.queries_per_second_per_endpoint = 1;
	model->limits.excess = EXCESS_REFUSE;
	assert_int_equal(apply_model(world, model), 0);
	assert_int_equal(ask(world->one), 5);
	wait_for(world, prohibited, 1);
	assert_int_equal(apply(world, world->one, world->two), 0); /* and takes effect at once */
	collect(world);
	assert_int_equal(ask(world->one), 0);
	model = load(world, world->one, world->two);
	model->limits.queries_per_second_per_endpoint = 1;
	model->limits.excess = EXCESS_REFUSE;
	assert_int_equal(apply_model(world, model), 0);
	collect(world);
	unsigned refused = 0;
	for (unsigned i = 0; i < 20; i++)
		refused += ask(world->one) == 5;
	assert_in_range(refused, 1, 19);
	wait_for(world, over_limit, refused);
	server_read_stats(&world->service.server, &sum);
	assert_int_equal(sum.over_limit_refused, refused);
	assert_int_equal(sum.refused, refused + 1);
	assert_int_equal(sum.queries, 22);
}

/* By whichever part of endpoints/ it was counted. */
static void what_endpoints_count_is_shown(void **state)
{
	struct world *world = *state;
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = home_address};

	assert_int_equal(apply(world, world->one, world->two), 0);
	in.sin_port = htons((uint16_t)world->one);
	int fd = client(world->one), stream = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(send(fd, "short", 5, 0), 5);
	wait_for(world, silent, 1);
	assert_int_equal(counted(world, malformed), 0);
	assert_int_equal(send(fd, "\0\1\0\0\0\0\0\0\0\0\0\0", 12, 0), 12);
	wait_for(world, malformed, 1);
	assert_int_equal(connect(stream, (struct sockaddr *)&in, sizeof in), 0);
	wait_for(world, tcp_accepted, 1);
	ask_in_vain(fd); /* nobody is there, the network says so */
	wait_for(world, asked, 1);
	wait_for(world, udp_sent, 1);
	wait_for(world, unreachable, 1);
	assert_int_equal(counted(world, ports_refused), 0);
	close(stream);
	close(fd);
}

/* ---- what can be asked about it ---- */

static json_t *report(struct world *world)
{
	json_t *answer = status_report(&world->service, false);
	assert_non_null(answer);
	return answer;
}

static const char *item(const json_t *answer, const char *list, const char *key)
{
	return json_string_value(
		json_object_get(json_array_get(json_object_get(answer, list), 0), key));
}

static json_int_t unanswered(const json_t *answer)
{
	const json_t *of = json_object_get(answer, "unanswered");

	json_int_t count = json_integer_value(json_object_get(of, "count"));
	assert_int_equal(json_array_size(json_object_get(of, "rules")), count);
	return count;
}

static void status_tells_what_is_served_and_how_it_fares(void **state)
{
	struct world *world = *state;
	char text[64];

	assert_int_equal(apply(world, world->one, world->two), 0);
	assert_int_equal(ask(world->one), 0);
	json_t *answer = report(world);
	assert_int_equal(json_integer_value(json_object_get(answer, "generation")), 1);
	assert_int_equal(json_integer_value(json_object_get(answer, "workers")), 2);
	assert_string_equal(item(answer, "networks", "name"), "hub");
	snprintf(text, sizeof text, "%s:%u", home, world->one);
	assert_string_equal(item(answer, "inbound_endpoints", "listen"), text);
	assert_string_equal(item(answer, "inbound_endpoints", "address"), "10.10.0.4");
	assert_string_equal(item(answer, "outbound_endpoints", "source"), "127.0.0.1");
	assert_true(json_is_true(json_object_get(
		json_array_get(json_object_get(answer, "outbound_endpoints"), 0), "present")));
	assert_string_equal(item(answer, "zones", "name"), "corp.internal");
	assert_string_equal(item(answer, "rulesets", "name"), "rules");
	assert_string_equal(item(answer, "targets", "state"), "unknown");
	assert_int_equal(json_array_size(json_object_get(answer, "targets")), 2);
	const json_t *counters = json_object_get(answer, "counters");
	assert_int_equal(json_integer_value(json_object_get(counters, "queries")), 1);
	assert_int_equal(json_object_size(counters), stats_row_count);
	json_decref(answer);
}

static time_t since(struct world *world)
{
	json_t *answer = report(world);
	size_t i;
	json_t *target;
	struct tm tm = {0};
	json_array_foreach(json_object_get(answer, "targets"), i, target)
	{
		const char *text = json_string_value(json_object_get(target, "since"));
		assert_true(!text || strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm));
	}
	json_decref(answer);
	return timegm(&tm);
}

/* Whichever part of a second has passed of it, and of the time of day. */
static void a_suspicion_s_beginning_is_always_the_same_second(void **state)
{
	struct world *world = *state;

	assert_int_equal(apply(world, world->one, world->two), 0);
	struct target *target =
		world->service.server.current->policy->default_route->legs->upstreams[0].target;
	uint64_t now_us = uv_hrtime() / 1000;
	for (unsigned i = 0; i < 20; i++) {
		uint64_t begin_us = now_us - 5000000 + i * 100000;

		atomic_store(&target->suspect_us, begin_us);
		time_t told = since(world);
		assert_int_equal(told,
				 ((int64_t)begin_us + world->service.clock.ahead_us) / 1000000);
	}
	int64_t before_us = world->service.clock.ahead_us;
	world->service.clock.ahead_us -= 500000; /* the clocks may drift so far */
	(void)since(world);
	assert_int_equal(world->service.clock.ahead_us, before_us - 500000);
	world->service.clock.ahead_us -= 3600000000; /* the time of day has been set */
	(void)since(world);
	assert_true(llabs(world->service.clock.ahead_us - before_us) < 500000);
}

static void a_suspect_target_is_shown_with_its_time_and_reason(void **state)
{
	struct world *world = *state;

	assert_int_equal(apply(world, world->one, world->two), 0);
	const struct leg *leg = world->service.server.current->policy->default_route->legs;
	target_on_unreachable(leg->upstreams[0].target, TARGET_ERROR_NETWORK, uv_hrtime() / 1000);
	json_t *answer = report(world);
	size_t i, suspects = 0;
	json_t *target;
	json_array_foreach(json_object_get(answer, "targets"), i, target)
	{
		if (strcmp(json_string_value(json_object_get(target, "state")), "suspect") != 0)
			continue;
		suspects++;
		assert_string_equal(json_string_value(json_object_get(target, "host")),
				    "127.0.0.9:53");
		assert_string_equal(json_string_value(json_object_get(target, "last_error")),
				    "network error");
		assert_int_equal(json_string_length(json_object_get(target, "since")), 20);
	}
	assert_int_equal(suspects, 1);
	json_decref(answer);
}

static void the_worst_target_comes_first_with_the_rules_it_leaves_without(void **state)
{
	struct world *world = *state;

	assert_int_equal(apply(world, world->one, world->two), 0);
	json_t *answer = report(world);
	assert_int_equal(unanswered(answer), 0);
	assert_string_equal(item(answer, "targets", "state"), "unknown");
	json_decref(answer);
	const struct policy *policy = world->service.server.current->policy;
	struct rule *rule = ruleset_rule(policy->rulesets[0], 0);
	struct upstream *upstream = &rule->route.legs->upstreams[0];
	target_on_error(policy->default_route->legs->upstreams[0].target, TARGET_ERROR_REFUSED);
	target_on_unreachable(upstream->target, TARGET_ERROR_NETWORK, uv_hrtime() / 1000);
	answer = report(world);
	const json_t *worst = json_array_get(json_object_get(answer, "targets"), 0);
	assert_string_equal(item(answer, "targets", "state"), "suspect");
	assert_int_equal(json_integer_value(json_object_get(worst, "rule_count")), 1);
	assert_int_equal(json_integer_value(json_object_get(worst, "unanswered_count")), 1);
	const json_t *names = json_object_get(worst, "rules");
	assert_int_equal(json_array_size(names), 1);
	assert_int_equal(unanswered(answer), 1);
	char name[64];
	snprintf(name, sizeof name, "rules/%s", rule->name);
	assert_string_equal(json_string_value(json_array_get(names, 0)), name);
	json_decref(answer);
}

int main(void)
{
	find_home();
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_first_model_is_served_at_all_its_listeners),
		TEST(equal_listeners_are_kept_and_old_snapshots_freed),
		TEST(a_listener_that_is_gone_is_closed_and_a_new_one_serves),
		TEST(a_listener_may_come_back_at_once),
		TEST(a_question_under_way_does_not_hold_up_a_change),
		TEST(what_cannot_be_started_leaves_nothing_behind),
		TEST(listeners_that_were_opened_ahead_are_those_that_serve),
		TEST(what_cannot_be_opened_ahead_is_a_fault_each),
		TEST(idle_workers_are_alive_and_those_that_do_not_go_round_are_not),
		TEST(a_thread_that_cannot_be_made_leaves_nothing_behind),
		TEST(ports_of_a_source_are_fewer_when_there_are_more_sources),
		TEST(lanes_are_for_what_sources_leave),
		TEST(too_few_source_ports_are_warned_of),
		TEST(a_port_that_is_held_refuses_the_change_and_moves_nothing),
		TEST(a_reload_without_descriptors_moves_nothing),
		TEST(every_port_that_is_held_is_a_fault_and_nothing_is_started),
		TEST(the_model_that_is_served_may_be_applied_again),
		TEST(the_serial_of_a_discarded_change_is_not_stored),
		TEST(rules_that_were_attached_ahead_are_attached_once),
		TEST(rules_of_one_ruleset_are_attached_in_portions),
		TEST(rules_that_come_to_nothing_are_let_go_of),
		TEST(another_table_of_what_we_own_is_served_and_nothing_else_moves),
		TEST(what_we_own_stays_with_the_model_that_is_served),
		TEST(a_table_that_no_worker_came_for_is_let_go_of),
		TEST(tables_change_while_workers_write_to_the_log),
		TEST(what_an_answer_changes_while_the_server_stops_does_no_harm),
		TEST(targets_are_let_go_of_with_the_last_table_they_served_beside),
		TEST(an_unchanged_target_keeps_its_health_over_a_change),
		TEST(counters_of_all_workers_are_summed),
		TEST(own_data_is_answered_however_many_wait),
		TEST(who_is_turned_away_at_the_gate_is_counted),
		TEST(what_endpoints_count_is_shown),
		TEST(status_tells_what_is_served_and_how_it_fares),
		TEST(a_suspicion_s_beginning_is_always_the_same_second),
		TEST(a_suspect_target_is_shown_with_its_time_and_reason),
		TEST(the_worst_target_comes_first_with_the_rules_it_leaves_without),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
