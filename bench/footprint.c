/* Measures from inside what a configuration costs before the first query: the time to read it (with
 * zone files) and to compile it; the bytes of its zones, compared with their records on the wire
 * (owner uncompressed, type, class, TTL, length, data); the time to read its state into the table
 * of PTRs, and to merge it again without changes; and the bytes of that table. Only this program of
 * the bench is linked with the server's own code.
 *
 * usage: footprint CONFIG       prints one JSON object */
#include <stdio.h>
#include <time.h>

#include "resolver/control/resource/resources.h"
#include "resolver/control/service/load.h"
#include "rules/owned/owned.h"
#include "rules/policy/policy.h"

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
	size_t *wire_bytes = context; /* a stored record begins with a pointer of two bytes */
	*wire_bytes += rrset->length + rrset->count * (wire_length(owner) - 2);
	return 0;
}

struct times {
	double load_s, compile_s, state_s, again_s;
};

static void report(const struct policy *policy, const struct owned *owned,
		   const struct times *times)
{
	size_t records = 0, bytes = 0, wire_bytes = 0;
	for (uint32_t i = 0; i < policy->zone_count; i++) {
		records += zone_records(policy->zones[i]);
		bytes += zone_bytes(policy->zones[i]);
		zone_walk(policy->zones[i], on_rrset, &wire_bytes);
	}
	printf("{\"load_s\":%.6f,\"compile_s\":%.6f,\"zone_records\":%zu,\"zone_bytes\":%zu,"
	       "\"zone_wire_bytes\":%zu,",
	       times->load_s, times->compile_s, records, bytes, wire_bytes);
	printf("\"state_s\":%.6f,\"again_s\":%.6f,\"ptrs\":%zu,\"ptr_bytes\":%zu}\n",
	       times->state_s, times->again_s, owned_ptr_count(owned), owned_bytes(owned));
}

/* Merges the model with the state, as each reload does; NULL: there are faults. */
static struct owned *merge(struct resources *resources, struct model *model, struct faults *faults,
			   double *seconds)
{
	double start_s = seconds_now();
	struct resources *next = resources_prepare(resources, model, faults);
	if (!next)
		return NULL;
	struct owned *owned = addresses_table(next);
	resources_adopt(next);
	resources_prepared_free(next);
	*seconds = seconds_now() - start_s;
	return owned;
}

static bool measure(struct load *load, struct faults *faults)
{
	struct resources *resources = resources_new(&load->key);
	struct times times = {0};
	double start_s = seconds_now();
	struct model *model = load_model(load, NULL, faults);
	times.load_s = seconds_now() - start_s;
	struct owned *first = NULL, *owned = NULL;
	if (model && resources)
		first = merge(resources, model, faults, &times.state_s);
	if (first)
		owned = merge(resources, model, faults, &times.again_s);
	if (owned)
		model->owned = owned; /* the model releases it */
	start_s = seconds_now();
	struct policy *policy = owned ? policy_compile(model, &load->key, NULL) : NULL;
	times.compile_s = seconds_now() - start_s;
	if (policy)
		report(policy, owned, &times);
	policy_free(policy);
	owned_unref(first);
	resources_free(resources);
	model_free(model);
	return policy;
}

int main(int argc, char **argv)
{
	struct load load;
	struct faults faults;
	if (argc != 2) {
		fputs("usage: footprint CONFIG\n", stderr);
		return 2;
	}
	load_init(&load, argv[1], RESOLV_CONF_PATH);
	faults_init(&faults);
	bool fine = measure(&load, &faults);
	faults_print(&faults, stderr);
	faults_release(&faults);
	return fine ? 0 : 1;
}
