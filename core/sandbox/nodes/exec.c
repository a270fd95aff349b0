/*
 * exec: the hooks for exec and attach. A session joins a WebSocket connection, the pod it is about, and (for exec) a shell; it ends
 * with whichever ends first. Channels as the kubelet has them: 0 stdin, 1 stdout, 2 stderr, 3 the final Status, 4 terminal sizes.
 */
#include <stdlib.h>
#include <string.h>

#include "core/sandbox/nodes/channels.h"
#include "core/sandbox/nodes/environment.h"
#include "core/sandbox/nodes/fleet.h"
#include "core/sandbox/nodes/logs.h"
#include "core/sandbox/nodes/shell.h"
#include "core/sandbox/nodes/target.h"

enum { STDIN, STDOUT, STDERR, STATUS };
enum { MAX_WORDS = 4096, INPUT_HIGH_WATER = 256 * 1024 };

struct session {
	struct fleet *fleet;
	struct channels *channels; /* NULL before it is open */
	struct vpod *pod; /* NULL once it has gone */
	size_t box;
	int64_t started_ms; /* of the run of the container that it belongs to */
	struct vwaiter waiter;
	struct stint_timer *timer;
	struct shell *shell; /* NULL: attach */
	bool wants_out, wants_error, wants_in, tty;
	struct stint_buf greeting; /* attach: the log so far */
};

static void send(struct session *session, unsigned channel, const void *data, size_t length)
{
	if (length > 0)
		channels_send(session->channels, channel, data, length);
}

static void send_status(struct session *session, int exit_code)
{
	stint_auto_json *status = stint_json_new_object();
	stint_json_set(status, "metadata", stint_json_new_object());
	stint_json_set_string(status, "status", exit_code == 0 ? "Success" : "Failure");
	if (exit_code != 0) {
		stint_autofree char *message = stint_format("command terminated with non-zero exit code: exit status %d", exit_code);
		stint_autofree char *code = stint_format("%d", exit_code);
		stint_json_set_string(status, "message", message);
		stint_json_set_string(status, "reason", "NonZeroExitCode");
		struct stint_json *causes = stint_json_ensure_array(stint_json_ensure_object(status, "details"), "causes");
		struct stint_json *cause = stint_json_append(causes, stint_json_new_object());
		stint_json_set_string(cause, "reason", "ExitCode");
		stint_json_set_string(cause, "message", code);
	}
	stint_autofree char *text = stint_json_print(status);
	channels_send(session->channels, STATUS, text, strlen(text));
	channels_finish(session->channels);
}

static bool container_runs(const struct session *session)
{
	if (!session->pod || session->pod->play->ended)
		return false;
	const struct play_box *box = &session->pod->play->boxes[session->box];
	return box->state == PLAY_RUNNING && box->run.started_ms == session->started_ms;
}

static void run_shell(struct session *session)
{
	if (channels_queued(session->channels) > CHANNELS_HIGH_WATER) {
		channels_pause(session->channels, true); /* input is kept in the socket, not here; on_drained comes back */
		return;
	}
	stint_auto_buf out = {0}, error = {0};
	int64_t wake_ms = -1;
	enum shell_state state = shell_run(session->shell, stint_monotonic_ms(), &out, &error, &wake_ms);
	if (session->wants_out)
		send(session, STDOUT, out.data, out.length);
	if (session->wants_error)
		send(session, STDERR, error.data, error.length);
	channels_pause(session->channels, shell_input_waiting(session->shell) > INPUT_HIGH_WATER);
	stint_timer_stop(session->timer);
	if (state == SHELL_ENDED)
		send_status(session, shell_exit_code(session->shell));
	else if (state == SHELL_BUSY)
		stint_timer_set(session->timer, 0);
	else if (state == SHELL_SLEEPS && wake_ms >= 0) {
		int64_t delay_ms = wake_ms - stint_monotonic_ms();
		stint_timer_set(session->timer, delay_ms > 0 ? delay_ms : 0);
	}
}

static void go_on(struct session *session)
{
	if (!session->channels)
		return;
	if (!container_runs(session)) {
		/* The shell dies with its container; an attach has seen its end. */
		send_status(session, session->shell ? PLAY_KILLED : 0);
		return;
	}
	if (session->shell)
		run_shell(session);
}

static void on_timer(void *user)
{
	go_on(user);
}

static void on_pod(void *user, bool gone)
{
	struct session *session = user;
	if (gone)
		session->pod = NULL;
	if (!container_runs(session))
		go_on(session);
}

static void on_open(void *user, struct channels *channels)
{
	struct session *session = user;
	session->channels = channels;
	/* An empty message tells the client that the streams are there. */
	channels_send(channels, session->wants_out ? STDOUT : STATUS, "", 0);
	if (session->wants_out)
		send(session, STDOUT, session->greeting.data, session->greeting.length);
	go_on(session);
}

static void echo_input(struct session *session, const char *data, size_t length)
{
	if (!session->wants_out)
		return;
	if (!session->tty) {
		send(session, STDOUT, data, length);
		return;
	}
	stint_auto_buf text = {0};
	for (size_t i = 0; i < length; i++) {
		if (data[i] == '\r' || data[i] == '\n')
			stint_buf_puts(&text, "\r\n");
		else
			stint_buf_putc(&text, data[i]);
	}
	send(session, STDOUT, text.data, text.length);
}

