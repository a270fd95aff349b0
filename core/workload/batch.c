/*
 * batch: see batch.h. Runs on the client's loop, stepping it until the last answer is there. Lists are cut into items while they arrive and
 * never stand in memory whole.
 */
#include "batch.h"

#include <stdlib.h>

enum { MAX_ITEM_BYTES = 4 * 1024 * 1024 };

static bool take_item(void *user, const char *data, size_t length)
{
	struct batch_item *item = user;
	return item->on_item(item->user, item, data, length, &item->error);
}

static bool take_data(void *user, const char *data, size_t length)
{
	struct batch_item *item = user;
	return stint_splitter_feed(item->splitter, data, length, item->error ? NULL : &item->error);
}

static void finish(void *user, struct stint_kube_response *response)
{
	struct batch_item *item = user;
	item->call = NULL;
	(*item->left)--;
	/* What went wrong with an item says more than that the call was given up for it. */
	if (response->error && !item->error)
		item->error = stint_steal(&response->error);
	if (item->error)
		return;
	if (item->name) {
		item->body = response->body;
		response->body = (struct stint_buf){0};
		return;
	}
	struct stint_json *rest = stint_splitter_finish(item->splitter, &item->error);
	stint_json_free(rest);
}

static void start(struct stint_kube *kube, struct batch_item *item)
{
	const struct stint_kube_query query[] = {{"labelSelector", item->label_selector}, {NULL, NULL}};
	struct stint_kube_request request = {
		.resource = item->resource, .namespace_ = item->namespace_, .name = item->name, .on_done = finish, .user = item};
	if (!item->name) {
		item->splitter = stint_splitter_new(MAX_ITEM_BYTES, take_item, item);
		request.query = query;
		request.on_data = take_data;
	}
	item->call = stint_kube_call_start(kube, &request);
}

bool batch_run(struct stint_kube *kube, struct batch_item *items, size_t count, struct stint_error **err)
{
	size_t left = count;
	for (size_t at = 0; at < count; at++) {
		items[at].left = &left;
		start(kube, &items[at]);
	}
	while (left) {
		if (stint_loop_step(stint_kube_loop(kube), -1))
			continue;
		for (size_t at = 0; at < count; at++)
			stint_kube_call_cancel(stint_steal(&items[at].call));
		return stint_fail(err, STINT_INTERRUPTED, "interrupted");
	}
	return true;
}

void batch_free(struct batch_item *items, size_t count)
{
	for (size_t at = 0; at < count; at++) {
		stint_buf_free(&items[at].body);
		stint_error_free(stint_steal(&items[at].error));
		stint_splitter_free(stint_steal(&items[at].splitter));
	}
}
