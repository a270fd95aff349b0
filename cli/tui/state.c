/*
 * state: see state.h. Owns a model, a reflector for each kind, the set of workloads that they feed and the maker of worlds.
 *
 * A list that is refused (403, or a kind that the server does not have) hides its kind; pods and owners are then tried in one project, and
 * when that may not be read either, in the first of all that may. A server that has just come back refuses for a moment what it allows: a kind
 * that was read before is hidden only when it has been refused for some seconds, and what is hidden is asked for again now and then.
 * A reflector may not be freed while it tells of trouble, so that is done by a timer.
 *
 * The objects of a world are counted until the next one is made, by the set of workloads or here, so that it can be drawn while the watches go
 * on.
 *
 * A lost server is asked every second. When it answers, a reflector that would wait long for its next try is started anew; one that has had
 * its try without new trouble is well again.
 */
#include "cli/tui/state.h"

#include "cli/tui/heartbeat.h"
#include "cli/tui/narrow.h"
#include "cli/tui/past_use.h"

#include <stdlib.h>
#include <string.h>

enum { EVENTS_LINGER_MS = 30000, PROBE_MS = 1000, PROBE_LIMIT_MS = 3000, GRACE_MS = 1500, BANNER_MS = 1000 };
enum { DENIED_MS = 5000, AGAIN_FIRST_MS = 3000, AGAIN_MOST_MS = 60000 };

static const struct source {
	const struct stint_kube_resource *resource;
	enum stint_kind kind;
	bool workloads; /* feeds the set of workloads */
	bool optional; /* nobody misses it when it may not be read */
} sources[] = {
	{&stint_kube_pods, STINT_KIND_POD, true, false},
	{&stint_kube_nodes, STINT_KIND_NODE, true, false},
	{&stint_kube_queues, STINT_KIND_QUEUE, false, false},
	{&stint_kube_jobs, STINT_KIND_OWNER, true, true},
	{&stint_kube_deployments, STINT_KIND_OWNER, true, true},
	{&stint_kube_replicasets, STINT_KIND_OWNER, true, true},
	{&stint_kube_statefulsets, STINT_KIND_OWNER, true, true},
	{&stint_kube_podgroups, STINT_KIND_POD_GROUP, true, true},
	{&stint_kube_priorityclasses, STINT_KIND_PRIORITY_CLASS, false, true},
	{&stint_kube_core_events, STINT_KIND_EVENT, false, false},
	/* Which of their pods start together. Workloads are told of by the pods alone. */
	{&stint_kube_pytorchjobs, STINT_KIND_OWNER, false, true},
	{&stint_kube_tfjobs, STINT_KIND_OWNER, false, true},
	{&stint_kube_xgboostjobs, STINT_KIND_OWNER, false, true},
	{&stint_kube_jaxjobs, STINT_KIND_OWNER, false, true},
	{&stint_kube_mpijobs, STINT_KIND_OWNER, false, true},
	{&stint_kube_mpijobs_v2beta1, STINT_KIND_OWNER, false, true},
	{&stint_kube_leaderworkersets, STINT_KIND_OWNER, false, true},
};
enum { PODS, NODES, QUEUES, POD_GROUPS = 7, CLASSES, EVENTS, FEEDS = STINT_COUNT(sources) };

/* Counted objects. */
struct array {
	struct stint_object **items;
	size_t count, capacity;
};

struct feed {
	struct tui_state *state;
	const struct source *source;
	struct stint_reflector *reflector; /* NULL: not wanted, or refused */
	bool refused;
	bool absent; /* the server does not know such a kind */
	bool was_read; /* a whole list of it, since it was last hidden */
	int64_t denied_ms; /* monotonic: since when it is refused though it was read; 0: it is not */
	struct stint_error *trouble; /* of its last try; cleared by the next news */
	int64_t retry_ms; /* monotonic: when it tries again */
	struct array known; /* the objects of the last world, counted; of kinds that make no workloads */
	struct array former; /* what a reflector knew that was started anew, until the new one has read its list */
};

