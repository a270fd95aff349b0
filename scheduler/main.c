/*
 * stint-scheduler: joins the cluster and the engine. This file is the program's life: options, leadership, shutdown.
 *
 * State: one struct scheduler. While this replica leads it has a session (session.c); while it stands by it has none. A lost Lease ends the
 * session and nothing else. SIGTERM and SIGINT: no new decisions, wait for binds under way, give the Lease up, end; a second one ends at once.
 */
#include <scheduler/http.h>
#include <scheduler/recording.h>

#include <stint/journal.h>
#include <stint/workload.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SHUTDOWN_MS = 8000 };

struct scheduler {
	struct stint_loop *loop;
	struct stint_logger logger;
	struct stint_scheduler_options settings;
	struct stint_kube_config *config;
	struct stint_kube *kube;
	struct stint_metrics *metrics;
	struct stint_recorder *recorder;
	struct stint_elector *elector; /* NULL: --leader-elect=false */
	struct stint_session *session; /* NULL: stands by */
	struct stint_http *http;
	struct stint_timer *deadline; /* of a shutdown */
	struct stint_timer *anew; /* ends a session whose journal is full, and begins another */
	bool drained; /* that session has no bind under way any more */
	char *identity;
	char *leader; /* who was seen to lead */
	char *lease; /* its name */
	const char *lease_namespace; /* of the Lease and what else is kept; borrowed */
	bool ending;
};

/* ---- leadership ----------------------------------------------------------------------------------------------------------------------------- */

static int64_t write_until_ms(void *user)
{
	const struct scheduler *scheduler = user;
	return scheduler->elector ? stint_elector_write_until_ms(scheduler->elector) : INT64_MAX;
}

static void on_journal_full(void *user)
{
	struct scheduler *scheduler = user;
	stint_timer_set(scheduler->anew, 0);
}

static void begin_session(void *user)
{
	struct scheduler *scheduler = user;
	if (scheduler->session || scheduler->ending)
		return;
	stint_log(&scheduler->logger, STINT_LOG_INFO, "leading; reading the cluster");
	scheduler->drained = false;
	stint_timer_stop(scheduler->anew);
	scheduler->session = stint_session_new(&(struct stint_session_options){.kube = scheduler->kube,
		.settings = &scheduler->settings,
		.namespace_ = scheduler->lease_namespace,
		.logger = &scheduler->logger,
		.metrics = scheduler->metrics,
		.recorder = scheduler->recorder,
		.write_until_ms = write_until_ms,
		.journal_full = on_journal_full,
		.user = scheduler});
}

static void end_session(void *user)
{
	struct scheduler *scheduler = user;
	if (!scheduler->session)
		return;
	stint_log(&scheduler->logger, scheduler->ending ? STINT_LOG_INFO : STINT_LOG_WARN, "leading no more%s",
		scheduler->ending ? "" : "; standing by");
	stint_session_free(stint_steal(&scheduler->session));
}

/* ---- a journal that is full --------------------------------------------------------------------------------------------------------------- */

static void on_anew_drained(void *user)
{
	struct scheduler *scheduler = user;
	scheduler->drained = true;
	stint_timer_set(scheduler->anew, 0); /* not here: the session calls */
}

static void on_anew(void *user)
{
	struct scheduler *scheduler = user;
	if (!scheduler->session || scheduler->ending)
		return;
	if (!scheduler->drained) {
		stint_log(&scheduler->logger, STINT_LOG_INFO, "the journal is full: another one begins, with the cluster read anew");
		stint_session_drain(scheduler->session, on_anew_drained, scheduler);
		return;
	}
	stint_session_free(stint_steal(&scheduler->session));
	begin_session(scheduler);
}

static void on_leader(void *user, const char *identity)
{
	struct scheduler *scheduler = user;
	free(scheduler->leader);
	scheduler->leader = stint_strdup(identity);
}

