/*
 * stream_terminal: joins a stream of the API server with this process's terminal or pipes.
 *
 * Owns, during a run: the terminal's settings (raw with a tty), the watch of standard input, the handlers of the signals that would end the
 * program without restoring the terminal. Standard input is shared with whoever started us, so it is never made non-blocking: it is read
 * when it is ready, once. Writing blocks, which is what stops a remote command whose reader is slow.
 */
#include "cli/stream_terminal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum { READ_BYTES = 16 * 1024 };

struct terminal {
	struct cli_context *ctx;
	struct stint_loop *loop;
	struct stint_kube_stream *stream;
	struct stint_watch_fd *input;
	struct stint_buf unsent; /* read from standard input, not yet taken by the stream */
	struct termios former;
	bool wants_raw, raw, done, input_ended;
	int exit_code, signal_number;
};

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/* ---- the terminal ------------------------------------------------------------------------------------------------------------ */

static bool set_raw(struct terminal *terminal, struct stint_error **err)
{
	if (tcgetattr(STDIN_FILENO, &terminal->former) != 0)
		return stint_fail_errno(err, errno, "the terminal's settings cannot be read");
	struct termios raw = terminal->former;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) != 0)
		return stint_fail_errno(err, errno, "the terminal cannot be set to raw");
	terminal->raw = true;
	return true;
}

static void restore(struct terminal *terminal)
{
	if (terminal->raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal->former);
	terminal->raw = false;
}

static void send_size(struct terminal *terminal)
{
	struct winsize size;
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		stint_kube_stream_resize(terminal->stream, size.ws_col, size.ws_row);
}

static void on_resize(void *user, int signal_number)
{
	(void)signal_number;
	send_size(user);
}

static void on_ending_signal(void *user, int signal_number)
{
	struct terminal *terminal = user;
	terminal->signal_number = signal_number;
	terminal->done = true;
}

static bool watch_signals(struct terminal *terminal, struct stint_error **err)
{
	bool fine = stint_signal_watch(terminal->loop, SIGWINCH, on_resize, terminal, err);
	for (size_t at = 0; fine && at < STINT_COUNT(ending_signals); at++)
		fine = stint_signal_watch(terminal->loop, ending_signals[at], on_ending_signal, terminal, err);
	return fine;
}

static void unwatch_signals(struct terminal *terminal)
{
	stint_signal_watch(terminal->loop, SIGWINCH, NULL, NULL, NULL);
	for (size_t at = 0; at < STINT_COUNT(ending_signals); at++)
		stint_signal_watch(terminal->loop, ending_signals[at], NULL, NULL, NULL);
}

/* ---- bytes ------------------------------------------------------------------------------------------------------------------- */

static void send_input(struct terminal *terminal)
{
	size_t taken = stint_kube_stream_write(terminal->stream, terminal->unsent.data, terminal->unsent.length);
	stint_buf_consume(&terminal->unsent, taken);
	const bool waits = terminal->unsent.length > 0;
	if (terminal->input)
		stint_fd_set(terminal->input, waits ? 0 : STINT_READ);
	/* A server that speaks v4 only cannot be told: the command then waits for more, as with kubectl. */
	if (terminal->input_ended && !waits)
		stint_kube_stream_close_stdin(terminal->stream);
}

static void on_input(void *user, int fd, int events)
{
	(void)events;
	struct terminal *terminal = user;
	char piece[READ_BYTES];
	ssize_t got = read(fd, piece, sizeof piece);
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got > 0) {
		stint_buf_add(&terminal->unsent, piece, (size_t)got);
	} else {
		terminal->input_ended = true;
		stint_fd_unwatch(terminal->input);
		terminal->input = NULL;
	}
	send_input(terminal);
}

/* Raw only now: while the connection is made, Ctrl-C is still ours. */
static void on_open(void *user)
{
	struct terminal *terminal = user;
	if (terminal->wants_raw && !set_raw(terminal, &terminal->ctx->err)) {
		terminal->exit_code = cli_failed(terminal->ctx);
		terminal->done = true;
		return;
	}
	if (terminal->input)
		stint_fd_set(terminal->input, STINT_READ);
}

static void on_writable(void *user)
{
	send_input(user);
}

static void on_data(void *user, enum stint_kube_channel channel, const char *data, size_t length)
{
	struct terminal *terminal = user;
	FILE *to = channel == STINT_KUBE_STDERR ? terminal->ctx->notes : terminal->ctx->out;
	if (fwrite(data, 1, length, to) != length || fflush(to) != 0) { /* whoever read it has gone: the framework tells why */
		terminal->exit_code = STINT_FAILED;
		terminal->done = true;
	}
}

static void on_close(void *user, int exit_code, const struct stint_error *problem)
{
	struct terminal *terminal = user;
	terminal->exit_code = exit_code >= 0 ? exit_code : STINT_FAILED;
	terminal->done = true;
	if (problem) {
		stint_fail(&terminal->ctx->err, problem->code, "%s", problem->message);
		terminal->exit_code = (int)problem->code;
	}
}

/* ---- the run ----------------------------------------------------------------------------------------------------------------- */

static void run(struct terminal *terminal, struct stint_kube *kube, const struct stint_kube_exec *exec)
{
	const struct stint_kube_stream_handlers handlers = {on_open, on_data, on_writable, on_close, terminal};
	terminal->stream = stint_kube_exec_start(kube, exec, &handlers);
	if (exec->stdin_)
		terminal->input = stint_fd_watch(terminal->loop, STDIN_FILENO, 0, on_input, terminal); /* from on_open on */
	if (exec->tty)
		send_size(terminal);
	while (!terminal->done && stint_loop_step(terminal->loop, -1))
		;
	stint_fd_unwatch(terminal->input);
	stint_kube_stream_free(terminal->stream);
	stint_buf_free(&terminal->unsent);
}

int cli_stream_run(struct cli_context *ctx, struct stint_kube *kube, const struct stint_kube_exec *exec)
{
	struct terminal terminal = {.ctx = ctx, .loop = stint_kube_loop(kube), .exit_code = STINT_FAILED};
	terminal.wants_raw = exec->tty && exec->stdin_ && isatty(STDIN_FILENO);
	if (!terminal.wants_raw || watch_signals(&terminal, &ctx->err))
		run(&terminal, kube, exec);
	restore(&terminal);
	if (terminal.wants_raw)
		unwatch_signals(&terminal);
	return terminal.signal_number ? 128 + terminal.signal_number : terminal.exit_code;
}
