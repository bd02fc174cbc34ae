/* Makes the table's entries for the configuration's addresses and services: PTRs are derived from
 * addresses here, and stored nowhere else.
 *
 *     address    reverse_fqdn                  PTR of the address
 *                label, region, suffix         "label.region.suffix" to the address
 *     service    reverse_fqdn                  PTR of its address
 *                name, service suffix          "name.service-suffix" to its address
 *
 * limits_check refuses duplicates; if there is one nevertheless, the last one stays. */
#include <stdio.h>

#include "rules/owned/owned.h"
#include "rules/schema/model.h"

struct owned_filler {
	struct owned_draft *draft;
	const struct model *model;
	const struct hash_key *key;
};

const char *owned_label_name(const struct model *model, const char *label, const char *region,
			     char text[NAME_TEXT_MAX])
{
	if (!label || !*label || !region || !model->reverse.suffix)
		return NULL;
	snprintf(text, NAME_TEXT_MAX, "%s.%s.%s", label, region, model->reverse.suffix);
	return text;
}

const char *owned_service_name(const struct model *model, const char *service,
			       char text[NAME_TEXT_MAX])
{
	if (!service || !model->reverse.service_suffix)
		return NULL;
	snprintf(text, NAME_TEXT_MAX, "%s.%s", service, model->reverse.service_suffix);
	return text;
}

static int set_ptr(const struct owned_filler *f, const struct address *address, const char *target,
		   uint32_t ttl)
{
	struct name name;

	if (!address->family || !target || !*target || name_from_text(&name, f->key, target) != 0)
		return 0;
	return owned_set_ptr(f->draft, address, &name,
			     ttl != NOT_GIVEN ? ttl : f->model->reverse.ttl);
}

/* text may be NULL. */
static int set_host(const struct owned_filler *f, const char *text, const struct address *address)
{
	struct name name;

	if (!text || !address->family || name_from_text(&name, f->key, text) != 0)
		return 0;
	return owned_set_host(f->draft, &name, address, f->model->reverse.ttl);
}

static int set_address(const struct owned_filler *f, const struct owned_item *item)
{
	const char *region = model_region(f->model, item->region);
	char text[NAME_TEXT_MAX];
	int err = set_ptr(f, &item->address, item->reverse_fqdn, item->ttl);

	return err ? err
		   : set_host(f, owned_label_name(f->model, item->domain_name_label, region, text),
			      &item->address);
}

static int set_service(const struct owned_filler *f, const struct owned_item *item)
{
	char text[NAME_TEXT_MAX];
	int err = set_ptr(f, &item->address, item->reverse_fqdn, item->ttl);

	return err ? err
		   : set_host(f, owned_service_name(f->model, item->name, text), &item->address);
}

int owned_set_model(struct owned_draft *draft, const struct model *model,
		    const struct hash_key *key)
{
	const struct owned_filler filler = {draft, model, key};
	int err = 0;

	for (size_t i = 0; !err && i < model->addresses.count; i++)
		err = set_address(&filler, &model->addresses.items[i]);
	for (size_t i = 0; !err && i < model->cloud_services.count; i++)
		err = set_service(&filler, &model->cloud_services.items[i]);
	return err;
}
