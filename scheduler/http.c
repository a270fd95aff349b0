/*
 * http: certificate, listener and routes. See http.h.
 *
 * State: the listener, the request for the client CA, and what the why API needs. The certificate and its CA are made anew by each process and
 * never leave its memory but for the CA's public half.
 */
#include <scheduler/http.h>

#include <scheduler/session_metrics.h>

#include <stdlib.h>
#include <string.h>

enum { RETRY_MS = 2000, TRIES = 5, CERTIFICATE_DAYS = 3650, CALL_TIMEOUT_MS = 4000 };

struct stint_http {
	struct stint_http_options options;
	struct stint_access *access;
	struct stint_why_http *why;
	struct stint_httpd *httpd;
	struct stint_kube_call *call;
	struct stint_timer *retry;
	int tries;
};

/* ---- routes ------------------------------------------------------------------------------------------------------------------------------------- */

static void serve_metrics(struct stint_http *http, struct stint_httpd_request *request)
{
	struct stint_session *session = http->options.session(http->options.user);
	stint_metrics_set(http->options.metrics, STINT_METRIC_LEADER, session ? 1 : 0);
	if (session)
		stint_session_measure(session);
	stint_measure_process(http->options.metrics, http->options.started_ms);
	struct stint_buf text = {0};
	stint_metrics_write(http->options.metrics, &text);
	const size_t length = text.length;
	stint_httpd_reply_take(request, &(struct stint_httpd_response){200, "text/plain; version=0.0.4; charset=utf-8", NULL},
		stint_buf_steal(&text), length);
}

/* A stand-by is ready: it is there to take over, and a rollout must not wait for the Lease. */
static void serve_readiness(struct stint_http *http, struct stint_httpd_request *request)
{
	struct stint_session *session = http->options.session(http->options.user);
	stint_autofree char *missing = session ? stint_session_missing(session) : NULL;
	stint_autofree char *text =
		missing ? stint_format("still reading: %s\n", missing) : stint_strdup(session ? "ok\n" : "ok, standing by\n");
	stint_httpd_reply_text(request, missing ? 503 : 200, text);
}

static void on_request(void *user, struct stint_httpd_request *request)
{
	struct stint_http *http = user;
	const char *path = stint_httpd_path(request), *method = stint_httpd_method(request);
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		stint_httpd_reply_text(request, 405, "only GET is served here\n");
	else if (strcmp(path, "/healthz") == 0)
		stint_httpd_reply_text(request, 200, "ok\n");
	else if (strcmp(path, "/readyz") == 0)
		serve_readiness(http, request);
	else if (strcmp(path, "/metrics") == 0)
		serve_metrics(http, request);
	else if (stint_starts_with(path, "/v1/why/"))
		stint_why_http_serve(http->why, request);
	else
		stint_httpd_reply_text(request, 404, "there is /metrics, /healthz, /readyz and /v1/why/NAMESPACE/WORKLOAD\n");
}

/* ---- the listener ---------------------------------------------------------------------------------------------------------------------------------- */

/* Where others reach what listens on all addresses: the pod's address, by the downward API. */
static char *reachable_host(const char *address)
{
	const char *pod_ip = getenv("POD_IP");
	const char *host = address ? address : pod_ip && pod_ip[0] ? pod_ip : "127.0.0.1";
	if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0)
		host = pod_ip && pod_ip[0] ? pod_ip : "127.0.0.1";
	return stint_strdup(host);
}

static bool make_certificates(
	const char *host, const char *space, struct stint_certificate *ca, struct stint_certificate *server, struct stint_error **err)
{
	stint_autofree char *ip = stint_format("IP:%s", host);
	stint_autofree char *service = stint_format("DNS:stint-scheduler.%s.svc", space);
	const char *const names[] = {ip, "DNS:localhost", "DNS:stint-scheduler", service, NULL};
	return stint_certificate_issue(NULL, STINT_CERTIFICATE_CA, "stint-scheduler-ca", NULL, NULL, CERTIFICATE_DAYS, ca, err) &&
		stint_certificate_issue(ca, STINT_CERTIFICATE_SERVER, "stint-scheduler", NULL, names, CERTIFICATE_DAYS, server, err);
}

