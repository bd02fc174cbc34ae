#include "resolver/control/service/service.h"

#include <time.h>

#include "resolver/control/base/regular_file.h"
#include "resolver/control/base/report.h"
#include "resolver/log.h"
#include "rules/base.h"
#include "rules/text.h"

enum { ADOPTION_MAX_MS = 2000, BEHIND_AGAIN_MS = 100 };

/* ---- when every worker has adopted a change ---- */

static void adopted(struct service *service)
{
	uv_timer_stop(&service->adoption);
	service->on_adopted(service->context);
	if (!service->beside)
		secondary_sockets_look(service->secondaries);
}

static void on_adoption_overdue(uv_timer_t *timer)
{
	adopted(timer->data);
}

static void published(struct service *service)
{
	uv_timer_start(&service->adoption, on_adoption_overdue, ADOPTION_MAX_MS, 0);
	registrar_published(&service->registrar);
}

void service_await(struct service *service)
{
	if (!server_all_adopted(&service->server))
		uv_timer_start(&service->adoption, on_adoption_overdue, ADOPTION_MAX_MS, 0);
}

bool service_all_adopted(const struct service *service)
{
	return !uv_is_active((const uv_handle_t *)&service->adoption);
}

static void tidy(void *job) /* in a thread */
{
	struct source *source = container_of(job, struct service, tidying.job)->tidying.source;

	source->calls->tidy(source);
}

static void on_tidy(void *job)
{
	struct service *service = container_of(job, struct service, tidying.job);

	if (service->tidying.source)
		source_close(service->tidying.source);
	service->tidying.source = NULL;
	service->tidying.begun = false;
	work_gap_end(&service->work);
}

static void begin_tidy(struct work_waiter *gap)
{
	struct service *service = container_of(gap, struct service, tidying.gap);
	struct source *source =
		service->beside ? NULL : resources_store(service->resources)->source;
	char error[SOURCE_ERROR_MAX];

	if (source)
		service->tidying.source = source->calls->another(source, error);
	if (!service->tidying.source ||
	    !work_beside_in_thread(&service->work, &service->tidying.job, tidy, on_tidy))
		on_tidy(&service->tidying.job);
}

/* While a long answer reads its view, later entries stay in the state's log. Without gaps between
 * long answers the log would only grow. A failed tidy is tried again after another change. */
static void keep_tidy(struct service *service)
{
	struct source *source =
		service->beside ? NULL : resources_store(service->resources)->source;

	if (!source || service->tidying.begun || !source->calls->is_untidy(source))
		return;
	service->tidying.begun = true;
	work_gap(&service->work, &service->tidying.gap, begin_tidy);
}

static void on_uses_written(void *context)
{
	keep_tidy(context);
}

static void on_wake(void *context)
{
	struct service *service = context;

	server_collect(&service->server);
	registrar_send_answers(&service->registrar);
	if (!server_all_adopted(&service->server))
		return;
	addresses_note_served(
		service->resources); /* first, so that answers from now on say ACTIVE */
	adopted(service);
	keep_tidy(service);
}

static void on_release(void *context) /* on a worker's thread */
{
	struct service *service = context;

	bell_ring(&service->bell);
}

/* ---- changes ---- */

int service_prepare(struct service *service, struct model *model, const struct policy *compiled,
		    struct service_prepared *prepared, struct faults *faults)
{
	const struct service_access *access = &service->access;
	struct owned *before = model->owned; /* set if the model is served already */

	*prepared = (struct service_prepared){.service = service, .model = model};
	if (access->prepare &&
	    access->prepare(access->context, model, service->server.model, faults) != 0)
		return ERR_FAULTS;
	prepared->has_access = access->prepare;
	prepared->resources = resources_prepare(service->resources, model, faults);
	if (!prepared->resources)
		return ERR_FAULTS;
	model->owned = addresses_table(prepared->resources);
	owned_unref(before);
	registrar_recall(&service->registrar);
	return server_prepare(&service->server, model, compiled, &prepared->snapshot, faults);
}

static void tell_served(const struct service *service, char text[SERVICE_TEXT_MAX])
{
	const struct server *server = &service->server;
	char numbers[REPORT_TEXT_MAX];

	snprintf(text, SERVICE_TEXT_MAX, "generation %llu, %s, %u listener%s added, %u removed",
		 (unsigned long long)server->generation,
		 report_numbers_text(server->model, numbers), server->listeners_added,
		 text_plural(server->listeners_added, "", "s"), server->listeners_removed);
}

void service_publish(struct service_prepared *prepared, char text[SERVICE_TEXT_MAX])
{
	struct service *service = prepared->service;

	server_publish(&service->server, prepared->snapshot, prepared->model);
	prepared->snapshot = NULL;
	published(service);
	tell_served(service, text);
	resources_adopt(prepared->resources);
	load_adopt(&service->load);
	if (prepared->has_access)
		service->access.finish(service->access.context, true);
	prepared->has_access = false;
}

