/*
 * feed: list+watch of everything that the mirror keeps, and the search for owners that no watch has brought.
 */
#ifndef STINT_SCHEDULER_FEED_H
#define STINT_SCHEDULER_FEED_H

#include <scheduler/holders.h>
#include <scheduler/metrics.h>
#include <stint/mirror.h>

struct stint_feed_options {
	struct stint_kube *kube;
	struct stint_model *model;
	struct stint_mirror *mirror;
	struct stint_holders *holders;
	struct stint_metrics *metrics;
	const struct stint_logger *logger;
	void (*synced)(void *user); /* every list is complete: the mirror knows the cluster. Once */
	void *user;
};
struct stint_feed;
/* Starts to list at once, every list a consistent read. */
struct stint_feed *stint_feed_new(const struct stint_feed_options *options);
void stint_feed_free(struct stint_feed *feed); /* before the mirror and the model */
bool stint_feed_synced(const struct stint_feed *feed);
/* What is not known yet, for /readyz: "pods, nodes". NULL: nothing. Freed by the caller. */
char *stint_feed_missing(const struct stint_feed *feed);
/* An owner that a pod refers to is not in the catalog: unless it comes within a second, the API server is asked. */
void stint_feed_seek_owner(struct stint_feed *feed, const struct stint_owner_reference *reference, const char *space);

#endif