static void listen_with(struct stint_http *http, const char *client_ca)
{
	const struct stint_http_options *options = &http->options;
	const bool in_cluster = stint_kube_config_of(options->kube)->in_cluster;
	stint_auto_error *err = NULL;
	stint_autofree char *address = NULL;
	int port = 0;
	stint_listen_parse(options->settings->listen ? options->settings->listen
			: in_cluster		     ? ":8443"
						     : "127.0.0.1:0",
		&address, &port, NULL);
	stint_autofree char *host = reachable_host(address);
	struct stint_certificate ca = {0}, server = {0};
	if (make_certificates(host, options->namespace_, &ca, &server, &err)) {
		struct stint_httpd_options listener = {.address = address ? address
				: strchr(host, ':')			  ? "::"
									  : "0.0.0.0",
			.port = port,
			.certificate_pem = server.certificate_pem,
			.key_pem = server.key_pem,
			.client_ca_pem = client_ca,
			.max_connections = 128,
			.max_body_bytes = 16 * 1024,
			.on_request = on_request,
			.user = http,
			.logger = options->logger};
		http->httpd = stint_httpd_start(stint_kube_loop(options->kube), &listener, &err);
		if (!http->httpd && port != 0) {
			stint_log(options->logger, STINT_LOG_WARN, "%s; taking a free port instead", err->message);
			stint_error_clear(&err);
			listener.port = 0;
			http->httpd = stint_httpd_start(stint_kube_loop(options->kube), &listener, &err);
		}
	}
	if (http->httpd) {
		stint_autofree char *endpoint =
			stint_format(strchr(host, ':') ? "https://[%s]:%d" : "https://%s:%d", host, stint_httpd_port(http->httpd));
		stint_log(options->logger, STINT_LOG_INFO, "listening on %s", endpoint);
		options->started(options->user, endpoint, ca.certificate_pem);
	} else {
		stint_log(options->logger, STINT_LOG_ERROR, "no listener: %s; metrics and why are not served", err->message);
	}
	stint_certificate_free(&ca);
	stint_certificate_free(&server);
}

/* ---- the CA of client certificates -------------------------------------------------------------------------------------------------------------------- */

static void on_config_map(void *user, struct stint_kube_response *response)
{
	struct stint_http *http = user;
	http->call = NULL;
	const struct stint_error *err = response->error;
	const bool certain = !err || err->code == STINT_NOT_FOUND || err->code == STINT_FORBIDDEN;
	if (!certain && ++http->tries < TRIES) {
		stint_timer_set(http->retry, RETRY_MS);
		return;
	}
	stint_auto_json *map = err ? NULL : stint_json_parse(response->body.data, response->body.length, 0, NULL);
	const char *ca = stint_json_string_at(map, "data", "client-ca-file");
	if (!ca)
		stint_log(http->options.logger, STINT_LOG_INFO,
			"callers of the why API need a token: the cluster's client CA is not to be had (%s)",
			err ? err->message : "the ConfigMap has none");
	listen_with(http, ca);
}

static void ask_for_client_ca(void *user)
{
	struct stint_http *http = user;
	http->call = stint_kube_call_start(http->options.kube,
		&(struct stint_kube_request){.resource = &stint_kube_configmaps,
			.namespace_ = "kube-system",
			.name = "extension-apiserver-authentication",
			.timeout_ms = CALL_TIMEOUT_MS,
			.on_done = on_config_map,
			.user = http});
}

struct stint_http *stint_http_new(const struct stint_http_options *options)
{
	struct stint_http *http = stint_alloc(sizeof(*http));
	http->options = *options;
	http->access = stint_access_new(options->kube);
	http->why = stint_why_http_new(&(struct stint_why_http_options){.access = http->access,
		.metrics = options->metrics,
		.session = options->session,
		.leader = options->leader,
		.user = options->user});
	http->retry = stint_timer_new(stint_kube_loop(options->kube), ask_for_client_ca, http);
	stint_metrics_set(options->metrics, STINT_METRIC_BUILD_INFO, 1, STINT_VERSION);
	ask_for_client_ca(http);
	return http;
}

void stint_http_free(struct stint_http *http)
{
	if (!http)
		return;
	stint_kube_call_cancel(http->call);
	stint_timer_free(http->retry);
	stint_access_free(http->access);
	stint_httpd_stop(http->httpd);
	stint_why_http_free(http->why);
	free(http);
}
