/*
 * call: one request under way: credentials, attempts, waiting and trying again, until on_done.
 *
 * A call goes NEW -> IDENTITY (a plugin may have to run) -> QUEUED (admission.c) -> ACTIVE (in curl) -> done, or -> BACKOFF (call_retry.c)
 * -> IDENTITY again. One timer per call watches the deadline of the whole, the silence of the server and the end of a backoff, whichever
 * is next. on_data runs inside curl, so cancelling or resuming from there takes effect on the next turn of the loop; on_done never does.
 */
#include "core/kube/call.h"
#include "core/kube/config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	MAX_ERROR_BODY_BYTES = 256 * 1024,
};
static const size_t default_max_body_bytes = 64 * 1024 * 1024;

static void begin_attempt(struct stint_kube_call *call);

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

static void leave_curl(struct stint_kube_call *call)
{
	kube_admission_leave(call);
	kube_transfer_remove(call->kube, call->easy);
	call->easy = NULL;
	kube_headers_free(&call->headers);
	kube_identity_release(call->identity);
	call->identity = NULL;
}

/* Ends everything about the call but its memory. */
static void detach(struct stint_kube_call *call)
{
	struct stint_kube *kube = call->kube;
	leave_curl(call);
	kube_credentials_cancel(kube->credentials, &call->waiter);
	kube_defer_cancel(kube, &call->step);
	stint_timer_free(call->timer);
	call->timer = NULL;
	if (call->before) {
		call->before->after = call->after;
	} else {
		kube->calls = call->after;
	}
	if (call->after) {
		call->after->before = call->before;
	}
}

static void free_call(struct stint_kube_call *call)
{
	stint_error_free(call->problem);
	free(call->method);
	free(call->target);
	kube_body_free(call->body, call->request.body_length);
	free(call->content_type);
	free(call->accept);
	free(call->token_header);
	stint_buf_free(&call->answer);
	free(call);
}

static void trace_end(const struct stint_kube_call *call, int status)
{
	const struct kube_trace_end end = {
		.status = status, .cancelled = call->cancelled, .since_ms = call->since_ms, .bytes = call->received_bytes};
	if (call->state == CALL_ACTIVE) {
		kube_trace_ended(call->kube, call->method, call->target, &end);
	}
}

static void end_call(struct stint_kube_call *call, int status, struct stint_error *error)
{
	trace_end(call, status);
	detach(call);
	struct stint_kube_response response = {.status = status, .body = call->answer, .error = error};
	call->answer = (struct stint_buf){0};
	if (call->request.on_done && !call->kube->dead) {
		call->request.on_done(call->request.user, &response);
	}
	stint_kube_response_free(&response);
	free_call(call);
}

/* For whoever calls us on behalf of others and goes on afterwards: handlers run in a turn of their own. */
static void fail_soon(struct stint_kube_call *call, struct stint_error *problem)
{
	call->problem = problem;
	kube_defer(call->kube, &call->step);
}

void stint_kube_call_cancel(struct stint_kube_call *call)
{
	if (!call) {
		return;
	}
	call->cancelled = true;
	if (call->kube->in_curl) {
		kube_defer(call->kube, &call->step);
		return;
	}
	trace_end(call, 0);
	detach(call);
	free_call(call);
}

void kube_calls_cancel_all(struct stint_kube *kube)
{
	while (kube->calls) {
		stint_kube_call_cancel(kube->calls);
	}
}

/* ---- time ------------------------------------------------------------------------------------------------------------------ */

static void arm_timer(struct stint_kube_call *call)
{
	int64_t next_ms = call->deadline_ms;
	if (call->state == CALL_BACKOFF && call->backoff_until_ms < next_ms) {
		next_ms = call->backoff_until_ms;
	}
	if (call->state == CALL_ACTIVE && call->request.idle_timeout_ms > 0) {
		int64_t idle_ms = call->last_activity_ms + call->request.idle_timeout_ms;
		next_ms = idle_ms < next_ms ? idle_ms : next_ms;
	}
	if (next_ms == INT64_MAX) {
		stint_timer_stop(call->timer);
		return;
	}
	int64_t delay_ms = next_ms - stint_monotonic_ms();
	stint_timer_set(call->timer, delay_ms > 0 ? delay_ms : 0);
}