static void start_elector(struct scheduler *scheduler)
{
	scheduler->elector = stint_elector_start(scheduler->kube,
		&(struct stint_elector_options){.namespace_ = scheduler->lease_namespace,
			.name = scheduler->lease,
			.identity = scheduler->identity,
			.logger = &scheduler->logger,
			.on_started = begin_session,
			.on_stopped = end_session,
			.on_leader = on_leader,
			.user = scheduler});
	stint_auto_buf names = {0};
	for (char *const *name = scheduler->settings.scheduler_names; *name; name++)
		stint_buf_printf(&names, "%s%s", names.length ? "," : "", *name);
	stint_elector_annotate(scheduler->elector, "stint.dev/scheduler-names", names.data);
	struct stint_policy policy;
	stint_scheduler_options_policy(&scheduler->settings, &policy);
	stint_auto_json *form = stint_policy_json(&policy);
	stint_autofree char *text = stint_json_print(form);
	stint_elector_annotate(scheduler->elector, STINT_ANNOTATION_POLICY, text);
	const int64_t half_life_ms = scheduler->settings.usage_half_life_ms;
	stint_autofree char *seconds = half_life_ms > 0 ? stint_format("%lld", (long long)(half_life_ms / 1000)) : NULL;
	stint_elector_annotate(scheduler->elector, STINT_ANNOTATION_HALF_LIFE, seconds);
}

static void on_listening(void *user, const char *endpoint, const char *ca_pem)
{
	struct scheduler *scheduler = user;
	if (!scheduler->elector)
		return;
	stint_elector_annotate(scheduler->elector, "stint.dev/endpoint", endpoint);
	stint_elector_annotate(scheduler->elector, "stint.dev/endpoint-ca", ca_pem);
}

static struct stint_session *current_session(void *user)
{
	struct scheduler *scheduler = user;
	return scheduler->session;
}

static const char *current_leader(void *user)
{
	const struct scheduler *scheduler = user;
	return scheduler->leader;
}

/* ---- the end ----------------------------------------------------------------------------------------------------------------------------------- */

static void on_released(void *user)
{
	struct scheduler *scheduler = user;
	stint_loop_stop(scheduler->loop);
}

static void on_drained(void *user)
{
	struct scheduler *scheduler = user;
	if (scheduler->elector)
		stint_elector_release(scheduler->elector, on_released, scheduler);
	else
		stint_loop_stop(scheduler->loop);
}

static void on_signal(void *user, int signal_number)
{
	struct scheduler *scheduler = user;
	if (scheduler->ending) {
		stint_loop_stop(scheduler->loop);
		return;
	}
	scheduler->ending = true;
	stint_log(&scheduler->logger, STINT_LOG_INFO, "%s: ending", signal_number == SIGTERM ? "SIGTERM" : "SIGINT");
	stint_timer_set(scheduler->deadline, SHUTDOWN_MS);
	if (scheduler->session)
		stint_session_drain(scheduler->session, on_drained, scheduler);
	else
		on_drained(scheduler);
}

/* ---- the beginning --------------------------------------------------------------------------------------------------------------------------------- */

static char *make_identity(void)
{
	char host[256] = "unknown", uuid[37];
	gethostname(host, sizeof(host) - 1);
	return stint_format("%s_%s", host, stint_uuid(uuid));
}

