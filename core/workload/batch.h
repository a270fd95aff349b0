/*
 * batch: several requests at once, and the end of all of them. Internal to workload.
 */
#ifndef STINT_WORKLOAD_BATCH_H
#define STINT_WORKLOAD_BATCH_H

#include <stint/kube.h>

struct batch_item {
	const struct stint_kube_resource *resource;
	const char *namespace_;
	const char *name; /* NULL: a list, whose items go to on_item */
	const char *label_selector;
	bool (*on_item)(void *user, const struct batch_item *item, const char *data, size_t length, struct stint_error **err);
	void *user;
	/* What came of it. */
	struct stint_buf body; /* of a get */
	struct stint_error *error;
	/* While it is under way. */
	struct stint_kube_call *call;
	struct stint_splitter *splitter;
	size_t *left;
};

/* Runs all of them and waits. False when the loop was stopped; failures of single requests are in their items. */
bool batch_run(struct stint_kube *kube, struct batch_item *items, size_t count, struct stint_error **err);
void batch_free(struct batch_item *items, size_t count); /* their contents */

#endif
