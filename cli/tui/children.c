/*
 * children: other runs of this program: a command of the command line, whose output goes to a screen; what completes a line; and those that
 * need the terminal (a shell in a pod), which is given to them until they end. No shell is between us and them: words are cut here.
 */
#include "cli/tui/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { OUTPUT_MAX = 1024 * 1024, READ_BYTES = 16 * 1024 };

enum purpose { FOR_OUTPUT, FOR_COMPLETION, FOR_TERMINAL };

struct child {
	struct tui_run *run;
	enum purpose purpose;
	char *line; /* what was typed */
	pid_t pid; /* 0: none runs */
	struct stint_child *watch;
	struct stint_watch_fd *pipe;
	int fd;
	struct stint_buf output;
	bool ended;
	int status;
};

/* One of each purpose at a time. */
struct tui_children {
	struct child of[FOR_TERMINAL + 1];
	bool waits_for_key; /* the terminal's child has failed, and its words stay until a key is pressed */
};

/* ---- words ------------------------------------------------------------------------------------------------------------------------- */

/* Cuts a line as a shell would, with quotes and backslashes and nothing else. NULL: a quote is open. NULL-ended, for stint_strings_free. */
static char **cut_words(const char *line)
{
	char **words = NULL;
	size_t count = 0, capacity = 0;
	char quote = '\0';
	while (*line) {
		stint_auto_buf word = {0};
		line += strspn(line, " \t");
		if (!*line)
			break;
		stint_buf_puts(&word, "");
		for (; *line && (quote || (*line != ' ' && *line != '\t')); line++) {
			if (quote ? *line == quote : *line == '"' || *line == '\'')
				quote = quote ? '\0' : *line;
			else if (*line == '\\' && line[1] && quote != '\'')
				stint_buf_putc(&word, *++line);
			else
				stint_buf_putc(&word, *line);
		}
		stint_grow(&words, &capacity, count + 2, sizeof *words);
		words[count++] = stint_buf_steal(&word);
		words[count] = NULL;
	}
	if (!words)
		words = stint_alloc(sizeof *words);
	if (!quote)
		return words;
	stint_strings_free(words);
	return NULL;
}

/* ---- starting -------------------------------------------------------------------------------------------------------------------- */

static void finish(struct child *child);

static void on_exit_(void *user, pid_t pid, int status)
{
	struct child *child = user;
	(void)pid;
	child->watch = NULL;
	child->ended = true;
	child->status = status;
	if (child->fd < 0)
		finish(child);
}

static void close_pipe(struct child *child)
{
	stint_fd_unwatch(stint_steal(&child->pipe));
	stint_close_fd(&child->fd);
}

static void on_output(void *user, int fd, int events)
{
	struct child *child = user;
	char piece[READ_BYTES];
	(void)events;
	const ssize_t got = read(fd, piece, sizeof piece);
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got > 0 && child->output.length < OUTPUT_MAX)
		stint_buf_add(&child->output, piece, (size_t)got);
	if (got > 0 && child->purpose == FOR_OUTPUT) {
		tui_app_output(child->run->app, child->line, child->output.data);
		tui_run_draw_soon(child->run);
	}
	if (got > 0)
		return;
	close_pipe(child);
	if (child->ended)
		finish(child);
}

