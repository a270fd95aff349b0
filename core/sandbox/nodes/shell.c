/*
 * shell: see shell.h. A stack of frames, one for each sh within sh; the command that runs (cat, sleep) is state of the shell itself, so
 * that it can stop anywhere and go on when input or time has come.
 */
#include "core/sandbox/nodes/shell.h"

#include <stdlib.h>
#include <string.h>

#include "core/sandbox/nodes/script.h"

enum { KEY_INTERRUPT = 3, KEY_END = 4, STATUS_INTERRUPTED = 130 };

struct frame {
	struct script script;
	size_t next; /* command to run */
	bool interactive; /* reads further lines from standard input */
};

enum activity { IDLE, CATTING, SLEEPING };

struct shell {
	struct stint_json *env;
	bool tty;
	struct stint_buf input;
	bool input_ended;
	bool prompted;
	struct frame frames[SHELL_MAX_DEPTH];
	size_t depth;
	char **argv; /* of a command that runs without a shell; NULL once it has been started */
	enum activity activity;
	enum script_sink sink, error_sink; /* of the command that runs */
	int64_t wake_ms;
	int status;
	bool ended;
	struct stint_buf echo; /* what the terminal shows of the input */
};

struct shell *shell_new(const struct shell_options *options)
{
	struct shell *shell = stint_alloc(sizeof(*shell));
	shell->env = options->env ? stint_json_dup(options->env) : stint_json_new_object();
	shell->tty = options->tty;
	shell->input_ended = !options->has_stdin;
	shell->sink = SCRIPT_OUT;
	shell->error_sink = SCRIPT_ERROR;
	size_t count = 0;
	while (options->argv[count])
		count++;
	shell->argv = stint_alloc((count + 1) * sizeof(char *));
	for (size_t i = 0; i < count; i++)
		shell->argv[i] = stint_strdup(options->argv[i]);
	return shell;
}

static void pop(struct shell *shell)
{
	script_free(&shell->frames[--shell->depth].script);
}

void shell_free(struct shell *shell)
{
	if (!shell)
		return;
	while (shell->depth > 0)
		pop(shell);
	if (shell->argv)
		stint_strings_free(shell->argv);
	stint_json_free(shell->env);
	stint_buf_free(&shell->input);
	stint_buf_free(&shell->echo);
	free(shell);
}

int shell_exit_code(const struct shell *shell)
{
	return shell->status;
}

/* ---- input ----------------------------------------------------------------------------------------------------------------- */

static void interrupt(struct shell *shell)
{
	stint_buf_puts(&shell->echo, "^C\r\n");
	stint_buf_reset(&shell->input);
	shell->activity = IDLE;
	shell->status = STATUS_INTERRUPTED;
	shell->prompted = false;
	/* Whoever types into an interactive shell stays in it; anything else ends. */
	while (shell->depth > 0 && !shell->frames[shell->depth - 1].interactive)
		pop(shell);
	if (shell->depth == 0)
		shell->ended = true;
	else
		shell->frames[shell->depth - 1].next = shell->frames[shell->depth - 1].script.count;
}

static void type_key(struct shell *shell, char key)
{
	if (key == KEY_INTERRUPT) {
		interrupt(shell);
	} else if (key == KEY_END && shell->activity == CATTING && shell->depth > 0 && shell->frames[0].interactive) {
		shell->activity = IDLE; /* the end of cat's input, not of the shell's */
	} else if (key == KEY_END) {
		shell->input_ended = shell->input_ended || shell->input.length == 0 || shell->input.data[shell->input.length - 1] == '\n';
	} else if (key == '\r' || key == '\n') {
		stint_buf_puts(&shell->echo, "\r\n");
		stint_buf_putc(&shell->input, '\n');
	} else if (key == 0x7f || key == '\b') {
		if (shell->input.length > 0 && shell->input.data[shell->input.length - 1] != '\n') {
			shell->input.data[--shell->input.length] = '\0';
			stint_buf_puts(&shell->echo, "\b \b");
		}
	} else {
		stint_buf_putc(&shell->echo, key);
		stint_buf_putc(&shell->input, key);
	}
}

void shell_input(struct shell *shell, const void *data, size_t length)
{
	if (shell->input_ended)
		return;
	if (!shell->tty) {
		stint_buf_add(&shell->input, data, length);
		return;
	}
	for (size_t i = 0; i < length; i++)
		type_key(shell, ((const char *)data)[i]);
}

void shell_input_end(struct shell *shell)
{
	shell->input_ended = true;
}

size_t shell_input_waiting(const struct shell *shell)
{
	return shell->input.length;
}

/* ---- output ---------------------------------------------------------------------------------------------------------------- */

struct output {
	struct stint_buf *out, *error;
};

static void emit(const struct shell *shell, struct output *to, enum script_sink sink, const char *data, size_t length)
{
	if (sink == SCRIPT_NOWHERE)
		return;
	struct stint_buf *buf = sink == SCRIPT_ERROR && !shell->tty ? to->error : to->out;
	if (!shell->tty) {
		stint_buf_add(buf, data, length);
		return;
	}
	for (size_t i = 0; i < length; i++) {
		if (data[i] == '\n')
			stint_buf_putc(buf, '\r');
		stint_buf_putc(buf, data[i]);
	}
}

