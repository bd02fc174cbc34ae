/* What `sluice explain --json` prints, for many questions at once: the differential test asks some
 * hundred thousand, which is no work for as many processes. A question is one of these lines on
 * stdin, and its answer a line of JSON:
 *
 *     vnet NETWORK NAME TYPE
 *     endpoint RESOLVER/ENDPOINT NAME TYPE
 *     from ADDRESS NAME TYPE
 *
 * Usage: explain_lines CONFIG */
#include <string.h>

#include "resolver/control/observe/explain.h"
#include "resolver/control/service/load.h"
#include "rules/zone/record.h"

static bool read_place(const struct policy *policy, const char *kind, const char *where,
		       struct place *place)
{
	struct address source;

	if (strcmp(kind, "vnet") == 0) {
		*place = (struct place){policy_find_network(policy, where), true};
		return place->network != NETWORK_NONE;
	}
	if (strcmp(kind, "endpoint") == 0) {
		const struct policy_inbound *inbound = policy_find_inbound(policy, where);
		*place = (struct place){inbound ? inbound->network : NETWORK_NONE, false};
		return inbound != NULL;
	}
	if (strcmp(kind, "from") != 0 || address_parse(&source, where) != 0)
		return false;
	*place = policy_place_of_client(policy, &source);
	return true;
}

static bool answer_line(const struct policy *policy, const struct hash_key *key, const char *line)
{
	char kind[16], where[128], text[512], type_text[32];
	struct place place;
	struct name name;
	uint16_t type;
	json_t *explained;

	if (sscanf(line, "%15s %127s %511s %31s", kind, where, text, type_text) != 4 ||
	    !read_place(policy, kind, where, &place) || name_from_text(&name, key, text) != 0 ||
	    record_type_parse(&type, type_text) != 0)
		return false;
	explained = explain(policy, place, &name, type);
	json_dumpf(explained, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(explained);
	return true;
}

static int answer_all(struct load *load)
{
	struct faults faults;
	struct model *model;
	struct policy *policy = NULL;
	char line[1024];
	int status = 1;

	faults_init(&faults);
	model = load_model(load, NULL, &faults);
	if (model)
		policy = policy_compile(model, &load->key, NULL);
	faults_print(&faults, stderr);
	if (policy)
		status = 0;
	while (status == 0 && fgets(line, sizeof line, stdin)) {
		if (!answer_line(policy, &load->key, line)) {
			fprintf(stderr, "not understood: %s", line);
			status = 2;
		}
	}
	policy_free(policy);
	model_free(model);
	faults_release(&faults);
	return status;
}

int main(int argc, char **argv)
{
	struct load load;
	int status;

	if (argc != 2)
		return 2;
	load_init(&load, argv[1], "/etc/resolv.conf");
	status = answer_all(&load);
	return status;
}
