/* One request on a handle of its own. libcurl connects to the unix socket whatever the URL's host,
 * and uses no proxy. */
#include "resolver/control/command/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "resolver/control/api/api.h"
#include "resolver/control/base/exit.h"
#include "resolver/control/base/json.h"
#include "resolver/control/base/percent.h"
#include "resolver/control/base/regular_file.h"
#include "resolver/control/config/file.h"
#include "rules/fault.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

enum {
	ANSWER_MAX = 1024 * 1024 * 1024,
	ANSWER_FIRST = 64 * 1024,
	FILE_MAX = 256 * 1024 * 1024,
	LOGIN_MAX = API_LOGIN_MAX + 1,
};

/* ---- the server's socket ---- */

static const char *default_path(void)
{
	const struct field *management = schema_field(&schema_model, "management");
	const struct field *socket = management ? schema_field(management->group, "socket") : NULL;
	return socket && socket->fallback ? socket->fallback : "";
}

/* Whether this is the default file, and missing. */
static bool is_absent(const char *file)
{
	return strcmp(file, COMMAND_CONFIG_DEFAULT) == 0 && access(file, F_OK) != 0 &&
	       errno == ENOENT;
}

/* On failure the faults say why. */
static int read_path(const char *file, char path[CLIENT_PATH_MAX], struct faults *faults)
{
	return config_file_setting(file, "management", "socket", path, CLIENT_PATH_MAX, faults);
}

static bool fail_unread(const char *file, const struct faults *faults)
{
	if (access(file, R_OK) != 0 && errno == EACCES) {
		exit_fail("%s has to be read for the path of the server's control socket, and this "
			  "user may not; run it as root (sudo), or give --socket PATH",
			  file);
		return false;
	}
	faults_print(faults, stderr);
	exit_fail("%s has to be read for the path of the server's control socket; "
		  "correct it, or give --socket PATH",
		  file);
	return false;
}

/* Whether the path is known without reading a file. */
static bool is_given_path(const struct command_line *line, char path[CLIENT_PATH_MAX])
{
	if (!line->socket && !is_absent(line->config))
		return false;
	snprintf(path, CLIENT_PATH_MAX, "%s", line->socket ? line->socket : default_path());
	return true;
}

bool client_socket_path(const struct command_line *line, char path[CLIENT_PATH_MAX])
{
	struct faults faults;
	bool fine = is_given_path(line, path);

	if (fine)
		return true;
	faults_init(&faults);
	fine = read_path(line->config, path, &faults) == 0 || fail_unread(line->config, &faults);
	faults_release(&faults);
	return fine;
}

/* Finds the quoted text after `socket =`, on a line of its own or after a brace. */
static bool find_setting(const char *text, char value[CLIENT_PATH_MAX])
{
	static const char word[] = "socket", before[] = " \t\n{;";

	for (const char *at = text; (at = strstr(at, word)); at++) {
		const char *from = at + sizeof word - 1, *end;

		if (at > text && !strchr(before, at[-1]))
			continue;
		from += strspn(from, " \t");
		if (*from != '=' && *from != ':')
			continue;
		from += 1 + strspn(from + 1, " \t");
		end = *from == '"' ? strpbrk(from + 1, "\"\n") : NULL;
		if (end && *end == '"' && end > from + 1 &&
		    (size_t)(end - from) < CLIENT_PATH_MAX) {
			snprintf(value, CLIENT_PATH_MAX, "%.*s", (int)(end - from - 1), from + 1);
			return true;
		}
	}
	return false;
}

/* Guesses the socket's path from a faulty file. The server has not loaded this file, but most
 * likely the edit that made it faulty has not changed the path. */
