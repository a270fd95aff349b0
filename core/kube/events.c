/*
 * The recorder of Events: the queue and the requests around events_series.c. It lives on the loop of its client.
 *
 * A series waits in the queue at most once, however often its Event comes meanwhile: what is written is its state of then. The queue is
 * bounded; a server that cannot be reached is tried again every ten seconds, a few times; one that refuses is not asked again.
 */
#include "core/kube/events_series.h"
#include "core/kube/recorder.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { QUEUE_MAX = 1000, IN_FLIGHT_MAX = 2, TRIES_MAX = 12, PAUSE_MS = 10000, REQUEST_MS = 10000, HOST_SIZE = 256 };

struct stint_recorder {
	struct stint_kube *kube;
	const struct stint_logger *logger;
	char *component, *instance;
	size_t queue_max;
	int in_flight_max;
	struct event_series_set set;
	struct event_series *first, *last; /* the queue */
	size_t queued;
	struct write *writes; /* under way */
	int in_flight;
	struct stint_timer *pause; /* runs while the server cannot be reached */
	struct recorder_stats stats;
};

struct write {
	struct stint_recorder *recorder;
	struct event_series *series;
	struct stint_kube_call *call;
	char *name; /* of an Event that is to be created */
	struct write *next;
};

static void send_queued(struct stint_recorder *r);

static void on_pause_over(void *user)
{
	send_queued(user);
}

struct stint_recorder *stint_recorder_new(struct stint_kube *kube, const struct stint_recorder_options *options)
{
	struct stint_recorder *r = stint_alloc(sizeof(*r));
	char host[HOST_SIZE] = "";
	gethostname(host, sizeof(host) - 1);
	r->kube = kube;
	r->logger = options->logger;
	r->component = stint_strdup(options->component);
	r->instance = stint_strdup(options->instance ? options->instance : host);
	r->queue_max = options->queue_max ? options->queue_max : QUEUE_MAX;
	r->in_flight_max = options->in_flight_max ? options->in_flight_max : IN_FLIGHT_MAX;
	r->pause = stint_timer_new(stint_kube_loop(kube), on_pause_over, r);
	event_series_init(&r->set);
	return r;
}

static void write_free(struct write *write)
{
	free(write->name);
	free(write);
}

void stint_recorder_free(struct stint_recorder *r)
{
	if (!r)
		return;
	while (r->writes) {
		struct write *write = r->writes;
		r->writes = write->next;
		stint_kube_call_cancel(write->call);
		write_free(write);
	}
	stint_timer_free(r->pause);
	event_series_free(&r->set);
	free(r->component);
	free(r->instance);
	free(r);
}

void recorder_measure(const struct stint_recorder *r, struct recorder_stats *out)
{
	*out = r->stats;
}

bool recorder_idle(const struct stint_recorder *r)
{
	return !r->queued && !r->in_flight;
}

/* ---- the queue ----------------------------------------------------------------------------------------------------------------- */

static void enqueue(struct stint_recorder *r, struct event_series *series)
{
	if (series->queued)
		return;
	if (series->in_flight) {
		series->dirty = true;
		return;
	}
	if (r->queued >= r->queue_max) {
		r->stats.dropped++;
		return;
	}
	series->queued = series->entry.pinned = true;
	series->next = NULL;
	if (r->last)
		r->last->next = series;
	else
		r->first = series;
	r->last = series;
	r->queued++;
}

static struct event_series *dequeue(struct stint_recorder *r)
{
	struct event_series *series = r->first;
	r->first = series->next;
	if (!r->first)
		r->last = NULL;
	series->queued = false;
	r->queued--;
	return series;
}

void stint_record(struct stint_recorder *r, const struct stint_kube_about *about, const char *type, const char *reason,
	const char *const *annotations, const char *format, ...)
{
	va_list args;
	bool merged, limited;
	va_start(args, format);
	stint_autofree char *message = stint_vformat(format, args);
	va_end(args);
	struct event_series *series = event_series_add(
		&r->set, about, type, reason, message, annotations, stint_monotonic_ms(), stint_now_ms(), &merged, &limited);
	r->stats.recorded++;
	r->stats.merged += merged;
	r->stats.limited += limited;
	if (limited)
		return;
	enqueue(r, series);
	send_queued(r);
}

/* ---- writing ------------------------------------------------------------------------------------------------------------------- */

static void unlink_write(struct stint_recorder *r, struct write *write)
{
	struct write **at = &r->writes;
	while (*at != write)
		at = &(*at)->next;
	*at = write->next;
	r->in_flight--;
}