static int status_of(const struct stint_kube_call *call)
{
	long status = 0;
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	return (int)status;
}

static void fail_timeout(struct stint_kube_call *call, int status, int64_t waited_ms, const char *what)
{
	stint_auto_error *error = NULL;
	stint_fail(&error, STINT_TIMEOUT, "%s %s: %s %s %lld.%lld s", call->method, call->target, call->kube->config->server, what,
		(long long)(waited_ms / 1000), (long long)(waited_ms % 1000 / 100));
	end_call(call, status, stint_steal(&error));
}

static void timer_due(void *user)
{
	struct stint_kube_call *call = user;
	struct stint_kube *kube = call->kube;
	int64_t now_ms = stint_monotonic_ms();
	kube_enter(kube);
	if (now_ms >= call->deadline_ms) {
		fail_timeout(call, 0, call->request.timeout_ms, "did not answer within");
	} else if (call->state == CALL_BACKOFF && now_ms >= call->backoff_until_ms) {
		begin_attempt(call);
	} else if (call->state == CALL_ACTIVE && call->request.idle_timeout_ms > 0 &&
		now_ms >= call->last_activity_ms + call->request.idle_timeout_ms) {
		fail_timeout(call, call->head_whole ? status_of(call) : 0, call->request.idle_timeout_ms, "was silent for");
	} else {
		arm_timer(call);
	}
	kube_leave(kube);
}

/* ---- what arrives ---------------------------------------------------------------------------------------------------------- */

static bool succeeded(int status)
{
	return status >= 200 && status < 300;
}

static bool gather(struct stint_kube_call *call, bool success, const char *data, size_t length)
{
	size_t limit = success ? call->request.max_body_bytes : MAX_ERROR_BODY_BYTES;
	if (length > limit - call->answer.length) {
		call->abort = success ? ABORT_TOO_LARGE : ABORT_NONE;
		return !success; /* an error page may be cut; an object may not */
	}
	stint_buf_add(&call->answer, data, length);
	return true;
}

/* Runs inside curl. */
static size_t on_body(char *data, size_t size, size_t count, void *user)
{
	struct stint_kube_call *call = user;
	size_t length = size * count;
	if (call->cancelled || call->kube->dead) {
		return 0;
	}
	call->last_activity_ms = stint_monotonic_ms();
	call->received_bytes += length;
	bool success = succeeded(status_of(call));
	if (!success || !call->request.on_data) {
		return gather(call, success, data, length) ? length : 0;
	}
	call->delivered = true;
	if (!call->request.on_data(call->request.user, data, length)) {
		call->abort = ABORT_CONSUMER;
		return 0;
	}
	return length;
}

/* Warning: 299 - "policy/v1beta1 is deprecated": what the server wants a person to know about the request. */
static void pass_warning(const struct stint_kube_call *call, const char *line, size_t length)
{
	static const char name[] = "warning:";
	const char *open = length > sizeof(name) && strncasecmp(line, name, sizeof(name) - 1) == 0 ? memchr(line, '"', length) : NULL;
	const char *close = open ? memrchr(line, '"', length) : NULL;
	if (close && close > open + 1) {
		stint_autofree char *text = stint_strndup(open + 1, (size_t)(close - open - 1));
		stint_sanitize(text);
		stint_log(call->kube->logger, STINT_LOG_WARN, "%s", text);
	}
}

