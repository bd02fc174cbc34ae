#include "resolver/control/command/print.h"

#include "resolver/control/base/json.h"
#include "resolver/control/base/table.h"
#include "resolver/control/observe/explain.h"
#include "rules/err.h"
#include "rules/text.h"

static bool has(const json_t *object, const char *key)
{
	return json_is_string(json_object_get(object, key));
}

/* The policy's texts for the stable words of the JSON. */
struct phrase {
	const char *word, *text;
};
#define X(name, word, text) {word, text},
static const struct phrase decided_phrases[] = {DECIDED_MAP(X){NULL, NULL}};
#undef X
#define X(name, text) {#name, text},
static const struct phrase trace_phrases[] = {TRACE_MAP(X){NULL, NULL}};
#undef X

static const char *phrase(const struct phrase *phrases, const char *word)
{
	for (; phrases->word; phrases++)
		if (strcasecmp(phrases->word, word) == 0)
			return phrases->text;
	return word;
}

/* Names are configured with or without the final dot. */
static bool same_name(const char *object, const char *suffix)
{
	size_t length = strlen(object);
	return length > 0 && strncasecmp(object, suffix, length) == 0 &&
	       (suffix[length] == '\0' || strcmp(suffix + length, ".") == 0);
}

static void print_step(const json_t *step, const char *indent, FILE *out)
{
	fprintf(out, "%s  %-20s ", indent, phrase(decided_phrases, json_text_of(step, "by")));
	if (has(step, "ruleset"))
		fprintf(out, "%s%s", json_text_of(step, "ruleset"), has(step, "object") ? "/" : "");
	if (has(step, "object"))
		fprintf(out, "%s", json_text_of(step, "object"));
	if (has(step, "suffix") &&
	    !same_name(json_text_of(step, "object"), json_text_of(step, "suffix")))
		fprintf(out, "%s(%s)", has(step, "object") || has(step, "ruleset") ? " " : "",
			json_text_of(step, "suffix"));
	if (has(step, "object") || has(step, "ruleset") || has(step, "suffix"))
		fprintf(out, ": ");
	fprintf(out, "%s\n", phrase(trace_phrases, json_text_of(step, "outcome")));
}

static void print_health(const json_t *health, FILE *out)
{
	char srtt[TABLE_CELL_MAX];
	if (!health)
		return;
	fprintf(out, "  [%s", json_text_of(health, "state"));
	if (has(health, "since"))
		fprintf(out, " since %s (%s)", json_text_of(health, "since"),
			json_text_of(health, "last_error"));
	if (json_is_number(json_object_get(health, "srtt_ms")))
		fprintf(out, ", SRTT %s ms", table_cell(json_object_get(health, "srtt_ms"), srtt));
	fprintf(out, "]");
}

static void print_block(const json_t *block, const char *indent, FILE *out);

static void print_route(const json_t *route, const char *indent, FILE *out)
{
	size_t i;
	const json_t *item;
	json_array_foreach(route, i, item)
	{
		fprintf(out, "%s    %zu. ", indent, i + 1);
		if (strcmp(json_text_of(item, "kind"), "enter") == 0) {
			fprintf(out, "enter our own endpoint %s%s\n",
				json_text_of(item, "endpoint"),
				has(item, "loop") || json_object_get(item, "decision")
					? ""
					: ", which is not reached");
			if (has(item, "loop"))
				fprintf(out, "%s       %s\n", indent, json_text_of(item, "loop"));
			char deeper[64];
			snprintf(deeper, sizeof deeper, "%s       ", indent);
			print_block(json_object_get(item, "decision"), deeper, out);
			continue;
		}
		fprintf(out, "ask %s by %s", json_text_of(item, "host"),
			json_text_of(item, "protocol"));
		if (has(item, "endpoint"))
			fprintf(out, " through %s%s", json_text_of(item, "endpoint"),
				json_is_true(json_object_get(item, "made")) ? " (made)" : "");
		if (has(item, "source"))
			fprintf(out, " from %s", json_text_of(item, "source"));
		print_health(json_object_get(item, "health"), out);
		fputc('\n', out);
	}
}

