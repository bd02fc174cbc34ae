#include "tests/fuzz/world.h"

#include "endpoints/inbound/internal.h"
#include "tests/lib/each_upstream.h"
#include "tests/lib/message_text.h"
#include "tests/lib/model_builder.h"

enum {
	SECOND_US = 1000 * 1000,
	CACHE_BYTES = 8 << 20,
	CHAIN_NAMES = 64, /* that an answer section may lead through */
};

/* ---- replies ---- */

struct chain { /* the names that an answer may speak of: the qname, and what it leads to */
	uint8_t names[CHAIN_NAMES][NAME_WIRE_MAX];
	unsigned count;
};

static bool chain_has(const struct chain *chain, const uint8_t *owner)
{
	for (unsigned i = 0; i < chain->count; i++)
		if (name_wire_equal(chain->names[i], owner))
			return true;
	return false;
}

/* A DNAME stands above a name of the chain. */
static bool chain_is_below(const struct chain *chain, const uint8_t *owner)
{
	for (unsigned i = 0; i < chain->count; i++)
		for (const uint8_t *at = chain->names[i]; *at; at += 1 + *at)
			if (name_wire_equal(at, owner))
				return true;
	return *owner == 0;
}

/* Whether a reply that was taken has this record of this owner, byte for byte. */
static bool was_said(const uint8_t *wire, size_t length, const uint8_t *owner,
		     const struct record_view *record, const uint8_t *rdata)
{
	if (length == MESSAGE_HEADER) /* FORMERR, without a question */
		return false;
	struct message_walk walk = message_walk_from(
		wire, length, MESSAGE_HEADER + name_wire_length(wire + MESSAGE_HEADER) + 4);
	for (unsigned n = wire_u16(wire + 6); n > 0; n--) {
		struct record_view view;
		uint8_t name[NAME_WIRE_MAX];

		if (message_read_record(&walk, &view) != 0)
			return false;
		if (view.type != record->type || view.rdata_length != record->rdata_length ||
		    memcmp(wire + view.rdata, rdata, view.rdata_length) != 0)
			continue;
		FUZZ_CHECK(wire_read_name(wire, length, view.owner, MESSAGE_HEADER, name, NULL));
		if (name_wire_equal(name, owner))
			return true;
	}
	return false;
}

/* Names that only upstreams have data of: an address of theirs comes from one that spoke of that
 * very name, whoever was asked what. */
static void check_origin(const uint8_t *owner, const struct record_view *record,
			 const uint8_t *rdata)
{
	static const uint8_t foreign[][19] = {"\4rule\4test", "\11elsewhere\7example",
					      "\6follow\4test", "\4loop\4test", "\3tcp\4test"};
	const struct fuzz_world *world = fuzz_world();
	bool is_foreign = false;

	if ((record->type != TYPE_A && record->type != TYPE_AAAA && record->type != TYPE_TXT) ||
	    world->said_count > FUZZ_SAID)
		return;
	for (size_t i = 0; i < COUNT(foreign); i++)
		for (const uint8_t *at = owner; *at; at += 1 + *at)
			is_foreign |= name_wire_equal(at, foreign[i]);
	if (!is_foreign)
		return;
	for (unsigned i = 0; i < world->said_count; i++)
		if (was_said(world->said[i].wire, world->said[i].length, owner, record, rdata))
			return;
	FUZZ_CHECK(!"an upstream has said this");
}

static void check_answer_record(struct chain *chain, const uint8_t *reply, size_t length,
				const struct record_view *record)
{
	uint8_t owner[NAME_WIRE_MAX];
	size_t read = wire_read_name(reply, length, record->owner, MESSAGE_HEADER, owner, NULL);

	FUZZ_CHECK(read != 0);
	if (record->type == TYPE_DNAME || record->type == TYPE_RRSIG)
		FUZZ_CHECK(chain_is_below(chain, owner));
	else
		FUZZ_CHECK(chain_has(chain, owner));
	check_origin(owner, record, reply + record->rdata);
	if (record->type != TYPE_CNAME)
		return;
	FUZZ_CHECK(chain->count < CHAIN_NAMES);
	FUZZ_CHECK(wire_read_name(reply, length, record->rdata, MESSAGE_HEADER,
				  chain->names[chain->count], NULL) != 0);
	chain->count++;
}

/* Every record can be read, each stands where it may, the answer speaks of nothing but the
 * question's chain, and no bytes follow. */
