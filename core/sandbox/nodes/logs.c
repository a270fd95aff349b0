/*
 * logs: see logs.h, and the hook that answers pods/log. A log that is followed ends with the container's run or with the pod.
 */
#include "core/sandbox/nodes/logs.h"

#include <stdlib.h>
#include <string.h>

#include "core/sandbox/nodes/fleet.h"
#include "core/sandbox/nodes/target.h"

/* ---- the text -------------------------------------------------------------------------------------------------------------- */

static size_t count_lines(const char *lines)
{
	size_t count = 0;
	for (const char *at = lines; *at;) {
		const char *end = strchrnul(at, '\n');
		count++;
		at = *end ? end + 1 : end;
	}
	return count;
}

void log_write(const char *lines, const struct play_run *run, const struct log_options *options, struct stint_buf *out)
{
	if (!lines || run->started_ms < 0 || run->started_ms < options->since_ms)
		return;
	size_t skip = 0, count = count_lines(lines);
	if (options->tail_lines >= 0 && (size_t)options->tail_lines < count)
		skip = count - (size_t)options->tail_lines;
	size_t before = out->length;
	char stamp[STINT_TIME_SIZE];
	stint_time_format_micro(run->started_ms * 1000, stamp);
	for (const char *at = lines; *at;) {
		const char *end = strchrnul(at, '\n');
		if (skip > 0) {
			skip--;
		} else {
			if (options->timestamps)
				stint_buf_printf(out, "%s ", stamp);
			stint_buf_add(out, at, (size_t)(end - at));
			stint_buf_putc(out, '\n');
		}
		at = *end ? end + 1 : end;
	}
	if (options->limit_bytes >= 0 && out->length - before > (size_t)options->limit_bytes)
		out->length = before + (size_t)options->limit_bytes;
}

/* ---- the request ----------------------------------------------------------------------------------------------------------- */

static bool read_number(struct stint_httpd_request *request, const char *key, int64_t low, int64_t *out, struct stint_json *causes)
{
	const char *text = stint_httpd_query(request, key);
	if (!text)
		return true;
	if (stint_parse_int(text, low, INT64_MAX / 1000, out))
		return true;
	stint_cause_add(
		causes, "FieldValueInvalid", key, "Invalid value: \"%.64s\": must be greater than or equal to %lld", text, (long long)low);
	return false;
}

/* PodLogOptions as the API server validates them; false: the request has been answered. */
static bool read_options(struct stint_httpd_request *request, struct log_options *options)
{
	*options = (struct log_options){.tail_lines = -1, .limit_bytes = -1, .since_ms = INT64_MIN};
	struct stint_json *causes = stint_json_new_array();
	int64_t since_s = -1;
	read_number(request, "tailLines", 0, &options->tail_lines, causes);
	read_number(request, "limitBytes", 1, &options->limit_bytes, causes);
	read_number(request, "sinceSeconds", 1, &since_s, causes);
	if (since_s >= 0)
		options->since_ms = stint_now_ms() - since_s * 1000;
	const char *since = stint_httpd_query(request, "sinceTime");
	if (since && since_s >= 0)
		stint_cause_add(causes, "FieldValueForbidden", "sinceTime",
			"Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified");
	else if (since && !stint_time_parse(since, strlen(since), &options->since_ms))
		stint_cause_add(causes, "FieldValueInvalid", "sinceTime", "Invalid value: \"%.64s\": not a time", since);
	options->timestamps = target_flag(request, "timestamps");
	if (stint_json_count(causes) == 0) {
		stint_json_free(causes);
		return true;
	}
	stint_api_reply_status(
		request, stint_status_new(422, "Invalid", NULL, NULL, causes, "PodLogOptions is invalid: an option has a wrong value"));
	return false;
}

/* ---- following ------------------------------------------------------------------------------------------------------------- */

