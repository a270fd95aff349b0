/*
 * What the listener promises: requests whole and bounded, answers now, later, as a stream or as a tunnel, and who a certificate names.
 * The client is a plain socket in the same thread: the loop turns while it waits.
 */
#include "tests/unit/test.h"

#include <stint/httpd.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BODY_BYTES = 1000, PATIENCE_MS = 10000 };

struct bench {
	struct stint_loop *loop;
	struct stint_httpd *httpd;
	struct stint_httpd_request *later; /* a request that waits for its answer */
	struct stint_timer *timer;
	int pieces, closed;
	struct stint_httpd_tunnel *tunnel;
	int tunnel_fd;
	bool cut;
};

static ssize_t read_pieces(void *user, char *out, size_t room)
{
	struct bench *bench = user;

	if (bench->pieces == 0)
		return STINT_HTTPD_WAIT;
	if (bench->pieces == 3)
		return STINT_HTTPD_END;
	return snprintf(out, room, "piece %d\n", bench->pieces++);
}

static void on_stream_closed(void *user)
{
	((struct bench *)user)->closed++;
}

static void on_tunnel(void *user, struct stint_httpd_tunnel *tunnel, int fd, const void *early, size_t length)
{
	struct bench *bench = user;

	(void)early;
	(void)length;
	bench->tunnel = tunnel;
	bench->tunnel_fd = fd;
}

static void on_cut(void *user)
{
	((struct bench *)user)->cut = true;
}

static void answer_later(void *user)
{
	struct bench *bench = user;

	stint_httpd_reply_text(bench->later, 200, "late");
}

static void on_request(void *user, struct stint_httpd_request *request)
{
	static const char *const headers[] = {"Upgrade", "echo", NULL};
	struct bench *bench = user;
	const char *path = stint_httpd_path(request);
	struct stint_slice body = stint_httpd_body(request);
	struct stint_httpd_source source = {read_pieces, on_stream_closed, bench, -1};
	struct stint_httpd_upgrade upgrade = {on_tunnel, on_cut, bench};

	if (stint_httpd_body_too_large(request)) {
		stint_httpd_reply_text(request, 413, "too large");
	} else if (strcmp(path, "/echo") == 0) {
		stint_autofree char *text =
			stint_format("%s %s q=%s body=%.*s", stint_httpd_method(request), stint_httpd_header(request, "x-test"),
				stint_httpd_query(request, "q"), (int)body.length, body.data ? body.data : "");

		stint_httpd_reply_text(request, 200, text);
	} else if (strcmp(path, "/later") == 0) {
		bench->later = request;
		stint_timer_set(bench->timer, 20);
	} else if (strcmp(path, "/never") == 0) {
		bench->later = request;
	} else if (strcmp(path, "/stream") == 0) {
		bench->later = request;
		stint_httpd_reply_stream(request, &(struct stint_httpd_response){.status = 200}, &source);
	} else if (strcmp(path, "/upgrade") == 0) {
		stint_httpd_reply_upgrade(request, headers, &upgrade);
	} else {
		stint_httpd_reply_text(request, 404, path);
	}
}

static int up(void **state)
{
	struct bench *bench = stint_alloc(sizeof(*bench));
	struct stint_httpd_options options = {.max_body_bytes = BODY_BYTES, .on_request = on_request, .user = bench};

	bench->loop = stint_loop_new(NULL);
	bench->timer = stint_timer_new(bench->loop, answer_later, bench);
	bench->httpd = stint_httpd_start(bench->loop, &options, NULL);
	*state = bench;
	return bench->httpd ? 0 : -1;
}

static int down(void **state)
{
	struct bench *bench = *state;

	stint_httpd_stop(bench->httpd);
	stint_timer_free(bench->timer);
	stint_loop_free(bench->loop);
	free(bench);
	return 0;
}

