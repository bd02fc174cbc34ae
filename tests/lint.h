/* What cppcheck sees instead of the macros of headers that it does not read (tests/lint). Not with
 * -D: it splits that at semicolons, and then finds nothing at all in any file. */
#define HASH_ITER(hh, all, at, next)      for (at = all; at && (next = at->hh.next, 1); at = next)
#define json_array_foreach(all, i, at)    for (i = 0; (at = json_array_get(all, i)); i++)
#define json_object_foreach(all, key, at) for (; next_member(all, &key, &at);)

#define SLIST_ENTRY(type)                                                                          \
	struct {                                                                                   \
		struct type *sle_next;                                                             \
	}
#define STAILQ_ENTRY(type) SLIST_ENTRY(type)
#define LIST_ENTRY(type)   SLIST_ENTRY(type)
#define TAILQ_ENTRY(type)  SLIST_ENTRY(type)
#define SLIST_HEAD(name, type)                                                                     \
	struct {                                                                                   \
		struct type *slh_first;                                                            \
	}
#define STAILQ_HEAD(name, type)      SLIST_HEAD(name, type)
#define LIST_HEAD(name, type)        SLIST_HEAD(name, type)
#define TAILQ_HEAD(name, type)       SLIST_HEAD(name, type)
#define LIST_FOREACH(at, all, tie)   for (at = (all)->slh_first; at; at = at->tie.sle_next)
#define TAILQ_FOREACH(at, all, tie)  LIST_FOREACH (at, all, tie)
#define STAILQ_FOREACH(at, all, tie) LIST_FOREACH (at, all, tie)