/* argv: the words after the program's name; borrowed. False: err. */
static bool spawn(struct child *child, char *const *words, struct stint_error **err)
{
	const struct tui_options *options = child->run->options;
	char *argv[140];
	size_t count = 0;
	int ends[2] = {-1, -1};
	argv[count++] = (char *)(uintptr_t) "stint";
	if (options->kubeconfig) {
		argv[count++] = (char *)(uintptr_t) "--kubeconfig";
		argv[count++] = (char *)(uintptr_t)options->kubeconfig;
	}
	if (options->context) {
		argv[count++] = (char *)(uintptr_t) "--context";
		argv[count++] = (char *)(uintptr_t)options->context;
	}
	for (size_t at = 0; words[at] && count < STINT_COUNT(argv) - 1; at++)
		argv[count++] = words[at];
	argv[count] = NULL;
	if (child->purpose != FOR_TERMINAL && pipe2(ends, O_CLOEXEC) != 0)
		return stint_fail_errno(err, errno, "no pipe can be made");
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, defaults;
	sigemptyset(&none);
	sigemptyset(&defaults);
	for (int number = 1; number < SIGRTMIN; number++) {
		if (number != SIGKILL && number != SIGSTOP)
			sigaddset(&defaults, number);
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (child->purpose != FOR_TERMINAL) {
		posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
		posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
		posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
	}
	const int failed = posix_spawn(&child->pid, "/proc/self/exe", &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	stint_close_fd(&ends[1]);
	child->fd = ends[0];
	if (failed) {
		close_pipe(child);
		child->pid = 0;
		return stint_fail_errno(err, failed, "stint cannot be started again");
	}
	child->ended = false;
	stint_buf_reset(&child->output);
	child->watch = stint_child_watch(child->run->loop, child->pid, on_exit_, child, err);
	if (child->fd >= 0)
		child->pipe = stint_fd_watch(child->run->loop, child->fd, STINT_READ, on_output, child);
	return child->watch != NULL;
}

static void end_child(struct child *child)
{
	if (child->pid && !child->ended)
		kill(child->pid, SIGTERM);
	if (child->pid && child->watch) {
		stint_child_unwatch(stint_steal(&child->watch));
		waitpid(child->pid, NULL, 0);
	}
	child->pid = 0;
	close_pipe(child);
	free(stint_steal(&child->line));
}

static struct child *ready(struct tui_run *run, enum purpose purpose, const char *line)
{
	if (!run->children)
		run->children = stint_alloc(sizeof *run->children);
	struct child *child = &run->children->of[purpose];
	if (!child->run)
		child->fd = -1;
	end_child(child);
	child->run = run;
	child->purpose = purpose;
	child->line = stint_strdup(line);
	return child;
}

/* ---- ends ------------------------------------------------------------------------------------------------------------------------ */

/* The lines of `stint __complete`: the word, a tab, what it means. Those that ask for files are left out. */
static char **choices_of(const struct child *child)
{
	char **lines = stint_split(child->output.data ? child->output.data : "", "\n");
	size_t kept = 0;
	for (size_t at = 0; lines[at]; at++) {
		char *line = lines[at];
		line[strcspn(line, "\t")] = '\0';
		if (*line == ':' || !*line)
			free(line);
		else
			lines[kept++] = line;
	}
	lines[kept] = NULL;
	return lines;
}

static void take_terminal_back(struct tui_run *run)
{
	run->resting = false;
	run->children->waits_for_key = false;
	stint_fd_set(run->input, STINT_READ);
	tui_terminal_resume(run->terminal);
	tui_run_draw_soon(run);
}

static void finish(struct child *child)
{
	struct tui_run *run = child->run;
	const int code = WIFEXITED(child->status) ? WEXITSTATUS(child->status) : 128 + WTERMSIG(child->status);
	child->pid = 0;
	switch (child->purpose) {
	case FOR_COMPLETION: tui_app_choices(run->app, child->line, choices_of(child)); break;
	case FOR_OUTPUT:
		tui_app_output(run->app, child->line, child->output.data ? child->output.data : "");
		if (code)
			tui_app_note(run->app, TUI_WARN, "it ended with exit code %d", code);
		break;
	case FOR_TERMINAL:
		if (code == 0) {
			take_terminal_back(run);
			break;
		}
		tui_terminal_await_key(run->terminal);
		fprintf(run->ctx->out, "\n[exit code %d: press a key]", code);
		cli_flush(run->ctx);
		run->children->waits_for_key = true;
		stint_fd_set(run->input, STINT_READ);
		break;
	}
	free(stint_steal(&child->line));
	tui_run_draw_soon(run);
}

void tui_children_key(struct tui_run *run)
{
	if (!run->children->waits_for_key)
		return;
	tui_terminal_forget_typed(run->terminal); /* the key, with what came along: none of it is meant for the dashboard */
	take_terminal_back(run);
}

/* ---- what is run ----------------------------------------------------------------------------------------------------------------- */

static void start(struct child *child, char *const *words)
{
	stint_auto_error *err = NULL;
	if (!spawn(child, words, &err))
		tui_app_note(child->run->app, TUI_BAD, "%s", err->message);
}

static void give_terminal(struct tui_run *run, const char *line, char *const *words)
{
	struct child *child = ready(run, FOR_TERMINAL, line);
	stint_auto_error *err = NULL;
	stint_fd_set(run->input, 0);
	tui_terminal_suspend(run->terminal);
	run->resting = true;
	if (spawn(child, words, &err))
		return;
	take_terminal_back(run);
	tui_app_note(run->app, TUI_BAD, "%s", err->message);
}

static bool needs_terminal(char *const *words)
{
	static const char *const verbs[] = {"exec", "attach", "dashboard"};
	for (size_t at = 0; at < STINT_COUNT(verbs); at++) {
		if (words[0] && strcmp(words[0], verbs[at]) == 0)
			return true;
	}
	return false;
}

void tui_children_command(struct tui_run *run, const char *line)
{
	char **words = cut_words(line);
	if (!words) {
		tui_app_note(run->app, TUI_BAD, "a quote is open in: %s", line);
		return;
	}
	if (needs_terminal(words)) {
		give_terminal(run, line, words);
	} else {
		tui_app_output_open(run->app, line); /* first: a screen that has to make room for it ends the child that runs by then */
		start(ready(run, FOR_OUTPUT, line), words);
	}
	stint_strings_free(words);
}

void tui_children_complete(struct tui_run *run, const char *line)
{
	char **words = cut_words(line);
	size_t count = 0;
	if (!words)
		return;
	while (words[count])
		count++;
	char **asked = stint_alloc((count + 4) * sizeof *asked);
	size_t at = 0;
	asked[at++] = (char *)(uintptr_t) "__complete";
	asked[at++] = (char *)(uintptr_t) "--";
	for (size_t word = 0; word < count; word++)
		asked[at++] = words[word];
	if (!count || stint_ends_with(line, " "))
		asked[at++] = (char *)(uintptr_t) "";
	start(ready(run, FOR_COMPLETION, line), asked);
	free(asked);
	stint_strings_free(words);
}

void tui_children_shell(struct tui_run *run, const struct tui_about *workload)
{
	char *const words[] = {(char *)(uintptr_t) "exec", (char *)(uintptr_t) "-it", workload->name, (char *)(uintptr_t) "-p",
		workload->space, (char *)(uintptr_t) "--", (char *)(uintptr_t) "sh", NULL};
	give_terminal(run, workload->name, words);
}

void tui_children_end_output(struct tui_run *run)
{
	if (run->children && run->children->of[FOR_OUTPUT].run)
		end_child(&run->children->of[FOR_OUTPUT]);
}

void tui_children_free(struct tui_run *run)
{
	for (size_t at = 0; run->children && at <= FOR_TERMINAL; at++) {
		struct child *child = &run->children->of[at];
		if (child->run)
			end_child(child);
		stint_buf_free(&child->output);
	}
	free(stint_steal(&run->children));
}
