/*
 * Logging: a module is handed a logger and never knows where its messages go.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <stint/base.h>

void stint_log(const struct stint_logger *logger, enum stint_log_level level, const char *format, ...)
{
	if (!logger || !logger->write || level > logger->level)
		return;
	va_list args;
	va_start(args, format);
	stint_autofree char *message = stint_vformat(format, args);
	va_end(args);
	logger->write(logger->user, level, message);
}

void stint_log_to_fd(void *user, enum stint_log_level level, const char *message)
{
	static const char *const names[] = {"error", "warn ", "info ", "debug"};
	char now[STINT_TIME_SIZE];
	stint_autofree char *line = stint_format("%s %s %s\n", stint_time_format(stint_now_ms(), now), names[level], message);
	/* One write a line keeps lines of several processes apart. A log that cannot be written has nowhere to complain to. */
	ssize_t ignored = write(*(const int *)user, line, strlen(line));
	(void)ignored;
}
