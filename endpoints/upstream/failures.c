#include "endpoints/upstream/failures.h"

#include <string.h>

#include "rules/base.h"

static const struct {
	const char *text, *sentence;
} errors[] = {
#define X(name, text, sentence) {text, sentence},
	TARGET_ERROR_MAP(X)
#undef X
};

const char *target_error_text(enum target_error error)
{
	size_t i = (size_t)error;

	return i < COUNT(errors) ? errors[i].text : "unknown error";
}

const char *target_error_sentence(enum target_error error)
{
	size_t i = (size_t)error;

	return i < COUNT(errors) ? errors[i].sentence : "fails";
}

bool target_error_is_answer(enum target_error error)
{
	return (error >= TARGET_ERROR_SERVFAIL && error <= TARGET_ERROR_CLOSED) ||
	       error == TARGET_ERROR_TRUNCATED || target_error_is_entered(error);
}

bool target_error_is_entered(enum target_error error)
{
	return error >= TARGET_ERROR_LOOP && error <= TARGET_ERROR_INNER;
}

bool target_error_is_ours(enum target_error error)
{
	return error >= TARGET_ERROR_FULL && error <= TARGET_ERROR_OVER;
}

void failures_init(struct failures *failures)
{
	memset(failures, 0, sizeof *failures);
	pthread_mutex_init(&failures->lock, NULL);
}

void failures_destroy(struct failures *failures)
{
	pthread_mutex_destroy(&failures->lock);
}

static bool is_forgotten(const struct failures_row *row, uint64_t now_us)
{
	return now_us >= row->last_us + (uint64_t)FAILURES_KEPT_S * 1000000;
}

/* The question's index; if it has none, the index of the question that was counted longest ago. */
static unsigned find_question(const struct failures_row *row, uint64_t name, uint16_t type)
{
	unsigned oldest = 0;

	for (unsigned i = 0; i < FAILURES_QUESTIONS; i++) {
		if (row->questions[i].counted_us != 0 && row->questions[i].name == name &&
		    row->questions[i].type == type)
			return i;
		if (row->questions[i].counted_us < row->questions[oldest].counted_us)
			oldest = i;
	}
	return oldest;
}

static bool is_repeat(const struct failures_row *row, unsigned at, uint64_t name, uint16_t type,
		      uint64_t now_us)
{
	return row->questions[at].counted_us != 0 && row->questions[at].name == name &&
	       row->questions[at].type == type &&
	       now_us < row->questions[at].counted_us + (uint64_t)FAILURES_REPEAT_S * 1000000;
}

static void add(struct failures_row *row, uint64_t name, uint16_t type, uint64_t now_us)
{
	unsigned i = 0, at;

	if (is_forgotten(row, now_us))
		*row = (struct failures_row){.count = 0};
	if (row->count == 0)
		row->began_us = now_us;
	row->last_us = now_us;
	at = find_question(row, name, type);
	if (is_repeat(row, at, name, type, now_us))
		return;
	row->questions[at].name = name;
	row->questions[at].type = type;
	row->questions[at].counted_us = now_us;
	row->count += row->count < UINT32_MAX;
	while (i < row->name_count && row->names[i] != name)
		i++;
	if (i == row->name_count && i < FAILURES_NAMES)
		row->names[row->name_count++] = name;
}

bool failures_add(struct failures *failures, uint64_t name, uint16_t type, enum target_error error,
		  const struct host *host, uint64_t at_us, uint64_t now_us)
{
	pthread_mutex_lock(&failures->lock);
	uint32_t before = failures->all.count;
	if (at_us >= now_us || (before > 0 && at_us >= failures->all.began_us)) {
		add(&failures->all, name, type, now_us);
		if (target_error_is_answer(error)) {
			add(&failures->errors, name, type, now_us);
			failures->error = error;
			failures->host = host ? *host : (struct host){.port = 0};
		}
	}
	uint32_t after = failures->all.count;
	atomic_store_explicit(&failures->count, after, memory_order_relaxed);
	pthread_mutex_unlock(&failures->lock);
	return before == 0 && after > 0;
}

bool failures_end_row(struct failures *failures, uint64_t at_us)
{
	pthread_mutex_lock(&failures->lock);
	bool ends = failures->all.count > 0 && at_us >= failures->all.last_us;
	if (ends) {
		memset(&failures->all, 0, sizeof failures->all);
		memset(&failures->errors, 0, sizeof failures->errors);
		atomic_store_explicit(&failures->count, 0, memory_order_relaxed);
		atomic_store_explicit(&failures->ended_us, at_us, memory_order_relaxed);
	}
	pthread_mutex_unlock(&failures->lock);
	return ends;
}

static bool is_long(const struct failures_row *row, uint64_t now_us)
{
	return row->count >= FAILURES_ROW && row->name_count >= FAILURES_NAMES &&
	       now_us >= row->began_us + (uint64_t)FAILURES_AGE_S * 1000000 &&
	       !is_forgotten(row, now_us);
}

void failures_read(struct failures *failures, uint64_t now_us, struct failures_now *now)
{
	now->kind = FAILURES_FEW;
	if (!failures_have_begun(failures))
		return;
	pthread_mutex_lock(&failures->lock);
	if (is_long(&failures->errors, now_us))
		now->kind = FAILURES_OF_ERRORS;
	else if (is_long(&failures->all, now_us))
		now->kind = FAILURES_OF_NAMES;
	now->row = now->kind == FAILURES_OF_ERRORS ? failures->errors : failures->all;
	now->error = failures->error;
	now->host = failures->host;
	pthread_mutex_unlock(&failures->lock);
}