struct tui_state {
	struct tui_state_options options;
	struct stint_kube *kube;
	struct stint_model *model;
	struct stint_workload_set *workloads;
	struct stint_catalog *catalog;
	struct tui_maker *maker;
	struct tui_victims victims; /* since the state was opened */
	struct tui_past_use *past_use;
	struct tui_heartbeat *heartbeat;
	struct feed feeds[FEEDS];
	struct stint_timer *judge; /* refused feeds are dealt with outside of their handlers */
	struct stint_timer *events_end;
	struct stint_timer *probe;
	struct stint_kube_call *asking; /* a probe under way */
	struct stint_timer *again; /* asks for what is hidden */
	struct stint_kube_call *trying; /* such a question under way */
	int again_at; /* about which feed; FEEDS: the pods of all projects */
	int64_t again_ms; /* the next pause; it only grows: who may list and not watch would see things come and go */
	bool events_wanted;
	char *project, *fallback;
	bool narrowed; /* all projects were wanted, and may not be read */
	bool searches; /* nor may the fallback: another project is looked for, once the queues that name them are known */
	struct tui_narrow *search;
	enum tui_news news;
	int64_t lost_ms;
	const struct tui_world *world;
};

static void search_when_queues_are_known(struct tui_state *state);

static void fill(struct array *array, const struct stint_reflector *reflector)
{
	struct stint_object *object;
	for (size_t at = 0; reflector && (object = stint_reflector_next(reflector, &at));) {
		stint_grow(&array->items, &array->capacity, array->count + 1, sizeof *array->items);
		array->items[array->count++] = stint_object_ref(object);
	}
}

static void empty(struct array *array)
{
	for (size_t at = 0; at < array->count; at++)
		stint_object_unref(array->items[at]);
	free(array->items);
	*array = (struct array){0};
}

/* ---- what the watches tell --------------------------------------------------------------------------------------------------------- */

static void no_trouble(struct feed *feed)
{
	struct tui_state *state = feed->state;
	stint_error_clear(&feed->trouble);
	feed->denied_ms = 0;
	bool trouble = false;
	for (size_t at = 0; at < FEEDS; at++)
		trouble |= state->feeds[at].trouble != NULL;
	if (!trouble)
		state->lost_ms = 0;
}

static void tell(struct tui_state *state)
{
	state->options.on_change(state->options.user);
}

/* Nodes report how busy they are all the time: of a node that is otherwise as it was. */
static bool is_a_report(const struct stint_object *object, const struct stint_object *before)
{
	if (object->kind != STINT_KIND_NODE || !before)
		return false;
	const struct stint_node *now = (const struct stint_node *)object, *then = (const struct stint_node *)before;
	return now->gpu_memory_mib == then->gpu_memory_mib && now->gpu_count == then->gpu_count && now->meta.uid == then->meta.uid &&
		now->ready == then->ready && now->unschedulable == then->unschedulable && now->pressures == then->pressures &&
		now->taints_count == then->taints_count && now->meta.deleted_ms == then->meta.deleted_ms;
}

/* Whether owners of that kind come to the catalog: what nobody brings, nobody waits for. */
static void see(const struct feed *feed, bool seen)
{
	const struct stint_kube_resource *resource = feed->source->resource;
	stint_autofree char *version = stint_format("%s/%s", resource->group, resource->version);
	if (feed->source->kind == STINT_KIND_OWNER)
		stint_catalog_see_owners(feed->state->catalog, version, resource->kind, seen);
}

static void forget(struct feed *feed, const struct stint_object *object)
{
	stint_catalog_remove(feed->state->catalog, object);
	if (feed->source->workloads)
		stint_workload_set_remove(feed->state->workloads, object->uid);
}

