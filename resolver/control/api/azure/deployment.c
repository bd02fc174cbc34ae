#include "resolver/control/api/azure/deployment.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "resolver/control/api/azure/api_arm.h"
#include "resolver/control/api/azure/asked.h"
#include "resolver/control/api/azure/deployment_errors.h"
#include "resolver/control/api/azure/deployment_record.h"
#include "resolver/control/api/azure/found.h"
#include "resolver/control/api/azure/hooks.h"
#include "resolver/control/api/azure/particular.h"
#include "resolver/control/api/azure/put.h"
#include "resolver/control/api/edit.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/base/json.h"
#include "resolver/control/base/uuid.h"
#include "resolver/control/http/token.h"
#include "resolver/control/resource/group.h"
#include "resolver/control/resource/item.h"
#include "resolver/control/resource/ownership.h"
#include "resolver/control/resource/part.h"
#include "rules/array.h"
#include "rules/schema/model.h"
#include "rules/schema/schema.h"
#include "rules/text.h"

/* a subnet in use that its network's body leaves out */
struct unlisted {
	struct path path;
	size_t deployed;          /* the index of the network's resource */
	struct arm_errors errors; /* the reasons why it cannot be removed */
};

/* the state of reading a deployment */
struct deployment_reader {
	struct template_scope scope;
	struct template *template;
	json_t *environment, *deployer;
	json_t *networks; /* of the present draft (network_of) */
	size_t networks_draft;
	const struct template_resource *const *round;
	size_t round_count, round_at;
	size_t resource_room;
	struct unlisted *unlisted;
	size_t unlisted_count, unlisted_room;
	const struct model *served;
	uint64_t served_version; /* rulesets of an older version are compiled already */
	size_t drafts;           /* made so far */
	size_t draft_work;       /* items in all drafts so far (count_made) */
	size_t edits_in_draft;   /* edits in the latest draft */
	bool has_references;     /* the template may call reference() */
	bool read_all, removals_read, is_done;
};

static void fail_memory(struct deployment *deployment)
{
	arm_error(&deployment->errors, 503, "OutOfMemory", NULL, "%s", err_text(ERR_NOMEM));
}

bool deployment_has_failed(const struct deployment *deployment)
{
	return deployment->error.trouble != TEMPLATE_FINE || deployment->errors.status != 0;
}

/* ---- queries of the template ---- */

static struct path group_path(const char *name)
{
	return (struct path){kind_of_id(KIND_GROUP), GROUP_NONE, {name, NULL}};
}

static json_t *print_shown(struct arm_shown *shown)
{
	json_t *printed = arm_print(shown);

	arm_shown_release(shown);
	return printed;
}

static json_t *find_group(void *context, const char *name)
{
	struct deployment *deployment = context;
	struct resources *resources = api_resources(deployment->asked.request);
	bool is_none = strcmp(name, GROUP_NONE) == 0;
	struct resource_group group;
	struct arm_shown shown;

	if (is_none)
		(void)arm_find_ungrouped(resources, &group); /* always exists */
	else if (!group_find(resources, name, &group))
		return NULL;
	arm_show_group(deployment->asked.request, &group, &shown);
	return print_shown(&shown);
}

/* What is known of a network: {"users": arm_network_users, "etag"}. Finding the users takes a walk
 * over all network interfaces, and computing the etag a walk over the network. A template may need
 * both for each of thousands of subnets. So both are found when they are first needed, and kept
 * until the next draft. */
static json_t *network_of(struct deployment *deployment, const struct path *network)
{
	struct deployment_reader *reader = deployment->reader;
	char name[GROUP_TEXT_MAX + NAME_TEXT_MAX];

	if (!reader->networks || reader->networks_draft != reader->drafts) {
		json_decref(reader->networks);
		reader->networks = json_object();
		reader->networks_draft = reader->drafts;
	}
	snprintf(name, sizeof name, "%s/%s", network->group, network->names[0]);
	if (!json_object_get(reader->networks, name))
		json_put(reader->networks, name, json_object());
	return json_object_get(reader->networks, name);
}

/* Gives a network or a subnet the users of the network's subnets. */
static void show_users(struct deployment *deployment, struct arm_shown *shown)
{
	const struct path network = part_root(&shown->path);
	unsigned kind = shown->path.kind->id;
	json_t *known;

	if (kind != KIND_NETWORK && kind != KIND_SUBNET)
		return;
	known = network_of(deployment, &network);
	if (!json_object_get(known, "users"))
		json_put(known, "users", arm_network_users(deployment->asked.request, &network));
	shown->users = json_incref(json_object_get(known, "users"));
}