static void complain(struct shell *shell, struct output *to, int status, char *message)
{
	stint_autofree char *line = stint_format("%s\n", message);
	free(message);
	emit(shell, to, shell->error_sink, line, strlen(line));
	shell->status = status;
}

/* ---- commands -------------------------------------------------------------------------------------------------------------- */

static void run_echo(struct shell *shell, char *const *argv, struct output *to)
{
	bool newline = true;
	size_t i = 1;
	if (argv[i] && strcmp(argv[i], "-n") == 0) {
		newline = false;
		i++;
	}
	stint_auto_buf line = {0};
	for (size_t first = i; argv[i]; i++)
		stint_buf_printf(&line, "%s%s", i > first ? " " : "", argv[i]);
	if (newline)
		stint_buf_putc(&line, '\n');
	emit(shell, to, shell->sink, line.data, line.length);
	shell->status = 0;
}

static void run_env(struct shell *shell, struct output *to)
{
	stint_json_each(variable, shell->env) {
		stint_autofree char *line = stint_format("%s=%s\n", stint_json_key(variable), stint_json_string_or(variable, ""));
		emit(shell, to, shell->sink, line, strlen(line));
	}
	shell->status = 0;
}

static void run_cat(struct shell *shell, char *const *argv, struct output *to)
{
	shell->status = 0;
	bool input = !argv[1];
	for (size_t i = 1; argv[i]; i++) {
		if (strcmp(argv[i], "-") == 0)
			input = true;
		else
			complain(shell, to, 1, stint_format("cat: can't open '%s': No such file or directory", argv[i]));
	}
	if (input)
		shell->activity = CATTING;
}

static void run_sleep(struct shell *shell, char *const *argv, struct output *to, int64_t now_ms)
{
	int64_t duration_ms = 0;
	double seconds = 0;
	shell->status = 0;
	if (!argv[1]) {
		complain(shell, to, 1, stint_strdup("sleep: missing operand"));
		return;
	}
	if (strcmp(argv[1], "infinity") == 0 || strcmp(argv[1], "inf") == 0)
		shell->wake_ms = -1;
	else if (stint_parse_double(argv[1], 0, 1e9, &seconds))
		shell->wake_ms = now_ms + (int64_t)(seconds * 1000);
	else if (stint_duration_parse(argv[1], &duration_ms) && duration_ms < INT64_C(1) << 40)
		shell->wake_ms = now_ms + duration_ms;
	else {
		complain(shell, to, 1, stint_format("sleep: invalid number '%s'", argv[1]));
		return;
	}
	shell->activity = SLEEPING;
}

static void leave(struct shell *shell, int status)
{
	shell->status = status;
	if (shell->depth > 0)
		pop(shell);
	else
		shell->ended = true;
}

static void run_exit(struct shell *shell, char *const *argv, struct output *to)
{
	int64_t status = shell->status;
	if (argv[1] && !stint_parse_int(argv[1], 0, INT32_MAX, &status)) {
		complain(shell, to, 2, stint_format("sh: exit: Illegal number: %s", argv[1]));
		status = 2;
	}
	leave(shell, (int)(status & 255));
}

static bool enter(struct shell *shell, const char *text, bool interactive, struct output *to)
{
	char *message = NULL;
	if (shell->depth == SHELL_MAX_DEPTH) {
		complain(shell, to, 2, stint_strdup("sh: too deep"));
		return false;
	}
	struct frame *frame = &shell->frames[shell->depth];
	*frame = (struct frame){.interactive = interactive};
	if (strlen(text) > SHELL_MAX_SCRIPT) {
		complain(shell, to, 2, stint_strdup("sh: the script is too long"));
		return false;
	}
	if (!script_parse(text, &frame->script, &message)) {
		stint_autofree char *said = message;
		complain(shell, to, 2, stint_format("sh: %s", said));
		return false;
	}
	shell->depth++;
	return true;
}

static void run_sh(struct shell *shell, char *const *argv, struct output *to)
{
	shell->status = 0;
	if (!argv[1] || strcmp(argv[1], "-i") == 0 || strcmp(argv[1], "-l") == 0) {
		shell->prompted = false;
		enter(shell, "", true, to);
	} else if (argv[1][0] == '-' && argv[1][strlen(argv[1]) - 1] == 'c' && argv[2]) { /* -c, -ec, -lc */
		enter(shell, argv[2], false, to);
	} else {
		complain(shell, to, 2, stint_format("sh: can't open '%s'", argv[1]));
	}
}

static const char *base_name(const char *path)
{
	static const char *const folders[] = {"/bin/", "/usr/bin/"};
	for (size_t i = 0; i < STINT_COUNT(folders); i++) {
		if (stint_starts_with(path, folders[i]))
			return path + strlen(folders[i]);
	}
	return path;
}

