/* Describes an edit of the history in words, which every client gets with the edit (GET
 * /v1/changes): `sluice history`, the dashboard and all others. */
#ifndef SLUICE_CHANGE_WORDS_H
#define SLUICE_CHANGE_WORDS_H

#include <jansson.h>

/* Puts into an edit with `path`, `before` and `after`:
 *
 *     verb     "created", "changed" or "deleted"
 *     kind     "rule"; null: unknown
 *     subject  "rule contoso of ruleset office"; the path, if the kind is unknown */
void change_words_put(json_t *edit);

#endif