static void on_data(void *user, unsigned channel, const void *data, size_t length)
{
	struct session *session = user;
	if (channel != STDIN || !session->wants_in)
		return;
	if (session->shell) {
		shell_input(session->shell, data, length);
		go_on(session);
	} else {
		echo_input(session, data, length);
		channels_pause(session->channels, channels_queued(session->channels) > CHANNELS_HIGH_WATER);
	}
}

static void on_end(void *user, unsigned channel)
{
	struct session *session = user;
	if (channel != STDIN || !session->shell)
		return;
	shell_input_end(session->shell);
	go_on(session);
}

static void on_drained(void *user)
{
	struct session *session = user;
	if (session->shell)
		go_on(session);
	else
		channels_pause(session->channels, false);
}

static void on_gone(void *user)
{
	struct session *session = user;
	fleet_unwait(&session->waiter);
	stint_timer_free(session->timer);
	shell_free(session->shell);
	stint_buf_free(&session->greeting);
	free(session);
}

static struct session *session_new(struct fleet *fleet, struct stint_httpd_request *request, const struct target *target)
{
	struct session *session = stint_alloc(sizeof(*session));
	session->fleet = fleet;
	session->pod = target->pod;
	session->box = target->box;
	session->started_ms = target->pod->play->boxes[target->box].run.started_ms;
	session->wants_in = target_flag(request, "stdin");
	session->wants_out = target_flag(request, "stdout");
	session->tty = target_flag(request, "tty");
	session->wants_error = target_flag(request, "stderr") && !session->tty;
	session->waiter = (struct vwaiter){.on_change = on_pod, .user = session};
	session->timer = stint_timer_new(fleet->api->loop, on_timer, session);
	fleet_wait(target->pod, &session->waiter);
	return session;
}

static void session_accept(struct session *session, struct stint_httpd_request *request)
{
	static const char *const protocols[] = {"v5.channel.k8s.io", "v4.channel.k8s.io", NULL};
	static const struct channel_hooks hooks = {
		.on_open = on_open, .on_data = on_data, .on_end = on_end, .on_drained = on_drained, .on_gone = on_gone};
	if (!channels_accept(session->fleet->streams, request, protocols, &hooks, session))
		on_gone(session);
}

/* The words of the query's `command` parameters, NULL-ended; NULL: none, or too many. */
static char **read_command(const struct stint_httpd_request *request)
{
	char **words = NULL;
	size_t count = 0, capacity = 0;
	const char *name = NULL, *value = NULL;
	for (size_t at = 0; stint_httpd_query_next(request, &at, &name, &value);) {
		if (strcmp(name, "command") != 0)
			continue;
		if (count == MAX_WORDS) {
			stint_strings_free(words);
			return NULL;
		}
		stint_grow(&words, &capacity, count + 2, sizeof(char *));
		words[count++] = stint_strdup(value ? value : "");
		words[count] = NULL;
	}
	return words;
}

static bool wants_streams(struct stint_httpd_request *request)
{
	if (target_flag(request, "stdin") || target_flag(request, "stdout") || target_flag(request, "stderr"))
		return true;
	stint_api_reply_status(
		request, stint_status_new(400, "BadRequest", NULL, NULL, NULL, "you must specify at least 1 of stdin, stdout, stderr"));
	return false;
}

void fleet_exec(void *user, const struct stint_stored *stored, struct stint_httpd_request *request)
{
	struct fleet *fleet = user;
	stint_auto_json *object = stint_stored_parse(stored);
	struct target target;
	if (!wants_streams(request) || !target_find_running(fleet, stored, object, request, &target))
		return;
	char **words = read_command(request);
	if (!words) {
		stint_api_reply_status(
			request, stint_status_new(400, "BadRequest", NULL, NULL, NULL, "you must specify a command of at most 4096 words"));
		return;
	}
	stint_auto_json *env = environment_of(fleet->api, object, target.container);
	struct session *session = session_new(fleet, request, &target);
	if (session->tty)
		stint_json_set_string(env, "TERM", "xterm");
	const struct shell_options options = {.argv = words, .env = env, .has_stdin = session->wants_in, .tty = session->tty};
	session->shell = shell_new(&options);
	stint_strings_free(words);
	session_accept(session, request);
}

void fleet_attach(void *user, const struct stint_stored *stored, struct stint_httpd_request *request)
{
	struct fleet *fleet = user;
	stint_auto_json *object = stint_stored_parse(stored);
	struct target target;
	if (!wants_streams(request) || !target_find_running(fleet, stored, object, request, &target))
		return;
	struct session *session = session_new(fleet, request, &target);
	const struct log_options all = {.tail_lines = -1, .limit_bytes = -1, .since_ms = INT64_MIN};
	const struct play_box *box = &target.pod->play->boxes[target.box];
	log_write(stint_json_string_at(object, "metadata", "annotations", "sim/log"), &box->run, &all, &session->greeting);
	session_accept(session, request);
}
