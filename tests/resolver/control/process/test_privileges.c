/* Giving up root's rights, each time in a child of its own; as root only. A child tells by its exit
 * status what was wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "resolver/control/process/master_wire.h"
#include "resolver/control/process/privileges.h"
#include "tests/lib/config_text.h"

enum { USER = 61234, GROUP = 61235 }; /* without a name, on any machine */
enum { NOBODY = 65534 };

#define CONFIG                                                                                     \
	"region = \"r\"; workers = 1;\n"                                                           \
	"default_resolver = { targets = ( { address = \"127.0.0.9\"; } ); };\n"                    \
	"@include \"more.conf\"\n"

struct world {
	struct config_text files;
	struct faults faults;
	struct model *model;
};

static void load(struct world *world, const char *more)
{
	config_text_put(&world->files, "more.conf", more);
	world->model = config_text_load(&world->files, CONFIG);
	assert_non_null(world->model);
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	config_text_init(&world->files);
	faults_init(&world->faults);
	/* A user without a name has to reach what the test makes, and no more than that. */
	assert_int_equal(chmod(world->files.directory, 0711), 0);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	char path[128];
	snprintf(path, sizeof path, "%s/run", world->files.directory);
	rmdir(path); /* where one was made */
	model_free(world->model);
	faults_release(&world->faults);
	config_text_release(&world->files);
	free(world);
	return 0;
}

static bool has_fault(const struct world *world, const char *text)
{
	for (size_t i = 0; i < world->faults.count; i++)
		if (strstr(world->faults.items[i].text, text))
			return true;
	return false;
}

/* Runs the check in a child; 0 is what it should give. */
static void assert_child(struct world *world, int (*check)(struct world *world))
{
	int status;
	if (geteuid() != 0 || getenv("VALGRIND")) /* which writes its reports as root */
		skip();
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(check(world));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int drop(struct world *world)
{
	return privileges_drop(world->model, NULL, PRIVILEGES_SERVE, &world->faults);
}

/* By others of its user, or in a core file. */
static bool is_readable(void)
{
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0;
}

/* A number of /proc/self/status, by its name with the colon. */
static unsigned long long status_of(const char *name)
{
	char line[256];
	unsigned long long value = ~0ULL;
	FILE *file = fopen("/proc/self/status", "r");
	while (file && fgets(line, sizeof line, file))
		if (strncmp(line, name, strlen(name)) == 0)
			value = strtoull(line + strlen(name), NULL, 16);
	if (file)
		fclose(file);
	return value;
}

/* As a reload would, on an address that nobody has. */
static bool can_bind_53(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(53)};
	inet_pton(AF_INET, "127.0.0.253", &in.sin_addr);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&in, sizeof in) == 0;
	close(fd);
	return bound;
}

static int check_dropped(struct world *world)
{
	uid_t uid[3];
	gid_t gid[3];
	if (drop(world) != 0)
		return 1;
	if (getresuid(&uid[0], &uid[1], &uid[2]) != 0 || getresgid(&gid[0], &gid[1], &gid[2]) != 0)
		return 2;
	for (int i = 0; i < 3; i++)
		if (uid[i] != USER || gid[i] != GROUP)
			return 3;
	if (getgroups(0, NULL) > 1 || setuid(0) == 0 || open("/etc/shadow", O_RDONLY) >= 0)
		return 4;
	if (status_of("CapPrm:") != 0 || status_of("CapEff:") != 0)
		return 5;
	if (status_of("CapInh:") != 0 || status_of("CapAmb:") != 0 || status_of("CapBnd:") != 0)
		return 6;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && !is_readable() && !can_bind_53() ? 0
											       : 7;
}

static void the_user_keeps_no_right(void **state)
{
	struct world *world = *state;
	load(world, "user = \"61234\"; group = \"61235\";");
	assert_child(world, check_dropped);
}

static int check_worker(struct world *world)
{
	if (drop(world) != 0 || geteuid() != 0 || privileges_none() != 0)
		return 1;
	return status_of("CapPrm:") == 0 && status_of("CapEff:") == 0 && !can_bind_53() ? 0 : 2;
}

static int check_master(struct world *world)
{
	const unsigned long long bind_53 = 1ULL << CAP_NET_BIND_SERVICE;
	const gid_t groups[] = {GROUP, GROUP + 1};
	char *const argv[] = {"sh", "-c",
			      "test $(awk '/^Cap(Prm|Amb)/{print $2}' /proc/self/status |"
			      " uniq) = 0000000000000400",
			      NULL};
	(void)world;
	if (privileges_keep_binding(USER, GROUP, groups, 2) != 0)
		return 1;
	if (getuid() != USER || getgid() != GROUP || getgroups(0, NULL) != 2 || setuid(0) == 0)
		return 2;
	if (status_of("CapPrm:") != bind_53 || status_of("CapEff:") != bind_53 ||
	    status_of("CapBnd:") != 0 || !can_bind_53())
		return 3;
	execvp(argv[0], argv);
	return 4;
}

static void a_master_keeps_port_53_over_what_it_executes(void **state)
{
	struct world *world = *state;
	load(world, "");
	assert_child(world, check_master);
}