/* Gives a resource inside a network that network's etag; none if the network cannot be read. */
static void show_network_etag(struct deployment *deployment, struct arm_shown *shown)
{
	struct api_request *request = deployment->asked.request;
	const struct path path = part_root(&shown->path);
	json_t *known = network_of(deployment, &path);
	struct change_error unused;
	struct arm_shown network;

	if (!json_object_get(known, "etag")) {
		if (!arm_find(request, arm_type_of_kind(KIND_NETWORK), &path, &network, &unused))
			return;
		json_put(known, "etag", json_text(network.etag));
		arm_shown_release(&network);
	}
	snprintf(shown->etag, sizeof shown->etag, "%s", json_text_of(known, "etag"));
}

static json_t *find_resource(void *context, const char *id)
{
	struct deployment *deployment = context;
	const struct arm_type *type;
	struct change_error error;
	struct arm_shown shown;
	struct path path;
	bool found, is_inside;

	if (arm_id_read(deployment->asked.request, id, &type, &path) != 0)
		return NULL;
	is_inside = arm_is_inside(type);
	found = is_inside ? arm_find_plain(deployment->asked.request, type, &path, &shown, &error)
			  : arm_find(deployment->asked.request, type, &path, &shown, &error);
	if (!found)
		return NULL;
	show_users(deployment, &shown);
	if (is_inside)
		show_network_etag(deployment, &shown);
	return print_shown(&shown);
}

static json_t *find_provider(void *context, const char *namespace)
{
	const struct deployment *deployment = context;

	return api_arm_provider(deployment->asked.request, namespace);
}

/* The client that deploys, with the id that its tokens have. */
static json_t *deployer_json(const struct deployment *deployment)
{
	const char *client = deployment->asked.request->client;
	char id[UUID_TEXT_MAX];

	return json_make("{s:s, s:s, s:s}", "objectId", uuid_of_name(client, id), "tenantId",
			 TOKEN_TENANT, "userPrincipalName", client);
}

/* The resource as what-if shows it, without computed members. NULL: it does not exist. */
static json_t *find_bare(struct deployment *deployment, const struct deployed *deployed)
{
	struct change_error error;
	struct arm_shown shown;
	json_t *printed, *envelope;

	if (!arm_find_plain(deployment->asked.request, deployed->type, &deployed->path, &shown,
			    &error))
		return NULL;
	shown.is_bare = true;
	envelope = arm_print_short(&shown);
	printed = print_shown(&shown);
	json_object_update_missing(printed, envelope);
	json_decref(envelope);
	return printed;
}

/* ---- resources ---- */

static bool is_group_type(const char *type)
{
	return strcasecmp(type, "Microsoft.Resources/resourceGroups") == 0;
}

/* Is the id in another subscription? */
static bool is_elsewhere(struct api_request *request, const char *id)
{
	static const char ahead[] = "/subscriptions/";
	const char *start = id + sizeof ahead - 1;
	char text[UUID_TEXT_MAX];

	if (strncasecmp(id, ahead, sizeof ahead - 1) != 0)
		return false;
	snprintf(text, sizeof text, "%.*s", (int)strcspn(start, "/"), start);
	return !ownership_is_of(api_resources(request), NULL, text);
}

/* False: the server does not have this type or subscription; an error was added. */
static bool find_type(struct deployment *deployment, const struct template_resource *resource,
		      struct deployed *deployed)
{
	struct api_request *request = deployment->asked.request;
	struct arm_errors errors = {.request = request};

	*deployed = (struct deployed){.id = resource->id,
				      .place = resource->place,
				      .name = resource->name,
				      .deployment = resource->deployment};
	if (is_group_type(resource->type) && !is_elsewhere(request, resource->id)) {
		deployed->type = arm_type_of_kind(KIND_GROUP);
		deployed->path = group_path(resource->name);
		return true;
	}
	if (arm_id_read(request, resource->id, &deployed->type, &deployed->path) == 0 &&
	    *path_name(&deployed->path) != '\0')
		return true;
	if (is_elsewhere(request, resource->id))
		arm_error(&errors, 404, "SubscriptionNotFound", "subscriptionId",
			  "it is not in the subscription %s, the only one here",
			  ownership_subscription(api_resources(request), NULL));
	else
		arm_error(&errors, 400, "InvalidResourceType", "type",
			  "resources of the type %s are not supported here; remove it from the "
			  "template, or give it a condition that is false",
			  resource->type);
	deployment_add_errors(deployment, deployed, &errors);
	return false;
}

/* False: the resource's group or parent does not exist; an error was added. */
static bool check_parent(const struct deployed *deployed, struct arm_errors *errors)
{
	const struct model *model = api_model(errors->request);
	const struct path *path = &deployed->path, root = part_root(path);
	char id[ARM_ID_MAX];

	if (path->kind->id == KIND_GROUP)
		return true;
	if (!arm_has_group(errors->request, path->group)) {
		arm_error(errors, 404, "ResourceGroupNotFound", NULL,
			  "Resource group '%s' could not be found.", path->group);
		return false;
	}
	if (!path->kind->parent || (part_find(model, &root) && !item_made_because(model, &root)))
		return true;
	arm_error(errors, 404, "ParentResourceNotFound", NULL,
		  "Failed to perform 'write' on resource(s) of type '%s', because the parent "
		  "resource '%s' could not be found.",
		  deployed->type->path, arm_id(errors->request, &root, id));
	return false;
}