static void print_lines(const json_t *array, const char *indent, const char *mark, FILE *out)
{
	size_t i;
	const json_t *line;
	json_array_foreach(array, i, line)
	{
		fprintf(out, "%s    %s%s\n", indent, mark, json_string_value(line));
	}
}

/* ---- questions to targets, and the answer ---- */

static double ms_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static void print_try(const json_t *try, const char *indent, FILE *out)
{
	const char *end = json_text_of(try, "end");
	json_int_t packets = json_integer_value(json_object_get(try, "packets"));
	fprintf(out, "%s    at %.1f ms asked %s by %s: %s", indent, ms_of(try, "at_ms"),
		json_text_of(try, "host"), json_text_of(try, "protocol"),
		json_text_of(try, "text"));
	if (strcmp(end, "unsent") == 0)
		fprintf(out, ", so it was not sent");
	else
		fprintf(out, "%s after %.1f ms",
			strcmp(end, "truncated") == 0 ? ", truncated,"
			: strcmp(end, "plain") == 0   ? " to EDNS, which is left out then,"
			: strcmp(end, "lower") == 0   ? ", so it is asked in lower case,"
						      : "",
			ms_of(try, "ms"));
	if (packets > 1)
		fprintf(out, "; sent %" JSON_INTEGER_FORMAT " times, as connections ended",
			packets);
	fputc('\n', out);
}

static void print_source(const json_t *asked, const char *indent, FILE *out)
{
	const char *from = json_text_of(asked, "from");
	bool kept = strcmp(from, "cache") == 0 || strcmp(from, "stale") == 0;
	fprintf(out, "%s    ", indent);
	if (json_is_true(json_object_get(asked, "joined")))
		fprintf(out, "(it was being asked already) ");
	if (kept)
		fprintf(out, "%s, %" JSON_INTEGER_FORMAT " s old",
			strcmp(from, "stale") == 0 ? "an old answer from the cache"
						   : "from the cache",
			json_integer_value(json_object_get(asked, "age_s")));
	if (strcmp(from, "cache") == 0)
		fprintf(out, " and good for %" JSON_INTEGER_FORMAT " s",
			json_integer_value(json_object_get(asked, "ttl_s")));
	if (has(asked, "failed"))
		fprintf(out, "%s%s", kept ? ": " : "", json_text_of(asked, "failed"));
	else if (has(asked, "host"))
		fprintf(out, "%s%s said %s", kept ? ": " : "", json_text_of(asked, "host"),
			json_text_of(asked, "rcode"));
	if (json_is_number(json_object_get(asked, "ms")))
		fprintf(out, ", after %.1f ms", ms_of(asked, "ms"));
	fputc('\n', out);
}

static void print_asked(const json_t *array, const char *indent, FILE *out)
{
	size_t i, t;
	const json_t *asked, *try;
	json_array_foreach(array, i, asked)
	{
		json_int_t dropped = json_integer_value(json_object_get(asked, "tries_dropped"));
		json_array_foreach(json_object_get(asked, "tries"), t, try)
			print_try(try, indent, out);
		if (dropped > 0)
			fprintf(out, "%s    (%" JSON_INTEGER_FORMAT " more packet%s)\n", indent,
				dropped, text_plural(dropped, "", "s"));
		print_source(asked, indent, out);
	}
}

static void print_section(const json_t *answer, const char *key, const char *title, FILE *out)
{
	size_t i;
	const json_t *line;
	if (json_array_size(json_object_get(answer, key)) > 0)
		fprintf(out, ";; %s SECTION:\n", title);
	json_array_foreach(json_object_get(answer, key), i, line)
	{
		fprintf(out, "%s\n", json_string_value(line));
	}
}

/* Prints the answer nearly like dig. */
static void print_answer(const json_t *answer, FILE *out)
{
	size_t i;
	const json_t *flag, *ede = json_object_get(answer, "ede");
	fprintf(out, "\n;; status: %s, flags:", json_text_of(answer, "rcode"));
	json_array_foreach(json_object_get(answer, "flags"), i, flag)
	{
		fprintf(out, " %s", json_string_value(flag));
	}
	fprintf(out, "; %.1f ms\n", ms_of(answer, "ms"));
	if (json_is_object(ede))
		fprintf(out, ";; EDE: %" JSON_INTEGER_FORMAT ": %s\n",
			json_integer_value(json_object_get(ede, "code")),
			json_text_of(ede, "text"));
	print_section(answer, "records", "ANSWER", out);
	print_section(answer, "authority", "AUTHORITY", out);
}