static bool start(struct scheduler *scheduler, struct stint_error **err)
{
	const char *journal = scheduler->settings.journal;
	if (journal && !stint_recording_possible(journal, err))
		return false;
	scheduler->loop = stint_loop_new(err);
	if (!scheduler->loop)
		return false;
	const struct stint_kube_config_options where = {.kubeconfig = scheduler->settings.kubeconfig};
	scheduler->config = stint_kube_config_load(&where, err);
	if (!scheduler->config)
		return false;
	const struct stint_kube_options client = {
		.logger = &scheduler->logger, .user_agent = "stint-scheduler/" STINT_VERSION, .stdin_in_use = true};
	scheduler->kube = stint_kube_new(scheduler->loop, scheduler->config, &client, err);
	if (!scheduler->kube)
		return false;
	if (!stint_signal_watch(scheduler->loop, SIGTERM, on_signal, scheduler, err) ||
		!stint_signal_watch(scheduler->loop, SIGINT, on_signal, scheduler, err))
		return false;
	signal(SIGPIPE, SIG_IGN);

	scheduler->identity = make_identity();
	scheduler->deadline = stint_timer_new(scheduler->loop, on_released, scheduler);
	scheduler->anew = stint_timer_new(scheduler->loop, on_anew, scheduler);
	scheduler->metrics = stint_metrics_new();
	scheduler->recorder = stint_recorder_new(
		scheduler->kube, &(struct stint_recorder_options){.component = "stint-scheduler", .logger = &scheduler->logger});
	scheduler->lease_namespace = scheduler->settings.lease_namespace ? scheduler->settings.lease_namespace
		: scheduler->config->in_cluster				 ? scheduler->config->namespace_
									 : "kube-system";
	stint_log(&scheduler->logger, STINT_LOG_INFO, "stint-scheduler " STINT_VERSION " for %s", scheduler->config->server);
	const char *pool = scheduler->settings.node_pool;
	scheduler->lease = pool ? stint_format("stint-scheduler-%s", pool) : stint_strdup("stint-scheduler");
	if (scheduler->settings.leader_elect)
		start_elector(scheduler);
	else
		begin_session(scheduler);
	scheduler->http = stint_http_new(&(struct stint_http_options){.kube = scheduler->kube,
		.settings = &scheduler->settings,
		.namespace_ = scheduler->lease_namespace,
		.metrics = scheduler->metrics,
		.logger = &scheduler->logger,
		.session = current_session,
		.leader = current_leader,
		.started = on_listening,
		.user = scheduler,
		.started_ms = stint_now_ms()});
	return true;
}

static void stop(struct scheduler *scheduler)
{
	stint_http_free(scheduler->http);
	stint_session_free(stint_steal(&scheduler->session));
	stint_elector_free(scheduler->elector);
	stint_recorder_free(scheduler->recorder);
	stint_metrics_free(scheduler->metrics);
	stint_timer_free(scheduler->deadline);
	stint_timer_free(scheduler->anew);
	stint_kube_free(scheduler->kube);
	stint_kube_config_free(scheduler->config);
	if (scheduler->loop) {
		stint_signal_watch(scheduler->loop, SIGTERM, NULL, NULL, NULL);
		stint_signal_watch(scheduler->loop, SIGINT, NULL, NULL, NULL);
		stint_loop_free(scheduler->loop);
	}
	free(scheduler->identity);
	free(scheduler->lease);
	free(scheduler->leader);
	stint_scheduler_options_clear(&scheduler->settings);
}

static int say(const char *text)
{
	return fputs(text, stdout) >= 0 && fflush(stdout) == 0 ? STINT_OK : STINT_FAILED;
}

int main(int argc, char **argv)
{
	struct scheduler scheduler = {0};
	stint_auto_error *err = NULL;
	if (!stint_standard_streams_keep())
		return STINT_FAILED;
	if (!stint_scheduler_options_parse(argc, argv, &scheduler.settings, &err)) {
		fprintf(stderr, "stint-scheduler: %s\n", err->message);
		return STINT_USAGE;
	}
	int code = STINT_OK;
	if (scheduler.settings.help) {
		stint_auto_buf help = {0};
		stint_scheduler_options_help(&help);
		code = say(help.data);
	} else if (scheduler.settings.version) {
		code = say("stint-scheduler " STINT_VERSION "\n");
	} else {
		int standard_error = STDERR_FILENO;
		scheduler.logger = (struct stint_logger){stint_log_to_fd, &standard_error, stint_log_level_of(&scheduler.settings)};
		if (start(&scheduler, &err)) {
			stint_loop_run(scheduler.loop);
		} else {
			fprintf(stderr, "stint-scheduler: %s\n", err->message);
			code = (int)err->code;
		}
	}
	stop(&scheduler);
	return code;
}
