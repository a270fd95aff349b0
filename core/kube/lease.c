/*
 * Leader election over a Lease: the I/O around lease_state.c. It lives on the loop of its client.
 *
 * At most one request is under way. A stand-by reads the Lease every retry_ms (jittered, so that stand-bys do not march in step) and
 * writes when it may; a leader writes every retry_ms, with the resourceVersion that it knows, and reads again after a conflict. A second
 * timer ends the lead when no renewal has succeeded for renew_ms, whatever the requests do.
 */
#include <stint/kube.h>

#include "core/kube/lease_state.h"

#include <stdlib.h>
#include <string.h>

enum { LEASE_MS = 15000, RENEW_MS = 10000, RETRY_MS = 2000, REQUEST_MIN_MS = 500 };

struct stint_elector {
	struct stint_kube *kube;
	struct stint_elector_options options; /* its texts are ours */
	struct lease_state state;
	struct stint_map *annotations; /* key -> value; an empty pointer value removes */
	struct stint_json *lease; /* the Lease as the server told it last; NULL: none */
	struct stint_kube_call *call;
	struct stint_timer *retry, *deadline;
	int64_t sent_ms;
	bool write_again; /* an annotation changed while a request was under way */
	char *told_leader;
	/* Releasing: no more tries. */
	bool releasing, released_again;
	int64_t release_by_ms; /* all requests of a release together */
	void (*on_released)(void *user);
	void *released_user;
	/* A handler may free the elector. */
	int frames;
	bool dead;
};

static void read_lease(struct stint_elector *e);
static void write_lease(struct stint_elector *e, bool release);

/* ---- life ------------------------------------------------------------------------------------------------------------------------ */

static void destroy(struct stint_elector *e)
{
	lease_state_reset(&e->state);
	stint_map_free(e->annotations);
	stint_json_free(e->lease);
	free(e->told_leader);
	stint_free_pointer(&e->options.namespace_);
	stint_free_pointer(&e->options.name);
	stint_free_pointer(&e->options.identity);
	free(e);
}

static void enter(struct stint_elector *e)
{
	e->frames++;
}

static bool leave(struct stint_elector *e)
{
	if (--e->frames || !e->dead)
		return !e->dead;
	destroy(e);
	return false;
}

void stint_elector_free(struct stint_elector *e)
{
	if (!e || e->dead)
		return;
	e->dead = true;
	stint_kube_call_cancel(stint_steal(&e->call));
	stint_timer_free(stint_steal(&e->retry));
	stint_timer_free(stint_steal(&e->deadline));
	if (!e->frames)
		destroy(e);
}

/* ---- telling --------------------------------------------------------------------------------------------------------------------- */

/* Of another one, until when is waited: it may have died, and its Lease tells so only by not being renewed. */
static void tell_holder(const struct stint_elector *e)
{
	const struct lease_state *state = &e->state;
	const int64_t left_ms = state->seen_ms + state->held_for_ms - stint_monotonic_ms();
	char until[STINT_TIME_SIZE];
	if (state->leads || strcmp(state->holder, e->options.identity) == 0 || left_ms <= 0)
		stint_log(e->options.logger, STINT_LOG_INFO, "lease %s/%s: held by %s", e->options.namespace_, e->options.name,
			state->holder);
	else
		stint_log(e->options.logger, STINT_LOG_INFO,
			"lease %s/%s: held by %s: waiting until %s, and longer if it is renewed meanwhile", e->options.namespace_,
			e->options.name, state->holder, stint_time_format(stint_now_ms() + left_ms, until));
}

/* Tells what has changed since `led`. False when the elector has died on the way. */
static bool tell(struct stint_elector *e, bool led)
{
	if (led && !e->state.leads) {
		stint_timer_stop(e->deadline);
		stint_log(e->options.logger, STINT_LOG_WARN, "lease %s/%s: lost", e->options.namespace_, e->options.name);
		e->options.on_stopped(e->options.user);
	}
	const char *holder = e->state.holder;
	if (!e->dead && holder && *holder && (!e->told_leader || strcmp(holder, e->told_leader) != 0)) {
		free(e->told_leader);
		e->told_leader = stint_strdup(holder);
		tell_holder(e);
		if (e->options.on_leader)
			e->options.on_leader(e->options.user, e->told_leader);
	}
	if (!e->dead && !led && e->state.leads)
		e->options.on_started(e->options.user);
	return !e->dead;
}

static void released(struct stint_elector *e)
{
	void (*on_released)(void *) = e->on_released;
	e->on_released = NULL;
	if (on_released)
		on_released(e->released_user);
}

/* ---- when to try again ------------------------------------------------------------------------------------------------------------- */

/* client-go: a stand-by waits up to 2.2 periods, a leader one. */
static int64_t next_try_ms(const struct stint_elector *e)
{
	uint32_t random;
	if (e->state.leads)
		return e->options.retry_ms;
	stint_random_bytes(&random, sizeof(random));
	return e->options.retry_ms + (int64_t)((double)e->options.retry_ms * 1.2 * ((double)random / UINT32_MAX));
}