/* Takes ownership of the edits of one resource. */
static void take_edits(struct deployment *deployment, struct api_edit *edit)
{
	for (size_t i = 0; i < edit->count; i++) {
		struct resource_edit *one = &edit->edits[i];

		if (!one->path.kind)
			json_decref((json_t *)(uintptr_t)one->values);
		else if (!api_earlier_add(&deployment->edits, one))
			fail_memory(deployment);
	}
	edit->count = 0;
}

static bool is_in_template(const struct deployment *deployment, const struct path *path)
{
	char id[ARM_ID_MAX];

	return template_has(deployment->reader->template,
			    arm_id(deployment->asked.request, path, id));
}

/* May a subnet or peering stay although its network's body leaves it out? Yes, if the template has
 * it as a resource of its own, because both are one change. A subnet in use stays for now: a nested
 * template that is read later may have it (refuse_unlisted). */
static bool stays(void *context, const struct arm_shown *inside)
{
	struct deployment *deployment = context;
	struct deployment_reader *reader = deployment->reader;
	struct arena *arena = &deployment->asked.request->arena;
	struct unlisted one = {.deployed = deployment->count - 1,
			       .errors = {.request = deployment->asked.request}};
	struct unlisted *unlisted;

	if (is_in_template(deployment, &inside->path))
		return true;
	if (!arm_is_held(inside, &one.errors))
		return false;
	unlisted = array_grow(reader->unlisted, reader->unlisted_count, &reader->unlisted_room,
			      sizeof *unlisted);
	if (!unlisted || !path_copy(&inside->path, arena, &one.path)) {
		fail_memory(deployment);
		arm_errors_release(&one.errors);
		return true;
	}
	reader->unlisted = unlisted;
	unlisted[reader->unlisted_count++] = one;
	return true;
}

/* After the last resource: adds errors about subnets in use that the template does not have at all.
 */
static void refuse_unlisted(struct deployment *deployment)
{
	struct deployment_reader *reader = deployment->reader;

	for (size_t i = 0; i < reader->unlisted_count; i++) {
		struct unlisted *one = &reader->unlisted[i];

		if (!is_in_template(deployment, &one->path))
			deployment_add_errors(deployment, &deployment->resources[one->deployed],
					      &one->errors);
	}
}

/* Reads the resource like the body of a PUT. */
static void read_put(struct deployment *deployment, struct deployed *deployed,
		     const struct arm_shown *there, json_t *body)
{
	struct arm_errors errors = {.request = deployment->asked.request};
	struct api_edit edit = {.request = deployment->asked.request,
				.earlier = &deployment->edits};
	struct path path = there ? there->path : deployed->path;
	struct arm_putting putting = {.edit = &edit,
				      .type = deployed->type,
				      .path = &path,
				      .body = body,
				      .there = there,
				      .stays = stays,
				      .context = deployment,
				      .errors = &errors};

	if (api_edit_also(&edit, &path, NULL) != 0) {
		fail_memory(deployment);
	} else if (arm_read_put(&putting)) {
		edit.edits[0].values = putting.values;
		deployed->claimed = edit.claimed;
		if (path_copy(&path, &edit.request->arena, &edit.edits[0].path))
			take_edits(deployment, &edit);
		else
			fail_memory(deployment);
	} else {
		json_decref(putting.values);
		deployment_add_errors(deployment, deployed, &errors);
	}
	api_edit_release(&edit);
	arm_errors_release(&errors);
}

/* Room for one more resource, which the caller counts. NULL: no memory, and an error was added. */
static struct deployed *next_deployed(struct deployment *deployment)
{
	struct deployed *resources =
		array_grow(deployment->resources, deployment->count,
			   &deployment->reader->resource_room, sizeof *resources);

	if (!resources) {
		fail_memory(deployment);
		return NULL;
	}
	deployment->resources = resources;
	return &resources[deployment->count];
}

static void read_resource(struct deployment *deployment, const struct template_resource *resource)
{
	struct api_request *request = deployment->asked.request;
	struct arm_errors errors = {.request = request};
	struct deployed *deployed = next_deployed(deployment);
	struct change_error error;
	struct arm_shown shown;
	bool there;

	if (!deployed || !find_type(deployment, resource, deployed))
		return;
	deployment->count++;
	there = arm_find_plain(request, deployed->type, &deployed->path, &shown, &error);
	if (error.outcome != CHANGE_FINE) {
		arm_error(&errors, 503, "StoreFailed", NULL, "%s", error.text);
	} else if (!(there && resource->only_if_absent) &&
		   (there || check_parent(deployed, &errors))) {
		if (there)
			show_users(deployment, &shown);
		read_put(deployment, deployed, there ? &shown : NULL, resource->body);
	}
	if (there)
		arm_shown_release(&shown);
	deployment_add_errors(deployment, deployed, &errors);
}