static size_t on_header(char *data, size_t size, size_t count, void *user)
{
	struct stint_kube_call *call = user;
	size_t length = size * count;
	call->last_activity_ms = stint_monotonic_ms();
	/* A header begins anew with each answer (100 Continue, a proxy's), and lines of a trailer come after its end. */
	bool begins = length >= 5 && memcmp(data, "HTTP/", 5) == 0;
	call->head_whole = (call->head_whole && !begins) || (length == 2 && memcmp(data, "\r\n", 2) == 0);
	pass_warning(call, data, length);
	return length;
}

/* Seconds of a Retry-After header, in milliseconds; -1 without one. The form with a date is not used by Kubernetes. */
static int64_t retry_after_ms(const struct stint_kube_call *call)
{
	struct curl_header *header = NULL;
	int64_t seconds = 0;
	if (curl_easy_header(call->easy, "Retry-After", 0, CURLH_HEADER, -1, &header) != CURLHE_OK ||
		!stint_parse_int(header->value, 0, 24 * 3600, &seconds)) {
		return -1;
	}
	return seconds * 1000;
}

static struct stint_error *error_of(const struct stint_kube_call *call, CURLcode result, int status)
{
	struct stint_error *error = NULL;
	if (call->abort == ABORT_CONSUMER) {
		stint_fail(&error, STINT_FAILED, "%s %s: the answer could not be used and was broken off", call->method, call->target);
	} else if (call->abort == ABORT_TOO_LARGE) {
		stint_fail(&error, STINT_FAILED, "%s %s: the answer is larger than %zu bytes", call->method, call->target,
			call->request.max_body_bytes);
	} else if (result != CURLE_OK) {
		kube_curl_error(call->kube, call->easy, result, call->details, &error);
	} else {
		stint_kube_status_error(&error, status, call->answer.data ? call->answer.data : "", call->answer.length);
		kube_explain_absent(&error, call->target);
		int64_t wait_ms = retry_after_ms(call);
		error->retry_after_ms = wait_ms >= 0 ? wait_ms : error->retry_after_ms;
	}
	return error;
}

/*
 * Runs inside curl, when the connection stands and nothing has been sent on it. A second time in one attempt means that a connection that
 * had been used before broke off without a byte of an answer: curl would send the request again, though it may have been carried out.
 */
static int on_connected(void *user, char *address, char *local_address, int port, int local_port)
{
	(void)address;
	(void)local_address;
	(void)port;
	(void)local_port;
	struct stint_kube_call *call = user;
	kube_admission_connected(call);
	call->kept_from_resending = call->sent && !kube_call_is_idempotent(call);
	call->sent = true;
	if (call->kept_from_resending) {
		return CURL_PREREQFUNC_ABORT;
	}
	return CURL_PREREQFUNC_OK;
}

/* Runs outside of curl. */
static void transfer_finished(struct kube_transfer *transfer, CURLcode result)
{
	struct stint_kube_call *call = (struct stint_kube_call *)transfer;
	if (call->cancelled) {
		stint_kube_call_cancel(call);
		return;
	}
	int status = status_of(call);
	if (call->kept_from_resending) {
		result = CURLE_GOT_NOTHING;
		call->details[0] = '\0';
	} else if (result == CURLE_OK && !call->head_whole) {
		result = CURLE_PARTIAL_FILE;
	}
	if (result == CURLE_OK && succeeded(status)) {
		end_call(call, status, NULL);
		return;
	}
	stint_auto_error *error = error_of(call, result, status);
	if (result != CURLE_OK) {
		kube_admission_failed(call, result);
	}
	bool renew =
		result == CURLE_OK && status == 401 && !call->renewed && kube_credentials_refused(call->kube->credentials, call->identity);
	int64_t wait_ms = 0;
	bool repeat = renew || kube_call_may_repeat(call, result, error, &wait_ms);
	if (!repeat || stint_monotonic_ms() >= call->deadline_ms - wait_ms) {
		end_call(call, status, stint_steal(&error));
		return;
	}
	stint_log(call->kube->logger, STINT_LOG_DEBUG, "%s %s: %s; again in %lld ms", call->method, call->target, error->message,
		(long long)wait_ms);
	trace_end(call, status);
	leave_curl(call);
	stint_buf_reset(&call->answer);
	if (renew) {
		call->renewed = true;
		begin_attempt(call);
		return;
	}
	call->state = CALL_BACKOFF;
	call->backoff_until_ms = stint_monotonic_ms() + wait_ms;
	arm_timer(call);
}