static void schedule(struct stint_elector *e)
{
	if (e->dead || e->call || e->releasing)
		return;
	stint_timer_set(e->retry, e->write_again && e->state.leads ? 0 : next_try_ms(e));
	e->write_again = false;
	if (e->state.leads) {
		const int64_t left = lease_until_ms(&e->state) - stint_monotonic_ms();
		stint_timer_set(e->deadline, left > 0 ? left : 0);
	}
}

static void on_retry(void *user)
{
	struct stint_elector *e = user;
	if (e->state.leads && e->lease)
		write_lease(e, false);
	else
		read_lease(e);
}

static void on_deadline(void *user)
{
	struct stint_elector *e = user;
	if (!e->state.leads)
		return;
	const int64_t left = lease_until_ms(&e->state) - stint_monotonic_ms();
	if (left > 0) {
		stint_timer_set(e->deadline, left);
		return;
	}
	/* What is still under way may yet reach the server: then the Lease is ours for a while without a leader, which does no harm. */
	stint_kube_call_cancel(stint_steal(&e->call));
	e->state.leads = false;
	enter(e);
	if (tell(e, true))
		schedule(e);
	leave(e);
}

/* ---- requests ---------------------------------------------------------------------------------------------------------------------- */

static int64_t request_timeout_ms(const struct stint_elector *e)
{
	const int64_t half = e->options.renew_ms / 2, whole = half > REQUEST_MIN_MS ? half : REQUEST_MIN_MS;
	const int64_t left = e->releasing ? e->release_by_ms - stint_monotonic_ms() : whole;
	return left > 1 ? left : 1;
}

static void keep_answer(struct stint_elector *e, const struct stint_kube_response *response)
{
	stint_json_free(e->lease);
	e->lease = stint_json_parse(response->body.data, response->body.length, 0, NULL);
}

static void start_read(struct stint_elector *e, void (*on_done)(void *user, struct stint_kube_response *response))
{
	e->call = stint_kube_call_start(e->kube,
		&(struct stint_kube_request){
			.resource = &stint_kube_leases,
			.namespace_ = e->options.namespace_,
			.name = e->options.name,
			.timeout_ms = request_timeout_ms(e),
			.retry = STINT_KUBE_RETRY_NEVER,
			.on_done = on_done,
			.user = e,
		});
}

static void on_read(void *user, struct stint_kube_response *response)
{
	struct stint_elector *e = user;
	const bool absent = response->error && response->error->code == STINT_NOT_FOUND;
	e->call = NULL;
	if (response->error && !absent) {
		stint_log(e->options.logger, STINT_LOG_WARN, "lease %s/%s: %s", e->options.namespace_, e->options.name,
			response->error->message);
		schedule(e);
		return;
	}
	if (absent) {
		stint_json_free(e->lease);
		e->lease = NULL;
	} else {
		keep_answer(e, response);
	}
	const bool led = e->state.leads;
	const enum lease_step step = lease_seen(&e->state, e->lease, stint_monotonic_ms());
	enter(e);
	if (tell(e, led)) {
		if (step == LEASE_TAKE && !e->releasing)
			write_lease(e, false);
		else
			schedule(e);
	}
	leave(e);
}

static void read_lease(struct stint_elector *e)
{
	start_read(e, on_read);
}

static void on_written(void *user, struct stint_kube_response *response)
{
	struct stint_elector *e = user;
	const bool led = e->state.leads;
	e->call = NULL;
	if (response->error) {
		const bool conflict = response->error->code == STINT_CONFLICT;
		stint_log(e->options.logger, conflict ? STINT_LOG_INFO : STINT_LOG_WARN, "lease %s/%s: %s", e->options.namespace_,
			e->options.name, response->error->message);
		/* Somebody has written it, or it is gone: look at it before anything else. */
		stint_json_free(stint_steal(&e->lease));
		if (conflict && led)
			read_lease(e);
		else
			schedule(e);
		return;
	}
	keep_answer(e, response);
	lease_written(&e->state, e->lease, e->sent_ms, stint_monotonic_ms());
	enter(e);
	if (tell(e, led))
		schedule(e);
	leave(e);
}

/* A renewal of ours that was under way may have come first: then its version is the one to release, once. */
static void on_read_again(void *user, struct stint_kube_response *response)
{
	struct stint_elector *e = user;
	e->call = NULL;
	if (!response->error) {
		keep_answer(e, response);
		lease_seen(&e->state, e->lease, stint_monotonic_ms());
		if (e->state.holder && !strcmp(e->state.holder, e->options.identity)) {
			write_lease(e, true);
			return;
		}
	}
	enter(e);
	released(e);
	leave(e);
}

