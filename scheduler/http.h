/*
 * http: the scheduler's HTTPS listener: /metrics, /healthz, /readyz for everybody, /v1/why for who may.
 */
#ifndef STINT_SCHEDULER_HTTP_H
#define STINT_SCHEDULER_HTTP_H

#include <scheduler/options.h>
#include <scheduler/why_http.h>

struct stint_http_options {
	struct stint_kube *kube;
	const struct stint_scheduler_options *settings;
	const char *namespace_; /* of the Lease; for the name of the Service in the certificate */
	struct stint_metrics *metrics;
	const struct stint_logger *logger;
	struct stint_session *(*session)(void *user);
	const char *(*leader)(void *user);
	/* The listener is up: "https://address:port" and the PEM of the CA that signed its certificate. At most once. */
	void (*started)(void *user, const char *endpoint, const char *ca_pem);
	void *user;
	int64_t started_ms; /* of the process, wall clock */
};
struct stint_http;
/*
 * First asks the cluster for the CA of client certificates, then listens. A listener that cannot be had is logged and never stops
 * scheduling; a port that is taken is replaced by a free one.
 */
struct stint_http *stint_http_new(const struct stint_http_options *options);
void stint_http_free(struct stint_http *http);

#endif