static void check_records(const struct query *query, const uint8_t *reply, size_t length)
{
	struct message_walk walk =
		message_walk_from(reply, length, MESSAGE_HEADER + query->request.question_length);
	struct chain chain = {.count = 0};
	unsigned opts = 0;

	if (query->request.question_length) {
		memcpy(chain.names[0], reply + MESSAGE_HEADER,
		       (size_t)query->request.question_length - 4);
		chain.count = 1;
	}
	for (enum section section = SECTION_ANSWER; section < SECTION_COUNT; section++) {
		for (unsigned n = wire_u16(reply + 6 + 2 * section); n > 0; n--) {
			struct record_view record;

			FUZZ_CHECK(message_read_record(&walk, &record) == 0);
			if (record.type == TYPE_OPT) {
				FUZZ_CHECK(section == SECTION_ADDITIONAL);
				opts++;
			} else if (section == SECTION_ANSWER) {
				check_answer_record(&chain, reply, length, &record);
			}
		}
	}
	FUZZ_CHECK(walk.at == length);
	FUZZ_CHECK(opts == query->request.edns);
}

static void check_reply(const struct query *query, const uint8_t *packet_question,
			const uint8_t *reply, size_t length)
{
	const struct request *request = &query->request;

	FUZZ_CHECK(length >= MESSAGE_HEADER + (size_t)request->question_length);
	FUZZ_CHECK(length <= query->limit);
	FUZZ_CHECK(wire_u16(reply) == request->id);
	uint16_t flags = message_flags(reply), kept = FLAG_OPCODE;
	if (!(request->flags & FLAG_OPCODE))
		kept |= FLAG_RD | FLAG_CD;
	FUZZ_CHECK(flags & FLAG_QR);
	FUZZ_CHECK(!(flags & FLAG_AD));
	FUZZ_CHECK(!(flags & FLAG_RA) == !!(request->flags & FLAG_OPCODE));
	FUZZ_CHECK((flags & kept) == (request->flags & kept));
	FUZZ_CHECK(wire_u16(reply + 4) == (request->question_length > 0));
	FUZZ_CHECK(memcmp(reply + MESSAGE_HEADER, packet_question, request->question_length) == 0);
	if (request->question_length == 0) {
		FUZZ_CHECK(wire_u16(reply + 6) == 0);
		return;
	}
	check_records(query, reply, length);
}

static void on_finish(struct query *query, const uint8_t *reply, size_t length)
{
	struct fuzz_client *client = query->origin;

	client->answers++;
	if (reply)
		check_reply(query, query->question, reply, length);
}

/* ---- asking ---- */

struct place fuzz_place(unsigned number)
{
	static const struct place places[] = {
		{0, false}, {1, false}, {0, true}, {1, true}, {NETWORK_NONE, true}};

	return places[number % COUNT(places)];
}

size_t fuzz_question(unsigned number, unsigned how, uint8_t wire[MESSAGE_UDP_MIN])
{
	static const struct {
		const char *name;
		uint16_t type;
	} questions[FUZZ_QUESTIONS] = {
		{"www.corp.test", 1},
		{"alias.corp.test", 1},
		{"out.corp.test", 1},
		{"none.corp.test", 1},
		{"a.wild.corp.test", 16},
		{"x.d.corp.test", 1},
		{"big.corp.test", 16},
		{"corp.test", 255},
		{"www.rule.test", 1},
		{"www.rule.test", 28},
		{"other.rule.test", 5},
		{"a.b.follow.test", 1},
		{"deep.sub.rule.test", 1},
		{"vm.privatelink.test", 1},
		{"missing.privatelink.test", 1},
		{"www.elsewhere.example", 1},
		{"elsewhere.example", 6},
		{"www.elsewhere.example", 43},
		{"10.100.51.198.in-addr.arpa", 12},
		{"77.100.51.198.in-addr.arpa", 12},
		{"localhost", 1},
		{"loop.test", 1},
		{"tcp.test", 16},
		{"spoke.elsewhere.example", 64},
	};
	unsigned payload = how & 1 ? 0 : how & 2 ? 4096 : 1232;
	uint16_t flags = how & 4 ? 0 : FLAG_RD;

	number %= FUZZ_QUESTIONS;
	if (how & 8)
		flags |= FLAG_CD;
	size_t length =
		request_write(wire, (uint16_t)(0x4000 + number), flags, questions[number].name,
			      questions[number].type, CLASS_IN, payload, payload && how & 16);
	FUZZ_CHECK(length > 0);
	return length;
}

