/* What a configuration costs before the first query, measured inside: how long it takes to read
 * (zone files with it) and to compile, and how many bytes its zones hold, next to the bytes that
 * their records are on the wire (owner uncompressed, type, class, TTL, length, data). The only
 * program of the bench that is linked with the server's own code.
 *
 * usage: footprint CONFIG       prints one JSON object */
#include <stdio.h>
#include <time.h>

#include "resolver/control/load.h"
#include "rules/policy.h"

static double seconds_now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static size_t wire_length(const uint8_t *name)
{
	size_t length = 1;
	for (; *name; name += *name + 1)
		length += *name + 1u;
	return length;
}

static int on_rrset(void *context, const uint8_t *owner, const struct rrset *rrset)
{
	size_t *wire_bytes = context; /* a record as kept begins with a pointer of two bytes */
	*wire_bytes += rrset->length + rrset->count * (wire_length(owner) - 2);
	return 0;
}

static void report(const struct policy *policy, double load_s, double compile_s)
{
	size_t records = 0, bytes = 0, wire_bytes = 0;
	for (uint32_t i = 0; i < policy->zone_count; i++) {
		records += zone_records(policy->zones[i]);
		bytes += zone_bytes(policy->zones[i]);
		zone_walk(policy->zones[i], on_rrset, &wire_bytes);
	}
	printf("{\"load_s\":%.6f,\"compile_s\":%.6f,\"zone_records\":%zu,\"zone_bytes\":%zu,"
	       "\"zone_wire_bytes\":%zu}\n",
	       load_s, compile_s, records, bytes, wire_bytes);
}

int main(int argc, char **argv)
{
	struct load load;
	struct faults faults;
	if (argc != 2) {
		fputs("usage: footprint CONFIG\n", stderr);
		return 2;
	}
	if (load_init(&load, argv[1], RESOLV_CONF_PATH))
		return 1;
	faults_init(&faults);
	double start_s = seconds_now();
	struct model *model = load_model(&load, &faults);
	double loaded_s = seconds_now();
	struct policy *policy = model ? policy_compile(model, &load.key, NULL) : NULL;
	double compiled_s = seconds_now();
	faults_print(&faults, stderr);
	if (policy)
		report(policy, loaded_s - start_s, compiled_s - loaded_s);
	policy_free(policy);
	model_free(model);
	faults_release(&faults);
	load_release(&load);
	return policy ? 0 : 1;
}