static void guess_path(const char *file, char path[CLIENT_PATH_MAX])
{
	char value[CLIENT_PATH_MAX];
	const char *why, *slash = strrchr(file, '/');
	size_t length;
	char *text = regular_file_read(file, FILE_MAX, NULL, &length, &why);

	if (!text || !find_setting(text, value))
		snprintf(path, CLIENT_PATH_MAX, "%s", default_path());
	else if (*value == '/' || !slash)
		snprintf(path, CLIENT_PATH_MAX, "%s", value);
	else
		snprintf(path, CLIENT_PATH_MAX, "%.*s/%s", (int)(slash - file), file, value);
	free(text);
}

bool client_socket_find(const struct command_line *line, char path[CLIENT_PATH_MAX])
{
	struct faults faults;
	bool fine = is_given_path(line, path);

	if (fine)
		return true;
	faults_init(&faults);
	fine = read_path(line->config, path, &faults) == 0;
	if (!fine && access(line->config, R_OK) == 0) {
		guess_path(line->config, path);
		faults_print(&faults, stderr);
		fprintf(stderr, "%s cannot be loaded as it is; the server at %s is asked\n",
			line->config, path);
		fine = true;
	} else if (!fine) {
		fail_unread(line->config, &faults);
	}
	faults_release(&faults);
	return fine;
}

/* ---- one request ---- */

/* False: out of memory. */
static bool put_encoded(FILE *out, const char *text)
{
	size_t size = 3 * strlen(text) + 5;
	char *encoded = malloc(size);
	bool fine = encoded && fputs(percent_encode(encoded, size, text), out) >= 0;
	free(encoded);
	return fine;
}

struct client_top client_top(const char *text)
{
	const char *slash = strchr(text, '/');
	struct client_top top = {GROUP_ANY, slash ? slash + 1 : text};

	if (slash == text)
		snprintf(top.group, sizeof top.group, GROUP_NONE);
	else if (slash)
		snprintf(top.group, sizeof top.group, "%.*s", (int)(slash - text), text);
	return top;
}

char *client_path(const char *format, ...)
{
	char *path = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&path, &length);
	va_list arguments;
	if (!out)
		return NULL;
	va_start(arguments, format);
	bool fine = true;
	for (; *format; format++)
		if (*format == '%')
			fine = put_encoded(out, va_arg(arguments, const char *)) && fine;
		else
			putc(*format, out);
	va_end(arguments);
	fine = !ferror(out) && fine;
	if (fclose(out) == 0 && fine)
		return path;
	free(path);
	return NULL;
}

char *client_add_query(char *path, const char *key, const char *value)
{
	char *encoded = client_path("%", value), *longer = NULL;

	if (path && encoded &&
	    asprintf(&longer, "%s%c%s=%s", path, strchr(path, '?') ? '&' : '?', key, encoded) < 0)
		longer = NULL;
	free(encoded);
	free(path);
	return longer;
}

struct client_answer {
	char *text;
	size_t length, room;
	CURL *curl;
	FILE *out; /* of the call, or a temporary file for it */
};

/* The bytes to send: the JSON as text, or the call's text. */
struct payload {
	const char *text, *type;
	size_t length;
	char *made;
};

static size_t on_data(char *data, size_t size, size_t count, void *context)
{
	struct client_answer *answer = context;
	size_t length = size * count;
	long status = 0;
	curl_easy_getinfo(answer->curl, CURLINFO_RESPONSE_CODE, &status);
	if (answer->out && status < 400)
		return fwrite(data, 1, length, answer->out);
	if (length > ANSWER_MAX - answer->length)
		return 0;
	if (answer->length + length > answer->room) {
		size_t room = answer->room ? answer->room * 2 : ANSWER_FIRST;
		if (room < answer->length + length)
			room = answer->length + length;
		char *grown = realloc(answer->text, room);
		if (!grown)
			return 0;
		answer->text = grown;
		answer->room = room;
	}
	memcpy(answer->text + answer->length, data, length);
	answer->length += length;
	return length;
}

