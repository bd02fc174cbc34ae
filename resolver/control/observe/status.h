/* What a running server serves and how it fares, as one JSON object:
 *
 *     judgement           good (true or false), texts: one sentence for each fault, the gravest
 *                         first, or one that says that there is none; notes: sentences on what
 *                         clients notice without a fault of this server or a target
 *     server              its name: identity.server, or the host's name
 *     version, generation, workers, config, uptime_s, loaded_at
 *     networks            name, address_space, made_address_space (the prefixes of it that sluice
 *                         made because none was given), dns_servers, zones (number), rulesets
 *                         (names)
 *     inbound_endpoints   name, network, address, listen, present, made (by sluice), made_address
 *     vnet_resolver       name, listen, present (an item for each listener)
 *     outbound_endpoints  name, network, source, present, made
 *     zones               name, record_sets, records, bytes, networks, registers (machines or
 *                         clients may register in it)
 *     rulesets            name, rules, disabled, networks, outbound_endpoints
 *     owned               a list of one item, empty if there is no state, address or service:
 *                         addresses, services, ptrs, waiting (PTRs without an address), state (the
 *                         file, null: none), error (why the file cannot be used now, or null)
 *     unanswered          count, rules: those without a live target, or whose clients get SERVFAIL
 *                         in a row, STATUS_UNANSWERED of them ("onprem/contoso", "default
 *                         resolver", "DNS servers of hub"), causes: for each of these rules: rule,
 *                         reason ("10.0.0.1:53 answers REFUSED"), since, queries (that failed in a
 *                         row)
 *     unheard             the same for rules with names that nobody answers, though a target lives
 *     failing             count, list: each cause of what fails once, with what to do (failing.h)
 *     targets             worst first: by how many rules cannot be answered because of it, then
 *                         suspects and those that answer only errors, then by timeouts and errors.
 *                         source (null: the system's choice), host, protocol, endpoint, state
 *                         ("up", "suspect", "unknown": never asked or never answered; else the
 *                         error that it answers, as last_error has it), says (the same as a
 *                         sentence: "does not answer", judgement.h; null: it is up), srtt_ms,
 *                         allowance_ms, waiting, asked, answered, probes, timeouts, errors,
 *                         suspicions, mismatched, last_error, since (of the suspicion),
 *                         heard_ago_s, other (what else answers in its place, or null), rules
 *                         (that ask it, STATUS_TARGET_RULES of them, those that cannot be answered
 *                         first), rule_count, unanswered_count (how many cannot be answered), harm
 *                         (both in words, judgement.h; null: it is not suspect, and all of them
 *                         can be answered), users (the same by user of the rules: name, "onprem"
 *                         or "default resolver" or "DNS servers of hub", rules, unanswered)
 *     counters            by the names of stats.h
 *     cache               entries, bytes, hits, misses, inserted, evicted
 *     transfers           zones for secondaries: zone, serial, past (serials that IXFR can begin
 *                         from), axfr, ixfr, current (asked by a secondary that was up to date),
 *                         refused, broken (ended early)
 *     notices             for each secondary of a zone: zone, peer; of NOTIFY: serial (the last one
 *                         answered), state ("waiting", "answered", "given up"), answer (its rcode),
 *                         at; of its copy: copy ("pending", "current", "behind", "ahead",
 *                         "unknown";
 *                         service/replica.h explains these), has (the serial), since (when the
 *                         missing version was published, or the copy was first seen ahead), reason
 *                         (why there is no serial)
 *     registrations       expired (record sets that clients did not renew in time)
 *     work                percent (how much of an import has been looked at; null: not known), or
 *                         null: no work is under way
 *     longest_turn        of the control thread: cpu_ms, at (null: there was none yet)
 *     unconfirmed         a change that goes back unless it is confirmed: what ("reload" or
 *                         "change"), who (null for a reader), at, until, left_s (seconds until
 *                         then), revision (of a change), error (why it could not go back yet),
 *                         text; or null
 *     went_back           the same for a reload that went back: the previous configuration is
 *                         served instead of the file
 *     restart             time, text: how the server before this one ended unexpectedly, so that
 *                         the master started this one; or null
 *     query_log           on, followers, logged, lost, outputs (query_log.h)
 *
 * GET /v1/status adds `logins` (failed, refused). */
#ifndef SLUICE_STATUS_H
#define SLUICE_STATUS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "resolver/control/service/service.h"

enum {
	STATUS_TARGET_RULES = 8,
	STATUS_HARM_RULES = 2,
	STATUS_UNANSWERED = 100,
	STATUS_SERVER_MAX = 256,
};

/* The server's name. model NULL: nothing is served yet. */
void status_server_name(const struct model *model, char name[STATUS_SERVER_MAX]);

/* The caller releases the result. guarded: for a reader, without names of clients. NULL: out of
 * memory. */
json_t *status_report(struct service *service, bool guarded);

#endif