/* Serves the present model again, after a change in place, with the same addresses. */
static int serve_in_place(struct service *service, struct faults *faults,
			  char text[SERVICE_TEXT_MAX])
{
	int err = server_apply(&service->server, service->server.model, faults);

	if (err != 0)
		return err;
	published(service);
	tell_served(service, text);
	return 0;
}

/* Sets that earlier processes registered may have been read for a model that is not served. They
 * are served with the present model, because the registrar drops all requests until then. */
static void serve_recalled(struct service *service)
{
	char text[SERVICE_TEXT_MAX];
	struct faults faults;

	if (!service->server.registered || !service->server.current)
		return;
	faults_init(&faults);
	if (serve_in_place(service, &faults, text) != 0)
		log_faults("registration", &faults);
	faults_release(&faults);
}

void service_prepared_release(struct service_prepared *prepared)
{
	struct service *service = prepared->service;

	if (prepared->snapshot)
		server_discard(&service->server, prepared->snapshot);
	resources_prepared_free(prepared->resources);
	if (prepared->has_access)
		service->access.finish(service->access.context, false);
	serve_recalled(service);
	*prepared = (struct service_prepared){.service = service};
}

int service_serve(struct service *service, struct model *model, struct faults *faults,
		  char text[SERVICE_TEXT_MAX])
{
	struct service_prepared prepared;
	int err = service_prepare(service, model, NULL, &prepared, faults);

	if (err == 0)
		service_publish(&prepared, text);
	service_prepared_release(&prepared);
	return err;
}

/* Nothing may be published between a large change's service_prepare and its service_publish; the
 * store is held meanwhile. */
static void on_behind(uv_timer_t *timer)
{
	struct service *service = timer->data;

	if (resources_store(service->resources)->held || !server_catch_up(&service->server))
		return;
	uv_timer_stop(timer);
	log_event(LOG_INFO, "state", "the addresses and PTRs that were kept are served");
}

void service_publish_owned(struct service *service)
{
	struct owned *owned = addresses_table(service->resources);

	if (owned != service->server.model->owned) {
		server_publish_owned(&service->server, owned);
		published(service);
	} else {
		bell_ring(&service->bell);
	}
	owned_unref(owned);
	if (server_catch_up(&service->server) || uv_is_active((uv_handle_t *)&service->behind))
		return;
	log_event(LOG_ERROR, "state",
		  "a change of addresses or PTRs is kept, and will be served as soon as there is "
		  "memory for it");
	uv_timer_start(&service->behind, on_behind, BEHIND_AGAIN_MS, BEHIND_AGAIN_MS);
}

static void read_resolv_conf(struct service *service)
{
	struct load *load = &service->load;
	struct model *model = service->server.model;
	char text[SERVICE_TEXT_MAX];
	struct load_targets before;
	struct faults faults;

	if (!load->follows)
		return;
	faults_init(&faults);
	int err = load_resolv_conf(load, model, &before, &faults);
	if (err == 0) {
		err = serve_in_place(service, &faults, text);
		if (err == 0)
			log_event(LOG_INFO, "resolv_conf", "%s has changed: %s", load->resolv_conf,
				  text);
		else
			load_restore(load, model, &before);
	} else if (err != ERR_EXISTS) {
		log_event(LOG_ERROR, "resolv_conf",
			  "%s has changed and cannot be used; the default resolver stays as it is",
			  load->resolv_conf);
	}
	log_faults("resolv_conf", &faults);
	faults_release(&faults);
}

/* Changes the served model in place, so it waits while a thread reads the model. */
static void on_resolv_conf(void *context)
{
	struct service *service = context;

	service->resolv_conf_waits = resources_store(service->resources)->held;
	if (!service->resolv_conf_waits)
		read_resolv_conf(service);
}

void service_end_of_thread(struct service *service)
{
	if (service->resolv_conf_waits)
		on_resolv_conf(service);
}

/* ---- handing over between processes ---- */

void service_rest(struct service *service)
{
	if (service->watches)
		file_watch_close(&service->resolv_conf);
	service->watches = false;
	commit_rest(service);
	if (service->rounds)
		rounds_rest(service->rounds);
}

void service_hand_over(struct service *service)
{
	secondary_sockets_rest(service->secondaries);
	serial_book_hand_over(&service->serials);
	use_book_hand_over(&service->uses);
	asked_book_hand_over(&service->asked);
	registrar_rest(&service->registrar);
	store_hand_over(resources_store(service->resources));
}

/* If even the rows read before cannot be served, the program ends, and is started again. */
static void serve_without_state(struct service *service, struct faults *faults,
				char text[SERVICE_TEXT_MAX])
{
	log_event(LOG_ERROR, "upgrade", "the state cannot be served as it is now; reload");
	if (serve_in_place(service, faults, text) == 0)
		return;
	log_faults("upgrade", faults);
	abort();
}