static void on_change(void *user, enum stint_change change, struct stint_object *object, struct stint_object *before)
{
	struct feed *feed = user;
	struct tui_state *state = feed->state;
	no_trouble(feed);
	if (state->news != TUI_NEWS)
		state->news = is_a_report(object, before) ? TUI_NEWS_SOON : TUI_NEWS;
	if (change == STINT_DELETED) {
		forget(feed, object);
	} else {
		stint_catalog_put(state->catalog, object);
		if (feed->source->workloads)
			stint_workload_set_put(state->workloads, object);
	}
	tui_victims_note(&state->victims, object, change == STINT_DELETED);
	tell(state);
}

/* What a former reflector knew and the new one does not has gone. */
static void settle_former(struct feed *feed)
{
	for (size_t at = 0; at < feed->former.count; at++) {
		const struct stint_object *object = feed->former.items[at];
		const struct stint_object *now = stint_reflector_get(feed->reflector, object->space, object->name);
		if (!now) {
			forget(feed, object);
		} else if (now->uid != object->uid) { /* another one of that name: it has taken its place where things go by name */
			if (object->kind == STINT_KIND_OWNER)
				stint_catalog_remove(feed->state->catalog, object);
			if (feed->source->workloads)
				stint_workload_set_remove(feed->state->workloads, object->uid);
		}
	}
	empty(&feed->former);
}

static void on_synced(void *user, bool again)
{
	struct feed *feed = user;
	(void)again;
	feed->was_read = true;
	see(feed, true);
	settle_former(feed);
	no_trouble(feed);
	feed->state->news = TUI_NEWS;
	search_when_queues_are_known(feed->state);
	tell(feed->state);
}

/* That it may not be read at all, and not for a moment. */
static bool is_refusal(struct feed *feed, const struct stint_error *err)
{
	const int64_t now_ms = stint_monotonic_ms();
	if (err->status != 403 && err->status != 404) {
		feed->denied_ms = 0;
		return false;
	}
	if (!feed->denied_ms)
		feed->denied_ms = now_ms;
	return !feed->was_read || now_ms - feed->denied_ms >= DENIED_MS;
}

static void on_trouble(void *user, const struct stint_error *err, int64_t retry_ms)
{
	struct feed *feed = user;
	struct tui_state *state = feed->state;
	if (is_refusal(feed, err)) {
		feed->refused = true;
		feed->absent = err->status == 404;
		stint_timer_set(state->judge, 0);
	} else {
		stint_error_clear(&feed->trouble);
		stint_fail(&feed->trouble, err->code, "%s", err->message);
		feed->trouble->status = err->status;
		feed->retry_ms = stint_monotonic_ms() + retry_ms;
		const bool lost =
			feed->denied_ms || err->code == STINT_UNREACHABLE || err->code == STINT_TIMEOUT || err->code == STINT_FORBIDDEN;
		if (!state->lost_ms && lost)
			state->lost_ms = stint_now_ms();
		if (state->lost_ms && !state->asking && !stint_timer_active(state->probe))
			stint_timer_set(state->probe, PROBE_MS);
	}
	tell(state);
}

/* ---- feeds ------------------------------------------------------------------------------------------------------------------------- */

static void start(struct feed *feed)
{
	struct tui_state *state = feed->state;
	feed->refused = false;
	feed->reflector = stint_reflector_start(state->kube,
		&(struct stint_reflector_options){
			.resource = feed->source->resource,
			.kind = feed->source->kind,
			.model = state->model,
			.namespace_ = feed->source->resource->namespaced ? state->project : NULL,
			.on_change = on_change,
			.on_synced = on_synced,
			.on_trouble = on_trouble,
			.user = feed,
		});
}

static void forget_objects(struct feed *feed)
{
	struct stint_object *object;
	for (size_t at = 0; feed->reflector && (object = stint_reflector_next(feed->reflector, &at));)
		forget(feed, object);
	for (size_t at = 0; at < feed->former.count; at++)
		forget(feed, feed->former.items[at]);
	see(feed, false);
	stint_reflector_free(stint_steal(&feed->reflector));
	feed->was_read = false;
	no_trouble(feed);
	empty(&feed->former);
}

