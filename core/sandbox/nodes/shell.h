/*
 * shell: what runs in a virtual container: echo, cat, env, sleep, exit, true, false, and sh of these. Nothing runs on the host.
 *
 * Pure: bytes of standard input and the time go in, output and an exit code come out. The language of sh: words with '...', "...", \x,
 * $NAME, ${NAME}, $?, comments, the operators ; && || and newline, and the redirections >&2, 2>&1, >/dev/null, 2>/dev/null. Without -c, sh
 * reads its script line by line from standard input, with a prompt on a terminal. A command that is not known ends with 127.
 */
#ifndef STINT_SANDBOX_SHELL_H
#define STINT_SANDBOX_SHELL_H

#include <stint/text.h>

enum {
	SHELL_MAX_SCRIPT = 64 * 1024,
	SHELL_MAX_DEPTH = 16, /* of sh -c within sh -c */
	SHELL_MAX_STEPS = 1000, /* commands of one turn: a script cannot hold the loop */
	SHELL_MAX_EXPANSION = 256 * 1024, /* bytes of one command's words */
};

struct shell_options {
	char *const *argv; /* NULL-ended, at least one; copied */
	const struct stint_json *env; /* object of texts; copied */
	bool has_stdin; /* else standard input is at its end from the beginning */
	bool tty; /* input is echoed, \n goes out as \r\n, ^C interrupts, ^D ends the input; stderr goes to stdout */
};

enum shell_state { SHELL_ENDED, SHELL_READS, SHELL_SLEEPS, SHELL_BUSY };

struct shell;
struct shell *shell_new(const struct shell_options *options);
void shell_free(struct shell *shell);
void shell_input(struct shell *shell, const void *data, size_t length);
void shell_input_end(struct shell *shell);
size_t shell_input_waiting(const struct shell *shell); /* bytes that no command has read yet */
/*
 * Runs on until it ends, wants input, or sleeps until *wake_ms (-1: for ever). BUSY: it has done enough for one turn, call again. Output is
 * appended to out and error.
 */
enum shell_state shell_run(struct shell *shell, int64_t now_ms, struct stint_buf *out, struct stint_buf *error, int64_t *wake_ms);
int shell_exit_code(const struct shell *shell); /* once it has ended */

#endif
