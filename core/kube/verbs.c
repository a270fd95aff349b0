/*
 * verbs: the synchronous form of requests, for programs that do one thing after the other. Each verb builds a request, steps the loop until
 * its answer is there and returns the object that came. Owns nothing beyond a call.
 */
#include <stint/kube.h>

#include <stdlib.h>
#include <string.h>

/* ---- waiting for a call ---------------------------------------------------------------------------------------------------- */

struct sync_wait {
	const struct stint_kube_request *request; /* the caller's: its on_data has its own user */
	struct stint_kube_response response;
	bool done;
};

static bool relay_data(void *user, const char *data, size_t length)
{
	const struct sync_wait *wait = user;
	return wait->request->on_data(wait->request->user, data, length);
}

static void wait_done(void *user, struct stint_kube_response *response)
{
	struct sync_wait *wait = user;
	wait->response = *response;
	*response = (struct stint_kube_response){0};
	wait->done = true;
}

bool stint_kube_call_wait(
	struct stint_kube *kube, const struct stint_kube_request *request, struct stint_kube_response *response, struct stint_error **err)
{
	struct sync_wait wait = {.request = request};
	struct stint_kube_request copy = *request;
	copy.on_data = request->on_data ? relay_data : NULL;
	copy.on_done = wait_done;
	copy.user = &wait;
	struct stint_kube_call *call = stint_kube_call_start(kube, &copy);
	while (!wait.done) {
		if (!stint_loop_step(stint_kube_loop(kube), -1)) {
			stint_kube_call_cancel(call);
			return stint_fail(err, STINT_INTERRUPTED, "interrupted while waiting for %s", stint_kube_config_of(kube)->server);
		}
	}
	bool ok = wait.response.error == NULL;
	if (!ok) {
		stint_error_move(err, &wait.response.error);
	}
	if (response && ok) {
		*response = wait.response;
	} else {
		stint_kube_response_free(&wait.response);
	}
	return ok;
}

/* The answer as an object; an empty one of a 2xx stands for {}. */
static struct stint_json *wait_for_object(struct stint_kube *kube, const struct stint_kube_request *request, struct stint_error **err)
{
	struct stint_kube_response response = {0};
	if (!stint_kube_call_wait(kube, request, &response, err)) {
		return NULL;
	}
	struct stint_json *object =
		response.body.length ? stint_json_parse(response.body.data, response.body.length, 0, err) : stint_json_new_object();
	if (!object) {
		stint_fail_wrap(err, "%s answered what is not JSON", stint_kube_config_of(kube)->server);
	}
	stint_kube_response_free(&response);
	return object;
}

static struct stint_json *send_object(
	struct stint_kube *kube, struct stint_kube_request *request, const struct stint_json *object, struct stint_error **err)
{
	stint_auto_buf body = {0};
	if (object) {
		stint_json_print_to(&body, object);
		request->body = body.data;
		request->body_length = body.length;
	}
	struct stint_json *answer = wait_for_object(kube, request, err);
	if (body.data) {
		explicit_bzero(body.data, body.length);
	}
	return answer;
}

/* ---- verbs ----------------------------------------------------------------------------------------------------------------- */

struct stint_json *stint_kube_get(struct stint_kube *kube, const struct stint_kube_resource *resource, const char *namespace_,
	const char *name, struct stint_error **err)
{
	const struct stint_kube_request request = {.resource = resource, .namespace_ = namespace_, .name = name};
	return wait_for_object(kube, &request, err);
}

static const struct stint_kube_write_options no_options;

enum { WRITE_QUERIES = 5 };

static void write_query(const struct stint_kube_write_options *options, bool apply, struct stint_kube_query out[static WRITE_QUERIES])
{
	out[0] = (struct stint_kube_query){"fieldManager", options->field_manager ? options->field_manager : "stint"};
	out[1] = (struct stint_kube_query){"dryRun", options->dry_run ? "All" : NULL};
	out[2] = (struct stint_kube_query){"force", apply && options->force ? "true" : NULL};
	out[3] = (struct stint_kube_query){"fieldValidation", options->field_validation};
	out[4] = (struct stint_kube_query){NULL, NULL};
}

struct stint_json *stint_kube_create(struct stint_kube *kube, const struct stint_kube_resource *resource, const char *namespace_,
	const char *name, const struct stint_json *object, const struct stint_kube_write_options *options, struct stint_error **err)
{
	struct stint_kube_query query[WRITE_QUERIES];
	options = options ? options : &no_options;
	write_query(options, false, query);
	/* The path of a create is the collection; a name is for a subresource such as binding or eviction. */
	struct stint_kube_request request = {.method = "POST",
		.resource = resource,
		.namespace_ = namespace_,
		.name = options->subresource ? name : NULL,
		.subresource = options->subresource,
		.query = query};
	return send_object(kube, &request, object, err);
}