/* ---- when a new draft is needed ---- */

static bool is_same(const struct path *left, const struct path *right)
{
	return left->kind == right->kind && strcasecmp(left->group, right->group) == 0 &&
	       strcasecmp(left->names[0], right->names[0]) == 0 &&
	       (!left->kind->parent || strcasecmp(left->names[1], right->names[1]) == 0);
}

/* Does the draft lack an edit of the resource, or of its parent? */
static bool is_fresh(const struct deployment *deployment, const struct path *path)
{
	const struct path root = part_root(path);
	size_t from = deployment->reader->edits_in_draft;

	return api_earlier_is_since(&deployment->edits, path, from) ||
	       api_earlier_is_since(&deployment->edits, &root, from);
}

/* Does the draft lack an edit of the resource with this id? */
static bool is_fresh_id(const struct deployment *deployment, const char *id)
{
	const struct arm_type *type;
	struct path path;

	return arm_id_read(deployment->asked.request, id, &type, &path) == 0 &&
	       *path_name(&path) != '\0' && is_fresh(deployment, &path);
}

/* Does the body refer to a resource whose edit the draft lacks? */
static bool has_fresh_id(const struct deployment *deployment, json_t *value)
{
	const char *key, *text = json_string_value(value);
	json_t *item;
	size_t i;

	if (text)
		return *text == '/' && is_fresh_id(deployment, text);
	json_object_foreach(value, key, item)
	{
		if (has_fresh_id(deployment, item))
			return true;
	}
	json_array_foreach(value, i, item)
	{
		if (has_fresh_id(deployment, item))
			return true;
	}
	return false;
}

/* Does the draft lack the resource group? */
static bool is_fresh_group(const struct deployment *deployment, const char *name)
{
	const struct path path = group_path(name);

	return name && is_fresh(deployment, &path);
}

static bool needs_draft(const struct deployment *deployment,
			const struct template_resource *resource)
{
	return deployment->edits.count > deployment->reader->edits_in_draft &&
	       (is_fresh_group(deployment, resource->group) ||
		is_fresh_id(deployment, resource->id) || has_fresh_id(deployment, resource->body));
}

/* ---- removals of mode Complete ---- */

/* Is the resource, or one inside it, among the first `count` resources, those of the template? */
static bool is_deployed(const struct deployment *deployment, size_t count, const struct path *path)
{
	for (size_t i = 0; i < count; i++) {
		const struct path root = part_root(&deployment->resources[i].path);

		if (is_same(&root, path))
			return true;
	}
	return false;
}

/* NULL: there is no memory; an error was added. */
static const struct deployed *add_removed(struct deployment *deployment,
					  const struct arm_type *type, const struct path *path)
{
	struct arena *arena = &deployment->asked.request->arena;
	struct deployed *deployed = next_deployed(deployment);
	char id[ARM_ID_MAX];

	if (!deployed)
		return NULL;
	*deployed = (struct deployed){
		.id = arena_strdup(arena, arm_id(deployment->asked.request, path, id)),
		.place = "resources",
		.type = type,
		.is_removed = true};
	if (!deployed->id || !path_copy(path, arena, &deployed->path)) {
		fail_memory(deployment);
		return NULL;
	}
	deployed->name = deployed->path.names[0];
	deployment->count++;
	return deployed;
}

static void remove_resource(struct deployment *deployment, struct arm_shown *shown)
{
	struct arm_errors errors = {.request = deployment->asked.request};
	struct api_edit edit = {.request = deployment->asked.request,
				.earlier = &deployment->edits};
	const struct deployed *deployed = add_removed(deployment, shown->type, &shown->path);

	if (!deployed)
		return;
	if (api_edit_also(&edit, &shown->path, NULL) != 0) {
		fail_memory(deployment);
		return;
	}
	if (arm_hooks_of(shown->type)->remove)
		arm_hooks_of(shown->type)->remove(shown, &edit, &errors);
	if (errors.status == 0)
		take_edits(deployment, &edit);
	api_edit_release(&edit);
	deployment_add_errors(deployment, deployed, &errors);
}

/* The private endpoint that the interface belongs to; NULL: none. */
static const void *endpoint_of(const struct deployment *deployment, const struct arm_found *found,
			       struct path *endpoint)
{
	const struct network_interface *interface = found->item;

	*endpoint =
		(struct path){kind_of_id(KIND_PRIVATE_ENDPOINT), found->path.group, {NULL, NULL}};
	if (found->type->kind != KIND_INTERFACE || !interface->private_endpoint)
		return NULL;
	endpoint->names[0] = interface->private_endpoint;
	return part_find(api_model(deployment->asked.request), endpoint);
}

