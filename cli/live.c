/*
 * live: see live.h. Owns a model, a reflector for each kind and a set of workloads that they feed. A kind that may not be read in the whole
 * cluster has a reflector for each project instead, as far as those may be read. Everything happens on the client's loop while cli_live_open
 * and cli_live_wait turn it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/live.h"
#include "cli/output/output.h"

enum { SETTLE_MS = 100, FEED_SHIFT = 40 }; /* of cli_live_next's position: below it the place in a feed */

static const struct source {
	const struct stint_kube_resource *resource;
	enum stint_kind kind;
	enum cli_live_part part;
	bool optional; /* cannot be read: nobody needs to be told */
} sources[] = {
	{&stint_kube_pods, STINT_KIND_POD, CLI_LIVE_PODS, false},
	{&stint_kube_jobs, STINT_KIND_OWNER, CLI_LIVE_OWNERS, true},
	{&stint_kube_deployments, STINT_KIND_OWNER, CLI_LIVE_OWNERS, true},
	{&stint_kube_replicasets, STINT_KIND_OWNER, CLI_LIVE_OWNERS, true},
	{&stint_kube_statefulsets, STINT_KIND_OWNER, CLI_LIVE_OWNERS, true},
	{&stint_kube_nodes, STINT_KIND_NODE, CLI_LIVE_NODES, false},
	{&stint_kube_queues, STINT_KIND_QUEUE, CLI_LIVE_QUEUES, false},
	{&stint_kube_core_events, STINT_KIND_EVENT, CLI_LIVE_EVENTS, false},
};

/* One list+watch with what came of its first list. */
struct feed {
	struct cli_live *live;
	const struct source *source;
	char *project; /* the only one that it reads, NULL: all, or a kind without projects */
	bool narrowed; /* to one of several projects */
	struct stint_reflector *reflector; /* NULL: could not be read */
	struct stint_error *failed; /* its first list could not be read */
};

struct cli_live {
	struct cli_context *ctx;
	struct stint_kube *kube;
	struct stint_model *model;
	struct stint_workload_set *workloads;
	struct feed **feeds;
	size_t count, capacity;
	bool changed;
	bool unheard; /* nobody reads the output any more */
	bool in_trouble; /* watches have failed, and a note has said so */
};

static bool makes_workloads(const struct source *source)
{
	return source->part & (CLI_LIVE_PODS | CLI_LIVE_OWNERS | CLI_LIVE_NODES);
}

static void on_change(void *user, enum stint_change change, struct stint_object *object, struct stint_object *before)
{
	struct feed *feed = user;
	(void)before;
	feed->live->changed = true;
	feed->live->in_trouble = false;
	if (!makes_workloads(feed->source))
		return;
	if (change == STINT_DELETED)
		stint_workload_set_remove(feed->live->workloads, object->uid);
	else
		stint_workload_set_put(feed->live->workloads, object);
}

static void on_synced(void *user, bool again)
{
	struct feed *feed = user;
	(void)again;
	feed->live->changed = true;
	feed->live->in_trouble = false;
}

/* A first list that fails is an answer; a watch that fails later is tried again, and said once. */
static void on_trouble(void *user, const struct stint_error *err, int64_t retry_ms)
{
	struct feed *feed = user;
	if (!feed->reflector || stint_reflector_synced(feed->reflector)) {
		if (!feed->live->in_trouble && retry_ms)
			cli_note(feed->live->ctx, "watching %s: %s; trying again", feed->source->resource->plural, err->message);
		feed->live->in_trouble = true;
		return;
	}
	if (!feed->failed) {
		stint_fail(&feed->failed, err->code, "%s", err->message);
		feed->failed->status = err->status;
	}
}

static void start_feed(struct cli_live *live, const struct source *source, const char *project, bool narrowed, const char *selector)
{
	struct feed *feed = stint_alloc(sizeof *feed);
	*feed = (struct feed){.live = live, .source = source, .narrowed = narrowed};
	feed->project = source->resource->namespaced ? stint_strdup(project) : NULL;
	stint_grow(&live->feeds, &live->capacity, live->count + 1, sizeof *live->feeds);
	live->feeds[live->count++] = feed;
	feed->reflector = stint_reflector_start(live->kube,
		&(struct stint_reflector_options){
			.resource = source->resource,
			.kind = source->kind,
			.model = live->model,
			.namespace_ = feed->project,
			.label_selector = source->part & (CLI_LIVE_PODS | CLI_LIVE_OWNERS) ? selector : NULL,
			.on_change = on_change,
			.on_synced = on_synced,
			.on_trouble = on_trouble,
			.user = feed,
		});
}