static void on_given_up(void *user, struct stint_kube_response *response)
{
	struct stint_elector *e = user;
	e->call = NULL;
	if (response->error && response->error->code == STINT_CONFLICT && !e->released_again) {
		e->released_again = true;
		start_read(e, on_read_again);
		return;
	}
	if (response->error)
		stint_log(e->options.logger, STINT_LOG_WARN, "lease %s/%s: not released, it runs out by itself: %s", e->options.namespace_,
			e->options.name, response->error->message);
	enter(e);
	released(e);
	leave(e);
}

static void set_annotations(const struct stint_elector *e, struct stint_json *lease)
{
	const char *key;
	void *value;
	if (!stint_map_count(e->annotations))
		return;
	struct stint_json *annotations = stint_json_ensure_object(stint_json_ensure_object(lease, "metadata"), "annotations");
	for (size_t at = 0; stint_map_next(e->annotations, &at, &key, &value);) {
		if (*(const char *)value)
			stint_json_set_string(annotations, key, value);
		else
			stint_json_remove(annotations, key);
	}
}

static struct stint_json *new_lease(const struct stint_elector *e)
{
	struct stint_json *lease = stint_json_new_object();
	stint_json_set_string(lease, "apiVersion", "coordination.k8s.io/v1");
	stint_json_set_string(lease, "kind", "Lease");
	struct stint_json *metadata = stint_json_ensure_object(lease, "metadata");
	stint_json_set_string(metadata, "name", e->options.name);
	stint_json_set_string(metadata, "namespace", e->options.namespace_);
	return lease;
}

/* With the resourceVersion that was read: two that want the Lease cannot both get it. */
static void write_lease(struct stint_elector *e, bool release)
{
	stint_auto_json *lease = e->lease ? stint_json_dup(e->lease) : new_lease(e);
	lease_fill(&e->state, lease, stint_now_us(), release);
	set_annotations(e, lease);
	stint_autofree char *body = stint_json_print(lease);
	e->sent_ms = stint_monotonic_ms();
	e->call = stint_kube_call_start(e->kube,
		&(struct stint_kube_request){
			.method = e->lease ? "PUT" : "POST",
			.resource = &stint_kube_leases,
			.namespace_ = e->options.namespace_,
			.name = e->lease ? e->options.name : NULL,
			.body = body,
			.body_length = strlen(body),
			.timeout_ms = request_timeout_ms(e),
			.retry = STINT_KUBE_RETRY_NEVER,
			.on_done = release ? on_given_up : on_written,
			.user = e,
		});
}

/* ---- the public side ------------------------------------------------------------------------------------------------------------- */

static int64_t or_default(int64_t value, int64_t otherwise)
{
	return value ? value : otherwise;
}

struct stint_elector *stint_elector_start(struct stint_kube *kube, const struct stint_elector_options *options)
{
	struct stint_elector *e = stint_alloc(sizeof(*e));
	e->kube = kube;
	e->options = *options;
	e->options.namespace_ = stint_strdup(options->namespace_);
	e->options.name = stint_strdup(options->name);
	e->options.identity = stint_strdup(options->identity);
	e->options.lease_ms = or_default(options->lease_ms, LEASE_MS);
	e->options.renew_ms = or_default(options->renew_ms, RENEW_MS);
	e->options.retry_ms = or_default(options->retry_ms, RETRY_MS);
	e->state = (struct lease_state){.identity = e->options.identity, .lease_ms = e->options.lease_ms, .renew_ms = e->options.renew_ms};
	e->annotations = stint_map_new(free);
	e->retry = stint_timer_new(stint_kube_loop(kube), on_retry, e);
	e->deadline = stint_timer_new(stint_kube_loop(kube), on_deadline, e);
	stint_timer_set(e->retry, 0);
	return e;
}

int64_t stint_elector_write_until_ms(const struct stint_elector *e)
{
	return lease_until_ms(&e->state);
}

void stint_elector_annotate(struct stint_elector *e, const char *key, const char *value)
{
	stint_map_set(e->annotations, key, stint_strdup(value ? value : ""));
	if (!e->state.leads || e->releasing)
		return;
	if (e->call)
		e->write_again = true;
	else
		stint_timer_set(e->retry, 0);
}

void stint_elector_release(struct stint_elector *e, void (*on_done)(void *user), void *user)
{
	const bool led = e->state.leads;
	e->release_by_ms = stint_monotonic_ms() + request_timeout_ms(e);
	e->releasing = true;
	e->on_released = on_done;
	e->released_user = user;
	stint_kube_call_cancel(stint_steal(&e->call));
	stint_timer_stop(e->retry);
	stint_timer_stop(e->deadline);
	enter(e);
	if (led) {
		e->state.leads = false;
		e->options.on_stopped(e->options.user);
	}
	if (!e->dead && led && e->lease)
		write_lease(e, true);
	else if (!e->dead)
		released(e);
	leave(e);
}
