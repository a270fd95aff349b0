/*
 * follow: the logs of the workload whose log is on the screen. One stream per pod, up to MOST_STREAMS; a pod that comes later is taken up,
 * and a stream that broke is taken up from the last it said. Lines go into the app's bounded log, however fast they come.
 */
#include "cli/tui/run.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_STREAMS = 64, FIRST_LINES = 1000, AGAIN_MS = 1000 };

struct stream {
	struct tui_run *run;
	char *pod;
	struct tui_log_source source;
	struct stint_kube_call *call;
	bool heard, ended; /* ended: nothing more will come */
	int64_t heard_ms, again_ms; /* monotonic */
	int32_t restarts;
};

struct tui_follow {
	struct tui_about about;
	struct stream *streams[MOST_STREAMS];
	size_t count;
	bool several; /* lines are named after their pods */
	size_t left_out;
};

static void free_stream(struct stream *stream)
{
	stint_kube_call_cancel(stream->call);
	stint_buf_free(&stream->source.rest);
	free(stream->source.prefix);
	free(stream->pod);
	free(stream);
}

static void say_problem(struct tui_run *run, const char *problem)
{
	for (size_t at = 0; at < run->app->depth; at++) {
		struct tui_screen *screen = &run->app->screens[at];
		if (screen->view != TUI_LOGS)
			continue;
		free(screen->problem);
		screen->problem = stint_strdup(problem);
	}
	tui_app_log_changed(run->app);
}

static bool on_data(void *user, const char *data, size_t length)
{
	struct stream *stream = user;
	stream->heard = true;
	stream->heard_ms = stint_monotonic_ms();
	tui_log_feed(&stream->run->app->log, &stream->source, data, length);
	tui_app_log_changed(stream->run->app);
	tui_run_draw_soon(stream->run);
	return true;
}

static void on_done(void *user, struct stint_kube_response *response)
{
	struct stream *stream = user;
	stream->call = NULL;
	stream->again_ms = stint_monotonic_ms() + AGAIN_MS;
	if (response->error && response->error->status == 404)
		stream->ended = true;
	if (response->error && !stream->heard)
		say_problem(stream->run, response->error->message);
	tui_run_draw_soon(stream->run);
}

static void ask(struct stream *stream)
{
	const struct tui_follow *follow = stream->run->follow;
	struct stint_kube_log_options options = {
		.follow = true, .tail_lines = FIRST_LINES / (int64_t)(follow->count ? follow->count : 1) + 10};
	if (stream->heard) {
		options.tail_lines = -1;
		options.since_seconds = (stint_monotonic_ms() - stream->heard_ms) / 1000 + 1;
	}
	stream->call = stint_kube_log_start(stream->run->kube, follow->about.space, stream->pod, &options, on_data, on_done, stream);
}

static struct stream *find(const struct tui_follow *follow, const char *pod)
{
	for (size_t at = 0; at < follow->count; at++) {
		if (strcmp(follow->streams[at]->pod, pod) == 0)
			return follow->streams[at];
	}
	return NULL;
}

/* The end of the name is what tells pods of one workload apart. */
static const char *short_name(const char *pod, const char *workload)
{
	const size_t length = strlen(workload);
	return strncmp(pod, workload, length) == 0 && pod[length] == '-' ? pod + length + 1 : pod;
}

static void add(struct tui_run *run, const struct stint_pod *pod)
{
	struct tui_follow *follow = run->follow;
	if (follow->count == MOST_STREAMS) {
		follow->left_out++;
		return;
	}
	struct stream *stream = stint_alloc(sizeof *stream);
	*stream = (struct stream){.run = run, .pod = stint_strdup(pod->meta.name), .restarts = pod->restarts};
	stream->source.role = (enum tui_role)(TUI_PROJECT + follow->count % TUI_PROJECTS);
	if (follow->several)
		stream->source.prefix = stint_strdup(short_name(pod->meta.name, follow->about.name));
	follow->streams[follow->count++] = stream;
}

/* Asks where something is to be had: a container that runs or has run. */
static void look_at(struct stream *stream, const struct stint_pod *pod)
{
	if (stream->call || stream->ended || stint_monotonic_ms() < stream->again_ms)
		return;
	const bool over = stint_pod_ended(pod);
	if (stream->heard && over && pod->restarts == stream->restarts) {
		stream->ended = true;
		return;
	}
	stream->restarts = pod->restarts;
	if (pod->phase == STINT_PHASE_RUNNING || over)
		ask(stream);
}

void tui_follow_look(struct tui_run *run)
{
	struct tui_follow *follow = run->follow;
	const struct stint_workload *workload = follow ? tui_app_workload(run->app, &follow->about) : NULL;
	if (!workload)
		return;
	if (!follow->count)
		follow->several = workload->pods_total > 1 || workload->pods_count > 1;
	follow->left_out = 0;
	for (size_t at = 0; at < workload->pods_count; at++) {
		if (!find(follow, workload->pods[at]->meta.name))
			add(run, workload->pods[at]);
	}
	for (size_t at = 0; at < workload->pods_count; at++) {
		struct stream *stream = find(follow, workload->pods[at]->meta.name);
		if (stream)
			look_at(stream, workload->pods[at]);
	}
	if (follow->left_out) {
		stint_autofree char *text =
			stint_format("%zu more pods are left out: at most %d are followed", follow->left_out, MOST_STREAMS);
		say_problem(run, text);
	} else if (workload->phase == STINT_WORKLOAD_PENDING && !workload->pods_running) {
		stint_autofree char *text =
			stint_format("it waits (%s): its log comes when it starts", workload->reason ? workload->reason : "Pending");
		say_problem(run, text);
	}
}

void tui_follow_start(struct tui_run *run, const struct tui_about *workload)
{
	struct tui_follow *follow = run->follow;
	if (follow) {
		for (size_t at = 0; at < follow->count; at++)
			free_stream(follow->streams[at]);
		tui_about_clear(&follow->about);
		free(stint_steal(&run->follow));
	}
	if (!workload)
		return;
	run->follow = stint_alloc(sizeof *run->follow);
	tui_about_copy(&run->follow->about, workload);
	tui_follow_look(run);
}