/* The same packet from where nobody may ask: silence or REFUSED. */
static void ask_as_stranger(struct inbound *inbound, struct query *query, const uint8_t *packet,
			    size_t length)
{
	static const struct access nobody;
	uint8_t reply[INBOUND_ERROR_REPLY_MAX];
	size_t reply_length;

	inbound->admission.access = &nobody;
	FUZZ_CHECK(
		!inbound_read(inbound, query, packet, length, RCODE_NOERROR, reply, &reply_length));
	inbound->admission.access = NULL;
	if (reply_length) {
		FUZZ_CHECK((message_flags(reply) & FLAG_RCODE) == RCODE_REFUSED);
		check_reply(query, packet + MESSAGE_HEADER, reply, reply_length);
	}
}

static void refuse_updates(struct fuzz_world *world)
{
	struct update_request *request = update_requests_take(&world->requests, 0), *next;

	for (; request; request = next) {
		next = request->next;
		FUZZ_CHECK(request->packet_length >= MESSAGE_HEADER &&
			   request->packet_length <= UPDATE_MESSAGE_MAX);
		FUZZ_CHECK(request->key_length == 0); /* no key is known */
		update_request_answer(&world->requests, request, RCODE_REFUSED);
	}
	updates_work(&world->updates);
	FUZZ_CHECK(atomic_load(&world->requests.open) == 0);
}

void fuzz_ask(struct fuzz_world *world, struct place place, const uint8_t *packet, size_t length,
	      bool tcp)
{
	struct stage *stage = world->stage;
	static const struct address local = {.family = 4, .bytes = {10, 10, 0, 4}};
	static struct query_binding binding = {.local = &local};
	struct inbound_worker worker = {
		.key = &stage->key, .payload_max = 1232, .accepts_updates = true};
	struct inbound inbound = {.worker = &worker, .counters = &worker.counters};
	uint8_t error[INBOUND_ERROR_REPLY_MAX];
	size_t error_length;

	if (world->client_count == FUZZ_CLIENTS)
		return;
	struct fuzz_client *client = &world->clients[world->client_count];
	struct query *query = &client->query;
	client->answers = 0;
	memset(query->scratch, 0x5a, sizeof query->scratch);
	memset(&query->request, 0, sizeof query->request);
	query->finish = on_finish;
	query->origin = client;
	query->binding = &binding;
	query->local.family = 0;
	query->arrived_us = stage->now_us;
	query->tcp = tcp;
	query->client =
		(struct address){.family = 4, .bytes = {10, 10, 1, (uint8_t)world->client_count}};
	ask_as_stranger(&inbound, query, packet, length);
	if (!inbound_read(&inbound, query, packet, length, RCODE_NOERROR, error, &error_length)) {
		if (error_length)
			check_reply(query, packet + MESSAGE_HEADER, error, error_length);
		return;
	}
	world->client_count++;
	resolve_arrive(&stage->resolver, query, &stage->hold->hold, place, &stage->endpoint);
	for (unsigned pass = 1; pass < RESOLVE_PASSES; pass++)
		resolve_expect(query, pass);
	resolve_start(query, stage->now_us);
	refuse_updates(world);
}

/* ---- upstreams ---- */

static int on_send(void *transport, struct flight *flight, const uint8_t *wire, size_t length,
		   uint64_t now_us)
{
	struct fuzz_world *world = transport;
	struct stage *stage = world->stage;

	(void)now_us;
	for (unsigned i = 0; i < stage->unreachable_count; i++)
		if (host_equal(&stage->unreachable[i], &flight->upstream->host))
			return ERR_SYSTEM;
	if (world->packet_count == FUZZ_PACKETS)
		return ERR_SYSTEM;
	FUZZ_CHECK(length <= MESSAGE_QUERY_MAX);
	struct fuzz_packet *packet = &world->packets[world->packet_count++];
	packet->flight = flight;
	packet->peer = flight->upstream->host;
	packet->tcp = flight->tcp;
	packet->length = length;
	memcpy(packet->wire, wire, length);
	flight->socket = packet;
	return 0;
}