/* ---- hops ---- */

static void print_verdict(const json_t *hop, const char *indent, FILE *out)
{
	const char *kind = json_text_of(hop, "kind"), *outcome = json_text_of(hop, "outcome");
	fprintf(out, "%s  => ", indent);
	if (strcmp(kind, "refuse") == 0)
		fprintf(out, "nobody answers this here");
	else if (json_is_true(json_object_get(hop, "redirected")))
		fprintf(out, "not in private zone %s; NxDomainRedirect asks the default resolver",
			json_text_of(hop, "object"));
	else
		fprintf(out, "%s by %s%s%s%s%s",
			strcmp(kind, "answer") == 0 ? "answered" : "forwarded",
			phrase(decided_phrases, json_text_of(hop, "decided_by")),
			has(hop, "object") ? " " : "", json_text_of(hop, "object"),
			has(hop, "ruleset") ? " of ruleset " : "", json_text_of(hop, "ruleset"));
	if (has(hop, "target_group"))
		fprintf(out, ", to target group %s", json_text_of(hop, "target_group"));
	if (has(hop, "rcode"))
		fprintf(out, ": %s", json_text_of(hop, "rcode"));
	if (strcmp(outcome, "nodata") == 0)
		fprintf(out, ", no data of this type");
	if (json_is_true(json_object_get(hop, "wildcard")))
		fprintf(out, ", from a wildcard");
	if (json_is_integer(json_object_get(hop, "negative_ttl")))
		fprintf(out, ", negative TTL %" JSON_INTEGER_FORMAT " s",
			json_integer_value(json_object_get(hop, "negative_ttl")));
	fputc('\n', out);
}

static void print_hop(const json_t *hop, const char *indent, FILE *out)
{
	size_t i;
	const json_t *step;
	json_int_t dropped = json_integer_value(json_object_get(hop, "trace_dropped"));
	fprintf(out, "%s%s\n", indent, json_text_of(hop, "name"));
	json_array_foreach(json_object_get(hop, "trace"), i, step) print_step(step, indent, out);
	if (dropped > 0)
		fprintf(out, "%s  (%" JSON_INTEGER_FORMAT " more step%s)\n", indent, dropped,
			text_plural(dropped, "", "s"));
	print_verdict(hop, indent, out);
	print_lines(json_object_get(hop, "registered_by"), indent, "registered by ", out);
	print_lines(json_object_get(hop, "records"), indent, "", out);
	print_lines(json_object_get(hop, "authority"), indent, "authority: ", out);
	json_int_t left = json_integer_value(json_object_get(hop, "records_left"));
	if (left > 0)
		fprintf(out, "%s    (%" JSON_INTEGER_FORMAT " more record%s)\n", indent, left,
			text_plural(left, "", "s"));
	print_route(json_object_get(hop, "route"), indent, out);
	print_asked(json_object_get(hop, "asked"), indent, out);
	if (has(hop, "next"))
		fprintf(out, "%s    leads on to %s\n", indent, json_text_of(hop, "next"));
}

static void print_block(const json_t *block, const char *indent, FILE *out)
{
	size_t i;
	const json_t *hop;
	if (!block)
		return;
	fprintf(out, "%s%s%s\n", indent, has(block, "network") ? "in network " : "in no network",
		json_text_of(block, "network"));
	json_array_foreach(json_object_get(block, "hops"), i, hop) print_hop(hop, indent, out);
}