static bool is_known(const struct feed *feed)
{
	return feed->failed || stint_reflector_synced(feed->reflector);
}

static bool read_all(struct cli_live *live)
{
	for (;;) {
		bool known = true;
		for (size_t i = 0; i < live->count; i++)
			known = known && is_known(live->feeds[i]);
		if (known)
			return true;
		if (!stint_loop_step(stint_kube_loop(live->kube), -1))
			return stint_fail(&live->ctx->err, STINT_INTERRUPTED, "interrupted");
	}
}

/* What may not be read in the whole cluster is read project by project. */
static bool narrow(struct cli_live *live, const char *selector)
{
	char **projects = NULL;
	const size_t count = live->count;
	for (size_t i = 0; i < count; i++) {
		const struct feed *feed = live->feeds[i];
		if (!feed->failed || feed->failed->code != STINT_FORBIDDEN || !feed->source->resource->namespaced)
			continue;
		if (!projects)
			projects = stint_project_names_read(live->kube);
		for (char **project = projects; *project; project++)
			start_feed(live, feed->source, *project, true, selector);
	}
	stint_strings_free(projects);
	return read_all(live);
}

static bool is_missing(const struct stint_error *err)
{
	return err->code == STINT_FORBIDDEN || err->code == STINT_NOT_FOUND;
}

/* Some of it could be read, if only in one project. */
static bool has_source(const struct cli_live *live, const struct source *source)
{
	for (size_t i = 0; i < live->count; i++) {
		if (live->feeds[i]->source == source && !live->feeds[i]->failed)
			return true;
	}
	return false;
}

/* Leaves out what may not be read; anything else that went wrong, or a part that is needed, is the error of the verb. */
static bool judge(struct cli_live *live, unsigned needed)
{
	for (size_t i = 0; i < live->count; i++) {
		struct feed *feed = live->feeds[i];
		if (!feed->failed)
			continue;
		const bool asked_for = feed->source->part & needed && !feed->source->optional;
		if (!is_missing(feed->failed) || (asked_for && !has_source(live, feed->source)))
			return stint_error_move(&live->ctx->err, &feed->failed);
	}
	for (size_t i = 0; i < live->count; i++) {
		struct feed *feed = live->feeds[i];
		if (!feed->failed)
			continue;
		if (!feed->source->optional && !feed->narrowed && !has_source(live, feed->source))
			cli_note(live->ctx, "shown without %s: %s", feed->source->resource->plural, feed->failed->message);
		stint_reflector_free(stint_steal(&feed->reflector));
	}
	return true;
}

struct cli_live *cli_live_open(struct cli_context *ctx, unsigned parts, unsigned needed, const char *project, const char *selector)
{
	struct stint_kube *kube = cli_connect(ctx);
	if (!kube)
		return NULL;
	struct cli_live *live = stint_alloc(sizeof *live);
	char **names = cli_scheduler_names(ctx, kube);
	*live = (struct cli_live){.ctx = ctx, .kube = kube, .model = stint_model_new()};
	live->workloads = stint_workload_set_new((const char *const *)names);
	stint_strings_free(names);
	for (size_t i = 0; i < STINT_COUNT(sources); i++) {
		if (sources[i].part & parts)
			start_feed(live, &sources[i], project, false, selector);
	}
	if (read_all(live) && (project || narrow(live, selector)) && judge(live, needed)) {
		live->changed = false;
		return live;
	}
	cli_live_close(live);
	return NULL;
}

void cli_live_close(struct cli_live *live)
{
	if (!live)
		return;
	for (size_t i = 0; i < live->count; i++) {
		stint_reflector_free(live->feeds[i]->reflector);
		stint_error_free(live->feeds[i]->failed);
		free(live->feeds[i]->project);
		free(live->feeds[i]);
	}
	free(live->feeds);
	stint_workload_set_free(live->workloads);
	stint_model_free(live->model);
	free(live);
}

static void do_nothing(void *user)
{
	(void)user;
}

bool cli_live_wait(struct cli_live *live, int64_t longest_ms)
{
	struct stint_loop *loop = stint_kube_loop(live->kube);
	struct stint_timer *timer = stint_timer_new(loop, do_nothing, NULL);
	bool going = !live->unheard;
	if (longest_ms >= 0)
		stint_timer_set(timer, longest_ms);
	while (going && !live->changed && !live->unheard && (longest_ms < 0 || stint_timer_active(timer)))
		going = stint_loop_step(loop, -1);
	stint_timer_set(timer, live->changed ? SETTLE_MS : 0);
	while (going && stint_timer_active(timer))
		going = stint_loop_step(loop, -1);
	stint_timer_free(timer);
	live->changed = false;
	return going && !live->unheard;
}