static int dial(const struct bench *bench)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)stint_httpd_port(bench->httpd))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static void say(struct bench *bench, int fd, const char *text, size_t length)
{
	for (int64_t end = stint_monotonic_ms() + PATIENCE_MS; length > 0;) {
		ssize_t sent = send(fd, text, length, MSG_NOSIGNAL);

		if (sent > 0) {
			text += sent;
			length -= (size_t)sent;
		} else {
			assert_true(errno == EAGAIN && stint_monotonic_ms() < end);
		}
		stint_loop_step(bench->loop, 1);
	}
}

/* Turns the loop until the answer holds the words; "" waits for the end of the connection. */
static void hear(struct bench *bench, int fd, struct stint_buf *answer, const char *words)
{
	for (int64_t end = stint_monotonic_ms() + PATIENCE_MS; stint_monotonic_ms() < end;) {
		char piece[4096];
		ssize_t got = recv(fd, piece, sizeof(piece), 0);

		if (got > 0)
			stint_buf_add(answer, piece, (size_t)got);
		if (*words && answer->data && strstr(answer->data, words))
			return;
		if (got == 0 || (got < 0 && errno != EAGAIN)) {
			if (!*words)
				return;
			break;
		}
		stint_loop_step(bench->loop, 5);
	}
	fail_msg("not heard: \"%s\" in \"%s\"", words, answer->data ? answer->data : "");
}

#define exchange(bench, request, words)                        \
	do {                                                   \
		int fd_ = dial(bench);                         \
		stint_auto_buf answer_ = {0};                  \
		say((bench), fd_, (request), strlen(request)); \
		hear((bench), fd_, &answer_, (words));         \
		close(fd_);                                    \
	} while (0)

static void test_a_request_arrives_whole(void **state)
{
	exchange(*state, "PATCH /echo?a=1&q=x%20y%2Fz HTTP/1.1\r\nHost: h\r\nX-Test: t\r\nContent-Length: 5\r\n\r\nhello",
		"PATCH t q=x y/z body=hello");
	exchange(*state, "GET /a%2Fb?q HTTP/1.1\r\nHost: h\r\n\r\n", "/a%2Fb"); /* the path is not decoded */
	exchange(*state,
		"POST /echo?q=1 HTTP/1.1\r\nHost: h\r\nX-Test: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
		"body=abcde");
}

