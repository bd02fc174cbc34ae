/* `sluice az setup`: what makes Azure's command line go to this server, printed as a script, or
 * done:
 *
 *     extension   into az's own directory (az_extension.h)
 *     cloud       registered by its URL, and made the one that az uses
 *     login       by a client of management.clients, whose secret az reads from the client's file,
 *                 so that it is on no command line
 *
 * Everything that could be in the way is looked for before anything is changed. A cloud of that
 * name with another URL stays as it is. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "resolver/control/az_extension.h"
#include "resolver/control/command.h"
#include "resolver/control/config_file.h"

extern char **environ;

enum { ARGUMENTS_MAX = 12, ANSWER_MAX = 1024, URL_MAX = 512 };

struct az_plan {
	const struct command_line *line;
	struct model *model; /* NULL: the URL was given, and the configuration not read */
	const char *cloud;
	char url[URL_MAX];
	const char *client;
	char secret[PATH_MAX + 1]; /* "@FILE" of the client; "": not known, and az asks */
	char directory[PATH_MAX], extension[PATH_MAX];
};

/* ---- what is wanted ---- */

/* An address to listen at is none to go to when it means all of them. */
static bool is_reachable(const char *url)
{
	return strncasecmp(url, "https://0.0.0.0:", 16) != 0 &&
	       strncasecmp(url, "https://[::]:", 13) != 0;
}

static int choose_url(struct az_plan *plan)
{
	const struct command_line *line = plan->line;
	const char *url = line->argument_count > 0 ? line->arguments[0] : NULL;
	const struct management *management = plan->model ? &plan->model->management : NULL;
	for (size_t i = 0; !url && management && i < management->listen.count; i++)
		if (strncasecmp(management->listen.items[i], "https:", 6) == 0)
			url = management->listen.items[i];
	if (!url)
		return command_fail_at(line,
				       "%s has no https:// in management.listen, and az takes no "
				       "other; add one, with its certificate, or give the URL",
				       line->config);
	size_t length = strlen(url);
	while (length > 0 && url[length - 1] == '/')
		length--;
	if (strncasecmp(url, "https://", 8) != 0 || length <= 8 || length >= URL_MAX)
		return command_misuse(line, "\"%s\" is no https:// URL", url);
	if (!is_reachable(url))
		return command_fail_at(line,
				       "%s is where the server listens; give the URL by which it "
				       "is reached",
				       url);
	snprintf(plan->url, sizeof plan->url, "%.*s", (int)length, url);
	return COMMAND_FINE;
}

/* The one that is named, else the first admin. */
static const struct management_client *find_client(const struct az_plan *plan)
{
	const struct management *management = &plan->model->management;
	for (size_t i = 0; i < management->clients.count; i++) {
		const struct management_client *client = &management->clients.items[i];
		if (plan->line->client ? strcmp(client->id, plan->line->client) == 0
				       : client->role == ROLE_ADMIN)
			return client;
	}
	return NULL;
}

static int choose_client(struct az_plan *plan)
{
	const struct command_line *line = plan->line;
	plan->client = line->client ? line->client : "CLIENT";
	if (!plan->model)
		return COMMAND_FINE;
	const struct management_client *client = find_client(plan);
	if (!client && line->client)
		return command_fail_at(line, "%s has no client \"%s\" in management.clients",
				       line->config, line->client);
	if (!client)
		return command_fail_at(line,
				       "%s has no admin in management.clients, to log in as; add "
				       "one",
				       line->config);
	plan->client = client->id;
	snprintf(plan->secret, sizeof plan->secret, "@%s", client->secret_file);
	return COMMAND_FINE;
}

static int read_configuration(struct az_plan *plan)
{
	static const struct hash_key any_key = {1, 2};
	struct faults faults;
	faults_init(&faults);
	plan->model = config_file_read(plan->line->config, &any_key, NULL, &faults);
	bool fine = plan->model && faults.errors == 0;
	if (!fine)
		faults_print(&faults, stderr);
	faults_release(&faults);
	return fine ? COMMAND_FINE
		    : command_fail_at(plan->line, "mend %s, or give the URL", plan->line->config);
}

static int make_plan(struct az_plan *plan)
{
	const struct command_line *line = plan->line;
	char text[AZ_TEXT_MAX];
	plan->cloud = line->cloud ? line->cloud : "sluice";
	int status = line->argument_count > 0 ? COMMAND_FINE : read_configuration(plan);
	if (status == COMMAND_FINE)
		status = choose_url(plan);
	if (status == COMMAND_FINE)
		status = choose_client(plan);
	if (status != COMMAND_FINE)
		return status;
	if (!az_config_directory(plan->directory))
		return command_fail_at(line, "where does az keep its things? set AZURE_CONFIG_DIR");
	if (!az_extension_source(plan->extension))
		return command_fail_at(line, "the extension of az is not beside this program, in "
					     "../share/sluice/az; install it");
	if (az_extension_check(plan->extension, plan->directory, text) != 0)
		return command_fail_at(line, "%s", text);
	return COMMAND_FINE;
}

/* ---- printed ---- */

/* As one word of a shell's. */
static void print_word(const char *word)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    "-._~/:@%+=,[]";
	if (*word && strspn(word, plain) == strlen(word) && !strpbrk(word, "~[]")) {
		fputs(word, stdout);
		return;
	}
	putchar('\'');
	for (; *word; word++)
		if (*word == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*word);
	putchar('\'');
}

static void print_line(const char *const *words)
{
	for (size_t i = 0; words[i]; i++) {
		if (i > 0)
			putchar(' ');
		print_word(words[i]);
	}
	putchar('\n');
}

struct az_words {
	const char *items[ARGUMENTS_MAX];
};