static bool copy_spool(FILE *spool, FILE *out)
{
	char block[65536];
	size_t length;

	if (fflush(spool) != 0 || fseek(spool, 0, SEEK_SET) != 0)
		return false;
	while ((length = fread(block, 1, sizeof block, spool)) > 0)
		if (fwrite(block, 1, length, out) != length)
			return false;
	return !ferror(spool);
}

/* The socket's errno in words, because libcurl only says that it could not connect. */
static const char *why_not(const char *path, CURLcode failed, long os_error)
{
	if (strlen(path) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
		return strerror(ENAMETOOLONG);
	if (failed == CURLE_OPERATION_TIMEDOUT)
		return "the server did not answer in time";
	if (failed == CURLE_GOT_NOTHING || failed == CURLE_RECV_ERROR || failed == CURLE_SEND_ERROR)
		return "the server hung up";
	if (failed != CURLE_COULDNT_CONNECT)
		return curl_easy_strerror(failed);
	return os_error == EACCES ? "permission denied; only root and the server's own user may ask"
	       : os_error == EAGAIN ? "the server is busy"
	       : strcmp(path, default_path()) == 0
		       ? "no server is running there; for another one, give its -c FILE or --socket"
		       : "no server is running there";
}

/* Adds a header; false: out of memory. */
static bool add_header(struct curl_slist **headers, const char *name, const char *value)
{
	char *line = NULL;
	struct curl_slist *longer = NULL;
	if (!value)
		return true;
	if (asprintf(&line, "%s: %s", name, value) >= 0) {
		longer = curl_slist_append(*headers, line);
		free(line);
	}
	if (longer)
		*headers = longer;
	return longer != NULL;
}

static int on_progress(void *context, curl_off_t all_down, curl_off_t down, curl_off_t all_up,
		       curl_off_t up)
{
	const struct client_call *call = context;
	(void)all_down;
	if (down == 0)
		call->on_sent(call->context, (uint64_t)up, (uint64_t)all_up);
	return 0;
}

/* The login, even behind sudo, from the kernel's record (pam_loginuid(8)); "": none, as in a
 * service. */
static void read_login(char login[LOGIN_MAX])
{
	FILE *in = fopen("/proc/self/loginuid", "r");
	const struct passwd *person;
	unsigned uid = UINT_MAX;

	*login = '\0';
	if (in && fscanf(in, "%u", &uid) == 1 && uid != UINT_MAX) {
		person = getpwuid(uid);
		if (person)
			snprintf(login, LOGIN_MAX, "%s", person->pw_name);
		else
			snprintf(login, LOGIN_MAX, "%u", uid);
	}
	if (in)
		fclose(in);
}

/* Sends the login with changes, for the history. */
static bool add_login(struct curl_slist **headers, const char *method)
{
	char login[LOGIN_MAX];

	if (strcmp(method, "GET") == 0)
		return true;
	read_login(login);
	return add_header(headers, API_LOGIN_HEADER, *login ? login : NULL);
}

/* Sets libcurl's options; false: out of memory. */
static bool set_up(CURL *curl, const char *socket, const struct client_call *call,
		   const struct payload *payload, const char *url, struct curl_slist **headers,
		   struct client_answer *answer)
{
	long timeout_ms = call->timeout_ms == 0  ? CLIENT_TIMEOUT_MS
			  : call->timeout_ms < 0 ? 0
						 : call->timeout_ms;
	bool fine = add_header(headers, "If-None-Match", call->if_none_match) &&
		    add_header(headers, "Accept", call->accept) &&
		    add_login(headers, call->method) &&
		    (call->text || add_header(headers, "Expect", "")) &&
		    add_header(headers, "Content-Type", payload->type) &&
		    curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
		    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket) == CURLE_OK &&
		    curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
		    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method) == CURLE_OK;
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, *headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	if (payload->text) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)payload->length);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, payload->text);
	}
	if (call->on_sent) {
		curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
		curl_easy_setopt(curl, CURLOPT_XFERINFODATA, call);
		curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	}
	return fine;
}