static void test_a_body_that_is_too_long_is_read_and_refused_and_the_connection_lives(void **state)
{
	struct bench *bench = *state;
	stint_auto_buf request = {0};
	stint_auto_buf answer = {0};
	int fd = dial(bench);

	stint_buf_printf(&request, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", BODY_BYTES * 4);
	for (int i = 0; i < BODY_BYTES * 4; i++)
		stint_buf_putc(&request, 'x');
	say(bench, fd, request.data, request.length);
	hear(bench, fd, &answer, "too large");
	say(bench, fd, "GET /echo?q=2 HTTP/1.1\r\nHost: h\r\nX-Test: again\r\n\r\n", 50);
	hear(bench, fd, &answer, "GET again q=2");
	close(fd);
}

static void test_an_answer_may_come_later(void **state)
{
	exchange(*state, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n", "late");
}

static void test_a_stream_sleeps_until_it_is_woken(void **state)
{
	struct bench *bench = *state;
	stint_auto_buf answer = {0};
	int fd = dial(bench);

	say(bench, fd, "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n", 34);
	hear(bench, fd, &answer, "200 OK");
	assert_null(strstr(answer.data, "piece"));
	bench->pieces = 1;
	stint_httpd_wake(bench->later);
	hear(bench, fd, &answer, "\r\n0\r\n");
	assert_non_null(strstr(answer.data, "piece 1\n"));
	assert_non_null(strstr(answer.data, "piece 2\n"));
	assert_int_equal(bench->closed, 1);
	close(fd);
}

static void test_a_peer_that_left_is_noticed_while_its_stream_sleeps(void **state)
{
	struct bench *bench = *state;
	stint_auto_buf answer = {0};
	int fd = dial(bench);

	say(bench, fd, "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n", 34);
	hear(bench, fd, &answer, "200 OK");
	close(fd);
	for (int64_t end = stint_monotonic_ms() + PATIENCE_MS; !bench->closed && stint_monotonic_ms() < end;)
		stint_loop_step(bench->loop, 50);
	assert_int_equal(bench->closed, 1);
}

static void test_an_upgraded_connection_carries_bytes_as_they_are(void **state)
{
	struct bench *bench = *state;
	stint_auto_buf answer = {0};
	int fd = dial(bench);

	say(bench, fd, "GET /upgrade HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", 71);
	hear(bench, fd, &answer, "101 Switching Protocols");
	assert_non_null(bench->tunnel);
	assert_int_equal(stint_httpd_tunnel_write(bench->tunnel, "raw", 3), 3);
	hear(bench, fd, &answer, "raw");
	char heard[8];
	assert_int_equal(stint_httpd_tunnel_read(bench->tunnel, heard, sizeof(heard)), -1);
	assert_int_equal(errno, EAGAIN);
	say(bench, fd, "back", 4);
	assert_int_equal(stint_httpd_tunnel_read(bench->tunnel, heard, sizeof(heard)), 4);
	assert_memory_equal(heard, "back", 4);
	stint_httpd_tunnel_close(bench->tunnel);
	hear(bench, fd, &answer, "");
	close(fd);
}

static void test_stopping_cuts_what_is_open(void **state)
{
	struct bench *bench = *state;
	stint_auto_buf answer = {0};
	int stream = dial(bench), never = dial(bench), tunnel = dial(bench);

	say(bench, stream, "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n", 34);
	hear(bench, stream, &answer, "200 OK");
	say(bench, never, "GET /never HTTP/1.1\r\nHost: h\r\n\r\n", 33);
	say(bench, tunnel, "GET /upgrade HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", 71);
	hear(bench, tunnel, &answer, "101");
	stint_httpd_stop(bench->httpd);
	bench->httpd = NULL;
	assert_int_equal(bench->closed, 1);
	assert_true(bench->cut);
	close(stream);
	close(never);
	close(tunnel);
}

static void test_a_busy_port_and_a_bad_address_are_told(void **state)
{
	struct bench *bench = *state;
	struct stint_httpd_options busy = {.port = stint_httpd_port(bench->httpd), .on_request = on_request};
	struct stint_httpd_options bad = {.address = "localhost", .on_request = on_request};

	assert_fails(stint_httpd_start(bench->loop, &busy, &err), STINT_FAILED, "Address already in use");
	assert_fails(stint_httpd_start(bench->loop, &bad, &err), STINT_USAGE, "numeric");
}

static void test_escapes_are_decoded_or_refused(void **state)
{
	static const struct {
		const char *text, *decoded;
	} rows[] = {{"a%20b", "a b"}, {"%2f", "/"}, {"plain", "plain"}, {"%", NULL}, {"%2", NULL}, {"%zz", NULL}, {"a%00b", NULL}};

	(void)state;
	for (size_t i = 0; i < STINT_COUNT(rows); i++) {
		stint_autofree char *text = stint_strdup(rows[i].text);

		assert_int_equal(stint_httpd_unescape(text), rows[i].decoded != NULL);
		if (rows[i].decoded)
			assert_string_equal(text, rows[i].decoded);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_request_arrives_whole, up, down),
		cmocka_unit_test_setup_teardown(test_a_body_that_is_too_long_is_read_and_refused_and_the_connection_lives, up, down),
		cmocka_unit_test_setup_teardown(test_an_answer_may_come_later, up, down),
		cmocka_unit_test_setup_teardown(test_a_stream_sleeps_until_it_is_woken, up, down),
		cmocka_unit_test_setup_teardown(test_a_peer_that_left_is_noticed_while_its_stream_sleeps, up, down),
		cmocka_unit_test_setup_teardown(test_an_upgraded_connection_carries_bytes_as_they_are, up, down),
		cmocka_unit_test_setup_teardown(test_stopping_cuts_what_is_open, up, down),
		cmocka_unit_test_setup_teardown(test_a_busy_port_and_a_bad_address_are_told, up, down),
		cmocka_unit_test(test_escapes_are_decoded_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