/* Is the resource of the group neither one of the template nor declared by a file? */
static bool is_to_be_removed(const struct deployment *deployment, size_t of_template,
			     const struct path *path, const void *item)
{
	struct change_error error;

	return !is_deployed(deployment, of_template, path) &&
	       item_may_change(api_model(deployment->asked.request), path, item, true, &error);
}

static void remove_one_found(struct deployment *deployment, size_t of_template,
			     const struct arm_found *found)
{
	struct arm_shown shown;
	struct path endpoint;
	const void *item = endpoint_of(deployment, found, &endpoint);

	if (!is_to_be_removed(deployment, of_template, &found->path, found->item))
		return;
	if (item) { /* the endpoint's own edits remove its interface */
		if (is_to_be_removed(deployment, of_template, &endpoint, item))
			(void)add_removed(deployment, found->type, &found->path);
		return;
	}
	arm_show_plain(deployment->asked.request, found->type, &found->path, found->item, &shown);
	remove_resource(deployment, &shown);
	arm_shown_release(&shown);
}

static void remove_found(struct deployment *deployment, size_t of_template)
{
	struct api_request *request = deployment->asked.request;
	struct arm_found_list list = {.request = request, .group = deployment->asked.group};

	arm_found_add_all(&list, arm_is_top);
	arm_found_sort(&list);
	if (list.no_memory)
		fail_memory(deployment);
	for (size_t i = 0; i < list.count && !deployment_has_failed(deployment); i++)
		remove_one_found(deployment, of_template, &list.items[i]);
	free(list.items);
}

/* Removes addresses in portions: they are not in the model, and there may be very many. */
static void remove_addresses(struct deployment *deployment, size_t of_template)
{
	struct api_request *request = deployment->asked.request;
	struct item_list list = arm_addresses(request);
	struct change_error error;

	do {
		if (items_of(list.path.kind)->next(&list, ARM_PORTION, &error) != 0 &&
		    error.outcome == CHANGE_NO_MEMORY)
			fail_memory(deployment);
		for (size_t i = 0; i < list.count && !deployment_has_failed(deployment); i++) {
			const struct item *item = &list.items[i];
			struct arm_shown shown;

			arm_show_address(request, item->owned, &shown);
			if (!item->origin.file &&
			    !is_deployed(deployment, of_template, &shown.path))
				remove_resource(deployment, &shown);
			arm_shown_release(&shown);
		}
		if (deployment->count - of_template > DEPLOYMENT_REMOVALS_MAX)
			arm_error(&deployment->errors, 400, "TooManyResourcesToDelete", NULL,
				  "the group has more than %d resources that the template has not; "
				  "delete the group, or some of them, first",
				  DEPLOYMENT_REMOVALS_MAX);
	} while (list.more && !deployment_has_failed(deployment));
}

/* Removes all resources of the group that the template does not have and no file declares. */
static void read_removals(struct deployment *deployment)
{
	size_t of_template = deployment->count;

	remove_found(deployment, of_template);
	if (!deployment_has_failed(deployment))
		remove_addresses(deployment, of_template);
}

/* ---- the draft ---- */

bool deployment_check_name(const char *name, struct arm_errors *errors)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.()";

	if (strlen(name) >= DEPLOYMENT_NAME_MAX)
		arm_error(errors, 400, "DeploymentNameLengthLimitExceeded", NULL,
			  "The length of the deployment name exceeds the maximum of '%d' "
			  "characters.",
			  DEPLOYMENT_NAME_MAX - 1);
	else if (name[strspn(name, allowed)] != '\0')
		arm_error(errors, 400, "DeploymentNameInvalidCharacters", NULL,
			  "The deployment name '%s' contains invalid characters; use letters, "
			  "digits and -_.()",
			  name);
	else
		return true;
	return false;
}

/* Checks the name, subscription and group of a nested deployment, because it gets a record, too. */
static void check_nested(struct deployment *deployment, const struct template_deployment *nested)
{
	struct api_request *request = deployment->asked.request;
	struct arm_errors *errors = &deployment->errors;

	if (!deployment_check_name(nested->name, errors))
		return;
	if (!ownership_is_of(api_resources(request), NULL, nested->subscription))
		arm_error(errors, 404, "SubscriptionNotFound", NULL,
			  "%s: The subscription '%s' could not be found; the only one here is %s.",
			  nested->name, nested->subscription,
			  ownership_subscription(api_resources(request), NULL));
	else if (nested->group && !arm_has_group(request, nested->group))
		arm_error(errors, 404, "ResourceGroupNotFound", NULL,
			  "%s: Resource group '%s' could not be found.", nested->name,
			  nested->group);
}

