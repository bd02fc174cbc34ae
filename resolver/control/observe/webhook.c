#include "resolver/control/observe/webhook.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "resolver/control/base/json.h"
#include "resolver/control/base/signals.h"
#include "resolver/control/base/threads.h"
#include "rules/text.h"

enum { IDLE_MS = 10 * 1000, END_S = 1, ANSWER_MAX = 64 * 1024 };

struct settings {
	char *url, *ca; /* url NULL: the webhook is off */
	enum log_level level;
};

static struct {
	pthread_mutex_t lock;
	pthread_t thread;
	bool runs, ends;
	struct settings settings;
	unsigned version; /* of the settings */
} webhook = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void settings_release(struct settings *settings)
{
	free(settings->url);
	free(settings->ca);
	*settings = (struct settings){0};
}

/* False: out of memory. */
static bool settings_copy(struct settings *to, const char *url, const char *ca,
			  enum log_level level)
{
	*to = (struct settings){url ? strdup(url) : NULL, ca ? strdup(ca) : NULL, level};
	if ((url && !to->url) || (ca && !to->ca)) {
		settings_release(to);
		return false;
	}
	return true;
}

static bool ends(void)
{
	bool is_over;

	pthread_mutex_lock(&webhook.lock);
	is_over = webhook.ends;
	pthread_mutex_unlock(&webhook.lock);
	return is_over;
}

/* ---- the body ---- */

struct batch {
	enum log_level level;
	json_t *array;
	uint64_t last; /* events up to this id are in the array, or below the level */
};

static bool add(void *context, const struct event *event)
{
	struct batch *batch = context;

	if (json_array_size(batch->array) == WEBHOOK_EVENTS_MAX)
		return false;
	batch->last = event->id;
	/* Events about the webhook itself are not sent: each failure would cause further calls. */
	if (event->level <= batch->level && strcmp(event->name, "webhook") != 0)
		json_add(batch->array, event_json(event, false));
	return true;
}

/* The body of the events after `*after`, to be freed. NULL: there is nothing to send, and `*after`
 * moves on, or there is no memory, and `*after` stays. */
static char *body_after(uint64_t *after, enum log_level level, uint64_t *last)
{
	struct batch batch = {level, json_array(), *after};
	char host[256] = "";
	json_t *events;

	events_each(*after, add, &batch);
	*last = batch.last;
	events = json_whole(batch.array);
	if (!events)
		return NULL;
	if (json_array_size(events) == 0) {
		*after = batch.last;
		json_decref(events);
		return NULL;
	}
	if (gethostname(host, sizeof host - 1) != 0)
		host[0] = '\0';
	return json_whole_text(json_make("{s:o, s:o}", "host", json_text(host), "events", events));
}

/* ---- sending ---- */

/* Only the status of an answer counts. Its body is read up to ANSWER_MAX, because it may be
 * endless. */
static size_t pass_over(char *text, size_t size, size_t count, void *context)
{
	size_t *read = context;

	(void)text;
	*read += size * count;
	return *read <= ANSWER_MAX ? size * count : 0;
}

static int on_progress(void *context, curl_off_t all_down, curl_off_t down, curl_off_t all_up,
		       curl_off_t up)
{
	(void)context;
	(void)all_down;
	(void)down;
	(void)all_up;
	(void)up;
	return ends();
}

/* NULL: delivered; else why not, in `error`. */
static const char *post(const struct settings *settings, const char *body,
			char error[CURL_ERROR_SIZE])
{
	CURL *curl = curl_easy_init();
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	CURLcode failed = CURLE_OUT_OF_MEMORY;
	long status = 0;
	size_t read = 0;

	error[0] = '\0';
	if (curl && headers && curl_easy_setopt(curl, CURLOPT_URL, settings->url) == CURLE_OK &&
	    (!settings->ca || curl_easy_setopt(curl, CURLOPT_CAINFO, settings->ca) == CURLE_OK)) {
		curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
		curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
		curl_easy_setopt(curl, CURLOPT_PROXY, "");
		curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
		curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)WEBHOOK_TIMEOUT_S);
		curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
		curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, pass_over);
		curl_easy_setopt(curl, CURLOPT_WRITEDATA, &read);
		curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
		curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
		failed = curl_easy_perform(curl);
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	}
	if (read > ANSWER_MAX) { /* its status was enough */
		failed = CURLE_OK;
		error[0] = '\0';
	}
	if (failed && !*error)
		snprintf(error, CURL_ERROR_SIZE, "%s", curl_easy_strerror(failed));
	else if (!failed && status / 100 != 2)
		snprintf(error, CURL_ERROR_SIZE, "it answers %ld", status);
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	return *error ? error : NULL;
}