/* Prints why the question is in this network. */
static void print_place(const json_t *explained, FILE *out)
{
	const json_t *from = json_object_get(explained, "from");
	bool vnet = strcmp(json_text_of(explained, "role"), "vnet_resolver") == 0;
	if (!vnet && json_is_false(json_object_get(from, "allowed")))
		fprintf(out,
			"asked at inbound endpoint %s by %s, which its `allow` does not let in\n",
			json_text_of(explained, "endpoint"), json_text_of(from, "address"));
	else if (!vnet && from)
		fprintf(out,
			"asked at inbound endpoint %s by %s, which its `allow` lets in: as inside "
			"its network %s\n",
			json_text_of(explained, "endpoint"), json_text_of(from, "address"),
			json_text_of(explained, "network"));
	else if (!vnet)
		fprintf(out,
			"asked at inbound endpoint %s: as inside its network %s, whoever asks\n",
			json_text_of(explained, "endpoint"), json_text_of(explained, "network"));
	else if (!from)
		fprintf(out, "asked at the VNet resolver by a machine in network %s\n",
			json_text_of(explained, "network"));
	else if (!has(explained, "network"))
		fprintf(out,
			"asked at the VNet resolver by %s, which is in no network's "
			"address_space or client_prefixes\n",
			json_text_of(from, "address"));
	else
		fprintf(out,
			"asked at the VNet resolver by %s, which is in %s of network %s (the "
			"longest prefix)\n",
			json_text_of(from, "address"), json_text_of(from, "prefix"),
			json_text_of(explained, "network"));
	size_t i;
	const json_t *shorter;
	json_array_foreach(json_object_get(from, "shorter"), i, shorter)
		fprintf(out, "  %s of network %s holds it too, but is shorter\n",
			json_text_of(shorter, "prefix"), json_text_of(shorter, "network"));
}

static void print_all(const json_t *explained, FILE *out)
{
	size_t i;
	const json_t *hop;
	fprintf(out, "%s %s\n", json_text_of(explained, "name"), json_text_of(explained, "type"));
	print_place(explained, out);
	json_array_foreach(json_object_get(explained, "hops"), i, hop)
	{
		fputc('\n', out);
		print_hop(hop, "", out);
	}
	if (has(explained, "loop"))
		fprintf(out, "\nloop: %s\n", json_text_of(explained, "loop"));
	if (json_is_object(json_object_get(explained, "answer")))
		print_answer(json_object_get(explained, "answer"), out);
	else if (has(explained, "rcode"))
		fprintf(out, "\nends with %s\n", json_text_of(explained, "rcode"));
	else
		fprintf(out, "\nends with what the targets say\n");
}

static void print_changed(const json_t *changed, FILE *out)
{
	size_t i;
	const json_t *path;

	if (json_array_size(changed) == 0)
		return;
	fputs("; changed since it was read:", out);
	json_array_foreach(changed, i, path)
		fprintf(out, "%s %s", i > 0 ? "," : "", json_string_value(path));
	fputs(" (--offline shows what that would do)", out);
}

/* The first line: who answers, why it is not the server, and what is missing. */
static void print_who_says(const json_t *source, FILE *out)
{
	if (!source)
		return;
	if (strcmp(json_text_of(source, "from"), "server") == 0) {
		fprintf(out, "said by the running server, from %s", json_text_of(source, "config"));
		if (has(source, "went_back"))
			fprintf(out, "; %s", json_text_of(source, "went_back"));
		print_changed(json_object_get(source, "changed"), out);
	} else {
		fprintf(out, "read from %s", json_text_of(source, "config"));
		if (has(source, "state"))
			fprintf(out, " and the state %s", json_text_of(source, "state"));
		fprintf(out, ": %s", json_text_of(source, "why"));
		if (has(source, "unread"))
			fprintf(out, "; not read: %s", json_text_of(source, "unread"));
	}
	fputs("\n\n", out);
}

/* Records and targets' texts may contain anything, so each line is made safe for a terminal. */
void explain_print(const json_t *explained, FILE *out)
{
	char *text = NULL;
	size_t size;
	FILE *memory = open_memstream(&text, &size);
	if (memory) {
		print_who_says(json_object_get(explained, "source"), memory);
		print_all(explained, memory);
	}
	if (!memory || fclose(memory) != 0)
		fputs(err_text(ERR_NOMEM), out);
	for (char *line = text, *end; line && (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		text_print(out, line);
		fputc('\n', out);
	}
	free(text);
}