/* ---- a lost server ----------------------------------------------------------------------------------------------------------------- */

static void start_anew(struct feed *feed)
{
	if (!feed->former.count)
		fill(&feed->former, feed->reflector);
	stint_reflector_free(stint_steal(&feed->reflector));
	start(feed);
}

static void recover(struct tui_state *state)
{
	const int64_t now_ms = stint_monotonic_ms();
	for (size_t at = 0; at < FEEDS; at++) {
		struct feed *feed = &state->feeds[at];
		if (!feed->trouble || !feed->reflector)
			continue;
		if (feed->retry_ms > now_ms + PROBE_MS) {
			start_anew(feed);
			feed->retry_ms = now_ms;
		} else if (feed->retry_ms + GRACE_MS < now_ms && stint_reflector_synced(feed->reflector)) {
			no_trouble(feed);
		}
	}
	state->news = TUI_NEWS;
	tell(state);
}

static void on_answer(void *user, struct stint_kube_response *response)
{
	struct tui_state *state = user;
	state->asking = NULL;
	if (!response->error)
		recover(state);
	if (state->lost_ms)
		stint_timer_set(state->probe, PROBE_MS);
}

static void probe(void *user)
{
	struct tui_state *state = user;
	if (state->lost_ms && !state->asking)
		state->asking = stint_kube_call_start(state->kube,
			&(struct stint_kube_request){.path = "/version",
				.timeout_ms = PROBE_LIMIT_MS,
				.retry = STINT_KUBE_RETRY_NEVER,
				.on_done = on_answer,
				.user = state});
}

/* ---- feeds that are refused -------------------------------------------------------------------------------------------------------- */

/* Everything that lies in a project is read anew in this one. */
static void look_at_project(struct tui_state *state, const char *name)
{
	free(state->project);
	state->project = stint_strdup(name);
	for (size_t at = 0; at < FEEDS; at++) {
		struct feed *feed = &state->feeds[at];
		const bool wanted = at != EVENTS || feed->reflector;
		if (!feed->source->resource->namespaced || !wanted)
			continue;
		forget_objects(feed);
		start(feed);
	}
}

static void on_found(void *user, const char *name)
{
	struct tui_state *state = user;
	if (name)
		look_at_project(state, name);
	state->searches = false;
	tui_narrow_free(stint_steal(&state->search));
	state->news = TUI_NEWS;
	tell(state);
}

static int compare_names(const void *left, const void *right)
{
	return strverscmp(*(char *const *)left, *(char *const *)right);
}

/* The projects that there are, by name. */
static char **project_names(const struct tui_state *state)
{
	struct array queues = {0};
	fill(&queues, state->feeds[QUEUES].reflector);
	char **names = stint_alloc((queues.count + 1) * sizeof *names);
	size_t count = 0;
	for (size_t at = 0; at < queues.count; at++) {
		const struct stint_queue *queue = stint_queue_of(queues.items[at]);
		if (queue->parent && strcmp(queue->meta.name, state->project) != 0)
			names[count++] = stint_strdup(queue->meta.name);
	}
	qsort(names, count, sizeof *names, compare_names);
	empty(&queues);
	return names;
}

static void search_when_queues_are_known(struct tui_state *state)
{
	const struct feed *queues = &state->feeds[QUEUES];
	const bool known = queues->reflector && stint_reflector_synced(queues->reflector);
	if (!state->searches || state->search || (!known && !queues->refused))
		return;
	state->search = tui_narrow_start(state->kube, project_names(state), on_found, state);
}

