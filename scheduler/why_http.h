/*
 * why_http: GET /v1/why/<namespace>/<workload>: who asks, may they, and the answer.
 */
#ifndef STINT_SCHEDULER_WHY_HTTP_H
#define STINT_SCHEDULER_WHY_HTTP_H

#include <scheduler/access.h>
#include <scheduler/metrics.h>
#include <scheduler/session.h>
#include <stint/httpd.h>

/* Reasons of refusals, words of our own: through a proxy the API server's refusals come by the same statuses. cli/why_fetch.c knows them. */
#define STINT_WHY_UNKNOWN "WorkloadNotFound"
#define STINT_WHY_FORBIDDEN "WorkloadForbidden"

struct stint_why_http_options {
	struct stint_access *access;
	struct stint_metrics *metrics;
	/* The session that leads, or NULL: this replica stands by. Asked when the answer is made, not before. */
	struct stint_session *(*session)(void *user);
	const char *(*leader)(void *user); /* who leads instead; may be NULL */
	void *user;
};
struct stint_why_http;
struct stint_why_http *stint_why_http_new(const struct stint_why_http_options *options);
void stint_why_http_free(struct stint_why_http *why); /* after the listener has stopped */
/* Takes the request over and answers it, now or later. The path begins with /v1/why/. */
void stint_why_http_serve(struct stint_why_http *why, struct stint_httpd_request *request);

#endif