static void a_worker_of_root_keeps_none(void **state)
{
	struct world *world = *state;
	load(world, "");
	assert_child(world, check_worker);
}

static int check_own_group(struct world *world)
{
	return drop(world) == 0 && getgid() == USER && getegid() == USER ? 0 : 1;
}

static void a_number_without_a_name_is_its_own_group(void **state)
{
	struct world *world = *state;
	load(world, "user = \"61234\";");
	assert_child(world, check_own_group);
}

static int check_nobody(struct world *world)
{
	return drop(world) == 0 && geteuid() == NOBODY ? 0 : 1;
}

static void a_user_is_found_by_name(void **state)
{
	struct world *world = *state;
	load(world, "user = \"nobody\";");
	assert_child(world, check_nobody);
}

static bool stays(struct world *world, const char *warning)
{
	uid_t before = geteuid();

	faults_release(&world->faults);
	faults_init(&world->faults);
	return privileges_drop(world->model, NULL, PRIVILEGES_SERVE_AGAIN, &world->faults) == 0 &&
	       has_fault(world, warning) && world->faults.errors == 0 && geteuid() == before;
}

/* A reload has taken a configuration with another user, with a warning, and then the server has
 * ended. The next server stays the user that this one was, be it root or not. */
static int check_another(struct world *world)
{
	if (!stays(world, "another user takes a restart; still uid 0"))
		return 1;
	if (setgid(GROUP) != 0 || setuid(GROUP) != 0 || drop(world) == 0)
		return 2;
	return stays(world, "another user takes a restart; still uid 61235") ? 0 : 3;
}

static void a_server_that_is_started_again_stays_its_masters_user(void **state)
{
	struct world *world = *state;
	load(world, "user = \"61234\";");
	assert_child(world, check_another);
}

static void a_server_that_is_started_again_needs_no_user_that_exists(void **state)
{
	struct world *world = *state;
	load(world, "user = \"of-nobody\";");
	assert_child(world, check_another);
}

/* Puts the world's file "group" in the place of /etc/group, for this process alone. */
static bool use_groups(const struct world *world)
{
	char path[128];
	snprintf(path, sizeof path, "%s/group", world->files.directory);
	return unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount(path, "/etc/group", NULL, MS_BIND, NULL) == 0;
}

static int check_groups(struct world *world)
{
	bool one = world->model->group;
	if (!use_groups(world) || drop(world) != 0)
		return 1;
	if (has_fault(world, "user nobody is in 71 groups, and only the first 64 count") == one)
		return 2;
	return getgroups(0, NULL) == (one ? 1 : MASTER_GROUPS_MAX) ? 0 : 3;
}

/* Whoever is that user already keeps all its groups. */
static int check_groups_that_stay(struct world *world)
{
	enum { GROUPS = MASTER_GROUPS_MAX + 1 };
	gid_t groups[GROUPS];

	for (gid_t i = 0; i < GROUPS; i++)
		groups[i] = 70000 + i;
	if (!use_groups(world) || setgroups(GROUPS, groups) != 0 || setgid(NOBODY) != 0 ||
	    setuid(NOBODY) != 0 || drop(world) != 0)
		return 1;
	if (world->faults.count != 0)
		return 2;
	return getgroups(0, NULL) == GROUPS ? 0 : 3;
}

/* The master and later servers get the groups in a message, which has room for 64. So the first
 * server has no more than that, either. */
static void a_user_of_very_many_groups_has_some_of_them(void **state)
{
	struct world *world = *state;
	if (geteuid() == 0 && !(status_of("CapEff:") & 1ULL << CAP_SYS_ADMIN))
		skip(); /* in a container */
	FILE *file = config_text_open(&world->files, "group");
	for (int i = 0; i < 70; i++)
		fprintf(file, "g%d:x:%d:nobody\n", i, 70000 + i);
	fclose(file);
	load(world, "user = \"nobody\";");
	assert_child(world, check_groups);
	assert_child(world, check_groups_that_stay);
	model_free(world->model);
	load(world, "user = \"nobody\"; group = \"g69\";");
	assert_child(world, check_groups);
}

static int check_stays(struct world *world)
{
	if (drop(world) != 0 || geteuid() != 0)
		return 1;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && !is_readable() && can_bind_53() ? 0
											      : 2;
}

static void without_a_user_root_stays_root(void **state)
{
	struct world *world = *state;
	load(world, "");
	assert_child(world, check_stays);
	model_free(world->model);
	load(world, "user = \"root\";");
	assert_child(world, check_stays);
}

static int check_group_of_root(struct world *world)
{
	if (drop(world) != 0 || geteuid() != 0 || getgid() != GROUP || getegid() != GROUP)
		return 1;
	return getgroups(0, NULL) == 1 && !is_readable() && can_bind_53() ? 0 : 2;
}

static void root_that_stays_root_takes_the_group(void **state)
{
	struct world *world = *state;
	load(world, "user = \"root\"; group = \"61235\";");
	assert_child(world, check_group_of_root);
}