/* Deals with the feeds that were refused: those of all projects are tried again in one, and then in the others that there are. */
static void judge(void *user)
{
	struct tui_state *state = user;
	const struct feed *pods = &state->feeds[PODS];
	const bool refused = pods->refused && pods->reflector;
	state->searches |= refused && state->narrowed;
	for (size_t at = 0; at < FEEDS; at++) {
		struct feed *feed = &state->feeds[at];
		if (feed->reflector && feed->refused)
			forget_objects(feed);
	}
	if (refused && !state->project && state->fallback) {
		state->narrowed = true;
		look_at_project(state, state->fallback);
	}
	search_when_queues_are_known(state);
	if (!state->again_ms)
		state->again_ms = AGAIN_FIRST_MS;
	if (!state->trying)
		stint_timer_set(state->again, state->again_ms);
	state->news = TUI_NEWS;
	tell(state);
}

/* ---- what is hidden may be allowed by now ------------------------------------------------------------------------------------------- */

static void try_next(struct tui_state *state);

static bool is_hidden(const struct feed *feed)
{
	return feed->refused && !feed->reflector;
}

static void allow(struct tui_state *state)
{
	struct feed *feed = &state->feeds[state->again_at == FEEDS ? PODS : state->again_at];
	if (state->again_at == FEEDS) {
		state->narrowed = false;
		look_at_project(state, NULL);
	} else if (is_hidden(feed) && (state->again_at != EVENTS || state->events_wanted)) {
		start(feed);
	}
	feed->refused = false;
	state->news = TUI_NEWS;
	tell(state);
}

static void on_tried(void *user, struct stint_kube_response *response)
{
	struct tui_state *state = user;
	state->trying = NULL;
	if (!response->error)
		allow(state);
	state->again_at++;
	try_next(state);
}

/* One after the other; then a pause, longer each time. */
static void try_next(struct tui_state *state)
{
	static const struct stint_kube_query one[] = {{"limit", "1"}, {NULL, NULL}};
	bool hides = state->narrowed;
	for (size_t at = 0; at < FEEDS; at++)
		hides |= is_hidden(&state->feeds[at]);
	for (; state->again_at <= (int)FEEDS; state->again_at++) {
		const bool everywhere = state->again_at == FEEDS;
		const struct feed *feed = &state->feeds[everywhere ? PODS : state->again_at];
		if (everywhere ? !state->narrowed || state->searches : !is_hidden(feed))
			continue;
		state->trying = stint_kube_call_start(state->kube,
			&(struct stint_kube_request){.resource = feed->source->resource,
				.namespace_ = feed->source->resource->namespaced && !everywhere ? state->project : NULL,
				.query = one,
				.timeout_ms = PROBE_LIMIT_MS,
				.retry = STINT_KUBE_RETRY_NEVER,
				.on_done = on_tried,
				.user = state});
		return;
	}
	state->again_at = 0;
	state->again_ms = state->again_ms * 2 < AGAIN_MOST_MS ? state->again_ms * 2 : AGAIN_MOST_MS;
	if (hides)
		stint_timer_set(state->again, state->again_ms);
}

static void try_again(void *user)
{
	try_next(user);
}

/* ---- life ---------------------------------------------------------------------------------------------------------------------------- */

static void on_past_use(void *user)
{
	struct tui_state *state = user;
	if (tui_past_use_usage(state->past_use))
		state->news = TUI_NEWS;
	tell(state);
}

static void end_events(void *user)
{
	struct tui_state *state = user;
	forget_objects(&state->feeds[EVENTS]);
	state->news = TUI_NEWS;
}

void tui_state_want_events(struct tui_state *state, bool wanted)
{
	struct feed *feed = &state->feeds[EVENTS];
	state->events_wanted = wanted;
	if (!wanted) {
		if (feed->reflector && !stint_timer_active(state->events_end))
			stint_timer_set(state->events_end, EVENTS_LINGER_MS);
		return;
	}
	stint_timer_stop(state->events_end);
	if (!feed->reflector && !feed->refused)
		start(feed);
}

