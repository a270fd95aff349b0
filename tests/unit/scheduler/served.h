/* A cluster in the mirror, and a client of an API server that the test plays, on one loop. */
#ifndef STINT_TEST_SERVED_H
#define STINT_TEST_SERVED_H

#include <stint/httpd.h>
#include <stint/kube.h>

#include "cluster.h"

enum { DEADLINE_MS = 10000 };

struct served {
	struct cluster *cluster;
	struct stint_loop *loop;
	struct stint_httpd *httpd;
	struct stint_kube_config *config;
	struct stint_kube *kube;
};

static inline void served_open(struct served *served, void (*on_request)(void *user, struct stint_httpd_request *request), void *user)
{
	void *cluster = NULL;
	cluster_setup(&cluster);
	served->cluster = cluster;
	served->loop = stint_loop_new(NULL);
	served->httpd = stint_httpd_start(served->loop, &(struct stint_httpd_options){.on_request = on_request, .user = user}, NULL);
	served->config = stint_kube_config_new();
	served->config->server = stint_format("http://127.0.0.1:%d", stint_httpd_port(served->httpd));
	served->kube = stint_kube_new(served->loop, served->config, NULL, NULL);
}

/* After all that uses them. */
static inline void served_close(struct served *served)
{
	void *cluster = served->cluster;
	stint_kube_free(served->kube);
	stint_httpd_stop(served->httpd);
	stint_kube_config_free(served->config);
	cluster_teardown(&cluster);
	stint_loop_free(served->loop);
}

/* Turns the loop until the handlers have counted that far. */
static inline void served_turn_until(struct served *served, const int *counter, int wanted)
{
	const int64_t deadline_ms = stint_monotonic_ms() + DEADLINE_MS;
	while (*counter < wanted && stint_monotonic_ms() < deadline_ms)
		stint_loop_step(served->loop, 50);
	assert_true(*counter >= wanted);
}

#endif