/* No socket, or one that an ended server has left. */
static bool is_no_server(CURLcode failed, long os_error)
{
	return failed == CURLE_COULDNT_CONNECT &&
	       (os_error == ENOENT || os_error == ENOTDIR || os_error == ECONNREFUSED);
}

static json_t *perform(CURL *curl, const char *socket, const struct client_answer *answer,
		       bool *absent, unsigned *status, char error[CLIENT_ERROR_MAX])
{
	long os_error = 0, code = 0;
	CURLcode failed = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_error);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
	if (absent)
		*absent = is_no_server(failed, os_error);
	if (failed != CURLE_OK) {
		snprintf(error, CLIENT_ERROR_MAX, "control socket %.120s: %s", socket,
			 why_not(socket, failed, os_error));
		return NULL;
	}
	*status = (unsigned)code;
	json_t *body = answer->length == 0
			       ? json_null()
			       : json_loadb(answer->text, answer->length, JSON_DECODE_ANY, NULL);
	if (!body)
		snprintf(error, CLIENT_ERROR_MAX, "control socket %.120s: the answer is not JSON",
			 socket);
	return body;
}

/* False: out of memory. */
static bool payload_init(struct payload *payload, const struct client_call *call)
{
	*payload = (struct payload){
		.text = call->text, .length = call->text_length, .type = call->text_type};
	if (!call->body)
		return true;
	payload->made = json_dumps(call->body, JSON_COMPACT | JSON_ENCODE_ANY);
	payload->text = payload->made;
	payload->length = payload->made ? strlen(payload->made) : 0;
	payload->type = "application/json";
	return payload->made != NULL;
}

json_t *client_call(const char *socket, struct client_call call, unsigned *status,
		    char error[CLIENT_ERROR_MAX])
{
	struct curl_slist *headers = NULL;
	struct client_answer answer = {.curl = curl_easy_init(),
				       .out = call.spool ? tmpfile() : call.out};
	struct payload payload;
	char *url = NULL;
	json_t *body = NULL;
	snprintf(error, CLIENT_ERROR_MAX, "%s", err_text(ERR_NOMEM));
	if (call.spool && !answer.out)
		snprintf(error, CLIENT_ERROR_MAX, "no temporary file for the answer: %s",
			 strerror(errno));
	if (payload_init(&payload, &call) && answer.curl && (!call.spool || answer.out) &&
	    asprintf(&url, "http://sluice%s", call.path) >= 0 &&
	    set_up(answer.curl, socket, &call, &payload, url, &headers, &answer))
		body = perform(answer.curl, socket, &answer, call.absent, status, error);
	if (body && *status < 400 && call.spool && !copy_spool(answer.out, call.out)) {
		snprintf(error, CLIENT_ERROR_MAX, "the answer cannot be written: %s",
			 strerror(errno));
		json_decref(body);
		body = NULL;
	}
	if (call.spool && answer.out)
		fclose(answer.out);
	curl_easy_cleanup(answer.curl);
	curl_slist_free_all(headers);
	free(answer.text);
	free(url);
	free(payload.made);
	json_decref(call.body);
	return body;
}

/* ---- for commands ---- */

const char *client_error_text(const json_t *body)
{
	const char *text =
		json_string_value(json_object_get(json_object_get(body, "error"), "message"));
	return text ? text : json_string_value(json_object_get(body, "message"));
}

enum { FAULTS_SHOWN = 20 };

/* For "edits[3].address" returns 3 and makes *field "address"; SIZE_MAX: the fault is about no
 * edit. */
static size_t edit_of(const json_t *edits, const char **field)
{
	unsigned index;
	int used = 0;

	if (!*field || sscanf(*field, "edits[%u]%n", &index, &used) != 1 || used == 0 ||
	    index >= json_array_size(edits))
		return SIZE_MAX;
	*field += used + ((*field)[used] == '.');
	return index;
}