/* Checks that each new reverse name is the forward name of an address or service of the
 * subscription, perhaps one of this template. Then the subscription certainly owns the name, and no
 * DNS query is needed. */
static void check_claims(struct deployment *deployment)
{
	struct api_request *request = deployment->asked.request;
	struct resources *resources = api_resources(request);
	const char *subscription = ownership_subscription(resources, NULL);

	for (size_t i = 0; i < deployment->count; i++) {
		const struct deployed *deployed = &deployment->resources[i];
		struct arm_errors errors = {.request = request};

		if (!deployed->claimed ||
		    ownership_is_forward(resources, subscription, deployed->claimed))
			continue;
		arm_error(&errors, 400, "ReverseFqdnNotSupportedInTemplate",
			  "properties.dnsSettings.reverseFqdn",
			  "a template can set a reverse name only if it is the forward name of an "
			  "address of the subscription; others have to be asked for in DNS first: "
			  "deploy the address without it, and set it then");
		deployment_add_errors(deployment, deployed, &errors);
	}
}

/* Called with a draft that has all edits. */
static void finish(struct deployment *deployment)
{
	if (template_deployments(deployment->reader->template, &deployment->deployments,
				 &deployment->deployment_count, &deployment->error) != 0)
		return;
	for (size_t i = 1; i < deployment->deployment_count; i++)
		check_nested(deployment, &deployment->deployments[i]);
	check_claims(deployment);
	for (size_t i = 0; deployment->asked.wants_before_after && i < deployment->count; i++) {
		struct deployed *deployed = &deployment->resources[i];

		if (!deployed->is_removed)
			deployed->after = find_bare(deployment, deployed);
	}
}

/* May the template read a resource that the draft lacks: by reference(), or by resourceGroup() in a
 * nested deployment? */
static bool may_ask_for_fresh(const struct deployment *deployment)
{
	bool has_fresh_group = false;

	for (size_t i = deployment->reader->edits_in_draft; i < deployment->edits.count; i++)
		has_fresh_group |= deployment->edits.edits[i].path.kind->id == KIND_GROUP;
	return has_fresh_group || (deployment->reader->has_references &&
				   deployment->edits.count > deployment->reader->edits_in_draft);
}

/* Reads resources until one needs a new draft. */
static void read_resources(struct deployment *deployment)
{
	while (!deployment_has_failed(deployment)) {
		if (deployment->reader->round_at == deployment->reader->round_count) {
			if (may_ask_for_fresh(deployment))
				return;
			deployment->reader->round_at = 0;
			if (template_round(deployment->reader->template, &deployment->reader->round,
					   &deployment->reader->round_count,
					   &deployment->error) != 0)
				return;
			deployment->reader->read_all = deployment->reader->round_count == 0;
			if (deployment->reader->read_all) {
				refuse_unlisted(deployment);
				return;
			}
		}
		if (needs_draft(deployment,
				deployment->reader->round[deployment->reader->round_at]))
			return;
		read_resource(deployment,
			      deployment->reader->round[deployment->reader->round_at++]);
	}
}

/* The number of items that take time in making the draft's model. A draft with addresses alone has
 * the served model, and a ruleset that has not changed is not compiled again. */
static size_t count_made(const struct deployment_reader *reader, const struct model *drafted)
{
	const struct group *group = schema_field(&schema_model, "rulesets")->group;
	size_t count;

	if (drafted == reader->served)
		return 0;
	count = schema_count(&schema_model, drafted);
	for (size_t i = 0; i < drafted->rulesets.count; i++) {
		const struct forwarding_ruleset *ruleset = &drafted->rulesets.items[i];

		if (ruleset->version != 0 && ruleset->version < reader->served_version)
			count -= schema_count(group, ruleset);
	}
	return count;
}

/* Reads on in this draft until a new one is needed. */
static void read_on(void *context, struct resources *draft, const struct policy *none)
{
	struct deployment *deployment = context;
	struct api_request *request = deployment->asked.request;
	struct resources *before = request->aside;

	(void)none;
	request->aside = draft;
	deployment->reader->edits_in_draft = deployment->edits.count;
	deployment->reader->draft_work += count_made(deployment->reader, resources_model(draft));
	if (!deployment->reader->read_all) {
		read_resources(deployment);
	} else if (deployment->asked.complete && !deployment->reader->removals_read) {
		read_removals(deployment);
		deployment->reader->removals_read = true;
	} else {
		finish(deployment);
		deployment->reader->is_done = true;
	}
	request->aside = before; /* the draft ends with this call */
}