/* ---- the thread ---- */

/* True: the settings are new. If memory is short the old ones stay until the next time. */
static bool take_settings(struct settings *settings, unsigned *version)
{
	struct settings newer;
	bool is_newer = false;

	pthread_mutex_lock(&webhook.lock);
	if (*version != webhook.version) {
		is_newer = settings_copy(&newer, webhook.settings.url, webhook.settings.ca,
					 webhook.settings.level);
		if (is_newer) {
			settings_release(settings);
			*settings = newer;
			*version = webhook.version;
		}
	}
	pthread_mutex_unlock(&webhook.lock);
	return is_newer;
}

/* Logs the first failure, and the first success after it. */
static void tell(const char *why, unsigned *failures)
{
	if (why && *failures == 0)
		log_event(LOG_WARNING, "webhook",
			  "events.webhook cannot be called: %s; it is tried again", why);
	else if (!why && *failures > 0)
		log_event(LOG_INFO, "webhook", "events.webhook is called again, after %u failure%s",
			  *failures, text_plural(*failures, "", "s"));
	*failures = why ? *failures + 1 : 0;
}

static void *run(void *unused)
{
	struct settings settings = {0};
	unsigned version = 0, failures = 0, pause_s;
	char error[CURL_ERROR_SIZE], *body;
	uint64_t after = 0, last = 0;
	const char *why;

	(void)unused;
	threads_join();
	while (!ends()) {
		if (take_settings(&settings, &version))
			failures = 0;
		body = settings.url ? body_after(&after, settings.level, &last) : NULL;
		if (!body) {
			events_wait(settings.url ? last : UINT64_MAX, IDLE_MS);
			continue;
		}
		why = post(&settings, body, error);
		free(body);
		if (ends())
			break;
		tell(why, &failures);
		if (!why)
			after = last;
		pause_s = WEBHOOK_RETRY_S << (failures < 7 ? failures : 7) >> 1;
		if (why)
			events_wait(UINT64_MAX,
				    1000 * (pause_s < WEBHOOK_RETRY_MAX_S ? pause_s
									  : WEBHOOK_RETRY_MAX_S));
	}
	settings_release(&settings);
	return NULL;
}

int webhook_configure(const struct events_settings *wanted)
{
	struct settings settings;
	sigset_t before;
	int err = 0;

	if (!wanted->webhook && !webhook.runs)
		return 0;
	if (!settings_copy(&settings, wanted->webhook, wanted->webhook_ca, wanted->level))
		return ERR_NOMEM;
	pthread_mutex_lock(&webhook.lock);
	settings_release(&webhook.settings);
	webhook.settings = settings;
	webhook.version++;
	if (!webhook.runs) {
		signals_block(&before);
		err = pthread_create(&webhook.thread, NULL, run, NULL) == 0 ? 0 : ERR_SYSTEM;
		signals_restore(&before);
		webhook.runs = err == 0;
	}
	pthread_mutex_unlock(&webhook.lock);
	events_interrupt();
	return err;
}

void webhook_end(void)
{
	struct timespec until;

	if (!webhook.runs)
		return;
	pthread_mutex_lock(&webhook.lock);
	webhook.ends = true;
	pthread_mutex_unlock(&webhook.lock);
	events_interrupt();
	/* A thread that waits for the URL's host name cannot be woken; the process ends anyway. */
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += END_S;
	if (pthread_timedjoin_np(webhook.thread, NULL, &until) != 0) {
		pthread_detach(webhook.thread);
		return;
	}
	settings_release(&webhook.settings);
	webhook.runs = webhook.ends = false;
}