/* Noted before it is given: answers may leave while it is. */
bool fuzz_deliver(struct fuzz_world *world, struct fuzz_packet *packet, const struct host *peer,
		  const uint8_t *reply, size_t length)
{
	struct stage *stage = world->stage;
	unsigned before = world->said_count;
	uint8_t *given = malloc(length ? length : 1); /* a byte too far is seen */

	FUZZ_CHECK(given);
	memcpy(given, reply, length);
	if (before < FUZZ_SAID) {
		uint8_t *wire = malloc(length ? length : 1);
		FUZZ_CHECK(wire);
		memcpy(wire, reply, length);
		world->said[before].wire = wire;
		world->said[before].length = length;
	}
	world->said_count++;
	bool taken = lookup_on_reply(&stage->lookups, packet, peer, given, length, stage->now_us);
	free(given);
	if (taken)
		return true;
	world->said_count = before;
	if (before < FUZZ_SAID)
		free(world->said[before].wire);
	return false;
}

bool fuzz_reply(struct fuzz_world *world, struct fuzz_packet *packet, unsigned rcode,
		const char *records)
{
	uint8_t wire[MESSAGE_MAX];
	size_t length = reply_write(wire, packet->wire, packet->length, rcode, FLAG_RA, records);

	FUZZ_CHECK(length > 0);
	return fuzz_deliver(world, packet, &packet->peer, wire, length);
}

void fuzz_refuse_all(struct fuzz_world *world)
{
	struct stage *stage = world->stage;

	/* What is refused may be asked of the next one, after these. */
	for (unsigned i = 0; i < world->packet_count; i++) {
		struct fuzz_packet *packet = &world->packets[i];
		uint8_t wire[MESSAGE_QUERY_MAX];
		size_t length = packet->length;

		if (!packet->flight)
			continue;
		memcpy(wire, packet->wire, length);
		wire[2] |= 0x80;
		wire[3] |= RCODE_REFUSED;
		FUZZ_CHECK(lookup_on_reply(&stage->lookups, packet, &packet->peer, wire, length,
					   stage->now_us));
	}
}

static void on_forget(void *transport, struct flight *flight)
{
	struct fuzz_packet *packet = flight->socket;

	(void)transport;
	FUZZ_CHECK(packet->flight == flight);
	packet->flight = NULL;
}

/* ---- the world ---- */

static const char corp_zone[] = "$TTL 300\n"
				"@ SOA ns hostmaster 1 3600 300 2419200 60\n"
				"www A 10.10.1.1\n"
				"www A 10.10.1.2\n"
				"alias CNAME www\n"
				"out CNAME www.elsewhere.example.\n"
				"chain CNAME www.rule.test.\n"
				"*.wild TXT \"any\"\n"
				"d DNAME sub.rule.test.\n"
				"srv SRV 1 2 443 www\n"
				"mail MX 10 www\n"
				"loop CNAME loop.test.\n";

/* Too long for 1232 bytes. */
static void add_corp(struct model *model)
{
	char text[8192];
	int used = snprintf(text, sizeof text, "%s", corp_zone);

	for (int i = 0; i < 15; i++)
		used += snprintf(text + used, sizeof text - (size_t)used, "big TXT \"%0150d\"\n",
				 i);
	model_add_zone(model, "corp.test", text, "hub spoke");
}

static struct model *make_model(bool second)
{
	struct model *model = model_start();
	struct forwarding_ruleset *office;

	model_add_network(model, "hub", "10.10.0.0/16");
	model_add_network(model, "spoke", "10.20.0.0/16");
	model_add_resolver(model, "hub", "hub", NULL);
	model_add_resolver(model, "spoke", "spoke", NULL);
	model_add_dns_server(&model->virtual_networks.items[1], model, "10.10.0.4");
	model_add_dns_server(&model->virtual_networks.items[1], model, "192.0.2.90");
	add_corp(model);
	model_add_zone(model, "privatelink.test", "vm A 10.10.2.2\n", "hub?");
	office = model_add_ruleset(model, "office", "hub/out hub/out2", "hub");
	model_add_rule(model, office, "rule", "rule.test.", "192.0.2.1 192.0.2.2 192.0.2.3");
	if (!second)
		model_add_rule(model, office, "sub", "sub.rule.test.", "192.0.2.4");
	model_add_rule(model, office, "follow", "follow.test.", "192.0.2.5")->follow_cname = true;
	model_add_rule(model, office, "loop", "loop.test.", "10.20.0.4 192.0.2.6");
	model_add_rule(model, office, "tcp", "tcp.test.", "tcp:192.0.2.7");
	office = model_add_ruleset(model, "spoke", "spoke/out", "spoke");
	model_add_rule(model, office, "loop", "loop.test.", "10.10.0.4");
	model_add_default(model, second ? "192.0.2.54" : "192.0.2.53 192.0.2.54");
	model_add_pool(model, "public", "198.51.100.0/24");
	model_add_address(model, "mail", "198.51.100.10", NULL, "mail.example.test.");
	return model;
}