/* False: another draft is one too many; an error was added. */
static bool may_draft(struct deployment *deployment)
{
	const struct deployment_reader *reader = deployment->reader;
	struct template_error *error = &deployment->error;
	bool are_many = reader->drafts == DEPLOYMENT_DRAFTS_MAX;

	if (!are_many && (reader->drafts < DEPLOYMENT_DRAFTS_ALWAYS ||
			  reader->draft_work < DEPLOYMENT_DRAFT_WORK_MAX))
		return true;
	error->trouble = TEMPLATE_LIMIT;
	snprintf(error->place, sizeof error->place, "resources");
	if (are_many)
		snprintf(error->text, sizeof error->text,
			 "its resources wait for one another more than %d times in a row; make "
			 "several templates of it",
			 DEPLOYMENT_DRAFTS_MAX);
	else
		snprintf(error->text, sizeof error->text,
			 "its resources wait for one another more than %zu times in a row, and "
			 "each time the whole configuration is made anew, which has come to %zu "
			 "items; the limit is %d: make several templates of it",
			 reader->drafts, reader->draft_work, DEPLOYMENT_DRAFT_WORK_MAX);
	return false;
}

static void read_rounds(struct deployment *deployment, struct resources *resources)
{
	struct service *service = deployment->asked.request->service;

	while (!deployment->reader->is_done && !deployment_has_failed(deployment)) {
		struct service_change draft = {.edits = deployment->edits.edits,
					       .count = deployment->edits.count,
					       .who = deployment->asked.request->who,
					       .look = read_on,
					       .context = deployment};
		struct faults faults;
		int err;

		if (!may_draft(deployment))
			return;
		deployment->reader->drafts++;
		faults_init(&faults);
		err = service_rehearse(service, resources, &draft, &faults);
		if (err == ERR_INVALID && !deployment_has_failed(deployment))
			deployment_tell_error(deployment, &draft.error, draft.failed);
		else if (err == ERR_FAULTS)
			deployment_tell_faults(deployment, &faults);
		faults_release(&faults);
	}
}

/* May the template's JSON call reference()? "preference" does not, but a letter after a backslash
 * may be the end of an escaped character, such as a newline. */
static bool has_references(const char *text)
{
	const char *at = text;

	while (at && (at = strcasestr(at, "reference"))) {
		if (at == text || !isalpha((unsigned char)at[-1]) ||
		    (at - text > 1 && at[-2] == '\\'))
			return true;
		at++;
	}
	return false;
}

static void begin(struct deployment *deployment, struct resources *resources)
{
	const char *base = api_base(deployment->asked.request);
	const char *manager = base ? base : "https://management.azure.com/";

	deployment->text = json_dumps(deployment->asked.template, JSON_COMPACT);
	deployment->reader->served = resources_model(resources);
	deployment->reader->served_version = model_next_version();
	deployment->reader->has_references = has_references(deployment->text);
	deployment->reader->environment = json_make(
		"{s:s, s:s, s:{s:s, s:[s], s:s, s:s}, s:{s:s, s:s, s:s, s:s, s:s, s:s, s:s}}",
		"name", "AzureCloud", "resourceManager", manager, "authentication", "loginEndpoint",
		base ? base : "https://login.microsoftonline.com/", "audiences", manager, "tenant",
		TOKEN_TENANT, "identityProvider", "AAD", "suffixes", "storage", "core.windows.net",
		"sqlServerHostname", ".database.windows.net", "keyvaultDns", ".vault.azure.net",
		"acrLoginServer", ".azurecr.io", "azureDatalakeAnalyticsCatalogAndJob",
		"azuredatalakeanalytics.net", "azureDatalakeStoreFileSystem",
		"azuredatalakestore.net", "azureFrontDoorEndpointSuffix", "azurefd.net");
	deployment->reader->deployer = deployer_json(deployment);
	deployment->reader->scope =
		(struct template_scope){.name = deployment->asked.name,
					.location = deployment->asked.location,
					.subscription = ownership_subscription(resources, NULL),
					.tenant = TOKEN_TENANT,
					.group = deployment->asked.group,
					.display_name = API_ARM_DISPLAY_NAME,
					.environment = deployment->reader->environment,
					.deployer = deployment->reader->deployer,
					.now_s = time(NULL),
					.context = deployment,
					.find_group = find_group,
					.find_provider = find_provider,
					.find_resource = find_resource};
	if (deployment->text && deployment->reader->environment && deployment->reader->deployer)
		deployment->reader->template =
			template_new(deployment->asked.template, deployment->asked.parameters,
				     &deployment->reader->scope, &deployment->error);
	else
		deployment->error.trouble = TEMPLATE_NO_MEMORY;
}

/* Puts edits of the same child together, in their order. */
static int compare_children(const void *left, const void *right)
{
	const struct resource_edit *a = *(const struct resource_edit *const *)left;
	const struct resource_edit *b = *(const struct resource_edit *const *)right;
	int order = (a->path.kind > b->path.kind) - (a->path.kind < b->path.kind);

	if (order == 0)
		order = strcasecmp(a->path.group, b->path.group);
	if (order == 0)
		order = strcasecmp(a->path.names[0], b->path.names[0]);
	if (order == 0)
		order = strcasecmp(a->path.names[1], b->path.names[1]);
	return order != 0 ? order : (a > b) - (a < b);
}