struct tui_state *tui_state_open(struct stint_kube *kube, const struct tui_state_options *options)
{
	struct tui_state *state = stint_alloc(sizeof *state);
	*state = (struct tui_state){.options = *options, .kube = kube, .model = stint_model_new(), .maker = tui_maker_new()};
	state->workloads = stint_workload_set_new(options->scheduler_names);
	state->catalog = stint_catalog_new();
	state->project = stint_strdup(options->project);
	state->fallback = stint_strdup(options->fallback);
	state->judge = stint_timer_new(stint_kube_loop(kube), judge, state);
	state->events_end = stint_timer_new(stint_kube_loop(kube), end_events, state);
	state->probe = stint_timer_new(stint_kube_loop(kube), probe, state);
	state->again = stint_timer_new(stint_kube_loop(kube), try_again, state);
	state->past_use = tui_past_use_start(kube, on_past_use, state);
	state->heartbeat = tui_heartbeat_start(kube, options->on_change, options->user);
	for (size_t at = 0; at < FEEDS; at++) {
		state->feeds[at] = (struct feed){.state = state, .source = &sources[at]};
		if (at != EVENTS)
			start(&state->feeds[at]);
	}
	return state;
}

void tui_state_close(struct tui_state *state)
{
	if (!state)
		return;
	stint_timer_free(state->judge);
	stint_timer_free(state->events_end);
	stint_timer_free(state->probe);
	stint_kube_call_cancel(state->asking);
	stint_timer_free(state->again);
	stint_kube_call_cancel(state->trying);
	tui_narrow_free(state->search);
	tui_past_use_free(state->past_use);
	tui_heartbeat_free(state->heartbeat);
	tui_maker_free(state->maker);
	tui_victims_clear(&state->victims);
	for (size_t at = 0; at < FEEDS; at++) {
		stint_reflector_free(state->feeds[at].reflector);
		stint_error_clear(&state->feeds[at].trouble);
		empty(&state->feeds[at].known);
		empty(&state->feeds[at].former);
	}
	stint_workload_set_free(state->workloads);
	stint_catalog_free(state->catalog);
	stint_model_free(state->model);
	free(state->project);
	free(state->fallback);
	free(state);
}

/* ---- the world --------------------------------------------------------------------------------------------------------------------- */

static bool is_known(const struct feed *feed)
{
	return feed->reflector && stint_reflector_synced(feed->reflector);
}

static bool is_settled(const struct feed *feed)
{
	return is_known(feed) || (feed->refused && !feed->reflector && !feed->state->searches);
}

bool tui_state_is_complete(const struct tui_state *state)
{
	for (size_t at = 0; at < FEEDS; at++) {
		if (!is_settled(&state->feeds[at]) && (at != EVENTS || state->feeds[at].reflector))
			return false;
	}
	return tui_past_use_settled(state->past_use) && tui_heartbeat_settled(state->heartbeat);
}

bool tui_state_is_usable(const struct tui_state *state)
{
	return is_settled(&state->feeds[PODS]) && is_settled(&state->feeds[NODES]);
}

enum tui_news tui_state_news(const struct tui_state *state)
{
	return state->news;
}

/* The list of a kind that is being read anew: what there was is shown meanwhile. */
static bool is_being_read_again(const struct tui_state *state)
{
	for (size_t at = 0; at < FEEDS; at++) {
		if (state->feeds[at].former.count)
			return true;
	}
	return false;
}

/*
 * Queues that a scheduler of one node pool serves carry its label (--node-pool). Those schedulers have Leases of other names, which people may not
 * read; where one of all pools works, the label means nothing.
 */
static bool has_pool_schedulers(const struct tui_state *state)
{
	const struct stint_reflector *queues = tui_state_lease(state) ? NULL : state->feeds[QUEUES].reflector;
	struct stint_object *queue;
	for (size_t at = 0; queues && (queue = stint_reflector_next(queues, &at));) {
		const char *pool = stint_object_label(queue, STINT_LABEL_NODE_POOL);
		if (pool && *pool)
			return true;
	}
	return false;
}