/* Models are made once; what an input costs is the compiling. */
static void load(struct fuzz_world *world, bool second)
{
	static struct model *models[2];

	if (!models[second])
		models[second] = make_model(second);
	FUZZ_CHECK(stage_load(world->stage, models[second]));
	world->policies++;
}

void fuzz_reload(struct fuzz_world *world)
{
	load(world, world->policies % 2 == 1);
}

/* A new one costs less than looking through all of the old one's places. */
void fuzz_forget(struct fuzz_world *world)
{
	struct stage *stage = world->stage;
	struct cache_stats cached;

	cache_read_stats(stage->cache, &cached);
	if (cached.entries == 0)
		return;
	cache_free(stage->cache);
	stage->cache = stage->resolver.cache = cache_new(CACHE_BYTES);
	FUZZ_CHECK(stage->cache);
}

static uint64_t time_of_day_s(void)
{
	return 0;
}

static void on_wake(void *context)
{
	(void)context;
}

static void init_updates(struct fuzz_world *world)
{
	struct resolver *resolver = &world->stage->resolver;

	update_requests_init(&world->requests, &world->stage->key, 0);
	world->updates = (struct updates){.requests = &world->requests,
					  .wheel = &world->stage->wheel,
					  .buffer = resolver->buffer,
					  .time_of_day_s = time_of_day_s,
					  .wake = on_wake,
					  .wake_worker = on_wake};
	resolver->updates = &world->updates;
}

struct fuzz_world *fuzz_world(void)
{
	static struct fuzz_world world;

	if (!world.stage) {
		world.stage = stage_new();
		FUZZ_CHECK(world.stage);
		world.stage->lookups.transport = &world;
		world.stage->lookups.send = on_send;
		world.stage->lookups.forget = on_forget;
		world.begin_us = world.stage->now_us;
		init_updates(&world);
		load(&world, false);
	}
	return &world;
}

static void renew_target(void *context, struct upstream *upstream)
{
	struct target *target = upstream->target;
	unsigned references = atomic_load(&target->references);
	struct target *next = target->next;

	(void)context;
	FUZZ_CHECK(atomic_load(&target->waiting) == 0);
	target_init(target, &upstream->source, &upstream->host, upstream->protocol);
	atomic_store(&target->references, references);
	target->next = next;
}

static void begin_again(struct fuzz_world *world)
{
	struct stage *stage = world->stage;

	fuzz_forget(world);
	stage->random = 0x5eed;
	stage->entropy.left = 0;
	stage->unreachable_count = 0;
	stage->lookups.target_max = LOOKUP_TARGET_MAX;
	world->client_count = world->packet_count = 0;
	for (unsigned i = 0; i < world->said_count && i < FUZZ_SAID; i++)
		free(world->said[i].wire);
	world->said_count = 0;
	if (world->policies % 2 == 0)
		load(world, false);
	each_upstream(stage->hold->snapshot->policy, renew_target, NULL);
	stage->now_us = world->begin_us;
	wheel_init(&stage->wheel, stage->now_us);
}

void fuzz_end(struct fuzz_world *world)
{
	struct stage *stage = world->stage;

	/* The last question may have sent one ahead of expiry, which has a deadline of its own. */
	for (unsigned second = 0; second < 10 && stage->wheel.armed > 0; second++) {
		stage_pass(stage, SECOND_US);
		for (unsigned i = 0; second == 4 && i < world->client_count; i++)
			FUZZ_CHECK(world->clients[i].answers == 1);
	}
	FUZZ_CHECK(stage->wheel.armed == 0);
	for (unsigned i = 0; i < world->client_count; i++)
		FUZZ_CHECK(world->clients[i].answers == 1);
	FUZZ_CHECK(stage->resolver.waiting.count == 0);
	FUZZ_CHECK(stage->lookups.lookup_count == 0);
	FUZZ_CHECK(stage->lookups.flight_count == 0);
	FUZZ_CHECK(stage->lookups.stalled_count == 0);
	FUZZ_CHECK(stage->hold->hold.users == 1);
	for (unsigned i = 0; i < world->packet_count; i++)
		FUZZ_CHECK(!world->packets[i].flight);
	begin_again(world);
}