struct stint_json *stint_kube_replace(struct stint_kube *kube, const struct stint_kube_resource *resource, const char *namespace_,
	const char *name, const struct stint_json *object, const struct stint_kube_write_options *options, struct stint_error **err)
{
	struct stint_kube_query query[WRITE_QUERIES];
	options = options ? options : &no_options;
	write_query(options, false, query);
	struct stint_kube_request request = {.method = "PUT",
		.resource = resource,
		.namespace_ = namespace_,
		.name = name,
		.subresource = options->subresource,
		.query = query};
	return send_object(kube, &request, object, err);
}

const char *stint_kube_patch_content_type(enum stint_kube_patch type)
{
	static const char *const types[] = {
		[STINT_KUBE_PATCH_MERGE] = "application/merge-patch+json",
		[STINT_KUBE_PATCH_JSON] = "application/json-patch+json",
		[STINT_KUBE_PATCH_STRATEGIC] = "application/strategic-merge-patch+json",
		[STINT_KUBE_PATCH_APPLY] = "application/apply-patch+yaml", /* JSON is YAML */
	};
	return types[type];
}

struct stint_json *stint_kube_patch(struct stint_kube *kube, const struct stint_kube_resource *resource, const char *namespace_,
	const char *name, enum stint_kube_patch type, const struct stint_json *patch, const struct stint_kube_write_options *options,
	struct stint_error **err)
{
	struct stint_kube_query query[WRITE_QUERIES];
	options = options ? options : &no_options;
	write_query(options, type == STINT_KUBE_PATCH_APPLY, query);
	struct stint_kube_request request = {.method = "PATCH",
		.resource = resource,
		.namespace_ = namespace_,
		.name = name,
		.subresource = options->subresource,
		.query = query,
		.content_type = stint_kube_patch_content_type(type)};
	return send_object(kube, &request, patch, err);
}

static struct stint_json *delete_options(const struct stint_kube_delete_options *options)
{
	struct stint_json *body = stint_json_new_object();
	stint_json_set_string(body, "apiVersion", "v1");
	stint_json_set_string(body, "kind", "DeleteOptions");
	/* Without a policy a Job of batch/v1 leaves its pods running and ownerless. */
	stint_json_set_string(body, "propagationPolicy", options && options->propagation ? options->propagation : "Background");
	if (options && options->has_grace) {
		stint_json_set_int(body, "gracePeriodSeconds", options->grace_seconds);
	}
	if (options && options->uid) {
		stint_json_set_string(stint_json_ensure_object(body, "preconditions"), "uid", options->uid);
	}
	if (options && options->resource_version) {
		stint_json_set_string(stint_json_ensure_object(body, "preconditions"), "resourceVersion", options->resource_version);
	}
	if (options && options->dry_run) {
		stint_json_append(stint_json_ensure_array(body, "dryRun"), stint_json_new_string("All"));
	}
	return body;
}

bool stint_kube_delete(struct stint_kube *kube, const struct stint_kube_resource *resource, const char *namespace_, const char *name,
	const struct stint_kube_delete_options *options, struct stint_error **err)
{
	stint_auto_json *body = delete_options(options);
	struct stint_kube_request request = {.method = "DELETE", .resource = resource, .namespace_ = namespace_, .name = name};
	stint_auto_json *answer = send_object(kube, &request, body, err);
	return answer != NULL;
}

struct stint_kube_call *stint_kube_log_start(struct stint_kube *kube, const char *namespace_, const char *pod,
	const struct stint_kube_log_options *options, bool (*on_data)(void *user, const char *data, size_t length),
	void (*on_done)(void *user, struct stint_kube_response *response), void *user)
{
	stint_autofree char *tail = options->tail_lines >= 0 ? stint_format("%lld", (long long)options->tail_lines) : NULL;
	stint_autofree char *since = options->since_seconds > 0 ? stint_format("%lld", (long long)options->since_seconds) : NULL;
	stint_autofree char *limit = options->limit_bytes > 0 ? stint_format("%lld", (long long)options->limit_bytes) : NULL;
	const struct stint_kube_query query[] = {
		{"container", options->container},
		{"follow", options->follow ? "true" : NULL},
		{"previous", options->previous ? "true" : NULL},
		{"timestamps", options->timestamps ? "true" : NULL},
		{"tailLines", tail},
		{"sinceSeconds", since},
		{"sinceTime", options->since_time},
		{"limitBytes", limit},
		{NULL, NULL},
	};
	const struct stint_kube_request request = {.resource = &stint_kube_pods,
		.namespace_ = namespace_,
		.name = pod,
		.subresource = "log",
		.query = query,
		.accept = "*/*",
		.timeout_ms = -1,
		.no_gzip = options->follow, /* a compressor would hold lines back */
		.on_data = on_data,
		.on_done = on_done,
		.user = user};
	return stint_kube_call_start(kube, &request);
}
