/*
 * usage_keeper: see usage_keeper.h.
 *
 * State: the sums, one timer that samples, and at most one request under way. The ConfigMap is written once a minute; a write that fails is
 * told once and tried again with the next.
 */
#include <scheduler/usage_keeper.h>

#include <stdlib.h>
#include <string.h>

enum {
	FIRST_SAMPLE_MS = 1000,
	SAMPLE_MS = 10 * 1000,
	SAVE_MS = 60 * 1000,
	READ_TIMEOUT_MS = 4000,
	SAVED_MAX_BYTES = 900 * 1024,
	NOT_FOUND = 404
};

struct stint_usage_keeper {
	struct stint_usage_keeper_options options;
	char *name; /* of the ConfigMap */
	struct stint_usage *usage;
	struct stint_timer *timer;
	struct stint_kube_call *call;
	int64_t saved_ms; /* monotonic */
	bool ready, trouble; /* trouble: the last write failed, and that was said */
};

static struct stint_kube_request request_for(const struct stint_usage_keeper *keeper)
{
	return (struct stint_kube_request){.resource = &stint_kube_configmaps,
		.namespace_ = keeper->options.namespace_,
		.name = keeper->name,
		.timeout_ms = READ_TIMEOUT_MS};
}

static void sample(struct stint_usage_keeper *keeper)
{
	stint_usage_sample(keeper->usage, keeper->options.engine, stint_now_ms());
	stint_usage_apply(keeper->usage, keeper->options.engine);
	keeper->options.changed(keeper->options.user);
}

/* ---- reading -------------------------------------------------------------------------------------------------------------------------- */

static void on_read(void *user, struct stint_kube_response *response)
{
	struct stint_usage_keeper *keeper = user;
	keeper->call = NULL;
	keeper->ready = true;
	stint_auto_json *map = response->status == 200 ? stint_json_parse(response->body.data, response->body.length, 0, NULL) : NULL;
	const char *text = stint_json_string_at(map, "data", "usage");
	if (text && !stint_usage_load(keeper->usage, text, strlen(text), stint_now_ms()))
		stint_log(keeper->options.logger, STINT_LOG_WARN,
			"ConfigMap %s/%s is not as stint-scheduler writes it: past use counts from now on", keeper->options.namespace_,
			keeper->name);
	else if (!text && response->error && response->error->status != NOT_FOUND)
		stint_log(keeper->options.logger, STINT_LOG_WARN, "ConfigMap %s/%s cannot be read (%s): past use counts from now on",
			keeper->options.namespace_, keeper->name, response->error->message);
	sample(keeper);
	stint_timer_set(keeper->timer, FIRST_SAMPLE_MS);
}

/* ---- writing -------------------------------------------------------------------------------------------------------------------------- */

static void write_map(struct stint_usage_keeper *keeper, bool create);

static void on_written(void *user, struct stint_kube_response *response)
{
	struct stint_usage_keeper *keeper = user;
	keeper->call = NULL;
	if (response->error && response->error->status == NOT_FOUND) {
		write_map(keeper, true);
		return;
	}
	if (response->error && !keeper->trouble)
		stint_log(keeper->options.logger, STINT_LOG_WARN,
			"ConfigMap %s/%s cannot be written (%s): past use would be lost with this process", keeper->options.namespace_,
			keeper->name, response->error->message);
	keeper->trouble = response->error != NULL;
}

static void write_map(struct stint_usage_keeper *keeper, bool create)
{
	stint_autofree char *text = stint_usage_save(keeper->usage);
	if (strlen(text) > SAVED_MAX_BYTES)
		return;
	stint_auto_json *map = stint_json_new_object();
	stint_json_set_string(map, "apiVersion", "v1");
	stint_json_set_string(map, "kind", "ConfigMap");
	if (create)
		stint_json_set_string(stint_json_ensure_object(map, "metadata"), "name", keeper->name);
	stint_json_set_string(stint_json_ensure_object(map, "data"), "usage", text);
	stint_autofree char *body = stint_json_print(map);
	struct stint_kube_request request = request_for(keeper);
	request.method = create ? "POST" : "PATCH";
	if (create)
		request.name = NULL;
	else
		request.content_type = stint_kube_patch_content_type(STINT_KUBE_PATCH_MERGE);
	request.body = body;
	request.body_length = strlen(body);
	request.on_done = on_written;
	request.user = keeper;
	keeper->call = stint_kube_call_start(keeper->options.kube, &request);
}

static void on_timer(void *user)
{
	struct stint_usage_keeper *keeper = user;
	sample(keeper);
	const int64_t now_ms = stint_monotonic_ms();
	if (!keeper->call && now_ms - keeper->saved_ms >= SAVE_MS && keeper->options.may_write(keeper->options.user)) {
		keeper->saved_ms = now_ms;
		write_map(keeper, false);
	}
	stint_timer_set(keeper->timer, SAMPLE_MS);
}

/* ---- life ------------------------------------------------------------------------------------------------------------------------------ */

struct stint_usage_keeper *stint_usage_keeper_new(const struct stint_usage_keeper_options *options)
{
	struct stint_usage_keeper *keeper = stint_alloc(sizeof(*keeper));
	*keeper = (struct stint_usage_keeper){.options = *options, .usage = stint_usage_new(options->half_life_ms)};
	keeper->name = options->pool ? stint_format(STINT_USAGE_CONFIG_MAP "-%s", options->pool) : stint_strdup(STINT_USAGE_CONFIG_MAP);
	keeper->timer = stint_timer_new(stint_kube_loop(options->kube), on_timer, keeper);
	struct stint_kube_request request = request_for(keeper);
	request.on_done = on_read;
	request.user = keeper;
	keeper->call = stint_kube_call_start(options->kube, &request);
	return keeper;
}

void stint_usage_keeper_free(struct stint_usage_keeper *keeper)
{
	if (!keeper)
		return;
	if (keeper->call)
		stint_kube_call_cancel(keeper->call);
	stint_timer_free(keeper->timer);
	stint_usage_free(keeper->usage);
	free(keeper->name);
	free(keeper);
}

bool stint_usage_keeper_ready(const struct stint_usage_keeper *keeper)
{
	return keeper->ready;
}

void stint_usage_keeper_apply(const struct stint_usage_keeper *keeper)
{
	stint_usage_apply(keeper->usage, keeper->options.engine);
}