static struct az_words register_words(const struct az_plan *plan)
{
	return (struct az_words){{"az", "cloud", "register", "--name", plan->cloud,
				  "--endpoint-resource-manager", plan->url}};
}

static struct az_words set_words(const struct az_plan *plan)
{
	return (struct az_words){{"az", "cloud", "set", "--name", plan->cloud}};
}

static struct az_words login_words(const struct az_plan *plan)
{
	return (struct az_words){{"az", "login", "--service-principal", "--tenant", "adfs", "-u",
				  plan->client, *plan->secret ? "-p" : NULL, plan->secret}};
}

static int print_plan(const struct az_plan *plan)
{
	const char *certificate = plan->model ? plan->model->management.certificate : NULL;
	char folder[2 * PATH_MAX], file[2 * PATH_MAX];
	snprintf(folder, sizeof folder, "%s/cliextensions", plan->directory);
	snprintf(file, sizeof file, "%s/commandIndex.json", plan->directory);
	printf("# Where the system does not trust the server's certificate:\n");
	printf("#   export REQUESTS_CA_BUNDLE=%s\n", certificate ? certificate : "FILE.pem");
	printf("# So that az tells Microsoft nothing of what it does here:\n");
	printf("#   export AZURE_CORE_COLLECT_TELEMETRY=0\n");
	print_line((const char *const[]){"mkdir", "-p", folder, NULL});
	print_line((const char *const[]){"cp", "-R", plan->extension, folder, NULL});
	print_line((const char *const[]){"rm", "-f", file, NULL});
	print_line(register_words(plan).items);
	print_line(set_words(plan).items);
	print_line(login_words(plan).items);
	return COMMAND_FINE;
}

/* ---- done ---- */

/* Reads all of it, and keeps the beginning. */
static void read_answer(int fd, char answer[ANSWER_MAX])
{
	char rest[256];
	size_t length = 0;
	ssize_t got;
	do {
		bool fits = length < ANSWER_MAX - 1;
		got = fits ? read(fd, answer + length, ANSWER_MAX - 1 - length)
			   : read(fd, rest, sizeof rest);
		length += fits && got > 0 ? (size_t)got : 0;
	} while (got > 0 || (got < 0 && errno == EINTR));
	answer[length] = '\0';
}

/* Runs az to its end. With an `answer` what it prints goes there, and its complaints nowhere. Its
 * exit status; -1: it cannot be run, errno. */
static int run_az(const struct az_words *words, char *answer)
{
	posix_spawn_file_actions_t actions;
	int ends[2] = {-1, -1}, status = -1;
	pid_t child;
	if (answer && pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	int err = posix_spawn_file_actions_init(&actions);
	if (!err && answer) {
		posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
		posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	}
	if (!err)
		err = posix_spawnp(&child, words->items[0], &actions, NULL,
				   (char *const *)(uintptr_t)words->items, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (answer) {
		close(ends[1]);
		read_answer(ends[0], answer);
		close(ends[0]);
	}
	while (!err && waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	errno = err;
	if (err)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int perform(const struct az_plan *plan, struct az_words words)
{
	print_line(words.items);
	fflush(stdout);
	int status = run_az(&words, NULL);
	if (status < 0)
		return command_fail_at(plan->line, "az cannot be run: %s", strerror(errno));
	return status == 0 ? COMMAND_FINE
			   : command_fail_at(plan->line, "az has failed, status %d", status);
}

/* Whether a cloud of the name is there; one with another URL is somebody else's. */
static int look_for_cloud(const struct az_plan *plan, bool *is_there)
{
	const struct az_words words = {{"az", "cloud", "show", "--name", plan->cloud, "--query",
					"endpoints.resourceManager", "--output", "tsv"}};
	char url[ANSWER_MAX];
	int status = run_az(&words, url);
	if (status < 0)
		return command_fail_at(plan->line, "az cannot be run: %s; install azure-cli",
				       strerror(errno));
	*is_there = status == 0;
	url[strcspn(url, "\r\n")] = '\0';
	for (size_t length = strlen(url); length > 0 && url[length - 1] == '/'; length--)
		url[length - 1] = '\0';
	if (!*is_there || strcasecmp(url, plan->url) == 0)
		return COMMAND_FINE;
	return command_fail_at(plan->line,
			       "az has a cloud \"%s\" already, at %s; give another name with "
			       "--cloud, or take that one away: az cloud unregister --name %s",
			       plan->cloud, url, plan->cloud);
}

static int perform_plan(const struct az_plan *plan)
{
	char text[AZ_TEXT_MAX];
	bool is_there = false;
	int status = look_for_cloud(plan, &is_there);
	if (status != COMMAND_FINE)
		return status;
	if (az_extension_install(plan->extension, plan->directory, text) != 0)
		return command_fail_at(plan->line, "%s", text);
	printf("%s/cliextensions/sluice is there\n", plan->directory);
	if (!is_there)
		status = perform(plan, register_words(plan));
	if (status == COMMAND_FINE)
		status = perform(plan, set_words(plan));
	if (status == COMMAND_FINE && plan->line->client)
		return perform(plan, login_words(plan));
	if (status == COMMAND_FINE) {
		printf("now log in:\n  ");
		print_line(login_words(plan).items);
	}
	return status;
}

int command_az_setup(const struct command_line *line)
{
	struct az_plan *plan = calloc(1, sizeof *plan);
	if (!plan)
		return command_fail_at(line, "there is no memory for it");
	plan->line = line;
	int status = make_plan(plan);
	if (status == COMMAND_FINE)
		status = line->perform ? perform_plan(plan) : print_plan(plan);
	model_free(plan->model);
	free(plan);
	return status;
}