/* ---- an attempt ------------------------------------------------------------------------------------------------------------ */

#define SET(option, value) \
	(curl_easy_setopt(call->easy, option, value) == CURLE_OK || stint_fail(err, STINT_FAILED, "libcurl does not take %s", #option))

static bool set_method(struct stint_kube_call *call, struct stint_error **err)
{
	const struct stint_kube_request *request = &call->request;
	if (strcmp(call->method, "HEAD") == 0) {
		return SET(CURLOPT_NOBODY, 1L);
	}
	if (strcmp(call->method, "GET") == 0) {
		return SET(CURLOPT_HTTPGET, 1L);
	}
	if (request->body_length == 0 && strcmp(call->method, "DELETE") == 0) {
		return SET(CURLOPT_CUSTOMREQUEST, call->method);
	}
	return SET(CURLOPT_POST, 1L) && SET(CURLOPT_POSTFIELDS, call->body ? call->body : "") &&
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length) && SET(CURLOPT_CUSTOMREQUEST, call->method);
}

static void add_token_header(struct stint_kube_call *call)
{
	static const char bearer[] = "Authorization: Bearer ";
	const char *authorization = call->identity ? call->identity->authorization : NULL;
	if (!call->token_header || !authorization || strncmp(authorization, bearer, sizeof(bearer) - 1) != 0) {
		return;
	}
	char *line = stint_format("%s: %s", call->token_header, authorization + sizeof(bearer) - 1);
	kube_header_add(&call->headers, line);
	kube_wipe_free(line);
}

static void set_headers(struct stint_kube_call *call)
{
	kube_headers_add_identity(call->kube, call->identity, &call->headers);
	add_token_header(call);
	stint_autofree char *accept = stint_format("Accept: %s", call->accept);
	kube_header_add(&call->headers, accept);
	if (call->request.body_length) {
		stint_autofree char *content_type = stint_format("Content-Type: %s", call->content_type);
		kube_header_add(&call->headers, content_type);
	}
	kube_header_add(&call->headers, "Expect:"); /* no round trip before a body */
}

static bool start_transfer(struct stint_kube_call *call, struct stint_error **err)
{
	bool gzip = !call->request.no_gzip && !call->kube->config->disable_compression;
	call->easy = kube_easy_new(call->kube, call->identity, call->target, err);
	if (!call->easy) {
		return false;
	}
	set_headers(call);
	return SET(CURLOPT_HTTPHEADER, call->headers) && SET(CURLOPT_ERRORBUFFER, call->details) && SET(CURLOPT_WRITEFUNCTION, on_body) &&
		SET(CURLOPT_WRITEDATA, call) && SET(CURLOPT_HEADERFUNCTION, on_header) && SET(CURLOPT_HEADERDATA, call) &&
		SET(CURLOPT_PREREQFUNCTION, on_connected) && SET(CURLOPT_PREREQDATA, call) &&
		(!gzip || SET(CURLOPT_ACCEPT_ENCODING, "gzip")) && set_method(call, err) &&
		kube_transfer_start(call->kube, call->easy, &call->transfer, err);
}

void kube_call_activate(struct stint_kube_call *call)
{
	stint_auto_error *error = NULL;
	call->state = CALL_ACTIVE;
	call->last_activity_ms = call->since_ms = stint_monotonic_ms();
	call->received_bytes = 0;
	call->details[0] = '\0';
	call->head_whole = call->sent = call->kept_from_resending = false;
	kube_trace_sent(call->kube, call->method, call->target);
	if (!start_transfer(call, &error)) {
		fail_soon(call, stint_steal(&error));
		return;
	}
	arm_timer(call);
}

static void identity_ready(void *user, struct kube_identity *identity, const struct stint_error *problem)
{
	struct stint_kube_call *call = user;
	stint_auto_error *error = NULL;
	if (!identity) {
		stint_fail(&error, problem->code, "%s", problem->message);
		fail_soon(call, stint_steal(&error));
		return;
	}
	call->identity = kube_identity_hold(identity);
	kube_admission_enter(call);
}

static void begin_attempt(struct stint_kube_call *call)
{
	call->state = CALL_IDENTITY;
	arm_timer(call);
	call->waiter = (struct kube_identity_waiter){.ready = identity_ready, .user = call};
	kube_credentials_get(call->kube->credentials, &call->waiter);
}

/* What was put off to a turn of its own. */
static void step(void *user)
{
	struct stint_kube_call *call = user;
	if (call->cancelled) {
		stint_kube_call_cancel(call);
	} else if (call->problem) {
		end_call(call, 0, stint_steal(&call->problem));
	} else if (call->state == CALL_NEW) {
		begin_attempt(call);
	}
}

/* ---- start ----------------------------------------------------------------------------------------------------------------- */

void kube_body_free(char *body, size_t length)
{
	if (body) {
		explicit_bzero(body, length); /* a Secret or a TokenReview may be in it */
		free(body);
	}
}

void kube_request_target(struct stint_buf *out, const struct stint_kube_request *request)
{
	if (request->resource) {
		stint_kube_path(out, request->resource, request->namespace_, request->name, request->subresource);
	} else {
		stint_buf_puts(out, request->path);
	}
	char separator = '?';
	for (const struct stint_kube_query *pair = request->query; pair && pair->name; pair++) {
		if (pair->value) {
			stint_buf_putc(out, separator);
			stint_kube_escape(out, pair->name);
			stint_buf_putc(out, '=');
			stint_kube_escape(out, pair->value);
			separator = '&';
		}
	}
}

struct stint_kube_call *stint_kube_call_start(struct stint_kube *kube, const struct stint_kube_request *request)
{
	struct stint_kube_call *call = stint_alloc(sizeof(*call));
	struct stint_buf target = {0};
	kube_request_target(&target, request);
	call->kube = kube;
	call->request = *request;
	call->request.max_body_bytes = request->max_body_bytes ? request->max_body_bytes : default_max_body_bytes;
	call->request.timeout_ms = request->timeout_ms ? request->timeout_ms : kube->timeout_ms;
	call->method = stint_strdup(request->method ? request->method : "GET");
	call->target = stint_buf_steal(&target);
	call->content_type = stint_strdup(request->content_type ? request->content_type : "application/json");
	call->accept = stint_strdup(request->accept ? request->accept : "application/json");
	call->token_header = stint_strdup(request->token_header);
	call->eviction = request->subresource && strcmp(request->subresource, "eviction") == 0;
	if (request->body_length) {
		call->body = stint_alloc(request->body_length);
		memcpy(call->body, request->body, request->body_length);
	}
	call->transfer.finished = transfer_finished;
	call->step = (struct kube_deferred){.run = step, .user = call};
	call->timer = stint_timer_new(kube->loop, timer_due, call);
	call->deadline_ms = call->request.timeout_ms < 0 ? INT64_MAX : stint_monotonic_ms() + call->request.timeout_ms;
	call->after = kube->calls;
	if (kube->calls) {
		kube->calls->before = call;
	}
	kube->calls = call;
	kube_defer(kube, &call->step);
	return call;
}

void stint_kube_response_free(struct stint_kube_response *response)
{
	stint_buf_free(&response->body);
	stint_error_free(response->error);
	response->error = NULL;
}