static void on_written(void *user, struct stint_kube_response *response)
{
	struct write *write = user;
	struct stint_recorder *r = write->recorder;
	struct event_series *series = write->series;
	const struct stint_error *err = response->error;
	unlink_write(r, write);
	series->in_flight = series->entry.pinned = false;
	bool again = series->dirty;
	series->dirty = false;
	if (!err) {
		r->stats.sent++;
		series->tries = 0;
		if (write->name) {
			free(series->name);
			series->name = stint_steal(&write->name);
		}
	} else if (err->code == STINT_NOT_FOUND && series->name) {
		free(stint_steal(&series->name)); /* Events expire: write a new one, which counts on */
		again = true;
	} else if (stint_kube_is_passing(err) && ++series->tries < TRIES_MAX) {
		stint_timer_set(r->pause, err->retry_after_ms > PAUSE_MS ? err->retry_after_ms : PAUSE_MS);
		again = true;
	} else {
		r->stats.failed++;
		series->tries = 0;
		stint_log(r->logger, STINT_LOG_INFO, "an Event about %s was not written: %s", series->about_name, err->message);
	}
	write_free(write);
	if (again)
		enqueue(r, series);
	send_queued(r);
}

static void set_counts(struct stint_json *event, const struct event_series *series)
{
	char time[STINT_TIME_SIZE];
	stint_json_set_int(event, "count", series->count);
	stint_json_set_string(event, "lastTimestamp", stint_time_format(series->last_ms, time));
	stint_json_set_string(event, "message", series->message);
	if (series->annotations)
		stint_json_set(stint_json_ensure_object(event, "metadata"), "annotations",
			stint_json_parse(series->annotations, strlen(series->annotations), 0, NULL));
}

static struct stint_json *whole_event(const struct stint_recorder *r, const struct event_series *series, const char *name)
{
	char time[STINT_TIME_SIZE];
	struct stint_json *event = stint_json_new_object();
	stint_json_set_string(event, "apiVersion", "v1");
	stint_json_set_string(event, "kind", "Event");
	struct stint_json *metadata = stint_json_ensure_object(event, "metadata");
	stint_json_set_string(metadata, "name", name);
	stint_json_set_string(metadata, "namespace", series->namespace_);
	stint_json_set(event, "involvedObject", stint_json_parse(series->about, strlen(series->about), 0, NULL));
	stint_json_set_string(event, "reason", series->reason);
	stint_json_set_string(event, "type", series->type);
	stint_json_set_string(stint_json_ensure_object(event, "source"), "component", r->component);
	stint_json_set_string(event, "firstTimestamp", stint_time_format(series->first_ms, time));
	stint_json_set_string(event, "reportingComponent", r->component);
	stint_json_set_string(event, "reportingInstance", r->instance);
	set_counts(event, series);
	return event;
}

/* The object's name and something that never comes twice, within the 253 bytes of a name. */
static char *event_name(const struct event_series *series)
{
	uint64_t random;
	stint_random_bytes(&random, sizeof(random));
	return stint_format("%.230s.%016llx", series->about_name, (unsigned long long)random);
}

static void start_write(struct stint_recorder *r, struct event_series *series)
{
	struct write *write = stint_alloc(sizeof(*write));
	write->recorder = r;
	write->series = series;
	write->name = series->name ? NULL : event_name(series);
	stint_auto_json *event = series->name ? stint_json_new_object() : whole_event(r, series, write->name);
	if (series->name)
		set_counts(event, series);
	stint_autofree char *body = stint_json_print(event);
	series->in_flight = true;
	write->next = r->writes;
	r->writes = write;
	r->in_flight++;
	write->call = stint_kube_call_start(r->kube,
		&(struct stint_kube_request){
			.method = series->name ? "PATCH" : "POST",
			.resource = &stint_kube_core_events,
			.namespace_ = series->namespace_,
			.name = series->name,
			.content_type = series->name ? stint_kube_patch_content_type(STINT_KUBE_PATCH_MERGE) : NULL,
			.body = body,
			.body_length = strlen(body),
			.timeout_ms = REQUEST_MS,
			.retry = STINT_KUBE_RETRY_NEVER,
			.on_done = on_written,
			.user = write,
		});
}

static void send_queued(struct stint_recorder *r)
{
	while (r->first && r->in_flight < r->in_flight_max && !stint_timer_active(r->pause))
		start_write(r, dequeue(r));
}
