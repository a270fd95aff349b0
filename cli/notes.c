/*
 * notes: what a command says beside its output: errors, hints, questions. Foreign text (a server's message, a pod's name) is made safe for
 * a terminal here, once for all. State: the nesting of cli_hold_interrupts, which like the signal mask and the limit of open files is the
 * process's.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/cli.h"

enum { MANY_FILES = 8192 };

int cli_failed(const struct cli_context *ctx)
{
	return ctx->err && ctx->err->code != STINT_OK ? (int)ctx->err->code : STINT_FAILED;
}

int cli_fail(struct cli_context *ctx, enum stint_code code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	stint_autofree char *message = stint_vformat(format, args);
	va_end(args);
	stint_fail(&ctx->err, code, "%s", message);
	return (int)code;
}

enum { LONGEST_NOTE = 2000 };

/* A note is one line, and not endless whatever it quotes: what came with line ends is joined. */
static void say(FILE *notes, char *message)
{
	size_t length = strlen(message);
	if (length > LONGEST_NOTE) {
		length = LONGEST_NOTE;
		memcpy(message + length - 3, "...", 4);
	}
	stint_sanitize(message);
	while (length && (message[length - 1] == '\n' || message[length - 1] == ' '))
		message[--length] = '\0';
	for (char *at = message; *at; at++)
		if (*at == '\n' || *at == '\t')
			*at = ' ';
	fprintf(notes, "stint: %s\n", message);
	fflush(notes);
}

void cli_note(struct cli_context *ctx, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	stint_autofree char *message = stint_vformat(format, args);
	va_end(args);
	say(ctx->notes, message);
}

int cli_note_error(struct cli_context *ctx, struct stint_error **err)
{
	int code = STINT_FAILED;
	if (*err) {
		if ((*err)->code != STINT_OK)
			code = (int)(*err)->code;
		say(ctx->notes, (*err)->message);
	}
	stint_error_clear(err);
	return code;
}

bool cli_confirm(struct cli_context *ctx, const char *format, ...)
{
	if (cli_switch(ctx, "yes"))
		return true;
	va_list args;
	va_start(args, format);
	stint_autofree char *question = stint_vformat(format, args);
	va_end(args);
	stint_sanitize(question);
	if (!isatty(STDIN_FILENO) || !isatty(fileno(ctx->notes)))
		return stint_fail(&ctx->err, STINT_USAGE, "%s There is no terminal to ask on: say -y to do it", question);
	fprintf(ctx->notes, "%s [y/N] ", question);
	fflush(ctx->notes);
	char answer[16];
	if (fgets(answer, sizeof answer, stdin) &&
		(strcmp(answer, "y\n") == 0 || strcmp(answer, "Y\n") == 0 || strcmp(answer, "yes\n") == 0))
		return true;
	return stint_fail(&ctx->err, STINT_FAILED, "nothing was done");
}

bool cli_flush(struct cli_context *ctx)
{
	return fflush(ctx->out) == 0 && !ferror(ctx->out);
}

bool cli_reader_has_gone(const struct cli_context *ctx)
{
	struct pollfd pipe = {.fd = fileno(ctx->out)};
	return pipe.fd >= 0 && poll(&pipe, 1, 0) == 1 && (pipe.revents & POLLERR);
}

static int holds;

static void mask_interrupts(int how)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(how, &set, NULL);
}

void cli_hold_interrupts(void)
{
	if (holds++ == 0)
		mask_interrupts(SIG_BLOCK);
}

void cli_release_interrupts(void)
{
	if (holds > 0 && --holds == 0)
		mask_interrupts(SIG_UNBLOCK);
}

void cli_raise_file_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= MANY_FILES)
		return;
	limit.rlim_cur = limit.rlim_max < MANY_FILES ? limit.rlim_max : MANY_FILES;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}
