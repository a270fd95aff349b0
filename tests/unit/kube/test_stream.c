/* kube: WebSocket streams against a server of our own that speaks channels, and the opening handshake by itself. */
#include <stint/kube.h>
#include <wslay/wslay.h>

#include "core/kube/websocket.h"
#include "tests/unit/kube/fake_server.h"

struct fixture {
	struct fake_api api;
	struct stint_kube_stream *stream;
	/* the client's side */
	bool opened, closed, writable, free_in_data;
	int exit_code, data_calls;
	enum stint_code code;
	char message[256];
	struct stint_buf out, errors;
	/* the server's side */
	const char *protocol; /* that it chooses */
	char target[512];
	wslay_event_context_ptr ws;
	struct fake_connection *peer;
	struct stint_buf heard; /* "channel:data|" of each message */
	size_t heard_bytes;
	void (*on_message)(struct fixture *f, const uint8_t *data, size_t length);
};

/* ---- the server ------------------------------------------------------------------------------------------------------------- */

static ssize_t server_receive(wslay_event_context_ptr ws, uint8_t *out, size_t length, int flags, void *user)
{
	(void)flags;
	struct fixture *f = user;
	if (f->peer->in.length == 0) {
		wslay_event_set_error(ws, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	size_t got = f->peer->in.length < length ? f->peer->in.length : length;
	memcpy(out, f->peer->in.data, got);
	stint_buf_consume(&f->peer->in, got);
	return (ssize_t)got;
}

static ssize_t server_send(wslay_event_context_ptr ws, const uint8_t *data, size_t length, int flags, void *user)
{
	(void)ws;
	(void)flags;
	struct fixture *f = user;
	fake_send(f->peer, data, length);
	return (ssize_t)length;
}

static void server_message(wslay_event_context_ptr ws, const struct wslay_event_on_msg_recv_arg *message, void *user)
{
	(void)ws;
	struct fixture *f = user;
	if (message->opcode != WSLAY_BINARY_FRAME)
		return;
	f->heard_bytes += message->msg_length - 1;
	if (f->heard_bytes < 1000)
		stint_buf_printf(&f->heard, "%u:%.*s|", message->msg[0], message->msg[0] == 255 ? 0 : (int)message->msg_length - 1,
			(const char *)message->msg + 1);
	if (f->on_message)
		f->on_message(f, message->msg, message->msg_length);
}

static void say(struct fixture *f, int channel, const char *data, size_t length)
{
	stint_auto_buf message = {0};
	stint_buf_putc(&message, (char)channel);
	stint_buf_add(&message, data, length);
	const struct wslay_event_msg queued = {
		.opcode = WSLAY_BINARY_FRAME, .msg = (const uint8_t *)message.data, .msg_length = message.length};
	wslay_event_queue_msg(f->ws, &queued);
	wslay_event_send(f->ws);
}

static void say_text(struct fixture *f, int channel, const char *text)
{
	say(f, channel, text, strlen(text));
}

static void say_goodbye(struct fixture *f)
{
	wslay_event_queue_close(f->ws, WSLAY_CODE_NORMAL_CLOSURE, NULL, 0);
	wslay_event_send(f->ws);
}

static void peer_bytes(struct fake_connection *connection)
{
	struct fixture *f = connection->server->user;
	wslay_event_recv(f->ws);
	if (!connection->gone)
		wslay_event_send(f->ws);
	if (!connection->gone && !wslay_event_want_read(f->ws) && !wslay_event_want_write(f->ws))
		fake_hang_up(connection);
}

static void upgrade(struct fake_connection *connection, const struct fake_request *request)
{
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = server_receive, .send_callback = server_send, .on_msg_recv_callback = server_message};
	struct fixture *f = connection->server->user;
	stint_autofree char *key = fake_header(request, "Sec-WebSocket-Key");
	stint_autofree char *accept = kube_websocket_accept(key);
	snprintf(f->target, sizeof(f->target), "%s", request->target);
	f->peer = connection;
	wslay_event_context_server_init(&f->ws, &callbacks, f);
	connection->take = peer_bytes;
	stint_autofree char *answer =
		stint_format("HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
			     "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: %s\r\n\r\n",
			accept, f->protocol);
	fake_send(connection, answer, strlen(answer));
}

/* ---- the client ------------------------------------------------------------------------------------------------------------- */

static void on_open(void *user)
{
	struct fixture *f = user;
	f->opened = true;
}

static void on_data(void *user, enum stint_kube_channel channel, const char *data, size_t length)
{
	struct fixture *f = user;
	f->data_calls++;
	stint_buf_add(channel == STINT_KUBE_STDERR || (f->target[0] && strstr(f->target, "portforward") && channel == STINT_KUBE_PORT_ERROR)
			? &f->errors
			: &f->out,
		data, length);
	if (f->free_in_data) {
		stint_kube_stream_free(f->stream);
		f->stream = NULL;
		f->closed = true;
	}
}

static void on_writable(void *user)
{
	struct fixture *f = user;
	f->writable = true;
}

static void on_close(void *user, int exit_code, const struct stint_error *problem)
{
	struct fixture *f = user;
	assert_false(f->closed);
	f->closed = true;
	f->exit_code = exit_code;
	f->code = problem ? problem->code : STINT_OK;
	snprintf(f->message, sizeof(f->message), "%s", problem ? problem->message : "");
}

static int set_up(void **state)
{
	struct fixture *f = stint_alloc(sizeof(*f));
	f->protocol = "v5.channel.k8s.io";
	fake_api_open(&f->api, upgrade, f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	stint_kube_stream_free(f->stream);
	if (f->ws)
		wslay_event_context_free(f->ws);
	fake_api_close(&f->api);
	stint_buf_free(&f->out);
	stint_buf_free(&f->errors);
	stint_buf_free(&f->heard);
	free(f);
	return 0;
}

static const char *const simple_command[] = {"sh", "-c", "a b; echo \"x\"", NULL};

static void start(struct fixture *f)
{
	const struct stint_kube_stream_handlers handlers = {on_open, on_data, on_writable, on_close, f};
	const struct stint_kube_exec exec = {.namespace_ = "n",
		.pod = "p",
		.container = "c d",
		.command = simple_command,
		.stdin_ = true,
		.stdout_ = true,
		.stderr_ = true};
	f->stream = stint_kube_exec_start(f->api.kube, &exec, &handlers);
}

static void start_open(struct fixture *f)
{
	start(f);
	run_until(f->api.loop, &f->opened);
}

static void run_until_heard(struct fixture *f, const char *text)
{
	int64_t deadline_ms = stint_monotonic_ms() + 10000;
	while (!(f->heard.data && strstr(f->heard.data, text)) && stint_monotonic_ms() < deadline_ms)
		stint_loop_step(f->api.loop, 50);
	assert_non_null(f->heard.data);
	assert_non_null(strstr(f->heard.data, text));
}

#define EXIT_CODE(code)                                                                                                                \
	"{\"status\":\"Failure\",\"reason\":\"NonZeroExitCode\",\"details\":{\"causes\":[{\"reason\":\"ExitCode\",\"message\":\"" code \
	"\"}]}}"

static void test_output_errors_and_exit_code_come_apart(void **state)
{
	struct fixture *f = *state;
	start_open(f);
	assert_string_equal(f->target,
		"/api/v1/namespaces/n/pods/p/exec?command=sh&command=-c&command=a%20b%3B%20echo%20%22x%22&container=c%20d"
		"&stdin=true&stdout=true&stderr=true&tty=false");
	say_text(f, 1, "out");
	say_text(f, 2, "err");
	say_text(f, 1, "");
	say_text(f, 1, "put");
	say_text(f, 7, "nobody");
	say_text(f, 3, EXIT_CODE("37"));
	say_goodbye(f);
	run_until(f->api.loop, &f->closed);
	assert_string_equal(f->out.data, "output");
	assert_string_equal(f->errors.data, "err");
	assert_int_equal(f->exit_code, 37);
	assert_int_equal(f->code, STINT_OK);
}

static void test_success_is_exit_code_zero(void **state)
{
	struct fixture *f = *state;
	start_open(f);
	say_text(f, 3, "{\"status\":\"Success\"}");
	say_goodbye(f);
	run_until(f->api.loop, &f->closed);
	assert_int_equal(f->exit_code, 0);
}

static void test_a_command_that_cannot_start_is_the_servers_sentence(void **state)
{
	struct fixture *f = *state;
	start_open(f);
	say_text(f, 3, "{\"status\":\"Failure\",\"reason\":\"InternalError\",\"message\":\"exec: \\\"nope\\\": not found\",\"code\":500}");
	say_goodbye(f);
	run_until(f->api.loop, &f->closed);
	assert_int_equal(f->exit_code, -1);
	assert_string_equal(f->message, "exec: \"nope\": not found");
}

static void test_a_stream_that_ends_without_status_is_lost(void **state)
{
	struct fixture *f = *state;
	start_open(f);
	say_text(f, 1, "some");
	fake_hang_up(f->peer);
	run_until(f->api.loop, &f->closed);
	assert_string_equal(f->out.data, "some");
	assert_int_equal(f->exit_code, -1);
	assert_int_equal(f->code, STINT_UNREACHABLE);
}

static void test_stdin_its_end_and_the_size_are_sent(void **state)
{
	struct fixture *f = *state;
	start(f);
	assert_int_equal(stint_kube_stream_write(f->stream, "early", 5), 0); /* not open yet: nothing is taken */
	stint_kube_stream_resize(f->stream, 80, 24);
	stint_kube_stream_resize(f->stream, 132, 50);
	run_until(f->api.loop, &f->opened);
	assert_int_equal(stint_kube_stream_write(f->stream, "hello", 5), 5);
	assert_true(stint_kube_stream_close_stdin(f->stream));
	assert_true(stint_kube_stream_close_stdin(f->stream)); /* said once */
	run_until_heard(f, "255:|");
	assert_string_equal(f->heard.data, "4:{\"Width\":132,\"Height\":50}|0:hello|255:|");
	assert_true(f->writable); /* the early write was cut short */
}

static void test_v4_is_spoken_and_cannot_close_stdin(void **state)
{
	struct fixture *f = *state;
	f->protocol = "v4.channel.k8s.io";
	start_open(f);
	assert_false(stint_kube_stream_close_stdin(f->stream));
	say_text(f, 3, EXIT_CODE("1"));
	say_goodbye(f);
	run_until(f->api.loop, &f->closed);
	assert_int_equal(f->exit_code, 1);
}

static void test_another_protocol_is_refused(void **state)
{
	struct fixture *f = *state;
	f->protocol = "channel.k8s.io";
	start(f);
	run_until(f->api.loop, &f->closed);
	assert_non_null(strstr(f->message, "neither v5 nor v4"));
}

static void refuse(struct fake_connection *connection, const struct fake_request *request)
{
	(void)request;
	fake_answer(connection, "404 Not Found", "",
		"{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"pods \\\"p\\\" not "
		"found\",\"reason\":\"NotFound\",\"code\":404}");
}

static void test_a_refusal_is_a_typed_error(void **state)
{
	struct fixture *f = *state;
	f->api.server.handle = refuse;
	start(f);
	run_until(f->api.loop, &f->closed);
	assert_int_equal(f->code, STINT_NOT_FOUND);
	assert_string_equal(f->message, "pods \"p\" not found");
}

static void test_writing_is_bounded_and_tells_when_there_is_room(void **state)
{
	struct fixture *f = *state;
	static char block[64 * 1024];
	memset(block, 'x', sizeof(block));
	start_open(f);
	size_t sent = 0;
	const size_t total = 40 * sizeof(block);
	while (sent < total) {
		size_t taken = stint_kube_stream_write(f->stream, block, sizeof(block));
		assert_true(taken <= 64 * 1024);
		sent += taken;
		if (taken < sizeof(block)) {
			f->writable = false;
			run_until(f->api.loop, &f->writable);
		}
	}
	int64_t deadline_ms = stint_monotonic_ms() + 10000;
	while (f->heard_bytes < sent && stint_monotonic_ms() < deadline_ms)
		stint_loop_step(f->api.loop, 50);
	assert_int_equal(f->heard_bytes, sent);
}

/*
 * The peer pings and reads nothing: its pongs must not pile up here, so it is not read from either; once it reads, each ping has its pong. What
 * the kernel holds in both directions is some ten MB.
 */
static void test_pongs_for_a_peer_that_does_not_read_are_bounded(void **state)
{
	struct fixture *f = *state;
	enum { PING = 2 + 125, PONG = 6 + 125, COUNT = 256, TOO_MANY_BYTES = 64 * 1024 * 1024, STUCK_MS = 300 };
	char pings[PING * COUNT] = {0};
	size_t pinged = 0, ponged = 0;
	for (size_t at = 0; at < sizeof(pings); at += PING)
		memcpy(pings + at, "\x89\x7d", 2);
	start_open(f);
	stint_fd_unwatch(f->peer->watch);
	f->peer->watch = NULL;
	for (int64_t moved_ms = stint_monotonic_ms(); stint_monotonic_ms() - moved_ms < STUCK_MS; stint_loop_step(f->api.loop, 10)) {
		const size_t begun = pinged % PING;
		const ssize_t sent = send(f->peer->fd, pings + begun, sizeof(pings) - begun, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent <= 0)
			continue;
		pinged += (size_t)sent;
		assert_true(pinged < TOO_MANY_BYTES);
		moved_ms = stint_monotonic_ms();
	}
	for (int64_t until_ms = stint_monotonic_ms() + 10000; ponged < pinged / PING * PONG && stint_monotonic_ms() < until_ms;) {
		char piece[PONG * COUNT];
		const ssize_t got = recv(f->peer->fd, piece, sizeof(piece), MSG_DONTWAIT);
		if (got > 0)
			ponged += (size_t)got;
		else
			stint_loop_step(f->api.loop, 10);
	}
	assert_int_equal(ponged, pinged / PING * PONG);
	assert_false(f->closed);
}

static void test_a_paused_stream_delivers_nothing_and_loses_nothing(void **state)
{
	struct fixture *f = *state;
	start_open(f);
	stint_kube_stream_pause(f->stream, true);
	for (int i = 0; i < 1000; i++) {
		stint_autofree char *line = stint_format("%06d\n", i);
		say_text(f, 1, line);
	}
	say_text(f, 3, EXIT_CODE("2"));
	say_goodbye(f);
	for (int i = 0; i < 20; i++)
		stint_loop_step(f->api.loop, 2);
	assert_int_equal(f->data_calls, 0);
	assert_false(f->closed);
	stint_kube_stream_pause(f->stream, false);
	run_until(f->api.loop, &f->closed);
	assert_int_equal(f->out.length, 7000);
	assert_string_equal(f->out.data + 6993, "000999\n");
	assert_int_equal(f->exit_code, 2);
}

static void test_a_stream_may_be_freed_from_its_own_data(void **state)
{
	struct fixture *f = *state;
	start_open(f);
	f->free_in_data = true;
	say_text(f, 1, "one");
	say_text(f, 1, "two");
	run_until(f->api.loop, &f->closed);
	for (int i = 0; i < 5; i++)
		stint_loop_step(f->api.loop, 2);
	assert_string_equal(f->out.data, "one");
}

static void test_a_client_may_be_freed_before_its_stream(void **state)
{
	struct fixture *f = *state;
	start_open(f);
	stint_kube_free(f->api.kube);
	f->api.kube = NULL;
	assert_int_equal(stint_kube_stream_write(f->stream, "x", 1), 0);
	stint_kube_stream_pause(f->stream, true);
	assert_false(f->closed);
}

static void test_a_port_forward_skips_the_port_and_tells_errors_apart(void **state)
{
	struct fixture *f = *state;
	f->protocol = "v4.channel.k8s.io";
	const struct stint_kube_stream_handlers handlers = {on_open, on_data, on_writable, on_close, f};
	f->stream = stint_kube_port_forward_start(f->api.kube, "n", "p", 8888, &handlers);
	run_until(f->api.loop, &f->opened);
	assert_string_equal(f->target, "/api/v1/namespaces/n/pods/p/portforward?ports=8888");
	say(f, 0, "\xb8\x22", 2);
	say(f, 1, "\xb8", 1);
	say(f, 1, "\x22", 1);
	say_text(f, 0, "pong");
	say_text(f, 1, "refused");
	assert_int_equal(stint_kube_stream_write(f->stream, "ping", 4), 4);
	run_until_heard(f, "0:ping|");
	fake_hang_up(f->peer); /* the ordinary end of a connection */
	run_until(f->api.loop, &f->closed);
	assert_int_equal(f->code, STINT_OK);
	assert_string_equal(f->out.data, "pong");
	assert_string_equal(f->errors.data, "refused");
}

/* ---- the handshake by itself -------------------------------------------------------------------------------------------------- */

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define GOOD                                                                                \
	"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nCONNECTION: Upgrade\r\n" \
	"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n"

static void test_the_accept_key_is_that_of_the_rfc(void **state)
{
	(void)state;
	stint_autofree char *accept = kube_websocket_accept(KEY);
	assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void test_a_handshake_is_taken_in_any_pieces(void **state)
{
	(void)state;
	static const char whole[] = GOOD "frames";
	for (size_t length = 0; length < sizeof(whole); length++) {
		struct kube_websocket_answer answer = {0};
		enum kube_websocket_parse result = kube_websocket_parse(whole, length, false, KEY, &answer, NULL);
		assert_int_equal(result, length < strlen(GOOD) ? KUBE_WEBSOCKET_MORE : KUBE_WEBSOCKET_DONE);
		if (result == KUBE_WEBSOCKET_DONE) {
			assert_int_equal(answer.consumed, strlen(GOOD));
			assert_string_equal(answer.protocol, "v4.channel.k8s.io");
		}
		kube_websocket_answer_free(&answer);
	}
}

static void test_what_is_no_upgrade_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n",
			"Accept"},
		{"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "Accept"},
		{"HTTP/1.1 101 X\r\nUpgrade: SPDY/3.1\r\nConnection: Upgrade\r\n\r\n", "something else than WebSocket"},
		{"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
		 "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
			"extension"},
		{"SSH-2.0-OpenSSH\r\n\r\n", "not HTTP/1.1"},
		{"HTTP/1.1 abc\r\n\r\n", "not HTTP/1.1"},
		{"HTTP/1.1 101 Swi", "closed the connection"},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		struct kube_websocket_answer answer = {0};
		stint_auto_error *problem = NULL;
		assert_int_equal(
			kube_websocket_parse(cases[i].text, strlen(cases[i].text), true, KEY, &answer, &problem), KUBE_WEBSOCKET_BAD);
		assert_non_null(strstr(problem->message, cases[i].words));
		kube_websocket_answer_free(&answer);
	}
}

static void test_the_body_of_a_refusal_comes_whole_in_every_form(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool at_end;
		enum kube_websocket_parse result;
		const char *body;
	} cases[] = {
		{"HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\nnope", false, KUBE_WEBSOCKET_MORE, NULL},
		{"HTTP/1.1 403 No\r\nContent-Length: 4\r\n\r\nnope and more", false, KUBE_WEBSOCKET_DONE, "nope"},
		{"HTTP/1.1 403 No\r\n\r\nnope", false, KUBE_WEBSOCKET_MORE, NULL},
		{"HTTP/1.1 403 No\r\n\r\nnope", true, KUBE_WEBSOCKET_DONE, "nope"},
		{"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n2\r\npe\r\n", false, KUBE_WEBSOCKET_MORE, NULL},
		{"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n2\r\npe\r\n0\r\n\r\n", false, KUBE_WEBSOCKET_DONE,
			"nope"},
		{"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nno", true, KUBE_WEBSOCKET_DONE, ""},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		struct kube_websocket_answer answer = {0};
		assert_int_equal(
			kube_websocket_parse(cases[i].text, strlen(cases[i].text), cases[i].at_end, KEY, &answer, NULL), cases[i].result);
		if (cases[i].body)
			assert_string_equal(answer.body, cases[i].body);
		kube_websocket_answer_free(&answer);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_output_errors_and_exit_code_come_apart),
		TEST(test_success_is_exit_code_zero),
		TEST(test_a_command_that_cannot_start_is_the_servers_sentence),
		TEST(test_a_stream_that_ends_without_status_is_lost),
		TEST(test_stdin_its_end_and_the_size_are_sent),
		TEST(test_v4_is_spoken_and_cannot_close_stdin),
		TEST(test_another_protocol_is_refused),
		TEST(test_a_refusal_is_a_typed_error),
		TEST(test_writing_is_bounded_and_tells_when_there_is_room),
		TEST(test_pongs_for_a_peer_that_does_not_read_are_bounded),
		TEST(test_a_paused_stream_delivers_nothing_and_loses_nothing),
		TEST(test_a_stream_may_be_freed_from_its_own_data),
		TEST(test_a_client_may_be_freed_before_its_stream),
		TEST(test_a_port_forward_skips_the_port_and_tells_errors_apart),
		cmocka_unit_test(test_the_accept_key_is_that_of_the_rfc),
		cmocka_unit_test(test_a_handshake_is_taken_in_any_pieces),
		cmocka_unit_test(test_what_is_no_upgrade_is_refused),
		cmocka_unit_test(test_the_body_of_a_refusal_comes_whole_in_every_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