static int check_unknown(struct world *world)
{
	if (drop(world) != ERR_FAULTS || geteuid() != 0)
		return 1;
	return has_fault(world, world->model->group ? "there is no group \"no-such-one\""
						    : "there is no user \"no-such-one\"")
		       ? 0
		       : 2;
}

static void who_is_not_there_is_a_fault_and_nothing_is_dropped(void **state)
{
	struct world *world = *state;
	load(world, "user = \"no-such-one\";");
	assert_child(world, check_unknown);
	model_free(world->model);
	load(world, "user = \"61234\"; group = \"no-such-one\";");
	assert_child(world, check_unknown);
}

static int check_only_root(struct world *world)
{
	if (setuid(NOBODY) != 0)
		return 1;
	return drop(world) == ERR_FAULTS && has_fault(world, "only root can become") ? 0 : 2;
}

static void only_root_becomes_another(void **state)
{
	struct world *world = *state;
	load(world, "user = \"61234\";");
	assert_child(world, check_only_root);
}

static int check_same(struct world *world)
{
	if (setgid(USER) != 0 || setuid(USER) != 0)
		return 1;
	if (drop(world) != 0 || getegid() != USER)
		return 2;
	return has_fault(world, "only root can take another group") == (world->model->group != NULL)
		       ? 0
		       : 3;
}

static void who_is_that_user_already_goes_on(void **state)
{
	struct world *world = *state;
	load(world, "user = \"61234\";");
	assert_child(world, check_same);
	model_free(world->model);
	load(world, "user = \"61234\"; group = \"61235\";");
	assert_child(world, check_same);
}

/* ---- files ---- */

#define MANAGEMENT                                                                                 \
	"user = \"61234\"; management = { socket = \"run/control.sock\"; state = \"state.db\";\n"  \
	"  clients = ( { id = \"ops\"; secret_file = \"ops.secret\"; } ); };\n"

static void own(struct world *world, const char *name, mode_t mode, uid_t uid)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", world->files.directory, name);
	assert_int_equal(chmod(path, mode), 0);
	if (geteuid() == 0)
		assert_int_equal(chown(path, uid, uid), 0);
}

static int check_files(struct world *world)
{
	if (drop(world) != ERR_FAULTS)
		return 1;
	if (!has_fault(world, "ops.secret cannot be read by user without a name (uid 61234"))
		return 2;
	if (!has_fault(world, "more.conf cannot be read by"))
		return 3;
	if (!has_fault(world, "cannot be made by"))
		return 4;
	return world->faults.errors == 3 ? 0 : 5;
}

static void every_file_that_the_user_cannot_use_is_a_fault(void **state)
{
	struct world *world = *state;
	config_text_put(&world->files, "ops.secret", "0123456789abcdef\n");
	load(world, MANAGEMENT);
	own(world, "ops.secret", 0600, 0);
	own(world, "more.conf", 0600, 0);
	own(world, "sluice.conf", 0644, 0);
	assert_child(world, check_files);
}

static int check_state(struct world *world)
{
	if (drop(world) != ERR_FAULTS || world->faults.errors != 1)
		return 1;
	return has_fault(world, "state.db cannot be written by") ? 0 : 2;
}

static void a_state_that_another_made_is_a_fault(void **state)
{
	struct world *world = *state;
	config_text_put(&world->files, "ops.secret", "0123456789abcdef\n");
	config_text_put(&world->files, "state.db", "");
	load(world, MANAGEMENT);
	own(world, "ops.secret", 0600, USER);
	own(world, "state.db", 0600, 0);
	own(world, ".", 0755, USER);
	assert_child(world, check_state);
}

static int check_directory(struct world *world)
{
	char path[128];
	struct stat st;
	snprintf(path, sizeof path, "%s/run", world->files.directory);
	if (drop(world) != 0 || stat(path, &st) != 0)
		return 1;
	return S_ISDIR(st.st_mode) && st.st_uid == USER ? 0 : 2;
}

static void the_socket_s_directory_is_made_for_the_user(void **state)
{
	struct world *world = *state;
	config_text_put(&world->files, "ops.secret", "0123456789abcdef\n");
	load(world, MANAGEMENT);
	own(world, "ops.secret", 0600, USER);
	own(world, ".", 0755, USER);
	assert_child(world, check_directory);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_user_keeps_no_right),
		TEST(a_master_keeps_port_53_over_what_it_executes),
		TEST(a_worker_of_root_keeps_none),
		TEST(a_number_without_a_name_is_its_own_group),
		TEST(a_user_is_found_by_name),
		TEST(a_server_that_is_started_again_stays_its_masters_user),
		TEST(a_server_that_is_started_again_needs_no_user_that_exists),
		TEST(a_user_of_very_many_groups_has_some_of_them),
		TEST(without_a_user_root_stays_root),
		TEST(root_that_stays_root_takes_the_group),
		TEST(who_is_not_there_is_a_fault_and_nothing_is_dropped),
		TEST(only_root_becomes_another),
		TEST(who_is_that_user_already_goes_on),
		TEST(every_file_that_the_user_cannot_use_is_a_fault),
		TEST(a_state_that_another_made_is_a_fault),
		TEST(the_socket_s_directory_is_made_for_the_user),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
