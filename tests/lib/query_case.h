/* For tests: a worker's record of an answered query. */
#ifndef SLUICE_TESTS_QUERY_CASE_H
#define SLUICE_TESTS_QUERY_CASE_H

#include "resolver/query_ring.h"

/* The record of a query for www.contoso.corp (as WwW), AAAA, by 10.10.1.207 in the network hub, at
 * 5 s. The answer is SERVFAIL, by a rule "contoso", and `text` explains it; the record does not
 * have the reply. There is only one record at a time. */
struct query_record *query_case_record(const char *text);
/* The same with a reply of `length` bytes, at most QUERY_RING_MESSAGE_MAX, that contains the
 * question. */
struct query_record *query_case_record_with_reply(size_t length, const char *text);

#endif