static void run_command(struct shell *shell, char *const *argv, struct output *to, int64_t now_ms)
{
	const char *name = base_name(argv[0]);
	if (strcmp(name, "echo") == 0)
		run_echo(shell, argv, to);
	else if (strcmp(name, "cat") == 0)
		run_cat(shell, argv, to);
	else if (strcmp(name, "env") == 0 && !argv[1])
		run_env(shell, to);
	else if (strcmp(name, "sleep") == 0)
		run_sleep(shell, argv, to, now_ms);
	else if (strcmp(name, "exit") == 0)
		run_exit(shell, argv, to);
	else if (strcmp(name, "true") == 0 || strcmp(name, ":") == 0)
		shell->status = 0;
	else if (strcmp(name, "false") == 0)
		shell->status = 1;
	else if (strcmp(name, "sh") == 0)
		run_sh(shell, argv, to);
	else
		complain(shell, to, 127,
			stint_format("sh: %s: not found in a virtual container (it knows echo, cat, env, sleep, exit and sh)", argv[0]));
}

/* ---- the machine ----------------------------------------------------------------------------------------------------------- */

static void run_next(struct shell *shell, struct frame *frame, struct output *to, int64_t now_ms)
{
	const struct script_command *command = &frame->script.commands[frame->next++];
	if ((command->link == SCRIPT_AND && shell->status != 0) || (command->link == SCRIPT_OR && shell->status == 0))
		return;
	char **argv = stint_alloc((command->count + 1) * sizeof(char *));
	size_t bytes = 0;
	for (size_t i = 0; i < command->count && bytes <= SHELL_MAX_EXPANSION; i++) {
		argv[i] = script_expand(command->words[i], shell->env, shell->status);
		bytes += strlen(argv[i]);
	}
	shell->sink = command->out;
	shell->error_sink = command->error;
	if (bytes > SHELL_MAX_EXPANSION)
		complain(shell, to, 126, stint_strdup("sh: argument list too long"));
	else
		run_command(shell, argv, to, now_ms);
	stint_strings_free(argv);
}

/* The next line of an interactive shell; false when it has to wait for it. */
static bool read_line(struct shell *shell, struct frame *frame, struct output *to)
{
	if (shell->tty && !shell->prompted) {
		stint_buf_puts(to->out, "$ ");
		shell->prompted = true;
	}
	const char *end = shell->input.length > 0 ? memchr(shell->input.data, '\n', shell->input.length) : NULL;
	if (!end && !shell->input_ended && shell->input.length <= SHELL_MAX_SCRIPT)
		return false;
	size_t length = end ? (size_t)(end - shell->input.data) : shell->input.length;
	if (length == 0 && !end) {
		if (shell->tty)
			stint_buf_puts(to->out, "\r\n");
		leave(shell, shell->status);
		return true;
	}
	stint_autofree char *line = stint_strndup(shell->input.data, length);
	stint_buf_consume(&shell->input, end ? length + 1 : length);
	shell->prompted = false;
	script_free(&frame->script);
	frame->next = 0;
	char *message = NULL;
	shell->error_sink = SCRIPT_ERROR;
	if (!script_parse(line, &frame->script, &message)) {
		stint_autofree char *said = message;
		complain(shell, to, 2, stint_format("sh: %s", said));
	}
	return true;
}

/* True: go on at once. */
static bool step(struct shell *shell, struct output *to, int64_t now_ms, enum shell_state *state)
{
	if (shell->activity == CATTING) {
		emit(shell, to, shell->sink, shell->input.data, shell->input.length);
		stint_buf_reset(&shell->input);
		if (!shell->input_ended) {
			*state = SHELL_READS;
			return false;
		}
		shell->activity = IDLE;
	}
	if (shell->activity == SLEEPING) {
		if (shell->wake_ms < 0 || shell->wake_ms > now_ms) {
			*state = SHELL_SLEEPS;
			return false;
		}
		shell->activity = IDLE;
	}
	if (shell->argv) {
		char **argv = stint_steal(&shell->argv);
		run_command(shell, argv, to, now_ms);
		stint_strings_free(argv);
		return true;
	}
	if (shell->depth == 0) {
		shell->ended = true;
		return true;
	}
	struct frame *frame = &shell->frames[shell->depth - 1];
	if (frame->next < frame->script.count) {
		run_next(shell, frame, to, now_ms);
		return true;
	}
	if (!frame->interactive) {
		pop(shell);
		return true;
	}
	*state = SHELL_READS;
	return read_line(shell, frame, to);
}

static void show_echo(struct shell *shell, struct stint_buf *out)
{
	stint_buf_add(out, shell->echo.data, shell->echo.length);
	stint_buf_reset(&shell->echo);
}

enum shell_state shell_run(struct shell *shell, int64_t now_ms, struct stint_buf *out, struct stint_buf *error, int64_t *wake_ms)
{
	struct output to = {out, error};
	*wake_ms = -1;
	show_echo(shell, out);
	for (int steps = 0; !shell->ended; steps++) {
		enum shell_state state = SHELL_BUSY;
		if (steps == SHELL_MAX_STEPS)
			return SHELL_BUSY;
		if (!step(shell, &to, now_ms, &state)) {
			if (state == SHELL_SLEEPS)
				*wake_ms = shell->wake_ms;
			return state;
		}
	}
	return SHELL_ENDED;
}
