/* Output that commands and the API share: faults, a model's numbers, made items and records, as
 * JSON or as text for people. For a reload the server sends the faults as JSON, and the client
 * prints from them what check would have printed. */
#ifndef SLUICE_REPORT_H
#define SLUICE_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "rules/fault.h"
#include "rules/schema/model.h"
#include "rules/zone/zone.h"

enum { REPORT_TEXT_MAX = 320 };

/* An array of {"severity", "file", "line", "path", "text"}; members that a fault lacks are null. A
 * fault that a larger limit would prevent has "limit" and "needed" as well. */
json_t *report_faults(const struct faults *faults);
/* Adds the faults of an array that report_faults made. */
void report_read_faults(const json_t *array, struct faults *faults);

/* {"networks", "zones", "records", "rulesets", "rules"} */
json_t *report_numbers(const struct model *model);
/* "2 networks, 1 zone (12 records), 1 ruleset (3 rules)"; returns text. */
char *report_numbers_text(const struct model *model, char text[REPORT_TEXT_MAX]);
/* "1 error, 2 warnings". Beside errors "0 warnings" is left out, because an error may end a check
 * before it looks for warnings. Returns text. */
char *report_faults_text(const struct faults *faults, char text[REPORT_TEXT_MAX]);

/* The data of a set's records, as in a master file. Without memory json_whole fails. */
json_t *report_records(const struct rrset *set);

/* An array of {"path", "value", "because"}: the items that the model made because the file names
 * none. Without a model the array is empty. */
json_t *report_made(const struct model *model);
/* Prints a line for each item of report_made, beginning with `before`: "made:
 * rulesets[office].outbound_endpoints: home/default, because it names none ...". */
void report_print_made(const struct model *model, const char *before, FILE *out);

#endif
