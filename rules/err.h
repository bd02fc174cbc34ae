/* Errors of calls. A function that can fail returns an int: 0 is good, a negative enum err is an
 * error, and the caller must check it. A function that returns a new object returns NULL instead.
 * These are errors of the program and its environment. An error in a configuration is a struct
 * fault (fault.h), and a DNS result is a verdict or an rcode. */
#ifndef SLUICE_ERR_H
#define SLUICE_ERR_H

#define ERR_MAP(X)                                                                                 \
	X(NOMEM, "out of memory")                                                                  \
	X(INVALID, "not well formed")                                                              \
	X(TOO_LONG, "longer than allowed")                                                         \
	X(NO_SPACE, "does not fit")                                                                \
	X(NOT_FOUND, "not found")                                                                  \
	X(EXISTS, "exists already")                                                                \
	X(LIMIT, "a configured maximum is reached")                                                \
	X(FAULTS, "the configuration has faults")                                                  \
	X(SYSTEM, "the system refused, see errno")

enum err {
#define X(name, text) ERR_ORDINAL_##name,
	ERR_MAP(X)
#undef X
#define X(name, text) ERR_##name = -1 - ERR_ORDINAL_##name,
		ERR_MAP(X)
#undef X
};

/* The text for an error, without a final dot; never NULL. */
const char *err_text(int err);

#define MUST_CHECK __attribute__((warn_unused_result))

#endif