/* Names the file's line or the edit's path: users do not see the request's body, so "edits[3]"
 * would mean nothing to them. */
static void add_fault(struct faults *faults, const struct client_call *call, const json_t *edits,
		      const char *field, const char *text)
{
	size_t index = edit_of(edits, &field);
	const json_t *edit = json_array_get(edits, index);
	struct origin origin = {.path = field ? field : ""};

	if (call->line_of)
		origin.line = call->line_of(call->context, index, origin.path);
	if (origin.line > 0)
		origin.file = call->file;
	else if (edit && *origin.path)
		origin.path = arena_printf(&faults->arena, "%s: %s", json_text_of(edit, "path"),
					   origin.path);
	else if (edit)
		origin.path = json_text_of(edit, "path");
	fault_add(faults, FAULT_ERROR, &origin, NULL, "%s", text);
}

/* Reads all faults: the error's message has only the first. */
static void read_faults(struct faults *faults, const struct client_call *call, const json_t *edits,
			const json_t *error, const char *text)
{
	const json_t *fault;
	size_t i;

	json_array_foreach(json_object_get(error, "faults"), i, fault)
	{
		if (strcmp(json_text_of(fault, "severity"), "error") == 0)
			add_fault(faults, call, edits,
				  json_string_value(json_object_get(fault, "path")),
				  json_text_of(fault, "text"));
	}
	if (faults->errors == 0 && text)
		add_fault(faults, call, edits, json_string_value(json_object_get(error, "path")),
			  text);
	faults_sort(faults);
}

static void print_fault(const struct command_line *line, const struct fault *fault)
{
	const char *path = fault->origin.path ? fault->origin.path : "";
	const char *colon = *path ? ": " : "";

	if (!fault->origin.file) {
		command_fail_at(line, "%s%s%s", path, colon, fault->text);
		return;
	}
	text_print(stderr, fault->origin.file);
	fprintf(stderr, ":%u: ", fault->origin.line);
	text_print(stderr, path);
	fputs(colon, stderr);
	text_print(stderr, fault->text);
	fputc('\n', stderr);
}

/* Prints the error's faults with the members they are about, not only its message. */
static void print_error(const struct command_line *line, const struct client_call *call,
			const json_t *edits, const json_t *answer, unsigned status)
{
	const json_t *error = json_object_get(answer, "error");
	struct faults faults;

	faults_init(&faults);
	read_faults(&faults, call, edits, error, client_error_text(answer));
	for (size_t i = 0; i < faults.count && i < FAULTS_SHOWN; i++)
		print_fault(line, &faults.items[i]);
	if (faults.errors > FAULTS_SHOWN)
		command_fail_at(line, "and %zu more", faults.errors - FAULTS_SHOWN);
	if (faults.errors == 0)
		command_fail_at(line, "the server answers with HTTP status %u", status);
	faults_release(&faults);
}

json_t *client_ask(const struct command_line *line, struct client_call call, char *path)
{
	char socket[CLIENT_PATH_MAX], error[CLIENT_ERROR_MAX];
	bool has_body = call.body;
	unsigned status = 0;
	json_t *answer = NULL, *edits = json_incref(json_object_get(call.body, "edits"));
	call.path = path;
	call.body = has_body ? json_whole(call.body) : NULL;
	snprintf(error, sizeof error, "%s", err_text(ERR_NOMEM));
	bool found = client_socket_path(line, socket);
	if (found && path && (call.body || !has_body))
		answer = client_call(socket, call, &status, error);
	else
		json_decref(call.body);
	free(path);
	if (found && !answer)
		command_fail_at(line, "%s", error);
	if (answer && status >= 400) {
		print_error(line, &call, edits, answer, status);
		if (call.refusal)
			*call.refusal = json_incref(answer);
		json_decref(answer);
		answer = NULL;
	}
	json_decref(edits);
	return answer;
}