static struct tui_sources sources_of(const struct tui_state *state)
{
	const struct feed *feeds = state->feeds;
	double factor = 1;
	const bool factor_known = tui_past_use_factor(tui_state_lease(state), &factor);
	return (struct tui_sources){.queues = feeds[QUEUES].known.items,
		.events = feeds[EVENTS].known.items,
		.queues_count = feeds[QUEUES].known.count,
		.events_count = feeds[EVENTS].known.count,
		.nodes_known = is_known(&feeds[NODES]),
		.queues_known = is_known(&feeds[QUEUES]),
		.pods_known = is_known(&feeds[PODS]),
		.events_known = is_known(&feeds[EVENTS]),
		.classes_known = is_known(&feeds[CLASSES]),
		.pod_groups_known = is_known(&feeds[POD_GROUPS]) || (feeds[POD_GROUPS].refused && feeds[POD_GROUPS].absent),
		.catalog = state->catalog,
		.only = state->project,
		.victims = &state->victims,
		.usage = tui_past_use_usage(state->past_use),
		.past_use_known = tui_past_use_known(state->past_use, tui_state_lease(state)),
		.usage_factor = factor_known ? factor : 1,
		.usage_factor_known = factor_known,
		.pool_schedulers = has_pool_schedulers(state),
		.workloads = state->workloads};
}

const struct tui_world *tui_state_world(struct tui_state *state, int64_t now_ms)
{
	if (state->world && is_being_read_again(state))
		return state->world;
	if (!tui_state_is_usable(state))
		return state->world;
	struct array before[FEEDS];
	for (size_t at = 0; at < FEEDS; at++) {
		before[at] = state->feeds[at].known;
		state->feeds[at].known = (struct array){0};
		if (!sources[at].workloads) /* the set keeps the others */
			fill(&state->feeds[at].known, state->feeds[at].reflector);
	}
	const struct tui_sources made_of = sources_of(state);
	state->world = tui_maker_make(state->maker, &made_of, now_ms);
	state->news = TUI_NO_NEWS;
	for (size_t at = 0; at < FEEDS; at++)
		empty(&before[at]);
	return state->world;
}

/* ---- how it is --------------------------------------------------------------------------------------------------------------------- */

const char *tui_state_project(const struct tui_state *state)
{
	return state->project;
}

int64_t tui_state_lost(const struct tui_state *state, const char **problem, enum stint_code *code)
{
	*problem = NULL;
	*code = STINT_OK;
	for (size_t at = 0; at < FEEDS; at++) {
		if (state->feeds[at].trouble && (!*problem || state->feeds[at].trouble->status == 401)) {
			*problem = state->feeds[at].trouble->message;
			*code = state->feeds[at].trouble->code;
		}
	}
	return state->lost_ms && stint_now_ms() - state->lost_ms >= BANNER_MS ? state->lost_ms : 0;
}

char *tui_state_scheduler(const struct tui_state *state, int64_t now_ms)
{
	if (has_pool_schedulers(state))
		return NULL;
	return tui_heartbeat_trouble(state->heartbeat, now_ms);
}

const struct stint_json *tui_state_lease(const struct tui_state *state)
{
	return tui_heartbeat_lease(state->heartbeat);
}

char *tui_state_hidden(const struct tui_state *state)
{
	stint_auto_buf text = {0};
	int count = 0;
	for (size_t at = 0; at < FEEDS; at++) {
		if (!state->feeds[at].refused || state->feeds[at].reflector || sources[at].optional)
			continue;
		stint_buf_printf(&text, "%s%s", count++ ? ", " : "hidden: ", sources[at].resource->plural);
	}
	if (state->narrowed)
		stint_buf_printf(&text, "%sother projects", count++ ? ", " : "hidden: ");
	return text.length ? stint_buf_steal(&text) : NULL;
}