/* Does the state have the resource with these values? */
static bool is_as_it_was(struct deployment *deployment, const struct resource_edit *edit)
{
	const struct arm_type *type = arm_type_of(&edit->path);
	struct change_error error;
	struct arm_shown shown;
	json_t *base;
	bool same;

	if (!edit->values || !type ||
	    !arm_find_plain(deployment->asked.request, type, &edit->path, &shown, &error))
		return false;
	base = arm_base(&shown, &error);
	same = base && json_equal(base, edit->values);
	json_decref(base);
	arm_shown_release(&shown);
	return same;
}

/* Removes the edits whose path has no kind. */
static void compact_edits(struct deployment *deployment)
{
	size_t kept = 0;

	for (size_t i = 0; i < deployment->edits.count; i++) {
		if (deployment->edits.edits[i].path.kind)
			deployment->edits.edits[kept++] = deployment->edits.edits[i];
		else
			json_decref((json_t *)(uintptr_t)deployment->edits.edits[i].values);
	}
	deployment->edits.count = kept;
}

/* Drops the edits of a subnet that is edited twice, by its network's body and by itself, if the
 * last one restores it. */
static void drop_undone(struct deployment *deployment)
{
	struct resource_edit **children =
		reallocarray(NULL, deployment->edits.count + 1, sizeof(struct resource_edit *));
	size_t count = 0;

	if (!children) {
		fail_memory(deployment);
		return;
	}
	for (size_t i = 0; i < deployment->edits.count; i++)
		if (deployment->edits.edits[i].path.kind->id == KIND_SUBNET)
			children[count++] = &deployment->edits.edits[i];
	if (count > 0)
		qsort(children, count, sizeof *children, compare_children);
	for (size_t first = 0, end; first < count; first = end) {
		end = first + 1;
		while (end < count && is_same(&children[first]->path, &children[end]->path))
			end++;
		if (end == first + 1 || !is_as_it_was(deployment, children[end - 1]))
			continue;
		for (size_t i = first; i < end; i++)
			children[i]->path.kind = NULL;
	}
	free(children);
	compact_edits(deployment);
}

static void find_before(struct deployment *deployment)
{
	for (size_t i = 0; i < deployment->count; i++)
		deployment->resources[i].before = find_bare(deployment, &deployment->resources[i]);
}

/* A failed read looks like a resource that does not exist. */
static void check_reads(struct deployment *deployment, const struct resources *resources)
{
	const char *trouble = resources_trouble(resources);

	if (trouble && !deployment_has_failed(deployment))
		arm_error(&deployment->errors, 503, "StoreFailed", NULL, "%s", trouble);
}

int deployment_read(struct deployment *deployment, struct resources *resources,
		    struct service_change *change)
{
	deployment->reader = calloc(1, sizeof *deployment->reader);
	if (!deployment->reader) {
		deployment->error.trouble = TEMPLATE_NO_MEMORY;
		return change_no_memory(&change->error);
	}
	deployment->asked.request->aside = resources;
	begin(deployment, resources);
	read_rounds(deployment, resources);
	if (!deployment_has_failed(deployment))
		drop_undone(deployment);
	if (deployment->asked.wants_before_after && !deployment_has_failed(deployment))
		find_before(deployment);
	check_reads(deployment, resources);
	deployment->asked.request->aside = NULL;
	change->edits = deployment->edits.edits;
	change->count = deployment->edits.count;
	if (deployment_has_failed(deployment))
		return change_say(&change->error, CHANGE_INVALID, NULL,
				  "the template cannot be deployed");
	return change->count > 0 ? 0 : ERR_NOT_FOUND; /* nothing to change */
}

char *deployment_hide_secrets(const struct deployment *deployment, const char *text)
{
	const struct deployment_reader *reader = deployment->reader;

	/* Without a template there are neither secrets nor resources. */
	return reader && reader->template ? template_hide_secrets(reader->template, text)
					  : strdup(text);
}

void deployment_release(struct deployment *deployment)
{
	struct deployment_reader *reader = deployment->reader;

	for (size_t i = 0; i < deployment->count; i++) {
		json_decref(deployment->resources[i].before);
		json_decref(deployment->resources[i].after);
	}
	api_earlier_release(&deployment->edits);
	free(deployment->resources);
	free(deployment->text);
	json_decref(deployment->failed);
	arm_errors_release(&deployment->errors);
	if (reader) {
		for (size_t i = 0; i < reader->unlisted_count; i++)
			arm_errors_release(&reader->unlisted[i].errors);
		free(reader->unlisted);
		template_free(reader->template);
		json_decref(reader->environment);
		json_decref(reader->deployer);
		json_decref(reader->networks);
	}
	free(reader);
}
