/* What the service manager hears, and how often it wants to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "resolver/control/process/notify.h"
#include "resolver/log.h"

/* ---- a manager ---- */

static int manager = -1;
static char heard_text[2048];

/* In the abstract namespace, at a name that the kernel chooses. */
static int set_up(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t length = sizeof address;
	char name[sizeof address.sun_path + 1];
	(void)state;
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (manager < 0 ||
	    bind(manager, (struct sockaddr *)&address, sizeof address.sun_family) != 0 ||
	    getsockname(manager, (struct sockaddr *)&address, &length) != 0)
		return -1;
	size_t used = length - offsetof(struct sockaddr_un, sun_path) - 1;
	snprintf(name, sizeof name, "@%.*s", (int)used, address.sun_path + 1);
	setenv("NOTIFY_SOCKET", name, 1);
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	log_configure(LOG_ERROR, LOG_TEXT);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(manager);
	unsetenv("NOTIFY_SOCKET");
	return 0;
}

/* The next message; "" when there is none. */
static const char *heard(void)
{
	ssize_t length = recv(manager, heard_text, sizeof heard_text - 1, 0);
	heard_text[length > 0 ? length : 0] = '\0';
	return heard_text;
}

static unsigned count_alive(void)
{
	unsigned count = 0;
	while (*heard())
		count += strcmp(heard_text, "WATCHDOG=1") == 0;
	return count;
}

static void every_state_is_told_by_its_name(void **state)
{
	(void)state;
	notify_ready("generation 1, fine");
	assert_string_equal(heard(), "READY=1\nSTATUS=generation 1, fine");
	notify_reloading();
	unsigned long long since_us = 0;
	assert_int_equal(sscanf(heard(), "RELOADING=1\nMONOTONIC_USEC=%llu", &since_us), 1);
	assert_true(since_us > 0 && since_us <= uv_hrtime() / 1000);
	notify_ended();
	assert_string_equal(heard(), "STATUS=the server has ended, and is started again");
	notify_stopping();
	assert_string_equal(heard(), "STOPPING=1\nSTATUS=stopping");
	notify_alive();
	assert_string_equal(heard(), "WATCHDOG=1");
}

static void a_status_cannot_forge_another_message(void **state)
{
	(void)state;
	notify_ready("fine\nMAINPID=1");
	assert_string_equal(heard(), "READY=1\nSTATUS=fine");
}

static void nobody_is_told_where_nobody_listens(void **state)
{
	(void)state;
	static const char *const nowhere[] = {"", "x", "relative", "/nonexistent/socket"};
	for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++) {
		setenv("NOTIFY_SOCKET", nowhere[i], 1);
		notify_ready("fine");
	}
	unsetenv("NOTIFY_SOCKET");
	notify_ready("fine");
	assert_string_equal(heard(), "");
}

/* The kernel keeps few messages for one who does not read. */
static void a_manager_that_does_not_read_keeps_nobody_waiting(void **state)
{
	(void)state;
	char text[] = "/proc/sys/net/unix/max_dgram_qlen";
	unsigned room = 10;
	FILE *file = fopen(text, "r");
	if (file && fscanf(file, "%u", &room) != 1)
		room = 10;
	if (file)
		fclose(file);
	for (unsigned i = 0; i < room + 5; i++)
		notify_alive();
	notify_stopping(); /* is lost after a moment, and comes back */
	assert_true(count_alive() >= 2);
	notify_stopping();
	assert_string_equal(heard(), "STOPPING=1\nSTATUS=stopping");
}

/* ---- the watchdog ---- */

static void the_period_is_the_manager_s_for_this_process(void **state)
{
	(void)state;
	char pid[16];
	assert_int_equal(notify_watchdog_us(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	assert_int_equal(notify_watchdog_us(), 30000000);
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(notify_watchdog_us(), 30000000);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(notify_watchdog_us(), 0);
	unsetenv("WATCHDOG_PID");
	static const char *const bad[] = {"", "-1", "1s", "99999999999999999999"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		setenv("WATCHDOG_USEC", bad[i], 1);
		assert_int_equal(notify_watchdog_us(), 0);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(every_state_is_told_by_its_name),
		TEST(a_status_cannot_forge_another_message),
		TEST(nobody_is_told_where_nobody_listens),
		TEST(a_manager_that_does_not_read_keeps_nobody_waiting),
		TEST(the_period_is_the_manager_s_for_this_process),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