int service_serve_again(struct service *service, struct faults *faults, char text[SERVICE_TEXT_MAX])
{
	struct model *now = service->server.model, *model = now;
	int err = ERR_FAULTS;

	if (now->declared)
		model = load_again(&service->load, now->declared, now, faults);
	if (model)
		err = service_serve(service, model, faults, text);
	if (err && model != now)
		model_free(model);
	return err;
}

void service_take(struct service *service, char text[SERVICE_TEXT_MAX])
{
	char error[SOURCE_ERROR_MAX];
	struct faults faults;

	faults_init(&faults);
	service->beside = service->server.silent = false;
	service->server.transfers_anew = true;
	replays_begin(&service->server.updates.replays, (uint64_t)time(NULL));
	store_take(resources_store(service->resources));
	serial_book_take(&service->serials);
	use_book_take(&service->uses);
	asked_book_take(&service->asked);
	registrar_take(&service->registrar);
	/* Migrates again, because the old server may have changed the state since the start. */
	if (load_migrate(&service->load, error) != 0)
		log_event(LOG_ERROR, "state", "%s", error);
	/* Another process has written since the rows were read. */
	if (service_serve_again(service, &faults, text) != 0)
		serve_without_state(service, &faults, text);
	log_faults("upgrade", &faults);
	faults_release(&faults);
}

/* ---- opening and closing ---- */

int service_init(struct service *service, const char *config, const char *resolv_conf, bool beside)
{
	memset(service, 0, sizeof *service);
	service->beside = beside;
	load_init(&service->load, config, resolv_conf);
	service->load.migration.required = beside;
	file_watch_note(&service->resolv_conf, resolv_conf);
	service->config_path = regular_file_absolute(config); /* for the status */
	service->resources = resources_new(&service->load.key);
	return service->config_path && service->resources ? 0 : ERR_NOMEM;
}

static const struct transfer_table *served_zones(void *context)
{
	const struct service *service = context;
	const struct snapshot *current = service->server.current;

	return current ? current->transfers : NULL;
}

int service_open(struct service *service, uv_loop_t *loop, unsigned workers,
		 void (*on_adopted)(void *context), void (*on_work_end)(void *context),
		 void *context)
{
	struct server *server = &service->server;
	struct store *store = resources_store(service->resources);
	int err;

	if (bell_open(&service->bell, loop, on_wake, service) != 0)
		return ERR_SYSTEM;
	uv_timer_init(loop, &service->adoption);
	uv_timer_init(loop, &service->behind);
	service->adoption.data = service->behind.data = service;
	service->on_adopted = on_adopted;
	service->context = context;
	work_init(&service->work, loop, store, on_work_end, context);
	commit_open(service, loop);
	turns_open(&service->turns, loop);
	err = server_init(server, workers, &service->load.key, on_release, service);
	if (err != 0)
		return err;
	err = registrar_open(&service->registrar, loop, server, store, &service->work);
	if (err != 0)
		return err;
	server->silent = service->beside;
	if (service->beside)
		store->mode = SOURCE_READ;
	service->secondaries = secondary_sockets_new(loop, served_zones, service);
	service->rounds = rounds_new(loop, server);
	if (!service->secondaries || !service->rounds)
		return ERR_NOMEM;
	err = serial_book_open(&service->serials, loop, store, &server->keeper);
	if (err == 0)
		err = use_book_open(&service->uses, loop, store, server, &service->work,
				    on_uses_written, service);
	if (err == 0)
		err = asked_book_open(&service->asked, loop, store, server, &service->work,
				      on_uses_written, service);
	if (err == 0 && service->beside) {
		serial_book_hand_over(&service->serials);
		use_book_hand_over(&service->uses);
		asked_book_hand_over(&service->asked);
		registrar_rest(&service->registrar);
	}
	return err;
}

void service_follow(struct service *service)
{
	file_watch_start(&service->resolv_conf, service->bell.poll.loop, on_resolv_conf, service);
	service->watches = true;
}

void service_finish(struct service *service)
{
	commit_rest(service);
	work_finish(&service->work);
	serial_book_rest(&service->serials);
	use_book_rest(&service->uses, time(NULL));
	asked_book_rest(&service->asked);
	registrar_rest(&service->registrar);
}

void service_close(struct service *service)
{
	registrar_close(&service->registrar);
	if (service->server.workers)
		server_release(&service->server); /* while the loop that workers wake exists */
	bell_close(&service->bell);
	bell_release(&service->bell); /* the workers have ended */
	service_rest(service);
}

void service_release(struct service *service)
{
	secondary_sockets_free(service->secondaries);
	rounds_free(service->rounds);
	serial_book_release(&service->serials);
	use_book_release(&service->uses);
	asked_book_release(&service->asked);
	resources_free(service->resources);
	if (service->beside) /* never took over: the other server keeps its state */
		source_forget_migration(service->load.state);
	confirmation_release(&service->confirmation);
	free(service->config_path);
	free(service->restart.text);
}
