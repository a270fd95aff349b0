/*
 * session: what a run finds out about its surroundings, each only when it is asked for: own settings, kubeconfig, client, project. Owned by
 * the context; nothing here is sent to a cluster.
 */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stint/kube.h>
#include <stint/workload.h>

#include "cli/run.h"
#include "cli/settings.h"

struct cli_session {
	struct stint_json *settings;
	struct stint_kube_config *config;
	bool config_tried; /* and none was found: the reason is no longer interesting */
	struct stint_loop *loop;
	struct stint_kube *kube;
	struct stint_logger logger;
	char *project;
};

static struct cli_session *session_of(struct cli_context *ctx)
{
	if (!ctx->session)
		ctx->session = stint_alloc(sizeof *ctx->session);
	return ctx->session;
}

void cli_session_free(struct cli_session *session)
{
	if (!session)
		return;
	stint_kube_free(session->kube);
	stint_loop_free(session->loop);
	stint_kube_config_free(session->config);
	stint_json_free(session->settings);
	free(session->project);
	free(session);
}

const char *cli_setting(struct cli_context *ctx, const char *key)
{
	struct cli_session *session = session_of(ctx);
	if (!session->settings) {
		stint_auto_error *err = NULL;
		stint_autofree char *path = cli_settings_path();
		session->settings = path ? cli_settings_read(path, &err) : stint_json_new_object();
		if (!session->settings) {
			cli_note_error(ctx, &err);
			session->settings = stint_json_new_object();
		}
	}
	return stint_json_string(stint_json_get(session->settings, key));
}

/* Whether something listens at a server's address. Loopback answers at once, so that no time-out is needed. */
static bool listens(const char *server)
{
	const char *host = strstr(server, "://");
	if (!host)
		return false;
	host += 3;
	const char *colon = strrchr(host, ':');
	if (!colon)
		return false;
	stint_autofree char *name = stint_strndup(host, (size_t)(colon - host));
	stint_autofree char *port = stint_strndup(colon + 1, strcspn(colon + 1, "/"));
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *address = NULL;
	if (getaddrinfo(name, port, &hints, &address) != 0)
		return false;
	stint_autoclose int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, 0);
	const bool answered = fd >= 0 && connect(fd, address->ai_addr, address->ai_addrlen) == 0;
	freeaddrinfo(address);
	return answered;
}

/* The configuration of a sandbox that runs in its default folder, or NULL. */
static struct stint_kube_config *sandbox_config(void)
{
	const char *base = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	stint_autofree char *path = NULL;
	if (base && *base == '/')
		path = stint_format("%s/stint/sandbox/kubeconfig", base);
	else if (home && *home)
		path = stint_format("%s/.local/state/stint/sandbox/kubeconfig", home);
	if (!path || access(path, R_OK) != 0)
		return NULL;
	const struct stint_kube_config_options options = {.kubeconfig = path};
	stint_auto_kube_config *config = stint_kube_config_load(&options, NULL);
	return config && listens(config->server) ? stint_steal(&config) : NULL;
}

static bool load_config(struct cli_context *ctx, struct stint_error **err)
{
	struct cli_session *session = session_of(ctx);
	if (session->config)
		return true;
	const struct stint_kube_config_options options = {.kubeconfig = cli_text(ctx, "kubeconfig"), .context = cli_text(ctx, "context")};
	stint_auto_error *found = NULL;
	session->config = stint_kube_config_load(&options, &found);
	if (session->config)
		return true;
	if (strcmp(found->reason, STINT_KUBE_NO_CONFIG) != 0)
		return stint_error_move(err, &found);
	if (!session->config_tried && !options.context)
		session->config = sandbox_config();
	session->config_tried = true;
	if (session->config) {
		cli_note(ctx, "no kubeconfig anywhere: using the sandbox that runs here (%s)", session->config->origin);
		return true;
	}
	stint_fail(err, STINT_UNREACHABLE,
		"no cluster is configured: set KUBECONFIG or --kubeconfig, or start one here with \"stint sandbox up\"");
	if (err && *err)
		snprintf((*err)->reason, sizeof(*err)->reason, "%s", STINT_KUBE_NO_CONFIG);
	return false;
}

static void log_to_notes(void *user, enum stint_log_level level, const char *message)
{
	(void)level;
	cli_note(user, "%s", message);
}

enum stint_kube_trace cli_trace(const struct cli_context *ctx)
{
	return ctx->verbose > 1 ? STINT_KUBE_TRACE_ALL : ctx->verbose ? STINT_KUBE_TRACE_ANSWERS : STINT_KUBE_TRACE_NONE;
}

const struct stint_logger *cli_logger(const struct cli_context *ctx)
{
	return &ctx->session->logger;
}

struct stint_kube *cli_connect(struct cli_context *ctx)
{
	struct cli_session *session = session_of(ctx);
	if (session->kube)
		return session->kube;
	if (!load_config(ctx, &ctx->err))
		return NULL;
	if (!session->loop && !(session->loop = stint_loop_new(&ctx->err)))
		return NULL;
	session->logger = (struct stint_logger){.write = log_to_notes,
		.user = ctx,
		.level = ctx->verbose > 1 ? STINT_LOG_DEBUG
			: ctx->verbose	  ? STINT_LOG_INFO
					  : STINT_LOG_WARN};
	const struct stint_kube_options options = {
		.logger = &session->logger, .timeout_ms = ctx->request_timeout_ms, .trace = cli_trace(ctx)};
	session->kube = stint_kube_new(session->loop, session->config, &options, &ctx->err);
	return session->kube;
}

bool cli_all_projects(const struct cli_context *ctx)
{
	return cli_switch(ctx, "all-projects");
}

/* What the command line, the environment and the settings say; NULL: nothing. */
static const char *said_project(struct cli_context *ctx, bool *conflict)
{
	const char *project = cli_text(ctx, "project"), *space = cli_text(ctx, "namespace"), *variable = getenv("STINT_PROJECT");
	*conflict = project && space && strcmp(project, space) != 0;
	if (project || space)
		return project ? project : space;
	return variable && *variable ? variable : cli_setting(ctx, "project");
}

const char *cli_project(struct cli_context *ctx)
{
	struct cli_session *session = session_of(ctx);
	if (session->project)
		return session->project;
	bool conflict;
	const char *project = said_project(ctx, &conflict);
	if (conflict) {
		stint_fail(&ctx->err, STINT_USAGE, "-p and -n name two projects: a project is a namespace, so give one of them");
		return NULL;
	}
	if (cli_all_projects(ctx)) {
		stint_fail(&ctx->err, STINT_USAGE, "this needs one project, and -A is all of them: say -p PROJECT");
		return NULL;
	}
	if (!project) {
		stint_auto_error *err = NULL;
		if (!load_config(ctx, &err) && strcmp(err->reason, STINT_KUBE_NO_CONFIG) != 0) {
			stint_error_move(&ctx->err, &err);
			return NULL;
		}
		project = session->config ? session->config->namespace_ : STINT_DEFAULT_PROJECT;
	}
	if (!stint_name_check("project", project, 63, &ctx->err))
		return NULL;
	session->project = stint_strdup(project);
	return session->project;
}
