/* For tests: an import of texts. The files are in a directory of their own, which is the current
 * one from import_case_setup to import_case_teardown, the group's functions of cmocka. */
#ifndef SLUICE_TESTS_IMPORT_CASE_H
#define SLUICE_TESTS_IMPORT_CASE_H

#include <stdbool.h>

int import_case_setup(void **state);
int import_case_teardown(void **state);

void import_case_put(const char *name, const char *text);

/* Imports the file "original" with this text. The result replaces the last import's. */
void import_case_run(const char *dialect, const char *text);
/* The same for two files: "original", and then "more". */
void import_case_run_two(const char *dialect, const char *text, const char *more);
/* The configuration, without the remarks at its end; "": there was a fault. */
const char *import_case_config(void);
/* The remarks, as printed: "original:3: port: not carried over: ...". */
const char *import_case_told(void);

/* Fail with the whole text. */
void import_case_has(const char *text, const char *part, bool wanted, const char *file, int line);
#define assert_config(part)   import_case_has(import_case_config(), part, true, __FILE__, __LINE__)
#define assert_told(part)     import_case_has(import_case_told(), part, true, __FILE__, __LINE__)
#define assert_not_told(part) import_case_has(import_case_told(), part, false, __FILE__, __LINE__)

/* Fails also without a configuration, as after a fault. */
void import_case_config_lacks(const char *part, const char *file, int line);
#define assert_not_config(part) import_case_config_lacks(part, __FILE__, __LINE__)

#endif