struct follower {
	struct stint_httpd_request *request;
	struct stint_buf text;
	size_t sent;
	struct vpod *pod; /* NULL once it has gone */
	size_t box;
	int64_t started_ms; /* which run is followed */
	struct vwaiter waiter;
};

static bool run_goes_on(const struct follower *follower)
{
	if (!follower->pod)
		return false;
	const struct play_box *box = &follower->pod->play->boxes[follower->box];
	return !follower->pod->play->ended && box->state == PLAY_RUNNING && box->run.started_ms == follower->started_ms;
}

static void on_change(void *user, bool gone)
{
	struct follower *follower = user;
	if (gone)
		follower->pod = NULL;
	if (!run_goes_on(follower))
		stint_httpd_wake(follower->request);
}

static ssize_t follower_read(void *user, char *out, size_t room)
{
	struct follower *follower = user;
	size_t left = follower->text.length - follower->sent;
	if (left == 0)
		return run_goes_on(follower) ? STINT_HTTPD_WAIT : STINT_HTTPD_END;
	if (left > room)
		left = room;
	memcpy(out, follower->text.data + follower->sent, left);
	follower->sent += left;
	return (ssize_t)left;
}

static void follower_close(void *user)
{
	struct follower *follower = user;
	fleet_unwait(&follower->waiter);
	stint_buf_free(&follower->text);
	free(follower);
}

static void follow(struct stint_httpd_request *request, struct vpod *pod, size_t box, struct stint_buf *text)
{
	struct follower *follower = stint_alloc(sizeof(*follower));
	*follower = (struct follower){
		.request = request, .text = *text, .pod = pod, .box = box, .started_ms = pod->play->boxes[box].run.started_ms};
	*text = (struct stint_buf){0};
	follower->waiter = (struct vwaiter){.on_change = on_change, .user = follower};
	fleet_wait(pod, &follower->waiter);
	const struct stint_httpd_response response = {.status = 200, .content_type = "text/plain"};
	const struct stint_httpd_source source = {.read = follower_read, .close = follower_close, .user = follower, .length = -1};
	stint_httpd_reply_stream(request, &response, &source);
}

void fleet_log(void *user, const struct stint_stored *stored, struct stint_httpd_request *request)
{
	struct fleet *fleet = user;
	stint_auto_json *object = stint_stored_parse(stored);
	struct log_options options;
	struct target target;
	if (!read_options(request, &options))
		return;
	if (!stint_json_string_at(object, "spec", "nodeName")) {
		const struct stint_httpd_response none = {.status = 204};
		stint_httpd_reply(request, &none, NULL, 0);
		return;
	}
	if (!target_find(fleet, stored, object, request, &target))
		return;
	const struct play_box *box = &target.pod->play->boxes[target.box];
	const struct play_run *run = &box->run;
	if (target_flag(request, "previous")) {
		/* While a crashed container waits for its next start, its last run is still the current one. */
		run = &box->previous;
		if (run->started_ms < 0) {
			stint_api_reply_status(request,
				stint_status_new(400, "BadRequest", NULL, NULL, NULL,
					"previous terminated container \"%s\" in pod \"%s\" not found", target.container, stored->name));
			return;
		}
	} else if (run->started_ms < 0) {
		stint_api_reply_status(request,
			stint_status_new(400, "BadRequest", NULL, NULL, NULL, "container \"%s\" in pod \"%s\" is waiting to start: %s",
				target.container, stored->name, "ContainerCreating"));
		return;
	}
	stint_auto_buf text = {0};
	log_write(box->init ? NULL : stint_json_string_at(object, "metadata", "annotations", "sim/log"), run, &options, &text);
	if (target_flag(request, "follow") && run == &box->run) {
		follow(request, target.pod, target.box, &text);
		return;
	}
	const struct stint_httpd_response response = {.status = 200, .content_type = "text/plain"};
	stint_httpd_reply(request, &response, text.data, text.length);
}