bool cli_live_has(const struct cli_live *live, enum cli_live_part part)
{
	for (size_t i = 0; i < live->count; i++) {
		if (live->feeds[i]->source->part == part && live->feeds[i]->reflector)
			return true;
	}
	return false;
}

bool cli_live_sees(const struct cli_live *live, enum cli_live_part part, const char *project)
{
	for (size_t i = 0; i < live->count; i++) {
		const struct feed *feed = live->feeds[i];
		if (feed->source->part == part && feed->reflector && (!feed->project || strcmp(feed->project, project) == 0))
			return true;
	}
	return false;
}

struct stint_workload_set *cli_live_workloads(struct cli_live *live)
{
	return live->workloads;
}

struct stint_object *cli_live_next(const struct cli_live *live, enum cli_live_part part, size_t *at)
{
	for (size_t i = *at >> FEED_SHIFT; i < live->count; i++, *at = i << FEED_SHIFT) {
		size_t place = *at & (((size_t)1 << FEED_SHIFT) - 1);
		struct stint_object *object = NULL;
		if (live->feeds[i]->source->part == part && live->feeds[i]->reflector)
			object = stint_reflector_next(live->feeds[i]->reflector, &place);
		if (object) {
			*at = i << FEED_SHIFT | place;
			return object;
		}
	}
	return NULL;
}

static void on_unheard(void *user, int fd, int events)
{
	struct cli_live *live = user;
	(void)fd;
	(void)events;
	live->unheard = true;
}

/* The writing end of a pipe becomes "readable" when its last reader has gone: `stint list -w | head -1` ends then, not with the next change. */
static struct stint_watch_fd *watch_reader(struct cli_live *live)
{
	struct stat out;
	const int fd = fileno(live->ctx->out);
	if (fd < 0 || fstat(fd, &out) < 0 || !S_ISFIFO(out.st_mode))
		return NULL;
	return stint_fd_watch(stint_kube_loop(live->kube), fd, STINT_READ, on_unheard, live);
}

int cli_live_print(struct cli_context *ctx, struct cli_live *live, const struct cli_list *list,
	struct stint_json *(*items_of)(struct cli_live *live, const void *user), const void *user, const char *nothing)
{
	if (!cli_switch(ctx, "watch")) {
		struct stint_json *items = items_of(live, user);
		cli_live_close(live);
		return cli_print_list(ctx, list, items, nothing);
	}
	struct cli_watch_view *view = cli_watch_view_new(ctx, list);
	struct stint_watch_fd *reader = watch_reader(live);
	for (bool going = true; going;) {
		struct stint_json *items = items_of(live, user);
		going = items && cli_watch_view_show(view, items) && cli_live_wait(live, -1);
	}
	stint_fd_unwatch(reader);
	cli_watch_view_free(view);
	cli_live_close(live);
	return ctx->err ? cli_failed(ctx) : STINT_OK;
}

bool cli_scope(struct cli_context *ctx, const char **project)
{
	*project = NULL;
	if (cli_all_projects(ctx) && !cli_given(ctx, "project") && !cli_given(ctx, "namespace"))
		return true;
	return (*project = cli_project(ctx)) != NULL; /* which finds that -A and -p do not go together */
}

bool cli_selector(struct cli_context *ctx, const char **selector)
{
	*selector = cli_text(ctx, "selector");
	if (!*selector)
		return true;
	struct stint_label_selector *parsed = stint_label_selector_parse(*selector, &ctx->err);
	const bool good = parsed != NULL;
	stint_label_selector_free(parsed);
	return good;
}

char **cli_scheduler_names_of(struct cli_context *ctx, const char *said)
{
	const char *const texts[] = {said, cli_setting(ctx, "scheduler-names"), STINT_SCHEDULER_NAME};
	size_t at = 0;
	while (!texts[at] || !texts[at][strspn(texts[at], ", ")])
		at++;
	return stint_split(texts[at], ", ");
}

char **cli_scheduler_names(struct cli_context *ctx, struct stint_kube *kube)
{
	char **names = kube ? stint_scheduler_names_read(kube) : NULL;
	if (names && names[0])
		return names;
	stint_strings_free(names);
	return cli_scheduler_names_of(ctx, NULL);
}
